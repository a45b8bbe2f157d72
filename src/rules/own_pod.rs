//! How does a scraper that finds its own pod among others tell them apart?
//!
//! Authority: Istio `tools/istio-iptables/pkg/capture/run.go` (what a pod sends to itself never meets the sidecar);
//! VictoriaMetrics operator config/examples/vmagent_istio.yaml (the rule); vmagent replaces `%{NAME}` by its environment.
//! Departs from the example: keys are in camel case, which the operator reads as well.
//! Knows: relabelling rules, judged targets, environments of scrapers. Does not know: why a target demands what it does.

use std::sync::Arc;

use serde_json::{Value, json};

use super::decision::{Demand, Now, Step};
use super::demand::{self, Aside, Judged};
use super::obstacle::Blocked;
use super::relabel;
use super::steps::add;
use super::summary::{self, Summary};
use super::view::{Scraping, View};
use super::written::{relabelings, relabelings_key};
use super::{Rule, message, obstacle};
use crate::config::{Config, TargetsMixed};
use crate::model::{Endpoint, Scraper};

const NAME: &str = "POD_IP";

/// How all messages about it begin.
const FINDS_ITSELF: &str = "a scraper finds its own pod, which gets only plain text from itself, among targets that \
                            accept only mutual TLS";

/// What a person reads about an endpoint that gets the rule, or whose other settings are put right for it.
pub(super) fn message(judged: &[Judged], rule: Rule, steps: &[Step], directory: &str) -> String {
    let strict = message::evidence(judged, &[Demand::MutualTls]);
    let others = match strict.is_empty() {
        true => String::new(),
        false => format!(" ({strict})"),
    };
    let opening = format!("{FINDS_ITSELF}{others}");
    match rule {
        Rule::TlsNeedsRepair => format!(
            "{opening}; {} not right: repaired, with the certificates in {directory}",
            message::wrong(steps)
        ),
        _ => format!(
            "{opening}: https, with the certificates in {directory}, and http for the pod whose address is in {NAME}"
        ),
    }
}

/// http for the pod that scrapes.
pub(super) fn rule() -> Value {
    json!({
        "sourceLabels": ["__meta_kubernetes_pod_ip"],
        "regex": format!("%{{{NAME}}}"),
        "targetLabel": "__scheme__",
        "replacement": "http",
    })
}

/// Whether a relabelling rule is this one, in either spelling of its keys.
pub(super) fn is_rule(written: &Value) -> bool {
    let Some(map) = written.as_object() else {
        return false;
    };
    let camel = map.iter().map(|(key, value)| {
        let key = match key.as_str() {
            "source_labels" => "sourceLabels",
            "target_label" => "targetLabel",
            other => other,
        };
        (key.to_owned(), value.clone())
    });
    let is_default = |(key, value): &(String, Value)| key == "action" && value == "replace";
    let camel: serde_json::Map<_, _> = camel.filter(|entry| !is_default(entry)).collect();
    Value::Object(camel) == rule()
}

/// Whether the endpoint chooses http for the pod that scrapes.
pub(super) fn has_rule(endpoint: &Endpoint) -> bool {
    endpoint.relabelings.iter().flatten().any(is_rule)
}

/// What the targets demand of a scraper besides those that are its own pod; `None`: no own pod is among them.
///
/// Where there is no other, but the rule for them is written, it is what one would demand.
pub(super) fn besides(
    judged: &[Judged],
    has_gaps: bool,
    endpoint: &Endpoint,
    config: &Config,
) -> Option<Summary> {
    let is_own = |judged: &&Judged| judged.aside == Some(Aside::OwnPod);
    let own: Vec<&Judged> = judged.iter().filter(is_own).collect();
    if own.is_empty() {
        return None;
    }
    let mut others: Vec<Judged> = judged.iter().filter(|one| !is_own(one)).cloned().collect();
    if others.is_empty() && has_rule(endpoint) {
        others = own.into_iter().cloned().map(as_sibling).collect();
    }
    Some(summary::summarise(&others, has_gaps, config))
}

/// Another pod like the scraper's own, to which requests go through the sidecar.
fn as_sibling(mut own: Judged) -> Judged {
    let target = Arc::make_mut(&mut own.shown);
    target.demand = demand::demand(target.data_plane, target.captured, target.mode, Some(false));
    own.aside = None;
    own
}

/// Whether the scraper's own pod is to be told from the others, or is already.
pub(super) fn is_to_be_told(
    scraping: &Scraping<'_>,
    view: &View,
    now: Now,
    config: &Config,
) -> bool {
    let may = config.targets_mixed == TargetsMixed::Relabel || has_rule(scraping.endpoint);
    view.is_own_pod_apart && may && now != Now::Own
}

/// What it is called that the endpoint is changed for it.
pub(super) fn rule_for(endpoint: &Endpoint) -> Rule {
    match has_rule(endpoint) {
        true => Rule::TlsNeedsRepair,
        false => Rule::MixedTargets,
    }
}

/// What the scrapers of an endpoint make of it together, those that meet their own pod apart from it.
///
/// `None`: it is none of our business, because nobody meets itself, or what the others demand is not mutual TLS throughout.
pub(super) fn is_apart(met: &[(Summary, Option<Summary>)]) -> bool {
    let somebody = met.iter().any(|(_, besides)| besides.is_some());
    let demands: Vec<Summary> = met
        .iter()
        .filter_map(|(whole, besides)| match besides {
            // Whoever meets nobody but itself is served by the rule.
            Some(Summary::Unknown {
                known_are_plain: false,
            }) if is_plain(*whole) => None,
            Some(besides) => Some(*besides),
            None => Some(*whole),
        })
        .collect();
    somebody && !demands.is_empty() && demands.iter().all(|one| *one == Summary::MutualTls)
}

fn is_plain(summary: Summary) -> bool {
    matches!(summary, Summary::Plain { .. })
}

/// What keeps the rule from doing its work.
pub(super) fn in_the_way(scraping: &Scraping<'_>) -> Option<Blocked> {
    let blocked = |why: String| Blocked {
        rule: Rule::MixedTargets,
        why,
    };
    let description = scraping.endpoint.kind.description();
    let opening = FINDS_ITSELF;
    if !description.per_target || description.converted_into.is_some() {
        return Some(blocked(format!(
            "{opening}; a {} cannot tell them apart",
            scraping.endpoint.kind.description().name
        )));
    }
    for (scraper, _) in scraping.scrapers() {
        if scraper.kind.is_prometheus() {
            return Some(blocked(format!(
                "{opening}; {} cannot tell them apart, because Prometheus replaces no variables in relabelling rules",
                scraper.object
            )));
        }
        match environment(scraper) {
            Environment::Right => {}
            Environment::Missing if is_fixed(scraper) => {
                return Some(blocked(format!(
                    "{opening}; the rule that tells them apart needs the variable {NAME} in the environment of {}, \
                     which may not be changed",
                    scraper.object
                )));
            }
            Environment::Missing => {}
            Environment::Taken => {
                return Some(blocked(format!(
                    "{opening}; the rule that tells them apart needs the address of the pod in {NAME}, and \
                     the environment of {} has something else there, or cannot be read",
                    scraper.object
                )));
            }
        }
    }
    let maps_labels = obstacle::relabellings(scraping)
        .into_iter()
        .find(|list| list.interference().is_some());
    maps_labels.map(|list| {
        blocked(format!(
            "{opening}; {} drops, keeps or maps labels that a rule of ours would need",
            list.place
        ))
    })
}

/// Neither may it be changed, nor would the operator heed it.
fn is_fixed(scraper: &Scraper) -> bool {
    scraper.object.is_untouchable() || scraper.spec.get("paused") == Some(&Value::Bool(true))
}

/// Steps that add the rule to an endpoint from which other rules of ours are gone.
pub(super) fn addition(endpoint: &Endpoint) -> Vec<Step> {
    if has_rule(endpoint) {
        return Vec::new();
    }
    let left = endpoint.relabelings.as_ref().map_or(0, Vec::len);
    let removed = relabel::ours(endpoint).count();
    match endpoint.relabelings {
        Some(_) if left == 0 || left > removed => {
            vec![add(&relabelings(endpoint), "-", rule())]
        }
        Some(_) | None => vec![add(
            &endpoint.at,
            relabelings_key(endpoint),
            json!([rule()]),
        )],
    }
}

/// What a scraper's container has in the variable.
enum Environment {
    /// The address of its pod.
    Right,
    /// Nothing.
    Missing,
    /// Something else.
    Taken,
}

fn environment(scraper: &Scraper) -> Environment {
    let lists = [
        scraper.spec.get("extraEnvs"),
        container(scraper).and_then(|container| container.get("env")),
    ];
    // What is no list says nothing that we could add to.
    let is_list = |value: &&Value| value.is_array() || value.is_null();
    if !lists.iter().flatten().all(is_list) {
        return Environment::Taken;
    }
    let variables = lists.into_iter().flatten().filter_map(Value::as_array);
    let named = |variable: &&Value| variable.get("name").and_then(Value::as_str) == Some(NAME);
    let mut found = variables.flatten().filter(named);
    match found.next() {
        None => Environment::Missing,
        Some(variable) => match variable.pointer("/valueFrom/fieldRef/fieldPath") {
            Some(Value::String(path)) if path == "status.podIP" => Environment::Right,
            Some(_) | None => Environment::Taken,
        },
    }
}

fn container(scraper: &Scraper) -> Option<&Value> {
    let containers = scraper.spec.get("containers")?.as_array()?;
    let name = scraper.kind.container();
    containers
        .iter()
        .find(|container| container.get("name").and_then(Value::as_str) == Some(name))
}

/// Steps that give a scraper the variable, none where it has it.
pub(super) fn variable(scraper: &Scraper) -> Vec<Step> {
    if !matches!(environment(scraper), Environment::Missing) || is_fixed(scraper) {
        return Vec::new();
    }
    let variable = json!({
        "name": NAME,
        "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}},
    });
    super::completion::append(scraper, "extraEnvs", vec![variable])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operator's example writes it in snake case, we in camel case; either is the same rule to the operator.
    #[test]
    fn either_spelling_is_ours_and_nothing_else() {
        let snake = json!({"source_labels": ["__meta_kubernetes_pod_ip"], "regex": "%{POD_IP}",
            "target_label": "__scheme__", "replacement": "http"});
        let explicit = json!({"action": "replace", "sourceLabels": ["__meta_kubernetes_pod_ip"], "regex": "%{POD_IP}",
            "targetLabel": "__scheme__", "replacement": "http"});
        let https = json!({"sourceLabels": ["__meta_kubernetes_pod_ip"], "regex": "%{POD_IP}",
            "targetLabel": "__scheme__", "replacement": "https"});
        let other = json!({"sourceLabels": ["__meta_kubernetes_pod_ip"], "regex": "%{HOST_IP}",
            "targetLabel": "__scheme__", "replacement": "http"});
        let conditional = json!({"sourceLabels": ["__meta_kubernetes_pod_ip"], "regex": "%{POD_IP}",
            "targetLabel": "__scheme__", "replacement": "http", "if": "{a=\"b\"}"});
        for (rule, expected) in [
            (rule(), true),
            (snake, true),
            (explicit, true),
            (https, false),
            (other, false),
            (conditional, false),
            (json!("http"), false),
        ] {
            assert_eq!(is_rule(&rule), expected, "{rule}");
        }
    }

    /// What scrapers meet, all of it and besides their own pod, row by row.
    #[test]
    fn the_rule_is_for_own_pods_beside_mutual_tls_only() {
        const PLAIN: Summary = Summary::Plain { proven: true };
        const MIXED: Summary = Summary::Mixed;
        const NOBODY: Summary = Summary::Unknown {
            known_are_plain: false,
        };
        for (met, expected) in [
            // Nobody meets itself.
            (vec![(Summary::MutualTls, None)], false),
            // One pod, alone with itself.
            (vec![(PLAIN, Some(NOBODY))], false),
            // Siblings.
            (vec![(MIXED, Some(Summary::MutualTls))], true),
            // Another scraper besides.
            (
                vec![(PLAIN, Some(NOBODY)), (Summary::MutualTls, None)],
                true,
            ),
            (vec![(PLAIN, Some(NOBODY)), (PLAIN, None)], false),
            (
                vec![(MIXED, Some(Summary::MutualTls)), (PLAIN, None)],
                false,
            ),
            // Siblings of which somebody is plain, or not known.
            (vec![(MIXED, Some(MIXED))], false),
            (vec![(PLAIN, Some(PLAIN))], false),
            (vec![(NOBODY, Some(NOBODY))], false),
        ] {
            assert_eq!(is_apart(&met), expected, "{met:?}");
        }
    }

    /// A field that is no list is not written over.
    #[test]
    fn the_variable_is_added_only_where_nothing_else_is_there() {
        let pod_ip =
            json!([{"name": NAME, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]);
        for (envs, steps) in [
            (json!(null), 1),
            (json!([{"name": "OTHER", "value": "x"}]), 1),
            (pod_ip, 0),
            (json!([{"name": NAME, "value": "10.0.0.1"}]), 0),
            (json!({NAME: "x"}), 0),
        ] {
            let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
                "metadata": {"name": "main"}, "spec": {"extraEnvs": envs}});
            let inventory = crate::model::read([(0, &object)], &Config::default());
            let scraper = &inventory.scrapers[0];
            assert_eq!(variable(scraper).len(), steps, "{:?}", scraper.spec);
        }
    }
}
