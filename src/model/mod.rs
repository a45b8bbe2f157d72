//! What do the manifests say?
//!
//! Authority: the CRDs of Istio and the VictoriaMetrics operator, and the Kubernetes API, as far as a decision needs them.
//! Departs from them: reading never fails on one object; what is not understood becomes [`Unread`] and is reported.
//! Knows: objects and their fields. Does not know: what Istio makes of a policy, which pods an endpoint reaches, what we decide.
//!
//! ```text
//! Namespace ──labels──► injection        PeerAuthentication ──selector──┐
//! Service ──selector──► Workload (pod template) ◄────────────────────────┘
//!    ▲ labels                                 ▲ pod labels
//! VMServiceScrape ◄──selects── VMAgent     VMPodScrape ◄──selects── VMAgent     (and their like: `kinds`, `scrapers`)
//!
//! ControlPlane, InjectorWebhooks ──revision──► what is set for pods and who injects them
//! ProxyConfig, Sidecar, AuthorizationPolicy ──selector──► Workload
//! ```

mod authorization;
mod by_label;
mod by_namespace;
mod control_plane;
mod copies;
mod discovery;
mod embedded;
mod field;
mod index;
mod inline_jobs;
mod kinds;
mod knative;
mod labels;
mod metadata;
mod operated;
mod peer_authentication;
mod reading;
mod scraper_kinds;
mod scrapers;
mod scrapes;
mod selectors;
mod self_scrapes;
mod services;
mod sidecar;
mod spelled;
mod unread;
mod workloads;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jsonptr::PointerBuf;

pub use crate::config::MtlsMode;
pub use authorization::{
    Action, AuthorizationPolicy, AuthorizationRule, Condition, Operation, Source,
};
pub use control_plane::{
    ControlPlane, InjectorWebhook, InjectorWebhooks, OutboundPolicy, ProxyConfig, Setting,
};
pub use discovery::{KubernetesDiscovery, KubernetesRole};
pub use embedded::embedded;
pub use index::{LabelIndex, PodLabel};
pub use inline_jobs::is_in_inline_jobs;
pub use kinds::{
    Endpoints, Finds, PortFields, SCRAPE_KINDS, ScrapeDescription, ScrapeKind, Spelling,
};
pub use labels::Labels;
pub use metadata::{REVISION, is_cluster_scoped};
pub use operated::RELOADER_PORT;
pub use reading::{Found, is_scrape, makes_pods, passed_over, read, reads};
pub use scraper_kinds::{SCRAPER_KINDS, ScraperDescription, ScraperKind, Unset};
pub use scrapers::{AddedRules, Scraper, Selection};
pub use scrapes::{
    DiscoveryRole, Endpoint, EndpointPort, Namespaces, Origin, Scrape, TargetSource,
};
pub use selectors::{LabelSelector, contains, described, selects};
pub use sidecar::Sidecar;
pub use spelled::SpelledLabels;
pub use unread::UnreadIndex;

/// The label that the API server sets on each Namespace: its name.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Everything that a decision can depend on, in an order that does not depend on the input's: each list by namespace,
/// name, kind and item.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Namespace objects by name. A namespace that is not here is unknown, not unlabelled.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Names of Namespaces that are in the input and no less unknown, with the reason in words.
    pub unclear_namespaces: BTreeMap<String, &'static str>,
    /// Services.
    pub services: Vec<Service>,
    /// Everything whose pods can be scraped: workloads, and the pods that operators make of their objects.
    pub workloads: Vec<Workload>,
    /// PeerAuthentication objects, the refused ones too.
    pub policies: Vec<PeerAuthentication>,
    /// AuthorizationPolicy objects, the refused ones too.
    pub authorizations: Vec<AuthorizationPolicy>,
    /// Objects that configure istiod.
    pub control_planes: Vec<ControlPlane>,
    /// Webhooks of injectors. None at all: which revisions are installed is not in the input.
    pub injectors: Vec<InjectorWebhooks>,
    /// Sidecar objects.
    pub sidecars: Vec<Sidecar>,
    /// ProxyConfig objects.
    pub proxy_configs: Vec<ProxyConfig>,
    /// Scrape objects.
    pub scrapes: Vec<Scrape>,
    /// Objects that scrape.
    pub scrapers: Vec<Scraper>,
    /// What could not be understood.
    pub unread: Vec<Unread>,
    /// Who carries which label; `None`: look at all.
    pub index: Option<LabelIndex>,
}

/// Which object, and what its metadata tells us to do with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// `kind`.
    pub kind: String,
    /// The namespace that counts in decisions; empty for cluster-scoped kinds.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `apiVersion`.
    pub api_version: String,
    /// Position among the items of the package.
    pub item: usize,
    /// `metadata.namespace` is missing and the configured one stands for it.
    pub namespace_assumed: bool,
    /// `istio-scrape.dev/ignore: "true"`: read, never changed.
    pub ignored: bool,
    /// `config.kubernetes.io/local-config: "true"`: a fact, never patched.
    pub local: bool,
    /// A fact from outside the build: never patched, never emitted.
    pub context: bool,
    /// Rules named in `istio-scrape.dev/accept`: known, to be kept quiet.
    pub accepted: Vec<String>,
}

impl Object {
    /// Whether it is read, but never changed.
    pub fn is_untouchable(&self) -> bool {
        self.ignored || self.local || self.context
    }

    /// What forbids to change it.
    pub fn hands_off(&self) -> &'static str {
        if self.context {
            "it is context, which is never changed"
        } else if self.ignored {
            "istio-scrape.dev/ignore forbids to change it"
        } else {
            "config.kubernetes.io/local-config forbids to change it"
        }
    }
}

/// `Deployment shop/web`, `Namespace shop`: as evidence and messages name an object.
impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(out, "{} {}", self.kind, self.name)
        } else {
            write!(out, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A Namespace object.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// The object.
    pub object: Object,
    /// Its labels, with `kubernetes.io/metadata.name` as the API server sets it.
    pub labels: Labels,
}

/// A Service.
#[derive(Debug, Clone)]
pub struct Service {
    /// The object.
    pub object: Object,
    /// Labels of the Service: what a VMServiceScrape selects by.
    pub labels: Labels,
    /// Which pods it selects; empty for a Service without selector (hand-written endpoints, ExternalName).
    pub selector: Labels,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// `clusterIP: None`.
    pub headless: bool,
    /// `type: ExternalName`: another name for something else, without endpoints.
    pub another_name: bool,
    /// The object for which an operator makes it; `None`: the input has it.
    pub made_for: Option<Box<Object>>,
}

impl Service {
    /// How evidence names it: `Service shop/web`, `Service vm/vmsingle-main (of VMSingle vm/main)`.
    pub fn named(&self) -> String {
        match &self.made_for {
            None => self.object.to_string(),
            Some(of) => format!("{} (of {of})", self.object),
        }
    }
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// `name`; a single port may have none.
    pub name: Option<String>,
    /// `port`, as clients of the Service use it.
    pub number: u16,
    /// `targetPort`, or `port` where that is missing: what the pod listens on.
    pub target: PortRef,
    /// The protocol Istio takes from `appProtocol`, else from the name's prefix; `None`: detected at run time.
    pub application: Option<&'static str>,
    /// `TCP` unless written otherwise.
    pub protocol: Cow<'static, str>,
}

/// A port, by number or by the name that a container gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortRef {
    /// The pod's port number.
    Number(u16),
    /// `containers[].ports[].name`.
    Name(String),
}

/// Pods that come from one template.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The object that owns the template (or the Pod itself, or the operator's object).
    pub object: Object,
    /// Labels of the pods: what Services and PeerAuthentications select by.
    pub labels: Labels,
    /// Annotations of the pods.
    pub annotations: Labels,
    /// `serviceAccountName`, `default` where missing: with the namespace, the pods' identity.
    pub service_account: String,
    /// `hostNetwork: true`.
    pub host_network: bool,
    /// Containers and init containers.
    pub containers: Vec<Container>,
    /// How much of the pods is known.
    pub known: PodsKnown,
    /// Which program of the object, where an operator runs several for one: `vmselect` of a VMCluster.
    pub part: Option<&'static str>,
}

/// How much of a workload's pods the input shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodsKnown {
    /// Labels, annotations, ports: all of the template.
    Template,
    /// An operator makes the pods: what it documents is known, more may be added in the cluster.
    Operator,
    /// Only the selector of a Service that reaches them: at least these labels, nothing else.
    SelectorOnly,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// `name`.
    pub name: String,
    /// `image`, empty where missing.
    pub image: String,
    /// From `initContainers`.
    pub init: bool,
    /// Declared TCP ports; none of a plain init container, which has ended before anything is scraped.
    pub ports: Vec<ContainerPort>,
}

/// A declared port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPort {
    /// `name`.
    pub name: Option<String>,
    /// `containerPort`.
    pub number: u16,
}

/// A PeerAuthentication.
#[derive(Debug, Clone)]
pub struct PeerAuthentication {
    /// The object.
    pub object: Object,
    /// Label `istio.io/rev`: only the istiod of this revision reads it (pkg/config/model.go `LabelsInRevision`).
    pub revision: Option<String>,
    /// `metadata.creationTimestamp`, RFC 3339 in UTC, where Git has one.
    pub created: Option<String>,
    /// `spec.selector.matchLabels`; empty: every workload of the namespace, or of the mesh.
    pub selector: Labels,
    /// There is a `spec.selector`, if only an empty one: no difference for sidecars, but for ztunnel.
    pub selector_written: bool,
    /// `spec.mtls.mode`; `None` for missing or UNSET: inherited.
    pub mode: Option<MtlsMode>,
    /// `spec.portLevelMtls`, by workload port; `None`: as the workload.
    pub ports: BTreeMap<u16, Option<MtlsMode>>,
    /// Why the API server or Istio's webhook refuses the object; empty when it does not.
    pub refused: Vec<String>,
}

/// An object, or a part of one, that could not be understood.
#[derive(Debug, Clone)]
pub struct Unread {
    /// The object.
    pub object: Object,
    /// The field.
    pub at: PointerBuf,
    /// What is wrong with it and what is expected.
    pub problem: String,
}
