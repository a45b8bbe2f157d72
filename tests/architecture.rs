//! Does each part of the program use only what lies below it?

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::source::{File, files};

/// The layers, top to bottom, word for word as in ARCHITECTURE.md. A part may use every part below it, and those that
/// share its row behind a comma; parts that share a row behind a bar do not know each other.
const LAYERS: &str = "\
main, cli                                         argv, files, streams, exit code; decides nothing
lib, plan, context, setting, generator, outcome   the story of a run, step by step
report | apply                                    the plan in words | the plan in the text
rules                                             our answer: the tables
policy | targets                                  Istio's answer | VictoriaMetrics' answer
model | mesh_metrics                              what the manifests say | objects that scrape Istio itself
krm | config                                      how objects come in and go out | what the user asked for
yaml                                              text, and where each value sits
parallel                                          how a long list is worked off
";

/// What a part does not use although it lies below, because its answer must not depend on it.
const DOES_NOT_KNOW: &[(&str, &str)] = &[
    ("rules", "yaml"),
    ("policy", "yaml"),
    ("policy", "krm"),
    ("targets", "yaml"),
    ("targets", "krm"),
    ("policy", "mesh_metrics"),
    ("targets", "mesh_metrics"),
    ("rules", "mesh_metrics"),
];

/// What only one file may name.
const ONLY_IN: &[(&str, &str)] = &[("granit_parser", "src/yaml/events.rs")];

/// What only the shell may name: files, environment, streams, clock, other programs.
const SHELL: &[&str] = &["main", "cli"];

/// What a file below the shell may name all the same: threads that work off parts of a list change nothing but the time.
const ALL_THE_SAME: &[(&str, &str)] = &[("src/parallel.rs", "std::thread")];
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

/// Row and group of each part.
fn places() -> BTreeMap<String, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (row, line) in LAYERS.lines().enumerate() {
        let names = line
            .split("  ")
            .next()
            .expect("split gives at least one part");
        for (group, names) in names.split('|').enumerate() {
            for name in names.split(',') {
                places.insert(name.trim().to_owned(), (row, group));
            }
        }
    }
    places
}

/// What is wrong with the imports of these files, one sentence each.
fn breaches(files: &[File]) -> Vec<String> {
    let places = places();
    let parts: BTreeSet<String> = files.iter().map(File::part).collect();
    let mut found = Vec::new();
    for file in files {
        let part = file.part();
        let Some(&(row, group)) = places.get(&part) else {
            found.push(format!(
                "{}: the module {part} has no layer; give it one in ARCHITECTURE.md and in {}",
                file.name,
                file!()
            ));
            continue;
        };
        let shell = SHELL.contains(&part.as_str());
        for named in file.named() {
            let at = format!("{}:{}", file.name, named.line);
            let path = named.path.join("::");
            for (crate_name, only) in ONLY_IN {
                if named.path[0] == *crate_name && file.name != *only {
                    found.push(format!("{at}: {path}: only {only} may name {crate_name}"));
                }
            }
            if named.test {
                continue;
            }
            let is_allowed = ALL_THE_SAME
                .iter()
                .any(|(name, allowed)| file.name == *name && path.starts_with(allowed));
            if !shell
                && !is_allowed
                && OUTSIDE
                    .iter()
                    .any(|o| path == *o || path.starts_with(&format!("{o}::")))
            {
                found.push(format!(
                    "{at}: {path}: only the shell ({}) touches the world outside",
                    SHELL.join(", ")
                ));
            }
            if named.path[0] != "crate" {
                continue;
            }
            let used = match named.path.get(1) {
                Some(first) if parts.contains(first) => first.as_str(),
                _ if shell => "main",
                _ => "lib",
            };
            if used == part {
                continue;
            }
            let Some(&(used_row, used_group)) = places.get(used) else {
                continue;
            };
            if used_row < row {
                found.push(format!(
                    "{at}: {path}: {part} lies below {used} and must not use it"
                ));
            } else if used_row == row && used_group != group {
                found.push(format!(
                    "{at}: {path}: {part} and {used} do not know each other"
                ));
            } else if DOES_NOT_KNOW.contains(&(part.as_str(), used)) {
                found.push(format!("{at}: {path}: {part} does not know {used}"));
            }
        }
    }
    found
}

#[test]
fn each_part_uses_only_what_lies_below_it() {
    let breaches = breaches(&files());
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn the_architecture_page_shows_the_same_layers_and_only_modules_that_exist() {
    let page = support::read("ARCHITECTURE.md");
    assert!(
        page.contains(&format!("```text\n{LAYERS}```\n")),
        "ARCHITECTURE.md has to contain this block:\n{LAYERS}"
    );
    let parts: BTreeSet<String> = files().iter().map(File::part).collect();
    let missing: Vec<_> = places()
        .into_keys()
        .filter(|p| !parts.contains(p))
        .collect();
    assert!(
        missing.is_empty(),
        "layers without a module in src/: {missing:?}"
    );
}

fn file(name: &str, text: &str) -> File {
    File {
        name: name.to_owned(),
        text: text.to_owned(),
        test: false,
    }
}

/// The breaches that these files have.
fn breaches_of(files: &[(&str, &str)]) -> Vec<String> {
    let rows = [
        "cli", "rules", "policy", "targets", "model", "krm", "config", "yaml", "report", "apply",
        "plan", "setting",
    ];
    let mut all: Vec<File> = rows
        .iter()
        .map(|r| file(&format!("src/{r}/mod.rs"), ""))
        .collect();
    all.push(file("src/lib.rs", ""));
    all.extend(files.iter().map(|(name, text)| file(name, text)));
    breaches(&all)
}

#[test]
fn a_bad_import_is_found_however_it_is_written() {
    for text in [
        "use crate::rules::Rule;",
        "use crate::{\n    krm::Item,\n    rules::{self, Rule},\n};",
        "use super::super::rules::Rule;",
        "fn f() -> crate::rules::Rule { todo!() }",
        "fn f() { let x = crate::rules::all::<u8>(); }",
        "mod inner { use super::super::super::rules; }",
        "pub use crate::rules as r;",
        "use crate::{rules};",
        "use crate::run;",
        "fn f<'a>(c: char) -> bool { c == '\"' && crate::rules::x('\\'', 'a') }",
        "#[cfg(test)]\nuse crate::yaml::Node;\nuse crate::rules::Rule;",
        "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\nuse crate::rules::Rule;",
    ] {
        let found = breaches_of(&[("src/model/read.rs", text)]);
        assert!(!found.is_empty(), "{text}");
        assert!(
            found.iter().all(|f| f.contains("must not use it")),
            "{text}\n{found:?}"
        );
    }
}

#[test]
fn siblings_and_what_must_not_be_known_are_found() {
    for (file, text, says) in [
        (
            "src/policy/mode.rs",
            "use crate::targets::Target;",
            "do not know each other",
        ),
        (
            "src/krm/open.rs",
            "use crate::config::Config;",
            "do not know each other",
        ),
        (
            "src/rules/endpoint.rs",
            "use crate::yaml::Node;",
            "rules does not know yaml",
        ),
        (
            "src/model/read.rs",
            "use granit_parser::Event;",
            "only src/yaml/events.rs",
        ),
        (
            "src/rules/endpoint.rs",
            "use std::{fs, fmt};",
            "only the shell",
        ),
        (
            "src/yaml/read.rs",
            "fn f() { std::io::stdout(); }",
            "only the shell",
        ),
        ("src/guess.rs", "", "has no layer"),
    ] {
        let found = breaches_of(&[(file, text)]);
        assert_eq!(found.len(), 1, "{text}\n{found:?}");
        assert!(found[0].contains(says), "{found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    for (file, text) in [
        (
            "src/model/read.rs",
            "use crate::krm::Item;\nuse crate::yaml::{Node, Rules};\nuse super::Inventory;",
        ),
        (
            "src/model/read.rs",
            "//! use crate::rules::Rule;\n/* crate::rules::Rule */ const X: &str = \"crate::rules\";",
        ),
        (
            "src/model/read.rs",
            "const X: &str = r#\"\"crate::rules::Rule\"#; const Y: u8 = b'\"';",
        ),
        (
            "src/model/read.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::rules::Rule;\n    use std::fs;\n}",
        ),
        (
            "src/model/read.rs",
            "mod inner { use super::super::Inventory; }\npub(crate) struct X;",
        ),
        (
            "src/cli/explain.rs",
            "use std::fs;\nuse crate::cli::files;\nuse istio_scrape::report;",
        ),
        ("src/yaml/events.rs", "use granit_parser::Event;"),
        (
            "src/rules/mod.rs",
            "use crate::policy::Fact;\nuse crate::targets::Target;\nuse std::io::Write;",
        ),
    ] {
        let found = breaches_of(&[(file, text)]);
        assert!(found.is_empty(), "{text}\n{found:?}");
    }
}

#[test]
fn lines_are_counted_without_tests() {
    let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn g() {}\n}\nfn h() {}\n";
    assert_eq!(file("src/model/read.rs", text).lines_without_tests(), 3);
}
