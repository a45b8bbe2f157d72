//! What does a person, or a program, read about a run?
//!
//! Authority: KRM functions specification for results; ourselves for the rest.
//! Departs from nothing.
//! Knows: decisions and where their objects are. Does not know: how they were made.

pub mod diff;
pub mod json;
pub mod results;
pub mod table;
pub mod text;

use json_patch::PatchOperation;
use jsonptr::Pointer;

use crate::config::Severity;
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

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, by the orchestrator's annotation or as named on the command line; `-` for stdin.
    pub file: String,
    /// Position among the objects of the file.
    pub index: usize,
    /// Line of the place in the file, from 1; `None` where only the orchestrator knows the file.
    pub line: Option<usize>,
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
    match severity {
        Severity::Off => "off",
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
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

/// Whether a key names something that nobody should read in a log.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "token", "bearer", "credentials"]
        .iter()
        .any(|word| key.contains(word))
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
