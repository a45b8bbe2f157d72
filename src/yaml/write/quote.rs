//! When does a string need quotes, which ones, and how is it escaped?
//!
//! Authority: YAML 1.1 and 1.2 core together: what either reads as something else is quoted.
//! Departs from it: more is quoted than needed (`127.0.0.1`), never less.
//! Knows: strings and JSON scalars. Does not know: where they will stand.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::scalar::Scalar;
use super::super::{Rules, Style};

/// A value on one line in block context; a quoted string keeps the quotes of the one it replaces.
pub(in crate::yaml) fn scalar(value: &Value, replaced: Option<Style>) -> String {
    match value {
        Value::String(string) => quoted(string, replaced, is_plain(string)),
        _ => bare(value),
    }
}

/// The same inside brackets.
pub(in crate::yaml) fn flow_scalar(value: &Value, replaced: Option<Style>) -> String {
    match value {
        Value::String(string) => quoted(string, replaced, is_plain_in_brackets(string)),
        _ => bare(value),
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Array(_) => "[]".to_owned(),
        _ => "{}".to_owned(),
    }
}

/// A key of a map.
pub(super) fn key(text: &str) -> String {
    quoted(text, None, is_plain_in_brackets(text))
}

fn quoted(string: &str, replaced: Option<Style>, plain: bool) -> String {
    let printable = string.chars().all(is_printable);
    match replaced {
        Some(Style::DoubleQuoted) if !string.contains('"') => double(string),
        Some(Style::SingleQuoted) if printable => single(string),
        _ if plain => string.to_owned(),
        _ if printable && string.contains('"') => single(string),
        _ => double(string),
    }
}

fn single(string: &str) -> String {
    format!("'{}'", string.replace('\'', "''"))
}

/// Double quotes, with escapes that YAML and JSON share.
pub(in crate::yaml) fn double(string: &str) -> String {
    let mut out = String::with_capacity(string.len() + 2);
    out.push('"');
    for c in string.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all that is written")
            }
        }
    }
    out.push('"');
    out
}

/// Whether goyaml reads the character back when it stands for itself within quotes on one line.
/// All others are in the basic plane, where `\u` and four digits spell them.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether the string, without quotes, is read as itself by every reader.
fn is_plain(string: &str) -> bool {
    if is_like_a_key(string) {
        return !is_word(string);
    }
    let first_fits = match string.as_bytes() {
        [] => false,
        [b'-' | b'.', rest @ ..] => {
            rest.first().is_some_and(|b| *b != b' ')
                && !string.starts_with("---")
                && !string.starts_with("...")
        }
        [first, ..] => !b"?:,[]{}#&*!|>'\"%@`=<~".contains(first),
    };
    first_fits
        && string.trim() == string
        && string.chars().all(is_printable)
        && !string.contains(": ")
        && !string.contains(" #")
        && !string.ends_with(':')
        && !is_word(string)
        && !is_like_number(string)
        && [Rules::Kustomize, Rules::Kubectl]
            .iter()
            .all(|rules| matches!(rules.plain(string), Scalar::Json(Value::String(read)) if read == string))
}

/// The same where `,[]{}` end a plain scalar, and to goyaml `?` does too.
fn is_plain_in_brackets(string: &str) -> bool {
    is_plain(string) && !string.contains([',', '[', ']', '{', '}', '?'])
}

/// Whether it is made of nothing but what most keys and values are made of, of which only words are read as something else.
fn is_like_a_key(string: &str) -> bool {
    let is_usual =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let begins = string
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    begins && string.bytes().all(is_usual)
}

fn is_word(string: &str) -> bool {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
    ];
    let bare = string.trim_start_matches(['+', '-', '.']);
    WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

/// Numbers of any base, sexagesimals, dates, and what looks like one of them.
fn is_like_number(string: &str) -> bool {
    let first = string.trim_start_matches(['+', '-', '.']).bytes().next();
    first.is_none_or(|b| b.is_ascii_digit())
        && string
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b"_.,:+- oOxXbBtTzZ".contains(&b))
}
