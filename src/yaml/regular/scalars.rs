//! Which scalars of the usual shape stand on a line, or below a `|`?
//!
//! Authority: YAML 1.2.2, 7.3 (flow scalars) and 8.1.2 (literals).
//! Departs from it: claims a part of each; the rest is handed back (`None`).
//! Knows: bytes of one line, and indentation below a header. Does not know: maps and lists.

use std::borrow::Cow;
use std::ops::Range;

use super::{Build, Reader, line_end};
use crate::yaml::Style;

/// The key that stands here, up to and with its `:`.
pub(super) fn key<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    let key = match reader.byte()? {
        b'"' | b'\'' => quoted(reader)?,
        _ => {
            let range = plain_key(reader)?;
            reader.build.plain_key(range.clone(), &reader.text[range])?
        }
    };
    colon(reader).then_some(key)
}

/// Whether a key stands here.
pub(super) fn is_key<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> bool {
    let is_scalar = match reader.byte() {
        Some(b'"' | b'\'') => quoted(reader).is_some(),
        _ => plain_key(reader).is_some(),
    };
    is_scalar && colon(reader)
}

/// The bytes of the key without quotes that stands here.
fn plain_key<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<Range<usize>> {
    let start = reader.at;
    let rest = reader.bytes.get(start..)?;
    // Eight at a time, with no question in between.
    let eights = rest.chunks_exact(8);
    let of_key = |eight: &&[u8]| eight.iter().fold(true, |all, byte| all & is_of_key(*byte));
    let begun = 8 * eights.take_while(of_key).count();
    let length = rest[begun..].iter().position(|byte| !is_of_key(*byte));
    reader.at += length.map_or(rest.len(), |length| begun + length);
    let is_dash = reader.bytes.get(start) == Some(&b'-');
    (reader.at > start && !is_dash).then_some(start..reader.at)
}

/// Over the `:` that ends a key; whether it does.
fn colon<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> bool {
    let is_colon = reader.byte() == Some(b':');
    let is_over = matches!(reader.bytes.get(reader.at + 1), None | Some(b' ' | b'\n'));
    reader.at += 1;
    is_colon && is_over
}

/// A plain or quoted value, with the rest of its line.
pub(super) fn on_one_line<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    let value = match reader.byte()? {
        b'"' | b'\'' => quoted(reader)?,
        _ => plain_value(reader)?,
    };
    reader.end = reader.at;
    reader.rest()?;
    Some(value)
}

/// A plain value to the end of the line, or to a comment.
fn plain_value<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    let start = reader.at;
    let bytes = reader.bytes;
    begins_plain(&bytes[start..])?;
    let mut end = start;
    let mut is_ascii_text = true;
    while let Some(byte) = bytes.get(end) {
        if ENDS_OR_IS_ODD[usize::from(*byte)] {
            match byte {
                b'\n' => break,
                b':' if matches!(bytes.get(end + 1), None | Some(b' ' | b'\n')) => return None,
                b'#' if bytes[end - 1] == b' ' => break,
                b':' | b'#' => {}
                _ => is_ascii_text = false,
            }
        }
        end += 1;
    }
    let range = start..start + bytes[start..end].trim_ascii_end().len();
    reader.at = range.end;
    match is_ascii_text {
        true => reader.build.plain(range.clone(), &reader.text[range]),
        false => plain(reader, range),
    }
}

/// Bytes in which a plain scalar may end, and those that are no ASCII text.
const ENDS_OR_IS_ODD: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0x20;
    while byte <= 0x7e {
        table[byte] = byte == b':' as usize || byte == b'#' as usize;
        byte += 1;
    }
    table
};

/// Whether a plain scalar can begin so.
pub(super) fn begins_plain(bytes: &[u8]) -> Option<()> {
    let begins = match bytes {
        [b'-', next, ..] => !matches!(next, b' ' | b'\n'),
        [first, ..] => !NEVER_FIRST[usize::from(*first)],
        [] => false,
    };
    begins.then_some(())
}

/// Bytes with which no plain scalar begins; but a dash with something behind it.
const NEVER_FIRST: [bool; 256] = {
    let marks = b"-?:,[]{}#&*!|>'\"%@` ";
    let mut table = [false; 256];
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// The plain scalar that these bytes spell.
pub(super) fn plain<'t, B: Build<'t>>(
    reader: &mut Reader<'t, B>,
    range: Range<usize>,
) -> Option<B::Value> {
    let bytes = &reader.bytes[range.clone()];
    match !bytes.is_empty() && is_text(bytes) {
        true => reader.build.plain(range.clone(), &reader.text[range]),
        false => None,
    }
}

/// The quoted scalar that begins here and ends on this line.
pub(super) fn quoted<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    let start = reader.at;
    let quote = reader.byte()?;
    let line = &reader.bytes[start + 1..line_end(reader.bytes, start)];
    let is_single = quote == b'\'';
    let mut at = 0;
    let mut is_spelled = false;
    loop {
        match (line.get(at)?, line.get(at + 1)) {
            (b'\'', Some(b'\'')) if is_single => {
                is_spelled = true;
                at += 2;
            }
            (b'\\', Some(_)) if !is_single => {
                is_spelled = true;
                at += 2;
            }
            (byte, _) if *byte == quote => break,
            _ => at += 1,
        }
    }
    let inner = start + 1..start + 1 + at;
    if !is_text(&reader.bytes[inner.clone()]) {
        return None;
    }
    let text = &reader.text[inner.clone()];
    let content = match (is_spelled, is_single) {
        (false, _) => Cow::Borrowed(text),
        (true, true) => Cow::Owned(text.replace("''", "'")),
        (true, false) => Cow::Owned(unescaped(text)?),
    };
    reader.at = inner.end + 1;
    let style = match is_single {
        true => Style::SingleQuoted,
        false => Style::DoubleQuoted,
    };
    Some(reader.build.text(start..reader.at, content, style))
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        out.push(match rest.as_bytes()[at + 1] {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'"' => '"',
            b'\\' => '\\',
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    Some(out)
}

/// The literal whose `|` stands here, of a map or list in this column.
pub(super) fn literal<'t, B: Build<'t>>(
    reader: &mut Reader<'t, B>,
    column: usize,
) -> Option<B::Value> {
    let start = reader.at;
    let header_end = line_end(reader.bytes, start);
    // Not `trim_ascii_end`, which takes a form feed for blank.
    let keeps_break = match reader.text[start..header_end].trim_end_matches(' ') {
        "|" => true,
        "|-" => false,
        _ => return None,
    };
    let first = (header_end + 1).min(reader.bytes.len());
    let indent = indent_of(reader.bytes, first);
    if indent <= column || matches!(reader.bytes.get(first + indent), None | Some(b'\n')) {
        return None;
    }
    let mut end = first;
    let mut at = first;
    while at < reader.bytes.len() {
        let line_end = line_end(reader.bytes, at);
        let line = &reader.bytes[at..line_end];
        let own = indent_of(reader.bytes, at);
        if own < indent && own < line.len() {
            break;
        }
        at = (line_end + 1).min(reader.bytes.len());
        if line.len() > indent {
            if !is_text_with_tabs(line) {
                return None;
            }
            end = at;
        }
    }
    if !reader.bytes[..end].ends_with(b"\n") {
        // Whether a break is added that nobody wrote is the parser's to say.
        return None;
    }
    reader.at = at;
    reader.line()?;
    reader.end = end;
    let lines = &reader.text[first..end];
    Some(reader.build.literal(start..end, || {
        let mut content = unindented(lines, indent);
        if !keeps_break {
            content.pop();
        }
        content
    }))
}

/// Lines without the spaces in front, blank ones without any.
fn unindented(lines: &str, indent: usize) -> String {
    let mut content = String::with_capacity(lines.len());
    for line in lines.split_terminator('\n') {
        content.push_str(line.get(indent..).unwrap_or_default());
        content.push('\n');
    }
    content
}

fn indent_of(bytes: &[u8], line: usize) -> usize {
    bytes[line..]
        .iter()
        .take_while(|byte| **byte == b' ')
        .count()
}

/// Characters that keys of manifests are made of.
fn is_of_key(byte: u8) -> bool {
    OF_KEY[usize::from(byte)]
}

const OF_KEY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::cast_possible_truncation, reason = "below 128")]
        let is_of_word = (byte as u8).is_ascii_alphanumeric();
        table[byte] = is_of_word || matches!(byte as u8, b'_' | b'.' | b'/' | b'-');
        byte += 1;
    }
    table
};

/// Whether nothing is in these bytes that a line break, a tab or a check of characters would have to be thought of.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e)) || is_printable(bytes, false)
}

/// The same, where tabs mean nothing.
pub(super) fn is_text_with_tabs(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e | b'\t')) || is_printable(bytes, true)
}

fn is_printable(bytes: &[u8], tabs: bool) -> bool {
    let is_claimed = |c: char| match c {
        '\t' => tabs,
        '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' => true,
        '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'.. => true,
        _ => false,
    };
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_claimed))
}
