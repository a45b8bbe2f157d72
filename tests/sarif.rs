//! `istio-scrape check -o sarif`: is it SARIF 2.1.0, and what code scanning needs?

#![allow(unreachable_pub, missing_docs)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use istio_scrape::krm::Source;
use istio_scrape::rules::Rule;
use istio_scrape::{CheckFormat, Flags};
use jsonschema::{Draft, Validator};
use program::{folder, run, run_in};
use serde_json::{Value, json};
use support::inputs::{Written, at_once, written};

/// The schema of OASIS, from the crate that tests/sarif-schema pins.
fn schema() -> Option<Validator> {
    let manifest = support::in_repository("tests/sarif-schema/Cargo.toml");
    let found = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--quiet"])
        .arg("--manifest-path")
        .arg(&manifest)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("cargo runs the tests");
    if !found.status.success() {
        let why = String::from_utf8_lossy(&found.stderr).into_owned();
        let why = why.lines().next().unwrap_or("cargo metadata fails");
        support::did_not_run("SARIF against its schema", why);
        return None;
    }
    let metadata: Value = serde_json::from_slice(&found.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == "serde-sarif");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = PathBuf::from(manifest.expect("the crate is pinned"));
    let file = manifest.with_file_name("src").join("schema.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    // Of languages, which we never name: the expression has a bracket too many for a strict reader.
    for holder in ["run", "toolComponent"] {
        let at = format!("/definitions/{holder}/properties/language");
        let language = schema.pointer_mut(&at).and_then(Value::as_object_mut);
        let pattern = language.and_then(|language| language.remove("pattern"));
        assert!(
            pattern.is_some_and(|text| text.to_string().contains("]?$")),
            "{at}"
        );
    }
    let title = schema["title"].as_str().unwrap_or_default();
    assert!(title.contains("Version 2.1.0"), "{title}");
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .build(&schema);
    Some(validator.expect("the schema is one"))
}

/// The log of a check, or `None` where the input cannot be checked.
fn log(written: &Written, name: &str) -> Option<Value> {
    let flags = Flags {
        config: written
            .config
            .as_ref()
            .map(|text| Source::named("config.yaml", text.clone())),
        ..Flags::default()
    };
    let sources = [Source::named(name, written.text.clone())];
    let report = istio_scrape::check(&sources, &flags, None, CheckFormat::Sarif, false).ok()?;
    Some(serde_json::from_str(&report.text).expect("SARIF is JSON"))
}

fn results(log: &Value) -> &[Value] {
    log["runs"][0]["results"]
        .as_array()
        .expect("results are a list")
}

fn wrong(validator: &Validator, log: &Value) -> Vec<String> {
    let errors = validator.iter_errors(log);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_schema_would_notice() {
    let Some(schema) = schema() else { return };
    let good = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a", "informationUri": "https://a.b"}}, "results": [
        {"message": {"text": "a"}, "level": "note", "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a%20b"}}}]},
    ]}]});
    assert_eq!(wrong(&schema, &good), [""; 0]);
    for (at, value) in [
        ("/version", json!("2.2")),
        ("/runs/0/results/0/level", json!("info")),
        ("/runs/0/results/0/message", json!("a")),
        (
            "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri",
            json!("a b"),
        ),
        ("/runs/0/tool/driver/informationUri", json!("nowhere")),
        ("/runs/0/tool/driver", json!({})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(at).expect("it is there") = value;
        assert!(!wrong(&schema, &bad).is_empty(), "{at}");
    }
}

/// Every case and the corpus, read from a file and from stdin.
#[test]
fn every_log_is_valid_and_complete() {
    let schema = schema();
    let all = written("SARIF of the corpus");
    let counts = at_once(&all, |written| {
        let mut count = 0;
        for name in ["my dir/ünput.yaml", "-"] {
            let Some(log) = log(written, name) else {
                continue;
            };
            let what = format!("{} as {name}", written.name);
            if let Some(schema) = &schema {
                assert_eq!(wrong(schema, &log), [""; 0], "{what}");
            }
            complete(&log, &what);
            count += results(&log).len();
        }
        count
    });
    assert!(counts.iter().sum::<usize>() > 500, "{counts:?}");
}

/// What GitHub's code scanning asks for beyond the schema.
fn complete(log: &Value, what: &str) {
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["name"], "istio-scrape");
    assert_eq!(driver["version"], env!("CARGO_PKG_VERSION"));
    let rules = driver["rules"].as_array().expect("rules are a list");
    let ids: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
    let used: BTreeSet<&str> = results(log)
        .iter()
        .map(|result| result["ruleId"].as_str().expect("a rule has a name"))
        .collect();
    assert_eq!(
        rules.len(),
        used.len(),
        "{what}: exactly the rules that occur"
    );
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].is_string(), "{what}: {rule:#}");
        }
        assert!(rule["defaultConfiguration"]["level"].is_string());
    }
    let mut fingerprints = BTreeSet::new();
    for result in results(log) {
        let index = result["ruleIndex"].as_u64().expect("an index");
        let index = usize::try_from(index).expect("a small one");
        assert_eq!(ids[index], &result["ruleId"], "{what}");
        assert!(
            !["already-right", "own-tls-is-kept"]
                .contains(&result["ruleId"].as_str().unwrap_or_default())
                || result["level"] != "note",
            "{what}: {result:#}"
        );
        let fingerprint = result["partialFingerprints"]["istioScrape/v1"].as_str();
        assert!(
            fingerprints.insert(fingerprint.expect("a fingerprint")),
            "{what}: two results are one: {result:#}"
        );
        let location = &result["locations"][0];
        assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
        let physical = &location["physicalLocation"];
        let has_line = physical["region"]["startLine"].is_u64();
        let own_hash = result["partialFingerprints"].get("primaryLocationLineHash");
        assert_eq!(has_line, own_hash.is_none(), "{what}: {result:#}");
        if what.ends_with("ünput.yaml") && has_line {
            assert_eq!(
                physical["artifactLocation"]["uri"],
                "my%20dir/%C3%BCnput.yaml"
            );
        }
    }
}

fn guide() -> String {
    support::read("testdata/strict-needs-tls--guide/input.yaml")
}

fn checked(input: &str) -> Value {
    let found = run(&["check", "-o", "sarif"], input);
    serde_json::from_str(&found.stdout).unwrap_or_else(|e| panic!("{e}: {found}"))
}

#[test]
fn levels_say_what_fails_and_how_much_the_rest_matters() {
    let input = support::read("testdata/strict-needs-tls--static-three-spellings/input.yaml");
    let level = |log: &Value, rule: &str| -> BTreeSet<String> {
        let of_rule = results(log)
            .iter()
            .filter(|result| result["ruleId"] == rule);
        of_rule.map(|result| result["level"].to_string()).collect()
    };
    let found = checked(&input);
    // Info by its rule, but it fails the check.
    assert_eq!(
        level(&found, "strict-needs-tls"),
        BTreeSet::from(["\"error\"".to_owned()])
    );
    assert_eq!(
        level(&found, "target-unknown"),
        BTreeSet::from(["\"warning\"".to_owned()])
    );
    let without_agent = guide().replace("kind: VMAgent", "kind: Unknown");
    assert_eq!(
        level(&checked(&without_agent), "no-scraper-selects-this"),
        BTreeSet::from(["\"note\"".to_owned()])
    );
    let patched = checked(&run(&[], &guide()).stdout);
    assert!(!results(&patched).is_empty());
    assert!(
        results(&patched)
            .iter()
            .all(|result| result["level"] == "note")
    );
}

#[test]
fn fingerprints_survive_moved_lines_and_renamed_files() {
    let fingerprints = |log: &Value| -> Vec<Value> {
        let all = results(log).iter();
        all.map(|result| result["partialFingerprints"]["istioScrape/v1"].clone())
            .collect()
    };
    let line = |log: &Value| {
        let place = &results(log)[0]["locations"][0]["physicalLocation"];
        place["region"]["startLine"].as_u64()
    };
    let files = folder(&[
        ("a.yaml", &guide()),
        ("moved/b.yaml", &format!("# one\n# two\n{}", guide())),
        ("c.yaml", &guide().replace("default", "elsewhere")),
    ]);
    let of = |file: &str| -> Value {
        let found = run_in(files.path(), &["check", "-o", "sarif", file]);
        serde_json::from_str(&found.stdout).unwrap_or_else(|e| panic!("{e}: {found}"))
    };
    let (first, moved, other) = (of("a.yaml"), of("moved/b.yaml"), of("c.yaml"));
    assert_eq!(fingerprints(&first), fingerprints(&moved));
    assert_eq!(line(&moved), line(&first).map(|line| line + 2));
    assert_ne!(fingerprints(&first)[0], fingerprints(&other)[0]);
}

#[test]
fn results_without_a_file_are_said_to_be_of_no_use_to_code_scanning() {
    let found = run(&["check", "-o", "sarif"], &guide());
    // Lines of stdin are no place in a repository.
    assert!(found.stderr.contains("originAnnotations"), "{found}");
    let files = folder(&[("a.yaml", &guide())]);
    let found = run_in(files.path(), &["check", "-o", "sarif", "a.yaml"]);
    assert!(!found.stderr.contains("originAnnotations"), "{found}");
}

/// The descriptions of rules are sentences for people, and the README has the rest.
#[test]
fn the_page_that_rules_lead_to_exists() {
    let readme = support::read("README.md");
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("README.md")
            .is_file()
    );
    assert!(readme.contains("\n## Rules\n"));
    for rule in Rule::ALL {
        assert!(
            readme.contains(&format!("| `{}` |", rule.name())),
            "{}",
            rule.name()
        );
    }
}
