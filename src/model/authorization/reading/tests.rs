//! Which policies does `ValidateAuthorizationPolicy` take?

use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::model::read as read_all;

fn policy_of(metadata: Value, spec: Value) -> AuthorizationPolicy {
    let mut object = json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
    for (key, value) in metadata.as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    let mut inventory = read_all([(0, &object)], &Config::default());
    assert!(inventory.unread.is_empty());
    inventory.authorizations.remove(0)
}

fn refused(spec: Value) -> Vec<String> {
    policy_of(json!({}), spec).refused
}

fn from(source: Value) -> Value {
    json!({"rules": [{"from": [{"source": source}]}]})
}

/// istio/istio pkg/config/validation/validation_test.go `TestValidateAuthorizationPolicy`.
#[test]
fn valid_policies_are_not_refused() {
    for spec in [
        Value::Null,
        json!({}),
        json!({"rules": []}),
        json!({"rules": [{}]}),
        json!({"action": "DENY", "rules": [{}]}),
        json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]}),
        json!({"selector": {"matchLabels": {"app": "web"}}}),
        json!({"targetRefs": [{"kind": "Service", "name": "web"}]}),
        from(json!({"principals": ["*"]})),
        from(json!({"serviceAccounts": ["monitoring/vmagent-main", "own"]})),
        from(json!({"notIpBlocks": ["10.0.0.0/8"]})),
        json!({"rules": [{"to": [{"operation": {"ports": ["8080"], "paths": ["/metrics"]}}],
            "when": [{"key": "request.headers[x]", "values": ["y"]},
                {"key": "destination.port", "notValues": ["1"]}]}]}),
    ] {
        assert_eq!(refused(spec.clone()), Vec::<String>::new(), "{spec}");
    }
}

#[test]
fn invalid_policies_are_refused_at_their_field() {
    let operation = |operation: Value| json!({"rules": [{"to": [{"operation": operation}]}]});
    let when = |condition: Value| json!({"rules": [{"when": [condition]}]});
    for (spec, at) in [
        (json!({"action": "PERMIT"}), "/spec/action"),
        (json!({"action": "DENY"}), "/spec/rules"),
        (
            json!({"action": "CUSTOM", "provider": {"name": "opa"}}),
            "/spec/rules",
        ),
        (json!({"action": "CUSTOM", "rules": [{}]}), "/spec/provider"),
        (json!({"provider": {"name": "opa"}}), "/spec/provider"),
        (
            json!({"action": "CUSTOM", "provider": {"name": "opa"},
                "rules": [{"when": [{"key": "source.principal", "values": ["*"]}]}]}),
            "/spec/rules",
        ),
        (
            json!({"selector": {"matchLabels": {"app": "w*"}}}),
            "/spec/selector/matchLabels/app",
        ),
        (
            json!({"selector": {"matchLabels": {"app": "web"}}, "targetRef": {"kind": "Gateway", "name": "g"}}),
            "/spec",
        ),
        (json!({"rules": [null]}), "/spec/rules/0"),
        (json!({"rules": [{"from": []}]}), "/spec/rules/0/from"),
        (json!({"rules": [{"to": []}]}), "/spec/rules/0/to"),
        (
            json!({"rules": [{"from": [{}]}]}),
            "/spec/rules/0/from/0/source",
        ),
        (from(json!({})), "/spec/rules/0/from/0/source"),
        (
            from(json!({"principals": []})),
            "/spec/rules/0/from/0/source",
        ),
        (
            from(json!({"principals": [""]})),
            "/spec/rules/0/from/0/source/principals/0",
        ),
        (
            from(json!({"principals": ["*"], "serviceAccounts": ["a"]})),
            "/spec/rules/0/from/0/source",
        ),
        (
            from(json!({"serviceAccounts": ["a/b/c"]})),
            "/spec/rules/0/from/0/source",
        ),
        (operation(json!({})), "/spec/rules/0/to/0/operation"),
        (
            operation(json!({"ports": [8080]})),
            "/spec/rules/0/to/0/operation/ports/0",
        ),
        (
            operation(json!({"ports": ["http"]})),
            "/spec/rules/0/to/0/operation/ports",
        ),
        (when(json!({"key": "source.ip"})), "/spec/rules/0/when/0"),
        (when(json!({"values": ["a"]})), "/spec/rules/0/when/0/key"),
        (
            when(json!({"key": "destination.labels[a]", "values": ["a"]})),
            "/spec/rules/0/when/0/key",
        ),
        (
            when(json!({"key": "request.headers[]", "values": ["a"]})),
            "/spec/rules/0/when/0/key",
        ),
    ] {
        let refused = refused(spec.clone());
        assert_eq!(refused.len(), 1, "{spec}: {refused:?}");
        assert!(
            refused[0].starts_with(&format!("{at}: ")),
            "{spec}: {refused:?}"
        );
    }
}

#[test]
fn what_is_read() {
    let policy = policy_of(
        json!({"labels": {"istio.io/rev": "canary"}, "annotations": {"istio.io/dry-run": "true"}}),
        json!({"action": "AUDIT", "targetRef": {"kind": "Gateway", "name": "g"},
            "rules": [{"from": [{"source": {"requestPrincipals": ["*"], "remoteIpBlocks": ["1.2.3.4"]}}],
                "when": [{"key": "source.namespace", "values": ["a"], "notValues": ["b"]}]}]}),
    );
    assert_eq!(policy.refused, Vec::<String>::new());
    assert_eq!(policy.revision.as_deref(), Some("canary"));
    assert!(policy.dry_run && policy.attached);
    assert_eq!(policy.action, Action::Audit);
    let source = &policy.rules[0].from[0];
    assert!(source.tokens && source.remote_addresses);
    assert!(!source.not_tokens && !source.addresses);
    let condition = &policy.rules[0].when[0];
    assert_eq!(
        (&condition.values[0], &condition.not_values[0]),
        (&"a".to_owned(), &"b".to_owned())
    );
}

#[test]
fn only_true_is_a_dry_run() {
    for (text, dry) in [
        ("true", true),
        ("T", true),
        ("false", false),
        ("yes", false),
    ] {
        let metadata = json!({"annotations": {"istio.io/dry-run": text}});
        assert_eq!(policy_of(metadata, json!({})).dry_run, dry, "{text}");
    }
}
