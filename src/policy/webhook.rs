//! Would Istio's webhooks as its charts render them, or its CNI plugin, take a pod of these labels?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml, cni/pkg/util/enablement_selector.go `Matches`.
//! Departs from it: each revision is taken as installed; selectors of the CNI plugin are the chart's defaults.
//! Knows: labels, annotations, names of namespaces. Does not know: webhooks of the input, missing objects, evidence.

use super::annotations::STATUS;
use super::injector::IGNORED_NAMESPACES;
use crate::model::{Labels, REVISION, Workload};

/// Asks for a sidecar or declines it: as a pod label for webhook and injector, as an annotation (deprecated) for the
/// injector alone.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// Injection by the default revision, for a Namespace; every value but `enabled` forbids it.
pub(super) const NAMESPACE_INJECTION: &str = "istio-injection";
/// `ambient` or `none`, for a Namespace or a pod.
pub(super) const DATAPLANE_MODE: &str = "istio.io/dataplane-mode";

/// The revision that a plain installation has, and the tag that makes another one the default.
const DEFAULT: &str = "default";

/// Whose injector the API server asks to change a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The default revision's, or that of the tag `default`.
    Default,
    /// That of a named revision or tag.
    Named(String),
}

impl Revision {
    /// The name by which webhooks and settings know it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Default => DEFAULT,
            Self::Named(name) => name,
        }
    }

    fn of(name: &str) -> Self {
        if name == DEFAULT {
            Self::Default
        } else {
            Self::Named(name.to_owned())
        }
    }
}

/// Gate 1: which injector the API server asks about a pod, by labels alone; `None`: the pod stays as it is
/// (mutatingwebhook.yaml; checkinject_test.go `Test_analyzeRunningWebhooks`).
pub fn webhook_selects(namespace: &Labels, pod: &Labels) -> Option<Revision> {
    if pod.get(INJECT) == Some("false") {
        return None;
    }
    match (namespace.get(NAMESPACE_INJECTION), namespace.get(REVISION)) {
        (Some("enabled"), _) => Some(Revision::Default),
        (Some(_), _) => None,
        (None, Some(revision)) => Some(Revision::of(revision)),
        (None, None) => match (pod.get(REVISION), pod.get(INJECT)) {
            (Some(revision), _) => Some(Revision::of(revision)),
            (None, Some("true")) => Some(Revision::Default),
            (None, _) => None,
        },
    }
}

/// What `enableNamespacesByDefault` adds to the default revision: pods of which neither they nor their Namespace say
/// anything, except in the namespaces that the injector ignores.
pub(super) fn webhook_selects_by_default((namespace, name): (&Labels, &str), pod: &Labels) -> bool {
    let silent =
        |labels: &Labels, keys: [&str; 2]| keys.iter().all(|key| !labels.contains_key(key));
    silent(namespace, [NAMESPACE_INJECTION, REVISION])
        && silent(pod, [INJECT, REVISION])
        && !IGNORED_NAMESPACES.contains(&name)
}

/// What pods say about their injection and where; a label silences the annotation, whatever its value.
pub(super) fn own_say(pods: &Workload) -> Option<(&'static str, &str)> {
    let label = pods.labels.get(INJECT).map(|value| ("label", value));
    let annotation = || Some(("annotation", pods.annotations.get(INJECT)?));
    label.or_else(annotation)
}

/// Whether the CNI plugin hands the pods to ztunnel, if no sidecar does without it
/// (enablement_selector.go; podutil_test.go `TestEnablementSelectorMatches`).
pub fn ambient_enrols(namespace: &Labels, pods: &Workload) -> bool {
    let (of_namespace, of_pod) = (
        namespace.get(DATAPLANE_MODE),
        pods.labels.get(DATAPLANE_MODE),
    );
    let asked = match (of_namespace, of_pod) {
        (_, Some("ambient")) => true,
        (_, Some("none")) => false,
        (of_namespace, _) => of_namespace == Some("ambient"),
    };
    asked && !pods.host_network && !pods.annotations.contains_key(STATUS)
}

#[cfg(test)]
mod tests;
