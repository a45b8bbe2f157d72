//! Which decisions do tests of reports ask about?
//!
//! Authority: none.
//! Departs from nothing.
//! Knows: the shape of a decision. Does not know: reports.

use std::sync::Arc;

use jsonptr::PointerBuf;

use super::{Located, Location};
use crate::config::{MtlsMode, Severity};
use crate::model::Object;
use crate::policy::DataPlane;
use crate::rules::{Decision, Demand, JudgedTarget, Now, Rule, Transport, Verdict, Wanted};

pub(super) fn object(kind: &str, name: &str) -> Object {
    Object {
        kind: kind.to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        api_version: "operator.victoriametrics.com/v1beta1".to_owned(),
        item: 0,
        namespace_assumed: false,
        ignored: false,
        local: false,
        context: false,
        accepted: Vec::new(),
    }
}

fn decided(object: Object, at: &str, rule: Rule, verdict: Verdict) -> Located {
    Located {
        decision: Decision {
            object,
            at: PointerBuf::parse(at).expect("a pointer"),
            rule,
            severity: rule.severity(),
            verdict,
            transport: None,
            targets: Vec::new(),
            scrapers: Vec::new(),
            message: format!("{} is why", rule.name()),
            steps: Vec::new(),
        },
        location: Location {
            remote: false,
            file: "-".to_owned(),
            index: 0,
            line: None,
        },
        patch: Vec::new(),
    }
}

/// A scraper that gets certificates.
pub(super) fn scraper(name: &str) -> Located {
    let rule = Rule::ScraperNeedsCertificates;
    decided(object("VMAgent", name), "/spec", rule, Verdict::Patch)
}

/// A finding on an object.
pub(super) fn finding(name: &str, rule: Rule) -> Located {
    decided(object("VMServiceScrape", name), "", rule, Verdict::Keep)
}

/// An endpoint that these scrapers select, decided by this rule.
pub(super) fn endpoint(name: &str, rule: Rule, scrapers: &[&str]) -> Located {
    let changes = rule == Rule::StrictNeedsTls;
    let verdict = match changes {
        true => Verdict::Patch,
        false => Verdict::Keep,
    };
    let scrape = object("VMServiceScrape", name);
    let mut located = decided(scrape, "/spec/endpoints/0", rule, verdict);
    located.decision.transport = Some(Transport {
        now: Now::Plain,
        wanted: match changes {
            true => Wanted::MutualTls,
            false => Wanted::Plain,
        },
    });
    let scrapers = scrapers.iter().map(|one| Arc::new(object("VMAgent", one)));
    located.decision.scrapers = scrapers.collect();
    let (mode, demand) = match changes {
        true => (MtlsMode::Strict, Demand::MutualTls),
        false => (MtlsMode::Permissive, Demand::Plain),
    };
    located.decision.targets = vec![target(name, mode, demand)];
    located
}

/// A port of a Deployment.
pub(super) fn target(name: &str, mode: MtlsMode, demand: Demand) -> Arc<JudgedTarget> {
    Arc::new(JudgedTarget {
        kind: "Deployment".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        part: None,
        port: Some(8080),
        via: String::new(),
        data_plane: Some(DataPlane::Sidecar),
        captured: Some(true),
        mode: Some(mode),
        proven: true,
        demand,
        because: vec![format!("PeerAuthentication shop/{name}: STRICT")],
        chain: Vec::new(),
    })
}

/// A decision that is an error.
pub(super) fn refused(mut located: Located) -> Located {
    located.decision.severity = Severity::Error;
    located.decision.verdict = Verdict::Refuse;
    located
}
