//! Which programs do operators run, and for which objects?
//!
//! Authority: VictoriaMetrics operator `api/operator/{v1,v1beta1}`, `internal/config/config.go`, `factory/*`; Prometheus operator `pkg/{alertmanager,thanos}/statefulset.go`.
//! Departs from them: ports that exist only for pushing (syslog, OTLP) and pools of a VMCluster are not in the table.
//! Knows: the table. Does not know: any object.
//!
//! A program is one row here. What makes pods and Services of it asks the row, never the kind.

use super::conditions::{
    always, has_backup, has_own_config, has_thanos, is_stateful, never, reloader_listens, reloads,
    scrapes_or_rewrites,
};
use super::{Component, Further, Made, Number, Operator};

const VM: &[&str] = &["operator.victoriametrics.com/v1beta1"];
const VM_STABLE: &[&str] = &["operator.victoriametrics.com/v1"];
const OF_PROMETHEUS: &[&str] = &["monitoring.coreos.com/v1"];

/// The label of Services that lead to, or past, a load balancer of requests.
const BALANCED: &str = "operator.victoriametrics.com/vmauthlb-proxy-name";

/// What pushes metrics in other protocols (`InsertPorts`).
const INSERT: [Further; 4] = [
    pushed("graphite-tcp", &["insertPorts", "graphitePort"]),
    pushed("influx-tcp", &["insertPorts", "influxPort"]),
    pushed("opentsdb-tcp", &["insertPorts", "openTSDBPort"]),
    pushed("opentsdb-http", &["insertPorts", "openTSDBHTTPPort"]),
];

/// The config-reloader (`addPortProbesToConfigReloaderContainer`); no Service has its port.
const RELOADER: Further = Further {
    container: Some("config-reloader"),
    name: "reloader-http",
    number: Number::Fixed(8435),
    there: always,
    in_service: None,
};
const BACKUP: Further = Further {
    container: Some("vmbackupmanager"),
    name: "http",
    number: Number::Key(&["vmBackup", "port"], Some(8300)),
    there: has_backup,
    in_service: Some("vmbackupmanager"),
};
/// The Prometheus operator's own (`CreateConfigReloader`).
const RELOADER_WEB: Further = Further {
    name: "reloader-web",
    number: Number::Fixed(8080),
    there: reloader_listens,
    ..RELOADER
};
const MESH: Further = Further {
    container: None,
    name: "mesh-tcp",
    number: Number::Fixed(9094),
    there: always,
    in_service: Some("tcp-mesh"),
};

/// A port of the main container that is there where it is written.
const fn pushed(name: &'static str, key: &'static [&'static str]) -> Further {
    Further {
        container: None,
        name,
        number: Number::Key(key, None),
        there: always,
        in_service: Some(name),
    }
}

/// VMAgent; what the other rows do not say is as here.
const VM_AGENT: Component = Component {
    kind: "VMAgent",
    api_versions: VM,
    part: None,
    settings: &[],
    switch: None,
    operator: Operator::VictoriaMetrics,
    app: "vmagent",
    named_by: &[],
    prefix: "vmagent",
    account: Some("vmagent"),
    container: "vmagent",
    port_name: "http",
    port_name_key: None,
    port_key: Some("port"),
    default_port: 8429,
    further: &[
        Further {
            there: reloads,
            ..RELOADER
        },
        INSERT[0],
        INSERT[1],
        INSERT[2],
        INSERT[3],
    ],
    made: Made::OfObject {
        headless: is_stateful,
    },
    service_labels: &[],
    balanced_unless: None,
};

/// VMAlertmanager.
const VM_ALERTMANAGER: Component = Component {
    kind: "VMAlertmanager",
    app: "vmalertmanager",
    prefix: "vmalertmanager",
    account: Some("vmalertmanager"),
    container: "alertmanager",
    port_name: "web",
    port_name_key: Some("portName"),
    default_port: 9093,
    further: &[RELOADER, MESH],
    made: Made::OfObject { headless: always },
    ..VM_AGENT
};

/// One without further ports and with an ordinary Service.
const fn plain(kind: &'static str, app: &'static str, default_port: u16) -> Component {
    Component {
        kind,
        app,
        prefix: app,
        account: Some(app),
        container: app,
        default_port,
        further: &[],
        made: Made::OfObject { headless: never },
        ..VM_AGENT
    }
}

/// A program of a cluster, with its settings below `spec.<key>`.
const fn of_cluster(
    of: (&'static str, &'static str),
    program: (&'static str, &'static [&'static str]),
    default_port: u16,
    labels: &'static [(&'static str, &'static str)],
) -> Component {
    let (kind, account) = of;
    let (app, settings) = program;
    Component {
        part: Some(app),
        settings,
        account: Some(account),
        service_labels: labels,
        ..plain(kind, app, default_port)
    }
}

/// vmauth in front of a cluster.
const fn balancer(
    of: (&'static str, &'static str),
    app: &'static str,
    prefix: &'static str,
    labels: &'static [(&'static str, &'static str)],
) -> Component {
    let settings = &["requestsLoadBalancer", "spec"];
    Component {
        part: Some("vmauth"),
        switch: Some(&["requestsLoadBalancer", "enabled"]),
        app,
        prefix,
        container: "vmauth",
        ..of_cluster(of, ("vmauth", settings), 8427, labels)
    }
}

const VM_CLUSTER: (&str, &str) = ("VMCluster", "vmcluster");
const VL_CLUSTER: (&str, &str) = ("VLCluster", "vlcluster");
const VT_CLUSTER: (&str, &str) = ("VTCluster", "vtcluster");
const OF_VM: &[(&str, &str)] = &[("app.kubernetes.io/part-of", "vmcluster")];
const OF_VL: &[(&str, &str)] = &[("app.kubernetes.io/part-of", "vlcluster")];
const OF_VT: &[(&str, &str)] = &[("app.kubernetes.io/part-of", "vtcluster")];
const HEADLESS: Made = Made::OfObject { headless: always };
const INSERTS: Option<&str> = Some("disableInsertBalancing");
const SELECTS: Option<&str> = Some("disableSelectBalancing");

/// Every program that we know operators to run.
pub(super) static COMPONENTS: [Component; 24] = [
    VM_AGENT,
    Component {
        further: &[RELOADER],
        ..plain("VMAlert", "vmalert", 8080)
    },
    VM_ALERTMANAGER,
    Component {
        further: &[
            Further {
                there: has_own_config,
                ..RELOADER
            },
            pushed("internal", &["internalListenPort"]),
        ],
        ..plain("VMAuth", "vmauth", 8427)
    },
    Component {
        made: HEADLESS,
        balanced_unless: SELECTS,
        further: &[pushed("clusternative", &["clusterNativePort"])],
        ..of_cluster(VM_CLUSTER, ("vmselect", &["vmselect"]), 8481, OF_VM)
    },
    Component {
        balanced_unless: INSERTS,
        further: &[
            pushed("clusternative", &["clusterNativePort"]),
            INSERT[0],
            INSERT[1],
            INSERT[2],
            INSERT[3],
        ],
        ..of_cluster(VM_CLUSTER, ("vminsert", &["vminsert"]), 8480, OF_VM)
    },
    Component {
        made: HEADLESS,
        further: &[
            Further {
                name: "vminsert",
                number: Number::Key(&["vmInsertPort"], Some(8400)),
                in_service: Some("vminsert"),
                ..MESH
            },
            Further {
                name: "vmselect",
                number: Number::Key(&["vmSelectPort"], Some(8401)),
                in_service: Some("vmselect"),
                ..MESH
            },
            BACKUP,
        ],
        ..of_cluster(VM_CLUSTER, ("vmstorage", &["vmstorage"]), 8482, OF_VM)
    },
    balancer(
        VM_CLUSTER,
        "vmclusterlb-vmauth-balancer",
        "vmclusterlb",
        &[
            ("app.kubernetes.io/part-of", "vmcluster"),
            (BALANCED, "vmauth"),
        ],
    ),
    Component {
        api_versions: VM_STABLE,
        ..plain("VLSingle", "vlsingle", 9428)
    },
    Component {
        api_versions: VM_STABLE,
        made: HEADLESS,
        ..plain("VLAgent", "vlagent", 9429)
    },
    Component {
        api_versions: VM_STABLE,
        made: HEADLESS,
        balanced_unless: SELECTS,
        ..of_cluster(VL_CLUSTER, ("vlselect", &["vlselect"]), 9471, OF_VL)
    },
    Component {
        api_versions: VM_STABLE,
        balanced_unless: INSERTS,
        ..of_cluster(VL_CLUSTER, ("vlinsert", &["vlinsert"]), 9481, OF_VL)
    },
    Component {
        api_versions: VM_STABLE,
        made: HEADLESS,
        ..of_cluster(VL_CLUSTER, ("vlstorage", &["vlstorage"]), 9491, OF_VL)
    },
    Component {
        api_versions: VM_STABLE,
        ..balancer(
            VL_CLUSTER,
            "vlclusterlb-vmauth-balancer",
            "vlclusterlb",
            &[
                ("app.kubernetes.io/part-of", "vlcluster"),
                (BALANCED, "vmauth"),
            ],
        )
    },
    Component {
        api_versions: VM_STABLE,
        ..plain("VTSingle", "vtsingle", 10428)
    },
    Component {
        api_versions: VM_STABLE,
        made: HEADLESS,
        balanced_unless: SELECTS,
        ..of_cluster(VT_CLUSTER, ("vtselect", &["select"]), 10471, OF_VT)
    },
    Component {
        api_versions: VM_STABLE,
        balanced_unless: INSERTS,
        ..of_cluster(VT_CLUSTER, ("vtinsert", &["insert"]), 10481, OF_VT)
    },
    Component {
        api_versions: VM_STABLE,
        made: HEADLESS,
        ..of_cluster(VT_CLUSTER, ("vtstorage", &["storage"]), 10491, OF_VT)
    },
    Component {
        api_versions: VM_STABLE,
        ..balancer(
            VT_CLUSTER,
            "vtclusterlb-vmauth-balancer",
            "vtclusterlb",
            &[
                ("app.kubernetes.io/part-of", "vtcluster"),
                (BALANCED, "vmauth"),
            ],
        )
    },
    Component {
        further: &[
            Further {
                there: scrapes_or_rewrites,
                ..RELOADER
            },
            BACKUP,
            INSERT[0],
            INSERT[1],
            INSERT[2],
            INSERT[3],
        ],
        ..plain("VMSingle", "vmsingle", 8428)
    },
    PROMETHEUS,
    Component {
        kind: "PrometheusAgent",
        api_versions: &["monitoring.coreos.com/v1alpha1"],
        app: "prometheus-agent",
        named_by: &["operator.prometheus.io/name"],
        prefix: "prom-agent",
        further: &[RELOADER_WEB],
        made: Made::Governing {
            name: "prometheus-agent-operated",
            label: "operated-prometheus",
        },
        ..PROMETHEUS
    },
    ALERTMANAGER,
    Component {
        kind: "ThanosRuler",
        app: "thanos-ruler",
        named_by: &["thanos-ruler"],
        prefix: "thanos-ruler",
        container: "thanos-ruler",
        default_port: 10902,
        further: &[
            RELOADER_WEB,
            Further {
                name: "grpc",
                number: Number::Fixed(10901),
                in_service: Some("grpc"),
                ..MESH
            },
        ],
        made: Made::Governing {
            name: "thanos-ruler-operated",
            label: "operated-thanos-ruler",
        },
        ..ALERTMANAGER
    },
];

/// Alertmanager; what other rows of the Prometheus operator do not say is as here.
const ALERTMANAGER: Component = Component {
    kind: "Alertmanager",
    api_versions: OF_PROMETHEUS,
    operator: Operator::Prometheus,
    app: "alertmanager",
    named_by: &["alertmanager"],
    prefix: "alertmanager",
    account: None,
    container: "alertmanager",
    port_name: "web",
    port_name_key: Some("portName"),
    port_key: None,
    default_port: 9093,
    further: &[RELOADER_WEB, MESH],
    made: Made::Governing {
        name: "alertmanager-operated",
        label: "operated-alertmanager",
    },
    ..VM_AGENT
};

/// Prometheus, with the sidecar of Thanos where it is asked for.
const PROMETHEUS: Component = Component {
    kind: "Prometheus",
    app: "prometheus",
    named_by: &["operator.prometheus.io/name", "prometheus"],
    prefix: "prometheus",
    container: "prometheus",
    default_port: 9090,
    further: &[
        RELOADER_WEB,
        Further {
            container: Some("thanos-sidecar"),
            name: "http",
            number: Number::Fixed(10902),
            there: has_thanos,
            in_service: None,
        },
        Further {
            container: Some("thanos-sidecar"),
            name: "grpc",
            number: Number::Fixed(10901),
            there: has_thanos,
            in_service: Some("grpc"),
        },
    ],
    made: Made::Governing {
        name: "prometheus-operated",
        label: "operated-prometheus",
    },
    ..ALERTMANAGER
};
