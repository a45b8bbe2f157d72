//! Which Services and workloads may carry these labels?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects.
//! Departs from nothing: without an index every one in the namespace may.
//! Knows: labels of Services and pods. Does not know: who asks for them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr;

use super::by_namespace::positions_in;
use super::{Inventory, Labels, Object, PodsKnown, Service, Workload};

/// Who carries a label: by key, by value.
pub(super) type ByLabel = BTreeMap<String, BTreeMap<String, Vec<usize>>>;

impl Inventory {
    /// Services that may carry all of `labels`, of one namespace or of all, in order.
    pub fn services_with(&self, namespace: Option<&str>, labels: Option<&Labels>) -> Vec<&Service> {
        let index = self.index.as_ref().map(|index| &index.services);
        let list = &self.services;
        let part = part(list, |service| &service.object, namespace);
        carrying(list, part, index, labels)
    }

    /// Workloads whose pods may carry all of `labels`, of one namespace or of all, in order.
    pub fn workloads_with(
        &self,
        namespace: Option<&str>,
        labels: Option<&Labels>,
    ) -> Vec<&Workload> {
        let index = self.index.as_ref().map(|index| &index.workloads);
        let list = &self.workloads;
        let part = part(list, |workload| &workload.object, namespace);
        carrying(list, part, index, labels)
    }

    /// The workloads of a namespace whose pods may carry all of `labels`, among them all that may have labels which the
    /// input does not show, in order.
    pub fn workloads_perhaps_with(&self, namespace: &str, labels: &Labels) -> Vec<&Workload> {
        let mut found = self.workloads_with(Some(namespace), Some(labels));
        let partly_known = self.index.as_ref().map(|index| &index.partly_known);
        if let Some(positions) = partly_known.and_then(|index| index.get(namespace)) {
            found.extend(positions.iter().map(|position| &self.workloads[*position]));
            // Of one list, so in order of their places.
            found.sort_unstable_by_key(|workload| ptr::from_ref(*workload));
            found.dedup_by_key(|workload| ptr::from_ref(*workload));
        }
        found
    }
}

/// Positions of all by each of their labels.
pub(super) fn by_label<'l>(all: impl Iterator<Item = &'l Labels>) -> ByLabel {
    let mut index = ByLabel::new();
    for (position, labels) in all.enumerate() {
        for (key, value) in labels {
            let by_value = match index.get_mut(key) {
                Some(by_value) => by_value,
                None => index.entry(key.to_owned()).or_default(),
            };
            match by_value.get_mut(value) {
                Some(positions) => positions.push(position),
                None => {
                    by_value.insert(value.to_owned(), vec![position]);
                }
            }
        }
    }
    index
}

/// Positions of workloads that may have labels which the input does not show, by namespace.
pub(super) fn partly_known(workloads: &[Workload]) -> BTreeMap<String, Vec<usize>> {
    let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, workload) in workloads.iter().enumerate() {
        if workload.known != PodsKnown::Template {
            let here = index.entry(workload.object.namespace.clone());
            here.or_default().push(position);
        }
    }
    index
}

/// The positions of those that carry a label.
pub(super) fn with_label<'i>(index: &'i ByLabel, key: &str, value: &str) -> &'i [usize] {
    let by_value = index.get(key);
    by_value
        .and_then(|by_value| by_value.get(value))
        .map_or(&[], Vec::as_slice)
}

/// The part of a sorted list that is in a namespace; `None`: all of it.
fn part<T>(list: &[T], object: impl Fn(&T) -> &Object, namespace: Option<&str>) -> Range<usize> {
    match namespace {
        Some(namespace) => positions_in(list, object, namespace),
        None => 0..list.len(),
    }
}

/// Of a part of a list those that carry the label that the fewest there carry; all, where nothing is asked for.
fn carrying<'l, T>(
    list: &'l [T],
    part: Range<usize>,
    index: Option<&ByLabel>,
    labels: Option<&Labels>,
) -> Vec<&'l T> {
    let rarest = index.zip(labels).and_then(|(index, labels)| {
        let with_each = labels
            .iter()
            .map(|(key, value)| within(with_label(index, key, value), &part));
        with_each.min_by_key(|positions| positions.len())
    });
    match rarest {
        Some(positions) => positions.iter().map(|position| &list[*position]).collect(),
        None => list[part].iter().collect(),
    }
}

/// Those of sorted positions that are in a part.
fn within<'p>(positions: &'p [usize], part: &Range<usize>) -> &'p [usize] {
    let start = positions.partition_point(|position| *position < part.start);
    let end = positions.partition_point(|position| *position < part.end);
    &positions[start..end]
}
