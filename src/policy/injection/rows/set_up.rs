//! What do settings of the injector and of this program come to?

use super::*;

#[test]
#[rustfmt::skip]
fn namespaces_by_default() {
    check(vec![
        Row { settings: vec![by_default(true)], ..proven("said", Sidecar, BY_DEFAULT) },
        Row { settings: vec![by_default(false)], ..assumed("said no", Outside, NO_LABEL) },
        Row { labels: None, settings: vec![by_default(true)], ..assumed("no Namespace", Sidecar, BY_DEFAULT) },
        Row { settings: vec![by_default(true)], annotations: DECLINES,
            ..proven("the annotation declines", Outside, "Deployment shop/web: annotation sidecar.istio.io/inject=false") },
        Row { settings: vec![by_default(true)], pod: &[("sidecar.istio.io/inject", "random")],
            ..assumed("only silent pods", Outside, NO_LABEL) },
        Row { settings: vec![by_default(true)], labels: Some(DISABLED),
            ..proven("disabled", Outside, "Namespace shop: istio-injection=disabled") },
        Row { namespace: "kube-node-lease", settings: vec![by_default(true)],
            ..proven("ignored namespaces", Outside, "namespace kube-node-lease is never injected") },
        Row { settings: vec![by_default(true), again(by_default(false))],
            ..unknown("contradicted", "ConfigMap istio-system/istio-sidecar-injector and ConfigMap istio-system/zz-again say different things about enableNamespacesByDefault") },
        Row { labels: Some(ENABLED), settings: vec![by_default(true), again(by_default(false))],
            ..proven("contradicted where it does not decide", Sidecar, BY_NAMESPACE) },
        Row { settings: vec![injector_config("default"), of_canary(by_default(true))],
            ..assumed("of another revision", Outside, NO_LABEL) },
        Row { labels: Some(AMBIENT), settings: vec![by_default(true)], ..proven("beats ambient", Sidecar, BY_DEFAULT) },
    ]);
}

#[test]
#[rustfmt::skip]
fn the_injectors_set_up() {
    let never = |policy: &str| ControlPlane { never_inject: Some(has("never")), ..self::policy(policy) };
    let always = |policy: &str| ControlPlane { always_inject: Some(has("always")), ..never(policy) };
    const NEVER: Pairs = &[("never", "x")];
    const ALWAYS: Pairs = &[("always", "x")];
    const BY_NEVER: &str = "ConfigMap istio-system/istio-sidecar-injector: neverInjectSelector selects these pods";
    check(vec![
        Row { labels: Some(ENABLED), settings: vec![policy("enabled")], ..proven("enabled", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), settings: vec![policy("disabled")], ..proven("disabled", Outside, POLICY) },
        Row { labels: Some(ENABLED), pod: ASKS, settings: vec![policy("disabled")], ..proven("disabled, the label asks", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), annotations: ASKS, settings: vec![policy("disabled")], ..proven("disabled, the annotation asks", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), settings: vec![policy("off")], ..proven("nonsense", Outside, NONSENSE) },
        Row { labels: Some(ENABLED), pod: ASKS, settings: vec![policy("off")], ..proven("nonsense injects nobody at all", Outside, NONSENSE) },
        Row { labels: Some(ENABLED), pod: NEVER, settings: vec![never("enabled")], ..proven("never", Outside, BY_NEVER) },
        Row { labels: Some(ENABLED), settings: vec![never("enabled")], ..proven("never, other pods", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), pod: NEVER, annotations: ASKS, settings: vec![never("enabled")], ..proven("never, but pods ask", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), pod: ALWAYS, settings: vec![always("disabled")], ..proven("always", Sidecar, BY_NAMESPACE) },
        Row { pod: ALWAYS, settings: vec![always("disabled")], ..assumed("always, but nobody asks", Outside, NO_LABEL) },
        Row { labels: Some(ENABLED), pod: &[("always", "x"), ("never", "x")], settings: vec![always("disabled")], ..proven("never before always", Outside, BY_NEVER) },
        Row { labels: Some(ENABLED), settings: vec![policy("enabled"), again(policy("disabled"))],
            ..unknown("contradicted", "ConfigMap istio-system/istio-sidecar-injector and ConfigMap istio-system/zz-again say different things about the injector's policy") },
        Row { labels: Some(ENABLED), pod: NEVER, settings: vec![never("enabled"), again(never("disabled"))],
            ..proven("contradicted where it does not decide", Outside, BY_NEVER) },
        Row { labels: Some(ENABLED), pod: ASKS, settings: vec![policy("enabled"), again(policy("disabled"))],
            ..proven("contradicted, but pods ask", Sidecar, BY_NAMESPACE) },
        Row { labels: None, pod: CANARY, settings: vec![of_canary(policy("disabled"))],
            ..unknown("disabled, no Namespace: perhaps ztunnel", "ConfigMap istio-system/istio-sidecar-injector-canary: the injector's policy is disabled") },
        Row { labels: Some(CANARY), settings: vec![injector_config("default"), of_canary(policy("disabled"))],
            ..proven("of the pods' revision", Outside, "ConfigMap istio-system/istio-sidecar-injector-canary: the injector's policy is disabled") },
        Row { labels: Some(ENABLED), settings: vec![injector_config("default"), of_canary(policy("disabled"))],
            ..proven("of another revision", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(PROD), settings: vec![injector_config("default"), of_canary(policy("disabled"))], webhooks: vec![injector("canary", Some("prod"))],
            ..proven("behind a tag", Outside, "ConfigMap istio-system/istio-sidecar-injector-canary: the injector's policy is disabled") },
        Row { labels: Some(ENABLED), settings: vec![of_canary(policy("disabled"))], webhooks: vec![injector("canary", Some("default"))],
            ..proven("behind the tag default", Outside, "ConfigMap istio-system/istio-sidecar-injector-canary: the injector's policy is disabled") },
        Row { labels: Some(PROD), settings: vec![policy("disabled")],
            ..unknown("of a revision that is not shown", "the injector's policy is Istio's default") },
        Row { labels: Some(CANARY), settings: vec![of_canary(policy("disabled"))], webhooks: vec![injector("default", None)],
            ..proven("whether it is asked does not matter then", Outside, "ConfigMap istio-system/istio-sidecar-injector-canary: the injector's policy is disabled") },
    ]);
}

#[test]
#[rustfmt::skip]
fn configured_namespaces() {
    use NamespaceInjection::{Ambient as InAmbient, None as Nothing, Sidecar as Injected};
    const SIDECAR: &str = "injection.namespaces.shop: sidecar (configuration)";
    const NONE: &str = "injection.namespaces.shop: none (configuration)";
    check(vec![
        Row { labels: None, configured: Some(Injected), ..proven("sidecar", Sidecar, SIDECAR) },
        Row { configured: Some(Injected), ..proven("sidecar, an unlabelled Namespace", Sidecar, SIDECAR) },
        Row { labels: Some(DISABLED), configured: Some(Injected), ..proven("sidecar wins over the Namespace", Sidecar, SIDECAR) },
        Row { labels: None, configured: Some(Injected), pod: DECLINES,
            ..proven("sidecar, pods decline", Outside, "Deployment shop/web: label sidecar.istio.io/inject=false") },
        Row { labels: None, configured: Some(Injected), host_network: true,
            ..proven("sidecar, hostNetwork", Outside, "Deployment shop/web: hostNetwork") },
        Row { labels: None, configured: Some(Injected), webhooks: vec![injector("canary", None)],
            ..proven("sidecar, whatever webhooks are in the input", Sidecar, SIDECAR) },
        Row { labels: None, configured: Some(Injected), settings: vec![policy("disabled")], ..proven("sidecar is a label, the injector still decides", Outside, POLICY) },
        Row { namespace: "kube-system", labels: None, configured: Some(Injected), ..proven("kube-system", Outside, "namespace kube-system is never injected") },
        Row { labels: None, configured: Some(Nothing), ..proven("none", Outside, NONE) },
        Row { labels: Some(ENABLED), configured: Some(Nothing), ..proven("none wins over the Namespace", Outside, NONE) },
        Row { labels: None, configured: Some(Nothing), pod: ASKS, ..proven("none, pods ask", Sidecar, BY_OWN_LABEL) },
        Row { labels: None, configured: Some(Nothing), pod: AMBIENT,
            ..proven("none, pods in ambient", Ambient, "Deployment shop/web: label istio.io/dataplane-mode=ambient") },
        Row { labels: None, configured: Some(Nothing), settings: vec![by_default(true)], ..proven("none is said, not left unsaid", Outside, NONE) },
        Row { labels: None, configured: Some(Nothing), webhooks: vec![injector_of_all_namespaces("default", None)],
            ..proven("none, though all are asked about", Outside, NONE) },
        Row { labels: None, configured: Some(InAmbient), ..proven("ambient", Ambient, "injection.namespaces.shop: ambient (configuration)") },
        Row { labels: None, configured: Some(InAmbient), pod: &[("istio.io/dataplane-mode", "none")],
            ..proven("ambient, pods leave", Outside, "injection.namespaces.shop: ambient (configuration)") },
        Row { labels: None, configured: Some(InAmbient), pod: CANARY,
            ..proven("ambient, pods ask for a sidecar", Sidecar, "Deployment shop/web: label istio.io/rev=canary") },
        Row { labels: Some(CANARY), configured: Some(InAmbient), ..proven("ambient wins over the Namespace", Ambient, "injection.namespaces.shop: ambient (configuration)") },
    ]);
}
