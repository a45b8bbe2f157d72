//! Do the settings of the mesh come from who says them, and from nobody else?

use super::*;
use crate::policy::fixture::object;

fn plane(name: &str, revision: &str) -> ControlPlane {
    ControlPlane::silent(object("ConfigMap", "istio-system", name), revision)
}

fn with_root(name: &str, revision: &str, root: &str) -> ControlPlane {
    ControlPlane {
        root_namespace: Some(root.to_owned()),
        ..plane(name, revision)
    }
}

fn settings(control_planes: Vec<ControlPlane>, config: &Config) -> Settings {
    let inventory = Inventory {
        control_planes,
        ..Inventory::default()
    };
    Settings::of(&inventory, config)
}

fn roots(settings: &MeshSettings) -> Vec<&str> {
    settings
        .root_namespaces
        .iter()
        .map(String::as_str)
        .collect()
}

#[test]
fn without_objects_the_charts_defaults_hold_and_prove_nothing() {
    let settings = settings(Vec::new(), &Config::default());
    for revision in [None, Some("default"), Some("canary")] {
        let mesh = settings.of_revision(revision);
        assert_eq!(roots(mesh), ["istio-system"]);
        assert_eq!(mesh.include_inbound_ports.value.as_deref(), Some("*"));
        assert!(!mesh.include_inbound_ports.proven);
        assert_eq!(mesh.outbound.value, Some(OutboundPolicy::AllowAny));
    }
    assert_eq!(settings.contradictions, []);
}

#[test]
fn an_object_speaks_for_its_revision() {
    let canary = ControlPlane {
        exclude_inbound_ports: Some("9090".to_owned()),
        ..with_root("istio-canary", "canary", "mesh")
    };
    let settings = settings(vec![plane("istio", "default"), canary], &Config::default());
    let canary = settings.of_revision(Some("canary"));
    assert_eq!(roots(canary), ["mesh"]);
    assert!(canary.exclude_inbound_ports.proven);
    assert_eq!(
        canary.exclude_inbound_ports.because,
        ["ConfigMap istio-system/istio-canary: excludeInboundPorts"]
    );
    let default = settings.of_revision(Some("default"));
    assert_eq!(roots(default), ["istio-system"]);
    assert_eq!(default.exclude_inbound_ports.value.as_deref(), Some(""));
}

#[test]
fn pods_of_no_known_revision_have_what_all_revisions_share() {
    let shared = |name: &str, revision: &str, root: &str| ControlPlane {
        trust_domain: Some("shop".to_owned()),
        ..with_root(name, revision, root)
    };
    let settings = settings(
        vec![
            shared("istio", "default", "one"),
            shared("istio-canary", "canary", "two"),
        ],
        &Config::default(),
    );
    let any = settings.of_revision(None);
    assert_eq!(roots(any), ["one", "two"]);
    assert_eq!(any.trust_domain.value.as_deref(), Some("shop"));
    assert!(any.trust_domain.proven);
    // A revision that the input does not show may be as it comes out of the chart.
    let other = settings.of_revision(Some("other"));
    assert_eq!(roots(other), ["istio-system", "one", "two"]);
    assert_eq!(other.trust_domain.value, None);
}

#[test]
fn the_only_revision_that_is_shown_counts_for_pods_that_name_none() {
    let settings = settings(
        vec![with_root("istio", "default", "mesh")],
        &Config::default(),
    );
    assert_eq!(roots(settings.of_revision(None)), ["mesh"]);
    assert_eq!(settings.root_namespaces().len(), 1);
}

#[test]
fn objects_that_contradict_each_other_leave_it_open_and_are_named() {
    let one = with_root("istio", "default", "one");
    let mut other = with_root("istio-again", "default", "two");
    other.prometheus_merge = Some(false);
    let settings = settings(vec![one, other], &Config::default());
    let mesh = settings.of_revision(Some("default"));
    assert_eq!(roots(mesh), ["one", "two"]);
    assert_eq!(mesh.prometheus_merge.value, Some(false));
    let [contradiction] = settings.contradictions.as_slice() else {
        panic!("{:?}", settings.contradictions)
    };
    assert!(contradiction.what.contains("rootNamespace"));
    assert!(contradiction.what.contains("istio-again"));
}

#[test]
fn objects_that_agree_contradict_nobody() {
    let settings = settings(
        vec![
            with_root("istio", "default", "one"),
            with_root("same", "default", "one"),
        ],
        &Config::default(),
    );
    assert_eq!(roots(settings.of_revision(Some("default"))), ["one"]);
    assert_eq!(settings.contradictions, []);
}

#[test]
fn configuration_wins_and_says_so() {
    let config = Config {
        root_namespace: Some("mine".to_owned()),
        exclude_inbound_ports: Some(BTreeSet::from([80, 9090])),
        ..Config::default()
    };
    let istio = ControlPlane {
        exclude_inbound_ports: Some("9090".to_owned()),
        ..with_root("istio", "default", "theirs")
    };
    let same = ControlPlane {
        exclude_inbound_ports: Some(" 9090, 80".to_owned()),
        ..with_root("same", "canary", "mine")
    };
    let settings = settings(vec![istio, same], &config);
    let mesh = settings.of_revision(Some("default"));
    assert_eq!(roots(mesh), ["mine"]);
    assert_eq!(mesh.exclude_inbound_ports.value.as_deref(), Some("80,9090"));
    assert!(mesh.exclude_inbound_ports.proven);
    let contradicting: Vec<_> = settings
        .contradictions
        .iter()
        .map(|contradiction| contradiction.object.name.as_str())
        .collect();
    assert_eq!(contradicting, ["istio", "istio"]);
}

#[test]
fn proxy_metadata_that_only_some_revisions_set_is_unknown_to_the_others() {
    let mut canary = plane("istio-canary", "canary");
    let key = || "ENVOY_SECURE_METRICS_PORT".to_owned();
    canary.proxy_metadata.insert(key(), "15091".to_owned());
    let settings = settings(vec![plane("istio", "default"), canary], &Config::default());
    let metadata = |revision| {
        let mesh = settings.of_revision(revision);
        mesh.proxy_metadata
            .get(&key())
            .map(|fact| fact.value.clone())
    };
    assert_eq!(metadata(Some("canary")), Some(Some("15091".to_owned())));
    assert_eq!(metadata(Some("default")), None);
    assert_eq!(metadata(None), Some(None));
}

#[test]
fn the_mode_of_an_operators_object_holds_for_the_mesh() {
    let strict = |name| ControlPlane {
        mtls: Some(MtlsMode::Strict),
        ..plane(name, "default")
    };
    let modes = |planes| settings(planes, &Config::default()).default_modes;
    assert_eq!(modes(vec![plane("a", "default")]), BTreeMap::new());
    assert_eq!(
        modes(vec![strict("a"), strict("b")]),
        BTreeMap::from([(
            MtlsMode::Strict,
            "ConfigMap istio-system/a: STRICT".to_owned()
        )])
    );
    let open = ControlPlane {
        mtls: Some(MtlsMode::Permissive),
        ..plane("c", "default")
    };
    assert_eq!(modes(vec![strict("a"), open]).len(), 2, "they disagree");
}
