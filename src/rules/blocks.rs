//! What keeps a scrape from its metrics although the endpoint speaks as its targets want?
//!
//! Authority: istio/istio, see `policy`: AuthorizationPolicy, `outboundTrafficPolicy`, auto mutual TLS.
//! Departs from nothing: what is not known is said as an info; without a scraper in the input only what keeps out every one.
//! Knows: judged endpoints, scrapers as patched, Istio's answer. Does not know: how endpoints are changed.

use super::Rule;
use super::decision::{Decision, Demand, Now};
use super::demand::{Aside, Judged};
use super::endpoint::JudgedEndpoint;
use super::originates::OnTheWay;
use super::refused;
use super::scraper::{Patched, ScraperState};
use super::view::Scraping;
use crate::config::{MtlsMode, Severity};
use crate::model::{Endpoint, OutboundPolicy, Scrape, Scraper, Workload};
use crate::policy::{self, DataPlane, Fact};
use crate::targets::{self, Pods, Target};

/// One target as one scraper meets it, after the patches of this run.
pub(super) struct Meeting<'a> {
    /// The endpoint, for this scraper alone.
    pub(super) scraping: &'a Scraping<'a>,
    /// What was decided about it.
    pub(super) endpoint: &'a JudgedEndpoint,
    /// Who scrapes; `None`: nobody in the input.
    pub(super) scraper: Option<(&'a Scraper, &'a ScraperState)>,
    /// The target.
    pub(super) target: &'a Target<'a>,
    /// Its pods.
    pub(super) pods: &'a Workload,
    /// What it demands.
    pub(super) judged: &'a Judged,
}

impl Meeting<'_> {
    /// `Deployment shop/web port 8080`
    pub(super) fn place(&self) -> String {
        match self.target.port {
            Some(port) => format!("{} port {port}", self.pods.object),
            None => self.pods.object.to_string(),
        }
    }

    /// What the scraper's sidecar does with the request.
    pub(super) fn on_the_way(&self) -> Option<OnTheWay> {
        let patched = self.scraping.patched;
        Some(patched.on_the_way(self.scraper?, self.target, self.pods))
    }

    /// A finding about the endpoint.
    pub(super) fn finding(&self, rule: Rule, is_known: bool, message: String) -> Decision {
        let decision = &self.endpoint.decision;
        let finding = Decision::finding(&decision.object, decision.at.clone(), rule, message);
        softened(finding, is_known)
    }
}

fn softened(mut finding: Decision, is_known: bool) -> Decision {
    if !is_known {
        finding.severity = Severity::Info;
    }
    finding
}

/// Everything that stands in the way of scrapes.
pub(super) fn decide_all(patched: &Patched<'_>, endpoints: &[JudgedEndpoint]) -> Vec<Decision> {
    let mut findings = Vec::new();
    // What each scraper's sidecar does with requests to addresses that the mesh does not know.
    let mesh = patched.mesh();
    let scrapers = patched.inventory.scrapers.iter();
    let outbound: Vec<_> = scrapers
        .map(|scraper| policy::outbound_policy(&mesh, &scraper.pods))
        .collect();
    let has_policies = !patched.inventory.authorizations.is_empty();
    let allows = |fact: &Fact<_>| fact.value == Some(OutboundPolicy::AllowAny);
    let is_restricted = !outbound.iter().all(allows);
    let scrapes = patched.inventory.scrapes.iter();
    let written = scrapes.flat_map(|scrape| scrape.endpoints.iter().map(move |one| (scrape, one)));
    for ((scrape, endpoint), judged) in written.zip(endpoints) {
        let nothing_to_ask = !has_policies && !is_restricted && !may_be_encrypted_twice(judged);
        if nothing_to_ask || judged.is_silent || goes_elsewhere(judged) {
            continue;
        }
        let distinct = patched.copies.distinct(&judged.scrapers);
        let mut scrapers: Vec<_> = distinct.into_iter().map(Some).collect();
        if scrapers.is_empty() {
            scrapers.push(None);
        }
        for position in scrapers {
            let met = (scrape, endpoint, judged);
            findings.extend(met_by(patched, met, position, &outbound));
        }
    }
    findings
}

/// Requests that go to a proxy or to a rewritten address do not meet what the endpoint names.
fn goes_elsewhere(endpoint: &JudgedEndpoint) -> bool {
    matches!(
        endpoint.decision.rule,
        Rule::ProxyIsKept | Rule::AddressIsRewritten | Rule::SchemeIsRewritten
    )
}

/// Whether the endpoint uses Istio's certificates after this run.
pub(super) fn speaks_certificates(endpoint: &JudgedEndpoint) -> bool {
    endpoint.certificates.is_some() || endpoint.keeps_certificates()
}

/// Where all targets demand the certificates, no sidecar on the way encrypts anything.
fn may_be_encrypted_twice(endpoint: &JudgedEndpoint) -> bool {
    let demands_certificates = |judged: &Judged| judged.shown.demand == Demand::MutualTls;
    speaks_certificates(endpoint) && !endpoint.judged.iter().all(demands_certificates)
}

type Met<'a> = (&'a Scrape, &'a Endpoint, &'a JudgedEndpoint);

fn met_by<'a>(
    patched: &'a Patched<'a>,
    (scrape, endpoint, judged_endpoint): Met<'a>,
    position: Option<usize>,
    outbound: &[Fact<OutboundPolicy>],
) -> Vec<Decision> {
    let scraper = position.map(|position| patched.scraper(position));
    let outbound = position.map(|position| &outbound[position]);
    let scraping = Scraping {
        patched,
        scrape,
        endpoint,
        scrapers: position.into_iter().collect(),
        distinct: position.into_iter().collect(),
    };
    let inventory = &patched.inventory;
    let mut findings = Vec::new();
    let mut lost = None;
    for target in targets::reach(inventory, scrape, endpoint, scraper.map(|(who, _)| who)).targets {
        let Pods::Of(pods) = &target.pods else {
            continue;
        };
        for judged in patched.judge(scraper, scrape, &target) {
            if judged.aside == Some(Aside::OwnPod) {
                continue;
            }
            let meeting = Meeting {
                scraping: &scraping,
                endpoint: judged_endpoint,
                scraper,
                target: &target,
                pods,
                judged: &judged,
            };
            findings.extend(refused::by_policies(&meeting));
            findings.extend(encrypted_twice(&meeting));
            let lost_here = outbound.and_then(|fact| loses(fact.value, &meeting));
            lost = lost.max(lost_here);
        }
    }
    if let (Some(is_known), Some((scraper, _)), Some(outbound)) = (lost, scraper, outbound) {
        let decision = &judged_endpoint.decision;
        findings.push(registry_only(decision, scraper, outbound, is_known));
    }
    findings
}

/// TLS of the endpoint inside the mutual TLS of the scraper's sidecar. TLS of another kind than Istio's is meant for an
/// application that speaks it, and arrives there unwrapped.
fn encrypted_twice(meeting: &Meeting<'_>) -> Option<Decision> {
    let (scraper, _) = meeting.scraper?;
    let target = &meeting.judged.shown;
    let is_wrapped = target.mode != Some(MtlsMode::Disable)
        && target.captured != Some(false)
        && !matches!(
            target.data_plane,
            Some(DataPlane::None | DataPlane::Ambient)
        );
    if !speaks_certificates(meeting.endpoint) || !is_wrapped {
        return None;
    }
    let OnTheWay { takes, knows } = meeting.on_the_way()?;
    let destination = knows?;
    let is_known = takes == Some(true) && target.data_plane == Some(DataPlane::Sidecar);
    if takes == Some(false) {
        return None;
    }
    let mesh = meeting.scraping.patched.mesh();
    if policy::serves_istios_certificates(&mesh, meeting.pods, meeting.target.port).is_some() {
        return None;
    }
    let verb = if is_known { "wraps" } else { "may wrap" };
    let port = meeting.target.port.map(|port| port.to_string());
    let message = format!(
        "the endpoint speaks https, and the sidecar of {}, which knows {destination}, {verb} the request into mutual TLS once more: \
         {} gets TLS where it expects text; let the endpoint speak http, or take the port out of the scraper's sidecar \
         (pod annotation traffic.sidecar.istio.io/excludeOutboundPorts: \"{}\")",
        scraper.object,
        meeting.place(),
        port.as_deref().unwrap_or("<port>"),
    );
    Some(meeting.finding(Rule::HeadlessDoubleTls, is_known, message))
}

/// Whether the scraper's sidecar loses the request, because the mesh does not know the address; `Some(false)`: perhaps.
fn loses(outbound: Option<OutboundPolicy>, meeting: &Meeting<'_>) -> Option<bool> {
    let (_, state) = meeting.scraper?;
    if outbound == Some(OutboundPolicy::AllowAny) {
        return None;
    }
    let OnTheWay { takes, knows: None } = meeting.on_the_way()? else {
        return None;
    };
    match (state.plane.value, outbound, takes) {
        (Some(DataPlane::Sidecar), Some(OutboundPolicy::RegistryOnly), Some(true)) => Some(true),
        (
            Some(DataPlane::Sidecar) | None,
            Some(OutboundPolicy::RegistryOnly) | None,
            Some(true) | None,
        ) => Some(false),
        (_, Some(OutboundPolicy::AllowAny), _)
        | (_, _, Some(false))
        | (Some(DataPlane::Ambient | DataPlane::None), _, _) => None,
    }
}

/// The same words for every endpoint that the scraper loses: the cause is one.
fn registry_only(
    decision: &Decision,
    scraper: &Scraper,
    outbound: &Fact<OutboundPolicy>,
    is_known: bool,
) -> Decision {
    let verb = if is_known { "lets" } else { "may let" };
    let message = format!(
        "the sidecar of {} {verb} no request through to pod addresses, which the mesh does not know as destinations ({}), \
         so there are no metrics; annotate the scraper's pods (spec.podMetadata) with traffic.sidecar.istio.io/includeOutboundIPRanges: \"\", \
         or with the ports in traffic.sidecar.istio.io/excludeOutboundPorts, or set outboundTrafficPolicy to ALLOW_ANY for them",
        scraper.object,
        outbound.because.join("; ")
    );
    let (object, at) = (&decision.object, decision.at.clone());
    let finding = Decision::finding(object, at, Rule::RegistryOnlyBlocksScrape, message);
    softened(finding, is_known)
}

/// Whether the endpoint speaks TLS that is not Istio's.
pub(super) fn speaks_its_own_tls(endpoint: &JudgedEndpoint) -> bool {
    let now = endpoint.decision.transport.map(|transport| transport.now);
    now == Some(Now::Own)
}
