//! From items to decisions and edits.
//!
//! Authority: the order of the layers.
//! Departs from nothing: what cannot be read or changed in one object is a finding on that object; only an edit that
//! does not say what its patch says stops the run, because then nothing we write can be trusted.
//! Knows: every layer by its entry. Does not know: files, streams, settings' origin.

mod check;
mod read;

use std::collections::BTreeMap;
use std::iter;

use json_patch::PatchOperation;
use jsonptr::Pointer;

use crate::Error;
use crate::apply::{self, ApplyError};
use crate::config::{Config, Severity};
use crate::context::Facts;
use crate::krm::{Location, Package, Source};
use crate::model::Inventory;
use crate::parallel;
use crate::report::Located;
use crate::report::component::{ComponentError, Id, Patched};
use crate::rules::{self, Decision, Failing, Verdict};
use crate::yaml::{self, Edit, Lazy, Outline, Rules};
use read::Said;

/// What is to happen.
pub(crate) struct Plan {
    /// Every decision, in the order of the items.
    pub(crate) decisions: Vec<Located>,
    /// The edits of each source that has any.
    pub(crate) edits: Vec<(usize, Vec<Edit>)>,
    #[expect(
        dead_code,
        reason = "to let go of it takes time, which a program that ends does not have to spend"
    )]
    left_behind: Inventory,
}

impl Plan {
    /// Whether any of the decisions fails the run.
    pub(crate) fn fails(&self, failing: &Failing) -> bool {
        let mut decisions = self.decisions.iter();
        decisions.any(|located| failing.fails(&located.decision))
    }
}

/// Decides, and turns the decisions into edits that are checked against their patches.
pub(crate) fn draw(
    package: &Package<'_>,
    context: &Package<'_>,
    config: &Config,
) -> Result<Plan, Error> {
    let facts = Facts::new(package, context, config);
    let rules = facts.rules();
    let Said { inventory, unlike } = read::items(&facts, config, rules)?;
    let mut decisions = rules::decide(&inventory, config);
    decisions.extend(read::read_differently(&facts, config, &decisions, &unlike)?);
    decisions.sort_by(rules::in_order);
    let plan = written(&facts, decisions, inventory, rules)?;
    check::as_a_whole(package, &plan, rules)?;
    Ok(plan)
}

/// The decisions with their patches, and the edits that those come to.
fn written(
    facts: &Facts<'_>,
    decisions: Vec<Decision>,
    left_behind: Inventory,
    rules: Rules,
) -> Result<Plan, Error> {
    let same_item = |a: &Decision, b: &Decision| a.object.item == b.object.item;
    let items: Vec<&[Decision]> = decisions.chunk_by(same_item).collect();
    let parts = parallel::in_order(&items, |items| {
        let written = items.iter().map(|item| of_item(facts, item, rules));
        written.collect::<Result<Vec<_>, _>>()
    });
    let mut located = Vec::with_capacity(decisions.len());
    let mut edits = Vec::new();
    for part in parts {
        for item in part? {
            located.extend(item.located);
            edits.extend(item.edits);
        }
    }
    let decisions = decisions.into_iter().zip(located);
    Ok(Plan {
        decisions: decisions
            .map(|(decision, (location, patch))| settled(decision, location, patch))
            .collect(),
        edits,
        left_behind,
    })
}

type Patch = Result<Vec<PatchOperation>, ApplyError>;

/// What the decisions about one item come to.
struct OfItem {
    /// Where each is, and its patch, which may be one that cannot be written.
    located: Vec<(Location, Patch)>,
    /// The source with the edits of all of them.
    edits: Option<(usize, Vec<Edit>)>,
}

/// The item is read once for all decisions about it.
fn of_item(facts: &Facts<'_>, decisions: &[Decision], rules: Rules) -> Result<OfItem, Error> {
    let (package, item) = facts.at(decisions[0].object.item);
    let text = &package.sources()[item.source].text;
    let of_whole = package.location(item);
    if decisions.iter().all(|decision| decision.steps.is_empty())
        && let Lazy::Outlined(outline) = &item.value
        && let Some(located) = located_where_nothing_changes(text, outline, &of_whole, decisions)
    {
        debug_assert!(package.read(item).is_ok_and(|object| {
            let start = object.range.start;
            let places = decisions.iter().map(|one| place(&object, &one.at));
            let places: Vec<usize> = places.map(|place| place.range.start).collect();
            let known = locations(&of_whole, text, start, &places);
            known.eq(located.iter().map(|(location, _)| location.clone()))
        }));
        return Ok(OfItem {
            located,
            edits: None,
        });
    }
    let object = package.read(item)?;
    let mut strings = apply::Strings::new();
    let mut whole = Whole::default();
    let mut written = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let patch = apply::operations(&object, &decision.steps, &mut strings)
            .and_then(|patch| apply::check_editable(&object, &patch).map(|()| patch));
        written.push(patch);
    }
    for operation in written.iter().flatten().flatten() {
        whole.add(operation);
    }
    let whole = whole.operations();
    let places: Vec<usize> = decisions
        .iter()
        .map(|decision| place(&object, &decision.at).range.start)
        .collect();
    let located = locations(&of_whole, text, object.range.start, &places)
        .zip(written)
        .collect();
    if whole.is_empty() {
        let edits = None;
        return Ok(OfItem { located, edits });
    }
    let edits = apply::edits(text, &object, item.syntax, &whole)?;
    if let Lazy::Outlined(outline) = &item.value
        && !apply::agrees_in_its_lines(text, outline, &object, &edits, &whole, rules)?
    {
        return Err(refuted(package.place(item).to_string()));
    }
    let edits = Some((item.source, edits));
    Ok(OfItem { located, edits })
}

fn refuted(problem: String) -> Error {
    Error::Apply(ApplyError::Refuted(problem))
}

/// Where the decisions about an object are, all of which leave it as it is, as nearly all decisions do: no more is read than
/// what stands under the keys that they are about. `None` where it takes the whole object to say.
fn located_where_nothing_changes(
    text: &str,
    outline: &Outline<'_>,
    of_whole: &Location,
    decisions: &[Decision],
) -> Option<Vec<(Location, Patch)>> {
    let mut read: Option<(&str, yaml::Node<'_>)> = None;
    let mut places = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let mut place = outline.start();
        if let Some((key, at)) = decision.at.split_front()
            && let Some((key, _)) = outline.keys().find(|(name, _)| *name == key.decoded())
        {
            if read.as_ref().is_none_or(|(known, _)| *known != key) {
                read = Some((key, outline.quickly(key)?));
            }
            let value = read.as_ref().map(|(_, value)| value);
            let there = value.and_then(|value| value.at(at).or_else(|| text_above(value, at)));
            place = there.map_or(place, |there| there.range.start);
        }
        places.push(place);
    }
    let located = locations(of_whole, text, outline.start(), &places);
    Some(located.map(|location| (location, Ok(Vec::new()))).collect())
}

/// Where places in an object are, by where the object is. Lines are counted from there: its own line is known, and the text
/// before it may be long.
fn locations(
    of_object: &Location,
    text: &str,
    object: usize,
    places: &[usize],
) -> impl Iterator<Item = Location> {
    let below: Vec<usize> = places
        .iter()
        .map(|place| place.saturating_sub(object))
        .collect();
    let lines = yaml::lines_of(&text[object..], &below).into_iter();
    lines.map(|line| {
        let mut location = of_object.clone();
        location.line = location.line.map(|first| first + line - 1);
        location
    })
}

/// A patch that cannot be written is refused.
fn settled(mut decision: Decision, location: Location, patch: Patch) -> Located {
    let patch = patch.unwrap_or_else(|problem| {
        decision.verdict = Verdict::Refuse;
        decision.severity = Severity::Error;
        decision.message = format!("{}; {problem}", decision.message);
        Vec::new()
    });
    Located {
        location,
        decision,
        patch,
    }
}

/// What a decision is about: what is inside of a string has the string's place, what is not there that of the object.
fn place<'i, 't>(item: &'i yaml::Node<'t>, at: &Pointer) -> &'i yaml::Node<'t> {
    let there = item.at(at).or_else(|| text_above(item, at));
    there.unwrap_or(item)
}

/// The string that a place which is not there may be inside of.
fn text_above<'i, 't>(value: &'i yaml::Node<'t>, at: &Pointer) -> Option<&'i yaml::Node<'t>> {
    let nearest = iter::successors(Some(at), |at| at.parent()).find_map(|at| value.at(at));
    nearest.filter(|node| node.text().is_some())
}

/// The operations of all decisions about one item, in order.
fn patches<'a>(
    decisions: &'a [Located],
) -> impl Iterator<Item = (usize, Vec<PatchOperation>)> + 'a {
    decisions
        .chunk_by(|a, b| a.decision.object.item == b.decision.object.item)
        .map(|of_item| {
            let mut whole = Whole::default();
            for operation in of_item.iter().flat_map(|located| &located.patch) {
                whole.add(operation);
            }
            (of_item[0].decision.object.item, whole.operations())
        })
        .filter(|(_, patch): &(usize, Vec<_>)| !patch.is_empty())
}

/// The objects that are to change, as kustomize reads them, and what is to be done to each.
pub(crate) fn patched(package: &Package<'_>, decisions: &[Located]) -> Result<Vec<Patched>, Error> {
    patches(decisions)
        .map(|(position, operations)| {
            let item = &package.items[position];
            let value = package.read(item)?.value(Rules::Kustomize);
            let value = value.map_err(ApplyError::Value)?;
            let metadata = |key: &str| {
                let text = value["metadata"][key].as_str();
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let name = metadata("name").ok_or_else(|| ComponentError::Nameless {
                place: package.place(item).to_string(),
                kind: item.kind.to_string(),
            })?;
            let id = Id {
                kind: item.kind.to_string(),
                namespace: metadata("namespace"),
                name,
                api_version: item.api_version.to_string(),
            };
            Ok(Patched {
                id,
                value,
                operations,
            })
        })
        .collect()
}

/// The operations of all decisions about one object, in order.
#[derive(Default)]
struct Whole<'p> {
    operations: Vec<Option<&'p PatchOperation>>,
    /// Which of them add something at a path.
    adding: BTreeMap<&'p Pointer, Vec<usize>>,
}

impl<'p> Whole<'p> {
    /// A string that a second decision changes inside is written once, with both changes in it, and so is a map or list that
    /// two decisions need: the other one's operation already has the first one's.
    fn add(&mut self, operation: &'p PatchOperation) {
        let is_appended = |path: &Pointer| {
            let last = path.last().map(|token| token.decoded().into_owned());
            last.is_some_and(|last| last == "-" || last.parse::<usize>().is_ok())
        };
        if let PatchOperation::Add(add) = operation {
            let earlier = self.adding.entry(&add.path).or_default();
            if add.value.is_string() || !is_appended(&add.path) {
                for position in earlier.drain(..) {
                    self.operations[position] = None;
                }
            }
            earlier.push(self.operations.len());
        }
        self.operations.push(Some(operation));
    }

    fn operations(self) -> Vec<PatchOperation> {
        self.operations.into_iter().flatten().cloned().collect()
    }
}

/// The sources with their edits.
pub(crate) fn edited(package: &Package<'_>, edits: &[(usize, Vec<Edit>)]) -> Vec<Source> {
    package
        .sources()
        .iter()
        .enumerate()
        .map(|(position, source)| {
            let mut own: Vec<Edit> = edits
                .iter()
                .filter(|(of, _)| *of == position)
                .flat_map(|(_, edits)| edits.iter().cloned())
                .collect();
            own.sort_by_key(|edit| edit.range.start);
            Source {
                text: yaml::splice(&source.text, &own),
                ..source.clone()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jsonptr::PointerBuf;

    use super::*;

    #[test]
    fn what_is_inside_of_a_string_is_where_the_string_is() {
        let text = "spec:\n  jobs: |\n    - a\n  list: [x]\n";
        let documents = yaml::read(text).expect("YAML");
        let root = documents[0].root.as_ref().expect("a map");
        for (at, line) in [
            ("/spec/jobs/0/scheme", 2),
            ("/spec/jobs", 2),
            ("/spec/list/0", 4),
            ("/spec/list/1", 1),
            ("/metadata/namespace", 1),
        ] {
            let at = PointerBuf::parse(at).expect("a pointer");
            let found = place(root, &at).range.start;
            assert_eq!(yaml::line_of(text, found), line, "{at}");
        }
    }
}
