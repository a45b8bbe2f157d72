//! Which text is to be read, and where did it come from?
//!
//! Authority: KRM Functions Specification v1, which asks for UTF-8.
//! Departs from it: a byte order mark is allowed and kept.
//! Knows: bytes and encodings. Does not know: YAML, files.

use thiserror::Error;

/// A text that objects are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path of the file, or `-` for stdin.
    pub name: String,
    /// Its text.
    pub text: String,
    /// How it came to be read.
    pub origin: Origin,
}

/// How a text came to be read, which decides what must be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by the user, or stdin: every document is to be an object.
    Named,
    /// Found in a folder: documents that are no objects are skipped.
    Folder,
    /// A kustomization, or a file that one names otherwise than as a resource: only a configuration counts in it.
    Kustomization,
    /// Printed from a configuration: it has no lines that anybody wrote.
    Configuration,
}

/// Why bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A byte that UTF-8 does not have in this place.
    #[error(
        "{name}: the byte at offset {offset} (line {line}) is not UTF-8; save the text as UTF-8"
    )]
    NotUtf8 {
        /// Name of the source.
        name: String,
        /// Bytes before the first wrong one.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// A byte order mark of UTF-16.
    #[error("{name} is UTF-16 by the byte order mark at offset 0; save the text as UTF-8")]
    Utf16 {
        /// Name of the source.
        name: String,
    },
}

impl Source {
    /// A text that the user named.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            origin: Origin::Named,
        }
    }

    /// The text that bytes spell.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn decode(name: String, bytes: Vec<u8>, origin: Origin) -> Result<Self, DecodeError> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(DecodeError::Utf16 {
                name: called(&name).to_owned(),
            });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text, origin }),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let before = &error.as_bytes()[..offset];
                let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
                Err(DecodeError::NotUtf8 {
                    name: called(&name).to_owned(),
                    offset,
                    line,
                })
            }
        }
    }

    /// The name as a sentence says it.
    pub fn called(&self) -> &str {
        called(&self.name)
    }
}

fn called(name: &str) -> &str {
    match name {
        "-" => "stdin",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn refused(bytes: &[u8]) -> DecodeError {
        Source::decode("-".to_owned(), bytes.to_vec(), Origin::Named).unwrap_err()
    }

    #[test]
    fn a_byte_order_mark_of_utf_8_is_kept() {
        let source = Source::decode(
            "a.yaml".to_owned(),
            b"\xef\xbb\xbfa: 1\n".to_vec(),
            Origin::Named,
        );
        assert_eq!(source.unwrap().text, "\u{feff}a: 1\n");
    }

    #[test]
    fn other_encodings_are_named() {
        assert_snapshot!(refused(b"a: 1\nb: \xe4\n"), @"stdin: the byte at offset 8 (line 2) is not UTF-8; save the text as UTF-8");
        assert_snapshot!(refused(b"\xff\xfea\0"), @"stdin is UTF-16 by the byte order mark at offset 0; save the text as UTF-8");
        assert_snapshot!(refused(b"\xfe\xff\0a"), @"stdin is UTF-16 by the byte order mark at offset 0; save the text as UTF-8");
    }
}
