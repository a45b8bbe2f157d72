//! Which objects are in a document, and may they be read?
//!
//! Authority: kubectl for lists and for items that take their kind from one (apimachinery, decodeToList).
//! Departs from them: a custom resource whose kind ends in `List` is a list only if its `items` are maps.
//! Knows: kinds, lists, keys. Does not know: other sources, what an object of a kind means.

use super::place::seen;
use super::{Form, Item, OpenError, Origin, Place, Shape, Source};
use crate::yaml::{
    self, ALIAS_LIMIT, ALIAS_LIMIT_OF_A_RUN, Document, DuplicateKey, Node, Rules, Syntax,
    ValueError,
};

/// Walks through one source and collects its objects.
pub(super) struct Finder<'a, 't, F> {
    source: &'t Source,
    position: usize,
    form: Form,
    reads: &'a F,
    pub(super) items: Vec<Item<'t>>,
    pub(super) skipped: Vec<Place>,
    /// Positions of documents that are no objects, where that is allowed.
    pub(super) no_resources: Vec<usize>,
    /// How many objects may still be found. Without aliases there are fewer than bytes, with Lists of aliases of Lists more
    /// than anyone could count.
    left: usize,
    /// How many values may still come out of aliases where a kind is looked for behind merge keys.
    aliased: usize,
    /// How far lines have been counted, and to what number: counting anew for every object would be quadratic.
    counted: (usize, usize),
}

/// What an item of a `…List` need not say itself.
#[derive(Clone, Copy)]
struct Inherited<'n> {
    api_version: &'n str,
    kind: &'n str,
}

impl<'a, 't, F: Fn(&str, &str, &str) -> bool> Finder<'a, 't, F> {
    pub(super) fn new(source: &'t Source, position: usize, form: Form, reads: &'a F) -> Self {
        Self {
            source,
            position,
            form,
            reads,
            items: Vec::new(),
            skipped: Vec::new(),
            no_resources: Vec::new(),
            left: source.text.len() + ALIAS_LIMIT,
            aliased: ALIAS_LIMIT_OF_A_RUN,
            counted: (0, 1),
        }
    }

    pub(super) fn documents(&mut self, documents: &[Document<'t>]) -> Result<(), OpenError> {
        for (number, document) in documents.iter().enumerate() {
            let Some(root) = &document.root else {
                continue;
            };
            match (self.source.origin, self.form) {
                (Origin::Folder | Origin::Kustomization, _)
                    if kind_of(root, &mut self.aliased).is_none() =>
                {
                    self.no_resources.push(number);
                    if self.source.origin == Origin::Folder && Shape::of(root) != Shape::Null {
                        let place = self.place(root);
                        self.skipped.push(place);
                    }
                }
                (_, Form::ResourceList) => self.list(root, document.syntax, None)?,
                _ => self.object(root, document.syntax, None)?,
            }
        }
        Ok(())
    }

    /// The object or, of a list of objects, its items.
    fn object(
        &mut self,
        node: &Node<'t>,
        syntax: Syntax,
        inherited: Option<Inherited<'_>>,
    ) -> Result<(), OpenError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| OpenError::NotAValue {
                source_name: self.source.called().to_owned(),
                field: "items",
                error: ValueError::TooManyAliases { limit: ALIAS_LIMIT },
            })?;
        match Shape::of(node) {
            Shape::Null => Ok(()),
            Shape::Map if self.form != Form::ResourceList && is_list(node) => {
                let inherited = Inherited {
                    api_version: text_at(node, "apiVersion"),
                    kind: text_at(node, "kind")
                        .strip_suffix("List")
                        .unwrap_or_default(),
                };
                self.list(
                    node,
                    syntax,
                    Some(inherited).filter(|list| !list.kind.is_empty()),
                )
            }
            Shape::Map => {
                let item = self.item(node, syntax, inherited)?;
                self.check_item(&item)?;
                self.items.push(item);
                Ok(())
            }
            found => Err(OpenError::NotAnObject {
                place: self.place(node),
                found,
            }),
        }
    }

    fn list(
        &mut self,
        root: &Node<'t>,
        syntax: Syntax,
        inherited: Option<Inherited<'_>>,
    ) -> Result<(), OpenError> {
        check_keys(
            self.source,
            self.form,
            root,
            self.items.len(),
            &["items", "kind", "apiVersion"],
        )?;
        let Some(items) = root.get("items") else {
            return Ok(());
        };
        match Shape::of(items) {
            Shape::Null => Ok(()),
            Shape::List => items
                .items()
                .iter()
                .try_for_each(|item| self.object(item, syntax, inherited)),
            found => Err(not_a_list(self.source, self.form, root, "items", found)),
        }
    }

    fn item(
        &mut self,
        node: &Node<'t>,
        syntax: Syntax,
        inherited: Option<Inherited<'_>>,
    ) -> Result<Item<'t>, OpenError> {
        let own_kind = kind_of(node, &mut self.aliased);
        let (kind, api_version) = match (own_kind, inherited) {
            (Some(kind), _) => (kind, text_at(node, "apiVersion").to_owned()),
            (None, Some(list)) => (list.kind.to_owned(), list.api_version.to_owned()),
            (None, None) => {
                return Err(OpenError::NoKind {
                    place: self.place(node),
                });
            }
        };
        Ok(Item {
            source: self.position,
            index: self.items.len(),
            line: self.line(node),
            node: node.clone(),
            syntax,
            api_version,
            kind,
        })
    }

    fn check_item(&mut self, item: &Item<'t>) -> Result<(), OpenError> {
        check_keys(
            self.source,
            self.form,
            &item.node,
            item.index,
            &["kind", "apiVersion", "metadata"],
        )?;
        let duplicate = if (self.reads)(&item.api_version, &item.kind, item.name()) {
            item.node.duplicate_key()
        } else {
            let below = item.node.get("metadata").and_then(Node::duplicate_key);
            below.map(|mut duplicate| {
                duplicate.pointer.push_front("metadata");
                duplicate
            })
        };
        duplicate.map_or(Ok(()), |duplicate| {
            Err(written_twice(
                self.source,
                self.form,
                &item.node,
                item.index,
                duplicate,
            ))
        })
    }

    fn place(&mut self, node: &Node<'t>) -> Place {
        let line = self.line(node);
        Place::of(self.source, self.form, line, self.items.len(), node)
    }

    fn line(&mut self, node: &Node<'t>) -> usize {
        let (offset, line) = self.counted;
        let start = node.range.start;
        if start >= offset {
            let further = yaml::line_of(&self.source.text[offset..], start - offset) - 1;
            self.counted = (start, line + further);
        }
        self.counted.1
    }
}

/// Refuses a map that has one of these keys twice.
pub(super) fn check_keys(
    source: &Source,
    form: Form,
    node: &Node<'_>,
    index: usize,
    keys: &[&str],
) -> Result<(), OpenError> {
    let twice = keys.iter().find_map(|&name| {
        let mut same = node
            .entries()
            .iter()
            .filter(|(key, _)| key.text() == Some(name));
        let (second, _) = same.nth(1)?;
        Some(DuplicateKey {
            key: name.to_owned(),
            offset: second.range.start,
            pointer: jsonptr::PointerBuf::new(),
        })
    });
    twice.map_or(Ok(()), |duplicate| {
        Err(written_twice(source, form, node, index, duplicate))
    })
}

fn written_twice(
    source: &Source,
    form: Form,
    node: &Node<'_>,
    index: usize,
    duplicate: DuplicateKey,
) -> OpenError {
    let line = yaml::line_of(&source.text, node.range.start);
    OpenError::DuplicateKey {
        place: Place::of(source, form, line, index, node),
        line: seen(source, form, yaml::line_of(&source.text, duplicate.offset)),
        pointer: match duplicate.pointer.is_root() {
            true => "/".to_owned(),
            false => duplicate.pointer.to_string(),
        },
        key: duplicate.key,
    }
}

pub(super) fn not_a_list(
    source: &Source,
    form: Form,
    root: &Node<'_>,
    field: &'static str,
    found: Shape,
) -> OpenError {
    let start = root
        .get(field)
        .map_or(root.range.start, |node| node.range.start);
    OpenError::NotAList {
        source_name: source.called().to_owned(),
        line: seen(source, form, yaml::line_of(&source.text, start)),
        envelope: text_at(root, "kind").to_owned(),
        field,
        found,
    }
}

/// `kind: List`, or a `…List` whose `items` are maps: a custom resource may be named so too.
pub(super) fn is_list(node: &Node<'_>) -> bool {
    let kind = text_at(node, "kind");
    let holds_objects = || {
        node.get("items")
            .is_some_and(|items| match Shape::of(items) {
                Shape::Null => true,
                Shape::List => items
                    .items()
                    .iter()
                    .all(|item| matches!(Shape::of(item), Shape::Map | Shape::Null)),
                Shape::Scalar | Shape::Map => false,
            })
    };
    kind == "List" || (kind.ends_with("List") && holds_objects())
}

/// The kind, whether an object says it itself or by a merge key.
fn kind_of(node: &Node<'_>, aliased: &mut usize) -> Option<String> {
    let own = node
        .get("kind")
        .and_then(|kind| kind.value(Rules::Kustomize).ok());
    let merged = || {
        let object = node
            .get("<<")
            .and_then(|_| node.value_within(Rules::Kustomize, aliased).ok())?;
        object.get("kind").cloned()
    };
    let kind = own.or_else(merged)?;
    kind.as_str()
        .filter(|kind| !kind.is_empty())
        .map(str::to_owned)
}

pub(super) fn text_at<'n>(node: &'n Node<'_>, key: &str) -> &'n str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}
