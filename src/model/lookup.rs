//! What of the inventory belongs to a namespace?
//!
//! Authority: none, it only looks up.
//! Departs from nothing.
//! Knows: the order of the inventory's lists. Does not know: kinds, decisions.

use super::reading::in_namespace;
use super::{AuthorizationPolicy, Inventory, Service, Workload};

impl Inventory {
    /// The Services of a namespace.
    pub fn services_in(&self, namespace: &str) -> &[Service] {
        in_namespace(&self.services, |service| &service.object, namespace)
    }

    /// The AuthorizationPolicies of a namespace.
    pub fn authorizations_in(&self, namespace: &str) -> &[AuthorizationPolicy] {
        in_namespace(&self.authorizations, |policy| &policy.object, namespace)
    }

    /// The workloads of a namespace.
    pub fn workloads_in(&self, namespace: &str) -> &[Workload] {
        in_namespace(&self.workloads, |workload| &workload.object, namespace)
    }

    /// Why the labels of a namespace are not known, after its name.
    pub fn unknown_namespace(&self, name: &str) -> &'static str {
        let unclear = self.unclear_namespaces.get(name);
        unclear.copied().unwrap_or("is not in the input")
    }
}
