//! A table of rules that follows another: what is as it was there is neither checked nor indexed again.

use super::index::{Marks, Subject};
use super::table::Known;
use super::{RuleRef, RuleTable};
use crate::codec::CodecError;
use crate::condition::{Code, Form, NO_ID, NO_TEXT, pass_condition};
use crate::id::SignalId;
use alloc::vec;
use alloc::vec::Vec;

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

    /// Says whether the signals are the same, too.
    pub(crate) fn with_signals(self, signals: bool) -> Self {
        Self { signals, ..self }
    }

    /// Whether all that is read is the same, signals included.
    pub(super) const fn has_subjects(&self) -> bool {
        self.subjects && self.signals
    }

    /// Whether the leaf of a number is the same.
    pub(super) fn has_leaf(&self, number: usize) -> bool {
        self.leaves.has(number)
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
            let Kept { leaves, rule_of, subjects, .. } = kept;
            let rules = table.ids().iter().map(|id| rule_of.get(*id as usize).map_or(0, |rule| rule.now()));
            let succession = Succession { rules: rules.collect(), leaves, subjects, signals: false };
            return Ok((table, succession));
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
    /// By number of a leaf: its bytes.
    bytes: Vec<&'a [u8]>,
    leaves: Marks,
    /// By number of an id: its rule.
    rule_of: Vec<Then>,
    /// Whether a text or an id has gone.
    is_any_gone: bool,
    /// Whether all that is read is the same.
    subjects: bool,
    /// Whether what differs is new, or nothing where something was.
    is_sound: bool,
}

/// A rule of the table before: its index counted from 1, or 0, and whether it was met again.
#[derive(Clone, Copy, Default)]
struct Then(u32);

impl Then {
    const MET: u32 = 1 << 31;

    const fn index(self) -> Option<usize> {
        ((self.0 & !Self::MET) as usize).checked_sub(1)
    }

    /// The index counted from 1 of a rule that was met again; 0 otherwise.
    const fn now(self) -> u32 {
        if self.0 & Self::MET == 0 { 0 } else { self.0 & !Self::MET }
    }
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
        let mut rule_of = vec![Then::default(); known.text_count()];
        for (index, id) in before.ids().iter().enumerate() {
            if let Some(rule) = rule_of.get_mut(*id as usize) {
                *rule = Then(index as u32 + 1);
            }
        }
        let mut number = known.next_other_text(form, 0);
        while let Some(rule) = rule_of.get_mut(number) {
            let is_gone = form.text(number) == Some(NO_TEXT) && known.text(number) != Some("");
            if !is_gone {
                return None;
            }
            *rule = Then::default();
            is_any_gone = true;
            number = known.next_other_text(form, number + 1);
        }
        let count = known.leaves().len();
        let mut bytes = vec![&[][..]; count];
        before.each_leaf(&mut |number, leaf| {
            if let Some(place) = bytes.get_mut(number as usize) {
                *place = leaf;
            }
        });
        let leaves = Marks::none(count);
        Some(Self { before, bytes, leaves, rule_of, is_any_gone, subjects: false, is_sound: true })
    }

    fn then(&self, id: u32) -> Then {
        self.rule_of.get(id as usize).copied().unwrap_or_default()
    }
}

impl Known for Kept<'_> {
    fn subjects(&mut self, form: &Form, code: &mut Code<'_>) -> Option<Vec<u32>> {
        let bytes = self.before.subject_bytes();
        let places = self.before.subjects();
        let known = self.before.form();
        let is_there =
            |place: &u32| Subject::read(&mut form.at(*place)) == Subject::read(&mut known.at(*place));
        let is_next = code.begins_with(bytes) && (!self.is_any_gone || places.iter().all(is_there));
        self.subjects = is_next && code.pass(bytes);
        self.subjects.then(|| places.to_vec())
    }

    fn leaf(&mut self, number: u32, code: &mut Code<'_>) -> Option<u32> {
        let bytes = self.bytes.get(number as usize)?;
        if code.pass(bytes) {
            self.leaves.add(number as usize);
            return Some(self.before.form().weight(number as usize));
        }
        self.is_sound &= code.begins_with(&NO_LEAF);
        None
    }

    fn rule(&mut self, id: u32, code: &mut Code<'_>) -> bool {
        let then = self.then(id);
        let is_same = then.index().is_some_and(|index| code.pass(self.before.bytes(index)));
        if is_same && let Some(rule) = self.rule_of.get_mut(id as usize) {
            rule.0 |= Then::MET;
        }
        is_same
    }

    fn is_in_order(&self, one: u32, next: u32) -> bool {
        let [one, next] = [one, next].map(|id| self.then(id).index());
        one.is_some() && one < next
    }

    fn named(&self) -> u32 {
        let form = self.before.form();
        let mut gone = 0;
        for place in self.before.subjects().iter().filter(|_| !self.subjects) {
            let mut code = form.at(*place);
            Subject::read(&mut code);
            gone += code.named();
        }
        for (number, place) in form.leaves().iter().enumerate() {
            if !self.leaves.has(number) {
                let mut code = form.at(*place);
                code.sized();
                pass_condition(&mut code);
                gone += code.named();
            }
        }
        for (id, place) in self.before.ids().iter().zip(self.before.places()) {
            if self.then(*id).now() == 0 {
                let mut code = form.at(*place);
                RuleRef::pass(&mut code, *id);
                gone += code.named();
            }
        }
        self.before.named().saturating_sub(gone as u32)
    }
}
