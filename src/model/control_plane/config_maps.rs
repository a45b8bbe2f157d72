//! What do the ConfigMaps of an installed istiod say?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery templates/configmap.yaml (`istio`, key `mesh`) and istiod-injector-configmap.yaml (`istio-sidecar-injector`, keys `config` and `values`); names as in istioctl/pkg/util/constants.go.
//! Departs from it: a text that is no YAML is reported, and what it says is not known; injection templates are not read.
//! Knows: the two ConfigMaps of each revision. Does not know: others.

use serde_json::Value;

use super::slots::INJECTOR_POLICY;
use super::{ControlPlane, DEFAULT_REVISION, Setting, helm_values, mesh_config, set};
use crate::model::field::{Field, Problem, noted};
use crate::model::metadata::{self, REVISION};
use crate::model::{Object, embedded};
use crate::yaml::Json;

const INJECTOR: &str = "istio-sidecar-injector";
const ISTIO: &str = "istio";

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum ConfigMap {
    /// `istio`, `istio-<revision>`.
    Mesh,
    /// `istio-sidecar-injector`, `istio-sidecar-injector-<revision>`.
    Injector,
}

impl ConfigMap {
    /// Which of the two may go by this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        if suffix(name, INJECTOR).is_some() {
            Some(Self::Injector)
        } else {
            suffix(name, ISTIO).map(|_| Self::Mesh)
        }
    }

    /// Whether a ConfigMap of this name has the keys that make it Istio's.
    pub(super) fn recognises(self, value: &Json<'_>) -> bool {
        let has = |key: &str| {
            let text = value.get_below(&["data", key]);
            text.is_some_and(|text| !text.is_null())
        };
        match self {
            Self::Mesh => has("mesh"),
            Self::Injector => has("config") || has("values"),
        }
    }

    pub(super) fn read(
        self,
        object: Object,
        root: &Field<'_>,
        problems: &mut Vec<Problem>,
    ) -> ControlPlane {
        let revision = self.revision(&object.name, root, problems);
        let mut plane = ControlPlane::silent(object, revision);
        let Some(data) = noted(root.key("data"), problems) else {
            return plane;
        };
        match self {
            Self::Mesh => {
                let understood = inside(&data, "mesh", problems, |mesh, problems| {
                    mesh_config::add(&mut plane, mesh, problems);
                });
                if !understood {
                    mesh_config::hide(&mut plane);
                }
            }
            Self::Injector => {
                let understood = inside(&data, "values", problems, |values, problems| {
                    helm_values::add_injection(&mut plane, values, problems);
                });
                if !understood {
                    let settings = Setting::OF_PROXY.into_iter();
                    plane.unreadable.extend(settings.chain(Setting::OF_WEBHOOK));
                }
                // What the injector itself reads: made from the values, but changed by hand now and then.
                let understood = inside(&data, "config", problems, |config, problems| {
                    let policy = mesh_config::text(config, "policy");
                    set(&mut plane, INJECTOR_POLICY, policy, problems);
                    helm_values::add_selectors(&mut plane, config, problems);
                });
                if !understood {
                    plane.unreadable.extend(Setting::OF_INJECTOR);
                }
            }
        }
        plane
    }

    fn revision(self, name: &str, root: &Field<'_>, problems: &mut Vec<Problem>) -> String {
        let labels = noted(metadata::labels(root), problems).unwrap_or_default();
        let stem = match self {
            Self::Mesh => ISTIO,
            Self::Injector => INJECTOR,
        };
        labels
            .get(REVISION)
            .filter(|revision| !revision.is_empty())
            .or_else(|| suffix(name, stem).filter(|revision| !revision.is_empty()))
            .unwrap_or(DEFAULT_REVISION)
            .to_owned()
    }
}

/// What follows the stem and a dash; empty for the stem alone.
fn suffix<'n>(name: &'n str, stem: &str) -> Option<&'n str> {
    match name.strip_prefix(stem)? {
        "" => Some(""),
        rest => rest.strip_prefix('-'),
    }
}

/// Reads the YAML in a key, and tells whether it is any. Its problems are problems of the key, with the way inside it in
/// the text.
fn inside(
    data: &Field<'_>,
    key: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&Field<'_>, &mut Vec<Problem>),
) -> bool {
    let Some(field) = noted(data.key(key), problems) else {
        return false;
    };
    let text = match noted(field.string(), problems) {
        None => return false,
        Some(None) => return true,
        Some(Some(text)) => text,
    };
    match embedded(text) {
        Err(error) => {
            problems.push(field.problem(format!("its text is no YAML: {error}")));
            return false;
        }
        Ok(Value::Null) => {}
        Ok(value) => {
            let mut found = Vec::new();
            read(&Field::root(&(&value).into()), &mut found);
            problems.extend(found.into_iter().map(|problem| {
                field.problem(match problem.at.is_root() {
                    true => problem.text,
                    false => format!("{}: {}", problem.at, problem.text),
                })
            }));
        }
    }
    true
}

#[cfg(test)]
mod tests;
