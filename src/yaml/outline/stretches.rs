//! Where may a long list be outlined from, beside its begin?
//!
//! Authority: none: a line that looks like the begin of an element may be none, and whoever uses this has to see to it.
//! Departs from nothing.
//! Knows: lines that begin with a dash, document markers. Does not know: what stands in front of them.

use memchr::memmem;

use super::lines::{Lines, MUCH};
use crate::parallel::PARTS;

/// Starts of lines that look like begins of elements of the list whose first dash stands here; the first is one. They are
/// about equally far from each other, and there is but the first where the list cannot be long.
pub(super) fn begins(lines: &Lines<'_>) -> Vec<usize> {
    let (first, column) = (lines.line_start(), lines.indent);
    let mut begins = vec![first];
    let end = lines.end_of_document();
    if end - first < MUCH {
        return begins;
    }
    let dash = format!("\n{:column$}- ", "");
    let dashes = memmem::Finder::new(&dash);
    let length = (end - first) / PARTS;
    for part in 1..PARTS {
        let from = first + part * length;
        let Some(break_in_front) = dashes.find(&lines.bytes[from..end]) else {
            break;
        };
        let begin = from + break_in_front + 1;
        if begins.last().is_none_or(|last| *last < begin) {
            begins.push(begin);
        }
    }
    begins
}
