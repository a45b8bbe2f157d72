//! Would Istio's injector, or its CNI plugin, take a pod of these labels?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml, pkg/kube/inject/inject.go `injectRequired`, cni/pkg/util/enablement_selector.go `Matches`.
//! Departs from it: which revisions are installed is not known, so each is taken as there; `enableNamespacesByDefault` and selectors of the CNI plugin are the charts' defaults.
//! Knows: labels, annotations, names of namespaces. Does not know: missing objects, evidence.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::model::{Labels, Workload};

/// Injection or not: as a pod label seen by webhook and injector, as an annotation by the injector alone.
/// The pod label (and, deprecated, annotation) that asks for a sidecar or declines it.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// Injection by the default revision, for a Namespace; every value but `enabled` forbids it.
pub(super) const NAMESPACE_INJECTION: &str = "istio-injection";
/// Injection by a revision or tag, for a Namespace or a pod.
pub(super) const REVISION: &str = "istio.io/rev";
/// `ambient` or `none`, for a Namespace or a pod.
pub(super) const DATAPLANE_MODE: &str = "istio.io/dataplane-mode";

/// Whose injector the API server asks to change a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The default revision's, or that of the tag `default`.
    Default,
    /// That of a named revision or tag.
    Named(String),
}

impl Revision {
    fn of(name: &str) -> Self {
        if name == "default" {
            Self::Default
        } else {
            Self::Named(name.to_owned())
        }
    }
}

/// Gate 1: which injector the API server asks about a pod, by labels alone; `None`: the pod stays as it is
/// (mutatingwebhook.yaml; checkinject_test.go `Test_analyzeRunningWebhooks`).
pub fn webhook_selects(namespace: &Labels, pod: &Labels) -> Option<Revision> {
    let label = |labels: &Labels, key: &str| labels.get(key).cloned();
    if label(pod, INJECT).as_deref() == Some("false") {
        return None;
    }
    match (
        label(namespace, NAMESPACE_INJECTION).as_deref(),
        label(namespace, REVISION),
    ) {
        (Some("enabled"), _) => Some(Revision::Default),
        (Some(_), _) => None,
        (None, Some(revision)) => Some(Revision::of(&revision)),
        (None, None) => match (label(pod, REVISION), label(pod, INJECT).as_deref()) {
            (Some(revision), _) => Some(Revision::of(&revision)),
            (None, Some("true")) => Some(Revision::Default),
            (None, _) => None,
        },
    }
}

/// How the injector is set up (ConfigMap `istio-sidecar-injector`, key `config`).
#[derive(Debug, Clone, PartialEq)]
pub struct Injector {
    /// `policy: enabled`: pods without a say of their own are injected.
    pub enabled: bool,
    /// `neverInjectSelector`: pods that match one are left alone.
    pub never: Vec<LabelSelector>,
    /// `alwaysInjectSelector`: pods that match one are injected.
    pub always: Vec<LabelSelector>,
}

impl Default for Injector {
    /// As the chart installs it.
    fn default() -> Self {
        Self {
            enabled: true,
            never: Vec::new(),
            always: Vec::new(),
        }
    }
}

/// Namespaces whose pods are never injected (istio/istio pkg/kube/inject/initializer.go `IgnoredNamespaces`).
pub(super) const IGNORED_NAMESPACES: &[&str] = &[
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// Gate 2: whether the injector, once asked, injects (inject.go `injectRequired`; webhook_test.go `TestInjectRequired`).
pub fn injection_required(injector: &Injector, namespace: &str, pods: &Workload) -> bool {
    if pods.host_network || IGNORED_NAMESPACES.contains(&namespace) {
        return false;
    }
    match own_say(pods).map(|(_, value)| value) {
        Some("true") => true,
        Some("false") => false,
        _ if injector
            .never
            .iter()
            .any(|selector| matches(selector, &pods.labels)) =>
        {
            false
        }
        _ if injector
            .always
            .iter()
            .any(|selector| matches(selector, &pods.labels)) =>
        {
            true
        }
        _ => injector.enabled,
    }
}

/// What pods say about their injection and where; a label silences the annotation, whatever its value.
pub(super) fn own_say(pods: &Workload) -> Option<(&'static str, &str)> {
    let label = pods
        .labels
        .get(INJECT)
        .map(|value| ("label", value.as_str()));
    label.or_else(|| {
        pods.annotations
            .get(INJECT)
            .map(|value| ("annotation", value.as_str()))
    })
}

/// Whether the CNI plugin hands the pods to ztunnel, if no sidecar does without it
/// (enablement_selector.go; podutil_test.go `TestEnablementSelectorMatches`).
pub fn ambient_enrols(namespace: &Labels, pods: &Workload) -> bool {
    let mode = |labels: &'_ Labels| labels.get(DATAPLANE_MODE).cloned();
    let (of_namespace, of_pod) = (mode(namespace), mode(&pods.labels));
    let asked = match (of_namespace.as_deref(), of_pod.as_deref()) {
        (_, Some("ambient")) => true,
        (_, Some("none")) => false,
        (of_namespace, _) => of_namespace == Some("ambient"),
    };
    asked && !pods.host_network && !pods.annotations.contains_key("sidecar.istio.io/status")
}

/// Kubernetes' label selectors; an empty one matches nothing here, as the injector skips it
/// (inject.go `injectRequired`).
fn matches(selector: &LabelSelector, labels: &Labels) -> bool {
    let equal = selector.match_labels.iter().flatten().collect::<Vec<_>>();
    let expressions = selector
        .match_expressions
        .iter()
        .flatten()
        .collect::<Vec<_>>();
    !(equal.is_empty() && expressions.is_empty())
        && equal
            .iter()
            .all(|(key, value)| labels.get(*key) == Some(value))
        && expressions
            .iter()
            .all(|expression| holds(expression, labels))
}

fn holds(expression: &LabelSelectorRequirement, labels: &Labels) -> bool {
    let value = labels.get(&expression.key);
    let listed = |value: &String| {
        expression
            .values
            .iter()
            .flatten()
            .any(|listed| listed == value)
    };
    match expression.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        // The injector logs what it cannot read and goes on without it.
        _ => false,
    }
}

#[cfg(test)]
mod tests;
