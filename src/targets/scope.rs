//! In which namespaces does an endpoint look?
//!
//! Authority: `getNamespacesFromNamespaceSelector`, VictoriaMetrics operator `factory/vmscrapes/vmscrapes.go`.
//! Departs from nothing: the names are names, not labels.
//! Knows: namespaces and labels of the inventory. Does not know: ports.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::model::{Inventory, Namespaces, Scrape, Service, Workload, selects};

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

    /// In words.
    pub(super) fn described(&self) -> String {
        match self {
            Scope::All => "any namespace".to_owned(),
            Scope::Named(names) => {
                let names: Vec<&str> = names.iter().copied().collect();
                let plural = if names.len() == 1 { "" } else { "s" };
                format!("namespace{plural} {}", names.join(", "))
            }
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
        let labels = selector.match_labels.as_ref();
        let some = labels.and_then(|labels| inventory.services_with(labels));
        let all = &inventory.services;
        let mut found = self.candidates(some, all, |name| inventory.services_in(name));
        found.retain(|service| {
            self.includes(&service.object.namespace) && selects(selector, &service.labels)
        });
        found
    }

    /// The workloads there whose pods a selector selects.
    pub(super) fn workloads<'i>(
        &self,
        inventory: &'i Inventory,
        selector: &LabelSelector,
    ) -> Vec<&'i Workload> {
        let labels = selector.match_labels.as_ref();
        let some = labels.and_then(|labels| inventory.workloads_with(labels));
        let all = &inventory.workloads;
        let mut found = self.candidates(some, all, |name| inventory.workloads_in(name));
        found.retain(|workload| {
            self.includes(&workload.object.namespace) && selects(selector, &workload.labels)
        });
        found
    }

    /// Those that are to be looked at, in order: of the ones that may carry the labels, and the ones that are in the
    /// namespaces, the fewer. So the cost stays in step where everybody carries a label, and where all is in one namespace.
    fn candidates<'i, T>(
        &self,
        with_labels: Option<impl ExactSizeIterator<Item = &'i T>>,
        all: &'i [T],
        part: impl Fn(&str) -> &'i [T],
    ) -> Vec<&'i T> {
        let parts: Vec<&[T]> = match self {
            Scope::All => vec![all],
            Scope::Named(names) => names.iter().map(|name| part(name)).collect(),
        };
        let in_scope: usize = parts.iter().map(|part| part.len()).sum();
        match with_labels {
            Some(some) if some.len() < in_scope => some.collect(),
            Some(_) | None => parts.into_iter().flatten().collect(),
        }
    }
}
