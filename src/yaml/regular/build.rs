//! What becomes of what is read: nodes with their places, or values?
//!
//! Authority: `Node::value` for what a scalar means.
//! Departs from it: nothing; what only a node can tell is handed back (`None`).
//! Knows: scalars, lists, maps as they are found. Does not know: the text around them.

use std::borrow::Cow;
use std::ops::Range;
use std::vec::Drain;

use serde_json::Value;

use crate::yaml::scalar::{Scalar, is_surely_text};
use crate::yaml::{Content, Json, Node, Rules, Style};

/// Takes what a reader finds, innermost first.
pub(super) trait Build<'t> {
    /// What it makes of it.
    type Value;

    /// A key without quotes.
    fn plain_key(&mut self, range: Range<usize>, text: &'t str) -> Option<Self::Value>;

    /// A value without quotes.
    fn plain(&mut self, range: Range<usize>, text: &'t str) -> Option<Self::Value>;

    /// A key or value in quotes.
    fn text(&mut self, range: Range<usize>, text: Cow<'t, str>, style: Style) -> Self::Value;

    /// A value below a `|`.
    fn literal(&mut self, range: Range<usize>, content: impl FnOnce() -> String) -> Self::Value {
        self.text(range, content().into(), Style::Literal)
    }

    /// Told before a list or map under this key is read.
    fn enter(&mut self, _key: &Self::Value) {}

    /// Told behind it; what becomes of it.
    fn leave(&mut self, _key: &Self::Value, value: Self::Value) -> Self::Value {
        value
    }

    fn list(
        &mut self,
        range: Range<usize>,
        items: Drain<'_, Self::Value>,
        flow: bool,
    ) -> Self::Value;

    fn map(
        &mut self,
        range: Range<usize>,
        entries: Drain<'_, (Self::Value, Self::Value)>,
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

    fn list(&mut self, range: Range<usize>, items: Drain<'_, Node<'t>>, flow: bool) -> Node<'t> {
        let items = items.collect();
        node(range, Content::Sequence { items, flow })
    }

    fn map(
        &mut self,
        range: Range<usize>,
        entries: Drain<'_, (Node<'t>, Node<'t>)>,
        flow: bool,
    ) -> Option<Node<'t>> {
        let entries = entries.collect();
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
pub struct Read<'t> {
    /// By the rules that were asked for.
    pub value: Json<'t>,
    /// Whether kustomize and kubectl surely read the same; `false` does not say that they do not.
    pub is_alike: bool,
}

/// Makes values by the rules of one reader.
pub(super) struct Values<'k> {
    rules: Rules,
    is_alike: bool,
    /// Keys under which lists and maps are passed over: `null` stands for them.
    passed_over: &'k [&'k str],
    /// How many of those it is inside of.
    inside: usize,
}

impl<'k> Values<'k> {
    pub(super) fn new(rules: Rules, passed_over: &'k [&'k str]) -> Self {
        Self {
            rules,
            is_alike: true,
            passed_over,
            inside: 0,
        }
    }

    pub(super) fn read(self, value: Json<'_>) -> Read<'_> {
        Read {
            value,
            is_alike: self.is_alike,
        }
    }

    fn passes_over(&self, key: &Json<'_>) -> bool {
        let key = key.as_str();
        key.is_some_and(|key| self.passed_over.contains(&key))
    }
}

impl<'t> Build<'t> for Values<'_> {
    type Value = Json<'t>;

    fn plain_key(&mut self, _: Range<usize>, text: &'t str) -> Option<Json<'t>> {
        is_surely_text(text).then_some(Json::Text(Cow::Borrowed(text)))
    }

    fn plain(&mut self, _: Range<usize>, text: &'t str) -> Option<Json<'t>> {
        if self.inside > 0 {
            return Some(Json::Null);
        }
        if is_surely_text(text) {
            return Some(Json::Text(Cow::Borrowed(text)));
        }
        let other = match self.rules {
            Rules::Kustomize => Rules::Kubectl,
            Rules::Kubectl => Rules::Kustomize,
        };
        let Scalar::Json(value) = self.rules.plain(text) else {
            return None;
        };
        self.is_alike &= matches!(other.plain(text), Scalar::Json(other) if other == value);
        Some(match value {
            // A time that kustomize prints in another way; a text as it stands is left there.
            Value::String(other) if other != text => Json::Text(other.into()),
            Value::String(_) => Json::Text(text.into()),
            Value::Number(number) => Json::Number(number),
            Value::Bool(value) => Json::Bool(value),
            _ => Json::Null,
        })
    }

    fn text(&mut self, _: Range<usize>, text: Cow<'t, str>, _: Style) -> Json<'t> {
        Json::Text(text)
    }

    fn literal(&mut self, _: Range<usize>, content: impl FnOnce() -> String) -> Json<'t> {
        match self.inside {
            0 => Json::Text(content().into()),
            _ => Json::Null,
        }
    }

    fn enter(&mut self, key: &Json<'t>) {
        self.inside += usize::from(self.passes_over(key));
    }

    fn leave(&mut self, key: &Json<'t>, value: Json<'t>) -> Json<'t> {
        match self.passes_over(key) {
            true => {
                self.inside -= 1;
                Json::Null
            }
            false => value,
        }
    }

    fn list(&mut self, _: Range<usize>, items: Drain<'_, Json<'t>>, _: bool) -> Json<'t> {
        match self.inside {
            0 => Json::List(items.collect()),
            _ => Json::Null,
        }
    }

    fn map(
        &mut self,
        _: Range<usize>,
        entries: Drain<'_, (Json<'t>, Json<'t>)>,
        _: bool,
    ) -> Option<Json<'t>> {
        let keys = entries.as_slice().iter().map(|(key, _)| key.as_str());
        if !is_each_key_once(keys) {
            return None;
        }
        if self.inside > 0 {
            return Some(Json::Null);
        }
        let mut map = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Json::Text(key) = key else { return None };
            map.push((key, value));
        }
        Some(Json::Map(map))
    }
}

/// Finds a text in a map, in which and below which no key is written twice.
pub(super) struct TextUnder<'k, 't> {
    key: &'k str,
    /// What stands under the key in the map or list that was read last, which in the end is the outermost.
    found: Option<Found<'t>>,
}

/// What of a value may be asked for.
pub(super) enum Found<'t> {
    Text(Cow<'t, str>),
    /// A text that nobody puts together.
    Literal,
    /// A list or map.
    Other,
}

impl<'k, 't> TextUnder<'k, 't> {
    pub(super) fn new(key: &'k str) -> Self {
        Self { key, found: None }
    }

    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        match self.found? {
            Found::Text(text) => Some(text),
            Found::Literal | Found::Other => None,
        }
    }
}

impl<'t> Build<'t> for TextUnder<'_, 't> {
    type Value = Found<'t>;

    fn plain_key(&mut self, _: Range<usize>, text: &'t str) -> Option<Found<'t>> {
        is_surely_text(text).then_some(Found::Text(Cow::Borrowed(text)))
    }

    fn plain(&mut self, _: Range<usize>, text: &'t str) -> Option<Found<'t>> {
        Some(Found::Text(Cow::Borrowed(text)))
    }

    fn text(&mut self, _: Range<usize>, text: Cow<'t, str>, _: Style) -> Found<'t> {
        Found::Text(text)
    }

    fn literal(&mut self, _: Range<usize>, _: impl FnOnce() -> String) -> Found<'t> {
        Found::Literal
    }

    fn list(&mut self, _: Range<usize>, _: Drain<'_, Found<'t>>, _: bool) -> Found<'t> {
        self.found = None;
        Found::Other
    }

    fn map(
        &mut self,
        _: Range<usize>,
        mut entries: Drain<'_, (Found<'t>, Found<'t>)>,
        _: bool,
    ) -> Option<Found<'t>> {
        let keys = entries.as_slice().iter().map(|(key, _)| match key {
            Found::Text(key) => Some(&**key),
            Found::Literal | Found::Other => None,
        });
        if !is_each_key_once(keys) {
            return None;
        }
        let is_asked = |key: &Found<'_>| matches!(key, Found::Text(key) if key == self.key);
        let found = entries.find(|(key, _)| is_asked(key));
        self.found = match found {
            Some((_, Found::Literal)) => return None,
            found => found.map(|(_, value)| value),
        };
        Some(Found::Other)
    }
}

/// Below so many keys comparing each with each is quicker than sorting them.
const A_FEW: usize = 12;

/// Whether these are all texts, and no two the same.
fn is_each_key_once<'k>(keys: impl ExactSizeIterator<Item = Option<&'k str>> + Clone) -> bool {
    if keys.len() <= A_FEW {
        let mut before = keys.clone().enumerate();
        return before.all(|(position, key)| {
            key.is_some() && keys.clone().take(position).all(|other| other != key)
        });
    }
    let Some(mut keys) = keys.collect::<Option<Vec<&str>>>() else {
        return false;
    };
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1])
}
