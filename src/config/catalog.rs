//! Which settings are there, what does each do, what may it be, and what is it if nobody says?
//!
//! Authority: ourselves. Reading, messages, JSON Schema and the manual's table all come from here or are held against it.
//! Departs from nothing.
//! Knows: every setting. Does not know: how objects are read, names of rules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::values::DNS_LABEL_MAX;
use super::{
    CertificatesVia, Config, FailOn, InjectionUnknown, Interception, MtlsMode, NamespaceInjection,
    RunMode, ScraperInject, SelfScrape, Severity, TargetsMixed, TargetsUnknown, Word,
};

/// A setting.
pub(super) struct Setting {
    /// Its field below `spec`, which is also its key in the `data` of a ConfigMap.
    pub(super) path: &'static str,
    /// What it does, in a sentence or two.
    pub(super) does: &'static str,
    /// What it is if nobody says.
    pub(super) default: Unsaid,
    /// What it may be, and where that goes.
    pub(super) takes: Takes,
}

/// What a setting is if nobody says.
pub(super) enum Unsaid {
    /// This text.
    Text(&'static str),
    /// A list or map without elements.
    Empty,
    /// Nothing, which is something else than any value.
    Nothing,
}

/// What a setting may be, and where it goes.
pub(super) enum Takes {
    /// One of some words; the position of the word goes.
    Word(&'static [Word], fn(&mut Config, usize)),
    /// A DNS label of so many characters at most.
    DnsLabel(usize, fn(&mut Config, String)),
    /// An absolute path.
    Directory(fn(&mut Config, String)),
    /// Numbers of ports.
    Ports(fn(&mut Config, BTreeSet<u16>)),
    /// Objects of Kubernetes.
    Objects(fn(&mut Config, Vec<Value>)),
    /// Files and directories.
    Paths(fn(&mut Config, Vec<String>)),
    /// A word for each of some names.
    Named(Names, &'static [Word], fn(&mut Config, String, usize)),
}

/// What the names in a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Of namespaces.
    Namespaces,
    /// Of rules, which are known further up.
    Rules,
}

/// A setting that is one of the words of a type.
macro_rules! word {
    ($type:ident, $field:ident) => {
        Takes::Word($type::WORDS, |config, position| {
            config.$field = $type::ALL[position].into();
        })
    };
}

/// A setting whose value goes into a field as it is.
macro_rules! value {
    ($field:ident) => {
        |config, value| config.$field = value.into()
    };
}

/// A map of names to the words of a type.
macro_rules! named {
    ($names:ident, $type:ident, $field:ident) => {
        Takes::Named(Names::$names, $type::WORDS, |config, name, position| {
            config.$field.insert(name, $type::ALL[position]);
        })
    };
}

/// Room that a volume name leaves for the suffix `-scrape` below the length of a DNS label.
const VOLUME_NAME_MAX: usize = DNS_LABEL_MAX - "-scrape".len();

/// Every setting. Those of one group stand together; messages name fields in this order.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        path: "mode",
        does: "What a run does with its decisions.",
        default: Unsaid::Text("patch"),
        takes: word!(RunMode, mode),
    },
    Setting {
        path: "failOn",
        does: "Which findings fail the run (exit code 1).",
        default: Unsaid::Text("error"),
        takes: word!(FailOn, fail_on),
    },
    Setting {
        path: "namespace",
        does: "Stands for a missing `metadata.namespace` in decisions; never written.",
        default: Unsaid::Text("default"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(namespace)),
    },
    Setting {
        path: "mesh.rootNamespace",
        does: "Where mesh-wide policies live. Not set: as the input says, else `istio-system`.",
        default: Unsaid::Nothing,
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(root_namespace)),
    },
    Setting {
        path: "mesh.mode",
        does: "The mesh-wide mode where the input has no mesh-wide policy. Not set: as an operator's object says, else Istio's default, which proves nothing.",
        default: Unsaid::Nothing,
        takes: word!(MtlsMode, mesh_mode),
    },
    Setting {
        path: "mesh.excludeInboundPorts",
        does: "Ports that no sidecar of the mesh takes, as in Istio's `global.proxy`; `[]` says that there are none. Not set: as the input says.",
        default: Unsaid::Nothing,
        takes: Takes::Ports(value!(exclude_inbound_ports)),
    },
    Setting {
        path: "context.resources",
        does: "Facts from outside the build: objects that are read, never changed, and no part of the output. Not for a ConfigMap.",
        default: Unsaid::Empty,
        takes: Takes::Objects(value!(context_resources)),
    },
    Setting {
        path: "context.files",
        does: "Files and directories with such objects. For exec functions and on the command line; a container sees no files.",
        default: Unsaid::Empty,
        takes: Takes::Paths(value!(context_files)),
    },
    Setting {
        path: "injection.unknown",
        does: "What to do with STRICT pods of which nobody says whether they have a sidecar.",
        default: Unsaid::Text("relabel"),
        takes: word!(InjectionUnknown, injection_unknown),
    },
    Setting {
        path: "injection.namespaces",
        does: "By the name of a namespace: what its pods get, for labels that are set outside Git.",
        default: Unsaid::Empty,
        takes: named!(Namespaces, NamespaceInjection, namespaces),
    },
    Setting {
        path: "targets.unknown",
        does: "What to do with endpoints whose targets the input does not show.",
        default: Unsaid::Text("keep"),
        takes: word!(TargetsUnknown, targets_unknown),
    },
    Setting {
        path: "targets.mixed",
        does: "What to do with an endpoint that reaches ports that demand mutual TLS and ports that do not.",
        default: Unsaid::Text("relabel"),
        takes: word!(TargetsMixed, targets_mixed),
    },
    Setting {
        path: "certificates.directory",
        does: "Where scrapers mount the certificates, unless they have them elsewhere already.",
        default: Unsaid::Text("/etc/istio-certs"),
        takes: Takes::Directory(value!(directory)),
    },
    Setting {
        path: "certificates.volumeName",
        does: "The volume that scrapers get for the certificates.",
        default: Unsaid::Text("istio-certs"),
        takes: Takes::DnsLabel(VOLUME_NAME_MAX, value!(volume_name)),
    },
    Setting {
        path: "certificates.via",
        does: "Where the certificates are named.",
        default: Unsaid::Text("endpoint"),
        takes: word!(CertificatesVia, via),
    },
    Setting {
        path: "certificates.scrapeClassName",
        does: "The scrape class that scrapers get for the certificates.",
        default: Unsaid::Text("istio-mtls"),
        takes: Takes::DnsLabel(DNS_LABEL_MAX, value!(scrape_class_name)),
    },
    Setting {
        path: "scraper.inject",
        does: "When the pods of a scraper get the label `sidecar.istio.io/inject: \"true\"`.",
        default: Unsaid::Text("unknown"),
        takes: word!(ScraperInject, inject),
    },
    Setting {
        path: "scraper.interception",
        does: "Whether a scraper's requests go through its own sidecar.",
        default: Unsaid::Text("keep"),
        takes: word!(Interception, interception),
    },
    Setting {
        path: "scraper.selfScrape",
        does: "What becomes of the scrapes that the VictoriaMetrics operator makes of its own programs (`serviceScrapeSpec`).",
        default: Unsaid::Text("patch"),
        takes: word!(SelfScrape, self_scrape),
    },
    Setting {
        path: "severity",
        does: "By the name of a rule: how much its findings matter.",
        default: Unsaid::Empty,
        takes: named!(Rules, Severity, severity),
    },
];

/// Fields that hold settings, and what they are about.
pub(super) const GROUPS: &[(&str, &str)] = &[
    (
        "mesh",
        "What is set for the whole mesh. Wins over objects of the control plane in the input, but for a mesh-wide PeerAuthentication.",
    ),
    ("context", "Facts from outside the build."),
    (
        "injection",
        "Which pods have a sidecar, where manifests do not say it.",
    ),
    (
        "targets",
        "What to do where the targets of an endpoint leave no plain answer.",
    ),
    (
        "certificates",
        "Where Istio's certificates are, and who names them.",
    ),
    ("scraper", "What scrapers get."),
];

/// What a field is.
pub(super) enum Found {
    /// A setting.
    Setting(&'static Setting),
    /// The word for a name in a map.
    Named {
        /// The map.
        setting: &'static Setting,
        /// The name.
        name: String,
    },
    /// A map of fields: `spec` itself, or a group.
    Group,
    /// None.
    Nothing,
}

/// The setting, name or group at a path; empty for `spec` itself.
pub(super) fn find(path: &str) -> Found {
    let named = |setting: &'static Setting| {
        let rest = match setting.takes {
            Takes::Named(..) => path.strip_prefix(setting.path)?,
            _ => return None,
        };
        // A name with dots stands in quotes, to tell it from a nested one.
        let name = match rest.starts_with('"') {
            true => rest,
            false => rest.strip_prefix('.')?,
        };
        Some(Found::Named {
            setting,
            name: name.to_owned(),
        })
    };
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.path == path) {
        return Found::Setting(setting);
    }
    if path.is_empty() || GROUPS.iter().any(|(group, _)| *group == path) {
        return Found::Group;
    }
    SETTINGS.iter().find_map(named).unwrap_or(Found::Nothing)
}

/// Whether the value at a path is a map whose fields or names are looked at one by one.
pub(super) fn is_map(path: &str) -> bool {
    match find(path) {
        Found::Group => true,
        Found::Setting(setting) => matches!(setting.takes, Takes::Named(..)),
        Found::Named { .. } | Found::Nothing => false,
    }
}

/// The names of the fields of a group, or of those at the top.
pub(super) fn fields_of(group: &str) -> Vec<&'static str> {
    let is_group = GROUPS.iter().any(|(name, _)| *name == group);
    let mut fields = Vec::new();
    for setting in SETTINGS {
        let (holder, name) = setting.path.split_once('.').unwrap_or(("", setting.path));
        let field = match (is_group, holder) {
            (true, holder) if holder == group => name,
            (true, _) => continue,
            (false, "") => name,
            (false, holder) => holder,
        };
        if fields.last() != Some(&field) {
            fields.push(field);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages and the schema name fields in the order of the table; a group in two places would be there twice.
    #[test]
    fn groups_are_those_that_paths_begin_with() {
        let mut holders: Vec<&str> = SETTINGS
            .iter()
            .filter_map(|setting| Some(setting.path.split_once('.')?.0))
            .collect();
        holders.dedup();
        let groups: Vec<&str> = GROUPS.iter().map(|(group, _)| *group).collect();
        assert_eq!(holders, groups);
    }

    #[test]
    fn what_it_does_is_said_in_whole_sentences() {
        let said = SETTINGS.iter().map(|setting| (setting.path, setting.does));
        for (path, does) in said.chain(GROUPS.iter().copied()) {
            assert!(
                does.starts_with(char::is_uppercase) && does.ends_with('.'),
                "{path}: {does}"
            );
        }
    }
}
