//! How does a Component come into its folder, and what becomes of what is there?
//!
//! Authority: kustomize, which refuses a folder without a kustomization; rename(2), which is done or not done.
//! Departs from nothing.
//! Knows: files and folders. Does not know: what is in a patch.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use istio_scrape::Outcome;
use istio_scrape::report::component::{Component, KUSTOMIZATION, is_ours};
use thiserror::Error;

use super::ending::{Ending, Failure};
use super::inputs::Inputs;
use super::kustomization::is_kustomization;
use super::{context_files, flags, guarded};

/// Files that were begun and not finished end so.
const UNFINISHED: &str = ".istio-scrape-unfinished";

/// Why a folder is not written.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    /// A file in the way.
    #[error("{}: this file was not written by istio-scrape, and is left as it is; name another folder for the Component, or move the file", .0.display())]
    NotOurs(PathBuf),
    /// A file in the place of the folder.
    #[error("{}: this is no folder; name one for the Component", .0.display())]
    NoFolder(PathBuf),
    /// Nothing was changed.
    #[error("{}: {error}; nothing was changed; check the path and its permissions", file.display())]
    Untouched {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Something was changed.
    #[error(
        "{}: {error}; the folder is left without {KUSTOMIZATION}, so that kustomize refuses it; remove the cause and run this again",
        file.display()
    )]
    Incomplete {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Runs the command.
pub(super) fn run(inputs: Result<Inputs, Failure>, config: Option<&Path>, output: &Path) -> Ending {
    let command = format!("patches -o {}", output.display());
    let inputs = match inputs.and_then(|inputs| inputs.built(&command)) {
        Ok(inputs) => inputs,
        Err(failure) => return Ending::failed(&failure, None),
    };
    let sources = &inputs.sources;
    let outcome = flags(config, &context_files()).and_then(|flags| {
        if output == Path::new("-") {
            return guarded(|| istio_scrape::patch_stream(sources, &flags));
        }
        let patches = guarded(|| istio_scrape::patches(sources, &flags, &name(output)))?;
        let mut messages = patches.messages;
        if let Some(component) = &patches.component {
            messages.extend(write(output, component)?);
        }
        Ok(Outcome {
            output: None,
            messages,
            report: String::new(),
            exit: patches.exit,
        })
    });
    outcome
        .map_or_else(|failure| Ending::failed(&failure, None), Ending::of)
        .after(inputs.notices)
}

/// The name of a folder, for texts that tell where it is.
fn name(folder: &Path) -> String {
    let named = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    named(folder)
        .or_else(|| named(&folder.canonicalize().ok()?))
        .unwrap_or_else(|| folder.display().to_string())
}

/// Brings a folder up to date, and says what was done.
fn write(folder: &Path, component: &Component) -> Result<Vec<String>, Refusal> {
    made(folder)?;
    // Of two runs at once, one waits: their files would be mixed. Where a folder cannot be locked they are not kept apart.
    let _locked = fs::File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    let there = There::look(folder, component)?;
    let changed: Vec<&(String, String)> = component
        .files
        .iter()
        .filter(|(name, text)| there.ours.get(name) != Some(text))
        .collect();
    let is_wanted = |name: &str| component.files.iter().any(|(wanted, _)| wanted == name);
    let obsolete: Vec<&String> = there.ours.keys().filter(|name| !is_wanted(name)).collect();
    if !(changed.is_empty() && obsolete.is_empty() && there.unfinished.is_empty()) {
        replace(folder, component, &changed, &obsolete)?;
        for name in &there.unfinished {
            // Nobody reads it, and the next run finds it again.
            let _ = fs::remove_file(folder.join(name));
        }
    }
    let folder = format!("{}/", folder.display().to_string().trim_end_matches('/'));
    let mut said = vec![summary(&folder, component, changed.len(), obsolete.len())];
    if component.patches == 0 && !obsolete.is_empty() {
        said.push(format!(
            "istio-scrape: {folder} had patches until now: if the input was built with this Component in it, restore \
             them, and pipe in the build of what lies below the Component"
        ));
    }
    Ok(said)
}

/// Makes the folder if there is none.
fn made(folder: &Path) -> Result<(), Refusal> {
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(Refusal::NoFolder(folder.to_owned())),
        _ => fs::create_dir_all(folder).map_err(|error| Refusal::Untouched {
            file: folder.to_owned(),
            error,
        }),
    }
}

/// `wrote 7 patches for 5 objects to mtls/; removed 1 file`
fn summary(folder: &str, component: &Component, changed: usize, removed: usize) -> String {
    let patches = match component.patches {
        0 => "a Component without patches (nothing is to be patched)".to_owned(),
        1 => "1 patch for 1 object".to_owned(),
        patches => match component.objects {
            1 => format!("{patches} patches for 1 object"),
            objects => format!("{patches} patches for {objects} objects"),
        },
    };
    let also = match removed {
        0 => String::new(),
        1 => "; removed 1 file".to_owned(),
        removed => format!("; removed {removed} files"),
    };
    match changed + removed {
        0 => format!("istio-scrape: {folder} is up to date: {patches}"),
        _ => format!("istio-scrape: wrote {patches} to {folder}{also}"),
    }
}

/// What is in the folder already.
#[derive(Debug, Default)]
struct There {
    /// Files that we wrote, and their texts.
    ours: BTreeMap<String, String>,
    /// Files that we began to write.
    unfinished: Vec<String>,
}

impl There {
    /// Looks for files that we wrote, and for others in the way.
    fn look(folder: &Path, component: &Component) -> Result<Self, Refusal> {
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |error| Refusal::Untouched { file, error }
        };
        let mut there = Self::default();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let entry = entry.map_err(failed(folder))?;
            let path = entry.path();
            // What is no text has no name of ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with('.') && name.ends_with(UNFINISHED) {
                there.unfinished.push(name);
                continue;
            }
            let in_the_way = is_kustomization(&path)
                || component.files.iter().any(|(wanted, _)| *wanted == name);
            let is_candidate = in_the_way || name.ends_with(".yaml");
            let text = match is_candidate && path.is_file() {
                true => fs::read(&path).map_err(failed(&path))?,
                false => Vec::new(),
            };
            match String::from_utf8(text) {
                Ok(text) if is_ours(&text) => {
                    there.ours.insert(name, text);
                }
                _ if in_the_way => return Err(Refusal::NotOurs(path)),
                _ => {}
            }
        }
        there.unfinished.sort();
        Ok(there)
    }
}

/// Everything that can fail for want of space or rights comes first. From the moment that something is touched until all
/// is done the folder has no kustomization: a folder with old and new patches must not build.
fn replace(
    folder: &Path,
    component: &Component,
    changed: &[&(String, String)],
    obsolete: &[&String],
) -> Result<(), Refusal> {
    let unfinished = |name: &str| folder.join(format!(".{name}{UNFINISHED}"));
    let (kustomization, others): (Vec<_>, Vec<_>) = component
        .files
        .iter()
        .filter(|file| file.0 == KUSTOMIZATION || changed.contains(file))
        .partition(|(name, _)| name == KUSTOMIZATION);
    let prepared = others
        .iter()
        .chain(&kustomization)
        .try_for_each(|(name, text)| {
            let file = unfinished(name);
            fs::write(&file, text).map_err(|error| (file, error))
        });
    if let Err((file, error)) = prepared {
        for (name, _) in others.iter().chain(&kustomization) {
            // Nothing more can be done about it than the message says.
            let _ = fs::remove_file(unfinished(name));
        }
        return Err(Refusal::Untouched { file, error });
    }
    let incomplete = |file: PathBuf| move |error| Refusal::Incomplete { file, error };
    let remove = |name: &str| {
        let file = folder.join(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(incomplete(file)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    };
    remove(KUSTOMIZATION)?;
    obsolete.iter().try_for_each(|name| remove(name))?;
    others
        .iter()
        .chain(&kustomization)
        .try_for_each(|(name, _)| {
            let file = folder.join(name);
            fs::rename(unfinished(name), &file).map_err(incomplete(file))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(names: &[&str]) -> Component {
        Component {
            files: names
                .iter()
                .map(|name| ((*name).to_owned(), format!("new {name}")))
                .collect(),
            patches: 1,
            objects: 1,
        }
    }

    /// A folder with these files.
    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in names {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("ours");
            fs::write(file, format!("old {name}")).expect("ours");
        }
        folder
    }

    fn replaced(folder: &Path, component: &Component) -> Result<(), Refusal> {
        replace(
            folder,
            component,
            &component.files.iter().collect::<Vec<_>>(),
            &[],
        )
    }

    fn text(folder: &Path, name: &str) -> Option<String> {
        fs::read_to_string(folder.join(name)).ok()
    }

    #[test]
    fn what_fails_before_anything_is_touched_leaves_all_as_it_was() {
        let folder = folder(&["a.yaml", KUSTOMIZATION]);
        let component = component(&["a.yaml", "no/folder.yaml", KUSTOMIZATION]);
        let refused = replaced(folder.path(), &component).expect_err("there is no such folder");
        assert!(matches!(refused, Refusal::Untouched { .. }), "{refused}");
        assert_eq!(text(folder.path(), "a.yaml").as_deref(), Some("old a.yaml"));
        assert_eq!(
            text(folder.path(), KUSTOMIZATION).as_deref(),
            Some("old kustomization.yaml")
        );
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 2);
    }

    /// Whatever is there by then, kustomize refuses it.
    #[test]
    fn what_fails_halfway_leaves_no_kustomization() {
        // A file cannot take the place of a folder.
        let folder = folder(&["a.yaml", "b.yaml/in-the-way", KUSTOMIZATION]);
        let component = component(&["a.yaml", "b.yaml", KUSTOMIZATION]);
        let refused = replaced(folder.path(), &component).expect_err("a folder is in the way");
        assert!(matches!(refused, Refusal::Incomplete { .. }), "{refused}");
        assert_eq!(text(folder.path(), "a.yaml").as_deref(), Some("new a.yaml"));
        assert_eq!(text(folder.path(), KUSTOMIZATION), None);
    }

    #[test]
    fn a_folder_is_called_by_its_last_name() {
        let folder = folder(&["mtls/a"]);
        for (path, expected) in [
            ("mtls", "mtls"),
            ("mtls/", "mtls"),
            ("mtls/.", "mtls"),
            ("a/../mtls", "mtls"),
        ] {
            assert_eq!(name(&folder.path().join(path)), expected);
        }
        let working = std::env::current_dir().expect("there is one");
        let working = working
            .file_name()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        assert_eq!(name(Path::new(".")), working);
    }
}
