//! What does a MeshConfig say about the mesh?
//!
//! Authority: istio/api mesh/v1alpha1/config.proto and proxy.proto; istio/istio pkg/config/mesh/mesh.go `ApplyMeshConfig`, which decodes by pkg/util/protomarshal `ApplyYAML`: strings must be strings (a number or boolean in `proxyMetadata` is refused), ports may be quoted.
//! Departs from it: a field of a wrong type is reported and what it sets is unknown, where istiod refuses the whole MeshConfig; fields go by their JSON names, not by those of the proto.
//! Knows: MeshConfig and the ProxyConfig in it. Does not know: which object it is in.

use std::collections::BTreeSet;

use super::slots::{
    HOLD_APPLICATION, INTERCEPTION, OUTBOUND, PROMETHEUS_MERGE, ROOT_NAMESPACE, STATUS_PORT,
    TRUST_DOMAIN, TRUST_DOMAIN_ALIASES,
};
use super::{ControlPlane, OutboundPolicy, Setting, port, set};
use crate::model::field::{Field, Problem, Read, noted};

/// Adds what the MeshConfig in `meshConfig` says.
pub(super) fn add_of(plane: &mut ControlPlane, of: &Field<'_>, problems: &mut Vec<Problem>) {
    match of.key("meshConfig") {
        Ok(mesh) => add(plane, &mesh, problems),
        Err(problem) => {
            noted::<()>(Err(problem), problems);
            hide(plane);
        }
    }
}

/// Notes that there is a MeshConfig, and what it says is not understood.
pub(super) fn hide(plane: &mut ControlPlane) {
    let settings = Setting::OF_MESH_CONFIG.into_iter();
    plane
        .unreadable
        .extend(settings.chain(Setting::OF_DEFAULT_CONFIG));
}

/// Adds what a MeshConfig says; what it does not say stays.
pub(super) fn add(plane: &mut ControlPlane, mesh: &Field<'_>, problems: &mut Vec<Problem>) {
    set(plane, ROOT_NAMESPACE, text(mesh, "rootNamespace"), problems);
    set(plane, TRUST_DOMAIN, text(mesh, "trustDomain"), problems);
    let aliases = names(mesh, "trustDomainAliases");
    set(plane, TRUST_DOMAIN_ALIASES, aliases, problems);
    set(
        plane,
        PROMETHEUS_MERGE,
        boolean(mesh, "enablePrometheusMerge"),
        problems,
    );
    set(plane, OUTBOUND, outbound(mesh), problems);
    let config = mesh.key("defaultConfig");
    if let Some(config) = plane.part(config, &Setting::OF_DEFAULT_CONFIG, problems) {
        let metadata = proxy_metadata(plane, &config, problems);
        plane.part(metadata, &[Setting::Metadata], problems);
        let interception = text(&config, "interceptionMode");
        set(plane, INTERCEPTION, interception, problems);
        let status_port = config.key("statusPort").and_then(|field| port(&field));
        set(plane, STATUS_PORT, status_port, problems);
        let hold = boolean(&config, "holdApplicationUntilProxyStarts");
        set(plane, HOLD_APPLICATION, hold, problems);
    }
}

/// A string in a field; the empty one is what proto means by "not set".
pub(super) fn text(of: &Field<'_>, key: &str) -> Read<Option<String>> {
    Ok(of.key(key)?.text()?.map(str::to_owned))
}

/// A list of strings in a field, in whatever order.
pub(super) fn names(of: &Field<'_>, key: &str) -> Read<Option<BTreeSet<String>>> {
    let field = of.key(key)?;
    if field.is_missing() {
        return Ok(None);
    }
    let elements = field.list()?;
    let names = elements.iter().map(|element| match element.written() {
        Some(_) => Ok(element.string()?.unwrap_or_default().to_owned()),
        None => Err(element.expected("a string")),
    });
    names.collect::<Read<_>>().map(Some)
}

/// A boolean in a field.
pub(super) fn boolean(of: &Field<'_>, key: &str) -> Read<Option<bool>> {
    let field = of.key(key)?;
    match field.is_missing() {
        true => Ok(None),
        false => field.boolean().map(Some),
    }
}

/// `outboundTrafficPolicy.mode`.
pub(super) fn outbound(of: &Field<'_>) -> Read<Option<OutboundPolicy>> {
    let policy = of.key("outboundTrafficPolicy")?;
    outbound_mode(&policy.key("mode")?)
}

/// `ALLOW_ANY` or `REGISTRY_ONLY`.
pub(super) fn outbound_mode(mode: &Field<'_>) -> Read<Option<OutboundPolicy>> {
    match mode.text()? {
        None => Ok(None),
        Some("ALLOW_ANY") => Ok(Some(OutboundPolicy::AllowAny)),
        Some("REGISTRY_ONLY") => Ok(Some(OutboundPolicy::RegistryOnly)),
        Some(other) => Err(mode.problem(format!(
            "unknown mode `{other}`; expected ALLOW_ANY or REGISTRY_ONLY"
        ))),
    }
}

fn proxy_metadata(
    plane: &mut ControlPlane,
    config: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<()> {
    let metadata = config.key("proxyMetadata")?;
    for (key, value) in metadata.entries()?.unwrap_or_default() {
        let entry = Setting::MetadataEntry(key.to_owned());
        match noted(value.string(), problems) {
            Some(None) => {}
            Some(Some(value)) => {
                plane.unreadable.remove(&entry);
                let metadata = &mut plane.proxy_metadata;
                metadata.insert(key.to_owned(), value.to_owned());
            }
            None => {
                plane.proxy_metadata.remove(key);
                plane.unreadable.insert(entry);
            }
        }
    }
    Ok(())
}
