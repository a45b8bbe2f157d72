//! Which scrapers select the same?
//!
//! Authority: ourselves: scrapers that select the same, and become the same, are one box.
//! Departs from nothing.
//! Knows: the scrapers of decisions. Does not know: what the endpoints are.

use std::collections::{BTreeMap, BTreeSet};

use super::Flow;
use crate::model::Object;
use crate::report::Located;
use crate::report::review::Told;

/// Groups of scrapers.
const GROUPS: usize = 12;

/// What a scraper selects: an endpoint that is shown, or one of those that are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selected {
    /// A box, and what goes to it.
    Shown(usize, (Flow, String)),
    /// One that is only counted.
    Hidden(Told),
}

/// What each scraper selects, in the order of the endpoints; `None`: what no scraper selects.
#[derive(Default)]
pub(super) struct Selections<'a> {
    order: Vec<Option<&'a Object>>,
    selected: BTreeMap<Option<&'a Object>, Places>,
    endpoints: usize,
}

/// `None` stands for what no scraper selects.
type Scrapers<'a> = Vec<Option<&'a Object>>;
/// What is selected, each with the endpoint's position, so that equal counts are not taken for equal endpoints.
type Places = Vec<(usize, Selected)>;
/// Scrapers that select the same, and how often.
pub(super) type Group<'a> = (Scrapers<'a>, BTreeMap<Selected, usize>);

impl<'a> Selections<'a> {
    /// Adds an endpoint, or several of which the scrapers are the same.
    pub(super) fn add(&mut self, located: &'a Located, selected: &Selected) {
        let position = self.endpoints;
        self.endpoints += 1;
        let scrapers = &located.decision.scrapers;
        let none = scrapers.is_empty().then_some(None);
        for scraper in scrapers.iter().map(|one| Some(&**one)).chain(none) {
            let of_scraper = self.selected.entry(scraper).or_insert_with(|| {
                self.order.push(scraper);
                Vec::new()
            });
            of_scraper.push((position, selected.clone()));
        }
    }

    /// Scrapers that select the same and become the same are one; so are those beyond the first groups.
    pub(super) fn grouped(mut self, changed: &BTreeSet<&Object>) -> Vec<Group<'a>> {
        let mut groups: Vec<(Scrapers<'_>, Places)> = Vec::new();
        let mut known = BTreeMap::new();
        for scraper in self.order {
            let selected = self.selected.remove(&scraper).unwrap_or_default();
            let changes = scraper.is_some_and(|scraper| changed.contains(scraper));
            let key = (scraper.is_none(), changes, selected);
            let position = *known.entry(key).or_insert_with_key(|(_, _, selected)| {
                groups.push((Vec::new(), selected.clone()));
                groups.len() - 1
            });
            groups[position].0.push(scraper);
        }
        // What nobody selects is nobody's.
        groups.sort_by_key(|(scrapers, _)| scrapers.contains(&None));
        let nobodys = groups.pop_if(|(scrapers, _)| scrapers.contains(&None));
        let beyond = groups.split_off(groups.len().min(GROUPS));
        let (scrapers, selected): (Vec<_>, Vec<_>) = beyond.into_iter().unzip();
        let selected: BTreeSet<_> = selected.into_iter().flatten().collect();
        if !scrapers.is_empty() {
            groups.push((
                scrapers.into_iter().flatten().collect(),
                selected.into_iter().collect(),
            ));
        }
        groups
            .into_iter()
            .chain(nobodys)
            .map(|(scrapers, selected)| (scrapers, counted(selected)))
            .collect()
    }
}

fn counted(selected: Places) -> BTreeMap<Selected, usize> {
    let mut counts = BTreeMap::new();
    for (_, one) in selected {
        *counts.entry(one).or_default() += 1;
    }
    counts
}
