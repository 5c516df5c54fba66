//! Taking one record in: absorb into the member, combine into the profile.

use super::{Worker, WorkerError, load, load_to_change};
use attune_core::id::{MemberId, ProfileId};
use attune_core::processor::{Outcome, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, LetterId, Record};

impl Worker<'_> {
    /// Takes an event, void, close or clocks record of a member, at a place of the log, in.
    pub(super) fn absorb(&mut self, record: Record, place: LetterId) -> Result<(), WorkerError> {
        let Some(member) = member_of(&record) else { return Ok(()) };
        let make = || MemberState::new(member.clone());
        // Even what changes no profile may have marked a number.
        let state = load_to_change(&mut self.states.members, &*self.parts.store, &member.0, make)?;
        match self.processor.absorb_owned(state, record) {
            (Absorbed::Change(change), _) => self.combine(&change),
            (absorbed @ (Absorbed::Conflict | Absorbed::LaneFull), Some(record)) => {
                self.parts.metrics.refused_records.add(1);
                tracing::warn!(letter = %place, ?absorbed, "refused a record");
                self.keep_unabsorbed(place, &record, &absorbed);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn combine(&mut self, change: &Change) -> Result<(), WorkerError> {
        let store = &*self.parts.store;
        let profiles = &mut self.states.profiles;
        let mut left = match &change.moved_from {
            Some(from) => {
                load(profiles, store, &from.0, ProfileState::default)?;
                profiles.take_out(&from.0)
            }
            None => None,
        };
        let state = load_to_change(profiles, store, &change.profile.0, ProfileState::default)?;
        if !self.stuck.is_empty() {
            self.stuck.remove(&change.profile.0);
        }
        let left_state = left.as_mut().map(|(_, hot)| &mut hot.state);
        let outcome = self.processor.combine(state, change, left_state);
        if let Some(left) = left {
            self.publisher.note(&left.0);
            profiles.put_back(left);
        }
        self.settle(&change.profile, outcome)
    }

    /// Takes a logged wake-up in.
    pub(super) fn wake(&mut self, profile: &ProfileId, at: Timestamp) -> Result<(), WorkerError> {
        let store = &*self.parts.store;
        let hot = load(&mut self.states.profiles, store, &profile.0, ProfileState::default)?;
        if hot.state.members().next().is_none() {
            // It has been erased meanwhile, and nothing is to say that it was there.
            self.states.profiles.forget_timer(&profile.0, at);
            return Ok(());
        }
        let state = load_to_change(&mut self.states.profiles, store, &profile.0, ProfileState::default)?;
        let outcome = self.processor.wake(state, at);
        // A wake-up that asks for itself again would be logged for ever.
        if state.wake_at().is_some_and(|next| next <= at) {
            tracing::error!(profile = &*profile.0, %at, "a wake-up asks for itself again and is left alone");
            self.stuck.insert(profile.0.clone());
        }
        self.settle(profile, outcome)
    }

    fn settle(&mut self, profile: &ProfileId, outcome: Outcome) -> Result<(), WorkerError> {
        for firing in &outcome.firings {
            if self.outbox.take(&*self.parts.store, firing)? {
                self.parts.metrics.firings.add(1);
            }
        }
        if outcome.changed && !self.parts.hub.is_idle() {
            self.publisher.note(&profile.0);
        }
        Ok(())
    }
}

/// The member that takes a record in, where it is one of an event, a lane or clocks.
pub(super) const fn member_of(record: &Record) -> Option<&MemberId> {
    match record {
        Record::Event { event: Event { member, .. }, .. }
        | Record::Void { member, .. }
        | Record::Close { member, .. }
        | Record::Clocks { member, .. } => Some(member),
        _ => None,
    }
}
