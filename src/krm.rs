//! How do objects come in, and how do they go out?
//!
//! Authority: KRM Functions Specification v1 (kubernetes-sigs/kustomize, functions-spec.md); kubectl's List and stream forms.
//! Departs from it: items are never re-printed; the output is the input's text with edits.
//! Knows: ResourceList, List, stream, annotations of orchestrators. Does not know: Istio, scrape objects.

mod close;
mod error;
mod find;
mod open;
mod output;
mod place;
mod source;

pub use close::{CloseError, close, returned};
pub use error::{OpenError, Shape};
pub use open::{open, outlined};
pub use output::Output;
use place::Spot;
pub use place::{Location, Place};
pub use source::{DecodeError, Origin, Source};

use std::borrow::Cow;

use serde_json::Value;

use crate::yaml::{Lazy, LazyDocument, Node, ReadError, Rules, Syntax};

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
    /// Its text and structure, read when asked for.
    pub value: Lazy<'t>,
    /// What may be written into it.
    pub syntax: Syntax,
    /// `apiVersion`.
    pub api_version: Cow<'t, str>,
    /// `kind`.
    pub kind: Cow<'t, str>,
    /// `metadata.name` where the object has it as text, else nothing.
    pub name: Cow<'t, str>,
}

impl<'t> Item<'t> {
    /// The whole object.
    ///
    /// # Errors
    /// When it is no YAML, which opening a package by outline does not find out.
    pub fn node(&self) -> Result<Cow<'_, Node<'t>>, ReadError> {
        self.value.read()
    }

    /// Its `metadata`, if it has any.
    pub fn metadata(&self) -> Option<Cow<'_, Node<'t>>> {
        self.value.get("metadata").ok().flatten()
    }
}

/// All objects of all sources, and what is needed to write them back.
#[derive(Debug, Clone)]
pub struct Package<'t> {
    /// The form of input and output.
    pub form: Form,
    /// The resources, in order.
    pub items: Vec<Item<'t>>,
    /// Objects of files that a kustomization uses otherwise than as resources. They never go out.
    pub asides: Vec<Item<'t>>,
    /// `functionConfig` of a ResourceList.
    pub function_config: Option<FunctionConfig<'t>>,
    /// `results` that an earlier function left in the ResourceList.
    pub results: Vec<Value>,
    /// Documents of folders that are no objects. They do not go out.
    pub skipped: Vec<Place>,
    sources: &'t [Source],
    layouts: Vec<Layout<'t>>,
}

/// The object that a host configures a function with.
#[derive(Debug, Clone)]
pub struct FunctionConfig<'t> {
    /// Its text and structure.
    pub node: Node<'t>,
}

/// How a source is put together.
#[derive(Debug, Clone)]
struct Layout<'t> {
    documents: Vec<LazyDocument<'t>>,
    /// Positions of documents that are no resources.
    skipped: Vec<usize>,
}

impl<'t> Package<'t> {
    /// The texts that the items' offsets count in.
    pub fn sources(&self) -> &'t [Source] {
        self.sources
    }

    /// The whole object, in which no key is written twice.
    ///
    /// # Errors
    /// When it is no YAML, or a key is written twice.
    pub fn read<'i>(&self, item: &'i Item<'t>) -> Result<Cow<'i, Node<'t>>, OpenError> {
        let source = &self.sources[item.source];
        let node = item.node().map_err(|error| OpenError::NotYaml {
            source_name: source.called().to_owned(),
            error,
        })?;
        find::no_key_twice(source, self.form, item, &node)?;
        Ok(node)
    }

    /// Where an item is, in words.
    pub fn place(&self, item: &Item<'t>) -> Place {
        let metadata = item.metadata();
        let spot = Spot::new(item.value.start(), metadata.as_deref());
        let source = &self.sources[item.source];
        Place::of(source, self.form, item.line, item.index, spot)
    }

    /// Where an item is, for reports: the file that the host names, or else the source.
    pub fn location(&self, item: &Item<'t>) -> Location {
        let metadata = item.metadata();
        let spot = Spot::new(item.value.start(), metadata.as_deref());
        let source = &self.sources[item.source];
        Location::of(source, self.form, item.line, item.index, spot)
    }
}
