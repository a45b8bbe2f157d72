//! Can a string stand as a literal block (`|`), and what is its header?
//!
//! Authority: YAML 1.2.2, 8.1; kyaml, which cannot read back a literal whose first line begins with a tab.
//! Departs from it: lines of nothing but blanks are left to double quotes, where they can be seen.
//! Knows: strings and columns. Does not know: where the block will stand.

use super::Written;
use super::quote::is_printable;

/// The header and the lines of a literal with its text in `column`, `depth` columns right of its
/// parent; `None` where a literal cannot hold the string.
pub(super) fn literal(string: &str, depth: usize, column: usize, keep: bool) -> Option<Written> {
    let body = string.trim_end_matches('\n');
    let breaks = string.len() - body.len();
    let odd_line = |line: &str| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty();
    let fits = string.contains('\n')
        && !body.is_empty()
        && !string.trim_start_matches('\n').starts_with('\t')
        && string
            .chars()
            .all(|c| is_printable(c) || matches!(c, '\n' | '\t'))
        && !body.split('\n').any(odd_line)
        && (breaks < 2 || keep);
    if !fits {
        return None;
    }
    let indicator = match string.starts_with([' ', '\n']) {
        true if (1..=9).contains(&depth) => depth.to_string(),
        true => return None,
        false => String::new(),
    };
    let chomping = ["-", "", "+"][breaks.min(2)];
    let line = |line: &str| match line {
        "" => String::new(),
        _ => " ".repeat(column) + line,
    };
    let mut tail: Vec<String> = body.split('\n').map(line).collect();
    tail.extend((1..breaks).map(|_| String::new()));
    Some(Written {
        head: format!("|{indicator}{chomping}"),
        tail,
    })
}
