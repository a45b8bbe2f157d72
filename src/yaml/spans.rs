//! Where does a block scalar begin and end, header included?
//!
//! Authority: YAML 1.2.2, 8.1.
//! Departs from it: blank lines at the end belong to the scalar only where `+` makes them its content.
//! Knows: the text, and where the parser saw the content. Does not know: nodes, events.

use std::ops::Range;

use super::lines::{after_break, column, ends_line, line_end, skip_blank, skip_properties};

/// The bytes from `|` or `>`, somewhere behind `cursor`, to the end of the content.
///
/// The parser's span begins at the first line with content and takes in all blank lines after the
/// last; this one begins at the header and leaves out the blank lines that are not content.
pub(super) fn block_scalar(text: &str, cursor: usize, span: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut start = cursor;
    while let Some(byte) = bytes.get(start) {
        match byte {
            b'|' | b'>' => break,
            b'&' | b'!' => start = skip_properties(text, start, 1),
            b'-' | b'?' | b':' => start += 1,
            _ => start = skip_blank(text, start).max(start + 1),
        }
    }
    let header = line_end(text, start);
    let token = text[start..header]
        .split([' ', '\t'])
        .next()
        .unwrap_or_default();
    let content = after_break(text, header);
    if token.contains('+') {
        let kept = text[..span.end].trim_end_matches(' ').len();
        let end = if ends_line(text, kept) {
            kept
        } else {
            span.end
        };
        return start..end.max(content);
    }
    let depth = column(text, span.start.max(content));
    let mut end = span.end.max(content);
    while end > content {
        let line = text[..end].trim_end_matches(['\n', '\r']);
        let breaks = text[line.len()..end].replace("\r\n", "\n").len();
        let last = line.rfind(['\n', '\r']).map_or(0, |i| i + 1).max(content);
        let blank = line
            .get(last..)
            .is_some_and(|l| l.len() <= depth && l.bytes().all(|b| b == b' '));
        if breaks > 1 {
            end = after_break(text, line.len()).max(content);
        } else if blank {
            end = last;
        } else {
            break;
        }
    }
    start..end
}
