//! How is a picture written in Mermaid, within what forges draw?
//!
//! Authority: Mermaid's flowchart syntax (quoted labels, entity codes `#59;`) and its defaults for `maxTextSize`, 50 000
//! characters, and `maxEdges`, 500, which GitHub and GitLab keep.
//! Departs from nothing: in a label, everything but letters, digits and a few signs is an entity code.
//! Knows: decisions, by their picture. Does not know: the text around it.

use std::fmt::Write as _;

use super::markdown::shortened;
use super::picture::{Edge, Flow, Look, Picture, draw};
use super::{Located, printable};

/// Boxes of endpoints; fewer where the text or the edges become too many.
const BOXES: usize = 24;
/// Of a comment's 65 536 characters, Mermaid would take 50 000.
const CHARACTERS: usize = 20_000;
const EDGES: usize = 400;
/// Characters of a line in a box.
const LINE: usize = 60;

/// Lines of a box are as long as they are, and boxes close together.
const SETTINGS: &str =
    r#"%%{init: {"flowchart": {"wrappingWidth": 600, "nodeSpacing": 24, "rankSpacing": 32}}}%%"#;

/// A character that is not seen.
const WORD_JOINER: &str = "#8288;";

/// How boxes look. A fill without its own colour of letters would be unreadable in one of light and dark.
const LOOKS: [(Look, &str, &str); 4] = [
    (
        Look::Changed,
        "changed",
        "fill:#0969da,stroke:#54aeff,stroke-width:2px,color:#ffffff",
    ),
    (
        Look::Warned,
        "warned",
        "fill:#fff8c5,stroke:#bf8700,stroke-width:2px,color:#1f2328",
    ),
    (
        Look::Folded,
        "folded",
        "fill:#6e7781,stroke:#8c959f,color:#ffffff",
    ),
    (
        Look::Missing,
        "missing",
        "fill:#6e7781,stroke:#d0d7de,stroke-dasharray:5 4,color:#ffffff",
    ),
];

/// The flowchart of decisions: as many endpoints as it has room for, changes first.
pub(super) fn flowchart(decisions: &[Located]) -> String {
    let mut most = BOXES;
    loop {
        let picture = draw(decisions, most);
        let text = written(&picture);
        let fits = text.chars().count() <= CHARACTERS && picture.edges.len() <= EDGES;
        if fits || most == 0 {
            return text;
        }
        most /= 2;
    }
}

pub(super) fn written(picture: &Picture) -> String {
    let mut out = format!("{SETTINGS}\nflowchart LR\n");
    for (position, node) in picture.nodes.iter().enumerate() {
        writeln!(out, "  n{position}[\"{}\"]", label(&node.lines)).expect("a String grows");
    }
    for edge in &picture.edges {
        writeln!(out, "  {}", arrow(edge)).expect("a String grows");
    }
    for (look, class, style) in LOOKS {
        let nodes = picture.nodes.iter().enumerate();
        let of_class: Vec<String> = nodes
            .filter(|(_, node)| node.look == look)
            .map(|(position, _)| format!("n{position}"))
            .collect();
        if !of_class.is_empty() {
            writeln!(out, "  classDef {class} {style}").expect("a String grows");
            writeln!(out, "  class {} {class}", of_class.join(",")).expect("a String grows");
        }
    }
    out
}

fn label(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| escaped(&shortened(line, LINE)));
    lines.collect::<Vec<_>>().join("<br/>")
}

fn arrow(edge: &Edge) -> String {
    let arrow = match edge.flow {
        Flow::MutualTls => "==>",
        Flow::Other => "-->",
        Flow::Unknown => "-.->",
        Flow::Nothing => "--x",
    };
    let label = match edge.lines[..] {
        [] => String::new(),
        _ => format!("|\"{}\"|", label(&edge.lines)),
    };
    format!("n{} {arrow}{label} n{}", edge.from, edge.to)
}

/// A text in quotes. Whatever has a meaning in Mermaid, in Markdown or in HTML is written by its number.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        // A hyphen within a word begins no list.
        let is_inner = c == '-' && out.ends_with(|last: char| last.is_alphanumeric());
        if c.is_alphanumeric() || is_inner || " ,/…".contains(c) {
            out.push(c);
        } else {
            write!(out, "#{};", u32::from(c)).expect("a String grows");
        }
        // Line breaks, formulas and icons are looked for when the codes are characters again.
        if "\\$:".contains(c) {
            out.push_str(WORD_JOINER);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_label_acts() {
        for (text, expected) in [
            ("shop/web", "shop/web"),
            ("endpoints[0]", "endpoints#91;0#93;"),
            ("\"];", "#34;#93;#59;"),
            ("<b>&lt;</b>", "#60;b#62;#38;lt#59;#60;/b#62;"),
            ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
            ("fa:x $$", "fa#58;#8288;x #36;#8288;#36;#8288;"),
            ("- a-b", "#45; a-b"),
            ("`*x*` #59;", "#96;#42;x#42;#96; #35;59#59;"),
            ("a\nend", "a#92;#8288;nend"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
