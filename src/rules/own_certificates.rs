//! What do ports demand that ask for Istio's certificates by themselves, or are closed to others?
//!
//! Authority: `policy::serves_istios_certificates`, which says which ports those are; [`of_secure_port`], the table.
//! Departs from nothing: what is not known of such a port makes its demand unknown.
//! Knows: the facts about a target, what the demand table says of it, whether scrapers serve TLS. Does not know: endpoints.

use super::decision::Demand;
use super::demand::{Aside, Asked, Facts, is_proven};
use crate::config::MtlsMode;
use crate::model::{Inventory, RELOADER_PORT, Scraper, Workload};
use crate::policy::{DataPlane, Serves};

impl Asked {
    /// Where pods hold Istio's certificates themselves, the table is not all.
    pub(super) fn heed_own_certificates(
        &mut self,
        serves: Serves,
        has_proxy: bool,
        facts: &Facts<'_>,
    ) {
        let (plane, captured) = (facts.plane.value, facts.captured.value);
        match serves {
            Serves::Always(how) if has_proxy => {
                self.demand = of_secure_port(plane, captured, facts.mode.value);
                self.aside = (self.demand == Demand::Unreachable).then_some(Aside::EndsBeforeEnvoy);
                self.proven = match self.demand {
                    Demand::MutualTls => facts.plane.proven,
                    other => is_proven(other, facts.plane, facts.captured, facts.mode),
                };
                self.because.insert(0, how);
            }
            Serves::OnlyWithin(how) if has_proxy => {
                // What the sidecar takes it hands on from within the pod.
                (self.demand, self.aside) = match (plane, captured) {
                    (Some(_), Some(false)) => (Demand::Unreachable, Some(Aside::OnlyWithin)),
                    (Some(_), Some(true) | None) | (None, _) => (Demand::Unknown, None),
                };
                self.proven = self.demand == Demand::Unreachable && facts.plane.proven;
                self.because.insert(0, how);
            }
            Serves::Undecided(why) if has_proxy => {
                self.demand = Demand::Unknown;
                self.proven = false;
                self.because.splice(0..0, why);
            }
            Serves::Perhaps(how) if self.demand == Demand::Plain => {
                self.proven = false;
                self.because.push(how);
            }
            Serves::Always(_)
            | Serves::OnlyWithin(_)
            | Serves::Undecided(_)
            | Serves::Perhaps(_) => {}
        }
    }
}

/// Whether a port of a scraper serves text although its pod holds Istio's certificates: it has them to scrape, and serves
/// with TLS only where it is told to.
pub(super) fn serves_text(inventory: &Inventory, pods: &Workload, port: Option<u16>) -> bool {
    let is_its = |scraper: &&Scraper| scraper.pods.part == pods.part;
    let Some(scraper) = inventory.scraper_of(&pods.object).filter(is_its) else {
        return false;
    };
    let of_scraper = |number: u16| {
        number == RELOADER_PORT
            || pods
                .containers
                .iter()
                .filter(|container| container.name == scraper.kind.container())
                .flat_map(|container| &container.ports)
                .any(|declared| declared.number == number)
    };
    let is_told = match scraper.kind.is_prometheus() {
        true => scraper.spec.pointer("/web/tlsConfig").is_some(),
        false => scraper.spec.pointer("/extraArgs/tls").is_some(),
    };
    !is_told && port.is_some_and(of_scraper)
}

/// A port that Envoy itself guards with certificates of the mesh wants them in every mode; but where
/// the sidecar takes the port under STRICT it ends the TLS before Envoy's port sees it, and where
/// nobody says that there is a sidecar there may be no such port.
fn of_secure_port(
    plane: Option<DataPlane>,
    captured: Option<bool>,
    mode: Option<MtlsMode>,
) -> Demand {
    use MtlsMode::{Disable, Permissive, Strict};
    match (plane, captured, mode) {
        (Some(DataPlane::Sidecar), Some(false), _) => Demand::MutualTls,
        (Some(DataPlane::Sidecar), Some(true) | None, Some(Permissive | Disable)) => {
            Demand::MutualTls
        }
        (Some(DataPlane::Sidecar), Some(true), Some(Strict)) => Demand::Unreachable,
        (Some(DataPlane::Sidecar), None, Some(Strict) | None)
        | (Some(DataPlane::Sidecar), Some(true), None)
        | (Some(DataPlane::Ambient | DataPlane::None) | None, _, _) => Demand::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::MtlsMode::{Disable, Permissive, Strict};
    use super::*;

    /// A port that Envoy guards wants certificates unless the sidecar in front of it ends the TLS.
    #[test]
    fn a_guarded_port_is_out_of_reach_only_behind_a_strict_sidecar() {
        let captured = [Some(true), Some(false), None];
        let modes = [Some(Strict), Some(Permissive), Some(Disable), None];
        let ports = captured
            .into_iter()
            .flat_map(|captured| modes.map(|mode| (captured, mode)));
        for (captured, mode) in ports {
            let expected = match (captured, mode) {
                (Some(false), _) => Demand::MutualTls,
                (_, Some(Permissive | Disable)) => Demand::MutualTls,
                (Some(true), Some(Strict)) => Demand::Unreachable,
                (_, _) => Demand::Unknown,
            };
            let demanded = of_secure_port(Some(DataPlane::Sidecar), captured, mode);
            assert_eq!(demanded, expected, "{captured:?} {mode:?}");
            for plane in [Some(DataPlane::Ambient), Some(DataPlane::None), None] {
                let demanded = of_secure_port(plane, captured, mode);
                assert_eq!(demanded, Demand::Unknown, "{plane:?} {captured:?} {mode:?}");
            }
        }
    }
}
