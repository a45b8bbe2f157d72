//! Does a policy mean an identity of the mesh?
//!
//! Authority: istio/istio pilot/pkg/security/trustdomain/bundle.go `ReplaceTrustDomainAliases`, util.go `stringMatch`; for ztunnel nothing of this, names are compared as they are.
//! Departs from it: where nobody says what the trust domain or its aliases are, names other than `cluster.local` may be among them.
//! Knows: trust domains, one identity. Does not know: rules.

use std::collections::BTreeSet;

use super::matching::{Proxy, affix};
use crate::policy::Fact;

/// In a policy it stands for the trust domain of the mesh, whatever that is called.
const LOCAL: &str = "cluster.local";

/// Under which names policies mean the mesh.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustDomains<'a> {
    pub(super) domain: &'a Fact<String>,
    pub(super) aliases: &'a Fact<BTreeSet<String>>,
}

impl TrustDomains<'_> {
    /// Whether a pattern is true of the mesh's trust domain with the rest of an identity.
    pub(super) fn principal_is(&self, pattern: &str, rest: &str, proxy: Proxy) -> Option<bool> {
        if pattern == "*" {
            return Some(true);
        }
        let (domain, rest_of_pattern) = match pattern.split_once('/') {
            Some((domain, rest)) => (Some(domain), rest),
            None => (None, pattern),
        };
        // Only a whole identity has a trust domain to replace, and only istiod replaces it.
        let is_replaced = pattern.split('/').count() == 5 && proxy != Proxy::Ztunnel;
        if let Some(domain) = domain
            && is_replaced
            && (domain == LOCAL || domain != "*" && self.is_alias(domain))
        {
            return affix(rest_of_pattern, rest);
        }
        if let Some(suffix) = pattern.strip_prefix('*')
            && rest.ends_with(suffix)
        {
            return Some(true);
        }
        if let Some(own) = &self.domain.value {
            let is = affix(pattern, &format!("{own}/{rest}"))?;
            let no_other = !is_replaced || self.aliases.value.is_some();
            if is || self.domain.proven && no_other {
                return Some(is);
            }
        }
        // Under another name of the mesh, or an alias, it may be true.
        let elsewhere = match (pattern.strip_prefix('*'), domain) {
            (Some(suffix), _) => suffix.ends_with(rest),
            (None, Some(_)) => affix(rest_of_pattern, rest)?,
            (None, None) => pattern.ends_with('*'),
        };
        if elsewhere { None } else { Some(false) }
    }

    /// Whether a trust domain is one of those that policies may call the mesh by.
    fn is_alias(&self, domain: &str) -> bool {
        let mut names = self.aliases.value.iter().flatten();
        let own = self.domain.value.as_ref();
        names.any(|name| is_one(domain, name)) || own.is_some_and(|own| is_one(domain, own))
    }
}

/// Either of two names may have a `*` at one end.
fn is_one(one: &str, other: &str) -> bool {
    let holds = |pattern, text| affix(pattern, text) == Some(true);
    one == other || holds(one, other) || holds(other, one)
}
