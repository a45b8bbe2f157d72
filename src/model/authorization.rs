//! What does an AuthorizationPolicy say?
//!
//! Authority: istio/api security/v1beta1/authorization_policy.proto; istio/api kubernetes/customresourcedefinitions.gen.yaml.
//! Departs from it: of addresses, tokens' issuers, hosts and trust domains only that they are asked for is kept.
//! Knows: one object. Does not know: which pods it selects, what of it a TCP chain leaves, how it is read.

mod reading;

use super::{Labels, Object};

pub(super) use reading::policy;

/// An AuthorizationPolicy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationPolicy {
    /// The object.
    pub object: Object,
    /// `istio.io/rev`: only the istiod of this revision reads it.
    pub revision: Option<String>,
    /// `spec.selector.matchLabels`; empty: every workload of the namespace, or of the mesh in the root namespace.
    pub selector: Labels,
    /// `istio.io/dry-run: "true"`: its rules are tried and logged, and nothing is refused.
    pub dry_run: bool,
    /// `spec.targetRef` or `spec.targetRefs` is there: it is attached to a gateway or Service and guards no port of a sidecar.
    pub attached: bool,
    /// `spec.action`.
    pub action: Action,
    /// `spec.rules`; none at all matches nothing, an empty rule matches everything.
    pub rules: Vec<AuthorizationRule>,
    /// Why the API server or Istio's webhook refuses the object, or what of it is not understood; empty when all is well.
    pub refused: Vec<String>,
}

/// What happens to a request that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `ALLOW`, also where nothing is said. Once a workload has one such policy, what none matches is refused.
    Allow,
    /// `DENY`
    Deny,
    /// `AUDIT`: lets everything pass.
    Audit,
    /// `CUSTOM`: somebody else is asked.
    Custom,
}

/// A rule: matches a request that one of `from`, one of `to` and all of `when` match; an empty list matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorizationRule {
    /// `from[].source`
    pub from: Vec<Source>,
    /// `to[].operation`
    pub to: Vec<Operation>,
    /// `when[]`
    pub when: Vec<Condition>,
}

/// A further condition: one of the values if there are any, and none of `not_values`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// `key`, e.g. `source.namespace` or `request.headers[x-token]`.
    pub key: String,
    /// `values`
    pub values: Vec<String>,
    /// `notValues`
    pub not_values: Vec<String>,
}

/// Who asks. Every list that is not empty has to match; `not` lists must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// `principals`: identities of the mesh, `*` at either end, or alone for "anybody with one".
    pub principals: Vec<String>,
    /// `notPrincipals`
    pub not_principals: Vec<String>,
    /// `namespaces`
    pub namespaces: Vec<String>,
    /// `notNamespaces`
    pub not_namespaces: Vec<String>,
    /// `serviceAccounts`: `<namespace>/<name>`, or a name of the policy's namespace.
    pub service_accounts: Vec<String>,
    /// `notServiceAccounts`
    pub not_service_accounts: Vec<String>,
    /// `ipBlocks` or `notIpBlocks` are there: addresses, which manifests do not show.
    pub addresses: bool,
    /// `remoteIpBlocks` or `notRemoteIpBlocks` are there.
    pub remote_addresses: bool,
    /// `trustDomains` or `notTrustDomains` are there.
    pub trust_domains: bool,
    /// `requestPrincipals` are there: tokens that an HTTP request has to bring.
    pub tokens: bool,
    /// `notRequestPrincipals` are there: tokens that it must not bring.
    pub not_tokens: bool,
}

/// What is asked for. Every list that is not empty has to match; `not` lists must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operation {
    /// `ports`, as text.
    pub ports: Vec<String>,
    /// `notPorts`
    pub not_ports: Vec<String>,
    /// `paths`
    pub paths: Vec<String>,
    /// `notPaths`
    pub not_paths: Vec<String>,
    /// `methods`
    pub methods: Vec<String>,
    /// `notMethods`
    pub not_methods: Vec<String>,
    /// `hosts` or `notHosts` are there.
    pub hosts: bool,
}
