//! Which settings does a configuration object make?
//!
//! Authority: the table of the kind, whose paths are the fields of `spec` and the keys of a ConfigMap's `data`.
//! Departs from nothing.
//! Knows: the two ways to write settings. Does not know: which settings there are, which object counts.

use serde_json::{Map, Value};

use super::error::resembling;
use super::table::{Configured, Found};
use super::values::{Complaint, Writing};
use super::{Config, ConfigError, MeshMetrics, Problem, Wrong};

impl Config {
    /// The settings of an object of kind ScrapeTLS or ConfigMap; what it does not say has its default.
    ///
    /// `whence` says in errors where the object was read.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with everything that is wrong with the object's fields, and errors
    /// for other kinds.
    pub fn from_value(object: &Value, whence: &str) -> Result<Self, ConfigError> {
        let body = match (text_of(object, "apiVersion"), text_of(object, "kind")) {
            ("istio-scrape.dev/v1alpha1", "ScrapeTLS") => "spec",
            ("v1", "ConfigMap") => "data",
            (api_version, "MeshMetrics") if api_version.starts_with("istio-scrape.dev/") => {
                return Err(ConfigError::MeshMetrics {
                    whence: whence.to_owned(),
                });
            }
            (api_version, kind) => {
                return Err(ConfigError::UnknownKind {
                    whence: whence.to_owned(),
                    found: found(api_version, kind),
                });
            }
        };
        settings_of(object, body, whence)
    }

    /// Refuses severities of rules that do not exist; `rules` are the names of those that do.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with every unknown name.
    pub fn check_rules(&self, rules: &[&str], whence: &str) -> Result<(), ConfigError> {
        let problems: Vec<Problem> = self
            .severity
            .keys()
            .filter(|name| !rules.contains(&name.as_str()))
            .map(|name| Problem {
                at: format!("severity.{name}"),
                keys: vec!["severity".to_owned(), name.clone()],
                line: None,
                wrong: Wrong::UnknownRule {
                    meant: resembling(name, rules),
                    allowed: rules.iter().map(|&rule| rule.to_owned()).collect(),
                },
            })
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ConfigError::Refused {
                whence: whence.to_owned(),
                problems,
            }),
        }
    }
}

impl MeshMetrics {
    /// The settings of an object of kind MeshMetrics; what it does not say has its default.
    ///
    /// `whence` says in errors where the object was read.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with everything that is wrong with the object's fields, and errors for other kinds.
    pub fn from_value(object: &Value, whence: &str) -> Result<Self, ConfigError> {
        match (text_of(object, "apiVersion"), text_of(object, "kind")) {
            ("istio-scrape.dev/v1alpha1", "MeshMetrics") => {}
            (api_version, kind) => {
                return Err(ConfigError::NotMeshMetrics {
                    whence: whence.to_owned(),
                    found: found(api_version, kind),
                });
            }
        }
        let mut config: Self = settings_of(object, "spec", whence)?;
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        config.name = name.map_or(config.name, str::to_owned);
        match config.problem_of_name() {
            Some(problem) => Err(ConfigError::Refused {
                whence: whence.to_owned(),
                problems: vec![problem],
            }),
            None => Ok(config),
        }
    }
}

/// The settings that an object makes in `spec` or `data`.
fn settings_of<C: Configured>(
    object: &Value,
    body: &'static str,
    whence: &str,
) -> Result<C, ConfigError> {
    let writing = match body {
        "data" => Writing::Flat,
        _ => Writing::Nested,
    };
    let mut config = C::default();
    let problems: Vec<Problem> = strangers(object, body)
        .chain(
            leaves::<C>(body, object.get(body).unwrap_or(&Value::Null))
                .into_iter()
                .filter_map(|leaf| {
                    let complaint = set(&mut config, &leaf.field, leaf.value, writing).err()?;
                    let at = match leaf.field.is_empty() {
                        true => body.to_owned(),
                        false => format!("{body}.{}", leaf.field),
                    };
                    Some(complaint.at::<C>(at, leaf.keys))
                }),
        )
        .collect();
    match problems.is_empty() {
        true => Ok(config),
        false => Err(ConfigError::Refused {
            whence: whence.to_owned(),
            problems,
        }),
    }
}

fn set<C: Configured>(
    config: &mut C,
    field: &str,
    value: &Value,
    writing: Writing,
) -> Result<(), Complaint> {
    match C::CATALOG.find(field) {
        Found::Setting(setting) => setting.put(config, value, writing),
        Found::Named { setting, name } => setting.put_named(config, name, value),
        Found::Group if value.is_null() => Ok(()),
        Found::Group => Err(Complaint::value(value, "a map of fields")),
        Found::Nothing => Err(Complaint::Unknown(field.to_owned())),
    }
}

/// The top-level fields that neither a Kubernetes object nor this kind has.
fn strangers(object: &Value, body: &'static str) -> impl Iterator<Item = Problem> {
    let allowed = ["apiVersion", "kind", "metadata", body];
    let is_config_map = body == "data";
    object
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .filter(move |key| !allowed.contains(&key.as_str()))
        .filter(move |key| !is_config_map || key.as_str() != "immutable")
        .map(move |key| Problem {
            at: key.clone(),
            keys: vec![key.clone()],
            line: None,
            wrong: Wrong::UnknownField {
                meant: resembling(key, &allowed),
                allowed: allowed.map(str::to_owned).to_vec(),
            },
        })
}

/// A value, and where it stands.
struct Leaf<'v> {
    /// Its full path: what `spec` nests, `data` writes flat.
    field: String,
    /// The keys that lead to it, from the object on.
    keys: Vec<String>,
    value: &'v Value,
}

/// Everything below `spec` or `data` that is no map of fields.
fn leaves<'v, C: Configured>(body: &str, value: &'v Value) -> Vec<Leaf<'v>> {
    let body = body.to_owned();
    match (body.as_str(), value) {
        ("data", Value::Object(keys)) => keys
            .iter()
            .map(|(key, value)| Leaf {
                field: key.clone(),
                keys: vec![body.clone(), key.clone()],
                value,
            })
            .collect(),
        _ => nested::<C>("", vec![body], value),
    }
}

fn nested<'v, C: Configured>(path: &str, keys: Vec<String>, value: &'v Value) -> Vec<Leaf<'v>> {
    let leaf = |field: String, keys, value| vec![Leaf { field, keys, value }];
    match value {
        Value::Object(fields) if C::CATALOG.is_map(path) => fields
            .iter()
            .flat_map(|(name, value)| {
                let keys = keys.iter().chain([name]).cloned().collect();
                match (path, name.contains('.')) {
                    // A dotted key is no nesting: quoted, it is no known field either.
                    (_, true) => leaf(format!("{path}{name:?}"), keys, value),
                    ("", false) => nested::<C>(name, keys, value),
                    (_, false) => nested::<C>(&format!("{path}.{name}"), keys, value),
                }
            })
            .collect(),
        _ => leaf(path.to_owned(), keys, value),
    }
}

fn text_of<'v>(object: &'v Value, key: &str) -> &'v str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn found(api_version: &str, kind: &str) -> String {
    match (api_version, kind) {
        (_, "") => "an object without kind".to_owned(),
        ("", kind) => format!("kind {kind} without apiVersion"),
        (api_version, kind) => format!("kind {kind} (apiVersion {api_version})"),
    }
}

#[cfg(test)]
mod tests;
