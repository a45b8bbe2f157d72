use insta::assert_snapshot;
use serde_json::json;

use super::super::catalog::SETTINGS;
use super::super::*;
use super::*;

fn scrape_tls(spec: Value) -> Result<Config, ConfigError> {
    let object =
        json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS", "spec": spec});
    Config::from_value(&object, "config.yaml")
}

fn config_map(data: Value) -> Result<Config, ConfigError> {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
    Config::from_value(&object, "functionConfig")
}

fn example(field: &str) -> &'static str {
    match field {
        "mode" => "check",
        "failOn" => "never",
        "mesh.mode" => "STRICT",
        "injection.unknown" => "assume",
        "targets.unknown" => "refuse",
        "certificates.directory" => "/certs/",
        "targets.mixed" => "keep",
        "certificates.via" => "scrapeClass",
        "scraper.interception" => "bypass",
        "scraper.selfScrape" => "ignore",
        "scraper.inject" => "always",
        "mesh.excludeInboundPorts" => "9090, 80",
        "context.files" => "mesh/, ../a.yaml",
        _ => "some-name",
    }
}

fn all_set() -> Config {
    Config {
        mode: RunMode::Check,
        fail_on: FailOn::Never,
        namespace: "some-name".to_owned(),
        root_namespace: Some("some-name".to_owned()),
        exclude_inbound_ports: Some([80, 9090].into()),
        context_resources: Vec::new(),
        context_files: vec!["mesh/".to_owned(), "../a.yaml".to_owned()],
        namespaces: [
            ("a".to_owned(), NamespaceInjection::Sidecar),
            ("b-1".to_owned(), NamespaceInjection::Ambient),
            ("c".to_owned(), NamespaceInjection::None),
        ]
        .into(),
        mesh_mode: Some(MtlsMode::Strict),
        injection_unknown: InjectionUnknown::Assume,
        targets_unknown: TargetsUnknown::Refuse,
        directory: "/certs".to_owned(),
        volume_name: "some-name".to_owned(),
        targets_mixed: TargetsMixed::Keep,
        via: CertificatesVia::ScrapeClass,
        scrape_class_name: "some-name".to_owned(),
        inject: ScraperInject::Always,
        interception: Interception::Bypass,
        self_scrape: SelfScrape::Ignore,
        severity: [("stale-tls".to_owned(), Severity::Off)].into(),
    }
}

fn object() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
}

#[test]
fn every_setting_but_one_can_be_made_in_a_config_map() {
    let named = [
        ("severity.stale-tls", "off"),
        ("injection.namespaces.a", "sidecar"),
        ("injection.namespaces.b-1", "ambient"),
        ("injection.namespaces.c", "none"),
    ];
    let data: Map<String, Value> = SETTINGS
        .iter()
        .map(|setting| setting.path)
        .filter(|field| !["context.resources", "injection.namespaces", "severity"].contains(field))
        .map(|field| (field, example(field)))
        .chain(named)
        .map(|(field, value)| (field.to_owned(), json!(value)))
        .collect();
    assert_eq!(config_map(Value::Object(data)), Ok(all_set()));
}

#[test]
fn every_setting_can_be_made_in_a_scrape_tls() {
    let spec = json!({
        "mode": "check", "failOn": "never", "namespace": "some-name",
        "mesh": {"rootNamespace": "some-name", "mode": "STRICT", "excludeInboundPorts": [9090, 80]},
        "context": {"files": ["mesh/", "../a.yaml"], "resources": [object()]},
        "injection": {"unknown": "assume", "namespaces": {"a": "sidecar", "b-1": "ambient", "c": "none"}}, "targets": {"unknown": "refuse", "mixed": "keep"},
        "certificates": {"directory": "/certs/", "volumeName": "some-name", "via": "scrapeClass", "scrapeClassName": "some-name"},
        "scraper": {"inject": "always", "interception": "bypass", "selfScrape": "ignore"}, "severity": {"stale-tls": "off"},
    });
    let expected = Config {
        context_resources: vec![object()],
        ..all_set()
    };
    assert_eq!(scrape_tls(spec), Ok(expected));
}

#[test]
fn what_is_empty_has_its_default() {
    for spec in [
        json!(null),
        json!({}),
        json!({"mesh": null, "severity": {}}),
        json!({"mesh": {"mode": null}}),
        json!({"context": null, "injection": {"namespaces": null}}),
        json!({"context": {"files": [], "resources": []}, "injection": {"namespaces": {"a": null}}}),
    ] {
        assert_eq!(scrape_tls(spec), Ok(Config::default()));
    }
    assert_eq!(config_map(json!(null)), Ok(Config::default()));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let spec = json!({
        "Mode": "check", "failon": "never", "namespace": "Prod", "mode": "fix",
        "mesh": {"mode": "strict", "excludeInboundPorts": "9090", "rootNamespce": "x"},
        "context": {"files": "a", "resources": {}, "file": "a"},
        "injection": {"namespaces": {"a": "istio", "b.c": "none", "": "none", "D": "none"}, "namespace": "a", "unknown": true},
        "targets": {"mixed": "mix"}, "certificates": {"directory": "certs", "volumeName": "x".repeat(57), "via": "class", "scrapeClassName": "A"},
        "scraper": {"interception": "no", "selfScrape": true, "inject": ["always"]},
        "severity": {"stale-tls": "loud"}, "mesh.mode": "STRICT",
    });
    assert_snapshot!(scrape_tls(spec).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec.Mode is no field (did you mean mode?); allowed here: mode, failOn, namespace, mesh, context, injection, targets, certificates, scraper, severity
      spec.failon is no field (did you mean failOn?); allowed here: mode, failOn, namespace, mesh, context, injection, targets, certificates, scraper, severity
      spec.namespace is "Prod"; allowed: a DNS label as text: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.mode is "fix"; allowed: patch, check
      spec.mesh.mode is "strict"; allowed: STRICT, PERMISSIVE, DISABLE
      spec.mesh.excludeInboundPorts is "9090"; allowed: a list of numbers from 1 to 65535
      spec.mesh.rootNamespce is no field (did you mean rootNamespace?); allowed here: rootNamespace, mode, excludeInboundPorts
      spec.context.files is "a"; allowed: a list of files and directories
      spec.context.resources is a map; allowed: a list of objects
      spec.context.file is no field (did you mean files?); allowed here: resources, files
      spec.injection.namespaces.a is "istio"; allowed: sidecar, ambient, none
      spec.injection.namespaces"b.c" is no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.injection.namespaces. is no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.injection.namespaces.D is no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.injection.namespace is no field (did you mean namespaces?); allowed here: unknown, namespaces
      spec.injection.unknown is true; allowed: relabel, assume, ignore
      spec.targets.mixed is "mix"; allowed: relabel, keep, refuse
      spec.certificates.directory is "certs"; allowed: an absolute path below `/`, without `:`, `.` and `..`
      spec.certificates.volumeName is "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; allowed: a DNS label as text: 1 to 56 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.certificates.via is "class"; allowed: endpoint, scrapeClass
      spec.certificates.scrapeClassName is "A"; allowed: a DNS label as text: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.scraper.interception is "no"; allowed: keep, bypass
      spec.scraper.selfScrape is true; allowed: patch, ignore
      spec.scraper.inject is a list; allowed: unknown, always, never
      spec.severity.stale-tls is "loud"; allowed: off, info, warning, error
      spec."mesh.mode" is no field (did you mean mode?); allowed here: mode, failOn, namespace, mesh, context, injection, targets, certificates, scraper, severity
    "#);
}

#[test]
fn what_should_be_a_map_is_named() {
    assert_snapshot!(scrape_tls(json!("strict")).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec is "strict"; allowed: a map of fields
    "#);
    assert_snapshot!(scrape_tls(json!({"mesh": "STRICT", "severity": 1})).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec.mesh is "STRICT"; allowed: a map of fields
      spec.severity is 1; allowed: a map of fields
    "#);
    assert_snapshot!(config_map(json!(["mode"])).unwrap_err(), @"
    the configuration in functionConfig is refused:
      data is a list; allowed: a map of fields
    ");
}

#[test]
fn a_config_map_is_read_as_strictly() {
    let data = json!({
        "mesh.mode": "STRICT", "mesh.rootNamespce": "a", "mesh": "a", "mesh.excludeInboundPorts": "80,http",
        "context.files": "a,,b", "context.resources": "[]", "context": "a",
        "injection.namespaces.a": "istio", "injection.namespaces.a.b": "none", "injection.namespaces.": "none",
        "injection.namespaces": "a", "injection.unknow": "assume"
    });
    assert_snapshot!(config_map(data).unwrap_err(), @r#"
    the configuration in functionConfig is refused:
      data.mesh.rootNamespce is no field (did you mean rootNamespace?); allowed here: rootNamespace, mode, excludeInboundPorts
      data.mesh is "a"; allowed: a map of fields
      data.mesh.excludeInboundPorts[1] is "http"; allowed: a number from 1 to 65535
      data.context.files[1] is ""; allowed: a file or directory, as text
      data.context.resources cannot be set in a ConfigMap; use kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1), or context.files
      data.context is "a"; allowed: a map of fields
      data.injection.namespaces.a is "istio"; allowed: sidecar, ambient, none
      data.injection.namespaces.a.b is no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      data.injection.namespaces. is no name of a namespace, which is a DNS label: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      data.injection.namespaces is "a"; allowed: a map of names of namespaces to sidecar, ambient or none
      data.injection.unknow is no field (did you mean unknown?); allowed here: unknown, namespaces
    "#);
}

#[test]
fn elements_of_lists_are_named_by_their_position() {
    for (ports, refused) in [
        (json!([0]), "[0] is 0"),
        (json!([80, 65536]), "[1] is 65536"),
        (json!([80, "http"]), "[1] is \"http\""),
        (json!(["80"]), "[0] is \"80\""),
        (json!([-1]), "[0] is -1"),
        (json!([80.5]), "[0] is 80.5"),
        (json!([[]]), "[0] is a list"),
    ] {
        let error = scrape_tls(json!({"mesh": {"excludeInboundPorts": ports}})).unwrap_err();
        let expected =
            format!("spec.mesh.excludeInboundPorts{refused}; allowed: a number from 1 to 65535");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let resources = |resources: Value| scrape_tls(json!({"context": {"resources": resources}}));
    assert_snapshot!(resources(json!([object(), "a"])).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec.context.resources[1] is "a"; allowed: an object with `apiVersion` and `kind`
    "#);
    assert_snapshot!(resources(json!([{"kind": "Service"}])).unwrap_err(), @"
    the configuration in config.yaml is refused:
      spec.context.resources[0] is a map without apiVersion as text; allowed: an object with `apiVersion` and `kind`
    ");
    assert_snapshot!(resources(json!([{"kind": ""}])).unwrap_err(), @"
    the configuration in config.yaml is refused:
      spec.context.resources[0] is a map without apiVersion and kind as text; allowed: an object with `apiVersion` and `kind`
    ");
    assert_snapshot!(scrape_tls(json!({"context": {"files": ["a", ""]}})).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec.context.files[1] is ""; allowed: a file or directory, as text
    "#);
}

#[test]
fn no_ports_is_something_else_than_nothing_said() {
    let excluded = |config: Result<Config, ConfigError>| config.unwrap().exclude_inbound_ports;
    let none = Some([].into());
    assert_eq!(
        excluded(scrape_tls(json!({"mesh": {"excludeInboundPorts": []}}))),
        none
    );
    assert_eq!(
        excluded(config_map(json!({"mesh.excludeInboundPorts": ""}))),
        none
    );
    assert_eq!(excluded(scrape_tls(json!({"mesh": {}}))), None);
}

#[test]
fn directories_are_absolute_and_below_the_root() {
    for refused in [
        "/", "//", "", "certs", "/a/../b", "/a//b", "/./a", "/a:b", "/a\nb",
    ] {
        assert!(
            scrape_tls(json!({"certificates": {"directory": refused}})).is_err(),
            "{refused:?}"
        );
    }
    for (written, read) in [
        ("/etc/certs", "/etc/certs"),
        ("/etc/certs/", "/etc/certs"),
        ("/a", "/a"),
    ] {
        let config = scrape_tls(json!({"certificates": {"directory": written}})).unwrap();
        assert_eq!(config.directory, read);
    }
}

#[test]
fn names_are_dns_labels() {
    for refused in [
        json!(""),
        json!("-a"),
        json!("a-"),
        json!("a.b"),
        json!("A"),
        json!("a".repeat(64)),
        json!(1),
    ] {
        assert!(scrape_tls(json!({"namespace": refused})).is_err());
    }
    assert!(scrape_tls(json!({"namespace": "a".repeat(63)})).is_ok());
    assert!(scrape_tls(json!({"certificates": {"volumeName": "a".repeat(56)}})).is_ok());
}

#[test]
fn other_kinds_are_refused() {
    let read = |object: Value| Config::from_value(&object, "functionConfig").unwrap_err();
    assert_snapshot!(read(json!({"apiVersion": "example.com/v1", "kind": "Foo"})), @"functionConfig is no configuration of this function: it is kind Foo (apiVersion example.com/v1); give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)");
    assert_snapshot!(read(json!({"apiVersion": "istio-scrape.dev/v1", "kind": "ScrapeTLS"})), @"functionConfig is no configuration of this function: it is kind ScrapeTLS (apiVersion istio-scrape.dev/v1); give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)");
    assert_snapshot!(read(json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics"})), @"functionConfig is of kind MeshMetrics, which decides nothing: `istio-scrape mesh-metrics` prints the objects that it asks for; here give kind ScrapeTLS");
    assert_snapshot!(read(json!({"kind": "ScrapeTLS"})), @"functionConfig is no configuration of this function: it is kind ScrapeTLS without apiVersion; give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)");
    assert_snapshot!(read(json!("check")), @"functionConfig is no configuration of this function: it is an object without kind; give kind ScrapeTLS (apiVersion istio-scrape.dev/v1alpha1) or a ConfigMap (apiVersion v1)");
}

#[test]
fn fields_beside_the_body_are_refused() {
    let object = json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "ScrapeTLS", "metadata": {"name": "a"}, "sepc": {}, "data": {}});
    assert_snapshot!(Config::from_value(&object, "config.yaml").unwrap_err(), @"
    the configuration in config.yaml is refused:
      sepc is no field (did you mean spec?); allowed here: apiVersion, kind, metadata, spec
      data is no field; allowed here: apiVersion, kind, metadata, spec
    ");
}

#[test]
fn severities_are_of_rules_that_exist() {
    let config = scrape_tls(json!({"severity": {"stale-tsl": "off", "foo": "error"}})).unwrap();
    let rules = ["stale-tls", "mixed-targets"];
    assert_snapshot!(config.check_rules(&rules, "config.yaml").unwrap_err(), @"
    the configuration in config.yaml is refused:
      severity.foo names no rule; allowed: stale-tls, mixed-targets
      severity.stale-tsl names no rule (did you mean stale-tls?); allowed: stale-tls, mixed-targets
    ");
    assert_eq!(config.check_rules(&["stale-tsl", "foo"], ""), Ok(()));
}
