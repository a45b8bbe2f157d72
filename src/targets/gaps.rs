//! What keeps the list of targets from being complete?
//!
//! Authority: our own; the operator puts names of ports into anchored regular expressions (`factory/vmscrapes`).
//! Departs from it: a name that may be such an expression is taken literally where the input has that name.
//! Knows: what was found, what could not be read. Does not know: what a gap means for a decision.

use super::found::{self, Found};
use super::scope::Scope;
use crate::model::{
    DiscoveryRole, Endpoint, EndpointPort, Finds, Inventory, Object, PortRef, Scrape, Service,
    Unread, Workload, described, makes_pods,
};

/// The gaps, in words that name the object. `nothing_left`: relabelling rules left targets out, and why none is left.
pub(super) fn gaps(
    inventory: &Inventory,
    scrape: &Scrape,
    endpoint: &Endpoint,
    scope: &Scope<'_>,
    found: &Found<'_>,
    nothing_left: Option<String>,
) -> Vec<String> {
    let own_selector = inventory
        .unread
        .iter()
        .filter(|unread| unread.object == scrape.object)
        .filter(|unread| unread.at.as_str().starts_with("/spec/selector"))
        .map(|unread| format!("its selector is not understood: {}", unread.problem));
    let mut gaps = unread(inventory, by_pods(scrape), scope, found);
    gaps.extend(own_selector);
    if gaps.is_empty() && found.targets.is_empty() {
        gaps.push(
            nothing_left
                .or_else(|| regular_expression(endpoint))
                .unwrap_or_else(|| nothing_found(scrape, endpoint, scope, found)),
        );
    }
    gaps
}

/// Objects that could not be read and may be, or have, targets.
pub(super) fn unread(
    inventory: &Inventory,
    by_pods: bool,
    scope: &Scope<'_>,
    found: &Found<'_>,
) -> Vec<String> {
    inventory
        .unread
        .iter()
        .filter(|unread| hides_targets(inventory, by_pods, scope, found, unread))
        .map(|unread| {
            let place = match unread.at.is_root() {
                true => String::new(),
                false => format!(" at {}", unread.at),
            };
            format!(
                "{} is not understood{place}: {}",
                named(&unread.object),
                unread.problem
            )
        })
        .collect()
}

/// Whether something unread could be, or have, a target: it is among what was found, or it is not in the inventory.
fn hides_targets(
    inventory: &Inventory,
    by_pods: bool,
    scope: &Scope<'_>,
    found: &Found<'_>,
    unread: &Unread,
) -> bool {
    let object = &unread.object;
    let is = |other: &Object| other == object;
    if object.kind == "Service" && object.api_version == "v1" {
        let left_out = || {
            let here = inventory.services_in(&object.namespace);
            !here.iter().any(|s| is(&s.object))
        };
        let selected = found.services.iter().any(|s| is(&s.object));
        let searched = !by_pods && scope.includes(&object.namespace);
        return selected || (searched && left_out());
    }
    if !makes_pods(&object.api_version, &object.kind) {
        return false;
    }
    // A Service that an operator would make is not in the inventory where what is written about it is not understood.
    let unmade = unread.at.as_str().contains("/serviceSpec") && !by_pods;
    if unmade && scope.includes(&object.namespace) {
        return true;
    }
    let here = inventory.workloads_in(&object.namespace);
    let read: Vec<&Workload> = here.iter().filter(|w| is(&w.object)).collect();
    let is_behind = |service: &&Service| read.iter().any(|pods| found::is_behind(service, pods));
    let selected = found.workloads.iter().any(|w| is(&w.object))
        || (!read.is_empty() && found.services.iter().any(is_behind));
    let searched = match by_pods {
        false => found
            .services
            .iter()
            .any(|service| service.object.namespace == object.namespace),
        true => scope.includes(&object.namespace),
    };
    selected || (searched && read.is_empty())
}

/// Whether pods are found by their own labels, not by those of a Service.
fn by_pods(scrape: &Scrape) -> bool {
    scrape.kind.description().finds == Finds::Pods
}

/// A name that no port can have, but that may match names of ports.
fn regular_expression(endpoint: &Endpoint) -> Option<String> {
    let name = match &endpoint.port {
        EndpointPort::ServicePort(name) => name,
        EndpointPort::ContainerPort(PortRef::Name(name))
            if endpoint.role == DiscoveryRole::Pods =>
        {
            name
        }
        EndpointPort::ContainerPort(_) | EndpointPort::Every => return None,
    };
    name.contains(|c| r".+*?()|[]{}^$\".contains(c)).then(|| {
        format!(
            "the port name `{name}` is a regular expression; which ports it matches is not known"
        )
    })
}

fn nothing_found(
    scrape: &Scrape,
    endpoint: &Endpoint,
    scope: &Scope<'_>,
    found: &Found<'_>,
) -> String {
    let place = scope.described();
    let labels = match described(&scrape.selector).as_str() {
        "" => String::new(),
        selector => format!(" with labels {selector}"),
    };
    let port = match &endpoint.port {
        EndpointPort::ServicePort(name) => format!("port `{name}`"),
        EndpointPort::ContainerPort(PortRef::Name(name)) => format!("container port `{name}`"),
        EndpointPort::ContainerPort(PortRef::Number(number)) => {
            format!("declared container port {number}")
        }
        EndpointPort::Every => "port".to_owned(),
    };
    let names = |objects: Vec<&Object>| {
        objects
            .into_iter()
            .map(named)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match by_pods(scrape) {
        false if found.services.is_empty() => {
            format!("the input has no Service{labels} in {place}")
        }
        true if found.workloads.is_empty() => {
            format!("the input has no pods{labels} in {place}")
        }
        false => {
            let services = found.services.iter().map(|s| &s.object).collect();
            format!("there is no {port} behind {}", names(services))
        }
        true => {
            let workloads = found.workloads.iter().map(|w| &w.object).collect();
            format!("there is no {port} in {}", names(workloads))
        }
    }
}

fn named(object: &Object) -> String {
    format!("{} {}/{}", object.kind, object.namespace, object.name)
}
