//! What keeps the list of targets from being complete?
//!
//! Authority: our own; the operator puts names of ports into anchored regular expressions (`factory/vmscrapes`).
//! Departs from it: a name that may be such an expression is taken literally where the input has that name.
//! Knows: what was found, what could not be read. Does not know: what a gap means for a decision.

use std::collections::BTreeSet;

use super::found::{self, Found};
use super::scope::Scope;
use crate::model::{
    DiscoveryRole, Endpoint, EndpointPort, Finds, Inventory, Object, PortRef, Scrape, described,
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
        .unread_of(&scrape.object)
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
    if inventory.unread.is_empty() {
        return Vec::new();
    }
    hiding_targets(inventory, by_pods, scope, found)
        .into_iter()
        .map(|position| &inventory.unread[position])
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

/// What is unread and could be, or have, a target, by position: it is among what was found, or it is not in the inventory.
fn hiding_targets(
    inventory: &Inventory,
    by_pods: bool,
    scope: &Scope<'_>,
    found: &Found<'_>,
) -> BTreeSet<usize> {
    let index = inventory.unread_index();
    let mut hiding = BTreeSet::new();
    if by_pods {
        hiding.extend(scope.of(index.pods()));
    } else {
        hiding.extend(scope.of(index.services()));
        hiding.extend(scope.of(index.made_services()));
        if !index.pods().is_empty() {
            let of_services = found.services.iter();
            let namespaces = of_services.map(|service| service.object.namespace.as_str());
            let searched = Scope::Named(namespaces.collect());
            hiding.extend(searched.of(index.pods()));
        }
    }
    if index.is_all_or_nothing() {
        return hiding;
    }
    for service in found.services.iter() {
        hiding.extend(index.in_part(inventory, &service.object));
        for pods in found::pods_of(inventory, service) {
            hiding.extend(index.in_part(inventory, &pods.object));
        }
    }
    for pods in found.workloads.iter() {
        hiding.extend(index.in_part(inventory, &pods.object));
    }
    hiding
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
