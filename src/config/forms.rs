//! Which form has a value that is no plain word or name?
//!
//! Authority: Kubernetes for labels, Prometheus for durations and relabelling rules.
//! Departs from them: a duration is of hours, minutes and seconds; a relabelling rule has the fields that the operators of
//! VictoriaMetrics and Prometheus share.
//! Knows: switches, lists, labels, durations, rules. Does not know: which setting has which form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Word;
use super::values::{Complaint, DNS_LABEL_MAX, is_dns_label, listed, shown, word};

/// Longest name, or value, of a label.
pub(super) const LABEL_MAX: usize = 63;
/// Longest prefix of the name of a label.
pub(super) const PREFIX_MAX: usize = 253;
/// The fields of a relabelling rule that hold text.
pub(super) const TEXTS_OF_A_RULE: [&str; 5] =
    ["action", "regex", "replacement", "separator", "targetLabel"];
/// What the action of a relabelling rule may be, as a ServiceMonitor spells it; scrapers take either spelling.
pub(super) const ACTIONS_OF_A_RULE: [&str; 22] = [
    "replace",
    "Replace",
    "keep",
    "Keep",
    "drop",
    "Drop",
    "hashmod",
    "HashMod",
    "labelmap",
    "LabelMap",
    "labeldrop",
    "LabelDrop",
    "labelkeep",
    "LabelKeep",
    "lowercase",
    "Lowercase",
    "uppercase",
    "Uppercase",
    "keepequal",
    "KeepEqual",
    "dropequal",
    "DropEqual",
];

/// Yes or no.
pub(super) fn switch(value: &Value) -> Result<bool, Complaint> {
    value
        .as_bool()
        .ok_or_else(|| Complaint::value(value, "true or false"))
}

/// The positions of some words, of one at least.
pub(super) fn words(value: &Value, words: &[Word]) -> Result<BTreeSet<usize>, Complaint> {
    let allowed = listed(words, ", ");
    let what = format!("a list of one or more of {allowed}");
    let elements = elements(value, &what)?;
    if elements.is_empty() {
        return Err(Complaint::Value {
            within: String::new(),
            said: "an empty list".to_owned(),
            allowed: what,
        });
    }
    elements
        .iter()
        .enumerate()
        .map(|(position, element)| {
            word(element, words).map_err(|_| Complaint::element(position, element, &allowed))
        })
        .collect()
}

/// DNS labels.
pub(super) fn dns_labels(value: &Value) -> Result<BTreeSet<String>, Complaint> {
    const ALLOWED: &str =
        "a DNS label as text: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends";
    elements(value, "a list of DNS labels")?
        .iter()
        .enumerate()
        .map(|(position, element)| {
            element
                .as_str()
                .filter(|text| is_dns_label(text, DNS_LABEL_MAX))
                .map(str::to_owned)
                .ok_or_else(|| Complaint::element(position, element, ALLOWED))
        })
        .collect()
}

/// A time of hours, minutes and seconds, in this order, each of them but one left out if it is none.
pub(super) fn duration(value: &Value) -> Result<String, Complaint> {
    value
        .as_str()
        .filter(|text| is_duration(text))
        .map(str::to_owned)
        .ok_or_else(|| Complaint::value(value, "a time as text, as 30s or 1m30s"))
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    for unit in ['h', 'm', 's'] {
        let Some((number, behind)) = rest.split_once(unit) else {
            continue;
        };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || number.is_empty() || number.starts_with('0') {
            return false;
        }
        rest = behind;
    }
    rest.is_empty() && !text.is_empty()
}

/// Labels of Kubernetes objects.
pub(super) fn labels(value: &Value) -> Result<BTreeMap<String, String>, Complaint> {
    let fields = value
        .as_object()
        .ok_or_else(|| Complaint::value(value, "a map of labels"))?;
    fields
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) if is_label_name(name) && (text.is_empty() || is_label_text(text)) => {
                Ok((name.clone(), text.to_owned()))
            }
            _ => Err(Complaint::Value {
                within: format!("[{name:?}]"),
                said: shown(value),
                allowed: "names and texts that Kubernetes takes for labels: letters, digits, `-`, `_` and `.`, \
                          63 at most, letters or digits at the ends, the name with `prefix/` if it has one; numbers in quotes"
                    .to_owned(),
            }),
        })
        .collect()
}

fn is_label_name(name: &str) -> bool {
    match name.split_once('/') {
        Some((prefix, name)) => is_prefix(prefix) && is_label_text(name),
        None => is_label_text(name),
    }
}

fn is_prefix(text: &str) -> bool {
    let is_end = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_inside = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    text.len() <= PREFIX_MAX
        && is_end(text.bytes().next())
        && is_end(text.bytes().last())
        && text.bytes().all(is_inside)
}

fn is_label_text(text: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= LABEL_MAX
        && is_end(text.bytes().next())
        && is_end(text.bytes().last())
        && text.bytes().all(is_inside)
}

/// Relabelling rules, as written.
pub(super) fn relabelling(value: &Value) -> Result<Vec<Value>, Complaint> {
    const ALLOWED: &str = "a rule of sourceLabels (a list of texts), modulus (a number), action, regex, replacement, \
                           separator, targetLabel (texts)";
    let rules = elements(value, "a list of relabelling rules")?;
    for (position, rule) in rules.iter().enumerate() {
        let is_rule = rule
            .as_object()
            .is_some_and(|fields| fields.iter().all(|(name, value)| is_of_a_rule(name, value)));
        if !is_rule {
            return Err(Complaint::element(position, rule, ALLOWED));
        }
        let action = rule.get("action").and_then(Value::as_str);
        if let Some(action) = action.filter(|action| !ACTIONS_OF_A_RULE.contains(action)) {
            return Err(Complaint::Value {
                within: format!("[{position}]"),
                said: format!("a rule whose action is {action:?}"),
                allowed: format!("the actions {}", actions()),
            });
        }
    }
    Ok(rules.to_vec())
}

/// The actions in small letters, as people write them.
fn actions() -> String {
    let is_small = |action: &&str| action.bytes().all(|byte| byte.is_ascii_lowercase());
    let small: Vec<&str> = ACTIONS_OF_A_RULE.into_iter().filter(is_small).collect();
    small.join(", ")
}

fn is_of_a_rule(name: &str, value: &Value) -> bool {
    match name {
        "sourceLabels" => value
            .as_array()
            .is_some_and(|labels| labels.iter().all(Value::is_string)),
        "modulus" => value.as_u64().is_some(),
        name => TEXTS_OF_A_RULE.contains(&name) && value.is_string(),
    }
}

fn elements<'v>(value: &'v Value, what: &str) -> Result<&'v [Value], Complaint> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| Complaint::value(value, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_order_and_of_whole_numbers() {
        for text in ["30s", "1m", "1m30s", "2h", "1h1m1s", "90s"] {
            assert!(is_duration(text), "{text}");
        }
        for text in [
            "", "30", "s", "0s", "1s1m", "1.5m", "1m 30s", "-1s", "1d", "500ms", "30S",
        ] {
            assert!(!is_duration(text), "{text}");
        }
    }

    #[test]
    fn names_of_labels_are_those_of_kubernetes() {
        let long = "a".repeat(63);
        for name in ["a", "A.b_c-1", "example.com/a", "a.b/C", &long] {
            assert!(is_label_name(name), "{name}");
        }
        let longer = "a".repeat(64);
        for name in ["", "-a", "a-", "a/b/c", "/a", "a/", "A.b/c", "a b", &longer] {
            assert!(!is_label_name(name), "{name}");
        }
    }
}
