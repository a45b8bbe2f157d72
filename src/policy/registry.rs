//! Where do requests to addresses that the mesh does not know go?
//!
//! Authority: istio/istio pilot/pkg/model/push_context.go `getSidecarScope`, sidecar.go `convertToSidecarScope`: the Sidecar that selects the pods, else that of their namespace, else that of the root namespace, else the mesh.
//! Departs from it: Git does not show which of several Sidecars is the oldest; where they differ the answer is unknown.
//! Knows: Sidecar objects, the mesh's settings, labels of pods. Does not know: destinations, what the pods' sidecar takes.

use super::readership::{Istiod, Reads};
use super::selection::{Selects, selects};
use super::{Fact, Mesh, named};
use crate::model::{OutboundPolicy, Sidecar, Workload};

/// What the sidecar of these pods, if they have one, does with requests to addresses that the mesh does not know.
pub fn outbound_policy(mesh: &Mesh<'_>, pods: &Workload) -> Fact<OutboundPolicy> {
    let roots = &mesh.settings_of(pods).root_namespaces;
    let own = &pods.object.namespace;
    let levels: [&dyn Fn(&Sidecar) -> bool; 3] = [
        &|sidecar| sidecar.object.namespace == *own && !sidecar.selector.is_empty(),
        &|sidecar| sidecar.object.namespace == *own && sidecar.selector.is_empty(),
        &|sidecar| roots.contains(&sidecar.object.namespace) && sidecar.selector.is_empty(),
    ];
    let mut answers: Vec<Fact<OutboundPolicy>> = Vec::new();
    for level in levels {
        let at_level = mesh.inventory.sidecars.iter().filter(|one| level(one));
        let applying: Vec<_> = at_level
            .map(|one| (one, applies(mesh, one, pods)))
            .filter(|(_, applies)| *applies != Selects::No)
            .collect();
        answers.extend(applying.iter().map(|(one, _)| says(mesh, one, pods)));
        if applying.iter().any(|(_, applies)| *applies == Selects::Yes) {
            return in_common(answers);
        }
    }
    answers.push(mesh.settings_of(pods).outbound.clone());
    in_common(answers)
}

fn applies(mesh: &Mesh<'_>, sidecar: &Sidecar, pods: &Workload) -> Selects {
    let by_labels = selects(&sidecar.selector, pods);
    let roots = &mesh.settings_of(pods).root_namespaces;
    let elsewhere = sidecar.object.namespace != pods.object.namespace;
    let by_root = match elsewhere && roots.len() > 1 {
        true => Selects::Possibly,
        false => Selects::Yes,
    };
    let by_revision = match Istiod::of(mesh, pods).reads(sidecar.revision.as_deref()) {
        Reads::Yes => Selects::Yes,
        Reads::Possibly => Selects::Possibly,
        Reads::No => Selects::No,
    };
    by_labels.min(by_root).min(by_revision)
}

fn says(mesh: &Mesh<'_>, sidecar: &Sidecar, pods: &Workload) -> Fact<OutboundPolicy> {
    match sidecar.outbound {
        Some(policy) => Fact::proven(
            policy,
            format!("{}: {}", named(&sidecar.object), spelled(policy)),
        ),
        None => mesh.settings_of(pods).outbound.clone(),
    }
}

fn spelled(policy: OutboundPolicy) -> &'static str {
    match policy {
        OutboundPolicy::AllowAny => "ALLOW_ANY",
        OutboundPolicy::RegistryOnly => "REGISTRY_ONLY",
    }
}

/// What all that may count say alike.
fn in_common(mut answers: Vec<Fact<OutboundPolicy>>) -> Fact<OutboundPolicy> {
    let first = answers.remove(0);
    let alike = answers.iter().all(|other| other.value == first.value);
    let proven = first.proven && answers.iter().all(|other| other.proven);
    let others = answers.into_iter().flat_map(|other| other.because);
    let mut because = first.because;
    if !alike {
        because.extend(others);
    }
    Fact {
        value: first.value.filter(|_| alike),
        proven: proven && alike,
        because,
    }
}

#[cfg(test)]
mod tests {
    use super::OutboundPolicy::{AllowAny, RegistryOnly};
    use super::*;
    use crate::model::{Inventory, Labels};
    use crate::policy::fixture::{ROOT, labels, mesh, workload};

    fn sidecar(
        namespace: &str,
        selector: &[(&str, &str)],
        outbound: Option<OutboundPolicy>,
    ) -> Sidecar {
        let mut object = workload(namespace, &[]).object;
        object.kind = "Sidecar".to_owned();
        Sidecar {
            object,
            revision: None,
            selector: labels(selector),
            outbound,
        }
    }

    fn answer(sidecars: Vec<Sidecar>) -> Option<OutboundPolicy> {
        let inventory = Inventory {
            sidecars,
            ..Inventory::default()
        };
        outbound_policy(&mesh(&inventory), &workload("shop", &[("app", "agent")])).value
    }

    /// Istio's default, then the root namespace's, the namespace's, the pods' own.
    #[test]
    fn the_narrowest_sidecar_decides() {
        let root = || sidecar(ROOT, &[], Some(RegistryOnly));
        let namespace = || sidecar("shop", &[], Some(AllowAny));
        let own = || sidecar("shop", &[("app", "agent")], Some(RegistryOnly));
        assert_eq!(answer(vec![]), Some(AllowAny));
        assert_eq!(answer(vec![root()]), Some(RegistryOnly));
        assert_eq!(answer(vec![root(), namespace()]), Some(AllowAny));
        assert_eq!(answer(vec![root(), namespace(), own()]), Some(RegistryOnly));
    }

    #[test]
    fn others_do_not_count() {
        for other in [
            sidecar("other", &[], Some(RegistryOnly)),
            sidecar("shop", &[("app", "web")], Some(RegistryOnly)),
            sidecar(ROOT, &[("app", "agent")], Some(RegistryOnly)),
        ] {
            assert_eq!(answer(vec![other]), Some(AllowAny));
        }
    }

    /// One that leaves it to the mesh still hides the wider ones.
    #[test]
    fn saying_nothing_is_the_mesh() {
        let silent = sidecar("shop", &[], None);
        let root = sidecar(ROOT, &[], Some(RegistryOnly));
        assert_eq!(answer(vec![silent, root]), Some(AllowAny));
    }

    #[test]
    fn doubts() {
        let by_the_cluster = || sidecar("shop", &[("pod-template-hash", "x")], Some(RegistryOnly));
        assert_eq!(answer(vec![by_the_cluster()]), None);
        let agreeing = sidecar("shop", &[], Some(RegistryOnly));
        assert_eq!(answer(vec![by_the_cluster(), agreeing]), Some(RegistryOnly));
        let two = [Some(AllowAny), Some(RegistryOnly)].map(|mode| sidecar("shop", &[], mode));
        assert_eq!(answer(two.to_vec()), None);
        let of_a_revision = Sidecar {
            revision: Some("canary".to_owned()),
            selector: Labels::new(),
            ..sidecar("shop", &[], Some(RegistryOnly))
        };
        assert_eq!(answer(vec![of_a_revision]), None);
    }
}
