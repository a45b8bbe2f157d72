//! How is a rule written that chooses https for some targets, and is a rule one of these?
//!
//! Authority: VictoriaMetrics `lib/promrelabel` and Prometheus `model/relabel`: anchored regex over the source labels, joined by `;`.
//! Departs from nothing: a rule is one of these if it would be written so for the targets that it names.
//! Knows: rules as values. Does not know: targets, demands.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::signs::{INJECTED, Sign, Signs, is_plain};

/// More alternatives than anybody writes by hand or gets from us.
const MOST_ALTERNATIVES: usize = 10_000;

/// https for the targets whose signs say one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemeRule {
    /// What it looks at.
    pub(super) signs: Vec<Sign>,
    /// What that has to say, each as long as `signs`; never empty.
    pub(super) values: BTreeSet<Vec<String>>,
}

impl SchemeRule {
    /// https exactly for pods that the injector has labelled, decided when scraping.
    pub(super) fn where_injected() -> Self {
        Self {
            signs: vec![Sign::Injected],
            values: BTreeSet::from([vec![INJECTED.to_owned()]]),
        }
    }

    /// Whether it chooses https for a target; `None`: not known.
    pub(super) fn chooses(&self, target: &Signs) -> Option<bool> {
        let said: Vec<_> = self.signs.iter().map(|sign| target.value(sign)).collect();
        let mut possible = self.values.iter().filter(|values| {
            let mut pairs = said.iter().zip(values.iter());
            pairs.all(|(said, value)| said.as_ref().is_none_or(|said| said == value))
        });
        match possible.next() {
            None => Some(false),
            Some(_) if said.iter().all(Option::is_some) => Some(true),
            Some(_) => None,
        }
    }

    /// As it is written.
    pub(super) fn written(&self) -> Value {
        let sources: Vec<_> = self.signs.iter().map(Sign::source_label).collect();
        json!({
            "sourceLabels": sources,
            "regex": self.regex(),
            "targetLabel": "__scheme__",
            "replacement": "https",
        })
    }

    /// The rule that is written so; `None`: it is not one of these.
    pub(super) fn read(written: &Value) -> Option<Self> {
        let rule = written.as_object()?;
        let is_replacing = text(rule, "replacement", "replacement")? == "https"
            && text(rule, "targetLabel", "target_label")? == "__scheme__";
        let sources = rule
            .get("sourceLabels")
            .or_else(|| rule.get("source_labels"))?;
        if rule.len() != 4 || !is_replacing {
            return None;
        }
        let signs: Vec<Sign> = sources
            .as_array()?
            .iter()
            .map(|source| Sign::of(source.as_str()?))
            .collect::<Option<_>>()?;
        let regex = text(rule, "regex", "regex")?;
        let values = expanded(regex)?
            .iter()
            .map(|alternative| read_values(&signs, alternative))
            .collect::<Option<BTreeSet<_>>>()?;
        let read = Self { signs, values };
        (!read.signs.is_empty() && read.regex() == regex).then_some(read)
    }

    /// One group for each sign where every combination is meant, else the combinations.
    fn regex(&self) -> String {
        let columns: Vec<BTreeSet<&String>> = (0..self.signs.len())
            .map(|at| self.values.iter().map(|values| &values[at]).collect())
            .collect();
        let combinations: usize = columns.iter().map(BTreeSet::len).product();
        if combinations == self.values.len() {
            let pieces = self
                .signs
                .iter()
                .zip(&columns)
                .map(|(sign, column)| match sign {
                    Sign::Port => format!(".*:{}", alternatives(&in_numeric_order(column))),
                    Sign::Injected | Sign::Namespace | Sign::Label(_) => {
                        let escaped: Vec<_> = column.iter().map(|value| escaped(value)).collect();
                        alternatives(&escaped)
                    }
                });
            let regex = pieces.collect::<Vec<_>>().join(";");
            // An empty regex counts as none, and none matches everything.
            return if regex.is_empty() {
                "()".to_owned()
            } else {
                regex
            };
        }
        let all: Vec<_> = self
            .values
            .iter()
            .map(|values| {
                let pieces = self
                    .signs
                    .iter()
                    .zip(values)
                    .map(|(sign, value)| match sign {
                        Sign::Port => format!(".*:{value}"),
                        Sign::Injected | Sign::Namespace | Sign::Label(_) => escaped(value),
                    });
                pieces.collect::<Vec<_>>().join(";")
            })
            .collect();
        alternatives(&all)
    }
}

fn text<'v>(rule: &'v Map<String, Value>, camel: &str, snake: &str) -> Option<&'v str> {
    rule.get(camel).or_else(|| rule.get(snake))?.as_str()
}

fn escaped(value: &str) -> String {
    value.replace('.', "\\.")
}

fn in_numeric_order(ports: &BTreeSet<&String>) -> Vec<String> {
    let mut ports: Vec<String> = ports.iter().map(|port| (*port).clone()).collect();
    ports.sort_by_key(|port| (port.len(), port.clone()));
    ports
}

fn alternatives(all: &[String]) -> String {
    match all {
        [only] => only.clone(),
        all => format!("({})", all.join("|")),
    }
}

/// What a regex of our forms matches: text, and groups of texts.
fn expanded(regex: &str) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    let mut rest = regex;
    while let Some(open) = rest.find('(') {
        let group = &rest[open + 1..];
        let close = group.find(')')?;
        let (before, inner) = (&rest[..open], &group[..close]);
        if all.len() * (inner.matches('|').count() + 1) > MOST_ALTERNATIVES {
            return None;
        }
        all = all
            .iter()
            .flat_map(|start| {
                inner
                    .split('|')
                    .map(move |one| format!("{start}{before}{one}"))
            })
            .collect();
        rest = &group[close + 1..];
    }
    all.iter_mut().for_each(|one| one.push_str(rest));
    Some(all)
}

fn read_values(signs: &[Sign], alternative: &str) -> Option<Vec<String>> {
    let pieces: Vec<&str> = alternative.split(';').collect();
    if pieces.len() != signs.len() {
        return None;
    }
    signs
        .iter()
        .zip(pieces)
        .map(|(sign, piece)| match sign {
            Sign::Port => {
                let number: u16 = piece.strip_prefix(".*:")?.parse().ok()?;
                Some(number.to_string())
            }
            Sign::Injected | Sign::Namespace | Sign::Label(_) => {
                let value = piece.replace("\\.", ".");
                (is_plain(&value) && escaped(&value) == piece).then_some(value)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(signs: &[Sign], values: &[&[&str]]) -> SchemeRule {
        SchemeRule {
            signs: signs.to_vec(),
            values: values
                .iter()
                .map(|values| values.iter().map(|value| (*value).to_owned()).collect())
                .collect(),
        }
    }

    fn label(name: &str) -> Sign {
        Sign::Label(name.to_owned())
    }

    /// Every form, with its regex.
    fn forms() -> Vec<(SchemeRule, &'static str)> {
        vec![
            (SchemeRule::where_injected(), "istio"),
            (rule(&[Sign::Port], &[&["8080"]]), ".*:8080"),
            (
                rule(&[Sign::Port], &[&["10000"], &["8080"]]),
                ".*:(8080|10000)",
            ),
            (
                rule(&[Sign::Namespace], &[&["shop"], &["pay"]]),
                "(pay|shop)",
            ),
            (rule(&[label("version")], &[&["1.2"]]), "1\\.2"),
            (rule(&[label("tier")], &[&[""]]), "()"),
            (rule(&[label("tier")], &[&[""], &["a"]]), "(|a)"),
            (
                rule(
                    &[Sign::Namespace, Sign::Port],
                    &[&["shop", "1"], &["shop", "2"]],
                ),
                "shop;.*:(1|2)",
            ),
            (
                rule(
                    &[Sign::Namespace, Sign::Port],
                    &[&["shop", "1"], &["pay", "2"]],
                ),
                "(pay;.*:2|shop;.*:1)",
            ),
            (
                rule(&[label("a"), label("b"), Sign::Port], &[&["", "x", "1"]]),
                ";x;.*:1",
            ),
        ]
    }

    #[test]
    fn every_form_is_written_and_read() {
        for (rule, regex) in forms() {
            let written = rule.written();
            assert_eq!(written["regex"], regex);
            assert_eq!(SchemeRule::read(&written), Some(rule), "{regex}");
        }
    }

    #[test]
    fn order_and_spelling_of_keys_do_not_matter() {
        let written = json!({"replacement": "https", "target_label": "__scheme__", "regex": "istio",
            "source_labels": ["__meta_kubernetes_pod_label_security_istio_io_tlsMode"]});
        assert_eq!(
            SchemeRule::read(&written),
            Some(SchemeRule::where_injected())
        );
    }

    #[test]
    fn rules_of_another_shape_are_not_ours() {
        let ours = rule(&[Sign::Namespace], &[&["shop"]]).written();
        let with = |key: &str, value: Value| {
            let mut rule = ours.clone();
            rule[key] = value;
            rule
        };
        for other in [
            with("action", json!("replace")),
            with("replacement", json!("http")),
            with("replacement", json!("$1")),
            with("targetLabel", json!("scheme")),
            with("regex", json!(["shop", "pay"])),
            with("regex", json!("shop.*")),
            with("regex", json!("sho(p|q)")),
            with("regex", json!("(shop|pay)")),
            with("regex", json!("(shop)")),
            with("regex", json!("shop|pay")),
            with("regex", json!("shop;pay")),
            with("regex", json!("(?i)shop")),
            with("regex", json!("((a|b)|c)")),
            with("regex", json!("")),
            with("regex", json!("a.b")),
            with("sourceLabels", json!(["__address__"])),
            with("sourceLabels", json!(["__meta_kubernetes_service_name"])),
            with("sourceLabels", json!([])),
            json!("shop"),
        ] {
            assert_eq!(SchemeRule::read(&other), None, "{other}");
        }
    }
}
