//! Which JSON value does a node mean to the program that will read the manifest?
//!
//! Authority: kustomize (go.yaml.in/yaml/v3 decoding, kyaml printing) and kubectl (sigs.k8s.io/yaml).
//! Departs from them: keys that are no strings are read by their text under kustomize's rules, which refuses
//! them; keys that a map has itself win over merged ones under kubectl's rules too; a repeated key counts once, the last.
//! Knows: nodes and scalar rules. Does not know: the text, edits.

use serde_json::{Map, Value};

use super::scalar::Scalar;
use super::{Content, Node, Rules, Style};

/// How many values may come out of aliases in one reading.
pub const ALIAS_LIMIT: usize = 100_000;

/// How many values may come out of aliases in all readings of a run together: of each object as many as it may have are
/// soon more than a machine can hold.
pub const ALIAS_LIMIT_OF_A_RUN: usize = 1_000_000;

/// Why a node means nothing in JSON. Offsets are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Aliases of aliases grow beyond all reason.
    #[error(
        "the aliases here stand for more than {limit} values; write the values out or refer less"
    )]
    TooManyAliases {
        /// How many values are read out of aliases.
        limit: usize,
    },
    /// `.inf` or `.nan`.
    #[error("`{text}` is a number that JSON lacks; put it in quotes if it is text")]
    NotFinite {
        /// Where it stands.
        offset: usize,
        /// As it is written.
        text: String,
    },
    /// A list, a map or (for kubectl) null as a key.
    #[error("a key is no text; put it in quotes")]
    Key {
        /// Where it stands.
        offset: usize,
    },
    /// The value of `<<` is neither a map nor a list of maps.
    #[error("a merge key needs a map or a list of maps, usually an alias")]
    Merge {
        /// Where the value of the merge key stands.
        offset: usize,
    },
    /// A scalar that is not what its tag says, as in `!!int x`.
    #[error("a value is not what its tag `{tag}` says; correct one of them")]
    Tag {
        /// Where the value stands.
        offset: usize,
        /// The tag as written.
        tag: String,
    },
}

impl ValueError {
    /// Where it stands in the text, in bytes, if it stands in one place.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Self::TooManyAliases { .. } => None,
            Self::NotFinite { offset, .. }
            | Self::Key { offset }
            | Self::Merge { offset }
            | Self::Tag { offset, .. } => Some(*offset),
        }
    }
}

impl Node<'_> {
    /// The value in JSON, with merge keys applied and aliases followed.
    ///
    /// # Errors
    /// What JSON cannot say, and aliases beyond [`ALIAS_LIMIT`].
    pub fn value(&self, rules: Rules) -> Result<Value, ValueError> {
        let mut allowed = ALIAS_LIMIT;
        self.value_within(rules, &mut allowed)
    }

    /// The same, with so many values out of aliases for this and other nodes; what is taken is taken off.
    ///
    /// # Errors
    /// As [`Node::value`].
    pub fn value_within(&self, rules: Rules, allowed: &mut usize) -> Result<Value, ValueError> {
        let budget = (*allowed).min(ALIAS_LIMIT);
        let limit = match budget {
            ALIAS_LIMIT => ALIAS_LIMIT,
            _ => ALIAS_LIMIT_OF_A_RUN,
        };
        let mut reader = Reader {
            rules,
            budget,
            limit,
        };
        let value = reader.node(self, false);
        *allowed -= budget - reader.budget;
        value
    }

    /// Whether kustomize and kubectl surely read the same value here: `false` does not say that they do not.
    pub fn is_read_alike(&self) -> bool {
        match &self.content {
            _ if self.tag.is_some() => false,
            Content::Scalar(text, Style::Plain) => {
                super::scalar::is_surely_text(text)
                    || match (Rules::Kustomize.plain(text), Rules::Kubectl.plain(text)) {
                        (Scalar::Json(ours), Scalar::Json(theirs)) => ours == theirs,
                        _ => false,
                    }
            }
            Content::Scalar(..) => true,
            Content::Sequence { items, .. } => items.iter().all(Self::is_read_alike),
            // A key alone between brackets is one of the things that they differ about.
            Content::Mapping {
                entries,
                flow: true,
            } if entries.iter().any(|(_, value)| value.range.is_empty()) => false,
            Content::Mapping { entries, .. } => entries.iter().all(|(key, value)| {
                let is_text = match &key.content {
                    Content::Scalar(text, Style::Plain) => {
                        super::scalar::is_surely_text(text) && !key.is_merge_key()
                    }
                    Content::Scalar(..) => true,
                    _ => false,
                };
                is_text && key.tag.is_none() && value.is_read_alike()
            }),
            Content::Alias(_) => false,
        }
    }

    /// Whether this key of a map is `<<`, which takes in the keys of other maps.
    pub(super) fn is_merge_key(&self) -> bool {
        match (&self.content, self.tag.as_deref()) {
            (Content::Scalar(_, _), Some(tag)) => {
                matches!(tag, "!!merge" | "!<tag:yaml.org,2002:merge>")
            }
            (Content::Scalar(text, Style::Plain), None) => text == "<<",
            _ => false,
        }
    }
}

struct Reader {
    rules: Rules,
    budget: usize,
    /// What the budget was a part of.
    limit: usize,
}

impl Reader {
    /// `aliased`: the node is read on behalf of an alias.
    fn node(&mut self, node: &Node<'_>, aliased: bool) -> Result<Value, ValueError> {
        if aliased {
            self.budget = self
                .budget
                .checked_sub(1)
                .ok_or(ValueError::TooManyAliases { limit: self.limit })?;
        }
        match &node.content {
            Content::Scalar(text, style) => self.scalar(node, text, *style),
            Content::Sequence { items, .. } => items
                .iter()
                .map(|item| self.node(item, aliased))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Content::Mapping { entries, flow } => {
                self.map(entries, *flow, aliased).map(Value::Object)
            }
            Content::Alias(target) => self.node(target, true),
        }
    }

    fn scalar(&self, node: &Node<'_>, text: &str, style: Style) -> Result<Value, ValueError> {
        let read = match (&node.tag, style) {
            (Some(tag), _) => self.rules.tagged(text, tag, style != Style::Plain),
            (None, Style::Plain) => self.rules.plain(text),
            (None, _) => Scalar::Json(Value::String(text.to_owned())),
        };
        match read {
            Scalar::Json(value) => Ok(value),
            Scalar::NotFinite => Err(ValueError::NotFinite {
                offset: node.range.start,
                text: text.to_owned(),
            }),
            Scalar::Misfit => Err(ValueError::Tag {
                offset: node.range.start,
                tag: node.tag.as_deref().unwrap_or_default().to_owned(),
            }),
        }
    }

    fn map(
        &mut self,
        entries: &[(Node<'_>, Node<'_>)],
        flow: bool,
        aliased: bool,
    ) -> Result<Map<String, Value>, ValueError> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        for (key, value) in entries {
            if key.is_merge_key() {
                merged.push(value);
            } else {
                let text = self.key(key)?;
                // kyaml prints an absent value inside braces as ''.
                let value = if flow && self.rules == Rules::Kustomize && value.is_absent() {
                    Value::String(String::new())
                } else {
                    self.node(value, aliased)?
                };
                map.insert(text, value);
            }
        }
        for source in merged {
            self.merge(&mut map, source, aliased)?;
        }
        Ok(map)
    }

    fn merge(
        &mut self,
        map: &mut Map<String, Value>,
        source: &Node<'_>,
        aliased: bool,
    ) -> Result<(), ValueError> {
        let aliased = aliased || matches!(source.content, Content::Alias(_));
        let target = source.resolved();
        match &target.content {
            Content::Mapping { .. } => self.merge_map(map, target, aliased),
            Content::Sequence { items, .. } => items.iter().try_for_each(|item| {
                let aliased = aliased || matches!(item.content, Content::Alias(_));
                match &item.resolved().content {
                    Content::Mapping { .. } => self.merge_map(map, item.resolved(), aliased),
                    _ => Err(ValueError::Merge {
                        offset: item.range.start,
                    }),
                }
            }),
            _ => Err(ValueError::Merge {
                offset: source.range.start,
            }),
        }
    }

    fn merge_map(
        &mut self,
        map: &mut Map<String, Value>,
        source: &Node<'_>,
        aliased: bool,
    ) -> Result<(), ValueError> {
        let Value::Object(keys) = self.node(source, aliased)? else {
            return Ok(());
        };
        for (key, value) in keys {
            map.entry(key).or_insert(value);
        }
        Ok(())
    }

    fn key(&self, key: &Node<'_>) -> Result<String, ValueError> {
        let refused = || ValueError::Key {
            offset: key.range.start,
        };
        let target = key.resolved();
        let Content::Scalar(text, style) = &target.content else {
            return Err(refused());
        };
        if self.rules == Rules::Kustomize {
            return Ok(text.to_string());
        }
        match self.scalar(target, text, *style)? {
            Value::String(text) => Ok(text),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Number(value) => Ok(value.to_string()),
            _ => Err(refused()),
        }
    }
}

impl Node<'_> {
    /// Whether nothing is written where the value would stand.
    pub(super) fn is_absent(&self) -> bool {
        self.range.is_empty()
            && self.tag.is_none()
            && matches!(self.content, Content::Scalar(_, Style::Plain))
    }
}
