//! How does a program check what `explain -o json` prints before it relies on it?
//!
//! Authority: JSON Schema 2020-12; RFC 6902 for patches; `json.rs` beside this file for the fields.
//! Departs from it: nothing. It shows what this version prints, so a field that is not named here is refused.
//! Knows: fields and words of the report. Does not know: decisions.

use serde_json::{Value, json};

use super::json::{data_plane, demand, mode};
use super::{now, severity, verdict, wanted};
use crate::config::{MtlsMode, Severity};
use crate::policy::{DataPlane, Part, Rung};
use crate::rules::{Demand, Now, Rule, Verdict, Wanted};

/// Every value of an enumeration: a new one does not compile until it is named.
macro_rules! every {
    ($type:ident: $($variant:ident),+) => {{
        fn named(one: $type) -> $type {
            match one {
                $($type::$variant)|+ => one,
            }
        }
        [$($type::$variant),+].map(named)
    }};
}

/// The JSON Schema of a report, and of what takes its place where a run could not be made.
pub fn schema() -> Value {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let or_null = |kind: &str| json!({"type": [kind, "null"]});
    let texts = || list(text());
    let wanted_words = words(every!(Wanted: Plain, MutualTls, PerTarget, Unknown), wanted);
    let now_words = words(every!(Now: Plain, MutualTls, PerTarget, Own), now);
    let verdicts = words(every!(Verdict: Patch, Keep, Refuse), verdict);
    let severities = words(Severity::ALL.iter().copied(), severity);
    let planes = every!(DataPlane: Sidecar, Ambient, None).map(Some);
    let planes = words(planes.into_iter().chain([None]), data_plane);
    let demands = every!(Demand: MutualTls, Plain, Unreachable, MutualTlsIfInjected, Unknown);
    let rungs = every!(Rung: Port, Workload, Namespace, Mesh, Default);
    let parts = every!(Part: Decides, Inherits, Overridden, Lost, Ignored, Refused, Possible);
    let modes: Vec<Value> = MtlsMode::ALL.iter().map(|one| mode(*one).into()).collect();
    let modes_or = |other: Value| {
        let modes: Vec<Value> = modes.iter().cloned().chain([other]).collect();
        json!({"enum": modes})
    };
    let rules = words(Rule::ALL.iter().copied(), Rule::name);

    let summary = object(
        "How many there are of what.",
        &[
            ("endpoints", count()),
            ("mutualTLS", count()),
            ("plain", count()),
            ("perTarget", count()),
            ("unknown", count()),
            ("changes", count()),
            ("warnings", count()),
            ("errors", count()),
        ],
        &[],
    );
    let the_object = identity("The object that is decided about.");
    let location = object(
        "Where the object was read; `line` is null where only the host knows the file.",
        &[
            ("file", text()),
            ("index", count()),
            ("line", or_null("integer")),
        ],
        &[],
    );
    let transport = object(
        "What the endpoint speaks, and what its targets want.",
        &[("now", now_words), ("wanted", wanted_words)],
        &[],
    );
    let workload = object(
        "Whose pods these are; `part`: which program of an operator's object.",
        &[("kind", text()), ("namespace", text()), ("name", text())],
        &[("part", text())],
    );
    let link = object(
        "A policy that is meant for the port, and what becomes of it.",
        &[
            ("level", words(rungs, Rung::name)),
            ("policy", or_null("string")),
            ("says", modes_or("UNSET".into())),
            ("part", words(parts, Part::name)),
            ("why", text()),
        ],
        &[],
    );
    let target = object(
        "A port that the endpoint reaches, and what it demands. Null: not known.",
        &[
            ("workload", workload),
            ("port", or_null("integer")),
            ("via", text()),
            ("dataPlane", planes),
            ("captured", or_null("boolean")),
            ("mode", modes_or(Value::Null)),
            ("proven", json!({"type": "boolean"})),
            ("demand", words(demands, demand)),
            ("because", texts()),
            ("chain", list(link)),
        ],
        &[],
    );
    let decision = object(
        "What was decided about one place of one object. `transport`, `targets` and `scrapers`: for endpoints.",
        &[
            ("object", the_object),
            ("location", location),
            (
                "at",
                json!({"type": "string", "description": "JSON Pointer (RFC 6901); empty: the whole object."}),
            ),
            ("rule", rules),
            ("severity", severities),
            ("verdict", verdicts),
            ("message", text()),
            ("patch", list(operation())),
        ],
        &[
            ("transport", transport),
            ("targets", list(target)),
            (
                "scrapers",
                list(identity("A scraper that selects the endpoint.")),
            ),
        ],
    );
    let mut decision = decision;
    decision["dependentRequired"] = json!({
        "transport": ["targets", "scrapers"],
        "targets": ["transport"],
        "scrapers": ["transport"],
    });
    let report = object(
        "What was decided, and why.",
        &[
            ("version", json!({"const": 1})),
            ("summary", summary),
            ("decisions", list(decision)),
        ],
        &[],
    );
    let failure = object(
        "Why the run could not be made (exit code 2).",
        &[("version", json!({"const": 1})), ("error", text())],
        &[],
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of istio-scrape",
        "description": "What `explain -o json` prints, and what goes into the file of `--report`. Later versions may add fields, and never rename one: take the schema of the version that you run.",
        "oneOf": [report, failure],
    })
}

/// An object, by what tells it from others.
fn identity(about: &str) -> Value {
    let text = json!({"type": "string"});
    let fields = ["apiVersion", "kind", "namespace", "name"].map(|name| (name, text.clone()));
    object(about, &fields, &[])
}

/// An operation of RFC 6902.
fn operation() -> Value {
    let pointer = || json!({"type": "string"});
    let named = |names: &[&str], more: &[(&str, Value)]| {
        let op = json!({"enum": names});
        let fields: Vec<_> = [("op", op), ("path", pointer())]
            .into_iter()
            .chain(more.iter().cloned())
            .collect();
        object("An operation of RFC 6902.", &fields, &[])
    };
    json!({
        "oneOf": [
            named(&["add", "replace", "test"], &[("value", json!(true))]),
            named(&["remove"], &[]),
            named(&["move", "copy"], &[("from", pointer())]),
        ],
    })
}

/// An object with these fields, those that may be missing apart, and no others.
fn object(about: &str, always: &[(&str, Value)], sometimes: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = always.iter().map(|(name, _)| *name).collect();
    let properties = always.iter().chain(sometimes).cloned();
    let properties = properties.map(|(name, schema)| (name.to_owned(), schema));
    json!({
        "description": about,
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
    })
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// The words of these values, each once.
fn words<T>(values: impl IntoIterator<Item = T>, word: impl Fn(T) -> &'static str) -> Value {
    let mut words: Vec<&str> = Vec::new();
    for value in values {
        let word = word(value);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    json!({"enum": words})
}
