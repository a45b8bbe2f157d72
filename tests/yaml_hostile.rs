//! Does a text made to break a reader end in a clean error?
//!
//! Authority: the limits in `yaml`: depth, and values read out of aliases.
//! Departs from it: nothing.
//! Knows: hostile texts. Does not know: how they are read.

use std::fmt::Write as _;

use istio_scrape::yaml::{self, ALIAS_LIMIT, DEPTH_LIMIT, ReadError, Rules, ValueError};
use jsonptr::Pointer;

fn too_deep(text: &str) -> bool {
    matches!(
        yaml::read(text),
        Err(ReadError::TooDeep {
            limit: DEPTH_LIMIT,
            ..
        })
    )
}

/// Brackets, maps and lists nested without end are refused, those within the limit are read.
#[test]
fn nesting_is_bounded() {
    let maps: String = (0..3000).fold(String::new(), |mut text, depth| {
        writeln!(text, "{:depth$}a:", "").expect("a String takes all that is written");
        text
    });
    assert!(too_deep(&"[".repeat(200_000)));
    assert!(too_deep(&maps));
    assert!(too_deep(&"- ".repeat(3000)));
    assert!(too_deep(&format!(
        "{}{}{}",
        "- ".repeat(200),
        "[".repeat(100),
        "]".repeat(100)
    )));
    let fits = format!("{}{}", "[".repeat(DEPTH_LIMIT), "]".repeat(DEPTH_LIMIT));
    let documents = yaml::read(&fits).expect("within the limit");
    assert!(
        documents[0]
            .root
            .as_ref()
            .is_some_and(|root| root.value(Rules::Kubectl).is_ok())
    );
}

/// A chain of aliases nests as deep as it would if it were written out.
#[test]
fn alias_chains_are_bounded() {
    let chain = (1..5000).fold("- &a0 x\n".to_owned(), |mut text, i| {
        writeln!(text, "- &a{i} [*a{}]", i - 1).expect("a String takes all that is written");
        text
    });
    assert!(too_deep(&chain));
}

/// Aliases of aliases stand for more values than anyone wants.
#[test]
fn billion_laughs_are_refused() {
    let laughs = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, i| {
        let before = i - 1;
        writeln!(text, "a{i}: &a{i} [*a{before}, *a{before}]")
            .expect("a String takes all that is written");
        text
    });
    let documents = yaml::read(&laughs).expect("the text itself is small");
    let root = documents[0].root.as_ref().expect("a map");
    assert_eq!(
        root.value(Rules::Kubectl),
        Err(ValueError::TooManyAliases { limit: ALIAS_LIMIT })
    );
    assert_eq!(root.duplicate_key(), None);

    let merges = (1..30).fold("a0: &a0 {x: 1}\n".to_owned(), |mut text, i| {
        let before = i - 1;
        writeln!(text, "a{i}: &a{i}\n  <<: [*a{before}, *a{before}]")
            .expect("a String takes all that is written");
        text
    }) + "z:\n  <<: *a29\n";
    let documents = yaml::read(&merges).expect("the text itself is small");
    let root = documents[0].root.as_ref().expect("a map");
    let patch: json_patch::Patch =
        serde_json::from_str(r#"[{"op": "add", "path": "/z/y", "value": 1}]"#).expect("a patch");
    assert!(yaml::edits(&merges, root, documents[0].syntax, &patch.0).is_ok());
}

/// An alias needs a complete anchor before it.
#[test]
fn unknown_aliases_are_refused() {
    for text in ["a: *x\n", "a: &x [*x]\n", "a: &x 1\n---\nb: *x\n"] {
        assert!(
            matches!(yaml::read(text), Err(ReadError::UnknownAlias { .. })),
            "{text}"
        );
    }
}

/// Errors say where, counted from 1.
#[test]
fn errors_tell_the_place() {
    let fault = yaml::read("a: 1\nb: }\n").expect_err("a brace that nothing opened");
    assert!(
        matches!(
            fault,
            ReadError::Syntax {
                line: 2,
                column: 4,
                ..
            }
        ),
        "{fault:?}"
    );
}

/// Numbers that JSON lacks, and keys that are no text, are errors of the value, not of the reading.
#[test]
fn values_beyond_json_are_told() {
    let value = |text: &str, rules| {
        let documents = yaml::read(text).expect("readable");
        documents[0].root.as_ref().expect("content").value(rules)
    };
    let refused = value("a: 1\nb: -.inf\n", Rules::Kubectl).expect_err("JSON has no infinity");
    assert_eq!(
        refused,
        ValueError::NotFinite {
            offset: 8,
            text: "-.inf".to_owned()
        }
    );
    assert_eq!(
        value("? [a]\n: b\n", Rules::Kustomize),
        Err(ValueError::Key { offset: 2 })
    );
    assert_eq!(
        value("<<: 1\n", Rules::Kubectl),
        Err(ValueError::Merge { offset: 4 })
    );
    assert!(matches!(
        value("!!int x\n", Rules::Kubectl),
        Err(ValueError::Tag { .. })
    ));
}

/// The first repeated key is told with its map and the place of the second.
#[test]
fn repeated_keys_are_found() {
    let text = "a:\n- b: 1\n  c: 2\n  b: 3\n";
    let documents = yaml::read(text).expect("readable");
    let root = documents[0].root.as_ref().expect("a map");
    let found = root.duplicate_key().expect("b is there twice");
    assert_eq!(
        (
            found.key.as_str(),
            found.pointer.as_str(),
            &text[found.offset..]
        ),
        ("b", "/a/0", "b: 3\n")
    );
    assert_eq!(yaml::line_of(text, found.offset), 4);
    let last = root
        .at(Pointer::from_static("/a/0/b"))
        .and_then(yaml::Node::text);
    assert_eq!(last, Some("3"));
}

/// Documents of nothing but comments are there, without content.
#[test]
fn documents_are_cut_at_their_markers() {
    let text = "# head\n---\n# only a comment\n---\na: 1\n...\n# between\n---\nb: 2\n";
    let cut: Vec<_> = yaml::read(text)
        .expect("readable")
        .iter()
        .map(|document| (&text[document.range.clone()], document.root.is_some()))
        .collect();
    assert_eq!(
        cut,
        [
            ("# only a comment\n", false),
            ("a: 1\n", true),
            ("b: 2\n", true)
        ]
    );
}
