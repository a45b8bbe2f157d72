use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{Inventory, Labels, read};

fn inventory(spec: Value) -> Inventory {
    let object = json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig",
        "metadata": {"name": "metrics", "namespace": "shop"}, "spec": spec});
    read([(0, &object)], &Config::default())
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn whom_it_selects_and_what_it_sets() {
    let inventory = inventory(json!({
        "selector": {"matchLabels": {"app": "web"}}, "concurrency": 2, "image": {"imageType": "distroless"},
        "environmentVariables": {"METRICS_LOCALHOST_ACCESS_ONLY": "true"}}));
    let [config] = inventory.proxy_configs.as_slice() else {
        panic!("{:?}", inventory.proxy_configs);
    };
    assert_eq!(config.object.to_string(), "ProxyConfig shop/metrics");
    assert_eq!(config.selector, Some(labels(&[("app", "web")])));
    assert_eq!(
        config.environment,
        labels(&[("METRICS_LOCALHOST_ACCESS_ONLY", "true")])
    );
}

#[test]
fn without_selector_it_selects_all() {
    for spec in [
        json!(null),
        json!({}),
        json!({"selector": null, "environmentVariables": {}}),
    ] {
        let inventory = inventory(spec);
        assert_eq!(inventory.proxy_configs[0].selector, None);
        assert_eq!(inventory.proxy_configs[0].environment, Labels::new());
    }
}

#[test]
fn an_empty_selector_is_not_no_selector() {
    for selector in [
        json!({}),
        json!({"matchLabels": {}}),
        json!({"matchLabels": null}),
    ] {
        let inventory = inventory(json!({"selector": selector}));
        let labels = inventory.proxy_configs[0].selector.clone();
        assert_eq!(labels, Some(Labels::new()));
    }
}

#[test]
fn one_that_the_api_server_refuses_is_left_out() {
    for (spec, at) in [
        (
            json!({"environmentVariables": {"A": true}}),
            "/spec/environmentVariables/A",
        ),
        (
            json!({"environmentVariables": ["A=b"]}),
            "/spec/environmentVariables",
        ),
        (
            json!({"selector": {"matchLabels": {"app": 5}}}),
            "/spec/selector/matchLabels/app",
        ),
        (json!([]), "/spec"),
    ] {
        let inventory = inventory(spec);
        assert!(inventory.proxy_configs.is_empty());
        assert_eq!(inventory.unread[0].at.as_str(), at);
    }
}
