//! What goes out?
//!
//! Authority: KRM Functions Specification v1 for `results`; YAML 1.2 for what may stand between documents.
//! Departs from it: nothing is added where there is nothing to say, and results said before are not repeated.
//! Knows: texts, edits, envelopes. Does not know: why something is edited.

use std::collections::BTreeSet;

use json_patch::{AddOperation, PatchOperation, RemoveOperation};
use jsonptr::PointerBuf;
use serde_json::Value;
use thiserror::Error;

use super::open::is_resource_list;
use super::{Form, Item, Layout, Origin, Package, Source};
use crate::yaml::{self, Document, Edit, EditError, Node, Rules};

/// Why the output cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CloseError {
    /// The envelope cannot take the results, or cannot lose an item.
    #[error("{source_name}: its {envelope} cannot be edited: {error}; write it in block style")]
    Envelope {
        /// The source.
        source_name: String,
        /// `results` or `items`.
        envelope: &'static str,
        /// Why.
        error: EditError,
    },
}

/// The output: the text of all sources with edits applied.
///
/// `edits` come with the position of the source that they belong to. `results` are appended to
/// those of a ResourceList, unless they are there already; other forms have no place for them.
/// `left_out` are positions of items that do not go out.
///
/// # Errors
/// When the text around the items cannot be edited.
pub fn close(
    package: &Package<'_>,
    edits: &[(usize, Vec<Edit>)],
    results: &[Value],
    left_out: &[usize],
) -> Result<String, CloseError> {
    let texts = package
        .sources
        .iter()
        .zip(&package.layouts)
        .enumerate()
        .filter(|(_, (source, layout))| goes_out(source, layout))
        .map(|(position, (source, layout))| {
            let own = edits.iter().filter(|(of, _)| *of == position);
            let mut all: Vec<Edit> = own.flat_map(|(_, edits)| edits.iter().cloned()).collect();
            let leaving: Vec<&Item<'_>> = left_out
                .iter()
                .filter_map(|&item| package.items.get(item))
                .filter(|item| item.source == position)
                .collect();
            all.extend(removals(source, layout, &leaving)?);
            if package.form == Form::ResourceList {
                all.extend(appended(
                    source,
                    &layout.documents,
                    &package.results,
                    results,
                )?);
            }
            // Stable: what is put behind the last item comes before the results behind them all.
            all.sort_by_key(|edit| edit.range.start);
            Ok(yaml::splice(&source.text, &all))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(joined(&texts))
}

/// What goes out when a run fails: a ResourceList with the items as they came and the results, so
/// that a host can show why. Of every other form nothing, so that nobody applies half a job.
pub fn returned(sources: &[Source], results: &[Value]) -> Option<String> {
    let [source] = sources else {
        return None;
    };
    let documents = yaml::read(&source.text).ok()?;
    let root = envelope(&documents)?.root.as_ref()?;
    let before: Vec<Value> = root
        .get("results")
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|result| result.value(Rules::Kustomize).ok())
        .collect();
    let edits = appended(source, &documents, &before, results).unwrap_or_default();
    Some(yaml::splice(&source.text, &edits))
}

fn goes_out(source: &Source, layout: &Layout<'_>) -> bool {
    match source.origin {
        Origin::Named | Origin::Configuration => true,
        Origin::Folder => layout.skipped.len() < layout.documents.len(),
        Origin::Kustomization => false,
    }
}

fn envelope<'d, 't>(documents: &'d [Document<'t>]) -> Option<&'d Document<'t>> {
    let mut roots = documents.iter().filter(|document| document.root.is_some());
    let only = roots.next().filter(|_| roots.next().is_none())?;
    only.root
        .as_ref()
        .filter(|root| is_resource_list(root))
        .map(|_| only)
}

fn appended(
    source: &Source,
    documents: &[Document<'_>],
    before: &[Value],
    results: &[Value],
) -> Result<Vec<Edit>, CloseError> {
    let mut said: BTreeSet<String> = before.iter().map(sorted).collect();
    let new: Vec<&Value> = results
        .iter()
        .filter(|result| said.insert(sorted(result)))
        .collect();
    let Some((document, root)) =
        envelope(documents).and_then(|list| Some((list, list.root.as_ref()?)))
    else {
        return Ok(Vec::new());
    };
    let patch: Vec<PatchOperation> = match (new.is_empty(), before.is_empty()) {
        (true, _) => return Ok(Vec::new()),
        (false, true) => vec![add(
            PointerBuf::from_tokens(["results"]),
            Value::Array(new.into_iter().cloned().collect()),
        )],
        (false, false) => new
            .into_iter()
            .map(|result| add(PointerBuf::from_tokens(["results", "-"]), result.clone()))
            .collect(),
    };
    yaml::edits(&source.text, root, document.syntax, &patch).map_err(|error| CloseError::Envelope {
        source_name: source.called().to_owned(),
        envelope: "results",
        error,
    })
}

/// The text of a result, the same whoever printed it: hosts sort the keys of what they hand on.
fn sorted(result: &Value) -> String {
    let mut result = result.clone();
    result.sort_all_objects();
    result.to_string()
}

fn add(path: PointerBuf, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path, value })
}

/// Edits that take out skipped documents and the items that are to leave.
fn removals(
    source: &Source,
    layout: &Layout<'_>,
    leaving: &[&Item<'_>],
) -> Result<Vec<Edit>, CloseError> {
    let mut edits = Vec::new();
    let mut begin = 0;
    for (number, document) in layout.documents.iter().enumerate() {
        let range = begin..document.range.end;
        begin = range.end;
        let inside: Vec<&&Item<'_>> = leaving
            .iter()
            .filter(|item| document.range.contains(&item.node.range.start))
            .collect();
        let is_root = |item: &&Item<'_>| {
            document
                .root
                .as_ref()
                .is_some_and(|root| root.range == item.node.range)
        };
        if layout.skipped.contains(&number) || inside.iter().any(|item| is_root(item)) {
            edits.push(Edit {
                range,
                text: String::new(),
            });
        } else if let Some(root) = document.root.as_ref().filter(|_| !inside.is_empty()) {
            // From the last to the first: removing one moves those behind it.
            let patch: Vec<PatchOperation> = inside
                .iter()
                .rev()
                .filter_map(|item| pointer_to(root, &item.node))
                .map(|path| PatchOperation::Remove(RemoveOperation { path }))
                .collect();
            let removed = yaml::edits(&source.text, root, document.syntax, &patch);
            edits.extend(removed.map_err(|error| CloseError::Envelope {
                source_name: source.called().to_owned(),
                envelope: "items",
                error,
            })?);
        }
    }
    Ok(edits)
}

/// The way from a list through lists within it to an item.
fn pointer_to(list: &Node<'_>, item: &Node<'_>) -> Option<PointerBuf> {
    let items = list.get("items")?.items().iter().enumerate();
    items
        .filter(|(_, node)| {
            node.range.start <= item.range.start && item.range.end <= node.range.end
        })
        .find_map(|(position, node)| {
            let mut pointer = match node.range == item.range {
                true => PointerBuf::new(),
                false => pointer_to(node, item)?,
            };
            pointer.push_front(position);
            pointer.push_front("items");
            Some(pointer)
        })
}

/// One stream of several texts.
fn joined(texts: &[String]) -> String {
    let size = texts.iter().map(|text| text.len() + "\n---\n".len()).sum();
    texts.iter().filter(|text| !text.is_empty()).fold(
        String::with_capacity(size),
        |mut stream, text| {
            if stream.is_empty() {
                return text.clone();
            }
            let text = text.trim_start_matches('\u{feff}');
            if !stream.ends_with('\n') {
                stream.push('\n');
            }
            stream.push_str(separator(text));
            stream.push_str(text);
            stream
        },
    )
}

/// What must stand between a document and the next text.
fn separator(text: &str) -> &'static str {
    let content = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    match content {
        // A directive is one only behind the end of a document.
        Some(line) if line.starts_with('%') => "...\n",
        _ if text.starts_with("---") => "",
        _ => "---\n",
    }
}

#[cfg(test)]
mod tests;
