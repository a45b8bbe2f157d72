//! What does a person read about an endpoint?
//!
//! Authority: ourselves. The wording is no promise; the rule name is.
//! Departs from nothing.
//! Knows: the decision and what it rests on. Does not know: how messages are laid out.

pub(super) mod assumed;
mod both;

use json_patch::PatchOperation;

use super::Rule;
use super::decision::{Demand, JudgedTarget, Step};
use super::demand::{Aside, Judged};
use super::metrics_port;
use crate::config::{Config, InjectionUnknown, TargetsUnknown};
use crate::policy::DataPlane;

/// What a message is about.
pub(super) struct Subject<'a> {
    /// The rule that decided.
    pub(super) rule: Rule,
    /// The change that is, or would be, made.
    pub(super) steps: &'a [Step],
    /// Its targets.
    pub(super) judged: &'a [Judged],
    /// What keeps the targets from being complete.
    pub(super) gaps: &'a [String],
    /// What stands in the way of a change.
    pub(super) obstacle: Option<&'a str>,
    /// The settings.
    pub(super) config: &'a Config,
    /// Where the certificates are.
    pub(super) directory: Option<&'a str>,
}

/// The message for an endpoint. It names what decides, not the endpoint, so that endpoints with one
/// cause have one message.
pub(super) fn endpoint(subject: &Subject<'_>) -> String {
    let strict = || evidence(subject.judged, &[Demand::MutualTls]);
    let plain = || evidence(subject.judged, &[Demand::Plain]);
    let directory = subject.directory.unwrap_or_default();
    match subject.rule {
        Rule::StrictNeedsTls => format!(
            "only mutual TLS gets through ({}): https, with the certificates in {directory}",
            strict()
        ),
        Rule::AlreadyRight => already_right(subject),
        Rule::TlsNeedsRepair if subject.obstacle.is_some() => not_repaired(subject),
        Rule::TlsNeedsRepair if both::both_sides(subject.judged).is_some() => format!(
            "{}, and {} not right: repaired, with the certificates in {directory}",
            both::both_sides(subject.judged).unwrap_or_default(),
            wrong(subject.steps)
        ),
        Rule::TlsNeedsRepair => format!(
            "only mutual TLS gets through ({}), and {} not right: repaired, with the certificates in {directory}",
            evidence(
                subject.judged,
                &[Demand::MutualTls, Demand::MutualTlsIfInjected]
            ),
            wrong(subject.steps)
        ),
        Rule::OwnTlsUnderStrict => format!(
            "the endpoint speaks TLS of its own, and only Istio's mutual TLS gets through ({}): \
             make the port PERMISSIVE with portLevelMtls, or take it out of the mesh with \
             traffic.sidecar.istio.io/excludeInboundPorts",
            strict()
        ),
        Rule::StaleTls => format!(
            "the ports are plain ({}), where TLS breaks the scrape: Istio's certificates are removed",
            plain()
        ),
        Rule::StaleTlsSuspected if subject.obstacle.is_some() => format!(
            "the ports are plain ({}), where TLS breaks the scrape, but {}",
            plain(),
            subject.obstacle.unwrap_or_default()
        ),
        Rule::StaleTlsSuspected => format!(
            "the ports look plain ({}), where TLS breaks the scrape, but nothing in the input proves it: \
             Istio's certificates are kept; {}",
            join_with(&plain(), subject.gaps),
            how_to_prove(subject.judged)
        ),
        Rule::OwnTlsIsKept => "it speaks TLS of its own".to_owned(),
        Rule::MixedTargets => both::mixed(subject),
        Rule::InjectionUnknown => injection_unknown(subject),
        Rule::TargetUnknown => match subject.config.targets_unknown {
            TargetsUnknown::Keep => format!("left as it is, because {}", unknown(subject)),
            TargetsUnknown::Refuse => format!(
                "refused, because {}, and targets.unknown is \"refuse\"",
                unknown(subject)
            ),
        },
        Rule::AmbientStrictUnreachable => unreachable(&metrics_port::others(subject.judged)),
        Rule::MetricsPortUnreachable => metrics_port::message(subject.judged),
        Rule::SidecarOriginatesTls => {
            format!("has to stay plain ({})", originates(subject.judged))
        }
        Rule::AddressIsRewritten
        | Rule::SchemeIsRewritten
        | Rule::ProxyIsKept
        | Rule::ScraperCannotHaveCertificates
        | Rule::CertificateDirectoriesDiffer
        | Rule::FilesAreDenied
        | Rule::SelfScrapeUnreachable
        | Rule::FilesNotSupported => {
            format!("left as it is: {}", subject.obstacle.unwrap_or_default())
        }
        Rule::ScraperNeedsCertificates
        | Rule::ScraperGetsASidecar
        | Rule::CertificatesUnused
        | Rule::NoScraperSelectsThis
        | Rule::VolumeIsDefinedTwice
        | Rule::RemoteWriteLeavesTheMesh
        | Rule::AdditionalScrapesUnseen
        | Rule::ConverterOverwrites
        | Rule::MergedAndScraped
        | Rule::SelectionAssumed
        | Rule::PolicyOrderUndecided
        | Rule::PolicyIsInvalid
        | Rule::PolicyIsIgnored
        | Rule::PolicyPortUnused
        | Rule::AuthorizationBlocksScrape
        | Rule::RegistryOnlyBlocksScrape
        | Rule::HeadlessDoubleTls
        | Rule::MeshSettingContradicted
        | Rule::MeshModeContradicted
        | Rule::NamespaceAssumed
        | Rule::ModeAssumed
        | Rule::NotInTheMesh
        | Rule::ReadDifferently
        | Rule::NotUnderstood => unreachable!("{} is no rule for endpoints", subject.rule.name()),
    }
}

/// Certificates that stay wrong: too little is known of the targets, or more is written than may be removed.
fn not_repaired(subject: &Subject<'_>) -> String {
    let demands = [Demand::MutualTls, Demand::MutualTlsIfInjected];
    let is_unknown = |judged: &Judged| {
        matches!(
            judged.shown.demand,
            Demand::Unknown | Demand::MutualTlsIfInjected
        )
    };
    let nothing_known = subject.judged.is_empty() || !subject.gaps.is_empty();
    let why = if subject.judged.iter().any(is_unknown) || nothing_known {
        let mut reasons = subject.gaps.to_vec();
        let unknown = [Demand::Unknown, Demand::MutualTlsIfInjected];
        reasons.extend(evidence_list(subject.judged, &unknown));
        if reasons.is_empty() {
            reasons.push("it reaches nothing that is in the input".to_owned());
        }
        format!(
            "whether its targets demand mutual TLS is not known ({})",
            reasons.join("; ")
        )
    } else {
        format!(
            "only mutual TLS gets through ({})",
            evidence(subject.judged, &demands)
        )
    };
    format!(
        "it uses Istio's certificates wrongly: {}; left as it is: {why}",
        subject.obstacle.unwrap_or_default()
    )
}

/// What a repair sets right: `scheme is`, `keyFile and insecureSkipVerify are`.
pub(super) fn wrong(steps: &[Step]) -> String {
    let mut fields: Vec<String> = Vec::new();
    for step in steps {
        let at = match step {
            Step::Op(PatchOperation::Add(add)) => &add.path,
            Step::Op(PatchOperation::Replace(replace)) => &replace.path,
            Step::Op(PatchOperation::Remove(remove)) => &remove.path,
            Step::Op(_) | Step::Inside { .. } => continue,
        };
        let name = at.tokens().map(|token| token.decoded().into_owned());
        // An element of a list goes by the name of the list.
        let is_name = |token: &String| token != "-" && !token.bytes().all(|b| b.is_ascii_digit());
        if let Some(field) = name
            .filter(is_name)
            .last()
            .filter(|name| !fields.contains(name))
        {
            fields.push(field);
        }
    }
    match fields.as_slice() {
        [] => "something is".to_owned(),
        [only] => format!("{only} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
    }
}

/// What would turn a suspicion into proof.
fn how_to_prove(judged: &[Judged]) -> &'static str {
    if judged
        .iter()
        .any(|judged| judged.aside == Some(Aside::SidecarOriginatesTls))
    {
        "remove them by hand if the sidecar does encrypt the requests"
    } else if judged.iter().any(|judged| judged.shown.kind == "Node") {
        "nodes are outside the mesh: remove them by hand, unless what listens there has Istio's certificates too"
    } else if judged.iter().any(|judged| !judged.undecided.is_empty()) {
        "leave one policy of the level"
    } else if judged.iter().any(|judged| judged.unlabelled) {
        "label the Namespace istio-injection: disabled if its pods are not to be injected"
    } else if judged.iter().any(|judged| judged.mode_assumed) {
        "add the policy that rules there, or set mesh.mode"
    } else {
        "remove them by hand if they do not belong there"
    }
}

/// What is missing for the targets to be known.
fn unknown(subject: &Subject<'_>) -> String {
    let mut reasons = subject.gaps.to_vec();
    reasons.extend(evidence_list(subject.judged, &[Demand::Unknown]));
    if reasons.is_empty() {
        reasons.push("it reaches nothing that is in the input".to_owned());
    }
    reasons.join("; ")
}

fn already_right(subject: &Subject<'_>) -> String {
    let known = [
        Demand::MutualTls,
        Demand::MutualTlsIfInjected,
        Demand::Plain,
    ];
    let message = format!(
        "as its targets need it ({})",
        evidence(subject.judged, &known)
    );
    let unknown_target = |judged: &Judged| judged.shown.demand == Demand::Unknown;
    if subject.gaps.is_empty() && !subject.judged.iter().any(unknown_target) {
        message
    } else {
        format!("{message}, as far as they are known: {}", unknown(subject))
    }
}

fn injection_unknown(subject: &Subject<'_>) -> String {
    let why = evidence(subject.judged, &[Demand::MutualTlsIfInjected]);
    let opening = format!("STRICT, but nobody says whether the pods have a sidecar ({why})");
    if !subject.steps.is_empty() {
        return match subject.config.injection_unknown {
            InjectionUnknown::Assume => format!(
                "{opening}: taken to have one (injection.unknown is \"assume\"), https with the certificates in {}",
                subject.directory.unwrap_or_default()
            ),
            InjectionUnknown::Relabel | InjectionUnknown::Ignore => format!(
                "{opening}: certificates, and https where the pod label security.istio.io/tlsMode says so"
            ),
        };
    }
    let advice = "add the Namespace with its labels to the input";
    match (subject.obstacle, subject.config.injection_unknown) {
        (Some(obstacle), _) => format!("{opening}: left as it is; {obstacle}"),
        (None, InjectionUnknown::Ignore) => {
            format!("{opening}: left as it is, because injection.unknown is \"ignore\"; {advice}")
        }
        (None, InjectionUnknown::Relabel | InjectionUnknown::Assume) => {
            format!(
                "{opening}: left as it is{}; {advice}",
                no_label_tells(subject.judged)
            )
        }
    }
}

/// Why the label that the injector sets cannot choose the scheme.
fn no_label_tells(judged: &[Judged]) -> String {
    let named = judged.iter().find(|judged| !judged.addressed_as_pod);
    let has_sidecar = |judged: &&Judged| {
        judged.shown.demand == Demand::Plain && judged.shown.data_plane != Some(DataPlane::None)
    };
    if let Some(judged) = named {
        format!(
            ", because targets are addressed as {}, where no label of a pod is known",
            judged.shown.via
        )
    } else if let Some(judged) = judged.iter().find(has_sidecar) {
        format!(
            ", because pods that carry the same label may want plain text ({})",
            judged.shown.because.first().map_or("", String::as_str)
        )
    } else {
        String::new()
    }
}

/// Ways out of ambient STRICT, where no certificate helps.
pub(super) fn unreachable(judged: &[Judged]) -> String {
    format!(
        "only members of the mesh get through ({}), and certificates do not make one: put the scraper into \
         ambient (where it has no certificates for sidecars), make the port PERMISSIVE (not DISABLE) in portLevelMtls \
         of a PeerAuthentication that selects the pods, or annotate them ambient.istio.io/bypass-inbound-capture: \
         \"true\"",
        evidence(judged, &[Demand::Unreachable])
    )
}

fn originates(judged: &[Judged]) -> String {
    let mut reasons: Vec<_> = judged
        .iter()
        .filter(|judged| judged.aside == Some(Aside::SidecarOriginatesTls))
        .filter_map(|judged| judged.shown.because.first().cloned())
        .collect();
    reasons.dedup();
    reasons.join("; ")
}

/// The first piece of evidence of each target with one of these demands, each once.
pub(super) fn evidence(judged: &[Judged], demands: &[Demand]) -> String {
    evidence_list(judged, demands).join("; ")
}

fn evidence_list(judged: &[Judged], demands: &[Demand]) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for target in judged.iter().map(|judged| &judged.shown) {
        if demands.contains(&target.demand) {
            for reason in decisive(target) {
                if !list.contains(reason) {
                    list.push(reason.clone());
                }
            }
        }
    }
    list
}

/// Unknowns need all their evidence to be understood; the rest is decided by the first piece.
fn decisive(target: &JudgedTarget) -> &[String] {
    match target.demand {
        Demand::Unknown | Demand::MutualTlsIfInjected => &target.because,
        Demand::MutualTls | Demand::Plain | Demand::Unreachable => {
            target.because.get(..1).unwrap_or_default()
        }
    }
}

fn join_with(first: &str, more: &[String]) -> String {
    let mut parts = vec![first.to_owned()];
    parts.extend_from_slice(more);
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}
