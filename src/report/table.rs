//! What does a person see of a run at a glance?
//!
//! Authority: ourselves, in the shape of `kubectl get`.
//! Departs from nothing.
//! Knows: decisions. Does not know: the terminal; the shell says whether to colour.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};

use super::review::is_of_a_scraper;
use super::{Cause, Located, causes, json, now, printable, severity, text, verdict, wanted};
use crate::config::Severity;
use crate::policy::{Link, Part};
use crate::rules::{Demand, JudgedTarget, Verdict};

/// More than the longest names that an API server takes, with a place behind them. What is longer sticks out: a column as
/// wide as a name of a megabyte would be a megabyte in every row.
const WIDEST: usize = 500;

/// The table: endpoints with their targets, then scrapers, then what else there is to know, then a sum.
pub fn render(decisions: &[Located], colour: bool) -> String {
    let paint = Paint { colour };
    let (endpoints, others): (Vec<_>, Vec<_>) = decisions
        .iter()
        .partition(|located| located.decision.transport.is_some());
    let (scrapers, findings): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|located| is_of_a_scraper(&located.decision));
    let mut out = String::new();
    if !endpoints.is_empty() {
        write_endpoints(&mut out, &endpoints, &paint);
    }
    if !scrapers.is_empty() {
        write_scrapers(&mut out, &scrapers, &paint);
    }
    write_findings(&mut out, &findings, &paint);
    if out.is_empty() {
        out.push_str("No endpoints in the input, and no scraper of which anything is asked.\n");
    } else {
        writeln!(out, "\n{}", text::sum(decisions)).expect("a String grows");
    }
    out
}

fn write_endpoints(out: &mut String, endpoints: &[&Located], paint: &Paint) {
    let rows: Vec<[String; 5]> = endpoints
        .iter()
        .map(|located| {
            let decision = &located.decision;
            let transport = decision.transport.expect("partitioned by transport");
            [
                printable(&format!(
                    "{} {}",
                    decision.object,
                    super::field_path(&decision.at)
                ))
                .into_owned(),
                now(transport.now).to_owned(),
                wanted(transport.wanted).to_owned(),
                verdict(decision.verdict).to_owned(),
                decision.rule.name().to_owned(),
            ]
        })
        .collect();
    let header = ["ENDPOINT", "NOW", "WANTED", "VERDICT", "RULE"].map(str::to_owned);
    let widths: Vec<usize> = (0..4)
        .map(|column| {
            rows.iter()
                .chain([&header])
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
                .min(WIDEST)
        })
        .collect();
    let line = |out: &mut String, row: &[String; 5], style: Style| {
        for (cell, width) in row.iter().zip(&widths) {
            write!(out, "{}  ", paint.with(style, &format!("{cell:width$}")))
                .expect("a String grows");
        }
        writeln!(out, "{}", paint.with(style, &row[4])).expect("a String grows");
    };
    line(out, &header, Style::new().bold());
    for (located, row) in endpoints.iter().zip(&rows) {
        line(out, row, style(located));
        write_targets(out, &located.decision.targets, paint);
        // Whoever accepts a finding wants no warning, and still to be told why here.
        if located.decision.severity != Severity::Info {
            writeln!(out, "  {}", printable(&located.decision.message)).expect("a String grows");
        }
    }
}

fn write_targets(out: &mut String, targets: &[Arc<JudgedTarget>], paint: &Paint) {
    for target in targets {
        let port = target
            .port
            .map_or_else(|| "?".to_owned(), |port| port.to_string());
        let facts = match target.mode {
            Some(mode) => format!(
                "{}, {}",
                json::data_plane(target.data_plane),
                json::mode(mode)
            ),
            None => json::data_plane(target.data_plane).to_owned(),
        };
        writeln!(
            out,
            "  {}  {facts}  {}",
            who(target, &port),
            demand_in_words(target.demand),
        )
        .expect("a String grows");
        write_reasons(out, target, paint);
    }
}

/// `Deployment default/demo:8080`; what is many things without a name, as nodes are, goes by its kind.
fn who(target: &JudgedTarget, port: &str) -> String {
    let part = target
        .part
        .map(|part| format!(" {part}"))
        .unwrap_or_default();
    let place = place(target);
    match (place.as_str(), target.port) {
        ("", None) => format!("any {}{part}", target.kind),
        ("", Some(_)) => format!("any {}{part}:{port}", target.kind),
        (place, _) => format!("{} {place}{part}:{port}", target.kind),
    }
}

/// `default/demo`; what has no namespace goes by its name.
fn place(target: &JudgedTarget) -> String {
    match target.namespace.as_str() {
        "" => printable(&target.name).to_string(),
        namespace => format!("{}/{}", printable(namespace), printable(&target.name)),
    }
}

/// The evidence. Where several policies are meant for the port, their chain stands for what it says of them.
fn write_reasons(out: &mut String, target: &JudgedTarget, paint: &Paint) {
    let policies: BTreeSet<&str> = target
        .chain
        .iter()
        .filter_map(|link| link.policy.as_deref())
        .collect();
    let is_of_policy = |reason: &&String| {
        policies.iter().any(|policy| {
            let rest = reason.strip_prefix(policy);
            rest.is_some_and(|rest| rest.starts_with([':', ' ']))
        })
    };
    let mut chain = match policies.len() {
        0 | 1 => Vec::new(),
        _ => chain_lines(&target.chain),
    };
    let told_by_chain = !chain.is_empty();
    let mut position = 0;
    let line = |out: &mut String, lead: &str, text: &str| {
        let text = format!("{lead} {}", printable(text));
        writeln!(out, "    {}", paint.with(Style::new().dimmed(), &text)).expect("a String grows");
    };
    for reason in &target.because {
        let lead = if position == 0 { "because" } else { "    and" };
        if !(told_by_chain && is_of_policy(&reason)) {
            line(out, lead, reason);
            position += 1;
        } else if !chain.is_empty() {
            for (index, link) in chain.drain(..).enumerate() {
                line(out, if index == 0 { lead } else { "       " }, &link);
            }
            position += 1;
        }
    }
}

/// One line per link: level, policy, what it says, what becomes of it; why, where that is not plain.
fn chain_lines(chain: &[Link]) -> Vec<String> {
    // What holds without a policy is evidence of its own.
    let chain: Vec<_> = chain.iter().filter(|link| link.policy.is_some()).collect();
    let name = |link: &Link| link.policy.clone().unwrap_or_default();
    let width = |of: &dyn Fn(&Link) -> usize| {
        let widest = chain.iter().map(|link| of(link)).max();
        widest.unwrap_or_default().min(WIDEST)
    };
    let levels = width(&|link| link.level.name().len());
    let names = width(&|link| name(link).chars().count());
    let modes = width(&|link| link.mode().len());
    chain
        .iter()
        .map(|link| {
            let why = match link.part {
                // Why it is refused is a finding of its own.
                Part::Decides | Part::Inherits | Part::Overridden | Part::Refused => String::new(),
                Part::Lost | Part::Ignored | Part::Possible => {
                    format!(": {}", link.why)
                }
            };
            format!(
                "{:levels$}  {:names$}  {:modes$}  {}{why}",
                link.level.name(),
                name(link),
                link.mode(),
                link.part.name(),
            )
        })
        .collect()
}

fn demand_in_words(demand: Demand) -> &'static str {
    match demand {
        Demand::MutualTls => "wants mutual TLS",
        Demand::Plain => "wants plain text",
        Demand::Unreachable => "lets nobody outside the mesh in",
        Demand::MutualTlsIfInjected => "wants mutual TLS if it has a sidecar",
        Demand::Unknown => "is not known",
    }
}

fn write_scrapers(out: &mut String, scrapers: &[&Located], paint: &Paint) {
    writeln!(out, "\n{}", paint.with(Style::new().bold(), "SCRAPER")).expect("a String grows");
    for located in scrapers {
        let decision = &located.decision;
        let row = format!(
            "{}  {}  {}",
            printable(&decision.object.to_string()),
            verdict(decision.verdict),
            decision.rule.name()
        );
        writeln!(out, "{}", paint.with(style(located), &row)).expect("a String grows");
        writeln!(out, "  {}", printable(&decision.message)).expect("a String grows");
    }
}

fn write_findings(out: &mut String, findings: &[&Located], paint: &Paint) {
    let causes = causes(findings.iter().copied());
    if !causes.is_empty() {
        writeln!(out, "\n{}", paint.with(Style::new().bold(), "ALSO")).expect("a String grows");
    }
    for Cause { first, places } in causes {
        let decision = &first.decision;
        let head = format!("{} {}", severity(decision.severity), decision.rule.name());
        let more = match places.len() {
            1 => String::new(),
            several => format!(" and {} more", several - 1),
        };
        writeln!(
            out,
            "{}  {}{more}: {}",
            paint.with(style(first), &head),
            printable(&decision.object.to_string()),
            printable(&decision.message)
        )
        .expect("a String grows");
    }
}

fn style(located: &Located) -> Style {
    let colour = match (located.decision.verdict, located.decision.severity) {
        (Verdict::Refuse, _) | (_, Severity::Error) => AnsiColor::Red,
        (_, Severity::Warning) => AnsiColor::Yellow,
        (Verdict::Patch, _) => AnsiColor::Green,
        (Verdict::Keep, Severity::Off | Severity::Info) => return Style::new(),
    };
    Style::new().fg_color(Some(colour.into()))
}

/// Whether text is coloured.
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    pub(super) fn with(&self, style: Style, text: &str) -> String {
        if self.colour && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MtlsMode;
    use crate::policy::Rung;

    fn link(level: Rung, name: &str, says: MtlsMode, part: Part, why: &str) -> Link {
        Link {
            level,
            policy: Some(format!("PeerAuthentication {name}")),
            says: Some(says),
            part,
            why: why.to_owned(),
        }
    }

    fn target(because: &[&str], chain: Vec<Link>) -> JudgedTarget {
        JudgedTarget {
            kind: "Deployment".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            part: None,
            port: Some(8080),
            via: "pod labels".to_owned(),
            data_plane: None,
            captured: None,
            mode: Some(MtlsMode::Strict),
            proven: false,
            demand: Demand::Plain,
            because: because.iter().map(|&reason| reason.to_owned()).collect(),
            chain,
        }
    }

    fn reasons(target: &JudgedTarget) -> Vec<String> {
        let mut out = String::new();
        write_reasons(&mut out, target, &Paint { colour: false });
        out.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn the_chain_stands_for_what_it_says_of_policies() {
        let chain = vec![
            link(
                Rung::Workload,
                "shop/web",
                MtlsMode::Strict,
                Part::Decides,
                "the narrowest",
            ),
            link(
                Rung::Workload,
                "shop/b",
                MtlsMode::Permissive,
                Part::Lost,
                "shop/web is older",
            ),
            link(
                Rung::Mesh,
                "istio-system/default",
                MtlsMode::Disable,
                Part::Overridden,
                "…",
            ),
        ];
        let because = [
            "Namespace shop: istio-injection=disabled",
            "PeerAuthentication shop/web: STRICT",
            "PeerAuthentication shop/b: PERMISSIVE may be older",
            "PeerAuthentication shop/webby: another one",
        ];
        assert_eq!(
            reasons(&target(&because, chain)),
            [
                "    because Namespace shop: istio-injection=disabled",
                "        and workload  PeerAuthentication shop/web              STRICT      decides",
                "            workload  PeerAuthentication shop/b                PERMISSIVE  lost: shop/web is older",
                "            mesh      PeerAuthentication istio-system/default  DISABLE     overridden",
                "        and PeerAuthentication shop/webby: another one",
            ]
        );
    }

    #[test]
    fn what_has_no_name_goes_by_its_kind() {
        let named = target(&[], Vec::new());
        assert_eq!(who(&named, "8080"), "Deployment shop/web:8080");
        let nodes = JudgedTarget {
            kind: "Node".to_owned(),
            namespace: String::new(),
            name: String::new(),
            port: None,
            ..named
        };
        assert_eq!(who(&nodes, "?"), "any Node");
        let port = Some(10250);
        assert_eq!(
            who(&JudgedTarget { port, ..nodes }, "10250"),
            "any Node:10250"
        );
    }

    #[test]
    fn one_policy_is_evidence_enough() {
        let mut links = vec![link(
            Rung::Mesh,
            "istio-system/default",
            MtlsMode::Strict,
            Part::Decides,
            "",
        )];
        let because = ["PeerAuthentication istio-system/default: STRICT"];
        let expected = ["    because PeerAuthentication istio-system/default: STRICT"];
        assert_eq!(reasons(&target(&because, links.clone())), expected);
        links.insert(
            0,
            link(
                Rung::Port,
                "istio-system/default",
                MtlsMode::Strict,
                Part::Inherits,
                "",
            ),
        );
        assert_eq!(reasons(&target(&because, links)), expected);
    }

    #[test]
    fn policies_that_decide_nothing_here_are_left_out() {
        let chain = vec![
            link(
                Rung::Workload,
                "shop/a",
                MtlsMode::Strict,
                Part::Decides,
                "",
            ),
            link(Rung::Workload, "shop/b", MtlsMode::Strict, Part::Lost, ""),
        ];
        let because = ["its own pod: loopback"];
        assert_eq!(
            reasons(&target(&because, chain)),
            ["    because its own pod: loopback"]
        );
    }
}
