//! What is a decision?
//!
//! Authority: ourselves; `explain -o json` shows the same fields.
//! Departs from nothing.
//! Knows: the shape of a decision. Does not know: how one is made or shown.

use std::sync::Arc;

use json_patch::PatchOperation;
use jsonptr::PointerBuf;

use super::Rule;
use crate::config::{Config, MtlsMode, Severity};
use crate::model::Object;
use crate::policy::{DataPlane, Link};

/// One thing that was decided about one place of one object.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The object.
    pub object: Object,
    /// The place in it: an endpoint, a scraper's `spec`, or a field; the root for the whole object.
    pub at: PointerBuf,
    /// Why.
    pub rule: Rule,
    /// How much it matters, after configuration and annotations.
    pub severity: Severity,
    /// What happens to the object.
    pub verdict: Verdict,
    /// For endpoints: what is spoken now, and what the targets want.
    pub transport: Option<Transport>,
    /// For endpoints: what they reach, and what each target demands.
    pub targets: Vec<Arc<JudgedTarget>>,
    /// For endpoints: the scrapers of the input and the context that select them, or are taken to.
    pub scrapers: Vec<Arc<Object>>,
    /// In words, without the object's name.
    pub message: String,
    /// The change, empty unless the verdict is [`Verdict::Patch`].
    pub steps: Vec<Step>,
}

impl Decision {
    /// A finding that changes nothing.
    pub(super) fn finding(object: &Object, at: PointerBuf, rule: Rule, message: String) -> Self {
        Self {
            object: object.clone(),
            at,
            rule,
            severity: rule.severity(),
            verdict: Verdict::Keep,
            transport: None,
            targets: Vec::new(),
            scrapers: Vec::new(),
            message,
            steps: Vec::new(),
        }
    }

    /// Applies `severity` of the configuration and `istio-scrape.dev/accept` of the object.
    pub(super) fn settle_severity(&mut self, config: &Config) {
        if let Some(severity) = config.severity.get(self.rule.name()) {
            self.severity = *severity;
        }
        if self
            .object
            .accepted
            .iter()
            .any(|rule| rule == self.rule.name())
        {
            self.severity = Severity::Off;
        }
    }
}

/// What happens to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is changed.
    Patch,
    /// It stays as it is.
    Keep,
    /// It stays as it is, and the run fails unless `failOn` is `never`.
    Refuse,
}

/// What an endpoint speaks, and what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// As written.
    pub now: Now,
    /// As its targets need it.
    pub wanted: Wanted,
}

/// What an endpoint speaks as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// HTTP.
    Plain,
    /// HTTPS with Istio's certificates.
    MutualTls,
    /// Istio's certificates, the scheme chosen for each target by relabelling.
    PerTarget,
    /// TLS that has nothing to do with Istio.
    Own,
}

/// What the targets of an endpoint need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// HTTP.
    Plain,
    /// HTTPS with Istio's certificates.
    MutualTls,
    /// HTTPS for some, HTTP for others.
    PerTarget,
    /// Not known.
    Unknown,
}

/// A target, and how it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedTarget {
    /// Kind of the object whose pods these are.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which program of the object, where an operator runs several for one.
    pub part: Option<&'static str>,
    /// The pod's port; `None`: unknown.
    pub port: Option<u16>,
    /// How the endpoint gets there.
    pub via: String,
    /// What stands before the port; `None`: unknown.
    pub data_plane: Option<DataPlane>,
    /// Whether the data plane takes traffic to the port; `None`: unknown.
    pub captured: Option<bool>,
    /// What rules on the port; `None`: unknown.
    pub mode: Option<MtlsMode>,
    /// Whether objects or explicit configuration say all that the demand rests on.
    pub proven: bool,
    /// What it demands of the scraper.
    pub demand: Demand,
    /// The objects that made it so.
    pub because: Vec<String>,
    /// Every policy that is meant for it, and what becomes of each.
    pub chain: Vec<Link>,
}

/// What a target demands of a scraper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// HTTPS with a certificate of the mesh.
    MutualTls,
    /// HTTP.
    Plain,
    /// No request of this scraper gets through, whatever the endpoint says.
    Unreachable,
    /// Mutual TLS if the pods have a sidecar, HTTP if not; nobody says which.
    MutualTlsIfInjected,
    /// Not known.
    Unknown,
}

/// A step of a patch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// An operation on the object.
    Op(PatchOperation),
    /// Operations on the YAML or JSON that a string of the object holds.
    Inside {
        /// The string.
        at: PointerBuf,
        /// What changes in it.
        ops: Vec<PatchOperation>,
    },
}
