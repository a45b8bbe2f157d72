//! What did the user ask for?
//!
//! Authority: our own kind `ScrapeTLS` (istio-scrape.dev/v1alpha1), or a ConfigMap with the same settings as flat keys.
//! Departs from nothing: unknown fields, wrong types and unknown kinds are refused by name.
//! Knows: settings and their defaults. Does not know: the objects they are applied to.

mod choice;
mod error;
mod settings;

use std::collections::BTreeMap;

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
    /// `mesh.rootNamespace`
    pub root_namespace: String,
    /// `mesh.mode`: the mesh-wide mode where the input has no mesh-level policy.
    pub mesh_mode: Option<MtlsMode>,
    /// `injection.unknown`
    pub injection_unknown: InjectionUnknown,
    /// `targets.unknown`
    pub targets_unknown: TargetsUnknown,
    /// `certificates.directory`, without trailing slash.
    pub directory: String,
    /// `certificates.volumeName`
    pub volume_name: String,
    /// `scraper.inject`
    pub inject: ScraperInject,
    /// `severity`: rule name to severity.
    pub severity: BTreeMap<String, Severity>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: RunMode::Patch,
            fail_on: FailOn::Error,
            namespace: "default".to_owned(),
            root_namespace: "istio-system".to_owned(),
            mesh_mode: None,
            injection_unknown: InjectionUnknown::Relabel,
            targets_unknown: TargetsUnknown::Keep,
            directory: "/etc/istio-certs".to_owned(),
            volume_name: "istio-certs".to_owned(),
            inject: ScraperInject::Unknown,
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
