//! Does the injector decide as Istio's own tests say?
//!
//! Authority: istio/istio pkg/kube/inject/webhook_test.go `TestInjectRequired`.
//! Departs from it: cases without an upstream row follow inject.go; unknown set-ups are ours.
//! Knows: one workload, an injector's set-up. Does not know: who asks the injector.

use super::*;
use crate::policy::fixture::{labels, workload};

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

/// apimachinery `LabelSelectorAsSelector`: values where none belong, or none where some do, are an error.
#[test]
fn selectors_that_the_api_cannot_convert_are_skipped() {
    let always = |operator, values: &[&str]| Injector {
        always: by_expression("app", operator, values),
        ..DISABLED
    };
    let pod = [("app", "web")];
    assert!(required(&always("Exists", &[]), &pod, &[]));
    assert!(!required(&always("Exists", &["web"]), &pod, &[]));
    assert!(!required(&always("NotIn", &[]), &pod, &[]));
    assert!(required(&always("NotIn", &["db"]), &pod, &[]));
}

mod unknown_set_ups {
    use super::*;

    fn unknown<T>(what: &str) -> Fact<T> {
        Fact::unknown(what)
    }

    fn answer(injector: &InjectorSettings, pod: &[(&str, &str)]) -> (Option<bool>, Vec<String>) {
        let fact = injects(injector, &workload("shop", pod));
        (fact.value, fact.because)
    }

    #[test]
    fn an_unknown_policy_matters_to_pods_that_nothing_else_decides_about() {
        let injector = InjectorSettings {
            policy: unknown("policy?"),
            ..InjectorSettings::from(&Injector {
                never: by_label("app", "never"),
                always: by_label("app", "always"),
                ..Injector::default()
            })
        };
        assert_eq!(answer(&injector, &[("app", "never")]).0, Some(false));
        assert_eq!(answer(&injector, &[("app", "always")]).0, Some(true));
        assert_eq!(answer(&injector, &[(INJECT, "true")]).0, Some(true));
        let open = (None, vec!["policy?".to_owned()]);
        assert_eq!(answer(&injector, &[("app", "web")]), open);
    }

    #[test]
    fn unknown_selectors_matter_where_they_would_change_the_answer() {
        let with = |enabled| {
            InjectorSettings::from(&Injector {
                enabled,
                ..DISABLED
            })
        };
        let never = |enabled| InjectorSettings {
            never: unknown("never?"),
            ..with(enabled)
        };
        assert_eq!(answer(&never(true), &[]), (None, vec!["never?".to_owned()]));
        assert_eq!(answer(&never(false), &[]).0, Some(false));
        let always = |enabled| InjectorSettings {
            always: unknown("always?"),
            ..with(enabled)
        };
        assert_eq!(answer(&always(true), &[]).0, Some(true));
        assert_eq!(
            answer(&always(false), &[]),
            (None, vec!["always?".to_owned()])
        );
    }

    #[test]
    fn what_decides_against_the_default_is_named() {
        let injector = InjectorSettings::from(&DISABLED);
        let own = "Deployment shop/web: label sidecar.istio.io/inject=true";
        let asks = [(INJECT, "true")];
        assert_eq!(answer(&injector, &asks), (Some(true), vec![own.to_owned()]));
        let default = InjectorSettings::from(&Injector::default());
        assert_eq!(answer(&default, &asks), (Some(true), Vec::new()));
        let nonsense = InjectorSettings {
            policy: Fact::proven("off".to_owned(), "policy"),
            ..default
        };
        let (value, because) = answer(&nonsense, &asks);
        assert_eq!(value, Some(false));
        assert_eq!(
            because,
            [
                "policy is off".to_owned(),
                format!("{own} does not help there")
            ]
        );
    }
}
