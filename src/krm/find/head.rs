//! Of which kind is an object that is like nearly all are, and what is its name?
//!
//! Authority: `find`, which finds the same, and what is wrong with all others.
//! Departs from it: nothing; an object that it takes more to tell of is left to it (`None`).
//! Knows: the first lines of maps in block style. Does not know: lists, what stands around an object.

use std::borrow::Cow;

use serde_json::Value;

use super::super::{OpenError, Source};
use super::got;
use crate::parallel;
use crate::yaml::{Lazy, Rules};

/// What is known of an object without reading it.
pub(super) struct Head<'t> {
    pub(super) api_version: Cow<'t, str>,
    pub(super) kind: Cow<'t, str>,
    pub(super) name: Cow<'t, str>,
}

/// The head of each of these, in their order, as far as there is one.
pub(super) fn heads<'v, 't: 'v, V: Sync>(
    of: &'v [V],
    value: impl Fn(&'v V) -> Option<&'v Lazy<'t>> + Sync,
) -> Vec<Option<Head<'t>>> {
    parallel::listed(of, |part| {
        let heads = part.iter().map(|one| head(value(one)?));
        heads.collect()
    })
}

fn head<'t>(value: &Lazy<'t>) -> Option<Head<'t>> {
    let Lazy::Outlined(outline) = value else {
        return None;
    };
    let kind = outline.quickly("kind")?;
    let read = kind.value(Rules::Kustomize).ok();
    let is_as_written = read.as_ref().and_then(Value::as_str) == kind.text();
    let kind = kind.into_text().filter(|_| is_as_written)?;
    if kind.is_empty() || kind.ends_with("List") {
        return None;
    }
    let api_version = outline.quickly("apiVersion")?.into_text()?;
    let name = outline.text_under("metadata", "name")?;
    let is_once = |name: &&str| outline.keys().filter(|(key, _)| key == name).count() == 1;
    let is_sound = ["kind", "apiVersion", "metadata"].iter().all(is_once);
    is_sound.then(|| Head {
        api_version,
        kind,
        name: name.unwrap_or_default(),
    })
}

/// The kind, whether an object says it itself or by a merge key.
pub(super) fn kind_of(
    source: &Source,
    value: &Lazy<'_>,
    aliased: &mut usize,
) -> Result<Option<String>, OpenError> {
    let own = got(source, value, "kind")?.and_then(|kind| kind.value(Rules::Kustomize).ok());
    let merged = || {
        let Lazy::Read(node) = value else { return None };
        let object = node
            .get("<<")
            .and_then(|_| node.value_within(Rules::Kustomize, aliased).ok())?;
        object.get("kind").cloned()
    };
    let kind = own.or_else(merged);
    let text = kind.as_ref().and_then(|kind| kind.as_str());
    Ok(text.filter(|kind| !kind.is_empty()).map(str::to_owned))
}
