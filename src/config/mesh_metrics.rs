//! Which settings has MeshMetrics, what does each do, what may it be, and what is it if nobody says?
//!
//! Authority: ourselves. Reading, messages, JSON Schema and the manual's table all come from here or are held against it.
//! Departs from nothing.
//! Knows: every setting of MeshMetrics. Does not know: how objects are read, which objects are made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::{Catalog, Configured, Setting, Takes, Unsaid, value, word};
use super::values::{DNS_LABEL_MAX, is_dns_label};
use super::{Cardinality, Component, Problem, ProxyPort, Style, Wrong};

/// The settings of objects that scrape Istio itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshMetrics {
    /// `metadata.name`, with which the names of all objects begin.
    pub name: String,
    /// `style`
    pub style: Style,
    /// `namespace` of the objects; `None`: the root namespace.
    pub namespace: Option<String>,
    /// `labels` of the objects.
    pub labels: BTreeMap<String, String>,
    /// `interval` of scrapes; `None`: the scraper's.
    pub interval: Option<String>,
    /// `cardinality`
    pub cardinality: Cardinality,
    /// `alerts`
    pub alerts: bool,
    /// `components`
    pub components: BTreeSet<Component>,
    /// `relabelings` of targets, behind ours.
    pub relabelings: Vec<Value>,
    /// `metricRelabelings` of series, behind ours.
    pub metric_relabelings: Vec<Value>,
    /// `mesh.rootNamespace`
    pub root_namespace: String,
    /// `mesh.revisions`; none: all of them.
    pub revisions: BTreeSet<String>,
    /// `proxies.port`
    pub proxy_port: ProxyPort,
    /// `proxies.namespaces`; none: all of them.
    pub proxy_namespaces: BTreeSet<String>,
    /// `certificates.directory`, without trailing slash.
    pub directory: String,
    /// `certificates.scrapeClassName`
    pub scrape_class_name: String,
}

impl Default for MeshMetrics {
    fn default() -> Self {
        Self {
            name: "mesh-metrics".to_owned(),
            style: Style::Victoria,
            namespace: None,
            labels: BTreeMap::new(),
            interval: None,
            cardinality: Cardinality::Standard,
            alerts: false,
            components: [Component::Istiod, Component::Proxies].into(),
            relabelings: Vec::new(),
            metric_relabelings: Vec::new(),
            root_namespace: "istio-system".to_owned(),
            revisions: BTreeSet::new(),
            proxy_port: ProxyPort::Envoy,
            proxy_namespaces: BTreeSet::new(),
            directory: "/etc/istio-certs".to_owned(),
            scrape_class_name: "istio-mtls".to_owned(),
        }
    }
}

impl MeshMetrics {
    /// What is wrong with the name, of which the names of all objects are made.
    pub(super) fn problem_of_name(&self) -> Option<Problem> {
        let wrong = Wrong::Name(
            "no DNS label, and the names of all objects begin with it: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends",
        );
        Some(Problem {
            at: "metadata.name".to_owned(),
            keys: vec!["metadata".to_owned(), "name".to_owned()],
            line: None,
            wrong,
        })
        .filter(|_| !is_dns_label(&self.name, DNS_LABEL_MAX))
    }
}

impl Configured for MeshMetrics {
    const KIND: &'static str = "MeshMetrics";
    const ABOUT: &'static str = "Which objects scrape Istio itself, and how much they keep. Everything in `spec` is optional.";
    const CATALOG: Catalog<Self> = Catalog {
        settings: SETTINGS,
        groups: GROUPS,
    };
}

const SETTINGS: &[Setting<MeshMetrics>] = &[
    Setting {
        path: "style",
        does: "For which operator the objects are.",
        default: Unsaid::Text("victoria"),
        takes: word!(Style, style),
    },
    Setting {
        path: "namespace",
        does: "The namespace of the objects. Not set: `mesh.rootNamespace`.",
        default: Unsaid::Nothing,
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(namespace)),
    },
    Setting {
        path: "labels",
        does: "Labels of the objects, for the selectors of an agent.",
        default: Unsaid::Empty,
        takes: Takes::Labels(value!(labels)),
    },
    Setting {
        path: "interval",
        does: "How often is scraped, as `30s`. Not set: as the agent says.",
        default: Unsaid::Nothing,
        takes: Takes::Duration(value!(interval)),
    },
    Setting {
        path: "cardinality",
        does: "How many of Istio's series are kept.",
        default: Unsaid::Text("standard"),
        takes: word!(Cardinality, cardinality),
    },
    Setting {
        path: "alerts",
        does: "Whether there is an object with alerting rules too.",
        default: Unsaid::No,
        takes: Takes::Switch(value!(alerts)),
    },
    Setting {
        path: "components",
        does: "Which parts of Istio are scraped.",
        default: Unsaid::Words(&["istiod", "proxies"]),
        takes: Takes::Words(Component::WORDS, |config, positions| {
            let chosen = positions.into_iter();
            config.components = chosen.map(|position| Component::ALL[position]).collect();
        }),
    },
    Setting {
        path: "relabelings",
        does: "Relabelling rules for every target, behind those of the function, as in a ServiceMonitor.",
        default: Unsaid::Empty,
        takes: Takes::Relabelling(value!(relabelings)),
    },
    Setting {
        path: "metricRelabelings",
        does: "Relabelling rules for every series, behind those of the function, as in a ServiceMonitor.",
        default: Unsaid::Empty,
        takes: Takes::Relabelling(value!(metric_relabelings)),
    },
    Setting {
        path: "mesh.rootNamespace",
        does: "Where istiod is.",
        default: Unsaid::Text("istio-system"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(root_namespace)),
    },
    Setting {
        path: "mesh.revisions",
        does: "Revisions (`istio.io/rev`) of the control planes that are scraped. None: all.",
        default: Unsaid::Empty,
        takes: Takes::DnsLabels(value!(revisions)),
    },
    Setting {
        path: "proxies.port",
        does: "At which of their ports proxies are scraped.",
        default: Unsaid::Text("envoy"),
        takes: word!(ProxyPort, proxy_port),
    },
    Setting {
        path: "proxies.namespaces",
        does: "Namespaces whose proxies are scraped. None: all.",
        default: Unsaid::Empty,
        takes: Takes::DnsLabels(value!(proxy_namespaces)),
    },
    Setting {
        path: "certificates.directory",
        does: "Where the scraper mounts Istio's certificates, for `proxies.port: secure` with `style: victoria`.",
        default: Unsaid::Text("/etc/istio-certs"),
        takes: Takes::Directory(value!(directory)),
    },
    Setting {
        path: "certificates.scrapeClassName",
        does: "The scrape class with Istio's certificates, for `proxies.port: secure` with `style: prometheus`, whose PodMonitors name no files.",
        default: Unsaid::Text("istio-mtls"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(scrape_class_name)),
    },
];

const GROUPS: &[(&str, &str)] = &[
    ("mesh", "Where the control plane is."),
    ("proxies", "Sidecars, gateways and waypoints."),
    (
        "certificates",
        "Istio's certificates, for the secure ports.",
    ),
];
