//! Which rules serve strict and plain targets by one endpoint, and which two targets do not let them?
//!
//! Authority: `distinguish`; the row "both" of the endpoint table.
//! Departs from nothing: rules of ours that choose rightly already are left as they are.
//! Knows: judged targets, the rules of an endpoint. Does not know: how it speaks TLS.

use serde_json::Value;

use super::decision::{Demand, JudgedTarget};
use super::demand::{Aside, Judged};
use super::distinguish::{self, Alike};
use super::relabel;
use super::scheme_rule::SchemeRule;
use super::signs::Signs;
use crate::model::{DiscoveryRole, Endpoint};

/// What tells the targets of one endpoint apart.
pub(super) struct Telling {
    /// The rules that choose https.
    pub(super) rules: Vec<Value>,
    /// Behind them the rule that chooses http again for the pod that scrapes.
    pub(super) own_pod_last: bool,
}

/// What tells the targets that demand mutual TLS from the plain ones. A scraper's own pod that nothing tells from its
/// siblings, or from pods like it that another scraper meets, is told by its address.
///
/// # Errors
/// Why nothing does, in words.
pub(super) fn telling(endpoint: &Endpoint, judged: &[Judged]) -> Result<Telling, String> {
    let with = |own_pod_last| {
        move |rules| Telling {
            rules,
            own_pod_last,
        }
    };
    let why = match rules(endpoint, judged) {
        Ok(rules) => return Ok(with(false)(rules)),
        Err(why) => why,
    };
    let is_own = |one: &&Judged| one.aside == Some(Aside::OwnPod);
    let others: Vec<Judged> = judged.iter().filter(|one| !is_own(one)).cloned().collect();
    let (strict, plain) = sides(&others);
    if others.len() == judged.len() || strict.is_empty() || plain.is_empty() {
        return Err(why);
    }
    rules(endpoint, &others).map(with(true))
}

/// The rules that choose https for the targets that demand mutual TLS and for no plain one.
///
/// # Errors
/// Why there are none, in words.
fn rules(endpoint: &Endpoint, judged: &[Judged]) -> Result<Vec<Value>, String> {
    if endpoint.role == DiscoveryRole::Service {
        return Err(
            "targets are addressed as Services (discoveryRole: service), where no label of a pod is known"
                .to_owned(),
        );
    }
    let (strict, plain) = sides(judged);
    let (https, http) = (signs(&strict), signs(&plain));
    let present: Vec<(&Value, SchemeRule)> = relabel::ours(endpoint).collect();
    let chosen = |target: &Signs| chosen(present.iter().map(|(_, rule)| rule), target);
    let right = https.iter().all(|target| chosen(target) == Some(true))
        && http.iter().all(|target| chosen(target) == Some(false));
    if right {
        return Ok(present.into_iter().map(|(rule, _)| rule.clone()).collect());
    }
    match distinguish::rule(&https, &http) {
        Ok(rule) => Ok(vec![rule.written()]),
        Err(Alike::Pair(a, b)) => Err(alike(strict[a], plain[b])),
        Err(Alike::Entangled) => Err(
            "no three of injection, port, namespace and labels of the pods tell all of them apart"
                .to_owned(),
        ),
    }
}

/// Those that demand mutual TLS, those that demand plain text. What lets nobody in may get either.
fn sides(judged: &[Judged]) -> (Vec<&Judged>, Vec<&Judged>) {
    let known = judged.iter().filter(|one| match one.shown.demand {
        Demand::MutualTls | Demand::MutualTlsIfInjected | Demand::Plain => true,
        // Unknown ones keep an endpoint before anybody asks for rules.
        Demand::Unreachable | Demand::Unknown => false,
    });
    known.partition(|one| one.shown.demand != Demand::Plain)
}

/// A target that may be injected is among the strict ones only where the settings take it to be.
fn signs(side: &[&Judged]) -> Vec<Signs> {
    side.iter()
        .map(|one| match one.shown.demand {
            Demand::MutualTlsIfInjected => one.signs.taken_as_injected(),
            Demand::MutualTls | Demand::Plain | Demand::Unreachable | Demand::Unknown => {
                Signs::clone(&one.signs)
            }
        })
        .collect()
}

/// Whether one of the rules chooses https; `None`: not known.
fn chosen<'r>(rules: impl Iterator<Item = &'r SchemeRule>, target: &Signs) -> Option<bool> {
    let mut answer = Some(false);
    for rule in rules {
        match rule.chooses(target) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}

fn alike(strict: &Judged, plain: &Judged) -> String {
    let is_own_pod = plain.aside == Some(Aside::OwnPod);
    let (strict, plain) = (&strict.shown, &plain.shown);
    if is_own_pod {
        return format!(
            "nothing but its address tells the scraper's own pod from the others ({})",
            named(strict)
        );
    }
    if named(strict) == named(plain) {
        return format!(
            "{} accepts only mutual TLS from one of those that scrape it, and only plain text from another",
            named(strict)
        );
    }
    format!(
        "{} (mutual TLS) and {} (plain text) cannot be told apart by injection, port, namespace or labels of the pods",
        named(strict),
        named(plain)
    )
}

fn named(target: &JudgedTarget) -> String {
    let port = match target.port {
        Some(number) => format!("port {number}"),
        None => "at an unknown port".to_owned(),
    };
    let part = target
        .part
        .map(|part| format!(" ({part})"))
        .unwrap_or_default();
    format!(
        "{} {}/{}{part} {port}",
        target.kind, target.namespace, target.name
    )
}
