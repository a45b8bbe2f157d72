//! Which programs does the Prometheus operator run?
//!
//! Authority: prometheus-operator `pkg/prometheus/{common,server,agent}`, `pkg/{alertmanager,thanos}/statefulset.go`, `pkg/operator/config_reloader.go`.
//! Departs from them: a ThanosRuler always has a reloader; the operator makes a ConfigMap for it even where no rule is selected.
//! Knows: its part of the table. Does not know: any object.

use super::components::{MESH, RELOADER, VM_AGENT};
use super::conditions::{has_thanos, reloader_listens};
use super::{Component, Further, Made, Number, Operator};

const OF_PROMETHEUS: &[&str] = &["monitoring.coreos.com/v1"];

/// The Prometheus operator's own (`CreateConfigReloader`).
const RELOADER_WEB: Further = Further {
    name: "reloader-web",
    number: Number::Fixed(8080),
    there: reloader_listens,
    ..RELOADER
};

/// Alertmanager; what other rows of the Prometheus operator do not say is as here.
pub(super) const ALERTMANAGER: Component = Component {
    kind: "Alertmanager",
    api_versions: OF_PROMETHEUS,
    operator: Operator::Prometheus,
    app: "alertmanager",
    named_by: &["alertmanager"],
    prefix: "alertmanager",
    account: None,
    container: "alertmanager",
    port_name: "web",
    port_name_key: Some("portName"),
    port_key: None,
    default_port: 9093,
    further: &[RELOADER_WEB, MESH],
    made: Made::Governing {
        name: "alertmanager-operated",
        label: "operated-alertmanager",
    },
    ..VM_AGENT
};

/// Prometheus, with the sidecar of Thanos where it is asked for.
pub(super) const PROMETHEUS: Component = Component {
    kind: "Prometheus",
    app: "prometheus",
    named_by: &["operator.prometheus.io/name", "prometheus"],
    prefix: "prometheus",
    container: "prometheus",
    default_port: 9090,
    further: &[
        RELOADER_WEB,
        Further {
            container: Some("thanos-sidecar"),
            name: "http",
            number: Number::Fixed(10902),
            there: has_thanos,
            in_service: None,
        },
        Further {
            container: Some("thanos-sidecar"),
            name: "grpc",
            number: Number::Fixed(10901),
            there: has_thanos,
            in_service: Some("grpc"),
        },
    ],
    made: Made::Governing {
        name: "prometheus-operated",
        label: "operated-prometheus",
    },
    ..ALERTMANAGER
};

/// Prometheus in agent mode.
pub(super) const PROMETHEUS_AGENT: Component = Component {
    kind: "PrometheusAgent",
    api_versions: &["monitoring.coreos.com/v1alpha1"],
    app: "prometheus-agent",
    named_by: &["operator.prometheus.io/name"],
    prefix: "prom-agent",
    further: &[RELOADER_WEB],
    made: Made::Governing {
        name: "prometheus-agent-operated",
        label: "operated-prometheus",
    },
    ..PROMETHEUS
};

/// Thanos, as far as it evaluates rules.
pub(super) const THANOS_RULER: Component = Component {
    kind: "ThanosRuler",
    app: "thanos-ruler",
    named_by: &["thanos-ruler"],
    prefix: "thanos-ruler",
    container: "thanos-ruler",
    default_port: 10902,
    further: &[
        RELOADER_WEB,
        Further {
            name: "grpc",
            number: Number::Fixed(10901),
            in_service: Some("grpc"),
            ..MESH
        },
    ],
    made: Made::Governing {
        name: "thanos-ruler-operated",
        label: "operated-thanos-ruler",
    },
    ..ALERTMANAGER
};
