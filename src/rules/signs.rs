//! What can a relabelling rule know of a target?
//!
//! Authority: VictoriaMetrics `lib/promscrape/discovery/kubernetes` (labels of a target), `lib/promutil` `SanitizeLabelName`; Istio's injection templates (labels that injection adds).
//! Departs from it: labels that controllers or the injector may add or change count as unknown, and so does what the API server would refuse.
//! Knows: the pods of a target, its port. Does not know: what it demands.

use std::collections::BTreeMap;

use crate::model::{PodsKnown, Workload};
use crate::policy::DataPlane;

/// What the injector says of a pod with a sidecar, unless the pod says otherwise.
pub(super) const INJECTED: &str = "istio";
/// The label in which it says so, as discovery spells it.
pub(super) const TLS_MODE: &str = "security_istio_io_tlsMode";

/// Labels that controllers set, as discovery spells them: those that begin so.
const SET_BY_OTHERS: [&str; 11] = [
    "pod_template_",
    "controller_",
    "job_name",
    "rollouts_pod_template_hash",
    "statefulset_kubernetes_io_",
    "apps_kubernetes_io_",
    "batch_kubernetes_io_",
    "topology_kubernetes_io_",
    "serving_knative_dev_",
    "apps_kruise_io_",
    "lifecycle_apps_kruise_io_",
];

/// Something of a target that a rule can look at, in the order in which a rule names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// What the injector says of the pod.
    Injected,
    /// The namespace.
    Namespace,
    /// A label of the pod, as discovery spells it.
    Label(String),
    /// The port of the address.
    Port,
}

const LABEL: &str = "__meta_kubernetes_pod_label_";
const NAMESPACE: &str = "__meta_kubernetes_namespace";
const ADDRESS: &str = "__address__";

impl Sign {
    /// The label that holds it.
    pub(super) fn source_label(&self) -> String {
        match self {
            Self::Injected => format!("{LABEL}{TLS_MODE}"),
            Self::Namespace => NAMESPACE.to_owned(),
            Self::Label(name) => format!("{LABEL}{name}"),
            Self::Port => ADDRESS.to_owned(),
        }
    }

    /// What a label holds; `None`: nothing that we look at.
    pub(super) fn of(source_label: &str) -> Option<Self> {
        match source_label {
            NAMESPACE => Some(Self::Namespace),
            ADDRESS => Some(Self::Port),
            label => match label.strip_prefix(LABEL)? {
                TLS_MODE => Some(Self::Injected),
                name if is_spelled(name) => Some(Self::Label(name.to_owned())),
                _ => None,
            },
        }
    }

    /// In words.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Injected => "whether it is injected".to_owned(),
            Self::Namespace => "its namespace".to_owned(),
            Self::Label(name) => format!("its label {name}"),
            Self::Port => "its port".to_owned(),
        }
    }
}

/// What is known of a target when it is discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signs {
    injected: Option<String>,
    namespace: Option<String>,
    port: Option<u16>,
    /// In the order of the names that discovery gives them; `None`: not known.
    labels: Box<[(String, Option<String>)]>,
    /// A label that is not in the list is not on the pod.
    lists_all: bool,
}

impl Signs {
    /// What is known of a port of pods.
    pub(super) fn of_pods(pods: &Workload, port: Option<u16>, plane: Option<DataPlane>) -> Self {
        let mut labels: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (key, value) in &pods.labels {
            let name = spelled(key);
            let value = Some(value.to_owned()).filter(|value| is_plain(value));
            let known = value.filter(|_| !is_set_by_others(&name));
            labels
                .entry(name)
                // Of two labels that are spelled alike, either may come through.
                .and_modify(|other| {
                    *other = other.take().filter(|other| known.as_ref() == Some(other))
                })
                .or_insert_with(|| known.clone());
        }
        Self {
            injected: injected(pods, plane),
            namespace: Some(pods.object.namespace.clone())
                .filter(|name| !pods.object.namespace_assumed && is_plain(name)),
            port,
            labels: labels.into_iter().collect(),
            lists_all: pods.known == PodsKnown::Template,
        }
    }

    /// What is known of addresses in a namespace that are no pods of the input; empty: of any address.
    pub(super) fn of_addresses(namespace: &str) -> Self {
        Self {
            injected: None,
            namespace: Some(namespace.to_owned()).filter(|name| !name.is_empty() && is_plain(name)),
            port: None,
            labels: Box::default(),
            lists_all: false,
        }
    }

    /// The same, taken to be injected where nobody says it.
    pub(super) fn taken_as_injected(&self) -> Self {
        Self {
            injected: self.injected.clone().or_else(|| Some(INJECTED.to_owned())),
            ..self.clone()
        }
    }

    /// What a sign says; a label that is missing is empty, `None` is what is not known.
    pub(super) fn value(&self, sign: &Sign) -> Option<String> {
        match sign {
            Sign::Injected => self.injected.clone(),
            Sign::Namespace => self.namespace.clone(),
            Sign::Port => self.port.map(|port| port.to_string()),
            Sign::Label(name) => match self.labels.binary_search_by(|(own, _)| own.cmp(name)) {
                Ok(place) => self.labels[place].1.clone(),
                Err(_) => (self.lists_all && !is_set_by_others(name)).then(String::new),
            },
        }
    }

    /// The labels that it is known to have.
    pub(super) fn labels(&self) -> impl Iterator<Item = Sign> {
        let known = self.labels.iter().filter(|(_, value)| value.is_some());
        known.map(|(name, _)| Sign::Label(name.clone()))
    }
}

/// What the injector's label will say. Only the template `sidecar` sets it, and leaves what the pod says itself.
fn injected(pods: &Workload, plane: Option<DataPlane>) -> Option<String> {
    let own = pods
        .labels
        .iter()
        .find(|(key, _)| spelled(key) == TLS_MODE)
        .map(|(_, value)| value);
    if let Some(own) = own {
        return Some(own.to_owned()).filter(|own| is_plain(own));
    }
    let is_written_out = pods
        .containers
        .iter()
        .any(|container| container.name == "istio-proxy" && container.image != "auto");
    let by_template = pods
        .annotations
        .get("inject.istio.io/templates")
        .is_none_or(|names| names.split(',').any(|name| name.trim() == "sidecar"));
    match plane? {
        DataPlane::Sidecar => (by_template && !is_written_out).then(|| INJECTED.to_owned()),
        DataPlane::Ambient | DataPlane::None => Some(String::new()),
    }
}

/// A label's name as discovery spells it.
fn spelled(key: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '_';
    key.chars()
        .map(|c| if is_kept(c) { c } else { '_' })
        .collect()
}

fn is_spelled(name: &str) -> bool {
    !name.is_empty() && spelled(name) == name
}

fn is_set_by_others(name: &str) -> bool {
    name.contains("istio_io_") || SET_BY_OTHERS.iter().any(|start| name.starts_with(start))
}

/// Whether a value is one that the API server takes: of its characters, only the dot means something in a regex.
pub(super) fn is_plain(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    fn pods(metadata: serde_json::Value) -> Workload {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}});
        read([(0, &pod)], &Config::default()).workloads[0].clone()
    }

    fn signs(labels: serde_json::Value, plane: Option<DataPlane>) -> Signs {
        let pods = pods(json!({"name": "demo", "namespace": "shop", "labels": labels}));
        Signs::of_pods(&pods, Some(8080), plane)
    }

    fn label(name: &str) -> Sign {
        Sign::Label(name.to_owned())
    }

    #[test]
    fn a_label_that_the_template_lacks_is_empty() {
        let signs = signs(json!({"app.kubernetes.io/name": "web"}), None);
        assert_eq!(
            signs.value(&label("app_kubernetes_io_name")).as_deref(),
            Some("web")
        );
        assert_eq!(signs.value(&label("tier")).as_deref(), Some(""));
    }

    #[test]
    fn a_label_that_only_a_selector_might_have_is_unknown() {
        let mut pods = pods(json!({"name": "demo", "labels": {"app": "web"}}));
        for known in [PodsKnown::SelectorOnly, PodsKnown::Operator] {
            pods.known = known;
            let signs = Signs::of_pods(&pods, None, None);
            assert_eq!(signs.value(&label("app")).as_deref(), Some("web"));
            assert_eq!(signs.value(&label("tier")), None);
        }
    }

    #[test]
    fn labels_that_are_spelled_alike_are_known_where_they_agree() {
        let differ = signs(json!({"a.b": "1", "a/b": "2", "a_b": "2"}), None);
        assert_eq!(differ.value(&label("a_b")), None);
        let agree = signs(json!({"a.b": "1", "a/b": "1"}), None);
        assert_eq!(agree.value(&label("a_b")).as_deref(), Some("1"));
    }

    #[test]
    fn what_controllers_and_the_injector_add_is_unknown() {
        for key in [
            "pod-template-hash",
            "controller-revision-hash",
            "statefulset.kubernetes.io/pod-name",
            "service.istio.io/canonical-name",
            "istio.io/rev",
            "topology.kubernetes.io/zone",
        ] {
            let listed = signs(json!({key: "x"}), None);
            assert_eq!(listed.value(&label(&spelled(key))), None, "{key}");
            assert_eq!(
                signs(json!({}), None).value(&label(&spelled(key))),
                None,
                "{key}"
            );
        }
    }

    #[test]
    fn values_that_no_label_can_have_are_unknown() {
        for value in ["a;b", "a|b", "a b", "(a)", "é"] {
            assert_eq!(
                signs(json!({"app": value}), None).value(&label("app")),
                None
            );
        }
    }

    /// injection-template.yaml: `security.istio.io/tlsMode`, with "istio" where the pod has no such label.
    #[test]
    fn the_injector_labels_what_it_injects() {
        let says = |labels, plane| signs(labels, plane).value(&Sign::Injected);
        let (sidecar, outside) = (Some(DataPlane::Sidecar), Some(DataPlane::None));
        assert_eq!(says(json!({}), sidecar).as_deref(), Some("istio"));
        assert_eq!(says(json!({}), outside).as_deref(), Some(""));
        assert_eq!(
            says(json!({}), Some(DataPlane::Ambient)).as_deref(),
            Some("")
        );
        assert_eq!(says(json!({}), None), None);
        let own = json!({"security.istio.io/tlsMode": "disabled"});
        assert_eq!(says(own, sidecar).as_deref(), Some("disabled"));
    }

    /// gateway-injection-template.yaml sets no such label.
    #[test]
    fn another_template_does_not() {
        let pods =
            pods(json!({"name": "demo", "annotations": {"inject.istio.io/templates": "gateway"}}));
        let signs = Signs::of_pods(&pods, None, Some(DataPlane::Sidecar));
        assert_eq!(signs.value(&Sign::Injected), None);
    }

    #[test]
    fn a_namespace_that_is_only_configured_is_unknown() {
        let signs = Signs::of_pods(&pods(json!({"name": "demo"})), None, None);
        assert_eq!(signs.value(&Sign::Namespace), None);
    }

    #[test]
    fn each_sign_is_found_by_its_source_label() {
        for sign in [Sign::Injected, Sign::Namespace, label("app"), Sign::Port] {
            assert_eq!(Sign::of(&sign.source_label()), Some(sign));
        }
        for other in [
            "__scheme__",
            "__meta_kubernetes_pod_label_a.b",
            "__meta_kubernetes_pod_label_",
            "app",
        ] {
            assert_eq!(Sign::of(other), None, "{other}");
        }
    }
}
