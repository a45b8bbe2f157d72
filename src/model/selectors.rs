//! Does a label selector select these labels?
//!
//! Authority: LabelSelector of the Kubernetes API (`LabelSelectorAsSelector`, apimachinery pkg/apis/meta/v1/helpers.go).
//! Departs from it: an operator that the API does not know selects nothing, where the API server reports an error.
//! Knows: labels. Does not know: whose they are.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{self as api, LabelSelectorRequirement};
use serde::Deserialize;

use super::Labels;
use super::field::{Field, Problem, Read};

const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// A selector as the Kubernetes API has it, with labels as we keep them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "api::LabelSelector")]
pub struct LabelSelector {
    /// `matchLabels`.
    pub match_labels: Option<Labels>,
    /// `matchExpressions`.
    pub match_expressions: Option<Vec<LabelSelectorRequirement>>,
}

impl From<api::LabelSelector> for LabelSelector {
    fn from(selector: api::LabelSelector) -> Self {
        Self {
            match_labels: selector.match_labels.map(|labels| labels.iter().collect()),
            match_expressions: selector.match_expressions,
        }
    }
}

/// Whether labels meet every requirement of a selector; the empty selector selects everything.
pub fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    let all_labels = selector
        .match_labels
        .as_ref()
        .is_none_or(|wanted| contains(labels, wanted));
    all_labels
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|requirement| meets(labels, requirement))
}

/// Whether labels have all that are wanted, with these values: how Services and PeerAuthentications select pods.
pub fn contains(labels: &Labels, wanted: &Labels) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

/// A selector as `kubectl` prints it, e.g. `app=demo,tier in (a,b),!canary`; empty for the one that selects everything.
pub fn described(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    let requirements: Vec<String> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .chain(expressions.map(requirement))
        .collect();
    requirements.join(",")
}

/// The selector in a field; operators that the API does not know are noted.
pub(super) fn selector(
    field: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> Read<Option<LabelSelector>> {
    let selector: Option<LabelSelector> = field.typed("a label selector")?;
    let expressions = selector
        .iter()
        .flat_map(|selector| selector.match_expressions.iter().flatten());
    for expression in expressions {
        if !OPERATORS.contains(&expression.operator.as_str()) {
            problems.push(field.key("matchExpressions")?.problem(format!(
                "unknown operator `{}` for label `{}`; expected one of {}",
                expression.operator,
                expression.key,
                OPERATORS.join(", ")
            )));
        }
    }
    Ok(selector)
}

fn meets(labels: &Labels, requirement: &LabelSelectorRequirement) -> bool {
    let value = labels.get(&requirement.key);
    let listed =
        || value.is_some_and(|value| requirement.values.iter().flatten().any(|v| v == value));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

fn requirement(requirement: &LabelSelectorRequirement) -> String {
    let key = &requirement.key;
    let values = || requirement.values.clone().unwrap_or_default().join(",");
    match requirement.operator.as_str() {
        "Exists" => key.clone(),
        "DoesNotExist" => format!("!{key}"),
        operator => format!("{key} {} ({})", operator.to_lowercase(), values()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn selector_of(value: Value) -> LabelSelector {
        serde_json::from_value(value).unwrap()
    }

    fn labels(value: Value) -> Labels {
        serde_json::from_value(value).unwrap()
    }

    /// Kubernetes, `TestLabelSelectorAsSelector` and `TestRequirementMatches`, as far as manifests show them.
    #[test]
    fn requirements_are_met_as_in_kubernetes() {
        let expression = |operator: &str| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": ["a", "b"]}]});
        for (selector, tier_a, tier_c, no_tier) in [
            (json!({}), true, true, true),
            (json!({"matchLabels": {}}), true, true, true),
            (json!({"matchLabels": {"tier": "a"}}), true, false, false),
            (expression("In"), true, false, false),
            (expression("NotIn"), false, true, true),
            (expression("Exists"), true, true, false),
            (expression("DoesNotExist"), false, false, true),
            (expression("Like"), false, false, false),
        ] {
            let selector = selector_of(selector);
            for (tier, expected) in [
                (json!({"tier": "a"}), tier_a),
                (json!({"tier": "c"}), tier_c),
                (json!({}), no_tier),
            ] {
                assert_eq!(
                    selects(&selector, &labels(tier.clone())),
                    expected,
                    "{selector:?} {tier}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_operator_is_noted() {
        let value = json!({"matchExpressions": [{"key": "tier", "operator": "Like"}]});
        let mut problems = Vec::new();
        selector(&Field::root(&(&value).into()), &mut problems).unwrap();
        assert_eq!(problems[0].at.as_str(), "/matchExpressions");
        assert!(
            problems[0].text.contains("`Like`"),
            "{:?}",
            problems[0].text
        );
    }

    #[test]
    fn a_selector_is_described_as_kubectl_prints_it() {
        let selector = selector_of(json!({"matchLabels": {"app": "demo"}, "matchExpressions": [
            {"key": "tier", "operator": "NotIn", "values": ["a", "b"]}, {"key": "canary", "operator": "DoesNotExist"}]}));
        assert_eq!(described(&selector), "app=demo,tier notin (a,b),!canary");
    }
}
