//! What of an object's patch is merged, and what has to be done step by step?
//!
//! Authority: kustomize: a strategic merge creates what is missing and keeps numbers, but replaces the lists of custom
//! resources whole; JSON6902 reaches into lists.
//! Departs from nothing: both together must give what the operations give, or all of it goes step by step.
//! Knows: an object, its operations. Does not know: files.

use json_patch::PatchOperation;
use jsonptr::Pointer;
use serde_json::Value;

use super::guards;
use super::numbers::large_integer;
use super::{ComponentError, Patched};

/// A patch in two parts, to be applied in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    /// Operations within lists, and tests.
    pub(super) operations: Vec<PatchOperation>,
    /// What is merged, `null` for what goes.
    pub(super) merge: Option<Value>,
}

/// The parts of an object's patch.
pub(super) fn of(object: &Patched) -> Result<Parts, ComponentError> {
    let before = &object.value;
    let after = applied(object, before, &object.operations)?;
    let within_lists: Vec<_> = object
        .operations
        .iter()
        .filter(|operation| is_within_list(before, operation.path()))
        .cloned()
        .collect();
    let Some(merge) = merged_last(before, &after, &within_lists) else {
        return Ok(Parts {
            operations: in_one(object)?,
            merge: None,
        });
    };
    if within_lists.is_empty() && large_integer(before).is_some() {
        // A test would damage the number as any other operation does.
        return Ok(Parts {
            operations: Vec::new(),
            merge,
        });
    }
    checked(object)?;
    let mut operations = match &merge {
        Some(merge) => guards::of_merge(before, merge),
        None => Vec::new(),
    };
    operations.extend(guards::with_guards(before, &within_lists).map_err(misfit(object))?);
    Ok(Parts { operations, merge })
}

/// The patch with nothing merged.
pub(super) fn in_one(object: &Patched) -> Result<Vec<PatchOperation>, ComponentError> {
    checked(object)?;
    guards::with_guards(&object.value, &object.operations).map_err(misfit(object))
}

/// What is to be merged after the operations within lists, if anything; `None` if a merge cannot do it.
fn merged_last(
    before: &Value,
    after: &Value,
    within_lists: &[PatchOperation],
) -> Option<Option<Value>> {
    let mut between = before.clone();
    json_patch::patch(&mut between, within_lists).ok()?;
    let merge = difference(&between, after);
    if let Some(merge) = &merge {
        json_patch::merge(&mut between, merge);
    }
    (between == *after).then_some(merge)
}

/// The merge patch (RFC 7396) from one value to another.
fn difference(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        _ if before == after => None,
        (Value::Object(before), Value::Object(after)) => {
            let gone = before
                .keys()
                .filter(|key| !after.contains_key(*key))
                .map(|key| (key.clone(), Value::Null));
            let new = after.iter().filter_map(|(key, after)| {
                let difference = match before.get(key) {
                    Some(before) => difference(before, after),
                    None => Some(after.clone()),
                };
                Some((key.clone(), difference?))
            });
            Some(Value::Object(gone.chain(new).collect()))
        }
        _ => Some(after.clone()),
    }
}

/// Whether a path leads into a list that the object has.
fn is_within_list(object: &Value, path: &Pointer) -> bool {
    std::iter::successors(path.parent(), |at| at.parent())
        .any(|at| at.resolve(object).is_ok_and(Value::is_array))
}

fn applied(
    object: &Patched,
    value: &Value,
    operations: &[PatchOperation],
) -> Result<Value, ComponentError> {
    let mut value = value.clone();
    json_patch::patch(&mut value, operations).map_err(misfit(object))?;
    Ok(value)
}

fn misfit(object: &Patched) -> impl Fn(json_patch::PatchError) -> ComponentError + '_ {
    |problem| ComponentError::Misfit {
        object: object.id.clone(),
        problem: problem.to_string(),
    }
}

/// Whether JSON6902 does the object no harm.
fn checked(object: &Patched) -> Result<(), ComponentError> {
    match large_integer(&object.value) {
        None => Ok(()),
        Some((at, value)) => Err(ComponentError::LargeInteger {
            object: object.id.clone(),
            at: at.to_string(),
            value,
        }),
    }
}
