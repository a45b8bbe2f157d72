//! What is said of a scraper and its certificates?
//!
//! Authority: ourselves.
//! Departs from nothing.
//! Knows: what is known of a scraper, what becomes of it. Does not know: how that is decided.

use std::fmt::Write as _;

use super::{Label, ScraperState};
use crate::model::Scraper;
use crate::rules::certificates::SetUp;
use crate::rules::scrape_class::OnScraper;

/// That it comes under the policy of the mesh.
pub(super) fn gets_a_sidecar(scraper: &Scraper) -> String {
    let mut message =
        "scraper.inject is \"always\": it gets a sidecar, its own ports come under the mesh's policy"
            .to_owned();
    if let Some(container) = scraper.kind.description().asks_at_start {
        write!(
            message,
            ", and its init container {container} reaches the API server only with native sidecars or without istio-cni"
        )
        .expect("a String grows");
    }
    message
}

/// What it needs certificates for, and what else changes with them.
pub(super) fn needs(
    state: &ScraperState,
    set_up: &SetUp,
    directories: &[&str],
    class: &OnScraper,
) -> String {
    let mut message = format!(
        "endpoints that it selects use its sidecar's certificates: istio-proxy writes them, it reads them in {}",
        directories.join(" and ")
    );
    if set_up.starts_too_early {
        message.push_str(" once, when it starts, so it waits for istio-proxy");
    }
    if state.label != Label::NotNeeded {
        message.push_str("; the pod label sidecar.istio.io/inject makes sure of the sidecar");
    }
    if !class.steps.is_empty() {
        message.push_str("; ");
        message.push_str(&class.message);
    }
    message.push_str(&state.bypass.said());
    message
}

/// That nothing is missing.
pub(super) fn has_them(directories: &str) -> String {
    format!("it has the certificates in {directories}")
}
