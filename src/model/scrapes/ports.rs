//! Which port does an endpoint name?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/{servicescrape,podscrape}.go`; the Prometheus operator's are alike.
//! Departs from them: a number that no port can have is reported.
//! Knows: the fields of an endpoint. Does not know: which ports there are.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::field::{Field, Read};
use super::super::services::port_number;
use super::super::{PortFields, PortRef};
use super::EndpointPort;

/// The port that the fields name; zero and empty count as unset.
pub(super) fn port(field: &Field<'_>, fields: PortFields) -> Read<EndpointPort> {
    if fields == PortFields::None {
        return Ok(EndpointPort::Every);
    }
    let name = field.key("port")?.text()?.map(str::to_owned);
    let target = target_port(&field.key("targetPort")?)?;
    Ok(match fields {
        PortFields::OfService => name.map(EndpointPort::ServicePort),
        PortFields::OfPod => name
            .map(PortRef::Name)
            .or(container_port_number(&field.key("portNumber")?)?)
            .map(EndpointPort::ContainerPort),
        PortFields::None => None,
    }
    .or(target.map(EndpointPort::ContainerPort))
    .unwrap_or(EndpointPort::Every))
}

fn container_port_number(field: &Field<'_>) -> Read<Option<PortRef>> {
    match field.integer()? {
        None | Some(0) => Ok(None),
        Some(number) => numbered(field, i32::try_from(number).unwrap_or(-1)),
    }
}

fn target_port(field: &Field<'_>) -> Read<Option<PortRef>> {
    match field.typed("a number or a name")? {
        None | Some(IntOrString::Int(0)) => Ok(None),
        Some(IntOrString::Int(number)) => numbered(field, number),
        Some(IntOrString::String(name)) if name.is_empty() => Ok(None),
        Some(IntOrString::String(name)) => Ok(Some(PortRef::Name(name))),
    }
}

fn numbered(field: &Field<'_>, number: i32) -> Read<Option<PortRef>> {
    port_number(number)
        .map(|number| Some(PortRef::Number(number)))
        .ok_or_else(|| field.expected("a number from 1 to 65535"))
}
