//! Does `mode_in_ambient` say what comes of istiod's conversion, carried out a second time?
//!
//! Authority: istio/istio pilot/pkg/serviceregistry/ambient/{workloads,policies,authorization}.go, istio/ztunnel src/rbac.rs: policies
//! are built as ztunnel gets them, and asked about a stranger.
//! Departs from it: what the input leaves open is tried out; a corrected policy is of a second of its own.
//! Knows: drawn policies. Does not know: anything of the code that it checks.

use std::collections::BTreeSet;

use super::*;
use crate::policy::Settings;
use crate::policy::draws::{Draw, Gaps, Random, clusters};
use crate::policy::fixture::{ROOT, settings};
use MtlsMode::{Disable, Permissive, Strict};

/// One condition of a converted policy; what is empty is not asked.
#[derive(Default)]
struct Match {
    /// `not_principals: [{presence}]`
    without_identity: bool,
    destination_ports: Vec<u16>,
    not_destination_ports: Vec<u16>,
}

/// A DENY policy: any group, all rules of it, any match of a rule.
type Deny = Vec<Vec<Vec<Match>>>;

fn stranger() -> Match {
    Match {
        without_identity: true,
        ..Match::default()
    }
}

fn denies(policy: &Deny, has_identity: bool, port: u16) -> bool {
    let holds = |condition: &Match| {
        !(condition.without_identity && has_identity)
            && (condition.destination_ports.is_empty()
                || condition.destination_ports.contains(&port))
            && !condition.not_destination_ports.contains(&port)
    };
    policy
        .iter()
        .any(|group| group.iter().all(|rule| rule.iter().any(holds)))
}

/// What `convertPeerAuthentication` builds.
fn converted(
    policy: &PeerAuthentication,
    of_namespace: Option<&PeerAuthentication>,
    of_root: Option<&PeerAuthentication>,
) -> Option<Deny> {
    if policy.ports.is_empty() {
        return None;
    }
    let strict =
        |other: Option<&PeerAuthentication>| other.is_some_and(|other| other.mode == Some(Strict));
    let namespace_is_silent = of_namespace.is_none_or(|other| other.mode.is_none());
    let (mut rules, mut groups) = (Vec::new(), Vec::new());
    if policy.mode == Some(Strict) {
        rules.push(vec![stranger()]);
    }
    let mut found_open_port = false;
    for (port, set) in &policy.ports {
        match set {
            Some(Strict) => {
                let kept_by_namespace = policy.mode.is_none() && strict(of_namespace);
                let kept_by_root = namespace_is_silent && strict(of_root);
                if policy.mode == Some(Strict) || kept_by_namespace || kept_by_root {
                    continue;
                }
                groups.push(vec![vec![Match {
                    destination_ports: vec![*port],
                    ..stranger()
                }]]);
            }
            Some(Permissive | Disable) => {
                if matches!(policy.mode, Some(Permissive | Disable)) {
                    continue;
                }
                let parent_is_open = match (of_namespace, of_root) {
                    (Some(_), _) => !strict(of_namespace),
                    (None, Some(_)) => !strict(of_root),
                    (None, None) => true,
                };
                if policy.mode.is_none() && parent_is_open {
                    continue;
                }
                found_open_port = true;
                rules.push(vec![Match {
                    not_destination_ports: vec![*port],
                    ..Match::default()
                }]);
            }
            None => {}
        }
    }
    if (policy.mode == Some(Strict) && !found_open_port) || (rules.is_empty() && groups.is_empty())
    {
        return None;
    }
    let merges =
        (strict(of_root) && (namespace_is_silent || strict(of_namespace))) || strict(of_namespace);
    if merges && found_open_port {
        rules.push(vec![stranger()]);
    }
    if !rules.is_empty() {
        groups.push(rules);
    }
    Some(groups)
}

/// What a pod refers to: the static policy, its own converted one, both or neither.
fn keys(
    of_mesh: Option<&PeerAuthentication>,
    of_namespace: Option<&PeerAuthentication>,
    of_workload: Option<&PeerAuthentication>,
) -> (bool, bool) {
    let mut strict = of_mesh.is_some_and(|policy| policy.mode == Some(Strict));
    if let Some(mode) = of_namespace.and_then(|policy| policy.mode) {
        strict = mode == Strict;
    }
    let Some(workload) = of_workload else {
        return (strict, false);
    };
    match workload.mode {
        Some(Strict) => strict = true,
        Some(Permissive | Disable) => strict = false,
        None => {}
    }
    let mut own = false;
    if !workload.ports.is_empty() {
        let any = |wanted: &[MtlsMode]| {
            let mut set = workload.ports.values().flatten();
            set.any(|mode| wanted.contains(mode))
        };
        match workload.mode {
            Some(Strict) => own = any(&[Permissive, Disable]),
            Some(Permissive | Disable) => own = any(&[Strict]),
            None if strict => own = any(&[Permissive]),
            None => own = any(&[Strict]),
        }
        if own {
            strict = false;
        }
    }
    (strict, own)
}

/// The oldest of a list that has no order: any of its second.
fn oldest<'a>(
    list: impl Iterator<Item = &'a PeerAuthentication> + Clone,
) -> Vec<Option<&'a PeerAuthentication>> {
    let created = |policy: &&PeerAuthentication| policy.created.clone();
    let Some(first) = list.clone().map(|policy| created(&policy)).min() else {
        return vec![None];
    };
    list.filter(|policy| created(policy) == first)
        .map(Some)
        .collect()
}

/// Whether ztunnel refuses a stranger, for every list order that istiod may meet.
fn refusals(cluster: &[PeerAuthentication], pods: &Workload, port: u16) -> BTreeSet<bool> {
    let own = pods.object.namespace.as_str();
    let fetched = |policy: &&PeerAuthentication| {
        let mut selector = policy.selector.iter();
        let selects = selector.all(|(key, value)| pods.labels.get(key) == Some(value));
        match policy.object.namespace.as_str() {
            ROOT if !policy.selector_written => true,
            namespace => namespace == own && selects,
        }
    };
    let listed: Vec<_> = cluster.iter().filter(fetched).collect();
    let at = |in_root: bool, selects: bool| {
        let stands_there = move |policy: &&PeerAuthentication| {
            (policy.object.namespace == ROOT) == in_root && policy.selector.is_empty() != selects
        };
        oldest(listed.iter().copied().filter(stands_there))
    };
    let indexed = |namespace: &str| {
        let of_namespace = |policy: &&PeerAuthentication| {
            policy.object.namespace == namespace && !policy.selector_written
        };
        oldest(cluster.iter().filter(of_namespace))
    };
    let mut refusals = BTreeSet::new();
    for of_mesh in at(true, false) {
        for of_namespace in at(false, false) {
            for of_workload in at(false, true) {
                let (strict, own_policy) = keys(of_mesh, of_namespace, of_workload);
                if !own_policy {
                    refusals.insert(strict);
                    continue;
                }
                let workload = of_workload.expect("its policy is referred to");
                for namespace in indexed(own) {
                    for root in indexed(ROOT) {
                        let policy = converted(workload, namespace, root);
                        let refuses = |has_identity| {
                            policy
                                .as_ref()
                                .is_some_and(|policy| denies(policy, has_identity, port))
                        };
                        assert!(!refuses(true), "members of the mesh always get in");
                        refusals.insert(strict || refuses(false));
                    }
                }
            }
        }
    }
    refusals
}

fn ask(draw: &Draw, settings: &Settings) -> Mode {
    let mesh = Mesh {
        inventory: &draw.inventory,
        settings,
    };
    mode_in_ambient(&mesh, &draw.pods, Some(draw.port))
}

/// A corrected policy gets a time that no other has, just before those of its second: once by name, once against it.
fn apart(cluster: &[PeerAuthentication], draw: &Draw) -> [Vec<PeerAuthentication>; 2] {
    ["abcde", "edcba"].map(|order| {
        let mut cluster = cluster.to_vec();
        for policy in &mut cluster {
            let is_corrected = draw
                .inventory
                .policies
                .iter()
                .any(|drawn| drawn.object == policy.object && !drawn.refused.is_empty());
            if is_corrected {
                let place = order.find(&policy.object.name);
                let just_before = format!(".{}Z", place.expect("a drawn name"));
                policy.created = policy
                    .created
                    .take()
                    .map(|time| time.replace('Z', &just_before));
            }
        }
        cluster
    })
}

/// Compares one draw; says whether it is decided and known.
fn check(draw: &Draw, settings: &Settings, gaps: Gaps) -> (bool, bool, Mode) {
    let policies = &draw.inventory.policies;
    let outcomes: BTreeSet<bool> = if gaps.undated || gaps.refused {
        clusters(policies)
            .into_iter()
            .flat_map(|cluster| apart(&cluster, draw))
            .flat_map(|cluster| refusals(&cluster, &draw.pods, draw.port))
            .collect()
    } else {
        refusals(policies, &draw.pods, draw.port)
    };
    let answer = ask(draw, settings);
    let told = || format!("{draw:#?}\n{outcomes:?}\n{answer:#?}");
    let strict = answer.fact.value.map(|mode| mode == Strict);
    match (strict, answer.undecided.is_empty()) {
        (Some(strict), true) => {
            assert_eq!(outcomes, BTreeSet::from([strict]), "{}", told());
            // Neither: another order leaves the mode to Istio's default.
            let leaves_it = |policy: &PeerAuthentication| policy.mode.is_none();
            let is_neither = !answer.fact.proven && !answer.assumed;
            assert!(!is_neither || policies.iter().any(leaves_it), "{}", told());
            assert!(!answer.fact.proven || !answer.assumed, "{}", told());
        }
        (Some(_), false) => {
            assert!(outcomes.len() > 1 && !answer.fact.proven, "{}", told());
            for undecided in &answer.undecided {
                let first = undecided.policies.iter().map(|policy| &policy.name).min();
                assert_eq!(first, Some(&undecided.chosen.name), "{}", told());
            }
        }
        (None, _) => {
            let is_refused = |policy: &PeerAuthentication| !policy.refused.is_empty();
            let gap = draw.inventory.policies.iter().any(is_refused);
            assert!(outcomes.len() > 1 && gap, "{}", told());
            assert!(!answer.fact.proven && !answer.assumed, "{}", told());
        }
    }
    (answer.undecided.is_empty(), strict.is_some(), answer)
}

/// All dated, though many of one second.
#[test]
fn known_clusters() {
    let settings = settings(None);
    let mut random = Random(0xA3B1_E27C_0FFE_E411);
    let everything = Gaps {
        undated: false,
        refused: false,
    };
    let mut undecided = 0;
    for at in 0..100_000 {
        let mut draw = random.draw(everything);
        let (is_decided, is_known, answer) = check(&draw, &settings, everything);
        assert!(is_known, "{draw:#?}");
        undecided += u32::from(!is_decided);
        if at % 4 == 0 {
            random.shuffle(&mut draw);
            assert_eq!(ask(&draw, &settings), answer, "{draw:#?}");
        }
    }
    assert!(undecided > 1000, "{undecided}");
}

/// Something open.
#[test]
fn clusters_with_gaps() {
    let settings = settings(None);
    let mut random = Random(0x7E57_AB1E_5EED_0001);
    let (mut decided, mut undecided, mut unknown) = (0, 0, 0);
    for _ in 0..6_000 {
        let gaps = Gaps {
            undated: random.below(4) > 0,
            refused: random.below(3) == 0,
        };
        let mut draw = random.draw(gaps);
        let (is_decided, is_known, answer) = check(&draw, &settings, gaps);
        match (is_known, is_decided) {
            (false, _) => unknown += 1,
            (true, false) => undecided += 1,
            (true, true) => decided += 1,
        }
        random.shuffle(&mut draw);
        assert_eq!(ask(&draw, &settings), answer, "{draw:#?}");
    }
    assert!(
        decided > 2000 && undecided > 200 && unknown > 200,
        "{decided} decided, {undecided} undecided, {unknown} unknown"
    );
}
