//! Which relabelling rules keep what is worth keeping?
//!
//! Authority: Prometheus for relabelling, which vmagent follows; Envoy for the buckets of its histograms.
//! Departs from nothing. No rule makes two series one: a label goes only where another one says the same.
//! Knows: levels, names, buckets, labels. Does not know: objects, operators.

use serde_json::{Value, json};

use super::series::{Level, SERIES, Series, Shape};
use crate::config::{Cardinality, Component};

/// Upper bounds of Envoy's buckets (envoyproxy/envoy source/common/stats/histogram_impl.cc) that are dropped, by the name of
/// the histogram. Without some of its buckets a histogram is one with coarser buckets.
const BUCKETS_TO_DROP: &[(&str, Cardinality, &[&str])] = &[
    // Of milliseconds: five minutes and more.
    (
        "istio_request_duration_milliseconds",
        Cardinality::Standard,
        &["300000", "600000", "1800000", "3600000"],
    ),
    (
        "istio_request_duration_milliseconds",
        Cardinality::Minimal,
        &[
            "0.5", "1", "10", "50", "30000", "60000", "300000", "600000", "1800000", "3600000",
        ],
    ),
    // Of bytes: what remains is 100, 1k, 10k, 60k, 600k, 3.6M.
    ("istio_request_bytes", Cardinality::Standard, BYTES),
    ("istio_response_bytes", Cardinality::Standard, BYTES),
];
const BYTES: &[&str] = &[
    "0.5", "1", "5", "10", "25", "50", "250", "500", "2500", "5000", "30000", "300000", "1800000",
];

/// Labels that `minimal` drops. The canonical service and revision, which Istio makes of the same pod labels
/// (istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml), and the workload stay, so
/// that two series remain two.
const LABELS_TO_DROP: &str = "(source|destination)_(app|version)";

/// Holds, while a series is looked at, whether it stays.
const VERDICT: &str = "__tmp_istio";

/// The rules for the series of a component. `with_applications`: what applications export comes with them, and stays.
pub(super) fn rules(
    cardinality: Cardinality,
    component: Component,
    with_applications: bool,
) -> Vec<Value> {
    let Some(names) = names(cardinality, component) else {
        return Vec::new();
    };
    let mut rules = match with_applications {
        false => vec![json!({"action": "keep", "sourceLabels": ["__name__"], "regex": names})],
        // A keep rule would drop what is not Istio's.
        true => vec![
            json!({"sourceLabels": ["__name__"], "regex": "(envoy|istio)_.+", "targetLabel": VERDICT, "replacement": "drop"}),
            json!({"sourceLabels": ["__name__"], "regex": names, "targetLabel": VERDICT, "replacement": "keep"}),
            json!({"action": "drop", "sourceLabels": [VERDICT], "regex": "drop"}),
            json!({"action": "labeldrop", "regex": VERDICT}),
        ],
    };
    rules.extend(buckets(cardinality, component));
    // The labels of applications are theirs.
    if cardinality == Cardinality::Minimal && component == Component::Proxies && !with_applications
    {
        rules.push(json!({"action": "labeldrop", "regex": LABELS_TO_DROP}));
    }
    rules
}

/// A regex for the names that stay; `None`: all do.
fn names(cardinality: Cardinality, component: Component) -> Option<String> {
    let level = match cardinality {
        Cardinality::Full => return None,
        Cardinality::Standard => Level::Standard,
        Cardinality::Minimal => Level::Minimal,
    };
    let of_level = |series: &&Series| series.of == component && series.level <= level;
    let names: Vec<String> = SERIES
        .iter()
        .filter(of_level)
        .map(|series| match (series.shape, level) {
            (Shape::Plain, _) => series.name.to_owned(),
            (Shape::Histogram, Level::Minimal) => format!("{}_bucket", series.name),
            (Shape::Histogram, Level::Standard) => format!("{}_(bucket|sum|count)", series.name),
        })
        .collect();
    Some(names.join("|")).filter(|names| !names.is_empty())
}

/// Rules that drop some buckets of histograms, one for each list of bounds.
fn buckets(cardinality: Cardinality, component: Component) -> Vec<Value> {
    let dropped: Vec<(&str, &[&str])> = BUCKETS_TO_DROP
        .iter()
        .filter(|(_, of, _)| *of == cardinality && component == Component::Proxies)
        .map(|(name, _, bounds)| (*name, *bounds))
        .collect();
    let mut lists: Vec<(Vec<&str>, &[&str])> = Vec::new();
    for (name, bounds) in dropped {
        match lists.iter_mut().find(|(_, known)| *known == bounds) {
            Some((names, _)) => names.push(name),
            None => lists.push((vec![name], bounds)),
        }
    }
    let rule = |(names, bounds): (Vec<&str>, &[&str])| {
        let bounds: Vec<String> = bounds.iter().map(|bound| spellings(bound)).collect();
        let names = match names.as_slice() {
            [name] => (*name).to_owned(),
            names => format!("({})", names.join("|")),
        };
        let regex = format!("{names}_bucket;({})", bounds.join("|"));
        json!({"action": "drop", "sourceLabels": ["__name__", "le"], "regex": regex})
    };
    lists.into_iter().map(rule).collect()
}

/// A regex for a bound as Envoy writes it, and as Prometheus 3 does after reading it: `1000` is `1000.0`, `3600000` is `3.6e+06`.
fn spellings(bound: &str) -> String {
    let escaped = bound.replace('.', "\\.");
    match bound.len() {
        _ if bound.contains('.') => escaped,
        ..=6 => format!("{bound}(\\.0)?"),
        _ => {
            let (first, rest) = bound.split_at(1);
            let rest = rest.trim_end_matches('0');
            let exponent = bound.len() - 1;
            format!("{bound}|{first}\\.{rest}e\\+0{exponent}")
        }
    }
}
