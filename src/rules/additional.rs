//! Which jobs of a scraper does nobody look at?
//!
//! Authority: `additionalScrapeConfigs` of VMAgent, VMSingle, Prometheus and PrometheusAgent: the key of a Secret with jobs in
//! the language of Prometheus, which the operators append to what they make.
//! Departs from nothing: a Secret is not looked into, also where it is in the input.
//! Knows: scrapers. Does not know: what they scrape.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::Rule;
use super::decision::Decision;
use crate::model::{Inventory, Scraper};

const FIELD: &str = "additionalScrapeConfigs";

/// A finding for each scraper that has jobs in a Secret.
pub(super) fn decide_all(inventory: &Inventory) -> Vec<Decision> {
    let scrapers = inventory.scrapers.iter();
    let own = scrapers.filter(|scraper| !scraper.object.context);
    own.filter_map(of_scraper).collect()
}

fn of_scraper(scraper: &Scraper) -> Option<Decision> {
    // A scraper that takes in only has no jobs at all.
    if scraper.spec.get("ingestOnlyMode") == Some(&Value::Bool(true)) {
        return None;
    }
    let secret = scraper.spec.get(FIELD)?;
    let text = |key: &str| {
        let text = secret.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let (name, key) = (text("name")?, text("key")?);
    Some(Decision::finding(
        &scraper.object,
        PointerBuf::from_tokens(["spec", FIELD]),
        Rule::AdditionalScrapesUnseen,
        format!(
            "it also runs the jobs in key {key} of Secret {}/{name}, which are not looked at: those that scrape STRICT ports \
             need scheme https and a tls_config by hand",
            scraper.object.namespace
        ),
    ))
}
