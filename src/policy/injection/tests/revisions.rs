//! Which revision of istiod do pods obey?

use super::*;

fn of(
    injectors: Vec<InjectorWebhooks>,
    namespace_labels: &[(&str, &str)],
    pods: &Workload,
) -> Option<String> {
    let inventory = Inventory {
        injectors,
        ..inventory(vec![namespace("shop", namespace_labels)], Vec::new())
    };
    revision(&mesh(&inventory), pods)
}

fn named(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[test]
fn by_labels() {
    assert_eq!(of(vec![], ENABLED, &web(&[])), named("default"));
    assert_eq!(of(vec![], &[(REVISION, "1-16")], &web(&[])), named("1-16"));
    assert_eq!(of(vec![], &[], &web(&[(REVISION, "1-16")])), named("1-16"));
    assert_eq!(of(vec![], &[], &web(&[])), None);
}

#[test]
fn behind_tags() {
    let tags = || {
        vec![
            injector("1-16", Some("default")),
            injector("1-16", Some("prod")),
        ]
    };
    assert_eq!(of(tags(), ENABLED, &web(&[])), named("1-16"));
    assert_eq!(of(tags(), &[(REVISION, "prod")], &web(&[])), named("1-16"));
    assert_eq!(
        of(tags(), &[(REVISION, "other")], &web(&[])),
        named("other"),
        "whatever is behind it"
    );
}

#[test]
fn by_the_webhook_that_asks() {
    let mut own = injector("1-16", None);
    own.webhooks.truncate(1);
    own.webhooks[0].namespaces = selector(&[("team", "Exists", &[])]);
    assert_eq!(of(vec![own], &[("team", "a")], &web(&[])), named("1-16"));
    let all = vec![injector_of_all_namespaces("1-16", Some("default"))];
    assert_eq!(of(all, &[], &web(&[])), named("1-16"));
    let two = vec![
        injector("1-16", Some("prod")),
        injector("1-17", Some("prod")),
    ];
    assert_eq!(
        of(two, &[(REVISION, "prod")], &web(&[])),
        None,
        "both are asked, and nothing says who is first"
    );
}

#[test]
fn of_pods_that_are_injected_in_git() {
    let injected = |labels: &[(&str, &str)], annotations: &[(&str, &str)]| Workload {
        containers: vec![container("istio-proxy", "proxyv2:1.16.0")],
        annotations: crate::policy::fixture::labels(annotations),
        ..web(labels)
    };
    let status = |status| injected(&[(REVISION, "tag")], &[(STATUS, status)]);
    assert_eq!(
        of(vec![], ENABLED, &status(r#"{"revision":"1-16"}"#)),
        named("1-16"),
        "the Namespace had no part in it"
    );
    assert_eq!(
        of(vec![], &[], &status(r#"{"revision":""}"#)),
        named("default")
    );
    let tags = vec![injector("1-16", Some("tag"))];
    assert_eq!(of(tags, &[], &status("{}")), named("1-16"));
    let two = ["1-16", "1-17"].map(|revision| injector(revision, Some("tag")));
    assert_eq!(
        of(two.to_vec(), &[], &status("{}")),
        None,
        "nothing says which of them made the pods"
    );
    assert_eq!(of(vec![], &[], &status("no json: [")), named("tag"));
    let annotated = injected(&[], &[(STATUS, "{}"), (REVISION, "1-16")]);
    assert_eq!(of(vec![], &[], &annotated), named("1-16"));
    assert_eq!(of(vec![], ENABLED, &injected(&[], &[])), named("default"));
}

#[test]
fn of_configured_namespaces() {
    let configured = |namespace_labels| {
        let config = Config {
            namespaces: [("shop".to_owned(), NamespaceInjection::Sidecar)].into(),
            ..Config::default()
        };
        let inventory = inventory(vec![namespace("shop", namespace_labels)], Vec::new());
        let settings = Settings::of(&inventory, &config);
        let mesh = Mesh {
            inventory: &inventory,
            settings: &settings,
        };
        revision(&mesh, &web(&[]))
    };
    assert_eq!(configured(&[]), named("default"));
    assert_eq!(
        configured(&[(NAMESPACE_INJECTION, "disabled"), (REVISION, "x")]),
        named("default")
    );
    assert_eq!(
        configured(&[(REVISION, "1-16")]),
        named("1-16"),
        "the Namespace says the same, and which revision"
    );
}
