//! What is the text that goes out made of?
//!
//! Authority: none; an output that is a few edits away from its input need not be a second copy of it.
//! Departs from nothing.
//! Knows: texts and edits. Does not know: YAML, streams.

use std::borrow::Cow;
use std::fmt;

use crate::yaml::Edit;

/// A text in pieces, most of which are the input's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output<'t>(Vec<Cow<'t, str>>);

impl<'t> Output<'t> {
    /// A text with edits made, which are sorted and apart.
    ///
    /// # Panics
    /// If the edits are not sorted or overlap.
    pub(super) fn edited(text: &'t str, edits: Vec<Edit>) -> Self {
        let mut pieces = Vec::with_capacity(2 * edits.len() + 1);
        let mut done = 0;
        for Edit { range, text: new } in edits {
            assert!(
                done <= range.start && range.start <= range.end,
                "edits are sorted and apart"
            );
            pieces.push(Cow::Borrowed(&text[done..range.start]));
            pieces.push(Cow::Owned(new));
            done = range.end;
        }
        pieces.push(Cow::Borrowed(&text[done..]));
        pieces.retain(|piece| !piece.is_empty());
        Self(pieces)
    }

    /// The pieces in order, none of them empty.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|piece| &**piece)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts another text behind this one.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn ends_line(&self) -> bool {
        self.0.last().is_some_and(|piece| piece.ends_with('\n'))
    }

    pub(super) fn without_byte_order_mark(mut self) -> Self {
        if let Some(first) = self.0.first_mut() {
            match first {
                Cow::Borrowed(text) => *text = text.trim_start_matches('\u{feff}'),
                Cow::Owned(text) => *text = text.trim_start_matches('\u{feff}').to_owned(),
            }
        }
        self.0.retain(|piece| !piece.is_empty());
        self
    }

    pub(super) fn starts_with(&self, wanted: &str) -> bool {
        let mut bytes = self.pieces().flat_map(str::bytes);
        wanted.bytes().all(|byte| bytes.next() == Some(byte))
    }

    /// Whether the first line that is neither blank nor a comment begins so.
    pub(super) fn content_begins_with(&self, wanted: char) -> bool {
        let mut chars = self.pieces().flat_map(str::chars);
        let mut is_first = true;
        while let Some(next) = chars.next() {
            match next {
                '\n' => is_first = true,
                '#' if is_first => {
                    is_first = chars.by_ref().any(|next| next == '\n');
                }
                blank if blank.is_whitespace() => is_first = false,
                content => return is_first && content == wanted,
            }
        }
        false
    }
}

impl From<String> for Output<'_> {
    fn from(text: String) -> Self {
        let text = Some(text).filter(|text| !text.is_empty());
        Self(text.into_iter().map(Cow::Owned).collect())
    }
}

impl<'t> From<&'t str> for Output<'t> {
    fn from(text: &'t str) -> Self {
        let text = Some(text).filter(|text| !text.is_empty());
        Self(text.into_iter().map(Cow::Borrowed).collect())
    }
}

impl fmt::Display for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(pieces: &[&'static str]) -> Output<'static> {
        Output(pieces.iter().map(|piece| Cow::Borrowed(*piece)).collect())
    }

    /// However a text is cut, it says the same.
    #[test]
    fn a_text_in_pieces_is_one_text() {
        for (pieces, directive) in [
            (&["# a\n", "\n%YAML 1.2"][..], true),
            (&["#", "x", "\n", "%", "TAG"], true),
            (&[" ", "%x"], false),
            (&["a\n%x"], false),
            (&["#"], false),
            (&[], false),
        ] {
            assert_eq!(
                in_pieces(pieces).content_begins_with('%'),
                directive,
                "{pieces:?}"
            );
        }
        assert!(in_pieces(&["-", "--\n"]).starts_with("---"));
        assert!(!in_pieces(&["-", "-"]).starts_with("---"));
        assert_eq!(
            in_pieces(&["\u{feff}", "a"]).without_byte_order_mark(),
            in_pieces(&["a"])
        );
    }
}
