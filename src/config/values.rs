//! What may a setting be, and how is it written?
//!
//! Authority: the contract of `ScrapeTLS.spec` and `MeshMetrics.spec`; DNS labels by RFC 1123, as Kubernetes has them.
//! Departs from nothing.
//! Knows: types and ranges of values, lists in a ConfigMap. Does not know: which setting has which type, how it is described.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::resembling;
use super::forms;
use super::table::{Configured, Names, Setting, Takes};
use super::{Problem, Word, Wrong};

/// Length of a DNS label.
pub(super) const DNS_LABEL_MAX: usize = 63;

/// How settings are written: a ConfigMap has texts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// `ScrapeTLS.spec`
    Nested,
    /// `data` of a ConfigMap
    Flat,
}

/// A [`Problem`] that does not know yet where it is.
pub(super) enum Complaint {
    /// No such field.
    Unknown(String),
    /// A field whose name is none of those that may be chosen.
    Name(&'static str),
    /// Nothing for a ConfigMap.
    NotFlat {
        /// What to do instead.
        instead: &'static str,
    },
    /// Wrong type or range.
    Value {
        /// Where in the value, e.g. `[2]`.
        within: String,
        /// The value.
        said: String,
        /// What is allowed.
        allowed: String,
    },
}

impl Complaint {
    /// About the whole value.
    pub(super) fn value(value: &Value, allowed: impl Into<String>) -> Self {
        Self::Value {
            within: String::new(),
            said: shown(value),
            allowed: allowed.into(),
        }
    }

    /// About an element of a list.
    pub(super) fn element(position: usize, value: &Value, allowed: &str) -> Self {
        Self::Value {
            within: format!("[{position}]"),
            said: shown(value),
            allowed: allowed.to_owned(),
        }
    }

    /// The problem in its place, to which these keys lead.
    pub(super) fn at<C: Configured>(self, at: String, keys: Vec<String>) -> Problem {
        let within = match &self {
            Self::Value { within, .. } => within.clone(),
            Self::Unknown(_) | Self::Name(_) | Self::NotFlat { .. } => String::new(),
        };
        let wrong = match self {
            Self::Unknown(field) => {
                let (group, name) = field.rsplit_once('.').unwrap_or(("", &field));
                let allowed = C::CATALOG.fields_of(group);
                Wrong::UnknownField {
                    meant: resembling(name, &allowed),
                    allowed: allowed.into_iter().map(str::to_owned).collect(),
                }
            }
            Self::Name(problem) => Wrong::Name(problem),
            Self::NotFlat { instead } => Wrong::NotInConfigMap(instead),
            Self::Value { said, allowed, .. } => Wrong::Value { said, allowed },
        };
        let position = within.trim_matches(['[', ']', '"']).to_owned();
        let element = Some(position).filter(|position| !position.is_empty());
        Problem {
            at: at + &within,
            keys: keys.into_iter().chain(element).collect(),
            line: None,
            wrong,
        }
    }
}

impl<C> Setting<C> {
    /// Makes the setting. Nothing written is nothing said.
    pub(super) fn put(
        &self,
        config: &mut C,
        value: &Value,
        writing: Writing,
    ) -> Result<(), Complaint> {
        if value.is_null() {
            return Ok(());
        }
        match self.takes {
            Takes::Word(words, put) => put(config, word(value, words)?),
            Takes::DnsLabel(max, put) => put(config, dns_label(value, max)?),
            Takes::Directory(put) => put(config, directory(value)?),
            Takes::Ports(put) => put(config, ports(value, writing)?),
            Takes::Objects(put) => put(config, objects(value, writing)?),
            Takes::Paths(put) => put(config, paths(value, writing)?),
            Takes::Switch(put) => put(config, forms::switch(value)?),
            Takes::Words(words, put) => put(config, forms::words(value, words)?),
            Takes::DnsLabels(put) => put(config, forms::dns_labels(value)?),
            Takes::Duration(put) => put(config, forms::duration(value)?),
            Takes::Labels(put) => put(config, forms::labels(value)?),
            Takes::Relabelling(put) => put(config, forms::relabelling(value)?),
            Takes::Named(Names::Namespaces, words, _) => {
                let words = listed(words, " or ");
                let allowed = format!("a map of names of namespaces to {words}");
                return Err(Complaint::value(value, allowed));
            }
            Takes::Named(Names::Rules, ..) => {
                return Err(Complaint::value(value, "a map of fields"));
            }
        }
        Ok(())
    }

    /// Makes the setting for one name of its map.
    pub(super) fn put_named(
        &self,
        config: &mut C,
        name: String,
        value: &Value,
    ) -> Result<(), Complaint> {
        let Takes::Named(names, words, put) = self.takes else {
            return Err(Complaint::Unknown(format!("{}.{name}", self.path)));
        };
        let position = match value.is_null() {
            true => None,
            false => Some(word(value, words)?),
        };
        // Whether there is a rule of a name is known further up.
        if names == Names::Namespaces && !is_dns_label(&name, DNS_LABEL_MAX) {
            return Err(Complaint::Name(
                "no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends",
            ));
        }
        if let Some(position) = position {
            put(config, name, position);
        }
        Ok(())
    }
}

/// `a, b or c`, with what stands before the last.
pub(super) fn listed(words: &[Word], before_last: &str) -> String {
    let names: Vec<&str> = words.iter().map(|word| word.name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{}{before_last}{last}", others.join(", ")),
        None => String::new(),
    }
}

/// The position of one of some words.
pub(super) fn word(value: &Value, words: &[Word]) -> Result<usize, Complaint> {
    words
        .iter()
        .position(|word| value.as_str() == Some(word.name))
        .ok_or_else(|| Complaint::value(value, listed(words, ", ")))
}

/// Whether it is a DNS label of so many characters at most.
pub(super) fn is_dns_label(text: &str, max: usize) -> bool {
    let is_of_label = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=max).contains(&text.len())
        && text.bytes().all(is_of_label)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS label of so many characters at most.
fn dns_label(value: &Value, max: usize) -> Result<String, Complaint> {
    value
        .as_str()
        .filter(|text| is_dns_label(text, max))
        .map(str::to_owned)
        .ok_or_else(|| {
            let allowed = format!(
                "a DNS label as text: 1 to {max} of a-z, 0-9 and `-`, with no `-` at the ends"
            );
            Complaint::value(value, allowed)
        })
}

/// An absolute path, without trailing slash.
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

/// Numbers of ports.
fn ports(value: &Value, writing: Writing) -> Result<BTreeSet<u16>, Complaint> {
    const ALLOWED: &str = "a number from 1 to 65535";
    let of_text = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u16>().ok(),
        false => None,
    };
    let port = |value: &Value| match (writing, value) {
        (Writing::Nested, Value::Number(number)) => number.as_u64()?.try_into().ok(),
        (Writing::Flat, Value::String(text)) => of_text(text),
        (Writing::Nested | Writing::Flat, _) => None,
    };
    list(value, writing, "a list of numbers from 1 to 65535")?
        .iter()
        .enumerate()
        .map(|(position, element)| {
            port(element)
                .filter(|number| *number > 0)
                .ok_or_else(|| Complaint::element(position, element, ALLOWED))
        })
        .collect()
}

/// Names of files and directories, as written.
fn paths(value: &Value, writing: Writing) -> Result<Vec<String>, Complaint> {
    list(value, writing, "a list of files and directories")?
        .iter()
        .enumerate()
        .map(|(position, element)| {
            element
                .as_str()
                .filter(|path| !path.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| {
                    Complaint::element(position, element, "a file or directory, as text")
                })
        })
        .collect()
}

/// Objects of Kubernetes.
fn objects(value: &Value, writing: Writing) -> Result<Vec<Value>, Complaint> {
    const ALLOWED: &str = "an object with `apiVersion` and `kind`";
    if writing == Writing::Flat {
        return Err(Complaint::NotFlat {
            instead: "use kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1), or context.files",
        });
    }
    let objects = list(value, writing, "a list of objects")?;
    for (position, object) in objects.iter().enumerate() {
        let is_said = |key: &str| {
            let text = object.get(key).and_then(Value::as_str);
            text.is_some_and(|text| !text.is_empty())
        };
        let missing: Vec<&str> = ["apiVersion", "kind"]
            .into_iter()
            .filter(|key| !is_said(key))
            .collect();
        if !object.is_object() {
            return Err(Complaint::element(position, object, ALLOWED));
        }
        if !missing.is_empty() {
            return Err(Complaint::Value {
                within: format!("[{position}]"),
                said: format!("a map without {} as text", missing.join(" and ")),
                allowed: ALLOWED.to_owned(),
            });
        }
    }
    Ok(objects)
}

/// The elements: of a list, or of a text with commas where there are texts only.
fn list(value: &Value, writing: Writing, what: &str) -> Result<Vec<Value>, Complaint> {
    match (writing, value) {
        (Writing::Nested, Value::Array(elements)) => Ok(elements.clone()),
        (Writing::Flat, Value::String(text)) if text.trim().is_empty() => Ok(Vec::new()),
        (Writing::Flat, Value::String(text)) => {
            Ok(text.split(',').map(|part| part.trim().into()).collect())
        }
        (Writing::Nested, _) => Err(Complaint::value(value, what)),
        (Writing::Flat, _) => {
            let allowed = format!("{what}, as one text with commas between them");
            Err(Complaint::value(value, allowed))
        }
    }
}

/// A value as a message says it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
