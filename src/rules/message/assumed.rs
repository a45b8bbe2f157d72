//! What does a change rest on that nothing in the input proves?
//!
//! Authority: ourselves. The wording is no promise.
//! Departs from nothing.
//! Knows: the policies of each target, and what becomes of them. Does not know: which change it is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::decision::Demand;
use super::super::demand::Judged;
use crate::policy::{Link, Part};

/// `assumed: …`, where mutual TLS is demanded by a mode that a policy may overrule. Without it, nobody would know why the
/// change is a warning.
pub(in super::super) fn said(judged: &[Judged]) -> Option<String> {
    let mut assumed: Vec<String> = Vec::new();
    let unproven =
        |judged: &&Judged| judged.shown.demand == Demand::MutualTls && !judged.mode_proven;
    for judged in judged.iter().filter(unproven) {
        for undecided in &judged.undecided {
            let names: BTreeSet<String> =
                undecided.policies.iter().map(ToString::to_string).collect();
            assumed.push(match names.len() {
                1 => format!("which version of {} counts", in_short(names)),
                _ => format!("which of {} is the oldest", in_short(names)),
            });
        }
        let mut doubts: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let is_open = |link: &&Link| link.part == Part::Possible;
        for link in judged.shown.chain.iter().filter(is_open) {
            let names = doubts.entry(&link.why).or_default();
            names.extend(link.policy.clone());
        }
        for (why, names) in doubts.into_iter().filter(|(_, names)| !names.is_empty()) {
            assumed.push(format!("{}: {why}", in_short(names)));
        }
    }
    assumed.sort();
    assumed.dedup();
    (!assumed.is_empty()).then(|| format!("assumed: {}", assumed.join("; ")))
}

/// The first name, and how many others there are: `explain` has them all.
fn in_short(names: BTreeSet<String>) -> String {
    let mut names = names.into_iter();
    let (first, second) = (names.next().unwrap_or_default(), names.next());
    match (second, names.count()) {
        (None, _) => first,
        (Some(second), 0) => format!("{first} and {second}"),
        (Some(_), more) => format!("{first} and {} more", more + 1),
    }
}
