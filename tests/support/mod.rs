//! What several test files need: the test data, Rust sources as tokens, CRD schemas, kustomize, the bodies of the fuzz targets.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) mod author;
pub(crate) mod crds;
pub(crate) mod edited;
pub(crate) mod fuzzed;
pub(crate) mod inputs;
pub(crate) mod kustomize;
pub(crate) mod random;
pub(crate) mod readings;
pub(crate) mod source;

/// A file of this repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of this repository.
pub(crate) fn read(path: &str) -> String {
    let path = in_repository(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A part of the test data, which is not kept in this repository: found through `ISTIO_SCRAPE_DATA`, default `../shared`.
///
/// `None` where it is not there, after a line that says what does not run for want of it.
pub(crate) fn data(part: &str, what: &str) -> Option<PathBuf> {
    let root =
        env::var_os("ISTIO_SCRAPE_DATA").map_or_else(|| in_repository("../shared"), PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    did_not_run(
        what,
        &format!("no test data at {} (ISTIO_SCRAPE_DATA)", path.display()),
    );
    None
}

/// What was said already: several tests may miss the same thing.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Says in one line what is left out and why; in CI, where everything has to run, fails.
pub(crate) fn did_not_run(what: &str, why: &str) {
    let line = format!("did not run: {what}: {why}\n");
    let ci = env::var("CI").as_deref() == Ok("true");
    let new = SAID.lock().is_ok_and(|mut said| said.insert(line.clone()));
    if let (true, Some(list)) = (new, env::var_os("ISTIO_SCRAPE_NOT_RUN")) {
        let opened = fs::OpenOptions::new().create(true).append(true).open(&list);
        let mut list = opened.unwrap_or_else(|e| panic!("{}: {e}", list.display()));
        list.write_all(line.as_bytes()).expect("one short line");
    } else if new {
        // Not eprint!: the test harness would swallow it, because leaving something out is no failure.
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("stderr takes a line");
    }
    assert!(!ci, "CI=true: everything has to run. {line}");
}

/// The directories directly below a folder of this repository, in order.
pub(crate) fn directories(folder: &str) -> Vec<PathBuf> {
    let root = in_repository(folder);
    let mut found: Vec<_> = fs::read_dir(&root)
        .unwrap_or_else(|e| panic!("{}: {e}", root.display()))
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} has no directories", root.display());
    found
}
