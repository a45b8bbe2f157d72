//! What do the pods of a workload look like?
//!
//! Authority: PodTemplateSpec of the Kubernetes API, at the path that each kind has for it; CRDs of Argo Rollouts and OpenKruise.
//! Departs from it: ports of plain init containers are left out, because those have ended before anything is scraped.
//! Knows: pod templates. Does not know: sidecars that are injected later, who selects the pods.

use k8s_openapi::api::core::v1::ContainerPort as ApiPort;

use super::field::{Field, Problem, Read, noted};
use super::{
    Container, ContainerPort, Labels, Object, PodsKnown, Workload, knative, services::port_number,
};

impl Workload {
    /// Pods of which nobody says more than their labels: no annotations, no ports, the default service account.
    pub fn of_labels(object: Object, labels: Labels, known: PodsKnown) -> Self {
        Self {
            object,
            labels,
            annotations: Labels::new(),
            service_account: "default".to_owned(),
            host_network: false,
            containers: Vec::new(),
            known,
            part: None,
        }
    }

    /// The TCP ports that containers declare, those of native sidecars last.
    pub fn declared_ports(&self) -> impl Iterator<Item = &ContainerPort> {
        self.containers
            .iter()
            .flat_map(|container| &container.ports)
    }

    /// The numbers of the declared ports of this name, in order of declaration.
    pub fn ports_named(&self, name: &str) -> Vec<u16> {
        self.declared_ports()
            .filter(|port| port.name.as_deref() == Some(name))
            .map(|port| port.number)
            .collect()
    }
}

/// A workload, from its template. Without readable labels, annotations and `hostNetwork` there is none. `None`: it runs
/// the pods of another workload.
pub(super) fn workload(
    object: Object,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Option<Workload>> {
    let spec = root.key("spec")?;
    if object.kind == "Rollout" && takes_over(&spec)? {
        return Ok(None);
    }
    let job = spec.key("jobTemplate")?;
    let job_spec = job.key("spec")?;
    let template = match object.kind.as_str() {
        "Pod" => *root,
        "CronJob" => job_spec.key("template")?,
        _ => spec.key("template")?,
    };
    if template.is_missing() {
        return Err(template.problem("missing; expected a pod template"));
    }
    let metadata = template.key("metadata")?;
    let annotations = metadata.key("annotations")?;
    let pod = template.key("spec")?;
    let workload = Workload {
        labels: metadata.key("labels")?.labels()?,
        annotations: match object.kind.as_str() {
            "Pod" => annotations.printed_annotations()?,
            _ => annotations.labels()?,
        },
        service_account: pod
            .key("serviceAccountName")?
            .text()?
            .unwrap_or("default")
            .to_owned(),
        host_network: pod.key("hostNetwork")?.boolean()?,
        containers: containers(&pod, problems),
        known: PodsKnown::Template,
        part: None,
        object,
    };
    Ok(Some(match workload.object.api_version.as_str() {
        "serving.knative.dev/v1" => knative::service(workload),
        _ => workload,
    }))
}

/// Whether an Argo Rollout takes its template from another workload, whose pods are then its own too.
fn takes_over(rollout: &Field<'_>) -> Read<bool> {
    let reference = rollout.key("workloadRef")?;
    if reference.is_missing() {
        return Ok(false);
    }
    let kind = reference.key("kind")?;
    match kind.text()? {
        // Whoever reads these finds the pods.
        Some("Deployment" | "ReplicaSet" | "StatefulSet") => Ok(true),
        _ => Err(kind.problem("expected Deployment, ReplicaSet or StatefulSet; the template of another kind is not followed")),
    }
}

/// Keys of pods and containers under which stand lists and maps that [`workload`] does not look at: most of the text of a
/// workload, which nobody has to take apart.
pub(super) const PASSED_OVER: &[&str] = &[
    "affinity",
    "args",
    "command",
    "env",
    "envFrom",
    "imagePullSecrets",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "tolerations",
    "topologySpreadConstraints",
    "volumeClaimTemplates",
    "volumeMounts",
    "volumes",
];

/// Containers, then init containers; what is not understood of them is noted and left out.
pub(super) fn containers(pod: &Field<'_>, problems: &mut Vec<Problem>) -> Vec<Container> {
    let mut containers = Vec::new();
    for (key, init) in [("containers", false), ("initContainers", true)] {
        let Some(list) = noted(pod.key(key), problems) else {
            continue;
        };
        for field in noted(list.list(), problems).unwrap_or_default() {
            let container = container(&field, init, problems);
            containers.extend(noted(container, problems));
        }
    }
    // Most pods have one, and room for several is large.
    containers.shrink_to_fit();
    containers
}

fn container(field: &Field<'_>, init: bool, problems: &mut Vec<Problem>) -> Read<Container> {
    let text =
        |key: &str| -> Read<String> { Ok(field.key(key)?.text()?.unwrap_or_default().to_owned()) };
    let native_sidecar = field.key("restartPolicy")?.text()? == Some("Always");
    let ports = field.key("ports")?;
    let ports = match init && !native_sidecar {
        true => Vec::new(),
        false => noted(ports.list(), problems).unwrap_or_default(),
    };
    let mut container = Container {
        name: text("name")?,
        image: text("image")?,
        init,
        ports: Vec::with_capacity(ports.len()),
    };
    let declared = ports
        .iter()
        .filter_map(|field| noted(port(field), problems).flatten());
    container.ports.extend(declared);
    Ok(container)
}

/// A declared port, `None` for other protocols than TCP.
fn port(field: &Field<'_>) -> Read<Option<ContainerPort>> {
    let port: ApiPort = field
        .typed("a port of a container")?
        .ok_or_else(|| field.expected("a port of a container"))?;
    let protocol = port.protocol.as_deref().unwrap_or_default();
    let number = port_number(port.container_port)
        .ok_or_else(|| field.problem("containerPort: expected a number from 1 to 65535"))?;
    Ok(matches!(protocol, "" | "TCP").then_some(ContainerPort {
        name: port.name.filter(|name| !name.is_empty()),
        number,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::Config;
    use crate::model::{Inventory, read};

    fn inventory(api_version: &str, kind: &str, spec: Value) -> Inventory {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "demo"}, "spec": spec});
        read([(0, &object)], &Config::default())
    }

    fn template(containers: Value) -> Value {
        json!({"template": {"metadata": {"labels": {"app": "demo"}}, "spec": {"containers": containers}}})
    }

    #[test]
    fn each_kind_has_its_template_at_its_path() {
        let template = template(json!([{"name": "main", "ports": [{"containerPort": 80}]}]));
        for (api_version, kind, spec) in [
            ("apps/v1", "Deployment", template.clone()),
            ("apps/v1", "StatefulSet", template.clone()),
            ("apps/v1", "DaemonSet", template.clone()),
            ("apps/v1", "ReplicaSet", template.clone()),
            ("v1", "ReplicationController", template.clone()),
            ("batch/v1", "Job", template.clone()),
            ("argoproj.io/v1alpha1", "Rollout", template.clone()),
            ("apps.kruise.io/v1alpha1", "CloneSet", template.clone()),
            ("apps.kruise.io/v1beta1", "StatefulSet", template.clone()),
            ("apps.kruise.io/v1alpha1", "DaemonSet", template.clone()),
            (
                "batch/v1",
                "CronJob",
                json!({"jobTemplate": {"spec": template.clone()}}),
            ),
        ] {
            let inventory = inventory(api_version, kind, spec);
            let workload = &inventory.workloads[0];
            assert_eq!(workload.labels.get("app"), Some("demo"), "{kind}");
            assert_eq!(
                workload
                    .declared_ports()
                    .map(|p| p.number)
                    .collect::<Vec<_>>(),
                [80],
                "{kind}"
            );
        }
    }

    #[test]
    fn a_pod_is_its_own_template() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "demo", "labels": {"app": "demo"}, "annotations": {"sidecar.istio.io/inject": false}},
            "spec": {"hostNetwork": true}});
        let inventory = read([(0, &pod)], &Config::default());
        let workload = &inventory.workloads[0];
        assert_eq!(
            workload.annotations.get("sidecar.istio.io/inject"),
            Some("false")
        );
        assert!(workload.host_network);
    }

    #[test]
    fn an_unquoted_annotation_of_a_template_makes_the_workload_unread() {
        let inventory = inventory(
            "apps/v1",
            "Deployment",
            json!({"template": {"metadata": {"annotations": {"sidecar.istio.io/inject": false}}}}),
        );
        assert!(inventory.workloads.is_empty());
        assert_eq!(
            inventory.unread[0].at.as_str(),
            "/spec/template/metadata/annotations/sidecar.istio.io~1inject"
        );
    }

    #[test]
    fn a_missing_template_is_said() {
        let inventory = inventory("batch/v1", "CronJob", json!({}));
        assert_eq!(
            inventory.unread[0].at.as_str(),
            "/spec/jobTemplate/spec/template"
        );
    }

    #[test]
    fn a_rollout_of_a_deployment_has_no_pods_of_its_own() {
        let of = |kind: &str| {
            let reference = json!({"apiVersion": "apps/v1", "kind": kind, "name": "demo"});
            inventory(
                "argoproj.io/v1alpha1",
                "Rollout",
                json!({"workloadRef": reference}),
            )
        };
        let deployment = of("Deployment");
        assert!(deployment.workloads.is_empty() && deployment.unread.is_empty());
        let other = of("PodTemplate");
        assert_eq!(other.unread[0].at.as_str(), "/spec/workloadRef/kind");
    }

    #[test]
    fn only_tcp_ports_of_containers_that_run_are_declared() {
        let inventory = inventory(
            "apps/v1",
            "Deployment",
            json!({"template": {"spec": {
            "containers": [{"name": "main", "image": "demo:1", "ports": [
                {"name": "web", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]}],
            "initContainers": [
                {"name": "once", "ports": [{"containerPort": 1}]},
                {"name": "sidecar", "restartPolicy": "Always", "ports": [{"name": "web", "containerPort": 81}]}]}}}),
        );
        let workload = &inventory.workloads[0];
        assert_eq!(workload.ports_named("web"), [80, 81]);
        assert_eq!(workload.declared_ports().count(), 2);
        assert_eq!(workload.containers.len(), 3);
    }

    #[test]
    fn an_odd_port_is_unread_and_the_workload_stays() {
        for port in [
            json!({"containerPort": "http"}),
            json!({"containerPort": 70000}),
            json!(null),
            json!({}),
        ] {
            let inventory = inventory(
                "apps/v1",
                "Deployment",
                template(json!([{"name": "main", "ports": [port, {"containerPort": 81}]}])),
            );
            assert_eq!(inventory.workloads[0].declared_ports().count(), 1);
            assert_eq!(
                inventory.unread[0].at.as_str(),
                "/spec/template/spec/containers/0/ports/0"
            );
        }
    }
}
