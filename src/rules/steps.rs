//! How does a change of one place become a step?
//!
//! Authority: RFC 6902.
//! Departs from nothing.
//! Knows: places and values. Does not know: what is changed, and why.

use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::Pointer;
use serde_json::Value;

use super::decision::Step;

/// An `add` of a key to the map, or of an element to the list, at `at`.
pub(super) fn add(at: &Pointer, key: &str, value: Value) -> Step {
    Step::Op(PatchOperation::Add(AddOperation {
        path: at.with_trailing_token(key),
        value,
    }))
}

/// An `add` at a place.
pub(super) fn add_at(at: &Pointer, value: Value) -> Step {
    Step::Op(PatchOperation::Add(AddOperation {
        path: at.to_buf(),
        value,
    }))
}

/// A `remove` of a place.
pub(super) fn remove_at(at: &Pointer) -> Step {
    Step::Op(PatchOperation::Remove(RemoveOperation {
        path: at.to_buf(),
    }))
}

/// A `replace` of a key of the map at `at`.
pub(super) fn replace(at: &Pointer, key: &str, value: Value) -> Step {
    Step::Op(PatchOperation::Replace(ReplaceOperation {
        path: at.with_trailing_token(key),
        value,
    }))
}

/// A `remove` of a key of the map, or of an element of the list, at `at`.
pub(super) fn remove(at: &Pointer, key: &str) -> Step {
    Step::Op(PatchOperation::Remove(RemoveOperation {
        path: at.with_trailing_token(key),
    }))
}
