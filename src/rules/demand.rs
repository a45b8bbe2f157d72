//! What does a target demand of a scraper?
//!
//! Authority: [`demand`], the table; Istio's facts in it come from `policy`.
//! Departs from nothing: a fact that is not known, where it decides, makes the demand unknown.
//! Knows: targets, scrapers as patched, Istio's answer. Does not know: how endpoints are written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::at_port::{AtPort, at_port};
use super::decision::{Demand, JudgedTarget};
use super::originates;
use super::own_certificates;
use super::scraper::ScraperState;
use super::signs::Signs;
use super::tunnel::tunnelled;
use crate::config::MtlsMode;
use crate::model::{Inventory, Scrape, Scraper, Workload};
use crate::policy::{self, DataPlane, Fact, Mesh};
use crate::targets::{self, Elsewhere, Pods, Target};

/// A target with its demand and what the findings and the endpoint table need to know beside it.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// What is shown of it.
    pub(super) shown: Arc<JudgedTarget>,
    /// Why the table was not asked, if it was not.
    pub(super) aside: Option<Aside>,
    /// Levels of policies that disagree without an order that Git shows.
    pub(super) undecided: Vec<policy::Undecided>,
    /// The namespace is in the input without any injection label.
    pub(super) unlabelled: bool,
    /// The Namespace is not in the input and was taken as unlabelled.
    pub(super) namespace_assumed: bool,
    /// No policy says anything about the mode.
    pub(super) mode_assumed: bool,
    /// Policies or configuration prove the mode.
    pub(super) mode_proven: bool,
    /// The scraper asks the pod's own address, so labels of the pod are there when relabelling.
    pub(super) addressed_as_pod: bool,
    /// What a relabelling rule can know of it.
    pub(super) signs: Arc<Signs>,
}

/// What comes before the demand table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// Loopback never meets the sidecar.
    OwnPod,
    /// The scraper's sidecar encrypts the request itself.
    SidecarOriginatesTls,
    /// Envoy's port wants TLS, and the sidecar in front of it, under STRICT, ends the TLS before it gets there.
    EndsBeforeEnvoy,
    /// The port answers only from within the pod.
    OnlyWithin,
}

/// The demand table: what a port demands, by data plane, capture and mode.
///
/// `tunnelled` matters only under STRICT: a request that ztunnel tunnels for the scraper is mutual TLS
/// already. ztunnel at the target lets nothing else in, whatever certificate the scraper holds.
///
/// PERMISSIVE and DISABLE ports must be scraped in plain text: the sidecar terminates TLS only for
/// clients that offer Istio's ALPN, and a scraper does not (istio/istio `filterchain_options.go`).
pub(super) fn demand(
    plane: Option<DataPlane>,
    captured: Option<bool>,
    mode: Option<MtlsMode>,
    tunnelled: Option<bool>,
) -> Demand {
    use DataPlane::{Ambient, None as Outside, Sidecar};
    use MtlsMode::{Disable, Permissive, Strict};
    let tunnel_or = |otherwise| match tunnelled {
        Some(true) => Demand::Plain,
        Some(false) => otherwise,
        None => Demand::Unknown,
    };
    match (plane, captured, mode) {
        (Some(Sidecar), Some(true), Some(Strict)) => tunnel_or(Demand::MutualTls),
        (Some(Sidecar), Some(true), Some(Permissive | Disable)) => Demand::Plain,
        (Some(Sidecar), Some(false), _) => Demand::Plain,
        (Some(Outside), _, _) => Demand::Plain,
        (Some(Ambient), Some(false), _) => Demand::Plain,
        (Some(Ambient), Some(true), Some(Permissive | Disable)) => Demand::Plain,
        (Some(Ambient), Some(true), Some(Strict)) => tunnel_or(Demand::Unreachable),
        (None, Some(false), _) => Demand::Plain,
        (None, Some(true), Some(Strict)) => Demand::MutualTlsIfInjected,
        (None, Some(true) | None, Some(Permissive | Disable)) => Demand::Plain,
        (Some(Sidecar | Ambient), None, Some(Permissive | Disable)) => Demand::Plain,
        (Some(Sidecar | Ambient) | None, None, Some(Strict)) => Demand::Unknown,
        (Some(Sidecar | Ambient) | None, Some(true) | None, None) => Demand::Unknown,
    }
}

/// Judges a target as `scraper` meets it; without a scraper in the input, as any scraper outside would.
///
/// Two answers where the target can be the scraper's own pod or one of its siblings.
pub(super) fn judge(
    inventory: &Inventory,
    mesh: &Mesh<'_>,
    scraper: Option<(&Scraper, &ScraperState)>,
    scrape: &Scrape,
    target: &Target<'_>,
) -> Vec<Judged> {
    let pods = match &target.pods {
        Pods::Of(pods) => pods,
        Pods::Elsewhere(place) => return vec![elsewhere(place, target)],
    };
    if is_envoys_port(target, pods) && envoy_is_absent(mesh, pods) {
        return Vec::new();
    }
    let judged = judge_pods(mesh, scraper, target, pods);
    let judged = originates::unless_encrypted(inventory, mesh, scraper, target, pods, judged);
    match scraper {
        Some((scraper, _)) if is_own_pod(scraper, pods) => {
            let own = of_own_pod(scraper, &judged);
            let siblings = scraper.meets_siblings(scrape).then_some(judged);
            [own].into_iter().chain(siblings).collect()
        }
        Some(_) | None => vec![judged],
    }
}

fn of_own_pod(scraper: &Scraper, as_sibling: &Judged) -> Judged {
    let mut own = as_sibling.clone();
    own.aside = Some(Aside::OwnPod);
    let shown = Arc::make_mut(&mut own.shown);
    shown.demand = Demand::Plain;
    shown.proven = true;
    shown.because = vec![format!(
        "{} scrapes its own pod: loopback never meets the sidecar",
        scraper.object
    )];
    shown.chain = Vec::new();
    own
}

fn judge_pods(
    mesh: &Mesh<'_>,
    scraper: Option<(&Scraper, &ScraperState)>,
    target: &Target<'_>,
    pods: &Workload,
) -> Judged {
    let AtPort {
        injection,
        mode,
        captured,
    } = at_port(mesh, pods, target.port);
    let plane = injection.fact;
    let facts = Facts {
        tunnelled: tunnelled(mesh, scraper, pods, plane.value),
        plane: &plane,
        captured: &captured,
        mode: &mode.fact,
    };
    let mut asked = Asked::by_table(&facts, target.port);
    // Without a sidecar the settings of one mean nothing.
    let has_proxy = matches!(plane.value, Some(DataPlane::Sidecar) | None);
    let serves = policy::serves_istios_certificates(mesh, pods, target.port);
    if let Some(serves) =
        serves.filter(|_| !own_certificates::serves_text(mesh.inventory, pods, target.port))
    {
        asked.heed_own_certificates(serves, has_proxy, &facts);
    }
    asked.note_tunnel(facts);
    Judged {
        shown: Arc::new(JudgedTarget {
            kind: pods.object.kind.clone(),
            namespace: pods.object.namespace.clone(),
            name: pods.object.name.clone(),
            part: pods.part,
            port: target.port,
            via: target.via.clone(),
            data_plane: plane.value,
            // Without a known data plane only "nothing takes it" is certain.
            captured: match (plane.value, captured.value) {
                (None, Some(true)) => None,
                (_, captured) => captured,
            },
            mode: mode.fact.value,
            proven: asked.proven,
            demand: asked.demand,
            because: asked.because,
            chain: mode.chain,
        }),
        aside: asked.aside,
        undecided: mode.undecided,
        unlabelled: injection.unlabelled,
        namespace_assumed: injection.namespace_missing,
        mode_assumed: mode.assumed,
        mode_proven: mode.fact.proven,
        addressed_as_pod: target.addressed_by.is_none(),
        signs: Arc::new(Signs::of_pods(pods, target.port, plane.value)),
    }
}

/// What the table is asked about.
pub(super) struct Facts<'f> {
    /// What stands before the port.
    pub(super) plane: &'f Fact<DataPlane>,
    /// Whether it takes the connections to the port.
    pub(super) captured: &'f Fact<bool>,
    /// What the policies say.
    pub(super) mode: &'f Fact<MtlsMode>,
    tunnelled: Fact<bool>,
}

/// What a port demands, on the way from the table to the judgement.
pub(super) struct Asked {
    /// The demand.
    pub(super) demand: Demand,
    /// Whether objects or explicit configuration say all that it rests on.
    pub(super) proven: bool,
    /// The evidence, what decides most first.
    pub(super) because: Vec<String>,
    /// Why the table was not asked, if it was not.
    pub(super) aside: Option<Aside>,
}

impl Asked {
    fn by_table(facts: &Facts<'_>, port: Option<u16>) -> Self {
        let demand = demand(
            facts.plane.value,
            facts.captured.value,
            facts.mode.value,
            facts.tunnelled.value,
        );
        let mut because = because(facts.plane, facts.captured, facts.mode);
        if port.is_none() {
            because.insert(
                0,
                "no pods in the input tell the number of the port".to_owned(),
            );
        }
        Self {
            demand,
            proven: is_proven(demand, facts.plane, facts.captured, facts.mode),
            because,
            aside: None,
        }
    }

    /// A tunnel decides where the port is STRICT; that there is none, or perhaps one, is said last.
    fn note_tunnel(&mut self, facts: Facts<'_>) {
        let is_strict = facts.mode.value == Some(MtlsMode::Strict);
        if facts.captured.value != Some(true) || !is_strict {
            return;
        }
        let at = match facts.tunnelled.value {
            Some(true) => 0,
            Some(false) | None => self.because.len(),
        };
        self.because.splice(at..at, facts.tunnelled.because);
    }
}

/// Whether objects or explicit configuration say all that the demand rests on.
///
/// Plain needs one proof of three; mutual TLS needs every fact proven.
pub(super) fn is_proven(
    demand: Demand,
    plane: &Fact<DataPlane>,
    captured: &Fact<bool>,
    mode: &Fact<MtlsMode>,
) -> bool {
    let open = matches!(mode.value, Some(MtlsMode::Permissive | MtlsMode::Disable));
    match demand {
        Demand::Plain => {
            (open && mode.proven)
                || (plane.value == Some(DataPlane::None) && plane.proven)
                || (captured.value == Some(false) && captured.proven)
        }
        Demand::MutualTls | Demand::Unreachable => mode.proven && plane.proven,
        Demand::MutualTlsIfInjected | Demand::Unknown => false,
    }
}

/// The evidence, what decides most first.
fn because(plane: &Fact<DataPlane>, captured: &Fact<bool>, mode: &Fact<MtlsMode>) -> Vec<String> {
    let outside = plane.value == Some(DataPlane::None);
    let open = captured.value == Some(false) && !outside;
    // That a port is taken needs no words where nothing limits the ports.
    let captured: &[String] = match captured.value {
        Some(true) if !captured.proven => &[],
        _ => &captured.because,
    };
    let facts: [&[String]; 3] = if outside {
        // What proves it comes first.
        [captured, &plane.because, &mode.because]
    } else if open {
        [captured, &mode.because, &plane.because]
    } else {
        [&mode.because, &plane.because, captured]
    };
    let mut because = facts.concat();
    let mut seen = BTreeSet::new();
    because.retain(|reason| seen.insert(reason.clone()));
    because
}

fn elsewhere(place: &Elsewhere, target: &Target<'_>) -> Judged {
    Judged {
        shown: Arc::new(JudgedTarget {
            kind: place.kind.to_owned(),
            namespace: place.namespace.clone(),
            name: place.name.clone(),
            part: None,
            port: target.port,
            via: target.via.clone(),
            data_plane: Some(DataPlane::None),
            captured: Some(false),
            mode: Some(MtlsMode::Permissive),
            proven: place.proven,
            demand: Demand::Plain,
            because: vec![place.why.clone()],
            chain: Vec::new(),
        }),
        aside: None,
        undecided: Vec::new(),
        unlabelled: false,
        namespace_assumed: false,
        mode_assumed: false,
        mode_proven: false,
        addressed_as_pod: false,
        signs: Arc::new(Signs::of_addresses(&place.namespace)),
    }
}

/// Envoy's metrics port, which the template does not declare and injection adds.
fn is_envoys_port(target: &Target<'_>, pods: &Workload) -> bool {
    let (_, number) = targets::ENVOY_PORT;
    target.port == Some(number) && !pods.declared_ports().any(|port| port.number == number)
}

fn envoy_is_absent(mesh: &Mesh<'_>, pods: &Workload) -> bool {
    matches!(
        policy::data_plane(mesh, pods).fact.value,
        Some(DataPlane::None | DataPlane::Ambient)
    )
}

fn is_own_pod(scraper: &Scraper, pods: &Workload) -> bool {
    let (own, other) = (&scraper.pods.object, &pods.object);
    (&own.kind, &own.namespace, &own.name, scraper.pods.part)
        == (&other.kind, &other.namespace, &other.name, pods.part)
}

#[cfg(test)]
mod tests {
    use super::DataPlane::{Ambient, None as Outside, Sidecar};
    use super::MtlsMode::{Disable, Permissive, Strict};
    use super::*;

    const PLANES: [Option<DataPlane>; 4] = [Some(Sidecar), Some(Ambient), Some(Outside), None];
    const CAPTURED: [Option<bool>; 3] = [Some(true), Some(false), None];
    const MODES: [Option<MtlsMode>; 4] = [Some(Strict), Some(Permissive), Some(Disable), None];

    type Cell = (
        Option<DataPlane>,
        Option<bool>,
        Option<MtlsMode>,
        Option<bool>,
    );

    /// Every cell of the table, for requests that are tunnelled, that are not, and of which nobody knows it.
    fn cells() -> impl Iterator<Item = Cell> {
        PLANES.into_iter().flat_map(|plane| {
            CAPTURED.into_iter().flat_map(move |captured| {
                MODES.into_iter().flat_map(move |mode| {
                    [Some(false), Some(true), None]
                        .map(|tunnelled| (plane, captured, mode, tunnelled))
                })
            })
        })
    }

    /// Certificates are demanded in one cell only: a sidecar that captures the port under STRICT, no tunnel to it.
    #[test]
    fn only_a_captured_strict_port_of_a_sidecar_demands_mutual_tls() {
        for (plane, captured, mode, tunnelled) in cells() {
            let expected = (plane, captured, mode, tunnelled)
                == (Some(Sidecar), Some(true), Some(Strict), Some(false));
            let demanded = demand(plane, captured, mode, tunnelled) == Demand::MutualTls;
            assert_eq!(demanded, expected, "{plane:?} {captured:?} {mode:?}");
        }
    }

    /// PERMISSIVE and DISABLE ports are scraped in plain text, whatever else is known of them.
    #[test]
    fn open_modes_demand_plain_text() {
        for (plane, captured, mode, tunnelled) in cells() {
            if matches!(mode, Some(Permissive | Disable)) {
                assert_eq!(demand(plane, captured, mode, tunnelled), Demand::Plain);
            }
        }
    }

    /// A port that nothing takes is plain under STRICT too.
    #[test]
    fn what_is_not_captured_is_plain() {
        for (plane, captured, mode, tunnelled) in cells() {
            if plane == Some(Outside) || captured == Some(false) {
                assert_eq!(demand(plane, captured, mode, tunnelled), Demand::Plain);
            }
        }
    }

    /// ztunnel lets its own members in, and nobody with a certificate.
    #[test]
    fn ambient_strict_lets_members_in() {
        let strict = |tunnelled| demand(Some(Ambient), Some(true), Some(Strict), tunnelled);
        assert_eq!(strict(Some(true)), Demand::Plain);
        assert_eq!(strict(Some(false)), Demand::Unreachable);
        assert_eq!(strict(None), Demand::Unknown);
    }

    /// A sidecar that accepts tunnels lets ambient scrapers in without certificates, which they cannot have.
    #[test]
    fn sidecars_let_tunnels_in() {
        let strict = |tunnelled| demand(Some(Sidecar), Some(true), Some(Strict), tunnelled);
        assert_eq!(strict(Some(true)), Demand::Plain);
        assert_eq!(strict(Some(false)), Demand::MutualTls);
        assert_eq!(strict(None), Demand::Unknown);
    }

    /// What is not known, where it decides, is not guessed.
    #[test]
    fn unknown_facts_stay_unknown() {
        assert_eq!(
            demand(None, Some(true), Some(Strict), Some(false)),
            Demand::MutualTlsIfInjected
        );
        assert_eq!(
            demand(Some(Sidecar), None, Some(Strict), Some(false)),
            Demand::Unknown
        );
        assert_eq!(
            demand(Some(Sidecar), Some(true), None, Some(false)),
            Demand::Unknown
        );
        assert_eq!(demand(None, None, None, Some(false)), Demand::Unknown);
    }
}
