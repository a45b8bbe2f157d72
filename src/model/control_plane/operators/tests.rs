use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{ControlPlane, OutboundPolicy, read};

fn planes(
    api_version: &str,
    kind: &str,
    name: &str,
    spec: Value,
) -> (Vec<ControlPlane>, Vec<String>) {
    let object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "operators"}, "spec": spec});
    let inventory = read([(0, &object)], &Config::default());
    let problems = inventory.unread.iter().map(|unread| unread.at.to_string());
    (inventory.control_planes, problems.collect())
}

fn operator(spec: Value) -> ControlPlane {
    let (mut planes, problems) = planes("install.istio.io/v1alpha1", "IstioOperator", "mesh", spec);
    assert_eq!(problems, Vec::<String>::new());
    planes.remove(0)
}

fn sail(kind: &str, name: &str, spec: Value) -> ControlPlane {
    let (mut planes, problems) = planes("sailoperator.io/v1", kind, name, spec);
    assert_eq!(problems, Vec::<String>::new());
    planes.remove(0)
}

#[test]
fn an_istio_operator_s_mesh_config_wins_over_the_one_in_its_values_key_by_key() {
    let said = operator(json!({
        "profile": "default",
        "revision": "canary",
        "components": {"pilot": {"k8s": {"env": [{"name": "PILOT_TRACE_SAMPLING", "value": "1"}]}}},
        "meshConfig": {"rootNamespace": "mesh-config", "enablePrometheusMerge": false,
            "defaultConfig": {"proxyMetadata": {"A": "mesh"}, "statusPort": 15030}},
        "values": {
            "meshConfig": {"rootNamespace": "elsewhere", "trustDomain": "corp.example",
                "defaultConfig": {"proxyMetadata": {"A": "values", "B": "values"}}},
            "global": {"istioNamespace": "istio-platform",
                "proxy": {"excludeInboundPorts": "9090,9091", "statusPort": 15022, "autoInject": "disabled"}},
            "sidecarInjectorWebhook": {"enableNamespacesByDefault": false}
        }
    }));
    let metadata = [("A", "mesh"), ("B", "values")];
    let expected = ControlPlane {
        root_namespace: Some("mesh-config".to_owned()),
        trust_domain: Some("corp.example".to_owned()),
        prometheus_merge: Some(false),
        proxy_metadata: metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        exclude_inbound_ports: Some("9090,9091".to_owned()),
        status_port: Some(15030),
        injector_status_port: Some(15022),
        injector_policy: Some("disabled".to_owned()),
        namespaces_by_default: Some(false),
        ..ControlPlane::silent(said.object.clone(), "canary")
    };
    assert_eq!(said, expected);
}

#[test]
fn the_root_namespace_of_an_istio_operator() {
    for (spec, root) in [
        (
            json!({"meshConfig": {"rootNamespace": "a"}, "values": {"meshConfig": {"rootNamespace": "b"}}}),
            Some("a"),
        ),
        (
            json!({"values": {"meshConfig": {"rootNamespace": "b"}, "global": {"istioNamespace": "c"}}}),
            Some("b"),
        ),
        (
            json!({"values": {"global": {"istioNamespace": "c"}}}),
            Some("c"),
        ),
        (json!({"namespace": "d"}), None),
        (json!(null), None),
    ] {
        assert_eq!(
            operator(spec.clone()).root_namespace.as_deref(),
            root,
            "{spec}"
        );
    }
}

#[test]
fn the_revision_of_an_istio_operator() {
    for (spec, revision) in [
        (json!({}), "default"),
        (json!({"revision": ""}), "default"),
        (json!({"revision": "blue"}), "blue"),
        (json!({"values": {"revision": "green"}}), "green"),
        (
            json!({"revision": "blue", "values": {"revision": "green"}}),
            "blue",
        ),
    ] {
        assert_eq!(operator(spec.clone()).revision, revision, "{spec}");
    }
}

#[test]
fn a_wrong_type_is_a_problem_at_its_field() {
    for (spec, at) in [
        (json!([]), "/spec"),
        (json!({"values": "x"}), "/spec/values"),
        (json!({"revision": 1}), "/spec/revision"),
        (
            json!({"meshConfig": {"trustDomain": 1}}),
            "/spec/meshConfig/trustDomain",
        ),
        (
            json!({"meshConfig": {"defaultConfig": {"proxyMetadata": {"A/B": true}}}}),
            "/spec/meshConfig/defaultConfig/proxyMetadata/A~1B",
        ),
        (json!({"values": {"global": []}}), "/spec/values/global"),
        (
            json!({"values": {"global": {"proxy": {"includeIPRanges": false}}}}),
            "/spec/values/global/proxy/includeIPRanges",
        ),
    ] {
        let (_, problems) = planes(
            "install.istio.io/v1alpha1",
            "IstioOperator",
            "mesh",
            spec.clone(),
        );
        assert!(
            problems.iter().all(|problem| problem == at),
            "{spec}: {problems:?}"
        );
        assert!(!problems.is_empty(), "{spec}");
    }
    let spec = json!({"revision": "blue", "meshConfig": {"trustDomain": 1, "rootNamespace": "a"}});
    let (said, _) = planes("install.istio.io/v1alpha1", "IstioOperator", "mesh", spec);
    assert_eq!(
        (said[0].revision.as_str(), said[0].root_namespace.as_deref()),
        ("blue", Some("a"))
    );
}

/// sail-operator pkg/istiovalues/overrides_test.go: the operator's own namespace and name win over the values.
#[test]
fn sail_s_values_are_helm_s_but_for_what_the_operator_sets() {
    let said = sail(
        "Istio",
        "default",
        json!({"version": "v1.26.2", "namespace": "istio-platform", "values": {
            "revision": "ignored",
            "global": {"istioNamespace": "ignored", "proxy": {"includeInboundPorts": "8080"}},
            "meshConfig": {"trustDomain": "corp.example", "outboundTrafficPolicy": {"mode": "ALLOW_ANY"}},
            "sidecarInjectorWebhook": {"neverInjectSelector": [{"matchLabels": {"app": "builder"}}]}
        }}),
    );
    let expected = ControlPlane {
        root_namespace: Some("istio-platform".to_owned()),
        trust_domain: Some("corp.example".to_owned()),
        outbound: Some(OutboundPolicy::AllowAny),
        include_inbound_ports: Some("8080".to_owned()),
        never_inject: said.never_inject.clone(),
        ..ControlPlane::silent(said.object.clone(), "default")
    };
    assert_eq!(said, expected);
    assert_eq!(said.never_inject.map(|selectors| selectors.len()), Some(1));
    assert_eq!(
        said.object.to_string(),
        "Istio default",
        "it has no namespace"
    );
    assert!(!said.object.namespace_assumed);

    let named = json!({"namespace": "istio-platform", "values": {"meshConfig": {"rootNamespace": "mesh-config"}}});
    assert_eq!(
        sail("Istio", "default", named).root_namespace.as_deref(),
        Some("mesh-config")
    );
    assert_eq!(sail("Istio", "default", json!({})).root_namespace, None);
}

/// sail-operator controllers/istio `getActiveRevisionName`.
#[test]
fn the_revision_of_sail_s_objects() {
    let by_revision = json!({"version": "v1.26.2", "updateStrategy": {"type": "RevisionBased"}});
    for (kind, name, spec, revision) in [
        ("Istio", "default", json!({"version": "v1.26.2"}), "default"),
        (
            "Istio",
            "prod",
            json!({"version": "v1.26.2", "updateStrategy": {"type": "InPlace"}}),
            "prod",
        ),
        ("Istio", "default", by_revision.clone(), "default-v1-26-2"),
        ("Istio", "prod", by_revision, "prod-v1-26-2"),
        (
            "IstioRevision",
            "prod-v1-26-2",
            json!({"version": "v1.26.2"}),
            "prod-v1-26-2",
        ),
        ("IstioRevision", "default", json!({}), "default"),
    ] {
        assert_eq!(sail(kind, name, spec).revision, revision);
    }
}

#[test]
fn the_group_and_version_count() {
    let spec = || json!({"values": {"meshConfig": {"rootNamespace": "a"}}});
    for (api_version, kind, count) in [
        ("sailoperator.io/v1", "Istio", 1),
        ("sailoperator.io/v1alpha1", "IstioRevision", 1),
        ("operator.example.com/v1", "Istio", 0),
        ("install.istio.io/v1alpha1", "IstioOperator", 1),
        ("install.istio.io/v1", "IstioOperator", 0),
    ] {
        let (said, _) = planes(api_version, kind, "default", spec());
        assert_eq!(said.len(), count, "{api_version} {kind}");
    }
    let empty = BTreeMap::<String, String>::new();
    assert_eq!(operator(json!({})).proxy_metadata, empty);
}
