//! Does a list of discovery find what vmagent would find?
//!
//! Authority: vmagent `lib/promscrape/discovery/kubernetes`, `discovery/dns`.
//! Departs from nothing: what manifests do not show has a case of its own.
//! Knows: scrape configurations, Services, workloads. Does not know: Istio.

use serde_json::{Value, json};

use crate::config::Config;
use crate::model::read;
use crate::targets::{Pods, Target, reach};

fn workload(namespace: &str, name: &str, ports: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "ports": ports}]}}}})
}

fn service(namespace: &str, name: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["selector"] = json!({"app": name});
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {"of": name}}, "spec": spec})
}

/// `shop/web` with ports 8080 and 9090, behind a Service that leads to 8080; headless `shop/db`; `vm/web`.
fn objects() -> Vec<Value> {
    vec![
        workload(
            "shop",
            "web",
            json!([{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]),
        ),
        service(
            "shop",
            "web",
            json!({"ports": [{"name": "http", "port": 80, "targetPort": "http"}]}),
        ),
        workload(
            "shop",
            "db",
            json!([{"name": "metrics", "containerPort": 9187}]),
        ),
        service(
            "shop",
            "db",
            json!({"clusterIP": "None", "ports": [{"name": "http-metrics", "port": 9187}]}),
        ),
        workload(
            "vm",
            "web",
            json!([{"name": "http", "containerPort": 7070}]),
        ),
        service(
            "vm",
            "web",
            json!({"ports": [{"name": "http", "port": 7070}]}),
        ),
    ]
}

/// Targets as `namespace/name:port`, with ` by` and the Service by whose name it is addressed, but for Envoy's; then gaps.
fn found(spec: Value, with_scraper: bool) -> (Vec<String>, Vec<String>) {
    let api = "operator.victoriametrics.com/v1beta1";
    let mut objects = objects();
    objects.push(json!({"apiVersion": api, "kind": "VMScrapeConfig", "metadata": {"name": "x", "namespace": "other"}, "spec": spec}));
    if with_scraper {
        objects.push(json!({"apiVersion": api, "kind": "VMAgent", "metadata": {"name": "main", "namespace": "vm"},
            "spec": {"selectAllByDefault": true, "ignoreNamespaceSelectors": true}}));
    }
    let inventory = read(objects.iter().enumerate(), &Config::default());
    let scrape = &inventory.scrapes[0];
    let reach = reach(
        &inventory,
        scrape,
        &scrape.endpoints[0],
        inventory.scrapers.first(),
    );
    let told = |target: &Target<'_>| {
        let Pods::Of(pods) = &target.pods else {
            return "elsewhere".to_owned();
        };
        let port = target.port.map_or("?".to_owned(), |port| port.to_string());
        let by = target
            .addressed_by
            .map(|service| format!(" by {}", service.object.name));
        format!(
            "{}/{}:{port}{}",
            pods.object.namespace,
            pods.object.name,
            by.unwrap_or_default()
        )
    };
    let targets = reach.targets.iter().map(told);
    (
        targets
            .filter(|target| !target.ends_with(":15090"))
            .collect(),
        reach.gaps,
    )
}

fn by_kubernetes(entry: Value) -> Vec<String> {
    let (targets, gaps) = found(json!({"kubernetesSDConfigs": [entry]}), true);
    assert_eq!(gaps, Vec::<String>::new());
    targets
}

/// spec 2.3.
#[test]
fn roles() {
    let in_shop =
        |role: &str| by_kubernetes(json!({"role": role, "namespaces": {"names": ["shop"]}}));
    assert_eq!(
        in_shop("pod"),
        ["shop/db:9187", "shop/web:8080", "shop/web:9090"]
    );
    let behind_services = ["shop/db:9187", "shop/web:8080", "shop/web:9090"];
    assert_eq!(in_shop("endpoints"), behind_services);
    assert_eq!(in_shop("endpointslice"), behind_services);
    assert_eq!(
        in_shop("service"),
        ["shop/db:9187 by db", "shop/web:8080 by web"]
    );
}

/// The scraper's setting that overrides namespace selectors means other kinds.
#[test]
fn namespaces_are_all_or_the_named_or_the_scrapers() {
    let with = |namespaces: Value| {
        by_kubernetes(json!({"role": "service", "namespaces": namespaces})).len()
    };
    // The operator makes a Service of the scraper, in its namespace.
    assert_eq!(with(Value::Null), 4);
    assert_eq!(with(json!({"names": ["vm"]})), 2);
    assert_eq!(with(json!({"ownNamespace": true})), 2);
    assert_eq!(with(json!({"names": ["shop"], "ownNamespace": true})), 4);
    let own =
        json!({"kubernetesSDConfigs": [{"role": "pod", "namespaces": {"ownNamespace": true}}]});
    let (targets, gaps) = found(own, false);
    assert!(
        targets.is_empty() && gaps[0].contains("no scraper is in the input"),
        "{gaps:?}"
    );
}

/// Labels of Services and of pods: each role selects the objects that it is about.
#[test]
fn selectors_are_about_the_objects_of_the_role() {
    let with = |role: &str, label: &str| {
        let entry = json!({"role": role, "namespaces": {"names": ["shop"]}, "selectors": [{"role": role, "label": label}]});
        found(json!({"kubernetesSDConfigs": [entry]}), true)
    };
    assert_eq!(with("pod", "app=db").0, ["shop/db:9187"]);
    assert_eq!(with("service", "of!=db").0, ["shop/web:8080 by web"]);
    assert_eq!(with("endpoints", "of in (db)").0, ["shop/db:9187"]);
    assert_eq!(
        with("endpoints", "app=db"),
        (
            vec![],
            vec![
                "the input has no Service with labels app=db with ports in namespace shop"
                    .to_owned()
            ]
        )
    );
}

#[test]
fn names_of_headless_services_are_their_pods() {
    let with = |name: &str, port: u16| {
        found(
            json!({"dnsSDConfigs": [{"names": [name], "type": "A", "port": port}]}),
            true,
        )
    };
    assert_eq!(with("db.shop.svc", 9187).0, ["shop/db:9187"]);
    assert_eq!(
        with("db.shop", 5432).0,
        ["shop/db:5432"],
        "no Service translates the port"
    );
    assert_eq!(
        with("web.shop.svc.cluster.local", 80).0,
        ["shop/web:8080 by web"]
    );
    assert_eq!(
        with("web", 7070).0,
        ["vm/web:7070 by web"],
        "in the scraper's namespace"
    );
    assert_eq!(
        with("web.shop.svc", 8080).1,
        ["Service shop/web has no port for web.shop.svc:8080"]
    );
    assert_eq!(
        with("gone.shop.svc", 80).1,
        ["Service shop/gone is not in the input"]
    );
}

/// The sidecar knows a headless Service at the ports that it lists.
#[test]
fn addresses_of_headless_services_are_their_pods_too() {
    let with = |address: &str| found(json!({"staticConfigs": [{"targets": [address]}]}), true);
    assert_eq!(with("db.shop.svc:9187").0, ["shop/db:9187 by db"]);
    assert_eq!(with("db-0.db.shop.svc:8008").0, ["shop/db:8008"]);
}

#[test]
fn lists_add_up_and_what_is_unseen_stays_a_gap() {
    let (targets, gaps) = found(
        json!({"staticConfigs": [{"targets": ["web.shop.svc:80"]}], "consulSDConfigs": [{"server": "x"}]}),
        true,
    );
    assert_eq!(targets, ["shop/web:8080 by web"]);
    assert_eq!(gaps, ["consulSDConfigs: what it finds is not in the input"]);
}

#[test]
fn what_could_not_be_read_may_have_been_found() {
    let mut objects = objects();
    objects.push(workload(
        "shop",
        "broken",
        json!([{"containerPort": "http"}]),
    ));
    objects.push(json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMScrapeConfig",
        "metadata": {"name": "x", "namespace": "other"}, "spec": {"kubernetesSDConfigs": [{"role": "pod", "namespaces": {"names": ["shop"]}}]}}));
    let inventory = read(objects.iter().enumerate(), &Config::default());
    let scrape = &inventory.scrapes[0];
    let reach = reach(&inventory, scrape, &scrape.endpoints[0], None);
    assert_eq!(reach.gaps.len(), 1, "{:?}", reach.gaps);
    assert!(
        reach.gaps[0].starts_with("Deployment shop/broken is not understood"),
        "{:?}",
        reach.gaps
    );
}
