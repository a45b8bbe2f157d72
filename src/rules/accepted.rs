//! Does every name in `istio-scrape.dev/accept` name a rule?
//!
//! Authority: the names of rules.
//! Departs from nothing: a name of no rule quietens nothing, which whoever wrote it did not want.
//! Knows: objects of the inventory, names of rules. Does not know: which findings there are.

use std::collections::BTreeSet;

use jsonptr::PointerBuf;

use super::Rule;
use super::decision::Decision;
use crate::config::resembling;
use crate::model::{Inventory, Object};

const ACCEPT: &str = "istio-scrape.dev/accept";

/// A finding on each object that accepts what is no rule.
pub(super) fn decide_all(inventory: &Inventory) -> Vec<Decision> {
    let rules: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    accepting(inventory)
        .into_iter()
        .flat_map(|object| object.accepted.iter().map(move |name| (object, name)))
        .filter(|(_, name)| !rules.contains(&name.as_str()))
        .map(|(object, name)| {
            let meant = match resembling(name, &rules) {
                Some(rule) => format!("did you mean {rule}?"),
                None => "take the name that the finding carries".to_owned(),
            };
            let at = PointerBuf::from_tokens(["metadata", "annotations", ACCEPT]);
            let message = format!("{name:?} is no rule, so nothing is accepted by it; {meant}");
            Decision::finding(object, at, Rule::NotUnderstood, message)
        })
        .collect()
}

/// Of everything that somebody wrote what accepts findings, each once: operators' objects are workloads, and more, for several
/// programs.
fn accepting(inventory: &Inventory) -> BTreeSet<&Object> {
    let Inventory {
        namespaces,
        unclear_namespaces: _,
        services,
        workloads,
        policies,
        authorizations,
        control_planes,
        injectors,
        sidecars,
        proxy_configs,
        scrapes,
        scrapers,
        unread,
        index: _,
    } = inventory;
    let written = services.iter().filter(|service| service.made_for.is_none());
    namespaces
        .values()
        .map(|one| &one.object)
        .chain(written.map(|one| &one.object))
        .chain(workloads.iter().map(|one| &one.object))
        .chain(policies.iter().map(|one| &one.object))
        .chain(authorizations.iter().map(|one| &one.object))
        .chain(control_planes.iter().map(|one| &one.object))
        .chain(injectors.iter().map(|one| &one.object))
        .chain(sidecars.iter().map(|one| &one.object))
        .chain(proxy_configs.iter().map(|one| &one.object))
        .chain(scrapes.iter().map(|one| &one.object))
        .chain(scrapers.iter().map(|one| &one.object))
        .chain(unread.iter().map(|one| &one.object))
        .filter(|object| !object.accepted.is_empty())
        .collect()
}
