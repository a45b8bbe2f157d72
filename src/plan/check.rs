//! Does the edited text say what the patches say?
//!
//! Authority: the `json-patch` crate; the text read again.
//! Departs from nothing: the run fails where it does not.
//! Knows: packages, edits. Does not know: why something is edited.

use super::{Plan, edited, patches, refuted};
use crate::krm::{self, Package};
use crate::report::Located;
use crate::yaml::{Lazy, Rules};
use crate::{Error, apply, model};

/// Reads the edited text again: every patched item must be what `json-patch` makes of it. Items by their outline are seen to
/// already, each in its own lines.
pub(super) fn as_a_whole(package: &Package<'_>, plan: &Plan, rules: Rules) -> Result<(), Error> {
    let is_read =
        |(position, _): &(usize, _)| matches!(package.items[*position].value, Lazy::Read(_));
    if !patches(&plan.decisions).any(|patch| is_read(&patch)) {
        return Ok(());
    }
    let edited = edited(package, &plan.edits);
    let after = krm::open(&edited, model::reads)
        .map_err(|_| refuted(unreadable(package, &plan.decisions).join(", ")))?;
    if after.items.len() != package.items.len() {
        return Err(refuted("the number of objects changed".to_owned()));
    }
    for (position, patch) in patches(&plan.decisions) {
        let (before, after_item) = (&package.items[position], &after.items[position]);
        let (old, new) = (package.read(before)?, after.read(after_item)?);
        if !apply::agrees(&old, &new, &patch, rules)? {
            return Err(refuted(package.place(before).to_string()));
        }
    }
    Ok(())
}

/// The objects after whose edits the text can no longer be read.
fn unreadable(package: &Package<'_>, decisions: &[Located]) -> Vec<String> {
    patches(decisions)
        .filter(|(position, patch)| {
            let item = &package.items[*position];
            let text = &package.sources()[item.source].text;
            let Ok(object) = package.read(item) else {
                return true;
            };
            let own = apply::edits(text, &object, item.syntax, patch);
            let own = own.map(|edits| vec![(item.source, edits)]);
            own.is_ok_and(|own| krm::open(&edited(package, &own), model::reads).is_err())
        })
        .map(|(position, _)| package.place(&package.items[position]).to_string())
        .collect()
}
