//! Do we read what kustomize, kubectl and the YAML test suite say, and edit it without damage?
//!
//! Authority: `conformance/yaml-traps.json` (kustomize v5.8.1, kubectl 1.32) and the official YAML test suite.
//! Departs from it: the lists of exceptions below, each with its reason.
//! Knows: the data files and the public API of `yaml`. Does not know: how it works inside.

mod support;

use istio_scrape::yaml::{self, Content, Node, Rules, Style, Syntax};
use json_patch::Patch;
use serde::Deserialize;
use serde_json::{Value, json};

/// Values that kustomize prints and no reading rule explains.
const NOT_AS_KUSTOMIZE: &[(&str, &str)] = &[(
    "folded",
    "kyaml prints folded scalars with more-indented lines and `>+` with an extra newline (yaml/go-yaml#337); that is damage done on printing, not what the text means",
)];

/// Inputs of the test suite that are invalid, and read all the same.
const ACCEPTED: &[(&str, &str)] = &[(
    "9C9N",
    "brackets that close at a lesser indentation: kustomize and kubectl accept them, and people write `data: {` … `}`",
)];

/// Inputs of the test suite that mean something else to kustomize than in YAML 1.2.
const OTHER_VALUE: &[(&str, &str)] = &[
    ("8KB6", "kyaml prints an absent value inside braces as ''"),
    ("9BXH", "the same"),
    ("C2DT", "the same"),
    (
        "P76L",
        "`!!` is given another meaning by %TAG, which kustomize refuses; we take the tag as written",
    ),
    ("S4JQ", "goyaml.v3 reads `! 12` as a number"),
    ("UGM3", "goyaml.v3 reads 2001-01-23 as a time"),
];

#[derive(Deserialize)]
struct Trap {
    name: String,
    yaml: String,
    observed: Observed,
}

#[derive(Deserialize)]
struct Observed {
    kustomize_json: Option<String>,
    kubectl_json: Option<String>,
}

#[derive(Deserialize)]
struct SuiteCase {
    id: String,
    name: String,
    yaml: String,
    #[serde(default)]
    error: bool,
    json: Option<String>,
}

/// Reads a data file that is kept outside of the project; says so if it is not there.
fn data<T: for<'de> Deserialize<'de>>(what: &str, file: &str) -> Option<T> {
    let path = support::data(&format!("conformance/{file}"), what)?;
    let text = std::fs::read_to_string(path).expect("the data is UTF-8");
    Some(serde_json::from_str(&text).expect("the data file has its documented form"))
}

fn first_root<'a, 't>(documents: &'a [yaml::Document<'t>]) -> Option<&'a Node<'t>> {
    documents.iter().find_map(|document| document.root.as_ref())
}

/// What a reader makes of the first resource: kustomize unwraps lists, kubectl does not.
fn read_as(yaml: &str, rules: Rules) -> Value {
    let documents = yaml::read(yaml).expect("the host reads it");
    let root = match rules {
        Rules::Kustomize => first_root(&documents),
        Rules::Kubectl => documents
            .first()
            .and_then(|document| document.root.as_ref()),
    };
    let Some(root) = root else { return Value::Null };
    let value = root.value(rules).expect("the host reads it");
    let kind = value["kind"].as_str().unwrap_or_default();
    match rules {
        Rules::Kustomize if kind.ends_with("List") => value["items"][0].clone(),
        _ => value,
    }
}

/// Every value that was observed with kustomize is read the same, but for the listed ones.
#[test]
fn traps_are_read_as_kustomize_reads_them() {
    let Some(traps) = data::<Vec<Trap>>("kustomize's values", "yaml-traps.json") else {
        return;
    };
    let mut compared = 0;
    for Trap {
        name,
        yaml,
        observed,
    } in &traps
    {
        let Some(expected) = &observed.kustomize_json else {
            continue;
        };
        let expected: Value = serde_json::from_str(expected).expect("observed JSON");
        let read = read_as(yaml, Rules::Kustomize);
        let excused = NOT_AS_KUSTOMIZE.iter().any(|(excused, _)| excused == name);
        assert_eq!(
            read == expected,
            !excused,
            "{name}\n read     {read}\n observed {expected}"
        );
        compared += 1;
    }
    assert!(compared >= 60, "only {compared} entries have a value");
}

/// Every value that was observed with kubectl is read the same.
#[test]
fn traps_are_read_as_kubectl_reads_them() {
    let Some(traps) = data::<Vec<Trap>>("kubectl's values", "yaml-traps.json") else {
        return;
    };
    let mut compared = 0;
    for Trap {
        name,
        yaml,
        observed,
    } in &traps
    {
        let expected = match (observed.kubectl_json.as_deref(), &observed.kustomize_json) {
            (Some("same"), Some(json)) => json,
            (Some("same"), None) | (None, _) => continue,
            (Some(json), _) => json,
        };
        let expected: Value = serde_json::from_str(expected).expect("observed JSON");
        assert_eq!(read_as(yaml, Rules::Kubectl), expected, "{name}");
        compared += 1;
    }
    assert!(compared >= 60, "only {compared} entries have a value");
}

/// An annotation goes into every readable trap: only bytes are inserted (or an absent or empty map
/// replaced), and the result is what json-patch makes of the value.
#[test]
fn traps_take_an_annotation_unharmed() {
    let Some(traps) = data::<Vec<Trap>>("edits of the traps", "yaml-traps.json") else {
        return;
    };
    let mut edited = 0;
    for Trap { name, yaml, .. } in &traps {
        let Ok(documents) = yaml::read(yaml) else {
            continue;
        };
        for document in &documents {
            let Some(root) = &document.root else { continue };
            let rules = Rules::Kubectl;
            let (Ok(before), Some(metadata)) = (root.value(rules), root.get("metadata")) else {
                continue;
            };
            let annotations = metadata
                .get("annotations")
                .filter(|a| !a.entries().is_empty());
            let operation = match annotations {
                Some(_) => {
                    json!([{"op": "add", "path": "/metadata/annotations/example.com~1added", "value": "true"}])
                }
                None => {
                    json!([{"op": "add", "path": "/metadata/annotations", "value": {"example.com/added": "true"}}])
                }
            };
            let patch: Patch = serde_json::from_value(operation).expect("a patch");
            let edits = yaml::edits(yaml, root, document.syntax, &patch.0)
                .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            if metadata.get("annotations").is_none() && !metadata.entries().is_empty()
                || annotations.is_some()
            {
                assert!(
                    edits.iter().all(|edit| edit.range.is_empty()),
                    "{name}: {edits:?}"
                );
            }
            let after = yaml::splice(yaml, &edits);
            let mut expected = before;
            json_patch::patch(&mut expected, &patch).expect("the value takes the patch");
            let again =
                yaml::read(&after).unwrap_or_else(|fault| panic!("{name}: {fault}\n{after}"));
            let position = documents
                .iter()
                .position(|d| d.range == document.range)
                .expect("its own");
            let read = again[position]
                .root
                .as_ref()
                .expect("still there")
                .value(rules);
            assert_eq!(read, Ok(expected), "{name}\n{after}");
            edited += 1;
        }
    }
    assert!(edited >= 60, "only {edited} documents edited");
}

/// Invalid inputs of the official suite are refused, valid ones accepted.
#[test]
fn suite_is_accepted_and_refused_as_it_says() {
    let Some(cases) = data::<Vec<SuiteCase>>("the YAML test suite", "yaml-test-suite.json") else {
        return;
    };
    assert_eq!(cases.len(), 402);
    for case in &cases {
        let refused = yaml::read(&case.yaml).is_err();
        let excused = ACCEPTED.iter().any(|(id, _)| *id == case.id);
        assert_eq!(
            refused,
            case.error && !excused,
            "{} {}\n{}",
            case.id,
            case.name,
            case.yaml
        );
    }
}

/// Where the suite says what an input means, it means that to us, but for the listed exceptions.
#[test]
fn suite_means_what_it_says() {
    let Some(cases) = data::<Vec<SuiteCase>>("the YAML test suite", "yaml-test-suite.json") else {
        return;
    };
    let mut failures = Vec::new();
    for case in &cases {
        let (Some(json), false) = (&case.json, case.error) else {
            continue;
        };
        let expected: Vec<Value> = serde_json::Deserializer::from_str(json)
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("the suite's JSON");
        let documents = yaml::read(&case.yaml).expect("valid");
        let read: Vec<_> = documents
            .iter()
            .map(|document| {
                document
                    .root
                    .as_ref()
                    .map_or(Ok(Value::Null), |root| root.value(Rules::Kustomize))
            })
            .collect();
        let same = read.len() == expected.len()
            && read
                .iter()
                .zip(&expected)
                .all(|(a, b)| a.as_ref().ok().is_some_and(|a| normal(a) == normal(b)));
        if same == OTHER_VALUE.iter().any(|(id, _)| *id == case.id) {
            failures.push(format!(
                "{} {}\n{}\n read {read:?}\n says {expected:?}",
                case.id, case.name, case.yaml
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Whole numbers are equal with and without a fraction.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(n) if n.as_f64().is_some_and(|f| f.fract() == 0.0) => json!(n.as_f64()),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect(),
        _ => value.clone(),
    }
}

/// Ranges are exact: a scalar read again from its own bytes is the same scalar.
#[test]
fn ranges_spell_their_scalars() {
    let Some(traps) = data::<Vec<Trap>>("ranges of the traps", "yaml-traps.json") else {
        return;
    };
    for Trap { name, yaml, .. } in &traps {
        for document in yaml::read(yaml).unwrap_or_default() {
            if let Some(root) = &document.root {
                spelled(name, yaml, root);
            }
        }
    }
}

fn spelled(name: &str, text: &str, node: &Node<'_>) {
    let written = &text[node.range.clone()];
    match &node.content {
        Content::Scalar(value, Style::Plain) => {
            assert!(
                !written.contains('\n') && value == written,
                "{name}: {written:?} {value:?}"
            );
        }
        Content::Scalar(_, style) => {
            let first = written.chars().next();
            let expected = match style {
                Style::SingleQuoted => '\'',
                Style::DoubleQuoted => '"',
                Style::Literal => '|',
                _ => '>',
            };
            assert_eq!(first, Some(expected), "{name}: {written:?}");
        }
        Content::Sequence { items, flow } => {
            assert!(
                written.starts_with(if *flow { '[' } else { '-' }),
                "{name}: {written:?}"
            );
            items.iter().for_each(|item| spelled(name, text, item));
        }
        Content::Mapping { entries, .. } => entries.iter().for_each(|(key, value)| {
            spelled(name, text, key);
            spelled(name, text, value);
        }),
        Content::Alias(_) => assert!(written.starts_with('*'), "{name}: {written:?}"),
    }
}

/// JSON is recognised, brackets in YAML are not taken for it.
#[test]
fn syntax_is_told_apart() {
    let syntax = |text: &str| yaml::read(text).expect("readable")[0].syntax;
    assert_eq!(syntax("{\"a\": [1, null]}\n"), Syntax::Json);
    assert_eq!(syntax("{a: 1}\n"), Syntax::Yaml);
    assert_eq!(syntax("a: 1\n"), Syntax::Yaml);
}
