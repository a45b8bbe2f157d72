//! What does the table ask for, before anybody looks at how certificates are to be named?
//!
//! Authority: the table in `endpoint.rs`. A scrape class is an object's, so what becomes of all its endpoints has to be
//! known before anything becomes of one.
//! Departs from nothing.
//! Knows: endpoints, their targets' demands. Does not know: scrape classes.

use std::cell::OnceCell;

use super::Rule;
use super::decision::Now;
use super::endpoint::{Turn, own_tls, row};
use super::mixed::{self, Telling};
use super::obstacle::{self, Blocked};
use super::own_pod;
use super::scrape_class::{self, Leaning, Towards};
use super::self_scrape;
use super::summary::Summary;
use super::view::{Scraping, View};
use super::written::Effective;
use crate::config::Config;
use crate::model::Origin;

/// Why an endpoint stays as it is that no settings suit for every scraper.
pub(super) const SCRAPERS_DISAGREE: &str =
    "the scrapers that select it would need different settings";

/// An endpoint by the table alone.
pub(super) struct Draft<'a> {
    /// The endpoint and its scrapers.
    pub(super) scraping: Scraping<'a>,
    /// What they meet there.
    pub(super) view: View,
    /// How it is written.
    pub(super) effective: Effective<'a>,
    /// What the table asks for, or what stands before it.
    pub(super) asked: Result<(Rule, Turn), Blocked>,
    telling: OnceCell<Result<Telling, String>>,
}

impl Draft<'_> {
    /// What tells its targets apart, or why nothing does. All pairs of targets are looked at, so once.
    pub(super) fn telling(&self) -> &Result<Telling, String> {
        self.telling
            .get_or_init(|| mixed::telling(self.scraping.endpoint, &self.view.judged))
    }
}

/// Asks the table, with what the scrapers of an endpoint meet there.
pub(super) fn draft<'a>(scraping: Scraping<'a>, view: View, config: &Config) -> Draft<'a> {
    let effective = scrape_class::effective(&scraping, config);
    let left_alone = self_scrape::left_alone(&scraping, &view.judged);
    let asked = match (&effective, view.demands) {
        _ if let Some(blocked) = left_alone => Err(blocked),
        (Ok(effective), _) if own_pod::is_to_be_told(&scraping, &view, effective.now(), config) => {
            let rule = own_pod::rule_for(scraping.endpoint);
            obstacle::rewritten(&scraping).map_or(Ok((rule, Turn::ToOthers)), Err)
        }
        (Ok(effective), Some(demands)) => {
            let (rule, turn) = row(demands, effective.now(), config);
            let blocked = obstacle::rewritten(&scraping)
                .or_else(|| obstacle::scheme_is_chosen(&scraping, effective.now()));
            match blocked {
                // TLS of its own is kept whatever else is said of it.
                Some(blocked) if rule != Rule::OwnTlsIsKept => Err(blocked),
                _ => Ok((rule, turn)),
            }
        }
        (Ok(effective), None) if effective.now() == Now::Own => Err(Blocked {
            rule: own_tls(&view),
            why: String::new(),
        }),
        (Ok(_) | Err(_), _) => Err(Blocked {
            rule: Rule::MixedTargets,
            why: SCRAPERS_DISAGREE.to_owned(),
        }),
    };
    Draft {
        scraping,
        view,
        effective: effective.unwrap_or_else(|first| first),
        asked,
        telling: OnceCell::new(),
    }
}

/// What the scrape class of the object has to know of an endpoint.
pub(super) fn leaning<'d>(draft: &'d Draft<'_>) -> Leaning<'d> {
    let plain = draft.view.demands == Some(Summary::Plain { proven: true });
    let is_made = draft.scraping.endpoint.origin != Origin::Written;
    let towards = match &draft.asked {
        Ok((_, turn @ (Turn::ToMutualTls | Turn::ToPerTarget | Turn::ToOthers))) => {
            let told_by = (*turn == Turn::ToPerTarget).then_some(Rule::MixedTargets);
            let is_mixed = draft.view.demands == Some(Summary::Mixed);
            let collide = told_by.is_some() && is_mixed && draft.telling().is_err();
            match obstacle::to_certificates(&draft.scraping, told_by) {
                None if !collide => Towards::Certificates,
                None | Some(_) => Towards::Nothing,
            }
        }
        Ok((_, Turn::ToPlain)) => Towards::Plain { changes: true },
        Ok((Rule::AlreadyRight, _)) if plain => Towards::Plain { changes: false },
        Err(blocked) if blocked.rule == Rule::SelfScrapeUnreachable => Towards::Lost,
        // What nobody wrote and nobody has to speak of.
        Err(blocked) if plain && is_made && blocked.rule == Rule::AlreadyRight => {
            Towards::Plain { changes: false }
        }
        Ok(_) | Err(_) => Towards::Nothing,
    };
    Leaning {
        scraping: &draft.scraping,
        effective: &draft.effective,
        towards,
    }
}
