//! Which texts are the context?
//!
//! Authority: kustomize's load restriction, which keeps a build below its folder; the inputs' own rules for directories.
//! Departs from it: links are followed where they lead to something below the root, and the root can be named.
//! Knows: files, the working directory, the environment. Does not know: which objects are in the files.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use istio_scrape::krm::{Origin, Source};
use istio_scrape::{ContextError, ContextFiles, ContextTexts};
use thiserror::Error;

use super::allowance::Allowance;
use super::ending::{Failure, below};
use super::folder::{Folder, notices};
use super::inputs::{decoded, without_kustomizations};

/// Names the folder that files of the context must lie below.
pub(super) const ROOT_VARIABLE: &str = "ISTIO_SCRAPE_CONTEXT_ROOT";

/// Why a file or directory is not read.
#[derive(Debug, Error)]
enum Refusal {
    /// Nothing of that name.
    #[error(
        "{name}: there is no such file or directory in {}; check the path (context.files works for exec functions \
         and on the command line; a container sees no files: use context.resources there)",
        looked_in.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(" or ")
    )]
    Missing {
        /// As configured.
        name: String,
        /// The folders that it was looked up in.
        looked_in: Vec<PathBuf>,
    },
    /// A path that leaves the root.
    #[error(
        "{name} is {}, which is not below {}, {}; move it there, or set {ROOT_VARIABLE} to a folder above it",
        resolved.display(),
        root.path.display(),
        root.called()
    )]
    Outside {
        /// As configured, or as found in a configured folder.
        name: String,
        /// Where it is, links resolved.
        resolved: PathBuf,
        /// What it has to be below.
        root: Root,
    },
    /// A root that is no folder.
    #[error("{ROOT_VARIABLE} is {}, which cannot be used: {error}; name a folder", path.display())]
    Root {
        /// As set.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A pipe, a device.
    #[error("{0} is neither a file nor a directory; name one")]
    NoFile(String),
    /// A directory in which nothing is to be read.
    #[error(
        "no *.yaml, *.yml or *.json to read in {name}; name another directory, or files{}",
        below(notices)
    )]
    Empty {
        /// As configured.
        name: String,
        /// What was skipped in it.
        notices: Vec<String>,
    },
    /// What the system or the text's encoding says.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The folder that everything has to be below.
#[derive(Debug, Clone)]
struct Root {
    /// With links resolved.
    path: PathBuf,
    named: bool,
}

impl Root {
    fn called(&self) -> &'static str {
        match self.named {
            true => ROOT_VARIABLE,
            false => "the working directory",
        }
    }
}

/// Reads the files of the context, and remembers which.
#[derive(Debug, Default)]
pub(super) struct Files {
    root: Option<PathBuf>,
    read: Mutex<BTreeSet<PathBuf>>,
}

impl Files {
    /// With the root that the environment names, if it names one.
    pub(super) fn new(root: Option<OsString>) -> Self {
        Self {
            root: root.filter(|name| !name.is_empty()).map(PathBuf::from),
            read: Mutex::default(),
        }
    }

    /// Whether a file was read as context.
    pub(super) fn have_read(&self, file: &Path) -> bool {
        let read = self.read.lock();
        matches!((file.canonicalize(), read), (Ok(file), Ok(read)) if read.contains(&file))
    }

    fn root(&self) -> Result<Root, Refusal> {
        let path = match &self.root {
            Some(path) => path.clone(),
            None => PathBuf::from("."),
        };
        let found = path.canonicalize().and_then(|found| match found.is_dir() {
            true => Ok(found),
            false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
        });
        match found {
            Ok(found) => Ok(Root {
                path: found,
                named: self.root.is_some(),
            }),
            Err(error) => Err(Refusal::Root { path, error }),
        }
    }

    /// What a name stands for. Files are remembered before anything can fail.
    fn find(&self, name: &str, root: &Root) -> Result<Found, Refusal> {
        let (base, at) = placed(name, root)?;
        if !at.is_dir() {
            self.remember(&at);
            within(name, &at, root)?;
            return Ok(Found {
                files: vec![(at, name.to_owned())],
                folder: None,
            });
        }
        within(name, &at, root)?;
        let folder = Folder::walk(&at)?;
        if folder.files.is_empty() {
            return Err(Refusal::Empty {
                name: name.to_owned(),
                notices: notices(&[folder]),
            });
        }
        let named = |file: &PathBuf| {
            let below = file.strip_prefix(&base).unwrap_or(file);
            let below = below.strip_prefix(".").unwrap_or(below);
            (file.clone(), below.display().to_string())
        };
        folder.files.iter().for_each(|file| self.remember(file));
        Ok(Found {
            files: folder.files.iter().map(named).collect(),
            folder: Some(folder),
        })
    }

    fn remember(&self, file: &Path) {
        if let (Ok(file), Ok(mut read)) = (file.canonicalize(), self.read.lock()) {
            read.insert(file);
        }
    }
}

/// What a configured name stands for.
struct Found {
    /// With their names for messages.
    files: Vec<(PathBuf, String)>,
    /// The folder that they are in, if one was named.
    folder: Option<Folder>,
}

impl Found {
    /// The texts of what is not among `known` yet.
    fn texts(
        self,
        root: &Root,
        known: &mut BTreeSet<PathBuf>,
        allowance: &mut Allowance,
    ) -> Result<Vec<Source>, Refusal> {
        let origin = match self.folder {
            Some(_) => Origin::Folder,
            None => Origin::Named,
        };
        let mut sources = Vec::new();
        for (file, name) in self.files {
            let resolved = within(&name, &file, root)?;
            if !resolved.is_file() {
                return Err(Refusal::NoFile(name));
            }
            if known.insert(resolved.clone()) {
                // What was checked is what is read, even if a link changes meanwhile.
                sources.push(decoded(&resolved, name, origin, allowance)?);
            }
        }
        Ok(match origin {
            Origin::Folder => without_kustomizations(sources),
            Origin::Named | Origin::Kustomization | Origin::Configuration => sources,
        })
    }
}

impl ContextFiles for Files {
    fn read(&self, names: &[String]) -> Result<ContextTexts, ContextError> {
        let root = self.root()?;
        let found: Vec<_> = names.iter().map(|name| self.find(name, &root)).collect();
        let mut texts = ContextTexts::default();
        let mut known = BTreeSet::new();
        let mut allowance = Allowance::default();
        let mut folders = Vec::new();
        for found in found {
            let found = found?;
            folders.extend(found.folder.clone());
            let found = found.texts(&root, &mut known, &mut allowance)?;
            texts.sources.extend(found);
        }
        texts.notices = notices(&folders);
        Ok(texts)
    }
}

/// Where a name leads, and from which folder: the working directory, or else the root.
fn placed(name: &str, root: &Root) -> Result<(PathBuf, PathBuf), Refusal> {
    let working = PathBuf::new();
    if fs::metadata(name).is_ok() {
        return Ok((working, PathBuf::from(name)));
    }
    let below_root = root.path.join(name);
    if root.named && fs::metadata(&below_root).is_ok() {
        return Ok((root.path.clone(), below_root));
    }
    let missing = || Refusal::Missing {
        name: name.to_owned(),
        looked_in: env::current_dir()
            .into_iter()
            .chain(Some(root.path.clone()).filter(|_| root.named))
            .fold(Vec::new(), |mut folders, folder| {
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
                folders
            }),
    };
    match fs::metadata(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Refusal::Failed(Failure::Read {
                file: PathBuf::from(name),
                error,
            }))
        }
        _ => Err(missing()),
    }
}

/// Where a path is, links resolved, which must be below the root.
fn within(name: &str, at: &Path, root: &Root) -> Result<PathBuf, Refusal> {
    let resolved = fs::canonicalize(at).map_err(|error| Failure::Read {
        file: at.to_owned(),
        error,
    })?;
    match resolved.starts_with(&root.path) {
        true => Ok(resolved),
        false => Err(Refusal::Outside {
            name: name.to_owned(),
            resolved,
            root: root.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_names_no_root() {
        let files = Files::new(Some(OsString::new()));
        assert!(!files.root().is_ok_and(|root| root.named));
        let files = Files::new(Some(OsString::from(".")));
        assert!(files.root().is_ok_and(|root| root.named));
    }
}
