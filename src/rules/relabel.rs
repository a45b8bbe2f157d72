//! Which relabelling rules are ours, and which of the user's stand in their way?
//!
//! Authority: VictoriaMetrics `lib/promscrape/config.go` (a relabelled `__scheme__` decides the URL) and `lib/promrelabel`.
//! Departs from nothing: no marker is written; a rule is ours if we would write it so (`scheme_rule.rs`, `own_pod.rs`).
//! Knows: relabelling rules as values. Does not know: targets, policies.

use serde_json::{Value, json};

use super::decision::Step;
use super::own_pod;
use super::scheme_rule::SchemeRule;
use super::steps::{add, remove, replace};
use super::written::{relabelings, relabelings_key};
use crate::model::Endpoint;

/// Our rules among an endpoint's, as they are written and as what they say.
pub(super) fn ours(endpoint: &Endpoint) -> impl Iterator<Item = (&Value, SchemeRule)> {
    let rules = endpoint.relabelings.iter().flatten();
    rules.filter_map(|written| Some((written, SchemeRule::read(written)?)))
}

/// Positions of our rules among an endpoint's.
fn positions(endpoint: &Endpoint) -> Vec<usize> {
    let rules = endpoint.relabelings.iter().flatten().enumerate();
    rules
        .filter(|(_, written)| SchemeRule::read(written).is_some())
        .map(|(position, _)| position)
        .collect()
}

/// Steps after which our rules are these and no others. What stands stays where it is; the last of ours that says
/// something else is changed in its place, so that no rule of the user comes to stand before it or after it.
pub(super) fn update(endpoint: &Endpoint, wanted: &[Value]) -> Vec<Step> {
    let Some(rules) = &endpoint.relabelings else {
        return vec![add(&endpoint.at, relabelings_key(endpoint), json!(wanted))];
    };
    let list = relabelings(endpoint);
    let mut missing: Vec<&Value> = wanted.iter().collect();
    let mut others = Vec::new();
    for position in positions(endpoint) {
        let said = SchemeRule::read(&rules[position]);
        match missing
            .iter()
            .position(|rule| SchemeRule::read(rule) == said)
        {
            Some(present) => {
                missing.remove(present);
            }
            None => others.push(position),
        }
    }
    let mut steps = Vec::new();
    while let (Some(rule), Some(position)) = (missing.first(), others.last()) {
        steps.push(replace(&list, &position.to_string(), (*rule).clone()));
        missing.remove(0);
        others.pop();
    }
    steps.extend(
        missing
            .into_iter()
            .map(|rule| add(&list, "-", rule.clone())),
    );
    // From the end, so that positions stay true.
    let gone = others.iter().rev();
    steps.extend(gone.map(|position| remove(&list, &position.to_string())));
    steps
}

/// As [`update`], with the rule for the scraper's own pod behind those rules: the last one that matches decides.
pub(super) fn update_with_own_pod(endpoint: &Endpoint, wanted: &[Value]) -> Vec<Step> {
    let rules = endpoint.relabelings.as_deref().unwrap_or_default();
    let present = rules.iter().rposition(own_pod::is_rule);
    let last_of_ours = positions(endpoint).last().copied();
    let written = || update(endpoint, wanted);
    match present {
        Some(own) if written().is_empty() && last_of_ours.is_none_or(|last| last < own) => {
            Vec::new()
        }
        // Nobody else's rule is among them.
        _ if positions(endpoint).len() + usize::from(present.is_some()) == rules.len() => {
            let mut all = wanted.to_vec();
            all.push(present.map_or_else(own_pod::rule, |own| rules[own].clone()));
            let write = match endpoint.relabelings {
                Some(_) => replace,
                None => add,
            };
            vec![write(&endpoint.at, relabelings_key(endpoint), json!(all))]
        }
        None => {
            let mut steps = written();
            steps.push(add(&relabelings(endpoint), "-", own_pod::rule()));
            steps
        }
        Some(own) => {
            let list = relabelings(endpoint);
            let mut without = endpoint.clone();
            if let Some(rules) = &mut without.relabelings {
                rules.remove(own);
            }
            let mut steps = vec![remove(&list, &own.to_string())];
            steps.extend(update(&without, wanted));
            steps.push(add(&list, "-", rules[own].clone()));
            steps
        }
    }
}

/// Steps that remove our rules, and the list with them where nothing else is in it.
pub(super) fn removal(endpoint: &Endpoint) -> Vec<Step> {
    without(endpoint, &positions(endpoint))
}

/// As [`removal`], with the rule for the scraper's own pod.
pub(super) fn removal_of_all(endpoint: &Endpoint) -> Vec<Step> {
    let rules = endpoint.relabelings.iter().flatten().enumerate();
    let for_own_pod = rules.filter(|(_, rule)| own_pod::is_rule(rule));
    let mut all: Vec<_> = for_own_pod.map(|(position, _)| position).collect();
    all.extend(positions(endpoint));
    all.sort_unstable();
    without(endpoint, &all)
}

fn without(endpoint: &Endpoint, ours: &[usize]) -> Vec<Step> {
    let rules = endpoint.relabelings.as_ref().map_or(0, Vec::len);
    if !ours.is_empty() && ours.len() == rules {
        return vec![remove(&endpoint.at, relabelings_key(endpoint))];
    }
    ours.iter()
        .rev()
        .map(|position| remove(&relabelings(endpoint), &position.to_string()))
        .collect()
}

/// What a rule of the user does to the labels that our decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interference {
    /// It sets `__address__`: the ports are not the ones that the endpoint names.
    Address,
    /// It sets `__scheme__`.
    Scheme,
    /// It drops, keeps, maps or sets labels that begin with `__`: a rule of ours after it could miss its source.
    MetaLabels,
}

/// What each rule of the user in `rules` does; ours are not looked at.
pub(super) fn interferences(rules: &[Value]) -> impl Iterator<Item = Interference> {
    rules
        .iter()
        .filter(|rule| SchemeRule::read(rule).is_none() && !own_pod::is_rule(rule))
        .filter_map(interferes)
}

/// Whether a rule among these chooses the scheme as ours do. What all injected pods get anyway is no choice of anybody's.
pub(super) fn chooses_scheme(rules: &[Value]) -> bool {
    let mut read = rules.iter().filter_map(SchemeRule::read);
    read.any(|rule| rule != SchemeRule::where_injected())
}

fn interferes(rule: &Value) -> Option<Interference> {
    let text = |camel: &str, snake: &str| {
        rule.get(camel)
            .or_else(|| rule.get(snake))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let regex = text("regex", "regex");
    match text("action", "action").to_ascii_lowercase().as_str() {
        "" | "replace" | "replace_all" | "hashmod" | "lowercase" | "uppercase" => {
            written_to(text("targetLabel", "target_label"))
        }
        // From parts of a name to labels of these names.
        "graphite" => rule
            .get("labels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(label, _)| written_to(label))
            .min(),
        "labelmap" => {
            let copied = match text("replacement", "replacement") {
                // A part of the name that is copied: those of Kubernetes have no underscore in front.
                name if name.is_empty() || name.starts_with('$') => None,
                name => written_to(name),
            };
            copied.or_else(|| at_labels_of_discovery(regex))
        }
        "labelmap_all" => {
            let is_part = |label: &str| !regex.is_empty() && label.contains(regex);
            let renamed = [
                (ADDRESS, Interference::Address),
                (SCHEME, Interference::Scheme),
            ];
            renamed
                .into_iter()
                .find(|(label, _)| is_part(label))
                .map(|(_, interference)| interference)
                .or_else(|| at_labels_of_discovery(regex))
        }
        "labelkeep" => Some(Interference::MetaLabels),
        "labeldrop" => at_labels_of_discovery(regex),
        // `keep`, `drop` and their like write nothing.
        _ => None,
    }
}

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";

/// What is written where a rule writes to a label, the name of which may have parts from elsewhere (`$1`).
fn written_to(label: &str) -> Option<Interference> {
    let may_be = |name: &str| match label.split_once('$') {
        None => label == name,
        Some((beginning, _)) => name.starts_with(beginning),
    };
    if may_be(ADDRESS) {
        Some(Interference::Address)
    } else if may_be(SCHEME) {
        Some(Interference::Scheme)
    } else {
        label
            .starts_with("__meta")
            .then_some(Interference::MetaLabels)
    }
}

/// `__meta.*`, `.*`, `(…)` and the like can match `__` labels; a letter first cannot.
fn at_labels_of_discovery(regex: &str) -> Option<Interference> {
    let literal_start = regex.trim_start_matches('^').chars().next();
    (!literal_start.is_some_and(char::is_alphanumeric)).then_some(Interference::MetaLabels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::read;

    #[test]
    fn what_a_rule_does_depends_on_what_its_action_writes() {
        use Interference::{Address, MetaLabels, Scheme};
        for (rule, expected) in [
            (
                json!({"targetLabel": "__address__", "replacement": "x"}),
                Some(Address),
            ),
            (
                json!({"target_label": "__address__", "action": "Replace"}),
                Some(Address),
            ),
            (
                json!({"targetLabel": "__scheme__", "action": "REPLACE_ALL"}),
                Some(Scheme),
            ),
            (
                json!({"targetLabel": "__address__", "action": "hashmod"}),
                Some(Address),
            ),
            (
                json!({"targetLabel": "__scheme__", "action": "lowercase"}),
                Some(Scheme),
            ),
            (
                json!({"targetLabel": "__scheme__", "action": "uppercase"}),
                Some(Scheme),
            ),
            (json!({"targetLabel": "${1}"}), Some(Address)),
            (json!({"targetLabel": "__s$1"}), Some(Scheme)),
            (json!({"targetLabel": "__param_$1"}), None),
            (json!({"targetLabel": "__metrics_path__"}), None),
            (
                json!({"targetLabel": "__meta_kubernetes_pod_name"}),
                Some(MetaLabels),
            ),
            (
                json!({"sourceLabels": ["__address__"], "targetLabel": "instance"}),
                None,
            ),
            (
                json!({"action": "keepequal", "targetLabel": "__address__"}),
                None,
            ),
            (
                json!({"action": "dropequal", "targetLabel": "__scheme__"}),
                None,
            ),
            (
                json!({"action": "keep_if_contains", "targetLabel": "__address__"}),
                None,
            ),
            (
                json!({"action": "keep", "sourceLabels": ["__scheme__"]}),
                None,
            ),
            (
                json!({"action": "graphite", "labels": {"a": "$1", "__scheme__": "$2"}}),
                Some(Scheme),
            ),
            (json!({"action": "graphite", "labels": {"a": "$1"}}), None),
            (
                json!({"action": "labelmap", "regex": "a_(.+)", "replacement": "__$1"}),
                Some(Address),
            ),
            (
                json!({"action": "labelmap", "regex": "a_(.+)", "replacement": "__scheme__"}),
                Some(Scheme),
            ),
            (
                json!({"action": "LabelMap", "regex": "a_(.+)", "replacement": "__param_$1"}),
                None,
            ),
            (
                json!({"action": "labelmap", "regex": "__meta_(.+)"}),
                Some(MetaLabels),
            ),
            (json!({"action": "labelmap", "regex": "a_(.+)"}), None),
            (
                json!({"action": "labelmap_all", "regex": "address"}),
                Some(Address),
            ),
            (json!({"action": "labelmap_all", "regex": "app"}), None),
            (
                json!({"action": "labelkeep", "regex": "app"}),
                Some(MetaLabels),
            ),
            (json!({"action": "labeldrop", "regex": "app"}), None),
            (
                json!({"action": "labeldrop", "regex": "__meta_.+"}),
                Some(MetaLabels),
            ),
            (SchemeRule::where_injected().written(), None),
        ] {
            assert_eq!(
                interferences(std::slice::from_ref(&rule)).min(),
                expected,
                "{rule}"
            );
        }
    }

    fn by_namespace(name: &str) -> Value {
        json!({"sourceLabels": ["__meta_kubernetes_namespace"], "regex": name, "targetLabel": "__scheme__", "replacement": "https"})
    }

    /// The operations, and the rules after them.
    fn updated(rules: &[Value], wanted: &[Value]) -> (usize, Value) {
        let mut object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMPodScrape",
            "metadata": {"name": "demo"}, "spec": {"podMetricsEndpoints": [{"relabelConfigs": rules}]}});
        let inventory = read([(0, &object)], &Config::default());
        let steps = update(&inventory.scrapes[0].endpoints[0], wanted);
        let ops: Vec<_> = steps
            .into_iter()
            .map(|step| match step {
                Step::Op(op) => op,
                Step::Inside { .. } => panic!("rules are in no string"),
            })
            .collect();
        json_patch::patch(&mut object, &ops).expect("the places exist");
        let after = &object["spec"]["podMetricsEndpoints"][0]["relabelConfigs"];
        (ops.len(), after.clone())
    }

    #[test]
    fn rules_of_ours_change_in_their_place_and_those_of_the_user_stay() {
        let user = json!({"action": "labeldrop", "regex": "pod_template_hash"});
        let (a, b, c) = (by_namespace("a"), by_namespace("b"), by_namespace("c"));
        for (before, ops, after) in [
            (vec![], 1, vec![c.clone()]),
            (vec![user.clone()], 1, vec![user.clone(), c.clone()]),
            (
                vec![c.clone(), user.clone()],
                0,
                vec![c.clone(), user.clone()],
            ),
            (
                vec![a.clone(), user.clone()],
                1,
                vec![c.clone(), user.clone()],
            ),
            (
                vec![a.clone(), user.clone(), b.clone()],
                2,
                vec![user.clone(), c.clone()],
            ),
            (
                vec![a, c.clone(), user.clone(), b],
                2,
                vec![c.clone(), user],
            ),
        ] {
            let expected = (ops, json!(after));
            assert_eq!(updated(&before, std::slice::from_ref(&c)), expected);
        }
    }
}
