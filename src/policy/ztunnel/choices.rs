//! Which policies make a difference to ztunnel, over every cluster that the input allows?
//!
//! Authority: `conversion.rs`, for one cluster; istio/istio pilot/pkg/serviceregistry/ambient/policies.go
//! `getOldestPeerAuthn`: of the same second any may be taken, and another each time.
//! Departs from it: clusters are told apart only by what the conversion reads.
//! Knows: standings. Does not know: evidence.

use std::collections::BTreeSet;

use super::conversion::{Parents, Said, refuses_strangers};
use crate::model::{MtlsMode, PeerAuthentication};
use crate::policy::precedence::{Doubt, Doubtful, Level, Standing};

/// A policy that may count, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    said: Said,
    doubtful: bool,
}

impl Pick {
    /// Of a policy that does count.
    pub(super) fn sure(policy: &PeerAuthentication, level: Level, port: Option<u16>) -> Self {
        let said = match level {
            Level::Workload => Said::by_workload(policy, port),
            Level::Mesh | Level::Namespace => Said::by_parent(policy),
        };
        Self {
            said,
            doubtful: false,
        }
    }

    /// Of a policy that perhaps counts; several, where nobody knows what it will say.
    pub(super) fn doubtful(doubtful: &Doubtful<'_>, level: Level, port: Option<u16>) -> Vec<Self> {
        let Self { said, .. } = Self::sure(doubtful.policy, level, port);
        let doubtful_pick = |said| Self {
            said,
            doubtful: true,
        };
        match doubtful.doubt {
            Doubt::Refused => [None, Some(MtlsMode::Strict), Some(MtlsMode::Permissive)]
                .map(|mode| doubtful_pick(said.corrected(mode)))
                .to_vec(),
            Doubt::Selection | Doubt::Unseen | Doubt::Version | Doubt::Revision => {
                vec![doubtful_pick(said)]
            }
        }
    }
}

/// Who counts at a level: when istiod looks what a pod refers to, and when it converts a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    attaching: Option<Pick>,
    converting: Option<Pick>,
}

/// The standings of a port: for what a pod refers to, and for conversions.
#[derive(Debug)]
pub(super) struct Standings<'a> {
    /// Among all policies that a pod's own list has.
    pub(super) attaching: [Standing<'a>; 3],
    /// Among those without any selector.
    pub(super) converting: [Standing<'a>; 3],
}

/// What comes of all clusters.
#[derive(Debug)]
pub(super) struct Outlook {
    /// Strangers are refused if the assumed winners win.
    pub(super) strict: bool,
    /// The policies that change that in some cluster.
    pub(super) pivots: BTreeSet<(Level, Pick)>,
}

/// Looks at every cluster; `strict_floor`: what holds where the mesh level is silent.
pub(super) fn outlook(standings: &Standings<'_>, strict_floor: bool, port: Option<u16>) -> Outlook {
    let [mesh, namespace, workload] =
        [0, 1, 2].map(|at| pairs(&standings.attaching[at], &standings.converting[at], port));
    let assumed = [mesh[0], namespace[0], workload[0]];
    let refuses = |[mesh, namespace, workload]: [Pair; 3]| {
        let parents = |mesh: Option<Pick>, namespace: Option<Pick>| Parents {
            strict_mesh: mesh.map_or(strict_floor, |pick| {
                pick.said.mode == Some(MtlsMode::Strict)
            }),
            namespace: namespace.map(|pick| pick.said.mode),
        };
        refuses_strangers(
            workload.attaching.map(|pick| pick.said),
            parents(mesh.attaching, namespace.attaching),
            parents(mesh.converting, namespace.converting),
        )
    };
    let mut pivots = BTreeSet::new();
    for mesh in &mesh {
        for namespace in &namespace {
            for workload in &workload {
                let cluster = [*mesh, *namespace, *workload];
                let here = refuses(cluster);
                for (at, level) in [Level::Mesh, Level::Namespace, Level::Workload]
                    .into_iter()
                    .enumerate()
                {
                    if cluster[at] == assumed[at] {
                        continue;
                    }
                    let mut other = cluster;
                    other[at] = assumed[at];
                    if refuses(other) != here {
                        pivots
                            .extend(differing(cluster[at], assumed[at]).map(|pick| (level, pick)));
                    }
                }
            }
        }
    }
    Outlook {
        strict: refuses(assumed),
        pivots,
    }
}

fn differing(this: Pair, that: Pair) -> impl Iterator<Item = Pick> {
    let attaching = this.attaching.filter(|_| this.attaching != that.attaching);
    let converting = this
        .converting
        .filter(|_| this.converting != that.converting);
    attaching.into_iter().chain(converting)
}

/// Who can count at a level, the assumed ones first. A policy without selector that counts for a pod counts for conversions
/// too, or another one of the same second does; a doubtful one is taken to have a second of its own.
fn pairs(attaching: &Standing<'_>, converting: &Standing<'_>, port: Option<u16>) -> Vec<Pair> {
    let level = attaching.level;
    let sure = |standing: &Standing<'_>| {
        let picks = standing
            .contenders
            .iter()
            .map(|policy| Pick::sure(policy, level, port));
        each_once(picks)
    };
    let doubtful = |standing: &Standing<'_>| {
        let picks = standing
            .doubtful
            .iter()
            .flat_map(|doubtful| Pick::doubtful(doubtful, level, port));
        each_once(picks)
    };
    let is_converted = |pick: &Pick| !pick.said.selector_written;
    let (attached, converted) = (sure(attaching), sure(converting));
    let same_second: Vec<_> = attached.iter().copied().filter(is_converted).collect();
    let nobody = (attached.is_empty()).then_some(Pair {
        attaching: None,
        converting: None,
    });
    let silent = converted.is_empty().then_some(None);
    let behind_a_selector: Vec<_> = silent
        .into_iter()
        .chain(converted.into_iter().map(Some))
        .chain(doubtful(converting).into_iter().map(Some))
        .collect();
    let with = |pick: Pick| {
        let converting = match (is_converted(&pick), pick.doubtful) {
            (true, true) => vec![Some(pick)],
            (true, false) => each_once([pick].into_iter().chain(same_second.clone()))
                .into_iter()
                .map(Some)
                .collect(),
            (false, _) => behind_a_selector.clone(),
        };
        converting.into_iter().map(move |converting| Pair {
            attaching: Some(pick),
            converting,
        })
    };
    let picks = attached.iter().copied().chain(doubtful(attaching));
    nobody.into_iter().chain(picks.flat_map(with)).collect()
}

fn each_once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut unique = Vec::new();
    for next in all {
        if !unique.contains(&next) {
            unique.push(next);
        }
    }
    unique
}
