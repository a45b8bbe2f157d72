//! What is true of every input, and not only of those that somebody thought of.
//!
//! Over the cases and the corpus, and over small meshes made at random: nothing changes twice, order does not
//! matter, bytes outside a patch stay, and what STRICT brought goes and comes with it.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::LazyLock;

use istio_scrape::config::Config;
use istio_scrape::krm::{self, Source};
use istio_scrape::report::secrets::is_secret;
use istio_scrape::{Flags, Outcome, model, rules, run};
use json_patch::Patch;
use proptest::prelude::*;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use support::inputs::{at_once, written};
use support::random::tries;

/// Orders of documents that are tried besides the one that is written.
const SHUFFLES: u64 = 2;
const RANDOM_MESHES: u32 = 120;

/// An input that runs to its end.
struct Input {
    name: String,
    text: String,
    flags: Flags,
    output: String,
    decisions: Vec<Value>,
}

impl Input {
    /// `None` where the run fails or finds what makes it fail: then nothing goes out.
    fn of(name: &str, text: String, config: Option<String>) -> Option<Self> {
        let flags = Flags {
            config: config.map(|text| Source::named("config.yaml", text)),
            ..Flags::default()
        };
        let outcome = ran(&text, &flags)?;
        Some(Self {
            name: name.to_owned(),
            text,
            flags,
            decisions: decisions(&outcome),
            output: outcome.text()?,
        })
    }

    /// The output of another text under the same configuration; what was run already is known.
    fn again(&self, text: &str) -> Option<String> {
        if text == self.text {
            return Some(self.output.clone());
        }
        ran(text, &self.flags)?.text()
    }
}

/// The outcome of a run that ends well.
fn ran(text: &str, flags: &Flags) -> Option<Outcome<'static>> {
    let outcome = run(&[Source::named("input.yaml", text)], flags)
        .ok()?
        .into_owned();
    (outcome.exit == 0).then_some(outcome)
}

fn decisions(outcome: &Outcome<'_>) -> Vec<Value> {
    let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
    report["decisions"]
        .as_array()
        .expect("decisions are a list")
        .clone()
}

/// Cases and corpus.
fn inputs() -> Vec<Input> {
    let written = written("properties over the corpus");
    let found = at_once(&written, |one| {
        Input::of(&one.name, one.text.clone(), one.config.clone())
    });
    found.into_iter().flatten().collect()
}

static INPUTS: LazyLock<Vec<Input>> = LazyLock::new(inputs);

/// Fails with everything that is wrong, not with the first of it.
fn over_all(wrong: impl Fn(&Input) -> Vec<String> + Sync) {
    let mut told = String::new();
    for (input, problems) in INPUTS.iter().zip(at_once(&INPUTS, wrong)) {
        for problem in problems {
            writeln!(told, "{}: {problem}", input.name).expect("a String grows");
        }
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(INPUTS.len() > 400, "only {} inputs", INPUTS.len());
}

fn lines_of_diff(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(1)
        .to_string()
}

/// A text with a directive in front has no outline, and is read by the parser as a whole.
#[test]
fn what_is_decided_does_not_depend_on_the_way_of_reading() {
    let is_outlined =
        |text: &str| krm::outlined(&[Source::named("-", text)], model::reads).is_some();
    let outlined = INPUTS
        .iter()
        .filter(|input| is_outlined(&input.text))
        .count();
    assert!(
        outlined * 20 > INPUTS.len() * 19,
        "{outlined} of {}",
        INPUTS.len()
    );
    over_all(|input| {
        let directive = match input.text.starts_with("---") {
            true => "%YAML 1.2\n",
            false => "%YAML 1.2\n---\n",
        };
        let text = format!("{directive}{}", input.text);
        if !is_outlined(&input.text) || is_outlined(&text) {
            return Vec::new();
        }
        match input
            .again(&text)
            .as_deref()
            .and_then(|output| output.strip_prefix(directive))
        {
            Some(output) if output == input.output => Vec::new(),
            Some(output) => vec![lines_of_diff(&input.output, output)],
            None => vec!["is not read as a whole".to_owned()],
        }
    });
}

#[test]
fn a_second_run_changes_nothing() {
    over_all(|input| match input.again(&input.output) {
        Some(twice) if twice == input.output => Vec::new(),
        Some(twice) => vec![format!(
            "changes again\n{}",
            lines_of_diff(&input.output, &twice)
        )],
        None => vec!["the output does not run".to_owned()],
    });
}

#[test]
fn the_order_of_documents_decides_nothing() {
    over_all(|input| {
        let expected = without_places(&input.decisions);
        orders(&input.text)
            .filter_map(|(seed, shuffled)| {
                let Some(outcome) = ran(&shuffled, &input.flags) else {
                    return Some(format!("fails in order {seed}"));
                };
                let found = without_places(&decisions(&outcome));
                let first = expected
                    .iter()
                    .zip(&found)
                    .find(|(expected, found)| expected != found);
                (expected != found)
                    .then(|| format!("decides otherwise in order {seed}: {first:#?}"))
            })
            .collect()
    });
}

/// Decisions without what depends on the place in the text, sorted.
fn without_places(decisions: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = decisions
        .iter()
        .map(|decision| {
            let mut decision = decision.clone();
            decision
                .as_object_mut()
                .expect("a decision is a map")
                .remove("location");
            decision.to_string()
        })
        .collect();
    all.sort();
    all
}

/// The documents of a stream in other orders; one document has none.
fn orders(text: &str) -> impl Iterator<Item = (u64, String)> {
    let documents = documents(text);
    let seeds = if documents.len() > 1 { SHUFFLES } else { 0 };
    (1..=seeds).map(move |seed| (seed, shuffled(&documents, seed)))
}

fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") {
            documents.push(String::new());
        } else {
            documents
                .last_mut()
                .expect("there is a first")
                .push_str(line);
        }
    }
    documents
}

/// Fisher and Yates, with the numbers of Knuth's MMIX.
fn shuffled(documents: &[String], seed: u64) -> String {
    let mut order: Vec<&str> = documents.iter().map(String::as_str).collect();
    let mut state = seed;
    for last in (1..order.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = (state >> 33) % (last as u64 + 1);
        order.swap(last, usize::try_from(other).expect("an index"));
    }
    let mut text = String::new();
    for document in order {
        text.push_str("---\n");
        text.push_str(document);
        if !document.is_empty() && !document.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

#[test]
fn bytes_outside_a_patch_stay() {
    over_all(|input| {
        let (before, after) = (Slices::of(&input.text), Slices::of(&input.output));
        if before.items.len() != after.items.len() {
            return vec![format!(
                "{} items became {}",
                before.items.len(),
                after.items.len()
            )];
        }
        let patches = patches(&input.decisions);
        let mut wrong = Vec::new();
        for (before, after) in before.items.iter().zip(&after.items) {
            let index = before.index;
            match patches.get(&index) {
                None if before.text == after.text => {}
                None => wrong.push(format!(
                    "item {index} has no patch\n{}",
                    lines_of_diff(&before.text, &after.text)
                )),
                Some(patch) => wrong.extend(unexplained(before, after, patch)),
            }
        }
        if !before.configured && before.between != after.between {
            wrong.push("the text around the items changed".to_owned());
        }
        wrong
    });
}

/// A text in pieces: the objects that stay, and what is between them, without results.
struct Slices {
    items: Vec<Piece>,
    between: Vec<String>,
    /// Whether a configuration is among the objects: it does not go out of a stream.
    configured: bool,
}

/// An object of a text.
struct Piece {
    index: u64,
    text: String,
    value: Value,
}

impl Slices {
    fn of(text: &str) -> Self {
        let sources = [Source::named("input.yaml", text)];
        let package = krm::open(&sources, model::reads).expect("what has been run can be opened");
        let rules = package.form.rules();
        let mut slices = Self {
            items: Vec::new(),
            between: Vec::new(),
            configured: false,
        };
        let mut end = 0;
        for item in &package.items {
            if item.kind == "ScrapeTLS" {
                slices.configured = true;
                continue;
            }
            // Blank lines at its end belong to an object or not, by what its last value is; a comment
            // on its last line does.
            let start = item.node().expect("YAML").range.start;
            let end_of_values = start
                + text[item.node().expect("YAML").range.clone()]
                    .trim_end()
                    .len();
            let line = text[end_of_values..].lines().next().unwrap_or_default();
            let comment = usize::from(line.trim_start().starts_with('#')) * line.len();
            let range = start..end_of_values + comment;
            slices.between.push(text[end..range.start].to_owned());
            end = range.end;
            slices.items.push(Piece {
                index: item.index as u64,
                text: text[range].to_owned(),
                value: item.node().expect("YAML").value(rules).unwrap_or_default(),
            });
        }
        let rest = &text[end..];
        let results = rest.find("\nresults:").map_or(rest.len(), |line| line + 1);
        slices.between.push(rest[..results].to_owned());
        slices
    }

    fn texts(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.text.as_str()).collect()
    }

    fn values(&self) -> Vec<&Value> {
        self.items.iter().map(|item| &item.value).collect()
    }
}

/// The operations on each item, by its index.
fn patches(decisions: &[Value]) -> BTreeMap<u64, Vec<Value>> {
    let mut patches: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for decision in decisions {
        let operations = decision["patch"].as_array().into_iter().flatten().cloned();
        let index = decision["location"]["index"]
            .as_u64()
            .expect("every decision has a place");
        patches.entry(index).or_default().extend(operations);
    }
    patches.retain(|_, operations| !operations.is_empty());
    patches
}

/// Whether a value of the report is one of the output, but for secrets, which reports do not have.
fn says(report: &Value, output: &Value) -> bool {
    match (report, output) {
        (Value::Object(report), Value::Object(output)) => {
            report.len() == output.len()
                && report.iter().all(|(key, value)| {
                    let found = output.get(key);
                    found.is_some_and(|found| is_secret(key) || says(value, found))
                })
        }
        (Value::Array(report), Value::Array(output)) => {
            let mut pairs = report.iter().zip(output);
            report.len() == output.len() && pairs.all(|(report, output)| says(report, output))
        }
        (report, output) => report == output,
    }
}

/// What of the difference between two texts of an item its patch does not explain: it says all of the new value,
/// and no more places change than it has operations.
fn unexplained(before: &Piece, after: &Piece, patch: &[Value]) -> Vec<String> {
    let operations: Patch = serde_json::from_value(Value::Array(patch.to_vec())).expect("RFC 6902");
    let mut expected = before.value.clone();
    json_patch::patch(&mut expected, &operations).expect("the patch fits the object");
    let (before, after, found) = (&before.text, &after.text, &after.value);
    let mut wrong = Vec::new();
    if !says(&expected, found) {
        wrong.push(format!(
            "the patch does not say it all\n{}",
            lines_of_diff(before, after)
        ));
    }
    let diff = TextDiff::from_lines(before, after);
    let changed: Vec<bool> = diff
        .iter_all_changes()
        .map(|change| change.tag() != ChangeTag::Equal)
        .collect();
    let places = changed
        .iter()
        .enumerate()
        .filter(|(at, here)| **here && (*at == 0 || !changed[at - 1]))
        .count();
    if places > patch.len() {
        wrong.push(format!(
            "{places} places change by {} operations\n{}",
            patch.len(),
            lines_of_diff(before, after)
        ));
    }
    wrong
}

#[test]
fn what_strict_brought_goes_and_comes_with_it() {
    over_all(|input| comes_back(input).err().into_iter().collect());
}

/// B = run(A); run(run(B, PERMISSIVE), STRICT) = B, byte for byte where A had no `scheme`, by value otherwise.
///
/// By value, too, where A said something of HTTP/2: what was on is off with the certificates, goes with them, and comes
/// back where we write it.
///
/// Not where A names Istio's certificates itself: what somebody else wrote goes too, and what comes back is ours. Where it
/// names our scrape class, that comes back by value, in our place.
/// Nor where Envoy guards a port: that wants them under PERMISSIVE, and under STRICT, where nobody gets through, they are kept.
fn comes_back(input: &Input) -> Result<(), String> {
    let exempt = ["root-cert.pem", "ENVOY_SECURE_"];
    if exempt.iter().any(|written| input.text.contains(written)) {
        return Ok(());
    }
    let to_permissive = with_policies(&input.output, |text| text.replace("STRICT", "PERMISSIVE"));
    let Some(permissive) = input.again(&to_permissive) else {
        return Ok(());
    };
    let mut policies = policies(&input.output).into_iter();
    let to_strict = with_policies(&permissive, |_| policies.next().expect("policies are kept"));
    let back = input
        .again(&to_strict)
        .ok_or("fails when STRICT comes back")?;
    let (now, then) = (Slices::of(&back), Slices::of(&input.output));
    // An empty list that our rule came into goes with it.
    let by_value = [
        "scheme",
        "enableHttp2",
        "relabelConfigs: []",
        "relabelings: []",
        "scrapeClass: istio-mtls",
    ];
    let same = if by_value.iter().any(|written| input.text.contains(written)) {
        now.values() == then.values()
    } else {
        now.texts() == then.texts()
    };
    let difference = || {
        format!(
            "is not what it was\n{}",
            lines_of_diff(&input.output, &back)
        )
    };
    same.then_some(()).ok_or_else(difference)
}

/// Where the policies are.
fn ranges(text: &str) -> Vec<Range<usize>> {
    let sources = [Source::named("input.yaml", text)];
    let package = krm::open(&sources, model::reads).expect("what has been run can be opened");
    let policies = package
        .items
        .iter()
        .filter(|item| item.kind == "PeerAuthentication");
    policies
        .map(|item| item.node().expect("YAML").range.clone())
        .collect()
}

fn policies(text: &str) -> Vec<String> {
    ranges(text)
        .into_iter()
        .map(|range| text[range].to_owned())
        .collect()
}

/// The text with each of its policies written anew.
fn with_policies(text: &str, mut written: impl FnMut(&str) -> String) -> String {
    let mut result = String::new();
    let mut end = 0;
    for range in ranges(text) {
        result.push_str(&text[end..range.start]);
        result.push_str(&written(&text[range.clone()]));
        end = range.end;
    }
    result.push_str(&text[end..]);
    result
}

proptest! {
    #![proptest_config(tries(RANDOM_MESHES))]

    /// Whatever a mesh looks like, a run ends, its output is read again, a second run changes nothing,
    /// and the order of documents decides nothing.
    #[test]
    fn random_meshes(mesh in mesh(), config in settings()) {
        let flags = Flags { config, ..Flags::default() };
        let sources = [Source::named("input.yaml", mesh.clone())];
        let outcome = run(&sources, &flags).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let expected = without_places(&decisions(&outcome));
        for (seed, other) in orders(&mesh) {
            let other = [Source::named("input.yaml", other)];
            let found = run(&other, &flags).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&expected, &without_places(&decisions(&found)), "in order {}", seed);
        }
        if let Some(output) = outcome.text() {
            let again = [Source::named("input.yaml", output.clone())];
            let twice = run(&again, &flags).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(twice.text(), Some(output));
        }
    }

    /// Where a `scheme` was there before, it need not be one that can be known again.
    #[test]
    fn what_strict_brought_to_a_random_mesh_goes_and_comes_with_it(mesh in mesh(), config in settings()) {
        let without_scheme = Some(mesh).filter(|mesh| !mesh.contains("scheme"));
        let config = config.map(|source| source.text.to_string());
        if let Some(input) = without_scheme.and_then(|mesh| Input::of("a mesh", mesh, config)) {
            comes_back(&input).map_err(TestCaseError::fail)?;
        }
    }
}

/// How certificates come.
fn settings() -> impl Strategy<Value = Option<Source>> {
    const CLASS: &str = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {certificates: {via: scrapeClass}}\n";
    prop::option::weighted(0.3, Just(Source::named("config.yaml", CLASS)))
}

/// What stands more than once in a list of choices is chosen more often: most meshes are to be STRICT and injected.
const NAMESPACES: [&str; 4] = ["shop", "shop", "shop", "monitoring"];

fn mesh() -> impl Strategy<Value = String> {
    use prop::collection::vec;
    (
        ["monitoring", "shop"].map(namespace),
        vec(policy(), 1..4),
        vec(workload(), 1..4),
        vec(scrape(), 1..4),
        vec(scraper(), 0..3),
    )
        .prop_map(|(namespaces, policies, workloads, scrapes, agents)| {
            let numbered = |prefix: &str, documents: Vec<String>| -> Vec<String> {
                let counted = documents.into_iter().enumerate();
                counted
                    .map(|(n, text)| text.replace("NAME", &format!("{prefix}{n}")))
                    .collect()
            };
            [
                namespaces.to_vec(),
                numbered("policy", policies),
                numbered("work", workloads),
                numbered("scrape", scrapes),
                numbered("agent", agents),
            ]
            .concat()
            .join("---\n")
        })
}

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(choices)
}

/// The beginning of an object.
fn head(api: &str, kind: &str, namespace: &str) -> String {
    format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: NAME\n  namespace: {namespace}\n")
}

/// With a label, without one, or not in the input.
fn namespace(name: &'static str) -> impl Strategy<Value = String> {
    const LABELS: &[&str] = &[
        "istio-injection: enabled",
        "istio-injection: enabled",
        "istio-injection: enabled",
        "istio.io/rev: stable",
        "istio-injection: disabled",
        "istio.io/dataplane-mode: ambient",
        "team: a",
        "",
    ];
    one_of(LABELS).prop_map(move |label| match label {
        "" => "# no Namespace\n".to_owned(),
        label => format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {{{label}}}\n"
        ),
    })
}

fn policy() -> impl Strategy<Value = String> {
    const MODES: &[&str] = &[
        "STRICT",
        "STRICT",
        "STRICT",
        "PERMISSIVE",
        "DISABLE",
        "UNSET",
    ];
    const LEVELS: &[(&str, &str)] = &[
        ("istio-system", ""),
        ("istio-system", ""),
        ("shop", ""),
        ("shop", "  selector: {matchLabels: {app: cart}}\n"),
        ("istio-system", "  selector: {matchLabels: {app: cart}}\n"),
    ];
    let level = prop::sample::select(LEVELS);
    let port = prop::option::of(one_of(MODES));
    (level, one_of(MODES), port).prop_map(|((namespace, selector), mode, port)| {
        let of_port = |mode| format!("  portLevelMtls: {{8080: {{mode: {mode}}}}}\n");
        let ports = match selector {
            "" => String::new(),
            _ => port.map_or_else(String::new, of_port),
        };
        let head = head("security.istio.io/v1", "PeerAuthentication", namespace);
        format!("{head}spec:\n{selector}  mtls: {{mode: {mode}}}\n{ports}")
    })
}

/// A Deployment and its Service.
fn workload() -> impl Strategy<Value = String> {
    const METADATA: &[&str] = &[
        "",
        "",
        "",
        ", sidecar.istio.io/inject: 'true'}",
        "}, annotations: {sidecar.istio.io/inject: 'false'}",
        "}, annotations: {traffic.sidecar.istio.io/excludeInboundPorts: '8080'}",
    ];
    let app = one_of(&["cart", "cart", "cart", "search"]);
    let target = one_of(&["http", "http", "8080", "9100"]);
    let host = prop::bool::weighted(0.1);
    (one_of(&NAMESPACES), app, one_of(METADATA), host, target).prop_map(
        |(namespace, app, metadata, host, target)| {
            let metadata = if metadata.is_empty() { "}" } else { metadata };
            let deployment = head("apps/v1", "Deployment", namespace);
            let service = head("v1", "Service", namespace);
            format!(
                "{deployment}spec:
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}{metadata}}}
    spec:
      hostNetwork: {host}
      containers: [{{name: main, ports: [{{name: http, containerPort: 8080}}]}}]
---
{service}  labels: {{app: {app}}}
spec:
  selector: {{app: {app}}}
  ports: [{{name: http, port: 80, targetPort: {target}}}]
"
            )
        },
    )
}

const VM: &str = "operator.victoriametrics.com/v1beta1";
const PROMETHEUS: &str = "monitoring.coreos.com/v1";

fn scrape() -> impl Strategy<Value = String> {
    const KINDS: &[(&str, &str, &str)] = &[
        (VM, "VMServiceScrape", "endpoints"),
        (VM, "VMPodScrape", "podMetricsEndpoints"),
        (PROMETHEUS, "ServiceMonitor", "endpoints"),
        (PROMETHEUS, "PodMonitor", "podMetricsEndpoints"),
    ];
    const ENDPOINTS: &[&str] = &[
        "port: http",
        "port: http # by name",
        "{port: http}",
        "targetPort: 8080",
        "path: /metrics",
        "port: http\n    enableHttp2: true",
        "port: http\n    scheme: http",
        "port: http\n    scheme: https",
        "port: http\n    scheme: https\n    tlsConfig: {caFile: /c/root-cert.pem}",
    ];
    let spec = one_of(&[
        "",
        "",
        "",
        "  namespaceSelector: {any: true}\n",
        "  namespaceSelector: {any: true}\n",
        "  scrapeClass: istio-mtls\n",
        "  scrapeClass: corporate\n",
    ]);
    let labels = one_of(&["app: cart", "app: cart", "app: cart", ""]);
    (prop::sample::select(KINDS), one_of(&NAMESPACES), spec, labels, one_of(ENDPOINTS)).prop_map(
        |((api, kind, list), namespace, spec, labels, endpoint)| {
            let head = head(api, kind, namespace);
            format!("{head}spec:\n{spec}  selector: {{matchLabels: {{{labels}}}}}\n  {list}:\n  - {endpoint}\n")
        },
    )
}

fn scraper() -> impl Strategy<Value = String> {
    const KINDS_AND_SELECTION: &[(&str, &str, &str)] = &[
        (VM, "VMAgent", "selectAllByDefault: true"),
        (VM, "VMAgent", "selectAllByDefault: true"),
        (
            VM,
            "VMAgent",
            "serviceScrapeNamespaceSelector: {matchLabels: {team: a}}",
        ),
        (VM, "VMAgent", "daemonSetMode: true"),
        (
            VM,
            "VMSingle",
            "selectAllByDefault: true\n  ingestOnlyMode: false",
        ),
        (
            PROMETHEUS,
            "Prometheus",
            "serviceMonitorSelector: {}\n  serviceMonitorNamespaceSelector: {}\n  podMonitorSelector: {}\n  podMonitorNamespaceSelector: {}",
        ),
        (PROMETHEUS, "Prometheus", "serviceMonitorSelector: {}"),
    ];
    const SET_UP: &[&str] = &[
        "",
        "",
        "  podMetadata:\n    annotations:\n      proxy.istio.io/config: |\n        proxyMetadata:\n          OUTPUT_CERTS: /c\n",
        "  volumes: [{name: istio-certs, emptyDir: {}}]\n  volumeMounts: [{name: istio-certs, mountPath: /etc/prometheus/secrets/istio}]\n",
        "  volumes: [{name: istio-certs, emptyDir: {}}]\n  volumeMounts: [{name: istio-certs, mountPath: /d}]\n",
        "  podMetadata: {labels: {sidecar.istio.io/inject: 'false'}}\n",
        "  arbitraryFSAccessThroughSMs: {deny: true}\n",
        "  scrapeClasses: [{name: corporate, tlsConfig: {caFile: /etc/ssl/ca.pem}}]\n",
        "  inlineScrapeConfig: |\n    - job_name: cart # by its Service\n      static_configs: [{targets: ['cart.shop.svc:80']}]\n    - job_name: pods\n      kubernetes_sd_configs: [{role: pod, namespaces: {names: [shop]}}]\n",
        "  replicaCount: 2\n  serviceScrapeSpec: {endpoints: [{port: http, path: /metrics, interval: 5s}]}\n",
    ];
    let namespace = one_of(&["monitoring"]);
    let kind = prop::sample::select(KINDS_AND_SELECTION);
    (namespace, kind, one_of(SET_UP)).prop_map(|(namespace, (api, kind, selection), set_up)| {
        let head = head(api, kind, namespace);
        format!("{head}spec:\n  remoteWrite: [{{url: 'http://vm:8428'}}]\n  {selection}\n{set_up}")
    })
}

/// Looking up labels finds what looking at every object finds.
#[test]
fn the_index_of_labels_changes_no_answer() {
    over_all(|input| {
        let sources = [Source::named("input.yaml", input.text.as_str())];
        let package = krm::open(&sources, model::reads).expect("what has been run can be opened");
        let values: Vec<Value> = package
            .items
            .iter()
            .map(|item| {
                item.node()
                    .expect("YAML")
                    .value(package.form.rules())
                    .unwrap_or_default()
            })
            .collect();
        let config = Config::default();
        let indexed = model::read(values.iter().enumerate(), &config);
        let mut plain = indexed.clone();
        plain.index = None;
        let decided = |inventory| format!("{:#?}", rules::decide(inventory, &config));
        let same = decided(&indexed) == decided(&plain);
        let different = (!same).then(|| "the index finds something else".to_owned());
        different.into_iter().collect()
    });
}
