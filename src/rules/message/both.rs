//! What does a person read about an endpoint some of whose targets want mutual TLS and some plain text?
//!
//! Authority: ourselves. The wording is no promise.
//! Departs from nothing.
//! Knows: the decision and what it rests on. Does not know: how the rules are found.

use json_patch::PatchOperation;

use super::super::decision::{Demand, Step};
use super::super::demand::{Aside, Judged};
use super::super::scheme_rule::SchemeRule;
use super::{Subject, evidence};
use crate::config::TargetsMixed;

/// Who of an endpoint's targets wants what, where some want the one and some the other.
pub(super) fn both_sides(judged: &[Judged]) -> Option<String> {
    let strict = evidence(judged, &[Demand::MutualTls, Demand::MutualTlsIfInjected]);
    let plain = evidence(judged, &[Demand::Plain]);
    (!strict.is_empty() && !plain.is_empty()).then(|| {
        format!("some targets accept only mutual TLS ({strict}), others only plain text ({plain})")
    })
}

/// What a person reads about an endpoint with targets of both kinds.
pub(super) fn mixed(subject: &Subject<'_>) -> String {
    let Some(both) = both_sides(subject.judged) else {
        return subject.obstacle.unwrap_or_default().to_owned();
    };
    match (subject.obstacle, subject.config.targets_mixed) {
        (None, _) => format!(
            "{both}: certificates in {}, and https chosen for each target by {}",
            subject.directory.unwrap_or_default(),
            chosen_by(subject.steps)
        ),
        (Some(""), TargetsMixed::Refuse) => {
            format!("{both}: refused, because targets.mixed is \"refuse\"; split the endpoint")
        }
        (Some(""), TargetsMixed::Keep | TargetsMixed::Relabel) => format!(
            "{both}: left as it is, because targets.mixed is \"keep\"; split the endpoint, or give its ports one mode"
        ),
        (Some(obstacle), TargetsMixed::Refuse) => {
            format!("{both}: refused, because {obstacle}, and targets.mixed is \"refuse\"")
        }
        (Some(obstacle), TargetsMixed::Keep | TargetsMixed::Relabel) => format!(
            "{both}: left as it is, because {obstacle}; {}",
            way_out(subject.judged)
        ),
    }
}

/// What to do where no rule of ours can choose. Replicas that meet each other are one endpoint however it is split.
fn way_out(judged: &[Judged]) -> &'static str {
    let own_pod = |judged: &Judged| judged.aside == Some(Aside::OwnPod);
    match judged.iter().any(own_pod) {
        true => {
            "make the scraper's port PERMISSIVE with portLevelMtls, or take it out of the mesh with \
             traffic.sidecar.istio.io/excludeInboundPorts"
        }
        false => "split the endpoint, or give its ports one mode",
    }
}

/// What the rules in the steps look at: `their port`, `their namespace and their port`.
fn chosen_by(steps: &[Step]) -> String {
    let values = steps.iter().filter_map(|step| match step {
        Step::Op(PatchOperation::Add(add)) => Some(&add.value),
        Step::Op(PatchOperation::Replace(replace)) => Some(&replace.value),
        Step::Op(_) | Step::Inside { .. } => None,
    });
    let rules = values.flat_map(|value| match value.as_array() {
        Some(list) => list.iter().collect(),
        None => vec![value],
    });
    let signs = rules
        .filter_map(SchemeRule::read)
        .flat_map(|rule| rule.signs);
    let words: Vec<String> = signs.map(|sign| sign.in_words()).collect();
    match words.is_empty() {
        true => "the rules that it has".to_owned(),
        false => words.join(" and "),
    }
}
