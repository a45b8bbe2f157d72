//! Where does each element of a list stand, of a long one found by several threads at the same time?
//!
//! Authority: YAML 1.2.2, 8.2.1 (block sequences); the parser of `events` for elements that cannot be followed.
//! Departs from it: `None` where an element does not end before the next begins, and where it is no map.
//! Knows: dashes and what stands behind them. Does not know: what is above the list.

use std::ops::Range;

use memchr::memmem;

use super::lines::{Lines, MUCH};
use super::{Lazy, Node, Outline, alone, key};
use crate::parallel::{self, PARTS};

/// The maps that are the elements of a list, whose first dash stands here.
///
/// Of a long list stretches are outlined at the same time, each from a line that looks like the begin of an element. It is
/// one if the stretch in front ends there; if not, what was made of it is left.
pub(super) fn elements<'t>(lines: &mut Lines<'t>) -> Option<Box<[Lazy<'t>]>> {
    let column = lines.indent;
    let here: &Lines<'t> = lines;
    let begins = begins(here);
    let ends = begins.iter().skip(1).copied().chain([usize::MAX]);
    let bounds: Vec<_> = begins.iter().copied().zip(ends).collect();
    let outlined = parallel::each(&bounds, |&(begin, end)| {
        let mut ahead = here.ahead(begin, column);
        let elements = stretch(&mut ahead, column, end);
        (elements, ahead)
    });
    let known = outlined
        .iter()
        .filter_map(|(stretched, _)| Some(stretched.as_ref()?.len()));
    let mut elements = Vec::with_capacity(known.sum());
    for (begin, (stretched, ahead)) in begins.into_iter().zip(outlined) {
        elements.extend(stretch(lines, column, begin)?);
        if lines.line_start() == begin && lines.indent == column {
            let lines_in_front = lines.line - 1;
            elements.extend(stretched?.into_iter().map(|one| one.below(lines_in_front)));
            *lines = ahead;
            lines.line += lines_in_front;
        }
    }
    elements.extend(stretch(lines, column, usize::MAX)?);
    let is_over = lines.is_done() || lines.indent <= column;
    is_over.then(|| elements.into())
}

/// The elements of a list in this column that begin from here on and in front of this offset.
fn stretch<'t>(lines: &mut Lines<'t>, column: usize, end: usize) -> Option<Vec<Lazy<'t>>> {
    let mut elements = Vec::new();
    while lines.line_start() < end && !lines.is_done() && lines.indent == column && lines.is_dash()
    {
        let (at, line) = (lines.at, lines.line);
        if let Some(outline) = element(lines) {
            elements.push(Lazy::Outlined(outline));
            continue;
        }
        lines.go_back(at - column, line);
        lines.skip_to_column(column)?;
        let range = at - column..lines.line_start();
        elements.push(Lazy::Read(only_element(lines.text, &range)?));
    }
    Some(elements)
}

fn element<'t>(lines: &mut Lines<'t>) -> Option<Outline<'t>> {
    let begin = lines.line_start();
    let (dash, line) = (lines.indent, lines.line);
    let column = dash + lines.behind_dash()?;
    let mut entries = Vec::with_capacity(6);
    loop {
        entries.push(key(lines)?);
        lines.entry(column)?;
        if lines.is_done() || lines.indent <= dash {
            break;
        }
        if lines.indent != column {
            return None;
        }
    }
    let range = begin..lines.line_start();
    let outline = Outline::new(lines.text, range, (line, column), entries)?;
    Some(Outline {
        is_element: true,
        ..outline
    })
}

/// Starts of lines that look like begins of elements of the list whose first dash stands here; the first is one. They are
/// about equally far from each other, and there is but the first where the list cannot be long.
fn begins(lines: &Lines<'_>) -> Vec<usize> {
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

/// The only element of the list in these lines, a map, by the parser. Where the lines end too early, in a scalar that goes
/// on to the left of its list, they cannot be read at all.
fn only_element<'t>(text: &'t str, lines: &Range<usize>) -> Option<Node<'t>> {
    let root = alone(text, lines)?.root?;
    let [element] = root.items() else { return None };
    (!element.entries().is_empty()).then(|| element.moved(lines.start))
}
