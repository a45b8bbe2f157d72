//! What is written under `labels` or `annotations`?
//!
//! Authority: ObjectMeta of the Kubernetes API: a map from texts to texts.
//! Departs from nothing.
//! Knows: keys and values, in the order of the keys. Does not know: what any of them means.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Labels or annotations, in the order of their keys.
///
/// A large input has tens of thousands of these, of two or three entries each, that are looked at often and changed
/// hardly ever. So all keys and values stand in one text, which takes a fraction of the memory of a map.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Key, value, next key, next value, with nothing between them.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[usize]>,
}

impl Labels {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut places = 0..self.len();
        while !places.is_empty() {
            let middle = places.start + places.len() / 2;
            let (other, value) = self.at(middle);
            match other.cmp(key) {
                Ordering::Less => places.start = middle + 1,
                Ordering::Equal => return Some(value),
                Ordering::Greater => places.end = middle,
            }
        }
        None
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys with their values.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            labels: self,
            places: 0..self.len(),
        }
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// Adds a label in the place of one of the same key. All of them are written anew.
    pub fn insert(&mut self, key: &str, value: &str) {
        self.extend([(key, value)]);
    }

    /// Leaves labels out. All others are written anew.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        let kept = self.iter().filter(|(key, _)| is_kept(key)).collect();
        *self = kept;
    }

    /// The key and the value at a place.
    fn at(&self, place: usize) -> (&str, &str) {
        let start = match place {
            0 => 0,
            _ => self.ends[2 * place - 1],
        };
        let (middle, end) = (self.ends[2 * place], self.ends[2 * place + 1]);
        (&self.text[start..middle], &self.text[middle..end])
    }
}

/// Of labels with the same key the last counts.
impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        let mut labels: Vec<(K, V)> = labels.into_iter().collect();
        labels.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        let lengths = labels
            .iter()
            .map(|(key, value)| key.as_ref().len() + value.as_ref().len());
        let mut text = String::with_capacity(lengths.sum());
        let mut ends = Vec::with_capacity(2 * labels.len());
        for same_key in labels.chunk_by(|(a, _), (b, _)| a.as_ref() == b.as_ref()) {
            if let Some((key, value)) = same_key.last() {
                for part in [key.as_ref(), value.as_ref()] {
                    text.push_str(part);
                    ends.push(text.len());
                }
            }
        }
        Self {
            text: text.into(),
            ends: ends.into(),
        }
    }
}

/// Adds labels in the place of those of the same keys. All of them are written anew.
impl<K: AsRef<str>, V: AsRef<str>> Extend<(K, V)> for Labels {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, others: I) {
        let others: Vec<(K, V)> = others.into_iter().collect();
        let others = others
            .iter()
            .map(|(key, value)| (key.as_ref(), value.as_ref()));
        let all = self.iter().chain(others).collect();
        *self = all;
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(labels: [(K, V); N]) -> Self {
        labels.into_iter().collect()
    }
}

/// Keys with their values, in order.
#[derive(Debug, Clone)]
pub struct Iter<'l> {
    labels: &'l Labels,
    places: Range<usize>,
}

impl<'l> Iterator for Iter<'l> {
    type Item = (&'l str, &'l str);

    fn next(&mut self) -> Option<Self::Item> {
        self.places.next().map(|place| self.labels.at(place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<'l> IntoIterator for &'l Labels {
    type Item = (&'l str, &'l str);
    type IntoIter = Iter<'l>;

    fn into_iter(self) -> Iter<'l> {
        self.iter()
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other)
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::<String, String>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_value_and_no_other() {
        let labels = Labels::from([("tier", "front"), ("app", "web"), ("é", "ü"), ("", "")]);
        let expected = [("", ""), ("app", "web"), ("tier", "front"), ("é", "ü")];
        assert!(labels.iter().eq(expected), "{labels:?}");
        for (key, value) in expected {
            assert_eq!(labels.get(key), Some(value));
        }
        for other in ["a", "apps", "front", "tiers", "webtier", "z"] {
            assert_eq!(labels.get(other), None, "{other}");
        }
        assert_eq!(Labels::new().get(""), None);
    }

    /// Texts that are the same one after the other are not the same labels.
    #[test]
    fn where_a_key_ends_counts() {
        let (a, b) = (Labels::from([("ab", "c")]), Labels::from([("a", "bc")]));
        assert_ne!(a, b);
        assert!(a > b);
    }

    #[test]
    fn of_one_key_the_last_counts() {
        let mut labels = Labels::from([("app", "web"), ("tier", "front"), ("app", "till")]);
        assert_eq!(labels, Labels::from([("app", "till"), ("tier", "front")]));
        labels.insert("app", "web");
        labels.extend([("zone", "a"), ("tier", "back")]);
        labels.retain(|key| key != "zone");
        assert_eq!(labels, Labels::from([("app", "web"), ("tier", "back")]));
        assert_eq!(labels.len(), 2);
    }

    /// As a map of texts would be.
    #[test]
    fn they_are_in_order_as_maps_are() {
        let all = [
            vec![],
            vec![("a", "")],
            vec![("a", "b")],
            vec![("a", "b"), ("b", "")],
            vec![("a", "c")],
            vec![("ab", "")],
        ];
        for (one, other) in all
            .iter()
            .flat_map(|one| all.iter().map(move |other| (one, other)))
        {
            let map = |labels: &[(&'static str, &'static str)]| -> BTreeMap<_, _> {
                labels.iter().copied().collect()
            };
            let labels = |labels: &[(&str, &str)]| labels.iter().copied().collect::<Labels>();
            assert_eq!(labels(one).cmp(&labels(other)), map(one).cmp(&map(other)));
        }
    }
}
