//! How does a patch become text?
//!
//! Authority: RFC 6902, by the `json-patch` crate as oracle; our own editor for the text.
//! Departs from nothing: text and value must agree, or the run fails.
//! Knows: items, patches. Does not know: why a patch was decided.

use std::collections::BTreeMap;

use json_patch::{AddOperation, PatchOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use crate::rules::Step;
use crate::yaml::{self, Edit, EditError, Node, Outline, ReadError, Rules, Syntax, ValueError};

/// Why a patch could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The place cannot be edited without touching what is not ours.
    #[error("cannot be changed in place: {0}")]
    Edit(#[from] EditError),
    /// A string that holds YAML or JSON cannot be edited.
    #[error("the text in {at} cannot be changed in place: {problem}")]
    Inside {
        /// The string.
        at: PointerBuf,
        /// What is wrong.
        problem: String,
    },
    /// The value cannot be patched.
    #[error("the patch does not fit the object: {0}")]
    Patch(#[from] json_patch::PatchError),
    /// The object cannot be read.
    #[error("the object cannot be read: {0}")]
    Value(#[from] ValueError),
    /// The edited text does not say what the patched value says.
    #[error(
        "{0}: the edited text does not say what the patch says; nothing was changed; this is a bug in \
         istio-scrape, please report it with the object"
    )]
    Refuted(String),
}

/// Strings of one object as the decisions so far leave them.
pub type Strings = BTreeMap<PointerBuf, String>;

/// The operations that a decision stands for; edits inside strings become replacements of the string, as `strings` has it.
///
/// # Errors
/// When a string cannot be read or edited; then `strings` is as before.
pub fn operations(
    object: &Node<'_>,
    steps: &[Step],
    strings: &mut Strings,
) -> Result<Vec<PatchOperation>, ApplyError> {
    let mut edited = strings.clone();
    let operations = steps
        .iter()
        .map(|step| match step {
            Step::Op(operation) => Ok(operation.clone()),
            Step::Inside { at, ops } => {
                let text = match edited.get(at) {
                    Some(text) => text.clone(),
                    None => text_at(object, at)?,
                };
                let text = edited_inside(at, &text, ops)?;
                edited.insert(at.clone(), text.clone());
                Ok(PatchOperation::Add(AddOperation {
                    path: at.clone(),
                    value: Value::String(text),
                }))
            }
        })
        .collect::<Result<_, ApplyError>>()?;
    *strings = edited;
    Ok(operations)
}

fn text_at(object: &Node<'_>, at: &Pointer) -> Result<String, ApplyError> {
    let found = object.at(at).and_then(yaml::Node::text);
    found.map(str::to_owned).ok_or_else(|| ApplyError::Inside {
        at: at.to_owned(),
        problem: "it is not there".to_owned(),
    })
}

fn edited_inside(at: &Pointer, text: &str, ops: &[PatchOperation]) -> Result<String, ApplyError> {
    let failed = |problem: String| ApplyError::Inside {
        at: at.to_owned(),
        problem,
    };
    let documents = yaml::read(text).map_err(|problem: ReadError| failed(problem.to_string()))?;
    let [document] = documents.as_slice() else {
        return Err(failed("it holds more than one document".to_owned()));
    };
    let root = document
        .root
        .as_ref()
        .ok_or_else(|| failed("it holds no value".to_owned()))?;
    let edits = yaml::edits(text, root, document.syntax, ops)
        .map_err(|problem| failed(problem.to_string()))?;
    let edited = yaml::splice(text, &edits);
    let reread = crate::model::embedded(&edited).map_err(failed)?;
    let mut expected = root.value(Rules::Kubectl)?;
    json_patch::patch(&mut expected, ops)?;
    if reread == expected {
        Ok(edited)
    } else {
        Err(ApplyError::Refuted(format!("in the text of {at}")))
    }
}

/// Refuses what [`edits`] would refuse, at a fraction of its cost.
///
/// # Errors
/// When the text cannot be edited at these places.
pub fn check_editable(object: &Node<'_>, patch: &[PatchOperation]) -> Result<(), ApplyError> {
    Ok(yaml::check_editable(object, patch)?)
}

/// The edits of an object's text that do what `patch` does to its value.
///
/// # Errors
/// When the text cannot be edited at these places, or the value does not take the patch.
pub fn edits(
    text: &str,
    object: &Node<'_>,
    syntax: Syntax,
    patch: &[PatchOperation],
) -> Result<Vec<Edit>, ApplyError> {
    Ok(yaml::edits(text, object, syntax, patch)?)
}

/// Whether the object, read again from the edited text, is the old one with `patch` applied.
///
/// # Errors
/// When either cannot be read as a value.
pub fn agrees(
    before: &Node<'_>,
    after: &Node<'_>,
    patch: &[PatchOperation],
    rules: Rules,
) -> Result<bool, ApplyError> {
    let mut expected = before.value(rules)?;
    json_patch::patch(&mut expected, patch)?;
    Ok(after.value(rules)? == expected)
}

/// Whether an object of which only the outline was read says in its own lines, with these edits made, what it says with
/// `patch` applied. No other object can have changed: the lines hold this one and nothing else, before and after.
///
/// # Errors
/// When either cannot be read as a value, or the lines are not one object any more.
pub fn agrees_in_its_lines(
    text: &str,
    outline: &Outline<'_>,
    before: &Node<'_>,
    edits: &[Edit],
    patch: &[PatchOperation],
    rules: Rules,
) -> Result<bool, ApplyError> {
    let lines = outline.lines();
    let own: Vec<Edit> = edits
        .iter()
        .filter(|edit| lines.start <= edit.range.start && edit.range.end <= lines.end)
        .map(|edit| Edit {
            range: edit.range.start - lines.start..edit.range.end - lines.start,
            text: edit.text.clone(),
        })
        .collect();
    let edited = yaml::splice(&text[lines.clone()], &own);
    let ends_line = |text: &str| text.is_empty() || text.ends_with('\n');
    let is_apart = lines.end == text.len() || ends_line(&edited);
    match outline.reread(&edited) {
        Ok(after) if own.len() == edits.len() && is_apart => agrees(before, &after, patch, rules),
        _ => Ok(false),
    }
}
