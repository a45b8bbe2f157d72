//! What does Istio say of a port of pods?
//!
//! Authority: `policy`, which says it of sidecars and of ztunnel; here is which of the two is asked.
//! Departs from nothing: where it is not known which stands before the port, only what both take counts as taken.
//! Knows: the mesh, pods, a port. Does not know: scrapers, endpoints, what follows for a scrape.

use crate::model::Workload;
use crate::policy::{self, DataPlane, Fact, Mesh};

/// What Istio says of a port of pods.
pub(super) struct AtPort {
    /// What stands before it.
    pub(super) injection: policy::Injection,
    /// What the policies say that count there.
    pub(super) mode: policy::Mode,
    /// Whether what stands before it takes the connections to it.
    pub(super) captured: Fact<bool>,
}

/// Asks Istio about a port of pods: sidecars and ztunnel heed policies and annotations of their own.
pub(super) fn at_port(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> AtPort {
    let injection = policy::data_plane(mesh, pods);
    let plane = &injection.fact;
    let mode = match plane.value {
        Some(DataPlane::Ambient) => policy::mode_in_ambient(mesh, pods, port),
        Some(DataPlane::Sidecar | DataPlane::None) | None => policy::mode(mesh, pods, port),
    };
    let captured = match plane.value {
        Some(DataPlane::Sidecar) => policy::captured(mesh, pods, port),
        Some(DataPlane::Ambient) => policy::captured_by_ztunnel(pods, port),
        Some(DataPlane::None) => past_no_data_plane(mesh, pods, port, plane),
        None if injection.else_ambient => captured_by_either(mesh, pods, port),
        None => policy::captured(mesh, pods, port),
    };
    AtPort {
        injection,
        mode,
        captured,
    }
}

/// Nothing takes the port. Where that is not proven, it still is that a sidecar would not take it either.
fn past_no_data_plane(
    mesh: &Mesh<'_>,
    pods: &Workload,
    port: Option<u16>,
    plane: &Fact<DataPlane>,
) -> Fact<bool> {
    let by_sidecar = policy::captured(mesh, pods, port);
    match (plane.proven, by_sidecar.value, by_sidecar.proven) {
        (false, Some(false), true) => by_sidecar,
        (_, _, _) => Fact {
            value: Some(false),
            proven: plane.proven,
            because: Vec::new(),
        },
    }
}

/// Whether the port is taken, by a sidecar or by ztunnel: what the pods keep from the one means nothing to the other.
fn captured_by_either(mesh: &Mesh<'_>, pods: &Workload, port: Option<u16>) -> Fact<bool> {
    let by_sidecar = policy::captured(mesh, pods, port);
    let by_ztunnel = policy::captured_by_ztunnel(pods, port);
    if by_sidecar.value == by_ztunnel.value {
        return Fact {
            proven: by_sidecar.proven && by_ztunnel.proven,
            ..by_sidecar
        };
    }
    Fact {
        value: None,
        proven: false,
        because: [by_sidecar.because, by_ztunnel.because].concat(),
    }
}
