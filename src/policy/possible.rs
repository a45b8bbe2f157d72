//! What may a setting be where nobody says which of several values counts?
//!
//! Authority: none. Istio knows the one value; an input can show two that contradict each other, or not show whose istiod counts.
//! Departs from nothing: a setting of which one value is possible is known.
//! Knows: what objects of the control plane say. Does not know: what a setting means.

use std::collections::BTreeSet;

use super::{Fact, Mesh, annotations, injection};
use crate::model::{ControlPlane, Setting, Workload};

/// A setting with every value that it may have, as spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Exactly one where it is known; none: it may be anything.
    pub values: BTreeSet<String>,
    /// Whether somebody wrote the known value, for these pods for certain.
    pub proven: bool,
    /// Whether somebody wrote it, for these pods or others.
    pub written: bool,
    /// The evidence.
    pub because: Vec<String>,
}

impl Possible {
    /// What somebody wrote, where that counts.
    pub(super) fn said(value: impl Into<String>, because: impl Into<String>) -> Self {
        Self {
            values: BTreeSet::from([value.into()]),
            proven: true,
            written: true,
            because: vec![because.into()],
        }
    }

    /// What is set for the mesh of some pods: anything, where an object says it and nobody can read it. Where that is not
    /// known it is one of the values that the objects of their revision say; of a revision that nobody shows, or knows,
    /// one that any object says, or `default`.
    pub(super) fn of_mesh<T: ToString>(
        mesh: &Mesh<'_>,
        pods: &Workload,
        (setting, fact): (&Setting, &Fact<T>),
        default: &str,
        said: impl Fn(&ControlPlane) -> Option<T>,
    ) -> Self {
        let revision = injection::revision(mesh, pods);
        let values = match &fact.value {
            Some(value) => BTreeSet::from([value.to_string()]),
            None => {
                let planes = mesh.inventory.control_planes.iter();
                let obeyed = |plane: &&ControlPlane| Some(&plane.revision) == revision.as_ref();
                let (own, others): (Vec<_>, Vec<_>) = planes.partition(obeyed);
                let (planes, default) = match own.is_empty() {
                    true => (others, Some(default.to_owned())),
                    false => (own, None),
                };
                match planes.iter().any(|plane| plane.hides(setting)) {
                    true => BTreeSet::new(),
                    false => {
                        let said = planes.into_iter().filter_map(said);
                        said.map(|value| value.to_string()).chain(default).collect()
                    }
                }
            }
        };
        Self {
            values,
            // Pods of which nobody knows the revision may obey one that is not shown.
            proven: fact.proven && revision.is_some(),
            written: fact.proven,
            because: fact.because.clone(),
        }
    }

    /// With the value in the evidence, where somebody wrote it.
    pub(super) fn spelled_out(mut self) -> Self {
        if let (Some(value), true) = (self.value().map(str::to_owned), self.written) {
            for because in &mut self.because {
                because.push_str(&format!(" is {}", annotations::quoted(&value)));
            }
        }
        self
    }

    /// The value, if it is known.
    pub fn value(&self) -> Option<&str> {
        let mut values = self.values.iter();
        match (values.next(), values.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// Whether something is true of the value; `None` where it depends on which it is.
    pub fn holds(&self, test: impl Fn(&str) -> bool) -> Option<bool> {
        let mut answers = self.values.iter().map(|value| test(value));
        let first = answers.next()?;
        answers.all(|answer| answer == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{control_plane, said_by, workload};

    /// What `excludeInboundPorts` may be for pods of a revision, where objects say this of revisions.
    fn excluded(revision: &str, said: &[(&str, &str)]) -> Possible {
        let planes = said.iter().map(|(revision, list)| ControlPlane {
            exclude_inbound_ports: Some((*list).to_owned()),
            ..control_plane("istio", revision)
        });
        let (inventory, settings) = said_by(planes.collect());
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        let pods = match revision {
            "" => workload("shop", &[]),
            revision => workload("shop", &[("istio.io/rev", revision)]),
        };
        let fact = &mesh.settings_of(&pods).exclude_inbound_ports;
        let setting = (&Setting::ExcludeInboundPorts, fact);
        Possible::of_mesh(&mesh, &pods, setting, "", |plane| {
            plane.exclude_inbound_ports.clone()
        })
    }

    fn values(possible: &Possible) -> Vec<&str> {
        possible.values.iter().map(String::as_str).collect()
    }

    /// What is known stays what it is, whatever is said to others.
    #[test]
    fn known() {
        let known = excluded("old", &[("old", "9090"), ("new", "8080")]);
        assert_eq!((known.value(), known.proven), (Some("9090"), true));
        assert_eq!(known.holds(|value| value == "9090"), Some(true));
        assert_eq!(known.spelled_out().because.len(), 1);
    }

    /// Objects of one revision that disagree leave one of what they say.
    #[test]
    fn contradicted() {
        let said = [("old", "9090"), ("old", "9090,8080"), ("new", "7070")];
        let one_of = excluded("old", &said);
        assert_eq!(values(&one_of), ["9090", "9090,8080"]);
        assert_eq!(one_of.value(), None);
        assert!(!one_of.proven);
        assert_eq!(one_of.holds(|value| value.contains("8080")), None);
        assert_eq!(one_of.holds(|value| value.contains("9090")), Some(true));
    }

    /// An istiod that nobody shows may be set up like any that is shown, or like the charts do.
    #[test]
    fn not_shown() {
        let said = [("old", "9090"), ("new", "8080")];
        for revision in ["", "third"] {
            assert_eq!(values(&excluded(revision, &said)), ["", "8080", "9090"]);
        }
    }

    /// What an object says and nobody can read may be anything, whatever another object says.
    #[test]
    fn not_readable() {
        let hiding = ControlPlane {
            unreadable: [Setting::ExcludeInboundPorts].into(),
            ..control_plane("istio", "old")
        };
        let other = ControlPlane {
            exclude_inbound_ports: Some("9090".to_owned()),
            ..control_plane("other", "old")
        };
        let (inventory, settings) = said_by(vec![hiding, other]);
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        for revision in ["old", "third"] {
            let pods = workload("shop", &[("istio.io/rev", revision)]);
            let fact = &mesh.settings_of(&pods).exclude_inbound_ports;
            let setting = (&Setting::ExcludeInboundPorts, fact);
            let any = Possible::of_mesh(&mesh, &pods, setting, "", |plane| {
                plane.exclude_inbound_ports.clone()
            });
            assert_eq!((values(&any), any.proven), (vec![], false));
            assert_eq!((any.value(), any.holds(|_| true)), (None, None));
        }
    }
}
