//! The keys and values under which the page keeps its own events, base, latches and user.

use super::StoreOp;
use crate::codec::{CodecError, Reader, Writer};
use crate::id::{LaneId, MemberId, write_uuid};
use crate::time::Timestamp;
use crate::wire::{Event, LaneSeq, Priority, Record, decode_record, encode_record};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Key of the base, a profile view.
pub(super) const BASE: &str = "base";
/// Key of the latches set in this browser, a profile view that holds nothing else.
pub(super) const LATCHES: &str = "latches";
/// Key of the user id, as text.
pub(super) const USER: &str = "user";
const EVENT_PREFIX: &str = "event/";
const LANE_PREFIX: &str = "lane/";

/// What one stored entry turns out to be.
#[derive(Debug)]
pub(super) enum Entry {
    /// The base.
    Base,
    /// The latches.
    Latches,
    /// The user id.
    User,
    /// An event of a lane.
    Event(StoredEvent),
    /// The count of numbers a lane has given out.
    Lane(StoredLane),
}

/// An event kept until the base covers it.
#[derive(Debug)]
pub(super) struct StoredEvent {
    /// The event.
    pub event: Event,
    /// How soon it leaves.
    pub priority: Priority,
    /// Whether a receipt has named it; it is then kept for the overlay only.
    pub settled: bool,
}

/// What is known of a page load whose page may be gone.
#[derive(Debug)]
pub(super) struct StoredLane {
    /// Its member.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// Numbers given out.
    pub count: u64,
}

/// The key of an event, which names its lane so that a host can tell whose it is.
pub(super) fn event_key(number: LaneSeq) -> String {
    let mut key = lane_path(EVENT_PREFIX, number.lane);
    key.push('/');
    key.push_str(&crate::value::number_text(number.seq as f64));
    key
}

/// The key of a lane's count.
pub(super) fn lane_key(lane: LaneId) -> String {
    lane_path(LANE_PREFIX, lane)
}

/// The write that keeps an event.
pub(super) fn put_event(event: &Event, priority: Priority, settled: bool) -> Option<StoreOp> {
    let key = event_key(event.lane?);
    let mut value = Vec::with_capacity(256);
    value.push(u8::from(settled));
    value.push(priority as u8);
    let record = Record::Event { event: event.clone(), received_at: Timestamp(0), proven: false };
    encode_record(&record, &mut value);
    Some(StoreOp::Put { key, value })
}

/// The write that keeps a lane's count.
pub(super) fn put_lane(member: &MemberId, lane: LaneId, count: u64) -> StoreOp {
    let mut writer = Writer::new();
    writer.str(&member.0);
    writer.raw(lane.0.as_bytes());
    writer.u64(count);
    StoreOp::Put { key: lane_key(lane), value: writer.into_bytes() }
}

/// Reads one stored entry.
///
/// # Errors
/// Fails on a key of unknown kind and on bytes that are not what the key says.
pub(super) fn read_entry(key: &str, value: &[u8]) -> Result<Entry, CodecError> {
    match key {
        BASE => Ok(Entry::Base),
        LATCHES => Ok(Entry::Latches),
        USER => Ok(Entry::User),
        _ if key.starts_with(EVENT_PREFIX) => read_event(value).map(Entry::Event),
        _ if key.starts_with(LANE_PREFIX) => read_lane(value).map(Entry::Lane),
        _ => Err(CodecError),
    }
}

fn read_event(value: &[u8]) -> Result<StoredEvent, CodecError> {
    let mut reader = Reader::new(value);
    let settled = reader.bool()?;
    let priority = match reader.u8()? {
        0 => Priority::Low,
        1 => Priority::Normal,
        2 => Priority::Critical,
        _ => return Err(CodecError),
    };
    match decode_record(reader.rest())? {
        Record::Event { event, .. } if event.lane.is_some() => Ok(StoredEvent { event, priority, settled }),
        _ => Err(CodecError),
    }
}

fn read_lane(value: &[u8]) -> Result<StoredLane, CodecError> {
    let mut reader = Reader::new(value);
    let member: Box<str> = reader.boxed_str()?;
    let bytes: [u8; 16] = reader.raw(16)?.try_into().map_err(|_| CodecError)?;
    let lane = LaneId(uuid::Uuid::from_bytes(bytes));
    Ok(StoredLane { member: MemberId(member), lane, count: reader.u64()? })
}

fn lane_path(prefix: &str, lane: LaneId) -> String {
    let mut key = String::from(prefix);
    write_uuid(lane.0, &mut key);
    key
}
