//! What do the pods look like that an operator makes of its objects?
//!
//! Authority: VictoriaMetrics operator `api/operator/{v1,v1beta1}`, `factory/*`; prometheus-operator
//! `pkg/prometheus/{common,server,agent}`, `pkg/{alertmanager,thanos}/statefulset.go`.
//! Departs from it: only what the operator documents is shown, and pods with unreadable metadata are no targets.
//! Knows: objects of operators, their pods; one row of `operated/components.rs` for each program. Does not know: what a scraper scrapes.

mod accounts;
mod components;
mod conditions;
mod made_services;
mod of_prometheus;

use super::field::{Field, Problem, Read, noted};
use super::{Container, ContainerPort, Inventory, Labels, Object, PodsKnown, Workload, workloads};
use components::COMPONENTS;
pub use components::RELOADER_PORT;

pub(super) use made_services::settle;

/// A program that an operator runs for an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    /// `kind` of the object.
    pub(super) kind: &'static str,
    /// The API versions under which it is served.
    pub(super) api_versions: &'static [&'static str],
    /// Which of the programs of the object; `None`: the only one.
    pub(super) part: Option<&'static str>,
    /// The keys below `spec` under which its settings are; empty: they are in `spec` itself. Without settings a part does
    /// not run.
    pub(super) settings: &'static [&'static str],
    /// The field below `spec` that has to be true for it to run, with or without settings.
    pub(super) switch: Option<&'static [&'static str]>,
    /// Who runs it.
    pub(super) operator: Operator,
    /// `app.kubernetes.io/name` of its pods.
    pub(super) app: &'static str,
    /// Further labels of its pods that say the name of the object.
    pub(super) named_by: &'static [&'static str],
    /// What names that are made for it begin with.
    pub(super) prefix: &'static str,
    /// What the name of the service account that is made for it begins with; `None`: none is made.
    pub(super) account: Option<&'static str>,
    /// The name of its container.
    pub(super) container: &'static str,
    /// The name of its port, where it is not written.
    pub(super) port_name: &'static str,
    /// The setting with the name of its port.
    pub(super) port_name_key: Option<&'static str>,
    /// The setting with its port; `None`: it cannot be chosen.
    pub(super) port_key: Option<&'static str>,
    /// Its port where none is written.
    pub(super) default_port: u16,
    /// Its other ports.
    pub(super) further: &'static [Further],
    /// The Service that is made for it.
    pub(super) made: Made,
    /// Labels of that Service beside those of the pods.
    pub(super) service_labels: &'static [(&'static str, &'static str)],
    /// The setting of the load balancer that leaves its Service alone; `None`: no load balancer stands before it.
    pub(super) balanced_unless: Option<&'static str>,
}

/// Who makes pods and Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// The VictoriaMetrics operator.
    VictoriaMetrics,
    /// The Prometheus operator.
    Prometheus,
}

/// A port beside the main one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Further {
    /// Of which container; `None`: of the main one.
    pub(super) container: Option<&'static str>,
    /// Its name in the container.
    pub(super) name: &'static str,
    /// Its number.
    pub(super) number: Number,
    /// Under which settings container and port are there.
    pub(super) there: fn(&Field<'_>) -> Read<bool>,
    /// Its name in the Service that is made; `None`: that does not have it.
    pub(super) in_service: Option<&'static str>,
}

/// Where the number of a port comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// It is always this.
    Fixed(u16),
    /// A setting, or this where it is missing; `None`: without the setting there is no port.
    Key(&'static [&'static str], Option<u16>),
}

/// The Service that an operator makes for a program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made {
    /// One for each object: `vmsingle-main`.
    OfObject {
        /// Under which settings it is headless.
        headless: fn(&Field<'_>) -> Read<bool>,
    },
    /// One for all objects of the kind in a namespace, headless.
    Governing {
        /// Its name.
        name: &'static str,
        /// Its only label, which is `"true"`.
        label: &'static str,
    },
}

impl Component {
    /// The programs of an object.
    pub(super) fn of(api_version: &str, kind: &str) -> impl Iterator<Item = &'static Self> {
        COMPONENTS
            .iter()
            .filter(move |row| row.kind == kind && row.api_versions.contains(&api_version))
    }

    /// Whether an operator runs it for an object with this `spec`.
    pub(super) fn runs(&self, spec: &Field<'_>) -> Read<bool> {
        match (self.switch, self.settings) {
            (Some(switch), _) => below(spec, switch, &|switch| switch.boolean()),
            (None, []) => Ok(true),
            (None, settings) => below(spec, settings, &|settings| Ok(settings.is_there())),
        }
    }
}

/// Adds the pods and Services that operators make of an object.
pub(super) fn add(
    inventory: &mut Inventory,
    object: &Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    let Some(spec) = noted(root.key("spec"), problems) else {
        return;
    };
    for component in Component::of(&object.api_version, &object.kind) {
        if noted(component.runs(&spec), problems) != Some(true) {
            continue;
        }
        let pods = pods(object, component, &spec, problems);
        inventory.workloads.extend(noted(pods, problems));
    }
    add_services(inventory, object, root, problems);
}

/// Adds the Services that operators make of an object.
pub(super) fn add_services(
    inventory: &mut Inventory,
    object: &Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) {
    // Whoever reads the pods says what is wrong with `spec` as a whole.
    let Ok(spec) = root.key("spec") else {
        return;
    };
    for component in Component::of(&object.api_version, &object.kind) {
        if component.runs(&spec) == Ok(true) {
            let services = made_services::services(object, component, &spec, problems);
            let services = noted(services, problems);
            inventory.services.extend(services.into_iter().flatten());
        }
    }
}

/// The pods of a program, from the `spec` of its object.
pub(super) fn pods(
    object: &Object,
    component: &Component,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Workload> {
    let service_account = accounts::of(object, component, spec)?;
    let pools = spec.key("pools")?;
    if component.part.is_some() && pools.is_there() {
        // Each pool has pods of its own, and what the others then are depends on it.
        return Err(pools.problem("pools are not followed; which pods there are is not known"));
    }
    let (pods, found) = below(spec, component.settings, &|settings| {
        let metadata = settings.key("podMetadata")?;
        let mut labels = metadata.key("labels")?.labels()?;
        labels.extend(&operator_labels(object, component));
        labels.extend(shard(component, settings)?);
        let mut problems = Vec::new();
        let made = containers(settings, component, &mut problems)?;
        let written = workloads::containers(settings, &mut problems);
        let pods = Workload {
            labels,
            annotations: metadata.key("annotations")?.labels()?,
            service_account: service_account.clone(),
            host_network: settings.key("hostNetwork")?.boolean()?,
            containers: merged(made, written),
            ..bare_pods(object, component)
        };
        Ok((pods, problems))
    })?;
    note_all(found, problems);
    Ok(pods)
}

/// Notes what was found in a place that cannot note it.
pub(super) fn note_all(found: Vec<Problem>, problems: &mut Vec<Problem>) {
    for problem in found {
        let _none: Option<()> = noted(Err(problem), problems);
    }
}

/// Pods of which nothing but the operator's own labels is known.
pub(super) fn bare_pods(object: &Object, component: &Component) -> Workload {
    let labels = operator_labels(object, component);
    Workload {
        service_account: accounts::made(object, component),
        part: component.part,
        ..Workload::of_labels(object.clone(), labels, PodsKnown::Operator)
    }
}

/// The labels that the operator selects its pods by; they win over those of `podMetadata`.
fn operator_labels(object: &Object, component: &Component) -> Labels {
    let name = object.name.as_str();
    let own: &[_] = match component.operator {
        Operator::VictoriaMetrics => &[
            ("app.kubernetes.io/component", "monitoring"),
            ("managed-by", "vm-operator"),
        ],
        Operator::Prometheus => &[("app.kubernetes.io/managed-by", "prometheus-operator")],
    };
    let by_name = component.named_by.iter().map(|key| (*key, name));
    [
        ("app.kubernetes.io/name", component.app),
        ("app.kubernetes.io/instance", name),
    ]
    .into_iter()
    .chain(own.iter().copied())
    .chain(by_name)
    .collect()
}

/// The number of the shard is a label of the pods; where there are several shards no one value is that of all pods.
fn shard(component: &Component, spec: &Field<'_>) -> Read<Option<(String, String)>> {
    let only_one = component.named_by.contains(&"operator.prometheus.io/name")
        && spec.key("shards")?.integer()?.unwrap_or(1) <= 1
        && (component.kind != "PrometheusAgent" || spec.key("mode")?.text()? != Some("DaemonSet"));
    Ok(only_one.then(|| ("operator.prometheus.io/shard".to_owned(), "0".to_owned())))
}

/// The containers that the operator makes, the main one first.
fn containers(
    settings: &Field<'_>,
    component: &Component,
    problems: &mut Vec<Problem>,
) -> Read<Vec<Container>> {
    let container = |name: &str, image: String| Container {
        name: name.to_owned(),
        image,
        init: false,
        ports: Vec::new(),
    };
    let image = noted(image(settings, component), problems).unwrap_or_default();
    let mut made = vec![container(component.container, image)];
    if conditions::is_not_local(settings)? {
        let number = noted(port(settings, component), problems);
        let name = port_name(settings, component)?;
        made[0].ports.extend(number.map(|number| ContainerPort {
            name: Some(name),
            number,
        }));
    }
    for further in component.further {
        let Some(number) = noted(further.number(settings), problems).flatten() else {
            continue;
        };
        let of = further.container.unwrap_or(component.container);
        let position = made.iter().position(|container| container.name == of);
        let position = position.unwrap_or_else(|| {
            made.push(container(of, String::new()));
            made.len() - 1
        });
        made[position].ports.push(ContainerPort {
            name: Some(further.name.to_owned()),
            number,
        });
    }
    Ok(made)
}

impl Further {
    /// The port's number under these settings; `None`: there is no such port.
    pub(super) fn number(&self, settings: &Field<'_>) -> Read<Option<u16>> {
        if !(self.there)(settings)? {
            return Ok(None);
        }
        match self.number {
            Number::Fixed(number) => Ok(Some(number)),
            Number::Key(key, default) => {
                Ok(below(settings, key, &|field| port_number(field))?.or(default))
            }
        }
    }
}

/// The name of the main port.
fn port_name(settings: &Field<'_>, component: &Component) -> Read<String> {
    let Some(key) = component.port_name_key else {
        return Ok(component.port_name.to_owned());
    };
    let name = settings.key(key)?;
    Ok(name.text()?.unwrap_or(component.port_name).to_owned())
}

/// The number of the main port.
pub(super) fn port(settings: &Field<'_>, component: &Component) -> Read<u16> {
    let Some(key) = component.port_key else {
        return Ok(component.default_port);
    };
    Ok(port_number(&settings.key(key)?)?.unwrap_or(component.default_port))
}

/// Ports of these objects are written as strings.
pub(super) fn port_number(field: &Field<'_>) -> Read<Option<u16>> {
    field
        .text()?
        .map(|number| {
            number
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| field.problem("expected a string with a number from 1 to 65535"))
        })
        .transpose()
}

type Reader<'r, T> = &'r dyn Fn(&Field<'_>) -> Read<T>;

/// Reads the field at the end of a way; a field below a missing one is missing.
pub(super) fn below<T>(field: &Field<'_>, way: &[&str], read: Reader<'_, T>) -> Read<T> {
    match way {
        [] => read(field),
        [key, rest @ ..] => below(&field.key(key)?, rest, read),
    }
}

fn image(spec: &Field<'_>, component: &Component) -> Read<String> {
    let image = spec.key("image")?;
    if component.operator == Operator::Prometheus {
        return Ok(image.text()?.unwrap_or_default().to_owned());
    }
    let repository = image.key("repository")?.text()?.unwrap_or_default();
    Ok(match image.key("tag")?.text()? {
        Some(tag) if !repository.is_empty() => format!("{repository}:{tag}"),
        _ => repository.to_owned(),
    })
}

/// Written containers of the name of a made one patch it (`MergePatchContainers`), the others are added.
fn merged(mut made: Vec<Container>, written: Vec<Container>) -> Vec<Container> {
    for patch in written {
        let same = made
            .iter_mut()
            .find(|container| container.init == patch.init && container.name == patch.name);
        let Some(container) = same else {
            made.push(patch);
            continue;
        };
        if !patch.image.is_empty() {
            container.image = patch.image;
        }
        let is_patched = |port: &ContainerPort| {
            let mut patched = patch.ports.iter();
            patched.any(|patched| patched.number == port.number)
        };
        container.ports.retain(|port| !is_patched(port));
        container.ports.extend(patch.ports);
    }
    made
}

#[cfg(test)]
mod tests;
