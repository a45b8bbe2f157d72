//! Which scrape objects and scrapers are there several times, word for word?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects that are there again and again.
//! Departs from nothing: what is decided about one of several copies is decided about each, from the same facts.
//! Knows: objects of the inventory, what is known of scrapers. Does not know: what is decided.

use super::scraper::ScraperState;
use crate::model::{Inventory, Object};

/// The first of the copies of each scrape object and scraper, by position; itself, where there is no other before it.
#[derive(Debug, Default)]
pub(super) struct Copies {
    scrapes: Vec<usize>,
    scrapers: Vec<usize>,
}

impl Copies {
    /// Of an inventory with these states of its scrapers.
    pub(super) fn of(inventory: &Inventory, states: &[ScraperState]) -> Self {
        let (scrapes, scrapers) = (&inventory.scrapes, &inventory.scrapers);
        Self {
            scrapes: firsts(
                scrapes.len(),
                |at| &scrapes[at].object,
                |a, b| {
                    // What is made for an object finds the pods of that object.
                    let is_written = !scrapes[b].is_self_scrape && !scrapes[b].is_of_scraper();
                    let mut problems = inventory.unread_of(&scrapes[a].object);
                    let mut others = inventory.unread_of(&scrapes[b].object);
                    is_written
                        && scrapes[a].is_copy_of(&scrapes[b])
                        && problems.next().is_none()
                        && others.next().is_none()
                },
            ),
            scrapers: firsts(
                scrapers.len(),
                |at| &scrapers[at].object,
                |a, b| scrapers[a].is_copy_of(&scrapers[b]) && states[a].is_like(&states[b]),
            ),
        }
    }

    /// The first of the scrape objects that are as this one.
    pub(super) fn of_scrape(&self, position: usize) -> usize {
        self.scrapes[position]
    }

    /// Whether the next scrape object is a copy of this one, or of what this one is a copy of.
    pub(super) fn is_repeated(&self, position: usize) -> bool {
        self.scrapes.get(position + 1) == Some(&self.scrapes[position])
    }

    /// Of these scrapers, each that is like none of the others before it.
    pub(super) fn distinct(&self, scrapers: &[usize]) -> Vec<usize> {
        let mut distinct: Vec<usize> = Vec::new();
        let mut last = None;
        for position in scrapers {
            // Copies stand beside each other.
            let first = Some(self.scrapers[*position]);
            if first != last {
                distinct.push(*position);
                last = first;
            }
        }
        distinct
    }
}

fn firsts<'o>(
    count: usize,
    object: impl Fn(usize) -> &'o Object,
    is_copy: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let mut firsts: Vec<usize> = Vec::with_capacity(count);
    for position in 0..count {
        let before = firsts.last().copied();
        let first = before.filter(|first| {
            let (this, that) = (object(*first), object(position));
            let name = |one: &'o Object| (&one.kind, &one.namespace, &one.name);
            name(this) == name(that) && is_copy(*first, position)
        });
        firsts.push(first.unwrap_or(position));
    }
    firsts
}
