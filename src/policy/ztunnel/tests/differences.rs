//! Where does ztunnel answer otherwise than a sidecar?

use super::*;

/// The search for exceptions from an inherited STRICT looks for PERMISSIVE alone.
#[test]
fn a_disabled_port_alone_stays_strict() {
    let policies = || vec![strict_mesh(), of_workload(None).port(9090, Some(Disable))];
    assert_eq!(as_sidecar(policies(), 9090), Some(Disable));
    let mode = of_web(policies(), 9090);
    assert_eq!(mode.fact.value, Some(Strict));
    assert_eq!(
        mode.fact.because,
        [
            "PeerAuthentication root-namespace/default: STRICT; ztunnel passes over PeerAuthentication shop/web port 9090: \
          DISABLE, as no port beside it is PERMISSIVE"
        ]
    );
}

/// Once the policy is converted, for the sake of another port, DISABLE counts too.
#[test]
fn a_disabled_port_beside_a_permissive_one_is_open() {
    let policies = vec![
        strict_mesh(),
        of_workload(None)
            .port(9090, Some(Disable))
            .port(8080, Some(Permissive)),
    ];
    assert_eq!(of_web(policies, 9090).fact.value, Some(Disable));
}

/// No injector has labelled the pods; a label of their own counts.
#[test]
fn labels_of_the_injector_are_not_there() {
    const NAME: &[(&str, &str)] = &[("service.istio.io/canonical-name", "web")];
    let policies = || {
        vec![
            strict_mesh(),
            policy("shop", "web", Some(Permissive)).selecting(NAME),
        ]
    };
    assert_eq!(as_sidecar(policies(), 8080), Some(Permissive));
    assert_eq!(of_web(policies(), 8080).fact.value, Some(Strict));
    let own = on_port(policies(), &workload("shop", NAME), Some(8080));
    assert_eq!(own.fact.value, Some(Permissive));
}

/// Under the workload's own STRICT both are looked for.
#[test]
fn a_disabled_port_of_a_strict_workload_is_open() {
    let policies = vec![of_workload(Some(Strict)).port(9090, Some(Disable))];
    assert_eq!(of_web(policies.clone(), 9090).fact.value, Some(Disable));
    assert_eq!(of_web(policies, 8080).fact.value, Some(Strict));
}

/// The pods refer to a policy that is converted into nothing, as the namespace has one that is not STRICT.
#[test]
fn an_unset_namespace_under_a_strict_mesh_opens_every_port() {
    let policies = || {
        vec![
            strict_mesh(),
            policy("shop", "default", None),
            of_workload(None).port(9090, Some(Permissive)),
        ]
    };
    assert_eq!(as_sidecar(policies(), 8080), Some(Strict));
    let mode = of_web(policies(), 8080);
    assert_eq!(mode.fact.value, Some(Permissive));
    assert!(mode.fact.proven);
    assert_eq!(
        mode.fact.because[0],
        "PeerAuthentication root-namespace/default: STRICT, but what istiod makes of PeerAuthentication shop/web for \
         ztunnel does not guard the port"
    );
    assert_eq!(of_web(policies(), 9090).fact.value, Some(Permissive));
}

/// A policy of the root namespace holds for other namespaces only if its selector is nil.
#[test]
fn an_empty_selector_in_the_root_namespace_is_ignored() {
    let written = || PeerAuthentication {
        selector_written: true,
        ..strict_mesh()
    };
    assert_eq!(as_sidecar(vec![written()], 8080), Some(Strict));
    let mode = of_web(vec![written()], 8080);
    assert_eq!(mode.fact.value, Some(Permissive));
    assert!(mode.assumed);
    assert!(mode.fact.because.concat().contains("hears nothing of it"));
    let in_root = on_port(vec![written()], &workload(ROOT, WEB), Some(8080));
    assert_eq!(in_root.fact.value, Some(Strict), "but for its own pods");
}

/// However old it is: the others are taken as if it were not there.
#[test]
fn an_ignored_policy_silences_none() {
    let ignored = PeerAuthentication {
        selector_written: true,
        ..policy(ROOT, "a", Some(Permissive)).created(OLDER)
    };
    let mode = of_web(vec![ignored, strict_mesh().created(NEWER)], 8080);
    assert_eq!(mode.fact.value, Some(Strict));
    assert!(mode.fact.proven);
}

/// A namespace policy with an empty selector counts for what the pods refer to, and not for the conversion.
#[test]
fn an_empty_selector_in_the_namespace_counts_by_half() {
    let policies = vec![
        PeerAuthentication {
            selector_written: true,
            ..policy("shop", "default", Some(Strict))
        },
        of_workload(None).port(9090, Some(Permissive)),
    ];
    assert_eq!(as_sidecar(policies.clone(), 8080), Some(Strict));
    assert_eq!(of_web(policies, 8080).fact.value, Some(Permissive));
}

/// The condition on the workload's mode does not bind the last alternative: `a && b || c`.
#[test]
fn a_strict_port_of_an_open_workload_is_left_to_a_strict_mesh() {
    for mode in [Permissive, Disable] {
        let policies = vec![
            strict_mesh(),
            of_workload(Some(mode)).port(9090, Some(Strict)),
        ];
        assert_eq!(as_sidecar(policies.clone(), 9090), Some(Strict));
        assert_eq!(of_web(policies.clone(), 9090).fact.value, Some(Permissive));
        let with_namespace = [policies, vec![policy("shop", "default", Some(Permissive))]];
        assert_eq!(
            of_web(with_namespace.concat(), 9090).fact.value,
            Some(Strict)
        );
    }
}
