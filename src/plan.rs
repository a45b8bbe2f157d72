//! From items to decisions and edits.
//!
//! Authority: the order of the layers.
//! Departs from nothing: what cannot be read or changed in one object is a finding on that object; only an edit that
//! does not say what its patch says stops the run, because then nothing we write can be trusted.
//! Knows: every layer by its entry. Does not know: files, streams, settings' origin.

use std::collections::BTreeMap;
use std::iter;

use jsonptr::PointerBuf;
use serde_json::Value;

use crate::Error;
use crate::apply;
use crate::config::{Config, Severity};
use crate::context::Facts;
use crate::krm::{self, Item, Package, Source};
use crate::model::{self, Inventory, Object, Unread};
use crate::report::component::{ComponentError, Id, Patched};
use crate::report::{self, Located};
use crate::rules::{self, Decision, Failing, Rule, Verdict};
use crate::yaml::{self, Edit, Lazy, Rules};

/// What is to happen.
pub(crate) struct Plan {
    /// Every decision, in the order of the items.
    pub(crate) decisions: Vec<Located>,
    /// The edits of each source that has any.
    pub(crate) edits: Vec<(usize, Vec<Edit>)>,
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
    let Read { inventory, unlike } = read(&facts, config, rules)?;
    let mut decisions = rules::decide(&inventory, config);
    drop(inventory);
    decisions.extend(read_differently(&facts, config, &decisions, &unlike)?);
    decisions.sort_by(rules::in_order);
    let plan = written(&facts, decisions, rules)?;
    verify(package, &plan, rules)?;
    Ok(plan)
}

/// What the items say.
struct Read {
    inventory: Inventory,
    /// Positions of items that kustomize and kubectl may read differently.
    unlike: Vec<usize>,
}

/// Reads the items one after the other: what they say is a fraction of their text.
fn read(facts: &Facts<'_>, config: &Config, rules: Rules) -> Result<Read, Error> {
    let mut unread = Vec::new();
    let mut unlike = Vec::new();
    let mut failed = None;
    let mut aliased = yaml::ALIAS_LIMIT_OF_A_RUN;
    let values = facts.items().map_while(|(position, item)| {
        let (package, _) = facts.at(position);
        let node = package.read(item).map_err(|error| failed = Some(error));
        let node = node.ok()?;
        if !node.is_read_alike() {
            unlike.push(position);
        }
        Some((position, node.value_within(rules, &mut aliased)))
    });
    let values = values.filter_map(|(position, value)| match value {
        Ok(value) => Some((position, value)),
        Err(problem) => {
            unread.push(Unread {
                object: identity(facts, position, config),
                at: PointerBuf::new(),
                problem: problem.to_string(),
            });
            None
        }
    });
    let mut inventory = model::read_in_context(values, facts.end_of_input(), config);
    inventory.unread.extend(unread);
    inventory.sort_unread();
    match failed {
        Some(error) => Err(Error::Open(error)),
        None => Ok(Read { inventory, unlike }),
    }
}

/// What can be said of an object whose value cannot be had.
fn identity(facts: &Facts<'_>, position: usize, config: &Config) -> Object {
    let (_, item) = facts.at(position);
    let metadata = item.metadata();
    let text = |key: &str| {
        let found = metadata.as_deref().and_then(|metadata| metadata.get(key));
        found.and_then(yaml::Node::text).map(str::to_owned)
    };
    let namespace = text("namespace");
    Object {
        kind: item.kind.clone(),
        namespace_assumed: namespace.is_none(),
        namespace: namespace.unwrap_or_else(|| config.namespace.clone()),
        name: text("name").unwrap_or_default(),
        api_version: item.api_version.clone(),
        item: position,
        ignored: false,
        local: false,
        context: position >= facts.end_of_input(),
        accepted: Vec::new(),
    }
}

/// A finding on each decision that would be another one as the other of kustomize and kubectl reads the input, in which
/// these items may differ.
fn read_differently(
    facts: &Facts<'_>,
    config: &Config,
    decisions: &[Decision],
    unlike: &[usize],
) -> Result<Vec<Decision>, Error> {
    let (ours, other, reader) = match facts.rules() {
        Rules::Kustomize => (Rules::Kustomize, Rules::Kubectl, "kubectl"),
        Rules::Kubectl => (Rules::Kubectl, Rules::Kustomize, "kustomize"),
    };
    let mut different: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let (mut aliased, mut aliased_there) = (yaml::ALIAS_LIMIT_OF_A_RUN, yaml::ALIAS_LIMIT_OF_A_RUN);
    for &position in unlike {
        let (package, item) = facts.at(position);
        let node = package.read(item)?;
        if let (Ok(whole), Ok(other)) = (
            node.value_within(ours, &mut aliased),
            node.value_within(other, &mut aliased_there),
        ) {
            let object = identity(facts, position, config);
            for (at, ours, other) in differences(&whole, &other) {
                let secret = names_secret(&whole, &at);
                different.entry(position).or_default().push(match secret {
                    true => format!("{at} of {object}"),
                    false => format!("{at} of {object} ({ours} or {other})"),
                });
            }
        }
    }
    if different.is_empty() {
        return Ok(Vec::new());
    }
    let others = rules::decide(&read(facts, config, other)?.inventory, config);
    let place = |decision: &Decision| (decision.object.item, decision.at.clone());
    let what = |decision: &Decision| {
        let transport = decision.transport.map(|transport| transport.wanted);
        (decision.rule, decision.verdict, transport)
    };
    let mut by_place: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for other in &others {
        by_place.entry(place(other)).or_default().push(what(other));
    }
    let is_the_same = |decision: &Decision| {
        let others = by_place.get(&place(decision));
        others.is_some_and(|others| others.contains(&what(decision)))
    };
    let findings = decisions
        .iter()
        .filter(|decision| !is_the_same(decision))
        .map(|decision| Decision {
            rule: Rule::ReadDifferently,
            severity: Rule::ReadDifferently.severity(),
            verdict: Verdict::Keep,
            transport: None,
            targets: Vec::new(),
            message: format!(
                "{reader} reads a value differently, and the decision would be another one: quote {}",
                some_of(&different, decision.object.item)
            ),
            steps: Vec::new(),
            ..decision.clone()
        });
    Ok(findings.collect())
}

/// Whether a key on the way to a place sounds like a secret, or the name that a `value` stands beside, as in the
/// environment of a container.
fn names_secret(root: &Value, at: &jsonptr::Pointer) -> bool {
    // By the value, in which a key is found at once: a map may have many that are read differently.
    let beside = at.parent().and_then(|parent| {
        let around = parent.resolve(root).ok()?;
        around.get("name")
    });
    let name = beside.and_then(Value::as_str);
    at.tokens()
        .any(|token| report::secrets::is_secret(&token.decoded()))
        || name.is_some_and(report::secrets::is_secret)
}

/// The values to quote, an item's own first. Any of them may decide about any item, and whoever quotes some sees the
/// others in the next run.
fn some_of(different: &BTreeMap<usize, Vec<String>>, item: usize) -> String {
    const NAMED: usize = 10;
    let all: usize = different.values().map(Vec::len).sum();
    let own = different.get(&item).into_iter().flatten();
    let of_others = different.iter().filter(|(position, _)| **position != item);
    let named: Vec<&str> = own
        .chain(of_others.flat_map(|(_, values)| values))
        .map(String::as_str)
        .take(NAMED)
        .collect();
    match all - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// The places where two values differ.
fn differences(ours: &Value, other: &Value) -> Vec<(PointerBuf, Value, Value)> {
    let below = |token: &str, found: Vec<(PointerBuf, Value, Value)>| {
        let token = token.to_owned();
        found.into_iter().map(move |(at, ours, other)| {
            let mut whole = PointerBuf::from_tokens([&token]);
            whole.append(&at);
            (whole, ours, other)
        })
    };
    match (ours, other) {
        (Value::Object(ours), Value::Object(other)) if ours.keys().eq(other.keys()) => ours
            .iter()
            .flat_map(|(key, value)| below(key, differences(value, &other[key])))
            .collect(),
        (Value::Array(ours), Value::Array(other)) if ours.len() == other.len() => ours
            .iter()
            .zip(other)
            .enumerate()
            .flat_map(|(index, (ours, other))| below(&index.to_string(), differences(ours, other)))
            .collect(),
        (ours, other) if ours == other => Vec::new(),
        (ours, other) => vec![(PointerBuf::new(), ours.clone(), other.clone())],
    }
}

/// The decisions with their patches, and the edits that those come to, item by item: an item is read once for all of them.
fn written(facts: &Facts<'_>, decisions: Vec<Decision>, rules: Rules) -> Result<Plan, Error> {
    let mut plan = Plan {
        decisions: Vec::with_capacity(decisions.len()),
        edits: Vec::new(),
    };
    let mut decisions = decisions.into_iter().peekable();
    while let Some(first) = decisions.next() {
        let position = first.object.item;
        let (package, item) = facts.at(position);
        let object = package.read(item)?;
        let mut strings = apply::Strings::new();
        let mut patch = Vec::new();
        let mut next = Some(first);
        while let Some(decision) = next {
            let located = located(package, item, &object, decision, &mut strings);
            located
                .patch
                .iter()
                .for_each(|operation| add(&mut patch, operation));
            plan.decisions.push(located);
            next = decisions.next_if(|decision| decision.object.item == position);
        }
        if patch.is_empty() {
            continue;
        }
        let text = &package.sources()[item.source].text;
        let edits = apply::edits(text, &object, item.syntax, &patch)?;
        if let Lazy::Outlined(outline) = &item.value
            && !apply::agrees_in_its_lines(text, outline, &object, &edits, &patch, rules)?
        {
            return Err(refuted(package.place(item).to_string()));
        }
        plan.edits.push((item.source, edits));
    }
    Ok(plan)
}

fn refuted(problem: String) -> Error {
    Error::Apply(apply::ApplyError::Refuted(problem))
}

/// Adds where the object is, and what its steps come to. A patch that cannot be written is refused.
fn located<'t>(
    package: &Package<'t>,
    item: &Item<'t>,
    object: &yaml::Node<'t>,
    mut decision: Decision,
    strings: &mut apply::Strings,
) -> Located {
    let text = &package.sources()[item.source].text;
    let written = apply::operations(object, &decision.steps, strings).and_then(|patch| {
        apply::edits(text, object, item.syntax, &patch)?;
        Ok(patch)
    });
    let patch = written.unwrap_or_else(|problem| {
        decision.verdict = Verdict::Refuse;
        decision.severity = Severity::Error;
        decision.message = format!("{}; {problem}", decision.message);
        Vec::new()
    });
    let place = place(object, &decision.at);
    let mut location = package.location(item);
    if let Some(line) = &mut location.line {
        // Counted from the item: its own line is known, and the text before it may be long.
        let above = &text[object.range.start..place.range.start.max(object.range.start)];
        *line += yaml::line_of(above, above.len()) - 1;
    }
    Located {
        location,
        decision,
        patch,
    }
}

/// Where a decision is about: what is inside of a string has the string's place, what is not there that of the object.
fn place<'i, 't>(item: &'i yaml::Node<'t>, at: &jsonptr::Pointer) -> &'i yaml::Node<'t> {
    if let Some(there) = item.at(at) {
        return there;
    }
    let nearest = iter::successors(Some(at), |at| at.parent()).find_map(|at| item.at(at));
    nearest.filter(|node| node.text().is_some()).unwrap_or(item)
}

/// The operations of all decisions about one item, in order.
fn patches<'a>(
    decisions: &'a [Located],
) -> impl Iterator<Item = (usize, Vec<json_patch::PatchOperation>)> + 'a {
    decisions
        .chunk_by(|a, b| a.decision.object.item == b.decision.object.item)
        .map(|of_item| {
            let mut patch = Vec::new();
            for operation in of_item.iter().flat_map(|located| &located.patch) {
                add(&mut patch, operation);
            }
            (of_item[0].decision.object.item, patch)
        })
        .filter(|(_, patch): &(usize, Vec<_>)| !patch.is_empty())
}

/// The objects that are to change, as kustomize reads them, and what is to be done to each.
pub(crate) fn patched(package: &Package<'_>, decisions: &[Located]) -> Result<Vec<Patched>, Error> {
    patches(decisions)
        .map(|(position, operations)| {
            let item = &package.items[position];
            let value = package.read(item)?.value(Rules::Kustomize);
            let value = value.map_err(apply::ApplyError::Value)?;
            let metadata = |key: &str| {
                let text = value["metadata"][key].as_str();
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let name = metadata("name").ok_or_else(|| ComponentError::Nameless {
                place: package.place(item).to_string(),
                kind: item.kind.clone(),
            })?;
            let id = Id {
                kind: item.kind.clone(),
                namespace: metadata("namespace"),
                name,
                api_version: item.api_version.clone(),
            };
            Ok(Patched {
                id,
                value,
                operations,
            })
        })
        .collect()
}

/// Adds an operation to those of one object. A string that a second decision changes inside is written once, with both
/// changes in it, and so is a map or list that two decisions need: the other one's operation already has the first one's.
fn add(patch: &mut Vec<json_patch::PatchOperation>, operation: &json_patch::PatchOperation) {
    use json_patch::PatchOperation::Add;
    let is_appended = |path: &PointerBuf| {
        let last = path.last().map(|token| token.decoded().into_owned());
        last.is_some_and(|last| last == "-" || last.parse::<usize>().is_ok())
    };
    if let Add(add) = operation
        && (add.value.is_string() || !is_appended(&add.path))
    {
        patch.retain(|earlier| !matches!(earlier, Add(earlier) if earlier.path == add.path));
    }
    patch.push(operation.clone());
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

/// Reads the edited text again: every patched item must be what `json-patch` makes of it. Items by their outline are seen to
/// already, each in its own lines.
fn verify(package: &Package<'_>, plan: &Plan, rules: Rules) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_key_or_by_the_name_beside_it() {
        let text =
            "a:\n- {name: API_TOKEN, value: on}\n- {name: LEVEL, value: on}\npassword: {x: [on]}\n";
        let documents = yaml::read(text).expect("YAML");
        let root = documents[0].root.as_ref().expect("a map");
        let root = root.value(Rules::Kubectl).expect("a value");
        for (at, expected) in [
            ("/a/0/value", true),
            ("/a/1/value", false),
            ("/password/x/0", true),
            ("/a", false),
            ("", false),
        ] {
            let at = jsonptr::PointerBuf::parse(at).expect("a pointer");
            assert_eq!(names_secret(&root, &at), expected, "{at}");
        }
    }

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
            let at = jsonptr::PointerBuf::parse(at).expect("a pointer");
            let found = place(root, &at).range.start;
            assert_eq!(yaml::line_of(text, found), line, "{at}");
        }
    }
}
