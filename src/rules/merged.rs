//! Are the metrics of a port scraped twice, directly and through the sidecar?
//!
//! Authority: Istio's page "Prometheus", metrics merging; `policy` says which ports the sidecar of pods serves again.
//! Departs from nothing: where nobody in the input scrapes the sidecar's port, it is said as a possibility.
//! Knows: endpoints, what they reach. Does not know: which series a port has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Rule;
use super::decision::{Decision, JudgedTarget};
use super::endpoint::JudgedEndpoint;
use super::scraper::Patched;
use crate::model::{Endpoint, Object, Scrape};
use crate::policy::{self, DataPlane, MergedMetrics};

/// Pods, as targets name them.
type PodsOf<'a> = (&'a str, &'a str, &'a str, Option<&'static str>);

fn pods_of(target: &JudgedTarget) -> PodsOf<'_> {
    (&target.kind, &target.namespace, &target.name, target.part)
}

/// A finding for each endpoint that asks a port whose metrics the sidecar serves too.
pub(super) fn decide_all(patched: &Patched<'_>, endpoints: &[JudgedEndpoint]) -> Vec<Decision> {
    let mesh = patched.mesh();
    let merged: BTreeMap<PodsOf<'_>, MergedMetrics> = patched
        .inventory
        .workloads
        .iter()
        .filter_map(|pods| {
            let object = &pods.object;
            let place = (
                object.kind.as_str(),
                object.namespace.as_str(),
                object.name.as_str(),
                pods.part,
            );
            Some((place, policy::merged_metrics(&mesh, pods)?))
        })
        .collect();
    if merged.is_empty() {
        return Vec::new();
    }
    let scrapes = patched.inventory.scrapes.iter();
    let written = scrapes.flat_map(|scrape| scrape.endpoints.iter().map(move |one| (scrape, one)));
    let all: Vec<_> = written.zip(endpoints).collect();
    let through_sidecar = through_sidecar(&merged, &all);
    all.iter()
        .flat_map(|(written, judged)| of_endpoint(&merged, &through_sidecar, *written, judged))
        .collect()
}

/// Who asks the sidecars of which pods.
fn through_sidecar<'a>(
    merged: &BTreeMap<PodsOf<'_>, MergedMetrics>,
    all: &[((&'a Scrape, &'a Endpoint), &'a JudgedEndpoint)],
) -> BTreeMap<PodsOf<'a>, BTreeSet<&'a Object>> {
    let mut found: BTreeMap<PodsOf<'a>, BTreeSet<&'a Object>> = BTreeMap::new();
    for ((scrape, endpoint), judged) in all {
        let follows =
            judged.decision.rule == Rule::AddressIsRewritten && follows_annotations(endpoint);
        for target in judged.judged.iter().map(|judged| &judged.shown) {
            let Some(metrics) = merged.get(&pods_of(target)) else {
                continue;
            };
            if follows || (target.port.is_some() && target.port == metrics.served_at) {
                found
                    .entry(pods_of(target))
                    .or_default()
                    .insert(&scrape.object);
            }
        }
    }
    found
}

/// Whether the port comes from the annotation, which injection turns to the sidecar's.
fn follows_annotations(endpoint: &Endpoint) -> bool {
    let rules = endpoint.relabelings.iter().flatten();
    let mut sources = rules
        .filter_map(|rule| {
            rule.get("sourceLabels")
                .or_else(|| rule.get("source_labels"))
        })
        .filter_map(Value::as_array)
        .flatten();
    sources.any(|label| label == "__meta_kubernetes_pod_annotation_prometheus_io_port")
}

fn of_endpoint(
    merged: &BTreeMap<PodsOf<'_>, MergedMetrics>,
    through_sidecar: &BTreeMap<PodsOf<'_>, BTreeSet<&Object>>,
    (scrape, endpoint): (&Scrape, &Endpoint),
    judged: &JudgedEndpoint,
) -> Vec<Decision> {
    if judged.decision.rule == Rule::AddressIsRewritten {
        return Vec::new();
    }
    let path = endpoint.path.as_deref();
    let path = path.unwrap_or(endpoint.kind.description().default_path);
    let mut certain: BTreeSet<String> = BTreeSet::new();
    let mut who: BTreeSet<String> = BTreeSet::new();
    let mut possible: BTreeSet<String> = BTreeSet::new();
    for target in judged.judged.iter().map(|judged| &judged.shown) {
        let metrics = merged.get(&pods_of(target)).filter(|metrics| {
            target.port == Some(metrics.port)
                && path.trim_start_matches('/') == metrics.path.trim_start_matches('/')
                && target.data_plane == Some(DataPlane::Sidecar)
        });
        let Some(metrics) = metrics else {
            continue;
        };
        match through_sidecar.get(&pods_of(target)) {
            Some(others) => {
                certain.insert(metrics.because.clone());
                who.extend(others.iter().map(ToString::to_string));
            }
            None => {
                possible.insert(metrics.because.clone());
            }
        }
    }
    let finding = |message| {
        let at = judged.decision.at.clone();
        Decision::finding(&scrape.object, at, Rule::MergedAndScraped, message)
    };
    let way_out = "scrape only one of the two, or annotate the pods prometheus.istio.io/merge-metrics: \"false\"";
    let mut findings = Vec::new();
    if !certain.is_empty() {
        findings.push(finding(format!(
            "these metrics are scraped twice: the sidecar serves them merged with its own ({}), and there {} asks for \
             them; {way_out}",
            joined(&certain),
            joined(&who)
        )));
    }
    if !possible.is_empty() {
        findings.push(finding(format!(
            "the sidecar serves these metrics too, merged with its own ({}): they come twice if somebody scrapes the sidecar besides; \
             {way_out}",
            joined(&possible)
        )));
    }
    findings
}

fn joined(parts: &BTreeSet<String>) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    parts.join("; ")
}
