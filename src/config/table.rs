//! How is a table of settings written down, and what is at a path in it?
//!
//! Authority: ourselves. Each kind of configuration has one table; reading, messages and schema ask it.
//! Departs from nothing.
//! Knows: types of settings, paths. Does not know: which settings there are, how values are read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Word;

/// The settings of a kind of configuration.
pub(super) struct Catalog<C: 'static> {
    /// Every setting. Those of one group stand together; messages name fields in this order.
    pub(super) settings: &'static [Setting<C>],
    /// Fields that hold settings, and what they are about.
    pub(super) groups: &'static [(&'static str, &'static str)],
}

/// What a table of settings describes.
pub(super) trait Configured: Default + 'static {
    /// The kind, as objects write it.
    const KIND: &'static str;
    /// What the kind is for, in a sentence or two.
    const ABOUT: &'static str;
    /// The table.
    const CATALOG: Catalog<Self>;
}

/// A setting.
pub(super) struct Setting<C: 'static> {
    /// Its field below `spec`, which is also its key in the `data` of a ConfigMap.
    pub(super) path: &'static str,
    /// What it does, in a sentence or two.
    pub(super) does: &'static str,
    /// What it is if nobody says.
    pub(super) default: Unsaid,
    /// What it may be, and where that goes.
    pub(super) takes: Takes<C>,
}

/// What a setting is if nobody says.
pub(super) enum Unsaid {
    /// This text.
    Text(&'static str),
    /// These words.
    Words(&'static [&'static str]),
    /// No, of yes and no.
    No,
    /// A list or map without elements.
    Empty,
    /// Nothing, which is something else than any value.
    Nothing,
}

/// What a setting may be, and where it goes.
pub(super) enum Takes<C> {
    /// One of some words; the position of the word goes.
    Word(&'static [Word], fn(&mut C, usize)),
    /// A DNS label of so many characters at most.
    DnsLabel(usize, fn(&mut C, String)),
    /// An absolute path.
    Directory(fn(&mut C, String)),
    /// Numbers of ports.
    Ports(fn(&mut C, BTreeSet<u16>)),
    /// Objects of Kubernetes.
    Objects(fn(&mut C, Vec<Value>)),
    /// Files and directories.
    Paths(fn(&mut C, Vec<String>)),
    /// Yes or no.
    Switch(fn(&mut C, bool)),
    /// Some words, one at least; their positions go, in the order of the words.
    Words(&'static [Word], fn(&mut C, BTreeSet<usize>)),
    /// DNS labels.
    DnsLabels(fn(&mut C, BTreeSet<String>)),
    /// A time as Prometheus writes one.
    Duration(fn(&mut C, String)),
    /// Labels of Kubernetes objects.
    Labels(fn(&mut C, BTreeMap<String, String>)),
    /// Relabelling rules.
    Relabelling(fn(&mut C, Vec<Value>)),
    /// A word for each of some names.
    Named(Names, &'static [Word], fn(&mut C, String, usize)),
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

pub(super) use {named, value, word};

/// What a field is.
pub(super) enum Found<C: 'static> {
    /// A setting.
    Setting(&'static Setting<C>),
    /// The word for a name in a map.
    Named {
        /// The map.
        setting: &'static Setting<C>,
        /// The name.
        name: String,
    },
    /// A map of fields: `spec` itself, or a group.
    Group,
    /// None.
    Nothing,
}

impl<C> Catalog<C> {
    /// The setting, name or group at a path; empty for `spec` itself.
    pub(super) fn find(&self, path: &str) -> Found<C> {
        let named = |setting: &'static Setting<C>| {
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
        if let Some(setting) = self.settings.iter().find(|setting| setting.path == path) {
            return Found::Setting(setting);
        }
        if path.is_empty() || self.is_group(path) {
            return Found::Group;
        }
        let mut settings = self.settings.iter();
        settings.find_map(named).unwrap_or(Found::Nothing)
    }

    /// Whether the value at a path is a map whose fields or names are looked at one by one.
    pub(super) fn is_map(&self, path: &str) -> bool {
        match self.find(path) {
            Found::Group => true,
            Found::Setting(setting) => matches!(setting.takes, Takes::Named(..)),
            Found::Named { .. } | Found::Nothing => false,
        }
    }

    /// The names of the fields of a group, or of those at the top.
    pub(super) fn fields_of(&self, group: &str) -> Vec<&'static str> {
        let is_group = self.is_group(group);
        let mut fields = Vec::new();
        for setting in self.settings {
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

    fn is_group(&self, path: &str) -> bool {
        self.groups.iter().any(|(group, _)| *group == path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, MeshMetrics};
    use super::*;

    /// Messages and the schema name fields in the order of the table; a group in two places would be there twice.
    fn groups_are_those_that_paths_begin_with<C: Configured>() {
        let settings = C::CATALOG.settings.iter();
        let mut holders: Vec<&str> = settings
            .filter_map(|setting| Some(setting.path.split_once('.')?.0))
            .collect();
        holders.dedup();
        let groups: Vec<&str> = C::CATALOG.groups.iter().map(|(group, _)| *group).collect();
        assert_eq!(holders, groups);
    }

    fn what_it_does_is_said_in_whole_sentences<C: Configured>() {
        let settings = C::CATALOG.settings.iter();
        let said = settings.map(|setting| (setting.path, setting.does));
        let groups = C::CATALOG.groups.iter().copied();
        for (path, does) in said.chain(groups).chain([(C::KIND, C::ABOUT)]) {
            assert!(
                does.starts_with(char::is_uppercase) && does.ends_with('.'),
                "{path}: {does}"
            );
        }
    }

    #[test]
    fn tables_are_in_order() {
        groups_are_those_that_paths_begin_with::<Config>();
        groups_are_those_that_paths_begin_with::<MeshMetrics>();
        what_it_does_is_said_in_whole_sentences::<Config>();
        what_it_does_is_said_in_whole_sentences::<MeshMetrics>();
    }
}
