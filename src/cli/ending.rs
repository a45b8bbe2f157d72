//! How does a run end: what goes to stdout, to stderr and into the report, and with which exit code?
//!
//! Authority: KRM hosts, which take an empty stdout with exit code 0 for "delete everything".
//! Departs from nothing.
//! Knows: streams and exit codes. Does not know: how the texts came about.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use istio_scrape::krm::{DecodeError, Output};
use istio_scrape::{Outcome, Report};
use serde_json::json;
use thiserror::Error;

use super::patches::Refusal;

/// Exit code of a run that could not be made.
pub(super) const COULD_NOT_RUN: u8 = 2;

const ISSUES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

/// Why a run could not be made.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// A file or folder that cannot be read.
    #[error("{}: {error}; check the path and its permissions", file.display())]
    Read {
        /// The file, or `-`.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// More bytes than are read.
    #[error(
        "{}: more than {} GiB is not read; check where it comes from, or leave out what holds neither scrape objects nor \
         what they select",
        called(file),
        limit >> 30
    )]
    TooLong {
        /// The file with which it is too much, or `-`.
        file: PathBuf,
        /// How much is read, in bytes.
        limit: u64,
    },
    /// A file that cannot be written.
    #[error("{}: the report cannot be written: {error}; check the path and its permissions", file.display())]
    Report {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Bytes that are no text.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A report in the place of an input, the configuration or a file of the context.
    #[error("{}: the report would overwrite what is read; name another file", .0.display())]
    ReportIsInput(PathBuf),
    /// A report where the objects go.
    #[error(
        "stdout is for the objects, so the report needs a file; for a report on stdout use `explain -o json`"
    )]
    ReportIsStdout,
    /// `-` more than once, as inputs or configuration.
    #[error(
        "stdin is to be read twice, but can be read only once; name a file in place of one `-`"
    )]
    StdinTwice,
    /// Folders without a file to read.
    #[error(
        "no *.yaml, *.yml or *.json to read in {}; name files, or pipe objects in{}",
        listed(inputs),
        below(notices)
    )]
    NoFiles {
        /// The folders.
        inputs: Vec<PathBuf>,
        /// What was skipped in them.
        notices: Vec<String>,
    },
    /// A folder that patches are not written into, or an input that they would not fit.
    #[error(transparent)]
    Patches(#[from] Refusal),
    /// A kustomization where what is built was asked for.
    #[error(
        "{folder} has a kustomization, whose files are not yet what is applied; run `kustomize build {folder} | istio-scrape {command}`"
    )]
    NotBuilt {
        /// The folder of the kustomization.
        folder: String,
        /// The command that was asked.
        command: String,
    },
    /// What the library says.
    #[error(transparent)]
    Run(istio_scrape::Error),
    /// A panic.
    #[error("this is a bug: {text}; nothing was changed; please report it at {ISSUES}")]
    Bug {
        /// What the panic said.
        text: String,
    },
}

/// The end of a run.
#[derive(Debug)]
pub(super) struct Ending {
    stdout: Option<Output<'static>>,
    stderr: Vec<String>,
    /// Content of the report file.
    pub(super) report: String,
    exit: u8,
    /// Whether a reader may hang up: of a report it has seen enough, of objects some would be lost.
    may_hang_up: bool,
}

impl Ending {
    /// The end of a plain run.
    pub(super) fn of(outcome: Outcome<'static>) -> Self {
        Self {
            stdout: outcome.output,
            stderr: outcome.messages,
            report: outcome.report,
            exit: outcome.exit,
            may_hang_up: false,
        }
    }

    /// The end of a command that prints about the input.
    pub(super) fn report(report: Report) -> Self {
        Self {
            stdout: Some(Output::from(report.text)),
            stderr: report.messages,
            report: String::new(),
            exit: report.exit,
            may_hang_up: true,
        }
    }

    /// The end of a command that prints this and has no more to say.
    pub(super) fn text(text: String) -> Self {
        Self::report(Report {
            text,
            messages: Vec::new(),
            exit: 0,
        })
    }

    /// The end of a run that could not be made; `returned` is what goes out all the same.
    pub(super) fn failed(failure: &Failure, returned: Option<Output<'static>>) -> Self {
        Self {
            stdout: returned,
            stderr: vec![format!(
                "istio-scrape: {}",
                without_commands(&failure.to_string())
            )],
            report: format!(
                "{:#}\n",
                json!({"version": 1, "error": failure.to_string()})
            ),
            exit: COULD_NOT_RUN,
            may_hang_up: false,
        }
    }

    /// The same end, with what was to say before.
    pub(super) fn after(mut self, notices: Vec<String>) -> Self {
        self.stderr.splice(0..0, notices);
        self
    }

    /// Writes to stderr and stdout, and returns the exit code.
    pub(super) fn write(self) -> u8 {
        say(&self.stderr);
        match self.stdout.as_ref().map(write_stdout) {
            None | Some(Ok(())) => self.exit,
            Some(Err(error)) if self.may_hang_up && error.kind() == io::ErrorKind::BrokenPipe => {
                self.exit
            }
            Some(Err(error)) => {
                say(&[format!(
                    "istio-scrape: stdout cannot be written: {error}; the output is incomplete, do not use it"
                )]);
                COULD_NOT_RUN
            }
        }
    }
}

/// What a terminal would obey is spelled out: messages quote keys and names of the input.
fn without_commands(message: &str) -> String {
    let spelled = |c: char| match c.is_control() && c != '\n' {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    message.chars().map(spelled).collect()
}

/// Writes the report file.
pub(super) fn write_report(file: &Path, report: &str) -> Result<(), Failure> {
    std::fs::write(file, report).map_err(|error| Failure::Report {
        file: file.to_owned(),
        error,
    })
}

fn write_stdout(text: &Output<'_>) -> io::Result<()> {
    // Pieces that are long enough pass through the buffer without being copied.
    let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    for piece in text.pieces() {
        stdout.write_all(piece.as_bytes())?;
    }
    stdout.flush()
}

fn say(lines: &[String]) {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    // Nobody is left to hear that nobody hears.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

fn called(file: &Path) -> String {
    match file == Path::new("-") {
        true => "stdin".to_owned(),
        false => file.display().to_string(),
    }
}

fn listed(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}

/// Notices, each on a line below a message.
pub(super) fn below(notices: &[String]) -> String {
    notices
        .iter()
        .map(|notice| format!("\n  {notice}"))
        .collect()
}
