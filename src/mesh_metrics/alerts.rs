//! When is something wrong with the mesh?
//!
//! Authority: Istio and Envoy for what the metrics mean; the file that defines each stands in `series.rs`.
//! Departs from nothing.
//! Knows: metrics and their labels. Does not know: how they are collected, which series are kept.

use serde_json::{Map, Value, json};

use super::object;
use crate::config::{Component, MeshMetrics, ProxyPort, Style};

/// An alerting rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// The group that it is evaluated in.
    pub group: &'static str,
    /// PromQL.
    pub expression: &'static str,
    /// How long it has to hold; nothing: not at all.
    pub lasts: Option<&'static str>,
    /// How much it matters.
    pub severity: &'static str,
    /// What is wrong, in a line.
    pub summary: &'static str,
    /// What that means, and what to look at.
    pub description: &'static str,
    /// The part of Istio whose metrics it needs.
    pub of: Component,
    /// Whether Envoy's own port lacks them: they are the agent's.
    pub merged: bool,
}

const SERVICES: &str = "istio-services";
const CONTROL_PLANE: &str = "istio-control-plane";
const CERTIFICATES: &str = "istio-certificates";

/// What an alert is unless it says otherwise.
const ON_ISTIOD: Alert = Alert {
    name: "",
    group: CONTROL_PLANE,
    expression: "",
    lasts: None,
    severity: "warning",
    summary: "",
    description: "",
    of: Component::Istiod,
    merged: false,
};
const ON_PROXIES: Alert = Alert {
    group: SERVICES,
    of: Component::Proxies,
    ..ON_ISTIOD
};

/// That a counter grew within five minutes. Counters of Istio begin with their first event (istio/istio
/// pkg/monitoring/counter.go), and `increase` of Prometheus does not see a first value: one that was not there five minutes
/// ago counts as a whole.
macro_rules! grew {
    ($sum:literal, $counter:literal) => {
        concat!(
            $sum,
            " (increase(",
            $counter,
            "[5m])) > 0\nor ",
            $sum,
            " (",
            $counter,
            " unless ",
            $counter,
            " offset 5m) > 0"
        )
    };
}

/// Every alert, those of a group together.
pub const ALERTS: &[Alert] = &[
    Alert {
        name: "IstioHighErrorRate",
        // By reporter: client and server count the same request, and what never reaches the server only the client does.
        expression: "sum by (destination_service, reporter) (rate(istio_requests_total{response_code=~\"5..\"}[5m]))\n\
                     / sum by (destination_service, reporter) (rate(istio_requests_total[5m])) > 0.05",
        lasts: Some("5m"),
        severity: "critical",
        summary: "More than 5 % of requests to {{ $labels.destination_service }} fail",
        description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.destination_service }} end with 5xx, \
                      as its {{ $labels.reporter }} proxies count them. response_flags of istio_requests_total tells whether \
                      the service or a proxy answered.",
        ..ON_PROXIES
    },
    Alert {
        name: "IstioHighLatency",
        expression: "histogram_quantile(0.99, sum by (destination_service, reporter, le) \
                     (rate(istio_request_duration_milliseconds_bucket[5m]))) > 1000",
        lasts: Some("5m"),
        summary: "The slowest 1 % of requests to {{ $labels.destination_service }} take more than a second",
        description: "The 99th percentile is {{ $value | printf \"%.0f\" }} ms, as {{ $labels.reporter }} proxies measure it. Streams and \
                      long polls count with their whole duration.",
        ..ON_PROXIES
    },
    Alert {
        name: "IstioCircuitBreakerOverflow",
        // Envoy's own counters are there from zero on.
        expression: "sum by (namespace, pod, cluster_name) (increase(envoy_cluster_upstream_cx_overflow[5m])) > 0",
        summary: "The circuit breaker of {{ $labels.cluster_name }} is open in {{ $labels.namespace }}/{{ $labels.pod }}",
        description: "Connections were refused because there are as many as connectionPool of the DestinationRule allows.",
        ..ON_PROXIES
    },
    Alert {
        name: "IstioCircuitBreakerRejects",
        // UO (envoyproxy/envoy docs/root/configuration/observability/access_log/usage.rst).
        expression: grew!(
            "sum by (source_workload, source_workload_namespace, destination_service)",
            "istio_requests_total{response_flags=~\".*UO.*\"}"
        ),
        summary: "Requests to {{ $labels.destination_service }} are refused by a circuit breaker",
        description: "Proxies of {{ $labels.source_workload_namespace }}/{{ $labels.source_workload }} answered requests \
                      themselves (response flag UO), because there are as many as connectionPool of the DestinationRule allows.",
        ..ON_PROXIES
    },
    Alert {
        name: "IstioConfigRejected",
        expression: grew!("sum by (type)", "pilot_total_xds_rejects"),
        summary: "Proxies reject configuration of type {{ $labels.type }}",
        description: "They go on with what they had. `istioctl proxy-status` names the proxies, the log of istiod the reason; \
                      an EnvoyFilter is the usual one.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioPushErrors",
        expression: grew!("sum by (type)", "pilot_xds_pushes{type=~\".+_senderr\"}"),
        summary: "istiod cannot send configuration: {{ $labels.type }}",
        description: "Proxies that are not reached go on with what they had. Look at the log of istiod and at the network \
                      between it and them.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioPushTimeouts",
        expression: grew!("sum", "pilot_xds_write_timeout"),
        summary: "Proxies do not take the configuration that istiod sends",
        description: "Pushes were given up within five minutes. Proxies or istiod are short of CPU, or the network \
                      between them is.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstiodInternalErrors",
        expression: grew!("sum", "pilot_total_xds_internal_errors"),
        summary: "istiod fails to make configuration for proxies",
        description: "The log of istiod says what it cannot do.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioProxyConvergenceSlow",
        expression: "histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_convergence_time_bucket[5m]))) > 10",
        lasts: Some("10m"),
        summary: "Changes take more than 10 seconds to reach proxies",
        description: "The 99th percentile is {{ $value | humanizeDuration }}. More istiods, fewer services for each proxy (Sidecar) or fewer \
                      changes help.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioRootCertificateExpires",
        expression: "citadel_server_root_cert_expiry_timestamp - time() < 30 * 24 * 3600",
        lasts: Some("15m"),
        severity: "critical",
        group: CERTIFICATES,
        summary: "The root certificate of the mesh expires in less than 30 days",
        description: "{{ $value | humanizeDuration }} are left. Behind that no proxy accepts another.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioSigningCertificateExpires",
        expression: "citadel_server_cert_chain_expiry_timestamp - time() < 7 * 24 * 3600",
        lasts: Some("15m"),
        severity: "critical",
        group: CERTIFICATES,
        summary: "The certificate that istiod signs with expires in less than a week",
        description: "{{ $value | humanizeDuration }} are left. Behind that no workload gets a certificate.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioSigningFails",
        expression: grew!("sum", "citadel_server_csr_sign_err_count"),
        group: CERTIFICATES,
        summary: "istiod cannot sign certificates of workloads",
        description: "Workloads go on with the certificates that they have until these expire. The log of istiod says why.",
        ..ON_ISTIOD
    },
    Alert {
        name: "IstioWorkloadCertificateExpires",
        expression: "min by (namespace, pod, resource_name) (istio_agent_cert_expiry_seconds) < 3600",
        lasts: Some("5m"),
        severity: "critical",
        group: CERTIFICATES,
        summary: "A certificate of {{ $labels.namespace }}/{{ $labels.pod }} expires in less than an hour",
        description: "{{ $labels.resource_name }} should have been renewed long ago. The log of its istio-proxy says why it \
                      was not.",
        merged: true,
        ..ON_PROXIES
    },
];

/// The object with the alerts that what is scraped can raise; `None`: nobody wants any, or none can.
pub(super) fn object_with_alerts(config: &MeshMetrics) -> Option<Value> {
    let alerts = raised(config);
    if !config.alerts || alerts.is_empty() {
        return None;
    }
    let kind = match config.style {
        Style::Victoria => "VMRule",
        Style::Prometheus => "PrometheusRule",
    };
    let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
    for alert in alerts {
        match groups.last_mut().filter(|(group, _)| *group == alert.group) {
            Some((_, rules)) => rules.push(rule(alert)),
            None => groups.push((alert.group, vec![rule(alert)])),
        }
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(name, rules)| json!({"name": name, "rules": rules}))
        .collect();
    let spec = json!({"groups": groups});
    Some(object(config, kind, "alerts", None, spec))
}

/// What somebody who wants alerts has to know, where there is none on what is scraped.
pub(super) fn warning(config: &MeshMetrics) -> Option<String> {
    let is_in_vain = config.alerts && raised(config).is_empty();
    is_in_vain.then(|| {
        let components = config.components.iter().map(|component| component.word());
        let components: Vec<&str> = components.collect();
        format!(
            "warning: MeshMetrics {}: spec.alerts is true, but there are no alerts on {}: none are made; \
             add istiod or proxies to spec.components, or remove spec.alerts",
            config.name,
            components.join(" and ")
        )
    })
}

/// The alerts whose metrics are collected: one that can never be raised would be taken for good news.
fn raised(config: &MeshMetrics) -> Vec<&'static Alert> {
    let is_merged = config.proxy_port != ProxyPort::Envoy;
    ALERTS
        .iter()
        .filter(|alert| config.components.contains(&alert.of) && (is_merged || !alert.merged))
        .collect()
}

fn rule(alert: &Alert) -> Value {
    let mut fields = Map::new();
    fields.insert("alert".to_owned(), alert.name.into());
    fields.insert("expr".to_owned(), alert.expression.into());
    if let Some(lasts) = alert.lasts {
        fields.insert("for".to_owned(), lasts.into());
    }
    fields.insert("labels".to_owned(), json!({"severity": alert.severity}));
    fields.insert(
        "annotations".to_owned(),
        json!({"summary": alert.summary, "description": alert.description}),
    );
    fields.into()
}
