//! What stands between the network and the pods: a sidecar, ztunnel, or nothing?
//!
//! Authority: the two gates of istio/istio (`asked.rs`, `injector.rs`) and its CNI plugin (`webhook.rs`); pkg/kube/inject/inject.go `IntoObject` for pods that are injected in Git.
//! Departs from it: a Namespace that is not in the input counts as unlabelled where that alone makes a data plane, else the answer is unknown.
//! Knows: Namespaces, labels, annotations and containers of pods. Does not know: policies, ports, scrapes.

use super::annotations::STATUS;
use super::asked::{Asked, asked, revision_asked};
use super::injector::{IGNORED_NAMESPACES, injects};
use super::namespaces::NamespaceLabels;
use super::settings::revision_behind;
use super::webhook::{DATAPLANE_MODE, INJECT, ambient_enrols, own_say};
use super::{DataPlane, Fact, Mesh, named, unseen};
use crate::model::{Container, PodsKnown, REVISION, Workload, embedded};

/// The only namespace that the CNI plugin leaves alone unless it is told of others (`excludeNamespaces`).
const WITHOUT_AMBIENT: &str = "kube-system";

/// The data plane of a workload's pods, and what it was assumed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The data plane, with the deciding object first in the evidence.
    pub fact: Fact<DataPlane>,
    /// The Namespace is in the input without any injection label: enough to leave a port plain, not enough to prove it.
    pub unlabelled: bool,
    /// The Namespace is not in the input and was taken as unlabelled, as that alone makes a data plane.
    pub namespace_missing: bool,
    /// Nobody says whether the pods have a sidecar, and if they have none, ztunnel takes their connections.
    pub else_ambient: bool,
}

impl From<Fact<DataPlane>> for Injection {
    fn from(fact: Fact<DataPlane>) -> Self {
        Self {
            fact,
            unlabelled: false,
            namespace_missing: false,
            else_ambient: false,
        }
    }
}

/// What handles the connections to the pods of a workload, as far as the input shows.
pub fn data_plane(mesh: &Mesh<'_>, pods: &Workload) -> Injection {
    let owner = named(&pods.object);
    if pods.host_network {
        return Fact::proven(DataPlane::None, format!("{owner}: hostNetwork")).into();
    }
    if let Some(proxy) = proxy(pods) {
        let place = if proxy.init {
            "init container"
        } else {
            "container"
        };
        return Fact::proven(
            DataPlane::Sidecar,
            format!("{owner}: {place} {}", proxy.name),
        )
        .into();
    }
    let namespace = NamespaceLabels::of(mesh, &pods.object.namespace);
    let name = namespace.name;
    if name == WITHOUT_AMBIENT {
        return never_injected(name).into();
    }
    if IGNORED_NAMESPACES.contains(&name) {
        return ambient(pods, &namespace).unwrap_or_else(|| never_injected(name).into());
    }
    if let Some((place, "false")) = own_say(pods) {
        let opted_out = format!("{owner}: {place} {INJECT}=false");
        return ambient(pods, &namespace)
            .unwrap_or_else(|| Fact::proven(DataPlane::None, opted_out).into());
    }
    by_both_gates(mesh, pods, &namespace)
}

/// The revision of the istiod that the pods obey, if they have a sidecar; `None`: nothing says which.
pub(super) fn revision(mesh: &Mesh<'_>, pods: &Workload) -> Option<String> {
    let of_proxy = proxy(pods).and_then(|_| injected_by(pods));
    match of_proxy {
        Some(name) => revision_behind(mesh.inventory, &name).map(str::to_owned),
        None => {
            let namespace = NamespaceLabels::of(mesh, &pods.object.namespace);
            revision_asked(mesh, pods, &namespace)
        }
    }
}

/// Whether an istio-proxy is in the manifest.
pub(super) fn has_proxy(pods: &Workload) -> bool {
    proxy(pods).is_some()
}

/// The istio-proxy in the manifest; `image: auto` is a request to the injector, not an injection.
fn proxy(pods: &Workload) -> Option<&Container> {
    // Of init containers only those keep ports that run on; what was injected is one of those anyway.
    let runs = |container: &Container| {
        !container.init || !container.ports.is_empty() || pods.annotations.contains_key(STATUS)
    };
    pods.containers
        .iter()
        .filter(|container| container.name == "istio-proxy" && container.image != "auto")
        .find(|container| runs(container))
}

/// The revision that was there when pods were injected in Git: what the injector noted, else the label.
fn injected_by(pods: &Workload) -> Option<String> {
    let status = pods.annotations.get(STATUS)?;
    let noted = embedded(status).ok().and_then(|status| {
        let revision = status.get("revision")?.as_str()?;
        Some(revision.to_owned())
    });
    let revision = noted
        .or_else(|| pods.annotations.get(REVISION).map(str::to_owned))
        .or_else(|| pods.labels.get(REVISION).map(str::to_owned))?;
    // An istiod without revision is the default one.
    match revision.is_empty() {
        true => Some("default".to_owned()),
        false => Some(revision),
    }
}

fn by_both_gates(mesh: &Mesh<'_>, pods: &Workload, namespace: &NamespaceLabels<'_>) -> Injection {
    let asked = asked(mesh, pods, namespace);
    let settings = mesh.settings.of_revision(asked.revision.as_deref());
    let injects = injects(&settings.injector, pods);
    match (asked.fact.value, injects.value) {
        (Some(true), Some(true)) => {
            // A label of the pods can open both gates.
            let mut because = injects.because;
            because.retain(|line| !asked.fact.because.contains(line));
            because.splice(0..0, asked.fact.because);
            let fact = Fact {
                value: Some(DataPlane::Sidecar),
                proven: asked.fact.proven,
                because,
            };
            noting_namespace(pods, namespace, fact)
        }
        (Some(false), _) => without_sidecar(pods, namespace, asked),
        (Some(true) | None, Some(false)) => {
            let asked = Asked {
                fact: injects,
                ..asked
            };
            without_sidecar(pods, namespace, asked)
        }
        (Some(true), None) => {
            let because = [injects.because, asked.fact.because].concat();
            unless_ambient(pods, namespace, because)
        }
        (None, Some(true)) => unless_ambient(pods, namespace, asked.fact.because),
        (None, None) => {
            let because = [asked.fact.because, injects.because].concat();
            unless_ambient(pods, namespace, because)
        }
    }
}

/// What pods have that get no sidecar, for the reason that is given.
fn without_sidecar(pods: &Workload, namespace: &NamespaceLabels<'_>, why: Asked) -> Injection {
    if let Some(ambient) = ambient(pods, namespace) {
        return ambient;
    }
    if namespace.is_missing() {
        // Its labels may ask for a sidecar after all, or put the pods into ambient.
        return unknown(namespace, why.fact.because);
    }
    let fact = Fact {
        value: Some(DataPlane::None),
        proven: why.fact.proven,
        because: why.fact.because,
    };
    Injection {
        unlabelled: why.unlabelled,
        ..match why.whatever_pods_say {
            true => fact.into(),
            false => lower_bound(pods, fact).into(),
        }
    }
}

/// ztunnel, where it takes the pods if they have no sidecar.
fn ambient(pods: &Workload, namespace: &NamespaceLabels<'_>) -> Option<Injection> {
    ambient_enrols(&namespace.labels, pods).then(|| {
        let own = format!("{}: label {DATAPLANE_MODE}=ambient", named(&pods.object));
        let because = match pods.labels.contains_key(DATAPLANE_MODE) {
            true => own,
            false => namespace.on_ambient(),
        };
        noting_namespace(pods, namespace, Fact::proven(DataPlane::Ambient, because))
    })
}

/// A data plane that pods have unless a Namespace that is not in the input says otherwise.
fn noting_namespace(
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
    fact: Fact<DataPlane>,
) -> Injection {
    let mut fact = lower_bound(pods, fact);
    if !namespace.is_missing() {
        return fact.into();
    }
    fact.proven = false;
    fact.because = with_missing(namespace, fact.because);
    Injection {
        namespace_missing: true,
        ..fact.into()
    }
}

fn never_injected(namespace: &str) -> Fact<DataPlane> {
    Fact::proven(
        DataPlane::None,
        format!("namespace {namespace} is never injected"),
    )
}

/// Nobody says whether there is a sidecar, and the labels may put pods without one into ambient.
fn unless_ambient(
    pods: &Workload,
    namespace: &NamespaceLabels<'_>,
    because: Vec<String>,
) -> Injection {
    Injection {
        else_ambient: ambient_enrols(&namespace.labels, pods),
        ..unknown(namespace, because)
    }
}

fn unknown(namespace: &NamespaceLabels<'_>, because: Vec<String>) -> Injection {
    let because = match namespace.is_missing() {
        true => with_missing(namespace, because),
        false => because,
    };
    Injection::from(Fact {
        value: None,
        proven: false,
        because,
    })
}

/// The evidence, and at its end that the Namespace is missing.
fn with_missing(namespace: &NamespaceLabels<'_>, mut because: Vec<String>) -> Vec<String> {
    let missing = namespace.on_injection();
    because.retain(|line| *line != missing);
    because.push(missing);
    because
}

/// Pods that are not in the input may have labels that nobody sees, so they keep the answer but not the proof.
fn lower_bound(pods: &Workload, mut fact: Fact<DataPlane>) -> Fact<DataPlane> {
    if pods.known == PodsKnown::SelectorOnly {
        fact.because.push(unseen(pods));
        fact.proven = false;
    }
    fact
}

#[cfg(test)]
mod rows;
#[cfg(test)]
mod tests;
