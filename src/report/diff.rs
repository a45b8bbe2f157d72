//! What would change, as a diff?
//!
//! Authority: unified diff, as `kubectl diff` shows it.
//! Departs from it: values that look like secrets are masked on both sides.
//! Knows: two texts and where secrets are in them. Does not know: decisions.

use std::ops::Range;

use similar::TextDiff;

use crate::krm::Item;
use crate::yaml::{Content, Edit, Node, splice};

/// The unified diff of one source, with three lines of context; empty where nothing changes.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let label = if name == "-" {
        "stdin"
    } else {
        name.trim_start_matches('/')
    };
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{label}"), &format!("b/{label}"))
        .to_string()
}

/// The text with `***` in the place of values that nobody should read in a log.
pub fn masked(text: &str, items: &[&Item<'_>]) -> String {
    let mut secrets = Vec::new();
    for item in items.iter() {
        let all = item.kind == "Secret";
        for (key, value) in item.node.entries() {
            let in_data = all && matches!(key.text(), Some("data" | "stringData"));
            collect(value, in_data || is_sensitive(key), &mut secrets);
        }
    }
    secrets.sort_by_key(|range| range.start);
    let edits: Vec<_> = secrets
        .into_iter()
        .map(|range| Edit {
            // A block scalar keeps its line break, so that the lines after it stay in step.
            text: if text[range.clone()].ends_with('\n') {
                "***\n"
            } else {
                "***"
            }
            .to_owned(),
            range,
        })
        .collect();
    splice(text, &edits)
}

fn collect(node: &Node<'_>, sensitive: bool, found: &mut Vec<Range<usize>>) {
    match &node.content {
        Content::Scalar(..) if sensitive && !node.range.is_empty() => {
            found.push(node.range.clone())
        }
        Content::Scalar(..) | Content::Alias(_) => {}
        Content::Sequence { items, .. } => {
            for item in items.iter() {
                collect(item, sensitive, found);
            }
        }
        Content::Mapping { entries, .. } => {
            for (key, value) in entries.iter() {
                collect(value, sensitive || is_sensitive(key), found);
            }
        }
    }
}

fn is_sensitive(key: &Node<'_>) -> bool {
    let key = key.text().unwrap_or_default().to_ascii_lowercase();
    ["password", "token", "bearer", "credentials"]
        .iter()
        .any(|word| key.contains(word))
}
