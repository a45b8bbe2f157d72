//! Which objects are in a document, and may they be read?
//!
//! Authority: kubectl for lists and for items that take their kind from one (apimachinery, decodeToList).
//! Departs from them: a custom resource whose kind ends in `List` is a list only if its `items` are maps.
//! Knows: kinds, lists, keys. Does not know: other sources, what an object of a kind means.

mod head;

use std::borrow::Cow;

use head::{Head, heads, kind_of};

use super::place::{Spot, seen};
use super::{Form, Item, OpenError, Origin, Place, Shape, Source};
use crate::yaml::{
    self, ALIAS_LIMIT, ALIAS_LIMIT_OF_A_RUN, DuplicateKey, Lazy, LazyDocument, Node, Syntax,
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

    pub(super) fn documents(&mut self, documents: &[LazyDocument<'t>]) -> Result<(), OpenError> {
        let heads = heads(documents, |document| document.root.as_ref());
        self.items.reserve(documents.len());
        for (number, (document, head)) in documents.iter().zip(heads).enumerate() {
            let Some(root) = &document.root else {
                continue;
            };
            if let Some(head) = head
                && self.form != Form::ResourceList
            {
                self.take(root, document.syntax, head);
                continue;
            }
            match (self.source.origin, self.form) {
                (Origin::Folder | Origin::Kustomization, _)
                    if kind_of(self.source, root, &mut self.aliased)?.is_none() =>
                {
                    self.no_resources.push(number);
                    if self.source.origin == Origin::Folder && Shape::of_lazy(root) != Shape::Null {
                        let place = self.place(root)?;
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
        value: &Lazy<'t>,
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
        match Shape::of_lazy(value) {
            Shape::Null => Ok(()),
            Shape::Map if self.form != Form::ResourceList && is_list(self.source, value)? => {
                let api_version = text_at(self.source, value, "apiVersion")?;
                let kind = text_at(self.source, value, "kind")?;
                let inherited = Inherited {
                    api_version: &api_version,
                    kind: kind.strip_suffix("List").unwrap_or_default(),
                };
                self.list(
                    value,
                    syntax,
                    Some(inherited).filter(|list| !list.kind.is_empty()),
                )
            }
            Shape::Map => {
                let item = self.item(value, syntax, inherited)?;
                self.items.push(item);
                Ok(())
            }
            found => Err(OpenError::NotAnObject {
                place: self.place(value)?,
                found,
            }),
        }
    }

    /// An object that is like nearly all are.
    fn take(&mut self, value: &Lazy<'t>, syntax: Syntax, head: Head<'t>) {
        let line = self.line(value);
        self.items.push(Item {
            source: self.position,
            index: self.items.len(),
            line,
            name: head.name,
            value: value.clone(),
            syntax,
            api_version: head.api_version,
            kind: head.kind,
        });
    }

    fn list(
        &mut self,
        root: &Lazy<'t>,
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
        if let Lazy::Outlined(outline) = root
            && let Some(items) = outline.list("items")
        {
            let heads = heads(items, Some);
            self.items.reserve(items.len());
            return items.iter().zip(heads).try_for_each(|(item, head)| {
                match head {
                    Some(head) => self.take(item, syntax, head),
                    None => self.object(item, syntax, inherited)?,
                }
                Ok(())
            });
        }
        let Some(items) = got(self.source, root, "items")? else {
            return Ok(());
        };
        match Shape::of(&items) {
            Shape::Null => Ok(()),
            Shape::List => items
                .items()
                .iter()
                .try_for_each(|item| self.object(&Lazy::Read(item.clone()), syntax, inherited)),
            found => Err(not_a_list(self.source, self.form, root, "items", found)),
        }
    }

    fn item(
        &mut self,
        value: &Lazy<'t>,
        syntax: Syntax,
        inherited: Option<Inherited<'_>>,
    ) -> Result<Item<'t>, OpenError> {
        let own_kind = kind_of(self.source, value, &mut self.aliased)?;
        let (kind, api_version) = match (own_kind, inherited) {
            (Some(kind), _) => (kind, text_at(self.source, value, "apiVersion")?),
            (None, Some(list)) => (list.kind.to_owned(), list.api_version.to_owned()),
            (None, None) => {
                return Err(OpenError::NoKind {
                    place: self.place(value)?,
                });
            }
        };
        let metadata = got(self.source, value, "metadata")?;
        let name = metadata
            .as_deref()
            .and_then(|metadata| metadata.get("name"));
        let item = Item {
            source: self.position,
            index: self.items.len(),
            line: self.line(value),
            name: name
                .and_then(Node::text)
                .unwrap_or_default()
                .to_owned()
                .into(),
            value: value.clone(),
            syntax,
            api_version: api_version.into(),
            kind: kind.into(),
        };
        self.check_item(&item, metadata.as_deref())?;
        Ok(item)
    }

    /// Refuses keys written twice in `kind`, `apiVersion`, `metadata`, and of an object that is read already in all of it.
    fn check_item(&self, item: &Item<'t>, metadata: Option<&Node<'t>>) -> Result<(), OpenError> {
        check_keys(
            self.source,
            self.form,
            &item.value,
            item.index,
            &["kind", "apiVersion", "metadata"],
        )?;
        match &item.value {
            Lazy::Read(node) if (self.reads)(&item.api_version, &item.kind, &item.name) => {
                no_key_twice(self.source, self.form, item, node)
            }
            Lazy::Read(_) | Lazy::Outlined(_) => {
                let below = metadata.and_then(Node::duplicate_key);
                below.map_or(Ok(()), |mut duplicate| {
                    duplicate.pointer.push_front("metadata");
                    let (value, index) = (&item.value, item.index);
                    Err(written_twice(
                        self.source,
                        self.form,
                        value,
                        index,
                        duplicate,
                    ))
                })
            }
        }
    }

    fn place(&mut self, value: &Lazy<'t>) -> Result<Place, OpenError> {
        let line = self.line(value);
        let metadata = got(self.source, value, "metadata")?;
        let spot = Spot::new(value.start(), metadata.as_deref());
        Ok(Place::of(
            self.source,
            self.form,
            line,
            self.items.len(),
            spot,
        ))
    }

    fn line(&mut self, value: &Lazy<'t>) -> usize {
        if let Lazy::Outlined(outline) = value {
            return outline.line();
        }
        let (offset, line) = self.counted;
        let start = value.start();
        if start >= offset {
            let further = yaml::line_of(&self.source.text[offset..], start - offset) - 1;
            self.counted = (start, line + further);
        }
        self.counted.1
    }
}

/// Refuses an object in which any key is written twice.
pub(super) fn no_key_twice(
    source: &Source,
    form: Form,
    item: &Item<'_>,
    node: &Node<'_>,
) -> Result<(), OpenError> {
    node.duplicate_key().map_or(Ok(()), |duplicate| {
        let (value, index) = (&item.value, item.index);
        Err(written_twice(source, form, value, index, duplicate))
    })
}

/// Refuses a map that has one of these keys twice.
pub(super) fn check_keys(
    source: &Source,
    form: Form,
    value: &Lazy<'_>,
    index: usize,
    keys: &[&str],
) -> Result<(), OpenError> {
    let written = value.keys();
    let twice = keys.iter().find_map(|&name| {
        let mut same = written.iter().filter(|(key, _)| key == name);
        let (_, second) = same.nth(1)?;
        Some(DuplicateKey {
            key: name.to_owned(),
            offset: *second,
            pointer: jsonptr::PointerBuf::new(),
        })
    });
    twice.map_or(Ok(()), |duplicate| {
        Err(written_twice(source, form, value, index, duplicate))
    })
}

fn written_twice(
    source: &Source,
    form: Form,
    value: &Lazy<'_>,
    index: usize,
    duplicate: DuplicateKey,
) -> OpenError {
    let line = yaml::line_of(&source.text, value.start());
    let metadata = value.get("metadata").ok().flatten();
    let spot = Spot::new(value.start(), metadata.as_deref());
    OpenError::DuplicateKey {
        place: Place::of(source, form, line, index, spot),
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
    root: &Lazy<'_>,
    field: &'static str,
    found: Shape,
) -> OpenError {
    let written = root.get(field).ok().flatten();
    let start = written.map_or(root.start(), |node| node.range.start);
    OpenError::NotAList {
        source_name: source.called().to_owned(),
        line: seen(source, form, yaml::line_of(&source.text, start)),
        envelope: text_at(source, root, "kind").unwrap_or_default(),
        field,
        found,
    }
}

/// `kind: List`, or a `…List` whose `items` are maps: a custom resource may be named so too.
pub(super) fn is_list(source: &Source, value: &Lazy<'_>) -> Result<bool, OpenError> {
    let kind = text_at(source, value, "kind")?;
    if kind == "List" || !kind.ends_with("List") {
        return Ok(kind == "List");
    }
    let is_object = |shape: Shape| matches!(shape, Shape::Map | Shape::Null);
    if let Lazy::Outlined(outline) = value
        && let Some(items) = outline.list("items")
    {
        return Ok(items.iter().all(|item| is_object(Shape::of_lazy(item))));
    }
    let items = got(source, value, "items")?;
    Ok(items.is_some_and(|items| match Shape::of(&items) {
        Shape::Null => true,
        Shape::List => items.items().iter().all(|item| is_object(Shape::of(item))),
        Shape::Scalar | Shape::Map => false,
    }))
}

/// The text under a key; nothing where there is none.
pub(super) fn text_at(source: &Source, value: &Lazy<'_>, key: &str) -> Result<String, OpenError> {
    let found = got(source, value, key)?;
    let text = found.as_deref().and_then(Node::text);
    Ok(text.unwrap_or_default().to_owned())
}

/// The value under a key.
pub(super) fn got<'v, 't>(
    source: &Source,
    value: &'v Lazy<'t>,
    key: &str,
) -> Result<Option<Cow<'v, Node<'t>>>, OpenError> {
    value.get(key).map_err(|error| OpenError::NotYaml {
        source_name: source.called().to_owned(),
        error,
    })
}
