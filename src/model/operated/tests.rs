use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::model::{PortRef, Service, read};

fn object(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "main", "namespace": "vm"}, "spec": spec})
}

fn inventory(kind: &str, spec: Value) -> Inventory {
    let row = COMPONENTS.iter().find(|row| row.kind == kind).unwrap();
    let object = object(row.api_versions[0], kind, spec);
    read([(0, &object)], &Config::default())
}

/// `http:8429` and the like, those of native sidecars last.
fn ports(pods: &Workload) -> Vec<String> {
    pods.declared_ports()
        .map(|port| format!("{}:{}", port.name.clone().unwrap_or_default(), port.number))
        .collect()
}

/// `http:8428>8428` and the like.
fn service_ports(service: &Service) -> Vec<String> {
    let target = |target: &PortRef| match target {
        PortRef::Number(number) => number.to_string(),
        PortRef::Name(name) => name.clone(),
    };
    service
        .ports
        .iter()
        .map(|port| {
            let name = port.name.clone().unwrap_or_default();
            format!("{name}:{}>{}", port.number, target(&port.target))
        })
        .collect()
}

fn names(inventory: &Inventory) -> Vec<&str> {
    let services = inventory.services.iter();
    services
        .map(|service| service.object.name.as_str())
        .collect()
}

/// internal/config/config.go of the VictoriaMetrics operator; `VMAuth` and others of which nothing is written.
#[test]
fn ports_by_default() {
    for (kind, expected) in [
        ("VMAgent", vec!["http:8429", "reloader-http:8435"]),
        ("VMSingle", vec!["http:8428"]),
        ("VMAlert", vec!["http:8080", "reloader-http:8435"]),
        (
            "VMAlertmanager",
            vec!["web:9093", "mesh-tcp:9094", "reloader-http:8435"],
        ),
        ("VMAuth", vec!["http:8427", "reloader-http:8435"]),
        ("VLSingle", vec!["http:9428"]),
        ("VLAgent", vec!["http:9429"]),
        ("VTSingle", vec!["http:10428"]),
        ("Prometheus", vec!["web:9090", "reloader-web:8080"]),
        ("PrometheusAgent", vec!["web:9090", "reloader-web:8080"]),
        (
            "Alertmanager",
            vec!["web:9093", "mesh-tcp:9094", "reloader-web:8080"],
        ),
        (
            "ThanosRuler",
            vec!["web:10902", "grpc:10901", "reloader-web:8080"],
        ),
    ] {
        let inventory = inventory(kind, json!({}));
        assert_eq!(inventory.workloads.len(), 1, "{kind}");
        assert_eq!(ports(&inventory.workloads[0]), expected, "{kind}");
        assert!(inventory.unread.is_empty(), "{kind}");
    }
}

#[test]
fn programs_of_a_cluster_have_their_own_settings() {
    let vm = inventory(
        "VMCluster",
        json!({"vmselect": {"clusterNativePort": "8401"}, "vminsert": {"port": "80", "insertPorts": {"graphitePort": "2003"}},
            "vmstorage": {"vmInsertPort": "9400", "vmBackup": {}}}),
    );
    let seen: Vec<_> = vm
        .workloads
        .iter()
        .map(|pods| {
            (
                pods.part.unwrap(),
                ports(pods),
                pods.service_account.as_str(),
            )
        })
        .collect();
    let ports_of = |ports: &[&str]| ports.iter().map(|port| (*port).to_owned()).collect();
    assert_eq!(
        seen,
        [
            (
                "vmselect",
                ports_of(&["http:8481", "clusternative:8401"]),
                "vmcluster-main"
            ),
            (
                "vminsert",
                ports_of(&["http:80", "graphite-tcp:2003"]),
                "vmcluster-main"
            ),
            (
                "vmstorage",
                ports_of(&["http:8482", "vminsert:9400", "vmselect:8401", "http:8300"]),
                "vmcluster-main"
            ),
        ]
    );
    assert_eq!(
        names(&vm),
        ["vminsert-main", "vmselect-main", "vmstorage-main"]
    );
    let headless: Vec<_> = vm.services.iter().map(|service| service.headless).collect();
    assert_eq!(headless, [false, true, true]);
    assert_eq!(
        service_ports(&vm.services[2]),
        [
            "http:8482>8482",
            "vminsert:9400>9400",
            "vmselect:8401>8401",
            "vmbackupmanager:8300>8300"
        ]
    );
    for (kind, spec, expected) in [
        (
            "VLCluster",
            json!({"vlselect": {}, "vlinsert": {}, "vlstorage": {}}),
            [9471, 9481, 9491],
        ),
        (
            "VTCluster",
            json!({"select": {}, "insert": {}, "storage": {}}),
            [10471, 10481, 10491],
        ),
    ] {
        let inventory = inventory(kind, spec);
        let pods = inventory.workloads.iter();
        let numbers: Vec<_> = pods.flat_map(|pods| pods.ports_named("http")).collect();
        assert_eq!(numbers, expected, "{kind}");
    }
    let none = inventory("VMCluster", json!({}));
    assert!(none.workloads.is_empty() && none.services.is_empty());
}

/// `createOrUpdateLBProxyService`, `buildVMSelectService`.
#[test]
fn a_load_balancer_takes_the_names_of_those_behind_it() {
    let with = |balancer: Value| {
        inventory(
            "VMCluster",
            json!({"vmselect": {}, "vminsert": {}, "requestsLoadBalancer": balancer}),
        )
    };
    let all = with(json!({"enabled": true, "disableInsertBalancing": true}));
    assert_eq!(
        names(&all),
        [
            "vmclusterlb-main",
            "vminsert-main",
            "vmselect-main",
            "vmselectinternal-main"
        ]
    );
    let proxy = &all.services[2];
    assert_eq!(service_ports(proxy), ["http:8481>8427"]);
    assert_eq!(
        proxy.selector.get("app.kubernetes.io/name"),
        Some("vmclusterlb-vmauth-balancer")
    );
    assert!(!proxy.headless && all.services[3].headless);
    assert_eq!(all.workloads.len(), 3);
    let off = with(json!({"enabled": false, "spec": {"port": "80"}}));
    assert_eq!(names(&off), ["vminsert-main", "vmselect-main"]);
    assert_eq!(off.workloads.len(), 2);
}

/// `HasAnyRelabellingConfigs`, `HasAnyStreamAggrRule` in factory/vmagent/vmagent.go; `SecretRef`, `LocalPath` in factory/vmauth/vmauth.go.
#[test]
fn a_reloader_is_there_where_there_is_something_to_reload() {
    for (kind, spec, expected) in [
        ("VMAgent", json!({"ingestOnlyMode": false}), true),
        ("VMAgent", json!({"ingestOnlyMode": true}), false),
        (
            "VMAgent",
            json!({"ingestOnlyMode": true, "inlineRelabelConfig": [{}]}),
            true,
        ),
        (
            "VMAgent",
            json!({"ingestOnlyMode": true, "remoteWrite": [{}, {"streamAggrConfig": {}}]}),
            true,
        ),
        (
            "VMAgent",
            json!({"ingestOnlyMode": true, "remoteWrite": [{"url": "x"}]}),
            false,
        ),
        ("VMSingle", json!({}), false),
        ("VMSingle", json!({"ingestOnlyMode": false}), true),
        (
            "VMSingle",
            json!({"relabelConfig": {"name": "a", "key": "b"}}),
            true,
        ),
        ("VMAuth", json!({"configSecret": "mine"}), false),
        ("VMAuth", json!({"secretRef": {"name": "mine"}}), false),
        ("VMAuth", json!({"localPath": "/mine"}), false),
        ("Prometheus", json!({"listenLocal": true}), false),
        (
            "Prometheus",
            json!({"listenLocal": true, "reloadStrategy": "ProcessSignal"}),
            true,
        ),
    ] {
        let inventory = inventory(kind, spec.clone());
        let containers = &inventory.workloads[0].containers;
        let is_there = containers
            .iter()
            .any(|container| container.name == "config-reloader");
        assert_eq!(is_there, expected, "{kind} {spec}");
    }
}

#[test]
fn what_listens_locally_has_no_port() {
    let inventory = inventory("Alertmanager", json!({"listenLocal": true}));
    assert_eq!(ports(&inventory.workloads[0]), ["mesh-tcp:9094"]);
}

/// `makeSelectorLabels`, pkg/alertmanager and pkg/thanos; spec 4.1.
#[test]
fn labels_that_operators_select_by_win() {
    let mine = json!({"podMetadata": {"labels": {"app.kubernetes.io/name": "mine", "team": "a"}, "annotations": {"a": "b"}}});
    for (kind, own) in [
        (
            "VMAlert",
            vec![
                ("app.kubernetes.io/name", "vmalert"),
                ("managed-by", "vm-operator"),
            ],
        ),
        (
            "Alertmanager",
            vec![
                ("app.kubernetes.io/name", "alertmanager"),
                ("alertmanager", "main"),
            ],
        ),
        (
            "ThanosRuler",
            vec![
                ("app.kubernetes.io/name", "thanos-ruler"),
                ("thanos-ruler", "main"),
            ],
        ),
        (
            "Prometheus",
            vec![
                ("prometheus", "main"),
                ("operator.prometheus.io/shard", "0"),
            ],
        ),
    ] {
        let inventory = inventory(kind, mine.clone());
        let pods = &inventory.workloads[0];
        assert_eq!(pods.labels.get("team"), Some("a"), "{kind}");
        assert_eq!(pods.annotations.get("a"), Some("b"), "{kind}");
        assert_eq!(
            pods.labels.get("app.kubernetes.io/instance"),
            Some("main"),
            "{kind}"
        );
        for (key, value) in own {
            assert_eq!(pods.labels.get(key), Some(value), "{kind}");
        }
        let account = if kind == "VMAlert" {
            "vmalert-main"
        } else {
            "default"
        };
        assert_eq!(pods.service_account, account);
    }
}

#[test]
fn services_lead_to_the_pods_of_their_own_object() {
    for row in &COMPONENTS {
        let mut spec = json!({});
        for key in row.settings.iter().rev() {
            spec = json!({(*key): spec});
        }
        if row.switch.is_some() {
            spec = json!({"requestsLoadBalancer": {"enabled": true}});
        }
        let inventory = inventory(row.kind, spec);
        let service = &inventory.services[0];
        assert_eq!(service.object.kind, "Service");
        assert_eq!(service.made_for.as_ref().unwrap().kind, row.kind);
        assert!(
            crate::model::contains(&inventory.workloads[0].labels, &service.selector),
            "{}",
            row.app
        );
        assert_eq!(inventory.workloads[0].part, row.part, "{}", row.app);
        assert!(
            inventory.workloads[0]
                .containers
                .iter()
                .any(|container| container.name == row.container),
            "{}",
            row.app
        );
    }
}

#[test]
fn names_labels_and_ports_of_services() {
    let alias = inventory(
        "VMSingle",
        json!({"port": "80", "managedMetadata": {"labels": {"team": "a", "managed-by": "me"}}}),
    );
    let service = &alias.services[0];
    assert_eq!(
        service.named(),
        "Service vm/vmsingle-main (of VMSingle vm/main)"
    );
    assert_eq!(service_ports(service), ["http:80>80", "http-alias:8428>80"]);
    assert_eq!(service.labels.get("team"), Some("a"));
    assert_eq!(service.labels.get("managed-by"), Some("vm-operator"));
    assert!(!service.headless);
    let of_old = inventory("VMSingle", json!({"useLegacyNaming": true}));
    assert_eq!(names(&of_old), ["main"]);
    assert!(inventory("VMAgent", json!({"statefulMode": true})).services[0].headless);
    let alertmanager = inventory("VMAlertmanager", json!({"portName": "ui"}));
    assert_eq!(
        service_ports(&alertmanager.services[0]),
        ["http:9093>ui", "tcp-mesh:9094>9094"]
    );
    assert!(alertmanager.services[0].headless);
    let operated = inventory("Prometheus", json!({"portName": "ui", "thanos": {}}));
    let operated = &operated.services[0];
    assert_eq!(operated.object.name, "prometheus-operated");
    assert_eq!(operated.labels.get("operated-prometheus"), Some("true"));
    assert_eq!(service_ports(operated), ["ui:9090>ui", "grpc:10901>10901"]);
    for spec in [json!({"serviceName": "own"}), json!({"mode": "DaemonSet"})] {
        assert!(inventory("PrometheusAgent", spec).services.is_empty());
    }
}

/// `Service`, `AdditionalServiceFromDefault`, factory/build/service.go.
#[test]
fn a_service_that_is_written_changes_the_made_one_or_comes_beside_it() {
    let spec = json!({"ports": [{"name": "http", "port": 80, "targetPort": 8427}, {"name": "more", "port": 81}]});
    let metadata = json!({"labels": {"exposed": "yes", "managed-by": "me"}});
    let changed = inventory(
        "VMAuth",
        json!({"serviceSpec": {"useAsDefault": true, "metadata": metadata, "spec": spec}, "internalListenPort": "8426"}),
    );
    assert_eq!(names(&changed), ["vmauth-main"]);
    assert_eq!(
        service_ports(&changed.services[0]),
        ["http:80>8427", "more:81>81", "internal:8426>8426"]
    );
    assert_eq!(changed.services[0].labels.get("exposed"), Some("yes"));
    assert_eq!(
        changed.services[0].labels.get("managed-by"),
        Some("vm-operator")
    );
    let beside = inventory(
        "VMAuth",
        json!({"serviceSpec": {"metadata": metadata, "spec": {"clusterIP": "None"}}}),
    );
    assert_eq!(
        names(&beside),
        ["vmauth-main", "vmauth-main-additional-service"]
    );
    let additional = &beside.services[1];
    assert_eq!(service_ports(additional), ["http:8427>8427"]);
    assert_eq!(
        additional
            .labels
            .get("operator.victoriametrics.com/additional-service"),
        Some("managed")
    );
    assert!(additional.headless && !beside.services[0].headless);
    let broken = inventory(
        "VMAuth",
        json!({"serviceSpec": {"spec": {"ports": [{"port": "80"}]}}}),
    );
    assert_eq!(
        broken.unread[0].at.as_str(),
        "/spec/serviceSpec/spec/ports/0"
    );
}

#[test]
fn a_service_of_the_input_counts_and_one_name_is_one_service() {
    let written = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "alertmanager-operated", "namespace": "vm"},
        "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}});
    let alertmanager = |name: &str| {
        json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager",
            "metadata": {"name": name, "namespace": "vm"}, "spec": {}})
    };
    let (a, b) = (alertmanager("a"), alertmanager("b"));
    let both = read([(0, &a), (1, &b)], &Config::default());
    assert_eq!(names(&both), ["alertmanager-operated"]);
    assert_eq!(both.workloads.len(), 2);
    let of = |inventory: &Inventory| inventory.services[0].named();
    let reversed = read([(0, &b), (1, &a)], &Config::default());
    assert_eq!(of(&both), of(&reversed));
    let mut other = alertmanager("b");
    other["spec"]["portName"] = json!("ui");
    let contradicting = read([(0, &a), (1, &other)], &Config::default());
    assert_eq!(contradicting.services.len(), 2, "either may be there");
    for objects in [[(0, &a), (1, &written)], [(0, &written), (1, &a)]] {
        let inventory = read(objects, &Config::default());
        assert_eq!(inventory.services.len(), 1);
        assert!(inventory.services[0].made_for.is_none());
    }
}

#[test]
fn what_is_not_understood_is_said_once() {
    let port = inventory("VMSingle", json!({"port": 80, "vmBackup": {"port": true}}));
    let at: Vec<_> = port
        .unread
        .iter()
        .map(|unread| unread.at.as_str())
        .collect();
    assert_eq!(at, ["/spec/port", "/spec/vmBackup/port"]);
    assert_eq!(port.workloads.len(), 1, "its labels are known");
    let labels = inventory("VMAlert", json!({"podMetadata": {"labels": {"a": true}}}));
    assert_eq!(labels.unread[0].at.as_str(), "/spec/podMetadata/labels/a");
    assert!(labels.workloads.is_empty());
    assert_eq!(
        names(&labels),
        ["vmalert-main"],
        "its Service does not depend on them"
    );
    let pools = inventory(
        "VMCluster",
        json!({"vmselect": {}, "vminsert": {}, "pools": [{}]}),
    );
    assert_eq!(pools.unread.len(), 1);
    assert!(pools.workloads.is_empty());
}
