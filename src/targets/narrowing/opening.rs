//! Which Services or pods need to be looked at, where a rule keeps only what has a certain label?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of endpoints that look for everything.
//! Departs from nothing: what is not looked at is left out by a rule that has left out something before.
//! Knows: rules, indexes of labels. Does not know: targets.

use std::ptr;

use super::filters::{Filter, Need};
use super::labels::may_be_added;
use super::{Narrowed, Narrowing};
use crate::model::{Inventory, Service, SpelledLabels, Workload};
use crate::targets::picked::Picked;

/// What a rule may leave of a list.
pub(in crate::targets) struct Opening<'i, T> {
    /// The rule.
    rule: usize,
    /// What it may leave, in order.
    left: Vec<&'i T>,
}

impl Narrowing {
    /// What is left of Services by the rule that leaves the fewest; `None`: each has to be looked at.
    pub(in crate::targets) fn of_services<'i>(
        &self,
        inventory: &'i Inventory,
        services: &Picked<'i, Service>,
    ) -> Option<Opening<'i, Service>> {
        self.opening(inventory, services, |labels, need| {
            let (list, all) = (&inventory.services, services_with(labels, need));
            let in_namespace = || inventory.services_in(need.value).iter().collect();
            of_need(list, all, need, in_namespace)
        })
    }

    /// What is left of workloads.
    pub(in crate::targets) fn of_workloads<'i>(
        &self,
        inventory: &'i Inventory,
        workloads: &Picked<'i, Workload>,
    ) -> Option<Opening<'i, Workload>> {
        self.opening(inventory, workloads, |labels, need| {
            let (list, all) = (&inventory.workloads, workloads_with(labels, need));
            let in_namespace = || inventory.workloads_in(need.value).iter().collect();
            of_need(list, all, need, in_namespace)
        })
    }

    fn opening<'i, T>(
        &self,
        inventory: &'i Inventory,
        picked: &Picked<'i, T>,
        find: impl Fn(&SpelledLabels, &Need<'_>) -> Option<Vec<&'i T>>,
    ) -> Option<Opening<'i, T>> {
        let Picked::All(all) = picked else {
            return None;
        };
        let labels = inventory.index.as_ref()?.spelled(inventory);
        let openings = self.filters.iter().enumerate().flat_map(|(rule, filter)| {
            filter.needs().into_iter().filter_map({
                let find = &find;
                move |alternatives| {
                    let found: Option<Vec<Vec<_>>> =
                        alternatives.iter().map(|need| find(labels, need)).collect();
                    let mut left = found?.concat();
                    left.retain(|one| all.as_ptr_range().contains(&ptr::from_ref(*one)));
                    Some(Opening { rule, left })
                }
            })
        });
        let mut fewest = openings.min_by_key(|opening| opening.left.len())?;
        // Of one list, so in order of their places.
        fewest.left.sort_unstable_by_key(|one| ptr::from_ref(*one));
        fewest.left.dedup_by_key(|one| ptr::from_ref(*one));
        Some(fewest)
    }

    /// Those from `next` on that are to be looked at; `None`: `next` and what is behind it, because a rule would leave them
    /// out, or one that comes first, of which it is not known yet that it leaves anything out.
    pub(in crate::targets) fn left_from<'o, 'i, T>(
        &self,
        opening: &'o Option<Opening<'i, T>>,
        next: &T,
        narrowed: &Narrowed,
    ) -> Option<&'o [&'i T]> {
        let Opening { rule, left } = opening.as_ref()?;
        let mut first = self.filters[..=*rule].iter().enumerate();
        let is_noted = |(rule, filter): (usize, &Filter)| {
            !filter.can_leave_out() || narrowed.left_out.contains(&rule)
        };
        first.all(is_noted).then(|| {
            let passed = left.partition_point(|one| ptr::from_ref(*one) < ptr::from_ref(next));
            &left[passed..]
        })
    }
}

/// `None`: it cannot be looked up.
fn of_need<'i, T>(
    list: &'i [T],
    positions: Option<Vec<usize>>,
    need: &Need<'_>,
    in_namespace: impl FnOnce() -> Vec<&'i T>,
) -> Option<Vec<&'i T>> {
    // A label that is not there has the empty value.
    if need.value.is_empty() {
        return None;
    }
    if need.label == "__meta_kubernetes_namespace" {
        return Some(in_namespace());
    }
    let positions = positions?.into_iter();
    Some(positions.map(|position| &list[position]).collect())
}

fn services_with(labels: &SpelledLabels, need: &Need<'_>) -> Option<Vec<usize>> {
    match need.label.strip_prefix("__meta_kubernetes_service_")? {
        "name" => Some(labels.services_named(need.value)),
        label => Some(labels.services_with(label.strip_prefix("label_")?, need.value)),
    }
}

fn workloads_with(labels: &SpelledLabels, need: &Need<'_>) -> Option<Vec<usize>> {
    let label = need.label.strip_prefix("__meta_kubernetes_pod_label_")?;
    (!may_be_added(label)).then(|| labels.workloads_with(label, need.value))
}
