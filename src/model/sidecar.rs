//! What does a Sidecar object say about requests to addresses that the mesh does not know?
//!
//! Authority: istio/api networking/v1alpha3/sidecar.proto and its CRD.
//! Departs from it: listeners, `egress` hosts and `egressProxy` are not read.
//! Knows: one object. Does not know: whom it selects, which of several counts.

use super::field::{Field, Read};
use super::metadata::{self, REVISION};
use super::{Labels, Object, OutboundPolicy};

/// A Sidecar (networking.istio.io).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// The object.
    pub object: Object,
    /// `istio.io/rev`: only the istiod of this revision reads it.
    pub revision: Option<String>,
    /// `spec.workloadSelector.labels`; empty: every pod of the namespace, or of the mesh in the root namespace.
    pub selector: Labels,
    /// `spec.outboundTrafficPolicy`; `None`: as the mesh has it.
    pub outbound: Option<OutboundPolicy>,
}

/// A Sidecar object.
pub(super) fn sidecar(object: Object, root: &Field<'_>) -> Read<Sidecar> {
    let labels = metadata::labels(root)?;
    let spec = root.key("spec")?;
    Ok(Sidecar {
        object,
        revision: labels.get(REVISION).map(str::to_owned),
        selector: spec.key("workloadSelector")?.key("labels")?.labels()?,
        outbound: outbound(&spec)?,
    })
}

/// `REGISTRY_ONLY` is the zero of the enumeration: it counts where the mode is left out.
fn outbound(spec: &Field<'_>) -> Read<Option<OutboundPolicy>> {
    let policy = spec.key("outboundTrafficPolicy")?;
    let mode = policy.key("mode")?;
    match mode.string()? {
        None if policy.is_missing() => Ok(None),
        None | Some("REGISTRY_ONLY") => Ok(Some(OutboundPolicy::RegistryOnly)),
        Some("ALLOW_ANY") => Ok(Some(OutboundPolicy::AllowAny)),
        Some(other) => Err(mode.problem(format!(
            "unknown mode `{other}`; expected REGISTRY_ONLY or ALLOW_ANY"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(spec: Value) -> Inventory {
        let object = json!({"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
            "metadata": {"name": "default", "namespace": "demo"}, "spec": spec});
        read([(0, &object)], &Config::default())
    }

    #[test]
    fn modes() {
        use OutboundPolicy::{AllowAny, RegistryOnly};
        for (spec, outbound) in [
            (json!({}), None),
            (Value::Null, None),
            (json!({"outboundTrafficPolicy": null}), None),
            (json!({"outboundTrafficPolicy": {}}), Some(RegistryOnly)),
            (
                json!({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}),
                Some(RegistryOnly),
            ),
            (
                json!({"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}),
                Some(AllowAny),
            ),
        ] {
            assert_eq!(
                inventory(spec.clone()).sidecars[0].outbound,
                outbound,
                "{spec}"
            );
        }
    }

    #[test]
    fn a_sidecar_of_wrong_types_is_unread() {
        for (spec, at) in [
            (
                json!({"outboundTrafficPolicy": {"mode": "ANY"}}),
                "/spec/outboundTrafficPolicy/mode",
            ),
            (
                json!({"workloadSelector": {"labels": {"a": 1}}}),
                "/spec/workloadSelector/labels/a",
            ),
        ] {
            let inventory = inventory(spec);
            assert!(inventory.sidecars.is_empty());
            assert_eq!(inventory.unread[0].at.as_str(), at);
        }
    }
}
