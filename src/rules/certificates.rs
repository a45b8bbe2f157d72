//! Where does a scraper keep its sidecar's certificates, and what is missing for it to have them?
//!
//! Authority: VictoriaMetrics operator docs/integrations/istio.md; istio-proxy writes the files to `OUTPUT_CERTS`
//! (`pilot/cmd/pilot-agent`), the injection template mounts `sidecar.istio.io/userVolumeMount`.
//! Departs from them: both annotations are merged into, not replaced.
//! Knows: a scraper's `spec`, what its kind needs, the configuration of its proxy. Does not know: endpoints, policies.
//!
//! ```text
//! istio-proxy ─ OUTPUT_CERTS ─► userVolumeMount ─► volume (emptyDir, memory) ─► volumeMounts ─► scraper
//!                               └────── sidecar's side ─────┘                  └── scraper's side ──┘
//! ```

use serde_json::Value;

use super::completion::completion;
use crate::config::Config;
use crate::model::{Scraper, embedded};
use crate::policy::{self, Mesh, Origin, PROXY_CONFIG, USER_VOLUME_MOUNT};

const OUTPUT_CERTS: &str = "OUTPUT_CERTS";

/// The field of the proxy's configuration that lets the other containers start after istio-proxy is ready.
pub(super) const HOLD_APPLICATION: &str = "holdApplicationUntilProxyStarts";

/// What a scraper has of a certificate set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetUp {
    /// Where istio-proxy writes them (`OUTPUT_CERTS`).
    pub(super) output: Option<String>,
    /// Whether `OUTPUT_CERTS` itself is set, so that it needs no more writing.
    pub(super) writes_output: bool,
    /// Nothing but the mesh's defaults sets it, for every pod.
    output_by_default: bool,
    /// Whether istio-proxy mounts the volume there.
    pub(super) mounted_in_sidecar: bool,
    /// The volume that carries the files.
    pub(super) volume: String,
    /// Whether `spec.volumes` has it.
    pub(super) has_volume: bool,
    /// Where the scraper's own container mounts it, without trailing slash.
    pub(super) directories: Vec<String>,
    /// Where the scraper's own container mounts other volumes.
    taken: Vec<String>,
    /// Whether the scraper has yet to be told to wait for istio-proxy: it reads the files once, when it starts.
    pub(super) starts_too_early: bool,
    /// The object may not be changed: what is there is all there will be.
    fixed: bool,
}

impl SetUp {
    /// Whether the input shows any part of it.
    pub(super) fn is_begun(&self) -> bool {
        (self.output.is_some() && !self.output_by_default)
            || self.mounted_in_sidecar
            || self.has_volume
    }

    /// The directory that endpoints are to name: where the scraper mounts the volume, else where
    /// the sidecar writes; `None` where nothing is there yet.
    pub(super) fn directory(&self) -> Option<&str> {
        self.directories
            .first()
            .or(self.output.as_ref())
            .map(String::as_str)
    }

    /// Whether the object may not be changed, or its operator would not look.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Why the scraper's container neither has nor can be given the files in `directory`.
    pub(super) fn cannot_mount(&self, directory: &str) -> Option<&'static str> {
        if self.directories.iter().any(|path| path == directory) {
            None
        } else if self.fixed {
            Some("does not mount the certificates there, and may not be changed")
        } else {
            let is_taken = self.taken.iter().any(|path| path == directory);
            is_taken.then_some("mounts something else there")
        }
    }
}

/// Reads what a scraper has.
///
/// # Errors
/// What is wrong with an annotation that cannot be parsed, or with volumes that are no list; what no
/// annotation can overrule; or that something is missing from an object that may not be changed.
pub(super) fn read(mesh: &Mesh<'_>, scraper: &Scraper, config: &Config) -> Result<SetUp, String> {
    let row = scraper.kind.description();
    let own_proxy = parsed_annotation(scraper, PROXY_CONFIG)?;
    let fixed = scraper.object.is_untouchable() || is_paused(scraper);
    let proxy = policy::effective_proxy_config(mesh, &scraper.pods)?;
    let setting = proxy.metadata(OUTPUT_CERTS);
    let output = setting
        .and_then(|setting| setting.value.value())
        .filter(|directory| !directory.is_empty())
        .map(without_slash);
    let by_selection = setting.filter(|setting| setting.origin == Origin::Selected);
    if let Some(setting) = by_selection.filter(|_| output.is_none()) {
        return Err(format!(
            "{OUTPUT_CERTS} of a ProxyConfig wins over annotations, and is empty or not known ({})",
            setting.value.because.join("; ")
        ));
    }
    let sidecar_mounts = sidecar_mounts(&parsed_annotation(scraper, USER_VOLUME_MOUNT)?);
    let volumes = list(&scraper.spec, "volumes")?;
    let mounts = container_mounts(&scraper.spec, row.container)?;

    let at_output = sidecar_mounts
        .iter()
        .find(|mount| output.as_ref() == Some(&mount.path));
    let ours_by_name = |mount: &&Mount| mount.volume == config.volume_name && output.is_none();
    // Two mounts in one place make a pod that the API server refuses.
    let in_our_place =
        |mount: &&Mount| mount.path == without_slash(&config.directory) && output.is_none();
    let in_sidecar = at_output
        .or_else(|| sidecar_mounts.iter().find(ours_by_name))
        .or_else(|| sidecar_mounts.iter().find(in_our_place));
    let in_container = mounts
        .iter()
        .find(|mount| output.as_ref() == Some(&mount.path));
    let volume = match (in_sidecar, in_container) {
        (Some(mount), _) | (None, Some(mount)) => mount.volume.clone(),
        (None, None) => free_volume_name(volumes, &mounts, row.volumes, &config.volume_name),
    };
    let in_the_way = in_sidecar.and_then(|mount| mount.restricted);
    if let Some(restricted) = in_the_way {
        return Err(format!(
            "annotation {USER_VOLUME_MOUNT} mounts volume {volume} with {restricted}: istio-proxy cannot write the certificates there"
        ));
    }
    let entry = self::volume(volumes, &volume);
    if let Some(kind) = READ_ONLY_VOLUMES
        .iter()
        .find(|kind| entry.is_some_and(|entry| entry.get(**kind).is_some()))
    {
        return Err(format!(
            "volume {volume} is a {kind}: istio-proxy cannot write the certificates there"
        ));
    }
    let (own, others): (Vec<_>, Vec<_>) = mounts
        .into_iter()
        .partition(|mount| mount.volume == volume && mount.restricted.is_none());
    let set_up = SetUp {
        output_by_default: output.is_some()
            && setting.is_some_and(|setting| setting.origin == Origin::Defaults),
        writes_output: output.is_some(),
        output: output.or_else(|| in_sidecar.map(|mount| mount.path.clone())),
        mounted_in_sidecar: in_sidecar.is_some(),
        has_volume: entry.is_some(),
        volume,
        directories: own.into_iter().map(|mount| mount.path).collect(),
        taken: others
            .into_iter()
            .map(|mount| mount.path)
            .chain(mounted_by_operator(scraper))
            .collect(),
        // Where nobody may tell it to wait, it has the certificates from its second start on.
        starts_too_early: row.reads_files_once
            && !fixed
            && !waits(mesh, scraper, own_proxy.get(HOLD_APPLICATION)),
        fixed,
    };
    let directory = set_up.directory().unwrap_or(&config.directory);
    if set_up.fixed && !completion(scraper, &set_up, &[directory], false).is_empty() {
        let why = match is_paused(scraper) {
            true => "spec.paused keeps the operator from changing it".to_owned(),
            false => scraper.object.hands_off().to_owned(),
        };
        return Err(format!("its certificate set-up is not complete, and {why}"));
    }
    Ok(set_up)
}

/// Whether the scraper starts after istio-proxy: its annotation says so, or the mesh, unless the annotation says otherwise, or
/// the injector in any case (injection-template.yaml, `$holdProxy`).
fn waits(mesh: &Mesh<'_>, scraper: &Scraper, own: Option<&Value>) -> bool {
    let settings = mesh.settings_of(&scraper.pods);
    let by_config = match own {
        Some(Value::Bool(own)) => *own,
        Some(_) | None => settings.hold_application.value == Some(true),
    };
    by_config || settings.injector_hold.value == Some(true)
}

struct Mount {
    volume: String,
    path: String,
    /// Not the whole volume, writable.
    restricted: Option<&'static str>,
}

/// What keeps the certificates from being written or seen through a mount.
fn restriction(mount: &Value, writer: bool) -> Option<&'static str> {
    let is_set = |field: &str| {
        mount
            .get(field)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    if writer && mount.get("readOnly") == Some(&Value::Bool(true)) {
        Some("readOnly")
    } else if is_set("subPath") || is_set("subPathExpr") {
        Some("subPath")
    } else {
        None
    }
}

fn sidecar_mounts(annotation: &Value) -> Vec<Mount> {
    policy::user_volume_mounts(annotation)
        .into_iter()
        .filter_map(|(volume, mount)| {
            Some(Mount {
                volume: volume?.to_owned(),
                path: without_slash(mount.get("mountPath")?.as_str()?),
                restricted: restriction(mount, true),
            })
        })
        .collect()
}

/// Mounts of the scraper's own container: the operator's list, and what a patch of the container adds.
fn container_mounts(spec: &Value, name: &str) -> Result<Vec<Mount>, String> {
    let patch = list(spec, "containers")?
        .iter()
        .find(|container| container.get("name").and_then(Value::as_str) == Some(name));
    let patched = patch.map_or(Ok(&[][..]), |container| list(container, "volumeMounts"))?;
    Ok(list(spec, "volumeMounts")?
        .iter()
        .chain(patched)
        .filter_map(|mount| {
            Some(Mount {
                volume: mount.get("name")?.as_str()?.to_owned(),
                path: without_slash(mount.get("mountPath")?.as_str()?),
                restricted: restriction(mount, false),
            })
        })
        .collect())
}

/// Where the operator mounts the Secrets and ConfigMaps that the object lists.
fn mounted_by_operator(scraper: &Scraper) -> impl Iterator<Item = String> {
    let lists = scraper.kind.description().mounted.iter();
    lists.flat_map(|(field, directory)| {
        let names = scraper.spec.get(*field).and_then(Value::as_array);
        names
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(move |name| format!("{directory}/{name}"))
    })
}

/// The configured name, or with `-scrape` behind it where the name already stands for something
/// that is no half-finished set-up: a volume that is not an emptyDir, or one of the operator's own.
fn free_volume_name(
    volumes: &[Value],
    mounts: &[Mount],
    of_operator: &[&str],
    wanted: &str,
) -> String {
    let is_taken = |name: &str| match volume(volumes, name) {
        Some(entry) => entry.get("emptyDir").is_none(),
        None => of_operator.contains(&name) || mounts.iter().any(|mount| mount.volume == name),
    };
    let mut name = wanted.to_owned();
    while is_taken(&name) {
        name.push_str("-scrape");
    }
    name
}

fn volume<'a>(volumes: &'a [Value], name: &str) -> Option<&'a Value> {
    let named = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(name);
    volumes.iter().find(named)
}

/// Kinds of volumes that nobody can write to.
const READ_ONLY_VOLUMES: [&str; 4] = ["secret", "configMap", "projected", "downwardAPI"];

fn list<'a>(spec: &'a Value, field: &str) -> Result<&'a [Value], String> {
    match spec.get(field) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(format!("spec.{field} is not a list")),
    }
}

fn annotation<'a>(scraper: &'a Scraper, key: &str) -> Option<&'a str> {
    scraper
        .spec
        .get("podMetadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

/// While paused the operator ignores what is written into `spec`.
fn is_paused(scraper: &Scraper) -> bool {
    scraper.spec.get("paused") == Some(&Value::Bool(true))
}

/// What an annotation of the pods holds; `Null` where it is not there.
pub(super) fn parsed_annotation(scraper: &Scraper, key: &str) -> Result<Value, String> {
    let Some(text) = annotation(scraper, key) else {
        return Ok(Value::Null);
    };
    // The injection template reads the mounts with a JSON parser, the rest of Istio reads YAML.
    let parsed = match key {
        USER_VOLUME_MOUNT => {
            serde_json::from_str(text).map_err(|error| format!("not valid JSON, {error}"))
        }
        _ => embedded(text),
    };
    let value = parsed.map_err(|problem| {
        format!("annotation {key} in spec.podMetadata.annotations cannot be read: {problem}")
    })?;
    match (key, &value) {
        (_, Value::Null) | (PROXY_CONFIG, Value::Object(_)) => Ok(value),
        (USER_VOLUME_MOUNT, Value::Object(_) | Value::Array(_)) => Ok(value),
        (PROXY_CONFIG, _) => Err(format!("annotation {key} does not hold a map")),
        (_, _) => Err(format!("annotation {key} holds neither a list nor a map")),
    }
}

fn without_slash(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed }.to_owned()
}
