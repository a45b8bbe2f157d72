//! How is the proxy of some pods configured, and by whom?
//!
//! Authority: istio/istio pilot/pkg/model/proxy_config.go `EffectiveProxyConfig`: a ProxyConfig that selects the pods, over the annotation `proxy.istio.io/config`, over a ProxyConfig of the namespace, over one of the root namespace, over the mesh's `defaultConfig`; maps are merged key by key.
//! Departs from it: of several ProxyConfigs of one level the oldest counts, which Git does not show, so what they disagree about is not known; `PROXY_CONFIG` of pods that are injected in Git is not read.
//! Knows: annotations, ProxyConfigs, settings of the mesh. Does not know: what a setting does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::annotations::PROXY_CONFIG;
use super::possible::Possible;
use super::selection::label;
use super::{Mesh, MeshSettings, named};
use crate::model::{Labels, PodsKnown, ProxyConfig, Setting, Workload, contains, embedded};

/// The configuration of some pods' proxy, as far as it decides about a scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveProxyConfig {
    metadata: BTreeMap<String, Metadata>,
    /// `interceptionMode`, which an annotation of its own overrules.
    pub(super) interception: Possible,
    /// `statusPort`: where pilot-agent listens, unless an annotation of its own moves it.
    pub(super) status_port: Possible,
}

/// One entry of `proxyMetadata`: environment of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What it is; empty where it is not set.
    pub value: Possible,
    /// Who set it.
    pub origin: Origin,
}

/// Who sets an entry, from the weakest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The mesh, or a ProxyConfig of a whole namespace.
    Defaults,
    /// The pods' own annotation.
    Annotation,
    /// A ProxyConfig that selects the pods: it wins over the annotation.
    Selected,
}

impl EffectiveProxyConfig {
    /// An entry of `proxyMetadata`; `None` where nobody sets it.
    pub fn metadata(&self, key: &str) -> Option<&Metadata> {
        self.metadata.get(key)
    }
}

/// The configuration of the pods' proxy.
///
/// # Errors
/// The annotation for which the injector refuses the pods.
pub fn effective_proxy_config(
    mesh: &Mesh<'_>,
    pods: &Workload,
) -> Result<EffectiveProxyConfig, String> {
    let settings = mesh.settings_of(pods);
    let own = own(pods)?;
    let namespace = pods.object.namespace.as_str();
    let configs_in = |namespace: &str| {
        let inventory = mesh.inventory;
        let configs = inventory.proxy_configs_for(namespace, |key| label(pods, key));
        configs.into_iter()
    };
    // A selector without labels is none of the two: it selects nobody.
    let of_all = |config: &&ProxyConfig| config.selector.is_none();
    let selecting = |selects: &dyn Fn(&Labels) -> bool| -> Vec<&ProxyConfig> {
        let by_labels = |config: &&ProxyConfig| {
            let selector = config.selector.as_ref();
            selector.is_some_and(|labels| !labels.is_empty() && selects(labels))
        };
        configs_in(namespace).filter(by_labels).collect()
    };

    let mut metadata = mesh_wide(mesh, pods, settings);
    let roots = &settings.root_namespaces;
    let in_root = roots.iter().flat_map(|root| configs_in(root));
    let in_root: Vec<_> = in_root.filter(of_all).collect();
    overlay(&mut metadata, &in_root, roots.len() == 1, Origin::Defaults);
    let in_namespace: Vec<_> = configs_in(namespace).filter(of_all).collect();
    overlay(&mut metadata, &in_namespace, true, Origin::Defaults);
    for (key, value) in own.metadata {
        let because = format!("{}: proxyMetadata {key}", named(&pods.object));
        let value = Possible::said(value, because);
        let origin = Origin::Annotation;
        metadata.insert(key, Metadata { value, origin });
    }
    let surely = selecting(&|labels| contains(&pods.labels, labels));
    overlay(&mut metadata, &surely, true, Origin::Selected);
    let perhaps = selecting(&|labels| may_select(labels, pods));
    overlay(&mut metadata, &perhaps, false, Origin::Selected);

    let mode = Possible::of_mesh(
        mesh,
        pods,
        (&Setting::Interception, &settings.interception),
        "REDIRECT",
        |plane| plane.interception.clone(),
    )
    .spelled_out();
    let port = Possible::of_mesh(
        mesh,
        pods,
        (&Setting::StatusPort, &settings.status_port),
        "15020",
        |plane| plane.status_port,
    );
    let own_say = |field: &str| {
        format!(
            "{}: annotation {PROXY_CONFIG}: {field}",
            named(&pods.object)
        )
    };
    Ok(EffectiveProxyConfig {
        metadata,
        // REDIRECT is the zero of its enum, and zeros do not overrule when the configurations are merged.
        interception: match own.interception {
            Some(own) if own != "REDIRECT" => {
                Possible::said(own, own_say(&format!("interceptionMode {own}")))
            }
            Some(_) | None => mode,
        },
        status_port: match own.status_port {
            Some(own) => Possible::said(own.to_string(), own_say("statusPort")),
            None => port,
        },
    })
}

fn mesh_wide(
    mesh: &Mesh<'_>,
    pods: &Workload,
    settings: &MeshSettings,
) -> BTreeMap<String, Metadata> {
    let entries = settings.proxy_metadata.iter();
    entries
        .map(|(key, fact)| {
            let setting = Setting::MetadataEntry(key.clone());
            let value = Possible::of_mesh(mesh, pods, (&setting, fact), "", |plane| {
                plane.proxy_metadata.get(key).cloned()
            });
            let origin = Origin::Defaults;
            (key.clone(), Metadata { value, origin })
        })
        .collect()
}

/// Puts what ProxyConfigs of one level say over what the levels below say. One of them counts, or, where it is not
/// `sure` that the level does, perhaps none.
fn overlay(
    metadata: &mut BTreeMap<String, Metadata>,
    configs: &[&ProxyConfig],
    sure: bool,
    origin: Origin,
) {
    let keys: BTreeSet<&str> = configs
        .iter()
        .flat_map(|config| config.environment.keys())
        .collect();
    for key in keys {
        let sayings: Vec<(&ProxyConfig, Option<&str>)> = configs
            .iter()
            .map(|config| (*config, config.environment.get(key)))
            .collect();
        let mut value = Possible {
            values: sayings
                .iter()
                .filter_map(|(_, said)| said.map(str::to_owned))
                .collect(),
            proven: sure,
            written: sure,
            because: sayings
                .iter()
                .filter(|(_, said)| said.is_some())
                .map(|(config, _)| format!("{}: environmentVariables {key}", named(&config.object)))
                .collect(),
        };
        if !sure || sayings.iter().any(|(_, said)| said.is_none()) {
            match metadata.get(key) {
                // Anything, or this.
                Some(below) if below.value.values.is_empty() => {
                    value.values.clear();
                    value.because.extend(below.value.because.iter().cloned());
                }
                Some(below) => {
                    value.values.extend(below.value.values.iter().cloned());
                    value.because.extend(below.value.because.iter().cloned());
                }
                None => {
                    value.values.insert(String::new());
                }
            }
        }
        value.proven &= value.values.len() == 1;
        metadata.insert(key.to_owned(), Metadata { value, origin });
    }
}

/// Whether pods of which only some labels are known may have those that are asked for.
fn may_select(selector: &Labels, pods: &Workload) -> bool {
    pods.known == PodsKnown::SelectorOnly
        && !contains(&pods.labels, selector)
        && selector
            .iter()
            .all(|(key, value)| pods.labels.get(key).is_none_or(|has| has == value))
}

/// What `proxy.istio.io/config` says, as far as it is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    metadata: BTreeMap<String, String>,
    interception: Option<&'static str>,
    status_port: Option<u16>,
}

/// What the pods' annotation says. Its text is not repeated where it is not understood: it is long, and may hold secrets.
pub(super) fn own(pods: &Workload) -> Result<Written, String> {
    let Some(text) = pods.annotations.get(PROXY_CONFIG) else {
        return Ok(Written::default());
    };
    written(text).map_err(|why| {
        let owner = named(&pods.object);
        format!("{owner}: annotation {PROXY_CONFIG} is not understood: {why}")
    })
}

/// Reads the annotation as Istio reads JSON into protobuf: strings stay strings, enums go by name or number.
fn written(text: &str) -> Result<Written, String> {
    let config = match embedded(text)? {
        Value::Null => return Ok(Written::default()),
        Value::Object(config) => config,
        _ => return Err("it does not hold a map".to_owned()),
    };
    let metadata = match config.get("proxyMetadata") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(entries)) => entries
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key.clone(), text.clone())),
                Value::Null => Ok((key.clone(), String::new())),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    Err(format!("proxyMetadata.{key} is no string"))
                }
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("proxyMetadata does not hold a map".to_owned()),
    };
    Ok(Written {
        metadata,
        interception: config
            .get("interceptionMode")
            .filter(|mode| !mode.is_null())
            .map(interception)
            .transpose()?,
        status_port: config
            .get("statusPort")
            .filter(|port| !port.is_null())
            .map(status_port)
            .transpose()?,
    })
}

fn interception(mode: &Value) -> Result<&'static str, String> {
    let by_name = ["REDIRECT", "TPROXY", "NONE"];
    let found = match mode {
        Value::String(name) => by_name.into_iter().find(|mode| mode == name),
        _ => mode
            .as_u64()
            .and_then(|number| by_name.get(usize::try_from(number).ok()?).copied()),
    };
    found.ok_or_else(|| "interceptionMode is none of REDIRECT, TPROXY, NONE".to_owned())
}

fn status_port(port: &Value) -> Result<u16, String> {
    let number = match port {
        Value::String(digits) => digits.parse().ok(),
        _ => port.as_u64().and_then(|number| u16::try_from(number).ok()),
    };
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| "statusPort is no port".to_owned())
}

#[cfg(test)]
mod tests;
