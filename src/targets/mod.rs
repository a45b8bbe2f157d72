//! VictoriaMetrics' answer: which pod ports does an endpoint reach, and which scraper selects it?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes`, `factory/k8stools/selectors.go`; vmagent `discovery/kubernetes`.
//! Departs from it: `matchLabels` values are compared, not used as regular expressions.
//! Knows: scrape objects, Services, workloads, scrapers. Does not know: Istio.

mod found;
mod gaps;
mod headless;
mod ports;
mod scope;
mod selection;
mod serving;

use std::borrow::Cow;

use crate::model::{Endpoint, Inventory, Scrape, ScrapeKind, Service, Workload};
use scope::Scope;

pub use headless::headless_services_for;
pub use ports::ENVOY_PORT;
pub use selection::selected;
pub use serving::services_for;

/// One port of the pods of one workload, reached by an endpoint.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Whose pods.
    pub pods: Pods<'a>,
    /// The port on the pod; `None`: not known.
    pub port: Option<u16>,
    /// The way there: `Service default/demo`, or `pod labels`.
    pub via: String,
    /// The Service by whose name the target is addressed (`discoveryRole: service`); `None`: by pod address.
    pub addressed_by: Option<&'a Service>,
}

/// What answers at a target.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large variant, and they live as long as one decision"
)]
pub enum Pods<'a> {
    /// The pods of a workload; owned where only a Service's selector is known of them.
    Of(Cow<'a, Workload>),
    /// A Service without selector: addresses from elsewhere, no pods of this mesh.
    Elsewhere(&'a Service),
}

/// What an endpoint reaches.
#[derive(Debug, Clone, Default)]
pub struct Reach<'a> {
    /// The targets, in order of workload and port, each once.
    pub targets: Vec<Target<'a>>,
    /// What keeps the list from being complete, in words that name the object.
    pub gaps: Vec<String>,
}

/// Whether a scraper selects a scrape object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// Yes.
    Yes,
    /// No.
    No,
    /// A label of a Namespace that is not in the input decides.
    Undecided(String),
}

/// What an endpoint of a scrape object reaches, as far as the input shows it.
///
/// `own_namespace_only` is the scraper's `ignoreNamespaceSelectors`.
pub fn reach<'a>(
    inventory: &'a Inventory,
    scrape: &'a Scrape,
    endpoint: &Endpoint,
    own_namespace_only: bool,
) -> Reach<'a> {
    let scope = Scope::of(scrape, own_namespace_only);
    let found = match scrape.kind {
        ScrapeKind::VMServiceScrape => found::by_services(inventory, scrape, endpoint, &scope),
        ScrapeKind::VMPodScrape => found::by_pods(inventory, scrape, endpoint, &scope),
    };
    let gaps = gaps::gaps(inventory, scrape, endpoint, &scope, &found);
    Reach {
        targets: each_once(found.targets),
        gaps,
    }
}

/// In order of workload and port; where several Services lead to the same port, `via` names them all.
fn each_once(mut targets: Vec<Target<'_>>) -> Vec<Target<'_>> {
    targets.sort_by(|a, b| (place(a), &a.via).cmp(&(place(b), &b.via)));
    targets
        .chunk_by(|a, b| place(a) == place(b))
        .map(|same| {
            let mut ways: Vec<&str> = same.iter().map(|target| target.via.as_str()).collect();
            ways.dedup();
            Target {
                via: ways.join(", "),
                ..same[0].clone()
            }
        })
        .collect()
}

/// What makes two targets the same: the pods, the port, the name they are addressed by.
fn place<'t>(target: &'t Target<'_>) -> impl Ord + 't {
    let object = match &target.pods {
        Pods::Of(workload) => &workload.object,
        Pods::Elsewhere(service) => &service.object,
    };
    let service = target.addressed_by.map(|service| &service.object);
    (
        (&object.namespace, &object.name, &object.kind, object.item),
        target.port,
        service.map(|service| (&service.namespace, &service.name, service.item)),
    )
}

#[cfg(test)]
mod tests;
