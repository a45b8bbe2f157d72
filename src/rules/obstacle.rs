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
        .find_map(|list| match list.interference()? {
            Interference::Address => blocked(
                Rule::AddressIsRewritten,
                format!("{} rewrites __address__: which ports are scraped cannot be known from manifests", list.place),
            ),
            Interference::Scheme => scheme_does_not_decide(&list.place),
            Interference::MetaLabels => None,
        })
}

fn scheme_does_not_decide(place: &str) -> Option<Blocked> {
    blocked(
        Rule::SchemeIsRewritten,
        format!("{place} rewrites __scheme__: the scheme of the endpoint does not decide"),
    )
}

/// A list of relabelling rules that the targets of an endpoint go through.
pub(super) struct Relabelling<'a> {
    /// Where it is, in words.
    pub(super) place: String,
    /// The rules.
    pub(super) rules: &'a [Value],
    /// They are the endpoint's own, among which ours are.
    is_own: bool,
    /// They run after the endpoint's own.
    runs_after: bool,
    /// The address is set once more behind them.
    address_is_overruled: bool,
}

impl Relabelling<'_> {
    /// What they do to the labels that our decision rests on.
    pub(super) fn interference(&self) -> Option<Interference> {
        let counts =
            |one: &Interference| !(self.address_is_overruled && *one == Interference::Address);
        relabel::interferences(self.rules).filter(counts).min()
    }
}

/// Every list of relabelling rules that the endpoint's targets go through.
pub(super) fn relabellings<'a>(scraping: &Scraping<'a>) -> Vec<Relabelling<'a>> {
    let (scrape, endpoint) = (scraping.scrape, scraping.endpoint);
    let mut lists = Vec::new();
    lists.extend(endpoint.relabelings.as_deref().map(|rules| Relabelling {
        place: written::relabelings_key(endpoint).to_owned(),
        rules,
        is_own: true,
        runs_after: false,
        address_is_overruled: false,
    }));
    // The VictoriaMetrics operator sets the prober's address after these, the Prometheus operator before them.
    let sets_address_last = scrape.kind.description().template.is_some();
    let of_prober = scrape.prober_relabelings.iter();
    lists.extend(of_prober.map(|(at, rules)| Relabelling {
        place: at.to_string(),
        rules,
        is_own: false,
        runs_after: false,
        address_is_overruled: sets_address_last,
    }));
    for (scraper, _) in scraping.scrapers() {
        let added = scraper.added_rules(scrape).into_iter();
        lists.extend(added.map(|added| Relabelling {
            place: format!("{} of {}", added.at, scraper.object),
            rules: added.rules,
            is_own: false,
            runs_after: added.run_after,
            address_is_overruled: false,
        }));
    }
    lists
}

/// A rule that chooses the scheme as ours do, and is not ours: beside no certificates of Istio's, or with a scraper.
pub(super) fn scheme_is_chosen(scraping: &Scraping<'_>, now: Now) -> Option<Blocked> {
    let with_certificates = matches!(now, Now::MutualTls | Now::PerTarget);
    relabellings(scraping)
        .into_iter()
        .filter(|list| !(list.is_own && with_certificates))
        .find(|list| relabel::chooses_scheme(list.rules))
        .and_then(|list| scheme_does_not_decide(&list.place))
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
    relabellings(scraping)
        .into_iter()
        .filter(|list| !list.runs_after)
        .find(|list| list.interference() == Some(Interference::MetaLabels))
        .and_then(|list| {
            let why = "drops, keeps, maps or sets labels that a rule of ours would need";
            blocked(rule, format!("{} {why}", list.place))
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
                // What an endpoint names already may be where the scraper has something else.
                None => {
                    begun.is_empty()
                        && directory == config.directory
                        && set_up.cannot_mount(&seen).is_none()
                }
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
