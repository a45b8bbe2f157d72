//! VictoriaMetrics' answer: which pod ports does an endpoint reach, and which scraper selects it?
//!
//! Authority: VictoriaMetrics operator `factory/vmscrapes`, `factory/k8stools/selectors.go`; vmagent `discovery/kubernetes`.
//! Departs from it: `matchLabels` values are compared, not used as regular expressions.
//! Knows: scrape objects, Services, workloads, scrapers. Does not know: Istio.

mod addresses;
mod answering;
mod discovered;
mod found;
mod gaps;
mod headless;
mod narrowing;
mod own_pods;
mod picked;
mod ports;
mod scope;
mod selection;
mod serving;

use std::borrow::Cow;

use self::narrowing::Narrowing;
use crate::model::{Endpoint, Inventory, Scrape, Scraper, Service, Workload};

pub use addresses::{Host, host};
pub use answering::answering;
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
pub enum Pods<'a> {
    /// The pods of a workload; owned where only a Service's selector is known of them.
    Of(Cow<'a, Workload>),
    /// No pods of this mesh.
    Elsewhere(Elsewhere),
}

/// Something that answers, and is no pod of the mesh.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// Kind of the object that stands for it.
    pub kind: &'static str,
    /// Its namespace; empty for nodes.
    pub namespace: String,
    /// Its name; empty for all of the kind.
    pub name: String,
    /// Why it is no pod of the mesh.
    pub why: String,
    /// Whether an object says so.
    pub proven: bool,
}

/// What an endpoint reaches.
#[derive(Debug, Clone, Default)]
pub struct Reach<'a> {
    /// The targets, in order of workload and port, each once.
    pub targets: Vec<Target<'a>>,
    /// What keeps the list from being complete, in words that name the object.
    pub gaps: Vec<String>,
    /// Relabelling rules that may leave targets out, and are not followed, in words.
    pub not_followed: Vec<String>,
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

/// What an endpoint of a scrape object reaches as `scraper` asks, as far as the input shows it; `None`: anybody.
pub fn reach<'a>(
    inventory: &'a Inventory,
    scrape: &'a Scrape,
    endpoint: &Endpoint,
    scraper: Option<&Scraper>,
) -> Reach<'a> {
    let narrowing = Narrowing::of(scrape, endpoint, scraper);
    let (found, gaps) = found::found(inventory, scrape, endpoint, scraper, &narrowing);
    Reach {
        targets: each_once(found.targets),
        gaps,
        not_followed: narrowing.not_followed(&found.narrowed),
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
    let (object, part) = match &target.pods {
        Pods::Of(workload) => {
            let object = &workload.object;
            let place = (
                &object.namespace,
                &object.name,
                object.kind.as_str(),
                object.item,
            );
            (place, workload.part)
        }
        Pods::Elsewhere(place) => ((&place.namespace, &place.name, place.kind, 0), None),
    };
    let service = target.addressed_by.map(|service| &service.object);
    (
        object,
        part,
        target.port,
        service.map(|service| (&service.namespace, &service.name, service.item)),
    )
}

#[cfg(test)]
mod tests;
