//! What becomes of the scrape objects that an operator makes for its own programs?
//!
//! Authority: VictoriaMetrics operator `factory/build/vmscrape.go`: an entry of `serviceScrapeSpec.endpoints` takes the place of
//! the generated endpoint of that port; `factory/build/container.go`: the config-reloader's endpoint is added after that.
//! Departs from nothing: what nobody wrote, and what is right or not known, is not spoken of.
//! Knows: endpoints, decisions about them. Does not know: what they reach.

use json_patch::{AddOperation, PatchOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Value, json};

use super::Rule;
use super::decision::{Decision, Demand, Step, Verdict};
use super::demand::Judged;
use super::obstacle::{self, Blocked};
use super::steps::add_at;
use super::view::Scraping;
use crate::config::Severity;
use crate::model::{Endpoint, EndpointPort, Finds, Origin, PortRef, RELOADER_PORT, Scrape};

/// The config-reloader's port.
const RELOADER: EndpointPort = EndpointPort::ContainerPort(PortRef::Number(RELOADER_PORT));

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
/// `begun` is what one before it wrote there: what was missing above both is written once, with both.
pub(super) fn written_whole(
    endpoint: &Endpoint,
    steps: Vec<Step>,
    begun: &mut Option<Value>,
) -> Vec<Step> {
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
    let (entry, rest) = applied((**as_made).clone(), &endpoint.at, steps);
    let key = missing_from.last();
    let key = key.map(|token| token.decoded().into_owned());
    let value = match key.as_deref() {
        Some("serviceScrapeSpec") => appended(begun.take(), "/endpoints", entry),
        Some("endpoints") => appended(begun.take(), "", entry),
        Some(_) | None => entry,
    };
    let (value, rest) = applied(value, missing_from, rest);
    *begun = Some(value.clone());
    let mut whole = vec![add_at(missing_from, value)];
    whole.extend(rest);
    whole
}

/// With one more entry in the list at `list`, which is made where nothing is yet.
fn appended(begun: Option<Value>, list: &str, entry: Value) -> Value {
    let mut value = begun.unwrap_or_else(|| match list {
        "" => json!([]),
        _ => json!({"endpoints": []}),
    });
    if let Some(Value::Array(entries)) = value.pointer_mut(list) {
        entries.push(entry);
    }
    value
}

/// What is to be written at `at`, after those of the steps that are about it, and the other steps.
fn applied(mut value: Value, at: &Pointer, steps: Vec<Step>) -> (Value, Vec<Step>) {
    let mut rest = Vec::new();
    for step in steps {
        let inside = match &step {
            Step::Op(PatchOperation::Add(add)) => below(at, &add.path).map(|path| {
                PatchOperation::Add(AddOperation {
                    path,
                    value: add.value.clone(),
                })
            }),
            Step::Op(_) | Step::Inside { .. } => None,
        };
        let is_done = inside.is_some_and(|op| json_patch::patch(&mut value, &[op]).is_ok());
        if !is_done {
            rest.push(step);
        }
    }
    (value, rest)
}

/// The rest of a way that leads through `at`.
fn below(at: &Pointer, path: &PointerBuf) -> Option<PointerBuf> {
    let rest = path.as_str().strip_prefix(at.as_str())?;
    PointerBuf::parse(rest).ok().filter(|rest| !rest.is_root())
}
