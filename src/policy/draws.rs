//! Which policies and pods do the tests at random draw?
//!
//! Authority: none, test data; the seed is fixed, so that a failure comes again.
//! Departs from nothing.
//! Knows: everything that a PeerAuthentication can say. Does not know: what comes of it.

use super::fixture::{ROOT, in_order_of_namespaces, inventory, labels, policy, workload};
use crate::model::{Inventory, MtlsMode, PeerAuthentication, Workload};
use MtlsMode::{Disable, Permissive, Strict};

/// Creation times, oldest first; a policy without one may have any of these, or `BEFORE` or `AFTER`.
pub(super) const TIMES: [&str; 2] = ["2024-01-01T00:00:01Z", "2024-01-01T00:00:02Z"];
/// Older than all `TIMES`.
pub(super) const BEFORE: &str = "2024-01-01T00:00:00Z";
/// Newer than all `TIMES`.
pub(super) const AFTER: &str = "2024-01-01T00:00:03Z";

const PORTS: [u16; 3] = [80, 81, 82];
type Pairs = &'static [(&'static str, &'static str)];
const SELECTORS: [Pairs; 5] = [
    &[("app", "web")],
    &[("tier", "front")],
    &[("app", "web"), ("tier", "front")],
    &[("app", "db")],
    &[],
];
const PODS: [Pairs; 4] = [
    &[("app", "web")],
    &[("app", "web"), ("tier", "front")],
    &[("tier", "back"), ("app", "web")],
    &[("app", "db")],
];

/// How a draw differs from a mesh of which everything is known.
#[derive(Clone, Copy)]
pub(super) struct Gaps {
    /// Some policies have no creationTimestamp.
    pub(super) undated: bool,
    /// Some policies are refused by the API server.
    pub(super) refused: bool,
}

/// A mesh, pods in it, and a port of theirs.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    pub(super) inventory: Inventory,
    pub(super) pods: Workload,
    pub(super) port: u16,
}

/// xorshift64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).expect("small")).expect("small")
    }

    pub(super) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn mode(&mut self) -> Option<MtlsMode> {
        self.one_of(&[None, Some(Strict), Some(Permissive), Some(Disable), None])
    }

    pub(super) fn draw(&mut self, gaps: Gaps) -> Draw {
        let count = self.below(6);
        let mut policies = Vec::<PeerAuthentication>::new();
        let mut open = 0;
        for name in &["a", "b", "c", "d", "e"][..count] {
            let mut policy = self.policy(name);
            // Each gap multiplies the clusters to look at.
            if gaps.undated && open < 2 && self.below(2) == 0 {
                policy.created = None;
                open += 1;
            }
            if gaps.refused && open < 3 && self.below(4) == 0 {
                policy = policy.refused("drawn");
                open += 1;
            }
            let at = self.below(policies.len() + 1);
            policies.insert(at, policy);
        }
        let namespace = self.one_of(&["shop", "shop", "shop", "other", ROOT]);
        let labels = self.one_of(&PODS);
        Draw {
            inventory: inventory(Vec::new(), policies),
            pods: workload(namespace, labels),
            port: self.one_of(&PORTS),
        }
    }

    fn policy(&mut self, name: &str) -> PeerAuthentication {
        let namespace = self.one_of(&[ROOT, "shop", "shop", "shop", "other"]);
        let mut policy = policy(namespace, name, self.mode()).created(self.one_of(&TIMES));
        if self.below(2) == 0 {
            policy.selector = labels(self.one_of(&SELECTORS));
            policy.selector_written = true;
            let has_ports = !policy.selector.is_empty() && self.below(3) > 0;
            for port in PORTS {
                if has_ports && self.below(2) == 0 {
                    policy.ports.insert(port, self.mode());
                }
            }
        }
        policy
    }

    /// Brings the policies into another order, as far as reading leaves them one: within their namespaces.
    pub(super) fn shuffle(&mut self, draw: &mut Draw) {
        draw.inventory.index = None;
        let policies = &mut draw.inventory.policies;
        for at in (1..policies.len()).rev() {
            policies.swap(at, self.below(at + 1));
        }
        in_order_of_namespaces(policies);
    }
}

/// Every way in which the gaps of a draw can be closed; with several dates for an undated policy, and a refused one
/// absent, or corrected to any mode. A corrected one is of no second in which another is: `distinct` policies are told
/// apart by their time alone.
pub(super) fn clusters(policies: &[PeerAuthentication]) -> Vec<Vec<PeerAuthentication>> {
    let mut clusters = vec![Vec::new()];
    for policy in policies {
        let times = match policy.created.as_deref() {
            Some(time) => vec![time],
            None => vec![BEFORE, TIMES[0], TIMES[1], AFTER],
        };
        let dated = times
            .into_iter()
            .map(|time| policy.clone().created(time))
            .collect::<Vec<_>>();
        let versions = if policy.refused.is_empty() {
            dated.into_iter().map(Some).collect::<Vec<_>>()
        } else {
            [Some(Strict), Some(Permissive), Some(Disable), None]
                .into_iter()
                .flat_map(|mode| {
                    dated.iter().map(move |policy| {
                        let mut corrected = policy.clone();
                        corrected.refused.clear();
                        corrected.ports.clear();
                        corrected.mode = mode;
                        Some(corrected)
                    })
                })
                .chain([None])
                .collect()
        };
        clusters = clusters
            .into_iter()
            .flat_map(|cluster: Vec<PeerAuthentication>| {
                versions
                    .iter()
                    .map(move |version| cluster.iter().cloned().chain(version.clone()).collect())
            })
            .collect();
    }
    clusters
}
