//! What do the pods look like that an operator makes of its objects?
//!
//! Authority: VictoriaMetrics operator `api/operator/v1beta1`, `factory/*`; one row of [`COMPONENTS`] for each program.
//! Departs from it: only what the operator documents is shown, and pods with unreadable metadata are no targets.
//! Knows: objects of operators, their pods. Does not know: what a scraper scrapes.

use super::field::{Field, Problem, Read, noted};
use super::{Container, ContainerPort, Labels, Object, PodsKnown, Workload, workloads};

/// A program that an operator runs for an object.
#[derive(Debug)]
pub(super) struct Component {
    /// `kind` of the object.
    pub(super) kind: &'static str,
    /// The API versions under which it is served.
    pub(super) api_versions: &'static [&'static str],
    /// Which of the programs of the object; `None`: the only one.
    pub(super) part: Option<&'static str>,
    /// `app.kubernetes.io/name` of its pods, and what names that are made for it begin with.
    pub(super) app: &'static str,
    /// The name of its container.
    pub(super) container: &'static str,
    /// The name of its port.
    pub(super) port_name: &'static str,
    /// Its port where `port` is missing.
    pub(super) default_port: u16,
}

const VM: &[&str] = &["operator.victoriametrics.com/v1beta1"];

/// Every program that we know operators to run.
pub(super) static COMPONENTS: [Component; 1] = [Component {
    kind: "VMAgent",
    api_versions: VM,
    part: None,
    app: "vmagent",
    container: "vmagent",
    port_name: "http",
    default_port: 8429,
}];

impl Component {
    /// The programs of an object.
    pub(super) fn of(api_version: &str, kind: &str) -> impl Iterator<Item = &'static Self> {
        COMPONENTS
            .iter()
            .filter(move |row| row.kind == kind && row.api_versions.contains(&api_version))
    }
}

/// The pods of a program, from its settings.
pub(super) fn pods(
    object: &Object,
    component: &Component,
    spec: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Workload> {
    let metadata = spec.key("podMetadata")?;
    let mut labels = metadata.key("labels")?.labels()?;
    labels.extend(operator_labels(object, component));
    let main = Container {
        name: component.container.to_owned(),
        image: noted(image(spec), problems).unwrap_or_default(),
        init: false,
        ports: noted(port(spec, component), problems)
            .map(|number| ContainerPort {
                name: Some(component.port_name.to_owned()),
                number,
            })
            .into_iter()
            .collect(),
    };
    Ok(Workload {
        labels,
        annotations: metadata.key("annotations")?.labels()?,
        service_account: match spec.key("serviceAccountName")?.text()? {
            Some(name) => name.to_owned(),
            None => operator_account(object, component),
        },
        host_network: spec.key("hostNetwork")?.boolean()?,
        containers: merged(main, workloads::containers(spec, problems)),
        ..bare_pods(object, component)
    })
}

/// Pods of which nothing but the operator's own labels is known.
pub(super) fn bare_pods(object: &Object, component: &Component) -> Workload {
    Workload {
        object: object.clone(),
        labels: operator_labels(object, component),
        annotations: Labels::new(),
        service_account: operator_account(object, component),
        host_network: false,
        containers: Vec::new(),
        known: PodsKnown::Operator,
        part: component.part,
    }
}

/// The labels that the operator selects its pods by; they win over those of `podMetadata`.
fn operator_labels(object: &Object, component: &Component) -> Labels {
    [
        ("app.kubernetes.io/name", component.app),
        ("app.kubernetes.io/instance", object.name.as_str()),
        ("app.kubernetes.io/component", "monitoring"),
        ("managed-by", "vm-operator"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// The account that the operator makes where `serviceAccountName` names none (`PrefixedName`).
fn operator_account(object: &Object, component: &Component) -> String {
    format!("{}-{}", component.app, object.name)
}

/// The number of its port.
pub(super) fn port(spec: &Field<'_>, component: &Component) -> Read<u16> {
    let field = spec.key("port")?;
    match field.text()? {
        None => Ok(component.default_port),
        Some(number) => number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| field.problem("expected a string with a number from 1 to 65535")),
    }
}

fn image(spec: &Field<'_>) -> Read<String> {
    let image = spec.key("image")?;
    let repository = image.key("repository")?.text()?.unwrap_or_default();
    Ok(match image.key("tag")?.text()? {
        Some(tag) if !repository.is_empty() => format!("{repository}:{tag}"),
        _ => repository.to_owned(),
    })
}

/// `spec.containers` of the main container's name patches it (`MergePatchContainers`), the others are added.
fn merged(main: Container, written: Vec<Container>) -> Vec<Container> {
    let (patches, others): (Vec<_>, Vec<_>) = written
        .into_iter()
        .partition(|container| !container.init && container.name == main.name);
    let main = patches.into_iter().fold(main, |mut main, patch| {
        if !patch.image.is_empty() {
            main.image = patch.image;
        }
        main.ports.retain(|port| {
            patch
                .ports
                .iter()
                .all(|patched| patched.number != port.number)
        });
        main.ports.extend(patch.ports);
        main
    });
    std::iter::once(main).chain(others).collect()
}
