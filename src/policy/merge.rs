//! Does the sidecar serve the metrics of the application beside its own?
//!
//! Authority: istio/istio pkg/kube/inject/webhook.go `applyPrometheusMerge`, `enablePrometheusMerge`: the annotation
//! `prometheus.istio.io/merge-metrics`, over the mesh's `enablePrometheusMerge`; not where `prometheus.io/scrape` says no.
//! Departs from it: pods that name no port are left out, of which pilot-agent would ask port 80; several ports
//! (`prometheus.istio.io/scrape-targets`) are not read.
//! Knows: annotations of pods, settings of the mesh. Does not know: who scrapes what.

use super::annotations::{self, MERGE_METRICS, STATUS_PORT};
use super::{Mesh, effective_proxy_config};
use crate::model::Workload;

/// Metrics of an application that its sidecar serves too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedMetrics {
    /// The port of the application.
    pub port: u16,
    /// The path there.
    pub path: String,
    /// The port of the sidecar where they are served again; `None`: not known.
    pub served_at: Option<u16>,
    /// The evidence.
    pub because: String,
}

/// Which metrics of the application the sidecar of pods serves, if they have one; `None`: none, or not known.
pub fn merged_metrics(mesh: &Mesh<'_>, pods: &Workload) -> Option<MergedMetrics> {
    let (key, port) = written(pods, "prometheus_io_port")?;
    let port = annotations::port_number(port)?;
    let says_no = |(_, value): (&str, &str)| annotations::boolean(value) == Some(false);
    if written(pods, "prometheus_io_scrape").is_some_and(says_no) {
        return None;
    }
    let own = pods.annotations.get(MERGE_METRICS);
    let merges = match own {
        Some(own) => annotations::boolean(own),
        None => mesh.settings_of(pods).prometheus_merge.value,
    };
    let served_at = match pods.annotations.get(STATUS_PORT) {
        Some(port) => annotations::port_number(port),
        None => effective_proxy_config(mesh, pods).ok().and_then(|config| {
            config
                .status_port
                .value()
                .and_then(annotations::port_number)
        }),
    };
    // What asks for the merged port already was written with injection in mind, or by it.
    if merges != Some(true) || served_at == Some(port) {
        return None;
    }
    let path = written(pods, "prometheus_io_path").map(|(_, path)| path.to_owned());
    Some(MergedMetrics {
        port,
        path: path.unwrap_or_else(|| "/metrics".to_owned()),
        served_at,
        because: annotations::annotation(pods, key),
    })
}

/// The annotation whose key is this in the eyes of Prometheus, which writes `_` for what no label can have.
fn written<'a>(pods: &'a Workload, name: &str) -> Option<(&'a str, &'a str)> {
    let sanitised = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    pods.annotations
        .iter()
        .find(|(key, _)| key.chars().map(sanitised).eq(name.chars()))
}
