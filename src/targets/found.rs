//! Which Services, pods and ports does a scrape object find?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/{servicescrape,podscrape}.go`; vmagent `discovery/kubernetes`.
//! Departs from them: pods that only a Service's selector tells of count as one workload with these labels.
//! Knows: one scrape object and the inventory. Does not know: what could not be read.

use std::borrow::Cow;

use super::narrowing::{Narrowed, Narrowing};
use super::picked::Picked;
use super::scope::Scope;
use super::{Elsewhere, Pods, Target, discovered, gaps, own_pods, ports};
use crate::model::{
    DiscoveryRole, Endpoint, EndpointPort, Inventory, Object, PodsKnown, Scrape, Scraper, Service,
    ServicePort, TargetSource, Workload, contains,
};

/// What a scrape object finds, each target as often as there are ways to it.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The targets.
    pub(super) targets: Vec<Target<'a>>,
    /// The Services that it selects.
    pub(super) services: Picked<'a, Service>,
    /// The workloads that it selects by their own labels.
    pub(super) workloads: Picked<'a, Workload>,
    /// What relabelling makes of the targets.
    pub(super) narrowed: Narrowed,
}

impl Found<'_> {
    /// Something that answers, and is no pod of the mesh.
    pub(super) fn elsewhere(place: Elsewhere, via: &str) -> Self {
        Self {
            targets: vec![Target {
                pods: Pods::Elsewhere(place),
                port: None,
                via: via.to_owned(),
                addressed_by: None,
            }],
            ..Self::default()
        }
    }
}

/// What an endpoint finds by all its sources, and what keeps that from being complete.
pub(super) fn found<'a>(
    inventory: &'a Inventory,
    scrape: &'a Scrape,
    endpoint: &Endpoint,
    scraper: Option<&Scraper>,
    narrowing: &Narrowing,
) -> (Found<'a>, Vec<String>) {
    let own_namespace_only = scraper.is_some_and(|scraper| scraper.ignores_namespace_selectors);
    let scope = Scope::of_scrape(scrape, own_namespace_only);
    let from = scraper.map(|scraper| scraper.object.namespace.as_str());
    let gaps = |found: &Found<'_>| {
        let nothing_left = narrowing.nothing_left(&found.narrowed);
        gaps::gaps(inventory, scrape, endpoint, &scope, found, nothing_left)
    };
    let mut found = Found::default();
    let mut missing = Vec::new();
    for source in &endpoint.sources {
        let more = match source {
            TargetSource::Services => {
                let services = scope.services(inventory, &scrape.selector);
                let more = behind(inventory, services, endpoint, narrowing);
                missing.extend(gaps(&more));
                more
            }
            TargetSource::Pods => {
                let pods = scope.workloads(inventory, &scrape.selector);
                let more = in_pods(inventory, pods, endpoint, narrowing);
                missing.extend(gaps(&more));
                more
            }
            TargetSource::Nodes => unlabelled(nodes(), narrowing),
            TargetSource::Address(address) => {
                let found = discovered::by_address(inventory, address, from, &mut missing);
                unlabelled(found, narrowing)
            }
            TargetSource::Name(name, port) => {
                let found = discovered::by_name(inventory, name, *port, from, &mut missing);
                unlabelled(found, narrowing)
            }
            TargetSource::Kubernetes(discovery) => {
                let asking = (endpoint, scraper, narrowing);
                discovered::by_kubernetes(inventory, discovery, asking, &mut missing)
            }
            TargetSource::OwnPods { part, ports } => {
                own_pods::found(inventory, scrape, endpoint, (*part, ports), &mut missing)
            }
            TargetSource::Unseen(what) => {
                missing.push(format!("{what}: what it finds is not in the input"));
                Found::default()
            }
        };
        found.targets.extend(more.targets);
        found.services = found.services.and(more.services);
        found.workloads = found.workloads.and(more.workloads);
        found.narrowed.extend(more.narrowed);
    }
    (found, missing)
}

/// Targets found by something whose labels are not followed.
fn unlabelled<'a>(found: Found<'a>, narrowing: &Narrowing) -> Found<'a> {
    let mut narrowed = Narrowed::default();
    Found {
        targets: narrowing.may_leave(found.targets, &mut narrowed),
        narrowed,
        ..found
    }
}

/// The pods behind these Services.
pub(super) fn behind<'a>(
    inventory: &'a Inventory,
    services: Picked<'a, Service>,
    endpoint: &Endpoint,
    narrowing: &Narrowing,
) -> Found<'a> {
    let mut found = Found::default();
    let look = |service: &'a Service, found: &mut Found<'a>| {
        if narrowing.passes_by(service, &found.narrowed) {
            return;
        }
        let workloads = distinct_pods_of(inventory, service);
        let reached = targets(service, &workloads, endpoint);
        let left = narrowing.leaves(endpoint, Some(service), reached, &mut found.narrowed);
        found.targets.extend(left);
    };
    let opening = narrowing.of_services(inventory, &services);
    for service in services.iter() {
        if let Some(left) = narrowing.left_from(&opening, service, &found.narrowed) {
            left.iter().for_each(|service| look(service, &mut found));
            break;
        }
        look(service, &mut found);
    }
    found.services = services;
    found
}

/// Ports of these pods.
pub(super) fn in_pods<'a>(
    inventory: &'a Inventory,
    workloads: Picked<'a, Workload>,
    endpoint: &Endpoint,
    narrowing: &Narrowing,
) -> Found<'a> {
    let mut found = Found::default();
    let mut last: Option<&Workload> = None;
    let mut look = |workload: &'a Workload, found: &mut Found<'a>| {
        if last.is_some_and(|last| is_repeated(last, workload)) {
            return;
        }
        last = Some(workload);
        let numbers = match &endpoint.port {
            EndpointPort::ContainerPort(port) => ports::declared(workload, port),
            EndpointPort::Every => {
                let bare = ports::has_portless_container(workload).then_some(None);
                ports::every(workload).into_iter().chain(bare).collect()
            }
            EndpointPort::ServicePort(_) => Vec::new(),
        };
        let reached = numbers.into_iter().map(|port| Target {
            pods: Pods::Of(Cow::Borrowed(workload)),
            port,
            via: "pod labels".to_owned(),
            addressed_by: None,
        });
        let left = narrowing.leaves(endpoint, None, reached.collect(), &mut found.narrowed);
        found.targets.extend(left);
    };
    let opening = narrowing.of_workloads(inventory, &workloads);
    for workload in workloads.iter() {
        if let Some(left) = narrowing.left_from(&opening, workload, &found.narrowed) {
            left.iter().for_each(|workload| look(workload, &mut found));
            break;
        }
        look(workload, &mut found);
    }
    found.workloads = workloads;
    found
}

/// Kubelets and what else listens on nodes: outside the mesh, unless a pod has a port of the host.
fn nodes<'a>() -> Found<'a> {
    let nodes = Elsewhere {
        kind: "Node",
        namespace: String::new(),
        name: String::new(),
        why: "nodes are outside the mesh".to_owned(),
        proven: false,
    };
    Found::elsewhere(nodes, "node labels")
}

pub(super) fn without_selector<'a>(service: &Service) -> Pods<'a> {
    Pods::Elsewhere(Elsewhere {
        kind: "Service",
        namespace: service.object.namespace.clone(),
        name: service.object.name.clone(),
        why: match service.another_name {
            true => format!(
                "{} is another name (ExternalName), taken to lead out of the mesh",
                service.object
            ),
            false => format!(
                "{} has no selector: its addresses are no pods of the mesh",
                service.object
            ),
        },
        proven: !service.another_name,
    })
}

/// The pods behind a Service: those of the input, else what its selector tells of them.
pub(super) fn pods_behind<'a>(
    service: &'a Service,
    workloads: &[&'a Workload],
) -> Vec<Cow<'a, Workload>> {
    match workloads {
        [] => vec![Cow::Owned(pods_of_unknown_origin(service))],
        workloads => workloads.iter().map(|w| Cow::Borrowed(*w)).collect(),
    }
}

/// The workloads of the input that a Service selects.
pub(super) fn pods_of<'a>(inventory: &'a Inventory, service: &Service) -> Vec<&'a Workload> {
    if service.selector.is_empty() {
        return Vec::new();
    }
    let namespace = service.object.namespace.as_str();
    let mut found = inventory.workloads_with(Some(namespace), Some(&service.selector));
    found.retain(|workload| is_behind(service, workload));
    found
}

/// The same, of copies of one object the first: what reaches the one reaches the others, and meets the same.
pub(super) fn distinct_pods_of<'a>(
    inventory: &'a Inventory,
    service: &Service,
) -> Vec<&'a Workload> {
    let mut found = pods_of(inventory, service);
    found.dedup_by(|later, earlier| is_repeated(earlier, later));
    found
}

/// Whether the later of two workloads, which stand in order, is the earlier one again. Pods that an operator makes may
/// differ although no manifest shows how.
fn is_repeated(earlier: &Workload, later: &Workload) -> bool {
    later.known == PodsKnown::Template && later.is_copy_of(earlier)
}

/// Whether a Service selects the pods of a workload; one without selector selects none.
pub(super) fn is_behind(service: &Service, workload: &Workload) -> bool {
    !service.selector.is_empty()
        && service.object.namespace == workload.object.namespace
        && contains(&workload.labels, &service.selector)
}

fn targets<'a>(
    service: &'a Service,
    workloads: &[&'a Workload],
    endpoint: &Endpoint,
) -> Vec<Target<'a>> {
    let target = |pods: Pods<'a>, port: Option<u16>| Target {
        pods,
        port,
        via: service.named(),
        addressed_by: (endpoint.role == DiscoveryRole::Service).then_some(service),
    };
    if service.selector.is_empty() {
        let has_endpoints = !service.another_name || endpoint.role == DiscoveryRole::Service;
        let answers = has_endpoints && !named_ports(service, endpoint).is_empty();
        return answers
            .then(|| target(without_selector(service), None))
            .into_iter()
            .collect();
    }
    pods_behind(service, workloads)
        .into_iter()
        .flat_map(|workload| {
            let numbers = numbers(service, &workload, endpoint);
            let pods = Pods::Of(workload);
            numbers
                .into_iter()
                .map(move |port| (pods.clone(), port))
                .collect::<Vec<_>>()
        })
        .map(|(pods, port)| target(pods, port))
        .collect()
}

/// The pod ports that an endpoint reaches through a Service. Without an endpoint port of the Service vmagent never
/// looks at the pods.
fn numbers(service: &Service, workload: &Workload, endpoint: &Endpoint) -> Vec<Option<u16>> {
    if tcp_ports(service).next().is_none() {
        return Vec::new();
    }
    let behind_service = || {
        named_ports(service, endpoint)
            .into_iter()
            .flat_map(|port| ports::behind(workload, port))
    };
    match (endpoint.role, &endpoint.port) {
        (DiscoveryRole::Service, _) | (_, EndpointPort::ServicePort(_)) => {
            behind_service().collect()
        }
        (DiscoveryRole::Pods, EndpointPort::ContainerPort(port)) => ports::declared(workload, port),
        (DiscoveryRole::Pods, EndpointPort::Every) => {
            behind_service().chain(ports::every(workload)).collect()
        }
    }
}

/// The ports of a Service that an endpoint names: one, or all of them. The role `service` has no filter for
/// `targetPort`, with the others it is a port of a container and none of the Service's.
fn named_ports<'s>(service: &'s Service, endpoint: &Endpoint) -> Vec<&'s ServicePort> {
    tcp_ports(service)
        .filter(|port| match (&endpoint.port, endpoint.role) {
            (EndpointPort::ServicePort(name), _) => port.name.as_deref() == Some(name),
            (EndpointPort::ContainerPort(_), DiscoveryRole::Pods) => false,
            (EndpointPort::ContainerPort(_), DiscoveryRole::Service) | (EndpointPort::Every, _) => {
                true
            }
        })
        .collect()
}

/// Metrics are scraped over TCP.
pub(super) fn tcp_ports(service: &Service) -> impl Iterator<Item = &ServicePort> {
    service.ports.iter().filter(|port| port.protocol == "TCP")
}

/// What a Service's selector tells of pods that are not in the input: at least these labels.
fn pods_of_unknown_origin(service: &Service) -> Workload {
    let object = Object {
        kind: "Pods".to_owned(),
        ..service.object.clone()
    };
    Workload::of_labels(object, service.selector.clone(), PodsKnown::SelectorOnly)
}
