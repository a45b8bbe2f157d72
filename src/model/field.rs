//! What does one field of an object hold?
//!
//! Authority: how the Kubernetes API server decodes JSON: `null` is a missing field, a wrong type is refused.
//! Departs from it: a wrong type refuses what depends on the field, not the whole input.
//! Knows: values and where they sit. Does not know: kinds.

use std::borrow::Cow;

use super::Labels;
use crate::yaml::Json;
use jsonptr::PointerBuf;
use serde::Deserialize;

/// What a field holds, or what is wrong with it.
pub(super) type Read<T> = Result<T, Problem>;

/// A field that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The field.
    pub(super) at: PointerBuf,
    /// What is wrong with it and what is expected.
    pub(super) text: String,
}

/// Notes a problem and goes on without the value. Fields below the same wrong one are one problem.
pub(super) fn noted<T>(read: Read<T>, problems: &mut Vec<Problem>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(problem) => {
            if problems.last() != Some(&problem) {
                problems.push(problem);
            }
            None
        }
    }
}

/// A field: its value, if it has one, and the way to it, spelled out only when something is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    value: Option<&'a Json<'a>>,
    step: Option<(&'a Field<'a>, Step<'a>)>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Field<'a> {
    /// The object itself.
    pub(super) fn root(value: &'a Json<'a>) -> Self {
        Self {
            value: Some(value),
            step: None,
        }
    }

    /// Whether it is there, whatever it holds.
    pub(super) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// A field of this map; a field of a missing map is missing.
    pub(super) fn key(&'a self, key: &'a str) -> Read<Field<'a>> {
        let value = match self.value {
            None => None,
            Some(map @ Json::Map(_)) => map.get(key).filter(|value| !value.is_null()),
            Some(_) => return Err(self.expected("a map")),
        };
        Ok(self.child(value, Step::Key(key)))
    }

    /// The elements of this list; none where it is missing.
    pub(super) fn list(&'a self) -> Read<Vec<Field<'a>>> {
        match self.value {
            None => Ok(Vec::new()),
            Some(Json::List(list)) => Ok(list
                .iter()
                .enumerate()
                .map(|(index, value)| self.child(Some(value), Step::Index(index)))
                .collect()),
            Some(_) => Err(self.expected("a list")),
        }
    }

    /// The entries of this map, `null` among their values; `None` where the map is missing.
    pub(super) fn entries(&'a self) -> Read<Option<Vec<(&'a str, Field<'a>)>>> {
        match self.value {
            None => Ok(None),
            Some(Json::Map(entries)) => Ok(Some(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let value = Some(value).filter(|value| !value.is_null());
                        (key.as_ref(), self.child(value, Step::Key(key)))
                    })
                    .collect(),
            )),
            Some(_) => Err(self.expected("a map")),
        }
    }

    /// A string; the empty one counts as missing, as in Go's `omitempty` fields.
    pub(super) fn text(&self) -> Read<Option<&'a str>> {
        Ok(self.string()?.filter(|text| !text.is_empty()))
    }

    /// A string, the empty one too.
    pub(super) fn string(&self) -> Read<Option<&'a str>> {
        match self.value {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.expected("a string")),
        }
    }

    /// A boolean, false where missing.
    pub(super) fn boolean(&self) -> Read<bool> {
        match self.value {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(self.expected("true or false")),
        }
    }

    /// A number without fraction.
    pub(super) fn integer(&self) -> Read<Option<i64>> {
        let whole = |value: &Json<'_>| match value {
            Json::Number(number) => number.as_i64(),
            _ => None,
        };
        self.value
            .map(|value| whole(value).ok_or_else(|| self.expected("a whole number")))
            .transpose()
    }

    /// Labels or annotations: a map whose values are strings.
    pub(super) fn labels(&self) -> Read<Labels> {
        self.string_map(|_, value| Ok(Some(value.string()?.unwrap_or_default().into())))
    }

    /// Annotations that kustomize prints: it turns scalars into strings, so `true` reads as `"true"`.
    pub(super) fn printed_annotations(&self) -> Read<Labels> {
        self.string_map(|_, value| value.printed().map(Some))
    }

    /// Those of the annotations that are named; the others are looked at, and not kept.
    pub(super) fn printed_annotations_named(&self, names: &[&str]) -> Read<Labels> {
        self.string_map(|name, value| Ok(Some(value.printed()?).filter(|_| names.contains(&name))))
    }

    fn printed(&self) -> Read<Cow<'a, str>> {
        match self.value {
            Some(Json::Bool(scalar)) => Ok(scalar.to_string().into()),
            Some(Json::Number(scalar)) => Ok(scalar.to_string().into()),
            _ => Ok(self.string()?.unwrap_or_default().into()),
        }
    }

    /// The whole value as a type of the Kubernetes API.
    pub(super) fn typed<T: Deserialize<'a>>(&self, expected: &str) -> Read<Option<T>> {
        self.value
            .map(|value| {
                T::deserialize(value)
                    .map_err(|error| self.problem(format!("{error}; expected {expected}")))
            })
            .transpose()
    }

    /// The value as written.
    pub(super) fn written(&self) -> Option<&'a Json<'a>> {
        self.value
    }

    /// Whether there is no such field, or only `null`.
    pub(super) fn is_missing(&self) -> bool {
        self.value.is_none()
    }

    /// Something wrong with this field.
    pub(super) fn problem(&self, text: impl Into<String>) -> Problem {
        Problem {
            at: self.at(),
            text: text.into(),
        }
    }

    /// A value of another type than this.
    pub(super) fn expected(&self, what: &str) -> Problem {
        let found = match self.value {
            None => "nothing".to_owned(),
            Some(Json::Null) => "null".to_owned(),
            Some(Json::Bool(value)) => format!("the boolean {value}"),
            Some(Json::Number(value)) => format!("the number {value}"),
            Some(Json::Text(_)) => "a string".to_owned(),
            Some(Json::List(_)) => "a list".to_owned(),
            Some(Json::Map(_)) => "a map".to_owned(),
        };
        self.problem(format!("expected {what}, found {found}"))
    }

    fn child(&'a self, value: Option<&'a Json<'a>>, step: Step<'a>) -> Field<'a> {
        Field {
            value,
            step: Some((self, step)),
        }
    }

    /// The entries of a map that `read` keeps, with the texts that it makes of them.
    fn string_map<'s>(
        &'s self,
        read: impl Fn(&str, &Field<'s>) -> Read<Option<Cow<'s, str>>>,
    ) -> Read<Labels> {
        let entries = self.entries()?.unwrap_or_default().into_iter();
        entries
            .filter_map(|(key, value)| {
                let text = read(key, &value).transpose()?;
                Some(text.map(|text| (key, text)))
            })
            .collect()
    }

    /// The way to this field.
    pub(super) fn at(&self) -> PointerBuf {
        match self.step {
            None => PointerBuf::root(),
            Some((parent, Step::Key(key))) => parent.at().with_trailing_token(key),
            Some((parent, Step::Index(index))) => parent.at().with_trailing_token(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ServicePort;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
    use serde::de::DeserializeOwned;
    use serde_json::{Error, Value, json};

    use super::*;

    /// What a type of the Kubernetes API reads of a value, or why it does not; the same as of the value of serde_json.
    fn read<T: DeserializeOwned + std::fmt::Debug>(value: &Value) -> Result<String, String> {
        let told = |read: Result<T, Error>| match read {
            Ok(read) => Ok(format!("{read:?}")),
            Err(error) => Err(error.to_string()),
        };
        let ours = told(T::deserialize(&Json::from(value)));
        assert_eq!(ours, told(T::deserialize(value)), "{value}");
        ours
    }

    #[test]
    fn types_of_the_api_are_read_as_of_values_of_serde_json() {
        for port in [
            json!({"port": 80, "targetPort": "web", "name": null, "protocol": "TCP"}),
            json!({"port": 80, "targetPort": 8080, "unknown": {"a": [1]}}),
            json!({"port": 80.0}),
            json!({"port": 1e3}),
            json!({"port": 4_294_967_296_u64}),
            json!({"port": -1, "nodePort": null}),
            json!({"port": true}),
            json!({"port": []}),
            json!({"port": {}}),
            json!({"targetPort": [1], "port": 1}),
            json!({"targetPort": null, "port": null}),
            json!({"name": 5, "port": 1}),
            json!([1]),
            json!("80"),
            json!(80),
            json!(null),
        ] {
            let _ = read::<ServicePort>(&port);
        }
        for selector in [
            json!({"matchLabels": {"app": "demo"}}),
            json!({"matchLabels": {"app": true}}),
            json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}),
            json!({"matchExpressions": {"key": "a"}}),
            json!({"matchExpressions": [{"operator": null}]}),
        ] {
            let _ = read::<LabelSelector>(&selector);
        }
        assert_eq!(
            read::<ServicePort>(&json!({"port": "80"})),
            Err("invalid type: string \"80\", expected i32".to_owned())
        );
    }
}
