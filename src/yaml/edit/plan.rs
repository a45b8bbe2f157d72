//! What happens to each node when all operations of a patch are done?
//!
//! Authority: RFC 6902, one operation after the other.
//! Departs from it: an operation on what an earlier one made, moved or removed is refused.
//! Knows: nodes, pointers, the patch. Does not know: bytes.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::PatchOperation;
use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::super::node::index;
use super::super::{Content, Node, Rules};
use super::EditError;

/// What happens to one child of a list or map.
pub(super) enum Change<'p> {
    /// Another value takes its place.
    Replace(&'p Value),
    /// It goes.
    Remove,
    /// It stays, its own children change.
    Inside(Changes<'p>),
}

/// What happens in one list or map.
#[derive(Default)]
pub(super) struct Changes<'p> {
    /// By the position of the child in the text.
    pub(super) children: BTreeMap<usize, Change<'p>>,
    /// New children behind the last; the key is empty in a list.
    pub(super) added: Vec<(String, &'p Value)>,
    /// Positions of the children that go: a list may have thousands, and each operation asks.
    removed: BTreeSet<usize>,
}

impl Changes<'_> {
    /// Whether nothing happens at all.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && self.added.is_empty()
    }

    /// Whether the child at a position goes.
    pub(super) fn removes(&self, position: usize) -> bool {
        self.removed.contains(&position)
    }
}

/// Longest key that kyaml reads on one line, quotes included.
const KEY_LIMIT: usize = 1000;

/// Gathers the operations of a patch by the node that they concern.
pub(super) fn plan<'p>(
    root: &Node<'_>,
    patch: &'p [PatchOperation],
) -> Result<Changes<'p>, EditError> {
    let mut changes = Changes::default();
    for operation in patch {
        let (path, action) = match operation {
            PatchOperation::Add(add) => (&add.path, Action::Add(&add.value)),
            PatchOperation::Replace(replace) => (&replace.path, Action::Replace(&replace.value)),
            PatchOperation::Remove(remove) => (&remove.path, Action::Remove),
            PatchOperation::Move(o) => return Err(unsupported(&o.path, "move")),
            PatchOperation::Copy(o) => return Err(unsupported(&o.path, "copy")),
            PatchOperation::Test(o) => return Err(unsupported(&o.path, "test")),
        };
        Step { path }.fold(root, &mut changes, action)?;
    }
    Ok(changes)
}

#[derive(Clone, Copy)]
enum Action<'p> {
    Add(&'p Value),
    Replace(&'p Value),
    Remove,
}

enum Spot {
    /// A child of the original.
    Child(usize),
    /// Behind the last element of a list.
    End,
    /// No such key.
    Absent,
    /// No such key, but a merge key brings it in from another map: an own one behind all others wins over it.
    Merged,
}

struct Step<'a> {
    path: &'a PointerBuf,
}

impl Step<'_> {
    fn fold<'p>(
        &self,
        root: &Node<'_>,
        changes: &mut Changes<'p>,
        action: Action<'p>,
    ) -> Result<(), EditError> {
        let Some((parents, last)) = self.path.split_back() else {
            return Err(unsupported(self.path, "replacing the whole"));
        };
        let (mut node, mut here) = (root, changes);
        for token in parents.tokens() {
            let position = match self.spot(node, here, &token.decoded())? {
                Spot::Child(position) => position,
                Spot::Merged => return Err(self.shared()),
                Spot::End | Spot::Absent => return Err(self.missing()),
            };
            node = child(node, position);
            let inside = here
                .children
                .entry(position)
                .or_insert_with(|| Change::Inside(Changes::default()));
            here = match inside {
                Change::Inside(changes) => changes,
                Change::Replace(_) | Change::Remove => return Err(self.dependent()),
            };
        }
        self.act(node, here, &last.decoded(), action)
    }

    fn act<'p>(
        &self,
        node: &Node<'_>,
        here: &mut Changes<'p>,
        token: &str,
        action: Action<'p>,
    ) -> Result<(), EditError> {
        let spot = self.spot(node, here, token)?;
        if let Action::Add(value) | Action::Replace(value) = action
            && longest_key(value).max(token.len()) > KEY_LIMIT
        {
            return Err(unsupported(self.path, "a key that long"));
        }
        let in_list = matches!(node.content, Content::Sequence { .. });
        let change = match (&spot, action) {
            (Spot::End, Action::Add(value)) => {
                here.added.push((String::new(), value));
                return Ok(());
            }
            (Spot::Absent, Action::Add(value))
            | (Spot::Merged, Action::Add(value) | Action::Replace(value)) => {
                here.added.push((token.to_owned(), value));
                return Ok(());
            }
            (Spot::Child(_), Action::Add(_)) if in_list => {
                return Err(unsupported(
                    self.path,
                    "inserting in front of a list element",
                ));
            }
            (Spot::Child(_), Action::Add(value) | Action::Replace(value)) => Change::Replace(value),
            (Spot::Child(_), Action::Remove) => Change::Remove,
            (Spot::Merged, Action::Remove) => return Err(self.shared()),
            (Spot::End | Spot::Absent, Action::Replace(_) | Action::Remove) => {
                return Err(self.missing());
            }
        };
        let Spot::Child(position) = spot else {
            return Err(self.missing());
        };
        if let Some(Change::Replace(_) | Change::Remove) = here.children.get(&position) {
            return Err(self.dependent());
        }
        if let Change::Replace(new) = change
            && says(child(node, position), new)
        {
            here.children.remove(&position);
            return Ok(());
        }
        self.unshared(node, position, token, &change)?;
        if matches!(change, Change::Remove) {
            here.removed.insert(position);
        }
        here.children.insert(position, change);
        Ok(())
    }

    /// Where a token leads in a list or map, as the operations so far have left it.
    fn spot(&self, node: &Node<'_>, here: &Changes<'_>, token: &str) -> Result<Spot, EditError> {
        if node.anchored || matches!(node.content, Content::Alias(_)) {
            return Err(self.shared());
        }
        match &node.content {
            Content::Mapping { entries, .. } => {
                let mut found = entries
                    .iter()
                    .enumerate()
                    .filter(|(_, (key, _))| key.text() == Some(token));
                match (found.next(), found.next()) {
                    (Some((_, (key, _))), None) if key.is_merge_key() => Err(self.shared()),
                    (Some((position, _)), None) if merges_below(entries, position, token) => {
                        Err(self.shared())
                    }
                    (Some((position, _)), None) => Ok(Spot::Child(position)),
                    (Some(_), Some(_)) => Err(EditError::Repeated {
                        pointer: self.path.to_owned(),
                    }),
                    (None, _) if here.added.iter().any(|(key, _)| key == token) => {
                        Err(self.dependent())
                    }
                    (None, _) if merges(node, token) => Ok(Spot::Merged),
                    (None, _) => Ok(Spot::Absent),
                }
            }
            Content::Sequence { items, .. } => {
                let left = items.len() - here.removed.len();
                let end = left + here.added.len();
                let position = if token == "-" {
                    end
                } else {
                    index(token).ok_or_else(|| self.missing())?
                };
                let moved = here
                    .removed
                    .first()
                    .is_some_and(|lowest| position >= *lowest);
                match position {
                    p if p == end => Ok(Spot::End),
                    p if p > end => Err(self.missing()),
                    p if p >= left || moved => Err(self.dependent()),
                    p => Ok(Spot::Child(p)),
                }
            }
            Content::Scalar(..) | Content::Alias(_) => Err(self.missing()),
        }
    }

    /// Refuses to take away an anchor, or a key that hides one of a merged map.
    fn unshared(
        &self,
        node: &Node<'_>,
        position: usize,
        token: &str,
        change: &Change<'_>,
    ) -> Result<(), EditError> {
        let value = child(node, position);
        let removes = matches!(change, Change::Remove);
        let key_goes = removes
            && matches!(&node.content, Content::Mapping { entries, .. } if has_anchor(&entries[position].0));
        if has_anchor(value) || key_goes || (removes && merges(node, token)) {
            return Err(self.shared());
        }
        Ok(())
    }

    fn missing(&self) -> EditError {
        EditError::Missing {
            pointer: self.path.clone(),
        }
    }

    fn dependent(&self) -> EditError {
        EditError::Dependent {
            pointer: self.path.clone(),
        }
    }

    fn shared(&self) -> EditError {
        EditError::Shared {
            pointer: self.path.clone(),
        }
    }
}

fn unsupported(path: &Pointer, what: &'static str) -> EditError {
    EditError::Unsupported {
        pointer: path.to_owned(),
        what,
    }
}

/// The value at a position that [`Step::spot`] has found.
fn child<'n, 't>(node: &'n Node<'t>, position: usize) -> &'n Node<'t> {
    match &node.content {
        Content::Mapping { entries, .. } => &entries[position].1,
        Content::Sequence { items, .. } => &items[position],
        Content::Scalar(..) | Content::Alias(_) => node,
    }
}

/// Whether every reader takes the node for the value: then its text stays.
fn says(node: &Node<'_>, value: &Value) -> bool {
    let says = |rules| node.value(rules).is_ok_and(|says| says == *value);
    !node.is_absent() && says(Rules::Kustomize) && says(Rules::Kubectl)
}

/// Whether a merge key of this map brings the key in.
fn merges(map: &Node<'_>, key: &str) -> bool {
    brought_in(map.entries(), key, &mut BTreeSet::new())
}

/// Whether a merge key below an entry brings the key of that entry in: to kubectl the merged one counts then.
fn merges_below(entries: &[(Node<'_>, Node<'_>)], position: usize, key: &str) -> bool {
    brought_in(&entries[position + 1..], key, &mut BTreeSet::new())
}

/// `seen`: maps that are known not to bring the key in, however often they are merged.
fn brought_in(
    entries: &[(Node<'_>, Node<'_>)],
    key: &str,
    seen: &mut BTreeSet<*const Node<'static>>,
) -> bool {
    let mut brings = |source: &Node<'_>| {
        let source = source.resolved();
        source.get(key).is_some()
            || (seen.insert(std::ptr::from_ref(source).cast())
                && brought_in(source.entries(), key, seen))
    };
    entries
        .iter()
        .filter(|(k, _)| k.is_merge_key())
        .any(|(_, source)| brings(source) || source.items().iter().any(&mut brings))
}

fn has_anchor(node: &Node<'_>) -> bool {
    node.anchored
        || match &node.content {
            Content::Mapping { entries, .. } => {
                entries.iter().any(|(k, v)| has_anchor(k) || has_anchor(v))
            }
            Content::Sequence { items, .. } => items.iter().any(has_anchor),
            Content::Scalar(..) | Content::Alias(_) => false,
        }
}

fn longest_key(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| k.len().max(longest_key(v)))
            .max()
            .unwrap_or(0),
        Value::Array(items) => items.iter().map(longest_key).max().unwrap_or(0),
        _ => 0,
    }
}
