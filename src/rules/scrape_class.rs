//! When do an object's certificates come by a scrape class, and who has to have or to name it?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes` (`getScrapeClass`, `mergeTLSConfigs`, `validateScrapeClassExists`),
//! `ValidateObjects` (files are refused where endpoints name them, not in classes); Prometheus operator `promcfg.go`.
//! Departs from nothing: a class applies to every endpoint of an object, so it is written only where all of them are to use it.
//! Knows: the endpoints of one object, the classes of the scrapers that select it. Does not know: demands.

mod on_scraper;
mod way;

use std::collections::BTreeMap;

use jsonptr::PointerBuf;
use serde_json::json;

use super::Rule;
use super::decision::Step;
use super::inherited;
use super::obstacle::Blocked;
use super::steps::{add_at, remove_at};
use super::tls_settings;
use super::view::Scraping;
use super::written::{self, ByClass, Effective};
use crate::config::Config;
use crate::model::{Scraper, ScraperKind, Spelling};
pub(super) use on_scraper::{OnScraper, on_scraper};

/// An endpoint, as the class of its object has to know it.
pub(super) struct Leaning<'a> {
    /// The endpoint and its scrapers.
    pub(super) scraping: &'a Scraping<'a>,
    /// How it is written.
    pub(super) effective: &'a Effective<'a>,
    /// What is to become of it, certificates' way apart.
    pub(super) towards: Towards,
}

/// What is to become of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    /// It is to use Istio's certificates, and nothing is in the way.
    Certificates,
    /// Its targets are proven to be plain.
    Plain {
        /// It loses certificates.
        changes: bool,
    },
    /// An operator makes it, and nothing that is written lets its scrapers in: a class changes nothing for it.
    Lost,
    /// It stays as it is, for some other reason.
    Nothing,
}

/// A scrape class that brings, or will bring, the certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    name: String,
    /// Where each scraper has the files that its class names.
    directories: BTreeMap<usize, String>,
}

impl Class {
    /// The directory that a scraper's class names.
    pub(super) fn directory(&self, scraper: usize) -> Option<&str> {
        self.directories.get(&scraper).map(String::as_str)
    }

    /// The directory of the first scraper.
    pub(super) fn first_directory(&self, config: &Config) -> String {
        let first = self.directories.values().next();
        first.unwrap_or(&config.directory).clone()
    }
}

/// How the certificates of an object's endpoints are named.
enum Way {
    /// By files in each endpoint.
    Files,
    /// By a class.
    Class(Class),
    /// Not at all.
    Neither(Blocked),
}

/// The class of an object.
pub(super) struct OfObject {
    way: Way,
    /// Endpoints may not name files.
    only: bool,
    /// The object names our class already.
    names_ours: bool,
    /// What the object names is not in the input.
    unseen: Option<String>,
    /// The class that applies is one that the operator refuses.
    is_refused: bool,
    /// Where the object names a class.
    field: PointerBuf,
    /// The endpoint whose decision makes the object name the class.
    named_at: Option<usize>,
    /// The endpoint whose decision makes the object no longer name it.
    left_at: Option<usize>,
}

/// The class of an object, as one of its endpoints sees it.
pub(super) struct AtEndpoint<'a> {
    object: &'a OfObject,
    position: usize,
}

impl OfObject {
    /// As the endpoint at `position` of the list sees it.
    pub(super) fn at(&self, position: usize) -> AtEndpoint<'_> {
        AtEndpoint {
            object: self,
            position,
        }
    }
}

impl AtEndpoint<'_> {
    /// The class that brings the certificates.
    pub(super) fn class(&self) -> Option<&Class> {
        match &self.object.way {
            Way::Class(class) => Some(class),
            Way::Files | Way::Neither(_) => None,
        }
    }

    /// The class that brings the certificates of an endpoint that is written like this: files that it may name itself
    /// win over those of a class.
    pub(super) fn class_for(&self, effective: &Effective<'_>) -> Option<&Class> {
        let names_its_own = effective.names_files() && !self.object.only;
        self.class().filter(|_| !names_its_own)
    }

    /// The class that scrapers of an endpoint that is written like this have to have.
    pub(super) fn required_for(&self, effective: &Effective<'_>) -> Option<&Class> {
        match self.object.names_ours {
            true => self.class(),
            false => self.class_for(effective),
        }
    }

    /// How the class takes the place of a tlsConfig.
    pub(super) fn by_class(&self) -> Option<ByClass> {
        let only = self.object.only;
        self.class().map(|_| ByClass { only })
    }

    /// Where the certificates of an endpoint that is written like this are, in words.
    pub(super) fn place(
        &self,
        effective: &Effective<'_>,
        directory: Option<&str>,
    ) -> Option<String> {
        let directory = directory?;
        Some(match self.class_for(effective) {
            None => directory.to_owned(),
            Some(class) => {
                let mut directories: Vec<_> =
                    class.directories.values().map(String::as_str).collect();
                directories.dedup();
                let all = match directories.is_empty() {
                    true => directory.to_owned(),
                    false => directories.join(" and "),
                };
                format!("{all}, named by scrape class {}", class.name)
            }
        })
    }

    /// With the step that makes the object name the class, where this endpoint has to make it.
    pub(super) fn named(&self, mut steps: Vec<Step>) -> Vec<Step> {
        if let Some(class) = self.class()
            && self.object.named_at == Some(self.position)
        {
            steps.push(add_at(&self.object.field, json!(class.name)));
        }
        steps
    }

    /// With the step after which the object names no class, where this endpoint has to make it.
    pub(super) fn left(&self, mut steps: Vec<Step>) -> Vec<Step> {
        if self.object.left_at == Some(self.position) {
            steps.push(remove_at(&self.object.field));
        }
        steps
    }

    /// What keeps the certificates from being named here. What is `right` as it is stays so, unless
    /// files that it names are refused.
    pub(super) fn forbids(&self, right: bool) -> Option<Blocked> {
        match &self.object.way {
            Way::Neither(blocked) if !right || self.object.only || self.object.is_refused => {
                Some(blocked.clone())
            }
            Way::Files | Way::Class(_) | Way::Neither(_) => None,
        }
    }

    /// Why nothing is removed, although the ports are plain: what the class brings cannot be seen.
    pub(super) fn unseen(&self) -> Option<Blocked> {
        let why = self.object.unseen.clone()?;
        Some(Blocked {
            rule: Rule::StaleTlsSuspected,
            why,
        })
    }
}

/// Where an object names its class: in `spec`, or in what an operator takes over into what it makes.
fn object_field(scraping: &Scraping<'_>) -> PointerBuf {
    const TAKEN_OVER: &str = "serviceScrapeSpec";
    let spec = match scraping.scrape.is_self_scrape {
        false => PointerBuf::from_tokens(["spec"]),
        true => {
            let mut tokens: Vec<_> = scraping.endpoint.at.tokens().collect();
            let place = tokens
                .iter()
                .position(|token| token.decoded() == TAKEN_OVER);
            tokens.truncate(place.map_or(0, |place| place + 1));
            PointerBuf::from_tokens(tokens)
        }
    };
    spec.with_trailing_token("scrapeClass")
}

/// How an endpoint is written, with what it inherits. A class of our name that the object names and
/// a scraper does not have, or that no scraper in the input shows, is taken for ours.
///
/// # Errors
/// As [`inherited::effective`].
pub(super) fn effective<'a>(
    scraping: &Scraping<'a>,
    config: &Config,
) -> Result<Effective<'a>, Effective<'a>> {
    let ours = names_ours(scraping, config)
        .then(|| tls_settings::tls_config(&config.directory, Spelling::Camel));
    let ours = ours.as_ref();
    let of_class = |(scraper, _): (&'a Scraper, _)| {
        let tls = match scraper.class_of(scraping.scrape) {
            Some((_, class)) => class.get("tlsConfig"),
            None => ours,
        };
        Some((scraper.kind, tls?))
    };
    let unseen = match scraping.scrapers.is_empty() {
        true => ours.map(|ours| Some((ScraperKind::VMAgent, ours))),
        false => None,
    };
    let classes = scraping.scrapers().map(of_class).chain(unseen);
    inherited::effective(scraping.endpoint, classes)
}

fn names_ours(scraping: &Scraping<'_>, config: &Config) -> bool {
    scraping.scrape.scrape_class.as_ref() == Some(&config.scrape_class_name)
}

fn names_unseen(scraping: &Scraping<'_>, config: &Config) -> bool {
    scraping.scrapers.is_empty() && names_ours(scraping, config)
}

/// What becomes of the class of an object whose endpoints are to become `leanings`.
pub(super) fn of_object(leanings: &[Leaning<'_>], config: &Config) -> OfObject {
    let mut object = OfObject {
        way: Way::Files,
        only: false,
        names_ours: false,
        unseen: None,
        is_refused: false,
        field: PointerBuf::new(),
        named_at: None,
        left_at: None,
    };
    let Some(first) = leanings.first().map(|first| first.scraping) else {
        return object;
    };
    object.field = object_field(first);
    object.names_ours = names_ours(first, config);
    object.is_refused = way::is_refused(first);
    let refusal = way::refusal(first);
    object.only = refusal.is_some();
    let (way, is_new) = way::way(leanings, refusal, config);
    object.way = way;
    if is_new {
        object.named_at = leanings
            .iter()
            .position(|leaning| object.only || !leaning.effective.names_files());
        if object.named_at.is_none() {
            object.way = Way::Files;
        }
    }
    if names_unseen(first, config) {
        let why = format!(
            "what its scrape class {} brings is not in the input",
            config.scrape_class_name
        );
        object.unseen = Some(why);
    }
    if object.only || way::is_wanted(first, config) {
        object.left_at = left_at(leanings, config);
    }
    object
}

/// The endpoint that takes our class off the object: the first that loses certificates, where all
/// are proven plain and nothing else of TLS stays. A default class would take the place of ours, and without the class
/// what is left of a tlsConfig would be somebody's own, which no STRICT policy brings back: then it stays.
///
/// Asked only where a run that needs certificates would name the class again.
fn left_at(leanings: &[Leaning<'_>], config: &Config) -> Option<usize> {
    let scraping = leanings.first()?.scraping;
    let leaves_nothing = |leaning: &Leaning<'_>| {
        let effective = leaning.effective;
        let written = written::written_tls(leaning.scraping.endpoint);
        written.is_none() || (effective.names_files() && effective.of_others().is_empty())
    };
    let all_plain = leanings
        .iter()
        .all(|leaning| matches!(leaning.towards, Towards::Plain { .. }));
    let ours = |(scraper, _): (&Scraper, _)| {
        let class = scraper.class_of(scraping.scrape);
        class.is_some_and(|(_, class)| way::is_only_ours(class))
            && scraper.default_class().is_none()
    };
    let stays = !all_plain || !leanings.iter().all(leaves_nothing);
    if !names_ours(scraping, config) || stays || !scraping.scrapers().all(ours) {
        return None;
    }
    leanings
        .iter()
        .position(|leaning| leaning.towards == Towards::Plain { changes: true })
}
