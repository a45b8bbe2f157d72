//! Which pods does the selector of a policy select?
//!
//! Authority: istio/istio pilot/pkg/model/policyattachment.go `WorkloadPolicyMatcher`, `labels.Instance.SubsetOf`; for labels that the injector adds, manifests/charts/istio-control/istio-discovery/files/injection-template.yaml.
//! Departs from it: the pods are not there yet, so a label that only the cluster sets makes the answer "possibly".
//! Knows: labels of pods and of selectors. Does not know: modes, levels, Namespaces.

use super::hbone::TUNNEL;
use crate::model::{Inventory, Labels, PodLabel, PodsKnown, Workload};

/// Whether a selector selects the pods of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selects {
    /// A label of the pods contradicts it.
    No,
    /// No known label contradicts it, but not all that it asks for are known.
    Possibly,
    /// The pods have every label that it asks for.
    Yes,
}

/// Labels that controllers, the scheduler or the network of the cluster give a pod, with values that no manifest shows.
const SET_IN_THE_CLUSTER: &[&str] = &[
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    TUNNEL,
    "pod-template-generation",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "topology.istio.io/network",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// Whether the pods of a workload have all labels of `match_labels`; without labels it selects every pod.
pub(super) fn selects(match_labels: &Labels, pods: &Workload) -> Selects {
    match_labels
        .iter()
        .map(|(key, value)| has(pods, key, value))
        .min()
        .unwrap_or(Selects::Yes)
}

/// The workloads of a namespace whose pods a selector selects, in order, or may select: `false`.
pub fn selected_in<'i>(
    inventory: &'i Inventory,
    namespace: &str,
    match_labels: &Labels,
) -> Vec<(&'i Workload, bool)> {
    let is_shown = |key: &str| !SET_IN_THE_CLUSTER.contains(&key) && !is_added(key);
    let candidates = match match_labels.keys().all(is_shown) {
        true => inventory.workloads_perhaps_with(namespace, match_labels),
        false => inventory.workloads_in(namespace).iter().collect(),
    };
    let selected = candidates.into_iter().filter_map(|pods| {
        let certain = match selects(match_labels, pods) {
            Selects::Yes => true,
            Selects::Possibly => false,
            Selects::No => return None,
        };
        Some((pods, certain))
    });
    selected.collect()
}

/// Whether the injector gives pods the label, so that they have it although no template shows it.
fn is_added(key: &str) -> bool {
    matches!(
        key,
        "security.istio.io/tlsMode"
            | "service.istio.io/canonical-name"
            | "service.istio.io/canonical-revision"
    )
}

fn has(pods: &Workload, key: &str, value: &str) -> Selects {
    match label(pods, key) {
        PodLabel::Known(actual) if actual == value => Selects::Yes,
        PodLabel::Known(_) | PodLabel::Missing => Selects::No,
        PodLabel::Unknown => Selects::Possibly,
    }
}

/// What is known of a label of the pods, with those that the injector adds.
pub(super) fn label<'a>(pods: &'a Workload, key: &str) -> PodLabel<'a> {
    if let Some(value) = pods.labels.get(key) {
        return PodLabel::Known(value);
    }
    if pods.known != PodsKnown::Template || SET_IN_THE_CLUSTER.contains(&key) {
        return PodLabel::Unknown;
    }
    match key {
        "security.istio.io/tlsMode" => PodLabel::Known("istio"),
        "service.istio.io/canonical-name" => first_label(pods, &["app.kubernetes.io/name", "app"])
            .or_else(|| owner_name(pods))
            .map_or(PodLabel::Unknown, PodLabel::Known),
        "service.istio.io/canonical-revision" => PodLabel::Known(
            first_label(pods, &["app.kubernetes.io/version", "version"]).unwrap_or("latest"),
        ),
        _ => PodLabel::Missing,
    }
}

fn first_label<'a>(pods: &'a Workload, keys: &[&str]) -> Option<&'a str> {
    // The template's `default` passes over empty values too.
    keys.iter()
        .filter_map(|key| pods.labels.get(key))
        .find(|value| !value.is_empty())
}

/// The name of the pods' owner, for the kinds whose name the pods' owner reference leads to
/// (istio/istio pkg/kube/util.go `GetDeployMetaFromPod`).
fn owner_name(pods: &Workload) -> Option<&str> {
    let leads_there = matches!(
        pods.object.kind.as_str(),
        "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "Job"
            | "CronJob"
            | "Pod"
            | "Rollout"
            | "CloneSet"
    );
    (leads_there && !pods.object.name.is_empty()).then_some(pods.object.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PeerAuthentication;
    use crate::policy::fixture::{inventory, labels, policy, workload};

    fn answer(selector: &[(&str, &str)], pod_labels: &[(&str, &str)], known: PodsKnown) -> Selects {
        selects(
            &labels(selector),
            &Workload {
                known,
                ..workload("shop", pod_labels)
            },
        )
    }

    #[test]
    fn every_label_must_be_there() {
        let all = answer(
            &[("app", "web"), ("tier", "front")],
            &[("app", "web"), ("tier", "front"), ("x", "y")],
            PodsKnown::Template,
        );
        assert_eq!(all, Selects::Yes);
        let one_missing = answer(
            &[("app", "web"), ("tier", "front")],
            &[("app", "web")],
            PodsKnown::Template,
        );
        assert_eq!(one_missing, Selects::No);
        assert_eq!(answer(&[], &[], PodsKnown::SelectorOnly), Selects::Yes);
    }

    #[test]
    fn a_missing_label_may_be_there_where_only_a_part_of_the_labels_is_known() {
        for known in [PodsKnown::SelectorOnly, PodsKnown::Operator] {
            assert_eq!(
                answer(&[("tier", "front")], &[("app", "web")], known),
                Selects::Possibly
            );
            assert_eq!(
                answer(
                    &[("app", "db"), ("tier", "front")],
                    &[("app", "web")],
                    known
                ),
                Selects::No
            );
            assert_eq!(
                answer(&[("app", "web")], &[("app", "web")], known),
                Selects::Yes
            );
        }
    }

    #[test]
    fn labels_of_the_cluster_are_possible_on_any_pod() {
        let pod = [("app", "web")];
        assert_eq!(
            answer(
                &[("statefulset.kubernetes.io/pod-name", "web-0")],
                &pod,
                PodsKnown::Template
            ),
            Selects::Possibly
        );
    }

    #[test]
    fn labels_of_the_injector_count() {
        let name = |value| [("service.istio.io/canonical-name", value)];
        assert_eq!(
            answer(&name("web"), &[("app", "web")], PodsKnown::Template),
            Selects::Yes
        );
        assert_eq!(
            answer(
                &name("shop"),
                &[("app", "web"), ("app.kubernetes.io/name", "shop")],
                PodsKnown::Template
            ),
            Selects::Yes
        );
        assert_eq!(
            answer(
                &name("web"),
                &[("service.istio.io/canonical-name", "own")],
                PodsKnown::Template
            ),
            Selects::No
        );
        assert_eq!(
            answer(&name("web"), &[], PodsKnown::Template),
            Selects::Yes,
            "the Deployment's name"
        );
        assert_eq!(
            answer(&name("web"), &[("app", "web")], PodsKnown::SelectorOnly),
            Selects::Possibly
        );
        let revision = [("service.istio.io/canonical-revision", "latest")];
        assert_eq!(answer(&revision, &[], PodsKnown::Template), Selects::Yes);
        assert_eq!(
            answer(
                &[("security.istio.io/tlsMode", "istio")],
                &[],
                PodsKnown::Template
            ),
            Selects::Yes
        );
    }

    #[test]
    fn the_index_leaves_out_only_what_does_not_select() {
        let selectors: [&[(&str, &str)]; 7] = [
            &[],
            &[("app", "web")],
            &[("app", "db")],
            &[("app", "web"), ("tier", "front")],
            &[("controller-uid", "x"), ("app", "web")],
            &[("service.istio.io/canonical-name", "web")],
            &[("security.istio.io/tlsMode", "istio")],
        ];
        let policies = selectors.iter().zip('a'..).map(|(selector, name)| {
            let policy = policy("shop", &name.to_string(), None);
            PeerAuthentication {
                selector: labels(selector),
                ..policy
            }
        });
        let refused = PeerAuthentication {
            selector: labels(&[("app", "*")]),
            ..policy("shop", "refused", None).refused("drawn")
        };
        let elsewhere = policy("other", "elsewhere", None);
        let all = policies.chain([refused, elsewhere]).collect();
        let mut inventory = inventory(Vec::new(), all);
        inventory.index_labels();
        let pods: [&[(&str, &str)]; 3] = [&[], &[("app", "web")], &[("app", "db"), ("tier", "x")]];
        for (known, pod_labels) in [
            PodsKnown::Template,
            PodsKnown::Operator,
            PodsKnown::SelectorOnly,
        ]
        .into_iter()
        .flat_map(|known| pods.map(|pods| (known, pods)))
        {
            let pods = Workload {
                known,
                ..workload("shop", pod_labels)
            };
            let found = inventory.policies_for("shop", |key| label(&pods, key));
            let found: Vec<_> = found.iter().map(|found| &found.object.name).collect();
            for policy in &inventory.policies {
                let name = &policy.object.name;
                let is_found = found.contains(&name);
                let here = policy.object.namespace == "shop";
                let wanted = selects(&policy.selector, &pods) != Selects::No;
                assert!(!is_found || here, "{name}");
                assert!(is_found || !here || !wanted, "{name} {pods:?}");
                let is_refused = !policy.refused.is_empty();
                assert!(is_found || !here || !is_refused, "{name} {pods:?}");
            }
        }
        let web = workload("shop", &[("app", "web")]);
        let names: Vec<_> = inventory
            .policies_for("shop", |key| label(&web, key))
            .into_iter()
            .map(|found| found.object.name.as_str())
            .collect();
        // Without `c`, which asks for another app, and `d`, which asks for a tier.
        assert_eq!(names, ["a", "b", "e", "f", "g", "refused"]);
        assert_eq!(inventory.policies_named("shop", "a").len(), 1);
        assert!(inventory.policies_named("other", "a").is_empty());
    }
}
