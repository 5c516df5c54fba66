//! The table at the door: which event ids, and which numbers of which lanes, are in the log already.

use crate::access::Tombstones;
use crate::limits::{DOOR_EVENT_IDS, DOOR_LANE_GAP, DOOR_LANE_NUMBERS};
use crate::log::{EventKey, Gate, LogReader, Verdict, push_record};
use attune_core::wire::{Record, decode_record, encode_record};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::io;
use std::mem;

/// Remembers the newest event ids and lane numbers; the oldest are forgotten a generation at a time.
///
/// What is forgotten here is still judged by the absorbed ranges of the member's state.
#[derive(Debug, Default)]
pub struct Door {
    ids: Generations<[u64; 2], LanePlace>,
    lanes: Generations<[u64; 2], LaneNumbers>,
    since_commit: Vec<EventKey>,
}

/// A fingerprint of the lane and number under which an event id was seen; 0 for none.
type LanePlace = u64;

impl Door {
    /// Fills the table from the newest part of the log, and notes who has been erased there.
    ///
    /// # Errors
    /// A segment that cannot be read.
    pub fn rebuild(mut reader: LogReader, tombstones: &Tombstones) -> io::Result<Self> {
        let mut door = Self::default();
        while let Some(chunk) = reader.read_on()? {
            for frame in chunk.frames() {
                for record in frame.records() {
                    match decode_record(record) {
                        Ok(Record::Event { event, .. }) => {
                            let lane = event.lane.map(|place| (place.lane.0.as_u128(), place.seq));
                            door.remember(&EventKey { event_id: event.event_id.0.as_u128(), lane });
                        }
                        Ok(Record::Erase { tombstone, .. }) => tombstones.note(tombstone),
                        _ => {}
                    }
                }
            }
        }
        door.since_commit.clear();
        Ok(door)
    }

    fn remember(&mut self, key: &EventKey) {
        if self.ids.young.len() >= DOOR_EVENT_IDS {
            self.ids.turn();
            self.lanes.turn();
        }
        self.ids.young.insert(halves(key.event_id), place_of(key));
        if let Some((lane, seq)) = key.lane {
            self.lanes.entry(halves(lane)).set(seq, fingerprint(key.event_id));
        }
        self.since_commit.push(*key);
    }
}

impl Gate for Door {
    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        if let Some(place) = self.ids.get(&halves(key.event_id)) {
            if *place != place_of(key) {
                mark_absorbed(record, out);
            }
            return Verdict::Duplicate;
        }
        if let Some((lane, seq)) = key.lane {
            let held = self.lanes.get(&halves(lane)).and_then(|numbers| numbers.get(seq));
            match held {
                Some(held) if held == fingerprint(key.event_id) => return Verdict::Duplicate,
                Some(_) => return Verdict::LaneConflict,
                None => {}
            }
        }
        self.remember(key);
        push_record(out, record);
        Verdict::New
    }

    fn commit(&mut self) {
        self.since_commit.clear();
    }

    fn rollback(&mut self) {
        for key in mem::take(&mut self.since_commit) {
            self.ids.remove(&halves(key.event_id));
            if let Some((lane, seq)) = key.lane {
                self.lanes.entry(halves(lane)).set(seq, 0);
            }
        }
    }
}

/// Logs a repeat that came under another number as that number being void, so that its lane has no hole.
fn mark_absorbed(record: &[u8], out: &mut Vec<u8>) {
    let Ok(Record::Event { event, .. }) = decode_record(record) else { return };
    let Some(place) = event.lane else { return };
    let void = Record::Void { member: event.member, lane: place.lane, from: place.seq, to: place.seq };
    let mut bytes = Vec::new();
    encode_record(&void, &mut bytes);
    push_record(out, &bytes);
}

/// The event ids of the newest numbers of one lane, as fingerprints; 0 where unknown.
#[derive(Debug, Default)]
struct LaneNumbers {
    first: u64,
    ids: VecDeque<u64>,
}

impl LaneNumbers {
    fn get(&self, seq: u64) -> Option<u64> {
        let index = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.ids.get(index).copied().filter(|id| *id != 0)
    }

    fn set(&mut self, seq: u64, id: u64) {
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

/// A map that keeps between one and two times its capacity of the newest entries.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: std::hash::Hash + Eq, V> Generations<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Forgets the old and lets the young grow old; the memory is kept, so that it need not grow again.
    fn turn(&mut self) {
        mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
    }
}

impl<K: std::hash::Hash + Eq + Copy, V: Default> Generations<K, V> {
    /// The entry of a key, which becomes young by it.
    fn entry(&mut self, key: K) -> &mut V {
        let old = &mut self.old;
        self.young.entry(key).or_insert_with(|| old.remove(&key).unwrap_or_default())
    }
}

const fn halves(id: u128) -> [u64; 2] {
    [(id >> 64) as u64, id as u64]
}

/// 64 bits of an event id, never 0.
const fn fingerprint(event_id: u128) -> u64 {
    let mixed = (event_id >> 64) as u64 ^ (event_id as u64).rotate_left(29);
    if mixed == 0 { 1 } else { mixed }
}

const fn place_of(key: &EventKey) -> LanePlace {
    match key.lane {
        None => 0,
        Some((lane, seq)) => fingerprint(lane ^ ((seq as u128) << 32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event_id: u128, lane: u128, seq: u64) -> EventKey {
        EventKey { event_id, lane: Some((lane, seq)) }
    }

    fn admit(door: &mut Door, key: EventKey) -> Verdict {
        door.admit(&key, b"record", &mut Vec::new())
    }

    #[test]
    fn an_event_id_is_new_once() {
        let mut door = Door::default();
        let verdicts =
            [admit(&mut door, key(1, 9, 1)), admit(&mut door, key(1, 9, 1)), admit(&mut door, key(2, 9, 2))];
        assert_eq!(verdicts, [Verdict::New, Verdict::Duplicate, Verdict::New]);
    }

    #[test]
    fn another_event_under_a_known_number_is_a_conflict() {
        let mut door = Door::default();
        let verdicts =
            [admit(&mut door, key(1, 9, 1)), admit(&mut door, key(2, 9, 1)), admit(&mut door, key(2, 8, 1))];
        assert_eq!(verdicts, [Verdict::New, Verdict::LaneConflict, Verdict::New]);
    }

    #[test]
    fn what_did_not_become_durable_is_new_again() {
        let mut door = Door::default();
        admit(&mut door, key(1, 9, 1));
        door.rollback();
        assert_eq!(admit(&mut door, key(1, 9, 1)), Verdict::New);
        door.commit();
        door.rollback();
        assert_eq!(admit(&mut door, key(1, 9, 1)), Verdict::Duplicate);
    }

    #[test]
    fn a_lane_remembers_its_newest_numbers_in_any_order() {
        let mut numbers = LaneNumbers::default();
        let limit = DOOR_LANE_NUMBERS as u64;
        for seq in [10, 3, 7].into_iter().chain(11..=limit + 12) {
            numbers.set(seq, seq + 1);
        }
        numbers.set(1, 2);
        let held = [3, 10, limit + 12, 1].map(|seq| numbers.get(seq));
        assert_eq!(held, [None, None, Some(limit + 13), None]);
        assert_eq!(numbers.ids.len(), DOOR_LANE_NUMBERS);
    }

    #[test]
    fn a_number_far_ahead_costs_no_memory() {
        let mut numbers = LaneNumbers::default();
        for seq in [1, u64::MAX - 1, 5] {
            numbers.set(seq, 7);
        }
        assert_eq!((numbers.get(u64::MAX - 1), numbers.ids.len()), (Some(7), 1));
    }

    #[test]
    fn generations_keep_the_newest_entries() {
        let mut map: Generations<u32, u32> = Generations::default();
        for number in 0..3 {
            *map.entry(number) = number;
            map.turn();
        }
        assert_eq!([0, 1, 2].map(|number| map.get(&number).copied()), [None, None, Some(2)]);
    }
}
