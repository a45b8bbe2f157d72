//! Does a scraper's sidecar take the requests that the scraper sends?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery/files/injection-template.yaml (`istio-iptables -i -x -q -o`).
//! Departs from it: address ranges other than none and all are not compared with pod addresses, the answer is then unknown.
//! Knows: annotations of pods, a port. Does not know: destinations.

use super::Fact;
use super::capture::{annotation, port_list};
use crate::model::Workload;

const INTERCEPTION: &str = "sidecar.istio.io/interceptionMode";
const INCLUDE_RANGES: &str = "traffic.sidecar.istio.io/includeOutboundIPRanges";
const EXCLUDE_RANGES: &str = "traffic.sidecar.istio.io/excludeOutboundIPRanges";
const INCLUDE_PORTS: &str = "traffic.sidecar.istio.io/includeOutboundPorts";
const EXCLUDE_PORTS: &str = "traffic.sidecar.istio.io/excludeOutboundPorts";

/// Whether requests to a port of other pods go through the sidecar, if there is one.
pub fn outbound_captured(pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let lists = |key: &str| {
        let ports = pods.annotations.get(key).and_then(|list| port_list(list))?;
        Some(ports.contains(&port?))
    };
    if pods
        .annotations
        .get(INTERCEPTION)
        .is_some_and(|mode| mode == "NONE")
    {
        return Fact::proven(false, annotation(pods, INTERCEPTION));
    }
    if lists(EXCLUDE_PORTS) == Some(true) {
        return Fact::proven(false, annotation(pods, EXCLUDE_PORTS));
    }
    if lists(INCLUDE_PORTS) == Some(true) {
        return Fact::proven(true, annotation(pods, INCLUDE_PORTS));
    }
    match pods.annotations.get(EXCLUDE_RANGES).map(|list| list.trim()) {
        None | Some("") => {}
        Some("0.0.0.0/0") => return Fact::proven(false, annotation(pods, EXCLUDE_RANGES)),
        Some(_) => return Fact::unknown(annotation(pods, EXCLUDE_RANGES)),
    }
    match pods.annotations.get(INCLUDE_RANGES).map(|list| list.trim()) {
        None | Some("*") => Fact::assumed(true, format!("{} limits no requests", pods.object)),
        Some("") => Fact::proven(false, annotation(pods, INCLUDE_RANGES)),
        Some(_) => Fact::unknown(annotation(pods, INCLUDE_RANGES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::annotated;

    fn with(annotations: &[(&str, &str)]) -> Option<bool> {
        outbound_captured(&annotated(annotations), Some(8080)).value
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
        assert_eq!(with(&[(EXCLUDE_PORTS, "9090, 8080")]), Some(false));
    }

    /// A listed port goes through although no address range does.
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
    }

    /// Address ranges say nothing about pods whose addresses nobody knows.
    #[test]
    fn some_ranges() {
        assert_eq!(with(&[(INCLUDE_RANGES, "10.0.0.0/8")]), None);
        assert_eq!(with(&[(EXCLUDE_RANGES, "10.0.0.0/8")]), None);
    }
}
