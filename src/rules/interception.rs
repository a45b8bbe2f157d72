//! With which annotations do a scraper's requests leave its pod without its sidecar?
//!
//! Authority: istio.io, "Prometheus" integration page (`includeOutboundIPRanges: ""`); injection-template.yaml and
//! `istio-iptables` for `includeOutboundPorts` beside it.
//! Departs from them: ports of remote-write receivers that accept only members of the mesh stay with the sidecar.
//! Knows: a scraper's pods, its remote write. Does not know: endpoints.

use super::remote_write::{self, Receiver, with_ports};
use crate::model::Scraper;
use crate::policy::{EXCLUDE_RANGES, INCLUDE_PORTS, INCLUDE_RANGES, Mesh};

/// What `scraper.interception: bypass` makes of a scraper's pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bypass {
    /// Annotations to write, or to write anew.
    pub(super) annotations: Vec<(&'static str, String)>,
    /// What is written already, is kept, and keeps requests from passing by.
    pub(super) kept: Option<String>,
}

/// The annotations that are missing.
pub(super) fn bypass(mesh: &Mesh<'_>, scraper: &Scraper) -> Bypass {
    let written = |key: &str| scraper.pods.annotations.get(key).map(String::as_str);
    // What somebody chose for the requests of these pods is not ours to widen or to narrow.
    let chosen = [INCLUDE_RANGES, EXCLUDE_RANGES]
        .into_iter()
        .find_map(|key| Some((key, written(key).filter(|value| !value.trim().is_empty())?)));
    if let Some((key, value)) = chosen {
        return Bypass {
            annotations: Vec::new(),
            kept: Some(format!(
                "scraper.interception is \"bypass\", but its annotation {key}: {value:?} is kept"
            )),
        };
    }
    let receivers = remote_write::receivers(mesh, scraper);
    let needed: Vec<u16> = receivers
        .iter()
        .map(|Receiver { port, .. }| *port)
        .collect();
    let present = written(INCLUDE_PORTS).unwrap_or_default();
    let Some(ports) = with_ports(present, &needed) else {
        return Bypass {
            annotations: Vec::new(),
            kept: Some(format!(
                "scraper.interception is \"bypass\", but its annotation {INCLUDE_PORTS}: {present:?} is not understood"
            )),
        };
    };
    let mut annotations = Vec::new();
    if written(INCLUDE_RANGES).is_none() {
        annotations.push((INCLUDE_RANGES, String::new()));
    }
    if ports != present {
        annotations.push((INCLUDE_PORTS, ports));
    }
    Bypass {
        annotations,
        kept: None,
    }
}
