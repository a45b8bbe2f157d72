//! Which Services or pods were picked out of all?
//!
//! Authority: none; who looks for everything need not write down what that is, however many do.
//! Departs from nothing.
//! Knows: lists of the inventory. Does not know: by what they were picked.

/// Elements of a list, in its order.
#[derive(Debug, Clone)]
pub(super) enum Picked<'i, T> {
    /// Every one.
    All(&'i [T]),
    /// These.
    Some(Vec<&'i T>),
}

impl<T> Default for Picked<'_, T> {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl<'i, T> Picked<'i, T> {
    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'i T> + '_ {
        let (all, some) = match self {
            Self::All(all) => (*all, &[][..]),
            Self::Some(some) => (&[][..], some.as_slice()),
        };
        all.iter().chain(some.iter().copied())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::All(all) => all.is_empty(),
            Self::Some(some) => some.is_empty(),
        }
    }

    /// These and others; each as often as it was picked.
    pub(super) fn and(self, others: Self) -> Self {
        match (self, others) {
            (some, others) if others.is_empty() => some,
            (some, others) if some.is_empty() => others,
            (some, others) => Self::Some(some.iter().chain(others.iter()).collect()),
        }
    }
}
