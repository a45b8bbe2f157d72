//! Where do mesh-wide policies stand, and what holds where there is none?
//!
//! Authority: istio/istio pkg/config/mesh/mesh.go `DefaultMeshConfig` (`RootNamespace`); maistra/istio-operator, whose charts make a mesh-wide PeerAuthentication of `mtls`.
//! Departs from it: of several root namespaces that objects name each may be the one; the configuration wins over objects.
//! Knows: objects of the control plane, mesh-level policies, our configuration. Does not know: whom policies select.

use std::collections::{BTreeMap, BTreeSet};

use super::Contradiction;
use super::sayings::{self, Sayings, contradicted_by_configuration};
use crate::config::Config;
use crate::model::{ControlPlane, Inventory, MtlsMode, Object, Setting};
use crate::policy::{Level, level, named, spelled};

/// Where policies hold for the whole mesh unless something says otherwise.
const ROOT_NAMESPACE: &str = "istio-system";

/// A root namespace of which the input shows nothing.
pub(super) const ELSEWHERE: &str = "";

/// The namespaces that may be the root, and the objects that name them.
pub(super) fn root_namespaces(
    sayings: &mut Sayings<'_>,
    inventory: &Inventory,
    config: &Config,
) -> (BTreeSet<String>, Vec<String>) {
    if let Some(configured) = &config.root_namespace {
        contradicted_by_configuration(sayings, "mesh.rootNamespace", |plane| {
            plane
                .root_namespace
                .as_ref()
                .is_some_and(|root| root != configured)
        });
        return (BTreeSet::from([configured.clone()]), Vec::new());
    }
    let said: BTreeSet<String> = sayings
        .planes
        .iter()
        .filter_map(|plane| plane.root_namespace.clone())
        .collect();
    let fact = sayings.fact(
        &Setting::RootNamespace,
        ROOT_NAMESPACE.to_owned(),
        |plane| plane.root_namespace.clone(),
    );
    let hides = |plane: &&ControlPlane| plane.hides(&Setting::RootNamespace);
    if sayings.planes.iter().any(hides) {
        return (
            said.into_iter().chain(anywhere(inventory)).collect(),
            fact.because,
        );
    }
    match said.is_empty() {
        true => (BTreeSet::from([ROOT_NAMESPACE.to_owned()]), Vec::new()),
        false => (said, fact.because),
    }
}

/// Where the root may be if nobody can read where it is: in each namespace whose objects would then be for the whole mesh,
/// and where the input shows none.
fn anywhere(inventory: &Inventory) -> impl Iterator<Item = String> {
    let policies = inventory.policies.iter().map(|policy| &policy.object);
    let authorizations = inventory.authorizations.iter().map(|policy| &policy.object);
    let sidecars = inventory.sidecars.iter().map(|sidecar| &sidecar.object);
    let configs = inventory.proxy_configs.iter().map(|config| &config.object);
    let objects = policies
        .chain(authorizations)
        .chain(sidecars)
        .chain(configs);
    objects
        .map(|object| object.namespace.clone())
        .chain([ELSEWHERE.to_owned(), ROOT_NAMESPACE.to_owned()])
}

/// The modes that may hold where no mesh-level policy is in the input, and who says so. None: nobody does.
pub(super) fn default_modes(
    inventory: &Inventory,
    config: &Config,
    contradictions: &mut Vec<Contradiction>,
) -> BTreeMap<MtlsMode, String> {
    let said: Vec<(MtlsMode, &Object)> = inventory
        .control_planes
        .iter()
        .filter_map(|plane| Some((plane.mtls?, &plane.object)))
        .collect();
    if let Some(mode) = config.mesh_mode {
        let differing = said.iter().filter(|(other, _)| *other != mode);
        contradictions.extend(differing.map(|(_, object)| {
            Contradiction {
                object: (*object).clone(),
                what: "it says something else than mesh.mode of the configuration, which counts"
                    .to_owned(),
            }
        }));
        let because = format!("mesh.mode: {} (configuration)", spelled(Some(mode)));
        return BTreeMap::from([(mode, because)]);
    }
    contradictions.extend(contradicted_by_policies(inventory));
    let mut modes = BTreeMap::new();
    let hidden = inventory.control_planes.iter();
    for plane in hidden.filter(|plane| plane.hides(&Setting::Mtls)) {
        for mode in [MtlsMode::Strict, MtlsMode::Permissive] {
            modes.insert(mode, sayings::unreadable(plane, &Setting::Mtls));
        }
    }
    for (mode, object) in &said {
        modes
            .entry(*mode)
            .or_insert_with(|| format!("{}: {}", named(object), spelled(Some(*mode))));
    }
    if let [(mode, object), others @ ..] = said.as_slice()
        && let Some((_, other)) = others.iter().find(|(other, _)| other != mode)
    {
        contradictions.push(Contradiction {
            object: (*object).clone(),
            what: format!(
                "it says another mode for the whole mesh than {}, and which of them counts is not known; make them agree",
                named(other)
            ),
        });
    }
    modes
}

/// Mesh-level policies of the input beside one that an operator makes and that says something else.
fn contradicted_by_policies(inventory: &Inventory) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for plane in &inventory.control_planes {
        let (Some(made), Some(root)) = (plane.mtls, &plane.root_namespace) else {
            continue;
        };
        let differing = inventory.policies.iter().filter(|policy| {
            policy.refused.is_empty()
                && level(policy, root) == Some(Level::Mesh)
                && policy.mode.unwrap_or(MtlsMode::Permissive) != made
        });
        found.extend(differing.map(|policy| Contradiction {
            object: plane.object.clone(),
            what: format!(
                "its operator makes a mesh-wide policy with mode {}, and {} says something else, which counts here; in the cluster the older one does: make them agree",
                spelled(Some(made)),
                named(&policy.object)
            ),
        }));
    }
    found
}
