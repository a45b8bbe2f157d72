//! What may a setting be where nobody says which of several values counts?
//!
//! Authority: none. Istio knows the one value; an input can show two that contradict each other, or not show whose istiod counts.
//! Departs from nothing: a setting of which one value is possible is known.
//! Knows: what objects of the control plane say. Does not know: what a setting means.

use std::collections::BTreeSet;

use super::Fact;
use crate::model::{ControlPlane, Inventory};

/// A setting with every value that it may have, as spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Exactly one where it is known.
    pub values: BTreeSet<String>,
    /// Whether somebody wrote the known value.
    pub proven: bool,
    /// The evidence.
    pub because: Vec<String>,
}

impl Possible {
    /// What somebody wrote, where that counts.
    pub(super) fn said(value: impl Into<String>, because: impl Into<String>) -> Self {
        Self {
            values: BTreeSet::from([value.into()]),
            proven: true,
            because: vec![because.into()],
        }
    }

    /// What is set for the mesh. Where that is not known it is one of the values that any object says, or `default`.
    pub(super) fn of_mesh<T: ToString>(
        inventory: &Inventory,
        fact: &Fact<T>,
        default: &str,
        said: impl Fn(&ControlPlane) -> Option<T>,
    ) -> Self {
        let values = match &fact.value {
            Some(value) => BTreeSet::from([value.to_string()]),
            None => inventory
                .control_planes
                .iter()
                .filter_map(said)
                .map(|value| value.to_string())
                .chain([default.to_owned()])
                .collect(),
        };
        Self {
            values,
            proven: fact.proven,
            because: fact.because.clone(),
        }
    }

    /// With the value in the evidence, where somebody wrote it.
    pub(super) fn spelled_out(mut self) -> Self {
        if let (Some(value), true) = (self.value().map(str::to_owned), self.proven) {
            for because in &mut self.because {
                because.push_str(&format!(" is {value:?}"));
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
    use crate::policy::fixture::control_plane;

    fn inventory(ports: &[&str]) -> Inventory {
        let said = |list: &&str| ControlPlane {
            exclude_inbound_ports: Some((*list).to_owned()),
            ..control_plane("istio", "default")
        };
        Inventory {
            control_planes: ports.iter().map(said).collect(),
            ..Inventory::default()
        }
    }

    fn excluded(fact: &Fact<String>, said: &[&str]) -> Possible {
        Possible::of_mesh(&inventory(said), fact, "", |plane| {
            plane.exclude_inbound_ports.clone()
        })
    }

    /// What is known stays what it is, whatever else objects say.
    #[test]
    fn known() {
        let known = excluded(&Fact::proven("9090".to_owned(), "said"), &["8080"]);
        assert_eq!((known.value(), known.proven), (Some("9090"), true));
        assert_eq!(known.holds(|value| value == "9090"), Some(true));
    }

    /// What is not known is one of what is said, or the default; that can be enough.
    #[test]
    fn one_of_several() {
        let one_of = excluded(&Fact::unknown("two say it"), &["9090", "9090,8080"]);
        assert_eq!(one_of.value(), None);
        assert_eq!(one_of.holds(|value| value.contains("9090")), None);
        assert_eq!(one_of.holds(|value| value.contains("7070")), Some(false));
    }
}
