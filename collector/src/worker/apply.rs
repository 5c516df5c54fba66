//! Taking one record in: absorb into the member, combine into the profile.

use super::hot::HotTable;
use super::{Worker, WorkerError, load};
use attune_core::id::{MemberId, ProfileId};
use attune_core::processor::{Outcome, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState};
use attune_core::time::Timestamp;
use attune_core::wire::{LetterId, Record};

impl Worker<'_> {
    /// Takes an event, void or close record of a member, at a place of the log, in.
    pub(super) fn absorb(
        &mut self,
        member: &MemberId,
        record: &Record,
        place: LetterId,
    ) -> Result<(), WorkerError> {
        let store = &*self.parts.store;
        let hot = load(&mut self.states.members, store, &member.0, || MemberState::new(member.clone()))?;
        let absorbed = self.processor.absorb(&mut hot.state, record);
        // Even what changes no profile may have marked a number.
        if hot.mark_dirty() {
            self.states.members.note_dirty(&member.0);
        }
        match absorbed {
            Absorbed::Change(change) => self.combine(&change),
            Absorbed::Duplicate | Absorbed::Ignored => Ok(()),
            Absorbed::Conflict | Absorbed::LaneFull => {
                self.parts.metrics.refused_records.add(1);
                tracing::warn!(letter = %place, ?absorbed, "refused a record");
                self.keep_unabsorbed(place, record, &absorbed);
                Ok(())
            }
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
        let hot = load(profiles, store, &change.profile.0, ProfileState::default)?;
        self.stuck.remove(&change.profile.0);
        let left_state = left.as_mut().map(|(_, hot)| &mut hot.state);
        let outcome = self.processor.combine(&mut hot.state, change, left_state);
        let newly_dirty = hot.mark_dirty();
        note(profiles, newly_dirty, &change.profile);
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
        let outcome = self.processor.wake(&mut hot.state, at);
        let newly_dirty = hot.mark_dirty();
        // A wake-up that asks for itself again would be logged for ever.
        if hot.state.wake_at().is_some_and(|next| next <= at) {
            tracing::error!(profile = &*profile.0, %at, "a wake-up asks for itself again and is left alone");
            self.stuck.insert(profile.0.clone());
        }
        note(&mut self.states.profiles, newly_dirty, profile);
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

fn note(profiles: &mut HotTable<ProfileState>, newly_dirty: bool, profile: &ProfileId) {
    if newly_dirty {
        profiles.note_dirty(&profile.0);
    }
}
