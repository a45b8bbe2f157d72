//! Our answer: which endpoint gets Istio's certificates, which loses them, which is left alone, and why?
//!
//! Authority: the tables in `demand.rs` and `endpoint.rs`; the README lists the rules.
//! Departs from nothing: where a fact is unknown the answer is "keep", with a finding that names what is missing.
//! Knows: Istio's answer, VictoriaMetrics' answer, settings. Does not know: text, files, output formats.
//!
//! ```text
//!                                                                       in the file
//! Scrape ──targets──► pods and ports ──policy──► demand, summed up      view, at_port, demand, summary
//!    └── tlsConfig, scheme, what a class adds ──► how it is written     written, inherited
//!          │
//!          ▼ the endpoint table: what is asked for                      endpoint
//!        draft, one for each endpoint of the object                     draft
//!          │
//!          ▼ may a scrape class bring the certificates to all of them?  scrape_class
//!        class
//!          │
//!          ▼ how is it done, and what forbids it?                       answer
//!        answer ──► Decision, in words                                  message
//!          ├── https for all targets, or for none                       written
//!          ├── https for some, by a relabelling rule                    mixed, distinguish, signs, scheme_rule, relabel
//!          ├── https for all but the pod that scrapes                   own_pod
//!          └── as it is, and why                                        obstacle, unrepaired, self_scrape
//!
//! Scraper ── endpoints that are to use certificates ──► Decision        scraper: certificates, completion, interception
//! what is odd about all the rest ──► Decision                           findings, and a file for each larger one
//! ```

mod accepted;
mod additional;
mod answer;
mod at_port;
mod blocks;
pub mod catalog;
mod certificates;
mod completion;
mod converter;
mod copies;
mod decision;
mod demand;
mod distinguish;
mod draft;
mod endpoint;
mod failing;
mod findings;
mod inherited;
mod interception;
mod judgements;
mod merged;
mod message;
mod metrics_port;
mod mixed;
mod obstacle;
mod originates;
mod own_certificates;
mod own_pod;
mod policies;
mod refused;
mod relabel;
mod remote_write;
mod scheme_rule;
mod scrape_class;
mod scraper;
mod selecting;
mod self_scrape;
mod signs;
mod steps;
mod summary;
mod tls_settings;
mod tunnel;
mod unrepaired;
mod view;
mod volumes;
mod written;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use jsonptr::Pointer;

use crate::config::Config;
use crate::model::Inventory;
use crate::policy::Settings;

pub use catalog::Rule;
pub use decision::{Decision, Demand, JudgedTarget, Now, Step, Transport, Verdict, Wanted};
pub use failing::Failing;

/// Every decision about every scrape object and scraper of the inventory, in the order of the items.
///
/// Patches change facts: a scraper that gets certificates may get a sidecar, and with it its own
/// ports come under the policy and its requests to Services are encrypted on the way. So endpoints
/// are judged against the scrapers as they will be, again until no further scraper needs
/// certificates. A scraper never loses that need within a run, so this ends.
pub fn decide(inventory: &Inventory, config: &Config) -> Vec<Decision> {
    let settings = Settings::of(inventory, config);
    let mut needing = BTreeSet::new();
    let mut mesh = scraper::as_patched(inventory, &settings, config, &needing);
    let mut endpoints = endpoint::decide_all(&mesh, config);
    loop {
        let known = needing.len();
        needing.extend(endpoint::scrapers_in_need(&endpoints));
        if needing.len() == known {
            break;
        }
        let before = mesh;
        mesh = scraper::as_patched(inventory, &settings, config, &needing);
        // Certificates that come without a change of pods change no answer.
        if before.has_pods_as_written() && mesh.has_pods_as_written() {
            mesh.judgements = before.judgements;
            break;
        }
        endpoints = endpoint::decide_all(&mesh, config);
    }
    let mut decisions = findings::decide_all(&mesh, config, &endpoints);
    decisions.extend(scraper::decide_all(
        &mesh, inventory, &needing, config, &endpoints,
    ));
    // What is said of an endpoint takes as much memory as what is known of all pods.
    drop(mesh);
    let spoken_of = endpoints.into_iter().filter(|judged| !judged.is_silent);
    decisions.extend(spoken_of.map(|judged| judged.decision));
    for decision in &mut decisions {
        decision.settle_severity(config);
    }
    decisions.sort_by(in_order);
    decisions.dedup_by(|a, b| {
        a.rule == b.rule && a.object == b.object && a.at == b.at && a.message == b.message
    });
    decisions
}

/// The order of decisions: by item, then place, then rule.
pub fn in_order(a: &Decision, b: &Decision) -> Ordering {
    let by_place = |a: &Decision, b: &Decision| steps_of(&a.at).cmp(steps_of(&b.at));
    let item = a.object.item.cmp(&b.object.item);
    item.then_with(|| by_place(a, b))
        .then_with(|| a.rule.cmp(&b.rule))
        .then_with(|| a.message.cmp(&b.message))
}

/// The tokens of a pointer, positions in lists by number: the tenth endpoint comes after the second.
fn steps_of(at: &Pointer) -> impl Iterator<Item = (Option<usize>, Cow<'_, str>)> {
    let tokens = at.as_str().split('/').skip(1).zip(at.tokens());
    tokens.map(|(written, token)| {
        let token = match written.contains('~') {
            true => Cow::Owned(token.decoded().into_owned()),
            false => Cow::Borrowed(written),
        };
        (token.parse().ok(), token)
    })
}
