//! Does ztunnel refuse a stranger on a port, given the policies that count?
//!
//! Authority: istio/istio pilot/pkg/serviceregistry/ambient/authorization.go `convertedSelectorPeerAuthentications` (what a pod
//! refers to) and `convertPeerAuthentication` (what a policy becomes); istio/ztunnel src/rbac.rs `Authorization::matches`,
//! src/state.rs `assert_rbac` (a name that nothing stands behind is passed over).
//! Departs from it: one port and a peer without identity are worked out instead of a policy for all of them.
//! Knows: what policies say. Does not know: which of them count, or whom they select.

use crate::model::{MtlsMode, PeerAuthentication};

/// What istiod reads of a policy, one port in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// `mtls`; `None`: inherited.
    pub(super) mode: Option<MtlsMode>,
    /// What it sets for the port in mind.
    at_port: Option<MtlsMode>,
    /// Some port is STRICT.
    strict_ports: bool,
    /// Some port is PERMISSIVE.
    permissive_ports: bool,
    /// Some port is DISABLE.
    disabled_ports: bool,
    /// It has a selector, if only an empty one.
    pub(super) selector_written: bool,
}

impl Said {
    /// By a policy whose ports do not count: of the mesh or a namespace.
    pub(super) fn by_parent(policy: &PeerAuthentication) -> Self {
        Self {
            mode: policy.mode,
            at_port: None,
            strict_ports: false,
            permissive_ports: false,
            disabled_ports: false,
            selector_written: policy.selector_written,
        }
    }

    /// By a policy of workloads.
    pub(super) fn by_workload(policy: &PeerAuthentication, port: Option<u16>) -> Self {
        let sets = |wanted| policy.ports.values().any(|mode| *mode == Some(wanted));
        Self {
            at_port: port.and_then(|port| policy.ports.get(&port).copied().flatten()),
            strict_ports: sets(MtlsMode::Strict),
            permissive_ports: sets(MtlsMode::Permissive),
            disabled_ports: sets(MtlsMode::Disable),
            ..Self::by_parent(policy)
        }
    }

    /// The same policy with another mode and without ports: what its correction may say.
    pub(super) fn corrected(self, mode: Option<MtlsMode>) -> Self {
        Self {
            mode,
            at_port: None,
            strict_ports: false,
            permissive_ports: false,
            disabled_ports: false,
            ..self
        }
    }
}

/// What stands above a policy of workloads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parents {
    /// The mesh is STRICT.
    pub(super) strict_mesh: bool,
    /// The namespace has a policy; what its mode is.
    pub(super) namespace: Option<Option<MtlsMode>>,
}

impl Parents {
    fn are_strict(self) -> bool {
        match self.namespace {
            Some(Some(mode)) => mode == MtlsMode::Strict,
            Some(None) | None => self.strict_mesh,
        }
    }
}

/// What a pod refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attached {
    Nothing,
    /// The policy that refuses every stranger.
    StaticStrict,
    /// What the workload's own policy is converted into.
    Converted,
}

/// Whether a peer without identity is refused. The parents are found twice, and not always the same: once for what the
/// pod refers to, once for what its policy is converted into.
pub(super) fn refuses_strangers(
    workload: Option<Said>,
    parents: Parents,
    when_converting: Parents,
) -> bool {
    let Some(workload) = workload else {
        return parents.are_strict();
    };
    match attached(workload, parents) {
        Attached::Nothing => false,
        Attached::StaticStrict => true,
        Attached::Converted => converted_refuses(workload, when_converting),
    }
}

/// Exceptions from STRICT need the policy's own conversion. Under an inherited STRICT only PERMISSIVE ports are looked
/// for: a DISABLE port alone is no exception.
fn attached(workload: Said, parents: Parents) -> Attached {
    use MtlsMode::{Disable, Permissive, Strict};
    let is_strict = workload
        .mode
        .map_or(parents.are_strict(), |mode| mode == Strict);
    let has_exceptions = match workload.mode {
        Some(Strict) => workload.permissive_ports || workload.disabled_ports,
        Some(Permissive | Disable) => workload.strict_ports,
        None if is_strict => workload.permissive_ports,
        None => workload.strict_ports,
    };
    match (has_exceptions, is_strict) {
        (true, _) => Attached::Converted,
        (false, true) => Attached::StaticStrict,
        (false, false) => Attached::Nothing,
    }
}

/// Whether what the policy becomes refuses a stranger. It may become nothing: a namespace policy that is there but UNSET
/// counts as open for exceptions from STRICT, and under a STRICT mesh that no namespace policy answers, a STRICT port is left to the
/// mesh even if the workload is open.
fn converted_refuses(workload: Said, parents: Parents) -> bool {
    use MtlsMode::{Disable, Permissive, Strict};
    let by_mesh = parents.namespace.flatten().is_none() && parents.strict_mesh;
    let by_namespace = parents.namespace == Some(Some(Strict));
    let left_to_parents = match workload.mode {
        Some(Strict) => true,
        Some(Permissive | Disable) => by_mesh,
        None => by_mesh || by_namespace,
    };
    let guards_exceptions = match workload.mode {
        Some(Strict) => true,
        Some(Permissive | Disable) => false,
        None => match parents.namespace {
            Some(mode) => mode == Some(Strict),
            None => parents.strict_mesh,
        },
    };
    let has_exceptions =
        guards_exceptions && (workload.permissive_ports || workload.disabled_ports);
    match workload.at_port {
        Some(Strict) => !left_to_parents || has_exceptions,
        Some(Permissive | Disable) => false,
        None => has_exceptions,
    }
}
