//! Which leaves compare with a text or a number: groups in chains under hashes, built once.

use super::Edge;
use crate::condition::{Code, Form, Lists, NO_TEXT, plain_text, to_number};
use crate::hash::key_hash;
use crate::value::ValueRef;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// Leaves by subject and by the text or number that they compare with.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    /// The first group of each chain, counted from 1; as many as a power of two.
    heads: Vec<u32>,
    groups: Vec<Group>,
    /// By group: its leaves.
    leaves: Lists,
    /// By group: the edges of its leaves, negated where these usually hold, so that under its key all turn alike.
    edges: Lists,
}

/// The leaves that compare a subject with one text or number.
#[derive(Clone, Debug)]
struct Group {
    subject: u32,
    hash: u32,
    key: Key,
    /// The group behind it in its chain, counted from 1.
    next: u32,
}

/// A text, by its number, or a number, by its bits.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    Text(u32),
    Number(u64),
}

impl Key {
    /// Reads the literal that the code begins with and moves behind it; nothing if it is neither a text nor a number.
    pub fn read(code: &mut Code<'_>) -> Option<Self> {
        match code.byte() {
            0 => Some(Self::Text(code.text_number())),
            1 => match code.value(false) {
                ValueRef::Number(number) => Some(Self::Number(number.to_bits())),
                _ => None,
            },
            5 => Some(Self::Number((code.signed() as f64).to_bits())),
            _ => None,
        }
    }

    /// The text or number.
    pub fn value(self, form: &Form) -> ValueRef<'_> {
        match self {
            Self::Text(number) => ValueRef::Text(form.text(number as usize).unwrap_or_default()),
            Self::Number(bits) => ValueRef::Number(f64::from_bits(bits)),
        }
    }
}

/// A leaf that compares with literals, and what it is for all other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed(u32);

impl Keyed {
    pub const fn new(atom: usize, usual: bool) -> Self {
        Self((atom as u32) << 1 | usual as u32)
    }

    pub const fn atom(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub const fn usual(self) -> bool {
        self.0 & 1 == 1
    }

    /// An edge as its part turns under the leaf's keys: from false to true.
    const fn turning(self, edge: Edge) -> Edge {
        Edge::new(edge.to(), edge.is_negated() != self.usual())
    }
}

/// How many groups a chain may have on average, and an index in all besides.
const MOST_IN_CHAIN: usize = 8;
const FEW_KEYS: usize = 64;

/// A leaf before it is grouped, with its subject and where what it compares that with stands in the rules' code.
pub type KeyEntry = (u32, u32, Keyed);

impl KeyIndex {
    /// Groups leaves.
    pub fn new(entries: &[KeyEntry], form: &Form) -> Self {
        let mut index = Self { heads: vec![0; (entries.len() / 2).next_power_of_two()], ..Self::default() };
        let mut pairs = Vec::with_capacity(entries.len());
        // A leaf may name a literal twice, and must not turn twice.
        let mut last: Vec<Option<Keyed>> = Vec::new();
        for (subject, literal, leaf) in entries {
            let Some(key) = Key::read(&mut form.at(*literal)) else { continue };
            let group = index.find_or_add(*subject, key, form);
            last.resize(index.groups.len(), None);
            if last.get_mut(group).is_some_and(|last| last.replace(*leaf) != Some(*leaf)) {
                pairs.push((group as u32, leaf.0));
            }
        }
        index.leaves = Lists::new(index.groups.len(), &pairs);
        index
    }

    fn find_or_add(&mut self, subject: u32, key: Key, form: &Form) -> usize {
        let value = key.value(form);
        self.find(subject, value, form).unwrap_or_else(|| {
            let hash = hash(subject, value);
            let (group, mask) = (self.groups.len(), self.heads.len().wrapping_sub(1));
            if let Some(head) = self.heads.get_mut(hash as usize & mask) {
                let next = core::mem::replace(head, group as u32 + 1);
                self.groups.push(Group { subject, hash, key, next });
            }
            group
        })
    }

    /// The group of the leaves that compare a subject with this text or number.
    pub fn find(&self, subject: u32, key: ValueRef<'_>, form: &Form) -> Option<usize> {
        let hash = hash(subject, key);
        let mask = self.heads.len().wrapping_sub(1);
        let mut at = *self.heads.get(hash as usize & mask)?;
        loop {
            let group = self.groups.get((at as usize).wrapping_sub(1))?;
            if group.hash == hash && group.subject == subject && group.key.value(form) == key {
                return Some(at as usize - 1);
            }
            at = group.next;
        }
    }

    /// Adds a leaf that as yet is part of nothing.
    pub fn add(&mut self, (subject, literal, leaf): KeyEntry, form: &Form) {
        let Some(key) = Key::read(&mut form.at(literal)) else { return };
        if self.heads.is_empty() {
            self.heads.push(0);
        }
        let group = self.find_or_add(subject, key, form);
        self.leaves.grow(group + 1);
        self.edges.grow(group + 1);
        if !self.leaves.get(group).contains(&leaf.0) {
            self.leaves.insert(group, None, leaf.0);
        }
    }

    /// Takes a leaf out that is part of nothing any more.
    pub fn remove(&mut self, (subject, literal, leaf): KeyEntry, form: &Form) {
        if let Some(group) = self.find_at(subject, literal, form) {
            self.leaves.remove(group, leaf.0);
        }
    }

    fn find_at(&self, subject: u32, literal: u32, form: &Form) -> Option<usize> {
        self.find(subject, Key::read(&mut form.at(literal))?.value(form), form)
    }

    /// How many texts and numbers there are that leaves compare with.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether chains are short, few groups have no leaf, and every text that others compare with is there still.
    pub fn is_sound(&self, form: &Form, is_any_gone: bool) -> bool {
        let is_empty = |group: usize| self.leaves.get(group).is_empty();
        let is_there = |group: &Group| !matches!(group.key, Key::Text(number) if form.text(number as usize) == Some(NO_TEXT));
        let empty = (0..self.groups.len()).filter(|group| is_empty(*group)).count();
        let mut groups = self.groups.iter().enumerate().filter(|_| is_any_gone);
        let are_short = self.groups.len() <= MOST_IN_CHAIN * self.heads.len() + FEW_KEYS;
        are_short
            && empty <= self.groups.len() / 2 + 8
            && groups.all(|(group, known)| is_empty(group) || is_there(known))
    }

    /// Takes the edges of each leaf in.
    pub fn connect(&mut self, edges: &Lists) {
        self.edges = Lists::of(self.groups.len(), &|see| {
            for group in 0..self.groups.len() {
                for leaf in self.leaves(group) {
                    edges
                        .get(leaf.atom())
                        .iter()
                        .for_each(|edge| see(group as u32, leaf.turning(Edge(*edge)).0));
                }
            }
        });
    }

    /// Takes an edge of a leaf in, under all that the leaf compares its subject with.
    pub fn connect_one(&mut self, subject: u32, literals: &[u32], leaf: Keyed, edge: Edge, form: &Form) {
        let mut groups: Vec<usize> =
            literals.iter().filter_map(|literal| self.find_at(subject, *literal, form)).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            self.edges.insert(group, None, leaf.turning(edge).0);
        }
    }

    /// Replaces the edges of a range, as [`Lists::replace`] does.
    pub fn replace_edges(&mut self, range: RangeInclusive<u32>, by: impl Fn(u32) -> Option<u32>) {
        self.edges.replace(range, by);
    }

    /// The edges through which all turn from false to true that a group's key makes unusual.
    pub fn edges(&self, group: usize) -> &[u32] {
        self.edges.get(group)
    }

    /// The groups, counted from 1, of the leaves that compare a subject with a plain value, and of those that compare it
    /// with the text and the number that the value may count as.
    pub fn groups(&self, subject: u32, value: ValueRef<'_>, form: &Form) -> (u32, [u32; 2]) {
        let mut room = [0; 40];
        // In JavaScript, on which comparisons rest, what is missing has this text.
        let text = if value.is_null() { Some("null") } else { plain_text(value, &mut room) };
        let number = Some(to_number(value)).filter(|number| !number.is_nan());
        let place = |key: Option<ValueRef<'_>>| {
            key.and_then(|key| self.find(subject, key, form)).map_or(0, |group| group as u32 + 1)
        };
        let (text, number) = (place(text.map(ValueRef::Text)), place(number.map(ValueRef::Number)));
        match value {
            ValueRef::Text(_) => (text, [number, 0]),
            ValueRef::Number(_) => (number, [text, 0]),
            _ => (0, [text, number]),
        }
    }

    /// The leaves of a group.
    pub fn leaves(&self, group: usize) -> impl Iterator<Item = Keyed> {
        self.leaves.get(group).iter().map(|leaf| Keyed(*leaf))
    }
}

fn hash(subject: u32, key: ValueRef<'_>) -> u32 {
    let hash = match key {
        ValueRef::Text(text) => key_hash(text.as_bytes()),
        // Both zeros are one number.
        ValueRef::Number(number) => key_hash(&(number + 0.0).to_le_bytes()),
        _ => 0,
    };
    let mixed = hash ^ (u64::from(subject) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)) as u32
}
