//! Does policy answer what Istio's own tests assert, row by row?
//!
//! Authority: istio/istio's tests as data, `conformance/istio-mtls.yaml` and `conformance/istio-injection.yaml`.
//! Departs from it: a row that asserts less than a mode is compared on that alone; a row without a port is asked for one that no policy lists.
//! Knows: the rows' format, the public functions of `policy`, manifests that amount to a row.
//! Does not know: how a run comes to its answer.

#![expect(
    clippy::print_stderr,
    reason = "a test run says how many rows it compared, or that it had none"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;

use istio_scrape::config::{Config, MtlsMode};
use istio_scrape::krm::Source;
use istio_scrape::model::{
    InjectorWebhook, InjectorWebhooks, Inventory, LabelSelector, Labels, NAMESPACE_NAME_LABEL,
    Namespace, Object, PeerAuthentication, PodsKnown, Workload,
};
use istio_scrape::policy::{
    self, Injector, Level, Mesh, Revision, Settings, ambient_enrols, data_plane,
    injection_required, level, mode, mode_in_ambient, webhook_selects,
};
use istio_scrape::yaml;
use istio_scrape::{Flags, run};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A port that no policy of any row lists.
const UNLISTED: u16 = 7777;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MtlsRow {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "notes", default)]
    _notes: Option<String>,
    dataplane: DataPlane,
    assertion: Assertion,
    root_namespace: String,
    policies: Vec<PolicyRow>,
    workload: WorkloadRow,
    port: Option<u16>,
    expect: ModeRow,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum DataPlane {
    Sidecar,
    Ambient,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Assertion {
    Exact,
    Strictness,
    Disablement,
    NamespaceLevel,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyRow {
    name: String,
    namespace: String,
    creation_timestamp: Option<String>,
    #[serde(default)]
    selector: Option<SelectorRow>,
    #[serde(default)]
    mtls: Option<MtlsSettingRow>,
    #[serde(default)]
    port_level_mtls: BTreeMap<String, Option<MtlsSettingRow>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SelectorRow {
    #[serde(default)]
    match_labels: Labels,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MtlsSettingRow {
    mode: Option<ModeRow>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
enum ModeRow {
    Unset,
    Strict,
    Permissive,
    Disable,
}

impl ModeRow {
    fn set(self) -> Option<MtlsMode> {
        match self {
            Self::Unset => None,
            Self::Strict => Some(MtlsMode::Strict),
            Self::Permissive => Some(MtlsMode::Permissive),
            Self::Disable => Some(MtlsMode::Disable),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadRow {
    namespace: String,
    labels: Labels,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InjectionRow {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "notes", default)]
    _notes: Option<String>,
    #[serde(rename = "assertion")]
    _assertion: String,
    layer: Layer,
    namespace: String,
    namespace_labels: Labels,
    pod_labels: Labels,
    pod_annotations: Labels,
    host_network: bool,
    policy: Option<String>,
    #[serde(default)]
    never_inject_selector: Vec<LabelSelector>,
    #[serde(default)]
    always_inject_selector: Vec<LabelSelector>,
    #[serde(default)]
    installed_revisions: Vec<String>,
    /// Not in Istio's rows: `enableNamespacesByDefault` of the default revision.
    #[serde(default)]
    enable_namespaces_by_default: bool,
    #[serde(default)]
    matched_by_revision: BTreeMap<String, bool>,
    expect: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
enum Layer {
    InjectRequired,
    WebhookSelectors,
    AmbientEnrolment,
}

#[test]
fn istio_mtls() {
    let Some(rows) = rows::<MtlsRow>("istio-mtls.yaml") else {
        return;
    };
    let (sidecar, ambient): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|row| row.dataplane == DataPlane::Sidecar);
    report(
        "istio-mtls.yaml, sidecar",
        sidecar.iter().map(|row| (row.name.as_str(), mtls(row))),
    );
    report(
        "istio-mtls.yaml, ambient",
        ambient.iter().map(|row| (row.name.as_str(), mtls(row))),
    );
}

/// The same rows as manifests through a whole run: what `explain -o json` says of the target.
#[test]
fn istio_mtls_through_a_run() {
    let Some(rows) = rows::<MtlsRow>("istio-mtls.yaml") else {
        return;
    };
    let (sidecar, ambient): (Vec<_>, Vec<_>) = rows
        .iter()
        .filter(|row| row.assertion != Assertion::NamespaceLevel)
        .partition(|row| row.dataplane == DataPlane::Sidecar);
    report(
        "istio-mtls.yaml, sidecar, through a run",
        sidecar
            .iter()
            .map(|row| (row.name.as_str(), through_a_run(row))),
    );
    report(
        "istio-mtls.yaml, ambient, through a run",
        ambient
            .iter()
            .map(|row| (row.name.as_str(), through_a_run(row))),
    );
}

#[test]
fn istio_injection() {
    let Some(rows) = rows::<InjectionRow>("istio-injection.yaml") else {
        return;
    };
    report(
        "istio-injection.yaml",
        rows.iter().map(|row| (row.name.as_str(), injection(row))),
    );
}

fn mtls(row: &MtlsRow) -> Result<(), String> {
    let policies = row.policies.iter().map(policy).filter(|policy| {
        row.assertion != Assertion::NamespaceLevel
            || level(policy, &row.root_namespace) != Some(Level::Workload)
    });
    let inventory = Inventory {
        policies: policies.collect(),
        ..Inventory::default()
    };
    let config = Config {
        root_namespace: Some(row.root_namespace.clone()),
        ..Config::default()
    };
    let settings = Settings::of(&inventory, &config);
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let pods = workload(&row.workload.namespace, &row.workload.labels);
    let port = Some(row.port.unwrap_or(UNLISTED));
    let answer = match row.dataplane {
        DataPlane::Sidecar => mode(&mesh, &pods, port),
        DataPlane::Ambient => mode_in_ambient(&mesh, &pods, port),
    };
    let (actual, expected) = (answer.fact.value, row.expect.set());
    let agrees = match row.assertion {
        Assertion::Exact | Assertion::NamespaceLevel => actual == expected,
        Assertion::Strictness => {
            actual.is_some() && is(actual, MtlsMode::Strict) == is(expected, MtlsMode::Strict)
        }
        Assertion::Disablement => {
            actual.is_some() && is(actual, MtlsMode::Disable) == is(expected, MtlsMode::Disable)
        }
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got {:?}", answer.fact))
    }
}

fn is(actual: Option<MtlsMode>, wanted: MtlsMode) -> bool {
    actual == Some(wanted)
}

fn injection(row: &InjectionRow) -> Result<(), String> {
    let pods = Workload {
        annotations: row.pod_annotations.clone(),
        host_network: row.host_network,
        ..workload(&row.namespace, &row.pod_labels)
    };
    let actual = match row.layer {
        Layer::InjectRequired => injection_required(&injector(row), &row.namespace, &pods),
        Layer::AmbientEnrolment => ambient_enrols(&row.namespace_labels, &pods),
        Layer::WebhookSelectors => {
            let revision = webhook_selects(&row.namespace_labels, &row.pod_labels);
            for (name, matched) in &row.matched_by_revision {
                if (revision == Some(revision_of(name))) != *matched && !by_default(row, name) {
                    return Err(format!(
                        "revision {name}: expected {matched}, got {revision:?}"
                    ));
                }
            }
            let is_asked = revision
                .as_ref()
                .is_some_and(|asked| is_installed(row, asked));
            if is_asked != row.expect && !row.enable_namespaces_by_default {
                return Err(format!("expected {}, got {revision:?}", row.expect));
            }
            through_webhooks(row, &pods)?
        }
    };
    if actual == row.expect {
        Ok(())
    } else {
        Err(format!("expected {}, got {actual}", row.expect))
    }
}

fn revision_of(name: &str) -> Revision {
    match name {
        "default" => Revision::Default,
        name => Revision::Named(name.to_owned()),
    }
}

/// Labels name no revision to the webhook that is asked about pods without labels.
fn by_default(row: &InjectionRow, revision: &str) -> bool {
    row.enable_namespaces_by_default && revision == "default"
}

fn is_installed(row: &InjectionRow, revision: &Revision) -> bool {
    let installed = &row.installed_revisions;
    installed.is_empty() || installed.iter().any(|name| revision_of(name) == *revision)
}

/// The whole decision about the pods, with the webhooks of the installed revisions in the input.
fn through_webhooks(row: &InjectionRow, pods: &Workload) -> Result<bool, String> {
    let namespace = Namespace {
        object: object("Namespace", "", &row.namespace),
        labels: row.namespace_labels.clone(),
    };
    let installed = row.installed_revisions.iter();
    let inventory = Inventory {
        namespaces: [(row.namespace.clone(), namespace)].into(),
        injectors: installed.map(|revision| webhooks(row, revision)).collect(),
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    let fact = data_plane(&mesh, pods).fact;
    let asked = webhook_selects(&row.namespace_labels, &row.pod_labels);
    let plane = match (fact.value, asked) {
        (Some(plane), _) => plane,
        // Another repository may install what a row knows to be missing.
        (None, Some(revision)) if !is_installed(row, &revision) => policy::DataPlane::None,
        (None, _) => return Err(format!("nobody knows: {fact:?}")),
    };
    for (revision, matched) in &row.matched_by_revision {
        let start = format!("{}: webhook ", webhooks(row, revision).object);
        let asks = fact.because.iter().any(|line| line.starts_with(&start));
        if asks != *matched {
            return Err(format!(
                "webhooks of {revision}: expected {matched}, got {fact:?}"
            ));
        }
    }
    Ok(plane == policy::DataPlane::Sidecar)
}

/// As mutatingwebhook.yaml renders them for a revision.
fn webhooks(row: &InjectionRow, revision: &str) -> InjectorWebhooks {
    let absent = |key: &str| json!({"key": key, "operator": "DoesNotExist"});
    let is = |key: &str, value: &str| json!({"key": key, "operator": "In", "values": [value]});
    let (namespace_key, rev) = ("istio-injection", "istio.io/rev");
    let inject = "sidecar.istio.io/inject";
    let not_declined = json!({"key": inject, "operator": "NotIn", "values": ["false"]});
    let mut webhooks = vec![
        (
            "rev.namespace",
            vec![is(rev, revision), absent(namespace_key)],
            vec![not_declined.clone()],
        ),
        (
            "rev.object",
            vec![absent(rev), absent(namespace_key)],
            vec![not_declined.clone(), is(rev, revision)],
        ),
    ];
    if revision == "default" {
        webhooks.extend([
            (
                "namespace",
                vec![is(namespace_key, "enabled")],
                vec![not_declined],
            ),
            (
                "object",
                vec![absent(namespace_key), absent(rev)],
                vec![is(inject, "true"), absent(rev)],
            ),
        ]);
    }
    if revision == "default" && row.enable_namespaces_by_default {
        let ignored = [
            "kube-system",
            "kube-public",
            "kube-node-lease",
            "local-path-storage",
        ];
        let not_ignored =
            json!({"key": NAMESPACE_NAME_LABEL, "operator": "NotIn", "values": ignored});
        webhooks.push((
            "auto",
            vec![absent(namespace_key), absent(rev), not_ignored],
            vec![absent(inject), absent(rev)],
        ));
    }
    let selector = |expressions: Vec<Value>| -> LabelSelector {
        serde_json::from_value(json!({"matchExpressions": expressions})).expect("a label selector")
    };
    let webhooks = webhooks
        .into_iter()
        .map(|(name, namespaces, pods)| InjectorWebhook {
            name: format!("{name}.sidecar-injector.istio.io"),
            namespaces: selector(namespaces),
            pods: selector(pods),
        });
    InjectorWebhooks {
        object: object(
            "MutatingWebhookConfiguration",
            "",
            &format!("istio-sidecar-injector-{revision}"),
        ),
        revision: revision.to_owned(),
        tag: None,
        webhooks: webhooks.collect(),
    }
}

fn injector(row: &InjectionRow) -> Injector {
    Injector {
        enabled: row.policy.as_deref() == Some("enabled"),
        never: row.never_inject_selector.clone(),
        always: row.always_inject_selector.clone(),
    }
}

fn through_a_run(row: &MtlsRow) -> Result<(), String> {
    let port = row.port.unwrap_or(UNLISTED);
    let WorkloadRow { namespace, labels } = &row.workload;
    let (data_plane, label, value) = match row.dataplane {
        DataPlane::Sidecar => ("sidecar", "istio-injection", "enabled"),
        DataPlane::Ambient => ("ambient", "istio.io/dataplane-mode", "ambient"),
    };
    let mut items = vec![
        json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {label: value}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "pods", "namespace": namespace},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers":
                [{"name": "main", "ports": [{"name": "http", "containerPort": port}]}]}}}}),
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMPodScrape",
            "metadata": {"name": "pods", "namespace": namespace},
            "spec": {"podMetricsEndpoints": [{"port": "http"}]}}),
    ];
    items.extend(row.policies.iter().map(manifest));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let flags = Flags {
        config: Some(Source::named(
            "config.yaml",
            json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS",
                "spec": {"mesh": {"rootNamespace": row.root_namespace}}})
            .to_string(),
        )),
        ..Flags::default()
    };
    let outcome = run(&[Source::named("-", list.to_string())], &flags)
        .map_err(|error| error.to_string())?
        .into_owned();
    let report: Value = serde_json::from_str(&outcome.report).map_err(|error| error.to_string())?;
    let decided = report["decisions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|decision| {
            decision["at"] == "/spec/podMetricsEndpoints/0" && decision["targets"].is_array()
        });
    let target = decided.map_or(&Value::Null, |decision| &decision["targets"][0]);
    if target["dataPlane"] != data_plane {
        return Err(format!(
            "expected {data_plane}, found {}",
            target["dataPlane"]
        ));
    }
    let found = target["mode"].clone();
    let expected = row.expect.set().map(spelled);
    let agrees = match row.assertion {
        Assertion::Exact | Assertion::NamespaceLevel => found.as_str() == expected,
        Assertion::Strictness => {
            found.is_string() && (found == "STRICT") == (expected == Some("STRICT"))
        }
        Assertion::Disablement => {
            found.is_string() && (found == "DISABLE") == (expected == Some("DISABLE"))
        }
    };
    agrees
        .then_some(())
        .ok_or_else(|| format!("expected {expected:?}, found {found}"))
}

fn spelled(mode: MtlsMode) -> &'static str {
    match mode {
        MtlsMode::Strict => "STRICT",
        MtlsMode::Permissive => "PERMISSIVE",
        MtlsMode::Disable => "DISABLE",
    }
}

fn manifest(row: &PolicyRow) -> Value {
    let setting = |setting: &Option<MtlsSettingRow>| {
        let mode = setting.as_ref().and_then(|setting| setting.mode);
        json!({"mode": mode.map_or("UNSET", |mode| mode.set().map_or("UNSET", spelled))})
    };
    let ports: Map<String, Value> = row
        .port_level_mtls
        .iter()
        .map(|(port, mtls)| (port.clone(), setting(mtls)))
        .collect();
    let mut spec = json!({"mtls": setting(&row.mtls)});
    if let Some(selector) = &row.selector {
        spec["selector"] = json!({"matchLabels": selector.match_labels});
    }
    if !ports.is_empty() {
        spec["portLevelMtls"] = Value::Object(ports);
    }
    json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"name": row.name, "namespace": row.namespace, "creationTimestamp": row.creation_timestamp},
        "spec": spec})
}

fn policy(row: &PolicyRow) -> PeerAuthentication {
    let mode =
        |setting: &Option<MtlsSettingRow>| setting.as_ref().and_then(|setting| setting.mode?.set());
    let port =
        |(port, setting): (&String, _)| (port.parse().expect("a port number"), mode(setting));
    PeerAuthentication {
        object: object("PeerAuthentication", &row.namespace, &row.name),
        revision: None,
        created: row.creation_timestamp.clone(),
        selector: row
            .selector
            .as_ref()
            .map(|selector| selector.match_labels.clone())
            .unwrap_or_default(),
        selector_written: row.selector.is_some(),
        mode: mode(&row.mtls),
        ports: row.port_level_mtls.iter().map(port).collect(),
        refused: Vec::new(),
    }
}

fn workload(namespace: &str, labels: &Labels) -> Workload {
    Workload {
        object: object("Deployment", namespace, "pods"),
        labels: labels.clone(),
        annotations: Labels::new(),
        service_account: "default".to_owned(),
        host_network: false,
        containers: Vec::new(),
        known: PodsKnown::Template,
        part: None,
    }
}

fn object(kind: &str, namespace: &str, name: &str) -> Object {
    Object {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        api_version: String::new(),
        item: 0,
        namespace_assumed: false,
        ignored: false,
        local: false,
        context: false,
        accepted: Vec::new(),
    }
}

/// The rows of a file; `None` where the data is not there, which is an error in CI.
fn rows<T: DeserializeOwned>(file: &str) -> Option<Vec<T>> {
    let path = support::data(&format!("conformance/{file}"), "conformance rows")?;
    let text = fs::read_to_string(path).expect("conformance data is UTF-8");
    let documents = yaml::read(&text).expect("conformance data is YAML");
    let [document] = &documents[..] else {
        panic!("{file}: one document expected")
    };
    let root = document.root.as_ref().expect("conformance data is a list");
    let value = root
        .value(yaml::Rules::Kustomize)
        .expect("conformance data is JSON");
    Some(serde_json::from_value(value).unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// Says how many rows ran, and fails with all that disagree.
fn report<'a>(what: &str, outcomes: impl Iterator<Item = (&'a str, Result<(), String>)>) {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (name, outcome) in outcomes {
        ran += 1;
        wrong.extend(outcome.err().map(|problem| format!("{name}: {problem}")));
    }
    eprintln!(
        "conformance: {ran} rows of {what} ran, {} agree",
        ran - wrong.len()
    );
    assert!(ran > 0, "{what} has no rows");
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}
