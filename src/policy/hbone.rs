//! Does the sidecar of pods accept what ztunnel tunnels to it (HBONE)?
//!
//! Authority: istio/istio pilot/pkg/model/context.go `EnableHBONEListen`, pilot/pkg/serviceregistry/ambient/workloads.go
//! `setTunnelProtocol`, files/injection-template.yaml (the label that the injector sets); pilot/pkg/model/proxy_config.go
//! `EffectiveProxyConfig` for who wins.
//! Departs from it: a label on the pods is believed, whether their sidecar is set up for it or not; istiod's own switch
//! `PILOT_ENABLE_SIDECAR_LISTENING_HBONE` counts as on, as it is wherever ambient is.
//! Knows: labels and annotations of pods, ProxyConfig, the mesh's proxyMetadata. Does not know: policies, scrapers.

use super::{Fact, Mesh, effective_proxy_config, named};
use crate::model::{PodsKnown, Workload};

/// The label that tells ztunnel to tunnel: a list of protocols.
pub(super) const TUNNEL: &str = "networking.istio.io/tunnel";
pub(super) const METADATA: &str = "ISTIO_META_ENABLE_HBONE";

/// Whether pods with a sidecar get requests of ambient pods through a tunnel, which counts as mutual TLS. If not,
/// ztunnel passes the requests on as they are.
pub fn accepts_hbone(mesh: &Mesh<'_>, pods: &Workload) -> Fact<bool> {
    let fact = by_label(pods)
        .or_else(|| by_proxy_config(mesh, pods))
        .unwrap_or_else(|| by_default(pods));
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

/// What the configuration of the pods' proxy says; where it is not understood the injector refuses the pods.
fn by_proxy_config(mesh: &Mesh<'_>, pods: &Workload) -> Option<Fact<bool>> {
    let config = match effective_proxy_config(mesh, pods) {
        Ok(config) => config,
        Err(problem) => return Some(Fact::unknown(problem)),
    };
    let entry = config.metadata(METADATA)?;
    let accepts = entry.value.holds(|value| value == "true");
    Some(Fact {
        value: accepts,
        proven: accepts.is_some() && entry.value.proven,
        because: entry.value.clone().spelled_out().because,
    })
}

/// The charts set it in an ambient installation only, and then it is in the mesh's settings.
fn by_default(pods: &Workload) -> Fact<bool> {
    let because = format!(
        "nothing in the input sets {METADATA} for {}: the charts' default is no tunnel",
        named(&pods.object)
    );
    Fact::assumed(false, because)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::{ControlPlane, Inventory, ProxyConfig};
    use crate::policy::Settings;
    use crate::policy::annotations::PROXY_CONFIG;
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
            ("proxyMetadata: {OTHER: x}", Some(false)),
            ("proxyMetadata: [", None),
        ] {
            assert_eq!(
                of_pods(&annotated(&[(PROXY_CONFIG, config)])),
                accepts,
                "{config}"
            );
        }
    }

    /// Nothing said is the charts' default, and proves nothing.
    #[test]
    fn the_mesh() {
        let pods = workload("shop", &[("sidecar.istio.io/inject", "true")]);
        for (name, hbone, accepts) in [
            ("istio", Some("true"), Some(true)),
            ("istio", Some("false"), Some(false)),
            ("istio", None, Some(false)),
        ] {
            let inventory = mesh_config(name, hbone);
            assert_eq!(asked(&inventory, &pods).value, accepts, "{name} {hbone:?}");
        }
        let unsaid = asked(&Inventory::default(), &pods);
        assert_eq!((unsaid.value, unsaid.proven), (Some(false), false));
    }

    /// EffectiveProxyConfig: workload over namespace over mesh, and the annotation over all.
    #[test]
    fn proxy_configs() {
        let config = |namespace: &str, name: &str, selector: &[(&str, &str)], value: &str| {
            let mut object = policy(namespace, name, None).object;
            object.kind = "ProxyConfig".to_owned();
            ProxyConfig {
                object,
                selector: (!selector.is_empty()).then(|| labels(selector)),
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
            (
                vec![config("shop", "db", &[("app", "db")], "true")],
                Some(false),
            ),
            (vec![config("other", "x", &[], "true")], Some(false)),
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
