//! What of an object's patch is merged, and what has to be done step by step?
//!
//! Authority: kustomize: a strategic merge creates what is missing and keeps numbers, but replaces the lists of custom
//! resources whole; JSON6902 reaches into lists.
//! Departs from nothing: both together must give what the operations give, or all of it goes step by step.
//! Knows: an object, its operations. Does not know: files.

use json_patch::PatchOperation;
use jsonptr::Pointer;
use serde_json::Value;

use super::guards::{self, OfMerge};
use super::numbers::large_integer;
use super::{ComponentError, Patched};

/// A patch in parts, to be applied in this order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    /// Empty maps, to be merged before the rest.
    pub(super) maps: Option<Value>,
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
            maps: None,
            operations: in_one(object)?,
            merge: None,
        });
    };
    if within_lists.is_empty() && large_integer(before).is_some() {
        // A test would damage the number as any other operation does.
        return Ok(Parts {
            maps: None,
            operations: Vec::new(),
            merge,
        });
    }
    checked(object)?;
    let OfMerge {
        maps,
        tests: mut operations,
    } = match &merge {
        Some(merge) => guards::of_merge(before, merge),
        None => OfMerge::default(),
    };
    operations.extend(guards::with_guards(before, &within_lists).map_err(misfit(object))?);
    if !operations.is_empty() {
        operations.splice(0..0, guards::of_name(&object.value));
    }
    Ok(Parts {
        maps,
        operations,
        merge,
    })
}

/// The patch with nothing merged.
pub(super) fn in_one(object: &Patched) -> Result<Vec<PatchOperation>, ComponentError> {
    checked(object)?;
    let mut operations =
        guards::with_guards(&object.value, &object.operations).map_err(misfit(object))?;
    operations.splice(0..0, guards::of_name(&object.value));
    Ok(operations)
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
        object: object.id.to_string(),
        problem: problem.to_string(),
    }
}

/// Whether JSON6902 does the object no harm.
fn checked(object: &Patched) -> Result<(), ComponentError> {
    match large_integer(&object.value) {
        None => Ok(()),
        Some((at, value)) => Err(ComponentError::LargeInteger {
            object: object.id.to_string(),
            at: at.to_string(),
            value,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::super::Id;
    use super::*;

    fn patched(mut value: Value, operations: Value) -> Patched {
        value["metadata"] = json!({"name": "agent"});
        Patched {
            id: Id {
                kind: "VMAgent".to_owned(),
                namespace: None,
                name: "agent".to_owned(),
                api_version: "v1".to_owned(),
            },
            value,
            operations: from_value(operations).expect("operations"),
        }
    }

    /// What kustomize makes of the parts, in its order; tests for nothing are left out, which json-patch refuses.
    fn together(object: &Patched, parts: &Parts) -> Value {
        let mut value = object.value.clone();
        let is_for_nothing = |operation: &&PatchOperation| matches!(operation, PatchOperation::Test(test) if test.value.is_null());
        let operations: Vec<_> = parts
            .operations
            .iter()
            .filter(|operation| !is_for_nothing(operation))
            .cloned()
            .collect();
        json_patch::patch(&mut value, &operations).expect("it fits");
        if let Some(merge) = &parts.merge {
            json_patch::merge(&mut value, merge);
        }
        value
    }

    fn checked_parts(value: Value, operations: Value) -> Parts {
        let object = patched(value, operations);
        let parts = of(&object).expect("parts");
        let after = applied(&object, &object.value, &object.operations).expect("it fits");
        assert_eq!(together(&object, &parts), after);
        parts
    }

    #[test]
    fn maps_are_merged_and_lists_are_reached_into() {
        let parts = checked_parts(
            json!({"l": [{"name": "a"}], "gone": 1}),
            json!([
                {"op": "add", "path": "/m", "value": {"x": "y"}},
                {"op": "add", "path": "/l/0/b", "value": 1},
                {"op": "add", "path": "/m/80", "value": "a key"},
                {"op": "remove", "path": "/gone"},
            ]),
        );
        assert_eq!(
            parts.merge,
            Some(json!({"gone": null, "m": {"x": "y", "80": "a key"}}))
        );
        let paths: Vec<&str> = parts
            .operations
            .iter()
            .map(|operation| operation.path().as_str())
            .collect();
        assert_eq!(
            paths,
            [
                "/metadata/name",
                "/metadata/namespace",
                "/gone",
                "/m",
                "/l/0/name",
                "/l/0/b",
                "/l/0/b"
            ]
        );
    }

    #[test]
    fn a_list_that_is_new_is_merged_with_all_that_comes_into_it() {
        let parts = checked_parts(
            json!({}),
            json!([
                {"op": "add", "path": "/l", "value": [1]},
                {"op": "add", "path": "/l/-", "value": 2},
            ]),
        );
        assert_eq!(parts.merge, Some(json!({"l": [1, 2]})));
    }

    /// A merge cannot write `null`, and what it brings last must not need what comes first.
    #[test]
    fn what_a_merge_cannot_do_goes_step_by_step() {
        for (value, operations) in [
            (
                json!({}),
                json!([{"op": "add", "path": "/a", "value": {"b": null}}]),
            ),
            (
                json!({"l": [{"name": "a"}]}),
                json!([
                    {"op": "add", "path": "/l", "value": [{"name": "b"}, {"name": "c"}]},
                    {"op": "add", "path": "/l/1/x", "value": 1},
                ]),
            ),
        ] {
            let parts = checked_parts(value, operations);
            assert_eq!(parts.merge, None);
        }
    }

    #[test]
    fn with_a_large_integer_nothing_but_a_merge_is_written() {
        let large = json!({"n": u64::MAX, "scheme": "http", "l": []});
        let merged = checked_parts(
            large.clone(),
            json!([{"op": "add", "path": "/scheme", "value": "https"}]),
        );
        assert_eq!(merged.operations, []);
        let within = patched(large, json!([{"op": "add", "path": "/l/-", "value": 1}]));
        for refused in [of(&within).map(|_| ()), in_one(&within).map(|_| ())] {
            assert!(
                matches!(refused, Err(ComponentError::LargeInteger { .. })),
                "{refused:?}"
            );
        }
    }
}
