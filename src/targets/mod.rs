//! VictoriaMetrics' answer: which pod ports does an endpoint reach, and which scraper selects it?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes`, `factory/k8stools/selectors.go`; vmagent `discovery/kubernetes`.
//! Departs from it: `matchLabels` values are compared, not used as regular expressions.
//! Knows: scrape objects, Services, workloads, scrapers. Does not know: Istio.

use std::borrow::Cow;

use crate::model::{Service, Workload};

/// One port of the pods of one workload, reached by an endpoint.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Whose pods.
    pub pods: Pods<'a>,
    /// The port on the pod; `None`: not known.
    pub port: Option<u16>,
    /// The way there: `Service default/demo`, or `pod labels`.
    pub via: String,
    /// The Service by whose name the target is addressed (`discoveryRole: service`); `None`: by pod address.
    pub addressed_by: Option<&'a Service>,
}

/// What answers at a target.
#[derive(Debug, Clone)]
pub enum Pods<'a> {
    /// The pods of a workload; owned where only a Service's selector is known of them.
    Of(Cow<'a, Workload>),
    /// A Service without selector: addresses from elsewhere, no pods of this mesh.
    Elsewhere(&'a Service),
}

/// What an endpoint reaches.
#[derive(Debug, Clone, Default)]
pub struct Reach<'a> {
    /// The targets, in order of workload and port, each once.
    pub targets: Vec<Target<'a>>,
    /// What keeps the list from being complete, in words that name the object.
    pub gaps: Vec<String>,
}

/// Whether a scraper selects a scrape object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A label of a Namespace that is not in the input decides.
    Undecided(String),
}
