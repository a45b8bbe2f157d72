//! Do both gates, ambient and what is configured come together to what a cluster would show?
//!
//! Authority: istio/istio, each row by hand from the templates and functions that `asked.rs`, `injector.rs` and `webhook.rs` name.
//! Departs from it: what is proven, what is unknown and what the evidence opens with are ours.
//! Knows: `Deployment web`, its namespace, webhooks and settings of the mesh. Does not know: policies, ports.

use super::*;
use crate::config::{Config, NamespaceInjection};
use crate::model::LabelSelector;
use crate::model::{ControlPlane, InjectorWebhook, InjectorWebhooks, Inventory};
use crate::policy::Settings;
use crate::policy::fixture::{
    container, injector, injector_config, injector_of_all_namespaces, inventory, labels, namespace,
    selector, workload,
};

use DataPlane::{Ambient, None as Outside, Sidecar};

mod set_up;

type Pairs = &'static [(&'static str, &'static str)];

const ENABLED: Pairs = &[("istio-injection", "enabled")];
const DISABLED: Pairs = &[("istio-injection", "disabled")];
const CANARY: Pairs = &[("istio.io/rev", "canary")];
const PROD: Pairs = &[("istio.io/rev", "prod")];
const AMBIENT: Pairs = &[("istio.io/dataplane-mode", "ambient")];
const ASKS: Pairs = &[("sidecar.istio.io/inject", "true")];
const DECLINES: Pairs = &[("sidecar.istio.io/inject", "false")];
const INJECTED: Pairs = &[("sidecar.istio.io/status", r#"{"revision":"default"}"#)];

const BY_NAMESPACE: &str = "Namespace shop: istio-injection=enabled";
const BY_OWN_LABEL: &str = "Deployment shop/web: label sidecar.istio.io/inject=true";
const NO_LABEL: &str = "Namespace shop: no injection label";
const MISSING: &str = "Namespace shop is not in the input";
const POLICY: &str =
    "ConfigMap istio-system/istio-sidecar-injector: the injector's policy is disabled";
const NONSENSE: &str =
    "ConfigMap istio-system/istio-sidecar-injector: the injector's policy is off";
const BY_DEFAULT: &str = "ConfigMap istio-system/istio-sidecar-injector: enableNamespacesByDefault";
const AUTO: &str =
    "MutatingWebhookConfiguration istio-sidecar-injector: webhook auto.sidecar-injector.istio.io";

/// One row. Without anything: silent pods in the Namespace `shop` without labels, nothing of Istio in the input.
struct Row {
    what: &'static str,
    namespace: &'static str,
    /// `None`: the Namespace is not in the input.
    labels: Option<Pairs>,
    configured: Option<NamespaceInjection>,
    pod: Pairs,
    annotations: Pairs,
    host_network: bool,
    /// Name, image, whether it is an init container.
    containers: &'static [(&'static str, &'static str, bool)],
    webhooks: Vec<InjectorWebhooks>,
    settings: Vec<ControlPlane>,
    expect: Option<DataPlane>,
    proven: bool,
    first: &'static str,
}

/// What a row expects: known or not, and what the evidence opens with.
fn row(what: &'static str, expect: Option<DataPlane>, first: &'static str) -> Row {
    Row {
        what,
        namespace: "shop",
        labels: Some(&[]),
        configured: None,
        pod: &[],
        annotations: &[],
        host_network: false,
        containers: &[],
        webhooks: Vec::new(),
        settings: Vec::new(),
        expect,
        proven: false,
        first,
    }
}

fn proven(what: &'static str, expect: DataPlane, first: &'static str) -> Row {
    Row {
        proven: true,
        ..row(what, Some(expect), first)
    }
}

fn assumed(what: &'static str, expect: DataPlane, first: &'static str) -> Row {
    row(what, Some(expect), first)
}

fn unknown(what: &'static str, first: &'static str) -> Row {
    row(what, None, first)
}

impl Row {
    fn answer(&self) -> Injection {
        let config = Config {
            namespaces: self
                .configured
                .iter()
                .map(|configured| (self.namespace.to_owned(), *configured))
                .collect(),
            ..Config::default()
        };
        let namespaces = self.labels.iter();
        let namespaces = namespaces.map(|labels| namespace(self.namespace, labels));
        let inventory = Inventory {
            injectors: self.webhooks.clone(),
            control_planes: self.settings.clone(),
            ..inventory(namespaces.collect(), Vec::new())
        };
        let mut pods = workload(self.namespace, self.pod);
        pods.annotations = labels(self.annotations);
        pods.host_network = self.host_network;
        let containers = self.containers.iter();
        pods.containers = containers
            .map(|(name, image, init)| Container {
                init: *init,
                ..container(name, image)
            })
            .collect();
        let settings = Settings::of(&inventory, &config);
        data_plane(
            &Mesh {
                inventory: &inventory,
                settings: &settings,
            },
            &pods,
        )
    }
}

fn check(rows: Vec<Row>) {
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let fact = row.answer().fact;
            let first = fact.because.first().map(String::as_str);
            let right =
                (fact.value, fact.proven, first) == (row.expect, row.proven, Some(row.first));
            (!right).then(|| format!("{}: got {fact:?}", row.what))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What `ConfigMap istio-sidecar-injector` of the default revision says.
fn set(change: impl FnOnce(&mut ControlPlane)) -> ControlPlane {
    let mut config = injector_config("default");
    change(&mut config);
    config
}

fn policy(policy: &str) -> ControlPlane {
    set(|config| config.injector_policy = Some(policy.to_owned()))
}

fn by_default(value: bool) -> ControlPlane {
    set(|config| config.namespaces_by_default = Some(value))
}

/// A second object of the default revision.
fn again(mut config: ControlPlane) -> ControlPlane {
    config.object.name = "zz-again".to_owned();
    config
}

fn of_canary(mut config: ControlPlane) -> ControlPlane {
    let canary = injector_config("canary");
    config.object = canary.object;
    config.revision = canary.revision;
    config
}

fn has(label: &str) -> Vec<LabelSelector> {
    vec![selector(&[(label, "Exists", &[])])]
}

fn only_webhook(namespaces: LabelSelector, pods: LabelSelector) -> InjectorWebhooks {
    InjectorWebhooks {
        webhooks: vec![InjectorWebhook {
            name: "own".to_owned(),
            namespaces,
            pods,
        }],
        ..injector("default", None)
    }
}

#[test]
#[rustfmt::skip]
fn nothing_of_istio_in_the_input() {
    check(vec![
        Row { labels: Some(ENABLED), ..proven("enabled", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), pod: DECLINES,
            ..proven("the label declines", Outside, "Deployment shop/web: label sidecar.istio.io/inject=false") },
        Row { labels: Some(ENABLED), annotations: DECLINES,
            ..proven("the annotation declines", Outside, "Deployment shop/web: annotation sidecar.istio.io/inject=false") },
        Row { labels: Some(ENABLED), pod: ASKS, annotations: DECLINES,
            ..proven("the label wins over the annotation", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), pod: &[("sidecar.istio.io/inject", "False")],
            ..proven("neither true nor false", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), pod: &[("sidecar.istio.io/inject", "no")], annotations: DECLINES,
            ..proven("an invalid label silences the annotation", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), annotations: &[("sidecar.istio.io/inject", "no")],
            ..proven("an invalid annotation", Sidecar, BY_NAMESPACE) },
        assumed("nobody asks", Outside, NO_LABEL),
        Row { annotations: ASKS, ..assumed("the webhook does not see annotations", Outside, NO_LABEL) },
        Row { pod: ASKS, ..proven("the label asks", Sidecar, BY_OWN_LABEL) },
        Row { labels: None, pod: ASKS, ..assumed("the label asks, no Namespace", Sidecar, BY_OWN_LABEL) },
        Row { labels: None, pod: CANARY,
            ..assumed("the revision asks, no Namespace", Sidecar, "Deployment shop/web: label istio.io/rev=canary") },
        Row { labels: None, ..unknown("nobody asks, no Namespace", MISSING) },
        Row { labels: None, pod: DECLINES,
            ..proven("the label declines, no Namespace", Outside, "Deployment shop/web: label sidecar.istio.io/inject=false") },
        Row { labels: Some(DISABLED), pod: CANARY,
            ..proven("disabled beats pods", Outside, "Namespace shop: istio-injection=disabled") },
        Row { labels: Some(&[("istio-injection", "enabled"), ("istio.io/rev", "canary")]),
            ..proven("enabled beats a revision", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(&[("istio-injection", "disabled"), ("istio.io/rev", "canary")]),
            ..proven("disabled beats a revision", Outside, "Namespace shop: istio-injection=disabled") },
        Row { labels: Some(ENABLED), host_network: true,
            ..proven("hostNetwork", Outside, "Deployment shop/web: hostNetwork") },
    ]);
}

#[test]
#[rustfmt::skip]
fn pods_with_a_proxy_of_their_own() {
    check(vec![
        Row { labels: None, annotations: INJECTED, containers: &[("web", "web:1", false), ("istio-proxy", "proxyv2:1.29.0", false)],
            ..proven("kube-inject", Sidecar, "Deployment shop/web: container istio-proxy") },
        Row { labels: Some(AMBIENT), annotations: INJECTED, containers: &[("istio-proxy", "proxyv2:1.29.0", true)],
            ..proven("kube-inject, native, in ambient", Sidecar, "Deployment shop/web: init container istio-proxy") },
        Row { labels: Some(DISABLED), annotations: INJECTED, pod: DECLINES, containers: &[("istio-proxy", "proxyv2:1.29.0", false)],
            ..proven("kube-inject asks nobody", Sidecar, "Deployment shop/web: container istio-proxy") },
        Row { labels: None, containers: &[("istio-proxy", "proxyv2:1.29.0", true)],
            ..unknown("an init container that ends", MISSING) },
        Row { labels: None, containers: &[("istio-proxy", "auto", false)],
            ..unknown("a request is no proxy", MISSING) },
        Row { labels: Some(AMBIENT), annotations: INJECTED,
            ..assumed("ztunnel leaves alone what was injected", Outside, NO_LABEL) },
        // What these have guards no port (see `capture.rs`), but it is the injector's.
        Row { pod: ASKS, annotations: &[("inject.istio.io/templates", "gateway")], containers: &[("istio-proxy", "auto", false)],
            ..proven("a gateway", Sidecar, BY_OWN_LABEL) },
        Row { labels: Some(AMBIENT), pod: ASKS, annotations: &[("inject.istio.io/templates", "gateway")], containers: &[("istio-proxy", "auto", false)],
            ..proven("a gateway in ambient", Sidecar, BY_OWN_LABEL) },
        Row { labels: Some(ENABLED), annotations: &[("inject.istio.io/templates", "grpc-agent")],
            ..proven("proxyless gRPC", Sidecar, BY_NAMESPACE) },
    ]);
}

#[test]
#[rustfmt::skip]
fn ambient_where_no_sidecar_wins() {
    check(vec![
        Row { labels: Some(AMBIENT), ..proven("by the Namespace", Ambient, "Namespace shop: label istio.io/dataplane-mode=ambient") },
        Row { labels: None, pod: AMBIENT, ..assumed("by the pods, no Namespace", Ambient, "Deployment shop/web: label istio.io/dataplane-mode=ambient") },
        Row { labels: Some(AMBIENT), pod: &[("istio.io/dataplane-mode", "none")], ..assumed("pods leave", Outside, NO_LABEL) },
        Row { labels: Some(AMBIENT), pod: DECLINES,
            ..proven("declining a sidecar is not declining ztunnel", Ambient, "Namespace shop: label istio.io/dataplane-mode=ambient") },
        Row { labels: Some(AMBIENT), host_network: true, ..proven("hostNetwork", Outside, "Deployment shop/web: hostNetwork") },
        Row { labels: Some(&[("istio-injection", "enabled"), ("istio.io/dataplane-mode", "ambient")]), ..proven("both", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(&[("istio-injection", "enabled"), ("istio.io/dataplane-mode", "ambient")]), settings: vec![policy("disabled")],
            ..proven("both, but the injector does not inject", Ambient, "Namespace shop: label istio.io/dataplane-mode=ambient") },
        Row { labels: Some(&[("istio.io/rev", "canary"), ("istio.io/dataplane-mode", "ambient")]), webhooks: vec![injector("default", None)],
            ..unknown("a sidecar of an injector that is not there, or ztunnel", "no injector of revision canary is in the input") },
        Row { namespace: "kube-system", labels: Some(AMBIENT), ..proven("kube-system", Outside, "namespace kube-system is never injected") },
        Row { namespace: "kube-public", labels: Some(AMBIENT),
            ..proven("only the injector ignores kube-public", Ambient, "Namespace kube-public: label istio.io/dataplane-mode=ambient") },
        Row { namespace: "kube-public", labels: Some(ENABLED), ..proven("kube-public", Outside, "namespace kube-public is never injected") },
    ]);
}

#[test]
#[rustfmt::skip]
fn webhooks_in_the_input() {
    let nothing_matches = || {
        let never = || LabelSelector { match_labels: Some(labels(&[("istio.io/deactivated", "never-match")])), ..LabelSelector::default() };
        only_webhook(never(), never())
    };
    check(vec![
        Row { labels: Some(ENABLED), webhooks: vec![injector("default", None)], ..proven("the default revision", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(ENABLED), webhooks: vec![injector("canary", None)],
            ..unknown("no default revision", "no injector of revision default is in the input") },
        Row { pod: ASKS, webhooks: vec![injector("canary", None)],
            ..unknown("no default revision for pods that ask", "no injector of revision default is in the input") },
        Row { labels: Some(CANARY), webhooks: vec![injector("default", None), injector("canary", None)],
            ..proven("a revision", Sidecar, "Namespace shop: istio.io/rev=canary") },
        Row { labels: Some(CANARY), webhooks: vec![injector("default", None)],
            ..unknown("a revision that is not there", "no injector of revision canary is in the input") },
        Row { labels: None, pod: CANARY, webhooks: vec![injector("default", None)],
            ..unknown("a revision that is not there, no Namespace", "no injector of revision canary is in the input") },
        Row { labels: Some(PROD), webhooks: vec![injector("1-28", None), injector("1-28", Some("prod"))],
            ..proven("a tag", Sidecar, "Namespace shop: istio.io/rev=prod") },
        Row { labels: Some(PROD), webhooks: vec![injector("1-28", None)],
            ..unknown("a tag that is not there", "no injector of revision prod is in the input") },
        Row { labels: Some(&[("istio.io/rev", "1-28")]), webhooks: vec![injector("1-28", Some("prod"))],
            ..unknown("a tag is not its revision", "no injector of revision 1-28 is in the input") },
        Row { labels: Some(ENABLED), webhooks: vec![injector("1-28", None), injector("1-28", Some("default"))],
            ..proven("the tag default", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(&[("istio.io/rev", "default")]), webhooks: vec![injector("1-28", Some("default"))],
            ..proven("the tag default by name", Sidecar, "Namespace shop: istio.io/rev=default") },
        Row { labels: Some(CANARY), pod: &[("istio.io/rev", "default")], webhooks: vec![injector("default", None), injector("canary", None)],
            ..proven("the Namespace's revision beats the pods'", Sidecar, "Namespace shop: istio.io/rev=canary") },
        Row { pod: CANARY, webhooks: vec![injector("canary", None)],
            ..proven("the revision of the pods", Sidecar, "Deployment shop/web: label istio.io/rev=canary") },
        Row { labels: Some(DISABLED), pod: ASKS, webhooks: vec![injector("default", None)],
            ..proven("disabled", Outside, "Namespace shop: istio-injection=disabled") },
        Row { webhooks: vec![injector("default", None)], ..assumed("nobody asks", Outside, NO_LABEL) },
        Row { webhooks: vec![injector("canary", None)], ..assumed("nobody asks a revision either", Outside, NO_LABEL) },
        Row { labels: None, webhooks: vec![injector("default", None)], ..unknown("nobody asks, no Namespace", MISSING) },
        Row { webhooks: vec![injector_of_all_namespaces("default", None)], ..proven("the auto webhook", Sidecar, AUTO) },
        Row { labels: None, webhooks: vec![injector_of_all_namespaces("default", None)], ..assumed("the auto webhook, no Namespace", Sidecar, AUTO) },
        Row { pod: &[("sidecar.istio.io/inject", "random")], webhooks: vec![injector_of_all_namespaces("default", None)],
            ..assumed("the auto webhook is for silent pods", Outside, NO_LABEL) },
        Row { settings: vec![by_default(true)], webhooks: vec![injector("default", None)],
            ..assumed("webhooks in the input, not settings, say who is asked", Outside, NO_LABEL) },
        Row { settings: vec![by_default(true)], webhooks: vec![injector("canary", None)],
            ..unknown("the default revision may ask for all", "no injector of revision default is in the input") },
        Row { labels: Some(ENABLED), webhooks: vec![nothing_matches()],
            ..proven("a webhook that is switched off", Outside, "MutatingWebhookConfiguration istio-sidecar-injector: no webhook selects these pods") },
        Row { labels: Some(ENABLED), webhooks: vec![nothing_matches(), injector("1-28", Some("default"))],
            ..proven("switched off for a tag", Sidecar, BY_NAMESPACE) },
        Row { labels: Some(&[("team", "a")]), webhooks: vec![only_webhook(selector(&[("team", "In", &["a"])]), LabelSelector::default())],
            ..proven("selectors of one's own", Sidecar, "MutatingWebhookConfiguration istio-sidecar-injector: webhook own") },
        Row { webhooks: vec![only_webhook(selector(&[("kubernetes.io/metadata.name", "In", &["shop"])]), LabelSelector::default())],
            ..proven("the name as a label", Sidecar, "MutatingWebhookConfiguration istio-sidecar-injector: webhook own") },
        Row { labels: Some(DISABLED), webhooks: vec![only_webhook(LabelSelector::default(), LabelSelector::default())],
            ..proven("a webhook that knows no labels", Sidecar, "MutatingWebhookConfiguration istio-sidecar-injector: webhook own") },
        Row { annotations: DECLINES, webhooks: vec![only_webhook(LabelSelector::default(), LabelSelector::default())],
            ..proven("the injector still hears the pods", Outside, "Deployment shop/web: annotation sidecar.istio.io/inject=false") },
    ]);
}
