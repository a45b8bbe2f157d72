//! Which texts are the input?
//!
//! Authority: kubectl's `-f`: files, directories, `-`.
//! Departs from it: directories are read to the bottom; what is a kustomization's or a chart's is no resource.
//! Knows: files, stdin. Does not know: which objects are in them.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use istio_scrape::krm::{Origin, Source};
use istio_scrape::report::component::is_ours;

use super::allowance::Allowance;
use super::ending::Failure;
use super::folder::{Folder, notices};
use super::kustomization::{is_kustomization, named_otherwise, normal};
use super::progress::{Progress, Step};

/// The texts, and what is to say about finding them.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// The texts, in the order of the arguments and of names.
    pub(super) sources: Vec<Source>,
    /// Lines for stderr.
    pub(super) notices: Vec<String>,
}

impl Inputs {
    /// The same inputs for a command whose answer is about what is applied: a kustomization among them is refused, since
    /// only what it builds is.
    pub(super) fn built(self, command: &str) -> Result<Self, Failure> {
        let files = self.sources.iter().map(|source| Path::new(&source.name));
        let folder = |file: &Path| match file.parent() {
            Some(folder) if folder != Path::new("") => folder.display().to_string(),
            _ => ".".to_owned(),
        };
        match files.into_iter().find(|file| is_kustomization(file)) {
            Some(file) => Err(Failure::NotBuilt {
                folder: folder(file),
                command: command.to_owned(),
            }),
            None => Ok(self),
        }
    }
}

/// Reads the inputs; without any, stdin. `config` is not read here, but may be stdin too.
pub(super) fn gather(
    inputs: &[PathBuf],
    config: Option<&Path>,
    progress: &Progress,
) -> Result<Inputs, Failure> {
    let named = inputs.iter().map(PathBuf::as_path).chain(config);
    let stdins = named.filter(|input| is_stdin(input)).count() + usize::from(inputs.is_empty());
    if stdins > 1 {
        return Err(Failure::StdinTwice);
    }
    let mut allowance = Allowance::default();
    if inputs.is_empty() {
        return Ok(Inputs {
            sources: vec![stdin(progress, &mut allowance)?],
            notices: Vec::new(),
        });
    }
    let gathered = inputs
        .iter()
        .map(|input| match is_stdin(input) {
            true => Ok((vec![stdin(progress, &mut allowance)?], None)),
            false => {
                progress.step(Step::Files(inputs.len()));
                one(input, progress, &mut allowance)
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let folders: Vec<Folder> = gathered
        .iter()
        .filter_map(|(_, folder)| folder.clone())
        .collect();
    let sources: Vec<Source> = gathered
        .into_iter()
        .flat_map(|(sources, _)| sources)
        .collect();
    match sources.is_empty() {
        true => Err(Failure::NoFiles {
            inputs: inputs.to_vec(),
            notices: notices(&folders),
        }),
        false => Ok(Inputs {
            sources,
            notices: notices(&folders),
        }),
    }
}

/// The text of a file that the user named.
pub(super) fn named(file: &Path) -> Result<Source, Failure> {
    let mut allowance = Allowance::default();
    match is_stdin(file) {
        true => stdin(&Progress::default(), &mut allowance),
        false => read(file, Origin::Named, &mut allowance),
    }
}

fn one(
    input: &Path,
    progress: &Progress,
    allowance: &mut Allowance,
) -> Result<(Vec<Source>, Option<Folder>), Failure> {
    if !input.is_dir() {
        return Ok((vec![read(input, Origin::Named, allowance)?], None));
    }
    let folder = Folder::walk(input)?;
    progress.step(Step::Files(folder.files.len()));
    let sources = folder
        .files
        .iter()
        .map(|file| read(file, Origin::Folder, allowance))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((without_kustomizations(sources), Some(folder)))
}

/// Marks what kustomizations use otherwise than as resources, and adds what they hold inline. Leaves out patches that we
/// wrote: they name objects, and are none.
pub(super) fn without_kustomizations(mut sources: Vec<Source>) -> Vec<Source> {
    sources.retain(|source| !is_ours(&source.text));
    let (inline, paths): (Vec<_>, Vec<_>) = sources
        .iter()
        .filter(|source| is_kustomization(Path::new(&source.name)))
        .flat_map(|source| {
            named_otherwise(&source.text)
                .into_iter()
                .map(move |entry| (source, entry))
        })
        .partition(|(_, entry)| entry.contains('\n'));
    let paths: BTreeSet<PathBuf> = paths
        .into_iter()
        .map(|(source, path)| normal(&Path::new(&source.name).with_file_name(path)))
        .collect();
    let inline: Vec<Source> = inline
        .into_iter()
        .map(|(source, text)| Source {
            name: source.name.clone(),
            text,
            origin: Origin::Kustomization,
        })
        .collect();
    let origin = |name: &Path| {
        let used = || normal(name).ancestors().any(|path| paths.contains(path));
        match is_kustomization(name) || used() {
            true => Origin::Kustomization,
            false => Origin::Folder,
        }
    };
    sources
        .into_iter()
        .map(|source| Source {
            origin: origin(Path::new(&source.name)),
            ..source
        })
        .chain(inline)
        .collect()
}

fn is_stdin(input: &Path) -> bool {
    input == Path::new("-")
}

fn stdin(progress: &Progress, allowance: &mut Allowance) -> Result<Source, Failure> {
    // Who types it knows what is waited for, and does not want a line in between.
    if !io::stdin().is_terminal() {
        progress.step(Step::Stdin);
    }
    let bytes = allowance.stdin()?;
    Ok(Source::decode("-".to_owned(), bytes, Origin::Named)?)
}

fn read(file: &Path, origin: Origin, allowance: &mut Allowance) -> Result<Source, Failure> {
    let name = file.strip_prefix(".").unwrap_or(file).display();
    decoded(file, name.to_string(), origin, allowance)
}

/// The text of a file, under this name.
pub(super) fn decoded(
    file: &Path,
    name: String,
    origin: Origin,
    allowance: &mut Allowance,
) -> Result<Source, Failure> {
    Ok(Source::decode(name, allowance.file(file)?, origin)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(names: &[&str]) -> Result<(), String> {
        let inputs = Inputs {
            sources: names.iter().map(|name| Source::named(*name, "")).collect(),
            notices: Vec::new(),
        };
        let built = inputs.built("check");
        built.map(drop).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_kustomization_is_refused_with_the_command_that_builds_it() {
        assert_eq!(built(&["-", "a.yaml", "b/kustomize.yaml"]), Ok(()));
        for (file, folder) in [
            ("kustomization.yaml", "."),
            ("a/b/Kustomization", "a/b"),
            ("/a/kustomization.yml", "/a"),
        ] {
            let refused = built(&["a.yaml", file]).expect_err(file);
            let command = format!("`kustomize build {folder} | istio-scrape check`");
            assert!(refused.contains(&command), "{refused}");
        }
    }
}
