//! What may be written on the command line?
//!
//! Authority: the Go framework's functions: no arguments means function mode, files may be given instead of stdin.
//! Departs from it: subcommands ask about the input; a file named like one is written `./explain`.
//! Knows: names and help texts. Does not know: what the commands do.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use super::about::About;

const INPUT_HELP: &str =
    "Files, directories (every *.yaml, *.yml, *.json below) or `-` for stdin; without any, stdin";

/// Gives scrape endpoints under Istio STRICT mTLS the certificates they need, and only those.
///
/// Reads a ResourceList (kustomize, kpt), a List or a stream of YAML or JSON documents, and writes
/// the same bytes with the patches in them.
#[derive(Debug, Parser)]
#[command(
    name = "istio-scrape",
    version,
    disable_help_subcommand = true,
    override_usage = "\
istio-scrape [--config <FILE>] [--report <FILE>] [INPUT]...
       istio-scrape [--config <FILE>] <COMMAND> [INPUT]...",
    after_help = "\
Examples:
  kustomize build . | istio-scrape | kubectl apply -f -
  istio-scrape explain manifests/
  istio-scrape diff --config config.yaml manifests/
  kustomize build . | istio-scrape check

Exit codes: 0 done; 1 findings, a pending change (check), a difference (diff); 2 could not run."
)]
pub(super) struct Arguments {
    /// Something to learn about the input, instead of patching it.
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Configuration: one object of kind ScrapeTLS or ConfigMap, for mesh-metrics MeshMetrics
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,

    /// Write what was decided and why to FILE, as `explain -o json` does [env: ISTIO_SCRAPE_REPORT]
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    #[arg(value_name = "INPUT", help = INPUT_HELP)]
    inputs: Vec<PathBuf>,
}

/// What can be learned about the input.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say of every endpoint and scraper what is decided, why, and which object decided it
    Explain {
        #[arg(value_name = "INPUT", help = INPUT_HELP)]
        inputs: Vec<PathBuf>,

        /// How to say it
        #[arg(short, long, value_enum, default_value_t = ExplainFormat::Table)]
        output: ExplainFormat,
    },
    /// Say what is not in place; exit code 1 if a change is pending or a finding reaches --fail-on
    Check {
        #[arg(value_name = "INPUT", help = INPUT_HELP)]
        inputs: Vec<PathBuf>,

        /// How to say it: for people, as `explain -o json` does, or for code scanning (SARIF 2.1.0)
        #[arg(short, long, value_enum, default_value_t = CheckFormat::Table)]
        output: CheckFormat,

        /// From which severity on a finding fails the check; without it, failOn of the configuration
        #[arg(long, value_enum, value_name = "SEVERITY")]
        fail_on: Option<FailOn>,
    },
    /// Show what would change, as a unified diff; exit code 1 if anything would
    Diff {
        #[arg(value_name = "INPUT", help = INPUT_HELP)]
        inputs: Vec<PathBuf>,
    },
    /// Write what would change as a Kustomize Component, for hosts that run no functions
    ///
    /// The Component belongs above the kustomization whose build is the input:
    /// `kustomize build base | istio-scrape patches -o mtls`.
    Patches {
        #[arg(value_name = "INPUT", help = INPUT_HELP)]
        inputs: Vec<PathBuf>,

        /// The folder for the Component; `-`: entries for `patches` of kustomize, Flux or Argo CD, to stdout
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Print objects that scrape Istio itself, and alerts
    ///
    /// Without --config (one object of kind MeshMetrics) all settings are defaults. Nothing is read from stdin.
    MeshMetrics,
    #[command(flatten)]
    About(About),
}

/// Formats of `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For reviewers: a comment below a pull request, with a picture in Mermaid
    Markdown,
}

/// Formats of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// What is wrong, and what to do
    Table,
    /// The report of `explain -o json`
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// From which severity on a finding fails a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Warnings and errors
    Warning,
    /// Errors
    Error,
    /// No finding; pending changes do all the same
    Never,
}

impl Arguments {
    /// What clap lets pass although it means nothing together.
    ///
    /// clap's own `args_conflicts_with_subcommands` takes `explain` for a file in
    /// `istio-scrape --config FILE explain`.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        match &self.command {
            None => None,
            Some(_) if !self.inputs.is_empty() => Some("the INPUT must stand behind the command"),
            Some(Command::About(_)) if self.config.is_some() => {
                Some("--config means nothing to a command that looks at no input")
            }
            Some(_) if self.report.is_some() => Some(
                "--report belongs to the plain run; for a report on stdout use `explain -o json`",
            ),
            Some(_) => None,
        }
    }

    /// The command that somebody meant who misspelt it: then it is a file, but there is none of that name.
    pub(super) fn meant(&self) -> Option<String> {
        let (None, Some(first)) = (&self.command, self.inputs.first()) else {
            return None;
        };
        let word = first.to_str().filter(|word| !word.contains(['/', '.']))?;
        if first.exists() {
            return None;
        }
        if matches!(word, "help" | "version") {
            // Commands of kubectl, kustomize and helm; here only the options.
            return Some(format!("there is no file {word}; did you mean --{word}?"));
        }
        let commands = Self::command();
        let names: Vec<&str> = commands
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        let close = similar::get_close_matches(word, &names, 1, 0.6);
        close
            .first()
            .map(|&command| format!("there is no file {word}; did you mean the command {command}?"))
    }

    /// The inputs of whichever command was given.
    pub(super) fn inputs(&self) -> &[PathBuf] {
        match &self.command {
            None => &self.inputs,
            Some(
                Command::Explain { inputs, .. }
                | Command::Check { inputs, .. }
                | Command::Diff { inputs }
                | Command::Patches { inputs, .. },
            ) => inputs,
            Some(Command::MeshMetrics | Command::About(_)) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_configuration_may_stand_before_and_behind_a_command() {
        for line in [
            "istio-scrape --config c.yaml explain a.yaml",
            "istio-scrape explain --config c.yaml a.yaml",
            "istio-scrape explain a.yaml --config c.yaml",
            "istio-scrape a.yaml --config c.yaml",
        ] {
            let arguments = parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(arguments.config, Some(PathBuf::from("c.yaml")), "{line}");
            assert_eq!(arguments.inputs(), [PathBuf::from("a.yaml")], "{line}");
        }
    }

    #[test]
    fn what_means_nothing_together_is_refused() {
        let parsed_with_report = parsed("istio-scrape --report r.json explain").unwrap();
        assert!(parsed_with_report.contradiction().is_some());
        assert!(parsed("istio-scrape explain --report r.json").is_err());
    }

    #[test]
    fn behind_a_file_a_command_is_a_file_too() {
        let arguments = parsed("istio-scrape a.yaml explain").unwrap();
        assert_eq!(arguments.inputs().len(), 2);
    }
}
