//! Which nodes does a text hold, and which bytes spell each of them?
//!
//! Authority: YAML 1.2.2 as read by granit-parser; the only file that names that crate.
//! Departs from it: brackets that close at a lesser indentation are accepted, as kustomize, kubectl and most
//! people's `data: {` … `}` need it; nesting is bounded, through aliases too.
//! Knows: events and their spans. Does not know: what a scalar means, how text is changed.

mod open;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};

use super::error::{DEPTH_LIMIT, ReadError};
use super::lines::{after_break, after_colon, is_own_colon, line_end, skip_blank, skip_properties};
use super::spans::block_scalar;
use super::{Content, Document, Node, Style, Syntax};
use open::{Kind, Open};

/// Reads all documents of a text by the parser alone.
///
/// # Errors
/// The first fault in the text, with its place.
pub fn read(text: &str) -> Result<Vec<Document<'_>>, ReadError> {
    let mut settings =
        options! { block_nesting_limit: DEPTH_LIMIT, flow_nesting_limit: DEPTH_LIMIT };
    settings.set_emit_comments(false);
    let mut builder = Builder::new(text);
    for next in Parser::new_from_str_with_options(text, settings) {
        let (event, span) = next.map_err(|fault| refused(&fault))?;
        builder.take(event, &span)?;
    }
    Ok(builder.documents)
}

fn refused(fault: &ScanError) -> ReadError {
    use granit_parser::ErrorKind::{RecursionLimitExceeded, UnknownAnchor};
    let (line, column) = place(fault.marker());
    match fault.kind() {
        RecursionLimitExceeded => ReadError::TooDeep {
            line,
            column,
            limit: DEPTH_LIMIT,
        },
        UnknownAnchor => ReadError::UnknownAlias { line, column },
        _ => ReadError::Syntax {
            line,
            column,
            message: fault.info().to_owned(),
        },
    }
}

fn place(mark: &Marker) -> (usize, usize) {
    (mark.line(), mark.col() + 1)
}

struct Builder<'t> {
    text: &'t str,
    documents: Vec<Document<'t>>,
    open: Vec<Open<'t>>,
    anchors: BTreeMap<usize, (Arc<Node<'t>>, usize)>,
    root: Option<Node<'t>>,
    /// Where the document begins.
    begin: usize,
    /// End of the last token that an event told of.
    cursor: usize,
    /// The document is over, but its end is where the next one begins.
    unfinished: bool,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let begin = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            begin,
            cursor: begin,
            unfinished: false,
        }
    }

    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), ReadError> {
        let range = bytes(span);
        match event {
            Event::DocumentStart(explicit, _) => self.start_document(explicit, range),
            Event::DocumentEnd => self.end_document(&range),
            Event::StreamEnd => self.close_document(self.text.len()),
            Event::Scalar(content, style, anchor, _) => {
                let tag = self.tag(span);
                let mut node = Node {
                    range: self.scalar_range(
                        style,
                        range,
                        usize::from(tag.is_some()) + usize::from(anchor > 0),
                    ),
                    content: Content::Scalar(content, spelling(style)),
                    anchored: anchor > 0,
                    tag,
                };
                if node.range.is_empty() {
                    node.content = Content::Scalar("".into(), Style::Plain);
                }
                self.cursor = self.cursor.max(node.range.end);
                self.finish(node, anchor, 0, span)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                let start = self.sequence_start(style, range.start);
                self.begin_collection(start, style, anchor, span, Kind::Sequence(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, _) => {
                let kind = Kind::Mapping(Vec::new(), None);
                self.begin_collection(range.start, style, anchor, span, kind)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end_collection(range, span)?,
            Event::Alias(anchor) => self.alias(anchor, range, span)?,
            _ => {}
        }
        Ok(())
    }

    fn start_document(&mut self, explicit: bool, range: Range<usize>) {
        if explicit {
            self.close_document(range.start);
            let end = line_end(self.text, range.end);
            let blank = self.text[range.end..end]
                .trim_matches([' ', '\t'])
                .is_empty();
            self.begin = if blank {
                after_break(self.text, end)
            } else {
                range.end
            };
            self.cursor = range.end;
        } else {
            self.cursor = self.begin;
        }
        self.anchors.clear();
        self.root = None;
    }

    fn end_document(&mut self, range: &Range<usize>) {
        self.unfinished = true;
        if !range.is_empty() {
            self.close_document(range.start);
            self.begin = after_break(self.text, line_end(self.text, range.end));
        }
    }

    fn close_document(&mut self, end: usize) {
        if !std::mem::take(&mut self.unfinished) {
            return;
        }
        let range = self.begin.min(end)..end;
        let root = self.root.take().filter(|root| {
            !root.range.is_empty() || root.tag.is_some() || root.anchored || is_block_scalar(root)
        });
        let syntax = syntax(&self.text[range.clone()], root.as_ref());
        self.documents.push(Document {
            range,
            root,
            syntax,
        });
    }

    fn begin_collection(
        &mut self,
        start: usize,
        style: StructureStyle,
        anchor: usize,
        span: &Span,
        kind: Kind<'t>,
    ) -> Result<(), ReadError> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(too_deep(span));
        }
        let flow = matches!(style, StructureStyle::Flow);
        self.cursor = self.cursor.max(bytes(span).end);
        self.open.push(Open {
            start,
            flow,
            anchor,
            tag: self.tag(span),
            kind,
            height: 0,
        });
        Ok(())
    }

    fn end_collection(&mut self, range: Range<usize>, span: &Span) -> Result<(), ReadError> {
        let done = self.open.pop().expect("granit closes only what it opened");
        let last = match &done.kind {
            Kind::Sequence(items) => items.last().map(|item| item.range.end),
            Kind::Mapping(entries, _) => entries.last().map(|(_, value)| value.range.end),
        };
        let end = match last {
            Some(last) if !done.flow || range.is_empty() => last,
            _ => range.end,
        };
        self.cursor = self.cursor.max(end);
        let content = match done.kind {
            Kind::Sequence(items) => Content::Sequence {
                items: items.into(),
                flow: done.flow,
            },
            Kind::Mapping(entries, _) => Content::Mapping {
                entries: entries.into(),
                flow: done.flow,
            },
        };
        let node = Node {
            range: done.start..end.max(done.start),
            content,
            anchored: done.anchor > 0,
            tag: done.tag,
        };
        self.finish(node, done.anchor, done.height + 1, span)
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>, span: &Span) -> Result<(), ReadError> {
        let Some((target, height)) = self.anchors.get(&anchor).cloned() else {
            let (line, column) = place(&span.start);
            return Err(ReadError::UnknownAlias { line, column });
        };
        self.cursor = range.end;
        let node = Node {
            range,
            content: Content::Alias(target),
            anchored: false,
            tag: None,
        };
        self.finish(node, 0, height + 1, span)
    }

    /// Hands a complete node to the list or map around it.
    fn finish(
        &mut self,
        node: Node<'t>,
        anchor: usize,
        height: usize,
        span: &Span,
    ) -> Result<(), ReadError> {
        if self.open.len() + height > DEPTH_LIMIT {
            return Err(too_deep(span));
        }
        if anchor > 0 {
            self.anchors
                .insert(anchor, (Arc::new(node.clone()), height));
        }
        let Some(around) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        around.height = around.height.max(height);
        if !around.is_followed_by(&node.range) {
            let (line, column) = place(&span.start);
            return Err(ReadError::Syntax {
                line,
                column,
                message: "what begins here cannot be told from what stands in front of it; \
                          write each `?` and its `:` on lines of their own"
                    .to_owned(),
            });
        }
        match &mut around.kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping(entries, key) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(node),
            },
        }
        Ok(())
    }

    fn tag(&self, span: &Span) -> Option<Box<str>> {
        let tag = span.tag_span()?;
        tag.slice(self.text).map(Into::into)
    }

    /// granit starts a list without indentation of its own at its first value; here it starts at
    /// the dash.
    fn sequence_start(&self, style: StructureStyle, start: usize) -> usize {
        match self.open.last() {
            Some(Open {
                kind: Kind::Mapping(_, Some(key)),
                ..
            }) if matches!(style, StructureStyle::Block) => {
                let at = after_colon(self.text, key.range.end).unwrap_or(key.range.end);
                skip_blank(self.text, skip_properties(self.text, at, 2))
            }
            _ => start,
        }
    }

    fn scalar_range(
        &self,
        style: ScalarStyle,
        span: Range<usize>,
        properties: usize,
    ) -> Range<usize> {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                block_scalar(self.text, self.cursor, span)
            }
            ScalarStyle::Plain if span.is_empty() => {
                let at = self.absent(span.start);
                let at = skip_properties(self.text, at, properties);
                at..at
            }
            _ => span,
        }
    }

    /// Where an absent value would stand: right behind its `:` or `-`.
    fn absent(&self, guess: usize) -> usize {
        match self.open.last() {
            Some(Open {
                kind: Kind::Mapping(_, Some(key)),
                start,
                flow,
                ..
            }) => after_colon(self.text, key.range.end)
                .filter(|at| is_own_colon(self.text, key.range.end..*at, *start, *flow))
                .unwrap_or(key.range.end),
            Some(Open {
                kind: Kind::Sequence(items),
                start,
                flow: false,
                ..
            }) => {
                let before = items.last().map_or(*start, |item| item.range.end);
                let dash = skip_blank(self.text, before);
                let is_dash = matches!(
                    self.text.as_bytes()[dash..],
                    [b'-'] | [b'-', b' ' | b'\t' | b'\n' | b'\r', ..]
                );
                dash + usize::from(is_dash)
            }
            _ => guess,
        }
    }
}

fn is_block_scalar(node: &Node<'_>) -> bool {
    matches!(
        node.content,
        Content::Scalar(_, Style::Literal | Style::Folded)
    )
}

fn too_deep(span: &Span) -> ReadError {
    let (line, column) = place(&span.start);
    ReadError::TooDeep {
        line,
        column,
        limit: DEPTH_LIMIT,
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range()
        .expect("a parser of a str knows byte offsets")
}

fn spelling(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn syntax(text: &str, root: Option<&Node<'_>>) -> Syntax {
    let brackets = root.is_some_and(|root| {
        matches!(
            root.content,
            Content::Mapping { flow: true, .. } | Content::Sequence { flow: true, .. }
        )
    });
    if brackets && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        Syntax::Json
    } else {
        Syntax::Yaml
    }
}
