//! Is a scraper read as its operator would run it?
//!
//! Authority: the operators' defaults and pod templates, as each test names them.
//! Departs from nothing.
//! Knows: objects as JSON. Does not know: scrape objects.

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::model::{Inventory, PodsKnown, SCRAPER_KINDS, read};

fn inventory(spec: Value) -> Inventory {
    let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
        "metadata": {"name": "demo", "namespace": "vm"}, "spec": spec});
    read([(0, &object)], &Config::default())
}

fn kinds(spec: Value) -> Vec<ScrapeKind> {
    inventory(spec).scrapers[0]
        .selection
        .keys()
        .copied()
        .collect()
}

/// spec 3.2.
#[test]
fn modes_select_kinds() {
    assert_eq!(
        kinds(json!({})),
        [
            ScrapeKind::VMServiceScrape,
            ScrapeKind::VMPodScrape,
            ScrapeKind::VMStaticScrape,
            ScrapeKind::VMNodeScrape,
            ScrapeKind::VMProbe,
            ScrapeKind::VMScrapeConfig
        ]
    );
    assert_eq!(
        kinds(json!({"daemonSetMode": true})),
        [ScrapeKind::VMPodScrape]
    );
    assert_eq!(
        kinds(json!({"ingestOnlyMode": true, "daemonSetMode": true})),
        []
    );
}

#[test]
fn several_pods() {
    for (spec, several) in [
        (json!({}), false),
        (json!({"replicaCount": 1, "shardCount": 0}), false),
        (json!({"replicaCount": 2}), true),
        (json!({"shardCount": 2}), true),
        (json!({"daemonSetMode": true}), true),
    ] {
        assert_eq!(
            inventory(spec.clone()).scrapers[0].several_pods,
            several,
            "{spec}"
        );
    }
}

#[test]
fn without_spec_it_selects_nothing_and_is_unread() {
    let inventory = inventory(Value::Null);
    assert!(inventory.scrapers[0].selection.is_empty());
    assert_eq!(inventory.scrapers[0].spec, Value::Null);
    assert_eq!(inventory.unread[0].at.as_str(), "/spec");
    assert!(inventory.unread[0].problem.contains("has no spec"));
}

#[test]
fn with_a_broken_selector_it_selects_nothing_and_is_unread() {
    let inventory = inventory(json!({"selectAllByDefault": true, "podScrapeSelector": []}));
    assert!(inventory.scrapers[0].selection.is_empty());
    assert_eq!(inventory.unread[0].at.as_str(), "/spec/podScrapeSelector");
    assert_eq!(
        inventory.workloads.len(),
        1,
        "its pods are known all the same"
    );
}

/// spec 4.1, pod labels set by the operator; 5.3, default ports.
#[test]
fn pods_as_the_operator_makes_them() {
    let inventory = inventory(json!({
        "podMetadata": {"labels": {"app.kubernetes.io/name": "mine", "team": "a"}, "annotations": {"a": "b"}},
        "containers": [{"name": "vmagent", "ports": [{"containerPort": 9000, "name": "extra"}]}, {"name": "helper"}]}));
    let pods = &inventory.workloads[0];
    assert_eq!(pods.labels.get("app.kubernetes.io/name"), Some("vmagent"));
    assert_eq!(pods.labels.get("app.kubernetes.io/instance"), Some("demo"));
    assert_eq!(pods.labels.get("team"), Some("a"));
    assert_eq!(pods.annotations.get("a"), Some("b"));
    assert_eq!(pods.known, PodsKnown::Operator);
    assert_eq!(pods.ports_named("http"), [8429]);
    assert_eq!(pods.ports_named("extra"), [9000]);
    let names = pods
        .containers
        .iter()
        .map(|container| container.name.as_str());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["vmagent", "config-reloader", "helper"]
    );
}

#[test]
fn port_and_image_as_written() {
    let inventory =
        inventory(json!({"port": "80", "image": {"repository": "vm/vmagent", "tag": "v1"}}));
    assert_eq!(inventory.workloads[0].ports_named("http"), [80]);
    assert_eq!(inventory.workloads[0].containers[0].image, "vm/vmagent:v1");
}

#[test]
fn pods_with_unreadable_annotations_are_no_targets() {
    let inventory = inventory(json!({"podMetadata": {"annotations": {"a": true}}}));
    assert!(inventory.workloads.is_empty());
    assert_eq!(inventory.scrapers.len(), 1);
}

fn inventory_of(api_version: &str, kind: &str, spec: Value) -> Inventory {
    let object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "demo", "namespace": "vm"}, "spec": spec});
    read([(0, &object)], &Config::default())
}

/// spec 3.2: it scrapes only where it is told to.
#[test]
fn a_vmsingle_is_a_scraper_with_ingest_only_mode_false() {
    for (spec, scrapes) in [
        (Value::Null, false),
        (json!({}), false),
        (json!({"selectAllByDefault": true}), false),
        (json!({"ingestOnlyMode": true}), false),
        (json!({"ingestOnlyMode": false}), true),
    ] {
        let inventory = inventory_of(
            "operator.victoriametrics.com/v1beta1",
            "VMSingle",
            spec.clone(),
        );
        assert_eq!(inventory.scrapers.len(), usize::from(scrapes), "{spec}");
        assert!(inventory.unread.is_empty(), "{spec}");
        let pods = &inventory.workloads[0];
        assert_eq!(pods.labels.get("app.kubernetes.io/name"), Some("vmsingle"));
        assert_eq!(pods.service_account, "vmsingle-demo");
        assert_eq!(pods.ports_named("http"), [8428]);
    }
}

#[test]
fn a_vmsingle_of_which_nobody_knows_whether_it_scrapes_may() {
    let inventory = inventory_of(
        "operator.victoriametrics.com/v1beta1",
        "VMSingle",
        json!({"ingestOnlyMode": "false"}),
    );
    assert_eq!(inventory.unread[0].at.as_str(), "/spec/ingestOnlyMode");
    assert!(inventory.scrapers[0].selection.is_empty());
}

/// prometheus-operator `pkg/prometheus/server/statefulset.go`, `agent/statefulset.go`.
#[test]
fn pods_as_the_prometheus_operator_makes_them() {
    let spec = || {
        json!({"podMetadata": {"labels": {"app.kubernetes.io/name": "mine", "team": "a"}},
        "image": "prom/prometheus:v3", "portName": "http-web"})
    };
    let server = inventory_of("monitoring.coreos.com/v1", "Prometheus", spec());
    let pods = &server.workloads[0];
    for (label, value) in [
        ("app.kubernetes.io/name", "prometheus"),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
        ("app.kubernetes.io/instance", "demo"),
        ("operator.prometheus.io/name", "demo"),
        ("operator.prometheus.io/shard", "0"),
        ("prometheus", "demo"),
        ("team", "a"),
    ] {
        assert_eq!(pods.labels.get(label), Some(value));
    }
    assert_eq!(pods.service_account, "default");
    assert_eq!(pods.ports_named("http-web"), [9090]);
    assert_eq!(pods.ports_named("reloader-web"), [8080]);
    assert_eq!(pods.containers[0].image, "prom/prometheus:v3");

    let agent = inventory_of("monitoring.coreos.com/v1alpha1", "PrometheusAgent", spec());
    let pods = &agent.workloads[0];
    assert_eq!(
        pods.labels.get("app.kubernetes.io/name"),
        Some("prometheus-agent")
    );
    assert_eq!(pods.labels.get("prometheus"), None);
    assert_eq!(agent.scrapers[0].kind, ScraperKind::PrometheusAgent);
}

#[test]
fn ports_of_prometheus() {
    let ports = |spec: Value| -> Vec<u16> {
        let inventory = inventory_of("monitoring.coreos.com/v1", "Prometheus", spec);
        let pods = &inventory.workloads[0];
        pods.declared_ports().map(|port| port.number).collect()
    };
    assert_eq!(ports(json!({})), [9090, 8080]);
    assert_eq!(ports(json!({"listenLocal": true})), [0; 0]);
    assert_eq!(
        ports(json!({"listenLocal": true, "reloadStrategy": "ProcessSignal"})),
        [8080]
    );
    assert_eq!(ports(json!({"thanos": {}})), [9090, 8080, 10902, 10901]);
    let patched = json!({"containers": [{"name": "config-reloader", "ports": [{"containerPort": 8080, "name": "mine"}]}]});
    assert_eq!(ports(patched), [9090, 8080]);
}

#[test]
fn several_pods_of_prometheus() {
    let agent = "monitoring.coreos.com/v1alpha1";
    let server = "monitoring.coreos.com/v1";
    for (api_version, kind, spec, several) in [
        (server, "Prometheus", json!({}), false),
        (server, "Prometheus", json!({"replicas": 2}), true),
        (server, "Prometheus", json!({"shards": 2}), true),
        (server, "Prometheus", json!({"replicaCount": 2}), false),
        (server, "Prometheus", json!({"mode": "DaemonSet"}), false),
        (agent, "PrometheusAgent", json!({"mode": "DaemonSet"}), true),
        (
            agent,
            "PrometheusAgent",
            json!({"mode": "StatefulSet"}),
            false,
        ),
    ] {
        let inventory = inventory_of(api_version, kind, spec.clone());
        assert_eq!(inventory.scrapers[0].several_pods, several, "{kind} {spec}");
        let shard = inventory.workloads[0]
            .labels
            .get("operator.prometheus.io/shard");
        let one_shard = spec["shards"] != 2
            && (kind, &spec["mode"]) != ("PrometheusAgent", &json!("DaemonSet"));
        assert_eq!(shard.is_some(), one_shard, "{kind} {spec}");
    }
}

/// What scrapes has pods, in which the container that scrapes is the first.
#[test]
fn each_kind_of_scrapers_is_a_component() {
    for row in &SCRAPER_KINDS {
        for version in row.api_versions {
            let components: Vec<_> = Component::of(version, row.name).collect();
            assert_eq!(components.len(), 1, "{version} {}", row.name);
            assert_eq!(components[0].container, row.container);
        }
    }
}

/// A pod on each node asks for pods of its node; jobs of its own `spec` ask for what they say.
#[test]
fn a_pod_on_each_node_meets_no_siblings_but_by_its_own_jobs() {
    let agent = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
        "metadata": {"name": "main"}, "spec": {"daemonSetMode": true, "inlineScrapeConfig": "- job_name: a\n"}});
    let scrape = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMPodScrape",
        "metadata": {"name": "demo"}, "spec": {"podMetricsEndpoints": [{"port": "http"}]}});
    let inventory = crate::model::read([(0, &agent), (1, &scrape)], &Config::default());
    let met = |kind: ScrapeKind| {
        let scrape = inventory.scrapes.iter().find(|scrape| scrape.kind == kind);
        inventory.scrapers[0].meets_siblings(scrape.expect("it is there"))
    };
    assert!(!met(ScrapeKind::VMPodScrape));
    assert!(met(ScrapeKind::InlineJob));
}
