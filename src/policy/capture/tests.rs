//! Is a port taken by the data plane or not, or can that not be told?
//!
//! Authority: the arguments of `istio-iptables` in injection-template.yaml, and pkg/kube/inject/testdata/inject/traffic-annotations*.yaml.
//! Departs from it: upstream tests the arguments, these cases what follows from them for a port.
//! Knows: annotations, ports. Does not know: policies.

use super::super::annotations::INCLUDE_RANGES;
use super::super::annotations::PROXY_CONFIG;
use super::*;
use crate::config::Config;
use crate::model::{ControlPlane, Inventory, Labels};
use crate::policy::Settings;
use crate::policy::fixture::{
    annotated, container, control_plane, labels, mesh, said_by, workload,
};

mod of_the_mesh;

const INCLUDE: &str = INCLUDE_INBOUND;
const EXCLUDE: &str = EXCLUDE_INBOUND;

fn in_default_mesh(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let inventory = Inventory::default();
    captured(&mesh(&inventory), pods, port)
}

fn on(annotations: &[(&str, &str)], port: u16) -> (Option<bool>, bool) {
    let fact = in_default_mesh(&annotated(annotations), Some(port));
    (fact.value, fact.proven)
}

/// Where the mesh says something, and the pods these annotations.
fn set(
    change: impl Fn(&mut ControlPlane),
    annotations: &[(&str, &str)],
    port: u16,
) -> (Option<bool>, Vec<String>) {
    let mut plane = control_plane("istio-sidecar-injector", "default");
    change(&mut plane);
    among(vec![plane], annotations, port)
}

fn among(
    planes: Vec<ControlPlane>,
    annotations: &[(&str, &str)],
    port: u16,
) -> (Option<bool>, Vec<String>) {
    let (inventory, settings) = said_by(planes);
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let fact = captured(&mesh, &annotated(annotations), Some(port));
    (fact.value, fact.because)
}

const YES: (Option<bool>, bool) = (Some(true), true);
const NO: (Option<bool>, bool) = (Some(false), true);
const UNKNOWN: (Option<bool>, bool) = (None, false);

#[test]
fn every_port_by_default() {
    assert_eq!(
        on(&[], 8080),
        (Some(true), false),
        "the chart's default, which nobody shows"
    );
    assert_eq!(on(&[(INCLUDE, "*")], 8080), YES);
}

#[test]
fn istios_own_ports_speak_for_themselves() {
    for port in [15090, 15021, 15020, 15008] {
        assert_eq!(on(&[], port), NO);
    }
    assert_eq!(
        on(&[(INCLUDE, "15090,15008")], 15090),
        YES,
        "unless they are listed"
    );
    assert_eq!(
        on(&[(INCLUDE, "15090,15008")], 15008),
        NO,
        "HBONE even then"
    );
}

#[test]
fn the_status_port_moves() {
    assert_eq!(on(&[(STATUS_PORT, "15999")], 15999), NO);
    assert_eq!(on(&[(STATUS_PORT, "15999")], 15020).0, Some(true));
    assert_eq!(
        on(&[(STATUS_PORT, "0")], 15020).0,
        Some(true),
        "switched off"
    );
    assert_eq!(on(&[(STATUS_PORT, "http")], 8080), UNKNOWN);
}

#[test]
fn traffic_annotations_empty_includes() {
    for port in [8080, 15090] {
        assert_eq!(on(&[(INCLUDE, "")], port), NO);
    }
    let fact = in_default_mesh(&annotated(&[(INCLUDE, "")]), None);
    assert_eq!((fact.value, fact.proven), NO, "whatever the port");
    assert_eq!(
        fact.because,
        [r#"Deployment shop/web: annotation traffic.sidecar.istio.io/includeInboundPorts="""#]
    );
}

#[test]
fn listed_ports() {
    assert_eq!(on(&[(INCLUDE, "80, 8080")], 8080), YES);
    assert_eq!(on(&[(INCLUDE, "80, 8080")], 9090), NO);
    assert_eq!(
        on(&[(INCLUDE, "80"), (EXCLUDE, "80")], 80),
        YES,
        "exclusions count with * only"
    );
    for unreadable in ["http", "80,", "70000", "+80", "*,80"] {
        assert_eq!(on(&[(INCLUDE, unreadable)], 80), UNKNOWN, "{unreadable}");
    }
}

#[test]
fn excluded_ports() {
    assert_eq!(on(&[(EXCLUDE, "8080,9090")], 9090), NO);
    assert_eq!(on(&[(EXCLUDE, "8080")], 9090).0, Some(true));
    assert_eq!(on(&[(EXCLUDE, "")], 9090).0, Some(true));
    assert_eq!(on(&[(EXCLUDE, "metrics")], 9090), UNKNOWN);
    assert_eq!(on(&[(INCLUDE, "*"), (EXCLUDE, "8080")], 8080), NO);
}

#[test]
fn interception_mode() {
    assert_eq!(on(&[(INTERCEPTION, "NONE")], 8080), NO);
    assert_eq!(on(&[(INTERCEPTION, "TPROXY")], 8080).0, Some(true));
    assert_eq!(
        on(&[(INTERCEPTION, "none")], 8080),
        UNKNOWN,
        "the injector refuses it"
    );
    assert_eq!(on(&[(PROXY_CONFIG, "interceptionMode: NONE\n")], 8080), NO);
    assert_eq!(
        on(&[(PROXY_CONFIG, "interceptionMode: none\n")], 8080),
        UNKNOWN
    );
    assert_eq!(
        on(
            &[
                (INTERCEPTION, "REDIRECT"),
                (PROXY_CONFIG, "interceptionMode: NONE\n")
            ],
            8080
        )
        .0,
        Some(true),
        "the annotation of its own wins"
    );
    assert_eq!(
        on(&[(PROXY_CONFIG, "concurrency: 2\n")], 8080).0,
        Some(true)
    );
}

#[test]
fn proxies_that_guard_nobody() {
    for template in ["gateway", "grpc-agent", "grpc-simple,grpc-agent"] {
        assert_eq!(on(&[(TEMPLATES, template)], 8080), NO);
    }
    assert_eq!(on(&[(TEMPLATES, "sidecar,custom")], 8080).0, Some(true));
    assert_eq!(on(&[(TEMPLATES, "custom")], 8080), UNKNOWN);
    let proxy = vec![container("istio-proxy", "istio/proxyv2")];
    let gateway = workload("shop", &[("sidecar.istio.io/inject", "false")]);
    let gateway = Workload {
        containers: proxy,
        ..gateway
    };
    assert_eq!(in_default_mesh(&gateway, Some(8080)).value, Some(false));
    let injected = labels(&[("sidecar.istio.io/status", "{}")]);
    let injected = Workload {
        annotations: injected,
        ..gateway
    };
    assert_eq!(in_default_mesh(&injected, Some(8080)).value, Some(true));
}

#[test]
fn an_unknown_port_is_known_only_where_all_are_alike() {
    assert_eq!(in_default_mesh(&annotated(&[]), None).value, None);
    assert_eq!(
        in_default_mesh(&annotated(&[(INCLUDE, "80")]), None).value,
        None
    );
    assert_eq!(
        in_default_mesh(&annotated(&[(INTERCEPTION, "NONE")]), None).value,
        Some(false)
    );
}

#[test]
fn excluded_interfaces_take_the_proof() {
    assert_eq!(
        on(&[(INCLUDE, "*"), (EXCLUDE_INTERFACES, "net1")], 8080),
        (Some(true), false)
    );
    assert_eq!(
        on(&[(EXCLUDE, "8080"), (EXCLUDE_INTERFACES, "net1")], 8080),
        NO
    );
}

#[test]
fn pods_that_are_not_in_the_input_prove_nothing() {
    let pods = Workload {
        known: PodsKnown::SelectorOnly,
        ..annotated(&[])
    };
    for (port, value) in [(8080, true), (15090, false)] {
        let fact = in_default_mesh(&pods, Some(port));
        assert_eq!((fact.value, fact.proven), (Some(value), false));
    }
}

#[test]
fn ztunnel_takes_all_but_hbone_unless_bypassed() {
    let taken = |annotations: Labels, port| {
        let fact = captured_by_ztunnel(
            &Workload {
                annotations,
                ..annotated(&[])
            },
            port,
        );
        (fact.value, fact.proven)
    };
    assert_eq!(taken(labels(&[]), Some(8080)), (Some(true), false));
    assert_eq!(
        taken(labels(&[(EXCLUDE, "8080")]), Some(8080)).0,
        Some(true),
        "that is for sidecars"
    );
    assert_eq!(taken(labels(&[]), Some(15008)), NO);
    assert_eq!(taken(labels(&[]), None), UNKNOWN);
    assert_eq!(taken(labels(&[(BYPASS, "true")]), None), NO);
    assert_eq!(taken(labels(&[(BYPASS, "false")]), Some(80)).0, Some(true));
}
