//! What do AuthorizationPolicies make of a request? Rows after istio/istio pilot/pkg/security/authz/{builder,model},
//! pilot/pkg/model/authorization_test.go, pilot/pkg/security/trustdomain/bundle_test.go.

use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::model::{ControlPlane, Inventory, read};
use crate::policy::Settings;
use crate::policy::fixture::{ROOT, labels, workload};

const PEER: Peer<'_> = Peer::Identity {
    namespace: "monitoring",
    service_account: "vmagent-main",
};
const REQUEST: Request<'_> = Request {
    peer: PEER,
    port: Some(8080),
    path: Some("/metrics"),
    layer: Layer::Tcp,
};
const HTTP: Request<'_> = Request {
    layer: Layer::Http,
    ..REQUEST
};
const PLAIN: Request<'_> = Request {
    peer: Peer::Nobody,
    ..HTTP
};

mod applies;

/// AuthorizationPolicies by namespace, name and spec.
fn inventory(policies: &[(&str, &str, Value)]) -> Inventory {
    let objects: Vec<_> = policies
        .iter()
        .map(|(namespace, name, spec)| {
            json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
                "metadata": {"name": name, "namespace": namespace}, "spec": spec})
        })
        .collect();
    read(objects.iter().enumerate(), &Config::default())
}

fn asked_of(
    inventory: &Inventory,
    pods: &Workload,
    plane: DataPlane,
    request: &Request<'_>,
) -> Access {
    let config = Config {
        root_namespace: Some(ROOT.to_owned()),
        ..Config::default()
    };
    let settings = Settings::of(inventory, &config);
    let mesh = Mesh {
        inventory,
        settings: &settings,
    };
    access(&mesh, pods, plane, request)
}

/// What policies of namespace shop make of a request to pods with the label app=web there.
fn answer(specs: &[Value], request: &Request<'_>) -> Access {
    on(DataPlane::Sidecar, specs, request)
}

fn on(plane: DataPlane, specs: &[Value], request: &Request<'_>) -> Access {
    let policies: Vec<_> = specs
        .iter()
        .zip(["first", "second", "third"])
        .map(|(spec, name)| ("shop", name, spec.clone()))
        .collect();
    let pods = workload("shop", &[("app", "web")]);
    asked_of(&inventory(&policies), &pods, plane, request)
}

fn how(access: &Access) -> Option<Refusal> {
    match access {
        Access::Blocks { how, .. } => Some(*how),
        Access::Lets | Access::Unknown(_) => None,
    }
}

fn is_unknown(access: &Access) -> bool {
    matches!(access, Access::Unknown(_))
}

fn from(source: Value) -> Value {
    json!({"rules": [{"from": [{"source": source}]}]})
}

fn to(operation: Value) -> Value {
    json!({"rules": [{"to": [{"operation": operation}]}]})
}

fn deny(mut spec: Value) -> Value {
    spec["action"] = json!("DENY");
    spec
}

fn is_us() -> Value {
    from(json!({"principals": ["cluster.local/ns/monitoring/sa/vmagent-main"]}))
}

#[test]
fn without_policies_everything_gets_in() {
    for plane in [DataPlane::Sidecar, DataPlane::Ambient, DataPlane::None] {
        assert_eq!(on(plane, &[], &PLAIN), Access::Lets);
    }
    assert_eq!(on(DataPlane::None, &[json!({})], &PLAIN), Access::Lets);
}

/// builder_test.go "allow-nothing", "allow-all", "deny-all".
#[test]
fn all_or_nothing() {
    for plane in [DataPlane::Sidecar, DataPlane::Ambient] {
        for request in [REQUEST, HTTP, PLAIN] {
            let one = |spec: Value| on(plane, &[spec], &request);
            assert_eq!(how(&one(json!({}))), Some(Refusal::NothingAllowed));
            assert_eq!(one(json!({"rules": [{}]})), Access::Lets);
            assert_eq!(
                how(&one(deny(json!({"rules": [{}]})))),
                Some(Refusal::Denied)
            );
        }
    }
}

#[test]
fn an_identity_is_let_in() {
    for (source, lets) in [
        (
            json!({"principals": ["cluster.local/ns/monitoring/sa/vmagent-main"]}),
            true,
        ),
        (
            json!({"principals": ["cluster.local/ns/monitoring/sa/vmagent"]}),
            false,
        ),
        (
            json!({"principals": ["cluster.local/ns/shop/sa/web", "*"]}),
            true,
        ),
        (
            json!({"principals": ["cluster.local/ns/monitoring/*"]}),
            true,
        ),
        (json!({"principals": ["*/sa/vmagent-main"]}), true),
        (
            json!({"principals": ["*/ns/monitoring/sa/vmagent-main"]}),
            true,
        ),
        (json!({"principals": ["*/sa/other"]}), false),
        (
            json!({"notPrincipals": ["cluster.local/ns/monitoring/sa/vmagent-main"]}),
            false,
        ),
        (
            json!({"notPrincipals": ["cluster.local/ns/shop/sa/web"]}),
            true,
        ),
        (json!({"notPrincipals": ["*"]}), false),
        (json!({"namespaces": ["monitoring"]}), true),
        (json!({"namespaces": ["monitor*"]}), true),
        (json!({"namespaces": ["*ing"]}), true),
        (json!({"namespaces": ["shop"]}), false),
        (json!({"notNamespaces": ["shop"]}), true),
        (json!({"notNamespaces": ["mon*"]}), false),
        (
            json!({"serviceAccounts": ["monitoring/vmagent-main"]}),
            true,
        ),
        (json!({"serviceAccounts": ["vmagent-main"]}), false),
        (json!({"notServiceAccounts": ["vmagent-main"]}), true),
        (
            json!({"namespaces": ["monitoring"], "principals": ["cluster.local/ns/shop/sa/web"]}),
            false,
        ),
    ] {
        for plane in [DataPlane::Sidecar, DataPlane::Ambient] {
            let access = on(plane, &[from(source.clone())], &REQUEST);
            let expected = (!lets).then_some(Refusal::NotAllowed);
            assert_eq!(how(&access), expected, "{source}");
            assert_eq!(access == Access::Lets, lets, "{source}");
        }
    }
}

/// A plain request has no identity: nothing that asks for one is true, and everything that excludes one is.
#[test]
fn nobody_has_no_identity() {
    for (source, lets) in [
        (json!({"principals": ["*"]}), false),
        (json!({"namespaces": ["*"]}), false),
        (
            json!({"serviceAccounts": ["monitoring/vmagent-main"]}),
            false,
        ),
        (json!({"notPrincipals": ["*"]}), true),
        (json!({"notNamespaces": ["monitoring"]}), true),
    ] {
        let access = answer(&[from(source.clone())], &PLAIN);
        assert_eq!(access == Access::Lets, lets, "{source}");
        let access = answer(&[deny(from(source.clone()))], &PLAIN);
        assert_eq!(access == Access::Lets, !lets, "{source}");
    }
}

/// Who nobody knows is not judged, unless nobody at all gets in.
#[test]
fn an_unknown_peer() {
    let anybody = Request {
        peer: Peer::Unknown,
        ..REQUEST
    };
    assert!(is_unknown(&answer(&[is_us()], &anybody)));
    assert!(is_unknown(&answer(&[deny(is_us())], &anybody)));
    assert_eq!(
        how(&answer(&[json!({})], &anybody)),
        Some(Refusal::NothingAllowed)
    );
    let other_port = to(json!({"ports": ["9090"]}));
    assert_eq!(
        how(&answer(&[other_port], &anybody)),
        Some(Refusal::NotAllowed)
    );
}

#[test]
fn operations_on_an_http_chain() {
    for (operation, lets) in [
        (json!({"ports": ["8080"]}), Some(true)),
        (json!({"ports": ["9090"]}), Some(false)),
        (json!({"notPorts": ["8080"]}), Some(false)),
        (json!({"methods": ["GET"]}), Some(true)),
        (json!({"methods": ["POST"]}), Some(false)),
        (json!({"notMethods": ["GET"]}), Some(false)),
        (json!({"paths": ["/metrics"]}), Some(true)),
        (json!({"paths": ["/met*"]}), Some(true)),
        (json!({"paths": ["*/metrics"]}), Some(true)),
        (json!({"paths": ["/api"]}), Some(false)),
        (json!({"notPaths": ["/metrics"]}), Some(false)),
        (json!({"paths": ["/{*}"]}), None),
        (json!({"hosts": ["web.shop.svc"]}), None),
        (
            json!({"hosts": ["web.shop.svc"], "ports": ["9090"]}),
            Some(false),
        ),
    ] {
        let access = answer(&[to(operation.clone())], &HTTP);
        match lets {
            Some(true) => assert_eq!(access, Access::Lets, "{operation}"),
            Some(false) => assert_eq!(how(&access), Some(Refusal::NotAllowed), "{operation}"),
            None => assert!(is_unknown(&access), "{operation}"),
        }
    }
    let unknown_path = Request { path: None, ..HTTP };
    assert!(is_unknown(&answer(
        &[to(json!({"paths": ["/metrics"]}))],
        &unknown_path
    )));
}

/// builder_test.go "allow-full-rule" for TCP: a rule that asks for HTTP is dropped whole.
#[test]
fn allow_on_a_tcp_chain_loses_rules_about_http() {
    for operation in [
        json!({"paths": ["/metrics"]}),
        json!({"methods": ["GET"], "ports": ["8080"]}),
        json!({"hosts": ["*"]}),
    ] {
        let access = answer(&[to(operation.clone())], &REQUEST);
        assert_eq!(how(&access), Some(Refusal::HttpRulesDropped), "{operation}");
    }
    let beside = json!({"rules": [{"to": [{"operation": {"paths": ["/metrics"]}}]},
        {"to": [{"operation": {"ports": ["8080"]}}]}]});
    assert_eq!(answer(&[beside], &REQUEST), Access::Lets);
    let other_path = to(json!({"paths": ["/api"]}));
    assert_eq!(
        how(&answer(&[other_path], &REQUEST)),
        Some(Refusal::NotAllowed)
    );
    let token = from(json!({"requestPrincipals": ["*"]}));
    assert_eq!(how(&answer(&[token], &REQUEST)), Some(Refusal::NotAllowed));
}

/// model_test.go "permission" with a DENY action for TCP: what asks for HTTP is dropped, the rest holds, so it matches more.
#[test]
fn deny_on_a_tcp_chain_matches_more() {
    let api = json!({"paths": ["/api"]});
    assert_eq!(answer(&[deny(to(api.clone()))], &HTTP), Access::Lets);
    let wider = answer(&[deny(to(api))], &REQUEST);
    assert_eq!(how(&wider), Some(Refusal::DeniedWithoutHttp));
    let other_port = json!({"paths": ["/api"], "ports": ["9090"]});
    assert_eq!(answer(&[deny(to(other_port))], &REQUEST), Access::Lets);
    let token = deny(from(json!({"notRequestPrincipals": ["*"]})));
    assert_eq!(how(&answer(&[token], &HTTP)), Some(Refusal::Denied));
}

/// Where the chain is not known and makes a difference, nothing is known.
#[test]
fn an_unknown_chain() {
    let unknown = Request {
        layer: Layer::Unknown,
        ..REQUEST
    };
    assert!(is_unknown(&answer(
        &[to(json!({"paths": ["/metrics"]}))],
        &unknown
    )));
    assert_eq!(
        answer(&[to(json!({"ports": ["8080"]}))], &unknown),
        Access::Lets
    );
    let other = to(json!({"paths": ["/api"]}));
    assert_eq!(how(&answer(&[other], &unknown)), Some(Refusal::NotAllowed));
}

/// ambientindex_test.go, ztunnel src/rbac.rs: HTTP is dropped as on TCP, but an alternative of DENY that asks for nothing else is void.
#[test]
fn ztunnel() {
    let asked = |spec: Value| on(DataPlane::Ambient, &[spec], &HTTP);
    let metrics = to(json!({"paths": ["/metrics"]}));
    assert_eq!(
        how(&asked(metrics.clone())),
        Some(Refusal::HttpRulesDropped)
    );
    assert_eq!(asked(deny(metrics)), Access::Lets);
    let with_port = to(json!({"paths": ["/api"], "ports": ["8080"]}));
    assert_eq!(
        how(&asked(deny(with_port))),
        Some(Refusal::DeniedWithoutHttp)
    );
    let custom = json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]});
    assert_eq!(asked(custom.clone()), Access::Lets);
    assert!(is_unknown(&answer(&[custom], &HTTP)));
}

#[test]
fn conditions() {
    let when = |key: &str, field: &str, value: &str| json!({"rules": [{"when": [{"key": key, field: [value]}]}]});
    for (key, field, value, lets) in [
        (
            "source.principal",
            "values",
            "cluster.local/ns/monitoring/sa/vmagent-main",
            Some(true),
        ),
        ("source.principal", "notValues", "*", Some(false)),
        ("source.namespace", "values", "monitoring", Some(true)),
        ("source.namespace", "values", "shop", Some(false)),
        (
            "source.serviceAccount",
            "values",
            "monitoring/vmagent-main",
            Some(true),
        ),
        ("destination.port", "values", "8080", Some(true)),
        ("destination.port", "notValues", "8080", Some(false)),
        ("request.auth.claims[iss]", "values", "x", Some(false)),
        ("request.auth.claims[iss]", "notValues", "x", Some(true)),
        ("source.ip", "values", "10.0.0.1", None),
        ("request.headers[x]", "values", "y", None),
    ] {
        let access = answer(&[when(key, field, value)], &HTTP);
        let known = match access {
            Access::Lets => Some(true),
            Access::Blocks { .. } => Some(false),
            Access::Unknown(_) => None,
        };
        assert_eq!(known, lets, "{key} {field} {value}");
    }
}
