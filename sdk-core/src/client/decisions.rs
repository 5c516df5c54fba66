//! Which rule fills which slot on this page, which event rules are latched, and what has to be told of it.

use super::{Client, DecisionChange, store};
use crate::id::EventId;
use crate::profile::{EventDocument, Latch, ProfileView, Tiles};
use crate::rules::{Decision, VisitorDocument, decide, judge, latch, shown_metadata};
use crate::time::{Now, Timestamp};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

/// Decisions in effect and what the host has not polled yet.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    current: Vec<Decision>,
    latches: Vec<Latch>,
    changes: VecDeque<DecisionChange>,
    shown: VecDeque<String>,
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

    pub fn poll_change(&mut self) -> Option<DecisionChange> {
        self.changes.pop_front()
    }

    pub fn poll_shown(&mut self) -> Option<String> {
        self.shown.pop_front()
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
            if let (true, Some(decision)) = (change.is_shown, &change.decision) {
                self.decisions.shown.push_back(shown_metadata(&decision.rule, decision.key.as_deref()));
            }
            if seen_alike {
                continue;
            }
            self.decisions.changes.push_back(DecisionChange { slot: change.slot, decision: change.decision });
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

    fn keep_latches(&mut self) {
        let view = ProfileView { latches: self.decisions.latches.clone(), ..ProfileView::default() };
        self.put(store::LATCHES, view.encode());
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
