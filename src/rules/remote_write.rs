//! Does what a scraper sends on leave the mesh on its way to a receiver that accepts only members of it?
//!
//! Authority: VictoriaMetrics operator docs/integrations/istio.md: the sidecar of vmagent encrypts remote write to a Service;
//! vmagent and Prometheus use the TLS settings of a remote write only where its URL is https.
//! Departs from nothing: a receiver of which nothing is known is not spoken of.
//! Knows: scrapers as patched, Istio's answer, the demand table. Does not know: endpoints, what is changed.

use std::collections::BTreeSet;

use jsonptr::PointerBuf;
use serde_json::Value;

use super::Rule;
use super::at_port::{AtPort, at_port};
use super::decision::{Decision, Demand};
use super::demand;
use super::scraper::Patched;
use crate::config::MtlsMode;
use crate::model::{Labels, Object, PodsKnown, Scraper, Workload};
use crate::policy::{self, DataPlane, Mesh};
use crate::targets::{self, Host};

/// The port of an `http` URL that names none.
const HTTP: u16 = 80;

/// A Service that a scraper writes to in plain text, whose pods accept only members of the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receiver {
    /// The entry of `spec.remoteWrite`.
    at: PointerBuf,
    /// The Service, in words.
    service: String,
    /// The port of it that the URL names.
    pub(super) port: u16,
    /// The input shows the pods, and that they have a sidecar.
    is_known: bool,
    /// What says that they accept only members of the mesh.
    because: Vec<String>,
}

/// The receivers of a scraper that accept only members of the mesh, and get plain text.
pub(super) fn receivers(mesh: &Mesh<'_>, scraper: &Scraper) -> Vec<Receiver> {
    let entries = scraper.spec.get("remoteWrite").and_then(Value::as_array);
    let entries = entries.into_iter().flatten().enumerate();
    entries
        .filter_map(|(position, entry)| {
            let at = ["spec", "remoteWrite", &position.to_string()];
            receiver(mesh, scraper, entry, PointerBuf::from_tokens(at))
        })
        .collect()
}

fn receiver(mesh: &Mesh<'_>, scraper: &Scraper, entry: &Value, at: PointerBuf) -> Option<Receiver> {
    let url = entry.get("url")?.as_str()?;
    let is_set = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .is_some_and(|url| !url.is_empty())
    };
    // What a proxy speaks to the receiver is its own affair.
    if !url.to_ascii_lowercase().starts_with("http://") || is_set("proxyURL") || is_set("proxyUrl")
    {
        return None;
    }
    let from = Some(scraper.object.namespace.as_str());
    match targets::host(mesh.inventory, url, from) {
        Host::Service(service, port) => {
            let port = port.unwrap_or(HTTP);
            let closed = targets::answering(mesh.inventory, service, port)
                .into_iter()
                .filter_map(|(pods, number)| closed(mesh, &pods, number))
                .max_by_key(|(is_known, _)| *is_known);
            let (is_known, because) = closed?;
            Some(Receiver {
                at,
                service: service.object.to_string(),
                port,
                is_known,
                because,
            })
        }
        Host::Missing {
            namespace,
            name,
            port,
        } => {
            let pods = pods_of_nobody(&scraper.object, &namespace, &name);
            let (_, because) = closed(mesh, &pods, None)?;
            Some(Receiver {
                at,
                service: format!("Service {namespace}/{name} (not in the input)"),
                port: port.unwrap_or(HTTP),
                is_known: false,
                because,
            })
        }
        Host::Unknown(_) => None,
    }
}

/// Whether a port lets in members of the mesh only, and what says so; with it, whether that is certain.
fn closed(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Option<(bool, Vec<String>)> {
    let AtPort {
        injection,
        mode,
        captured,
    } = at_port(mesh, pods, port);
    let (plane, mode) = (injection.fact, mode.fact);
    let is_shown = pods.known != PodsKnown::SelectorOnly && port.is_some();
    // Of pods that nobody shows, which ports are taken is not known; that all are is the rule.
    let taken = match captured.value {
        None if !is_shown => Some(true),
        taken => taken,
    };
    let is_closed = match demand::demand(plane.value, taken, mode.value, Some(false)) {
        Demand::MutualTls | Demand::Unreachable => true,
        // Whether it has a sidecar is not known: "may" is said where the namespace injects.
        Demand::MutualTlsIfInjected | Demand::Unknown | Demand::Plain => false,
    };
    let is_strict = mode.value == Some(MtlsMode::Strict);
    let because = [mode.because, plane.because].concat();
    (is_closed && is_strict).then_some((is_shown, because))
}

/// Pods behind a Service that is not in the input, as most pods of the namespace are: without labels that a policy of
/// single workloads selects, or an injector asks for.
fn pods_of_nobody(asker: &Object, namespace: &str, name: &str) -> Workload {
    let object = Object {
        kind: "Pods".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        api_version: "v1".to_owned(),
        ..asker.clone()
    };
    Workload::of_labels(object, Labels::new(), PodsKnown::Template)
}

/// The receivers whose requests pass the scraper's own sidecar by.
pub(super) fn decide_all(patched: &Patched<'_>) -> Vec<Decision> {
    let mesh = patched.mesh();
    let mut findings = Vec::new();
    for (position, scraper) in patched.inventory.scrapers.iter().enumerate() {
        let (_, state) = patched.scraper(position);
        // Without a sidecar nothing is encrypted, whatever is taken.
        let has_sidecar = match state.plane.value {
            Some(DataPlane::Sidecar) => true,
            None => false,
            Some(DataPlane::Ambient | DataPlane::None) => continue,
        };
        for receiver in receivers(&mesh, scraper) {
            let taken = policy::outbound_captured(&mesh, &scraper.pods, Some(receiver.port));
            if taken.value != Some(false) {
                continue;
            }
            let is_known = receiver.is_known && has_sidecar;
            let message = message(&mesh, scraper, &receiver, &taken.because, is_known);
            findings.push(Decision::finding(
                &scraper.object,
                receiver.at,
                Rule::RemoteWriteLeavesTheMesh,
                message,
            ));
        }
    }
    findings
}

fn message(
    mesh: &Mesh<'_>,
    scraper: &Scraper,
    receiver: &Receiver,
    past: &[String],
    is_known: bool,
) -> String {
    let Receiver { service, port, .. } = receiver;
    let (accepts, refused) = match is_known {
        true => ("accepts", "is refused"),
        false => ("may accept", "may be refused"),
    };
    format!(
        "requests to port {port} of {service} pass the scraper's sidecar by ({}) and leave the pod in plain text, and the \
         receiver {accepts} only mutual TLS ({}): remote write {refused}; {}",
        past.join("; "),
        receiver.because.join("; "),
        way_out(mesh, scraper, *port)
    )
}

/// What lets the sidecar take the requests again.
fn way_out(mesh: &Mesh<'_>, scraper: &Scraper, port: u16) -> String {
    let mut with_port = scraper.pods.clone();
    let written = with_port.annotations.get(policy::INCLUDE_PORTS);
    let written = written.unwrap_or_default();
    let key = policy::INCLUDE_PORTS;
    match with_ports(written, &[port]) {
        Some(ports) => {
            let annotations = &mut with_port.annotations;
            annotations.insert(key, &ports);
            match policy::outbound_captured(mesh, &with_port, Some(port)).value {
                Some(true) => {
                    format!(
                        "annotate the scraper's pods (spec.podMetadata) with {key}: \"{ports}\""
                    )
                }
                Some(false) | None => format!(
                    "take what keeps its sidecar from port {port} out of the annotations or the settings of the mesh; \
                     {key}: \"{ports}\" is enough beside includeOutboundIPRanges: \"\""
                ),
            }
        }
        None => format!("{key} is not understood: set it to \"{port}\""),
    }
}

/// A list of ports with others behind it, each once, these in order; `None` where it is no list of ports.
pub(super) fn with_ports(written: &str, more: &[u16]) -> Option<String> {
    let mut present = BTreeSet::new();
    for port in written.split(',').map(str::trim) {
        match port {
            "" if written.trim().is_empty() => {}
            port => {
                present.insert(port.parse::<u16>().ok()?);
            }
        }
    }
    let missing: BTreeSet<_> = more
        .iter()
        .filter(|port| !present.contains(*port))
        .collect();
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    Some(match (present.is_empty(), missing.is_empty()) {
        (_, true) => written.to_owned(),
        (true, false) => missing.join(","),
        (false, false) => format!("{written},{}", missing.join(",")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_appended_in_order_each_once() {
        for (written, more, expected) in [
            ("", &[8480, 8429, 8480][..], Some("8429,8480")),
            ("4317", &[8429], Some("4317,8429")),
            ("9090, 4317", &[8429, 4317], Some("9090, 4317,8429")),
            ("8429", &[8429], Some("8429")),
            (" ", &[], Some(" ")),
            ("", &[], Some("")),
            ("grpc", &[8429], None),
            ("*", &[8429], None),
            ("1,,2", &[8429], None),
        ] {
            let found = with_ports(written, more);
            assert_eq!(found.as_deref(), expected, "{written:?} and {more:?}");
        }
    }
}
