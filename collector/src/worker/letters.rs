//! The dead letters: refused events out of the log, as many as there is room for.

use super::{Worker, WorkerError, WorkerParts};
use crate::limits::MAX_DEAD_LETTERS;
use crate::metrics::Metrics;
use crate::profile::{Changes, Letter, Store, Table, is_of};
use attune_core::id::MemberId;
use attune_core::profile::Absorbed;
use attune_core::wire::{LetterId, Record, Refused, RefusedBy, RefusedContent, Replayed};
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

/// What is known of the letters that are kept, and what the next commit is to write.
#[derive(Debug, Default)]
pub struct Letters {
    /// Bytes and code of each, oldest first.
    kept: BTreeMap<LetterId, (usize, Arc<str>)>,
    counts: BTreeMap<Arc<str>, u64>,
    bytes: u64,
    max_bytes: u64,
    /// Letters to be written, or, without bytes, to be removed.
    unwritten: BTreeMap<LetterId, Option<Vec<u8>>>,
}

impl Letters {
    /// Takes back what the store has.
    pub fn open(parts: &WorkerParts) -> Result<Self, WorkerError> {
        let mut letters = Self { max_bytes: parts.letter_bytes, ..Self::default() };
        parts.store.scan(Table::DeadLetters, &mut |key, value| {
            match (LetterId::from_key(key), Letter::decode(key, value)) {
                (_, Some(letter)) => letters.note(letter.id, value.len(), &letter.refused.code),
                // Nobody could read it, and it is no state of anybody's.
                (Some(id), None) => drop(letters.unwritten.insert(id, None)),
                (None, None) => {}
            }
            true
        })?;
        letters.evict(&parts.metrics);
        letters.tell(&parts.metrics);
        Ok(letters)
    }

    /// Appends what has changed since the last call.
    pub fn write_changes(&mut self, changes: &mut Changes, metrics: &Metrics) {
        if self.unwritten.is_empty() {
            return;
        }
        for (id, value) in mem::take(&mut self.unwritten) {
            match value {
                Some(value) => changes.put(Table::DeadLetters, id.to_key(), value),
                None => changes.remove(Table::DeadLetters, id.to_key()),
            }
        }
        self.tell(metrics);
    }

    /// Keeps a letter, in the place of what it was before.
    fn put(&mut self, letter: &Letter, metrics: &Metrics) {
        let value = letter.encode();
        self.forget(letter.id);
        self.note(letter.id, value.len(), &letter.refused.code);
        self.unwritten.insert(letter.id, Some(value));
        self.evict(metrics);
    }

    fn remove(&mut self, id: LetterId) {
        self.forget(id);
        self.unwritten.insert(id, None);
    }

    /// A letter as it is now, whether or not it has been written.
    fn get(&self, store: &dyn Store, id: LetterId) -> Result<Option<Letter>, WorkerError> {
        let stored = match self.unwritten.get(&id) {
            Some(unwritten) => unwritten.clone(),
            None => store.get(Table::DeadLetters, &id.to_key())?,
        };
        Ok(stored.and_then(|value| Letter::decode(&id.to_key(), &value)))
    }

    fn note(&mut self, id: LetterId, bytes: usize, code: &str) {
        let code = match self.counts.get_key_value(code) {
            Some((code, _)) => code.clone(),
            None => Arc::from(code),
        };
        *self.counts.entry(code.clone()).or_default() += 1;
        self.bytes += bytes as u64;
        self.kept.insert(id, (bytes, code));
    }

    fn forget(&mut self, id: LetterId) {
        let Some((bytes, code)) = self.kept.remove(&id) else { return };
        self.bytes -= bytes as u64;
        if let Some(count) = self.counts.get_mut(&code) {
            *count -= 1;
        }
    }

    fn evict(&mut self, metrics: &Metrics) {
        while self.bytes > self.max_bytes || self.kept.len() > MAX_DEAD_LETTERS {
            let Some(oldest) = self.kept.first_key_value().map(|(id, _)| *id) else { return };
            self.remove(oldest);
            metrics.letters_evicted.add(1);
        }
    }

    fn tell(&self, metrics: &Metrics) {
        metrics.letter_bytes.set(self.bytes);
        metrics.letters.set_all(self.counts.iter().map(|(code, count)| (code.to_string(), *count)));
    }
}

impl Worker<'_> {
    /// Keeps a refused event that the log holds.
    pub(super) fn keep_letter(&mut self, id: LetterId, refused: Refused) {
        self.letters.put(&Letter::new(id, refused), &self.parts.metrics);
    }

    /// Keeps an event that its member's state has refused, whose receipt has said that it was accepted.
    pub(super) fn keep_unabsorbed(&mut self, id: LetterId, record: &Record, absorbed: &Absorbed) {
        let Record::Event { event, received_at, proven, .. } = record else { return };
        let (code, message) = match absorbed {
            Absorbed::LaneFull => ("lane_full", "its lane has more gaps than a page load can have"),
            _ => ("lane_conflict", "another event of the member has this lane and seq"),
        };
        let refused = Refused {
            by: RefusedBy::Worker,
            at: *received_at,
            code: code.into(),
            message: message.into(),
            count: 1,
            event_type: Some(event.event_type.clone()),
            content: Some(RefusedContent::of_event(event, *proven)),
        };
        self.keep_letter(id, refused);
    }

    /// Takes in that a letter has been tried again: it goes, or has the new reason from now on.
    pub(super) fn take_replay(&mut self, replayed: &Replayed) -> Result<(), WorkerError> {
        let Some(mut letter) = self.letters.get(&*self.parts.store, replayed.letter)? else { return Ok(()) };
        match &replayed.refused {
            None => self.letters.remove(replayed.letter),
            Some((code, message)) => {
                letter.refused.code = code.clone();
                letter.refused.message = message.clone();
                letter.replays += 1;
                letter.replayed_at = Some(replayed.at);
                self.letters.put(&letter, &self.parts.metrics);
            }
        }
        Ok(())
    }

    /// Removes the letters of a member, and those that name it. Everything has been committed before.
    pub(super) fn erase_letters(&mut self, member: &MemberId) -> Result<(), WorkerError> {
        let mut found = Vec::new();
        self.parts.store.scan(Table::DeadLetters, &mut |key, value| {
            found.extend(Letter::decode(key, value).filter(|letter| is_of(&letter.refused, member)));
            true
        })?;
        found.iter().for_each(|letter| self.letters.remove(letter.id));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::time::Timestamp;

    fn letter(position: u64, code: &str, raw_bytes: usize) -> Letter {
        let content = RefusedContent {
            member: None,
            event_id: None,
            key: None,
            proven: false,
            clock_shift_ms: 0,
            raw: "x".repeat(raw_bytes).into(),
            raw_bytes: raw_bytes as u64,
        };
        let refused = Refused {
            by: RefusedBy::Reading,
            at: Timestamp(0),
            code: code.into(),
            message: "".into(),
            count: 1,
            event_type: None,
            content: Some(content),
        };
        Letter::new(LetterId { position, index: 0 }, refused)
    }

    fn counts(letters: &Letters) -> Vec<(&str, u64)> {
        letters.counts.iter().map(|(code, count)| (&**code, *count)).collect()
    }

    #[test]
    fn the_oldest_letters_go_where_there_are_too_many_bytes() {
        let metrics = Metrics::default();
        let mut letters = Letters { max_bytes: 3_500, ..Letters::default() };
        for (position, code) in [(1, "a"), (2, "b"), (3, "b"), (4, "c")] {
            letters.put(&letter(position, code, 1_000), &metrics);
        }
        let kept: Vec<u64> = letters.kept.keys().map(|id| id.position).collect();
        assert_eq!((kept, counts(&letters)), (vec![2, 3, 4], vec![("a", 0), ("b", 2), ("c", 1)]));
        assert_eq!(metrics.letters_evicted.get(), 1);
        let mut changes = Changes::default();
        letters.write_changes(&mut changes, &metrics);
        let removed: Vec<_> = changes.writes.iter().map(|(_, _, value)| value.is_none()).collect();
        assert_eq!(removed, [true, false, false, false]);
        assert_eq!(metrics.letter_bytes.get(), letters.bytes);
    }

    #[test]
    fn a_letter_that_is_put_again_counts_once() {
        let metrics = Metrics::default();
        let mut letters = Letters { max_bytes: 10_000, ..Letters::default() };
        letters.put(&letter(1, "a", 10), &metrics);
        let bytes = letters.bytes;
        letters.put(&letter(1, "b", 10), &metrics);
        assert_eq!((letters.bytes, counts(&letters)), (bytes, vec![("a", 0), ("b", 1)]));
        letters.remove(LetterId { position: 1, index: 0 });
        assert_eq!((letters.bytes, letters.kept.len(), counts(&letters)), (0, 0, vec![("a", 0), ("b", 0)]));
    }
}
