//! Does the chain tell who decides, who lost, and why?

use MtlsMode::{Disable, Permissive, Strict};

use super::*;
use crate::model::ControlPlane;
use crate::policy::fixture::{ROOT, inventory, mesh, namespace, policy, workload};
use crate::policy::{Mesh, mode};

const OLDER: &str = "2023-12-31T23:59:59Z";
const NEWER: &str = "2024-01-01T00:00:00Z";
const WEB: &[(&str, &str)] = &[("app", "web")];

/// `level name says part` of each link on port 8080.
fn told(policies: Vec<PeerAuthentication>) -> Vec<String> {
    let inventory = inventory(Vec::new(), policies);
    chain_of(&mesh(&inventory))
}

fn chain_of(mesh: &Mesh<'_>) -> Vec<String> {
    mode(mesh, &workload("shop", WEB), Some(8080))
        .chain
        .iter()
        .map(|link| {
            let policy = link.policy.as_deref().unwrap_or("-");
            let name = policy.strip_prefix("PeerAuthentication ").unwrap_or(policy);
            let (level, part) = (link.level.name(), link.part.name());
            format!("{level} {name} {} {part}", link.mode())
        })
        .collect()
}

#[test]
fn nothing_leaves_istios_default() {
    assert_eq!(told(vec![]), ["default - PERMISSIVE decides"]);
}

#[test]
fn unset_inherits_up_to_the_mesh() {
    assert_eq!(
        told(vec![
            policy(ROOT, "default", None),
            policy("shop", "default", None),
            policy("shop", "web", None).selecting(WEB).port(8080, None),
        ]),
        [
            "port shop/web UNSET inherits",
            "workload shop/web UNSET inherits",
            "namespace shop/default UNSET inherits",
            "mesh root-namespace/default UNSET decides",
        ]
    );
}

#[test]
fn the_narrowest_decides_and_overrides_the_others() {
    assert_eq!(
        told(vec![
            policy(ROOT, "default", Some(Strict)),
            policy("shop", "default", None),
            policy("shop", "web", Some(Permissive))
                .selecting(WEB)
                .port(8080, Some(Disable)),
        ]),
        [
            "port shop/web DISABLE decides",
            "workload shop/web PERMISSIVE overridden",
            "namespace shop/default UNSET overridden",
            "mesh root-namespace/default STRICT overridden",
        ]
    );
}

#[test]
fn the_younger_one_loses_with_its_ports() {
    assert_eq!(
        told(vec![
            policy("shop", "a", Some(Strict))
                .selecting(WEB)
                .port(8080, Some(Disable))
                .created(NEWER),
            policy("shop", "b", Some(Strict))
                .selecting(WEB)
                .created(OLDER),
        ]),
        ["workload shop/b STRICT decides", "port shop/a DISABLE lost",]
    );
}

#[test]
fn without_dates_the_smaller_name_is_taken_to_win() {
    let inventory = inventory(
        Vec::new(),
        vec![
            policy("shop", "b", Some(Strict)),
            policy("shop", "a", Some(Permissive)),
        ],
    );
    let chain = mode(&mesh(&inventory), &workload("shop", WEB), Some(8080)).chain;
    let why: Vec<_> = chain.iter().map(|link| link.why.as_str()).collect();
    assert_eq!(
        why,
        [
            "taken as the oldest of its level, by its name",
            "shop/a is taken as older, by its name"
        ]
    );
}

#[test]
fn what_decides_only_for_some_ports_is_possible() {
    let inventory = inventory(
        Vec::new(),
        vec![
            policy(ROOT, "default", Some(Strict)),
            policy("shop", "web", None)
                .selecting(WEB)
                .port(80, Some(Disable)),
        ],
    );
    let chain = mode(&mesh(&inventory), &workload("shop", WEB), None).chain;
    let told: Vec<_> = chain.iter().map(|link| (link.level, link.part)).collect();
    assert_eq!(
        told,
        [
            (Rung::Port, Part::Possible),
            (Rung::Workload, Part::Inherits),
            (Rung::Mesh, Part::Possible),
        ]
    );
}

#[test]
fn what_istio_passes_over_is_told_too() {
    assert_eq!(
        told(vec![
            policy(ROOT, "web", Some(Strict)).selecting(WEB),
            policy(ROOT, "db", Some(Strict)).selecting(&[("app", "db")]),
            policy("shop", "default", Some(Permissive)),
        ]),
        [
            "workload root-namespace/web STRICT ignored",
            "namespace shop/default PERMISSIVE decides",
        ]
    );
}

#[test]
fn a_policy_for_another_revision_is_ignored() {
    let other = PeerAuthentication {
        revision: Some("1-21".to_owned()),
        ..policy("shop", "other", Some(Permissive))
    };
    let mut inventory = inventory(
        vec![namespace("shop", &[("istio.io/rev", "1-20")])],
        vec![other, policy("shop", "own", Some(Strict))],
    );
    // Nothing shows that 1-20 is no tag for 1-21.
    assert_eq!(
        chain_of(&mesh(&inventory)),
        [
            "namespace shop/own STRICT possible",
            "namespace shop/other PERMISSIVE possible",
        ]
    );
    let plane = ControlPlane::silent(namespace("plane", &[]).object, "1-20");
    inventory.control_planes.push(plane);
    assert_eq!(
        chain_of(&mesh(&inventory)),
        [
            "namespace shop/own STRICT decides",
            "namespace shop/other PERMISSIVE ignored",
        ]
    );
}

#[test]
fn where_a_doubtful_policy_matters_nothing_decides() {
    assert_eq!(
        told(vec![
            policy(ROOT, "default", Some(Strict)),
            policy("shop", "default", Some(Permissive)).refused("no such mode"),
        ]),
        [
            "namespace shop/default PERMISSIVE refused",
            "mesh root-namespace/default STRICT possible",
        ]
    );
    assert_eq!(
        told(vec![
            policy(ROOT, "default", Some(Strict)),
            policy("shop", "web", Some(Strict)).selecting(WEB),
            policy("shop", "default", Some(Permissive)).refused("no such mode"),
        ]),
        [
            "workload shop/web STRICT decides",
            "namespace shop/default PERMISSIVE refused",
            "mesh root-namespace/default STRICT overridden",
        ]
    );
}
