//! What else should a person know, beside what happens to endpoints and scrapers?
//!
//! Authority: the facts that decisions rest on: assumptions, refused policies, objects that were not understood.
//! Departs from nothing.
//! Knows: the inventory, judged endpoints. Does not know: text.

use std::collections::BTreeSet;

use jsonptr::PointerBuf;

use super::Rule;
use super::blocks;
use super::decision::{Decision, Demand};
use super::demand::Judged;
use super::endpoint::JudgedEndpoint;
use super::message;
use super::metrics_port;
use super::scraper::Patched;
use crate::config::{Config, MtlsMode, Severity};
use crate::model::{Inventory, Object, PeerAuthentication};
use crate::parallel;
use crate::policy;

/// What is asked, each for itself.
type Question = fn(&Patched<'_>, &Config, &[JudgedEndpoint]) -> Vec<Decision>;

const QUESTIONS: [Question; 12] = [
    |patched, config, _| of_objects(&patched.inventory, config),
    |patched, _, _| super::accepted::decide_all(&patched.inventory),
    |patched, config, _| mesh_mode_contradicted(patched, config),
    |patched, _, _| mesh_settings_contradicted(patched),
    |patched, _, _| of_selection(patched),
    |patched, _, endpoints| blocks::decide_all(patched, endpoints),
    |patched, _, _| super::remote_write::decide_all(patched),
    |patched, _, _| super::volumes::decide_all(patched),
    |patched, _, endpoints| super::policies::decide_all(patched, endpoints),
    |patched, _, endpoints| super::merged::decide_all(patched, endpoints),
    |patched, _, _| super::converter::decide_all(&patched.inventory),
    |patched, _, _| super::additional::decide_all(&patched.inventory),
];

/// Every finding that is not itself about what happens to an endpoint or a scraper.
pub(super) fn decide_all(
    patched: &Patched<'_>,
    config: &Config,
    endpoints: &[JudgedEndpoint],
) -> Vec<Decision> {
    let answers = parallel::about(endpoints.len(), &QUESTIONS, |question| {
        question(patched, config, endpoints)
    });
    let mut findings: Vec<_> = answers.into_iter().flatten().collect();
    findings.extend(parallel::listed(endpoints, |part| {
        of_targets(&patched.inventory, part)
    }));
    findings
}

fn of_targets(inventory: &Inventory, endpoints: &[JudgedEndpoint]) -> Vec<Decision> {
    let mut findings = Vec::new();
    for endpoint in endpoints.iter().filter(|endpoint| !endpoint.is_silent) {
        for judged in &endpoint.judged {
            let mut more = of_target(inventory, endpoint, judged);
            // What is assumed about the scraper's own pods is said of the scraper.
            more.retain(|one| !endpoint.is_generated || one.rule == Rule::PolicyOrderUndecided);
            findings.extend(more);
        }
    }
    findings
}

fn root() -> PointerBuf {
    PointerBuf::new()
}

fn of_objects(inventory: &Inventory, config: &Config) -> Vec<Decision> {
    let mut findings = Vec::new();
    for unread in &inventory.unread {
        findings.push(Decision::finding(
            &unread.object,
            unread.at.clone(),
            Rule::NotUnderstood,
            unread.problem.clone(),
        ));
    }
    let policies = inventory.policies.iter();
    let authorizations = inventory.authorizations.iter();
    let refused = policies
        .map(|policy| (&policy.object, &policy.refused))
        .chain(authorizations.map(|policy| (&policy.object, &policy.refused)))
        .filter(|(_, refused)| !refused.is_empty());
    for (object, refused) in refused {
        findings.push(Decision::finding(
            object,
            root(),
            Rule::PolicyIsInvalid,
            format!(
                "the API server refuses it, so it counts as absent: {}",
                refused.join("; ")
            ),
        ));
    }
    let assumed = inventory
        .scrapes
        .iter()
        .map(|scrape| &scrape.object)
        .chain(inventory.scrapers.iter().map(|scraper| &scraper.object))
        .chain(inventory.policies.iter().map(|policy| &policy.object))
        .chain(inventory.authorizations.iter().map(|policy| &policy.object))
        .chain(inventory.services.iter().map(|service| &service.object))
        .chain(inventory.workloads.iter().map(|workload| &workload.object))
        .chain(inventory.proxy_configs.iter().map(|config| &config.object))
        .chain(roots_by_their_place(inventory))
        .filter(|object| object.namespace_assumed);
    for object in assumed {
        findings.push(Decision::finding(
            object,
            PointerBuf::from_tokens(["metadata", "namespace"]),
            Rule::NamespaceAssumed,
            format!("no metadata.namespace: taken as \"{}\"", config.namespace),
        ));
    }
    findings
}

/// Objects whose own namespace is the root namespace that they name. An object may speak for several revisions.
fn roots_by_their_place(inventory: &Inventory) -> BTreeSet<&Object> {
    let planes = inventory.control_planes.iter();
    planes
        .filter(|plane| plane.root_namespace.as_ref() == Some(&plane.object.namespace))
        .map(|plane| &plane.object)
        .filter(|object| object.kind == "ServiceMeshControlPlane")
        .collect()
}

/// The policy of the input counts, since it is what the cluster will have.
fn mesh_mode_contradicted(patched: &Patched<'_>, config: &Config) -> Vec<Decision> {
    let Some(configured) = config.mesh_mode else {
        return Vec::new();
    };
    if !patched.settings.roots_are_known() {
        return Vec::new();
    }
    let roots = patched.settings.root_namespaces();
    let is_mesh_wide = |policy: &PeerAuthentication| {
        roots
            .iter()
            .any(|root| policy::level(policy, root) == Some(policy::Level::Mesh))
    };
    patched
        .inventory
        .policies
        .iter()
        .filter(|policy| policy.refused.is_empty())
        .filter(|policy| is_mesh_wide(policy))
        .filter(|policy| policy.mode.unwrap_or(MtlsMode::Permissive) != configured)
        .map(|policy| {
            Decision::finding(
                &policy.object,
                root(),
                Rule::MeshModeContradicted,
                "it says something else than mesh.mode of the configuration, and counts; remove mesh.mode".to_owned(),
            )
        })
        .collect()
}

/// Objects that say different things about the mesh, or something else than the configuration.
fn mesh_settings_contradicted(patched: &Patched<'_>) -> Vec<Decision> {
    let namespaces = policy::namespaces_contradicted(&patched.inventory, patched.settings);
    patched
        .settings
        .contradictions
        .iter()
        .chain(&namespaces)
        .map(|contradiction| {
            Decision::finding(
                &contradiction.object,
                root(),
                Rule::MeshSettingContradicted,
                contradiction.what.clone(),
            )
        })
        .collect()
}

fn of_selection(patched: &Patched<'_>) -> Vec<Decision> {
    let mut findings = Vec::new();
    let scrapes = patched.inventory.scrapes.iter();
    for scrape in scrapes.filter(|scrape| !scrape.is_self_scrape) {
        let selecting = patched.selecting(scrape);
        for (position, why) in &selecting {
            if let Some(why) = why {
                let (scraper, _) = patched.scraper(*position);
                findings.push(Decision::finding(
                    &scrape.object,
                    root(),
                    Rule::SelectionAssumed,
                    format!("taken as selected by {}: {why}", scraper.object),
                ));
            }
        }
        if selecting.is_empty() {
            let mut finding = Decision::finding(
                &scrape.object,
                root(),
                Rule::NoScraperSelectsThis,
                "no scraper in the input selects it".to_owned(),
            );
            if patched.inventory.scrapers.is_empty() {
                finding.severity = Severity::Info;
                finding.message =
                    "the input has no scraper: whether one has the certificates is not known"
                        .to_owned();
            }
            findings.push(finding);
        }
    }
    findings
}

fn of_target(inventory: &Inventory, endpoint: &JudgedEndpoint, judged: &Judged) -> Vec<Decision> {
    let here = |rule, message| {
        Decision::finding(
            &endpoint.decision.object,
            endpoint.decision.at.clone(),
            rule,
            message,
        )
    };
    let target = &judged.shown;
    let mut findings = Vec::new();
    // A port that nothing takes is plain under each of them.
    if target.captured != Some(false) {
        findings.extend(judged.undecided.iter().map(policy_order));
    }
    if judged.mode_assumed
        && matches!(target.demand, Demand::Plain)
        && target.captured != Some(false)
    {
        findings.push(here(
            Rule::ModeAssumed,
            format!(
                "no PeerAuthentication in the input sets a mode for namespace {}: Istio's default, PERMISSIVE, is assumed",
                target.namespace
            ),
        ));
    }
    if judged.namespace_assumed {
        let message = namespace_assumed(inventory, &target.namespace);
        findings.push(here(Rule::NamespaceAssumed, message));
    }
    if judged.unlabelled && target.mode == Some(MtlsMode::Strict) {
        findings.push(here(
            Rule::NotInTheMesh,
            format!(
                "Namespace {} has no injection label: its pods are taken as outside the mesh, although they are under {}",
                target.namespace,
                target
                    .because
                    .iter()
                    .find(|reason| reason.contains("STRICT"))
                    .map_or("a STRICT policy", String::as_str)
            ),
        ));
    }
    let rule = metrics_port::rule(judged);
    if target.demand == Demand::Unreachable && endpoint.decision.rule != rule {
        let unreachable: Vec<_> = endpoint
            .judged
            .iter()
            .filter(|judged| judged.shown.demand == Demand::Unreachable)
            .cloned()
            .collect();
        let message = if rule == Rule::MetricsPortUnreachable {
            metrics_port::message(&unreachable)
        } else {
            message::unreachable(&metrics_port::others(&unreachable))
        };
        findings.push(here(rule, message));
    }
    findings
}

/// A sidecar is there only if the Namespace, whose labels are not known, says nothing against it.
pub(super) fn namespace_assumed(inventory: &Inventory, namespace: &str) -> String {
    let why = inventory.unknown_namespace(namespace);
    format!("Namespace {namespace} {why}: taken as one without injection labels")
}

fn policy_order(undecided: &policy::Undecided) -> Decision {
    let object: &Object = &undecided.policies[0];
    let names: Vec<_> = undecided.policies.iter().map(ToString::to_string).collect();
    let message = if names.iter().all(|name| *name == names[0]) {
        format!(
            "{object} is in the input {} times with different specs: one of them is assumed; remove the others",
            names.len()
        )
    } else {
        format!(
            "{} stand on one level and disagree; the oldest wins in the cluster, and Git does not show which that is: \
             {} is assumed, by name; leave one of them",
            names.join(" and "),
            undecided.chosen
        )
    };
    Decision::finding(object, root(), Rule::PolicyOrderUndecided, message)
}
