//! One lane of a member: which numbers have been absorbed, which were given up, whether it has ended.

use super::Ranges;
use crate::codec::{Source, Writer};
use crate::hash::key_hash;
use crate::id::EventId;
use crate::limits::{LANE_FINGERPRINTS, MAX_LANE_RANGES};
use crate::time::Timestamp;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    absorbed: Ranges,
    void: Ranges,
    closed: Option<u64>,
    touched: Timestamp,
    /// Fingerprints of the event ids of the latest numbers, each in the place of its number modulo the length; 0 where
    /// none is known, as in a complete lane.
    fingerprints: Fingerprints,
}

/// Little-endian, 32 bits each.
type Fingerprints = [u8; 4 * LANE_FINGERPRINTS];

const NO_FINGERPRINTS: Fingerprints = [0; 4 * LANE_FINGERPRINTS];

impl Default for LaneState {
    fn default() -> Self {
        let (absorbed, void) = (Ranges::new(), Ranges::new());
        Self { absorbed, void, closed: None, touched: Timestamp(0), fingerprints: NO_FINGERPRINTS }
    }
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
        self.closed.is_some_and(|count| self.settles(1, count))
    }

    /// Whether each number from `from` to `to` is absorbed or void.
    pub(super) fn settles(&self, from: u64, to: u64) -> bool {
        let mut next = Some(from);
        while let Some(from) = next.filter(|from| *from <= to) {
            let Some(end) = self.absorbed.end_of(from).or_else(|| self.void.end_of(from)) else {
                return false;
            };
            next = end.checked_add(1);
        }
        true
    }

    /// The same without what only tells conflicts from duplicates, for whoever has no say in that.
    #[must_use]
    pub fn summary(&self) -> Self {
        Self {
            fingerprints: NO_FINGERPRINTS,
            absorbed: self.absorbed.clone(),
            void: self.void.clone(),
            ..*self
        }
    }

    pub(super) fn note(&mut self, seq: u64, at: Timestamp) {
        self.absorbed.insert(seq);
        self.touch(at);
    }

    pub(super) fn mark(&mut self, seq: u64, event_id: EventId) -> Marked {
        // 0 stands for an unknown one.
        let fingerprint = (key_hash(event_id.0.as_bytes()) as u32).max(1).to_le_bytes();
        if self.absorbed.contains(seq) {
            return match self.fingerprint(seq) {
                Some(known) if *known != [0; 4] && *known != fingerprint => Marked::Conflict,
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
        if let Some(place) = self.fingerprint(seq) {
            *place = fingerprint;
        }
        self.collapse();
        Marked::New
    }

    /// The place of a number's fingerprint, if it is one of the latest. A later number cannot have taken it: the next
    /// of the same place would push this one out of the latest.
    fn fingerprint(&mut self, seq: u64) -> Option<&mut [u8; 4]> {
        let length = LANE_FINGERPRINTS as u64;
        if self.absorbed.last()?.saturating_sub(seq) >= length {
            return None;
        }
        self.fingerprints.as_chunks_mut().0.get_mut((seq % length) as usize)
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
        if self.is_complete() {
            self.fingerprints = NO_FINGERPRINTS;
        }
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        self.absorbed.encode(out);
        self.void.encode(out);
        out.option(self.closed, Writer::u64);
        out.i64(self.touched.0);
        let known = self.fingerprints != NO_FINGERPRINTS;
        out.bool(known);
        if known {
            out.raw(&self.fingerprints);
        }
    }

    /// Reads the binary form; what is out of bounds fails the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        Self {
            absorbed: Ranges::decode(source),
            void: Ranges::decode(source),
            closed: source.option(Source::u64),
            touched: Timestamp(source.i64()),
            fingerprints: if source.bool() { source.array() } else { NO_FINGERPRINTS },
        }
    }
}
