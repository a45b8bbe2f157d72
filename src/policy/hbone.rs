//! Does the sidecar of pods accept what ztunnel tunnels to it (HBONE)?
//!
//! Authority: istio/istio pilot/pkg/model/context.go `EnableHBONEListen`, pilot/pkg/serviceregistry/ambient/workloads.go
//! `setTunnelProtocol`, files/injection-template.yaml (the label that the injector sets); pilot/pkg/model/proxy_config.go
//! `EffectiveProxyConfig` for who wins.
//! Departs from it: a label on the pods is believed, whether their sidecar is set up for it or not; istiod's own switch
//! `PILOT_ENABLE_SIDECAR_LISTENING_HBONE` counts as on, as it is wherever ambient is.
//! Knows: labels and annotations of pods, ProxyConfig, the mesh's proxyMetadata. Does not know: policies, scrapers.

use serde_json::Value;

use super::injection::revision;
use super::selection::{Selects, selects};
use super::{Fact, Mesh, named};
use crate::model::{ControlPlane, PodsKnown, ProxyConfig, Workload, embedded};

/// The label that tells ztunnel to tunnel: a list of protocols.
const TUNNEL: &str = "networking.istio.io/tunnel";
const METADATA: &str = "ISTIO_META_ENABLE_HBONE";
const PROXY_CONFIG: &str = "proxy.istio.io/config";

/// Whether pods with a sidecar get requests of ambient pods through a tunnel, which counts as mutual TLS. If not,
/// ztunnel passes the requests on as they are.
pub fn accepts_hbone(mesh: &Mesh<'_>, pods: &Workload) -> Fact<bool> {
    let fact = by_label(pods)
        .or_else(|| by_annotation(pods))
        .or_else(|| by_proxy_config(mesh, pods))
        .unwrap_or_else(|| by_mesh(mesh, pods));
    match pods.known {
        PodsKnown::Template | PodsKnown::Operator => fact,
        PodsKnown::SelectorOnly => Fact {
            proven: false,
            ..fact
        },
    }
}

fn by_label(pods: &Workload) -> Option<Fact<bool>> {
    let protocols = pods.labels.get(TUNNEL).filter(|list| !list.is_empty())?;
    let accepts = protocols.split(',').any(|protocol| protocol == "http");
    let because = format!("{}: label {TUNNEL}={protocols}", named(&pods.object));
    Some(Fact::proven(accepts, because))
}

fn by_annotation(pods: &Workload) -> Option<Fact<bool>> {
    let text = pods.annotations.get(PROXY_CONFIG)?;
    let told = |value: &str| format!("{}: {METADATA}={value}", named(&pods.object));
    match embedded(text) {
        // The injector refuses such pods.
        Err(_) => Some(Fact::unknown(format!(
            "{}: annotation {PROXY_CONFIG} is not understood",
            named(&pods.object)
        ))),
        Ok(config) => match config.get("proxyMetadata")?.get(METADATA)? {
            Value::String(value) => Some(Fact::proven(value == "true", told(value))),
            other => Some(Fact::proven(
                *other == Value::Bool(true),
                told(&other.to_string()),
            )),
        },
    }
}

/// Of the objects that set it the narrowest wins; where two are alike, or may not select the pods, nobody knows.
fn by_proxy_config(mesh: &Mesh<'_>, pods: &Workload) -> Option<Fact<bool>> {
    let roots = &mesh.settings_of(pods).root_namespaces;
    let width = |config: &ProxyConfig| {
        if config.object.namespace != pods.object.namespace {
            return roots
                .contains(&config.object.namespace)
                .then_some(Width::Mesh);
        }
        Some(match config.selector.is_empty() {
            true => Width::Namespace,
            false => Width::Workload,
        })
    };
    let mut setting: Vec<(Width, Selects, &ProxyConfig, &str)> = mesh
        .inventory
        .proxy_configs
        .iter()
        .filter_map(|config| {
            let value = config.environment.get(METADATA)?;
            let selected = selects(&config.selector, pods);
            (selected != Selects::No).then_some((width(config)?, selected, config, value.as_str()))
        })
        .collect();
    setting.sort_by_key(|(width, _, config, _)| (*width, config.object.to_string()));
    let (width, _, config, value) = *setting.first()?;
    let told = format!("{}: {METADATA}={value}", named(&config.object));
    let is_sure = setting.iter().all(|(other_width, selected, _, other)| {
        *other == value || (*other_width > width && *selected == Selects::Yes)
    }) && setting[0].1 == Selects::Yes;
    Some(if is_sure {
        Fact::proven(value == "true", told)
    } else {
        Fact::unknown(format!("{told}, and which ProxyConfig counts is not known"))
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Workload,
    Namespace,
    Mesh,
}

fn by_mesh(mesh: &Mesh<'_>, pods: &Workload) -> Fact<bool> {
    match mesh.settings_of(pods).proxy_metadata.get(METADATA) {
        Some(fact) => Fact {
            value: fact.value.as_ref().map(|value| value == "true"),
            proven: fact.proven,
            because: fact.because.clone(),
        },
        None if is_mesh_config_shown(mesh, pods) => Fact::assumed(
            false,
            format!("nothing sets {METADATA} for {}", named(&pods.object)),
        ),
        None => Fact::unknown(format!(
            "whether the sidecar of {} accepts tunnels is not in the input: the mesh's proxyMetadata, or a label \
             {TUNNEL} on the pods, would say it",
            named(&pods.object)
        )),
    }
}

/// Whether the input has the rendered settings of the mesh, in which a missing key is an answer.
fn is_mesh_config_shown(mesh: &Mesh<'_>, pods: &Workload) -> bool {
    let planes = &mesh.inventory.control_planes;
    let is_mesh_config = |plane: &&ControlPlane| {
        let name = plane.object.name.as_str();
        plane.object.kind == "ConfigMap"
            && name.starts_with("istio")
            && !name.starts_with("istio-sidecar-injector")
    };
    let shows = |revision: &str| {
        planes
            .iter()
            .filter(is_mesh_config)
            .any(|plane| plane.revision == revision)
    };
    match revision(mesh, pods) {
        Some(revision) => shows(&revision),
        None => !planes.is_empty() && planes.iter().all(|plane| shows(&plane.revision)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::Inventory;
    use crate::policy::Settings;
    use crate::policy::fixture::{annotated, inventory, labels, policy, workload};

    fn asked(inventory: &Inventory, pods: &Workload) -> Fact<bool> {
        let settings = Settings::of(inventory, &Config::default());
        accepts_hbone(
            &Mesh {
                inventory,
                settings: &settings,
            },
            pods,
        )
    }

    fn of_pods(pods: &Workload) -> Option<bool> {
        asked(&Inventory::default(), pods).value
    }

    fn mesh_config(name: &str, hbone: Option<&str>) -> Inventory {
        let mut object = policy("istio-system", name, None).object;
        object.kind = "ConfigMap".to_owned();
        let mut plane = ControlPlane::silent(object, "default");
        let said = hbone.map(|value| (METADATA.to_owned(), value.to_owned()));
        plane.proxy_metadata.extend(said);
        Inventory {
            control_planes: vec![plane],
            ..inventory(Vec::new(), Vec::new())
        }
    }

    /// workload.go `SupportsTunnel`: the label is a list.
    #[test]
    fn the_label() {
        for (value, accepts) in [("http", true), ("x,http", true), ("https", false)] {
            assert_eq!(
                of_pods(&workload("shop", &[(TUNNEL, value)])),
                Some(accepts)
            );
        }
    }

    /// `default "http"` of the template: an own label stays, whatever the metadata.
    #[test]
    fn the_label_wins() {
        let mut pods = annotated(&[(
            PROXY_CONFIG,
            "proxyMetadata: {ISTIO_META_ENABLE_HBONE: \"true\"}",
        )]);
        assert_eq!(of_pods(&pods), Some(true));
        pods.labels = labels(&[(TUNNEL, "none")]);
        assert_eq!(of_pods(&pods), Some(false));
    }

    #[test]
    fn the_annotation() {
        for (config, accepts) in [
            (
                "proxyMetadata: {ISTIO_META_ENABLE_HBONE: \"true\"}",
                Some(true),
            ),
            (
                "proxyMetadata: {ISTIO_META_ENABLE_HBONE: \"false\"}",
                Some(false),
            ),
            ("proxyMetadata: {OTHER: x}", None),
            ("proxyMetadata: [", None),
        ] {
            assert_eq!(
                of_pods(&annotated(&[(PROXY_CONFIG, config)])),
                accepts,
                "{config}"
            );
        }
    }

    /// A mesh config that is there and silent says no; other objects of the control plane say nothing.
    #[test]
    fn the_mesh() {
        let pods = workload("shop", &[("sidecar.istio.io/inject", "true")]);
        for (name, hbone, accepts) in [
            ("istio", Some("true"), Some(true)),
            ("istio", Some("false"), Some(false)),
            ("istio", None, Some(false)),
            ("istio-sidecar-injector", None, None),
        ] {
            let inventory = mesh_config(name, hbone);
            assert_eq!(asked(&inventory, &pods).value, accepts, "{name} {hbone:?}");
        }
        assert_eq!(of_pods(&pods), None);
    }

    /// EffectiveProxyConfig: workload over namespace over mesh, and the annotation over all.
    #[test]
    fn proxy_configs() {
        let config = |namespace: &str, name: &str, selector: &[(&str, &str)], value: &str| {
            let mut object = policy(namespace, name, None).object;
            object.kind = "ProxyConfig".to_owned();
            ProxyConfig {
                object,
                selector: labels(selector),
                environment: [(METADATA.to_owned(), value.to_owned())].into(),
            }
        };
        let of_mesh = || config("istio-system", "m", &[], "true");
        let of_namespace = || config("shop", "n", &[], "false");
        let of_workload = || config("shop", "w", &[("app", "web")], "true");
        let pods = workload("shop", &[("app", "web")]);
        for (configs, accepts) in [
            (vec![of_mesh()], Some(true)),
            (vec![of_mesh(), of_namespace()], Some(false)),
            (vec![of_mesh(), of_namespace(), of_workload()], Some(true)),
            (vec![of_namespace(), config("shop", "o", &[], "true")], None),
            (vec![config("shop", "db", &[("app", "db")], "true")], None),
            (vec![config("other", "x", &[], "true")], None),
        ] {
            let inventory = Inventory {
                proxy_configs: configs,
                ..Inventory::default()
            };
            assert_eq!(
                asked(&inventory, &pods).value,
                accepts,
                "{:?}",
                inventory.proxy_configs
            );
        }
    }
}
