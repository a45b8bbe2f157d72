//! Which results does a ResourceList carry away?
//!
//! Authority: KRM Functions Specification v1, `results`.
//! Departs from nothing; the rule is in `tags.rule`. A change that a check waits for is an error, as its exit code says.
//! Knows: decisions. Does not know: texts.

use serde_json::{Map, Value, json};

use super::{Located, field_path, severity};
use crate::config::Severity;
use crate::rules::{Decision, Failing};

/// One result for each decision that is news or fails the run.
pub fn render(decisions: &[Located], failing: &Failing) -> Vec<Value> {
    decisions
        .iter()
        .filter(|located| located.is_news() || failing.fails(&located.decision))
        .map(|located| result(located, level(&located.decision, failing)))
        .collect()
}

/// Hosts know three severities.
fn level(decision: &Decision, failing: &Failing) -> Severity {
    match decision.severity {
        _ if failing.is_pending(decision) => Severity::Error,
        Severity::Off => Severity::Error,
        severity => severity,
    }
}

fn result(located: &Located, level: Severity) -> Value {
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
    result.insert("severity".into(), json!(severity(level)));
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
