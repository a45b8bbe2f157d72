//! Which objects are in a namespace?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of namespaces.
//! Departs from nothing.
//! Knows: that the lists of an inventory are in order of namespaces. Does not know: who asks.

use super::{AuthorizationPolicy, Inventory, Object, Service, Workload};

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

/// The part of a sorted list that is in a namespace.
fn in_namespace<'l, T>(list: &'l [T], object: impl Fn(&T) -> &Object, namespace: &str) -> &'l [T] {
    let start = list.partition_point(|element| object(element).namespace.as_str() < namespace);
    let rest = &list[start..];
    &rest[..rest.partition_point(|element| object(element).namespace == namespace)]
}
