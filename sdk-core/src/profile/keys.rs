//! The K keys with the smallest hash, each with its value: bounded, and exact in whatever order keys come.

use super::ShortText;
use super::few::Few;
use super::order::search;
use crate::codec::{Source, Writer};
use crate::condition::plain_text;
use crate::hash::{fnv1a_128, key_hash};
use crate::limits::{MAX_KEY_BYTES, MAX_KEYS_PER_TILE};
use crate::value::{Room, ValueRef};

/// Values by key. Of more than [`MAX_KEYS_PER_TILE`] keys those with the smallest hash stay; since the bound only ever
/// falls, a key that was dropped never comes back, and one that is kept has never been dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys<T> {
    entries: Few<Entry<T>>,
    truncated: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry<T> {
    hash: u64,
    key: ShortText,
    value: T,
}

/// What is known under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// Its value.
    Value(T),
    /// It never occurred.
    Absent,
    /// It may have occurred and been dropped.
    Truncated,
}

/// A text as a key.
pub trait KeyText {
    /// Its bytes.
    fn key_bytes(&self) -> &[u8];
    /// A text of its own.
    fn to_key(&self) -> ShortText;
}

impl KeyText for &str {
    fn key_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn to_key(&self) -> ShortText {
        ShortText::from(*self)
    }
}

/// A key has been a text all along, which need not be seen again.
impl KeyText for &ShortText {
    fn key_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn to_key(&self) -> ShortText {
        (*self).clone()
    }
}

impl<T> Default for Keys<T> {
    fn default() -> Self {
        Self { entries: Few::default(), truncated: false }
    }
}

impl<T> Keys<T> {
    /// What is known under a key.
    pub fn get(&self, key: &str) -> Found<&T> {
        self.get_hashed(key_hash(key.as_bytes()), key)
    }

    /// The same for a key whose hash is at hand.
    pub(crate) fn get_hashed(&self, hash: u64, key: &str) -> Found<&T> {
        match self.find(hash, key.as_bytes()).ok().and_then(|at| self.entries.as_slice().get(at)) {
            Some(entry) => Found::Value(&entry.value),
            None if self.truncated => Found::Truncated,
            None => Found::Absent,
        }
    }

    /// The value under a key, made first where there is none; nothing when the key falls to the bound.
    pub fn or_insert_with(&mut self, key: impl KeyText, make: impl FnOnce() -> T) -> Option<&mut T> {
        let hash = key_hash(key.key_bytes());
        let at = match self.find(hash, key.key_bytes()) {
            Ok(at) => at,
            Err(at) if at >= MAX_KEYS_PER_TILE => {
                self.truncated = true;
                return None;
            }
            Err(at) => {
                self.entries.insert(at, Entry { hash, key: key.to_key(), value: make() });
                if self.len() > MAX_KEYS_PER_TILE {
                    self.entries.edit(|entries| entries.pop());
                    self.truncated = true;
                }
                at
            }
        };
        self.entries.as_mut_slice().get_mut(at).map(|entry| &mut entry.value)
    }

    /// Folds a value into the one under a key, or puts it there where there is none; nothing when the key falls to the
    /// bound.
    pub fn join(&mut self, key: impl KeyText, value: &T, join: impl FnOnce(&mut T, &T)) -> Option<&mut T>
    where
        T: Clone,
    {
        let mut fresh = false;
        let mine = self.or_insert_with(key, || {
            fresh = true;
            value.clone()
        })?;
        if !fresh {
            join(mine, value);
        }
        Some(mine)
    }

    /// Adds another set: union, then the bound; `join` folds the other's value into ours where both have the key.
    pub fn merge(&mut self, other: &Self, mut join: impl FnMut(&mut T, &T))
    where
        T: Clone,
    {
        for entry in other.entries.as_slice() {
            self.join(&entry.key, &entry.value, &mut join);
        }
        self.truncated |= other.truncated;
    }

    /// Keys and values, in order of the keys' hashes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.as_slice().iter().map(|entry| (&*entry.key, &entry.value))
    }

    /// Whether keys have been dropped.
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Notes that keys have been dropped elsewhere.
    pub const fn set_truncated(&mut self) {
        self.truncated = true;
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.as_slice().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.as_slice().is_empty()
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer, mut write: impl FnMut(&T, &mut Writer)) {
        out.bool(self.truncated);
        out.len(self.entries.as_slice().len());
        for (key, value) in self.iter() {
            out.str(key);
            write(value, out);
        }
    }

    /// Reads the binary form; too many keys and keys out of order fail the source.
    pub fn decode<'a>(source: &mut Source<'a>, mut read: impl FnMut(&mut Source<'a>) -> T) -> Self {
        let truncated = source.bool();
        let count = source.count();
        if count > MAX_KEYS_PER_TILE {
            source.fail();
        }
        let mut entries: Few<Entry<T>> = Few::default();
        while source.is_sound() && entries.as_slice().len() < count {
            let key = source.str();
            let entry = Entry { hash: key_hash(key.as_bytes()), key: key.into(), value: read(source) };
            entries.insert(entries.as_slice().len(), entry);
            if let [.., one, next] = entries.as_slice()
                && (one.hash, &*one.key) >= (next.hash, &*next.key)
            {
                source.fail();
            }
        }
        Self { entries, truncated }
    }

    fn find(&self, hash: u64, key: &[u8]) -> Result<usize, usize> {
        // Texts are in the order of their bytes.
        let compare = |entry: &Entry<T>| entry.hash.cmp(&hash).then_with(|| entry.key.as_bytes().cmp(key));
        search(self.entries.as_slice(), compare)
    }
}

/// The text under which a value is a key: its plain text. `room` is written to where the text has to be made.
///
/// Texts longer than [`MAX_KEY_BYTES`] are replaced by their hash. Null, arrays and objects are no keys.
pub fn key_text<'a>(value: ValueRef<'a>, room: &'a mut Room) -> Option<&'a str> {
    match value {
        ValueRef::Text(text) => Some(bounded_key(text, room)),
        other => plain_text(other, room),
    }
}

/// The key itself, or its hash where it is longer than [`MAX_KEY_BYTES`].
pub(crate) fn bounded_key<'a>(text: &'a str, room: &'a mut Room) -> &'a str {
    if text.len() <= MAX_KEY_BYTES {
        return text;
    }
    let halves = fnv1a_128(text.as_bytes());
    *room = [b'#'; 40];
    for (place, digit) in room.iter_mut().skip(1).take(32).enumerate() {
        let half = halves.get(place / 16).copied().unwrap_or_default();
        let nibble = (half >> (60 - 4 * (place % 16))) as usize & 15;
        *digit = b"0123456789abcdef".get(nibble).copied().unwrap_or_default();
    }
    room.get(..33).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn keys(names: &[u16]) -> Keys<u64> {
        let mut keys = Keys::default();
        for name in names {
            if let Some(count) = keys.or_insert_with(&*format!("key-{name}"), || 0) {
                *count += 1;
            }
        }
        keys
    }

    proptest! {
        #[test]
        fn what_is_kept_is_exact_in_any_order_and_any_split(
            names in proptest::collection::vec(0_u16..400, 0..900),
            split in 0_usize..900,
        ) {
            let all = keys(&names);
            let backwards: Vec<u16> = names.iter().rev().copied().collect();
            prop_assert_eq!(&keys(&backwards), &all);
            let (left, right) = names.split_at(split.min(names.len()));
            let mut merged = keys(left);
            merged.merge(&keys(right), |mine, theirs| *mine += theirs);
            prop_assert_eq!(&merged, &all);
            for (key, count) in all.iter() {
                let expected = names.iter().filter(|name| format!("key-{name}") == key).count();
                prop_assert_eq!(*count, expected as u64);
            }
        }
    }

    #[test]
    fn a_key_missing_from_a_truncated_set_is_unknown() {
        let names: Vec<u16> = (0..=MAX_KEYS_PER_TILE as u16).collect();
        let full = keys(&names);
        assert!(full.is_truncated() && full.len() == MAX_KEYS_PER_TILE);
        let dropped = names.iter().find(|name| full.get(&format!("key-{name}")) == Found::Truncated);
        assert!(dropped.is_some());
        assert_eq!(keys(&[1]).get("key-2"), Found::Absent);
    }

    #[test]
    fn long_keys_are_replaced_by_their_hash() {
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        assert_eq!(key_text(ValueRef::Text(&long), &mut [0; 40]).unwrap().len(), 33);
        assert_eq!(key_text(ValueRef::Number(3.0), &mut [0; 40]), Some("3"));
        assert_eq!(key_text(ValueRef::Null, &mut [0; 40]), None);
    }
}
