//! Which form has the input, and which objects are in it?
//!
//! Authority: KRM Functions Specification v1 for ResourceList; kubectl for List and stream.
//! Departs from them: what kubectl guesses about an object without kind is an error here.
//! Knows: envelopes, kinds, keys written twice. Does not know: what an object of a kind means.

use serde_json::Value;

use super::find::{Finder, check_keys, got, is_list, not_a_list, text_at};
use super::{Form, FunctionConfig, Layout, OpenError, Origin, Package, Shape, Source};
use crate::yaml::{self, Lazy, LazyDocument, Rules};

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
    packed(sources, documents, reads)
}

/// The same package as of [`open`], each object to be read when it is asked for; `None` where that is not to be had, or is
/// an error. Faults inside of objects that nobody asks for stay unseen; keys written twice [`Package::read`] finds.
pub fn outlined<'t>(
    sources: &'t [Source],
    reads: impl Fn(&str, &str, &str) -> bool,
) -> Option<Package<'t>> {
    let documents = sources
        .iter()
        .map(|source| match without_objects(source) {
            true => None,
            false => yaml::outline(&source.text, "items"),
        })
        .collect::<Option<Vec<_>>>()?;
    packed(sources, documents, reads).ok()
}

fn packed<'t>(
    sources: &'t [Source],
    documents: Vec<Vec<LazyDocument<'t>>>,
    reads: impl Fn(&str, &str, &str) -> bool,
) -> Result<Package<'t>, OpenError> {
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
    if let (Form::ResourceList, Some((position, root))) = (form, envelope) {
        let source = &sources[position];
        package.function_config = function_config(source, root)?;
        package.results = results(source, root)?;
    }
    for (position, (source, documents)) in sources.iter().zip(documents).enumerate() {
        let mut finder = Finder::new(source, position, form, &reads);
        finder.documents(&documents)?;
        match source.origin {
            // The first are as they are found: of a large input that is all.
            Origin::Named | Origin::Folder | Origin::Configuration if package.items.is_empty() => {
                package.items = finder.items;
            }
            Origin::Named | Origin::Folder | Origin::Configuration => {
                package.items.append(&mut finder.items);
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
pub(super) fn is_resource_list(source: &Source, root: &Lazy<'_>) -> Result<bool, OpenError> {
    Ok(text_at(source, root, "kind")? == "ResourceList"
        && text_at(source, root, "apiVersion")?.starts_with("config.kubernetes.io/"))
}

/// Zero bytes where objects are expected.
fn without_objects(source: &Source) -> bool {
    source.origin == Origin::Named && source.text.trim_start_matches('\u{feff}').is_empty()
}

fn documents(source: &Source) -> Result<Vec<LazyDocument<'_>>, OpenError> {
    let source_name = || source.called().to_owned();
    if without_objects(source) {
        return Err(OpenError::Empty {
            source_name: source_name(),
        });
    }
    let documents =
        yaml::read(&source.text).map_err(|error| match json_in_a_row(&source.text) {
            true => OpenError::JsonInARow {
                source_name: source_name(),
            },
            false => OpenError::NotYaml {
                source_name: source_name(),
                error,
            },
        })?;
    Ok(documents.into_iter().map(LazyDocument::from).collect())
}

fn json_in_a_row(text: &str) -> bool {
    let mut documents =
        serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    text.trim_start().starts_with('{')
        && documents.by_ref().take(2).filter(Result::is_ok).count() == 2
}

/// The form, with the envelope and the position of its source if there is one.
#[expect(clippy::type_complexity, reason = "named nowhere else")]
fn form<'d, 't>(
    sources: &[Source],
    documents: &'d [Vec<LazyDocument<'t>>],
) -> Result<(Form, Option<(usize, &'d Lazy<'t>)>), OpenError> {
    let roots: Vec<(usize, &Lazy<'t>)> = documents
        .iter()
        .enumerate()
        .filter(|(position, _)| sources[*position].origin != Origin::Kustomization)
        .flat_map(|(position, documents)| {
            let roots = documents
                .iter()
                .filter_map(|document| document.root.as_ref());
            roots.map(move |root| (position, root))
        })
        .collect();
    let mut envelope = None;
    for (position, root) in &roots {
        if is_resource_list(&sources[*position], root)? {
            envelope = Some((*position, *root));
            break;
        }
    }
    let Some((position, root)) = envelope else {
        return match roots.as_slice() {
            [(position, root)] if is_list(&sources[*position], root)? => {
                Ok((Form::List, Some((*position, root))))
            }
            _ => Ok((Form::Stream, None)),
        };
    };
    let source = &sources[position];
    if roots.len() > 1 {
        return Err(OpenError::NotAlone {
            source_name: source.called().to_owned(),
        });
    }
    let api_version = text_at(source, root, "apiVersion")?;
    if !matches!(
        api_version.as_str(),
        "config.kubernetes.io/v1" | "config.kubernetes.io/v1beta1"
    ) {
        return Err(OpenError::UnknownResourceList {
            source_name: source.called().to_owned(),
            api_version,
        });
    }
    Ok((Form::ResourceList, Some((position, root))))
}

fn function_config<'t>(
    source: &Source,
    root: &Lazy<'t>,
) -> Result<Option<FunctionConfig<'t>>, OpenError> {
    let form = Form::ResourceList;
    check_keys(source, form, root, 0, &["functionConfig", "results"])?;
    Ok(got(source, root, "functionConfig")?
        .filter(|node| Shape::of(node) != Shape::Null)
        .map(|node| FunctionConfig {
            node: node.into_owned(),
        }))
}

fn results(source: &Source, root: &Lazy<'_>) -> Result<Vec<Value>, OpenError> {
    let Some(node) = got(source, root, "results")? else {
        return Ok(Vec::new());
    };
    match Shape::of(&node) {
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
