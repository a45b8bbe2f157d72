//! Which Services does an operator make for a program?
//!
//! Authority: VictoriaMetrics operator `factory/build/service.go`, `factory/*`; Prometheus operator `makeStatefulSetService`, pkg/{alertmanager,thanos}/statefulset.go.
//! Departs from them: labels that the operators' own configuration adds to all they make are not known.
//! Knows: settings of a program. Does not know: who scrapes it.

use std::mem;

use super::super::field::{Field, Problem, Read};
use super::super::{Labels, Object, PortRef, Service, ServicePort, services as of_cluster};
use super::{Component, Made, below, note_all, operator_labels, port, port_name};

/// What the label of Services says that stand before a load balancer.
const PROXIED: &str = "operator.victoriametrics.com/vmauthlb-proxy-name";
/// What the label of Services says that a load balancer asks.
const BEHIND: &str = "operator.victoriametrics.com/vmauthlb-proxy-job-name";
/// What a Service has that is made beside the ordinary one.
const ADDITIONAL: &str = "operator.victoriametrics.com/additional-service";
/// Where VictoriaMetrics listens by default, whatever the object says (`http-alias`).
const SINGLE_PORT: u16 = 8428;

/// The Services of a program.
pub(super) fn services(
    object: &Object,
    component: &Component,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Vec<Service>> {
    let read = |settings: &Field<'_>| -> Read<(Vec<Service>, Vec<Problem>)> {
        let mut problems = Vec::new();
        let made = match component.made {
            Made::Governing { name, label } => {
                governing(object, component, settings, (name, label))?
            }
            Made::OfObject { headless } => {
                let main = Service {
                    headless: headless(settings)?,
                    ..main(object, component, spec, settings)?
                };
                with_written(main, settings, &mut problems)?
            }
        };
        Ok((made, problems))
    };
    let (made, found) = below(spec, component.settings, &read)?;
    note_all(found, problems);
    balanced(object, component, spec, made)
}

/// Of Services with one name those of the input count, else each that is made, once: objects that share one and want
/// different ports in it both have their way for some time.
pub(in crate::model) fn settle(services: &mut Vec<Service>) {
    let have_one_name = |a: &Service, b: &Service| {
        let (a, b) = (&a.object, &b.object);
        (&a.namespace, &a.name) == (&b.namespace, &b.name)
    };
    let mut same_name = services.chunk_by(have_one_name);
    if same_name.all(|same| same.len() == 1) {
        return;
    }
    let mut all = mem::take(services).into_iter().peekable();
    while let Some(first) = all.next() {
        let mut same = Vec::new();
        while let Some(next) = all.next_if(|service| have_one_name(&first, service)) {
            same.push(next);
        }
        if same.is_empty() {
            services.push(first);
            continue;
        }
        same.insert(0, first);
        let (written, mut made): (Vec<_>, Vec<_>) = same
            .into_iter()
            .partition(|service| service.made_for.is_none());
        if !written.is_empty() {
            services.extend(written);
            continue;
        }
        made.sort_by(|a, b| maker(a).cmp(&maker(b)));
        let settled = services.len();
        for service in made {
            let is_there = |other: &Service| {
                (&other.ports, &other.labels, &other.selector)
                    == (&service.ports, &service.labels, &service.selector)
            };
            if !services[settled..].iter().any(is_there) {
                services.push(service);
            }
        }
    }
}

/// For which object an operator makes a Service, by kind and name.
fn maker(service: &Service) -> Option<(&str, &str)> {
    let of = service.made_for.as_ref();
    of.map(|of| (of.kind.as_str(), of.name.as_str()))
}

/// One Service for all objects of the kind, unless the object names another or has a pod on each node.
fn governing(
    object: &Object,
    component: &Component,
    settings: &Field<'_>,
    (name, label): (&str, &str),
) -> Read<Vec<Service>> {
    let named = settings.key("serviceName")?;
    let is_daemon_set =
        component.kind == "PrometheusAgent" && settings.key("mode")?.text()? == Some("DaemonSet");
    if named.text()?.is_some() || is_daemon_set {
        return Ok(Vec::new());
    }
    let web = port_name(settings, component)?;
    let target = PortRef::Name(web.clone());
    let mut ports = vec![of_cluster::made_port(&web, component.default_port, target)];
    ports.extend(further(component, settings));
    Ok(vec![Service {
        object: renamed(object, name),
        labels: Labels::from([(label, "true")]),
        selector: Labels::from([("app.kubernetes.io/name", component.app)]),
        ports,
        headless: true,
        another_name: false,
        made_for: Some(Box::new(object.clone())),
    }])
}

/// The Service that has the name of the program.
fn main(
    object: &Object,
    component: &Component,
    spec: &Field<'_>,
    settings: &Field<'_>,
) -> Read<Service> {
    let selector = operator_labels(object, component);
    let metadata = spec.key("managedMetadata")?;
    let mut labels = metadata.key("labels")?.labels()?;
    labels.extend(&selector);
    labels.extend(component.service_labels.iter().copied());
    // What is wrong with the port is said where the pods are read.
    let number = port(settings, component).ok();
    let target = match component.port_name_key {
        Some(_) => Some(PortRef::Name(port_name(settings, component)?)),
        None => number.map(PortRef::Number),
    };
    let mut ports: Vec<ServicePort> = number
        .zip(target)
        .map(|(number, target)| of_cluster::made_port("http", number, target))
        .into_iter()
        .collect();
    if let Some(number) = number.filter(|number| *number != SINGLE_PORT)
        && component.kind == "VMSingle"
    {
        let target = PortRef::Number(number);
        ports.push(of_cluster::made_port("http-alias", SINGLE_PORT, target));
    }
    ports.extend(further(component, settings));
    Ok(Service {
        object: renamed(object, &name(object, component, spec)?),
        labels,
        selector,
        ports,
        headless: false,
        another_name: false,
        made_for: Some(Box::new(object.clone())),
    })
}

/// `vmsingle-main`; with `useLegacyNaming` only `main`, with the part behind it where there are several.
fn name(object: &Object, component: &Component, spec: &Field<'_>) -> Read<String> {
    let own = &object.name;
    let of_old = spec.key("useLegacyNaming")?.boolean()?;
    Ok(match (of_old, component.part) {
        (false, _) => format!("{}-{own}", component.prefix),
        (true, None) => own.clone(),
        (true, Some(part)) => format!("{own}-{part}"),
    })
}

/// The other ports that the Service has. What is wrong with them is said where the pods are read.
fn further(component: &Component, settings: &Field<'_>) -> Vec<ServicePort> {
    let port = |further: &super::Further| {
        let name = further.in_service?;
        let number = further.number(settings).ok().flatten()?;
        let target = PortRef::Number(number);
        Some(of_cluster::made_port(name, number, target))
    };
    component.further.iter().filter_map(port).collect()
}

/// `serviceSpec`: changes of the Service (`useAsDefault`), or a second one (`AdditionalServiceFromDefault`).
fn with_written(
    made: Service,
    settings: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Vec<Service>> {
    let written = settings.key("serviceSpec")?;
    if written.is_missing() {
        return Ok(vec![made]);
    }
    let metadata = written.key("metadata")?;
    let mut labels = metadata.key("labels")?.labels()?;
    labels.extend(&made.labels);
    let spec = written.key("spec")?;
    let ports = of_cluster::ports(&spec, problems)?;
    let is_headless = spec.key("clusterIP")?.text()? == Some("None");
    if written.key("useAsDefault")?.boolean()? {
        let is_written = |port: &ServicePort| ports.iter().any(|other| other.name == port.name);
        let kept = made.ports.into_iter().filter(|port| !is_written(port));
        let kept: Vec<ServicePort> = kept.collect();
        let same_type = matches!(spec.key("type")?.text()?, None | Some("ClusterIP"));
        let chosen = spec.key("clusterIP")?.text()?.is_some();
        return Ok(vec![Service {
            labels,
            ports: ports.into_iter().chain(kept).collect(),
            headless: is_headless || (made.headless && !chosen && same_type),
            ..made
        }]);
    }
    let default_name = format!("{}-additional-service", made.object.name);
    let name = metadata.key("name")?;
    let name = name.text()?.unwrap_or(&default_name);
    labels.insert(ADDITIONAL, "managed");
    let selector = spec.key("selector")?;
    let additional = Service {
        object: renamed(&made.object, name),
        labels,
        selector: match selector.is_there() {
            true => selector.labels()?,
            false => made.selector.clone(),
        },
        ports: match ports.is_empty() {
            true => made.ports.clone(),
            false => ports,
        },
        headless: is_headless,
        another_name: false,
        made_for: made.made_for.clone(),
    };
    Ok(vec![made, additional])
}

/// With a load balancer the name leads to that, and the program's own Service has another.
fn balanced(
    object: &Object,
    component: &Component,
    spec: &Field<'_>,
    mut made: Vec<Service>,
) -> Read<Vec<Service>> {
    let Some(unless) = component.balanced_unless else {
        return Ok(made);
    };
    let balancer = spec.key("requestsLoadBalancer")?;
    let vmauth = Component::of(&object.api_version, &object.kind).find(|row| row.switch.is_some());
    let (Some(vmauth), Some(own)) = (vmauth, made.first_mut()) else {
        return Ok(made);
    };
    if !balancer.key("enabled")?.boolean()? || balancer.key(unless)?.boolean()? {
        return Ok(made);
    }
    let name = own.object.name.clone();
    let Some(http) = own.ports.first().cloned() else {
        return Ok(made);
    };
    let target = below(spec, vmauth.settings, &|settings| port(settings, vmauth))?;
    let mut labels = own.labels.clone();
    labels.insert(PROXIED, component.app);
    let proxy = Service {
        object: own.object.clone(),
        labels,
        selector: operator_labels(object, vmauth),
        ports: vec![ServicePort {
            target: PortRef::Number(target),
            ..http
        }],
        headless: false,
        another_name: false,
        made_for: own.made_for.clone(),
    };
    own.object.name = format!("{}internal-{}", component.prefix, object.name);
    own.labels.insert(BEHIND, &name);
    own.headless = true;
    made.push(proxy);
    Ok(made)
}

/// A Service stands in its object's place; what is assumed about that is said of the object.
fn renamed(object: &Object, name: &str) -> Object {
    Object {
        kind: "Service".to_owned(),
        api_version: "v1".to_owned(),
        name: name.to_owned(),
        namespace_assumed: false,
        ..object.clone()
    }
}
