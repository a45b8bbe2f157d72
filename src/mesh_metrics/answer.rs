//! What comes back to a host that asked for the objects?
//!
//! Authority: KRM Functions Specification v1: a function answers with all items, its own among them.
//! Departs from it: the function's own configuration, which kustomize gives a generator for want of items, does not come back.
//! Knows: items and who made them. Does not know: which objects are made, and why.

use std::collections::BTreeMap;
use std::slice;

use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::PointerBuf;
use serde_json::{Value, json};
use thiserror::Error;

use super::{MADE_BY, objects, warnings};
use crate::config::{MeshMetrics, is_mesh_metrics};
use crate::krm::{self, CloseError, Item, OpenError, Package, Source};
use crate::yaml::{self, EditError, Rules, ValueError};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// An item with the name of one of ours that cannot be read.
    #[error("{place}: {error}")]
    Unreadable {
        /// Where the item is.
        place: String,
        /// What is wrong with it.
        error: ValueError,
    },
    /// The items cannot be edited.
    #[error("{source_name}: its items cannot be edited: {error}; write it in block style")]
    Items {
        /// The source.
        source_name: String,
        /// Why.
        error: EditError,
    },
    /// What comes out cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The results cannot be written.
    #[error(transparent)]
    Close(#[from] CloseError),
}

/// The answer to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The ResourceList.
    pub output: String,
    /// Lines for stderr.
    pub messages: Vec<String>,
}

/// What is done about an object.
enum Step<'a, 't> {
    /// It is there already, as it is to be.
    Keep,
    /// An older version of it is there.
    Renew(&'a Item<'t>, Value),
    /// Somebody else made one of that name.
    Leave,
    /// It is not there.
    Append,
}

/// The ResourceList of a package with the objects in it: what was made before is brought up to date, what others made
/// under the same name stays theirs.
///
/// # Errors
/// When the text of the items cannot be edited.
pub fn answer(package: &Package<'_>, config: &MeshMetrics) -> Result<Answer, AnswerError> {
    let mut operations = Vec::new();
    let (mut messages, mut results) = (warnings(config), Vec::new());
    let mut appended = Vec::new();
    let positions = positions(package);
    let path_of = |item: &Item<'_>| {
        let position = positions.get(&item.value.start()).copied();
        [
            "items".to_owned(),
            position.unwrap_or(item.index).to_string(),
        ]
    };
    for object in objects(config) {
        let step = step(package, &object)?;
        let (severity, what) = match &step {
            Step::Keep => ("info", "is there already"),
            Step::Renew(..) => ("info", "is there already, and brought up to date"),
            Step::Leave => (
                "warning",
                "is there already, made by somebody else: it stays, and this function makes none; \
                 give MeshMetrics another metadata.name or namespace, or remove the object",
            ),
            Step::Append => ("", ""),
        };
        if !what.is_empty() {
            let message = format!("{} {what}", called(&object));
            results.push(result(severity, &message, &object));
            messages.push(format!("{severity}: {message}"));
        }
        match step {
            Step::Keep | Step::Leave => {}
            Step::Renew(item, before) => {
                renew(&before, &object, &path_of(item), &mut operations);
            }
            Step::Append => appended.push(object),
        }
    }
    let own = package.items.iter().filter(|item| is_own(item));
    for item in own {
        let path = PointerBuf::from_tokens(path_of(item));
        operations.push(PatchOperation::Remove(RemoveOperation { path }));
    }
    let output = edited(package.sources(), &operations, appended, &results)?;
    Ok(Answer { output, messages })
}

/// The position in `items` of what begins at a byte: an empty item is none, but has a position.
fn positions(package: &Package<'_>) -> BTreeMap<usize, usize> {
    let mut positions = BTreeMap::new();
    for source in package.sources() {
        let documents = yaml::read(&source.text).unwrap_or_default();
        let root = documents.iter().find_map(|document| document.root.as_ref());
        let items = root.and_then(|root| root.get("items"));
        let items = items.map_or(&[][..], yaml::Node::items);
        for (position, item) in items.iter().enumerate() {
            positions.insert(item.range.start, position);
        }
    }
    positions
}

fn step<'a, 't>(package: &'a Package<'t>, object: &Value) -> Result<Step<'a, 't>, AnswerError> {
    let mut same = package.items.iter().filter(|item| is_same(item, object));
    let Some(item) = same.next() else {
        return Ok(Step::Append);
    };
    let before = package
        .read(item)?
        .value(Rules::Kustomize)
        .map_err(|error| AnswerError::Unreadable {
            place: package.place(item).to_string(),
            error,
        })?;
    let maker = |object: &Value| object["metadata"]["annotations"][MADE_BY].clone();
    Ok(
        match (maker(&before) == maker(object), holds(&before, object)) {
            (true, true) => Step::Keep,
            (true, false) => Step::Renew(item, before),
            (false, _) => Step::Leave,
        },
    )
}

/// The identity that hosts match items by, without the version.
fn is_same(item: &Item<'_>, object: &Value) -> bool {
    let group = |api_version: &str| api_version.split('/').next().map(str::to_owned);
    let metadata = item.metadata();
    let namespace = metadata.as_deref().and_then(|node| {
        let namespace = node.get("namespace")?;
        namespace.text().map(str::to_owned)
    });
    group(&item.api_version) == object["apiVersion"].as_str().and_then(group)
        && object["kind"] == *item.kind
        && object["metadata"]["name"] == *item.name
        && object["metadata"]["namespace"].as_str() == namespace.as_deref()
}

/// Whether an object is as it is to be. Hosts add annotations, and other functions labels.
fn holds(before: &Value, object: &Value) -> bool {
    let metadata = |field: &str| {
        let wanted = object["metadata"][field].as_object();
        let mut wanted = wanted.into_iter().flatten();
        wanted.all(|(key, value)| before["metadata"][field].get(key) == Some(value))
    };
    before["apiVersion"] == object["apiVersion"]
        && before["spec"] == object["spec"]
        && metadata("labels")
        && metadata("annotations")
}

/// Brings an object up to date, and leaves alone what others added to its metadata.
fn renew(before: &Value, object: &Value, at: &[String], operations: &mut Vec<PatchOperation>) {
    let path = |tokens: &[&str]| {
        let at = at.iter().map(String::as_str);
        PointerBuf::from_tokens(at.chain(tokens.iter().copied()))
    };
    let mut put = |tokens: &[&str], value: &Value, is_there: bool| {
        let (path, value) = (path(tokens), value.clone());
        operations.push(match is_there {
            true => PatchOperation::Replace(ReplaceOperation { path, value }),
            false => PatchOperation::Add(AddOperation { path, value }),
        });
    };
    for field in ["apiVersion", "spec"] {
        if before[field] != object[field] {
            put(&[field], &object[field], before.get(field).is_some());
        }
    }
    for field in ["labels", "annotations"] {
        let there = before["metadata"][field].as_object();
        let wanted = &object["metadata"][field];
        match (there, wanted.as_object()) {
            (_, None) => {}
            (None, Some(_)) => {
                let is_there = before["metadata"].get(field).is_some();
                put(&["metadata", field], wanted, is_there);
            }
            (Some(there), Some(wanted)) => {
                for (key, value) in wanted
                    .iter()
                    .filter(|(key, value)| there.get(*key) != Some(*value))
                {
                    put(&["metadata", field, key], value, there.contains_key(key));
                }
            }
        }
    }
}

/// Whether an item is the configuration that kustomize gives a generator. One that has a file of its own belongs to somebody.
fn is_own(item: &Item<'_>) -> bool {
    let metadata = item.metadata();
    let annotations = metadata
        .as_deref()
        .and_then(|metadata| metadata.get("annotations"));
    let annotation = |name: &str| {
        let value = annotations.and_then(|annotations| annotations.get(name));
        value.and_then(yaml::Node::text)
    };
    let paths = [
        "internal.config.kubernetes.io/path",
        "config.kubernetes.io/path",
    ];
    is_mesh_metrics(&item.api_version, &item.kind)
        && annotation("config.kubernetes.io/local-config") == Some("true")
        && paths.iter().all(|path| annotation(path).is_none())
}

/// The text of the ResourceList after some operations, with objects behind the last item and results.
fn edited(
    sources: &[Source],
    operations: &[PatchOperation],
    appended: Vec<Value>,
    results: &[Value],
) -> Result<String, AnswerError> {
    let [source] = sources else {
        return Ok(String::new());
    };
    let changed = patched(source, operations)?;
    let list = patched(&changed, &additions(&changed, appended))?;
    let package = krm::open(slice::from_ref(&list), |_, _, _| false)?;
    Ok(krm::close(&package, &[], results, &[])?.to_string())
}

/// Operations that put objects behind the last item.
fn additions(source: &Source, objects: Vec<Value>) -> Vec<PatchOperation> {
    let documents = yaml::read(&source.text).unwrap_or_default();
    let root = documents.iter().find_map(|document| document.root.as_ref());
    let items = root.and_then(|root| root.get("items"));
    let add = |path, value| PatchOperation::Add(AddOperation { path, value });
    match items.map(|items| items.items().is_empty()) {
        _ if objects.is_empty() => Vec::new(),
        Some(false) => {
            let to_end = |object| add(PointerBuf::from_tokens(["items", "-"]), object);
            objects.into_iter().map(to_end).collect()
        }
        Some(true) => vec![PatchOperation::Replace(ReplaceOperation {
            path: PointerBuf::from_tokens(["items"]),
            value: objects.into(),
        })],
        None => vec![add(PointerBuf::from_tokens(["items"]), objects.into())],
    }
}

fn patched(source: &Source, operations: &[PatchOperation]) -> Result<Source, AnswerError> {
    let failed = |error| AnswerError::Items {
        source_name: source.called().to_owned(),
        error,
    };
    let documents = yaml::read(&source.text).unwrap_or_default();
    let document = documents.iter().find(|document| document.root.is_some());
    let edits = match document.and_then(|document| Some((document.syntax, document.root.as_ref()?)))
    {
        Some((syntax, root)) => {
            yaml::edits(&source.text, root, syntax, operations).map_err(failed)?
        }
        None => Vec::new(),
    };
    Ok(Source {
        text: yaml::splice(&source.text, &edits),
        ..source.clone()
    })
}

fn called(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    format!(
        "{} {}/{}",
        text(&object["kind"]),
        text(&metadata["namespace"]),
        text(&metadata["name"])
    )
}

fn result(severity: &str, message: &str, object: &Value) -> Value {
    json!({
        "message": message,
        "severity": severity,
        "resourceRef": {
            "apiVersion": object["apiVersion"],
            "kind": object["kind"],
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
        },
    })
}
