//! Decisions of one visitor, brought up to date by what has changed instead of made anew.

use super::decide::{Decision, Found, Holding, Reason, Visit, fill, holds, within_cap};
use super::group::excluded;
use super::index::{Index, Live, Marks};
use super::{RuleTable, rule_key};
use crate::condition::{Document, Outlook, Root};
use crate::id::SignalId;
use crate::profile::{Latch, SignalTable};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Decides the slots of one visitor. It is told what may have changed, and looks at nothing else.
#[derive(Debug, Default)]
pub struct Decider {
    index: Index,
    live: Live,
    picks: Vec<Option<Pick>>,
    /// Places of the rules that had a latch when last asked.
    latched: Vec<usize>,
    now: Timestamp,
    /// Whether picks are those of before, and what they show is not known to be in effect.
    has_taken_over: bool,
}

/// Stands for the rule of a pick that has been taken over, where the bundle lacks it.
const GONE: usize = usize::MAX;

/// The rule that fills a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Its index; no index at all before the first decision, where the bundle lacks a rule that was in effect.
    pub rule: usize,
    /// The key it holds the slot under, where it has one.
    pub key: Option<Box<str>>,
    /// Why it holds.
    pub reason: Reason,
    /// Since when it holds the slot.
    pub since: Timestamp,
}

/// What may have changed since the slots were decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Anything.
    All,
    /// Values below a root.
    Root(Root),
    /// A signal, under whatever key.
    Signal(SignalId),
    /// One subject of the index.
    Subject(usize),
}

impl Decider {
    /// A decider over a bundle, before the first decision. `current` are decisions already in effect: the first decision
    /// shows each of their slots that the bundle has, since its rule may say something else now, or be gone.
    pub fn new(rules: &RuleTable, signals: &SignalTable, current: &[Decision]) -> Self {
        let held = |slot: &str| current.iter().find(|held| *held.slot == *slot).map(Decision::holding);
        Self::taking_over(rules, signals, &held)
    }

    /// A decider of the same visitor over the bundle that follows, with the picks made over the one before, `before`; the
    /// first decision shows each of their slots as with [`Self::new`]. The slots that the bundle lacks are the host's to
    /// empty; latches are to be told anew.
    pub fn renewed(&self, before: &RuleTable, rules: &RuleTable, signals: &SignalTable) -> Self {
        let held = |slot: &str| self.pick(before.slot_named(slot)?)?.holding(before);
        Self { now: self.now, ..Self::taking_over(rules, signals, &held) }
    }

    fn taking_over<'a>(
        rules: &RuleTable,
        signals: &SignalTable,
        held: &dyn Fn(&str) -> Option<Holding<'a>>,
    ) -> Self {
        let index = Index::new(rules, signals);
        let pick = |slot: usize| {
            let held = held(rules.slot(slot)?.0)?;
            let rule = rules.by_id(held.rule).map_or(GONE, |rule| rule.index);
            Some(Pick { rule, key: held.key.map(Box::from), reason: held.reason, since: held.since })
        };
        let picks = (0..rules.slot_count()).map(pick).collect();
        Self { live: Live::new(&index), index, picks, has_taken_over: true, ..Self::default() }
    }

    /// The index it decides over.
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// Notes that something may have changed.
    pub fn touch(&mut self, touched: Touched, rules: &RuleTable) {
        self.live.touch_anything(&self.index);
        match touched {
            Touched::All => self.live.touch_all(&self.index),
            Touched::Root(root) => self.live.touch_root(root, &self.index, rules),
            Touched::Signal(signal) => self.live.touch_signal(signal, &self.index),
            Touched::Subject(subject) => self.live.touch(subject),
        }
    }

    /// Notes that latches have come, gone or changed.
    pub fn touch_latches(&mut self, rules: &RuleTable, latches: &[Latch]) {
        let before = core::mem::take(&mut self.latched);
        let of = |latch: &Latch| {
            self.index.place_of(rules.by_id(&latch.rule).filter(|rule| !rule.is_level())?.index)
        };
        self.latched = latches.iter().filter_map(of).collect();
        for place in before.iter().chain(&self.latched) {
            self.live.touch_latch(*place, self.latched.contains(place), &self.index);
        }
    }

    /// What fills a slot.
    pub fn pick(&self, slot: usize) -> Option<&Pick> {
        self.picks.get(slot)?.as_ref()
    }

    /// The next instant at which time alone can change a decision.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        self.live.wake_at()
    }

    /// Decides the slots that what was touched can have changed, and shows each that another rule fills now, or the same
    /// rule whose shown values may differ.
    pub fn decide(
        &mut self,
        rules: &RuleTable,
        document: &dyn Document,
        latches: &[Latch],
        see: &mut dyn FnMut(usize, Option<&Pick>),
    ) {
        if document.now() < self.now {
            // What is due has been taken out, so a clock that goes back has everything looked at.
            self.live.touch_all(&self.index);
        }
        self.now = document.now();
        self.live.update(&self.index, rules, document);
        let visit = Visit { rules, document, latches };
        let mut left_out = Marks::default();
        if self.live.spread(&self.index) {
            left_out = excluded(rules, &mut |ranked, _, _| {
                self.index.place_ranked(ranked).is_some_and(|place| {
                    let slot = self.index.slot_of(place);
                    self.candidate(slot, place, visit, &mut Outlook::default()).is_some()
                })
            });
        }
        let has_taken_over = core::mem::take(&mut self.has_taken_over);
        let mut from = 0;
        while let Some(slot) = self.live.take_slot(from) {
            from = slot;
            let mut outlook = Outlook::default();
            let next = self.choose(slot, visit, &left_out, &mut outlook);
            self.live.revisit(slot, outlook.next, &self.index);
            let is_filled = |pick: &Pick| rules.get(pick.rule).is_some_and(|rule| rule.has_places());
            let Some(pick) = self.picks.get_mut(slot) else { continue };
            let is_unsure = has_taken_over && pick.is_some();
            if is_unsure || *pick != next || next.as_ref().is_some_and(is_filled) {
                *pick = next;
                see(slot, pick.as_ref());
            }
        }
    }

    /// The rule that is to fill a slot.
    fn choose(
        &mut self,
        slot: usize,
        visit: Visit<'_>,
        left_out: &Marks,
        outlook: &mut Outlook,
    ) -> Option<Pick> {
        let places = self.index.places(slot);
        let mut from = places.start;
        while let Some(place) = self.live.next_holding(from).filter(|place| *place < places.end) {
            from = place + 1;
            let rule = self.index.rule(place);
            if left_out.has(rule) {
                continue;
            }
            if let Some((key, reason)) = self.candidate(slot, place, visit, outlook) {
                let same = self.pick(slot).filter(|held| held.rule == rule && held.key == key);
                let since = same.map_or(visit.document.now(), |held| held.since);
                return Some(Pick { rule, key, reason, since });
            }
        }
        None
    }

    /// How the rule at a place would fill its slot.
    fn candidate(
        &mut self,
        slot: usize,
        place: usize,
        visit: Visit<'_>,
        outlook: &mut Outlook,
    ) -> Option<Found> {
        let Visit { rules, document, latches } = visit;
        if !self.live.may_hold(place) {
            return None;
        }
        let rule = rules.get(self.index.rule(place))?;
        let found = if !rule.is_level() {
            holds(&rule, document, latches, outlook)?
        } else if rule.is_granted(document) && self.live.holds_late(place, &self.index, rules, document) {
            if self.index.is_plain(place) {
                return Some((None, Reason::Level));
            }
            (rule_key(&rule, document), Reason::Level)
        } else {
            return None;
        };
        let holding = self.pick(slot).and_then(|held| held.holding(rules));
        within_cap(&rule, found, holding, document, outlook)
    }
}

impl Pick {
    fn holding<'a>(&'a self, rules: &'a RuleTable) -> Option<Holding<'a>> {
        let rule = rules.get(self.rule)?.id;
        Some(Holding { rule, key: self.key.as_deref(), reason: self.reason, since: self.since })
    }

    /// The decision in full, with every place of its texts filled in.
    pub fn decision(
        &self,
        slot: &str,
        rules: &RuleTable,
        document: &dyn Document,
        outlook: &mut Outlook,
    ) -> Option<Decision> {
        let rule = rules.get(self.rule)?;
        let found = (self.key.clone(), self.reason);
        Some(fill(slot, &rule, found, self.holding(rules), document, outlook))
    }
}
