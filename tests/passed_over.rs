//! Does anything depend on what is passed over?
//!
//! Authority: the inventory of the same objects read whole.
//! Departs from it: nothing.
//! Knows: manifests, keys that are passed over. Does not know: what the model looks at.

mod support;

use istio_scrape::config::Config;
use istio_scrape::model::{Found, passed_over};
use istio_scrape::yaml::{Lazy, MapLines, Rules, outline};
use serde_json::{Value, json};
use support::readings::manifests;

/// What the model could look for, if it looked.
fn tempting() -> Value {
    json!([{
        "name": "http", "image": "proxyv2", "restartPolicy": "Always", "containerPort": 15090, "hostNetwork": true,
        "ports": [{"name": "http", "containerPort": 1}], "labels": {"app": "x"}, "matchLabels": {"app": "x"},
        "serviceAccountName": "x", "annotations": {"sidecar.istio.io/inject": "false"}, "containers": [{"name": "x"}]
    }])
}

/// The value with something under every key that is passed over, in every map that is not labels.
fn tempted(value: &Value, keys: &[&str]) -> Value {
    match value {
        Value::Object(map) => {
            let is_labels =
                |key: &str| key.ends_with("abels") || key == "annotations" || key == "selector";
            let kept = map.iter().map(|(key, value)| match is_labels(key) {
                true => (key.clone(), value.clone()),
                false => (key.clone(), tempted(value, keys)),
            });
            let added = keys.iter().map(|key| ((*key).to_owned(), tempting()));
            Value::Object(kept.chain(added).collect())
        }
        Value::Array(items) => items.iter().map(|item| tempted(item, keys)).collect(),
        value => value.clone(),
    }
}

/// The inventory as text.
fn said(objects: &[Value]) -> String {
    let mut found = Found::default();
    for (position, object) in objects.iter().enumerate() {
        found.take(position, &object.into(), usize::MAX, &Config::default());
    }
    format!("{:#?}", found.inventory())
}

/// Objects of a text that can be read quickly, with the keys that are passed over in each.
fn objects(text: &str) -> Vec<(MapLines<'_>, &'static [&'static str])> {
    let documents = outline(text, "items").unwrap_or_default();
    let mut objects = Vec::new();
    for root in documents
        .iter()
        .filter_map(|document| document.root.as_ref())
    {
        let items = match root {
            Lazy::Outlined(map) => map.list("items").unwrap_or(std::slice::from_ref(root)),
            Lazy::Read(_) => std::slice::from_ref(root),
        };
        for object in items {
            let text_at = |key: &str| {
                let node = object.get(key).ok().flatten();
                node.and_then(|node| node.text().map(str::to_owned))
            };
            let kind = (text_at("apiVersion"), text_at("kind"));
            if let ((Some(api_version), Some(kind)), Some(lines)) = (kind, object.lines()) {
                objects.push((lines, passed_over(&api_version, &kind)));
            }
        }
    }
    objects
}

#[test]
fn what_is_passed_over_says_nothing() {
    let (mut left_out, mut compared) = (0, 0);
    for text in manifests() {
        let (mut whole, mut short, mut long) = (Vec::new(), Vec::new(), Vec::new());
        for (lines, keys) in objects(&text) {
            let read = |keys| {
                let read = lines.value(Rules::Kubectl, keys);
                read.map(|read| read.value.to_value())
            };
            if let (Some(all), Some(part)) = (read(&[]), read(keys)) {
                left_out += usize::from(all != part);
                compared += 1;
                long.push(tempted(&all, keys));
                whole.push(all);
                short.push(part);
            }
        }
        let expected = said(&whole);
        assert_eq!(expected, said(&short), "{text}");
        assert_eq!(expected, said(&long), "{text}");
    }
    println!("{left_out} of {compared} objects were shorter");
    assert!(left_out > 50, "{left_out} of {compared}");
}
