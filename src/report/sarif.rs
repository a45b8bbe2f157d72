//! What does code scanning read about a check?
//!
//! Authority: SARIF 2.1.0 (OASIS); GitHub's code scanning for what of it has to be there, and how results are told apart.
//! Departs from nothing. A pending change is an `error`, whatever its rule's severity: it fails the check. Other levels
//! are the severities of the findings, and what is as it should be is no result.
//! Knows: decisions, and which of them fail the check. Does not know: whose repository the files are in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Located, Location, field_path};
use crate::config::Severity;
use crate::rules::{Decision, Failing, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = env!("CARGO_PKG_REPOSITORY");
const RULES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/README.md#rules");

/// One run with a result for each pending change and each finding.
pub fn render(decisions: &[Located], failing: &Failing) -> String {
    let shown: Vec<&Located> = shown(decisions, failing).collect();
    let occurring: BTreeSet<Rule> = shown.iter().map(|one| one.decision.rule).collect();
    let rules: Vec<Rule> = occurring.into_iter().collect();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = shown
        .into_iter()
        .map(|located| {
            let identity = identity(&located.decision);
            let same: &mut usize = seen.entry(identity.clone()).or_default();
            *same += 1;
            result(
                located,
                failing,
                &rules,
                &format!("{:016x}:{same}", hash(&identity)),
            )
        })
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.iter().map(|rule| descriptor(*rule)).collect::<Vec<_>>(),
            }},
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// What is to say where results name no file: GitHub refuses a report as a whole that has one such result.
pub fn notice(decisions: &[Located], failing: &Failing) -> Option<String> {
    let nowhere = shown(decisions, failing)
        .filter(|located| uri(&located.location).is_none())
        .count();
    (nowhere > 0).then(|| {
        format!(
            "istio-scrape: {nowhere} of the results name no file, which GitHub's code scanning refuses; with `buildMetadata: [originAnnotations]` in its kustomization kustomize says the files"
        )
    })
}

fn shown<'a>(decisions: &'a [Located], failing: &'a Failing) -> impl Iterator<Item = &'a Located> {
    decisions
        .iter()
        .filter(|located| located.is_news() || failing.fails(&located.decision))
}

fn descriptor(rule: Rule) -> Value {
    let (name, meaning) = (rule.name(), rule.meaning());
    let short = clause(meaning).map_or_else(|| meaning.to_owned(), |first| format!("{first}."));
    let help = format!(
        "{meaning} What becomes of it: {RULES}. The annotation istio-scrape.dev/accept: {name} on an object says that the finding is known there; istio-scrape.dev/ignore: \"true\" that the object is not to be changed."
    );
    json!({
        "id": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": meaning},
        "help": {"text": help},
        "helpUri": RULES,
        "defaultConfiguration": {"level": level(rule.severity())},
    })
}

/// What stands in front of the first colon of a sentence, if that is not one of a setting in backticks.
fn clause(sentence: &str) -> Option<&str> {
    let mut colons = sentence.match_indices(": ");
    colons.find_map(|(at, _)| {
        let before = &sentence[..at];
        before
            .matches('`')
            .count()
            .is_multiple_of(2)
            .then_some(before)
    })
}

fn result(located: &Located, failing: &Failing, rules: &[Rule], fingerprint: &str) -> Value {
    let decision = &located.decision;
    let (level, message) = match (failing.is_pending(decision), decision.severity) {
        (true, _) => (
            "error",
            format!("a change is pending: {}", decision.message),
        ),
        // It is here only because it fails the check.
        (false, Severity::Off) => ("error", decision.message.clone()),
        (false, severity) => (level(severity), decision.message.clone()),
    };
    let location = location(located);
    let mut fingerprints = json!({"istioScrape/v1": fingerprint});
    if location.pointer("/physicalLocation/region").is_none() {
        // GitHub would take the first line of the file for the place, and all results of a rule in it for one.
        fingerprints["primaryLocationLineHash"] = json!(fingerprint);
    }
    json!({
        "ruleId": decision.rule.name(),
        "ruleIndex": rules.iter().position(|rule| *rule == decision.rule),
        "level": level,
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": fingerprints,
    })
}

fn location(located: &Located) -> Value {
    let mut location = Map::new();
    if let Some(uri) = uri(&located.location) {
        let mut physical = json!({"artifactLocation": {"uri": uri}});
        if let Some(line) = located.location.line {
            physical["region"] = json!({"startLine": line});
        }
        location.insert("physicalLocation".into(), physical);
    }
    let object = &located.decision.object;
    let mut logical = vec![json!({
        "name": object.name,
        "fullyQualifiedName": object.to_string(),
        "kind": "resource",
    })];
    let field = field_path(&located.decision.at);
    if !field.is_empty() {
        logical.push(json!({
            "name": field,
            "fullyQualifiedName": format!("{object} {field}"),
            "kind": "property",
        }));
    }
    location.insert("logicalLocations".into(), Value::Array(logical));
    Value::Object(location)
}

/// The file as a reference, if there is one in reach of whoever reads the report.
fn uri(location: &Location) -> Option<String> {
    let file = location.file.as_str();
    if file == "-" || file.is_empty() || location.remote {
        return None;
    }
    let encoded: String = file
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    Some(match encoded.starts_with('/') {
        true => format!("file://{encoded}"),
        false => encoded,
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
        Severity::Off => "none",
    }
}

/// What makes a result the same one in the next run, wherever its file and line are by then.
fn identity(decision: &Decision) -> String {
    let object = &decision.object;
    let group = object
        .api_version
        .split_once('/')
        .map_or("", |(group, _)| group);
    [
        decision.rule.name(),
        group,
        &object.kind,
        &object.namespace,
        &object.name,
        decision.at.as_str(),
    ]
    .join("\n")
}

/// FNV-1a, 64 bits: what a later release makes of the same text has to be the same.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri_of(file: &str, remote: bool) -> Option<String> {
        uri(&Location {
            file: file.to_owned(),
            index: 0,
            line: None,
            remote,
        })
    }

    #[test]
    fn a_file_is_a_reference_with_its_odd_characters_encoded() {
        for (file, expected) in [
            ("web/a_b-c.~1.yaml", "web/a_b-c.~1.yaml"),
            ("../base/a.yaml", "../base/a.yaml"),
            ("my files/ä%.yaml", "my%20files/%C3%A4%25.yaml"),
            // As it is, `c` would be a scheme.
            ("c:/a.yaml", "c%3A/a.yaml"),
            ("/tmp/a#1?.yaml", "file:///tmp/a%231%3F.yaml"),
        ] {
            assert_eq!(uri_of(file, false).as_deref(), Some(expected));
        }
        for (file, remote) in [("-", false), ("", false), ("https://x.org/r//a.yaml", true)] {
            assert_eq!(uri_of(file, remote), None, "{file}");
        }
    }

    /// Numbers of the FNV specification.
    #[test]
    fn the_hash_is_the_one_that_it_was() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_rule_is_described() {
        for rule in Rule::ALL {
            let described = descriptor(*rule);
            let text = |key: &str| {
                described[key]["text"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let short = text("shortDescription");
            assert!(
                short.len() > 20 && short.len() < 180 && short.ends_with('.'),
                "{short}"
            );
            assert!(text("fullDescription").starts_with(short.trim_end_matches('.')));
            assert!(text("help").contains(rule.name()));
        }
    }
}
