//! Who answers at a port of a Service?
//!
//! Authority: Kubernetes Services: the pods that the selector matches, on the target port.
//! Departs from it: pods that only the Service's selector tells of count as one workload with these labels.
//! Knows: Services and workloads. Does not know: who asks, or what for.

use std::borrow::Cow;

use super::{found, ports};
use crate::model::{Inventory, Service, Workload};

/// The pods behind a port of a Service, with the port that each listens on; `None`: not known. Nobody where the Service
/// has no selector, or no such port.
pub fn answering<'a>(
    inventory: &'a Inventory,
    service: &'a Service,
    port: u16,
) -> Vec<(Cow<'a, Workload>, Option<u16>)> {
    if service.selector.is_empty() {
        return Vec::new();
    }
    let asked: Vec<_> = found::tcp_ports(service)
        .filter(|one| one.number == port)
        .collect();
    found::pods_behind(service, &found::distinct_pods_of(inventory, service))
        .into_iter()
        .flat_map(|pods| {
            let numbers = asked.iter().flat_map(|port| ports::behind(&pods, port));
            let numbers: Vec<_> = numbers.collect();
            numbers
                .into_iter()
                .map(move |number| (pods.clone(), number))
        })
        .collect()
}
