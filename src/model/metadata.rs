//! Which object is it, and what does its metadata tell us to do with it?
//!
//! Authority: ObjectMeta of the Kubernetes API; annotations of our own and of kustomize (`config.kubernetes.io/local-config`).
//! Departs from it: a missing namespace is the configured one; `generateName` is a name where Git has no other.
//! Knows: names, namespaces, annotations. Does not know: what the object is for.

use super::field::{Field, Problem, Read, noted};
use super::{Labels, NAMESPACE_NAME_LABEL, Namespace, Object};

/// The label of a revision: on an object the istiod that reads it, on a Namespace or pod the one that injects.
pub const REVISION: &str = "istio.io/rev";

const IGNORE: &str = "istio-scrape.dev/ignore";
const ACCEPT: &str = "istio-scrape.dev/accept";
const LOCAL: &str = "config.kubernetes.io/local-config";

/// The identity of an object. Each problem that is noted makes the API server refuse the object.
pub(super) fn object(
    root: &Field<'_>,
    (api_version, kind): (&str, &str),
    item: usize,
    configured_namespace: &str,
    problems: &mut Vec<Problem>,
) -> Object {
    let name = noted(name(root), problems).unwrap_or_default();
    let annotations =
        noted(annotations_named(root, &[IGNORE, ACCEPT, LOCAL]), problems).unwrap_or_default();
    let written = match is_cluster_scoped(kind) {
        true => Some(String::new()),
        false => noted(namespace(root), problems).flatten(),
    };
    let says = |key: &str| annotations.get(key) == Some("true");
    Object {
        kind: kind.to_owned(),
        namespace_assumed: written.is_none(),
        namespace: written.unwrap_or_else(|| configured_namespace.to_owned()),
        name,
        api_version: api_version.to_owned(),
        item,
        ignored: says(IGNORE),
        local: says(LOCAL),
        context: false,
        accepted: annotations.get(ACCEPT).map(accepted).unwrap_or_default(),
    }
}

/// Whether objects of this kind, of those that are read, stand in no namespace.
pub fn is_cluster_scoped(kind: &str) -> bool {
    matches!(
        kind,
        "Namespace" | "MutatingWebhookConfiguration" | "Istio" | "IstioRevision"
    )
}

/// `metadata.labels`.
pub(super) fn labels(root: &Field<'_>) -> Read<Labels> {
    root.key("metadata")?.key("labels")?.labels()
}

/// `metadata.annotations`.
pub(super) fn annotations(root: &Field<'_>) -> Read<Labels> {
    root.key("metadata")?
        .key("annotations")?
        .printed_annotations()
}

/// Those of them that are named.
pub(super) fn annotations_named(root: &Field<'_>, names: &[&str]) -> Read<Labels> {
    root.key("metadata")?
        .key("annotations")?
        .printed_annotations_named(names)
}

/// A Namespace, with the label that the API server sets on each.
pub(super) fn namespace_object(object: Object, root: &Field<'_>) -> Read<Namespace> {
    let mut labels = labels(root)?;
    labels.insert(NAMESPACE_NAME_LABEL, &object.name);
    Ok(Namespace { object, labels })
}

fn name(root: &Field<'_>) -> Read<String> {
    let metadata = root.key("metadata")?;
    let name = metadata.key("name")?;
    let generated = metadata.key("generateName")?.text()?;
    name.text()?
        .or(generated)
        .map(str::to_owned)
        .ok_or_else(|| name.problem("missing; expected the object's name"))
}

fn namespace(root: &Field<'_>) -> Read<Option<String>> {
    Ok(root
        .key("metadata")?
        .key("namespace")?
        .text()?
        .map(str::to_owned))
}

fn accepted(rules: &str) -> Vec<String> {
    rules
        .split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> (Object, Vec<Problem>) {
        let mut problems = Vec::new();
        let object = object(
            &Field::root(&value.into()),
            ("v1", "Service"),
            3,
            "release",
            &mut problems,
        );
        (object, problems)
    }

    #[test]
    fn a_missing_or_empty_namespace_is_the_configured_one() {
        for metadata in [
            json!({"name": "demo"}),
            json!({"name": "demo", "namespace": ""}),
            json!({"name": "demo", "namespace": null}),
        ] {
            let (object, problems) = read(&json!({"metadata": metadata}));
            assert_eq!(
                (object.namespace.as_str(), object.namespace_assumed),
                ("release", true)
            );
            assert!(problems.is_empty());
        }
        let (object, _) = read(&json!({"metadata": {"name": "demo", "namespace": "vm"}}));
        assert_eq!(
            (object.namespace.as_str(), object.namespace_assumed),
            ("vm", false)
        );
    }

    #[test]
    fn annotations_instruct_us() {
        let (object, problems) = read(&json!({"metadata": {"name": "demo", "annotations": {
            "istio-scrape.dev/ignore": "true",
            "config.kubernetes.io/local-config": true,
            "istio-scrape.dev/accept": " mixed-targets, ,target-unknown"
        }}}));
        assert!(problems.is_empty());
        assert!(object.ignored && object.local);
        assert_eq!(object.accepted, ["mixed-targets", "target-unknown"]);
        let (object, _) = read(&json!({"metadata": {"name": "demo", "annotations": {
            "istio-scrape.dev/ignore": "yes", "config.kubernetes.io/local-config": "false"
        }}}));
        assert!(!object.ignored && !object.local);
    }

    #[test]
    fn an_object_without_a_name_says_where_it_belongs() {
        let (_, problems) = read(&json!({"metadata": {}}));
        assert_eq!(problems[0].at.as_str(), "/metadata/name");
        let (object, problems) = read(&json!({"metadata": {"generateName": "hook-"}}));
        assert_eq!(object.name, "hook-");
        assert!(problems.is_empty());
    }

    #[test]
    fn metadata_of_a_wrong_type_is_a_problem_at_its_field() {
        for (metadata, at) in [
            (json!([]), "/metadata"),
            (json!({"name": 5}), "/metadata/name"),
            (
                json!({"name": "demo", "namespace": 5}),
                "/metadata/namespace",
            ),
            (
                json!({"name": "demo", "annotations": {"a/b": {}}}),
                "/metadata/annotations/a~1b",
            ),
        ] {
            let (_, problems) = read(&json!({"metadata": metadata}));
            assert_eq!(problems[0].at.as_str(), at);
        }
    }
}
