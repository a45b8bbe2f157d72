//! What is set for the mesh, and what do pods make of it?

use super::*;

/// The mesh's mode counts where the pods say none, and REDIRECT in `proxy.istio.io/config` does not bring it back.
#[test]
fn interception_mode_of_the_mesh() {
    let none = |plane: &mut ControlPlane| plane.interception = Some("NONE".into());
    assert_eq!(set(none, &[], 8080).0, Some(false));
    assert_eq!(
        set(none, &[], 8080).1,
        ["ConfigMap istio-system/istio-sidecar-injector: interceptionMode is \"NONE\""]
    );
    assert_eq!(set(none, &[(INTERCEPTION, "TPROXY")], 8080).0, Some(true));
    let config = |mode| [(PROXY_CONFIG, mode)];
    assert_eq!(
        set(none, &config("interceptionMode: TPROXY"), 8080).0,
        Some(true)
    );
    assert_eq!(
        set(none, &config("interceptionMode: REDIRECT"), 8080).0,
        Some(false)
    );
    let tproxy = |plane: &mut ControlPlane| plane.interception = Some("TPROXY".into());
    assert_eq!(set(tproxy, &[], 8080).0, Some(true));
    let wrong = |plane: &mut ControlPlane| plane.interception = Some("none".into());
    assert_eq!(set(wrong, &[], 8080).0, None);
}

#[test]
fn included_by_the_mesh() {
    let list = |plane: &mut ControlPlane| plane.include_inbound_ports = Some("80,8080".into());
    assert_eq!(set(list, &[], 8080).0, Some(true));
    assert_eq!(
        set(list, &[], 9090),
        (
            Some(false),
            vec![
                "ConfigMap istio-system/istio-sidecar-injector: includeInboundPorts is \"80,8080\""
                    .to_owned()
            ]
        )
    );
    assert_eq!(set(list, &[(INCLUDE, "*")], 9090).0, Some(true));
    assert_eq!(set(list, &[(INCLUDE, "")], 8080).0, Some(false));
    let nothing = |plane: &mut ControlPlane| plane.include_inbound_ports = Some(String::new());
    assert_eq!(set(nothing, &[], 8080).0, Some(false));
    let wrong = |plane: &mut ControlPlane| plane.include_inbound_ports = Some("http".into());
    assert_eq!(set(wrong, &[], 8080).0, None);
}

/// The list of the pods replaces that of the mesh, and neither counts beside a list of included ports.
#[test]
fn excluded_by_the_mesh() {
    let list = |plane: &mut ControlPlane| plane.exclude_inbound_ports = Some("9090".into());
    assert_eq!(
        set(list, &[], 9090),
        (
            Some(false),
            vec![
                "ConfigMap istio-system/istio-sidecar-injector: excludeInboundPorts is \"9090\""
                    .to_owned()
            ]
        )
    );
    assert_eq!(set(list, &[], 8080).0, Some(true));
    assert_eq!(set(list, &[(EXCLUDE, "8080")], 9090).0, Some(true));
    assert_eq!(set(list, &[(EXCLUDE, "")], 9090).0, Some(true));
    assert_eq!(set(list, &[(INCLUDE, "9090")], 9090).0, Some(true));
    let wrong = |plane: &mut ControlPlane| plane.exclude_inbound_ports = Some("http".into());
    assert_eq!(set(wrong, &[], 9090).0, None);
    assert_eq!(set(wrong, &[], 15090).0, Some(false), "that one for sure");
}

#[test]
fn excluded_by_the_configuration() {
    let inventory = Inventory::default();
    let config = Config {
        exclude_inbound_ports: Some([9090].into()),
        ..Config::default()
    };
    let settings = Settings::of(&inventory, &config);
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let fact = captured(&mesh, &annotated(&[]), Some(9090));
    assert_eq!((fact.value, fact.proven), NO);
    assert_eq!(
        fact.because,
        ["mesh.excludeInboundPorts (configuration) is \"9090\""]
    );
}

#[test]
fn the_status_port_of_the_mesh() {
    let moved = |plane: &mut ControlPlane| plane.injector_status_port = Some(15999);
    assert_eq!(set(moved, &[], 15999).0, Some(false));
    assert_eq!(set(moved, &[], 15020).0, Some(true));
    assert_eq!(set(moved, &[(STATUS_PORT, "15020")], 15999).0, Some(true));
    let listens = |plane: &mut ControlPlane| plane.status_port = Some(15999);
    assert_eq!(set(listens, &[], 15999).0, Some(true), "only pilot-agent");
    assert_eq!(set(listens, &[], 15020).0, Some(false));
    let agents = [(PROXY_CONFIG, "statusPort: 15998")];
    assert_eq!(on(&agents, 15998).0, Some(true), "not in the template");
    assert_eq!(on(&agents, 15020), NO);
}

/// Objects that contradict each other leave open only what they disagree about.
#[test]
fn objects_that_disagree() {
    let planes = || {
        ["9090", "9090,7070"].map(|list| ControlPlane {
            exclude_inbound_ports: Some(list.into()),
            injector_status_port: Some(if list == "9090" { 15020 } else { 15999 }),
            ..control_plane(list, "default")
        })
    };
    let injected = |pods: &[(&str, &str)], port| {
        let (inventory, settings) = said_by(planes().into());
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        let pods = Workload {
            labels: labels(&[("sidecar.istio.io/inject", "true")]),
            ..annotated(pods)
        };
        captured(&mesh, &pods, Some(port)).value
    };
    let at = |port| injected(&[], port);
    assert_eq!(at(7070), None);
    assert_eq!(at(9090), Some(false), "all say it");
    assert_eq!(at(8080), Some(true));
    assert_eq!(at(15999), None);
    assert_eq!(at(15090), Some(false));
    assert_eq!(injected(&[(EXCLUDE, "7070")], 7070), Some(false));
    let unlabelled = among(planes().into(), &[], 9090).0;
    assert_eq!(unlabelled, None, "of pods of another revision none may");
}

/// One bad annotation is enough for the injector to refuse the pods, whatever the others say.
#[test]
fn refused_pods_are_unknown() {
    assert_eq!(on(&[(INCLUDE, "8080"), (EXCLUDE, "http")], 8080), UNKNOWN);
    assert_eq!(on(&[(INCLUDE_RANGES, "10.0.0.1")], 8080), UNKNOWN);
    assert_eq!(on(&[(PROXY_CONFIG, "- nothing")], 8080), UNKNOWN);
    let number = "proxyMetadata: {ENVOY_SECURE_METRICS_PORT: 15091}";
    assert_eq!(on(&[(PROXY_CONFIG, number)], 8080), UNKNOWN);
}

/// run_test.go `TestLoop`: what is sent to the listeners themselves ends in a black hole.
#[test]
fn envoys_listeners_answer_nobody() {
    for port in [15001, 15006] {
        assert_eq!(on(&[], port), UNKNOWN);
        assert_eq!(on(&[(INCLUDE, "8080")], port), UNKNOWN);
        assert_eq!(on(&[(INCLUDE, "")], port).0, None);
        assert_eq!(on(&[(INTERCEPTION, "NONE")], port), NO);
    }
}
