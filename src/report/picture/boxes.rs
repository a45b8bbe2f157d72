//! What does a box say?
//!
//! Authority: ourselves.
//! Departs from nothing.
//! Knows: names. Does not know: arrows.

use crate::model::Object;
use crate::report::markdown::shortened;
use crate::report::{Located, field_path};
use crate::rules::{Decision, JudgedTarget};

/// Characters of a name in a list.
const NAME: usize = 44;
/// Names in a box.
const NAMES: usize = 12;

/// `shop/web`; what has no namespace goes by its name.
pub(super) fn place(object: &Object) -> String {
    place_of(&object.namespace, &object.name)
}

fn place_of(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}

/// `endpoints[0]`
pub(super) fn field(decision: &Decision) -> String {
    let path = field_path(&decision.at);
    path.strip_prefix("spec.").unwrap_or(&path).to_owned()
}

/// As many as a box has room for, the others by number. One more takes no more room than its number.
pub(super) fn some(all: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let count = all.len();
    let shown = match count <= NAMES + 1 {
        true => count,
        false => NAMES,
    };
    let mut lines: Vec<String> = all.take(shown).collect();
    if count > shown {
        lines.push(format!("and {} more", count - shown));
    }
    lines
}

/// A port of a workload. What is many things without a name, as nodes are, goes by its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Port {
    kind: String,
    name: String,
    port: Option<u16>,
}

impl Port {
    /// Of a target.
    pub(super) fn of(target: &JudgedTarget) -> Self {
        let kind = match target.part {
            None => target.kind.clone(),
            Some(part) => format!("{} {part}", target.kind),
        };
        let name = place_of(&target.namespace, &target.name);
        Self {
            kind,
            name,
            port: target.port,
        }
    }

    /// As a box of its own shows it.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = match self.name.as_str() {
            "" => vec![format!("any {}", self.kind)],
            name => vec![self.kind.clone(), name.to_owned()],
        };
        lines.extend(self.port.map(|port| format!("port {port}")));
        lines
    }

    /// As a list shows it.
    pub(super) fn on_a_line(&self) -> String {
        let name = match self.name.as_str() {
            "" => format!("any {}", self.kind),
            name => shortened(name, NAME),
        };
        match self.port {
            Some(port) => format!("{name}:{port}"),
            None => name,
        }
    }
}

/// The kind of several endpoints, and where each is; the field once, where it is the same in all.
pub(super) fn names_of(same: &[&Located]) -> Vec<String> {
    let first = &same[0].decision;
    let of_first = field(first);
    let is_one = same.iter().all(|one| field(&one.decision) == of_first);
    let mut lines = vec![match is_one {
        true => format!("{} {of_first}", first.object.kind),
        false => first.object.kind.clone(),
    }];
    lines.extend(some(same.iter().map(|one| {
        let name = shortened(&place(&one.decision.object), NAME);
        match is_one {
            true => name,
            false => format!("{name} {}", field(&one.decision)),
        }
    })));
    lines
}
