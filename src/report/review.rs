//! What is a decision to somebody who reviews a change: a change, something to look at, or no news?
//!
//! Authority: ourselves.
//! Departs from nothing.
//! Knows: decisions. Does not know: how they are shown.

use super::Located;
use crate::config::Severity;
use crate::model::ScraperKind;
use crate::rules::{Decision, Now, Verdict, Wanted};

/// Where a decision is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    /// Among the changes, whatever else is said of it.
    Change,
    /// Among the warnings and errors.
    Finding,
    /// Among what stays as it is.
    Stays,
    /// Among what was assumed or is good to know.
    Note,
    /// Nowhere.
    Nowhere,
}

/// Where this decision is told.
pub(super) fn told(located: &Located) -> Told {
    let decision = &located.decision;
    match decision.severity {
        _ if decision.verdict == Verdict::Patch => Told::Change,
        Severity::Warning | Severity::Error => Told::Finding,
        Severity::Info | Severity::Off if decision.transport.is_some() => Told::Stays,
        Severity::Info if located.is_news() => Told::Note,
        Severity::Info if is_of_a_scraper(decision) => Told::Stays,
        Severity::Info | Severity::Off => Told::Nowhere,
    }
}

/// Whether a decision is about a scraper as a whole. Some scrape objects have all that they are in `spec` too.
pub(super) fn is_of_a_scraper(decision: &Decision) -> bool {
    let object = &decision.object;
    decision.transport.is_none()
        && decision.at.as_str() == "/spec"
        && ScraperKind::of(&object.api_version, &object.kind).is_some()
}

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Speaks {
    /// HTTP.
    Plain,
    /// HTTPS with Istio's certificates.
    MutualTls,
    /// One of these for each target.
    PerTarget,
    /// TLS that has nothing to do with Istio.
    Own,
}

impl Speaks {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Speaks::Plain => "plain text",
            Speaks::MutualTls => "mutual TLS",
            Speaks::PerTarget => "mutual TLS or plain text by target",
            Speaks::Own => "TLS of its own",
        }
    }
}

/// What an endpoint speaks as written, and as it will be; `None`: the decision is about no endpoint.
pub(super) fn spoken(decision: &Decision) -> Option<(Speaks, Speaks)> {
    let transport = decision.transport?;
    let now = match transport.now {
        Now::Plain => Speaks::Plain,
        Now::MutualTls => Speaks::MutualTls,
        Now::PerTarget => Speaks::PerTarget,
        Now::Own => Speaks::Own,
    };
    let then = match (decision.verdict, transport.wanted) {
        (Verdict::Keep | Verdict::Refuse, _) | (Verdict::Patch, Wanted::Unknown) => now,
        (Verdict::Patch, Wanted::Plain) => Speaks::Plain,
        (Verdict::Patch, Wanted::MutualTls) => Speaks::MutualTls,
        (Verdict::Patch, Wanted::PerTarget) => Speaks::PerTarget,
    };
    Some((now, then))
}
