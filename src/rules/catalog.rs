//! What are the rules called, and how much does each matter?
//!
//! Authority: ourselves. The names are part of the interface: results, reports, configuration and test directories use them.
//! Departs from nothing.
//! Knows: names and severities. Does not know: when a rule applies.

use crate::config::Severity;

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $severity:ident;)*) => {
        /// A rule: one reason to change, keep or report something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Rule] = &[$(Rule::$variant,)*];

            /// The name, as users write and read it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Rule::$variant => $name,)*
                }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Rule::$variant => concat!($($doc),*).trim_start(),)*
                }
            }

            /// How much it matters unless the configuration says otherwise.
            pub fn severity(self) -> Severity {
                match self {
                    $(Rule::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

rules! {
    /// Every target accepts only mutual TLS and the endpoint is plain: it gets the certificates.
    StrictNeedsTls = "strict-needs-tls", Info;
    /// The endpoint, or the scraper, is as its targets need it.
    AlreadyRight = "already-right", Info;
    /// The endpoint uses Istio's certificates, but a file, the directory, `insecureSkipVerify` or the scheme is wrong.
    TlsNeedsRepair = "tls-needs-repair", Info;
    /// The endpoint speaks TLS of its own to ports that accept only Istio's: nothing a scraper can do.
    OwnTlsUnderStrict = "own-tls-under-strict", Warning;
    /// The endpoint uses Istio's certificates on ports that are proven to be plain: they are removed.
    StaleTls = "stale-tls", Info;
    /// The endpoint uses Istio's certificates on ports that look plain, without proof: kept.
    StaleTlsSuspected = "stale-tls-suspected", Warning;
    /// The endpoint speaks TLS of its own to plain ports: none of our business.
    OwnTlsIsKept = "own-tls-is-kept", Info;
    /// Some targets accept only mutual TLS, others only plain text: a relabelling rule chooses, where one can tell them apart.
    MixedTargets = "mixed-targets", Warning;
    /// STRICT pods of which nobody says whether they have a sidecar.
    InjectionUnknown = "injection-unknown", Warning;
    /// Which pods or ports the endpoint reaches, or what rules there, is not in the input.
    TargetUnknown = "target-unknown", Warning;
    /// Targets in ambient accept only connections from the mesh; certificates do not help there.
    AmbientStrictUnreachable = "ambient-strict-unreachable", Warning;
    /// The scraper's own sidecar encrypts the request: the endpoint has to stay plain.
    SidecarOriginatesTls = "sidecar-originates-tls", Info;
    /// Relabelling changes `__address__`: the ports cannot be known from manifests.
    AddressIsRewritten = "address-is-rewritten", Warning;
    /// Relabelling that is not ours changes `__scheme__`.
    SchemeIsRewritten = "scheme-is-rewritten", Warning;
    /// Requests go to a proxy: what it does with TLS is its affair.
    ProxyIsKept = "proxy-is-kept", Warning;
    /// An endpoint that the scraper selects is to use Istio's certificates: the scraper gets them.
    ScraperNeedsCertificates = "scraper-needs-certificates", Info;
    /// The scraper is proven to have no sidecar, or its set-up cannot be completed.
    ScraperCannotHaveCertificates = "scraper-cannot-have-certificates", Warning;
    /// `scraper.inject: always` gives a sidecar to a scraper that is proven to have none.
    ScraperGetsASidecar = "scraper-gets-a-sidecar", Warning;
    /// Scrapers of one endpoint keep the certificates in different directories.
    CertificateDirectoriesDiffer = "certificate-directories-differ", Warning;
    /// The scraper has certificates that no endpoint uses.
    CertificatesUnused = "certificates-unused", Info;
    /// The scraper refuses scrape objects that name files, and no scrape class can do it in their place.
    FilesAreDenied = "files-are-denied", Warning;
    /// The kind of scrape object cannot name files, and no scrape class can do it in its place.
    FilesNotSupported = "files-not-supported", Warning;
    /// A port of an operator's component demands mutual TLS, and nothing in Git gives that scrape certificates.
    SelfScrapeUnreachable = "self-scrape-unreachable", Warning;
    /// The pod annotations give a volume that `spec.volumes` has too: the pod would have it twice.
    VolumeIsDefinedTwice = "volume-is-defined-twice", Warning;
    /// Requests to a STRICT remote-write receiver leave the scraper's pod past its sidecar, in plain text.
    RemoteWriteLeavesTheMesh = "remote-write-leaves-the-mesh", Warning;
    /// The scraper has scrape jobs in a Secret, which nobody looks at.
    AdditionalScrapesUnseen = "additional-scrapes-unseen", Info;
    /// The operator's converter writes the spec of an object of the Prometheus operator over this one.
    ConverterOverwrites = "converter-overwrites", Warning;
    /// A port is scraped directly, and Istio merges its metrics into those of the sidecar besides.
    MergedAndScraped = "merged-and-scraped", Info;
    /// No scraper in the input selects the scrape object.
    NoScraperSelectsThis = "no-scraper-selects-this", Warning;
    /// Labels of a Namespace that is not in the input decide whether a scraper selects this; it is taken as selected.
    SelectionAssumed = "selection-assumed", Info;
    /// Several PeerAuthentications of one level disagree, and Git does not show which is the oldest.
    PolicyOrderUndecided = "policy-order-undecided", Warning;
    /// The API server or Istio refuses the PeerAuthentication: it counts as absent.
    PolicyIsInvalid = "policy-is-invalid", Warning;
    /// A policy that no sidecar obeys: it selects pods from the root namespace, or no istiod of its revision is there.
    PolicyIsIgnored = "policy-is-ignored", Warning;
    /// A policy sets a mode for a port that no container or Service of the pods that it selects has.
    PolicyPortUnused = "policy-port-unused", Warning;
    /// Mutual TLS works, but an AuthorizationPolicy of the target refuses the scraper.
    AuthorizationBlocksScrape = "authorization-blocks-scrape", Warning;
    /// The scraper's sidecar lets no request through to addresses that the mesh does not know.
    RegistryOnlyBlocksScrape = "registry-only-blocks-scrape", Warning;
    /// The endpoint speaks TLS, and the scraper's sidecar wraps it into mutual TLS again: the target gets TLS where it expects text.
    HeadlessDoubleTls = "headless-double-tls", Warning;
    /// A metrics port of Istio's own lets this scraper in neither with certificates nor without.
    MetricsPortUnreachable = "metrics-port-unreachable", Warning;
    /// Two objects, or an object and the configuration, say different things about the mesh.
    MeshSettingContradicted = "mesh-setting-contradicted", Warning;
    /// `mesh.mode` of the configuration says something else than the mesh-wide PeerAuthentication, which counts.
    MeshModeContradicted = "mesh-mode-contradicted", Warning;
    /// A missing namespace, or a missing Namespace object, was assumed.
    NamespaceAssumed = "namespace-assumed", Info;
    /// No policy says anything: Istio's default, PERMISSIVE, is assumed.
    ModeAssumed = "mode-assumed", Info;
    /// A STRICT policy covers a namespace without injection label: its pods are taken as outside the mesh.
    NotInTheMesh = "not-in-the-mesh", Info;
    /// kustomize and kubectl read a value differently, and the decision depends on it.
    ReadDifferently = "read-differently", Warning;
    /// A part of an object could not be understood, and was left out of account.
    NotUnderstood = "not-understood", Warning;
}
