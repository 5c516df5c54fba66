//! A map kept as one sorted vector: small in memory and in the page's code, and in order when written.

use super::few::Few;
use super::order::{search, search_from};
use crate::codec::Source;

/// Pairs in ascending order of their keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SortedMap<K, V> {
    pairs: Few<(K, V)>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { pairs: Few::default() }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// The value under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: core::borrow::Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.pairs.as_slice().get(at).map(|(_, value)| value)
    }

    /// The value under a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: core::borrow::Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.pairs.as_mut_slice().get_mut(at).map(|(_, value)| value)
    }

    /// The value under a key, made first where there is none.
    pub fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.or_insert_near(usize::MAX, key, make)
    }

    /// The same for a key that is likely to be at a place.
    pub fn or_insert_near(&mut self, place: usize, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = match search_from(place, self.pairs.as_slice(), |(other, _)| other.cmp(&key)) {
            Ok(at) => at,
            Err(at) => {
                self.pairs.insert(at, (key, make()));
                at
            }
        };
        &mut self.pairs.as_mut_slice()[at].1
    }

    /// Puts a value under a key, replacing the one there.
    pub fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.pairs.as_mut_slice()[at].1 = value,
            Err(at) => self.pairs.insert(at, (key, value)),
        }
    }

    /// Takes a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: core::borrow::Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(self.pairs.edit(|pairs| pairs.remove(at)).1)
    }

    /// Reads a count, then as many pairs; keys that are not in ascending order fail the source.
    pub fn decode<'a>(source: &mut Source<'a>, mut read: impl FnMut(&mut Source<'a>) -> (K, V)) -> Self {
        let count = source.count();
        let mut map = Self::default();
        while source.is_sound() && map.len() < count {
            map.pairs.insert(map.len(), read(source));
            if let [.., (one, _), (next, _)] = map.pairs.as_slice()
                && one.cmp(next).is_ge()
            {
                source.fail();
            }
        }
        map
    }

    /// Keeps the pairs for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.pairs.retain(|(key, value)| keep(key, value));
    }

    /// All pairs in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.pairs.as_slice().iter().map(|(key, value)| (key, value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.as_slice().len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.pairs.as_slice().is_empty()
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: core::borrow::Borrow<Q>,
    {
        search(self.pairs.as_slice(), |(other, _)| other.borrow().cmp(key))
    }
}
