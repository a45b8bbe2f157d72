//! What does stderr say?
//!
//! Authority: ourselves, in the shape of cargo's messages.
//! Departs from nothing: findings with one cause stand once, with the places they concern.
//! Knows: decisions. Does not know: whether anybody looks (colour is the shell's affair).

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::{Cause, Located, causes, printable, severity};
use crate::config::Severity;
use crate::rules::Verdict;

/// Places that are named before the rest is only counted.
const NAMED: usize = 5;

/// The findings, most severe first, and a line that sums up; empty where there is nothing to say.
pub fn render(decisions: &[Located]) -> String {
    let mut causes = causes(decisions);
    causes.sort_by_key(|cause| Reverse(cause.first.decision.severity));
    let mut out = String::new();
    for Cause { first, places } in &causes {
        let decision = &first.decision;
        let level = severity(decision.severity);
        let message = printable(&decision.message);
        writeln!(out, "{level}[{}]: {message}", decision.rule.name()).expect("a String grows");
        for located in places.iter().take(NAMED) {
            writeln!(out, "  --> {}", place(located)).expect("a String grows");
        }
        if places.len() > NAMED {
            writeln!(out, "  --> and {} more", places.len() - NAMED).expect("a String grows");
        }
    }
    if !causes.is_empty() {
        writeln!(out, "istio-scrape: {}", sum(decisions)).expect("a String grows");
    }
    out
}

/// `VMServiceScrape default/demo /spec/endpoints/0 (demo.yaml:12)`
fn place(located: &Located) -> String {
    let mut place = located.decision.object.to_string();
    if !located.decision.at.is_root() {
        write!(place, " {}", located.decision.at).expect("a String grows");
    }
    let location = &located.location;
    match (location.file.as_str(), location.line) {
        ("-", None) => Ok(()),
        ("-", Some(line)) => write!(place, " (line {line})"),
        (file, Some(line)) => write!(place, " ({file}:{line})"),
        (file, None) => write!(place, " ({file})"),
    }
    .expect("a String grows");
    printable(&place).into_owned()
}

/// `2 changes, 1 warning`
pub(super) fn sum(decisions: &[Located]) -> String {
    let changes = decisions
        .iter()
        .filter(|located| located.decision.verdict == Verdict::Patch)
        .count();
    let mut parts = vec![plural(changes, "change")];
    parts.extend(severe(decisions));
    parts.join(", ")
}

/// `1 warning`, `2 errors`: as far as there are any.
pub(super) fn severe(decisions: &[Located]) -> Vec<String> {
    let count = |wanted: Severity| {
        decisions
            .iter()
            .filter(|located| located.decision.severity == wanted)
            .count()
    };
    [(Severity::Warning, "warning"), (Severity::Error, "error")]
        .map(|(severity, name)| (count(severity), name))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| plural(count, name))
        .collect()
}

fn plural(count: usize, name: &str) -> String {
    match count {
        0 => format!("no {name}s"),
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    }
}
