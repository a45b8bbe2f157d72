//! Where is an object, for people and for reports?
//!
//! Authority: kyaml's reader annotations (kio/kioutil/kioutil.go): path and index.
//! Departs from nothing.
//! Knows: sources, lines, those annotations. Does not know: what the object is for.

use std::fmt;

use super::{Origin, Source};
use crate::yaml::Node;

/// Where an object is, in words: `stdin:12 (object 3, named web, of web/deploy.yaml)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    pub(super) fn of(source: &Source, line: usize, index: usize, node: &Node<'_>) -> Self {
        let name = node
            .get("metadata")
            .and_then(|metadata| metadata.get("name"));
        let name = name.and_then(Node::text).filter(|name| !name.is_empty());
        let line = match source.origin {
            Origin::Configuration => String::new(),
            Origin::Named | Origin::Folder | Origin::Kustomization => format!(":{line}"),
        };
        Self(format!(
            "{}{line} (object {}{}{})",
            source.called(),
            index + 1,
            name.map_or_else(String::new, |name| format!(
                ", named {}",
                name.escape_debug()
            )),
            annotation(node, "path")
                .map_or_else(String::new, |path| format!(", of {}", path.escape_debug())),
        ))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an object is, for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file: as the host's annotations name it, or else the source.
    pub file: String,
    /// Position among the objects of the file.
    pub index: usize,
    /// Line in the file; `None` where only the host knows the file.
    pub line: Option<usize>,
}

impl Location {
    pub(super) fn of(source: &Source, line: usize, index: usize, node: &Node<'_>) -> Self {
        match annotation(node, "path") {
            Some(path) => Self {
                file: path.to_owned(),
                index: annotation(node, "index")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0),
                line: None,
            },
            None => Self {
                file: source.name.clone(),
                index,
                line: Some(line).filter(|_| source.origin != Origin::Configuration),
            },
        }
    }
}

fn annotation<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n str> {
    let annotations = node.get("metadata")?.get("annotations")?;
    ["internal.config.kubernetes.io", "config.kubernetes.io"]
        .iter()
        .find_map(|group| annotations.get(&format!("{group}/{name}"))?.text())
        .filter(|text| !text.is_empty())
}
