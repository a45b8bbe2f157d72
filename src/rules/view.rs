//! What do the scrapers of an endpoint meet there?
//!
//! Authority: `targets` for what it reaches, `demand` for what that demands.
//! Departs from nothing: scrapers that would need different settings are said to disagree.
//! Knows: an endpoint, the scrapers that select it. Does not know: how it is written.

use std::collections::BTreeMap;

use super::Rule;
use super::decision::Demand;
use super::demand::{Aside, Judged};
use super::own_pod;
use super::scraper::{Patched, ScraperState};
use super::summary::{self, Summary};
use crate::config::Config;
use crate::model::{Endpoint, Scrape, Scraper};
use crate::targets;

/// An endpoint with the scrapers that select it.
pub(super) struct Scraping<'a> {
    /// The inventory and the scrapers as they will be.
    pub(super) patched: &'a Patched<'a>,
    /// The object that the endpoint is in.
    pub(super) scrape: &'a Scrape,
    /// The endpoint.
    pub(super) endpoint: &'a Endpoint,
    /// Positions of the scrapers.
    pub(super) scrapers: Vec<usize>,
    /// Those of them that are no copies of others.
    pub(super) distinct: Vec<usize>,
}

impl<'a> Scraping<'a> {
    /// All of them, with their positions.
    pub(super) fn every_scraper(
        &self,
    ) -> impl Iterator<Item = (usize, (&'a Scraper, &'a ScraperState))> {
        self.scrapers
            .iter()
            .map(|position| (*position, self.patched.scraper(*position)))
    }

    /// The scrapers, each once however many copies of it there are, with what is known of it.
    pub(super) fn scrapers(&self) -> impl Iterator<Item = (&'a Scraper, &'a ScraperState)> {
        self.distinct
            .iter()
            .map(|position| self.patched.scraper(*position))
    }
}

/// An endpoint's targets, as its scrapers meet them.
#[derive(Clone, Default)]
pub(super) struct View {
    /// The targets as each scraper meets them, each judgement once.
    pub(super) judged: Vec<Judged>,
    /// What keeps them from being complete.
    pub(super) gaps: Vec<String>,
    /// Relabelling rules that may leave some of them out.
    pub(super) not_followed: Vec<String>,
    /// What they demand together; `None`: the scrapers would need different settings.
    pub(super) demands: Option<Summary>,
    /// Plain text to the pod that scrapes, and mutual TLS to all others.
    pub(super) is_own_pod_apart: bool,
}

impl View {
    /// Whether the endpoint stays plain only because a sidecar encrypts its requests.
    pub(super) fn is_encrypted_by_sidecar(&self) -> bool {
        self.judged.iter().any(|judged| {
            judged.aside == Some(Aside::SidecarOriginatesTls)
                && judged.shown.demand == Demand::Plain
        })
    }

    /// What a relabelling rule that is not followed may change about the answer of `rule`: nothing where all targets want the
    /// same, or where the targets did not matter.
    pub(super) fn what_relabelling_may_change(&self, rule: Rule) -> Option<String> {
        let alike = matches!(
            self.demands,
            Some(Summary::MutualTls | Summary::Plain { .. } | Summary::Unreachable)
        );
        let by_targets = matches!(
            rule,
            Rule::MixedTargets
                | Rule::InjectionUnknown
                | Rule::TargetUnknown
                | Rule::StaleTlsSuspected
                | Rule::OwnTlsUnderStrict
        );
        (by_targets && !alike && !self.not_followed.is_empty())
            .then(|| self.not_followed.join("; "))
    }
}

/// Judges the targets for each scraper; without one in the input, as any scraper outside would meet them.
pub(super) fn view(scraping: &Scraping<'_>, config: &Config) -> View {
    let mut scrapers: Vec<_> = scraping.scrapers().map(Some).collect();
    if scrapers.is_empty() {
        scrapers.push(None);
    }
    let mut whole = View::default();
    let mut met = Vec::new();
    for (position, scraper) in scrapers.into_iter().enumerate() {
        let (judged, gaps, not_followed) = met_by(scraping, scraper);
        let demands = summary::summarise(&judged, !gaps.is_empty(), config);
        let besides = own_pod::besides(&judged, !gaps.is_empty(), scraping.endpoint, config);
        met.push((demands, besides));
        whole.demands = match whole.demands {
            _ if position == 0 => Some(demands),
            Some(others) => others.in_common(demands),
            None => None,
        };
        let new = new_among(&whole.judged, judged);
        whole.judged.extend(new);
        for gap in gaps {
            if !whole.gaps.contains(&gap) {
                whole.gaps.push(gap);
            }
        }
        for rule in not_followed {
            if !whole.not_followed.contains(&rule) {
                whole.not_followed.push(rule);
            }
        }
    }
    whole.is_own_pod_apart = own_pod::is_apart(&met);
    // It is kept for each endpoint, and most have one target.
    whole.judged.shrink_to_fit();
    whole
}

/// The judgements that are not there yet, each once. Only those of one port of the same pods are compared.
fn new_among(known: &[Judged], judged: Vec<Judged>) -> Vec<Judged> {
    let mut by_place: BTreeMap<_, Vec<&Judged>> = BTreeMap::new();
    for one in known {
        by_place.entry(place(one)).or_default().push(one);
    }
    let is_new: Vec<bool> = judged
        .iter()
        .map(|one| {
            let there = by_place.entry(place(one)).or_default();
            let is_same = |other: &&Judged| other.shown == one.shown && other.signs == one.signs;
            let is_new = !there.iter().any(is_same);
            if is_new {
                there.push(one);
            }
            is_new
        })
        .collect();
    let with_news = judged.into_iter().zip(is_new);
    with_news
        .filter_map(|(one, is_new)| is_new.then_some(one))
        .collect()
}

fn place(judged: &Judged) -> (&str, &str, Option<u16>) {
    let shown = &judged.shown;
    (&shown.namespace, &shown.name, shown.port)
}

fn met_by(
    scraping: &Scraping<'_>,
    scraper: Option<(&Scraper, &ScraperState)>,
) -> (Vec<Judged>, Vec<String>, Vec<String>) {
    let inventory = &scraping.patched.inventory;
    let reach = targets::reach(
        inventory,
        scraping.scrape,
        scraping.endpoint,
        scraper.map(|(scraper, _)| scraper),
    );
    let judged = reach
        .targets
        .iter()
        .flat_map(|target| scraping.patched.judge(scraper, scraping.scrape, target))
        .collect();
    (judged, reach.gaps, reach.not_followed)
}
