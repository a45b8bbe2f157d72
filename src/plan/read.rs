//! What do the items say, and to whom?
//!
//! Authority: the model for what is read of an item; kustomize's and kubectl's rules for what a scalar is.
//! Departs from nothing: what cannot be read is a finding on that item.
//! Knows: items, their values under either rules. Does not know: edits.

use std::collections::BTreeMap;

use jsonptr::PointerBuf;
use serde_json::Value;

use crate::Error;
use crate::config::Config;
use crate::context::Facts;
use crate::krm::Item;
use crate::model::{self, Found, Inventory, Object, Unread};
use crate::parallel;
use crate::report;
use crate::rules::{self, Decision, Rule, Verdict};
use crate::yaml::{self, MapLines, Rules};

/// What the items say.
pub(super) struct Said {
    pub(super) inventory: Inventory,
    /// Positions of items that kustomize and kubectl may read differently.
    pub(super) unlike: Vec<usize>,
}

/// Reads the items: what they say is a fraction of their text, which is all that is kept.
pub(super) fn items(facts: &Facts<'_>, config: &Config, rules: Rules) -> Result<Said, Error> {
    let end_of_input = facts.end_of_input();
    let mut quick = Vec::new();
    let mut slow = Vec::new();
    for (position, item) in facts.items() {
        match item.value.lines() {
            Some(lines) => quick.push((position, item, lines)),
            None => slow.push(position),
        }
    }
    let mut parts = Vec::new();
    let mut unlike = Vec::new();
    for part in parallel::in_order(&quick, |part| {
        read_quickly(part, end_of_input, config, rules)
    }) {
        parts.push(part.found);
        unlike.extend(part.unlike);
        slow.extend(part.left);
    }
    let mut found = Found::joined(parts);
    let mut aliased = yaml::ALIAS_LIMIT_OF_A_RUN;
    for position in slow {
        let (package, item) = facts.at(position);
        let node = package.read(item)?;
        if !node.is_read_alike() {
            unlike.push(position);
        }
        match node.value_within(rules, &mut aliased) {
            Ok(value) => found.take(position, &(&value).into(), end_of_input, config),
            Err(problem) => found.take_unread(Unread {
                object: identity(facts, position, config),
                at: PointerBuf::new(),
                problem: problem.to_string(),
            }),
        }
    }
    unlike.sort_unstable();
    Ok(Said {
        inventory: found.inventory(),
        unlike,
    })
}

/// What some of the items say.
#[derive(Default)]
struct Part {
    found: Found,
    unlike: Vec<usize>,
    /// Positions of items that it takes a node to read.
    left: Vec<usize>,
}

fn read_quickly(
    items: &[(usize, &Item<'_>, MapLines<'_>)],
    end_of_input: usize,
    config: &Config,
    rules: Rules,
) -> Part {
    let mut part = Part::default();
    for (position, item, lines) in items {
        let passed_over = model::passed_over(&item.api_version, &item.kind);
        let Some(read) = lines.value(rules, passed_over) else {
            part.left.push(*position);
            continue;
        };
        if !read.is_alike {
            part.unlike.push(*position);
        }
        part.found
            .take(*position, &read.value, end_of_input, config);
    }
    part.found.sort();
    part
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
        kind: item.kind.to_string(),
        namespace_assumed: namespace.is_none(),
        namespace: namespace.unwrap_or_else(|| config.namespace.clone()),
        name: text("name").unwrap_or_default(),
        api_version: item.api_version.to_string(),
        item: position,
        ignored: false,
        local: false,
        context: position >= facts.end_of_input(),
        accepted: Vec::new(),
    }
}

/// A finding on each decision that would be another one as the other of kustomize and kubectl reads the input, in which
/// these items may differ.
pub(super) fn read_differently(
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
    let mut aliased = [yaml::ALIAS_LIMIT_OF_A_RUN; 2];
    for &position in unlike {
        let (package, item) = facts.at(position);
        let node = package.read(item)?;
        let values = (
            node.value_within(ours, &mut aliased[0]),
            node.value_within(other, &mut aliased[1]),
        );
        if let (Ok(whole), Ok(other)) = values {
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
    let others = rules::decide(&items(facts, config, other)?.inventory, config);
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
}
