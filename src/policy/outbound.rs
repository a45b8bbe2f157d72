//! Does a scraper's sidecar take the requests that the scraper sends?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (`istio-iptables -m -i -x -q -o`), tools/istio-iptables/pkg/capture/run.go `Run` for their order: ports out, ranges out, ports in, ranges in.
//! Departs from it: address ranges other than none and all are not compared with pod addresses, the answer is then unknown.
//! Knows: annotations of pods, settings of the mesh, a port. Does not know: destinations.

use super::annotations::{EXCLUDE_OUTBOUND, EXCLUDE_RANGES, INCLUDE_RANGES, port_list, refused};
use super::capture::{intercepted, own_or_mesh, undecided};
use super::possible::Possible;
use super::{Fact, Mesh};
use crate::model::{ControlPlane, Setting, Workload};

/// The ports to which requests go through the sidecar wherever they go.
pub const INCLUDE_PORTS: &str = "traffic.sidecar.istio.io/includeOutboundPorts";

/// Whether requests to a port of other pods go through the sidecar, if there is one.
pub fn outbound_captured(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Fact<bool> {
    if let Some(why) = refused(pods) {
        return Fact::unknown(why);
    }
    let mode = match intercepted(mesh, pods) {
        Ok(mode) => mode,
        Err(why) => return Fact::unknown(why),
    };
    match mode.holds(|mode| mode == "NONE") {
        Some(true) => return known(false, mode),
        None => return undecided(&mode, "interceptionMode"),
        Some(false) => {}
    }
    let settings = mesh.settings_of(pods);
    let setting = |key: &str,
                   fact: (&Setting, &Fact<String>),
                   default: &str,
                   said: fn(&ControlPlane) -> Option<String>| {
        own_or_mesh(pods, key, || {
            Possible::of_mesh(mesh, pods, fact, default, said)
        })
    };
    let ports_out = setting(
        EXCLUDE_OUTBOUND,
        (
            &Setting::ExcludeOutboundPorts,
            &settings.exclude_outbound_ports,
        ),
        "",
        |plane| plane.exclude_outbound_ports.clone(),
    );
    match listed(&ports_out, port) {
        Listed::Yes => return known(false, ports_out),
        Listed::Unknown => return undecided(&ports_out, "excludeOutboundPorts"),
        Listed::No => {}
    }
    let ranges_out = setting(
        EXCLUDE_RANGES,
        (&Setting::ExcludeIpRanges, &settings.exclude_ip_ranges),
        "",
        |plane| plane.exclude_ip_ranges.clone(),
    );
    match (everywhere(&ranges_out), nowhere(&ranges_out)) {
        (Some(true), _) => return known(false, ranges_out),
        (_, Some(true)) => {}
        (_, Some(false) | None) => return unjudged(ranges_out),
    }
    let ports_in = setting(
        INCLUDE_PORTS,
        (
            &Setting::IncludeOutboundPorts,
            &settings.include_outbound_ports,
        ),
        "",
        |plane| plane.include_outbound_ports.clone(),
    );
    let ranges_in = setting(
        INCLUDE_RANGES,
        (&Setting::IncludeIpRanges, &settings.include_ip_ranges),
        "*",
        |plane| plane.include_ip_ranges.clone(),
    );
    let all = everywhere(&ranges_in) == Some(true);
    match listed(&ports_in, port) {
        Listed::Yes => return known(true, ports_in),
        Listed::Unknown if !all => return undecided(&ports_in, "includeOutboundPorts"),
        Listed::Unknown | Listed::No => {}
    }
    match nowhere(&ranges_in) {
        Some(true) => known(false, ranges_in),
        Some(false) if all && ranges_in.written => known(true, ranges_in),
        Some(false) if all => Fact::assumed(true, format!("{} limits no requests", pods.object)),
        Some(false) | None => unjudged(ranges_in),
    }
}

fn known(captured: bool, setting: Possible) -> Fact<bool> {
    Fact {
        value: Some(captured),
        proven: setting.written,
        because: setting.because,
    }
}

/// Addresses decide, and nobody knows those of pods.
fn unjudged(ranges: Possible) -> Fact<bool> {
    Fact {
        value: None,
        proven: false,
        because: ranges.because,
    }
}

enum Listed {
    Yes,
    No,
    Unknown,
}

/// Whether a list has the port; a port that nobody knows is in none, as long as one is empty.
fn listed(list: &Possible, port: Option<u16>) -> Listed {
    let is_empty = list.holds(|list| list.trim().is_empty()) == Some(true);
    let has = |list: &str, port: u16| port_list(list).is_some_and(|ports| ports.contains(&port));
    match (port, list.holds(|list| port_list(list).is_some())) {
        _ if is_empty => Listed::No,
        (Some(port), Some(true)) => match list.holds(|list| has(list, port)) {
            Some(true) => Listed::Yes,
            Some(false) => Listed::No,
            None => Listed::Unknown,
        },
        (Some(_), Some(false) | None) | (None, _) => Listed::Unknown,
    }
}

fn everywhere(ranges: &Possible) -> Option<bool> {
    ranges.holds(|list| {
        list.split(',')
            .any(|range| matches!(range.trim(), "*" | "0.0.0.0/0"))
    })
}

fn nowhere(ranges: &Possible) -> Option<bool> {
    ranges.holds(|list| list.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::annotations::INTERCEPTION;
    use super::*;
    use crate::model::Inventory;
    use crate::policy::Mesh;
    use crate::policy::fixture::{annotated, control_plane, mesh, said_by};

    fn with(annotations: &[(&str, &str)]) -> Option<bool> {
        let inventory = Inventory::default();
        outbound_captured(&mesh(&inventory), &annotated(annotations), Some(8080)).value
    }

    /// Where the mesh says something, and the pods these annotations.
    fn set(change: impl FnOnce(&mut ControlPlane), annotations: &[(&str, &str)]) -> Fact<bool> {
        let mut plane = control_plane("istio-sidecar-injector", "default");
        change(&mut plane);
        let (inventory, settings) = said_by(vec![plane]);
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        outbound_captured(&mesh, &annotated(annotations), Some(8080))
    }

    /// By default everything goes through the sidecar.
    #[test]
    fn nothing_said() {
        assert_eq!(with(&[]), Some(true));
        assert_eq!(with(&[(INCLUDE_RANGES, "*")]), Some(true));
    }

    /// The ways in which users switch it off.
    #[test]
    fn switched_off() {
        assert_eq!(with(&[(INCLUDE_RANGES, "")]), Some(false));
        assert_eq!(with(&[(EXCLUDE_RANGES, "0.0.0.0/0")]), Some(false));
        assert_eq!(with(&[(INTERCEPTION, "NONE")]), Some(false));
        assert_eq!(with(&[(EXCLUDE_OUTBOUND, "9090, 8080")]), Some(false));
    }

    /// A listed port goes through although no address range does, but not where the range is excluded.
    #[test]
    fn one_port_only() {
        assert_eq!(
            with(&[(INCLUDE_RANGES, ""), (INCLUDE_PORTS, "8080")]),
            Some(true)
        );
        assert_eq!(
            with(&[(INCLUDE_RANGES, ""), (INCLUDE_PORTS, "4317")]),
            Some(false)
        );
        assert_eq!(
            with(&[(EXCLUDE_RANGES, "0.0.0.0/0"), (INCLUDE_PORTS, "8080")]),
            Some(false),
            "exclusions come first"
        );
    }

    /// Address ranges say nothing about pods whose addresses nobody knows.
    #[test]
    fn some_ranges() {
        assert_eq!(with(&[(INCLUDE_RANGES, "10.0.0.0/8")]), None);
        assert_eq!(with(&[(EXCLUDE_RANGES, "10.0.0.0/8")]), None);
    }

    /// What the injector refuses says nothing.
    #[test]
    fn refused_annotations() {
        assert_eq!(with(&[(EXCLUDE_OUTBOUND, "http")]), None);
        assert_eq!(with(&[(INTERCEPTION, "none")]), None);
    }

    /// Lists of the mesh count where the pods have none, and not beside theirs.
    #[test]
    fn mesh_wide() {
        let ports = |plane: &mut ControlPlane| plane.exclude_outbound_ports = Some("8080".into());
        let fact = set(ports, &[]);
        assert_eq!((fact.value, fact.proven), (Some(false), true));
        assert_eq!(
            fact.because,
            ["ConfigMap istio-system/istio-sidecar-injector: excludeOutboundPorts is \"8080\""]
        );
        assert_eq!(set(ports, &[(EXCLUDE_OUTBOUND, "9090")]).value, Some(true));

        let nothing = |plane: &mut ControlPlane| plane.include_ip_ranges = Some(String::new());
        assert_eq!(set(nothing, &[]).value, Some(false));
        assert_eq!(set(nothing, &[(INCLUDE_RANGES, "*")]).value, Some(true));
        let services =
            |plane: &mut ControlPlane| plane.include_ip_ranges = Some("10.0.0.0/8".into());
        assert_eq!(set(services, &[]).value, None);
        let port = |plane: &mut ControlPlane| {
            plane.include_ip_ranges = Some(String::new());
            plane.include_outbound_ports = Some("8080".into());
        };
        assert_eq!(set(port, &[]).value, Some(true));
        let none = |plane: &mut ControlPlane| plane.interception = Some("NONE".into());
        assert_eq!(set(none, &[]).value, Some(false));
        assert_eq!(set(none, &[(INTERCEPTION, "REDIRECT")]).value, Some(true));
    }
}
