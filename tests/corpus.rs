//! Real manifests: does a run give what their engineers, or the guide that they come from, made by hand?

mod support;

use std::fs;
use std::path::Path;

use istio_scrape::krm::{self, Source};
use istio_scrape::yaml::{self, Node, Rules};
use istio_scrape::{Flags, run};
use serde_json::Value;
use support::crds::Crds;

/// VictoriaMetrics' Istio guide, "Partially strict policy".
#[test]
fn the_guide_is_solved() {
    compare("corpus/vm-doc");
}

/// VictoriaMetrics' Istio guide, "Permissive policy": nothing changes, byte for byte.
#[test]
fn the_permissive_guide_is_left_alone() {
    compare("corpus/vm-doc-permissive");
    let Some(folder) = support::data(
        "corpus/vm-doc-permissive",
        "the permissive guide, byte for byte",
    ) else {
        return;
    };
    let input = read(&folder.join("input.yaml"));
    assert_eq!(patched(&input), input);
}

/// Istio's own sample for the Prometheus operator: metrics of Envoys and of istiod are plain even under STRICT.
#[test]
fn istios_own_monitors_are_left_alone() {
    unchanged("corpus/istio-sample-podmonitor");
}

/// OpenShift's way: a port that the whole mesh excludes from its policy is plain under STRICT, and proven to be.
#[test]
fn a_port_that_the_mesh_excludes_is_left_alone() {
    let Some(decisions) = unchanged("corpus/openshift-excluded-inbound-ports") else {
        return;
    };
    let endpoints: Vec<_> = decisions
        .iter()
        .filter(|decision| decision["at"] == "/spec/endpoints/0")
        .collect();
    assert_eq!(endpoints.len(), 1);
    assert_eq!(endpoints[0]["rule"], "already-right");
    assert_eq!(endpoints[0]["transport"]["wanted"], "plain");
    let targets = endpoints[0]["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), 1);
    for (field, expected) in [
        ("port", Value::from(9090)),
        ("captured", Value::from(false)),
        ("proven", Value::from(true)),
        ("demand", Value::from("plain")),
    ] {
        assert_eq!(targets[0][field], expected, "{field}");
    }
}

/// Kyma's platform: each of its 38 endpoints comes out as the rules of Istio and vmagent say, and the
/// platform as its engineers left it.
#[test]
fn a_whole_platform_comes_out_as_its_engineers_left_it() {
    let Some(folder) = support::data(
        "corpus/kyma-2021-09-after-11994-as-vm",
        "a whole platform, endpoint by endpoint",
    ) else {
        return;
    };
    let sources = [Source::named("-", read(&folder.join("input.yaml")))];
    // The directory that the engineers chose for their scraper.
    let directory = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\n\
        spec: {certificates: {directory: /etc/prometheus/secrets/istio.default}}\n";
    let flags = Flags {
        config: Some(Source::named("config.yaml", directory)),
        ..Flags::default()
    };
    let outcome = run(&sources, &flags).expect("the platform is read");
    let after = values(&outcome.text().expect("the platform has no errors"));
    let by_hand = values(&read(&folder.join("expected.yaml")));
    assert_eq!(after.len(), by_hand.len());
    for (after, by_hand) in after.iter().zip(&by_hand) {
        // The scraper's own set-up is written in another way by hand.
        if after["kind"] != "VMAgent" {
            assert_eq!(after, by_hand);
        }
    }
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let decided: Vec<(String, String, &str)> = report["decisions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|decision| {
            let wanted = decision["transport"]["wanted"].as_str()?;
            let text = |key: &str| decision["object"][key].as_str().unwrap_or_default();
            let monitor = format!("{}/{}", text("namespace"), text("name"));
            let endpoint = decision["at"].as_str()?.rsplit('/').next()?.to_owned();
            Some((monitor, endpoint, wanted))
        })
        .collect();
    let table = read(&folder.join("expected.tsv"));
    let expected: Vec<(String, String, &str)> = table
        .lines()
        .skip(1)
        .map(|row| {
            let cells: Vec<&str> = row.split('\t').collect();
            let wanted = match cells[4] {
                "TLS" => "mutualTLS",
                other => other,
            };
            (cells[0].to_owned(), cells[1].to_owned(), wanted)
        })
        .collect();
    assert_eq!(expected.len(), 38);
    for endpoint in &expected {
        assert!(decided.contains(endpoint), "{endpoint:?}");
    }
    assert_eq!(decided.len(), expected.len());
}

/// The operator's own example for Istio is wrong in four ways: each row of its table, and the rule and the words that
/// tell it.
#[test]
fn the_official_example_is_told_what_is_wrong_with_it() {
    const RULES: [(&str, &[&str]); 4] = [
        ("tls-needs-repair", &["keyFile"]),
        (
            "tls-needs-repair",
            &[
                "keyFile is /etc/prom-certs/cert-chain.pem and should be /etc/istio-certs/key.pem",
                "insecureSkipVerify",
            ],
        ),
        ("volume-is-defined-twice", &["istio-certs"]),
        (
            "remote-write-leaves-the-mesh",
            &["includeOutboundIPRanges", "may be refused"],
        ),
    ];
    let case = "corpus/vm-operator-example-lint";
    let Some(folder) = support::data(case, "the official example, finding by finding") else {
        return;
    };
    let input = read(&folder.join("input.yaml"));
    let outcome = run(&[Source::named("-", input.as_str())], &Flags::default())
        .expect("the example is read")
        .into_owned();
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let decisions = report["decisions"].as_array().expect("decisions");
    let is_told = |object: &str, (rule, words): (&str, &[&str])| {
        decisions.iter().any(|decision| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let [kind, namespace, name] =
                ["kind", "namespace", "name"].map(|key| text(&decision["object"][key]));
            let message = text(&decision["message"]);
            format!("{kind} {namespace}/{name}") == object
                && decision["rule"] == rule
                && (decision["severity"] == "warning" || decision["verdict"] == "patch")
                && words.iter().all(|word| message.contains(word))
        })
    };
    let table = read(&folder.join("expected.tsv"));
    let objects: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|row| row.split('\t').next())
        .collect();
    assert_eq!(objects.len(), RULES.len());
    let told: Vec<usize> = (0..RULES.len())
        .filter(|row| is_told(objects[*row], RULES[*row]))
        .collect();
    assert_eq!(told, [0, 1, 2, 3]);
    // What is known is put right: the scrape that the operator makes of the agent itself.
    let output = outcome.text().expect("the example has no errors");
    let (before, after) = (values(&input), values(&output));
    let changed: Vec<&Value> = (before.iter().zip(&after))
        .filter_map(|(before, after)| (before != after).then_some(&after["kind"]))
        .collect();
    assert_eq!(changed, ["VMAgent"]);
}

/// The chart that most platforms begin with, under STRICT: what its table says of each endpoint.
#[test]
fn the_stack_of_prometheus_keeps_its_metrics_under_strict() {
    let case = "corpus/kube-prometheus-stack-strict";
    let Some(folder) = support::data(case, "the stack of Prometheus, endpoint by endpoint") else {
        return;
    };
    let input = read(&folder.join("input.yaml"));
    let outcome = run(&[Source::named("-", input.as_str())], &Flags::default())
        .expect("the stack is read")
        .into_owned();
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let decisions = report["decisions"].as_array().expect("decisions");
    let mut seen = 0;
    for row in read(&folder.join("expected.tsv")).lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (namespace, names) = cells[0].split_once('/').expect("a namespace and names");
        // The last row names several monitors by what is different in their names.
        let (first, others) = names.split_once(',').unwrap_or((names, ""));
        let (prefix, _) = first.rsplit_once('-').expect("names have hyphens");
        let others = others.split(',').filter(|name| !name.is_empty());
        let all = others.map(|name| match name {
            "scheduler" | "proxy" | "controller-manager" | "etcd" => {
                format!("{prefix}-kube-{name}")
            }
            name => format!("{prefix}-{name}"),
        });
        for name in std::iter::once(first.to_owned()).chain(all) {
            let endpoints: Vec<&Value> = decisions
                .iter()
                .filter(|decision| {
                    decision["object"]["namespace"] == namespace
                        && decision["object"]["name"] == *name
                        && decision["transport"].is_object()
                })
                .collect();
            assert!(!endpoints.is_empty(), "{name}");
            for endpoint in endpoints {
                seen += 1;
                let expected = match cells[2] {
                    "TLS" => ("patch", "strict-needs-tls"),
                    "plain" => ("keep", "already-right"),
                    "untouched+warn" => ("keep", "own-tls-under-strict"),
                    "untouched" => ("keep", ""),
                    other => panic!("unknown expectation {other}"),
                };
                assert_eq!(endpoint["verdict"], expected.0, "{name}");
                if !expected.1.is_empty() {
                    assert_eq!(endpoint["rule"], expected.1, "{name}");
                }
            }
        }
    }
    assert_eq!(seen, 16, "endpoints of the stack");
}

/// Whatever of the corpus changes, the API server takes what it has become, and knows every key of it.
#[test]
fn what_changes_validates() {
    let what = "validation of the patched corpus";
    let (Some(corpus), Some(crds)) = (support::data("corpus", what), Crds::load(what)) else {
        return;
    };
    let mut validated = 0;
    for entry in fs::read_dir(corpus).expect("the corpus can be listed") {
        let path = entry
            .expect("the corpus can be listed")
            .path()
            .join("input.yaml");
        if !path.exists() {
            continue;
        }
        let input = read(&path);
        let (before, after) = (values(&input), values(&patched(&input)));
        assert_eq!(before.len(), after.len());
        for (_, object) in before.iter().zip(&after).filter(|(old, new)| old != new) {
            let complaints = crds.complaints(object).expect("a kind with a CRD");
            assert!(complaints.is_empty(), "{}: {complaints:#?}", path.display());
            validated += 1;
        }
    }
    assert!(validated > 2, "only {validated} objects were changed");
}

/// YAML that other tools damage comes back byte for byte beside an object that is patched.
#[test]
fn traps_stay_as_they_are_beside_a_patched_object() {
    let Some(traps) = support::data(
        "conformance/yaml-traps.json",
        "YAML traps beside a patched object",
    ) else {
        return;
    };
    // A trap without namespace is not to be taken for a neighbour of the guide's application.
    let guide = support::read("testdata/strict-needs-tls--guide/input.yaml").replace(
        "  name: demo-app-service-scrape\n",
        "  name: demo-app-service-scrape\n  namespace: default\n",
    );
    let elsewhere =
        "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {namespace: traps}\n";
    let flags = Flags {
        config: Some(Source::named("config.yaml", elsewhere)),
        ..Flags::default()
    };
    let expected = patched(&guide);
    let traps: Vec<Value> = serde_json::from_str(&read(&traps)).expect("the traps are JSON");
    let mut passed = 0;
    let mut refused = Vec::new();
    for trap in &traps {
        let name = trap["name"].as_str().expect("a trap has a name");
        let text = trap["yaml"].as_str().expect("a trap has a text");
        if text.contains("ResourceList") {
            // It has no room for neighbours, and its function is another one.
            let alone = [Source::named("-", text)];
            let package = krm::open(&alone, |_, _, _| true).expect("a ResourceList");
            let output = krm::close(&package, &[], &[], &[]).expect("nothing is edited");
            assert_eq!(output.to_string(), text, "{name}");
            passed += 1;
            continue;
        }
        let separator = if text.ends_with('\n') {
            "---\n"
        } else {
            "\n---\n"
        };
        let sources = [Source::named("-", format!("{text}{separator}{guide}"))];
        match run(&sources, &flags) {
            Ok(outcome) => {
                let output = outcome.text().unwrap_or_default();
                assert_eq!(output, format!("{text}{separator}{expected}"), "{name}");
                passed += 1;
            }
            Err(_) => refused.push(name),
        }
    }
    // What no host reads, or what names no object, is an error; nothing else is.
    let of_hosts = |name: &&str| {
        let trap = traps
            .iter()
            .find(|trap| trap["name"] == **name)
            .expect("it is one of them");
        let observed = trap["observed"].as_object().expect("observed is a map");
        !observed.keys().any(|key| key.ends_with("_error"))
    };
    let wrongly: Vec<_> = refused.iter().filter(|name| of_hosts(name)).collect();
    assert!(
        wrongly.is_empty(),
        "hosts read these, we refuse them: {wrongly:?}"
    );
    assert!(passed > 70, "{passed} traps passed, refused: {refused:?}");
}

/// The decisions about a case that comes back as it is, byte for byte; `None` without test data.
fn unchanged(case: &str) -> Option<Vec<Value>> {
    let folder = support::data(case, case)?;
    let input = read(&folder.join("input.yaml"));
    assert_eq!(read(&folder.join("expected.yaml")), input);
    let outcome = run(&[Source::named("-", input.clone())], &Flags::default())
        .expect("the corpus is read")
        .into_owned();
    assert_eq!(outcome.text().expect("the corpus has no errors"), input);
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    let decisions = report["decisions"]
        .as_array()
        .expect("decisions are a list");
    let keeps = |decision: &Value| decision["verdict"] == "keep";
    assert!(
        !decisions.is_empty() && decisions.iter().all(keeps),
        "{decisions:#?}"
    );
    Some(decisions.clone())
}

fn compare(case: &str) {
    let Some(folder) = support::data(case, case) else {
        return;
    };
    let actual = values(&patched(&read(&folder.join("input.yaml"))));
    let expected = values(&read(&folder.join("expected.yaml")));
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(&expected) {
        assert_eq!(normal(actual), normal(expected));
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn patched(input: &str) -> String {
    let outcome = run(&[Source::named("-", input)], &Flags::default())
        .expect("the corpus is read")
        .into_owned();
    outcome.text().expect("the corpus has no errors")
}

fn values(text: &str) -> Vec<Value> {
    let sources = [Source::named("-", text)];
    let package = krm::open(&sources, |_, _, _| true).expect("objects");
    let value = |node: &Node<'_>| node.value(Rules::Kubectl).expect("a JSON value");
    package
        .items
        .iter()
        .map(|item| value(&item.node().expect("YAML")))
        .collect()
}

/// The value with the strings that hold YAML or JSON as values, and directories without a slash at the end.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("proxy.istio.io/config" | "sidecar.istio.io/userVolumeMount", Some(text)) => {
                    let documents = yaml::read(text).expect("the annotation is YAML");
                    let root = documents[0].root.as_ref().expect("it says something");
                    (
                        key.clone(),
                        normal(&root.value(Rules::Kubectl).expect("a JSON value")),
                    )
                }
                ("mountPath" | "OUTPUT_CERTS", Some(path)) => {
                    (key.clone(), Value::from(path.trim_end_matches('/')))
                }
                _ => (key.clone(), normal(value)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}
