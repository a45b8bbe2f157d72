//! Does the istiod that the pods obey read an object: a policy, a Sidecar?
//!
//! Authority: `LabelsInRevision`, istio/istio pkg/config/model.go, which pilot/pkg/config/kube/crdclient/client.go and the ambient index ask about every object.
//! Departs from it: a name of which the input shows nothing may be a tag, so only a revision that some object shows keeps another one's policies out; an istiod without revision, which reads all, is installed by no chart.
//! Knows: the label `istio.io/rev` of objects, names of revisions and tags. Does not know: levels, selectors, modes.

use std::collections::BTreeSet;

use super::{DataPlane, Mesh, injection};
use crate::model::{Inventory, PeerAuthentication, Workload};

/// Whether an istiod reads an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// No: it is labelled for another one.
    No,
    /// It is labelled for one, and which one the pods obey is not known.
    Possibly,
    /// Yes.
    Yes,
}

/// The istiod that the pods of a workload obey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Istiod<'a> {
    /// Its revision, perhaps; `None`: nothing says which.
    pub(super) revision: Option<String>,
    /// Revisions of which an object of the input shows that they are installed.
    installed: BTreeSet<&'a str>,
    /// Names that stand for another revision.
    tags: BTreeSet<&'a str>,
}

impl<'a> Istiod<'a> {
    /// That of the pods. Only injection ties pods to a revision, so ambient ones, and those of whose injection nobody
    /// knows, obey the only one that is installed, if it is the only one.
    pub(super) fn of(mesh: &Mesh<'a>, pods: &Workload) -> Self {
        let in_ambient = injection::data_plane(mesh, pods).fact.value == Some(DataPlane::Ambient);
        let by_injection = injection::revision(mesh, pods).filter(|_| !in_ambient);
        let installed = installed(mesh.inventory);
        let only = match installed.iter().collect::<Vec<_>>().as_slice() {
            [only] => Some((**only).to_owned()),
            _ => None,
        };
        Self {
            revision: by_injection.or(only),
            installed,
            tags: tags(mesh.inventory),
        }
    }

    /// Whether it reads an object by the label `istio.io/rev`: those without, and those of its own revision. The label
    /// counts to the letter, a tag in it stands for nothing.
    pub(super) fn reads(&self, label: Option<&str>) -> Reads {
        let Some(label) = label else {
            return Reads::Yes;
        };
        if label.is_empty() || (self.tags.contains(label) && !self.installed.contains(label)) {
            return Reads::No;
        }
        let Some(own) = self.revision.as_deref() else {
            return Reads::Possibly;
        };
        let is_shown = self.installed.contains(own);
        match own == label {
            // Where objects show other revisions only, the name may be a tag for one of them.
            true if is_shown || self.installed.is_empty() => Reads::Yes,
            true => Reads::Possibly,
            false if is_shown => Reads::No,
            // `istio-injection: enabled` means `default`, and that is often a tag.
            false => Reads::Possibly,
        }
    }
}

/// The revisions of the control planes and injectors in the input.
fn installed(inventory: &Inventory) -> BTreeSet<&str> {
    let planes = inventory.control_planes.iter();
    let injectors = inventory.injectors.iter();
    planes
        .map(|plane| plane.revision.as_str())
        .chain(injectors.map(|injector| injector.revision.as_str()))
        .collect()
}

/// The tags in the input, but for those that are called as the revision they stand for.
fn tags(inventory: &Inventory) -> BTreeSet<&str> {
    let stands_for = |name: &str, revision: &str| name != revision;
    inventory
        .injectors
        .iter()
        .filter_map(|injector| Some((injector.tag.as_deref()?, injector.revision.as_str())))
        .filter(|(tag, revision)| stands_for(tag, revision))
        .map(|(tag, _)| tag)
        .collect()
}

/// The revision that a tag in a policy's label was meant for; `None`: the label is no tag.
pub fn meant_by_tag<'i>(inventory: &'i Inventory, policy: &PeerAuthentication) -> Option<&'i str> {
    let label = policy.revision.as_deref()?;
    if installed(inventory).contains(label) {
        return None;
    }
    inventory
        .injectors
        .iter()
        .find(|injector| injector.tag.as_deref() == Some(label))
        .map(|injector| injector.revision.as_str())
}

/// The revision that the pods obey instead of the one that a policy is labelled for; `None`: their istiod reads the
/// policy, or may read it.
pub fn obeyed_instead(
    mesh: &Mesh<'_>,
    policy: &PeerAuthentication,
    pods: &Workload,
) -> Option<String> {
    let istiod = Istiod::of(mesh, pods);
    match istiod.reads(policy.revision.as_deref()) {
        Reads::No => istiod.revision,
        Reads::Possibly | Reads::Yes => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ControlPlane, InjectorWebhooks};
    use crate::policy::fixture::{inventory, mesh, namespace, workload};

    fn injector(revision: &str, tag: Option<&str>) -> InjectorWebhooks {
        InjectorWebhooks {
            object: namespace("injector", &[]).object,
            revision: revision.to_owned(),
            tag: tag.map(str::to_owned),
            webhooks: Vec::new(),
        }
    }

    fn plane(revision: &str) -> ControlPlane {
        ControlPlane::silent(namespace("plane", &[]).object, revision)
    }

    /// Whether a policy labelled for a revision is read by the istiod of pods in a namespace with this label.
    fn reads(
        label: Option<&str>,
        of_namespace: (&str, &str),
        planes: &[&str],
        injectors: &[(&str, Option<&str>)],
    ) -> Reads {
        let mut inventory = inventory(vec![namespace("shop", &[of_namespace])], Vec::new());
        inventory.control_planes = planes.iter().map(|revision| plane(revision)).collect();
        inventory.injectors = injectors
            .iter()
            .map(|(revision, tag)| injector(revision, *tag))
            .collect();
        Istiod::of(&mesh(&inventory), &workload("shop", &[])).reads(label)
    }

    const REVISED: (&str, &str) = ("istio.io/rev", "1-20");
    const ENABLED: (&str, &str) = ("istio-injection", "enabled");
    const AMBIENT: (&str, &str) = ("istio.io/dataplane-mode", "ambient");

    /// pkg/config/model.go `LabelsInRevision`.
    #[test]
    fn only_the_own_revision_and_none_are_read() {
        for (label, expected) in [
            (None, Reads::Yes),
            (Some("1-20"), Reads::Yes),
            (Some("1-21"), Reads::No),
            (Some("default"), Reads::No),
            (Some(""), Reads::No),
        ] {
            assert_eq!(reads(label, REVISED, &["1-20"], &[]), expected, "{label:?}");
        }
    }

    #[test]
    fn a_tag_in_the_label_stands_for_nothing() {
        let injectors = [("1-20", None), ("1-20", Some("stable"))];
        let namespace = ("istio.io/rev", "stable");
        assert_eq!(reads(Some("stable"), namespace, &[], &injectors), Reads::No);
        assert_eq!(reads(Some("1-20"), namespace, &[], &injectors), Reads::Yes);
        assert_eq!(reads(Some("1-21"), namespace, &[], &injectors), Reads::No);
    }

    #[test]
    fn the_default_revision_may_be_called_otherwise() {
        assert_eq!(reads(Some("1-20"), ENABLED, &[], &[]), Reads::Possibly);
        assert_eq!(reads(Some("default"), ENABLED, &[], &[]), Reads::Yes);
        assert_eq!(reads(Some("1-20"), ENABLED, &["default"], &[]), Reads::No);
        let tagged = [("1-20", Some("default"))];
        assert_eq!(reads(Some("1-20"), ENABLED, &[], &tagged), Reads::Yes);
        assert_eq!(reads(Some("default"), ENABLED, &[], &tagged), Reads::No);
        // Only 1-20 is shown: `default` may be a tag for it.
        assert_eq!(
            reads(Some("default"), ENABLED, &["1-20"], &[]),
            Reads::Possibly
        );
    }

    #[test]
    fn a_name_of_which_nothing_is_shown_may_be_a_tag() {
        assert_eq!(reads(Some("1-19"), REVISED, &[], &[]), Reads::Possibly);
        assert_eq!(reads(Some("1-20"), REVISED, &[], &[]), Reads::Yes);
    }

    #[test]
    fn pods_without_sidecar_obey_the_only_istiod() {
        assert_eq!(reads(Some("1-20"), AMBIENT, &[], &[]), Reads::Possibly);
        assert_eq!(reads(Some("1-20"), AMBIENT, &["1-20"], &[]), Reads::Yes);
        assert_eq!(reads(Some("1-21"), AMBIENT, &["1-20"], &[]), Reads::No);
        let two = ["1-20", "1-21"];
        assert_eq!(reads(Some("1-21"), AMBIENT, &two, &[]), Reads::Possibly);
        assert_eq!(reads(None, AMBIENT, &two, &[]), Reads::Yes);
    }
}
