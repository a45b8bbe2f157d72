//! Istio's answer: what does a port of a pod demand, and who says so?
//!
//! Authority: istio/istio, see the modules.
//! Departs from it: manifests show a part of the cluster, so every answer can be "unknown" ([`Fact`]).
//! Knows: workloads, namespaces, PeerAuthentication. Does not know: scrapes, scrapers, patches.

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
