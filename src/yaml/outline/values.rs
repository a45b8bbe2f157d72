//! Where does a value end that begins here?
//!
//! Authority: YAML 1.2.2, 7.3 (quoted and plain), 7.4 (flow collections), 8.1 (block scalars).
//! Departs from it: `None` for what is not followed: anchors, tags, aliases, `?`, `|2`, and whatever goes on left of
//! where the standard wants it, since hosts differ about that.
//! Knows: quotes, brackets, indentation. Does not know: what the value is.

use super::lines::Lines;

/// Brackets in brackets that are followed; deeper ones are the parser's, which knows the limit.
const DEPTH: usize = 64;

impl Lines<'_> {
    /// Over a value that stands here or behind blanks, of a key or dash in this column. To the next content.
    pub(super) fn value(&mut self, column: usize) -> Option<()> {
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
        match self.byte()? {
            b'|' | b'>' => self.block_scalar(column)?,
            b'"' | b'\'' => {
                self.quoted(column)?;
                self.rest()?;
            }
            b'{' | b'[' => {
                self.brackets(column)?;
                self.rest()?;
            }
            _ => self.plain(column)?,
        }
        (self.is_done() || self.indent <= column).then_some(())
    }

    /// Whether a key stands here; then over it and its `:`. A key is plain or quoted, and ends on its line.
    pub(super) fn key_of_any_kind(&mut self) -> Option<bool> {
        let (start, line) = (self.at, self.line);
        match self.byte()? {
            b'"' | b'\'' => {
                self.quoted(self.indent)?;
                while self.byte() == Some(b' ') {
                    self.at += 1;
                }
                if self.byte() != Some(b':') {
                    self.go_back(start, line);
                    return Some(false);
                }
                self.at += 1;
                (self.line == line && self.is_blank(self.at)).then_some(true)
            }
            b'{' | b'[' => Some(false),
            b'|' | b'>' => Some(false),
            _ => {
                self.begins_plain()?;
                match self.end_of_plain(false)? {
                    PlainEnd::Colon(at) => {
                        self.at = at + 1;
                        Some(true)
                    }
                    PlainEnd::Comment | PlainEnd::Line(_) => Some(false),
                }
            }
        }
    }

    /// `None` where no plain scalar can begin.
    fn begins_plain(&self) -> Option<()> {
        let first = self.byte()?;
        match first {
            b'-' | b'?' | b':' => {
                let next = self.bytes.get(self.at + 1);
                let is_text = !matches!(next, None | Some(b' ' | b'\t' | b'\n' | b'\r'));
                is_text.then_some(())
            }
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' | b'\t' | b'\n' | b'\r' => None,
            _ => Some(()),
        }
    }

    /// What ends the plain scalar that stands here, on this line. A `#` is a comment behind a blank; `is_behind_blank` tells
    /// whether it would be one right here.
    fn end_of_plain(&self, is_behind_blank: bool) -> Option<PlainEnd> {
        let mut from = self.at;
        while let Some(ordinary) = memchr::memchr3(b'\n', b':', b'#', &self.bytes[from..]) {
            let at = from + ordinary;
            match self.bytes[at] {
                b'\n' => return Some(PlainEnd::Line(at)),
                b':' => match self.bytes.get(at + 1) {
                    None | Some(b' ' | b'\n' | b'\r') => return Some(PlainEnd::Colon(at)),
                    Some(b'\t') => return None,
                    Some(_) => {}
                },
                _ if at == self.at && is_behind_blank => return Some(PlainEnd::Comment),
                _ if at > self.at && matches!(self.bytes[at - 1], b' ' | b'\t') => {
                    return Some(PlainEnd::Comment);
                }
                _ => {}
            }
            from = at + 1;
        }
        Some(PlainEnd::Line(self.bytes.len()))
    }

    fn plain(&mut self, column: usize) -> Option<()> {
        self.begins_plain()?;
        let mut end = self.end_of_plain(false)?;
        loop {
            match end {
                // A second `:` in a line is a fault.
                PlainEnd::Colon(_) => return None,
                PlainEnd::Comment => {
                    self.next_line();
                    return self.content();
                }
                PlainEnd::Line(at) => {
                    self.at = at;
                    self.next_line();
                }
            }
            let indent = self.spaces();
            let next = self.bytes.get(self.at + indent);
            if indent <= column && !matches!(next, None | Some(b'\n' | b'\r' | b'#' | b'\t')) {
                // Nearly always: the next line is somebody else's.
                self.at += indent;
                self.indent = indent;
                return Some(());
            }
            let (start, line) = (self.at, self.line);
            self.blank_lines();
            let indent = self.spaces();
            if self.at + indent >= self.bytes.len() || indent <= column {
                self.go_back(start, line);
                return self.content();
            }
            self.at += indent;
            match self.byte()? {
                b'#' => {
                    self.go_back(start, line);
                    return self.content();
                }
                b'\t' => return None,
                _ => end = self.end_of_plain(true)?,
            }
        }
    }

    /// Spaces at the start of the line that it stands on.
    fn spaces(&self) -> usize {
        let line = &self.bytes[self.at..];
        line.iter().take_while(|byte| **byte == b' ').count()
    }

    /// Over lines of nothing but spaces.
    fn blank_lines(&mut self) {
        while let Some(b'\n' | b'\r') = self.bytes.get(self.at + self.spaces()) {
            self.next_line();
        }
    }

    /// Over a quoted scalar. It may go on over lines that are deeper than this column.
    fn quoted(&mut self, column: usize) -> Option<()> {
        let is_single = self.byte()? == b'\'';
        self.at += 1;
        loop {
            match (self.byte()?, self.bytes.get(self.at + 1)) {
                (b'\'', Some(b'\'')) if is_single => self.at += 2,
                (b'\'', _) if is_single => break,
                (b'"', _) if !is_single => break,
                (b'\\', Some(b'\n' | b'\r')) if !is_single => self.at += 1,
                (b'\\', _) if !is_single => self.at += 2,
                (b'\n', _) => self.deeper_line(column)?,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// From the end of a line to the first character of the next that is not blank, which must be deeper than this column.
    fn deeper_line(&mut self, column: usize) -> Option<()> {
        self.next_line();
        self.blank_lines();
        let spaces = self.spaces();
        self.at += spaces;
        match self.byte()? {
            b'\t' => None,
            _ => (spaces > column).then_some(()),
        }
    }

    /// Over a list or map in brackets. It may go on over lines that are deeper than this column.
    fn brackets(&mut self, column: usize) -> Option<()> {
        let mut open = Vec::new();
        // Whether a quote that stands here opens a scalar, and whether blanks are in front.
        let (mut is_start, mut is_behind_blank) = (true, true);
        loop {
            let byte = self.byte()?;
            match byte {
                b'{' | b'[' => {
                    if open.len() >= DEPTH {
                        return None;
                    }
                    open.push(byte + 2);
                    (is_start, is_behind_blank) = (true, false);
                }
                b'}' | b']' => {
                    if open.pop() != Some(byte) {
                        return None;
                    }
                    if open.is_empty() {
                        self.at += 1;
                        return Some(());
                    }
                    (is_start, is_behind_blank) = (false, false);
                }
                b',' => (is_start, is_behind_blank) = (true, false),
                b'\n' => {
                    self.deeper_line(column)?;
                    is_behind_blank = true;
                    continue;
                }
                b' ' | b'\t' | b'\r' => is_behind_blank = true,
                b'#' if is_behind_blank => {
                    let line = memchr::memchr(b'\n', &self.bytes[self.at..])?;
                    self.at += line;
                    continue;
                }
                b'"' | b'\'' if is_start => {
                    self.quoted(column)?;
                    // What follows a quoted key may be a `:` without a blank behind it.
                    if self.byte() == Some(b':') {
                        self.at += 1;
                    }
                    (is_start, is_behind_blank) = (self.bytes[self.at - 1] == b':', false);
                    continue;
                }
                b':' if self.ends_key_in_brackets() => (is_start, is_behind_blank) = (true, false),
                b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'?' | b'#' if is_start => {
                    return None;
                }
                _ => (is_start, is_behind_blank) = (false, false),
            }
            self.at += 1;
        }
    }

    fn ends_key_in_brackets(&self) -> bool {
        let next = self.bytes.get(self.at + 1);
        next.is_none_or(|next| b" \t\n\r,[]{}".contains(next))
    }

    /// Over a literal or folded scalar below the header that stands here: all lines deeper than this column.
    fn block_scalar(&mut self, column: usize) -> Option<()> {
        self.at += 1;
        if let Some(b'+' | b'-') = self.byte() {
            self.at += 1;
        }
        if !self.is_blank_to_end() {
            return None;
        }
        self.next_line();
        self.blank_lines();
        let indent = self.spaces();
        if indent <= column {
            return self.content();
        }
        while !self.is_done() {
            let own = self.spaces();
            if own < indent {
                match self.bytes.get(self.at + own) {
                    None | Some(b'\n' | b'\r') => {}
                    // Between the scalar and what it belongs to nothing can stand but a fault, or a comment.
                    Some(_) if own > column => return None,
                    Some(_) => break,
                }
            }
            self.next_line();
        }
        self.content()
    }
}

/// What ends a plain scalar on its line.
enum PlainEnd {
    /// The `:` of a key, at this offset.
    Colon(usize),
    Comment,
    /// The end of the line, at this offset.
    Line(usize),
}
