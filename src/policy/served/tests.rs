//! Which ports of a pod are special, by annotation and by the mesh?
//!
//! Authority: istio/istio tests/integration/telemetry `TestSecureMetricsPorts`: the four ports, with both settings.
//! Departs from it: nothing is sent.
//! Knows: configurations, ports. Does not know: demands.

use super::*;
use crate::config::Config;
use crate::model::{ControlPlane, Inventory};
use crate::policy::Settings;
use crate::policy::fixture::{annotated, control_plane, mesh};

const CONFIG: &str = "proxy.istio.io/config";
const MOUNTS: &str = "sidecar.istio.io/userVolumeMount";
const HARDENED: &[(&str, &str)] = &[
    ("ENVOY_SECURE_METRICS_PORT", "15091"),
    ("ENVOY_SECURE_MERGED_METRICS_PORT", "15092"),
    ("METRICS_LOCALHOST_ACCESS_ONLY", "true"),
];

fn by_annotation(config: &str, port: u16) -> Option<Serves> {
    let inventory = Inventory::default();
    serves_istios_certificates(
        &mesh(&inventory),
        &annotated(&[(CONFIG, config)]),
        Some(port),
    )
}

/// With these settings of meshes, whose revisions nobody knows apart.
fn by_mesh(metadata: &[&[(&str, &str)]], pods: &Workload, port: u16) -> Option<Serves> {
    let text = |text: &&str| (*text).to_owned();
    let planes = metadata.iter().map(|pairs| ControlPlane {
        proxy_metadata: pairs
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect(),
        ..control_plane("istio", "default")
    });
    let inventory = Inventory {
        control_planes: planes.collect(),
        ..Inventory::default()
    };
    let settings = Settings::of(&inventory, &Config::default());
    let mesh = Mesh {
        inventory: &inventory,
        settings: &settings,
    };
    serves_istios_certificates(&mesh, pods, Some(port))
}

/// Only the configured port.
#[test]
fn secure_metrics_ports() {
    let config = "proxyMetadata: {ENVOY_SECURE_METRICS_PORT: \"15091\"}";
    assert!(matches!(
        by_annotation(config, 15091),
        Some(Serves::Always(_))
    ));
    assert_eq!(by_annotation(config, 15092), None);
    assert_eq!(by_annotation(config, 8080), None);
    let off = "proxyMetadata: {ENVOY_SECURE_METRICS_PORT: \"0\"}";
    assert_eq!(by_annotation(off, 15091), None);
}

#[test]
fn secure_metrics_ports_of_the_mesh() {
    let plain = annotated(&[]);
    for port in [15091, 15092] {
        let serves = by_mesh(&[HARDENED], &plain, port);
        assert!(matches!(serves, Some(Serves::Always(_))), "{port}");
    }
    assert_eq!(by_mesh(&[HARDENED], &plain, 8080), None);
    let own = annotated(&[(CONFIG, "proxyMetadata: {ENVOY_SECURE_METRICS_PORT: \"\"}")]);
    assert_eq!(by_mesh(&[HARDENED], &own, 15091), None);
    assert!(by_mesh(&[HARDENED], &own, 15092).is_some());
}

/// Objects that disagree leave open only the ports that they name.
#[test]
fn secure_metrics_ports_unknown() {
    let other: &[(&str, &str)] = &[("ENVOY_SECURE_METRICS_PORT", "15093")];
    for port in [15091, 15093] {
        let serves = by_mesh(&[HARDENED, other], &annotated(&[]), port);
        assert!(matches!(serves, Some(Serves::Undecided(_))), "{port}");
    }
    assert_eq!(by_mesh(&[HARDENED, other], &annotated(&[]), 8080), None);
}

/// 15090 and the status port answer nobody else, other ports do.
#[test]
fn metrics_from_localhost_only() {
    let plain = annotated(&[]);
    for port in [15090, 15020] {
        let serves = by_mesh(&[HARDENED], &plain, port);
        assert!(matches!(serves, Some(Serves::OnlyWithin(_))), "{port}");
    }
    let config = "statusPort: 15999\nproxyMetadata: {METRICS_LOCALHOST_ACCESS_ONLY: \"true\"}";
    assert!(matches!(
        by_annotation(config, 15999),
        Some(Serves::OnlyWithin(_))
    ));
    assert_eq!(by_annotation(config, 15020), None);
    let own = "proxyMetadata: {METRICS_LOCALHOST_ACCESS_ONLY: \"false\"}";
    let own = annotated(&[(CONFIG, own)]);
    assert_eq!(by_mesh(&[HARDENED], &own, 15090), None);
    let silent: &[(&str, &str)] = &[("METRICS_LOCALHOST_ACCESS_ONLY", "false")];
    let serves = by_mesh(&[HARDENED, silent], &plain, 15090);
    assert!(matches!(serves, Some(Serves::Undecided(_))));
}

/// Pods that hold the files may serve them; others do not.
#[test]
fn pods_with_certificates() {
    let inventory = Inventory::default();
    let serves = |pods: &Workload| serves_istios_certificates(&mesh(&inventory), pods, Some(8080));
    let output = annotated(&[(CONFIG, "proxyMetadata: {OUTPUT_CERTS: /x}")]);
    let grpc = annotated(&[("inject.istio.io/templates", "grpc-agent")]);
    for pods in [output, grpc] {
        assert!(matches!(serves(&pods), Some(Serves::Perhaps(_))));
    }
    assert_eq!(serves(&annotated(&[])), None);
}

/// A directory that only the mesh names is nowhere in most pods: nothing is written there.
#[test]
fn certificates_by_default_need_a_volume() {
    let output: &[(&str, &str)] = &[("OUTPUT_CERTS", "/x/")];
    let serves = |mounts: &[(&str, &str)]| by_mesh(&[output], &annotated(mounts), 8080);
    assert_eq!(serves(&[]), None);
    assert_eq!(
        serves(&[(MOUNTS, r#"[{"name": "v", "mountPath": "/y"}]"#)]),
        None
    );
    for mounts in [
        r#"[{"name": "v", "mountPath": "/x"}]"#,
        r#"{"v": {"mountPath": "/x/"}}"#,
    ] {
        assert!(matches!(
            serves(&[(MOUNTS, mounts)]),
            Some(Serves::Perhaps(_))
        ));
    }
    assert_eq!(
        by_mesh(&[&[("OUTPUT_CERTS", "")]], &annotated(&[]), 8080),
        None
    );
}
