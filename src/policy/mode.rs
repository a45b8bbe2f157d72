//! Which mTLS mode does a pod port enforce?
//!
//! Authority: `ComposePeerAuthentication` and `GetMutualTLSModeForPort`, istio/istio pilot/pkg/security/authn/policy_applier.go.
//! Departs from it: where the cluster may hold other policies, or the same in another order, the answer is unknown or says so. What ztunnel makes of the same policies is `ztunnel.rs`'s question.
//! Knows: PeerAuthentication, labels and namespace of pods, a port. Does not know: whether a sidecar is there and captures the port.

use std::collections::BTreeSet;
use std::iter;

use super::chain::{Link, chain, either};
use super::outlook::{Outlook, Tier, heard, port_entry, says, tiers};
use super::precedence::{Doubt, Doubtful, Level, Standing, standings};
use super::{Fact, Mesh, MeshSettings, named, spelled};
use crate::model::{MtlsMode, Object, PeerAuthentication, Workload};

/// What a pod port enforces, as far as the input shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    /// The mode, with the policy that decides first in the evidence.
    pub fact: Fact<MtlsMode>,
    /// The levels whose winner Git does not show although it matters for this port; the mode is then that of the assumed winners.
    pub undecided: Vec<Undecided>,
    /// Nothing in the input or the configuration sets a mode: it is Istio's default, and the cluster may know better.
    pub assumed: bool,
    /// Every policy that is meant for the pods, and what becomes of it, narrowest level first.
    pub chain: Vec<Link>,
}

/// Several policies of one level that disagree about a port, and no creationTimestamp that orders them:
/// the cluster obeys whichever was created first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Their level.
    pub level: Level,
    /// All that may be the oldest, the chosen one first.
    pub policies: Vec<Object>,
    /// The one whose answer is used: the smallest name among those that may be the oldest.
    pub chosen: Object,
}

/// The mode that Istio enforces on a port of the pods: the port's, else the workload's, the namespace's, the mesh's, else
/// PERMISSIVE (policy_applier.go). Without a port: the mode that all of their ports have in common.
pub fn mode(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Mode {
    in_each_mesh(mesh, pods, in_common, |root, floor| {
        with_root(mesh, root, floor, pods, port)
    })
}

/// What holds whichever root namespace and whichever floor the mesh has, of all that the input allows.
pub(super) fn in_each_mesh(
    mesh: &Mesh<'_>,
    pods: &Workload,
    in_common: impl Fn(Mode, Mode) -> Mode,
    with_root: impl Fn(&str, &Floor) -> Mode,
) -> Mode {
    let settings = mesh.settings_of(pods);
    let floors = floors(mesh, settings, pods);
    let meshes = settings
        .root_namespaces
        .iter()
        .flat_map(|root| floors.iter().map(move |floor| (root, floor)));
    meshes
        .map(|(root, floor)| with_root(root, floor))
        .reduce(in_common)
        .expect("there is always a root namespace, and something holds without policies")
}

fn with_root(
    mesh: &Mesh<'_>,
    root_namespace: &str,
    floor: &Floor,
    pods: &Workload,
    port: Option<u16>,
) -> Mode {
    let mut standings = standings(mesh, root_namespace, pods);
    floor.stand_in_for_refused(&mut standings);
    match port {
        Some(_) => at_port(&standings, floor, port),
        None => listed_ports(&standings[2])
            .into_iter()
            .map(|listed| at_port(&standings, floor, Some(listed)))
            .fold(at_port(&standings, floor, None), in_common),
    }
}

/// What holds where no policy sets a mode.
pub(super) struct Floor {
    pub(super) mode: MtlsMode,
    pub(super) because: String,
    /// The configuration or an object says so, not Istio's default.
    pub(super) configured: bool,
    /// The objects that say where mesh-level policies stand.
    pub(super) root_because: Vec<String>,
}

impl Floor {
    /// Where something else says what holds for the mesh, it answers for the level that the API server keeps empty.
    pub(super) fn stand_in_for_refused(&self, standings: &mut [Standing<'_>; 3]) {
        let [of_mesh, _, _] = standings;
        if self.configured && of_mesh.contenders.is_empty() {
            of_mesh
                .doubtful
                .retain(|doubtful| doubtful.doubt != Doubt::Refused);
        }
    }
}

/// All that may hold; more than one where nobody knows which.
fn floors(mesh: &Mesh<'_>, settings: &MeshSettings, pods: &Workload) -> Vec<Floor> {
    let root_because = &settings.root_because;
    let modes = &mesh.settings.default_modes;
    if modes.is_empty() {
        return vec![Floor {
            mode: MtlsMode::Permissive,
            because: format!(
                "no PeerAuthentication in the input sets a mode for {}: PERMISSIVE is Istio's default",
                named(&pods.object)
            ),
            configured: false,
            root_because: root_because.clone(),
        }];
    }
    let said = modes.iter().map(|(mode, because)| Floor {
        mode: *mode,
        because: because.clone(),
        configured: true,
        root_because: root_because.clone(),
    });
    said.collect()
}

/// The mode of one port; `None`: of any port that no policy lists.
fn at_port(standings: &[Standing<'_>; 3], floor: &Floor, port: Option<u16>) -> Mode {
    let tiers = tiers(standings, Outlook::only(floor.mode), port);
    let heard = heard(&tiers);
    // Pods that are not in the input count as pods with just the labels that are known of them.
    let (unseen, doubts): (Vec<_>, Vec<_>) = heard
        .iter()
        .flat_map(|tier| tier.doubts().map(move |doubt| (doubt, tier)))
        .partition(|(doubtful, _)| doubtful.doubt == Doubt::Unseen);
    let told = |doubts: Vec<(&Doubtful<'_>, &Tier<'_>)>| -> Vec<String> {
        let evidence = |(doubt, tier): (&Doubtful<'_>, &Tier<'_>)| {
            doubtful_evidence(doubt, tier.standing.level, tier.port)
        };
        doubts.into_iter().map(evidence).collect()
    };
    let in_doubt = doubts.first().map(|(doubtful, _)| doubtful.policy);
    let (unseen, doubts) = (told(unseen), told(doubts));
    let rivals = heard.iter().flat_map(|tier| {
        tier.rivals()
            .map(|rival| rival_evidence(rival, tier.standing.level, tier.port))
    });
    let undecided = heard.iter().filter_map(undecided).collect::<Vec<_>>();
    let decision = decision(&tiers, floor);
    let known = doubts.is_empty();
    let reaches_the_mesh = heard.iter().any(|tier| tier.standing.level == Level::Mesh);
    let roots = floor.root_because.iter().filter(|_| reaches_the_mesh);
    Mode {
        fact: Fact {
            value: known.then_some(tiers[0].here.assumed),
            proven: known && unseen.is_empty() && undecided.is_empty() && decision.proven,
            because: doubts
                .into_iter()
                .chain(decision.because)
                .chain(rivals)
                .chain(unseen)
                .chain(roots.cloned())
                .collect(),
        },
        undecided,
        assumed: known && decision.assumed,
        chain: chain(standings, floor, port, in_doubt),
    }
}

fn undecided(tier: &Tier<'_>) -> Option<Undecided> {
    tier.rivals().next()?;
    let policies = tier
        .standing
        .contenders
        .iter()
        .map(|policy| policy.object.clone())
        .collect::<Vec<_>>();
    let chosen = policies.first()?.clone();
    Some(Undecided {
        level: tier.standing.level,
        policies,
        chosen,
    })
}

/// Who decides if the assumed winners win.
struct Decision {
    because: Vec<String>,
    proven: bool,
    assumed: bool,
}

fn decision(tiers: &[Tier<'_>], floor: &Floor) -> Decision {
    let mut inherited = Vec::new();
    for Tier { standing, port, .. } in tiers {
        let Some(policy) = standing.contenders.first() else {
            continue;
        };
        let evidence = evidence(policy, standing.level, *port);
        if says(policy, standing.level, *port).is_some() {
            return Decision {
                because: iter::once(evidence).chain(inherited).collect(),
                proven: true,
                assumed: false,
            };
        }
        inherited.push(evidence);
    }
    Decision {
        because: iter::once(floor.because.clone()).chain(inherited).collect(),
        proven: floor.configured,
        assumed: !floor.configured,
    }
}

/// `PeerAuthentication istio-system/default: STRICT`, `PeerAuthentication shop/web port 8080: DISABLE`.
pub(super) fn evidence(policy: &PeerAuthentication, level: Level, port: Option<u16>) -> String {
    let policy_name = named(&policy.object);
    match port_entry(policy, level, port) {
        Some((port, mode)) => format!("{policy_name} port {port}: {}", spelled(Some(mode))),
        None if level == Level::Mesh && policy.mode.is_none() => {
            format!("{policy_name}: UNSET, which means PERMISSIVE")
        }
        None => format!("{policy_name}: {}", spelled(policy.mode)),
    }
}

/// That another policy of the level may decide instead.
pub(super) fn rival_evidence(
    rival: &PeerAuthentication,
    level: Level,
    port: Option<u16>,
) -> String {
    format!("{} may be older", evidence(rival, level, port))
}

/// What speaks against a policy that could decide.
pub(super) fn doubtful_evidence(
    doubtful: &Doubtful<'_>,
    level: Level,
    port: Option<u16>,
) -> String {
    let evidence = evidence(doubtful.policy, level, port);
    match doubtful.doubt {
        Doubt::Refused => {
            format!(
                "{} is refused: {}",
                named(&doubtful.policy.object),
                doubtful.policy.refused.join("; ")
            )
        }
        Doubt::Selection => {
            format!("{evidence}, if its selector matches: not all labels of the pods are known")
        }
        Doubt::Unseen => {
            format!("{evidence} is taken not to select the pods, which are not in the input")
        }
        Doubt::Version => format!("{evidence}, unless its other version in the input counts"),
        Doubt::Revision => format!(
            "{evidence}, if the pods' istiod reads it: it is for revision {}, and theirs is not known",
            doubtful.policy.revision.as_deref().unwrap_or_default()
        ),
    }
}

/// The ports that a policy which may count at workload level lists.
pub(super) fn listed_ports(workload_level: &Standing<'_>) -> BTreeSet<u16> {
    let doubtful = workload_level
        .doubtful
        .iter()
        .map(|doubtful| doubtful.policy);
    workload_level
        .contenders
        .iter()
        .copied()
        .chain(doubtful)
        .flat_map(|policy| policy.ports.keys().copied())
        .collect()
}

/// What holds whichever of two ports it is.
pub(super) fn in_common(one: Mode, other: Mode) -> Mode {
    let value = one
        .fact
        .value
        .filter(|_| one.fact.value == other.fact.value);
    let mut because = one.fact.because;
    because.extend(other.fact.because);
    let mut undecided = one.undecided;
    undecided.extend(other.undecided);
    Mode {
        fact: Fact {
            value,
            proven: value.is_some() && one.fact.proven && other.fact.proven,
            because: each_once(because),
        },
        undecided: each_once(undecided),
        assumed: value.is_some() && (one.assumed || other.assumed),
        chain: either(one.chain, other.chain),
    }
}

pub(super) fn each_once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut unique, next| {
        if !unique.contains(&next) {
            unique.push(next);
        }
        unique
    })
}

#[cfg(test)]
mod every_cluster;
#[cfg(test)]
mod restated;
#[cfg(test)]
mod tests;
