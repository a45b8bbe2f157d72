//! What stands between the network and the pods: a sidecar, ztunnel, or nothing?
//!
//! Authority: the gates of istio/istio (see `webhook.rs`); pkg/kube/inject/inject.go `IntoObject` for pods that are injected in Git.
//! Departs from it: a Namespace that is not in the input counts as unlabelled where the pods alone ask for a sidecar, else the answer is unknown.
//! Knows: Namespaces, labels and annotations of pods. Does not know: policies, ports, scrapes.

use super::settings::revision_behind;
use super::webhook::{
    DATAPLANE_MODE, IGNORED_NAMESPACES, INJECT, Injector, NAMESPACE_INJECTION, REVISION, Revision,
    ambient_enrols, injection_required, own_say, webhook_selects,
};
use super::{DataPlane, Fact, Mesh, named, unseen};
use crate::model::{Labels, Namespace, PodsKnown, Workload};

/// The data plane of a workload's pods, and what it was assumed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The data plane, with the deciding object first in the evidence.
    pub fact: Fact<DataPlane>,
    /// The Namespace is in the input without any injection label: enough to leave a port plain, not enough to prove it.
    pub unlabelled: bool,
    /// The Namespace is not in the input and was taken as unlabelled, as the pods alone ask for a data plane.
    pub namespace_missing: bool,
}

impl From<Fact<DataPlane>> for Injection {
    fn from(fact: Fact<DataPlane>) -> Self {
        Self {
            fact,
            unlabelled: false,
            namespace_missing: false,
        }
    }
}

/// What handles the connections to the pods of a workload, as far as the input shows.
pub fn data_plane(mesh: &Mesh<'_>, pods: &Workload) -> Injection {
    let owner = named(&pods.object);
    let namespace_name = pods.object.namespace.as_str();
    let namespace = mesh.inventory.namespaces.get(namespace_name);
    if pods.host_network {
        return Fact::proven(DataPlane::None, format!("{owner}: hostNetwork")).into();
    }
    if has_proxy(pods) {
        return Fact::proven(
            DataPlane::Sidecar,
            format!("{owner}: container istio-proxy"),
        )
        .into();
    }
    if IGNORED_NAMESPACES.contains(&namespace_name) {
        return Fact::proven(
            DataPlane::None,
            format!("namespace {namespace_name} is never injected"),
        )
        .into();
    }
    if let Some((place, "false")) = own_say(pods) {
        let opted_out = format!("{owner}: {place} {INJECT}=false");
        return ambient(pods, namespace)
            .unwrap_or_else(|| Fact::proven(DataPlane::None, opted_out).into());
    }
    match namespace {
        Some(namespace) => in_namespace(pods, namespace),
        None => in_missing_namespace(pods),
    }
}

/// The revision of the istiod that the pods obey, if they have a sidecar; `None`: nothing says which.
pub(super) fn revision(mesh: &Mesh<'_>, pods: &Workload) -> Option<String> {
    let unlabelled = Labels::new();
    let namespace = mesh.inventory.namespaces.get(&pods.object.namespace);
    let labels = namespace.map_or(&unlabelled, |namespace| &namespace.labels);
    let name = match webhook_selects(labels, &pods.labels)? {
        Revision::Default => "default".to_owned(),
        Revision::Named(name) => name,
    };
    Some(revision_behind(mesh.inventory, &name).to_owned())
}

/// Whether an istio-proxy is in the manifest; `image: auto` is a request to the injector, not an injection.
pub(super) fn has_proxy(pods: &Workload) -> bool {
    pods.containers
        .iter()
        .any(|container| container.name == "istio-proxy" && container.image != "auto")
}

fn in_namespace(pods: &Workload, namespace: &Namespace) -> Injection {
    let is_unlabelled = [NAMESPACE_INJECTION, REVISION]
        .iter()
        .all(|key| !namespace.labels.contains_key(*key));
    if is_injected(&namespace.labels, pods) {
        let because = if is_unlabelled {
            own_request(pods)
        } else {
            namespace_says(namespace)
        };
        return lower_bound(pods, Fact::proven(DataPlane::Sidecar, because)).into();
    }
    if let Some(ambient) = ambient(pods, Some(namespace)) {
        return ambient;
    }
    if is_unlabelled {
        let because = format!("{}: no injection label", named(&namespace.object));
        let fact = note_missing_pods(pods, Fact::assumed(DataPlane::None, because));
        return Injection {
            unlabelled: true,
            ..fact.into()
        };
    }
    Fact::proven(DataPlane::None, namespace_says(namespace)).into()
}

/// A pod in a Namespace of which nothing is known, not even that it has no labels.
fn in_missing_namespace(pods: &Workload) -> Injection {
    let unlabelled = Labels::new();
    let missing = format!("Namespace {} is not in the input", pods.object.namespace);
    let (data_plane, because) = if is_injected(&unlabelled, pods) {
        (DataPlane::Sidecar, own_request(pods))
    } else if ambient_enrols(&unlabelled, pods) {
        (
            DataPlane::Ambient,
            format!("{}: label {DATAPLANE_MODE}=ambient", named(&pods.object)),
        )
    } else {
        return Fact::unknown(missing).into();
    };
    let fact = Fact {
        value: Some(data_plane),
        proven: false,
        because: vec![because, missing],
    };
    Injection {
        namespace_missing: true,
        ..fact.into()
    }
}

fn is_injected(namespace: &Labels, pods: &Workload) -> bool {
    webhook_selects(namespace, &pods.labels).is_some()
        && injection_required(&Injector::default(), &pods.object.namespace, pods)
}

fn ambient(pods: &Workload, namespace: Option<&Namespace>) -> Option<Injection> {
    let unlabelled = Labels::new();
    ambient_enrols(
        namespace.map_or(&unlabelled, |namespace| &namespace.labels),
        pods,
    )
    .then(|| {
        let by_pod = pods.labels.contains_key(DATAPLANE_MODE);
        let object = namespace
            .filter(|_| !by_pod)
            .map_or(&pods.object, |namespace| &namespace.object);
        let because = format!("{}: label {DATAPLANE_MODE}=ambient", named(object));
        lower_bound(pods, Fact::proven(DataPlane::Ambient, because)).into()
    })
}

fn namespace_says(namespace: &Namespace) -> String {
    let label = [NAMESPACE_INJECTION, REVISION]
        .iter()
        .find_map(|key| Some((key, namespace.labels.get(*key)?)));
    let (key, value) = label.expect("asked only where the Namespace has one of them");
    format!("{}: {key}={value}", named(&namespace.object))
}

fn own_request(pods: &Workload) -> String {
    // The webhook of a pod's revision matches whatever the other label says, unless that is "false".
    let label = [REVISION, INJECT]
        .iter()
        .find_map(|key| Some((key, pods.labels.get(*key)?)));
    let (key, value) =
        label.expect("asked only where the pods' labels alone make the webhook match");
    format!("{}: label {key}={value}", named(&pods.object))
}

/// Pods that are not in the input may opt out by a label that nobody sees, so they keep the answer but not the proof.
fn lower_bound(pods: &Workload, fact: Fact<DataPlane>) -> Fact<DataPlane> {
    let fact = note_missing_pods(pods, fact);
    Fact {
        proven: fact.proven && pods.known != PodsKnown::SelectorOnly,
        ..fact
    }
}

fn note_missing_pods(pods: &Workload, mut fact: Fact<DataPlane>) -> Fact<DataPlane> {
    if pods.known == PodsKnown::SelectorOnly {
        fact.because.push(unseen(pods));
    }
    fact
}

#[cfg(test)]
mod tests;
