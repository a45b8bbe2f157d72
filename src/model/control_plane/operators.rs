//! What do the objects say from which operators install istiod?
//!
//! Authority: istio/istio operator/pkg/apis/types.go and operator/pkg/render/manifest.go (IstioOperator); sail-operator api/v1/istio_types.go, pkg/istiovalues/overrides.go `ApplyOverrides` and controllers/istio `getActiveRevisionName`.
//! Departs from it: profiles and the operators' defaults are not filled in; a version that is an alias (`v1.26-latest`) names a revision that no pod has, so it stands for none that is known.
//! Knows: IstioOperator, `Istio`, IstioRevision. Does not know: Maistra's.

use super::mesh_config::{self, text};
use super::slots::ROOT_NAMESPACE;
use super::{ControlPlane, DEFAULT_REVISION, Setting, helm_values, set};
use crate::model::Object;
use crate::model::field::{Field, Problem, Read, noted};

/// IstioOperator: `spec.meshConfig` wins over `spec.values.meshConfig`, key by key.
pub(super) fn istio_operator(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<ControlPlane> {
    let spec = root.key("spec")?;
    let values = spec.key("values")?;
    let own = noted(text(&spec, "revision"), problems).flatten();
    let of_values = noted(helm_values::revision(&values), problems).flatten();
    let revision = own.or(of_values);
    let mut plane = ControlPlane::silent(
        object,
        revision.unwrap_or_else(|| DEFAULT_REVISION.to_owned()),
    );
    helm_values::add_mesh_config(&mut plane, &values, problems);
    mesh_config::add_of(&mut plane, &spec, problems);
    helm_values::add_injection(&mut plane, &values, problems);
    if plane.root_namespace.is_none() && !plane.hides(&Setting::RootNamespace) {
        let namespace = helm_values::istio_namespace(&values);
        set(&mut plane, ROOT_NAMESPACE, namespace, problems);
    }
    Ok(plane)
}

/// `Istio` of the Sail operator: its revision goes by its name, with each version another one if updates are by revision.
pub(super) fn sail_istio(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<ControlPlane> {
    let spec = root.key("spec")?;
    let strategy = spec.key("updateStrategy")?;
    let by_revision = noted(text(&strategy, "type"), problems)
        .flatten()
        .as_deref()
        == Some("RevisionBased");
    let version = noted(text(&spec, "version"), problems).flatten();
    let revision = match (by_revision, version) {
        (false, _) => object.name.clone(),
        (true, version) => {
            let version = version.unwrap_or_default().replace('.', "-");
            format!("{}-{version}", object.name)
        }
    };
    sail(ControlPlane::silent(object, revision), &spec, problems)
}

/// IstioRevision of the Sail operator.
pub(super) fn sail_revision(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<ControlPlane> {
    let revision = object.name.clone();
    let plane = ControlPlane::silent(object, revision);
    sail(plane, &root.key("spec")?, problems)
}

/// The operator sets `revision` and `global.istioNamespace` itself, whatever the values say: by name and `spec.namespace`.
fn sail(
    mut plane: ControlPlane,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<ControlPlane> {
    let values = spec.key("values")?;
    helm_values::add_mesh_config(&mut plane, &values, problems);
    helm_values::add_injection(&mut plane, &values, problems);
    if plane.root_namespace.is_none() && !plane.hides(&Setting::RootNamespace) {
        let namespace = text(spec, "namespace");
        set(&mut plane, ROOT_NAMESPACE, namespace, problems);
    }
    Ok(plane)
}

#[cfg(test)]
mod tests;
