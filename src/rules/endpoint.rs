//! Which endpoint is turned towards certificates, which is turned back, which is left alone?
//!
//! Authority: [`row`], the table.
//! Departs from nothing: what is not known is kept, with a finding.
//! Knows: endpoints, their targets' demands, scrapers as patched. Does not know: text.

use std::collections::BTreeSet;

use super::Rule;
use super::decision::{Decision, Demand, Now, Step, Transport, Verdict, Wanted};
use super::demand::{self, Aside, Judged};
use super::message::{self, Subject};
use super::obstacle;
use super::relabel;
use super::scraper::Patched;
use super::summary::{self, Summary};
use super::written;
use crate::config::{Config, InjectionUnknown, Severity, TargetsUnknown};
use crate::model::{Endpoint, Scrape};
use crate::targets;

/// An endpoint with its decision, and what the decisions about others need to know of it.
pub(super) struct JudgedEndpoint {
    /// The decision.
    pub(super) decision: Decision,
    /// Its targets.
    pub(super) judged: Vec<Judged>,
    /// Positions of the scrapers that select it.
    pub(super) scrapers: Vec<usize>,
    /// The directory of the certificates that it is to use; `None`: it is to use none.
    pub(super) certificates: Option<String>,
}

/// What a row of the table asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// https with the certificates, for every target.
    ToMutualTls,
    /// The certificates, https chosen when scraping.
    ToPerTarget,
    /// Nothing of Istio's certificates.
    ToPlain,
    /// As it is.
    Nowhere,
    /// As it is, and the run fails.
    Refuse,
}

/// The endpoint table: what its targets demand, against how it is written.
fn row(demands: Summary, now: Now, config: &Config) -> (Rule, Turn) {
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

        (Summary::Mixed { by_injection: true }, Now::PerTarget) => {
            (Rule::TlsNeedsRepair, Turn::ToPerTarget)
        }
        (
            Summary::Mixed {
                by_injection: false,
            },
            Now::PerTarget,
        )
        | (Summary::Mixed { .. }, Now::Plain | Now::MutualTls) => {
            (Rule::MixedTargets, Turn::Nowhere)
        }
        (Summary::Mixed { .. }, Now::Own) => (Rule::OwnTlsUnderStrict, Turn::Nowhere),

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

/// Decides every endpoint of the inventory.
pub(super) fn decide_all(patched: &Patched<'_>, config: &Config) -> Vec<JudgedEndpoint> {
    patched
        .inventory
        .scrapes
        .iter()
        .flat_map(|scrape| {
            scrape
                .endpoints
                .iter()
                .map(|endpoint| decide(patched, scrape, endpoint, config))
        })
        .collect()
}

/// The scrapers that the endpoints turned towards certificates, or already using them, need.
pub(super) fn scrapers_in_need(endpoints: &[JudgedEndpoint]) -> BTreeSet<usize> {
    endpoints
        .iter()
        .filter(|endpoint| endpoint.certificates.is_some())
        .flat_map(|endpoint| endpoint.scrapers.iter().copied())
        .collect()
}

fn decide(
    patched: &Patched<'_>,
    scrape: &Scrape,
    endpoint: &Endpoint,
    config: &Config,
) -> JudgedEndpoint {
    let scrapers: Vec<_> = patched
        .selecting(scrape)
        .into_iter()
        .map(|(position, _)| position)
        .collect();
    let view = judge(patched, scrape, endpoint, &scrapers);
    let effective = written::effective(endpoint, class_tls(patched, scrape, &scrapers));
    let now = effective.now();
    let demands = summary::summarise(&view.judged, !view.gaps.is_empty(), config);

    let (mut rule, mut turn) = row(demands, now, config);
    let mut obstacle = None;
    if rule == Rule::OwnTlsIsKept {
        // Whatever else is said of it, the endpoint is not ours.
    } else if let Some(blocked) = obstacle::rewritten(patched, scrape, endpoint, &scrapers) {
        (rule, turn) = (blocked.rule, Turn::Nowhere);
        obstacle = Some(blocked.why);
    } else if view.scrapers_disagree {
        (rule, turn) = (Rule::MixedTargets, Turn::Nowhere);
        obstacle = Some("the scrapers that select it would need different settings".to_owned());
    }

    let mut steps = Vec::new();
    let mut certificates = None;
    if matches!(turn, Turn::ToMutualTls | Turn::ToPerTarget) {
        let per_target = turn == Turn::ToPerTarget;
        let directory = obstacle::directory(patched, endpoint, &scrapers, config);
        let blocked = match &directory {
            Ok(directory) => {
                steps = if per_target {
                    effective.towards_per_target(directory)
                } else {
                    effective.towards_mutual_tls(directory)
                };
                let in_the_way =
                    obstacle::to_certificates(patched, scrape, endpoint, &scrapers, per_target);
                // What is written right already is not undone by what would keep us from writing it;
                // but a scraper that refuses files refuses them whoever wrote them.
                in_the_way
                    .filter(|blocked| !steps.is_empty() || blocked.rule == Rule::FilesAreDenied)
            }
            Err(blocked) => Some(blocked.clone()),
        };
        match blocked {
            Some(blocked) => {
                (rule, turn) = (blocked.rule, Turn::Nowhere);
                obstacle = Some(blocked.why);
                steps.clear();
            }
            None => certificates = directory.ok(),
        }
    } else if turn == Turn::ToPlain {
        steps = effective.towards_plain();
    }
    if steps.is_empty() && !matches!(turn, Turn::Nowhere | Turn::Refuse) {
        rule = Rule::AlreadyRight;
    }
    if rule == Rule::AlreadyRight && view.is_encrypted_by_sidecar() {
        rule = Rule::SidecarOriginatesTls;
    }

    let wanted = summary::wanted(demands);
    let message = message::endpoint(&Subject {
        rule,
        turned: !steps.is_empty(),
        judged: &view.judged,
        gaps: &view.gaps,
        obstacle: obstacle.as_deref(),
        directory: certificates.as_deref(),
    });
    let decision = decision(
        scrape, endpoint, rule, turn, steps, now, wanted, message, &view,
    );
    JudgedEndpoint {
        decision,
        judged: view.judged,
        scrapers,
        certificates,
    }
}

/// `tlsConfig` of the scrape class that applies to the object.
fn class_tls<'a>(
    patched: &'a Patched<'_>,
    scrape: &Scrape,
    scrapers: &[usize],
) -> Option<&'a serde_json::Value> {
    let (scraper, _) = patched.scraper(*scrapers.first()?);
    let (_, class) = relabel::class_of(&scraper.spec, scrape.scrape_class.as_deref())?;
    class.get("tlsConfig")
}

#[expect(clippy::too_many_arguments, reason = "each is a field of the decision")]
fn decision(
    scrape: &Scrape,
    endpoint: &Endpoint,
    rule: Rule,
    turn: Turn,
    steps: Vec<Step>,
    now: Now,
    wanted: Wanted,
    message: String,
    view: &View,
) -> Decision {
    let mut decision = Decision::finding(&scrape.object, endpoint.at.clone(), rule, message);
    decision.transport = Some(Transport { now, wanted });
    decision.targets = view
        .judged
        .iter()
        .map(|judged| judged.shown.clone())
        .collect();
    if turn == Turn::Refuse {
        decision.verdict = Verdict::Refuse;
        decision.severity = Severity::Error;
    } else if !steps.is_empty() {
        if scrape.object.is_untouchable() {
            decision.severity = Severity::Info;
            decision.message = format!(
                "{}, but {} forbids to change it",
                decision.message,
                scrape.object.hands_off()
            );
        } else {
            decision.verdict = Verdict::Patch;
            decision.steps = steps;
        }
    }
    decision
}

/// An endpoint's targets, as its scrapers meet them.
struct View {
    judged: Vec<Judged>,
    gaps: Vec<String>,
    scrapers_disagree: bool,
}

impl View {
    /// Whether the endpoint stays plain only because a sidecar encrypts its requests.
    fn is_encrypted_by_sidecar(&self) -> bool {
        self.judged.iter().any(|judged| {
            judged.aside == Some(Aside::SidecarOriginatesTls)
                && judged.shown.demand == Demand::Plain
        })
    }
}

fn judge(patched: &Patched<'_>, scrape: &Scrape, endpoint: &Endpoint, scrapers: &[usize]) -> View {
    let mut views = scrapers.iter().map(|position| {
        let (scraper, state) = patched.scraper(*position);
        judge_for(patched, scrape, endpoint, Some((scraper, state)))
    });
    let Some(mut first) = views.next() else {
        return judge_for(patched, scrape, endpoint, None);
    };
    let demands = |view: &View| -> Vec<_> {
        view.judged
            .iter()
            .map(|judged| judged.shown.demand)
            .collect()
    };
    let expected = (demands(&first), first.gaps.is_empty());
    first.scrapers_disagree =
        views.any(|other| (demands(&other), other.gaps.is_empty()) != expected);
    first
}

fn judge_for(
    patched: &Patched<'_>,
    scrape: &Scrape,
    endpoint: &Endpoint,
    scraper: Option<(&crate::model::Scraper, &super::scraper::ScraperState)>,
) -> View {
    let own_namespace_only =
        scraper.is_some_and(|(scraper, _)| scraper.ignores_namespace_selectors);
    let reach = targets::reach(&patched.inventory, scrape, endpoint, own_namespace_only);
    let mesh = patched.mesh();
    View {
        judged: reach
            .targets
            .iter()
            .flat_map(|target| demand::judge(&patched.inventory, &mesh, scraper, target))
            .collect(),
        gaps: reach.gaps,
        scrapers_disagree: false,
    }
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
        let mut all = vec![Summary::MutualTls, Summary::Unreachable];
        for yes in [false, true] {
            all.extend([
                Summary::Plain { proven: yes },
                Summary::Mixed { by_injection: yes },
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
