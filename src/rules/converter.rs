//! Does the operator's converter write over a scrape object?
//!
//! Authority: VictoriaMetrics operator `factory/converter` and `docs/integrations/prometheus.md`: what it makes of an object
//! of the Prometheus operator has that one's namespace and name, and its `spec` replaces what is there.
//! Departs from nothing: with nothing in the input but scrapers of the Prometheus operator, nobody is taken to convert.
//! Knows: scrape objects, scrapers. Does not know: targets.

use std::collections::BTreeMap;

use jsonptr::PointerBuf;

use super::Rule;
use super::decision::Decision;
use crate::model::{Inventory, Scrape, ScrapeKind};

/// A finding for each object that the converter writes over.
pub(super) fn decide_all(inventory: &Inventory) -> Vec<Decision> {
    let mut scrapers = inventory.scrapers.iter();
    if !inventory.scrapers.is_empty() && scrapers.all(|scraper| scraper.kind.is_prometheus()) {
        return Vec::new();
    }
    let sources: BTreeMap<_, &Scrape> = inventory
        .scrapes
        .iter()
        .filter_map(|scrape| {
            let into = scrape.kind.description().converted_into?;
            Some((place(scrape, into), scrape))
        })
        .collect();
    if sources.is_empty() {
        return Vec::new();
    }
    inventory
        .scrapes
        .iter()
        // An object of the same place that is made, or is a part of another, is no object of the input.
        .filter(|scrape| !scrape.is_self_scrape && !scrape.object.context)
        .filter(|scrape| !scrape.ignores_prometheus)
        .filter_map(|scrape| Some((scrape, sources.get(&place(scrape, scrape.kind))?)))
        .map(|(scrape, source)| {
            let message = format!(
                "the operator's converter writes what it makes of {} over this spec, and over what is changed here: \
                 change that one, and remove this; or annotate this \
                 operator.victoriametrics.com/ignore-prometheus-updates: enabled",
                source.object
            );
            Decision::finding(
                &scrape.object,
                PointerBuf::new(),
                Rule::ConverterOverwrites,
                message,
            )
        })
        .collect()
}

fn place(scrape: &Scrape, kind: ScrapeKind) -> (ScrapeKind, &str, &str) {
    (kind, &scrape.object.namespace, &scrape.object.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::{ScraperKind, read};

    /// Whether a finding is made beside scrapers of these kinds.
    fn is_said_beside(scrapers: &[ScraperKind]) -> bool {
        let object = |version: &str, kind: &str, name: &str| {
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "demo"},
                "spec": {"endpoints": []}})
        };
        let operator = "operator.victoriametrics.com/v1beta1";
        let mut objects = vec![
            object("monitoring.coreos.com/v1", "ServiceMonitor", "web"),
            object(operator, "VMServiceScrape", "web"),
        ];
        objects.extend(scrapers.iter().map(|_| object(operator, "VMAgent", "main")));
        let mut inventory = read(objects.iter().enumerate(), &Config::default());
        for (scraper, kind) in inventory.scrapers.iter_mut().zip(scrapers) {
            scraper.kind = *kind;
        }
        !decide_all(&inventory).is_empty()
    }

    #[test]
    fn somebody_converts_unless_all_scrapers_are_of_the_other_operator() {
        use ScraperKind::{Prometheus, PrometheusAgent, VMAgent, VMSingle};
        for (scrapers, expected) in [
            (vec![], true),
            (vec![VMAgent], true),
            (vec![VMSingle, Prometheus], true),
            (vec![Prometheus], false),
            (vec![Prometheus, PrometheusAgent], false),
        ] {
            assert_eq!(is_said_beside(&scrapers), expected, "{scrapers:?}");
        }
    }
}
