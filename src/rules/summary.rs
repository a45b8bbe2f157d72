//! What do the targets of one endpoint demand together?
//!
//! Authority: the rows of the endpoint table.
//! Departs from nothing.
//! Knows: judged targets. Does not know: how the endpoint is written.

use super::decision::{Demand, Wanted};
use super::demand::{Aside, Judged};
use crate::config::{Config, InjectionUnknown};
use crate::policy::DataPlane;

/// The demands of all targets of an endpoint, as one row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Summary {
    /// All mutual TLS.
    MutualTls,
    /// All plain.
    Plain {
        /// For every target, objects or explicit configuration say so.
        proven: bool,
    },
    /// Some mutual TLS, some plain.
    Mixed,
    /// Some mutual TLS if they have a sidecar, which nobody says; nothing else unknown.
    InjectionUnknown {
        /// The label that the injector sets tells exactly which targets want mutual TLS.
        tellable: bool,
    },
    /// Nothing known, or something unknown beside what is known.
    Unknown {
        /// What is known is plain, and something is known.
        known_are_plain: bool,
    },
    /// No target lets this scraper in, whatever the endpoint says.
    Unreachable,
}

impl Summary {
    /// What two scrapers' demands have in common: proof and tellability count only where both have
    /// them; `None` where the scrapers would need different settings.
    pub(super) fn in_common(self, other: Self) -> Option<Self> {
        use Summary::{InjectionUnknown, Mixed, MutualTls, Plain, Unknown, Unreachable};
        Some(match (self, other) {
            (MutualTls, MutualTls) => MutualTls,
            (Plain { proven: a }, Plain { proven: b }) => Plain { proven: a && b },
            // One rule may serve them all: that depends on the targets, not on who asks.
            (Mixed, Mixed | MutualTls | Plain { .. }) | (MutualTls | Plain { .. }, Mixed) => Mixed,
            (InjectionUnknown { tellable: a }, InjectionUnknown { tellable: b }) => {
                InjectionUnknown { tellable: a && b }
            }
            (Unknown { known_are_plain: a }, Unknown { known_are_plain: b }) => Unknown {
                known_are_plain: a && b,
            },
            (Unknown { known_are_plain }, Plain { .. })
            | (Plain { .. }, Unknown { known_are_plain }) => Unknown { known_are_plain },
            (Unknown { .. }, _) | (_, Unknown { .. }) => Unknown {
                known_are_plain: false,
            },
            (Unreachable, Unreachable) => Unreachable,
            _ => return None,
        })
    }
}

/// Sums up. Unreachable targets leave the answer to the others.
pub(super) fn summarise(judged: &[Judged], has_gaps: bool, config: &Config) -> Summary {
    let demands = |demand| judged.iter().filter(move |one| one.shown.demand == demand);
    let any = |demand| demands(demand).next().is_some();
    let strict = any(Demand::MutualTls);
    let maybe = any(Demand::MutualTlsIfInjected);
    let plain = any(Demand::Plain);
    if has_gaps || any(Demand::Unknown) || judged.is_empty() {
        return Summary::Unknown {
            known_are_plain: plain && !strict && !maybe,
        };
    }
    // The label says "injected", so it tells targets apart only where every plain one has no sidecar.
    let plain_without_sidecar = demands(Demand::Plain).all(|one| {
        one.shown.data_plane == Some(DataPlane::None) && one.aside != Some(Aside::OwnPod)
    });
    let addressed_as_pods = judged.iter().all(|one| one.addressed_as_pod);
    let tellable = plain_without_sidecar && addressed_as_pods;
    let assumed = maybe && config.injection_unknown == InjectionUnknown::Assume;
    match (strict, maybe, plain) {
        (_, true, true) if assumed => Summary::Mixed,
        (_, true, _) => Summary::InjectionUnknown { tellable },
        (true, false, true) => Summary::Mixed,
        (true, false, false) => Summary::MutualTls,
        (false, false, true) => Summary::Plain {
            proven: demands(Demand::Plain).all(|one| one.shown.proven),
        },
        (false, false, false) => Summary::Unreachable,
    }
}

/// What the endpoint should speak.
pub(super) fn wanted(demands: Option<Summary>, config: &Config) -> Wanted {
    match demands {
        Some(Summary::MutualTls) => Wanted::MutualTls,
        Some(Summary::Plain { .. }) => Wanted::Plain,
        Some(Summary::Mixed) | None => Wanted::PerTarget,
        Some(Summary::InjectionUnknown { tellable }) => match config.injection_unknown {
            InjectionUnknown::Assume => Wanted::MutualTls,
            InjectionUnknown::Relabel if tellable => Wanted::PerTarget,
            InjectionUnknown::Relabel | InjectionUnknown::Ignore => Wanted::Unknown,
        },
        Some(Summary::Unknown {
            known_are_plain: true,
        }) => Wanted::Plain,
        Some(
            Summary::Unknown {
                known_are_plain: false,
            }
            | Summary::Unreachable,
        ) => Wanted::Unknown,
    }
}
