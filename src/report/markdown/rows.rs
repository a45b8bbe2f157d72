//! What does a row of a comment say?
//!
//! Authority: ourselves: one row for what is said of one object in the same words.
//! Departs from nothing.
//! Knows: decisions. Does not know: how many rows there is room for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::words::{code, sentence, shortened};
use crate::config::Severity;
use crate::model::Object;
use crate::report::review::{is_of_a_scraper, spoken};
use crate::report::{Located, causes, field_path, severity};
use crate::rules::{Decision, Rule};

/// Places, or reasons, that are named before the rest is only counted.
const NAMED: usize = 3;
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
}

fn row<const N: usize>(cells: [&str; N], rule: Rule, decisions: usize) -> Row {
    Row {
        text: format!("| {} |\n", cells.join(" | ")),
        rule: rule.name(),
        decisions,
    }
}

/// What changes: from what to what, and why.
pub(super) fn changes(changes: &[&Located]) -> Vec<Row> {
    let said = |located: &Located| {
        let decision = &located.decision;
        let becomes = match spoken(decision) {
            None => "gets what it needs".to_owned(),
            Some((now, then)) if now == then => format!("{}, put right", now.words()),
            Some((now, then)) => format!("{} → **{}**", now.words(), then.words()),
        };
        (becomes, why(decision))
    };
    grouped(changes, said)
        .into_iter()
        .map(|((becomes, why), same)| {
            let first = same[0];
            let decision = &first.decision;
            let where_ = format!("{}<br>{}", object(&decision.object), fields(&same));
            let cells = [&where_, &becomes, &link(decision.rule), &why];
            row(cells.map(String::as_str), decision.rule, same.len())
        })
        .collect()
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
    let mut parts: Vec<String> = reasons
        .iter()
        .take(NAMED)
        .map(|reason| sentence(&shortened(reason, NAME)))
        .collect();
    if reasons.len() > NAMED {
        parts.push(format!("and {} more", reasons.len() - NAMED));
    }
    parts.join("; ")
}

/// What may need a hand: the most severe first, those of one cause together.
pub(super) fn findings(findings: &[&Located]) -> Vec<Row> {
    let mut causes = causes(findings.iter().copied());
    causes.sort_by_key(|cause| Reverse(cause.first.decision.severity));
    causes
        .iter()
        .map(|cause| {
            let decision = &cause.first.decision;
            let cells = [
                severity(decision.severity).to_owned(),
                link(decision.rule),
                places(&cause.places),
                sentence(&shortened(&decision.message, MESSAGE)),
            ];
            row(
                cells.each_ref().map(String::as_str),
                decision.rule,
                cause.places.len(),
            )
        })
        .collect()
}

/// What was assumed.
pub(super) fn notes(notes: &[&Located]) -> Vec<Row> {
    causes(notes.iter().copied())
        .iter()
        .map(|cause| {
            let decision = &cause.first.decision;
            let cells = [
                link(decision.rule),
                places(&cause.places),
                sentence(&shortened(&decision.message, MESSAGE)),
            ];
            row(
                cells.each_ref().map(String::as_str),
                decision.rule,
                cause.places.len(),
            )
        })
        .collect()
}

/// What stays as it is.
pub(super) fn stays(stays: &[&Located]) -> Vec<Row> {
    let said = |located: &Located| spoken(&located.decision).map_or("", |(now, _)| now.words());
    grouped(stays, said)
        .into_iter()
        .map(|(speaks, same)| {
            let decision = &same[0].decision;
            let fields = match is_of_a_scraper(decision) {
                true => String::new(),
                false => fields(&same),
            };
            let cells = [
                object(&decision.object),
                fields,
                speaks.to_owned(),
                link(decision.rule),
            ];
            row(
                cells.each_ref().map(String::as_str),
                decision.rule,
                same.len(),
            )
        })
        .collect()
}

/// Decisions about one object by one rule of which the same is said, in the order of the first of each.
fn grouped<'a, T: Clone + Ord>(
    decisions: &[&'a Located],
    said: impl Fn(&Located) -> T,
) -> Vec<(T, Vec<&'a Located>)> {
    let mut groups: Vec<(T, Vec<&Located>)> = Vec::new();
    let mut known: BTreeMap<(&Object, Rule, T), usize> = BTreeMap::new();
    for located in decisions {
        let decision = &located.decision;
        let said = said(located);
        let key = (&decision.object, decision.rule, said.clone());
        let position = *known.entry(key).or_insert_with(|| {
            groups.push((said, Vec::new()));
            groups.len() - 1
        });
        groups[position].1.push(located);
    }
    groups
}

/// `[rule]`, whose address stands at the end.
fn link(rule: Rule) -> String {
    format!("[{}]", rule.name())
}

/// Kind in words, name as code.
fn object(object: &Object) -> String {
    let name = match object.namespace.as_str() {
        "" => object.name.clone(),
        namespace => format!("{namespace}/{}", object.name),
    };
    format!(
        "{} {}",
        sentence(&shortened(&object.kind, NAME)),
        code(&shortened(&name, NAME))
    )
}

/// Where in the object, and in which file.
fn fields(same: &[&Located]) -> String {
    let mut parts: Vec<String> = same
        .iter()
        .take(NAMED)
        .map(|located| field_path(&located.decision.at))
        .filter(|path| !path.is_empty())
        .map(|path| code(&shortened(&path, NAME)))
        .collect();
    if same.len() > NAMED {
        parts.push(format!("and {} more", same.len() - NAMED));
    }
    let location = &same[0].location;
    let file = match (location.file.as_str(), location.line) {
        ("-", _) => String::new(),
        (file, None) => format!(" in {}", code(&shortened(file, NAME))),
        (file, Some(line)) => {
            format!(" in {}", code(&format!("{}:{line}", shortened(file, NAME))))
        }
    };
    parts.join(", ") + &file
}

/// The objects that a finding is about.
fn places(places: &[&Located]) -> String {
    let mut parts: Vec<String> = places
        .iter()
        .take(NAMED)
        .map(|located| {
            let path = field_path(&located.decision.at);
            let object = object(&located.decision.object);
            match path.as_str() {
                "" => object,
                path => format!("{object} {}", code(&shortened(path, NAME))),
            }
        })
        .collect();
    if places.len() > NAMED {
        parts.push(format!("and {} more", places.len() - NAMED));
    }
    parts.join("<br>")
}
