//! What does a scrape object ask for?
//!
//! Authority: CRDs of both operators, by the table in `kinds.rs`; VictoriaMetrics operator `factory/vmscrapes`.
//! Departs from it: an endpoint with a field of a wrong type is left out and reported, the others are kept.
//! Knows: scrape objects. Does not know: what they select, what becomes of them.

mod ports;
mod probes;

use std::collections::BTreeMap;

use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value};

use super::LabelSelector;
use super::field::{Field, Problem, Read, noted};
use super::{
    Endpoints, Finds, KubernetesDiscovery, Labels, Object, PortRef, ScrapeDescription, ScrapeKind,
    discovery, metadata, selectors,
};
use crate::yaml::Json;

/// A scrape object.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// The object.
    pub object: Object,
    /// Labels of the scrape object: what a scraper selects by.
    pub labels: Labels,
    /// Which kind of it.
    pub kind: ScrapeKind,
    /// `spec.selector`: of Services or of pods.
    pub selector: LabelSelector,
    /// `spec.namespaceSelector`.
    pub namespaces: Namespaces,
    /// `spec.scrapeClass`.
    pub scrape_class: Option<String>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// An operator makes it for this object, to scrape the pods that it runs for it.
    pub is_self_scrape: bool,
    /// The VictoriaMetrics operator does not write over it what it makes of an object of the same name.
    pub ignores_prometheus: bool,
    /// Relabelling rules of what a prober is asked about, which is the only place where such an object has any.
    pub prober_relabelings: Vec<(PointerBuf, Vec<Value>)>,
}

/// In which namespaces a scrape object looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// Its own.
    Own,
    /// All (`any: true`).
    Any,
    /// `matchNames`.
    Named(Vec<String>),
}

/// One endpoint of a scrape object.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The kind of what it is in.
    pub kind: ScrapeKind,
    /// Where it is in the object, e.g. `/spec/endpoints/0`.
    pub at: PointerBuf,
    /// The string of the object that holds it; `at` and the places below are places inside of it. `None`: the object.
    pub within: Option<PointerBuf>,
    /// Who writes it.
    pub origin: Origin,
    /// How it finds its targets.
    pub sources: Vec<TargetSource>,
    /// Which ports it scrapes.
    pub port: EndpointPort,
    /// How vmagent finds and addresses the targets.
    pub role: DiscoveryRole,
    /// Whether pods behind Services are found by EndpointSlices, which have labels of their own; `None`: not written, the
    /// operator chooses.
    pub by_slices: Option<bool>,
    /// Where its scheme is, or is to be written.
    pub scheme_at: PointerBuf,
    /// `scheme` as written.
    pub scheme: Option<String>,
    /// A scheme in another place, which counts where that one is gone (VMProbe has two).
    pub overruled_scheme: Option<Box<(PointerBuf, String)>>,
    /// `tlsConfig` as written.
    pub tls: Option<Box<Map<String, Value>>>,
    /// `path` as written; `None`: the kind's default.
    pub path: Option<String>,
    /// Relabelling rules as written; `None`: no such key.
    pub relabelings: Option<Vec<Value>>,
    /// Whether HTTP/2 may be used, as written (Prometheus).
    pub http2: Option<bool>,
    /// `proxyURL`.
    pub proxy_url: Option<String>,
}

/// Who writes an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The user: it stands in the object.
    Written,
    /// An operator makes it, unless the object has one of its own in its place. Written into the object it would be `as_made`.
    Made {
        /// The endpoint as the operator makes it.
        as_made: Box<Value>,
        /// The first place on the way to it that the object lacks.
        missing_from: PointerBuf,
    },
    /// An operator makes it, and nothing that is written in the object changes it.
    Fixed,
}

/// A way in which an endpoint finds targets.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetSource {
    /// By labels of Services.
    Services,
    /// By labels of pods.
    Pods,
    /// By labels of nodes.
    Nodes,
    /// An address as written: `host:port`, or an URL.
    Address(String),
    /// The addresses that a name stands for, at this port.
    Name(String, u16),
    /// What the cluster shows to a role of discovery.
    Kubernetes(KubernetesDiscovery),
    /// Something that no manifest shows: the field, and why.
    Unseen(String),
    /// The pods that an operator runs for the object itself, whatever Service it makes for them.
    OwnPods {
        /// Which program of the object.
        part: Option<&'static str>,
        /// The ports of the Service that it makes, by name.
        ports: BTreeMap<String, u16>,
    },
}

/// The port that an endpoint names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointPort {
    /// None: every port.
    Every,
    /// A port of the Service, by name.
    ServicePort(String),
    /// A port of a container.
    ContainerPort(PortRef),
}

/// `discoveryRole` of a VMServiceScrape; VMPodScrape always finds pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscoveryRole {
    /// `endpoints`, `endpointslice(s)`, or pods: targets are pod addresses.
    Pods,
    /// `service`: targets are `<service>.<namespace>.svc`.
    Service,
}

/// The annotation by which an object is kept from the converter (operator `api/operator/v1beta1/vmextra_types.go`).
const IGNORE_PROMETHEUS: &str = "operator.victoriametrics.com/ignore-prometheus-updates";

/// A scrape object. Without a readable selector it would select everything, so then there is none.
pub(super) fn scrape(
    object: Object,
    kind: ScrapeKind,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Scrape> {
    let description = kind.description();
    let labels = metadata::labels(root)?;
    let annotations = metadata::annotations_named(root, &[IGNORE_PROMETHEUS])?;
    let spec = root.key("spec")?;
    if spec.is_missing() {
        return Err(spec.problem("missing; expected what to scrape"));
    }
    let selects = matches!(
        description.finds,
        Finds::Services | Finds::Pods | Finds::Nodes
    );
    let selector = match selects {
        true => selectors::selector(&spec.key("selector")?, problems)?.unwrap_or_default(),
        false => LabelSelector::default(),
    };
    let role = role(&spec, description)?;
    let mut endpoints: Vec<Endpoint> = match description.endpoints {
        Endpoints::List(list) => {
            let endpoints = spec.key(list)?;
            if endpoints.is_missing() {
                return Err(endpoints.problem("missing; expected a list of endpoints"));
            }
            endpoints
                .list()?
                .iter()
                .filter_map(|field| noted(endpoint(field, description, role), problems))
                .collect()
        }
        Endpoints::Spec => noted(endpoint(&spec, description, role), problems)
            .into_iter()
            .collect(),
        Endpoints::Itself => noted(endpoint(root, description, role), problems)
            .into_iter()
            .collect(),
    };
    // Most objects have one, and room for several is large.
    endpoints.shrink_to_fit();
    let by_slices = by_slices(&spec)?;
    for endpoint in &mut endpoints {
        endpoint.by_slices = by_slices;
    }
    Ok(Scrape {
        object,
        labels,
        kind,
        selector,
        namespaces: match description.finds {
            Finds::Services | Finds::Pods => namespaces(&spec)?,
            Finds::Nodes | Finds::Addresses(_) | Finds::Prober(_) | Finds::Discovery => {
                Namespaces::Own
            }
        },
        scrape_class: spec.key("scrapeClass")?.text()?.map(str::to_owned),
        endpoints,
        is_self_scrape: false,
        ignores_prometheus: annotations.get(IGNORE_PROMETHEUS) == Some("enabled"),
        prober_relabelings: probes::relabelings(&spec, description)?,
    })
}

/// In which namespaces a `spec` looks.
pub(super) fn namespaces(spec: &Field<'_>) -> Read<Namespaces> {
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

/// How targets are addressed. A ServiceMonitor's `serviceDiscoveryRole` knows pods only.
pub(super) fn role(spec: &Field<'_>, description: &ScrapeDescription) -> Read<DiscoveryRole> {
    if description.kind != ScrapeKind::VMServiceScrape {
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

/// Whether EndpointSlices are asked for, or Endpoints, as either operator spells it.
fn by_slices(spec: &Field<'_>) -> Read<Option<bool>> {
    for key in ["discoveryRole", "serviceDiscoveryRole"] {
        if let Some(role) = spec.key(key)?.text()? {
            return Ok(match role.to_ascii_lowercase().as_str() {
                "endpointslice" | "endpointslices" => Some(true),
                "endpoints" => Some(false),
                _ => None,
            });
        }
    }
    Ok(None)
}

/// An endpoint of a kind, from where it is written.
pub(super) fn endpoint(
    field: &Field<'_>,
    description: &ScrapeDescription,
    role: DiscoveryRole,
) -> Read<Endpoint> {
    let at = field.at();
    let tls = field.key(description.tls)?;
    let relabelings = match description.relabelings {
        None => None,
        Some(key) => {
            let rules = field.key(key)?;
            rules.list()?;
            let rules = rules.written().and_then(Json::as_list);
            rules.map(|rules| rules.iter().map(Json::to_value).collect())
        }
    };
    let http2 = match description.http2 {
        None => None,
        Some(key) => {
            let flag = field.key(key)?;
            let written = flag.boolean()?;
            (!flag.is_missing()).then_some(written)
        }
    };
    let mut schemes = schemes(field, &at, description)?.into_iter();
    let first = description.scheme.first().copied().unwrap_or_default();
    let (scheme_at, scheme) = match schemes.next() {
        Some((place, scheme)) => (place, Some(scheme)),
        None => (below(&at, first), None),
    };
    let overruled_scheme = schemes.next().map(Box::new);
    Ok(Endpoint {
        kind: description.kind,
        within: None,
        origin: Origin::Written,
        sources: sources(field, description)?,
        port: ports::port(field, description.ports)?,
        role,
        by_slices: None,
        scheme_at,
        scheme,
        overruled_scheme,
        tls: match tls.written() {
            None => None,
            Some(map) => match map.to_value() {
                Value::Object(map) => Some(Box::new(map)),
                _ => return Err(tls.expected("a map")),
            },
        },
        path: text_at(field, description.path)?,
        relabelings,
        http2,
        proxy_url: text_at(field, description.proxy)?,
        at,
    })
}

/// The schemes that are written, each with its place; the first counts.
fn schemes(
    field: &Field<'_>,
    at: &Pointer,
    description: &ScrapeDescription,
) -> Read<Vec<(PointerBuf, String)>> {
    let mut written = Vec::new();
    for place in description.scheme {
        if let Some(scheme) = text_at(field, place)? {
            written.push((below(at, place), scheme.to_owned()));
        }
    }
    Ok(written)
}

fn below(at: &Pointer, tokens: &[&str]) -> PointerBuf {
    let mut place = at.to_buf();
    place.append(PointerBuf::from_tokens(tokens.iter().copied()));
    place
}

/// A text below a field; empty counts as missing.
fn text_at(field: &Field<'_>, tokens: &[&str]) -> Read<Option<String>> {
    match tokens {
        [] => Ok(None),
        [key] => Ok(field.key(key)?.text()?.map(str::to_owned)),
        [key, below @ ..] => text_at(&field.key(key)?, below),
    }
}

fn sources(field: &Field<'_>, description: &ScrapeDescription) -> Read<Vec<TargetSource>> {
    Ok(match description.finds {
        Finds::Services => vec![TargetSource::Services],
        Finds::Pods => vec![TargetSource::Pods],
        Finds::Nodes => vec![TargetSource::Nodes],
        Finds::Addresses(list) => discovery::addresses(field, list, list)?,
        Finds::Prober(place) => {
            let address = text_at(field, place)?;
            address.map(TargetSource::Address).into_iter().collect()
        }
        Finds::Discovery => discovery::sources(field, description.spelling)?,
    })
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
    fn probes_have_rules_and_a_proxy_elsewhere() {
        let rules = json!([{"targetLabel": "__address__"}]);
        for (kind, spec, at) in [
            (
                "VMProbe",
                json!({"static": {"targets": ["a"], "relabelingConfigs": rules}}),
                "/spec/targets/static/relabelingConfigs",
            ),
            (
                "VMProbe",
                json!({"kubernetes": [{}, {"relabelingConfigs": rules}]}),
                "/spec/targets/kubernetes/1/relabelingConfigs",
            ),
            (
                "Probe",
                json!({"ingress": {"relabelingConfigs": rules}}),
                "/spec/targets/ingress/relabelingConfigs",
            ),
        ] {
            let version = match kind {
                "Probe" => "monitoring.coreos.com/v1",
                _ => "operator.victoriametrics.com/v1beta1",
            };
            let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "demo"},
                "spec": {"targets": spec, "prober": {"proxyUrl": "http://proxy"}, "vmProberSpec": {"url": "b"}}});
            let inventory = read([(0, &object)], &Config::default());
            let [scrape] = inventory.scrapes.as_slice() else {
                panic!("{:?}", inventory.unread);
            };
            assert_eq!(scrape.prober_relabelings[0].0.as_str(), at);
            let proxied = scrape.endpoints[0].proxy_url.is_some();
            assert_eq!(proxied, kind == "Probe");
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
        assert_eq!(inventory.scrapes[0].labels.get("team"), Some("a"));
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
