//! Which Services and pods may carry these labels?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects.
//! Departs from nothing: without an index every object may carry them.
//! Knows: labels of Services and pods. Does not know: who asks for them.

use std::collections::BTreeMap;

use super::{Inventory, Labels, Service, Workload};

/// Positions of Services and workloads by each of their labels.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    services: ByLabel,
    workloads: ByLabel,
}

type ByLabel = BTreeMap<(String, String), Vec<usize>>;

impl LabelIndex {
    pub(super) fn of(services: &[Service], workloads: &[Workload]) -> Self {
        Self {
            services: by_label(services.iter().map(|service| &service.labels)),
            workloads: by_label(workloads.iter().map(|workload| &workload.labels)),
        }
    }
}

impl Inventory {
    /// Makes the index anew, after labels have changed.
    pub fn index_labels(&mut self) {
        self.index = Some(LabelIndex::of(&self.services, &self.workloads));
    }

    /// Services that may carry all of `labels`, in order; `None` where every one may.
    pub fn services_with(
        &self,
        labels: &Labels,
    ) -> Option<impl ExactSizeIterator<Item = &Service>> {
        let rarest = rarest(&self.index.as_ref()?.services, labels)?;
        Some(rarest.iter().map(|position| &self.services[*position]))
    }

    /// Workloads whose pods may carry all of `labels`, in order; `None` where every one may.
    pub fn workloads_with(
        &self,
        labels: &Labels,
    ) -> Option<impl ExactSizeIterator<Item = &Workload>> {
        let rarest = rarest(&self.index.as_ref()?.workloads, labels)?;
        Some(rarest.iter().map(|position| &self.workloads[*position]))
    }
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
