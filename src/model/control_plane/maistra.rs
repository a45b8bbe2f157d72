//! What does a ServiceMeshControlPlane say about its mesh?
//!
//! Authority: maistra/istio-operator pkg/apis/maistra/v2 (security.go, proxy.go) and, for v1, pkg/apis/maistra/conversion, which tells the Helm values below `spec.istio`.
//! Departs from it: which namespaces are members is not read; the mesh counts as the default revision, since pods become members without naming one.
//! Knows: `maistra.io` v1 and v2. Does not know: ServiceMeshMember, ServiceMeshMemberRoll.

use super::mesh_config::{boolean, names, outbound, outbound_mode, text};
use super::slots::{
    EXCLUDE_INBOUND_PORTS, EXCLUDE_IP_RANGES, EXCLUDE_OUTBOUND_PORTS, INCLUDE_INBOUND_PORTS,
    INCLUDE_IP_RANGES, INTERCEPTION, MTLS, OUTBOUND, TRUST_DOMAIN, TRUST_DOMAIN_ALIASES,
};
use super::{ControlPlane, DEFAULT_REVISION, Setting, helm_values, set};
use crate::model::field::{Field, Problem, Read};
use crate::model::{MtlsMode, Object};
use crate::yaml::Json;

/// The version of the API, which are different languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Version {
    /// `maistra.io/v1`: Helm values below `spec.istio`.
    V1,
    /// `maistra.io/v2`.
    V2,
}

/// What `trafficControl.inbound` may set.
const OF_INBOUND: [Setting; 3] = [
    Setting::Interception,
    Setting::IncludeInboundPorts,
    Setting::ExcludeInboundPorts,
];
/// What `trafficControl.outbound` may set.
const OF_OUTBOUND: [Setting; 4] = [
    Setting::IncludeIpRanges,
    Setting::ExcludeIpRanges,
    Setting::ExcludeOutboundPorts,
    Setting::Outbound,
];

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
    let settings = [
        Setting::TrustDomain,
        Setting::TrustDomainAliases,
        Setting::Outbound,
        Setting::Mtls,
    ];
    if let Some(global) = plane.part(values.key("global"), &settings, problems) {
        set(plane, TRUST_DOMAIN, text(&global, "trustDomain"), problems);
        let aliases = names(&global, "trustDomainAliases");
        set(plane, TRUST_DOMAIN_ALIASES, aliases, problems);
        set(plane, OUTBOUND, outbound(&global), problems);
        let enabled = global
            .key("mtls")
            .and_then(|mtls| boolean(&mtls, "enabled"));
        set(plane, MTLS, enabled.map(mode), problems);
    }
}

fn add_v2(plane: &mut ControlPlane, spec: &Field<'_>, problems: &mut Vec<Problem>) {
    let settings = [
        Setting::TrustDomain,
        Setting::TrustDomainAliases,
        Setting::Mtls,
    ];
    if let Some(security) = plane.part(spec.key("security"), &settings, problems) {
        let mtls = security
            .key("dataPlane")
            .and_then(|data_plane| boolean(&data_plane, "mtls"));
        set(plane, MTLS, mtls.map(mode), problems);
        let domain = security
            .key("trust")
            .and_then(|trust| text(&trust, "domain"));
        set(plane, TRUST_DOMAIN, domain, problems);
        let aliases = security
            .key("trust")
            .and_then(|trust| names(&trust, "additionalDomains"));
        set(plane, TRUST_DOMAIN_ALIASES, aliases, problems);
    }
    let traffic = add_traffic_control(plane, spec, problems);
    let settings = [OF_INBOUND.as_slice(), OF_OUTBOUND.as_slice()].concat();
    plane.part(traffic, &settings, problems);
}

fn add_traffic_control(
    plane: &mut ControlPlane,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<()> {
    let proxy = spec.key("proxy")?;
    let networking = proxy.key("networking")?;
    let control = networking.key("trafficControl")?;
    if let Some(inbound) = plane.part(control.key("inbound"), &OF_INBOUND, problems) {
        let interception = text(&inbound, "interceptionMode");
        set(plane, INTERCEPTION, interception, problems);
        let included = joined(&inbound, "includedPorts");
        set(plane, INCLUDE_INBOUND_PORTS, included, problems);
        let excluded = joined(&inbound, "excludedPorts");
        set(plane, EXCLUDE_INBOUND_PORTS, excluded, problems);
    }
    if let Some(outbound) = plane.part(control.key("outbound"), &OF_OUTBOUND, problems) {
        let included = joined(&outbound, "includedIPRanges");
        set(plane, INCLUDE_IP_RANGES, included, problems);
        let excluded = joined(&outbound, "excludedIPRanges");
        set(plane, EXCLUDE_IP_RANGES, excluded, problems);
        let ports = joined(&outbound, "excludedPorts");
        set(plane, EXCLUDE_OUTBOUND_PORTS, ports, problems);
        let policy = outbound
            .key("policy")
            .and_then(|policy| outbound_mode(&policy));
        set(plane, OUTBOUND, policy, problems);
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
            Some(Json::Number(number)) if number.is_u64() => Ok(number.to_string()),
            Some(_) => Ok(element.string()?.unwrap_or_default().to_owned()),
            None => Err(element.expected("a string")),
        })
        .collect::<Read<Vec<String>>>()?;
    Ok(Some(elements.join(",")).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests;
