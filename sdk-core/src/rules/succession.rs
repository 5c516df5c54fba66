//! A table of rules that follows another: what is as it was there is neither checked nor indexed again.

use super::index::{Marks, Subject};
use super::read::{Known, Leaves, NO_PLACE};
use super::runs::Runs;
use super::table::RuleLists;
use super::{RuleRef, RuleTable};
use crate::codec::CodecError;
use crate::condition::{Code, Form, NO_ID, NO_TEXT, pass_condition};
use crate::id::SignalId;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// What of a table is as it was in the table before.
#[derive(Debug, Default)]
pub struct Succession {
    /// Of each rule the index that an equal one had, counted from 1, or 0; empty where nothing is known.
    rules: Vec<u32>,
    /// Leaves by number.
    leaves: Marks,
    /// Whether all that is read is the same.
    subjects: bool,
    /// Whether all signals are.
    signals: bool,
    /// Whether experiments and models are, too.
    others: bool,
    /// Whether all that event types and slots name is.
    lists: bool,
    /// Whether a text or an id has gone.
    is_any_gone: bool,
}

impl Succession {
    /// Whether anything is known.
    pub(super) const fn is_known(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The index that the rule of an index had, if it is the same.
    pub(super) fn rule_before(&self, rule: usize) -> Option<usize> {
        (*self.rules.get(rule)? as usize).checked_sub(1)
    }

    /// By the index that a rule had, of so many, the one it has now; none for rules that have changed or gone.
    pub(super) fn rules_now(&self, before: usize) -> Vec<u32> {
        let mut now = vec![u32::MAX; before];
        for (index, then) in self.rules.iter().enumerate() {
            if let Some(now) = now.get_mut((*then as usize).wrapping_sub(1)) {
                *now = index as u32;
            }
        }
        now
    }

    /// Says whether the signals are the same, too, and experiments and models.
    pub(crate) fn with(self, signals: bool, others: bool) -> Self {
        Self { signals, others, ..self }
    }

    /// Whether whatever a rule can show has the value that it had.
    pub(super) const fn shows_alike(&self) -> bool {
        self.signals && self.others
    }

    /// Whether all that is read is the same, signals included.
    pub(super) const fn has_subjects(&self) -> bool {
        self.subjects && self.signals
    }

    /// Whether event types and slots name the same rules by the same indexes.
    pub(super) const fn has_lists(&self) -> bool {
        self.lists
    }

    /// Whether a text or an id has gone.
    pub(super) const fn is_any_gone(&self) -> bool {
        self.is_any_gone
    }

    /// The numbers, below the count of the leaves that were, of those that are not the same.
    pub(super) fn other_leaves(&self, count: usize) -> impl Iterator<Item = usize> {
        self.leaves.missing().take_while(move |number| *number < count)
    }

    /// The indexes of rules that are not the same.
    pub(super) fn other_rules(&self) -> impl Iterator<Item = usize> {
        self.rules.iter().enumerate().filter(|(_, then)| **then == 0).map(|(rule, _)| rule)
    }
}

/// Bytes of a leaf in the place of one that has gone: nothing is read, and no part has to hold.
const NO_LEAF: [u8; 3] = [0; 3];

impl RuleTable {
    /// Takes a packed form in that follows the one before, as [`Self::open`] does, in the time that what differs takes,
    /// besides a look at the bytes.
    ///
    /// What is written in equal bytes says the same, since numbers stand for what they stood for, or for nothing; where
    /// they do not, everything is checked.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_after(bytes: &[u8], before: &Self) -> Result<(Self, Succession), CodecError> {
        let form = Form::open(bytes)?;
        if let Some(mut kept) = Kept::new(before, &form)
            && let Ok(table) = Self::read(form, &mut kept)
            && kept.is_sound
            && table.form().leaves().len() >= before.form().leaves().len()
            && (kept.subjects || reads_on(before, &table))
        {
            let Kept { leaves, rules, subjects, mut lists, is_any_gone, .. } = kept;
            // Lists that are written alike name other rules where these have moved.
            lists &= (1..).zip(&rules).all(|(now, then)| *then == 0 || *then == now);
            return Ok((
                table,
                Succession { rules, leaves, subjects, lists, is_any_gone, ..Succession::default() },
            ));
        }
        Ok((Self::open(bytes)?, Succession::default()))
    }
}

/// Whether whatever was read has its number still, or nothing has.
fn reads_on(before: &RuleTable, after: &RuleTable) -> bool {
    fn read<'a>(table: &'a RuleTable, place: &u32) -> Subject<'a> {
        Subject::read(&mut table.form().at(*place))
    }
    let mut now = after.subjects().iter();
    before.subjects().iter().all(|known| {
        let (known, now) = (Some(read(before, known)), now.next().map(|now| read(after, now)));
        now == known || now == Some(Subject::NOTHING)
    })
}

/// A table while the one that follows it is read.
struct Kept<'a> {
    before: &'a RuleTable,
    /// Leaves that were written one behind the other under numbers that follow each other, in order of number.
    runs: Vec<Run>,
    /// By number of a leaf, whether it is the same.
    leaves: Marks,
    /// By number of an id: the index of its rule counted from 1, or 0.
    rule_of: Vec<u32>,
    /// By index of a rule, the index before of a rule of its id counted from 1, or 0; where the rule has been passed over,
    /// of an equal one.
    rules: Vec<u32>,
    /// By index before, whether the rule is the same.
    kept_rules: Marks,
    /// Up to which index rules come in the order in which they came.
    in_step: usize,
    /// Whether a text or an id has gone.
    is_any_gone: bool,
    /// Whether all that is read is the same.
    subjects: bool,
    /// Whether all that event types and slots name is.
    lists: bool,
    /// Whether what differs is new, or nothing where something was.
    is_sound: bool,
}

/// Leaves that stand one behind the other.
struct Run {
    numbers: Range<u32>,
    /// Where the last one ends.
    end: u32,
}

impl<'a> Kept<'a> {
    /// Compares the tables of two forms; nothing where a number stands for something else.
    fn new(before: &'a RuleTable, form: &Form) -> Option<Self> {
        let known = before.form();
        let (mut ids, mut is_any_gone) = (form.ids(), false);
        let mut is_same = |id: SignalId| {
            let now = ids.next();
            is_any_gone |= now == Some(NO_ID);
            now == Some(id) || now == Some(NO_ID)
        };
        if !known.ids().all(&mut is_same) || !form.zones().starts_with(known.zones()) {
            return None;
        }
        let mut rule_of = vec![0; known.text_count()];
        for (index, id) in before.ids().iter().enumerate() {
            if let Some(rule) = rule_of.get_mut(*id as usize) {
                *rule = index as u32 + 1;
            }
        }
        let mut number = known.next_other_text(form, 0);
        while let Some(rule) = rule_of.get_mut(number) {
            let is_gone = form.text(number) == Some(NO_TEXT) && known.text(number) != Some("");
            if !is_gone {
                return None;
            }
            *rule = 0;
            is_any_gone = true;
            number = known.next_other_text(form, number + 1);
        }
        Some(Self {
            before,
            runs: runs_of(before),
            leaves: Marks::none(known.leaves().len()),
            rule_of,
            rules: Vec::new(),
            kept_rules: Marks::none(before.len()),
            in_step: 0,
            is_any_gone,
            subjects: false,
            lists: false,
            is_sound: true,
        })
    }

    /// The run that a number belongs to.
    fn run_of(&self, number: u32) -> Option<&Run> {
        let run = self.runs.partition_point(|run| run.numbers.end <= number);
        self.runs.get(run).filter(|run| run.numbers.start <= number)
    }
}

/// The runs in which the leaves of a table are written, in order of number.
fn runs_of(table: &RuleTable) -> Vec<Run> {
    let (mut left, mut written) = table.runs();
    let (mut runs, places) = (Vec::<Run>::new(), table.form().leaves());
    while left > 0 {
        let (first, length) = written.run();
        let place = places.get(first as usize).copied().unwrap_or(table.leaves_end);
        if let Some(last) = runs.last_mut() {
            last.end = place;
        }
        written.pass(length as u32);
        left = left.saturating_sub(length as usize);
        runs.push(Run { numbers: first..first + length as u32, end: table.leaves_end });
    }
    runs.sort_unstable_by_key(|run| run.numbers.start);
    runs
}

/// How many of the parts that begin at these places, the last of them ending at `end`, are whole within so many bytes.
fn whole(places: &[u32], end: u32, bytes: usize) -> usize {
    let Some(start) = places.first() else { return 0 };
    if (end - start) as usize <= bytes {
        return places.len();
    }
    places.partition_point(|place| (place - start) as usize <= bytes) - 1
}

impl Known for Kept<'_> {
    fn subjects(&mut self, form: &Form, code: &mut Code<'_>) -> Option<Vec<u32>> {
        let bytes = self.before.subject_bytes();
        let places = self.before.subjects();
        let known = self.before.form();
        let is_there =
            |place: &u32| Subject::read(&mut form.at(*place)) == Subject::read(&mut known.at(*place));
        self.subjects = code.begins_with(bytes) && (!self.is_any_gone || places.iter().all(is_there));
        self.subjects.then(|| {
            code.skip(bytes.len());
            places.to_vec()
        })
    }

    fn leaves(&mut self, runs: &mut Runs<'_>, leaves: &mut Leaves, code: &mut Code<'_>) -> usize {
        let form = self.before.form();
        let (number, length) = runs.run();
        // What will be read once more, as a whole, is not looked at in stretches.
        let Some(run) = self.run_of(number).filter(|_| self.is_sound) else { return 0 };
        let last = u64::from(run.numbers.end).min(u64::from(number).saturating_add(length)) as usize;
        let places = form.leaves().get(number as usize..last).unwrap_or_default();
        let end = if last < run.numbers.end as usize { form.leaves().get(last) } else { Some(&run.end) };
        let (Some(start), Some(end)) = (places.first(), end) else { return 0 };
        let count = whole(places, *end, code.common(form.between(*start, *end)));
        let numbers = number as usize..number as usize + count;
        let next = form.leaves().get(numbers.end).filter(|_| count < places.len()).unwrap_or(end);
        let (by, bytes) = (code.place().wrapping_sub(*start), (next - start) as usize);
        let Some(now) = leaves.places.get_mut(numbers.clone()) else { return 0 };
        let is_new = now.iter().all(|place| *place == NO_PLACE);
        if count == 0 || !is_new {
            self.is_sound &= is_new && code.begins_with(&NO_LEAF);
            return 0;
        }
        for (now, place) in now.iter_mut().zip(places) {
            *now = place.wrapping_add(by);
        }
        if let Some((now, weights)) =
            leaves.weights.get_mut(numbers.clone()).zip(form.weights().get(numbers.clone()))
        {
            now.copy_from_slice(weights);
        }
        self.leaves.add_range(numbers);
        code.skip(bytes);
        runs.pass(count as u32);
        count
    }

    fn is_in_order(&mut self, ids: &[u32], is_less: impl Fn(&u32, &u32) -> bool) -> bool {
        let rule = |id: &u32| self.rule_of.get(*id as usize).copied().unwrap_or_default();
        self.rules = ids.iter().map(rule).collect();
        let next = ids.iter().zip(&self.rules).skip(1);
        ids.iter()
            .zip(&self.rules)
            .zip(next)
            .all(|((id, rule), (next_id, next))| (*rule > 0 && rule < next) || is_less(id, next_id))
    }

    fn rules(&mut self, places: &mut Vec<u32>, code: &mut Code<'_>) -> bool {
        let from = places.len();
        let (known, form) = (self.before.places(), self.before.form());
        let Some(then) = self.rules.get_mut(from..) else { return false };
        let Some(first) = then.first().and_then(|rule| (*rule as usize).checked_sub(1)) else { return false };
        if self.in_step <= from {
            let next = then.iter().zip(first as u32 + 1..);
            self.in_step = from + next.take_while(|(rule, next)| **rule == *next).count();
        }
        let run = self.in_step - from;
        let starts = known.get(first..first + run).unwrap_or_default();
        let (Some(start), Some(end)) = (starts.first(), known.get(first + run)) else { return false };
        let count = whole(starts, *end, code.common(form.between(*start, *end)));
        if let Some(changed) = then.get_mut(count).filter(|_| count < run) {
            // It comes next, and is looked at by itself.
            *changed = 0;
        }
        let (by, next) = (code.place().wrapping_sub(*start), known.get(first + count).unwrap_or(end));
        places.extend(starts.iter().take(count).map(|place| place.wrapping_add(by)));
        self.kept_rules.add_range(first..first + count);
        code.skip((next - start) as usize);
        count > 0
    }

    fn named(&self) -> u32 {
        let form = self.before.form();
        let mut gone = 0;
        for place in self.before.subjects().iter().filter(|_| !self.subjects) {
            let mut code = form.at(*place);
            Subject::read(&mut code);
            gone += code.named();
        }
        for place in self.leaves.missing().filter_map(|number| form.leaves().get(number)) {
            let mut code = form.at(*place);
            code.sized();
            pass_condition(&mut code);
            gone += code.named();
        }
        let (ids, places) = (self.before.ids(), self.before.places());
        let gone_rules = self.kept_rules.missing().filter_map(|rule| ids.get(rule).zip(places.get(rule)));
        for (id, place) in gone_rules {
            let mut code = form.at(*place);
            RuleRef::pass(&mut code, *id);
            gone += code.named();
        }
        self.before.named().saturating_sub(gone as u32)
    }

    fn lists(&mut self, code: &mut Code<'_>, rules: usize) -> Option<RuleLists> {
        let bytes = self.before.list_bytes();
        self.lists = rules == self.before.len() && code.len() == bytes.len() && code.begins_with(bytes);
        self.lists.then(|| {
            code.skip(bytes.len());
            self.before.lists.clone()
        })
    }
}
