//! Which settings does a configuration object make?
//!
//! Authority: the fields of `ScrapeTLS.spec`, which are also the keys of a ConfigMap's `data`.
//! Departs from nothing.
//! Knows: fields, what is allowed in them. Does not know: which object counts.

use serde_json::{Map, Value};

use super::error::resembling;
use super::values::{self, Complaint, DNS_LABEL_MAX, Writing, directory, dns_label, word};
use super::{
    CertificatesVia, Config, ConfigError, FailOn, InjectionUnknown, Interception, MtlsMode,
    NamespaceInjection, Problem, RunMode, ScraperInject, SelfScrape, Severity, TargetsMixed,
    TargetsUnknown,
};

/// Fields that hold fields.
const GROUPS: [&str; 8] = [
    "mesh",
    "context",
    "injection",
    NAMESPACES,
    "targets",
    "certificates",
    "scraper",
    "severity",
];

/// The field whose fields are names of namespaces.
const NAMESPACES: &str = "injection.namespaces";

/// Fields that hold a value. `severity` takes any rule's name besides, `injection.namespaces` any namespace's.
const SETTINGS: [&str; 18] = [
    "mode",
    "failOn",
    "namespace",
    "mesh.rootNamespace",
    "mesh.mode",
    "mesh.excludeInboundPorts",
    "context.resources",
    "context.files",
    "injection.unknown",
    "targets.unknown",
    "targets.mixed",
    "certificates.directory",
    "certificates.volumeName",
    "certificates.via",
    "certificates.scrapeClassName",
    "scraper.inject",
    "scraper.interception",
    "scraper.selfScrape",
];

/// Room that a volume name leaves for the suffix `-scrape` below the 63 characters of a DNS label.
const VOLUME_NAME_MAX: usize = 63 - "-scrape".len();

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
        let writing = match body {
            "data" => Writing::Flat,
            _ => Writing::Nested,
        };
        let mut config = Self::default();
        let problems: Vec<Problem> = strangers(object, body)
            .chain(
                leaves(body, object.get(body).unwrap_or(&Value::Null))
                    .into_iter()
                    .filter_map(|(field, value)| {
                        let problem = config.set(&field, value, writing).err()?;
                        let at = match field.is_empty() {
                            true => body.to_owned(),
                            false => format!("{body}.{field}"),
                        };
                        Some(problem.at(at, fields_of))
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

    fn set(&mut self, field: &str, value: &Value, writing: Writing) -> Result<(), Complaint> {
        match field {
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
            "mesh.excludeInboundPorts" => {
                self.exclude_inbound_ports = Some(values::ports(value, writing)?);
            }
            "context.resources" => self.context_resources = values::objects(value, writing)?,
            "context.files" => self.context_files = values::paths(value, writing)?,
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
            "targets.mixed" => {
                self.targets_mixed = word(
                    value,
                    &[
                        ("relabel", TargetsMixed::Relabel),
                        ("keep", TargetsMixed::Keep),
                        ("refuse", TargetsMixed::Refuse),
                    ],
                )?;
            }
            "certificates.directory" => self.directory = directory(value)?,
            "certificates.volumeName" => self.volume_name = dns_label(value, VOLUME_NAME_MAX)?,
            "certificates.via" => {
                self.via = word(
                    value,
                    &[
                        ("endpoint", CertificatesVia::Endpoint),
                        ("scrapeClass", CertificatesVia::ScrapeClass),
                    ],
                )?;
            }
            "certificates.scrapeClassName" => {
                self.scrape_class_name = dns_label(value, DNS_LABEL_MAX)?;
            }
            "scraper.interception" => {
                self.interception = word(
                    value,
                    &[
                        ("keep", Interception::Keep),
                        ("bypass", Interception::Bypass),
                    ],
                )?;
            }
            "scraper.selfScrape" => {
                self.self_scrape = word(
                    value,
                    &[("patch", SelfScrape::Patch), ("ignore", SelfScrape::Ignore)],
                )?;
            }
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
            _ => self.set_named(field, value)?,
        }
        Ok(())
    }

    /// Fields whose last part is a name that somebody chose, and all that are none.
    fn set_named(&mut self, field: &str, value: &Value) -> Result<(), Complaint> {
        if let Some(rule) = field.strip_prefix("severity.") {
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
            return Ok(());
        }
        if let Some(name) = namespace_in(field) {
            let plane = word(
                value,
                &[
                    ("sidecar", NamespaceInjection::Sidecar),
                    ("ambient", NamespaceInjection::Ambient),
                    ("none", NamespaceInjection::None),
                ],
            )?;
            let name = dns_label(&Value::from(name), DNS_LABEL_MAX).map_err(|_| {
                Complaint::Name(
                    "no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends",
                )
            })?;
            self.namespaces.insert(name, plane);
            return Ok(());
        }
        match field {
            NAMESPACES => Err(Complaint::value(
                value,
                "a map of names of namespaces to sidecar, ambient or none",
            )),
            _ if field.is_empty() || GROUPS.contains(&field) => {
                Err(Complaint::value(value, "a map of fields"))
            }
            _ => Err(Complaint::Unknown(field.to_owned())),
        }
    }
}

/// The name in `injection.namespaces.<name>`; `nested` quotes one with dots.
fn namespace_in(field: &str) -> Option<&str> {
    let rest = field.strip_prefix(NAMESPACES)?;
    rest.strip_prefix('.')
        .or_else(|| Some(rest).filter(|rest| rest.starts_with('"')))
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

/// The names of the supported fields below a group, or of those at the top.
fn fields_of(group: &str) -> Vec<&'static str> {
    let all = || SETTINGS.iter().chain(&GROUPS);
    let top = all().filter(|name| !name.contains('.'));
    let below = all().filter_map(|name| {
        let (holder, name) = name.rsplit_once('.')?;
        (holder == group).then_some(name)
    });
    match GROUPS.contains(&group) {
        true => below.collect(),
        false => top.copied().collect(),
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
