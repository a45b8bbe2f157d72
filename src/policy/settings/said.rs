//! Does what objects say in unison hold, and what only some of them say stay open?

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
fn the_only_revision_that_is_shown_counts_for_pods_that_name_none() {
    let settings = settings(
        vec![with_root("istio", "default", "mesh")],
        &Config::default(),
    );
    assert_eq!(roots(settings.of_revision(None)), ["mesh"]);
    assert_eq!(settings.root_namespaces().len(), 1);
}

#[test]
fn what_nobody_can_read_is_unknown_whatever_others_say() {
    let hiding = |setting| ControlPlane {
        unreadable: [setting].into(),
        ..plane("istio", "default")
    };
    let mesh = |planes| settings(planes, &Config::default());
    let hidden = mesh(vec![hiding(Setting::RootNamespace)]);
    assert!(!hidden.roots_are_known());
    assert_eq!(roots(hidden.of_revision(None)), ["", "istio-system"]);
    let other = mesh(vec![
        hiding(Setting::RootNamespace),
        with_root("other", "default", "mesh"),
    ]);
    assert_eq!(roots(other.of_revision(None)), ["", "istio-system", "mesh"]);
    let configured = Config {
        root_namespace: Some("own".to_owned()),
        ..Config::default()
    };
    let configured = settings(vec![hiding(Setting::RootNamespace)], &configured);
    assert_eq!(roots(configured.of_revision(None)), ["own"]);

    let domain = mesh(vec![
        hiding(Setting::TrustDomain),
        ControlPlane {
            trust_domain: Some("corp".to_owned()),
            ..plane("other", "default")
        },
    ]);
    assert_eq!(domain.of_revision(None).trust_domain.value, None);
    assert_eq!(domain.contradictions, []);
    let metadata = mesh(vec![hiding(Setting::Metadata)]);
    let entries = &metadata.of_revision(None).proxy_metadata;
    assert_eq!(entries["ENVOY_SECURE_METRICS_PORT"].value, None);
    assert_eq!(
        mesh(vec![hiding(Setting::Mtls)]).default_modes.len(),
        2,
        "either of the two that the operator makes"
    );
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
