//! Which number of an object would JSON6902 damage?
//!
//! Authority: kustomize, which reads the patched object into doubles (kyaml/yaml/rnode.go UnmarshalJSON).
//! Departs from nothing: strategic merge keeps every number.
//! Knows: values. Does not know: patches.

use jsonptr::PointerBuf;
use serde_json::{Number, Value};

use crate::report::secrets;

/// Up to here every whole number is a double, too.
const EXACT: u64 = 1 << 53;

/// The first integer that is no double, and where it is; what nobody should read is not told.
pub(super) fn large_integer(value: &Value) -> Option<(PointerBuf, String)> {
    let (at, number) = find(value, &PointerBuf::new())?;
    let is_secret = at
        .tokens()
        .any(|token| secrets::is_secret(&token.decoded()));
    let shown = match is_secret {
        true => "a large integer".to_owned(),
        false => format!("the integer {number}"),
    };
    Some((at, shown))
}

fn find(value: &Value, at: &PointerBuf) -> Option<(PointerBuf, Number)> {
    let below = |token: &str, value: &Value| {
        let mut at = at.clone();
        at.push_back(token);
        find(value, &at)
    };
    match value {
        Value::Number(number) if is_large(number) => Some((at.clone(), number.clone())),
        Value::Object(map) => map.iter().find_map(|(key, value)| below(key, value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, value)| below(&index.to_string(), value)),
        _ => None,
    }
}

fn is_large(number: &Number) -> bool {
    let magnitude = number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs));
    magnitude.is_some_and(|magnitude| magnitude > EXACT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_count_that_no_double_is_certain_to_hold() {
        for (value, expected) in [
            (
                json!({"a": [1, {"b": 9_007_199_254_740_993_u64}]}),
                Some("/a/1/b"),
            ),
            (json!({"a": -9_007_199_254_740_993_i64}), Some("/a")),
            (json!({"a": u64::MAX}), Some("/a")),
            (
                json!({"a": 9_007_199_254_740_992_u64, "b": -9_007_199_254_740_992_i64}),
                None,
            ),
            (json!({"a": 1e20, "b": "9007199254740993", "c": null}), None),
        ] {
            let found = large_integer(&value).map(|(at, _)| at.to_string());
            assert_eq!(found.as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_secret_is_not_told() {
        let (_, shown) = large_integer(&json!({"token": u64::MAX})).expect("a large integer");
        assert_eq!(shown, "a large integer");
    }
}
