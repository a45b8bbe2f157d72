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
#[expect(clippy::print_stdout, reason = "a long run is worth its figures")]
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
    println!("{what}: {rounds} seeds from {first}: {counts:?}");
    problems.sort_by_key(String::len);
    let shortest = problems.iter().take(3).cloned().collect::<Vec<_>>();
    assert!(
        problems.is_empty(),
        "{} problems, the shortest:\n{}",
        problems.len(),
        shortest.join("\n=====\n")
    );
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

/// Real manifests and those of our own cases, each a block of lines that stands by itself.
fn manifests() -> Vec<String> {
    let mut texts: Vec<String> = support::inputs::written("edits of real manifests")
        .into_iter()
        .map(|written| written.text)
        .collect();
    for example in support::directories("examples") {
        collect(&example, &mut texts);
    }
    texts
}

fn collect(folder: &std::path::Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder can be listed")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, texts);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            texts.push(std::fs::read_to_string(path).expect("UTF-8"));
        }
    }
}

/// Some lines of a manifest that belong together, moved to the left margin.
fn excerpt(text: &str, draws: &mut Draws) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let from = draws.below(lines.len());
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let margin = indent(lines[from]);
    lines[from..]
        .iter()
        .take(1 + draws.below(60))
        .take_while(|line| line.trim().is_empty() || indent(line) >= margin)
        .map(|line| line.get(margin..).unwrap_or("\n"))
        .collect()
}

/// Pieces that mean something to YAML.
const PIECES: [&str; 56] = [
    " ", "  ", "\n", "\t", "-", "- ", "- - ", ": ", ":", "#", " # x", "\n# x\n", "\"", "'", "''",
    "\\", "\\n", "{", "}", "[", "]", "{}", "[]", "{a: b}", "[a, b]", ", ", "|", "|-\n", "|+", ">",
    "|2", "&a ", "*a", "!t ", "? ", "---\n", "...\n", "%", "\r\n", "\u{feff}", "\u{85}", "é",
    "\u{2028}", "<<: *a\n", "a: b", "\n\n", "\"a: b\"", "    ", "\r", "&b ", "*b", "!!str ", "~",
    " \t# x", "''", "yes",
];

/// The manifest as somebody else would have written it: other breaks, indentation, comments, quotes, anchors.
fn restyled(text: &str, draws: &mut Draws) -> String {
    let widens = draws.below(5) == 0;
    let comments = draws.below(3) == 0;
    let properties = draws.below(3) == 0;
    let mut out = String::new();
    let mut anchored = false;
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let mut line = line.trim_end_matches('\n').to_owned();
        if widens {
            line.insert_str(0, &" ".repeat(blanks));
        }
        if comments && draws.below(6) == 0 {
            let column = draws.below(blanks + 3);
            out.push_str(&format!("{:column$}# said\n", ""));
        }
        if comments && draws.below(6) == 0 {
            line.push_str([" # x", "\t# x", "  ", "   #"][draws.below(4)]);
        }
        if let Some(colon) = line.find(": ")
            && properties
            && draws.below(6) == 0
        {
            match draws.below(4) {
                0 if anchored => line.replace_range(colon + 2.., "*a"),
                1 => line.insert_str(colon + 2, "!!str "),
                2 => line.insert(colon + 1, '\t'),
                _ => {
                    line.insert_str(colon + 2, "&a ");
                    anchored = true;
                }
            }
        } else if properties && line.ends_with(':') && draws.below(8) == 0 {
            line.push_str([" &b", " !t", " &a !t", " # why"][draws.below(4)]);
        }
        out.push_str(&line);
        out.push('\n');
    }
    match draws.below(10) {
        0..=2 => out = out.replace('\n', "\r\n"),
        3 => out = out.replace('\n', "\r"),
        _ => {}
    }
    if draws.below(5) == 0 {
        out.truncate(out.trim_end_matches(['\n', '\r']).len());
    }
    if draws.below(8) == 0 {
        out.insert(0, '\u{feff}');
    }
    out
}

/// The text with pieces put in or taken out.
fn damaged(text: &str, draws: &mut Draws) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..draws.below(3) {
        if lines.is_empty() {
            break;
        }
        let at = draws.below(lines.len());
        let cuts: Vec<usize> = lines[at].char_indices().map(|(cut, _)| cut).collect();
        let place = cuts.get(draws.below(cuts.len() + 1));
        let place = place.copied().unwrap_or(lines[at].len());
        match draws.below(6) {
            0..3 => lines[at].insert_str(place, PIECES[draws.below(PIECES.len())]),
            3 => lines[at].truncate(place),
            4 => lines[at].insert_str(0, "  "),
            _ => lines.truncate(at + 1),
        }
    }
    lines.concat()
}

#[test]
fn mutated_manifests_take_edits() {
    let texts = manifests();
    let rounds = from_environment("ROUNDS", 4000);
    let counts = run("real", rounds, |seed| {
        let mut draws = Draws::new(seed);
        let text = excerpt(&texts[draws.below(texts.len())], &mut draws);
        let text = damaged(&restyled(&text, &mut draws), &mut draws);
        let mut author = Author::new(draws.choices());
        check(&text, 0, &mut author)
    });
    assert!(share(&counts, Outcome::Edited) > 0.3, "{counts:?}");
}
