//! Two ways to read a text, compared; and texts to compare them on.

use istio_scrape::yaml;

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
