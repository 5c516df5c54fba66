//! Filling newly published signals from what the log still has, before anything later is taken in.
//!
//! The past is counted where the bundle stands in the log, so a replay fills alike. Nothing of it is committed with the
//! bundle's own position until all of it is there: whoever stops in between begins anew, and repeating it changes nothing.

use super::{Worker, WorkerError, load};
use crate::limits::{BACKFILL_LOG_BYTES, BACKFILL_MEMBERS};
use crate::log::records;
use crate::profile::Changes;
use attune_core::bundle::Bundle;
use attune_core::id::{MemberId, SignalId};
use attune_core::profile::MemberState;
use attune_core::time::Timestamp;
use attune_core::wire::{Record, decode_record};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The past of some members, those that follow each other in order of id.
#[derive(Default)]
struct Counted {
    members: BTreeMap<Box<str>, MemberState>,
    /// When the oldest record that the log has was received; absent where the log has all there ever were.
    since: Option<Timestamp>,
    /// Whether members with larger ids were left out.
    has_more: bool,
}

impl Worker<'_> {
    /// The signals of a bundle that ask for the past and that are not counted as such already.
    pub(super) fn asking_for_the_past(&self, bundle: &Bundle) -> Vec<SignalId> {
        if self.processor.bundle().revision == 0 {
            // What the first bundle has is counted from the first event on.
            return Vec::new();
        }
        let counted = self.processor.counted();
        let asked = |id| counted.by_id(id).is_some_and(|known| known.backfill);
        let asking = bundle.signals.iter().filter(|signal| signal.backfill && !asked(signal.id));
        asking.map(|signal| signal.id).collect()
    }

    /// Fills signals of the bundle that has just taken effect from all records before its own.
    pub(super) fn backfill(&mut self, signals: &[SignalId], revision: u64) -> Result<(), WorkerError> {
        let (mut after, mut filled) = (None, 0);
        loop {
            let counted = self.count_past(signals, revision, after.as_deref())?;
            for (member, past) in &counted.members {
                filled += u64::from(self.fill(member, signals, past, counted.since)?);
            }
            self.keep_states()?;
            if !counted.has_more {
                break;
            }
            after = counted.members.into_keys().next_back();
        }
        tracing::info!(revision, signals = signals.len(), members = filled, "filled signals from the log");
        Ok(())
    }

    /// Counts the past of the first members whose ids come after one.
    fn count_past(
        &self,
        signals: &[SignalId],
        revision: u64,
        after: Option<&str>,
    ) -> Result<Counted, WorkerError> {
        let (from, is_whole) = self.parts.log.position_before(self.position, BACKFILL_LOG_BYTES)?;
        let mut reader = self.parts.log.reader(from);
        let mut counted = Counted::default();
        while let Some(chunk) = reader.read_on()? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(WorkerError::Stopped);
            }
            for record in chunk.frames().flat_map(|frame| records(frame.payload)) {
                let Ok(record) = decode_record(record) else { continue };
                if activates(&record, revision) {
                    return Ok(counted);
                }
                if let Record::Event { event, received_at, .. } = &record {
                    if !is_whole {
                        counted.since.get_or_insert(*received_at);
                    }
                    if after.is_some_and(|after| *event.member.0 <= *after) {
                        continue;
                    }
                    if let Some(state) = counted.state_of(&event.member)
                        && self.is_counted(&event.event_type, signals)
                    {
                        self.processor.absorb(state, &record);
                    }
                }
            }
        }
        Ok(counted)
    }

    fn is_counted(&self, event_type: &str, signals: &[SignalId]) -> bool {
        let mut is_counted = false;
        let table = self.processor.counted();
        table.each_for_type(event_type, &mut |_, signal| is_counted |= signals.contains(&signal.id));
        is_counted
    }

    /// Fills one member's signals; says whether there was one to fill.
    fn fill(
        &mut self,
        member: &str,
        signals: &[SignalId],
        past: &MemberState,
        since: Option<Timestamp>,
    ) -> Result<bool, WorkerError> {
        let store = &*self.parts.store;
        let make = || MemberState::new(MemberId(member.into()));
        let hot = load(&mut self.states.members, store, member, make)?;
        let Some(change) = self.processor.fill(&mut hot.state, signals, past, since) else {
            return Ok(false);
        };
        if hot.mark_dirty() {
            self.states.members.note_dirty(member);
        }
        self.combine(&change)?;
        Ok(true)
    }

    /// Commits states without a position: what is taken in again after a restart has been in effect already.
    fn keep_states(&mut self) -> Result<(), WorkerError> {
        let mut changes = Changes::default();
        self.states.write_changes(&mut changes);
        self.outbox.write_changes(&mut changes);
        self.parts.store.commit(changes)?;
        self.states.shrink();
        Ok(())
    }
}

impl Counted {
    /// The state of a member; nothing for one that has to wait for the next pass.
    fn state_of(&mut self, member: &MemberId) -> Option<&mut MemberState> {
        if !self.members.contains_key(&member.0) {
            if self.has_more && self.members.last_key_value().is_some_and(|(last, _)| member.0 > *last) {
                return None;
            }
            self.members.insert(member.0.clone(), MemberState::new(member.clone()));
            if self.members.len() > BACKFILL_MEMBERS {
                self.members.pop_last();
                self.has_more = true;
            }
        }
        self.members.get_mut(&member.0)
    }
}

fn activates(record: &Record, revision: u64) -> bool {
    match record {
        Record::Bundle { revision: found, .. } => *found == revision,
        Record::Rollout { candidate, .. } => candidate.as_ref().is_some_and(|it| it.revision == revision),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_keeps_the_members_that_come_first_whole() {
        let mut counted = Counted::default();
        let id = |number: usize| MemberId(format!("{number:06}").into());
        let numbers = (0..BACKFILL_MEMBERS + 10).rev();
        for number in numbers.clone().chain(numbers) {
            let is_kept = counted.state_of(&id(number)).is_some();
            assert!(!is_kept || number < BACKFILL_MEMBERS || !counted.has_more, "{number}");
        }
        let (first, last) =
            (counted.members.keys().next().unwrap(), counted.members.keys().next_back().unwrap());
        assert_eq!((&**first, &**last), (&*id(0).0, &*id(BACKFILL_MEMBERS - 1).0));
    }
}
