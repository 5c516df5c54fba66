//! The step that takes a member's change into its profile, and the one that lets time pass.

use super::firing::{Cause, Firing, Moment};
use super::state::ProfileState;
use super::{Outcome, Processor};
use crate::profile::{Change, EventDocument};
use crate::rules::{judge, latch};
use crate::time::Timestamp;
use alloc::vec::Vec;

/// Takes a change in; one that is no newer than what the state has of the member changes nothing.
pub(super) fn combine(
    processor: &Processor,
    state: &mut ProfileState,
    change: &Change,
    left: Option<&mut ProfileState>,
) -> Outcome {
    if state.version_of(&change.member) >= change.version {
        return Outcome { wake_at: state.wake, ..Outcome::default() };
    }
    if state.profile != change.profile {
        state.profile = change.profile.clone();
    }
    let mut firings = Vec::new();
    processor.arm(state, &mut firings);
    processor.pass_time(state, change.time, &mut firings);
    let mut brought = 0;
    if let Some(left) = left.filter(|left| left.version_of(&change.member) < change.version) {
        processor.arm(left, &mut firings);
        processor.pass_time(left, change.time, &mut firings);
        state.join(left);
        brought = left.release(&change.member, change.version);
    }
    state.apply(change, &processor.bundle.signals);
    if let Some(part) = state.parts.get_mut(&change.member) {
        part.events += brought;
    }
    if let Some(document) = &change.event {
        let from = firings.len();
        processor.judge_event(state, document, &mut firings);
        let session = document.event().session;
        let moment = Moment { at: state.time, cause: Cause::Event(document.event().event_id), session };
        processor.judge_levels(state, moment, &mut firings);
        firings.get_mut(from..).unwrap_or_default().sort_by(|a, b| a.rule.cmp(&b.rule));
    }
    state.version += 1;
    Outcome { firings, wake_at: state.wake, changed: true }
}

/// Lets time pass up to a logged wake-up.
pub(super) fn wake(processor: &Processor, state: &mut ProfileState, at: Timestamp) -> Outcome {
    let mut firings = Vec::new();
    processor.arm(state, &mut firings);
    processor.pass_time(state, at, &mut firings);
    Outcome { firings, wake_at: state.wake, changed: false }
}

impl Processor {
    /// Judges the event rules at an event that is counted already: latches for slots, firings for triggers.
    fn judge_event(&self, state: &mut ProfileState, document: &EventDocument, firings: &mut Vec<Firing>) {
        let event = document.event();
        let rules = &self.bundle.rules;
        let matches = state
            .read(&self.bundle.signals, state.time, Some(document), |visitor| judge(rules, visitor, event));
        for matched in matches {
            let Some(rule) = rules.get(matched.rule) else { continue };
            if rule.slot.is_some() {
                if let Some(latch) = latch(rule, matched.key, event) {
                    state.latch(latch);
                }
            } else {
                let moment =
                    Moment { at: state.time, cause: Cause::Event(event.event_id), session: event.session };
                firings.extend(state.fire(rule, matched.key, moment));
            }
        }
    }
}
