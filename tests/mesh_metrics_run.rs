//! How does the second function run: under kustomize, on a ResourceList, on the command line, beside the first?

#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use istio_scrape::config::MeshMetrics;
use istio_scrape::yaml::{self, Rules};
use jsonschema::Validator;
use program::{Ended, ended, folder, program, run};
use regex::Regex;
use serde_json::{Value, json};
use support::kustomize::{Kustomize, kustomizes};

const MANUAL: &str = "functions/istio-scrape-metrics/README.md";
const CONFIG: &str =
    "apiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\nmetadata: {name: mesh}\n";

/// The documents of a text.
fn values(text: &str) -> Vec<Value> {
    let documents = yaml::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents
        .iter()
        .filter_map(|document| document.root.as_ref())
        .map(|root| root.value(Rules::Kustomize).expect("values"))
        .collect()
}

/// A ResourceList with these items, as text, and this configuration.
fn resource_list(items: &str, spec: &str) -> String {
    format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:{items}\nfunctionConfig:\n  \
         apiVersion: istio-scrape.dev/v1alpha1\n  kind: MeshMetrics\n  metadata:\n    name: mesh\n  spec: {spec}\n"
    )
}

fn answered(list: &str) -> (Ended, Value) {
    let ended = run(&[], list);
    let list = values(&ended.stdout)
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("{ended}"));
    (ended, list)
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().into_iter().flatten();
    items
        .map(|item| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{} {}",
                text(&item["kind"]),
                text(&item["metadata"]["name"])
            )
        })
        .collect()
}

#[test]
fn on_the_command_line_the_objects_come_out_as_a_stream() {
    let ended = run(&["mesh-metrics"], "");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended}");
    let kinds: Vec<String> = values(&ended.stdout)
        .iter()
        .map(|o| o["kind"].to_string())
        .collect();
    assert_eq!(kinds, ["\"VMServiceScrape\"", "\"VMPodScrape\""]);
    assert_eq!(
        ended.stdout,
        run(&["mesh-metrics"], "kind: X").stdout,
        "stdin is not read"
    );

    let folder = folder(&[(
        "mesh.yaml",
        &format!("{CONFIG}spec: {{style: prometheus, alerts: true}}\n"),
    )]);
    let mut command = program(&["mesh-metrics", "--config", "mesh.yaml"]);
    let ended = self::ended(command.current_dir(folder.path()), b"");
    let kinds: Vec<String> = values(&ended.stdout)
        .iter()
        .map(|o| o["kind"].to_string())
        .collect();
    assert_eq!(
        kinds,
        ["\"ServiceMonitor\"", "\"PodMonitor\"", "\"PrometheusRule\""]
    );
    let of_stdin = run(
        &["mesh-metrics", "--config", "-"],
        &format!("{CONFIG}spec: {{style: prometheus, alerts: true}}\n"),
    );
    assert_eq!(of_stdin.stdout, ended.stdout);
}

fn configured(text: &str) -> Ended {
    let folder = folder(&[("mesh.yaml", text)]);
    let mut command = program(&["mesh-metrics", "--config", "mesh.yaml"]);
    ended(command.current_dir(folder.path()), b"")
}

#[test]
fn a_wrong_configuration_is_refused_with_file_and_line_and_nothing_comes_out() {
    let refused = |text: &str| {
        let ended = configured(text);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
        ended.stderr
    };
    assert_snapshot!(refused(&format!("{CONFIG}spec:\n  stile: victoria\n  alerts: \"yes\"\n  interval: 30\n  components: [istiod, ztunel]\n  mesh:\n    revisions: [A]\n  labels:\n    a: 1\n  relabelings:\n  - source_labels: [a]\n")), @r#"
    istio-scrape: the configuration in mesh.yaml is refused:
      mesh.yaml:5: spec.stile is no field (did you mean style?); allowed here: style, namespace, labels, interval, cardinality, alerts, components, relabelings, metricRelabelings, mesh, proxies, certificates
      mesh.yaml:6: spec.alerts is "yes"; allowed: true or false
      mesh.yaml:7: spec.interval is 30; allowed: a time as text, as 30s or 1m30s
      mesh.yaml:8: spec.components[1] is "ztunel"; allowed: istiod, proxies, ztunnel, cni
      mesh.yaml:10: spec.mesh.revisions[0] is "A"; allowed: a DNS label as text: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      mesh.yaml:12: spec.labels["a"] is 1; allowed: names and texts that Kubernetes takes for labels: letters, digits, `-`, `_` and `.`, 63 at most, letters or digits at the ends, the name with `prefix/` if it has one; numbers in quotes
      mesh.yaml:14: spec.relabelings[0] is a map; allowed: a rule of sourceLabels (a list of texts), modulus (a number), action, regex, replacement, separator, targetLabel (texts)
    "#);
    // No object at all is no answer.
    assert_snapshot!(refused(&format!("{CONFIG}spec:\n  components: []\n  metricRelabelings:\n  - action: kep\n")), @r#"
    istio-scrape: the configuration in mesh.yaml is refused:
      mesh.yaml:5: spec.components is an empty list; allowed: a list of one or more of istiod, proxies, ztunnel, cni
      mesh.yaml:7: spec.metricRelabelings[0] is a rule whose action is "kep"; allowed: the actions replace, keep, drop, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase, keepequal, dropequal
    "#);
    assert_snapshot!(refused("apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\n"), @"istio-scrape: mesh.yaml is no configuration of mesh-metrics: it is kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1); give kind MeshMetrics (apiVersion istio-scrape.dev/v1alpha1)");
    assert_snapshot!(refused("apiVersion: v1\nkind: ConfigMap\ndata: {style: victoria}\n"), @"istio-scrape: mesh.yaml is no configuration of mesh-metrics: it is kind ConfigMap (apiVersion v1); give kind MeshMetrics (apiVersion istio-scrape.dev/v1alpha1)");
    assert_snapshot!(refused("apiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\nmetadata:\n  name: A.b\n"), @"
    istio-scrape: the configuration in mesh.yaml is refused:
      mesh.yaml:4: metadata.name is no DNS label, and the names of all objects begin with it: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
    ");
    assert_snapshot!(refused("a: 1\n---\nb: 2\n"), @"istio-scrape: mesh.yaml is no configuration of mesh-metrics: it is an object without kind; give kind MeshMetrics (apiVersion istio-scrape.dev/v1alpha1)");
}

/// No object with alerts would be taken for one that has nothing to tell.
#[test]
fn alerts_on_nothing_that_is_scraped_are_said() {
    let spec = "{alerts: true, components: [cni, ztunnel]}";
    let said = configured(&format!("{CONFIG}spec: {spec}\n"));
    assert_eq!(said.code, 0, "{said}");
    assert_snapshot!(said.stderr, @"warning: MeshMetrics mesh: spec.alerts is true, but there are no alerts on ztunnel and cni: none are made; add istiod or proxies to spec.components, or remove spec.alerts");
    let (ended, list) = answered(&resource_list(" []", spec));
    assert_eq!((ended.code, ended.stderr), (0, said.stderr));
    assert_eq!(
        names(&list),
        ["VMPodScrape mesh-ztunnel", "VMPodScrape mesh-cni"]
    );
    let quiet = configured(&format!("{CONFIG}spec: {{components: [cni]}}\n"));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn the_first_function_says_where_the_second_is() {
    let folder = folder(&[("mesh.yaml", CONFIG)]);
    let mut command = program(&["--config", "mesh.yaml"]);
    let ended = ended(
        command.current_dir(folder.path()),
        b"kind: A\napiVersion: v1\n",
    );
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended}");
    assert_snapshot!(ended.stderr, @"istio-scrape: mesh.yaml is of kind MeshMetrics, which decides nothing: `istio-scrape mesh-metrics` prints the objects that it asks for; here give kind ScrapeTLS");
}

/// No API server knows the kind: passed on, it would make `kubectl apply` fail behind a run that says that all is well.
#[test]
fn among_the_inputs_the_configuration_is_left_out_and_the_way_to_its_objects_said() {
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let ended = run(&[], &format!("{other}---\n{CONFIG}"));
    assert_eq!((ended.code, ended.stdout.as_str()), (0, other), "{ended}");
    assert_snapshot!(ended.stderr, @"stdin:5 (object 2, named mesh): MeshMetrics is configuration and left out of the output; `istio-scrape mesh-metrics --config FILE` prints the objects that it asks for");
    // A host has it among its resources.
    let list = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {}\n",
        CONFIG.trim_end().replace('\n', "\n  ")
    );
    let ended = run(&[], &list);
    assert_eq!((ended.code, ended.stdout), (0, list));
}

/// What kustomize gives a generator: nothing but a copy of the configuration.
#[test]
fn the_configuration_that_kustomize_gives_does_not_come_back() {
    let own = "\n- apiVersion: istio-scrape.dev/v1alpha1\n  kind: MeshMetrics\n  metadata:\n    name: mesh\n    annotations:\n      \
               config.kubernetes.io/local-config: 'true'\n  spec: {}";
    let (ended, list) = answered(&resource_list(own, "{}"));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended}");
    assert_eq!(
        names(&list),
        ["VMServiceScrape mesh-istiod", "VMPodScrape mesh-proxies"]
    );
    // kpt's is a file of somebody's.
    let of_kpt = own.replace(
        "local-config: 'true'",
        "local-config: 'true'\n      config.kubernetes.io/path: 'fn/mesh.yaml'",
    );
    let (_, list) = answered(&resource_list(&of_kpt, "{}"));
    assert_eq!(
        names(&list),
        [
            "MeshMetrics mesh",
            "VMServiceScrape mesh-istiod",
            "VMPodScrape mesh-proxies"
        ]
    );
}

#[test]
fn items_of_others_come_back_byte_by_byte() {
    let item = "\n- kind: ConfigMap # of somebody\n  apiVersion: v1\n  metadata: {name: a}\n  data: {a: \"yes\"}";
    let (ended, list) = answered(&resource_list(item, "{}"));
    assert!(ended.stdout.contains(item), "{ended}");
    assert_eq!(
        names(&list),
        [
            "ConfigMap a",
            "VMServiceScrape mesh-istiod",
            "VMPodScrape mesh-proxies"
        ]
    );
    for empty in ["", " []", " null", "\n- null\n- null"] {
        let (ended, list) = answered(&resource_list(empty, "{}"));
        let names: Vec<String> = names(&list)
            .into_iter()
            .filter(|name| name != " ")
            .collect();
        assert_eq!(
            names,
            ["VMServiceScrape mesh-istiod", "VMPodScrape mesh-proxies"],
            "{ended}"
        );
    }
    let without = resource_list("", "{}").replace("items:\n", "");
    assert_eq!(
        names(&answered(&without).1),
        ["VMServiceScrape mesh-istiod", "VMPodScrape mesh-proxies"]
    );
    let json = json!({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [],
        "functionConfig": {"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics"}});
    let (ended, list) = answered(&json.to_string());
    assert!(
        serde_json::from_str::<Value>(&ended.stdout).is_ok(),
        "{ended}"
    );
    assert_eq!(
        names(&list),
        [
            "VMServiceScrape mesh-metrics-istiod",
            "VMPodScrape mesh-metrics-proxies"
        ]
    );
}

/// Hosts print YAML in blocks; people and other programs do not have to.
#[test]
fn a_list_in_any_style_takes_the_objects() {
    let own = r#"{"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics", "metadata": {"name": "mesh", "annotations": {"config.kubernetes.io/local-config": "true"}}}"#;
    let other = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
    let made = ["VMServiceScrape mesh-istiod", "VMPodScrape mesh-proxies"];
    for (items, before) in [
        (format!(" [{own}]"), &[][..]),
        (format!(" [{other}]"), &["ConfigMap a"]),
        (format!(" [{own}, {other}]"), &["ConfigMap a"]),
        (
            format!("\n- {own}\n- {other} # of somebody"),
            &["ConfigMap a"],
        ),
    ] {
        let text = resource_list(&items, "{}");
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let (ended, list) = answered(&text);
            assert_eq!(ended.code, 0, "{ended}");
            assert_eq!(names(&list), [before, &made[..]].concat(), "{ended}");
            let (_, again) = answered(&ended.stdout);
            assert_eq!(again["items"], list["items"], "{ended}");
        }
        let Some(items) = items.strip_prefix(' ') else {
            continue;
        };
        let json = format!(
            r#"{{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": {items}, "functionConfig": {own}}}"#
        );
        let (ended, list) = answered(&json);
        assert!(
            serde_json::from_str::<Value>(&ended.stdout).is_ok(),
            "{ended}"
        );
        assert_eq!(names(&list), [before, &made[..]].concat(), "{ended}");
    }
}

#[test]
fn a_second_run_changes_no_item_and_says_so() {
    for spec in [
        "{}",
        "{alerts: true, components: [istiod, proxies, ztunnel, cni], labels: {a: b}, style: prometheus}",
    ] {
        let (first, before) = answered(&resource_list("", spec));
        let (second, after) = answered(&first.stdout);
        assert_eq!(second.code, 0, "{second}");
        assert_eq!(before["items"], after["items"]);
        let items = before["items"].as_array().expect("items").len();
        assert_eq!(second.stderr.lines().count(), items, "{second}");
        assert!(
            second
                .stderr
                .lines()
                .all(|line| line.starts_with("info: ") && line.ends_with(" is there already")),
            "{second}"
        );
        let results = after["results"].as_array().expect("results");
        assert!(
            results.len() == items && results.iter().all(|result| result["severity"] == "info"),
            "{second}"
        );
        // Results that are there are not said again.
        let (third, _) = answered(&second.stdout);
        assert_eq!(third.stdout, second.stdout);
    }
}

#[test]
fn what_was_made_before_is_brought_up_to_date_and_keeps_what_others_added() {
    let (first, _) = answered(&resource_list("", "{labels: {a: b}}"));
    // A host says where it keeps the file, another function adds a label.
    let changed = first
        .stdout
        .replace(
            "    annotations:\n",
            "    annotations:\n      config.kubernetes.io/index: '0'\n",
        )
        .replace("    labels:\n", "    labels:\n      of: another\n")
        .replace(
            "spec: {labels: {a: b}}",
            "spec: {labels: {a: c}, cardinality: full}",
        );
    assert_ne!(changed, first.stdout);
    let (second, after) = answered(&changed);
    assert_eq!(second.code, 0, "{second}");
    assert!(
        second
            .stderr
            .lines()
            .all(|line| line.ends_with("brought up to date")),
        "{second}"
    );
    let items = after["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{second}");
    for item in items {
        assert_eq!(
            item["metadata"]["labels"],
            json!({"of": "another", "a": "c"}),
            "{second}"
        );
        assert_eq!(
            item["metadata"]["annotations"]["config.kubernetes.io/index"],
            "0"
        );
    }
    assert!(!second.stdout.contains("metricRelabelConfigs"), "{second}");
    let (third, again) = answered(&second.stdout);
    assert_eq!(again["items"], after["items"]);
    assert!(
        third
            .stderr
            .lines()
            .all(|line| line.ends_with("is there already")),
        "{third}"
    );
}

/// Each part of an object counts by itself.
#[test]
fn a_difference_anywhere_is_brought_up_to_date() {
    let (first, before) = answered(&resource_list("", "{labels: {a: b}}"));
    for (from, to) in [
        ("      a: b\n", "      a: c\n"),
        ("      a: b\n", ""),
        ("    labels:\n      a: b\n", ""),
        (
            "istio-scrape.dev/accept: target-unknown",
            "istio-scrape.dev/accept: stale-tls",
        ),
        ("path: /metrics", "path: /other"),
        (
            "operator.victoriametrics.com/v1beta1",
            "operator.victoriametrics.com/v1alpha1",
        ),
    ] {
        let changed = first.stdout.replacen(from, to, 1);
        assert_ne!(changed, first.stdout, "{from}");
        let (second, after) = answered(&changed);
        let renewed = second
            .stderr
            .lines()
            .filter(|line| line.ends_with("brought up to date"))
            .count();
        assert_eq!(renewed, 1, "{from}: {second}");
        assert_eq!(after["items"], before["items"], "{from}: {second}");
    }
}

#[test]
fn what_somebody_else_made_stays_theirs() {
    let theirs = "\n- apiVersion: operator.victoriametrics.com/v1beta1\n  kind: VMPodScrape\n  metadata:\n    name: mesh-proxies\n    \
                  namespace: istio-system\n  spec:\n    podMetricsEndpoints: [{port: mine}] # mine";
    let (ended, list) = answered(&resource_list(theirs, "{}"));
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.contains(theirs), "{ended}");
    assert_eq!(
        names(&list),
        ["VMPodScrape mesh-proxies", "VMServiceScrape mesh-istiod"]
    );
    assert_snapshot!(ended.stderr, @"warning: VMPodScrape istio-system/mesh-proxies is there already, made by somebody else: it stays, and this function makes none; give MeshMetrics another metadata.name or namespace, or remove the object");
    // In another namespace it is another one.
    let (_, list) = answered(&resource_list(
        &theirs.replace("istio-system", "default"),
        "{}",
    ));
    assert_eq!(names(&list).len(), 3);
}

#[test]
fn a_wrong_function_config_gives_the_items_back() {
    let item = "\n- kind: ConfigMap # of somebody\n  apiVersion: v1\n  metadata: {name: a}";
    let (ended, list) = answered(&resource_list(item, "{stile: a}"));
    assert_eq!(ended.code, 2, "{ended}");
    assert!(
        ended.stdout.contains(item) && list["results"][0]["severity"] == "error",
        "{ended}"
    );
    assert_snapshot!(ended.stderr, @"
    istio-scrape: the configuration in functionConfig is refused:
      spec.stile is no field (did you mean style?); allowed here: style, namespace, labels, interval, cardinality, alerts, components, relabelings, metricRelabelings, mesh, proxies, certificates
    ");
}

/// Istio itself, as its charts install it.
const ISTIO: &str = "---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Service
metadata:
  name: istiod
  namespace: istio-system
  labels: {app: istiod, istio: pilot}
spec:
  selector: {app: istiod, istio: pilot}
  ports: [{name: http-monitoring, port: 15014}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec:
  template:
    metadata:
      labels: {app: istiod, istio: pilot, sidecar.istio.io/inject: 'false'}
    spec:
      containers: [{name: discovery, ports: [{name: http-monitoring, containerPort: 15014}]}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ztunnel, namespace: istio-system}
spec:
  template:
    metadata:
      labels: {app: ztunnel, sidecar.istio.io/inject: 'false', istio.io/dataplane-mode: none}
    spec:
      containers: [{name: istio-proxy, ports: [{name: ztunnel-stats, containerPort: 15020}]}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: istio-cni-node, namespace: istio-system}
spec:
  template:
    metadata:
      labels: {k8s-app: istio-cni-node, sidecar.istio.io/inject: 'false', istio.io/dataplane-mode: none}
    spec:
      containers: [{name: install-cni, ports: [{name: metrics, containerPort: 15014}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: waypoint, namespace: shop}
spec:
  template:
    metadata:
      labels: {sidecar.istio.io/inject: 'false', istio.io/dataplane-mode: none, gateway.networking.k8s.io/gateway-name: waypoint}
    spec:
      containers: [{name: istio-proxy, ports: [{name: metrics, containerPort: 15020}, {name: http-envoy-prom, containerPort: 15090}]}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  template:
    metadata: {labels: {app: orders}}
    spec:
      containers: [{name: main, ports: [{name: http, containerPort: 8080}]}]
";
const AGENT: &str = "---
apiVersion: v1
kind: Namespace
metadata: {name: vm, labels: {istio-injection: enabled}}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata: {name: main, namespace: vm}
spec:
  selectAllByDefault: true
  disableSelfServiceScrape: true
  remoteWrite: [{url: http://vmsingle-main.vm.svc:8428/api/v1/write}]
";

/// The objects of a configuration.
fn made(spec: &str) -> String {
    let ended = configured(&format!("{CONFIG}spec: {spec}\n"));
    assert_eq!(ended.code, 0, "{ended}");
    ended.stdout
}

/// The decisions about our objects.
fn decisions(input: &str) -> Vec<Value> {
    let ended = run(&["explain", "-o", "json"], input);
    assert_eq!(ended.code, 0, "{ended}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let decisions = report["decisions"].as_array().cloned().unwrap_or_default();
    let is_ours = |decision: &Value| {
        let name = decision["object"]["name"].as_str().unwrap_or_default();
        name.starts_with("mesh-")
    };
    decisions.into_iter().filter(is_ours).collect()
}

const EVERYTHING: &str = "{alerts: true, components: [istiod, proxies, ztunnel, cni]}";

#[test]
fn the_first_function_leaves_the_objects_alone_and_says_why() {
    for style in ["victoria", "prometheus"] {
        let objects = made(&EVERYTHING.replace("{alerts", &format!("{{style: {style}, alerts")));
        let input = format!("{objects}{ISTIO}{AGENT}");
        let patched = run(&[], &input);
        assert_eq!(patched.code, 0, "{patched}");
        assert!(patched.stdout.starts_with(&objects), "{patched}");
        assert!(!patched.stderr.contains("mesh-"), "{patched}");
        let decisions = decisions(&input);
        assert_eq!(decisions.len(), 4, "{decisions:#?}");
        for decision in &decisions {
            let found =
                ["rule", "verdict"].map(|field| decision[field].as_str().unwrap_or_default());
            assert_eq!(found, ["already-right", "keep"], "{decision:#}");
            assert_eq!(
                decision["transport"],
                json!({"now": "plain", "wanted": "plain"})
            );
            let targets = decision["targets"].as_array().expect("targets");
            assert!(!targets.is_empty(), "{decision:#}");
            assert!(
                targets
                    .iter()
                    .all(|target| target["because"].as_array().is_some_and(|b| !b.is_empty()))
            );
        }
    }
    let explained = run(&["explain"], &format!("{}{ISTIO}{AGENT}", made(EVERYTHING)));
    assert!(
        explained.stdout.contains("port 15090 is the sidecar's own"),
        "{explained}"
    );
    assert!(
        explained
            .stdout
            .contains("label sidecar.istio.io/inject=false"),
        "{explained}"
    );
}

/// Most repositories do not hold Istio itself.
#[test]
fn where_istio_is_not_in_the_input_nobody_is_warned() {
    for spec in [
        EVERYTHING,
        "{proxies: {port: merged}}",
        "{proxies: {port: secure}}",
        "{style: prometheus, components: [istiod, proxies, ztunnel, cni]}",
    ] {
        let input = format!("{}{AGENT}", made(spec));
        let checked = run(&["check", "--fail-on", "warning"], &input);
        assert_eq!(checked.code, 0, "{spec}: {checked}");
        let explained = run(&["explain"], &input);
        assert!(
            explained
                .stdout
                .contains("left as it is, because the input has no Service"),
            "{explained}"
        );
        let patched = run(&[], &input);
        assert_eq!(patched.stdout, input, "{patched}");
    }
}

/// Its chart calls the container istio-proxy, and it is no gateway for that.
#[test]
fn ztunnel_as_its_chart_has_it_stays_plain_and_is_called_by_its_name() {
    const ZTUNNEL: &str = r#"---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ztunnel, namespace: istio-system}
spec:
  selector: {matchLabels: {app: ztunnel}}
  template:
    metadata: {labels: {app: ztunnel, sidecar.istio.io/inject: "false", istio.io/dataplane-mode: none}}
    spec: {containers: [{name: istio-proxy, ports: [{name: ztunnel-stats, containerPort: 15020}]}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"#;
    let input = format!("{}{ZTUNNEL}", made("{components: [ztunnel]}"));
    let explained = run(&["explain"], &input).stdout;
    assert!(
        explained.contains("already-right") && explained.contains("gateway, waypoint or ztunnel"),
        "{explained}"
    );
    assert_eq!(run(&[], &input).stdout, input);
}

/// As the manual promises of `merged`.
#[test]
fn an_app_whose_metrics_come_merged_and_by_themselves_is_told_of() {
    const APP: &str = r#"---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080", prometheus.io/path: /metrics}
    spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMPodScrape
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: http}]}
"#;
    let explained = |spec: &str| run(&["explain"], &format!("{}{APP}", made(spec))).stdout;
    let twice = "there VMPodScrape istio-system/mesh-proxies asks for them";
    let merged = explained("{proxies: {port: merged}}");
    assert!(
        merged.contains("merged-and-scraped") && merged.contains(twice),
        "{merged}"
    );
    let envoys = explained("{proxies: {port: envoy}}");
    assert!(!envoys.contains(twice), "{envoys}");
}

/// A scraper that does not select them has the user's labels to set.
#[test]
fn an_agent_that_does_not_select_them_is_told_of() {
    let agent = AGENT.replace("selectAllByDefault: true", "podScrapeSelector: {matchLabels: {team: a}}\n  podScrapeNamespaceSelector: {}\n  serviceScrapeSelector: {matchLabels: {team: a}}\n  serviceScrapeNamespaceSelector: {}");
    let without = run(
        &["check", "--fail-on", "warning"],
        &format!("{}{agent}", made("{}")),
    );
    assert!(
        without.code == 1 && without.stdout.contains("no-scraper-selects-this"),
        "{without}"
    );
    let with = run(
        &["check", "--fail-on", "warning"],
        &format!("{}{agent}", made("{labels: {team: a}}")),
    );
    assert_eq!(with.code, 0, "{with}");
}

fn example() -> std::path::PathBuf {
    support::in_repository("examples/mesh-metrics")
}

fn built(kustomize: &Kustomize, directory: &Path) -> (support::kustomize::Objects, String) {
    let output = kustomize.run(directory, support::kustomize::WITH_FUNCTIONS);
    let said = support::kustomize::said(&output);
    assert!(output.status.success(), "{said}");
    (
        support::kustomize::objects(&String::from_utf8_lossy(&output.stdout)),
        said,
    )
}

#[test]
fn the_example_makes_the_objects_and_patches_what_is_not_istios() {
    for kustomize in kustomizes(file!()) {
        let (objects, said) = built(&kustomize, &example());
        let made = values(
            &configured(&support::read("examples/mesh-metrics/fn/mesh-metrics.yaml")).stdout,
        );
        assert_eq!(made.len(), 3);
        for object in &made {
            let kind = object["kind"].as_str().expect("a kind");
            let name = object["metadata"]["name"].as_str().expect("a name");
            // ScrapeTLS had it in its hands, and changed nothing.
            assert_eq!(
                objects.get(&format!("{kind} istio-system/{name}")),
                Some(object)
            );
        }
        assert!(
            !objects
                .keys()
                .any(|key| key.contains("MeshMetrics") || key.contains("ScrapeTLS")),
            "{:?}",
            objects.keys()
        );
        let groups = objects["VMRule istio-system/mesh-alerts"]["spec"]["groups"].as_array();
        let rules = groups
            .into_iter()
            .flatten()
            .map(|group| group["rules"].as_array().map_or(0, Vec::len));
        let page = support::read("examples/mesh-metrics/README.md");
        assert!(page.contains(&format!("nothing; {} alerts on", rules.sum::<usize>())));
        let app = &objects["VMServiceScrape default/demo-app-service-scrape"];
        assert_eq!(app["spec"]["endpoints"][0]["scheme"], "https");
        assert!(
            !said.contains("mesh-") && !said.contains("warning"),
            "{said}"
        );
    }
}

/// The page shows what ScrapeTLS says of the objects.
#[test]
fn the_page_of_the_example_shows_what_is_printed() {
    let page = support::read("examples/mesh-metrics/README.md");
    let shown = page.split_once("\n```text\n").expect("a text block").1;
    let shown = shown.split("\n```").next().expect("it ends");
    for kustomize in kustomizes(file!()) {
        let output = kustomize.run(&example(), support::kustomize::WITH_FUNCTIONS);
        let folder = folder(&[("built.yaml", &String::from_utf8_lossy(&output.stdout))]);
        let config = example().join("fn/scrape-tls.yaml");
        let mut command = program(&["explain", "--config"]);
        let printed = ended(
            command
                .arg(config)
                .arg("built.yaml")
                .current_dir(folder.path()),
            b"",
        );
        assert!(
            printed.stdout.contains(shown),
            "the page shows\n{shown}\nbut this is printed\n{printed}"
        );
    }
}

#[test]
fn a_generator_of_another_style_in_another_namespace() {
    for kustomize in kustomizes(file!()) {
        let config = support::read("examples/mesh-metrics/fn/mesh-metrics.yaml");
        let config = config.replace(
            "  alerts: true",
            "  style: prometheus\n  namespace: monitoring\n  labels: {release: stack}",
        );
        let package = support::kustomize::package(&[
            (
                "kustomization.yaml",
                "generators:\n- mesh.yaml\ncommonAnnotations:\n  a: b\n",
            ),
            ("mesh.yaml", &config),
        ]);
        let (objects, _) = built(&kustomize, package.path());
        let keys: Vec<&str> = objects.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "PodMonitor monitoring/mesh-proxies",
                "ServiceMonitor monitoring/mesh-istiod"
            ]
        );
        assert!(
            objects
                .values()
                .all(|object| object["metadata"]["labels"]["release"] == "stack")
        );
    }
}

fn schema() -> Value {
    let printed = run(&["schema", "mesh-metrics"], "");
    assert_eq!(
        (printed.code, printed.stderr.as_str()),
        (0, ""),
        "{printed}"
    );
    serde_json::from_str(&printed.stdout).expect("JSON")
}

fn validator() -> Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema), "not JSON Schema");
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{error}"))
}

fn object(spec: &Value) -> Value {
    json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics", "metadata": {"name": "mesh"}, "spec": spec})
}

/// Every setting with its schema, in order.
fn settings() -> Vec<(String, Value)> {
    fn below(schema: &Value, path: &str, found: &mut Vec<(String, Value)>) {
        for (name, schema) in schema["properties"].as_object().expect("a map of fields") {
            let path = format!("{path}{name}");
            match schema.get("properties") {
                Some(_) => below(schema, &format!("{path}."), found),
                None => found.push((path, schema.clone())),
            }
        }
    }
    let mut found = Vec::new();
    below(&schema()["properties"]["spec"], "", &mut found);
    found
}

/// A specification with one setting.
fn only(path: &str, value: &Value) -> Value {
    match path.split_once('.') {
        Some((group, name)) => json!({group: {name: value}}),
        None => json!({path: value}),
    }
}

#[test]
fn the_schema_accepts_what_the_program_accepts() {
    let label = |length| json!("a".repeat(length));
    let rule = json!({"action": "keep", "sourceLabels": ["a", "b"], "regex": "c", "modulus": 2, "separator": "", "targetLabel": "d", "replacement": ""});
    let mut values = vec![
        json!(null),
        json!(true),
        json!("true"),
        json!(""),
        json!("a"),
        json!("A"),
        json!("a.b"),
        json!("-a"),
        json!("a-1"),
        json!(7),
        label(63),
        label(64),
        json!("/a"),
        json!("/a/../b"),
        json!("30s"),
        json!("1m30s"),
        json!("30"),
        json!("0s"),
        json!("1s1m"),
        json!("1h1m1s"),
        json!("victoria"),
        json!("Victoria"),
        json!("minimal"),
        json!("merged"),
        json!([]),
        json!({}),
        json!([null]),
        json!(["istiod"]),
        json!(["istiod", "istiod", "cni"]),
        json!(["istio"]),
        json!(["a", "b-1"]),
        json!(["A"]),
        json!([1]),
        json!({"a": "b"}),
        json!({"a": ""}),
        json!({"a": 1}),
        json!({"a": null}),
        json!({"a.b/C_d": "E.f"}),
        json!({"A/b": "c"}),
        json!({"a/b/c": "d"}),
        json!({"a": "b c"}),
        json!({"-a": "b"}),
        json!({"a": "-b"}),
        json!({"": "b"}),
        json!({"/a": "b"}),
        json!([rule]),
        json!([{}]),
        json!([{"source_labels": ["a"]}]),
        json!([{"sourceLabels": "a"}]),
        json!([{"regex": 1}]),
        json!([{"modulus": -1}]),
        json!([{"modulus": "2"}]),
        json!([{"action": "LabelDrop"}]),
        json!([{"action": "kep"}]),
        json!([{"action": "replace_all"}]),
        json!(["a"]),
        json!([[]]),
    ];
    for length in [63, 64] {
        values.push(json!({"a": label(length)}));
        values.push(json!({"a".repeat(length): "b"}));
    }
    let validator = validator();
    let (mut accepted, mut refused) = (0, 0);
    for (path, _) in settings() {
        for value in &values {
            let object = object(&only(&path, value));
            let ours = MeshMetrics::from_value(&object, "a").is_ok();
            assert_eq!(ours, validator.is_valid(&object), "{object}");
            match ours {
                true => accepted += 1,
                false => refused += 1,
            }
        }
    }
    assert!(
        accepted > 80 && refused > 400,
        "{accepted} accepted, {refused} refused"
    );
    for odd in [
        json!({"apiVersion": "istio-scrape.dev/v1", "kind": "MeshMetrics"}),
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS"}),
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics", "sepc": {}}),
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics", "metadata": {"name": "A"}}),
        object(&json!({"stile": "victoria"})),
        object(&json!({"mesh": {"mode": "STRICT"}})),
        object(&json!([])),
    ] {
        assert!(
            MeshMetrics::from_value(&odd, "a").is_err() && !validator.is_valid(&odd),
            "{odd}"
        );
    }
    for plain in [
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics"}),
        object(&json!(null)),
        object(&json!({"mesh": null})),
    ] {
        assert!(
            MeshMetrics::from_value(&plain, "a").is_ok() && validator.is_valid(&plain),
            "{plain}"
        );
    }
}

#[test]
fn the_defaults_of_the_schema_are_those_of_the_program() {
    let mut spec = json!({});
    let mut without = BTreeSet::new();
    for (path, schema) in settings() {
        let Some(default) = schema.get("default") else {
            without.insert(path);
            continue;
        };
        match path.split_once('.') {
            Some((group, name)) => spec[group][name] = default.clone(),
            None => spec[path.as_str()] = default.clone(),
        }
    }
    let mut object = object(&spec);
    object["metadata"]["name"] = "mesh-metrics".into();
    assert_eq!(
        MeshMetrics::from_value(&object, "a"),
        Ok(MeshMetrics::default()),
        "{spec:#}"
    );
    assert_eq!(
        without,
        ["interval".to_owned(), "namespace".to_owned()].into()
    );
}

#[test]
fn the_definition_is_in_step() {
    let printed = run(&["schema", "mesh-metrics-definition"], "").stdout;
    assert!(
        support::read("functions/istio-scrape-metrics/definition.yaml") == printed,
        "functions/istio-scrape-metrics/definition.yaml is not what `istio-scrape schema mesh-metrics-definition` prints: run `make definition`"
    );
}

#[test]
fn the_table_of_settings_says_what_the_schema_says() {
    let manual = support::read(MANUAL);
    let table = manual
        .split_once("\n| field | values | default | what it does |\n")
        .expect("a table of settings")
        .1;
    let rows: Vec<Vec<String>> = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|row| {
            row.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect();
    let settings = settings();
    let paths: Vec<String> = rows
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(
        paths,
        settings
            .iter()
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>()
    );
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    for (row, (path, schema)) in rows.iter().zip(&settings) {
        let words = [&schema["enum"], &schema["items"]["enum"]];
        let words = words.iter().find_map(|words| words.as_array());
        let words: Vec<&str> = words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let shown: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
        if !words.is_empty() {
            assert_eq!(shown, words, "{path}: values");
        }
        let default = match schema.get("default") {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
            None => "not set".to_owned(),
        };
        assert_eq!(row[2], default, "{path}: default");
        assert_eq!(
            link.replace_all(&row[3], "$1"),
            schema["description"].as_str().expect("text"),
            "{path}"
        );
    }
}

/// What the manual shows of YAML is taken, and what it shows of the command line is there.
#[test]
fn the_manual_shows_configurations_that_are_accepted() {
    let manual = support::read(MANUAL);
    let mut seen = 0;
    for block in manual.split("\n```yaml\n").skip(1) {
        let text = block.split("\n```").next().expect("it ends");
        for object in values(text) {
            if object["kind"] == "MeshMetrics" {
                let read = MeshMetrics::from_value(&object, "the manual");
                assert!(read.is_ok(), "{read:?}\n{text}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 3, "{seen}");
    for part in ["Short", "Long", "Examples"] {
        let text = manual
            .split_once(&format!("<!--mdtogo:{part}-->"))
            .unwrap_or_else(|| panic!("no part {part}"))
            .1;
        let text = text.split_once("<!--mdtogo-->").expect("it ends").0;
        assert!(text.trim().len() > 40, "{part}");
    }
}
