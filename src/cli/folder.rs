//! Which files of a folder are read?
//!
//! Authority: kubectl's `-f -R` for extensions; Helm for what makes a chart.
//! Departs from it: hidden folders and charts are left alone, and said to be.
//! Knows: names of files and folders. Does not know: what is in the files.

use std::cmp::Reverse;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use istio_scrape::report::component::is_ours;

use super::allowance::Allowance;
use super::ending::Failure;
use super::kustomization::is_kustomization;

/// What was found below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// The files to read, in the order of names.
    pub(super) files: Vec<PathBuf>,
    kustomizations: Vec<PathBuf>,
    charts: Vec<PathBuf>,
    hidden: Vec<PathBuf>,
}

impl Folder {
    /// Looks at a folder and all folders below it; not by recursion, because these may be deeper than the stack.
    pub(super) fn walk(folder: &Path) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut waiting = entries(folder)?.unwrap_or_else(|| {
            found.charts.push(folder.to_owned());
            Vec::new()
        });
        while let Some(entry) = waiting.pop() {
            let path = entry.path();
            // A link to a folder is not followed: it may lead back up.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            match (is_folder, is_hidden) {
                (true, true) => found.hidden.push(path),
                (true, false) => match entries(&path)? {
                    Some(below) => waiting.extend(below),
                    None => found.charts.push(path),
                },
                (false, _) => found.file(path, is_hidden),
            }
        }
        Ok(found)
    }

    /// Takes in what is no folder, if it is to be read.
    fn file(&mut self, path: PathBuf, is_hidden: bool) {
        // A pipe of either name would be waited for.
        let is_kustomization = is_kustomization(&path);
        if !(is_kustomization || is_manifest(&path) && !is_hidden) || !path.is_file() {
            return;
        }
        if is_kustomization && !is_component_of_ours(&path) {
            self.kustomizations
                .extend(path.parent().map(Path::to_owned));
        }
        self.files.push(path);
    }

    fn and(mut self, other: Self) -> Self {
        self.files.extend(other.files);
        self.kustomizations.extend(other.kustomizations);
        self.charts.extend(other.charts);
        self.hidden.extend(other.hidden);
        self
    }
}

/// What is in a folder, the first by name last; `None` for a chart.
fn entries(folder: &Path) -> Result<Option<Vec<DirEntry>>, Failure> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>)
        .map_err(|error| Failure::Read {
            file: folder.to_owned(),
            error,
        })?;
    entries.sort_by_key(|entry| Reverse(entry.file_name()));
    let is_chart = |entry: &DirEntry| entry.file_name() == "Chart.yaml";
    Ok(Some(entries).filter(|entries| !entries.iter().any(is_chart)))
}

/// What is to say about folders, each thing once.
pub(super) fn notices(folders: &[Folder]) -> Vec<String> {
    let all = folders.iter().cloned().fold(Folder::default(), Folder::and);
    let skipped_hidden = said(&all.hidden, |_| "hidden, skipped".to_owned());
    let skipped_charts = said(&all.charts, |first| {
        format!("Helm chart, skipped; for its objects run `helm template {first} | istio-scrape`")
    });
    let not_built = said(&all.kustomizations, |first| {
        format!(
            "kustomization, read but not built; for what it builds run `kustomize build {first} | istio-scrape`"
        )
    });
    [skipped_hidden, skipped_charts, not_built]
        .into_iter()
        .flatten()
        .collect()
}

fn said(folders: &[PathBuf], what: impl Fn(&str) -> String) -> Option<String> {
    let (first, others) = folders.split_first()?;
    let first = first.display().to_string();
    let others = match others.len() {
        0 => String::new(),
        1 => " and 1 other folder".to_owned(),
        more => format!(" and {more} other folders"),
    };
    Some(format!("{first}{others}: {}", what(&first)))
}

/// Whether a kustomization is one that we wrote: nobody wants to build it, or what is in its folder.
fn is_component_of_ours(kustomization: &Path) -> bool {
    let bytes = Allowance::default().file(kustomization);
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| is_ours(&text))
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| matches!(extension.to_str(), Some("yaml" | "yml" | "json")))
}
