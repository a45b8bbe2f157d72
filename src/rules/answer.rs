//! How is done what the endpoint table asks for, and what forbids it?
//!
//! Authority: the table in `endpoint.rs` for what is asked; `obstacle.rs`, `unrepaired.rs`, `scrape_class.rs` for what forbids.
//! Departs from nothing.
//! Knows: how an endpoint is written, what its targets demand. Does not know: words.

use super::Rule;
use super::decision::Step;
use super::draft::Draft;
use super::endpoint::Turn;
use super::obstacle::{self, Blocked};
use super::own_pod;
use super::scheme_rule::SchemeRule;
use super::scrape_class::AtEndpoint;
use super::summary::Summary;
use super::unrepaired;
use crate::config::{Config, TargetsMixed};

/// What becomes of an endpoint.
pub(super) struct Answer {
    /// The rule that decides.
    pub(super) rule: Rule,
    /// What the table asked for.
    pub(super) turn: Turn,
    /// The change.
    pub(super) steps: Vec<Step>,
    /// The directory of the certificates that it is to use.
    pub(super) certificates: Option<String>,
    /// The rule for the scraper's own pod is there, or will be, which needs a variable in the scraper's environment.
    pub(super) needs_pod_address: bool,
    /// What stood in the way of the table.
    pub(super) obstacle: Option<String>,
}

impl Answer {
    fn kept(blocked: Blocked) -> Self {
        Self {
            rule: blocked.rule,
            turn: Turn::Nowhere,
            steps: Vec::new(),
            certificates: None,
            needs_pod_address: false,
            obstacle: Some(blocked.why),
        }
    }

    /// What the table asks for; what is so already is right.
    fn taken(rule: Rule, turn: Turn, steps: Vec<Step>, certificates: Option<String>) -> Self {
        let nothing_to_do = steps.is_empty() && !matches!(turn, Turn::Nowhere | Turn::Refuse);
        Self {
            rule: match nothing_to_do {
                true => Rule::AlreadyRight,
                false => rule,
            },
            turn,
            steps,
            certificates,
            needs_pod_address: turn == Turn::ToOthers,
            obstacle: None,
        }
    }
}

/// Does what the table asks for, unless something forbids it.
pub(super) fn answer(draft: &Draft<'_>, class: &AtEndpoint<'_>, config: &Config) -> Answer {
    let (rule, turn) = match &draft.asked {
        Ok(asked) => *asked,
        Err(blocked) => return Answer::kept(blocked.clone()),
    };
    let done = match turn {
        Turn::Nowhere => {
            let (scraping, effective) = (&draft.scraping, &draft.effective);
            match unrepaired::while_unknown(scraping, effective, rule, config) {
                Some(blocked) => Err(blocked),
                None => Ok((Vec::new(), None)),
            }
        }
        Turn::Refuse => Ok((Vec::new(), None)),
        Turn::ToPlain => class
            .unseen()
            .or_else(|| unrepaired::among_others(&draft.effective))
            .map_or_else(
                || Ok((class.left(draft.effective.towards_plain()), None)),
                Err,
            ),
        Turn::ToPerTarget if draft.view.demands == Some(Summary::Mixed) => {
            return told_apart(draft, rule, class, config);
        }
        Turn::ToMutualTls | Turn::ToPerTarget | Turn::ToOthers => {
            to_certificates(draft, &Way::of(turn), class, config)
        }
    };
    match done {
        Ok((steps, certificates)) => Answer::taken(rule, turn, steps, certificates),
        Err(blocked) => Answer::kept(blocked),
    }
}

/// Chooses the scheme for each target, if something tells those apart that demand different ones.
fn told_apart(draft: &Draft<'_>, rule: Rule, class: &AtEndpoint<'_>, config: &Config) -> Answer {
    let telling = match draft.telling() {
        Ok(telling) => telling,
        Err(why) => return unserved(why.clone(), config),
    };
    let own_pod_last = telling.own_pod_last;
    let way = match own_pod_last {
        false => Way::ByRules(Rule::MixedTargets, telling.rules.clone()),
        true => Way::ByRulesThenOthers(telling.rules.clone()),
    };
    match to_certificates(draft, &way, class, config) {
        Ok((steps, _)) if !steps.is_empty() && config.targets_mixed != TargetsMixed::Relabel => {
            unserved(String::new(), config)
        }
        Ok((steps, certificates)) => Answer {
            needs_pod_address: own_pod_last,
            ..Answer::taken(rule, Turn::ToPerTarget, steps, certificates)
        },
        Err(blocked) if blocked.rule == Rule::MixedTargets => unserved(blocked.why, config),
        Err(blocked) => Answer::kept(blocked),
    }
}

/// One endpoint cannot serve all of its targets.
fn unserved(why: String, config: &Config) -> Answer {
    let kept = Answer::kept(Blocked {
        rule: Rule::MixedTargets,
        why,
    });
    match config.targets_mixed {
        TargetsMixed::Relabel | TargetsMixed::Keep => kept,
        TargetsMixed::Refuse => Answer {
            turn: Turn::Refuse,
            ..kept
        },
    }
}

/// To which targets an endpoint with certificates speaks https.
enum Way {
    /// To all.
    All,
    /// To those that these rules choose; the rule that says so where they cannot.
    ByRules(Rule, Vec<serde_json::Value>),
    /// To those that these rules choose, but for the pod that scrapes.
    ByRulesThenOthers(Vec<serde_json::Value>),
    /// To all but the pod that scrapes.
    Others,
}

impl Way {
    fn of(turn: Turn) -> Self {
        match turn {
            Turn::ToPerTarget => Self::ByRules(
                Rule::InjectionUnknown,
                vec![SchemeRule::where_injected().written()],
            ),
            Turn::ToOthers => Self::Others,
            Turn::ToMutualTls | Turn::ToPlain | Turn::Nowhere | Turn::Refuse => Self::All,
        }
    }
}

/// The steps towards certificates, and the directory that they are in.
fn to_certificates(
    draft: &Draft<'_>,
    way: &Way,
    class: &AtEndpoint<'_>,
    config: &Config,
) -> Result<(Vec<Step>, Option<String>), Blocked> {
    let scraping = &draft.scraping;
    let by_class = class.by_class().map(|how| draft.effective.by_class(how));
    let effective = by_class.as_ref().unwrap_or(&draft.effective);
    let directory = match class.class_for(&draft.effective) {
        Some(class) => class.first_directory(config),
        None => obstacle::directory(scraping, config)?,
    };
    let told_by = match way {
        Way::ByRules(rule, _) => Some(*rule),
        Way::ByRulesThenOthers(_) => Some(Rule::MixedTargets),
        Way::All | Way::Others => None,
    };
    // A kind without relabelling has no place that steps could name.
    if told_by.is_some()
        && !scraping.endpoint.kind.description().per_target
        && let Some(blocked) = obstacle::to_certificates(scraping, told_by)
    {
        return Err(blocked);
    }
    let steps = match way {
        Way::All => effective.towards_mutual_tls(&directory),
        Way::ByRules(_, rules) => effective.towards_per_target(&directory, rules),
        Way::ByRulesThenOthers(rules) => effective.towards_some_others(&directory, rules),
        Way::Others => effective.towards_others(&directory),
    };
    let steps = class.named(steps);
    // What is written right already is not undone by what would keep us from writing it.
    let blocked = own_pod::in_the_way(scraping)
        .filter(|_| matches!(way, Way::Others | Way::ByRulesThenOthers(_)))
        .or_else(|| obstacle::to_certificates(scraping, told_by).filter(|_| !steps.is_empty()))
        .or_else(|| class.forbids(steps.is_empty()))
        .or_else(|| unrepaired::beside_the_files(effective, &steps));
    match blocked {
        Some(blocked) => Err(blocked),
        None => Ok((steps, Some(directory))),
    }
}
