//! What does a run end with?
//!
//! Authority: KRM Functions Specification v1: a result, words for people, an exit code.
//! Departs from it: nothing.
//! Knows: what goes to stdout, to stderr and into files. Does not know: how it came about.

use crate::krm::Output;
use crate::report::component::Component;

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<'t> {
    /// What goes to stdout; `None`: nothing, as when a stream fails.
    pub output: Option<Output<'t>>,
    /// What goes to stderr, line by line.
    pub messages: Vec<String>,
    /// What goes into the report file: JSON, as `explain -o json` has it; empty with [`crate::Flags::without_report`].
    pub report: String,
    /// Exit code: 0 done, 1 findings.
    pub exit: u8,
}

impl Outcome<'_> {
    /// The same outcome without the sources, of which it holds copies then.
    pub fn into_owned(self) -> Outcome<'static> {
        Outcome {
            output: self.text().map(Output::from),
            messages: self.messages,
            report: self.report,
            exit: self.exit,
        }
    }

    /// What goes to stdout in one piece, which is a copy.
    pub fn text(&self) -> Option<String> {
        self.output.as_ref().map(ToString::to_string)
    }
}

/// What a command prints that tells about a run instead of making it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What goes to stdout.
    pub text: String,
    /// What goes to stderr, line by line.
    pub messages: Vec<String>,
    /// Exit code.
    pub exit: u8,
}

/// What `patches` puts into a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patches {
    /// The Component; `None`: nothing, because findings have reached `failOn`.
    pub component: Option<Component>,
    /// What goes to stderr, line by line.
    pub messages: Vec<String>,
    /// Exit code: 0 done, 1 findings.
    pub exit: u8,
}
