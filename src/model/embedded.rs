//! What does a string say that holds YAML or JSON itself?
//!
//! Authority: Istio reads `proxy.istio.io/config` with `ApplyYAML`, the injection template `sidecar.istio.io/userVolumeMount` as JSON,
//! which YAML includes.
//! Departs from it: several documents in one string are refused.
//! Knows: text in annotations. Does not know: what it configures.

use serde_json::Value;

use crate::yaml::{self, Rules};

/// The value that a string holds; `Null` for an empty one.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn embedded(text: &str) -> Result<Value, String> {
    let documents = yaml::read(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [document] => match &document.root {
            Some(root) => root
                .value(Rules::Kubectl)
                .map_err(|error| error.to_string()),
            None => Ok(Value::Null),
        },
        _ => Err("it holds more than one document".to_owned()),
    }
}
