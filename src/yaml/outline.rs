//! Where does each map of a text stand, without looking into it?
//!
//! Authority: YAML 1.2.2, chapters 6 to 8, for what is followed; the parser of `events` for everything else.
//! Departs from it: what cannot be followed line by line is handed to the parser, a map or a document at a time, and where
//! that does not settle where it ends the whole text is handed back (`None`). Nothing is guessed. Faults inside of maps that
//! nobody reads stay unseen: they are passed on as they came.
//! Knows: lines, indentation, where scalars and brackets end. Does not know: what a value is.

mod lines;
mod list;
mod shell;
mod values;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::{
    Content, Document, Lazy, LazyDocument, Node, Read, ReadError, Rules, Style, Syntax, events,
    regular,
};
use lines::Lines;

/// A map in block style of which no more than its keys is known. A large input has tens of thousands of these.
#[derive(Debug, Clone)]
pub struct Outline<'t> {
    text: &'t str,
    /// From the start of the line to where the next thing begins, blank lines and comments below included.
    lines: Range<u32>,
    line: u32,
    column: u32,
    /// Behind a dash, as the element of a list.
    is_element: bool,
    /// At least one.
    entries: Arc<[Entry]>,
    list: Option<Box<List<'t>>>,
}

/// The list that is outlined too.
#[derive(Debug, Clone)]
struct List<'t> {
    /// Which of the entries it is under.
    entry: usize,
    elements: Box<[Lazy<'t>]>,
}

/// Where a map stands: enough to read it, by whichever thread.
#[derive(Debug, Clone)]
pub struct MapLines<'t> {
    text: &'t str,
    range: Range<usize>,
    column: usize,
}

impl<'t> MapLines<'t> {
    /// What the map means, with no nodes in between; `None` where it takes a node to say, or to say what is wrong. Lists and
    /// maps on the lines below the keys that are passed over, wherever they stand, are null.
    pub fn value(&self, rules: Rules, passed_over: &[&str]) -> Option<Read<'t>> {
        regular::value_of_map(
            self.text,
            self.range.clone(),
            self.column,
            rules,
            passed_over,
        )
    }
}

/// A key without quotes, by its bytes; there are as many of these as the objects have keys. The `:` follows at once.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    end: u32,
}

impl Entry {
    fn key(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn behind_colon(self) -> usize {
        self.end as usize + 1
    }
}

/// The documents of a text, and of each map that is one the elements of the list under `list`, as far as they are maps in
/// block style; `None` where the text has to be read by the parser as a whole.
pub fn outline<'t>(text: &'t str, list: &str) -> Option<Vec<LazyDocument<'t>>> {
    let mut lines = Lines::of(text)?;
    let mut documents = Vec::new();
    let mut is_marked = false;
    loop {
        let (begin, line) = (lines.at, lines.line);
        match document(&mut lines, list) {
            Some(Some(root)) => documents.push(LazyDocument {
                range: begin..lines.at,
                root: Some(Lazy::Outlined(root)),
                syntax: Syntax::Yaml,
            }),
            // A document of nothing is one all the same; what it is, the parser says.
            Some(None) if is_marked => return None,
            Some(None) => {}
            None => {
                lines.go_back(begin, line);
                lines.skip_to_marker()?;
                let range = begin..lines.at;
                let Document { root, syntax, .. } = alone(text, &range)?;
                documents.push(LazyDocument {
                    root: Some(Lazy::Read(root?.moved(range.start))),
                    range,
                    syntax,
                });
            }
        }
        if lines.is_done() {
            return Some(documents);
        }
        lines.behind_marker()?;
        is_marked = true;
    }
}

/// The map that a document is; within, `None` where it holds nothing but comments. Ends at the line of a `---`.
fn document<'t>(lines: &mut Lines<'t>, list: &str) -> Option<Option<Outline<'t>>> {
    let begin = lines.at;
    lines.content()?;
    // Whoever reads the map begins at its first key.
    if !regular::is_text(&lines.text[begin..lines.at]) {
        return None;
    }
    if lines.is_done() || lines.is_marker() {
        return Some(None);
    }
    let (column, line) = (lines.indent, lines.line);
    let mut entries = Vec::new();
    let mut outlined = None;
    while !lines.is_done() && !lines.is_marker() {
        if lines.indent != column {
            return None;
        }
        let entry = key(lines)?;
        let is_list = &lines.text[entry.key()] == list;
        entries.push(entry);
        if is_list && outlined.is_some() {
            return None;
        }
        if is_list && lines.is_blank_to_end() {
            lines.rest()?;
            if !lines.is_done() && lines.indent >= column && lines.is_dash() {
                outlined = Some(Box::new(List {
                    entry: entries.len() - 1,
                    elements: list::elements(lines)?,
                }));
                continue;
            }
            lines.nested(column, true)?;
        } else {
            lines.entry(column)?;
        }
    }
    // In front of a `---` stands nothing but blanks of its own line.
    let mut outline = Outline::new(lines.text, begin..lines.at, (line, column), entries)?;
    outline.list = outlined;
    Some(Some(outline))
}

fn key(lines: &mut Lines<'_>) -> Option<Entry> {
    let start = lines.at;
    let end = lines.key()?;
    Some(Entry {
        start: u32::try_from(start).ok()?,
        end: u32::try_from(end).ok()?,
    })
}

/// The only document in these lines, by the parser; offsets count from the first of the lines.
fn alone<'t>(text: &'t str, lines: &Range<usize>) -> Option<Document<'t>> {
    let mut documents = events::read(&text[lines.clone()]).ok()?;
    let document = documents.pop()?;
    documents.is_empty().then_some(document)
}

impl<'t> Outline<'t> {
    /// A map with these keys. `None` where it does not fit into the numbers that are kept of it.
    fn new(
        text: &'t str,
        lines: Range<usize>,
        (line, column): (usize, usize),
        entries: Vec<Entry>,
    ) -> Option<Self> {
        Some(Self {
            text,
            lines: lines.start.try_into().ok()?..lines.end.try_into().ok()?,
            line: line.try_into().ok()?,
            column: column.try_into().ok()?,
            is_element: false,
            entries: entries.into(),
            list: None,
        })
    }

    /// Where its first key begins.
    pub fn start(&self) -> usize {
        self.entries[0].start as usize
    }

    /// Columns in front of its keys.
    fn column(&self) -> usize {
        self.column as usize
    }

    /// The line of its first key, from 1.
    pub fn line(&self) -> usize {
        self.line as usize
    }

    /// Whole lines: from its first key's, to where the next thing begins.
    pub fn lines(&self) -> Range<usize> {
        self.lines.start as usize..self.lines.end as usize
    }

    /// Its keys, and where each begins.
    pub fn keys(&self) -> impl Iterator<Item = (&'t str, usize)> {
        let text = self.text;
        self.entries
            .iter()
            .map(move |entry| (&text[entry.key()], entry.start as usize))
    }

    /// The elements of the list under this key, if its outline was asked for.
    pub fn list(&self, key: &str) -> Option<&[Lazy<'t>]> {
        let list = self.list.as_ref()?;
        (&self.text[self.entries[list.entry].key()] == key).then_some(&list.elements)
    }

    /// The value under a key, read on its own; of a repeated key the last. `None`: it has no such key, or its value is
    /// not of the usual shape.
    pub fn quickly(&self, key: &str) -> Option<Node<'t>> {
        regular::value(self.text, self.value_lines(key)?, self.column())
    }

    /// The text under a key of the map that stands under another one; within, `None` where there is none. `None`: it has
    /// no such key, it takes a node to say, or a key is written twice there.
    pub fn text_under(&self, key: &str, inner: &str) -> Option<Option<Cow<'t, str>>> {
        regular::text_under(self.text, self.value_lines(key)?, self.column(), inner)
    }

    /// From behind a key to where the next one begins.
    fn value_lines(&self, key: &str) -> Option<Range<usize>> {
        let at = self.position(key)?;
        let end = match self.entries.get(at + 1) {
            Some(next) => next.start as usize,
            None => self.lines().end,
        };
        Some(self.entries[at].behind_colon()..end)
    }

    /// The same map with so many more lines in front of it.
    pub(super) fn below(mut self, lines: usize) -> Self {
        // Of a text of so many bytes, which has fewer lines than bytes.
        self.line += u32::try_from(lines).unwrap_or(u32::MAX);
        self
    }

    pub(super) fn map_lines(&self) -> MapLines<'t> {
        MapLines {
            text: self.text,
            range: self.start()..self.lines().end,
            column: self.column(),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries
            .iter()
            .rposition(|entry| &self.text[entry.key()] == key)
    }

    /// The map with all that is in it.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn read(&self) -> Result<Node<'t>, ReadError> {
        match regular::map(self.text, self.start()..self.lines().end, self.column()) {
            Some(node) => Ok(node),
            None => {
                let lines = self.lines();
                let documents = events::read(&self.text[lines.clone()])?;
                Ok(self.only(documents)?.moved(lines.start))
            }
        }
    }

    pub(super) fn shell(&self) -> Result<Node<'t>, ReadError> {
        let Some(list) = &self.list else {
            return self.read();
        };
        let mut entries = Vec::with_capacity(self.entries.len());
        for (position, entry) in self.entries.iter().enumerate() {
            let name = &self.text[entry.key()];
            let value = match position == list.entry {
                true => shell::of_list(
                    super::lines::skip_blank(self.text, entry.behind_colon()),
                    &list.elements,
                )?,
                false => match self.quickly(name) {
                    Some(value) => value,
                    None => return self.read(),
                },
            };
            let key = regular::node(
                entry.key(),
                Content::Scalar(Cow::Borrowed(name), Style::Plain),
            );
            entries.push((key, value));
        }
        let end = entries
            .last()
            .map_or(self.start(), |(_, value)| value.range.end);
        Ok(regular::node(
            self.start()..end,
            Content::Mapping {
                entries: entries.into(),
                flow: false,
            },
        ))
    }

    /// What stands in its lines after edits were made in them; offsets count from the first of the lines.
    ///
    /// # Errors
    /// When they are no YAML any more, or more or less than this one map.
    pub fn reread<'n>(&self, edited: &'n str) -> Result<Node<'n>, ReadError> {
        let in_front = &self.text[self.lines().start..self.start()];
        if edited.starts_with(in_front)
            && let Some(map) = regular::map(edited, in_front.len()..edited.len(), self.column())
        {
            debug_assert_eq!(Ok(&map), self.only(super::read(edited)?).as_ref());
            return Ok(map);
        }
        self.only(super::read(edited)?)
    }

    /// The map that documents read from its lines consist of.
    fn only<'n>(&self, documents: Vec<Document<'n>>) -> Result<Node<'n>, ReadError> {
        let mut roots = documents.into_iter().filter_map(|document| document.root);
        let root = roots.next().filter(|_| roots.next().is_none());
        let map = match (self.is_element, root) {
            (true, Some(list)) => match list.items() {
                [element] => Some(element.clone()),
                _ => None,
            },
            (false, root) => root,
            (true, None) => None,
        };
        map.ok_or_else(|| ReadError::Syntax {
            line: self.line(),
            column: self.column() + 1,
            message: "expected one map here".to_owned(),
        })
    }
}
