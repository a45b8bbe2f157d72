//! Does `mode` hold in every cluster that the input allows?
//!
//! Authority: a second statement of `ComposePeerAuthentication`, written apart from the first.
//! Departs from it: clusters are tried out one by one, with all dates, versions and labels that the input leaves open.
//! Knows: PeerAuthentication, labels, ports. Does not know: how the first statement is built.

use MtlsMode::{Disable, Permissive, Strict};

use super::*;
use crate::model::{Inventory, PodsKnown};
use crate::policy::draws::Random;
use crate::policy::fixture::{ROOT, inventory, labels, mesh, policy, settings, workload};

const WEB: &[(&str, &str)] = &[("app", "web")];

/// The pods behind a Service that is all that is known of them.
fn behind_a_service() -> Workload {
    Workload {
        known: PodsKnown::SelectorOnly,
        ..workload("shop", WEB)
    }
}

/// Dates of policies that have one.
const DATES: [&str; 3] = [
    "2024-01-01T00:00:01Z",
    "2024-01-01T00:00:02Z",
    "2024-01-01T00:00:03Z",
];

/// Dates that a policy without one may have: before, between and after the others.
const ANY_DATE: [&str; 5] = [
    "2024-01-01T00:00:00Z",
    DATES[0],
    DATES[1],
    DATES[2],
    "2024-01-01T00:00:04Z",
];

impl Random {
    fn any_mode(&mut self) -> Option<MtlsMode> {
        self.one_of(&[None, Some(Strict), Some(Permissive), Some(Disable)])
    }

    fn policy_with_dates(&mut self, all: bool) -> PeerAuthentication {
        let namespace = self.one_of(&[ROOT, "shop", "shop", "shop", "other"]);
        let name = self.one_of(&["a", "b", "c", "d", "e", "f"]);
        let mut policy = policy(namespace, name, self.any_mode());
        if self.one_of(&[true, false]) {
            let choices = [
                vec![("app", "web")],
                vec![("tier", "x")],
                vec![("app", "web"), ("tier", "y")],
                vec![("app", "db")],
            ];
            policy.selector = labels(&self.one_of(&choices));
            for port in [80, 81] {
                if self.one_of(&[true, false, false]) {
                    policy.ports.insert(port, self.any_mode());
                }
            }
        }
        if all || self.one_of(&[true, false]) {
            policy.created = Some(self.one_of(&DATES).to_owned());
        }
        policy
    }
}

/// Spec as a list of rules, most specific first, over one sorted list.
fn istio(
    policies: &[PeerAuthentication],
    default: MtlsMode,
    pod: &[(&str, &str)],
    port: u16,
) -> MtlsMode {
    let mut by_age: Vec<_> = policies.iter().collect();
    by_age.sort_by_key(|policy| (policy.created.clone(), policy.object.name.clone()));
    let pod = labels(pod);
    let oldest = |wanted: &dyn Fn(&PeerAuthentication) -> bool| {
        by_age.iter().find(|policy| wanted(policy)).copied()
    };
    let matching = oldest(&|policy| {
        policy.object.namespace == "shop"
            && !policy.selector.is_empty()
            && policy
                .selector
                .iter()
                .all(|(key, value)| pod.get(key) == Some(value))
    });
    let of_namespace =
        oldest(&|policy| policy.object.namespace == "shop" && policy.selector.is_empty());
    let of_mesh = oldest(&|policy| policy.object.namespace == ROOT && policy.selector.is_empty());
    if let Some(Some(mode)) = matching.and_then(|policy| policy.ports.get(&port)) {
        return *mode;
    }
    for policy in [matching, of_namespace, of_mesh].into_iter().flatten() {
        if let Some(mode) = policy.mode {
            return mode;
        }
    }
    if of_mesh.is_some() {
        Permissive
    } else {
        default
    }
}

/// What a cluster may hold instead of a policy of the input.
fn versions(policy: &PeerAuthentication) -> Vec<Option<PeerAuthentication>> {
    let times: Vec<_> = match &policy.created {
        Some(time) => vec![time.clone()],
        None => ANY_DATE.map(str::to_owned).to_vec(),
    };
    let dated = |base: &PeerAuthentication| {
        times
            .iter()
            .map(|time| Some(base.clone().created(time)))
            .collect::<Vec<_>>()
    };
    if policy.refused.is_empty() {
        return dated(policy);
    }
    let corrected = [Some(Strict), Some(Permissive), Some(Disable)]
        .into_iter()
        .flat_map(|mode| {
            dated(&PeerAuthentication {
                mode,
                ports: Default::default(),
                ..policy.clone()
            })
        });
    corrected.chain([None]).collect()
}

fn outcomes(
    policies: &[PeerAuthentication],
    default: MtlsMode,
    pods: &[&[(&str, &str)]],
    port: u16,
) -> BTreeSet<MtlsMode> {
    let mut clusters = vec![Vec::<PeerAuthentication>::new()];
    let mut done: Vec<&PeerAuthentication> = Vec::new();
    for policy in policies {
        let same = |other: &&PeerAuthentication| {
            other.object.namespace == policy.object.namespace
                && other.object.name == policy.object.name
        };
        if done.iter().any(&same) {
            continue;
        }
        done.push(policy);
        let alternatives: Vec<_> = policies
            .iter()
            .filter(|other| same(other))
            .flat_map(versions)
            .collect();
        clusters = clusters
            .iter()
            .flat_map(|cluster| {
                alternatives
                    .iter()
                    .map(move |version| cluster.iter().cloned().chain(version.clone()).collect())
            })
            .collect();
    }
    clusters
        .iter()
        .flat_map(|cluster| pods.iter().map(|pod| istio(cluster, default, pod, port)))
        .collect()
}

fn ask(inventory: &Inventory, default_mode: Option<MtlsMode>, pods: &Workload, port: u16) -> Mode {
    mode(
        &Mesh {
            settings: &settings(default_mode),
            ..mesh(inventory)
        },
        pods,
        Some(port),
    )
}

#[test]
fn dated_policies_decide_as_istio_does() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..20_000 {
        let mut policies = Vec::<PeerAuthentication>::new();
        for _ in 0..random.next() % 7 {
            let next = random.policy_with_dates(true);
            let twin = |other: &PeerAuthentication| other.object == next.object;
            if !policies.iter().any(twin) {
                policies.push(next);
            }
        }
        let port = random.one_of(&[80, 81, 82]);
        let pod: &[(&str, &str)] = random.one_of(&[
            &[("app", "web")][..],
            &[("app", "web"), ("tier", "y")],
            &[("tier", "x")],
        ]);
        let expected = istio(&policies, Permissive, pod, port);
        let actual = ask(
            &inventory(Vec::new(), policies.clone()),
            None,
            &workload("shop", pod),
            port,
        );
        assert_eq!(
            actual.fact.value,
            Some(expected),
            "{policies:#?}\n{pod:?} {port}\n{actual:#?}"
        );
        assert_eq!(actual.undecided, []);
        assert_ne!(actual.fact.proven, actual.assumed);
    }
}

#[test]
fn an_answer_holds_in_every_cluster_and_unknown_has_a_reason() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut known, mut unknown, mut undecided) = (0, 0, 0);
    for _ in 0..3_000 {
        let count = random.next() % 5;
        let mut policies = Vec::<PeerAuthentication>::new();
        for _ in 0..count {
            let next = random.policy_with_dates(false);
            let copy = |other: &PeerAuthentication| {
                other.object == next.object
                    && (&other.selector, other.mode, &other.ports)
                        == (&next.selector, next.mode, &next.ports)
            };
            if !policies.iter().any(copy) {
                policies.push(next);
            }
        }
        let refused = random.next().is_multiple_of(4) && !policies.is_empty();
        if refused {
            policies[0].refused = vec!["invalid".to_owned()];
        }
        let default_mode = if refused {
            None
        } else {
            random.one_of(&[None, Some(Strict)])
        };
        let port = random.one_of(&[80, 82]);
        let partly = random.one_of(&[true, false]);
        let pods = if partly {
            behind_a_service()
        } else {
            workload("shop", WEB)
        };
        let possible_pods: &[&[(&str, &str)]] = if partly {
            &[
                WEB,
                &[("app", "web"), ("tier", "x")],
                &[("app", "web"), ("tier", "y")],
            ]
        } else {
            &[WEB]
        };

        let outcomes = outcomes(
            &policies,
            default_mode.unwrap_or(Permissive),
            possible_pods,
            port,
        );
        let answer = ask(
            &inventory(Vec::new(), policies.clone()),
            default_mode,
            &pods,
            port,
        );
        let told = || {
            format!("{policies:#?}\n{default_mode:?} {port} {partly}\n{outcomes:?}\n{answer:#?}")
        };

        match answer.fact.value {
            Some(value) if answer.undecided.is_empty() => {
                known += 1;
                // Pods that are not in the input are taken to have no further labels: that proves nothing.
                let taken_so = partly && !answer.fact.proven && outcomes.contains(&value);
                assert!(
                    taken_so || outcomes == BTreeSet::from([value]),
                    "{}",
                    told()
                );
            }
            Some(value) => {
                undecided += 1;
                assert!(
                    outcomes.contains(&value) && outcomes.len() > 1 && !answer.fact.proven,
                    "{}",
                    told()
                );
            }
            None => {
                unknown += 1;
                // Doubts are judged one at a time, so two that exclude each other may hide the certainty.
                let twins = policies.iter().enumerate().any(|(at, one)| {
                    policies[..at]
                        .iter()
                        .any(|other| other.object == one.object)
                });
                let may_match = policies
                    .iter()
                    .filter(|policy| policy.selector.contains_key("tier"))
                    .count();
                assert!(outcomes.len() > 1 || twins || may_match > 1, "{}", told());
            }
        }

        for shift in 0..policies.len() {
            let mut permuted = policies.clone();
            permuted.rotate_left(shift);
            permuted.swap(0, shift);
            assert_eq!(
                ask(&inventory(Vec::new(), permuted), default_mode, &pods, port),
                answer,
                "{}",
                told()
            );
        }
    }
    assert!(
        known > 1000 && unknown > 200 && undecided > 100,
        "{known} known, {unknown} unknown, {undecided} undecided"
    );
}
