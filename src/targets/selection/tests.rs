//! Does a scraper select what its operator would let it select?
//!
//! Authority: the tables of both operators' selectors: docs/resources/vmagent.md, `prometheus_types.go`.
//! Departs from nothing: labels of Namespaces that are not in the input have cases of their own.
//! Knows: scrapers, scrape objects, Namespaces. Does not know: what is scraped.

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
        scrape(operator, kind, namespace),
    ];
    objects.extend_from_slice(others);
    let inventory = read(objects.iter().enumerate(), &Config::default());
    selected(&inventory, &inventory.scrapers[0], &inventory.scrapes[0])
}

fn scrape(api_version: &str, kind: &str, namespace: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "demo", "namespace": namespace, "labels": {"team": "a"}},
        "spec": {"selector": {}, "endpoints": [], "podMetricsEndpoints": []}})
}

/// The answer for a scraper in namespace `vm` and an object of the Prometheus operator, labelled `team: a`, in `namespace`.
fn answer_of(
    (scraper, spec): (&str, Value),
    (kind, namespace): (&str, &str),
    others: &[Value],
) -> Selected {
    let group = |kind: &str| match kind {
        "VMAgent" | "VMSingle" | "VMServiceScrape" => "operator.victoriametrics.com/v1beta1",
        "PrometheusAgent" | "ScrapeConfig" => "monitoring.coreos.com/v1alpha1",
        _ => "monitoring.coreos.com/v1",
    };
    let mut objects = vec![
        json!({"apiVersion": group(scraper), "kind": scraper,
            "metadata": {"name": "vm", "namespace": "vm"}, "spec": spec}),
        scrape(group(kind), kind, namespace),
    ];
    objects.extend_from_slice(others);
    let inventory = read(objects.iter().enumerate(), &Config::default());
    assert_eq!(inventory.unread.len(), 0, "{:?}", inventory.unread);
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

/// spec 3.2, last row: `nil` and `{}` of both selectors.
#[test]
fn selector_pairs_of_prometheus() {
    let prod = labels("stage", "prod");
    let test = labels("stage", "test");
    let team = |value| labels("team", value);
    for (objects, namespaces, in_own, in_other) in [
        (None, None, Selected::No, Selected::No),
        (None, Some(json!({})), Selected::No, Selected::No),
        (None, Some(prod.clone()), Selected::No, Selected::No),
        (Some(json!({})), None, Selected::Yes, Selected::No),
        (Some(team("a")), None, Selected::Yes, Selected::No),
        (Some(team("b")), None, Selected::No, Selected::No),
        (
            Some(json!({})),
            Some(json!({})),
            Selected::Yes,
            Selected::Yes,
        ),
        (Some(team("b")), Some(json!({})), Selected::No, Selected::No),
        (
            Some(team("a")),
            Some(prod.clone()),
            Selected::No,
            Selected::Yes,
        ),
        (Some(json!({})), Some(test), Selected::No, Selected::No),
    ] {
        let mut spec = json!({"selectAllByDefault": true});
        for (field, value) in [
            ("serviceMonitorSelector", objects),
            ("serviceMonitorNamespaceSelector", namespaces),
        ] {
            if let Some(value) = value {
                spec[field] = value;
            }
        }
        let namespaces = [
            demo_namespace(),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vm"}}),
        ];
        for scraper in ["Prometheus", "PrometheusAgent"] {
            for (namespace, expected) in [("vm", &in_own), ("demo", &in_other)] {
                let found = answer_of(
                    (scraper, spec.clone()),
                    ("ServiceMonitor", namespace),
                    &namespaces,
                );
                assert_eq!(found, *expected, "{scraper} {namespace} {spec}");
            }
        }
    }
}

#[test]
fn prometheus_too_does_not_know_the_labels_of_a_missing_namespace() {
    let by = |objects: Value| {
        let spec = json!({"serviceMonitorSelector": objects,
            "serviceMonitorNamespaceSelector": labels("stage", "prod")});
        answer_of(("Prometheus", spec), ("ServiceMonitor", "demo"), &[])
    };
    assert!(matches!(by(json!({})), Selected::Undecided(_)));
    assert_eq!(by(labels("team", "b")), Selected::No);
}

#[test]
fn each_kind_of_objects_has_selectors_of_its_own() {
    let kinds = ["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"];
    let fields = ["serviceMonitor", "podMonitor", "probe", "scrapeConfig"];
    for (position, field) in fields.into_iter().enumerate() {
        let mut spec = json!({});
        spec[format!("{field}Selector")] = json!({});
        for (other, kind) in kinds.into_iter().enumerate() {
            let found = answer_of(("Prometheus", spec.clone()), (kind, "vm"), &[]);
            assert_eq!(found, certain(position == other), "{field} {kind}");
        }
    }
}

/// spec 1.5: what the converter makes of an object has its labels, and the selector fields of what it is then.
#[test]
fn victoria_metrics_selects_what_objects_are_converted_into() {
    let all = json!({"selectAllByDefault": true, "ingestOnlyMode": false});
    let only = |field: &str, selector: Value| {
        let mut spec = json!({"ingestOnlyMode": false});
        spec[field] = selector;
        spec
    };
    let everywhere = || only("serviceScrapeNamespaceSelector", json!({}));
    let as_of_prometheus = || only("serviceMonitorSelector", json!({}));
    for (kind, spec, expected) in [
        ("ServiceMonitor", all.clone(), Selected::Yes),
        ("PodMonitor", all.clone(), Selected::Yes),
        ("Probe", all.clone(), Selected::Yes),
        ("ScrapeConfig", all.clone(), Selected::Yes),
        ("ServiceMonitor", everywhere(), Selected::Yes),
        ("PodMonitor", everywhere(), Selected::No),
        ("ServiceMonitor", as_of_prometheus(), Selected::No),
        (
            "ServiceMonitor",
            only("serviceScrapeSelector", labels("team", "a")),
            Selected::No,
        ),
    ] {
        for scraper in ["VMAgent", "VMSingle"] {
            let found = answer_of((scraper, spec.clone()), (kind, "demo"), &[]);
            assert_eq!(found, expected, "{scraper} {kind} {spec}");
        }
    }
    for (team, expected) in [("a", Selected::Yes), ("b", Selected::No)] {
        let mut spec = everywhere();
        spec["serviceScrapeSelector"] = labels("team", team);
        let found = answer_of(("VMAgent", spec), ("ServiceMonitor", "demo"), &[]);
        assert_eq!(found, expected, "{team}");
    }
    let on_each_node = json!({"selectAllByDefault": true, "daemonSetMode": true});
    for (kind, expected) in [
        ("PodMonitor", Selected::Yes),
        ("ServiceMonitor", Selected::No),
    ] {
        let found = answer_of(("VMAgent", on_each_node.clone()), (kind, "demo"), &[]);
        assert_eq!(found, expected, "{kind}");
    }
}

#[test]
fn prometheus_selects_no_objects_of_the_other_operator() {
    let spec = json!({"selectAllByDefault": true, "serviceScrapeSelector": {}, "serviceMonitorSelector": {}});
    let found = answer_of(("Prometheus", spec), ("VMServiceScrape", "vm"), &[]);
    assert_eq!(found, Selected::No);
}

#[test]
fn a_prometheus_agent_on_each_node_selects_pod_monitors_only() {
    let agent =
        |mode: &str| json!({"mode": mode, "podMonitorSelector": {}, "serviceMonitorSelector": {}});
    for (mode, kind, expected) in [
        ("DaemonSet", "PodMonitor", Selected::Yes),
        ("DaemonSet", "ServiceMonitor", Selected::No),
        ("StatefulSet", "ServiceMonitor", Selected::Yes),
    ] {
        let found = answer_of(("PrometheusAgent", agent(mode)), (kind, "vm"), &[]);
        assert_eq!(found, expected, "{mode} {kind}");
    }
}
