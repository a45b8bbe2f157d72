//! Do rules, cases, pages and targets of make still say the same?

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use istio_scrape::model::{SCRAPE_KINDS, ScrapeDescription};
use istio_scrape::rules::Rule;
use support::source::files;

/// Each rule needs this many cases: one where it speaks, and one where something close by makes it silent or different.
const CASES_PER_RULE: usize = 2;
/// Each kind of scrape object is in the input of this many cases.
const CASES_PER_KIND: usize = 2;
const LINES_PER_FILE: usize = 400;
/// The files that name a kind although a row says nearly all of it, and what no row can say. Where another file has to,
/// first ask whether a field of `ScrapeDescription` would do.
const NAMING_KINDS: &[(&str, &str)] = &[
    ("src/model/kinds.rs", "the table itself"),
    (
        "src/model/scrapes.rs",
        "discoveryRole, which a VMServiceScrape alone has",
    ),
    (
        "src/model/scraper_kinds.rs",
        "which kinds a scraper selects, by its kind and mode",
    ),
    ("src/model/inline_jobs.rs", "jobs, which are no objects"),
    (
        "src/model/self_scrapes.rs",
        "which kind the operator makes for a program of its own",
    ),
];

fn rules() -> BTreeSet<&'static str> {
    Rule::ALL.iter().map(|rule| rule.name()).collect()
}

/// The rule of each case directory, with its variations.
fn cases() -> BTreeMap<String, Vec<String>> {
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Ok(entries) = fs::read_dir(support::in_repository("testdata")) else {
        return cases;
    };
    for entry in entries {
        let entry = entry.expect("testdata can be listed");
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let (rule, variation) = name.split_once("--").unwrap_or((&name, ""));
            cases
                .entry(rule.to_owned())
                .or_default()
                .push(variation.to_owned());
        }
    }
    cases
}

/// The first column of the table below this heading, without backticks.
fn first_column(page: &str, heading: &str) -> Vec<String> {
    let text = support::read(page);
    let part = text
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("{page} has no heading {heading}"))
        .1;
    part.lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            row.split('|')
                .nth(1)
                .expect("a row begins with a bar")
                .trim()
                .trim_matches('`')
                .to_owned()
        })
        .collect()
}

#[test]
fn rule_names_are_unique_and_written_like_the_others() {
    assert_eq!(rules().len(), Rule::ALL.len(), "two rules share a name");
    for rule in rules() {
        let plain = rule.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(
            plain && !rule.contains("--"),
            "{rule}: lower case words and single hyphens"
        );
    }
}

#[test]
fn every_rule_has_cases_and_every_case_a_rule() {
    let cases = cases();
    let mut wrong = Vec::new();
    for rule in rules() {
        let found = cases.get(rule).map_or(0, Vec::len);
        if found < CASES_PER_RULE {
            wrong.push(format!("{rule}: {found} directories testdata/{rule}--<variation>/, {CASES_PER_RULE} are needed"));
        }
    }
    for (rule, variations) in &cases {
        if !rules().contains(rule.as_str()) {
            wrong.push(format!(
                "testdata/{rule}--{}: no rule has this name",
                variations[0]
            ));
        } else if variations.iter().any(String::is_empty) {
            wrong.push(format!(
                "testdata/{rule}: a directory is named <rule>--<variation>"
            ));
        }
        for variation in variations {
            let input = format!("testdata/{rule}--{variation}/input.yaml");
            if !support::in_repository(&input).is_file() {
                wrong.push(format!("{input} is missing"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_rule_table_of_readme_has_one_row_per_rule() {
    let rows = first_column("README.md", "## Rules");
    let unique: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(unique.len(), rows.len(), "a rule has two rows: {rows:?}");
    let missing: Vec<_> = rules().difference(&unique).copied().collect();
    let unknown: Vec<_> = unique.difference(&rules()).copied().collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "rules without a row: {missing:?}; rows without a rule: {unknown:?}"
    );
}

#[test]
fn the_manual_leads_from_symptoms_to_rules_that_exist() {
    let manual = support::read("functions/istio-scrape-tls/README.md");
    let table = manual
        .split_once("\n## Symptoms\n")
        .expect("the manual has a table of symptoms")
        .1;
    let rows: Vec<&str> = table
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .collect();
    assert!(!rows.is_empty());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        assert_eq!(cells.len(), 4, "{row}");
        for name in cells[3].split(',') {
            let rule = name.trim().trim_matches('`');
            assert!(rules().contains(rule), "no rule is called {rule}: {row}");
        }
    }
}

/// What a kind is called in the README: jobs by the field that holds them.
fn called(row: &ScrapeDescription) -> &'static str {
    match row.name {
        "" => "inlineScrapeConfig",
        name => name,
    }
}

#[test]
fn the_kinds_of_scrape_objects_have_one_row_each_in_readme() {
    let rows: Vec<String> = first_column("README.md", "## Scrape objects")
        .iter()
        .map(|cell| cell.split(' ').next().unwrap_or_default().replace('`', ""))
        .collect();
    let kinds: Vec<&str> = SCRAPE_KINDS.iter().map(called).collect();
    assert_eq!(
        rows, kinds,
        "the table Scrape objects of README.md has a row for each row of src/model/kinds.rs, in its order"
    );
}

#[test]
fn every_kind_of_scrape_object_has_cases() {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for directory in support::directories("testdata") {
        let Ok(input) = fs::read_to_string(directory.join("input.yaml")) else {
            continue;
        };
        for kind in SCRAPE_KINDS.iter().map(called) {
            let is_there = |line: &str| {
                line == format!("kind: {kind}")
                    || line.trim_start().starts_with(&format!("{kind}:"))
            };
            *found.entry(kind).or_default() += usize::from(input.lines().any(is_there));
        }
    }
    let few: Vec<_> = found
        .iter()
        .filter(|(_, cases)| **cases < CASES_PER_KIND)
        .collect();
    assert!(
        few.is_empty(),
        "kinds of scrape objects in the inputs of fewer than {CASES_PER_KIND} directories of testdata: {few:?}"
    );
}

/// Adding a kind is a row of a table: what reads, decides and changes asks the row.
#[test]
fn nothing_but_the_table_of_kinds_tells_kinds_apart() {
    let mut wrong = Vec::new();
    let mut needed = BTreeSet::new();
    for file in files() {
        let excepted = NAMING_KINDS
            .iter()
            .find(|(beginning, _)| file.name.starts_with(beginning));
        for (number, line) in file.code() {
            for row in &SCRAPE_KINDS {
                let name = format!("ScrapeKind::{:?}", row.kind);
                let names_it = line.match_indices(&name).any(|(at, _)| {
                    !line[at + name.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                match excepted {
                    _ if !names_it => {}
                    Some((beginning, _)) => {
                        needed.insert(*beginning);
                    }
                    None => wrong.push(format!("{}:{number}: {name}", file.name)),
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "ask a field of the kind's row (src/model/kinds.rs) instead:\n{}",
        wrong.join("\n")
    );
    let excepted: BTreeSet<&str> = NAMING_KINDS.iter().map(|(file, _)| *file).collect();
    assert_eq!(needed, excepted, "exceptions that nobody needs");
}

#[test]
fn contributing_explains_every_field_of_the_table_of_kinds() {
    let explained = first_column("CONTRIBUTING.md", "## Add a kind of scrape object");
    let text = support::read("src/model/kinds.rs");
    let fields: Vec<&str> = text
        .split_once("pub struct ScrapeDescription {")
        .expect("there is the table")
        .1
        .split_once("\n}")
        .expect("it ends")
        .0
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert_eq!(
        explained, fields,
        "the table of CONTRIBUTING.md has the fields of `ScrapeDescription` in order"
    );
}

#[test]
fn the_places_that_readme_names_exist() {
    let text = support::read("README.md");
    let part = text
        .split_once("\n## Where is")
        .expect("README says where things are")
        .1;
    let table = part
        .split("\n## ")
        .next()
        .expect("split gives at least one part");
    let mut wrong = Vec::new();
    for name in table.split('`').skip(1).step_by(2) {
        let is_path = ["src/", "tests/", "testdata/", "examples/", "functions/"]
            .iter()
            .any(|p| name.starts_with(p));
        if is_path && !exists(name) {
            wrong.push(name);
        }
    }
    assert!(
        wrong.is_empty(),
        "README names what is not there: {wrong:?}"
    );
}

/// Whether there is such a file; `testdata/x--*` stands for every directory that begins so.
fn exists(name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(beginning) => {
            let (directory, beginning) = beginning.rsplit_once('/').expect("a path with a folder");
            fs::read_dir(support::in_repository(directory)).is_ok_and(|mut entries| {
                entries.any(|e| {
                    e.is_ok_and(|e| e.file_name().to_string_lossy().starts_with(beginning))
                })
            })
        }
        None => support::in_repository(name).exists(),
    }
}

#[test]
fn what_the_pages_tell_to_type_is_a_target_of_make() {
    let makefile = support::read("Makefile");
    let mut wrong = Vec::new();
    for page in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ".ci/run"] {
        for target in make_targets(&support::read(page)) {
            if !makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:")))
            {
                wrong.push(format!("{page}: make {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    let readme = make_targets(&support::read("README.md"));
    for target in make_targets(&support::read(".ci/run")) {
        assert!(
            readme.contains(&target),
            ".ci/run types make {target}, which README does not show"
        );
    }
}

/// The words after `make` where a page shows a command: in a line of its own, or after a backtick or a step.
fn make_targets(page: &str) -> BTreeSet<String> {
    page.lines()
        .flat_map(|line| {
            line.match_indices("make ")
                .map(move |(at, _)| line.split_at(at))
        })
        .filter(|(before, _)| {
            before.is_empty() || before.ends_with('`') || before.ends_with("step ")
        })
        .filter_map(|(_, rest)| {
            rest["make ".len()..]
                .split(|c: char| !c.is_ascii_lowercase() && c != '-')
                .next()
        })
        .filter(|target| !target.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Files of a folder and the folders below it that begin as scripts for a shell do.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() && !path.ends_with("node_modules") {
            found.extend(scripts(&path));
        } else if path.is_file() {
            let text = fs::read(&path).expect("the file can be read");
            let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if first.starts_with(b"#!") && first.ends_with(b"sh") {
                found.push(path);
            }
        }
    }
    found
}

/// A script that a shell cannot read runs nothing of what it is to check.
#[test]
fn every_script_is_read_by_bash() {
    let folders = ["examples", "release", "tests", ".ci"];
    let scripts: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| scripts(&support::in_repository(folder)))
        .collect();
    assert!(scripts.len() >= 6, "{scripts:?}");
    for script in scripts {
        let read = Command::new("bash").arg("-n").arg(&script).output();
        let read = read.expect("bash can be started");
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success() && said.is_empty(), "{said}");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<_> = files()
        .iter()
        .map(|file| (file.lines_without_tests(), file.name.clone()))
        .filter(|(lines, _)| *lines > LINES_PER_FILE)
        .collect();
    assert!(
        long.is_empty(),
        "more than {LINES_PER_FILE} lines without tests: {long:?}"
    );
}

/// Istio's answer is what readers compare with Istio line by line: there the tests are short files too.
#[test]
fn no_file_of_policy_is_too_long_with_its_tests() {
    let long: Vec<_> = files()
        .iter()
        .filter(|file| file.name.contains("src/policy/"))
        .map(|file| (file.text.lines().count(), file.name.clone()))
        .filter(|(lines, _)| *lines > LINES_PER_FILE)
        .collect();
    assert!(
        long.is_empty(),
        "more than {LINES_PER_FILE} lines: {long:?}"
    );
}

#[test]
fn every_module_says_its_question_its_authority_and_what_it_does_not_know() {
    let mut wrong = Vec::new();
    for file in files()
        .iter()
        .filter(|file| !file.test && !file.module().is_empty())
    {
        let header: Vec<&str> = file
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .map(|line| line[3..].trim())
            .collect();
        let position = |words: &str| header.iter().position(|line| line.starts_with(words));
        let order = [
            Some(0).filter(|_| {
                header
                    .first()
                    .is_some_and(|line| !line.is_empty() && !line.starts_with("Authority"))
            }),
            position("Authority:"),
            position("Departs from"),
            position("Knows:"),
        ];
        let whole = order.iter().all(Option::is_some) && order.is_sorted();
        if !whole || !header.iter().any(|line| line.contains("Does not know:")) {
            wrong.push(file.name.clone());
        }
    }
    let lines = "//! <question>?\n//!\n//! Authority: …\n//! Departs from …: …\n//! Knows: … Does not know: …";
    assert!(
        wrong.is_empty(),
        "these files have to open with\n{lines}\n\n{}\n",
        wrong.join("\n")
    );
}

#[test]
fn the_version_has_an_entry_in_the_changelog() {
    let changelog = support::read("CHANGELOG.md");
    let version = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(
        changelog.contains(&version) || changelog.contains("## [Unreleased]"),
        "CHANGELOG.md has no {version}"
    );
}

/// The program on the files of an example, from within its folder.
fn on_example(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_istio-scrape"))
        .args(arguments)
        .current_dir(support::in_repository(&format!("examples/{name}")))
        .output()
        .expect("the program starts")
}

/// The first block of a page in this language.
fn block(page: &str, language: &str) -> String {
    let text = support::read(page);
    let fence = format!("\n```{language}\n");
    let rest = text
        .split_once(&fence)
        .unwrap_or_else(|| panic!("{page} has no {language} block"))
        .1;
    let mut block = rest
        .split("\n```")
        .next()
        .expect("split gives at least one part")
        .to_owned();
    block.push('\n');
    block
}

#[test]
fn the_diffs_and_the_evidence_on_the_pages_are_what_the_program_prints() {
    let output = on_example("kustomize-exec", &["diff", "."]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let shown = block("examples/kustomize-exec/README.md", "diff");
    assert_eq!(
        shown, printed,
        "\nexamples/kustomize-exec/README.md shows\n{shown}\nbut this is printed\n{printed}"
    );
    let excerpt = block("README.md", "diff");
    assert!(
        printed.contains(&excerpt),
        "README.md shows\n{excerpt}\nwhich is no part of what is printed\n{printed}"
    );
    let output = on_example("kustomize-exec", &["explain", "."]);
    let printed = String::from_utf8_lossy(&output.stdout);
    let excerpt = block("README.md", "text");
    assert!(
        printed.contains(&excerpt),
        "README.md shows\n{excerpt}\nwhich is no part of what is printed\n{printed}"
    );
}

/// The blocks of a page in this language, one after the other.
fn blocks(page: &str, language: &str) -> String {
    let text = support::read(page);
    let fence = format!("\n```{language}\n");
    let parts = text.split(fence.as_str()).skip(1);
    let inside = parts.filter_map(|part| part.split("\n```").next());
    inside.map(|block| format!("{block}\n")).collect()
}

#[test]
fn the_strict_example_shows_and_explains_every_change() {
    let output = on_example("strict", &["diff", "."]);
    let printed = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    let shown = blocks("examples/strict/README.md", "diff");
    assert_eq!(
        shown, printed,
        "\nexamples/strict/README.md shows\n{shown}\nbut this is printed\n{printed}"
    );
    let output = on_example("strict", &["explain", "."]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!printed.contains("warning"), "{printed}");
}

#[test]
fn explain_on_the_example_fits_on_one_screen() {
    let output = on_example("kustomize-exec", &["explain", "."]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let width = text
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default();
    let height = text.lines().count();
    assert!(
        height <= 40 && width <= 120,
        "{height} lines of up to {width} characters:\n{text}"
    );
    for word in [
        "strict-needs-tls",
        "scraper-needs-certificates",
        "demo-app-service-scrape",
    ] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
}
