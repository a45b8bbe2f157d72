use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

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
        "scraper.inject" => "always",
        _ => "some-name",
    }
}

fn all_set() -> Config {
    Config {
        mode: RunMode::Check,
        fail_on: FailOn::Never,
        namespace: "some-name".to_owned(),
        root_namespace: Some("some-name".to_owned()),
        exclude_inbound_ports: None,
        context_resources: Vec::new(),
        context_files: Vec::new(),
        namespaces: BTreeMap::new(),
        mesh_mode: Some(MtlsMode::Strict),
        injection_unknown: InjectionUnknown::Assume,
        targets_unknown: TargetsUnknown::Refuse,
        directory: "/certs".to_owned(),
        volume_name: "some-name".to_owned(),
        inject: ScraperInject::Always,
        severity: [("stale-tls".to_owned(), Severity::Off)].into(),
    }
}

#[test]
fn every_setting_can_be_made_in_a_config_map() {
    let data: Map<String, Value> = SETTINGS
        .iter()
        .map(|&field| (field.to_owned(), json!(example(field))))
        .chain([("severity.stale-tls".to_owned(), json!("off"))])
        .collect();
    assert_eq!(config_map(Value::Object(data)), Ok(all_set()));
}

#[test]
fn every_setting_can_be_made_in_a_scrape_tls() {
    let spec = json!({
        "mode": "check", "failOn": "never", "namespace": "some-name",
        "mesh": {"rootNamespace": "some-name", "mode": "STRICT"},
        "injection": {"unknown": "assume"}, "targets": {"unknown": "refuse"},
        "certificates": {"directory": "/certs/", "volumeName": "some-name"},
        "scraper": {"inject": "always"}, "severity": {"stale-tls": "off"},
    });
    assert_eq!(scrape_tls(spec), Ok(all_set()));
}

#[test]
fn what_is_empty_has_its_default() {
    for spec in [
        json!(null),
        json!({}),
        json!({"mesh": null, "severity": {}}),
        json!({"mesh": {"mode": null}}),
    ] {
        assert_eq!(scrape_tls(spec), Ok(Config::default()));
    }
    assert_eq!(config_map(json!(null)), Ok(Config::default()));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let spec = json!({
        "Mode": "check", "failon": "never", "namespace": "Prod", "mode": "fix",
        "mesh": {"mode": "strict", "excludeInboundPorts": [9090], "rootNamespce": "x"},
        "context": {"files": ["a"]}, "injection": {"namespaces": {"a": "sidecar"}, "unknown": true},
        "targets": {"mixed": "keep"}, "certificates": {"directory": "certs", "volumeName": "x".repeat(57), "via": "endpoint", "scrapeClassName": "a"},
        "scraper": {"interception": "keep", "selfScrape": "patch", "inject": ["always"]},
        "severity": {"stale-tls": "loud"}, "mesh.mode": "STRICT",
    });
    assert_snapshot!(scrape_tls(spec).unwrap_err(), @r#"
    the configuration in config.yaml is refused:
      spec.Mode is no field (did you mean mode?); allowed here: mode, failOn, namespace, mesh, injection, targets, certificates, scraper, severity
      spec.failon is no field (did you mean failOn?); allowed here: mode, failOn, namespace, mesh, injection, targets, certificates, scraper, severity
      spec.namespace is "Prod"; allowed: a DNS label as text: 1 to 63 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.mode is "fix"; allowed: patch, check
      spec.mesh.mode is "strict"; allowed: STRICT, PERMISSIVE, DISABLE
      spec.mesh.excludeInboundPorts is not supported yet; remove it
      spec.mesh.rootNamespce is no field (did you mean rootNamespace?); allowed here: rootNamespace, mode
      spec.context is not supported yet; remove it
      spec.injection.namespaces is not supported yet; remove it
      spec.injection.unknown is true; allowed: relabel, assume, ignore
      spec.targets.mixed is not supported yet; remove it
      spec.certificates.directory is "certs"; allowed: an absolute path below `/`, without `:`, `.` and `..`
      spec.certificates.volumeName is "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; allowed: a DNS label as text: 1 to 56 of a-z, 0-9 and `-`, with no `-` at the ends
      spec.certificates.via is not supported yet; remove it
      spec.certificates.scrapeClassName is not supported yet; remove it
      spec.scraper.interception is not supported yet; remove it
      spec.scraper.selfScrape is not supported yet; remove it
      spec.scraper.inject is a list; allowed: unknown, always, never
      spec.severity.stale-tls is "loud"; allowed: off, info, warning, error
      spec."mesh.mode" is no field (did you mean mode?); allowed here: mode, failOn, namespace, mesh, injection, targets, certificates, scraper, severity
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
    let data = json!({"mesh.mode": "STRICT", "mesh.rootNamespce": "a", "context.files": "a,b", "injection.namespaces.a": "sidecar", "mesh": "a"});
    assert_snapshot!(config_map(data).unwrap_err(), @r#"
    the configuration in functionConfig is refused:
      data.mesh.rootNamespce is no field (did you mean rootNamespace?); allowed here: rootNamespace, mode
      data.context.files is not supported yet; remove it
      data.injection.namespaces.a is not supported yet; remove it
      data.mesh is "a"; allowed: a map of fields
    "#);
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
    assert_snapshot!(read(json!({"apiVersion": "istio-scrape.dev/v1alpha1", "kind": "MeshMetrics"})), @"functionConfig is of kind MeshMetrics, which is not supported yet; give kind ScrapeTLS");
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
