//! Is the data plane known where an object says so, and unknown where an object is missing?
//!
//! Authority: the gates, whose own tests are in `webhook/tests.rs`.
//! Departs from it: nothing; these cases are about evidence and missing objects.
//! Knows: one workload, `Deployment shop/web`, and its Namespace. Does not know: policies, ports.

use DataPlane::{Ambient, Sidecar};

use super::*;
use crate::config::{Config, NamespaceInjection};
use crate::model::{ContainerPort, InjectorWebhooks, Inventory};
use crate::policy::Settings;
use crate::policy::fixture::{
    annotated, container, injector, injector_config, injector_of_all_namespaces, inventory, labels,
    mesh, namespace, selector, workload,
};
use crate::policy::webhook::NAMESPACE_INJECTION;

fn in_shop(namespace_labels: &[(&str, &str)], pods: &Workload) -> Injection {
    data_plane(
        &mesh(&inventory(
            vec![namespace("shop", namespace_labels)],
            Vec::new(),
        )),
        pods,
    )
}

fn without_namespace(pods: &Workload) -> Injection {
    data_plane(&mesh(&inventory(Vec::new(), Vec::new())), pods)
}

fn web(pod_labels: &[(&str, &str)]) -> Workload {
    workload("shop", pod_labels)
}

fn proven(data_plane: DataPlane, because: &str) -> Injection {
    Fact::proven(data_plane, because).into()
}

const ENABLED: &[(&str, &str)] = &[(NAMESPACE_INJECTION, "enabled")];
const AMBIENT: &[(&str, &str)] = &[(DATAPLANE_MODE, "ambient")];

#[test]
fn host_network_is_never_in_the_mesh() {
    let pods = Workload {
        host_network: true,
        ..web(&[(INJECT, "true")])
    };
    let expected = proven(DataPlane::None, "Deployment shop/web: hostNetwork");
    assert_eq!(in_shop(ENABLED, &pods), expected);
    assert_eq!(in_shop(AMBIENT, &pods), expected);
    assert_eq!(without_namespace(&pods), expected);
}

#[test]
fn a_proxy_in_the_manifest_is_a_sidecar() {
    let with = |image| Workload {
        containers: vec![container("istio-proxy", image)],
        ..web(&[])
    };
    let injected = without_namespace(&with("docker.io/istio/proxyv2:1.30.0"));
    assert_eq!(
        injected,
        proven(Sidecar, "Deployment shop/web: container istio-proxy")
    );
    assert_eq!(
        without_namespace(&with("auto")).fact.value,
        None,
        "still to be injected"
    );
}

#[test]
fn system_namespaces_are_never_injected() {
    let injection = without_namespace(&workload("kube-system", &[(INJECT, "true")]));
    assert_eq!(
        injection,
        proven(DataPlane::None, "namespace kube-system is never injected")
    );
}

#[test]
fn pods_opt_out_by_label_or_annotation() {
    let by_label = proven(
        DataPlane::None,
        "Deployment shop/web: label sidecar.istio.io/inject=false",
    );
    assert_eq!(in_shop(ENABLED, &web(&[(INJECT, "false")])), by_label);
    assert_eq!(without_namespace(&web(&[(INJECT, "false")])), by_label);
    let by_annotation = proven(
        DataPlane::None,
        "Deployment shop/web: annotation sidecar.istio.io/inject=false",
    );
    assert_eq!(
        in_shop(ENABLED, &annotated(&[(INJECT, "false")])),
        by_annotation
    );
    let label_wins = Workload {
        labels: labels(&[(INJECT, "true")]),
        ..annotated(&[(INJECT, "false")])
    };
    assert_eq!(in_shop(ENABLED, &label_wins).fact.value, Some(Sidecar));
}

#[test]
fn namespaces_decide() {
    let enabled = proven(Sidecar, "Namespace shop: istio-injection=enabled");
    assert_eq!(in_shop(ENABLED, &web(&[])), enabled);
    assert_eq!(
        in_shop(ENABLED, &web(&[(INJECT, "yes")])),
        enabled,
        "neither true nor false counts"
    );
    assert_eq!(
        in_shop(&[(REVISION, "1-16")], &web(&[])),
        proven(Sidecar, "Namespace shop: istio.io/rev=1-16")
    );
    let disabled = proven(DataPlane::None, "Namespace shop: istio-injection=disabled");
    assert_eq!(
        in_shop(
            &[(NAMESPACE_INJECTION, "disabled")],
            &web(&[(INJECT, "true"), (REVISION, "x")])
        ),
        disabled
    );
}

#[test]
fn unlabelled_namespaces_leave_it_to_the_pods() {
    let nobody = in_shop(&[], &web(&[]));
    assert_eq!(
        nobody.fact,
        Fact::assumed(DataPlane::None, "Namespace shop: no injection label")
    );
    assert!(nobody.unlabelled && !nobody.namespace_missing);
    let asked = in_shop(&[], &web(&[(INJECT, "true")]));
    assert_eq!(
        asked,
        proven(
            Sidecar,
            "Deployment shop/web: label sidecar.istio.io/inject=true"
        )
    );
    let revision = in_shop(&[], &web(&[(REVISION, "1-16")]));
    assert_eq!(
        revision,
        proven(Sidecar, "Deployment shop/web: label istio.io/rev=1-16")
    );
    let annotation = in_shop(&[], &annotated(&[(INJECT, "true")]));
    assert!(
        annotation.unlabelled,
        "the webhook does not see annotations"
    );
}

#[test]
fn missing_namespaces_count_as_unlabelled_where_the_pods_ask() {
    for request in [(INJECT, "true"), (REVISION, "1-16")] {
        let asked = without_namespace(&web(&[request]));
        assert_eq!(
            (asked.fact.value, asked.fact.proven),
            (Some(Sidecar), false)
        );
        assert!(asked.namespace_missing && !asked.unlabelled);
    }
    let ambient = without_namespace(&web(AMBIENT));
    assert_eq!(
        (ambient.fact.value, ambient.namespace_missing),
        (Some(Ambient), true)
    );
}

#[test]
fn missing_namespaces_are_unknown_otherwise() {
    assert_eq!(
        without_namespace(&web(&[])),
        Fact::unknown("Namespace shop is not in the input").into()
    );
    assert_eq!(
        without_namespace(&annotated(&[(INJECT, "true")]))
            .fact
            .value,
        None
    );
}

#[test]
fn ambient_by_namespace_or_pod() {
    let by_namespace = proven(
        Ambient,
        "Namespace shop: label istio.io/dataplane-mode=ambient",
    );
    assert_eq!(in_shop(AMBIENT, &web(&[])), by_namespace);
    assert_eq!(
        in_shop(AMBIENT, &web(&[(INJECT, "false")])),
        by_namespace,
        "that label is about sidecars"
    );
    let by_pod = proven(
        Ambient,
        "Deployment shop/web: label istio.io/dataplane-mode=ambient",
    );
    assert_eq!(in_shop(&[], &web(AMBIENT)), by_pod);
    assert_eq!(
        in_shop(AMBIENT, &web(&[(DATAPLANE_MODE, "none")]))
            .fact
            .value,
        Some(DataPlane::None)
    );
}

#[test]
fn sidecars_win_over_ambient() {
    let both = [
        (NAMESPACE_INJECTION, "enabled"),
        (DATAPLANE_MODE, "ambient"),
    ];
    assert_eq!(in_shop(&both, &web(&[])).fact.value, Some(Sidecar));
    let forbidden = [
        (NAMESPACE_INJECTION, "disabled"),
        (DATAPLANE_MODE, "ambient"),
    ];
    assert_eq!(in_shop(&forbidden, &web(&[])).fact.value, Some(Ambient));
}

#[test]
fn pods_that_are_not_in_the_input_keep_the_namespaces_answer() {
    let behind_service = Workload {
        known: PodsKnown::SelectorOnly,
        ..web(&[])
    };
    let enabled = in_shop(ENABLED, &behind_service).fact;
    assert_eq!((enabled.value, enabled.proven), (Some(Sidecar), false));
    assert_eq!(
        enabled.because,
        [
            "Namespace shop: istio-injection=enabled",
            "the pods behind Service shop/web are not in the input"
        ]
    );
    assert!(in_shop(&[], &behind_service).unlabelled);
    let disabled = in_shop(&[(NAMESPACE_INJECTION, "disabled")], &behind_service).fact;
    assert!(disabled.proven, "no label of a pod changes that");
    assert_eq!(without_namespace(&behind_service).fact.value, None);
}

#[test]
fn the_webhook_that_asks_is_named_after_the_label_that_makes_it_ask() {
    let injectors = vec![injector("canary", None), injector("default", None)];
    let inventory = Inventory {
        injectors,
        ..inventory(vec![namespace("shop", ENABLED)], Vec::new())
    };
    assert_eq!(
        data_plane(&mesh(&inventory), &web(&[])).fact.because,
        [
            "Namespace shop: istio-injection=enabled",
            "MutatingWebhookConfiguration istio-sidecar-injector: webhook namespace.sidecar-injector.istio.io"
        ]
    );
}

#[test]
fn an_injector_that_is_not_there_is_named_and_who_asks_for_it() {
    let inventory = Inventory {
        injectors: vec![injector("default", None)],
        ..inventory(Vec::new(), Vec::new())
    };
    let fact = data_plane(&mesh(&inventory), &web(&[(REVISION, "1-16")])).fact;
    assert_eq!(
        fact.because,
        [
            "no injector of revision 1-16 is in the input",
            "Deployment shop/web: label istio.io/rev=1-16",
            "Namespace shop is not in the input"
        ]
    );
}

#[test]
fn an_init_container_that_runs_on_is_a_proxy() {
    let with = |port: Option<u16>| Workload {
        containers: vec![Container {
            init: true,
            ports: port
                .map(|number| ContainerPort { name: None, number })
                .into_iter()
                .collect(),
            ..container("istio-proxy", "proxyv2:1.30.0")
        }],
        ..web(&[])
    };
    let native = without_namespace(&with(Some(15090)));
    assert_eq!(
        native,
        proven(Sidecar, "Deployment shop/web: init container istio-proxy")
    );
    assert_eq!(
        without_namespace(&with(None)).fact.value,
        None,
        "it has ended before anything is scraped"
    );
}

#[test]
fn a_label_that_opens_both_gates_is_named_once() {
    let mut config = injector_config("default");
    config.injector_policy = Some("disabled".to_owned());
    let inventory = Inventory {
        control_planes: vec![config],
        ..inventory(vec![namespace("shop", &[])], Vec::new())
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    assert_eq!(
        data_plane(&mesh, &web(&[(INJECT, "true")])),
        proven(
            Sidecar,
            "Deployment shop/web: label sidecar.istio.io/inject=true"
        )
    );
}

#[test]
fn all_namespaces_by_default_take_a_missing_one_as_unlabelled() {
    let mut config = injector_config("default");
    config.namespaces_by_default = Some(true);
    let inventory = Inventory {
        control_planes: vec![config],
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let injection = data_plane(&mesh, &web(&[]));
    assert!(injection.namespace_missing && !injection.unlabelled);
    assert_eq!(
        injection.fact.because,
        [
            "ConfigMap istio-system/istio-sidecar-injector: enableNamespacesByDefault",
            "Namespace shop is not in the input"
        ]
    );
}

#[test]
fn configured_namespaces_leave_nothing_assumed_but_unseen_pods() {
    let config = Config {
        namespaces: [("shop".to_owned(), NamespaceInjection::None)].into(),
        ..Config::default()
    };
    let inventory = inventory(vec![namespace("shop", &[])], Vec::new());
    let settings = Settings::of(&inventory, &config);
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let seen = data_plane(&mesh, &web(&[]));
    assert!(seen.fact.proven && !seen.unlabelled && !seen.namespace_missing);
    let behind_service = Workload {
        known: PodsKnown::SelectorOnly,
        ..web(&[])
    };
    let unseen = data_plane(&mesh, &behind_service).fact;
    assert_eq!(
        (unseen.value, unseen.proven),
        (Some(DataPlane::None), false),
        "their labels may ask"
    );
}

mod revisions;
