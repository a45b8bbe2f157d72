//! Does the scraper's own sidecar encrypt a request, so that the endpoint has to stay plain?
//!
//! Authority: istio/istio pilot/pkg/networking/core `TestHeadlessServices`, `TestPassthroughTraffic`: what the sidecar has no
//! destination for passes through unchanged.
//! Departs from it: address ranges and VirtualServices are not looked at.
//! Knows: targets, Services, a scraper's pods. Does not know: how endpoints are written.

use std::sync::Arc;

use super::decision::Demand;
use super::demand::{Aside, Judged};
use super::scraper::ScraperState;
use crate::model::{Inventory, Scraper, Service, Workload};
use crate::policy::{self, DataPlane, Mesh};
use crate::targets::{self, Target};

/// The judgement of a target as it is asked: plain where the scraper's sidecar encrypts the request
/// itself, unknown where nobody says whether it does.
///
/// A port that is plain anyway is so with the sidecar and without it.
pub(super) fn unless_encrypted(
    inventory: &Inventory,
    mesh: &Mesh<'_>,
    scraper: Option<(&Scraper, &ScraperState)>,
    target: &Target<'_>,
    pods: &Workload,
    mut judged: Judged,
) -> Judged {
    // A metrics port that lets nobody in lets no sidecar in either.
    let is_closed = matches!(
        judged.aside,
        Some(Aside::EndsBeforeEnvoy | Aside::OnlyWithin)
    );
    if judged.shown.demand == Demand::Plain || is_closed {
        return judged;
    }
    let Some(destination) = known_destination(inventory, target, pods) else {
        return judged;
    };
    match encrypts(mesh, scraper, &asked_ports(inventory, target, pods)) {
        Encrypts::No => {}
        Encrypts::Yes(scraper) => {
            judged.aside = Some(Aside::SidecarOriginatesTls);
            let shown = Arc::make_mut(&mut judged.shown);
            shown.demand = Demand::Plain;
            shown.proven = false;
            let how = format!(
                "{destination} is known to the sidecar of {}: it encrypts the request itself",
                scraper.object
            );
            shown.because.insert(0, how);
        }
        Encrypts::Unknown(whose) => {
            let shown = Arc::make_mut(&mut judged.shown);
            shown.demand = Demand::Unknown;
            shown.proven = false;
            shown.because.push(format!(
                "whether a sidecar of {whose} encrypts requests to {destination} is not known"
            ));
        }
    }
    judged
}

/// Whether a scraper's own sidecar takes a request to a target, and by what it knows the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OnTheWay {
    /// Whether it takes the request; `None`: not known.
    pub(super) takes: Option<bool>,
    /// The Service by which it knows the destination; `None`: an address like any other.
    pub(super) knows: Option<String>,
}

/// What a scraper's sidecar does with requests to a target.
pub(super) fn on_the_way(
    mesh: &Mesh<'_>,
    scraper: (&Scraper, &ScraperState),
    target: &Target<'_>,
    pods: &Workload,
) -> OnTheWay {
    OnTheWay {
        takes: match encrypts(
            mesh,
            Some(scraper),
            &asked_ports(mesh.inventory, target, pods),
        ) {
            Encrypts::No => Some(false),
            Encrypts::Yes(_) => Some(true),
            Encrypts::Unknown(_) => None,
        },
        knows: known_destination(mesh.inventory, target, pods),
    }
}

/// Whether a sidecar of the scraper takes a request to a destination that it knows.
enum Encrypts<'a> {
    No,
    Yes(&'a Scraper),
    /// Nobody says it of this scraper.
    Unknown(String),
}

fn encrypts<'a>(
    mesh: &Mesh<'_>,
    scraper: Option<(&'a Scraper, &ScraperState)>,
    ports: &[Option<u16>],
) -> Encrypts<'a> {
    let Some((scraper, state)) = scraper else {
        return Encrypts::Unknown("the scraper, which is not in the input,".to_owned());
    };
    let taken = |port: &Option<u16>| policy::outbound_captured(mesh, &scraper.pods, *port).value;
    let mut answers = ports.iter().map(taken);
    let first = answers.next().flatten();
    let outbound = first.filter(|first| answers.all(|other| other == Some(*first)));
    match (state.plane.value, outbound) {
        (Some(DataPlane::None | DataPlane::Ambient), _) | (_, Some(false)) => Encrypts::No,
        (Some(DataPlane::Sidecar), Some(true)) => Encrypts::Yes(scraper),
        (None, _) | (Some(DataPlane::Sidecar), None) => {
            Encrypts::Unknown(scraper.object.to_string())
        }
    }
}

/// The ports that a request may be sent to: those of the Service that lead to the target, where it is addressed by the
/// Service's name.
fn asked_ports(inventory: &Inventory, target: &Target<'_>, pods: &Workload) -> Vec<Option<u16>> {
    let Some(service) = target.addressed_by else {
        return vec![target.port];
    };
    let numbers: Vec<_> = targets::services_for(inventory, pods, target.port)
        .into_iter()
        .filter(|(other, _)| other.object == service.object)
        .map(|(_, port)| Some(port.number))
        .collect();
    match numbers.is_empty() {
        true => vec![target.port],
        false => numbers,
    }
}

/// What a sidecar of the scraper, if it has one, would know the target by: the Service by whose name
/// it is addressed, or a headless one that makes the pod's own address and port a destination.
fn known_destination(
    inventory: &Inventory,
    target: &Target<'_>,
    pods: &Workload,
) -> Option<String> {
    match target.addressed_by {
        Some(service) => Some(service.named()),
        None => headless_non_http(inventory, pods, target.port)
            .map(|service| format!("headless {}", service.named())),
    }
}

/// A headless Service whose own port is the pod's, under a protocol that Istio does not route by
/// host: for HTTP the Host header decides, and a pod address is no known host.
fn headless_non_http<'a>(
    inventory: &'a Inventory,
    pods: &Workload,
    port: Option<u16>,
) -> Option<&'a Service> {
    targets::headless_services_for(inventory, pods, port)
        .into_iter()
        .find(|(_, service_port)| {
            port.is_none_or(|port| service_port.number == port)
                && !service_port.application.is_some_and(is_http)
        })
        .map(|(service, _)| service)
}

/// Whether Istio reads a protocol as HTTP, as declared by a port of a Service.
pub(super) fn is_http(protocol: &str) -> bool {
    ["http", "http2", "grpc", "grpc-web"].contains(&protocol)
}
