//! Does `mode` answer as Istio's own tests do, and say "unknown" where manifests cannot tell?
//!
//! Authority: istio/istio pilot/pkg/security/authn/policy_applier_test.go, by the names of its rows.
//! Departs from it: cases without an upstream row are about what Git does not show.
//! Knows: one workload, `Deployment shop/web`. Does not know: sidecars, scrapes.

use MtlsMode::{Disable, Permissive, Strict};

use super::*;
use crate::model::PodsKnown;
use crate::policy::fixture::{ROOT, inventory, mesh, policy, settings, workload};

const OLDER: &str = "2023-12-31T23:59:59Z";
const NEWER: &str = "2024-01-01T00:00:00Z";
const WEB: &[(&str, &str)] = &[("app", "web")];

fn on_port(policies: Vec<PeerAuthentication>, pods: &Workload, port: Option<u16>) -> Mode {
    mode(&mesh(&inventory(Vec::new(), policies)), pods, port)
}

fn of_web(policies: Vec<PeerAuthentication>) -> Mode {
    on_port(policies, &workload("shop", WEB), Some(8080))
}

/// The pods behind a Service that is all that is known of them.
fn behind_a_service() -> Workload {
    Workload {
        known: PodsKnown::SelectorOnly,
        ..workload("shop", WEB)
    }
}

fn names(undecided: &Undecided) -> Vec<&str> {
    undecided
        .policies
        .iter()
        .map(|object| object.name.as_str())
        .collect()
}

mod compose_peer_authentication;

mod inbound_mtls_settings {
    use super::*;

    #[test]
    fn single_policy_disable_mode() {
        let mode = of_web(vec![policy("shop", "default", Some(Disable))]);
        assert_eq!(mode.fact.value, Some(Disable));
    }

    #[test]
    fn port_level_hit_and_miss() {
        let web = || {
            policy("shop", "web", Some(Permissive))
                .selecting(WEB)
                .port(8080, Some(Strict))
        };
        assert_eq!(of_web(vec![web()]).fact.value, Some(Strict));
        assert_eq!(
            on_port(vec![web()], &workload("shop", WEB), Some(80))
                .fact
                .value,
            Some(Permissive)
        );
    }
}

mod order;

mod refused {
    use super::*;

    fn refused() -> PeerAuthentication {
        policy("shop", "bad", Some(Strict)).refused("portLevelMtls needs a selector")
    }

    #[test]
    fn what_a_refused_policy_would_decide_is_unknown() {
        let mode = of_web(vec![refused(), policy(ROOT, "default", Some(Strict))]);
        assert_eq!((mode.fact.value, mode.fact.proven), (None, false));
        assert_eq!(
            mode.fact.because[0],
            "PeerAuthentication shop/bad is refused: portLevelMtls needs a selector"
        );
    }

    #[test]
    fn a_narrower_valid_policy_decides_without_it() {
        let mode = of_web(vec![
            refused(),
            policy("shop", "web", Some(Permissive)).selecting(WEB),
        ]);
        assert_eq!(
            mode.fact,
            Fact::proven(Permissive, "PeerAuthentication shop/web: PERMISSIVE")
        );
    }

    #[test]
    fn a_narrower_policy_that_inherits_does_not() {
        let mode = of_web(vec![
            refused(),
            policy("shop", "web", None)
                .selecting(WEB)
                .port(80, Some(Strict)),
        ]);
        assert_eq!(mode.fact.value, None);
    }

    #[test]
    fn an_older_policy_of_the_level_decides_without_it() {
        let mode = of_web(vec![
            refused().created(NEWER),
            policy("shop", "z", Some(Disable)).created(OLDER),
        ]);
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Disable), true));
    }

    #[test]
    fn a_refused_selector_counts_only_for_pods_that_it_may_mean() {
        let other = refused().selecting(&[("app", "db")]);
        assert!(of_web(vec![other]).assumed);
        let wildcard = refused().selecting(&[("app", "w*")]);
        assert_eq!(of_web(vec![wildcard]).fact.value, None);
    }

    #[test]
    fn a_configured_mesh_mode_needs_no_mesh_policy() {
        let inventory = inventory(
            Vec::new(),
            vec![policy(ROOT, "bad", Some(Strict)).refused("no")],
        );
        let configured = Mesh {
            settings: &settings(Some(Disable)),
            ..mesh(&inventory)
        };
        assert_eq!(
            mode(&configured, &workload("shop", WEB), Some(80))
                .fact
                .value,
            Some(Disable)
        );
        assert_eq!(
            mode(&mesh(&inventory), &workload("shop", WEB), Some(80))
                .fact
                .value,
            None
        );
    }
}

mod partly_known_pods {
    use super::*;

    fn front(mode: Option<MtlsMode>) -> PeerAuthentication {
        policy("shop", "front", mode).selecting(&[("app", "web"), ("tier", "front")])
    }

    #[test]
    fn a_policy_that_may_match_is_taken_not_to_and_nothing_is_proven() {
        let policies = vec![
            policy("shop", "default", Some(Permissive)),
            front(Some(Strict)),
        ];
        let mode = on_port(policies, &behind_a_service(), Some(8080));
        assert_eq!(
            (mode.fact.value, mode.fact.proven),
            (Some(Permissive), false)
        );
        assert_eq!(
            mode.fact.because[1],
            "PeerAuthentication shop/front: STRICT is taken not to select the pods, which are not in the input"
        );
    }

    #[test]
    fn unless_it_changes_nothing() {
        let namespace = || policy("shop", "default", Some(Strict));
        for may_match in [
            front(Some(Strict)),
            front(None),
            front(None).port(80, Some(Disable)),
        ] {
            let mode = on_port(
                vec![namespace(), may_match],
                &behind_a_service(),
                Some(8080),
            );
            assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), true));
        }
    }

    #[test]
    fn even_if_it_changes_the_mode_only_in_another_order_of_wider_policies() {
        let web = policy("shop", "web", Some(Strict)).selecting(WEB);
        let namespace = [
            policy("shop", "a", Some(Strict)),
            policy("shop", "b", Some(Permissive)),
        ];
        let policies = [web, front(None)].into_iter().chain(namespace).collect();
        let mode = on_port(policies, &behind_a_service(), Some(8080));
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), false));
    }

    #[test]
    fn unless_a_label_contradicts() {
        let elsewhere =
            policy("shop", "db", Some(Strict)).selecting(&[("app", "db"), ("tier", "front")]);
        assert!(on_port(vec![elsewhere], &behind_a_service(), Some(8080)).assumed);
    }

    #[test]
    fn the_whole_template_leaves_no_doubt() {
        assert!(of_web(vec![front(Some(Strict))]).assumed);
    }

    #[test]
    fn an_older_policy_that_does_match_settles_it() {
        let older = policy("shop", "web", Some(Disable))
            .selecting(WEB)
            .created(OLDER);
        let mode = on_port(
            vec![older, front(Some(Strict)).created(NEWER)],
            &behind_a_service(),
            Some(8080),
        );
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Disable), true));
    }
}

mod unknown_port {
    use super::*;

    fn any_port(policies: Vec<PeerAuthentication>) -> Mode {
        on_port(policies, &workload("shop", WEB), None)
    }

    #[test]
    fn the_workloads_mode_if_no_port_differs() {
        let web = policy("shop", "web", Some(Strict))
            .selecting(WEB)
            .port(8080, Some(Strict))
            .port(80, None);
        let mode = any_port(vec![web]);
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), true));
        assert_eq!(mode.fact.because[0], "PeerAuthentication shop/web: STRICT");
    }

    #[test]
    fn unknown_if_a_port_differs() {
        let web = policy("shop", "web", None)
            .selecting(WEB)
            .port(8080, Some(Strict));
        let mode = any_port(vec![web, policy(ROOT, "default", Some(Permissive))]);
        assert_eq!(mode.fact.value, None);
        assert!(
            mode.fact
                .because
                .contains(&"PeerAuthentication shop/web port 8080: STRICT".to_owned())
        );
    }

    #[test]
    fn ports_of_policies_without_a_say_do_not_matter() {
        let namespace = policy("shop", "default", Some(Strict)).port(8080, Some(Disable));
        assert_eq!(any_port(vec![namespace]).fact.value, Some(Strict));
    }
}

mod configured {
    use super::*;

    fn with_default(policies: Vec<PeerAuthentication>) -> Mode {
        let inventory = inventory(Vec::new(), policies);
        mode(
            &Mesh {
                settings: &settings(Some(Strict)),
                ..mesh(&inventory)
            },
            &workload("shop", WEB),
            Some(80),
        )
    }

    #[test]
    fn the_mesh_mode_holds_without_a_mesh_policy() {
        let mode = with_default(vec![policy("shop", "default", None)]);
        assert_eq!(
            (mode.fact.value, mode.fact.proven, mode.assumed),
            (Some(Strict), true, false)
        );
        assert_eq!(mode.fact.because[0], "mesh.mode: STRICT (configuration)");
    }

    #[test]
    fn the_input_wins() {
        assert_eq!(
            with_default(vec![policy(ROOT, "default", Some(Disable))])
                .fact
                .value,
            Some(Disable)
        );
        assert_eq!(
            with_default(vec![policy(ROOT, "default", None)]).fact.value,
            Some(Permissive)
        );
        assert_eq!(
            with_default(vec![policy("shop", "default", Some(Disable))])
                .fact
                .value,
            Some(Disable)
        );
    }
}

mod revisions {
    use super::*;
    use crate::model::{ControlPlane, Inventory};
    use crate::policy::fixture::namespace;

    fn labelled(name: &str, revision: &str, mode: MtlsMode) -> PeerAuthentication {
        PeerAuthentication {
            revision: Some(revision.to_owned()),
            ..policy("shop", name, Some(mode))
        }
    }

    fn of_pods(label: (&str, &str), policies: Vec<PeerAuthentication>, planes: &[&str]) -> Mode {
        let planes = planes
            .iter()
            .map(|revision| ControlPlane::silent(namespace("plane", &[]).object, *revision));
        let inventory = Inventory {
            control_planes: planes.collect(),
            ..inventory(vec![namespace("shop", &[label])], policies)
        };
        mode(&mesh(&inventory), &workload("shop", WEB), Some(8080))
    }

    const ENABLED: (&str, &str) = ("istio-injection", "enabled");
    const REVISED: (&str, &str) = ("istio.io/rev", "1-20");

    #[test]
    fn a_policy_of_the_pods_revision_counts() {
        let strict = || vec![labelled("default", "1-20", Strict)];
        let mode = of_pods(REVISED, strict(), &["1-20", "1-21"]);
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), true));
        assert_eq!(of_pods(REVISED, strict(), &[]).fact.value, Some(Strict));
    }

    #[test]
    fn a_policy_of_another_revision_is_as_absent() {
        let strict = vec![labelled("default", "1-21", Strict)];
        let mode = of_pods(REVISED, strict, &["1-20", "1-21"]);
        assert_eq!((mode.fact.value, mode.assumed), (Some(Permissive), true));
    }

    #[test]
    fn a_policy_is_doubtful_where_the_default_may_have_another_name() {
        let strict = || vec![labelled("default", "1-20", Strict)];
        let mode = of_pods(ENABLED, strict(), &[]);
        assert_eq!(mode.fact.value, None);
        assert_eq!(
            mode.fact.because[0],
            "PeerAuthentication shop/default: STRICT, if the pods' istiod reads it: it is for revision 1-20, \
             and theirs is not known"
        );
        let shown = of_pods(ENABLED, strict(), &["default"]);
        assert_eq!(shown.fact.value, Some(Permissive));
    }

    #[test]
    fn a_doubtful_revision_does_not_matter_where_all_agree() {
        let policies = vec![
            labelled("a", "1-20", Strict),
            policy("shop", "b", Some(Strict)),
        ];
        let mode = of_pods(ENABLED, policies, &[]);
        assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), true));
    }

    #[test]
    fn copies_for_two_revisions_are_two_versions() {
        let policies = vec![
            labelled("default", "1-20", Strict),
            labelled("default", "1-21", Strict),
        ];
        let mode = of_pods(REVISED, policies, &["1-20", "1-21"]);
        assert_eq!(mode.fact.value, None);
    }
}
