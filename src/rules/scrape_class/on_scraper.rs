//! What does a scraper get so that a scrape class of ours brings the certificates?
//!
//! Authority: CRDs of the scrapers: `scrapeClasses` is a list by name, a class's `tlsConfig` may name files.
//! Departs from nothing: the class is never a default one, which would be merged into TLS that is not Istio's.
//! Knows: a scraper's classes, which endpoints use ours. Does not know: why they do.

use jsonptr::PointerBuf;
use serde_json::{Value, json};

use super::super::completion::append;
use super::super::decision::Step;
use super::super::endpoint::JudgedEndpoint;
use super::super::tls_settings;
use crate::config::Config;
use crate::model::{Scraper, Spelling};

/// What becomes of our class on a scraper.
#[derive(Default)]
pub(in crate::rules) struct OnScraper {
    /// The steps; empty where it is right already, or not needed.
    pub(in crate::rules) steps: Vec<Step>,
    /// Whether a class that is there is put right.
    pub(in crate::rules) repairs: bool,
    /// What happens, in words.
    pub(in crate::rules) message: String,
}

/// Steps after which a scraper has our class, where endpoints that it scrapes get certificates by it, or have them in an
/// object that names it: operators refuse an object whose class is not there, whatever its endpoints name themselves.
pub(in crate::rules) fn on_scraper(
    position: usize,
    scraper: &Scraper,
    endpoints: &[&JudgedEndpoint],
    config: &Config,
) -> OnScraper {
    let name = &config.scrape_class_name;
    let directory = endpoints
        .iter()
        .filter_map(|endpoint| endpoint.required_class.as_ref())
        .filter(|class| class.name == *name)
        .find_map(|class| class.directory(position));
    let Some(directory) = directory else {
        return OnScraper::default();
    };
    let wanted = tls_settings::tls_config(directory, Spelling::Camel);
    let present = scraper.class_named(name);
    let Some((index, class)) = present else {
        let class = json!({"name": name, "tlsConfig": wanted});
        return OnScraper {
            steps: append(scraper, "scrapeClasses", vec![class]),
            repairs: false,
            message: format!("scrape class {name} names them"),
        };
    };
    let written = class.get("tlsConfig").and_then(Value::as_object);
    let at = PointerBuf::from_tokens(["spec", "scrapeClasses", &index.to_string(), "tlsConfig"]);
    let steps = written.map_or_else(Vec::new, |written| {
        let mistakes = tls_settings::mistakes(written, &wanted);
        match mistakes.is_empty() {
            true => Vec::new(),
            false => tls_settings::repairs(&at, written, &mistakes),
        }
    });
    OnScraper {
        repairs: !steps.is_empty(),
        steps,
        message: format!(
            "scrape class {name} is put right: it names the certificates in {directory}"
        ),
    }
}
