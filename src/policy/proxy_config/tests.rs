//! Who wins where several configure a proxy?
//!
//! Authority: istio/istio pilot/pkg/model/proxy_config_test.go `TestEffectiveProxyConfig` (the rows, for metadata instead of concurrency), `TestMergeWithPrecedence`.
//! Departs from it: creation times are not read.
//! Knows: values that tell who wrote them. Does not know: what they do.

use super::*;
use crate::config::Config;
use crate::model::{ControlPlane, Inventory};
use crate::policy::Settings;
use crate::policy::fixture::{annotated, control_plane, labels, proxy_config, workload};

/// What `KEY` is for pods `app: web` in `shop`; two values where it is not known.
fn key(mesh: &str, configs: Vec<ProxyConfig>, annotation: Option<&str>) -> Vec<String> {
    let pods = Workload {
        annotations: match annotation {
            Some(text) => labels(&[(PROXY_CONFIG, text)]),
            None => labels(&[]),
        },
        ..workload("shop", &[("app", "web")])
    };
    key_of(mesh, configs, &pods)
}

fn key_of(mesh: &str, proxy_configs: Vec<ProxyConfig>, pods: &Workload) -> Vec<String> {
    let mut plane = control_plane("istio", "default");
    if !mesh.is_empty() {
        plane.proxy_metadata = [("KEY".to_owned(), mesh.to_owned())].into();
    }
    let inventory = Inventory {
        control_planes: vec![plane],
        proxy_configs,
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let config = effective_proxy_config(&mesh, pods).expect("it is readable");
    let entry = config.metadata("KEY");
    entry.map_or(Vec::new(), |entry| {
        entry.value.values.iter().cloned().collect()
    })
}

fn in_root(value: &str) -> ProxyConfig {
    proxy_config("istio-system", "root", &[("KEY", value)])
}

fn in_namespace(value: &str) -> ProxyConfig {
    proxy_config("shop", "all", &[("KEY", value)])
}

fn selecting(app: &str, value: &str) -> ProxyConfig {
    ProxyConfig {
        selector: Some(labels(&[("app", app)])),
        ..proxy_config("shop", value, &[("KEY", value)])
    }
}

const OWN: Option<&str> = Some("proxyMetadata: {KEY: own}");

#[test]
fn no_configured_cr_or_default_config() {
    assert!(key("", vec![], None).is_empty());
    assert_eq!(key("mesh", vec![], None), ["mesh"]);
}

#[test]
fn cr_applies_to_matching_namespace() {
    assert_eq!(
        key("", vec![in_namespace("namespace")], None),
        ["namespace"]
    );
    let both = vec![in_root("root"), in_namespace("namespace")];
    assert_eq!(key("mesh", both, None), ["namespace"], "over the mesh's");
}

#[test]
fn cr_takes_precedence_over_mesh_config_default_config() {
    assert_eq!(key("mesh", vec![in_root("root")], None), ["root"]);
}

#[test]
fn workload_matching_cr_takes_precedence_over_namespace_matching_cr() {
    let both = vec![selecting("web", "workload"), in_namespace("namespace")];
    assert_eq!(key("mesh", both, None), ["workload"]);
}

#[test]
fn matching_workload_cr_takes_precedence_over_annotation() {
    assert_eq!(
        key("", vec![selecting("web", "workload")], OWN),
        ["workload"]
    );
}

#[test]
fn annotation_takes_precedence_over_defaults() {
    let both = vec![in_root("root"), in_namespace("namespace")];
    assert_eq!(key("mesh", both, OWN), ["own"]);
    assert_eq!(key("mesh", vec![selecting("db", "other")], OWN), ["own"]);
}

/// mergedNamespaceConfig wants no selector at all, mergedWorkloadConfig one with labels.
#[test]
fn a_selector_without_labels_selects_nobody() {
    for of_some in [in_root("root"), in_namespace("namespace")] {
        let of_nobody = ProxyConfig {
            selector: Some(labels(&[])),
            ..of_some
        };
        assert_eq!(key("mesh", vec![of_nobody], None), ["mesh"]);
    }
}

/// One with a selector is for pods of its own namespace, in the root namespace too.
#[test]
fn cr_in_other_namespaces_get_ignored() {
    assert_eq!(key("mesh", vec![selecting("db", "other")], None), ["mesh"]);
    let elsewhere = ProxyConfig {
        selector: Some(labels(&[("app", "web")])),
        ..in_root("root")
    };
    assert_eq!(key("mesh", vec![elsewhere], None), ["mesh"]);
    let neighbour = proxy_config("cart", "all", &[("KEY", "cart")]);
    assert_eq!(key("mesh", vec![neighbour], None), ["mesh"]);
}

/// Other keys of a level leave this one alone; an empty value overrules.
#[test]
fn envvars() {
    let other = proxy_config("shop", "all", &[("OTHER", "x")]);
    assert_eq!(key("mesh", vec![other], None), ["mesh"]);
    assert_eq!(key("mesh", vec![], Some("concurrency: 2")), ["mesh"]);
    assert_eq!(key("mesh", vec![in_namespace("")], None), [""]);
}

/// The oldest applies, and Git does not show which that is.
#[test]
fn multiple_matching_namespace_crs() {
    let two = vec![in_namespace("a"), in_namespace("b")];
    assert_eq!(key("mesh", two.clone(), None), ["a", "b"]);
    assert_eq!(key("mesh", two, OWN), ["own"]);
    let alike = vec![in_namespace("a"), in_namespace("a")];
    assert_eq!(key("mesh", alike, None), ["a"]);
    let silent = vec![in_namespace("a"), proxy_config("shop", "silent", &[])];
    assert_eq!(key("mesh", silent, None), ["a", "mesh"]);
}

#[test]
fn multiple_matching_workload_crs() {
    let two = vec![selecting("web", "a"), selecting("web", "b")];
    assert_eq!(key("mesh", two, OWN), ["a", "b"]);
}

/// Pods of which only a Service's selector is known may be selected by other labels.
#[test]
fn pods_that_are_not_in_the_input() {
    let pods = Workload {
        known: PodsKnown::SelectorOnly,
        ..workload("shop", &[("app", "web")])
    };
    let canary = ProxyConfig {
        selector: Some(labels(&[("tier", "canary")])),
        ..in_namespace("canary")
    };
    assert_eq!(key_of("mesh", vec![canary], &pods), ["canary", "mesh"]);
    assert_eq!(
        key_of("mesh", vec![selecting("db", "other")], &pods),
        ["mesh"]
    );
}

/// Where it is not known which the root namespace is, its ProxyConfigs count perhaps.
#[test]
fn two_root_namespaces() {
    let planes = ["istio-system", "mesh"].map(|root| ControlPlane {
        root_namespace: Some(root.to_owned()),
        ..control_plane(root, root)
    });
    let inventory = Inventory {
        control_planes: planes.into(),
        proxy_configs: vec![in_root("root")],
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let config = effective_proxy_config(&mesh, &workload("shop", &[])).expect("it is readable");
    let entry = config.metadata("KEY").expect("somebody sets it");
    assert_eq!(entry.value.value(), None);
    assert!(!entry.value.proven);
}

/// What the injector refuses, and what it does not.
#[test]
fn annotations_as_protobuf_reads_them() {
    for refused in [
        "[]",
        "proxyMetadata: [",
        "proxyMetadata: text",
        "proxyMetadata: {KEY: 1}",
        "proxyMetadata: {KEY: true}",
        "interceptionMode: none",
        "interceptionMode: 3",
        "statusPort: 0",
        "statusPort: http",
    ] {
        assert!(written(refused).is_err(), "{refused}");
    }
    for (read, mode) in [
        ("", None),
        ("concurrency: 2", None),
        (r#"{"interceptionMode": "TPROXY"}"#, Some("TPROXY")),
        ("interceptionMode: 2", Some("NONE")),
    ] {
        assert_eq!(written(read).expect(read).interception, mode, "{read}");
    }
    let pods = annotated(&[(PROXY_CONFIG, "proxyMetadata: {KEY: 1}")]);
    let inventory = Inventory::default();
    let mesh = crate::policy::fixture::mesh(&inventory);
    assert_eq!(
        effective_proxy_config(&mesh, &pods),
        Err(
            "Deployment shop/web: annotation proxy.istio.io/config is not understood: proxyMetadata.KEY is no string"
                .to_owned()
        )
    );
}
