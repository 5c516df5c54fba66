//! One visitor's truths over an index, brought up to date by what has changed.

use super::agenda::Agenda;
use super::gates::Counters;
use super::{Edge, Index, Kind, Marks, Subject};
use crate::condition::{Code, Document, Outlook, Root, Truth, plain_text, to_number, truth};
use crate::id::SignalId;
use crate::rules::RuleTable;
use crate::time::Timestamp;
use crate::value::ValueRef;
use alloc::vec;
use alloc::vec::Vec;

/// What holds for one visitor, and what has to be looked at again.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Of each leaf; nothing for one that has not been asked since what it reads has changed.
    truths: Vec<Option<Truth>>,
    counters: Vec<Counters>,
    subjects: Vec<Standing>,
    /// Rules, by place, of which everything but late leaves holds, and those that a latch may hold.
    holding: Marks,
    changed: Marks,
    to_ask: Marks,
    slots: Marks,
    /// Keyed leaves that the value just read makes unusual; empty between readings.
    fresh: Marks,
    /// Subjects, then leaves, then slots.
    agenda: Agenda,
}

/// How a subject's value stands to the leaves that compare it.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// How many of its lower and of its upper bounds hold, the first ones of each.
    holding: [usize; 2],
    /// Keyed leaves that are not what they usually are.
    unusual: Vec<u32>,
    /// Whether its value is none that bounds and keys speak of, so that every leaf was asked.
    is_odd: bool,
}

impl Live {
    /// A visitor of whom nothing has been read.
    pub fn new(index: &Index) -> Self {
        let (subjects, atoms) = (index.subjects.len(), index.atoms.len());
        let slots = index.first_rule.len().saturating_sub(1);
        let mut live = Self {
            truths: Vec::with_capacity(atoms),
            counters: index.gates.start.clone(),
            subjects: vec![Standing::default(); subjects],
            holding: Marks::none(index.order.len()),
            changed: Marks::none(subjects),
            to_ask: Marks::none(atoms),
            slots: Marks::none(slots),
            fresh: Marks::none(atoms),
            agenda: Agenda::of(subjects + atoms + slots),
        };
        for atom in &index.atoms {
            live.truths.push(match atom.kind {
                Kind::Late => None,
                Kind::Keyed { usual } => Some(Some(usual)),
                Kind::Bound(_) | Kind::Asked => Some(Some(false)),
            });
        }
        for (place, counters) in live.counters.iter().take(index.order.len()).enumerate() {
            live.holding.set(place, counters.truth() == Some(true));
        }
        live.touch_all(index);
        live
    }

    /// Everything may have changed.
    pub fn touch_all(&mut self, index: &Index) {
        (0..index.subjects.len()).for_each(|subject| self.changed.add(subject));
        (1..index.first_rule.len()).for_each(|slot| self.slots.add(slot - 1));
        // A leaf may read nothing but the time.
        let asked = |atom: &usize| matches!(index.kind(*atom), Some(Kind::Late | Kind::Asked));
        (0..index.atoms.len()).filter(asked).for_each(|atom| self.ask_again(atom, index));
    }

    /// The value of one subject may have changed.
    pub fn touch(&mut self, subject: usize) {
        self.changed.add(subject);
    }

    /// Something has changed.
    pub fn touch_anything(&mut self, index: &Index) {
        index.anything.iter().for_each(|subject| self.changed.add(*subject));
    }

    /// Values below a root may have changed.
    pub fn touch_root(&mut self, root: Root, index: &Index, rules: &RuleTable) {
        for subject in 0..index.subjects.len() {
            if matches!(index.subject(subject, rules), Some(Subject::Path(path)) if path.root == root) {
                self.changed.add(subject);
            }
        }
    }

    /// A signal may have changed, under whatever key.
    pub fn touch_signal(&mut self, signal: SignalId, index: &Index) {
        for (subject, entry) in index.subjects.iter().enumerate() {
            if entry.signal == Some(signal) {
                self.changed.add(subject);
            }
        }
    }

    /// The latch of the rule at a place has come, gone or changed.
    pub fn touch_latch(&mut self, place: usize, is_there: bool, index: &Index) {
        self.holding.set(place, is_there);
        self.slots.add(index.slot_of(place));
    }

    /// A slot must be decided again at an instant.
    pub fn revisit(&mut self, slot: usize, at: Option<Timestamp>, index: &Index) {
        self.agenda.set(index.subjects.len() + index.atoms.len() + slot, at);
    }

    /// The next instant at which time alone can change something.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        self.agenda.next_at()
    }

    /// Takes out the first slot, from one on, that has to be decided again.
    pub fn take_slot(&mut self, from: usize) -> Option<usize> {
        self.slots.take(from)
    }

    /// The next rule, from a place on, that may hold.
    pub fn next_holding(&self, place: usize) -> Option<usize> {
        self.holding.next(place)
    }

    /// Whether the rule at a place may hold.
    pub fn may_hold(&self, place: usize) -> bool {
        self.holding.has(place)
    }

    /// Looks at everything that has changed and whose time has come.
    pub fn update(&mut self, index: &Index, rules: &RuleTable, document: &dyn Document) {
        while let Some(number) = self.agenda.take_due(document.now()) {
            match number.checked_sub(index.subjects.len()) {
                None => self.changed.add(number),
                Some(atom) => match atom.checked_sub(index.atoms.len()) {
                    None => self.ask_again(atom, index),
                    Some(slot) => self.slots.add(slot),
                },
            }
        }
        let mut from = 0;
        while let Some(subject) = self.changed.take(from) {
            self.read(subject, index, rules, document);
            from = subject;
        }
        from = 0;
        while let Some(atom) = self.to_ask.take(from) {
            self.ask(atom, index, rules, document);
            from = atom;
        }
    }

    /// Has all slots that exclusion groups concern decided if one has to be; whether one has.
    pub fn spread(&mut self, index: &Index) -> bool {
        self.slots.spread(&index.grouped)
    }

    /// Whether the late leaves of the rule at a place hold.
    pub fn holds_late(
        &mut self,
        place: usize,
        index: &Index,
        rules: &RuleTable,
        document: &dyn Document,
    ) -> bool {
        index.late.get(place).iter().all(|late| {
            let late = Edge(*late);
            let known = self.truths.get(late.to()).copied().flatten();
            let truth = known.unwrap_or_else(|| self.ask(late.to(), index, rules, document));
            truth == Some(!late.is_negated())
        })
    }

    /// Reads a subject and turns the leaves that its value decides.
    fn read(&mut self, subject: usize, index: &Index, rules: &RuleTable, document: &dyn Document) {
        let Some(asked) = index.subject(subject, rules) else { return };
        let mut outlook = Outlook::default();
        let value = asked.value(document, &mut outlook);
        self.agenda.set(subject, outlook.next);
        index.shown.get(subject).iter().for_each(|slot| self.slots.add(*slot as usize));
        index.asked.get(subject).iter().for_each(|atom| self.ask_again(*atom as usize, index));
        let before = self.subjects.get_mut(subject).map(core::mem::take).unwrap_or_default();
        let bounds = [index.lower.get(subject), index.upper.get(subject)];
        let keyed = index.keyed.get(subject);
        let mut after = Standing { is_odd: true, ..Standing::default() };
        match value.filter(|value| is_plain(*value)) {
            None => {
                for atom in [keyed, bounds[0], bounds[1]].into_iter().flatten() {
                    self.ask(*atom as usize, index, rules, document);
                }
            }
            Some(value) => {
                let number = to_number(value);
                after.is_odd = false;
                if !keyed.is_empty() {
                    after.unusual = self.collect(subject as u32, value, number, index, rules, document);
                    let known = if before.is_odd { keyed } else { &before.unusual };
                    for atom in known {
                        if let Some(Kind::Keyed { usual }) = index.kind(*atom as usize)
                            && !self.fresh.has(*atom as usize)
                        {
                            self.set(*atom as usize, Some(usual), index);
                        }
                    }
                    after.unusual.iter().for_each(|atom| self.fresh.set(*atom as usize, false));
                }
                for (bounds, (then, now)) in
                    bounds.into_iter().zip(before.holding.into_iter().zip(&mut after.holding))
                {
                    let holds = |atom: &u32| index.bound_holds(*atom as usize, number);
                    let count = bounds.partition_point(holds);
                    let (from, to) =
                        if before.is_odd { (0, bounds.len()) } else { (count.min(then), count.max(then)) };
                    for (place, atom) in bounds.iter().enumerate().take(to).skip(from) {
                        self.set(*atom as usize, Some(place < count), index);
                    }
                    *now = count;
                }
            }
        }
        if let Some(standing) = self.subjects.get_mut(subject) {
            *standing = after;
        }
    }

    /// Turns the keyed leaves that a plain value makes unusual, and names them.
    fn collect(
        &mut self,
        subject: u32,
        value: ValueRef<'_>,
        number: f64,
        index: &Index,
        rules: &RuleTable,
        document: &dyn Document,
    ) -> Vec<u32> {
        let mut unusual: Vec<u32> = Vec::new();
        let mut room = [0; 40];
        // In JavaScript, on which comparisons rest, what is missing has this text.
        let text = if value.is_null() { Some("null") } else { plain_text(value, &mut room) };
        let text = text.map(ValueRef::Text);
        let number = Some(ValueRef::Number(number)).filter(|_| !number.is_nan());
        for key in [text, number].into_iter().flatten() {
            let is_same_kind = matches!(
                (key, value),
                (ValueRef::Text(_), ValueRef::Text(_)) | (ValueRef::Number(_), ValueRef::Number(_))
            );
            index.keys.each(subject, key, rules.form(), &mut |atom| {
                let Some(Kind::Keyed { usual }) = index.kind(atom) else { return };
                let is_unusual = if is_same_kind {
                    // A value equals a literal of its own kind in every way of comparing.
                    self.set(atom, Some(!usual), index);
                    true
                } else {
                    self.ask(atom, index, rules, document) != Some(usual)
                };
                if is_unusual && !self.fresh.has(atom) {
                    self.fresh.add(atom);
                    unusual.push(atom as u32);
                }
            });
        }
        unusual
    }

    /// Lets a leaf be asked, at once or when it alone decides a rule.
    fn ask_again(&mut self, atom: usize, index: &Index) {
        if index.kind(atom) != Some(Kind::Late) {
            return self.to_ask.add(atom);
        }
        if let Some(truth) = self.truths.get_mut(atom) {
            *truth = None;
        }
        for edge in index.edges.get(atom) {
            let place = Edge(*edge).to();
            if self.holding.has(place) {
                self.slots.add(index.slot_of(place));
            }
        }
    }

    fn ask(&mut self, atom: usize, index: &Index, rules: &RuleTable, document: &dyn Document) -> Truth {
        let code = index.atoms.get(atom).map(|atom| rules.form().at(atom.place));
        let mut outlook = Outlook::default();
        let found = code.and_then(|mut code: Code<'_>| {
            code.sized();
            truth(code, document, &mut outlook)
        });
        if matches!(index.kind(atom), Some(Kind::Late | Kind::Asked)) {
            self.agenda.set(index.subjects.len() + atom, outlook.next);
        }
        self.set(atom, found, index);
        found
    }

    /// Turns a leaf, and whatever turns with it.
    fn set(&mut self, atom: usize, truth: Truth, index: &Index) {
        let Some(known) = self.truths.get_mut(atom) else { return };
        let Some(before) = known.replace(truth) else { return };
        if before == truth || index.kind(atom) == Some(Kind::Late) {
            return;
        }
        for edge in index.edges.get(atom) {
            if let Some((place, holds)) = index.gates.turn(&mut self.counters, Edge(*edge), before, truth) {
                self.holding.set(place, holds);
                self.slots.add(index.slot_of(place));
            }
        }
    }
}

/// Whether keys and bounds speak of a value.
const fn is_plain(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Null | ValueRef::Bool(_) | ValueRef::Number(_) | ValueRef::Text(_))
}
