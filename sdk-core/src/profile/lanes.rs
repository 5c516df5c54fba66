//! The lanes of a member: every number of every page load is absorbed once.

use super::lane::{LaneState, Marked};
use super::sorted::SortedMap;
use crate::codec::{Source, Writer};
use crate::id::{EventId, LaneId, Uuid};
use crate::limits::{LANE_KEEP_MS, MAX_LANES};
use crate::time::Timestamp;

/// The lanes of one member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    lanes: SortedMap<LaneId, LaneState>,
}

impl Lanes {
    /// Marks a number as absorbed at `at`; absorbed wins over void.
    pub fn mark(&mut self, lane: LaneId, seq: u64, event_id: EventId, at: Timestamp) -> Marked {
        self.lane(lane, at).mark(seq, event_id)
    }

    /// Notes a number as absorbed at `at` for a page, which asks for no more than [`Lanes::covers`] and
    /// [`Lanes::contains`]: conflicts and the bounds of a member are for the collector to see.
    pub fn note(&mut self, lane: LaneId, seq: u64, at: Timestamp) {
        self.lanes.or_insert_with(lane, LaneState::default).note(seq, at);
    }

    /// Marks numbers as given up, both bounds inclusive; those absorbed stay so. Returns whether any is new.
    pub fn void(&mut self, lane: LaneId, from: u64, to: u64, at: Timestamp) -> bool {
        self.lane(lane, at).give_up(from, to)
    }

    /// Notes that a lane has ended with `count` numbers given out. Returns whether that is news.
    pub fn close(&mut self, lane: LaneId, count: u64, at: Timestamp) -> bool {
        self.lane(lane, at).close(count)
    }

    /// Whether a number is settled: absorbed or void.
    pub fn covers(&self, lane: LaneId, seq: u64) -> bool {
        self.get(lane).is_some_and(|state| state.settles(seq, seq))
    }

    /// Whether a number is absorbed.
    pub fn absorbed(&self, lane: LaneId, seq: u64) -> bool {
        self.get(lane).is_some_and(|state| state.absorbed().contains(seq))
    }

    /// Whether everything that `other` has absorbed is absorbed or void here. Lanes of `other` that nothing has
    /// touched for [`LANE_KEEP_MS`] at `now` do not count, since they may have been forgotten here.
    pub fn contains(&self, other: &Self, now: Timestamp) -> bool {
        other.iter().all(|(lane, theirs)| match self.get(*lane) {
            _ if now.since(theirs.touched()) > LANE_KEEP_MS => true,
            None => theirs.absorbed().is_empty(),
            Some(mine) => theirs.absorbed().iter().all(|(from, to)| mine.settles(from, to)),
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
        self.lanes.retain(|_, state| now.since(state.touched()) <= LANE_KEEP_MS);
        let surplus = self.lanes.len().saturating_sub(MAX_LANES);
        if surplus > 0 {
            let oldest_kept = self.oldest_kept(surplus);
            self.lanes.retain(|_, state| state.touched() >= oldest_kept);
        }
    }

    /// The latest time before which no more lanes than these were touched: found by halving, in less code than a sort.
    fn oldest_kept(&self, surplus: usize) -> Timestamp {
        let touched = || self.lanes.iter().map(|(_, state)| state.touched().0);
        let (mut low, mut high) = (touched().min().unwrap_or_default(), touched().max().unwrap_or_default());
        while low < high {
            let middle = high - high.saturating_sub(low) / 2;
            if touched().filter(|at| *at < middle).count() <= surplus {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Timestamp(low)
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        out.len(self.lanes.len());
        for (lane, state) in self.lanes.iter() {
            out.raw(lane.0.as_bytes());
            state.encode(out);
        }
    }

    /// Reads the binary form; lanes out of order fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let lanes = SortedMap::decode(source, |source| {
            (LaneId(Uuid::from_bytes(source.array())), LaneState::decode(source))
        });
        Self { lanes }
    }

    fn lane(&mut self, lane: LaneId, at: Timestamp) -> &mut LaneState {
        if self.lanes.len() >= MAX_LANES && self.lanes.get(&lane).is_none() {
            self.prune(at);
        }
        let state = self.lanes.or_insert_with(lane, LaneState::default);
        state.touch(at);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_LANE_RANGES;

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
        assert!(early.contains(&late, AT) && !late.contains(&early, AT));
        late.void(lane(1), 2, 2, AT);
        assert!(late.contains(&early, AT));
    }

    #[test]
    fn a_lane_with_a_hole_does_not_contain_the_whole() {
        let (mut holed, mut whole) = (Lanes::default(), Lanes::default());
        for seq in 1..=9 {
            whole.note(lane(1), seq, AT);
            if seq != 5 {
                holed.note(lane(1), seq, AT);
            }
        }
        assert!(whole.contains(&holed, AT) && !holed.contains(&whole, AT));
        assert!(holed.covers(lane(1), 4) && !holed.covers(lane(1), 5) && !holed.covers(lane(1), 10));
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
        let bytes = out.into_bytes();
        let mut source = Source::new(&bytes);
        assert_eq!((Lanes::decode(&mut source), source.finish()), (lanes, Ok(())));
    }
}
