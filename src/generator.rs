//! How does the function run that makes objects?
//!
//! Authority: KRM Functions Specification v1 for a host's ResourceList; kubectl for a stream of objects.
//! Departs from nothing.
//! Knows: where its configuration is read, what goes out. Does not know: which objects are made.

use crate::config::{Candidate, ConfigError, MeshMetrics, is_mesh_metrics};
use crate::krm::{self, Package, Source};
use crate::yaml::Node;
use crate::{Error, Flags, Outcome, mesh_metrics, report, setting};

/// Whether a host asks this function, and not the one that decides on endpoints.
pub(crate) fn is_asked(package: &Package<'_>) -> bool {
    let text = |node: &Node<'_>, key: &str| {
        let value = node.get(key).and_then(Node::text);
        value.unwrap_or_default().to_owned()
    };
    package.function_config.as_ref().is_some_and(|found| {
        is_mesh_metrics(&text(&found.node, "apiVersion"), &text(&found.node, "kind"))
    })
}

/// The answer to a host that asks this function.
pub(crate) fn answer(sources: &[Source], flags: &Flags) -> Result<Outcome<'static>, Error> {
    let package = krm::open(sources, |_, _, _| false)?;
    const WHENCE: &str = "functionConfig";
    if let Some(file) = &flags.config {
        return Err(Error::Config(ConfigError::Twice {
            function_config: WHENCE.to_owned(),
            file: file.name.clone(),
        }));
    }
    let config = match &package.function_config {
        Some(found) => {
            let candidate = Candidate::read(&found.node, WHENCE.to_owned())?;
            MeshMetrics::from_value(&candidate.object, WHENCE)?
        }
        None => MeshMetrics::default(),
    };
    let answer = mesh_metrics::answer(&package, &config)?;
    Ok(Outcome {
        output: Some(answer.output.into()),
        messages: answer.messages,
        report: match flags.without_report {
            true => String::new(),
            false => report::json::render(&[]),
        },
        exit: 0,
    })
}

/// The objects that scrape Istio itself, as a stream: all settings are defaults, unless a file with a MeshMetrics says otherwise.
///
/// # Errors
/// When the configuration cannot be had.
pub fn metrics_of_mesh(file: Option<&Source>) -> Result<Outcome<'static>, Error> {
    let config = match file {
        Some(file) => configured_in(file).map_err(|error| with_lines(error, file))?,
        None => MeshMetrics::default(),
    };
    Ok(Outcome {
        output: Some(mesh_metrics::stream(&config).into()),
        messages: mesh_metrics::warnings(&config),
        report: String::new(),
        exit: 0,
    })
}

fn configured_in(file: &Source) -> Result<MeshMetrics, Error> {
    let candidate = setting::configuration_of(file).map_err(|error| match error {
        Error::Config(ConfigError::UnknownKind { whence, found }) => {
            Error::Config(ConfigError::NotMeshMetrics { whence, found })
        }
        other => other,
    })?;
    Ok(MeshMetrics::from_value(&candidate.object, &file.name)?)
}

/// The error, with the file and line of each field.
fn with_lines(error: Error, file: &Source) -> Error {
    let Error::Config(ConfigError::Refused {
        whence,
        mut problems,
    }) = error
    else {
        return error;
    };
    let lines = setting::lines_in(file, &problems).unwrap_or_default();
    for (problem, line) in problems.iter_mut().zip(lines) {
        problem.line = Some(line);
    }
    Error::Config(ConfigError::Refused { whence, problems })
}
