//! `istio-scrape check`, and `mode: check` of the function: what they say, and with which exit code.

#![allow(unreachable_pub, missing_docs)]

#[path = "support/program.rs"]
mod program;
mod support;

use insta::assert_snapshot;
use istio_scrape::config::FailOn;
use istio_scrape::krm::Source;
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{CheckFormat, Flags};
use program::{Ended, ended, folder, program, run, run_in};
use serde_json::{Value, json};
use support::inputs::{Written, at_once, written};

fn case(name: &str) -> String {
    support::read(&format!("testdata/{name}/input.yaml"))
}

fn config(spec: &str) -> String {
    format!(
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nmetadata: {{name: config}}\nspec: {spec}\n"
    )
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn pending_changes_are_named_with_what_to_do_until_they_are_made() {
    let input = case("strict-needs-tls--guide");
    let files = folder(&[("guide.yaml", &input)]);
    assert_snapshot!(run_in(files.path(), &["check", "guide.yaml"]), @"
    exit code 1
    stdout:
    pending[scraper-needs-certificates]: endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in /etc/istio-certs
      --> VMAgent vm/demo /spec (guide.yaml:80)
    pending[strict-needs-tls]: only mutual TLS gets through (PeerAuthentication istio-system/default: STRICT): https, with the certificates in /etc/istio-certs
      --> VMServiceScrape default/demo-app-service-scrape /spec/endpoints/0 (guide.yaml:93)
    2 changes are pending: run istio-scrape, or write its Component again with istio-scrape patches

    stderr:
    ");
    let patched = run(&[], &input).stdout;
    assert_snapshot!(run(&["check"], &patched), @"
    exit code 0
    stdout:
    everything is in place: 1 endpoint, no pending change

    stderr:
    ");
}

#[test]
fn findings_that_fail_stand_first_and_others_are_not_hidden() {
    let input = case("strict-needs-tls--static-three-spellings");
    let patched = run(&[], &input).stdout;
    assert_snapshot!(run(&["check"], &patched), @"
    exit code 0
    stdout:
    warning[target-unknown]: left as it is, because 10.11.12.13:9100 is an IP address: which pods answer there is not in the input
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/2 (line 48)
    warning[target-unknown]: left as it is, because metrics.partner.example.org:80 is no name of a Service
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/3 (line 48)
    warning[target-unknown]: left as it is, because 192.0.2.7:8080 is an IP address: which pods answer there is not in the input
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/4 (line 49)
    warning[target-unknown]: left as it is, because Service apps/web has no port for web.apps.svc:9999
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/5 (line 49)
    nothing fails: 6 endpoints, no pending change, 4 warnings (failOn error)

    stderr:
    ");
    assert_snapshot!(run(&["check", "--fail-on", "warning"], &patched), @"
    exit code 1
    stdout:
    warning[target-unknown]: left as it is, because 10.11.12.13:9100 is an IP address: which pods answer there is not in the input
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/2 (line 48)
    warning[target-unknown]: left as it is, because metrics.partner.example.org:80 is no name of a Service
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/3 (line 48)
    warning[target-unknown]: left as it is, because 192.0.2.7:8080 is an IP address: which pods answer there is not in the input
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/4 (line 49)
    warning[target-unknown]: left as it is, because Service apps/web has no port for web.apps.svc:9999
      --> VMStaticScrape obs/legacy /spec/targetEndpoints/5 (line 49)
    4 findings reach --fail-on warning: do what each says

    stderr:
    ");
    assert_snapshot!(last_line(&run(&["check", "--fail-on", "warning"], &input).stdout), @"3 changes are pending: run istio-scrape, or write its Component again with istio-scrape patches; 4 findings reach --fail-on warning: do what each says");
}

#[test]
fn nothing_to_check_is_said() {
    assert_snapshot!(run(&["check"], "kind: A\n"), @"
    exit code 0
    stdout:
    nothing to check: no endpoints in the input, and no scraper of which anything is asked

    stderr:
    ");
}

/// A check of the wrong file must not pass for one that found nothing.
#[test]
fn configuration_alone_is_nothing_that_could_be_in_place() {
    let ended = run(&["check"], &config("{}"));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    assert!(
        ended.stderr.contains("nothing but configuration"),
        "{ended}"
    );
}

/// Exit codes: what fails, by verdict and severity, by flag and by configuration.
#[test]
fn exit_codes() {
    let pending = case("strict-needs-tls--guide");
    let warnings = run(&[], &case("strict-needs-tls--static-three-spellings")).stdout;
    let refused = case("target-unknown--refused-by-configuration");
    let refusing = support::read("testdata/target-unknown--refused-by-configuration/config.yaml");
    let right = run(&[], &pending).stdout;
    let exit = |input: &str, config: &str, arguments: &[&str]| {
        let files = folder(&[("config.yaml", config)]);
        let mut all = vec!["check", "--config", "config.yaml"];
        all.extend(arguments);
        let found = ended(program(&all).current_dir(&files), input.as_bytes());
        assert_eq!(found.stdout.is_empty(), found.code == 2, "{found}");
        found.code
    };
    let (nothing, strict, lax) = (
        config("{}"),
        config("{failOn: warning}"),
        config("{failOn: never}"),
    );
    let is_error = config("{severity: {strict-needs-tls: error}}");
    let [warning, error, never] = ["warning", "error", "never"].map(|level| ["--fail-on", level]);
    for (what, input, config, arguments, expected) in [
        ("all right", &right, &nothing, &[][..], 0),
        ("all right", &right, &strict, &warning, 0),
        ("pending", &pending, &nothing, &[], 1),
        ("pending", &pending, &nothing, &never, 1),
        ("pending", &pending, &lax, &[], 1),
        ("pending and an error", &pending, &is_error, &[], 1),
        ("warnings", &warnings, &nothing, &[], 0),
        ("warnings", &warnings, &nothing, &warning, 1),
        ("warnings", &warnings, &strict, &[], 1),
        ("warnings", &warnings, &strict, &error, 0),
        ("warnings", &warnings, &strict, &never, 0),
        ("warnings", &warnings, &lax, &warning, 1),
        ("refused", &refused, &refusing, &[], 1),
        ("refused", &refused, &refusing, &never, 0),
        (
            "a wrong setting",
            &right,
            &config("{failOn: often}"),
            &[],
            2,
        ),
        ("no YAML", &"a: [".to_owned(), &nothing, &[], 2),
    ] {
        let found = exit(input, config, arguments);
        assert_eq!(found, expected, "{what}, {arguments:?} and\n{config}");
        // The format makes no difference.
        for format in ["json", "sarif"] {
            let arguments = [arguments, &["-o", format]].concat();
            assert_eq!(
                exit(input, config, &arguments),
                expected,
                "{what}, {format}"
            );
        }
    }
    assert_eq!(run(&["check", "--fail-on", "info"], &right).code, 2);
}

#[test]
fn a_change_that_somebody_keeps_quiet_is_pending_all_the_same() {
    let quiet =
        config("{severity: {strict-needs-tls: \"off\", scraper-needs-certificates: \"off\"}}");
    let files = folder(&[("config.yaml", &quiet)]);
    let input = case("strict-needs-tls--guide");
    let found = ended(
        program(&["check", "--config", "config.yaml"]).current_dir(&files),
        input.as_bytes(),
    );
    assert_eq!(found.code, 1, "{found}");
    assert!(
        found.stdout.contains("pending[strict-needs-tls]"),
        "{found}"
    );
}

#[test]
fn the_json_is_that_of_explain() {
    let input = case("strict-needs-tls--guide");
    let (checked, explained) = (
        run(&["check", "-o", "json"], &input),
        run(&["explain", "-o", "json"], &input),
    );
    assert_eq!(checked.stdout, explained.stdout);
    assert_eq!((checked.code, explained.code), (1, 0));
    // Whoever reads the log of a build sees why it failed.
    assert_snapshot!(checked.stderr, @"istio-scrape: 2 changes are pending: run istio-scrape, or write its Component again with istio-scrape patches");
}

#[test]
fn colour_is_for_terminals() {
    let input = case("strict-needs-tls--guide");
    let coloured = ended(
        program(&["check"]).env("CLICOLOR_FORCE", "1"),
        input.as_bytes(),
    );
    assert!(coloured.stdout.contains('\u{1b}'), "{coloured}");
    assert!(!run(&["check"], &input).stdout.contains('\u{1b}'));
}

#[test]
fn a_kustomization_is_to_be_built_first() {
    let files = folder(&[
        ("apps/web/kustomization.yaml", "resources: [a.yaml]\n"),
        ("apps/web/a.yaml", "kind: A\n"),
        ("plain/a.yaml", "kind: A\n"),
    ]);
    assert_snapshot!(run_in(files.path(), &["check", "plain", "apps"]), @"
    exit code 2
    stdout:

    stderr:
    istio-scrape: apps/web has a kustomization, whose files are not yet what is applied; run `kustomize build apps/web | istio-scrape check`
    ");
    let inside = files.path().join("apps/web");
    for input in [".", "kustomization.yaml"] {
        let refused = run_in(&inside, &["check", input]);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
        assert!(
            refused
                .stderr
                .contains("`kustomize build . | istio-scrape check`"),
            "{refused}"
        );
    }
    assert_eq!(run_in(files.path(), &["check", "plain"]).code, 0);
    // The others read such folders and say so.
    assert_eq!(run_in(files.path(), &["explain", "apps"]).code, 0);
}

#[test]
fn files_are_named_as_the_hosts_name_them() {
    let input = case("strict-needs-tls--guide");
    let commented = input.replace(
        "---\napiVersion: operator.victoriametrics.com",
        "---\n# Source: shop/templates/scrape.yaml\napiVersion: operator.victoriametrics.com",
    );
    assert_ne!(input, commented);
    let places = |found: &Ended| -> Vec<String> {
        let lines = found.stdout.lines();
        let places = lines.filter_map(|line| line.strip_prefix("  --> "));
        places.map(str::to_owned).collect()
    };
    assert_eq!(
        places(&run(&["check"], &commented)),
        [
            "VMAgent vm/demo /spec (shop/templates/scrape.yaml)",
            "VMServiceScrape default/demo-app-service-scrape /spec/endpoints/0 (shop/templates/scrape.yaml)",
        ]
    );
    let report = run(&["check", "-o", "json"], &commented).stdout;
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");
    let location = json!({"file": "shop/templates/scrape.yaml", "index": 0, "line": null});
    let pending = |decision: &&Value| decision["verdict"] == "patch";
    let decisions = report["decisions"].as_array().expect("decisions");
    let pending: Vec<_> = decisions.iter().filter(pending).collect();
    assert_eq!(pending.len(), 2);
    assert!(
        pending.iter().all(|one| one["location"] == location),
        "{report:#}"
    );
}

#[test]
fn a_resource_list_from_stdin_has_no_lines_that_anybody_could_look_up() {
    let list = support::read("testdata/strict-needs-tls--check-mode-in-a-resource-list/input.yaml");
    let found = run(&["check"], &list);
    assert_eq!(found.code, 1, "{found}");
    assert!(
        found.stdout.contains("  --> ") && !found.stdout.contains("line"),
        "{found}"
    );
    let report: Value =
        serde_json::from_str(&run(&["explain", "-o", "json"], &list).stdout).expect("JSON");
    for decision in report["decisions"].as_array().expect("decisions") {
        assert_eq!(decision["location"]["file"], "-");
        assert_eq!(decision["location"]["line"], Value::Null);
    }
    let files = folder(&[("list.yaml", &list)]);
    let found = run_in(files.path(), &["check", "list.yaml"]);
    assert!(found.stdout.contains("(list.yaml:"), "{found}");
}

#[test]
fn mode_check_says_what_check_says() {
    let input = case("strict-needs-tls--guide");
    let files = folder(&[("check.yaml", &config("{mode: check}"))]);
    let plain = |input: &str| {
        ended(
            program(&["--config", "check.yaml"]).current_dir(&files),
            input.as_bytes(),
        )
    };
    assert_snapshot!(plain(&input), @r#"
    exit code 1
    stdout:

    stderr:
    pending[scraper-needs-certificates]: endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in /etc/istio-certs
      --> VMAgent vm/demo /spec (line 80)
    info[namespace-assumed]: no metadata.namespace: taken as "default"
      --> VMServiceScrape default/demo-app-service-scrape /metadata/namespace (line 84)
    pending[strict-needs-tls]: only mutual TLS gets through (PeerAuthentication istio-system/default: STRICT): https, with the certificates in /etc/istio-certs
      --> VMServiceScrape default/demo-app-service-scrape /spec/endpoints/0 (line 93)
    istio-scrape: nothing was changed, since mode is "check"; 2 changes are pending: run istio-scrape, or write its Component again with istio-scrape patches
    "#);
    let patched = run(&[], &input).stdout;
    let found = plain(&patched);
    assert_eq!((found.code, found.stdout.as_str()), (0, patched.as_str()));
    assert_snapshot!(found.stderr, @r#"
    info[namespace-assumed]: no metadata.namespace: taken as "default"
      --> VMServiceScrape default/demo-app-service-scrape /metadata/namespace (line 98)
    istio-scrape: everything is in place: 1 endpoint, no pending change
    "#);
}

#[test]
fn a_plain_run_that_fails_says_why() {
    let input = case("target-unknown--refused-by-configuration");
    let refusing = "testdata/target-unknown--refused-by-configuration/config.yaml";
    assert_snapshot!(last_line(&run(&["--config", refusing], &input).stderr), @"istio-scrape: nothing was changed; 1 finding reaches failOn error: do what it says");
}

/// A ResourceList with these items and configuration, as a host sends it.
fn resource_list(input: &str, config: &Value) -> String {
    let documents = yaml::read(input).expect("the input is YAML");
    let roots = documents
        .iter()
        .filter_map(|document| document.root.as_ref());
    let items: Vec<Value> = roots
        .filter_map(|root| root.value(Rules::Kubectl).ok())
        .flat_map(|value| match value["kind"].as_str() {
            Some("List" | "ResourceList") => value["items"].as_array().cloned().unwrap_or_default(),
            _ => vec![value],
        })
        .filter(|value| value["kind"] != "ScrapeTLS")
        .collect();
    json!({
        "apiVersion": "config.kubernetes.io/v1",
        "kind": "ResourceList",
        "items": items,
        "functionConfig": config,
    })
    .to_string()
}

/// What somebody configured, with these settings besides.
fn settings(written: &Written, more: &[(&str, &str)]) -> Value {
    let given = written.config.as_deref().and_then(|text| {
        let documents = yaml::read(text).expect("a configuration is YAML");
        let root = documents.first()?.root.as_ref()?;
        root.value(Rules::Kustomize).ok()
    });
    let given = given.filter(|config| config["kind"] == "ScrapeTLS");
    let mut config = given.unwrap_or_else(|| {
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS", "metadata": {"name": "fn"}})
    });
    if !config["spec"].is_object() {
        config["spec"] = json!({});
    }
    for (key, value) in more {
        config["spec"][key] = json!(value);
    }
    config
}

/// Results, stderr and exit code of the function in `mode: check` agree with the command, on every input we have; one
/// half of them under one `failOn`, the other half under another.
#[test]
fn the_function_in_mode_check_agrees_with_the_command() {
    let all = written("`mode: check` against the command on the corpus");
    let failed = at_once(&all, |written| {
        let (level, fail_on) = match written.name.len() % 2 {
            0 => ("warning", FailOn::Warning),
            _ => ("never", FailOn::Never),
        };
        let config = settings(written, &[("mode", "check"), ("failOn", level)]);
        let list = [Source::named("-", resource_list(&written.text, &config))];
        let flags = Flags {
            without_report: true,
            ..Flags::default()
        };
        let run = istio_scrape::run(&list, &flags).ok()?;
        let check = istio_scrape::check(&list, &flags, Some(fail_on), CheckFormat::Table, false)
            .expect("what a run can read, a check can");
        let name = format!("{} with failOn {level}", written.name);
        assert_eq!(run.exit, check.exit, "{name}");
        // Every place that the command names is on stderr too.
        for place in check.text.lines().filter(|line| line.starts_with("  --> ")) {
            let there = run.messages.iter().any(|line| line == place);
            // Warnings that fail nothing are counted behind the first few.
            let cut = || {
                run.messages
                    .iter()
                    .any(|line| line.starts_with("  --> and "))
            };
            assert!(
                there || cut(),
                "{name}: {place}\n{}",
                run.messages.join("\n")
            );
        }
        // And the results say in their way whether the run failed.
        let output = run.text().expect("a ResourceList comes back");
        let output: Value = serde_json::from_str(&output).expect("JSON stays JSON");
        let input: Value = serde_json::from_str(&list[0].text).expect("it was printed");
        assert_eq!(output["items"], input["items"], "{name}");
        let results = output["results"].as_array().cloned().unwrap_or_default();
        let has = |severity: &str| results.iter().any(|result| result["severity"] == severity);
        match fail_on {
            FailOn::Warning => {
                assert_eq!(
                    has("error") || has("warning"),
                    run.exit == 1,
                    "{name}: {results:#?}"
                );
            }
            // Then errors are findings that nobody wants to fail on.
            _ => assert!(run.exit == 0 || has("error"), "{name}: {results:#?}"),
        }
        Some((level, run.exit))
    });
    // Else nothing was compared.
    for level in ["warning", "never"] {
        for exit in [0, 1] {
            let found = failed
                .iter()
                .filter(|one| **one == Some((level, exit)))
                .count();
            assert!(found > 30, "{level}: {found} end with {exit}");
        }
    }
}
