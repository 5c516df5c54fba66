//! The rules of a bundle, read in place: by index, by id, by the event type they are judged at, and by slot.

use super::codec::encode_rule;
use super::index::{Marks, Subject};
use super::leaves::{pack_leaves, settle, settle_close};
use super::slot::{ranked_of, slots_of};
use super::{Mode, Rule, RuleRef};
use crate::codec::CodecError;
use crate::condition::{ANY, Form, Packer, Postings, decode_condition, leaf_key, pass_condition, place_of};
use crate::limits::READ_BYTES;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// The rules of a bundle, in order of id, and its slots, in order of name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTable {
    form: Form,
    /// Where each thing stands that the rules of slots read.
    subjects: Vec<u32>,
    /// The number of each rule's id among the texts, and where the rule stands.
    ids: Vec<u32>,
    rules: Vec<u32>,
    /// For each event type the active rules that are judged at it, those for every type included.
    by_type: Postings,
    /// For each slot its active rules, the one that wins over all others first.
    slots: Postings,
    /// The active rules of the slots that an exclusion group concerns, the one of the highest rank first.
    ranked: Vec<u32>,
}

impl RuleTable {
    /// Writes the packed form; the rules are in order of id, without repeats.
    pub fn pack(rules: &[Rule]) -> Vec<u8> {
        Self::pack_in(Packer::new(), rules, &|_| None)
    }

    /// Writes the packed form with the numbers of texts and leaves that an earlier one has, so that what is equal in both
    /// is written alike.
    pub fn pack_like(before: &Self, rules: &[Rule]) -> Vec<u8> {
        let fresh = Self::pack(rules);
        let Ok(form) = Form::open(&fresh) else { return fresh };
        let known: BTreeMap<&str, usize> =
            before.form.texts().enumerate().map(|(number, text)| (text, number)).collect();
        let asked = form.texts().map(|text| known.get(text).copied()).collect();
        // A number of nobody's reads as the empty text, so there are none beside that one.
        let numbers = if form.texts().any(str::is_empty) { settle_close(asked) } else { settle(asked) };
        let texts: BTreeMap<usize, &str> = numbers.into_iter().zip(form.texts()).collect();
        let count = texts.last_key_value().map_or(0, |(last, _)| last + 1);
        let texts = (0..count).map(|number| texts.get(&number).copied());
        let leaves: BTreeMap<Vec<u8>, usize> = before
            .form
            .leaves()
            .iter()
            .enumerate()
            .map(|(number, place)| (before.leaf_key(*place), number))
            .collect();
        Self::pack_in(Packer::with_texts(texts), rules, &|key| leaves.get(key).copied())
    }

    fn leaf_key(&self, place: u32) -> Vec<u8> {
        let mut code = self.form.at(place);
        code.sized();
        leaf_key(&decode_condition(&mut code))
    }

    fn pack_in(mut packer: Packer, rules: &[Rule], numbered: &dyn Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        let rules: Vec<Rule> = rules.iter().map(Rule::indexed).collect();
        let (rules, slots) = (&rules[..], slots_of(&rules));
        // Neighbours in the list of ids then have neighbouring numbers, which compresses well.
        for rule in rules {
            packer.number(&rule.id);
        }
        pack_leaves(rules, &slots, numbered, &mut packer);
        let mut before = 0;
        packer.list(rules, |rule, packer| {
            let id = packer.number(&rule.id);
            packer.difference(&mut before, id);
        });
        rules.iter().for_each(|rule| encode_rule(rule, &mut packer));
        Postings::pack(&by_type(rules), &mut packer);
        Postings::pack(&slots, &mut packer);
        packer.group(&ranked_of(rules), |index, packer| packer.out.len(*index));
        packer.finish()
    }

    /// Takes a packed form in, once it is checked to its end.
    ///
    /// # Errors
    /// Fails on bytes that are none, on rules that are not in order of id, and on a rule that a slot or an event type
    /// names twice.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut table = Self { form: Form::open(bytes)?, ..Self::default() };
        let mut code = table.form.at(0);
        for _ in 0..code.count() {
            table.subjects.push(code.place());
            Subject::read(&mut code);
            code.sized();
        }
        let mut leaves = vec![u32::MAX; code.count()];
        let mut weights = vec![0; leaves.len()];
        let mut runs = code.sized();
        let (mut first, mut number, mut left) = (0, 0_u32, 0_u64);
        for _ in 0..leaves.len() {
            if left == 0 {
                (number, left) = (runs.difference(&mut first), runs.number());
            }
            let (start, named) = (code.len(), code.named());
            match leaves.get_mut(number as usize) {
                Some(place) if *place == u32::MAX => *place = code.place(),
                _ => code.fail(),
            }
            let reads = code.sized().len();
            pass_condition(&mut code);
            if let Some(weight) = weights.get_mut(number as usize) {
                *weight = (start - code.len() + code.named() - named + reads * READ_BYTES) as u32;
            }
            (number, left) = (number.wrapping_add(1), left.wrapping_sub(1));
        }
        if left != 0 || !runs.is_whole() {
            code.fail();
        }
        let (place, named, is_sound) = (code.place(), code.named(), code.is_sound());
        table.form.set_leaves(leaves, weights);
        let mut code = table.form.at(if is_sound { place } else { u32::MAX });
        code.name(named);
        let (count, mut id) = (code.count(), 0);
        table.ids.reserve_exact(count);
        table.rules.reserve_exact(count);
        for _ in 0..count {
            table.ids.push(code.difference(&mut id));
        }
        let text = |id: &u32| table.form.text(*id as usize);
        if !table.ids.is_sorted_by(|one, next| text(one) < text(next)) {
            code.fail();
        }
        for id in &table.ids {
            table.rules.push(code.place());
            RuleRef::pass(&mut code, *id);
        }
        table.by_type = Postings::read(&mut code);
        table.slots = Postings::read(&mut code);
        let mut ranked = code.sized();
        while !ranked.is_empty() {
            table.ranked.push(ranked.number() as u32);
        }
        // A rule that is named many times would be evaluated as often, and a bundle cost the square of its bytes.
        let is_once = table.names_each_once(table.slots.items())
            && table.names_each_once(&table.ranked)
            && table.by_type.is_strict(table.rules.len());
        if !ranked.is_sound() || !is_once {
            code.fail();
        }
        let is_whole = code.is_whole();
        table.form.end_check();
        if is_whole { Ok(table) } else { Err(CodecError) }
    }

    /// Whether every index is a rule's, and none stands twice.
    fn names_each_once(&self, indexes: &[u32]) -> bool {
        let mut seen = vec![false; self.rules.len()];
        let mut is_new =
            |index: &u32| seen.get_mut(*index as usize).is_some_and(|seen| !core::mem::replace(seen, true));
        indexes.iter().all(&mut is_new)
    }

    /// The packed form, for those who read at places of it.
    pub(super) const fn form(&self) -> &Form {
        &self.form
    }

    /// Where each thing stands that the rules of slots read.
    pub(super) fn subjects(&self) -> &[u32] {
        &self.subjects
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
        Some(RuleRef::read(&mut self.form.at(*place), index, *self.ids.get(index)?))
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

    /// The slots that exclusion groups concern.
    pub(super) fn grouped_slots(&self) -> Vec<usize> {
        let mut slots = Marks::none(self.slot_count());
        self.ranked().filter_map(|rule| self.slot_named(rule.head().slot?)).for_each(|slot| slots.add(slot));
        core::iter::successors(slots.next(0), |slot| slots.next(slot + 1)).collect()
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

/// For each event type the active rules that are judged at it, those for every type included.
fn by_type(rules: &[Rule]) -> Vec<(&str, Vec<usize>)> {
    let mut types: BTreeMap<&str, Vec<usize>> = BTreeMap::from([(ANY, Vec::new())]);
    for (on, index) in rules.iter().enumerate().filter_map(judged_at) {
        types.entry(on).or_default().push(index);
    }
    let any = types.get(ANY).cloned().unwrap_or_default();
    for (on, indexes) in &mut types {
        if *on != ANY {
            indexes.extend(&any);
            indexes.sort_unstable();
        }
    }
    types.into_iter().collect()
}

/// The event type at which an active rule is judged, and its index.
fn judged_at((index, rule): (usize, &Rule)) -> Option<(&str, usize)> {
    match (&rule.inactive, &rule.mode) {
        (None, Mode::Event { on, .. }) => Some((on, index)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::rules::{Hold, Terms};
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

    /// A table of two rules whose lists are those given: of the event type `*`, of the slot, of the ranking.
    fn opened(judged: &[usize], slot: &[usize], ranked: &[usize]) -> Option<usize> {
        let rules =
            [rule("a", Mode::Event { on: Box::from("*"), hold: Hold::Session }), rule("b", Mode::Level)];
        let sound = RuleTable::pack(&rules);
        let tail = |judged: &[usize], slot: &[usize], ranked: &[usize], packer: &mut Packer| {
            Postings::pack(&[(ANY, judged.to_vec())], packer);
            Postings::pack(&[("s", slot.to_vec())], packer);
            packer.group(ranked, |index, packer| packer.out.len(*index));
        };
        // The lists are the last of the code, and all that differs; their texts have the numbers they have there.
        let rules: Vec<Rule> = rules.iter().map(Rule::indexed).collect();
        let slots = slots_of(&rules);
        let mut packer = Packer::new();
        pack_leaves(&rules, &slots, &|_| None, &mut packer);
        let mut before = 0;
        packer.list(&rules, |rule, packer| {
            let id = packer.number(&rule.id);
            packer.difference(&mut before, id);
        });
        rules.iter().for_each(|rule| encode_rule(rule, &mut packer));
        tail(judged, slot, ranked, &mut packer);
        let bytes = packer.finish();
        assert_eq!(bytes == sound, judged == [0] && slot == [0, 1] && ranked == [0, 1]);
        RuleTable::open(&bytes).ok().map(|table| table.len())
    }

    #[test]
    fn a_rule_that_a_list_names_twice_or_that_is_not_there_makes_a_table_unsound() {
        assert_eq!(opened(&[0], &[0, 1], &[0, 1]), Some(2));
        assert_eq!(opened(&[0, 0], &[0, 1], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 0], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 2], &[0, 1]), None);
        assert_eq!(opened(&[0], &[0, 1], &[1, 0, 1]), None);
    }
}
