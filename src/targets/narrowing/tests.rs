//! Do relabelling rules leave the targets that vmagent would keep?
//!
//! Authority: VictoriaMetrics `lib/promrelabel/relabel_test.go`, actions `keep` and `drop`.
//! Departs from nothing.
//! Knows: rules, Services, workloads. Does not know: Istio.

use serde_json::{Value, json};

use crate::config::Config;
use crate::model::read;
use crate::targets::{Pods, Target, reach};

/// A Deployment `web` with ports `http` 8080 and `admin` 9090 of `main`, and 9102 of `exporter`.
fn web() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "demo"},
        "spec": {"template": {
            "metadata": {"labels": {"app": "web", "app.kubernetes.io/part-of": "shop"},
                "annotations": {"example.com/tier": "front", "prometheus.io/scrape": "true", "prometheus.io/port": "8080"}},
            "spec": {"containers": [
                {"name": "main", "ports": [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]},
                {"name": "exporter", "ports": [{"containerPort": 9102}]}]}}}})
}

fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "demo", "labels": {"svc": name}},
        "spec": {"selector": {"app": "web"}, "ports": [
            {"name": "http", "port": 80, "targetPort": "http"}, {"name": "metrics", "port": 9102}]}})
}

fn scrape(kind: &str, list: &str, rules: &Value, role: &str) -> Value {
    let mut object = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": kind,
        "metadata": {"name": "demo", "namespace": "demo"}, "spec": {list: [{"relabelConfigs": rules}]}});
    if kind == "VMServiceScrape" {
        object["spec"]["discoveryRole"] = json!(role);
    }
    object
}

/// The ports that are left, `?` after those that a rule may leave out; then what is missing and what is not followed.
fn left_of(objects: &[Value]) -> (String, Vec<String>, Vec<String>) {
    let inventory = read(objects.iter().enumerate(), &Config::default());
    let scrape = &inventory.scrapes[0];
    let reach = reach(
        &inventory,
        scrape,
        &scrape.endpoints[0],
        inventory.scrapers.first(),
    );
    let shown = |target: &Target<'_>| {
        let port = target
            .port
            .map_or("none".to_owned(), |port| port.to_string());
        let doubt = if target.via.contains("unless") {
            "?"
        } else {
            ""
        };
        let name = match &target.pods {
            Pods::Of(pods) if pods.object.name != "web" => format!("{}:", pods.object.name),
            Pods::Of(_) => String::new(),
            Pods::Elsewhere(place) => format!("{}:", place.kind),
        };
        format!("{name}{port}{doubt}")
    };
    let targets: Vec<String> = reach.targets.iter().map(shown).collect();
    (targets.join(" "), reach.gaps, reach.not_followed)
}

fn of_pods(rules: Value) -> String {
    left_of(&[
        web(),
        scrape("VMPodScrape", "podMetricsEndpoints", &rules, ""),
    ])
    .0
}

fn of_services(rules: Value) -> String {
    left_of(&[
        web(),
        service("one"),
        scrape("VMServiceScrape", "endpoints", &rules, "endpoints"),
    ])
    .0
}

fn keep(label: &str, regex: &str) -> Value {
    json!([{"action": "keep", "sourceLabels": [format!("__meta_kubernetes_{label}")], "regex": regex}])
}

const ALL: &str = "8080 9090 9102 15090";
const PERHAPS: &str = "8080? 9090? 9102? 15090?";

#[test]
fn labels_of_pods_by_their_own_discovery() {
    for (label, regex, expected) in [
        ("namespace", "demo", ALL),
        ("namespace", "other", ""),
        ("service_name", "one", ""),
        ("endpoint_port_name", "http", ""),
        ("pod_container_name", "main", "8080 9090"),
        ("pod_container_name", "main|exporter", "8080 9090 9102"),
        ("pod_container_name", "istio-proxy", "15090"),
        ("pod_container_name", "unheard-of", ""),
        ("pod_container_port_name", "admin", "9090"),
        ("pod_container_port_name", "http-envoy-prom", "15090"),
        ("pod_container_port_name", ".+", "8080 9090 15090"),
        ("pod_container_port_number", "(8080|9102)", "8080 9102"),
        ("pod_label_app", "web", ALL),
        ("pod_label_app", "other", ""),
        ("pod_label_app_kubernetes_io_part_of", "shop", ALL),
        ("pod_label_missing", "x", ""),
        ("pod_labelpresent_app", "true", ALL),
        ("pod_labelpresent_missing", "true", ""),
        ("pod_label_security_istio_io_tlsMode", "istio", PERHAPS),
        ("pod_label_pod_template_hash", "abc", PERHAPS),
        ("pod_annotation_example_com_tier", "front", ALL),
        ("pod_annotation_example_com_tier", "back", ""),
        ("pod_annotation_missing", "x", ""),
        ("pod_annotationpresent_example_com_tier", "true", ALL),
        ("pod_annotation_prometheus_io_scrape", "true", ALL),
        ("pod_annotation_prometheus_io_port", "8080", PERHAPS),
        ("pod_annotationpresent_prometheus_io_port", "true", ALL),
        ("pod_annotation_sidecar_istio_io_status", "x", PERHAPS),
        ("pod_phase", "Running", ALL),
        ("pod_ready", "true", ALL),
        ("pod_node_name", "one", PERHAPS),
        ("pod_controller_kind", "ReplicaSet", PERHAPS),
    ] {
        assert_eq!(of_pods(keep(label, regex)), expected, "{label} {regex}");
    }
}

#[test]
fn labels_of_pods_behind_services() {
    for (label, regex, expected) in [
        ("service_name", "one", ALL),
        ("service_name", "other", ""),
        ("service_label_svc", "one", ALL),
        ("service_label_svc", "two", ""),
        ("service_labelpresent_svc", "true", ALL),
        ("service_annotation_x", "y", PERHAPS),
        ("endpoint_port_name", "http", "8080"),
        ("endpointslice_port_name", "metrics", ""),
        ("pod_container_name", "exporter", "9102"),
        ("pod_container_port_name", "http", "8080"),
        ("pod_container_port_number", "9090", "9090"),
        ("pod_label_app", "web", ALL),
        ("pod_label_app", "other", ""),
        ("endpoint_ready", "true", ALL),
    ] {
        assert_eq!(of_services(keep(label, regex)), expected, "{label} {regex}");
    }
}

/// Where no role is written, whoever names a label is taken to know which of the two is asked.
#[test]
fn endpoints_and_slices_name_ports_by_labels_of_their_own() {
    for (role, of_endpoints, of_slices) in [
        ("endpoints", "8080", ""),
        ("endpointslice", "", "8080"),
        ("endpointslices", "", "8080"),
        ("", "8080", "8080"),
    ] {
        let left = |label| {
            let rules = keep(label, "http");
            let scrape = scrape("VMServiceScrape", "endpoints", &rules, role);
            left_of(&[web(), service("one"), scrape]).0
        };
        assert_eq!(left("endpoint_port_name"), of_endpoints, "{role}");
        assert_eq!(left("endpointslice_port_name"), of_slices, "{role}");
    }
}

#[test]
fn labels_of_services() {
    let left = |label, regex| {
        let rules = keep(label, regex);
        left_of(&[
            web(),
            service("one"),
            scrape("VMServiceScrape", "endpoints", &rules, "service"),
        ])
        .0
    };
    for (label, regex, expected) in [
        ("service_port_name", "http", "8080"),
        ("service_port_number", "80", "8080"),
        ("service_port_number", "9102", "9102"),
        ("service_name", "one", "8080 9102"),
        ("pod_label_app", "web", ""),
        ("pod_container_name", "main", ""),
    ] {
        assert_eq!(left(label, regex), expected, "{label} {regex}");
    }
}

#[test]
fn one_of_two_services_is_enough() {
    let left = |rules: &Value| {
        left_of(&[
            web(),
            service("one"),
            service("two"),
            scrape("VMServiceScrape", "endpoints", rules, "endpoints"),
        ])
        .0
    };
    assert_eq!(left(&keep("service_name", "two")), ALL);
    assert_eq!(left(&keep("service_name", "three")), "");
}

#[test]
fn drop_is_the_opposite_of_keep() {
    for (regex, expected) in [
        ("main", "9102 15090"),
        ("main|exporter|istio-proxy", ""),
        (".*", ""),
        ("", "8080? 9090? 9102? 15090?"),
        ("ma.n", PERHAPS),
        ("unheard-of", ALL),
    ] {
        let rules = json!([{"action": "Drop", "source_labels": ["__meta_kubernetes_pod_container_name"], "regex": regex}]);
        assert_eq!(of_pods(rules), expected, "{regex}");
    }
    let without_regex = |action: &str| {
        of_pods(
            json!([{"action": action, "sourceLabels": ["__meta_kubernetes_pod_container_name"]}]),
        )
    };
    assert_eq!(without_regex("keep"), ALL);
    assert_eq!(without_regex("drop"), "");
}

#[test]
fn expressions_that_are_plain_text() {
    for (regex, expected) in [
        ("main", "8080 9090"),
        ("^main$", "8080 9090"),
        ("(main)", "8080 9090"),
        ("(?:main|exporter)", "8080 9090 9102"),
        ("^(main|exporter)$", "8080 9090 9102"),
        (r"istio\-proxy", "15090"),
        ("mai", ""),
        ("(m)ain", PERHAPS),
        ("(?i)MAIN", PERHAPS),
        ("[m]ain", PERHAPS),
        (r"\w+", PERHAPS),
        ("main.*", PERHAPS),
        (".*", ALL),
        ("(.+)", ALL),
    ] {
        assert_eq!(
            of_pods(keep("pod_container_name", regex)),
            expected,
            "{regex}"
        );
    }
}

#[test]
fn expressions_in_a_list_are_alternatives() {
    let rules = |regex: Value| {
        of_pods(
            json!([{"action": "keep", "sourceLabels": ["__meta_kubernetes_pod_container_name"], "regex": regex}]),
        )
    };
    assert_eq!(rules(json!(["main", "istio-proxy"])), "8080 9090 15090");
    assert_eq!(rules(json!(["main", "e.*"])), PERHAPS);
    assert_eq!(rules(json!(true)), PERHAPS);
}

#[test]
fn several_sources_are_joined() {
    let rules = |sources: &[&str], regex: &str, separator: Option<&str>| {
        let sources: Vec<String> = sources
            .iter()
            .map(|label| format!("__meta_kubernetes_{label}"))
            .collect();
        let mut rule = json!({"action": "keep", "sourceLabels": sources, "regex": regex});
        if let Some(separator) = separator {
            rule["separator"] = json!(separator);
        }
        of_pods(json!([rule]))
    };
    let two = ["pod_label_app", "pod_container_port_name"];
    assert_eq!(rules(&two, "web;http", None), "8080");
    assert_eq!(rules(&two, "web;http|web;", None), "8080 9102");
    assert_eq!(rules(&two, "web-http", Some("-")), "8080");
    assert_eq!(rules(&two, "web-http", None), "");
    assert_eq!(rules(&two, ".+", None), ALL);
    let unknown = ["pod_container_name", "pod_node_name"];
    assert_eq!(rules(&unknown, "main;n1", None), "8080? 9090?");
    assert_eq!(rules(&unknown, "mainn1", Some("")), PERHAPS);
}

#[test]
fn every_rule_has_to_leave_a_target() {
    let mut rules = keep("pod_container_name", "main");
    let more = keep("pod_container_port_number", "9090|9102");
    rules.as_array_mut().unwrap().push(more[0].clone());
    assert_eq!(of_pods(rules), "9090");
}

#[test]
fn what_an_earlier_rule_rewrites_is_not_followed() {
    let after = |first: Value| {
        let mut rules = json!([first]);
        let keep = keep("pod_container_name", "main");
        rules.as_array_mut().unwrap().push(keep[0].clone());
        of_pods(rules)
    };
    let name = "__meta_kubernetes_pod_container_name";
    for rewriting in [
        json!({"targetLabel": name, "replacement": "x"}),
        json!({"target_label": name, "replacement": "x", "action": "replace"}),
        json!({"action": "lowercase", "sourceLabels": [name], "targetLabel": name}),
        json!({"targetLabel": "__meta_$1", "regex": "(.+)"}),
        json!({"action": "labeldrop", "regex": "__meta_kubernetes_pod_container_.+"}),
        json!({"action": "labeldrop", "regex": "foo|__meta.+"}),
        json!({"action": "labelkeep", "regex": "foo"}),
        json!({"action": "labelmap", "regex": "tmp_(.+)", "replacement": "__meta_kubernetes_$1"}),
        json!({"action": "graphite", "match": "a.*", "labels": {name: "$1"}}),
    ] {
        assert_eq!(after(rewriting.clone()), PERHAPS, "{rewriting}");
    }
    for harmless in [
        json!({"sourceLabels": [name], "targetLabel": "container"}),
        json!({"action": "labelmap", "regex": "__meta_kubernetes_pod_label_(.+)"}),
        json!({"action": "labelmap", "regex": "__meta_kubernetes_pod_annotation_param_(.+)", "replacement": "__param_$1"}),
        json!({"action": "labeldrop", "regex": "__meta_kubernetes_pod_label_(.+)"}),
        json!({"action": "labeldrop", "regex": "pod"}),
    ] {
        assert_eq!(after(harmless.clone()), "8080 9090", "{harmless}");
    }
}

#[test]
fn what_is_not_followed_says_why() {
    for (rule, why) in [
        (
            json!({"action": "keep", "if": "{app=\"web\"}"}),
            "condition (if)",
        ),
        (
            json!({"action": "keepequal", "sourceLabels": ["a"], "targetLabel": "b"}),
            "compares labels",
        ),
        (
            json!({"action": "drop_if_contains", "sourceLabels": ["a"], "targetLabel": "b"}),
            "compares labels",
        ),
        (json!({"action": "keep_metrics", "regex": "a"}), "metric"),
        (keep("pod_container_name", "a+")[0].clone(), "\"a+\""),
        (keep("pod_ip", "x")[0].clone(), "pod_ip is not known"),
    ] {
        let scrape = scrape("VMPodScrape", "podMetricsEndpoints", &json!([rule]), "");
        let (left, gaps, not_followed) = left_of(&[web(), scrape]);
        assert_eq!((left.as_str(), gaps), (PERHAPS, Vec::new()), "{rule}");
        let [only] = not_followed.as_slice() else {
            panic!("{rule}: {not_followed:?}");
        };
        assert!(
            only.starts_with("relabelConfigs[0] may leave some"),
            "{only}"
        );
        assert!(only.contains(why), "{only}");
    }
}

#[test]
fn nothing_left_is_a_gap_that_names_the_rule() {
    let gaps = |rules: Value| {
        left_of(&[
            web(),
            scrape("VMPodScrape", "podMetricsEndpoints", &rules, ""),
        ])
        .1
    };
    assert_eq!(
        gaps(keep("pod_container_name", "nginx")),
        ["relabelConfigs[0] keeps only container nginx, which no pod in the input has"]
    );
    let rules = json!([{"action": "drop", "sourceLabels": ["__meta_kubernetes_namespace"], "regex": "demo"}]);
    assert_eq!(
        gaps(rules),
        ["relabelConfigs[0] drops namespace demo, which every target in the input has"]
    );
    let rules = json!([
        keep("pod_container_name", "main")[0],
        keep("pod_container_name", "exporter")[0]
    ]);
    assert_eq!(
        gaps(rules),
        ["relabelConfigs[0] and relabelConfigs[1] leave none of the targets in the input"]
    );
}

#[test]
fn pods_known_in_part_stay() {
    let stranger = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "stranger", "namespace": "demo"},
        "spec": {"selector": {"team": "a"}, "ports": [{"name": "http", "port": 80}]}});
    let left = |rules: Value| {
        let scrape = scrape("VMServiceScrape", "endpoints", &rules, "endpoints");
        left_of(&[stranger.clone(), scrape]).0
    };
    for (label, regex, expected) in [
        (
            "pod_label_team",
            "a",
            "stranger:none stranger:80 stranger:15090",
        ),
        ("pod_label_team", "b", ""),
        (
            "pod_label_app",
            "web",
            "stranger:none? stranger:80? stranger:15090?",
        ),
        (
            "pod_annotation_a",
            "b",
            "stranger:none? stranger:80? stranger:15090?",
        ),
        ("pod_container_name", "main", "stranger:none? stranger:80?"),
        (
            "pod_container_name",
            "istio-proxy",
            "stranger:none? stranger:80? stranger:15090",
        ),
        ("endpoint_port_name", "http", "stranger:80"),
        (
            "service_name",
            "stranger",
            "stranger:none stranger:80 stranger:15090",
        ),
    ] {
        assert_eq!(left(keep(label, regex)), expected, "{label} {regex}");
    }
}

#[test]
fn rules_of_the_scraper_count_too() {
    let agent = |spec: Value| {
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": "main", "namespace": "vm"}, "spec": spec})
    };
    let rules = keep("pod_container_name", "exporter");
    let nothing = json!([]);
    for spec in [
        json!({"globalScrapeRelabelConfigs": rules}),
        json!({"podScrapeRelabelTemplate": rules}),
        json!({"scrapeClasses": [{"name": "a", "default": true, "relabelConfigs": rules}]}),
    ] {
        let scrape = scrape("VMPodScrape", "podMetricsEndpoints", &nothing, "");
        let found = left_of(&[web(), scrape, agent(spec.clone())]).0;
        assert!(
            found.ends_with("9102") && !found.contains("8080"),
            "{spec}: {found}"
        );
    }
    for spec in [
        json!({"serviceScrapeRelabelTemplate": rules}),
        json!({"scrapeClasses": [{"name": "a", "relabelConfigs": rules}]}),
    ] {
        let scrape = scrape("VMPodScrape", "podMetricsEndpoints", &nothing, "");
        let found = left_of(&[web(), scrape, agent(spec.clone())]).0;
        assert!(found.contains("8080"), "{spec}: {found}");
    }
}

#[test]
fn addresses_and_nodes_have_no_labels_that_are_followed() {
    let rules = keep("pod_container_name", "main");
    let node = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMNodeScrape",
        "metadata": {"name": "demo", "namespace": "demo"}, "spec": {"relabelConfigs": rules}});
    let address = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMStaticScrape",
        "metadata": {"name": "demo", "namespace": "demo"},
        "spec": {"targetEndpoints": [{"targets": ["one.demo.svc:9102"], "relabelConfigs": rules}]}});
    assert_eq!(left_of(&[node]).0, "Node:none?");
    assert_eq!(left_of(&[web(), service("one"), address]).0, "9102?");
}

/// Services that a rule leaves out are passed by after the first; what is left, and what is said, is as if all were looked at.
#[test]
fn what_is_passed_by_changes_no_words() {
    let rule = |label: &str, regex: &str| keep(label, regex)[0].clone();
    let only_three = || rule("service_name", "three");
    let no_service = || rule("service_label_svc", "none");
    let no_container = || rule("pod_container_name", "unheard-of");
    for (rules, left, gaps) in [
        (vec![only_three()], ALL, &[][..]),
        (vec![rule("namespace", "demo"), only_three()], ALL, &[]),
        (
            vec![no_service()],
            "",
            &[
                "relabelConfigs[0] keeps only __meta_kubernetes_service_label_svc none, which no target in the input has",
            ],
        ),
        (
            vec![no_container(), no_service()],
            "",
            &["relabelConfigs[0] keeps only container unheard-of, which no pod in the input has"],
        ),
        (
            vec![only_three(), no_container()],
            "",
            &["relabelConfigs[0] and relabelConfigs[1] leave none of the targets in the input"],
        ),
    ] {
        let object = scrape("VMServiceScrape", "endpoints", &json!(rules), "endpoints");
        let (targets, missing, not_followed) = left_of(&[
            web(),
            service("one"),
            service("two"),
            service("three"),
            object,
        ]);
        assert_eq!(
            (targets.as_str(), missing.as_slice()),
            (
                left,
                gaps.iter()
                    .map(|gap| (*gap).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice()
            ),
            "{rules:?}"
        );
        assert!(not_followed.is_empty(), "{rules:?}");
    }
}

/// A Service that leads nowhere loses nothing by a rule.
#[test]
fn a_service_without_targets_is_not_left_out() {
    let mut portless = service("one");
    portless["spec"]["ports"] = json!([]);
    let object = scrape(
        "VMServiceScrape",
        "endpoints",
        &keep("service_name", "other"),
        "endpoints",
    );
    let (targets, missing, _) = left_of(&[web(), portless, object]);
    assert_eq!(targets, "");
    assert_eq!(missing, ["there is no port behind Service demo/one"]);
}
