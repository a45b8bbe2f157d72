//! Does an edited text always mean what json-patch makes of its value?
//!
//! Authority: the `json-patch` crate, RFC 6902.
//! Departs from it: operations that the editor refuses are not compared.
//! Knows: how to write documents in many styles. Does not know: how the editor works.

use istio_scrape::yaml::{self, EditError, Rules};
use json_patch::Patch;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A document in the making, steered by a list of choices that proptest can shrink.
struct Author {
    choices: Vec<u16>,
    made: usize,
    out: String,
}

impl Author {
    fn new(choices: Vec<u16>) -> Self {
        Self {
            choices,
            made: 0,
            out: String::new(),
        }
    }

    fn pick(&mut self, count: usize) -> usize {
        let choice = self.choices.get(self.made).copied().unwrap_or(0);
        self.made += 1;
        usize::from(choice) % count
    }

    fn one_of<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.pick(options.len())]
    }

    fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn comment_lines(&mut self, column: usize) {
        match self.pick(8) {
            6 => {
                let shift = self.pick(5);
                self.pad((column + shift).saturating_sub(2));
                self.out.push_str("# note: [\n");
            }
            7 => self.out.push('\n'),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let end = self.one_of(&["\n", "\n", "\n", " # why\n", "  \n", "\t# tab\n"]);
        self.out.push_str(end);
    }

    /// Entries of a map; the first begins where the text ends if `inline`.
    fn map(&mut self, column: usize, inline: bool, depth: usize) {
        const KEYS: [&str; 8] = ["a", "b", "\"c d\"", "'e'", "é", "x.y/z", "name", "\"\""];
        let start = self.pick(KEYS.len());
        for i in 0..=self.pick(4) {
            if i > 0 || !inline {
                if i > 0 {
                    self.comment_lines(column);
                }
                self.pad(column);
            }
            self.out.push_str(KEYS[(start + i) % KEYS.len()]);
            let colon = self.one_of(&[":", ":", ":", " :"]);
            self.out.push_str(colon);
            self.value(column, depth, true);
        }
    }

    fn list(&mut self, column: usize, inline: bool, depth: usize) {
        for i in 0..=self.pick(3) {
            if i > 0 || !inline {
                if i > 0 {
                    self.comment_lines(column);
                }
                self.pad(column);
            }
            self.out.push('-');
            self.value(column, depth, false);
        }
    }

    /// What follows a `:` or a dash in `column`.
    fn value(&mut self, column: usize, depth: usize, keyed: bool) {
        let step = 2 + self.pick(2);
        match self.pick(if depth > 2 { 8 } else { 12 }) {
            0 | 1 => {
                let scalar =
                    self.one_of(&[" x", " 1", "  yes", " ~", " http://x:80/y", " 1.5", "\ttab"]);
                self.out.push_str(scalar);
                self.end_line();
            }
            2 => {
                let scalar =
                    self.one_of(&[" \"q # \\n\"", " 'it''s'", " \"é\"", " '[{\"a\": 1}]'"]);
                self.out.push_str(scalar);
                self.end_line();
            }
            3 => self.end_line(),
            4 => {
                self.end_line();
                self.pad(column + step);
                self.out.push_str("below");
                self.end_line();
            }
            5 => self.block_scalar(column + step),
            6 | 7 => {
                self.out.push(' ');
                self.flow(column + step, depth);
                self.end_line();
            }
            8 if !keyed => {
                self.out.push(' ');
                self.map(column + 2, true, depth + 1);
            }
            9 if !keyed => {
                self.out.push(' ');
                self.list(column + 2, true, depth + 1);
            }
            10 if keyed => {
                self.end_line();
                self.comment_lines(column);
                let wide = [0, step][self.pick(2)];
                self.list(column + wide, false, depth + 1);
            }
            _ => {
                self.end_line();
                self.comment_lines(column);
                self.map(column + step, false, depth + 1);
            }
        }
    }

    fn block_scalar(&mut self, column: usize) {
        let header = self.one_of(&[
            " |\n",
            " |-\n",
            " >\n",
            " |+\n",
            " >- # folded\n",
            " | # kept\n",
        ]);
        self.out.push_str(header);
        for _ in 0..=self.pick(2) {
            self.pad(column);
            let line = self.one_of(&["text\n", "# text\n", "- x: {\n", "text\n\n", "text  \n"]);
            self.out.push_str(line);
        }
    }

    fn flow(&mut self, column: usize, depth: usize) {
        let broken = self.pick(4) == 3;
        let list = self.pick(2) == 0;
        let [open, close] = if list { ["[", "]"] } else { ["{", "}"] };
        self.out.push_str(open);
        let count = self.pick(4);
        for i in 0..count {
            if broken {
                self.out.push('\n');
                self.pad(column + 2);
            } else if i == 0 {
                let space = self.one_of(&["", "", " "]);
                self.out.push_str(space);
            }
            if !list {
                let key = ["k", "\"l\"", "m", "'n'"][i];
                self.out.push_str(key);
                self.out.push_str(": ");
            }
            if depth < 3 && self.pick(5) == 4 {
                self.flow(column + 2, depth + 1);
            } else {
                let scalar = self.one_of(&["1", "x y", "\"s\"", "'t'", "null", "\"s\""]);
                self.out.push_str(scalar);
            }
            if i + 1 < count {
                let comma = self.one_of(&[", ", ", ", " , "]);
                self.out.push_str(if broken { "," } else { comma });
            } else if self.pick(6) == 5 {
                self.out.push(',');
            }
        }
        if broken {
            self.out.push('\n');
            self.pad(column);
        }
        self.out.push_str(close);
    }

    /// A document among others, with any line break, with or without a final one.
    fn document(mut self) -> (String, usize, Self) {
        let before = self.one_of(&[
            "",
            "",
            "# head\n",
            "---\n",
            "\u{feff}",
            "other: {}\n---\n",
            "%YAML 1.2\n--- # x\n",
        ]);
        self.out.push_str(before);
        let item = self.pick(4) == 3;
        match self.pick(6) {
            _ if item => {
                self.out.push_str("items:\n- ");
                self.map(2, true, 0);
                self.comment_lines(2);
                self.out.push_str("- name: next\n");
            }
            5 => self.json(),
            4 => self.list(0, false, 0),
            _ => self.map(0, false, 0),
        }
        let after = self.one_of(&["", "", "# tail\n", "...\n", "---\nlast: 1\n"]);
        self.out.push_str(after);
        let mut text = std::mem::take(&mut self.out);
        if self.pick(4) == 3 {
            text = text.replace('\n', "\r\n");
        }
        if self.pick(5) == 4 {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
        }
        (text, usize::from(before.starts_with("other")), self)
    }

    fn json(&mut self) {
        let value = json!({"a": 1, "b": {"c": ["d", "e"], "f": {}, "g": []}, "h": [{"i": null}, {"i": true}]});
        let text = match self.pick(4) {
            0 => value.to_string(),
            1 => serde_json::to_string_pretty(&value).expect("JSON"),
            2 => serde_json::to_string_pretty(&value)
                .expect("JSON")
                .replace("  ", "\t"),
            _ => value.to_string().replace(':', ": ").replace(',', ", "),
        };
        self.out.push_str(&text);
        self.out.push('\n');
    }

    fn new_value(&mut self) -> Value {
        let values = [
            json!("x"),
            json!("yes"),
            json!("1"),
            json!(""),
            json!(" a"),
            json!("a\nb\n"),
            json!("a\nb"),
            json!("a\n\n"),
            json!("\tx\ny"),
            json!("  lead\nx\n"),
            json!("\n\nx\n"),
            json!("[{\"name\": \"a\"}]"),
            json!("é: #"),
            json!({}),
            json!([]),
            json!({"k": {"l": ["m", {"n": null}]}, "z": "a\nb\n"}),
            json!([["p"], "q", {"r": "s", "t": "u"}]),
            json!(1.5),
            json!(-3),
            json!(null),
            json!(true),
            json!("it's"),
            json!("a # b"),
            json!("\u{85}\u{2028}\u{7f}\u{feff}"),
            json!("😀"),
            json!("# no"),
            json!("k:"),
            json!("a\n \nb\n"),
            json!("a\r\nb"),
            json!("-"),
            json!("2001-12-14"),
            json!("0o17"),
            json!({"": [[]], "y": {"0": {}}}),
        ];
        values[self.pick(values.len())].clone()
    }

    fn patch(&mut self, value: &Value) -> Patch {
        let mut current = value.clone();
        let mut operations = Vec::new();
        for _ in 0..=self.pick(3) {
            let mut places = Vec::new();
            pointers(&current, String::new(), &mut places);
            let (pointer, container) = places[self.pick(places.len())].clone();
            let new = self.new_value();
            let name = self.one_of(&["new", "other", "a~1b", "y", "a: b"]);
            let operation = match (self.pick(3), container) {
                (0, Some('m')) => {
                    json!({"op": "add", "path": format!("{pointer}/{name}"), "value": new})
                }
                (0, Some('l')) => {
                    json!({"op": "add", "path": format!("{pointer}/-"), "value": new})
                }
                (1, _) => json!({"op": "remove", "path": pointer}),
                _ => json!({"op": "replace", "path": pointer, "value": new}),
            };
            let one: Patch = serde_json::from_value(json!([operation])).expect("a patch");
            if json_patch::patch(&mut current, &one).is_ok() {
                operations.extend(one.0);
            }
        }
        Patch(operations)
    }
}

fn pointers(value: &Value, at: String, places: &mut Vec<(String, Option<char>)>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            places.push((at.clone(), Some('m')));
            map.iter()
                .for_each(|(k, v)| pointers(v, format!("{at}/{}", escape(k)), places));
        }
        Value::Array(items) => {
            places.push((at.clone(), Some('l')));
            items
                .iter()
                .enumerate()
                .for_each(|(i, v)| pointers(v, format!("{at}/{i}"), places));
        }
        _ => places.push((at, None)),
    }
}

fn check(choices: Vec<u16>) -> Result<bool, TestCaseError> {
    let (text, position, mut author) = Author::new(choices).document();
    let Ok(documents) = yaml::read(&text) else {
        return Ok(false);
    };
    let document = &documents[position];
    let Some(root) = &document.root else {
        return Ok(false);
    };
    let item = root.get("items").and_then(|items| items.items().first());
    let root = item.unwrap_or(root);
    let Ok(value) = root.value(Rules::Kubectl) else {
        return Ok(false);
    };
    if root.duplicate_key().is_some() {
        return Ok(false);
    }
    let patch = author.patch(&value);
    let edits = match yaml::edits(&text, root, document.syntax, &patch.0) {
        Ok(edits) => edits,
        Err(EditError::Dependent { .. } | EditError::Unsupported { .. }) => return Ok(false),
        Err(other) => return Err(TestCaseError::fail(format!("{other}\n{patch}\n{text}"))),
    };
    let apart = edits.is_sorted_by(|one, two| one.range.end <= two.range.start);
    prop_assert!(apart, "{text}\n{patch}\n{edits:?}");
    let after = yaml::splice(&text, &edits);
    let story = format!(
        "--- before\n{text}\n--- patch\n{patch}\n--- after\n{after}\n---\n{text:?}\n{after:?}\n{edits:?}"
    );
    let again =
        yaml::read(&after).map_err(|fault| TestCaseError::fail(format!("{fault}\n{story}")))?;
    prop_assert_eq!(again.len(), documents.len(), "{}", story);
    for (i, (old, new)) in documents.iter().zip(&again).enumerate() {
        let (Some(old), Some(new)) = (&old.root, &new.root) else {
            continue;
        };
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            let mut expected = old.value(rules).expect("it was readable");
            if i == position {
                let target = match item {
                    Some(_) => &mut expected["items"][0],
                    None => &mut expected,
                };
                json_patch::patch(target, &patch).expect("the value took it");
            }
            prop_assert_eq!(new.value(rules), Ok(expected), "{}", story);
        }
    }
    if document.syntax == yaml::Syntax::Json {
        prop_assert_eq!(again[position].syntax, yaml::Syntax::Json, "{}", story);
    }
    Ok(true)
}

/// Cases per property: 3000, or as many as `PROPTEST_CASES` asks for.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(3000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Edits mean what the patch means, and leave the other documents and items alone.
    #[test]
    fn edited_text_means_the_patched_value(choices in proptest::collection::vec(any::<u16>(), 0..160)) {
        check(choices)?;
    }

    /// Any text at all is read or refused, and walked, without a panic.
    #[test]
    fn reading_never_panics(text in "[-a:?|>&*!{}\\[\\]#,'\" \\n\\r\\té\u{feff}%.+0-9]{0,60}") {
        if let Ok(documents) = yaml::read(&text) {
            for root in documents.iter().filter_map(|document| document.root.as_ref()) {
                let _ = root.value(Rules::Kubectl);
                let _ = root.value(Rules::Kustomize);
                let _ = root.duplicate_key();
            }
        }
    }

    /// What `block` writes is read back, by both readers.
    #[test]
    fn blocks_are_read_back(choices in proptest::collection::vec(any::<u16>(), 0..40)) {
        let mut author = Author::new(choices);
        let value = json!({"k": author.new_value(), "l": [author.new_value(), author.new_value()], "yes": author.new_value()});
        let text = yaml::block(&value);
        let documents = yaml::read(&text).expect("readable");
        let root = documents[0].root.as_ref().expect("a map");
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            prop_assert_eq!(root.value(rules), Ok(value.clone()), "{}", text);
        }
    }

    /// Any string that is written is read back as that string.
    #[test]
    fn strings_are_read_back(string in "\\PC{0,12}|[ -~\\n\\t]{0,12}|[0-9+.eExob_:T-]{1,8}|[yYnNoOfFtTrRuUeEsSlL~.]{1,5}") {
        let value = json!({"k": string, "l": [string], string.clone(): 1});
        let text = yaml::block(&value);
        let documents = yaml::read(&text).map_err(|fault| TestCaseError::fail(format!("{fault}\n{text}")))?;
        let root = documents[0].root.as_ref().expect("a map");
        for rules in [Rules::Kustomize, Rules::Kubectl] {
            prop_assert_eq!(root.value(rules), Ok(value.clone()), "{}", text);
        }
    }
}
