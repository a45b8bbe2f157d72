//! Istio's answer: what does a port of a pod demand, and who says so?
//!
//! Authority: istio/istio, see the modules.
//! Departs from it: manifests show a part of the cluster, so every answer can be "unknown" ([`Fact`]).
//! Knows: workloads, Namespaces, Istio's objects, what is set for the mesh. Does not know: scrapes, scrapers, patches.
//!
//! ```text
//! configuration > objects of the control plane > Istio's defaults ── settings (per revision), possible
//!      │
//!      ▼
//! gate 1: is an injector asked? ── asked ◄─ webhook, namespaces     whose istiod? ── readership
//! gate 2: does it inject? ──────── injector                               │
//!      │                                                                  ▼
//!      ▼                                                   precedence ◄─ selection
//! data plane ── injection                                   │ outlook
//!      ├─ sidecar ─ is the port taken? ── capture           ├──► mode ──────┐
//!      │               annotations, proxy_config            │               ├─► chain
//!      ├─ ambient ─ is the port taken? ── capture           └──► ztunnel ───┘
//!      └─ none
//!                  data plane + captured + mode ──► what the port demands (`rules`)
//!
//! beside:  served ── ports that ask for certificates by themselves
//!          outbound, registry ── what a scraper's own sidecar does with its requests
//!          hbone ── what ztunnel tunnels          authorization ── who is refused although TLS works
//! ```

use std::fmt;

use crate::config::MtlsMode;
use crate::model::{Inventory, Object, Workload};

mod annotations;
mod asked;
mod authorization;
mod capture;
mod chain;
mod hbone;
mod injection;
mod injector;
mod merge;
mod mode;
mod namespaces;
mod outbound;
mod outlook;
mod possible;
mod precedence;
mod proxy_config;
mod readership;
mod registry;
mod selection;
mod served;
mod settings;
mod webhook;
mod ztunnel;

#[cfg(test)]
mod draws;
#[cfg(test)]
mod fixture;

pub use annotations::{EXCLUDE_RANGES, INCLUDE_RANGES, PROXY_CONFIG, USER_VOLUME_MOUNT};
pub use authorization::{Access, Layer, Peer, Refusal, Request, access};
pub use capture::{captured, captured_by_ztunnel};
pub use chain::{Link, Part, Rung};
pub use hbone::accepts_hbone;
pub use injection::{Injection, data_plane};
pub use injector::{Injector, InjectorSettings, injection_required};
pub use merge::{MergedMetrics, merged_metrics};
pub use mode::{Mode, Undecided, mode};
pub use namespaces::namespaces_contradicted;
pub use outbound::{INCLUDE_PORTS, outbound_captured};
pub use possible::Possible;
pub use precedence::{Level, level};
pub use proxy_config::{EffectiveProxyConfig, Metadata, Origin, effective_proxy_config};
pub use readership::{meant_by_tag, obeyed_instead};
pub use registry::outbound_policy;
pub use selection::selected_in;
pub use served::{Serves, serves_istios_certificates, user_volume_mounts};
pub use settings::{Contradiction, MeshSettings, Settings};
pub use webhook::{INJECT, Revision, ambient_enrols, webhook_selects};
pub use ztunnel::mode_in_ambient;

/// The mesh as far as policies and the injector depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Mesh<'a> {
    /// Its Namespaces and PeerAuthentications.
    pub inventory: &'a Inventory,
    /// What is set for all of it.
    pub settings: &'a Settings,
}

impl Mesh<'_> {
    /// What is set for the pods of a workload, by the istiod of their revision.
    pub fn settings_of(&self, pods: &Workload) -> &MeshSettings {
        self.settings
            .of_revision(injection::revision(self, pods).as_deref())
    }
}

/// An answer, known or not, with the objects that made it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// The answer; `None`: unknown.
    pub value: Option<T>,
    /// Whether an object or explicit configuration says so, rather than the absence of one.
    pub proven: bool,
    /// The evidence, one sentence part per object, e.g. `PeerAuthentication istio-system/default: STRICT`.
    pub because: Vec<String>,
}

/// What stands between the network and a pod's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataPlane {
    /// An injected istio-proxy.
    Sidecar,
    /// ztunnel on the node.
    Ambient,
    /// Nothing: the port speaks for itself.
    None,
}

impl<T> Fact<T> {
    /// Known, because an object or explicit configuration says so.
    fn proven(value: T, because: impl Into<String>) -> Self {
        Self {
            value: Some(value),
            proven: true,
            because: vec![because.into()],
        }
    }

    /// Known, but only because nothing in the input says otherwise.
    fn assumed(value: T, because: impl Into<String>) -> Self {
        Self {
            value: Some(value),
            proven: false,
            because: vec![because.into()],
        }
    }

    /// Not known, with what is missing.
    fn unknown(because: impl Into<String>) -> Self {
        Self {
            value: None,
            proven: false,
            because: vec![because.into()],
        }
    }
}

/// An object as evidence names it: `Deployment shop/web`, `Namespace shop (context)` for one from outside the build.
fn named(object: &Object) -> Named<'_> {
    Named(object)
}

struct Named<'o>(&'o Object);

impl fmt::Display for Named<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(object) = self;
        match object.context {
            true => write!(out, "{object} (context)"),
            false => object.fmt(out),
        }
    }
}

/// Of pods known only by the Service that selects them, whose name they go by.
fn unseen(pods: &Workload) -> String {
    let Object {
        namespace, name, ..
    } = &pods.object;
    format!("the pods behind Service {namespace}/{name} are not in the input")
}

/// A mode as PeerAuthentication spells it, `UNSET` for an inherited one.
fn spelled(mode: Option<MtlsMode>) -> &'static str {
    match mode {
        Some(MtlsMode::Strict) => "STRICT",
        Some(MtlsMode::Permissive) => "PERMISSIVE",
        Some(MtlsMode::Disable) => "DISABLE",
        None => "UNSET",
    }
}
