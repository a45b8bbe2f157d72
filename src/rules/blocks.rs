//! What keeps a scrape from its metrics although the endpoint speaks as its targets want?
//!
//! Authority: istio/istio, see `policy`: AuthorizationPolicy, `outboundTrafficPolicy`, auto mutual TLS.
//! Departs from nothing: what is not known is said as an info; without a scraper in the input only what keeps out every one.
//! Knows: judged endpoints, scrapers as patched, Istio's answer. Does not know: how endpoints are changed.

use std::collections::BTreeMap;

use jsonptr::PointerBuf;

use super::Rule;
use super::decision::{Decision, Demand, Now};
use super::demand::{self, Aside, Judged};
use super::endpoint::JudgedEndpoint;
use super::originates::{self, OnTheWay};
use super::refused;
use super::scraper::{Patched, ScraperState};
use super::view::Scraping;
use crate::config::{MtlsMode, Severity};
use crate::model::{Endpoint, Object, OutboundPolicy, Scrape, Scraper, Workload};
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
        let mesh = self.scraping.patched.mesh();
        let scraper = self.scraper?;
        Some(originates::on_the_way(
            &mesh,
            scraper,
            self.target,
            self.pods,
        ))
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
    let mut lost = Lost::of(patched);
    let has_policies = !patched.inventory.authorizations.is_empty();
    let is_restricted = lost.is_possible();
    let scrapes = patched.inventory.scrapes.iter();
    let written = scrapes.flat_map(|scrape| scrape.endpoints.iter().map(move |one| (scrape, one)));
    for ((scrape, endpoint), judged) in written.zip(endpoints) {
        let nothing_to_ask = !has_policies && !is_restricted && !may_be_encrypted_twice(judged);
        if nothing_to_ask || goes_elsewhere(judged) {
            continue;
        }
        let mut scrapers: Vec<_> = judged.scrapers.iter().copied().map(Some).collect();
        if scrapers.is_empty() {
            scrapers.push(None);
        }
        for position in scrapers {
            let met = (scrape, endpoint, judged);
            findings.extend(met_by(patched, met, position, &mut lost));
        }
    }
    findings.extend(lost.findings(patched));
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
    lost: &mut Lost,
) -> Vec<Decision> {
    let scraper = position.map(|position| patched.scraper(position));
    let scraping = Scraping {
        patched,
        scrape,
        endpoint,
        scrapers: position.into_iter().collect(),
    };
    let own_namespace_only =
        scraper.is_some_and(|(scraper, _)| scraper.ignores_namespace_selectors);
    let inventory = &patched.inventory;
    let mut findings = Vec::new();
    for target in targets::reach(inventory, scrape, endpoint, own_namespace_only).targets {
        let Pods::Of(pods) = &target.pods else {
            continue;
        };
        for judged in demand::judge(inventory, &patched.mesh(), scraper, &target) {
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
            if let Some(position) = position {
                lost.note(position, &meeting);
            }
        }
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
    let holds_certificates =
        policy::serves_istios_certificates(meeting.pods, meeting.target.port).is_some();
    if !speaks_certificates(meeting.endpoint) || !is_wrapped || holds_certificates {
        return None;
    }
    let OnTheWay { takes, knows } = meeting.on_the_way()?;
    let destination = knows?;
    let is_known = takes == Some(true) && target.data_plane == Some(DataPlane::Sidecar);
    if takes == Some(false) {
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

/// The scrapers whose sidecars lose requests to pod addresses, with the scrape objects that are lost by it.
struct Lost {
    /// What each scraper's sidecar does with requests to addresses that the mesh does not know.
    outbound: Vec<Fact<OutboundPolicy>>,
    known: BTreeMap<usize, Vec<Object>>,
    perhaps: BTreeMap<usize, Vec<Object>>,
}

impl Lost {
    fn of(patched: &Patched<'_>) -> Self {
        let mesh = patched.mesh();
        let scrapers = patched.inventory.scrapers.iter();
        Self {
            outbound: scrapers
                .map(|scraper| policy::outbound_policy(&mesh, &scraper.pods))
                .collect(),
            known: BTreeMap::new(),
            perhaps: BTreeMap::new(),
        }
    }

    /// Whether any scraper may lose anything.
    fn is_possible(&self) -> bool {
        let allows = |fact: &Fact<_>| fact.value == Some(OutboundPolicy::AllowAny);
        !self.outbound.iter().all(allows)
    }

    fn note(&mut self, position: usize, meeting: &Meeting<'_>) {
        let Some((_, state)) = meeting.scraper else {
            return;
        };
        let outbound = self.outbound[position].value;
        let Some(OnTheWay { takes, knows: None }) = meeting.on_the_way() else {
            return;
        };
        let list = match (state.plane.value, outbound, takes) {
            (Some(DataPlane::Sidecar), Some(OutboundPolicy::RegistryOnly), Some(true)) => {
                &mut self.known
            }
            (
                Some(DataPlane::Sidecar) | None,
                Some(OutboundPolicy::RegistryOnly) | None,
                Some(true) | None,
            ) => &mut self.perhaps,
            (_, Some(OutboundPolicy::AllowAny), _)
            | (_, _, Some(false))
            | (Some(DataPlane::Ambient | DataPlane::None), _, _) => return,
        };
        let objects = list.entry(position).or_default();
        let object = &meeting.endpoint.decision.object;
        if !objects.contains(object) {
            objects.push(object.clone());
        }
    }

    /// One finding for each scraper: the cause is there.
    fn findings(&self, patched: &Patched<'_>) -> Vec<Decision> {
        let mut findings = Vec::new();
        for (lists, is_known) in [(&self.known, true), (&self.perhaps, false)] {
            for (position, objects) in lists {
                let (scraper, _) = patched.scraper(*position);
                let because = &self.outbound[*position].because;
                findings.push(registry_only(scraper, because, objects, is_known));
            }
        }
        findings
    }
}

fn registry_only(
    scraper: &Scraper,
    because: &[String],
    objects: &[Object],
    is_known: bool,
) -> Decision {
    let named = match objects {
        [] => String::new(),
        [one] => one.to_string(),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    };
    let verb = if is_known { "lets" } else { "may let" };
    let message = format!(
        "its sidecar {verb} no request through to pod addresses, which the mesh does not know as destinations ({}): {named} \
         would get no metrics; annotate its pods (spec.podMetadata) with traffic.sidecar.istio.io/includeOutboundIPRanges: \"\", \
         or with the ports in traffic.sidecar.istio.io/excludeOutboundPorts, or set outboundTrafficPolicy to ALLOW_ANY for them",
        because.join("; ")
    );
    let at = PointerBuf::from_tokens(["spec"]);
    let finding = Decision::finding(&scraper.object, at, Rule::RegistryOnlyBlocksScrape, message);
    softened(finding, is_known)
}

/// Whether the endpoint speaks TLS that is not Istio's.
pub(super) fn speaks_its_own_tls(endpoint: &JudgedEndpoint) -> bool {
    let now = endpoint.decision.transport.map(|transport| transport.now);
    now == Some(Now::Own)
}
