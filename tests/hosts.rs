//! Do kpt, `kustomize fn` and Helm get back the bytes that they gave, but for the patches?
//!
//! The real hosts: each once with `cat` in our place and once with the program, over YAML that is damaged easily. What the
//! host itself makes of it is its own; what differs between the two is ours. `make tools` installs them in `.tools/`.

mod support;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_istio-scrape");
const KUSTOMIZES: &[&str] = &["v5.8.1", "v5.5.0"];
const HELMS: &[&str] = &["v3.21.4", "v4.2.4"];

/// Traps that a host refuses besides those of which the data says so.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "literal-tab-explicit",
        "kyaml cannot read what it wrote itself",
    ),
    (
        "keys-y-quoted",
        "kyaml fails to copy comments to keys that look like null",
    ),
    ("list-kind", "kpt refuses items without metadata.name"),
    ("list-shared-anchor", "the same"),
    ("meta-no-metadata", "the same"),
    ("meta-generate-name", "the same"),
    ("item-head-comment", "the same"),
    ("resourcelist-json", "the same"),
    (
        "anchor-on-key",
        "kyaml writes `*k: again`, an alias `k:` in YAML 1.2: we refuse it, and the files stay as they are",
    ),
];
/// In objects that we look into, a key that is there twice is an error.
const TWICE: &[&str] = &["keys-bool-words", "keys-duplicate"];

/// Files by name.
type Files = BTreeMap<String, String>;

/// The traps as files, in an apiVersion and kind that nobody knows, or in one that we read; without those that a host refuses.
fn traps(what: &str, read_by_us: bool, refused: &[&str]) -> Option<Files> {
    let path = support::data("conformance/yaml-traps.json", what)?;
    let text = fs::read_to_string(path).expect("the data is UTF-8");
    let traps: Vec<Value> = serde_json::from_str(&text).expect("the traps are JSON");
    let mut files = Files::new();
    for trap in &traps {
        let name = trap["name"].as_str().expect("a trap has a name");
        let yaml = trap["yaml"].as_str().expect("a trap has a text");
        let refused = refused
            .iter()
            .any(|error| trap["observed"].get(*error).is_some())
            || LEFT_OUT.iter().any(|(left_out, _)| *left_out == name)
            || read_by_us && TWICE.contains(&name);
        if !refused {
            let yaml = if read_by_us {
                yaml.replace(
                    "apiVersion: t.example.com/v1\nkind: T\n",
                    "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMPodScrape\n",
                )
            } else {
                yaml.to_owned()
            };
            files.insert(format!("{name}.yaml"), yaml);
        }
    }
    assert!(files.len() > 50, "only {} traps", files.len());
    Some(files)
}

/// The objects of examples/kpt, under a mesh of this mode.
fn shop(mode: &str) -> Files {
    let mut files = Files::new();
    for name in ["mesh.yaml", "orders.yaml", "vmagent.yaml"] {
        let text = support::read(&format!("examples/kpt/{name}"));
        files.insert(
            name.to_owned(),
            text.replace("STRICT\n", &format!("{mode}\n")),
        );
    }
    files
}

fn written(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    folder
}

fn read(folder: &Path) -> Files {
    fs::read_dir(folder)
        .expect("a folder can be listed")
        .map(|entry| entry.expect("a folder can be listed").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a file has a name")
                .to_string_lossy();
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name.into_owned(), text)
        })
        .collect()
}

/// Names of the files that differ, or are only on one side.
fn changed(before: &Files, after: &Files) -> Vec<String> {
    let only_after = after.keys().filter(|name| !before.contains_key(*name));
    let names = before.keys().chain(only_after);
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// A tool that `make tools` installed, or says what is left out for want of it.
fn tool(name: &str, version: &str, what: &str) -> Option<PathBuf> {
    let path = support::in_repository(&format!(".tools/{name}-{version}/{name}"));
    if path.is_file() {
        return Some(path);
    }
    support::did_not_run(
        &format!("{what} under {name} {version}"),
        "it is not installed (make tools)",
    );
    None
}

/// kpt of `.tools/`, else that on `PATH`.
fn kpt(what: &str) -> Option<PathBuf> {
    let of_tools = fs::read_dir(support::in_repository(".tools"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("kpt")));
    let paths = env::var_os("PATH").unwrap_or_default();
    let of_path = env::split_paths(&paths).map(|folder| folder.join("kpt"));
    let found = of_tools.chain(of_path).find(|path| path.is_file());
    if found.is_none() {
        support::did_not_run(
            &format!("{what} under kpt"),
            "it is neither in .tools/ nor on PATH (make tools)",
        );
    }
    found
}

/// A way to run a function over the files of a folder.
struct Host {
    name: String,
    tool: PathBuf,
    /// What stands before the function and the folder.
    arguments: &'static [&'static str],
}

/// The hosts that write files back.
fn hosts(what: &str) -> Vec<Host> {
    let kpt = kpt(what).map(|tool| Host {
        name: "kpt".to_owned(),
        tool,
        arguments: &["fn", "eval", "--exec"],
    });
    let kustomizes = KUSTOMIZES.iter().filter_map(|version| {
        Some(Host {
            name: format!("kustomize {version}"),
            tool: tool("kustomize", version, what)?,
            arguments: &["fn", "run", "--enable-exec", "--exec-path"],
        })
    });
    kpt.into_iter().chain(kustomizes).collect()
}

impl Host {
    fn run(&self, function: &str, folder: &Path) {
        let output = Command::new(&self.tool)
            .args(self.arguments)
            .arg(function)
            .arg(folder)
            .args(["--", "failOn=never", "certificates.directory=/etc/certs"])
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", self.tool.display()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} with {function}: {said}",
            self.name
        );
    }
}

#[test]
fn files_come_back_as_with_cat_but_for_the_patches() {
    let what = "bytes that come back in files";
    let both = &["orders.yaml", "vmagent.yaml"][..];
    for (read_by_us, mode, patched) in [
        (false, "STRICT", both),
        (true, "STRICT", both),
        (true, "PERMISSIVE", &[]),
    ] {
        let Some(traps) = traps(what, read_by_us, &["kyaml_read_error"]) else {
            return;
        };
        for host in hosts(what) {
            let mut files = traps.clone();
            files.extend(shop(mode));
            let [by_cat, by_us] = [written(&files), written(&files)];
            host.run("cat", by_cat.path());
            host.run(PROGRAM, by_us.path());
            let once = read(by_us.path());
            assert_eq!(
                changed(&read(by_cat.path()), &once),
                patched,
                "{}, {mode}, traps of a kind that we read: {read_by_us}",
                host.name
            );
            host.run(PROGRAM, by_us.path());
            assert_eq!(
                changed(&once, &read(by_us.path())),
                [""; 0],
                "{}, the second run",
                host.name
            );
        }
    }
}

/// The second function in a pipeline: its objects become files, its own file stays, and a second run changes nothing.
#[test]
fn a_pipeline_of_kpt_makes_the_objects_of_the_mesh_once() {
    let Some(kpt) = kpt("a pipeline with MeshMetrics (tests/hosts.rs)") else {
        return;
    };
    let pipeline = format!(
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: mesh\npipeline:\n  mutators:\n  - exec: {PROGRAM}\n    configPath: mesh.yaml\n"
    );
    let config = "apiVersion: istio-scrape.dev/v1alpha1\nkind: MeshMetrics\nmetadata:\n  name: mesh\n  annotations:\n    \
                  config.kubernetes.io/local-config: \"true\"\n";
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let written = [("Kptfile", pipeline.as_str()), ("mesh.yaml", config)];
    for (name, text) in written {
        fs::write(folder.path().join(name), text).expect("the folder is ours");
    }
    let render = || {
        let mut command = Command::new(&kpt);
        command
            .args(["fn", "render", "--allow-exec"])
            .arg(folder.path());
        let output = command.output().expect("kpt starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let mut files = Files::new();
        for place in [folder.path().to_owned(), folder.path().join("istio-system")] {
            for entry in fs::read_dir(place).expect("it can be listed") {
                let path = entry.expect("it can be listed").path();
                if path.is_file() && !path.ends_with("Kptfile") {
                    let text = fs::read_to_string(&path).expect("kpt writes UTF-8");
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    files.insert(name.into_owned(), text);
                }
            }
        }
        (files, said)
    };
    let (first, _) = render();
    let kinds = |files: &Files| -> Vec<String> {
        let of_kind = |text: &String| {
            text.lines()
                .find_map(|line| line.strip_prefix("kind: ").map(str::to_owned))
        };
        files.values().filter_map(of_kind).collect()
    };
    assert_eq!(first.get("mesh.yaml").map(String::as_str), Some(config));
    assert_eq!(
        kinds(&first),
        ["MeshMetrics", "VMPodScrape", "VMServiceScrape"],
        "{first:?}"
    );
    let (second, said) = render();
    assert_eq!(second, first);
    assert!(said.contains("is there already"), "{said}");
}

#[test]
fn kpt_carries_a_package_through_a_pipe() {
    let Some(kpt) = kpt("kpt fn source and sink") else {
        return;
    };
    let package = written(&shop("STRICT"));
    let [out, expected] = [0, 1].map(|_| tempfile::tempdir().expect("there is room for a folder"));
    for (function, folder) in [("cat", &expected), (PROGRAM, &out)] {
        let sink = folder.path().join("package");
        let line = r#"set -euo pipefail; "$0" fn source "$1" | "$2" | "$0" fn sink "$3""#;
        let output = Command::new("bash")
            .args(["-c", line])
            .arg(&kpt)
            .arg(package.path())
            .arg(function)
            .arg(&sink)
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{function}: {said}");
    }
    let [before, after] = [&expected, &out].map(|folder| read(&folder.path().join("package")));
    assert_eq!(changed(&before, &after), ["orders.yaml", "vmagent.yaml"]);
}

// --- Helm

/// A chart that prints these files, with a home of its own for Helm and, for Helm 4, `cat` and the program as plugins.
struct Chart {
    folder: TempDir,
    helm: PathBuf,
    version: &'static str,
}

impl Chart {
    fn new(helm: PathBuf, version: &'static str, files: &Files) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let add = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("the folder is ours");
            fs::write(path, text).expect("the folder is ours");
        };
        add(
            "chart/Chart.yaml",
            "apiVersion: v2\nname: traps\nversion: 1.0.0\n",
        );
        for (name, text) in files {
            // As files, whose text is no template.
            add(&format!("chart/files/{name}"), text);
            let template = format!("{{{{ .Files.Get \"files/{name}\" }}}}");
            add(&format!("chart/templates/{name}"), &template);
        }
        let plugin = support::read("functions/istio-scrape-tls/plugin.yaml");
        let command = "command: istio-scrape\n";
        assert!(plugin.contains(command), "plugin.yaml has no {command}");
        add("plugins/ours/plugin.yaml", &plugin);
        let cat = plugin
            .replace("name: istio-scrape\n", "name: cat\n")
            .replace(command, "command: cat\n");
        add("plugins/cat/plugin.yaml", &cat);
        Self {
            folder,
            helm,
            version,
        }
    }

    fn template(&self, arguments: &[&str]) -> Output {
        let programs = Path::new(PROGRAM)
            .parent()
            .expect("a program lies in a folder");
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(
            [programs.to_owned()]
                .into_iter()
                .chain(env::split_paths(&path)),
        );
        // Helm 3 complains about plugins of Helm 4.
        let plugins = if self.version.starts_with("v3.") {
            "none"
        } else {
            "plugins"
        };
        Command::new(&self.helm)
            .args(["template", "release"])
            .arg(self.folder.path().join("chart"))
            .args(arguments)
            .env("PATH", path.expect("PATH can be joined again"))
            .env("HOME", self.folder.path())
            .env("HELM_PLUGINS", self.folder.path().join(plugins))
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", self.helm.display()))
    }

    fn templated(&self, arguments: &[&str]) -> String {
        let output = self.template(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "helm {} {arguments:?}: {said}",
            self.version
        );
        String::from_utf8(output.stdout).expect("output is UTF-8")
    }
}

/// The Helms of this machine.
fn helms(what: &str) -> Vec<(PathBuf, &'static str)> {
    let found = HELMS
        .iter()
        .filter_map(|version| Some((tool("helm", version, what)?, *version)));
    found.collect()
}

#[test]
fn what_helm_prints_is_the_same_with_and_without_us_where_nothing_is_pending() {
    let what = "bytes that come back to Helm";
    for (helm, version) in helms(what) {
        let plain = Chart::new(helm.clone(), version, &shop("PERMISSIVE"));
        assert_eq!(
            plain.templated(&["--post-renderer", "istio-scrape"]),
            plain.templated(&[]),
            "{version}"
        );

        // Helm reads objects as kubectl does, and Helm 4 besides by kyaml.
        let refused = ["kyaml_read_error", "kubectl_json_error"];
        let Some(traps) = traps(what, true, &refused) else {
            return;
        };
        let chart = Chart::new(helm, version, &traps);
        let by_cat = chart.templated(&["--post-renderer", "cat"]);
        assert!(by_cat.matches("# Source: ").count() > 50, "{by_cat}");
        assert_eq!(
            chart.templated(&["--post-renderer", "istio-scrape"]),
            by_cat,
            "{version}"
        );
    }
}

#[test]
fn helm_keeps_the_file_of_each_document_and_gets_the_patches() {
    for (helm, version) in helms("patches in what Helm prints") {
        let chart = Chart::new(helm, version, &shop("STRICT"));
        let before = chart.templated(&[]);
        let after = chart.templated(&["--post-renderer", "istio-scrape"]);
        let sources = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.starts_with("# Source: "));
            lines.map(str::to_owned).collect()
        };
        assert!(sources(&before).len() > 5, "{before}");
        assert_eq!(sources(&after), sources(&before), "{version}");
        assert!(
            !after.contains("postrenderer.helm.sh"),
            "{version}: {after}"
        );
        let mut added = String::new();
        for change in similar::TextDiff::from_lines(&before, &after).iter_all_changes() {
            assert_ne!(
                change.tag(),
                similar::ChangeTag::Delete,
                "{version}: {change}"
            );
            if change.tag() == similar::ChangeTag::Insert {
                added.push_str(change.value());
            }
        }
        assert!(
            added.contains("    scheme: https\n") && added.contains("OUTPUT_CERTS"),
            "{version}: {added}"
        );
    }
}

#[test]
fn helm_4_says_nothing_of_a_failure_and_the_report_says_it() {
    for (helm, version) in helms("failures under Helm") {
        let chart = Chart::new(helm, version, &shop("STRICT"));
        let report = chart.folder.path().join("report.json");
        let report_argument = format!("--report={}", report.display());
        let output = chart.template(&[
            "--post-renderer",
            "istio-scrape",
            "--post-renderer-args=--config=missing.yaml",
            &format!("--post-renderer-args={report_argument}"),
        ]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{version}: {said}"
        );
        assert_eq!(
            said.contains("missing.yaml"),
            version.starts_with("v3."),
            "{version}: {said}"
        );
        let report = fs::read_to_string(report).expect("a report is written");
        assert!(report.contains("missing.yaml"), "{version}: {report}");
    }
}

#[test]
fn the_plugin_has_the_version_of_the_program() {
    let plugin = support::read("functions/istio-scrape-tls/plugin.yaml");
    let version = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
    assert!(
        plugin.contains(&version),
        "plugin.yaml has no line {}",
        version.trim()
    );
}
