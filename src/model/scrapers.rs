//! What does a scraper scrape, and what are its pods?
//!
//! Authority: the CRDs of scrapers, by the table in `scraper_kinds.rs`; VictoriaMetrics operator `factory/vmagent/vmagent.go`.
//! Departs from it: a scraper that is not understood selects nothing.
//! Knows: scrapers. Does not know: which scrape objects there are.

mod added_rules;

use std::collections::BTreeMap;

use serde_json::Value;

use super::LabelSelector;
use super::field::{Field, Problem, Read, noted};
use super::operated::{self, Component};
use super::scraper_kinds::{DaemonSet, ScraperDescription};
use super::{Object, Scrape, ScrapeKind, ScraperKind, Workload, selectors};
use crate::yaml::Json;
pub use added_rules::AddedRules;

/// An object that scrapes.
#[derive(Debug, Clone)]
pub struct Scraper {
    /// The object.
    pub object: Object,
    /// Which kind of it.
    pub kind: ScraperKind,
    /// Its pods, as the operator makes them.
    pub pods: Workload,
    /// Whether several pods share the work, so that each meets its siblings; see [`Scraper::meets_siblings`].
    pub several_pods: bool,
    /// One pod on each node, which finds only what runs on that node.
    pub is_on_each_node: bool,
    /// Which scrape objects it selects, by kind.
    pub selection: BTreeMap<ScrapeKind, Selection>,
    /// `ignoreNamespaceSelectors: true`: every scrape object looks in its own namespace only.
    pub ignores_namespace_selectors: bool,
    /// `arbitraryFSAccessThroughSMs.deny: true`: scrape objects that name files are refused whole.
    pub denies_files: bool,
    /// `spec` as written, `Null` where missing.
    pub spec: Value,
}

impl Scraper {
    /// Whether one of its pods meets others of its own among the targets of a scrape object.
    ///
    /// A pod on each node asks for the pods of its node only, where it is the only one of its kind
    /// (VictoriaMetrics operator `factory/vmscrapes/objects.go` `MustUseNodeSelector`; Prometheus operator
    /// `pkg/prometheus/promcfg.go`, role `pod` with a field selector on `spec.nodeName`). Jobs of the scraper's
    /// own `spec` are taken as they are written, for all nodes.
    pub fn meets_siblings(&self, scrape: &Scrape) -> bool {
        self.several_pods && (!self.is_on_each_node || scrape.is_of_scraper())
    }
}

/// How a scraper selects scrape objects of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// By labels of the scrape object; `None`: not set.
    pub objects: Option<LabelSelector>,
    /// By labels of its Namespace; `None`: not set.
    pub namespaces: Option<LabelSelector>,
    /// `selectAllByDefault`: what two unset selectors mean, everything or nothing (VictoriaMetrics).
    pub all_by_default: bool,
}

/// A scraper, if it scrapes, and its pods, where they are known well enough to be anybody's targets.
pub(super) fn scraper(
    object: Object,
    kind: ScraperKind,
    root: &Field<'_>,
    problems: &mut Vec<Problem>,
) -> (Option<Scraper>, Option<Workload>) {
    let row = kind.description();
    let spec = noted(root.key("spec"), problems);
    let settings = spec.and_then(|spec| match row.needs_spec {
        Some(field) if spec.is_missing() => {
            problems.push(spec.problem(format!("has no spec; expected one with {field}")));
            None
        }
        Some(_) | None => noted(settings(&spec, row, problems), problems),
    });
    let component = Component::of(&object.api_version, &object.kind)
        .next()
        .expect("each scraper is a component");
    let pods = spec.and_then(|spec| {
        noted(
            operated::pods(&object, component, &spec, problems),
            problems,
        )
    });
    // One that scrapes only where it is told to is no scraper; one that is not understood may be.
    let is_idle = row.ingest_only == Some(true)
        && settings
            .as_ref()
            .is_some_and(|settings| settings.selection.is_empty());
    let settings = settings.unwrap_or_default();
    let scraper = (!is_idle).then(|| Scraper {
        kind,
        pods: pods
            .clone()
            .unwrap_or_else(|| operated::bare_pods(&object, component)),
        several_pods: settings.several_pods,
        is_on_each_node: settings.is_on_each_node,
        selection: settings.selection,
        ignores_namespace_selectors: settings.ignores_namespace_selectors,
        denies_files: settings.denies_files,
        spec: spec
            .and_then(|spec| spec.written().map(Json::to_value))
            .unwrap_or(Value::Null),
        object,
    });
    (scraper, pods)
}

/// What the scraper does, all or nothing: half of it could be the wrong half.
#[derive(Default)]
struct Settings {
    several_pods: bool,
    is_on_each_node: bool,
    selection: BTreeMap<ScrapeKind, Selection>,
    ignores_namespace_selectors: bool,
    denies_files: bool,
}

fn settings(
    spec: &Field<'_>,
    row: &ScraperDescription,
    problems: &mut Vec<Problem>,
) -> Read<Settings> {
    let flag = |key: &str| spec.key(key)?.boolean();
    let daemon_set = match &row.daemon_set {
        Some(mode) if is_set(spec, mode)? => Some(mode),
        Some(_) | None => None,
    };
    let ingest_only = match row.ingest_only {
        Some(by_default) if spec.key("ingestOnlyMode")?.is_missing() => by_default,
        Some(_) => flag("ingestOnlyMode")?,
        None => false,
    };
    let kinds = match (ingest_only, daemon_set) {
        (true, _) => &[],
        (false, Some(mode)) => mode.selects,
        (false, None) => row.selects,
    };
    let mut several_pods = daemon_set.is_some();
    for count in row.counts {
        several_pods |= spec.key(count)?.integer()?.unwrap_or(1) > 1;
    }
    let access = spec.key("arbitraryFSAccessThroughSMs")?;
    Ok(Settings {
        several_pods,
        is_on_each_node: daemon_set.is_some(),
        selection: kinds
            .iter()
            .map(|kind| Ok((*kind, selection(spec, *kind, problems)?)))
            .collect::<Read<_>>()?,
        ignores_namespace_selectors: flag("ignoreNamespaceSelectors")?,
        denies_files: access.key("deny")?.boolean()?,
    })
}

fn is_set(spec: &Field<'_>, mode: &DaemonSet) -> Read<bool> {
    let field = spec.key(mode.field)?;
    match mode.value {
        Some(value) => Ok(field.text()? == Some(value)),
        None => field.boolean(),
    }
}

fn selection(spec: &Field<'_>, kind: ScrapeKind, problems: &mut Vec<Problem>) -> Read<Selection> {
    let (objects, namespaces) = kind.description().selectors;
    Ok(Selection {
        objects: selectors::selector(&spec.key(objects)?, problems)?,
        namespaces: selectors::selector(&spec.key(namespaces)?, problems)?,
        all_by_default: spec.key("selectAllByDefault")?.boolean()?,
    })
}

#[cfg(test)]
mod tests;
