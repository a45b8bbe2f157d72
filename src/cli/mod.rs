//! Which command runs on which input, and how does it end?
//!
//! Authority: KRM Functions Specification v1: stdout for the result, stderr for words, exit code for failure.
//! Departs from it: a run that fails on a stream writes nothing, so that nobody applies half a job.
//! Knows: arguments, inputs, endings. Does not know: what is in an object.

mod about;
mod allowance;
mod arguments;
mod at_once;
mod context;
mod ending;
mod folder;
mod inputs;
mod kustomization;
mod patches;
mod progress;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use istio_scrape::config::FailOn;
use istio_scrape::krm::Source;
use istio_scrape::{CheckFormat, ContextFiles, Flags, Format, Report, krm};
use serde_json::{Value, json};

use arguments::{Arguments, Command, ExplainFormat};
use context::Files;
use ending::{Ending, Failure};
use inputs::{Inputs, gather};
use progress::{Progress, Step};

/// Where the report goes if no argument says so: Helm 4 shows nobody what a post-renderer writes to stderr.
const REPORT_VARIABLE: &str = "ISTIO_SCRAPE_REPORT";

/// The whole program.
pub(crate) fn main() -> ExitCode {
    match Arguments::try_parse().and_then(|arguments| checked(arguments, io::stdin().is_terminal()))
    {
        Ok(arguments) => ExitCode::from(dispatch(&arguments)),
        Err(refused) => {
            // Neither help nor a complaint about arguments is worth a failure of its own.
            let _ = refused.print();
            match refused.use_stderr() {
                true => ExitCode::from(ending::COULD_NOT_RUN),
                false => ExitCode::SUCCESS,
            }
        }
    }
}

fn checked(arguments: Arguments, stdin_is_terminal: bool) -> Result<Arguments, clap::Error> {
    let refused = |kind, message| Err(Arguments::command().error(kind, message));
    match arguments.contradiction() {
        Some(contradiction) => refused(ErrorKind::ArgumentConflict, contradiction),
        None if matches!(
            arguments.command,
            Some(Command::MeshMetrics | Command::About(_))
        ) =>
        {
            Ok(arguments)
        }
        None if arguments.inputs().is_empty() && stdin_is_terminal => refused(
            ErrorKind::MissingRequiredArgument,
            "no INPUT, and stdin is a terminal: pipe objects in, or name files or directories",
        ),
        None => match arguments.meant() {
            Some(meant) => Err(Arguments::command().error(ErrorKind::InvalidSubcommand, meant)),
            None => Ok(arguments),
        },
    }
}

fn dispatch(arguments: &Arguments) -> u8 {
    let progress = Progress::start();
    let ending = ending_of(arguments, &progress);
    drop(progress);
    ending.write()
}

fn ending_of(arguments: &Arguments, progress: &Progress) -> Ending {
    let config = arguments.config.as_deref();
    let inputs = || {
        let inputs = gather(arguments.inputs(), config, progress);
        progress.step(Step::Deciding);
        inputs
    };
    match &arguments.command {
        None => {
            let report = report_file(
                arguments.report.as_deref(),
                std::env::var_os(REPORT_VARIABLE),
            );
            plain_run(inputs(), config, report.as_deref())
        }
        Some(Command::Explain { output, .. }) => {
            let format = match output {
                ExplainFormat::Table => Format::Table,
                ExplainFormat::Json => Format::Json,
                ExplainFormat::Markdown => Format::Markdown,
            };
            let color = color_on_stdout();
            report(inputs(), config, |inputs, flags| {
                istio_scrape::explain(&inputs.sources, flags, format, color)
            })
        }
        Some(Command::Check {
            output, fail_on, ..
        }) => {
            let (format, fail_on) = (check_format(*output), fail_on.map(as_set));
            let color = color_on_stdout();
            let inputs = inputs().and_then(|inputs| inputs.built("check"));
            report(inputs, config, |inputs, flags| {
                istio_scrape::check(&inputs.sources, flags, fail_on, format, color)
            })
        }
        Some(Command::Diff { .. }) => report(inputs(), config, |inputs, flags| {
            istio_scrape::diff(&inputs.sources, flags)
        }),
        Some(Command::Patches { output, .. }) => patches::run(inputs(), config, output),
        Some(Command::MeshMetrics) => mesh_metrics(config),
        Some(Command::About(about)) => Ending::text(about.text()),
    }
}

fn mesh_metrics(config: Option<&Path>) -> Ending {
    config
        .map(inputs::named)
        .transpose()
        .and_then(|config| guarded(|| istio_scrape::metrics_of_mesh(config.as_ref())))
        .map_or_else(|failure| Ending::failed(&failure, None), Ending::of)
}

fn check_format(output: arguments::CheckFormat) -> CheckFormat {
    match output {
        arguments::CheckFormat::Table => CheckFormat::Table,
        arguments::CheckFormat::Json => CheckFormat::Json,
        arguments::CheckFormat::Sarif => CheckFormat::Sarif,
    }
}

fn as_set(fail_on: arguments::FailOn) -> FailOn {
    match fail_on {
        arguments::FailOn::Warning => FailOn::Warning,
        arguments::FailOn::Error => FailOn::Error,
        arguments::FailOn::Never => FailOn::Never,
    }
}

fn plain_run(
    inputs: Result<Inputs, Failure>,
    config: Option<&Path>,
    report: Option<&Path>,
) -> Ending {
    if report == Some(Path::new("-")) {
        return Ending::failed(&Failure::ReportIsStdout, None);
    }
    if let Some(file) = report.filter(|file| is_input(file, &inputs) || is_file(file, config)) {
        return Ending::failed(&Failure::ReportIsInput(file.to_owned()), None);
    }
    let (inputs, read) = match inputs {
        Ok(inputs) => (inputs, Ok(())),
        Err(failure) => (Inputs::default(), Err(failure)),
    };
    // The output consists of pieces of the input, which is needed as long as the program runs.
    let sources: &'static [Source] = inputs.sources.leak();
    let context = context_files();
    let outcome = read
        .and_then(|()| flags(config, &context))
        .and_then(|flags| {
            let flags = Flags {
                without_report: report.is_none(),
                ..flags
            };
            guarded(|| istio_scrape::run_and_keep(sources, &flags))
        });
    let outcome = outcome.map(|(outcome, left_behind)| {
        mem::forget(left_behind);
        outcome
    });
    let failed = |failure: &Failure| {
        let results = [as_result(failure)];
        let returned = guarded(|| Ok(krm::returned(sources, &results)));
        Ending::failed(failure, returned.ok().flatten())
    };
    if let Some(file) = report.filter(|file| context.have_read(file)) {
        return failed(&Failure::ReportIsInput(file.to_owned()));
    }
    let ending = match outcome {
        Ok(outcome) => Ending::of(outcome),
        Err(failure) => failed(&failure),
    };
    let ending = match report.map(|file| ending::write_report(file, &ending.report)) {
        Some(Err(failure)) => failed(&failure),
        Some(Ok(())) | None => ending,
    };
    ending.after(inputs.notices)
}

/// Whether writing to a file would destroy what was read.
fn is_input(file: &Path, inputs: &Result<Inputs, Failure>) -> bool {
    let sources = inputs.iter().flat_map(|inputs| &inputs.sources);
    sources
        .map(|source| Path::new(&source.name))
        .any(|name| is_file(file, Some(name)))
}

fn is_file(file: &Path, other: Option<&Path>) -> bool {
    let other = other.map(Path::canonicalize);
    matches!((file.canonicalize(), other), (Ok(file), Some(Ok(other))) if file == other)
}

/// Runs a command that prints about the input rather than printing the input.
fn report(
    inputs: Result<Inputs, Failure>,
    config: Option<&Path>,
    command: impl FnOnce(&Inputs, &Flags) -> Result<Report, istio_scrape::Error>,
) -> Ending {
    let inputs = match inputs {
        Ok(inputs) => inputs,
        Err(failure) => return Ending::failed(&failure, None),
    };
    flags(config, &context_files())
        .and_then(|flags| guarded(|| command(&inputs, &flags)))
        .map_or_else(|failure| Ending::failed(&failure, None), Ending::report)
        .after(inputs.notices)
}

fn flags(config: Option<&Path>, context: &Arc<Files>) -> Result<Flags, Failure> {
    let context_files: Arc<dyn ContextFiles> = context.clone();
    Ok(Flags {
        config: config.map(inputs::named).transpose()?,
        context_files: Some(context_files),
        ..Flags::default()
    })
}

fn context_files() -> Arc<Files> {
    Arc::new(Files::new(std::env::var_os(context::ROOT_VARIABLE)))
}

/// The library's answer, or the report of a bug where it panics: the items must not be lost with it.
fn guarded<T>(answer: impl FnOnce() -> Result<T, istio_scrape::Error>) -> Result<T, Failure> {
    match panic::catch_unwind(AssertUnwindSafe(answer)) {
        Ok(answer) => answer.map_err(Failure::Run),
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied());
            Err(Failure::Bug {
                text: text.unwrap_or("no message").to_owned(),
            })
        }
    }
}

fn as_result(failure: &Failure) -> Value {
    json!({"message": failure.to_string(), "severity": "error"})
}

fn report_file(argument: Option<&Path>, variable: Option<OsString>) -> Option<PathBuf> {
    argument
        .map(Path::to_owned)
        .or_else(|| variable.filter(|name| !name.is_empty()).map(PathBuf::from))
}

fn color_on_stdout() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_as_a_bug() {
        let failure = guarded::<()>(|| panic!("index {} is missing", 3)).unwrap_err();
        insta::assert_snapshot!(failure, @"this is a bug: index 3 is missing; nothing was changed; please report it at https://github.com/istio-scrape/istio-scrape/issues");
    }

    #[test]
    fn the_report_goes_where_the_argument_says_and_else_the_environment() {
        let file = |argument: Option<&str>, variable: Option<&str>| {
            report_file(argument.map(Path::new), variable.map(OsString::from))
        };
        assert_eq!(file(Some("a"), Some("b")), Some(PathBuf::from("a")));
        assert_eq!(file(None, Some("b")), Some(PathBuf::from("b")));
        assert_eq!(file(None, Some("")), None);
    }

    #[test]
    fn a_terminal_without_inputs_is_refused() {
        let parsed = |line: &[&str]| Arguments::try_parse_from(line).unwrap();
        assert!(checked(parsed(&["istio-scrape"]), true).is_err());
        assert!(checked(parsed(&["istio-scrape"]), false).is_ok());
        assert!(checked(parsed(&["istio-scrape", "-"]), true).is_ok());
        assert!(checked(parsed(&["istio-scrape", "explain"]), true).is_err());
    }
}
