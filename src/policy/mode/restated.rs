//! Does `mode` say what Istio's rules say, told a second time?
//!
//! Authority: the rules in words: candidates by namespace and selector, a level for each, the oldest of a level, UNSET inherits,
//! ports of the workload's policy alone.
//! Departs from it: what the input leaves open is tried out.
//! Knows: drawn policies. Does not know: anything of the code that it checks.

use super::*;
use crate::policy::Settings;
use crate::policy::draws::{Draw, Gaps, Random, clusters};
use crate::policy::fixture::{ROOT, settings};

/// What a cluster enforces, and whether any policy says so.
fn enforced(cluster: &[PeerAuthentication], pods: &Workload, port: u16) -> (MtlsMode, bool) {
    let is_candidate = |policy: &&PeerAuthentication| {
        let of_root = policy.object.namespace == ROOT;
        let of_pods = policy.object.namespace == pods.object.namespace;
        let mut selector = policy.selector.iter();
        (of_root || of_pods) && selector.all(|(key, value)| pods.labels.get(key) == Some(value))
    };
    let (mut of_mesh, mut of_namespace, mut of_workload) = (None, None, None);
    for policy in cluster.iter().filter(is_candidate) {
        let level = match (policy.object.namespace.as_str(), policy.selector.len()) {
            (ROOT, 0) => &mut of_mesh,
            (ROOT, _) => continue,
            (_, 0) => &mut of_namespace,
            (_, _) => &mut of_workload,
        };
        let age = |policy: &PeerAuthentication| {
            let name = policy.object.name.clone();
            (policy.created.clone().expect("a cluster knows"), name)
        };
        match *level {
            Some(oldest) if age(oldest) <= age(policy) => {}
            Some(_) | None => *level = Some(policy),
        }
    }
    let mut mode = MtlsMode::Permissive;
    let mut is_said = false;
    if let Some(policy) = of_mesh {
        is_said = true;
        if let Some(set) = policy.mode {
            mode = set;
        }
    }
    if let Some(set) = of_namespace.and_then(|policy| policy.mode) {
        is_said = true;
        mode = set;
    }
    if let Some(set) = of_workload.and_then(|policy| policy.mode) {
        is_said = true;
        mode = set;
    }
    if let Some(Some(Some(set))) = of_workload.map(|policy| policy.ports.get(&port)) {
        is_said = true;
        mode = *set;
    }
    (mode, is_said)
}

fn ask(draw: &Draw, settings: &Settings) -> Mode {
    let mesh = Mesh {
        inventory: &draw.inventory,
        settings,
    };
    mode(&mesh, &draw.pods, Some(draw.port))
}

/// Everything known: the same mode, proven by whoever says so, and nothing undecided.
#[test]
fn known_clusters() {
    let settings = settings(None);
    let mut random = Random(0x51A7_0B5E_CADE_2026);
    let everything = Gaps {
        undated: false,
        refused: false,
    };
    for at in 0..100_000 {
        let mut draw = random.draw(everything);
        let (expected, is_said) = enforced(&draw.inventory.policies, &draw.pods, draw.port);
        let answer = ask(&draw, &settings);
        assert_eq!(
            (answer.fact.value, answer.fact.proven, answer.assumed),
            (Some(expected), is_said, !is_said),
            "{draw:#?}\n{answer:#?}"
        );
        assert_eq!(answer.undecided, [], "{draw:#?}");
        if at % 4 == 0 {
            random.shuffle(&mut draw);
            assert_eq!(ask(&draw, &settings), answer, "{draw:#?}");
            draw.inventory.index_labels();
            assert_eq!(ask(&draw, &settings), answer, "by label: {draw:#?}");
        }
    }
}

/// What cannot be ordered is told by name.
fn names_the_first(undecided: &Undecided) -> bool {
    let first = undecided.policies.iter().map(|policy| &policy.name).min();
    first == Some(&undecided.chosen.name)
}

/// Something open: what every cluster agrees on is the answer; where they do not, the answer says so.
#[test]
fn clusters_with_gaps() {
    let settings = settings(None);
    let mut random = Random(0x0DD5_EED0_F00D_1D1D);
    let (mut decided, mut undecided, mut unknown) = (0, 0, 0);
    for _ in 0..8_000 {
        let gaps = Gaps {
            undated: random.below(4) > 0,
            refused: random.below(3) == 0,
        };
        let mut draw = random.draw(gaps);
        let outcomes: BTreeSet<_> = clusters(&draw.inventory.policies)
            .iter()
            .map(|cluster| enforced(cluster, &draw.pods, draw.port).0)
            .collect();
        let answer = ask(&draw, &settings);
        draw.inventory.index_labels();
        assert_eq!(ask(&draw, &settings), answer, "by label: {draw:#?}");
        let told = || format!("{draw:#?}\n{outcomes:?}\n{answer:#?}");
        match (answer.fact.value, answer.undecided.is_empty()) {
            (Some(value), true) => {
                decided += 1;
                assert_eq!(outcomes, BTreeSet::from([value]), "{}", told());
            }
            (Some(value), false) => {
                undecided += 1;
                assert!(
                    outcomes.contains(&value) && outcomes.len() > 1,
                    "{}",
                    told()
                );
                assert!(!answer.fact.proven, "{}", told());
                assert!(answer.undecided.iter().all(names_the_first), "{}", told());
            }
            (None, _) => {
                unknown += 1;
                let is_refused = draw
                    .inventory
                    .policies
                    .iter()
                    .any(|policy| !policy.refused.is_empty());
                assert!(outcomes.len() > 1 && is_refused, "{}", told());
                assert!(!answer.fact.proven && !answer.assumed, "{}", told());
            }
        }
        random.shuffle(&mut draw);
        assert_eq!(ask(&draw, &settings), answer, "{draw:#?}");
    }
    assert!(
        decided > 2000 && undecided > 200 && unknown > 200,
        "{decided} decided, {undecided} undecided, {unknown} unknown"
    );
}
