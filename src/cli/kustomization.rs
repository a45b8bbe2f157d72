//! Which files does a kustomization use otherwise than as resources?
//!
//! Authority: kustomize's Kustomization type (api/types/kustomization.go).
//! Departs from it: nothing is built; only names are taken from it.
//! Knows: names of files, fields of a kustomization. Does not know: what is in the files.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use istio_scrape::yaml::{self, Node};

/// Fields that list files, folders or inline objects.
const LISTS: [&str; 6] = [
    "components",
    "configurations",
    "generators",
    "patchesStrategicMerge",
    "transformers",
    "validators",
];

/// Fields that list maps, and the field of these that names a file, or lists `[key=]file`.
const LISTS_OF_MAPS: [(&str, &str); 9] = [
    ("patches", "path"),
    ("patchesJson6902", "path"),
    ("replacements", "path"),
    ("helmCharts", "valuesFile"),
    ("helmCharts", "additionalValuesFiles"),
    ("configMapGenerator", "files"),
    ("configMapGenerator", "envs"),
    ("secretGenerator", "files"),
    ("secretGenerator", "envs"),
];

/// Whether kustomize takes a file for a kustomization.
pub(super) fn is_kustomization(file: &Path) -> bool {
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    file.file_name()
        .and_then(OsStr::to_str)
        .is_some_and(|name| names.contains(&name))
}

/// The files and folders that a kustomization names otherwise than as resources, and objects that it
/// holds inline (these have line breaks). A kustomization that cannot be read names nothing: as an
/// input it is reported anyhow.
pub(super) fn named_otherwise(text: &str) -> Vec<String> {
    let documents = yaml::read(text).unwrap_or_default();
    let roots = documents
        .iter()
        .filter_map(|document| document.root.as_ref());
    roots
        .flat_map(|root| {
            let listed = LISTS.iter().flat_map(|field| elements(root, field));
            let within = LISTS_OF_MAPS.iter().flat_map(|(field, name)| {
                elements(root, field)
                    .iter()
                    .filter_map(move |map| map.get(name))
                    .flat_map(|named| named.items().iter().chain(named.text().map(|_| named)))
            });
            let openapi = root.get("openapi").and_then(|openapi| openapi.get("path"));
            listed.chain(within).chain(openapi)
        })
        .filter_map(Node::text)
        .map(without_key)
        .map(str::to_owned)
        .collect()
}

/// `file` of `key=file`, as generators name the files of their data.
fn without_key(entry: &str) -> &str {
    match entry.split_once('=') {
        Some((_, file)) if !entry.contains('\n') => file,
        _ => entry,
    }
}

/// A path without `.` and with `..` resolved by name.
pub(super) fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut normal, part| {
        match (part, normal.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                normal.pop();
            }
            _ => normal.push(part),
        }
        normal
    })
}

fn elements<'n, 't>(root: &'n Node<'t>, field: &str) -> &'n [Node<'t>] {
    root.get(field).map_or(&[], Node::items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_resource_is_named() {
        let text = "\
resources: [a.yaml]
patches: [{path: p.yaml}, {patch: inline}]
patchesStrategicMerge: [s.yaml]
patchesJson6902: [{path: j.yaml}]
transformers: [t.yaml]
components: [../c]
replacements: [{path: r.yaml}]
helmCharts: [{name: x, valuesFile: values.yaml}]
configMapGenerator: [{name: a, files: [c.yaml, key=d.yaml]}]
openapi: {path: schema.json}
";
        let mut named = named_otherwise(text);
        named.sort();
        assert_eq!(
            named,
            [
                "../c",
                "c.yaml",
                "d.yaml",
                "j.yaml",
                "p.yaml",
                "r.yaml",
                "s.yaml",
                "schema.json",
                "t.yaml",
                "values.yaml"
            ]
        );
    }

    #[test]
    fn paths_are_compared_without_dots() {
        for (written, read) in [
            ("./a/../b/c", "b/c"),
            ("../../a", "../../a"),
            ("/a/./b/", "/a/b"),
        ] {
            assert_eq!(normal(Path::new(written)), PathBuf::from(read));
        }
    }
}
