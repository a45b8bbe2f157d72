//! Which bytes change between brackets, in YAML's flow style or in JSON?
//!
//! Authority: YAML 1.2.2, 7.4; RFC 8259 for documents in JSON.
//! Departs from it: nothing.
//! Knows: brackets, commas, the look of the neighbours. Does not know: pointers, block style.

use std::ops::Range;

use super::super::lines::{
    after_colon, first_on_line, indent, line_end, line_start, skip_blank, skip_properties,
};
use super::super::write::{FlowStyle, flow_scalar};
use super::super::{Content, Node, Style, Syntax};
use super::Editor;
use super::plan::{Change, Changes};

/// The look of brackets that nothing is around.
pub(super) fn outermost(syntax: Syntax) -> FlowStyle {
    FlowStyle {
        json: syntax == Syntax::Json,
        ..FlowStyle::default()
    }
}

/// A list or map in brackets, cut into its parts.
pub(super) struct Bracketed<'n, 't> {
    node: &'n Node<'t>,
    parts: Vec<Part<'n, 't>>,
    /// `[a: 1]`: a map of one pair without braces.
    bare: bool,
}

struct Part<'n, 't> {
    key: Option<&'n Node<'t>>,
    value: &'n Node<'t>,
    range: Range<usize>,
}

impl<'n, 't> Bracketed<'n, 't> {
    /// Finds the parts of a node in flow style.
    pub(super) fn of(text: &str, node: &'n Node<'t>) -> Self {
        let bare = !text[node.range.start..].starts_with(['{', '[']) || is_bare(text, node);
        let mut next = node.range.start + usize::from(!bare);
        let mut part = |key: Option<&'n Node<'t>>, value: &'n Node<'t>| {
            let mut start = skip_blank(text, next);
            if text[start..].starts_with(',') {
                start = skip_blank(text, start + 1);
            }
            next = value.range.end;
            Part {
                key,
                value,
                range: start..next,
            }
        };
        let parts = match &node.content {
            Content::Mapping { entries, .. } => {
                entries.iter().map(|(k, v)| part(Some(k), v)).collect()
            }
            Content::Sequence { items, .. } => items.iter().map(|v| part(None, v)).collect(),
            _ => Vec::new(),
        };
        Self { node, parts, bare }
    }

    /// How its parts are written, in brackets within others that look like `around`.
    fn style(&self, text: &str, around: &FlowStyle) -> FlowStyle {
        let mut style = around.clone();
        if let (Some(first), false) = (self.parts.first(), style.json) {
            let double =
                |node: &Node<'_>| matches!(node.content, Content::Scalar(_, Style::DoubleQuoted));
            style.json = match first.key {
                Some(_) => self.parts.iter().all(|part| part.key.is_some_and(double)),
                None => self.parts.iter().all(|part| double(part.value)),
            };
        }
        match &self.parts[..] {
            [] => {}
            [one] => {
                style.tight = match one.key {
                    Some(key) => {
                        let after = after_colon(text, key.range.end);
                        after.is_some_and(|at| !text[at..].starts_with([' ', '\t', '\n', '\r']))
                    }
                    None => style.tight,
                };
            }
            [one, two, ..] => {
                style.tight =
                    !text[one.range.end..two.range.start].contains([' ', '\t', '\n', '\r']);
            }
        }
        style.tight &= style.json;
        if self.bare {
            style.unit = None;
        } else if let Some(first) = self.parts.first() {
            style.unit = first_on_line(text, first.range.start).then(|| {
                let (inner, outer) = (
                    leading(text, first.range.start),
                    leading(text, self.node.range.start),
                );
                inner
                    .strip_prefix(outer)
                    .filter(|unit| !unit.is_empty())
                    .unwrap_or("  ")
                    .to_owned()
            });
        }
        style
    }

    /// The white space in front of a new part, if parts have lines of their own.
    fn indent(&self, text: &str, style: &FlowStyle) -> String {
        match (self.parts.last(), &style.unit) {
            (Some(last), Some(_)) => leading(text, last.range.start).to_owned(),
            (None, Some(unit)) => leading(text, self.node.range.start).to_owned() + unit,
            (_, None) => String::new(),
        }
    }
}

fn is_bare(text: &str, node: &Node<'_>) -> bool {
    match &node.content {
        Content::Mapping { entries, .. } => {
            !text[node.range.start..].starts_with('{')
                || entries
                    .first()
                    .is_some_and(|(key, _)| key.range.start == node.range.start)
        }
        _ => false,
    }
}

fn leading(text: &str, at: usize) -> &str {
    let start = line_start(text, at);
    let spaces = indent(text, start);
    let rest = &text[start..line_end(text, start)];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    &text[start..start + blank.max(spaces)]
}

impl Editor<'_> {
    /// Edits a list or map in brackets.
    pub(super) fn brackets(
        &mut self,
        node: &Bracketed<'_, '_>,
        around: &FlowStyle,
        changes: &Changes<'_>,
    ) {
        let style = node.style(self.text, around);
        let indent = node.indent(self.text, &style);
        let count = node.parts.len();
        let gone = (0..count).all(|i| changes.removes(i));
        if !gone {
            for (i, change) in &changes.children {
                match change {
                    Change::Inside(inside) => self.inside(&node.parts[*i], &style, inside),
                    Change::Replace(new) => {
                        let new =
                            self.broken(style.value(new, &indent), new, &style, &node.parts[*i]);
                        self.swap(&node.parts[*i], &style, &new);
                    }
                    Change::Remove => {}
                }
            }
        }
        let added: Vec<String> = changes
            .added
            .iter()
            .map(|(key, value)| {
                let key =
                    matches!(node.node.content, Content::Mapping { .. }).then_some(key.as_str());
                style.part(key, value, &indent).replace('\n', self.eol)
            })
            .collect();
        let separator = style.separator(&indent, self.eol);
        let joined = added.join(&separator);
        if !gone {
            self.cut(node, changes, &joined);
        }
        let Range { start, end } = node.node.range;
        match (node.parts.last(), gone) {
            // They stand in the place of the last ones already.
            (Some(_), false) if changes.removes(count - 1) => {}
            (Some(last), false) if !joined.is_empty() => {
                let (open, close) = if node.bare { ("{", "}") } else { ("", "") };
                self.put(start..start, open);
                let commented = self.end_of_comment_behind_comma(last.range.end);
                match commented.filter(|_| style.unit.is_some()) {
                    // The comment belongs to the part before it, and so does the comma.
                    Some(at) => self.put(at..at, format!("{}{indent}{joined},", self.eol)),
                    None => self.put(
                        last.range.end..last.range.end,
                        format!("{separator}{joined}{close}"),
                    ),
                }
            }
            (Some(_), false) => {}
            _ => {
                let list = matches!(node.node.content, Content::Sequence { .. });
                let (open, close) = if list { ('[', ']') } else { ('{', '}') };
                let comment = !node.bare
                    && node.parts.is_empty()
                    && self.text[start + 1..end - 1].contains('#');
                let body = match &style.unit {
                    _ if joined.is_empty() => String::new(),
                    Some(_) if !comment => {
                        let outer = leading(self.text, start);
                        format!("{eol}{indent}{joined}{eol}{outer}", eol = self.eol)
                    }
                    _ => joined,
                };
                if comment {
                    self.put(start + 1..start + 1, body);
                } else {
                    self.put(start..end, format!("{open}{body}{close}"));
                }
            }
        }
    }

    fn inside(&mut self, part: &Part<'_, '_>, style: &FlowStyle, inside: &Changes<'_>) {
        self.brackets(&Bracketed::of(self.text, part.value), style, inside);
    }

    /// A new value in the quotes and line breaks of its place.
    fn broken(
        &self,
        text: String,
        new: &serde_json::Value,
        style: &FlowStyle,
        part: &Part<'_, '_>,
    ) -> String {
        match part.value.content {
            Content::Scalar(_, spelled) if new.is_string() && !style.json => {
                flow_scalar(new, Some(spelled))
            }
            _ => text.replace('\n', self.eol),
        }
    }

    /// Puts a value in the place of the one that a part has.
    fn swap(&mut self, part: &Part<'_, '_>, style: &FlowStyle, new: &str) {
        let old = &part.value.range;
        let after = part.key.map(|key| after_colon(self.text, key.range.end));
        let colon = if style.tight { ":" } else { ": " };
        match after {
            Some(None) => self.put(old.end..old.end, format!("{colon}{new}")),
            Some(Some(after)) if old.is_empty() => {
                let end = skip_properties(self.text, after, part.value.properties());
                let rest = self.text[end..].trim_start_matches(' ');
                let end = if rest.starts_with([',', '}', ']']) {
                    self.text.len() - rest.len()
                } else {
                    end
                };
                self.put(after..end, format!(" {new}"));
            }
            Some(Some(after)) if part.value.tag.is_some() => {
                self.put(skip_blank(self.text, after)..old.end, new);
            }
            None if part.value.tag.is_some() => self.put(part.range.start..old.end, new),
            _ => self.put(old.clone(), new),
        }
    }

    /// Takes out parts, each with the comma that would be left over; `added` takes the place of the last ones.
    fn cut(&mut self, node: &Bracketed<'_, '_>, changes: &Changes<'_>, added: &str) {
        let count = node.parts.len();
        let mut i = 0;
        while i < count {
            if !changes.removes(i) {
                i += 1;
                continue;
            }
            let first = i;
            while i < count && changes.removes(i) {
                i += 1;
            }
            let (from, to) = (node.parts[first].range.start, node.parts[i - 1].range.end);
            if i < count {
                self.put(from..self.behind_comma(from, to), "");
            } else if !added.is_empty() {
                self.put(from..to, added);
            } else {
                let before = node.parts[first - 1].range.end;
                let gap = &self.text[before..from];
                match gap.rfind('#') {
                    None => self.put(before..to, ""),
                    Some(hash) => {
                        // What is left over must not become a part of the comment: the comma goes,
                        // and a bracket on the same line keeps a line of its own.
                        let behind = self.text[to..].trim_start_matches([' ', '\t']);
                        let to = match behind.strip_prefix(',') {
                            Some(rest) => self.text.len() - rest.len(),
                            None => to,
                        };
                        let rest = self.text[to..].trim_start_matches([' ', '\t']);
                        let ends = rest.is_empty() || rest.starts_with(['\n', '\r', '#']);
                        let from = line_end(self.text, before + hash);
                        let lead = leading(self.text, from);
                        let line = if ends {
                            String::new()
                        } else {
                            format!("{}{lead}", self.eol)
                        };
                        self.put(from..to, line);
                    }
                }
            }
        }
    }

    /// The end of the comment that follows the comma behind a part, on its line.
    fn end_of_comment_behind_comma(&self, end: usize) -> Option<usize> {
        let rest = self.text[end..].strip_prefix(',')?;
        let comment = rest.trim_start_matches([' ', '\t']);
        let at = self.text.len() - comment.len();
        comment.starts_with('#').then(|| line_end(self.text, at))
    }

    /// Behind the comma that follows a part from `start` to `end`, its white space and the comment on its line.
    fn behind_comma(&self, start: usize, end: usize) -> usize {
        let comma = skip_blank(self.text, end);
        let rest = &self.text[comma + 1..];
        let mut at = self.text.len() - rest.trim_start_matches([' ', '\t']).len();
        if self.text[at..].starts_with('#') {
            at = line_end(self.text, at);
        }
        let rest = self.text[at..].trim_start_matches([' ', '\t', '\n', '\r']);
        match rest.starts_with('#') && !first_on_line(self.text, start) {
            // The comment below keeps the blank in front of it.
            true => at,
            false => self.text.len() - rest.len(),
        }
    }
}
