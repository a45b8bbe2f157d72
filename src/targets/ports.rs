//! Which numbers do ports have on the pods of a workload?
//!
//! Authority: `FindPort`, kubernetes pkg/api/v1/pod/util.go; vmagent `discovery/kubernetes/{pod,endpoints,endpointslice}.go`.
//! Departs from them: ports of pods that the input shows in part are assumed where a number says so, else not known.
//! Knows: workloads and ports. Does not know: why somebody asks.

use crate::model::{PodsKnown, PortRef, ServicePort, Workload};

/// The port that Envoy declares in the sidecar container, so that vmagent discovers it once the pod is injected
/// (Istio, manifests/charts/istio-control/istio-discovery/files/injection-template.yaml).
pub const ENVOY_PORT: (&str, u16) = ("http-envoy-prom", 15090);

/// The container that declares it (same template).
pub(super) const ENVOYS_CONTAINER: &str = "istio-proxy";

/// The port behind a port of a Service; nothing where no container declares the name, `None` in it where that is not known.
pub(super) fn behind(workload: &Workload, port: &ServicePort) -> Vec<Option<u16>> {
    match &port.target {
        PortRef::Number(number) => vec![Some(*number)],
        PortRef::Name(name) => {
            // Kubernetes takes the first container that has the name.
            let first = named(workload, name).into_iter().next();
            found_or_unknown(workload, first.into_iter().collect())
        }
    }
}

/// The declared ports that a number or a name stands for.
pub(super) fn declared(workload: &Workload, port: &PortRef) -> Vec<Option<u16>> {
    match port {
        PortRef::Number(number) => {
            let is_declared = all_declared(workload).any(|declared| declared.1 == *number);
            let assumed = workload.known != PodsKnown::Template;
            (is_declared || assumed)
                .then_some(Some(*number))
                .into_iter()
                .collect()
        }
        PortRef::Name(name) => found_or_unknown(workload, named(workload, name)),
    }
}

/// Every declared port, and Envoy's; `None` among them stands for ports that are not known.
pub(super) fn every(workload: &Workload) -> Vec<Option<u16>> {
    let numbers = all_declared(workload).map(|port| Some(port.1));
    let unknown = (workload.known != PodsKnown::Template).then_some(None);
    numbers.chain(unknown).collect()
}

/// Whether a container that stays declares no port: vmagent's pod role scrapes it at the pod's bare address.
pub(super) fn has_portless_container(workload: &Workload) -> bool {
    workload
        .containers
        .iter()
        .any(|container| !container.init && container.ports.is_empty())
}

/// Declared ports, and Envoy's unless the pod is on the host's network, where nothing is injected.
fn all_declared(workload: &Workload) -> impl Iterator<Item = (Option<&str>, u16)> {
    let (name, number) = ENVOY_PORT;
    let envoy = (!workload.host_network).then_some((Some(name), number));
    workload
        .declared_ports()
        .map(|port| (port.name.as_deref(), port.number))
        .chain(envoy)
}

fn named(workload: &Workload, name: &str) -> Vec<u16> {
    all_declared(workload)
        .filter(|port| port.0 == Some(name))
        .map(|port| port.1)
        .collect()
}

fn found_or_unknown(workload: &Workload, found: Vec<u16>) -> Vec<Option<u16>> {
    if found.is_empty() && workload.known != PodsKnown::Template {
        return vec![None];
    }
    found.into_iter().map(Some).collect()
}
