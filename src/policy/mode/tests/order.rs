//! Which of several policies of one level counts?

use super::*;

#[test]
fn undated_policies_that_disagree_are_undecided() {
    let mode = of_web(vec![
        policy("shop", "b", Some(Strict)),
        policy("shop", "a", Some(Permissive)),
    ]);
    assert_eq!(
        (mode.fact.value, mode.fact.proven),
        (Some(Permissive), false)
    );
    assert_eq!(
        mode.fact.because,
        [
            "PeerAuthentication shop/a: PERMISSIVE",
            "PeerAuthentication shop/b: STRICT may be older"
        ]
    );
    let [undecided] = &mode.undecided[..] else {
        panic!("{:?}", mode.undecided)
    };
    assert_eq!(
        (undecided.level, undecided.chosen.name.as_str()),
        (Level::Namespace, "a")
    );
    assert_eq!(names(undecided), ["a", "b"]);
}

#[test]
fn undated_policies_that_agree_on_the_port_are_fine() {
    let one = policy("shop", "a", Some(Permissive))
        .selecting(WEB)
        .port(8080, Some(Strict));
    let two = policy("shop", "b", Some(Strict)).selecting(&[("app", "web")]);
    let policies = || vec![one.clone(), two.clone()];
    let mode = of_web(policies());
    assert_eq!(
        (mode.fact.value, mode.fact.proven, mode.undecided.len()),
        (Some(Strict), true, 0)
    );
    assert_eq!(
        on_port(policies(), &workload("shop", WEB), Some(80))
            .undecided
            .len(),
        1
    );
}

#[test]
fn a_narrower_policy_makes_the_order_irrelevant() {
    let mode = of_web(vec![
        policy("shop", "b", Some(Strict)),
        policy("shop", "a", Some(Permissive)),
        policy("shop", "web", Some(Strict)).selecting(WEB),
    ]);
    assert_eq!(
        (mode.fact.value, mode.fact.proven, mode.undecided.len()),
        (Some(Strict), true, 0)
    );
}

#[test]
fn one_undated_policy_leaves_the_order_open() {
    let mode = of_web(vec![
        policy("shop", "a", Some(Strict)).created(NEWER),
        policy("shop", "b", Some(Disable)).created(OLDER),
        policy("shop", "c", Some(Permissive)),
    ]);
    assert_eq!(
        names(&mode.undecided[0]),
        ["b", "c"],
        "a is younger than b, whatever c is"
    );
}

#[test]
fn the_same_object_twice_counts_once() {
    let mode = of_web(vec![
        policy("shop", "a", Some(Strict)),
        policy("shop", "a", Some(Strict)).created(OLDER),
    ]);
    assert_eq!(
        mode.fact,
        Fact::proven(Strict, "PeerAuthentication shop/a: STRICT")
    );
}

#[test]
fn of_two_copies_the_dated_one_tells_the_age() {
    let mode = of_web(vec![
        policy("shop", "a", Some(Strict)),
        policy("shop", "a", Some(Strict)).created(OLDER),
        policy("shop", "b", Some(Disable)).created(NEWER),
    ]);
    assert_eq!((mode.fact.value, mode.fact.proven), (Some(Strict), true));
}

#[test]
fn a_version_that_may_not_be_there_outlives_nobody() {
    let mode = of_web(vec![
        policy("shop", "a", Some(Strict)).created(OLDER),
        policy("shop", "a", Some(Disable)).created("2024-01-01T00:00:01Z"),
        policy("shop", "c", Some(Permissive)).created(NEWER),
    ]);
    assert_eq!(
        names(&mode.undecided[0]),
        ["a", "c"],
        "the younger version loses to c, the older may not exist"
    );
}

#[test]
fn two_versions_of_an_object_are_a_conflict() {
    let versions = vec![
        policy("shop", "a", Some(Strict)).created(NEWER),
        policy("shop", "a", Some(Disable)).created(OLDER),
    ];
    let mode = of_web(versions);
    assert!(!mode.fact.proven);
    assert_eq!(
        names(&mode.undecided[0]),
        ["a", "a"],
        "their dates do not tell which one is in the cluster"
    );
}

#[test]
fn two_versions_at_different_levels_make_the_mode_unknown() {
    let mode = of_web(vec![
        policy("shop", "a", Some(Strict)),
        policy("shop", "a", Some(Strict)).selecting(&[("app", "db")]),
    ]);
    assert_eq!(mode.fact.value, None);
    assert_eq!(
        mode.fact.because[0],
        "PeerAuthentication shop/a: STRICT, unless its other version in the input counts"
    );
}
