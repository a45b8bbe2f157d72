//! Holds an edited text against `json-patch` and against the text before.

use std::collections::BTreeMap;

use istio_scrape::yaml::{self, Content, Document, EditError, Node, Rules, Style, Syntax};
use json_patch::{Patch, PatchOperation};
use serde_json::{Map, Value, json};

use super::author::Author;

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It is no YAML.
    NotYaml,
    /// Nothing in it can be patched: no value in JSON, no document there, a key written twice.
    NoValue,
    /// The editor refused the patch, for the reason named.
    Refused(&'static str),
    /// The patch was carried out, and all is as it should be.
    Edited,
}

/// Reads a text in every way; the ways have to agree.
pub(crate) fn read_alike(text: &str) -> Result<Option<Vec<Document<'_>>>, String> {
    let parsed = yaml::parse(text);
    if let Some(quick) = yaml::read_regular(text) {
        let Ok(parsed) = &parsed else {
            return Err(format!("the parser refuses what is claimed:\n{text:?}"));
        };
        if format!("{quick:?}") != format!("{parsed:?}") {
            return Err(format!("read otherwise than parsed:\n{text:?}"));
        }
    }
    let read = yaml::read(text);
    if read.is_ok() != parsed.is_ok() {
        return Err(format!("read and parse disagree:\n{text:?}"));
    }
    if let (Ok(read), Ok(parsed)) = (&read, &parsed)
        && format!("{read:?}") != format!("{parsed:?}")
    {
        return Err(format!("read otherwise than parsed:\n{text:?}"));
    }
    Ok(parsed.ok())
}

/// Edits a document of a text as the author likes, and looks at what comes out.
pub(crate) fn check(text: &str, position: usize, author: &mut Author) -> Result<Outcome, String> {
    let Some(documents) = read_alike(text)? else {
        return Ok(Outcome::NotYaml);
    };
    let Some((document, root)) = documents
        .get(position)
        .and_then(|document| Some((document, document.root.as_ref()?)))
    else {
        return Ok(Outcome::NoValue);
    };
    let item = root
        .get("items")
        .and_then(|items| items.items().first())
        .filter(|item| !item.entries().is_empty());
    let target = item.unwrap_or(root);
    let (Ok(value), Ok(other)) = (target.value(Rules::Kubectl), target.value(Rules::Kustomize))
    else {
        return Ok(Outcome::NoValue);
    };
    if root.duplicate_key().is_some() || shape(&value) != shape(&other) {
        return Ok(Outcome::NoValue);
    }
    let patch = author.patch(&value);
    let edits = match yaml::edits(text, target, document.syntax, &patch.0) {
        Ok(edits) => edits,
        Err(refusal) => return refused(text, &patch, &refusal),
    };
    if !edits.is_sorted_by(|one, two| one.range.end <= two.range.start) {
        return Err(format!(
            "edits overlap\n{patch}\n{text}\n{text:?}\n{edits:?}"
        ));
    }
    let after = yaml::splice(text, &edits);
    let story = format!(
        "--- before\n{text}\n--- patch\n{patch}\n--- after\n{after}\n---\n{text:?}\n{after:?}\n{edits:?}"
    );
    let fail = |what: &str| Err(format!("{what}\n{story}"));
    let again = match read_alike(&after) {
        Ok(Some(again)) => again,
        Ok(None) => return fail(&format!("{}", yaml::parse(&after).expect_err("refused"))),
        Err(problem) => return fail(&problem),
    };
    if again.len() != documents.len() {
        return fail("another number of documents");
    }
    for (i, (old, new)) in documents.iter().zip(&again).enumerate() {
        let (Some(old), Some(new)) = (&old.root, &new.root) else {
            if old.root.is_some() != new.root.is_some() {
                return fail("a document came or went");
            }
            continue;
        };
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            let expected = old.value(rules).map(|mut expected| {
                if i == position {
                    let target = match item {
                        Some(_) => &mut expected["items"][0],
                        None => &mut expected,
                    };
                    json_patch::patch(target, &patch).expect("the value took it");
                }
                expected
            });
            // Offsets of what cannot be read move.
            if new.value(rules).map_err(drop) != expected.map_err(drop) {
                return fail(&format!("another value: {:?}", new.value(rules)));
            }
        }
    }
    let new_root = again[position].root.as_ref().expect("it is there");
    if document.syntax == Syntax::Json && again[position].syntax != Syntax::Json {
        return fail("no longer JSON");
    }
    let mut expected = spelled(text, root);
    let in_item = match item {
        Some(_) => &mut expected["items"][0],
        None => &mut expected,
    };
    if !patch_spelling(in_item, &patch) {
        return fail("the patch does not fit the nodes");
    }
    if let Err(place) = same_spelling(&expected, &spelled(&after, new_root)) {
        return fail(&format!("spelled otherwise: {place}"));
    }
    if keeps_collections(&value, &patch) {
        for (comment, count) in comments(text, root) {
            if after.matches(comment).count() < count {
                return fail(&format!("lost the comment {comment:?}"));
            }
        }
    }
    if is_idempotent(&value, &patch) {
        let new_item = new_root
            .get("items")
            .and_then(|items| items.items().first());
        let new_target = item.map_or(Some(new_root), |_| new_item).expect("there");
        match yaml::edits(&after, new_target, again[position].syntax, &patch.0) {
            Ok(twice) => {
                let twice = yaml::splice(&after, &twice);
                if twice != after {
                    return fail(&format!(
                        "another text the second time:\n{twice}\n{twice:?}"
                    ));
                }
            }
            // What was there already did not count as an operation the first time.
            Err(EditError::Dependent { .. }) => {}
            Err(refusal) => return fail(&format!("refused the second time: {refusal}")),
        }
    }
    Ok(Outcome::Edited)
}

/// A refusal has to have its reason in the text or in the patch.
fn refused(text: &str, patch: &Patch, refusal: &EditError) -> Result<Outcome, String> {
    let (reason, holds) = match refusal {
        EditError::Dependent { .. } => ("builds on an earlier operation", patch.0.len() > 1),
        EditError::Unsupported { pointer, .. } => {
            ("replaces the whole", pointer.as_str().is_empty())
        }
        EditError::Shared { .. } => ("shared", text.contains('&')),
        EditError::Missing { .. } => ("missing", false),
        EditError::Repeated { .. } => ("repeated", false),
    };
    if holds {
        Ok(Outcome::Refused(reason))
    } else {
        Err(format!("{refusal}\n{patch}\n{text}\n{text:?}"))
    }
}

/// A value without its scalars.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), shape(v))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        _ => Value::Null,
    }
}

const NEW: &str = "\u{0}new";

/// A node with the text of each scalar in place of its value.
fn spelled(text: &str, node: &Node<'_>) -> Value {
    let written = &text[node.range.clone()];
    let properties = format!("{}{} ", node.anchored, node.tag.as_deref().unwrap_or(""));
    match &node.content {
        Content::Scalar(_, Style::Literal | Style::Folded) => {
            json!(properties + written.trim_end_matches(['\n', '\r', ' ']))
        }
        Content::Scalar(..) | Content::Alias(_) => json!(properties + written),
        Content::Sequence { items, .. } => items.iter().map(|item| spelled(text, item)).collect(),
        Content::Mapping { entries, .. } => entries
            .iter()
            .map(|(key, value)| {
                let name = key.text().unwrap_or_default().to_owned();
                (name, spelled(text, value))
            })
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// Carries out the patch on spelled nodes; what is new has no spelling that could be foreseen.
fn patch_spelling(spelled: &mut Value, patch: &Patch) -> bool {
    let new = || json!({NEW: true});
    patch.0.iter().all(|operation| {
        let mut operation = operation.clone();
        match &mut operation {
            PatchOperation::Add(add) => add.value = new(),
            PatchOperation::Replace(replace) => replace.value = new(),
            _ => {}
        }
        json_patch::patch(spelled, std::slice::from_ref(&operation)).is_ok()
            // A key that a merge brought in is written where it is overridden.
            || matches!(operation, PatchOperation::Replace(replace)
                if json_patch::patch(spelled, &[PatchOperation::Add(json_patch::AddOperation {
                    path: replace.path.clone(),
                    value: new(),
                })]).is_ok())
    })
}

fn same_spelling(expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(new), _) if new.contains_key(NEW) => Ok(()),
        (Value::Object(expected), Value::Object(found)) => {
            if !expected.keys().all(|key| found.contains_key(key)) || expected.len() != found.len()
            {
                return Err(format!("{:?} {:?}", expected.keys(), found.keys()));
            }
            expected
                .iter()
                .try_for_each(|(key, value)| same_spelling(value, &found[key]))
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .try_for_each(|(expected, found)| same_spelling(expected, found)),
        (expected, found) if expected == found => Ok(()),
        (expected, found) => Err(format!("{expected} {found}")),
    }
}

/// Whether nothing goes but scalars, so that no comment may go.
fn keeps_collections(value: &Value, patch: &Patch) -> bool {
    patch.0.iter().all(|operation| match operation {
        PatchOperation::Add(add) => is_scalar(value.pointer(add.path.as_str())),
        PatchOperation::Replace(replace) => is_scalar(value.pointer(replace.path.as_str())),
        _ => false,
    })
}

fn is_scalar(value: Option<&Value>) -> bool {
    !matches!(value, Some(Value::Object(_) | Value::Array(_)))
}

/// Whether the patch, carried out a second time, changes nothing.
fn is_idempotent(value: &Value, patch: &Patch) -> bool {
    let mut once = value.clone();
    if json_patch::patch(&mut once, patch).is_err() {
        return false;
    }
    let mut twice = once.clone();
    let appends = |operation: &PatchOperation| match operation {
        PatchOperation::Add(add) => {
            let parent = add.path.parent().map(|parent| parent.as_str());
            parent
                .and_then(|parent| value.pointer(parent))
                .is_none_or(Value::is_array)
        }
        PatchOperation::Replace(_) => false,
        _ => true,
    };
    !patch.0.iter().any(appends) && json_patch::patch(&mut twice, patch).is_ok() && once == twice
}

/// The comments between the values, and how often each is there.
fn comments<'t>(text: &'t str, root: &Node<'_>) -> BTreeMap<&'t str, usize> {
    let mut leaves = Vec::new();
    leaves_of(root, &mut leaves);
    leaves.sort_unstable();
    let mut found = BTreeMap::new();
    let mut at = root.range.start;
    for (start, end) in leaves.into_iter().chain([(root.range.end, root.range.end)]) {
        for line in text[at.min(start)..start].split(['\n', '\r']) {
            if let Some(hash) = line.find('#')
                && line[..hash].ends_with([' ', '\t'])
            {
                *found.entry(line[hash..].trim_end()).or_insert(0) += 1;
            }
        }
        at = end;
    }
    found
}

fn leaves_of(node: &Node<'_>, leaves: &mut Vec<(usize, usize)>) {
    match &node.content {
        Content::Scalar(..) | Content::Alias(_) => leaves.push((node.range.start, node.range.end)),
        Content::Sequence { items, .. } => items.iter().for_each(|item| leaves_of(item, leaves)),
        Content::Mapping { entries, .. } => entries.iter().for_each(|(key, value)| {
            leaves_of(key, leaves);
            leaves_of(value, leaves);
        }),
    }
}
