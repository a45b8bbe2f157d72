//! Do the quick ways of reading give what the parser gives, wherever they claim a text?
//!
//! Authority: `yaml::parse`, the parser alone.
//! Departs from it: nothing; a text that only a quick way reads is one that the parser refuses, and counts as a fault.
//! Knows: manifests, the YAML test suite, ways to damage a text. Does not know: how the quick ways work.

mod support;

use istio_scrape::yaml;
use serde_json::Value;
use support::fuzzed::reading::{outline_agrees, reading, regular_agrees};
use support::readings::{Draws, as_list, damaged, manifests};

/// How many texts were claimed, line by line and by outline.
#[derive(Debug, Default)]
struct Claimed {
    regular: usize,
    outline: usize,
    of: usize,
}

impl Claimed {
    fn compare(&mut self, text: &str) {
        self.regular += usize::from(regular_agrees(text));
        self.outline += usize::from(outline_agrees(text));
        self.of += 1;
    }
}

#[test]
fn manifests_are_read_alike() {
    let mut claimed = Claimed::default();
    for text in manifests() {
        claimed.compare(&text);
        for column in [0, 2] {
            as_list(&text, column)
                .iter()
                .for_each(|list| claimed.compare(list));
        }
    }
    println!("{claimed:?}");
    assert!(claimed.regular * 10 > claimed.of * 8, "{claimed:?}");
    assert!(claimed.outline * 10 > claimed.of * 9, "{claimed:?}");
}

#[test]
fn documents_of_the_test_suite_are_read_alike() {
    for file in ["yaml-test-suite.json", "yaml-traps.json"] {
        let Some(path) = support::data(&format!("conformance/{file}"), "YAML read in both ways")
        else {
            return;
        };
        let text = std::fs::read_to_string(path).expect("the data is UTF-8");
        let data: Value = serde_json::from_str(&text).expect("JSON");
        let mut claimed = Claimed::default();
        for row in data.as_array().expect("a list") {
            let text = row["yaml"].as_str().expect("a text");
            claimed.compare(text);
            let value = text.replace('\n', "\n  ");
            let wrapped = format!("a:\n  {}\nb: 1\n", value.trim_end_matches(' '));
            claimed.compare(&wrapped);
            let value = text.replace('\n', "\n    ");
            for text in [text, value.trim_end_matches(' ')] {
                claimed.compare(&format!(
                    "items:\n- a: 1\n- b:\n    {text}\n- c: 1\nkind: x\n"
                ));
            }
        }
        println!("{file}: {claimed:?}");
    }
}

/// A part that is read alone must not pass where the whole does not, and its marks must not be taken for others.
#[test]
fn byte_order_marks_below_the_first_line_are_the_parsers() {
    for text in [
        "# a\n\u{feff}---\nb: 1\n",
        "\u{feff}# a\n\u{feff}---\nb: 1\n---\nc: 1\n",
        "# a\n\u{feff}b: 1\n",
        "\u{feff}\u{feff}b: 1\n",
        "a: 1\n---\n\u{feff}b: 1\n",
        "a: 1\n---\n\u{feff}---\nb: 1\n",
        "a: 1\n---\n\u{feff}# b\nb: 1\n",
        "a: 1\r\n---\r\n\u{feff}- b\r\n",
    ] {
        assert!(!outline_agrees(text), "{text:?}");
    }
    // Within a line it is a character of a comment or a scalar.
    for text in [
        "\u{feff}a: 1\n",
        "a: b\u{feff} # \u{feff}\n---\nb: \"\u{feff}\"\n",
    ] {
        assert!(outline_agrees(text), "{text:?}");
    }
}

/// What the parser refuses is refused wherever it stands: blanks are spaces and tabs alone.
#[test]
fn characters_that_no_yaml_holds_are_the_parsers() {
    for odd in [
        '\0', '\u{1}', '\u{b}', '\u{c}', '\u{7f}', '\u{80}', '\u{fffe}',
    ] {
        for place in [
            "#?",
            "# ?\n---\na: 1\n",
            "# ?\na: 1\n",
            "a: 1\n---\n# ?\na: 1\n",
            "---?\na: 1\n",
            "--- ?\na: 1\n",
            "a: 1\n--- ?\nb: 1\n",
            "a: |?\n  x\n",
            "a: | ?\n  x\n",
            "a: |-?\n  x\n",
            "a: |\n  ?\n",
            "a: >?\n  x\n",
            "a:?\n",
            "a: ?\n",
            "a: x?\n",
            "a: x ?\n",
            "a: x # ?\n",
            "a: '?'\n",
            "a: 'x' ?\n",
            "a: [?]\n",
            "a: [x] ?\n",
            "a: ?\n  b: 1\n",
            "a: ?\n- b\n",
            "a:\n- ?\n",
            "a:\n- ? b: 1\n",
            "a: 1\n?\n",
            "?\na: 1\n",
            "a: 1\n ? \nb: 1\n",
            "a?: 1\n",
            "a: \"x\\?\"\n",
            "items: ?\n- a: 1\n",
            "items:\n- a: 1\n?\n- a: 2\n",
            "items:\n# ?\n- a: 1\n",
            "items:\n- a: 1 ?\n",
        ] {
            let text = place.replace('?', &odd.to_string());
            assert!(yaml::parse(&text).is_err(), "{text:?}");
            reading(text.as_bytes());
        }
    }
}

#[test]
fn damaged_manifests_are_read_alike() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let texts = manifests();
    let lists = [0, 2, 4].map(|column| texts.iter().filter_map(move |text| as_list(text, column)));
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    let mut draws = Draws(0x9e37_79b9_7f4a_7c15);
    let mut claimed = Claimed::default();
    for _ in 0..rounds.unwrap_or(10_000) {
        let text = damaged(&texts[draws.below(texts.len())], &mut draws);
        claimed.compare(&text);
        let list = damaged(&lists[draws.below(lists.len())], &mut draws);
        claimed.compare(&list);
        claimed.compare(&format!("items:\n{list}"));
    }
    println!("{claimed:?}");
}
