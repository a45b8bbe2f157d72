//! Which tests make a patch fail where the base is no longer what it was written for?
//!
//! Authority: `test` of RFC 6902, as kustomize carries it out (evanphx/json-patch).
//! Departs from RFC 6902: a test for `null` passes where nothing is; kustomize, and what uses its library, takes it so.
//! Knows: an object, its operations. Does not know: what they are for.

use std::collections::BTreeSet;

use json_patch::{PatchError, PatchOperation, TestOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Value, json};

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
/// - where something is put, nothing is: it would be lost.
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

/// Tests that this is the object that is meant: a target selects by names of before as well, so that the patch of `web`
/// would hit the `blue-web` that was `web` once, too.
pub(super) fn of_name(object: &Value) -> [PatchOperation; 2] {
    ["name", "namespace"].map(|field| {
        let at = PointerBuf::from_tokens(["metadata", field]);
        let there = at.resolve(object).ok().cloned();
        test(&at, there.unwrap_or_default())
    })
}

/// Maps that others fill as well, so that a merge goes well with what came later, key by key.
const SHARED: [&str; 3] = ["podMetadata", "annotations", "labels"];

/// What makes a merge fail where it would do damage.
#[derive(Debug, Default)]
pub(super) struct OfMerge {
    /// Nothing but empty maps, to be merged first: below a map that is not there kustomize tests nothing.
    pub(super) maps: Option<Value>,
    /// Tests for what it would overwrite, remove, or replace without looking.
    pub(super) tests: Vec<PatchOperation>,
}

/// The guards of a merge.
pub(super) fn of_merge(object: &Value, merge: &Value) -> OfMerge {
    let mut guards = OfMerge::default();
    collect(Some(object), merge, PointerBuf::new(), &mut guards);
    guards
}

fn collect(there: Option<&Value>, merge: &Value, at: PointerBuf, guards: &mut OfMerge) {
    let is_shared = || {
        at.last()
            .is_some_and(|last| SHARED.contains(&&*last.decoded()))
    };
    match (there.filter(|there| !there.is_null()), merge) {
        (Some(Value::Object(there)), Value::Object(merge)) => {
            for (key, value) in merge {
                collect(there.get(key), value, below(&at, key), guards);
            }
        }
        (Some(there), _) => guards.tests.push(test(&at, there.clone())),
        (None, Value::Null) => {}
        (None, Value::Object(merge)) if is_shared() => {
            put_map(guards.maps.get_or_insert_default(), &at);
            for (key, value) in merge {
                collect(None, value, below(&at, key), guards);
            }
        }
        (None, _) => guards.tests.push(test(&at, Value::Null)),
    }
}

fn below(at: &Pointer, key: &str) -> PointerBuf {
    at.with_trailing_token(key)
}

/// Puts an empty map in this place, and what leads to it.
fn put_map(maps: &mut Value, at: &Pointer) {
    let place = at
        .tokens()
        .fold(maps, |map, token| &mut map[&*token.decoded()]);
    if place.is_null() {
        *place = json!({});
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
            (PatchOperation::Add(_), None)
            | (PatchOperation::Remove(_) | PatchOperation::Replace(_), _) => {
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

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    /// The tests and operations, one line each.
    fn guarded(object: Value, operations: Value) -> Vec<String> {
        let operations: Vec<PatchOperation> = from_value(operations).expect("operations");
        let guarded = with_guards(&object, &operations).expect("they fit");
        hold(&object, &guarded);
        guarded.iter().map(line).collect()
    }

    fn line(operation: &PatchOperation) -> String {
        let value = serde_json::to_value(operation).expect("JSON");
        let op = value["op"].as_str().expect("a word");
        match value.get("value") {
            Some(value) => format!("{op} {} {value}", operation.path()),
            None => format!("{op} {}", operation.path()),
        }
    }

    /// Every test passes where it stands; one for `null` where nothing is, as kustomize has it.
    fn hold(object: &Value, operations: &[PatchOperation]) {
        let mut state = object.clone();
        for operation in operations {
            match operation {
                PatchOperation::Test(test) if test.value.is_null() => {
                    assert!(test.path.resolve(&state).is_err(), "{}", test.path);
                    let parent = test.path.parent().expect("it is below something");
                    assert!(parent.resolve(&state).is_ok(), "{}", test.path);
                }
                other => json_patch::patch(&mut state, std::slice::from_ref(other))
                    .unwrap_or_else(|error| panic!("{}: {error}", line(other))),
            }
        }
    }

    #[test]
    fn an_element_is_known_by_the_first_of_its_fields() {
        for (element, expected) in [
            (
                json!({"path": "/a", "port": "web", "name": "n"}),
                "test /l/0/name \"n\"",
            ),
            (
                json!({"path": "/a", "targetPort": 80, "port": "web"}),
                "test /l/0/port \"web\"",
            ),
            (
                json!({"portNumber": 80, "targetPort": 8080}),
                "test /l/0/targetPort 8080",
            ),
            (json!({"portNumber": 80}), "test /l/0/portNumber 80"),
            (
                json!({"targets": ["a:80"], "path": "/a"}),
                "test /l/0/targets [\"a:80\"]",
            ),
            (json!({"job_name": "a"}), "test /l/0/job_name \"a\""),
            (json!({"path": "/a"}), "test /l/0/path \"/a\""),
            (
                json!({"port": null, "interval": "1s"}),
                "test /l/0 {\"port\":null,\"interval\":\"1s\"}",
            ),
        ] {
            let object = json!({"l": [element]});
            let guarded = guarded(
                object,
                json!([{"op": "add", "path": "/l/0/scheme", "value": "https"}]),
            );
            assert_eq!(
                guarded,
                [
                    expected,
                    "test /l/0/scheme null",
                    "add /l/0/scheme \"https\""
                ]
            );
        }
    }

    #[test]
    fn an_element_with_a_namesake_is_known_by_more() {
        let add = json!([{"op": "add", "path": "/l/1/scheme", "value": "https"}]);
        let by_path = guarded(
            json!({"l": [{"port": "a", "path": "/x"}, {"port": "a", "path": "/y"}]}),
            add.clone(),
        );
        assert_eq!(
            by_path[..2],
            ["test /l/1/port \"a\"", "test /l/1/path \"/y\""]
        );
        let whole = guarded(
            json!({"l": [{"port": "a"}, {"port": "a", "honorLabels": true}]}),
            add,
        );
        assert_eq!(whole[0], "test /l/1 {\"port\":\"a\",\"honorLabels\":true}");
    }

    #[test]
    fn an_element_is_tested_once_however_much_is_done_to_it() {
        let guarded = guarded(
            json!({"l": [{"interval": "1s", "tlsConfig": {"caFile": "a"}}]}),
            json!([
                {"op": "add", "path": "/l/0/scheme", "value": "https"},
                {"op": "replace", "path": "/l/0/tlsConfig/caFile", "value": "b"},
                {"op": "add", "path": "/l/0/tlsConfig/keyFile", "value": "c"},
            ]),
        );
        assert_eq!(
            guarded,
            [
                "test /l/0 {\"interval\":\"1s\",\"tlsConfig\":{\"caFile\":\"a\"}}",
                "test /l/0/scheme null",
                "add /l/0/scheme \"https\"",
                "test /l/0/tlsConfig/caFile \"a\"",
                "replace /l/0/tlsConfig/caFile \"b\"",
                "test /l/0/tlsConfig/keyFile null",
                "add /l/0/tlsConfig/keyFile \"c\"",
            ]
        );
    }

    #[test]
    fn where_elements_go_those_behind_them_are_tested_at_their_new_place() {
        let guarded = guarded(
            json!({"l": [{"a": 1}, {"a": 2}, {"name": "n"}]}),
            json!([
                {"op": "add", "path": "/l/2/x", "value": 1},
                {"op": "remove", "path": "/l/0"},
                {"op": "remove", "path": "/l/0"},
                {"op": "add", "path": "/l/0/y", "value": 2},
            ]),
        );
        assert_eq!(
            guarded,
            [
                "test /l/2/name \"n\"",
                "test /l/2/x null",
                "add /l/2/x 1",
                "test /l/0 {\"a\":1}",
                "remove /l/0",
                "test /l/0 {\"a\":2}",
                "remove /l/0",
                "test /l/0/name \"n\"",
                "test /l/0/y null",
                "add /l/0/y 2",
            ]
        );
    }

    /// Or the same patch, applied again, would append again.
    #[test]
    fn a_list_that_grows_is_tested_whole() {
        let guarded = guarded(
            json!({"e": [{"port": "a", "rules": [{"action": "drop"}]}]}),
            json!([
                {"op": "add", "path": "/e/0/rules/-", "value": {"b": 1}},
                {"op": "add", "path": "/e/0/rules/-", "value": {"b": 2}},
            ]),
        );
        assert_eq!(
            guarded,
            [
                "test /e/0/port \"a\"",
                "test /e/0/rules [{\"action\":\"drop\"}]",
                "add /e/0/rules/- {\"b\":1}",
                "add /e/0/rules/- {\"b\":2}",
            ]
        );
    }

    #[test]
    fn nothing_is_put_over_what_came_later() {
        let put = guarded(
            json!({"spec": {}}),
            json!([
                {"op": "add", "path": "/spec/rules", "value": []},
                {"op": "add", "path": "/spec/rules/-", "value": {"a": 1}},
                {"op": "add", "path": "/spec/scheme", "value": "https"},
            ]),
        );
        assert_eq!(
            put,
            [
                "test /spec/rules null",
                "add /spec/rules []",
                "add /spec/rules/- {\"a\":1}",
                "test /spec/scheme null",
                "add /spec/scheme \"https\"",
            ]
        );
    }

    #[test]
    fn a_merge_is_tested_where_it_overwrites_and_where_it_brings_a_list() {
        let object = json!({"spec": {"scheme": "http", "tls": {"a": 1}, "meta": {"x": "y"}, "nothing": null}});
        let merge = json!({"spec": {
            "scheme": "https",
            "tls": null,
            "meta": {"z": "new", "deep": {"list": []}},
            "volumes": [1],
            "other": {"a": "b"},
            "nothing": [2],
            "gone": null,
        }});
        let guards = of_merge(&object, &merge);
        let tests: Vec<String> = guards.tests.iter().map(line).collect();
        assert_eq!(guards.maps, None);
        assert_eq!(
            tests,
            [
                "test /spec/scheme \"http\"",
                "test /spec/tls {\"a\":1}",
                "test /spec/meta/z null",
                "test /spec/meta/deep null",
                "test /spec/volumes null",
                "test /spec/other null",
                "test /spec/nothing null",
            ]
        );
    }

    #[test]
    fn in_maps_that_others_fill_each_key_is_tested() {
        let merge = json!({"spec": {"podMetadata": {
            "annotations": {"a/b": "c", "d": "e"},
            "labels": {"f": "g"},
        }}});
        let expected = [
            "test /spec/podMetadata/annotations/a~1b null",
            "test /spec/podMetadata/annotations/d null",
            "test /spec/podMetadata/labels/f null",
        ];
        let empty = json!({"annotations": {}, "labels": {}});
        for (object, maps) in [
            (json!({}), Some(empty.clone())),
            (json!({"podMetadata": null}), Some(empty)),
            (
                json!({"podMetadata": {"labels": {"x": "y"}}}),
                Some(json!({"annotations": {}})),
            ),
            (
                json!({"podMetadata": {"labels": {}, "annotations": {}}}),
                None,
            ),
        ] {
            let guards = of_merge(&json!({"spec": object}), &merge);
            let tests: Vec<String> = guards.tests.iter().map(line).collect();
            assert_eq!(tests, expected);
            let maps = maps.map(|maps| json!({"spec": {"podMetadata": maps}}));
            assert_eq!(guards.maps, maps);
        }
    }
}
