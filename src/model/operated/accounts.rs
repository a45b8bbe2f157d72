//! As which service account does a program run?
//!
//! Authority: VictoriaMetrics operator `api/operator/v1beta1/*_types.go` (`GetServiceAccountName`, `PrefixedName`); Prometheus operator:
//! where none is named, Kubernetes' own.
//! Departs from it: `useLegacyNaming` is not followed for the programs of a cluster, none of which scrapes.
//! Knows: settings of a program. Does not know: who asks for its identity.

use super::super::Object;
use super::super::field::{Field, Read};
use super::Component;

/// `serviceAccountName`, else the account that is made for it; with `useLegacyNaming` that has the name of the object.
pub(super) fn of(object: &Object, component: &Component, spec: &Field<'_>) -> Read<String> {
    if let Some(written) = spec.key("serviceAccountName")?.text()? {
        return Ok(written.to_owned());
    }
    let of_old = spec.key("useLegacyNaming")?.boolean()?;
    Ok(match (of_old, component.account, component.part) {
        (true, Some(_), None) => object.name.clone(),
        (_, _, _) => made(object, component),
    })
}

/// The account that the operator makes where nothing is said of it (`PrefixedName`), or Kubernetes' own.
pub(super) fn made(object: &Object, component: &Component) -> String {
    match component.account {
        Some(prefix) => format!("{prefix}-{}", object.name),
        None => "default".to_owned(),
    }
}
