//! Who wins where several configure a proxy?
//!
//! Authority: istio/istio pilot/pkg/model/proxy_config_test.go `TestConvertToMeshConfigProxyConfig`'s neighbours `TestMergeWithPrecedence`, `TestEffectiveProxyConfig`, row by row where they are about metadata.
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
        plane.proxy_metadata = labels(&[("KEY", mesh)]);
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
        selector: labels(&[("app", app)]),
        ..proxy_config("shop", value, &[("KEY", value)])
    }
}

const OWN: Option<&str> = Some("proxyMetadata: {KEY: own}");

/// "CR adds to defaultConfig", "namespace overrides root", "workload overrides namespace" and so on.
#[test]
fn each_level_wins_over_those_below() {
    let all = || {
        vec![
            in_root("root"),
            in_namespace("namespace"),
            selecting("web", "workload"),
        ]
    };
    assert!(key("", vec![], None).is_empty());
    assert_eq!(key("mesh", vec![], None), ["mesh"]);
    assert_eq!(key("mesh", vec![in_root("root")], None), ["root"]);
    assert_eq!(key("mesh", all()[..2].to_vec(), None), ["namespace"]);
    assert_eq!(key("mesh", all()[..2].to_vec(), OWN), ["own"]);
    assert_eq!(key("mesh", all(), None), ["workload"]);
    assert_eq!(key("mesh", all(), OWN), ["workload"], "over the annotation");
}

/// A ProxyConfig with selector is for pods of its own namespace, in the root namespace too.
#[test]
fn others_do_not_count() {
    assert_eq!(key("mesh", vec![selecting("db", "other")], None), ["mesh"]);
    let elsewhere = ProxyConfig {
        selector: labels(&[("app", "web")]),
        ..in_root("root")
    };
    assert_eq!(key("mesh", vec![elsewhere], None), ["mesh"]);
    let neighbour = proxy_config("cart", "all", &[("KEY", "cart")]);
    assert_eq!(key("mesh", vec![neighbour], None), ["mesh"]);
}

/// Other keys of a level leave this one alone; an empty value overrules.
#[test]
fn key_by_key() {
    let other = proxy_config("shop", "all", &[("OTHER", "x")]);
    assert_eq!(key("mesh", vec![other], None), ["mesh"]);
    assert_eq!(key("mesh", vec![], Some("concurrency: 2")), ["mesh"]);
    assert_eq!(key("mesh", vec![in_namespace("")], None), [""]);
}

/// The oldest of a level counts, and Git does not show which that is.
#[test]
fn two_of_one_level() {
    let two = vec![in_namespace("a"), in_namespace("b")];
    assert_eq!(key("mesh", two.clone(), None), ["a", "b"]);
    assert_eq!(key("mesh", two, OWN), ["own"]);
    assert_eq!(
        key("mesh", vec![in_namespace("a"), in_namespace("a")], None),
        ["a"]
    );
    let silent = proxy_config("shop", "silent", &[]);
    assert_eq!(
        key("mesh", vec![in_namespace("a"), silent], None),
        ["a", "mesh"]
    );
}

/// Pods of which only a Service's selector is known may be selected by other labels.
#[test]
fn pods_that_are_not_in_the_input() {
    let pods = Workload {
        known: PodsKnown::SelectorOnly,
        ..workload("shop", &[("app", "web")])
    };
    let canary = ProxyConfig {
        selector: labels(&[("tier", "canary")]),
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
            r#"Deployment shop/web: annotation proxy.istio.io/config="proxyMetadata: {KEY: 1}" is not understood"#
                .to_owned()
        )
    );
}
