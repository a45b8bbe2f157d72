//! Facts from outside the build: which files are read, which are refused, and what comes of them.

#![allow(unreachable_pub, missing_docs, dead_code)]

#[path = "support/program.rs"]
mod program;

use std::path::Path;

use insta::assert_snapshot;
use program::{Ended, ended, folder, program, run, run_in};
use serde_json::Value;
use tempfile::TempDir;

const STRICT: &str = "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
";

const SHOP: &str = "apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMPodScrape
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  podMetricsEndpoints:
  - port: http
";

fn config(files: &str) -> String {
    format!(
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {{name: config}}\nspec: {{context: {{files: {files}}}}}\n"
    )
}

/// `shop/app.yaml` with these files besides, and the rules of the decisions that a run in `shop` makes of it.
fn built(files: &str, others: &[(&str, &str)]) -> TempDir {
    let config = config(files);
    let mut all = vec![("shop/app.yaml", SHOP), ("shop/config.yaml", &config)];
    all.extend(others);
    folder(&all)
}

fn explained(root: &TempDir, from: &str) -> Ended {
    run_in(
        &root.path().join(from),
        &[
            "explain",
            "-o",
            "json",
            "--config",
            "config.yaml",
            "app.yaml",
        ],
    )
}

/// `rule object file:line` of each decision.
fn decisions(ended: &Ended) -> Vec<String> {
    assert_eq!(ended.code, 0, "{ended}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("the report is JSON");
    let decisions = report["decisions"]
        .as_array()
        .expect("decisions are a list");
    decisions
        .iter()
        .map(|decision| {
            let location = &decision["location"];
            format!(
                "{} {} {}:{}",
                decision["rule"].as_str().unwrap_or_default(),
                decision["object"]["name"].as_str().unwrap_or_default(),
                location["file"].as_str().unwrap_or_default(),
                location["line"],
            )
        })
        .collect()
}

#[track_caller]
fn decided(rules: &[String], wanted: &str) {
    assert!(rules.iter().any(|rule| rule == wanted), "{rules:#?}");
}

/// What a refused run says, without the folder of this test.
fn refused(root: &TempDir, ended: Ended) -> String {
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    let path = root.path().canonicalize().expect("the folder is there");
    ended
        .stderr
        .replace(&path.display().to_string(), "/repo")
        .replace(&root.path().display().to_string(), "/repo")
}

fn plain_run(root: &TempDir) -> Ended {
    run_in(
        &root.path().join("shop"),
        &["--config", "config.yaml", "app.yaml"],
    )
}

#[test]
fn a_file_and_a_folder_decide_and_never_go_out() {
    for (files, name, text) in [
        ("[mesh.yaml]", "shop/mesh.yaml", STRICT),
        ("[mesh]", "shop/mesh/a/policy.yml", STRICT),
        (
            "[./mesh/]",
            "shop/mesh/list.json",
            r#"{"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "security.istio.io/v1beta1",
            "kind": "PeerAuthentication", "metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}}]}"#,
        ),
    ] {
        let root = built(files, &[(name, text)]);
        let rules = decisions(&explained(&root, "shop"));
        decided(&rules, "strict-needs-tls web app.yaml:19");
        let ended = plain_run(&root);
        assert_eq!(ended.code, 0, "{ended}");
        assert!(
            ended.stdout.contains("scheme: https") && !ended.stdout.contains("PeerAuthentication"),
            "{ended}"
        );
    }
    let root = built("[]", &[]);
    let rules = decisions(&explained(&root, "shop"));
    decided(&rules, "already-right web app.yaml:19");
}

#[test]
fn the_input_counts_before_the_context() {
    let permissive = STRICT
        .replace("STRICT", "PERMISSIVE")
        .replace("/v1\n", "/v1beta1\n");
    let root = built(
        "[mesh.yaml]",
        &[("shop/mesh.yaml", STRICT), ("shop/own.yaml", &permissive)],
    );
    let ended = run_in(
        &root.path().join("shop"),
        &[
            "explain",
            "-o",
            "json",
            "--config",
            "config.yaml",
            "app.yaml",
            "own.yaml",
        ],
    );
    let rules = decisions(&ended);
    decided(&rules, "already-right web app.yaml:19");
    assert!(!rules.iter().any(|rule| rule.starts_with("policy-order")));
}

#[test]
fn what_is_decided_about_the_context_has_its_place() {
    let bad = STRICT.replace("STRICT", "STRICKT");
    let root = built(
        "[mesh]",
        &[("shop/mesh/policy.yaml", &format!("# a mesh\n{bad}"))],
    );
    let rules = decisions(&explained(&root, "shop"));
    decided(&rules, "policy-is-invalid default mesh/policy.yaml:2");
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let namespace_less = STRICT.replace(", namespace: istio-system", "");
    let root = built(
        "[mesh, mesh/a.yaml, ../shop/mesh/a.yaml]",
        &[("shop/mesh/a.yaml", &namespace_less)],
    );
    let rules = decisions(&explained(&root, "shop"));
    let assumed = rules
        .iter()
        .filter(|rule| rule.starts_with("namespace-assumed default"));
    assert_eq!(assumed.count(), 1, "{rules:?}");
}

#[test]
fn a_missing_file() {
    let root = built("[mesh.yaml]", &[]);
    assert_snapshot!(refused(&root, plain_run(&root)), @"istio-scrape: context.files: mesh.yaml: there is no such file or directory in /repo/shop; check the path (context.files works for exec functions and on the command line; a container sees no files: use context.resources there)");
    let ended = ended(
        program(&["--config", "config.yaml", "app.yaml"])
            .current_dir(root.path().join("shop"))
            .env("ISTIO_SCRAPE_CONTEXT_ROOT", root.path()),
        b"",
    );
    assert_snapshot!(refused(&root, ended), @"istio-scrape: context.files: mesh.yaml: there is no such file or directory in /repo/shop or /repo; check the path (context.files works for exec functions and on the command line; a container sees no files: use context.resources there)");
}

#[test]
fn a_path_that_leaves_the_root() {
    let root = built("[../mesh.yaml]", &[("mesh.yaml", STRICT)]);
    assert_snapshot!(refused(&root, plain_run(&root)), @"istio-scrape: context.files: ../mesh.yaml is /repo/mesh.yaml, which is not below /repo/shop, the working directory; move it there, or set ISTIO_SCRAPE_CONTEXT_ROOT to a folder above it");
    let absolute = root.path().join("mesh.yaml");
    let root = built(&format!("[{}]", absolute.display()), &[]);
    assert!(
        refused(&root, plain_run(&root)).contains("not below /repo/shop, the working directory")
    );
}

#[test]
fn the_root_can_be_named() {
    for (from, name) in [
        ("shop", "../mesh"),
        ("shop", "mesh"),
        ("shop", "shop/../mesh/policy.yaml"),
    ] {
        let root = built(
            &format!("[{name}]"),
            &[("mesh/policy.yaml", STRICT), ("else/a", "")],
        );
        let run = |allowed: &Path| {
            ended(
                program(&[
                    "explain",
                    "-o",
                    "json",
                    "--config",
                    "config.yaml",
                    "app.yaml",
                ])
                .current_dir(root.path().join(from))
                .env("ISTIO_SCRAPE_CONTEXT_ROOT", allowed),
                b"",
            )
        };
        for allowed in [root.path(), Path::new("..")] {
            let rules = decisions(&run(allowed));
            decided(&rules, "strict-needs-tls web app.yaml:19");
        }
        let elsewhere = refused(&root, run(&root.path().join("else")));
        assert!(elsewhere.contains("/repo/else"), "{elsewhere}");
    }
    let root = built("[mesh.yaml]", &[("shop/mesh.yaml", STRICT)]);
    let wrong = |allowed: &str| {
        let ended = ended(
            program(&["--config", "config.yaml", "app.yaml"])
                .current_dir(root.path().join("shop"))
                .env("ISTIO_SCRAPE_CONTEXT_ROOT", allowed),
            b"",
        );
        refused(&root, ended)
    };
    assert_snapshot!(wrong("../nowhere"), @"istio-scrape: context.files: ISTIO_SCRAPE_CONTEXT_ROOT is ../nowhere, which cannot be used: No such file or directory (os error 2); name a folder");
    assert_snapshot!(wrong("app.yaml"), @"istio-scrape: context.files: ISTIO_SCRAPE_CONTEXT_ROOT is app.yaml, which cannot be used: not a directory; name a folder");
}

#[cfg(unix)]
#[test]
fn links_count_as_what_they_lead_to() {
    use std::os::unix::fs::symlink;
    let root = built(
        "[mesh/policy.yaml]",
        &[
            ("mesh.yaml", STRICT),
            ("shop/real.yaml", STRICT),
            ("shop/mesh/a.yaml", ""),
        ],
    );
    let link = root.path().join("shop/mesh/policy.yaml");
    symlink("../real.yaml", &link).expect("the folder is ours");
    let rules = decisions(&explained(&root, "shop"));
    decided(&rules, "strict-needs-tls web app.yaml:19");
    std::fs::remove_file(&link).expect("the link is ours");
    symlink("../../mesh.yaml", &link).expect("the folder is ours");
    assert_snapshot!(refused(&root, plain_run(&root)), @"istio-scrape: context.files: mesh/policy.yaml is /repo/mesh.yaml, which is not below /repo/shop, the working directory; move it there, or set ISTIO_SCRAPE_CONTEXT_ROOT to a folder above it");
    // The same among the files of a folder.
    std::fs::write(root.path().join("shop/config.yaml"), config("[mesh]"))
        .expect("the file is ours");
    let said = refused(&root, plain_run(&root));
    assert!(
        said.contains("mesh/policy.yaml is /repo/mesh.yaml, which is not below /repo/shop"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_read() {
    let said = |files: &str, others: &[(&str, &str)]| {
        let root = built(files, others);
        refused(&root, plain_run(&root))
    };
    assert_snapshot!(said("[mesh]", &[("shop/mesh/a.yaml", "kind: [")]), @"istio-scrape: context: mesh/a.yaml: line 1, column 7: not valid YAML, unclosed bracket '['; correct the text there");
    assert_snapshot!(said("[mesh.yaml]", &[("shop/mesh.yaml", "a: 1\n")]), @"istio-scrape: context: mesh.yaml:1 (object 1) has no `kind`; add `apiVersion` and `kind`, or remove it from the input");
    assert_snapshot!(said("[mesh.yaml]", &[("shop/mesh.yaml", "")]), @"istio-scrape: context: mesh.yaml is empty; check the command or file that it comes from (an empty `items: []` is allowed)");
    assert_snapshot!(said("[mesh]", &[("shop/mesh/README.md", ""), ("shop/mesh/.git/a.yaml", "")]), @"
    istio-scrape: context.files: no *.yaml, *.yml or *.json to read in mesh; name another directory, or files
      mesh/.git: hidden, skipped
    ");
    assert_snapshot!(said("[mesh]", &[("shop/mesh/Chart.yaml", ""), ("shop/mesh/templates/a.yaml", "{{")]), @"
    istio-scrape: context.files: no *.yaml, *.yml or *.json to read in mesh; name another directory, or files
      mesh: Helm chart, skipped; for its objects run `helm template mesh | istio-scrape`
    ");
    assert_snapshot!(said("[app.yaml/mesh]", &[]), @"istio-scrape: context.files: app.yaml/mesh: Not a directory (os error 20); check the path and its permissions");
    let root = built("[mesh.yaml]", &[]);
    std::fs::write(root.path().join("shop/mesh.yaml"), b"kind: A\nname: \xff\n")
        .expect("the file is ours");
    assert_snapshot!(refused(&root, plain_run(&root)), @"istio-scrape: context.files: mesh.yaml: the byte at offset 14 (line 2) is not UTF-8; save the text as UTF-8");
}

#[test]
fn folders_are_walked_as_inputs_are() {
    let root = built(
        "[mesh]",
        &[
            (
                "shop/mesh/kustomization.yaml",
                "resources: [policy.yaml]\npatches: [{path: patch.yaml}]\n",
            ),
            ("shop/mesh/policy.yaml", STRICT),
            ("shop/mesh/patch.yaml", &STRICT.replace("STRICT", "DISABLE")),
            ("shop/mesh/values.yaml", "a: 1\n"),
            ("shop/mesh/chart/Chart.yaml", ""),
            ("shop/mesh/fn/config.yaml", &config("[nowhere]")),
            (
                "shop/mesh/fn/metrics.yaml",
                "apiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\nmetadata: {name: mesh}\n",
            ),
        ],
    );
    let ended = explained(&root, "shop");
    assert_snapshot!(ended.stderr, @"
    mesh/chart: Helm chart, skipped; for its objects run `helm template mesh/chart | istio-scrape`
    mesh: kustomization, read but not built; for what it builds run `kustomize build mesh | istio-scrape`
    mesh/values.yaml:1 (object 1): skipped, it is no object with `kind`
    mesh/fn/config.yaml:1 (object 1, named config): ignored, ScrapeTLS in the context is no configuration
    mesh/fn/metrics.yaml:1 (object 1, named mesh): ignored, MeshMetrics in the context is no configuration
    ");
    let rules = decisions(&ended);
    decided(&rules, "strict-needs-tls web app.yaml:19");
    assert!(!rules.iter().any(|rule| rule.starts_with("policy-order")));
}

#[test]
fn a_resource_list_comes_back_unchanged() {
    let text = "apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  data: {context.files: 'nowhere.yaml, mesh'}
items:
- apiVersion: v1
  kind: Service # kept
  metadata: {name: web}
";
    let ended = run(&[], text);
    assert_eq!(ended.code, 2, "{ended}");
    let added = ended
        .stdout
        .strip_prefix(text)
        .expect("the input comes back");
    assert!(added.starts_with("results:\n- message: "), "{ended}");
    assert!(
        added.contains("context.files: nowhere.yaml: there is no such file"),
        "{ended}"
    );
    assert!(added.ends_with("  severity: error\n"), "{ended}");
}

#[test]
fn a_report_overwrites_no_context() {
    let root = built("[nowhere.yaml, mesh.yaml]", &[("shop/mesh.yaml", STRICT)]);
    let shop = root.path().join("shop");
    let ended = run_in(
        &shop,
        &[
            "--config",
            "config.yaml",
            "--report",
            "mesh.yaml",
            "app.yaml",
        ],
    );
    assert_snapshot!(refused(&root, ended), @"istio-scrape: mesh.yaml: the report would overwrite what is read; name another file");
    let kept = std::fs::read_to_string(shop.join("mesh.yaml")).expect("it is there");
    assert_eq!(kept, STRICT);
}

#[test]
fn text_is_read_as_the_reader_of_the_input_reads_it() {
    // For kubectl `yes` is true, and no label; for kustomize it is a text.
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: vm, labels: {team: yes}}\n";
    let config = "apiVersion: v1\nkind: ConfigMap\ndata: {context.files: mesh.yaml}\n";
    let root = folder(&[("mesh.yaml", namespace), ("config.yaml", config)]);
    let said = |input: &str| {
        let ended = ended(
            program(&["explain", "-o", "json", "--config", "config.yaml"]).current_dir(root.path()),
            input.as_bytes(),
        );
        decisions(&ended)
    };
    let stream = said("kind: A\n");
    assert!(
        stream.contains(&"not-understood vm mesh.yaml:3".to_owned()),
        "{stream:?}"
    );
    let list = said("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n");
    assert!(
        !list.iter().any(|rule| rule.starts_with("not-understood")),
        "{list:?}"
    );
}

#[test]
fn inline_resources_have_the_place_of_the_configuration() {
    let spec = "{context: {resources: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}, {apiVersion: v1, kind: Service, metadata: []}]}}";
    let config = format!(
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {{name: config}}\nspec: {spec}\n"
    );
    let root = folder(&[("config.yaml", &config), ("app.yaml", "kind: A\n")]);
    let place = |arguments: &[&str]| {
        let ended = run_in(
            root.path(),
            &[&["explain", "-o", "json"], arguments].concat(),
        );
        let report: Value = serde_json::from_str(&ended.stdout).expect("the report is JSON");
        report["decisions"][0]["location"].to_string()
    };
    let inline = r#"{"file":"config.yaml","index":1,"line":null}"#;
    assert_eq!(place(&["--config", "config.yaml", "app.yaml"]), inline);
    assert_eq!(place(&["app.yaml", "config.yaml"]), inline);
    let said = run_in(root.path(), &["--config", "config.yaml", "app.yaml"]);
    assert_snapshot!(said.stderr, @"
    warning[not-understood]: expected a map, found a list
      --> Service default/ /metadata (config.yaml)
    istio-scrape: no changes, 1 warning
    ");
}

#[test]
fn whatever_text_is_in_an_inline_resource_can_be_read_again() {
    let odd = r#""\x7f\u2028\u0085\ufeff\0 \t: # \U0001F600 \\""#;
    let key = "k".repeat(300);
    let input = format!(
        "apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: istio-scrape.dev/v1alpha1
  kind: ScrapeTLS
  spec: {{context: {{resources: [{{apiVersion: v1, kind: ConfigMap, data: {{a: {odd}, {key}: b}}}}]}}}}
items: []
"
    );
    let ended = run(&[], &input);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended}");
}
