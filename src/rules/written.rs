//! How is an endpoint written today, and what would change it?
//!
//! Authority: the columns of the endpoint table; operator `mergeTLSConfigs` and `TLSConfig.Validate`.
//! Departs from nothing.
//! Knows: scheme, tlsConfig, relabelling of one endpoint. Does not know: targets, policies.

use json_patch::PatchOperation;
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value, json};

use super::decision::{Now, Step};
use super::own_pod;
use super::relabel;
use super::steps::{add, add_at, remove, remove_at, replace};
use super::tls_settings::{
    FILES, directory_of, is_istios, is_istios_file, is_zero, mistakes, repairs, rivals, tls_config,
};
use crate::model::{Endpoint, ScrapeDescription};

/// An endpoint with the TLS settings that it inherits.
pub(super) struct Effective<'a> {
    endpoint: &'a Endpoint,
    /// `tlsConfig` after the scrape class is merged.
    tls: Map<String, Value>,
    /// The certificates are to come by a scrape class.
    by_class: Option<ByClass>,
}

/// How a scrape class takes the place of an endpoint's own tlsConfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByClass {
    /// The endpoint may not name files itself.
    pub(super) only: bool,
}

impl<'a> Effective<'a> {
    /// An endpoint with these TLS settings, its own and inherited ones.
    pub(super) fn new(endpoint: &'a Endpoint, tls: Map<String, Value>) -> Self {
        Self {
            endpoint,
            tls,
            by_class: None,
        }
    }

    /// The same endpoint, whose certificates are to come by a scrape class.
    pub(super) fn by_class(&self, by_class: ByClass) -> Self {
        Self {
            endpoint: self.endpoint,
            tls: self.tls.clone(),
            by_class: Some(by_class),
        }
    }

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
        self.with_http2(steps)
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
        self.with_http2(steps)
    }

    /// As [`Self::towards_mutual_tls`], but http to the pod that scrapes.
    pub(super) fn towards_others(&self, directory: &str) -> Vec<Step> {
        let mut steps = self.towards_mutual_tls(directory);
        steps.extend(own_pod::addition(self.endpoint));
        steps
    }

    /// As [`Self::towards_per_target`], but http to the pod that scrapes.
    pub(super) fn towards_some_others(&self, directory: &str, rules: &[Value]) -> Vec<Step> {
        let mut steps = Vec::new();
        if scheme_is_https(self.endpoint) {
            steps.push(remove_at(&self.endpoint.scheme_at));
        }
        steps.extend(self.certificates(directory));
        steps.extend(relabel::update_with_own_pod(self.endpoint, rules));
        self.with_http2(steps)
    }

    /// Prometheus would offer HTTP/2 to a port that speaks mutual TLS over TCP, also where it is told
    /// to, as some charts do.
    fn with_http2(&self, mut steps: Vec<Step>) -> Vec<Step> {
        if let (Some(key), None | Some(true)) = (self.kind().http2, self.endpoint.http2) {
            let after_tls =
                |step: &Step| !is_about(step, &self.endpoint.at, self.kind().relabelings);
            let place = steps.iter().take_while(|step| after_tls(step)).count();
            let off = match self.endpoint.http2 {
                None => add(&self.endpoint.at, key, json!(false)),
                Some(_) => replace(&self.endpoint.at, key, json!(false)),
            };
            steps.insert(place, off);
        }
        steps
    }

    /// What the endpoint's own `tlsConfig` holds besides Istio's certificates: somebody's, whom we do not know, so that
    /// it is neither removed nor taken for a part of what is.
    pub(super) fn of_others(&self) -> Vec<String> {
        let spelling = self.kind().spelling;
        let is_ours = |field: &str, value: &Value| {
            field == spelling.of("insecureSkipVerify")
                || FILES.iter().any(|(ours, _)| field == spelling.of(ours))
                    && value.as_str().is_some_and(is_istios_file)
        };
        let Some(written) = written_tls(self.endpoint) else {
            return Vec::new();
        };
        let others = written
            .iter()
            .filter(|(field, value)| !is_zero(value) && !is_ours(field, value));
        others.map(|(field, _)| field.clone()).collect()
    }

    /// What the operator refuses beside a file of the same purpose: a secret, a ConfigMap, the thing itself.
    pub(super) fn rivals(&self) -> Vec<&'static str> {
        let is_set = |rival: &&str| {
            let written = written_tls(self.endpoint).and_then(|tls| tls.get(*rival));
            written.is_some_and(|value| !is_zero(value))
        };
        rivals(self.kind().spelling)
            .into_iter()
            .filter(is_set)
            .collect()
    }

    /// The scheme as written.
    pub(super) fn scheme(&self) -> Option<String> {
        self.endpoint.scheme.clone()
    }

    /// The value of a field of the effective TLS settings.
    pub(super) fn tls_field(&self, field: &str) -> Option<&Value> {
        self.tls.get(field)
    }

    /// Steps after which nothing of Istio's certificates is left in the endpoint.
    pub(super) fn towards_plain(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if scheme_is_https(self.endpoint) {
            steps.push(remove_at(&self.endpoint.scheme_at));
            // With the one gone the other would count.
            if let Some((place, scheme)) = self.endpoint.overruled_scheme.as_deref()
                && scheme.eq_ignore_ascii_case("https")
            {
                steps.push(remove_at(place));
            }
        }
        // What the class brings is not the endpoint's to lose, and what is not Istio's is kept.
        if self.names_files() {
            steps.push(remove(&self.endpoint.at, self.kind().tls));
        }
        steps.extend(relabel::removal_of_all(self.endpoint));
        if let (Some(key), Some(false)) = (self.kind().http2, self.endpoint.http2)
            && !steps.is_empty()
        {
            steps.push(remove(&self.endpoint.at, key));
        }
        steps
    }

    /// Whether the endpoint's own tlsConfig trusts a server with a certificate of its own, and only the class adds Istio's
    /// files. Where it says nothing of trust, Istio's root certificate from the class lets no such server pass.
    pub(super) fn is_completed_by_class(&self) -> bool {
        let spelling = self.kind().spelling;
        let trusts = |tls: &Map<String, Value>| {
            ["insecureSkipVerify", "caFile", "ca"].iter().any(|field| {
                tls.get(&spelling.of(field))
                    .is_some_and(|value| !is_zero(value))
            })
        };
        scheme_is_https(self.endpoint)
            && !self.names_files()
            && written_tls(self.endpoint).is_some_and(trusts)
    }

    /// Whether the endpoint itself has a tlsConfig of Istio's files.
    pub(super) fn names_files(&self) -> bool {
        let spelling = self.kind().spelling;
        written_tls(self.endpoint).is_some_and(|tls| is_istios(tls, spelling))
    }

    /// Whether its tlsConfig has nothing in it but what a scrape class can bring.
    pub(super) fn can_move_to_class(&self) -> bool {
        let mut fields = self.endpoint.tls.as_deref().into_iter().flatten();
        fields.all(|(field, value)| {
            is_zero(value)
                || field == "insecureSkipVerify"
                || FILES.iter().any(|(file, _)| file == field)
        })
    }

    /// Steps after which the endpoint inherits the class's certificates.
    fn in_place_of_own(&self) -> Vec<Step> {
        let skips = self.tls.get("insecureSkipVerify") == Some(&Value::Bool(true));
        let inherits = is_istios(&self.tls, self.kind().spelling) && skips && !self.names_files();
        let Some(own) = self.endpoint.tls.as_deref().filter(|_| !inherits) else {
            return Vec::new();
        };
        let verifies = own.get("insecureSkipVerify") != Some(&Value::Bool(true));
        if self.can_move_to_class() && (self.names_files() || verifies) {
            vec![remove(&self.endpoint.at, self.kind().tls)]
        } else if verifies {
            // The class's is not inherited by an endpoint that has a tlsConfig.
            let at = self.endpoint.at.with_trailing_token(self.kind().tls);
            vec![add(&at, "insecureSkipVerify", json!(true))]
        } else {
            Vec::new()
        }
    }

    fn certificates(&self, directory: &str) -> Vec<Step> {
        if let Some(by_class) = self.by_class
            && (by_class.only || !self.names_files())
        {
            return self.in_place_of_own();
        }
        let wanted = tls_config(directory, self.kind().spelling);
        let Some(written) = written_tls(self.endpoint) else {
            let missing = !mistakes(&self.tls, &wanted).is_empty();
            let tls_config = missing.then(|| add(&self.endpoint.at, self.kind().tls, wanted));
            return tls_config.into_iter().collect();
        };
        let at = self.endpoint.at.with_trailing_token(self.kind().tls);
        repairs(&at, written, &mistakes(&self.tls, &wanted))
    }
}

/// Whether a step changes this key of the map at `at`, or something below it.
fn is_about(step: &Step, at: &Pointer, key: Option<&str>) -> bool {
    let path = match step {
        Step::Op(PatchOperation::Add(add)) => &add.path,
        Step::Op(PatchOperation::Remove(remove)) => &remove.path,
        Step::Op(_) | Step::Inside { .. } => return false,
    };
    key.is_some_and(|key| path.starts_with(&at.with_trailing_token(key)))
}

/// The tlsConfig of the endpoint itself; one in which nothing is set says nothing.
pub(super) fn written_tls(endpoint: &Endpoint) -> Option<&Map<String, Value>> {
    endpoint
        .tls
        .as_deref()
        .filter(|tls| !tls.values().all(is_zero))
}

/// Whether the scheme is https; the operator compares without case.
fn scheme_is_https(endpoint: &Endpoint) -> bool {
    endpoint
        .scheme
        .as_deref()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The directory that the certificates of an endpoint are in, if all three files agree on one.
pub(super) fn directory(endpoint: &Endpoint) -> Option<&str> {
    directory_of(endpoint.tls.as_ref()?, endpoint.kind.description().spelling)
}

/// The key of the relabelling rules of an endpoint. What is to be written is weighed before it is asked what forbids it,
/// also for kinds without such rules, for which `obstacle.rs` and `own_pod.rs` always forbid it.
pub(super) fn relabelings_key(endpoint: &Endpoint) -> &'static str {
    let key = endpoint.kind.description().relabelings;
    key.unwrap_or("relabelConfigs")
}

/// Where the relabelling rules of an endpoint are.
pub(super) fn relabelings(endpoint: &Endpoint) -> PointerBuf {
    endpoint.at.with_trailing_token(relabelings_key(endpoint))
}
