//! What stands under a key, an index or a pointer, and is any key written twice?
//!
//! Authority: RFC 6901 for pointers.
//! Departs from it: nothing; keys are compared as their text and as kubectl's number, so `80`, `"80"` and `0x50` are one key.
//! Knows: the node tree. Does not know: the text, what values mean, merge keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::scalar::Scalar;
use super::{Content, Node, Rules, Style};

/// A key that a map has twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The text of the key.
    pub key: String,
    /// Where the second one stands.
    pub offset: usize,
    /// The map that has it, seen from the node that was asked.
    pub pointer: PointerBuf,
}

impl<'t> Node<'t> {
    /// The value under a key that the map itself has; of a repeated key the last. Follows aliases.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        let (_, value) = self
            .entries()
            .iter()
            .rev()
            .find(|(k, _)| k.text() == Some(key))?;
        Some(value)
    }

    /// The value that a pointer leads to, through keys that the maps themselves have.
    pub fn at(&self, pointer: &Pointer) -> Option<&Node<'t>> {
        pointer.tokens().try_fold(self, |node, token| {
            let token = token.decoded();
            match &node.resolved().content {
                Content::Mapping { .. } => node.get(&token),
                Content::Sequence { items, .. } => items.get(index(&token)?),
                _ => None,
            }
        })
    }

    /// The text of a scalar after unfolding and unescaping; empty for an absent value.
    pub fn text(&self) -> Option<&str> {
        match &self.resolved().content {
            Content::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that is written here, and no alias.
    pub(crate) fn into_text(self) -> Option<Cow<'t, str>> {
        match self.content {
            Content::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; nothing for anything else.
    pub fn items(&self) -> &[Node<'t>] {
        match &self.resolved().content {
            Content::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    /// Keys and values of a map; nothing for anything else.
    pub fn entries(&self) -> &[(Node<'t>, Node<'t>)] {
        match &self.resolved().content {
            Content::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The first key in this value that its map has already. An alias is not followed: what it
    /// stands for is looked at where it is written.
    pub fn duplicate_key(&self) -> Option<DuplicateKey> {
        match &self.content {
            Content::Mapping { entries, .. } => {
                let mut seen = BTreeSet::new();
                entries.iter().find_map(|(key, value)| {
                    let text = key.text();
                    match text {
                        Some(text) if !is_new(&mut seen, key, text) => Some(DuplicateKey {
                            key: text.to_owned(),
                            offset: key.range.start,
                            pointer: PointerBuf::new(),
                        }),
                        _ => below(value, text.unwrap_or_default()),
                    }
                })
            }
            Content::Sequence { items, .. } => items
                .iter()
                .enumerate()
                .find_map(|(i, item)| below(item, &i.to_string())),
            Content::Scalar(..) | Content::Alias(_) => None,
        }
    }

    /// The same node as part of a longer text, in which its own begins at `by`.
    pub(super) fn moved(&self, by: usize) -> Self {
        self.moved_with(by, &mut BTreeMap::new())
    }

    /// `targets`: what aliases stand for, each of which is moved once, however many aliases it has.
    fn moved_with(
        &self,
        by: usize,
        targets: &mut BTreeMap<*const Node<'t>, Arc<Node<'t>>>,
    ) -> Self {
        let content = match &self.content {
            Content::Scalar(text, style) => Content::Scalar(text.clone(), *style),
            Content::Sequence { items, flow } => Content::Sequence {
                items: items
                    .iter()
                    .map(|item| item.moved_with(by, targets))
                    .collect(),
                flow: *flow,
            },
            Content::Mapping { entries, flow } => Content::Mapping {
                entries: entries
                    .iter()
                    .map(|(key, value)| {
                        (key.moved_with(by, targets), value.moved_with(by, targets))
                    })
                    .collect(),
                flow: *flow,
            },
            Content::Alias(target) => {
                let known = targets.get(&Arc::as_ptr(target)).cloned();
                let moved = known.unwrap_or_else(|| {
                    let moved = Arc::new(target.moved_with(by, targets));
                    targets.insert(Arc::as_ptr(target), Arc::clone(&moved));
                    moved
                });
                Content::Alias(moved)
            }
        };
        Self {
            range: self.range.start + by..self.range.end + by,
            content,
            anchored: self.anchored,
            tag: self.tag.clone(),
        }
    }

    /// How many of an anchor and a tag stand in front of it.
    pub(super) fn properties(&self) -> usize {
        usize::from(self.anchored) + usize::from(self.tag.is_some())
    }

    /// The node itself, or what its alias stands for.
    pub(super) fn resolved(&self) -> &Node<'t> {
        let mut node = self;
        while let Content::Alias(target) = &node.content {
            node = target;
        }
        node
    }
}

/// Notes a key; whether the map has neither its text nor its number yet.
fn is_new<'n>(seen: &mut BTreeSet<Cow<'n, str>>, key: &Node<'_>, text: &'n str) -> bool {
    let number = number(key).filter(|number| number != text);
    let is_new_number = number.is_none_or(|number| seen.insert(Cow::Owned(number)));
    seen.insert(Cow::Borrowed(text)) && is_new_number
}

/// The key that kubectl makes of a number.
fn number(key: &Node<'_>) -> Option<String> {
    let Content::Scalar(text, Style::Plain) = &key.resolved().content else {
        return None;
    };
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    match Rules::Kubectl.plain(text) {
        Scalar::Json(Value::Number(number)) => Some(number.to_string()),
        Scalar::Json(_) | Scalar::NotFinite | Scalar::Misfit => None,
    }
}

fn below(node: &Node<'_>, token: &str) -> Option<DuplicateKey> {
    let mut found = node.duplicate_key()?;
    found.pointer.push_front(token);
    Some(found)
}

/// An array index as RFC 6901 writes it: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|b| b.is_ascii_digit());
    let canonical = token == "0" || !token.starts_with('0');
    (digits && canonical).then(|| token.parse().ok()).flatten()
}
