//! Which lines change when a block list or map changes?
//!
//! Authority: YAML 1.2.2, 8.2 for what indentation means.
//! Departs from it: nothing. What a block leaves empty becomes `{}` or `[]`, as RFC 6902 has it.
//! Knows: lines, columns, the changes of one list or map. Does not know: pointers, brackets' insides.

use std::ops::Range;

use serde_json::{Map, Value};

use super::super::lines::{
    after_break, after_colon, column, ends_line, first_on_line, indent, line_end, line_start,
    next_line, skip_blank,
};
use super::super::write::{BlockStyle, FlowStyle};
use super::super::{Content, Node, Style};
use super::Editor;
use super::flow::Bracketed;
use super::plan::{Change, Changes};

/// What a value hangs on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The `:` in front of `after`, of a key in `column`.
    Key { after: usize, column: usize },
    /// The dash in front of `after`, in `column`.
    Dash { after: usize, column: usize },
    /// Nothing that we know of; the value itself begins in `column`.
    Root { column: usize },
}

impl Place {
    /// Where the node stands that an edit begins with.
    pub(super) fn root(text: &str, node: &Node<'_>) -> Self {
        Place::Root {
            column: column(text, node.range.start),
        }
    }

    pub(super) fn after(self) -> Option<usize> {
        match self {
            Place::Key { after, .. } | Place::Dash { after, .. } => Some(after),
            Place::Root { .. } => None,
        }
    }

    /// Whether a comment in `column` belongs to the list or map here whose parts stand there too.
    fn owns_comments_in(self, column: usize) -> bool {
        match self {
            Place::Key { column: outer, .. } | Place::Dash { column: outer, .. } => column > outer,
            Place::Root { .. } => column > 0,
        }
    }
}

/// One entry of a map or element of a list.
struct Part<'n, 't> {
    /// First byte of its key, or its dash.
    start: usize,
    place: Place,
    value: &'n Node<'t>,
    /// End of a key that nothing follows, not even its colon (`? key`).
    alone: Option<usize>,
}

impl Editor<'_> {
    /// Edits one list or map, of either style.
    pub(super) fn container(
        &mut self,
        node: &Node<'_>,
        place: Place,
        around: &FlowStyle,
        changes: &Changes<'_>,
    ) {
        match &node.content {
            Content::Mapping {
                entries,
                flow: false,
            } => {
                let mut next = node.range.start;
                let parts = entries.iter().map(|(key, value)| {
                    let start = skip_blank(self.text, next);
                    next = value.range.end;
                    let after = after_colon(self.text, key.range.end);
                    let place = Place::Key {
                        after: after.unwrap_or(key.range.end),
                        column: column(self.text, start),
                    };
                    Part {
                        start,
                        place,
                        value,
                        alone: after.is_none().then_some(key.range.end),
                    }
                });
                let parts: Vec<_> = parts.collect();
                self.block(node, place, &parts, changes);
            }
            Content::Sequence { items, flow: false } => {
                let mut next = node.range.start;
                let parts = items.iter().map(|value| {
                    let start = skip_blank(self.text, next);
                    next = value.range.end;
                    let place = Place::Dash {
                        after: start + 1,
                        column: column(self.text, start),
                    };
                    Part {
                        start,
                        place,
                        value,
                        alone: None,
                    }
                });
                let parts: Vec<_> = parts.collect();
                self.block(node, place, &parts, changes);
            }
            _ if self.opens_up(node, place) => self.replace(node, place, &collected(node, changes)),
            _ => self.brackets(&Bracketed::of(self.text, node), around, changes),
        }
    }

    /// An empty `{}` or `[]` in a block turns into a block when something is put into it.
    fn opens_up(&self, node: &Node<'_>, place: Place) -> bool {
        let inner = node.range.start + 1..node.range.end - 1;
        !self.json
            && place.after().is_some()
            && node.tag.is_none()
            && node.items().is_empty()
            && node.entries().is_empty()
            && self.text[inner].trim().is_empty()
    }

    fn block(
        &mut self,
        node: &Node<'_>,
        place: Place,
        parts: &[Part<'_, '_>],
        changes: &Changes<'_>,
    ) {
        if (0..parts.len()).all(|i| changes.removes(i)) {
            self.replace(node, place, &collected(node, changes));
            return;
        }
        let first_edit = self.edits.len();
        let moved_up = self.remove_behind_dash(parts, changes);
        for (i, change) in changes.children.range(moved_up..) {
            let Part {
                start,
                place,
                value,
                alone,
            } = parts[*i];
            match change {
                Change::Inside(inside) => {
                    self.container(value, place, &FlowStyle::default(), inside);
                }
                Change::Replace(new) => match alone {
                    Some(key_end) => self.put_below_key(key_end, column(self.text, start), new),
                    None => self.replace(value, place, new),
                },
                Change::Remove => {
                    let end = self.end_of_removed(parts, *i, changes);
                    self.put(line_start(self.text, start)..end, "");
                }
            }
        }
        if !changes.added.is_empty() {
            self.append(node, place, parts, changes, first_edit);
        }
    }

    /// Gives a value to a key that has not even a colon.
    fn put_below_key(&mut self, key_end: usize, column: usize, new: &Value) {
        let at = next_line(self.text, key_end);
        let lines = self.style(at, column).value_of(String::new(), new, column);
        self.put_lines(at..at, &lines, false);
    }

    /// Takes out the first parts where they share their line with a dash: what follows moves up.
    /// Tells how many that are.
    fn remove_behind_dash(&mut self, parts: &[Part<'_, '_>], changes: &Changes<'_>) -> usize {
        let count = (0..parts.len()).take_while(|i| changes.removes(*i)).count();
        if count == 0 || first_on_line(self.text, parts[0].start) {
            return 0;
        }
        let end = self.end_of(&parts[count - 1]);
        let next = self.text[end..].trim_start_matches([' ', '\n', '\r']);
        self.put(parts[0].start..self.text.len() - next.len(), "");
        count
    }

    /// End of the lines of a part, with the comments below it that are indented deeper.
    fn end_of(&self, part: &Part<'_, '_>) -> usize {
        let column = column(self.text, part.start);
        self.with_comments(next_line(self.text, part.value.range.end), |indent| {
            indent > column
        })
    }

    /// Whether blank lines below a value would become part of it when its changes are made: it ends with a `|+`.
    fn keeps_blank_lines(&self, value: &Node<'_>, changes: Option<&Changes<'_>>) -> bool {
        let children: Vec<&Node<'_>> = match &value.content {
            Content::Scalar(_, Style::Literal | Style::Folded) => {
                return self.header(value).contains('+');
            }
            Content::Mapping {
                entries,
                flow: false,
            } => entries.iter().map(|(_, value)| value).collect(),
            Content::Sequence { items, flow: false } => items.iter().collect(),
            _ => return false,
        };
        let Some(changes) = changes else {
            let last = children.last();
            return last.is_some_and(|last| self.keeps_blank_lines(last, None));
        };
        let last = (0..children.len()).rev().find(|i| !changes.removes(*i));
        match last {
            Some(last) if changes.added.is_empty() => match changes.children.get(&last) {
                Some(Change::Inside(inside)) => {
                    self.keeps_blank_lines(children[last], Some(inside))
                }
                Some(Change::Replace(_) | Change::Remove) => false,
                None => self.keeps_blank_lines(children[last], None),
            },
            _ => false,
        }
    }

    /// Whether a literal in front of `at`, below a part in `column`, would end there: no line that follows is taken in.
    fn ends_literal(&self, mut at: usize, column: usize) -> bool {
        loop {
            let spaces = indent(self.text, at);
            match self.text.as_bytes().get(at + spaces) {
                Some(b'#') => return spaces <= column,
                Some(b'\n' | b'\r') if spaces <= column => {
                    at = after_break(self.text, at + spaces);
                }
                None => return spaces <= column,
                Some(b'\n' | b'\r' | b'\t') => return false,
                Some(_) => return true,
            }
        }
    }

    /// End of the lines that go with a part; blank lines below must not fall to a `|+` above.
    fn end_of_removed(&self, parts: &[Part<'_, '_>], i: usize, changes: &Changes<'_>) -> usize {
        let column = column(self.text, parts[i].start);
        let mut end = self.end_of(&parts[i]);
        // A text above must not take in what is left.
        while !self.ends_literal(end, column) {
            end = after_break(self.text, line_end(self.text, end));
        }
        let above = (0..i).rev().find(|j| !changes.removes(*j));
        let keeps = |j: usize| match changes.children.get(&j) {
            Some(Change::Inside(inside)) => self.keeps_blank_lines(parts[j].value, Some(inside)),
            Some(Change::Replace(_) | Change::Remove) => false,
            None => self.keeps_blank_lines(parts[j].value, None),
        };
        if above.is_some_and(keeps) {
            self.behind_blank_lines(end)
        } else {
            end
        }
    }

    /// Skips blank lines.
    fn behind_blank_lines(&self, mut at: usize) -> usize {
        loop {
            let next = after_break(self.text, at + indent(self.text, at));
            if next == at + indent(self.text, at) {
                return at;
            }
            at = next;
        }
    }

    /// Skips comment lines whose indentation is asked for, and blank lines between them.
    pub(super) fn with_comments(&self, from: usize, wanted: impl Fn(usize) -> bool) -> usize {
        let (mut at, mut end) = (from, from);
        while at < self.text.len() {
            let spaces = indent(self.text, at);
            let first = self.text.as_bytes().get(at + spaces);
            match first {
                Some(b'#') if wanted(spaces) && ends_line(self.text, at) => {
                    at = after_break(self.text, line_end(self.text, at));
                    end = at;
                }
                Some(b'\n' | b'\r') => at = after_break(self.text, line_end(self.text, at)),
                _ => break,
            }
        }
        end
    }

    /// Puts what is added behind the last part. The edits of the parts begin with `first_edit`.
    fn append(
        &mut self,
        node: &Node<'_>,
        place: Place,
        parts: &[Part<'_, '_>],
        changes: &Changes<'_>,
        first_edit: usize,
    ) {
        let Some(last) = parts.last() else { return };
        let column = column(self.text, last.start);
        let last_goes = changes.removes(parts.len() - 1);
        let mut at = if last_goes {
            self.end_of_removed(parts, parts.len() - 1, changes)
        } else {
            self.end_of(last)
        };
        let mut joined = last_goes;
        if place.owns_comments_in(column) {
            let next = indent(self.text, at.min(self.text.len()));
            if self.text[at..].trim_start_matches(' ').starts_with('#') && next == column {
                at = self.with_comments(at, |indent| indent >= column);
                joined = false;
            }
        }
        // What goes below the last part may reach further than the part.
        let goes = self.edits[first_edit..].iter().map(|edit| &edit.range);
        let goes = goes.filter(|range| range.start < at && at < range.end);
        at = goes.map(|range| range.end).max().unwrap_or(at);
        let style = self.style(at, column);
        let lines = changes
            .added
            .iter()
            .flat_map(|(key, value)| match &node.content {
                Content::Mapping { .. } => style.entry(key, value, column),
                _ => style.element(value, column),
            });
        let lines: Vec<String> = lines.collect();
        self.put_lines(at..at, &lines, joined);
    }

    /// Puts whole lines in place of whole lines; `joined`: the text in front ends in a line break.
    pub(super) fn put_lines(&mut self, range: Range<usize>, lines: &[String], joined: bool) {
        if lines.is_empty() {
            self.put(range, "");
            return;
        }
        // A break between two that differ could become one with either.
        let above = &self.text[..range.start];
        let breaks = ["\r\n", "\n", "\r"];
        let eol = breaks.into_iter().find(|eol| above.ends_with(eol));
        let eol = eol.unwrap_or(self.eol);
        let text = lines.join(eol);
        let open_end = range.end == self.text.len() && !ends_line(self.text, range.end);
        let text = match (open_end, joined || ends_line(self.text, range.start)) {
            (true, true) => text,
            (true, false) => format!("{eol}{text}"),
            (false, _) => text + eol,
        };
        self.put(range, text);
    }

    /// How lines are written in front of `at`, below a part in `column`.
    pub(super) fn style(&self, at: usize, column: usize) -> BlockStyle {
        let rest = &self.text[at..];
        // A blank line would become a part of a `|+`; above a comment kyaml adds one whenever it prints it.
        let follows = rest.trim_start_matches(' ');
        let spoils_keep = follows.starts_with(['\n', '\r', '#']);
        let open_end = rest.is_empty() && !ends_line(self.text, at);
        BlockStyle {
            step: self.layout.step(at),
            compact: self.layout.compact(at),
            // At the end of a text without a final break, goyaml would read the literal without one too.
            literal: self.ends_literal(at, column) && !open_end,
            keep: self.alone && !spoils_keep,
        }
    }
}

/// What is in a list or map when all of the original is gone.
fn collected(node: &Node<'_>, changes: &Changes<'_>) -> Value {
    let added = changes
        .added
        .iter()
        .map(|(key, value)| (key.clone(), (*value).clone()));
    match &node.content {
        Content::Mapping { .. } => Value::Object(added.collect::<Map<_, _>>()),
        _ => Value::Array(added.map(|(_, value)| value).collect()),
    }
}
