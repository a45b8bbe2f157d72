//! Do the schemas that the program prints say what the program does?

mod support;

#[allow(unreachable_pub, missing_docs, dead_code)]
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use istio_scrape::config::Config;
use istio_scrape::krm::Source;
use istio_scrape::rules::Rule;
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, Format, explain};
use jsonschema::Validator;
use program::{folder, run, run_in};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// So many configurations are made up, and at least so many of them are accepted, and refused.
const CONFIGURATIONS: usize = 8_000;
const AT_LEAST: usize = 800;

fn printed(of: &str) -> Value {
    let ended = run(&["schema", of], "");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended}");
    serde_json::from_str(&ended.stdout).expect("the schema is JSON")
}

/// A schema that is one by the rules of its dialect.
fn validator(of: &str) -> Validator {
    let schema = printed(of);
    assert!(jsonschema::meta::is_valid(&schema), "{of}: not JSON Schema");
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{of}: {error}"))
}

fn scrape_tls(spec: &Value) -> Value {
    json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS", "metadata": {"name": "a"}, "spec": spec})
}

fn rules() -> Vec<&'static str> {
    Rule::ALL.iter().map(|rule| rule.name()).collect()
}

/// What the program makes of a configuration.
fn read(object: &Value) -> Option<Config> {
    let config = Config::from_value(object, "config.yaml").ok()?;
    config.check_rules(&rules(), "config.yaml").ok()?;
    Some(config)
}

/// Every field that holds no fields, with its schema.
fn leaves(schema: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    for (name, schema) in schema["properties"].as_object().expect("a map of fields") {
        let path = format!("{path}/{name}");
        match schema.get("properties") {
            Some(_) if path != "/severity" => leaves(schema, &path, found),
            _ => found.push((path, schema.clone())),
        }
    }
}

/// The settings by their paths as pointers.
fn settings() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    leaves(&printed("config")["properties"]["spec"], "", &mut found);
    found
}

/// Writes a value below `spec`, with the maps above it.
fn put(spec: &mut Value, path: &str, value: Value) {
    let (group, name) = path.rsplit_once('/').expect("a pointer");
    let holder = match group.strip_prefix('/') {
        None => spec,
        Some(group) => &mut spec[group],
    };
    if holder.is_null() {
        *holder = json!({});
    }
    if let Some(holder) = holder.as_object_mut() {
        holder.insert(name.to_owned(), value);
    }
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_program() {
    let mut spec = json!({});
    let mut without = BTreeSet::new();
    for (path, schema) in settings() {
        match schema.get("default") {
            Some(default) => put(&mut spec, &path, default.clone()),
            None => {
                without.insert(path);
            }
        }
    }
    assert_eq!(
        read(&scrape_tls(&spec)),
        Some(Config::default()),
        "{spec:#}"
    );
    let unset = [
        "/mesh/rootNamespace",
        "/mesh/mode",
        "/mesh/excludeInboundPorts",
    ];
    assert_eq!(
        without,
        unset.map(str::to_owned).into(),
        "settings that are something else if nobody says anything"
    );
}

/// Values that are right somewhere, and values that are nearly so.
fn values() -> Vec<Value> {
    let label = |length| json!("a".repeat(length));
    let mut values = vec![
        json!(null),
        json!(true),
        json!(""),
        json!("a"),
        json!("A"),
        json!("-a"),
        json!("a-"),
        json!("a-1"),
        json!("a.b"),
        label(56),
        label(57),
        label(63),
        label(64),
        json!("/"),
        json!("//"),
        json!("/a"),
        json!("/a/"),
        json!("/a//"),
        json!("/a//b"),
        json!("/a/../b"),
        json!("/a/.."),
        json!("/./a"),
        json!("/.a"),
        json!("/..a/b"),
        json!("/..."),
        json!("/.../.b."),
        json!("/a:b"),
        json!("/a\nb"),
        json!("/a\n"),
        json!("/a\u{85}"),
        json!("/a\u{7f}"),
        json!("/é"),
        json!("a/b"),
        json!("patch"),
        json!("STRICT"),
        json!("strict"),
        json!("off"),
        json!(0),
        json!(80),
        json!(-1),
        json!(65535),
        json!(65536),
        json!(8.5),
        json!("80"),
        json!([]),
        json!({}),
        json!({"a": "b"}),
        json!([null]),
        json!({"kind": "A"}),
    ];
    let object = json!({"apiVersion": "v1", "kind": "A", "spec": [1, {"b": null}]});
    for elements in [
        json!([80, 65535]),
        json!([80, 0]),
        json!([65536]),
        json!(["80"]),
        json!([8.5]),
        json!([80, null]),
        json!([[80]]),
        json!(["a", "../b/c.yaml"]),
        json!(["a", ""]),
        json!([object, object]),
        json!([{"kind": "A"}]),
        json!([{"apiVersion": "", "kind": "A"}]),
        json!([{"apiVersion": 1, "kind": "A"}]),
        json!([object, "a"]),
    ] {
        values.push(elements);
    }
    for plane in ["sidecar", "ambient", "none", "istio"] {
        for name in ["shop", "a.b", "", "A", "x-1"] {
            values.push(json!({name: plane}));
        }
    }
    values.extend([
        json!({"shop": null}),
        json!({"A": null}),
        json!({"shop": 1}),
    ]);
    for severity in ["off", "info", "warning", "error", "loud"] {
        values.push(json!({"stale-tls": severity, "mode-assumed": "off"}));
        values.push(json!({"stale-tsl": severity}));
    }
    values.extend([json!({"stale-tls": null}), json!({"stale-tls": true})]);
    values
}

/// Objects with some settings, values that belong there more often than not, and now and then a field that is none.
fn configurations() -> impl Strategy<Value = Value> {
    let settings = settings();
    let paths: Vec<String> = settings.iter().map(|(path, _)| path.clone()).collect();
    let strangers = [
        "/failon",
        "/mesh",
        "/context",
        "/severity/x",
        "/mesh/rootNamespce",
        "/mesh.mode",
        "/injection",
        "/metadata",
    ];
    let paths = prop_oneof![
        9 => prop::sample::select(paths),
        1 => prop::sample::select(strangers.map(str::to_owned).to_vec()),
    ];
    let one = (
        paths,
        prop::sample::select(values()),
        any::<prop::sample::Index>(),
        0..10,
    );
    let spec = prop::collection::vec(one, 0..4).prop_map(move |chosen| {
        let mut spec = json!({});
        for (path, value, word, luck) in chosen {
            let schema = settings.iter().find(|(known, _)| *known == path);
            let words = schema.and_then(|(_, schema)| schema["enum"].as_array());
            let value = match words {
                Some(words) if luck < 8 => word.get(words).clone(),
                _ => value,
            };
            put(&mut spec, &path, value);
        }
        // A name without a severity says nothing, and so the program does not ask whether it is of a rule.
        if let Some(severity) = spec.get_mut("severity").and_then(Value::as_object_mut) {
            severity
                .retain(|name, severity| !severity.is_null() || rules().contains(&name.as_str()));
        }
        spec
    });
    let odd = prop::sample::select(vec![json!(null), json!("a"), json!([]), json!(1)]);
    let spec = prop_oneof![20 => spec, 1 => odd];
    (spec, 0..20).prop_map(|(spec, luck)| {
        let mut object = scrape_tls(&spec);
        let object_fields = object.as_object_mut().expect("an object");
        match luck {
            0 => drop(object_fields.insert("sepc".to_owned(), json!({}))),
            1 => drop(object_fields.remove("spec")),
            _ => {}
        }
        object
    })
}

/// What JSON Schema cannot say: that a number is written without a point (80.0), that a name was written twice.
#[test]
fn the_schema_accepts_what_the_program_accepts() {
    let validator = validator("config");
    let strategy = configurations();
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..CONFIGURATIONS {
        let object = strategy
            .new_tree(&mut runner)
            .expect("a configuration")
            .current();
        let ours = read(&object).is_some();
        let errors: Vec<String> = validator
            .iter_errors(&object)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(
            ours,
            errors.is_empty(),
            "the schema says {errors:?}, the program {:?}\n{object:#}",
            Config::from_value(&object, "a")
        );
        match ours {
            true => accepted += 1,
            false => refused += 1,
        }
    }
    assert!(
        accepted > AT_LEAST && refused > AT_LEAST,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn the_configurations_of_cases_and_examples_are_accepted() {
    let validator = validator("config");
    let mut seen = 0;
    let of_cases = support::directories("testdata")
        .into_iter()
        .map(|case| case.join("config.yaml"));
    let of_examples = support::directories("examples")
        .into_iter()
        .flat_map(|example| {
            [
                example.join("fn/scrape-tls.yaml"),
                example.join("shop/fn/scrape-tls.yaml"),
            ]
        });
    for file in of_cases.chain(of_examples).filter(|file| file.exists()) {
        let text = fs::read_to_string(&file).expect("it is there");
        let documents = yaml::read(&text).expect("YAML");
        let root = documents[0].root.as_ref().expect("an object");
        let object = root.value(Rules::Kustomize).expect("JSON");
        if object["kind"] == "ScrapeTLS" {
            assert!(
                validator.is_valid(&object),
                "{}: {:?}",
                file.display(),
                validator.validate(&object)
            );
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

/// The report of a case.
fn report(directory: &Path) -> Value {
    let text = |name: &str| fs::read_to_string(directory.join(name));
    let input = Source::named(
        "input.yaml",
        text("input.yaml").expect("a case has an input"),
    );
    let flags = Flags {
        config: text("config.yaml")
            .ok()
            .map(|text| Source::named("config.yaml", text)),
        ..Flags::default()
    };
    let report = explain(&[input], &flags, Format::Json, false);
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    serde_json::from_str(&report.text).expect("the report is JSON")
}

/// Every key of a report: the pointer with positions left out, and the real one. Values of patches are the user's.
fn keys(value: &Value, shape: &str, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !shape.ends_with("/patch/*/value") => {
            for (key, value) in fields {
                let (shape, at) = (format!("{shape}/{key}"), format!("{at}/{key}"));
                found.push((shape.clone(), at.clone()));
                keys(value, &shape, &at, found);
            }
        }
        Value::Array(items) if !shape.ends_with("/patch/*/value") => {
            for (position, item) in items.iter().enumerate() {
                keys(
                    item,
                    &format!("{shape}/*"),
                    &format!("{at}/{position}"),
                    found,
                );
            }
        }
        _ => {}
    }
}

fn renamed(report: &Value, at: &str) -> Value {
    let mut report = report.clone();
    let (holder, name) = at.rsplit_once('/').expect("a pointer");
    let holder = report
        .pointer_mut(holder)
        .and_then(Value::as_object_mut)
        .expect("an object");
    let fields = std::mem::take(holder);
    *holder = fields
        .into_iter()
        .map(|(key, value)| (if key == name { format!("{key}2") } else { key }, value))
        .collect::<Map<_, _>>();
    report
}

/// And a field with another name is refused, each that any report has.
#[test]
fn every_report_is_as_its_schema_says() {
    let validator = validator("report");
    let mut shapes = BTreeSet::new();
    for directory in support::directories("testdata") {
        let report = report(&directory);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", directory.display());
        let mut found = Vec::new();
        keys(&report, "", "", &mut found);
        for (shape, at) in found {
            if shapes.insert(shape) {
                let changed = renamed(&report, &at);
                assert!(
                    !validator.is_valid(&changed),
                    "{}: {at} has another name, and nobody minds",
                    directory.display()
                );
            }
        }
    }
    for field in [
        "/summary/perTarget",
        "/decisions/*/targets/*/chain/*/why",
        "/decisions/*/targets/*/workload/part",
        "/decisions/*/patch/*/op",
    ] {
        assert!(shapes.contains(field), "no report has {field}");
    }
}

#[test]
fn the_report_of_a_failure_is_as_its_schema_says() {
    let validator = validator("report");
    let files = folder(&[("a.yaml", "kind: [\n")]);
    let ended = run_in(files.path(), &["--report", "r.json", "a.yaml"]);
    assert_eq!(ended.code, 2, "{ended}");
    let text = fs::read_to_string(files.path().join("r.json")).expect("the report is written");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert!(
        report["error"].is_string() && validator.is_valid(&report),
        "{report:#}"
    );
    for at in ["/version", "/error"] {
        assert!(!validator.is_valid(&renamed(&report, at)), "{at}");
    }
    assert!(!validator.is_valid(&json!({"version": 2, "error": "a"})));
}

#[test]
fn the_definition_is_in_step() {
    let printed = run(&["schema", "definition"], "").stdout;
    let kept = support::read("functions/istio-scrape-tls/definition.yaml");
    assert!(
        kept == printed,
        "functions/istio-scrape-tls/definition.yaml is not what `istio-scrape schema definition` prints: run `make definition`"
    );
}

/// What Kubernetes asks of a schema (apiextensions.k8s.io/v1, "structural"): a type everywhere, no fields forbidden, no
/// references, no looking ahead in patterns, nothing about metadata.
#[test]
fn the_definition_has_a_structural_schema_and_names_every_example() {
    let text = support::read("functions/istio-scrape-tls/definition.yaml");
    let documents = yaml::read(&text).expect("YAML");
    let definition = documents[0]
        .root
        .as_ref()
        .expect("an object")
        .value(Rules::Kustomize)
        .expect("JSON");
    let examples: Vec<String> = support::directories("examples")
        .iter()
        .filter_map(|example| example.file_name()?.to_str().map(str::to_owned))
        .collect();
    let version = &definition["spec"]["versions"][0];
    let named: Vec<&str> = version["examples"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        named.len() == examples.len()
            && named
                .iter()
                .zip(&examples)
                .all(|(url, example)| url.ends_with(&format!("/examples/{example}/README.md"))),
        "{named:?} are not the examples {examples:?}: src/config/definition.rs"
    );
    let schema = &version["schema"]["openAPIV3Schema"];
    assert_eq!(schema["properties"]["metadata"], json!({"type": "object"}));
    let mut wrong = Vec::new();
    structural(schema, "", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of metadata Kubernetes lets a schema restrict the name.
#[test]
fn the_definition_of_the_second_function_has_a_structural_schema_too() {
    let text = support::read("functions/istio-scrape-metrics/definition.yaml");
    let documents = yaml::read(&text).expect("YAML");
    let root = documents[0].root.as_ref().expect("an object");
    let definition = root.value(Rules::Kustomize).expect("JSON");
    assert_eq!(definition["spec"]["names"]["kind"], "MeshMetrics");
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let metadata = schema["properties"]["metadata"]["properties"].as_object();
    assert!(metadata.is_some_and(|fields| fields.keys().eq(["name"])));
    let mut wrong = Vec::new();
    structural(schema, "", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn structural(schema: &Value, at: &str, wrong: &mut Vec<String>) {
    const ALLOWED: [&str; 15] = [
        "description",
        "type",
        "enum",
        "default",
        "pattern",
        "minItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "required",
        "properties",
        "additionalProperties",
        "items",
        "x-kubernetes-preserve-unknown-fields",
    ];
    let fields = schema
        .as_object()
        .unwrap_or_else(|| panic!("{at}: no schema"));
    let says = |key: &str| fields.contains_key(key);
    if !schema["type"].is_string() {
        wrong.push(format!("{at}: no type"));
    }
    if let Some(other) = fields.keys().find(|key| !ALLOWED.contains(&key.as_str())) {
        wrong.push(format!("{at}: {other}"));
    }
    if says("properties") && says("additionalProperties") {
        wrong.push(format!("{at}: properties beside additionalProperties"));
    }
    if schema["pattern"]
        .as_str()
        .is_some_and(|pattern| pattern.contains("(?"))
    {
        wrong.push(format!("{at}: the pattern looks ahead"));
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        structural(schema, &format!("{at}/{name}"), wrong);
    }
    for inner in ["items", "additionalProperties"] {
        if says(inner) {
            structural(&schema[inner], &format!("{at}/{inner}"), wrong);
        }
    }
}
