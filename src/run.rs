//! From input to output: which steps does a run take?
//!
//! Authority: the order of the layers, in ARCHITECTURE.md.
//! Departs from nothing.
//! Knows: every layer by its entry. Does not know: files, streams, arguments.

use serde_json::json;
use thiserror::Error;

use crate::config::{self, Candidate, Choice, ConfigError};
use crate::krm::{self, CloseError, Form, Item, OpenError, Package, Source};

/// What the command line says beside the inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// The file given with `--config`.
    pub config: Option<Source>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What goes to stdout; `None`: nothing, as when a stream fails.
    pub output: Option<String>,
    /// What goes to stderr, line by line.
    pub messages: Vec<String>,
    /// What goes into the report file: JSON, as `explain -o json` has it.
    pub report: String,
    /// Exit code: 0 done, 1 findings.
    pub exit: u8,
}

/// How `explain` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Why a run could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The input.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The output.
    #[error(transparent)]
    Close(#[from] CloseError),
}

/// Which configuration a run has, and what that does to the output.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    choice: Choice,
    /// Items that are configuration and no resources.
    left_out: Vec<usize>,
    messages: Vec<String>,
}

/// What the plain run does.
///
/// # Errors
/// When the input, the configuration or the output cannot be had.
pub fn run(sources: &[Source], flags: &Flags) -> Result<Outcome, Error> {
    let package = krm::open(sources, |_, _| false)?;
    let setting = setting(&package, flags)?;
    let output = krm::close(&package, &[], &[], &setting.left_out)?;
    Ok(Outcome {
        output: Some(output),
        messages: setting.messages,
        report: explained(&package).to_string(),
        exit: 0,
    })
}

/// What `explain` prints.
///
/// # Errors
/// As [`run`].
pub fn explain(
    sources: &[Source],
    flags: &Flags,
    format: Format,
    _color: bool,
) -> Result<String, Error> {
    let package = krm::open(sources, |_, _| false)?;
    setting(&package, flags)?;
    Ok(match format {
        Format::Table => format!("{} objects\n", package.items.len()),
        Format::Json => format!("{:#}\n", explained(&package)),
    })
}

/// What `diff` prints, and whether there is a difference.
///
/// # Errors
/// As [`run`].
pub fn diff(sources: &[Source], flags: &Flags, _color: bool) -> Result<(String, bool), Error> {
    let package = krm::open(sources, |_, _| false)?;
    setting(&package, flags)?;
    Ok((String::new(), false))
}

fn explained(package: &Package<'_>) -> serde_json::Value {
    json!({"version": 1, "objects": package.items.len(), "decisions": []})
}

fn setting(package: &Package<'_>, flags: &Flags) -> Result<Setting, Error> {
    let given = |item: &&Item<'_>| config::is_scrape_tls(&item.api_version, &item.kind);
    let function_config = package
        .function_config
        .as_ref()
        .map(|found| Candidate::read(&found.node, "functionConfig".to_owned()))
        .transpose()?;
    let file = flags.config.as_ref().map(configuration_of).transpose()?;
    let inputs = package
        .items
        .iter()
        .chain(&package.asides)
        .filter(given)
        .map(|item| Candidate::read(&item.node, package.place(item).to_string()))
        .collect::<Result<_, _>>()?;
    let left_out: Vec<usize> = match package.form {
        Form::ResourceList => Vec::new(),
        Form::List | Form::Stream => (0..package.items.len())
            .filter(|&position| given(&&package.items[position]))
            .collect(),
    };
    let skipped = package
        .skipped
        .iter()
        .map(|place| format!("{place}: skipped, it is no object with `kind`"));
    let choice = config::choose(function_config, file, inputs)?;
    let out = left_out.iter().map(|&position| {
        let place = package.place(&package.items[position]).to_string();
        let instead = match choice.whence.as_ref() {
            Some(whence) if *whence != place => format!("; {whence} is the configuration"),
            _ => String::new(),
        };
        format!("{place}: ScrapeTLS is configuration and left out of the output{instead}")
    });
    Ok(Setting {
        messages: skipped.chain(out).collect(),
        choice,
        left_out,
    })
}

fn configuration_of(file: &Source) -> Result<Candidate, Error> {
    let package = krm::open(std::slice::from_ref(file), |_, _| true)?;
    match package.items.as_slice() {
        [only] => Ok(Candidate::read(&only.node, file.name.clone())?),
        items => Err(Error::Config(ConfigError::NotOne {
            file: file.name.clone(),
            count: items.len(),
        })),
    }
}
