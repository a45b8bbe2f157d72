//! Which nodes does a text of the usual shape hold?
//!
//! Authority: YAML 1.2.2, chapters 6 to 8, for the shape that is claimed; the parser of `events` for every node in it.
//! Departs from it: nothing that is claimed is read otherwise; what is not claimed is handed back unread (`None`).
//! Knows: lines and indentation. Does not know: anchors, aliases, tags, directives, values over several lines but `|`.
//!
//! Claimed are block maps and lists, keys and values on one line (plain, quoted, flow), literal block scalars and
//! comments, with spaces and `\n` between them. Whoever widens the claim has to have `tests/yaml_readings.rs` agree.

mod build;
mod flow;
mod scalars;

use std::borrow::Cow;
use std::ops::Range;

use super::{Document, Node, Rules, Syntax};
pub use build::Read;
pub(super) use build::node;
use build::{Build, Nodes, TextUnder, Values};

/// Entries that are open at a time in nearly all objects.
const OPEN: usize = 32;

/// Levels that are read here; deeper ones are the parser's, which knows the limit.
const DEPTH: usize = 64;

/// All documents of a text; `None` where any of them is not of the claimed shape.
pub fn read(text: &str) -> Option<Vec<Document<'_>>> {
    if text.starts_with('\u{feff}') {
        return None;
    }
    let mut documents = Vec::new();
    let mut begin = 0;
    let mut marked = false;
    loop {
        let (end, next) = match marker(text, begin) {
            Some(marker) => (marker.start, Some(marker.end)),
            None => (text.len(), None),
        };
        if let Some(root) = root(text, begin..end)? {
            documents.push(Document {
                range: begin..end,
                root: Some(root),
                syntax: Syntax::Yaml,
            });
        } else if marked {
            // A document of nothing is one all the same; what it is, the parser says.
            return None;
        }
        match next {
            Some(next) => (begin, marked) = (next, true),
            None => return Some(documents),
        }
    }
}

/// The map in block style that is all there is in this range, its first key in this column.
pub(super) fn map(text: &str, range: Range<usize>, column: usize) -> Option<Node<'_>> {
    let mut reader = Reader::new(text, range, column, Nodes);
    let node = reader.map(column)?;
    reader.is_done().then_some(node)
}

/// What such a map means, with no nodes in between. `None` also where a key is written twice, or is no text. Lists and maps
/// on the lines below the keys that are passed over are null.
pub(super) fn value_of_map<'t>(
    text: &'t str,
    range: Range<usize>,
    column: usize,
    rules: Rules,
    passed_over: &[&str],
) -> Option<Read<'t>> {
    let mut reader = Reader::new(text, range, column, Values::new(rules, passed_over));
    let value = reader.map(column)?;
    reader.is_done().then(|| reader.build.read(value))
}

/// The value that is all there is in this range behind the `:` of a key in this column.
pub(super) fn value(text: &str, range: Range<usize>, column: usize) -> Option<Node<'_>> {
    let mut reader = Reader::new(text, range, column, Nodes);
    let node = reader.value(column, Behind::Colon)?;
    reader.is_done().then_some(node)
}

/// The text under a key of the map that is such a value; within, `None` where it is none. `None` also where a key is written
/// twice in it, or is no text.
pub(super) fn text_under<'t>(
    text: &'t str,
    range: Range<usize>,
    column: usize,
    key: &str,
) -> Option<Option<Cow<'t, str>>> {
    let mut reader = Reader::new(text, range, column, TextUnder::new(key));
    reader.value(column, Behind::Colon)?;
    reader.is_done().then(|| reader.build.text())
}

/// Whether lines hold nothing but characters that comments and scalars may be made of; of the rare ones the parser decides.
pub(super) fn is_text(lines: &str) -> bool {
    lines
        .lines()
        .all(|line| scalars::is_text_with_tabs(line.as_bytes()))
}

/// The next `---` line from here on, with its break. No scalar can hold one: YAML forbids it.
fn marker(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        if text[at..].starts_with("---") {
            let end = line_end(text.as_bytes(), at);
            if text[at + 3..end].trim_end_matches(' ').is_empty() {
                return Some(at..(end + 1).min(text.len()));
            }
        }
        at += memchr::memmem::find(&text.as_bytes()[at..], b"\n---")? + 1;
    }
}

/// The map that a document is; within, `None` where it holds nothing but comments.
fn root(text: &str, range: Range<usize>) -> Option<Option<Node<'_>>> {
    let mut reader = Reader::new(text, range, 0, Nodes);
    reader.line()?;
    if reader.is_done() {
        return Some(None);
    }
    let node = reader.map(reader.column)?;
    reader.is_done().then_some(Some(node))
}

/// Reads forward. Between two values it stands on the first character of a line, or at the end.
struct Reader<'t, B: Build<'t>> {
    /// The text up to where this document ends.
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    /// Column of `at`, where that is the first character of its line.
    column: usize,
    depth: usize,
    /// Where the value ends that was read last.
    end: usize,
    /// Of all maps that are not at their end, the outermost first.
    entries: Vec<(B::Value, B::Value)>,
    /// Of all lists.
    items: Vec<B::Value>,
    build: B,
}

/// What a value stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Colon,
    Dash,
}

impl<'t, B: Build<'t>> Reader<'t, B> {
    fn new(text: &'t str, range: Range<usize>, column: usize, build: B) -> Self {
        Self {
            bytes: &text.as_bytes()[..range.end],
            text,
            at: range.start,
            column,
            depth: 0,
            end: range.start,
            entries: Vec::with_capacity(OPEN),
            items: Vec::new(),
            build,
        }
    }

    fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes on to the first character of the next line that is not blank and no comment. Stands on the start of a line.
    fn line(&mut self) -> Option<()> {
        loop {
            let start = self.at;
            while self.byte() == Some(b' ') {
                self.at += 1;
            }
            match self.byte() {
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.comment()?,
                _ => {
                    self.column = self.at - start;
                    return Some(());
                }
            }
        }
    }

    /// Skips what may follow a value: blanks and a comment, to the next line with something on it.
    fn rest(&mut self) -> Option<()> {
        let value = self.at;
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
        match self.byte() {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'#') if self.at > value => self.comment()?,
            Some(_) => return None,
        }
        self.line()
    }

    /// Skips a comment and the break behind it.
    fn comment(&mut self) -> Option<()> {
        let end = line_end(self.bytes, self.at);
        if !scalars::is_text(&self.bytes[self.at..end]) {
            return None;
        }
        self.at = (end + 1).min(self.bytes.len());
        Some(())
    }

    fn is_dash(&self) -> bool {
        self.byte() == Some(b'-')
            && matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\n'))
    }

    /// A map whose first key stands here, in this column.
    fn map(&mut self, column: usize) -> Option<B::Value> {
        self.deeper()?;
        let start = self.at;
        let first = self.entries.len();
        loop {
            let key = scalars::key(self)?;
            let value = self.under(&key, column)?;
            self.entries.push((key, value));
            if self.is_done() || self.column < column {
                break;
            }
            if self.column > column {
                return None;
            }
        }
        self.depth -= 1;
        let entries = self.entries.drain(first..);
        self.build.map(start..self.end, entries, false)
    }

    /// The value of a key in this column.
    fn under(&mut self, key: &B::Value, column: usize) -> Option<B::Value> {
        let blanks = self.bytes[self.at..]
            .iter()
            .take_while(|byte| **byte == b' ');
        let behind_blanks = self.at + blanks.count();
        if !matches!(self.bytes.get(behind_blanks), None | Some(b'\n')) {
            return self.value(column, Behind::Colon);
        }
        self.build.enter(key);
        let value = self.value(column, Behind::Colon)?;
        Some(self.build.leave(key, value))
    }

    /// A list whose first dash stands here, in this column.
    fn list(&mut self, column: usize) -> Option<B::Value> {
        self.deeper()?;
        let start = self.at;
        let first = self.items.len();
        loop {
            self.at += 1;
            let item = self.value(column, Behind::Dash)?;
            self.items.push(item);
            if self.is_done() || self.column < column || (self.column == column && !self.is_dash())
            {
                break;
            }
            if self.column > column {
                return None;
            }
        }
        self.depth -= 1;
        let items = self.items.drain(first..);
        Some(self.build.list(start..self.end, items, false))
    }

    /// The value behind a `:` or a dash, of a map or list in this column.
    fn value(&mut self, column: usize, behind: Behind) -> Option<B::Value> {
        let absent = self.at;
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
        match self.byte() {
            None | Some(b'\n') => self.below(column, absent, behind),
            Some(b'#') if self.at > absent => self.below(column, absent, behind),
            Some(b'|') => scalars::literal(self, column),
            Some(b'{' | b'[') => {
                let value = flow::collection(self)?;
                self.end = self.at;
                self.rest()?;
                Some(value)
            }
            Some(_) if behind == Behind::Dash => {
                let line = memchr::memrchr(b'\n', &self.bytes[..self.at]);
                let inner = self.at - line.map_or(0, |newline| newline + 1);
                if self.is_dash() {
                    return self.list(inner);
                }
                let start = self.at;
                let is_key = scalars::is_key(self);
                self.at = start;
                match is_key {
                    true => self.map(inner),
                    false => scalars::on_one_line(self),
                }
            }
            Some(_) => scalars::on_one_line(self),
        }
    }

    /// The value on the lines below a `:` or a dash that ends its line; an absent one stands where that ends.
    fn below(&mut self, column: usize, absent: usize, behind: Behind) -> Option<B::Value> {
        self.rest_of_line()?;
        let is_deeper = !self.is_done() && self.column > column;
        let is_beside = !self.is_done() && self.column == column && behind == Behind::Colon;
        match (is_deeper, is_beside) {
            (true, _) | (_, true) if self.is_dash() => self.list(self.column),
            (true, _) => self.map(self.column),
            (false, _) => {
                self.end = absent;
                self.build.plain(absent..absent, "")
            }
        }
    }

    /// Goes on to the next line; nothing but a comment is left on this one.
    fn rest_of_line(&mut self) -> Option<()> {
        match self.byte() {
            Some(b'#') => self.comment()?,
            Some(_) => self.at += 1,
            None => {}
        }
        self.line()
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEPTH).then_some(())
    }
}

/// The offset of the break that ends the line of `at`, or of the end.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}
