//! Does `mode_in_ambient` differ from `mode` where ztunnel does, and only there?
//!
//! Authority: istio/istio pilot/pkg/serviceregistry/ambient/ambientindex_test.go `TestRBACConvert`, `TestAmbientIndex_Policy`, by the
//! names of their rows; the corner cases are read from the code (authorization.go), as no row has them.
//! Departs from it: cases without an upstream row are about what Git does not show.
//! Knows: one workload, `Deployment shop/web`. Does not know: ztunnel's address, scrapes.

use MtlsMode::{Disable, Permissive, Strict};

use super::*;
use crate::policy::Settings;
use crate::policy::fixture::{ROOT, inventory, mesh, policy, settings, workload};

const OLDER: &str = "2023-12-31T23:59:59Z";
const NEWER: &str = "2024-01-01T00:00:00Z";
const WEB: &[(&str, &str)] = &[("app", "web")];

fn on_port(policies: Vec<PeerAuthentication>, pods: &Workload, port: Option<u16>) -> Mode {
    mode_in_ambient(&mesh(&inventory(Vec::new(), policies)), pods, port)
}

fn of_web(policies: Vec<PeerAuthentication>, port: u16) -> Mode {
    on_port(policies, &workload("shop", WEB), Some(port))
}

fn as_sidecar(policies: Vec<PeerAuthentication>, port: u16) -> Option<MtlsMode> {
    let inventory = inventory(Vec::new(), policies);
    let pods = workload("shop", WEB);
    super::super::mode(&mesh(&inventory), &pods, Some(port))
        .fact
        .value
}

fn strict_mesh() -> PeerAuthentication {
    policy(ROOT, "default", Some(Strict))
}

fn of_workload(mode: Option<MtlsMode>) -> PeerAuthentication {
    policy("shop", "web", mode).selecting(WEB)
}

mod as_for_sidecars {
    use super::*;

    #[test]
    fn no_policy() {
        let mode = of_web(Vec::new(), 8080);
        assert_eq!(mode.fact.value, Some(Permissive));
        assert!(mode.assumed && !mode.fact.proven);
    }

    #[test]
    fn open_modes_are_told_as_written() {
        let mode = of_web(vec![strict_mesh(), of_workload(Some(Disable))], 8080);
        assert_eq!(
            mode.fact,
            Fact::proven(Disable, "PeerAuthentication shop/web: DISABLE")
        );
    }

    #[test]
    fn strict_root_unset_workload_port_mtls_strict_and_permissive() {
        let policies = || {
            vec![
                strict_mesh(),
                of_workload(None)
                    .port(9090, Some(Permissive))
                    .port(8080, Some(Strict)),
            ]
        };
        for (port, expected) in [(9090, Permissive), (8080, Strict), (7777, Strict)] {
            let mode = of_web(policies(), port);
            assert_eq!(mode.fact.value, Some(expected), "{port}");
            assert!(mode.fact.proven);
        }
        let of_all = on_port(policies(), &workload("shop", WEB), None);
        assert_eq!(of_all.fact.value, None, "the ports differ");
    }

    #[test]
    fn configured_mesh_mode() {
        let inventory = inventory(
            Vec::new(),
            vec![of_workload(None).port(9090, Some(Permissive))],
        );
        let settings: Settings = settings(Some(Strict));
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        let pods = workload("shop", WEB);
        let of_port = mode_in_ambient(&mesh, &pods, Some(9090));
        assert_eq!(of_port.fact.value, Some(Permissive));
        let of_others = mode_in_ambient(&mesh, &pods, Some(8080));
        assert_eq!(of_others.fact.value, Some(Strict));
        assert!(of_others.fact.proven && !of_others.assumed);
    }
}

mod differences;

mod order {
    use super::*;

    fn rivals(age: Option<&str>) -> Vec<PeerAuthentication> {
        let dated = |name: &str, mode| {
            let policy = policy("shop", name, Some(mode));
            age.map_or(policy.clone(), |age| policy.created(age))
        };
        vec![dated("b", Strict), dated("a", Permissive)]
    }

    /// istiod takes the first of a list without order, so no name helps.
    #[test]
    fn of_one_second_nobody_is_older() {
        for age in [None, Some(OLDER)] {
            let mode = of_web(rivals(age), 8080);
            assert_eq!(mode.fact.value, Some(Permissive), "by name");
            assert!(!mode.fact.proven);
            assert_eq!(mode.undecided.len(), 1);
            assert_eq!(mode.undecided[0].chosen.name, "a");
            assert_eq!(
                mode.fact.because,
                [
                    "PeerAuthentication shop/a: PERMISSIVE",
                    "PeerAuthentication shop/b: STRICT may be older"
                ]
            );
        }
    }

    #[test]
    fn the_older_one_decides() {
        let mut policies = rivals(Some(NEWER));
        policies[0].created = Some(OLDER.to_owned());
        let mode = of_web(policies, 8080);
        assert_eq!(
            mode.fact,
            Fact::proven(Strict, "PeerAuthentication shop/b: STRICT")
        );
    }

    /// PERMISSIVE and DISABLE are one to ztunnel.
    #[test]
    fn open_rivals_are_no_rivals() {
        let policies = vec![
            policy("shop", "a", Some(Permissive)),
            policy("shop", "b", Some(Disable)),
        ];
        let mode = of_web(policies, 8080);
        assert_eq!(mode.undecided, []);
        assert!(mode.fact.proven);
    }

    /// Even a level that the workload's policy answers matters, where only the conversion asks for it.
    #[test]
    fn rivals_behind_a_workload_policy() {
        let policies = |age| {
            let mut policies = rivals(age);
            policies.push(of_workload(Some(Permissive)).port(9090, Some(Strict)));
            policies.push(strict_mesh());
            policies
        };
        let unset = |mut policies: Vec<PeerAuthentication>| {
            policies[0].mode = None;
            policies
        };
        assert_eq!(of_web(policies(None), 9090).undecided, []);
        let mode = of_web(unset(policies(None)), 9090);
        assert_eq!(mode.undecided[0].level, Level::Namespace);
        assert_eq!(as_sidecar(unset(policies(None)), 9090), Some(Strict));
    }
}

mod unknown {
    use super::*;

    #[test]
    fn a_refused_policy() {
        let mode = of_web(
            vec![
                strict_mesh(),
                policy("shop", "default", None).refused("odd"),
            ],
            8080,
        );
        assert_eq!(mode.fact.value, None);
        assert_eq!(
            mode.fact.because[0],
            "PeerAuthentication shop/default is refused: odd"
        );
    }

    /// Whatever the correction says, the workload's own policy answers.
    #[test]
    fn a_refused_policy_that_does_not_matter() {
        let policies = vec![
            policy("shop", "default", None).refused("odd"),
            of_workload(Some(Strict)),
        ];
        let mode = of_web(policies, 8080);
        assert_eq!(mode.fact.value, Some(Strict));
        assert!(mode.fact.proven);
    }

    #[test]
    fn a_label_that_only_the_cluster_sets() {
        let hashed =
            policy("shop", "one", Some(Permissive)).selecting(&[("pod-template-hash", "1")]);
        let mode = of_web(vec![strict_mesh(), hashed], 8080);
        assert_eq!(mode.fact.value, None);
    }

    /// Pods that nobody shows are taken to have the labels that are known; that proves nothing.
    #[test]
    fn unseen_pods() {
        let pods = Workload {
            known: PodsKnown::SelectorOnly,
            ..workload("shop", WEB)
        };
        let tier = || policy("shop", "tier", Some(Permissive)).selecting(&[("tier", "x")]);
        let mode = on_port(vec![strict_mesh(), tier()], &pods, Some(8080));
        assert_eq!(mode.fact.value, Some(Strict));
        assert!(!mode.fact.proven);
        assert_eq!(mode.fact.because.len(), 2);
    }

    #[test]
    fn several_root_namespaces() {
        use crate::config::Config;
        use crate::model::ControlPlane;
        let plane = |name: &str, root: &str| {
            let mut plane = ControlPlane::silent(policy("istio-system", name, None).object, name);
            plane.root_namespace = Some(root.to_owned());
            plane
        };
        let mut inventory = inventory(
            Vec::new(),
            vec![
                policy("one", "default", Some(Strict)),
                policy("two", "default", Some(Permissive)),
            ],
        );
        inventory.control_planes = vec![plane("one", "one"), plane("two", "two")];
        let settings = Settings::of(&inventory, &Config::default());
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        let mode = mode_in_ambient(&mesh, &workload("shop", WEB), Some(8080));
        assert_eq!(mode.fact.value, None);
        assert_eq!(
            mode.fact.because.len(),
            4,
            "two policies, two objects that name the root"
        );
    }

    /// The input has one object twice: only one of the two is in the cluster.
    #[test]
    fn two_versions_of_one_object() {
        let version = |mode| policy("shop", "default", Some(mode)).created(OLDER);
        let mode = of_web(vec![version(Strict), version(Permissive)], 8080);
        assert_eq!(mode.undecided.len(), 1);
        let with_selector = of_workload(Some(Permissive));
        let without = policy("shop", "web", Some(Strict));
        let mode = of_web(vec![with_selector, without], 8080);
        assert_eq!(mode.fact.value, None, "of two levels: no order explains it");
    }
}
