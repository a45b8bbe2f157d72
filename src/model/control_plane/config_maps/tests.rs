use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::config::Config;
use crate::model::{ControlPlane, Inventory, OutboundPolicy, Setting, read, reads};

/// As the chart renders it with a revision and some `meshConfig`.
const MESH: &str = r#"
accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod-canary.istio-system.svc:15012
  interceptionMode: TPROXY
  proxyMetadata:
    ENVOY_SECURE_METRICS_PORT: "15091"
    ISTIO_META_DNS_CAPTURE: "true"
  statusPort: 15022
  tracing: {}
defaultProviders:
  metrics:
  - prometheus
enablePrometheusMerge: false
outboundTrafficPolicy:
  mode: REGISTRY_ONLY
rootNamespace: mesh-config
trustDomain: corp.example
trustDomainAliases: [old.example, older.example]
"#;

/// As the chart renders it: JSON, the parts of the values that templates use.
const VALUES: &str = r#"{
  "gateways": {"seccompProfile": {}, "securityContext": {}},
  "global": {
    "hub": "docker.io/istio",
    "istioNamespace": "istio-system",
    "proxy": {
      "autoInject": "enabled",
      "clusterDomain": "cluster.local",
      "excludeIPRanges": "10.0.0.1/32",
      "excludeInboundPorts": 9090,
      "excludeOutboundPorts": "",
      "includeIPRanges": "*",
      "includeInboundPorts": "*",
      "includeOutboundPorts": "",
      "statusPort": 15020
    }
  },
  "pilot": {"cni": {"enabled": false}, "env": {}},
  "revision": "canary",
  "sidecarInjectorWebhook": {
    "alwaysInjectSelector": [],
    "enableNamespacesByDefault": true,
    "neverInjectSelector": [{"matchLabels": {"from": "values"}}],
    "rewriteAppHTTPProbe": true
  }
}"#;

const INJECTOR_CONFIG: &str = r#"
# defaultTemplates defines the default template to use for pods that do not explicitly specify a template
defaultTemplates: [sidecar]
policy: disabled
alwaysInjectSelector:
  []
neverInjectSelector:
  - matchExpressions:
    - {key: job-name, operator: Exists}
  - matchLabels:
      app: builder
injectedAnnotations:
template: "{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}"
templates:
  sidecar: |
    {{- define "resources"  }}
      {{- if or (isset .ObjectMeta.Annotations `sidecar.istio.io/proxyCPU`) }}
    metadata:
      labels: {{ "{" }}{{ end }}
  gateway: |
    {{- $containers := list }}
"#;

fn config_map(name: &str, labels: Value, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "istio-system", "labels": labels}, "data": data})
}

fn inventory(objects: &[Value]) -> Inventory {
    read(objects.iter().enumerate(), &Config::default())
}

fn plane(object: Value) -> ControlPlane {
    let mut inventory = inventory(&[object]);
    assert!(inventory.unread.is_empty(), "{:?}", inventory.unread);
    assert_eq!(inventory.control_planes.len(), 1);
    inventory.control_planes.remove(0)
}

/// What is said of a MeshConfig, and the problems.
fn mesh(text: &str) -> (ControlPlane, Vec<(String, String)>) {
    let mut inventory = inventory(&[config_map("istio", json!({}), json!({"mesh": text}))]);
    let problems = inventory
        .unread
        .into_iter()
        .map(|unread| (unread.at.to_string(), unread.problem))
        .collect();
    (inventory.control_planes.remove(0), problems)
}

#[test]
fn a_mesh_config_says_what_decides_and_nothing_else() {
    let said = plane(config_map(
        "istio-canary",
        json!({"istio.io/rev": "canary"}),
        json!({"mesh": MESH, "meshNetworks": "networks: {}"}),
    ));
    let expected = ControlPlane {
        root_namespace: Some("mesh-config".to_owned()),
        trust_domain: Some("corp.example".to_owned()),
        trust_domain_aliases: Some(["old.example".to_owned(), "older.example".to_owned()].into()),
        prometheus_merge: Some(false),
        outbound: Some(OutboundPolicy::RegistryOnly),
        interception: Some("TPROXY".to_owned()),
        status_port: Some(15022),
        proxy_metadata: BTreeMap::from([
            ("ENVOY_SECURE_METRICS_PORT".to_owned(), "15091".to_owned()),
            ("ISTIO_META_DNS_CAPTURE".to_owned(), "true".to_owned()),
        ]),
        ..ControlPlane::silent(said.object.clone(), "canary")
    };
    assert_eq!(said, expected);
    assert_eq!(
        said.object.to_string(),
        "ConfigMap istio-system/istio-canary"
    );
}

#[test]
fn the_injector_goes_by_its_config_before_the_values() {
    let name = "istio-sidecar-injector-canary";
    let said = plane(config_map(
        name,
        json!({}),
        json!({"values": VALUES, "config": INJECTOR_CONFIG}),
    ));
    let never = said.never_inject.clone().unwrap();
    let expected = ControlPlane {
        include_inbound_ports: Some("*".to_owned()),
        exclude_inbound_ports: Some("9090".to_owned()),
        include_ip_ranges: Some("*".to_owned()),
        exclude_ip_ranges: Some("10.0.0.1/32".to_owned()),
        include_outbound_ports: Some(String::new()),
        exclude_outbound_ports: Some(String::new()),
        injector_status_port: Some(15020),
        namespaces_by_default: Some(true),
        injector_policy: Some("disabled".to_owned()),
        never_inject: Some(never.clone()),
        always_inject: Some(Vec::new()),
        ..ControlPlane::silent(said.object.clone(), "canary")
    };
    assert_eq!(
        said, expected,
        "istioNamespace of these values names no root"
    );
    let described: Vec<_> = never.iter().map(crate::model::described).collect();
    assert_eq!(described, ["job-name", "app=builder"]);

    let by_values = plane(config_map(name, json!({}), json!({"values": VALUES})));
    assert_eq!(by_values.injector_policy.as_deref(), Some("enabled"));
    let never = by_values.never_inject.unwrap();
    assert_eq!(crate::model::described(&never[0]), "from=values");
}

#[test]
fn the_revision_is_the_label_else_the_suffix_else_default() {
    for (name, labels, revision) in [
        ("istio", json!({}), "default"),
        ("istio", json!({"istio.io/rev": "default"}), "default"),
        ("istio", json!({"istio.io/rev": ""}), "default"),
        ("istio-1-26-0", json!({}), "1-26-0"),
        ("istio-1-26-0", json!({"istio.io/rev": "blue"}), "blue"),
    ] {
        let said = plane(config_map(name, labels, json!({"mesh": "{}"})));
        assert_eq!(said.revision, revision, "{name}");
    }
    for (name, revision) in [
        ("istio-sidecar-injector", "default"),
        ("istio-sidecar-injector-blue", "blue"),
    ] {
        let said = plane(config_map(name, json!({}), json!({"values": "{}"})));
        assert_eq!(said.revision, revision, "{name}");
    }
}

#[test]
fn config_maps_of_others_are_none_of_ours() {
    for (name, read) in [
        ("istio", true),
        ("istio-canary", true),
        ("istio-sidecar-injector", true),
        ("istio-ca-root-cert", true),
        ("istiod", false),
        ("my-istio", false),
        ("mesh", false),
        ("", false),
    ] {
        assert_eq!(reads("v1", "ConfigMap", name), read, "{name}");
    }
    let root_cert = config_map(
        "istio-ca-root-cert",
        json!({"a": 1}),
        json!({"root-cert.pem": "x"}),
    );
    let other = config_map("settings", json!({}), json!({"mesh": "rootNamespace: x"}));
    let null = config_map("istio", json!({}), json!({"mesh": null}));
    let no_data = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio"}});
    let inventory = inventory(&[root_cert, other, null, no_data]);
    assert!(inventory.control_planes.is_empty() && inventory.unread.is_empty());
}

#[test]
fn a_field_of_a_wrong_type_is_a_problem_of_the_key_and_takes_no_other_with_it() {
    for (text, problem) in [
        (
            "rootNamespace: 5",
            "/rootNamespace: expected a string, found the number 5",
        ),
        (
            "enablePrometheusMerge: \"false\"",
            "/enablePrometheusMerge: expected true or false, found a string",
        ),
        (
            "outboundTrafficPolicy: {mode: ALLOW}",
            "/outboundTrafficPolicy/mode: unknown mode `ALLOW`; expected ALLOW_ANY or REGISTRY_ONLY",
        ),
        (
            "outboundTrafficPolicy: ALLOW_ANY",
            "/outboundTrafficPolicy: expected a map, found a string",
        ),
        (
            "defaultConfig: []",
            "/defaultConfig: expected a map, found a list",
        ),
        (
            "defaultConfig: {statusPort: 70000}",
            "/defaultConfig/statusPort: expected a port number from 1 to 65535",
        ),
        // jsonpb takes no number where proto has a string.
        (
            "defaultConfig: {proxyMetadata: {ENVOY_SECURE_METRICS_PORT: 15091, OUTPUT_CERTS: /etc/certs}}",
            "/defaultConfig/proxyMetadata/ENVOY_SECURE_METRICS_PORT: expected a string, found the number 15091",
        ),
    ] {
        let (said, problems) = mesh(&format!("trustDomain: corp.example\n{text}"));
        let expected = [("/data/mesh".to_owned(), problem.to_owned())];
        assert_eq!(problems, expected);
        let metadata = match text.contains("OUTPUT_CERTS") {
            true => BTreeMap::from([("OUTPUT_CERTS".to_owned(), "/etc/certs".to_owned())]),
            false => BTreeMap::new(),
        };
        assert!(!said.unreadable.is_empty(), "{text}");
        let expected = ControlPlane {
            trust_domain: Some("corp.example".to_owned()),
            proxy_metadata: metadata,
            unreadable: said.unreadable.clone(),
            ..ControlPlane::silent(said.object.clone(), "default")
        };
        assert_eq!(said, expected, "{text}");
    }
}

#[test]
fn ports_may_be_quoted_and_empty_strings_say_nothing() {
    let (said, problems) = mesh(
        "{rootNamespace: '', trustDomain: null, outboundTrafficPolicy: {}, defaultConfig: {statusPort: '15021'}}",
    );
    assert_eq!(problems, []);
    let expected = ControlPlane {
        status_port: Some(15021),
        ..ControlPlane::silent(said.object.clone(), "default")
    };
    assert_eq!(said, expected);
}

#[test]
fn text_that_is_no_yaml_is_one_problem() {
    for (text, is_problem) in [
        ("rootNamespace: [", true),
        ("{{ .Values.meshConfig }}: {{", true),
        ("- a\n- b\n", true),
        ("just words", true),
        ("a: 1\n---\nb: 2\n", true),
        ("", false),
        ("# nothing but a comment\n", false),
    ] {
        let (said, problems) = mesh(text);
        let settings = Setting::OF_MESH_CONFIG.into_iter();
        let settings = settings.chain(Setting::OF_DEFAULT_CONFIG);
        let expected = ControlPlane {
            unreadable: settings.filter(|_| is_problem).collect(),
            ..ControlPlane::silent(said.object.clone(), "default")
        };
        assert_eq!(said, expected, "{text}");
        assert_eq!(
            problems.len(),
            usize::from(is_problem),
            "{text}: {problems:?}"
        );
        assert!(problems.iter().all(|(at, _)| at == "/data/mesh"));
    }
    let no_text = inventory(&[config_map(
        "istio",
        json!({}),
        json!({"mesh": {"rootNamespace": "x"}}),
    )]);
    assert_eq!(no_text.unread.len(), 1);
    assert_eq!(no_text.unread[0].at.as_str(), "/data/mesh");
}

#[test]
fn values_of_the_injector_that_nobody_could_print_are_problems() {
    let values = json!({"global": {"proxy": {"excludeInboundPorts": [9090], "includeInboundPorts": true,
        "statusPort": "15022", "excludeOutboundPorts": 8443}},
        "sidecarInjectorWebhook": {"enableNamespacesByDefault": "yes",
        "neverInjectSelector": [{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "a", "operator": "Like"}]}],
        "alwaysInjectSelector": {}}});
    let object = config_map(
        "istio-sidecar-injector",
        json!({}),
        json!({"values": values.to_string()}),
    );
    let inventory = inventory(&[object]);
    let mut ways: Vec<_> = inventory
        .unread
        .iter()
        .map(|unread| {
            assert_eq!(unread.at.as_str(), "/data/values");
            unread.problem.split(": ").next().unwrap()
        })
        .collect();
    ways.sort_unstable();
    assert_eq!(
        ways,
        [
            "/global/proxy/excludeInboundPorts",
            "/global/proxy/includeInboundPorts",
            "/sidecarInjectorWebhook/alwaysInjectSelector",
            "/sidecarInjectorWebhook/enableNamespacesByDefault",
            "/sidecarInjectorWebhook/neverInjectSelector/1/matchExpressions",
        ]
    );
    let said = &inventory.control_planes[0];
    let expected = ControlPlane {
        injector_status_port: Some(15022),
        exclude_outbound_ports: Some("8443".to_owned()),
        unreadable: BTreeSet::from([
            Setting::IncludeInboundPorts,
            Setting::ExcludeInboundPorts,
            Setting::NamespacesByDefault,
            Setting::NeverInject,
            Setting::AlwaysInject,
        ]),
        ..ControlPlane::silent(said.object.clone(), "default")
    };
    assert_eq!(*said, expected);
}

#[test]
fn the_order_of_objects_does_not_matter() {
    let objects = [
        config_map("istio", json!({}), json!({"mesh": MESH})),
        config_map("istio-canary", json!({}), json!({"mesh": MESH})),
        config_map(
            "istio-sidecar-injector",
            json!({}),
            json!({"values": VALUES}),
        ),
    ];
    let names = |order: [usize; 3]| -> Vec<String> {
        let objects = order.map(|item| (item, &objects[item]));
        let inventory = read(objects, &Config::default());
        let planes = inventory.control_planes.iter();
        planes.map(|plane| plane.object.name.clone()).collect()
    };
    let expected = ["istio", "istio-canary", "istio-sidecar-injector"];
    assert_eq!(names([0, 1, 2]), expected);
    assert_eq!(names([2, 1, 0]), expected);
}

#[test]
fn what_a_field_of_a_wrong_type_may_set_is_hidden_and_nothing_else() {
    for (text, hidden) in [
        ("rootNamespace: 5", &[Setting::RootNamespace][..]),
        ("trustDomainAliases: old", &[Setting::TrustDomainAliases]),
        ("outboundTrafficPolicy: {mode: ALLOW}", &[Setting::Outbound]),
        ("defaultConfig: 5", &Setting::OF_DEFAULT_CONFIG),
        ("defaultConfig: {proxyMetadata: []}", &[Setting::Metadata]),
        (
            "defaultConfig: {proxyMetadata: {A: 1, B: b}}",
            &[Setting::MetadataEntry("A".to_owned())],
        ),
    ] {
        let (said, _) = mesh(text);
        assert_eq!(said.unreadable, hidden.iter().cloned().collect(), "{text}");
    }
    let (said, _) = mesh("defaultConfig: {proxyMetadata: []}");
    assert!(said.hides(&Setting::MetadataEntry("ANY".to_owned())));
    assert!(!said.hides(&Setting::Interception));
}
