//! Which bytes does a value give up in a block, and what takes their place?
//!
//! Authority: RFC 6902 replace; YAML 1.2.2, 8.
//! Departs from it: nothing.
//! Knows: an old value, what it hangs on, a new value. Does not know: its neighbours, pointers.

use std::ops::Range;

use serde_json::Value;

use super::super::lines::{
    after_break, column, first_on_line, line_end, next_line, skip_properties,
};
use super::super::write::{BlockStyle, FlowStyle, Written, is_empty, scalar};
use super::super::{Content, Node, Style};
use super::Editor;
use super::block::Place;

/// The bytes that a value gives up: some on the line of its key or dash, and lines below.
struct Room {
    inline: Range<usize>,
    below: Range<usize>,
}

impl Editor<'_> {
    /// Puts a value in the place of another.
    pub(super) fn replace(&mut self, old: &Node<'_>, place: Place, new: &Value) {
        let room = self.room(old, place);
        let at = room.below.end;
        let written = self.written(old, place, new, at);
        let Room { mut inline, below } = room;
        let mut head = written.head;
        if let Some(after) = place.after() {
            let moves = matches!(place, Place::Dash { .. })
                && !written.tail.is_empty()
                && !keeps_column(old, new);
            let whole = head.is_empty() || old.tag.is_some() || inline.start == after || moves;
            if whole {
                inline.start = after;
                if !head.is_empty() {
                    head.insert(0, ' ');
                }
            }
        }
        self.put(inline, head);
        self.put_lines(below, &written.tail, false);
    }

    fn written(&self, old: &Node<'_>, place: Place, new: &Value, at: usize) -> Written {
        let (parent, root) = match place {
            Place::Key { column, .. } | Place::Dash { column, .. } => (column, false),
            Place::Root { column } => (column, true),
        };
        let mut style = self.style(at, parent);
        let line = |head: String| Written {
            head,
            tail: Vec::new(),
        };
        match (&old.content, new) {
            (Content::Scalar(_, spelled), Value::String(_)) => {
                let leaf = style.leaf(new, parent, self.text_column(old, place, style));
                if leaf.tail.is_empty() {
                    line(scalar(new, Some(*spelled)))
                } else {
                    leaf
                }
            }
            (
                Content::Mapping {
                    flow: true,
                    entries,
                },
                Value::Object(_),
            ) if !entries.is_empty() => line(FlowStyle::default().value(new, "")),
            (Content::Sequence { flow: true, items }, Value::Array(_)) if !items.is_empty() => {
                line(FlowStyle::default().value(new, ""))
            }
            _ if root && !is_empty(new) => style.inline(new, parent),
            _ if root => line(scalar(new, None)),
            _ if keeps_column(old, new) => {
                let own = column(self.text, old.range.start);
                if first_on_line(self.text, old.range.start) && matches!(place, Place::Key { .. }) {
                    line(String::new()).with(style.lines(new, own))
                } else {
                    style.inline(new, own)
                }
            }
            _ => {
                if new.is_array() {
                    style.compact = self.layout.compact(at);
                }
                match place {
                    Place::Dash { .. } => style.under_dash(new, parent),
                    _ => style.under_key(new, parent),
                }
            }
        }
    }

    /// The column of the text of a literal: that of the one it replaces, if that is one.
    fn text_column(&self, old: &Node<'_>, place: Place, style: BlockStyle) -> usize {
        let (parent, step) = match place {
            Place::Key { column, .. } => (column, style.step),
            Place::Dash { column, .. } | Place::Root { column } => (column, 2),
        };
        let header = line_end(self.text, old.range.start);
        let lines = &self.text[header.min(old.range.end)..old.range.end];
        let shown = lines.lines().find(|line| !line.trim().is_empty());
        let written = match (&old.content, shown) {
            (Content::Scalar(_, Style::Literal | Style::Folded), Some(line))
                if !self.header(old).contains(|c: char| c.is_ascii_digit()) =>
            {
                Some(line.len() - line.trim_start_matches(' ').len())
            }
            _ => None,
        };
        // A carriage return alone breaks lines too, and then what looks like the first line is none.
        written
            .filter(|column| *column >= parent)
            .unwrap_or(parent + step)
    }

    /// `|-` and the like.
    pub(super) fn header(&self, old: &Node<'_>) -> &str {
        let rest = &self.text[old.range.clone()];
        let len = rest
            .find(|c: char| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9'))
            .unwrap_or(rest.len());
        &rest[..len]
    }

    /// The bytes that a value takes up, or would take up.
    fn room(&self, old: &Node<'_>, place: Place) -> Room {
        let Range { start, end } = old.range;
        let after = place.after().unwrap_or(start);
        let properties = if old.tag.is_some() {
            skip_properties(self.text, after)
        } else {
            after
        };
        let below = next_line(self.text, end);
        match &old.content {
            Content::Scalar(_, Style::Literal | Style::Folded) => {
                let header_end = start + self.header(old).len();
                let first = after_break(self.text, line_end(self.text, header_end));
                Room {
                    inline: start..header_end,
                    below: first.min(below)..below,
                }
            }
            Content::Mapping { flow: false, .. } | Content::Sequence { flow: false, .. } => {
                let own = column(self.text, start);
                let last = self.with_comments(below, |indent| indent > own);
                let below_key =
                    matches!(place, Place::Key { .. }) && first_on_line(self.text, start);
                let inline = if below_key {
                    properties..properties
                } else {
                    start..line_end(self.text, start)
                };
                let first = after_break(self.text, line_end(self.text, inline.end));
                Room {
                    inline,
                    below: first..last.max(first),
                }
            }
            _ if start == end => Room {
                inline: after..properties.max(end),
                below: below..below,
            },
            _ => Room {
                inline: start..end,
                below: below..below,
            },
        }
    }
}

impl Written {
    fn with(mut self, tail: Vec<String>) -> Self {
        self.tail = tail;
        self
    }
}

/// Whether a block gives way to another of its kind, which then begins in the same column.
fn keeps_column(old: &Node<'_>, new: &Value) -> bool {
    let same_kind = match &old.content {
        Content::Mapping { flow: false, .. } => new.is_object(),
        Content::Sequence { flow: false, .. } => new.is_array(),
        _ => false,
    };
    same_kind && !is_empty(new)
}
