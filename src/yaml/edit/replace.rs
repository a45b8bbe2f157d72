//! Which bytes does a value give up in a block, and what takes their place?
//!
//! Authority: RFC 6902 replace; YAML 1.2.2, 8.
//! Departs from it: nothing.
//! Knows: an old value, what it hangs on, a new value. Does not know: its neighbours, pointers.

use std::ops::Range;

use serde_json::Value;

use super::super::lines::{
    after_break, column, first_on_line, line_end, line_start, next_line, skip_blank,
    skip_properties,
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
        if let Some(after) = place.after()
            && self.is_apart(old, after)
        {
            self.replace_apart(old, place, new, &room);
            return;
        }
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

    /// Whether a comment stands between a value on one line, or in brackets, and what it hangs on.
    fn is_apart(&self, old: &Node<'_>, after: usize) -> bool {
        let first = skip_blank(self.text, after);
        let last = skip_properties(self.text, after, old.properties());
        let gap = &self.text[after..first.min(old.range.start)];
        let below = self.text.get(last..old.range.start).unwrap_or_default();
        !is_block(old) && (gap.contains('#') || below.contains('#'))
    }

    /// Puts a value in the place of one below a comment, which stays. No literal: what is left of a line above its text
    /// would be read as a part of it.
    fn replace_apart(&mut self, old: &Node<'_>, place: Place, new: &Value, room: &Room) {
        let (Place::Key { after, column } | Place::Dash { after, column }) = place else {
            return;
        };
        let properties =
            skip_blank(self.text, after)..skip_properties(self.text, after, old.properties());
        let is_absent = old.range.is_empty();
        let mut start = old.range.start;
        if old.properties() > 0 {
            let between = &self.text[properties.end..start];
            if is_absent || between.contains('#') {
                self.put(properties, "");
            } else {
                start = properties.start;
            }
        }
        let mut style = BlockStyle {
            literal: false,
            ..self.style(room.below.end, column)
        };
        let is_flow = matches!(
            (&old.content, new),
            (Content::Mapping { .. }, Value::Object(_))
                | (Content::Sequence { .. }, Value::Array(_))
        );
        let is_block = matches!(new, Value::Object(_) | Value::Array(_)) && !is_empty(new);
        if !is_block || (is_flow && !(old.entries().is_empty() && old.items().is_empty())) {
            let (spelled, brackets) = match old.content {
                Content::Scalar(_, spelled) => (Some(spelled), false),
                _ => (None, is_block),
            };
            let text = match brackets {
                true => FlowStyle::default().value(new, ""),
                false => scalar(new, spelled),
            };
            match is_absent {
                true => self.put(after..after, format!(" {text}")),
                false => self.put(start..room.inline.end, text),
            }
            self.put(room.below.clone(), "");
            return;
        }
        let column = match place {
            Place::Dash { .. } => column + 2,
            _ if new.is_array() && style.compact => column,
            _ => column + style.step,
        };
        style.compact = self.layout.compact(room.below.end);
        let lines = style.lines(new, column);
        let rest = &self.text[room.inline.end..line_end(self.text, room.inline.end)];
        if is_absent {
            self.put_lines(room.below.clone(), &lines, false);
        } else if rest.trim().is_empty() && first_on_line(self.text, start) {
            let from = line_start(self.text, start);
            self.put_lines(from..room.below.end, &lines, false);
        } else {
            self.put(start..room.inline.end, "");
            self.put_lines(room.below.clone(), &lines, false);
        }
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
            _ if keeps_column(old, new) && !self.moves_up(old, place) => {
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

    /// Whether a block leaves its own line for that of its dash, because what stands there is replaced too.
    fn moves_up(&self, old: &Node<'_>, place: Place) -> bool {
        let is_dash = matches!(place, Place::Dash { .. });
        is_dash && old.tag.is_some() && first_on_line(self.text, old.range.start)
    }

    /// The column of the text of a literal: that of the one it replaces, if that is one.
    fn text_column(&self, old: &Node<'_>, place: Place, style: BlockStyle) -> usize {
        let (parent, step) = match place {
            Place::Key { column, .. } => (column, style.step),
            Place::Dash { column, .. } | Place::Root { column } => (column, 2),
        };
        let header = line_end(self.text, old.range.start);
        let mut lines = self.text[header.min(old.range.end)..old.range.end].split(['\n', '\r']);
        let shown = lines.find(|line| !line.trim().is_empty());
        let written = match (&old.content, shown) {
            (Content::Scalar(_, Style::Literal | Style::Folded), Some(line))
                if !self.header(old).contains(|c: char| c.is_ascii_digit()) =>
            {
                Some(line.len() - line.trim_start_matches(' ').len())
            }
            _ => None,
        };
        written.unwrap_or(parent + step)
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
        let properties = skip_properties(self.text, after, old.properties());
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

/// Whether a list or map is spelled by lines.
fn is_block(node: &Node<'_>) -> bool {
    matches!(
        node.content,
        Content::Mapping { flow: false, .. } | Content::Sequence { flow: false, .. }
    )
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
