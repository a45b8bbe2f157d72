//! What do the pods look like that an operator makes of its objects?
//!
//! Authority: VictoriaMetrics operator `api/operator/v1beta1`, `factory/*`; prometheus-operator
//! `pkg/prometheus/{common,server,agent}`, `pkg/operator/config_reloader.go`; one row of [`COMPONENTS`] for each program.
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
    /// Which operator runs it.
    pub(super) operator: Operator,
    /// `app.kubernetes.io/name` of its pods.
    pub(super) app: &'static str,
    /// What names that are made for it begin with.
    pub(super) prefix: &'static str,
    /// The name of its container.
    pub(super) container: &'static str,
    /// The name of its port, where the object names none.
    pub(super) port_name: &'static str,
    /// Its port, where the object says none.
    pub(super) default_port: u16,
    /// Containers beside it.
    pub(super) companions: &'static [Companion],
}

/// Who runs a program, and so how its pods are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// The VictoriaMetrics operator.
    VictoriaMetrics,
    /// The Prometheus operator.
    Prometheus,
}

/// A container that an operator puts beside a program.
#[derive(Debug)]
pub(super) struct Companion {
    /// Its name.
    pub(super) container: &'static str,
    /// The field of `spec` that asks for it; `None`: it is always there.
    pub(super) asked_by: Option<&'static str>,
    /// Whether it listens inside of the pod only, where the program does.
    pub(super) shares_listen_local: bool,
    /// Its ports.
    pub(super) ports: &'static [(&'static str, u16)],
}

const VM: &[&str] = &["operator.victoriametrics.com/v1beta1"];

/// VMAgent; what other rows of the VictoriaMetrics operator do not say is as here.
const VMAGENT: Component = Component {
    kind: "VMAgent",
    api_versions: VM,
    part: None,
    operator: Operator::VictoriaMetrics,
    app: "vmagent",
    prefix: "vmagent",
    container: "vmagent",
    port_name: "http",
    default_port: 8429,
    companions: &[],
};

const CONFIG_RELOADER: Companion = Companion {
    container: "config-reloader",
    asked_by: None,
    shares_listen_local: true,
    ports: &[("reloader-web", 8080)],
};

/// Prometheus; what other rows of the Prometheus operator do not say is as here.
const PROMETHEUS: Component = Component {
    kind: "Prometheus",
    api_versions: &["monitoring.coreos.com/v1"],
    part: None,
    operator: Operator::Prometheus,
    app: "prometheus",
    prefix: "prometheus",
    container: "prometheus",
    port_name: "web",
    default_port: 9090,
    companions: &[
        CONFIG_RELOADER,
        Companion {
            container: "thanos-sidecar",
            asked_by: Some("thanos"),
            shares_listen_local: false,
            ports: &[("http", 10902), ("grpc", 10901)],
        },
    ],
};

/// Every program that we know operators to run.
pub(super) static COMPONENTS: [Component; 4] = [
    VMAGENT,
    Component {
        kind: "VMSingle",
        app: "vmsingle",
        prefix: "vmsingle",
        container: "vmsingle",
        default_port: 8428,
        ..VMAGENT
    },
    PROMETHEUS,
    Component {
        kind: "PrometheusAgent",
        api_versions: &["monitoring.coreos.com/v1alpha1"],
        app: "prometheus-agent",
        prefix: "prom-agent",
        companions: &[CONFIG_RELOADER],
        ..PROMETHEUS
    },
];

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
    labels.extend(shard(component, spec)?);
    let main = Container {
        name: component.container.to_owned(),
        image: noted(image(spec, component), problems).unwrap_or_default(),
        init: false,
        ports: noted(port(spec, component), problems)
            .flatten()
            .into_iter()
            .collect(),
    };
    let made = std::iter::once(main).chain(companions(spec, component)?);
    Ok(Workload {
        labels,
        annotations: metadata.key("annotations")?.labels()?,
        service_account: match spec.key("serviceAccountName")?.text()? {
            Some(name) => name.to_owned(),
            None => operator_account(object, component),
        },
        host_network: spec.key("hostNetwork")?.boolean()?,
        containers: merged(made.collect(), workloads::containers(spec, problems)),
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
    let name = object.name.as_str();
    let mut labels = vec![
        ("app.kubernetes.io/name", component.app),
        ("app.kubernetes.io/instance", name),
    ];
    match component.operator {
        Operator::VictoriaMetrics => labels.extend([
            ("app.kubernetes.io/component", "monitoring"),
            ("managed-by", "vm-operator"),
        ]),
        Operator::Prometheus => labels.extend([
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ("operator.prometheus.io/name", name),
        ]),
    }
    if component.app == "prometheus" {
        labels.push(("prometheus", name));
    }
    labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The number of the shard is a label of the pods; where there are several shards no one value is that of all pods.
fn shard(component: &Component, spec: &Field<'_>) -> Read<Option<(String, String)>> {
    let only_one = component.operator == Operator::Prometheus
        && spec.key("shards")?.integer()?.unwrap_or(1) <= 1
        && (component.kind != "PrometheusAgent" || spec.key("mode")?.text()? != Some("DaemonSet"));
    Ok(only_one.then(|| ("operator.prometheus.io/shard".to_owned(), "0".to_owned())))
}

/// The account where `serviceAccountName` names none: of its own (`PrefixedName`), or the namespace's.
fn operator_account(object: &Object, component: &Component) -> String {
    match component.operator {
        Operator::VictoriaMetrics => format!("{}-{}", component.prefix, object.name),
        Operator::Prometheus => "default".to_owned(),
    }
}

/// The port of the program; `None` where it listens inside of the pod only.
fn port(spec: &Field<'_>, component: &Component) -> Read<Option<ContainerPort>> {
    let (name, number) = match component.operator {
        Operator::VictoriaMetrics => {
            let field = spec.key("port")?;
            let number = match field.text()? {
                None => component.default_port,
                Some(number) => number
                    .parse()
                    .ok()
                    .filter(|number| *number > 0)
                    .ok_or_else(|| {
                        field.problem("expected a string with a number from 1 to 65535")
                    })?,
            };
            (component.port_name, number)
        }
        Operator::Prometheus if spec.key("listenLocal")?.boolean()? => return Ok(None),
        Operator::Prometheus => {
            let name = spec.key("portName")?.text()?;
            (name.unwrap_or(component.port_name), component.default_port)
        }
    };
    Ok(Some(ContainerPort {
        name: Some(name.to_owned()),
        number,
    }))
}

/// The containers that the operator puts beside the program.
fn companions(spec: &Field<'_>, component: &Component) -> Read<Vec<Container>> {
    let mut made = Vec::new();
    for companion in component.companions {
        let is_asked_for = match companion.asked_by {
            Some(field) => !spec.key(field)?.is_missing(),
            None => true,
        };
        if !is_asked_for {
            continue;
        }
        // A reloader that sends signals listens for itself, whatever the program does.
        let is_local = companion.shares_listen_local
            && spec.key("listenLocal")?.boolean()?
            && spec.key("reloadStrategy")?.text()? != Some("ProcessSignal");
        let ports = companion.ports.iter().filter(|_| !is_local);
        made.push(Container {
            name: companion.container.to_owned(),
            image: String::new(),
            init: false,
            ports: ports
                .map(|(name, number)| ContainerPort {
                    name: Some((*name).to_owned()),
                    number: *number,
                })
                .collect(),
        });
    }
    Ok(made)
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

/// `spec.containers` of the name of a container that the operator makes patch it (`MergePatchContainers`), the others are added.
fn merged(mut made: Vec<Container>, written: Vec<Container>) -> Vec<Container> {
    for patch in written {
        let patched = made
            .iter_mut()
            .find(|container| !patch.init && !container.init && container.name == patch.name);
        let Some(container) = patched else {
            made.push(patch);
            continue;
        };
        if !patch.image.is_empty() {
            container.image = patch.image;
        }
        container.ports.retain(|port| {
            let ports = &mut patch.ports.iter();
            ports.all(|patched| patched.number != port.number)
        });
        container.ports.extend(patch.ports);
    }
    made
}
