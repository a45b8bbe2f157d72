//! What does stderr say?
//!
//! Authority: ourselves, in the shape of cargo's messages.
//! Departs from nothing: findings with one cause stand once, with the places they concern.
//! Knows: decisions. Does not know: whether anybody looks (colour is the shell's affair).

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::{Cause, Located, check, grouped, printable, severity};
use crate::config::Severity;
use crate::rules::{Failing, Verdict};

/// Places that are named before the rest is only counted.
const NAMED: usize = 5;

/// The findings, most severe first, and a line that says what became of the run; empty where there is nothing to say.
pub fn render(decisions: &[Located], failing: &Failing) -> String {
    let news = decisions
        .iter()
        .filter(|located| located.is_news() || failing.fails(&located.decision));
    let mut causes = grouped(news);
    causes.sort_by_key(|cause| Reverse(cause.first.decision.severity));
    let mut out = String::new();
    for cause in &causes {
        // What fails the run is named in full: somebody has to do something about each.
        let named = match failing.fails(&cause.first.decision) {
            true => cause.places.len(),
            false => NAMED,
        };
        write_cause(&mut out, cause, &label(cause.first, failing), named);
    }
    let fails = decisions.iter().any(|one| failing.fails(&one.decision));
    let end = match (fails, failing.checks()) {
        (true, true) => Some(format!(
            "nothing was changed, since mode is \"check\"; {}",
            check::verdict(decisions, failing)
        )),
        (true, false) => Some(format!(
            "nothing was changed; {}",
            check::verdict(decisions, failing)
        )),
        (false, true) => Some(check::verdict(decisions, failing)),
        (false, false) if causes.is_empty() => None,
        (false, false) => Some(sum(decisions)),
    };
    if let Some(end) = end {
        writeln!(out, "istio-scrape: {end}").expect("a String grows");
    }
    out
}

/// What stands in front of a message: its severity, and whether its change should have been made before.
pub(super) fn label(located: &Located, failing: &Failing) -> String {
    let decision = &located.decision;
    match (failing.is_pending(decision), decision.severity) {
        (true, Severity::Off | Severity::Info) => "pending".to_owned(),
        (true, level) => format!("pending {}", severity(level)),
        // It is in sight only because it fails the run.
        (false, Severity::Off) => severity(Severity::Error).to_owned(),
        (false, level) => severity(level).to_owned(),
    }
}

/// `label[rule]: message`, and the first places that it concerns.
pub(super) fn write_cause(out: &mut String, cause: &Cause<'_>, label: &str, named: usize) {
    let Cause { first, places } = cause;
    let decision = &first.decision;
    let message = printable(&decision.message);
    writeln!(out, "{label}[{}]: {message}", decision.rule.name()).expect("a String grows");
    for located in places.iter().take(named) {
        writeln!(out, "  --> {}", place(located)).expect("a String grows");
    }
    if places.len() > named {
        writeln!(out, "  --> and {} more", places.len() - named).expect("a String grows");
    }
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
    parts.extend(levels(decisions));
    parts.join(", ")
}

/// `1 warning`, `2 errors`, where there are any.
pub(super) fn levels(decisions: &[Located]) -> Vec<String> {
    let count = |wanted: Severity| {
        decisions
            .iter()
            .filter(|located| located.decision.severity == wanted)
            .count()
    };
    [(Severity::Warning, "warning"), (Severity::Error, "error")]
        .into_iter()
        .filter(|(severity, _)| count(*severity) > 0)
        .map(|(severity, name)| plural(count(severity), name))
        .collect()
}

pub(super) fn plural(count: usize, name: &str) -> String {
    match count {
        0 => format!("no {name}s"),
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    }
}
