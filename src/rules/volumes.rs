//! Would a scraper's pods have a volume twice?
//!
//! Authority: istio/istio injection-template.yaml, which adds what `sidecar.istio.io/userVolume` lists to the pod's volumes.
//! Departs from nothing.
//! Knows: a scraper's `spec`. Does not know: which volume the certificates need.

use std::collections::BTreeSet;

use jsonptr::PointerBuf;
use serde_json::Value;

use super::Rule;
use super::decision::Decision;
use super::scraper::Patched;
use crate::model::Scraper;

const USER_VOLUME: &str = "sidecar.istio.io/userVolume";

/// The volumes that an annotation and `spec.volumes` define both, and annotations that nobody can read.
pub(super) fn decide_all(patched: &Patched<'_>) -> Vec<Decision> {
    let scrapers = patched.inventory.scrapers.iter();
    scrapers.filter_map(of_scraper).collect()
}

fn of_scraper(scraper: &Scraper) -> Option<Decision> {
    let annotation = scraper.pods.annotations.get(USER_VOLUME)?;
    let at = PointerBuf::from_tokens(["spec", "podMetadata", "annotations", USER_VOLUME]);
    let annotated = match serde_json::from_str(annotation) {
        Ok(volumes) => names(&volumes),
        Err(error) => {
            let message = format!("not valid JSON, as the injector reads it: {error}");
            let rule = Rule::NotUnderstood;
            return Some(Decision::finding(&scraper.object, at, rule, message));
        }
    };
    let volumes = names(scraper.spec.get("volumes")?);
    let both: Vec<_> = annotated
        .intersection(&volumes)
        .map(String::as_str)
        .collect();
    if both.is_empty() {
        return None;
    }
    Some(Decision::finding(
        &scraper.object,
        at,
        Rule::VolumeIsDefinedTwice,
        format!(
            "the annotation adds volume {} to the pods, which spec.volumes adds too: injection merges the two, or the pod is \
             refused; remove it from the annotation, spec.volumes is enough",
            both.join(" and ")
        ),
    ))
}

/// The names of volumes, in a list or, as the injector reads annotations too, as keys of a map.
fn names(volumes: &Value) -> BTreeSet<String> {
    let named = |volume: &Value| Some(volume.get("name")?.as_str()?.to_owned());
    match volumes {
        Value::Array(volumes) => volumes.iter().filter_map(named).collect(),
        Value::Object(volumes) => volumes.keys().cloned().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}
