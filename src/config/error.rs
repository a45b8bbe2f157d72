//! What is wrong with the configuration?
//!
//! Authority: none; these are our own words.
//! Departs from nothing: every problem of one object is reported at once.
//! Knows: where a setting was written and what is allowed there. Does not know: how it was read.

use std::fmt;

use thiserror::Error;

use crate::yaml::ValueError;

/// Why there is no configuration to run with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Fields or values that are not allowed.
    #[error("the configuration in {whence} is refused:{}", listed(problems))]
    Refused {
        /// Where the object was read.
        whence: String,
        /// All that is wrong with it, in the order of its text.
        problems: Vec<Problem>,
    },
    /// A value that JSON cannot have.
    #[error("the configuration in {whence} cannot be read: {error}")]
    Unreadable {
        /// Where the object was read.
        whence: String,
        /// What and where.
        error: ValueError,
    },
    /// An object of another kind in the place of the configuration.
    #[error(
        "{whence} is no configuration of this function: it is {found}; \
         give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)"
    )]
    UnknownKind {
        /// Where the object was read.
        whence: String,
        /// What it is, e.g. `kind Foo (apiVersion v1)`.
        found: String,
    },
    /// `kind: MeshMetrics`, the second function, where the first was asked.
    #[error(
        "{whence} is of kind MeshMetrics, which decides nothing: `istio-scrape mesh-metrics` prints the objects that it asks for; \
         here give kind ScrapeTLS"
    )]
    MeshMetrics {
        /// Where the object was read.
        whence: String,
    },
    /// An object of another kind in the place of a MeshMetrics.
    #[error(
        "{whence} is no configuration of mesh-metrics: it is {found}; \
         give kind MeshMetrics (apiVersion istio-scrape.dev/v1alpha1)"
    )]
    NotMeshMetrics {
        /// Where the object was read.
        whence: String,
        /// What it is, e.g. `kind Foo (apiVersion v1)`.
        found: String,
    },
    /// A file given as configuration that holds none, or more than one object.
    #[error("--config {file} holds {count} objects; it must hold one: the configuration")]
    NotOne {
        /// The file.
        file: String,
        /// How many objects it holds.
        count: usize,
    },
    /// Two sources of configuration of equal standing.
    #[error(
        "two objects of kind ScrapeTLS are among the inputs, {first} and {second}; \
         remove one of them, or name the one that counts with --config"
    )]
    Two {
        /// Where the first was read.
        first: String,
        /// Where the second was read.
        second: String,
    },
    /// `functionConfig` and `--config` together.
    #[error(
        "the configuration is given twice, in {function_config} and with --config {file}; remove one of them"
    )]
    Twice {
        /// Where the `functionConfig` was read.
        function_config: String,
        /// The file.
        file: String,
    },
}

/// One thing that is wrong with a configuration object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, in words.
    pub at: String,
    /// The keys, and positions in lists, that lead to it.
    pub keys: Vec<String>,
    /// Where somebody wrote it, `fn/scrape-tls.yaml:12`; `None`: in no file, or that is not known yet.
    pub line: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = &self.line {
            write!(out, "{line}: ")?;
        }
        write!(out, "{} {}", self.at, self.wrong)
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Wrong {
    /// No version knows it.
    #[error("is no field{}; allowed here: {}", did_you_mean(meant.as_ref()), allowed.join(", "))]
    UnknownField {
        /// The field that it resembles.
        meant: Option<String>,
        /// The fields that are allowed in its place.
        allowed: Vec<String>,
    },
    /// A value of the wrong type or outside its range.
    #[error("is {said}; allowed: {allowed}")]
    Value {
        /// The value as it was understood.
        said: String,
        /// What is allowed.
        allowed: String,
    },
    /// It may be named by the user, but not so.
    #[error("is {0}")]
    Name(&'static str),
    /// It has no form as text; what to do instead.
    #[error("cannot be set in a ConfigMap; {0}")]
    NotInConfigMap(&'static str),
    /// A key written twice.
    #[error("is written twice; remove one of the two")]
    Duplicate,
    /// A severity for a rule that does not exist.
    #[error("names no rule{}; allowed: {}", did_you_mean(meant.as_ref()), allowed.join(", "))]
    UnknownRule {
        /// The rule whose name it resembles.
        meant: Option<String>,
        /// The names of all rules.
        allowed: Vec<String>,
    },
}

/// The name among `known` that a misspelt one most resembles.
pub(crate) fn resembling(name: &str, known: &[&str]) -> Option<String> {
    // Below 0.7 the suggestions stop being misspellings: `namespace` would be offered for `name`.
    similar::get_close_matches(name, known, 1, 0.7)
        .first()
        .map(|&close| close.to_owned())
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("\n  {problem}"))
        .collect()
}

fn did_you_mean(name: Option<&String>) -> String {
    name.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}
