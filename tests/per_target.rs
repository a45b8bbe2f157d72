//! Where one endpoint speaks https to some targets and http to others: does each get what it demands?
//!
//! The labels of every target are put together from the manifests as a scraper's discovery would, the relabelling
//! rules of the endpoint as it goes out are applied to them, and the scheme is compared with the demand. Whatever the
//! manifests do not show of a target is tried with every value that another target has there.

#[path = "support/relabelling.rs"]
mod relabelling;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::thread;

use istio_scrape::krm::Source;
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, run};
use relabelling::{Labels, relabelled};
use serde_json::Value;

/// For each of as many seeds as there are threads.
const RANDOM_MESHES: u64 = 250;
const SEEDS: [u64; 4] = [
    0x1234_5678_9abc_def1,
    0x2345_6789_abcd_ef12,
    0x3456_789a_bcde_f123,
    0x4567_89ab_cdef_1234,
];
const POD_LABEL: &str = "__meta_kubernetes_pod_label_";
const OWN_ADDRESS: &str = "10.0.0.1";
const OTHER_ADDRESS: &str = "10.0.0.2";

/// A target as the report tells of it, and what discovery would know of it.
struct Target {
    told: String,
    demand: String,
    /// `None`: the manifests do not show it.
    port: Option<u64>,
    labels: Labels,
    /// Labels of the pod that are not among the labels are not on the pod.
    lists_all: bool,
}

/// What is wrong with the endpoints of a run that choose the scheme per target, and how many there are.
fn check(text: &str, config: Option<String>) -> (usize, Vec<String>) {
    let flags = Flags {
        config: config.map(|text| Source::named("config.yaml", text)),
        ..Flags::default()
    };
    let sources = [Source::named("input.yaml", text)];
    let Ok(outcome) = run(&sources, &flags) else {
        return (0, Vec::new());
    };
    let Some(output) = outcome.text() else {
        return (0, Vec::new());
    };
    let objects = objects(&output);
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let (mut endpoints, mut wrong) = (0, Vec::new());
    for decision in report["decisions"].as_array().expect("decisions") {
        let is_served = decision["transport"]["wanted"] == "perTarget"
            && (decision["verdict"] == "patch" || decision["rule"] == "already-right");
        let about = &decision["object"];
        let Some(object) = objects.iter().find(|object| is(object, about)) else {
            continue;
        };
        let at = decision["at"].as_str().expect("a pointer");
        let Some(endpoint) = object
            .pointer(at)
            .filter(|_| is_served && outcome.exit == 0)
        else {
            continue;
        };
        let listed = decision["targets"].as_array().expect("targets");
        let targets: Vec<Target> = listed
            .iter()
            .map(|target| discovered(target, &objects))
            .collect();
        endpoints += 1;
        wrong.extend(wrong_schemes(endpoint, &targets));
    }
    (endpoints, wrong)
}

fn wrong_schemes(endpoint: &Value, targets: &[Target]) -> Vec<String> {
    let rules = ["relabelConfigs", "relabelings"]
        .iter()
        .find_map(|key| endpoint.get(*key)?.as_array().cloned())
        .unwrap_or_default();
    let scheme = endpoint["scheme"].as_str().unwrap_or("http").to_lowercase();
    let mut wrong = Vec::new();
    for target in targets {
        let https = match target.demand.as_str() {
            "mutualTLS" => true,
            "plain" => false,
            _ => continue,
        };
        for mut labels in fillings(target, targets, &rules) {
            labels.insert("__scheme__".to_owned(), scheme.clone());
            let shown = format!("{labels:?}");
            let Some(after) = relabelled(&rules, labels, &[("POD_IP", OWN_ADDRESS)]) else {
                continue;
            };
            if (after["__scheme__"] == "https") != https {
                wrong.push(format!(
                    "{} gets {}: {shown}",
                    target.told, after["__scheme__"]
                ));
            }
        }
    }
    wrong
}

/// The labels of a target, with everything that is not known of it in all ways that other targets have it.
fn fillings(target: &Target, targets: &[Target], rules: &[Value]) -> Vec<Labels> {
    let mut all = vec![target.labels.clone()];
    let looked_at: BTreeSet<&str> = rules
        .iter()
        .flat_map(|rule| [rule.get("sourceLabels"), rule.get("source_labels")])
        .flatten()
        .flat_map(|sources| sources.as_array().expect("a list"))
        .filter_map(Value::as_str)
        .collect();
    for name in looked_at {
        let is_open = name.starts_with(POD_LABEL) && !target.lists_all
            || name == "__address__" && target.port.is_none();
        if !is_open || target.labels.contains_key(name) {
            continue;
        }
        let values: BTreeSet<Option<String>> = targets
            .iter()
            .map(|other| other.labels.get(name).cloned())
            .chain([None])
            .collect();
        all = all
            .iter()
            .flat_map(|labels| {
                values.iter().map(move |value| {
                    let mut labels = labels.clone();
                    labels.extend(value.clone().map(|value| (name.to_owned(), value)));
                    labels
                })
            })
            .collect();
    }
    all
}

/// What discovery knows of a target: the pods' own labels, the injector's, those of controllers, namespace, address.
fn discovered(target: &Value, objects: &[Value]) -> Target {
    let workload = &target["workload"];
    let kind = workload["kind"].as_str().expect("a kind");
    // What only a Service tells of goes by the Service's name.
    let stands_for = match kind {
        "Pods" => "Service",
        other => other,
    };
    let object = objects.iter().find(|object| {
        object["kind"] == stands_for
            && object["metadata"]["name"] == workload["name"]
            && namespace(object) == workload["namespace"]
    });
    let object = object.unwrap_or_else(|| panic!("no object for {workload}"));
    let (pod_labels, lists_all) = match kind {
        "Pod" => (strings(&object["metadata"]["labels"]), true),
        "Pods" => (strings(&object["spec"]["selector"]), false),
        "CronJob" => {
            let template = &object["spec"]["jobTemplate"]["spec"]["template"];
            (strings(&template["metadata"]["labels"]), true)
        }
        "VMAgent" => (of_an_agent(object), false),
        "Service" => (BTreeMap::new(), false),
        _ if object["spec"]["template"].is_object() => {
            let template = &object["spec"]["template"];
            (strings(&template["metadata"]["labels"]), true)
        }
        _ => (BTreeMap::new(), false),
    };
    let mut labels: Labels = pod_labels
        .into_iter()
        .map(|(key, value)| {
            (
                format!(
                    "{POD_LABEL}{}",
                    key.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
                ),
                value,
            )
        })
        .collect();
    // Nobody but the injector sets this one.
    let mode = format!("{POD_LABEL}security_istio_io_tlsMode");
    match target["dataPlane"].as_str() {
        Some("sidecar") => labels.entry(mode).or_insert_with(|| "istio".to_owned()),
        _ => labels.entry(mode).or_default(),
    };
    // Whoever looks at these finds something that nobody wrote.
    let name = workload["name"].as_str().expect("a name");
    labels.insert(
        format!("{POD_LABEL}pod_template_hash"),
        format!("hash-of-{name}"),
    );
    labels.insert(
        format!("{POD_LABEL}service_istio_io_canonical_name"),
        name.to_owned(),
    );
    let in_namespace = workload["namespace"].as_str().expect("a namespace");
    labels.insert(
        "__meta_kubernetes_namespace".to_owned(),
        in_namespace.to_owned(),
    );
    let is_own_pod = target["because"][0]
        .as_str()
        .is_some_and(|why| why.contains("scrapes its own pod"));
    let address = if is_own_pod {
        OWN_ADDRESS
    } else {
        OTHER_ADDRESS
    };
    labels.insert("__meta_kubernetes_pod_ip".to_owned(), address.to_owned());
    let port = target["port"].as_u64();
    if let Some(port) = port {
        labels.insert("__address__".to_owned(), format!("{address}:{port}"));
    }
    Target {
        told: format!(
            "{kind} {in_namespace}/{name}:{} ({})",
            target["port"], target["demand"]
        ),
        demand: target["demand"].as_str().expect("a demand").to_owned(),
        port,
        labels,
        lists_all,
    }
}

/// Labels of the pods that the operator makes of a VMAgent.
fn of_an_agent(object: &Value) -> BTreeMap<String, String> {
    let mut labels = strings(&object["spec"]["podMetadata"]["labels"]);
    let name = object["metadata"]["name"].as_str().expect("a name");
    for (key, value) in [
        ("app.kubernetes.io/name", "vmagent"),
        ("app.kubernetes.io/instance", name),
        ("app.kubernetes.io/component", "monitoring"),
        ("managed-by", "vm-operator"),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    labels
}

fn strings(map: &Value) -> BTreeMap<String, String> {
    let pairs = map.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| (key.clone(), value.as_str().expect("a text").to_owned()))
        .collect()
}

fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"]
        .as_str()
        .unwrap_or("default")
}

fn is(object: &Value, about: &Value) -> bool {
    object["kind"] == about["kind"]
        && object["metadata"]["name"] == about["name"]
        && namespace(object) == about["namespace"].as_str().unwrap_or_default()
}

/// The objects of a stream, a List or a ResourceList.
fn objects(text: &str) -> Vec<Value> {
    let documents = yaml::read(text).expect("the output is YAML");
    let roots = documents
        .iter()
        .filter_map(|document| document.root.as_ref());
    roots
        .filter_map(|root| root.value(Rules::Kubectl).ok())
        .flat_map(|value| match value["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![value],
        })
        .collect()
}

#[test]
fn every_target_of_every_case_gets_what_it_demands() {
    let (mut endpoints, mut told) = (0, String::new());
    for directory in support::directories("testdata") {
        let text = |name: &str| std::fs::read_to_string(directory.join(name)).ok();
        let input = text("input.yaml").expect("a case has an input");
        let (checked, wrong) = check(&input, text("config.yaml"));
        endpoints += checked;
        for problem in wrong {
            writeln!(told, "{}: {problem}", directory.display()).expect("a String grows");
        }
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(
        endpoints > 10,
        "only {endpoints} endpoints choose the scheme"
    );
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("small")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn mode(&mut self) -> &'static str {
        self.one(&["STRICT", "STRICT", "PERMISSIVE", "DISABLE"])
    }

    /// A mesh with one scraper, some workloads and Services, and two objects that scrape them all.
    fn mesh(&mut self) -> String {
        let mut text = String::new();
        let mut add = |document: String| {
            text.push_str("---\n");
            text.push_str(&document);
        };
        let namespaces = ["shop", "pay", "web.v2"];
        add(namespace_text("vm", "enabled"));
        for name in namespaces {
            let injection = self.one(&["enabled", "enabled", "enabled", "disabled"]);
            add(namespace_text(name, injection));
            if self.below(3) > 0 {
                let mode = self.mode();
                add(policy("default", name, "", mode, ""));
            }
            if self.below(3) == 0 {
                let selector = self.one(&["app: a", "app: b.1", "tier: x"]);
                let (mode, port, other) = (self.mode(), self.one(&["8080", "9090"]), self.mode());
                add(policy(
                    "some",
                    name,
                    selector,
                    mode,
                    &format!("\"{port}\": {{mode: {other}}}"),
                ));
            }
        }
        let mode = self.mode();
        add(policy("default", "istio-system", "", mode, ""));
        for number in 0..2 + self.below(4) {
            let namespace = self.one(&namespaces);
            let mut labels = "metrics: \"on\"".to_owned();
            for (key, values) in [
                ("app", ["a", "b.1", "b-1"]),
                ("tier", ["x", "y", "x"]),
                ("example.com/zone", ["1", "2", "1"]),
            ] {
                if self.below(3) > 0 {
                    let value = self.one(&values);
                    write!(labels, ", {key}: \"{value}\"").expect("a String grows");
                }
            }
            if self.below(6) == 0 {
                labels.push_str(", sidecar.istio.io/inject: \"false\"");
            }
            let annotations = match self.below(6) {
                0 => "traffic.sidecar.istio.io/excludeInboundPorts: \"9090\"",
                _ => "",
            };
            let ports = self.one(&[
                "{name: http, containerPort: 8080}",
                "{name: http, containerPort: 9090}",
                "{name: http, containerPort: 8080}, {name: admin, containerPort: 9090}",
                "{name: http, containerPort: 18080}",
                "",
            ]);
            let kind = self.one(&["Deployment", "StatefulSet"]);
            add(format!(
                "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: w{number}, namespace: {namespace}}}\nspec:\n  template:\n    \
                 metadata: {{labels: {{{labels}}}, annotations: {{{annotations}}}}}\n    spec: {{containers: [{{name: main, image: \"main:1\", ports: [{ports}]}}]}}\n"
            ));
        }
        for number in 0..1 + self.below(2) {
            let namespace = self.one(&namespaces);
            let selector = self.one(&["app: a", "tier: x", "metrics: \"on\"", "gone: \"yes\""]);
            add(format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: {namespace}, labels: {{metrics: \"on\"}}}}\n\
                 spec: {{selector: {{{selector}}}, ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: admin, port: 90, targetPort: 9090}}]}}\n"
            ));
        }
        let port = self.one(&["{port: http}", "{path: /metrics}"]);
        let service_port = self.one(&["{port: http}", "{port: admin}"]);
        for (kind, list, endpoint) in [
            ("VMPodScrape", "podMetricsEndpoints", port),
            ("VMServiceScrape", "endpoints", service_port),
        ] {
            add(format!(
                "apiVersion: operator.victoriametrics.com/v1beta1\nkind: {kind}\nmetadata: {{name: all, namespace: vm}}\n\
                 spec:\n  namespaceSelector: {{any: true}}\n  selector: {{matchLabels: {{metrics: \"on\"}}}}\n  {list}:\n  - {endpoint}\n"
            ));
        }
        // Some meet themselves, and siblings, among what all of them scrape.
        let labels = self.one(&["", "metrics: \"on\"", "metrics: \"on\", app: a"]);
        let replicas = 1 + self.below(2);
        add(format!(
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMAgent\nmetadata: {{name: main, namespace: vm}}\nspec: \
             {{selectAllByDefault: true, remoteWrite: [], replicaCount: {replicas}, podMetadata: {{labels: {{{labels}}}}}}}\n"
        ));
        text
    }
}

fn namespace_text(name: &str, injection: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{istio-injection: {injection}}}}}\n"
    )
}

fn policy(name: &str, namespace: &str, selector: &str, mode: &str, ports: &str) -> String {
    let mut text = format!(
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  mtls: {{mode: {mode}}}\n"
    );
    if !selector.is_empty() {
        writeln!(text, "  selector: {{matchLabels: {{{selector}}}}}").expect("a String grows");
    }
    if !ports.is_empty() {
        writeln!(text, "  portLevelMtls: {{{ports}}}").expect("a String grows");
    }
    text
}

#[test]
fn every_target_of_random_meshes_gets_what_it_demands() {
    let checked = |seed: u64| {
        let mut random = Random(seed);
        let mut endpoints = 0;
        for _ in 0..RANDOM_MESHES {
            let mesh = random.mesh();
            let (checked, wrong) = check(&mesh, None);
            assert!(wrong.is_empty(), "{}\n{mesh}", wrong.join("\n"));
            endpoints += checked;
        }
        endpoints
    };
    let endpoints: usize = thread::scope(|scope| {
        let started = SEEDS.map(|seed| scope.spawn(move || checked(seed)));
        started
            .map(|thread| thread.join().unwrap_or_else(|why| resume_unwind(why)))
            .iter()
            .sum()
    });
    assert!(
        endpoints > 250,
        "only {endpoints} endpoints choose the scheme"
    );
}

/// The engine itself, by rows of Prometheus' `model/relabel/relabel_test.go`.
#[test]
fn rules_do_what_prometheus_documents() {
    let labels = |pairs: &[(&str, &str)]| -> Labels {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        owned.collect()
    };
    let before = labels(&[("a", "foo"), ("b", "bar"), ("c", "baz")]);
    let after = |rule: Value| relabelled(&[rule], before.clone(), &[]);
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let set = after(json(
        r#"{"sourceLabels": ["a"], "regex": "f(.*)", "targetLabel": "d", "replacement": "ch${1}-ch${1}"}"#,
    ));
    assert_eq!(set.expect("kept")["d"], "choo-choo");
    let joined = after(json(
        r#"{"sourceLabels": ["a", "b"], "regex": "foo;bar", "targetLabel": "d", "replacement": "x"}"#,
    ));
    assert_eq!(joined.expect("kept")["d"], "x");
    let anchored = after(json(
        r#"{"sourceLabels": ["a"], "regex": "fo", "targetLabel": "d", "replacement": "x"}"#,
    ));
    assert!(!anchored.expect("kept").contains_key("d"));
    assert!(
        after(json(
            r#"{"sourceLabels": ["a"], "regex": "foo", "action": "drop"}"#
        ))
        .is_none()
    );
    assert!(
        after(json(
            r#"{"sourceLabels": ["a"], "regex": "no-match", "action": "keep"}"#
        ))
        .is_none()
    );
    let mapped = after(json(
        r#"{"regex": "(a)", "replacement": "bar_${1}", "action": "labelmap"}"#,
    ));
    assert_eq!(mapped.expect("kept")["bar_a"], "foo");
    let dropped = after(json(r#"{"regex": "a|b", "action": "labeldrop"}"#));
    assert_eq!(dropped, Some(labels(&[("c", "baz")])));
    let kept = after(json(r#"{"regex": "a|b", "action": "labelkeep"}"#));
    assert_eq!(kept, Some(labels(&[("a", "foo"), ("b", "bar")])));
}
