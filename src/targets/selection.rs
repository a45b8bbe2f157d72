//! Does a scraper select a scrape object?
//!
//! Authority: VictoriaMetrics operator `factory/k8stools/selectors.go`; table in its docs/resources/vmagent.md;
//! prometheus-operator `pkg/apis/monitoring/v1/prometheus_types.go`, `pkg/prometheus/resource_selector.go`.
//! Departs from it: the labels of a Namespace that is not in the input are not known, but for its name.
//! Knows: scrapers, scrape objects, Namespaces. Does not know: what the scrape object reaches.

use super::Selected;
use crate::model::LabelSelector;
use crate::model::{
    Inventory, Labels, NAMESPACE_NAME_LABEL, Scrape, Scraper, Unset, described, selects,
};

/// Whether a scraper selects a scrape object, or what its operator converts that into, with the same labels.
///
/// | namespaces | objects | VictoriaMetrics | Prometheus |
/// |---|---|---|---|
/// | not set | not set | everything where `selectAllByDefault`, else nothing | nothing |
/// | not set | set | objects of its own namespace that match | same |
/// | set | not set | everything in matching namespaces | nothing |
/// | set | set | matching objects in matching namespaces | same |
pub fn selected(inventory: &Inventory, scraper: &Scraper, scrape: &Scrape) -> Selected {
    if scrape.is_of_scraper() {
        return certain(scraper.object == scrape.object);
    }
    let kind = scraper.kind.selects_as(scrape.kind);
    let Some(selection) = scraper.selection.get(&kind) else {
        return Selected::No;
    };
    let namespace = scrape.object.namespace.as_str();
    let object_matches = |selector| certain(selects(selector, &scrape.labels));
    let unset = scraper.kind.description().unset;
    match (&selection.namespaces, &selection.objects, unset) {
        (None, None, Unset::NoCondition) => certain(selection.all_by_default),
        (Some(namespaces), None, Unset::NoCondition) => {
            namespace_matches(inventory, namespace, namespaces)
        }
        (None | Some(_), None, Unset::Nothing) => Selected::No,
        (None, Some(objects), _) if scraper.object.namespace == namespace => {
            object_matches(objects)
        }
        (None, Some(_), _) => Selected::No,
        (Some(namespaces), Some(objects), _) => match object_matches(objects) {
            Selected::Yes => namespace_matches(inventory, namespace, namespaces),
            no => no,
        },
    }
}

fn namespace_matches(inventory: &Inventory, name: &str, selector: &LabelSelector) -> Selected {
    if let Some(namespace) = inventory.namespaces.get(name) {
        return certain(selects(selector, &namespace.labels));
    }
    let (of_name, of_others) = split(selector);
    let labels = Labels::from([(NAMESPACE_NAME_LABEL.to_owned(), name.to_owned())]);
    if !selects(&of_name, &labels) {
        return Selected::No;
    }
    match described(&of_others).as_str() {
        "" => Selected::Yes,
        requirements => Selected::Undecided(format!(
            "Namespace {name} {}; whether it has the labels {requirements} decides",
            inventory.unknown_namespace(name)
        )),
    }
}

/// The requirements on the label that every Namespace has, and those on others.
fn split(selector: &LabelSelector) -> (LabelSelector, LabelSelector) {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    let part = |of_name: bool| LabelSelector {
        match_labels: Some(
            labels
                .clone()
                .filter(|(key, _)| (*key == NAMESPACE_NAME_LABEL) == of_name)
                .collect(),
        ),
        match_expressions: Some(
            expressions
                .clone()
                .filter(|requirement| (requirement.key == NAMESPACE_NAME_LABEL) == of_name)
                .cloned()
                .collect(),
        ),
    };
    (part(true), part(false))
}

fn certain(answer: bool) -> Selected {
    match answer {
        true => Selected::Yes,
        false => Selected::No,
    }
}

#[cfg(test)]
mod tests;
