//! Do the AuthorizationPolicies of a port let a request through?
//!
//! Authority: istio/istio pilot/pkg/model/authorization.go `ListAuthorizationPolicies`, pilot/pkg/security/authz/builder/builder.go `build`; for ztunnel pilot/pkg/serviceregistry/ambient/authorization.go `convertAuthorizationPolicy`.
//! Departs from them: a policy of which manifests do not show whether it applies or matches makes the answer unknown where it decides; what a CUSTOM provider says is never known.
//! Knows: AuthorizationPolicy, labels of pods, one request. Does not know: scrapes, how a request comes to its identity.

use super::readership::{Istiod, Reads};
use super::selection::{Selects, label, selects};
use super::{DataPlane, Mesh, named};
use crate::model::{Action, AuthorizationPolicy, Object, Workload};
use identity::TrustDomains;
use matching::{Asked, Proxy};

mod identity;
mod matching;

/// A request, as the proxy before the port sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Who asks.
    pub peer: Peer<'a>,
    /// The pod's port.
    pub port: Option<u16>,
    /// The path; `None`: not known.
    pub path: Option<&'a str>,
    /// Whether a sidecar reads it as HTTP.
    pub layer: Layer,
}

/// Who asks, as far as the proxy can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer<'a> {
    /// A client without a certificate of the mesh.
    Nobody,
    /// `<trust domain>/ns/<namespace>/sa/<service account>`.
    Identity {
        /// The namespace of its pods.
        namespace: &'a str,
        /// Their service account.
        service_account: &'a str,
    },
    /// Not known, not even whether it has a certificate.
    Unknown,
}

/// What a sidecar takes the bytes of a connection for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// HTTP: paths, methods and hosts count.
    Http,
    /// Bytes: of a rule only identities, addresses and ports count.
    Tcp,
    /// Not known.
    Unknown,
}

/// Whether a request gets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing stands in its way.
    Lets,
    /// It is refused.
    Blocks {
        /// By these policies.
        policies: Vec<Object>,
        /// In this way.
        how: Refusal,
    },
    /// Not known, with the policies that decide and what of them is not known.
    Unknown(Vec<String>),
}

/// In which way policies refuse a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A DENY policy matches it.
    Denied,
    /// A DENY policy matches it because the proxy does not see what of HTTP the rule asks for, and asks for the rest only.
    DeniedWithoutHttp,
    /// The ALLOW policies have no rule: they let nobody in.
    NothingAllowed,
    /// The ALLOW policies might let it in, but by rules that ask for HTTP, which the proxy does not see: it drops them.
    HttpRulesDropped,
    /// The ALLOW policies let others in.
    NotAllowed,
}

/// Whether the proxy before the pods lets a request through: not if a DENY policy matches it, nor if there are ALLOW
/// policies of which none does. AUDIT refuses nothing, and ztunnel knows neither AUDIT nor CUSTOM.
pub fn access(mesh: &Mesh<'_>, pods: &Workload, plane: DataPlane, request: &Request<'_>) -> Access {
    let (proxy, other) = match (plane, request.layer) {
        (DataPlane::None, _) => return Access::Lets,
        (DataPlane::Ambient, _) => (Proxy::Ztunnel, None),
        (DataPlane::Sidecar, Layer::Http) => (Proxy::SidecarHttp, None),
        (DataPlane::Sidecar, Layer::Tcp) => (Proxy::SidecarTcp, None),
        (DataPlane::Sidecar, Layer::Unknown) => (Proxy::SidecarHttp, Some(Proxy::SidecarTcp)),
    };
    let settings = mesh.settings_of(pods);
    let asked = Asked {
        proxy,
        peer: request.peer,
        port: request.port,
        path: request.path,
        trust: TrustDomains {
            domain: &settings.trust_domain,
            aliases: &settings.trust_domain_aliases,
        },
    };
    let judged: Vec<_> = candidates(mesh, pods)
        .into_iter()
        .map(|candidate| Judged::of(candidate, &asked, other))
        .collect();
    let mut unknown = Vec::new();
    for answer in [denied(&judged, &asked), allowed(&judged, &asked)] {
        match answer {
            Access::Lets => {}
            Access::Blocks { .. } => return answer,
            Access::Unknown(why) => unknown.extend(why),
        }
    }
    let refused = |one: &&Judged<'_>| !one.policy.refused.is_empty();
    unknown.extend(judged.iter().filter(refused).map(Judged::doubt));
    if plane == DataPlane::Sidecar {
        let asks = |one: &&Judged<'_>| one.acts(Action::Custom) && one.matches != Some(false);
        unknown.extend(judged.iter().filter(asks).map(Judged::doubt));
    }
    match unknown.is_empty() {
        true => Access::Lets,
        false => Access::Unknown(unknown),
    }
}

/// The first DENY policy that matches for sure refuses.
fn denied(judged: &[Judged<'_>], asked: &Asked<'_>) -> Access {
    let deny = || judged.iter().filter(|one| one.acts(Action::Deny));
    let sure = |one: &&Judged<'_>| one.doubtful.is_none() && one.matches == Some(true);
    if let Some(one) = deny().find(sure) {
        return Access::Blocks {
            policies: vec![one.policy.object.clone()],
            how: match one.with_http(asked) {
                Some(true) => Refusal::Denied,
                Some(false) | None => Refusal::DeniedWithoutHttp,
            },
        };
    }
    let perhaps: Vec<_> = deny().filter(|one| one.matches != Some(false)).collect();
    unknown_unless_empty(&perhaps)
}

/// One ALLOW policy that matches for sure is enough; where none is there for sure, none may be needed.
fn allowed(judged: &[Judged<'_>], asked: &Asked<'_>) -> Access {
    let allow: Vec<_> = judged
        .iter()
        .filter(|one| one.acts(Action::Allow))
        .collect();
    let sure: Vec<_> = allow
        .iter()
        .copied()
        .filter(|one| one.doubtful.is_none())
        .collect();
    if sure.iter().any(|one| one.matches == Some(true)) {
        return Access::Lets;
    }
    let may_match: Vec<_> = allow
        .iter()
        .copied()
        .filter(|one| one.matches != Some(false))
        .collect();
    match (sure.is_empty(), may_match.is_empty()) {
        (true, _) if allow.iter().all(|one| one.matches == Some(true)) => Access::Lets,
        (true, _) => unknown_unless_empty(&allow),
        (false, false) => unknown_unless_empty(&may_match),
        (false, true) => Access::Blocks {
            policies: sure.iter().map(|one| one.policy.object.clone()).collect(),
            how: if sure.iter().all(|one| one.policy.rules.is_empty()) {
                Refusal::NothingAllowed
            } else if sure.iter().any(|one| one.with_http(asked) != Some(false)) {
                Refusal::HttpRulesDropped
            } else {
                Refusal::NotAllowed
            },
        },
    }
}

fn unknown_unless_empty(doubtful: &[&Judged<'_>]) -> Access {
    match doubtful.is_empty() {
        true => Access::Lets,
        false => Access::Unknown(doubtful.iter().map(|one| one.doubt()).collect()),
    }
}

/// A policy that may guard the pods.
struct Candidate<'a> {
    policy: &'a AuthorizationPolicy,
    /// Why it is not known whether it does.
    doubtful: Option<String>,
}

/// A candidate against the request.
struct Judged<'a> {
    policy: &'a AuthorizationPolicy,
    doubtful: Option<String>,
    matches: Option<bool>,
    /// What of it manifests do not show.
    unshown: Vec<String>,
}

impl<'a> Judged<'a> {
    fn of(candidate: Candidate<'a>, asked: &Asked<'_>, other: Option<Proxy>) -> Self {
        let Candidate { policy, doubtful } = candidate;
        let first = asked.matches(policy);
        let second = other.map(|proxy| Asked { proxy, ..*asked }.matches(policy));
        let agree = second.is_none_or(|second| second == first);
        let mut unshown = asked.unshown(policy);
        if !agree {
            unshown.push("whether the sidecar reads the port as HTTP".to_owned());
        }
        Self {
            policy,
            doubtful,
            matches: first.filter(|_| agree),
            unshown,
        }
    }

    /// A refused policy does nothing, until it is corrected.
    fn acts(&self, action: Action) -> bool {
        self.policy.action == action && self.policy.refused.is_empty()
    }

    /// Whether it would match if the proxy read HTTP.
    fn with_http(&self, asked: &Asked<'_>) -> Option<bool> {
        let proxy = Proxy::SidecarHttp;
        Asked { proxy, ..*asked }.matches(self.policy)
    }

    /// What is not known of it, in words.
    fn doubt(&self) -> String {
        let name = named(&self.policy.object);
        if !self.policy.refused.is_empty() {
            return format!(
                "{name} is refused as it is, and what it will say is not known: {}",
                self.policy.refused.join("; ")
            );
        }
        if self.policy.action == Action::Custom {
            return format!("{name} asks its provider, whose answer no manifest shows");
        }
        let mut why: Vec<_> = self.doubtful.iter().cloned().collect();
        if self.matches.is_none() {
            why.extend(self.unshown.iter().cloned());
        }
        format!("{name}: not known is {}", why.join(", "))
    }
}

/// The policies of the pods' namespace and of the root namespace that may select the pods. Other than with a
/// PeerAuthentication a selector in the root namespace counts, for every namespace.
fn candidates<'a>(mesh: &Mesh<'a>, pods: &Workload) -> Vec<Candidate<'a>> {
    let roots = &mesh.settings_of(pods).root_namespaces;
    let own = &pods.object.namespace;
    let namespaces = roots.iter().filter(|root| *root != own).chain([own]);
    let istiod = Istiod::of(mesh, pods);
    let mut candidates = Vec::new();
    for namespace in namespaces {
        let in_question = mesh
            .inventory
            .authorizations_for(namespace, |key| label(pods, key));
        for policy in in_question
            .into_iter()
            .filter(|one| !one.attached && !one.dry_run)
        {
            let mut doubts = Vec::new();
            if namespace != own && roots.len() > 1 {
                doubts.push(format!("whether {namespace} is the root namespace"));
            }
            match selects(&policy.selector, pods) {
                Selects::No => continue,
                Selects::Possibly => {
                    doubts.push("whether its selector selects the pods".to_owned())
                }
                Selects::Yes => {}
            }
            let revision = policy.revision.as_deref();
            match istiod.reads(revision) {
                Reads::No => continue,
                Reads::Possibly => doubts.push(format!(
                    "whether the pods are of revision {}",
                    revision.unwrap_or_default()
                )),
                Reads::Yes => {}
            }
            if mesh.inventory.has_another_version(policy) {
                doubts.push("which of its versions in the input counts".to_owned());
            }
            let doubtful = (!doubts.is_empty()).then(|| doubts.join(", "));
            candidates.push(Candidate { policy, doubtful });
        }
    }
    candidates
}

#[cfg(test)]
mod tests;
