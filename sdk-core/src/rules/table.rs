//! The rules of a bundle, read in place: by index, by id, by the event type they are judged at, and by slot.

use super::actions::take_actions;
use super::codec::encode_rule;
use super::slot::slots_of;
use super::{Mode, Rule, RuleRef};
use crate::codec::CodecError;
use crate::condition::{Code, Form, Packer, pass_condition};
use crate::profile::order::places_in_order;
use alloc::vec::Vec;

/// What `on` says for every event type.
const ANY_TYPE: &str = "*";

/// The rules of a bundle, in order of id, and its slots, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTable {
    form: Form,
    /// Where each rule stands.
    rules: Vec<u32>,
    /// Indexes of the active event rules in order of the event type, and then in their own.
    by_type: Vec<u32>,
    /// Where each slot stands.
    slots: Vec<u32>,
}

/// A named place that one rule at a time may fill.
#[derive(Clone, Copy, Debug)]
pub struct SlotRef<'a> {
    /// Its name.
    pub name: &'a str,
    ranking: Code<'a>,
}

impl RuleTable {
    /// Writes the packed form; the rules are in order of id, without repeats.
    pub fn pack(rules: &[Rule]) -> Vec<u8> {
        let on = |index: usize| match rules.get(index) {
            Some(Rule { inactive: None, mode: Mode::Event { on, .. }, .. }) => Some(&**on),
            _ => None,
        };
        let by_type = places_in_order(rules.len(), &|a, b| on(a).cmp(&on(b)));
        let by_type: Vec<usize> = by_type.into_iter().filter(|index| on(*index).is_some()).collect();
        let mut packer = Packer::new();
        packer.list(rules, encode_rule);
        packer.list(&by_type, |index, packer| packer.out.len(*index));
        packer.list(&slots_of(rules), |slot, packer| {
            packer.text(&slot.name);
            packer.list(&slot.rules, |index, packer| packer.out.len(*index));
        });
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
            let mut rule = RuleRef::read(&mut code, 0);
            take_actions(&mut rule.actions, None);
            pass_condition(&mut code);
            if !rule.actions.is_whole() || last >= Some(rule.id) {
                return Err(CodecError);
            }
            last = Some(rule.id);
        }
        for _ in 0..code.count() {
            table.by_type.push(code.number() as u32);
        }
        for _ in 0..code.count() {
            table.slots.push(code.place());
            code.text();
            for _ in 0..code.count() {
                code.number();
            }
        }
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

    /// Shows the active rules that are judged at an event of a type, those for every type last.
    pub fn each_for_type(&self, event_type: &str, see: &mut dyn FnMut(RuleRef<'_>)) {
        self.each_on(event_type, see);
        if event_type != ANY_TYPE {
            self.each_on(ANY_TYPE, see);
        }
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The slot of an index; they are in order of name.
    pub fn slot(&self, index: usize) -> Option<SlotRef<'_>> {
        let mut code = self.form.at(*self.slots.get(index)?);
        Some(SlotRef { name: code.text(), ranking: code })
    }

    fn each_on(&self, on: &str, see: &mut dyn FnMut(RuleRef<'_>)) {
        let rule = |index: &u32| self.get(*index as usize);
        let from = self.by_type.partition_point(|index| rule(index).is_some_and(|rule| rule.on < Some(on)));
        for index in self.by_type.get(from..).unwrap_or_default() {
            match rule(index) {
                Some(rule) if rule.on == Some(on) => see(rule),
                _ => return,
            }
        }
    }
}

impl<'a> SlotRef<'a> {
    /// The indexes of its active rules, the one that wins over all others first.
    pub fn rules(self) -> impl Iterator<Item = usize> + 'a {
        let mut code = self.ranking;
        (0..code.count()).map(move |_| code.number() as usize)
    }
}
