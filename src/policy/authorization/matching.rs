//! Does a rule of an AuthorizationPolicy match a request?
//!
//! Authority: istio/istio pilot/pkg/security/authz/model/{model,generator}.go, matcher/string.go; for ztunnel pilot/pkg/serviceregistry/ambient/authorization.go `handleRule`.
//! Departs from them: addresses, hosts, headers and path templates are not compared, the answer is then unknown.
//! Knows: rules, a request. Does not know: which policies apply, what follows from a match.

use super::Peer;
use super::identity::TrustDomains;
use crate::model::{Action, AuthorizationPolicy, AuthorizationRule, Condition, Operation, Source};

/// What a proxy makes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    /// A sidecar that reads HTTP.
    SidecarHttp,
    /// A sidecar that forwards bytes: of ALLOW it drops rules that ask for HTTP, of DENY only what asks for it, so that
    /// neither lets more through (model.go `checkError`).
    SidecarTcp,
    /// ztunnel: as above, but an alternative of DENY that asks for nothing else matches nothing there.
    Ztunnel,
}

/// A request, and who is asked about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) proxy: Proxy,
    pub(super) peer: Peer<'a>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<&'a str>,
    pub(super) trust: TrustDomains<'a>,
}

/// vmagent never asks otherwise.
const METHOD: &str = "GET";

impl Asked<'_> {
    /// Whether one of the rules matches; a policy without rules matches nothing.
    pub(super) fn matches(&self, policy: &AuthorizationPolicy) -> Option<bool> {
        any(policy.rules.iter().map(|rule| self.rule(policy, rule)))
    }

    fn rule(&self, policy: &AuthorizationPolicy, rule: &AuthorizationRule) -> Option<bool> {
        if policy.action == Action::Allow && self.asks_for_unseen(rule) {
            return Some(false);
        }
        let sources = rule.from.iter().map(|source| self.source(policy, source));
        let operations = rule.to.iter().map(|operation| self.operation(operation));
        let conditions = rule.when.iter().map(|when| self.condition(policy, when));
        all([
            one_of(sources),
            one_of(operations),
            all(conditions.map(|parts| self.alternative(parts))),
        ])
    }

    /// Whether a rule asks for something that the proxy cannot see.
    fn asks_for_unseen(&self, rule: &AuthorizationRule) -> bool {
        let source = |source: &Source| {
            source.tokens
                || source.not_tokens
                || self.is_ztunnel() && (source.remote_addresses || source.trust_domains)
        };
        self.proxy != Proxy::SidecarHttp
            && (rule.from.iter().any(source)
                || rule.to.iter().any(asks_for_http)
                || rule.when.iter().any(|when| !self.sees(&when.key)))
    }

    fn is_ztunnel(&self) -> bool {
        self.proxy == Proxy::Ztunnel
    }

    fn sees(&self, key: &str) -> bool {
        match self.proxy {
            Proxy::SidecarHttp => true,
            Proxy::SidecarTcp => !key.starts_with("request."),
            Proxy::Ztunnel => matches!(
                key,
                "source.ip"
                    | "source.namespace"
                    | "source.principal"
                    | "destination.ip"
                    | "destination.port"
            ),
        }
    }

    /// What one alternative comes to. Without anything that the proxy sees it matches everything for a sidecar and
    /// nothing for ztunnel, which passes over empty matches.
    fn alternative(&self, parts: Vec<Option<bool>>) -> Option<bool> {
        if parts.is_empty() && self.is_ztunnel() {
            return Some(false);
        }
        all(parts)
    }

    fn source(&self, policy: &AuthorizationPolicy, source: &Source) -> Option<bool> {
        let mut parts = Vec::new();
        let principal = |text: &String| self.principal(text);
        let namespace = |text: &String| self.namespace(text);
        let account = |text: &String| self.account(policy, text);
        parts.extend(listed(&source.principals, principal));
        parts.extend(unlisted(&source.not_principals, principal));
        parts.extend(listed(&source.namespaces, namespace));
        parts.extend(unlisted(&source.not_namespaces, namespace));
        parts.extend(listed(&source.service_accounts, account));
        parts.extend(unlisted(&source.not_service_accounts, account));
        parts.extend(source.addresses.then_some(None));
        if !self.is_ztunnel() {
            parts.extend(source.remote_addresses.then_some(None));
            parts.extend(source.trust_domains.then_some(None));
        }
        if self.proxy == Proxy::SidecarHttp {
            // A scrape brings no token.
            parts.extend(source.tokens.then_some(Some(false)));
            parts.extend(source.not_tokens.then_some(Some(true)));
        }
        self.alternative(parts)
    }

    fn operation(&self, operation: &Operation) -> Option<bool> {
        let mut parts = Vec::new();
        let port = |text: &String| self.port_is(text);
        parts.extend(listed(&operation.ports, port));
        parts.extend(unlisted(&operation.not_ports, port));
        if self.proxy == Proxy::SidecarHttp {
            let method = |text: &String| affix(text, METHOD);
            let path = |text: &String| self.path_is(text);
            parts.extend(listed(&operation.methods, method));
            parts.extend(unlisted(&operation.not_methods, method));
            parts.extend(listed(&operation.paths, path));
            parts.extend(unlisted(&operation.not_paths, path));
            parts.extend(operation.hosts.then_some(None));
        }
        self.alternative(parts)
    }

    fn condition(&self, policy: &AuthorizationPolicy, when: &Condition) -> Vec<Option<bool>> {
        if !self.sees(&when.key) {
            return Vec::new();
        }
        let is = |text: &String| match when.key.as_str() {
            "source.principal" => self.principal(text),
            "source.namespace" => self.namespace(text),
            "source.serviceAccount" => self.account(policy, text),
            "destination.port" => self.port_is(text),
            key if key.starts_with("request.auth.") => Some(false),
            _ => None,
        };
        let parts = listed(&when.values, is).into_iter();
        parts.chain(unlisted(&when.not_values, is)).collect()
    }

    fn port_is(&self, text: &str) -> Option<bool> {
        Some(self.port? == text.parse::<u16>().ok()?)
    }

    fn path_is(&self, pattern: &str) -> Option<bool> {
        match pattern.contains('{') {
            true => None,
            false => affix(pattern, self.path?),
        }
    }

    /// Of a client without identity no pattern is true, not even `*`.
    fn identity(&self, is: impl Fn(&str, &str) -> Option<bool>) -> Option<bool> {
        match self.peer {
            Peer::Nobody => Some(false),
            Peer::Unknown => None,
            Peer::Identity {
                namespace,
                service_account,
            } => is(namespace, service_account),
        }
    }

    fn namespace(&self, pattern: &str) -> Option<bool> {
        self.identity(|namespace, _| match self.proxy {
            // The sidecar turns each `*` into `.*`.
            Proxy::SidecarHttp | Proxy::SidecarTcp => Some(glob(pattern, namespace)),
            Proxy::Ztunnel => affix(pattern, namespace),
        })
    }

    fn account(&self, policy: &AuthorizationPolicy, text: &str) -> Option<bool> {
        let own = policy.object.namespace.as_str();
        let (of, name) = text.split_once('/').unwrap_or((own, text));
        self.identity(|namespace, account| Some((of, name) == (namespace, account)))
    }

    fn principal(&self, pattern: &str) -> Option<bool> {
        self.identity(|namespace, account| {
            let rest = format!("ns/{namespace}/sa/{account}");
            self.trust.principal_is(pattern, &rest, self.proxy)
        })
    }

    /// What decides about a policy and is in no manifest.
    pub(super) fn unshown(&self, policy: &AuthorizationPolicy) -> Vec<String> {
        let mut unshown: Vec<String> = Vec::new();
        let sources = || policy.rules.iter().flat_map(|rule| &rule.from);
        let operations = || policy.rules.iter().flat_map(|rule| &rule.to);
        let mut note = |there: bool, what: &str| {
            if there && !unshown.iter().any(|other| other == what) {
                unshown.push(what.to_owned());
            }
        };
        note(self.peer == Peer::Unknown, "who asks");
        note(self.port.is_none(), "the port");
        let addresses = |source: &Source| source.addresses || source.remote_addresses;
        note(sources().any(addresses), "the address of the client");
        note(
            sources().any(|source| source.trust_domains),
            "its trust domain",
        );
        let foreign = |source: &Source| {
            let principals = source.principals.iter().chain(&source.not_principals);
            principals.into_iter().any(|text| {
                matches!(self.peer, Peer::Identity { .. }) && self.principal(text).is_none()
            })
        };
        note(sources().any(foreign), "the trust domain of the mesh");
        note(
            operations().any(|operation| operation.hosts),
            "the host asked for",
        );
        let paths = |operation: &Operation| {
            let mut paths = operation.paths.iter().chain(&operation.not_paths);
            paths.any(|path| self.path_is(path).is_none())
        };
        note(operations().any(paths), "the path");
        for when in policy.rules.iter().flat_map(|rule| &rule.when) {
            let unknown = self.condition(policy, when).contains(&None);
            note(unknown, &when.key);
        }
        unshown
    }
}

fn asks_for_http(operation: &Operation) -> bool {
    let lists = [
        &operation.paths,
        &operation.not_paths,
        &operation.methods,
        &operation.not_methods,
    ];
    operation.hosts || lists.iter().any(|list| !list.is_empty())
}

/// Whether one of the values is true; nothing where there are none.
fn listed(values: &[String], is: impl Fn(&String) -> Option<bool>) -> Option<Option<bool>> {
    (!values.is_empty()).then(|| any(values.iter().map(is)))
}

/// Whether none of the values is true; nothing where there are none.
fn unlisted(values: &[String], is: impl Fn(&String) -> Option<bool>) -> Option<Option<bool>> {
    listed(values, is).map(|one| one.map(|one| !one))
}

/// `*` for anything but nothing, `*` at one end, or the text itself (matcher/string.go); a `*` elsewhere is not followed.
pub(super) fn affix(pattern: &str, text: &str) -> Option<bool> {
    if pattern == "*" {
        return Some(!text.is_empty());
    }
    let (suffix, prefix) = (pattern.strip_prefix('*'), pattern.strip_suffix('*'));
    let literal = suffix.or(prefix).unwrap_or(pattern);
    if literal.contains('*') {
        return None;
    }
    Some(match (suffix, prefix) {
        (Some(suffix), _) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => text == pattern,
    })
}

/// Whether a text is the pattern with something, or nothing, for each `*`.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.strip_prefix(start).is_some_and(|rest| {
            let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.any(|at| glob(end, &rest[at..]))
        }),
    }
}

/// One of several alternatives; where nothing is asked for, everything matches.
fn one_of(alternatives: impl ExactSizeIterator<Item = Option<bool>>) -> Option<bool> {
    match alternatives.len() {
        0 => Some(true),
        _ => any(alternatives),
    }
}

fn all(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let not = |part: Option<bool>| part.map(|part| !part);
    not(any(parts.into_iter().map(not)))
}

fn any(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = false,
        }
    }
    known.then_some(false)
}
