//! The table at the door: which event ids, and which numbers of which lanes, are in the log already.

use crate::access::Tombstones;
use crate::limits::{DOOR_EVENT_IDS, DOOR_LANE_GAP, DOOR_LANE_NUMBERS};
use crate::log::{EventKey, Gate, LogReader, Origin, Verdict, push_record};
use attune_core::wire::{Event, Record, Refused, RefusedBy, RefusedContent, decode_record, encode_record};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::io;
use std::mem;

/// Remembers the newest event ids and lane numbers; the oldest are forgotten a generation at a time.
///
/// What is forgotten here is still judged by the absorbed ranges of the member's state.
#[derive(Debug, Default)]
pub struct Door {
    ids: Generations<[u64; 2], Seen>,
    lanes: Generations<[u64; 2], LaneNumbers>,
    since_commit: Vec<EventKey>,
}

/// Code and message of an event whose number another one has.
pub const LANE_CONFLICT: (&str, &str) = ("lane_conflict", "another event has this lane and seq");
/// Code and message of an event whose id another one has.
pub const PAYLOAD_CONFLICT: (&str, &str) =
    ("payload_conflict", "an event of this id is in effect already, and says something else");

/// What is known of an event beside its id. Both are fingerprints of 32 bits: whatever they fail to tell apart is taken for a
/// plain repeat, as nearly all repeats are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// Of the lane and number under which it came; 0 for none.
    place: u32,
    /// Of what it says.
    payload: u32,
}

/// What the door goes by of an event as it is logged.
pub fn key_of(event: &Event, origin: Origin) -> EventKey {
    let lane = event.lane.map(|place| (place.lane.0.as_u128(), place.seq));
    EventKey { event_id: event.event_id.0.as_u128(), lane, payload: payload_of(event), origin }
}

/// A fingerprint of what a repeat says again. Its time is left out, since a batch may be shifted, and so are lane, number and
/// session, which belong to how it was sent.
fn payload_of(event: &Event) -> u32 {
    let texts =
        [Some(&event.member.0), Some(&event.event_type), event.user_id.as_ref(), event.metadata.as_ref()];
    texts.into_iter().fold(0, |sum, text| {
        let bytes = text.map_or(&b""[..], |text| text.as_bytes());
        // With its length, so that no text passes for the end of another.
        crc32c::crc32c_append(crc32c::crc32c_append(sum, &(bytes.len() as u32).to_le_bytes()), bytes)
    })
}

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
                        Ok(Record::Event { event, .. }) => door.remember(&key_of(&event, Origin::Sender)),
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
        self.ids.young.insert(halves(key.event_id), seen(key));
        if let Some((lane, seq)) = key.lane {
            self.lanes.entry(halves(lane)).set(seq, fingerprint(key.event_id));
        }
        self.since_commit.push(*key);
    }
}

impl Gate for Door {
    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        if let Some(before) = self.ids.get(&halves(key.event_id)) {
            let now = seen(key);
            if before.place != now.place {
                mark_absorbed(record, out);
            }
            if before.payload == now.payload {
                return Verdict::Duplicate;
            }
            keep(key, record, PAYLOAD_CONFLICT, out);
            return Verdict::PayloadConflict;
        }
        if let Some((lane, seq)) = key.lane {
            let held = self.lanes.get(&halves(lane)).and_then(|numbers| numbers.get(seq));
            match held {
                Some(held) if held == fingerprint(key.event_id) => return Verdict::Duplicate,
                Some(_) => {
                    keep(key, record, LANE_CONFLICT, out);
                    return Verdict::LaneConflict;
                }
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

/// Logs what is kept of an event that is refused here.
fn keep(key: &EventKey, record: &[u8], (code, message): (&str, &str), out: &mut Vec<u8>) {
    if key.origin == Origin::DeadLetters {
        return;
    }
    let Ok(Record::Event { event, received_at, proven }) = decode_record(record) else { return };
    let content = RefusedContent::of_event(&event, proven);
    let refused = Refused {
        by: RefusedBy::Door,
        at: received_at,
        code: code.into(),
        message: message.into(),
        count: 1,
        event_type: Some(event.event_type),
        content: Some(content),
    };
    let mut bytes = Vec::new();
    encode_record(&Record::Refused(refused.into()), &mut bytes);
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

const fn seen(key: &EventKey) -> Seen {
    let place = match key.lane {
        None => 0,
        Some((lane, seq)) => {
            let mixed = fingerprint(lane ^ ((seq as u128) << 32));
            // Numbers end up in both halves.
            match (mixed ^ (mixed >> 32)) as u32 {
                0 => 1,
                place => place,
            }
        }
    };
    Seen { place, payload: key.payload }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::records;
    use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
    use attune_core::time::Timestamp;
    use attune_core::wire::{LaneSeq, write_whole_event};

    fn key(event_id: u128, lane: u128, seq: u64) -> EventKey {
        EventKey { event_id, lane: Some((lane, seq)), payload: 0, origin: Origin::Sender }
    }

    fn event(id: u128, metadata: &str) -> Event {
        Event {
            event_id: EventId(Uuid::from_u128(id)),
            event_type: "click".into(),
            timestamp: Timestamp(7),
            member: MemberId("m".into()),
            lane: Some(LaneSeq { lane: LaneId(Uuid::from_u128(9)), seq: 1 }),
            session: None,
            user_id: None,
            metadata: Some(metadata.into()),
        }
    }

    /// The verdict on an event, and what enters the log.
    fn admit_event(door: &mut Door, event: &Event, origin: Origin) -> (Verdict, Vec<Record>) {
        let (mut record, mut out) = (Vec::new(), Vec::new());
        let logged = Record::Event { event: event.clone(), received_at: Timestamp(8), proven: true };
        encode_record(&logged, &mut record);
        let verdict = door.admit(&key_of(event, origin), &record, &mut out);
        (verdict, records(&out).map(|record| decode_record(record).unwrap()).collect())
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
    fn what_conflicts_is_kept_as_it_was_to_be_logged_unless_it_is_a_dead_letter_already() {
        let first = event(1, r#"{"a":1}"#);
        let other_payload = event(1, r#"{"a":2}"#);
        let other_event = event(2, r#"{"a":1}"#);
        for origin in [Origin::Sender, Origin::DeadLetters] {
            for (event, expected) in
                [(&other_payload, Verdict::PayloadConflict), (&other_event, Verdict::LaneConflict)]
            {
                let mut door = Door::default();
                assert_eq!(admit_event(&mut door, &first, Origin::Sender).0, Verdict::New);
                let (verdict, logged) = admit_event(&mut door, event, origin);
                assert_eq!(verdict, expected);
                if origin == Origin::DeadLetters {
                    assert_eq!(logged, []);
                    continue;
                }
                let [Record::Refused(refused)] = &*logged else { panic!("{logged:?}") };
                let content = refused.content.as_ref().unwrap();
                assert_eq!((&*refused.code == "payload_conflict"), verdict == Verdict::PayloadConflict);
                assert_eq!((refused.by, refused.at, content.proven), (RefusedBy::Door, Timestamp(8), true));
                assert_eq!(*content.raw, write_whole_event(event));
            }
        }
    }

    #[test]
    fn a_repeat_may_come_at_another_time_lane_and_session() {
        let mut door = Door::default();
        let first = event(1, r#"{"a":1}"#);
        admit_event(&mut door, &first, Origin::Sender);
        let lane = Some(LaneSeq { lane: LaneId(Uuid::from_u128(9)), seq: 2 });
        let session = Some(SessionId(Uuid::from_u128(3)));
        let again = Event { timestamp: Timestamp(99), lane, session, ..first };
        let (verdict, logged) = admit_event(&mut door, &again, Origin::Sender);
        assert_eq!(verdict, Verdict::Duplicate);
        assert!(matches!(&*logged, [Record::Void { from: 2, to: 2, .. }]), "{logged:?}");
    }

    #[test]
    fn texts_do_not_pass_for_each_others_ends() {
        let payload = |member: &str, event_type: &str| {
            payload_of(&Event {
                member: MemberId(member.into()),
                event_type: event_type.into(),
                ..event(1, "{}")
            })
        };
        assert_ne!(payload("ab", "c"), payload("a", "bc"));
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
