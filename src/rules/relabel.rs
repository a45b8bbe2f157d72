//! Which relabelling rules are ours, and which of the user's stand in their way?
//!
//! Authority: VictoriaMetrics `lib/promscrape/config.go` (a relabelled `__scheme__` decides the URL) and `lib/promrelabel`.
//! Departs from nothing: no marker is written; a rule is ours if we would write it so (`scheme_rule.rs`).
//! Knows: relabelling rules as values. Does not know: targets, policies.

use jsonptr::PointerBuf;
use serde_json::{Value, json};

use super::decision::Step;
use super::scheme_rule::SchemeRule;
use super::written::{add, relabelings, relabelings_key, remove, replace};
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

/// Steps that remove our rules, and the list with them where nothing else is in it.
pub(super) fn removal(endpoint: &Endpoint) -> Vec<Step> {
    let rules = endpoint.relabelings.as_ref().map_or(0, Vec::len);
    let ours = positions(endpoint);
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

/// What the rules of the user in `rules` do; ours are not looked at.
pub(super) fn interference(rules: &[Value]) -> Option<Interference> {
    rules
        .iter()
        .filter(|rule| SchemeRule::read(rule).is_none())
        .filter_map(interferes)
        .min()
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
            .to_owned()
    };
    match text("targetLabel", "target_label").as_str() {
        "__address__" => return Some(Interference::Address),
        "__scheme__" => return Some(Interference::Scheme),
        // Set by the user, or perhaps so: a rule of ours after it would read something else.
        label if label.starts_with("__meta_") || label.contains('$') => {
            return Some(Interference::MetaLabels);
        }
        _ => {}
    }
    match text("action", "action").to_ascii_lowercase().as_str() {
        // Mapped onto `__…__`: the address or the scheme may be among them.
        "labelmap" | "labelmap_all" if text("replacement", "replacement").starts_with("__") => {
            Some(Interference::Address)
        }
        "labelkeep" => Some(Interference::MetaLabels),
        "labeldrop" | "labelmap" | "labelmap_all" => {
            let regex = text("regex", "regex");
            let literal_start = regex.trim_start_matches('^').chars().next();
            // `__meta.*`, `.*`, `(…)` and the like can match `__` labels; a letter first cannot.
            (!literal_start.is_some_and(char::is_alphanumeric)).then_some(Interference::MetaLabels)
        }
        _ => None,
    }
}

/// The rules that a scraper adds to every endpoint of a kind, with the field that holds them.
pub(super) fn of_scraper<'a>(
    spec: &'a Value,
    template: &str,
    class: Option<&str>,
) -> Vec<(PointerBuf, &'a [Value])> {
    let list = |value: Option<&'a Value>| value.and_then(Value::as_array).map(Vec::as_slice);
    let mut found = Vec::new();
    for field in ["globalScrapeRelabelConfigs", template] {
        if let Some(rules) = list(spec.get(field)) {
            found.push((PointerBuf::from_tokens(["spec", field]), rules));
        }
    }
    if let Some((position, class)) = class_of(spec, class)
        && let Some(rules) = list(class.get("relabelConfigs"))
    {
        let position = position.to_string();
        let at = PointerBuf::from_tokens(["spec", "scrapeClasses", &position, "relabelConfigs"]);
        found.push((at, rules));
    }
    found
}

/// The scrape class that applies: the named one, else the default one.
pub(super) fn class_of<'a>(spec: &'a Value, name: Option<&str>) -> Option<(usize, &'a Value)> {
    spec.get("scrapeClasses")?
        .as_array()?
        .iter()
        .enumerate()
        .find(|(_, class)| match name {
            Some(name) => class.get("name").and_then(Value::as_str) == Some(name),
            None => class.get("default") == Some(&Value::Bool(true)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::read;

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
