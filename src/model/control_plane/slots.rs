//! Which field holds which setting?
//!
//! Authority: [`ControlPlane`], field by field.
//! Departs from nothing.
//! Knows: settings, fields. Does not know: which objects say a setting.

use std::collections::BTreeSet;

use super::super::LabelSelector;
use super::{ControlPlane, OutboundPolicy, Setting};
use crate::model::MtlsMode;

/// A setting, and the field for what is said about it.
#[derive(Debug)]
pub(super) struct Slot<T: 'static> {
    /// The setting.
    pub(super) setting: Setting,
    /// The field.
    pub(super) field: fn(&mut ControlPlane) -> &mut Option<T>,
}

impl<T> Slot<T> {
    const fn new(setting: Setting, field: fn(&mut ControlPlane) -> &mut Option<T>) -> Self {
        Self { setting, field }
    }
}

pub(super) const ALWAYS_INJECT: Slot<Vec<LabelSelector>> =
    Slot::new(Setting::AlwaysInject, |plane| &mut plane.always_inject);
pub(super) const EXCLUDE_INBOUND_PORTS: Slot<String> =
    Slot::new(Setting::ExcludeInboundPorts, |plane| {
        &mut plane.exclude_inbound_ports
    });
pub(super) const EXCLUDE_IP_RANGES: Slot<String> = Slot::new(Setting::ExcludeIpRanges, |plane| {
    &mut plane.exclude_ip_ranges
});
pub(super) const EXCLUDE_OUTBOUND_PORTS: Slot<String> =
    Slot::new(Setting::ExcludeOutboundPorts, |plane| {
        &mut plane.exclude_outbound_ports
    });
pub(super) const HOLD_APPLICATION: Slot<bool> = Slot::new(Setting::HoldApplication, |plane| {
    &mut plane.hold_application
});
pub(super) const INCLUDE_INBOUND_PORTS: Slot<String> =
    Slot::new(Setting::IncludeInboundPorts, |plane| {
        &mut plane.include_inbound_ports
    });
pub(super) const INCLUDE_IP_RANGES: Slot<String> = Slot::new(Setting::IncludeIpRanges, |plane| {
    &mut plane.include_ip_ranges
});
pub(super) const INCLUDE_OUTBOUND_PORTS: Slot<String> =
    Slot::new(Setting::IncludeOutboundPorts, |plane| {
        &mut plane.include_outbound_ports
    });
pub(super) const INJECTOR_HOLD: Slot<bool> =
    Slot::new(Setting::InjectorHold, |plane| &mut plane.injector_hold);
pub(super) const INJECTOR_POLICY: Slot<String> =
    Slot::new(Setting::InjectorPolicy, |plane| &mut plane.injector_policy);
pub(super) const INJECTOR_STATUS_PORT: Slot<u16> =
    Slot::new(Setting::InjectorStatusPort, |plane| {
        &mut plane.injector_status_port
    });
pub(super) const INTERCEPTION: Slot<String> =
    Slot::new(Setting::Interception, |plane| &mut plane.interception);
pub(super) const MTLS: Slot<MtlsMode> = Slot::new(Setting::Mtls, |plane| &mut plane.mtls);
pub(super) const NAMESPACES_BY_DEFAULT: Slot<bool> =
    Slot::new(Setting::NamespacesByDefault, |plane| {
        &mut plane.namespaces_by_default
    });
pub(super) const NEVER_INJECT: Slot<Vec<LabelSelector>> =
    Slot::new(Setting::NeverInject, |plane| &mut plane.never_inject);
pub(super) const OUTBOUND: Slot<OutboundPolicy> =
    Slot::new(Setting::Outbound, |plane| &mut plane.outbound);
pub(super) const PROMETHEUS_MERGE: Slot<bool> = Slot::new(Setting::PrometheusMerge, |plane| {
    &mut plane.prometheus_merge
});
pub(super) const ROOT_NAMESPACE: Slot<String> =
    Slot::new(Setting::RootNamespace, |plane| &mut plane.root_namespace);
pub(super) const STATUS_PORT: Slot<u16> =
    Slot::new(Setting::StatusPort, |plane| &mut plane.status_port);
pub(super) const TRUST_DOMAIN: Slot<String> =
    Slot::new(Setting::TrustDomain, |plane| &mut plane.trust_domain);
pub(super) const TRUST_DOMAIN_ALIASES: Slot<BTreeSet<String>> =
    Slot::new(Setting::TrustDomainAliases, |plane| {
        &mut plane.trust_domain_aliases
    });
