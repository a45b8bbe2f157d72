//! What becomes of what is read: nodes with their places, or values?
//!
//! Authority: `Node::value` for what a scalar means.
//! Departs from it: nothing; what only a node can tell is handed back (`None`).
//! Knows: scalars, lists, maps as they are found. Does not know: the text around them.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::yaml::scalar::{Scalar, is_surely_text};
use crate::yaml::{Content, Node, Rules, Style};

/// Takes what a reader finds, innermost first.
pub(super) trait Build<'t> {
    /// What it makes of it.
    type Value;

    /// A key without quotes.
    fn plain_key(&mut self, range: Range<usize>, text: &'t str) -> Option<Self::Value>;

    /// A value without quotes.
    fn plain(&mut self, range: Range<usize>, text: &'t str) -> Option<Self::Value>;

    /// A key or value in quotes, or below a `|`.
    fn text(&mut self, range: Range<usize>, text: Cow<'t, str>, style: Style) -> Self::Value;

    fn list(&mut self, range: Range<usize>, items: Vec<Self::Value>, flow: bool) -> Self::Value;

    fn map(
        &mut self,
        range: Range<usize>,
        entries: Vec<(Self::Value, Self::Value)>,
        flow: bool,
    ) -> Option<Self::Value>;
}

/// Makes nodes.
pub(super) struct Nodes;

impl<'t> Build<'t> for Nodes {
    type Value = Node<'t>;

    fn plain_key(&mut self, range: Range<usize>, text: &'t str) -> Option<Node<'t>> {
        self.plain(range, text)
    }

    fn plain(&mut self, range: Range<usize>, text: &'t str) -> Option<Node<'t>> {
        Some(self.text(range, Cow::Borrowed(text), Style::Plain))
    }

    fn text(&mut self, range: Range<usize>, text: Cow<'t, str>, style: Style) -> Node<'t> {
        node(range, Content::Scalar(text, style))
    }

    fn list(&mut self, range: Range<usize>, items: Vec<Node<'t>>, flow: bool) -> Node<'t> {
        let items = items.into();
        node(range, Content::Sequence { items, flow })
    }

    fn map(
        &mut self,
        range: Range<usize>,
        entries: Vec<(Node<'t>, Node<'t>)>,
        flow: bool,
    ) -> Option<Node<'t>> {
        let entries = entries.into();
        Some(node(range, Content::Mapping { entries, flow }))
    }
}

/// A node without anchor and tag.
pub(in crate::yaml) fn node(range: Range<usize>, content: Content<'_>) -> Node<'_> {
    Node {
        range,
        content,
        anchored: false,
        tag: None,
    }
}

/// What a map means.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// By the rules that were asked for.
    pub value: Value,
    /// Whether kustomize and kubectl surely read the same; `false` does not say that they do not.
    pub is_alike: bool,
}

/// Makes values by the rules of one reader.
pub(super) struct Values {
    rules: Rules,
    is_alike: bool,
}

impl Values {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            is_alike: true,
        }
    }

    pub(super) fn read(self, value: Value) -> Read {
        Read {
            value,
            is_alike: self.is_alike,
        }
    }
}

impl<'t> Build<'t> for Values {
    type Value = Value;

    fn plain_key(&mut self, _: Range<usize>, text: &'t str) -> Option<Value> {
        is_surely_text(text).then(|| Value::String(text.to_owned()))
    }

    fn plain(&mut self, _: Range<usize>, text: &'t str) -> Option<Value> {
        if is_surely_text(text) {
            return Some(Value::String(text.to_owned()));
        }
        let other = match self.rules {
            Rules::Kustomize => Rules::Kubectl,
            Rules::Kubectl => Rules::Kustomize,
        };
        let Scalar::Json(value) = self.rules.plain(text) else {
            return None;
        };
        self.is_alike &= matches!(other.plain(text), Scalar::Json(other) if other == value);
        Some(value)
    }

    fn text(&mut self, _: Range<usize>, text: Cow<'t, str>, _: Style) -> Value {
        Value::String(text.into_owned())
    }

    fn list(&mut self, _: Range<usize>, items: Vec<Value>, _: bool) -> Value {
        Value::Array(items)
    }

    fn map(&mut self, _: Range<usize>, entries: Vec<(Value, Value)>, _: bool) -> Option<Value> {
        let mut map = Map::with_capacity(entries.len());
        for (key, value) in entries {
            let Value::String(key) = key else { return None };
            if map.insert(key, value).is_some() {
                return None;
            }
        }
        Some(Value::Object(map))
    }
}
