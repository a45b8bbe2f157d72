//! Does a scraper need the pod label `sidecar.istio.io/inject: "true"` for its certificates?
//!
//! Authority: the rules for scrapers; a sidecar, and so a certificate, comes only by injection (`policy`).
//! Departs from nothing.
//! Knows: a scraper's pods, whether they have a sidecar. Does not know: which endpoints need certificates.

use crate::config::ScraperInject;
use crate::model::{Scraper, Workload};
use crate::policy::{self, DataPlane, Fact, INJECT, Mesh};

/// Whether certificates need the pod label `sidecar.istio.io/inject: "true"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// A sidecar is there, or the label is not ours to add.
    NotNeeded,
    /// Nothing says that there is a sidecar: the label makes sure.
    MakesSure,
    /// It is proven that there is no sidecar; the configuration wants one.
    AgainstProof,
}

/// Whether the label is needed, or why no label helps.
pub(super) fn label(
    mesh: &Mesh<'_>,
    scraper: &Scraper,
    plane: &Fact<DataPlane>,
    inject: ScraperInject,
) -> (Label, Result<(), String>) {
    let with_label = || policy::data_plane(mesh, &labelled(&scraper.pods)).fact;
    // An injector that is not in the input may be there, and then the label counts.
    let helps = || match with_label() {
        fact if fact.value.is_none() => fact != *plane,
        fact => fact.value == Some(DataPlane::Sidecar),
    };
    let none = |why: &str| {
        let because = plane.because.join(", ");
        (Label::NotNeeded, Err(format!("{why} ({because})")))
    };
    // A label that may not be added is like a label that nobody wants.
    let inject = match scraper.object.is_untouchable() {
        true => ScraperInject::Never,
        false => inject,
    };
    match (plane.value, plane.proven, inject) {
        (Some(DataPlane::Sidecar), _, ScraperInject::Always) if !is_labelled(&scraper.pods) => {
            (Label::MakesSure, Ok(()))
        }
        (Some(DataPlane::Sidecar), _, _) => (Label::NotNeeded, Ok(())),
        (Some(DataPlane::Ambient), _, _) => {
            none("it is in ambient, where pods have no certificate")
        }
        (Some(DataPlane::None) | None, false, ScraperInject::Unknown | ScraperInject::Always)
            if helps() =>
        {
            (Label::MakesSure, Ok(()))
        }
        (Some(DataPlane::None), true, ScraperInject::Always) if helps() => {
            (Label::AgainstProof, Ok(()))
        }
        (None, _, ScraperInject::Never) | (Some(DataPlane::None), false, ScraperInject::Never) => {
            (Label::NotNeeded, Ok(()))
        }
        // It may have a sidecar, and the label changes nothing about that.
        (None, _, ScraperInject::Unknown | ScraperInject::Always)
            if with_label().value.is_none() =>
        {
            (Label::NotNeeded, Ok(()))
        }
        (Some(DataPlane::None) | None, _, _) => {
            let (label, why) = none("it has no sidecar");
            let way_out = match !scraper.object.is_untouchable() && helps() {
                true => "scraper.inject \"always\" gives it one",
                false => {
                    "take away what forbids one, or make the ports PERMISSIVE with portLevelMtls"
                }
            };
            (label, why.map_err(|why| format!("{why}; {way_out}")))
        }
    }
}

/// Whether the pods have the label.
fn is_labelled(pods: &Workload) -> bool {
    pods.labels.get(INJECT) == Some("true")
}

/// The pods with the label.
pub(super) fn labelled(pods: &Workload) -> Workload {
    let mut pods = pods.clone();
    pods.labels.insert(INJECT, "true");
    pods
}
