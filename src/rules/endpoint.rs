//! Which endpoint is turned towards certificates, which is turned back, which is left alone?
//!
//! Authority: [`row`], the table.
//! Departs from nothing: what is not known is kept, with a finding.
//! Knows: endpoints, their targets' demands, scrapers as patched. Does not know: text.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Rule;
use super::answer::answer;
use super::decision::{Decision, Demand, Now, Step, Transport, Verdict, Wanted};
use super::demand::Judged;
use super::draft::{Draft, draft, leaning};
use super::message::{self, Subject};
use super::metrics_port;
use super::own_pod;
use super::scrape_class::{self, AtEndpoint, Class};
use super::scraper::Patched;
use super::self_scrape;
use super::summary::{self, Summary};
use super::view::{self, Scraping, View};
use crate::config::{Config, InjectionUnknown, Severity, TargetsUnknown};
use crate::model::{Endpoint, Origin, ScrapeKind, Scraper};
use crate::parallel;

/// The endpoint table: what its targets demand, against how it is written.
pub(super) fn row(demands: Summary, now: Now, config: &Config) -> (Rule, Turn) {
    match (demands, now) {
        (Summary::MutualTls, Now::Plain) => (Rule::StrictNeedsTls, Turn::ToMutualTls),
        (Summary::MutualTls, Now::MutualTls | Now::PerTarget) => {
            (Rule::TlsNeedsRepair, Turn::ToMutualTls)
        }
        (Summary::MutualTls, Now::Own) => (Rule::OwnTlsUnderStrict, Turn::Nowhere),

        // PERMISSIVE targets must not get tlsConfig: their demand is plain.
        (Summary::Plain { .. }, Now::Plain) => (Rule::AlreadyRight, Turn::Nowhere),
        (Summary::Plain { proven: true }, Now::MutualTls | Now::PerTarget) => {
            (Rule::StaleTls, Turn::ToPlain)
        }
        (Summary::Plain { proven: false }, Now::MutualTls | Now::PerTarget) => {
            (Rule::StaleTlsSuspected, Turn::Nowhere)
        }
        (Summary::Plain { .. }, Now::Own) => (Rule::OwnTlsIsKept, Turn::Nowhere),

        (Summary::Mixed, Now::Plain | Now::MutualTls) => (Rule::MixedTargets, Turn::ToPerTarget),
        (Summary::Mixed, Now::PerTarget) => (Rule::TlsNeedsRepair, Turn::ToPerTarget),
        (Summary::Mixed, Now::Own) => (Rule::OwnTlsUnderStrict, Turn::Nowhere),

        (Summary::InjectionUnknown { tellable }, Now::Plain) => {
            (Rule::InjectionUnknown, if_unknown(tellable, config))
        }
        (Summary::InjectionUnknown { tellable: true }, Now::PerTarget) => {
            (Rule::TlsNeedsRepair, Turn::ToPerTarget)
        }
        (Summary::InjectionUnknown { tellable: false }, Now::PerTarget) => {
            (Rule::InjectionUnknown, Turn::Nowhere)
        }
        (Summary::InjectionUnknown { .. }, Now::MutualTls) => match config.injection_unknown {
            InjectionUnknown::Assume => (Rule::TlsNeedsRepair, Turn::ToMutualTls),
            InjectionUnknown::Relabel | InjectionUnknown::Ignore => {
                (Rule::InjectionUnknown, Turn::Nowhere)
            }
        },
        (Summary::InjectionUnknown { .. }, Now::Own) => (Rule::OwnTlsIsKept, Turn::Nowhere),

        (
            Summary::Unknown {
                known_are_plain: true,
            },
            Now::Plain,
        ) => (Rule::AlreadyRight, Turn::Nowhere),
        (
            Summary::Unknown {
                known_are_plain: true,
            },
            Now::MutualTls | Now::PerTarget,
        ) => (Rule::StaleTlsSuspected, Turn::Nowhere),
        (
            Summary::Unknown {
                known_are_plain: false,
            },
            Now::Plain | Now::MutualTls | Now::PerTarget,
        ) => match config.targets_unknown {
            TargetsUnknown::Keep => (Rule::TargetUnknown, Turn::Nowhere),
            TargetsUnknown::Refuse => (Rule::TargetUnknown, Turn::Refuse),
        },
        (Summary::Unknown { .. }, Now::Own) => (Rule::OwnTlsIsKept, Turn::Nowhere),

        (Summary::Unreachable, Now::Plain | Now::MutualTls | Now::PerTarget | Now::Own) => {
            (Rule::AmbientStrictUnreachable, Turn::Nowhere)
        }
    }
}

/// What `injection.unknown` wants for STRICT pods that may or may not have a sidecar.
fn if_unknown(tellable: bool, config: &Config) -> Turn {
    match config.injection_unknown {
        InjectionUnknown::Relabel if tellable => Turn::ToPerTarget,
        InjectionUnknown::Relabel | InjectionUnknown::Ignore => Turn::Nowhere,
        InjectionUnknown::Assume => Turn::ToMutualTls,
    }
}

/// What a row of the table asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// https with the certificates, for every target.
    ToMutualTls,
    /// The certificates, https chosen when scraping.
    ToPerTarget,
    /// https with the certificates, but for the pod that scrapes.
    ToOthers,
    /// Nothing of Istio's certificates.
    ToPlain,
    /// As it is.
    Nowhere,
    /// As it is, and the run fails.
    Refuse,
}

/// An endpoint with its decision, and what the decisions about others need to know of it.
pub(super) struct JudgedEndpoint {
    /// The decision.
    pub(super) decision: Decision,
    /// Its targets.
    pub(super) judged: Vec<Judged>,
    /// The kind of the object that it is in.
    pub(super) kind: ScrapeKind,
    /// Positions of the scrapers that select it.
    pub(super) scrapers: Vec<usize>,
    /// The directory of the certificates that it is to name; `None`: it is to use none.
    pub(super) certificates: Option<String>,
    /// The scrape class that they come by; `None`: its own tlsConfig.
    class: Option<Class>,
    /// The scrape class that its scrapers have to have: the one that they come by, or that its object names besides.
    pub(super) required_class: Option<Class>,
    /// It has, or gets, the rule for the scraper's own pod, which needs a variable in the scraper's environment.
    pub(super) needs_pod_address: bool,
    /// Nobody wrote it: an operator makes it.
    pub(super) is_generated: bool,
    /// Nobody wrote it, and nothing is to be said of it.
    pub(super) is_silent: bool,
}

impl JudgedEndpoint {
    /// The directory in which a scraper that selects it, at this position, is to have the certificates for it.
    pub(super) fn certificates_for(&self, position: usize, scraper: &Scraper) -> Option<String> {
        let named = self.certificates.as_deref()?;
        let class = self.class.as_ref();
        Some(match class.and_then(|class| class.directory(position)) {
            Some(directory) => directory.to_owned(),
            None => scraper.kind.path(self.kind, named),
        })
    }

    /// Whether it is written with Istio's certificates and stays so.
    pub(super) fn keeps_certificates(&self) -> bool {
        let now = self.decision.transport.map(|transport| transport.now);
        matches!(now, Some(Now::MutualTls | Now::PerTarget)) && self.decision.steps.is_empty()
    }
}

/// Decides every endpoint of the inventory.
pub(super) fn decide_all(patched: &Patched<'_>, config: &Config) -> Vec<JudgedEndpoint> {
    let scrapes: Vec<usize> = (0..patched.inventory.scrapes.len()).collect();
    parallel::listed(&scrapes, |part| decide_some(patched, part, config))
}

/// Decides the endpoints of the scrape objects at these positions, which follow each other.
fn decide_some(patched: &Patched<'_>, part: &[usize], config: &Config) -> Vec<JudgedEndpoint> {
    let endpoints = part.iter().map(|position| {
        let scrape = &patched.inventory.scrapes[*position];
        scrape.endpoints.len()
    });
    let mut judged = Vec::with_capacity(endpoints.sum());
    let mut of_last = (Vec::new(), Vec::new());
    for &position in part {
        let scrape = &patched.inventory.scrapes[position];
        // The first may be a copy of the last in the part before.
        if patched.copies.of_scrape(position) == position || part.first() == Some(&position) {
            let selecting = patched.selecting(scrape).into_iter();
            of_last = (
                selecting.map(|(position, _)| position).collect(),
                Vec::new(),
            );
        }
        let (scrapers, views) = &mut of_last;
        let distinct = patched.copies.distinct(scrapers);
        let drafts: Vec<_> = scrape
            .endpoints
            .iter()
            .enumerate()
            .map(|(at, endpoint)| {
                let scraping = Scraping {
                    patched,
                    scrape,
                    endpoint,
                    scrapers: scrapers.clone(),
                    distinct: distinct.clone(),
                };
                // A copy meets what the first of them met.
                let view = views.get(at).cloned();
                let view = view.unwrap_or_else(|| view::view(&scraping, config));
                draft(scraping, view, config)
            })
            .collect();
        if views.is_empty() && patched.copies.is_repeated(position) {
            views.extend(drafts.iter().map(|draft| draft.view.clone()));
        }
        let leanings: Vec<_> = drafts.iter().map(leaning).collect();
        let class = scrape_class::of_object(&leanings, config);
        let mut begun = None;
        for (position, draft) in drafts.into_iter().enumerate() {
            let mut one = decide(draft, &class.at(position), config);
            if one.is_generated && one.decision.verdict == Verdict::Patch {
                let endpoint = &scrape.endpoints[position];
                let steps = std::mem::take(&mut one.decision.steps);
                one.decision.steps = self_scrape::written_whole(endpoint, steps, &mut begun);
            }
            judged.push(one);
        }
    }
    judged
}

/// The scrapers that the endpoints turned towards certificates, or already using them, need.
pub(super) fn scrapers_in_need(endpoints: &[JudgedEndpoint]) -> BTreeSet<usize> {
    endpoints
        .iter()
        .filter(|endpoint| endpoint.certificates.is_some())
        .flat_map(|endpoint| endpoint.scrapers.iter().copied())
        .collect()
}

fn decide(draft: Draft<'_>, class: &AtEndpoint<'_>, config: &Config) -> JudgedEndpoint {
    let answer = answer(&draft, class, config);
    let Draft {
        scraping,
        view,
        effective,
        ..
    } = draft;
    let now = match effective.now() {
        Now::MutualTls if own_pod::has_rule(scraping.endpoint) => Now::PerTarget,
        now => now,
    };
    let rule = match answer.rule {
        Rule::AlreadyRight if view.is_encrypted_by_sidecar() => Rule::SidecarOriginatesTls,
        Rule::AmbientStrictUnreachable => {
            metrics_port::rule_of_all(&view.judged).unwrap_or(answer.rule)
        }
        rule => rule,
    };

    let mut message = message::endpoint(&Subject {
        rule,
        steps: &answer.steps,
        judged: &view.judged,
        gaps: &view.gaps,
        obstacle: answer.obstacle.as_deref(),
        directory: class
            .place(&effective, answer.certificates.as_deref())
            .as_deref(),
        config,
    });
    if answer.turn == Turn::ToOthers && !answer.steps.is_empty() {
        let directory = class.place(&effective, answer.certificates.as_deref());
        let directory = directory.as_deref().unwrap_or_default();
        message = own_pod::message(&view.judged, rule, &answer.steps, directory);
    }
    if let Some(rules) = view.what_relabelling_may_change(rule) {
        message = format!("{message}; {rules}");
    }
    let object = &scraping.scrape.object;
    let mut decision = Decision::finding(object, scraping.endpoint.place(), rule, message);
    decision.transport = Some(Transport {
        now,
        wanted: match answer.turn {
            Turn::ToOthers => Wanted::PerTarget,
            Turn::ToMutualTls
            | Turn::ToPerTarget
            | Turn::ToPlain
            | Turn::Nowhere
            | Turn::Refuse => summary::wanted(view.demands, config),
        },
    });
    decision.targets = view
        .judged
        .iter()
        .map(|judged| judged.shown.clone())
        .collect();
    decision.scrapers = scraping
        .every_scraper()
        .map(|(_, (_, state))| Arc::clone(&state.object))
        .collect();
    let mut certificates = answer.certificates;
    if rule == Rule::TlsNeedsRepair && answer.steps.is_empty() {
        // What is wrong stays wrong.
        decision.severity = Severity::Warning;
    }
    if answer.turn == Turn::Refuse {
        decision.verdict = Verdict::Refuse;
        decision.severity = Severity::Error;
    } else if !answer.steps.is_empty() && object.is_untouchable() {
        decision.severity = Severity::Info;
        decision.message = format!("{}; {}", object.hands_off(), decision.message);
        certificates = None;
    } else if !answer.steps.is_empty() {
        decision.verdict = Verdict::Patch;
        decision.steps = in_place(scraping.endpoint, answer.steps);
        // Served, and so nothing to worry about.
        if rule == Rule::MixedTargets {
            decision.severity = Severity::Info;
        }
        if rests_on_an_assumption(&view) {
            decision.severity = decision.severity.max(Severity::Warning);
            if let Some(assumed) = message::assumed::said(&view.judged) {
                decision.message = format!("{}; {assumed}", decision.message);
            }
        }
    }
    JudgedEndpoint {
        is_generated: scraping.endpoint.origin != Origin::Written,
        is_silent: self_scrape::is_silent(scraping.endpoint, &view.judged, &decision),
        needs_pod_address: answer.needs_pod_address && certificates.is_some(),
        decision,
        judged: view.judged,
        kind: scraping.scrape.kind,
        scrapers: scraping.scrapers,
        class: class
            .class_for(&effective)
            .filter(|_| certificates.is_some())
            .cloned(),
        required_class: class
            .required_for(&effective)
            .filter(|_| certificates.is_some())
            .cloned(),
        certificates,
    }
}

/// Steps of an endpoint within a string are steps inside of the string.
fn in_place(endpoint: &Endpoint, steps: Vec<Step>) -> Vec<Step> {
    let Some(within) = &endpoint.within else {
        return steps;
    };
    let ops = steps.into_iter().flat_map(|step| match step {
        Step::Op(op) => vec![op],
        Step::Inside { ops, .. } => ops,
    });
    vec![Step::Inside {
        at: within.clone(),
        ops: ops.collect(),
    }]
}

/// TLS of its own is kept for every scraper; it is in vain where one of them meets mutual TLS.
pub(super) fn own_tls(view: &View) -> Rule {
    let in_vain = |judged: &Judged| judged.shown.demand == Demand::MutualTls;
    match view.judged.iter().any(in_vain) {
        true => Rule::OwnTlsUnderStrict,
        false => Rule::OwnTlsIsKept,
    }
}

/// Whether mutual TLS is demanded by a mode that a policy in the input may overrule.
fn rests_on_an_assumption(view: &View) -> bool {
    view.judged
        .iter()
        .any(|judged| judged.shown.demand == Demand::MutualTls && !judged.mode_proven)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWS: [Now; 4] = [Now::Plain, Now::MutualTls, Now::PerTarget, Now::Own];

    fn settings() -> Vec<Config> {
        let mut all = Vec::new();
        for injection_unknown in [
            InjectionUnknown::Relabel,
            InjectionUnknown::Assume,
            InjectionUnknown::Ignore,
        ] {
            for targets_unknown in [TargetsUnknown::Keep, TargetsUnknown::Refuse] {
                all.push(Config {
                    injection_unknown,
                    targets_unknown,
                    ..Config::default()
                });
            }
        }
        all
    }

    fn summaries() -> Vec<Summary> {
        let mut all = vec![Summary::MutualTls, Summary::Mixed, Summary::Unreachable];
        for yes in [false, true] {
            all.extend([
                Summary::Plain { proven: yes },
                Summary::InjectionUnknown { tellable: yes },
                Summary::Unknown {
                    known_are_plain: yes,
                },
            ]);
        }
        all
    }

    /// Every cell of the table, under every setting that it depends on.
    fn cells() -> Vec<(Summary, Now, Rule, Turn)> {
        let mut cells = Vec::new();
        for config in settings() {
            for demands in summaries() {
                for now in NOWS {
                    let (rule, turn) = row(demands, now, &config);
                    cells.push((demands, now, rule, turn));
                }
            }
        }
        cells
    }

    /// PERMISSIVE targets must not get tlsConfig.
    #[test]
    fn plain_targets_never_get_certificates() {
        for (demands, now, _, turn) in cells() {
            if matches!(demands, Summary::Plain { .. }) {
                assert!(
                    matches!(turn, Turn::ToPlain | Turn::Nowhere),
                    "{demands:?} {now:?}"
                );
            }
        }
    }

    /// TLS that is not Istio's is never touched.
    #[test]
    fn own_tls_is_never_touched() {
        for (demands, now, _, turn) in cells() {
            if now == Now::Own {
                assert_eq!(turn, Turn::Nowhere, "{demands:?}");
            }
        }
    }

    /// Certificates are removed only where every target is proven to be plain.
    #[test]
    fn removing_needs_proof() {
        for (demands, now, rule, turn) in cells() {
            if turn == Turn::ToPlain {
                assert_eq!(demands, Summary::Plain { proven: true }, "{now:?}");
                assert_eq!(rule, Rule::StaleTls);
            }
        }
    }

    /// What nobody knows changes nothing.
    #[test]
    fn unknown_targets_change_nothing() {
        for (demands, now, _, turn) in cells() {
            if matches!(demands, Summary::Unknown { .. } | Summary::Unreachable) {
                assert!(
                    matches!(turn, Turn::Nowhere | Turn::Refuse),
                    "{demands:?} {now:?}"
                );
            }
        }
    }
}
