use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{ControlPlane, MtlsMode, OutboundPolicy, read};

fn planes(version: &str, name: &str, spec: Value) -> (Vec<ControlPlane>, Vec<String>) {
    let object = json!({"apiVersion": format!("maistra.io/{version}"), "kind": "ServiceMeshControlPlane",
        "metadata": {"name": name, "namespace": "mesh-one"}, "spec": spec});
    let inventory = read([(0, &object)], &Config::default());
    let problems = inventory.unread.iter().map(|unread| unread.at.to_string());
    (inventory.control_planes, problems.collect())
}

fn plane(version: &str, spec: Value) -> ControlPlane {
    let (mut planes, problems) = planes(version, "default", spec);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(planes.len(), 1);
    planes.remove(0)
}

#[test]
fn version_2() {
    let said = plane(
        "v2",
        json!({
            "version": "v2.6", "tracing": {"type": "None"},
            "security": {"dataPlane": {"mtls": true, "automtls": true}, "trust": {"domain": "corp.example", "additionalDomains": ["old.example"]}},
            "proxy": {"networking": {"trafficControl": {
                "inbound": {"interceptionMode": "TPROXY", "includedPorts": ["*"], "excludedPorts": [9090, 9091]},
                "outbound": {"policy": "REGISTRY_ONLY", "includedIPRanges": ["10.0.0.0/8", "172.16.0.0/12"],
                    "excludedIPRanges": ["10.1.0.0/16"], "excludedPorts": [8443]}
            }}}
        }),
    );
    let text = |text: &str| Some(text.to_owned());
    let expected = ControlPlane {
        root_namespace: text("mesh-one"),
        trust_domain: text("corp.example"),
        trust_domain_aliases: Some(["old.example".to_owned()].into()),
        mtls: Some(MtlsMode::Strict),
        outbound: Some(OutboundPolicy::RegistryOnly),
        interception: text("TPROXY"),
        include_inbound_ports: text("*"),
        exclude_inbound_ports: text("9090,9091"),
        include_ip_ranges: text("10.0.0.0/8,172.16.0.0/12"),
        exclude_ip_ranges: text("10.1.0.0/16"),
        exclude_outbound_ports: text("8443"),
        ..ControlPlane::silent(said.object.clone(), "default")
    };
    assert_eq!(said, expected);
}

#[test]
fn version_1_holds_helm_values() {
    let said = plane(
        "v1",
        json!({"version": "v1.1", "istio": {
            "global": {"mtls": {"enabled": false, "auto": true}, "trustDomain": "corp.example", "trustDomainAliases": ["old.example"],
                "outboundTrafficPolicy": {"mode": "ALLOW_ANY"}, "proxy": {"excludeInboundPorts": "9090"}},
            "gateways": {"istio-ingressgateway": {"autoscaleEnabled": false}}}}),
    );
    let expected = ControlPlane {
        root_namespace: Some("mesh-one".to_owned()),
        trust_domain: Some("corp.example".to_owned()),
        trust_domain_aliases: Some(["old.example".to_owned()].into()),
        mtls: Some(MtlsMode::Permissive),
        outbound: Some(OutboundPolicy::AllowAny),
        exclude_inbound_ports: Some("9090".to_owned()),
        ..ControlPlane::silent(said.object.clone(), "default")
    };
    assert_eq!(said, expected);
}

#[test]
fn mtls_is_said_or_not() {
    for (version, spec, mode) in [
        ("v2", json!({}), None),
        ("v2", json!({"security": {"dataPlane": {}}}), None),
        (
            "v2",
            json!({"security": {"dataPlane": {"mtls": false}}}),
            Some(MtlsMode::Permissive),
        ),
        (
            "v2",
            json!({"security": {"dataPlane": {"mtls": true}}}),
            Some(MtlsMode::Strict),
        ),
        (
            "v1",
            json!({"security": {"dataPlane": {"mtls": true}}}),
            None,
        ),
        (
            "v1",
            json!({"istio": {"global": {"mtls": {"enabled": true}}}}),
            Some(MtlsMode::Strict),
        ),
        (
            "v2",
            json!({"istio": {"global": {"mtls": {"enabled": true}}}}),
            None,
        ),
    ] {
        assert_eq!(plane(version, spec.clone()).mtls, mode, "{version} {spec}");
    }
}

#[test]
fn a_mesh_is_the_default_one_and_goes_by_its_name_too() {
    let (said, _) = planes(
        "v2",
        "basic",
        json!({"security": {"dataPlane": {"mtls": true}}}),
    );
    let revisions: Vec<_> = said.iter().map(|plane| plane.revision.as_str()).collect();
    assert_eq!(revisions, ["default", "basic"]);
    assert!(
        said.iter()
            .all(|plane| plane.mtls == Some(MtlsMode::Strict))
    );
}

#[test]
fn a_wrong_type_is_a_problem_at_its_field() {
    let inbound = "/spec/proxy/networking/trafficControl/inbound";
    for (spec, at) in [
        (json!([]), "/spec".to_owned()),
        (
            json!({"security": {"dataPlane": {"mtls": "true"}}}),
            "/spec/security/dataPlane/mtls".to_owned(),
        ),
        (json!({"security": []}), "/spec/security".to_owned()),
        (
            json!({"proxy": {"networking": {"trafficControl": {"inbound": {"excludedPorts": "9090"}}}}}),
            format!("{inbound}/excludedPorts"),
        ),
        (
            json!({"proxy": {"networking": {"trafficControl": {"inbound": {"excludedPorts": [true]}}}}}),
            format!("{inbound}/excludedPorts/0"),
        ),
        (
            json!({"proxy": {"networking": {"trafficControl": {"inbound": {"excludedPorts": [null]}}}}}),
            format!("{inbound}/excludedPorts/0"),
        ),
    ] {
        let (_, problems) = planes("v2", "default", spec.clone());
        assert_eq!(problems, [at], "{spec}");
    }
}
