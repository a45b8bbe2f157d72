//! Which configuration does a run have, and what does that do to the output?
//!
//! Authority: `config::choose` for the order of candidates; names of rules by `rules`.
//! Departs from nothing.
//! Knows: packages, configuration objects. Does not know: what the settings are for.

use crate::config::{self, Candidate, Config, ConfigError, Problem};
use crate::krm::{self, Form, Item, OpenError, Origin, Package, Source};
use crate::rules::Rule;
use crate::yaml::{self, Node};
use crate::{Error, Flags};

/// The settings of a run, and what finding them had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The settings.
    pub(crate) config: Config,
    /// The file that they are read from, or else `functionConfig`.
    pub(crate) file: String,
    /// Positions of items that are configuration and no resources.
    pub(crate) left_out: Vec<usize>,
    /// Lines for stderr about the input.
    pub(crate) messages: Vec<String>,
    /// Lines for stderr about what is left out of the output.
    pub(crate) of_output: Vec<String>,
}

/// Finds the configuration: `functionConfig`, `--config`, or the one ScrapeTLS among the inputs.
pub(crate) fn find(package: &Package<'_>, flags: &Flags) -> Result<Setting, Error> {
    found(package, flags).map_err(|error| with_lines(error, package, flags))
}

fn found(package: &Package<'_>, flags: &Flags) -> Result<Setting, Error> {
    let is_ours = |item: &Item<'_>| config::is_scrape_tls(&item.api_version, &item.kind);
    let asks_for_objects = |item: &Item<'_>| config::is_mesh_metrics(&item.api_version, &item.kind);
    let function_config = package
        .function_config
        .as_ref()
        .map(|found| Candidate::read(&found.node, "functionConfig".to_owned()))
        .transpose()?;
    let file = flags.config.as_ref().map(configuration_of).transpose()?;
    let inputs = package
        .items
        .iter()
        .chain(&package.asides)
        .filter(|item| is_ours(item))
        .map(|item| {
            let whence = package.place(item).to_string();
            Ok::<_, Error>(Candidate::read(&*package.read(item)?, whence)?)
        })
        .collect::<Result<_, Error>>()?;
    let choice = config::choose(function_config, file, inputs)?;
    let names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    let whence = choice.whence.as_deref().unwrap_or_default();
    choice.config.check_rules(&names, whence)?;

    // A function's host keeps the object among its resources; in a stream nobody else could use it.
    let left_out: Vec<usize> = match package.form {
        Form::ResourceList => Vec::new(),
        Form::List | Form::Stream => (0..package.items.len())
            .filter(|position| {
                let item = &package.items[*position];
                is_ours(item) || asks_for_objects(item)
            })
            .collect(),
    };
    if !package.items.is_empty() && left_out.len() == package.items.len() {
        return Err(Error::OnlyConfiguration);
    }
    if let [first, ..] = package.sources()
        && package.items.is_empty()
        && package
            .sources()
            .iter()
            .all(|source| source.origin != Origin::Named)
    {
        return Err(Error::NoObjects(first.name.clone()));
    }
    let skipped = package
        .skipped
        .iter()
        .map(|place| format!("{place}: skipped, it is no object with `kind`"));
    let file = package
        .items
        .iter()
        .chain(&package.asides)
        .find(|item| is_ours(item) && package.place(item).to_string() == whence)
        .map_or_else(|| whence.to_owned(), |item| package.location(item).file);
    let out = left_out.iter().map(|position| {
        let item = &package.items[*position];
        let place = package.place(item).to_string();
        if asks_for_objects(item) {
            return format!(
                "{place}: MeshMetrics is configuration and left out of the output; \
                 `istio-scrape mesh-metrics --config FILE` prints the objects that it asks for"
            );
        }
        let instead = match &choice.whence {
            Some(whence) if *whence != place => format!("; {whence} is the configuration"),
            _ => String::new(),
        };
        format!("{place}: ScrapeTLS is configuration and left out of the output{instead}")
    });
    Ok(Setting {
        messages: skipped.collect(),
        of_output: out.collect(),
        file,
        config: choice.config,
        left_out,
    })
}

/// The error, with the file and line of each field that somebody wrote in a file.
fn with_lines(error: Error, package: &Package<'_>, flags: &Flags) -> Error {
    let Error::Config(ConfigError::Refused {
        whence,
        mut problems,
    }) = error
    else {
        return error;
    };
    let of_file = |file: &Source| lines_in(file, &problems);
    let of_input = || {
        let mut items = package.items.iter().chain(&package.asides);
        let item = items.find(|item| package.place(item).to_string() == whence)?;
        lines_of(package, item, &problems)
    };
    let file = flags.config.as_ref().filter(|file| file.name == whence);
    let lines = file.map_or_else(of_input, of_file).unwrap_or_default();
    for (problem, line) in problems.iter_mut().zip(lines) {
        problem.line = Some(line);
    }
    Error::Config(ConfigError::Refused { whence, problems })
}

/// Where the field of each problem stands in a file that holds the configuration.
pub(crate) fn lines_in(file: &Source, problems: &[Problem]) -> Option<Vec<String>> {
    let package = krm::open(std::slice::from_ref(file), |_, _, _| true).ok()?;
    lines_of(&package, package.items.first()?, problems)
}

/// Where the field of each problem stands; none where only a host knows the file.
fn lines_of(package: &Package<'_>, item: &Item<'_>, problems: &[Problem]) -> Option<Vec<String>> {
    let source = &package.sources()[item.source];
    if package.form == Form::ResourceList {
        return None;
    }
    let node = item.node().ok()?;
    let line = |problem: &Problem| {
        let at = yaml::line_of(&source.text, written(&node, &problem.keys));
        format!("{}:{at}", source.called())
    };
    Some(problems.iter().map(line).collect())
}

/// Where the last of some keys that is there begins.
fn written(object: &Node<'_>, keys: &[String]) -> usize {
    let is_whole = keys.first().is_some_and(|key| object.get(key).is_some());
    let body = ["spec", "data"].iter().find_map(|body| object.get(body));
    let mut at = object.range.start;
    let (mut node, keys) = match (is_whole, body) {
        (false, Some(data)) if data.get(&keys.join(".")).is_some() => (data, vec![keys.join(".")]),
        (false, Some(spec)) => (spec, keys.to_vec()),
        (true, _) | (false, None) => (object, keys.to_vec()),
    };
    for key in &keys {
        // Of a key that is written twice the second is too much.
        let mut entries = node.entries().iter().rev();
        let entry = entries.find(|(name, _)| name.text() == Some(key));
        let position: Option<usize> = key.parse().ok();
        let item = position.and_then(|position| node.items().get(position));
        (at, node) = match (entry, item) {
            (Some((name, value)), _) => (name.range.start, value),
            (None, Some(item)) => (item.range.start, item),
            (None, None) => break,
        };
    }
    at
}

/// The one object of a file that holds the configuration.
pub(crate) fn configuration_of(file: &Source) -> Result<Candidate, Error> {
    let package = match krm::open(std::slice::from_ref(file), |_, _, _| true) {
        // What is no object of Kubernetes is as wrong here as an object of another kind.
        Err(OpenError::NoKind { .. }) => {
            return Err(Error::Config(ConfigError::UnknownKind {
                whence: file.name.clone(),
                found: "an object without kind".to_owned(),
            }));
        }
        package => package?,
    };
    match package.items.as_slice() {
        [only] => Ok(Candidate::read(&*package.read(only)?, file.name.clone())?),
        items => Err(Error::Config(ConfigError::NotOne {
            file: file.name.clone(),
            count: items.len(),
        })),
    }
}
