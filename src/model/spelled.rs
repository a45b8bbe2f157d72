//! Who carries a label, by its name as discovery spells it?
//!
//! Authority: Prometheus and vmagent write `_` for what cannot stand in the name of a label of metrics.
//! Departs from nothing: where two labels of one object come to one name and disagree, the object carries any value.
//! Knows: labels of Services and pods, names of Services. Does not know: who asks, relabelling.

use std::collections::BTreeMap;

use super::{Inventory, Labels, PodsKnown};

/// Positions of Services and workloads by their labels.
#[derive(Debug, Clone, Default)]
pub struct SpelledLabels {
    service_names: BTreeMap<String, Vec<usize>>,
    services: BySpelling,
    pods: BySpelling,
    /// Workloads whose pods may have labels that the input does not show.
    partly_known: Vec<usize>,
}

type BySpelling = BTreeMap<String, Carrying>;

/// Who carries a label of a name.
#[derive(Debug, Clone, Default)]
struct Carrying {
    by_value: BTreeMap<String, Vec<usize>>,
    /// With one value or another.
    unclear: Vec<usize>,
}

impl SpelledLabels {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut index = Self::default();
        for (position, service) in inventory.services.iter().enumerate() {
            let names = &mut index.service_names;
            let named = names.entry(service.object.name.clone());
            named.or_default().push(position);
            note(&mut index.services, &service.labels, position);
        }
        for (position, workload) in inventory.workloads.iter().enumerate() {
            note(&mut index.pods, &workload.labels, position);
            if workload.known != PodsKnown::Template {
                index.partly_known.push(position);
            }
        }
        index
    }

    /// The Services of a name, in all namespaces.
    pub fn services_named(&self, name: &str) -> Vec<usize> {
        self.service_names.get(name).cloned().unwrap_or_default()
    }

    /// The Services that may carry a label with this value, which is not empty.
    pub fn services_with(&self, name: &str, value: &str) -> Vec<usize> {
        carrying(&self.services, name, value)
    }

    /// The workloads whose pods may carry a label with this value, which is not empty.
    pub fn workloads_with(&self, name: &str, value: &str) -> Vec<usize> {
        let mut found = carrying(&self.pods, name, value);
        found.extend(&self.partly_known);
        found
    }
}

fn carrying(index: &BySpelling, name: &str, value: &str) -> Vec<usize> {
    let Some(carrying) = index.get(name) else {
        return Vec::new();
    };
    let with_value = carrying.by_value.get(value).into_iter().flatten();
    with_value.chain(&carrying.unclear).copied().collect()
}

fn note(index: &mut BySpelling, labels: &Labels, position: usize) {
    let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, value) in labels {
        by_name.entry(spelled(key)).or_default().push(value);
    }
    for (name, values) in by_name {
        let carrying = index.entry(name).or_default();
        let list = match values.as_slice() {
            [first, others @ ..] if others.iter().all(|other| other == first) => {
                carrying.by_value.entry((*first).to_owned()).or_default()
            }
            _ => &mut carrying.unclear,
        };
        list.push(position);
    }
}

fn spelled(key: &str) -> String {
    let sanitised = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    key.chars().map(sanitised).collect()
}
