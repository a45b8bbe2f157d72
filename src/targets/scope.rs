//! In which namespaces does an endpoint look?
//!
//! Authority: `getNamespacesFromNamespaceSelector`, VictoriaMetrics operator `factory/vmscrapes/vmscrapes.go`.
//! Departs from nothing: the names are names, not labels.
//! Knows: namespaces and labels of the inventory. Does not know: ports.

use std::collections::{BTreeMap, BTreeSet};

use super::picked::Picked;
use crate::model::LabelSelector;
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
    pub(super) fn of_scrape(scrape: &'a Scrape, own_namespace_only: bool) -> Self {
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

    /// What is listed there by namespace.
    pub(super) fn of(&self, by_namespace: &BTreeMap<String, Vec<usize>>) -> Vec<usize> {
        match self {
            Scope::All => by_namespace.values().flatten().copied().collect(),
            Scope::Named(names) => {
                let lists = names.iter().filter_map(|name| by_namespace.get(*name));
                lists.flatten().copied().collect()
            }
        }
    }

    /// The Services there that a selector selects, in order.
    pub(super) fn services<'i>(
        &self,
        inventory: &'i Inventory,
        selector: &LabelSelector,
    ) -> Picked<'i, Service> {
        let labels = selector.match_labels.as_ref();
        let mut found = match self {
            Scope::All if selects_all(selector) => return Picked::All(&inventory.services),
            Scope::Named(names) if names.len() == 1 && selects_all(selector) => {
                let here = names.first().map(|name| inventory.services_in(name));
                return Picked::All(here.unwrap_or_default());
            }
            Scope::All => inventory.services_with(None, labels),
            Scope::Named(names) => names
                .iter()
                .flat_map(|name| inventory.services_with(Some(name), labels))
                .collect(),
        };
        found.retain(|service| selects(selector, &service.labels));
        Picked::Some(found)
    }

    /// The workloads there whose pods a selector selects, in order.
    pub(super) fn workloads<'i>(
        &self,
        inventory: &'i Inventory,
        selector: &LabelSelector,
    ) -> Picked<'i, Workload> {
        let labels = selector.match_labels.as_ref();
        let mut found = match self {
            Scope::All if selects_all(selector) => return Picked::All(&inventory.workloads),
            Scope::Named(names) if names.len() == 1 && selects_all(selector) => {
                let here = names.first().map(|name| inventory.workloads_in(name));
                return Picked::All(here.unwrap_or_default());
            }
            Scope::All => inventory.workloads_with(None, labels),
            Scope::Named(names) => names
                .iter()
                .flat_map(|name| inventory.workloads_with(Some(name), labels))
                .collect(),
        };
        found.retain(|workload| selects(selector, &workload.labels));
        Picked::Some(found)
    }
}

/// Whether a selector asks for nothing.
fn selects_all(selector: &LabelSelector) -> bool {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    labels.count() == 0 && expressions.count() == 0
}
