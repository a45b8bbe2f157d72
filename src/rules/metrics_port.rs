//! Which metrics ports of Istio's own let nobody in, and what is the way out?
//!
//! Authority: Istio's task "Securing Prometheus Scraping": secure ports, and plain ones that are closed to others; `policy` says which they are.
//! Departs from it: what it leaves open, secure ports under STRICT, is taken as closed (`own_certificates.rs`).
//! Knows: judged targets. Does not know: how endpoints are written.

use super::Rule;
use super::decision::Demand;
use super::demand::{Aside, Judged};
use super::message::evidence;

/// The rule about a target that lets this scraper in neither with certificates nor without.
pub(super) fn rule(judged: &Judged) -> Rule {
    match judged.aside {
        Some(Aside::EndsBeforeEnvoy | Aside::OnlyWithin) => Rule::MetricsPortUnreachable,
        Some(Aside::OwnPod | Aside::SidecarOriginatesTls) | None => Rule::AmbientStrictUnreachable,
    }
}

/// The rule about an endpoint none of whose targets lets its scrapers in; `None` where it has no such target.
pub(super) fn rule_of_all(judged: &[Judged]) -> Option<Rule> {
    judged
        .iter()
        .filter(|judged| judged.shown.demand == Demand::Unreachable)
        .map(rule)
        .min()
}

/// The targets that are no such ports.
pub(super) fn others(judged: &[Judged]) -> Vec<Judged> {
    let is_other = |judged: &&Judged| rule(judged) != Rule::MetricsPortUnreachable;
    judged.iter().filter(is_other).cloned().collect()
}

/// The way out, for each kind of such ports that is among the targets.
pub(super) fn message(judged: &[Judged]) -> String {
    let ways_out = [
        (
            Aside::EndsBeforeEnvoy,
            "under STRICT the sidecar ends the TLS that Envoy's port waits for; add the port to \
             traffic.sidecar.istio.io/excludeInboundPorts",
        ),
        (
            Aside::OnlyWithin,
            "scrape the port of ENVOY_SECURE_METRICS_PORT or ENVOY_SECURE_MERGED_METRICS_PORT with Istio's \
             certificates, and exclude it from capture",
        ),
    ];
    let mut parts = Vec::new();
    for (aside, way_out) in ways_out {
        let is_of = |judged: &&Judged| judged.aside == Some(aside);
        let targets: Vec<_> = judged.iter().filter(is_of).cloned().collect();
        if !targets.is_empty() {
            let why = evidence(&targets, &[Demand::Unreachable]);
            parts.push(format!("no scrape gets through ({why}): {way_out}"));
        }
    }
    parts.join("; ")
}
