//! Which facts come from outside the build?
//!
//! Authority: `context` of the configuration; the API server for which objects are the same: group, kind, namespace, name.
//! Departs from nothing: an object of the input counts before the same object of the context.
//! Knows: sources, packages, the configuration. Does not know: how files are read, what an object decides.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::config::Config;
use crate::krm::{self, Item, Origin, Package, Source};
use crate::setting::Setting;
use crate::yaml::{self, Rules};
use crate::{Error, Flags, model};

/// What the files and directories of `context.files` hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextTexts {
    /// Their texts.
    pub sources: Vec<Source>,
    /// Lines for stderr about finding them.
    pub notices: Vec<String>,
}

/// Who reads `context.files`: the library itself reads no file.
pub trait ContextFiles: fmt::Debug + Send + Sync {
    /// The texts of files and directories, by the names that the configuration gives them.
    ///
    /// # Errors
    /// When one of them cannot be read, or may not be.
    fn read(&self, names: &[String]) -> Result<ContextTexts, ContextError>;
}

/// Why a file or directory of `context.files` is not read, and what to do.
pub type ContextError = Box<dyn std::error::Error + Send + Sync>;

/// The texts that the configuration asks for: what it holds inline, then files.
pub(crate) fn texts(setting: &Setting, flags: &Flags) -> Result<ContextTexts, Error> {
    let config = &setting.config;
    let mut texts = match (&flags.context_files, config.context_files.as_slice()) {
        (_, []) => ContextTexts::default(),
        (Some(files), names) => files.read(names).map_err(Error::ContextFiles)?,
        (None, _) => {
            let nobody = "nobody reads files here; use context.resources";
            return Err(Error::ContextFiles(nobody.into()));
        }
    };
    if !config.context_resources.is_empty() {
        let documents: Vec<_> = config.context_resources.iter().map(yaml::block).collect();
        texts.sources.insert(
            0,
            Source {
                name: setting.file.clone(),
                text: documents.join("---\n"),
                origin: Origin::Configuration,
            },
        );
    }
    Ok(texts)
}

/// The objects of the context, and lines for stderr about what is no fact among them.
pub(crate) fn open(sources: &[Source]) -> Result<(Package<'_>, Vec<String>), Error> {
    let package = krm::open(sources, model::reads).map_err(Error::Context)?;
    let skipped = package
        .skipped
        .iter()
        .map(|place| format!("{place}: skipped, it is no object with `kind`"));
    let ours = package
        .items
        .iter()
        .chain(&package.asides)
        .filter(|item| item.api_version.starts_with("istio-scrape.dev/"))
        .map(|item| {
            let place = package.place(item);
            format!(
                "{place}: ignored, {} in the context is no configuration",
                item.kind
            )
        });
    let messages = skipped.chain(ours).collect();
    Ok((package, messages))
}

/// Group, kind, namespace, name: versions of a group show the same object.
type Identity = (String, String, String, String);

/// The input and what else is known. Items of the context come after those of the input.
pub(crate) struct Facts<'a> {
    input: &'a Package<'a>,
    context: &'a Package<'a>,
    /// Positions among the context's items of what counts.
    counts: Vec<usize>,
}

impl<'a> Facts<'a> {
    /// Scrape objects of the context are no facts but questions, which nobody asks here.
    pub(crate) fn new(input: &'a Package<'a>, context: &'a Package<'a>, config: &Config) -> Self {
        let rules = input.form.rules();
        let is_fact = |item: &Item<'_>| {
            model::reads(&item.api_version, &item.kind, &item.name)
                && !model::is_scrape(&item.api_version, &item.kind)
        };
        let candidates: Vec<usize> = (0..context.items.len())
            .filter(|position| is_fact(&context.items[*position]))
            .collect();
        let of_input: BTreeSet<Identity> = match candidates.is_empty() {
            true => BTreeSet::new(),
            false => input
                .items
                .iter()
                .filter(|item| is_fact(item))
                .filter_map(|item| identity(item, rules, config))
                .collect(),
        };
        let is_new = |position: &usize| {
            identity(&context.items[*position], rules, config)
                .is_none_or(|identity| !of_input.contains(&identity))
        };
        Self {
            input,
            context,
            counts: candidates.into_iter().filter(is_new).collect(),
        }
    }

    /// What the model reads, with positions.
    pub(crate) fn items(&self) -> impl Iterator<Item = (usize, &'a Item<'a>)> {
        let (input, context) = (self.input, self.context);
        let of_input = input
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| model::reads(&item.api_version, &item.kind, &item.name));
        let of_context = self
            .counts
            .iter()
            .map(move |position| (input.items.len() + position, &context.items[*position]));
        of_input.chain(of_context)
    }

    /// The package and the item at a position.
    pub(crate) fn at(&self, position: usize) -> (&'a Package<'a>, &'a Item<'a>) {
        let (input, context) = (self.input, self.context);
        match position.checked_sub(input.items.len()) {
            None => (input, &input.items[position]),
            Some(behind) => (context, &context.items[behind]),
        }
    }

    /// Position of the first item of the context.
    pub(crate) fn end_of_input(&self) -> usize {
        self.input.items.len()
    }

    /// Whose reading of scalars counts: the input's, for files of the context too.
    pub(crate) fn rules(&self) -> Rules {
        self.input.form.rules()
    }
}

/// `None` for what has no name, or one that only the cluster knows.
fn identity(item: &Item<'_>, rules: Rules, config: &Config) -> Option<Identity> {
    let metadata = match item.metadata() {
        Some(metadata) => metadata.value(rules).ok()?,
        None => {
            let object = item.node().ok()?.value(rules).ok()?;
            object.get("metadata")?.clone()
        }
    };
    let text = |key: &str| {
        let text = metadata.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let group = match item.api_version.split_once('/') {
        Some((group, _)) => group.to_owned(),
        None => String::new(),
    };
    let namespace = match model::is_cluster_scoped(&item.kind) {
        true => String::new(),
        false => text("namespace").unwrap_or_else(|| config.namespace.clone()),
    };
    Some((group, item.kind.to_string(), namespace, text("name")?))
}
