//! What goes out?
//!
//! Authority: KRM Functions Specification v1 for `results`; YAML 1.2 for what may stand between documents.
//! Departs from it: nothing is added where there is nothing to say, and results said before are not repeated.
//! Knows: texts, edits, envelopes. Does not know: why something is edited.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::{AddOperation, PatchOperation, RemoveOperation};
use jsonptr::PointerBuf;
use serde_json::Value;
use thiserror::Error;

use super::open::is_resource_list;
use super::{Form, Item, Layout, Origin, Output, Package, Source};
use crate::yaml::{self, Edit, EditError, Lazy, LazyDocument, Node, ReadError, Rules};

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
    /// The text around what is left out cannot be read.
    #[error("{source_name}: {error}")]
    NotYaml {
        /// The source.
        source_name: String,
        /// What and where.
        error: ReadError,
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
pub fn close<'t>(
    package: &Package<'t>,
    edits: &[(usize, Vec<Edit>)],
    results: &[Value],
    left_out: &[usize],
) -> Result<Output<'t>, CloseError> {
    let mut by_source: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
    for (source, edits) in edits {
        by_source
            .entry(*source)
            .or_default()
            .extend_from_slice(edits);
    }
    let texts = package
        .sources
        .iter()
        .zip(&package.layouts)
        .enumerate()
        .filter(|(_, (source, layout))| goes_out(source, layout))
        .map(|(position, (source, layout))| {
            let mut all = by_source.remove(&position).unwrap_or_default();
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
            Ok(Output::edited(&source.text, all))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(joined(texts))
}

/// What goes out when a run fails: a ResourceList with the items as they came and the results, so
/// that a host can show why. Of every other form nothing, so that nobody applies half a job.
pub fn returned<'t>(sources: &'t [Source], results: &[Value]) -> Option<Output<'t>> {
    let [source] = sources else {
        return None;
    };
    let documents: Vec<_> = yaml::read(&source.text)
        .ok()?
        .into_iter()
        .map(LazyDocument::from)
        .collect();
    let (_, root) = envelope(source, &documents)?;
    let written = root.get("results").ok()?;
    let before: Vec<Value> = written
        .as_deref()
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|result| result.value(Rules::Kustomize).ok())
        .collect();
    let edits = appended(source, &documents, &before, results).unwrap_or_default();
    Some(Output::edited(&source.text, edits))
}

fn goes_out(source: &Source, layout: &Layout<'_>) -> bool {
    match source.origin {
        Origin::Named | Origin::Configuration => true,
        Origin::Folder => layout.skipped.len() < layout.documents.len(),
        Origin::Kustomization => false,
    }
}

fn envelope<'d, 't>(
    source: &Source,
    documents: &'d [LazyDocument<'t>],
) -> Option<(&'d LazyDocument<'t>, &'d Lazy<'t>)> {
    let mut roots = documents
        .iter()
        .filter_map(|document| Some((document, document.root.as_ref()?)));
    let only = roots.next().filter(|_| roots.next().is_none());
    only.filter(|(_, root)| is_resource_list(source, root).unwrap_or(false))
}

fn appended(
    source: &Source,
    documents: &[LazyDocument<'_>],
    before: &[Value],
    results: &[Value],
) -> Result<Vec<Edit>, CloseError> {
    let mut said: BTreeSet<String> = before.iter().map(sorted).collect();
    let new: Vec<&Value> = results
        .iter()
        .filter(|result| said.insert(sorted(result)))
        .collect();
    let Some((document, root)) = envelope(source, documents) else {
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
    let root = root.shell().map_err(|error| not_yaml(source, error))?;
    let edits = yaml::edits(&source.text, &root, document.syntax, &patch);
    edits.map_err(|error| CloseError::Envelope {
        source_name: source.called().to_owned(),
        envelope: "results",
        error,
    })
}

fn not_yaml(source: &Source, error: ReadError) -> CloseError {
    CloseError::NotYaml {
        source_name: source.called().to_owned(),
        error,
    }
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
            .filter(|item| document.range.contains(&item.value.start()))
            .collect();
        let is_root = |item: &&Item<'_>| {
            document
                .root
                .as_ref()
                .is_some_and(|root| root.start() == item.value.start())
        };
        if layout.skipped.contains(&number) || inside.iter().any(|item| is_root(item)) {
            edits.push(Edit {
                range,
                text: String::new(),
            });
        } else if let Some(root) = document.root.as_ref().filter(|_| !inside.is_empty()) {
            let root = root.read().map_err(|error| not_yaml(source, error))?;
            // From the last to the first: removing one moves those behind it.
            let patch: Vec<PatchOperation> = inside
                .iter()
                .rev()
                .filter_map(|item| pointer_to(&root, item.value.start()))
                .map(|path| PatchOperation::Remove(RemoveOperation { path }))
                .collect();
            let removed = yaml::edits(&source.text, &root, document.syntax, &patch);
            edits.extend(removed.map_err(|error| CloseError::Envelope {
                source_name: source.called().to_owned(),
                envelope: "items",
                error,
            })?);
        }
    }
    Ok(edits)
}

/// The way from a list through lists within it to the item that begins here.
fn pointer_to(list: &Node<'_>, start: usize) -> Option<PointerBuf> {
    let items = list.get("items")?.items().iter().enumerate();
    items
        .filter(|(_, node)| node.range.start <= start && start < node.range.end)
        .find_map(|(position, node)| {
            let mut pointer = match node.range.start == start {
                true => PointerBuf::new(),
                false => pointer_to(node, start)?,
            };
            pointer.push_front(position);
            pointer.push_front("items");
            Some(pointer)
        })
}

/// One stream of several texts.
fn joined(texts: Vec<Output<'_>>) -> Output<'_> {
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    texts.fold(Output::default(), |mut stream, text| {
        if stream.is_empty() {
            return text;
        }
        let text = text.without_byte_order_mark();
        if !stream.ends_line() {
            stream.append(Output::from("\n"));
        }
        stream.append(Output::from(separator(&text)));
        stream.append(text);
        stream
    })
}

/// What must stand between a document and the next text.
fn separator(text: &Output<'_>) -> &'static str {
    // A directive is one only behind the end of a document.
    match text.content_begins_with('%') {
        true => "...\n",
        false if text.starts_with("---") => "",
        false => "---\n",
    }
}

#[cfg(test)]
mod tests;
