//! May an object's certificates come by a scrape class, and if not, why?
//!
//! Authority: the conditions for a named class; operators' `getScrapeClass` and merging: a class applies to all endpoints of an
//! object, a named one switches the default one off, an object that names an unknown one is refused.
//! Departs from nothing.
//! Knows: the endpoints of one object, the classes of the scrapers that select it. Does not know: demands.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::Rule;
use super::super::certificates::SetUp;
use super::super::decision::Now;
use super::super::obstacle::Blocked;
use super::super::tls_settings;
use super::super::view::Scraping;
use super::{Class, Leaning, Towards, Way, names_ours, names_unseen};
use crate::config::{CertificatesVia, Config};
use crate::model::{Finds, Scraper, Spelling};

/// Why endpoints of an object may not name files, with the rule that says so.
pub(super) fn refusal(scraping: &Scraping<'_>) -> Option<(Rule, String)> {
    let scrape = scraping.scrape;
    let description = scrape.kind.description();
    if scrape.is_of_scraper() {
        return None;
    }
    if !description.takes_files {
        let why = format!(
            "the tlsConfig of a {} cannot name files",
            scrape.object.kind
        );
        return Some((Rule::FilesNotSupported, why));
    }
    let denying = scraping
        .scrapers()
        .find(|(scraper, _)| scraper.denies_files);
    denying.map(|(scraper, _)| {
        let why = format!(
            "{} refuses scrape objects that name files (arbitraryFSAccessThroughSMs.deny)",
            scraper.object
        );
        (Rule::FilesAreDenied, why)
    })
}

/// The way, and whether the object has to be made to name the class.
pub(super) fn way(
    leanings: &[Leaning<'_>],
    refusal: Option<(Rule, String)>,
    config: &Config,
) -> (Way, bool) {
    let scraping = leanings[0].scraping;
    let named = scraping.scrape.scrape_class.as_deref();
    let neither = |rule, why| (Way::Neither(Blocked { rule, why }), false);
    if let Some(brought) = brought(scraping, config) {
        return (brought, false);
    }
    if names_ours(scraping, config) {
        // It is ours to give to the scrapers that do not have it yet.
        return match everywhere(scraping, config) {
            Ok(class) => (Way::Class(class), false),
            Err(why) => neither(Rule::ScraperCannotHaveCertificates, why),
        };
    }
    if let Some(name) = named
        && let Some((scraper, _)) = scraping
            .scrapers()
            .find(|(scraper, _)| scraper.class_of(scraping.scrape).is_none())
    {
        let why = format!(
            "{} has no scrape class {name}, and refuses the object",
            scraper.object
        );
        return neither(Rule::ScraperCannotHaveCertificates, why);
    }
    let wanted = is_wanted(scraping, config).then(|| {
        let why = "certificates.via is \"scrapeClass\"".to_owned();
        (Rule::FilesAreDenied, why)
    });
    let is_choice = refusal.is_none();
    let Some((rule, because)) = refusal.or(wanted) else {
        return (Way::Files, false);
    };
    match fresh(leanings, config) {
        Ok(class) => (Way::Class(class), true),
        // Nobody asked for a class of what an operator makes: files do where they are allowed.
        Err(_) if is_choice && scraping.scrape.is_self_scrape => (Way::Files, false),
        Err(why) => neither(rule, format!("{because}, and {why}")),
    }
}

/// Whether the settings ask for a class, although endpoints may name files.
pub(super) fn is_wanted(scraping: &Scraping<'_>, config: &Config) -> bool {
    match config.via {
        CertificatesVia::ScrapeClass => can_name_a_class(scraping),
        CertificatesVia::Endpoint => false,
    }
}

/// Whether the endpoints are those of an object that can name a class: not jobs. Of what operators make, it is
/// VMServiceScrapes that take theirs over from `serviceScrapeSpec` (`factory/build/vmscrape.go`).
fn can_name_a_class(scraping: &Scraping<'_>) -> bool {
    let scrape = scraping.scrape;
    let finds_services = scrape.kind.description().finds == Finds::Services;
    !scrape.is_of_scraper() && (!scrape.is_self_scrape || finds_services)
}

/// Whether the class that applies on some scraper names, beside a file of Istio's, what the operator refuses there.
pub(super) fn is_refused(scraping: &Scraping<'_>) -> bool {
    let mut applying = scraping
        .scrapers()
        .filter_map(|(scraper, _)| scraper.class_of(scraping.scrape));
    applying.any(|(_, class)| {
        let tls = class.get("tlsConfig").and_then(Value::as_object);
        tls.is_some_and(|tls| {
            tls_settings::is_istios(tls, Spelling::Camel) && !rivals(tls).is_empty()
        })
    })
}

/// What of the TLS settings of a class stands where a file of Istio's has to.
fn rivals(tls: &Map<String, Value>) -> Vec<&'static str> {
    let is_set = |rival: &&str| {
        tls.get(*rival)
            .is_some_and(|value| !tls_settings::is_zero(value))
    };
    let rivals = tls_settings::rivals(Spelling::Camel).into_iter();
    rivals.filter(is_set).collect()
}

/// The class that applies already, where it brings Istio's certificates on every scraper.
fn brought(scraping: &Scraping<'_>, config: &Config) -> Option<Way> {
    let mut found = None;
    let mut directories = BTreeMap::new();
    for (position, (scraper, state)) in scraping.every_scraper() {
        let (_, class) = scraper.class_of(scraping.scrape)?;
        let tls = class.get("tlsConfig")?.as_object()?;
        if !tls_settings::is_istios(tls, Spelling::Camel) {
            return None;
        }
        let name = name_of(class);
        let rivals = rivals(tls);
        if !rivals.is_empty() {
            let what = format!(
                "its tlsConfig holds {}, which is not Istio's and stands where a file of Istio's has to",
                rivals.join(" and ")
            );
            return Some(wrong(name, scraper, &what));
        }
        found.get_or_insert_with(|| name.to_owned());
        let Ok(set_up) = &state.certificates else {
            continue;
        };
        let ours = name == config.scrape_class_name;
        let directory = match directory(set_up, Some(tls), ours, config) {
            Ok(directory) => directory,
            Err(why) => return Some(wrong(name, scraper, why)),
        };
        let wanted = tls_settings::tls_config(&directory, Spelling::Camel);
        let fields: Vec<_> = tls_settings::mistakes(tls, &wanted)
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        if !fields.is_empty() && (!ours || set_up.is_fixed()) {
            return Some(wrong(
                name,
                scraper,
                &format!("has a wrong or no {}", fields.join(", ")),
            ));
        }
        directories.insert(position, directory);
    }
    let unseen = names_unseen(scraping, config).then(|| config.scrape_class_name.clone());
    let name = found.or(unseen)?;
    Some(Way::Class(Class { name, directories }))
}

fn wrong(name: &str, scraper: &Scraper, what: &str) -> Way {
    Way::Neither(Blocked {
        rule: Rule::TlsNeedsRepair,
        why: format!(
            "scrape class {name} of {} brings Istio's certificates, but {what}: put it right there",
            scraper.object
        ),
    })
}

fn name_of(class: &Value) -> &str {
    class
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Where a scraper has, or can be given, the certificates that its class names. Ours names the
/// directory that the scraper has; the user's decides it.
fn directory(
    set_up: &SetUp,
    tls: Option<&Map<String, Value>>,
    ours: bool,
    config: &Config,
) -> Result<String, &'static str> {
    let named = tls.and_then(|tls| tls_settings::directory_of(tls, Spelling::Camel));
    let has = |directory: &str| match set_up.directory() {
        Some(_) => set_up.directories.iter().any(|path| path == directory),
        None => directory == config.directory,
    };
    let chosen = match named {
        Some(named) if !ours || has(named) => named,
        Some(_) | None => set_up.directory().unwrap_or(&config.directory),
    };
    match set_up.cannot_mount(chosen) {
        None => Ok(chosen.to_owned()),
        Some(why) => Err(why),
    }
}

/// A class of ours for an object that names none.
fn fresh(leanings: &[Leaning<'_>], config: &Config) -> Result<Class, String> {
    let scraping = leanings[0].scraping;
    if !can_name_a_class(scraping) {
        return Err("nothing in Git can give it a scrape class".to_owned());
    }
    if let Some(name) = &scraping.scrape.scrape_class {
        return Err(format!(
            "the scrape class {name} that it names does not bring Istio's certificates: name them in the tlsConfig of \
             that class, or let the object name none"
        ));
    }
    if scraping.scrapers.is_empty() {
        return Err(
            "no scraper in the input selects the object, so that none can have a scrape class for it: add the scraper to \
             the input"
                .to_owned(),
        );
    }
    for (scraper, _) in scraping.scrapers() {
        if let Some((_, default)) = scraper.default_class() {
            return Err(format!(
                "{} has the default scrape class {}, which objects that name another one lose: name a class in the object \
                 that does what both are to do",
                scraper.object,
                name_of(default)
            ));
        }
    }
    for leaning in leanings {
        let at = &leaning.scraping.endpoint.at;
        if leaning.effective.now() == Now::Own
            || (leaning.effective.names_files() && !leaning.effective.can_move_to_class())
        {
            return Err(format!(
                "a scrape class would be merged into {at}, which has TLS of its own: split the object"
            ));
        }
        if !matches!(leaning.towards, Towards::Certificates | Towards::Lost) {
            return Err(format!(
                "a scrape class applies to every endpoint of the object, and {at} is not to use the certificates: split \
                 the object"
            ));
        }
    }
    everywhere(scraping, config)
}

/// Our class on every scraper, which has it or gets it.
fn everywhere(scraping: &Scraping<'_>, config: &Config) -> Result<Class, String> {
    let name = config.scrape_class_name.clone();
    let mut directories = BTreeMap::new();
    for (position, (scraper, state)) in scraping.every_scraper() {
        let Ok(set_up) = &state.certificates else {
            continue;
        };
        let class = scraper.class_named(&name);
        let tls = class.and_then(|(_, class)| class.get("tlsConfig")?.as_object());
        if class.is_some_and(|(_, class)| !is_only_ours(class)) {
            return Err(format!(
                "scrape class {name} of {} has something else in it: choose another name with \
                 certificates.scrapeClassName",
                scraper.object
            ));
        }
        let directory = directory(set_up, tls, true, config)
            .map_err(|why| format!("{} {why}", scraper.object))?;
        let written = tls.is_some_and(|tls| {
            let wanted = tls_settings::tls_config(&directory, Spelling::Camel);
            tls_settings::mistakes(tls, &wanted).is_empty()
        });
        if !written && set_up.is_fixed() {
            return Err(format!(
                "{} does not have scrape class {name}, and may not be changed",
                scraper.object
            ));
        }
        let is_list = |value: &Value| value.is_array() || value.is_null();
        if !scraper.spec.get("scrapeClasses").is_none_or(is_list) {
            return Err(format!(
                "spec.scrapeClasses of {} is not a list",
                scraper.object
            ));
        }
        directories.insert(position, directory);
    }
    Ok(Class { name, directories })
}

/// Whether a class of our name brings Istio's certificates and nothing besides.
pub(super) fn is_only_ours(class: &Value) -> bool {
    let tls = class.get("tlsConfig").and_then(Value::as_object);
    let fields = class.as_object().into_iter().flatten();
    tls.is_some_and(|tls| tls_settings::is_istios(tls, Spelling::Camel) && rivals(tls).is_empty())
        && fields
            .filter(|(_, value)| !value.is_null())
            .all(|(field, _)| matches!(field.as_str(), "name" | "default" | "tlsConfig"))
}
