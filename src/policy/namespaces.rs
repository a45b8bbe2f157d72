//! What do the labels of a namespace say about the data plane of its pods?
//!
//! Authority: the keys that istio/istio's webhooks and CNI plugin select Namespaces by (see `webhook.rs`).
//! Departs from it: explicit configuration stands for labels that are set outside Git, and wins over those in the input.
//! Knows: Namespaces, configuration. Does not know: pods, webhooks.

use std::borrow::Cow;

use super::settings::{Contradiction, Settings};
use super::webhook::{DATAPLANE_MODE, NAMESPACE_INJECTION};
use super::{Mesh, named};
use crate::config::NamespaceInjection;
use crate::model::{Inventory, Labels, NAMESPACE_NAME_LABEL, Namespace, REVISION};

const INJECTION_LABELS: [&str; 2] = [NAMESPACE_INJECTION, REVISION];

/// The labels of a namespace as far as they are known.
pub(super) struct NamespaceLabels<'a> {
    /// `metadata.name`
    pub(super) name: &'a str,
    /// The labels; of a missing Namespace those that every Namespace of the name has.
    pub(super) labels: Cow<'a, Labels>,
    /// Who says so.
    pub(super) source: Source<'a>,
}

/// Where the labels of a namespace come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// `injection.namespaces` of the configuration.
    Configured(NamespaceInjection),
    /// The Namespace in the input.
    Object(&'a Namespace),
    /// Nobody, for this reason.
    Missing(&'static str),
}

impl<'a> NamespaceLabels<'a> {
    /// Those of the namespace of this name.
    pub(super) fn of(mesh: &Mesh<'a>, name: &'a str) -> Self {
        let object = mesh.inventory.namespaces.get(name);
        let written = object.map(|namespace| &namespace.labels);
        let configured = mesh.settings.namespaces.get(name).copied();
        let source = match (configured, object) {
            (Some(configured), _) => Source::Configured(configured),
            (None, Some(namespace)) => Source::Object(namespace),
            (None, None) => Source::Missing(mesh.inventory.unknown_namespace(name)),
        };
        let mut labels = match (configured, written) {
            // Labels that come to the same may also name a revision.
            (Some(configured), Some(written)) if comes_to(written) != Some(configured) => {
                Cow::Owned(standing_for(configured, written))
            }
            (_, Some(written)) => Cow::Borrowed(written),
            (Some(configured), None) => Cow::Owned(standing_for(configured, &Labels::new())),
            (None, None) => Cow::Owned(Labels::from([(NAMESPACE_NAME_LABEL, name)])),
        };
        if !labels.contains_key(NAMESPACE_NAME_LABEL) {
            labels.to_mut().insert(NAMESPACE_NAME_LABEL, name);
        }
        Self {
            name,
            labels,
            source,
        }
    }

    /// Whether a label asks the injector for a sidecar or forbids one.
    pub(super) fn speaks_of_injection(&self) -> bool {
        INJECTION_LABELS
            .iter()
            .any(|key| self.labels.contains_key(key))
    }

    /// Whether nobody knows the labels.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.source, Source::Missing(_))
    }

    /// Evidence: what is said about injection, or that nothing is.
    pub(super) fn on_injection(&self) -> String {
        self.evidence(|namespace| {
            let said = INJECTION_LABELS
                .iter()
                .find_map(|key| Some((key, namespace.labels.get(key)?)));
            match said {
                Some((key, value)) => format!("{}: {key}={value}", named(&namespace.object)),
                None => format!("{}: no injection label", named(&namespace.object)),
            }
        })
    }

    /// Evidence: that the namespace is in ambient.
    pub(super) fn on_ambient(&self) -> String {
        self.evidence(|namespace| {
            format!(
                "{}: label {DATAPLANE_MODE}=ambient",
                named(&namespace.object)
            )
        })
    }

    fn evidence(&self, of_object: impl Fn(&Namespace) -> String) -> String {
        let name = self.name;
        match self.source {
            Source::Configured(configured) => {
                format!(
                    "injection.namespaces.{name}: {} (configuration)",
                    spelled(configured)
                )
            }
            Source::Object(namespace) => of_object(namespace),
            Source::Missing(why) => format!("Namespace {name} {why}"),
        }
    }
}

/// Namespaces of the input whose labels say something else than `injection.namespaces`, which counts.
pub fn namespaces_contradicted(inventory: &Inventory, settings: &Settings) -> Vec<Contradiction> {
    let differing = settings.namespaces.iter().filter_map(|(name, configured)| {
        let namespace = inventory.namespaces.get(name)?;
        let written = comes_to(&namespace.labels)?;
        (written != *configured).then_some((namespace, written, configured))
    });
    differing
        .map(|(namespace, written, configured)| Contradiction {
            object: namespace.object.clone(),
            what: format!(
                "its labels come to \"{}\", injection.namespaces of the configuration says \"{}\", which counts; make them agree",
                spelled(written),
                spelled(*configured)
            ),
        })
        .collect()
}

/// What labels with a meaning for injection come to for pods that say nothing; `None`: there are no such labels.
fn comes_to(labels: &Labels) -> Option<NamespaceInjection> {
    let label = |key: &str| labels.get(key);
    let injected = match (label(NAMESPACE_INJECTION), label(REVISION)) {
        (Some(value), _) => Some(value == "enabled"),
        (None, revision) => revision.map(|_| true),
    };
    match (injected, label(DATAPLANE_MODE)) {
        (Some(true), _) => Some(NamespaceInjection::Sidecar),
        (_, Some("ambient")) => Some(NamespaceInjection::Ambient),
        (Some(false), _) | (None, Some(_)) => Some(NamespaceInjection::None),
        (None, None) => None,
    }
}

/// The labels that configuration stands for, beside what is written and means something else to webhooks.
fn standing_for(configured: NamespaceInjection, written: &Labels) -> Labels {
    let mut labels = written.clone();
    labels.retain(|key| ![NAMESPACE_INJECTION, REVISION, DATAPLANE_MODE].contains(&key));
    let label = match configured {
        NamespaceInjection::Sidecar => Some((NAMESPACE_INJECTION, "enabled")),
        NamespaceInjection::Ambient => Some((DATAPLANE_MODE, "ambient")),
        NamespaceInjection::None => None,
    };
    labels.extend(label);
    labels
}

fn spelled(injection: NamespaceInjection) -> &'static str {
    match injection {
        NamespaceInjection::Sidecar => "sidecar",
        NamespaceInjection::Ambient => "ambient",
        NamespaceInjection::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::policy::fixture::{inventory, namespace};

    fn contradicted(labels: &[(&str, &str)], configured: NamespaceInjection) -> Vec<Contradiction> {
        let config = Config {
            namespaces: [("shop".to_owned(), configured)].into(),
            ..Config::default()
        };
        let inventory = inventory(
            vec![namespace("shop", labels), namespace("other", labels)],
            Vec::new(),
        );
        namespaces_contradicted(&inventory, &Settings::of(&inventory, &config))
    }

    #[test]
    fn a_label_that_comes_to_something_else_contradicts() {
        use NamespaceInjection::{Ambient, None as Nothing, Sidecar};
        let enabled = (NAMESPACE_INJECTION, "enabled");
        let disabled = (NAMESPACE_INJECTION, "disabled");
        let ambient = (DATAPLANE_MODE, "ambient");
        for (labels, says) in [
            (&[enabled][..], Sidecar),
            (&[(REVISION, "canary")], Sidecar),
            (&[enabled, ambient], Sidecar),
            (&[disabled], Nothing),
            (&[disabled, (REVISION, "canary")], Nothing),
            (&[disabled, ambient], Ambient),
            (&[ambient], Ambient),
            (&[(DATAPLANE_MODE, "none")], Nothing),
        ] {
            for configured in [Sidecar, Ambient, Nothing] {
                let found = contradicted(labels, configured).len();
                let expected = usize::from(configured != says);
                assert_eq!(found, expected, "{labels:?} {configured:?}");
            }
        }
    }

    #[test]
    fn labels_without_that_meaning_contradict_nothing() {
        for configured in [
            NamespaceInjection::Sidecar,
            NamespaceInjection::Ambient,
            NamespaceInjection::None,
        ] {
            assert_eq!(contradicted(&[("team", "a")], configured), []);
        }
    }

    #[test]
    fn a_contradiction_names_the_namespace_and_both_sayings() {
        let found = contradicted(
            &[(NAMESPACE_INJECTION, "enabled")],
            NamespaceInjection::None,
        );
        assert_eq!(found[0].object.to_string(), "Namespace shop");
        assert_eq!(
            found[0].what,
            "its labels come to \"sidecar\", injection.namespaces of the configuration says \"none\", which counts; make them agree"
        );
    }
}
