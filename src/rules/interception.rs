//! With which annotations do a scraper's requests leave its pod without its sidecar?
//!
//! Authority: istio.io, "Prometheus" integration page (`includeOutboundIPRanges: ""`); injection-template.yaml and
//! `istio-iptables` for `includeOutboundPorts` beside it.
//! Departs from them: ports of remote-write receivers that accept only members of the mesh stay with the sidecar.
//! Knows: a scraper's pods, its remote write. Does not know: endpoints.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::remote_write::{self, Receiver, with_ports};
use super::scraper::ScraperState;
use crate::model::{Scraper, Workload};
use crate::policy::{EXCLUDE_RANGES, INCLUDE_PORTS, INCLUDE_RANGES, Mesh};

/// What `scraper.interception: bypass` makes of a scraper's pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bypass {
    /// Annotations to write, or to write anew.
    pub(super) annotations: Vec<(&'static str, String)>,
    /// What is written already, is kept, and keeps requests from passing by.
    pub(super) kept: Option<String>,
}

impl Bypass {
    /// The pods with the annotations; `None` where nothing is missing.
    pub(super) fn annotated(&self, pods: &Workload) -> Option<Workload> {
        let mut pods = (!self.annotations.is_empty()).then(|| pods.clone())?;
        for (key, value) in &self.annotations {
            pods.annotations.insert(key, value);
        }
        Some(pods)
    }

    /// Of a scraper that may not be changed.
    fn forbidden(self, scraper: &Scraper) -> Self {
        if self.annotations.is_empty() {
            return self;
        }
        let why = match scraper.object.is_untouchable() {
            true => scraper.object.hands_off(),
            false => "spec.paused keeps the operator from changing its pods",
        };
        Self {
            annotations: Vec::new(),
            kept: Some(format!(
                "scraper.interception is \"bypass\", but {why}: its requests go where they went"
            )),
        }
    }

    /// What it comes to, behind what else is said of the scraper.
    pub(super) fn said(&self) -> String {
        let mut said = String::new();
        for (key, value) in &self.annotations {
            let what = match *key {
                INCLUDE_PORTS => {
                    "keeps what goes to receivers that accept only mutual TLS with the sidecar"
                }
                _ => "lets its requests leave its pods without the sidecar",
            };
            write!(said, "; {key}: {value:?} {what}").expect("a String grows");
        }
        if let Some(kept) = &self.kept {
            write!(said, "; {kept}").expect("a String grows");
        }
        said
    }
}

/// What becomes of the requests of the scrapers that use the certificates. One that may not be changed keeps its ways.
pub(super) fn bypasses(
    mesh: &Mesh<'_>,
    needing: &BTreeSet<usize>,
    states: &[ScraperState],
) -> Vec<(usize, Bypass)> {
    let mut found = Vec::new();
    for position in needing {
        let scraper = &mesh.inventory.scrapers[*position];
        let Ok(set_up) = &states[*position].certificates else {
            continue;
        };
        let bypass = bypass(mesh, scraper);
        found.push(match set_up.is_fixed() {
            true => (*position, bypass.forbidden(scraper)),
            false => (*position, bypass),
        });
    }
    found
}

/// The annotations that are missing.
fn bypass(mesh: &Mesh<'_>, scraper: &Scraper) -> Bypass {
    let written = |key: &str| scraper.pods.annotations.get(key);
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
