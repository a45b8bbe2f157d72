use std::slice;

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::model::read;
use crate::policy::DataPlane;

/// Pods with these labels in a namespace, a port of theirs, and whether they have a sidecar.
fn target(
    namespace: &str,
    labels: &[(&str, &str)],
    port: Option<u16>,
    plane: Option<DataPlane>,
) -> Signs {
    let labels: serde_json::Map<_, _> = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {},
        "metadata": {"name": "demo", "namespace": namespace, "labels": labels}});
    let inventory = read([(0, &pod)], &Config::default());
    Signs::of_pods(&inventory.workloads[0], port, plane)
}

const SIDECAR: Option<DataPlane> = Some(DataPlane::Sidecar);
const OUTSIDE: Option<DataPlane> = Some(DataPlane::None);

fn regex(strict: &[Signs], plain: &[Signs]) -> Result<(Vec<String>, String), Alike> {
    let rule = rule(strict, plain)?;
    let sources = rule.signs.iter().map(Sign::source_label).collect();
    let regex = rule.written()["regex"].as_str().expect("a text").to_owned();
    Ok((sources, regex))
}

fn told(strict: &[Signs], plain: &[Signs]) -> String {
    let (sources, regex) = regex(strict, plain).expect("a rule");
    let short = |source: &String| {
        source
            .replace("__meta_kubernetes_", "")
            .replace("pod_label_", "")
    };
    format!(
        "{} {regex}",
        sources.iter().map(short).collect::<Vec<_>>().join(",")
    )
}

#[test]
fn injection_comes_before_port_before_namespace_before_label() {
    let at = |namespace, app, port, plane| target(namespace, &[("app", app)], Some(port), plane);
    let strict = at("shop", "a", 1, SIDECAR);
    assert_eq!(
        told(slice::from_ref(&strict), &[at("pay", "b", 2, OUTSIDE)]),
        "security_istio_io_tlsMode istio"
    );
    assert_eq!(
        told(slice::from_ref(&strict), &[at("pay", "b", 2, SIDECAR)]),
        "__address__ .*:1"
    );
    assert_eq!(
        told(slice::from_ref(&strict), &[at("pay", "b", 1, SIDECAR)]),
        "namespace shop"
    );
    assert_eq!(told(&[strict], &[at("shop", "b", 1, SIDECAR)]), "app a");
}

#[test]
fn two_signs_where_one_is_not_enough() {
    let at = |namespace, port| target(namespace, &[], Some(port), SIDECAR);
    assert_eq!(
        told(
            &[at("shop", 1), at("shop", 2)],
            &[at("shop", 3), at("pay", 1)]
        ),
        "namespace,__address__ shop;.*:(1|2)"
    );
    assert_eq!(
        told(
            &[at("shop", 1), at("pay", 2)],
            &[at("shop", 2), at("pay", 1)]
        ),
        "namespace,__address__ (pay;.*:2|shop;.*:1)"
    );
}

#[test]
fn three_signs_where_two_are_not_enough() {
    let at = |namespace, app, port| target(namespace, &[("app", app)], Some(port), SIDECAR);
    let plain = [at("pay", "a", 1), at("shop", "b", 1), at("shop", "a", 2)];
    assert_eq!(
        told(&[at("shop", "a", 1)], &plain),
        "namespace,app,__address__ shop;a;.*:1"
    );
}

#[test]
fn more_than_three_signs_are_too_many() {
    let at = |a, b, c, port| target("shop", &[("a", a), ("b", b), ("c", c)], Some(port), SIDECAR);
    let plain = [
        at("2", "1", "1", 1),
        at("1", "2", "1", 1),
        at("1", "1", "2", 1),
        at("1", "1", "1", 2),
    ];
    assert_eq!(rule(&[at("1", "1", "1", 1)], &plain), Err(Alike::Entangled));
}

#[test]
fn labels_that_a_release_changes_come_last() {
    let at = |labels: &[(&str, &str)]| target("shop", labels, Some(1), SIDECAR);
    assert_eq!(
        told(
            &[at(&[("app.kubernetes.io/version", "1.2"), ("zone", "a")])],
            &[at(&[("app.kubernetes.io/version", "1.3"), ("zone", "b")])]
        ),
        "zone a"
    );
    assert_eq!(
        told(&[at(&[("version", "1.2")])], &[at(&[("version", "1.3")])]),
        "version 1\\.2"
    );
}

#[test]
fn a_label_that_is_there_comes_before_one_that_is_missing() {
    let at = |labels: &[(&str, &str)]| target("shop", labels, Some(1), SIDECAR);
    let plain = [at(&[("legacy", "yes"), ("x", "b")])];
    assert_eq!(told(&[at(&[("x", "a")])], &plain), "x a");
    assert_eq!(told(&[at(&[("x", "b")])], &plain), "legacy ()");
}

#[test]
fn what_is_not_known_may_be_anything() {
    let bare = target("shop", &[], None, SIDECAR);
    let strict = target("shop", &[], Some(1), SIDECAR);
    assert_eq!(
        rule(slice::from_ref(&strict), slice::from_ref(&bare)),
        Err(Alike::Pair(0, 0))
    );
    assert_eq!(
        rule(&[bare], slice::from_ref(&strict)),
        Err(Alike::Pair(0, 0))
    );
    let elsewhere = target("pay", &[], None, SIDECAR);
    assert_eq!(told(&[strict], &[elsewhere]), "namespace shop");
}

/// The unknown port of one plain target does not keep ports from telling the others.
#[test]
fn a_sign_that_is_unknown_of_one_may_still_tell_another() {
    let at = |namespace, port| target(namespace, &[], port, SIDECAR);
    assert_eq!(
        told(
            &[at("shop", Some(1))],
            &[at("shop", Some(2)), at("pay", None)]
        ),
        "namespace,__address__ shop;.*:1"
    );
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("small")
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn target(&mut self) -> Signs {
        let mut labels = Vec::new();
        for key in ["app", "tier", "zone"] {
            match self.below(4) {
                0 => {}
                value => labels.push((key, ["", "a", "b", "c"][value])),
            }
        }
        let namespace = self.one(&["shop", "pay"]);
        let port = self.one(&[Some(1), Some(2), Some(3), None]);
        target(
            namespace,
            &labels,
            port,
            self.one(&[SIDECAR, SIDECAR, OUTSIDE]),
        )
    }
}

/// Whether looking at these signs tells every strict target from every plain one, pair by pair.
fn is_enough(signs: &[&Sign], strict: &[Signs], plain: &[Signs]) -> bool {
    let known = |target: &Signs| signs.iter().all(|sign| target.value(sign).is_some());
    let differ = |a: &Signs, b: &Signs| {
        let mut said = signs.iter().map(|sign| (a.value(sign), b.value(sign)));
        said.any(|(a, b)| b.is_some() && a != b)
    };
    strict.iter().all(known) && strict.iter().all(|a| plain.iter().all(|b| differ(a, b)))
}

/// On small draws every set of signs is tried: the rule is exact, no smaller set is, and where there is no rule no set is.
#[test]
fn rules_are_exact_and_no_smaller_set_of_signs_is() {
    let all: Vec<Sign> = [Sign::Injected, Sign::Namespace, Sign::Port]
        .into_iter()
        .chain(["app", "tier", "zone"].map(|name| Sign::Label(name.to_owned())))
        .collect();
    let mut random = Random(0x5eed_1234_abcd);
    let mut sizes = [0_usize; 5];
    for _ in 0..4000 {
        let (strict, plain) = (1 + random.below(3), 1 + random.below(4));
        let strict: Vec<_> = (0..strict).map(|_| random.target()).collect();
        let plain: Vec<_> = (0..plain).map(|_| random.target()).collect();
        let smallest = (1_u32..1 << all.len())
            .map(|mask| (0..all.len()).filter(|at| mask & (1 << at) != 0).collect())
            .filter(|chosen: &Vec<usize>| {
                let signs: Vec<_> = chosen.iter().map(|at| &all[*at]).collect();
                is_enough(&signs, &strict, &plain)
            })
            .map(|chosen| chosen.len())
            .min();
        match rule(&strict, &plain) {
            Ok(rule) => {
                assert_eq!(Some(rule.signs.len()), smallest, "{strict:?} {plain:?}");
                assert!(strict.iter().all(|one| rule.chooses(one) == Some(true)));
                assert!(plain.iter().all(|one| rule.chooses(one) == Some(false)));
                assert_eq!(SchemeRule::read(&rule.written()).as_ref(), Some(&rule));
                sizes[rule.signs.len()] += 1;
            }
            Err(Alike::Entangled) => {
                assert!(smallest.is_none_or(|size| size > MOST_SIGNS));
                sizes[4] += 1;
            }
            Err(Alike::Pair(a, b)) => {
                let signs: Vec<_> = all.iter().collect();
                assert_eq!(smallest, None);
                assert!(!is_enough(&signs, &strict, &plain), "{a} {b}");
                sizes[0] += 1;
            }
        }
    }
    // The draws are worth something: rules of every size, and none.
    assert!(sizes[..4].iter().all(|count| *count > 20), "{sizes:?}");
}
