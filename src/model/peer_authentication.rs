//! What does a PeerAuthentication say, and would the API server take it?
//!
//! Authority: istio/api kubernetes/customresourcedefinitions.gen.yaml; `ValidatePeerAuthentication`, istio/istio pkg/config/validation.
//! Departs from it: a refused object stays, with the reasons, so that nobody mistakes it for one that was never written.
//! Knows: one object. Does not know: which of several wins, whom it selects.

use std::collections::BTreeMap;

use super::field::{Field, Problem, Read, noted};
use super::metadata::{self, REVISION};
use super::{Labels, MtlsMode, Object, PeerAuthentication};

/// `maxLength` of label values in the CRD.
const LONGEST_LABEL_VALUE: usize = 63;

/// A policy; every problem is a reason why it is refused.
pub(super) fn policy(
    object: Object,
    root: &Field<'_>,
    mut problems: Vec<Problem>,
) -> PeerAuthentication {
    let created = noted(created(root), &mut problems).flatten();
    let labels = noted(metadata::labels(root), &mut problems).unwrap_or_default();
    let mut policy = PeerAuthentication {
        object,
        revision: labels.get(REVISION).cloned(),
        created,
        selector: Labels::new(),
        selector_written: false,
        mode: None,
        ports: BTreeMap::new(),
        refused: Vec::new(),
    };
    let spec = noted(root.key("spec"), &mut problems);
    if let Some(spec) = spec {
        policy.selector_written = noted(spec.key("selector"), &mut Vec::new())
            .is_some_and(|selector| selector.is_there());
        policy.selector = noted(selector(&spec, &mut problems), &mut problems).unwrap_or_default();
        policy.mode = noted(spec.key("mtls"), &mut problems)
            .and_then(|mtls| noted(mode(&mtls), &mut problems).flatten());
        let unselective = policy.selector.is_empty();
        policy.ports =
            noted(ports(&spec, unselective, &mut problems), &mut problems).unwrap_or_default();
    }
    policy.refused = problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.at, problem.text))
        .collect();
    policy
}

/// Only UTC, as the API server prints it: other forms cannot be compared as text, so they decide nothing.
fn created(root: &Field<'_>) -> Read<Option<String>> {
    let metadata = root.key("metadata")?;
    let created = metadata.key("creationTimestamp")?.text()?;
    Ok(created
        .filter(|time| time.len() == "2006-01-02T15:04:05Z".len() && time.ends_with('Z'))
        .map(str::to_owned))
}

fn selector(spec: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Labels> {
    let selector = spec.key("selector")?;
    let labels = selector.key("matchLabels")?;
    for (key, value) in labels.entries()?.unwrap_or_default() {
        let text = noted(value.string(), problems)
            .flatten()
            .unwrap_or_default();
        let wrong = if key.is_empty() {
            Some("a label key must not be empty")
        } else if key.contains('*') || text.contains('*') {
            Some("`*` is not a wildcard here and not allowed")
        } else if text.chars().count() > LONGEST_LABEL_VALUE {
            Some("a label value has at most 63 characters")
        } else {
            None
        };
        problems.extend(wrong.map(|wrong| value.problem(wrong)));
    }
    // Each value that is not a string has been noted above.
    Ok(labels.labels().unwrap_or_default())
}

/// `mode` of `mtls` or of a port; `None` for missing or UNSET.
fn mode(mtls: &Field<'_>) -> Read<Option<MtlsMode>> {
    let mode = mtls.key("mode")?;
    match mode.string()? {
        None | Some("UNSET") => Ok(None),
        Some("STRICT") => Ok(Some(MtlsMode::Strict)),
        Some("PERMISSIVE") => Ok(Some(MtlsMode::Permissive)),
        Some("DISABLE") => Ok(Some(MtlsMode::Disable)),
        Some(other) => Err(mode.problem(format!(
            "unknown mode `{other}`; expected UNSET, DISABLE, PERMISSIVE or STRICT"
        ))),
    }
}

fn ports(
    spec: &Field<'_>,
    unselective: bool,
    problems: &mut Vec<Problem>,
) -> Read<BTreeMap<u16, Option<MtlsMode>>> {
    let field = spec.key("portLevelMtls")?;
    let Some(entries) = field.entries()? else {
        return Ok(BTreeMap::new());
    };
    if entries.is_empty() {
        problems.push(field.problem("empty; expected at least one port"));
    }
    if unselective {
        problems.push(field.problem("portLevelMtls needs a selector with labels"));
    }
    let mut ports = BTreeMap::new();
    for (key, mtls) in entries {
        let Some(port) = port_number(key) else {
            problems.push(mtls.problem("expected a port number from 1 to 65535 as the key"));
            continue;
        };
        if let Some(mode) = noted(mode(&mtls), problems) {
            ports.insert(port, mode);
        }
    }
    Ok(ports)
}

/// Digits only: Istio decodes keys as `uint32`, which takes no sign.
fn port_number(key: &str) -> Option<u16> {
    let digits = key.bytes().all(|byte| byte.is_ascii_digit());
    key.parse().ok().filter(|port| digits && *port > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    fn policy_of(metadata: Value, spec: Value) -> PeerAuthentication {
        let mut object = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": "demo"}, "spec": spec});
        for (key, value) in metadata.as_object().unwrap() {
            object["metadata"][key] = value.clone();
        }
        let mut inventory = read([(0, &object)], &Config::default());
        inventory.policies.remove(0)
    }

    fn refused(spec: Value) -> Vec<String> {
        policy_of(json!({}), spec).refused
    }

    /// istio/api, tests/testdata/peerauth-valid.yaml.
    #[test]
    fn valid_policies_are_not_refused() {
        for spec in [
            Value::Null,
            json!({}),
            json!({"mtls": null}),
            json!({"mtls": {}}),
            json!({"mtls": {"mode": "UNSET"}}),
            json!({"selector": {}}),
            json!({"selector": {"matchLabels": {}}}),
            json!({"selector": {"matchLabels": {"app": ""}}}),
            json!({"selector": {"matchLabels": {"app": "demo"}}, "portLevelMtls": {"80": {"mode": "STRICT"}}}),
        ] {
            assert_eq!(refused(spec.clone()), Vec::<String>::new(), "{spec}");
        }
    }

    /// istio/api, tests/testdata/peerauth-invalid.yaml.
    #[test]
    fn invalid_policies_are_refused_with_the_field() {
        let labels = json!({"matchLabels": {"app": "demo"}});
        for (spec, at) in [
            (json!([]), "/spec: "),
            (json!({"mtls": "STRICT"}), "/spec/mtls: "),
            (json!({"mtls": {"mode": "strict"}}), "/spec/mtls/mode: "),
            (json!({"mtls": {"mode": ""}}), "/spec/mtls/mode: "),
            (
                json!({"selector": labels, "portLevelMtls": {}}),
                "/spec/portLevelMtls: ",
            ),
            (
                json!({"portLevelMtls": {"80": {}}}),
                "/spec/portLevelMtls: ",
            ),
            (
                json!({"selector": {"matchLabels": {}}, "portLevelMtls": {"80": {}}}),
                "/spec/portLevelMtls: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"http": {}}}),
                "/spec/portLevelMtls/http: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"0": {}}}),
                "/spec/portLevelMtls/0: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"65536": {}}}),
                "/spec/portLevelMtls/65536: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"+80": {}}}),
                "/spec/portLevelMtls/+80: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"80": {"mode": "TLS"}}}),
                "/spec/portLevelMtls/80/mode: ",
            ),
            (
                json!({"selector": {"matchLabels": {"": "demo"}}}),
                "/spec/selector/matchLabels/: ",
            ),
            (
                json!({"selector": {"matchLabels": {"a*": "demo"}}}),
                "/spec/selector/matchLabels/a*: ",
            ),
            (
                json!({"selector": {"matchLabels": {"app": "de*"}}}),
                "/spec/selector/matchLabels/app: ",
            ),
            (
                json!({"selector": {"matchLabels": {"app": true}}}),
                "/spec/selector/matchLabels/app: ",
            ),
        ] {
            let refused = refused(spec.clone());
            assert!(
                refused.iter().any(|reason| reason.starts_with(at)),
                "{spec}: {refused:?}"
            );
        }
    }

    #[test]
    fn modes_are_read() {
        let policy = policy_of(
            json!({}),
            json!({"selector": {"matchLabels": {"app": "demo"}}, "mtls": {"mode": "STRICT"},
            "portLevelMtls": {"8080": {"mode": "PERMISSIVE"}, "9090": {"mode": "DISABLE"}, "1": {}, "2": null}}),
        );
        assert_eq!(policy.mode, Some(MtlsMode::Strict));
        assert_eq!(
            policy.ports,
            BTreeMap::from([
                (8080, Some(MtlsMode::Permissive)),
                (9090, Some(MtlsMode::Disable)),
                (1, None),
                (2, None)
            ])
        );
        assert_eq!(policy.selector["app"], "demo");
    }

    /// ztunnel tells an empty selector from none; the API server drops `null` before anybody sees it.
    #[test]
    fn an_empty_selector_is_one() {
        for (spec, written) in [
            (json!({}), false),
            (json!({"selector": null}), false),
            (json!({"selector": {}}), true),
            (json!({"selector": {"matchLabels": {}}}), true),
            (json!({"selector": {"matchLabels": {"app": "demo"}}}), true),
        ] {
            let policy = policy_of(json!({}), spec.clone());
            assert_eq!(policy.selector_written, written, "{spec}");
        }
    }

    #[test]
    fn creation_time_where_git_has_one() {
        for (time, expected) in [
            (json!(null), None),
            (json!(""), None),
            (json!("2024-01-02T03:04:05Z"), Some("2024-01-02T03:04:05Z")),
            (json!("2024-01-02T03:04:05+02:00"), None),
        ] {
            let policy = policy_of(json!({"creationTimestamp": time}), json!({}));
            assert_eq!(policy.created.as_deref(), expected);
            assert!(policy.refused.is_empty());
        }
    }

    #[test]
    fn a_policy_with_unreadable_metadata_stays_and_is_refused() {
        let policy = policy_of(json!({"namespace": 5}), json!({"mtls": {"mode": "STRICT"}}));
        assert!(policy.refused[0].starts_with("/metadata/namespace: "));
        let labels = json!({"matchLabels": {"a": 1, "b": 2}});
        assert_eq!(refused(json!({"selector": labels})).len(), 2);
    }
}
