//! Which settings does a configuration object make?
//!
//! Authority: the fields of `ScrapeTLS.spec`, which are also the keys of a ConfigMap's `data`.
//! Departs from nothing.
//! Knows: fields, what is allowed in them, which are not supported yet. Does not know: which object counts.

use serde_json::{Map, Value};

use super::error::resembling;
use super::{
    Config, ConfigError, FailOn, InjectionUnknown, MtlsMode, Problem, RunMode, ScraperInject,
    Severity, TargetsUnknown,
};

/// Fields that hold fields.
const GROUPS: [&str; 6] = [
    "mesh",
    "injection",
    "targets",
    "certificates",
    "scraper",
    "severity",
];

/// Fields that hold a value. `severity` takes any rule's name besides.
const SETTINGS: [&str; 10] = [
    "mode",
    "failOn",
    "namespace",
    "mesh.rootNamespace",
    "mesh.mode",
    "injection.unknown",
    "targets.unknown",
    "certificates.directory",
    "certificates.volumeName",
    "scraper.inject",
];

/// Fields of the contract that are refused by name until they are obeyed.
const NOT_YET: [&str; 8] = [
    "mesh.excludeInboundPorts",
    "context",
    "injection.namespaces",
    "targets.mixed",
    "certificates.via",
    "certificates.scrapeClassName",
    "scraper.interception",
    "scraper.selfScrape",
];

/// Room that a volume name leaves for the suffix `-scrape` below the 63 characters of a DNS label.
const VOLUME_NAME_MAX: usize = 63 - "-scrape".len();

const DNS_LABEL_MAX: usize = 63;

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
        let mut config = Self::default();
        let problems: Vec<Problem> = strangers(object, body)
            .chain(
                leaves(body, object.get(body).unwrap_or(&Value::Null))
                    .into_iter()
                    .filter_map(|(field, value)| {
                        let problem = config.set(&field, value).err()?;
                        Some(problem.at(format!("{body}.{field}")))
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

    /// Refuses severities of rules that do not exist; `rules` are the names of those that do.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with every unknown name.
    pub fn check_rules(&self, rules: &[&str], whence: &str) -> Result<(), ConfigError> {
        let problems: Vec<Problem> = self
            .severity
            .keys()
            .filter(|name| !rules.contains(&name.as_str()))
            .map(|name| Problem::UnknownRule {
                at: format!("severity.{name}"),
                meant: resembling(name, rules),
                allowed: rules.iter().map(|&rule| rule.to_owned()).collect(),
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

    fn set(&mut self, field: &str, value: &Value) -> Result<(), Complaint> {
        match field {
            _ if not_yet(field) => return Err(Complaint::NotYet),
            "mode" => {
                self.mode = word(
                    value,
                    &[("patch", RunMode::Patch), ("check", RunMode::Check)],
                )?;
            }
            "failOn" => {
                self.fail_on = word(
                    value,
                    &[
                        ("error", FailOn::Error),
                        ("warning", FailOn::Warning),
                        ("never", FailOn::Never),
                    ],
                )?;
            }
            "namespace" => self.namespace = dns_label(value, DNS_LABEL_MAX)?,
            "mesh.rootNamespace" => {
                self.root_namespace = Some(dns_label(value, DNS_LABEL_MAX)?);
            }
            "mesh.mode" => {
                self.mesh_mode = Some(word(
                    value,
                    &[
                        ("STRICT", MtlsMode::Strict),
                        ("PERMISSIVE", MtlsMode::Permissive),
                        ("DISABLE", MtlsMode::Disable),
                    ],
                )?);
            }
            "injection.unknown" => {
                self.injection_unknown = word(
                    value,
                    &[
                        ("relabel", InjectionUnknown::Relabel),
                        ("assume", InjectionUnknown::Assume),
                        ("ignore", InjectionUnknown::Ignore),
                    ],
                )?;
            }
            "targets.unknown" => {
                self.targets_unknown = word(
                    value,
                    &[
                        ("keep", TargetsUnknown::Keep),
                        ("refuse", TargetsUnknown::Refuse),
                    ],
                )?;
            }
            "certificates.directory" => self.directory = directory(value)?,
            "certificates.volumeName" => self.volume_name = dns_label(value, VOLUME_NAME_MAX)?,
            "scraper.inject" => {
                self.inject = word(
                    value,
                    &[
                        ("unknown", ScraperInject::Unknown),
                        ("always", ScraperInject::Always),
                        ("never", ScraperInject::Never),
                    ],
                )?;
            }
            _ => match field.strip_prefix("severity.") {
                Some(rule) => {
                    let severity = word(
                        value,
                        &[
                            ("off", Severity::Off),
                            ("info", Severity::Info),
                            ("warning", Severity::Warning),
                            ("error", Severity::Error),
                        ],
                    )?;
                    self.severity.insert(rule.to_owned(), severity);
                }
                None if field.is_empty() || GROUPS.contains(&field) => {
                    return Err(Complaint::value(value, "a map of fields"));
                }
                None => return Err(Complaint::Unknown(field.to_owned())),
            },
        }
        Ok(())
    }
}

/// A [`Problem`] that does not know yet where it is.
enum Complaint {
    NotYet,
    Unknown(String),
    Value { said: String, allowed: String },
}

impl Complaint {
    fn value(value: &Value, allowed: impl Into<String>) -> Self {
        Self::Value {
            said: shown(value),
            allowed: allowed.into(),
        }
    }

    fn at(self, at: String) -> Problem {
        let at = at.trim_end_matches('.').to_owned();
        match self {
            Self::NotYet => Problem::NotYet { at },
            Self::Unknown(field) => {
                let (group, name) = field.rsplit_once('.').unwrap_or(("", &field));
                let allowed = fields_of(group);
                Problem::UnknownField {
                    meant: resembling(name, &allowed),
                    allowed: allowed.into_iter().map(str::to_owned).collect(),
                    at,
                }
            }
            Self::Value { said, allowed } => Problem::Value { at, said, allowed },
        }
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
        .map(move |key| Problem::UnknownField {
            at: key.clone(),
            meant: resembling(key, &allowed),
            allowed: allowed.map(str::to_owned).to_vec(),
        })
}

/// Fields and their values, by full path: what `spec` nests, `data` writes flat.
fn leaves<'v>(body: &str, value: &'v Value) -> Vec<(String, &'v Value)> {
    match (body, value) {
        ("data", Value::Object(keys)) => keys
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => nested("", value),
    }
}

fn nested<'v>(path: &str, value: &'v Value) -> Vec<(String, &'v Value)> {
    match value {
        Value::Null => Vec::new(),
        Value::Object(fields) if path.is_empty() || GROUPS.contains(&path) => fields
            .iter()
            .flat_map(|(name, value)| match (path, name.contains('.')) {
                // A dotted key is no nesting: quoted, it is no known field either.
                (_, true) => vec![(format!("{path}{name:?}"), value)],
                ("", false) => nested(name, value),
                (_, false) => nested(&format!("{path}.{name}"), value),
            })
            .collect(),
        _ => vec![(path.to_owned(), value)],
    }
}

fn not_yet(field: &str) -> bool {
    NOT_YET.iter().any(|&name| {
        field
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The names of the supported fields below a group, or of those at the top.
fn fields_of(group: &str) -> Vec<&'static str> {
    let top = SETTINGS
        .iter()
        .chain(&GROUPS)
        .filter(|name| !name.contains('.'));
    let below = SETTINGS.iter().filter_map(|name| {
        let (holder, name) = name.rsplit_once('.')?;
        (holder == group).then_some(name)
    });
    match GROUPS.contains(&group) {
        true => below.collect(),
        false => top.copied().collect(),
    }
}

fn word<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, Complaint> {
    words
        .iter()
        .find(|(word, _)| value.as_str() == Some(word))
        .map(|&(_, meaning)| meaning)
        .ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|&(word, _)| word).collect();
            Complaint::value(value, words.join(", "))
        })
}

fn dns_label(value: &Value, max: usize) -> Result<String, Complaint> {
    let is_label = |text: &&str| {
        (1..=max).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    value
        .as_str()
        .filter(is_label)
        .map(str::to_owned)
        .ok_or_else(|| {
            let allowed = format!(
                "a DNS label as text: 1 to {max} of a-z, 0-9 and `-`, with no `-` at the ends"
            );
            Complaint::value(value, allowed)
        })
}

fn directory(value: &Value) -> Result<String, Complaint> {
    let is_path = |path: &&str| {
        path.strip_prefix('/').is_some_and(|names| {
            names
                .split('/')
                .all(|name| !matches!(name, "" | "." | ".."))
        }) && !path.contains(|c: char| c == ':' || c.is_control())
    };
    value
        .as_str()
        .map(|path| path.trim_end_matches('/'))
        .filter(is_path)
        .map(str::to_owned)
        .ok_or_else(|| {
            Complaint::value(
                value,
                "an absolute path below `/`, without `:`, `.` and `..`",
            )
        })
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

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
