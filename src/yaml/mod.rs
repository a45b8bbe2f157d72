//! YAML text: where does each value sit, what does it mean, and how is it changed in place?
//!
//! Authority: YAML 1.2 for structure (granit-parser); for scalars the two readers that decide what
//! a manifest means in a cluster, kustomize and kubectl (see [`Rules`]).
//! Departs from them: anchors may be expanded only within a budget, nesting only to a depth.
//! Knows: text, byte ranges, JSON values, RFC 6902. Does not know: Kubernetes.

mod edit;
mod error;
mod events;
mod json;
mod lazy;
mod lines;
mod node;
mod outline;
mod regular;
mod scalar;
mod spans;
mod timestamp;
mod value;
mod write;

pub use edit::{Edit, EditError, check_editable, edits, splice};
pub use error::{DEPTH_LIMIT, ReadError};
pub use events::read as parse;
pub use json::Json;
pub use lazy::{Lazy, LazyDocument};
pub use lines::{line_of, lines_of};
pub use node::DuplicateKey;
pub use outline::{MapLines, Outline, outline};
pub use regular::{Read, read as read_regular};
pub use value::{ALIAS_LIMIT, ALIAS_LIMIT_OF_A_RUN, ValueError};
pub use write::{block, block_of_quotes};

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Reads all documents of a text. A text of nothing but comments has none.
///
/// What has the usual shape is read line by line, anything else by the parser ([`parse`]), which takes several times as
/// long; both give the same nodes.
///
/// # Errors
/// The first fault in the text, with its place.
pub fn read(text: &str) -> Result<Vec<Document<'_>>, ReadError> {
    regular::read(text).map_or_else(|| parse(text), Ok)
}

/// One document of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'t> {
    /// The bytes of the document in the text, without the `---` before it.
    pub range: Range<usize>,
    /// Its content; `None` for a document of nothing but comments.
    pub root: Option<Node<'t>>,
    /// What may be written into it.
    pub syntax: Syntax,
}

/// What a document is written in; new text is written in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// YAML, of any style.
    Yaml,
    /// Text that a JSON parser reads: nothing but JSON may be written into it.
    Json,
}

/// A value in the text, with the bytes that spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'t> {
    /// The bytes of the value, without its anchor and tag. A block scalar begins at its `|` or `>`;
    /// a block list or map ends with its last value; an absent value is the empty range after its
    /// `:` or `-`.
    pub range: Range<usize>,
    /// The value as written.
    pub content: Content<'t>,
    /// Whether the value carries an anchor (`&name`).
    pub anchored: bool,
    /// The tag as written (`!!str`, `!custom`, `!`), if any.
    pub tag: Option<Box<str>>,
}

/// The shape of a [`Node`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'t> {
    /// A scalar: its text after unfolding and unescaping, and how it was spelled.
    Scalar(Cow<'t, str>, Style),
    /// A list; `flow` when written in brackets.
    Sequence {
        /// The elements in order.
        items: Arc<[Node<'t>]>,
        /// Written in brackets.
        flow: bool,
    },
    /// A map; entries in order, repeated keys kept.
    Mapping {
        /// Key and value of each entry, in order.
        entries: Arc<[(Node<'t>, Node<'t>)]>,
        /// Written in braces.
        flow: bool,
    },
    /// `*name`, with the node that it stands for.
    Alias(Arc<Node<'t>>),
}

/// How a scalar is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: only here do scalar rules apply.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// Whose reading of plain scalars applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// go.yaml.in/yaml/v3 as kustomize and kpt use it: `yes` is a string.
    Kustomize,
    /// sigs.k8s.io/yaml as kubectl and the API server use it: `yes` is true.
    Kubectl,
}
