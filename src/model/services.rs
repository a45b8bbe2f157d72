//! Which pods does a Service select, and which ports of theirs?
//!
//! Authority: Service of the Kubernetes API; Istio's `ConvertProtocol`, pkg/config/kube/conversion.go.
//! Departs from them: a port that the API server refuses is left out and reported, the rest of the Service is kept.
//! Knows: Services. Does not know: whether any pods exist.

use k8s_openapi::api::core::v1::ServicePort as ApiPort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::field::{Field, Problem, Read, noted};
use super::{Labels, Object, PortRef, Service, ServicePort, metadata};

/// The protocol of a port that names none.
const TCP: &str = "TCP";

/// The prefixes of port names, and values of `appProtocol`, that Istio knows (pkg/config/protocol/instance.go).
const PROTOCOLS: [&str; 11] = [
    "grpc",
    "hbone",
    "http",
    "http2",
    "http_proxy",
    "https",
    "mongo",
    "mysql",
    "redis",
    "tcp",
    "tls",
];
/// SMTP, DNS, MySQL, MongoDB: there the server speaks first, so Istio does not wait to detect a protocol.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

/// A Service.
pub(super) fn service(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Service> {
    let labels = metadata::labels(root)?;
    let spec = root.key("spec")?;
    let external = spec.key("type")?.text()? == Some("ExternalName");
    let selector = spec.key("selector")?.labels()?;
    let ports = ports(&spec, problems)?;
    let headless = spec.key("clusterIP")?.text()? == Some("None");
    Ok(Service {
        object,
        labels,
        selector: if external { Labels::new() } else { selector },
        ports,
        headless,
        another_name: external,
        made_for: None,
    })
}

/// The ports of a Service's `spec`.
pub(super) fn ports(spec: &Field<'_>, problems: &mut Vec<Problem>) -> Read<Vec<ServicePort>> {
    let ports = spec.key("ports")?;
    let written = noted(ports.list(), problems).unwrap_or_default();
    // Most Services have one, and room for several is large.
    let mut ports = Vec::with_capacity(written.len());
    ports.extend(
        written
            .iter()
            .filter_map(|field| noted(port(field), problems)),
    );
    Ok(ports)
}

/// A port of a Service that is in no manifest.
pub(super) fn made_port(name: &str, number: u16, target: PortRef) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        number,
        target,
        application: application(None, Some(name), number),
        protocol: TCP.into(),
    }
}

fn port(field: &Field<'_>) -> Read<ServicePort> {
    let port: ApiPort = field
        .typed("a port of a Service")?
        .ok_or_else(|| field.expected("a port of a Service"))?;
    let number = port_number(port.port).ok_or_else(|| not_a_port(field, "port"))?;
    let name = port.name.filter(|name| !name.is_empty());
    let protocol = port.protocol.filter(|protocol| !protocol.is_empty());
    let other = protocol.filter(|protocol| protocol != TCP);
    Ok(ServicePort {
        application: application(port.app_protocol.as_deref(), name.as_deref(), number),
        target: target(field, port.target_port, number)?,
        name,
        number,
        protocol: other.map_or(TCP.into(), Into::into),
    })
}

/// Missing, zero and empty are the Service's own port (`SetDefaults_Service`, Kubernetes pkg/apis/core/v1/defaults.go).
fn target(field: &Field<'_>, written: Option<IntOrString>, number: u16) -> Read<PortRef> {
    match written {
        None | Some(IntOrString::Int(0)) => Ok(PortRef::Number(number)),
        Some(IntOrString::String(name)) if name.is_empty() => Ok(PortRef::Number(number)),
        Some(IntOrString::Int(target)) => port_number(target)
            .map(PortRef::Number)
            .ok_or_else(|| not_a_port(field, "targetPort")),
        Some(IntOrString::String(name)) if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(field.problem(format!(
                "targetPort \"{name}\" is a string; expected a number, or a name with a letter"
            )))
        }
        Some(IntOrString::String(name)) => Ok(PortRef::Name(name)),
    }
}

/// A port number, if it is one.
pub(super) fn port_number(number: i32) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| *number > 0)
}

fn not_a_port(field: &Field<'_>, key: &str) -> Problem {
    field.problem(format!("{key}: expected a number from 1 to 65535"))
}

/// What Istio takes a port for, `None` where it looks at the first bytes.
fn application(
    app_protocol: Option<&str>,
    name: Option<&str>,
    number: u16,
) -> Option<&'static str> {
    let known = match app_protocol {
        Some("kubernetes.io/h2c") => Some("http2"),
        Some("kubernetes.io/ws") => Some("http"),
        Some("kubernetes.io/wss") => Some("https"),
        Some(other) => prefix(other),
        None => name.and_then(prefix),
    };
    known.or_else(|| SERVER_FIRST.contains(&number).then_some("tcp"))
}

fn prefix(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("grpc-web") {
        return Some("grpc-web");
    }
    let prefix = name.split('-').next().unwrap_or_default();
    PROTOCOLS.into_iter().find(|known| *known == prefix)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(spec: Value) -> Inventory {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"}, "spec": spec});
        read([(0, &service)], &Config::default())
    }

    #[test]
    fn target_port_is_the_port_where_it_is_missing() {
        for (port, target) in [
            (json!({"port": 80}), PortRef::Number(80)),
            (json!({"port": 80, "targetPort": 0}), PortRef::Number(80)),
            (json!({"port": 80, "targetPort": ""}), PortRef::Number(80)),
            (
                json!({"port": 80, "targetPort": 8080}),
                PortRef::Number(8080),
            ),
            (
                json!({"port": 80, "targetPort": "web"}),
                PortRef::Name("web".to_owned()),
            ),
        ] {
            let inventory = inventory(json!({"selector": {"app": "demo"}, "ports": [port]}));
            assert_eq!(inventory.services[0].ports[0].target, target);
            assert_eq!(inventory.services[0].ports[0].protocol, "TCP");
        }
    }

    #[test]
    fn a_port_that_the_api_server_refuses_is_unread_and_the_others_stay() {
        for port in [
            json!({"port": "80"}),
            json!({"port": 0}),
            json!({"port": 80, "targetPort": "8080"}),
            json!(80),
        ] {
            let inventory =
                inventory(json!({"selector": {"app": "demo"}, "ports": [port, {"port": 81}]}));
            assert_eq!(inventory.services[0].ports.len(), 1);
            assert_eq!(inventory.unread[0].at.as_str(), "/spec/ports/0");
        }
    }

    #[test]
    fn external_name_selects_nothing_whatever_its_selector_says() {
        let inventory =
            inventory(json!({"type": "ExternalName", "selector": {"app": "demo"}, "ports": []}));
        assert!(inventory.services[0].selector.is_empty());
    }

    #[test]
    fn only_cluster_ip_none_is_headless() {
        assert!(inventory(json!({"clusterIP": "None"})).services[0].headless);
        assert!(!inventory(json!({"clusterIP": "10.0.0.1"})).services[0].headless);
        assert!(!inventory(json!({})).services[0].headless);
    }

    #[test]
    fn a_service_with_a_broken_selector_is_left_out() {
        let inventory = inventory(json!({"selector": {"app": true}}));
        assert!(inventory.services.is_empty());
        assert_eq!(inventory.unread[0].at.as_str(), "/spec/selector/app");
    }

    /// Istio, `TestConvertProtocol`, pkg/config/kube/conversion_test.go.
    #[test]
    fn application_protocol_as_istio_takes_it() {
        for (app_protocol, name, number, expected) in [
            (None, Some("http"), 80, Some("http")),
            (None, Some("HTTP-metrics"), 80, Some("http")),
            (None, Some("httptest"), 80, None),
            (None, Some("grpc-web"), 80, Some("grpc-web")),
            (None, Some("web"), 80, None),
            (None, None, 3306, Some("tcp")),
            (None, None, 80, None),
            (Some("tcp"), Some("http"), 80, Some("tcp")),
            (Some("kubernetes.io/h2c"), None, 80, Some("http2")),
            (Some("example.com/own"), Some("http"), 80, None),
        ] {
            assert_eq!(
                application(app_protocol, name, number),
                expected,
                "{app_protocol:?} {name:?} {number}"
            );
        }
    }
}
