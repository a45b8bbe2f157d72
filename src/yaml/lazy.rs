//! What is in a map that nobody may want to look into?
//!
//! Authority: the outline for keys, the reader for everything below them.
//! Departs from nothing.
//! Knows: maps by their outline, and values read. Does not know: which of them matter.

use std::borrow::Cow;

use std::ops::Range;

use super::outline::MapLines;
use super::{Document, Node, Outline, ReadError, Syntax};

/// One document of a stream, as much of it as had to be read.
#[derive(Debug, Clone)]
pub struct LazyDocument<'t> {
    /// The bytes of the document in the text, without the `---` before it.
    pub range: Range<usize>,
    /// Its content; `None` for a document of nothing but comments.
    pub root: Option<Lazy<'t>>,
    /// What may be written into it.
    pub syntax: Syntax,
}

impl<'t> From<Document<'t>> for LazyDocument<'t> {
    fn from(document: Document<'t>) -> Self {
        Self {
            range: document.range,
            root: document.root.map(Lazy::Read),
            syntax: document.syntax,
        }
    }
}

/// A value that is read when it is asked for, each time anew: what is read is not kept.
#[derive(Debug, Clone)]
pub enum Lazy<'t> {
    /// Read already.
    Read(Node<'t>),
    /// A map in block style, of which the keys are known.
    Outlined(Outline<'t>),
}

impl<'t> Lazy<'t> {
    /// Its first byte.
    pub fn start(&self) -> usize {
        match self {
            Self::Read(node) => node.range.start,
            Self::Outlined(outline) => outline.start(),
        }
    }

    /// The same value with so many more lines in front of it.
    pub(super) fn below(self, lines: usize) -> Self {
        match self {
            Self::Read(node) => Self::Read(node),
            Self::Outlined(outline) => Self::Outlined(outline.below(lines)),
        }
    }

    /// The whole value.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn read(&self) -> Result<Cow<'_, Node<'t>>, ReadError> {
        match self {
            Self::Read(node) => Ok(Cow::Borrowed(node)),
            Self::Outlined(outline) => outline.read().map(Cow::Owned),
        }
    }

    /// The lines of a map of which no more than the outline is known, to be read in the quickest way.
    pub fn lines(&self) -> Option<MapLines<'t>> {
        match self {
            Self::Read(_) => None,
            Self::Outlined(outline) => Some(outline.map_lines()),
        }
    }

    /// The map with its keys and their values, but of the list that is outlined only the last elements: enough to put
    /// something behind it all, and to see how the text around that place is written.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn shell(&self) -> Result<Cow<'_, Node<'t>>, ReadError> {
        match self {
            Self::Read(node) => Ok(Cow::Borrowed(node)),
            Self::Outlined(outline) => outline.shell().map(Cow::Owned),
        }
    }

    /// The value under a key that the map itself has; of a repeated key the last.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn get(&self, key: &str) -> Result<Option<Cow<'_, Node<'t>>>, ReadError> {
        match self {
            Self::Read(node) => Ok(node.get(key).map(Cow::Borrowed)),
            Self::Outlined(outline) if !outline.has(key) => Ok(None),
            Self::Outlined(outline) => match outline.quickly(key) {
                Some(value) => Ok(Some(Cow::Owned(value))),
                None => Ok(outline.read()?.get(key).cloned().map(Cow::Owned)),
            },
        }
    }

    /// Keys of the map and where each begins; nothing for anything else.
    pub fn keys(&self) -> Vec<(Cow<'_, str>, usize)> {
        match self {
            Self::Read(node) => node
                .entries()
                .iter()
                .filter_map(|(key, _)| Some((Cow::Borrowed(key.text()?), key.range.start)))
                .collect(),
            Self::Outlined(outline) => outline
                .keys()
                .map(|(key, start)| (Cow::Borrowed(key), start))
                .collect(),
        }
    }
}
