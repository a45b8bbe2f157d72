//! What does a PeerAuthentication say, and would the API server take it?
//!
//! Authority: istio/api kubernetes/customresourcedefinitions.gen.yaml; `ValidatePeerAuthentication`, istio/istio pkg/config/validation.
//! Departs from it: a refused object stays, with the reasons, so that nobody mistakes it for one that was never written.
//! Knows: one object. Does not know: which of several wins, whom it selects.

use std::collections::BTreeMap;

use jsonptr::PointerBuf;

use super::field::{Field, Problem, Read, noted};
use super::metadata::{self, REVISION};
use super::{Labels, MtlsMode, Object, PeerAuthentication};

/// `maxLength` of label values in the CRD.
const LONGEST_LABEL_VALUE: usize = 63;
/// `maxProperties` of `matchLabels` in the CRD.
const MOST_LABELS: usize = 4096;

const GROUP: &str = "security.istio.io";
/// The versions that the CRD serves.
const VERSIONS: [&str; 2] = ["security.istio.io/v1", "security.istio.io/v1beta1"];

/// A policy; every problem is a reason why it is refused.
pub(super) fn policy(
    object: Object,
    root: &Field<'_>,
    mut problems: Vec<Problem>,
) -> PeerAuthentication {
    if !VERSIONS.contains(&object.api_version.as_str()) {
        problems.push(Problem {
            at: PointerBuf::from_tokens(["apiVersion"]),
            text: format!(
                "Istio has no version {} of PeerAuthentication; expected {}",
                object.api_version,
                VERSIONS.join(" or ")
            ),
        });
    }
    let created = noted(created(root), &mut problems).flatten();
    let labels = noted(metadata::labels(root), &mut problems).unwrap_or_default();
    let mut policy = PeerAuthentication {
        object,
        revision: labels.get(REVISION).map(str::to_owned),
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

/// `selector.matchLabels`, each label checked as Istio does for every policy (`validateWorkloadSelector`).
pub(super) fn selector(spec: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Labels> {
    let selector = spec.key("selector")?;
    let labels = selector.key("matchLabels")?;
    let entries = labels.entries()?.unwrap_or_default();
    if entries.len() > MOST_LABELS {
        problems.push(labels.problem(format!("more than {MOST_LABELS} labels")));
    }
    for (key, value) in entries {
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
            let digits = key.trim_start_matches('0');
            let zeros = digits.len() < key.len() && port_number(digits).is_some();
            problems.push(mtls.problem(match zeros {
                true => "expected a port number without zeros before it as the key",
                false => "expected a port number from 1 to 65535 as the key",
            }));
            continue;
        };
        if let Some(mode) = noted(mode(&mtls), problems) {
            ports.insert(port, mode);
        }
    }
    Ok(ports)
}

/// Digits only, and no zero before them: Istio's webhook decodes keys as JSON numbers into `uint32`
/// (istio/istio pkg/util/protomarshal, on golang/protobuf's jsonpb).
fn port_number(key: &str) -> Option<u16> {
    let digits = key.bytes().all(|byte| byte.is_ascii_digit()) && !key.starts_with('0');
    key.parse().ok().filter(|port| digits && *port > 0)
}

/// Fields that the CRD does not have: the API server drops them, so what they were to say is not said.
pub(super) fn unknown_fields(root: &Field<'_>) -> Vec<Problem> {
    let mut unknown = Vec::new();
    // What is no map is refused, and said there.
    let Ok(spec) = root.key("spec") else {
        return unknown;
    };
    note_unknown(&spec, &["selector", "mtls", "portLevelMtls"], &mut unknown);
    if let Ok(selector) = spec.key("selector") {
        note_unknown(&selector, &["matchLabels"], &mut unknown);
    }
    if let Ok(mtls) = spec.key("mtls") {
        note_unknown(&mtls, &["mode"], &mut unknown);
    }
    if let Ok(ports) = spec.key("portLevelMtls") {
        for (_, mtls) in ports.entries().ok().flatten().unwrap_or_default() {
            note_unknown(&mtls, &["mode"], &mut unknown);
        }
    }
    unknown
}

fn note_unknown(map: &Field<'_>, known: &[&str], unknown: &mut Vec<Problem>) {
    for (key, value) in map.entries().ok().flatten().unwrap_or_default() {
        if known.contains(&key) {
            continue;
        }
        let meant = known.iter().find(|name| name.eq_ignore_ascii_case(key));
        let expected = meant.map_or_else(|| known.join(", "), ToString::to_string);
        unknown.push(value.problem(format!(
            "PeerAuthentication has no such field, and the API server drops it; expected {expected}"
        )));
    }
}

/// Whether it is a policy, in whatever version.
pub(super) fn is_policy(api_version: &str, kind: &str) -> bool {
    api_version.split_once('/').map(|(group, _)| group) == Some(GROUP)
        && kind == "PeerAuthentication"
}

/// Whether it is a policy as Istio had them before PeerAuthentication.
pub(super) fn is_of_old(api_version: &str, kind: &str) -> bool {
    api_version.starts_with("authentication.istio.io/") && ["Policy", "MeshPolicy"].contains(&kind)
}

/// What to say of a policy of old.
pub(super) const OF_OLD: &str = "Istio has not read this kind since 1.6; write a PeerAuthentication of security.istio.io/v1 instead";

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

    fn many_labels(count: usize) -> Value {
        let labels = (0..count).map(|number| (format!("l{number}"), json!("")));
        Value::Object(labels.collect())
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
            json!({"selector": {"matchLabels": {"app": "a".repeat(63)}}}),
            json!({"selector": {"matchLabels": many_labels(4096)}}),
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
                json!({"selector": labels, "portLevelMtls": {"080": {}}}),
                "/spec/portLevelMtls/080: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"0x50": {}}}),
                "/spec/portLevelMtls/0x50: ",
            ),
            (
                json!({"selector": labels, "portLevelMtls": {"80": "STRICT"}}),
                "/spec/portLevelMtls/80: ",
            ),
            (
                json!({"selector": {"matchLabels": {"app": "a".repeat(64)}}}),
                "/spec/selector/matchLabels/app: ",
            ),
            (
                json!({"selector": {"matchLabels": many_labels(4097)}}),
                "/spec/selector/matchLabels: ",
            ),
            (
                json!({"selector": {"matchLabels": ["app"]}}),
                "/spec/selector/matchLabels: ",
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
        assert_eq!(policy.selector.get("app"), Some("demo"));
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

    /// The CRD prunes what it does not know, so `spec.mtls.Mode` leaves `spec.mtls` empty.
    #[test]
    fn unknown_fields_are_told_and_say_nothing() {
        let unread = |spec: Value| {
            let object = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                "metadata": {"name": "default", "namespace": "demo"}, "spec": spec});
            let inventory = read([(0, &object)], &Config::default());
            let policy = &inventory.policies[0];
            assert_eq!((policy.mode, policy.refused.as_slice()), (None, &[][..]));
            inventory
                .unread
                .iter()
                .map(|unread| format!("{}: {}", unread.at, unread.problem))
                .collect::<Vec<_>>()
        };
        let no_field =
            "PeerAuthentication has no such field, and the API server drops it; expected";
        for (spec, expected) in [
            (json!({"mtls": {"mode": "UNSET"}}), vec![]),
            (
                json!({"portLevelMTLS": {"80": {}}}),
                vec![("/spec/portLevelMTLS", "portLevelMtls")],
            ),
            (
                json!({"mtls": {"Mode": "STRICT"}}),
                vec![("/spec/mtls/Mode", "mode")],
            ),
            (
                json!({"mode": "STRICT"}),
                vec![("/spec/mode", "selector, mtls, portLevelMtls")],
            ),
            (
                json!({"selector": {"app": "web", "matchLabels": {"app": "web"}},
                    "portLevelMtls": {"80": {"MODE": "STRICT"}, "81": null}}),
                vec![
                    ("/spec/selector/app", "matchLabels"),
                    ("/spec/portLevelMtls/80/MODE", "mode"),
                ],
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(at, meant)| format!("{at}: {no_field} {meant}"))
                .collect();
            assert_eq!(unread(spec.clone()), expected, "{spec}");
        }
    }

    #[test]
    fn versions_that_istio_does_not_serve_are_refused() {
        let of = |api_version: &str, kind: &str| {
            let object = json!({"apiVersion": api_version, "kind": kind,
                "metadata": {"name": "default", "namespace": "demo"}, "spec": {}});
            read([(0, &object)], &Config::default())
        };
        assert_eq!(
            of("security.istio.io/v1beta1", "PeerAuthentication").policies[0].refused,
            [""; 0]
        );
        let alpha = of("security.istio.io/v1alpha1", "PeerAuthentication");
        assert!(alpha.policies[0].refused[0].starts_with("/apiVersion: "));
        let of_old = of("authentication.istio.io/v1alpha1", "Policy");
        assert_eq!((of_old.policies.len(), of_old.unread.len()), (0, 1));
    }
}
