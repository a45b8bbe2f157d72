//! Does the quick way of reading give what the parser gives, wherever it claims a text?
//!
//! Authority: `yaml::parse`, the parser alone.
//! Departs from it: nothing; a text that only the quick way reads is one that the parser refuses, and counts as a fault.
//! Knows: manifests, the YAML test suite, ways to damage a text. Does not know: how the quick way works.

mod support;

use serde_json::Value;
use support::fuzzed::reading::agree;

fn manifests() -> Vec<String> {
    let mut texts: Vec<String> = support::directories("testdata")
        .iter()
        .filter_map(|case| std::fs::read_to_string(case.join("input.yaml")).ok())
        .collect();
    if let Some(corpus) = support::data("corpus", "manifests read in both ways") {
        let folders = std::fs::read_dir(corpus).expect("a folder");
        texts.extend(folders.filter_map(|folder| {
            let folder = folder.expect("an entry").path();
            std::fs::read_to_string(folder.join("input.yaml")).ok()
        }));
    }
    texts
}

#[test]
fn manifests_are_read_alike() {
    let texts = manifests();
    let claimed = texts.iter().filter(|text| agree(text)).count();
    println!("{claimed} of {} claimed", texts.len());
    assert!(
        claimed * 10 > texts.len() * 6,
        "{claimed} of {}",
        texts.len()
    );
}

#[test]
fn documents_of_the_test_suite_are_read_alike() {
    for (file, key) in [
        ("yaml-test-suite.json", "yaml"),
        ("yaml-traps.json", "yaml"),
    ] {
        let Some(path) = support::data(&format!("conformance/{file}"), "YAML read in both ways")
        else {
            return;
        };
        let text = std::fs::read_to_string(path).expect("the data is UTF-8");
        let data: Value = serde_json::from_str(&text).expect("JSON");
        let rows = data.as_array().expect("a list");
        let claimed = rows
            .iter()
            .filter(|row| agree(row[key].as_str().expect("a text")))
            .count();
        println!("{file}: {claimed} of {} claimed", rows.len());
    }
}

/// Numbers that look random and are the same in every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Pieces that mean something to YAML.
const PIECES: [&str; 48] = [
    " ", "  ", "\n", "\t", "-", "- ", "- - ", ": ", ":", "#", " # x", "\n# x\n", "\"", "'", "''",
    "\\", "\\n", "{", "}", "[", "]", "{}", "[]", "{a: b}", "[a, b]", ", ", "|", "|-\n", "|+", ">",
    "|2", "&a ", "*a", "!t ", "? ", "---\n", "...\n", "%", "\r\n", "\u{feff}", "\u{85}", "é",
    "\u{2028}", "<<: ", "a: b", "\n\n", "\"a: b\"", "    ",
];

/// The text with a few lines moved, or pieces put in or taken out.
fn damaged(text: &str, draws: &mut Draws) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let from = draws.below(lines.len());
    lines = lines
        .into_iter()
        .skip(from)
        .take(1 + draws.below(14))
        .collect();
    for _ in 0..1 + draws.below(3) {
        let at = draws.below(lines.len());
        let cut: Vec<usize> = lines[at].char_indices().map(|(cut, _)| cut).collect();
        let place = cut
            .get(draws.below(cut.len() + 1))
            .copied()
            .unwrap_or(lines[at].len());
        match draws.below(6) {
            0 | 1 => lines[at].insert_str(place, PIECES[draws.below(PIECES.len())]),
            2 => lines[at].truncate(place),
            3 => lines[at].insert_str(0, "  "),
            4 => {
                lines[at] = lines[at]
                    .strip_prefix("  ")
                    .unwrap_or(&lines[at])
                    .to_owned()
            }
            _ => {
                let other = draws.below(lines.len());
                lines.swap(at, other);
            }
        }
    }
    lines.concat()
}

#[test]
fn damaged_manifests_are_read_alike() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let texts = manifests();
    let mut draws = Draws(0x9e37_79b9_7f4a_7c15);
    let mut claimed = 0;
    let rounds = rounds.unwrap_or(20_000);
    for _ in 0..rounds {
        let text = damaged(&texts[draws.below(texts.len())], &mut draws);
        claimed += usize::from(agree(&text));
    }
    println!("{claimed} of {rounds} claimed");
}
