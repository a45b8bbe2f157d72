//! Does the injector, once it is asked about a pod, inject?
//!
//! Authority: istio/istio pkg/kube/inject/inject.go `injectRequired`; pkg/kube/inject/initializer.go `IgnoredNamespaces`.
//! Departs from it: its policy and its two selectors can each be unknown; what they leave open then is unknown too.
//! Knows: labels, annotations, what the injector is configured with. Does not know: who asks it, Namespaces.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::settings::alike;
use super::webhook::{INJECT, own_say};
use super::{Fact, named};
use crate::model::LabelSelector;
use crate::model::{Labels, Workload, selects};

/// How the injector is set up (ConfigMap `istio-sidecar-injector`, key `config`).
#[derive(Debug, Clone, PartialEq)]
pub struct Injector {
    /// `policy: enabled`: pods without a say of their own are injected.
    pub enabled: bool,
    /// `neverInjectSelector`: pods that match one are left alone.
    pub never: Vec<LabelSelector>,
    /// `alwaysInjectSelector`: pods that match one are injected.
    pub always: Vec<LabelSelector>,
}

impl Default for Injector {
    /// As the chart installs it.
    fn default() -> Self {
        Self {
            enabled: true,
            never: Vec::new(),
            always: Vec::new(),
        }
    }
}

/// What is known of the set-up of an injector, part by part.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectorSettings {
    /// `policy`, as spelled.
    pub policy: Fact<String>,
    /// `neverInjectSelector`
    pub never: Fact<Vec<LabelSelector>>,
    /// `alwaysInjectSelector`
    pub always: Fact<Vec<LabelSelector>>,
}

impl InjectorSettings {
    /// What holds whichever of two it is.
    pub(super) fn in_common(self, other: &Self) -> Self {
        Self {
            policy: alike(self.policy, &other.policy),
            never: alike(self.never, &other.never),
            always: alike(self.always, &other.always),
        }
    }
}

impl From<&Injector> for InjectorSettings {
    fn from(injector: &Injector) -> Self {
        let policy = match injector.enabled {
            true => "enabled",
            false => "disabled",
        };
        Self {
            policy: Fact::proven(policy.to_owned(), "policy"),
            never: Fact::proven(injector.never.clone(), "neverInjectSelector"),
            always: Fact::proven(injector.always.clone(), "alwaysInjectSelector"),
        }
    }
}

/// Namespaces whose pods are never injected (`IgnoredNamespaces`).
pub(super) const IGNORED_NAMESPACES: &[&str] = &[
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// Gate 2: whether the injector, once asked, injects (webhook_test.go `TestInjectRequired`).
pub fn injection_required(injector: &Injector, namespace: &str, pods: &Workload) -> bool {
    !pods.host_network
        && !IGNORED_NAMESPACES.contains(&namespace)
        && injects(&injector.into(), pods).value == Some(true)
}

/// What the injector makes of pods outside the namespaces that it ignores. The evidence names what
/// decided against its default, which is to inject.
pub(super) fn injects(injector: &InjectorSettings, pods: &Workload) -> Fact<bool> {
    let own = own_say(pods).map(|(place, value)| {
        let because = format!("{}: {place} {INJECT}={value}", named(&pods.object));
        (value, because)
    });
    match own {
        Some(("false", because)) => Fact::proven(false, because),
        // Even pods that ask for a sidecar get none from an injector with a policy that it does not know.
        own if injector.policy.value.as_deref().is_some_and(is_nonsense) => {
            let why = own.map(|(_, because)| format!("{because} does not help there"));
            let mut fact = by_policy(injector);
            fact.because.extend(why);
            fact
        }
        Some(("true", because)) => match unasked(injector, pods).value {
            // What everybody gets needs no words.
            Some(true) => Fact {
                because: Vec::new(),
                ..Fact::proven(true, because)
            },
            Some(false) | None => Fact::proven(true, because),
        },
        Some(_) | None => unasked(injector, pods),
    }
}

/// What happens to pods that say nothing valid themselves.
fn unasked(injector: &InjectorSettings, pods: &Workload) -> Fact<bool> {
    let by_always = match matching(&injector.always, pods) {
        Some(true) => selected(&injector.always, true),
        Some(false) => by_policy(injector),
        None if by_policy(injector).value == Some(true) => by_policy(injector),
        None => open(&injector.always),
    };
    match matching(&injector.never, pods) {
        Some(true) => selected(&injector.never, false),
        Some(false) => by_always,
        None if by_always.value == Some(false) => by_always,
        None => open(&injector.never),
    }
}

/// Whether one of the selectors matches the pods; `None`: the selectors are not known.
fn matching(selectors: &Fact<Vec<LabelSelector>>, pods: &Workload) -> Option<bool> {
    let selectors = selectors.value.as_ref()?;
    Some(
        selectors
            .iter()
            .any(|selector| matches(selector, &pods.labels)),
    )
}

/// What happens to pods that no selector selects.
fn by_policy(injector: &InjectorSettings) -> Fact<bool> {
    let setting = &injector.policy;
    match setting.value.as_deref() {
        Some("enabled") => Fact {
            value: Some(true),
            proven: setting.proven,
            because: Vec::new(),
        },
        Some(policy) => said(setting, false, &format!("is {policy}")),
        None => open(setting),
    }
}

fn selected<T>(setting: &Fact<T>, value: bool) -> Fact<bool> {
    said(setting, value, "selects these pods")
}

fn said<T>(setting: &Fact<T>, value: bool, what: &str) -> Fact<bool> {
    let lines = setting.because.iter();
    Fact {
        value: Some(value),
        proven: setting.proven,
        because: lines.map(|line| format!("{line} {what}")).collect(),
    }
}

fn open<T>(setting: &Fact<T>) -> Fact<bool> {
    Fact {
        value: None,
        proven: false,
        because: setting.because.clone(),
    }
}

/// The injector logs such a policy and injects nobody.
fn is_nonsense(policy: &str) -> bool {
    !matches!(policy, "enabled" | "disabled")
}

/// Kubernetes' label selectors, but an empty one matches nothing, and one that the API could not convert is skipped.
fn matches(selector: &LabelSelector, labels: &Labels) -> bool {
    let labels_wanted = selector.match_labels.iter().flatten().count();
    let mut expressions = selector.match_expressions.iter().flatten().peekable();
    (labels_wanted > 0 || expressions.peek().is_some())
        && expressions.all(is_valid)
        && selects(selector, labels)
}

/// apimachinery pkg/labels/selector.go `NewRequirement`.
fn is_valid(expression: &LabelSelectorRequirement) -> bool {
    let lists_values = expression.values.iter().flatten().next().is_some();
    match expression.operator.as_str() {
        "In" | "NotIn" => lists_values,
        "Exists" | "DoesNotExist" => !lists_values,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
