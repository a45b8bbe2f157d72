//! What do the tests of this folder put into a mesh?
//!
//! Authority: none, test data.
//! Departs from nothing.
//! Knows: how to write objects shortly. Does not know: what is expected of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::injector::IGNORED_NAMESPACES;
use super::webhook::{INJECT, NAMESPACE_INJECTION};
use super::{Mesh, Settings};
use crate::config::Config;
use crate::model::LabelSelector;
use crate::model::{
    Container, ControlPlane, InjectorWebhook, InjectorWebhooks, Inventory, Labels, MtlsMode,
    NAMESPACE_NAME_LABEL, Namespace, Object, PeerAuthentication, PodsKnown, REVISION, Workload,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

pub(super) const ROOT: &str = "root-namespace";

pub(super) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

pub(super) fn object(kind: &str, namespace: &str, name: &str) -> Object {
    Object {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        api_version: String::new(),
        item: 0,
        namespace_assumed: false,
        ignored: false,
        local: false,
        context: false,
        accepted: Vec::new(),
    }
}

/// Deployment `web`.
pub(super) fn workload(namespace: &str, pod_labels: &[(&str, &str)]) -> Workload {
    let object = object("Deployment", namespace, "web");
    Workload::of_labels(object, labels(pod_labels), PodsKnown::Template)
}

pub(super) fn annotated(pairs: &[(&str, &str)]) -> Workload {
    Workload {
        annotations: labels(pairs),
        ..workload("shop", &[])
    }
}

pub(super) fn container(name: &str, image: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        init: false,
        ports: Vec::new(),
    }
}

pub(super) fn namespace(name: &str, pairs: &[(&str, &str)]) -> Namespace {
    Namespace {
        object: object("Namespace", "", name),
        labels: labels(pairs),
    }
}

pub(super) fn policy(namespace: &str, name: &str, mode: Option<MtlsMode>) -> PeerAuthentication {
    PeerAuthentication {
        object: object("PeerAuthentication", namespace, name),
        revision: None,
        created: None,
        selector: Labels::new(),
        selector_written: false,
        mode,
        ports: BTreeMap::new(),
        refused: Vec::new(),
    }
}

impl PeerAuthentication {
    pub(super) fn selecting(self, pairs: &[(&str, &str)]) -> Self {
        Self {
            selector: labels(pairs),
            selector_written: true,
            ..self
        }
    }

    pub(super) fn port(mut self, port: u16, mode: Option<MtlsMode>) -> Self {
        self.ports.insert(port, mode);
        self
    }

    pub(super) fn created(self, time: &str) -> Self {
        Self {
            created: Some(time.to_owned()),
            ..self
        }
    }

    pub(super) fn refused(self, why: &str) -> Self {
        Self {
            refused: vec![why.to_owned()],
            ..self
        }
    }
}

/// ConfigMap `name` in istio-system, which says nothing yet.
pub(super) fn control_plane(name: &str, revision: &str) -> crate::model::ControlPlane {
    crate::model::ControlPlane::silent(object("ConfigMap", "istio-system", name), revision)
}

/// A mesh of which these objects say something, and its settings.
pub(super) fn said_by(control_planes: Vec<crate::model::ControlPlane>) -> (Inventory, Settings) {
    let inventory = Inventory {
        control_planes,
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    (inventory, settings)
}

/// ProxyConfig `name` with this environment.
pub(super) fn proxy_config(
    namespace: &str,
    name: &str,
    environment: &[(&str, &str)],
) -> crate::model::ProxyConfig {
    crate::model::ProxyConfig {
        object: object("ProxyConfig", namespace, name),
        selector: None,
        environment: labels(environment),
    }
}

/// As reading has them; within a namespace the order stays.
pub(super) fn in_order_of_namespaces(policies: &mut [PeerAuthentication]) {
    policies.sort_by(|one, other| one.object.namespace.cmp(&other.object.namespace));
}

pub(super) fn inventory(
    namespaces: Vec<Namespace>,
    mut policies: Vec<PeerAuthentication>,
) -> Inventory {
    in_order_of_namespaces(&mut policies);
    let namespaces = namespaces
        .into_iter()
        .map(|namespace| (namespace.object.name.clone(), namespace))
        .collect();
    Inventory {
        namespaces,
        policies,
        ..Inventory::default()
    }
}

pub(super) fn mesh(inventory: &Inventory) -> Mesh<'_> {
    static SETTINGS: LazyLock<Settings> = LazyLock::new(|| settings(None));
    Mesh {
        inventory,
        settings: &SETTINGS,
    }
}

/// What is set where only the root namespace, and perhaps a mode for the mesh, are configured.
pub(super) fn settings(mesh_mode: Option<MtlsMode>) -> Settings {
    let config = Config {
        root_namespace: Some(ROOT.to_owned()),
        mesh_mode,
        ..Config::default()
    };
    Settings::of(&Inventory::default(), &config)
}

/// A selector of such requirements: key, operator, values.
pub(super) fn selector(requirements: &[(&str, &str, &[&str])]) -> LabelSelector {
    let expression = |(key, operator, values): &(&str, &str, &[&str])| LabelSelectorRequirement {
        key: (*key).to_owned(),
        operator: (*operator).to_owned(),
        values: (!values.is_empty())
            .then(|| values.iter().map(|value| (*value).to_owned()).collect()),
    };
    LabelSelector {
        match_expressions: Some(requirements.iter().map(expression).collect()),
        ..LabelSelector::default()
    }
}

/// The webhooks that istio/istio's chart renders for a revision (mutatingwebhook.yaml), or for a tag of it (revision-tags-mwc.yaml).
pub(super) fn injector(revision: &str, tag: Option<&str>) -> InjectorWebhooks {
    let name = tag.unwrap_or(revision);
    let absent = |key| (key, "DoesNotExist", &[][..]);
    let not_declined = (INJECT, "NotIn", &["false"][..]);
    let webhook = |prefix: &str, namespaces, pods| InjectorWebhook {
        name: format!("{prefix}.sidecar-injector.istio.io"),
        namespaces,
        pods,
    };
    let mut webhooks = vec![
        webhook(
            "rev.namespace",
            selector(&[(REVISION, "In", &[name]), absent(NAMESPACE_INJECTION)]),
            selector(&[not_declined]),
        ),
        webhook(
            "rev.object",
            selector(&[absent(REVISION), absent(NAMESPACE_INJECTION)]),
            selector(&[not_declined, (REVISION, "In", &[name])]),
        ),
    ];
    if name == "default" {
        webhooks.extend([
            webhook(
                "namespace",
                selector(&[(NAMESPACE_INJECTION, "In", &["enabled"])]),
                selector(&[not_declined]),
            ),
            webhook(
                "object",
                selector(&[absent(REVISION), absent(NAMESPACE_INJECTION)]),
                selector(&[(INJECT, "In", &["true"]), absent(REVISION)]),
            ),
        ]);
    }
    let object_name = match (tag, revision) {
        (Some(tag), _) => format!("istio-revision-tag-{tag}"),
        (None, "default") => "istio-sidecar-injector".to_owned(),
        (None, revision) => format!("istio-sidecar-injector-{revision}"),
    };
    InjectorWebhooks {
        object: object("MutatingWebhookConfiguration", "", &object_name),
        revision: revision.to_owned(),
        tag: tag.map(str::to_owned),
        webhooks,
    }
}

/// The same with `enableNamespacesByDefault`.
pub(super) fn injector_of_all_namespaces(revision: &str, tag: Option<&str>) -> InjectorWebhooks {
    let mut injector = injector(revision, tag);
    let absent = |key| (key, "DoesNotExist", &[][..]);
    injector.webhooks.push(InjectorWebhook {
        name: "auto.sidecar-injector.istio.io".to_owned(),
        namespaces: selector(&[
            absent(NAMESPACE_INJECTION),
            absent(REVISION),
            (NAMESPACE_NAME_LABEL, "NotIn", IGNORED_NAMESPACES),
        ]),
        pods: selector(&[absent(INJECT), absent(REVISION)]),
    });
    injector
}

/// ConfigMap `istio-sidecar-injector` of a revision, which says nothing yet.
pub(super) fn injector_config(revision: &str) -> ControlPlane {
    let name = match revision {
        "default" => "istio-sidecar-injector".to_owned(),
        revision => format!("istio-sidecar-injector-{revision}"),
    };
    ControlPlane::silent(object("ConfigMap", "istio-system", &name), revision)
}
