//! Does the data plane take the connections to a port, or does the port speak for itself?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (`istio-iptables -b -d`), tools/istio-iptables/pkg/capture/run.go `handleInboundPortsInclude`, pkg/kube/inject/validate.go; for ztunnel cni/pkg/iptables/iptables.go.
//! Departs from it: `interceptionMode` in `proxy.istio.io/config` and custom injection templates are not read, the answer is then unknown; mesh-wide values count as the charts' defaults.
//! Knows: annotations and containers of pods, a port. Does not know: policies, Namespaces.

use std::collections::BTreeSet;

use super::injection::has_proxy;
use super::webhook::own_say;
use super::{Fact, named, unseen};
use crate::model::{PodsKnown, Workload};

const INTERCEPTION: &str = "sidecar.istio.io/interceptionMode";
const INCLUDE: &str = "traffic.sidecar.istio.io/includeInboundPorts";
const EXCLUDE: &str = "traffic.sidecar.istio.io/excludeInboundPorts";
const EXCLUDE_INTERFACES: &str = "traffic.sidecar.istio.io/excludeInterfaces";
const STATUS_PORT: &str = "status.sidecar.istio.io/port";
const PROXY_CONFIG: &str = "proxy.istio.io/config";
const TEMPLATES: &str = "inject.istio.io/templates";
const BYPASS: &str = "ambient.istio.io/bypass-inbound-capture";

/// HBONE: leaves the chain before any list of ports is looked at, for sidecars and for ztunnel.
const HBONE: u16 = 15008;
/// Envoy's own metrics and health, excluded for every sidecar.
const ENVOYS_OWN: [u16; 2] = [15090, 15021];
/// pilot-agent's port, unless the pods move it.
const STATUS: u16 = 15020;

/// Whether the pods' sidecar takes the connections to a port, and so enforces their mTLS mode on it.
/// A port that it does not take is plain even under STRICT. Without a port: what all ports have in common.
pub fn captured(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let fact = interception(pods).unwrap_or_else(|| by_ports(pods, port));
    if pods.known != PodsKnown::SelectorOnly {
        return fact;
    }
    let because = fact.because.into_iter().chain([unseen(pods)]);
    Fact {
        value: fact.value,
        proven: false,
        because: because.collect(),
    }
}

/// Whether ztunnel takes the connections to a port of ambient pods: to all but HBONE, unless the pods bypass it
/// (istio/istio cni/pkg/nodeagent/net.go). The sidecars' annotations mean nothing to it.
pub fn captured_by_ztunnel(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    // Go's strconv.ParseBool; what it cannot parse counts as absent.
    let bypass = pods.annotations.get(BYPASS);
    if bypass
        .is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
    {
        return Fact::proven(false, annotation(pods, BYPASS));
    }
    match port {
        Some(HBONE) => Fact::proven(false, format!("port {HBONE} is ztunnel's own")),
        Some(_) => Fact::assumed(
            true,
            format!("{} does not bypass ztunnel", named(&pods.object)),
        ),
        None => Fact::unknown("the port is not known, and ztunnel does not take all of them"),
    }
}

/// The answer where it is the same for every port.
fn interception(pods: &Workload) -> Option<Fact<bool>> {
    if let Some(fact) = without_a_sidecar(pods) {
        return Some(fact);
    }
    match pods.annotations.get(INTERCEPTION).map(String::as_str) {
        Some("NONE") => Some(Fact::proven(false, annotation(pods, INTERCEPTION))),
        Some("REDIRECT" | "TPROXY") => None,
        Some(_) => Some(unreadable(pods, INTERCEPTION)),
        None => pods
            .annotations
            .get(PROXY_CONFIG)
            .filter(|config| config.contains("interceptionMode"))
            .map(|_| {
                Fact::unknown(format!(
                    "{}: annotation {PROXY_CONFIG} sets interceptionMode",
                    named(&pods.object)
                ))
            }),
    }
}

/// Pods that have an istio-proxy, but none that guards the ports of others: gateways and proxyless gRPC.
fn without_a_sidecar(pods: &Workload) -> Option<Fact<bool>> {
    if let Some(templates) = pods.annotations.get(TEMPLATES) {
        let names = templates.split(',').map(str::trim).collect::<Vec<_>>();
        let guards_nothing =
            |name: &&str| matches!(*name, "gateway" | "grpc-agent" | "grpc-simple");
        return match names.contains(&"sidecar") {
            true => None,
            false if names.iter().all(guards_nothing) => {
                Some(Fact::proven(false, annotation(pods, TEMPLATES)))
            }
            false => Some(unreadable(pods, TEMPLATES)),
        };
    }
    // What istioctl renders for its gateways: a proxy of its own, and a label that asks for no other.
    let declined = own_say(pods).is_some_and(|(_, value)| value == "false");
    let injected = pods.annotations.contains_key("sidecar.istio.io/status");
    (has_proxy(pods) && declined && !injected).then(|| {
        Fact::assumed(
            false,
            format!(
                "{}: istio-proxy without injection is a gateway",
                named(&pods.object)
            ),
        )
    })
}

fn by_ports(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    if port == Some(HBONE) {
        return Fact::proven(false, format!("port {HBONE} is never captured"));
    }
    match pods.annotations.get(INCLUDE).map(String::as_str) {
        None | Some("*") => by_exclusion(pods, port),
        Some(list) => match (port_list(list), port) {
            (None, _) => unreadable(pods, INCLUDE),
            (Some(included), _) if included.is_empty() => {
                Fact::proven(false, annotation(pods, INCLUDE))
            }
            (Some(included), Some(port)) => judged_by_interface(
                pods,
                Fact::proven(included.contains(&port), annotation(pods, INCLUDE)),
            ),
            (Some(_), None) => Fact::unknown(format!(
                "the port is not known, and {}",
                annotation(pods, INCLUDE)
            )),
        },
    }
}

fn by_exclusion(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let Some(status) = pods
        .annotations
        .get(STATUS_PORT)
        .map_or(Some(STATUS), |value| parsed(value))
    else {
        return unreadable(pods, STATUS_PORT);
    };
    let Some(excluded) = pods
        .annotations
        .get(EXCLUDE)
        .map_or(Some(BTreeSet::new()), |list| port_list(list))
    else {
        return unreadable(pods, EXCLUDE);
    };
    let Some(port) = port else {
        return Fact::unknown("the port is not known, and the sidecar does not take all of them");
    };
    if ENVOYS_OWN.contains(&port) || port == status {
        return Fact::proven(false, format!("port {port} is the sidecar's own"));
    }
    if excluded.contains(&port) {
        return Fact::proven(false, annotation(pods, EXCLUDE));
    }
    let everything = match pods.annotations.contains_key(INCLUDE) {
        true => Fact::proven(true, annotation(pods, INCLUDE)),
        false => Fact::assumed(
            true,
            format!("{} limits no inbound ports", named(&pods.object)),
        ),
    };
    judged_by_interface(pods, everything)
}

/// Connections that come in by an excluded network interface are not taken; which one a scrape comes by is not known.
fn judged_by_interface(pods: &Workload, fact: Fact<bool>) -> Fact<bool> {
    let interfaces = pods
        .annotations
        .get(EXCLUDE_INTERFACES)
        .is_some_and(|list| !list.trim().is_empty());
    if !interfaces || fact.value != Some(true) {
        return fact;
    }
    let because = fact
        .because
        .into_iter()
        .chain([annotation(pods, EXCLUDE_INTERFACES)])
        .collect();
    Fact {
        proven: false,
        because,
        ..fact
    }
}

/// `Deployment shop/web: annotation traffic.sidecar.istio.io/includeInboundPorts="8080"`
pub(super) fn annotation(pods: &Workload, key: &str) -> String {
    let value = pods.annotations.get(key).map_or("", String::as_str);
    format!("{}: annotation {key}={value:?}", named(&pods.object))
}

/// The injector refuses such pods, so they run as they were injected before, or not at all.
fn unreadable(pods: &Workload, key: &str) -> Fact<bool> {
    Fact::unknown(format!("{} is not understood", annotation(pods, key)))
}

/// validate.go `parsePorts`: comma-separated, blanks allowed around numbers, nothing at all is no port.
pub(super) fn port_list(list: &str) -> Option<BTreeSet<u16>> {
    if list.trim().is_empty() {
        Some(BTreeSet::new())
    } else {
        list.split(',').map(parsed).collect()
    }
}

fn parsed(port: &str) -> Option<u16> {
    // Go's ParseUint takes no sign, Rust's parse a plus.
    Some(port.trim())
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests;
