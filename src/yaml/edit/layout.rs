//! How does a document indent, so that new lines look like the old ones?
//!
//! Authority: the document itself; without an example, what kustomize writes: two columns, compact lists.
//! Departs from it: nothing.
//! Knows: nodes and columns. Does not know: what is changed.

use super::super::lines::{column, first_on_line};
use super::super::{Content, Node};

/// The examples that a document gives, by where they stand, in that order.
#[derive(Debug, Default)]
pub(super) struct Layout {
    steps: Vec<(usize, usize)>,
    lists: Vec<(usize, bool)>,
}

impl Layout {
    /// Looks at all block lists and maps below a node.
    pub(super) fn of(text: &str, root: &Node<'_>) -> Self {
        let mut layout = Self::default();
        layout.look(text, root);
        debug_assert!(layout.steps.is_sorted_by(|(a, _), (b, _)| a < b));
        debug_assert!(layout.lists.is_sorted_by(|(a, _), (b, _)| a < b));
        layout
    }

    /// Columns per level, as nearest to `at`.
    pub(super) fn step(&self, at: usize) -> usize {
        nearest(&self.steps, at).unwrap_or(2)
    }

    /// Whether dashes stand in the column of their key, as nearest to `at`.
    pub(super) fn compact(&self, at: usize) -> bool {
        nearest(&self.lists, at).unwrap_or(true)
    }

    fn look(&mut self, text: &str, node: &Node<'_>) {
        match &node.content {
            Content::Mapping {
                entries,
                flow: false,
            } => {
                for (key, value) in entries.iter() {
                    self.compare(text, key, value);
                    self.look(text, value);
                }
            }
            Content::Sequence { items, flow: false } => {
                items.iter().for_each(|item| self.look(text, item));
            }
            _ => {}
        }
    }

    fn compare(&mut self, text: &str, key: &Node<'_>, value: &Node<'_>) {
        let start = value.range.start;
        let nested = match &value.content {
            Content::Mapping { flow, .. } | Content::Sequence { flow, .. } => !flow,
            _ => false,
        };
        if !nested || !first_on_line(text, start) {
            return;
        }
        let (outer, inner) = (column(text, key.range.start), column(text, start));
        if matches!(value.content, Content::Sequence { .. }) {
            self.lists.push((start, inner <= outer));
        } else if inner > outer {
            self.steps.push((start, inner - outer));
        }
    }
}

/// Of two that are as near as each other the first.
fn nearest<T: Copy>(examples: &[(usize, T)], at: usize) -> Option<T> {
    let behind = examples.partition_point(|(offset, _)| *offset < at);
    examples[behind.saturating_sub(1)..]
        .iter()
        .take(2)
        .min_by_key(|(offset, _)| offset.abs_diff(at))
        .map(|(_, example)| *example)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_example_counts_and_of_two_the_first() {
        let examples = [(10, 'a'), (20, 'b'), (40, 'c')];
        for (at, expected) in [
            (0, 'a'),
            (10, 'a'),
            (15, 'a'),
            (16, 'b'),
            (30, 'b'),
            (31, 'c'),
            (90, 'c'),
        ] {
            assert_eq!(nearest(&examples, at), Some(expected), "{at}");
        }
        assert_eq!(nearest::<char>(&[], 5), None);
    }
}
