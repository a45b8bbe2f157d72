//! What is the file of an object called?
//!
//! Authority: ourselves: kind, namespace, name, as people say them.
//! Departs from nothing: where two objects would share a file, the group tells them apart, and else a number.
//! Knows: identities. Does not know: what is in the files.

use std::collections::{BTreeMap, BTreeSet};

use super::Id;

/// Characters of a name, without what is added to it: file systems take 255 bytes.
const LONGEST: usize = 180;

/// The names, without extension, of the files for objects in this order. No two are equal, even where a file system
/// does not tell capitals from small letters.
pub(super) fn of(ids: &[&Id]) -> Vec<String> {
    let short = |id: &Id| {
        let namespace = id.namespace.as_deref();
        let words = [Some(id.kind.as_str()), namespace, Some(id.name.as_str())];
        readable(&words.into_iter().flatten().collect::<Vec<_>>())
    };
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids {
        *count.entry(short(id)).or_default() += 1;
    }
    let with_group = |id: &Id| {
        let group = match id.group() {
            "" => "core",
            group => group,
        };
        readable(&[&short(id), group, id.version()])
    };
    // A short name that is taken once belongs to its object, whatever the others are called with their groups.
    let mut taken: BTreeSet<String> = count
        .iter()
        .filter(|(_, count)| **count == 1)
        .map(|(name, _)| name.clone())
        .collect();
    ids.iter()
        .map(|id| match short(id) {
            short if count[&short] == 1 => short,
            _ => free(&with_group(id), &mut taken),
        })
        .collect()
}

/// The name, or the first of its kind with a number, that nobody has.
fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let found = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("numbers do not end");
    taken.insert(found.clone());
    found
}

/// Lower case, and nothing that a file system or a shell could take for something else.
fn readable(words: &[&str]) -> String {
    let readable = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '-') => c,
        _ => '-',
    };
    words
        .join("-")
        .chars()
        .map(readable)
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Id {
        Id {
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            api_version: api_version.to_owned(),
        }
    }

    fn named(ids: &[Id]) -> Vec<String> {
        of(&ids.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_file_is_named_after_kind_namespace_and_name() {
        let ids = [
            id(
                "operator.victoriametrics.com/v1beta1",
                "VMServiceScrape",
                Some("shop"),
                "web",
            ),
            id(
                "operator.victoriametrics.com/v1beta1",
                "VMAgent",
                None,
                "demo.v2",
            ),
        ];
        assert_eq!(named(&ids), ["vmservicescrape-shop-web", "vmagent-demo.v2"]);
    }

    #[test]
    fn objects_that_differ_in_group_or_capitals_only_have_files_of_their_own() {
        let ids = [
            id("azmonitoring.coreos.com/v1", "PodMonitor", Some("a"), "web"),
            id("monitoring.coreos.com/v1", "PodMonitor", Some("a"), "web"),
            id("monitoring.coreos.com/v1", "PodMonitor", Some("a"), "Web"),
            id("v1", "PodMonitor", Some("a"), "web"),
            id("monitoring.coreos.com/v1", "PodMonitor", Some("b"), "web"),
        ];
        assert_eq!(
            named(&ids),
            [
                "podmonitor-a-web-azmonitoring.coreos.com-v1",
                "podmonitor-a-web-monitoring.coreos.com-v1",
                "podmonitor-a-web-monitoring.coreos.com-v1-2",
                "podmonitor-a-web-core-v1",
                "podmonitor-b-web",
            ]
        );
    }

    /// `a-b` in `c`, and `b` in `c-a`.
    #[test]
    fn hyphens_in_names_do_not_bring_two_objects_into_one_file() {
        let ids = [
            id("x/v1", "K", Some("c-a"), "b"),
            id("x/v1", "K", Some("c"), "a-b"),
            id("x/v1", "K", Some("c"), "a-b-x-v1"),
        ];
        assert_eq!(
            named(&ids),
            ["k-c-a-b-x-v1-2", "k-c-a-b-x-v1-3", "k-c-a-b-x-v1"]
        );
    }

    #[test]
    fn no_name_leads_out_of_the_folder_or_is_too_long() {
        let ids = [
            id("x/v1", "K", None, "../../etc/passwd"),
            id("x/v1", "K", None, &"ä".repeat(300)),
            id("x/v1", "K", None, &"ö".repeat(300)),
        ];
        for name in named(&ids) {
            assert!(name.len() < 200, "{name}");
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
        }
        let distinct: BTreeSet<String> = named(&ids).into_iter().collect();
        assert_eq!(distinct.len(), 3);
    }
}
