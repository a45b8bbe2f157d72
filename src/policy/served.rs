//! Does a pod serve TLS with Istio's certificates by itself, whatever the policies say, or is a port of its proxy closed to others?
//!
//! Authority: istio/istio pkg/kube/inject/webhook.go `applySecurePrometheusAnnotation`, release note secure-metrics-port, `TestSecureMetricsPorts` (ports that ask for a mesh certificate in every mode; `METRICS_LOCALHOST_ACCESS_ONLY`); pilot-agent's `OUTPUT_CERTS`, templates `grpc-agent` and `grpc-simple`.
//! Departs from it: environment of containers in Git is not read, only `proxyMetadata`.
//! Knows: the proxy's configuration, annotations of pods, a port. Does not know: policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::annotations::{STATUS_PORT, TEMPLATES, USER_VOLUME_MOUNT, boolean, port_number};
use super::proxy_config::{EffectiveProxyConfig, Metadata, Origin};
use super::{Mesh, effective_proxy_config};
use crate::model::{Workload, embedded};

pub(super) const SECURE_PORTS: [&str; 2] = [
    "ENVOY_SECURE_METRICS_PORT",
    "ENVOY_SECURE_MERGED_METRICS_PORT",
];
pub(super) const LOCALHOST_ONLY: &str = "METRICS_LOCALHOST_ACCESS_ONLY";
pub(super) const OUTPUT_CERTS: &str = "OUTPUT_CERTS";
/// Where Envoy serves its own metrics.
const ENVOYS_METRICS: u16 = 15090;

/// How a port may serve Istio's certificates, if the pods have a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// The port asks for a certificate of the mesh in every mode.
    Always(String),
    /// The port answers only from within the pod.
    OnlyWithin(String),
    /// The port may be one of the former two; what is set is not known.
    Undecided(Vec<String>),
    /// The pods hold certificates, and what they do with them nobody says.
    Perhaps(String),
}

/// Whether the pods serve Istio's certificates on a port by themselves, with the evidence.
pub fn serves_istios_certificates(
    mesh: &Mesh<'_>,
    pods: &Workload,
    port: Option<u16>,
) -> Option<Serves> {
    let config = effective_proxy_config(mesh, pods).ok();
    let metrics = config
        .as_ref()
        .zip(port)
        .and_then(|(config, port)| metrics_port(config, pods, port));
    if metrics.is_some() {
        return metrics;
    }
    let proxyless = pods
        .annotations
        .get(TEMPLATES)
        .is_some_and(|templates| templates.contains("grpc-"));
    let output = config
        .as_ref()
        .and_then(|config| config.metadata(OUTPUT_CERTS));
    (proxyless || output.is_some_and(|output| is_written(output, pods))).then(|| {
        Serves::Perhaps(format!(
            "{} holds Istio's certificates itself, and may serve them",
            pods.object
        ))
    })
}

/// What is special about a metrics port of Istio's own.
fn metrics_port(config: &EffectiveProxyConfig, pods: &Workload, port: u16) -> Option<Serves> {
    for name in SECURE_PORTS {
        let Some(entry) = config.metadata(name) else {
            continue;
        };
        match entry.value.holds(|value| port_number(value) == Some(port)) {
            Some(true) => {
                return Some(Serves::Always(format!(
                    "{} makes port {port} ask for a certificate of the mesh in every mode",
                    entry.value.because.join(" and ")
                )));
            }
            Some(false) => {}
            None => return Some(undecided(name, entry)),
        }
    }
    let entry = config.metadata(LOCALHOST_ONLY)?;
    // Envoy's bootstrap compares with "true"; pilot-agent reads a boolean as Go does.
    let is_closed = match is_status_port(config, pods, port)? {
        PlainPort::Envoys => entry.value.holds(|value| value == "true"),
        PlainPort::Agents => entry.value.holds(|value| boolean(value) == Some(true)),
    };
    match is_closed {
        Some(true) => Some(Serves::OnlyWithin(format!(
            "{} closes port {port} to everybody outside the pod",
            entry.value.because.join(" and ")
        ))),
        Some(false) => None,
        None => Some(undecided(LOCALHOST_ONLY, entry)),
    }
}

enum PlainPort {
    Envoys,
    Agents,
}

fn is_status_port(config: &EffectiveProxyConfig, pods: &Workload, port: u16) -> Option<PlainPort> {
    if port == ENVOYS_METRICS {
        return Some(PlainPort::Envoys);
    }
    let is_agents = match pods.annotations.get(STATUS_PORT) {
        Some(own) => port_number(own) == Some(port),
        None => {
            config
                .status_port
                .holds(|value| port_number(value) == Some(port))
                != Some(false)
        }
    };
    is_agents.then_some(PlainPort::Agents)
}

fn undecided(name: &str, entry: &Metadata) -> Serves {
    let mut because = vec![format!("{name} is not known")];
    because.extend(entry.value.because.iter().cloned());
    Serves::Undecided(because)
}

/// Whether certificates may be written there: where only defaults name the directory, most pods have no volume at it,
/// and nothing is written.
fn is_written(output: &Metadata, pods: &Workload) -> bool {
    let mounted = mounted_in_proxy(pods);
    let may_be = |directory: &String| {
        !directory.is_empty()
            && (output.origin != Origin::Defaults
                || mounted.contains(directory.trim_end_matches('/')))
    };
    let anywhere = output.value.values.is_empty() && !mounted.is_empty();
    anywhere || output.value.values.iter().any(may_be)
}

/// Where `sidecar.istio.io/userVolumeMount` mounts volumes.
fn mounted_in_proxy(pods: &Workload) -> BTreeSet<String> {
    let annotation = pods.annotations.get(USER_VOLUME_MOUNT);
    let annotation = annotation.and_then(|text| embedded(text).ok());
    user_volume_mounts(annotation.as_ref().unwrap_or(&Value::Null))
        .into_iter()
        .filter_map(|(_, mount)| mount.get("mountPath")?.as_str())
        .map(|path| path.trim_end_matches('/').to_owned())
        .collect()
}

/// The mounts in `sidecar.istio.io/userVolumeMount`, with the names of their volumes, in both forms that the injection
/// template reads: a list, or a map by name.
pub fn user_volume_mounts(annotation: &Value) -> Vec<(Option<&str>, &Value)> {
    match annotation {
        Value::Array(mounts) => mounts
            .iter()
            .map(|mount| (mount.get("name").and_then(Value::as_str), mount))
            .collect(),
        Value::Object(mounts) => mounts
            .iter()
            .map(|(name, mount)| (Some(name.as_str()), mount))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
