//! Where does the next line stand that means something, and does it belong to the map above?
//!
//! Authority: YAML 1.2.2, 6.1 (indentation), 6.6 (comments), 8.2 (block collections), 9.1 (documents).
//! Departs from it: `None` for what is not followed: tabs in front of content, anchors, tags, aliases, `?`, directives,
//! a scalar that begins on the line below its key.
//! Knows: lines and columns. Does not know: how far a scalar goes.

use std::sync::Arc;

use memchr::memmem;

use crate::parallel;

/// Bytes that take longer to look through than a thread to begin. Tests and fuzzers, which go through short texts, are to see
/// what becomes of long ones.
pub(super) const MUCH: usize = if cfg!(debug_assertions) {
    1 << 8
} else {
    1 << 19
};

/// Goes through a text line by line. Between two values it stands on the first character of a line that is neither blank
/// nor a comment, or at the end.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// Breaks in front of every `---` that begins a line.
    markers: Arc<[usize]>,
    pub(super) at: usize,
    /// Number of the line of `at`, from 1.
    pub(super) line: usize,
    /// Column of `at`, where that is the first character of its line.
    pub(super) indent: usize,
}

impl<'t> Lines<'t> {
    /// `None` for text with line breaks that are neither `\n` nor `\r\n`, or with a byte order mark at the start of a line that
    /// is not the first: in front of a document it is nothing, in it a fault, and read alone the one looks like the other.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let bytes = text.as_bytes();
        let first = text.strip_prefix('\u{feff}').unwrap_or(text);
        let ends: Vec<usize> = (1..=bytes.len().div_ceil(MUCH))
            .map(|part| part * MUCH)
            .collect();
        let markers = parallel::each(&ends, |end| {
            let (begin, end) = (end - MUCH, *end.min(&bytes.len()));
            let is_usual = |at| bytes.get(begin + at + 1) == Some(&b'\n');
            let with_begin_of_next = &bytes[begin..bytes.len().min(end + 3)];
            let is_marked = memmem::find(with_begin_of_next, "\n\u{feff}".as_bytes()).is_some();
            if is_marked || !memchr::memchr_iter(b'\r', &bytes[begin..end]).all(is_usual) {
                return None;
            }
            let found = memmem::find_iter(with_begin_of_next, b"\n---");
            Some(found.map(|at| begin + at).collect::<Vec<_>>())
        });
        let markers: Option<Vec<Vec<usize>>> = markers.into_iter().collect();
        let markers = markers.filter(|_| !first.starts_with('\u{feff}'))?;
        Some(Self {
            text,
            bytes,
            markers: markers.concat().into(),
            at: text.len() - first.len(),
            line: 1,
            indent: 0,
        })
    }

    /// On the first character of another line, which begins here and is counted as the first.
    pub(super) fn ahead(&self, line_start: usize, indent: usize) -> Self {
        Self {
            at: line_start + indent,
            line: 1,
            indent,
            markers: Arc::clone(&self.markers),
            ..*self
        }
    }

    /// Where a `---` begins the next line that it does begin, or the text ends: no list goes on behind that.
    pub(super) fn end_of_document(&self) -> usize {
        let next = self.markers.partition_point(|marker| *marker < self.at);
        self.markers.get(next).copied().unwrap_or(self.bytes.len())
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// To the start of a line where it was before.
    pub(super) fn go_back(&mut self, at: usize, line: usize) {
        (self.at, self.line) = (at, line);
    }

    /// Start of the line on whose first character it stands.
    pub(super) fn line_start(&self) -> usize {
        match self.is_done() {
            true => self.at,
            false => self.at - self.indent,
        }
    }

    /// To the start of the next line.
    pub(super) fn next_line(&mut self) {
        match memchr::memchr(b'\n', &self.bytes[self.at..]) {
            Some(length) => {
                self.at += length + 1;
                self.line += 1;
            }
            None => self.at = self.bytes.len(),
        }
    }

    /// From the start of a line to the next content.
    pub(super) fn content(&mut self) -> Option<()> {
        loop {
            let start = self.at;
            while self.byte() == Some(b' ') {
                self.at += 1;
            }
            match self.byte() {
                Some(b'\n' | b'#' | b'\r') => self.next_line(),
                Some(b'\t') => return None,
                None => return Some(()),
                Some(_) => {
                    self.indent = self.at - start;
                    return Some(());
                }
            }
        }
    }

    /// Behind a value: nothing but blanks and a comment may follow on its line. To the next content.
    pub(super) fn rest(&mut self) -> Option<()> {
        let value = self.at;
        while let Some(b' ' | b'\t') = self.byte() {
            self.at += 1;
        }
        match self.byte() {
            Some(b'#') if self.at > value => {}
            Some(b'\n' | b'\r') | None => {}
            Some(_) => return None,
        }
        self.next_line();
        self.content()
    }

    /// Whether nothing but blanks and a comment is left on this line.
    pub(super) fn is_blank_to_end(&self) -> bool {
        let rest = &self.bytes[self.at..];
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        match rest.get(blanks) {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => blanks > 0,
            Some(_) => false,
        }
    }

    pub(super) fn is_dash(&self) -> bool {
        self.byte() == Some(b'-') && self.is_blank(self.at + 1)
    }

    /// Whether a space, or the end of a line, stands at an offset.
    pub(super) fn is_blank(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b' ' | b'\n' | b'\r'))
    }

    /// Over a dash and the blanks behind it; how many bytes that are. `None` where nothing follows on the line.
    pub(super) fn behind_dash(&mut self) -> Option<usize> {
        let dash = self.at;
        self.at += 1;
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
        match self.byte() {
            None | Some(b'\n' | b'\r' | b'#' | b'\t') => None,
            Some(_) => Some(self.at - dash),
        }
    }

    /// Whether a `---` stands here that begins a document.
    pub(super) fn is_marker(&self) -> bool {
        let is_apart = self.is_blank(self.at + 3) || self.bytes.get(self.at + 3) == Some(&b'\t');
        self.indent == 0 && self.bytes[self.at..].starts_with(b"---") && is_apart
    }

    /// Over a `---` and its line, on which nothing else may stand.
    pub(super) fn behind_marker(&mut self) -> Option<()> {
        self.at += 3;
        let line = self.bytes[self.at..].split(|byte| *byte == b'\n').next()?;
        // Not `trim_ascii`, which takes a form feed for blank.
        let is_blank = line.iter().all(|byte| b" \t\r".contains(byte));
        is_blank.then(|| self.next_line())
    }

    /// From the start of a line to the next `---`, or the end. `None` where a `...` ends the document, or directives begin it.
    pub(super) fn skip_to_marker(&mut self) -> Option<()> {
        self.indent = 0;
        while !self.is_done() {
            match self.byte() {
                Some(b'-') if self.is_marker() => break,
                Some(b'%') => return None,
                Some(b'.') if self.bytes[self.at..].starts_with(b"...") => return None,
                _ => self.next_line(),
            }
        }
        Some(())
    }

    /// From the start of a line to the next one that begins in this column or left of it.
    pub(super) fn skip_to_column(&mut self, column: usize) -> Option<()> {
        loop {
            self.next_line();
            self.content()?;
            if self.is_done() || self.indent <= column {
                return Some(());
            }
        }
    }

    /// A key that manifests have at the top: letters, digits, `_`, `.`, `/`, `-`. Stands behind its `:` then; the end of the key.
    pub(super) fn key(&mut self) -> Option<usize> {
        let start = self.at;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-') =
            self.byte()
        {
            self.at += 1;
        }
        let end = self.at;
        let is_key = end > start && self.byte() == Some(b':') && self.is_blank(end + 1);
        // `-` alone would be a dash, `---` a marker.
        if !is_key || self.bytes[start] == b'-' {
            return None;
        }
        self.at += 1;
        Some(end)
    }

    /// Behind the `:` of a key in this column: over all that its value is.
    pub(super) fn entry(&mut self, column: usize) -> Option<()> {
        match self.is_blank_to_end() {
            true => {
                self.rest()?;
                self.nested(column, true)
            }
            false => self.value(column),
        }
    }

    /// Over the lines that are deeper than this column; with `lists`, also over a list in the column itself.
    pub(super) fn nested(&mut self, column: usize, lists: bool) -> Option<()> {
        while !self.is_done()
            && (self.indent > column || (lists && self.indent == column && self.is_dash()))
        {
            self.whole_line()?;
        }
        Some(())
    }

    /// Over a line, and the lines that its value goes on over: dashes, a key, a value.
    fn whole_line(&mut self) -> Option<()> {
        let mut column = self.indent;
        let mut dash = None;
        while self.is_dash() {
            dash = Some(column);
            match self.behind_dash() {
                Some(width) => column += width,
                None => return self.rest(),
            }
        }
        match self.key_of_any_kind()? {
            true if self.is_blank_to_end() => self.rest(),
            true => self.value(column),
            // A value on a line of its own continues what is above, which is not followed; behind a dash it is an element.
            false => self.value(dash?),
        }
    }
}
