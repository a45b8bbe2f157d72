//! What is in the picture of who scrapes what, and what is folded so that it stays readable?
//!
//! Authority: ourselves: what changes is shown, what needs a look as far as there is room, the rest is counted.
//! Departs from nothing.
//! Knows: decisions. Does not know: how a picture is written.

use std::collections::{BTreeMap, BTreeSet};

use super::review::{Speaks, Told, is_of_a_scraper, spoken, told};
use super::{Located, field_path, json};
use crate::model::Object;
use crate::policy::DataPlane;
use crate::rules::{Demand, JudgedTarget, Rule};

/// Names within a node, workloads of one mode within an endpoint.
const A_FEW: usize = 3;
/// Groups of scrapers.
const GROUPS: usize = 12;

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
    /// What it says.
    pub(super) label: String,
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

/// The picture with at most so many endpoints of which something is to be told.
pub(super) fn draw(decisions: &[Located], most: usize) -> Picture {
    let all = || {
        decisions
            .iter()
            .filter(|one| one.decision.transport.is_some())
    };
    let mut of_interest: Vec<&Located> = all()
        .filter(|one| matches!(told(one), Told::Change | Told::Finding))
        .collect();
    of_interest.sort_by_key(|one| told(one));
    let hidden = of_interest.split_off(of_interest.len().min(most));
    let mut drawing = Drawing::default();
    let shown: Vec<usize> = of_interest
        .iter()
        .map(|located| drawing.endpoint(located))
        .collect();
    let mut selections = Selections::default();
    for (located, node) in of_interest.iter().zip(&shown) {
        selections.add(located, Selected::Shown(*node, flow_to(located)));
    }
    for located in &hidden {
        selections.add(located, Selected::Hidden(told(located)));
    }
    for located in all().filter(|one| told(one) == Told::Stays) {
        selections.add(located, Selected::Hidden(Told::Stays));
    }
    let changed: BTreeSet<&Object> = decisions
        .iter()
        .filter(|one| told(one) == Told::Change && is_of_a_scraper(&one.decision))
        .map(|one| &one.decision.object)
        .collect();
    for (scrapers, selected) in selections.grouped(&changed) {
        drawing.scrapers(&scrapers, &selected, &changed);
    }
    let mut picture = drawing.picture;
    picture.edges.sort();
    picture.edges.dedup();
    picture
}

/// What a scraper selects: an endpoint that is shown, or one of those that are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Selected {
    Shown(usize, (Flow, String)),
    Hidden(Told),
}

/// What each scraper selects, in the order of the endpoints; `None`: what no scraper selects.
#[derive(Default)]
struct Selections<'a> {
    order: Vec<Option<&'a Object>>,
    selected: BTreeMap<Option<&'a Object>, Vec<(usize, Selected)>>,
    endpoints: usize,
}

type Group<'a> = (Vec<Option<&'a Object>>, BTreeMap<Selected, usize>);

impl<'a> Selections<'a> {
    fn add(&mut self, located: &'a Located, selected: Selected) {
        let position = self.endpoints;
        self.endpoints += 1;
        let scrapers = &located.decision.scrapers;
        let none = scrapers.is_empty().then_some(None);
        for scraper in scrapers.iter().map(|one| Some(&**one)).chain(none) {
            let of_scraper = self.selected.entry(scraper).or_insert_with(|| {
                self.order.push(scraper);
                Vec::new()
            });
            of_scraper.push((position, selected.clone()));
        }
    }

    /// Scrapers that select the same and become the same are one; so are those beyond the first groups.
    fn grouped(mut self, changed: &BTreeSet<&Object>) -> Vec<Group<'a>> {
        let mut groups: Vec<(Vec<Option<&Object>>, Vec<(usize, Selected)>)> = Vec::new();
        let mut known = BTreeMap::new();
        for scraper in self.order {
            let selected = self.selected.remove(&scraper).unwrap_or_default();
            let changes = scraper.is_some_and(|scraper| changed.contains(scraper));
            let key = (scraper.is_none(), changes, selected);
            let position = *known.entry(key).or_insert_with_key(|(_, _, selected)| {
                groups.push((Vec::new(), selected.clone()));
                groups.len() - 1
            });
            groups[position].0.push(scraper);
        }
        // What nobody selects is nobody's.
        groups.sort_by_key(|(scrapers, _)| scrapers.contains(&None));
        let nobodys = groups.pop_if(|(scrapers, _)| scrapers.contains(&None));
        let beyond = groups.split_off(groups.len().min(GROUPS));
        let (scrapers, selected): (Vec<_>, Vec<_>) = beyond.into_iter().unzip();
        let selected: BTreeSet<_> = selected.into_iter().flatten().collect();
        if !scrapers.is_empty() {
            groups.push((
                scrapers.into_iter().flatten().collect(),
                selected.into_iter().collect(),
            ));
        }
        groups
            .into_iter()
            .chain(nobodys)
            .map(|(scrapers, selected)| (scrapers, counted(selected)))
            .collect()
    }
}

fn counted(selected: Vec<(usize, Selected)>) -> BTreeMap<Selected, usize> {
    let mut counts = BTreeMap::new();
    for (_, one) in selected {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

#[derive(Default)]
struct Drawing {
    picture: Picture,
    workloads: BTreeMap<Vec<String>, usize>,
    not_shown: Option<usize>,
}

impl Drawing {
    fn node(&mut self, lines: Vec<String>, look: Look) -> usize {
        self.picture.nodes.push(Node { lines, look });
        self.picture.nodes.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, (flow, label): (Flow, String)) {
        self.picture.edges.push(Edge {
            from,
            to,
            flow,
            label,
        });
    }

    /// An endpoint with what it reaches.
    fn endpoint(&mut self, located: &Located) -> usize {
        let decision = &located.decision;
        let look = match told(located) {
            Told::Change => Look::Changed,
            Told::Finding | Told::Stays | Told::Note | Told::Nowhere => Look::Warned,
        };
        let mut lines = named(&decision.object);
        let place = field_path(&decision.at);
        lines.push(place.strip_prefix("spec.").unwrap_or(&place).to_owned());
        let endpoint = self.node(lines, look);
        let mut by_mode: Vec<((Flow, String), Vec<&JudgedTarget>)> = Vec::new();
        for target in &decision.targets {
            let demand = demanded(target);
            match by_mode.iter_mut().find(|(known, _)| *known == demand) {
                Some((_, targets)) => targets.push(target),
                None => by_mode.push((demand, vec![target])),
            }
        }
        for (demand, targets) in by_mode {
            // One more box is no more than a box that counts one.
            let shown = match targets.len() <= A_FEW + 1 {
                true => targets.len(),
                false => A_FEW,
            };
            for target in &targets[..shown] {
                let lines = port_of(target);
                let node = match self.workloads.get(&lines) {
                    Some(known) => *known,
                    None => {
                        let node = self.node(lines.clone(), Look::There);
                        self.workloads.insert(lines, node);
                        node
                    }
                };
                self.edge(endpoint, node, demand.clone());
            }
            let more = targets.len() - shown;
            if more > 0 {
                let node = self.node(vec![format!("and {more} more")], Look::Folded);
                self.edge(endpoint, node, demand);
            }
        }
        if decision.targets.is_empty() || decision.rule == Rule::TargetUnknown {
            let known = self.not_shown;
            let node = known
                .unwrap_or_else(|| self.node(vec!["not in the input".to_owned()], Look::Missing));
            self.not_shown = Some(node);
            self.edge(endpoint, node, (Flow::Unknown, "unknown".to_owned()));
        }
        endpoint
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
                (names(first, &known), look)
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
        Demand::Plain if label == "STRICT" => {
            (Flow::Other, format!("{label}, takes plain text here"))
        }
        Demand::Plain => (Flow::Other, label),
        Demand::Unreachable => (Flow::Nothing, label),
        Demand::MutualTlsIfInjected | Demand::Unknown => (Flow::Unknown, label),
    };
    (flow, label)
}

/// Kind, and namespace with name.
fn named(object: &Object) -> Vec<String> {
    vec![object.kind.clone(), place(&object.namespace, &object.name)]
}

fn place(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}

/// A few scrapers by name, the others by number.
fn names(first: &Object, all: &[&Object]) -> Vec<String> {
    if all.len() == 1 {
        return named(first);
    }
    let shown = match all.len() <= A_FEW + 1 {
        true => all.len(),
        false => A_FEW,
    };
    let mut lines: Vec<String> = all[..shown].iter().map(|one| one.to_string()).collect();
    if all.len() > shown {
        lines.push(format!("and {} more", all.len() - shown));
    }
    lines
}

/// A workload with its port; what is many things without a name, as nodes are, goes by its kind.
fn port_of(target: &JudgedTarget) -> Vec<String> {
    let mut kind = target.kind.clone();
    if let Some(part) = target.part {
        kind = format!("{kind} {part}");
    }
    let port = target
        .port
        .map_or_else(|| "?".to_owned(), |port| port.to_string());
    match place(&target.namespace, &target.name).as_str() {
        "" if target.port.is_none() => vec![format!("any {kind}")],
        "" => vec![format!("any {kind}"), format!("port {port}")],
        place => vec![kind, place.to_owned(), format!("port {port}")],
    }
}
