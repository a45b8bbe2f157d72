//! In which namespaces does an endpoint look?
//!
//! Authority: `getNamespacesFromNamespaceSelector`, VictoriaMetrics operator `factory/vmscrapes/vmscrapes.go`.
//! Departs from nothing: the names are names, not labels.
//! Knows: namespaces of the inventory. Does not know: selectors.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::model::{Inventory, Labels, Namespaces, Scrape, Service, Workload, selects};

/// The namespaces in which an endpoint looks.
#[derive(Debug, Clone)]
pub(super) enum Scope<'a> {
    /// All, whatever they are called.
    All,
    /// These.
    Named(BTreeSet<&'a str>),
}

impl<'a> Scope<'a> {
    /// Any, else `matchNames`, else the scrape object's own; its own only if the scraper ignores the selector.
    pub(super) fn of(scrape: &'a Scrape, own_namespace_only: bool) -> Self {
        let own = || Scope::Named(BTreeSet::from([scrape.object.namespace.as_str()]));
        match &scrape.namespaces {
            _ if own_namespace_only => own(),
            Namespaces::Own => own(),
            Namespaces::Any => Scope::All,
            Namespaces::Named(names) => Scope::Named(names.iter().map(String::as_str).collect()),
        }
    }

    /// Whether a namespace is one of them.
    pub(super) fn includes(&self, namespace: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::Named(names) => names.contains(namespace),
        }
    }

    /// The Services there that a selector selects.
    pub(super) fn services<'i>(
        &self,
        inventory: &'i Inventory,
        selector: &LabelSelector,
    ) -> Vec<&'i Service> {
        let selected = |service: &&Service| selects(selector, &service.labels);
        match labels(selector).and_then(|labels| inventory.services_with(labels)) {
            Some(some) => some
                .filter(|service| self.includes(&service.object.namespace))
                .filter(selected)
                .collect(),
            None => self
                .parts(&inventory.services, |name| inventory.services_in(name))
                .filter(selected)
                .collect(),
        }
    }

    /// The workloads there whose pods a selector selects.
    pub(super) fn workloads<'i>(
        &self,
        inventory: &'i Inventory,
        selector: &LabelSelector,
    ) -> Vec<&'i Workload> {
        let selected = |workload: &&Workload| selects(selector, &workload.labels);
        match labels(selector).and_then(|labels| inventory.workloads_with(labels)) {
            Some(some) => some
                .filter(|workload| self.includes(&workload.object.namespace))
                .filter(selected)
                .collect(),
            None => self
                .parts(&inventory.workloads, |name| inventory.workloads_in(name))
                .filter(selected)
                .collect(),
        }
    }

    fn parts<'i, T>(
        &self,
        all: &'i [T],
        part: impl Fn(&str) -> &'i [T],
    ) -> impl Iterator<Item = &'i T> {
        let parts: Vec<&'i [T]> = match self {
            Scope::All => vec![all],
            Scope::Named(names) => names.iter().map(|name| part(name)).collect(),
        };
        parts.into_iter().flatten()
    }
}

fn labels(selector: &LabelSelector) -> Option<&Labels> {
    selector.match_labels.as_ref()
}
