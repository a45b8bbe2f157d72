//! How does a host that looks functions up get to know this one?
//!
//! Authority: KRMFunctionDefinition, config.kubernetes.io/v1alpha1 (kyaml, fn/framework/function_definition.go).
//! Departs from it: nothing; `maintainers` and `publisher` are left out, since nobody resolves them.
//! Knows: the schema of the configuration. Does not know: where the definition is kept.

use serde_json::{Value, json};

use super::{RuleName, of_scrape_tls, openapi};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The definition of the function ScrapeTLS.
pub fn definition(rules: &[RuleName]) -> Value {
    let page = |path: &str| format!("{REPOSITORY}/blob/main/{path}/README.md");
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
        "plain-cli",
        "pull-request",
        "strict",
    ]
    .map(|example| page(&format!("examples/{example}")));
    json!({
        "apiVersion": "config.kubernetes.io/v1alpha1",
        "kind": "KRMFunctionDefinition",
        "metadata": {"name": "scrapetls.istio-scrape.dev"},
        "spec": {
            "group": "istio-scrape.dev",
            "names": {"kind": "ScrapeTLS"},
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "home": REPOSITORY,
            "tags": ["mutator", "validator", "istio", "victoriametrics", "prometheus"],
            "versions": [{
                "name": "v1alpha1",
                "idempotent": true,
                "usage": page("functions/istio-scrape-tls"),
                "examples": examples,
                "license": env!("CARGO_PKG_LICENSE"),
                "runtime": {"exec": {"path": "istio-scrape"}},
                "schema": {"openAPIV3Schema": openapi(&of_scrape_tls(rules))},
            }],
        },
    })
}
