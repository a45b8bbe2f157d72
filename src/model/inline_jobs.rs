//! Which jobs does a scraper have in its own `inlineScrapeConfig`?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes/objects.go`: the list is appended to the generated jobs as it is.
//! Departs from it: a job that is not understood is left out and reported, the others are kept.
//! Knows: the text of `spec.inlineScrapeConfig`. Does not know: other scrape objects, what a job finds.

use jsonptr::{Pointer, PointerBuf};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::field::{Field, Problem, noted};
use super::{DiscoveryRole, Labels, Namespaces, Scrape, ScrapeKind, Scraper, embedded, scrapes};

/// The string that holds the jobs.
const INLINE: &str = "/spec/inlineScrapeConfig";

/// Whether a place of a scraper is in its jobs: what is wrong there says nothing about what else it scrapes.
pub fn is_in_inline_jobs(at: &Pointer) -> bool {
    at.starts_with(Pointer::from_static(INLINE))
}

/// The jobs of a scraper as one scrape object that only this scraper selects; `None` where it has none, or scrapes nothing.
pub(super) fn of(scraper: &Scraper, problems: &mut Vec<Problem>) -> Option<Scrape> {
    let scrapes_nothing = scraper.selection.is_empty();
    if scrapes_nothing || scraper.kind.is_prometheus() {
        return None;
    }
    let within = Pointer::from_static(INLINE);
    let text = scraper.spec.get("inlineScrapeConfig")?.as_str()?;
    let jobs = match embedded(text) {
        Ok(jobs) => jobs,
        Err(text) => {
            problems.push(Problem {
                at: within.to_buf(),
                text: format!("it cannot be read: {text}"),
            });
            return None;
        }
    };
    let mut inside = Vec::new();
    let root = Field::root(&jobs);
    let description = ScrapeKind::InlineJob.description();
    let list = match jobs.is_null() {
        true => Vec::new(),
        false => noted(root.list(), &mut inside).unwrap_or_default(),
    };
    let mut endpoints: Vec<_> = list
        .iter()
        .filter_map(|job| {
            let endpoint = scrapes::endpoint(job, description, DiscoveryRole::Pods);
            noted(endpoint, &mut inside)
        })
        .collect();
    for endpoint in &mut endpoints {
        endpoint.within = Some(within.to_buf());
    }
    problems.extend(inside.into_iter().map(|problem| Problem {
        at: whole(within, &problem.at),
        text: problem.text,
    }));
    (!endpoints.is_empty()).then(|| Scrape {
        object: scraper.object.clone(),
        labels: Labels::new(),
        kind: ScrapeKind::InlineJob,
        selector: LabelSelector::default(),
        namespaces: Namespaces::Own,
        scrape_class: None,
        endpoints,
        is_self_scrape: false,
    })
}

/// A place inside a string, as users see it.
pub(super) fn whole(within: &Pointer, at: &Pointer) -> PointerBuf {
    let mut whole = within.to_buf();
    whole.append(at);
    whole
}
