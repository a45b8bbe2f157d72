use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{Inventory, described, read};

fn inventory(name: &str, labels: Value, webhooks: Value) -> Inventory {
    let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name, "labels": labels}, "webhooks": webhooks});
    read([(0, &object)], &Config::default())
}

/// As the chart makes it of a revision.
fn of_revision(revision: &str) -> Value {
    json!([
        {"name": "rev.namespace.sidecar-injector.istio.io",
         "clientConfig": {"service": {"name": "istiod-canary", "namespace": "istio-system", "path": "/inject", "port": 443}},
         "sideEffects": "None", "failurePolicy": "Fail", "admissionReviewVersions": ["v1"],
         "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
         "namespaceSelector": {"matchExpressions": [
            {"key": "istio.io/rev", "operator": "In", "values": [revision]},
            {"key": "istio-injection", "operator": "DoesNotExist"}]},
         "objectSelector": {"matchExpressions": [
            {"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]}},
        {"name": "rev.object.sidecar-injector.istio.io",
         "objectSelector": {"matchLabels": {"istio.io/rev": revision}}}
    ])
}

#[test]
fn the_webhooks_of_a_tag() {
    let labels =
        json!({"app": "sidecar-injector", "istio.io/rev": "canary", "istio.io/tag": "prod"});
    let inventory = inventory("istio-revision-tag-prod", labels, of_revision("prod"));
    assert!(inventory.unread.is_empty());
    let [injector] = inventory.injectors.as_slice() else {
        panic!("{:?}", inventory.injectors);
    };
    assert_eq!(
        injector.object.to_string(),
        "MutatingWebhookConfiguration istio-revision-tag-prod"
    );
    assert!(!injector.object.namespace_assumed, "it has no namespace");
    assert_eq!(
        (injector.revision.as_str(), injector.tag.as_deref()),
        ("canary", Some("prod"))
    );
    let shown: Vec<_> = injector
        .webhooks
        .iter()
        .map(|webhook| {
            let (namespaces, pods) = (described(&webhook.namespaces), described(&webhook.pods));
            (webhook.name.as_str(), namespaces, pods)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                "rev.namespace.sidecar-injector.istio.io",
                "istio.io/rev in (prod),!istio-injection".to_owned(),
                "sidecar.istio.io/inject notin (false)".to_owned()
            ),
            (
                "rev.object.sidecar-injector.istio.io",
                String::new(),
                "istio.io/rev=prod".to_owned()
            ),
        ]
    );
}

#[test]
fn without_labels_it_is_the_default_revision_s() {
    let inventory = inventory("istio-sidecar-injector", json!({}), of_revision("default"));
    let injector = &inventory.injectors[0];
    assert_eq!(
        (injector.revision.as_str(), injector.tag.as_deref()),
        ("default", None)
    );
}

/// checkinject.go `isIstioWebhook`, and the label that `istioctl tag` lists by.
#[test]
fn injectors_are_told_by_the_names_of_webhooks_or_by_their_label() {
    for (labels, webhooks, is_injector) in [
        (
            json!({}),
            json!([{"name": "sidecar-injector.istio.io"}]),
            true,
        ),
        (
            json!({}),
            json!([{"name": "webhook.cert-manager.io"}]),
            false,
        ),
        (json!({}), json!([{"name": "istio.io.example.com"}]), false),
        (
            json!({"app": "sidecar-injector"}),
            json!([{"name": "injector.example.com"}]),
            true,
        ),
        (json!({"app": "webhook"}), json!(null), false),
        // Labels that the API server refuses are no affair of ours in an object of others.
        (
            json!({"app": 5}),
            json!([{"name": "webhook.example.com"}]),
            false,
        ),
    ] {
        let inventory = inventory("x", labels, webhooks.clone());
        assert_eq!(
            inventory.injectors.len(),
            usize::from(is_injector),
            "{webhooks}"
        );
        assert!(inventory.unread.is_empty());
    }
}

#[test]
fn a_deactivated_injector_keeps_the_selectors_that_never_match() {
    let never = json!({"matchLabels": {"istio.io/deactivated": "never-match"}});
    let inventory = inventory(
        "istio-sidecar-injector",
        json!({"istio.io/rev": "default"}),
        json!([{"name": "namespace.sidecar-injector.istio.io", "namespaceSelector": never, "objectSelector": never}]),
    );
    let webhook = &inventory.injectors[0].webhooks[0];
    assert_eq!(
        described(&webhook.namespaces),
        "istio.io/deactivated=never-match"
    );
    assert_eq!(described(&webhook.pods), "istio.io/deactivated=never-match");
}

#[test]
fn a_configuration_that_the_api_server_refuses_is_left_out() {
    for (webhooks, at) in [
        (
            json!([{"name": "a.istio.io", "objectSelector": "all"}]),
            "/webhooks/0/objectSelector",
        ),
        (
            json!([{"name": "a.istio.io", "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}]),
            "/webhooks/0/namespaceSelector/matchExpressions",
        ),
        (json!([{"name": "a.istio.io"}, "b"]), "/webhooks/1"),
    ] {
        let inventory = inventory("x", json!({}), webhooks);
        assert!(inventory.injectors.is_empty());
        assert_eq!(inventory.unread.len(), 1);
        assert_eq!(inventory.unread[0].at.as_str(), at);
    }
}
