//! Which scraper gets certificates, and what does it become by that?
//!
//! Authority: the rules for scrapers; a sidecar, and so a certificate, comes only by injection (`policy`).
//! Departs from nothing.
//! Knows: scrapers, which endpoints need certificates. Does not know: why an endpoint needs them.

mod label;
mod words;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use jsonptr::PointerBuf;

use super::certificates::{self, SetUp};
use super::completion::{completion, with_traffic};
use super::copies::Copies;
use super::decision::{Decision, Step, Verdict};
use super::endpoint::JudgedEndpoint;
use super::interception::{self, Bypass};
use super::judgements::Judgements;
use super::scrape_class::{self, OnScraper};
use super::selecting::Selecting;
use super::{Rule, findings, own_pod};
use crate::config::{Config, Interception};
use crate::model::{Inventory, Object, Scrape, Scraper, Workload, is_in_inline_jobs};
use crate::policy::{self, DataPlane, Fact, Mesh, Settings};
use crate::targets::{self, Selected};
use label::{Label, label, labelled};
use words::{gets_a_sidecar, has_them, needs};

/// The inventory as it will be after the patches of this run, and what is known of each scraper.
pub(super) struct Patched<'a> {
    /// With the pod label and the annotations on scrapers that get them.
    pub(super) inventory: Cow<'a, Inventory>,
    /// One for each of `inventory.scrapers`.
    pub(super) scrapers: Vec<ScraperState>,
    /// What of it is there several times.
    pub(super) copies: Copies,
    /// By what its scrapers select.
    by_selection: Selecting,
    /// What is set for the whole mesh.
    pub(super) settings: &'a Settings,
    /// What its scrapers meet at targets, as far as it was asked before.
    pub(super) judgements: Judgements,
}

/// What is known of a scraper.
#[derive(Debug, Clone)]
pub(super) struct ScraperState {
    /// Its object, which decisions about endpoints name.
    pub(super) object: Arc<Object>,
    /// Whether it has a sidecar, after this run.
    pub(super) plane: Fact<DataPlane>,
    /// Its certificates, or why it cannot have any.
    pub(super) certificates: Result<SetUp, String>,
    /// Which field of it could not be read: nobody knows what it selects.
    not_understood: Option<String>,
    /// What the pod label is needed for.
    label: Label,
    /// Its Namespace is not in the input, and the labels of its pods alone, ours too, make its sidecar.
    namespace_assumed: bool,
    /// What becomes of its own requests.
    bypass: Bypass,
}

impl ScraperState {
    /// Whether as much is known of a copy.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let Self {
            object: _,
            plane,
            certificates,
            not_understood,
            label,
            namespace_assumed,
            bypass,
        } = self;
        (plane, certificates, not_understood)
            == (&other.plane, &other.certificates, &other.not_understood)
            && (label, namespace_assumed, bypass)
                == (&other.label, &other.namespace_assumed, &other.bypass)
    }
}

impl Patched<'_> {
    /// The mesh as policies see it.
    pub(super) fn mesh(&self) -> Mesh<'_> {
        Mesh {
            inventory: &self.inventory,
            settings: self.settings,
        }
    }

    /// Whether the patches of this run leave all pods as the input has them.
    pub(super) fn has_pods_as_written(&self) -> bool {
        matches!(self.inventory, Cow::Borrowed(_))
    }

    /// The scrapers that select a scrape object, with what their selection had to assume.
    ///
    /// A selection that cannot be decided counts as made.
    pub(super) fn selecting(&self, scrape: &Scrape) -> Vec<(usize, Option<String>)> {
        self.by_selection
            .candidates(&self.inventory, scrape)
            .into_iter()
            .map(|position| (position, &self.inventory.scrapers[position]))
            .filter_map(|(position, scraper)| {
                let not_understood = &self.scrapers[position].not_understood;
                if let Some(problem) = not_understood
                    && !scrape.is_of_scraper()
                {
                    return Some((position, Some(problem.clone())));
                }
                match targets::selected(&self.inventory, scraper, scrape) {
                    Selected::Yes => Some((position, None)),
                    Selected::Undecided(why) => Some((position, Some(why))),
                    Selected::No => None,
                }
            })
            .collect()
    }

    /// A scraper and what is known of it.
    pub(super) fn scraper(&self, position: usize) -> (&Scraper, &ScraperState) {
        (&self.inventory.scrapers[position], &self.scrapers[position])
    }
}

/// The inventory as it will be when the scrapers in `needing` have got certificates.
pub(super) fn as_patched<'a>(
    inventory: &'a Inventory,
    settings: &'a Settings,
    config: &Config,
    needing: &BTreeSet<usize>,
) -> Patched<'a> {
    let mesh = Mesh {
        inventory,
        settings,
    };
    let mut patched = Cow::Borrowed(inventory);
    let mut states = Vec::new();
    for (position, scraper) in inventory.scrapers.iter().enumerate() {
        let mut state = state(&mesh, scraper, config);
        if needing.contains(&position)
            && state.certificates.is_ok()
            && state.label != Label::NotNeeded
        {
            let pods = labelled(&scraper.pods);
            state.plane = policy::data_plane(&mesh, &pods).fact;
            exchange(&mut patched, position, pods);
        }
        states.push(state);
    }
    if let Cow::Owned(inventory) = &mut patched {
        inventory.index_labels();
    }
    if config.interception == Interception::Bypass {
        let mesh = Mesh {
            inventory: &patched,
            settings,
        };
        // With all their sidecars in place: what one scraper writes to may be another.
        let bypasses = interception::bypasses(&mesh, needing, &states);
        for (position, bypass) in bypasses {
            if let Some(pods) = bypass.annotated(&patched.scrapers[position].pods) {
                exchange(&mut patched, position, pods);
            }
            states[position].bypass = bypass;
        }
    }
    Patched {
        copies: Copies::of(&patched, &states),
        by_selection: Selecting::of(&inventory.scrapers, |position| {
            states[position].not_understood.is_some()
        }),
        inventory: patched,
        scrapers: states,
        settings,
        judgements: Judgements::default(),
    }
}

/// Puts other pods in the place of a scraper's.
fn exchange(patched: &mut Cow<'_, Inventory>, position: usize, pods: Workload) {
    let inventory = patched.to_mut();
    let place = inventory.positions_of(&pods.object);
    for workload in &mut inventory.workloads[place] {
        if workload.part == pods.part {
            *workload = pods.clone();
        }
    }
    inventory.scrapers[position].pods = pods;
}

fn state(mesh: &Mesh<'_>, scraper: &Scraper, config: &Config) -> ScraperState {
    let injection = policy::data_plane(mesh, &scraper.pods);
    let plane = injection.fact;
    let (label, injectable) = label(mesh, scraper, &plane, config.inject);
    let not_understood = not_understood(mesh.inventory, scraper);
    let certificates = match &not_understood {
        Some(problem) => Err(problem.clone()),
        None => injectable.and_then(|()| certificates::read(mesh, scraper, config)),
    };
    ScraperState {
        object: Arc::new(scraper.object.clone()),
        plane,
        certificates,
        not_understood,
        label,
        bypass: Bypass::default(),
        namespace_assumed: match label {
            Label::NotNeeded => injection.namespace_missing,
            Label::MakesSure | Label::AgainstProof => {
                policy::data_plane(mesh, &labelled(&scraper.pods)).namespace_missing
            }
        },
    }
}

/// Which field of a scraper could not be read: nobody knows what it selects, or what would become of it.
fn not_understood(inventory: &Inventory, scraper: &Scraper) -> Option<String> {
    inventory
        .unread_of(&scraper.object)
        .filter(|unread| unread.at.count() > 1)
        .find(|unread| !is_in_inline_jobs(&unread.at))
        .map(|unread| format!("{} is not understood: {}", unread.at, unread.problem))
}

/// What is decided about the scrapers themselves.
///
/// One in `needing` gets certificates even if, for the sidecar that it gets with them, no endpoint
/// is left that uses them: the endpoints were judged with that sidecar.
pub(super) fn decide_all(
    patched: &Patched<'_>,
    original: &Inventory,
    needing: &BTreeSet<usize>,
    config: &Config,
    endpoints: &[JudgedEndpoint],
) -> Vec<Decision> {
    let mut decisions = Vec::new();
    let mut selected: Vec<Vec<&JudgedEndpoint>> = vec![Vec::new(); original.scrapers.len()];
    for endpoint in endpoints {
        for position in &endpoint.scrapers {
            selected[*position].push(endpoint);
        }
    }
    for (position, scraper) in original.scrapers.iter().enumerate() {
        let state = &patched.scrapers[position];
        let endpoints = &selected[position];
        let mut wanted: BTreeSet<_> = endpoints
            .iter()
            .filter_map(|endpoint| endpoint.certificates_for(position, scraper))
            .collect();
        if wanted.is_empty() && needing.contains(&position) {
            let own = state.certificates.as_ref().ok().and_then(SetUp::directory);
            wanted.insert(own.unwrap_or(&config.directory).to_owned());
        }
        if wanted.is_empty() {
            decisions.extend(unneeded(scraper, state, endpoints));
        } else {
            let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
            let class = scrape_class::on_scraper(position, scraper, endpoints, config);
            let needs_address = endpoints.iter().any(|one| one.needs_pod_address);
            let variable = needs_address.then(|| own_pod::variable(scraper));
            let variable = variable.unwrap_or_default();
            decisions.extend(completed(
                original, scraper, state, &wanted, &class, variable,
            ));
        }
    }
    decisions
}

fn completed(
    inventory: &Inventory,
    scraper: &Scraper,
    state: &ScraperState,
    directories: &[&str],
    class: &OnScraper,
    variable: Vec<Step>,
) -> Vec<Decision> {
    let at = PointerBuf::from_tokens(["spec"]);
    let set_up = match &state.certificates {
        Ok(set_up) => set_up,
        Err(why) => {
            return vec![Decision::finding(
                &scraper.object,
                at,
                Rule::ScraperCannotHaveCertificates,
                format!("endpoints that it scrapes use Istio's certificates, but {why}"),
            )];
        }
    };
    let inject = state.label != Label::NotNeeded;
    let traffic = &state.bypass.annotations;
    let mut steps = with_traffic(scraper, set_up, directories, inject, traffic);
    let (rule, message) = match steps.is_empty() && class.repairs {
        true => (Rule::TlsNeedsRepair, class.message.clone()),
        false => (
            Rule::ScraperNeedsCertificates,
            needs(state, set_up, directories, class),
        ),
    };
    steps.extend_from_slice(&class.steps);
    steps.extend(variable);
    let mut decisions = Vec::new();
    if state.namespace_assumed {
        decisions.push(Decision::finding(
            &scraper.object,
            at.clone(),
            Rule::NamespaceAssumed,
            findings::namespace_assumed(inventory, &scraper.object.namespace),
        ));
    }
    if state.plane.value != Some(DataPlane::Sidecar) {
        decisions.push(Decision::finding(
            &scraper.object,
            at.clone(),
            Rule::InjectionUnknown,
            format!(
                "nothing in the input says that it has a sidecar, without which it has no certificates ({})",
                state.plane.because.join("; ")
            ),
        ));
    }
    if state.label == Label::AgainstProof {
        decisions.push(Decision::finding(
            &scraper.object,
            at.clone(),
            Rule::ScraperGetsASidecar,
            gets_a_sidecar(scraper),
        ));
    }
    if steps.is_empty() {
        decisions.push(Decision::finding(
            &scraper.object,
            at,
            Rule::AlreadyRight,
            has_them(&directories.join(" and ")) + &state.bypass.said(),
        ));
    } else {
        let mut decision = Decision::finding(&scraper.object, at, rule, message);
        decision.verdict = Verdict::Patch;
        decision.steps = steps;
        decisions.push(decision);
    }
    decisions
}

/// A scraper of which nothing new is asked: its set-up serves endpoints that are kept as they are,
/// or none. It is never removed: it may serve scrape objects of other repositories.
fn unneeded(
    scraper: &Scraper,
    state: &ScraperState,
    endpoints: &[&JudgedEndpoint],
) -> Option<Decision> {
    let set_up = state.certificates.as_ref().ok()?;
    let finding = |rule, message| {
        let at = PointerBuf::from_tokens(["spec"]);
        Decision::finding(&scraper.object, at, rule, message)
    };
    let used = endpoints.iter().any(|one| one.keeps_certificates());
    let directory = set_up.directory()?;
    if !used {
        let why = "it has certificates of its sidecar that no endpoint in the input uses";
        // Endpoints of other builds use what is set up elsewhere.
        return (set_up.is_begun() && !scraper.object.context)
            .then(|| finding(Rule::CertificatesUnused, why.to_owned()));
    }
    completion(scraper, set_up, &[directory], false)
        .is_empty()
        .then(|| finding(Rule::AlreadyRight, has_them(directory)))
}
