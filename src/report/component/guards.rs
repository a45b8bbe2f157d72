//! Which tests make a patch fail where the base is no longer what it was written for?
//!
//! Authority: `test` of RFC 6902, as kustomize carries it out (evanphx/json-patch).
//! Departs from RFC 6902: a test for `null` passes where nothing is; kustomize, and what uses its library, takes it so.
//! Knows: an object, its operations. Does not know: what they are for.

use std::collections::BTreeSet;

use json_patch::{PatchError, PatchOperation, TestOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

/// What tells an element of a list from its neighbours, best first.
const IDENTITY: [&str; 7] = [
    "name",
    "port",
    "targetPort",
    "portNumber",
    "targets",
    "job_name",
    "path",
];

/// The operations, each behind tests for what it takes for granted:
///
/// - an element of a list is the one that is meant;
/// - a list that gets a new element is as it was, or a second application would add the element twice;
/// - what is removed or overwritten is what was there;
/// - where a list or map is put, nothing is: it would be lost.
///
/// # Errors
/// When the object does not take the operations.
pub(super) fn with_guards(
    object: &Value,
    operations: &[PatchOperation],
) -> Result<Vec<PatchOperation>, PatchError> {
    let mut guarded = Guarded {
        state: object.clone(),
        known: BTreeSet::new(),
        identified: BTreeSet::new(),
        operations: Vec::new(),
    };
    for operation in operations {
        guarded.add(operation)?;
    }
    Ok(guarded.operations)
}

/// Tests for what a merge would overwrite, remove, or replace without looking: a list.
pub(super) fn of_merge(object: &Value, merge: &Value) -> Vec<PatchOperation> {
    let mut tests = Vec::new();
    collect(Some(object), merge, PointerBuf::new(), &mut tests);
    tests
}

fn collect(there: Option<&Value>, merge: &Value, at: PointerBuf, tests: &mut Vec<PatchOperation>) {
    match (there.filter(|there| !there.is_null()), merge) {
        (Some(Value::Object(there)), Value::Object(merge)) => {
            for (key, value) in merge {
                let mut below = at.clone();
                below.push_back(key.as_str());
                collect(there.get(key), value, below, tests);
            }
        }
        (Some(there), _) => tests.push(test(&at, there.clone())),
        (None, merge) if holds_list(merge) => tests.push(test(&at, Value::Null)),
        (None, _) => {}
    }
}

fn holds_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(map) => map.values().any(holds_list),
        _ => false,
    }
}

struct Guarded {
    /// The object after the operations so far.
    state: Value,
    /// Places whose whole content is certain, as it was tested or written.
    known: BTreeSet<PointerBuf>,
    /// Elements of lists of which it is certain which they are.
    identified: BTreeSet<PointerBuf>,
    operations: Vec<PatchOperation>,
}

impl Guarded {
    fn add(&mut self, operation: &PatchOperation) -> Result<(), PatchError> {
        let path = operation.path().to_owned();
        self.on_the_way(&path);
        self.at_the_place(operation, &path);
        json_patch::patch(&mut self.state, std::slice::from_ref(operation))?;
        self.operations.push(operation.clone());
        if let Some(list) = self.list_of(&path) {
            // Elements behind this one may stand elsewhere now.
            let stays = |at: &PointerBuf| !(at.starts_with(&list) && *at != list);
            self.known.retain(stays);
            self.identified.retain(stays);
        } else {
            self.known.insert(path);
        }
        Ok(())
    }

    /// Tests for the elements of lists that a path leads through.
    fn on_the_way(&mut self, path: &Pointer) {
        let mut at = PointerBuf::new();
        for token in path.parent().into_iter().flat_map(Pointer::tokens) {
            let is_element = self.is_list(&at);
            at.push_back(token);
            if is_element && !self.is_known(&at) && self.identified.insert(at.clone()) {
                let tests = identity(&self.state, &at);
                self.operations.extend(tests);
            }
        }
    }

    /// Tests for what an operation changes.
    fn at_the_place(&mut self, operation: &PatchOperation, path: &Pointer) {
        let there = path.resolve(&self.state).ok().cloned();
        match (operation, self.list_of(path)) {
            (PatchOperation::Add(_), Some(list)) => {
                let whole = list.resolve(&self.state).ok().cloned();
                self.require(&list, whole.unwrap_or_default());
            }
            (PatchOperation::Add(add), None) => match there {
                Some(there) if !there.is_null() => self.require(path, there),
                _ if add.value.is_array() || add.value.is_object() => {
                    self.require(path, Value::Null);
                }
                _ => {}
            },
            (PatchOperation::Remove(_) | PatchOperation::Replace(_), _) => {
                self.require(path, there.unwrap_or_default());
            }
            (PatchOperation::Move(_) | PatchOperation::Copy(_) | PatchOperation::Test(_), _) => {}
        }
    }

    fn require(&mut self, at: &Pointer, value: Value) {
        if !self.is_known(at) {
            self.operations.push(test(at, value));
            self.known.insert(at.to_owned());
        }
    }

    /// The list that a path leads to an element of.
    fn list_of(&self, path: &Pointer) -> Option<PointerBuf> {
        path.parent()
            .filter(|parent| self.is_list(parent))
            .map(Pointer::to_owned)
    }

    fn is_list(&self, at: &Pointer) -> bool {
        at.resolve(&self.state).is_ok_and(Value::is_array)
    }

    fn is_known(&self, at: &Pointer) -> bool {
        std::iter::successors(Some(at), |at| at.parent()).any(|at| self.known.contains(at))
    }
}

/// Tests that hold for this element and no other of its list: its first identity field, more of them if others have the
/// same, the whole element if that is not enough.
fn identity(state: &Value, at: &Pointer) -> Vec<PatchOperation> {
    let whole = |element: &Value| vec![test(at, element.clone())];
    let (Ok(element), Some(list)) = (at.resolve(state), at.parent()) else {
        return Vec::new();
    };
    let siblings = list.resolve(state).ok().and_then(Value::as_array);
    let is_alone = |fields: &[&str]| {
        let alike = |other: &&Value| {
            fields
                .iter()
                .all(|field| other.get(field) == element.get(field))
        };
        siblings.into_iter().flatten().filter(alike).count() == 1
    };
    let fields: Vec<&str> = IDENTITY
        .into_iter()
        .filter(|field| element.get(field).is_some_and(|value| !value.is_null()))
        .collect();
    let enough = (1..=fields.len())
        .map(|count| &fields[..count])
        .find(|fields| is_alone(fields));
    let Some(enough) = enough else {
        return whole(element);
    };
    let field = |name: &&str| test(&at.with_trailing_token(*name), element[*name].clone());
    enough.iter().map(field).collect()
}

fn test(at: &Pointer, value: Value) -> PatchOperation {
    PatchOperation::Test(TestOperation {
        path: at.to_owned(),
        value,
    })
}
