//! What did the user ask for?
//!
//! Authority: our own kind `ScrapeTLS` (istio-scrape.dev/v1alpha1), or a ConfigMap with the same settings as flat keys.
//! Departs from nothing: unknown fields, wrong types and unknown kinds are refused by name.
//! Knows: settings and their defaults. Does not know: the objects they are applied to.

mod choice;
mod error;
mod settings;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use choice::{Candidate, Choice, choose, is_scrape_tls};
pub use error::{ConfigError, Problem};

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

/// What a run does with its decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    /// `patch`: items come back patched.
    Patch,
    /// `check`: items come back unchanged; a pending patch or a finding at `failOn` fails the run.
    Check,
}

/// From which severity on a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// `warning`
    Warning,
    /// `error`
    Error,
    /// `never`
    Never,
}

/// Mutual TLS mode, as PeerAuthentication spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MtlsMode {
    /// `STRICT`: only mutual TLS with a mesh certificate is accepted.
    Strict,
    /// `PERMISSIVE`: plain text and mutual TLS between sidecars; TLS without Istio's ALPN breaks.
    Permissive,
    /// `DISABLE`: no TLS is terminated.
    Disable,
}

/// What pods of a namespace get where they do not say otherwise themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceInjection {
    /// `sidecar`: as with the label `istio-injection: enabled`.
    Sidecar,
    /// `ambient`: as with the label `istio.io/dataplane-mode: ambient`.
    Ambient,
    /// `none`: as without any label.
    None,
}

/// What to do with STRICT pods of which nobody says whether they have a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectionUnknown {
    /// `relabel`: decide when scraping, by the label that the injector sets.
    Relabel,
    /// `assume`: as if they had one.
    Assume,
    /// `ignore`: leave the endpoint as it is.
    Ignore,
}

/// What to do with endpoints whose targets are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetsUnknown {
    /// `keep`: leave the endpoint as it is, with a warning.
    Keep,
    /// `refuse`: an error.
    Refuse,
}

/// What to do with an endpoint that reaches ports that demand mutual TLS and ports that do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetsMixed {
    /// `relabel`: certificates, and the scheme chosen for each target by relabelling.
    Relabel,
    /// `keep`: leave the endpoint as it is, with a warning.
    Keep,
    /// `refuse`: an error.
    Refuse,
}

/// Where the certificates are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificatesVia {
    /// `endpoint`: in `tlsConfig` of each endpoint; in a scrape class only where an endpoint cannot.
    Endpoint,
    /// `scrapeClass`: in a scrape class of the scrapers, which scrape objects name.
    ScrapeClass,
}

/// Whether a scraper's requests go through its own sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interception {
    /// `keep`: as it is, which is through it unless somebody says otherwise.
    Keep,
    /// `bypass`: scrapes leave the pod past it, requests to STRICT remote-write receivers go through it.
    Bypass,
}

/// What becomes of the scrapes that an operator makes of its own components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfScrape {
    /// `patch`: they get certificates where their ports demand them.
    Patch,
    /// `ignore`: they are not looked at.
    Ignore,
}

/// When a scraper gets the pod label `sidecar.istio.io/inject: "true"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScraperInject {
    /// `unknown`: where nothing says that it has a sidecar.
    Unknown,
    /// `always`: also where it is proven to have none.
    Always,
    /// `never`
    Never,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `off`: not reported.
    Off,
    /// `info`
    Info,
    /// `warning`: metrics may be lost.
    Warning,
    /// `error`: the run fails.
    Error,
}
