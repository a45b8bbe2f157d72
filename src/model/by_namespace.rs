//! Which objects are in a namespace?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of namespaces.
//! Departs from nothing.
//! Knows: that the lists of an inventory are in order of namespaces. Does not know: who asks.

use std::ops::Range;

use super::reading::order;
use super::{Inventory, Object, Scraper, Service, Workload};

impl Inventory {
    /// The Services of a namespace.
    pub fn services_in(&self, namespace: &str) -> &[Service] {
        in_namespace(&self.services, |service| &service.object, namespace)
    }

    /// The workloads of a namespace.
    pub fn workloads_in(&self, namespace: &str) -> &[Workload] {
        in_namespace(&self.workloads, |workload| &workload.object, namespace)
    }

    /// The namespaces that have workloads.
    pub fn namespaces_of_workloads(&self) -> impl Iterator<Item = &str> {
        let chunks = self
            .workloads
            .chunk_by(|a, b| a.object.namespace == b.object.namespace);
        let first = chunks.filter_map(<[Workload]>::first);
        first.map(|workload| workload.object.namespace.as_str())
    }

    /// The workloads that are of an object: several, where an operator runs several programs for it.
    pub fn workloads_of(&self, object: &Object) -> &[Workload] {
        &self.workloads[self.positions_of(object)]
    }

    /// Where those stand.
    pub fn positions_of(&self, object: &Object) -> Range<usize> {
        of_object(&self.workloads, |workload| &workload.object, object)
    }

    /// The scraper that is an object.
    pub fn scraper_of(&self, object: &Object) -> Option<&Scraper> {
        let place = of_object(&self.scrapers, |scraper| &scraper.object, object);
        self.scrapers[place].first()
    }

    /// Why the labels of a namespace are not known, after its name.
    pub fn unknown_namespace(&self, name: &str) -> &'static str {
        let unclear = self.unclear_namespaces.get(name);
        unclear.copied().unwrap_or("is not in the input")
    }
}

/// Where in a sorted list an object stands.
fn of_object<T>(list: &[T], object_of: impl Fn(&T) -> &Object, object: &Object) -> Range<usize> {
    let start = list.partition_point(|element| order(object_of(element)) < order(object));
    let rest = &list[start..];
    start..start + rest.partition_point(|element| object_of(element) == object)
}

/// The part of a sorted list that is in a namespace.
fn in_namespace<'l, T>(list: &'l [T], object: impl Fn(&T) -> &Object, namespace: &str) -> &'l [T] {
    &list[positions_in(list, object, namespace)]
}

/// Where that part stands.
pub(super) fn positions_in<T>(
    list: &[T],
    object: impl Fn(&T) -> &Object,
    namespace: &str,
) -> Range<usize> {
    let start = list.partition_point(|element| object(element).namespace.as_str() < namespace);
    let rest = &list[start..];
    start..start + rest.partition_point(|element| object(element).namespace == namespace)
}
