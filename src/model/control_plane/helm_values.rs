//! What do Helm values of the istiod chart say about the mesh?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery (values.yaml, templates/configmap.yaml, files/injection-template.yaml); pkg/kube/inject/template.go, which prints what it finds there.
//! Departs from it: the chart's defaults are not filled in; values of a type that the template would print as nonsense are reported, and what they set is unknown.
//! Knows: values, whoever holds them: a ConfigMap, IstioOperator, `Istio`. Does not know: who that is, and what it says beside them.

use super::super::LabelSelector;
use super::mesh_config::{self, boolean, text};
use super::slots::{
    ALWAYS_INJECT, EXCLUDE_INBOUND_PORTS, EXCLUDE_IP_RANGES, EXCLUDE_OUTBOUND_PORTS,
    INCLUDE_INBOUND_PORTS, INCLUDE_IP_RANGES, INCLUDE_OUTBOUND_PORTS, INJECTOR_HOLD,
    INJECTOR_POLICY, INJECTOR_STATUS_PORT, NAMESPACES_BY_DEFAULT, NEVER_INJECT,
};
use super::{ControlPlane, Setting, port, set};
use crate::model::field::{Field, Problem, Read};
use crate::model::selectors;
use crate::yaml::Json;

/// Adds `meshConfig`.
pub(super) fn add_mesh_config(
    plane: &mut ControlPlane,
    values: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    mesh_config::add_of(plane, values, problems);
}

/// Adds `global.proxy` and `sidecarInjectorWebhook`: what the injector goes by.
pub(super) fn add_injection(
    plane: &mut ControlPlane,
    values: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    let global = plane.part(values.key("global"), &Setting::OF_PROXY, problems);
    let proxy = global
        .as_ref()
        .and_then(|global| plane.part(global.key("proxy"), &Setting::OF_PROXY, problems));
    if let Some(proxy) = proxy {
        let lists = [
            (INCLUDE_INBOUND_PORTS, "includeInboundPorts"),
            (EXCLUDE_INBOUND_PORTS, "excludeInboundPorts"),
            (INCLUDE_IP_RANGES, "includeIPRanges"),
            (EXCLUDE_IP_RANGES, "excludeIPRanges"),
            (INCLUDE_OUTBOUND_PORTS, "includeOutboundPorts"),
            (EXCLUDE_OUTBOUND_PORTS, "excludeOutboundPorts"),
        ];
        for (list, key) in lists {
            set(plane, list, printed(&proxy, key), problems);
        }
        let status_port = proxy.key("statusPort").and_then(|field| port(&field));
        set(plane, INJECTOR_STATUS_PORT, status_port, problems);
        let hold = boolean(&proxy, "holdApplicationUntilProxyStarts");
        set(plane, INJECTOR_HOLD, hold, problems);
        set(plane, INJECTOR_POLICY, text(&proxy, "autoInject"), problems);
    }
    let webhook = values.key("sidecarInjectorWebhook");
    if let Some(webhook) = plane.part(webhook, &Setting::OF_WEBHOOK, problems) {
        let by_default = boolean(&webhook, "enableNamespacesByDefault");
        set(plane, NAMESPACES_BY_DEFAULT, by_default, problems);
        add_selectors(plane, &webhook, problems);
    }
}

/// Adds `neverInjectSelector` and `alwaysInjectSelector`.
pub(super) fn add_selectors(plane: &mut ControlPlane, of: &Field<'_>, problems: &mut Vec<Problem>) {
    let never = selector_list(of, "neverInjectSelector", problems);
    set(plane, NEVER_INJECT, never, problems);
    let always = selector_list(of, "alwaysInjectSelector", problems);
    set(plane, ALWAYS_INJECT, always, problems);
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
        Some(Json::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
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
    match unknown_operators.pop() {
        None => Ok(Some(selectors)),
        Some(problem) => {
            problems.append(&mut unknown_operators);
            Err(problem)
        }
    }
}
