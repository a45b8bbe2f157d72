//! Where is an object, for people and for reports?
//!
//! Authority: kyaml's reader annotations (kio/kioutil/kioutil.go): path and index; kustomize's origin annotation
//! (api/resource/origin.go); Helm 4's post-renderers (pkg/action/action.go) and the comments of `helm template`.
//! Departs from them: where they say nothing, the text that was read is the file.
//! Knows: sources, lines, what hosts say of files. Does not know: what the object is for.

use std::fmt;

use super::{Form, Origin, Source};
use crate::yaml::{self, Node};

/// The template of a document, as Helm 4 tells post-renderers.
const HELM_FILE: &str = "postrenderer.helm.sh/postrender-filename";
/// The file of an object, as kustomize tells with `buildMetadata: [originAnnotations]`.
const ORIGIN: &str = "config.kubernetes.io/origin";
/// What `helm template` writes above a document.
const HELM_COMMENT: &str = "# Source: ";

/// Where an object begins, and what it says of itself.
#[derive(Clone, Copy)]
pub(super) struct Spot<'n, 't> {
    start: usize,
    metadata: Option<&'n Node<'t>>,
}

impl<'n, 't> Spot<'n, 't> {
    pub(super) fn new(start: usize, metadata: Option<&'n Node<'t>>) -> Self {
        Self { start, metadata }
    }

    fn annotation(self, name: &str) -> Option<&'n str> {
        let annotations = self.metadata?.get("annotations")?;
        annotations
            .get(name)?
            .text()
            .filter(|text| !text.is_empty())
    }

    fn reader_annotation(self, name: &str) -> Option<&'n str> {
        ["internal.config.kubernetes.io", "config.kubernetes.io"]
            .iter()
            .find_map(|group| self.annotation(&format!("{group}/{name}")))
    }
}

/// Where an object is, in words: `stdin:12 (object 3, named web, of web/deploy.yaml)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    pub(super) fn of(
        source: &Source,
        form: Form,
        line: usize,
        index: usize,
        spot: Spot<'_, '_>,
    ) -> Self {
        let name = spot.metadata.and_then(|metadata| metadata.get("name"));
        let name = name.and_then(Node::text).filter(|name| !name.is_empty());
        Self(format!(
            "{}{} (object {}{}{})",
            source.called(),
            seen(source, form, line).map_or_else(String::new, |line| format!(":{line}")),
            index + 1,
            name.map_or_else(String::new, |name| format!(
                ", named {}",
                name.escape_debug()
            )),
            HostFile::of(source, spot).map_or_else(String::new, |file| format!(
                ", of {}",
                file.name.escape_debug()
            )),
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
    /// The file: as the host names it, or else the source.
    pub file: String,
    /// Position among the objects of the file; 0 where only the host knows it and does not say.
    pub index: usize,
    /// Line in the file; `None` where only the host knows the file, or has printed the text itself.
    pub line: Option<usize>,
    /// Whether the file is in another repository, which `file` names too.
    pub remote: bool,
}

impl Location {
    pub(super) fn of(
        source: &Source,
        form: Form,
        line: usize,
        index: usize,
        spot: Spot<'_, '_>,
    ) -> Self {
        match HostFile::of(source, spot) {
            Some(file) => Self {
                file: file.name,
                index: file.index.unwrap_or(0),
                line: None,
                remote: file.remote,
            },
            None => Self {
                file: source.name.clone(),
                index,
                line: seen(source, form, line),
                remote: false,
            },
        }
    }
}

/// A line that somebody can look up. A host prints a ResourceList into our stdin and nowhere else, and nobody wrote what
/// is printed from a configuration.
pub(super) fn seen(source: &Source, form: Form, line: usize) -> Option<usize> {
    let is_piped_by_a_host = form == Form::ResourceList && source.name == "-";
    match source.origin {
        Origin::Configuration => None,
        Origin::Named | Origin::Folder | Origin::Kustomization => {
            Some(line).filter(|_| !is_piped_by_a_host)
        }
    }
}

/// The file that an object came from before a host printed it.
struct HostFile {
    name: String,
    index: Option<usize>,
    remote: bool,
}

impl HostFile {
    fn of(source: &Source, spot: Spot<'_, '_>) -> Option<Self> {
        let local = |name: &str| Self {
            name: name.to_owned(),
            index: None,
            remote: false,
        };
        let of_a_reader = || {
            let index = spot
                .reader_annotation("index")
                .and_then(|text| text.parse().ok());
            Some(Self {
                index,
                ..local(spot.reader_annotation("path")?)
            })
        };
        of_a_reader()
            .or_else(|| Self::of_kustomize(spot.annotation(ORIGIN)?))
            .or_else(|| spot.annotation(HELM_FILE).map(local))
            .or_else(|| commented(source, spot).map(local))
    }

    /// Of an object that was generated the kustomization with the generator; of a file elsewhere kustomize's own notation
    /// for such.
    fn of_kustomize(origin: &str) -> Option<Self> {
        let documents = yaml::read(origin).ok()?;
        let root = documents.first()?.root.as_ref()?;
        let said = |key| {
            root.get(key)
                .and_then(Node::text)
                .filter(|text| !text.is_empty())
        };
        let path = said("path").or_else(|| said("configuredIn"))?;
        let repository = said("repo");
        let revision = said("ref").map_or_else(String::new, |name| format!("?ref={name}"));
        Some(Self {
            name: repository.map_or_else(
                || path.to_owned(),
                |repository| format!("{repository}//{path}{revision}"),
            ),
            index: None,
            remote: repository.is_some(),
        })
    }
}

/// The template that the comment above a document names. Where the text is a file, that file is what somebody has.
fn commented<'s>(source: &'s Source, spot: Spot<'_, '_>) -> Option<&'s str> {
    let above = source.text.get(..spot.start)?;
    // Whatever begins within a line has no comment right above, and that line may be all of the text.
    if source.name != "-" || !(above.is_empty() || above.ends_with('\n')) {
        return None;
    }
    above
        .lines()
        .rev()
        .take_while(|line| line.is_empty() || line.starts_with('#'))
        .find_map(|line| line.strip_prefix(HELM_COMMENT))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
