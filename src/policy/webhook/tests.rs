//! Do the gates answer as Istio's own tests do?
//!
//! Authority: istio/istio istioctl/pkg/checkinject/checkinject_test.go `Test_analyzeRunningWebhooks`, cni/pkg/util/podutil_test.go `TestEnablementSelectorMatches`.
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
