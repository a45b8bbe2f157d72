//! What does an object of the control plane say about the whole mesh?
//!
//! Authority: istio/istio manifests/charts/istio-control/istio-discovery (templates/configmap.yaml, istiod-injector-configmap.yaml, mutatingwebhook.yaml); operator/pkg/apis/types.go (IstioOperator); Sail operator `Istio`; Maistra `ServiceMeshControlPlane`.
//! Departs from it: only what decides about a scrape is read; charts' defaults are not filled in.
//! Knows: one object. Does not know: which of several counts, what nobody says.

mod config_maps;
mod helm_values;
mod maistra;
mod mesh_config;
mod operators;
mod proxy_config;
mod setting;
mod slots;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};

use super::LabelSelector;
use super::field::{Field, Problem, Read, noted};
use super::{Labels, MtlsMode, Object};
use crate::yaml::Json;
use config_maps::ConfigMap;
use maistra::Version;
use slots::Slot;

pub(super) use proxy_config::proxy_config;
pub use setting::Setting;

pub(super) use webhooks::{is_injectors, webhooks};

/// The revision of an istiod that was installed without naming one.
const DEFAULT_REVISION: &str = "default";

/// In which language an object speaks about the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    ConfigMap(ConfigMap),
    IstioOperator,
    SailIstio,
    SailRevision,
    Maistra(Version),
}

impl Language {
    /// The language of objects of a kind; of ConfigMaps only the name tells.
    pub(super) fn of(api_version: &str, kind: &str, name: &str) -> Option<Self> {
        match (api_version, kind) {
            ("v1", "ConfigMap") => ConfigMap::named(name).map(Self::ConfigMap),
            ("install.istio.io/v1alpha1", "IstioOperator") => Some(Self::IstioOperator),
            ("sailoperator.io/v1" | "sailoperator.io/v1alpha1", "Istio") => Some(Self::SailIstio),
            ("sailoperator.io/v1" | "sailoperator.io/v1alpha1", "IstioRevision") => {
                Some(Self::SailRevision)
            }
            ("maistra.io/v1", "ServiceMeshControlPlane") => Some(Self::Maistra(Version::V1)),
            ("maistra.io/v2", "ServiceMeshControlPlane") => Some(Self::Maistra(Version::V2)),
            _ => None,
        }
    }

    /// Whether an object that may speak it does: a ConfigMap of somebody else's may have a name like Istio's.
    pub(super) fn is_spoken_by(self, value: &Json<'_>) -> bool {
        match self {
            Self::ConfigMap(config_map) => config_map.recognises(value),
            Self::IstioOperator | Self::SailIstio | Self::SailRevision | Self::Maistra(_) => true,
        }
    }

    /// What an object says about the meshes of its revisions. A field that cannot be understood is noted and not said.
    pub(super) fn read(
        self,
        object: Object,
        root: &Field<'_>,
        problems: &mut Vec<Problem>,
    ) -> Vec<ControlPlane> {
        let unread = object.clone();
        let planes = match self {
            Self::ConfigMap(config_map) => Ok(vec![config_map.read(object, root, problems)]),
            Self::IstioOperator => {
                operators::istio_operator(object, root, problems).map(|plane| vec![plane])
            }
            Self::SailIstio => {
                operators::sail_istio(object, root, problems).map(|plane| vec![plane])
            }
            Self::SailRevision => {
                operators::sail_revision(object, root, problems).map(|plane| vec![plane])
            }
            Self::Maistra(version) => maistra::control_planes(version, object, root, problems),
        };
        noted(planes, problems).unwrap_or_else(|| {
            let mut plane = ControlPlane::silent(unread, DEFAULT_REVISION);
            mesh_config::hide(&mut plane);
            let settings = Setting::OF_PROXY.into_iter().chain(Setting::OF_WEBHOOK);
            plane.unreadable.extend(settings);
            plane.unreadable.extend(made_by(self));
            vec![plane]
        })
    }
}

/// What an operator makes of an object beside settings.
fn made_by(language: Language) -> Option<Setting> {
    matches!(language, Language::Maistra(_)).then_some(Setting::Mtls)
}

/// Takes over what is said over what was said before, or that it is not understood.
fn set<T>(
    plane: &mut ControlPlane,
    slot: Slot<T>,
    said: Read<Option<T>>,
    problems: &mut Vec<Problem>,
) {
    match noted(said, problems) {
        Some(None) => {}
        Some(Some(said)) => {
            plane.unreadable.remove(&slot.setting);
            *(slot.field)(plane) = Some(said);
        }
        None => {
            plane.unreadable.insert(slot.setting);
            *(slot.field)(plane) = None;
        }
    }
}

/// A port, as a number or as its digits.
fn port(field: &Field<'_>) -> Read<Option<u16>> {
    let number = match field.written() {
        None => return Ok(None),
        Some(Json::Text(digits)) => digits.parse().ok(),
        Some(Json::Number(number)) => number.as_u64().and_then(|number| number.try_into().ok()),
        Some(_) => None,
    };
    match number {
        Some(port) if port > 0 => Ok(Some(port)),
        _ => Err(field.problem("expected a port number from 1 to 65535")),
    }
}

/// What one object says about the mesh of one revision; `None` or empty: it does not say it.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlane {
    /// The object.
    pub object: Object,
    /// The revision of istiod that it configures; `default` where it names none.
    pub revision: String,
    /// `rootNamespace`: policies there hold for the whole mesh.
    pub root_namespace: Option<String>,
    /// `trustDomain`: the first part of every identity.
    pub trust_domain: Option<String>,
    /// `trustDomainAliases`: other names under which policies may mean the trust domain.
    pub trust_domain_aliases: Option<BTreeSet<String>>,
    /// `enablePrometheusMerge`: whether pilot-agent serves the metrics of the application beside its own.
    pub prometheus_merge: Option<bool>,
    /// `outboundTrafficPolicy.mode`.
    pub outbound: Option<OutboundPolicy>,
    /// The mode of a mesh-wide PeerAuthentication that the control plane's operator makes (`security.dataPlane.mtls`).
    pub mtls: Option<MtlsMode>,
    /// `defaultConfig.proxyMetadata`: environment of every proxy.
    pub proxy_metadata: BTreeMap<String, String>,
    /// `defaultConfig.interceptionMode`, as spelled.
    pub interception: Option<String>,
    /// `defaultConfig.statusPort`: where pilot-agent listens.
    pub status_port: Option<u16>,
    /// `defaultConfig.holdApplicationUntilProxyStarts`: whether the other containers start after every proxy is ready.
    pub hold_application: Option<bool>,
    /// `global.proxy.holdApplicationUntilProxyStarts`: whether they do, whatever a proxy's own configuration says.
    pub injector_hold: Option<bool>,
    /// `global.proxy.statusPort`: where the injector takes pilot-agent to listen, so that it leaves the port alone.
    pub injector_status_port: Option<u16>,
    /// `global.proxy.includeInboundPorts`, as spelled: `*` or a list.
    pub include_inbound_ports: Option<String>,
    /// `global.proxy.excludeInboundPorts`, as spelled.
    pub exclude_inbound_ports: Option<String>,
    /// `global.proxy.includeIPRanges`, as spelled: addresses whose requests go through the sidecar.
    pub include_ip_ranges: Option<String>,
    /// `global.proxy.excludeIPRanges`, as spelled.
    pub exclude_ip_ranges: Option<String>,
    /// `global.proxy.includeOutboundPorts`, as spelled.
    pub include_outbound_ports: Option<String>,
    /// `global.proxy.excludeOutboundPorts`, as spelled.
    pub exclude_outbound_ports: Option<String>,
    /// `sidecarInjectorWebhook.enableNamespacesByDefault`: Namespaces without injection label are injected.
    pub namespaces_by_default: Option<bool>,
    /// `policy` of the injector (`global.proxy.autoInject`): `enabled`, `disabled`, or nonsense, which injects nothing by itself.
    pub injector_policy: Option<String>,
    /// `neverInjectSelector`: pods that match one are left alone.
    pub never_inject: Option<Vec<LabelSelector>>,
    /// `alwaysInjectSelector`: pods that match one are injected.
    pub always_inject: Option<Vec<LabelSelector>>,
    /// What it says something about that is not understood.
    pub unreadable: BTreeSet<Setting>,
}

impl ControlPlane {
    /// An object that says nothing yet.
    pub fn silent(object: Object, revision: impl Into<String>) -> Self {
        Self {
            object,
            revision: revision.into(),
            root_namespace: None,
            trust_domain: None,
            trust_domain_aliases: None,
            prometheus_merge: None,
            outbound: None,
            mtls: None,
            proxy_metadata: BTreeMap::new(),
            interception: None,
            status_port: None,
            hold_application: None,
            injector_hold: None,
            injector_status_port: None,
            include_inbound_ports: None,
            exclude_inbound_ports: None,
            include_ip_ranges: None,
            exclude_ip_ranges: None,
            include_outbound_ports: None,
            exclude_outbound_ports: None,
            namespaces_by_default: None,
            injector_policy: None,
            never_inject: None,
            always_inject: None,
            unreadable: BTreeSet::new(),
        }
    }

    /// The part of an object that says some settings. Where it is not understood, none of them is.
    fn part<T>(
        &mut self,
        part: Read<T>,
        settings: &[Setting],
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let part = noted(part, problems);
        if part.is_none() {
            self.unreadable.extend(settings.iter().cloned());
        }
        part
    }

    /// Whether it says something about a setting that is not understood.
    pub fn hides(&self, setting: &Setting) -> bool {
        let is_entry = matches!(setting, Setting::MetadataEntry(_));
        self.unreadable.contains(setting)
            || is_entry && self.unreadable.contains(&Setting::Metadata)
    }
}

/// Where a sidecar sends requests to addresses that the mesh does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundPolicy {
    /// `ALLOW_ANY`: there.
    AllowAny,
    /// `REGISTRY_ONLY`: nowhere.
    RegistryOnly,
}

/// The webhooks by which the API server asks one injector about new pods: a MutatingWebhookConfiguration.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectorWebhooks {
    /// The object.
    pub object: Object,
    /// The revision of the istiod that it asks (label `istio.io/rev`); `default` where it names none.
    pub revision: String,
    /// The tag that stands for the revision (label `istio.io/tag`).
    pub tag: Option<String>,
    /// What makes the API server ask: any one of these.
    pub webhooks: Vec<InjectorWebhook>,
}

/// One webhook of an injector: it is asked about pods that both selectors select.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectorWebhook {
    /// `name`.
    pub name: String,
    /// `namespaceSelector`; empty: every Namespace.
    pub namespaces: LabelSelector,
    /// `objectSelector`; empty: every pod.
    pub pods: LabelSelector,
}

/// A ProxyConfig (networking.istio.io): settings of the proxies of a namespace, of some of its pods, or of the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyConfig {
    /// The object.
    pub object: Object,
    /// `spec.selector.matchLabels`; `None`, no selector: every pod of the namespace, or of the mesh in the root namespace.
    /// An empty one selects no pods.
    pub selector: Option<Labels>,
    /// `spec.environmentVariables`: read like `proxyMetadata`.
    pub environment: Labels,
}
