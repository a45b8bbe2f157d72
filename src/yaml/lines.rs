//! Where do lines begin and end, and what stands between two values?
//!
//! Authority: YAML 1.2.2, 5.4 (line breaks: LF, CRLF, CR) and 6 (white space, comments, properties).
//! Departs from it: nothing.
//! Knows: bytes of the text. Does not know: nodes, values, edits.

use std::ops::Range;

/// The line, counted from 1, that holds the byte at `offset`.
pub fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let next = text.as_bytes().get(before.len());
    let is_alone = |at: &usize| before.get(at + 1).or(next) != Some(&b'\n');
    let feeds = memchr::memchr_iter(b'\n', before).count();
    1 + feeds + memchr::memchr_iter(b'\r', before).filter(is_alone).count()
}

/// The lines, counted from 1, that hold the bytes at these offsets, in any order: the text is gone through once.
pub fn lines_of(text: &str, offsets: &[usize]) -> Vec<usize> {
    let mut in_order: Vec<usize> = (0..offsets.len()).collect();
    in_order.sort_unstable_by_key(|position| offsets[*position]);
    let mut lines = vec![1; offsets.len()];
    let (mut at, mut line) = (0, 1);
    for position in in_order {
        let offset = offsets[position].min(text.len());
        line += line_of(&text[at..], offset - at) - 1;
        (at, lines[position]) = (offset, line);
    }
    lines
}

/// Start of the line that holds `at`, behind a byte order mark, with which any document may begin.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let start = last_break(&text[..at]).map_or(0, |i| i + 1);
    at - text[start..at].trim_start_matches('\u{feff}').len()
}

/// The last byte of a line break.
fn last_break(text: &str) -> Option<usize> {
    memchr::memrchr2(b'\n', b'\r', text.as_bytes())
}

/// End of the line that holds `at`, in front of its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |i| at + i)
}

/// The offset behind the line break at `at`; `at` itself where none is.
pub(super) fn after_break(text: &str, at: usize) -> usize {
    match text.as_bytes().get(at..) {
        Some([b'\r', b'\n', ..]) => at + 2,
        Some([b'\r' | b'\n', ..]) => at + 1,
        _ => at,
    }
}

/// Start of the line after a value that ends at `end`; a block scalar ends there already.
pub(super) fn next_line(text: &str, end: usize) -> usize {
    if ends_line(text, end) {
        end
    } else {
        after_break(text, line_end(text, end))
    }
}

/// Whether a line break (or nothing at all) stands in front of `at`.
pub(super) fn ends_line(text: &str, at: usize) -> bool {
    at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | b'\r')
}

/// Number of characters between the start of the line and `at`.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// Leading spaces of the line that begins at `start`.
pub(super) fn indent(text: &str, start: usize) -> usize {
    text.as_bytes()[start..]
        .iter()
        .take_while(|b| **b == b' ')
        .count()
}

/// Whether nothing but spaces and tabs stands between the start of the line and `at`.
pub(super) fn first_on_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let before = before.trim_end_matches('\u{feff}');
    ends_line(text, before.len())
}

/// The line break that the text uses around `at`.
pub(super) fn break_at(text: &str, at: usize) -> &str {
    let end = line_end(text, at);
    let end = if end < text.len() {
        end
    } else {
        match last_break(&text[..at]) {
            Some(i) if text[..i].ends_with('\r') => i - 1,
            Some(i) => i,
            None => return "\n",
        }
    };
    &text[end..after_break(text, end)]
}

/// Skips spaces, tabs, line breaks and comments.
pub(super) fn skip_blank(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'#' => at = line_end(text, at),
            _ => break,
        }
    }
    at
}

/// Skips so many anchors and tags (`&name`, `!tag`) and what separates them; the end of the last of them, or `at` if
/// there is none. A node has at most two; what follows may be those of the next key.
pub(super) fn skip_properties(text: &str, at: usize, count: usize) -> usize {
    let mut end = at;
    for _ in 0..count {
        let start = skip_blank(text, end);
        match text.as_bytes().get(start) {
            Some(b'&' | b'!') => end = start + property_len(&text[start..]),
            _ => return end,
        }
    }
    end
}

fn property_len(text: &str) -> usize {
    let verbatim = text.starts_with("!<");
    text.find(|c: char| {
        c.is_ascii_whitespace() || (!verbatim && matches!(c, ',' | '[' | ']' | '{' | '}'))
    })
    .unwrap_or(text.len())
}

/// The offset behind the `:` of a key that ends at `key_end`; `None` for a key without one.
pub(super) fn after_colon(text: &str, key_end: usize) -> Option<usize> {
    let at = skip_blank(text, key_end);
    let rest = text[at..].strip_prefix(':')?;
    // Below a key of its own (`? key`) a word may begin with a colon, which is none.
    let is_below = text[key_end..at].contains(['\n', '\r']);
    let is_quoted = text[..key_end].ends_with(['"', '\'']);
    let is_over = rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']);
    (!is_below || is_quoted || is_over).then_some(at + 1)
}

/// Whether the colon that ends `gap`, the first behind a key of the map that begins at `map`, stands between the key and an
/// absent value: `? a` need not have one, and the next key may begin with a colon, or the map around have its own.
pub(super) fn is_own_colon(text: &str, gap: Range<usize>, map: usize, flow: bool) -> bool {
    let ends = match text.as_bytes().get(gap.end) {
        None | Some(b' ' | b'\t' | b'\n' | b'\r') => true,
        Some(b',' | b']' | b'}') => flow,
        Some(_) => false,
    };
    let is_beside = || !text[gap.clone()].contains(['\n', '\r']);
    let is_below = || column(text, gap.end - 1) == column(text, map);
    ends && (flow || is_beside() || is_below())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LF, CRLF and CR each end one line.
    #[test]
    fn lines_are_counted_by_every_kind_of_break() {
        let text = "a\r\nb\rc\nd";
        let lines: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .map(|s| line_of(text, text.find(s).expect("the letter is there")))
            .collect();
        assert_eq!(lines, [1, 2, 3, 4]);
        assert_eq!(line_of(text, 1), 1);
        assert_eq!(line_of(text, 2), 1);
        let offsets = [6, 0, 8, 2, 1, 3, 5, 4, 3, 9];
        let each = offsets.map(|offset| line_of(text, offset));
        assert_eq!(lines_of(text, &offsets), each);
    }

    /// A byte order mark has no column.
    #[test]
    fn byte_order_mark_has_no_width() {
        assert_eq!(column("\u{feff}é: 1", 3), 0);
        assert_eq!(column("\u{feff}é: 1", 5), 1);
    }

    /// A file without a final line break takes the break of its other lines.
    #[test]
    fn break_is_copied_from_the_line_before() {
        assert_eq!(break_at("a\r\nb", 3), "\r\n");
        assert_eq!(break_at("a", 0), "\n");
    }
}
