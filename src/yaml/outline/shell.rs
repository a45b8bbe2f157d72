//! How little of a long list has to be read to write behind it?
//!
//! Authority: the editor, which writes as the nearest lists and maps are written.
//! Departs from nothing: what is left unread is farther away than an example of each.
//! Knows: nodes. Does not know: what is going to be written.

use super::super::{Content, Lazy, Node, ReadError, regular};

/// The list, its first dash here, with its last elements, as far as the first that has a list and a map below it.
pub(super) fn of_list<'t>(dash: usize, elements: &[Lazy<'t>]) -> Result<Node<'t>, ReadError> {
    let mut items = Vec::new();
    let mut seen = (false, false);
    for element in elements.iter().rev() {
        let node = element.read()?.into_owned();
        look(&node, &mut seen);
        items.push(node);
        if seen == (true, true) {
            break;
        }
    }
    items.reverse();
    let end = items.last().map_or(dash, |last| last.range.end);
    Ok(regular::node(
        dash..end,
        Content::Sequence {
            items: items.into(),
            flow: false,
        },
    ))
}

/// Notes whether there are lists and maps in block style below a node.
fn look(node: &Node<'_>, seen: &mut (bool, bool)) {
    for (_, value) in node.entries() {
        match value.content {
            Content::Sequence { flow: false, .. } => seen.0 = true,
            Content::Mapping { flow: false, .. } => seen.1 = true,
            _ => {}
        }
        look(value, seen);
    }
    node.items().iter().for_each(|item| look(item, seen));
}
