//! Is the data of `make bench` what kustomize hands to a function, and does our program patch in it what is said to be patched?

mod support;

#[path = "../benches/data/mod.rs"]
mod data;
#[path = "support/program.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "each test file uses a part"
)]
mod program;

use std::process::Command;

use data::{Content, Spread, Until, Written, write};
use istio_scrape::krm::{self, Source};
use istio_scrape::model;

fn generated(content: Content, seed: u64) -> (String, Written) {
    let mut text = Vec::new();
    let written = write(content, seed, &mut text).expect("memory takes it");
    let text = String::from_utf8(text).expect("text");
    assert_eq!(written.bytes, text.len() as u64);
    (text, written)
}

const SOME: [Content; 7] = [
    Content::Cluster(Until::Bytes(5_000)),
    Content::Cluster(Until::Bytes(1_000_000)),
    Content::ReadKinds(Until::Items(300)),
    Content::Scrapes(120, Spread::Namespaces),
    Content::Scrapes(20, Spread::OneNamespace),
    Content::Scrapes(120, Spread::AnyNamespace),
    Content::Endpoints(20),
];

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for content in SOME {
        let (text, written) = generated(content, 7);
        assert_eq!(
            (text.clone(), written),
            generated(content, 7),
            "{content:?}"
        );
        assert_ne!(text, generated(content, 8).0, "{content:?}");
    }
}

#[test]
fn the_size_is_what_was_asked_for() {
    for (asked, least, most) in [
        (5_000, 4_500, 6_000),
        (100_000, 100_000, 150_000),
        (2_000_000, 2_000_000, 2_150_000),
    ] {
        let (_, written) = generated(Content::Cluster(Until::Bytes(asked)), 1);
        assert!((least..most).contains(&written.bytes), "{written:?}");
    }
    let (_, written) = generated(Content::Cluster(Until::Items(200)), 1);
    assert_eq!(written.items, 200);
}

/// Paths of the maps whose keys are not sorted. What kustomize itself adds to the annotations stands behind the others.
fn unsorted(at: &str, value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            let keys: Vec<&String> = map.keys().collect();
            if !at.ends_with("/annotations") && !keys.is_sorted() {
                found.push(format!("{at}: {keys:?}"));
            }
            for (key, value) in map {
                unsorted(&format!("{at}/{key}"), value, found);
            }
        }
        serde_json::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                unsorted(&format!("{at}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn it_looks_as_kustomize_prints_it() {
    for content in SOME {
        let (text, written) = generated(content, 7);
        assert!(
            !text.contains(" \n"),
            "{content:?}: a space at the end of a line"
        );
        assert!(text.lines().any(|line| line == "functionConfig:"));
        let sources = [Source::named("-", text.as_str())];
        let package = krm::open(&sources, |_, _, _| true).expect("a ResourceList");
        assert_eq!(package.items.len(), written.items);
        let read = package
            .items
            .iter()
            .filter(|item| model::reads(&item.api_version, &item.kind, &item.name));
        // Between the items are `- ` and the end of the line.
        let read: usize = read
            .map(|item| item.node().expect("YAML").range.len() + 3)
            .sum();
        let difference = (read as u64).abs_diff(written.read);
        assert!(
            difference <= written.items as u64,
            "{read} bytes of kinds that we read, {written:?}"
        );
        for item in &package.items {
            let value = item
                .node()
                .expect("YAML")
                .value(package.form.rules())
                .expect("a value");
            let mut found = Vec::new();
            unsorted("", &value, &mut found);
            assert!(
                found.is_empty(),
                "{content:?}: {} {}: {found:?}",
                item.kind,
                item.name
            );
        }
    }
}

#[test]
fn the_program_patches_what_is_said_to_be_strict() {
    for content in SOME {
        let (text, written) = generated(content, 7);
        let ended = program::run(&[], &text);
        assert_eq!(ended.code, 0, "{content:?}: {}", ended.stderr);
        let count =
            |needle: &str| ended.stdout.matches(needle).count() - text.matches(needle).count();
        assert!(written.strict_scrapes > 0, "{content:?}");
        assert_eq!(
            count("\n      scheme: https\n"),
            written.strict_scrapes,
            "{content:?}"
        );
        assert_eq!(count("OUTPUT_CERTS"), 1, "{content:?}: the scraper");
    }
}

/// The objects as somebody may have written them: without what kustomize adds to their annotations.
fn objects(items: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut in_id = false;
    for line in items.lines() {
        if in_id && line.starts_with("        ") {
            continue;
        }
        let own = line.strip_prefix("      ").unwrap_or_default();
        in_id = own.starts_with("kustomize.config.k8s.io/id:");
        let is_added = [
            "internal.config.",
            "config.k8s.io/id:",
            "config.kubernetes.io/index:",
        ]
        .iter()
        .any(|beginning| own.starts_with(beginning));
        if in_id || is_added {
            continue;
        }
        if kept.last() == Some(&"    annotations:") && !own.contains('/') {
            kept.pop();
        }
        kept.push(line);
    }
    let mut text = String::new();
    for line in kept {
        let (first, line) = line.split_at(line.len().min(2));
        text += if first == "- " { "---\n" } else { "" };
        text += line;
        text.push('\n');
    }
    text
}

#[cfg(unix)]
#[test]
fn kustomize_hands_it_over_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    const FUNCTION: &str = "\
apiVersion: example.com/v1
kind: Seen
metadata:
  name: seen
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: ./seen.sh
";
    let (text, _) = generated(Content::Cluster(Until::Bytes(300_000)), 7);
    let items = |text: &str| -> String {
        let (before, _) = text
            .split_once("\nfunctionConfig:\n")
            .expect("a ResourceList");
        let lines = before.split_inclusive('\n');
        // It names the objects' former names where there are any.
        lines
            .filter(|line| !line.contains("kubernetes.io/previous"))
            .collect()
    };
    let (_, below) = text.split_once("items:\n").expect("a ResourceList");
    let (below, _) = below
        .split_once("\nfunctionConfig:\n")
        .expect("a ResourceList");
    let written = objects(below);
    for kustomize in support::kustomize::kustomizes(file!()) {
        let folder = program::folder(&[
            (
                "kustomization.yaml",
                "resources: [all.yaml]\ntransformers: [function.yaml]\n",
            ),
            ("function.yaml", FUNCTION),
            ("all.yaml", &written),
            ("seen.sh", "#!/bin/sh\ntee seen.yaml\n"),
        ]);
        let script = folder.path().join("seen.sh");
        let permissions = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&script, permissions).expect("the file is ours");
        let output = kustomize.run(folder.path(), support::kustomize::WITH_FUNCTIONS);
        assert!(
            output.status.success(),
            "{}",
            support::kustomize::said(&output)
        );
        let seen = std::fs::read_to_string(folder.path().join("seen.yaml")).expect("it was run");
        let (ours, theirs) = (items(&text), items(&seen));
        let ours: Vec<&str> = ours.lines().collect();
        let theirs: Vec<&str> = theirs.lines().collect();
        // A block with tabs in it kustomize prints as one line; other hosts leave it as it is, and so does the data.
        let mut at = (0, 0);
        while let (Some(one), Some(other)) = (ours.get(at.0), theirs.get(at.1)) {
            if *one == "    nginx.conf: |" {
                assert!(other.starts_with("    nginx.conf: \""), "{other}");
                while ours[at.0 + 1].starts_with("      ") {
                    at.0 += 1;
                }
            } else {
                assert_eq!(
                    one,
                    other,
                    "line {} of ours, {} of kustomize's",
                    at.0 + 1,
                    at.1 + 1
                );
            }
            at = (at.0 + 1, at.1 + 1);
        }
        assert_eq!(at, (ours.len(), theirs.len()));
        assert!(ours.len() > 5_000, "{}", ours.len());
    }
}

/// The annotation that kyaml takes out of whatever it reads.
const OF_KYAML: &str = "      internal.config.kubernetes.io/annotations-migration-resource-id:";

#[test]
fn kyaml_prints_it_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let peer = folder.path().join("peer-kyaml");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&peer)
        .arg(".")
        .env("GOTOOLCHAIN", "auto")
        .current_dir(support::in_repository("benches/peer-kyaml"))
        .output();
    let why = match built {
        Err(error) => format!("go: {error}"),
        Ok(output) if !output.status.success() => {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = stderr.lines().last().unwrap_or_default();
            format!("benches/peer-kyaml cannot be built: {last}")
        }
        Ok(_) => String::new(),
    };
    if !why.is_empty() {
        support::did_not_run("the round trip of the data of make bench", &why);
        return;
    }
    for content in SOME {
        let (text, written) = generated(content, 7);
        let peer = |arguments: &[&str]| {
            let mut command = Command::new(&peer);
            command.args(arguments);
            let streams = [
                Command::stdin as fn(&mut Command, std::process::Stdio) -> &mut Command,
                Command::stdout,
                Command::stderr,
            ];
            for stream in streams {
                stream(&mut command, std::process::Stdio::piped());
            }
            let ended = program::ended(&mut command, text.as_bytes());
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            ended.stdout
        };
        let kept: String = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with(OF_KYAML))
            .collect();
        let back = peer(&["round-trip"]);
        let first = kept
            .lines()
            .zip(back.lines())
            .find(|(kept, back)| kept != back);
        assert!(kept == back, "{content:?}: {first:?}");
        if !matches!(content, Content::Scrapes(_, Spread::AnyNamespace)) {
            let https = peer(&[]).matches("scheme: https").count();
            assert_eq!(https, written.strict_scrapes, "{content:?}");
        }
    }
}
