//! What do objects of the control plane say in unison?
//!
//! Authority: none. Istio has one configuration; an input can show several objects that set it.
//! Departs from nothing: what objects say differently, or what nobody can read, is unknown.
//! Knows: the objects of one revision. Does not know: which settings there are.

use std::collections::{BTreeMap, BTreeSet};

use super::Contradiction;
use crate::model::{ControlPlane, Object, Setting};
use crate::policy::{Fact, hbone, named, served};

/// Entries of `proxyMetadata` that our answers depend on.
const METADATA: [&str; 5] = [
    served::SECURE_PORTS[0],
    served::SECURE_PORTS[1],
    served::LOCALHOST_ONLY,
    served::OUTPUT_CERTS,
    hbone::METADATA,
];

/// Evidence: an object says something about a setting, and nobody can read it.
pub(super) fn unreadable(plane: &ControlPlane, setting: &Setting) -> String {
    let setting = match setting {
        Setting::MetadataEntry(_) if plane.hides(&Setting::Metadata) => &Setting::Metadata,
        setting => setting,
    };
    format!(
        "{}: what it says about {setting} is not understood",
        named(&plane.object)
    )
}

/// The objects of one revision, and where their contradictions go.
pub(super) struct Sayings<'a> {
    pub(super) planes: &'a [&'a ControlPlane],
    pub(super) contradictions: &'a mut Vec<Contradiction>,
}

impl Sayings<'_> {
    /// What the objects say in unison, the default where none says anything.
    pub(super) fn fact<T: Clone + PartialEq>(
        &mut self,
        setting: &Setting,
        default: T,
        said: impl Fn(&ControlPlane) -> Option<T>,
    ) -> Fact<T> {
        let says: Vec<(T, &Object)> = self
            .planes
            .iter()
            .filter_map(|plane| Some((said(plane)?, &plane.object)))
            .collect();
        if let Some(plane) = self.planes.iter().find(|plane| plane.hides(setting)) {
            return Fact::unknown(unreadable(plane, setting));
        }
        match says.as_slice() {
            [] => Fact::assumed(default, format!("{setting} is Istio's default")),
            [(value, object), others @ ..] => {
                match others.iter().find(|(other, _)| other != value) {
                    None => Fact::proven(value.clone(), format!("{}: {setting}", named(object))),
                    Some((_, other)) => {
                        self.contradict(object, setting, other);
                        Fact::unknown(format!(
                            "{} and {} say different things about {setting}",
                            named(object),
                            named(other)
                        ))
                    }
                }
            }
        }
    }

    fn contradict(&mut self, object: &Object, setting: &Setting, other: &Object) {
        self.contradictions.push(Contradiction {
            object: object.clone(),
            what: format!(
                "it says another {} than {}, and which of them counts is not known; make them agree",
                setting.to_string().trim_start_matches("the "),
                named(other)
            ),
        });
    }
}

/// Objects that say something else than the configuration.
pub(super) fn contradicted_by_configuration(
    sayings: &mut Sayings<'_>,
    field: &str,
    differs: impl Fn(&ControlPlane) -> bool,
) {
    for plane in sayings.planes.iter().filter(|plane| differs(plane)) {
        sayings.contradictions.push(Contradiction {
            object: plane.object.clone(),
            what: format!("it says something else than {field} of the configuration, which counts"),
        });
    }
}

/// Every entry that somebody sets, or may set.
pub(super) fn proxy_metadata(sayings: &mut Sayings<'_>) -> BTreeMap<String, Fact<String>> {
    let said = |plane: &&ControlPlane| -> Vec<String> {
        let hidden = plane.unreadable.iter().filter_map(|setting| {
            let Setting::MetadataEntry(key) = setting else {
                return None;
            };
            Some(key.clone())
        });
        // Any entry may be in what nobody can read, those too on which answers depend.
        let any = match plane.hides(&Setting::Metadata) {
            true => METADATA.map(str::to_owned).to_vec(),
            false => Vec::new(),
        };
        let written = plane.proxy_metadata.keys().cloned();
        hidden.chain(any).chain(written).collect()
    };
    let keys: BTreeSet<String> = sayings.planes.iter().flat_map(said).collect();
    keys.into_iter()
        .map(|key| {
            let setting = Setting::MetadataEntry(key.clone());
            let fact = sayings.fact(&setting, String::new(), |plane| {
                plane.proxy_metadata.get(&key).cloned()
            });
            (key, fact)
        })
        .collect()
}
