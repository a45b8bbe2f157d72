//! Does an edit at random change what it is asked to, and nothing else, in made and in real manifests?
//!
//! Authority: the `json-patch` crate for values; the text before for everything that the patch does not name.
//! Departs from it: patches that the editor refuses are counted by reason, and the reason has to be there.
//! Knows: ways to write and to damage YAML. Does not know: how the editor works.
//!
//! `ROUNDS` says how many texts (default: 4 000), `SEED` where to begin; a failure names its seed.

mod support;

use std::collections::BTreeMap;

use support::author::{Author, Written};
use support::edited::{Outcome, check};

/// Numbers that look random and follow from a seed.
struct Draws(u64);

impl Draws {
    fn new(seed: u64) -> Self {
        let mut draws = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        draws.next();
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound
    }

    fn choices(&mut self) -> Vec<u16> {
        let count = self.below(240);
        (0..count).map(|_| (self.next() >> 40) as u16).collect()
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}"))
    })
}

/// Runs a check for each seed, counts what comes of it, and prints the counts.
fn run(
    what: &str,
    rounds: u64,
    one: impl Fn(u64) -> Result<Outcome, String> + Sync,
) -> BTreeMap<Outcome, u64> {
    let first = from_environment("SEED", 0);
    let seeds: Vec<u64> = (first..first + rounds).collect();
    let outcomes = support::inputs::at_once(&seeds, |seed| one(*seed));
    let mut counts = BTreeMap::new();
    let mut problems = Vec::new();
    for (seed, outcome) in seeds.iter().zip(outcomes) {
        match outcome {
            Ok(outcome) => *counts.entry(outcome).or_insert(0) += 1,
            Err(problem) => problems.push(format!("SEED={seed} {problem}")),
        }
    }
    println!("{what}: seeds {first} to {}: {counts:?}", first + rounds - 1);
    problems.sort_by_key(String::len);
    let shortest = problems.first().map_or("", String::as_str);
    if std::env::var_os("ALL_PROBLEMS").is_some() { for p in problems.iter().take(12) { println!("=====\n{p}"); } }
    assert!(problems.is_empty(), "{} problems, the shortest:\n{shortest}", problems.len());
    counts
}

fn share(counts: &BTreeMap<Outcome, u64>, outcome: Outcome) -> f64 {
    let all: u64 = counts.values().sum();
    counts.get(&outcome).copied().unwrap_or(0) as f64 / all as f64
}

#[test]
fn made_documents_take_edits() {
    let rounds = from_environment("ROUNDS", 4000);
    let counts = run("made", rounds, |seed| {
        let mut author = Author::new(Draws::new(seed).choices());
        let Written { text, position } = author.document();
        check(&text, position, &mut author)
    });
    assert!(share(&counts, Outcome::Edited) > 0.4, "{counts:?}");
}
