//! Which scrapers may select a scrape object?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of scrapers.
//! Departs from nothing: `targets::selected` is asked about each that may.
//! Knows: how scrapers select, labels of scrape objects and Namespaces. Does not know: what follows from a selection.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Inventory, Labels, NAMESPACE_NAME_LABEL, Scrape, ScrapeKind, Scraper, Selection,
};

/// Scrapers by what they ask of scrape objects.
#[derive(Debug, Default)]
pub(super) struct Selecting {
    /// Those that may select any object of a kind.
    any: BTreeMap<ScrapeKind, Vec<usize>>,
    /// Those that look at objects with a label only: by key, by value.
    with_label: ByLabel,
    /// Those that look at objects in Namespaces with a label only.
    in_namespaces: ByLabel,
    /// Those that look at objects of their own namespace only.
    in_own: BTreeMap<String, Vec<usize>>,
    /// Those of which nobody knows what they select.
    unknown: Vec<usize>,
    /// Each by its item.
    own: BTreeMap<usize, Vec<usize>>,
}

type ByLabel = BTreeMap<String, BTreeMap<String, Vec<usize>>>;

impl Selecting {
    /// Of these scrapers; `is_unknown`: of which nobody knows what they select.
    pub(super) fn of(scrapers: &[Scraper], is_unknown: impl Fn(usize) -> bool) -> Self {
        let mut index = Self::default();
        for (position, scraper) in scrapers.iter().enumerate() {
            let of_item = index.own.entry(scraper.object.item);
            of_item.or_default().push(position);
            if is_unknown(position) {
                index.unknown.push(position);
                continue;
            }
            for (kind, selection) in &scraper.selection {
                let list = index.list(scraper, *kind, selection);
                if list.last() != Some(&position) {
                    list.push(position);
                }
            }
        }
        index
    }

    fn list(
        &mut self,
        scraper: &Scraper,
        kind: ScrapeKind,
        selection: &Selection,
    ) -> &mut Vec<usize> {
        let of_objects = selection.objects.as_ref();
        let of_namespaces = selection.namespaces.as_ref();
        let asked = of_objects.and_then(|selector| selector.match_labels.as_ref()?.iter().next());
        if let Some(label) = asked {
            return at(&mut self.with_label, label);
        }
        let asked =
            of_namespaces.and_then(|selector| selector.match_labels.as_ref()?.iter().next());
        match asked {
            Some(label) => at(&mut self.in_namespaces, label),
            None if of_objects.is_some() && of_namespaces.is_none() => {
                let own = scraper.object.namespace.clone();
                self.in_own.entry(own).or_default()
            }
            None => self.any.entry(kind).or_default(),
        }
    }

    /// The scrapers that may select an object, in order; others may be among them.
    pub(super) fn candidates(&self, inventory: &Inventory, scrape: &Scrape) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        if scrape.is_of_scraper() {
            found.extend(self.own.get(&scrape.object.item).into_iter().flatten());
            return found;
        }
        found.extend(&self.unknown);
        // A scraper looks for an object of the Prometheus operator as what it is converted into.
        let kind = scrape.kind;
        let kinds = [Some(kind), kind.description().converted_into];
        for kind in kinds.into_iter().flatten() {
            found.extend(self.any.get(&kind).into_iter().flatten());
        }
        found.extend(with(&self.with_label, &scrape.labels));
        let name = &scrape.object.namespace;
        found.extend(self.in_own.get(name).into_iter().flatten());
        match inventory.namespaces.get(name) {
            Some(namespace) => found.extend(with(&self.in_namespaces, &namespace.labels)),
            None => {
                // Its other labels are not known.
                for (key, by_value) in &self.in_namespaces {
                    match key == NAMESPACE_NAME_LABEL {
                        true => found.extend(by_value.get(name).into_iter().flatten()),
                        false => found.extend(by_value.values().flatten()),
                    }
                }
            }
        }
        found
    }
}

fn at<'i>(index: &'i mut ByLabel, (key, value): (&str, &str)) -> &'i mut Vec<usize> {
    let by_value = index.entry(key.to_owned()).or_default();
    by_value.entry(value.to_owned()).or_default()
}

fn with<'i>(index: &'i ByLabel, labels: &'i Labels) -> impl Iterator<Item = &'i usize> {
    let lists = labels
        .iter()
        .filter_map(|(key, value)| index.get(key)?.get(value));
    lists.flatten()
}
