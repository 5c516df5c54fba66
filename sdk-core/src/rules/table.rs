//! The rules of a bundle, read in place: by index, by id, by the event type they are judged at, and by slot.

use super::RuleRef;
use super::index::Marks;
use super::runs::Runs;
use crate::condition::{Form, Postings, place_of};
use alloc::vec::Vec;

/// The rules of a bundle, in order of id, and its slots, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTable {
    pub(super) form: Form,
    /// Where each thing stands that the rules of slots read.
    pub(super) subjects: Vec<u32>,
    /// Where it says what slots show, and behind that the leaves.
    pub(super) shown_at: u32,
    /// Where the leaves end.
    pub(super) leaves_end: u32,
    /// The number of each rule's id among the texts.
    pub(super) ids: Vec<u32>,
    /// Where each rule stands, and where the last one ends.
    pub(super) rules: Vec<u32>,
    /// Bytes that all names stand for.
    pub(super) named: u32,
    /// What event types and slots name.
    pub(super) lists: RuleLists,
}

/// Rules that are named by their indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RuleLists {
    /// For each event type the active rules that are judged at it, those for every type included.
    pub by_type: Postings,
    /// For each slot its active rules, the one that wins over all others first.
    pub slots: Postings,
    /// The active rules of the slots that an exclusion group concerns, the one of the highest rank first.
    pub ranked: Vec<u32>,
}

impl RuleTable {
    /// The packed form, for those who read at places of it.
    pub(super) const fn form(&self) -> &Form {
        &self.form
    }

    /// The numbers of the ids of rules, in order of index.
    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where the rules stand, in order of index, and where the last one ends.
    pub(super) fn places(&self) -> &[u32] {
        &self.rules
    }

    /// The numbers of the leaves, in the order in which they are written.
    pub(super) fn each_leaf(&self, see: &mut dyn FnMut(u32)) {
        let (count, mut runs) = self.runs();
        (0..count).for_each(|_| see(runs.number()));
    }

    /// How many leaves there are, and their numbers in the order in which they are written.
    pub(super) fn runs(&self) -> (usize, Runs<'_>) {
        let mut code = self.form.at(self.shown_at);
        code.sized();
        let count = code.count();
        (count, Runs::read(&mut code))
    }

    /// The packed form of what is read.
    pub(super) fn subject_bytes(&self) -> &[u8] {
        self.form.between(0, self.shown_at)
    }

    /// The packed form of what slots show.
    pub(super) fn shown_bytes(&self) -> &[u8] {
        self.form.at(self.shown_at).bytes()
    }

    /// The packed form of what event types and slots name.
    pub(super) fn list_bytes(&self) -> &[u8] {
        self.form.since(self.rules.last().copied().unwrap_or(u32::MAX))
    }

    /// Bytes that all names stand for.
    pub(super) const fn named(&self) -> u32 {
        self.named
    }

    /// Where each thing stands that the rules of slots read.
    pub(super) fn subjects(&self) -> &[u32] {
        &self.subjects
    }

    /// The number of everything that is read, with each slot that shows it or is counted by it.
    pub(super) fn shown(&self) -> Vec<(u32, u32)> {
        let (mut lists, mut pairs, mut slot) = (self.form.at(self.shown_at).sized(), Vec::new(), 0);
        while !lists.is_empty() {
            slot = lists.number().wrapping_add(slot);
            let mut list = lists.sized();
            while !list.is_empty() {
                pairs.push((list.number() as u32, slot as u32));
            }
        }
        pairs
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The rule of an index.
    pub fn get(&self, index: usize) -> Option<RuleRef<'_>> {
        let id = self.ids.get(index)?;
        Some(RuleRef::read(&mut self.form.at(*self.rules.get(index)?), index, *id))
    }

    /// The rule of an id.
    pub fn by_id(&self, id: &str) -> Option<RuleRef<'_>> {
        self.get(place_of(&self.ids, id, &self.form)?)
    }

    /// All rules, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = RuleRef<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The rules that no slot has, in order of id: triggers, and rules that take no part.
    pub fn triggers(&self) -> impl Iterator<Item = RuleRef<'_>> {
        let mut has_slot = Marks::none(self.len());
        self.lists.slots.items().iter().for_each(|rule| has_slot.add(*rule as usize));
        (0..self.len()).filter(move |rule| !has_slot.has(*rule)).filter_map(|rule| self.get(rule))
    }

    /// The event types at which active rules are judged, in order.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        let types = &self.lists.by_type;
        (0..types.len()).filter_map(|number| Some(types.get(number, &self.form)?.0))
    }

    /// Shows the active rules that are judged at an event of a type, in order of index.
    pub fn each_for_type(&self, event_type: &str, see: &mut dyn FnMut(&RuleRef<'_>)) {
        self.lists.by_type.each(event_type, &self.form, &mut |index| {
            if let Some(rule) = self.get(index) {
                see(&rule);
            }
        });
    }

    /// The active rules of the slots that an exclusion group concerns, the one of the highest rank first.
    pub(super) fn ranked(&self) -> Ranking<'_> {
        Ranking { table: self, indexes: self.lists.ranked.iter() }
    }

    /// Whether there are exclusion groups.
    pub fn has_groups(&self) -> bool {
        !self.lists.ranked.is_empty()
    }

    /// The indexes of the rules that exclusion groups rank, in order of rank.
    pub(super) fn ranked_indexes(&self) -> &[u32] {
        &self.lists.ranked
    }

    /// Where the rules of each slot begin, and where the last ones end, among the indexes of all slots' rules in order of
    /// slot and rank.
    pub(super) fn order(&self) -> (&[u32], &[u32]) {
        (self.lists.slots.starts(), self.lists.slots.items())
    }

    /// The numbers of the names of slots, in order of slot.
    pub(super) fn slot_names(&self) -> &[u32] {
        self.lists.slots.names()
    }

    /// The slots that exclusion groups concern.
    pub(super) fn grouped_slots(&self) -> Vec<usize> {
        let mut slots = Marks::none(self.slot_count());
        self.ranked().filter_map(|rule| self.slot_named(rule.head().slot?)).for_each(|slot| slots.add(slot));
        slots.numbers().collect()
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.lists.slots.len()
    }

    /// The number of a slot, by its name.
    pub fn slot_named(&self, name: &str) -> Option<usize> {
        self.lists.slots.number(name, &self.form)
    }

    /// The name of the slot of a number, and its active rules; slots are in order of name.
    pub fn slot(&self, number: usize) -> Option<(&str, Ranking<'_>)> {
        let (name, indexes) = self.lists.slots.get(number, &self.form)?;
        Some((name, Ranking { table: self, indexes: indexes.iter() }))
    }
}

/// The active rules of a slot, the one that wins over all others first.
#[derive(Clone, Debug)]
pub struct Ranking<'a> {
    table: &'a RuleTable,
    indexes: core::slice::Iter<'a, u32>,
}

impl<'a> Iterator for Ranking<'a> {
    type Item = RuleRef<'a>;

    fn next(&mut self) -> Option<RuleRef<'a>> {
        self.table.get(*self.indexes.next()? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{ANY, Condition, Packer};
    use crate::rules::codec::encode_rule;
    use crate::rules::leaves::pack_leaves;
    use crate::rules::pack::pack_lists;
    use crate::rules::settle::Before;
    use crate::rules::slot::slots_of;
    use crate::rules::{Hold, Mode, Rule, Terms};
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::vec;

    fn rule(id: &str, mode: Mode) -> Rule {
        Rule {
            id: Box::from(id),
            slot: Some(Box::from("s")),
            priority: 0,
            specificity: 0,
            when: Condition::All(Vec::new()),
            mode,
            key: None,
            cap: None,
            terms: Terms { group: Some("g".to_string().into_boxed_str()), ..Terms::default() },
            actions: Vec::new(),
            fire_on_publish: false,
            inactive: None,
        }
    }

    /// The packed form of rules, with other numbers of ids, and with the lists given: of the event type `*`, of the slot,
    /// of the ranking.
    fn packed(rules: &[Rule], id: &dyn Fn(usize) -> usize, [judged, slot, ranked]: [&[usize]; 3]) -> Vec<u8> {
        // The lists are the last of the code; their texts have the numbers they have where the rules are packed.
        let rules: Vec<Rule> = rules.iter().map(Rule::indexed).collect();
        let slots = slots_of(&rules);
        let mut packer = Packer::new();
        pack_leaves(&rules, &slots, &Before::default(), &mut packer);
        let mut before = 0;
        packer.list(&rules, |rule, packer| {
            let number = id(packer.number(&rule.id));
            packer.difference(&mut before, number);
        });
        rules.iter().for_each(|rule| encode_rule(rule, &mut packer));
        pack_lists(&[(ANY, judged.to_vec())], &[("s", slot.to_vec())], ranked, &mut packer);
        packer.finish()
    }

    fn opened(judged: &[usize], slot: &[usize], ranked: &[usize]) -> Option<usize> {
        let rules =
            [rule("a", Mode::Event { on: Box::from("*"), hold: Hold::Session }), rule("b", Mode::Level)];
        let bytes = packed(&rules, &|id| id, [judged, slot, ranked]);
        let is_sound = judged == [0] && slot == [0, 1] && ranked == [0, 1];
        assert_eq!(bytes == RuleTable::pack(&rules), is_sound);
        RuleTable::open(&bytes).ok().map(|table| table.len())
    }

    #[test]
    fn a_rule_whose_id_is_no_text_makes_a_table_unsound() {
        // The number of a slot's name is written as the difference to that of the id, so none is named.
        let rules = ["a", "b"].map(|id| Rule { slot: None, ..rule(id, Mode::Level) });
        let opens = |first: usize| {
            let id = |id: usize| if id == 0 { first } else { id };
            RuleTable::open(&packed(&rules, &id, [&[], &[], &[]])).is_ok()
        };
        assert!(opens(0));
        assert!(!opens(99));
    }

    #[test]
    fn a_rule_that_a_list_names_twice_or_that_is_not_there_makes_a_table_unsound() {
        assert_eq!(opened(&[0], &[0, 1], &[0, 1]), Some(2));
        assert_eq!(opened(&[0, 0], &[0, 1], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 0], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 2], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 1], &[1, 0, 1]), None);
    }

    #[test]
    fn a_schedule_may_be_any_condition_but_is_there() {
        let opens = |parts: Vec<Condition>| {
            let terms = Terms { is_scheduled: true, ..Terms::default() };
            let rule = Rule { when: Condition::All(parts), terms, ..rule("a", Mode::Level) };
            RuleTable::open(&RuleTable::pack(&[rule])).is_ok()
        };
        assert!(opens(vec![Condition::All(Vec::new())]));
        assert!(!opens(Vec::new()));
    }
}
