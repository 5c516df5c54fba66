//! One visitor's truths over an index, brought up to date by what has changed.

use super::agenda::Agenda;
use super::gates::{Counters, Turn};
use super::{Edge, Index, Kind, Marks, Subject};
use crate::condition::{Document, Outlook, Root, Truth, to_number};
use crate::id::SignalId;
use crate::rules::RuleTable;
use crate::time::Timestamp;
use crate::value::ValueRef;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// What holds for one visitor, and what has to be looked at again.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Of each leaf that is asked; nothing for one that has not been since what it reads has changed.
    truths: Vec<Option<Truth>>,
    counters: Vec<Counters>,
    subjects: Vec<Standing>,
    /// By subject: leaves that were asked though keys and bounds decide them, with what they are instead of usual.
    odd: BTreeMap<usize, Vec<(usize, Truth)>>,
    /// Rules, by place, of which everything but late leaves holds, and those that a latch may hold.
    holding: Marks,
    /// Room for the places of rules that turn together.
    turned: Vec<u32>,
    changed: Marks,
    to_ask: Marks,
    slots: Marks,
    /// Subjects, then leaves, then slots.
    agenda: Agenda,
}

/// How a subject's value stands to the leaves that compare it.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// How many of its lower and of its upper bounds hold, the first ones of each.
    holding: [u32; 2],
    /// The group of keyed leaves that are unusual because its value is their key, counted from 1.
    group: u32,
    /// Whether other leaves of it were asked and are unusual.
    is_odd: bool,
}

/// What each edge does under whose leaf a value is now, and no longer.
const ON: Turn = Turn::new(Some(false), Some(true));
const OFF: Turn = Turn::new(Some(true), Some(false));

impl Live {
    /// A visitor of whom nothing has been read.
    pub fn new(index: &Index) -> Self {
        let (subjects, atoms) = (index.subjects.len(), index.kinds.len());
        let slots = index.first_rule.len().saturating_sub(1);
        let mut live = Self {
            truths: Vec::with_capacity(atoms),
            counters: index.gates.start.clone(),
            subjects: vec![Standing::default(); subjects],
            odd: BTreeMap::new(),
            holding: Marks::none(index.order.len()),
            turned: Vec::new(),
            changed: Marks::none(subjects),
            to_ask: Marks::none(atoms),
            slots: Marks::none(slots),
            agenda: Agenda::default(),
        };
        for kind in &index.kinds {
            live.truths.push((*kind != Kind::Late).then_some(Some(false)));
        }
        for (place, counters) in live.counters.iter().take(index.order.len()).enumerate() {
            live.holding.set(place, counters.truth() == Some(true));
        }
        live.touch_all(index);
        live
    }

    /// Everything may have changed.
    pub fn touch_all(&mut self, index: &Index) {
        for (subject, entry) in index.subjects.iter().enumerate() {
            // What has no value shows nothing, and most leaves that read it are asked below.
            if entry.is_value || index.compares(subject) {
                self.changed.add(subject);
            }
        }
        // A slot without a rule that may hold is empty, or is to be decided already.
        for place in self.holding.numbers() {
            self.slots.add(index.slot_of(place));
        }
        // A leaf may read nothing but the time.
        for (atom, (kind, truth)) in index.kinds.iter().zip(&mut self.truths).enumerate() {
            match kind {
                Kind::Late => *truth = None,
                Kind::Asked => self.to_ask.add(atom),
                Kind::Keyed { .. } | Kind::Bound => {}
            }
        }
    }

    /// The value of one subject may have changed.
    pub fn touch(&mut self, subject: usize) {
        self.changed.add(subject);
    }

    /// Something has changed.
    pub fn touch_anything(&mut self, index: &Index) {
        index.anything.iter().for_each(|subject| self.changed.add(*subject));
    }

    /// Whether something has changed that no decision has seen.
    pub fn has_changed(&self) -> bool {
        self.changed.next(0).is_some()
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
        self.agenda.set(index.subjects.len() + index.kinds.len() + slot, at);
    }

    /// The next instant at which time alone can change something.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        self.agenda.next_at()
    }

    /// A slot has to be decided again.
    pub fn touch_slot(&mut self, slot: usize) {
        self.slots.add(slot);
    }

    /// The slots that have to be decided again, to be given back empty.
    pub fn take_slots(&mut self) -> Marks {
        core::mem::take(&mut self.slots)
    }

    /// Takes the slots back once they have been decided.
    pub fn give_slots(&mut self, slots: Marks) {
        self.slots = slots;
    }

    /// The next rule among places that may hold.
    pub fn next_holding(&self, places: Range<usize>) -> Option<usize> {
        self.holding.next_below(places)
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
                Some(atom) => match atom.checked_sub(index.kinds.len()) {
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
        let before = self.subjects.get(subject).copied().unwrap_or_default();
        if before.is_odd {
            for (atom, truth) in self.odd.remove(&subject).unwrap_or_default() {
                self.turn(atom, truth, index.usual(atom), index);
            }
        }
        let value = value.filter(|value| is_plain(*value));
        let mut after = Standing::default();
        if !index.keyed.get(subject).is_empty() {
            let (group, others) = value.map_or_else(Default::default, |value| {
                index.keys.groups(subject as u32, value, rules.form())
            });
            if group != before.group {
                self.turn_group(before.group, OFF, index);
                self.turn_group(group, ON, index);
            }
            after.group = group;
            if others != [0; 2] {
                after.is_odd =
                    self.ask_groups(subject, [group, others[0], others[1]], index, rules, document);
            }
        }
        let number = value.map(to_number);
        for ((bounds, then), now) in index.bounds.iter().zip(before.holding).zip(&mut after.holding) {
            let count = number.map_or(0, |number| bounds.holding(subject, number) as u32);
            let turned = count.min(then) as usize..count.max(then) as usize;
            self.turn_all(bounds.edges(subject, turned), if count > then { ON } else { OFF }, index);
            *now = count;
        }
        if value.is_none() {
            let bounds = index.bounds.each_ref().map(|bounds| bounds.leaves.get(subject));
            for atom in [index.keyed.get(subject), bounds[0], bounds[1]].into_iter().flatten() {
                after.is_odd |= self.ask_odd(subject, *atom as usize, index, rules, document);
            }
        }
        if let Some(standing) = self.subjects.get_mut(subject) {
            *standing = after;
        }
    }

    /// Turns the leaves of a group, counted from 1, that usually are what they are not under its key.
    fn turn_group(&mut self, group: u32, turn: Turn, index: &Index) {
        if group > 0 {
            self.turn_all(index.keys.edges(group as usize - 1), turn, index);
        }
    }

    /// Asks the leaves of groups, counted from 1, but those of the first, which are known.
    fn ask_groups(
        &mut self,
        subject: usize,
        groups: [u32; 3],
        index: &Index,
        rules: &RuleTable,
        document: &dyn Document,
    ) -> bool {
        let leaves = |group: u32| {
            (group as usize).checked_sub(1).into_iter().flat_map(|group| index.keys.leaves(group))
        };
        let [known, others @ ..] = groups;
        let mut is_odd = false;
        // No leaf under keys is ever to be asked, so that the marks are free.
        leaves(known).for_each(|leaf| self.to_ask.add(leaf.atom()));
        for leaf in others.into_iter().flat_map(leaves) {
            if !self.to_ask.has(leaf.atom()) {
                self.to_ask.add(leaf.atom());
                is_odd |= self.ask_odd(subject, leaf.atom(), index, rules, document);
            }
        }
        groups.into_iter().flat_map(leaves).for_each(|leaf| self.to_ask.set(leaf.atom(), false));
        is_odd
    }

    /// Asks a leaf that keys or bounds decide for most values; whether it is unusual.
    fn ask_odd(
        &mut self,
        subject: usize,
        atom: usize,
        index: &Index,
        rules: &RuleTable,
        document: &dyn Document,
    ) -> bool {
        let (usual, truth) = (index.usual(atom), index.ask(atom, rules, document, &mut Outlook::default()));
        self.turn(atom, usual, truth, index);
        if truth != usual {
            self.odd.entry(subject).or_default().push((atom, truth));
        }
        truth != usual
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
        let mut outlook = Outlook::default();
        let found = index.ask(atom, rules, document, &mut outlook);
        self.agenda.set(index.subjects.len() + atom, outlook.next);
        let known = self.truths.get_mut(atom).and_then(|truth| truth.replace(found));
        if let Some(before) = known.filter(|_| index.kind(atom) != Some(Kind::Late)) {
            self.turn(atom, before, found, index);
        }
        found
    }

    /// Turns a leaf, and whatever turns with it.
    fn turn(&mut self, atom: usize, from: Truth, to: Truth, index: &Index) {
        if from != to {
            self.turn_all(index.edges.get(atom), Turn::new(from, to), index);
        }
    }

    /// Turns what some edges lead to. With which of them a rule turns is nothing that a processor can guess, so these rules
    /// are gathered first, without a branch.
    fn turn_all(&mut self, edges: &[u32], turn: Turn, index: &Index) {
        let Self { counters, turned, holding, slots, .. } = self;
        if turned.len() <= edges.len() {
            turned.resize(edges.len() + 1, 0);
        }
        let mut count = 0;
        for edge in edges {
            let rule = index.gates.turn(counters, Edge(*edge), turn);
            if let Some(next) = turned.get_mut(count) {
                *next = rule.unwrap_or_default() as u32;
            }
            count += usize::from(rule.is_some());
        }
        for place in turned.iter().take(count) {
            let place = *place as usize;
            holding.set(place, counters.get(place).is_some_and(|counters| counters.truth() == Some(true)));
            slots.add(index.slot_of(place));
        }
    }
}

/// Whether keys and bounds speak of a value.
const fn is_plain(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Null | ValueRef::Bool(_) | ValueRef::Number(_) | ValueRef::Text(_))
}
