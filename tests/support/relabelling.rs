//! What do relabelling rules make of the labels of a target?
//!
//! Written down a second time, after Prometheus `model/relabel` and VictoriaMetrics `lib/promrelabel`, for tests only.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// Labels of a target; a missing one is empty.
pub(crate) type Labels = BTreeMap<String, String>;

/// The labels after all rules; `None`: the target is dropped. `environment` is what `%{NAME}` stands for.
pub(crate) fn relabelled(
    rules: &[Value],
    mut labels: Labels,
    environment: &[(&str, &str)],
) -> Option<Labels> {
    for rule in rules {
        if !applied(&Rule::of(rule, environment), &mut labels) {
            return None;
        }
    }
    Some(labels)
}

struct Rule {
    action: String,
    sources: Vec<String>,
    separator: String,
    regex: Regex,
    target: String,
    replacement: String,
}

impl Rule {
    fn of(rule: &Value, environment: &[(&str, &str)]) -> Self {
        let field = |camel: &str, snake: &str| rule.get(camel).or_else(|| rule.get(snake));
        let text = |camel: &str, snake: &str, default: &str| match field(camel, snake) {
            None => default.to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => panic!("{camel} is no text: {other}"),
        };
        let mut pattern = text("regex", "regex", "");
        for (name, value) in environment {
            pattern = pattern.replace(&format!("%{{{name}}}"), &regex::escape(value));
        }
        if pattern.is_empty() {
            // The operators leave an empty regex out, and then it is this.
            pattern = "(.*)".to_owned();
        }
        let sources = field("sourceLabels", "source_labels").and_then(Value::as_array);
        Self {
            action: text("action", "action", "replace").to_lowercase(),
            sources: sources
                .into_iter()
                .flatten()
                .map(|source| source.as_str().expect("a name of a label").to_owned())
                .collect(),
            separator: text("separator", "separator", ";"),
            regex: Regex::new(&format!("^(?s:{pattern})$")).expect("a regex"),
            target: text("targetLabel", "target_label", ""),
            replacement: text("replacement", "replacement", "$1"),
        }
    }

    fn source(&self, labels: &Labels) -> String {
        let values = self.sources.iter().map(|name| labels.get(name));
        let values: Vec<&str> = values
            .map(|value| value.map_or("", String::as_str))
            .collect();
        values.join(&self.separator)
    }
}

/// Applies a rule; `false`: the target is dropped.
fn applied(rule: &Rule, labels: &mut Labels) -> bool {
    let source = rule.source(labels);
    match rule.action.as_str() {
        "replace" => {
            if let Some(found) = rule.regex.captures(&source) {
                let (mut target, mut value) = (String::new(), String::new());
                found.expand(&rule.target, &mut target);
                found.expand(&rule.replacement, &mut value);
                set(labels, target, value);
            }
        }
        "keep" => return rule.regex.is_match(&source),
        "drop" => return !rule.regex.is_match(&source),
        "labelmap" => {
            for (name, value) in labels.clone() {
                if rule.regex.is_match(&name) {
                    let target = rule.regex.replace(&name, rule.replacement.as_str());
                    set(labels, target.into_owned(), value);
                }
            }
        }
        "labeldrop" => labels.retain(|name, _| !rule.regex.is_match(name)),
        "labelkeep" => labels.retain(|name, _| rule.regex.is_match(name)),
        other => panic!("the action {other} is not written down here"),
    }
    true
}

fn set(labels: &mut Labels, name: String, value: String) {
    if value.is_empty() {
        labels.remove(&name);
    } else {
        labels.insert(name, value);
    }
}
