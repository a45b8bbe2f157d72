//! Which settings has ScrapeTLS, what does each do, what may it be, and what is it if nobody says?
//!
//! Authority: ourselves. Reading, messages, JSON Schema and the manual's table all come from here or are held against it.
//! Departs from nothing.
//! Knows: every setting of ScrapeTLS. Does not know: how objects are read, names of rules.

use super::table::{Catalog, Configured, Names, Setting, Takes, Unsaid, named, value, word};
use super::values::DNS_LABEL_MAX;
use super::{
    CertificatesVia, Config, FailOn, InjectionUnknown, Interception, MtlsMode, NamespaceInjection,
    RunMode, ScraperInject, SelfScrape, Severity, TargetsMixed, TargetsUnknown,
};

impl Configured for Config {
    const KIND: &'static str = "ScrapeTLS";
    const ABOUT: &'static str = "Which scrape endpoints get the certificates of Istio, and how. Everything in `spec` is optional.";
    const CATALOG: Catalog<Self> = Catalog {
        settings: SETTINGS,
        groups: GROUPS,
    };
}

/// Room that a volume name leaves for the suffix `-scrape` below the length of a DNS label.
const VOLUME_NAME_MAX: usize = DNS_LABEL_MAX - "-scrape".len();

/// Every setting. Those of one group stand together; messages name fields in this order.
pub(super) const SETTINGS: &[Setting<Config>] = &[
    Setting {
        path: "mode",
        does: "What a run does with its decisions.",
        default: Unsaid::Text("patch"),
        takes: word!(RunMode, mode),
    },
    Setting {
        path: "failOn",
        does: "Which findings fail the run (exit code 1).",
        default: Unsaid::Text("error"),
        takes: word!(FailOn, fail_on),
    },
    Setting {
        path: "namespace",
        does: "Stands for a missing `metadata.namespace` in decisions; never written.",
        default: Unsaid::Text("default"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(namespace)),
    },
    Setting {
        path: "mesh.rootNamespace",
        does: "Where mesh-wide policies live. Not set: as the input says, else `istio-system`.",
        default: Unsaid::Nothing,
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(root_namespace)),
    },
    Setting {
        path: "mesh.mode",
        does: "The mesh-wide mode where the input has no mesh-wide policy. Not set: as an operator's object says, else Istio's default, which proves nothing.",
        default: Unsaid::Nothing,
        takes: word!(MtlsMode, mesh_mode),
    },
    Setting {
        path: "mesh.excludeInboundPorts",
        does: "Ports that no sidecar of the mesh takes, as in Istio's `global.proxy`; `[]` says that there are none. Not set: as the input says.",
        default: Unsaid::Nothing,
        takes: Takes::Ports(value!(exclude_inbound_ports)),
    },
    Setting {
        path: "context.resources",
        does: "Facts from outside the build: objects that are read, never changed, and no part of the output. Not for a ConfigMap.",
        default: Unsaid::Empty,
        takes: Takes::Objects(value!(context_resources)),
    },
    Setting {
        path: "context.files",
        does: "Files and directories with such objects. For exec functions and on the command line; a container sees no files.",
        default: Unsaid::Empty,
        takes: Takes::Paths(value!(context_files)),
    },
    Setting {
        path: "injection.unknown",
        does: "What to do with STRICT pods of which nobody says whether they have a sidecar.",
        default: Unsaid::Text("relabel"),
        takes: word!(InjectionUnknown, injection_unknown),
    },
    Setting {
        path: "injection.namespaces",
        does: "By the name of a namespace: what its pods get, for labels that are set outside Git.",
        default: Unsaid::Empty,
        takes: named!(Namespaces, NamespaceInjection, namespaces),
    },
    Setting {
        path: "targets.unknown",
        does: "What to do with endpoints whose targets the input does not show.",
        default: Unsaid::Text("keep"),
        takes: word!(TargetsUnknown, targets_unknown),
    },
    Setting {
        path: "targets.mixed",
        does: "What to do with an endpoint that reaches ports that demand mutual TLS and ports that do not.",
        default: Unsaid::Text("relabel"),
        takes: word!(TargetsMixed, targets_mixed),
    },
    Setting {
        path: "certificates.directory",
        does: "Where scrapers mount the certificates, unless they have them elsewhere already.",
        default: Unsaid::Text("/etc/istio-certs"),
        takes: Takes::Directory(value!(directory)),
    },
    Setting {
        path: "certificates.volumeName",
        does: "The volume that scrapers get for the certificates.",
        default: Unsaid::Text("istio-certs"),
        takes: Takes::DnsLabel(VOLUME_NAME_MAX, value!(volume_name)),
    },
    Setting {
        path: "certificates.via",
        does: "Where the certificates are named.",
        default: Unsaid::Text("endpoint"),
        takes: word!(CertificatesVia, via),
    },
    Setting {
        path: "certificates.scrapeClassName",
        does: "The scrape class that scrapers get for the certificates.",
        default: Unsaid::Text("istio-mtls"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(scrape_class_name)),
    },
    Setting {
        path: "scraper.inject",
        does: "When the pods of a scraper get the label `sidecar.istio.io/inject: \"true\"`.",
        default: Unsaid::Text("unknown"),
        takes: word!(ScraperInject, inject),
    },
    Setting {
        path: "scraper.interception",
        does: "Whether a scraper's requests go through its own sidecar.",
        default: Unsaid::Text("keep"),
        takes: word!(Interception, interception),
    },
    Setting {
        path: "scraper.selfScrape",
        does: "What becomes of the scrapes that the VictoriaMetrics operator makes of its own programs (`serviceScrapeSpec`).",
        default: Unsaid::Text("patch"),
        takes: word!(SelfScrape, self_scrape),
    },
    Setting {
        path: "severity",
        does: "By the name of a rule: how much its findings matter.",
        default: Unsaid::Empty,
        takes: named!(Rules, Severity, severity),
    },
];

/// Fields that hold settings, and what they are about.
const GROUPS: &[(&str, &str)] = &[
    (
        "mesh",
        "What is set for the whole mesh. Wins over objects of the control plane in the input, but for a mesh-wide PeerAuthentication.",
    ),
    ("context", "Facts from outside the build."),
    (
        "injection",
        "Which pods have a sidecar, where manifests do not say it.",
    ),
    (
        "targets",
        "What to do where the targets of an endpoint leave no plain answer.",
    ),
    (
        "certificates",
        "Where Istio's certificates are, and who names them.",
    ),
    ("scraper", "What scrapers get."),
];
