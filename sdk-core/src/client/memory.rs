//! A host's store in memory, for native hosts, simulations and tests: it keeps events whole and writes their batches.

use super::{Client, Entry, StoreOp, Stored, StoredEvent, Track};
use crate::filter::Rejection;
use crate::id::{EventId, LaneId, SessionId};
use crate::queue::Request;
use crate::time::Now;
use crate::value::parse;
use crate::wire::{Closed, Event, LaneSeq, Priority, write_batch, written_bytes};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// What one browser has stored for one site.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    events: BTreeMap<LaneSeq, StoredEvent>,
    lanes: BTreeMap<LaneId, Closed>,
    entries: BTreeMap<Entry, Vec<u8>>,
}

/// A call of `track()` of a host that has its metadata as JSON text.
#[derive(Clone, Copy, Debug)]
pub struct TextTrack<'a> {
    /// Id made at the call.
    pub event_id: EventId,
    /// Event type.
    pub event_type: &'a str,
    /// Session at the call.
    pub session: SessionId,
    /// Metadata as JSON object text.
    pub metadata: &'a str,
    /// How soon it leaves.
    pub priority: Priority,
}

impl MemoryStore {
    /// Hands a call to the client now, and stores the event under the number it gets.
    ///
    /// # Errors
    /// The bound that the event breaks, or metadata that is no JSON object; nothing has changed then.
    pub fn track(
        &mut self,
        client: &mut Client,
        track: TextTrack<'_>,
        now: Now,
    ) -> Result<LaneSeq, Rejection> {
        let metadata = Some(parse(track.metadata).map_err(|_| Rejection::MetadataNotAnObject)?);
        let TextTrack { event_id, event_type, session, priority, .. } = track;
        let (member, lane) = client.sender();
        let mut event = Event {
            event_id,
            event_type: Box::from(event_type),
            timestamp: now.wall,
            member: member.clone(),
            lane: Some(LaneSeq { lane, seq: u64::MAX }),
            session: Some(session),
            user_id: client.user_id().map(Box::from),
            metadata: Some(Box::from(track.metadata)),
        };
        let bytes = written_bytes(&event);
        let taken = Track {
            event_id,
            event_type,
            timestamp: now.wall,
            session,
            metadata: metadata.clone(),
            metadata_bytes: track.metadata.len(),
            bytes,
            priority,
        };
        let number = client.handle_track(taken, now)?;
        event.lane = Some(number);
        let closed = Closed { member: event.member.clone(), lane: number.lane, count: number.seq };
        self.lanes.insert(number.lane, closed);
        self.events.insert(number, StoredEvent { event, metadata, bytes, priority, settled: false });
        Ok(number)
    }

    /// Stores an event of this store in another one too: a page has its events in its own memory, and its browser on
    /// disk for all pages.
    pub fn share(&self, number: LaneSeq, other: &mut Self) {
        if let Some(stored) = self.events.get(&number) {
            other.events.insert(number, stored.clone());
        }
        if let Some(closed) = self.lanes.get(&number.lane) {
            other.lanes.insert(number.lane, closed.clone());
        }
    }

    /// Carries out a write.
    pub fn apply(&mut self, write: &StoreOp) {
        match write {
            StoreOp::Settle(number) => {
                if let Some(stored) = self.events.get_mut(number) {
                    stored.settled = true;
                }
            }
            StoreOp::Forget(number) => {
                self.events.remove(number);
            }
            StoreOp::ForgetLane(lane) => {
                self.lanes.remove(lane);
            }
            StoreOp::Put(entry, bytes) => {
                self.entries.insert(*entry, bytes.clone());
            }
            StoreOp::Delete(entry) => {
                self.entries.remove(entry);
            }
        }
    }

    /// Hands a new page what it takes back; lanes that other pages are still in stay with them. Returns what could
    /// not be read.
    pub fn restore(&self, client: &mut Client, is_alive: impl Fn(LaneId) -> bool, now: Now) -> Vec<Entry> {
        let bytes = |entry: Entry| self.entries.get(&entry).map(|bytes| &**bytes);
        let user = bytes(Entry::User).and_then(|bytes| core::str::from_utf8(bytes).ok());
        let is_free = |number: &LaneSeq| !is_alive(number.lane);
        let events = self.events.iter().filter(|(number, _)| is_free(number));
        let mut events: Vec<&StoredEvent> = events.map(|(_, stored)| stored).collect();
        events.sort_by_key(|stored| (stored.event.timestamp, stored.event.lane));
        let lanes = self.lanes.values().filter(|closed| !is_alive(closed.lane));
        let unreadable = client.handle_stored(Stored {
            lanes: lanes.cloned().collect(),
            base: bytes(Entry::Base),
            latches: bytes(Entry::Latches),
            user: user.map(Box::from),
        });
        events.into_iter().for_each(|stored| client.handle_stored_event(stored.clone(), now));
        client.handle_wake(now);
        unreadable
    }

    /// How many events are stored.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// The body of a request.
    pub fn body(&self, request: &Request, now: Now) -> String {
        let find =
            |id: EventId| self.events.values().map(|stored| &stored.event).find(|event| event.event_id == id);
        write_batch(&request.batch(now.wall, None, find))
    }
}
