//! How is a value written inside brackets, or into JSON?
//!
//! Authority: RFC 8259 for JSON; YAML 1.2.2, 7.4 for flow style.
//! Departs from it: nothing.
//! Knows: values and the look of the neighbours. Does not know: the text around.

use serde_json::Value;

use super::is_empty;
use super::quote::{double, flow_scalar, key};

/// The look of what stands inside brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::yaml) struct FlowStyle {
    /// All strings and keys in double quotes.
    pub(in crate::yaml) json: bool,
    /// No space behind `,` and `:`.
    pub(in crate::yaml) tight: bool,
    /// One element per line, each level indented by this.
    pub(in crate::yaml) unit: Option<String>,
}

impl FlowStyle {
    /// A value whose first line begins on a line indented by `indent`.
    pub(in crate::yaml) fn value(&self, value: &Value, indent: &str) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => self.brackets(
                '{',
                map.iter().map(|(k, v)| (Some(k.as_str()), v)),
                '}',
                indent,
            ),
            Value::Array(items) if !items.is_empty() => {
                self.brackets('[', items.iter().map(|v| (None, v)), ']', indent)
            }
            Value::String(string) if self.json => double(string),
            _ if is_empty(value) || self.json => value.to_string(),
            _ => flow_scalar(value, None),
        }
    }

    /// `key: value`, or the value alone.
    pub(in crate::yaml) fn part(&self, name: Option<&str>, value: &Value, indent: &str) -> String {
        let value = self.value(value, indent);
        let colon = if self.tight { ":" } else { ": " };
        match name {
            Some(name) if self.json => double(name) + colon + &value,
            Some(name) => key(name) + colon + &value,
            None => value,
        }
    }

    /// What stands between two parts that are indented by `indent`.
    pub(in crate::yaml) fn separator(&self, indent: &str, eol: &str) -> String {
        match &self.unit {
            Some(_) => format!(",{eol}{indent}"),
            None if self.tight => ",".to_owned(),
            None => ", ".to_owned(),
        }
    }

    fn brackets<'v>(
        &self,
        open: char,
        parts: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        close: char,
        indent: &str,
    ) -> String {
        let inner = indent.to_owned() + self.unit.as_deref().unwrap_or_default();
        let parts: Vec<_> = parts
            .map(|(name, value)| self.part(name, value, &inner))
            .collect();
        let parts = parts.join(&self.separator(&inner, "\n"));
        match &self.unit {
            Some(_) => format!("{open}\n{inner}{parts}\n{indent}{close}"),
            None => format!("{open}{parts}{close}"),
        }
    }
}
