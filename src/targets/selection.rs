//! Does a scraper select a scrape object?
//!
//! Authority: VictoriaMetrics operator `factory/k8stools/selectors.go`; table in its docs/resources/vmagent.md;
//! prometheus-operator `pkg/apis/monitoring/v1/prometheus_types.go`, `pkg/prometheus/resource_selector.go`.
//! Departs from it: the labels of a Namespace that is not in the input are not known, but for its name.
//! Knows: scrapers, scrape objects, Namespaces. Does not know: what the scrape object reaches.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::Selected;
use crate::model::{
    Inventory, Labels, NAMESPACE_NAME_LABEL, Scrape, Scraper, Unset, described, selects,
};

/// Whether a scraper selects a scrape object, or what its operator converts that into, with the same labels.
///
/// | namespaces | objects | VictoriaMetrics | Prometheus |
/// |---|---|---|---|
/// | not set | not set | everything where `selectAllByDefault`, else nothing | nothing |
/// | not set | set | objects of its own namespace that match | same |
/// | set | not set | everything in matching namespaces | nothing |
/// | set | set | matching objects in matching namespaces | same |
pub fn selected(inventory: &Inventory, scraper: &Scraper, scrape: &Scrape) -> Selected {
    let kind = scraper.kind.selects_as(scrape.kind);
    let Some(selection) = scraper.selection.get(&kind) else {
        return Selected::No;
    };
    let namespace = scrape.object.namespace.as_str();
    let object_matches = |selector| certain(selects(selector, &scrape.labels));
    let unset = scraper.kind.description().unset;
    match (&selection.namespaces, &selection.objects, unset) {
        (None, None, Unset::NoCondition) => certain(selection.all_by_default),
        (Some(namespaces), None, Unset::NoCondition) => {
            namespace_matches(inventory, namespace, namespaces)
        }
        (None | Some(_), None, Unset::Nothing) => Selected::No,
        (None, Some(objects), _) if scraper.object.namespace == namespace => {
            object_matches(objects)
        }
        (None, Some(_), _) => Selected::No,
        (Some(namespaces), Some(objects), _) => match object_matches(objects) {
            Selected::Yes => namespace_matches(inventory, namespace, namespaces),
            no => no,
        },
    }
}

fn namespace_matches(inventory: &Inventory, name: &str, selector: &LabelSelector) -> Selected {
    if let Some(namespace) = inventory.namespaces.get(name) {
        return certain(selects(selector, &namespace.labels));
    }
    let (of_name, of_others) = split(selector);
    let labels = Labels::from([(NAMESPACE_NAME_LABEL.to_owned(), name.to_owned())]);
    if !selects(&of_name, &labels) {
        return Selected::No;
    }
    match described(&of_others).as_str() {
        "" => Selected::Yes,
        requirements => Selected::Undecided(format!(
            "Namespace {name} {}; whether it has the labels {requirements} decides",
            inventory.unknown_namespace(name)
        )),
    }
}

/// The requirements on the label that every Namespace has, and those on others.
fn split(selector: &LabelSelector) -> (LabelSelector, LabelSelector) {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    let part = |of_name: bool| LabelSelector {
        match_labels: Some(
            labels
                .clone()
                .filter(|(key, _)| (key.as_str() == NAMESPACE_NAME_LABEL) == of_name)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ),
        match_expressions: Some(
            expressions
                .clone()
                .filter(|requirement| (requirement.key == NAMESPACE_NAME_LABEL) == of_name)
                .cloned()
                .collect(),
        ),
    };
    (part(true), part(false))
}

fn certain(answer: bool) -> Selected {
    match answer {
        true => Selected::Yes,
        false => Selected::No,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    /// The answer for a VMAgent in namespace `vm` and an object labelled `team: a` in namespace `demo`.
    fn answer(kind: &str, agent: Value, others: &[Value]) -> Selected {
        answer_in("demo", kind, agent, others)
    }

    fn answer_in(namespace: &str, kind: &str, agent: Value, others: &[Value]) -> Selected {
        let operator = "operator.victoriametrics.com/v1beta1";
        let mut objects = vec![
            json!({"apiVersion": operator, "kind": "VMAgent", "metadata": {"name": "vm", "namespace": "vm"}, "spec": agent}),
            json!({"apiVersion": operator, "kind": kind,
                "metadata": {"name": "demo", "namespace": namespace, "labels": {"team": "a"}},
                "spec": {"endpoints": [], "podMetricsEndpoints": []}}),
        ];
        objects.extend_from_slice(others);
        let inventory = read(objects.iter().enumerate(), &Config::default());
        selected(&inventory, &inventory.scrapers[0], &inventory.scrapes[0])
    }

    fn labels(key: &str, value: &str) -> Value {
        json!({"matchLabels": {key: value}})
    }

    fn demo_namespace() -> Value {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", "labels": {"stage": "prod"}}})
    }

    /// spec 3.1, row by row.
    #[test]
    fn selector_pairs() {
        let prod = labels("stage", "prod");
        let test = labels("stage", "test");
        for (agent, expected) in [
            (json!({}), Selected::No),
            (json!({"selectAllByDefault": true}), Selected::Yes),
            (
                json!({"selectAllByDefault": true, "serviceScrapeSelector": {}}),
                Selected::No,
            ),
            (json!({"serviceScrapeNamespaceSelector": {}}), Selected::Yes),
            (
                json!({"serviceScrapeNamespaceSelector": prod}),
                Selected::Yes,
            ),
            (
                json!({"selectAllByDefault": true, "serviceScrapeNamespaceSelector": test}),
                Selected::No,
            ),
            (
                json!({"serviceScrapeNamespaceSelector": prod, "serviceScrapeSelector": labels("team", "a")}),
                Selected::Yes,
            ),
            (
                json!({"serviceScrapeNamespaceSelector": prod, "serviceScrapeSelector": labels("team", "b")}),
                Selected::No,
            ),
            (
                json!({"serviceScrapeNamespaceSelector": test, "serviceScrapeSelector": {}}),
                Selected::No,
            ),
        ] {
            let found = answer("VMServiceScrape", agent.clone(), &[demo_namespace()]);
            assert_eq!(found, expected, "{agent}");
        }
    }

    #[test]
    fn object_selector_alone_selects_in_the_own_namespace_only() {
        let selecting = |value| json!({"serviceScrapeSelector": labels("team", value)});
        for (namespace, agent, expected) in [
            ("vm", json!({"serviceScrapeSelector": {}}), Selected::Yes),
            ("vm", selecting("a"), Selected::Yes),
            ("vm", selecting("b"), Selected::No),
            ("demo", selecting("a"), Selected::No),
        ] {
            assert_eq!(
                answer_in(namespace, "VMServiceScrape", agent, &[]),
                expected
            );
        }
    }

    #[test]
    fn labels_of_a_namespace_that_is_not_in_the_input_are_not_known() {
        let by = |selector: Value| {
            let agent = json!({"serviceScrapeNamespaceSelector": selector});
            answer("VMServiceScrape", agent, &[])
        };
        assert!(
            matches!(by(labels("stage", "prod")), Selected::Undecided(why) if why.contains("Namespace demo") && why.contains("stage=prod"))
        );
        assert_eq!(by(json!({})), Selected::Yes);
        assert_eq!(by(labels(NAMESPACE_NAME_LABEL, "demo")), Selected::Yes);
        assert_eq!(by(labels(NAMESPACE_NAME_LABEL, "other")), Selected::No);
        let both = json!({"matchLabels": {NAMESPACE_NAME_LABEL: "other", "stage": "prod"}});
        assert_eq!(by(both), Selected::No);
    }

    #[test]
    fn an_object_that_does_not_match_is_not_undecided() {
        let agent = json!({"serviceScrapeNamespaceSelector": labels("stage", "prod"), "serviceScrapeSelector": labels("team", "b")});
        assert_eq!(answer("VMServiceScrape", agent, &[]), Selected::No);
    }

    /// spec 3.2.
    #[test]
    fn modes_of_the_agent() {
        for (mode, service_scrape, pod_scrape) in [
            (json!({}), Selected::Yes, Selected::Yes),
            (json!({"daemonSetMode": true}), Selected::No, Selected::Yes),
            (json!({"ingestOnlyMode": true}), Selected::No, Selected::No),
        ] {
            let mut agent = mode;
            agent["selectAllByDefault"] = json!(true);
            assert_eq!(
                answer("VMServiceScrape", agent.clone(), &[]),
                service_scrape
            );
            assert_eq!(answer("VMPodScrape", agent, &[]), pod_scrape);
        }
    }
}
