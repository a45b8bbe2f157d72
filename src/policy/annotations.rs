//! Does the injector take a pod with these annotations at all?
//!
//! Authority: istio/istio pkg/kube/inject/validate.go `AnnotationValidation`, `parsePorts`, `validateCIDRList`.
//! Departs from it: of `proxy.istio.io/config` only what `proxy_config.rs` reads is checked; addresses of version 6 that end in one of version 4 are refused.
//! Knows: annotations of pods. Does not know: what they change.

use std::collections::BTreeSet;

use super::{named, proxy_config};
use crate::model::Workload;

/// The configuration of the pods' proxy, as YAML.
pub const PROXY_CONFIG: &str = "proxy.istio.io/config";
/// What is mounted into the sidecar.
pub const USER_VOLUME_MOUNT: &str = "sidecar.istio.io/userVolumeMount";
/// What the injector leaves in pods, as JSON.
pub(super) const STATUS: &str = "sidecar.istio.io/status";
/// What the injector makes of the pods instead of adding a sidecar.
pub(super) const TEMPLATES: &str = "inject.istio.io/templates";
pub(super) const INTERCEPTION: &str = "sidecar.istio.io/interceptionMode";
pub(super) const STATUS_PORT: &str = "status.sidecar.istio.io/port";
/// Whether the sidecar serves the metrics of the application too.
pub(super) const MERGE_METRICS: &str = "prometheus.istio.io/merge-metrics";
pub(super) const INCLUDE_INBOUND: &str = "traffic.sidecar.istio.io/includeInboundPorts";
pub(super) const EXCLUDE_INBOUND: &str = "traffic.sidecar.istio.io/excludeInboundPorts";
/// The addresses to which requests go through the sidecar.
pub const INCLUDE_RANGES: &str = "traffic.sidecar.istio.io/includeOutboundIPRanges";
/// The addresses to which requests go past the sidecar.
pub const EXCLUDE_RANGES: &str = "traffic.sidecar.istio.io/excludeOutboundIPRanges";
pub(super) const EXCLUDE_OUTBOUND: &str = "traffic.sidecar.istio.io/excludeOutboundPorts";

/// Whether a value is one that the injector takes.
type IsValid = fn(&str) -> bool;

/// What each annotation has to look like.
const CHECKS: [(&str, IsValid); 11] = [
    (INTERCEPTION, |mode| {
        matches!(mode, "REDIRECT" | "TPROXY" | "NONE")
    }),
    (STATUS_PORT, |port| port_number(port).is_some()),
    (
        "readiness.status.sidecar.istio.io/initialDelaySeconds",
        is_number,
    ),
    ("readiness.status.sidecar.istio.io/periodSeconds", is_number),
    (
        "readiness.status.sidecar.istio.io/failureThreshold",
        is_number,
    ),
    (INCLUDE_RANGES, |list| list == "*" || is_range_list(list)),
    (EXCLUDE_RANGES, is_range_list),
    (INCLUDE_INBOUND, |list| {
        list == "*" || port_list(list).is_some()
    }),
    (EXCLUDE_INBOUND, |list| port_list(list).is_some()),
    (EXCLUDE_OUTBOUND, |list| port_list(list).is_some()),
    (MERGE_METRICS, |value| boolean(value).is_some()),
];

/// The annotation for which the injector refuses the pods: they run as they were injected before, or not at all.
pub(super) fn refused(pods: &Workload) -> Option<String> {
    CHECKS
        .iter()
        .find(|(key, is_valid)| {
            let value = pods.annotations.get(key);
            value.is_some_and(|value| !is_valid(value))
        })
        .map(|(key, _)| format!("{} is not understood", annotation(pods, key)))
        .or_else(|| proxy_config::own(pods).err())
}

/// `Deployment shop/web: annotation traffic.sidecar.istio.io/includeInboundPorts="8080"`
pub(super) fn annotation(pods: &Workload, key: &str) -> String {
    let value = pods.annotations.get(key).unwrap_or_default();
    format!(
        "{}: annotation {key}={}",
        named(&pods.object),
        quoted(value)
    )
}

/// A text in quotes; of a long one its beginning, since evidence is repeated for each port that it decides about.
pub(super) fn quoted(text: &str) -> String {
    const LONG: usize = 200;
    match text.char_indices().nth(LONG) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?} and so on ({} bytes)", &text[..end], text.len()),
    }
}

/// Comma-separated, blanks allowed around numbers, nothing at all is no port.
pub(super) fn port_list(list: &str) -> Option<BTreeSet<u16>> {
    if list.trim().is_empty() {
        Some(BTreeSet::new())
    } else {
        list.split(',').map(port_number).collect()
    }
}

/// A port as Go reads it.
pub(super) fn port_number(port: &str) -> Option<u16> {
    // Go's ParseUint takes no sign, Rust's parse a plus.
    Some(port.trim())
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| digits.parse().ok())
}

/// Go's `strconv.ParseBool`.
pub(super) fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn is_number(value: &str) -> bool {
    !value.starts_with('+') && value.parse::<u32>().is_ok()
}

/// Addresses with a number of bits, without blanks.
fn is_range_list(list: &str) -> bool {
    let is_range = |range: &str| {
        range.split_once('/').is_some_and(|(address, bits)| {
            let most = match address.contains(':') {
                true => is_version_6(address).then_some(128),
                false => is_version_4(address).then_some(32),
            };
            let bits = Some(bits).filter(|bits| is_number(bits));
            most.zip(bits.and_then(|bits| bits.parse::<u32>().ok()))
                .is_some_and(|(most, bits)| bits <= most)
        })
    };
    list.is_empty() || list.split(',').all(is_range)
}

fn is_version_4(address: &str) -> bool {
    let is_octet = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
            && part.parse::<u8>().is_ok()
    };
    address.split('.').count() == 4 && address.split('.').all(is_octet)
}

fn is_version_6(address: &str) -> bool {
    let groups = |half: &str| match half.is_empty() {
        true => Some(0),
        false => half
            .split(':')
            .all(|group| {
                (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
            .then(|| half.split(':').count()),
    };
    match address.split_once("::") {
        Some((first, last)) => groups(first)
            .zip(groups(last))
            .is_some_and(|(first, last)| first + last < 8),
        None => groups(address) == Some(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::annotated;

    fn is_refused(key: &str, value: &str) -> bool {
        refused(&annotated(&[(key, value)])).is_some()
    }

    /// webhook_test.go `TestRunAndServe` and inject_test.go `TestInjection`: the files `traffic-annotations-bad-*`.
    #[test]
    fn traffic_annotations_bad() {
        for (key, value) in [
            (INCLUDE_RANGES, "bad"),
            (EXCLUDE_RANGES, "bad"),
            (EXCLUDE_RANGES, "*"),
            (INCLUDE_RANGES, "10.0.0.0/33"),
            (INCLUDE_RANGES, "10.0.0/8"),
            (INCLUDE_RANGES, "10.0.0.0"),
            (INCLUDE_RANGES, "10.0.0.0/8, 11.0.0.0/8"),
            (INCLUDE_RANGES, "fd00/8"),
            (INCLUDE_RANGES, "fd00::1::/64"),
            (INCLUDE_RANGES, "fd00::/129"),
            (INCLUDE_INBOUND, "bad"),
            (EXCLUDE_INBOUND, "bad"),
            (EXCLUDE_INBOUND, "*"),
            (EXCLUDE_OUTBOUND, "bad"),
            (STATUS_PORT, "http"),
            (INTERCEPTION, "none"),
            ("prometheus.istio.io/merge-metrics", "yes"),
            (
                "readiness.status.sidecar.istio.io/initialDelaySeconds",
                "1s",
            ),
            (PROXY_CONFIG, "proxyMetadata: ["),
        ] {
            assert!(is_refused(key, value), "{key}: {value}");
        }
    }

    /// The files `traffic-annotations*` that are injected.
    #[test]
    fn traffic_annotations() {
        for (key, value) in [
            (INCLUDE_RANGES, "*"),
            (INCLUDE_RANGES, ""),
            (
                INCLUDE_RANGES,
                "127.0.0.1/24,10.96.0.1/24,fd00::/8,::/0,1:2:3:4:5:6:7:8/128",
            ),
            (EXCLUDE_RANGES, "10.96.0.2/24"),
            (INCLUDE_INBOUND, "*"),
            (INCLUDE_INBOUND, ""),
            (INCLUDE_INBOUND, "1, 2,3"),
            (EXCLUDE_INBOUND, "4,5,6"),
            (EXCLUDE_OUTBOUND, "7,8,9"),
            (STATUS_PORT, "0"),
            (INTERCEPTION, "TPROXY"),
            (PROXY_CONFIG, ""),
            ("traffic.sidecar.istio.io/kubevirtInterfaces", "!"),
        ] {
            assert!(!is_refused(key, value), "{key}: {value}");
        }
    }
}
