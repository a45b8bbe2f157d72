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
//! The context, objects from outside the build, joins the items on their way to the inventory, and nothing else.
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
pub mod mesh_metrics;
pub mod model;
pub mod policy;
pub mod report;
pub mod rules;
pub mod targets;
pub mod yaml;

mod context;
mod generator;
mod outcome;
mod parallel;
mod plan;
mod setting;

use std::sync::Arc;

use config::{Config, ConfigError, FailOn, RunMode};
use krm::{CloseError, Form, OpenError, Output, Package, Source};
use plan::Plan;
use report::component::{self, ComponentError, Patched};
use rules::Failing;
use setting::Setting;

pub use context::{ContextError, ContextFiles, ContextTexts};
pub use generator::metrics_of_mesh;
pub use outcome::{Outcome, Patches, Report};

/// What the command line says beside the inputs.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The file given with `--config`.
    pub config: Option<Source>,
    /// Who reads `context.files`; `None`: nobody, which is an error where there are any.
    pub context_files: Option<Arc<dyn ContextFiles>>,
    /// Nobody reads [`Outcome::report`], which costs as much as deciding does: it stays empty.
    pub without_report: bool,
}

/// How `check` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckFormat {
    /// For people: what is wrong, and what to do.
    Table,
    /// For programs: the report of `explain`.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
}

/// How `explain` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For reviewers: a comment below a pull request.
    Markdown,
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
    /// The files of `context.files`.
    #[error("context.files: {0}")]
    ContextFiles(ContextError),
    /// The objects of the context.
    #[error("context: {0}")]
    Context(OpenError),
    /// The output.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// An edit that does not say what its patch says.
    #[error(transparent)]
    Apply(#[from] apply::ApplyError),
    /// A ResourceList that takes no objects.
    #[error(transparent)]
    Answer(#[from] mesh_metrics::AnswerError),
    /// An object that kustomize cannot patch.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// A stream of which nothing would be left: an empty output means "delete everything" to a host, and a check of nothing
    /// would pass. Whoever names the configuration as INPUT is likely to have forgotten `-`.
    #[error(
        "the input is nothing but configuration; name the objects too (`-` for stdin), or use --config"
    )]
    OnlyConfiguration,
    /// Folders in whose files no object is: the same empty output.
    #[error("{0}: no object with `kind` here or in what else was read; name files that hold some")]
    NoObjects(String),
}

/// A run up to the point where it is known what is to happen.
struct Run<'t> {
    package: Package<'t>,
    setting: Setting,
    plan: Plan,
}

fn opened(sources: &[Source]) -> Result<Package<'_>, OpenError> {
    krm::outlined(sources, model::reads).map_or_else(|| krm::open(sources, model::reads), Ok)
}

fn decided<'t>(sources: &'t [Source], flags: &Flags) -> Result<Run<'t>, Error> {
    decided_on(opened(sources)?, flags)
}

/// On as little of the text as was opened. What goes wrong there is decided upon the whole, which knows what to say.
fn decided_on<'t>(package: Package<'t>, flags: &Flags) -> Result<Run<'t>, Error> {
    let sources = package.sources();
    decided_upon(package, flags).or_else(|_| decided_upon(krm::open(sources, model::reads)?, flags))
}

fn decided_upon<'t>(package: Package<'t>, flags: &Flags) -> Result<Run<'t>, Error> {
    let mut setting = setting::find(&package, flags)?;
    let texts = context::texts(&setting, flags)?;
    let (context, messages) = context::open(&texts.sources)?;
    setting
        .messages
        .extend(texts.notices.iter().cloned().chain(messages));
    let plan = plan::draw(&package, &context, &setting.config)?;
    Ok(Run {
        package,
        setting,
        plan,
    })
}

/// The plain run: patches what is to be patched. Where a host's `functionConfig` is a MeshMetrics, makes its objects.
///
/// On findings at `failOn`, and in `mode: check` on a pending patch, nothing is changed: a
/// ResourceList comes back with its results, any other form not at all.
///
/// # Errors
/// When the input, the configuration or the output cannot be had.
pub fn run<'t>(sources: &'t [Source], flags: &Flags) -> Result<Outcome<'t>, Error> {
    run_and_keep(sources, flags).map(|(outcome, _)| outcome)
}

/// What a run needed, and nobody needs any more.
#[derive(Default)]
pub struct LeftBehind<'t>(
    #[expect(dead_code, reason = "it is there to be let go of")] Option<(Package<'t>, Plan)>,
);

/// The same, and with it what of a large input takes some time to let go of: a program that ends does not have to.
///
/// # Errors
/// As [`run`].
pub fn run_and_keep<'t>(
    sources: &'t [Source],
    flags: &Flags,
) -> Result<(Outcome<'t>, LeftBehind<'t>), Error> {
    let package = opened(sources)?;
    if generator::is_asked(&package) {
        let outcome = generator::answer(sources, flags)?;
        return Ok((outcome, LeftBehind::default()));
    }
    let Run {
        package,
        setting,
        plan,
    } = decided_on(package, flags)?;
    let failing = Failing::of(&setting.config);
    let failed = plan.fails(&failing);
    let results = report::results::render(&plan.decisions, &failing);
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
    messages.extend(setting.of_output);
    let findings = report::text::render(&plan.decisions, &failing);
    messages.extend(findings.lines().map(str::to_owned));
    let outcome = Outcome {
        output,
        messages,
        report: match flags.without_report {
            true => String::new(),
            false => report::json::render(&plan.decisions),
        },
        exit: u8::from(failed),
    };
    Ok((outcome, LeftBehind(Some((package, plan)))))
}

/// Every endpoint, and every scraper of which something is asked: what becomes of it, why, and which object decided.
///
/// # Errors
/// As [`run`].
pub fn explain(
    sources: &[Source],
    flags: &Flags,
    format: Format,
    colour: bool,
) -> Result<Report, Error> {
    let Run { setting, plan, .. } = decided(sources, flags)?;
    Ok(Report {
        text: match format {
            Format::Table => report::table::render(&plan.decisions, colour),
            Format::Json => report::json::render(&plan.decisions),
            Format::Markdown => report::markdown::render(&plan.decisions),
        },
        messages: setting.messages,
        exit: 0,
    })
}

/// The unified diff of what a run would change; exit code 1 if there is any.
///
/// # Errors
/// As [`run`].
pub fn diff(sources: &[Source], flags: &Flags) -> Result<Report, Error> {
    // Secrets are masked in objects of every kind, so all of them are read.
    let Run {
        package,
        setting,
        plan,
    } = decided_upon(krm::open(sources, model::reads)?, flags)?;
    let edited = plan::edited(&package, &plan.edits);
    let after = krm::open(&edited, model::reads)?;
    let mut text = String::new();
    for (position, (old, new)) in sources.iter().zip(&edited).enumerate() {
        let before = (old.text.as_str(), package.items.as_slice());
        let after = (new.text.as_str(), after.items.as_slice());
        let own = report::diff::diff(&old.name, position, before, after);
        text += &own.map_err(|error| OpenError::NotYaml {
            source_name: old.called().to_owned(),
            error,
        })?;
    }
    Ok(Report {
        exit: u8::from(!text.is_empty()),
        messages: setting.messages,
        text,
    })
}

/// A Kustomize Component that does to a base what a run does, for a folder of this name.
///
/// # Errors
/// As [`run`], and when kustomize cannot patch an object.
pub fn patches(sources: &[Source], flags: &Flags, folder: &str) -> Result<Patches, Error> {
    let (patched, messages) = to_patch(sources, flags)?;
    Ok(Patches {
        exit: u8::from(patched.is_none()),
        component: patched
            .map(|patched| component::render(&patched, folder))
            .transpose()?,
        messages,
    })
}

/// The same patches as a stream of entries for `patches` of kustomize, Flux, Argo CD.
///
/// # Errors
/// As [`patches`].
pub fn patch_stream(sources: &[Source], flags: &Flags) -> Result<Outcome<'static>, Error> {
    let (patched, messages) = to_patch(sources, flags)?;
    Ok(Outcome {
        exit: u8::from(patched.is_none()),
        output: patched
            .map(|patched| component::stream(&patched).map(Output::from))
            .transpose()?,
        messages,
        report: String::new(),
    })
}

/// What is to be patched, unless findings have reached `failOn`, and what stderr is told. `mode` is of no account: like
/// `diff`, whoever asks for patches wants to see them.
fn to_patch(
    sources: &[Source],
    flags: &Flags,
) -> Result<(Option<Vec<Patched>>, Vec<String>), Error> {
    let Run {
        package,
        setting,
        plan,
    } = decided(sources, flags)?;
    let failing = Failing::of(&Config {
        mode: RunMode::Patch,
        ..setting.config
    });
    let mut messages = setting.messages;
    let findings = report::text::render(&plan.decisions, &failing);
    messages.extend(findings.lines().map(str::to_owned));
    if plan.fails(&failing) {
        return Ok((None, messages));
    }
    let patched = plan::patched(&package, &plan.decisions)?;
    Ok((Some(patched), messages))
}

/// Whether everything is in place; exit code 1 if a change is pending or a finding reaches `fail_on`, which stands for
/// `failOn` of the configuration.
///
/// # Errors
/// As [`run`].
pub fn check(
    sources: &[Source],
    flags: &Flags,
    fail_on: Option<FailOn>,
    format: CheckFormat,
    colour: bool,
) -> Result<Report, Error> {
    let Run { setting, plan, .. } = decided(sources, flags)?;
    let failing = Failing::of_check(&setting.config, fail_on);
    let failed = plan.fails(&failing);
    let decisions = &plan.decisions;
    let mut messages = setting.messages;
    if format == CheckFormat::Sarif {
        messages.extend(report::sarif::notice(decisions, &failing));
    }
    if failed && format != CheckFormat::Table {
        // Programs read stdout; whoever reads the log of the build wants to know too.
        let verdict = report::check::verdict(decisions, &failing);
        messages.push(format!("istio-scrape: {verdict}"));
    }
    Ok(Report {
        text: match format {
            CheckFormat::Table => report::check::render(decisions, &failing, colour),
            CheckFormat::Json => report::json::render(decisions),
            CheckFormat::Sarif => report::sarif::render(decisions, &failing),
        },
        messages,
        exit: u8::from(failed),
    })
}
