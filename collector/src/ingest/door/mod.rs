//! The door: which event ids, and which numbers of which lanes, are in the log already.
//!
//! Ids are known exactly, for some days, in [generations](known) whose entries lie on the disk: of the newest a table in memory
//! says where, of the others a sorted file behind a filter. Nothing of that is synced; it is read from the log again where it is
//! missing or damaged.

mod filing;
mod filter;
mod generation;
mod hash;
mod hours;
mod ids;
mod index;
mod key;
mod known;
mod lanes;
mod restore;
mod table;

use crate::access::Tombstones;
use crate::log::{EventKey, Gate, LogReader, Origin, Verdict, push_record};
use crate::metrics::Metrics;
use attune_core::time::Timestamp;
use attune_core::wire::{Record, Refused, RefusedBy, RefusedContent, decode_record, encode_record};
pub use key::key_of;
use key::seen;
use known::Known;
pub use known::Window;
use lanes::Lanes;
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Knows the event ids of some days, and the newest numbers of lanes.
///
/// What is forgotten here is still judged by the absorbed ranges of the member's state.
#[derive(Debug)]
pub struct Door {
    known: Known,
    lanes: Lanes,
    /// Numbers that have been set since the last commit.
    uncommitted: Vec<(u128, u64)>,
}

/// Where a door is opened.
#[derive(Debug)]
pub struct DoorParts<'a> {
    /// The folder of its files.
    pub folder: PathBuf,
    /// What it is to know.
    pub window: Window,
    /// Up to where the log has been taken in: behind that, nobody else knows yet who has been erased.
    pub absorbed: u64,
    /// Who has been erased.
    pub tombstones: &'a Tombstones,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Code and message of an event whose number another one has.
pub const LANE_CONFLICT: (&str, &str) = ("lane_conflict", "another event has this lane and seq");
/// Code and message of an event whose id another one has.
pub const PAYLOAD_CONFLICT: (&str, &str) =
    ("payload_conflict", "an event of this id is in effect already, and says something else");

impl Door {
    /// Opens the files of the door, reads from the log what they do not have, and notes who has been erased there. The
    /// reader stands at the newest part of the log, of which the numbers of lanes are read.
    ///
    /// # Errors
    /// A segment or a file that cannot be read or written.
    pub fn open(reader: LogReader, parts: DoorParts<'_>) -> io::Result<Self> {
        let DoorParts { folder, window, absorbed, tombstones, metrics } = parts;
        let lanes_from = reader.position();
        let known = Known::open(folder, window, reader.at(lanes_from), metrics)?;
        let covered = known.covered();
        let mut door = Self { known, lanes: Lanes::default(), uncommitted: Vec::new() };
        let mut reader = reader.at(covered.min(lanes_from).min(absorbed));
        while let Some(chunk) = reader.read_on()? {
            let mut end = 0;
            for frame in chunk.frames() {
                let is_missing = frame.position >= covered;
                if is_missing {
                    door.known.begin_again(frame.received_at);
                }
                for record in frame.records() {
                    match decode_record(record) {
                        Ok(Record::Event { event, .. }) => {
                            let key = key_of(&event, Origin::Sender);
                            if is_missing && door.known.find(key.event_id).is_none() {
                                door.known.insert(key.event_id, seen(&key));
                            }
                            if let Some((lane, seq)) = key.lane.filter(|_| frame.position >= lanes_from) {
                                door.lanes.set(lane, seq, key.event_id);
                            }
                        }
                        Ok(Record::Erase { tombstone, .. }) => tombstones.note(tombstone),
                        _ => {}
                    }
                }
                end = frame.end;
            }
            if end > covered {
                door.known.commit(end);
            }
        }
        // What was read just now cannot be of what the log has lost.
        for lost in reader.take_damaged().iter().filter(|lost| lost.end > absorbed && lost.start < covered) {
            door.known.forget_lost(lost)?;
        }
        Ok(door)
    }
}

impl Gate for Door {
    fn begin(&mut self, at: Timestamp, uptime: Duration) {
        self.known.begin(at, uptime);
    }

    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        let now = seen(key);
        if let Some(before) = self.known.find(key.event_id) {
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
            match self.lanes.is_another(lane, seq, key.event_id) {
                Some(false) => return Verdict::Duplicate,
                Some(true) => {
                    keep(key, record, LANE_CONFLICT, out);
                    return Verdict::LaneConflict;
                }
                None => {}
            }
            self.lanes.set(lane, seq, key.event_id);
            self.uncommitted.push((lane, seq));
        }
        self.known.insert(key.event_id, now);
        push_record(out, record);
        Verdict::New
    }

    fn commit(&mut self, end: u64) {
        self.uncommitted.clear();
        self.known.commit(end);
    }

    fn rollback(&mut self) {
        self.known.rollback();
        for (lane, seq) in mem::take(&mut self.uncommitted) {
            self.lanes.forget(lane, seq);
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
    let Ok(Record::Event { event, received_at, proven, .. }) = decode_record(record) else { return };
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

#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verdicts;
