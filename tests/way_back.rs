//! What a run takes away, and what comes back: nothing that is not Istio's goes, and what STRICT brought goes with it.
//!
//! Over the cases and the corpus as they are and with the mode of every policy rewritten, and over one mesh with scrape
//! objects of every kind, however they are written.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use istio_scrape::krm::{self, Source};
use istio_scrape::model::{
    self, Endpoints, Finds, PortFields, SCRAPE_KINDS, ScrapeDescription, Spelling,
};
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, run};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use similar::TextDiff;

const RANDOM_OBJECTS: u32 = 100;

/// An input with its configuration.
struct Input {
    name: String,
    text: String,
    flags: Flags,
}

/// What became of a text.
struct Ran {
    output: String,
    decisions: Vec<Value>,
}

impl Input {
    /// `None` where the run fails or finds what makes it fail: then nothing goes out.
    fn run(&self, text: &str) -> Option<Ran> {
        let outcome = run(&[Source::named("input.yaml", text)], &self.flags).ok()?;
        let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
        let decisions = report["decisions"].as_array().expect("a list").clone();
        (outcome.exit == 0).then_some(Ran {
            output: outcome.output?,
            decisions,
        })
    }

    /// The input, and the same with every policy STRICT, and with every policy PERMISSIVE.
    fn as_written_and_rewritten(&self) -> Vec<(&'static str, String)> {
        vec![
            ("as written", self.text.clone()),
            ("STRICT", with_modes(&self.text, "STRICT")),
            ("PERMISSIVE", with_modes(&self.text, "PERMISSIVE")),
        ]
    }
}

/// Cases and corpus.
fn inputs() -> Vec<Input> {
    let corpus = support::data("corpus", "the way back over the corpus");
    let mut directories = support::directories("testdata");
    for entry in corpus
        .iter()
        .flat_map(|corpus| corpus.read_dir().expect("a folder can be listed"))
    {
        directories.push(entry.expect("a folder can be listed").path());
    }
    directories.sort();
    let text = |path: &Path| std::fs::read_to_string(path).ok();
    let readable = |input: &Input| {
        let sources = [Source::named("input.yaml", input.text.as_str())];
        krm::open(&sources, model::reads).is_ok()
    };
    directories
        .iter()
        .filter_map(|directory| {
            let config = text(&directory.join("config.yaml"));
            Some(Input {
                name: directory.display().to_string(),
                text: text(&directory.join("input.yaml"))?,
                flags: Flags {
                    config: config.map(|text| Source::named("config.yaml", text)),
                    ..Flags::default()
                },
            })
        })
        .filter(readable)
        .collect()
}

/// Fails with everything that is wrong, not with the first of it; `ran` says how often there was something to look at.
fn over_all(at_least: usize, wrong: impl Fn(&Input) -> Option<Vec<String>>) {
    let mut told = String::new();
    let mut looked_at = 0;
    for input in &inputs() {
        let Some(problems) = wrong(input) else {
            continue;
        };
        looked_at += 1;
        for problem in problems {
            writeln!(told, "{}: {problem}", input.name).expect("a String grows");
        }
    }
    assert!(told.is_empty(), "\n{told}");
    assert!(
        looked_at >= at_least,
        "only {looked_at} inputs were looked at"
    );
}

fn lines_of_diff(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(2)
        .to_string()
}

/// The text with the mode of each of its PeerAuthentications written anew, UNSET excepted.
fn with_modes(text: &str, mode: &str) -> String {
    let sources = [Source::named("input.yaml", text)];
    let package = krm::open(&sources, model::reads).expect("it was opened before");
    let mut result = String::new();
    let mut end = 0;
    for item in &package.items {
        if item.kind == "PeerAuthentication" {
            let range = item.node.range.clone();
            result.push_str(&text[end..range.start]);
            let mut policy = text[range.clone()].to_owned();
            for written in ["STRICT", "PERMISSIVE", "DISABLE"] {
                policy = policy.replace(written, mode);
            }
            result.push_str(&policy);
            end = range.end;
        }
    }
    result.push_str(&text[end..]);
    result
}

/// The objects of a text, each with its value and its text.
fn objects(text: &str) -> Vec<(Value, String)> {
    let sources = [Source::named("input.yaml", text)];
    let package = krm::open(&sources, model::reads).expect("what has been run can be opened");
    let rules = package.form.rules();
    package
        .items
        .iter()
        .filter(|item| item.kind != "ScrapeTLS")
        .map(|item| {
            let value = item.node.value(rules).unwrap_or_default();
            (value, text[item.node.range.clone()].trim_end().to_owned())
        })
        .collect()
}

fn values(text: &str) -> Vec<Value> {
    objects(text).into_iter().map(|(value, _)| value).collect()
}

// ---- nothing that is not Istio's goes

#[test]
fn nothing_goes_that_is_not_istios() {
    over_all(400, |input| {
        let mut wrong = Vec::new();
        let mut ran_once = false;
        for (how, text) in input.as_written_and_rewritten() {
            if let Some(ran) = input.run(&text) {
                ran_once = true;
                let losses = losses(&text, &ran);
                wrong.extend(losses.into_iter().map(|loss| format!("{how}: {loss}")));
            }
        }
        ran_once.then_some(wrong)
    });
}

/// What a run took away or wrote over that is neither Istio's nor ours.
fn losses(text: &str, ran: &Ran) -> Vec<String> {
    let (before, after) = (values(text), values(&ran.output));
    let mut losses = Vec::new();
    if before.len() != after.len() {
        losses.push(format!("{} objects became {}", before.len(), after.len()));
    }
    for (before, after) in before.iter().zip(&after) {
        compare(before, after, "", &mut losses);
    }
    let own = ran
        .decisions
        .iter()
        .filter(|decision| decision["transport"]["now"] == "own");
    for decision in own {
        let patch = &decision["patch"];
        if patch.as_array().is_some_and(|patch| !patch.is_empty()) {
            losses.push(format!("TLS of its own is changed: {decision}"));
        }
    }
    losses
}

fn compare(before: &Value, after: &Value, at: &str, losses: &mut Vec<String>) {
    let key = at.rsplit('/').next().unwrap_or_default().replace("~1", "/");
    let key = key.as_str();
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let at = format!("{at}/{}", key.replace('/', "~1"));
                match new.get(key) {
                    Some(new) => compare(value, new, &at, losses),
                    None if may_go(key, value) => {}
                    None => losses.push(format!("{at} is gone: {value}")),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if is_relabelling(key) => {
            let kept: Vec<_> = old.iter().filter(|rule| !is_our_rule(rule)).collect();
            let others: Vec<_> = new.iter().filter(|rule| !is_our_rule(rule)).collect();
            if kept != others {
                losses.push(format!("{at} has other rules: {before} became {after}"));
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            if new.len() < old.len() {
                losses.push(format!("{at} is shorter: {before} became {after}"));
            }
            for (position, (old, new)) in old.iter().zip(new).enumerate() {
                compare(old, new, &format!("{at}/{position}"), losses);
            }
        }
        (Value::String(old), Value::String(new)) if old != new => {
            let inside = (inner(old), inner(new));
            if let (Some(old), Some(new)) = inside {
                compare(&old, &new, &format!("{at}!"), losses);
            } else if !may_become(key, old, new) {
                losses.push(format!("{at} was {old:?} and is {new:?}"));
            }
        }
        // A key that says nothing is filled.
        (Value::Null, _) => {}
        (Value::Bool(false), Value::Bool(true))
            if [
                "insecureSkipVerify",
                "insecure_skip_verify",
                "holdApplicationUntilProxyStarts",
            ]
            .contains(&key) => {}
        (old, new) if old == new => {}
        (old, new) => losses.push(format!("{at} was {old} and is {new}")),
    }
}

/// The map or list that a string holds.
fn inner(text: &str) -> Option<Value> {
    let documents = yaml::read(text).ok()?;
    let root = documents.first()?.root.as_ref()?;
    let value = root.value(Rules::Kubectl).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn is_relabelling(key: &str) -> bool {
    ["relabelConfigs", "relabelings", "relabel_configs"].contains(&key)
}

/// What a run may take away whole.
fn may_go(key: &str, value: &Value) -> bool {
    match key {
        "scheme" => value
            .as_str()
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
        "tlsConfig" | "tls_config" => is_all_istios(value),
        "enableHttp2" | "enableHTTP2" | "enable_http2" => *value == Value::Bool(false),
        key if is_relabelling(key) => {
            let rules = value.as_array();
            rules.is_some_and(|rules| rules.iter().all(is_our_rule))
        }
        _ => false,
    }
}

/// Whether a run may write another text over one.
fn may_become(key: &str, old: &str, new: &str) -> bool {
    let file = new.rsplit('/').next();
    match key {
        "scheme" => old.eq_ignore_ascii_case("http") && new == "https",
        "caFile" | "ca_file" => file == Some("root-cert.pem"),
        "certFile" | "cert_file" => file == Some("cert-chain.pem"),
        "keyFile" | "key_file" => file == Some("key.pem"),
        "sidecar.istio.io/inject" => new == "true",
        "OUTPUT_CERTS" => old.is_empty(),
        "proxy.istio.io/config" | "sidecar.istio.io/userVolumeMount" => inner(old).is_none(),
        // Ports are appended.
        "traffic.sidecar.istio.io/includeOutboundPorts" => new.starts_with(old),
        _ => false,
    }
}

/// TLS settings in which everything can be told for Istio's, right or wrong.
fn is_all_istios(tls: &Value) -> bool {
    const NAMES: [&str; 3] = ["root-cert.pem", "cert-chain.pem", "key.pem"];
    let Some(tls) = tls.as_object() else {
        return false;
    };
    let is_file = |key: &str| {
        let files = [
            "caFile",
            "certFile",
            "keyFile",
            "ca_file",
            "cert_file",
            "key_file",
        ];
        files.contains(&key)
    };
    let names_one = |value: &Value| {
        let name = value.as_str().and_then(|path| path.rsplit('/').next());
        name.is_some_and(|name| NAMES.contains(&name))
    };
    let says_nothing = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        value => [json!(null), json!(""), json!(false)].contains(value),
    };
    tls.iter()
        .any(|(key, value)| is_file(key) && names_one(value))
        && tls.iter().all(|(key, value)| match key.as_str() {
            "insecureSkipVerify" | "insecure_skip_verify" => true,
            key if is_file(key) => names_one(value) || says_nothing(value),
            _ => says_nothing(value),
        })
}

/// A rule that chooses the scheme, and does nothing else.
fn is_our_rule(rule: &Value) -> bool {
    let text = |camel: &str, snake: &str| {
        let value = rule.get(camel).or_else(|| rule.get(snake));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    text("targetLabel", "target_label") == "__scheme__"
        && ["https", "http"].contains(&text("replacement", "replacement").as_str())
        && rule.get("action").is_none()
}

// ---- what STRICT brought goes and comes with it

#[test]
fn what_strict_brought_goes_and_comes_whatever_the_modes_were() {
    over_all(400, |input| {
        round_trip(input).map(|result| result.err().into_iter().collect())
    });
}

/// A second run changes nothing, and neither does another order of the documents, whatever the modes are.
#[test]
fn a_rewritten_input_settles_in_one_run() {
    over_all(400, |input| {
        let mut wrong = Vec::new();
        let mut ran_once = false;
        for (how, text) in input.as_written_and_rewritten() {
            let Some(ran) = input.run(&text) else {
                continue;
            };
            ran_once = true;
            match input.run(&ran.output) {
                Some(twice) if twice.output == ran.output => {}
                Some(twice) => {
                    let diff = lines_of_diff(&ran.output, &twice.output);
                    wrong.push(format!("{how}: a second run changes\n{diff}"));
                }
                None => wrong.push(format!("{how}: the output does not run")),
            }
            if let Some(reversed) = reversed(&text) {
                let other = input.run(&reversed).map(|ran| sorted(&ran.output));
                if other != Some(sorted(&ran.output)) {
                    wrong.push(format!("{how}: the reversed order comes to something else"));
                }
            }
        }
        ran_once.then_some(wrong)
    });
}

/// The documents of a stream, the last first; one document has no other order.
fn reversed(text: &str) -> Option<String> {
    let mut documents: Vec<String> = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match line.starts_with("---") {
            true => documents.push(String::new()),
            false => documents.last_mut()?.push_str(line),
        }
    }
    let terminated = |text: &String| text.is_empty() || text.ends_with('\n');
    let all = documents.len() > 1 && documents.iter().all(terminated);
    documents.reverse();
    all.then(|| documents.join("---\n"))
}

fn sorted(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = objects(text)
        .into_iter()
        .map(|(value, _)| value.to_string())
        .collect();
    texts.sort();
    texts
}

/// B = run(A, STRICT); run(run(B, PERMISSIVE), STRICT) = B, byte for byte where A had no `scheme`, by value otherwise.
///
/// By value, too, where A names Istio's certificates or has an empty list of rules: what somebody else wrote goes, and
/// what comes back is written as we write it. `None` where a run fails.
fn round_trip(input: &Input) -> Option<Result<(), String>> {
    // Envoy guards a port of its own with certificates: under PERMISSIVE they are wanted, under STRICT nobody gets
    // through, and what is written is kept.
    if input.text.contains("ENVOY_SECURE_") {
        return None;
    }
    let strict = input.run(&with_modes(&input.text, "STRICT"))?;
    if strict.decisions.iter().any(was_not_ours_to_bring) {
        return None;
    }
    let strict = strict.output;
    let permissive = input.run(&with_modes(&strict, "PERMISSIVE"))?.output;
    let back = match input.run(&with_modes(&permissive, "STRICT")) {
        Some(ran) => ran.output,
        None => return Some(Err("fails when STRICT comes back".to_owned())),
    };
    let by_value = ["scheme", "root-cert.pem", "cert-chain.pem", "key.pem", "[]"];
    let same = if by_value.iter().any(|written| input.text.contains(written)) {
        let (now, then) = (values(&back), values(&strict));
        now.iter().map(in_one_way).eq(then.iter().map(in_one_way))
    } else {
        objects(&back) == objects(&strict)
    };
    let difference = || {
        let diff = lines_of_diff(&strict, &back);
        let way = lines_of_diff(&strict, &permissive);
        format!("is not what it was\n{diff}\n after PERMISSIVE had made of it\n{way}")
    };
    Some(same.then_some(()).ok_or_else(difference))
}

/// Certificates that are there under STRICT and would not be brought: nobody knows that they are wanted, or something
/// stands in their way. Where PERMISSIVE proves that they are not wanted they go, and STRICT alone brings nothing.
fn was_not_ours_to_bring(decision: &Value) -> bool {
    let now = &decision["transport"]["now"];
    let is_there = ["mutualTLS", "perTarget"].iter().any(|there| now == there);
    let is_kept = decision["verdict"] != "patch" && decision["rule"] != "already-right";
    let has_none = decision["rule"] == "scraper-cannot-have-certificates";
    has_none || is_there && (is_kept || decision["transport"]["wanted"] != "mutualTLS")
}

/// A value without what is written in several ways: keys of TLS settings that say nothing, the case of schemes, and which
/// of several directories that the scraper mounts is named.
fn in_one_way(value: &Value) -> Value {
    let in_one_way_at = |key: &str, value: &Value| match (key, value) {
        ("scheme", Value::String(scheme)) => Value::String(scheme.to_ascii_lowercase()),
        ("caFile" | "certFile" | "keyFile", Value::String(path)) => {
            json!(path.rsplit('/').next())
        }
        (_, value) => in_one_way(value),
    };
    let says_something = |value: &Value| *value != json!({}) && *value != json!("");
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| says_something(value))
            .map(|(key, value)| (key.clone(), in_one_way_at(key, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(in_one_way).collect(),
        other => other.clone(),
    }
}

// ---- scrape objects of every kind, however they are written

/// How an object is written.
#[derive(Debug, Clone, Copy)]
enum Style {
    Block,
    BlockWithComments,
    Flow,
    Json,
}

const STYLES: [Style; 4] = [
    Style::Block,
    Style::BlockWithComments,
    Style::Flow,
    Style::Json,
];

/// TLS settings, as camel case writes them; what they are is in the name.
fn tls_settings() -> Vec<Value> {
    let istios = |directory: &str| {
        json!({
            "caFile": format!("{directory}/root-cert.pem"),
            "certFile": format!("{directory}/cert-chain.pem"),
            "insecureSkipVerify": true,
            "keyFile": format!("{directory}/key.pem"),
        })
    };
    let with = |key: &str, value: Value| {
        let mut tls = istios("/etc/istio-certs");
        tls[key] = value;
        tls
    };
    vec![
        Value::Null,
        Value::Null,
        Value::Null,
        istios("/etc/istio-certs"),
        istios("/etc/prom-certs"),
        with("keyFile", json!("/etc/prom-certs/cert-chain.pem")),
        with("insecureSkipVerify", json!(false)),
        with("serverName", json!("cart.shop")),
        with("caFile", json!("/etc/ssl/ca.pem")),
        with("ca", json!({})),
        with(
            "ca",
            json!({"secret": {"name": "corporate", "key": "ca.crt"}}),
        ),
        json!({"insecureSkipVerify": true}),
        json!({"ca": {"secret": {"name": "corporate", "key": "ca.crt"}}}),
        json!({"caFile": "/etc/ssl/ca.pem", "serverName": "cart.shop"}),
    ]
}

const SCHEMES: [Option<&str>; 5] = [None, None, Some("https"), Some("HTTPS"), Some("http")];

/// One endpoint of a kind: how it finds its targets, and what it says of TLS.
fn endpoint(row: &ScrapeDescription, tls: &Value, scheme: Option<&str>, rules: bool) -> Value {
    let mut endpoint = json!({});
    match row.ports {
        PortFields::OfService | PortFields::OfPod => endpoint["port"] = json!("http"),
        PortFields::None => {}
    }
    match row.finds {
        Finds::Services | Finds::Pods | Finds::Nodes => {}
        Finds::Addresses(list) => endpoint[list] = json!(["cart.shop.svc:80"]),
        Finds::Prober(path) => put(&mut endpoint, path, json!("cart.shop.svc:80")),
        Finds::Discovery => {
            endpoint["staticConfigs"] = json!([{"targets": ["cart.shop.svc:80"]}]);
        }
    }
    if let Some(scheme) = scheme {
        put(&mut endpoint, row.scheme[0], json!(scheme));
    }
    if let Some(tls) = tls.as_object() {
        // Files where the kind has none are no part of its TLS settings.
        let is_known = |key: &str| row.takes_files || !key.ends_with("File");
        let spelled = tls
            .iter()
            .filter(|(key, _)| is_known(key))
            .map(|(key, value)| (row.spelling.of(key), value.clone()));
        endpoint[row.tls] = Value::Object(spelled.collect());
    }
    if let (Some(key), true) = (row.relabelings, rules) {
        let (source, target) = match row.spelling {
            Spelling::Camel => ("sourceLabels", "targetLabel"),
            Spelling::Snake => ("source_labels", "target_label"),
        };
        endpoint[key] = json!([{source: ["__meta_kubernetes_pod_name"], target: "pod"}]);
    }
    endpoint
}

fn put(value: &mut Value, path: &[&str], new: Value) {
    match path {
        [] => *value = new,
        [key, rest @ ..] => put(&mut value[*key], rest, new),
    }
}

/// A scrape object of a kind; none for what is no object of its own.
fn object(row: &ScrapeDescription, name: &str, endpoints: Vec<Value>) -> Option<Value> {
    let api_version = row.api_versions.first()?;
    let mut spec = match row.endpoints {
        Endpoints::List(list) => json!({list: endpoints}),
        Endpoints::Spec => endpoints.into_iter().next()?,
        Endpoints::Itself => return None,
    };
    if matches!(row.finds, Finds::Services | Finds::Pods | Finds::Nodes) {
        spec["selector"] = json!({"matchLabels": {"app": "cart"}});
    }
    Some(json!({"apiVersion": api_version, "kind": row.name,
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec}))
}

/// An object as a document.
fn document(object: &Value, style: Style) -> String {
    match style {
        Style::Json => format!("{object:#}\n"),
        Style::Flow => {
            let top = |key: &str| format!("{key}: {}\n", object[key]);
            ["apiVersion", "kind", "metadata", "spec"].map(top).concat()
        }
        Style::Block => block(object, 0, ""),
        Style::BlockWithComments => block(object, 0, " # as it was"),
    }
}

/// A value as YAML in block style, a comment behind every scalar.
fn block(value: &Value, indent: usize, comment: &str) -> String {
    let blank = " ".repeat(indent);
    let is_leaf = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    let mut text = String::new();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match is_leaf(value) {
                    true => writeln!(text, "{blank}{key}: {value}{comment}"),
                    false => {
                        let below = block(value, indent + 2, comment);
                        write!(text, "{blank}{key}:\n{below}")
                    }
                }
                .expect("a String grows");
            }
        }
        Value::Array(items) => {
            for item in items {
                let inner = block(item, indent + 2, comment);
                let inner = inner.get(indent + 2..).unwrap_or_default();
                write!(text, "{blank}- {inner}").expect("a String grows");
            }
        }
        leaf => writeln!(text, "{blank}{leaf}{comment}").expect("a String grows"),
    }
    text
}

/// A STRICT mesh with one application, the scrapers of all operators, and these scrape objects.
fn mesh(objects: &[String]) -> String {
    let mut documents: Vec<String> = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring", "labels": {"istio-injection": "enabled"}}}),
        json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": "shop", "labels": {"app": "cart"}},
            "spec": {"selector": {"app": "cart"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "cart"}}, "template": {"metadata": {"labels": {"app": "cart"}},
                "spec": {"containers": [{"name": "cart", "image": "cart:1", "ports": [{"name": "http", "containerPort": 8080}]}]}}}}),
        json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
            "metadata": {"name": "main", "namespace": "monitoring"},
            "spec": {"selectAllByDefault": true, "remoteWrite": [{"url": "http://receiver.example.com/write"}]}}),
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
            "metadata": {"name": "main", "namespace": "monitoring"},
            "spec": {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {},
                "podMonitorSelector": {}, "podMonitorNamespaceSelector": {}, "probeSelector": {},
                "probeNamespaceSelector": {}, "scrapeConfigSelector": {}, "scrapeConfigNamespaceSelector": {}}}),
    ]
    .iter()
    .map(|object| document(object, Style::Block))
    .collect();
    documents.extend_from_slice(objects);
    documents.join("---\n")
}

/// As it is, and with requests that leave their pods without the sidecar, because one object needs the certificates.
fn with_and_without_sidecar(objects: &[String]) -> [Input; 2] {
    const BYPASS: &str = "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {scraper: {interception: bypass}}\n";
    let plain = json!({"port": "http"});
    let needs = object(&SCRAPE_KINDS[0], "needs-them", vec![plain]).expect("a VMServiceScrape");
    let mut beside = objects.to_vec();
    beside.push(document(&needs, Style::Block));
    let input = |objects: &[String], flags| Input {
        name: "a mesh".to_owned(),
        text: mesh(objects),
        flags,
    };
    let bypass = Flags {
        config: Some(Source::named("config.yaml", BYPASS.to_owned())),
        ..Flags::default()
    };
    [input(objects, Flags::default()), input(&beside, bypass)]
}

/// What holds of every input.
fn holds(input: &Input) -> Result<(), String> {
    for (how, text) in input.as_written_and_rewritten() {
        let ran = input
            .run(&text)
            .ok_or_else(|| format!("{how}: does not run"))?;
        let losses = losses(&text, &ran);
        if !losses.is_empty() {
            return Err(format!("{how}: {losses:#?}"));
        }
        let twice = input.run(&ran.output).map(|ran| ran.output);
        if twice.as_ref() != Some(&ran.output) {
            let diff = lines_of_diff(&ran.output, &twice.unwrap_or_default());
            return Err(format!("{how}: a second run changes\n{diff}"));
        }
    }
    round_trip(input).unwrap_or(Ok(()))
}

/// Each kind, with each way of TLS, in each style, on its own.
#[test]
fn every_kind_in_every_style_goes_and_comes_back() {
    let mut wrong = String::new();
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &SCRAPE_KINDS {
        for (number, tls) in tls_settings().iter().enumerate().skip(2) {
            let scheme = SCHEMES[number % SCHEMES.len()];
            let endpoint = endpoint(row, tls, scheme, number % 2 == 0);
            let Some(object) = object(row, "cart", vec![endpoint]) else {
                continue;
            };
            let style = STYLES[number % STYLES.len()];
            for input in with_and_without_sidecar(&[document(&object, style)]) {
                let ran = input.run(&input.text);
                let is_changed = ran.is_some_and(|ran| {
                    let (before, after) = (values(&input.text), values(&ran.output));
                    let pairs = before.iter().zip(&after);
                    let mut scrapes = pairs.filter(|(old, _)| old["metadata"]["name"] == "cart");
                    scrapes.any(|(old, new)| old["kind"] == row.name && old != new)
                });
                if is_changed {
                    *changed.entry(row.name).or_insert(0) += 1;
                }
                if let Err(why) = holds(&input) {
                    writeln!(wrong, "{} {tls} {scheme:?} {style:?}: {why}", row.name)
                        .expect("a String grows");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    // Where addresses name a Service, the sidecar encrypts; around it they need certificates.
    for kind in [
        "VMServiceScrape",
        "VMPodScrape",
        "VMStaticScrape",
        "VMProbe",
        "VMScrapeConfig",
    ] {
        let times = changed.get(kind).copied().unwrap_or_default();
        assert!(times > 4, "{kind} was changed {times} times");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: RANDOM_OBJECTS, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several objects of any kinds beside each other.
    #[test]
    fn random_objects_of_every_kind_go_and_come_back(objects in prop::collection::vec(scrape(), 1..4)) {
        let numbered = objects.iter().enumerate();
        let objects: Vec<String> = numbered.map(|(n, text)| text.replace("NAME", &format!("scrape{n}"))).collect();
        for input in with_and_without_sidecar(&objects) {
            holds(&input).map_err(TestCaseError::fail)?;
        }
    }
}

fn scrape() -> impl Strategy<Value = String> {
    let with_objects: Vec<&'static ScrapeDescription> = SCRAPE_KINDS
        .iter()
        .filter(|row| !row.api_versions.is_empty())
        .collect();
    let endpoint_of = (
        prop::sample::select(tls_settings()),
        prop::sample::select(SCHEMES.to_vec()),
        any::<bool>(),
    );
    (
        prop::sample::select(with_objects),
        prop::collection::vec(endpoint_of, 1..4),
        prop::sample::select(STYLES.to_vec()),
    )
        .prop_map(|(row, endpoints, style)| {
            let endpoints = endpoints
                .iter()
                .map(|(tls, scheme, rules)| endpoint(row, tls, *scheme, *rules))
                .collect();
            let object = object(row, "NAME", endpoints).expect("it is a kind of objects");
            document(&object, style)
        })
}
