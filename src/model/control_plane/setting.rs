//! What can an object of the control plane set?
//!
//! Authority: the names of MeshConfig, of the charts' values, of the injector's configuration.
//! Departs from nothing.
//! Knows: names. Does not know: values, where each is written.

use std::fmt;

/// A setting of a mesh, by the name that messages call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// `rootNamespace`
    RootNamespace,
    /// `trustDomain`
    TrustDomain,
    /// `trustDomainAliases`
    TrustDomainAliases,
    /// `enablePrometheusMerge`
    PrometheusMerge,
    /// `outboundTrafficPolicy`
    Outbound,
    /// The mode of the mesh-wide policy that an operator makes.
    Mtls,
    /// All of `proxyMetadata`
    Metadata,
    /// One entry of `proxyMetadata`
    MetadataEntry(String),
    /// `interceptionMode`
    Interception,
    /// `statusPort`
    StatusPort,
    /// `holdApplicationUntilProxyStarts`
    HoldApplication,
    /// `global.proxy.holdApplicationUntilProxyStarts`
    InjectorHold,
    /// `global.proxy.statusPort`
    InjectorStatusPort,
    /// `includeInboundPorts`
    IncludeInboundPorts,
    /// `excludeInboundPorts`
    ExcludeInboundPorts,
    /// `includeIPRanges`
    IncludeIpRanges,
    /// `excludeIPRanges`
    ExcludeIpRanges,
    /// `includeOutboundPorts`
    IncludeOutboundPorts,
    /// `excludeOutboundPorts`
    ExcludeOutboundPorts,
    /// `enableNamespacesByDefault`
    NamespacesByDefault,
    /// The injector's `policy`
    InjectorPolicy,
    /// `neverInjectSelector`
    NeverInject,
    /// `alwaysInjectSelector`
    AlwaysInject,
}

impl Setting {
    /// What a `defaultConfig` may set.
    pub(super) const OF_DEFAULT_CONFIG: [Self; 4] = [
        Self::Metadata,
        Self::Interception,
        Self::StatusPort,
        Self::HoldApplication,
    ];
    /// What a MeshConfig may set beside.
    pub(super) const OF_MESH_CONFIG: [Self; 5] = [
        Self::RootNamespace,
        Self::TrustDomain,
        Self::TrustDomainAliases,
        Self::PrometheusMerge,
        Self::Outbound,
    ];
    /// What `global.proxy` of the charts' values may set.
    pub(super) const OF_PROXY: [Self; 9] = [
        Self::InjectorHold,
        Self::InjectorStatusPort,
        Self::IncludeInboundPorts,
        Self::ExcludeInboundPorts,
        Self::IncludeIpRanges,
        Self::ExcludeIpRanges,
        Self::IncludeOutboundPorts,
        Self::ExcludeOutboundPorts,
        Self::InjectorPolicy,
    ];
    /// What `sidecarInjectorWebhook` of the charts' values may set.
    pub(super) const OF_WEBHOOK: [Self; 3] = [
        Self::NamespacesByDefault,
        Self::NeverInject,
        Self::AlwaysInject,
    ];
    /// What the injector's own configuration may set.
    pub(super) const OF_INJECTOR: [Self; 3] =
        [Self::InjectorPolicy, Self::NeverInject, Self::AlwaysInject];
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::RootNamespace => "rootNamespace",
            Self::TrustDomain => "trustDomain",
            Self::TrustDomainAliases => "trustDomainAliases",
            Self::PrometheusMerge => "enablePrometheusMerge",
            Self::Outbound => "outboundTrafficPolicy",
            Self::Mtls => "the mode of the mesh",
            Self::Metadata => "proxyMetadata",
            Self::MetadataEntry(key) => return write!(out, "proxyMetadata {key}"),
            Self::Interception => "interceptionMode",
            Self::StatusPort => "statusPort",
            Self::HoldApplication => "holdApplicationUntilProxyStarts",
            Self::InjectorHold => "global.proxy.holdApplicationUntilProxyStarts",
            Self::InjectorStatusPort => "global.proxy.statusPort",
            Self::IncludeInboundPorts => "includeInboundPorts",
            Self::ExcludeInboundPorts => "excludeInboundPorts",
            Self::IncludeIpRanges => "includeIPRanges",
            Self::ExcludeIpRanges => "excludeIPRanges",
            Self::IncludeOutboundPorts => "includeOutboundPorts",
            Self::ExcludeOutboundPorts => "excludeOutboundPorts",
            Self::NamespacesByDefault => "enableNamespacesByDefault",
            Self::InjectorPolicy => "the injector's policy",
            Self::NeverInject => "neverInjectSelector",
            Self::AlwaysInject => "alwaysInjectSelector",
        })
    }
}
