//! What is in a list or map of which the end has not come yet, and may this value be next?
//!
//! Authority: YAML 1.2.2, 7.2: values may be absent.
//! Departs from it: where absent values leave no order of those around them, none is made up.
//! Knows: values and their bytes. Does not know: the parser.

use std::ops::Range;

use super::Node;

/// A list or map whose end has not come yet.
pub(super) struct Open<'t> {
    pub(super) start: usize,
    pub(super) flow: bool,
    pub(super) anchor: usize,
    pub(super) tag: Option<Box<str>>,
    pub(super) kind: Kind<'t>,
    /// Levels below the deepest child.
    pub(super) height: usize,
}

pub(super) enum Kind<'t> {
    Sequence(Vec<Node<'t>>),
    Mapping(Vec<(Node<'t>, Node<'t>)>, Option<Node<'t>>),
}

impl Open<'_> {
    /// Whether a value with these bytes stands behind those that are in the list or map already. Of values that are absent the
    /// parser does not say where, and where many of them meet on a line it cannot be told.
    pub(super) fn is_followed_by(&self, next: &Range<usize>) -> bool {
        let last = match &self.kind {
            Kind::Sequence(items) => items.last(),
            Kind::Mapping(_, Some(key)) => Some(key),
            Kind::Mapping(entries, None) => entries.last().map(|(_, value)| value),
        };
        last.is_none_or(|last| {
            let is_in_order = match last.range.is_empty() {
                true => last.range.start <= next.start,
                false => last.range.end <= next.start,
            };
            is_in_order || next.is_empty()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// Each `:` may be that of any key in front of it that has none.
    #[test]
    fn values_that_would_overlap_are_refused() {
        let refused = read(" ? ?  ? \r : : ? ?  ? ? : :::+").expect_err("nobody can tell");
        insta::assert_snapshot!(refused, @"line 2, column 21: not valid YAML, what begins here cannot be told from what stands in front of it; write each `?` and its `:` on lines of their own; correct the text there");
        let plain = read("? a\n? b\n: c\n").expect("a key with no value, and one with a value");
        assert_eq!(
            plain[0].root.as_ref().map(|root| root.entries().len()),
            Some(2)
        );
    }
}
