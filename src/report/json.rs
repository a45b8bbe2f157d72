//! What do programs read about a run?
//!
//! Authority: ourselves; `version` counts changes of the format. Fields may be added, never renamed.
//! Departs from nothing.
//! Knows: decisions. Does not know: texts.

use serde_json::{Map, Value, json};

use super::{Located, now, secrets, severity, verdict, wanted};
use crate::config::{MtlsMode, Severity};
use crate::model::Object;
use crate::policy::{DataPlane, Link};
use crate::rules::{Demand, JudgedTarget, Verdict, Wanted};

/// The report: a summary, and every decision with what it rests on.
pub fn render(decisions: &[Located]) -> String {
    format!("{:#}\n", report(decisions))
}

fn report(decisions: &[Located]) -> Value {
    json!({
        "version": 1,
        "summary": summary(decisions),
        "decisions": decisions.iter().map(decision).collect::<Vec<_>>(),
    })
}

fn summary(decisions: &[Located]) -> Value {
    let transports = || {
        decisions
            .iter()
            .filter_map(|located| located.decision.transport)
    };
    let wanting = |wanted: Wanted| {
        transports()
            .filter(|transport| transport.wanted == wanted)
            .count()
    };
    let severe = |severity: Severity| {
        decisions
            .iter()
            .filter(|located| located.decision.severity == severity)
            .count()
    };
    let changes = decisions
        .iter()
        .filter(|located| located.decision.verdict == Verdict::Patch)
        .count();
    json!({
        "endpoints": transports().count(),
        "mutualTLS": wanting(Wanted::MutualTls),
        "plain": wanting(Wanted::Plain),
        "perTarget": wanting(Wanted::PerTarget),
        "unknown": wanting(Wanted::Unknown),
        "changes": changes,
        "warnings": severe(Severity::Warning),
        "errors": severe(Severity::Error),
    })
}

fn decision(located: &Located) -> Value {
    let decision = &located.decision;
    let object = &decision.object;
    let mut shown = Map::new();
    shown.insert("object".into(), identity(object));
    let location = &located.location;
    shown.insert(
        "location".into(),
        json!({"file": location.file, "index": location.index, "line": location.line}),
    );
    shown.insert("at".into(), json!(decision.at.as_str()));
    shown.insert("rule".into(), json!(decision.rule.name()));
    shown.insert("severity".into(), json!(severity(decision.severity)));
    shown.insert("verdict".into(), json!(verdict(decision.verdict)));
    if let Some(transport) = decision.transport {
        shown.insert(
            "transport".into(),
            json!({"now": now(transport.now), "wanted": wanted(transport.wanted)}),
        );
        shown.insert(
            "targets".into(),
            decision.targets.iter().map(|one| target(one)).collect(),
        );
        shown.insert(
            "scrapers".into(),
            decision.scrapers.iter().map(|one| identity(one)).collect(),
        );
    }
    shown.insert("message".into(), json!(decision.message));
    shown.insert("patch".into(), without_secrets(json!(located.patch)));
    Value::Object(shown)
}

fn identity(object: &Object) -> Value {
    json!({"apiVersion": object.api_version, "kind": object.kind, "namespace": object.namespace, "name": object.name})
}

/// Annotations hold YAML, and that may hold anything.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(secrets::masked_value(&text)),
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| match secrets::is_secret(&key) {
                true => (key, covered(value)),
                false => (key, without_secrets(value)),
            })
            .collect(),
        other => other,
    }
}

/// The shape of a value that nobody should read.
fn covered(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(covered).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, covered(value)))
            .collect(),
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => json!("***"),
    }
}

fn target(target: &JudgedTarget) -> Value {
    let mut workload =
        json!({"kind": target.kind, "namespace": target.namespace, "name": target.name});
    if let Some(part) = target.part {
        workload["part"] = json!(part);
    }
    json!({
        "workload": workload,
        "port": target.port,
        "via": target.via,
        "dataPlane": data_plane(target.data_plane),
        "captured": target.captured,
        "mode": target.mode.map(mode),
        "proven": target.proven,
        "demand": demand(target.demand),
        "because": target.because,
        "chain": target.chain.iter().map(link).collect::<Vec<_>>(),
    })
}

fn link(link: &Link) -> Value {
    json!({
        "level": link.level.name(),
        "policy": link.policy,
        "says": link.mode(),
        "part": link.part.name(),
        "why": link.why,
    })
}

pub(super) fn data_plane(plane: Option<DataPlane>) -> &'static str {
    match plane {
        Some(DataPlane::Sidecar) => "sidecar",
        Some(DataPlane::Ambient) => "ambient",
        Some(DataPlane::None) => "none",
        None => "unknown",
    }
}

pub(super) fn mode(mode: MtlsMode) -> &'static str {
    mode.word()
}

pub(super) fn demand(demand: Demand) -> &'static str {
    match demand {
        Demand::MutualTls => "mutualTLS",
        Demand::Plain => "plain",
        Demand::Unreachable => "unreachable",
        Demand::MutualTlsIfInjected | Demand::Unknown => "unknown",
    }
}
