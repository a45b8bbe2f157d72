//! What is set for the whole mesh, and who says so?
//!
//! Authority: istio/istio pkg/config/mesh/mesh.go `DefaultMeshConfig`; manifests/charts/istio-control/istio-discovery/values.yaml.
//! Departs from it: what is configured for this program wins over objects; objects that contradict each other, or that nobody can read, leave a setting unknown; a revision of which the input shows nothing may be set as any that it shows, or as the charts' defaults.
//! Knows: objects of the control plane, revisions, our configuration. Does not know: pods.

mod mesh_level;
mod sayings;

use std::collections::{BTreeMap, BTreeSet};

use super::Fact;
use super::injector::InjectorSettings;
use crate::config::{Config, NamespaceInjection};
use crate::model::{
    ControlPlane, InjectorWebhooks, Inventory, MtlsMode, Object, OutboundPolicy, Setting,
};
use sayings::{Sayings, contradicted_by_configuration, proxy_metadata};

const TRUST_DOMAIN: &str = "cluster.local";
/// pilot-agent's own port.
const STATUS_PORT: u16 = 15020;

/// The settings of every revision.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Those of revisions of which the input shows something.
    shown: BTreeMap<String, MeshSettings>,
    /// Those of any other: what all shown ones and the charts' defaults have in common.
    unshown: MeshSettings,
    /// Those of pods that name no revision: what all shown ones have in common.
    any: MeshSettings,
    /// What may hold where no mesh-level policy is in the input, and who says so; empty: nobody says anything.
    pub(super) default_modes: BTreeMap<MtlsMode, String>,
    /// `injection.namespaces` of the configuration.
    pub(super) namespaces: BTreeMap<String, NamespaceInjection>,
    /// What different objects, or an object and the configuration, say differently.
    pub contradictions: Vec<Contradiction>,
}

/// What is set for the mesh of one revision.
#[derive(Debug, Clone, PartialEq)]
pub struct MeshSettings {
    /// The root namespace; several where it is not known which.
    pub root_namespaces: BTreeSet<String>,
    /// The objects that name them; empty: it is configured, or Istio's default.
    pub root_because: Vec<String>,
    /// `trustDomain`
    pub trust_domain: Fact<String>,
    /// `trustDomainAliases`
    pub trust_domain_aliases: Fact<BTreeSet<String>>,
    /// `enablePrometheusMerge`
    pub prometheus_merge: Fact<bool>,
    /// `outboundTrafficPolicy.mode`
    pub outbound: Fact<OutboundPolicy>,
    /// `interceptionMode` of every proxy.
    pub interception: Fact<String>,
    /// `statusPort` of every proxy: where pilot-agent listens.
    pub status_port: Fact<u16>,
    /// Whether the other containers start after the proxy, by its configuration.
    pub hold_application: Fact<bool>,
    /// Whether they do, whatever its configuration says.
    pub injector_hold: Fact<bool>,
    /// The port that the injector takes for pilot-agent's, and has sidecars leave alone.
    pub injector_status_port: Fact<u16>,
    /// Inbound ports that sidecars take: `*` or a list.
    pub include_inbound_ports: Fact<String>,
    /// Inbound ports that they leave alone if they take all.
    pub exclude_inbound_ports: Fact<String>,
    /// Addresses whose requests sidecars take: `*` or a list.
    pub include_ip_ranges: Fact<String>,
    /// Addresses whose requests they leave alone.
    pub exclude_ip_ranges: Fact<String>,
    /// Ports whose requests they take beside.
    pub include_outbound_ports: Fact<String>,
    /// Ports whose requests they leave alone.
    pub exclude_outbound_ports: Fact<String>,
    /// `proxyMetadata` of every proxy.
    pub proxy_metadata: BTreeMap<String, Fact<String>>,
    /// How the injector decides about pods that it is asked about.
    pub injector: InjectorSettings,
    /// Whether Namespaces without injection label are injected.
    pub namespaces_by_default: Fact<bool>,
}

/// A setting of which two things are said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contradiction {
    /// The object that a finding about it belongs to.
    pub object: Object,
    /// What is said, and which of it counts.
    pub what: String,
}

impl Settings {
    /// The settings as configuration and input have them.
    pub fn of(inventory: &Inventory, config: &Config) -> Self {
        let mut by_revision: BTreeMap<&str, Vec<&ControlPlane>> = BTreeMap::new();
        for plane in &inventory.control_planes {
            by_revision.entry(&plane.revision).or_default().push(plane);
        }
        let mut contradictions = Vec::new();
        let shown: BTreeMap<String, MeshSettings> = by_revision
            .into_iter()
            .map(|(revision, planes)| {
                let settings =
                    MeshSettings::said_by(inventory, &planes, config, &mut contradictions);
                (revision.to_owned(), settings)
            })
            .collect();
        let defaults = MeshSettings::said_by(inventory, &[], config, &mut Vec::new());
        let any = shown
            .values()
            .cloned()
            .reduce(|one, other| one.in_common(&other))
            .unwrap_or_else(|| defaults.clone());
        let unshown = shown.values().fold(defaults, MeshSettings::in_common);
        let default_modes = mesh_level::default_modes(inventory, config, &mut contradictions);
        contradictions.sort();
        contradictions.dedup();
        Self {
            shown,
            unshown,
            any,
            default_modes,
            namespaces: config.namespaces.clone(),
            contradictions,
        }
    }

    /// The root namespaces of all revisions: where a policy without selector may hold for the whole mesh.
    pub fn root_namespaces(&self) -> &BTreeSet<String> {
        &self.any.root_namespaces
    }

    /// Whether the configuration says which inbound ports are excluded, so that it holds for pods of any revision.
    pub(super) fn excluded_ports_are_configured(&self) -> bool {
        self.unshown.exclude_inbound_ports.proven
    }

    /// Whether all revisions' root namespaces are known; where nobody can read one it may be any.
    pub fn roots_are_known(&self) -> bool {
        !self.root_namespaces().contains(mesh_level::ELSEWHERE)
    }

    /// The settings of a revision; `None`: of pods of which nobody knows the revision.
    pub fn of_revision(&self, revision: Option<&str>) -> &MeshSettings {
        match revision {
            Some(revision) => self.shown.get(revision).unwrap_or(&self.unshown),
            None => &self.any,
        }
    }
}

/// The revision of the istiod behind the name of a revision or tag, as far as the input shows tags; `None`: the tag is
/// there for several revisions.
pub(super) fn revision_behind<'n>(inventory: &'n Inventory, name: &'n str) -> Option<&'n str> {
    let of_tag = |injector: &&InjectorWebhooks| injector.tag.as_deref() == Some(name);
    let mut tags = inventory.injectors.iter().filter(of_tag);
    match tags.next() {
        None => Some(name),
        Some(InjectorWebhooks { revision, .. }) => tags
            .all(|other| other.revision == *revision)
            .then_some(revision),
    }
}

impl MeshSettings {
    fn said_by(
        inventory: &Inventory,
        planes: &[&ControlPlane],
        config: &Config,
        contradictions: &mut Vec<Contradiction>,
    ) -> Self {
        let mut sayings = Sayings {
            planes,
            contradictions,
        };
        let everywhere = || "*".to_owned();
        let nothing = String::new;
        let (root_namespaces, root_because) =
            mesh_level::root_namespaces(&mut sayings, inventory, config);
        Self {
            root_namespaces,
            root_because,
            trust_domain: sayings.fact(&Setting::TrustDomain, TRUST_DOMAIN.to_owned(), |plane| {
                plane.trust_domain.clone()
            }),
            trust_domain_aliases: sayings.fact(
                &Setting::TrustDomainAliases,
                BTreeSet::new(),
                |plane| plane.trust_domain_aliases.clone(),
            ),
            prometheus_merge: sayings.fact(&Setting::PrometheusMerge, true, |plane| {
                plane.prometheus_merge
            }),
            outbound: sayings.fact(&Setting::Outbound, OutboundPolicy::AllowAny, |plane| {
                plane.outbound
            }),
            interception: sayings.fact(&Setting::Interception, "REDIRECT".to_owned(), |plane| {
                plane.interception.clone()
            }),
            status_port: sayings.fact(&Setting::StatusPort, STATUS_PORT, |plane| plane.status_port),
            hold_application: sayings.fact(&Setting::HoldApplication, false, |plane| {
                plane.hold_application
            }),
            injector_hold: sayings.fact(&Setting::InjectorHold, false, |plane| plane.injector_hold),
            injector_status_port: sayings.fact(
                &Setting::InjectorStatusPort,
                STATUS_PORT,
                |plane| plane.injector_status_port,
            ),
            include_inbound_ports: sayings.fact(
                &Setting::IncludeInboundPorts,
                everywhere(),
                |plane| plane.include_inbound_ports.clone(),
            ),
            exclude_inbound_ports: excluded_ports(&mut sayings, config),
            include_ip_ranges: sayings.fact(&Setting::IncludeIpRanges, everywhere(), |plane| {
                plane.include_ip_ranges.clone()
            }),
            exclude_ip_ranges: sayings.fact(&Setting::ExcludeIpRanges, nothing(), |plane| {
                plane.exclude_ip_ranges.clone()
            }),
            include_outbound_ports: sayings.fact(
                &Setting::IncludeOutboundPorts,
                nothing(),
                |plane| plane.include_outbound_ports.clone(),
            ),
            exclude_outbound_ports: sayings.fact(
                &Setting::ExcludeOutboundPorts,
                nothing(),
                |plane| plane.exclude_outbound_ports.clone(),
            ),
            proxy_metadata: proxy_metadata(&mut sayings),
            injector: injector(&mut sayings),
            namespaces_by_default: sayings.fact(&Setting::NamespacesByDefault, false, |plane| {
                plane.namespaces_by_default
            }),
        }
    }

    /// What holds whichever of two it is.
    fn in_common(self, other: &Self) -> Self {
        let mut proxy_metadata = self.proxy_metadata;
        for (key, fact) in &other.proxy_metadata {
            let missing = || Fact::unknown("not every revision sets it");
            let own = proxy_metadata.remove(key).unwrap_or_else(missing);
            proxy_metadata.insert(key.clone(), alike(own, fact));
        }
        for (key, fact) in &mut proxy_metadata {
            if !other.proxy_metadata.contains_key(key) {
                fact.value = None;
                fact.proven = false;
            }
        }
        let mut root_because = self.root_because;
        for because in &other.root_because {
            if !root_because.contains(because) {
                root_because.push(because.clone());
            }
        }
        Self {
            root_namespaces: &self.root_namespaces | &other.root_namespaces,
            root_because,
            trust_domain: alike(self.trust_domain, &other.trust_domain),
            trust_domain_aliases: alike(self.trust_domain_aliases, &other.trust_domain_aliases),
            prometheus_merge: alike(self.prometheus_merge, &other.prometheus_merge),
            outbound: alike(self.outbound, &other.outbound),
            interception: alike(self.interception, &other.interception),
            status_port: alike(self.status_port, &other.status_port),
            hold_application: alike(self.hold_application, &other.hold_application),
            injector_hold: alike(self.injector_hold, &other.injector_hold),
            injector_status_port: alike(self.injector_status_port, &other.injector_status_port),
            include_inbound_ports: alike(self.include_inbound_ports, &other.include_inbound_ports),
            exclude_inbound_ports: alike(self.exclude_inbound_ports, &other.exclude_inbound_ports),
            include_ip_ranges: alike(self.include_ip_ranges, &other.include_ip_ranges),
            exclude_ip_ranges: alike(self.exclude_ip_ranges, &other.exclude_ip_ranges),
            include_outbound_ports: alike(
                self.include_outbound_ports,
                &other.include_outbound_ports,
            ),
            exclude_outbound_ports: alike(
                self.exclude_outbound_ports,
                &other.exclude_outbound_ports,
            ),
            proxy_metadata,
            injector: self.injector.in_common(&other.injector),
            namespaces_by_default: alike(self.namespaces_by_default, &other.namespaces_by_default),
        }
    }
}

/// A fact that two revisions share, else unknown.
pub(super) fn alike<T: Clone + PartialEq>(own: Fact<T>, other: &Fact<T>) -> Fact<T> {
    if own.value == other.value {
        return Fact {
            proven: own.proven && other.proven,
            ..own
        };
    }
    let mut because = own.because;
    because.extend(other.because.iter().cloned());
    because.push("the revision of the pods is not in the input".to_owned());
    Fact {
        value: None,
        proven: false,
        because,
    }
}

fn excluded_ports(sayings: &mut Sayings<'_>, config: &Config) -> Fact<String> {
    let Some(configured) = &config.exclude_inbound_ports else {
        return sayings.fact(&Setting::ExcludeInboundPorts, String::new(), |plane| {
            plane.exclude_inbound_ports.clone()
        });
    };
    contradicted_by_configuration(sayings, "mesh.excludeInboundPorts", |plane| {
        plane
            .exclude_inbound_ports
            .as_ref()
            .is_some_and(|list| super::annotations::port_list(list).as_ref() != Some(configured))
    });
    let list: Vec<String> = configured.iter().map(u16::to_string).collect();
    Fact::proven(
        list.join(","),
        "mesh.excludeInboundPorts (configuration)".to_owned(),
    )
}

fn injector(sayings: &mut Sayings<'_>) -> InjectorSettings {
    InjectorSettings {
        policy: sayings.fact(&Setting::InjectorPolicy, "enabled".to_owned(), |plane| {
            plane.injector_policy.clone()
        }),
        never: sayings.fact(&Setting::NeverInject, Vec::new(), |plane| {
            plane.never_inject.clone()
        }),
        always: sayings.fact(&Setting::AlwaysInject, Vec::new(), |plane| {
            plane.always_inject.clone()
        }),
    }
}

#[cfg(test)]
mod said;
#[cfg(test)]
mod tests;
