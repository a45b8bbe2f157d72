//! Do the gates answer as Istio's own tests do?
//!
//! Authority: istio/istio pkg/kube/inject/webhook_test.go `TestInjectRequired`, istioctl/pkg/checkinject/checkinject_test.go `Test_analyzeRunningWebhooks`, cni/pkg/util/podutil_test.go `TestEnablementSelectorMatches`.
//! Departs from it: cases without an upstream row follow mutatingwebhook.yaml.
//! Knows: the gates. Does not know: which of them is asked, missing objects.

use super::*;
use crate::policy::fixture::{labels, workload};

fn named(revision: &str) -> Option<Revision> {
    Some(Revision::Named(revision.to_owned()))
}

mod analyze_running_webhooks {
    use super::*;

    fn selects(namespace: &[(&str, &str)], pod: &[(&str, &str)]) -> Option<Revision> {
        webhook_selects(&labels(namespace), &labels(pod))
    }

    #[test]
    fn no_inj_because_of_no_match_labels() {
        assert_eq!(selects(&[], &[]), None);
    }

    #[test]
    fn rev_ns_injection() {
        assert_eq!(selects(&[(REVISION, "1-16")], &[]), named("1-16"));
    }

    #[test]
    fn both_default_label_injection() {
        assert_eq!(
            selects(&[(NAMESPACE_INJECTION, "enabled")], &[(INJECT, "true")]),
            Some(Revision::Default)
        );
    }

    #[test]
    fn both_rev_label_injection() {
        assert_eq!(
            selects(&[(REVISION, "1-16")], &[(REVISION, "1-16")]),
            named("1-16")
        );
        assert_eq!(
            selects(&[(REVISION, "1-16")], &[(REVISION, "1-17")]),
            named("1-16"),
            "the pod's is ignored"
        );
    }

    #[test]
    fn ns_and_rev_pod_label() {
        assert_eq!(
            selects(&[(NAMESPACE_INJECTION, "enabled")], &[(REVISION, "1-16")]),
            Some(Revision::Default)
        );
    }

    #[test]
    fn pod_label_with_not_inject() {
        assert_eq!(
            selects(&[(NAMESPACE_INJECTION, "enabled")], &[(INJECT, "false")]),
            None
        );
        assert_eq!(selects(&[(REVISION, "1-16")], &[(INJECT, "false")]), None);
        assert_eq!(selects(&[], &[(INJECT, "false"), (REVISION, "1-16")]), None);
    }

    #[test]
    fn disabled_namespaces_block_everything() {
        for value in ["disabled", "true", ""] {
            let blocked = [(NAMESPACE_INJECTION, value), (REVISION, "1-16")];
            assert_eq!(
                selects(&blocked, &[(INJECT, "true"), (REVISION, "1-16")]),
                None
            );
        }
    }

    #[test]
    fn enabled_beats_the_revision_of_the_namespace() {
        let both = [(NAMESPACE_INJECTION, "enabled"), (REVISION, "1-16")];
        assert_eq!(selects(&both, &[]), Some(Revision::Default));
    }

    #[test]
    fn pods_alone() {
        assert_eq!(selects(&[], &[(INJECT, "true")]), Some(Revision::Default));
        assert_eq!(selects(&[], &[(INJECT, "random")]), None);
        assert_eq!(selects(&[], &[(REVISION, "1-16")]), named("1-16"));
        assert_eq!(
            selects(&[], &[(REVISION, "1-16"), (INJECT, "true")]),
            named("1-16")
        );
        assert_eq!(
            selects(&[], &[(REVISION, "default")]),
            Some(Revision::Default)
        );
    }
}

mod inject_required {
    use super::*;

    const DISABLED: Injector = Injector {
        enabled: false,
        never: Vec::new(),
        always: Vec::new(),
    };

    fn required(injector: &Injector, pod: &[(&str, &str)], annotations: &[(&str, &str)]) -> bool {
        let pods = Workload {
            annotations: labels(annotations),
            ..workload("shop", pod)
        };
        injection_required(injector, "shop", &pods)
    }

    fn by_label(key: &str, value: &str) -> Vec<LabelSelector> {
        vec![LabelSelector {
            match_labels: Some(labels(&[(key, value)])),
            ..LabelSelector::default()
        }]
    }

    fn by_expression(key: &str, operator: &str, values: &[&str]) -> Vec<LabelSelector> {
        let expression = LabelSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: (!values.is_empty())
                .then(|| values.iter().map(|value| (*value).to_owned()).collect()),
        };
        vec![LabelSelector {
            match_expressions: Some(vec![expression]),
            ..LabelSelector::default()
        }]
    }

    #[test]
    fn default_policy() {
        assert!(required(&Injector::default(), &[], &[]));
        assert!(!required(&DISABLED, &[], &[]));
    }

    #[test]
    fn force_on_policy() {
        assert!(required(&DISABLED, &[], &[(INJECT, "true")]));
    }

    #[test]
    fn force_off_policy() {
        assert!(!required(&Injector::default(), &[], &[(INJECT, "false")]));
    }

    #[test]
    fn invalid_inject_value_random() {
        assert!(required(&Injector::default(), &[(INJECT, "random")], &[]));
        assert!(
            required(
                &Injector::default(),
                &[(INJECT, "random")],
                &[(INJECT, "false")]
            ),
            "the label wins"
        );
    }

    #[test]
    fn policy_disabled_label_disabled_annotation_enabled() {
        assert!(!required(
            &DISABLED,
            &[(INJECT, "false")],
            &[(INJECT, "true")]
        ));
        assert!(required(
            &DISABLED,
            &[(INJECT, "true")],
            &[(INJECT, "false")]
        ));
    }

    #[test]
    fn policy_disabled_always_never_inject_with_both_labels() {
        let injector = Injector {
            enabled: false,
            never: by_expression("never", "Exists", &[]),
            always: by_expression("always", "Exists", &[]),
        };
        assert!(required(&injector, &[("always", "x")], &[]));
        assert!(!required(
            &injector,
            &[("always", "x"), ("never", "x")],
            &[]
        ));
        assert!(
            required(&injector, &[("never", "x")], &[(INJECT, "true")]),
            "the pod's own say comes first"
        );
    }

    #[test]
    fn selectors_of_the_injector() {
        let never = |never| Injector {
            never,
            ..Injector::default()
        };
        let pod = [("app", "web")];
        assert!(!required(&never(by_label("app", "web")), &pod, &[]));
        assert!(required(&never(by_label("app", "db")), &pod, &[]));
        assert!(!required(
            &never(by_expression("app", "In", &["db", "web"])),
            &pod,
            &[]
        ));
        assert!(required(
            &never(by_expression("app", "NotIn", &["web"])),
            &pod,
            &[]
        ));
        assert!(!required(
            &never(by_expression("tier", "NotIn", &["web"])),
            &pod,
            &[]
        ));
        assert!(!required(
            &never(by_expression("tier", "DoesNotExist", &[])),
            &pod,
            &[]
        ));
        assert!(
            required(&never(by_expression("app", "Like", &["web"])), &pod, &[]),
            "unreadable: skipped"
        );
        assert!(
            required(&never(vec![LabelSelector::default()]), &pod, &[]),
            "empty: skipped"
        );
    }

    #[test]
    fn host_network_and_ignored_namespaces() {
        let pods = Workload {
            host_network: true,
            ..workload("shop", &[(INJECT, "true")])
        };
        assert!(!injection_required(&Injector::default(), "shop", &pods));
        let pods = workload("kube-system", &[(INJECT, "true")]);
        assert!(!injection_required(
            &Injector::default(),
            "kube-system",
            &pods
        ));
    }
}

mod enablement_selector_matches {
    use super::*;

    const AMBIENT: &[(&str, &str)] = &[(DATAPLANE_MODE, "ambient")];

    fn enrols(namespace: &[(&str, &str)], pods: &Workload) -> bool {
        ambient_enrols(&labels(namespace), pods)
    }

    #[test]
    fn by_namespace_by_pod_by_both_by_neither() {
        assert!(enrols(AMBIENT, &workload("shop", &[])));
        assert!(enrols(&[], &workload("shop", AMBIENT)));
        assert!(enrols(AMBIENT, &workload("shop", AMBIENT)));
        assert!(!enrols(&[], &workload("shop", &[])));
    }

    #[test]
    fn pods_opt_out() {
        assert!(!enrols(
            AMBIENT,
            &workload("shop", &[(DATAPLANE_MODE, "none")])
        ));
    }

    #[test]
    fn never_on_the_hosts_network_nor_beside_a_sidecar() {
        assert!(!enrols(
            AMBIENT,
            &Workload {
                host_network: true,
                ..workload("shop", AMBIENT)
            }
        ));
        let injected = labels(&[("sidecar.istio.io/status", "{}")]);
        assert!(!enrols(
            AMBIENT,
            &Workload {
                annotations: injected,
                ..workload("shop", &[])
            }
        ));
    }
}
