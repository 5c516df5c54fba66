//! Which event ids the newest numbers of lanes have, so that a number that comes with another one is told.

use super::key::fingerprint;
use crate::limits::{DOOR_LANE_EVENTS, DOOR_LANE_GAP, DOOR_LANE_NUMBERS, DOOR_LANES};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::mem;

/// Remembers the newest numbers; the oldest lanes are forgotten a generation at a time.
///
/// What is forgotten here is still judged by the absorbed ranges of the member's state.
#[derive(Debug)]
pub struct Lanes {
    young: HashMap<u128, Numbers>,
    old: HashMap<u128, Numbers>,
    /// Numbers that have come since the last turn.
    events: usize,
}

impl Default for Lanes {
    fn default() -> Self {
        // With all the room that they may need, so that none of them ever moves.
        let empty = || HashMap::with_capacity(DOOR_LANES);
        Self { young: empty(), old: empty(), events: 0 }
    }
}

impl Lanes {
    /// Whether a number is known to be that of another event than this one; nothing where it is not known.
    pub fn is_another(&self, lane: u128, seq: u64, event_id: u128) -> Option<bool> {
        let numbers = self.young.get(&lane).or_else(|| self.old.get(&lane))?;
        numbers.get(seq).map(|held| held != short(event_id))
    }

    /// Remembers a number.
    pub fn set(&mut self, lane: u128, seq: u64, event_id: u128) {
        if self.events >= DOOR_LANE_EVENTS || self.young.len() >= DOOR_LANES {
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
            self.events = 0;
        }
        self.events += 1;
        self.numbers(lane).set(seq, short(event_id));
    }

    /// Forgets a number.
    pub fn forget(&mut self, lane: u128, seq: u64) {
        self.numbers(lane).set(seq, 0);
    }

    /// The numbers of a lane, which becomes young by it.
    fn numbers(&mut self, lane: u128) -> &mut Numbers {
        let old = &mut self.old;
        self.young.entry(lane).or_insert_with(|| old.remove(&lane).unwrap_or_default())
    }
}

/// 32 bits of an event id, never 0.
const fn short(event_id: u128) -> u32 {
    let mixed = fingerprint(event_id);
    match (mixed ^ (mixed >> 32)) as u32 {
        0 => 1,
        short => short,
    }
}

/// The event ids of the newest numbers of one lane, as fingerprints; 0 where unknown.
#[derive(Debug, Default)]
struct Numbers {
    first: u64,
    ids: VecDeque<u32>,
}

impl Numbers {
    fn get(&self, seq: u64) -> Option<u32> {
        let index = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.ids.get(index).copied().filter(|id| *id != 0)
    }

    fn set(&mut self, seq: u64, id: u32) {
        let end = self.first + self.ids.len() as u64;
        if self.ids.is_empty() || seq.saturating_sub(end) > DOOR_LANE_GAP {
            self.ids.clear();
            self.first = seq;
        }
        if seq < self.first {
            let missing = self.first - seq;
            if missing > DOOR_LANE_GAP {
                return;
            }
            (0..missing).for_each(|_| self.ids.push_front(0));
            self.first = seq;
        }
        let index = (seq - self.first) as usize;
        if index >= self.ids.len() {
            self.ids.resize(index + 1, 0);
        }
        self.ids[index] = id;
        let beyond = self.ids.len().saturating_sub(DOOR_LANE_NUMBERS);
        self.ids.drain(..beyond);
        self.first += beyond as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_with_its_event_until_many_others_have_come() {
        let mut lanes = Lanes::default();
        lanes.set(9, 1, 100);
        assert_eq!([100, 101].map(|id| lanes.is_another(9, 1, id)), [Some(false), Some(true)]);
        assert_eq!(lanes.is_another(9, 2, 100), None);
        lanes.forget(9, 1);
        assert_eq!(lanes.is_another(9, 1, 101), None);
        lanes.set(9, 1, 100);
        let capacity = lanes.young.capacity();
        for lane in 0..2 * DOOR_LANES as u128 + 2 {
            lanes.set(1_000 + lane, 1, lane);
        }
        assert_eq!(lanes.is_another(9, 1, 101), None);
        assert_eq!((lanes.young.capacity(), lanes.old.capacity()), (capacity, capacity));
    }

    #[test]
    fn a_lane_remembers_its_newest_numbers_in_any_order() {
        let mut numbers = Numbers::default();
        let limit = DOOR_LANE_NUMBERS as u64;
        for seq in [10, 3, 7].into_iter().chain(11..=limit + 12) {
            numbers.set(seq, seq as u32 + 1);
        }
        numbers.set(1, 2);
        let held = [3, 10, limit + 12, 1].map(|seq| numbers.get(seq));
        assert_eq!(held, [None, None, Some(limit as u32 + 13), None]);
        assert_eq!(numbers.ids.len(), DOOR_LANE_NUMBERS);
    }

    #[test]
    fn a_number_far_ahead_costs_no_memory() {
        let mut numbers = Numbers::default();
        for seq in [1, u64::MAX - 1, 5] {
            numbers.set(seq, 7);
        }
        assert_eq!((numbers.get(u64::MAX - 1), numbers.ids.len()), (Some(7), 1));
    }
}
