//! Which TLS settings does an endpoint inherit from a scrape class?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/vmscrapes.go` (`mergeTLSConfigs`); Prometheus operator
//! `pkg/prometheus/promcfg.go` (`mergeTLSConfigWithScrapeClass`, `mergeSafeTLSConfigWithScrapeClass`).
//! Departs from nothing.
//! Knows: TLS settings of an endpoint and of a class. Does not know: which class applies.

use serde_json::{Map, Value};

use super::written::{Effective, FILES, file_name, is_zero, rivals, written_tls};
use crate::model::{Endpoint, ScraperKind, Spelling};

/// The TLS settings of the scrape class that applies to an endpoint, and who merges them.
pub(super) type Inherited<'a> = Option<(ScraperKind, &'a Value)>;

/// Merges the scrape class that applies, as the scraper's operator does.
///
/// # Errors
/// The first scraper's reading, where the classes of the scrapers make different things of it.
pub(super) fn effective<'a, 'c>(
    endpoint: &'a Endpoint,
    class_tls: impl Iterator<Item = Inherited<'c>>,
) -> Result<Effective<'a>, Effective<'a>> {
    let mut readings = class_tls.map(|class| merged(endpoint, class));
    let tls = readings.next().unwrap_or_else(|| merged(endpoint, None));
    let agree = readings.all(|other| without_directories(&other) == without_directories(&tls));
    let effective = Effective::new(endpoint, tls);
    if agree { Ok(effective) } else { Err(effective) }
}

/// Each scraper's class may name the directory in which that scraper has Istio's files.
fn without_directories(tls: &Map<String, Value>) -> Map<String, Value> {
    let mut tls = tls.clone();
    for value in tls.values_mut() {
        let name = value.as_str().map(file_name).map(str::to_owned);
        if let Some(name) = name.filter(|name| FILES.iter().any(|(_, file)| file == name)) {
            *value = Value::String(name);
        }
    }
    tls
}

/// An endpoint without tlsConfig takes the class's whole. One with takes what it lacks of the three
/// files and, under the VictoriaMetrics operator, `serverName` and what is not in files; never
/// `insecureSkipVerify`. A tlsConfig in which nothing is set is one all the same, but for kinds of
/// the Prometheus operator that take no files.
fn merged(endpoint: &Endpoint, class_tls: Inherited<'_>) -> Map<String, Value> {
    let mut tls = written_tls(endpoint).cloned().unwrap_or_default();
    let Some((scraper, class)) = class_tls else {
        return tls;
    };
    let of_class = |field: &str| class.get(field).filter(|value| !is_zero(value));
    let counts = match scraper.is_prometheus() && !endpoint.kind.description().takes_files {
        true => written_tls(endpoint).is_some(),
        false => endpoint.tls.is_some(),
    };
    let Some(whole) = class.as_object().filter(|_| !counts) else {
        let take = |tls: &mut Map<String, Value>, field: &str| {
            if let Some(value) = of_class(field) {
                tls.insert(field.to_owned(), value.clone());
            }
        };
        let lacks = |tls: &Map<String, Value>, field: &str| tls.get(field).is_none_or(is_zero);
        for ((file, _), rival) in FILES.iter().zip(rivals(Spelling::Camel)) {
            if lacks(&tls, file) && lacks(&tls, rival) {
                take(&mut tls, file);
                if !scraper.is_prometheus() {
                    take(&mut tls, rival);
                }
            }
        }
        if !scraper.is_prometheus() && lacks(&tls, "serverName") {
            take(&mut tls, "serverName");
        }
        return tls;
    };
    whole.clone()
}
