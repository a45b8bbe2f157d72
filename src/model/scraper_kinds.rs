//! How do the kinds of scrapers differ?
//!
//! Authority: CRDs of VMAgent, VMSingle, Prometheus, PrometheusAgent; VictoriaMetrics operator `api/operator/v1beta1`
//! (`common_scrapeparams.go`, `IsUnmanaged`), `factory/converter` (`ReplacePromDirPath`); prometheus-operator
//! `pkg/prometheus/{common,promcfg,resource_selector}.go`.
//! Departs from nothing; `tests/crds.rs` looks up every field of the table in the CRDs.
//! Knows: the table. Does not know: any object.
//!
//! A kind is one row here. What reads, decides about and changes scrapers asks the row, never the kind.

use super::ScrapeKind;

/// The kinds of objects that scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScraperKind {
    /// vmagent, under the VictoriaMetrics operator.
    VMAgent,
    /// VictoriaMetrics itself, with `ingestOnlyMode: false`.
    VMSingle,
    /// Prometheus, under the Prometheus operator.
    Prometheus,
    /// Prometheus in agent mode.
    PrometheusAgent,
}

/// What there is to know about a kind of scrapers.
#[derive(Debug)]
pub struct ScraperDescription {
    /// The kind.
    pub kind: ScraperKind,
    /// `kind` as objects write it.
    pub name: &'static str,
    /// The API versions under which it is served.
    pub api_versions: &'static [&'static str],
    /// The name of the container that scrapes.
    pub container: &'static str,
    /// What an object without `spec` lacks; `None`: it needs none.
    pub needs_spec: Option<&'static str>,
    /// Which scrape objects it selects.
    pub selects: &'static [ScrapeKind],
    /// What unset selectors mean.
    pub unset: Unset,
    /// Whether it scrapes nothing where `ingestOnlyMode` is not written; `None`: there is no such field.
    pub ingest_only: Option<bool>,
    /// A pod on each node, which selects other kinds of objects.
    pub daemon_set: Option<DaemonSet>,
    /// The fields that say how many pods share the work.
    pub counts: &'static [&'static str],
    /// The field with relabelling rules for all jobs.
    pub global_relabelings: Option<&'static str>,
    /// Whether it has relabelling rules for all jobs of one kind of scrape objects.
    pub has_templates: bool,
    /// The key of the relabelling rules in a scrape class.
    pub class_relabelings: &'static str,
    /// The lists of Secrets and ConfigMaps that the operator mounts, each below a directory.
    pub mounted: &'static [(&'static str, &'static str)],
    /// Names of volumes that the operator gives to its pods.
    pub volumes: &'static [&'static str],
    /// Objects of the other operator count as what they are converted into; how the beginnings of paths in them change.
    pub converted_paths: Option<&'static [(&'static str, &'static str)]>,
    /// The init container of its pods that asks the API server, which a sidecar can keep it from.
    pub asks_at_start: Option<&'static str>,
    /// Whether it reads the files of certificates only once, when it starts, so that it must not start before they are there.
    pub reads_files_once: bool,
}

/// What a scraper makes of selectors that are not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// An unset selector of objects is no condition where one of Namespaces is set; with neither, `selectAllByDefault` decides.
    NoCondition,
    /// Without a selector of objects nothing is selected.
    Nothing,
}

/// One pod on each node.
#[derive(Debug)]
pub struct DaemonSet {
    /// The field that asks for it.
    pub field: &'static str,
    /// The text that asks for it; `None`: the field is a flag.
    pub value: Option<&'static str>,
    /// Which scrape objects it selects then.
    pub selects: &'static [ScrapeKind],
}

const VMAGENT: ScraperDescription = ScraperDescription {
    kind: ScraperKind::VMAgent,
    name: "VMAgent",
    api_versions: &["operator.victoriametrics.com/v1beta1"],
    container: "vmagent",
    needs_spec: Some("remoteWrite"),
    selects: &[
        ScrapeKind::VMServiceScrape,
        ScrapeKind::VMPodScrape,
        ScrapeKind::VMStaticScrape,
        ScrapeKind::VMNodeScrape,
        ScrapeKind::VMProbe,
        ScrapeKind::VMScrapeConfig,
    ],
    unset: Unset::NoCondition,
    ingest_only: Some(false),
    daemon_set: Some(DaemonSet {
        field: "daemonSetMode",
        value: None,
        selects: &[ScrapeKind::VMPodScrape],
    }),
    counts: &["replicaCount", "shardCount"],
    global_relabelings: Some("globalScrapeRelabelConfigs"),
    has_templates: true,
    class_relabelings: "relabelConfigs",
    mounted: &[
        ("secrets", "/etc/vm/secrets"),
        ("configMaps", "/etc/vm/configs"),
    ],
    volumes: &[
        "config",
        "config-out",
        "persistent-queue-data",
        "relabelings-assets",
        "stream-aggr",
        "tls-assets",
    ],
    converted_paths: Some(&[
        ("/etc/prometheus/secrets", "/etc/vm/secrets"),
        ("/etc/prometheus/configmaps", "/etc/vm/configs"),
    ]),
    asks_at_start: Some("config-init"),
    reads_files_once: false,
};

const PROMETHEUS: ScraperDescription = ScraperDescription {
    kind: ScraperKind::Prometheus,
    name: "Prometheus",
    api_versions: &["monitoring.coreos.com/v1"],
    container: "prometheus",
    needs_spec: Some("serviceMonitorSelector"),
    selects: &[
        ScrapeKind::ServiceMonitor,
        ScrapeKind::PodMonitor,
        ScrapeKind::Probe,
        ScrapeKind::ScrapeConfig,
    ],
    unset: Unset::Nothing,
    ingest_only: None,
    daemon_set: None,
    counts: &["replicas", "shards"],
    global_relabelings: None,
    has_templates: false,
    class_relabelings: "relabelings",
    mounted: &[
        ("secrets", "/etc/prometheus/secrets"),
        ("configMaps", "/etc/prometheus/configmaps"),
    ],
    volumes: &["config", "config-out", "tls-assets", "web-config"],
    converted_paths: None,
    asks_at_start: None,
    reads_files_once: true,
};

/// Every kind, in the order of [`ScraperKind`].
pub static SCRAPER_KINDS: [ScraperDescription; 4] = [
    VMAGENT,
    ScraperDescription {
        kind: ScraperKind::VMSingle,
        name: "VMSingle",
        container: "vmsingle",
        needs_spec: None,
        ingest_only: Some(true),
        daemon_set: None,
        counts: &["replicaCount"],
        volumes: &[
            "config",
            "config-out",
            "data",
            "relabelings-assets",
            "stream-aggr",
            "tls-assets",
        ],
        ..VMAGENT
    },
    PROMETHEUS,
    ScraperDescription {
        kind: ScraperKind::PrometheusAgent,
        name: "PrometheusAgent",
        api_versions: &["monitoring.coreos.com/v1alpha1"],
        daemon_set: Some(DaemonSet {
            field: "mode",
            value: Some("DaemonSet"),
            selects: &[ScrapeKind::PodMonitor],
        }),
        ..PROMETHEUS
    },
];

impl ScraperKind {
    /// The row of the kind.
    pub fn description(self) -> &'static ScraperDescription {
        &SCRAPER_KINDS[self as usize]
    }

    /// The kind of objects with this `apiVersion` and `kind`.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        SCRAPER_KINDS
            .iter()
            .find(|row| row.name == kind && row.api_versions.contains(&api_version))
            .map(|row| row.kind)
    }

    /// Whether the Prometheus operator runs it.
    pub fn is_prometheus(self) -> bool {
        matches!(self, Self::Prometheus | Self::PrometheusAgent)
    }

    /// The name of the container that scrapes.
    pub fn container(self) -> &'static str {
        self.description().container
    }

    /// The kind as which objects of this kind are selected: what the scraper's operator converts them into, or the kind itself.
    pub fn selects_as(self, kind: ScrapeKind) -> ScrapeKind {
        match self.description().converted_paths {
            Some(_) => kind.description().converted_into.unwrap_or(kind),
            None => kind,
        }
    }

    /// Where the scraper looks for a file that an object of this kind names.
    pub fn path(self, kind: ScrapeKind, written: &str) -> String {
        let changes = match self.description().converted_paths {
            Some(changes) if kind.description().converted_into.is_some() => changes,
            Some(_) | None => &[],
        };
        changes
            .iter()
            .find_map(|(from, to)| Some(format!("{to}{}", written.strip_prefix(from)?)))
            .unwrap_or_else(|| written.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_finds_its_own_row() {
        for row in &SCRAPER_KINDS {
            assert_eq!(row.kind.description().name, row.name);
            for version in row.api_versions {
                assert_eq!(ScraperKind::of(version, row.name), Some(row.kind));
            }
        }
        let of = |version| ScraperKind::of(version, "PrometheusAgent");
        assert_eq!(of("monitoring.coreos.com/v1"), None);
    }

    /// spec 1.5, `ReplacePromDirPath`: beginnings of texts, not of paths.
    #[test]
    fn converted_objects_name_other_files() {
        use ScrapeKind::{ServiceMonitor, VMServiceScrape};
        use ScraperKind::{Prometheus, VMAgent, VMSingle};
        let secret = "/etc/prometheus/secrets/istio/key.pem";
        for (scraper, kind, written, expected) in [
            (
                VMAgent,
                ServiceMonitor,
                secret,
                "/etc/vm/secrets/istio/key.pem",
            ),
            (
                VMSingle,
                ServiceMonitor,
                secret,
                "/etc/vm/secrets/istio/key.pem",
            ),
            (
                VMAgent,
                ServiceMonitor,
                "/etc/prometheus/configmaps/a",
                "/etc/vm/configs/a",
            ),
            (
                VMAgent,
                ServiceMonitor,
                "/etc/prometheus/secrets-of/a",
                "/etc/vm/secrets-of/a",
            ),
            (
                VMAgent,
                ServiceMonitor,
                "/etc/prometheus/certs/a",
                "/etc/prometheus/certs/a",
            ),
            (
                VMAgent,
                ServiceMonitor,
                "/etc/istio-certs/a",
                "/etc/istio-certs/a",
            ),
            (VMAgent, VMServiceScrape, secret, secret),
            (Prometheus, ServiceMonitor, secret, secret),
        ] {
            assert_eq!(
                scraper.path(kind, written),
                expected,
                "{scraper:?} {kind:?}"
            );
        }
    }
}
