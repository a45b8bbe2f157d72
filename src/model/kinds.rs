//! Where does each kind of scrape object keep what?
//!
//! Authority: the CRDs of the VictoriaMetrics operator and the Prometheus operator; the operators' converters and job writers.
//! Departs from nothing; `tests/crds.rs` looks up every field of the table in the CRDs.
//! Knows: the table. Does not know: any object.
//!
//! A kind is one row here. What reads, decides about and changes scrape objects asks the row, never the kind.

/// The kinds of scrape objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScrapeKind {
    /// Selects Services by their labels.
    VMServiceScrape,
    /// Selects pods by their labels.
    VMPodScrape,
    /// Names addresses.
    VMStaticScrape,
    /// Selects nodes.
    VMNodeScrape,
    /// Asks a prober, by its address.
    VMProbe,
    /// Lists ways of discovery.
    VMScrapeConfig,
    /// Selects Services by their labels.
    ServiceMonitor,
    /// Selects pods by their labels.
    PodMonitor,
    /// Asks a prober, by its address.
    Probe,
    /// Lists ways of discovery.
    ScrapeConfig,
    /// A job in `spec.inlineScrapeConfig` of a scraper: no object of its own.
    InlineJob,
}

/// What there is to know about a kind of scrape objects.
#[derive(Debug)]
pub struct ScrapeDescription {
    /// The kind.
    pub kind: ScrapeKind,
    /// `kind` as objects write it; empty for what is no object of its own.
    pub name: &'static str,
    /// The API versions under which it is served.
    pub api_versions: &'static [&'static str],
    /// Where its endpoints are.
    pub endpoints: Endpoints,
    /// How an endpoint finds its targets.
    pub finds: Finds,
    /// Which fields name the port.
    pub ports: PortFields,
    /// Where the scheme is, below the endpoint: the first place that is written counts; where none is, the first gets it.
    pub scheme: &'static [&'static [&'static str]],
    /// Where the path is, below the endpoint.
    pub path: &'static [&'static str],
    /// The path where none is written.
    pub default_path: &'static str,
    /// The key of the TLS settings in an endpoint.
    pub tls: &'static str,
    /// Whether the TLS settings may name files.
    pub takes_files: bool,
    /// The key of the relabelling rules in an endpoint; `None`: it has none.
    pub relabelings: Option<&'static str>,
    /// Whether a relabelling rule of the endpoint can choose the scheme for each target: labels of the pod are there.
    pub per_target: bool,
    /// The key that turns HTTP/2 off, which Prometheus would offer to a port that speaks mutual TLS over TCP.
    pub http2: Option<&'static str>,
    /// Where the proxy is that requests go to, below the endpoint.
    pub proxy: &'static [&'static str],
    /// How keys of more than one word are written inside TLS settings and relabelling rules.
    pub spelling: Spelling,
    /// The fields of a scraper's `spec` that select such objects: by their labels, by their Namespace's; empty: not selected.
    pub selectors: (&'static str, &'static str),
    /// The field of a VMAgent's `spec` with relabelling rules for all jobs of the kind.
    pub template: Option<&'static str>,
    /// What the VictoriaMetrics operator converts it into.
    pub converted_into: Option<ScrapeKind>,
}

/// Where the endpoints of an object are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// In this list of its `spec`.
    List(&'static str),
    /// `spec` is the only one.
    Spec,
    /// The object is one: a job.
    Itself,
}

/// How an endpoint finds its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finds {
    /// By labels of Services.
    Services,
    /// By labels of pods.
    Pods,
    /// By labels of nodes.
    Nodes,
    /// By addresses in this list.
    Addresses(&'static str),
    /// The prober, by the address in this field.
    Prober(&'static [&'static str]),
    /// By every list of discovery in it.
    Discovery,
}

/// Which fields of an endpoint name the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortFields {
    /// `port` of a Service, else `targetPort`.
    OfService,
    /// `port` of a container, else `portNumber`, else `targetPort`.
    OfPod,
    /// None: addresses have their port with them.
    None,
}

/// How keys of more than one word are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `caFile`, `sourceLabels`
    Camel,
    /// `ca_file`, `source_labels`
    Snake,
}

const VM: &[&str] = &["operator.victoriametrics.com/v1beta1"];
const PROMETHEUS: &[&str] = &["monitoring.coreos.com/v1"];
const PROMETHEUS_ALPHA: &[&str] = &["monitoring.coreos.com/v1alpha1"];

/// VMServiceScrape; what the other rows do not say is as here.
const SERVICE_SCRAPE: ScrapeDescription = ScrapeDescription {
    kind: ScrapeKind::VMServiceScrape,
    name: "VMServiceScrape",
    api_versions: VM,
    endpoints: Endpoints::List("endpoints"),
    finds: Finds::Services,
    ports: PortFields::OfService,
    scheme: &[&["scheme"]],
    path: &["path"],
    default_path: "/metrics",
    tls: "tlsConfig",
    takes_files: true,
    relabelings: Some("relabelConfigs"),
    per_target: true,
    http2: None,
    proxy: &["proxyURL"],
    spelling: Spelling::Camel,
    selectors: ("serviceScrapeSelector", "serviceScrapeNamespaceSelector"),
    template: Some("serviceScrapeRelabelTemplate"),
    converted_into: None,
};

/// ServiceMonitor; what the other rows of the Prometheus operator do not say is as here.
const SERVICE_MONITOR: ScrapeDescription = ScrapeDescription {
    kind: ScrapeKind::ServiceMonitor,
    name: "ServiceMonitor",
    api_versions: PROMETHEUS,
    relabelings: Some("relabelings"),
    http2: Some("enableHttp2"),
    proxy: &["proxyUrl"],
    selectors: ("serviceMonitorSelector", "serviceMonitorNamespaceSelector"),
    template: None,
    converted_into: Some(ScrapeKind::VMServiceScrape),
    ..SERVICE_SCRAPE
};

/// Every kind, in the order of [`ScrapeKind`].
pub static SCRAPE_KINDS: [ScrapeDescription; 11] = [
    SERVICE_SCRAPE,
    ScrapeDescription {
        kind: ScrapeKind::VMPodScrape,
        name: "VMPodScrape",
        endpoints: Endpoints::List("podMetricsEndpoints"),
        finds: Finds::Pods,
        ports: PortFields::OfPod,
        selectors: ("podScrapeSelector", "podScrapeNamespaceSelector"),
        template: Some("podScrapeRelabelTemplate"),
        ..SERVICE_SCRAPE
    },
    ScrapeDescription {
        kind: ScrapeKind::VMStaticScrape,
        name: "VMStaticScrape",
        endpoints: Endpoints::List("targetEndpoints"),
        finds: Finds::Addresses("targets"),
        ports: PortFields::None,
        per_target: false,
        selectors: ("staticScrapeSelector", "staticScrapeNamespaceSelector"),
        template: Some("staticScrapeRelabelTemplate"),
        ..SERVICE_SCRAPE
    },
    ScrapeDescription {
        kind: ScrapeKind::VMNodeScrape,
        name: "VMNodeScrape",
        endpoints: Endpoints::Spec,
        finds: Finds::Nodes,
        ports: PortFields::None,
        per_target: false,
        selectors: ("nodeScrapeSelector", "nodeScrapeNamespaceSelector"),
        template: Some("nodeScrapeRelabelTemplate"),
        ..SERVICE_SCRAPE
    },
    ScrapeDescription {
        kind: ScrapeKind::VMProbe,
        name: "VMProbe",
        endpoints: Endpoints::Spec,
        finds: Finds::Prober(&["vmProberSpec", "url"]),
        ports: PortFields::None,
        scheme: &[&["vmProberSpec", "scheme"], &["scheme"]],
        path: &["vmProberSpec", "path"],
        default_path: "/probe",
        relabelings: None,
        per_target: false,
        selectors: ("probeSelector", "probeNamespaceSelector"),
        template: Some("probeScrapeRelabelTemplate"),
        ..SERVICE_SCRAPE
    },
    ScrapeDescription {
        kind: ScrapeKind::VMScrapeConfig,
        name: "VMScrapeConfig",
        endpoints: Endpoints::Spec,
        finds: Finds::Discovery,
        ports: PortFields::None,
        per_target: false,
        selectors: ("scrapeConfigSelector", "scrapeConfigNamespaceSelector"),
        template: Some("scrapeConfigRelabelTemplate"),
        ..SERVICE_SCRAPE
    },
    SERVICE_MONITOR,
    ScrapeDescription {
        kind: ScrapeKind::PodMonitor,
        name: "PodMonitor",
        endpoints: Endpoints::List("podMetricsEndpoints"),
        finds: Finds::Pods,
        ports: PortFields::OfPod,
        takes_files: false,
        selectors: ("podMonitorSelector", "podMonitorNamespaceSelector"),
        converted_into: Some(ScrapeKind::VMPodScrape),
        ..SERVICE_MONITOR
    },
    ScrapeDescription {
        kind: ScrapeKind::Probe,
        name: "Probe",
        endpoints: Endpoints::Spec,
        finds: Finds::Prober(&["prober", "url"]),
        ports: PortFields::None,
        scheme: &[&["prober", "scheme"]],
        path: &["prober", "path"],
        default_path: "/probe",
        proxy: &["prober", "proxyUrl"],
        takes_files: false,
        relabelings: None,
        per_target: false,
        selectors: ("probeSelector", "probeNamespaceSelector"),
        converted_into: Some(ScrapeKind::VMProbe),
        ..SERVICE_MONITOR
    },
    ScrapeDescription {
        kind: ScrapeKind::ScrapeConfig,
        name: "ScrapeConfig",
        api_versions: PROMETHEUS_ALPHA,
        endpoints: Endpoints::Spec,
        finds: Finds::Discovery,
        ports: PortFields::None,
        path: &["metricsPath"],
        takes_files: false,
        per_target: false,
        http2: Some("enableHTTP2"),
        selectors: ("scrapeConfigSelector", "scrapeConfigNamespaceSelector"),
        converted_into: Some(ScrapeKind::VMScrapeConfig),
        ..SERVICE_MONITOR
    },
    ScrapeDescription {
        kind: ScrapeKind::InlineJob,
        name: "",
        api_versions: &[],
        endpoints: Endpoints::Itself,
        finds: Finds::Discovery,
        ports: PortFields::None,
        path: &["metrics_path"],
        tls: "tls_config",
        relabelings: Some("relabel_configs"),
        per_target: false,
        proxy: &["proxy_url"],
        spelling: Spelling::Snake,
        selectors: ("", ""),
        template: None,
        ..SERVICE_SCRAPE
    },
];

impl ScrapeKind {
    /// The row of the kind.
    pub fn description(self) -> &'static ScrapeDescription {
        &SCRAPE_KINDS[self as usize]
    }

    /// The kind of objects with this `apiVersion` and `kind`.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        SCRAPE_KINDS
            .iter()
            .find(|row| row.name == kind && row.api_versions.contains(&api_version))
            .map(|row| row.kind)
    }
}

impl Spelling {
    /// A key of TLS settings or relabelling rules, given in camel case, as objects of the kind write it.
    pub fn of(self, key: &str) -> String {
        match self {
            Self::Camel => key.to_owned(),
            Self::Snake => key
                .chars()
                .flat_map(|c| {
                    let gap = c.is_ascii_uppercase().then_some('_');
                    gap.into_iter().chain([c.to_ascii_lowercase()])
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spelled_as_the_kind_has_them() {
        assert_eq!(
            Spelling::Camel.of("insecureSkipVerify"),
            "insecureSkipVerify"
        );
        assert_eq!(
            Spelling::Snake.of("insecureSkipVerify"),
            "insecure_skip_verify"
        );
    }

    #[test]
    fn each_kind_finds_its_own_row() {
        for row in &SCRAPE_KINDS {
            assert_eq!(row.kind.description().name, row.name);
            for version in row.api_versions {
                assert_eq!(ScrapeKind::of(version, row.name), Some(row.kind));
            }
        }
        assert_eq!(ScrapeKind::of("", ""), None);
        assert_eq!(
            ScrapeKind::of("monitoring.coreos.com/v1", "ScrapeConfig"),
            None
        );
    }
}
