//! Which labels do relabelling rules change before others look at them?
//!
//! Authority: VictoriaMetrics `lib/promrelabel/{config,relabel}.go`.
//! Departs from it: of a name that is put together, what it begins with counts.
//! Knows: rules as values. Does not know: which rules look at labels.

use serde_json::Value;

use super::filters::text;

/// Labels that earlier rules change.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// By name.
    labels: Vec<String>,
    /// By how names begin.
    beginnings: Vec<String>,
}

impl Rewritten {
    /// Whether a label is one of them.
    pub(super) fn includes(&self, label: &str) -> bool {
        let begins = |beginning: &String| label.starts_with(beginning.as_str());
        self.labels.iter().any(|other| other == label) || self.beginnings.iter().any(begins)
    }

    /// What a rule that leaves every target does to labels.
    pub(super) fn note(&mut self, action: &str, rule: &Value) {
        let target = text(rule, "targetLabel", "target_label").unwrap_or_default();
        let regex = text(rule, "regex", "regex").unwrap_or_default();
        match action {
            "replace" | "replace_all" | "hashmod" | "lowercase" | "uppercase" => self.write(target),
            // A part of a label's name that comes first in another: names of labels and annotations do not begin with `__`.
            "labelmap" => match text(rule, "replacement", "replacement") {
                None => {}
                Some(name) if name.starts_with('$') => {}
                Some(name) => self.write(name),
            },
            "labeldrop" => self.beginnings.push(beginning(regex)),
            // `labelkeep`, which leaves nothing but what it names, and whatever actions there may be.
            _ => self.beginnings.push(String::new()),
        }
    }

    /// A name that is written to, with `$` where a part of it comes from elsewhere.
    fn write(&mut self, name: &str) {
        match name.split_once('$') {
            None => self.labels.push(name.to_owned()),
            Some((beginning, _)) => self.beginnings.push(beginning.to_owned()),
        }
    }
}

/// How every name begins that an expression matches.
fn beginning(regex: &str) -> String {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    if regex.contains('|') {
        return String::new();
    }
    let special = |c: char| !(c.is_alphanumeric() || c == '_');
    let end = regex.find(special).unwrap_or(regex.len());
    let (plain, rest) = regex.split_at(end);
    let mut beginning = plain.to_owned();
    if rest.starts_with(['?', '*', '{']) {
        beginning.pop();
    }
    beginning
}
