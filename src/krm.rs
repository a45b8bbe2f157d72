//! How do objects come in, and how do they go out?
//!
//! Authority: KRM Functions Specification v1 (kubernetes-sigs/kustomize, functions-spec.md); kubectl's List and stream forms.
//! Departs from it: items are never re-printed; the output is the input's text with edits.
//! Knows: ResourceList, List, stream, annotations of orchestrators. Does not know: Istio, scrape objects.

use crate::yaml::{Node, Rules, Syntax};

/// A text that objects are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path of the file, or `-` for stdin.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The form of the input, which is also the form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `kind: ResourceList`: a function's input. Findings go to `results`.
    ResourceList,
    /// `kind: List` or `…List` with `items`.
    List,
    /// Documents.
    Stream,
}

impl Form {
    /// Whose reading of scalars decides what the items mean.
    pub fn rules(self) -> Rules {
        match self {
            Form::ResourceList => Rules::Kustomize,
            Form::List | Form::Stream => Rules::Kubectl,
        }
    }
}

/// One object of the input.
#[derive(Debug, Clone)]
pub struct Item<'t> {
    /// Which of the sources it is in.
    pub source: usize,
    /// Position among the objects of its source.
    pub index: usize,
    /// Line of its first byte, from 1.
    pub line: usize,
    /// Its text and structure.
    pub node: Node<'t>,
    /// What may be written into it.
    pub syntax: Syntax,
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
}
