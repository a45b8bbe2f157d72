//! What would change, as a diff?
//!
//! Authority: unified diff, as `kubectl diff` shows it.
//! Departs from it: values that look like secrets are masked on both sides.
//! Knows: two texts and where secrets are in them. Does not know: decisions.

use std::ops::Range;

use similar::TextDiff;

use super::is_secret;
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
            collect(
                value,
                in_data || key.text().is_some_and(is_secret),
                &mut secrets,
            );
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
                collect(value, sensitive || key.text().is_some_and(is_secret), found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krm::{self, Source};

    fn masked_text(text: &str) -> String {
        let sources = [Source::named("-", text)];
        let package = krm::open(&sources, |_, _| false).expect("objects");
        let items: Vec<_> = package.items.iter().collect();
        masked(text, &items)
    }

    /// Secrets, and values of keys that sound like one, in every style.
    #[test]
    fn what_nobody_should_read_is_masked() {
        insta::assert_snapshot!(masked_text(
            "kind: Secret\napiVersion: v1\ndata: {a: c2VjcmV0}\nstringData:\n  b: |\n    two\n    lines\n  c: plain # kept\n---\nkind: VMAgent\napiVersion: v1\nspec:\n  basicAuth: {username: joe, password: hunter2}\n  bearerTokenFile: /run/token\n  other: shown\n"
        ), @r"
        kind: Secret
        apiVersion: v1
        data: {a: ***}
        stringData:
          b: ***
          c: *** # kept
        ---
        kind: VMAgent
        apiVersion: v1
        spec:
          basicAuth: {username: joe, password: ***}
          bearerTokenFile: ***
          other: shown
        ");
    }

    /// Nothing is printed for a text that stays.
    #[test]
    fn no_difference_no_diff() {
        assert_eq!(diff("a.yaml", "a: 1\n", "a: 1\n"), "");
    }
}
