//! Does a pod serve TLS with Istio's certificates by itself, whatever the policies say?
//!
//! Authority: istio/istio pkg/kube/inject/webhook.go `applySecurePrometheusAnnotation` and release note secure-metrics-port
//! (ports that ask for a mesh certificate in every mode); pilot-agent's `OUTPUT_CERTS`, templates `grpc-agent` and `grpc-simple`.
//! Departs from it: mesh-wide proxyMetadata is not read.
//! Knows: annotations of pods, a port. Does not know: policies.

use serde_json::Value;

use crate::model::{Workload, embedded};

const SECURE_PORTS: [&str; 2] = [
    "ENVOY_SECURE_METRICS_PORT",
    "ENVOY_SECURE_MERGED_METRICS_PORT",
];

/// How a port may serve Istio's certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// The port asks for a certificate of the mesh in every mode.
    Always(String),
    /// The pods hold certificates, and what they do with them nobody says.
    Perhaps(String),
}

/// Whether the pods serve Istio's certificates on a port by themselves, with the evidence.
pub fn serves_istios_certificates(pods: &Workload, port: Option<u16>) -> Option<Serves> {
    let config = pods.annotations.get("proxy.istio.io/config");
    let config = config.and_then(|text| embedded(text).ok());
    let metadata = |name: &str| config.as_ref()?.get("proxyMetadata")?.get(name).cloned();
    let number = |value: Value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|number| u16::try_from(number).ok()),
    };
    let secure = SECURE_PORTS
        .iter()
        .find(|name| port.is_some() && metadata(name).and_then(number) == port);
    if let Some(name) = secure {
        let how = format!(
            "{}: {name} asks for a certificate of the mesh in every mode",
            pods.object
        );
        return Some(Serves::Always(how));
    }
    let proxyless = pods
        .annotations
        .get("inject.istio.io/templates")
        .is_some_and(|templates| templates.contains("grpc-"));
    (proxyless || metadata("OUTPUT_CERTS").is_some()).then(|| {
        Serves::Perhaps(format!(
            "{} holds Istio's certificates itself, and may serve them",
            pods.object
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::annotated;

    const CONFIG: &str = "proxy.istio.io/config";

    /// Only the configured port, as a number or as text.
    #[test]
    fn secure_metrics_ports() {
        for value in ["\"15091\"", "15091"] {
            let config = format!("proxyMetadata: {{ENVOY_SECURE_METRICS_PORT: {value}}}");
            let pods = annotated(&[(CONFIG, &config)]);
            assert!(matches!(
                serves_istios_certificates(&pods, Some(15091)),
                Some(Serves::Always(_))
            ));
            assert_eq!(serves_istios_certificates(&pods, Some(8080)), None);
        }
    }

    /// Pods that hold the files may serve them; others do not.
    #[test]
    fn pods_with_certificates() {
        let output = annotated(&[(CONFIG, "proxyMetadata: {OUTPUT_CERTS: /x}")]);
        let grpc = annotated(&[("inject.istio.io/templates", "grpc-agent")]);
        for pods in [output, grpc] {
            assert!(matches!(
                serves_istios_certificates(&pods, Some(8080)),
                Some(Serves::Perhaps(_))
            ));
        }
        assert_eq!(
            serves_istios_certificates(&annotated(&[]), Some(8080)),
            None
        );
    }
}
