//! Which rule fills which slot on this page, which event rules are latched, and what has to be told of it.

use super::{Client, Entry};
use crate::condition::{Outlook, Root};
use crate::id::EventId;
use crate::profile::{EventDocument, Latch, ProfileView, Tiles};
use crate::rules::{Decided, Decider, Decision, SlotChange, Touched, VisitorDocument, judge, latch};
use crate::time::{Now, Timestamp};
use crate::wire::IDENTIFY;
use alloc::vec::Vec;

/// Decisions in effect and what the host has not polled yet.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    decider: Decider,
    current: Vec<Decision>,
    latches: Vec<Latch>,
    changes: Vec<SlotChange>,
    wake_at: Option<Timestamp>,
    /// Whether latches have changed since the slots were decided.
    latches_changed: bool,
}

impl Decisions {
    /// The decision of a slot.
    pub fn of_slot(&self, slot: &str) -> Option<&Decision> {
        let at = self.current.partition_point(|held| *held.slot < *slot);
        self.current.get(at).filter(|held| *held.slot == *slot)
    }

    /// Every decision in effect, in order of slot.
    pub fn all(&self) -> &[Decision] {
        &self.current
    }

    pub fn take_changes(&mut self) -> Vec<SlotChange> {
        core::mem::take(&mut self.changes)
    }

    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// Joins latches in: of two latches of one rule the later stays, and one that has ended stays ended.
    pub fn join_latches(&mut self, brought: impl IntoIterator<Item = Latch>) -> bool {
        let mut changed = false;
        for latch in brought {
            match self.latches.iter_mut().find(|known| known.rule == latch.rule) {
                Some(known) if (known.at, known.event_id) >= (latch.at, latch.event_id) => continue,
                Some(known) => *known = latch,
                None => self.latches.push(latch),
            }
            changed = true;
        }
        self.latches_changed |= changed;
        changed
    }

    pub fn forget_latches(&mut self) {
        self.latches.clear();
        self.latches_changed = true;
    }

    fn end_latch(&mut self, rule: &str, at: Timestamp) {
        for latch in self.latches.iter_mut().filter(|latch| &*latch.rule == rule) {
            latch.until = Some(at);
        }
        self.latches_changed = true;
    }

    fn set(&mut self, slot: &str, decision: Option<Decision>) {
        let at = self.current.partition_point(|held| *held.slot < *slot);
        let held = usize::from(self.current.get(at).is_some_and(|held| *held.slot == *slot));
        self.current.splice(at..at + held, decision);
    }
}

impl Client {
    /// Judges the event rules at an own event that is counted already.
    pub(super) fn judge(&mut self, event_id: EventId, now: Now) {
        let Some(newest) = self.overlay.newest().filter(|newest| newest.event().event_id == event_id) else {
            return;
        };
        let (event, rules, parts) = (newest.event(), &self.bundle.rules, self.overlay.parts());
        let document = self.document(&parts, Some(newest), now);
        let matches = judge(rules, &document, event).into_iter();
        let set: Vec<Latch> =
            matches.filter_map(|found| latch(&rules.get(found.rule)?, found.key, event)).collect();
        if self.decisions.join_latches(set) {
            self.keep_latches();
        }
    }

    /// Notes that something the rules may read has changed.
    pub(super) fn touch(&mut self, touched: Touched) {
        self.decisions.decider.touch(touched, &self.bundle.rules);
    }

    /// Notes that the signals that look at an event type may have changed, and traits if it carries some.
    pub(super) fn touch_event(&mut self, event_type: &str) {
        let Self { decisions, bundle, .. } = self;
        bundle.signals.each_for_type(event_type, &mut |signal| {
            decisions.decider.touch(Touched::Signal(signal.id), &bundle.rules);
        });
        if event_type == IDENTIFY {
            self.touch(Touched::Root(Root::Traits));
        }
    }

    /// Begins to decide by another bundle; slots that it does not have are empty from now on.
    pub(super) fn renew_decider(&mut self) {
        let Self { decisions, bundle, .. } = self;
        decisions.decider = Decider::new(&bundle.rules, &bundle.signals, &decisions.current);
        decisions.latches_changed = true;
        let is_gone = |held: &Decision| bundle.rules.slot_named(&held.slot).is_none();
        let gone: Vec<Decision> = decisions.current.extract_if(.., |held| is_gone(held)).collect();
        let change = |gone: Decision| SlotChange { slot: gone.slot, decision: None, is_shown: false };
        decisions.changes.extend(gone.into_iter().map(change));
    }

    /// Decides the slots that what was touched may have changed, and queues what has.
    pub(super) fn decide(&mut self, now: Now) {
        let mut decider = core::mem::take(&mut self.decisions.decider);
        let rules = &self.bundle.rules;
        if core::mem::take(&mut self.decisions.latches_changed) {
            decider.touch_latches(rules, &self.decisions.latches);
        }
        let parts = self.overlay.parts();
        let document = self.document(&parts, None, now);
        let latches = &self.decisions.latches;
        let mut decided = Decided::default();
        decider.decide(rules, &document, latches, &mut |slot, pick| {
            let Some((name, _)) = rules.slot(slot) else { return };
            let next = pick.and_then(|pick| pick.decision(name, rules, &document, &mut Outlook::default()));
            decided.take(name, self.decisions.of_slot(name), next, rules, latches);
        });
        self.decisions.wake_at = decider.wake_at();
        self.decisions.decider = decider;
        for change in decided.changes {
            let seen_alike = alike(self.decisions.of_slot(&change.slot), change.decision.as_ref());
            self.decisions.set(&change.slot, change.decision.clone());
            // What is shown newly is never like what was there.
            if !seen_alike {
                self.decisions.changes.push(change);
            }
        }
        if !decided.ended.is_empty() {
            let at = self.instant(now);
            decided.ended.iter().for_each(|rule| self.decisions.end_latch(rule, at));
            self.keep_latches();
        }
    }

    fn document<'a>(
        &'a self,
        parts: &'a [&'a Tiles],
        event: Option<&'a EventDocument>,
        now: Now,
    ) -> VisitorDocument<'a> {
        VisitorDocument {
            traits: self.overlay.traits(),
            signals: &self.bundle.signals,
            parts,
            context: self.context.get(),
            event,
            now: self.instant(now),
            session: Some(self.session),
        }
    }

    pub(super) fn keep_latches(&mut self) {
        let mut view = ProfileView::default();
        core::mem::swap(&mut view.latches, &mut self.decisions.latches);
        self.put(Entry::Latches, view.encode());
        core::mem::swap(&mut view.latches, &mut self.decisions.latches);
    }
}

/// Whether a page could not tell two decisions apart: an event rule may latch again without changing anything.
fn alike(before: Option<&Decision>, after: Option<&Decision>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    before.rule == after.rule
        && before.key == after.key
        && before.since == after.since
        && before.actions == after.actions
}
