//! Which Services and pods may carry these labels, and which policies may select these pods?
//!
//! Authority: none; this is what keeps the cost of a run in step with the number of objects.
//! Departs from nothing: without an index every object may.
//! Knows: labels of Services and pods, selectors of policies. Does not know: who asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::by_label::{ByLabel, by_label, partly_known, with_label};
use super::{
    AuthorizationPolicy, Inventory, Labels, Object, PeerAuthentication, ProxyConfig, Service,
    SpelledLabels, UnreadIndex,
};
use crate::parallel;

/// Positions of Services and workloads by each of their labels, and of policies and ProxyConfigs by what they ask for.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    pub(super) services: ByLabel,
    pub(super) workloads: ByLabel,
    /// Workloads that may have labels which the input does not show, by namespace.
    pub(super) partly_known: BTreeMap<String, Vec<usize>>,
    selecting_services: Selectors,
    policies: Selectors,
    policy_names: BTreeMap<(String, String), Vec<usize>>,
    authorizations: Selectors,
    /// Names of AuthorizationPolicies of which the input has different versions, by namespace.
    differing: BTreeMap<String, BTreeSet<String>>,
    proxy_configs: Selectors,
    pub(super) unread: UnreadIndex,
    spelled: OnceLock<SpelledLabels>,
}

/// What selects pods, by its namespace.
type Selectors = BTreeMap<String, Selecting>;

/// What selects pods in one namespace.
#[derive(Debug, Clone, Default)]
struct Selecting {
    /// What asks for no label, or is yet to be corrected.
    of_all: Vec<usize>,
    /// The others, each at one label that it asks for: by key, by value.
    asking: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

/// What is known of one label of some pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodLabel<'a> {
    /// They have it, with this value.
    Known(&'a str),
    /// They do not have it.
    Missing,
    /// They may have it, with any value.
    Unknown,
}

impl LabelIndex {
    fn of(inventory: &Inventory) -> Self {
        let (services, workloads) = (&inventory.services, &inventory.workloads);
        let lists: [Vec<&Labels>; 3] = [
            services.iter().map(|service| &service.labels).collect(),
            workloads.iter().map(|workload| &workload.labels).collect(),
            services.iter().map(|service| &service.selector).collect(),
        ];
        let length = services.len() + workloads.len();
        let indexes = parallel::about(length, &lists, |list| by_label(list.iter().copied()));
        let [services, workloads, asked_for] =
            <[ByLabel; 3]>::try_from(indexes).expect("there are as many answers as lists");
        Self {
            services,
            workloads,
            partly_known: partly_known(&inventory.workloads),
            selecting_services: at_rarest(services_by_selector(inventory), &asked_for),
            policies: by_selector(
                inventory
                    .policies
                    .iter()
                    .map(|policy| (&policy.object, settled(&policy.selector, &policy.refused))),
            ),
            policy_names: by_name(inventory.policies.iter().map(|policy| &policy.object)),
            authorizations: by_selector(
                inventory
                    .authorizations
                    .iter()
                    .map(|policy| (&policy.object, settled(&policy.selector, &policy.refused))),
            ),
            differing: differing(&inventory.authorizations),
            proxy_configs: by_selector(
                inventory
                    .proxy_configs
                    .iter()
                    .map(|config| (&config.object, config.selector.as_ref())),
            ),
            unread: UnreadIndex::of(inventory),
            spelled: OnceLock::new(),
        }
    }
}

impl LabelIndex {
    /// Labels as discovery spells them: made when the first asks.
    pub fn spelled(&self, inventory: &Inventory) -> &SpelledLabels {
        self.spelled.get_or_init(|| SpelledLabels::of(inventory))
    }
}

impl Inventory {
    /// Makes the index anew, after labels have changed.
    pub fn index_labels(&mut self) {
        self.index = Some(LabelIndex::of(self));
    }

    /// The Services of a namespace that may select pods with these labels, in order; others may be among them.
    pub fn services_selecting(&self, namespace: &str, labels: &Labels) -> Vec<&Service> {
        let label = |key: &str| match labels.get(key) {
            Some(value) => PodLabel::Known(value),
            None => PodLabel::Missing,
        };
        let index = self.index.as_ref().map(|index| &index.selecting_services);
        in_question(
            &self.services,
            |service| &service.object,
            index,
            namespace,
            label,
        )
    }

    /// The PeerAuthentications of a namespace that may select pods with these labels; others may be among them.
    pub fn policies_for<'p>(
        &self,
        namespace: &str,
        label: impl Fn(&str) -> PodLabel<'p>,
    ) -> Vec<&PeerAuthentication> {
        let index = self.index.as_ref().map(|index| &index.policies);
        in_question(
            &self.policies,
            |policy| &policy.object,
            index,
            namespace,
            label,
        )
    }

    /// The AuthorizationPolicies of a namespace that may select them.
    pub fn authorizations_for<'p>(
        &self,
        namespace: &str,
        label: impl Fn(&str) -> PodLabel<'p>,
    ) -> Vec<&AuthorizationPolicy> {
        let index = self.index.as_ref().map(|index| &index.authorizations);
        in_question(
            &self.authorizations,
            |policy| &policy.object,
            index,
            namespace,
            label,
        )
    }

    /// Whether an AuthorizationPolicy of the input is there another time, and says something else.
    pub fn has_another_version(&self, policy: &AuthorizationPolicy) -> bool {
        let object = &policy.object;
        let is_there = |differing: &BTreeMap<String, BTreeSet<String>>| {
            let here = differing.get(&object.namespace);
            here.is_some_and(|names| names.contains(&object.name))
        };
        match &self.index {
            Some(index) => is_there(&index.differing),
            None => is_there(&differing(&self.authorizations)),
        }
    }

    /// The ProxyConfigs of a namespace that may select them.
    pub fn proxy_configs_for<'p>(
        &self,
        namespace: &str,
        label: impl Fn(&str) -> PodLabel<'p>,
    ) -> Vec<&ProxyConfig> {
        let index = self.index.as_ref().map(|index| &index.proxy_configs);
        in_question(
            &self.proxy_configs,
            |config| &config.object,
            index,
            namespace,
            label,
        )
    }

    /// The PeerAuthentications of this name: more than one where the input has an object twice.
    pub fn policies_named(&self, namespace: &str, name: &str) -> Vec<&PeerAuthentication> {
        let Some(index) = &self.index else {
            let policies = self.policies.iter();
            let has_it = |policy: &&PeerAuthentication| {
                (
                    policy.object.namespace.as_str(),
                    policy.object.name.as_str(),
                ) == (namespace, name)
            };
            return policies.filter(has_it).collect();
        };
        let positions = index
            .policy_names
            .get(&(namespace.to_owned(), name.to_owned()));
        let positions = positions.map_or(&[][..], Vec::as_slice).iter();
        positions
            .map(|position| &self.policies[*position])
            .collect()
    }
}

/// What of a list may select pods with these labels, in order.
fn in_question<'l, 'p, T>(
    list: &'l [T],
    object: impl Fn(&T) -> &Object,
    index: Option<&Selectors>,
    namespace: &str,
    label: impl Fn(&str) -> PodLabel<'p>,
) -> Vec<&'l T> {
    let Some(index) = index else {
        let here = |element: &&T| object(element).namespace == namespace;
        return list.iter().filter(here).collect();
    };
    let Some(selecting) = index.get(namespace) else {
        return Vec::new();
    };
    let asking = selecting.asking.iter().flat_map(|(key, by_value)| {
        let (one, any) = match label(key) {
            PodLabel::Known(value) => (by_value.get(value), None),
            PodLabel::Missing => (None, None),
            PodLabel::Unknown => (None, Some(by_value.values())),
        };
        one.into_iter().chain(any.into_iter().flatten()).flatten()
    });
    let mut positions: Vec<usize> = selecting.of_all.iter().chain(asking).copied().collect();
    positions.sort_unstable();
    positions
        .into_iter()
        .map(|position| &list[position])
        .collect()
}

/// What a policy asks pods for, unless it will be corrected to ask for something else: as a wildcard will, which is refused.
fn settled<'s>(selector: &'s Labels, refused: &[String]) -> Option<&'s Labels> {
    let is_literal = |(key, value): (&str, &str)| !key.contains('*') && !value.contains('*');
    let is_settled = refused.is_empty() || selector.iter().all(is_literal);
    is_settled.then_some(selector)
}

/// Services with what they ask pods for; those that ask for nothing select nothing.
fn services_by_selector(inventory: &Inventory) -> impl Iterator<Item = (&Object, Option<&Labels>)> {
    let services = inventory.services.iter();
    services.map(|service| (&service.object, Some(&service.selector)))
}

/// Where each stands, by the rarest label of its selector; `None`: at the pods of all labels.
fn by_selector<'s>(
    all: impl Iterator<Item = (&'s Object, Option<&'s Labels>)> + Clone,
) -> Selectors {
    let nothing = Labels::new();
    let selectors = all.clone();
    let asked_for = by_label(selectors.map(|(_, selector)| selector.unwrap_or(&nothing)));
    at_rarest(all, &asked_for)
}

/// The same, with all that they ask for by its labels.
fn at_rarest<'s>(
    all: impl Iterator<Item = (&'s Object, Option<&'s Labels>)>,
    asked_for: &ByLabel,
) -> Selectors {
    let mut index = Selectors::new();
    for (position, (object, selector)) in all.enumerate() {
        let here = index.entry(object.namespace.clone()).or_default();
        // Of all its labels the one that the fewest ask for finds the fewest others.
        let rarest = selector
            .into_iter()
            .flatten()
            .min_by_key(|(key, value)| with_label(asked_for, key, value).len());
        let place = match rarest {
            Some((key, value)) => here
                .asking
                .entry(key.to_owned())
                .or_default()
                .entry(value.to_owned())
                .or_default(),
            None => &mut here.of_all,
        };
        place.push(position);
    }
    index
}

fn by_name<'o>(
    objects: impl Iterator<Item = &'o Object>,
) -> BTreeMap<(String, String), Vec<usize>> {
    let mut index: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (position, object) in objects.enumerate() {
        let name = (object.namespace.clone(), object.name.clone());
        index.entry(name).or_default().push(position);
    }
    index
}

/// Names of policies that are there several times and do not all say the same.
fn differing(policies: &[AuthorizationPolicy]) -> BTreeMap<String, BTreeSet<String>> {
    let mut differing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for same_name in by_name(policies.iter().map(|policy| &policy.object)).into_values() {
        let Some((first, others)) = same_name.split_first() else {
            continue;
        };
        let first = &policies[*first];
        let is_another = |other: &usize| {
            let as_if_same = AuthorizationPolicy {
                object: first.object.clone(),
                ..policies[*other].clone()
            };
            as_if_same != *first
        };
        if others.iter().any(is_another) {
            let here = differing.entry(first.object.namespace.clone());
            here.or_default().insert(first.object.name.clone());
        }
    }
    differing
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::model::read;

    fn object(api_version: &str, kind: &str, name: &str, selector: &Value) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": selector}}})
    }

    /// One of each kind that asks for `app: web`, one for `app: till`, one for all pods.
    fn inventory() -> Inventory {
        let kinds = [
            ("security.istio.io/v1", "PeerAuthentication"),
            ("security.istio.io/v1", "AuthorizationPolicy"),
            ("networking.istio.io/v1beta1", "ProxyConfig"),
        ];
        let objects: Vec<Value> = kinds
            .iter()
            .flat_map(|(api_version, kind)| {
                [
                    object(api_version, kind, "web", &json!({"app": "web"})),
                    object(api_version, kind, "till", &json!({"app": "till"})),
                    object(api_version, kind, "all", &json!(null)),
                ]
            })
            .collect();
        read(objects.iter().enumerate(), &Config::default())
    }

    fn found(inventory: &Inventory, label: PodLabel<'static>) -> [Vec<String>; 3] {
        let label = |_: &str| label;
        let names = |objects: Vec<&Object>| {
            let names = objects.into_iter().map(|object| object.name.clone());
            names.collect::<Vec<_>>()
        };
        let policies = inventory.policies_for("shop", label);
        let authorizations = inventory.authorizations_for("shop", label);
        let configs = inventory.proxy_configs_for("shop", label);
        [
            names(policies.into_iter().map(|found| &found.object).collect()),
            names(
                authorizations
                    .into_iter()
                    .map(|found| &found.object)
                    .collect(),
            ),
            names(configs.into_iter().map(|found| &found.object).collect()),
        ]
    }

    #[test]
    fn only_what_may_select_pods_with_a_label_is_found() {
        let inventory = inventory();
        for (label, expected) in [
            (PodLabel::Known("web"), &["all", "web"][..]),
            (PodLabel::Known("other"), &["all"]),
            (PodLabel::Missing, &["all"]),
            (PodLabel::Unknown, &["all", "till", "web"]),
        ] {
            for found in found(&inventory, label) {
                assert_eq!(found, expected, "{label:?}");
            }
        }
        assert!(
            inventory
                .policies_for("crm", |_| PodLabel::Unknown)
                .is_empty()
        );
    }

    /// In order, whatever their names; one without a selector selects nothing and may be among them.
    #[test]
    fn services_are_found_by_what_they_select() {
        let service = |name: &str, selector: Value| {
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"},
                "spec": {"selector": selector, "ports": [{"port": 80}]}})
        };
        let objects = [
            service("z", json!({"app": "web"})),
            service("b", json!({"app": "web", "tier": "front"})),
            service("c", json!({"app": "till"})),
            service("d", json!({"tier": "back"})),
        ];
        let inventory = read(objects.iter().enumerate(), &Config::default());
        for (labels, expected) in [
            (json!({"app": "web"}), &["z"][..]),
            (json!({"app": "web", "tier": "front"}), &["b", "z"]),
            (json!({"app": "web", "tier": "back"}), &["d", "z"]),
            (json!({"app": "other"}), &[]),
            (json!({}), &[]),
        ] {
            let labels: Labels = serde_json::from_value(labels).unwrap();
            let found = inventory.services_selecting("shop", &labels).into_iter();
            let found: Vec<&str> = found
                .filter(|service| crate::model::contains(&labels, &service.selector))
                .map(|service| service.object.name.as_str())
                .collect();
            assert_eq!(found, expected, "{labels:?}");
            assert!(inventory.services_selecting("crm", &labels).is_empty());
        }
        let till = Labels::from([("app", "till")]);
        assert_eq!(inventory.services_selecting("shop", &till).len(), 1);
    }

    #[test]
    fn without_an_index_everything_in_the_namespace_is() {
        let mut inventory = inventory();
        inventory.index = None;
        for found in found(&inventory, PodLabel::Known("web")) {
            assert_eq!(found, ["all", "till", "web"]);
        }
        assert!(
            inventory
                .policies_for("crm", |_| PodLabel::Unknown)
                .is_empty()
        );
    }
}
