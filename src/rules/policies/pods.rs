//! Which ports do the pods have that a policy selects?
//!
//! Authority: `ComposePeerAuthentication`, istio/istio pilot/pkg/security/authn/policy_applier.go: ports are those of the pod.
//! Departs from it: what containers, Services and endpoints of the input name is taken as all that the pods have.
//! Knows: the pods that policies select, Services, judged endpoints. Does not know: what is said of a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;
use std::rc::Rc;

use super::super::JudgedTarget;
use super::super::endpoint::JudgedEndpoint;
use super::super::scraper::Patched;
use crate::model::{
    Inventory, Labels, PeerAuthentication, PodsKnown, PortRef, Service, ServicePort, Workload,
    contains, makes_pods,
};
use crate::policy;

/// Where Prometheus is told to look, by a number that no container has to declare.
const PROMETHEUS_PORT: &str = "prometheus.io/port";

/// An object by kind, namespace and name.
type Name<'a> = (&'a str, &'a str, &'a str);

/// What the input shows of ports, found once for all policies.
pub(super) struct Ports<'a> {
    pub(super) patched: &'a Patched<'a>,
    /// Whose pods endpoints reach, by the number of the port.
    scraped: BTreeMap<u16, BTreeSet<Name<'a>>>,
    /// Namespaces in which pods or Services may be that could not be read.
    hidden: BTreeSet<&'a str>,
    /// What policies with a selector select, by namespace.
    selected: BTreeMap<(&'a str, &'a Labels), Option<Rc<Pods<'a>>>>,
    unseen: BTreeMap<&'a str, Unseen<'a>>,
}

impl<'a> Ports<'a> {
    /// For these endpoints.
    pub(super) fn of(patched: &'a Patched<'a>, endpoints: &'a [JudgedEndpoint]) -> Self {
        let mut ports = Self {
            patched,
            scraped: BTreeMap::new(),
            hidden: BTreeSet::new(),
            selected: BTreeMap::new(),
            unseen: BTreeMap::new(),
        };
        let inventory = &patched.inventory;
        // Most inputs have no policy about ports.
        if inventory
            .policies
            .iter()
            .all(|policy| policy.ports.is_empty())
        {
            return ports;
        }
        for judged in endpoints.iter().flat_map(|endpoint| &endpoint.judged) {
            let shown: &JudgedTarget = &judged.shown;
            if let Some(port) = shown.port {
                let name = (
                    shown.kind.as_str(),
                    shown.namespace.as_str(),
                    shown.name.as_str(),
                );
                ports.scraped.entry(port).or_default().insert(name);
            }
        }
        for object in inventory.unread.iter().map(|unread| &unread.object) {
            if object.kind == "Service" || makes_pods(&object.api_version, &object.kind) {
                ports.hidden.insert(&object.namespace);
            }
        }
        ports
    }

    /// The pods that a policy selects, where the input shows all of them whole. `None`: there may be others, or nothing is
    /// known of their ports.
    pub(super) fn pods(&mut self, policy: &'a PeerAuthentication) -> Option<Rc<Pods<'a>>> {
        let namespace = policy.object.namespace.as_str();
        let asked = (namespace, &policy.selector);
        if let Some(known) = self.selected.get(&asked) {
            return known.clone();
        }
        let inventory: &'a Inventory = &self.patched.inventory;
        let unseen = self.unseen.entry(namespace);
        let unseen = unseen.or_insert_with(|| Unseen::of(inventory, namespace));
        let are_all_shown = !self.hidden.contains(namespace) && !unseen.may_be(&policy.selector);
        let pods = are_all_shown
            .then(|| Pods::of(inventory, policy))
            .flatten()
            .map(Rc::new);
        self.selected.insert(asked, pods.clone());
        pods
    }

    /// Whether an endpoint of the input reaches the port by its number.
    pub(super) fn are_scraped_at(&self, pods: &Pods<'_>, port: u16) -> bool {
        let Some(scraped) = self.scraped.get(&port) else {
            return false;
        };
        let mut objects = pods.workloads.iter().map(|pods| &pods.object);
        objects.any(|one| {
            let name: Name<'_> = (&one.kind, &one.namespace, &one.name);
            scraped.contains(&name)
        })
    }
}

/// The Services of a namespace that select pods which are not in the input.
struct Unseen<'a> {
    services: Vec<&'a Service>,
    /// The same by what they ask of a label; `None`: nothing.
    by_label: BTreeMap<&'a str, BTreeMap<Option<&'a str>, Vec<&'a Service>>>,
}

impl<'a> Unseen<'a> {
    fn of(inventory: &'a Inventory, namespace: &str) -> Self {
        let selects_none = |service: &&Service| {
            let selector = &service.selector;
            let mut pods = inventory
                .workloads_with(Some(namespace), Some(selector))
                .into_iter();
            !selector.is_empty() && !pods.any(|pods| contains(&pods.labels, selector))
        };
        let services = inventory.services_in(namespace).iter();
        Self {
            services: services.filter(selects_none).collect(),
            by_label: BTreeMap::new(),
        }
    }

    /// Whether a policy may select the pods of one of them.
    fn may_be(&mut self, selector: &'a Labels) -> bool {
        let agrees = |service: &&&Service| {
            selector.iter().all(|(key, value)| {
                let asked = service.selector.get(key);
                asked.is_none_or(|other| other == value)
            })
        };
        let Some((key, value)) = selector.iter().next() else {
            return !self.services.is_empty();
        };
        let services = &self.services;
        let by_value = self.by_label.entry(key).or_insert_with(|| {
            let mut by_value: BTreeMap<_, Vec<&Service>> = BTreeMap::new();
            for service in services {
                let asked = service.selector.get(key);
                by_value.entry(asked).or_default().push(service);
            }
            by_value
        });
        let agreeing = [None, Some(value)];
        let mut agreeing = agreeing.iter().filter_map(|value| by_value.get(value));
        agreeing.any(|services| services.iter().any(|service| agrees(&service)))
    }
}

/// The pods that a policy selects, where the input shows all of them whole.
pub(super) struct Pods<'a> {
    workloads: Vec<&'a Workload>,
    /// The Services that select any of them.
    services: Vec<&'a Service>,
}

impl<'a> Pods<'a> {
    /// `None`: nothing is known of their ports, or of which they are.
    fn of(inventory: &'a Inventory, policy: &PeerAuthentication) -> Option<Self> {
        let namespace = &policy.object.namespace;
        let selected = policy::selected_in(inventory, namespace, &policy.selector);
        let is_whole =
            |(pods, certain): &(&Workload, bool)| *certain && pods.known == PodsKnown::Template;
        if !selected.iter().all(is_whole) {
            return None;
        }
        let workloads: Vec<&Workload> = selected.into_iter().map(|(pods, _)| pods).collect();
        let mut services: Vec<&Service> = workloads
            .iter()
            .flat_map(|pods| {
                let services = inventory
                    .services_selecting(namespace, &pods.labels)
                    .into_iter();
                services.filter(|service| {
                    !service.selector.is_empty() && contains(&pods.labels, &service.selector)
                })
            })
            .collect();
        // Of one list, so in order of their places.
        services.sort_unstable_by_key(|service| ptr::from_ref(*service));
        services.dedup_by_key(|service| ptr::from_ref(*service));
        let declare_any = workloads
            .iter()
            .any(|pods| pods.declared_ports().next().is_some());
        let are_told = !services.is_empty() || declare_any;
        (!workloads.is_empty() && are_told).then_some(Self {
            workloads,
            services,
        })
    }

    /// The pods.
    pub(super) fn workloads(&self) -> &[&'a Workload] {
        &self.workloads
    }

    /// Whether a container declares the port, or an annotation names it.
    pub(super) fn declare(&self, port: u16) -> bool {
        let prometheus = |pods: &Workload| {
            let told = pods.annotations.get(PROMETHEUS_PORT);
            told.and_then(|told| told.parse().ok()) == Some(port)
        };
        self.workloads.iter().any(|pods| {
            prometheus(pods)
                || pods
                    .declared_ports()
                    .any(|declared| declared.number == port)
        })
    }

    /// Whether a Service leads to the port.
    pub(super) fn are_reached_at(&self, port: u16) -> bool {
        self.service_ports()
            .any(|(_, service_port)| self.behind(service_port).contains(&port))
    }

    fn service_ports(&self) -> impl Iterator<Item = (&'a Service, &'a ServicePort)> {
        let services = self.services.iter().copied();
        services.flat_map(|service| service.ports.iter().map(move |port| (service, port)))
    }

    /// The pods' ports that a port of a Service leads to.
    fn behind(&self, port: &ServicePort) -> BTreeSet<u16> {
        match &port.target {
            PortRef::Number(number) => BTreeSet::from([*number]),
            PortRef::Name(name) => {
                let declared = self.workloads.iter().flat_map(|pods| pods.declared_ports());
                declared
                    .filter(|declared| declared.name.as_ref() == Some(name))
                    .map(|declared| declared.number)
                    .collect()
            }
        }
    }

    /// What is said of a port that they do not have.
    pub(super) fn do_not_have(&self, port: u16) -> String {
        let mistaken = self
            .service_ports()
            .find(|(_, service_port)| service_port.number == port)
            .map(|(service, service_port)| (service, self.behind(service_port)));
        if let Some((service, behind)) = mistaken
            && !behind.is_empty()
        {
            return format!(
                "it does nothing: {port} is the port of {}, and a policy counts by the port of the pods: write {}",
                service.object,
                listed(behind)
            );
        }
        let names: Vec<_> = self
            .workloads
            .iter()
            .map(|pods| pods.object.to_string())
            .collect();
        let declared = self
            .workloads
            .iter()
            .flat_map(|pods| pods.declared_ports())
            .map(|declared| declared.number);
        let behind = self
            .service_ports()
            .flat_map(|(_, port)| self.behind(port))
            .collect::<BTreeSet<_>>();
        let known: BTreeSet<u16> = declared.chain(behind).collect();
        format!(
            "nothing in the input has this port: {} listens on {}, as far as containers and Services say; correct the \
             number, declare the port, or remove it",
            names.join(" and "),
            listed(known)
        )
    }
}

/// `8080 or 9090`, `no other` where there is none.
fn listed(ports: BTreeSet<u16>) -> String {
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    match ports.as_slice() {
        [] => "no port".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
