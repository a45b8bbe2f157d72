//! What does a reviewer read below a pull request?
//!
//! Authority: GitHub Flavored Markdown; GitHub refuses a comment of more than 65 536 characters.
//! Departs from nothing: what does not fit is left out by whole rows, and counted.
//! Knows: decisions. Does not know: which forge shows it.

mod room;
mod rows;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::mermaid;
use super::review::{Told, is_of_a_scraper, spoken, told};
use super::{Located, page, text};
use crate::report::review::Speaks;
use crate::rules::Wanted;
use room::{Table, cut};
use rows::Row;
pub(super) use words::shortened;

/// Bytes, of which there are never fewer than characters. The rest of the 65 536 is for what a pipeline puts around it.
const ROOM: usize = 60_000;

/// The comment: a sum, what changes, what needs a look, a picture; folded: what stays, and what was assumed.
pub fn render(decisions: &[Located]) -> String {
    let told = |wanted: Told| {
        let of_it = decisions.iter().filter(move |one| told(one) == wanted);
        of_it.collect::<Vec<_>>()
    };
    let (changes, findings) = (told(Told::Change), told(Told::Finding));
    let (stays, notes) = (told(Told::Stays), told(Told::Note));
    let files: BTreeSet<&str> = decisions
        .iter()
        .map(|one| one.location.file.as_str())
        .collect();
    let is_one_file = files.len() == 1;
    let mut tables = [
        Table::open(
            "Changes",
            ["object", "from → to", "rule", "why"],
            rows::changes(&changes, is_one_file),
        ),
        Table::open(
            "Worth a look",
            ["severity", "object", "rule", "what"],
            rows::findings(&findings, is_one_file),
        ),
        Table::folded(
            &stay(&stays),
            ["object", "speaks", "rule"],
            rows::stays(&stays, is_one_file),
        ),
        Table::folded(
            &format!("Good to know: {}", counted(notes.len(), "note")),
            ["object", "rule", "what"],
            rows::notes(&notes, is_one_file),
        ),
    ];
    let head = head(decisions, changes.len());
    let picture = match changes.is_empty() {
        true => String::new(),
        false => picture(decisions),
    };
    let rules: BTreeSet<&str> = tables.iter().flat_map(Table::rules).collect();
    let links: String = rules
        .iter()
        .map(|rule| format!("[{rule}]: {}\n", page(rule)))
        .collect();
    cut(&mut tables, ROOM - head.len() - picture.len() - links.len());
    let [changes, findings, stays, notes] = tables.map(|table| table.written());
    let parts = [head, changes, findings, picture, stays, notes, links];
    let parts = parts.iter().filter(|part| !part.is_empty());
    parts.cloned().collect::<Vec<_>>().join("\n")
}

fn head(decisions: &[Located], changes: usize) -> String {
    let title = match changes {
        0 => "nothing to change".to_owned(),
        changes => counted(changes, "change"),
    };
    let spoken: Vec<Speaks> = decisions
        .iter()
        .filter_map(|located| spoken(&located.decision).map(|(_, then)| then))
        .collect();
    let mut sum = match spoken.len() {
        0 => "No scrape endpoint in the input".to_owned(),
        all => {
            let ways = [
                Speaks::MutualTls,
                Speaks::PerTarget,
                Speaks::Plain,
                Speaks::Own,
            ];
            let by_way: Vec<String> = ways
                .into_iter()
                .map(|way| (spoken.iter().filter(|one| **one == way).count(), way))
                .filter(|(count, _)| *count > 0)
                .map(|(count, way)| format!("{} ({count})", way.words()))
                .collect();
            let after = match changes {
                0 => "",
                _ => ", after the change",
            };
            let unknown = match decisions.iter().filter(|one| is_unknown(one)).count() {
                0 => String::new(),
                unknown => format!("; what {unknown} of them should speak is not known"),
            };
            format!(
                "{}{after}: {}{unknown}",
                counted(all, "endpoint"),
                by_way.join(", ")
            )
        }
    };
    let severe = match text::levels(decisions).join(", ").as_str() {
        "" => "No warnings, no errors.".to_owned(),
        severe => format!("**{severe}**."),
    };
    write!(sum, ". {severe}").expect("a String grows");
    format!("### istio-scrape: {title}\n\n{sum}\n")
}

/// Whether it is an endpoint that is left as it is because nobody knows better.
fn is_unknown(located: &Located) -> bool {
    let transport = located.decision.transport;
    transport.is_some_and(|transport| transport.wanted == Wanted::Unknown)
}

fn picture(decisions: &[Located]) -> String {
    format!(
        "**Who scrapes what, after the change** (thick: mutual TLS; dotted: not known; blue: changes; yellow: warnings)\n\n\
         ```mermaid\n{}```\n",
        mermaid::flowchart(decisions)
    )
}

fn stay(stays: &[&Located]) -> String {
    let is_scraper = |one: &&&Located| is_of_a_scraper(&one.decision);
    let scrapers = stays.iter().filter(is_scraper).count();
    let endpoints = stays.len() - scrapers;
    let mut parts = Vec::new();
    for (count, name) in [(endpoints, "endpoint"), (scrapers, "scraper")] {
        if count > 0 {
            parts.push(counted(count, name));
        }
    }
    let verb = match stays.len() {
        1 => "stays as it is",
        _ => "stay as they are",
    };
    format!("{} {verb}", parts.join(" and "))
}

fn counted(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        _ => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests;
