//! Do headless Services lead to a pod's port?
//!
//! Authority: `TestHeadlessServices`, istio/istio pilot/pkg/networking/core/sidecar_simulation_test.go: their pods are known by address.
//! Departs from it: on pods that the input shows in part, a named port that cannot be resolved may be any port.
//! Knows: Services and workloads. Does not know: what a sidecar makes of it.

use super::services_for;
use crate::model::{Inventory, Service, ServicePort, Workload};

/// The headless Services, with the port of theirs, that select a workload's pods with a port; `None`: with any port.
pub fn headless_services_for<'a>(
    inventory: &'a Inventory,
    workload: &Workload,
    port: Option<u16>,
) -> Vec<(&'a Service, &'a ServicePort)> {
    services_for(inventory, workload, port)
        .into_iter()
        .filter(|(service, _)| service.headless)
        .collect()
}
