//! How does a program check a configuration before we read it?
//!
//! Authority: JSON Schema 2020-12; for the other dialect, what Kubernetes calls a structural schema (apiextensions.k8s.io/v1).
//! Departs from it: nothing. An empty value is allowed everywhere and means the default, as in Kubernetes.
//! Knows: the tables of settings. Does not know: names of rules, files, editors.

use serde_json::{Map, Value, json};

use super::forms::{ACTIONS_OF_A_RULE, LABEL_MAX, PREFIX_MAX, TEXTS_OF_A_RULE};
use super::table::{Configured, Found, Names, Setting, Takes, Unsaid};
use super::values::DNS_LABEL_MAX;
use super::{Config, MeshMetrics, Severity, Word};

/// A rule, as far as a configuration can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleName {
    /// Its name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub means: &'static str,
    /// How much it matters unless the configuration says otherwise.
    pub severity: Severity,
}

/// A DNS label, but for its length.
const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// An absolute path of names that are neither empty, `.` nor `..`, and have no `:` and no control characters. Without
/// looking ahead, which Kubernetes cannot.
const DIRECTORY: &str = concat!(
    r"^(/(\.{0,2}[^/:.\x00-\x1f\x7f-\x9f][^/:\x00-\x1f\x7f-\x9f]*",
    r"|\.\.\.[^/:\x00-\x1f\x7f-\x9f]*))+/*$"
);

/// A time of hours, minutes and seconds.
const DURATION: &str = "^([1-9][0-9]*h)?([1-9][0-9]*m)?([1-9][0-9]*s)?$";

/// The JSON Schema of kind ScrapeTLS.
pub fn of_scrape_tls(rules: &[RuleName]) -> Value {
    of_kind::<Config>(rules)
}

/// The JSON Schema of kind MeshMetrics.
pub fn of_mesh_metrics() -> Value {
    let mut schema = of_kind::<MeshMetrics>(&[]);
    schema["properties"]["metadata"]["properties"] = json!({
        "name": {"type": "string", "pattern": DNS_LABEL, "maxLength": DNS_LABEL_MAX},
    });
    schema
}

fn of_kind<C: Configured>(rules: &[RuleName]) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": C::KIND,
        "description": C::ABOUT,
        "type": "object",
        "required": ["apiVersion", "kind"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"type": "string", "const": "istio-scrape.dev/v1alpha1"},
            "kind": {"type": "string", "const": C::KIND},
            "metadata": {"type": ["object", "null"]},
        },
    });
    schema["properties"]["spec"] = fields::<C>("", "The settings.", rules);
    schema
}

/// The fields of a group, or those at the top.
fn fields<C: Configured>(group: &str, about: &str, rules: &[RuleName]) -> Value {
    let one = |name: &str| {
        let path = match group {
            "" => name.to_owned(),
            group => format!("{group}.{name}"),
        };
        let schema = match C::CATALOG.find(&path) {
            Found::Setting(setting) => setting.schema(rules),
            Found::Group | Found::Named { .. } | Found::Nothing => {
                let about = C::CATALOG.groups.iter().find(|(group, _)| *group == path);
                fields::<C>(&path, about.map_or("", |(_, about)| *about), rules)
            }
        };
        (name.to_owned(), schema)
    };
    let names = C::CATALOG.fields_of(group).into_iter();
    let properties: Map<String, Value> = names.map(one).collect();
    json!({
        "description": about,
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}

impl<C> Setting<C> {
    fn schema(&self, rules: &[RuleName]) -> Value {
        let mut schema = self.takes.schema(rules);
        schema["description"] = self.described().into();
        match (&self.default, &self.takes) {
            (Unsaid::Text(text), _) => schema["default"] = (*text).into(),
            (Unsaid::Words(words), _) => schema["default"] = json!(words),
            (Unsaid::No, _) => schema["default"] = false.into(),
            (Unsaid::Empty, Takes::Named(..) | Takes::Labels(_)) => schema["default"] = json!({}),
            (Unsaid::Empty, _) => schema["default"] = json!([]),
            (Unsaid::Nothing, _) => {}
        }
        schema
    }

    /// What the setting does and what its words mean: the sentences of the manual.
    fn described(&self) -> String {
        match self.takes {
            Takes::Word(words, _) | Takes::Words(words, _) | Takes::Named(_, words, _) => {
                format!("{} {}.", self.does, meanings(words))
            }
            Takes::DnsLabel(..)
            | Takes::Directory(_)
            | Takes::Ports(_)
            | Takes::Objects(_)
            | Takes::Paths(_)
            | Takes::Switch(_)
            | Takes::DnsLabels(_)
            | Takes::Duration(_)
            | Takes::Labels(_)
            | Takes::Relabelling(_) => self.does.to_owned(),
        }
    }
}

impl<C> Takes<C> {
    fn schema(&self, rules: &[RuleName]) -> Value {
        match self {
            Takes::Word(words, _) => one_of(words),
            Takes::DnsLabel(max, _) => {
                json!({"type": ["string", "null"], "pattern": DNS_LABEL, "maxLength": max})
            }
            Takes::Directory(_) => json!({"type": ["string", "null"], "pattern": DIRECTORY}),
            Takes::Ports(_) => json!({
                "type": ["array", "null"],
                "items": {"type": "integer", "minimum": 1, "maximum": u16::MAX},
            }),
            Takes::Objects(_) => json!({
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "required": ["apiVersion", "kind"],
                    "properties": {
                        "apiVersion": {"type": "string", "minLength": 1},
                        "kind": {"type": "string", "minLength": 1},
                    },
                },
            }),
            Takes::Paths(_) => json!({
                "type": ["array", "null"],
                "items": {"type": "string", "minLength": 1},
            }),
            Takes::Switch(_) => json!({"type": ["boolean", "null"]}),
            Takes::Words(words, _) => json!({
                "type": ["array", "null"],
                "minItems": 1,
                "items": {"type": "string", "enum": words.iter().map(|word| word.name).collect::<Vec<_>>()},
            }),
            Takes::DnsLabels(_) => json!({
                "type": ["array", "null"],
                "items": {"type": "string", "pattern": DNS_LABEL, "maxLength": DNS_LABEL_MAX},
            }),
            Takes::Duration(_) => {
                json!({"type": ["string", "null"], "pattern": DURATION, "minLength": 1})
            }
            Takes::Labels(_) => labels(),
            Takes::Relabelling(_) => relabelling(),
            Takes::Named(Names::Namespaces, words, _) => json!({
                "type": ["object", "null"],
                "propertyNames": {"pattern": DNS_LABEL, "maxLength": DNS_LABEL_MAX},
                "additionalProperties": one_of(words),
            }),
            Takes::Named(Names::Rules, words, _) => {
                let properties: Map<String, Value> = rules
                    .iter()
                    .map(|rule| {
                        let mut schema = one_of(words);
                        let severity = rule.severity.word();
                        let said = format!("{} Not set: `{severity}`.", rule.means);
                        schema["description"] = said.into();
                        (rule.name.to_owned(), schema)
                    })
                    .collect();
                json!({
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "properties": properties,
                })
            }
        }
    }
}

/// Labels of Kubernetes objects.
fn labels() -> Value {
    let text = format!(
        "[A-Za-z0-9]([-A-Za-z0-9_.]{{0,{}}}[A-Za-z0-9])?",
        LABEL_MAX - 2
    );
    let prefix = format!("[a-z0-9]([-a-z0-9.]{{0,{}}}[a-z0-9])?/", PREFIX_MAX - 2);
    json!({
        "type": ["object", "null"],
        "propertyNames": {"pattern": format!("^({prefix})?{text}$")},
        "additionalProperties": {"type": "string", "pattern": format!("^({text})?$")},
    })
}

/// Relabelling rules with the fields that the operators of VictoriaMetrics and Prometheus share.
fn relabelling() -> Value {
    let texts = TEXTS_OF_A_RULE.map(|field| (field.to_owned(), json!({"type": "string"})));
    let mut fields = Map::from_iter(texts);
    fields["action"]["enum"] = json!(ACTIONS_OF_A_RULE);
    fields.insert(
        "modulus".to_owned(),
        json!({"type": "integer", "minimum": 0}),
    );
    fields.insert(
        "sourceLabels".to_owned(),
        json!({"type": "array", "items": {"type": "string"}}),
    );
    json!({
        "type": ["array", "null"],
        "items": {"type": "object", "additionalProperties": false, "properties": fields},
    })
}

fn one_of(words: &[Word]) -> Value {
    let names = words.iter().map(|word| Value::from(word.name));
    let names: Vec<Value> = names.chain([Value::Null]).collect();
    json!({"type": ["string", "null"], "enum": names})
}

/// `a`: what it means; `b`: what it means
fn meanings(words: &[Word]) -> String {
    let meanings: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`: {}", word.name, word.means))
        .collect();
    meanings.join("; ")
}

/// The same schema as Kubernetes writes one: fields that are not named are dropped and not forbidden, an empty value is
/// no value, and what may hold anything says so.
pub fn openapi(schema: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return schema.clone();
    };
    let mut written = Map::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("$schema" | "title" | "propertyNames", _)
            | ("additionalProperties", Value::Bool(_)) => {}
            ("type", Value::Array(types)) => {
                let first = types.iter().find(|one| *one != "null").cloned();
                written.insert(key.clone(), first.unwrap_or(Value::Null));
            }
            ("enum", Value::Array(values)) => {
                let values = values.iter().filter(|value| !value.is_null()).cloned();
                written.insert(key.clone(), values.collect());
            }
            ("const", value) => {
                written.insert("enum".to_owned(), json!([value]));
            }
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter();
                let properties = properties.map(|(name, schema)| (name.clone(), openapi(schema)));
                written.insert(key.clone(), properties.collect::<Map<_, _>>().into());
            }
            ("items" | "additionalProperties", schema) => {
                written.insert(key.clone(), openapi(schema));
            }
            _ => {
                written.insert(key.clone(), value.clone());
            }
        }
    }
    let is_open = schema.contains_key("required") && !schema.contains_key("additionalProperties");
    if is_open {
        written.insert(
            "x-kubernetes-preserve-unknown-fields".to_owned(),
            true.into(),
        );
    }
    Value::Object(written)
}
