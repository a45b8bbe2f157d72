//! Which Services lead to a pod's port?
//!
//! Authority: istio/istio pilot/pkg/serviceregistry/kube: a sidecar knows a port by the Services that select its pod.
//! Departs from it: on pods that the input shows in part, a named port that cannot be resolved may be any port.
//! Knows: Services and workloads. Does not know: what a sidecar makes of it.

use super::{found, ports};
use crate::model::{Inventory, Service, ServicePort, Workload};

/// The Services, with the port of theirs, that select a workload's pods with a port; `None`: with any port.
pub fn services_for<'a>(
    inventory: &'a Inventory,
    workload: &Workload,
    port: Option<u16>,
) -> Vec<(&'a Service, &'a ServicePort)> {
    inventory
        .services_selecting(&workload.object.namespace, &workload.labels)
        .into_iter()
        .filter(|service| found::is_behind(service, workload))
        .flat_map(|service| found::tcp_ports(service).map(move |port| (service, port)))
        .filter(|(_, service_port)| {
            ports::behind(workload, service_port)
                .into_iter()
                .any(|number| port.is_none() || number.is_none() || number == port)
        })
        .collect()
}
