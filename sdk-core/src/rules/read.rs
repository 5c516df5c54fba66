//! Taking a table of rules in: every byte is checked once, but for what is known already.

use super::index::Subject;
use super::runs::Runs;
use super::table::RuleLists;
use super::{RuleRef, RuleTable};
use crate::codec::CodecError;
use crate::condition::{Code, Form, Postings, pass_condition};
use crate::limits::READ_BYTES;
use alloc::vec;
use alloc::vec::Vec;

/// Stands for the place of a leaf that has not been met.
pub(super) const NO_PLACE: u32 = u32::MAX;

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
    #[inline(never)]
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
        let leaves = Leaves::read(known, &mut code);
        table.leaves_end = code.place();
        let (named, is_sound) = (code.named(), code.is_sound());
        table.form.set_leaves(leaves.places, leaves.weights);
        let mut code = table.form.at(if is_sound { table.leaves_end } else { u32::MAX });
        code.name(named);
        let (count, mut id) = (code.count(), 0);
        for _ in 0..count {
            table.ids.push(code.difference(&mut id));
        }
        let text = |id: &u32| table.form.text(*id as usize);
        // A number that is no text's would be in order in front of all others.
        if table.ids.first().is_some_and(|id| text(id).is_none())
            || !known.is_in_order(&table.ids, |one, next| text(one) < text(next))
        {
            code.fail();
        }
        while let Some(id) = table.ids.get(table.rules.len()) {
            if !known.rules(&mut table.rules, &mut code) {
                table.rules.push(code.place());
                RuleRef::pass(&mut code, *id);
            }
        }
        table.rules.push(code.place());
        let kept = known.named();
        table.named = kept.saturating_add(code.named() as u32);
        code.name(kept as usize);
        table.lists = match known.lists(&mut code, count) {
            Some(lists) => lists,
            None => RuleLists::read(&mut code, count),
        };
        if code.is_whole() { Ok(table) } else { Err(CodecError) }
    }
}

/// Where leaves stand by their numbers, and what a name of each stands for, in bytes.
pub(super) struct Leaves {
    pub places: Vec<u32>,
    pub weights: Vec<u32>,
}

impl Leaves {
    fn read(known: &mut impl Known, code: &mut Code<'_>) -> Self {
        let mut left = code.count();
        let mut leaves = Self { places: vec![NO_PLACE; left], weights: vec![0; left] };
        let mut runs = Runs::read(code);
        while left > 0 {
            let passed = known.leaves(&mut runs, &mut leaves, code);
            left = left.saturating_sub(passed);
            if passed == 0 {
                leaves.read_one(runs.number() as usize, code);
                left -= 1;
            }
        }
        if !runs.is_whole() {
            code.fail();
        }
        leaves
    }

    fn read_one(&mut self, number: usize, code: &mut Code<'_>) {
        let (place, start, named) = (code.place(), code.len(), code.named());
        let reads = code.sized().len();
        pass_condition(code);
        let weight = start - code.len() + code.named() - named + reads * READ_BYTES;
        match self.places.get_mut(number).zip(self.weights.get_mut(number)) {
            Some((known, known_weight)) if *known == NO_PLACE => {
                (*known, *known_weight) = (place, weight as u32);
            }
            _ => code.fail(),
        }
    }
}

impl RuleLists {
    /// Reads the lists of so many rules.
    fn read(code: &mut Code<'_>, rules: usize) -> Self {
        let (by_type, slots) = (Postings::read(code), Postings::read(code));
        let mut lists = Self { by_type, slots, ranked: Vec::new() };
        let (mut ranked, mut rule) = (code.sized(), 0);
        while !ranked.is_empty() {
            lists.ranked.push(ranked.difference(&mut rule));
        }
        // A rule that is named many times would be evaluated as often, and a bundle cost the square of its bytes.
        let is_once = names_each_once(lists.slots.items(), rules)
            && names_each_once(&lists.ranked, rules)
            && lists.by_type.is_strict(rules);
        if !ranked.is_sound() || !is_once {
            code.fail();
        }
        lists
    }
}

/// Whether every index is one of so many rules', and none stands twice.
fn names_each_once(indexes: &[u32], rules: usize) -> bool {
    let mut seen = vec![false; rules];
    let mut is_new =
        |index: &u32| seen.get_mut(*index as usize).is_some_and(|seen| !core::mem::replace(seen, true));
    indexes.iter().all(&mut is_new)
}

/// What is known of a table before it is read.
pub(super) trait Known {
    /// Moves behind what is read, where that is sound; where each thing stands.
    fn subjects(&mut self, form: &Form, code: &mut Code<'_>) -> Option<Vec<u32>>;
    /// Moves behind leaves that are sound, and takes them in; how many there were.
    fn leaves(&mut self, runs: &mut Runs<'_>, leaves: &mut Leaves, code: &mut Code<'_>) -> usize;
    /// Whether the texts of all these numbers are in order.
    fn is_in_order(&mut self, ids: &[u32], is_less: impl Fn(&u32, &u32) -> bool) -> bool;
    /// Moves behind the rules that come next and are sound, and adds where each stands; whether there were any.
    fn rules(&mut self, places: &mut Vec<u32>, code: &mut Code<'_>) -> bool;
    /// Bytes that the names in all that has been passed over stand for.
    fn named(&self) -> u32;
    /// Moves behind the lists of so many rules, where they are sound.
    fn lists(&mut self, code: &mut Code<'_>, rules: usize) -> Option<RuleLists>;
}

/// Nothing is known.
struct Unknown;

impl Known for Unknown {
    fn subjects(&mut self, _: &Form, _: &mut Code<'_>) -> Option<Vec<u32>> {
        None
    }

    fn leaves(&mut self, _: &mut Runs<'_>, _: &mut Leaves, _: &mut Code<'_>) -> usize {
        0
    }

    fn is_in_order(&mut self, ids: &[u32], is_less: impl Fn(&u32, &u32) -> bool) -> bool {
        ids.is_sorted_by(is_less)
    }

    fn rules(&mut self, _: &mut Vec<u32>, _: &mut Code<'_>) -> bool {
        false
    }

    fn named(&self) -> u32 {
        0
    }

    fn lists(&mut self, _: &mut Code<'_>, _: usize) -> Option<RuleLists> {
        None
    }
}
