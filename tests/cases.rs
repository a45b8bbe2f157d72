//! Every directory of `testdata/` is a case: an input, what is expected of it by hand, and a snapshot beside it.
//!
//! `input.yaml` opens with a comment that says what it shows, and one line
//! `# expect: <verdict> <rule> <kind>/<namespace>/<name> <pointer>` for each decision.
//! `config.yaml`, where present, is the configuration.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic;
use std::path::Path;

use istio_scrape::krm::Source;
use istio_scrape::yaml::{self, Rules};
use istio_scrape::{Error, Flags, run};
use serde_json::Value;
use similar::TextDiff;

/// Decisions, changes and results of every case are as written by hand and as reviewed in its snapshot.
#[test]
fn cases() {
    let mut wrong = String::new();
    for directory in support::directories("testdata") {
        let name = directory.file_name().expect("a directory has a name");
        let name = name.to_string_lossy();
        match Case::read(&directory) {
            Ok(case) => case.differences(&directory).iter().for_each(|difference| {
                writeln!(wrong, "{name}: {difference}").expect("a String grows");
            }),
            Err(error) => writeln!(wrong, "{name}: {error}").expect("a String grows"),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

struct Case {
    input: String,
    output: Option<String>,
    report: Value,
    exit: u8,
}

impl Case {
    fn read(directory: &Path) -> Result<Self, Error> {
        let input = text_of(&directory.join("input.yaml"));
        let config = directory.join("config.yaml");
        let flags = Flags {
            config: config
                .exists()
                .then(|| Source::named("config.yaml", text_of(&config))),
            ..Flags::default()
        };
        let outcome = run(&[Source::named("input.yaml", input.clone())], &flags)?.into_owned();
        Ok(Self {
            input,
            output: outcome.text(),
            exit: outcome.exit,
            report: serde_json::from_str(&outcome.report).expect("the report is JSON"),
        })
    }

    /// What is not as written by hand, or not as in the snapshot.
    fn differences(&self, directory: &Path) -> Vec<String> {
        let (mut expected, mut decided) = (self.expected(), self.decided());
        // What is in both, as often as in both, is as it should be.
        decided.retain(
            |line| match expected.iter().position(|other| other == line) {
                Some(position) => {
                    expected.swap_remove(position);
                    false
                }
                None => true,
            },
        );
        let (unexpected, missing) = (decided.iter(), expected.iter());
        let mut differences: Vec<_> = unexpected
            .map(|line| format!("not expected: {line}"))
            .chain(missing.map(|line| format!("missing: {line}")))
            .collect();
        let compared = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            insta::with_settings!({
                snapshot_path => directory,
                prepend_module_to_snapshot => false,
                omit_expression => true,
                description => self.shows(),
            }, {
                insta::assert_snapshot!("expected", self.told());
            });
        }));
        if compared.is_err() {
            differences.push("expected.snap shows something else".to_owned());
        }
        differences
    }

    /// The first comment of the input.
    fn shows(&self) -> String {
        let first = self.input.lines().next().unwrap_or_default();
        first
            .strip_prefix("# ")
            .expect("input.yaml opens with what it shows")
            .to_owned()
    }

    fn expected(&self) -> Vec<String> {
        self.input
            .lines()
            .filter_map(|line| line.strip_prefix("# expect: "))
            .map(|line| line.trim().to_owned())
            .collect()
    }

    fn decisions(&self) -> &[Value] {
        self.report["decisions"]
            .as_array()
            .expect("decisions are a list")
    }

    /// The decisions as `# expect:` lines.
    fn decided(&self) -> Vec<String> {
        self.decisions()
            .iter()
            .map(|decision| {
                let object = &decision["object"];
                let line = format!(
                    "{} {} {}/{}/{} {}",
                    text(&decision["verdict"]),
                    text(&decision["rule"]),
                    text(&object["kind"]),
                    text(&object["namespace"]),
                    text(&object["name"]),
                    text(&decision["at"]),
                );
                line.trim_end().to_owned()
            })
            .collect()
    }

    /// What a reviewer looks at.
    fn told(&self) -> String {
        let mut told = String::from("## Decisions\n");
        for (line, decision) in self.decided().iter().zip(self.decisions()) {
            writeln!(told, "{}: {line}", text(&decision["severity"])).expect("a String grows");
            writeln!(told, "    {}", text(&decision["message"])).expect("a String grows");
            for target in decision["targets"].as_array().into_iter().flatten() {
                writeln!(told, "    - {}", target_line(target)).expect("a String grows");
                for link in chain_lines(target) {
                    writeln!(told, "        {link}").expect("a String grows");
                }
            }
        }
        told.push_str("\n## Changes\n");
        match &self.output {
            None => writeln!(told, "no output, exit code {}", self.exit).expect("a String grows"),
            Some(_) if self.exit != 0 => {
                writeln!(told, "items unchanged, exit code {}", self.exit).expect("a String grows");
            }
            Some(output) if *output == self.input => told.push_str("no changes\n"),
            Some(output) => {
                let diff = TextDiff::from_lines(&self.input, output)
                    .unified_diff()
                    .context_radius(2)
                    .to_string();
                // Results have a part of their own.
                let objects = diff
                    .split_inclusive('\n')
                    .take_while(|line| *line != "+results:\n");
                told.extend(objects);
            }
        }
        if let Some(results) = self.output.as_deref().and_then(results) {
            told.push_str("\n## Results\n");
            told.push_str(&yaml::block(&results));
        }
        told
    }
}

/// `results` of a ResourceList.
fn results(output: &str) -> Option<Value> {
    let documents = yaml::read(output).expect("the output is YAML");
    let root = documents.first()?.root.as_ref()?;
    let is_list = root.get("kind")?.text() == Some("ResourceList");
    let results = root.get("results").filter(|_| is_list)?;
    Some(
        results
            .value(Rules::Kustomize)
            .expect("results are JSON in YAML"),
    )
}

fn target_line(target: &Value) -> String {
    let workload = &target["workload"];
    format!(
        "{} {}/{}:{} via {}: {}, captured {}, {}{} => {} ({})",
        text(&workload["kind"]),
        text(&workload["namespace"]),
        text(&workload["name"]),
        target["port"],
        text(&target["via"]),
        text(&target["dataPlane"]),
        target["captured"],
        target["mode"].as_str().unwrap_or("mode unknown"),
        if target["proven"] == Value::Bool(true) {
            ", proven"
        } else {
            ""
        },
        text(&target["demand"]),
        target["because"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect::<Vec<_>>()
            .join("; "),
    )
}

/// The policies that are meant for a target, where it is more than the one that its line names.
fn chain_lines(target: &Value) -> Vec<String> {
    let links = target["chain"].as_array().map_or(&[][..], Vec::as_slice);
    let policies: BTreeSet<&str> = links.iter().filter_map(|l| l["policy"].as_str()).collect();
    let line = |link: &Value| {
        format!(
            "{} {}: {} {} ({})",
            text(&link["level"]),
            link["policy"].as_str().unwrap_or("without policy"),
            text(&link["says"]),
            text(&link["part"]),
            text(&link["why"]),
        )
    };
    match policies.len() {
        0 | 1 => Vec::new(),
        _ => links.iter().map(line).collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
