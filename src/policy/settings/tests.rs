use serde_json::{Value, json};

use super::*;
use crate::model;

/// The ConfigMap of a revision, with a MeshConfig.
fn mesh(revision: &str, mesh_config: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("istio-{revision}"), "namespace": "istio-system"},
        "data": {"mesh": mesh_config.to_string()}})
}

/// An IstioOperator of a revision.
fn operator(revision: &str, spec: &Value) -> Value {
    let mut object = json!({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
        "metadata": {"name": "mesh", "namespace": "istio-system"}, "spec": spec});
    object["spec"]["revision"] = json!(revision);
    object
}

fn settings(objects: &[Value], config: &Config) -> Settings {
    let inventory = model::read(objects.iter().enumerate(), config);
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
    Settings::of(&inventory, config)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn without_objects_the_chart_s_defaults_are_assumed() {
    let settings = settings(&[], &Config::default());
    for revision in [None, Some("default"), Some("blue")] {
        let here = settings.of_revision(revision);
        assert_eq!(here.root_namespaces, set(&["istio-system"]));
        assert_eq!(here.root_because, Vec::<String>::new());
        assert_eq!(here.trust_domain.value.as_deref(), Some("cluster.local"));
        assert_eq!(here.prometheus_merge.value, Some(true));
        assert_eq!(here.outbound.value, Some(OutboundPolicy::AllowAny));
        assert_eq!(here.exclude_inbound_ports.value.as_deref(), Some(""));
        assert!(!here.trust_domain.proven && !here.exclude_inbound_ports.proven);
        assert_eq!(here.injector.policy.value.as_deref(), Some("enabled"));
    }
    assert_eq!(settings.default_modes, BTreeMap::new());
}

#[test]
fn what_an_object_says_is_proven_by_it() {
    let said = json!({"rootNamespace": "mesh-config", "trustDomain": "corp.example", "enablePrometheusMerge": false});
    let settings = settings(&[mesh("blue", said)], &Config::default());
    for revision in [None, Some("blue")] {
        let here = settings.of_revision(revision);
        let by = |setting: &str| format!("ConfigMap istio-system/istio-blue: {setting}");
        assert_eq!(here.root_namespaces, set(&["mesh-config"]));
        assert_eq!(here.root_because, [by("rootNamespace")]);
        let trust_domain = Fact::proven("corp.example".to_owned(), by("trustDomain"));
        assert_eq!(here.trust_domain, trust_domain);
        let merge = Fact::proven(false, by("enablePrometheusMerge"));
        assert_eq!(here.prometheus_merge, merge);
    }
    assert_eq!(settings.contradictions, []);
}

#[test]
fn a_revision_that_the_input_does_not_show_may_be_set_as_any() {
    let said = json!({"rootNamespace": "mesh-config", "trustDomain": "corp.example", "enablePrometheusMerge": true});
    let settings = settings(&[mesh("blue", said)], &Config::default());
    let other = settings.of_revision(Some("green"));
    assert_eq!(other.root_namespaces, set(&["istio-system", "mesh-config"]));
    assert_eq!(other.trust_domain.value, None);
    assert_eq!(other.prometheus_merge.value, Some(true));
    assert!(!other.prometheus_merge.proven);
}

#[test]
fn two_revisions_differ_and_pods_of_neither_name_may_obey_either() {
    let metadata = json!({"defaultConfig": {"proxyMetadata": {"A": "blue", "B": "both"}}});
    let blue = json!({"rootNamespace": "mesh-blue", "trustDomain": "corp.example"});
    let objects = [
        mesh("blue", blue),
        operator("blue", &json!({"meshConfig": metadata})),
        mesh(
            "green",
            json!({"rootNamespace": "mesh-green", "trustDomain": "corp.example",
            "defaultConfig": {"proxyMetadata": {"B": "both"}}}),
        ),
    ];
    let settings = settings(&objects, &Config::default());
    let of = |revision: Option<&'static str>| settings.of_revision(revision);
    assert_eq!(of(Some("blue")).root_namespaces, set(&["mesh-blue"]));
    assert_eq!(of(Some("green")).root_namespaces, set(&["mesh-green"]));
    assert_eq!(of(None).root_namespaces, set(&["mesh-blue", "mesh-green"]));
    assert_eq!(
        *settings.root_namespaces(),
        set(&["mesh-blue", "mesh-green"])
    );
    assert_eq!(of(None).trust_domain.value.as_deref(), Some("corp.example"));
    assert!(of(None).trust_domain.proven);
    let value = |revision, key: &str| {
        let metadata = &of(revision).proxy_metadata;
        metadata.get(key).map(|fact| fact.value.as_deref())
    };
    assert_eq!(value(Some("blue"), "A"), Some(Some("blue")));
    assert_eq!(value(Some("green"), "A"), None, "green does not set it");
    assert_eq!(value(None, "A"), Some(None), "not known whether it is set");
    assert_eq!(value(None, "B"), Some(Some("both")));
    assert_eq!(settings.contradictions, []);
}

#[test]
fn objects_of_one_revision_that_disagree_leave_a_setting_unknown() {
    let objects = [
        mesh(
            "blue",
            json!({"trustDomain": "one.example", "enablePrometheusMerge": false}),
        ),
        operator(
            "blue",
            &json!({"meshConfig": {"trustDomain": "other.example", "enablePrometheusMerge": false},
            "values": {"global": {"proxy": {"autoInject": "disabled"}}}}),
        ),
    ];
    let settings = settings(&objects, &Config::default());
    let here = settings.of_revision(Some("blue"));
    assert_eq!(
        (&here.trust_domain.value, here.trust_domain.proven),
        (&None, false)
    );
    assert_eq!(here.prometheus_merge.value, Some(false));
    assert_eq!(here.injector.policy.value.as_deref(), Some("disabled"));
    let [contradiction] = settings.contradictions.as_slice() else {
        panic!("{:?}", settings.contradictions);
    };
    assert_eq!(
        contradiction.object.to_string(),
        "ConfigMap istio-system/istio-blue"
    );
    assert!(
        contradiction
            .what
            .contains("trustDomain than IstioOperator istio-system/mesh")
    );
}

#[test]
fn the_configuration_wins_and_says_so_where_objects_differ() {
    let config = Config {
        root_namespace: Some("configured".to_owned()),
        exclude_inbound_ports: Some(BTreeSet::from([9090, 8081])),
        ..Config::default()
    };
    let differing = operator(
        "blue",
        &json!({"meshConfig": {"rootNamespace": "other"},
        "values": {"global": {"proxy": {"excludeInboundPorts": "9090"}}}}),
    );
    let agreeing = operator(
        "green",
        &json!({"meshConfig": {"rootNamespace": "configured"},
        "values": {"global": {"proxy": {"excludeInboundPorts": "9090, 8081"}}}}),
    );
    let settings = settings(&[differing, agreeing], &config);
    for revision in [None, Some("blue"), Some("green"), Some("red")] {
        let here = settings.of_revision(revision);
        assert_eq!(here.root_namespaces, set(&["configured"]));
        assert_eq!(
            here.exclude_inbound_ports.value.as_deref(),
            Some("8081,9090")
        );
        assert!(here.exclude_inbound_ports.proven);
    }
    let what: Vec<_> = settings
        .contradictions
        .iter()
        .map(|contradiction| (contradiction.object.item, contradiction.what.as_str()))
        .collect();
    assert_eq!(
        what,
        [
            (
                0,
                "it says something else than mesh.excludeInboundPorts of the configuration, which counts"
            ),
            (
                0,
                "it says something else than mesh.rootNamespace of the configuration, which counts"
            ),
        ]
    );
}
