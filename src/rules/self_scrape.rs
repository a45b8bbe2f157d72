//! What becomes of the scrape objects that an operator makes for its own programs?
//!
//! Authority: VictoriaMetrics operator `factory/build/vmscrape.go`: an entry of `serviceScrapeSpec.endpoints` takes the place of
//! the generated endpoint of that port; `factory/build/container.go`: the config-reloader's endpoint is added after that.
//! Departs from nothing: what nobody wrote, and what is right or not known, is not spoken of.
//! Knows: endpoints, decisions about them. Does not know: what they reach.

use json_patch::{AddOperation, PatchOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value, json};

use super::Rule;
use super::decision::{Decision, Demand, Step, Verdict};
use super::demand::Judged;
use super::obstacle::{self, Blocked};
use super::steps::add_at;
use super::view::Scraping;
use crate::config::Severity;
use crate::model::{Endpoint, EndpointPort, Finds, Origin, PortRef, Scrape};

/// The config-reloader's port.
const RELOADER: EndpointPort = EndpointPort::ContainerPort(PortRef::Number(8435));

/// Whether a generated endpoint is as nobody needs to know: it is not changed, and nothing is known to be wrong with it.
pub(super) fn is_silent(endpoint: &Endpoint, judged: &[Judged], decision: &Decision) -> bool {
    let demands = |judged: &Judged| judged.shown.demand == Demand::MutualTls;
    endpoint.origin != Origin::Written
        && decision.verdict == Verdict::Keep
        && (decision.severity < Severity::Warning
            || !(judged.iter().any(demands) || lets_nobody_in(judged)))
}

/// Whether no certificate helps: ambient targets under STRICT, and nothing else.
fn lets_nobody_in(judged: &[Judged]) -> bool {
    let unreachable = |judged: &Judged| judged.shown.demand == Demand::Unreachable;
    !judged.is_empty() && judged.iter().all(unreachable)
}

/// Why a generated endpoint is left alone, whatever the table asks for.
pub(super) fn left_alone(scraping: &Scraping<'_>, judged: &[Judged]) -> Option<Blocked> {
    let demands = |judged: &Judged| judged.shown.demand == Demand::MutualTls;
    if !scraping.scrapers.is_empty() && lets_nobody_in(judged) {
        return None;
    }
    let of_nobodys_concern = scraping.scrapers.is_empty() || !judged.iter().any(demands);
    let silently = Blocked {
        rule: Rule::AlreadyRight,
        why: String::new(),
    };
    match &scraping.endpoint.origin {
        Origin::Written => None,
        Origin::Made { .. } => of_nobodys_concern.then_some(silently),
        Origin::Fixed if of_nobodys_concern || obstacle::rewritten(scraping).is_some() => {
            Some(silently)
        }
        Origin::Fixed => Some(Blocked {
            rule: Rule::SelfScrapeUnreachable,
            why: unreachable(scraping.scrape, scraping.endpoint, judged),
        }),
    }
}

/// Why nothing that is written reaches the endpoint, and the ways out.
fn unreachable(scrape: &Scrape, endpoint: &Endpoint, judged: &[Judged]) -> String {
    let kind = scrape.kind.description().name;
    let number = judged.iter().find_map(|judged| judged.shown.port);
    let port = number.map_or_else(|| "<port>".to_owned(), |number| number.to_string());
    let by_pods = scrape.kind.description().finds == Finds::Pods;
    let why = match by_pods && endpoint.port != RELOADER {
        true => format!("takes no tlsConfig from serviceScrapeSpec for the {kind} that it makes"),
        false => format!("adds the port to its {kind} whatever serviceScrapeSpec says"),
    };
    format!(
        "the operator {why}, so the scrape of port {port} cannot be given certificates: make the port PERMISSIVE (portLevelMtls \
         {port} of a PeerAuthentication that selects the pods), set disableSelfServiceScrape and write a {kind} of your own, or take \
         the port out of the sidecar (pod annotation traffic.sidecar.istio.io/excludeInboundPorts: \"{port}\")"
    )
}

/// The same steps for an endpoint that is not written yet: the whole entry, and what is missing above it, at once.
pub(super) fn written_whole(endpoint: &Endpoint, steps: Vec<Step>) -> Vec<Step> {
    let Origin::Made {
        as_made,
        missing_from,
    } = &endpoint.origin
    else {
        return steps;
    };
    if steps.is_empty() {
        return steps;
    }
    let mut entry: Map<String, Value> = as_made.as_object().cloned().unwrap_or_default();
    entry.extend(steps.iter().filter_map(|step| match step {
        Step::Op(PatchOperation::Add(AddOperation { path, value })) => {
            Some((key_below(&endpoint.at, path)?, value.clone()))
        }
        Step::Op(_) | Step::Inside { .. } => None,
    }));
    let value = match missing_from
        .last()
        .map(|token| token.decoded().into_owned())
    {
        Some(key) if key == "serviceScrapeSpec" => json!({"endpoints": [entry]}),
        Some(key) if key == "endpoints" => json!([entry]),
        Some(_) | None => Value::Object(entry),
    };
    vec![add_at(missing_from, value)]
}

/// The key of a map's entry, where `path` is one of the map at `at`.
fn key_below(at: &Pointer, path: &PointerBuf) -> Option<String> {
    let below = path.as_str().strip_prefix(at.as_str())?.strip_prefix('/')?;
    Some(below.to_owned())
}
