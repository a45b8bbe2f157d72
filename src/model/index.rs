//! Which Services and pods may carry these labels, and which policies may select these pods?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects.
//! Departs from nothing: without an index every object may.
//! Knows: labels of Services and pods, selectors of policies. Does not know: who asks for them.

use std::collections::BTreeMap;

use super::{Inventory, Labels, PeerAuthentication, Service, Workload};

/// Positions of Services and workloads by each of their labels, and of policies by what they ask for.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    services: ByLabel,
    workloads: ByLabel,
    policies: BTreeMap<String, Policies>,
}

/// The policies of a namespace.
#[derive(Debug, Clone, Default)]
struct Policies {
    by_name: BTreeMap<String, Vec<usize>>,
    /// Those that ask for no label, or whose selector is yet to be corrected.
    of_all: Vec<usize>,
    /// The others, each at one label that it asks for: by key, by value.
    asking: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

/// What is known of one label of some pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodLabel<'a> {
    /// They have it, with this value.
    Known(&'a str),
    /// They do not have it.
    Missing,
    /// They may have it, with any value.
    Unknown,
}

type ByLabel = BTreeMap<(String, String), Vec<usize>>;

impl LabelIndex {
    fn of(inventory: &Inventory) -> Self {
        let services = inventory.services.iter();
        let workloads = inventory.workloads.iter();
        Self {
            services: by_label(services.map(|service| &service.labels)),
            workloads: by_label(workloads.map(|workload| &workload.labels)),
            policies: by_selector(&inventory.policies),
        }
    }
}

impl Inventory {
    /// Makes the index anew, after labels have changed.
    pub fn index_labels(&mut self) {
        self.index = Some(LabelIndex::of(self));
    }

    /// Services that may carry all of `labels`, in order; `None` where every one may.
    pub fn services_with(&self, labels: &Labels) -> Option<impl Iterator<Item = &Service>> {
        let rarest = rarest(&self.index.as_ref()?.services, labels)?;
        Some(rarest.iter().map(|position| &self.services[*position]))
    }

    /// Workloads whose pods may carry all of `labels`, in order; `None` where every one may.
    pub fn workloads_with(&self, labels: &Labels) -> Option<impl Iterator<Item = &Workload>> {
        let rarest = rarest(&self.index.as_ref()?.workloads, labels)?;
        Some(rarest.iter().map(|position| &self.workloads[*position]))
    }

    /// The policies of a namespace that may select pods with these labels; others may be among them.
    pub fn policies_for<'p>(
        &self,
        namespace: &str,
        label: impl Fn(&str) -> PodLabel<'p>,
    ) -> Vec<&PeerAuthentication> {
        let Some(index) = &self.index else {
            return self.scan(|policy| policy.object.namespace == namespace);
        };
        let Some(policies) = index.policies.get(namespace) else {
            return Vec::new();
        };
        let asking = policies.asking.iter().flat_map(|(key, by_value)| {
            let (one, any) = match label(key) {
                PodLabel::Known(value) => (by_value.get(value), None),
                PodLabel::Missing => (None, None),
                PodLabel::Unknown => (None, Some(by_value.values())),
            };
            one.into_iter().chain(any.into_iter().flatten()).flatten()
        });
        let mut positions: Vec<usize> = policies.of_all.iter().chain(asking).copied().collect();
        positions.sort_unstable();
        self.at(&positions)
    }

    /// The policies of this name: more than one where the input has an object twice.
    pub fn policies_named(&self, namespace: &str, name: &str) -> Vec<&PeerAuthentication> {
        let Some(index) = &self.index else {
            return self.scan(|policy| {
                (
                    policy.object.namespace.as_str(),
                    policy.object.name.as_str(),
                ) == (namespace, name)
            });
        };
        let in_namespace = index.policies.get(namespace);
        let positions = in_namespace.and_then(|policies| policies.by_name.get(name));
        positions.map_or_else(Vec::new, |positions| self.at(positions))
    }

    fn scan(&self, wanted: impl Fn(&PeerAuthentication) -> bool) -> Vec<&PeerAuthentication> {
        let policies = self.policies.iter();
        policies.filter(|policy| wanted(policy)).collect()
    }

    fn at(&self, positions: &[usize]) -> Vec<&PeerAuthentication> {
        let positions = positions.iter();
        positions
            .map(|position| &self.policies[*position])
            .collect()
    }
}

fn by_selector(policies: &[PeerAuthentication]) -> BTreeMap<String, Policies> {
    let asked_for = by_label(policies.iter().map(|policy| &policy.selector));
    let mut index: BTreeMap<String, Policies> = BTreeMap::new();
    for (position, policy) in policies.iter().enumerate() {
        let object = &policy.object;
        let here = index.entry(object.namespace.clone()).or_default();
        let by_name = here.by_name.entry(object.name.clone()).or_default();
        by_name.push(position);
        // Of all its labels the one that the fewest ask for finds the fewest others.
        let rarest = policy.selector.iter().min_by_key(|(key, value)| {
            let asking = asked_for.get(&((*key).clone(), (*value).clone()));
            asking.map(Vec::len)
        });
        let place = match rarest {
            Some((key, value)) if policy.refused.is_empty() => here
                .asking
                .entry(key.clone())
                .or_default()
                .entry(value.clone())
                .or_default(),
            Some(_) | None => &mut here.of_all,
        };
        place.push(position);
    }
    index
}

fn by_label<'l>(all: impl Iterator<Item = &'l Labels>) -> ByLabel {
    let mut index = ByLabel::new();
    for (position, labels) in all.enumerate() {
        for (key, value) in labels {
            index
                .entry((key.clone(), value.clone()))
                .or_default()
                .push(position);
        }
    }
    index
}

/// The positions of those that carry the label that the fewest carry.
fn rarest<'i>(index: &'i ByLabel, labels: &Labels) -> Option<&'i [usize]> {
    labels
        .iter()
        .map(|(key, value)| {
            index
                .get(&(key.clone(), value.clone()))
                .map_or(&[][..], Vec::as_slice)
        })
        .min_by_key(|positions| positions.len())
}
