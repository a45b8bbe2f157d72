//! Does the data plane take the connections to a port, or does the port speak for itself?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (`istio-iptables -m -b -d`), tools/istio-iptables/pkg/capture/run.go `handleInboundPortsInclude`, its twin cni/pkg/plugin/sidecar_redirect.go `NewRedirect`; for ztunnel cni/pkg/iptables/iptables.go.
//! Departs from it: custom injection templates are not read, the answer is then unknown; arguments of `istio-init` in pods that are injected in Git are not read, their annotations and the mesh say the same.
//! Knows: annotations and containers of pods, settings of the mesh, whether a Namespace is there, a port. Does not know: policies.

use super::annotations::{
    EXCLUDE_INBOUND, INCLUDE_INBOUND, INTERCEPTION, STATUS, STATUS_PORT, TEMPLATES, annotation,
    boolean, port_list, port_number, quoted, refused,
};
use super::injection::has_proxy;
use super::namespaces::NamespaceLabels;
use super::possible::Possible;
use super::webhook::own_say;
use super::{Fact, Mesh, effective_proxy_config, named, unseen};
use crate::model::{PodsKnown, Setting, Workload};

const EXCLUDE_INTERFACES: &str = "traffic.sidecar.istio.io/excludeInterfaces";
const BYPASS: &str = "ambient.istio.io/bypass-inbound-capture";

/// HBONE: leaves the chain before any list of ports is looked at, for sidecars and for ztunnel.
const HBONE: u16 = 15008;
/// Envoy's own metrics and health, excluded for every sidecar.
const ENVOYS_OWN: [u16; 2] = [15090, 15021];
/// pilot-agent's own, unless somebody moves it.
const DEFAULT_STATUS_PORT: &str = "15020";
/// Where captured connections end up; asked directly, Envoy has nobody to hand them to (run.go `buildInboundBlackhole`).
const ENVOYS_LISTENERS: [u16; 2] = [15001, 15006];

/// Whether the pods' sidecar takes the connections to a port, and so enforces their mTLS mode on it.
/// A port that it does not take is plain even under STRICT. Without a port: what all ports have in common.
pub fn captured(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let fact = interception(mesh, pods).unwrap_or_else(|| by_ports(mesh, pods, port));
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
    // What Go cannot parse counts as absent.
    let bypass = pods.annotations.get(BYPASS);
    if bypass.is_some_and(|value| boolean(value) == Some(true)) {
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
fn interception(mesh: &Mesh<'_>, pods: &Workload) -> Option<Fact<bool>> {
    if let Some(why) = refused(pods) {
        return Some(Fact::unknown(why));
    }
    if let Some(fact) = without_a_sidecar(pods) {
        return Some(fact);
    }
    let mode = match intercepted(mesh, pods) {
        Ok(mode) => mode,
        Err(why) => return Some(Fact::unknown(why)),
    };
    let is_known = |mode: &str| matches!(mode, "REDIRECT" | "TPROXY" | "NONE");
    match (mode.holds(|mode| mode == "NONE"), mode.holds(is_known)) {
        (Some(true), _) => Some(Fact {
            value: Some(false),
            proven: mode.proven,
            because: mode.because,
        }),
        (Some(false), Some(true)) => None,
        (Some(false) | None, _) => Some(undecided(&mode, "interceptionMode")),
    }
}

/// How the pods' connections come to their sidecar: `NONE` if not at all.
///
/// # Errors
/// The annotation for which the injector refuses the pods.
pub(super) fn intercepted(mesh: &Mesh<'_>, pods: &Workload) -> Result<Possible, String> {
    match pods.annotations.get(INTERCEPTION) {
        Some(mode) => Ok(Possible::said(mode, annotation(pods, INTERCEPTION))),
        None => Ok(effective_proxy_config(mesh, pods)?.interception),
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
            false => Some(Fact::unknown(format!(
                "{} is not understood",
                annotation(pods, TEMPLATES)
            ))),
        };
    }
    // What istioctl renders for its gateways, and charts for waypoints and ztunnel: a proxy of its own, and a label that asks
    // for no other.
    let declined = own_say(pods).is_some_and(|(_, value)| value == "false");
    let injected = pods.annotations.contains_key(STATUS);
    (has_proxy(pods) && declined && !injected).then(|| {
        Fact::assumed(
            false,
            format!(
                "{}: istio-proxy without injection is a gateway, waypoint or ztunnel",
                named(&pods.object)
            ),
        )
    })
}

fn by_ports(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Fact<bool> {
    if port == Some(HBONE) {
        return Fact::proven(false, format!("port {HBONE} is never captured"));
    }
    if let Some(port) = port.filter(|port| ENVOYS_LISTENERS.contains(port)) {
        return Fact::unknown(format!("port {port} is Envoy's own and answers no scrape"));
    }
    let include = own_or_mesh(pods, INCLUDE_INBOUND, || {
        let said = &mesh.settings_of(pods).include_inbound_ports;
        let setting = (&Setting::IncludeInboundPorts, said);
        Possible::of_mesh(mesh, pods, setting, "*", |plane| {
            plane.include_inbound_ports.clone()
        })
    });
    let lists = |list: &str| {
        port_list(list).is_some_and(|ports| port.is_some_and(|port| ports.contains(&port)))
    };
    let is_empty = |list: &str| list.trim().is_empty();
    if include.holds(is_empty) == Some(true) {
        return Fact {
            value: Some(false),
            proven: include.proven,
            because: include.because,
        };
    }
    match include.holds(|list| list == "*") {
        Some(true) => by_exclusion(mesh, pods, port, &include),
        // A list that istio-iptables cannot read keeps the pods from starting.
        Some(false) if include.holds(|list| port_list(list).is_some()) == Some(true) => {
            match (port, include.holds(lists)) {
                (Some(_), Some(listed)) => judged_by_interface(
                    pods,
                    Fact {
                        value: Some(listed),
                        proven: include.proven,
                        because: include.because,
                    },
                ),
                (Some(_), None) => undecided(&include, "includeInboundPorts"),
                (None, _) => Fact::unknown(format!(
                    "the port is not known, and {}",
                    include.because.join("; ")
                )),
            }
        }
        Some(false) | None => undecided(&include, "includeInboundPorts"),
    }
}

fn by_exclusion(
    mesh: &Mesh<'_>,
    pods: &Workload,
    port: Option<u16>,
    include: &Possible,
) -> Fact<bool> {
    let Some(port) = port else {
        return Fact::unknown("the port is not known, and the sidecar does not take all of them");
    };
    let settings = mesh.settings_of(pods);
    // The exclusion follows the chart's value; `statusPort` of `defaultConfig` and `proxy.istio.io/config` moves only pilot-agent.
    let status = own_or_mesh(pods, STATUS_PORT, || {
        Possible::of_mesh(
            mesh,
            pods,
            (&Setting::InjectorStatusPort, &settings.injector_status_port),
            DEFAULT_STATUS_PORT,
            |plane| plane.injector_status_port,
        )
    });
    let exclude = own_or_mesh(pods, EXCLUDE_INBOUND, || {
        let set = Possible::of_mesh(
            mesh,
            pods,
            (
                &Setting::ExcludeInboundPorts,
                &settings.exclude_inbound_ports,
            ),
            "",
            |plane| plane.exclude_inbound_ports.clone(),
        );
        Possible {
            proven: set.proven || mesh.settings.excluded_ports_are_configured(),
            ..set
        }
    });
    let is_status = status.holds(|status| port_number(status) == Some(port));
    let by_default = is_status == Some(true) && status.value() == Some(DEFAULT_STATUS_PORT);
    if ENVOYS_OWN.contains(&port) || by_default {
        return Fact::proven(false, format!("port {port} is the sidecar's own"));
    }
    if is_status == Some(true) {
        let own = format!("port {port} is the sidecar's own");
        return Fact {
            value: Some(false),
            proven: status.proven,
            because: std::iter::once(own).chain(status.because).collect(),
        };
    }
    let lists = |list: &str| port_list(list).is_some_and(|ports| ports.contains(&port));
    let is_excluded = match exclude.holds(|list| port_list(list).is_some()) {
        Some(true) => exclude.holds(lists),
        Some(false) | None => None,
    };
    match (is_excluded, is_status) {
        (Some(true), _) => Fact {
            value: Some(false),
            proven: exclude.proven && takes_all_for_sure(mesh, pods),
            because: exclude.because,
        },
        (None, _) => undecided(&exclude, "excludeInboundPorts"),
        (Some(false), None) => undecided(&status, "the status port"),
        (Some(false), Some(_)) => {
            let everything = Fact {
                value: Some(true),
                proven: include.proven,
                because: match include.written {
                    true => include.because.clone(),
                    false => vec![format!("{} limits no inbound ports", named(&pods.object))],
                },
            };
            judged_by_interface(pods, everything)
        }
    }
}

/// Whether sidecars take all ports whichever revision the pods are of: a Namespace that is not in the input may name
/// another one, and what is excluded counts only where all are taken.
fn takes_all_for_sure(mesh: &Mesh<'_>, pods: &Workload) -> bool {
    let whichever = mesh.settings.of_revision(None);
    pods.annotations.contains_key(INCLUDE_INBOUND)
        || !NamespaceLabels::of(mesh, &pods.object.namespace).is_missing()
        || whichever.include_inbound_ports.value.as_deref() == Some("*")
}

/// What the pods' annotation says, else what the mesh says: the injection template takes one or the other whole.
pub(super) fn own_or_mesh(
    pods: &Workload,
    key: &str,
    of_mesh: impl FnOnce() -> Possible,
) -> Possible {
    match pods.annotations.get(key) {
        Some(value) => Possible::said(value, annotation(pods, key)),
        None => of_mesh().spelled_out(),
    }
}

/// Unknown, because a setting decides that is not known or not understood.
pub(super) fn undecided(setting: &Possible, name: &str) -> Fact<bool> {
    let because = setting.because.iter().cloned();
    let why = match setting.value() {
        Some(value) => format!("{name} decides, and {} is not understood", quoted(value)),
        None => format!("{name} decides, and is not known"),
    };
    Fact {
        value: None,
        proven: false,
        because: because.chain([why]).collect(),
    }
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

#[cfg(test)]
mod tests;
