//! What is wrong with the input?
//!
//! Authority: none; these are our own words.
//! Departs from nothing.
//! Knows: where in the input the fault is, and what to do. Does not know: how it was found.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use super::Place;
use crate::yaml::{Content, Lazy, Node, ReadError, Rules, ValueError};

/// Why the input is no set of objects.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Zero bytes, as a program that failed upstream leaves behind.
    #[error(
        "{source_name} is empty; check the command or file that it comes from (an empty `items: []` is allowed)"
    )]
    Empty {
        /// The source.
        source_name: String,
    },
    /// Text that is no YAML.
    #[error("{source_name}: {error}")]
    NotYaml {
        /// The source.
        source_name: String,
        /// What and where.
        error: ReadError,
    },
    /// JSON documents one after the other.
    #[error(
        "{source_name} holds several JSON documents in a row; put a line `---` between them, or make them `items` of one `kind: List`"
    )]
    JsonInARow {
        /// The source.
        source_name: String,
    },
    /// A value that JSON, and so Kubernetes, cannot have.
    #[error("{source_name}: {field}: {error}")]
    NotAValue {
        /// The source.
        source_name: String,
        /// The field of the envelope.
        field: &'static str,
        /// What and where.
        error: ValueError,
    },
    /// A document or item that is a text, a number or a list.
    #[error(
        "{place} is {found}; every document and item must be an object with `apiVersion` and `kind`"
    )]
    NotAnObject {
        /// Where.
        place: Place,
        /// What it is instead.
        found: Shape,
    },
    /// An object without `kind`.
    #[error("{place} has no `kind`; add `apiVersion` and `kind`, or remove it from the input")]
    NoKind {
        /// Where.
        place: Place,
    },
    /// A field of the envelope that must be a list.
    #[error("{source_name}{}: `{field}` of the {envelope} is {found}; it must be a list", behind(*line))]
    NotAList {
        /// The source.
        source_name: String,
        /// Its line, where it can be looked up.
        line: Option<usize>,
        /// Kind of the envelope.
        envelope: String,
        /// The field.
        field: &'static str,
        /// What it is instead.
        found: Shape,
    },
    /// A key that an object has twice, where it matters.
    #[error(
        "{place}: the key `{key}`{} is written twice in `{pointer}`; {}",
        at_line(*line),
        what_to_do(key, pointer)
    )]
    DuplicateKey {
        /// The object.
        place: Place,
        /// The key.
        key: String,
        /// Line of the second one, where it can be looked up.
        line: Option<usize>,
        /// The map that has it, from the object's root.
        pointer: String,
    },
    /// A ResourceList of a version that nobody has specified.
    #[error(
        "{source_name} is a ResourceList of apiVersion {api_version}; supported are config.kubernetes.io/v1 and config.kubernetes.io/v1beta1"
    )]
    UnknownResourceList {
        /// The source.
        source_name: String,
        /// Its version.
        api_version: String,
    },
    /// A ResourceList beside other documents.
    #[error(
        "{source_name} holds a ResourceList, which must be the only document of the only input; run it alone, and give a configuration with --config"
    )]
    NotAlone {
        /// The source.
        source_name: String,
    },
}

/// What a value is, in the words of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing, or `null`.
    Null,
    /// A text, a number, true or false.
    Scalar,
    /// A list.
    List,
    /// A map.
    Map,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Null => "empty",
            Shape::Scalar => "a single value",
            Shape::List => "a list",
            Shape::Map => "a map",
        })
    }
}

impl Shape {
    pub(super) fn of_lazy(value: &Lazy<'_>) -> Self {
        match value {
            Lazy::Read(node) => Self::of(node),
            Lazy::Outlined(_) => Self::Map,
        }
    }

    pub(super) fn of(node: &Node<'_>) -> Self {
        match &node.content {
            Content::Alias(target) => Shape::of(target),
            Content::Sequence { .. } => Shape::List,
            Content::Mapping { .. } => Shape::Map,
            Content::Scalar(..) => match node.value(Rules::Kubectl) {
                Ok(Value::Null) => Shape::Null,
                _ => Shape::Scalar,
            },
        }
    }
}

/// A line behind the name of its source.
fn behind(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

fn at_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" at line {line}"))
}

/// Files joined without `---` are the usual reason for a second `kind`.
fn what_to_do(key: &str, pointer: &str) -> &'static str {
    match (key, pointer) {
        ("apiVersion" | "kind", "" | "/") => {
            "remove one of the two, or put `---` between two objects"
        }
        _ => "remove one of the two",
    }
}
