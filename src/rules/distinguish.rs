//! Which rule tells the targets that demand mutual TLS from those that demand plain text?
//!
//! Authority: [`rule`]; every order in which it prefers one rule to another is [`Preference`].
//! Departs from nothing: what is not known of a target may be anything.
//! Knows: signs of targets. Does not know: endpoints, how they are written.

use std::collections::{BTreeMap, BTreeSet};

use super::scheme_rule::SchemeRule;
use super::signs::{Sign, Signs};

/// Labels that say for long what a pod is, best first.
const LASTING: [&str; 8] = [
    "app_kubernetes_io_name",
    "app_kubernetes_io_component",
    "app_kubernetes_io_instance",
    "app",
    "k8s_app",
    "name",
    "component",
    "tier",
];

/// Labels that a release changes, so that a rule on them does not last.
const PASSING: [&str; 6] = [
    "version",
    "app_kubernetes_io_version",
    "helm_sh_chart",
    "chart",
    "release",
    "revision",
];

/// No rule looks at more signs.
const MOST_SIGNS: usize = 3;
/// Signs that are combined; of more, the best ones.
const MOST_COMBINED: usize = 64;

/// Why no rule is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    /// Nothing that is known tells this strict one from this plain one.
    Pair(usize, usize),
    /// Each strict one can be told from each plain one, but not all of them by three signs.
    Entangled,
}

/// Which of several exact rules is written: the first that is least.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    passing: usize,
    readability: Vec<u8>,
    /// A missing label that means https.
    from_missing: bool,
    alternatives: usize,
    ranks: Vec<usize>,
    signs: Vec<Sign>,
}

/// The rule that chooses https for every strict target and for no plain one, with as few signs as can be.
///
/// # Errors
/// Where there is none.
pub(super) fn rule(strict: &[Signs], plain: &[Signs]) -> Result<SchemeRule, Alike> {
    let columns = columns(strict, plain);
    let single = columns
        .iter()
        .filter(|column| column.tells_all(strict.len()))
        .map(|column| candidate(strict, &[column]))
        .min_by(|a, b| a.0.cmp(&b.0));
    if let Some((_, rule)) = single {
        return Ok(rule);
    }
    let pairs = pairs_told_apart(&columns, strict.len(), plain.len())?;
    (2..=MOST_SIGNS)
        .find_map(|size| {
            combinations(columns.len(), size)
                .filter(|chosen| {
                    let mask = chosen.iter().fold(0_u64, |mask, at| mask | (1 << at));
                    pairs.iter().all(|telling| telling & mask != 0)
                })
                .map(|chosen| {
                    let chosen: Vec<_> = chosen.iter().map(|at| &columns[*at]).collect();
                    candidate(strict, &chosen)
                })
                .min_by(|a, b| a.0.cmp(&b.0))
        })
        .map(|(_, rule)| rule)
        .ok_or(Alike::Entangled)
}

/// A sign that all strict targets are known to show, and what each target shows; strict ones first.
struct Column {
    sign: Sign,
    said: Vec<Option<String>>,
}

impl Column {
    /// Whether it alone tells every strict target from every plain one.
    fn tells_all(&self, strict: usize) -> bool {
        let (strict, plain) = self.said.split_at(strict);
        let https: BTreeSet<_> = strict.iter().collect();
        plain
            .iter()
            .all(|said| said.is_some() && !https.contains(said))
    }

    fn tells(&self, strict: usize, plain: usize) -> bool {
        self.said[plain].is_some() && self.said[plain] != self.said[strict]
    }
}

/// The signs that are worth a look, best first. Of signs that say the same of all targets the best is enough.
fn columns(strict: &[Signs], plain: &[Signs]) -> Vec<Column> {
    let all = || strict.iter().chain(plain);
    let labels: BTreeSet<Sign> = all().flat_map(Signs::labels).collect();
    let mut columns: Vec<Column> = [Sign::Injected, Sign::Namespace, Sign::Port]
        .into_iter()
        .chain(labels)
        .map(|sign| Column {
            said: all().map(|target| target.value(&sign)).collect(),
            sign,
        })
        .filter(|column| column.said[..strict.len()].iter().all(Option::is_some))
        .filter(|column| column.said.iter().any(|said| *said != column.said[0]))
        .collect();
    columns.sort_by_cached_key(|column| {
        let sign = &column.sign;
        let mut https = column.said[..strict.len()].iter().flatten();
        let from_missing = https.any(String::is_empty);
        let readable = (is_passing(sign), readability(sign), from_missing);
        (readable, rank(sign), sign.clone())
    });
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(partition(&column.said)));
    columns
}

/// Which targets a column holds for equal, whatever it says of them.
fn partition(said: &[Option<String>]) -> Vec<Option<usize>> {
    let mut numbers = BTreeMap::new();
    said.iter()
        .map(|said| {
            let said = said.as_deref()?;
            let next = numbers.len();
            Some(*numbers.entry(said).or_insert(next))
        })
        .collect()
}

/// For each strict and plain target the columns that tell them apart, each set once.
fn pairs_told_apart(
    columns: &[Column],
    strict: usize,
    plain: usize,
) -> Result<BTreeSet<u64>, Alike> {
    let mut sets = BTreeSet::new();
    for a in 0..strict {
        for b in strict..strict + plain {
            let telling = columns.iter().take(MOST_COMBINED).enumerate();
            let set = telling
                .filter(|(_, column)| column.tells(a, b))
                .fold(0_u64, |set, (at, _)| set | (1 << at));
            if set == 0 {
                let by_others = columns.iter().any(|column| column.tells(a, b));
                return Err(match by_others {
                    true => Alike::Entangled,
                    false => Alike::Pair(a, b - strict),
                });
            }
            sets.insert(set);
        }
    }
    Ok(sets)
}

/// All choices of so many of the first columns, in order.
fn combinations(columns: usize, size: usize) -> impl Iterator<Item = Vec<usize>> {
    let columns = columns.min(MOST_COMBINED);
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        all = all
            .iter()
            .flat_map(|chosen| {
                let next = chosen.last().map_or(0, |last| last + 1);
                (next..columns).map(|at| [chosen.as_slice(), &[at]].concat())
            })
            .collect();
    }
    all.into_iter()
}

fn candidate(strict: &[Signs], columns: &[&Column]) -> (Preference, SchemeRule) {
    let mut columns = columns.to_vec();
    columns.sort_by(|a, b| a.sign.cmp(&b.sign));
    let values: BTreeSet<Vec<String>> = (0..strict.len())
        .map(|at| {
            let said = columns.iter().map(|column| column.said[at].clone());
            said.collect::<Option<Vec<_>>>()
                .expect("a column is known of all strict targets")
        })
        .collect();
    let signs: Vec<Sign> = columns.iter().map(|column| column.sign.clone()).collect();
    let mut readabilities: Vec<u8> = signs.iter().map(readability).collect();
    readabilities.sort_unstable();
    let preference = Preference {
        passing: signs.iter().filter(|sign| is_passing(sign)).count(),
        readability: readabilities,
        from_missing: values.iter().flatten().any(String::is_empty),
        alternatives: values.len(),
        ranks: signs.iter().map(rank).collect(),
        signs: signs.clone(),
    };
    (preference, SchemeRule { signs, values })
}

fn readability(sign: &Sign) -> u8 {
    match sign {
        Sign::Injected => 0,
        Sign::Port => 1,
        Sign::Namespace => 2,
        Sign::Label(_) => 3,
    }
}

fn is_passing(sign: &Sign) -> bool {
    matches!(sign, Sign::Label(name) if PASSING.contains(&name.as_str()))
}

fn rank(sign: &Sign) -> usize {
    match sign {
        Sign::Label(name) => LASTING
            .iter()
            .position(|lasting| lasting == name)
            .unwrap_or(LASTING.len()),
        Sign::Injected | Sign::Port | Sign::Namespace => 0,
    }
}

#[cfg(test)]
mod tests;
