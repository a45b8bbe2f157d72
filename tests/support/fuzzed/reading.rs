//! Does every way of reading a text give what the parser gives?

use std::ops::Range;

use istio_scrape::yaml::{self, Content, Document, Node, Rules};

/// Any bytes: what is text is read in all ways.
pub(crate) fn reading(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    agree(text);
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

/// Reads a text in the quick way and by the parser, and compares them to the last byte; whether the quick way claimed it.
pub(crate) fn agree(text: &str) -> bool {
    let Some(quick) = yaml::read_regular(text) else {
        return false;
    };
    match yaml::parse(text) {
        Ok(parsed) => same(&quick, &parsed, text),
        Err(error) => panic!("the parser refuses what is claimed: {error}\n{text:?}"),
    }
    true
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

/// Not by `Debug`, which writes out what every alias stands for.
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
    let mut last = range.start;
    let mut next = |child: &Node<'_>| {
        assert!(
            last <= child.range.start,
            "{:?} comes after {last}: {text:?}",
            child.range
        );
        last = child.range.end;
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
