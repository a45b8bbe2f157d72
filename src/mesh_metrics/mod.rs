//! Which objects scrape Istio itself?
//!
//! Authority: Istio's charts for ports and labels, its sources for the names of metrics; the file stands beside each.
//! Departs from Istio's own monitors (samples/addons/extras/prometheus-operator.yaml): Services of revision tags are not
//! scraped as if they were a second control plane, and of each proxy one port is.
//! Knows: what `MeshMetrics` says, the objects of both operators. Does not know: policies, rules, targets, other objects.

mod alerts;
mod answer;
mod kept;
mod scrapes;
mod series;

use serde_json::{Map, Value, json};

use crate::config::{Component, MeshMetrics, Style};

pub use alerts::{ALERTS, Alert};
pub use answer::{Answer, AnswerError, answer};
pub use series::{Level, SERIES, Series, Shape};

/// Says of an object that it was made here, and from the MeshMetrics of which name.
const MADE_BY: &str = "istio-scrape.dev/made-by";
/// The rules of ScrapeTLS that an object accepts.
const ACCEPT: &str = "istio-scrape.dev/accept";

/// Every object that a MeshMetrics asks for, in the order of components, the alerts last.
pub fn objects(config: &MeshMetrics) -> Vec<Value> {
    let scrapes = Component::ALL
        .iter()
        .filter(|component| config.components.contains(component))
        .map(|component| scrapes::of_component(config, *component));
    scrapes.chain(alerts::object_with_alerts(config)).collect()
}

/// The stream that `mesh-metrics` prints.
pub fn stream(config: &MeshMetrics) -> String {
    let documents: Vec<String> = objects(config).iter().map(crate::yaml::block).collect();
    documents.join("---\n")
}

/// Lines for stderr about a configuration that asks for what cannot be had.
pub fn warnings(config: &MeshMetrics) -> Vec<String> {
    alerts::warning(config).into_iter().collect()
}

/// An object of this kind. `accepts` are rules of ScrapeTLS whose findings are known.
fn object(
    config: &MeshMetrics,
    kind: &str,
    suffix: &str,
    accepts: Option<&str>,
    spec: Value,
) -> Value {
    let api_version = match config.style {
        Style::Victoria => "operator.victoriametrics.com/v1beta1",
        Style::Prometheus => "monitoring.coreos.com/v1",
    };
    let namespace = config.namespace.as_ref().unwrap_or(&config.root_namespace);
    let mut metadata = json!({
        "name": format!("{}-{suffix}", config.name),
        "namespace": namespace,
    });
    if !config.labels.is_empty() {
        metadata["labels"] = json!(config.labels);
    }
    let mut annotations = Map::new();
    if let Some(rules) = accepts {
        annotations.insert(ACCEPT.to_owned(), rules.into());
    }
    annotations.insert(MADE_BY.to_owned(), config.name.as_str().into());
    metadata["annotations"] = annotations.into();
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})
}

#[cfg(test)]
mod tests;
