//! How is a JSON value written as text?
//!
//! Authority: YAML 1.2.2; what goyaml (kustomize, kubectl) reads back unchanged.
//! Departs from it: nothing is written that YAML 1.1 would read differently, or that kyaml cannot read.
//! Knows: values, columns, the style asked for. Does not know: the text around.

mod flow;
mod literal;
mod quote;

pub(super) use flow::FlowStyle;
pub(super) use quote::{flow_scalar, scalar};

use serde_json::Value;

/// A value as block-style YAML that ends in a line break; keys keep their order, lists are compact.
pub fn block(value: &Value) -> String {
    let style = BlockStyle::default();
    let lines = match is_nested(value) {
        true => style.lines(value, 0),
        false => vec![scalar(value, None)],
    };
    lines.join("\n") + "\n"
}

/// The same, with every string on one line: the end of such a text can be trimmed.
pub fn block_of_quotes(value: &Value) -> String {
    let style = BlockStyle {
        literal: false,
        ..BlockStyle::default()
    };
    style.lines(value, 0).join("\n") + "\n"
}

/// How new lines are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockStyle {
    /// Columns per level.
    pub(super) step: usize,
    /// Dashes stand in the column of their key.
    pub(super) compact: bool,
    /// Strings of several lines may be written as `|`.
    pub(super) literal: bool,
    /// And as `|+`.
    pub(super) keep: bool,
}

impl Default for BlockStyle {
    fn default() -> Self {
        Self {
            step: 2,
            compact: true,
            literal: true,
            keep: true,
        }
    }
}

/// A value cut into what stands on the line of its key or dash and the lines that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Goes behind the `:` or `-`; empty if everything follows on lines of its own.
    pub(super) head: String,
    /// Lines, indented, without their breaks.
    pub(super) tail: Vec<String>,
}

/// Spaces up to a column. Not by a width in `format!`, which ends at 65 535 and panics behind.
fn indent(column: usize) -> String {
    " ".repeat(column)
}

impl BlockStyle {
    /// `key: value` for a map whose keys stand in `column`.
    pub(super) fn entry(self, key: &str, value: &Value, column: usize) -> Vec<String> {
        self.value_of(quote::key(key), value, column)
    }

    /// The same with a key that is text already.
    pub(super) fn value_of(self, key: String, value: &Value, column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        self.add_entry(&mut lines, &key, value, column);
        lines
    }

    /// `- value` for a list whose dashes stand in `column`.
    pub(super) fn element(self, value: &Value, column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        self.add_element(&mut lines, value, column);
        lines
    }

    /// The lines of a list or map that has something in it.
    pub(super) fn lines(self, value: &Value, column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        self.add(&mut lines, value, column);
        lines
    }

    fn add(self, lines: &mut Vec<String>, value: &Value, column: usize) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.add_entry(lines, &quote::key(key), value, column);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.add_element(lines, item, column);
                }
            }
            _ => lines.push(indent(column) + &scalar(value, None)),
        }
    }

    fn add_entry(self, lines: &mut Vec<String>, key: &str, value: &Value, column: usize) {
        let mut line = indent(column) + key + ":";
        if is_nested(value) {
            lines.push(line);
            self.add(lines, value, self.column_below(value, column));
            return;
        }
        let Written { head, tail } = self.leaf(value, column, column + self.step);
        if !head.is_empty() {
            line.push(' ');
        }
        lines.push(line + &head);
        lines.extend(tail);
    }

    fn add_element(self, lines: &mut Vec<String>, value: &Value, column: usize) {
        let first = lines.len();
        if is_nested(value) {
            self.add(lines, value, column + 2);
            // In place of two of the blanks that its first line begins with.
            lines[first].replace_range(column..column + 2, "- ");
            return;
        }
        let Written { head, tail } = self.leaf(value, column, column + 2);
        lines.push(indent(column) + "- " + &head);
        lines.extend(tail);
    }

    /// Where what is below a key in `column` begins.
    fn column_below(self, value: &Value, column: usize) -> usize {
        match value.is_array() && self.compact {
            true => column,
            false => column + self.step,
        }
    }

    /// The value of a key in `column`.
    pub(super) fn under_key(self, value: &Value, column: usize) -> Written {
        match is_nested(value) {
            true => Written {
                head: String::new(),
                tail: self.lines(value, self.column_below(value, column)),
            },
            false => self.leaf(value, column, column + self.step),
        }
    }

    /// The value of a dash in `column`.
    pub(super) fn under_dash(self, value: &Value, column: usize) -> Written {
        match is_nested(value) {
            true => self.inline(value, column + 2),
            false => self.leaf(value, column, column + 2),
        }
    }

    /// A list or map whose first line begins where the cursor stands, in `column`.
    pub(super) fn inline(self, value: &Value, column: usize) -> Written {
        let mut lines = self.lines(value, column).into_iter();
        let head = lines
            .next()
            .unwrap_or_default()
            .trim_start_matches(' ')
            .to_owned();
        Written {
            head,
            tail: lines.collect(),
        }
    }

    /// A value of one line, or a literal whose text stands in column `text`.
    pub(super) fn leaf(self, value: &Value, parent: usize, text: usize) -> Written {
        match value {
            Value::String(string) if self.literal => {
                literal::literal(string, text - parent, text, self.keep)
            }
            _ => None,
        }
        .unwrap_or_else(|| Written {
            head: scalar(value, None),
            tail: Vec::new(),
        })
    }
}

/// A map or list that has something in it.
fn is_nested(value: &Value) -> bool {
    (value.is_object() || value.is_array()) && !is_empty(value)
}

/// `{}` or `[]`.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
