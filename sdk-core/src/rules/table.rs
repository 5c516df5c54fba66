//! The rules of a bundle, read in place: by index, by id, by the event type they are judged at, and by slot.

use super::RuleRef;
use super::index::{Marks, Subject};
use crate::codec::CodecError;
use crate::condition::{Code, Form, Postings, pass_condition, place_of};
use crate::limits::READ_BYTES;
use alloc::vec;
use alloc::vec::Vec;

/// The rules of a bundle, in order of id, and its slots, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTable {
    form: Form,
    /// Where each thing stands that the rules of slots read.
    subjects: Vec<u32>,
    /// Where it says what slots show, and behind that the leaves.
    shown_at: u32,
    /// The number of each rule's id among the texts.
    ids: Vec<u32>,
    /// Where each rule stands, and where the last one ends.
    rules: Vec<u32>,
    /// Bytes that all names stand for.
    named: u32,
    /// For each event type the active rules that are judged at it, those for every type included.
    by_type: Postings,
    /// For each slot its active rules, the one that wins over all others first.
    slots: Postings,
    /// The active rules of the slots that an exclusion group concerns, the one of the highest rank first.
    ranked: Vec<u32>,
}

impl RuleTable {
    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none, on rules that are not in order of id, and on a rule that a slot or an event type
    /// names twice.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::read(Form::open(bytes)?, &mut Unknown)
    }

    /// Checks a form to its end; what is `known` of it is passed over.
    pub(super) fn read(form: Form, known: &mut impl Known) -> Result<Self, CodecError> {
        let mut table = Self { form, ..Self::default() };
        let mut code = table.form.at(0);
        match known.subjects(&table.form, &mut code) {
            Some(subjects) => table.subjects = subjects,
            None => {
                for _ in 0..code.count() {
                    table.subjects.push(code.place());
                    Subject::read(&mut code);
                }
            }
        }
        table.shown_at = code.place();
        code.sized();
        let mut leaves = vec![u32::MAX; code.count()];
        let mut weights = vec![0; leaves.len()];
        let mut runs = Runs::read(&mut code);
        for _ in 0..leaves.len() {
            let number = runs.number();
            let (start, named) = (code.len(), code.named());
            match leaves.get_mut(number as usize) {
                Some(place) if *place == u32::MAX => *place = code.place(),
                _ => code.fail(),
            }
            let weight = known.leaf(number, &mut code).unwrap_or_else(|| {
                let reads = code.sized().len();
                pass_condition(&mut code);
                (start - code.len() + code.named() - named + reads * READ_BYTES) as u32
            });
            if let Some(known) = weights.get_mut(number as usize) {
                *known = weight;
            }
        }
        if !runs.is_whole() {
            code.fail();
        }
        let (place, named, is_sound) = (code.place(), code.named(), code.is_sound());
        table.form.set_leaves(leaves, weights);
        let mut code = table.form.at(if is_sound { place } else { u32::MAX });
        code.name(named);
        let (count, mut id) = (code.count(), 0);
        for _ in 0..count {
            table.ids.push(code.difference(&mut id));
        }
        let text = |id: &u32| table.form.text(*id as usize);
        // A number that is no text's would be in order in front of all others.
        if table.ids.first().is_some_and(|id| text(id).is_none())
            || !table.ids.is_sorted_by(|one, next| known.is_in_order(*one, *next) || text(one) < text(next))
        {
            code.fail();
        }
        for id in &table.ids {
            table.rules.push(code.place());
            if !known.rule(*id, &mut code) {
                RuleRef::pass(&mut code, *id);
            }
        }
        table.rules.push(code.place());
        let kept = known.named();
        table.named = kept.saturating_add(code.named() as u32);
        code.name(kept as usize);
        table.by_type = Postings::read(&mut code);
        table.slots = Postings::read(&mut code);
        let (mut ranked, mut rule) = (code.sized(), 0);
        while !ranked.is_empty() {
            table.ranked.push(ranked.difference(&mut rule));
        }
        // A rule that is named many times would be evaluated as often, and a bundle cost the square of its bytes.
        let is_once = table.names_each_once(table.slots.items())
            && table.names_each_once(&table.ranked)
            && table.by_type.is_strict(table.len());
        if !ranked.is_sound() || !is_once {
            code.fail();
        }
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }

    /// Whether every index is a rule's, and none stands twice.
    fn names_each_once(&self, indexes: &[u32]) -> bool {
        let mut seen = vec![false; self.len()];
        let mut is_new =
            |index: &u32| seen.get_mut(*index as usize).is_some_and(|seen| !core::mem::replace(seen, true));
        indexes.iter().all(&mut is_new)
    }

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

    /// The packed form of the rule of an index.
    pub(super) fn bytes(&self, index: usize) -> &[u8] {
        let ends = self.rules.get(index).zip(self.rules.get(index + 1));
        ends.map_or(&[], |(start, end)| self.form.between(*start, *end))
    }

    /// The numbers of the leaves in the order in which they are written, each with its packed form.
    pub(super) fn each_leaf<'a>(&'a self, see: &mut dyn FnMut(u32, &'a [u8])) {
        let mut code = self.form.at(self.shown_at);
        code.sized();
        let count = code.count();
        let mut runs = Runs::read(&mut code);
        let (mut number, places) = (runs.number(), self.form.leaves());
        let place = |number: u32| places.get(number as usize).copied();
        for left in (0..count).rev() {
            let (start, next) = (place(number).unwrap_or_default(), runs.number());
            let end = if left == 0 { self.end_of_leaf(start) } else { place(next).unwrap_or_default() };
            see(number, self.form.between(start, end));
            number = next;
        }
    }

    /// The packed form of what is read.
    pub(super) fn subject_bytes(&self) -> &[u8] {
        self.form.between(0, self.shown_at)
    }

    /// The packed form of what slots show.
    pub(super) fn shown_bytes(&self) -> &[u8] {
        self.form.at(self.shown_at).bytes()
    }

    fn end_of_leaf(&self, place: u32) -> u32 {
        let mut code = self.form.at(place);
        code.sized();
        pass_condition(&mut code);
        code.place()
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
        Ranking { table: self, indexes: self.ranked.iter() }
    }

    /// The indexes of the rules that exclusion groups rank, in order of rank.
    pub(super) fn ranked_indexes(&self) -> &[u32] {
        &self.ranked
    }

    /// Where the rules of each slot begin, and where the last ones end, among the indexes of all slots' rules in order of
    /// slot and rank.
    pub(super) fn order(&self) -> (&[u32], &[u32]) {
        (self.slots.starts(), self.slots.items())
    }

    /// The numbers of the names of slots, in order of slot.
    pub(super) fn slot_names(&self) -> &[u32] {
        self.slots.names()
    }

    /// The slots that exclusion groups concern.
    pub(super) fn grouped_slots(&self) -> Vec<usize> {
        let mut slots = Marks::none(self.slot_count());
        self.ranked().filter_map(|rule| self.slot_named(rule.head().slot?)).for_each(|slot| slots.add(slot));
        slots.numbers().collect()
    }

    /// How many slots there are.
    pub fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The number of a slot, by its name.
    pub fn slot_named(&self, name: &str) -> Option<usize> {
        self.slots.number(name, &self.form)
    }

    /// The name of the slot of a number, and its active rules; slots are in order of name.
    pub fn slot(&self, number: usize) -> Option<(&str, Ranking<'_>)> {
        let (name, indexes) = self.slots.get(number, &self.form)?;
        Some((name, Ranking { table: self, indexes: indexes.iter() }))
    }
}

/// What is known of a table before it is read.
pub(super) trait Known {
    /// Moves behind what is read, where that is sound; where each thing stands.
    fn subjects(&mut self, form: &Form, code: &mut Code<'_>) -> Option<Vec<u32>>;
    /// Moves behind a leaf that is sound; what a name of it stands for, in bytes.
    fn leaf(&mut self, number: u32, code: &mut Code<'_>) -> Option<u32>;
    /// Moves behind a rule that is sound; whether it is known to be.
    fn rule(&mut self, id: u32, code: &mut Code<'_>) -> bool;
    /// Whether texts of these numbers are known to be in order.
    fn is_in_order(&self, one: u32, next: u32) -> bool;
    /// Bytes that the names in all that has been passed over stand for.
    fn named(&self) -> u32;
}

/// Nothing is known.
struct Unknown;

impl Known for Unknown {
    fn subjects(&mut self, _: &Form, _: &mut Code<'_>) -> Option<Vec<u32>> {
        None
    }

    fn leaf(&mut self, _: u32, _: &mut Code<'_>) -> Option<u32> {
        None
    }

    fn rule(&mut self, _: u32, _: &mut Code<'_>) -> bool {
        false
    }

    fn is_in_order(&self, _: u32, _: u32) -> bool {
        false
    }

    fn named(&self) -> u32 {
        0
    }
}

/// Numbers of leaves in runs: the first of each as the difference to the first of the one before, then how many.
struct Runs<'a> {
    runs: Code<'a>,
    first: u32,
    next: u32,
    left: u64,
}

impl<'a> Runs<'a> {
    fn read(code: &mut Code<'a>) -> Self {
        Self { runs: code.sized(), first: 0, next: 0, left: 0 }
    }

    fn number(&mut self) -> u32 {
        if self.left == 0 {
            (self.next, self.left) = (self.runs.difference(&mut self.first), self.runs.number());
        }
        self.left = self.left.wrapping_sub(1);
        self.next = self.next.wrapping_add(1);
        self.next.wrapping_sub(1)
    }

    /// Whether all numbers have been read.
    fn is_whole(&self) -> bool {
        self.left == 0 && self.runs.is_whole()
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
