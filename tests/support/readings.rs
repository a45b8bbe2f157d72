//! Two ways to read a text, compared; and texts to compare them on.

use std::fmt::Debug;

use istio_scrape::yaml::{self, Lazy, Node, Rules};

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
/// there is an outline. A fault inside of a map is not the outline's to see.
///
/// # Panics
/// When they differ.
pub(crate) fn outline_agrees(text: &str) -> bool {
    let Some(outlined) = yaml::outline(text, "items") else {
        return false;
    };
    let Ok(parsed) = yaml::parse(text) else {
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

fn map_agrees(lazy: &Lazy<'_>, parsed: &Node<'_>, text: &str) {
    let read = lazy.read();
    let read = read.unwrap_or_else(|error| panic!("a map cannot be read alone: {error}\n{text:?}"));
    same(read.as_ref(), parsed, text);
    assert_eq!(lazy.start(), parsed.range.start, "{text:?}");
    let values = [Rules::Kustomize, Rules::Kubectl].map(|rules| parsed.value(rules));
    for (rules, value) in [Rules::Kustomize, Rules::Kubectl].into_iter().zip(&values) {
        if let Some(quick) = lazy.lines().and_then(|lines| lines.value(rules, &[])) {
            assert_eq!(Ok(&quick.value), value.as_ref(), "{text:?}");
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
            same(&alone.as_deref(), &parsed.get(name), text);
        }
    }
}

fn same<T: Debug + PartialEq>(quick: &T, parsed: &T, text: &str) {
    assert!(quick == parsed, "{text:?}\n{quick:#?}\n{parsed:#?}");
}

/// Manifests of the cases and of the corpus.
pub(crate) fn manifests() -> Vec<String> {
    let mut texts: Vec<String> = super::directories("testdata")
        .iter()
        .filter_map(|case| std::fs::read_to_string(case.join("input.yaml")).ok())
        .collect();
    if let Some(corpus) = super::data("corpus", "manifests read in both ways") {
        let folders = std::fs::read_dir(corpus).expect("a folder");
        texts.extend(folders.filter_map(|folder| {
            let folder = folder.expect("an entry").path();
            std::fs::read_to_string(folder.join("input.yaml")).ok()
        }));
    }
    texts
}

/// The manifest as items of a list, its dashes in this column; `None` where it is no stream of maps in block style.
pub(crate) fn as_list(manifest: &str, column: usize) -> Option<String> {
    let mut list = "kind: List\nitems:\n".to_owned();
    for document in yaml::parse(manifest).ok()? {
        let mut dash = Some("- ");
        for line in manifest[document.range].lines() {
            let is_content = !line.is_empty() && !line.starts_with(['#', ' ']);
            let lead = match is_content {
                true => dash.take().unwrap_or("  "),
                false => "  ",
            };
            list += &" ".repeat(column);
            list += lead;
            list += line;
            list += "\n";
        }
    }
    list += "functionConfig: {}\n";
    Some(list)
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    /// A number below this bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Pieces that mean something to YAML.
const PIECES: [&str; 48] = [
    " ", "  ", "\n", "\t", "-", "- ", "- - ", ": ", ":", "#", " # x", "\n# x\n", "\"", "'", "''",
    "\\", "\\n", "{", "}", "[", "]", "{}", "[]", "{a: b}", "[a, b]", ", ", "|", "|-\n", "|+", ">",
    "|2", "&a ", "*a", "!t ", "? ", "---\n", "...\n", "%", "\r\n", "\u{feff}", "\u{85}", "é",
    "\u{2028}", "<<: ", "a: b", "\n\n", "\"a: b\"", "    ",
];

/// Some lines of the text, a few of them moved, or pieces put in or taken out.
pub(crate) fn damaged(text: &str, draws: &mut Draws) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let from = draws.below(lines.len());
    lines = lines
        .into_iter()
        .skip(from)
        .take(1 + draws.below(14))
        .collect();
    for _ in 0..1 + draws.below(3) {
        let at = draws.below(lines.len());
        let cut: Vec<usize> = lines[at].char_indices().map(|(cut, _)| cut).collect();
        let place = cut
            .get(draws.below(cut.len() + 1))
            .copied()
            .unwrap_or(lines[at].len());
        match draws.below(6) {
            0 | 1 => lines[at].insert_str(place, PIECES[draws.below(PIECES.len())]),
            2 => lines[at].truncate(place),
            3 => lines[at].insert_str(0, "  "),
            4 => {
                lines[at] = lines[at]
                    .strip_prefix("  ")
                    .unwrap_or(&lines[at])
                    .to_owned()
            }
            _ => {
                let other = draws.below(lines.len());
                lines.swap(at, other);
            }
        }
    }
    lines.concat()
}
