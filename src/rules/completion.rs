//! What does a scraper still need to have its sidecar's certificates?
//!
//! Authority: VictoriaMetrics operator docs/integrations/istio.md, "Partially strict policy"; Istio's injection template, which
//! starts a container after the proxy with `holdApplicationUntilProxyStarts`.
//! Departs from it: annotations that are there are merged into, not replaced.
//! Knows: a scraper's `spec` and what is read of its set-up. Does not know: endpoints, policies.

use json_patch::{AddOperation, PatchOperation, ReplaceOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value, json};

use super::certificates::{HOLD_APPLICATION, SetUp, parsed_annotation};
use super::decision::Step;
use super::steps::{add, replace};
use crate::model::Scraper;
use crate::policy::{INJECT, PROXY_CONFIG, USER_VOLUME_MOUNT};

/// Steps after which the scraper's container has the certificates in each of `directories`, and,
/// with `inject`, the pod label that asks for a sidecar; empty where nothing is missing.
pub(super) fn completion(
    scraper: &Scraper,
    set_up: &SetUp,
    directories: &[&str],
    inject: bool,
) -> Vec<Step> {
    with_traffic(scraper, set_up, directories, inject, &[])
}

/// The same, with annotations about the scraper's own requests.
pub(super) fn with_traffic(
    scraper: &Scraper,
    set_up: &SetUp,
    directories: &[&str],
    inject: bool,
    traffic: &[(&'static str, String)],
) -> Vec<Step> {
    let output = set_up
        .output
        .as_deref()
        .or(directories.first().copied())
        .expect("a scraper is completed for at least one directory");
    let mut annotations = Vec::new();
    let missing = ProxySettings {
        output: (!set_up.writes_output).then_some(output),
        hold: set_up.starts_too_early,
    };
    if missing.output.is_some() || missing.hold {
        annotations.push((PROXY_CONFIG, proxy_config(scraper, &missing)));
    }
    if !set_up.mounted_in_sidecar {
        let mount = sidecar_mount(scraper, &set_up.volume, output);
        annotations.push((USER_VOLUME_MOUNT, mount));
    }
    for (key, value) in traffic {
        annotations.push((*key, Text::New(value.clone())));
    }
    let mut steps = pod_metadata(scraper, annotations, inject);
    if !set_up.has_volume {
        let volume = json!({"emptyDir": {"medium": "Memory"}, "name": set_up.volume});
        steps.extend(append(scraper, "volumes", vec![volume]));
    }
    let mounts: Vec<_> = directories
        .iter()
        .filter(|wanted| !set_up.directories.iter().any(|has| has == *wanted))
        .map(|directory| {
            json!({"mountPath": format!("{directory}/"), "name": set_up.volume, "readOnly": true})
        })
        .collect();
    if !mounts.is_empty() {
        steps.extend(append(scraper, "volumeMounts", mounts));
    }
    steps
}

/// A string of the object is written anew, or changed inside.
enum Text {
    New(String),
    Inside(Vec<PatchOperation>),
}

/// What the configuration of the proxy still has to say.
struct ProxySettings<'a> {
    /// Where it writes the certificates.
    output: Option<&'a str>,
    /// That the scraper starts after it.
    hold: bool,
}

fn proxy_config(scraper: &Scraper, missing: &ProxySettings<'_>) -> Text {
    match parsed_annotation(scraper, PROXY_CONFIG) {
        Ok(Value::Object(config)) if !config.is_empty() => {
            let output = missing.output.map(|output| output_in(&config, output));
            let hold = missing.hold.then(|| {
                let change = match config.contains_key(HOLD_APPLICATION) {
                    true => replace_in,
                    false => add_in,
                };
                change([HOLD_APPLICATION], json!(true))
            });
            Text::Inside(output.into_iter().chain(hold).collect())
        }
        _ => {
            let hold = missing.hold.then(|| format!("{HOLD_APPLICATION}: true\n"));
            let output = missing.output.map(|output| {
                let output = plain_or_quoted(output);
                format!("proxyMetadata:\n  OUTPUT_CERTS: {output}\n")
            });
            Text::New(hold.into_iter().chain(output).collect())
        }
    }
}

fn output_in(config: &Map<String, Value>, directory: &str) -> PatchOperation {
    let value = json!(directory);
    match config.get("proxyMetadata") {
        Some(Value::Object(metadata)) if metadata.contains_key("OUTPUT_CERTS") => {
            replace_in(["proxyMetadata", "OUTPUT_CERTS"], value)
        }
        Some(Value::Object(_)) => add_in(["proxyMetadata", "OUTPUT_CERTS"], value),
        Some(_) => replace_in(["proxyMetadata"], json!({"OUTPUT_CERTS": value})),
        None => add_in(["proxyMetadata"], json!({"OUTPUT_CERTS": value})),
    }
}

/// A path as YAML reads it back: JSON's quotes are YAML's too.
fn plain_or_quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if path.starts_with('/') && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        json!(path).to_string()
    }
}

fn sidecar_mount(scraper: &Scraper, volume: &str, directory: &str) -> Text {
    let mount = json!({"name": volume, "mountPath": directory});
    match parsed_annotation(scraper, USER_VOLUME_MOUNT) {
        Ok(Value::Array(mounts)) if !mounts.is_empty() => Text::Inside(vec![add_in(["-"], mount)]),
        Ok(Value::Object(mounts)) if !mounts.is_empty() => {
            Text::Inside(vec![add_in([volume], json!({"mountPath": directory}))])
        }
        _ => Text::New(format!(
            r#"[{{"name": {}, "mountPath": {}}}]"#,
            json!(volume),
            json!(directory)
        )),
    }
}

fn add_in<'a>(tokens: impl IntoIterator<Item = &'a str>, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation {
        path: PointerBuf::from_tokens(tokens),
        value,
    })
}

fn replace_in<'a>(tokens: impl IntoIterator<Item = &'a str>, value: Value) -> PatchOperation {
    PatchOperation::Replace(ReplaceOperation {
        path: PointerBuf::from_tokens(tokens),
        value,
    })
}

/// Annotations and the label, with the maps above them where they are missing.
fn pod_metadata(scraper: &Scraper, annotations: Vec<(&str, Text)>, inject: bool) -> Vec<Step> {
    let spec = PointerBuf::from_tokens(["spec"]);
    let at = spec.with_trailing_token("podMetadata");
    let metadata = scraper.spec.get("podMetadata").and_then(Value::as_object);
    let mut steps = Vec::new();
    let mut missing = Map::new();

    let at_annotations = at.with_trailing_token("annotations");
    let present = child(metadata, "annotations");
    let mut fresh = Map::new();
    for (key, text) in annotations {
        match (text, present) {
            (Text::Inside(ops), _) => steps.push(Step::Inside {
                at: at_annotations.with_trailing_token(key),
                ops,
            }),
            (Text::New(text), Some(map)) if map.contains_key(key) => {
                steps.push(replace(&at_annotations, key, json!(text)));
            }
            (Text::New(text), Some(_)) => steps.push(add(&at_annotations, key, json!(text))),
            (Text::New(text), None) => {
                fresh.insert(key.to_owned(), json!(text));
            }
        }
    }
    if !fresh.is_empty() {
        missing.insert("annotations".to_owned(), Value::Object(fresh));
    }
    if inject {
        match child(metadata, "labels") {
            Some(labels) if labels.contains_key(INJECT) => {
                steps.push(replace(
                    &at.with_trailing_token("labels"),
                    INJECT,
                    json!("true"),
                ));
            }
            Some(_) => steps.push(add(
                &at.with_trailing_token("labels"),
                INJECT,
                json!("true"),
            )),
            None => {
                missing.insert("labels".to_owned(), json!({INJECT: "true"}));
            }
        }
    }
    if !missing.is_empty() {
        match metadata {
            Some(_) => {
                steps.extend(
                    missing
                        .into_iter()
                        .map(|(key, value)| add(&at, &key, value)),
                );
            }
            None => steps.push(add(&spec, "podMetadata", Value::Object(missing))),
        }
    }
    steps
}

fn child<'a>(map: Option<&'a Map<String, Value>>, key: &str) -> Option<&'a Map<String, Value>> {
    map?.get(key)?.as_object()
}

/// Appends to a list of the spec, which is made where it is missing.
pub(super) fn append(scraper: &Scraper, field: &str, entries: Vec<Value>) -> Vec<Step> {
    let spec = Pointer::from_static("/spec");
    match scraper.spec.get(field) {
        Some(Value::Array(_)) => {
            let at = spec.with_trailing_token(field);
            entries
                .into_iter()
                .map(|entry| add(&at, "-", entry))
                .collect()
        }
        _ => vec![add(spec, field, Value::Array(entries))],
    }
}
