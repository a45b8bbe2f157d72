//! Is everything that the program has on the pages, and everything on the pages in the program?
//!
//! The program is asked by `--help` of itself and of all its commands, by its schema and its man page; nothing about it is written
//! down here. The pages are README.md and the manual.

#![allow(unreachable_pub, missing_docs, dead_code)]

mod support;

#[path = "support/program.rs"]
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use istio_scrape::rules::Rule;
use istio_scrape::yaml::{self, Rules};
use program::run;
use regex::Regex;
use serde_json::Value;

const MANUAL: &str = "functions/istio-scrape-tls/README.md";
const PAGES: [&str; 2] = ["README.md", MANUAL];
/// Flags on the pages that stand alone and are other programs'.
const OF_OTHERS: [&str; 4] = [
    "--allow-exec",
    "--enable-alpha-plugins",
    "--enable-exec",
    "--namespace",
];
/// What each entry about a rule says.
const SAID: [&str; 4] = ["- Seen: ", "- Why: ", "- Done: ", "- You: "];

/// A command, or the program without one.
#[derive(Debug, Default)]
struct Usage {
    /// Long names, with the values that they may have; empty: any.
    flags: BTreeMap<String, Vec<String>>,
    /// Short names of them.
    short: BTreeMap<String, String>,
    /// Words that it takes without a flag.
    words: Vec<String>,
    /// What is listed below `Commands:`.
    commands: Vec<String>,
}

impl Usage {
    fn of(arguments: &[&str]) -> Self {
        let help = run(&[arguments, &["-h"]].concat(), "");
        assert_eq!(help.code, 0, "{help}");
        let mut usage = Self::default();
        for (section, entry) in entries(&help.stdout) {
            let head = entry.split("  ").next().unwrap_or_default();
            let values = match entry.split_once("[possible values: ") {
                Some((_, rest)) => rest
                    .split(']')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .map(|v| v.trim().to_owned())
                    .collect(),
                None => Vec::new(),
            };
            let names: Vec<&str> = head
                .split([' ', ','])
                .filter(|name| name.starts_with('-'))
                .collect();
            match section.as_str() {
                "Commands" => usage.commands.push(head.to_owned()),
                "Arguments" => usage.words.extend(values),
                _ => {
                    let long = names
                        .iter()
                        .find(|name| name.starts_with("--"))
                        .unwrap_or_else(|| panic!("no long name: {entry}"));
                    usage.flags.insert((*long).to_owned(), values);
                    for short in names.iter().filter(|name| !name.starts_with("--")) {
                        usage.short.insert((*short).to_owned(), (*long).to_owned());
                    }
                }
            }
        }
        usage
    }

    /// The values of a flag by either name; `None`: no such flag.
    fn values(&self, flag: &str) -> Option<&Vec<String>> {
        self.flags
            .get(self.short.get(flag).map_or(flag, String::as_str))
    }
}

/// The entries of a help text, each in one line, with the heading above them.
fn entries(help: &str) -> Vec<(String, String)> {
    const DEEP: usize = 8;
    let mut section = String::new();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match (indent, text) {
            (_, "") => {}
            (0, heading) => section = heading.strip_suffix(':').unwrap_or_default().to_owned(),
            _ if !["Commands", "Arguments", "Options"].contains(&section.as_str()) => {}
            (indent, text) if indent < DEEP => found.push((section.clone(), text.to_owned())),
            (_, text) => {
                let last = found.last_mut().expect("a text continues an entry");
                last.1.push(' ');
                last.1.push_str(text);
            }
        }
    }
    found
}

/// The program: without a command under the empty name, and each command.
fn program_usage() -> &'static BTreeMap<String, Usage> {
    static USAGE: LazyLock<BTreeMap<String, Usage>> = LazyLock::new(|| {
        let root = Usage::of(&[]);
        assert!(root.commands.len() >= 5, "{:?}", root.commands);
        let commands: Vec<_> = root
            .commands
            .iter()
            .map(|name| (name.clone(), Usage::of(&[name])))
            .collect();
        [(String::new(), root)]
            .into_iter()
            .chain(commands)
            .collect()
    });
    &USAGE
}

/// Inline code of a page, and the lines of its blocks that are commands.
fn code(page: &str) -> Vec<String> {
    let text = support::read(page);
    let mut found = Vec::new();
    for (number, part) in text.split("\n```").enumerate() {
        match number % 2 {
            // The rest of the line is the language.
            1 => {
                let lines = part
                    .lines()
                    .skip(1)
                    .map(|line| line.split("  #").next().unwrap_or_default());
                found.extend(
                    lines
                        .filter(|line| line.contains("istio-scrape "))
                        .map(str::to_owned),
                );
            }
            _ => {
                for line in part.lines() {
                    let inline = line.split('`').skip(1).step_by(2);
                    found.extend(inline.map(|code| code.replace("\\|", "|")));
                }
            }
        }
    }
    found
}

/// What the pages call the program with: the words behind its name, up to a pipe. Alternatives and options are written as in
/// usage lines: `a|b`, `[a]`.
fn calls() -> Vec<(String, Vec<String>)> {
    let mut calls = Vec::new();
    for page in PAGES {
        for code in code(page) {
            for part in code.split(" | ") {
                let mut words = part
                    .split([' ', '(', ')'])
                    .skip_while(|word| !word.ends_with("istio-scrape"));
                // A file or a setting that is called so is no call.
                if words.next() != Some("istio-scrape") {
                    continue;
                }
                let words = words.map(|word| word.trim_matches(['[', ']', ',']).to_owned());
                let words: Vec<String> = words
                    .take_while(|word| !["--", "#"].contains(&word.as_str()))
                    .filter(|word| !word.is_empty())
                    .collect();
                calls.push((format!("{page}: {code}"), words));
            }
        }
    }
    assert!(calls.len() > 20, "{calls:?}");
    calls
}

/// Whether a word may be a command: neither a file, nor a placeholder, nor a flag.
fn may_be_a_command(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// The commands, flags (with the command, and with the value) and words that the pages show; complaints about what there is not.
fn shown() -> (BTreeSet<String>, Vec<String>) {
    let usage = program_usage();
    let (mut shown, mut wrong) = (BTreeSet::new(), Vec::new());
    for (at, words) in calls() {
        let mut command = "";
        let mut words = words.iter().map(String::as_str).peekable();
        if let Some(first) = words.next_if(|word| may_be_a_command(word)) {
            match usage.get_key_value(first) {
                Some((name, _)) => command = name,
                None => wrong.push(format!("{at}: there is no command {first}")),
            }
        }
        shown.insert(command.to_owned());
        let of_command = &usage[command];
        while let Some(word) = words.next() {
            let word = match word.starts_with('-') {
                true => word.split('=').next().unwrap_or_default(),
                false => word,
            };
            if word == "-" || word.is_empty() {
                continue;
            }
            if !word.starts_with('-') {
                for word in word
                    .split('|')
                    .filter(|word| of_command.words.iter().any(|known| known == word))
                {
                    shown.insert(format!("{command} {word}"));
                }
                let is_wrong = |part: &&str| {
                    !of_command.words.is_empty()
                        && may_be_a_command(part)
                        && !of_command.words.iter().any(|known| known == part)
                };
                if let Some(part) = word.split('|').find(is_wrong) {
                    wrong.push(format!("{at}: {command} takes no {part}"));
                }
                continue;
            }
            let Some(values) = of_command.values(word) else {
                wrong.push(format!("{at}: there is no {word} of {command:?}"));
                continue;
            };
            let long = of_command.short.get(word).map_or(word, String::as_str);
            shown.insert(format!("{command} {long}"));
            if let Some(given) = words.next_if(|_| !values.is_empty()) {
                for value in given.split('|') {
                    match values.iter().any(|known| known == value) {
                        true => drop(shown.insert(format!("{command} {long} {value}"))),
                        false => {
                            wrong.push(format!("{at}: {word} of {command:?} cannot be {value}"))
                        }
                    }
                }
            }
        }
    }
    (shown, wrong)
}

/// Flags and commands that stand alone in the text: `--report FILE`, `explain -o json`.
fn alone() -> Vec<(String, Vec<String>)> {
    let mut alone = Vec::new();
    for page in PAGES {
        for code in code(page) {
            let words: Vec<String> = code
                .split(' ')
                .map(|word| word.trim_matches(['[', ']']).to_owned())
                .collect();
            let is_flag =
                words[0].starts_with("--") || (words[0].len() == 2 && words[0].starts_with('-'));
            let is_command = words.len() > 1
                && program_usage().contains_key(&words[0])
                && words[1].starts_with('-');
            if (is_flag && words[0] != "--") || is_command {
                alone.push((format!("{page}: {code}"), words));
            }
        }
    }
    alone
}

#[test]
fn what_the_pages_show_of_the_command_line_is_there() {
    let (_, mut wrong) = shown();
    let mut others = BTreeSet::new();
    for (at, words) in alone() {
        let usage = program_usage().get(&words[0]);
        for (position, flag) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.starts_with('-') && *word != "-")
        {
            if OF_OTHERS.contains(&flag.as_str()) {
                others.insert(flag.clone());
                continue;
            }
            // A flag without its command may be that of any.
            let found: Vec<_> = match usage {
                Some(usage) => usage.values(flag).into_iter().collect(),
                None => program_usage()
                    .values()
                    .filter_map(|usage| usage.values(flag))
                    .collect(),
            };
            let takes = |value: &str| {
                let mut found = found.iter();
                found.any(|values| values.is_empty() || values.iter().any(|known| known == value))
            };
            match words.get(position + 1) {
                _ if found.is_empty() => wrong.push(format!("{at}: there is no {flag}")),
                Some(value) if !value.split('|').all(takes) => {
                    wrong.push(format!("{at}: {flag} cannot be {value}"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert_eq!(
        others,
        OF_OTHERS.map(str::to_owned).into(),
        "flags of others that no page shows"
    );
}

#[test]
fn what_the_command_line_has_is_on_the_pages() {
    let (shown, _) = shown();
    let alone: BTreeSet<String> = alone().into_iter().flat_map(|(_, words)| words).collect();
    let mut missing = Vec::new();
    let root = &program_usage()[""];
    for (command, usage) in program_usage() {
        let called = format!("istio-scrape {command}").trim().to_owned();
        if !shown.contains(command) {
            missing.push(called.clone());
        }
        for word in usage
            .words
            .iter()
            .filter(|word| !shown.contains(&format!("{command} {word}")))
        {
            missing.push(format!("{called} {word}"));
        }
        for (flag, values) in &usage.flags {
            let is_of_all = !command.is_empty() && root.flags.contains_key(flag);
            let is_shown = shown.contains(&format!("{command} {flag}"))
                || (command.is_empty() && alone.contains(flag));
            if !is_of_all && !is_shown {
                missing.push(format!("{called} {flag}"));
            }
            for value in values
                .iter()
                .filter(|value| !shown.contains(&format!("{command} {flag} {value}")))
            {
                missing.push(format!("{called} {flag} {value}"));
            }
        }
        for short in usage
            .short
            .keys()
            .filter(|short| command.is_empty() && !alone.contains(*short))
        {
            missing.push(format!("{called} {short}"));
        }
    }
    assert!(
        missing.is_empty(),
        "neither README.md nor {MANUAL} shows\n{}\n",
        missing.join("\n")
    );
}

#[test]
fn variables_of_the_environment_are_on_the_pages_and_in_the_man_page() {
    let pattern = Regex::new("ISTIO_SCRAPE_[A-Z_]+").expect("a pattern");
    let named = |text: &str| -> BTreeSet<String> {
        pattern
            .find_iter(text)
            .map(|found| found.as_str().to_owned())
            .collect()
    };
    let on_pages = PAGES
        .iter()
        .flat_map(|page| named(&support::read(page)))
        .collect::<BTreeSet<_>>();
    let in_program = named(&run(&["man"], "").stdout.replace("\\-", "-"));
    assert!(!in_program.is_empty());
    assert_eq!(on_pages, in_program);
}

fn schema() -> Value {
    serde_json::from_str(&run(&["schema", "config"], "").stdout).expect("JSON")
}

/// Every setting with its schema, in order.
fn settings() -> Vec<(String, Value)> {
    fn below(schema: &Value, path: &str, found: &mut Vec<(String, Value)>) {
        for (name, schema) in schema["properties"].as_object().expect("a map of fields") {
            let path = format!("{path}{name}");
            match schema.get("properties") {
                Some(_) if path != "severity" => below(schema, &format!("{path}."), found),
                _ => found.push((path, schema.clone())),
            }
        }
    }
    let mut found = Vec::new();
    below(&schema()["properties"]["spec"], "", &mut found);
    found
}

/// The words that a setting may be.
fn words(schema: &Value) -> Vec<String> {
    let of_map = &schema["additionalProperties"];
    let of_rules = schema["properties"]
        .as_object()
        .and_then(|rules| rules.values().next());
    let holder = [Some(schema), Some(of_map), of_rules]
        .into_iter()
        .flatten()
        .find(|schema| schema["enum"].is_array());
    let words = holder.and_then(|schema| schema["enum"].as_array());
    words
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The rows of the table of settings: path, values, default, what it does.
fn rows() -> Vec<[String; 4]> {
    let manual = support::read(MANUAL);
    let table = manual
        .split_once("\n| field | values | default | what it does |\n")
        .expect("the manual has a table of settings")
        .1;
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        let cells: Vec<String> = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect();
        cells
            .try_into()
            .unwrap_or_else(|cells| panic!("four cells: {cells:?}"))
    });
    cells.collect()
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Links are for the page alone.
fn without_links(text: &str) -> String {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    link.replace_all(text, "$1").into_owned()
}

#[test]
fn the_table_of_settings_says_what_the_schema_says() {
    let settings = settings();
    let rows = rows();
    let paths = |rows: &[[String; 4]]| -> Vec<String> {
        rows.iter()
            .map(|row| row[0].trim_matches('`').to_owned())
            .collect()
    };
    let known: Vec<String> = settings.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(
        paths(&rows),
        known,
        "the table of {MANUAL} has a row for each setting, in the order of the program"
    );
    for ([path, values, default, does], (_, schema)) in rows.iter().zip(&settings) {
        assert_eq!(in_backticks(values), words(schema), "{path}: values");
        let written = match schema.get("default") {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
            None => "not set".to_owned(),
        };
        assert_eq!(*default, written, "{path}: default");
        assert_eq!(
            without_links(does),
            schema["description"],
            "{path}: what it does"
        );
    }
}

#[test]
fn the_defaults_that_the_manual_shows_are_those_of_the_schema() {
    let manual = support::read(MANUAL);
    let block = manual
        .split_once("\n```yaml\n")
        .expect("the manual shows the defaults")
        .1
        .split("\n```")
        .next()
        .expect("it ends");
    let documents = yaml::read(block).expect("YAML");
    let object = documents[0]
        .root
        .as_ref()
        .expect("an object")
        .value(Rules::Kustomize)
        .expect("JSON");
    let mut shown = Vec::new();
    for (field, value) in object["spec"].as_object().expect("fields") {
        match value.as_object().filter(|fields| !fields.is_empty()) {
            Some(fields) => shown.extend(
                fields
                    .iter()
                    .map(|(name, value)| (format!("{field}.{name}"), value.clone())),
            ),
            // A group in which nothing is set.
            None if field == "mesh" => {}
            None => shown.push((field.clone(), value.clone())),
        }
    }
    let defaults: Vec<_> = settings()
        .into_iter()
        .filter_map(|(path, schema)| Some((path, schema.get("default")?.clone())))
        .collect();
    assert_eq!(shown, defaults);
}

/// `scraper.inject: always` in a text names a setting that there is, and a value that it may have.
#[test]
fn settings_that_the_pages_name_are_there() {
    let settings = settings();
    let groups: BTreeSet<&str> = settings
        .iter()
        .filter_map(|(path, _)| Some(path.split_once('.')?.0))
        .collect();
    let pattern = Regex::new(r"^([a-z][A-Za-z]*\.[A-Za-z.-]+)(?:: *(\S+))?$").expect("a pattern");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in PAGES {
        for code in code(page) {
            let Some(found) = pattern.captures(&code) else {
                continue;
            };
            let path = &found[1];
            let (group, _) = path.split_once('.').expect("the pattern has a point");
            let rule = path.strip_prefix("severity.");
            if !groups.contains(group) && rule.is_none() {
                continue;
            }
            seen += 1;
            let holder = settings.iter().find(|(known, _)| {
                known == path
                    || (known == "injection.namespaces"
                        && path.starts_with("injection.namespaces."))
            });
            let is_rule = rule.is_some_and(|rule| Rule::ALL.iter().any(|one| one.name() == rule));
            match (holder, found.get(2)) {
                (None, _) if !is_rule => wrong.push(format!("{page}: there is no setting {path}")),
                (Some((_, schema)), Some(value))
                    if !words(schema).is_empty()
                        && !words(schema).contains(&value.as_str().to_owned()) =>
                {
                    wrong.push(format!("{page}: {path} cannot be {}", value.as_str()));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(seen > 20, "{seen}");
}

/// The headings of a page, as GitHub makes anchors of them.
fn anchors(page: &str) -> BTreeSet<String> {
    let text = support::read(page);
    let outside_of_blocks = text.split("\n```").step_by(2).flat_map(str::lines);
    outside_of_blocks
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_rule_has_one_entry_in_the_manual_and_every_entry_a_rule() {
    let manual = support::read(MANUAL);
    let mut parts = manual.split("\n### ");
    parts.next();
    let mut entries = Vec::new();
    for part in parts {
        let (name, rest) = part.split_once('\n').expect("an entry has a text");
        let text = rest
            .split("\n## ")
            .next()
            .expect("split gives at least one part");
        entries.push(name.to_owned());
        let said: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(said.len(), SAID.len(), "{name}: {said:?}");
        for (line, beginning) in said.iter().zip(SAID) {
            assert!(
                line.starts_with(beginning) && line.len() > beginning.len(),
                "{name}: {beginning:?} expected: {line}"
            );
        }
    }
    let readme = support::read("README.md");
    let table = readme
        .split_once("\n## Rules\n")
        .expect("README has a table of rules")
        .1;
    let order: Vec<String> = table
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            row.split('`')
                .nth(1)
                .expect("a rule in backticks")
                .to_owned()
        })
        .collect();
    assert_eq!(
        entries, order,
        "{MANUAL} has an entry `### <rule>` for each rule, in the order of README's table"
    );
    let rules: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(
        entries.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        rules
    );
}

#[test]
fn links_lead_to_headings_that_are_there() {
    let pattern = Regex::new(r"\]\(([^)#\s]*)#([^)\s]+)\)").expect("a pattern");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in PAGES {
        let text = support::read(page);
        for link in pattern
            .captures_iter(&text)
            .filter(|link| !link[1].contains("://"))
        {
            seen += 1;
            let target = match (page, &link[1]) {
                (page, "") => page.to_owned(),
                (MANUAL, other) => format!("functions/istio-scrape-tls/{other}")
                    .replace("functions/istio-scrape-tls/../../", ""),
                (_, other) => other.to_owned(),
            };
            // Forges show the README of a folder.
            let target = match target.strip_suffix('/') {
                Some(folder) => format!("{folder}/README.md"),
                None => target,
            };
            if !anchors(&target).contains(&link[2]) {
                wrong.push(format!("{page}: {}", &link[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(seen > 10, "{seen}");
}

/// kpt's tools cut Short, Long and Examples out of a page of the catalog.
#[test]
fn the_manual_has_the_parts_that_a_catalog_shows() {
    let manual = support::read(MANUAL);
    for part in ["Short", "Long", "Examples"] {
        let text = manual
            .split_once(&format!("<!--mdtogo:{part}-->"))
            .unwrap_or_else(|| panic!("no part {part}"))
            .1;
        let text = text
            .split_once("<!--mdtogo-->")
            .unwrap_or_else(|| panic!("{part} has no end"))
            .0;
        assert!(
            !text.contains("<!--") && text.trim().len() > 40,
            "{part}: {text}"
        );
    }
}
