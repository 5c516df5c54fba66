//! Which rule fills which slot on this page, which event rules are latched, and what has to be told of it.

use super::{Client, Entry};
use crate::id::EventId;
use crate::profile::{EventDocument, Latch, ProfileView, Tiles};
use crate::rules::{Decision, SlotChange, VisitorDocument, decide, judge, latch};
use crate::time::{Now, Timestamp};
use alloc::vec::Vec;

/// Decisions in effect and what the host has not polled yet.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    current: Vec<Decision>,
    latches: Vec<Latch>,
    changes: Vec<SlotChange>,
    wake_at: Option<Timestamp>,
}

impl Decisions {
    /// The decision of a slot.
    pub fn of_slot(&self, slot: &str) -> Option<&Decision> {
        self.current.iter().find(|decision| &*decision.slot == slot)
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
        changed
    }

    pub fn forget_latches(&mut self) {
        self.latches.clear();
    }

    fn end_latch(&mut self, rule: &str, at: Timestamp) {
        for latch in self.latches.iter_mut().filter(|latch| &*latch.rule == rule) {
            latch.until = Some(at);
        }
    }

    fn set(&mut self, slot: &str, decision: Option<Decision>) {
        self.current.retain(|held| &*held.slot != slot);
        if let Some(decision) = decision {
            let at = self.current.partition_point(|held| &*held.slot < slot);
            self.current.insert(at, decision);
        }
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

    /// Decides every slot anew and queues what has changed.
    pub(super) fn decide(&mut self, now: Now) {
        let parts = self.overlay.parts();
        let document = self.document(&parts, None, now);
        let Decisions { latches, current, .. } = &self.decisions;
        let decided = decide(&self.bundle.rules, &document, latches, current);
        self.decisions.wake_at = decided.wake_at;
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
            matcher: Some(&self.answers),
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
