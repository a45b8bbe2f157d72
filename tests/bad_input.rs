//! Whatever comes in: the message says what, where and what to do, and nothing is lost.

#![allow(unreachable_pub, missing_docs, dead_code)]

#[path = "support/program.rs"]
mod program;

use insta::assert_snapshot;
use program::{Ended, ended, program, run};

const ITEMS: &str = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: Service # kept
  metadata: {name: web}
";

/// A stream fails with nothing on stdout, so that nobody applies a part of it.
fn stream(text: &str) -> String {
    nothing_lost(run(&[], text))
}

fn nothing_lost(ended: Ended) -> String {
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    ended.stderr
}

/// A ResourceList comes back with its items and the message.
fn resource_list(text: &str) -> String {
    let ended = run(&[], text);
    assert_eq!(ended.code, 2, "{ended}");
    let added = ended
        .stdout
        .strip_prefix(text)
        .unwrap_or_else(|| panic!("the input comes back\n{ended}"));
    assert!(added.starts_with("results:\n- message: "), "{ended}");
    assert!(added.ends_with("  severity: error\n"), "{ended}");
    ended.stderr
}

#[test]
fn no_yaml() {
    assert_snapshot!(stream("kind: A\nmetadata: {name: a\n---\nkind: B\n"), @"istio-scrape: stdin: line 2, column 11: not valid YAML, unclosed bracket '{'; correct the text there");
    assert_snapshot!(stream("kind: A\n\tmetadata: {}\n"), @"istio-scrape: stdin: line 1, column 7: not valid YAML, while scanning a plain scalar, found a tab; correct the text there");
    assert_snapshot!(stream(&format!("{ITEMS}  spec: [\n")), @"istio-scrape: stdin: line 7, column 9: not valid YAML, unclosed bracket '['; correct the text there");
}

#[test]
fn no_text() {
    let bytes = |bytes: &[u8]| nothing_lost(ended(&mut program(&[]), bytes));
    assert_snapshot!(bytes(b"kind: A\nmetadata: {name: \xff}\n"), @"istio-scrape: stdin: the byte at offset 25 (line 2) is not UTF-8; save the text as UTF-8");
    assert_snapshot!(bytes(b"\xff\xfek\0i\0n\0d\0"), @"istio-scrape: stdin is UTF-16 by the byte order mark at offset 0; save the text as UTF-8");
    assert_snapshot!(bytes(b"\x00\x01\x02"), @r"istio-scrape: stdin: line 1, column 1: not valid YAML, unexpected character: `\u{0}'; correct the text there");
}

#[test]
fn nothing_at_all() {
    assert_snapshot!(stream(""), @"istio-scrape: stdin is empty; check the command or file that it comes from (an empty `items: []` is allowed)");
    assert_snapshot!(nothing_lost(run(&["explain"], "")), @"istio-scrape: stdin is empty; check the command or file that it comes from (an empty `items: []` is allowed)");
    assert_snapshot!(nothing_lost(run(&["diff", "-"], "")), @"istio-scrape: stdin is empty; check the command or file that it comes from (an empty `items: []` is allowed)");
}

#[test]
fn only_comments_pass() {
    for text in ["# nothing\n", "---\n", "---\n# nothing\n---\n", "\n"] {
        let ended = run(&[], text);
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (0, text, "")
        );
    }
}

#[test]
fn a_scalar() {
    assert_snapshot!(stream("error: not a manifest\n"), @"istio-scrape: stdin:1 (object 1) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(stream("Error from server (NotFound)\n"), @"istio-scrape: stdin:1 (object 1) is a single value; every document and item must be an object with `apiVersion` and `kind`");
    assert_snapshot!(resource_list(&format!("{ITEMS}- text\n")), @"istio-scrape: stdin (object 2) is a single value; every document and item must be an object with `apiVersion` and `kind`");
}

#[test]
fn an_item_without_kind() {
    assert_snapshot!(stream("kind: A\n---\nmetadata:\n  name: demo\n"), @"istio-scrape: stdin:3 (object 2, named demo) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(stream("kind: List\nitems:\n- kind: A\n- metadata: {name: demo}\n"), @"istio-scrape: stdin:4 (object 2, named demo) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    let item = "- metadata:\n    name: demo\n    annotations:\n      internal.config.kubernetes.io/path: web/a.yaml\n";
    assert_snapshot!(resource_list(&format!("{ITEMS}{item}")), @"istio-scrape: stdin (object 2, named demo, of web/a.yaml) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
}

#[test]
fn a_resource_list_without_items() {
    for items in ["", "items:\n", "items: []\n"] {
        let text = format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n{items}");
        let ended = run(&[], &text);
        assert_eq!(
            (ended.code, ended.stdout, ended.stderr.as_str()),
            (0, text, "")
        );
    }
    assert_snapshot!(resource_list("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: {}\n"), @"istio-scrape: stdin: `items` of the ResourceList is a map; it must be a list");
}

#[test]
fn keys_written_twice() {
    assert_snapshot!(stream("kind: A\nkind: B\n"), @"istio-scrape: stdin:1 (object 1): the key `kind` at line 2 is written twice in `/`; remove one of the two, or put `---` between two objects");
    assert_snapshot!(resource_list(&format!("{ITEMS}  metadata: {{name: other}}\n")), @"istio-scrape: stdin (object 1, named other): the key `metadata` is written twice in `/`; remove one of the two");
    // One number in two spellings is one key for kubectl.
    let policy = |key: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: web}}\nspec:\n  portLevelMtls:\n    8080: {{}}\n    {key}: {{}}\n"
        )
    };
    for same in ["8080", "\"8080\"", "0x1f90", "8_080", "017620"] {
        assert!(
            stream(&policy(same)).contains("is written twice in `/spec/portLevelMtls`"),
            "{same}"
        );
    }
    for other in ["8081", "\"0x1f90\"", "\"08080\""] {
        assert_eq!(run(&[], &policy(other)).code, 0, "{other}");
    }
    let elsewhere = "kind: A\nspec: {a: 1, a: 2}\n";
    assert_eq!(run(&[], elsewhere).stdout, elsewhere);
}

#[test]
fn a_bad_configuration() {
    let given = |spec: &str| {
        format!(
            "{ITEMS}functionConfig:\n  apiVersion: istio-scrape.dev/v1alpha1\n  kind: ScrapeTLS\n  spec: {spec}\n"
        )
    };
    assert_snapshot!(resource_list(&given("{mesh: {mod: STRICT}, failOn: info, context: {resources: [{kind: Service}]}, targets: {mixed: mix}}")), @r#"
    istio-scrape: the configuration in functionConfig is refused:
      spec.mesh.mod is no field (did you mean mode?); allowed here: rootNamespace, mode, excludeInboundPorts
      spec.failOn is "info"; allowed: error, warning, never
      spec.context.resources[0] is a map without apiVersion as text; allowed: an object with `apiVersion` and `kind`
      spec.targets.mixed is "mix"; allowed: relabel, keep, refuse
    "#);
    assert_snapshot!(resource_list(&given("{mode: check, mode: patch}")), @"
    istio-scrape: the configuration in functionConfig is refused:
      /spec/mode is written twice; remove one of the two
    ");
    assert_snapshot!(resource_list(&format!("{ITEMS}functionConfig: {{apiVersion: v1, kind: Secret}}\n")), @"istio-scrape: functionConfig is no configuration of this function: it is kind Secret (apiVersion v1); give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)");
    assert_snapshot!(resource_list(&format!("{ITEMS}functionConfig: {{apiVersion: istio-scrape.dev/v1alpha1, kind: MeshMetrics, spec: [a]}}\n")), @"
    istio-scrape: the configuration in functionConfig is refused:
      spec is a list; allowed: a map of fields
    ");
}

#[test]
fn two_configurations() {
    let config =
        "---\napiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {name: one}\n";
    assert_snapshot!(stream(&format!("kind: A\n{config}{config}")), @"istio-scrape: two objects of kind ScrapeTLS are among the inputs, stdin:3 (object 2, named one) and stdin:7 (object 3, named one); remove one of them, or name the one that counts with --config");
}

#[test]
fn brackets_without_end() {
    let nested = format!(
        "kind: A\nspec: {}{}\n",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_snapshot!(stream(&nested), @"istio-scrape: stdin: line 2, column 262: nested deeper than 255 levels; flatten the lists and maps around it");
    assert_snapshot!(stream(&"[".repeat(200_000)), @"istio-scrape: stdin: line 1, column 256: nested deeper than 255 levels; flatten the lists and maps around it");
    assert_snapshot!(stream(&"- ".repeat(200_000)), @"istio-scrape: stdin: line 1, column 511: nested deeper than 255 levels; flatten the lists and maps around it");
}

/// Nine lists of nine aliases each: 9^9 values.
fn bomb(indent: &str) -> String {
    let levels = ('a'..='i').zip(std::iter::once('_').chain('a'..='h'));
    levels
        .map(|(name, below)| {
            let elements = match below {
                '_' => ["x"; 9].join(", "),
                below => vec![format!("*{below}"); 9].join(", "),
            };
            format!("{indent}{name}: &{name} [{elements}]\n")
        })
        .collect()
}

#[test]
fn an_alias_bomb() {
    let passed_on = format!("kind: A\nspec:\n{}", bomb("  "));
    assert_eq!(run(&[], &passed_on).stdout, passed_on);
    let config =
        "functionConfig:\n  apiVersion: istio-scrape.dev/v1alpha1\n  kind: ScrapeTLS\n  spec:\n";
    assert_snapshot!(resource_list(&format!("{ITEMS}{config}{}", bomb("    "))), @"istio-scrape: the configuration in functionConfig cannot be read: the aliases here stand for more than 100000 values; write the values out or refer less");
    assert_snapshot!(stream(&format!("{}<<: *i\n", bomb(""))), @"istio-scrape: stdin:1 (object 1) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
}

#[test]
fn mixed_forms() {
    assert_snapshot!(stream(&format!("{ITEMS}---\nkind: A\n")), @"istio-scrape: stdin holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config");
    let folder = program::folder(&[("a.yaml", "kind: A\n")]);
    let mixed = ended(
        program(&["a.yaml", "-"]).current_dir(&folder),
        ITEMS.as_bytes(),
    );
    assert_snapshot!(nothing_lost(mixed), @"istio-scrape: stdin holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config");
}

/// Colours, returns and turned text in names reach neither stderr nor a table as what they are.
#[test]
fn names_steer_no_terminal() {
    let name = r#""\e[31m\u202e\r""#;
    let nameless = format!("metadata: {{name: {name}}}\n");
    let pod = format!(
        "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMPodScrape\nmetadata: {{name: {name}, namespace: a}}\n\
         spec: {{selector: {{}}, podMetricsEndpoints: [{{port: {name}}}]}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a}}\n\
         spec: {{containers: [{{name: a, ports: [{{name: {name}, containerPort: 80}}]}}]}}\n"
    );
    for (arguments, text) in [(&[][..], &nameless), (&[], &pod), (&["explain"], &pod)] {
        let ended = run(arguments, text);
        let told = match arguments {
            [] => ended.stderr.clone(),
            _ => ended.stdout.clone() + &ended.stderr,
        };
        assert!(told.contains("[31m"), "{ended}");
        assert!(!told.contains(['\u{1b}', '\u{202e}', '\r']), "{ended}");
    }
}

/// Every value that may decide is a long list, repeated for each decision.
#[test]
fn values_read_differently_are_named_up_to_ten_times() {
    let policies: String = (0..30)
        .map(|number| {
            format!(
                "---\napiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\n\
                 metadata: {{name: p{number}, namespace: a}}\nspec: {{environmentVariables: {{X: y}}}}\n"
            )
        })
        .collect();
    let ended = run(&[], &policies);
    assert_eq!(ended.code, 0, "{ended}");
    let told = ended
        .stderr
        .lines()
        .filter(|line| line.contains("and 20 more"));
    assert!(told.count() > 0, "{ended}");
    assert!(
        ended.stderr.lines().all(|line| line.len() < 2_000),
        "{ended}"
    );
}
