//! Does every way of reading a text give what the parser gives?

use std::ops::Range;

use istio_scrape::yaml::{self, Content, Document, Lazy, LazyDocument, Node, Outline, Rules};

/// Any bytes: what is text is read in all ways.
pub(crate) fn reading(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    regular_agrees(text);
    outline_agrees(text);
    let parsed = yaml::parse(text);
    match (yaml::read(text), &parsed) {
        (Ok(read), Ok(parsed)) => same(&read, parsed, text),
        (Err(read), Err(parsed)) => assert_eq!(read, *parsed, "{text:?}"),
        (read, parsed) => panic!("read: {read:?}\nparsed: {parsed:?}\n{text:?}"),
    }
    for document in parsed.iter().flatten() {
        assert!(
            text.get(document.range.clone()).is_some(),
            "a document at {:?}: {text:?}",
            document.range
        );
        if let Some(root) = &document.root {
            within(root, &document.range, text);
            // Whatever they say, they say it.
            let _ = (root.value(Rules::Kustomize), root.value(Rules::Kubectl));
            let _ = root.duplicate_key();
        }
    }
}

/// Line by line and by the parser, compared to the last byte; whether the first claimed the text.
///
/// # Panics
/// When they differ, or the parser refuses what is claimed.
pub(crate) fn regular_agrees(text: &str) -> bool {
    let Some(quick) = yaml::read_regular(text) else {
        return false;
    };
    match yaml::parse(text) {
        Ok(parsed) => same(&quick, &parsed, text),
        Err(error) => panic!("the parser refuses what is claimed: {error}\n{text:?}"),
    }
    true
}

/// The outline with all maps read on their own, and the parser's reading of the whole, compared to the last byte; whether
/// there is an outline. A fault inside of a map is not the outline's to see, but whoever reads that map has to see it.
///
/// # Panics
/// When they differ, or the parser refuses a text of which each part can be read.
pub(crate) fn outline_agrees(text: &str) -> bool {
    let Some(outlined) = yaml::outline(text, "items") else {
        return false;
    };
    let Ok(parsed) = yaml::parse(text) else {
        let is_read = read_all(&outlined);
        assert!(
            !is_read,
            "each part can be read, the whole cannot: {text:?}"
        );
        return true;
    };
    let ranges = |ranges: Vec<_>| format!("{ranges:?}");
    assert_eq!(
        ranges(
            outlined
                .iter()
                .map(|document| document.range.clone())
                .collect()
        ),
        ranges(
            parsed
                .iter()
                .map(|document| document.range.clone())
                .collect()
        ),
        "{text:?}"
    );
    for (document, parsed) in outlined.iter().zip(&parsed) {
        assert_eq!(document.syntax, parsed.syntax, "{text:?}");
        let root = parsed.root.as_ref().expect("what is outlined has a root");
        let lazy = document.root.as_ref().expect("what is outlined has a root");
        map_agrees(lazy, root, text);
        let Lazy::Outlined(outline) = lazy else {
            continue;
        };
        let Some(list) = outline.list("items") else {
            continue;
        };
        let items = root.get("items").expect("the outline has it").items();
        assert_eq!(list.len(), items.len(), "{text:?}");
        for (lazy, item) in list.iter().zip(items) {
            map_agrees(lazy, item, text);
        }
    }
    true
}

/// Whatever is wrong in a map, reading it ends; whether all could be read.
fn read_all(outlined: &[LazyDocument<'_>]) -> bool {
    let mut is_read = true;
    for root in outlined
        .iter()
        .filter_map(|document| document.root.as_ref())
    {
        is_read &= root.read().is_ok();
        if let Lazy::Outlined(outline) = root {
            for lazy in outline.list("items").into_iter().flatten() {
                let _ = (lazy.read(), lazy.get("metadata"));
                let _ = lazy
                    .lines()
                    .and_then(|lines| lines.value(Rules::Kubectl, &[]));
            }
        }
    }
    is_read
}

fn map_agrees(lazy: &Lazy<'_>, parsed: &Node<'_>, text: &str) {
    let read = lazy.read();
    let read = read.unwrap_or_else(|error| panic!("a map cannot be read alone: {error}\n{text:?}"));
    same_node(&read, parsed, text);
    assert_eq!(lazy.start(), parsed.range.start, "{text:?}");
    let values = [Rules::Kustomize, Rules::Kubectl].map(|rules| parsed.value(rules));
    for (rules, value) in [Rules::Kustomize, Rules::Kubectl].into_iter().zip(&values) {
        let Some(lines) = lazy.lines() else { continue };
        // Also where nobody looks a key is not written twice.
        if lines.value(rules, &["spec", "a", "b", "env"]).is_some() {
            assert_eq!(parsed.duplicate_key(), None, "{text:?}");
        }
        if let Some(quick) = lines.value(rules, &[]) {
            assert_eq!(Ok(&quick.value.to_value()), value.as_ref(), "{text:?}");
            assert!(!quick.is_alike || values[0] == values[1], "{text:?}");
            assert_eq!(parsed.duplicate_key(), None, "{text:?}");
        }
    }
    assert!(
        !parsed.is_read_alike() || values[0] == values[1],
        "{text:?}"
    );
    if let Lazy::Outlined(outline) = lazy {
        assert_eq!(
            outline.line(),
            yaml::line_of(text, parsed.range.start),
            "{text:?}"
        );
        assert_eq!(outline.keys().count(), parsed.entries().len(), "{text:?}");
        for ((name, start), (key, _)) in outline.keys().zip(parsed.entries()) {
            assert_eq!(
                (Some(name), start),
                (key.text(), key.range.start),
                "{text:?}"
            );
            let alone = lazy.get(name).expect("the map can be read");
            match (alone.as_deref(), parsed.get(name)) {
                (Some(alone), Some(parsed)) => same_node(alone, parsed, text),
                (alone, parsed) => panic!("{name}: {alone:#?}\n{parsed:#?}\n{text:?}"),
            }
            texts_agree(outline, name, parsed, text);
        }
    }
}

/// Texts that are found under a key without a node of what stands there.
fn texts_agree(outline: &Outline<'_>, name: &str, parsed: &Node<'_>, text: &str) {
    let under = parsed.get(name).expect("the outline has it");
    let keys = under.entries().iter().filter_map(|(key, _)| key.text());
    for key in keys.take(8).chain(["name"]) {
        if let Some(found) = outline.text_under(name, key) {
            let expected = under.get(key).and_then(Node::text);
            assert_eq!(found.as_deref(), expected, "{name}, {key}: {text:?}");
            assert_eq!(under.duplicate_key(), None, "{text:?}");
        }
    }
}

fn same(left: &[Document<'_>], right: &[Document<'_>], text: &str) {
    assert_eq!(left.len(), right.len(), "documents of {text:?}");
    for (left, right) in left.iter().zip(right) {
        assert_eq!(
            (&left.range, left.syntax),
            (&right.range, right.syntax),
            "a document of {text:?}"
        );
        match (&left.root, &right.root) {
            (Some(left), Some(right)) => same_node(left, right, text),
            (None, None) => {}
            (left, right) => panic!("{left:#?}\n{right:#?}\n{text:?}"),
        }
    }
}

/// Not by `==`, which compares what an alias stands for as often as it is referred to.
fn same_node(left: &Node<'_>, right: &Node<'_>, text: &str) {
    let head = |node: &Node<'_>| (node.range.clone(), node.anchored, node.tag.clone());
    assert_eq!(head(left), head(right), "{text:?}");
    match (&left.content, &right.content) {
        (Content::Scalar(left, left_style), Content::Scalar(right, right_style)) => {
            assert_eq!((left, left_style), (right, right_style), "{text:?}");
        }
        (
            Content::Sequence { items: left, flow },
            Content::Sequence {
                items: right,
                flow: other,
            },
        ) if flow == other && left.len() == right.len() => {
            for (left, right) in left.iter().zip(right.iter()) {
                same_node(left, right, text);
            }
        }
        (
            Content::Mapping {
                entries: left,
                flow,
            },
            Content::Mapping {
                entries: right,
                flow: other,
            },
        ) if flow == other && left.len() == right.len() => {
            for ((left_key, left), (right_key, right)) in left.iter().zip(right.iter()) {
                same_node(left_key, right_key, text);
                same_node(left, right, text);
            }
        }
        // What it stands for has been compared where it is written.
        (Content::Alias(left), Content::Alias(right)) => {
            assert_eq!(left.range, right.range, "{text:?}");
        }
        _ => panic!("{left:#?}\n{right:#?}\n{text:?}"),
    }
}

/// The bytes of a value lie in those of the value around it, whole characters, in the order of the values.
fn within(node: &Node<'_>, around: &Range<usize>, text: &str) {
    let range = &node.range;
    assert!(
        around.start <= range.start && range.end <= around.end && text.get(range.clone()).is_some(),
        "{range:?} in {around:?}: {text:?}"
    );
    let mut last = range.start..range.start;
    let mut next = |child: &Node<'_>| {
        // Where nothing is written, there is an order only of what is written: of `? ? :` nobody knows whose the colon is.
        let is_behind = last.end <= child.range.start || child.range.is_empty();
        let is_in_front = last.is_empty() && last.start <= child.range.start;
        assert!(
            is_behind || is_in_front,
            "{:?} comes after {last:?}: {text:?}",
            child.range
        );
        last = child.range.clone();
        within(child, range, text);
    };
    match &node.content {
        Content::Scalar(..) | Content::Alias(_) => {}
        Content::Sequence { items, .. } => items.iter().for_each(next),
        Content::Mapping { entries, .. } => {
            for (key, value) in entries.iter() {
                next(key);
                next(value);
            }
        }
    }
}
