//! Which policies are meant for a port, level by level, and what becomes of each?
//!
//! Authority: `ComposePeerAuthentication`, istio/istio pilot/pkg/security/authn/policy_applier.go; `addPeerAuthentication`, pilot/pkg/model/authentication.go.
//! Departs from it: Istio keeps only the winners; here the others stay, each with the reason why it has no say.
//! Knows: who stands at each level, what holds below all of them. Does not know: injection, capture, who asks.

use super::mode::{Floor, each_once};
use super::precedence::{Doubt, Doubtful, Ignored, Level, Standing};
use super::{named, spelled};
use crate::model::{MtlsMode, PeerAuthentication};

/// One policy on the way from the port to the mesh, or Istio's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it stands.
    pub level: Rung,
    /// `PeerAuthentication shop/web`; `None`: no policy, but what holds where none sets a mode.
    pub policy: Option<String>,
    /// What it says; `None`: UNSET.
    pub says: Option<MtlsMode>,
    /// What becomes of it.
    pub part: Part,
    /// Why, in words.
    pub why: String,
}

/// The levels, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// `portLevelMtls` of the workload's policy.
    Port,
    /// A policy with a selector.
    Workload,
    /// A policy without selector.
    Namespace,
    /// A policy without selector in the root namespace.
    Mesh,
    /// No policy.
    Default,
}

impl From<Level> for Rung {
    fn from(level: Level) -> Self {
        match level {
            Level::Workload => Self::Workload,
            Level::Namespace => Self::Namespace,
            Level::Mesh => Self::Mesh,
        }
    }
}

/// What becomes of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It sets the mode.
    Decides,
    /// It is UNSET: the next wider level is asked.
    Inherits,
    /// A narrower one decides.
    Overridden,
    /// Another one of its level wins.
    Lost,
    /// Istio passes over it.
    Ignored,
    /// The API server refuses it.
    Refused,
    /// Whether it counts is not known.
    Possible,
}

/// The chain for a port; `None`: for any port that no policy lists.
///
/// `in_doubt` is a policy that would lead to another mode if it counts: then nothing decides.
pub(super) fn chain(
    standings: &[Standing<'_>; 3],
    floor: &Floor,
    port: Option<u16>,
    in_doubt: Option<&PeerAuthentication>,
) -> Vec<Link> {
    let mut chain = Chain {
        links: Vec::new(),
        decider: None,
        in_doubt: in_doubt.map(short),
    };
    for standing in standings.iter().rev() {
        chain.add(standing, port);
    }
    if chain.decider.is_none() || floor.configured {
        chain.weigh(Rung::Default, None, Some(floor.mode), &floor.because);
    }
    // It is kept for each target.
    chain.links.shrink_to_fit();
    chain.links
}

/// The chain where it is not known which of two holds, or where both do, for different ports.
pub(super) fn either(one: Vec<Link>, other: Vec<Link>) -> Vec<Link> {
    let in_both: Vec<Link> = one
        .iter()
        .filter(|link| other.contains(link))
        .cloned()
        .collect();
    let mut both: Vec<Link> = one.into_iter().chain(other).collect();
    for link in &mut both {
        if link.part == Part::Decides && !in_both.contains(link) {
            link.part = Part::Possible;
            "it decides in one of the cases that are open".clone_into(&mut link.why);
        }
    }
    both.sort_by_key(|link| link.level);
    let both = each_once(both);
    // What has a say in one case is not also told as overridden in the other.
    let has_a_say = |overridden: &Link| {
        both.iter().any(|link| {
            (link.level, &link.policy) == (overridden.level, &overridden.policy)
                && link.part != Part::Overridden
        })
    };
    both.iter()
        .filter(|link| link.part != Part::Overridden || !has_a_say(link))
        .cloned()
        .collect()
}

/// The chain of a port that a policy opens and ztunnel keeps closed: what it passes over has no say, the next wider STRICT has.
pub(super) fn closed_for_ztunnel(mut links: Vec<Link>) -> Vec<Link> {
    let mut passed_over = false;
    for link in &mut links {
        let (part, why) = match (link.part, link.says) {
            (Part::Decides, _) => {
                passed_over = true;
                (Part::Ignored, "ztunnel passes over it")
            }
            (Part::Overridden, None) if passed_over => (Part::Inherits, "the wider level is asked"),
            (Part::Overridden, Some(MtlsMode::Strict)) if passed_over => {
                passed_over = false;
                (Part::Decides, "what ztunnel enforces instead")
            }
            _ => continue,
        };
        link.part = part;
        why.clone_into(&mut link.why);
    }
    links
}

/// The chain of a port that a policy closes and ztunnel leaves open.
pub(super) fn opened_for_ztunnel(mut links: Vec<Link>) -> Vec<Link> {
    for link in links.iter_mut().filter(|link| link.part == Part::Decides) {
        link.part = Part::Ignored;
        "what istiod makes of these policies for ztunnel does not guard the port"
            .clone_into(&mut link.why);
    }
    links
}

/// The chain so far.
struct Chain {
    links: Vec<Link>,
    /// The first that sets a mode.
    decider: Option<String>,
    in_doubt: Option<String>,
}

impl Chain {
    fn add(&mut self, standing: &Standing<'_>, port: Option<u16>) {
        let level = standing.level;
        if let Some(winner) = standing.contenders.first() {
            let name = short(winner);
            let assumed = standing.contenders.len() > 1;
            let why = if assumed {
                "taken as the oldest of its level, by its name"
            } else {
                "the narrowest that sets a mode"
            };
            if let Some((port, mode)) = entry(winner, level, port) {
                let name = format!("port {port} of {name}");
                self.weigh(Rung::Port, Some((winner, name)), mode, why);
            }
            let why = match (level, winner.mode) {
                (Level::Mesh, None) => "UNSET for the whole mesh means PERMISSIVE",
                (Level::Mesh | Level::Namespace | Level::Workload, _) => why,
            };
            self.weigh(level.into(), Some((winner, name.clone())), winner.mode, why);
            for other in standing.contenders.iter().skip(1) {
                let why = match short(other) == name {
                    true => "another version of it is taken to count".to_owned(),
                    false => format!("{} is taken as older, by its name", short(winner)),
                };
                self.set_aside(other, level, port, Part::Lost, &why);
            }
        }
        for (loser, winner) in &standing.outlived {
            let why = match loser.created == winner.created {
                true => format!("{} is as old, and its name is smaller", short(winner)),
                false => format!("{} is older", short(winner)),
            };
            self.set_aside(loser, level, port, Part::Lost, &why);
        }
        for Doubtful { policy, doubt } in &standing.doubtful {
            let (part, why) = doubted(policy, *doubt);
            self.set_aside(policy, level, port, part, &why);
        }
        for Ignored {
            policy,
            of_other_revision,
        } in &standing.ignored
        {
            let why = match (of_other_revision, policy.revision.as_deref()) {
                (true, Some("") | None) => "no istiod has an empty revision".to_owned(),
                (true, Some(revision)) => {
                    format!("for revision {revision}, which the pods do not obey")
                }
                (false, _) => "selectors do not count in the root namespace".to_owned(),
            };
            self.set_aside(policy, level, port, Part::Ignored, &why);
        }
    }

    /// One that counts: it decides unless a narrower one does.
    fn weigh(
        &mut self,
        level: Rung,
        policy: Option<(&PeerAuthentication, String)>,
        says: Option<MtlsMode>,
        why: &str,
    ) {
        // At mesh level there is nothing wider to ask.
        let sets_a_mode = says.is_some() || level == Rung::Mesh;
        let (part, why) = match (&self.decider, sets_a_mode, &self.in_doubt) {
            (Some(decider), _, None) => (Part::Overridden, format!("{decider} decides")),
            (Some(decider), _, Some(_)) => (Part::Overridden, format!("{decider} is narrower")),
            (None, false, _) => (Part::Inherits, "the wider level is asked".to_owned()),
            (None, true, None) => (Part::Decides, why.to_owned()),
            (None, true, Some(in_doubt)) => (
                Part::Possible,
                format!("it decides unless {in_doubt} counts"),
            ),
        };
        let name = policy
            .as_ref()
            .map(|(policy, _)| named(&policy.object).to_string());
        if self.decider.is_none() && sets_a_mode {
            self.decider = Some(policy.map_or_else(|| why.clone(), |(_, name)| name));
        }
        self.links.push(Link {
            level,
            policy: name,
            says,
            part,
            why,
        });
    }

    /// One that does not count, or perhaps not.
    fn set_aside(
        &mut self,
        policy: &PeerAuthentication,
        level: Level,
        port: Option<u16>,
        part: Part,
        why: &str,
    ) {
        let (level, says) = match entry(policy, level, port) {
            Some((_, Some(mode))) => (Rung::Port, Some(mode)),
            Some((_, None)) | None => (level.into(), policy.mode),
        };
        self.links.push(Link {
            level,
            policy: Some(named(&policy.object).to_string()),
            says,
            part,
            why: why.to_owned(),
        });
    }
}

/// `shop/web`: beside other policies nobody needs the kind.
fn short(policy: &PeerAuthentication) -> String {
    format!("{}/{}", policy.object.namespace, policy.object.name)
}

/// What a policy lists for a port, UNSET too.
fn entry(
    policy: &PeerAuthentication,
    level: Level,
    port: Option<u16>,
) -> Option<(u16, Option<MtlsMode>)> {
    let port = port.filter(|_| level == Level::Workload)?;
    policy.ports.get(&port).map(|mode| (port, *mode))
}

fn doubted(policy: &PeerAuthentication, doubt: Doubt) -> (Part, String) {
    match doubt {
        Doubt::Refused => (Part::Refused, policy.refused.join("; ")),
        Doubt::Selection => (
            Part::Possible,
            "not all labels of the pods are known".to_owned(),
        ),
        Doubt::Unseen => (
            Part::Possible,
            "taken not to match the unseen pods".to_owned(),
        ),
        Doubt::Version => (Part::Possible, "another version of it may count".to_owned()),
        Doubt::Revision => (
            Part::Possible,
            format!(
                "of revision {}; the pods' is not known",
                policy.revision.as_deref().unwrap_or_default()
            ),
        ),
    }
}

impl Rung {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Workload => "workload",
            Self::Namespace => "namespace",
            Self::Mesh => "mesh",
            Self::Default => "default",
        }
    }
}

impl Part {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::Inherits => "inherits",
            Self::Overridden => "overridden",
            Self::Lost => "lost",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Possible => "possible",
        }
    }
}

impl Link {
    /// The mode as PeerAuthentication spells it.
    pub fn mode(&self) -> &'static str {
        spelled(self.says)
    }
}

#[cfg(test)]
mod tests;
