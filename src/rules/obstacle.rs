//! What forbids to change an endpoint although the table asks for it?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/objects.go` (file access), `vmscrapes.go` (relabelling order).
//! Departs from nothing.
//! Knows: endpoints, the scrapers that select them. Does not know: demands.

use serde_json::Value;

use super::Rule;
use super::decision::Now;
use super::relabel::{self, Interference};
use super::view::Scraping;
use super::written;
use crate::config::Config;
use crate::model::Scraper;

/// A rule that keeps an endpoint as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// The rule.
    pub(super) rule: Rule,
    /// The reason, in words.
    pub(super) why: String,
}

fn blocked(rule: Rule, why: String) -> Option<Blocked> {
    Some(Blocked { rule, why })
}

/// Relabelling or a proxy between the endpoint and its targets, so that neither is ours to judge.
pub(super) fn rewritten(scraping: &Scraping<'_>) -> Option<Blocked> {
    if scraping.endpoint.proxy_url.is_some() {
        // Each kind spells the field in its own way.
        let field = scraping.endpoint.kind.description().proxy.join(".");
        return blocked(
            Rule::ProxyIsKept,
            format!(
                "requests go to a proxy ({field}): what it speaks to the targets is its own affair"
            ),
        );
    }
    relabellings(scraping)
        .into_iter()
        .find_map(|(place, rules)| match relabel::interference(rules)? {
            Interference::Address => blocked(
                Rule::AddressIsRewritten,
                format!("{place} rewrites __address__: which ports are scraped cannot be known from manifests"),
            ),
            Interference::Scheme => blocked(
                Rule::SchemeIsRewritten,
                format!("{place} rewrites __scheme__: the scheme of the endpoint does not decide"),
            ),
            Interference::MetaLabels => None,
        })
}

/// Every list of relabelling rules that the endpoint's targets go through, with its place in words.
pub(super) fn relabellings<'a>(scraping: &Scraping<'a>) -> Vec<(String, &'a [Value])> {
    let mut lists = Vec::new();
    if let Some(rules) = &scraping.endpoint.relabelings {
        lists.push((
            written::relabelings_key(scraping.endpoint).to_owned(),
            rules.as_slice(),
        ));
    }
    // The VictoriaMetrics operator sets the prober's address after these, the Prometheus operator before them.
    let sets_address_last = scraping.scrape.kind.description().template.is_some();
    for (at, rules) in &scraping.scrape.prober_relabelings {
        let is_overruled = relabel::interference(rules) == Some(Interference::Address);
        if !(sets_address_last && is_overruled) {
            lists.push((at.to_string(), rules.as_slice()));
        }
    }
    for (scraper, _) in scraping.scrapers() {
        let class = scraping.scrape.scrape_class.as_deref();
        for (at, rules) in relabel::of_scraper(scraper, scraping.scrape.kind, class) {
            // Of what is for all jobs, the global rules alone reach those of the scraper's own.
            // The VictoriaMetrics operator leaves them out for probers, which have no rules themselves.
            let takes_none = scraping.scrape.is_of_scraper()
                || (!scraper.kind.is_prometheus()
                    && scraping.scrape.kind.description().relabelings.is_none());
            if takes_none && at.as_str().contains("scrapeClasses") {
                continue;
            }
            lists.push((format!("{at} of {}", scraper.object), rules));
        }
    }
    lists
}

/// A rule that chooses the scheme as ours do, and is not ours: beside no certificates of Istio's, or with a scraper.
pub(super) fn scheme_is_chosen(scraping: &Scraping<'_>, now: Now) -> Option<Blocked> {
    let with_certificates = matches!(now, Now::MutualTls | Now::PerTarget);
    let of_endpoint = relabel::ours(scraping.endpoint).next().is_some();
    let own_list = scraping
        .endpoint
        .relabelings
        .as_deref()
        .map(<[Value]>::as_ptr);
    relabellings(scraping)
        .into_iter()
        .filter(|(_, rules)| {
            !(of_endpoint && with_certificates && own_list == Some(rules.as_ptr()))
        })
        .find(|(_, rules)| relabel::chooses_scheme(rules))
        .and_then(|(place, _)| {
            blocked(
                Rule::SchemeIsRewritten,
                format!("{place} rewrites __scheme__: the scheme of the endpoint does not decide"),
            )
        })
}

/// What keeps the scrapers of an endpoint from using certificates there. `per_target`: the rule that says so
/// where the scheme has to be chosen for each target.
pub(super) fn to_certificates(
    scraping: &Scraping<'_>,
    per_target: Option<Rule>,
) -> Option<Blocked> {
    if let Some(address) = scraping.endpoint.addresses().find(|a| a.contains("://")) {
        return blocked(
            Rule::SchemeIsRewritten,
            format!("{address} has a scheme of its own, which wins over that of the endpoint"),
        );
    }
    for (scraper, state) in scraping.scrapers() {
        if let Err(why) = &state.certificates {
            return blocked(
                Rule::ScraperCannotHaveCertificates,
                format!("{} cannot have the certificates: {why}", scraper.object),
            );
        }
    }
    let rule = per_target?;
    if !scraping.endpoint.kind.description().per_target {
        // A job has no kind of its own, and its object is the scraper.
        let who = match scraping.endpoint.kind.description().name {
            "" => {
                "in a job of inlineScrapeConfig the scheme is not chosen for each target".to_owned()
            }
            kind => format!("a {kind} cannot choose the scheme for each target"),
        };
        return blocked(rule, who);
    }
    if scraping.scrapers.is_empty() {
        return blocked(
            rule,
            "no scraper in the input selects it, so nobody is known to have the certificates"
                .to_owned(),
        );
    }
    // Rules of a template run after the endpoint's own, and so after ours.
    let template = relabel::template(scraping.scrape.kind);
    relabellings(scraping)
        .into_iter()
        .filter(|(place, _)| !template.is_some_and(|template| place.contains(template)))
        .find(|(_, rules)| relabel::interference(rules) == Some(Interference::MetaLabels))
        .and_then(|(place, _)| {
            blocked(
                rule,
                format!("{place} drops, keeps, maps or sets labels that a rule of ours would need"),
            )
        })
}

/// The directory that the endpoint is to name: one where every scraper has, or can be given, the certificates.
///
/// The one that it names already, the configured one, or that of a scraper with a set-up: the first of them that all can
/// serve as they are; else that of the first scraper with a set-up. Each scraper looks where
/// [`ScraperKind::path`](crate::model::ScraperKind::path) says.
pub(super) fn directory(scraping: &Scraping<'_>, config: &Config) -> Result<String, Blocked> {
    let set_ups: Vec<_> = scraping
        .scrapers()
        .filter_map(|(scraper, state)| Some((scraper, state.certificates.as_ref().ok()?)))
        .collect();
    let begun: Vec<_> = set_ups
        .iter()
        .filter_map(|(_, set_up)| set_up.directory())
        .collect();
    let seen =
        |scraper: &Scraper, directory: &str| scraper.kind.path(scraping.scrape.kind, directory);
    let serves = |directory: &str| {
        set_ups.iter().all(|(scraper, set_up)| {
            let seen = seen(scraper, directory);
            match set_up.directory() {
                Some(_) => set_up.directories.contains(&seen),
                None => begun.is_empty() && directory == config.directory,
            }
        })
    };
    if let Some(named) = written::directory(scraping.endpoint).filter(|named| serves(named)) {
        return Ok(named.to_owned());
    }
    // The configured one first: it is what a run before wrote, while the scraper may show only what became of it.
    let configured = config.directory.as_str();
    let mut candidates = [configured].into_iter().chain(begun.iter().copied());
    let chosen = candidates
        .find(|candidate| serves(candidate))
        .or(begun.first().copied())
        .unwrap_or(configured);
    let refusal = set_ups.iter().find_map(|(scraper, set_up)| {
        let seen = seen(scraper, chosen);
        Some((scraper, set_up.cannot_mount(&seen)?, seen))
    });
    match refusal {
        None => Ok(chosen.to_owned()),
        Some((scraper, why, seen)) => Err(Blocked {
            rule: Rule::CertificateDirectoriesDiffer,
            why: format!(
                "the certificates should be in {seen}, but {} {why}",
                scraper.object
            ),
        }),
    }
}
