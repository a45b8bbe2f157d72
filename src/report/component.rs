//! Which files make kustomize do to a base what a run would do to it?
//!
//! Authority: kustomize's Component and its `patches` (api/types/patch.go), for hosts that run no functions.
//! Departs from RFC 6902: a `test` for `null` also stands for "nothing is there", which kustomize takes for equal.
//! Knows: objects as kustomize reads them, their operations. Does not know: why; what is in the folder already.

mod file_names;
mod guards;
mod numbers;
mod parts;
mod target;

use std::collections::BTreeMap;
use std::fmt;

use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::printable;
use crate::yaml;
use parts::Parts;

/// How each file begins that is ours to write again, and to remove.
const MARK: &str = "# Written by `istio-scrape patches`";

/// The file that makes the folder a Component.
pub const KUSTOMIZATION: &str = "kustomization.yaml";

/// The file that fails a build in which a patched object is missing.
const OBJECTS: &str = "objects.yaml";

/// Whether a file of this text was written by us.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// An object, and what is to be done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// Which object.
    pub id: Id,
    /// The object as kustomize reads it.
    pub value: Value,
    /// What is to be done to it, in this order.
    pub operations: Vec<PatchOperation>,
}

/// What kustomize knows an object by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// `VMServiceScrape`
    pub kind: String,
    /// `metadata.namespace`, if the object has one.
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: String,
    /// `operator.victoriametrics.com/v1beta1`
    pub api_version: String,
}

impl Id {
    fn group(&self) -> &str {
        match self.api_version.split_once('/') {
            Some((group, _)) => group,
            None => "",
        }
    }

    fn version(&self) -> &str {
        match self.api_version.split_once('/') {
            Some((_, version)) => version,
            None => &self.api_version,
        }
    }

    /// The namespace by which kustomize selects it.
    fn selected_namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// The object with nothing but its name.
    fn document(&self) -> Value {
        let mut metadata = json!({"name": self.name});
        if let Some(namespace) = &self.namespace {
            metadata["namespace"] = json!(namespace);
        }
        json!({"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata})
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = self.selected_namespace();
        write!(f, "{} {namespace}/{}", self.kind, self.name)
    }
}

/// Why an object cannot be patched by kustomize.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// JSON6902 would damage a number that is not our business.
    #[error(
        "{object} has {value} in {at}: kustomize rewrites whole numbers beyond 9007199254740992 (2^53) in objects that \
         get a JSON6902 patch, and this one needs one; put the number in quotes if the field takes text, or change \
         it, or run istio-scrape as function or filter instead of `patches`"
    )]
    LargeInteger {
        /// The object.
        object: String,
        /// The field, as a JSON pointer.
        at: String,
        /// The number, or what it is where nobody should read it.
        value: String,
    },
    /// Nothing that a patch could name.
    #[error("{place}: {kind} without a name cannot be patched by kustomize; give it metadata.name")]
    Nameless {
        /// Where it is.
        place: String,
        /// Its kind.
        kind: String,
    },
    /// Two objects that one patch would hit.
    #[error(
        "{0} is in the input twice, and what is to be done to the two differs: kustomize takes each object once; \
         remove one of them"
    )]
    Twice(String),
    /// An operation that the object, as kustomize reads it, does not take.
    #[error("the patch of {object} does not fit the object as kustomize reads it: {problem}")]
    Misfit {
        /// The object.
        object: String,
        /// What is wrong.
        problem: String,
    },
}

/// A folder that kustomize takes as a Component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Names and texts; the kustomization comes last.
    pub files: Vec<(String, String)>,
    /// How many patches there are.
    pub patches: usize,
    /// How many objects are patched.
    pub objects: usize,
}

/// The Component, for a folder of this name.
///
/// # Errors
/// When an object cannot be patched by kustomize.
pub fn render(patched: &[Patched], folder: &str) -> Result<Component, ComponentError> {
    let objects = once(patched)?;
    let parts = objects
        .iter()
        .map(|object| parts::of(object))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&Id> = objects.iter().map(|object| &object.id).collect();
    let names = file_names::of(&ids);
    let folder = printable(folder);
    let opening = format!(
        "{MARK}; do not edit. To write it again, in the folder above:\n\
         #   kustomize build BASE | istio-scrape patches -o {folder}\n"
    );
    let mut files = Vec::new();
    let mut entries = Vec::new();
    for ((id, name), part) in ids.iter().zip(&names).zip(&parts) {
        let Parts {
            operations, merge, ..
        } = part;
        let operations = (!operations.is_empty()).then(|| {
            let file = format!("{name}.json6902.yaml");
            let entry = json!({"path": file, "target": target::of(id)});
            (file, entry, yaml::block(&json!(operations)))
        });
        let merge = merge.as_ref().map(|merge| {
            let file = format!("{name}.merge.yaml");
            // Without a target, kustomize takes it for the one object that is called so, or fails.
            let entry = json!({"path": file});
            (file, entry, yaml::block(&with_name(id, merge)))
        });
        for (file, entry, text) in operations.into_iter().chain(merge) {
            entries.push(entry);
            files.push((file, format!("{opening}{text}")));
        }
    }
    let patches = entries.len();
    if !ids.is_empty() {
        entries.insert(0, json!({"path": OBJECTS}));
        let document = |(id, part): (&&Id, &Parts)| match &part.maps {
            Some(maps) => yaml::block(&with_name(id, maps)),
            None => yaml::block(&id.document()),
        };
        let documents: Vec<_> = ids.iter().zip(&parts).map(document).collect();
        files.push((
            OBJECTS.to_owned(),
            format!("{opening}{OF_OBJECTS}{}", documents.join("---\n")),
        ));
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        // Not left out where there are none: kustomize refuses a kustomization with nothing in it.
        "patches": entries,
    });
    files.push((
        KUSTOMIZATION.to_owned(),
        format!(
            "{opening}{}{}",
            of_kustomization(&folder),
            yaml::block(&kustomization)
        ),
    ));
    Ok(Component {
        files,
        patches,
        objects: ids.len(),
    })
}

const OF_OBJECTS: &str = "\
#
# Fails the build if one of these objects is missing: a patch with a target that is not there is passed over by
# kustomize without a word. A map that is empty here is made where there is none, for the tests of what is in it.
";

fn of_kustomization(folder: &str) -> String {
    format!(
        "\
#
# List this Component in the kustomization directly above the one that was built (BASE). Names and namespaces are those
# of its build, after its own namePrefix and namespace:
#
#   resources:
#   - ../BASE
#   components:
#   - ../{folder}
"
    )
}

/// The patches as a stream of entries for `patches`, all of them JSON6902; a comment where there are none.
///
/// # Errors
/// When an object cannot be patched by kustomize.
pub fn stream(patched: &[Patched]) -> Result<String, ComponentError> {
    let documents = once(patched)?
        .iter()
        .map(|object| {
            let operations = parts::in_one(object)?;
            Ok(yaml::block(&json!({
                "target": target::of(&object.id),
                "patch": inline(&json!(operations)),
            })))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(match documents.is_empty() {
        true => "# istio-scrape patches: nothing is to be patched\n".to_owned(),
        false => documents.join("---\n"),
    })
}

/// A patch inside of a string, which kustomize trims: a text of several lines at its end would lose its last break.
fn inline(operations: &Value) -> String {
    let block = match ends_in_lines(operations) {
        true => yaml::block_of_quotes(operations),
        false => yaml::block(operations),
    };
    block.trim_end().to_owned()
}

/// Whether the last text in a value has several lines.
fn ends_in_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n'),
        Value::Array(items) => items.last().is_some_and(ends_in_lines),
        Value::Object(map) => map.values().next_back().is_some_and(ends_in_lines),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A merge patch as kustomize wants it, with the name of the object.
fn with_name(id: &Id, merge: &Value) -> Value {
    let mut document = id.document();
    if let (Some(document), Some(merge)) = (document.as_object_mut(), merge.as_object()) {
        for (key, value) in merge {
            match (document.get_mut(key).and_then(Value::as_object_mut), value) {
                (Some(metadata), Value::Object(value)) => metadata.extend(value.clone()),
                _ => {
                    document.insert(key.clone(), value.clone());
                }
            }
        }
    }
    document
}

/// Each object once, in the order of kinds and names, so that nothing changes when the input is only sorted otherwise.
fn once(patched: &[Patched]) -> Result<Vec<&Patched>, ComponentError> {
    // To kustomize, no namespace is the namespace `default`.
    let key = |id: &Id| {
        let namespace = id.selected_namespace().to_owned();
        (
            id.kind.clone(),
            namespace,
            id.name.clone(),
            id.api_version.clone(),
        )
    };
    let mut objects: BTreeMap<_, &Patched> = BTreeMap::new();
    for object in patched {
        let first = *objects.entry(key(&object.id)).or_insert(object);
        if first != object {
            return Err(ComponentError::Twice(object.id.to_string()));
        }
    }
    Ok(objects.into_values().collect())
}

#[cfg(test)]
mod tests;
