//! What does a person, or a program, read about a run?
//!
//! Authority: KRM functions specification for results; ourselves for the rest.
//! Departs from nothing.
//! Knows: decisions and where their objects are. Does not know: how they were made.

pub mod check;
pub mod component;
pub mod diff;
#[cfg(test)]
mod fixture;
pub mod json;
pub mod markdown;
mod mermaid;
mod picture;
pub mod results;
mod review;
pub mod sarif;
pub mod schema;
pub mod secrets;
pub mod table;
pub mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

use json_patch::PatchOperation;
use jsonptr::Pointer;

use crate::config::Severity;
pub use crate::krm::Location;
use crate::rules::{Decision, Now, Rule, Verdict, Wanted};

/// A decision with what only the text knows of it.
#[derive(Debug, Clone)]
pub struct Located {
    /// The decision.
    pub decision: Decision,
    /// Where its object is.
    pub location: Location,
    /// The operations of its patch.
    pub patch: Vec<PatchOperation>,
}

impl Located {
    /// Whether the decision is news: something changes, or somebody may want to change something.
    pub fn is_news(&self) -> bool {
        let is_as_it_should_be =
            matches!(self.decision.rule, Rule::AlreadyRight | Rule::OwnTlsIsKept);
        self.decision.severity != Severity::Off
            && (!is_as_it_should_be || self.decision.severity > Severity::Info)
    }
}

fn severity(severity: Severity) -> &'static str {
    severity.word()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Patch => "patch",
        Verdict::Keep => "keep",
        Verdict::Refuse => "refuse",
    }
}

fn now(now: Now) -> &'static str {
    match now {
        Now::Plain => "plain",
        Now::MutualTls => "mutualTLS",
        Now::PerTarget => "perTarget",
        Now::Own => "own",
    }
}

fn wanted(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Plain => "plain",
        Wanted::MutualTls => "mutualTLS",
        Wanted::PerTarget => "perTarget",
        Wanted::Unknown => "unknown",
    }
}

/// A text for a terminal or a log: what is not seen but acts is spelled out, so that no name can forge a line or colour,
/// or pass for another.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(acts) {
        let spelled = |c: char| match acts(c) {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        };
        text.chars().map(spelled).collect::<String>().into()
    } else {
        text.into()
    }
}

/// Control characters, line and paragraph separators, and those that turn the direction of the text around them or have
/// no width.
fn acts(c: char) -> bool {
    let unseen = ['\u{61c}', '\u{feff}'].contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c);
    c.is_control() || unseen
}

/// Decisions with one rule, verdict, severity and message, and the places that they concern.
struct Cause<'a> {
    first: &'a Located,
    places: Vec<&'a Located>,
}

/// The causes among decisions that are news, in the order of their first place.
fn causes<'a>(decisions: impl IntoIterator<Item = &'a Located>) -> Vec<Cause<'a>> {
    grouped(decisions.into_iter().filter(|located| located.is_news()))
}

/// The causes of all these decisions, in the order of their first place.
fn grouped<'a>(decisions: impl IntoIterator<Item = &'a Located>) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'a>> = Vec::new();
    let mut known = BTreeMap::new();
    for located in decisions {
        let decision = &located.decision;
        let key = (
            decision.severity,
            verdict(decision.verdict),
            decision.rule,
            decision.message.as_str(),
        );
        let position = *known.entry(key).or_insert_with(|| {
            causes.push(Cause {
                first: located,
                places: Vec::new(),
            });
            causes.len() - 1
        });
        causes[position].places.push(located);
    }
    causes
}

/// A place as the KRM specification writes it: `spec.endpoints[0]`; empty for the whole object.
fn field_path(at: &Pointer) -> String {
    let mut path = String::new();
    for token in at.tokens() {
        let token = token.decoded();
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{token}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&token);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// List positions stand in brackets, everything else is joined by dots.
    #[test]
    fn field_paths() {
        assert_eq!(
            field_path(Pointer::from_static("/spec/endpoints/0")),
            "spec.endpoints[0]"
        );
        assert_eq!(field_path(Pointer::root()), "");
    }
}
