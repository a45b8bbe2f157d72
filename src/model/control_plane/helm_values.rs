//! What do Helm values of the istiod chart say about the mesh?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery (values.yaml, templates/configmap.yaml, files/injection-template.yaml); pkg/kube/inject/template.go, which prints what it finds there.
//! Departs from it: the chart's defaults are not filled in; values of a type that the template would print as nonsense are left out and reported.
//! Knows: values, whoever holds them: a ConfigMap, IstioOperator, `Istio`. Does not know: who that is, and what it says beside them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::mesh_config::{self, boolean, text};
use super::{ControlPlane, port, set};
use crate::model::field::{Field, Problem, Read, noted};
use crate::model::selectors;

/// Adds `meshConfig`.
pub(super) fn add_mesh_config(
    plane: &mut ControlPlane,
    values: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    if let Some(mesh) = noted(values.key("meshConfig"), problems) {
        mesh_config::add(plane, &mesh, problems);
    }
}

/// Adds `global.proxy` and `sidecarInjectorWebhook`: what the injector goes by.
pub(super) fn add_injection(
    plane: &mut ControlPlane,
    values: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    if let Some(global) = noted(values.key("global"), problems)
        && let Some(proxy) = noted(global.key("proxy"), problems)
    {
        for (slot, key) in [
            (&mut plane.include_inbound_ports, "includeInboundPorts"),
            (&mut plane.exclude_inbound_ports, "excludeInboundPorts"),
            (&mut plane.include_ip_ranges, "includeIPRanges"),
            (&mut plane.exclude_ip_ranges, "excludeIPRanges"),
            (&mut plane.include_outbound_ports, "includeOutboundPorts"),
            (&mut plane.exclude_outbound_ports, "excludeOutboundPorts"),
        ] {
            set(slot, printed(&proxy, key), problems);
        }
        let status_port = proxy.key("statusPort").and_then(|field| port(&field));
        set(&mut plane.injector_status_port, status_port, problems);
        set(
            &mut plane.injector_policy,
            text(&proxy, "autoInject"),
            problems,
        );
    }
    if let Some(webhook) = noted(values.key("sidecarInjectorWebhook"), problems) {
        let by_default = boolean(&webhook, "enableNamespacesByDefault");
        set(&mut plane.namespaces_by_default, by_default, problems);
        add_selectors(plane, &webhook, problems);
    }
}

/// Adds `neverInjectSelector` and `alwaysInjectSelector`.
pub(super) fn add_selectors(plane: &mut ControlPlane, of: &Field<'_>, problems: &mut Vec<Problem>) {
    let never = selector_list(of, "neverInjectSelector", problems);
    set(&mut plane.never_inject, never, problems);
    let always = selector_list(of, "alwaysInjectSelector", problems);
    set(&mut plane.always_inject, always, problems);
}

/// `revision`.
pub(super) fn revision(values: &Field<'_>) -> Read<Option<String>> {
    text(values, "revision")
}

/// `global.istioNamespace`: the root namespace where MeshConfig names none.
pub(super) fn istio_namespace(values: &Field<'_>) -> Read<Option<String>> {
    text(&values.key("global")?, "istioNamespace")
}

/// A list as the template prints it: a number stands for its digits, and the empty text is a list of nothing.
pub(super) fn printed(of: &Field<'_>, key: &str) -> Read<Option<String>> {
    let field = of.key(key)?;
    match field.written() {
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        _ => Ok(field.string()?.map(str::to_owned)),
    }
}

fn selector_list(
    of: &Field<'_>,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Read<Option<Vec<LabelSelector>>> {
    let field = of.key(key)?;
    if field.is_missing() {
        return Ok(None);
    }
    let mut unknown_operators = Vec::new();
    let mut selectors = Vec::new();
    for element in field.list()? {
        selectors.extend(selectors::selector(&element, &mut unknown_operators)?);
    }
    let understood = unknown_operators.is_empty();
    problems.append(&mut unknown_operators);
    Ok(understood.then_some(selectors))
}
