//! What a run takes away, and what comes back: nothing that is not Istio's goes, and what STRICT brought goes with it.
//!
//! Over the cases and the corpus as they are and with the mode of every policy rewritten, and over one mesh with scrape
//! objects of every kind, however they are written.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex};

use istio_scrape::krm::{self, Source};
use istio_scrape::model::{
    self, Endpoints, Finds, PortFields, SCRAPE_KINDS, ScrapeDescription, Spelling,
};
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Flags, run};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use similar::TextDiff;
use support::inputs::{at_once, written};
use support::random::nth_part_of_tries;

const RANDOM_OBJECTS: u32 = 120;

/// An input with its configuration. Several properties look at the same texts, and a run often comes to one that was
/// run before: each is run once.
struct Input {
    name: String,
    text: String,
    flags: Flags,
    ran: Mutex<BTreeMap<String, Option<Arc<Ran>>>>,
}

/// What became of a text.
struct Ran {
    /// The objects that came in.
    before: Arc<Vec<Object>>,
    output: String,
    /// The objects that went out.
    after: Arc<Vec<Object>>,
    decisions: Vec<Value>,
}

/// An object of a text.
#[derive(PartialEq)]
struct Object {
    kind: String,
    text: String,
    value: Value,
}

impl Input {
    fn new(name: String, text: String, config: Option<String>) -> Self {
        Self {
            name,
            text,
            flags: Flags {
                config: config.map(|text| Source::named("config.yaml", text)),
                ..Flags::default()
            },
            ran: Mutex::default(),
        }
    }

    /// `None` where the run fails or finds what makes it fail: then nothing goes out.
    fn run(&self, text: &str) -> Option<Arc<Ran>> {
        let mut ran = self.ran.lock().expect("nobody fails while running");
        if let Some(known) = ran.get(text) {
            return known.clone();
        }
        let new = self.run_anew(text).map(Arc::new);
        ran.insert(text.to_owned(), new.clone());
        new
    }

    fn run_anew(&self, text: &str) -> Option<Ran> {
        let outcome = run(&[Source::named("input.yaml", text)], &self.flags)
            .ok()?
            .into_owned();
        let output = outcome.text().filter(|_| outcome.exit == 0)?;
        let report: Value = serde_json::from_str(&outcome.report).expect("the report is JSON");
        let decisions = report["decisions"].as_array().expect("a list").clone();
        let before = Arc::new(objects(text));
        let after = match output == text {
            true => Arc::clone(&before),
            false => Arc::new(objects(&output)),
        };
        Some(Ran {
            before,
            output,
            after,
            decisions,
        })
    }

    /// The name of our scrape class.
    fn class_name(&self) -> String {
        let written = self.setting("/spec/certificates/scrapeClassName");
        written.unwrap_or_else(|| "istio-mtls".to_owned())
    }

    /// A setting of the configuration.
    fn setting(&self, at: &str) -> Option<String> {
        let config = self.flags.config.as_ref()?;
        let value = inner(&config.text)?;
        Some(value.pointer(at)?.as_str()?.to_owned())
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
    let readable = |input: &Input| {
        let sources = [Source::named("input.yaml", input.text.as_str())];
        krm::open(&sources, model::reads).is_ok()
    };
    written("the way back over the corpus")
        .into_iter()
        .map(|one| Input::new(one.name, one.text, one.config))
        .filter(readable)
        .collect()
}

static INPUTS: LazyLock<Vec<Input>> = LazyLock::new(inputs);

/// Fails with everything that is wrong, not with the first of it; `wrong` is `None` where there is nothing to look at,
/// of which there may not be too much.
fn over_all(at_least: usize, wrong: impl Fn(&Input) -> Option<Vec<String>> + Sync) {
    let mut told = String::new();
    let mut looked_at = 0;
    for (input, problems) in INPUTS.iter().zip(at_once(&INPUTS, wrong)) {
        let Some(problems) = problems else {
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
    let mut result = String::new();
    let mut end = 0;
    for range in policies(text) {
        result.push_str(&text[end..range.start]);
        let mut policy = text[range.clone()].to_owned();
        for written in ["STRICT", "PERMISSIVE", "DISABLE"] {
            policy = policy.replace(written, mode);
        }
        result.push_str(&policy);
        end = range.end;
    }
    result.push_str(&text[end..]);
    result
}

/// Where the PeerAuthentications are.
fn policies(text: &str) -> Vec<Range<usize>> {
    if !["STRICT", "PERMISSIVE", "DISABLE"]
        .iter()
        .any(|mode| text.contains(mode))
    {
        return Vec::new();
    }
    let sources = [Source::named("input.yaml", text)];
    let package = krm::open(&sources, model::reads).expect("it was opened before");
    let items = package.items.iter();
    items
        .filter(|item| item.kind == "PeerAuthentication")
        .map(|item| item.node().expect("YAML").range.clone())
        .collect()
}

/// The objects of a text, without a configuration: it does not go out of a stream.
fn objects(text: &str) -> Vec<Object> {
    let sources = [Source::named("input.yaml", text)];
    let package = krm::open(&sources, model::reads).expect("what has been run can be opened");
    let rules = package.form.rules();
    package
        .items
        .iter()
        .filter(|item| item.kind != "ScrapeTLS")
        .map(|item| Object {
            kind: item.kind.to_string(),
            text: text[item.node().expect("YAML").range.clone()]
                .trim_end()
                .to_owned(),
            value: item.node().expect("YAML").value(rules).unwrap_or_default(),
        })
        .collect()
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
                let losses = losses(input, &ran);
                wrong.extend(losses.into_iter().map(|loss| format!("{how}: {loss}")));
            }
        }
        ran_once.then_some(wrong)
    });
}

/// What a run took away or wrote over that is neither Istio's nor ours.
fn losses(input: &Input, ran: &Ran) -> Vec<String> {
    let (before, after) = (&ran.before, &ran.after);
    let mut losses = Vec::new();
    if before.len() != after.len() {
        losses.push(format!("{} objects became {}", before.len(), after.len()));
    }
    let mut comparison = Comparison {
        classes: Classes::of(before, input.class_name()),
        names_class: false,
        losses,
    };
    for (before, after) in before.iter().zip(after.iter()) {
        let is_named = |object: &Object| names_class(&object.value, &|class| !class.is_null());
        comparison.names_class = is_named(before) || is_named(after);
        comparison.compare(&before.value, &after.value, "");
    }
    let mut losses = comparison.losses;
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

/// Whether an object names such a class for itself or, as a program of an operator, for its own scrape.
fn names_class(object: &Value, is_meant: &dyn Fn(&Value) -> bool) -> bool {
    is_meant(&object["spec"]["scrapeClass"]) || names_class_within(object, is_meant)
}

fn names_class_within(value: &Value, is_meant: &dyn Fn(&Value) -> bool) -> bool {
    let below = value.as_object().into_iter().flatten();
    below.into_iter().any(|(key, value)| match key.as_str() {
        "serviceScrapeSpec" => is_meant(&value["scrapeClass"]),
        _ => names_class_within(value, is_meant),
    })
}

/// What the scrape classes of the scrapers may be to an object.
struct Classes {
    /// The name of ours.
    name: String,
    /// What has that name brings Istio's certificates and nothing else.
    is_istios: bool,
    /// Objects that name none may have one.
    has_default: bool,
}

impl Classes {
    fn of(objects: &[Object], name: String) -> Self {
        let lists = objects
            .iter()
            .filter_map(|object| object.value["spec"]["scrapeClasses"].as_array());
        let all: Vec<&Value> = lists.flatten().collect();
        let is_ours = |class: &&&Value| class["name"] == *name;
        let holds_only_certificates = |class: &&Value| {
            let fields = class.as_object().into_iter().flatten();
            let mut others =
                fields.filter(|(key, _)| !["name", "default", "tlsConfig"].contains(&key.as_str()));
            is_all_istios(&class["tlsConfig"]) && others.all(|(_, value)| value.is_null())
        };
        Self {
            is_istios: all.iter().filter(is_ours).all(holds_only_certificates),
            has_default: all.iter().any(|class| class["default"] == true),
            name,
        }
    }
}

/// Looks for what is lost between two values of an object.
struct Comparison {
    classes: Classes,
    /// The object names a scrape class, as it comes in or as it goes out.
    names_class: bool,
    losses: Vec<String>,
}

impl Comparison {
    fn compare(&mut self, before: &Value, after: &Value, at: &str) {
        let key = at.rsplit('/').next().unwrap_or_default().replace("~1", "/");
        let key = key.as_str();
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                if !self.may_inherit() && is_own_tls(key, old) {
                    for key in TRANSPORT
                        .iter()
                        .filter(|key| old.get(**key) != new.get(**key))
                    {
                        self.losses
                            .push(format!("{at} has TLS of its own, and {key} is changed"));
                    }
                }
                for (key, value) in old {
                    let at = format!("{at}/{}", key.replace('/', "~1"));
                    match new.get(key) {
                        Some(new_value) => {
                            let is_turned_off = is_http2(key)
                                && (value, new_value) == (&json!(true), &json!(false))
                                && (self.names_class || self.may_inherit() || names_istios(new));
                            if !is_turned_off {
                                self.compare(value, new_value, &at);
                            }
                        }
                        None if self.may_go(&at, (key, value), (old, new)) => {}
                        None => self.losses.push(format!("{at} is gone: {value}")),
                    }
                }
            }
            (Value::Array(old), Value::Array(new)) if is_relabelling(key) => {
                let kept: Vec<_> = old.iter().filter(|rule| !is_our_rule(rule)).collect();
                let others: Vec<_> = new.iter().filter(|rule| !is_our_rule(rule)).collect();
                if kept != others {
                    let loss = format!("{at} has other rules: {before} became {after}");
                    self.losses.push(loss);
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                if new.len() < old.len() {
                    let loss = format!("{at} is shorter: {before} became {after}");
                    self.losses.push(loss);
                }
                for (position, (old, new)) in old.iter().zip(new).enumerate() {
                    self.compare(old, new, &format!("{at}/{position}"));
                }
            }
            (Value::String(old), Value::String(new)) if old != new => {
                let inside = (inner(old), inner(new));
                if let (Some(old), Some(new)) = inside {
                    // What is in a string inherits nothing.
                    let names_class = std::mem::take(&mut self.names_class);
                    let has_default = std::mem::take(&mut self.classes.has_default);
                    self.compare(&old, &new, &format!("{at}!"));
                    self.names_class = names_class;
                    self.classes.has_default = has_default;
                } else if !may_become(key, old, new) {
                    let loss = format!("{at} was {old:?} and is {new:?}");
                    self.losses.push(loss);
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
            (old, new) => self.losses.push(format!("{at} was {old} and is {new}")),
        }
    }

    /// Whether an endpoint of the object may have more TLS settings than it shows.
    fn may_inherit(&self) -> bool {
        self.names_class || self.classes.has_default
    }

    /// What a run may take away whole, from a map that was and is like this.
    fn may_go(
        &self,
        at: &str,
        (key, value): (&str, &Value),
        (old, new): (&Map<String, Value>, &Map<String, Value>),
    ) -> bool {
        match key {
            "scheme" => value
                .as_str()
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            // Where a class brings them, one that says nothing keeps the class's out, and wrong partners of Istio's
            // files go instead of being put right.
            "tlsConfig" | "tls_config" => {
                let gives_way = says_nothing_in_it(value) || is_istios_but_for_files(value);
                is_all_istios(value) || self.names_class && gives_way
            }
            key if is_http2(key) => {
                // It comes with certificates, and goes with them.
                let others = TRANSPORT.iter().filter(|key| !is_http2(key));
                let mut gone =
                    others.filter(|key| old.contains_key(**key) && !new.contains_key(**key));
                let scheme_of =
                    |map: &Map<String, Value>| map.get("prober").map(|it| it["scheme"].clone());
                let is_gone = gone.next().is_some() || scheme_of(old) != scheme_of(new);
                *value == Value::Bool(false) && is_gone
            }
            key if says_nothing(value) => {
                // TLS settings that say nothing are written anew.
                let within = at.strip_suffix(&format!("/{key}")).unwrap_or_default();
                (within.ends_with("/tlsConfig") || within.ends_with("/tls_config"))
                    && old.values().all(says_nothing)
                    && new
                        .iter()
                        .any(|(key, value)| is_file(key) && names_one(value))
            }
            "scrapeClass" => {
                let is_ours =
                    at == "/spec/scrapeClass" || at.ends_with("/serviceScrapeSpec/scrapeClass");
                is_ours && *value == self.classes.name && self.classes.is_istios
            }
            key if is_relabelling(key) => {
                let rules = value.as_array();
                rules.is_some_and(|rules| rules.iter().all(is_our_rule))
            }
            _ => false,
        }
    }
}

/// What says how an endpoint speaks.
const TRANSPORT: [&str; 8] = [
    "scheme",
    "tlsConfig",
    "tls_config",
    "enableHttp2",
    "enable_http2",
    "relabelConfigs",
    "relabelings",
    "relabel_configs",
];

fn is_http2(key: &str) -> bool {
    ["enableHttp2", "enableHTTP2", "enable_http2"].contains(&key)
}

/// Whether a map is an endpoint with TLS settings in which nothing can be told for Istio's, or with https and without any.
fn is_own_tls(key: &str, map: &Map<String, Value>) -> bool {
    // The scheme of a prober: the TLS settings are elsewhere.
    if ["vmProberSpec", "prober"].contains(&key) {
        return false;
    }
    let https = map.get("scheme").and_then(Value::as_str);
    let https = https.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let written = map.get("tlsConfig").or_else(|| map.get("tls_config"));
    match written.filter(|tls| !says_nothing_in_it(tls)) {
        Some(_) => !names_istios(map),
        None => https,
    }
}

/// Whether the TLS settings of an endpoint name a file of Istio's.
fn names_istios(endpoint: &Map<String, Value>) -> bool {
    let written = endpoint
        .get("tlsConfig")
        .or_else(|| endpoint.get("tls_config"));
    let fields = written.and_then(Value::as_object).into_iter().flatten();
    fields
        .into_iter()
        .any(|(key, value)| is_file(key) && names_one(value))
}

fn says_nothing_in_it(tls: &Value) -> bool {
    let fields = tls.as_object().into_iter().flatten();
    fields.into_iter().all(|(_, value)| says_nothing(value))
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        value => [json!(null), json!(""), json!(false)].contains(value),
    }
}

/// Whether a key of TLS settings names a file.
fn is_file(key: &str) -> bool {
    const KEYS: [&str; 6] = [
        "caFile",
        "certFile",
        "keyFile",
        "ca_file",
        "cert_file",
        "key_file",
    ];
    KEYS.contains(&key)
}

/// Whether it is a file of Istio's.
fn names_one(value: &Value) -> bool {
    const NAMES: [&str; 3] = ["root-cert.pem", "cert-chain.pem", "key.pem"];
    let name = value.as_str().and_then(|path| path.rsplit('/').next());
    name.is_some_and(|name| NAMES.contains(&name))
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
    let Some(tls) = tls.as_object() else {
        return false;
    };
    tls.iter()
        .any(|(key, value)| is_file(key) && names_one(value))
        && tls.iter().all(|(key, value)| match key.as_str() {
            "insecureSkipVerify" | "insecure_skip_verify" => true,
            key if is_file(key) => names_one(value) || says_nothing(value),
            _ => says_nothing(value),
        })
}

/// The same, where other files may stand in the place of Istio's.
fn is_istios_but_for_files(tls: &Value) -> bool {
    let mut tls = tls.clone();
    let Some(fields) = tls.as_object_mut() else {
        return false;
    };
    fields.retain(|key, value| !is_file(key) || names_one(value));
    is_all_istios(&tls)
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
            // As it is written, `properties.rs` looks at other orders.
            if text != input.text
                && let Some(reversed) = reversed(&text)
            {
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
        .map(|object| object.value.to_string())
        .collect();
    texts.sort();
    texts
}

/// B = run(A, STRICT); run(run(B, PERMISSIVE), STRICT) = B, byte for byte where A had no `scheme`, by value otherwise.
///
/// `None` where a run fails, or nothing was ours to bring.
fn round_trip(input: &Input) -> Option<Result<(), String>> {
    // Envoy guards a port of its own with certificates: under PERMISSIVE they are wanted, under STRICT nobody gets
    // through, and what is written is kept.
    if input.text.contains("ENVOY_SECURE_") {
        return None;
    }
    let strict = input.run(&with_modes(&input.text, "STRICT"))?;
    // A scraper that cannot have them gets nobody anything back.
    let has_none = strict
        .decisions
        .iter()
        .any(|decision| decision["rule"] == "scraper-cannot-have-certificates");
    let judged = strict
        .decisions
        .iter()
        .filter(|decision| decision["transport"].is_object());
    let (others, ours): (Vec<_>, Vec<_>) =
        judged.partition(|one| has_none && is_there(one) || was_not_ours_to_bring(one));
    if ours.is_empty() && !others.is_empty() {
        return None;
    }
    let permissive = input.run(&with_modes(&strict.output, "PERMISSIVE"))?;
    let Some(back) = input.run(&with_modes(&permissive.output, "STRICT")) else {
        return Some(Err("fails when STRICT comes back".to_owned()));
    };
    let is_left_out = |object: &Object| {
        let not_ours = others.iter().any(|one| is_about(one, object));
        not_ours
            || is_barred_by_its_class(input, object, &strict.after)
            || is_refused_a_class(input, object, &back)
    };
    let our_class = input.class_name();
    let pairs = strict.after.iter().zip(back.after.iter());
    let same = strict
        .before
        .iter()
        .zip(pairs)
        .filter(|(_, (then, _))| !is_left_out(then))
        .all(
            |(written, (then, now))| match is_back_by_value(written, &our_class) {
                true => in_one_way(&of_prober(then)) == in_one_way(&of_prober(now)),
                false => then == now,
            },
        );
    let is_whole = strict.after.len() == back.after.len();
    if is_whole && (same || comes_by_another_way(input, (&strict, &back), &is_left_out)) {
        return Some(Ok(()));
    }
    let diff = lines_of_diff(&strict.output, &back.output);
    let way = lines_of_diff(&strict.output, &permissive.output);
    Some(Err(format!(
        "is not what it was\n{diff}\n after PERMISSIVE had made of it\n{way}"
    )))
}

/// The value, with the scheme of a VMProbe where its prober has it, which wins over the other place.
fn of_prober(object: &Object) -> Value {
    let mut value = object.value.clone();
    if object.kind == "VMProbe"
        && let Some(spec) = value["spec"].as_object_mut()
        && let Some(scheme) = spec.remove("scheme")
        && let Some(prober) = spec.get_mut("vmProberSpec").and_then(Value::as_object_mut)
    {
        prober.entry("scheme").or_insert(scheme);
    }
    value
}

/// Whether an endpoint came in with certificates.
fn is_there(decision: &Value) -> bool {
    let now = &decision["transport"]["now"];
    ["mutualTLS", "perTarget"].iter().any(|there| now == there)
}

/// Certificates that are there under STRICT and would not be brought: nobody knows that they are wanted, or something
/// stands in their way. Where PERMISSIVE proves that they are not wanted they go, and STRICT alone brings nothing.
fn was_not_ours_to_bring(decision: &Value) -> bool {
    let is_kept = decision["verdict"] != "patch" && decision["rule"] != "already-right";
    is_there(decision) && (is_kept || decision["transport"]["wanted"] != "mutualTLS")
}

/// Whether a scrape class keeps certificates from an object once they are gone: it brings TLS that is not Istio's, or it
/// is not there and operators refuse the object. Files of Istio's that stand before it are right, and go like all others.
fn is_barred_by_its_class(input: &Input, object: &Object, all: &[Object]) -> bool {
    let named = object.value["spec"]["scrapeClass"].as_str();
    let lists = all
        .iter()
        .filter_map(|object| object.value["spec"]["scrapeClasses"].as_array());
    let applying = lists.flatten().filter(|class| match named {
        None => class["default"] == true,
        Some(named) => class["name"] == named,
    });
    let all: Vec<&Value> = applying.map(|class| &class["tlsConfig"]).collect();
    let is_missing = named.is_some_and(|named| all.is_empty() && named != input.class_name());
    let mut others = all
        .iter()
        .filter(|tls| !says_nothing_in_it(tls) && !is_all_istios(tls));
    is_missing || others.next().is_some()
}

/// Whether settings ask for a scrape class that the object, as is said of it, cannot use for all of its endpoints: files
/// that somebody named by hand are right and stay, but once gone they are not written again.
fn is_refused_a_class(input: &Input, object: &Object, back: &Ran) -> bool {
    let wanted = input.setting("/spec/certificates/via").as_deref() == Some("scrapeClass");
    let mut told = back.decisions.iter().filter(|one| is_about(one, object));
    wanted && names_files(object) && told.any(|one| one["rule"] == "files-are-denied")
}

/// Whether a scrape object names one of Istio's files itself.
fn names_files(object: &Object) -> bool {
    object.value["spec"]["scrapeClasses"].is_null()
        && ["root-cert.pem", "cert-chain.pem", "key.pem"]
            .iter()
            .any(|file| object.text.contains(file))
}

fn is_about(decision: &Value, object: &Object) -> bool {
    let about = &decision["object"];
    about["kind"] == object.kind && about["name"] == object.value["metadata"]["name"]
}

/// Whether somebody else wrote something of what goes: it comes back as we write it and where we write it.
///
/// A scheme, TLS settings (of Istio's files, or in which nothing is set), HTTP/2 on or off, an empty list that a rule of
/// ours came into, the name of our scrape class, be it in quotes.
fn is_back_by_value(written: &Object, our_class: &str) -> bool {
    const WRITTEN: [&str; 8] = [
        "scheme",
        "tlsConfig",
        "tls_config",
        "enableHttp2",
        "enableHTTP2",
        "enable_http2",
        "relabelConfigs",
        "relabelings",
    ];
    let is_list = |key: &&str| key.starts_with("relabel");
    let is_written = WRITTEN.iter().any(|key| match is_list(key) {
        true => {
            written.text.contains(&format!("{key}: []"))
                || written.text.contains(&format!("\"{key}\": []"))
        }
        false => written.text.contains(key),
    });
    is_written || names_class(&written.value, &|class| class == our_class)
}

/// Where settings ask for a scrape class, or the object names one itself, files that somebody named by hand are right and
/// stay. Once gone they come back by the class: endpoints speak as they did, and from there it is the same way each time.
fn comes_by_another_way(
    input: &Input,
    (strict, back): (&Ran, &Ran),
    is_left_out: &dyn Fn(&Object) -> bool,
) -> bool {
    let via = input.setting("/spec/certificates/via");
    let may_be_either = |object: &Object| {
        let class = &object.value["spec"]["scrapeClass"];
        names_files(object) && (via.as_deref() == Some("scrapeClass") || !class.is_null())
    };
    if !strict.before.iter().any(may_be_either) {
        return false;
    }
    let again = |text: &str| input.run(text).map(|ran| ran.output.clone());
    let permissive = again(&with_modes(&back.output, "PERMISSIVE"));
    let once_more = permissive.and_then(|text| again(&with_modes(&text, "STRICT")));
    let left_out: Vec<&Object> = strict.after.iter().filter(|one| is_left_out(one)).collect();
    let spoken = |ran: &Ran| {
        let again = input.run(&ran.output)?;
        let told = again
            .decisions
            .iter()
            .filter(|one| one["transport"].is_object())
            .filter(|one| !left_out.iter().any(|object| is_about(one, object)))
            .map(|one| ["object", "at", "transport"].map(|key| one[key].to_string()));
        Some(told.collect::<Vec<_>>())
    };
    once_more.as_ref() == Some(&back.output) && spoken(strict) == spoken(back)
}

/// A value without what is written in several ways: keys of TLS settings that say nothing, the case of schemes, which
/// of several directories that the scraper mounts is named, the order of keys inside a string.
fn in_one_way(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), in_one_way_at(key, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(in_one_way).collect(),
        Value::String(text) if text.contains('\n') => {
            inner(text).map_or_else(|| value.clone(), |inner| in_one_way(&inner))
        }
        other => other.clone(),
    }
}

fn in_one_way_at(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("scheme", Value::String(scheme)) => Value::String(scheme.to_ascii_lowercase()),
        ("tlsConfig" | "tls_config", Value::Object(tls)) => tls
            .iter()
            .filter(|(_, value)| !says_nothing(value))
            .map(|(key, value)| match names_one(value) {
                true => (
                    key.clone(),
                    json!(value.as_str().and_then(|path| path.rsplit('/').next())),
                ),
                false => (key.clone(), value.clone()),
            })
            .collect::<Map<_, _>>()
            .into(),
        (_, value) => in_one_way(value),
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
        json!({}),
        json!({"insecureSkipVerify": false, "serverName": ""}),
        json!({"insecureSkipVerify": true}),
        json!({"ca": {"secret": {"name": "corporate", "key": "ca.crt"}}}),
        json!({"caFile": "/etc/ssl/ca.pem", "serverName": "cart.shop"}),
    ]
}

const SCHEMES: [Option<&str>; 5] = [None, None, Some("https"), Some("HTTPS"), Some("http")];

/// What else an endpoint says.
#[derive(Debug, Clone, Copy)]
struct Besides {
    /// A relabelling rule of its own.
    rules: bool,
    /// HTTP/2, where the kind knows it.
    http2: Option<bool>,
}

/// One endpoint of a kind: how it finds its targets, and what it says of TLS.
fn endpoint(row: &ScrapeDescription, tls: &Value, scheme: Option<&str>, besides: Besides) -> Value {
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
    if let (Some(key), Some(http2)) = (row.http2, besides.http2) {
        endpoint[key] = json!(http2);
    }
    if let (Some(key), true) = (row.relabelings, besides.rules) {
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

/// What an object says for all of its endpoints.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// Whether it reaches pods without a sidecar as well, in another namespace.
    any_namespace: bool,
    class: Option<&'static str>,
}

/// Our class, one of the user's that brings the certificates, one that brings something else, one that is not there.
const CLASSES: [Option<&str>; 8] = [
    None,
    None,
    None,
    None,
    Some("istio-mtls"),
    Some("corporate-istio"),
    Some("corporate"),
    Some("missing"),
];

/// A scrape object of a kind; none for what is no object of its own.
fn object(
    row: &ScrapeDescription,
    name: &str,
    reach: Reach,
    endpoints: Vec<Value>,
) -> Option<Value> {
    let api_version = row.api_versions.first()?;
    let mut spec = match row.endpoints {
        Endpoints::List(list) => json!({list: endpoints}),
        Endpoints::Spec => endpoints.into_iter().next()?,
        Endpoints::Itself => return None,
    };
    if matches!(row.finds, Finds::Services | Finds::Pods | Finds::Nodes) {
        spec["selector"] = json!({"matchLabels": {"app": "cart"}});
        if reach.any_namespace && row.finds != Finds::Nodes {
            spec["namespaceSelector"] = json!({"any": true});
        }
    }
    if let Some(class) = reach.class {
        spec["scrapeClass"] = json!(class);
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

/// How the mesh around the scrape objects is.
#[derive(Debug, Clone, Copy)]
enum Around {
    /// Nothing special.
    Plain,
    /// Requests leave the scrapers' pods without the sidecar, so what names Services needs certificates as well.
    Bypass,
    /// Certificates come by scrape classes, by the settings.
    Class,
    /// Certificates come by scrape classes: the VMAgent denies files.
    Denied,
    /// The scrapers have classes already, the VMAgent has jobs of its own, and says how it is scraped itself.
    Written,
}

const AROUND: [Around; 5] = [
    Around::Bypass,
    Around::Plain,
    Around::Class,
    Around::Denied,
    Around::Written,
];

impl Around {
    fn config(self) -> Option<String> {
        let spec = match self {
            Self::Plain | Self::Denied | Self::Written => return None,
            Self::Bypass => "{scraper: {interception: bypass}}",
            Self::Class => "{certificates: {via: scrapeClass}}",
        };
        Some(format!(
            "apiVersion: istio-scrape.dev/v1alpha1\nkind: ScrapeTLS\nspec: {spec}\n"
        ))
    }

    /// What the VMAgent says besides.
    fn agent(self) -> Value {
        const JOBS: &str = "- job_name: cart\n  static_configs:\n  - targets: [\"cart.shop.svc:80\"]\n\
            - job_name: pods # of the shop\n  kubernetes_sd_configs: [{role: pod, namespaces: {names: [shop]}}]\n\
            - job_name: own\n  scheme: https\n  static_configs: [{targets: [\"example.com:443\"]}]\n";
        match self {
            Self::Plain | Self::Class => json!({}),
            Self::Bypass => json!({"inlineScrapeConfig": JOBS}),
            Self::Denied => json!({"arbitraryFSAccessThroughSMs": {"deny": true}}),
            Self::Written => json!({
                "inlineScrapeConfig": JOBS,
                "replicaCount": 2,
                "scrapeClasses": classes(),
                "serviceScrapeSpec": {"endpoints": [{"port": "http", "path": "/metrics", "interval": "5s"}]},
            }),
        }
    }
}

/// Scrape classes of a scraper.
fn classes() -> Value {
    let istios = &tls_settings()[3];
    json!([
        {"name": "corporate-istio", "tlsConfig": istios},
        {"name": "corporate", "tlsConfig": {"caFile": "/etc/ssl/ca.pem"}},
    ])
}

/// A STRICT mesh with one application, one more outside of it, the scrapers of all operators, and these scrape objects.
fn mesh(objects: &[String], around: Around) -> String {
    let namespace = |name: &str, injection: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"istio-injection": injection}}});
    let service = |namespace: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": namespace, "labels": {"app": "cart"}},
            "spec": {"selector": {"app": "cart"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
    };
    let deployment = |namespace: &str| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": "cart"}}, "template": {"metadata": {"labels": {"app": "cart"}},
                "spec": {"containers": [{"name": "cart", "image": "cart:1", "ports": [{"name": "http", "containerPort": 8080}]}]}}}})
    };
    let mut agent = json!({"apiVersion": "operator.victoriametrics.com/v1beta1", "kind": "VMAgent",
        "metadata": {"name": "main", "namespace": "monitoring"},
        "spec": {"selectAllByDefault": true, "remoteWrite": [{"url": "http://receiver.example.com/write"}]}});
    for (key, value) in around.agent().as_object().into_iter().flatten() {
        agent["spec"][key] = value.clone();
    }
    let mut prometheus = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
        "metadata": {"name": "main", "namespace": "monitoring"},
        "spec": {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {},
            "podMonitorSelector": {}, "podMonitorNamespaceSelector": {}, "probeSelector": {},
            "probeNamespaceSelector": {}, "scrapeConfigSelector": {}, "scrapeConfigNamespaceSelector": {}}});
    if let Around::Written = around {
        prometheus["spec"]["scrapeClasses"] = classes();
    }
    let mut documents: Vec<String> = [
        namespace("shop", "enabled"),
        namespace("monitoring", "enabled"),
        namespace("outside", "disabled"),
        json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"mtls": {"mode": "STRICT"}}}),
        service("shop"),
        deployment("shop"),
        service("outside"),
        deployment("outside"),
        agent,
        prometheus,
    ]
    .iter()
    .map(|object| document(object, Style::Block))
    .collect();
    documents.extend_from_slice(objects);
    documents.join("---\n")
}

/// The mesh, and one object besides that needs the certificates where otherwise perhaps none would.
fn with(objects: &[String], around: Around) -> Input {
    let mut objects = objects.to_vec();
    if let Around::Bypass = around {
        let plain = json!({"port": "http"});
        let reach = Reach {
            any_namespace: false,
            class: None,
        };
        let needs = object(&SCRAPE_KINDS[0], "needs-them", reach, vec![plain]);
        objects.push(document(&needs.expect("a VMServiceScrape"), Style::Block));
    }
    Input::new("a mesh".to_owned(), mesh(&objects, around), around.config())
}

/// What holds of every input.
fn holds(input: &Input) -> Result<(), String> {
    for (how, text) in input.as_written_and_rewritten() {
        let ran = input
            .run(&text)
            .ok_or_else(|| format!("{how}: does not run"))?;
        let losses = losses(input, &ran);
        if !losses.is_empty() {
            return Err(format!("{how}: {losses:#?}"));
        }
        let twice = input.run(&ran.output).map(|ran| ran.output.clone());
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
    let mut all = Vec::new();
    for (row_number, row) in SCRAPE_KINDS.iter().enumerate() {
        for (number, tls) in tls_settings().iter().enumerate().skip(2) {
            let scheme = SCHEMES[number % SCHEMES.len()];
            let besides = Besides {
                rules: number % 2 == 0,
                http2: [None, Some(true), Some(false)][number % 3],
            };
            let reach = Reach {
                any_namespace: number % 5 == 3,
                class: CLASSES[(number + row_number) % CLASSES.len()],
            };
            let style = STYLES[number % STYLES.len()];
            // Around the sidecar every kind needs certificates; the others take turns.
            let others = &AROUND[1..];
            let turn = number + row_number;
            let other = (turn % 2 == 0).then(|| others[turn / 2 % others.len()]);
            for around in [Some(AROUND[0]), other].into_iter().flatten() {
                // A class that is not there makes operators refuse the object.
                let class = reach.class.filter(|_| matches!(around, Around::Written));
                let reach = Reach { class, ..reach };
                let endpoint = endpoint(row, tls, scheme, besides);
                if let Some(object) = object(row, "cart", reach, vec![endpoint]) {
                    let told = format!(
                        "{} {tls} {scheme:?} {style:?} {reach:?} {around:?}",
                        row.name
                    );
                    all.push((row.name, told, with(&[document(&object, style)], around)));
                }
            }
        }
    }
    let answers = at_once(&all, |(kind, told, input)| {
        let ran = input.run(&input.text);
        let is_changed = ran.is_some_and(|ran| {
            let mut pairs = ran.before.iter().zip(ran.after.iter());
            pairs.any(|(old, new)| {
                old.kind == *kind && old.value["metadata"]["name"] == "cart" && old != new
            })
        });
        let wrong = holds(input).err().map(|why| format!("{told}: {why}\n"));
        (*kind, is_changed, wrong)
    });
    let mut wrong = String::new();
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, is_changed, why) in answers {
        *changed.entry(kind).or_insert(0) += usize::from(is_changed);
        wrong.extend(why);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    // Where addresses name a Service, the sidecar encrypts; around it they need certificates.
    for kind in [
        "VMServiceScrape",
        "VMPodScrape",
        "VMStaticScrape",
        "VMProbe",
        "VMScrapeConfig",
        "ServiceMonitor",
    ] {
        let times = changed.get(kind).copied().unwrap_or_default();
        assert!(times > 4, "{kind} was changed {times} times");
    }
}

/// Several objects of any kinds beside each other.
#[test]
fn random_objects_of_every_kind_go_and_come_back() {
    const PARTS: u32 = 4;
    let parts: Vec<u32> = (0..PARTS).collect();
    let answers = at_once(&parts, |part| {
        let config = nth_part_of_tries(PARTS, *part, RANDOM_OBJECTS);
        let objects = (
            prop::collection::vec(scrape(), 1..4),
            prop::sample::select(AROUND.to_vec()),
        );
        TestRunner::new(config).run(&objects, |(objects, around)| {
            let numbered = objects.iter().enumerate();
            let named = numbered.map(|(n, text)| text.replace("NAME", &format!("scrape{n}")));
            holds(&with(&named.collect::<Vec<_>>(), around)).map_err(TestCaseError::fail)
        })
    });
    for answer in answers {
        answer.unwrap_or_else(|why| panic!("{why}"));
    }
}

fn scrape() -> impl Strategy<Value = String> {
    let with_objects: Vec<&'static ScrapeDescription> = SCRAPE_KINDS
        .iter()
        .filter(|row| !row.api_versions.is_empty())
        .collect();
    let besides = (any::<bool>(), any::<Option<bool>>());
    let endpoint_of = (
        prop::sample::select(tls_settings()),
        prop::sample::select(SCHEMES.to_vec()),
        besides.prop_map(|(rules, http2)| Besides { rules, http2 }),
    );
    let reach = (
        prop::bool::weighted(0.3),
        prop::sample::select(CLASSES.to_vec()),
    );
    (
        prop::sample::select(with_objects),
        prop::collection::vec(endpoint_of, 1..4),
        prop::sample::select(STYLES.to_vec()),
        reach.prop_map(|(any_namespace, class)| Reach {
            any_namespace,
            class,
        }),
    )
        .prop_map(|(row, endpoints, style, reach)| {
            let endpoints = endpoints
                .iter()
                .map(|(tls, scheme, besides)| endpoint(row, tls, *scheme, *besides))
                .collect();
            let object = object(row, "NAME", reach, endpoints).expect("it is a kind of objects");
            document(&object, style)
        })
}
