//! Which ports does an operator's own scrape of its programs reach?
//!
//! Authority: VictoriaMetrics operator `factory/build/{vmscrape,service}.go`: the Service and the scrape object are made for
//! the same pods.
//! Departs from it: the Service is not looked for, which manifests need not show.
//! Knows: the pods that operators make. Does not know: what is written about them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::found::Found;
use super::picked::Picked;
use super::{Pods, Target, ports};
use crate::model::{Endpoint, EndpointPort, Inventory, Namespaces, PortRef, Scrape};

/// The pods of a program of the object that the scrape object is made for, and its ports.
pub(super) fn found<'a>(
    inventory: &'a Inventory,
    scrape: &Scrape,
    endpoint: &Endpoint,
    (part, names): (Option<&'static str>, &BTreeMap<String, u16>),
    missing: &mut Vec<String>,
) -> Found<'a> {
    let own = &scrape.object.namespace;
    let looks_there = match &scrape.namespaces {
        Namespaces::Own | Namespaces::Any => true,
        Namespaces::Named(names) => names.contains(own),
    };
    let mut pods = inventory.workloads_of(&scrape.object).iter();
    let pods = pods.find(|pods| pods.part == part);
    let Some(pods) = pods.filter(|_| looks_there) else {
        missing.push(match looks_there {
            true => format!("the pods of {} are not understood", scrape.object),
            false => "its namespaceSelector leaves out the namespace of the pods".to_owned(),
        });
        return Found::default();
    };
    let numbers = match &endpoint.port {
        EndpointPort::ServicePort(name) => match names.get(name) {
            Some(number) => vec![Some(*number)],
            None => ports::declared(pods, &PortRef::Name(name.clone())),
        },
        EndpointPort::ContainerPort(port) => ports::declared(pods, port),
        EndpointPort::Every => ports::every(pods),
    };
    if numbers.is_empty() {
        missing.push(format!("no such port in {}", scrape.object));
    }
    let target = |port| Target {
        pods: Pods::Of(Cow::Borrowed(pods)),
        port,
        via: "what the operator scrapes itself".to_owned(),
        addressed_by: None,
    };
    Found {
        targets: numbers.into_iter().map(target).collect(),
        workloads: Picked::Some(vec![pods]),
        ..Found::default()
    }
}
