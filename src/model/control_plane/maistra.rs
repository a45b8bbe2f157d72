//! What does a ServiceMeshControlPlane say about its mesh?
//!
//! Authority: maistra/istio-operator pkg/apis/maistra/v2 (security.go, proxy.go) and, for v1, pkg/apis/maistra/conversion, which tells the Helm values below `spec.istio`.
//! Departs from it: which namespaces are members is not read; the mesh counts as the default revision, since pods become members without naming one.
//! Knows: `maistra.io` v1 and v2. Does not know: ServiceMeshMember, ServiceMeshMemberRoll.

use serde_json::Value;

use super::mesh_config::{boolean, names, outbound, outbound_mode, text};
use super::{ControlPlane, DEFAULT_REVISION, helm_values, set};
use crate::model::field::{Field, Problem, Read, noted};
use crate::model::{MtlsMode, Object};

/// The version of the API, which are different languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Version {
    /// `maistra.io/v1`: Helm values below `spec.istio`.
    V1,
    /// `maistra.io/v2`.
    V2,
}

/// The mesh under the default revision, and under its own name, which is its revision for those who name one.
pub(super) fn control_planes(
    version: Version,
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Vec<ControlPlane>> {
    let spec = root.key("spec")?;
    let mut plane = ControlPlane::silent(object, DEFAULT_REVISION);
    plane.root_namespace = Some(plane.object.namespace.clone());
    match version {
        Version::V1 => add_v1(&mut plane, &spec.key("istio")?, problems),
        Version::V2 => add_v2(&mut plane, &spec, problems),
    }
    let by_name = ControlPlane {
        revision: plane.object.name.clone(),
        ..plane.clone()
    };
    let mut planes = vec![plane];
    planes.extend(Some(by_name).filter(|plane| plane.revision != DEFAULT_REVISION));
    Ok(planes)
}

fn add_v1(plane: &mut ControlPlane, values: &Field<'_>, problems: &mut Vec<Problem>) {
    helm_values::add_injection(plane, values, problems);
    if let Some(global) = noted(values.key("global"), problems) {
        set(
            &mut plane.trust_domain,
            text(&global, "trustDomain"),
            problems,
        );
        let aliases = names(&global, "trustDomainAliases");
        set(&mut plane.trust_domain_aliases, aliases, problems);
        set(&mut plane.outbound, outbound(&global), problems);
        let enabled = global
            .key("mtls")
            .and_then(|mtls| boolean(&mtls, "enabled"));
        set(&mut plane.mtls, enabled.map(mode), problems);
    }
}

fn add_v2(plane: &mut ControlPlane, spec: &Field<'_>, problems: &mut Vec<Problem>) {
    if let Some(security) = noted(spec.key("security"), problems) {
        let mtls = security
            .key("dataPlane")
            .and_then(|data_plane| boolean(&data_plane, "mtls"));
        set(&mut plane.mtls, mtls.map(mode), problems);
        let domain = security
            .key("trust")
            .and_then(|trust| text(&trust, "domain"));
        set(&mut plane.trust_domain, domain, problems);
        let aliases = security
            .key("trust")
            .and_then(|trust| names(&trust, "additionalDomains"));
        set(&mut plane.trust_domain_aliases, aliases, problems);
    }
    noted(add_traffic_control(plane, spec, problems), problems);
}

fn add_traffic_control(
    plane: &mut ControlPlane,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<()> {
    let proxy = spec.key("proxy")?;
    let networking = proxy.key("networking")?;
    let control = networking.key("trafficControl")?;
    if let Some(inbound) = noted(control.key("inbound"), problems) {
        let interception = text(&inbound, "interceptionMode");
        set(&mut plane.interception, interception, problems);
        let included = joined(&inbound, "includedPorts");
        set(&mut plane.include_inbound_ports, included, problems);
        let excluded = joined(&inbound, "excludedPorts");
        set(&mut plane.exclude_inbound_ports, excluded, problems);
    }
    if let Some(outbound) = noted(control.key("outbound"), problems) {
        let included = joined(&outbound, "includedIPRanges");
        set(&mut plane.include_ip_ranges, included, problems);
        let excluded = joined(&outbound, "excludedIPRanges");
        set(&mut plane.exclude_ip_ranges, excluded, problems);
        let ports = joined(&outbound, "excludedPorts");
        set(&mut plane.exclude_outbound_ports, ports, problems);
        let policy = outbound
            .key("policy")
            .and_then(|policy| outbound_mode(&policy));
        set(&mut plane.outbound, policy, problems);
    }
    Ok(())
}

/// The operator makes a PeerAuthentication of either in the control plane's namespace.
fn mode(enabled: Option<bool>) -> Option<MtlsMode> {
    enabled.map(|enabled| match enabled {
        true => MtlsMode::Strict,
        false => MtlsMode::Permissive,
    })
}

/// A list of strings or numbers as one text; an empty list says nothing, the operator omits it.
fn joined(of: &Field<'_>, key: &str) -> Read<Option<String>> {
    let field = of.key(key)?;
    let elements = field
        .list()?
        .iter()
        .map(|element| match element.written() {
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            Some(_) => Ok(element.string()?.unwrap_or_default().to_owned()),
            None => Err(element.expected("a string")),
        })
        .collect::<Read<Vec<String>>>()?;
    Ok(Some(elements.join(",")).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests;
