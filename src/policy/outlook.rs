//! Which modes can come up for a port, in every order of the policies and with every doubtful one?
//!
//! Authority: `ComposePeerAuthentication`, istio/istio pilot/pkg/security/authn/policy_applier.go, for one order without doubts.
//! Departs from it: all possible orders are looked at together, as sets of modes.
//! Knows: which policies stand at each level. Does not know: why they do, defaults, evidence.

use std::collections::BTreeSet;

use super::precedence::{Doubt, Doubtful, Level, Standing};
use crate::model::{MtlsMode, PeerAuthentication};

/// The mode that a policy sets for a port; `None`: it inherits. Ports count at workload level only, and at mesh level
/// there is nothing to inherit from: UNSET means PERMISSIVE (authentication.go `addPeerAuthentication`).
pub(super) fn says(
    policy: &PeerAuthentication,
    level: Level,
    port: Option<u16>,
) -> Option<MtlsMode> {
    let of_port = port_entry(policy, level, port).map(|(_, mode)| mode);
    let last_resort = (level == Level::Mesh).then_some(MtlsMode::Permissive);
    of_port.or(policy.mode).or(last_resort)
}

/// What `portLevelMtls` sets for a port; an entry that is UNSET leaves it to the workload's mode.
pub(super) fn port_entry(
    policy: &PeerAuthentication,
    level: Level,
    port: Option<u16>,
) -> Option<(u16, MtlsMode)> {
    let port = port.filter(|_| level == Level::Workload)?;
    policy
        .ports
        .get(&port)
        .copied()
        .flatten()
        .map(|mode| (port, mode))
}

/// The modes that can come up from a level and all wider ones.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    /// From the policies that are assumed to win.
    pub(super) assumed: MtlsMode,
    /// From every order of the policies that do count.
    in_any_order: BTreeSet<MtlsMode>,
    /// With the doubtful policies too; `None`: whatever the correction of a refused policy says.
    possible: BTreeSet<Option<MtlsMode>>,
}

impl Outlook {
    /// One mode and no other.
    pub(super) fn only(mode: MtlsMode) -> Self {
        Self {
            assumed: mode,
            in_any_order: BTreeSet::from([mode]),
            possible: BTreeSet::from([Some(mode)]),
        }
    }
}

/// One level between the wider ones and the narrower ones, for one port.
#[derive(Debug)]
pub(super) struct Tier<'a> {
    /// Who stands at the level.
    pub(super) standing: &'a Standing<'a>,
    /// The port; `None`: any that no policy lists.
    pub(super) port: Option<u16>,
    /// What comes up from the wider levels.
    wider: Outlook,
    /// What comes up with this level.
    pub(super) here: Outlook,
}

/// The levels for a port, narrowest first, above what holds without any policy.
pub(super) fn tiers<'a>(
    standings: &'a [Standing<'a>; 3],
    floor: Outlook,
    port: Option<u16>,
) -> Vec<Tier<'a>> {
    let mut wider = floor;
    let mut tiers = Vec::with_capacity(standings.len());
    for standing in standings {
        let tier = Tier::new(standing, wider, port);
        wider = tier.here.clone();
        tiers.push(tier);
    }
    tiers.reverse();
    tiers
}

/// The levels whose policies can matter: none beyond the first that decides for sure.
pub(super) fn heard<'t, 'a>(narrowest_first: &'t [Tier<'a>]) -> &'t [Tier<'a>] {
    let last = narrowest_first
        .iter()
        .position(|tier| !tier.lets_wider_levels_speak());
    last.map_or(narrowest_first, |last| &narrowest_first[..=last])
}

/// Whether no level decides for sure, so that what holds without policies may hold although one of them sets the mode.
pub(super) fn may_end_without_a_policy(standings: &[Standing<'_>; 3], port: Option<u16>) -> bool {
    standings
        .iter()
        .all(|standing| lets_wider_levels_speak(standing, port))
}

/// Whether a policy that can win at a level inherits, or nobody may be there at all.
fn lets_wider_levels_speak(standing: &Standing<'_>, port: Option<u16>) -> bool {
    let doubtful = standing
        .doubtful
        .iter()
        .filter(|doubtful| doubtful.doubt != Doubt::Refused);
    let mut winners = standing
        .contenders
        .iter()
        .copied()
        .chain(doubtful.map(|doubtful| doubtful.policy));
    standing.contenders.is_empty()
        || winners.any(|policy| says(policy, standing.level, port).is_none())
}

/// The policies that may be older than the chosen one of their level, and then leave the mode to wider levels.
pub(super) fn silent_rivals<'s, 'a>(
    standings: &'s [Standing<'a>; 3],
    port: Option<u16>,
) -> impl Iterator<Item = (&'a PeerAuthentication, Level)> + 's {
    standings.iter().rev().flat_map(move |standing| {
        let others = standing.contenders.iter().skip(1).copied();
        others
            .filter(move |policy| says(policy, standing.level, port).is_none())
            .map(|policy| (policy, standing.level))
    })
}

impl<'a> Tier<'a> {
    fn new(standing: &'a Standing<'a>, wider: Outlook, port: Option<u16>) -> Self {
        let mut tier = Self {
            standing,
            port,
            here: wider.clone(),
            wider,
        };
        if let Some(chosen) = standing.contenders.first() {
            tier.here = Outlook {
                assumed: tier.assuming(chosen),
                in_any_order: standing
                    .contenders
                    .iter()
                    .flat_map(|policy| tier.in_any_order(policy))
                    .collect(),
                possible: standing
                    .contenders
                    .iter()
                    .flat_map(|policy| tier.possible(policy))
                    .collect(),
            };
        }
        let doubtful = standing
            .doubtful
            .iter()
            .flat_map(|doubtful| tier.possible_with(doubtful))
            .collect::<Vec<_>>();
        tier.here.possible.extend(doubtful);
        tier
    }

    /// The policies that do count, may be older than the chosen one, and then lead to another mode.
    pub(super) fn rivals(&self) -> impl Iterator<Item = &'a PeerAuthentication> {
        let others = self.standing.contenders.iter().skip(1).copied();
        others.filter(|policy| self.assuming(policy) != self.here.assumed)
    }

    /// The doubtful policies that lead to a mode which no order of the others explains.
    pub(super) fn doubts(&self) -> impl Iterator<Item = &'a Doubtful<'a>> {
        self.standing
            .doubtful
            .iter()
            .filter(|doubtful| self.could_change(doubtful))
    }

    fn could_change(&self, doubtful: &Doubtful<'_>) -> bool {
        let explained = |mode: Option<MtlsMode>| {
            mode.is_some_and(|mode| self.here.in_any_order.contains(&mode))
        };
        doubtful.doubt == Doubt::Refused
            || self.assuming(doubtful.policy) != self.here.assumed
            || !self.possible_with(doubtful).into_iter().all(explained)
    }

    fn lets_wider_levels_speak(&self) -> bool {
        lets_wider_levels_speak(self.standing, self.port)
    }

    fn says(&self, policy: &PeerAuthentication) -> Option<MtlsMode> {
        says(policy, self.standing.level, self.port)
    }

    fn assuming(&self, policy: &PeerAuthentication) -> MtlsMode {
        self.says(policy).unwrap_or(self.wider.assumed)
    }

    fn in_any_order(&self, policy: &PeerAuthentication) -> BTreeSet<MtlsMode> {
        self.says(policy).map_or_else(
            || self.wider.in_any_order.clone(),
            |mode| BTreeSet::from([mode]),
        )
    }

    fn possible(&self, policy: &PeerAuthentication) -> BTreeSet<Option<MtlsMode>> {
        self.says(policy).map_or_else(
            || self.wider.possible.clone(),
            |mode| BTreeSet::from([Some(mode)]),
        )
    }

    fn possible_with(&self, doubtful: &Doubtful<'_>) -> BTreeSet<Option<MtlsMode>> {
        if doubtful.doubt == Doubt::Refused {
            BTreeSet::from([None])
        } else {
            self.possible(doubtful.policy)
        }
    }
}
