//! What do the namespaces, the policies and the scraper of the data look like?

use super::list::Object;

pub(crate) fn namespace(name: &str) -> Object {
    Object {
        group: "",
        version: "v1",
        kind: "Namespace",
        namespace: String::new(),
        name: name.to_owned(),
        text: format!(
            "\
apiVersion: v1
kind: Namespace
metadata:
  annotations:
  labels:
    istio-injection: enabled
  name: {name}
"
        ),
    }
}

pub(crate) fn policy(namespace: &str, mode: &str) -> Object {
    Object {
        group: "security.istio.io",
        version: "v1",
        kind: "PeerAuthentication",
        namespace: namespace.to_owned(),
        name: "default".to_owned(),
        text: format!(
            "\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  annotations:
  name: default
  namespace: {namespace}
spec:
  mtls:
    mode: {mode}
"
        ),
    }
}

/// A policy of one workload's port.
pub(crate) fn policy_of_port(namespace: &str, app: &str) -> Object {
    Object {
        group: "security.istio.io",
        version: "v1",
        kind: "PeerAuthentication",
        namespace: namespace.to_owned(),
        name: app.to_owned(),
        text: format!(
            "\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  annotations:
  name: {app}
  namespace: {namespace}
spec:
  portLevelMtls:
    \"9113\":
      mode: PERMISSIVE
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
"
        ),
    }
}

pub(crate) fn agent(namespace: &str) -> Object {
    Object {
        group: "operator.victoriametrics.com",
        version: "v1beta1",
        kind: "VMAgent",
        namespace: namespace.to_owned(),
        name: "agent".to_owned(),
        text: format!(
            "\
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMAgent
metadata:
  annotations:
  name: agent
  namespace: {namespace}
spec:
  extraArgs:
    promscrape.maxScrapeSize: \"33554432\"
  remoteWrite:
  - url: http://vmsingle-main.{namespace}.svc:8429/api/v1/write
  selectAllByDefault: true
"
        ),
    }
}
