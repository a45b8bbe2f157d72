//! Does an endpoint reach what vmagent would scrape?
//!
//! Authority: the tables of VictoriaMetrics' discovery (`discovery/kubernetes`) and of the operator's port fields.
//! Departs from nothing: what manifests do not show has a case of its own, "not known".
//! Knows: scrape objects, Services, workloads, gaps. Does not know: Istio.

use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::model::read;

fn deployment(name: &str, pod: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "demo"},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": pod}}})
}

/// A deployment that declares `web` 8080 and `admin` 9090.
fn demo() -> Value {
    deployment(
        "demo",
        json!({"containers": [{"name": "main", "ports": [
            {"name": "web", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]}]}),
    )
}

fn service(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "demo", "labels": {"svc": "yes"}}, "spec": spec})
}

fn demo_service(ports: Value) -> Value {
    service("demo", json!({"selector": {"app": "demo"}, "ports": ports}))
}

fn service_scrape(spec: Value) -> Value {
    scrape("VMServiceScrape", "endpoints", spec)
}

fn pod_scrape(spec: Value) -> Value {
    scrape("VMPodScrape", "podMetricsEndpoints", spec)
}

/// A scrape object in namespace `demo`; `endpoint` of the spec is its only endpoint.
fn scrape(kind: &str, list: &str, mut spec: Value) -> Value {
    let endpoint = spec
        .as_object_mut()
        .unwrap()
        .remove("endpoint")
        .unwrap_or_else(|| json!({}));
    spec[list] = json!([endpoint]);
    json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": kind,
        "metadata": {"name": "demo", "namespace": "demo"}, "spec": spec})
}

/// Targets as `kind/name:port via`, and gaps.
fn reached(objects: &[Value]) -> (Vec<String>, Vec<String>) {
    reached_from(objects, false)
}

fn reached_from(objects: &[Value], own_namespace_only: bool) -> (Vec<String>, Vec<String>) {
    let agent = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
        "metadata": {"name": "agent", "namespace": "vm"}, "spec": {"ignoreNamespaceSelectors": true}});
    let asking = own_namespace_only.then_some(&agent);
    let inventory = read(objects.iter().chain(asking).enumerate(), &Config::default());
    let mut written = inventory
        .scrapes
        .iter()
        .filter(|scrape| !scrape.is_self_scrape);
    let scrape = written.next().unwrap();
    let scraper = inventory.scrapers.first();
    let reach = reach(&inventory, scrape, &scrape.endpoints[0], scraper);
    let target = |target: &Target<'_>| {
        let (kind, name) = match &target.pods {
            Pods::Of(workload) => (workload.object.kind.as_str(), &workload.object.name),
            Pods::Elsewhere(place) => (place.kind, &place.name),
        };
        let port = target
            .port
            .map_or("?".to_owned(), |number| number.to_string());
        let name_used = target
            .addressed_by
            .map_or("", |service| &service.object.name);
        format!("{kind}/{name}:{port} {name_used}")
            .trim_end()
            .to_owned()
    };
    (reach.targets.iter().map(target).collect(), reach.gaps)
}

fn targets(objects: &[Value]) -> Vec<String> {
    let (targets, gaps) = reached(objects);
    assert_eq!(gaps, Vec::<String>::new());
    targets
}

fn gaps(objects: &[Value]) -> Vec<String> {
    let (targets, gaps) = reached(objects);
    assert_eq!(targets, Vec::<String>::new());
    gaps
}

/// spec 2.4, resolution 1.
#[test]
fn a_service_port_by_name_is_the_pod_port_behind_it() {
    for (port, expected) in [
        (json!({"name": "http", "port": 8080}), "8080"),
        (
            json!({"name": "http", "port": 80, "targetPort": 8081}),
            "8081",
        ),
        (
            json!({"name": "http", "port": 80, "targetPort": "admin"}),
            "9090",
        ),
    ] {
        let objects = [
            demo(),
            demo_service(json!([port, {"name": "other", "port": 1}])),
            service_scrape(json!({"endpoint": {"port": "http"}})),
        ];
        assert_eq!(
            targets(&objects),
            [format!("Deployment/demo:{expected}")],
            "{port}"
        );
    }
}

#[test]
fn a_named_target_port_that_no_container_declares_reaches_nothing() {
    let objects = [
        demo(),
        demo_service(json!([{"name": "http", "port": 80, "targetPort": "missing"}])),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    assert_eq!(
        gaps(&objects),
        ["there is no port `http` behind Service demo/demo"]
    );
}

#[test]
fn a_named_target_port_is_the_first_of_the_name_in_each_workload() {
    let objects = [
        deployment(
            "a",
            json!({"containers": [{"name": "x", "ports": [{"name": "web", "containerPort": 1}]},
            {"name": "y", "ports": [{"name": "web", "containerPort": 2}]}]}),
        ),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b", "namespace": "demo", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "x", "ports": [{"name": "web", "containerPort": 3}]}]}}),
        service(
            "a",
            json!({"selector": {"app": "a"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]}),
        ),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    assert_eq!(targets(&objects), ["Deployment/a:1", "Pod/b:3"]);
}

#[test]
fn a_service_that_lacks_the_port_contributes_nothing() {
    let objects = [
        demo(),
        demo_service(json!([{"name": "http", "port": 8080}])),
        service(
            "other",
            json!({"selector": {"app": "demo"}, "ports": [{"name": "grpc", "port": 9}]}),
        ),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    assert_eq!(targets(&objects), ["Deployment/demo:8080"]);
}

#[test]
fn an_unnamed_service_port_is_reached_without_port_or_by_target_port_only() {
    let with = |endpoint: Value| {
        reached(&[
            deployment("demo", json!({"hostNetwork": true, "containers": [{"name": "main", "ports": [{"containerPort": 8080}]}]})),
            demo_service(json!([{"port": 80, "targetPort": 8080}])),
            service_scrape(json!({"endpoint": endpoint})),
        ])
        .0
    };
    assert_eq!(with(json!({"port": "http"})), Vec::<String>::new());
    assert_eq!(with(json!({})), ["Deployment/demo:8080"]);
    assert_eq!(with(json!({"targetPort": 8080})), ["Deployment/demo:8080"]);
}

/// spec 2.4, resolutions 2 and 3.
#[test]
fn target_port_is_a_declared_container_port() {
    let with = |endpoint: Value| {
        reached(&[
            demo(),
            demo_service(json!([{"name": "http", "port": 80, "targetPort": 8080}])),
            service_scrape(json!({"endpoint": endpoint})),
        ])
        .0
    };
    assert_eq!(with(json!({"targetPort": 9090})), ["Deployment/demo:9090"]);
    assert_eq!(
        with(json!({"targetPort": "admin"})),
        ["Deployment/demo:9090"]
    );
    assert_eq!(with(json!({"targetPort": 7070})), Vec::<String>::new());
    assert_eq!(
        with(json!({"targetPort": 15090})),
        ["Deployment/demo:15090"]
    );
}

#[test]
fn a_service_without_tcp_ports_leads_nowhere() {
    let objects = [
        demo(),
        demo_service(json!([{"name": "dns", "port": 53, "protocol": "UDP"}])),
        service_scrape(json!({"endpoint": {"targetPort": 8080}})),
    ];
    assert_eq!(
        gaps(&objects),
        ["there is no declared container port 8080 behind Service demo/demo"]
    );
}

/// spec 2.4, resolution 4: the "skipped ports" of endpoints.go, and the sidecar's.
#[test]
fn without_port_every_declared_port_and_envoys_are_reached() {
    let objects = [
        demo(),
        demo_service(json!([{"name": "http", "port": 80, "targetPort": 7070}])),
        service_scrape(json!({})),
    ];
    assert_eq!(
        targets(&objects),
        [
            "Deployment/demo:7070",
            "Deployment/demo:8080",
            "Deployment/demo:9090",
            "Deployment/demo:15090"
        ]
    );
}

#[test]
fn on_the_host_network_there_is_no_envoy() {
    let objects = [
        deployment("demo", json!({"hostNetwork": true, "containers": []})),
        demo_service(json!([{"port": 9100}])),
        service_scrape(json!({})),
    ];
    assert_eq!(targets(&objects), ["Deployment/demo:9100"]);
}

#[test]
fn pods_that_are_not_in_the_input_are_what_the_selector_says() {
    let with = |target: Value, endpoint: Value| {
        targets(&[
            demo_service(json!([{"name": "http", "port": 80, "targetPort": target}])),
            service_scrape(json!({"endpoint": endpoint})),
        ])
    };
    assert_eq!(
        with(json!(8080), json!({"port": "http"})),
        ["Pods/demo:8080"]
    );
    assert_eq!(with(json!("web"), json!({"port": "http"})), ["Pods/demo:?"]);
    assert_eq!(with(json!(8080), json!({"targetPort": 9})), ["Pods/demo:9"]);
    assert_eq!(
        with(json!(8080), json!({"targetPort": "web"})),
        ["Pods/demo:?"]
    );
    assert_eq!(
        with(json!(8080), json!({})),
        ["Pods/demo:?", "Pods/demo:8080", "Pods/demo:15090"]
    );
}

#[test]
fn labels_of_pods_that_are_not_in_the_input_are_the_selector() {
    let objects = [
        demo_service(json!([{"name": "http", "port": 80}])),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    let inventory = read(objects.iter().enumerate(), &Config::default());
    let scrape = &inventory.scrapes[0];
    let reach = reach(&inventory, scrape, &scrape.endpoints[0], None);
    let Pods::Of(workload) = &reach.targets[0].pods else {
        panic!("pods")
    };
    assert_eq!(workload.known, crate::model::PodsKnown::SelectorOnly);
    assert_eq!(workload.labels.get("app"), Some("demo"));
    assert_eq!(reach.targets[0].via, "Service demo/demo");
}

/// spec 2.4, last line.
#[test]
fn a_service_without_selector_leads_elsewhere() {
    let objects = |endpoint: Value| {
        [
            demo(),
            service("etcd", json!({"ports": [{"name": "http", "port": 2379}]})),
            service_scrape(json!({"endpoint": endpoint})),
        ]
    };
    for endpoint in [json!({"port": "http"}), json!({})] {
        assert_eq!(targets(&objects(endpoint)), ["Service/etcd:?"]);
    }
    assert_eq!(gaps(&objects(json!({"port": "https"}))).len(), 1);
}

/// spec 2.3.
#[test]
fn role_service_addresses_by_name_and_ignores_target_port() {
    let with = |endpoint: Value| {
        targets(&[
            demo(),
            demo_service(
                json!([{"name": "http", "port": 80, "targetPort": "web"}, {"name": "admin", "port": 9090}]),
            ),
            service_scrape(json!({"discoveryRole": "service", "endpoint": endpoint})),
        ])
    };
    assert_eq!(with(json!({"port": "http"})), ["Deployment/demo:8080 demo"]);
    for endpoint in [json!({}), json!({"targetPort": 8080})] {
        assert_eq!(
            with(endpoint),
            ["Deployment/demo:8080 demo", "Deployment/demo:9090 demo"]
        );
    }
}

/// spec 2.1.
#[test]
fn a_service_scrape_selects_by_labels_of_the_service() {
    let with = |selector: Value| {
        reached(&[
            demo(),
            demo_service(json!([{"name": "http", "port": 8080}])),
            service_scrape(json!({"selector": selector, "endpoint": {"port": "http"}})),
        ])
        .0
        .len()
    };
    assert_eq!(with(json!({"matchLabels": {"svc": "yes"}})), 1);
    assert_eq!(
        with(json!({"matchLabels": {"app": "demo"}})),
        0,
        "a label of the pods"
    );
    assert_eq!(
        with(json!({"matchExpressions": [{"key": "svc", "operator": "DoesNotExist"}]})),
        0
    );
}

/// spec 2.2.
#[test]
fn namespaces() {
    let with = |selector: Value, own_only: bool| {
        // Not the Service that the operator makes for the scraper.
        let own = json!({"matchExpressions": [{"key": "managed-by", "operator": "DoesNotExist"}]});
        let mut scrape = service_scrape(
            json!({"selector": own, "namespaceSelector": selector, "endpoint": {"port": "http"}}),
        );
        scrape["metadata"]["namespace"] = json!("vm");
        reached_from(
            &[
                demo(),
                demo_service(json!([{"name": "http", "port": 8080}])),
                scrape,
            ],
            own_only,
        )
        .0
        .len()
    };
    assert_eq!(with(json!({}), false), 0);
    assert_eq!(with(json!({"any": true}), false), 1);
    assert_eq!(with(json!({"matchNames": ["demo", "x"]}), false), 1);
    assert_eq!(with(json!({"matchNames": ["x"]}), false), 0);
    assert_eq!(with(json!({"any": true}), true), 0);
}

#[test]
fn a_service_selects_pods_of_its_own_namespace_only() {
    let mut elsewhere = demo();
    elsewhere["metadata"]["namespace"] = json!("other");
    let objects = [
        elsewhere,
        demo_service(json!([{"name": "http", "port": 8080}])),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    assert_eq!(targets(&objects), ["Pods/demo:8080"]);
}

#[test]
fn several_services_to_one_port_are_one_target() {
    let port = json!([{"name": "http", "port": 8080}]);
    let objects = [
        demo(),
        service(
            "z",
            json!({"selector": {"app": "demo"}, "ports": port.clone()}),
        ),
        service("a", json!({"selector": {"app": "demo"}, "ports": port})),
        service_scrape(json!({"endpoint": {"port": "http"}})),
    ];
    let inventory = read(objects.iter().enumerate(), &Config::default());
    let scrape = &inventory.scrapes[0];
    let reach = reach(&inventory, scrape, &scrape.endpoints[0], None);
    let vias: Vec<&str> = reach.targets.iter().map(|t| t.via.as_str()).collect();
    assert_eq!(vias, ["Service demo/a, Service demo/z"]);
}

/// spec 2.4, VMPodScrape.
#[test]
fn a_pod_scrape_finds_declared_ports_of_pods() {
    let with = |endpoint: Value| {
        reached(&[
            demo(),
            pod_scrape(json!({"selector": {"matchLabels": {"app": "demo"}}, "endpoint": endpoint})),
        ])
        .0
    };
    assert_eq!(with(json!({"port": "web"})), ["Deployment/demo:8080"]);
    assert_eq!(with(json!({"portNumber": 9090})), ["Deployment/demo:9090"]);
    assert_eq!(
        with(json!({"port": "http-envoy-prom"})),
        ["Deployment/demo:15090"]
    );
    assert_eq!(with(json!({"portNumber": 7070})), Vec::<String>::new());
    assert_eq!(
        with(json!({})),
        [
            "Deployment/demo:8080",
            "Deployment/demo:9090",
            "Deployment/demo:15090"
        ]
    );
}

#[test]
fn a_container_without_ports_is_scraped_at_a_port_that_is_not_known() {
    let objects = [
        deployment("demo", json!({"containers": [{"name": "main"}]})),
        pod_scrape(json!({})),
    ];
    assert_eq!(
        targets(&objects),
        ["Deployment/demo:?", "Deployment/demo:15090"]
    );
}

#[test]
fn pods_that_an_operator_makes_may_have_more_ports() {
    let with = |endpoint: Value| {
        targets(&[
            json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
                "metadata": {"name": "vm", "namespace": "demo"}, "spec": {}}),
            pod_scrape(json!({"endpoint": endpoint})),
        ])
    };
    assert_eq!(with(json!({"port": "http"})), ["VMAgent/vm:8429"]);
    assert_eq!(with(json!({"portNumber": 8435})), ["VMAgent/vm:8435"]);
    assert_eq!(with(json!({"port": "reloader-http"})), ["VMAgent/vm:8435"]);
    assert_eq!(with(json!({"portNumber": 9999})), ["VMAgent/vm:9999"]);
    assert_eq!(with(json!({"port": "more"})), ["VMAgent/vm:?"]);
}

#[test]
fn what_matches_nothing_says_what_was_looked_for() {
    let selector = json!({"matchLabels": {"app": "gone"}});
    assert_eq!(
        gaps(&[
            demo(),
            service_scrape(
                json!({"selector": selector, "namespaceSelector": {"matchNames": ["a", "b"]}})
            )
        ]),
        ["the input has no Service with labels app=gone in namespaces a, b"]
    );
    assert_eq!(
        gaps(&[demo(), pod_scrape(json!({"selector": selector}))]),
        ["the input has no pods with labels app=gone in namespace demo"]
    );
    assert_eq!(
        gaps(&[pod_scrape(json!({"namespaceSelector": {"any": true}}))]),
        ["the input has no pods in any namespace"]
    );
}

#[test]
fn a_port_name_that_is_a_regular_expression_is_a_gap() {
    let with = |endpoint: Value| {
        gaps(&[
            demo(),
            demo_service(json!([{"name": "http", "port": 8080}])),
            service_scrape(json!({"endpoint": endpoint})),
        ])
    };
    for endpoint in [json!({"port": "http|grpc"}), json!({"targetPort": "web.*"})] {
        assert!(with(endpoint)[0].contains("is a regular expression"));
    }
    assert!(!with(json!({"port": "grpc"}))[0].contains("is a regular expression"));
}

#[test]
fn what_could_not_be_read_and_may_be_a_target_is_a_gap() {
    let scrape = service_scrape(json!({"endpoint": {"port": "http"}}));
    let good = demo_service(json!([{"name": "http", "port": 8080}]));
    let broken_pods =
        json!({"containers": [{"name": "main", "ports": [{"containerPort": "http"}]}]});

    let mut unlabelled = service("broken", json!({}));
    unlabelled["metadata"]["labels"] = json!({"svc": true});
    for (broken, expected) in [
        (unlabelled, 1),
        (deployment("demo", broken_pods.clone()), 1),
        (deployment("other", broken_pods), 0),
        (deployment("other", json!({"hostNetwork": "yes"})), 1),
    ] {
        let (_, gaps) = reached(&[demo(), good.clone(), scrape.clone(), broken.clone()]);
        assert_eq!(gaps.len(), expected, "{broken}: {gaps:?}");
    }
    let mut far = service("broken", json!([]));
    far["metadata"]["namespace"] = json!("other");
    assert_eq!(reached(&[demo(), good, scrape, far]).1.len(), 0);
}

#[test]
fn headless_services_that_lead_to_a_port() {
    let objects = |cluster_ip: &str| {
        [
            demo(),
            service(
                "demo",
                json!({"clusterIP": cluster_ip, "selector": {"app": "demo"}, "ports": [
                {"name": "tcp-web", "port": 80, "targetPort": "web"}, {"name": "dns", "port": 53, "protocol": "UDP"}]}),
            ),
        ]
    };
    let ports = |cluster_ip: &str, port: Option<u16>| -> Vec<Option<&'static str>> {
        let inventory = read(objects(cluster_ip).iter().enumerate(), &Config::default());
        headless_services_for(&inventory, &inventory.workloads[0], port)
            .into_iter()
            .map(|(_, port)| port.application)
            .collect()
    };
    assert_eq!(ports("None", Some(8080)), [Some("tcp")]);
    assert_eq!(ports("None", None), [Some("tcp")], "not known");
    assert_eq!(ports("None", Some(80)), []);
    assert_eq!(ports("10.0.0.1", Some(8080)), []);
}
