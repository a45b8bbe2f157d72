//! How does a host that looks functions up get to know this one?
//!
//! Authority: KRMFunctionDefinition, config.kubernetes.io/v1alpha1 (kyaml, fn/framework/function_definition.go).
//! Departs from it: nothing; `maintainers` and `publisher` are left out, since nobody resolves them.
//! Knows: the schema of the configuration. Does not know: where the definition is kept.

use serde_json::{Value, json};

use super::{RuleName, of_mesh_metrics, of_scrape_tls, openapi};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The definition of the function ScrapeTLS.
pub fn definition(rules: &[RuleName]) -> Value {
    let examples = [
        "argo-cd",
        "check",
        "config-sync",
        "context",
        "fleet",
        "flux",
        "helm",
        "kpt",
        "kustomize-container",
        "kustomize-exec",
        "mesh-metrics",
        "plain-cli",
        "pull-request",
        "strict",
    ];
    of_function(
        "ScrapeTLS",
        env!("CARGO_PKG_DESCRIPTION"),
        &["mutator", "validator"],
        "functions/istio-scrape-tls",
        &examples,
        &of_scrape_tls(rules),
    )
}

/// The definition of the function MeshMetrics.
pub fn definition_of_mesh_metrics() -> Value {
    of_function(
        "MeshMetrics",
        "Makes the objects that scrape Istio itself, and alerts on what they collect",
        &["generator"],
        "functions/istio-scrape-metrics",
        &["mesh-metrics"],
        &of_mesh_metrics(),
    )
}

fn of_function(
    kind: &str,
    description: &str,
    tags: &[&str],
    manual: &str,
    examples: &[&str],
    schema: &Value,
) -> Value {
    let page = |path: &str| format!("{REPOSITORY}/blob/main/{path}/README.md");
    let examples: Vec<String> = examples
        .iter()
        .map(|example| page(&format!("examples/{example}")))
        .collect();
    let tags: Vec<&str> = tags
        .iter()
        .chain(&["istio", "victoriametrics", "prometheus"])
        .copied()
        .collect();
    json!({
        "apiVersion": "config.kubernetes.io/v1alpha1",
        "kind": "KRMFunctionDefinition",
        "metadata": {"name": format!("{}.istio-scrape.dev", kind.to_lowercase())},
        "spec": {
            "group": "istio-scrape.dev",
            "names": {"kind": kind},
            "description": description,
            "home": REPOSITORY,
            "tags": tags,
            "versions": [{
                "name": "v1alpha1",
                "idempotent": true,
                "usage": page(manual),
                "examples": examples,
                "license": env!("CARGO_PKG_LICENSE"),
                "runtime": {"exec": {"path": "istio-scrape"}},
                "schema": {"openAPIV3Schema": openapi(schema)},
            }],
        },
    })
}
