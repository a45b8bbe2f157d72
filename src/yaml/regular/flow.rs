//! Which list or map stands in brackets on one line?
//!
//! Authority: YAML 1.2.2, 7.4.
//! Departs from it: claims what ends on its line, with a blank behind each `:`; the rest is handed back (`None`).
//! Knows: bytes of one line. Does not know: indentation.

use super::{Build, Reader, scalars};

/// The list or map whose bracket stands here.
pub(super) fn collection<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    reader.deeper()?;
    let start = reader.at;
    let is_map = reader.byte() == Some(b'{');
    reader.at += 1;
    let close = if is_map { b'}' } else { b']' };
    let (entries, items) = (reader.entries.len(), reader.items.len());
    loop {
        blanks(reader);
        let is_empty = reader.entries.len() == entries && reader.items.len() == items;
        if reader.byte()? == close && is_empty {
            break;
        }
        if is_map {
            let key = scalars::key(reader)?;
            blanks(reader);
            let value = value(reader)?;
            reader.entries.push((key, value));
        } else {
            let item = value(reader)?;
            reader.items.push(item);
        }
        blanks(reader);
        match reader.byte()? {
            b',' => reader.at += 1,
            byte if byte == close => break,
            _ => return None,
        }
    }
    reader.at += 1;
    reader.depth -= 1;
    let range = start..reader.at;
    match is_map {
        true => {
            let entries = reader.entries.drain(entries..);
            reader.build.map(range, entries, true)
        }
        false => {
            let items = reader.items.drain(items..);
            Some(reader.build.list(range, items, true))
        }
    }
}

fn value<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) -> Option<B::Value> {
    match reader.byte()? {
        b'{' | b'[' => collection(reader),
        b'"' | b'\'' => scalars::quoted(reader),
        _ => {
            let start = reader.at;
            scalars::begins_plain(&reader.bytes[start..])?;
            while reader.byte().is_some_and(is_of_value) {
                reader.at += 1;
            }
            // A dash alone is no scalar here, and which dashes may begin one is not worth telling apart.
            match &reader.bytes[start..reader.at] {
                b"-" => None,
                _ => scalars::plain(reader, start..reader.at),
            }
        }
    }
}

/// Characters that values in brackets are mostly made of; none of them means anything to YAML within a scalar.
fn is_of_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-')
}

fn blanks<'t, B: Build<'t>>(reader: &mut Reader<'t, B>) {
    while reader.byte() == Some(b' ') {
        reader.at += 1;
    }
}
