//! What do the scrapers of an endpoint meet there?
//!
//! Authority: `targets` for what it reaches, `demand` for what that demands.
//! Departs from nothing: scrapers that would need different settings are said to disagree.
//! Knows: an endpoint, the scrapers that select it. Does not know: how it is written.

use serde_json::Value;

use super::decision::Demand;
use super::demand::{self, Aside, Judged};
use super::relabel;
use super::scraper::{Patched, ScraperState};
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
}

impl<'a> Scraping<'a> {
    /// The scrapers, with what is known of each.
    pub(super) fn scrapers(&self) -> impl Iterator<Item = (&'a Scraper, &'a ScraperState)> {
        self.scrapers
            .iter()
            .map(|position| self.patched.scraper(*position))
    }

    /// `tlsConfig` of the scrape class that applies to the object.
    pub(super) fn class_tls(&self) -> Option<&'a Value> {
        let (scraper, _) = self.scrapers().next()?;
        let (_, class) = relabel::class_of(&scraper.spec, self.scrape.scrape_class.as_deref())?;
        class.get("tlsConfig")
    }
}

/// An endpoint's targets, as its scrapers meet them.
pub(super) struct View {
    /// The targets, judged for the first scraper.
    pub(super) judged: Vec<Judged>,
    /// What keeps them from being complete.
    pub(super) gaps: Vec<String>,
    /// Another scraper meets something else.
    pub(super) scrapers_disagree: bool,
}

impl View {
    /// Whether the endpoint stays plain only because a sidecar encrypts its requests.
    pub(super) fn is_encrypted_by_sidecar(&self) -> bool {
        self.judged.iter().any(|judged| {
            judged.aside == Some(Aside::SidecarOriginatesTls)
                && judged.shown.demand == Demand::Plain
        })
    }
}

/// Judges the targets for each scraper; without one in the input, as any scraper outside would meet them.
pub(super) fn view(scraping: &Scraping<'_>) -> View {
    let mut views = scraping
        .scrapers()
        .map(|scraper| view_of(scraping, Some(scraper)));
    let Some(mut first) = views.next() else {
        return view_of(scraping, None);
    };
    let met = |view: &View| {
        let demands = view.judged.iter().map(|judged| judged.shown.demand);
        (demands.collect::<Vec<_>>(), view.gaps.is_empty())
    };
    let expected = met(&first);
    first.scrapers_disagree = views.any(|other| met(&other) != expected);
    first
}

fn view_of(scraping: &Scraping<'_>, scraper: Option<(&Scraper, &ScraperState)>) -> View {
    let own_namespace_only =
        scraper.is_some_and(|(scraper, _)| scraper.ignores_namespace_selectors);
    let inventory = &scraping.patched.inventory;
    let reach = targets::reach(
        inventory,
        scraping.scrape,
        scraping.endpoint,
        own_namespace_only,
    );
    let mesh = scraping.patched.mesh();
    View {
        judged: reach
            .targets
            .iter()
            .flat_map(|target| demand::judge(inventory, &mesh, scraper, target))
            .collect(),
        gaps: reach.gaps,
        scrapers_disagree: false,
    }
}
