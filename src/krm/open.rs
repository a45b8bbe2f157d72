//! Which form has the input, and which objects are in it?
//!
//! Authority: KRM Functions Specification v1 for ResourceList; kubectl for List and stream.
//! Departs from them: what kubectl guesses about an object without kind is an error here.
//! Knows: envelopes, kinds, keys written twice. Does not know: what an object of a kind means.

use serde_json::Value;

use super::find::{Finder, check_keys, is_list, not_a_list, text_at};
use super::{Form, FunctionConfig, Layout, OpenError, Origin, Package, Shape, Source};
use crate::yaml::{self, Document, Node, Rules};

/// Finds the objects of all sources.
///
/// `reads` tells of which objects, by `apiVersion`, `kind` and `metadata.name`, the whole is going to be read:
/// in these no key may be written twice.
///
/// # Errors
/// When a text is no YAML, or what is in it are no objects.
pub fn open<'t>(
    sources: &'t [Source],
    reads: impl Fn(&str, &str, &str) -> bool,
) -> Result<Package<'t>, OpenError> {
    let documents = sources
        .iter()
        .map(documents)
        .collect::<Result<Vec<_>, _>>()?;
    let (form, envelope) = form(sources, &documents)?;
    let mut package = Package {
        form,
        items: Vec::new(),
        asides: Vec::new(),
        function_config: None,
        results: Vec::new(),
        skipped: Vec::new(),
        sources,
        layouts: Vec::new(),
    };
    if let (Form::ResourceList, Some((source, root))) = (form, &envelope) {
        package.function_config = function_config(source, root)?;
        package.results = results(source, root)?;
    }
    for (position, (source, documents)) in sources.iter().zip(documents).enumerate() {
        let mut finder = Finder::new(source, position, form, &reads);
        finder.documents(&documents)?;
        match source.origin {
            Origin::Named | Origin::Folder | Origin::Configuration => {
                package.items.append(&mut finder.items)
            }
            Origin::Kustomization => package.asides.append(&mut finder.items),
        }
        package.skipped.append(&mut finder.skipped);
        package.layouts.push(Layout {
            documents,
            skipped: finder.no_resources,
        });
    }
    Ok(package)
}

/// Whether a root is a ResourceList of the group that hosts use.
pub(super) fn is_resource_list(root: &Node<'_>) -> bool {
    text_at(root, "kind") == "ResourceList"
        && text_at(root, "apiVersion").starts_with("config.kubernetes.io/")
}

fn documents(source: &Source) -> Result<Vec<Document<'_>>, OpenError> {
    let source_name = || source.called().to_owned();
    if source.origin == Origin::Named && source.text.trim_start_matches('\u{feff}').is_empty() {
        return Err(OpenError::Empty {
            source_name: source_name(),
        });
    }
    yaml::read(&source.text).map_err(|error| match json_in_a_row(&source.text) {
        true => OpenError::JsonInARow {
            source_name: source_name(),
        },
        false => OpenError::NotYaml {
            source_name: source_name(),
            error,
        },
    })
}

fn json_in_a_row(text: &str) -> bool {
    let mut documents =
        serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    text.trim_start().starts_with('{')
        && documents.by_ref().take(2).filter(Result::is_ok).count() == 2
}

type Root<'t> = (&'t Source, Node<'t>);

/// The form, with the envelope if there is one.
fn form<'t>(
    sources: &'t [Source],
    documents: &[Vec<Document<'t>>],
) -> Result<(Form, Option<Root<'t>>), OpenError> {
    let roots: Vec<Root<'t>> = sources
        .iter()
        .zip(documents)
        .filter(|(source, _)| source.origin != Origin::Kustomization)
        .flat_map(|(source, documents)| {
            documents
                .iter()
                .filter_map(move |document| Some((source, document.root.clone()?)))
        })
        .collect();
    let Some((source, root)) = roots.iter().find(|(_, root)| is_resource_list(root)) else {
        return Ok(match roots.as_slice() {
            [(_, root)] if is_list(root) => (Form::List, roots.into_iter().next()),
            _ => (Form::Stream, None),
        });
    };
    let api_version = text_at(root, "apiVersion");
    if roots.len() > 1 {
        return Err(OpenError::NotAlone {
            source_name: source.called().to_owned(),
        });
    }
    if !matches!(
        api_version,
        "config.kubernetes.io/v1" | "config.kubernetes.io/v1beta1"
    ) {
        return Err(OpenError::UnknownResourceList {
            source_name: source.called().to_owned(),
            api_version: api_version.to_owned(),
        });
    }
    Ok((Form::ResourceList, Some((source, root.clone()))))
}

fn function_config<'t>(
    source: &Source,
    root: &Node<'t>,
) -> Result<Option<FunctionConfig<'t>>, OpenError> {
    let form = Form::ResourceList;
    check_keys(source, form, root, 0, &["functionConfig", "results"])?;
    Ok(root
        .get("functionConfig")
        .filter(|node| Shape::of(node) != Shape::Null)
        .map(|node| FunctionConfig {
            line: yaml::line_of(&source.text, node.range.start),
            node: node.clone(),
        }))
}

fn results(source: &Source, root: &Node<'_>) -> Result<Vec<Value>, OpenError> {
    let Some(node) = root.get("results") else {
        return Ok(Vec::new());
    };
    match Shape::of(node) {
        Shape::Null => Ok(Vec::new()),
        Shape::List => node
            .items()
            .iter()
            .map(|item| item.value(Rules::Kustomize))
            .collect::<Result<_, _>>()
            .map_err(|error| OpenError::NotAValue {
                source_name: source.called().to_owned(),
                field: "results",
                error,
            }),
        found => Err(not_a_list(
            source,
            Form::ResourceList,
            root,
            "results",
            found,
        )),
    }
}

#[cfg(test)]
mod tests;
