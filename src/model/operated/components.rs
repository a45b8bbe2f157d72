//! Which programs do operators run, and for which objects?
//!
//! Authority: VictoriaMetrics operator `api/operator/{v1,v1beta1}`, `internal/config/config.go`, `factory/*`.
//! Departs from them: ports that exist only for pushing (syslog, OTLP) and pools of a VMCluster are not in the table.
//! Knows: the table. Does not know: any object.
//!
//! A program is one row here. What makes pods and Services of it asks the row, never the kind.

use super::super::field::{Field, Read};
use super::conditions::{
    always, has_backup, has_own_config, is_stateful, never, reloads, scrapes_or_rewrites,
};
use super::of_prometheus::{ALERTMANAGER, PROMETHEUS, PROMETHEUS_AGENT, THANOS_RULER};
use super::{Component, Further, Made, Number, Operator};

const VM: &[&str] = &["operator.victoriametrics.com/v1beta1"];
const VM_STABLE: &[&str] = &["operator.victoriametrics.com/v1"];

/// The port of the config-reloader beside programs of the VictoriaMetrics operator (`ConfigReloaderDefaultPort`).
pub const RELOADER_PORT: u16 = 8435;

/// The label of the Services of a cluster.
const PART_OF: &str = "app.kubernetes.io/part-of";
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
pub(super) const RELOADER: Further = Further {
    container: Some("config-reloader"),
    name: "reloader-http",
    number: Number::Fixed(RELOADER_PORT),
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
/// Where Alertmanagers meet.
pub(super) const MESH: Further = Further {
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
pub(super) const VM_AGENT: Component = Component {
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

/// A kind of clusters.
struct Cluster {
    kind: &'static str,
    api_versions: &'static [&'static str],
    account: &'static str,
    labels: &'static [(&'static str, &'static str)],
    balancer: (&'static str, &'static str),
    balancer_labels: &'static [(&'static str, &'static str)],
}

const VM_CLUSTER: Cluster = Cluster {
    kind: "VMCluster",
    api_versions: VM,
    account: "vmcluster",
    labels: &[(PART_OF, "vmcluster")],
    balancer: ("vmclusterlb-vmauth-balancer", "vmclusterlb"),
    balancer_labels: &[(PART_OF, "vmcluster"), (BALANCED, "vmauth")],
};
const VL_CLUSTER: Cluster = Cluster {
    kind: "VLCluster",
    api_versions: VM_STABLE,
    account: "vlcluster",
    labels: &[(PART_OF, "vlcluster")],
    balancer: ("vlclusterlb-vmauth-balancer", "vlclusterlb"),
    balancer_labels: &[(PART_OF, "vlcluster"), (BALANCED, "vmauth")],
};
const VT_CLUSTER: Cluster = Cluster {
    kind: "VTCluster",
    api_versions: VM_STABLE,
    account: "vtcluster",
    labels: &[(PART_OF, "vtcluster")],
    balancer: ("vtclusterlb-vmauth-balancer", "vtclusterlb"),
    balancer_labels: &[(PART_OF, "vtcluster"), (BALANCED, "vmauth")],
};

/// What the load balancer of a cluster does to a program's Service.
#[derive(Clone, Copy)]
enum Role {
    Inserts,
    Selects,
    Stores,
}

/// A program of a cluster, with its settings below `spec.<key>`.
const fn of_cluster(
    cluster: &Cluster,
    role: Role,
    (app, settings): (&'static str, &'static [&'static str]),
    default_port: u16,
) -> Component {
    let (headless, balanced_unless): (fn(&Field<'_>) -> Read<bool>, _) = match role {
        Role::Inserts => (never, Some("disableInsertBalancing")),
        Role::Selects => (always, Some("disableSelectBalancing")),
        Role::Stores => (always, None),
    };
    Component {
        api_versions: cluster.api_versions,
        part: Some(app),
        settings,
        account: Some(cluster.account),
        made: Made::OfObject { headless },
        service_labels: cluster.labels,
        balanced_unless,
        ..plain(cluster.kind, app, default_port)
    }
}

/// vmauth in front of a cluster.
const fn balancer(cluster: &Cluster) -> Component {
    let (app, prefix) = cluster.balancer;
    Component {
        api_versions: cluster.api_versions,
        part: Some("vmauth"),
        settings: &["requestsLoadBalancer", "spec"],
        switch: Some(&["requestsLoadBalancer", "enabled"]),
        account: Some(cluster.account),
        prefix,
        container: "vmauth",
        service_labels: cluster.balancer_labels,
        ..plain(cluster.kind, app, 8427)
    }
}

const HEADLESS: Made = Made::OfObject { headless: always };

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
        further: &[pushed("clusternative", &["clusterNativePort"])],
        ..of_cluster(
            &VM_CLUSTER,
            Role::Selects,
            ("vmselect", &["vmselect"]),
            8481,
        )
    },
    Component {
        further: &[
            pushed("clusternative", &["clusterNativePort"]),
            INSERT[0],
            INSERT[1],
            INSERT[2],
            INSERT[3],
        ],
        ..of_cluster(
            &VM_CLUSTER,
            Role::Inserts,
            ("vminsert", &["vminsert"]),
            8480,
        )
    },
    Component {
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
        ..of_cluster(
            &VM_CLUSTER,
            Role::Stores,
            ("vmstorage", &["vmstorage"]),
            8482,
        )
    },
    balancer(&VM_CLUSTER),
    of_cluster(
        &VL_CLUSTER,
        Role::Selects,
        ("vlselect", &["vlselect"]),
        9471,
    ),
    of_cluster(
        &VL_CLUSTER,
        Role::Inserts,
        ("vlinsert", &["vlinsert"]),
        9481,
    ),
    of_cluster(
        &VL_CLUSTER,
        Role::Stores,
        ("vlstorage", &["vlstorage"]),
        9491,
    ),
    balancer(&VL_CLUSTER),
    of_cluster(&VT_CLUSTER, Role::Selects, ("vtselect", &["select"]), 10471),
    of_cluster(&VT_CLUSTER, Role::Inserts, ("vtinsert", &["insert"]), 10481),
    of_cluster(
        &VT_CLUSTER,
        Role::Stores,
        ("vtstorage", &["storage"]),
        10491,
    ),
    balancer(&VT_CLUSTER),
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
        ..plain("VTSingle", "vtsingle", 10428)
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
    PROMETHEUS_AGENT,
    ALERTMANAGER,
    THANOS_RULER,
];
