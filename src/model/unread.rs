//! Which objects could not be read, and could be, or have, targets?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects that are not understood.
//! Departs from nothing.
//! Knows: what could not be read, Services, workloads. Does not know: who looks for targets.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Inventory, Object, Unread, makes_pods};

/// Positions of what could not be read.
#[derive(Debug, Clone, Default)]
pub struct UnreadIndex {
    /// All, by the item that they are of.
    by_item: BTreeMap<usize, Vec<usize>>,
    /// Services that are not in the inventory, by namespace.
    services: BTreeMap<String, Vec<usize>>,
    /// Objects whose pods are not in the inventory, by namespace.
    pods: BTreeMap<String, Vec<usize>>,
    /// Objects for which an operator makes a Service of which it is not known what it is like, by namespace.
    made_services: BTreeMap<String, Vec<usize>>,
    /// Those of which a Service or a workload is in the inventory, by its item.
    in_part: BTreeMap<usize, Vec<usize>>,
}

impl UnreadIndex {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut index = Self::default();
        if inventory.unread.is_empty() {
            return index;
        }
        let services = inventory.services.iter().map(|service| &service.object);
        let services = by_item(services);
        let workloads = inventory.workloads.iter().map(|workload| &workload.object);
        let workloads = by_item(workloads);
        let has = |known: &BTreeMap<usize, Vec<&Object>>, object: &Object| {
            let known = known.get(&object.item);
            known.is_some_and(|known| known.contains(&object))
        };
        for (position, unread) in inventory.unread.iter().enumerate() {
            let object = &unread.object;
            index.by_item.entry(object.item).or_default().push(position);
            let list = if object.kind == "Service" && object.api_version == "v1" {
                match has(&services, object) {
                    true => index.in_part.entry(object.item).or_default(),
                    false => at(&mut index.services, object),
                }
            } else if !makes_pods(&object.api_version, &object.kind) {
                continue;
            } else {
                // A Service that an operator would make is not in the inventory where what is written about it is not
                // understood.
                if unread.at.as_str().contains("/serviceSpec") {
                    at(&mut index.made_services, object).push(position);
                }
                match has(&workloads, object) {
                    true => index.in_part.entry(object.item).or_default(),
                    false => at(&mut index.pods, object),
                }
            };
            list.push(position);
        }
        index
    }

    /// Services that are not in the inventory.
    pub fn services(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.services
    }

    /// Objects whose pods are not in the inventory.
    pub fn pods(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.pods
    }

    /// Objects for which an operator makes a Service that is not known.
    pub fn made_services(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.made_services
    }

    /// Whether nothing that could be a target is in the inventory in part.
    pub fn is_all_or_nothing(&self) -> bool {
        self.in_part.is_empty()
    }

    /// What of an object of the inventory, a Service or a workload, could not be read.
    pub fn in_part<'i>(
        &'i self,
        inventory: &'i Inventory,
        object: &'i Object,
    ) -> impl Iterator<Item = usize> + 'i {
        let of_item = self.in_part.get(&object.item).into_iter().flatten();
        let of_object = move |position: &usize| inventory.unread[*position].object == *object;
        of_item.copied().filter(of_object)
    }
}

impl Inventory {
    /// What could not be read, as who looks for targets asks for it.
    pub fn unread_index(&self) -> Cow<'_, UnreadIndex> {
        match &self.index {
            Some(index) => Cow::Borrowed(&index.unread),
            None => Cow::Owned(UnreadIndex::of(self)),
        }
    }

    /// What of an object could not be read, in order.
    pub fn unread_of<'i>(&'i self, object: &'i Object) -> impl Iterator<Item = &'i Unread> {
        let positions = match self.unread_index() {
            _ if self.unread.is_empty() => Vec::new(),
            index => index.by_item.get(&object.item).cloned().unwrap_or_default(),
        };
        let unread = positions.into_iter().map(|position| &self.unread[position]);
        unread.filter(move |unread| unread.object == *object)
    }
}

fn at<'m>(index: &'m mut BTreeMap<String, Vec<usize>>, object: &Object) -> &'m mut Vec<usize> {
    index.entry(object.namespace.clone()).or_default()
}

fn by_item<'o>(objects: impl Iterator<Item = &'o Object>) -> BTreeMap<usize, Vec<&'o Object>> {
    let mut index: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        index.entry(object.item).or_default().push(object);
    }
    index
}
