//! Which leaves hold for a text or a number: chains under hashes, built once.

use crate::condition::{Code, Form};
use crate::hash::key_hash;
use crate::value::ValueRef;
use alloc::vec;
use alloc::vec::Vec;

/// Leaves by subject and by the text or number that they compare with.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    /// The first entry of each chain, counted from 1; as many as a power of two.
    heads: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    hash: u32,
    /// Where the literal stands in the rules' code.
    literal: u32,
    atom: u32,
    next: u32,
}

impl KeyIndex {
    /// Adds a leaf under the literal that the code begins with and moves behind it; whether it is a text or a number.
    pub fn add(&mut self, subject: u32, code: &mut Code<'_>, atom: u32) -> bool {
        let literal = code.place();
        let value = read_literal(code);
        let is_key = matches!(value, ValueRef::Text(_) | ValueRef::Number(_));
        if is_key {
            self.entries.push(Entry { hash: hash(subject, value), literal, atom, next: 0 });
        }
        is_key
    }

    /// How many leaves have been added.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes back what was added after it had this length.
    pub fn shorten(&mut self, length: usize) {
        self.entries.truncate(length);
    }

    /// Makes the chains, once everything has been added.
    pub fn finish(&mut self) {
        self.heads = vec![0; (self.entries.len() / 2).next_power_of_two()];
        let mask = self.heads.len() - 1;
        for (at, entry) in self.entries.iter_mut().enumerate() {
            if let Some(head) = self.heads.get_mut(entry.hash as usize & mask) {
                entry.next = core::mem::replace(head, at as u32 + 1);
            }
        }
    }

    /// Shows the leaves of a subject that compare with this text or number.
    pub fn each(&self, subject: u32, key: ValueRef<'_>, form: &Form, see: &mut dyn FnMut(usize)) {
        let hash = hash(subject, key);
        let mask = self.heads.len().wrapping_sub(1);
        let mut at = self.heads.get(hash as usize & mask).copied().unwrap_or(0);
        // A leaf may name a literal many times; its entries stand together.
        let mut last = u32::MAX;
        while let Some(entry) = self.entries.get((at as usize).wrapping_sub(1)) {
            if entry.hash == hash && entry.atom != last && read_literal(&mut form.at(entry.literal)) == key {
                last = entry.atom;
                see(entry.atom as usize);
            }
            at = entry.next;
        }
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
