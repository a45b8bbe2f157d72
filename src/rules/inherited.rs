//! Which TLS settings does an endpoint inherit from a scrape class?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/vmscrapes.go` (`mergeTLSConfigs`); Prometheus operator
//! `pkg/prometheus/promcfg.go` (`mergeTLSConfigWithScrapeClass`, `mergeSafeTLSConfigWithScrapeClass`).
//! Departs from nothing.
//! Knows: TLS settings of an endpoint and of a class. Does not know: which class applies.

use serde_json::{Map, Value};

use super::tls_settings::{FILES, file_name, is_zero, rivals};
use super::written::{Effective, written_tls};
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::{self, Endpoints, ScrapeKind};

    /// An endpoint of a kind with this tlsConfig, and what it inherits.
    fn merged_into(kind: ScrapeKind, scraper: ScraperKind, own: &Value, class: &Value) -> Value {
        let row = kind.description();
        let endpoint = json!({"port": "http", "tlsConfig": own});
        let Endpoints::List(list) = row.endpoints else {
            panic!("{kind:?} has no list of endpoints");
        };
        let object = json!({"apiVersion": row.api_versions[0], "kind": row.name,
            "metadata": {"name": "demo"}, "spec": {"selector": {}, list: [endpoint]}});
        let inventory = model::read([(0, &object)], &Config::default());
        let endpoint = &inventory.scrapes[0].endpoints[0];
        Value::Object(merged(endpoint, Some((scraper, class))))
    }

    const VM: (ScrapeKind, ScraperKind) = (ScrapeKind::VMServiceScrape, ScraperKind::VMAgent);
    const MONITOR: (ScrapeKind, ScraperKind) =
        (ScrapeKind::ServiceMonitor, ScraperKind::Prometheus);
    const POD_MONITOR: (ScrapeKind, ScraperKind) =
        (ScrapeKind::PodMonitor, ScraperKind::Prometheus);
    const CONVERTED: (ScrapeKind, ScraperKind) = (ScrapeKind::PodMonitor, ScraperKind::VMSingle);

    fn class() -> Value {
        json!({"caFile": "/c/root-cert.pem", "certFile": "/c/cert-chain.pem", "keyFile": "/c/key.pem",
            "insecureSkipVerify": true, "serverName": "demo"})
    }

    #[test]
    fn an_endpoint_without_tls_config_takes_the_whole_class() {
        for (kind, scraper) in [VM, MONITOR, POD_MONITOR, CONVERTED] {
            assert_eq!(merged_into(kind, scraper, &Value::Null, &class()), class());
        }
    }

    /// A tlsConfig that sets nothing is one, but for safe TLS settings of the Prometheus operator.
    #[test]
    fn an_empty_tls_config_takes_the_whole_class_only_where_it_cannot_name_files() {
        for ((kind, scraper), skips) in [
            (VM, false),
            (MONITOR, false),
            (POD_MONITOR, true),
            (CONVERTED, false),
        ] {
            let merged = merged_into(kind, scraper, &json!({}), &class());
            assert_eq!(merged["caFile"], "/c/root-cert.pem", "{kind:?}");
            assert_eq!(
                merged.get("insecureSkipVerify").is_some(),
                skips,
                "{kind:?} {scraper:?}"
            );
        }
    }

    #[test]
    fn insecure_skip_verify_is_never_inherited_by_a_tls_config() {
        for (kind, scraper) in [VM, MONITOR, POD_MONITOR, CONVERTED] {
            let own = json!({"serverName": "own"});
            let merged = merged_into(kind, scraper, &own, &class());
            let expected = json!({"caFile": "/c/root-cert.pem", "certFile": "/c/cert-chain.pem",
                "keyFile": "/c/key.pem", "serverName": "own"});
            assert_eq!(merged, expected, "{kind:?} {scraper:?}");
        }
    }

    /// What is not in files, and the server's name, only the VictoriaMetrics operator merges.
    #[test]
    fn secrets_and_server_name_are_merged_by_one_operator_only() {
        let class = json!({"ca": {"secret": {"name": "a", "key": "b"}}, "serverName": "demo"});
        let own = json!({"insecureSkipVerify": true});
        let (kind, scraper) = VM;
        let both = json!({"insecureSkipVerify": true, "ca": {"secret": {"name": "a", "key": "b"}}, "serverName": "demo"});
        assert_eq!(merged_into(kind, scraper, &own, &class), both);
        let (kind, scraper) = MONITOR;
        assert_eq!(merged_into(kind, scraper, &own, &class), own);
    }

    /// A CA from a Secret stands for the CA's file.
    #[test]
    fn what_the_endpoint_has_in_any_form_is_not_taken_from_the_class() {
        let ca = json!({"secret": {"name": "a", "key": "b"}});
        for (kind, scraper) in [VM, MONITOR, POD_MONITOR] {
            let merged = merged_into(
                kind,
                scraper,
                &json!({"ca": ca, "serverName": "own"}),
                &class(),
            );
            let expected = json!({"ca": ca, "serverName": "own", "certFile": "/c/cert-chain.pem", "keyFile": "/c/key.pem"});
            assert_eq!(merged, expected, "{kind:?}");
        }
    }
}
