//! Do the objects of the second function scrape what Istio has, keep what is asked for, and get along with the first one?
//!
//! The alerts are read by a PromQL parser, the relabelling rules are followed by an engine of the tests' own, the objects are
//! held against the CRDs, and the example is built by the real kustomize.

#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

#[path = "support/relabelling.rs"]
mod relabelling;

use std::collections::BTreeSet;

use istio_scrape::config::{Cardinality, Component, MeshMetrics, ProxyPort, Style};
use istio_scrape::mesh_metrics::{ALERTS, Alert, Level, SERIES, Series, Shape, objects};
use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};
use relabelling::{Labels, relabelled};
use serde_json::{Value, json};
use support::crds::Crds;

const MANUAL: &str = "functions/istio-scrape-metrics/README.md";

/// What has to survive `standard`.
const ASKED_FOR: &[&str] = &[
    "istio_requests_total",
    "istio_request_duration_milliseconds_bucket",
    "istio_request_bytes_bucket",
    "istio_request_bytes_sum",
    "istio_request_bytes_count",
    "istio_response_bytes_bucket",
    "istio_response_bytes_sum",
    "istio_response_bytes_count",
    "istio_tcp_sent_bytes_total",
    "istio_tcp_received_bytes_total",
    "istio_tcp_connections_opened_total",
    "istio_tcp_connections_closed_total",
    "istio_build",
    "pilot_services",
    "pilot_virt_services",
    "pilot_xds",
    "pilot_xds_pushes",
    "pilot_total_xds_rejects",
    "pilot_total_xds_internal_errors",
    "pilot_xds_cds_reject",
    "pilot_xds_eds_reject",
    "pilot_xds_lds_reject",
    "pilot_xds_rds_reject",
    "pilot_xds_write_timeout",
    "pilot_xds_push_context_errors",
    "pilot_conflict_inbound_listener",
    "pilot_conflict_outbound_listener_tcp_over_current_tcp",
    "pilot_conflict_outbound_listener_http_over_current_tcp",
    "pilot_conflict_outbound_listener_tcp_over_current_http",
    "pilot_conflict_outbound_listener_http_over_https",
    "pilot_proxy_convergence_time_bucket",
    "pilot_proxy_queue_time_bucket",
    "citadel_server_csr_count",
    "citadel_server_success_cert_issuance_count",
    "citadel_server_csr_sign_error_count",
    "citadel_server_csr_sign_err_count",
    "galley_validation_failed",
    "galley_validation_passed",
    "galley_validation_config_updates",
    "galley_validation_config_update_error",
    "galley_validation_config_load_error",
    "go_goroutines",
    "go_memstats_alloc_bytes",
    "go_memstats_heap_alloc_bytes",
    "go_memstats_heap_inuse_bytes",
    "go_memstats_heap_sys_bytes",
    "go_memstats_stack_inuse_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "envoy_cluster_upstream_cx_overflow",
];

/// The buckets of Envoy's histograms (envoyproxy/envoy source/common/stats/histogram_impl.cc), as Envoy writes them.
const BUCKETS: [&str; 20] = [
    "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000",
    "30000", "60000", "300000", "600000", "1800000", "3600000", "+Inf",
];
/// The same as Prometheus 3 writes them after reading.
const NORMALIZED: [&str; 20] = [
    "0.5", "1.0", "5.0", "10.0", "25.0", "50.0", "100.0", "250.0", "500.0", "1000.0", "2500.0",
    "5000.0", "10000.0", "30000.0", "60000.0", "300000.0", "600000.0", "1.8e+06", "3.6e+06",
    "+Inf",
];

const CARDINALITIES: [Cardinality; 3] = [
    Cardinality::Standard,
    Cardinality::Minimal,
    Cardinality::Full,
];
const PORTS: [ProxyPort; 3] = [ProxyPort::Envoy, ProxyPort::Merged, ProxyPort::Secure];
const STYLES: [Style; 2] = [Style::Victoria, Style::Prometheus];

/// Every combination of what decides about objects, with everything else set.
fn configurations() -> Vec<MeshMetrics> {
    let mut found = Vec::new();
    for style in STYLES {
        for cardinality in CARDINALITIES {
            for proxy_port in PORTS {
                found.push(MeshMetrics {
                    style,
                    cardinality,
                    proxy_port,
                    alerts: true,
                    components: Component::ALL.iter().copied().collect(),
                    namespace: Some("monitoring".to_owned()),
                    labels: [("release".to_owned(), "stack".to_owned())].into(),
                    interval: Some("1m30s".to_owned()),
                    revisions: ["stable".to_owned()].into(),
                    proxy_namespaces: ["shop".to_owned()].into(),
                    relabelings: vec![json!({"targetLabel": "cluster", "replacement": "a"})],
                    metric_relabelings: vec![json!({"action": "labeldrop", "regex": "chart"})],
                    ..MeshMetrics::default()
                });
            }
        }
    }
    found
}

fn of(cardinality: Cardinality, proxy_port: ProxyPort) -> MeshMetrics {
    MeshMetrics {
        cardinality,
        proxy_port,
        ..MeshMetrics::default()
    }
}

/// The endpoints of an object, in either style.
fn endpoints(object: &Value) -> &[Value] {
    let spec = &object["spec"];
    let lists = [&spec["endpoints"], &spec["podMetricsEndpoints"]];
    let list = lists.iter().find_map(|list| list.as_array());
    list.map_or(&[], Vec::as_slice)
}

/// The rules of an endpoint for targets, or for series.
fn rules(endpoint: &Value, fields: [&str; 2]) -> Vec<Value> {
    let found = fields.iter().find_map(|field| endpoint[*field].as_array());
    found.cloned().unwrap_or_default()
}

const TARGETS: [&str; 2] = ["relabelConfigs", "relabelings"];
const SAMPLES: [&str; 2] = ["metricRelabelConfigs", "metricRelabelings"];

/// The object for a component.
fn of_component(config: &MeshMetrics, suffix: &str) -> Value {
    let name = format!("{}-{suffix}", config.name);
    objects(config)
        .into_iter()
        .find(|object| object["metadata"]["name"] == name.as_str())
        .unwrap_or_else(|| panic!("no object {name}"))
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What becomes of a series that the endpoint with these rules collects.
fn collected(rules: &[Value], series: &[(&str, &str)]) -> Option<Labels> {
    relabelled(rules, labels(series), &[])
}

/// Whether a metric of a component is kept.
fn is_kept(config: &MeshMetrics, component: Component, name: &str) -> bool {
    let object = of_component(config, component.word());
    let rules = rules(endpoints(&object).last().expect("an endpoint"), SAMPLES);
    collected(&rules, &[("__name__", name), ("le", "1000")]).is_some()
}

/// The names that a metric comes out as.
fn names(series: &Series) -> Vec<String> {
    match series.shape {
        Shape::Plain => vec![series.name.to_owned()],
        Shape::Histogram => ["bucket", "sum", "count"]
            .map(|part| format!("{}_{part}", series.name))
            .to_vec(),
    }
}

#[test]
fn the_api_server_takes_every_object() {
    let Some(crds) = Crds::load("validation of what mesh-metrics makes (tests/mesh_metrics.rs)")
    else {
        return;
    };
    let mut asked = BTreeSet::new();
    for config in configurations() {
        for object in objects(&config) {
            match crds.complaints(&object) {
                Some(complaints) => {
                    assert_eq!(complaints, Vec::<String>::new(), "{object:#}");
                    asked.insert(object["kind"].to_string());
                }
                // The test data has no CRD of rules; they are looked at below.
                None => assert!(
                    ["VMRule", "PrometheusRule"].contains(&object["kind"].as_str().unwrap_or("")),
                    "{object:#}"
                ),
            }
        }
    }
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn objects_are_named_and_labelled_as_the_configuration_says() {
    for config in configurations() {
        let objects = objects(&config);
        let names = objects
            .iter()
            .map(|object| object["metadata"]["name"].as_str());
        let names: Vec<String> = names
            .map(|name| name.unwrap_or_default().to_owned())
            .collect();
        let suffixes = ["istiod", "proxies", "ztunnel", "cni", "alerts"];
        assert_eq!(
            names,
            suffixes.map(|suffix| format!("mesh-metrics-{suffix}"))
        );
        for object in &objects {
            assert_eq!(object["metadata"]["namespace"], "monitoring");
            assert_eq!(object["metadata"]["labels"], json!({"release": "stack"}));
            for endpoint in endpoints(object) {
                assert_eq!(endpoint["interval"], "1m30s");
                let last = |fields| rules(endpoint, fields).last().cloned();
                assert_eq!(last(TARGETS), config.relabelings.last().cloned());
                assert_eq!(last(SAMPLES), config.metric_relabelings.last().cloned());
            }
        }
    }
}

/// By the port that the charts give it; the file stands beside each row of the manual.
#[test]
fn ports_are_those_of_istios_charts() {
    let config = MeshMetrics {
        components: Component::ALL.iter().copied().collect(),
        ..MeshMetrics::default()
    };
    let ports: Vec<(String, String, String)> = Component::ALL
        .iter()
        .map(|component| {
            let object = of_component(&config, component.word());
            let endpoint = &endpoints(&object)[0];
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (
                component.word().to_owned(),
                text(&endpoint["port"]),
                text(&endpoint["path"]),
            )
        })
        .collect();
    let manual = support::read(MANUAL);
    for (component, port, path) in &ports {
        let row = manual
            .lines()
            .find(|line| line.starts_with(&format!("| `{component}` |")))
            .unwrap_or_else(|| panic!("{MANUAL} has no row for {component}"));
        assert!(
            row.contains(&format!("`{port}`")) && row.contains(&format!("`{path}`")),
            "{row}"
        );
        assert!(row.contains("istio/istio manifests/charts/"), "{row}");
    }
    let of = |component: &str| {
        let row = ports.iter().find(|(name, ..)| name == component);
        row.map(|(_, port, path)| (port.as_str(), path.as_str()))
    };
    assert_eq!(of("istiod"), Some(("http-monitoring", "/metrics")));
    assert_eq!(
        of("proxies"),
        Some(("http-envoy-prom", "/stats/prometheus"))
    );
    assert_eq!(of("ztunnel"), Some(("ztunnel-stats", "/metrics")));
    assert_eq!(of("cni"), Some(("metrics", "/metrics")));
}

/// A revision tag has a Service too, with the labels of the control plane that it stands for.
#[test]
fn a_control_plane_with_a_tag_is_scraped_once() {
    let object = of_component(&MeshMetrics::default(), "istiod");
    let selector = &object["spec"]["selector"];
    assert_eq!(
        selector["matchLabels"],
        json!({"app": "istiod", "istio": "pilot"})
    );
    assert_eq!(
        selector["matchExpressions"],
        json!([{"key": "istio.io/tag", "operator": "DoesNotExist"}])
    );
}

#[test]
fn what_is_asked_for_survives_standard() {
    let config = of(Cardinality::Standard, ProxyPort::Envoy);
    for name in ASKED_FOR {
        let component = match SERIES
            .iter()
            .find(|series| names(series).iter().any(|n| n == name))
        {
            Some(series) => series.of,
            None => panic!("{name} is in no list"),
        };
        assert!(is_kept(&config, component, name), "{name}");
    }
    assert!(is_kept(&config, Component::Proxies, "istio_build"));
}

#[test]
fn every_entry_is_kept_from_its_level_on_and_nothing_near_it() {
    for port in PORTS {
        for series in SERIES {
            for name in names(series) {
                let is_bucket = name.ends_with("_bucket") || series.shape == Shape::Plain;
                let kept = |cardinality| is_kept(&of(cardinality, port), series.of, &name);
                assert!(kept(Cardinality::Full), "{name}");
                assert!(kept(Cardinality::Standard), "{name}");
                assert_eq!(
                    kept(Cardinality::Minimal),
                    series.level == Level::Minimal && is_bucket,
                    "{name} with minimal, {port:?}"
                );
                for near in [
                    format!("{name}_x"),
                    format!("envoy_{name}"),
                    format!("istio_{name}"),
                ] {
                    let is_ours = near.starts_with("envoy_") || near.starts_with("istio_");
                    let with_applications =
                        port != ProxyPort::Envoy && series.of == Component::Proxies;
                    let kept = is_kept(&of(Cardinality::Standard, port), series.of, &near);
                    assert_eq!(kept, with_applications && !is_ours, "{near}, {port:?}");
                }
            }
        }
    }
}

#[test]
fn every_entry_names_the_file_that_defines_it() {
    let mut seen = BTreeSet::new();
    for series in SERIES {
        assert!(
            seen.insert((series.name, series.of.word())),
            "{} is there twice",
            series.name
        );
        let (repository, path) = series.source.split_once(' ').expect("repository and path");
        assert!(repository.contains('/') && path.contains('/'), "{series:?}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(
            series.name.chars().all(plain),
            "{}: a regex would see more in it",
            series.name
        );
    }
}

/// The metrics of an expression, with the labels that it selects and groups by.
#[derive(Default)]
struct Asked {
    metrics: BTreeSet<String>,
    labels: BTreeSet<String>,
    matchers: Vec<(String, MatchOp, String)>,
}

impl ExprVisitor for Asked {
    type Error = ();

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, ()> {
        let selector = match expression {
            Expr::VectorSelector(selector) => Some(selector),
            Expr::MatrixSelector(range) => Some(&range.vs),
            Expr::Aggregate(aggregate) => {
                let groups = aggregate
                    .modifier
                    .iter()
                    .flat_map(|by| by.labels().labels.clone());
                self.labels.extend(groups);
                None
            }
            _ => None,
        };
        if let Some(selector) = selector {
            self.metrics.extend(selector.name.clone());
            for matcher in &selector.matchers.matchers {
                self.labels.insert(matcher.name.clone());
                let (op, value) = (matcher.op.clone(), matcher.value.clone());
                self.matchers.push((matcher.name.clone(), op, value));
            }
        }
        Ok(true)
    }
}

fn asked(alert: &Alert) -> Asked {
    let expression = parser::parse(alert.expression)
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", alert.name, alert.expression));
    let mut asked = Asked::default();
    walk_expr(&mut asked, &expression).expect("nothing fails");
    assert!(!asked.metrics.is_empty(), "{}", alert.name);
    asked
}

/// An expression that asks for what is dropped, or has lost its label, would never be true.
#[test]
fn every_alert_is_promql_and_asks_for_what_is_kept_at_every_level() {
    for alert in ALERTS {
        let asked = asked(alert);
        let ports: &[ProxyPort] = match alert.merged {
            true => &[ProxyPort::Merged, ProxyPort::Secure],
            false => &PORTS,
        };
        for cardinality in CARDINALITIES {
            for port in ports {
                let config = of(cardinality, *port);
                for metric in &asked.metrics {
                    let object = of_component(&config, alert.of.word());
                    let endpoint = endpoints(&object).last().expect("an endpoint");
                    let mut series = vec![("__name__", metric.as_str())];
                    series.extend(asked.labels.iter().map(|label| (label.as_str(), "1000")));
                    let kept = collected(&rules(endpoint, SAMPLES), &series);
                    let kept = kept.unwrap_or_else(|| {
                        panic!("{}: {metric} is dropped, {cardinality:?}", alert.name)
                    });
                    for label in &asked.labels {
                        assert!(
                            kept.contains_key(label),
                            "{}: {label}, {cardinality:?}",
                            alert.name
                        );
                    }
                }
            }
        }
    }
}

/// Parsing is no more than it says: what is no PromQL is refused.
#[test]
fn what_is_no_promql_is_refused() {
    for wrong in [
        "sum by (a (x)",
        "rate(x) > 0",
        "histogram_quantile(x)",
        "x{a=b}",
        "x >",
    ] {
        assert!(parser::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn alerts_are_those_that_were_asked_for() {
    let alert = |name: &str| {
        let found = ALERTS.iter().find(|alert| alert.name == name);
        found.unwrap_or_else(|| panic!("no alert {name}"))
    };
    let errors = alert("IstioHighErrorRate");
    assert_eq!((errors.severity, errors.lasts), ("critical", Some("5m")));
    assert!(errors.expression.ends_with("> 0.05") && errors.expression.contains("5.."));
    let latency = alert("IstioHighLatency");
    assert_eq!((latency.severity, latency.lasts), ("warning", Some("5m")));
    assert!(latency.expression.starts_with("histogram_quantile(0.99,"));
    assert!(latency.expression.ends_with("> 1000"));
    let breaker = alert("IstioCircuitBreakerOverflow");
    assert_eq!((breaker.severity, breaker.lasts), ("warning", None));
    assert!(
        breaker
            .expression
            .contains("increase(envoy_cluster_upstream_cx_overflow[5m])")
    );
    for (name, metric) in [
        ("IstioConfigRejected", "pilot_total_xds_rejects"),
        ("IstioPushErrors", "pilot_xds_pushes"),
        ("IstioPushTimeouts", "pilot_xds_write_timeout"),
        ("IstiodInternalErrors", "pilot_total_xds_internal_errors"),
        (
            "IstioProxyConvergenceSlow",
            "pilot_proxy_convergence_time_bucket",
        ),
        (
            "IstioRootCertificateExpires",
            "citadel_server_root_cert_expiry_timestamp",
        ),
        (
            "IstioSigningCertificateExpires",
            "citadel_server_cert_chain_expiry_timestamp",
        ),
        ("IstioSigningFails", "citadel_server_csr_sign_err_count"),
        (
            "IstioWorkloadCertificateExpires",
            "istio_agent_cert_expiry_seconds",
        ),
        ("IstioCircuitBreakerRejects", "istio_requests_total"),
    ] {
        assert_eq!(
            asked(alert(name)).metrics,
            [metric.to_owned()].into(),
            "{name}"
        );
    }
    let names: BTreeSet<&str> = ALERTS.iter().map(|alert| alert.name).collect();
    assert_eq!(names.len(), ALERTS.len());
    assert_eq!(names.len(), 13, "an alert that no test looks at: {names:?}");
}

/// Counters of Istio begin with their first event, and `increase` of Prometheus wants a value before that.
#[test]
fn the_first_event_of_a_counter_raises_its_alert() {
    let mut seen = BTreeSet::new();
    for alert in ALERTS {
        let Expr::Binary(either) = parser::parse(alert.expression).expect("PromQL") else {
            continue;
        };
        if !alert.expression.contains("increase(") || alert.name == "IstioCircuitBreakerOverflow" {
            continue;
        }
        let [grown, new] = [either.lhs.to_string(), either.rhs.to_string()];
        let counter = grown
            .split_once("increase(")
            .and_then(|(_, rest)| rest.split_once("[5m]"))
            .map(|(counter, _)| counter)
            .unwrap_or_else(|| panic!("{}: {grown}", alert.name));
        let expected = grown.replace(
            &format!("increase({counter}[5m])"),
            &format!("{counter} unless {counter} offset 5m"),
        );
        assert_eq!(new, expected, "{}", alert.name);
        assert!(
            either.op.to_string() == "or" && grown.ends_with(" > 0"),
            "{}",
            alert.name
        );
        seen.insert(alert.name);
    }
    assert_eq!(
        seen,
        [
            "IstioCircuitBreakerRejects",
            "IstioConfigRejected",
            "IstioPushErrors",
            "IstioPushTimeouts",
            "IstioSigningFails",
            "IstiodInternalErrors",
        ]
        .into()
    );
}

#[test]
fn the_thresholds_of_latencies_are_bounds_of_buckets_that_are_kept() {
    for cardinality in CARDINALITIES {
        let config = of(cardinality, ProxyPort::Envoy);
        let object = of_component(&config, "proxies");
        let rules = rules(&endpoints(&object)[0], SAMPLES);
        // Between these bounds a quantile near the threshold is worked out.
        for bound in ["500", "1000", "2500", "+Inf"] {
            let name = "istio_request_duration_milliseconds_bucket";
            assert!(
                collected(&rules, &[("__name__", name), ("le", bound)]).is_some(),
                "{bound}, {cardinality:?}"
            );
        }
    }
}

/// An alert whose metrics nobody collects would be silent whatever happens.
#[test]
fn alerts_come_with_what_they_need() {
    let raised = |config: &MeshMetrics| -> BTreeSet<String> {
        let config = MeshMetrics {
            alerts: true,
            ..config.clone()
        };
        let objects = objects(&config);
        let rule = objects.iter().find(|object| object["kind"] == "VMRule");
        let groups = rule.and_then(|rule| rule["spec"]["groups"].as_array().cloned());
        let rules = groups.into_iter().flatten();
        let rules = rules.flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
        rules
            .map(|rule| rule["alert"].as_str().expect("a name").to_owned())
            .collect()
    };
    let only = |components: &[Component], proxy_port| MeshMetrics {
        components: components.iter().copied().collect(),
        proxy_port,
        ..MeshMetrics::default()
    };
    let all = raised(&only(Component::ALL, ProxyPort::Merged));
    assert_eq!(all.len(), ALERTS.len());
    let istiod = raised(&only(&[Component::Istiod], ProxyPort::Merged));
    let proxies = raised(&only(&[Component::Proxies], ProxyPort::Envoy));
    assert!(istiod.contains("IstioConfigRejected") && !istiod.contains("IstioHighErrorRate"));
    assert!(proxies.contains("IstioHighErrorRate") && !proxies.contains("IstioConfigRejected"));
    assert!(!proxies.contains("IstioWorkloadCertificateExpires"));
    assert_eq!(
        raised(&only(&[Component::Cni], ProxyPort::Envoy)),
        BTreeSet::new()
    );
}

#[test]
fn rules_have_the_fields_that_both_operators_know() {
    for config in configurations() {
        let kind = match config.style {
            Style::Victoria => "VMRule",
            Style::Prometheus => "PrometheusRule",
        };
        let objects = objects(&config);
        let object = objects.last().expect("objects");
        assert_eq!(object["kind"], kind);
        for group in object["spec"]["groups"].as_array().expect("groups") {
            assert_eq!(
                group.as_object().expect("a map").keys().collect::<Vec<_>>(),
                ["name", "rules"]
            );
            for rule in group["rules"].as_array().expect("rules") {
                let keys: BTreeSet<&str> = rule
                    .as_object()
                    .expect("a map")
                    .keys()
                    .map(String::as_str)
                    .collect();
                let known = ["alert", "annotations", "expr", "for", "labels"].into();
                assert!(keys.is_subset(&known), "{keys:?}");
                assert!(
                    ["warning", "critical"]
                        .contains(&rule["labels"]["severity"].as_str().unwrap_or(""))
                );
                for text in ["summary", "description"] {
                    let text = rule["annotations"][text].as_str().unwrap_or("");
                    assert!(text.len() > 20 && !text.contains("  "), "{rule:#}");
                }
            }
        }
    }
}

/// The address and port that a pod is scraped at by each endpoint that keeps it.
fn addresses(port: ProxyPort, pod: &[(&str, &str)]) -> Vec<(String, bool)> {
    let object = of_component(&of(Cardinality::Standard, port), "proxies");
    endpoints(&object)
        .iter()
        .filter_map(|endpoint| {
            let mut target = labels(&[("__address__", "10.0.0.7:15090")]);
            target.extend(labels(pod));
            let target = relabelled(&rules(endpoint, TARGETS), target, &[])?;
            Some((target["__address__"].clone(), endpoint["scheme"] == "https"))
        })
        .collect()
}

fn annotated<'a>(scrape: &'a str, path: &'a str, port: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        (
            "__meta_kubernetes_pod_annotation_prometheus_io_scrape",
            scrape,
        ),
        ("__meta_kubernetes_pod_annotation_prometheus_io_path", path),
        ("__meta_kubernetes_pod_annotation_prometheus_io_port", port),
    ]
}

#[test]
fn a_pod_is_scraped_once_merged_or_not() {
    let at = |port: &str| vec![(format!("10.0.0.7:{port}"), false)];
    let merged = |pod: &[(&str, &str)]| addresses(ProxyPort::Merged, pod);
    assert_eq!(
        merged(&annotated("true", "/stats/prometheus", "15020")),
        at("15020")
    );
    // status.sidecar.istio.io/port
    assert_eq!(
        merged(&annotated("true", "/stats/prometheus", "15030")),
        at("15030")
    );
    // What the annotations name is the app's own, which may want certificates: it is not Istio's.
    assert_eq!(merged(&annotated("true", "/metrics", "8080")), at("15090"));
    assert_eq!(
        merged(&annotated("false", "/stats/prometheus", "15020")),
        at("15090")
    );
    assert_eq!(
        merged(&annotated("true", "/stats/prometheus", "no")),
        at("15090")
    );
    assert_eq!(merged(&[]), at("15090"));
    let six = [
        annotated("true", "/stats/prometheus", "15020"),
        vec![("__address__", "[fd00::7]:15090")],
    ]
    .concat();
    assert_eq!(merged(&six), [("[fd00::7]:15020".to_owned(), false)]);
    assert_eq!(
        addresses(
            ProxyPort::Envoy,
            &annotated("true", "/stats/prometheus", "15020")
        ),
        at("15090")
    );
}

#[test]
fn a_pod_with_a_secure_port_is_scraped_there_and_nowhere_else() {
    let annotation = "__meta_kubernetes_pod_annotation_prometheus_istio_io_secure_port";
    let secure = addresses(ProxyPort::Secure, &[(annotation, "15092")]);
    assert_eq!(secure, [("10.0.0.7:15092".to_owned(), true)]);
    // Envoy's own secure port, which people annotate; merged metrics have the same and more.
    let of_envoy = "__meta_kubernetes_pod_annotation_prometheus_istio_io_secure_envoy_port";
    let envoys = addresses(ProxyPort::Secure, &[(of_envoy, "15091")]);
    assert_eq!(envoys, [("10.0.0.7:15091".to_owned(), true)]);
    let both = [(of_envoy, "15091"), (annotation, "15092")];
    assert_eq!(addresses(ProxyPort::Secure, &both), secure);
    for pod in [&[][..], &[(annotation, "no"), (of_envoy, "")]] {
        let plain = addresses(ProxyPort::Secure, pod);
        assert_eq!(plain, [("10.0.0.7:15090".to_owned(), false)]);
    }
}

#[test]
fn certificates_are_files_or_a_class() {
    for style in STYLES {
        let config = MeshMetrics {
            style,
            proxy_port: ProxyPort::Secure,
            directory: "/etc/certs".to_owned(),
            scrape_class_name: "mesh".to_owned(),
            ..MeshMetrics::default()
        };
        let object = of_component(&config, "proxies");
        let [plain, secure] = endpoints(&object) else {
            panic!("two endpoints: {object:#}");
        };
        assert_eq!((plain.get("scheme"), plain.get("tlsConfig")), (None, None));
        assert_eq!(secure["scheme"], "https");
        match style {
            Style::Victoria => {
                assert_eq!(
                    secure["tlsConfig"],
                    json!({"caFile": "/etc/certs/root-cert.pem", "certFile": "/etc/certs/cert-chain.pem",
                           "insecureSkipVerify": true, "keyFile": "/etc/certs/key.pem"})
                );
                assert_eq!(object["spec"].get("scrapeClass"), None);
            }
            Style::Prometheus => {
                assert_eq!(secure.get("tlsConfig"), None);
                assert_eq!(object["spec"]["scrapeClass"], "mesh");
            }
        }
    }
}

/// With merged metrics come those of applications, and nothing is done to these.
#[test]
fn what_applications_export_stays_as_it_is() {
    for cardinality in CARDINALITIES {
        let object = of_component(&of(cardinality, ProxyPort::Merged), "proxies");
        let rules = rules(&endpoints(&object)[0], SAMPLES);
        for name in [
            "http_requests_total",
            "go_goroutines",
            "envoy",
            "istio",
            "my_istio_requests_total",
        ] {
            let series = [
                ("__name__", name),
                ("source_app", "a"),
                ("destination_version", "1"),
                ("le", "1"),
            ];
            assert_eq!(
                collected(&rules, &series),
                Some(labels(&series)),
                "{name}, {cardinality:?}"
            );
        }
    }
}

/// What one combination of labels comes to, of one kind of traffic.
fn series_of(cardinality: Cardinality, buckets: &[&str; 20], is_http: bool) -> usize {
    let object = of_component(&of(cardinality, ProxyPort::Envoy), "proxies");
    let rules = rules(&endpoints(&object)[0], SAMPLES);
    let is_kept =
        |name: &str, le: &str| collected(&rules, &[("__name__", name), ("le", le)]).is_some();
    let mut found = 0;
    let (plain, histograms): (&[&str], &[&str]) = match is_http {
        true => (
            &["istio_requests_total"],
            &[
                "istio_request_duration_milliseconds",
                "istio_request_bytes",
                "istio_response_bytes",
            ],
        ),
        false => (
            &[
                "istio_tcp_sent_bytes_total",
                "istio_tcp_received_bytes_total",
                "istio_tcp_connections_opened_total",
                "istio_tcp_connections_closed_total",
            ],
            &[],
        ),
    };
    found += plain.iter().filter(|name| is_kept(name, "")).count();
    for name in histograms {
        found += buckets
            .iter()
            .filter(|le| is_kept(&format!("{name}_bucket"), le))
            .count();
        found += ["sum", "count"]
            .iter()
            .filter(|part| is_kept(&format!("{name}_{part}"), ""))
            .count();
    }
    found
}

/// The bounds of a histogram's buckets that are kept.
fn bounds(cardinality: Cardinality, histogram: &str) -> Vec<&'static str> {
    let object = of_component(&of(cardinality, ProxyPort::Envoy), "proxies");
    let rules = rules(&endpoints(&object)[0], SAMPLES);
    let name = format!("{histogram}_bucket");
    let is_kept = |le: &&str| collected(&rules, &[("__name__", &name), ("le", le)]).is_some();
    BUCKETS.into_iter().filter(is_kept).collect()
}

#[test]
fn the_buckets_that_are_kept_are_those_that_the_manual_names() {
    let durations = |cardinality| bounds(cardinality, "istio_request_duration_milliseconds");
    assert_eq!(durations(Cardinality::Full), BUCKETS);
    assert_eq!(
        durations(Cardinality::Standard),
        [
            "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000",
            "10000", "30000", "60000", "+Inf"
        ]
    );
    assert_eq!(
        durations(Cardinality::Minimal),
        [
            "5", "25", "100", "250", "500", "1000", "2500", "5000", "10000", "+Inf"
        ]
    );
    for sizes in ["istio_request_bytes", "istio_response_bytes"] {
        assert_eq!(
            bounds(Cardinality::Standard, sizes),
            ["100", "1000", "10000", "60000", "600000", "3600000", "+Inf"]
        );
        assert_eq!(bounds(Cardinality::Minimal, sizes), [""; 0]);
    }
}

/// The labels of Istio's standard metrics (istio.io, reference/config/metrics).
const STANDARD_LABELS: &[&str] = &[
    "reporter",
    "source_workload",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_cluster",
    "source_canonical_service",
    "source_canonical_revision",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_cluster",
    "destination_canonical_service",
    "destination_canonical_revision",
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
];

#[test]
fn no_label_goes_but_those_that_the_manual_names() {
    let mut series = vec![("__name__", "istio_requests_total")];
    series.extend(STANDARD_LABELS.iter().map(|label| (*label, "a")));
    for cardinality in CARDINALITIES {
        let object = of_component(&of(cardinality, ProxyPort::Envoy), "proxies");
        let kept = collected(&rules(&endpoints(&object)[0], SAMPLES), &series);
        let kept = kept.expect("it is kept");
        let gone: BTreeSet<&str> = STANDARD_LABELS
            .iter()
            .copied()
            .filter(|label| !kept.contains_key(*label))
            .collect();
        let expected: &[&str] = match cardinality {
            Cardinality::Minimal => &[
                "destination_app",
                "destination_version",
                "source_app",
                "source_version",
            ],
            Cardinality::Standard | Cardinality::Full => &[],
        };
        assert_eq!(gone.into_iter().collect::<Vec<_>>(), expected);
    }
}

/// A label that no metric has would make an alert of nothing.
#[test]
fn alerts_ask_for_labels_that_their_metrics_have() {
    for alert in ALERTS {
        let asked = asked(alert);
        for metric in &asked.metrics {
            let known: &[&str] = match metric.as_str() {
                "envoy_cluster_upstream_cx_overflow" => &["cluster_name"],
                "istio_agent_cert_expiry_seconds" => &["resource_name"],
                "pilot_total_xds_rejects" | "pilot_xds_pushes" => &["type"],
                name if name.starts_with("istio_request") => STANDARD_LABELS,
                _ => &[],
            };
            // Of the target, which both operators add, and of buckets.
            let of_all = ["namespace", "pod", "le"];
            for label in &asked.labels {
                let is_known = known.contains(&label.as_str()) || of_all.contains(&label.as_str());
                assert!(is_known, "{}: {metric} has no label {label}", alert.name);
            }
        }
    }
}

#[test]
fn the_manual_says_what_each_level_costs() {
    let manual = support::read(MANUAL);
    for cardinality in CARDINALITIES {
        let http = series_of(cardinality, &BUCKETS, true);
        let tcp = series_of(cardinality, &BUCKETS, false);
        assert_eq!(
            series_of(cardinality, &NORMALIZED, true),
            http,
            "{cardinality:?}"
        );
        let level = match cardinality {
            Cardinality::Minimal => Some(Level::Minimal),
            Cardinality::Standard => Some(Level::Standard),
            Cardinality::Full => None,
        };
        let istiod = level.map_or_else(
            || "all".to_owned(),
            |level| {
                let of_level = |s: &&Series| s.of == Component::Istiod && s.level <= level;
                SERIES.iter().filter(of_level).count().to_string()
            },
        );
        let row = format!("| `{}` | {http} | {tcp} | {istiod} |", cardinality.word());
        assert!(manual.contains(&row), "{MANUAL} has to say\n{row}");
    }
}

/// Every row of the lists of the manual, which is every entry of ours.
#[test]
fn the_manual_lists_every_metric_with_its_source_and_its_alerts() {
    let manual = support::read(MANUAL);
    let mut missing = Vec::new();
    for series in SERIES {
        let of = match series.of {
            Component::Istiod => "istiod",
            _ => "proxies",
        };
        let level = match series.level {
            Level::Minimal => "minimal, standard",
            Level::Standard => "standard",
        };
        let alerts: Vec<String> = ALERTS
            .iter()
            .filter(|alert| alert.of == series.of)
            .filter(|alert| {
                asked(alert)
                    .metrics
                    .iter()
                    .any(|name| names(series).contains(name))
            })
            .map(|alert| format!("`{}`", alert.name))
            .collect();
        let row = format!(
            "| `{}` | {of} | {level} | {} | {} |",
            series.name,
            alerts.join(", "),
            series.source
        );
        if !manual.contains(&row) {
            missing.push(row);
        }
    }
    let rows = manual
        .lines()
        .filter(|line| line.contains(" | istiod | ") || line.contains(" | proxies | "))
        .count();
    assert!(
        missing.is_empty(),
        "{MANUAL} has to say\n{}\n",
        missing.join("\n")
    );
    assert_eq!(rows, SERIES.len(), "rows of no metric");
}

#[test]
fn the_manual_lists_every_alert() {
    let manual = support::read(MANUAL);
    let mut missing = Vec::new();
    for alert in ALERTS {
        let row = format!("| `{}` | {} | ", alert.name, alert.severity);
        if !manual.contains(&row) {
            missing.push(row);
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
