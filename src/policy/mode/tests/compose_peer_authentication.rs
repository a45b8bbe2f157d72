//! Do policies compose as in istio/istio `TestComposePeerAuthentication`?

use super::*;

#[test]
fn no_config() {
    let mode = of_web(vec![]);
    assert_eq!(mode.fact.value, Some(Permissive));
    assert!(mode.assumed && !mode.fact.proven);
    assert_eq!(
        mode.fact.because,
        [
            "no PeerAuthentication in the input sets a mode for Deployment shop/web: PERMISSIVE is Istio's default"
        ]
    );
}

#[test]
fn mesh_only() {
    let mode = of_web(vec![policy(ROOT, "default", Some(Strict))]);
    assert_eq!(
        mode.fact,
        Fact::proven(Strict, "PeerAuthentication root-namespace/default: STRICT")
    );
    assert!(!mode.assumed);
}

#[test]
fn mesh_vs_namespace() {
    let mode = of_web(vec![
        policy(ROOT, "default", Some(Strict)),
        policy("shop", "default", Some(Permissive)),
    ]);
    assert_eq!(
        mode.fact,
        Fact::proven(Permissive, "PeerAuthentication shop/default: PERMISSIVE")
    );
}

#[test]
fn ignore_non_empty_selector_in_root_namespace() {
    let ignored = || policy(ROOT, "default", Some(Strict)).selecting(WEB);
    assert_eq!(of_web(vec![ignored()]).fact.value, Some(Permissive));
    let in_root = on_port(vec![ignored()], &workload(ROOT, WEB), Some(8080));
    assert_eq!(
        in_root.fact.value,
        Some(Permissive),
        "for workloads of the root namespace too"
    );
}

#[test]
fn workload_vs_namespace_config() {
    let mode = of_web(vec![
        policy("shop", "default", None),
        policy("shop", "web", None).selecting(WEB),
    ]);
    assert_eq!(mode.fact.value, Some(Permissive));
    assert!(mode.assumed);
}

#[test]
fn multiple_policies_of_each_level() {
    for (namespace, selector) in [(ROOT, &[][..]), ("shop", &[]), ("shop", WEB)] {
        let of_level = |name, mode| policy(namespace, name, Some(mode)).selecting(selector);
        let mode = of_web(vec![
            of_level("now", Disable).created(NEWER),
            of_level("second-later", Strict).created(OLDER),
            of_level("second-ago", Permissive).created(OLDER),
        ]);
        let because = format!("PeerAuthentication {namespace}/second-ago: PERMISSIVE");
        assert_eq!(
            mode.fact,
            Fact::proven(Permissive, because),
            "the oldest, of one second the smallest name"
        );
        assert_eq!(mode.undecided, []);
    }
}

#[test]
fn inheritance_default_mesh() {
    let mode = of_web(vec![policy(ROOT, "default", None)]);
    let because = "PeerAuthentication root-namespace/default: UNSET, which means PERMISSIVE";
    assert_eq!(mode.fact, Fact::proven(Permissive, because));
    assert!(!mode.assumed);
}

#[test]
fn inheritance_mesh_to_namespace_to_workload() {
    let mode = of_web(vec![
        policy(ROOT, "default", Some(Strict)),
        policy("shop", "default", None),
        policy("shop", "web", None).selecting(WEB),
    ]);
    assert_eq!(mode.fact.value, Some(Strict));
    assert!(mode.fact.proven);
    assert_eq!(
        mode.fact.because,
        [
            "PeerAuthentication root-namespace/default: STRICT",
            "PeerAuthentication shop/web: UNSET",
            "PeerAuthentication shop/default: UNSET",
        ]
    );
}

#[test]
fn port_level() {
    let web = || {
        policy("shop", "web", Some(Strict))
            .selecting(WEB)
            .port(8080, Some(Disable))
            .port(9090, None)
    };
    assert_eq!(
        of_web(vec![web()]).fact,
        Fact::proven(Disable, "PeerAuthentication shop/web port 8080: DISABLE")
    );
    let on = |port| {
        on_port(vec![web()], &workload("shop", WEB), Some(port))
            .fact
            .value
    };
    assert_eq!(
        on(9090),
        Some(Strict),
        "UNSET on a port is the workload's mode"
    );
    assert_eq!(on(7777), Some(Strict));
}

#[test]
fn ports_count_at_workload_level_of_the_chosen_policy_only() {
    let loser = policy("shop", "web", None)
        .selecting(WEB)
        .port(8080, Some(Disable))
        .created(NEWER);
    let winner = policy("shop", "zzz", None).selecting(WEB).created(OLDER);
    let namespace = policy("shop", "default", Some(Strict)).port(8080, Some(Disable));
    assert_eq!(
        of_web(vec![loser, winner, namespace]).fact.value,
        Some(Strict)
    );
}

#[test]
fn policies_of_other_namespaces_and_pods_do_not_count() {
    let mode = of_web(vec![
        policy("other", "default", Some(Strict)),
        policy("shop", "db", Some(Strict)).selecting(&[("app", "db")]),
    ]);
    assert!(mode.assumed);
}
