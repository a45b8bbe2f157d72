//! Which mTLS mode does a port of pods in ambient enforce?
//!
//! Authority: istio/istio pilot/pkg/serviceregistry/ambient/workloads.go `fetchPeerAuthentications`, authorization.go
//! `convertedSelectorPeerAuthentications`, `convertPeerAuthentication`, policies.go `PolicyCollections`.
//! Departs from it: ztunnel knows STRICT and not STRICT; of an open port the mode is told as it is written, PERMISSIVE where what is
//! written would be STRICT. Where the cluster may hold other policies, or the same in another order, the answer is unknown or says so.
//! Knows: PeerAuthentication, labels and namespace of pods, a port. Does not know: whether ztunnel captures the port.

use super::chain::{chain, closed_for_ztunnel, opened_for_ztunnel};
use super::hbone::TUNNEL;
use super::mode::{
    Floor, Mode, Undecided, doubtful_evidence, each_once, evidence, in_common, in_each_mesh,
    listed_ports, rival_evidence, unsaid,
};
use super::outlook::{port_entry, says};
use super::precedence::{Doubt, Level, Reader, Standing, level, same_identity, standings_for};
use super::selection::label;
use super::{Fact, Mesh, named};
use crate::model::{MtlsMode, PeerAuthentication, PodsKnown, Workload};
use choices::{Outlook, Pick, Standings, outlook};

mod choices;
mod conversion;

/// Labels of pods with a sidecar that no template shows (files/injection-template.yaml, pkg/kube/inject/webhook.go `applyMetadata`).
const ADDED_BY_INJECTION: [&str; 5] = [
    TUNNEL,
    "security.istio.io/tlsMode",
    "service.istio.io/canonical-name",
    "service.istio.io/canonical-revision",
    "topology.istio.io/network",
];

/// The mode that ztunnel enforces on a port of pods in ambient. It differs from [`super::mode()`], which is asked for sidecars, where
/// istiod converts policies into something else than they say. Without a port: the mode that all ports have in common.
pub fn mode_in_ambient(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Mode {
    in_each_mesh(mesh, pods, in_common_for_ztunnel, |root, floor| {
        with_root(mesh, root, floor, pods, port)
    })
}

fn with_root(
    mesh: &Mesh<'_>,
    root_namespace: &str,
    floor: &Floor,
    pods: &Workload,
    port: Option<u16>,
) -> Mode {
    let is_passed_over = |policy: &PeerAuthentication| {
        pods.object.namespace != root_namespace
            && policy.selector_written
            && level(policy, root_namespace) == Some(Level::Mesh)
    };
    // Nobody injects the pods, so the labels that the injector would add are not there.
    let asks_the_injector = |policy: &PeerAuthentication| {
        let is_added =
            |key: &str| ADDED_BY_INJECTION.contains(&key) && !pods.labels.contains_key(key);
        pods.known == PodsKnown::Template && policy.selector.keys().any(is_added)
    };
    let standings = |reads: &dyn Fn(&PeerAuthentication) -> bool| {
        let reader = Reader {
            reads,
            takes_first: is_proven_older,
        };
        let mut standings = standings_for(&reader, mesh, root_namespace, pods);
        floor.stand_in_for_refused(&mut standings);
        standings
    };
    let standings = Standings {
        attaching: standings(&|policy| !is_passed_over(policy) && !asks_the_injector(policy)),
        converting: standings(&|policy| !policy.selector_written),
    };
    let mut mode = match port {
        Some(_) => at_port(&standings, floor, port),
        None => listed_ports(&standings.attaching[2])
            .into_iter()
            .map(|listed| at_port(&standings, floor, Some(listed)))
            .fold(at_port(&standings, floor, None), in_common_for_ztunnel),
    };
    let of_root = mesh
        .inventory
        .policies_for(root_namespace, |key| label(pods, key));
    let of_root = of_root.into_iter().filter(|policy| is_passed_over(policy));
    mode.fact.because.extend(passed_over(of_root));
    mode
}

/// Of the same second neither is older: istiod takes the first of a list that has no order.
fn is_proven_older(this: &PeerAuthentication, that: &PeerAuthentication) -> bool {
    match (&this.created, &that.created) {
        (Some(this_time), Some(that_time)) => !same_identity(this, that) && this_time < that_time,
        _ => false,
    }
}

fn passed_over<'a>(policies: impl Iterator<Item = &'a PeerAuthentication>) -> Vec<String> {
    let mut names: Vec<_> = policies
        .map(|policy| named(&policy.object).to_string())
        .collect();
    names.sort();
    names.dedup();
    let told = |name| {
        format!(
            "{name} has a selector, if only an empty one: ztunnel hears nothing of it outside its namespace"
        )
    };
    names.into_iter().map(told).collect()
}

/// The mode of one port; `None`: of any port that no policy lists.
fn at_port(standings: &Standings<'_>, floor: &Floor, port: Option<u16>) -> Mode {
    let outlook = outlook(standings, floor.mode == MtlsMode::Strict, port);
    let decision = decision(&standings.attaching, floor, port, outlook.strict);
    let differences = differences(standings, &outlook, port);
    let known = differences.doubts.is_empty();
    let undecided = differences.undecided;
    let unsaid = unsaid(&standings.attaching, floor, port).filter(|_| decision.proven);
    let written = chain(&standings.attaching, floor, port, differences.in_doubt);
    let links = match decision.differs {
        None => written,
        Some(Differs::Stricter) => closed_for_ztunnel(written),
        Some(Differs::Open) => opened_for_ztunnel(written),
    };
    let roots = floor
        .root_because
        .iter()
        .filter(|_| decision.reaches_the_mesh);
    Mode {
        chain: links,
        fact: Fact {
            value: known.then_some(decision.mode),
            proven: known
                && differences.unseen.is_empty()
                && undecided.is_empty()
                && unsaid.is_none()
                && decision.proven,
            because: each_once(
                differences
                    .doubts
                    .into_iter()
                    .chain(decision.because)
                    .chain(differences.rivals)
                    .chain(unsaid.into_iter().flatten())
                    .chain(differences.unseen)
                    .chain(roots.cloned())
                    .collect(),
            ),
        },
        undecided,
        assumed: known && !decision.proven,
    }
}

/// What another cluster would make of the port, in words.
#[derive(Default)]
struct Differences<'a> {
    /// The first policy whose doubt changes the answer.
    in_doubt: Option<&'a PeerAuthentication>,
    doubts: Vec<String>,
    unseen: Vec<String>,
    rivals: Vec<String>,
    undecided: Vec<Undecided>,
}

fn differences<'a>(
    standings: &Standings<'a>,
    outlook: &Outlook,
    port: Option<u16>,
) -> Differences<'a> {
    let mut differences = Differences::default();
    let narrowest_first = standings.attaching.iter().rev();
    for standing in narrowest_first.chain(standings.converting.iter().rev()) {
        differences.note(standing, outlook, port);
    }
    differences
}

impl<'a> Differences<'a> {
    fn note(&mut self, standing: &Standing<'a>, outlook: &Outlook, port: Option<u16>) {
        let level = standing.level;
        for doubtful in &standing.doubtful {
            let picks = Pick::doubtful(doubtful, level, port);
            if picks
                .iter()
                .any(|pick| outlook.pivots.contains(&(level, *pick)))
            {
                let list = match doubtful.doubt {
                    Doubt::Unseen => &mut self.unseen,
                    Doubt::Refused | Doubt::Selection | Doubt::Version | Doubt::Revision => {
                        self.in_doubt.get_or_insert(doubtful.policy);
                        &mut self.doubts
                    }
                };
                push_new(list, doubtful_evidence(doubtful, level, port));
            }
        }
        let rivals: Vec<_> = standing
            .contenders
            .iter()
            .skip(1)
            .filter(|policy| {
                outlook
                    .pivots
                    .contains(&(level, Pick::sure(policy, level, port)))
            })
            .collect();
        for rival in &rivals {
            push_new(&mut self.rivals, rival_evidence(rival, level, port));
        }
        let is_told = self
            .undecided
            .iter()
            .any(|undecided| undecided.level == level);
        if let (false, [chosen, ..], false) = (rivals.is_empty(), &*standing.contenders, is_told) {
            self.undecided.push(Undecided {
                level,
                policies: standing
                    .contenders
                    .iter()
                    .map(|policy| policy.object.clone())
                    .collect(),
                chosen: chosen.object.clone(),
            });
        }
    }
}

fn push_new(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

/// What holds if the assumed winners win.
struct Decision {
    mode: MtlsMode,
    because: Vec<String>,
    /// Somebody says so; otherwise it is Istio's default.
    proven: bool,
    /// No narrower level decides.
    reaches_the_mesh: bool,
    /// ztunnel does not do as it is written.
    differs: Option<Differs>,
}

/// How ztunnel departs from what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Differs {
    /// Strangers are refused where the policies open the port.
    Stricter,
    /// Nobody is refused where the policies close it.
    Open,
}

/// What is written decides the words; whether strangers are refused, `strict`.
fn decision(
    standings: &[Standing<'_>; 3],
    floor: &Floor,
    port: Option<u16>,
    strict: bool,
) -> Decision {
    let mut inherited = Vec::new();
    let winners = standings
        .iter()
        .rev()
        .filter_map(|standing| Some((*standing.contenders.first()?, standing.level)));
    let mut decided = None;
    for (policy, level) in winners {
        let told = evidence(policy, level, port);
        if let Some(mode) = says(policy, level, port) {
            decided = Some((mode, told, level));
            break;
        }
        inherited.push(told);
    }
    let reaches_the_mesh = decided
        .as_ref()
        .is_none_or(|(_, _, level)| *level == Level::Mesh);
    let (written, first, proven) = match decided {
        Some((mode, told, _)) => (mode, told, true),
        None => (floor.mode, floor.because.clone(), floor.configured),
    };
    let workload = standings[2].contenders.first().copied();
    let (mode, differs, first) = match (strict, written == MtlsMode::Strict, workload) {
        (true, false, Some(workload)) => (
            MtlsMode::Strict,
            Some(Differs::Stricter),
            stricter_than_written(workload, standings, floor, port),
        ),
        (false, true, Some(workload)) => (
            MtlsMode::Permissive,
            Some(Differs::Open),
            format!(
                "{first}, but what istiod makes of {} for ztunnel does not guard the port",
                named(&workload.object)
            ),
        ),
        (_, _, _) => (written, None, first),
    };
    let because = std::iter::once(first).chain(inherited).collect();
    Decision {
        mode,
        because,
        proven,
        reaches_the_mesh,
        differs,
    }
}

/// Why a port is closed that its policy opens.
fn stricter_than_written(
    workload: &PeerAuthentication,
    standings: &[Standing<'_>; 3],
    floor: &Floor,
    port: Option<u16>,
) -> String {
    let told = evidence(workload, Level::Workload, port);
    if port_entry(workload, Level::Workload, port).is_none() {
        return format!(
            "{told}: ztunnel gets STRICT, from the policies that istiod merges it with"
        );
    }
    let parent = [&standings[1], &standings[0]]
        .into_iter()
        .filter_map(|standing| Some((*standing.contenders.first()?, standing.level)))
        .find(|(policy, level)| says(policy, *level, port).is_some())
        .map_or_else(
            || floor.because.clone(),
            |(policy, level)| evidence(policy, level, port),
        );
    format!("{parent}; ztunnel passes over {told}, as no port beside it is PERMISSIVE")
}

/// What holds whichever of two it is: to ztunnel, all open modes are one.
fn in_common_for_ztunnel(mut one: Mode, mut other: Mode) -> Mode {
    let is_open = |mode: &Mode| {
        matches!(
            mode.fact.value,
            Some(MtlsMode::Permissive | MtlsMode::Disable)
        )
    };
    if is_open(&one) && is_open(&other) && one.fact.value != other.fact.value {
        one.fact.value = Some(MtlsMode::Permissive);
        other.fact.value = Some(MtlsMode::Permissive);
    }
    in_common(one, other)
}

#[cfg(test)]
mod restated;
#[cfg(test)]
mod tests;
