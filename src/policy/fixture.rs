//! What do the tests of this folder put into a mesh?
//!
//! Authority: none, test data.
//! Departs from nothing.
//! Knows: how to write objects shortly. Does not know: what is expected of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Mesh, Settings};
use crate::config::Config;
use crate::model::{
    Container, Inventory, Labels, MtlsMode, Namespace, Object, PeerAuthentication, PodsKnown,
    Workload,
};

pub(super) const ROOT: &str = "root-namespace";

pub(super) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn object(kind: &str, namespace: &str, name: &str) -> Object {
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
    Workload {
        object: object("Deployment", namespace, "web"),
        labels: labels(pod_labels),
        annotations: Labels::new(),
        service_account: "default".to_owned(),
        host_network: false,
        containers: Vec::new(),
        known: PodsKnown::Template,
    }
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
        mode,
        ports: BTreeMap::new(),
        refused: Vec::new(),
    }
}

impl PeerAuthentication {
    pub(super) fn selecting(self, pairs: &[(&str, &str)]) -> Self {
        Self {
            selector: labels(pairs),
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

pub(super) fn inventory(
    namespaces: Vec<Namespace>,
    policies: Vec<PeerAuthentication>,
) -> Inventory {
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
