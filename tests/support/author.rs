//! Writes YAML in the many ways in which people and programs write it, and patches for what it says.
//!
//! Steered by a list of choices, so that proptest can shrink what it finds; with no choice left every pick is the first.

use json_patch::Patch;
use serde_json::{Value, json};

/// A document in the making.
pub(crate) struct Author {
    choices: Vec<u16>,
    made: usize,
    out: String,
    /// Anchors of complete values, and whether each is a map.
    anchors: Vec<(String, bool)>,
    /// Anchors, aliases, merge keys, tags and `? ` may be written.
    properties: bool,
}

/// A text of one or more documents.
pub(crate) struct Written {
    pub(crate) text: String,
    /// The document that is to be edited.
    pub(crate) position: usize,
}

impl Author {
    pub(crate) fn new(choices: Vec<u16>) -> Self {
        Self {
            choices,
            made: 0,
            out: String::new(),
            anchors: Vec::new(),
            properties: false,
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

    fn put_one_of(&mut self, options: &[&str]) {
        let text = self.one_of(options);
        self.out.push_str(text);
    }

    fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn comment_lines(&mut self, column: usize) {
        match self.pick(12) {
            8 => {
                let shift = self.pick(5);
                self.pad((column + shift).saturating_sub(2));
                self.put_one_of(&["# note: [\n", "#\n", "# - x: |\n", "#: é 😀\n"]);
            }
            9 => self.out.push('\n'),
            10 => {
                self.pad(column);
                self.out.push('\n');
            }
            11 => {
                self.out.push_str("# left\n\n");
                self.pad(column);
                self.out.push_str("# own\n");
            }
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.put_one_of(&[
            "\n",
            "\n",
            "\n",
            "\n",
            " # why\n",
            "  \n",
            "\t# tab\n",
            " \t \n",
            "   #\n",
        ]);
    }

    /// An anchor, a tag, both, or mostly neither; the name of the anchor.
    fn properties(&mut self) -> Option<String> {
        if !self.properties {
            return None;
        }
        match self.pick(12) {
            9 => self.anchor(),
            10 => {
                self.put_one_of(&[" !t", " !!str", " !", " !<x:y>"]);
                None
            }
            11 => {
                self.out.push_str(" !t");
                self.anchor()
            }
            _ => None,
        }
    }

    fn anchor(&mut self) -> Option<String> {
        let name = self.one_of(&["n", "m", "a-b_1"]).to_owned();
        self.out.push_str(" &");
        self.out.push_str(&name);
        // Until the value is complete, nobody may refer to it.
        self.anchors.retain(|(known, _)| *known != name);
        Some(name)
    }

    fn known(&mut self, anchor: Option<String>, is_map: bool) {
        if let Some(name) = anchor {
            self.anchors.push((name, is_map));
        }
    }

    /// Entries of a map; the first begins where the text ends if `inline`.
    fn map(&mut self, column: usize, inline: bool, depth: usize) {
        const KEYS: [&str; 12] = [
            "a", "b", "\"c d\"", "'e'", "é", "x.y/z", "name", "\"\"", "yes", "12", "a b", "-x",
        ];
        let start = self.pick(KEYS.len());
        for i in 0..=self.pick(4) {
            if i > 0 || !inline {
                if i > 0 {
                    self.comment_lines(column);
                }
                self.pad(column);
            }
            let merged = self.anchors.iter().rfind(|(_, is_map)| *is_map);
            match merged.map(|(name, _)| name.clone()) {
                Some(name) if i == 1 && self.pick(3) == 2 => {
                    self.out.push_str("<<: *");
                    self.out.push_str(&name);
                    self.end_line();
                    continue;
                }
                _ => {}
            }
            let key = KEYS[(start + i) % KEYS.len()];
            let explicit = self.properties && self.pick(10) == 9;
            if explicit {
                self.put_one_of(&["? ", "?   ", "?\t"]);
                self.out.push_str(key);
                self.end_line();
                self.pad(column);
                self.out.push(':');
            } else {
                if self.properties && self.pick(16) == 15 {
                    self.out.push_str("&key ");
                }
                self.out.push_str(key);
                self.put_one_of(&[":", ":", ":", ":", " :"]);
            }
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
        let step = [2, 2, 1, 3, 4, 6][self.pick(6)];
        if self.properties && !self.anchors.is_empty() && self.pick(8) == 7 {
            let which = self.pick(self.anchors.len());
            let name = self.anchors[which].0.clone();
            self.out.push_str(" *");
            self.out.push_str(&name);
            self.end_line();
            return;
        }
        let anchor = self.properties();
        let bare = self.out.ends_with([':', '-']);
        let kind = self.pick(if depth > 2 { 10 } else { 14 });
        match kind {
            0 | 1 => {
                self.put_one_of(&[
                    " x",
                    " 1",
                    "  yes",
                    " ~",
                    " http://x:80/y",
                    " 1.50",
                    "\ttab",
                    " \t 0x1F",
                    " -",
                    " é😀",
                    " a,b]}",
                    " x#y",
                    " 2001-12-14",
                    " .5",
                    " Null",
                ]);
                // `- -` is a list of nothing.
                if self.out.ends_with("- -") {
                    self.out.push('x');
                }
                self.end_line();
            }
            2 => {
                self.put_one_of(&[
                    " \"q # \\n\"",
                    " 'it''s'",
                    " \"é\\u00e9\"",
                    " '[{\"a\": 1}]'",
                    " ''",
                    " \"\"",
                    " 'x'\t",
                ]);
                self.end_line();
            }
            3 => self.end_line(),
            4 => {
                self.end_line();
                self.pad(column + step);
                self.put_one_of(&["below", "'below'", "{b: 1}", "|\n", "&z below"]);
                if self.out.ends_with("|\n") {
                    self.pad(column + step);
                    self.out.push_str("text\n");
                } else {
                    self.end_line();
                }
            }
            5 | 6 => self.block_scalar(column, step),
            7 | 8 => {
                self.out.push(' ');
                self.flow(column + step, depth);
                self.end_line();
            }
            9 => {
                self.continued(column + step);
                self.end_line();
            }
            10 if !keyed && bare => {
                let blanks = 1 + [0, 0, 0, 2, 3][self.pick(5)];
                self.pad(blanks);
                self.map(column + 1 + blanks, true, depth + 1);
            }
            11 if !keyed && bare => {
                let blanks = 1 + [0, 0, 2][self.pick(3)];
                self.pad(blanks);
                self.list(column + 1 + blanks, true, depth + 1);
            }
            12 if keyed => {
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
        let list = if keyed { 12 } else { 11 };
        self.known(anchor, kind > 9 && kind != list);
    }

    /// A plain or quoted scalar over several lines.
    fn continued(&mut self, column: usize) {
        let quote = self.one_of(&["", "\"", "'"]);
        self.out.push(' ');
        self.out.push_str(quote);
        self.put_one_of(&["one two", "one:two", "x"]);
        for _ in 0..=self.pick(2) {
            self.put_one_of(&["\n", "\n", "\n\n", " \n", "\n \n"]);
            self.pad(column);
            self.put_one_of(&["three", "- four", "k#"]);
        }
        if quote == "\"" {
            self.put_one_of(&["", "\\n", "\\\n      five", " "]);
        }
        self.out.push_str(quote);
    }

    fn block_scalar(&mut self, column: usize, step: usize) {
        self.put_one_of(&[" ", " ", " ", "  ", "\t"]);
        let style = self.one_of(&["|", "|", ">"]);
        let chomping = self.one_of(&["", "-", "", "+"]);
        let indicator = self.pick(5) == 4;
        self.out.push_str(style);
        if indicator {
            self.out.push_str(&step.to_string());
        }
        self.out.push_str(chomping);
        self.put_one_of(&["\n", "\n", "\n", " # kept\n", "  \n"]);
        let column = column + step;
        if self.pick(8) == 7 {
            self.out.push('\n');
        }
        for i in 0..=self.pick(3) {
            self.pad(column);
            if indicator || i > 0 {
                self.put_one_of(&["", "", "  "]);
            }
            self.put_one_of(&[
                "text\n", "# text\n", "- x: {\n", "text\n\n", "text  \n", "t\tb\n", "---\n", "é\n",
            ]);
        }
        if self.pick(8) == 7 {
            self.put_one_of(&["\n", "\n\n", " \n"]);
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
                self.put_one_of(&["\n", "\n", " # first\n", "\t\n"]);
                self.pad(column + 2);
            } else if i == 0 {
                self.put_one_of(&["", "", " "]);
            }
            if !list {
                let key = ["k", "\"l\"", "m", "'n'"][i];
                self.out.push_str(key);
                match self.pick(12) {
                    10 if self.properties => {
                        self.separate(broken, i + 1 < count);
                        continue;
                    }
                    11 if key.starts_with('"') => self.out.push(':'),
                    _ => self.out.push_str(": "),
                }
            } else if self.properties && self.pick(10) == 9 {
                self.out.push_str("p: ");
            }
            let alias = self.anchors.last().map(|(name, _)| format!("*{name}"));
            match (self.pick(8), alias) {
                (6, _) if depth < 3 => self.flow(column + 2, depth + 1),
                (7, Some(alias)) => self.out.push_str(&alias),
                _ => self.put_one_of(&[
                    "1", "x y", "\"s\"", "'t'", "null", "\"s\"", "a:b", "1.10", "-x", "x#",
                ]),
            }
            self.separate(broken, i + 1 < count);
        }
        if broken {
            self.out.push('\n');
            self.pad(column);
        }
        self.out.push_str(close);
    }

    fn separate(&mut self, broken: bool, more: bool) {
        if more && broken {
            self.put_one_of(&[",", ",", ", # why", " ,"]);
        } else if more {
            self.put_one_of(&[", ", ", ", " , ", ",", ",  "]);
        } else {
            self.put_one_of(&["", "", "", "", "", ",", " ", " , "]);
        }
    }

    /// A document among others, with any line break, with or without a final one.
    pub(crate) fn document(&mut self) -> Written {
        self.properties = self.pick(3) == 2;
        let before = self.one_of(&[
            "",
            "",
            "# head\n",
            "---\n",
            "\u{feff}",
            "other: {}\n---\n",
            "%YAML 1.2\n--- # x\n",
            "\u{feff}# head\n---\n",
            "other: |\n  x\n...\n---   \n",
            "\n\n# a\n\n",
        ]);
        self.out.push_str(before);
        let item = self.pick(4) == 3;
        match self.pick(8) {
            _ if item => {
                let wide = ["", "  "][self.pick(2)];
                self.out.push_str("items:\n");
                self.out.push_str(wide);
                self.out.push_str("- ");
                self.map(2 + wide.len(), true, 0);
                self.comment_lines(2);
                self.out.push_str(wide);
                self.out.push_str("- name: next\n");
            }
            7 => {
                self.flow(0, 0);
                self.end_line();
            }
            5 | 6 => self.json(),
            4 => self.list(0, false, 0),
            _ => self.map(0, false, 0),
        }
        self.put_one_of(&[
            "",
            "",
            "",
            "# tail\n",
            "...\n",
            "---\nlast: 1\n",
            "\n\n",
            "  # tail\n",
            "... # end\n---\n# none\n",
        ]);
        let mut text = std::mem::take(&mut self.out);
        match self.pick(10) {
            6..=8 => text = text.replace('\n', "\r\n"),
            9 => text = text.replace('\n', "\r"),
            _ => {}
        }
        if self.pick(5) == 4 {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
        }
        Written {
            text,
            position: usize::from(before.starts_with("other")),
        }
    }

    fn json(&mut self) {
        let value = json!({"a": 1, "b": {"c": ["d", "e"], "f": {}, "g": []}, "h": [{"i": null}, {"i": true}]});
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let text = match self.pick(6) {
            0 => value.to_string(),
            1 => pretty,
            2 => pretty.replace("  ", "\t"),
            3 => pretty.replace("  ", "    ").replace("[]", "[\n]"),
            4 => pretty.replace("\": ", "\" : ").replace("1,", "1 ,"),
            _ => value.to_string().replace(':', ": ").replace(',', ", "),
        };
        self.out.push_str(&text);
        self.out.push('\n');
    }

    /// A value to be written.
    pub(crate) fn new_value(&mut self) -> Value {
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
            json!("https"),
            json!("a\n  b\n\nc: |\n"),
            json!("---\nx\n"),
            json!([{"a": "x\ny\n"}, [[["z"]]], []]),
            json!({"a b": {"c": "d\ne"}, "- f": [null, 1e300]}),
            json!(u64::MAX),
            json!("*n"),
            json!("x\\y\"z'"),
            json!("\u{0}\u{1b}"),
        ];
        values[self.pick(values.len())].clone()
    }

    /// Operations that `json-patch` carries out on the value.
    pub(crate) fn patch(&mut self, value: &Value) -> Patch {
        let mut current = value.clone();
        let mut operations = Vec::new();
        for _ in 0..=self.pick(4) {
            let mut places = Vec::new();
            // What an earlier operation made is mostly left alone: an editor may refuse that.
            let seen = if self.pick(6) == 5 { &current } else { value };
            pointers(seen, String::new(), &mut places);
            // Nobody replaces the whole; that it is refused need not be tried often.
            let rest = usize::from(places.len() > 1 && self.pick(20) > 0);
            let (pointer, container) = places[rest + self.pick(places.len() - rest)].clone();
            let new = self.new_value();
            let name = self.one_of(&["new", "other", "a~1b", "y", "a: b", "a", "b"]);
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
