//! What do the pods of a Knative Service look like?
//!
//! Authority: knative/serving pkg/reconciler/revision/resources/{deploy,queue,meta}.go, pkg/apis/serving/register.go.
//! Departs from it: the names of revisions, which are labels too, are not known.
//! Knows: a Service of `serving.knative.dev`. Does not know: the Services of Kubernetes that Knative makes for it.

use super::{Container, ContainerPort, PodsKnown, Workload};

/// Ports of the proxy that Knative puts into each pod, beside the one that requests go to: what stops it, its own metrics,
/// those of requests.
const QUEUE_PROXY: [(&str, u16); 4] = [
    ("https-port", 8112),
    ("http-queueadm", 8022),
    ("http-autometric", 9090),
    ("http-usermetric", 9091),
];

/// The port that a container gets that declares none, and the name of the port that requests go to.
const USER_PORT: (&str, u16) = ("user-port", 8080);

/// The pods that Knative makes of a template.
pub(super) fn service(mut template: Workload) -> Workload {
    let name = template.object.name.clone();
    for key in [
        "serving.knative.dev/service",
        "serving.knative.dev/configuration",
    ] {
        template.labels.insert(key, &name);
    }
    let declares = |container: &&mut Container| !container.init && !container.ports.is_empty();
    let serving = match template.containers.iter_mut().find(declares) {
        Some(container) => Some(container),
        None => template.containers.first_mut(),
    };
    let mut requests = 8012;
    if let Some(serving) = serving {
        let written = serving.ports.first();
        if written.is_some_and(|port| port.name.as_deref() == Some("h2c")) {
            requests = 8013;
        }
        let number = written.map_or(USER_PORT.1, |port| port.number);
        serving.ports = vec![port(USER_PORT.0, number)];
    }
    let others = QUEUE_PROXY.iter().map(|(name, number)| port(name, *number));
    template.containers.push(Container {
        name: "queue-proxy".to_owned(),
        image: String::new(),
        init: false,
        ports: std::iter::once(port("queue-port", requests))
            .chain(others)
            .collect(),
    });
    Workload {
        known: PodsKnown::Operator,
        ..template
    }
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        number,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::Config;
    use crate::model::{Inventory, PodsKnown, read};

    fn inventory(container: Value) -> Inventory {
        let object = json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {"name": "hello", "namespace": "shop"},
            "spec": {"template": {
                "metadata": {"labels": {"team": "web"}, "annotations": {"sidecar.istio.io/inject": "true"}},
                "spec": {"serviceAccountName": "hello", "containers": [container]}}}});
        read([(0, &object)], &Config::default())
    }

    #[test]
    fn knative_adds_its_labels_and_its_proxy() {
        let inventory = inventory(json!({"image": "hello:1", "ports": [{"containerPort": 9000}]}));
        let pods = &inventory.workloads[0];
        assert_eq!(pods.known, PodsKnown::Operator);
        assert_eq!(
            pods.labels.get("serving.knative.dev/service"),
            Some("hello")
        );
        assert_eq!(pods.labels.get("team"), Some("web"));
        assert_eq!(
            pods.annotations.get("sidecar.istio.io/inject"),
            Some("true")
        );
        assert_eq!(pods.service_account, "hello");
        assert_eq!(pods.ports_named("user-port"), [9000]);
        assert_eq!(pods.ports_named("http-autometric"), [9090]);
        assert!(inventory.services.is_empty());
    }

    #[test]
    fn a_container_without_a_port_listens_on_8080() {
        let inventory = inventory(json!({"image": "hello:1"}));
        assert_eq!(inventory.workloads[0].ports_named("user-port"), [8080]);
    }
}
