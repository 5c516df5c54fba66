//! One lane of a member: which numbers have been absorbed, which were given up, whether it has ended.

use super::Ranges;
use crate::codec::{CodecError, Reader, Writer};
use crate::hash::key_hash;
use crate::id::EventId;
use crate::limits::{LANE_FINGERPRINTS, MAX_LANE_RANGES};
use crate::time::Timestamp;
use alloc::vec::Vec;

/// What marking a number found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It was not absorbed before and is now.
    New,
    /// It had been absorbed, as far as is remembered with the same event.
    Duplicate,
    /// It had been absorbed with another event.
    Conflict,
    /// The lane already has [`MAX_LANE_RANGES`] separate ranges; nothing has changed.
    Full,
}

/// One lane: a number is absorbed, or given up, or still expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneState {
    absorbed: Ranges,
    void: Ranges,
    closed: Option<u64>,
    touched: Timestamp,
    /// The latest numbers with a fingerprint of their event ids, in order of number; empty once the lane is complete.
    fingerprints: Vec<(u64, u32)>,
}

impl LaneState {
    /// Numbers absorbed.
    pub const fn absorbed(&self) -> &Ranges {
        &self.absorbed
    }

    /// Numbers given up and not absorbed.
    pub const fn void(&self) -> &Ranges {
        &self.void
    }

    /// How many numbers the lane gave out, once it has ended.
    pub const fn closed(&self) -> Option<u64> {
        self.closed
    }

    /// Whether the lane has ended and each of its numbers is absorbed or void: nothing new can come of it.
    pub fn is_complete(&self) -> bool {
        let Some(count) = self.closed else { return false };
        if self.void.is_empty() {
            return self.absorbed.contains_range(1, count);
        }
        let mut all = self.absorbed.clone();
        all.merge(&self.void);
        all.contains_range(1, count)
    }

    /// The same without what only tells conflicts from duplicates, for whoever has no say in that.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self { fingerprints: Vec::new(), absorbed: self.absorbed.clone(), void: self.void.clone(), ..*self }
    }

    pub(super) fn mark(&mut self, seq: u64, event_id: EventId) -> Marked {
        let fingerprint = key_hash(event_id.0.as_bytes()) as u32;
        if self.absorbed.contains(seq) {
            let known = self.fingerprints.binary_search_by_key(&seq, |pair| pair.0).ok();
            let known = known.and_then(|at| self.fingerprints.get(at));
            return match known {
                Some((_, other)) if *other != fingerprint => Marked::Conflict,
                _ => Marked::Duplicate,
            };
        }
        if self.absorbed.len() >= MAX_LANE_RANGES {
            return Marked::Full;
        }
        self.absorbed.insert(seq);
        if self.void.contains(seq) {
            self.void.remove(seq);
        }
        if let Err(at) = self.fingerprints.binary_search_by_key(&seq, |pair| pair.0) {
            self.fingerprints.insert(at, (seq, fingerprint));
            if self.fingerprints.len() > LANE_FINGERPRINTS {
                self.fingerprints.remove(0);
            }
        }
        self.collapse();
        Marked::New
    }

    /// Gives numbers up, both bounds inclusive; returns whether any is new.
    pub(super) fn give_up(&mut self, from: u64, to: u64) -> bool {
        let before = self.void.clone();
        self.void.insert_range(from, to);
        // By ranges and not by numbers: the sender chooses how wide a void is.
        self.void.subtract(&self.absorbed);
        if self.void.len() > MAX_LANE_RANGES {
            self.void = before;
            return false;
        }
        self.collapse();
        self.void != before
    }

    /// Notes the end with `count` numbers given out; returns whether that is news.
    pub(super) fn close(&mut self, count: u64) -> bool {
        let news = self.closed.is_none_or(|known| known < count);
        if news {
            self.closed = Some(count);
            self.collapse();
        }
        news
    }

    /// When it was last heard of.
    pub(super) const fn touched(&self) -> Timestamp {
        self.touched
    }

    pub(super) fn touch(&mut self, at: Timestamp) {
        self.touched = self.touched.max(at);
    }

    fn collapse(&mut self) {
        if self.closed.is_some() && self.is_complete() {
            self.fingerprints = Vec::new();
        }
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        self.absorbed.encode(out);
        self.void.encode(out);
        out.option(self.closed, Writer::u64);
        out.i64(self.touched.0);
        out.len(self.fingerprints.len());
        for (seq, fingerprint) in &self.fingerprints {
            out.u64(*seq);
            out.raw(&fingerprint.to_le_bytes());
        }
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early or are out of bounds.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut state = Self {
            absorbed: Ranges::decode(reader)?,
            void: Ranges::decode(reader)?,
            closed: reader.option(Reader::u64)?,
            touched: Timestamp(reader.i64()?),
            fingerprints: Vec::new(),
        };
        for _ in 0..reader.len()? {
            let seq = reader.u64()?;
            let bytes: [u8; 4] = reader.raw(4)?.try_into().map_err(|_| CodecError)?;
            state.fingerprints.push((seq, u32::from_le_bytes(bytes)));
        }
        Ok(state)
    }
}
