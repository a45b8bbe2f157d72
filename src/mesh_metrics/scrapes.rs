//! Which object scrapes a part of Istio, in the words of which operator?
//!
//! Authority: the APIs of both operators (VMServiceScrape, VMPodScrape; ServiceMonitor, PodMonitor), Istio's charts for
//! ports and labels.
//! Departs from nothing.
//! Knows: endpoints, selectors, both spellings. Does not know: which series are kept, alerts.

use serde_json::{Map, Value, json};

use super::{kept, object};
use crate::config::{Component, MeshMetrics, ProxyPort, Style};

/// A port that is scraped.
struct Port {
    /// Its name: of a port of the Service for istiod, of a container for the others.
    name: &'static str,
    /// What is asked for there.
    path: &'static str,
}

/// 15014 (istio/istio manifests/charts/istio-control/istio-discovery/templates/service.yaml).
const ISTIOD: Port = Port {
    name: "http-monitoring",
    path: "/metrics",
};
/// 15090 (istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml, for waypoints
/// files/waypoint.yaml beside it, for gateways manifests/charts/gateway/templates/deployment.yaml).
const PROXY: Port = Port {
    name: "http-envoy-prom",
    path: "/stats/prometheus",
};
/// 15020 (istio/istio manifests/charts/ztunnel/templates/daemonset.yaml; the path is that of podmonitor.yaml beside it).
const ZTUNNEL: Port = Port {
    name: "ztunnel-stats",
    path: "/metrics",
};
/// 15014 (istio/istio manifests/charts/istio-cni/templates/daemonset.yaml, the path is in its annotations).
const CNI: Port = Port {
    name: "metrics",
    path: "/metrics",
};

/// The annotations that the injector sets to its merged metrics (istio/istio pkg/kube/inject/webhook.go), and gateways and
/// waypoints have from their templates.
const MERGED: [&str; 3] = [
    "__meta_kubernetes_pod_annotation_prometheus_io_scrape",
    "__meta_kubernetes_pod_annotation_prometheus_io_path",
    "__meta_kubernetes_pod_annotation_prometheus_io_port",
];
/// The annotations that name secure ports (istio/istio samples/addons/extras/prometheus-secure-metrics.yaml): that of merged
/// metrics, which the injector sets, and that of Envoy's own, which people set.
const SECURE: [&str; 2] = [
    "__meta_kubernetes_pod_annotation_prometheus_istio_io_secure_port",
    "__meta_kubernetes_pod_annotation_prometheus_istio_io_secure_envoy_port",
];

/// One way to a port.
struct Endpoint {
    port: Port,
    relabelings: Vec<Value>,
    metric_relabelings: Vec<Value>,
    /// With Istio's certificates.
    secure: bool,
}

/// The object for a component.
pub(super) fn of_component(config: &MeshMetrics, component: Component) -> Value {
    match component {
        Component::Istiod => istiod(config),
        Component::Proxies => proxies(config),
        Component::Ztunnel => {
            let labels = json!({"matchLabels": {"app": "ztunnel"}});
            node_agents(config, component, "ztunnel", labels, ZTUNNEL)
        }
        Component::Cni => {
            let labels = json!({"matchLabels": {"k8s-app": "istio-cni-node"}});
            node_agents(config, component, "cni", labels, CNI)
        }
    }
}

/// The control plane, by its Service.
fn istiod(config: &MeshMetrics) -> Value {
    // A revision tag has a Service of the same labels for the same pods
    // (istio/istio manifests/charts/istio-control/istio-discovery/templates/revision-tags-svc.yaml).
    let mut expressions = vec![json!({"key": "istio.io/tag", "operator": "DoesNotExist"})];
    if !config.revisions.is_empty() {
        expressions
            .push(json!({"key": "istio.io/rev", "operator": "In", "values": config.revisions}));
    }
    let endpoint = Endpoint {
        port: ISTIOD,
        relabelings: Vec::new(),
        metric_relabelings: kept::rules(config.cardinality, Component::Istiod, false),
        secure: false,
    };
    let (kind, fields) = match config.style {
        Style::Victoria => ("VMServiceScrape", &VICTORIA),
        Style::Prometheus => ("ServiceMonitor", &PROMETHEUS),
    };
    let spec = json!({
        "namespaceSelector": {"matchNames": [config.root_namespace]},
        "selector": {
            "matchLabels": {"app": "istiod", "istio": "pilot"},
            "matchExpressions": expressions,
        },
        // Istio's dashboards ask for it.
        "targetLabels": ["app"],
        "endpoints": [written(config, fields, endpoint)],
    });
    object(config, kind, "istiod", Some("target-unknown"), spec)
}

/// Sidecars, gateways and waypoints, by the port that all of them have.
fn proxies(config: &MeshMetrics) -> Value {
    let address = |source: &[&str], regex: &str| json!({"sourceLabels": source, "regex": regex, "targetLabel": "__address__", "replacement": "$1:$2"});
    let endpoint = |relabelings, with_applications| Endpoint {
        port: PROXY,
        relabelings,
        metric_relabelings: kept::rules(config.cardinality, Component::Proxies, with_applications),
        secure: false,
    };
    let endpoints = match config.proxy_port {
        ProxyPort::Envoy => vec![endpoint(Vec::new(), false)],
        ProxyPort::Merged => {
            let [scrape, path, port] = MERGED;
            let to_merged = address(
                &["__address__", scrape, path, port],
                r"(.+):\d+;true;/stats/prometheus;(\d+)",
            );
            vec![endpoint(vec![to_merged], true)]
        }
        ProxyPort::Secure => {
            let either = r"\d+;.*|.*;\d+";
            let only =
                |action: &str| json!({"action": action, "sourceLabels": SECURE, "regex": either});
            let [merged, envoy] = SECURE;
            let to = |port: &str| address(&["__address__", port], r"(.+):\d+;(\d+)");
            vec![
                endpoint(vec![only("drop")], false),
                Endpoint {
                    secure: true,
                    // The last one wins: merged metrics have Envoy's in them.
                    ..endpoint(vec![only("keep"), to(envoy), to(merged)], true)
                },
            ]
        }
    };
    let is_rewritten = config.proxy_port != ProxyPort::Envoy;
    let accepts = match is_rewritten {
        true => "address-is-rewritten,target-unknown",
        false => "target-unknown",
    };
    let namespaces = match config.proxy_namespaces.is_empty() {
        true => json!({"any": true}),
        false => json!({"matchNames": config.proxy_namespaces}),
    };
    pods(config, "proxies", accepts, namespaces, json!({}), endpoints)
}

/// Pods of a DaemonSet, wherever it was installed.
fn node_agents(
    config: &MeshMetrics,
    component: Component,
    suffix: &str,
    selector: Value,
    port: Port,
) -> Value {
    let endpoint = Endpoint {
        port,
        relabelings: Vec::new(),
        metric_relabelings: kept::rules(config.cardinality, component, false),
        secure: false,
    };
    let anywhere = json!({"any": true});
    pods(
        config,
        suffix,
        "target-unknown",
        anywhere,
        selector,
        vec![endpoint],
    )
}

fn pods(
    config: &MeshMetrics,
    suffix: &str,
    accepts: &str,
    namespaces: Value,
    selector: Value,
    endpoints: Vec<Endpoint>,
) -> Value {
    let (kind, fields) = match config.style {
        Style::Victoria => ("VMPodScrape", &VICTORIA),
        Style::Prometheus => ("PodMonitor", &PROMETHEUS),
    };
    let is_secure = endpoints.iter().any(|endpoint| endpoint.secure);
    let endpoints: Vec<Value> = endpoints
        .into_iter()
        .map(|endpoint| written(config, fields, endpoint))
        .collect();
    let mut spec = json!({
        "namespaceSelector": namespaces,
        "selector": selector,
        "podMetricsEndpoints": endpoints,
    });
    if is_secure && config.style == Style::Prometheus {
        // A PodMonitor cannot name files.
        spec["scrapeClass"] = config.scrape_class_name.as_str().into();
    }
    object(config, kind, suffix, Some(accepts), spec)
}

/// How an operator calls what an endpoint has.
struct Spelling {
    relabelings: &'static str,
    metric_relabelings: &'static str,
    /// Whether files may be named.
    takes_files: bool,
}

const VICTORIA: Spelling = Spelling {
    relabelings: "relabelConfigs",
    metric_relabelings: "metricRelabelConfigs",
    takes_files: true,
};
const PROMETHEUS: Spelling = Spelling {
    relabelings: "relabelings",
    metric_relabelings: "metricRelabelings",
    takes_files: false,
};

fn written(config: &MeshMetrics, spelling: &Spelling, endpoint: Endpoint) -> Value {
    let mut fields = Map::new();
    fields.insert("port".to_owned(), endpoint.port.name.into());
    fields.insert("path".to_owned(), endpoint.port.path.into());
    if let Some(interval) = &config.interval {
        fields.insert("interval".to_owned(), interval.as_str().into());
    }
    if endpoint.secure {
        fields.insert("scheme".to_owned(), "https".into());
        if spelling.takes_files {
            fields.insert("tlsConfig".to_owned(), certificates(&config.directory));
        }
    }
    let rules = [
        (
            spelling.relabelings,
            endpoint.relabelings,
            &config.relabelings,
        ),
        (
            spelling.metric_relabelings,
            endpoint.metric_relabelings,
            &config.metric_relabelings,
        ),
    ];
    for (field, ours, theirs) in rules {
        let all: Vec<Value> = ours.into_iter().chain(theirs.iter().cloned()).collect();
        if !all.is_empty() {
            fields.insert(field.to_owned(), all.into());
        }
    }
    fields.into()
}

/// Istio's certificates, in files (istio/istio samples/addons/extras/prometheus-secure-metrics.yaml).
fn certificates(directory: &str) -> Value {
    json!({
        "caFile": format!("{directory}/root-cert.pem"),
        "certFile": format!("{directory}/cert-chain.pem"),
        "insecureSkipVerify": true,
        "keyFile": format!("{directory}/key.pem"),
    })
}
