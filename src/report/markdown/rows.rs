//! What does a row of a comment say?
//!
//! Authority: ourselves: one row for all of which the same is said.
//! Departs from nothing.
//! Knows: decisions. Does not know: how many rows there is room for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::words::{code, sentence, shortened};
use crate::config::Severity;
use crate::model::Object;
use crate::report::review::spoken;
use crate::report::{Located, causes, field_path, severity};
use crate::rules::{Decision, Rule};

/// Objects that a row names before it counts, and the length at which it stops earlier.
const NAMED: usize = 50;
const LENGTH: usize = 4_000;
/// Deciding objects that a row names before it counts.
const REASONS: usize = 3;
/// Characters of a name, and of a message.
const NAME: usize = 120;
const MESSAGE: usize = 600;

/// A row of a table.
pub(super) struct Row {
    /// The row, with its line break.
    pub(super) text: String,
    /// The rule that it names.
    pub(super) rule: &'static str,
    /// How many decisions it stands for.
    pub(super) decisions: usize,
    /// How many of them it does not name.
    pub(super) unnamed: usize,
}

/// What changes: from what to what, and why.
pub(super) fn changes(changes: &[&Located], is_one_file: bool) -> Vec<Row> {
    let said = |decision: &Decision| {
        let becomes = match spoken(decision) {
            None if decision.rule == Rule::TlsNeedsRepair => "put right".to_owned(),
            None => "gets **certificates**".to_owned(),
            Some((now, then)) if now == then => format!("{}, put right", now.words()),
            Some((now, then)) => format!("{} → **{}**", now.words(), then.words()),
        };
        (becomes, why(decision))
    };
    let cells = |(becomes, why): (String, String), objects, rule| [objects, becomes, rule, why];
    grouped(changes, is_one_file, said, cells)
}

/// The deciding objects; where more is to be said than what they say, the message.
fn why(decision: &Decision) -> String {
    let warning = match decision.severity {
        Severity::Warning | Severity::Error => format!("**{}** ", severity(decision.severity)),
        Severity::Info | Severity::Off => String::new(),
    };
    let by_targets = matches!(decision.rule, Rule::StrictNeedsTls | Rule::StaleTls);
    let mut reasons: Vec<&str> = Vec::new();
    for target in &decision.targets {
        let deciding = target.because.first().map(String::as_str);
        reasons.extend(deciding.filter(|one| !reasons.contains(one)));
    }
    if !warning.is_empty() || !by_targets || reasons.is_empty() {
        return warning + &sentence(&shortened(&decision.message, MESSAGE));
    }
    let named = reasons.iter().take(REASONS);
    let mut parts: Vec<String> = named
        .map(|reason| sentence(&shortened(reason, NAME)))
        .collect();
    if reasons.len() > REASONS {
        parts.push(format!("and {} more", reasons.len() - REASONS));
    }
    parts.join("; ")
}

/// What stays as it is.
pub(super) fn stays(stays: &[&Located], is_one_file: bool) -> Vec<Row> {
    let said = |decision: &Decision| spoken(decision).map_or("", |(now, _)| now.words());
    let cells = |speaks: &str, objects, rule| [objects, speaks.to_owned(), rule];
    grouped(stays, is_one_file, said, cells)
}

/// What may need a hand: the most severe first, those of one cause together.
pub(super) fn findings(findings: &[&Located], is_one_file: bool) -> Vec<Row> {
    let mut causes = causes(findings.iter().copied());
    causes.sort_by_key(|cause| Reverse(cause.first.decision.severity));
    let cells = |decision: &Decision, objects| {
        let severity = severity(decision.severity).to_owned();
        [severity, objects, link(decision.rule), message(decision)]
    };
    let rows = causes
        .iter()
        .map(|cause| row(&cause.places, is_one_file, cells));
    rows.collect()
}

/// What was assumed, and what is good to know.
pub(super) fn notes(notes: &[&Located], is_one_file: bool) -> Vec<Row> {
    let cells = |decision: &Decision, objects| [objects, link(decision.rule), message(decision)];
    let causes = causes(notes.iter().copied());
    causes
        .iter()
        .map(|cause| row(&cause.places, is_one_file, cells))
        .collect()
}

fn message(decision: &Decision) -> String {
    sentence(&shortened(&decision.message, MESSAGE))
}

/// Decisions about one kind by one rule of which the same is said, in the order of the first of each.
fn grouped<T: Clone + Ord, const N: usize>(
    decisions: &[&Located],
    is_one_file: bool,
    said: impl Fn(&Decision) -> T,
    cells: impl Fn(T, String, String) -> [String; N],
) -> Vec<Row> {
    let mut groups: Vec<Vec<&Located>> = Vec::new();
    let mut known: BTreeMap<(&str, Rule, T), usize> = BTreeMap::new();
    for located in decisions {
        let decision = &located.decision;
        let key = (decision.object.kind.as_str(), decision.rule, said(decision));
        let position = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[position].push(located);
    }
    let of_group =
        |decision: &Decision, objects| cells(said(decision), objects, link(decision.rule));
    groups
        .iter()
        .map(|same| row(same, is_one_file, of_group))
        .collect()
}

/// A row about decisions of which the same is said.
fn row<const N: usize>(
    same: &[&Located],
    is_one_file: bool,
    cells: impl Fn(&Decision, String) -> [String; N],
) -> Row {
    let first = &same[0].decision;
    let is_one_path = same.iter().all(|one| one.decision.at == first.at);
    let mut objects = String::new();
    let mut kind = None;
    let mut named = 0;
    for located in same.iter().take(NAMED) {
        if objects.len() > LENGTH {
            break;
        }
        let decision = &located.decision;
        let of_this = decision.object.kind.as_str();
        let is_other = kind.replace(of_this) != Some(of_this);
        if named > 0 {
            objects.push_str("<br>");
        }
        let [name, path, file] = place(located, is_one_file);
        if is_other {
            objects.push_str(&sentence(&shortened(of_this, NAME)));
        }
        if is_other && same.len() > 1 {
            // What is the same in all stands once.
            objects.push_str(if is_one_path { &path } else { "" });
            objects.push_str("<br>");
        } else if is_other {
            objects.push(' ');
        }
        objects.push_str(&name);
        objects.push_str(if is_one_path && same.len() > 1 {
            ""
        } else {
            &path
        });
        objects.push_str(&file);
        named += 1;
    }
    let unnamed = same.len() - named;
    if unnamed > 0 {
        objects.push_str(&format!("<br>and {unnamed} more"));
    }
    Row {
        text: format!("| {} |\n", cells(first, objects).join(" | ")),
        rule: first.rule.name(),
        decisions: same.len(),
        unnamed,
    }
}

/// `[rule]`, whose address stands at the end.
fn link(rule: Rule) -> String {
    format!("[{}]", rule.name())
}

/// Which object, where in it, and in which file, unless there is only one.
fn place(located: &Located, is_one_file: bool) -> [String; 3] {
    let name = code(&shortened(&name(&located.decision.object), NAME));
    let path = match field_path(&located.decision.at).as_str() {
        // A scraper as a whole.
        "" | "spec" => String::new(),
        path => format!(" {}", code(&shortened(path, NAME))),
    };
    let location = &located.location;
    let file = shortened(&location.file, NAME);
    let file = match (location.file.as_str(), location.line) {
        ("-", _) => String::new(),
        (_, Some(line)) if is_one_file => format!(" line {line}"),
        (_, None) => format!(" in {}", code(&file)),
        (_, Some(line)) => format!(" in {}", code(&format!("{file}:{line}"))),
    };
    [name, path, file]
}

fn name(object: &Object) -> String {
    match object.namespace.as_str() {
        "" => object.name.clone(),
        namespace => format!("{namespace}/{}", object.name),
    }
}
