//! What the test programs share: folders of cases, and the test data from outside.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::{Path, PathBuf};

/// The directories directly below a folder of the project, in order.
pub fn directories(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<_> = std::fs::read_dir(&root)
        .unwrap_or_else(|error| panic!("{}: {error}", root.display()))
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} has no directories", root.display());
    found
}

/// The last part of a path.
pub fn name(path: &Path) -> String {
    path.file_name()
        .expect("a directory has a name")
        .to_string_lossy()
        .into_owned()
}

/// The text of a file.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The test data from outside the project, or `None` after a line that says what did not run.
///
/// In CI nothing may be left out: there a missing folder is a failure.
pub fn data(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ISTIO_SCRAPE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let folder = root.join(what);
    if folder.exists() {
        return Some(folder);
    }
    did_not_run(&format!("{what} (no data at {})", folder.display()));
    None
}

/// Says that something did not run, and fails in CI.
pub fn did_not_run(what: &str) {
    println!("did not run: {what}");
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "in CI everything runs, but this did not: {what}"
    );
}
