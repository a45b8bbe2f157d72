//! The real kustomize, its builds as values, and folders for it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use istio_scrape::yaml::{self, Rules};
use serde_json::Value;
use tempfile::TempDir;

use super::{did_not_run, in_repository};

/// The newest, and one before `exec.args` came (5.7), as in kubectl 1.32.
const VERSIONS: &[&str] = &["v5.8.1", "v5.5.0"];
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_istio-scrape");
pub(crate) const WITH_FUNCTIONS: &[&str] = &["--enable-alpha-plugins", "--enable-exec"];

/// Objects by `kind namespace/name`.
pub(crate) type Objects = BTreeMap<String, Value>;

pub(crate) struct Kustomize(pub(crate) PathBuf);

/// The kustomizes of this machine; `what` is what does not run where one is missing.
pub(crate) fn kustomizes(what: &str) -> Vec<Kustomize> {
    if let Some(path) = env::var_os("KUSTOMIZE") {
        return vec![Kustomize(path.into())];
    }
    let mut found = Vec::new();
    for version in VERSIONS {
        let path = in_repository(&format!(".tools/kustomize-{version}/kustomize"));
        if path.is_file() {
            found.push(Kustomize(path));
        } else {
            let what = format!("{what} under kustomize {version}");
            did_not_run(&what, "it is not installed (make tools)");
        }
    }
    found
}

impl Kustomize {
    /// `kustomize build`, with our program on `PATH`.
    pub(crate) fn run(&self, directory: &Path, flags: &[&str]) -> Output {
        self.run_with_path(
            directory,
            flags,
            Path::new(PROGRAM)
                .parent()
                .expect("a program lies in a folder"),
        )
    }

    pub(crate) fn run_with_path(
        &self,
        directory: &Path,
        flags: &[&str],
        programs: &Path,
    ) -> Output {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(
            [programs.to_owned()]
                .into_iter()
                .chain(env::split_paths(&path)),
        );
        Command::new(&self.0)
            .arg("build")
            .args(flags)
            .arg(directory)
            .env("PATH", path.expect("PATH can be joined again"))
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", self.0.display()))
    }

    /// The objects of a build with functions that has to succeed.
    pub(crate) fn build(&self, directory: &Path) -> Objects {
        let output = self.run(directory, WITH_FUNCTIONS);
        assert!(
            output.status.success(),
            "{}: {}",
            self.0.display(),
            said(&output)
        );
        objects(&String::from_utf8(output.stdout).expect("output is UTF-8"))
    }

    /// What a build that has to fail says. It must not print anything that could be applied.
    pub(crate) fn failure(&self, directory: &Path) -> String {
        let output = self.run(directory, WITH_FUNCTIONS);
        assert!(
            !output.status.success(),
            "the build succeeds: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(
            output.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let said = said(&output);
        // Our stdout has to be readable on failure too, or kustomize complains about that instead.
        assert!(
            !said.contains("MalformedYAML") && said.contains("exit status"),
            "{said}"
        );
        said
    }
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn objects(text: &str) -> Objects {
    let documents = yaml::read(text).expect("a build is YAML");
    let values = documents
        .iter()
        .filter_map(|d| d.root.as_ref())
        .map(|r| r.value(Rules::Kustomize).expect("values"));
    let mut objects = Objects::new();
    for value in values {
        let meta = &value["metadata"];
        let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let key = format!(
            "{} {}/{}",
            word(&value["kind"]),
            word(&meta["namespace"]),
            word(&meta["name"])
        );
        assert!(
            objects.insert(key.clone(), value).is_none(),
            "{key} is there twice"
        );
    }
    objects
}

/// Keys of what differs, or is only on one side.
pub(crate) fn changed(before: &Objects, after: &Objects) -> Vec<String> {
    let keys = before
        .keys()
        .chain(after.keys().filter(|k| !before.contains_key(*k)));
    keys.filter(|k| before.get(*k) != after.get(*k))
        .cloned()
        .collect()
}

/// A folder with these files.
pub(crate) fn package(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("there is room for a folder");
    add(directory.path(), files);
    directory
}

pub(crate) fn add(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be listed") {
        let entry = entry.expect("a folder can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// Exit code, stdout and stderr of the program as a filter.
pub(crate) fn filter(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that refuses early may close its end first.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        said(&output),
    )
}

/// The folder of our program.
pub(crate) fn programs() -> &'static Path {
    Path::new(PROGRAM)
        .parent()
        .expect("a program lies in a folder")
}
