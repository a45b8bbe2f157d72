//! Does ztunnel tunnel a scraper's requests to a target?
//!
//! Authority: istio/ztunnel src/proxy/outbound.rs `build_request`: to workloads that are known to accept HBONE; everything else is passed on as it is.
//! Departs from it: networks and waypoints are not looked at; a scrape asks pods by their address.
//! Knows: a scraper as patched, the target's pods and data plane. Does not know: policies, endpoints.

use super::scraper::ScraperState;
use crate::model::{Scraper, Workload};
use crate::policy::{self, DataPlane, Fact, Mesh};

/// Whether ztunnel tunnels the scraper's requests to the pods, which makes them mutual TLS. Without a scraper in the
/// input: not, as for any scraper outside.
pub(super) fn tunnelled(
    mesh: &Mesh<'_>,
    scraper: Option<(&Scraper, &ScraperState)>,
    pods: &Workload,
    plane: Option<DataPlane>,
) -> Fact<bool> {
    let fact = |value, because: Vec<String>| Fact {
        value,
        proven: false,
        because,
    };
    let Some((scraper, state)) = scraper else {
        return fact(Some(false), Vec::new());
    };
    let scraper = &scraper.object;
    match (state.plane.value, plane) {
        (Some(DataPlane::Ambient), Some(DataPlane::Ambient)) => {
            fact(Some(true), vec![format!("{scraper} is in ambient too")])
        }
        (Some(DataPlane::Ambient), Some(DataPlane::Sidecar)) => {
            let accepts = policy::accepts_hbone(mesh, pods);
            let told = match accepts.value {
                Some(true) => {
                    format!("{scraper} is in ambient, and the sidecar accepts its tunnel")
                }
                Some(false) => {
                    format!("{scraper} is in ambient, and the sidecar accepts no tunnel")
                }
                None => format!("{scraper} is in ambient"),
            };
            fact(
                accepts.value,
                [told].into_iter().chain(accepts.because).collect(),
            )
        }
        (None, Some(DataPlane::Ambient)) => {
            let told = format!("whether {scraper} is in ambient is not known");
            let because = state.plane.because.iter().cloned();
            fact(None, [told].into_iter().chain(because).collect())
        }
        (Some(DataPlane::Sidecar | DataPlane::None), _)
        | (None, Some(DataPlane::Sidecar))
        | (_, Some(DataPlane::None) | None) => fact(Some(false), Vec::new()),
    }
}
