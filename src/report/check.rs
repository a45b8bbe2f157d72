//! What is wrong, and what fails the check?
//!
//! Authority: ourselves, in the shape of cargo's messages; the last line says what to do, as kubectl's and cargo's do.
//! Departs from nothing: what is as it should be is only counted.
//! Knows: decisions, and which of them fail a run. Does not know: exit codes.

use std::cmp::Reverse;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::table::Paint;
use super::text::{label, levels, plural, write_cause};
use super::{Cause, Located, grouped};
use crate::config::Severity;
use crate::rules::Failing;

/// Pending changes and findings that matter, those that fail the check first, and a line that says how it ended.
pub fn render(decisions: &[Located], failing: &Failing, colour: bool) -> String {
    let paint = Paint { colour };
    let is_wrong = |located: &&Located| {
        let decision = &located.decision;
        failing.fails(decision) || decision.severity >= Severity::Warning
    };
    let mut causes = grouped(decisions.iter().filter(is_wrong));
    causes.sort_by_key(|cause| {
        let decision = &cause.first.decision;
        Reverse((failing.fails(decision), decision.severity))
    });
    let mut out = String::new();
    for cause in &causes {
        let label = paint.with(style(cause, failing), &label(cause.first, failing));
        write_cause(&mut out, cause, &label, cause.places.len());
    }
    writeln!(out, "{}", verdict(decisions, failing)).expect("a String grows");
    out
}

/// What fails the run and what to do about it, or that nothing does.
pub fn verdict(decisions: &[Located], failing: &Failing) -> String {
    let count = |counts: &dyn Fn(&Located) -> bool| {
        decisions.iter().filter(|located| counts(located)).count()
    };
    let pending = count(&|located| failing.is_pending(&located.decision));
    let findings = count(&|located| failing.reaches(&located.decision));
    let mut reasons = Vec::new();
    if pending > 0 {
        reasons.push(format!(
            "{} {} pending: run istio-scrape, or write its Component again with istio-scrape patches",
            plural(pending, "change"),
            if pending == 1 { "is" } else { "are" },
        ));
    }
    if findings > 0 {
        let (reach, each) = match findings {
            1 => ("reaches", "it"),
            _ => ("reach", "each"),
        };
        reasons.push(format!(
            "{} {reach} {}: do what {each} says",
            plural(findings, "finding"),
            failing.limit(),
        ));
    }
    match reasons.is_empty() {
        true => in_place(decisions, failing),
        false => reasons.join("; "),
    }
}

fn in_place(decisions: &[Located], failing: &Failing) -> String {
    let endpoints = decisions
        .iter()
        .filter(|located| located.decision.transport.is_some())
        .count();
    let known = levels(decisions);
    if decisions.is_empty() {
        "nothing to check: no endpoints in the input, and no scraper of which anything is asked"
            .to_owned()
    } else if known.is_empty() {
        format!(
            "everything is in place: {}, no pending change",
            plural(endpoints, "endpoint")
        )
    } else {
        format!(
            "nothing fails: {}, no pending change, {} ({})",
            plural(endpoints, "endpoint"),
            known.join(", "),
            failing.limit(),
        )
    }
}

fn style(cause: &Cause<'_>, failing: &Failing) -> Style {
    let colour = match failing.fails(&cause.first.decision) {
        true => AnsiColor::Red,
        false => AnsiColor::Yellow,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}
