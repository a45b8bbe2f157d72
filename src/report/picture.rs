//! What is in the picture of who scrapes what, and what is folded so that it stays readable?
//!
//! Authority: ourselves: what changes is shown, what needs a look as far as there is room, the rest is counted.
//! Departs from nothing.
//! Knows: decisions. Does not know: how a picture is written.

mod boxes;
mod selections;

use std::collections::{BTreeMap, BTreeSet};

use super::review::{Speaks, Told, is_of_a_scraper, spoken, told};
use super::{Located, json};
use crate::model::Object;
use crate::policy::DataPlane;
use crate::rules::{Decision, Demand, JudgedTarget, Rule};
use boxes::{Port, field, names_of, place, some};
use selections::{Selected, Selections};

/// Boxes that may stand alone although others are like them.
const ALONE: usize = 8;
/// Workloads of an endpoint that have a box of their own, scrapers that are named in one.
const A_FEW: usize = 4;

/// Nodes, and edges between them.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The nodes; edges name them by position.
    pub(super) nodes: Vec<Node>,
    /// The edges.
    pub(super) edges: Vec<Edge>,
}

/// A box.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What it says.
    pub(super) lines: Vec<String>,
    /// What it stands for.
    pub(super) look: Look,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// Something that changes.
    Changed,
    /// Something of which there is a warning or an error.
    Warned,
    /// Something that is there.
    There,
    /// Several things that are only counted.
    Folded,
    /// Something that the input does not show.
    Missing,
}

/// An arrow.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// Where it begins.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// What goes along it.
    pub(super) flow: Flow,
    /// What it says, line by line.
    pub(super) lines: Vec<String>,
}

/// What goes along an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flow {
    /// Mutual TLS.
    MutualTls,
    /// Plain text, or TLS that is not Istio's.
    Other,
    /// Nobody knows.
    Unknown,
    /// Nothing gets through.
    Nothing,
}

/// The picture with at most so many boxes of endpoints.
pub(super) fn draw(decisions: &[Located], most: usize) -> Picture {
    let endpoints = || {
        decisions
            .iter()
            .filter(|one| one.decision.transport.is_some())
    };
    let mut of_interest: Vec<&Located> = endpoints()
        .filter(|one| matches!(told(one), Told::Change | Told::Finding))
        .collect();
    of_interest.sort_by_key(|one| told(one));
    let mut shown = alike(&of_interest);
    let hidden = shown.split_off(shown.len().min(most));
    let mut drawing = Drawing::default();
    let mut selections = Selections::default();
    for same in &shown {
        let node = drawing.endpoints(same);
        selections.add(same[0], &Selected::Shown(node, flow_to(same[0])));
    }
    for located in hidden.into_iter().flatten() {
        selections.add(located, &Selected::Hidden(told(located)));
    }
    for located in endpoints().filter(|one| told(one) == Told::Stays) {
        selections.add(located, &Selected::Hidden(Told::Stays));
    }
    let changed: BTreeSet<&Object> = decisions
        .iter()
        .filter(|one| told(one) == Told::Change && is_of_a_scraper(&one.decision))
        .map(|one| &one.decision.object)
        .collect();
    for (scrapers, selected) in selections.grouped(&changed) {
        drawing.scrapers(&scrapers, &selected, &changed);
    }
    drawing.finished()
}

/// Endpoints that share a box: each has its own as long as there are few, else those of which the same is to be seen
/// are together.
fn alike<'a>(endpoints: &[&'a Located]) -> Vec<Vec<&'a Located>> {
    if endpoints.len() <= ALONE {
        return endpoints.iter().map(|one| vec![*one]).collect();
    }
    let mut groups: Vec<Vec<&Located>> = Vec::new();
    let mut known = BTreeMap::new();
    for located in endpoints {
        let decision = &located.decision;
        let demands: BTreeSet<_> = decision.targets.iter().map(|one| demanded(one)).collect();
        let seen = (told(located), &decision.object.kind, flow_to(located));
        let key = (seen, demands, is_unseen(decision), &decision.scrapers);
        let position = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[position].push(located);
    }
    groups
}

/// Whether the input does not show all that an endpoint reaches.
fn is_unseen(decision: &Decision) -> bool {
    decision.targets.is_empty() || decision.rule == Rule::TargetUnknown
}

#[derive(Default)]
struct Drawing {
    nodes: Vec<Node>,
    edges: BTreeMap<(usize, usize), (Flow, Vec<String>)>,
    targets: BTreeMap<(Vec<String>, Look), usize>,
}

impl Drawing {
    fn node(&mut self, lines: Vec<String>, look: Look) -> usize {
        self.nodes.push(Node { lines, look });
        self.nodes.len() - 1
    }

    /// What several endpoints may reach.
    fn target(&mut self, lines: Vec<String>, look: Look) -> usize {
        match self.targets.get(&(lines.clone(), look)) {
            Some(known) => *known,
            None => {
                let node = self.node(lines.clone(), look);
                self.targets.insert((lines, look), node);
                node
            }
        }
    }

    /// One arrow between two boxes, whatever goes along it.
    fn edge(&mut self, from: usize, to: usize, (flow, label): (Flow, String)) {
        let (of_all, lines) = self.edges.entry((from, to)).or_insert((flow, Vec::new()));
        *of_all = flow.min(*of_all);
        if !label.is_empty() && !lines.contains(&label) {
            lines.push(label);
        }
    }

    fn finished(self) -> Picture {
        let edge = |((from, to), (flow, lines))| Edge {
            from,
            to,
            flow,
            lines,
        };
        Picture {
            nodes: self.nodes,
            edges: self.edges.into_iter().map(edge).collect(),
        }
    }

    /// Endpoints of which the same is to be seen, with what they reach.
    fn endpoints(&mut self, same: &[&Located]) -> usize {
        let look = match told(same[0]) {
            Told::Change => Look::Changed,
            Told::Finding | Told::Stays | Told::Note | Told::Nowhere => Look::Warned,
        };
        let first = &same[0].decision;
        let lines = match same {
            [_] => vec![
                first.object.kind.clone(),
                place(&first.object),
                field(first),
            ],
            _ => names_of(same),
        };
        let node = self.node(lines, look);
        let mut by_demand: Vec<((Flow, String), Vec<Port>)> = Vec::new();
        let mut known = BTreeSet::new();
        for target in same.iter().flat_map(|one| &one.decision.targets) {
            let (demand, port) = (demanded(target), Port::of(target));
            if !known.insert((demand.clone(), port.clone())) {
                continue;
            }
            match by_demand.iter_mut().find(|(known, _)| *known == demand) {
                Some((_, targets)) => targets.push(port),
                None => by_demand.push((demand, vec![port])),
            }
        }
        for (demand, targets) in by_demand {
            if targets.len() <= A_FEW && same.len() == 1 {
                for port in targets {
                    let target = self.target(port.lines(), Look::There);
                    self.edge(node, target, demand.clone());
                }
            } else {
                let names = some(targets.iter().map(Port::on_a_line));
                let target = self.target(names, Look::There);
                self.edge(node, target, demand);
            }
        }
        if same.iter().any(|one| is_unseen(&one.decision)) {
            let target = self.target(vec!["not in the input".to_owned()], Look::Missing);
            self.edge(node, target, (Flow::Unknown, "unknown".to_owned()));
        }
        node
    }

    /// Scrapers with what they select.
    fn scrapers(
        &mut self,
        scrapers: &[Option<&Object>],
        selected: &BTreeMap<Selected, usize>,
        changed: &BTreeSet<&Object>,
    ) {
        let known: Vec<&Object> = scrapers.iter().copied().flatten().collect();
        let (lines, look) = match known[..] {
            [] => (
                vec![
                    "no scraper of the input".to_owned(),
                    "selects these".to_owned(),
                ],
                Look::Missing,
            ),
            [first, ..] => {
                let look = match known.iter().any(|one| changed.contains(*one)) {
                    true => Look::Changed,
                    false => Look::There,
                };
                let lines = match known.len() {
                    1 => vec![first.kind.clone(), place(first)],
                    _ => some(known.iter().map(ToString::to_string)),
                };
                (lines, look)
            }
        };
        let scraper = self.node(lines, look);
        for (one, count) in selected {
            match one {
                Selected::Shown(node, flow) => self.edge(scraper, *node, flow.clone()),
                Selected::Hidden(why) => {
                    let (line, look) = match why {
                        Told::Change => ("changes", Look::Changed),
                        Told::Finding => ("with a warning", Look::Warned),
                        Told::Stays | Told::Note | Told::Nowhere => {
                            ("stays as it is", Look::Folded)
                        }
                    };
                    let more = match why {
                        Told::Change | Told::Finding => " more",
                        Told::Stays | Told::Note | Told::Nowhere => "",
                    };
                    let line = match (count, line) {
                        (1, line) => format!("1{more} endpoint {line}"),
                        (count, "changes") => format!("{count}{more} endpoints change"),
                        (count, "stays as it is") => format!("{count} endpoints stay as they are"),
                        (count, line) => format!("{count}{more} endpoints {line}"),
                    };
                    let node = self.node(vec![line], look);
                    self.edge(scraper, node, (Flow::Other, String::new()));
                }
            }
        }
    }
}

/// What goes from a scraper to an endpoint after the change.
fn flow_to(located: &Located) -> (Flow, String) {
    let (flow, label) = match spoken(&located.decision) {
        Some((_, Speaks::MutualTls)) => (Flow::MutualTls, "mutual TLS"),
        Some((_, Speaks::PerTarget)) => (Flow::MutualTls, "by target"),
        Some((_, Speaks::Own)) => (Flow::Other, "own TLS"),
        Some((_, Speaks::Plain)) | None => (Flow::Other, "plain"),
    };
    (flow, label.to_owned())
}

/// What a target wants, and what makes it so.
fn demanded(target: &JudgedTarget) -> (Flow, String) {
    let mode = target.mode.map_or("unknown", json::mode);
    let label = match (target.data_plane, target.captured) {
        (Some(DataPlane::None), _) => "no sidecar".to_owned(),
        (Some(_), Some(false)) => "not captured".to_owned(),
        (Some(DataPlane::Ambient), _) => format!("{mode}, ambient"),
        (None, _) if target.demand == Demand::MutualTlsIfInjected => {
            format!("{mode} if injected")
        }
        (Some(DataPlane::Sidecar) | None, _) => mode.to_owned(),
    };
    let (flow, label) = match target.demand {
        Demand::MutualTls if label == "STRICT" => (Flow::MutualTls, label),
        Demand::MutualTls => (Flow::MutualTls, format!("{label}, asks for mutual TLS")),
        // Loopback, and what the scraper's own sidecar encrypts.
        Demand::Plain if label == "STRICT" => (Flow::Other, format!("{label}, plain here")),
        Demand::Plain => (Flow::Other, label),
        Demand::Unreachable => (Flow::Nothing, label),
        Demand::MutualTlsIfInjected | Demand::Unknown => (Flow::Unknown, label),
    };
    (flow, label)
}

#[cfg(test)]
mod tests;
