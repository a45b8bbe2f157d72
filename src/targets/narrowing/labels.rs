//! Which labels does vmagent find a target with?
//!
//! Authority: VictoriaMetrics `lib/promscrape/discovery/kubernetes/{pod,service,endpoints,endpointslice}.go`.
//! Departs from it: what the cluster adds (controllers, the injector) is not known; `endpoints` and `endpointslice`
//! call the port differently, and where no role is written, whoever names one of the two is taken to know which it is.
//! Knows: Services, pods, ports. Does not know: who asks for the labels.

use std::borrow::Cow;

use super::super::{Pods, Target, found, ports};
use crate::model::{
    DiscoveryRole, Endpoint, EndpointPort, Labels as Written, PodsKnown, Service, ServicePort,
    Workload,
};

/// The labels of one way to a target.
pub(super) enum Labels<'a> {
    /// None is known.
    Unknown,
    /// Those that discovery sets.
    Of(Way<'a>),
}

/// A way to a target.
pub(super) struct Way<'a> {
    by: By,
    /// Whether EndpointSlices are asked; `None`: not known.
    by_slices: Option<bool>,
    service: Option<&'a Service>,
    /// The port of the Service, where one leads there.
    service_port: Option<&'a ServicePort>,
    /// The pods; `None`: no pods.
    pods: Option<&'a Workload>,
    container: Container<'a>,
}

/// By what vmagent finds targets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Endpoints,
    Services,
    Pods,
}

/// The container that declares the port.
#[derive(Clone, Copy)]
enum Container<'a> {
    /// No container does.
    None,
    /// This one, with the name and the number of the port; without ports it has neither.
    Named(&'a str, Option<(Option<&'a str>, u16)>),
    Unknown,
}

/// Every way from a Service, or from nothing but pods, to a target.
pub(super) fn ways<'t>(
    endpoint: &Endpoint,
    service: Option<&'t Service>,
    target: &'t Target<'_>,
) -> Vec<Labels<'t>> {
    let pods = match &target.pods {
        Pods::Of(pods) => Some(pods.as_ref()),
        Pods::Elsewhere(_) => None,
    };
    let by = match (service, endpoint.role) {
        (None, _) => By::Pods,
        (Some(_), DiscoveryRole::Service) => By::Services,
        (Some(_), DiscoveryRole::Pods) => By::Endpoints,
    };
    let containers = match (by, pods) {
        (By::Services, _) | (By::Endpoints, None) => vec![Container::None],
        (By::Pods, None) => vec![Container::Unknown],
        (By::Pods | By::Endpoints, Some(pods)) => containers(by, pods, target.port),
    };
    let ports = service.map_or_else(Vec::new, |service| {
        ports_to(endpoint, service, pods, target.port)
    });
    let ports = match ports.is_empty() {
        true => vec![None],
        false => ports.into_iter().map(Some).collect(),
    };
    let mut ways = Vec::new();
    for service_port in ports {
        for container in &containers {
            ways.push(Labels::Of(Way {
                by,
                by_slices: endpoint.by_slices,
                service,
                service_port,
                pods,
                container: *container,
            }));
        }
    }
    ways
}

/// Whether a label says the same on every way from a Service.
pub(super) fn is_of_service(label: &str) -> bool {
    let label = label.strip_prefix("__meta_kubernetes_");
    label.is_some_and(|label| {
        matches!(label, "namespace" | "service_name")
            || label.starts_with("service_label_")
            || label.starts_with("service_labelpresent_")
    })
}

/// What every way from a Service has of the labels that are the Service's.
pub(super) fn of_service(service: &Service) -> Labels<'_> {
    Labels::Of(Way {
        by: By::Endpoints,
        by_slices: None,
        service: Some(service),
        service_port: None,
        pods: None,
        container: Container::None,
    })
}

/// The ports of a Service, of those that the endpoint names, that lead to a port of pods.
fn ports_to<'t>(
    endpoint: &Endpoint,
    service: &'t Service,
    pods: Option<&Workload>,
    number: Option<u16>,
) -> Vec<&'t ServicePort> {
    let named = |port: &&ServicePort| match &endpoint.port {
        EndpointPort::ServicePort(name) => port.name.as_deref() == Some(name),
        EndpointPort::ContainerPort(_) | EndpointPort::Every => true,
    };
    found::tcp_ports(service)
        .filter(named)
        .filter(|port| pods.is_none_or(|pods| ports::behind(pods, port).contains(&number)))
        .collect()
}

/// The containers that declare a port; without a number, those that declare none.
fn containers(by: By, pods: &Workload, number: Option<u16>) -> Vec<Container<'_>> {
    let (envoys_name, envoys) = ports::ENVOY_PORT;
    let declaring = pods.containers.iter().flat_map(|container| {
        let declared = container.ports.iter();
        declared
            .filter(|port| Some(port.number) == number)
            .map(|port| {
                let declared = (port.name.as_deref(), port.number);
                Container::Named(&container.name, Some(declared))
            })
    });
    let mut containers: Vec<Container<'_>> = declaring.collect();
    if number.is_none() && by == By::Pods {
        let without_ports = pods.containers.iter();
        let without_ports = without_ports.filter(|one| !one.init && one.ports.is_empty());
        containers.extend(without_ports.map(|one| Container::Named(&one.name, None)));
    }
    let all_is_known = pods.known == PodsKnown::Template;
    if containers.is_empty() && number == Some(envoys) && !pods.host_network {
        containers.push(Container::Named(
            ports::ENVOYS_CONTAINER,
            Some((Some(envoys_name), envoys)),
        ));
    } else if !all_is_known && (containers.is_empty() || number.is_none()) {
        containers.push(Container::Unknown);
    } else if containers.is_empty() {
        containers.push(Container::None);
    }
    containers
}

impl<'a> Labels<'a> {
    /// The value of a label, empty for one that the target does not have; `None`: not known.
    pub(super) fn value(&self, label: &str) -> Option<Cow<'a, str>> {
        let Labels::Of(way) = self else {
            return None;
        };
        let label = label.strip_prefix("__meta_kubernetes_")?;
        match label.split_once('_') {
            Some(("pod", label)) => way.of_pod(label),
            Some(("service", label)) => way.of_service(label),
            _ => way.of_either(label),
        }
    }
}

const MISSING: Option<Cow<'static, str>> = Some(Cow::Borrowed(""));

impl<'a> Way<'a> {
    fn of_either(&self, label: &str) -> Option<Cow<'a, str>> {
        match (label, self.by) {
            ("namespace", _) => {
                let service = self.service.map(|service| &service.object.namespace);
                let pods = self.pods.map(|pods| &pods.object.namespace);
                service.or(pods).map(|name| Cow::Borrowed(name.as_str()))
            }
            ("endpoint_port_name" | "endpointslice_port_name", By::Services | By::Pods) => MISSING,
            // Each of the two calls the port by a label of its own.
            ("endpoint_port_name", By::Endpoints) if self.by_slices == Some(true) => MISSING,
            ("endpointslice_port_name", By::Endpoints) if self.by_slices == Some(false) => MISSING,
            ("endpoint_port_name" | "endpointslice_port_name", By::Endpoints) => {
                Some(Cow::Borrowed(self.name_of_service_port()))
            }
            _ => None,
        }
    }

    fn name_of_service_port(&self) -> &'a str {
        let name = self.service_port.and_then(|port| port.name.as_deref());
        name.unwrap_or_default()
    }

    fn of_service(&self, label: &str) -> Option<Cow<'a, str>> {
        let Some(service) = self.service else {
            return MISSING;
        };
        let of_labels = |name: &str| written(&service.labels, name);
        match (label, self.by) {
            ("name", _) => Some(Cow::Borrowed(&service.object.name)),
            ("port_name", By::Services) => Some(Cow::Borrowed(self.name_of_service_port())),
            ("port_number", By::Services) => {
                let number = self.service_port.map(|port| port.number.to_string());
                number.map(Cow::Owned)
            }
            _ => match label.split_once('_') {
                Some(("label", name)) => of_labels(name)?.or(MISSING),
                Some(("labelpresent", name)) => of_labels(name)?.map(|_| "true".into()).or(MISSING),
                _ => None,
            },
        }
    }

    fn of_pod(&self, label: &str) -> Option<Cow<'a, str>> {
        let (true, Some(pods)) = (self.by != By::Services, self.pods) else {
            return MISSING;
        };
        match label {
            "container_name" => return self.of_container(|name, _| name.into()),
            "container_port_name" => {
                return self
                    .of_container(|_, port| port.and_then(|port| port.0).unwrap_or("").into());
            }
            "container_port_number" => {
                return self.of_container(|_, port| {
                    port.map_or(Cow::Borrowed(""), |port| port.1.to_string().into())
                });
            }
            _ => {}
        }
        let (kind, name) = label.split_once('_')?;
        let (found, is_added) = match kind {
            "label" | "labelpresent" => (written(&pods.labels, name)?, may_be_added(name)),
            "annotation" => (annotation(pods, name)?, annotation_may_be_added(name)),
            "annotationpresent" => (
                written(&pods.annotations, name)?,
                annotation_may_be_added(name),
            ),
            _ => return None,
        };
        match found {
            Some(_) if kind.ends_with("present") => Some("true".into()),
            Some(value) => Some(value),
            None if pods.known == PodsKnown::Template && !is_added => MISSING,
            None => None,
        }
    }

    fn of_container(
        &self,
        value: impl Fn(&'a str, Option<(Option<&'a str>, u16)>) -> Cow<'a, str>,
    ) -> Option<Cow<'a, str>> {
        match self.container {
            Container::None => MISSING,
            Container::Named(name, port) => Some(value(name, port)),
            Container::Unknown => None,
        }
    }
}

/// The value under a key that discovery writes so; `None` where several keys come to one name and disagree.
#[expect(clippy::option_option, reason = "not known, and known to be missing")]
fn written<'a>(labels: &'a Written, name: &str) -> Option<Option<Cow<'a, str>>> {
    let mut found = labels
        .iter()
        .filter(|(key, _)| is_written(key, name))
        .map(|(_, value)| value);
    let first = found.next();
    found
        .all(|other| Some(other) == first)
        .then_some(first.map(Cow::Borrowed))
}

/// Discovery writes `_` for what cannot stand in the name of a label of metrics.
fn is_written(key: &str, name: &str) -> bool {
    let sanitised = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    key.chars().map(sanitised).eq(name.chars())
}

/// An annotation as the pods have it; the injector may have changed where metrics are.
#[expect(clippy::option_option, reason = "not known, and known to be missing")]
fn annotation<'a>(pods: &'a Workload, name: &str) -> Option<Option<Cow<'a, str>>> {
    let is_moved = matches!(name, "prometheus_io_port" | "prometheus_io_path");
    match is_moved && !pods.host_network {
        true => None,
        false => written(&pods.annotations, name),
    }
}

/// Labels that templates do not show: controllers and the injector add them to pods.
pub(super) fn may_be_added(name: &str) -> bool {
    const BEGINNINGS: [&str; 7] = [
        "pod_template_",
        "controller_",
        "statefulset_kubernetes_io_",
        "apps_kubernetes_io_",
        "batch_kubernetes_io_",
        "job_name",
        "topology_kubernetes_io_",
    ];
    name.contains("istio_io_") || BEGINNINGS.iter().any(|start| name.starts_with(start))
}

/// Annotations that templates do not show; the injector asks for a scrape where nothing is said about it.
fn annotation_may_be_added(name: &str) -> bool {
    const BEGINNINGS: [&str; 4] = ["prometheus_io_", "kubectl_", "kubernetes_io_", "cni_"];
    name.contains("istio_io_") || BEGINNINGS.iter().any(|start| name.starts_with(start))
}
