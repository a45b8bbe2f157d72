//! Which PeerAuthentication speaks at each level?
//!
//! Authority: istio/istio pilot/pkg/model/authentication.go `addPeerAuthentication`, `getConfigsForWorkload`; pilot/pkg/model/config.go `configCompareByCreationTime`.
//! Departs from it: Git rarely has a creationTimestamp, so several policies of a level can contend; a policy that may not be in the cluster, may not select the pods, or may be read by another istiod, is kept apart.
//! Knows: PeerAuthentication, labels of pods. Does not know: what the modes add up to, injection, ports.

use std::collections::{BTreeMap, BTreeSet};

use super::Mesh;
use super::readership::{Istiod, Reads};
use super::selection::{Selects, label, selects};
use crate::model::{Inventory, Labels, MtlsMode, PeerAuthentication, PodsKnown, Workload};

/// How wide a PeerAuthentication holds; the narrower one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Without selector, in the root namespace: the whole mesh.
    Mesh,
    /// Without selector, elsewhere: the workloads of its namespace.
    Namespace,
    /// With a selector: the pods that it selects; only here do ports count.
    Workload,
}

/// The level of a policy; `None`: it selects pods in the root namespace, which Istio ignores for every workload
/// (policy_applier_test.go "ignore non-emptypb selector in root namespace").
pub fn level(policy: &PeerAuthentication, root_namespace: &str) -> Option<Level> {
    match (
        policy.object.namespace == root_namespace,
        policy.selector.is_empty(),
    ) {
        (true, true) => Some(Level::Mesh),
        (true, false) => None,
        (false, true) => Some(Level::Namespace),
        (false, false) => Some(Level::Workload),
    }
}

/// The policies of one level that can decide for a workload. All others of the level count for nothing, not even for their ports.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    /// Which level.
    pub(super) level: Level,
    /// One of these decides, the first unless the order in the cluster is another; empty: the level is silent.
    pub(super) contenders: Vec<&'a PeerAuthentication>,
    /// Any of these could decide instead, if it is there at all.
    pub(super) doubtful: Vec<Doubtful<'a>>,
    /// These lose in every cluster, each with the one that wins over it.
    pub(super) outlived: Vec<(&'a PeerAuthentication, &'a PeerAuthentication)>,
    /// These would stand here, but Istio passes over them.
    pub(super) ignored: Vec<Ignored<'a>>,
}

/// A policy that Istio passes over although it is meant for the pods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ignored<'a> {
    /// The policy.
    pub(super) policy: &'a PeerAuthentication,
    /// The istiod of the pods does not read it; else it selects pods from the root namespace.
    pub(super) of_other_revision: bool,
}

/// A policy that could decide, with what speaks against it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubtful<'a> {
    /// The policy.
    pub(super) policy: &'a PeerAuthentication,
    /// What speaks against it.
    pub(super) doubt: Doubt,
}

/// Why it is open whether a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The API server refuses it as it is: nobody knows what it will say when it is corrected.
    Refused,
    /// It may select the pods, by a label that only the cluster sets.
    Selection,
    /// It may select the pods, which are not in the input; by the labels that are known it does not.
    Unseen,
    /// The input has it twice, and the other version is of another level or selects other pods.
    Version,
    /// It is labelled for a revision, and which one the pods obey is not known.
    Revision,
}

/// The standings for a workload, widest level first.
pub(super) fn standings<'a>(
    mesh: &Mesh<'a>,
    root_namespace: &str,
    pods: &Workload,
) -> [Standing<'a>; 3] {
    standings_for(&SIDECARS, mesh, root_namespace, pods)
}

/// What sets one reader of policies apart from another.
pub(super) struct Reader<'r> {
    /// Whether it looks at a policy at all.
    pub(super) reads: &'r dyn Fn(&PeerAuthentication) -> bool,
    /// Whether it takes the first over the second in every cluster that the input allows.
    pub(super) takes_first: fn(&PeerAuthentication, &PeerAuthentication) -> bool,
}

/// istiod, when it tells sidecars.
const SIDECARS: Reader<'static> = Reader {
    reads: &|_| true,
    takes_first: is_proven_older,
};

/// The standings as one reader sees them.
pub(super) fn standings_for<'a>(
    reader: &Reader<'_>,
    mesh: &Mesh<'a>,
    root_namespace: &str,
    pods: &Workload,
) -> [Standing<'a>; 3] {
    let namespaces = BTreeSet::from([root_namespace, pods.object.namespace.as_str()]);
    let meant: Vec<(&PeerAuthentication, Selects)> = namespaces
        .into_iter()
        .flat_map(|namespace| {
            let inventory = mesh.inventory;
            inventory.policies_for(namespace, |key| label(pods, key))
        })
        .filter(|policy| (reader.reads)(policy))
        .map(|policy| (policy, selection(policy, pods)))
        .filter(|(_, selects)| *selects != Selects::No)
        .collect();
    // Most inputs label no policy, and then nobody's revision matters.
    let labelled = meant.iter().any(|(policy, _)| policy.revision.is_some());
    let istiod = labelled.then(|| Istiod::of(mesh, pods));
    let reads = |policy: &PeerAuthentication| {
        istiod.as_ref().map_or(Reads::Yes, |istiod| {
            istiod.reads(policy.revision.as_deref())
        })
    };
    [Level::Mesh, Level::Namespace, Level::Workload].map(|at| {
        let (mut candidates, mut ignored) = (Vec::new(), Vec::new());
        for &(policy, selects) in &meant {
            let (here, reads) = (level(policy, root_namespace), reads(policy));
            let of_other_revision = reads == Reads::No;
            // What selects pods from the root namespace means to be of the level of those that select.
            if here.unwrap_or(Level::Workload) != at {
                continue;
            }
            if here.is_none() || of_other_revision {
                ignored.push(Ignored {
                    policy,
                    of_other_revision,
                });
            } else {
                candidates.push(Candidate {
                    policy,
                    selects,
                    reads,
                });
            }
        }
        ignored.sort_by_key(|&Ignored { policy, .. }| {
            let object = &policy.object;
            (&object.namespace, order(policy, true), &policy.created)
        });
        Standing {
            ignored,
            ..standing(reader, at, candidates, mesh.inventory, pods.known)
        }
    })
}

fn selection(policy: &PeerAuthentication, pods: &Workload) -> Selects {
    // A refused wildcard will be corrected to something that may well select these pods.
    let literal = policy
        .selector
        .iter()
        .all(|(key, value)| !key.contains('*') && !value.contains('*'));
    if literal || policy.refused.is_empty() {
        selects(&policy.selector, pods)
    } else {
        Selects::Possibly
    }
}

/// A policy that may stand at a level.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    policy: &'a PeerAuthentication,
    selects: Selects,
    reads: Reads,
}

fn standing<'a>(
    reader: &Reader<'_>,
    level: Level,
    candidates: Vec<Candidate<'a>>,
    inventory: &Inventory,
    known: PodsKnown,
) -> Standing<'a> {
    let candidates = in_order(candidates);
    let standing_here = candidates
        .iter()
        .filter(|candidate| candidate.selects == Selects::Yes)
        .map(|candidate| version(candidate.policy))
        .collect();
    let (mut contenders, mut doubtful) = (Vec::new(), Vec::new());
    for candidate in &candidates {
        let policy = candidate.policy;
        match doubt(candidate, &standing_here, inventory, known) {
            None => contenders.push(policy),
            Some(doubt) => doubtful.push(Doubtful { policy, doubt }),
        }
    }
    let mut standing = Standing {
        level,
        contenders,
        doubtful,
        outlived: Vec::new(),
        ignored: Vec::new(),
    };
    set_outlived_apart(reader, &mut standing);
    standing
}

/// In Istio's order, equal copies of an object once.
fn in_order(mut candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    // Copies stand beside each other.
    candidates.dedup_by(|later, earlier| {
        let ages = (&later.policy.created, &earlier.policy.created);
        ages.0 == ages.1 && version(later.policy) == version(earlier.policy)
    });
    // Of equal copies the one that shows its age stays.
    candidates.sort_by_key(|&Candidate { policy, .. }| {
        (
            &policy.object.name,
            spec(policy),
            policy.created.is_none(),
            &policy.created,
        )
    });
    candidates.dedup_by(|later, earlier| {
        same_identity(earlier.policy, later.policy) && spec(earlier.policy) == spec(later.policy)
    });
    let all_dated = candidates
        .iter()
        .all(|candidate| candidate.policy.created.is_some());
    candidates.sort_by_key(|candidate| order(candidate.policy, all_dated));
    candidates
}

fn doubt(
    &Candidate {
        policy,
        selects,
        reads,
    }: &Candidate<'_>,
    standing_here: &BTreeSet<Version<'_>>,
    inventory: &Inventory,
    known: PodsKnown,
) -> Option<Doubt> {
    let has_version_elsewhere = || {
        let (namespace, name) = (&policy.object.namespace, &policy.object.name);
        let mut versions = inventory.policies_named(namespace, name).into_iter();
        versions.any(|other| !standing_here.contains(&version(other)))
    };
    match selects {
        _ if !policy.refused.is_empty() => Some(Doubt::Refused),
        Selects::Possibly if known != PodsKnown::Template => Some(Doubt::Unseen),
        Selects::Possibly | Selects::No => Some(Doubt::Selection),
        Selects::Yes if has_version_elsewhere() => Some(Doubt::Version),
        Selects::Yes if reads != Reads::Yes => Some(Doubt::Revision),
        Selects::Yes => None,
    }
}

/// Takes out the policies that lose to an older one in every cluster that the input allows.
fn set_outlived_apart(reader: &Reader<'_>, standing: &mut Standing<'_>) {
    // Only dates tell who is older.
    let dated = |policy: &&PeerAuthentication| policy.created.is_some();
    let contenders = &standing.contenders;
    if !contenders.iter().any(dated) {
        return;
    }
    // Of two versions of one object only one is in the cluster, so neither of them outlives a third for sure.
    let mut versions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for policy in contenders {
        *versions.entry(identity(policy)).or_default() += 1;
    }
    let sure = contenders
        .iter()
        .copied()
        .filter(dated)
        .filter(|policy| versions.get(&identity(policy)) == Some(&1))
        .collect::<Vec<_>>();
    let winner = |policy: &PeerAuthentication| {
        policy.created.as_ref()?;
        sure.iter()
            .copied()
            .find(|other| (reader.takes_first)(other, policy))
    };
    let doubtful = standing.doubtful.iter().map(|doubtful| doubtful.policy);
    let outlived = contenders
        .iter()
        .copied()
        .chain(doubtful)
        .filter_map(|policy| Some((policy, winner(policy)?)))
        .collect();
    standing
        .contenders
        .retain(|policy| winner(policy).is_none());
    standing
        .doubtful
        .retain(|doubtful| winner(doubtful.policy).is_none());
    standing.outlived = outlived;
}

/// Whether the cluster takes `this` over `that` whatever else happens: the older one, of the same second the smaller name.
fn is_proven_older(this: &PeerAuthentication, that: &PeerAuthentication) -> bool {
    match (&this.created, &that.created) {
        (Some(a), Some(b)) => {
            !same_identity(this, that) && (a, &this.object.name) < (b, &that.object.name)
        }
        _ => false,
    }
}

pub(super) fn same_identity(this: &PeerAuthentication, that: &PeerAuthentication) -> bool {
    identity(this) == identity(that)
}

fn identity(policy: &PeerAuthentication) -> (&str, &str) {
    (&policy.object.namespace, &policy.object.name)
}

/// A policy as the cluster would tell it from others.
type Version<'a> = ((&'a str, &'a str), Spec<'a>);

fn version(policy: &PeerAuthentication) -> Version<'_> {
    (identity(policy), spec(policy))
}

type Spec<'a> = (
    &'a Labels,
    bool,
    Option<MtlsMode>,
    &'a BTreeMap<u16, Option<MtlsMode>>,
    &'a [String],
    Option<&'a str>,
);

fn spec(policy: &PeerAuthentication) -> Spec<'_> {
    (
        &policy.selector,
        policy.selector_written,
        policy.mode,
        &policy.ports,
        &policy.refused,
        policy.revision.as_deref(),
    )
}

/// Istio's order: the oldest, of the same second the smallest name. Where not all are dated the name alone is left to go
/// by. Made total, so that the input's order never decides.
fn order(policy: &PeerAuthentication, all_dated: bool) -> (Option<&str>, &str, Spec<'_>) {
    let created = policy.created.as_deref().filter(|_| all_dated);
    (created, &policy.object.name, spec(policy))
}
