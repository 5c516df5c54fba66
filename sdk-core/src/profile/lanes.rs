//! Lanes of a member: which numbers have been absorbed, which were given up, which lanes have ended.

use super::Ranges;
use super::sorted::SortedMap;
use crate::codec::{CodecError, Reader, Writer};
use crate::hash::key_hash;
use crate::id::{EventId, LaneId, Uuid};
use crate::limits::{LANE_FINGERPRINTS, LANE_KEEP_MS, MAX_LANE_RANGES, MAX_LANES};
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

/// The lanes of one member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    lanes: SortedMap<LaneId, LaneState>,
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
    pub fn without_fingerprints(&self) -> Self {
        Self { fingerprints: Vec::new(), absorbed: self.absorbed.clone(), void: self.void.clone(), ..*self }
    }

    fn mark(&mut self, seq: u64, event_id: EventId) -> Marked {
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
        Marked::New
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

impl Lanes {
    /// Marks a number as absorbed at `at`; absorbed wins over void.
    pub fn mark(&mut self, lane: LaneId, seq: u64, event_id: EventId, at: Timestamp) -> Marked {
        let state = self.lane(lane, at);
        let marked = state.mark(seq, event_id);
        if marked == Marked::New {
            state.collapse();
        }
        marked
    }

    /// Marks numbers as given up, both bounds inclusive; those absorbed stay so. Returns whether any is new.
    pub fn void(&mut self, lane: LaneId, from: u64, to: u64, at: Timestamp) -> bool {
        let state = self.lane(lane, at);
        let before = state.void.clone();
        state.void.insert_range(from, to);
        // Walking the absorbed ranges, not the numbers: the sender chooses how wide a void is.
        state.void.subtract(&state.absorbed);
        if state.void.len() > MAX_LANE_RANGES {
            state.void = before;
            return false;
        }
        state.collapse();
        state.void != before
    }

    /// Notes that a lane has ended with `count` numbers given out. Returns whether that is news.
    pub fn close(&mut self, lane: LaneId, count: u64, at: Timestamp) -> bool {
        let state = self.lane(lane, at);
        let news = state.closed.is_none_or(|known| known < count);
        if news {
            state.closed = Some(count);
            state.collapse();
        }
        news
    }

    /// Whether a number is settled: absorbed or void.
    pub fn covers(&self, lane: LaneId, seq: u64) -> bool {
        self.get(lane).is_some_and(|state| state.absorbed.contains(seq) || state.void.contains(seq))
    }

    /// Whether a number is absorbed.
    pub fn absorbed(&self, lane: LaneId, seq: u64) -> bool {
        self.get(lane).is_some_and(|state| state.absorbed.contains(seq))
    }

    /// Whether everything that `other` has absorbed is absorbed or void here.
    pub fn contains(&self, other: &Self) -> bool {
        other.iter().all(|(lane, theirs)| match self.get(*lane) {
            None => theirs.absorbed.is_empty(),
            Some(mine) if mine.absorbed.contains_all(&theirs.absorbed) => true,
            Some(mine) => {
                let mut settled = mine.absorbed.clone();
                settled.merge(&mine.void);
                settled.contains_all(&theirs.absorbed)
            }
        })
    }

    /// The state of a lane.
    pub fn get(&self, lane: LaneId) -> Option<&LaneState> {
        self.lanes.get(&lane)
    }

    /// Puts a lane's state in place.
    pub fn set(&mut self, lane: LaneId, state: LaneState) {
        self.lanes.insert(lane, state);
    }

    /// All lanes in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (&LaneId, &LaneState)> {
        self.lanes.iter()
    }

    /// How many lanes are known.
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether no lane is known.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Forgets lanes that nothing has touched for [`LANE_KEEP_MS`], then the oldest above [`MAX_LANES`].
    pub fn prune(&mut self, now: Timestamp) {
        self.lanes.retain(|_, state| now.since(state.touched) <= LANE_KEEP_MS);
        let surplus = self.lanes.len().saturating_sub(MAX_LANES);
        if surplus > 0 {
            let mut touched: Vec<Timestamp> = self.lanes.iter().map(|(_, state)| state.touched).collect();
            touched.sort_unstable();
            let oldest_kept = touched.get(surplus).copied().unwrap_or_default();
            self.lanes.retain(|_, state| state.touched >= oldest_kept);
        }
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.len(self.lanes.len());
        for (lane, state) in self.lanes.iter() {
            out.raw(lane.0.as_bytes());
            state.encode(out);
        }
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early and on lanes out of order.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut lanes = SortedMap::default();
        for _ in 0..reader.len()? {
            let lane = LaneId(Uuid::from_slice(reader.raw(16)?).map_err(|_| CodecError)?);
            if !lanes.push(lane, LaneState::decode(reader)?) {
                return Err(CodecError);
            }
        }
        Ok(Self { lanes })
    }

    fn lane(&mut self, lane: LaneId, at: Timestamp) -> &mut LaneState {
        if self.lanes.len() >= MAX_LANES && self.lanes.get(&lane).is_none() {
            self.prune(at);
        }
        let state = self.lanes.or_insert_with(lane, LaneState::default);
        state.touched = state.touched.max(at);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_000);

    fn lane(number: u128) -> LaneId {
        LaneId(Uuid::from_u128(number))
    }

    fn id(number: u128) -> EventId {
        EventId(Uuid::from_u128(number))
    }

    #[test]
    fn a_number_is_absorbed_once() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.mark(lane(1), 1, id(1), AT), Marked::New);
        assert_eq!(lanes.mark(lane(1), 1, id(1), AT), Marked::Duplicate);
        assert_eq!(lanes.mark(lane(2), 1, id(2), AT), Marked::New);
    }

    #[test]
    fn a_number_that_comes_with_another_event_is_a_conflict() {
        let mut lanes = Lanes::default();
        lanes.mark(lane(1), 1, id(1), AT);
        assert_eq!(lanes.mark(lane(1), 1, id(9), AT), Marked::Conflict);
    }

    #[test]
    fn absorbed_wins_over_void_from_either_side() {
        let mut lanes = Lanes::default();
        assert!(lanes.void(lane(1), 1, 3, AT));
        assert_eq!(lanes.mark(lane(1), 2, id(2), AT), Marked::New);
        assert!(!lanes.void(lane(1), 2, 2, AT));
        let state = lanes.get(lane(1)).unwrap();
        assert!(state.absorbed().contains(2) && !state.void().contains(2) && state.void().contains(3));
    }

    #[test]
    fn a_void_as_wide_as_the_number_line_costs_nothing() {
        let mut lanes = Lanes::default();
        lanes.mark(lane(1), 5, id(5), AT);
        assert!(lanes.void(lane(1), 0, u64::MAX, AT));
        assert!(lanes.covers(lane(1), u64::MAX) && !lanes.get(lane(1)).unwrap().void().contains(5));
    }

    #[test]
    fn a_complete_lane_remembers_its_count_and_still_takes_a_void_number() {
        let mut lanes = Lanes::default();
        lanes.mark(lane(1), 1, id(1), AT);
        lanes.close(lane(1), 2, AT);
        assert!(!lanes.get(lane(1)).unwrap().is_complete());
        lanes.void(lane(1), 2, 2, AT);
        assert!(lanes.get(lane(1)).unwrap().is_complete());
        assert_eq!(lanes.mark(lane(1), 2, id(2), AT), Marked::New);
        assert_eq!(lanes.mark(lane(1), 2, id(2), AT), Marked::Duplicate);
    }

    #[test]
    fn a_later_state_contains_an_earlier_one_and_what_became_void() {
        let (mut early, mut late) = (Lanes::default(), Lanes::default());
        early.mark(lane(1), 1, id(1), AT);
        early.mark(lane(1), 2, id(2), AT);
        late.mark(lane(1), 1, id(1), AT);
        assert!(early.contains(&late) && !late.contains(&early));
        late.void(lane(1), 2, 2, AT);
        assert!(late.contains(&early));
    }

    #[test]
    fn lanes_are_forgotten_after_their_time() {
        let mut lanes = Lanes::default();
        lanes.mark(lane(1), 1, id(1), AT);
        lanes.prune(AT.plus(LANE_KEEP_MS));
        assert_eq!(lanes.len(), 1);
        lanes.prune(AT.plus(LANE_KEEP_MS + 1));
        assert!(lanes.is_empty());
    }

    #[test]
    fn scattered_numbers_meet_a_bound() {
        let mut lanes = Lanes::default();
        let mark = |lanes: &mut Lanes, seq: u64| lanes.mark(lane(1), seq, id(u128::from(seq)), AT);
        let last = (0..=MAX_LANE_RANGES as u64).map(|number| mark(&mut lanes, number * 2)).last();
        assert_eq!(last, Some(Marked::Full));
        let mut out = Writer::new();
        lanes.encode(&mut out);
        assert_eq!(Lanes::decode(&mut Reader::new(&out.into_bytes())), Ok(lanes));
    }
}
