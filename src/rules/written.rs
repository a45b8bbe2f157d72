//! How is an endpoint written today, and what would change it?
//!
//! Authority: the columns of the endpoint table; operator `mergeTLSConfigs` and `TLSConfig.Validate`.
//! Departs from nothing.
//! Knows: scheme, tlsConfig, relabelling of one endpoint. Does not know: targets, policies.

use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value, json};

use super::decision::{Now, Step};
use super::own_pod;
use super::relabel;
use crate::model::{Endpoint, ScrapeDescription, Spelling};

/// The files that istio-proxy writes (`security/pkg/nodeagent/util` `OutputKeyCertToDir`), by the
/// `tlsConfig` field that names each.
const FILES: [(&str, &str); 3] = [
    ("caFile", "root-cert.pem"),
    ("certFile", "cert-chain.pem"),
    ("keyFile", "key.pem"),
];

/// Fields that the operator refuses beside the file of the same purpose.
const RIVALS: [&str; 3] = ["ca", "cert", "keySecret"];

/// An endpoint with the TLS settings that it inherits.
pub(super) struct Effective<'a> {
    endpoint: &'a Endpoint,
    /// `tlsConfig` after the scrape class is merged.
    tls: Map<String, Value>,
}

/// Merges the scrape class that applies, as the operator does: an endpoint without tlsConfig takes
/// the class's whole, one with takes what it lacks but not `insecureSkipVerify`.
///
/// # Errors
/// The first scraper's reading, where the classes of the scrapers make different things of it.
pub(super) fn effective<'a>(
    endpoint: &'a Endpoint,
    class_tls: impl Iterator<Item = Option<&'a Value>>,
) -> Result<Effective<'a>, Effective<'a>> {
    let mut readings = class_tls.map(|class| merged(endpoint, class));
    let tls = readings.next().unwrap_or_else(|| merged(endpoint, None));
    let agree = readings.all(|other| other == tls);
    let effective = Effective { endpoint, tls };
    if agree { Ok(effective) } else { Err(effective) }
}

fn merged(endpoint: &Endpoint, class_tls: Option<&Value>) -> Map<String, Value> {
    let mut tls = written_tls(endpoint).cloned().unwrap_or_default();
    let writes_its_own = !tls.is_empty();
    for (field, value) in class_tls.and_then(Value::as_object).into_iter().flatten() {
        let inherited = !writes_its_own || field != "insecureSkipVerify";
        if inherited && !tls.contains_key(field) {
            tls.insert(field.clone(), value.clone());
        }
    }
    tls
}

impl Effective<'_> {
    fn kind(&self) -> &'static ScrapeDescription {
        self.endpoint.kind.description()
    }

    /// What the endpoint speaks.
    ///
    /// Istio's certificates are recognised by file name in any directory; one of the three is
    /// enough, so that a set-up with a wrong partner is repaired rather than taken for somebody
    /// else's. Certificates that only the class brings do nothing while the scheme is http.
    pub(super) fn now(&self) -> Now {
        let https = scheme_is_https(self.endpoint);
        if self.tls.is_empty() {
            return if https { Now::Own } else { Now::Plain };
        }
        match (is_istios(&self.tls, self.kind().spelling), https) {
            (true, true) => Now::MutualTls,
            (true, false) if relabel::ours(self.endpoint).next().is_some() => Now::PerTarget,
            (true, false) if written_tls(self.endpoint).is_some() => Now::MutualTls,
            (true, false) => Now::Plain,
            (false, _) => Now::Own,
        }
    }

    /// Steps after which the endpoint speaks https with the certificates in `directory` to every
    /// target; empty where it does already.
    pub(super) fn towards_mutual_tls(&self, directory: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        if !scheme_is_https(self.endpoint) {
            steps.push(add_at(&self.endpoint.scheme_at, json!("https")));
        }
        steps.extend(self.certificates(directory));
        steps.extend(relabel::removal(self.endpoint));
        steps
    }

    /// Steps after which the endpoint speaks https to the targets that `rules` choose, and http to the
    /// others; empty where it does already.
    pub(super) fn towards_per_target(&self, directory: &str, rules: &[Value]) -> Vec<Step> {
        let mut steps = Vec::new();
        if scheme_is_https(self.endpoint) {
            steps.push(remove_at(&self.endpoint.scheme_at));
        }
        steps.extend(self.certificates(directory));
        steps.extend(relabel::update(self.endpoint, rules));
        steps
    }

    /// As [`Self::towards_mutual_tls`], but http to the pod that scrapes.
    pub(super) fn towards_others(&self, directory: &str) -> Vec<Step> {
        let mut steps = self.towards_mutual_tls(directory);
        steps.extend(own_pod::addition(self.endpoint));
        steps
    }

    /// Steps after which nothing of Istio's certificates is left in the endpoint.
    pub(super) fn towards_plain(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if scheme_is_https(self.endpoint) {
            steps.push(remove_at(&self.endpoint.scheme_at));
        }
        // What the class brings is not the endpoint's to lose, and what is not Istio's is kept.
        if self
            .endpoint
            .tls
            .as_ref()
            .is_some_and(|tls| is_istios(tls, self.kind().spelling))
        {
            steps.push(remove(&self.endpoint.at, self.kind().tls));
        }
        steps.extend(relabel::removal_of_all(self.endpoint));
        steps
    }

    fn certificates(&self, directory: &str) -> Vec<Step> {
        let wanted = tls_config(directory, self.kind().spelling);
        let wrong: Vec<_> = wanted
            .as_object()
            .expect("tls_config builds an object")
            .iter()
            .filter(|(field, value)| !self.tls.get(*field).is_some_and(|has| same(has, value)))
            .collect();
        let Some(written) = written_tls(self.endpoint) else {
            let missing = !wrong.is_empty();
            let tls_config =
                missing.then(|| add(&self.endpoint.at, self.kind().tls, wanted.clone()));
            return tls_config.into_iter().collect();
        };
        let at = self.endpoint.at.with_trailing_token(self.kind().tls);
        let rivals = RIVALS
            .iter()
            .filter(|rival| written.get(**rival).is_some_and(|value| !is_zero(value)))
            .map(|rival| remove(&at, rival));
        let repairs = wrong.into_iter().map(|(field, value)| {
            if written.contains_key(field) {
                replace(&at, field, value.clone())
            } else {
                add(&at, field, value.clone())
            }
        });
        rivals.chain(repairs).collect()
    }
}

/// The tlsConfig of the endpoint itself; one in which nothing is set says nothing.
fn written_tls(endpoint: &Endpoint) -> Option<&Map<String, Value>> {
    endpoint
        .tls
        .as_ref()
        .filter(|tls| !tls.values().all(is_zero))
}

/// Whether the scheme is https; the operator compares without case.
fn scheme_is_https(endpoint: &Endpoint) -> bool {
    endpoint
        .scheme
        .as_deref()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn is_istios(tls: &Map<String, Value>, spelling: Spelling) -> bool {
    FILES.iter().any(|(field, _)| {
        let file = tls
            .get(&spelling.of(field))
            .and_then(Value::as_str)
            .map(file_name);
        FILES.iter().any(|(_, name)| file == Some(name))
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory that the certificates of an endpoint are in, if all three files agree on one.
pub(super) fn directory(endpoint: &Endpoint) -> Option<&str> {
    let tls = endpoint.tls.as_ref()?;
    let spelling = endpoint.kind.description().spelling;
    let mut directories = FILES.iter().map(|(field, name)| {
        tls.get(&spelling.of(field))?
            .as_str()?
            .strip_suffix(name)?
            .strip_suffix('/')
    });
    let first = directories.next()??;
    directories
        .all(|other| other == Some(first))
        .then_some(first)
}

/// The tlsConfig that makes a scraper present the certificates of its sidecar.
///
/// Istio's certificates carry a SPIFFE URI and no IP, so the name cannot be verified: hence
/// `insecureSkipVerify` (istio.io, "Prometheus" integration page).
fn tls_config(directory: &str, spelling: Spelling) -> Value {
    json!({
        spelling.of("caFile"): format!("{directory}/root-cert.pem"),
        spelling.of("certFile"): format!("{directory}/cert-chain.pem"),
        spelling.of("insecureSkipVerify"): true,
        spelling.of("keyFile"): format!("{directory}/key.pem"),
    })
}

/// Whether the operator takes the value for unset.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.values().all(is_zero),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => false,
    }
}

/// Equal, paths without regard to doubled slashes.
fn same(present: &Value, wanted: &Value) -> bool {
    match (present.as_str(), wanted.as_str()) {
        (Some(present), Some(wanted)) => present.replace("//", "/") == wanted,
        _ => present == wanted,
    }
}

/// An `add` of a key to the map, or of an element to the list, at `at`.
pub(super) fn add(at: &Pointer, key: &str, value: Value) -> Step {
    Step::Op(PatchOperation::Add(AddOperation {
        path: at.with_trailing_token(key),
        value,
    }))
}

/// An `add` at a place.
pub(super) fn add_at(at: &Pointer, value: Value) -> Step {
    Step::Op(PatchOperation::Add(AddOperation {
        path: at.to_buf(),
        value,
    }))
}

/// A `remove` of a place.
pub(super) fn remove_at(at: &Pointer) -> Step {
    Step::Op(PatchOperation::Remove(RemoveOperation {
        path: at.to_buf(),
    }))
}

/// A `replace` of a key of the map at `at`.
pub(super) fn replace(at: &Pointer, key: &str, value: Value) -> Step {
    Step::Op(PatchOperation::Replace(ReplaceOperation {
        path: at.with_trailing_token(key),
        value,
    }))
}

/// A `remove` of a key of the map, or of an element of the list, at `at`.
pub(super) fn remove(at: &Pointer, key: &str) -> Step {
    Step::Op(PatchOperation::Remove(RemoveOperation {
        path: at.with_trailing_token(key),
    }))
}

/// The key of the relabelling rules of an endpoint. A kind without any has no rules of ours either.
pub(super) fn relabelings_key(endpoint: &Endpoint) -> &'static str {
    let key = endpoint.kind.description().relabelings;
    key.expect("only kinds with relabelling rules are asked for theirs")
}

/// Where the relabelling rules of an endpoint are.
pub(super) fn relabelings(endpoint: &Endpoint) -> PointerBuf {
    endpoint.at.with_trailing_token(relabelings_key(endpoint))
}
