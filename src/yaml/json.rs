//! What does a manifest say in JSON's types, with its texts left where they stand?
//!
//! Authority: the types of JSON; deserializing as `serde_json::Value` does it, with the same errors.
//! Departs from nothing. A text is copied only where it stands in another spelling, as between quotes with escapes.
//! Knows: values. Does not know: which text means which value, where a value stands.

use std::borrow::Cow;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Number, Value};

/// A value of which most is looked at once: what [`Value`] is for those that keep it, at a fraction of its cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'t, str>),
    /// An array.
    List(Vec<Json<'t>>),
    /// An object: its keys in the order in which they are written, none of them twice.
    Map(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl Json<'_> {
    /// The value under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                let entry = entries.iter().find(|(other, _)| other == key);
                entry.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value under a key of the map under a key, and so on.
    pub fn get_below(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text, of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, of an array.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The same value, to be kept.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Map(entries) => {
                let entries = entries.iter();
                let entries =
                    entries.map(|(key, value)| (key.clone().into_owned(), value.to_value()));
                Value::Object(entries.collect())
            }
        }
    }
}

/// The same value, its texts borrowed.
impl<'v> From<&'v Value> for Json<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(entries) => {
                let entries = entries.iter();
                let entries =
                    entries.map(|(key, value)| (Cow::Borrowed(key.as_str()), value.into()));
                Self::Map(entries.collect())
            }
        }
    }
}

/// Reads types without enums of Rust, which have no one shape in JSON.
impl<'de> Deserializer<'de> for &'de Json<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => number.deserialize_any(visitor),
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::List(items) => {
                let mut items = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Json::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.as_ref(), value));
                let mut entries = MapDeserializer::new(entries);
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Json<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_goes_there_and_back() {
        let value = json!({"a": [1, -2, 0.5, true, null, "text", {"b": {}}], "c": []});
        assert_eq!(Json::from(&value).to_value(), value);
    }

    #[test]
    fn a_list_of_a_certain_length_is_no_longer() {
        let json = json!([1, 2]);
        assert_eq!(
            <(i32, i32)>::deserialize(&Json::from(&json)).ok(),
            Some((1, 2))
        );
        assert!(<(i32,)>::deserialize(&Json::from(&json)).is_err());
    }

    #[test]
    fn values_are_found_below_keys() {
        let value = json!({"a": {"b": ["c"]}, "d": null});
        let json = Json::from(&value);
        let list = json.get_below(&["a", "b"]).and_then(Json::as_list);
        assert_eq!(
            list.and_then(|list| list[0].as_str()),
            Some("c"),
            "{json:?}"
        );
        assert!(json.get("d").is_some_and(Json::is_null));
        assert_eq!(json.get_below(&["a", "b", "c"]), None);
        assert_eq!(json.get("a").and_then(Json::as_str), None);
    }
}
