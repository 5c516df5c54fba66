//! The rules of a bundle, read in place: by index, by id, by the event type they are judged at, and by slot.

use super::codec::encode_rule;
use super::slot::{ranked_of, slots_of};
use super::{Mode, Rule, RuleRef};
use crate::codec::CodecError;
use crate::condition::{ANY, Code, Form, Packer, Postings};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The rules of a bundle, in order of id, and its slots, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTable {
    form: Form,
    /// Where each rule stands.
    rules: Vec<u32>,
    /// For each event type the active rules that are judged at it, those for every type included.
    by_type: Postings,
    /// For each slot its active rules, the one that wins over all others first.
    slots: Postings,
    /// Where the active rules stand of the slots that an exclusion group concerns, the one of the highest rank first.
    ranked: u32,
}

impl RuleTable {
    /// Writes the packed form; the rules are in order of id, without repeats.
    pub fn pack(rules: &[Rule]) -> Vec<u8> {
        let mut packer = Packer::new();
        packer.list(rules, encode_rule);
        let judged: Vec<(&str, usize)> = rules.iter().enumerate().filter_map(judged_at).collect();
        let types: BTreeSet<&str> = judged.iter().map(|(on, _)| *on).chain([ANY]).collect();
        let judged_at_type = |on: &str| {
            let judged = judged.iter().filter(|(other, _)| *other == on || *other == ANY);
            judged.map(|(_, index)| *index).collect()
        };
        let types: Vec<(&str, Vec<usize>)> = types.into_iter().map(|on| (on, judged_at_type(on))).collect();
        Postings::pack(&types, &mut packer);
        Postings::pack(&slots_of(rules), &mut packer);
        packer.group(&ranked_of(rules), |index, packer| packer.out.len(*index));
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none, and on rules that are not in order of id.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut table = Self { form: Form::open(bytes)?, ..Self::default() };
        let mut code = table.form.at(0);
        let mut last = None;
        for _ in 0..code.count() {
            table.rules.push(code.place());
            let id = RuleRef::pass(&mut code).id;
            if last >= Some(id) {
                code.fail();
            }
            last = Some(id);
        }
        table.by_type = Postings::read(&mut code);
        table.slots = Postings::read(&mut code);
        table.ranked = code.place();
        code.sized();
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule of an index.
    pub fn get(&self, index: usize) -> Option<RuleRef<'_>> {
        let place = self.rules.get(index)?;
        Some(RuleRef::read(&mut self.form.at(*place), index))
    }

    /// The rule of an id.
    pub fn by_id(&self, id: &str) -> Option<RuleRef<'_>> {
        let before = |place: &u32| RuleRef::read(&mut self.form.at(*place), 0).id < id;
        self.get(self.rules.partition_point(before)).filter(|rule| rule.id == id)
    }

    /// All rules, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = RuleRef<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Shows the active rules that are judged at an event of a type, in order of index.
    pub fn each_for_type(&self, event_type: &str, see: &mut dyn FnMut(&RuleRef<'_>)) {
        self.by_type.each(event_type, &self.form, &mut |index| {
            if let Some(rule) = self.get(index) {
                see(&rule);
            }
        });
    }

    /// The active rules of the slots that an exclusion group concerns, the one of the highest rank first.
    pub(super) fn ranked(&self) -> Ranking<'_> {
        Ranking { table: self, indexes: self.form.at(self.ranked).sized() }
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The name of the slot of a number, and its active rules; slots are in order of name.
    pub fn slot(&self, number: usize) -> Option<(&str, Ranking<'_>)> {
        let (name, indexes) = self.slots.get(number, &self.form)?;
        Some((name, Ranking { table: self, indexes }))
    }
}

/// The active rules of a slot, the one that wins over all others first.
#[derive(Clone, Debug)]
pub struct Ranking<'a> {
    table: &'a RuleTable,
    indexes: Code<'a>,
}

impl<'a> Iterator for Ranking<'a> {
    type Item = RuleRef<'a>;

    fn next(&mut self) -> Option<RuleRef<'a>> {
        if self.indexes.is_empty() { None } else { self.table.get(self.indexes.number() as usize) }
    }
}

/// The event type at which an active rule is judged, and its index.
fn judged_at((index, rule): (usize, &Rule)) -> Option<(&str, usize)> {
    match (&rule.inactive, &rule.mode) {
        (None, Mode::Event { on, .. }) => Some((on, index)),
        _ => None,
    }
}
