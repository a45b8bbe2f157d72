//! Do the pages, the recipes and the package of a release agree?

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use support::{in_repository, read};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const WORKFLOW: &str = ".github/workflows/ci.yml";
const FUNCTION: &str = "functions/istio-scrape-tls";

/// The targets that a script types, in its order: after `step` or `run:`.
fn typed(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once("make "))
        .filter(|(before, _)| before.ends_with("step ") || before.ends_with("run: "))
        .filter_map(|(_, rest)| rest.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// One job of the workflow: the lines that are indented below its name.
fn job(name: &str) -> String {
    let text = read(WORKFLOW);
    let opening = format!("\n  {name}:\n");
    let rest = text
        .split_once(&opening)
        .unwrap_or_else(|| panic!("{WORKFLOW} has no job {name}"))
        .1;
    let inside = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("    "));
    inside.flat_map(|line| [line, "\n"]).collect()
}

/// The value of a line `key: value` of a flat YAML file.
fn value(page: &str, key: &str) -> String {
    let opening = format!("{key}: ");
    let text = read(page);
    let found = text.lines().find_map(|line| line.strip_prefix(&opening));
    found
        .unwrap_or_else(|| panic!("{page} has no {key}"))
        .trim()
        .to_owned()
}

/// The entries of a list of a flat YAML file.
fn entries(page: &str, key: &str) -> Vec<String> {
    let opening = format!("{key}:");
    let text = read(page);
    text.lines()
        .skip_while(|line| *line != opening)
        .skip(1)
        .map_while(|line| line.trim_start().strip_prefix("- "))
        .map(|entry| entry.trim().to_owned())
        .collect()
}

/// The value of a label in the Dockerfile.
fn label(name: &str) -> String {
    let text = read(&format!("{FUNCTION}/Dockerfile"));
    let opening = format!("org.opencontainers.image.{name}=\"");
    let rest = text
        .split_once(&opening)
        .unwrap_or_else(|| panic!("the Dockerfile has no label {name}"))
        .1;
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn the_workflow_types_what_ci_types_and_all_of_it_is_there() {
    let here = typed(&read(".ci/run"));
    let there = typed(&job("check"));
    assert!(
        here.len() > 4,
        "the steps of .ci/run are not found: {here:?}"
    );
    assert_eq!(here, there, "the steps of .ci/run and of {WORKFLOW}");
    let makefile = read("Makefile");
    for target in typed(&read(".ci/run"))
        .iter()
        .chain(&typed(&read(WORKFLOW)))
    {
        let opening = format!("{target}:");
        assert!(
            makefile.lines().any(|line| line.starts_with(&opening)),
            "the Makefile has no target {target}"
        );
    }
}

/// Runners of the forge have a compiler, git, make, Go, Node.js and a Chrome, which has another name.
#[test]
fn the_workflow_installs_what_ci_installs() {
    let there = job("check");
    let script = read(".ci/run");
    let packages = script
        .lines()
        .filter_map(|line| line.strip_prefix("need ")?.split(' ').nth(1))
        .filter(|package| {
            !["make", "gcc", "git", "golang-go", "npm", "chromium"].contains(package)
        });
    assert!(
        there.contains("CHROMIUM: google-chrome"),
        "the name of the runner's Chrome"
    );
    for package in packages {
        let install = there.lines().find(|line| line.contains("apt-get install"));
        assert!(
            install.is_some_and(|line| line.split(' ').any(|word| word == package)),
            "{WORKFLOW} does not install {package}, .ci/run does"
        );
    }
}

#[test]
fn a_pull_request_needs_no_secret_and_may_write_nothing() {
    let text = read(WORKFLOW);
    assert!(!text.contains("secrets."), "{WORKFLOW} asks for a secret");
    assert!(
        !text.contains("pull_request_target"),
        "{WORKFLOW} would run code of a fork with rights of this repository"
    );
    let writes: Vec<&str> = text
        .lines()
        .filter(|line| line.ends_with(": write"))
        .collect();
    assert_eq!(writes, ["      contents: write"], "only one job may write");
    let publish = job("publish");
    assert!(publish.contains("contents: write"));
    assert!(
        !publish.contains("actions/checkout") && typed(&publish).is_empty(),
        "the job that may write runs nothing of the repository"
    );
    let actions = text.lines().filter_map(|line| {
        line.trim_start()
            .trim_start_matches("- ")
            .strip_prefix("uses: ")
    });
    for action in actions {
        let version = action.split_once('@').map_or("", |(_, version)| version);
        assert!(
            version.starts_with('v') && version.split('.').count() == 3,
            "{action}: a whole version is named"
        );
    }
}

#[test]
fn all_pages_name_the_version_of_cargo_toml() {
    assert_eq!(label("version"), VERSION, "{FUNCTION}/Dockerfile");
    let image = value(&format!("{FUNCTION}/metadata.yaml"), "image");
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    assert_eq!(
        tag,
        format!("v{VERSION}"),
        "{FUNCTION}/metadata.yaml: image"
    );
    let plugin = format!("{FUNCTION}/plugin.yaml");
    if in_repository(&plugin).is_file() {
        assert_eq!(
            value(&plugin, "version").trim_matches('"'),
            VERSION,
            "{plugin}"
        );
    }
    let heading = read("CHANGELOG.md").lines().find_map(|line| {
        line.strip_prefix("## [")?
            .split(']')
            .next()
            .map(str::to_owned)
    });
    let heading = heading.expect("CHANGELOG.md has a heading");
    assert!(
        heading == VERSION || heading == "Unreleased",
        "CHANGELOG.md opens with {heading}, Cargo.toml says {VERSION}"
    );
}

#[test]
fn the_image_is_built_with_the_rust_that_cargo_toml_asks_for() {
    let rust = env!("CARGO_PKG_RUST_VERSION");
    let dockerfile = read(&format!("{FUNCTION}/Dockerfile"));
    assert!(
        dockerfile.contains(&format!("/rust:{rust}-")),
        "{FUNCTION}/Dockerfile builds with another Rust than {rust}"
    );
    let workflow = read(WORKFLOW);
    for beginning in [format!("RUST: '{rust}."), format!("image: rust:{rust}.")] {
        assert!(workflow.contains(&beginning), "{WORKFLOW}: {beginning}…");
    }
}

#[test]
fn labels_say_what_cargo_toml_says() {
    assert_eq!(label("description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(label("licenses"), env!("CARGO_PKG_LICENSE"));
    assert_eq!(label("source"), env!("CARGO_PKG_REPOSITORY"));
    assert_eq!(label("title"), env!("CARGO_PKG_NAME"));
}

#[test]
fn the_catalog_of_kpt_finds_what_it_requires() {
    let page = format!("{FUNCTION}/metadata.yaml");
    assert_eq!(value(&page, "description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(value(&page, "license"), env!("CARGO_PKG_LICENSE"));
    let tags = entries(&page, "tags");
    let known = ["mutator", "validator", "generator"];
    assert!(
        !tags.is_empty() && tags.iter().all(|tag| known.contains(&tag.as_str())),
        "{tags:?}"
    );
    let emails = entries(&page, "emails");
    assert!(
        !emails.is_empty() && emails.iter().all(|email| email.contains('@')),
        "{emails:?}"
    );
    let mut places = entries(&page, "examplePackageURLs");
    assert!(!places.is_empty(), "{page}: examplePackageURLs");
    places.push(value(&page, "sourceURL"));
    places.push(label("documentation"));
    let root = format!("{}/tree/main/", env!("CARGO_PKG_REPOSITORY"));
    for place in places {
        let path = place
            .strip_prefix(&root)
            .unwrap_or_else(|| panic!("{place}: outside {root}"));
        assert!(in_repository(path).is_dir(), "{place}: no folder {path}");
        assert!(
            in_repository(path).join("README.md").is_file(),
            "{place}: no README.md"
        );
    }
}

/// What goes to crates.io: what a build needs, and nothing that only this repository does.
#[test]
fn the_package_holds_what_a_build_needs_and_not_much_more() {
    let output = Command::new(env!("CARGO"))
        .args([
            "package",
            "--list",
            "--allow-dirty",
            "--locked",
            "--offline",
        ])
        .current_dir(in_repository(""))
        .output()
        .expect("cargo starts");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    assert!(!complaints.contains("warning"), "{complaints}");
    let text = String::from_utf8_lossy(&output.stdout);
    let packed: BTreeSet<&str> = text.lines().collect();
    for needed in [
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "src/main.rs",
    ] {
        assert!(packed.contains(needed), "{needed} is not in the package");
    }
    // cargo warns of each test and benchmark that is left out.
    for folder in ["tests", "benches"] {
        for file in fs::read_dir(in_repository(folder)).into_iter().flatten() {
            let name = file.expect("the folder can be listed").file_name();
            let path = format!("{folder}/{}", name.to_string_lossy());
            assert!(
                !path.ends_with(".rs") || packed.contains(path.as_str()),
                "{path} is not in the package"
            );
        }
    }
    for name in &packed {
        let known = [
            "src/",
            "tests/",
            "benches/",
            "functions/",
            "Cargo.",
            "README",
            "CHANGELOG",
            "LICENSE",
            ".cargo_vcs_info",
        ];
        assert!(
            known.iter().any(|beginning| name.starts_with(beginning)),
            "{name} is in the package"
        );
    }
    let size: u64 = packed
        .iter()
        .filter_map(|name| fs::metadata(in_repository(name)).ok())
        .map(|file| file.len())
        .sum();
    assert!(size < 5_000_000, "{size} bytes before compression");
    let dockerfile = read(&format!("{FUNCTION}/Dockerfile"));
    let copies = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "));
    let copied: Vec<&str> = copies.flat_map(str::split_whitespace).collect();
    assert!(copied.contains(&"src"), "{copied:?}");
    for file in support::source::files() {
        for included in file.text.split("include_str!(\"").skip(1) {
            let named = included.split('"').next().unwrap_or_default();
            let folder = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = normal(&format!("{folder}/{named}"));
            assert!(
                packed.contains(path.as_str()),
                "{} includes {path}, which is not in the package",
                file.name
            );
            assert!(
                copied.iter().any(|copy| path.starts_with(copy)),
                "{} includes {path}, which the Dockerfile does not copy",
                file.name
            );
        }
    }
}

#[test]
fn a_tag_that_is_not_the_version_releases_nothing() {
    let output = Command::new("bash")
        .arg("release/dist.sh")
        .envs([("TAG", "v0.0.0"), ("DIST_TARGETS", "none")])
        .current_dir(in_repository(""))
        .output()
        .expect("bash starts");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    assert!(
        complaints.contains("the tag is v0.0.0") && complaints.contains(VERSION),
        "{complaints}"
    );
}

/// A path without `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
