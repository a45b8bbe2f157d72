//! What is wrong with Istio's certificates of an endpoint that is kept as it is all the same?
//!
//! Authority: operator `TLSConfig.Validate` for what stands beside files; the endpoint table for what keeps an endpoint.
//! Departs from nothing: nothing that is not Istio's is removed, so what only a removal would set right is said.
//! Knows: how an endpoint is written, the change that would set it right. Does not know: targets, policies.

use json_patch::PatchOperation;
use serde_json::Value;

use super::Rule;
use super::decision::{Now, Step};
use super::obstacle::{self, Blocked};
use super::relabel;
use super::view::Scraping;
use super::written::Effective;
use crate::config::Config;

/// What is wrong with the certificates of an endpoint of whose targets too little is known to change anything.
pub(super) fn while_unknown(
    scraping: &Scraping<'_>,
    effective: &Effective<'_>,
    rule: Rule,
    config: &Config,
) -> Option<Blocked> {
    if !matches!(rule, Rule::TargetUnknown | Rule::InjectionUnknown) {
        return None;
    }
    let directory = obstacle::directory(scraping, config).ok()?;
    let steps = match effective.now() {
        Now::MutualTls => effective.towards_mutual_tls(&directory),
        Now::PerTarget => {
            // Which rules are right is what nobody says: those that are there.
            let rules: Vec<Value> = relabel::ours(scraping.endpoint)
                .map(|(written, _)| written.clone())
                .collect();
            effective.towards_per_target(&directory, &rules)
        }
        Now::Plain | Now::Own => return None,
    };
    let mut wrong = wrong(&steps, effective);
    if rule == Rule::InjectionUnknown {
        // Which scheme is right is what nobody says.
        wrong.retain(|field| !field.starts_with("scheme "));
    }
    (!wrong.is_empty()).then(|| Blocked {
        rule: Rule::TlsNeedsRepair,
        why: wrong.join("; "),
    })
}

/// What would have to be removed before the certificates can be set right.
pub(super) fn beside_the_files(effective: &Effective<'_>, steps: &[Step]) -> Option<Blocked> {
    let rivals = effective.rivals();
    if rivals.is_empty() || !matches!(effective.now(), Now::MutualTls | Now::PerTarget) {
        return None;
    }
    let mut why = vec![format!(
        "tlsConfig holds {}, which is not Istio's and stands where a file of Istio's has to: remove it by hand",
        rivals.join(" and ")
    )];
    why.extend(wrong(steps, effective));
    Some(Blocked {
        rule: Rule::TlsNeedsRepair,
        why: why.join("; "),
    })
}

/// What an endpoint on plain ports would lose that is not Istio's.
pub(super) fn among_others(effective: &Effective<'_>) -> Option<Blocked> {
    if effective.is_completed_by_class() {
        return Some(Blocked {
            rule: Rule::StaleTlsSuspected,
            why: "its own tlsConfig names none of Istio's files, a scrape class adds them: whether its https is meant for Istio or \
                  for a server with TLS of its own nobody says; write the scheme that its targets serve, and give it a scrape \
                  class without Istio's files"
                .to_owned(),
        });
    }
    let others = effective.of_others();
    (effective.names_files() && !others.is_empty()).then(|| Blocked {
        rule: Rule::StaleTlsSuspected,
        why: format!(
            "tlsConfig holds {} besides, which {} not Istio's: nothing is removed; take Istio's files out by hand",
            others.join(" and "),
            if others.len() == 1 { "is" } else { "are" }
        ),
    })
}

/// Each field that `steps` would write, with what it is and what it should be.
fn wrong(steps: &[Step], effective: &Effective<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for step in steps {
        let (at, value) = match step {
            Step::Op(PatchOperation::Add(add)) => (&add.path, &add.value),
            Step::Op(PatchOperation::Replace(replace)) => (&replace.path, &replace.value),
            Step::Op(_) | Step::Inside { .. } => continue,
        };
        let field = at.last().map(|token| token.decoded().into_owned());
        let Some(field) = field else { continue };
        let present = match field.as_str() {
            "scheme" => effective.scheme(),
            field => effective.tls_field(field).map(shown),
        };
        let wanted = shown(value);
        wrong.push(match present {
            Some(present) => format!("{field} is {present} and should be {wanted}"),
            None => format!("{field} is missing and should be {wanted}"),
        });
    }
    wrong
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
