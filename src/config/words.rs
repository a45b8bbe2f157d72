//! Which words may a setting be, and what does each mean?
//!
//! Authority: the fields of `ScrapeTLS.spec` and `MeshMetrics.spec`; Istio for the modes.
//! Departs from nothing.
//! Knows: words, their meanings, their values. Does not know: which setting takes them.

/// A word that a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// As people write it.
    pub name: &'static str,
    /// What it means, as a part of a sentence.
    pub means: &'static str,
}

macro_rules! words {
    ($($(#[$attribute:meta])* $type:ident { $($variant:ident = $name:literal, $means:literal;)* })*) => {
        $(
            $(#[$attribute])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $type {
                $(#[doc = concat!("`", $name, "`: ", $means, ".")] $variant,)*
            }

            impl $type {
                /// Every value.
                pub const ALL: &[Self] = &[$(Self::$variant,)*];
                /// The word of each value, in the same order.
                pub const WORDS: &[Word] = &[$(Word { name: $name, means: $means },)*];

                /// As people write it.
                pub fn word(self) -> &'static str {
                    match self {
                        $(Self::$variant => $name,)*
                    }
                }
            }
        )*
    };
}

words! {
    /// What a run does with its decisions.
    RunMode {
        Patch = "patch", "items come back patched";
        Check = "check", "items come back unchanged, and the run fails while a patch is pending";
    }

    /// From which severity on a finding fails the run.
    FailOn {
        Error = "error", "errors do";
        Warning = "warning", "warnings and errors do";
        Never = "never", "none does";
    }

    /// Mutual TLS mode, as PeerAuthentication spells it.
    #[derive(PartialOrd, Ord)]
    MtlsMode {
        Strict = "STRICT", "only mutual TLS with a certificate of the mesh is accepted";
        Permissive = "PERMISSIVE", "plain text, and mutual TLS between sidecars; any other TLS breaks";
        Disable = "DISABLE", "no TLS is terminated";
    }

    /// What pods of a namespace get where they do not say otherwise themselves.
    NamespaceInjection {
        Sidecar = "sidecar", "as with the label `istio-injection: enabled`";
        Ambient = "ambient", "as with the label `istio.io/dataplane-mode: ambient`";
        None = "none", "as without any label";
    }

    /// What to do with STRICT pods of which nobody says whether they have a sidecar.
    InjectionUnknown {
        Relabel = "relabel", "certificates, and a rule that asks each pod's label when it is scraped";
        Assume = "assume", "as if they had one";
        Ignore = "ignore", "leave the endpoint as it is";
    }

    /// What to do with endpoints whose targets are not known.
    TargetsUnknown {
        Keep = "keep", "leave them as they are, with a warning";
        Refuse = "refuse", "an error";
    }

    /// What to do with an endpoint that reaches ports that demand mutual TLS and ports that do not.
    TargetsMixed {
        Relabel = "relabel", "certificates, and rules that choose the scheme for each target";
        Keep = "keep", "leave it as it is, with a warning";
        Refuse = "refuse", "an error";
    }

    /// Where the certificates are named.
    CertificatesVia {
        Endpoint = "endpoint", "in each endpoint, and in a scrape class only where an endpoint cannot";
        ScrapeClass = "scrapeClass", "always in a scrape class of the scrapers, which scrape objects name";
    }

    /// Whether a scraper's requests go through its own sidecar.
    Interception {
        Keep = "keep", "as it is, which is through it unless somebody says otherwise";
        Bypass = "bypass", "scrapes leave the pod past it, requests to STRICT remote-write receivers go through it";
    }

    /// What becomes of the scrapes that an operator makes of its own components.
    SelfScrape {
        Patch = "patch", "the same as of other endpoints";
        Ignore = "ignore", "nothing, they are not looked at";
    }

    /// When a scraper gets the pod label `sidecar.istio.io/inject: "true"`.
    ScraperInject {
        Unknown = "unknown", "where nothing says that they have a sidecar";
        Always = "always", "also where they are proven to have none";
        Never = "never", "not at all";
    }

    /// How much a finding matters.
    #[derive(PartialOrd, Ord)]
    Severity {
        Off = "off", "not reported";
        Info = "info", "good to know";
        Warning = "warning", "metrics may be lost";
        Error = "error", "the run fails";
    }

    /// For which operator objects are made that scrape Istio.
    Style {
        Victoria = "victoria", "VMServiceScrape, VMPodScrape, VMRule";
        Prometheus = "prometheus", "ServiceMonitor, PodMonitor, PrometheusRule";
    }

    /// How many of Istio's series are kept.
    Cardinality {
        Standard = "standard", "what dashboards and the alerts ask for";
        Minimal = "minimal", "what the alerts ask for, and little more";
        Full = "full", "everything that Istio exports";
    }

    /// A part of Istio that has metrics.
    #[derive(PartialOrd, Ord)]
    Component {
        Istiod = "istiod", "the control plane";
        Proxies = "proxies", "sidecars, gateways and waypoints";
        Ztunnel = "ztunnel", "the node proxies of ambient";
        Cni = "cni", "the node agents of istio-cni";
    }

    /// At which of their ports proxies are scraped.
    ProxyPort {
        Envoy = "envoy", "15090, Envoy's own metrics";
        Merged = "merged", "the port of the annotations `prometheus.io/*`, where the injector set them to Istio's merged metrics, else 15090";
        Secure = "secure", "the port of the annotation `prometheus.istio.io/secure-port` or `secure-envoy-port`, with Istio's certificates, where a pod has one, else 15090";
    }
}
