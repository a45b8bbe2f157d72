//! Gives scrape endpoints under Istio STRICT mTLS the certificates they need, and only those.
//!
//! The story of a run, top to bottom:
//!
//! ```text
//! sources ─ krm::open ─► items ─ model::read ─► inventory ─ rules::decide ─► decisions
//!    │                     │                       ▲  ▲                         │
//!    │                     │                  policy  targets                   │
//!    │                     └────────────── apply::edits ◄───────────────────────┤
//!    └──────────────────── krm::close ◄────────┘      report ◄──────────────────┘
//! ```
//!
//! Output is a function of the sources and the flags alone: no file, clock, environment or cluster
//! is asked below the command line.

#![cfg_attr(
    not(test),
    warn(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "what is decided depends on the input alone"
    )
)]

pub mod apply;
pub mod config;
pub mod krm;
pub mod model;
pub mod policy;
pub mod report;
pub mod rules;
pub mod targets;
pub mod yaml;

mod plan;
mod setting;

use config::{Config, ConfigError, FailOn, RunMode, Severity};
use krm::{CloseError, Form, OpenError, Source};
use report::Located;
use rules::Verdict;

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
#[derive(Debug, thiserror::Error)]
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
    /// An edit that does not say what its patch says.
    #[error(transparent)]
    Apply(#[from] apply::ApplyError),
}

/// The plain run: patches what is to be patched.
///
/// On findings at `failOn`, and in `mode: check` on a pending patch, nothing is changed: a
/// ResourceList comes back with its results, any other form not at all.
///
/// # Errors
/// When the input, the configuration or the output cannot be had.
pub fn run(sources: &[Source], flags: &Flags) -> Result<Outcome, Error> {
    let package = krm::open(sources, model::reads)?;
    let setting = setting::setting(&package, flags)?;
    let plan = plan::plan(&package, &setting.config)?;
    let results = report::results::results(&plan.decisions);
    let failed = fails(&plan.decisions, &setting.config);
    let changes = match (failed, setting.config.mode) {
        (false, RunMode::Patch) => plan.edits.as_slice(),
        (true, _) | (_, RunMode::Check) => &[],
    };
    let output = if failed && package.form != Form::ResourceList {
        None
    } else {
        Some(krm::close(&package, changes, &results, &setting.left_out)?)
    };
    let mut messages = setting.messages;
    messages.extend(
        report::text::text(&plan.decisions)
            .lines()
            .map(str::to_owned),
    );
    Ok(Outcome {
        output,
        messages,
        report: format!("{:#}\n", report::json::json(&plan.decisions)),
        exit: u8::from(failed),
    })
}

/// Every endpoint and scraper: what becomes of it, why, and which object decided.
///
/// # Errors
/// As [`run`].
pub fn explain(
    sources: &[Source],
    flags: &Flags,
    format: Format,
    colour: bool,
) -> Result<String, Error> {
    let package = krm::open(sources, model::reads)?;
    let setting = setting::setting(&package, flags)?;
    let plan = plan::plan(&package, &setting.config)?;
    Ok(match format {
        Format::Table => report::table::table(&plan.decisions, colour),
        Format::Json => format!("{:#}\n", report::json::json(&plan.decisions)),
    })
}

/// The unified diff of what a run would change, and whether there is any.
///
/// # Errors
/// As [`run`].
pub fn diff(sources: &[Source], flags: &Flags, _colour: bool) -> Result<(String, bool), Error> {
    let package = krm::open(sources, model::reads)?;
    let setting = setting::setting(&package, flags)?;
    let plan = plan::plan(&package, &setting.config)?;
    let edited = plan::edited(&package, &plan.edits);
    let after = krm::open(&edited, model::reads)?;
    let of = |items: &[krm::Item<'_>], source: usize| -> Vec<usize> {
        (0..items.len())
            .filter(|item| items[*item].source == source)
            .collect()
    };
    let diff: String = sources
        .iter()
        .enumerate()
        .map(|(position, source)| {
            let side = |text: &str, items: &[krm::Item<'_>]| {
                let own: Vec<_> = of(items, position)
                    .into_iter()
                    .map(|item| &items[item])
                    .collect();
                report::diff::masked(text, &own)
            };
            report::diff::diff(
                &source.name,
                &side(&source.text, &package.items),
                &side(&edited[position].text, &after.items),
            )
        })
        .collect();
    let changes = !diff.is_empty();
    Ok((diff, changes))
}

/// Whether a run with these decisions fails.
fn fails(decisions: &[Located], config: &Config) -> bool {
    let reached = |severity: Severity| match config.fail_on {
        FailOn::Warning => severity >= Severity::Warning,
        FailOn::Error => severity >= Severity::Error,
        FailOn::Never => false,
    };
    decisions.iter().any(|located| {
        let pending = located.decision.verdict == Verdict::Patch && config.mode == RunMode::Check;
        let refused =
            located.decision.verdict == Verdict::Refuse && config.fail_on != FailOn::Never;
        pending || refused || reached(located.decision.severity)
    })
}
