use insta::assert_snapshot;

use super::*;
use crate::krm::{self, Package};

fn opened(sources: &[Source]) -> Package<'_> {
    krm::open(sources, |_, _, _| false).unwrap_or_else(|error| panic!("{error}"))
}

/// File, index, line, and whether it is elsewhere, of every object.
fn locations(name: &str, text: &str) -> Vec<(String, usize, Option<usize>, bool)> {
    let sources = [Source::named(name, text)];
    let package = opened(&sources);
    package
        .items
        .iter()
        .map(|item| package.location(item))
        .map(|found| (found.file, found.index, found.line, found.remote))
        .collect()
}

fn with_annotation(key: &str, value: &str) -> String {
    format!("kind: A\nmetadata:\n  annotations:\n    {key}: {value}\n")
}

#[test]
fn kustomize_names_the_file_of_an_object_by_its_origin() {
    let origin = |text: &str| {
        let text = with_annotation(
            ORIGIN,
            &format!("|\n      {}", text.replace('\n', "\n      ")),
        );
        locations("-", &text).remove(0)
    };
    let local = |file: &str| (file.to_owned(), 0, None, false);
    assert_eq!(origin("path: ../base/a.yaml\n"), local("../base/a.yaml"));
    assert_eq!(
        origin("repo: https://example.com/org/repo\nref: v1.2\npath: base/a.yaml\n"),
        (
            "https://example.com/org/repo//base/a.yaml?ref=v1.2".to_owned(),
            0,
            None,
            true
        )
    );
    let generated = "configuredIn: base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n";
    assert_eq!(origin(generated), local("base/kustomization.yaml"));
}

#[test]
fn what_says_nothing_leaves_the_text_that_was_read() {
    for value in [
        "''",
        "'path: ['",
        "'path: [a]'",
        "'path:'",
        "a.yaml",
        "'[path]'",
    ] {
        let text = with_annotation(ORIGIN, value);
        assert_eq!(
            locations("-", &text),
            [("-".to_owned(), 0, Some(1), false)],
            "{value}"
        );
    }
}

#[test]
fn the_annotation_of_readers_wins_over_the_origin() {
    let text = "\
kind: A
metadata:
  annotations:
    config.kubernetes.io/origin: 'path: base/a.yaml'
    config.kubernetes.io/path: web/a.yaml
    config.kubernetes.io/index: '3'
---
kind: B
metadata:
  annotations:
    config.kubernetes.io/origin: 'path: base/b.yaml'
    config.kubernetes.io/index: '4'
";
    assert_eq!(
        locations("all.yaml", text),
        [
            ("web/a.yaml".to_owned(), 3, None, false),
            // The index of a reader is no index of that file.
            ("base/b.yaml".to_owned(), 0, None, false),
        ]
    );
}

#[test]
fn helm_names_the_template() {
    let annotated = with_annotation(HELM_FILE, "shop/templates/web.yaml");
    assert_eq!(
        locations("-", &annotated),
        [("shop/templates/web.yaml".to_owned(), 0, None, false)]
    );
    let printed = "\
---
# Source: shop/templates/web.yaml
# two objects are in there

kind: A
---
# Source: shop/charts/db/templates/db.yaml\r
kind: B
---
# of nobody
kind: C # Source: no.yaml
---
kind: D
";
    let files = |name| {
        let found = locations(name, printed).into_iter();
        found
            .map(|(file, _, line, _)| (file, line))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        files("-"),
        [
            ("shop/templates/web.yaml".to_owned(), None),
            ("shop/charts/db/templates/db.yaml".to_owned(), None),
            ("-".to_owned(), Some(11)),
            ("-".to_owned(), Some(13)),
        ]
    );
    // What was printed into a file is looked up in that file.
    assert_eq!(files("out.yaml")[0], ("out.yaml".to_owned(), Some(5)));
}

#[test]
fn a_comment_on_a_list_names_no_item() {
    let text = "# Source: a.yaml\nkind: List\nitems:\n- kind: A\n# Source: b.yaml\n- kind: B\n";
    let files = locations("-", text);
    assert!(files.iter().all(|found| found.0 == "-"), "{files:?}");
}

#[test]
fn lines_of_a_host_that_nobody_sees_are_not_named() {
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n";
    assert_eq!(locations("-", list), [("-".to_owned(), 0, None, false)]);
    assert_eq!(
        locations("list.yaml", list),
        [("list.yaml".to_owned(), 0, Some(4), false)]
    );
    let sources = [Source::named("-", list)];
    let package = opened(&sources);
    assert_snapshot!(package.place(&package.items[0]), @"stdin (object 1)");
    let refused = |text: &str| krm::open(&[Source::named("-", text)], |_, _, _| true).unwrap_err();
    let with = |item: &str| refused(&list.replace("kind: A", item));
    assert_snapshot!(with("kind: A\n  kind: B"), @"stdin (object 1): the key `kind` is written twice in `/`; remove one of the two, or put `---` between two objects");
    assert_snapshot!(with("text"), @"stdin (object 1) is a single value; every document and item must be an object with `apiVersion` and `kind`");
    assert_snapshot!(refused(&list.replace("- kind: A", "  a: 1")), @"stdin: `items` of the ResourceList is a map; it must be a list");
}

#[test]
fn a_file_that_a_host_names_is_spelled_out_in_messages() {
    let sources = [Source::named(
        "-",
        with_annotation(HELM_FILE, "\"a\\e[1mb.yaml\""),
    )];
    let package = opened(&sources);
    assert_snapshot!(package.place(&package.items[0]), @r"stdin:1 (object 1, of a\u{1b}[1mb.yaml)");
}
