//! What did the user ask for?
//!
//! Authority: our own kinds `ScrapeTLS` and `MeshMetrics` (istio-scrape.dev/v1alpha1), or a ConfigMap with the settings of
//! the former as flat keys.
//! Departs from nothing: unknown fields, wrong types and unknown kinds are refused by name.
//! Knows: settings and their defaults. Does not know: the objects they are applied to.

mod catalog;
mod choice;
mod definition;
mod error;
mod forms;
mod mesh_metrics;
mod schema;
mod settings;
mod table;
mod values;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use choice::{Candidate, Choice, choose, is_mesh_metrics, is_scrape_tls};
pub use definition::{definition, definition_of_mesh_metrics};
pub(crate) use error::resembling;
pub use error::{ConfigError, Problem, Wrong};
pub use mesh_metrics::MeshMetrics;
pub use schema::{RuleName, of_mesh_metrics, of_scrape_tls, openapi};
pub use words::{
    Cardinality, CertificatesVia, Component, FailOn, InjectionUnknown, Interception, MtlsMode,
    NamespaceInjection, ProxyPort, RunMode, ScraperInject, SelfScrape, Severity, Style,
    TargetsMixed, TargetsUnknown, Word,
};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `mode`
    pub mode: RunMode,
    /// `failOn`
    pub fail_on: FailOn,
    /// `namespace`: stands for a missing `metadata.namespace` in decisions.
    pub namespace: String,
    /// `mesh.rootNamespace`; `None`: as the input says, else Istio's default.
    pub root_namespace: Option<String>,
    /// `mesh.mode`: the mesh-wide mode where the input has no mesh-level policy.
    pub mesh_mode: Option<MtlsMode>,
    /// `mesh.excludeInboundPorts`: ports that no sidecar of the mesh takes; `None`: as the input says.
    pub exclude_inbound_ports: Option<BTreeSet<u16>>,
    /// `context.resources`: objects that are facts and no part of the output.
    pub context_resources: Vec<Value>,
    /// `context.files`: files and directories with such objects.
    pub context_files: Vec<String>,
    /// `injection.namespaces`: what the labels of Namespaces come to that are set outside Git.
    pub namespaces: BTreeMap<String, NamespaceInjection>,
    /// `injection.unknown`
    pub injection_unknown: InjectionUnknown,
    /// `targets.unknown`
    pub targets_unknown: TargetsUnknown,
    /// `targets.mixed`
    pub targets_mixed: TargetsMixed,
    /// `certificates.directory`, without trailing slash.
    pub directory: String,
    /// `certificates.volumeName`
    pub volume_name: String,
    /// `certificates.via`
    pub via: CertificatesVia,
    /// `certificates.scrapeClassName`
    pub scrape_class_name: String,
    /// `scraper.inject`
    pub inject: ScraperInject,
    /// `scraper.interception`
    pub interception: Interception,
    /// `scraper.selfScrape`
    pub self_scrape: SelfScrape,
    /// `severity`: rule name to severity.
    pub severity: BTreeMap<String, Severity>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: RunMode::Patch,
            fail_on: FailOn::Error,
            namespace: "default".to_owned(),
            root_namespace: None,
            mesh_mode: None,
            exclude_inbound_ports: None,
            context_resources: Vec::new(),
            context_files: Vec::new(),
            namespaces: BTreeMap::new(),
            injection_unknown: InjectionUnknown::Relabel,
            targets_unknown: TargetsUnknown::Keep,
            targets_mixed: TargetsMixed::Relabel,
            directory: "/etc/istio-certs".to_owned(),
            volume_name: "istio-certs".to_owned(),
            via: CertificatesVia::Endpoint,
            scrape_class_name: "istio-mtls".to_owned(),
            inject: ScraperInject::Unknown,
            interception: Interception::Keep,
            self_scrape: SelfScrape::Patch,
            severity: BTreeMap::new(),
        }
    }
}
