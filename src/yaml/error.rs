//! Why can a text not be read, and what is to be done about it?
//!
//! Authority: YAML 1.2.2; the depth is granit-parser's default, far beyond any manifest.
//! Departs from it: nothing.
//! Knows: lines and columns. Does not know: how a text is read.

/// How deep lists and maps may nest, aliases followed.
pub const DEPTH_LIMIT: usize = 255;

/// Why a text cannot be read. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text is no YAML.
    #[error("line {line}, column {column}: not valid YAML, {message}; correct the text there")]
    Syntax {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// Lists and maps nest deeper than any manifest does.
    #[error(
        "line {line}, column {column}: nested deeper than {limit} levels; flatten the lists and maps around it"
    )]
    TooDeep {
        /// Line of the first value too deep.
        line: usize,
        /// Column of the first value too deep.
        column: usize,
        /// The deepest level that is read.
        limit: usize,
    },
    /// `*name` without a complete `&name` in front of it in its document.
    #[error(
        "line {line}, column {column}: this alias has no anchor before it in its document; define `&name` first or write the value out"
    )]
    UnknownAlias {
        /// Line of the alias.
        line: usize,
        /// Column of the alias.
        column: usize,
    },
}
