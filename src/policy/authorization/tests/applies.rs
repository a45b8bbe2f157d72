//! Which policies guard the pods, and what of them is not known?

use super::*;

/// builder.go: DENY before ALLOW; of several ALLOW policies one is enough.
#[test]
fn several_policies() {
    let other = from(json!({"namespaces": ["shop"]}));
    let both = answer(&[is_us(), other.clone()], &REQUEST);
    assert_eq!(both, Access::Lets);
    let denied = answer(&[is_us(), deny(is_us())], &REQUEST);
    assert_eq!(how(&denied), Some(Refusal::Denied));
    let Access::Blocks { policies, .. } = answer(&[other.clone(), json!({})], &REQUEST) else {
        panic!("blocked")
    };
    assert_eq!(policies.len(), 2);
    let audit = json!({"action": "AUDIT", "rules": [{}]});
    assert_eq!(answer(&[audit], &REQUEST), Access::Lets);
    let unknown = to(json!({"hosts": ["x"]}));
    assert!(is_unknown(&answer(&[unknown, other], &HTTP)));
}

/// authorization_test.go `TestAuthorizationPolicies_ListAuthorizationPolicies`: "root namespace", "selector", "targetRef".
#[test]
fn where_a_policy_applies() {
    let selecting = |app: &str| json!({"selector": {"matchLabels": {"app": app}}});
    let asked = |namespace: &str, spec: Value| {
        let inventory = inventory(&[(namespace, "p", spec)]);
        let pods = workload("shop", &[("app", "web")]);
        asked_of(&inventory, &pods, DataPlane::Sidecar, &REQUEST)
    };
    for (namespace, spec, applies) in [
        ("shop", json!({}), true),
        ("shop", selecting("web"), true),
        ("shop", selecting("db"), false),
        (ROOT, json!({}), true),
        (ROOT, selecting("web"), true),
        (ROOT, selecting("db"), false),
        ("other", json!({}), false),
        (
            "shop",
            json!({"targetRefs": [{"kind": "Gateway", "name": "g"}]}),
            false,
        ),
    ] {
        let access = asked(namespace, spec.clone());
        assert_eq!(how(&access).is_some(), applies, "{namespace} {spec}");
        assert_eq!(access == Access::Lets, !applies, "{namespace} {spec}");
    }
    let by_the_cluster = json!({"selector": {"matchLabels": {"pod-template-hash": "x"}}});
    assert!(is_unknown(&asked("shop", by_the_cluster)));
}

/// A policy that may not apply changes nothing where its answer is the others'.
#[test]
fn doubtful_policies() {
    let perhaps = |mut spec: Value| {
        spec["selector"] = json!({"matchLabels": {"pod-template-hash": "x"}});
        spec
    };
    assert_eq!(answer(&[perhaps(is_us())], &REQUEST), Access::Lets);
    assert_eq!(
        answer(&[is_us(), perhaps(json!({}))], &REQUEST),
        Access::Lets
    );
    assert!(is_unknown(&answer(
        &[json!({}), perhaps(is_us())],
        &REQUEST
    )));
    assert!(is_unknown(&answer(
        &[is_us(), perhaps(deny(is_us()))],
        &REQUEST
    )));
}

#[test]
fn a_refused_policy_is_absent_but_leaves_a_doubt() {
    let refused = json!({"action": "PERMIT"});
    assert!(is_unknown(&answer(
        std::slice::from_ref(&refused),
        &REQUEST
    )));
    assert_eq!(
        how(&answer(&[json!({}), refused], &REQUEST)),
        Some(Refusal::NothingAllowed)
    );
}

#[test]
fn dry_runs_and_two_versions() {
    let mut inventory = inventory(&[("shop", "a", json!({}))]);
    let pods = workload("shop", &[]);
    inventory.authorizations[0].dry_run = true;
    let asked = |inventory: &Inventory| asked_of(inventory, &pods, DataPlane::Sidecar, &REQUEST);
    assert_eq!(asked(&inventory), Access::Lets);
    inventory.authorizations[0].dry_run = false;
    let mut again = inventory.authorizations[0].clone();
    again.object.item = 7;
    inventory.authorizations.push(again);
    inventory.index_labels();
    assert!(how(&asked(&inventory)).is_some());
    inventory.authorizations[1].action = Action::Audit;
    inventory.index_labels();
    assert!(is_unknown(&asked(&inventory)));
}

/// authorization_test.go `TestAuthorizationPolicyRevisionFiltering`.
#[test]
fn a_policy_of_another_revision_is_not_read() {
    let mut inventory = inventory(&[("shop", "a", json!({}))]);
    inventory.authorizations[0].revision = Some("canary".to_owned());
    let asked = |inventory: &Inventory, pairs: &[(&str, &str)]| {
        let pods = workload("shop", pairs);
        asked_of(inventory, &pods, DataPlane::Sidecar, &REQUEST)
    };
    let of = |revision| [("istio.io/rev", revision)];
    assert!(how(&asked(&inventory, &of("canary"))).is_some());
    assert!(is_unknown(&asked(&inventory, &[("app", "web")])));
    // As long as no object shows that it is a revision, the name may be a tag for canary.
    assert!(is_unknown(&asked(&inventory, &of("stable"))));
    let object = workload("istio-system", &[]).object;
    inventory.control_planes = vec![ControlPlane::silent(object, "stable")];
    assert_eq!(asked(&inventory, &of("stable")), Access::Lets);
}

/// bundle_test.go: `cluster.local` is the mesh's own trust domain, whatever that is; for ztunnel it is a name like any other.
#[test]
fn trust_domains() {
    let asked = |domains: &[&str], plane: DataPlane, principal: &str| {
        let mut inventory = inventory(&[("shop", "a", from(json!({"principals": [principal]})))]);
        for (item, domain) in domains.iter().enumerate() {
            let mut object = workload("istio-system", &[]).object;
            object.item = item;
            let mut plane = ControlPlane::silent(object, "default");
            plane.trust_domain = Some((*domain).to_owned());
            inventory.control_planes.push(plane);
        }
        let mut pods = workload("shop", &[]);
        pods.labels = labels(&[("sidecar.istio.io/inject", "true")]);
        match asked_of(&inventory, &pods, plane, &REQUEST) {
            Access::Lets => Some(true),
            Access::Blocks { .. } => Some(false),
            Access::Unknown(_) => None,
        }
    };
    use DataPlane::{Ambient, Sidecar};
    let with = |domain: &str| format!("{domain}/ns/monitoring/sa/vmagent-main");
    let (local, corp, other) = (with("cluster.local"), with("corp"), with("other"));
    for (domains, plane, principal, lets) in [
        (&["corp"][..], Sidecar, local.as_str(), Some(true)),
        (&["corp"], Sidecar, &corp, Some(true)),
        (&["corp"], Sidecar, &other, Some(false)),
        (
            &["corp"],
            Sidecar,
            "cluster.local/ns/monitoring/*",
            Some(false),
        ),
        (&["corp"], Sidecar, "corp/ns/monitoring/*", Some(true)),
        (&["corp"], Ambient, &corp, Some(true)),
        (&["corp"], Ambient, &local, Some(false)),
        (&["corp", "other"], Sidecar, &local, Some(true)),
        (&["corp", "other"], Sidecar, &corp, None),
        (
            &["corp", "other"],
            Sidecar,
            "corp/ns/shop/sa/web",
            Some(false),
        ),
        (&[], Sidecar, &local, Some(true)),
        (&[], Sidecar, &corp, None),
        (&[], Sidecar, "corp/ns/shop/sa/web", Some(false)),
        (&[], Ambient, &corp, None),
    ] {
        assert_eq!(
            asked(domains, plane, principal),
            lets,
            "{domains:?} {plane:?} {principal}"
        );
    }
}

/// bundle_test.go `TestReplaceTrustDomainAliases`: every name of the mesh means the mesh.
#[test]
fn trust_domain_aliases() {
    let asked = |aliases: &[&[&str]], domain: Option<&str>, plane: DataPlane, principal: &str| {
        let mut inventory = inventory(&[("shop", "a", from(json!({"principals": [principal]})))]);
        for (item, aliases) in aliases.iter().enumerate() {
            let mut object = workload("istio-system", &[]).object;
            object.item = item;
            let mut plane = ControlPlane::silent(object, "default");
            plane.trust_domain = domain.map(str::to_owned);
            let aliases = aliases.iter().map(|alias| (*alias).to_owned());
            plane.trust_domain_aliases = Some(aliases.collect());
            inventory.control_planes.push(plane);
        }
        let pods = workload("shop", &[("sidecar.istio.io/inject", "true")]);
        match asked_of(&inventory, &pods, plane, &REQUEST) {
            Access::Lets => Some(true),
            Access::Blocks { .. } => Some(false),
            Access::Unknown(_) => None,
        }
    };
    use DataPlane::{Ambient, Sidecar};
    let with = |domain: &str| format!("{domain}/ns/monitoring/sa/vmagent-main");
    for (aliases, domain, plane, principal, lets) in [
        (
            &[&["old"][..]][..],
            Some("new"),
            Sidecar,
            with("old"),
            Some(true),
        ),
        (
            &[&["older", "old"]],
            Some("new"),
            Sidecar,
            with("old"),
            Some(true),
        ),
        (&[&["old"]], Some("new"), Sidecar, with("new"), Some(true)),
        (
            &[&["old"]],
            Some("new"),
            Sidecar,
            with("cluster.local"),
            Some(true),
        ),
        (
            &[&["old"]],
            Some("new"),
            Sidecar,
            with("other"),
            Some(false),
        ),
        (
            &[&["old-td"]],
            Some("new"),
            Sidecar,
            with("*-td"),
            Some(true),
        ),
        (
            &[&["old-td"]],
            Some("new"),
            Sidecar,
            with("old*"),
            Some(true),
        ),
        (
            &[&["old-td"]],
            Some("new"),
            Sidecar,
            with("*-foreign"),
            Some(false),
        ),
        (
            &[&["old"]],
            Some("new"),
            Sidecar,
            "old/ns/monitoring/sa/*".to_owned(),
            Some(true),
        ),
        (
            &[&["old"]],
            Some("new"),
            Sidecar,
            "old/ns/shop/sa/web".to_owned(),
            Some(false),
        ),
        // Not a whole identity: the name is compared as it is.
        (
            &[&["old"]],
            Some("new"),
            Sidecar,
            "old/ns/monitoring/*".to_owned(),
            Some(false),
        ),
        // An alias is one whatever the trust domain is called.
        (&[&["old"]], None, Sidecar, with("old"), Some(true)),
        (&[&["old"]], None, Sidecar, with("other"), None),
        // Objects that disagree about the aliases.
        (
            &[&["old"], &["older"]],
            Some("new"),
            Sidecar,
            with("old"),
            None,
        ),
        (
            &[&["old"], &["older"]],
            Some("new"),
            Sidecar,
            with("new"),
            Some(true),
        ),
        // ztunnel knows no aliases.
        (&[&["old"]], Some("new"), Ambient, with("old"), Some(false)),
    ] {
        assert_eq!(
            asked(aliases, domain, plane, &principal),
            lets,
            "{aliases:?} {domain:?} {plane:?} {principal}"
        );
    }
}
