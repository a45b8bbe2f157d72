//! Which targets do the relabelling rules of the user leave?
//!
//! Authority: VictoriaMetrics `lib/promrelabel/relabel.go`, actions `keep` and `drop`; operator `factory/vmscrapes` for the
//! order of the lists.
//! Departs from it: a rule is followed where it compares labels that the input shows with plain text; any other may leave
//! a target out, which is said of the target.
//! Knows: relabelling rules, targets before they are merged. Does not know: what a target demands.

mod filters;
mod labels;
mod opening;
mod rewritten;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::filters::{Filter, filters_of};
use self::labels::{Labels, ways};
use super::Target;
use crate::model::{Endpoint, Scrape, Scraper, Service};

/// The rules that may leave targets out.
#[derive(Debug, Default)]
pub(super) struct Narrowing {
    filters: Vec<Filter>,
}

/// What became of targets, by position of the rule.
#[derive(Debug, Default)]
pub(super) struct Narrowed {
    /// Rules that left a target out.
    left_out: BTreeSet<usize>,
    /// Rules of which it is not known whether they do, and why.
    undecided: BTreeMap<usize, String>,
}

impl Narrowed {
    /// With what became of others.
    pub(super) fn extend(&mut self, other: Self) {
        self.left_out.extend(other.left_out);
        self.undecided.extend(other.undecided);
    }
}

/// What the rules make of one target, or of one way to it.
enum Verdict {
    Stays,
    /// Unless one of these leaves it out.
    MayStay(Vec<(usize, String)>),
    /// Because of this one.
    Goes(usize),
}

impl Narrowing {
    /// The rules of an endpoint, and of the scraper that asks.
    pub(super) fn of(scrape: &Scrape, endpoint: &Endpoint, scraper: Option<&Scraper>) -> Self {
        let key = endpoint.kind.description().relabelings;
        let own = endpoint.relabelings.as_deref().unwrap_or_default();
        let added = scraper.map(|scraper| (scraper, scraper.added_rules(scrape)));
        let added = |after: bool| {
            let added = added
                .iter()
                .flat_map(|(scraper, lists)| lists.iter().map(|list| (&scraper.object, list)));
            added
                .filter(move |(_, list)| list.run_after == after)
                .map(|(object, list)| (format!("{}/# of {object}", list.at), list.rules))
        };
        let mut lists: Vec<(String, &[Value])> = added(false).collect();
        lists.extend(key.map(|key| (format!("{key}[#]"), own)));
        lists.extend(added(true));
        Self {
            filters: filters_of(&lists),
        }
    }

    /// Whether everything behind a Service is left out, by a rule that has left out something before: it need not be
    /// looked at. A rule that may come first and looks at more than the Service may be the one that leaves it out.
    pub(super) fn passes_by(&self, service: &Service, narrowed: &Narrowed) -> bool {
        let labels = labels::of_service(service);
        let of_service = |filter: &&Filter| filter.looks_only_at(labels::is_of_service);
        let at_first = self.filters.iter().take_while(of_service);
        let goes = at_first
            .map(|filter| filter.leaves(|label| labels.value(label)))
            .position(|leaves| leaves == Ok(false));
        goes.is_some_and(|rule| narrowed.left_out.contains(&rule))
    }

    /// The targets that are left; `service` leads to all of them.
    pub(super) fn leaves<'a>(
        &self,
        endpoint: &Endpoint,
        service: Option<&'a Service>,
        targets: Vec<Target<'a>>,
        narrowed: &mut Narrowed,
    ) -> Vec<Target<'a>> {
        if self.filters.is_empty() {
            return targets;
        }
        targets
            .into_iter()
            .filter_map(|target| {
                let verdict = self.of_target(&ways(endpoint, service, &target));
                self.left(target, verdict, narrowed)
            })
            .collect()
    }

    /// Targets of which no label is known.
    pub(super) fn may_leave<'a>(
        &self,
        targets: Vec<Target<'a>>,
        narrowed: &mut Narrowed,
    ) -> Vec<Target<'a>> {
        targets
            .into_iter()
            .filter_map(|target| {
                let verdict = self.of_target(&[Labels::Unknown]);
                self.left(target, verdict, narrowed)
            })
            .collect()
    }

    fn left<'a>(
        &self,
        mut target: Target<'a>,
        verdict: Verdict,
        narrowed: &mut Narrowed,
    ) -> Option<Target<'a>> {
        match verdict {
            Verdict::Stays => {}
            Verdict::MayStay(rules) => {
                let places: Vec<&str> = rules
                    .iter()
                    .map(|(rule, _)| self.filters[*rule].place.as_str())
                    .collect();
                let or = places.join(" or ");
                target.via = format!("{}, unless {or} leaves it out", target.via);
                narrowed.undecided.extend(rules);
            }
            Verdict::Goes(rule) => {
                narrowed.left_out.insert(rule);
                return None;
            }
        }
        Some(target)
    }

    /// A target is scraped if one way to it is left.
    fn of_target(&self, ways: &[Labels<'_>]) -> Verdict {
        let mut last = Verdict::Stays;
        for way in ways {
            match (self.of_way(way), &last) {
                (Verdict::Stays, _) => return Verdict::Stays,
                (may @ Verdict::MayStay(_), _) => last = may,
                (Verdict::Goes(_), Verdict::MayStay(_)) => {}
                (goes @ Verdict::Goes(_), Verdict::Stays | Verdict::Goes(_)) => last = goes,
            }
        }
        last
    }

    fn of_way(&self, labels: &Labels<'_>) -> Verdict {
        let mut undecided = Vec::new();
        for (position, filter) in self.filters.iter().enumerate() {
            match filter.leaves(|label| labels.value(label)) {
                Ok(true) => {}
                Ok(false) => return Verdict::Goes(position),
                Err(why) => undecided.push((position, why)),
            }
        }
        if undecided.is_empty() {
            Verdict::Stays
        } else {
            Verdict::MayStay(undecided)
        }
    }

    /// Why nothing is left of targets that were found; `None`: no rule left one out.
    pub(super) fn nothing_left(&self, narrowed: &Narrowed) -> Option<String> {
        let rules: Vec<&Filter> = narrowed
            .left_out
            .iter()
            .map(|rule| &self.filters[*rule])
            .collect();
        match rules.as_slice() {
            [] => None,
            [only] => Some(only.in_words()),
            several => {
                let places: Vec<&str> = several.iter().map(|rule| rule.place.as_str()).collect();
                let and = places.join(" and ");
                Some(format!("{and} leave none of the targets in the input"))
            }
        }
    }

    /// What may leave targets out, in words.
    pub(super) fn not_followed(&self, narrowed: &Narrowed) -> Vec<String> {
        narrowed
            .undecided
            .iter()
            .map(|(rule, why)| {
                let place = &self.filters[*rule].place;
                format!("{place} may leave some of them out: {why}")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
