//! Which scrapes do AuthorizationPolicies of the target refuse?
//!
//! Authority: `policy::access`; for who is seen as the client istio/istio pilot/pkg/networking/core (chains), `TestHeadlessServices` (auto mutual TLS).
//! Departs from nothing: where the client or the chain is not known, the answer is not.
//! Knows: what a scraper meets at a target. Does not know: how policies are read, how endpoints are changed.

use super::Rule;
use super::blocks::{self, Meeting};
use super::decision::{Decision, Demand};
use super::demand::Aside;
use super::obstacle;
use super::originates;
use crate::model::{Object, Scraper};
use crate::policy::{self, Access, DataPlane, Layer, Peer, Refusal, Request};
use crate::targets;

/// A finding if the policies before the target refuse the scrape, or may.
pub(super) fn by_policies(meeting: &Meeting<'_>) -> Option<Decision> {
    if meeting.scraping.patched.inventory.authorizations.is_empty() {
        return None;
    }
    let target = &meeting.judged.shown;
    let peer = peer(meeting)?;
    let path = path(meeting);
    let request = Request {
        peer,
        port: meeting.target.port,
        path: path.as_deref(),
        layer: layer(meeting),
    };
    // Without a known data plane the pods are asked about as if they had a sidecar.
    let (plane, is_guarded) = match (target.data_plane, target.captured) {
        (Some(DataPlane::None), _) | (_, Some(false)) => return None,
        (Some(plane), Some(true)) => (plane, true),
        (Some(plane), None) => (plane, false),
        (None, Some(true) | None) => (DataPlane::Sidecar, false),
    };
    let mesh = meeting.scraping.patched.mesh();
    let scraped = Scraped { meeting, request };
    match policy::access(&mesh, meeting.pods, plane, &request) {
        Access::Lets => None,
        Access::Blocks { policies, how } => {
            let mut message = scraped.refused(&policies, how, plane);
            if !is_guarded {
                message = format!("if a proxy takes the port, {message}");
            }
            Some(meeting.finding(Rule::AuthorizationBlocksScrape, is_guarded, message))
        }
        // Who is not there cannot be asked about.
        Access::Unknown(_) if meeting.scraper.is_none() => None,
        Access::Unknown(why) => {
            let message = scraped.perhaps_refused(&why);
            Some(meeting.finding(Rule::AuthorizationBlocksScrape, false, message))
        }
    }
}

/// Who the target sees; `None`: the scrape does not get so far.
fn peer<'a>(meeting: &Meeting<'a>) -> Option<Peer<'a>> {
    use DataPlane::{Ambient, None as Outside, Sidecar};
    let own_tls = blocks::speaks_its_own_tls(meeting.endpoint);
    let identity = meeting
        .scraper
        .map_or(Peer::Unknown, |(scraper, _)| identity(scraper));
    match meeting.judged.shown.demand {
        Demand::Unknown | Demand::Unreachable => return None,
        Demand::MutualTls | Demand::MutualTlsIfInjected => {
            return blocks::speaks_certificates(meeting.endpoint).then_some(identity);
        }
        Demand::Plain => {}
    }
    if meeting.judged.aside == Some(Aside::SidecarOriginatesTls) {
        return Some(identity);
    }
    let Some((_, state)) = meeting.scraper else {
        return Some(Peer::Unknown);
    };
    let known = meeting.on_the_way();
    let encrypted = known.filter(|way| way.knows.is_some());
    let encrypted = encrypted.map_or(Some(false), |way| way.takes);
    Some(match (meeting.judged.shown.data_plane, state.plane.value) {
        (Some(Ambient), Some(Ambient)) => identity,
        (Some(Ambient), None) | (Some(Sidecar) | None, Some(Ambient)) => Peer::Unknown,
        (Some(Outside), _) | (Some(Ambient), Some(Outside)) => Peer::Nobody,
        // From sidecar to ztunnel only over HBONE, which a sidecar speaks only where it is told to.
        (Some(Ambient), Some(Sidecar)) if encrypted != Some(false) => Peer::Unknown,
        (Some(Ambient), Some(Sidecar)) => Peer::Nobody,
        (Some(Sidecar) | None, Some(Sidecar | Outside) | None) => match encrypted {
            Some(false) => Peer::Nobody,
            Some(true) if !own_tls => identity,
            Some(true) | None => Peer::Unknown,
        },
    })
}

fn identity(scraper: &Scraper) -> Peer<'_> {
    Peer::Identity {
        namespace: &scraper.pods.object.namespace,
        service_account: &scraper.pods.service_account,
    }
}

/// What the target's sidecar takes the request for: a port whose protocol no Service declares is looked into if it is
/// plain text, and is bytes if it is TLS without Istio's ALPN.
fn layer(meeting: &Meeting<'_>) -> Layer {
    let inventory = &meeting.scraping.patched.inventory;
    let is_encrypted_on_the_way = meeting.judged.aside == Some(Aside::SidecarOriginatesTls)
        || meeting
            .on_the_way()
            .is_some_and(|way| way.knows.is_some() && way.takes != Some(false));
    let tls = meeting.judged.shown.demand != Demand::Plain
        || blocks::speaks_its_own_tls(meeting.endpoint);
    let undeclared = match (is_encrypted_on_the_way, tls) {
        (true, _) => Layer::Unknown,
        (false, true) => Layer::Tcp,
        (false, false) => Layer::Http,
    };
    let declared: Vec<_> = targets::services_for(inventory, meeting.pods, meeting.target.port)
        .into_iter()
        .map(|(_, port)| match port.application {
            None => undeclared,
            Some(protocol) if originates::is_http(protocol) => Layer::Http,
            Some(_) => Layer::Tcp,
        })
        .collect();
    match declared.split_first() {
        None => undeclared,
        Some((first, others)) if others.iter().all(|other| other == first) => *first,
        Some(_) => Layer::Unknown,
    }
}

/// The path that is asked for, unless relabelling or the address sets it.
fn path(meeting: &Meeting<'_>) -> Option<String> {
    let sets_path = |rule: &serde_json::Value| {
        let target = rule.get("targetLabel").or_else(|| rule.get("target_label"));
        let replacement = rule.get("replacement").and_then(serde_json::Value::as_str);
        target.and_then(serde_json::Value::as_str) == Some("__metrics_path__")
            || replacement.is_some_and(|text| target.is_none() && text.starts_with("__"))
    };
    let rules = obstacle::relabellings(meeting.scraping);
    if rules.iter().flat_map(|list| list.rules).any(sets_path) {
        return None;
    }
    let endpoint = meeting.scraping.endpoint;
    if endpoint
        .addresses()
        .any(|address| address.trim_start_matches("http://").contains('/'))
    {
        return None;
    }
    let default = endpoint.kind.description().default_path;
    let written = endpoint.path.as_deref();
    let path = written.unwrap_or(default).split('?').next()?;
    Some(format!("/{}", path.trim_start_matches('/')))
}

/// A scrape, in words.
struct Scraped<'a> {
    meeting: &'a Meeting<'a>,
    request: Request<'a>,
}

impl Scraped<'_> {
    fn refused(&self, policies: &[Object], how: Refusal, plane: DataPlane) -> String {
        let names: Vec<_> = policies.iter().map(ToString::to_string).collect();
        let names = names.join(" and ");
        let (lets, has) = match policies {
            [_] => ("lets", "has"),
            _ => ("let", "have"),
        };
        let (allow, around) = (self.way_in(), self.way_around());
        let place = self.meeting.place();
        let scraper = self.meeting.scraper.map(|(scraper, _)| &scraper.object);
        let who = scraper.map_or("scrapers".to_owned(), ToString::to_string);
        let not_who = scraper.map_or("no scraper".to_owned(), |object| format!("not {object}"));
        let (unseen, declare) = match plane {
            DataPlane::Ambient => ("ztunnel sees no HTTP", ""),
            DataPlane::Sidecar | DataPlane::None
                if blocks::speaks_its_own_tls(self.meeting.endpoint) =>
            {
                ("the sidecar cannot look into TLS that it does not end", "")
            }
            DataPlane::Sidecar | DataPlane::None => (
                "the sidecar does not see this port as HTTP",
                "declare the port as http in its Service (appProtocol: http, or a name http-...), or ",
            ),
        };
        match how {
            Refusal::Denied => format!("{names} denies {who} the way to {place}; {around}"),
            Refusal::DeniedWithoutHttp => format!(
                "{names} denies {who} the way to {place}: {unseen}, so of its rules only what is not about HTTP counts, and that matches; \
                 {declare}{around}"
            ),
            Refusal::NothingAllowed => format!(
                "{names} {has} no rules, so nobody is let in at {place}, and {not_who}; {allow}"
            ),
            Refusal::HttpRulesDropped => format!(
                "{names} can let {who} in at {place} only by rules about HTTP (paths, methods, hosts, tokens), but {unseen}, so they are dropped; \
                 {declare}{allow}"
            ),
            Refusal::NotAllowed => {
                format!("{names} {lets} only others in at {place}, and {not_who}; {allow}")
            }
        }
    }

    fn perhaps_refused(&self, why: &[String]) -> String {
        let scraper = self.meeting.scraper.map(|(scraper, _)| &scraper.object);
        format!(
            "policies may block {} at {}: {}; where metrics are missing, {}",
            scraper.map_or("scrapers".to_owned(), ToString::to_string),
            self.meeting.place(),
            why.join("; "),
            self.way_in()
        )
    }

    /// `on port 8080`, or nothing.
    fn on_port(&self) -> String {
        let port = self.request.port;
        port.map(|port| format!(" on port {port}"))
            .unwrap_or_default()
    }

    fn way_in(&self) -> String {
        let on_port = self.on_port();
        match self.request.peer {
            Peer::Identity { .. } => {
                format!("allow principal {}{on_port}", self.principal())
            }
            Peer::Nobody => format!(
                "add a rule without a source{on_port}, because the scrape comes without an identity of the mesh"
            ),
            Peer::Unknown => format!("allow the scraper{on_port}"),
        }
    }

    fn way_around(&self) -> String {
        match self.request.peer {
            Peer::Identity { .. } => format!(
                "except principal {} (notPrincipals), or the port (notPorts)",
                self.principal()
            ),
            Peer::Nobody | Peer::Unknown => "except the port (notPorts)".to_owned(),
        }
    }

    /// In a policy `cluster.local` stands for whatever the trust domain is called, but not for ztunnel.
    fn principal(&self) -> String {
        let mesh = self.meeting.scraping.patched.mesh();
        let domain = &mesh.settings_of(self.meeting.pods).trust_domain;
        let domain = domain.value.as_deref().unwrap_or("cluster.local");
        match self.request.peer {
            Peer::Identity {
                namespace,
                service_account,
            } => format!("{domain}/ns/{namespace}/sa/{service_account}"),
            Peer::Nobody | Peer::Unknown => String::new(),
        }
    }
}
