//! How does a patch name the one object that it is for?
//!
//! Authority: kustomize's Selector (api/types/selector.go), whose fields are regular expressions for the whole text.
//! Departs from nothing: every field is written, since an empty one selects anything.
//! Knows: identities. Does not know: patches.

use serde_json::{Value, json};

use super::Id;

/// The `target` of a patch.
pub(super) fn of(id: &Id) -> Value {
    let group = match id.group() {
        // The group of core objects is empty, and so is a field that selects every group.
        "" => "^$".to_owned(),
        group => escaped(group),
    };
    json!({
        "group": group,
        "version": escaped(id.version()),
        "kind": escaped(&id.kind),
        "name": escaped(&id.name),
        // To kustomize, an object without a namespace is in this one.
        "namespace": escaped(id.selected_namespace()),
    })
}

/// A regular expression (RE2) for this text.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a name holds, its expression matches it and nothing else.
    #[test]
    fn a_text_is_its_own_expression() {
        for (text, other) in [
            ("web.v2", "webxv2"),
            ("a+b", "aab"),
            (r"a\d", "a1"),
            ("{a}[b](c)|^$*?", "c"),
            ("web-v2", "web-v22"),
        ] {
            // As kustomize anchors it.
            let expression = format!("^(?:{})$", escaped(text));
            let expression = regex::Regex::new(&expression).expect("an expression");
            assert!(expression.is_match(text), "{text}");
            assert!(!expression.is_match(other), "{other}");
        }
    }

    #[test]
    fn no_field_is_left_to_select_anything() {
        let id = |api_version: &str, namespace: Option<&str>| Id {
            kind: "Service".to_owned(),
            namespace: namespace.map(str::to_owned),
            name: "web.v2".to_owned(),
            api_version: api_version.to_owned(),
        };
        assert_eq!(
            of(&id("v1", None)),
            json!({"group": "^$", "version": "v1", "kind": "Service", "name": r"web\.v2", "namespace": "default"})
        );
        assert_eq!(
            of(&id("serving.knative.dev/v1", Some("shop"))),
            json!({"group": r"serving\.knative\.dev", "version": "v1", "kind": "Service", "name": r"web\.v2", "namespace": "shop"})
        );
    }
}
