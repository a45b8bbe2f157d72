//! What does a scrape object ask for?
//!
//! Authority: CRDs of the VictoriaMetrics operator; `factory/vmscrapes/servicescrape.go`, `podscrape.go`.
//! Departs from it: an endpoint with a field of a wrong type is left out and reported, the others are kept.
//! Knows: VMServiceScrape, VMPodScrape. Does not know: what they select, what becomes of them.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::field::{Field, Problem, Read, noted};
use super::services::port_number;
use super::{
    DiscoveryRole, Endpoint, EndpointPort, Namespaces, Object, PortRef, Scrape, ScrapeKind,
    metadata, selectors,
};

/// A scrape object. Without a readable selector it would select everything, so then there is none.
pub(super) fn scrape(
    object: Object,
    kind: ScrapeKind,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Scrape> {
    let labels = metadata::labels(root)?;
    let spec = root.key("spec")?;
    let selector = selectors::selector(&spec.key("selector")?, problems)?.unwrap_or_default();
    let role = role(&spec, kind)?;
    let list = match kind {
        ScrapeKind::VMServiceScrape => "endpoints",
        ScrapeKind::VMPodScrape => "podMetricsEndpoints",
    };
    let endpoints = spec.key(list)?;
    if endpoints.is_missing() {
        return Err(endpoints.problem("missing; expected a list of endpoints"));
    }
    Ok(Scrape {
        object,
        labels,
        kind,
        selector,
        namespaces: namespaces(&spec)?,
        scrape_class: spec.key("scrapeClass")?.text()?.map(str::to_owned),
        endpoints: endpoints
            .list()?
            .iter()
            .filter_map(|field| noted(endpoint(field, kind, role), problems))
            .collect(),
    })
}

fn namespaces(spec: &Field<'_>) -> Read<Namespaces> {
    let selector = spec.key("namespaceSelector")?;
    let names = selector.key("matchNames")?;
    let names: Vec<String> = names
        .list()?
        .iter()
        .map(|name| Ok(name.string()?.unwrap_or_default().to_owned()))
        .collect::<Read<_>>()?;
    Ok(match selector.key("any")?.boolean()? {
        true => Namespaces::Any,
        false if names.is_empty() => Namespaces::Own,
        false => Namespaces::Named(names),
    })
}

fn role(spec: &Field<'_>, kind: ScrapeKind) -> Read<DiscoveryRole> {
    if kind == ScrapeKind::VMPodScrape {
        return Ok(DiscoveryRole::Pods);
    }
    let role = spec.key("discoveryRole")?;
    match role.text()? {
        None | Some("endpoints" | "endpointslice" | "endpointslices") => Ok(DiscoveryRole::Pods),
        Some("service") => Ok(DiscoveryRole::Service),
        Some(other) => Err(role.problem(format!(
            "unknown role `{other}`; expected endpoints, endpointslice, endpointslices or service"
        ))),
    }
}

fn endpoint(field: &Field<'_>, kind: ScrapeKind, role: DiscoveryRole) -> Read<Endpoint> {
    let text =
        |key: &str| -> Read<Option<String>> { Ok(field.key(key)?.text()?.map(str::to_owned)) };
    let tls = field.key("tlsConfig")?;
    let relabelings = field.key("relabelConfigs")?;
    relabelings.list()?;
    Ok(Endpoint {
        at: field.at(),
        port: port(field, kind)?,
        role,
        scheme: text("scheme")?,
        tls: match tls.written() {
            None => None,
            Some(Value::Object(map)) => Some(map.clone()),
            Some(_) => return Err(tls.expected("a map")),
        },
        path: text("path")?,
        relabelings: relabelings.written().and_then(Value::as_array).cloned(),
        proxy_url: text("proxyURL")?,
    })
}

/// `port` wins over `portNumber`, that over `targetPort`; zero and empty count as unset.
fn port(field: &Field<'_>, kind: ScrapeKind) -> Read<EndpointPort> {
    let name = field.key("port")?.text()?.map(str::to_owned);
    let target = target_port(&field.key("targetPort")?)?;
    Ok(match kind {
        ScrapeKind::VMServiceScrape => name.map(EndpointPort::ServicePort),
        ScrapeKind::VMPodScrape => name
            .map(PortRef::Name)
            .or(container_port_number(&field.key("portNumber")?)?)
            .map(EndpointPort::ContainerPort),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(kind: &str, spec: Value) -> Inventory {
        let object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": kind,
            "metadata": {"name": "demo", "labels": {"team": "a"}}, "spec": spec});
        read([(0, &object)], &Config::default())
    }

    fn port_of(kind: &str, endpoint: Value) -> EndpointPort {
        let list = if kind == "VMPodScrape" {
            "podMetricsEndpoints"
        } else {
            "endpoints"
        };
        inventory(kind, json!({list: [endpoint]})).scrapes[0].endpoints[0]
            .port
            .clone()
    }

    /// spec 2.4, port fields of VMServiceScrape.
    #[test]
    fn service_scrape_port_wins_over_target_port() {
        let container = |name: &str| EndpointPort::ContainerPort(PortRef::Name(name.to_owned()));
        for (endpoint, expected) in [
            (
                json!({"port": "http", "targetPort": 8080}),
                EndpointPort::ServicePort("http".to_owned()),
            ),
            (
                json!({"port": "", "targetPort": 8080}),
                EndpointPort::ContainerPort(PortRef::Number(8080)),
            ),
            (json!({"targetPort": "web"}), container("web")),
            (json!({"targetPort": "8080"}), container("8080")),
            (json!({"targetPort": 0}), EndpointPort::Every),
            (json!({"targetPort": ""}), EndpointPort::Every),
            (json!({"portNumber": 8080}), EndpointPort::Every),
            (json!({}), EndpointPort::Every),
        ] {
            assert_eq!(
                port_of("VMServiceScrape", endpoint.clone()),
                expected,
                "{endpoint}"
            );
        }
    }

    /// spec 2.4, port fields of VMPodScrape.
    #[test]
    fn pod_scrape_port_wins_over_port_number_over_target_port() {
        let container = |port| EndpointPort::ContainerPort(port);
        for (endpoint, expected) in [
            (
                json!({"port": "web", "portNumber": 1, "targetPort": 2}),
                container(PortRef::Name("web".to_owned())),
            ),
            (
                json!({"portNumber": 1, "targetPort": 2}),
                container(PortRef::Number(1)),
            ),
            (json!({"targetPort": 2}), container(PortRef::Number(2))),
            (json!({}), EndpointPort::Every),
        ] {
            assert_eq!(
                port_of("VMPodScrape", endpoint.clone()),
                expected,
                "{endpoint}"
            );
        }
    }

    #[test]
    fn an_endpoint_of_wrong_types_is_unread_and_the_others_keep_their_place() {
        for (endpoint, at) in [
            (json!({"port": 8080}), "/spec/endpoints/0/port"),
            (json!({"targetPort": 70000}), "/spec/endpoints/0/targetPort"),
            (json!({"targetPort": []}), "/spec/endpoints/0/targetPort"),
            (json!({"scheme": true}), "/spec/endpoints/0/scheme"),
            (json!({"tlsConfig": "istio"}), "/spec/endpoints/0/tlsConfig"),
            (
                json!({"relabelConfigs": {}}),
                "/spec/endpoints/0/relabelConfigs",
            ),
            (json!("http"), "/spec/endpoints/0"),
        ] {
            let inventory = inventory(
                "VMServiceScrape",
                json!({"endpoints": [endpoint, {"port": "http"}]}),
            );
            assert_eq!(inventory.unread[0].at.as_str(), at);
            assert_eq!(
                inventory.scrapes[0].endpoints[0].at.as_str(),
                "/spec/endpoints/1"
            );
        }
    }

    #[test]
    fn fields_are_as_written() {
        let inventory = inventory(
            "VMServiceScrape",
            json!({"scrapeClass": "", "endpoints": [
            {"scheme": "HTTPS", "path": "/stats", "tlsConfig": {}, "relabelConfigs": [], "proxyURL": "http://proxy"},
            {"scheme": "", "tlsConfig": null, "relabelConfigs": null}]}),
        );
        let [first, second] = inventory.scrapes[0].endpoints.as_slice() else {
            panic!("two")
        };
        assert_eq!(first.scheme.as_deref(), Some("HTTPS"));
        assert_eq!(first.path.as_deref(), Some("/stats"));
        assert!(first.tls.is_some() && first.relabelings.is_some() && first.proxy_url.is_some());
        assert!(second.scheme.is_none() && second.tls.is_none() && second.relabelings.is_none());
        assert_eq!(inventory.scrapes[0].scrape_class, None);
        assert_eq!(inventory.scrapes[0].labels["team"], "a");
    }

    /// spec 2.2.
    #[test]
    fn any_wins_over_match_names_over_own() {
        for (selector, expected) in [
            (
                json!({"any": true, "matchNames": ["a"]}),
                Some(Namespaces::Any),
            ),
            (
                json!({"matchNames": ["a"]}),
                Some(Namespaces::Named(vec!["a".to_owned()])),
            ),
            (
                json!({"any": false, "matchNames": []}),
                Some(Namespaces::Own),
            ),
            (Value::Null, Some(Namespaces::Own)),
            (json!({"any": "true"}), None),
        ] {
            let inventory = inventory(
                "VMServiceScrape",
                json!({"endpoints": [], "namespaceSelector": selector}),
            );
            assert_eq!(
                inventory
                    .scrapes
                    .first()
                    .map(|scrape| scrape.namespaces.clone()),
                expected
            );
            assert_eq!(inventory.unread.is_empty(), expected.is_some());
        }
    }

    /// spec 2.3.
    #[test]
    fn roles() {
        for (role, expected) in [
            (json!("service"), Some(DiscoveryRole::Service)),
            (json!("endpointslices"), Some(DiscoveryRole::Pods)),
            (json!(""), Some(DiscoveryRole::Pods)),
            (json!("pod"), None),
        ] {
            let inventory = inventory(
                "VMServiceScrape",
                json!({"endpoints": [{}], "discoveryRole": role}),
            );
            assert_eq!(
                inventory
                    .scrapes
                    .first()
                    .map(|scrape| scrape.endpoints[0].role),
                expected
            );
        }
    }

    #[test]
    fn a_scrape_without_readable_selector_is_left_out() {
        for spec in [
            json!({"selector": [], "endpoints": []}),
            json!({"selector": {"matchLabels": {"a": 1}}, "endpoints": []}),
            json!({}),
            json!([]),
        ] {
            let inventory = inventory("VMServiceScrape", spec);
            assert!(inventory.scrapes.is_empty());
            assert_eq!(inventory.unread.len(), 1);
        }
    }
}
