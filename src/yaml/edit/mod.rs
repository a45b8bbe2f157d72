//! Which bytes change when a JSON patch is applied to a text?
//!
//! Authority: RFC 6902 for what the patch means.
//! Departs from it: no move, copy, test; nothing is inserted in front of a list element; a patch reads the
//! original only, so no operation may reach into what an earlier one made.
//! Knows: the text, its nodes, the patch. Does not know: why the patch is made.

mod block;
mod flow;
mod layout;
mod plan;
mod replace;

use std::ops::Range;

use json_patch::PatchOperation;
use jsonptr::PointerBuf;

use super::{Node, Syntax};
use block::Place;
use layout::Layout;

/// Replaces some bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty where text is only inserted.
    pub range: Range<usize>,
    /// The text that takes their place.
    pub text: String,
}

/// Why a patch cannot be carried out on the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place, or the list or map it should be in, does not exist.
    #[error("{pointer}: nothing there to change; add the list or map around it first")]
    Missing {
        /// Where the operation points.
        pointer: PointerBuf,
    },
    /// The operation builds on an earlier one of the same patch.
    #[error(
        "{pointer}: an earlier operation made or moved this; put both into one operation or two patches"
    )]
    Dependent {
        /// Where the operation points.
        pointer: PointerBuf,
    },
    /// The place belongs to an anchor, an alias or a merge key, so other places would change too.
    #[error(
        "{pointer}: shared by an anchor, alias or merge key; write the value out there by hand"
    )]
    Shared {
        /// Where the operation points.
        pointer: PointerBuf,
    },
    /// The key stands there twice, and readers disagree which of the two counts.
    #[error("{pointer}: the key is written twice; remove one of the two by hand")]
    Repeated {
        /// Where the operation points.
        pointer: PointerBuf,
    },
    /// An operation that this editor does not carry out.
    #[error("{pointer}: {what} is not supported; use add, replace or remove, and append to lists")]
    Unsupported {
        /// Where the operation points.
        pointer: PointerBuf,
        /// What was asked for.
        what: &'static str,
    },
}

/// The text with all edits made.
///
/// # Panics
/// If the edits are not sorted or overlap.
pub fn splice(text: &str, edits: &[Edit]) -> String {
    let mut out =
        String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut done = 0;
    for Edit { range, text: new } in edits {
        assert!(
            done <= range.start && range.start <= range.end,
            "edits are sorted and apart"
        );
        out.push_str(&text[done..range.start]);
        out.push_str(new);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// The edits that carry out `patch` on `root`, a node of `text`; pointers start at `root`.
///
/// # Errors
/// The first operation that cannot be carried out; see [`EditError`].
pub fn edits(
    text: &str,
    root: &Node<'_>,
    syntax: Syntax,
    patch: &[PatchOperation],
) -> Result<Vec<Edit>, EditError> {
    if patch.is_empty() {
        return Ok(Vec::new());
    }
    let changes = plan::plan(root, patch)?;
    let mut editor = Editor {
        text,
        json: syntax == Syntax::Json,
        alone: patch.len() == 1,
        eol: super::lines::break_at(text, root.range.start),
        layout: Layout::of(text, root),
        edits: Vec::new(),
    };
    if !changes.is_empty() {
        editor.container(
            root,
            Place::root(text, root),
            &flow::outermost(syntax),
            &changes,
        );
    }
    let mut edits = editor.edits;
    edits.retain(|edit| !(edit.range.is_empty() && edit.text.is_empty()));
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    Ok(edits)
}

/// Refuses what [`edits`] refuses, without a look at the rest of the text: an object may have thousands of patches.
///
/// # Errors
/// As [`edits`], which has no others.
pub fn check_editable(root: &Node<'_>, patch: &[PatchOperation]) -> Result<(), EditError> {
    plan::plan(root, patch).map(drop)
}

/// Collects the edits of one patch.
struct Editor<'a> {
    text: &'a str,
    /// Nothing but JSON may be written.
    json: bool,
    /// No other edit can bring blank lines to where one writes a `|+`.
    alone: bool,
    eol: &'a str,
    layout: Layout,
    edits: Vec<Edit>,
}

impl Editor<'_> {
    fn put(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.edits.push(Edit {
            range,
            text: text.into(),
        });
    }
}
