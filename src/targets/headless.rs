//! Do headless Services lead to a pod's port?
//!
//! Authority: `TestHeadlessServices`, istio/istio pilot/pkg/networking/core/sidecar_simulation_test.go: their pods are known by address.
//! Departs from it: on pods that the input shows in part, a named port that cannot be resolved may be any port.
//! Knows: Services and workloads. Does not know: what a sidecar makes of it.

use super::{found, ports};
use crate::model::{Inventory, Service, ServicePort, Workload};

/// The headless Services, with the port of theirs, that select a workload's pods with a port; `None`: with any port.
pub fn headless_services_for<'a>(
    inventory: &'a Inventory,
    workload: &Workload,
    port: Option<u16>,
) -> Vec<(&'a Service, &'a ServicePort)> {
    inventory
        .services_in(&workload.object.namespace)
        .iter()
        .filter(|service| service.headless && found::is_behind(service, workload))
        .flat_map(|service| found::tcp_ports(service).map(move |port| (service, port)))
        .filter(|(_, service_port)| {
            ports::behind(workload, service_port)
                .into_iter()
                .any(|number| port.is_none() || number.is_none() || number == port)
        })
        .collect()
}
