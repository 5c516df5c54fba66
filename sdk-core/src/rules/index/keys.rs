//! Which leaves compare with a text or a number: groups in chains under hashes, built once.

use super::Edge;
use crate::condition::{Code, Form, Lists, plain_text, to_number};
use crate::hash::key_hash;
use crate::value::ValueRef;
use alloc::vec;
use alloc::vec::Vec;

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
    /// Where the literal stands in the rules' code.
    literal: u32,
    /// The group behind it in its chain, counted from 1.
    next: u32,
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
}

/// Leaves before they are grouped: each with its subject and the place of a literal.
#[derive(Debug, Default)]
pub struct KeyEntries(Vec<(u32, u32, Keyed)>);

impl KeyEntries {
    /// Adds a leaf under the literal that the code begins with and moves behind it; whether it is a text or a number.
    pub fn add(&mut self, subject: u32, code: &mut Code<'_>, leaf: Keyed) -> bool {
        let literal = code.place();
        let is_key = matches!(read_literal(code), ValueRef::Text(_) | ValueRef::Number(_));
        if is_key {
            self.0.push((subject, literal, leaf));
        }
        is_key
    }

    /// How many have been added.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was added after it had this length.
    pub fn shorten(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Groups them.
    pub fn index(self, form: &Form) -> KeyIndex {
        let heads = vec![0; (self.0.len() / 2).next_power_of_two()];
        let mut index = KeyIndex { heads, ..KeyIndex::default() };
        let mut pairs = Vec::with_capacity(self.0.len());
        // A leaf may name a literal twice, and must not turn twice.
        let mut last: Vec<Option<Keyed>> = Vec::new();
        for (subject, literal, leaf) in self.0 {
            let key = read_literal(&mut form.at(literal));
            let group = index.find(subject, key, form).unwrap_or_else(|| index.add(subject, literal, key));
            last.resize(index.groups.len(), None);
            if last.get_mut(group).is_some_and(|last| last.replace(leaf) != Some(leaf)) {
                pairs.push((group as u32, leaf.0));
            }
        }
        index.leaves = Lists::new(index.groups.len(), &pairs);
        index
    }
}

impl KeyIndex {
    fn add(&mut self, subject: u32, literal: u32, key: ValueRef<'_>) -> usize {
        let hash = hash(subject, key);
        let (group, mask) = (self.groups.len(), self.heads.len().wrapping_sub(1));
        if let Some(head) = self.heads.get_mut(hash as usize & mask) {
            let next = core::mem::replace(head, group as u32 + 1);
            self.groups.push(Group { subject, hash, literal, next });
        }
        group
    }

    /// The group of the leaves that compare a subject with this text or number.
    pub fn find(&self, subject: u32, key: ValueRef<'_>, form: &Form) -> Option<usize> {
        let hash = hash(subject, key);
        let mask = self.heads.len().wrapping_sub(1);
        let mut at = *self.heads.get(hash as usize & mask)?;
        loop {
            let group = self.groups.get((at as usize).wrapping_sub(1))?;
            if group.hash == hash
                && group.subject == subject
                && read_literal(&mut form.at(group.literal)) == key
            {
                return Some(at as usize - 1);
            }
            at = group.next;
        }
    }

    /// Takes the edges of each leaf in.
    pub fn connect(&mut self, edges: &Lists) {
        self.edges = Lists::of(self.groups.len(), &|see| {
            for group in 0..self.groups.len() {
                for leaf in self.leaves(group) {
                    for edge in edges.get(leaf.atom()).iter().map(|edge| Edge(*edge)) {
                        see(group as u32, Edge::new(edge.to(), edge.is_negated() != leaf.usual()).0);
                    }
                }
            }
        });
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

/// The text or number that the code begins with; null for any other literal.
pub fn read_literal<'a>(code: &mut Code<'a>) -> ValueRef<'a> {
    match code.byte() {
        0 => ValueRef::Text(code.text()),
        1 => code.value(false),
        5 => ValueRef::Number(code.signed() as f64),
        _ => ValueRef::Null,
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
