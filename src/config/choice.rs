//! Which object is the configuration?
//!
//! Authority: the order that the Go framework's functions have: `functionConfig`, then a file, then the inputs.
//! Departs from it: an empty ConfigMap, which kpt sends where nothing was given, counts as none.
//! Knows: candidates and their order. Does not know: where they came from.

use serde_json::{Map, Value};

use super::{Config, ConfigError, Problem, Wrong};
use crate::yaml::{Node, Rules, ValueError};

/// An object that may be the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Where it was read, for messages: a file with a place in it, or `functionConfig`.
    pub whence: String,
    /// The object.
    pub object: Value,
}

impl Candidate {
    /// The object that a node spells.
    ///
    /// # Errors
    /// When a key is written twice, or a value is none in JSON.
    pub fn read(node: &Node<'_>, whence: String) -> Result<Self, ConfigError> {
        if let Some(twice) = node.duplicate_key() {
            let of_map = twice
                .pointer
                .tokens()
                .map(|token| token.decoded().into_owned());
            let problem = Problem {
                at: format!("{}/{}", twice.pointer, twice.key),
                keys: of_map.chain([twice.key.clone()]).collect(),
                line: None,
                wrong: Wrong::Duplicate,
            };
            return Err(ConfigError::Refused {
                whence,
                problems: vec![problem],
            });
        }
        match object(node) {
            Ok(object) => Ok(Self { whence, object }),
            Err(error) => Err(ConfigError::Unreadable { whence, error }),
        }
    }
}

/// Kustomize's reading everywhere: for kubectl's, `off` in `severity` would be false. The flat keys
/// of a ConfigMap are read by their text, since `kustomize fn run` and people leave out the quotes.
fn object(node: &Node<'_>) -> Result<Value, ValueError> {
    let mut object = node.value(Rules::Kustomize)?;
    if object.get("kind").and_then(Value::as_str) == Some("ConfigMap")
        && let Some(Value::Object(data)) = object.get_mut("data")
        && let Some(written) = node.get("data")
    {
        for (key, value) in data.iter_mut().filter(|(_, value)| !value.is_null()) {
            if let Some(text) = written.get(key).and_then(Node::text) {
                *value = Value::String(text.to_owned());
            }
        }
    }
    Ok(object)
}

/// The configuration of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The settings.
    pub config: Config,
    /// Where they were read; `None`: nothing was given, all are defaults.
    pub whence: Option<String>,
}

/// The configuration: `functionConfig`, else the file given with `--config`, else the one ScrapeTLS
/// among the inputs, else the defaults.
///
/// # Errors
/// When two candidates of equal standing are there, and when the one that counts is refused.
pub fn choose(
    function_config: Option<Candidate>,
    file: Option<Candidate>,
    inputs: Vec<Candidate>,
) -> Result<Choice, ConfigError> {
    let function_config = function_config.filter(|candidate| !says_nothing(&candidate.object));
    let mut inputs = inputs.into_iter();
    let counts = match (function_config, file) {
        (Some(function_config), Some(file)) => {
            return Err(ConfigError::Twice {
                function_config: function_config.whence,
                file: file.whence,
            });
        }
        (Some(given), None) | (None, Some(given)) => Some(given),
        (None, None) => match (inputs.next(), inputs.next()) {
            (Some(first), Some(second)) => {
                return Err(ConfigError::Two {
                    first: first.whence,
                    second: second.whence,
                });
            }
            (only, _) => only,
        },
    };
    counts.map_or_else(
        || {
            Ok(Choice {
                config: Config::default(),
                whence: None,
            })
        },
        |given| {
            Ok(Choice {
                config: Config::from_value(&given.object, &given.whence)?,
                whence: Some(given.whence),
            })
        },
    )
}

/// Whether an object among the inputs is a configuration: only our own kind, never a ConfigMap. In other capitals it is
/// one that is refused, and not passed on as if nobody had configured anything.
pub fn is_scrape_tls(api_version: &str, kind: &str) -> bool {
    kind.eq_ignore_ascii_case("ScrapeTLS") && api_version.starts_with("istio-scrape.dev/")
}

/// Whether an object configures the function that makes objects.
pub fn is_mesh_metrics(api_version: &str, kind: &str) -> bool {
    kind.eq_ignore_ascii_case("MeshMetrics") && api_version.starts_with("istio-scrape.dev/")
}

fn says_nothing(object: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let is_empty_config_map = || {
        object.get("kind").and_then(Value::as_str) == Some("ConfigMap")
            && object.get("data").is_none_or(is_empty)
    };
    is_empty(object) || is_empty_config_map()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    fn candidate(whence: &str, mode: &str) -> Candidate {
        Candidate {
            whence: whence.to_owned(),
            object: json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS", "spec": {"mode": mode}}),
        }
    }

    fn empty_config_map() -> Candidate {
        Candidate {
            whence: "functionConfig".to_owned(),
            object: json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "function-input"}, "data": {}}),
        }
    }

    #[test]
    fn nothing_given_means_the_defaults() {
        let choice = choose(None, None, vec![]).unwrap();
        assert_eq!(choice.config, Config::default());
        assert_eq!(choice.whence, None);
    }

    #[test]
    fn the_function_config_wins_over_the_inputs() {
        let inputs = vec![candidate("a.yaml", "patch"), candidate("b.yaml", "patch")];
        let choice = choose(Some(candidate("functionConfig", "check")), None, inputs).unwrap();
        assert_eq!(choice.whence.as_deref(), Some("functionConfig"));
    }

    #[test]
    fn an_empty_config_map_counts_as_none() {
        let choice = choose(
            Some(empty_config_map()),
            Some(candidate("c.yaml", "check")),
            vec![],
        )
        .unwrap();
        assert_eq!(choice.whence.as_deref(), Some("c.yaml"));
        let choice = choose(
            Some(empty_config_map()),
            None,
            vec![candidate("a.yaml", "check")],
        )
        .unwrap();
        assert_eq!(choice.whence.as_deref(), Some("a.yaml"));
    }

    #[test]
    fn the_file_wins_over_the_inputs() {
        let choice = choose(
            None,
            Some(candidate("c.yaml", "check")),
            vec![candidate("a.yaml", "patch")],
        )
        .unwrap();
        assert_eq!(choice.whence.as_deref(), Some("c.yaml"));
    }

    #[test]
    fn two_of_equal_standing_are_refused() {
        let both = choose(
            Some(candidate("functionConfig", "check")),
            Some(candidate("c.yaml", "check")),
            vec![],
        );
        assert_snapshot!(both.unwrap_err(), @"the configuration is given twice, in functionConfig and with --config c.yaml; remove one of them");
        let two = choose(
            None,
            None,
            vec![candidate("a.yaml", "patch"), candidate("b.yaml", "patch")],
        );
        assert_snapshot!(two.unwrap_err(), @"two objects of kind ScrapeTLS are among the inputs, a.yaml and b.yaml; remove one of them, or name the one that counts with --config");
    }
}
