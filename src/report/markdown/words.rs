//! How is a text that somebody else wrote put into Markdown, so that it does nothing there?
//!
//! Authority: GitHub Flavored Markdown 0.29 (code spans, tables); GitHub and GitLab on what they link by themselves: people,
//! issues, commits, addresses, emoji and formulas, none of them within code.
//! Departs from nothing: there is no list of what is dangerous. Plain words are text, everything else is code.
//! Knows: texts. Does not know: where they come from.

use crate::report::printable;

/// Digits that may be read as a number; more may be a commit.
const DIGITS: usize = 6;

/// A sentence: plain words as they are, every other word as code, so that nothing in it acts.
pub(super) fn sentence(text: &str) -> String {
    let mut out = String::new();
    let text = printable(text);
    let parts: Vec<&str> = text.split('`').collect();
    // What stands between two backticks is meant as code; an odd backtick is one of a name.
    let is_paired = parts.len() % 2 == 1;
    for (position, part) in parts.iter().enumerate() {
        match is_paired && position % 2 == 1 {
            true => append(&mut out, &code(part)),
            false => append_words(&mut out, part),
        }
        if !is_paired && position + 1 < parts.len() {
            append(&mut out, &code("`"));
        }
    }
    out
}

fn append_words(out: &mut String, text: &str) {
    for (position, word) in text.split(char::is_whitespace).enumerate() {
        if position > 0 {
            out.push(' ');
        }
        let unopened = word.trim_start_matches(['(', '"']);
        let (before, rest) = word.split_at(word.len() - unopened.len());
        let mut core = rest.trim_end_matches([',', ';', ':', '.', ')', '"']);
        // `name="value"` is one word.
        if core.matches('"').count() % 2 == 1 && rest[core.len()..].starts_with('"') {
            core = &rest[..=core.len()];
        } else if core.ends_with('=') && rest[core.len()..].starts_with("\"\"") {
            core = &rest[..core.len() + 2];
        }
        if core.is_empty() {
            append(out, &if_punctuation(word));
            continue;
        }
        let after = &rest[core.len()..];
        append(out, before);
        match is_plain(core) {
            true => append(out, core),
            false => append(out, &code(core)),
        }
        append(out, after);
    }
}

/// Brackets and stops alone: what may stand around a word, once or twice.
fn if_punctuation(word: &str) -> String {
    match word.len() {
        0..=2 => word.to_owned(),
        _ => code(word),
    }
}

/// A word of letters, a short number: nobody makes anything of these.
fn is_plain(word: &str) -> bool {
    let is_number = word.len() <= DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
    let in_letters = |c: char| c.is_alphabetic() || c == '\'' || c == '-';
    is_number || word.chars().all(in_letters)
}

/// Two pieces of code need something between them, or their fences become one.
fn append(out: &mut String, piece: &str) {
    if out.ends_with('`') && piece.starts_with('`') {
        out.push(' ');
    }
    out.push_str(piece);
}

/// A piece of code, for a table: bars are escaped there, and there alone.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let mut out = String::from("`");
    let mut last = None;
    for c in printable(text).chars() {
        match c {
            // No backslash escapes in code, and fences of many lengths are for people.
            '`' => out.push_str("\\u{60}"),
            // Renderers disagree about which of two backslashes escapes.
            '|' if last == Some('\\') => out.push_str("\\u{7c}"),
            '|' => out.push_str("\\|"),
            c => out.push(c),
        }
        last = Some(c);
    }
    out.push('`');
    out
}

/// The beginning of a text, with an ellipsis where it goes on.
pub(in crate::report) fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some(_) => text.chars().take(length - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_messages_say_reads_as_they_say_it() {
        for (text, expected) in [
            (
                "PeerAuthentication istio-system/default: STRICT; Namespace default: istio-injection=enabled",
                "PeerAuthentication `istio-system/default`: STRICT; Namespace default: `istio-injection=enabled`",
            ),
            (
                "port 15020 is the sidecar's own (left as it is)",
                "port 15020 is the sidecar's own (left as it is)",
            ),
            (
                "`*` is not a wildcard, `two words` are",
                "`*` is not a wildcard, `two words` are",
            ),
            (
                "annotation sidecar.istio.io/interceptionMode=\"NONE\"",
                "annotation `sidecar.istio.io/interceptionMode=\"NONE\"`",
            ),
            ("(a.b/c=\"\")", "(`a.b/c=\"\"`)"),
            ("it is \"10.0.0.0/8\", kept", "it is \"`10.0.0.0/8`\", kept"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn what_acts_in_markdown_is_code() {
        for word in [
            "@team",
            "#123",
            "GH-123",
            "!7",
            "<img>",
            "[a](b)",
            "**b**",
            "__b__",
            "~~x~~",
            "a|b",
            "$x$",
            ":tada:",
            "https://x.y",
            "www.x.y",
            "a@b.c",
            "&amp;",
            "\\",
            "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
            "12345678",
            "%%",
            "...x",
            "(((((",
            "{{x}}",
            "~label",
            "^alert#1",
            "ab/cd#1",
        ] {
            let written = sentence(&format!("see {word} there"));
            let inside = written
                .strip_prefix("see ")
                .and_then(|rest| rest.strip_suffix(" there"))
                .unwrap_or_else(|| panic!("{written}"));
            // Of a word in code, stops and brackets around it may stay outside.
            let outside = inside.split('`').step_by(2).collect::<String>();
            assert!(
                inside.contains('`') && outside.chars().all(|c| "():;.".contains(c)),
                "{word} became {inside}"
            );
        }
    }

    #[test]
    fn code_ends_where_it_should() {
        for (text, expected) in [
            ("a|b", r"`a\|b`"),
            (r"a\|b", r"`a\\u{7c}b`"),
            ("a`b", r"`a\u{60}b`"),
            ("a\nb\u{202e}", r"`a\nb\u{202e}`"),
            ("", "(empty)"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(sentence("`a`b.c"), "`a` `b.c`");
        assert_eq!(sentence("a ` b"), r"a `\u{60}` b");
    }

    #[test]
    fn long_texts_are_shortened() {
        assert_eq!(shortened("ääää", 4), "ääää");
        assert_eq!(shortened("äääää", 4), "äää…");
    }
}
