//! What do lists of discovery find, and addresses?
//!
//! Authority: vmagent `lib/promscrape/discovery/kubernetes/{endpoints,endpointslice,service,pod}.go`, `discovery/dns/dns.go`.
//! Departs from them: Endpoints carry the labels of their Service, as its controller copies them.
//! Knows: the inventory, the lists. Does not know: what relabelling keeps of it.

use std::collections::BTreeSet;

use super::addresses::{self, Host};
use super::found::{self, Found};
use super::narrowing::Narrowing;
use super::picked::Picked;
use super::scope::Scope;
use super::{Elsewhere, Pods, Target, gaps, ports};
use crate::model::{
    DiscoveryRole, Endpoint, EndpointPort, Inventory, KubernetesDiscovery, KubernetesRole, Scraper,
    Service, ServicePort, described,
};

/// Every port of what the cluster shows to a role. Nothing filters ports here, only relabelling does.
pub(super) fn by_kubernetes<'a>(
    inventory: &'a Inventory,
    discovery: &KubernetesDiscovery,
    (endpoint, scraper, narrowing): (&Endpoint, Option<&Scraper>, &Narrowing),
    missing: &mut Vec<String>,
) -> Found<'a> {
    let mut names: BTreeSet<&str> = discovery.namespaces.iter().map(String::as_str).collect();
    if discovery.own_namespace {
        match scraper {
            Some(scraper) => names.extend([scraper.object.namespace.as_str()]),
            None => {
                missing.push(
                    "it looks in the scraper's own namespace, and no scraper is in the input"
                        .to_owned(),
                );
                return Found::default();
            }
        }
    }
    let scope = match names.is_empty() {
        true => Scope::All,
        false => Scope::Named(names),
    };
    let asked = Endpoint {
        port: EndpointPort::Every,
        by_slices: Some(discovery.by_slices),
        role: match discovery.role {
            KubernetesRole::Service => DiscoveryRole::Service,
            KubernetesRole::Endpoints | KubernetesRole::Pod => DiscoveryRole::Pods,
        },
        ..endpoint.clone()
    };
    let by_pods = discovery.role == KubernetesRole::Pod;
    let found = match by_pods {
        true => found::in_pods(
            inventory,
            scope.workloads(inventory, &discovery.selector),
            &asked,
            narrowing,
        ),
        false => found::behind(
            inventory,
            scope.services(inventory, &discovery.selector),
            &asked,
            narrowing,
        ),
    };
    let unread = gaps::unread(inventory, by_pods, &scope, &found);
    if let Some(nothing_left) = narrowing.nothing_left(&found.narrowed)
        && found.targets.is_empty()
    {
        missing.push(nothing_left);
    } else if unread.is_empty() && found.targets.is_empty() {
        let what = if by_pods { "pods" } else { "Service" };
        let labels = match described(&discovery.selector).as_str() {
            "" => String::new(),
            selector => format!(" with labels {selector}"),
        };
        let place = scope.described();
        missing.push(format!(
            "the input has no {what}{labels} with ports in {place}"
        ));
    }
    missing.extend(unread);
    found
}

/// The addresses that a name stands for: of the pods behind a headless Service, else of the Service.
pub(super) fn by_name<'a>(
    inventory: &'a Inventory,
    name: &str,
    port: u16,
    from: Option<&str>,
    missing: &mut Vec<String>,
) -> Found<'a> {
    match addresses::host(inventory, name, from) {
        Host::Service(service, _) if service.headless => headless(inventory, service, port, None),
        Host::Service(..) | Host::Missing { .. } | Host::Unknown(_) => {
            by_address(inventory, &format!("{name}:{port}"), from, missing)
        }
    }
}

/// The pods behind the Service that an address names.
pub(super) fn by_address<'a>(
    inventory: &'a Inventory,
    address: &str,
    from: Option<&str>,
    missing: &mut Vec<String>,
) -> Found<'a> {
    if addresses::is_loopback(address) {
        return own_pod(from);
    }
    let mut found = Found::default();
    let (service, number) = match addresses::host(inventory, address, from) {
        Host::Service(service, number) => (service, number),
        Host::Missing {
            namespace, name, ..
        } => {
            missing.push(format!("Service {namespace}/{name} is not in the input"));
            return found;
        }
        Host::Unknown(why) => {
            missing.push(why);
            return found;
        }
    };
    if service.another_name {
        missing.push(format!(
            "{} is another name (ExternalName): what answers there is not in the input",
            service.object
        ));
        return found;
    }
    let asked = number.unwrap_or(80);
    if number.is_none() {
        // To change the scheme would be to ask another port.
        missing.push(format!(
            "{address} names no port: it is asked at 80 by http, at 443 by https; write the port"
        ));
    }
    let ports: Vec<&ServicePort> = found::tcp_ports(service)
        .filter(|port| port.number == asked)
        .collect();
    if service.headless {
        // A sidecar knows the name at the ports of the Service, and passes others through.
        let known = (!ports.is_empty()).then_some(service);
        return headless(inventory, service, asked, known);
    }
    if ports.is_empty() {
        missing.push(format!("{} has no port for {address}", service.object));
    }
    let via = service.named();
    let target = |pods: Pods<'a>, port: Option<u16>| Target {
        pods,
        port,
        via: via.clone(),
        addressed_by: Some(service),
    };
    if service.selector.is_empty() {
        let answers = ports
            .iter()
            .map(|_| target(found::without_selector(service), None));
        found.targets.extend(answers.take(1));
    } else {
        for pods in found::pods_behind(service, &found::pods_of(inventory, service)) {
            for port in &ports {
                let numbers = ports::behind(&pods, port).into_iter();
                let targets = numbers.map(|number| target(Pods::Of(pods.clone()), number));
                found.targets.extend(targets);
            }
        }
    }
    found.services = Picked::Some(vec![service]);
    found
}

/// The pods whose addresses are those of a headless Service: asked at a port of theirs, which no Service translates.
pub(super) fn headless<'a>(
    inventory: &'a Inventory,
    service: &'a Service,
    port: u16,
    addressed_by: Option<&'a Service>,
) -> Found<'a> {
    let workloads = found::pods_of(inventory, service);
    let pods: Vec<Pods<'a>> = match service.selector.is_empty() {
        true => vec![found::without_selector(service)],
        false => found::pods_behind(service, &workloads)
            .into_iter()
            .map(Pods::Of)
            .collect(),
    };
    let target = |pods: Pods<'a>| Target {
        port: matches!(pods, Pods::Of(_)).then_some(port),
        pods,
        via: service.named(),
        addressed_by,
    };
    Found {
        targets: pods.into_iter().map(target).collect(),
        services: Picked::Some(vec![service]),
        workloads: Picked::Some(workloads),
        ..Found::default()
    }
}

/// The pod that asks over loopback, whoever it is.
pub(super) fn own_pod<'a>(namespace: Option<&str>) -> Found<'a> {
    let own = Elsewhere {
        kind: "Pod",
        namespace: namespace.unwrap_or_default().to_owned(),
        name: String::new(),
        why: "it is the scraper's own pod: loopback never meets the sidecar".to_owned(),
        proven: true,
    };
    Found::elsewhere(own, "loopback")
}

#[cfg(test)]
mod tests;
