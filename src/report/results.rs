//! Which results does a ResourceList carry away?
//!
//! Authority: KRM Functions Specification v1, `results`.
//! Departs from nothing; the rule is in `tags.rule`.
//! Knows: decisions. Does not know: texts.

use serde_json::{Map, Value, json};

use super::{Located, field_path, severity};

/// One result for each decision that is news.
pub fn render(decisions: &[Located]) -> Vec<Value> {
    decisions
        .iter()
        .filter(|located| located.is_news())
        .map(result)
        .collect()
}

fn result(located: &Located) -> Value {
    let decision = &located.decision;
    let mut reference = Map::new();
    reference.insert("apiVersion".into(), json!(decision.object.api_version));
    reference.insert("kind".into(), json!(decision.object.kind));
    if !decision.object.namespace.is_empty() && !decision.object.namespace_assumed {
        reference.insert("namespace".into(), json!(decision.object.namespace));
    }
    reference.insert("name".into(), json!(decision.object.name));
    let mut result = Map::new();
    result.insert("message".into(), json!(decision.message));
    result.insert("severity".into(), json!(severity(decision.severity)));
    result.insert("resourceRef".into(), Value::Object(reference));
    let path = field_path(&decision.at);
    if !path.is_empty() {
        result.insert("field".into(), json!({ "path": path }));
    }
    if located.location.file != "-" {
        result.insert(
            "file".into(),
            json!({"path": located.location.file, "index": located.location.index}),
        );
    }
    result.insert("tags".into(), json!({"rule": decision.rule.name()}));
    Value::Object(result)
}
