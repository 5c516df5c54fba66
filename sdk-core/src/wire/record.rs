//! What the log holds, in binary form.

use super::{Event, LaneSeq, Refused, Replayed};
use crate::codec::{CodecError, Reader, Source, Writer};
use crate::id::{EventId, LaneId, MemberId, ProfileId, SessionId, Uuid};
use crate::time::{Clocks, Timestamp};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

/// One entry of the log; a replay of the same records repeats every state and firing.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An accepted event.
    Event {
        /// The event.
        event: Event,
        /// When the collector received it.
        received_at: Timestamp,
        /// Whether `event.user_id` was proven (or the key accepts unproven ones), so that the member is linked.
        proven: bool,
        /// What the collector has found out about where it comes from, once, when it arrived.
        facts: Option<Facts>,
    },
    /// Numbers of a lane that will never come; both bounds are inclusive.
    Void {
        /// The lane's member.
        member: MemberId,
        /// The lane.
        lane: LaneId,
        /// First number given up.
        from: u64,
        /// Last number given up.
        to: u64,
    },
    /// A lane that will grow no further.
    Close {
        /// The lane's member.
        member: MemberId,
        /// The lane.
        lane: LaneId,
        /// How many numbers it gave out.
        count: u64,
        /// When the collector heard of it.
        at: Timestamp,
    },
    /// What a batch has told of a member's clocks; it stands before the events of the batch.
    Clocks {
        /// The member.
        member: MemberId,
        /// The clocks.
        clocks: Clocks,
        /// When the collector heard of them.
        at: Timestamp,
    },
    /// Time alone has come to matter for a profile.
    WakeUp {
        /// The profile.
        profile: ProfileId,
        /// The due instant.
        at: Timestamp,
    },
    /// A bundle takes effect.
    Bundle {
        /// Its revision.
        revision: u64,
        /// When.
        at: Timestamp,
        /// The whole signed envelope, so that a replay needs nothing else.
        bytes: Box<[u8]>,
    },
    /// A share of all units gets a candidate from now on, or, with none, no longer.
    Rollout {
        /// When.
        at: Timestamp,
        /// What they get instead of the bundle in effect.
        candidate: Option<LoggedCandidate>,
    },
    /// A member is erased: what is known of it goes, and so do its records, which become blank. What follows of it is
    /// refused.
    Erase {
        /// A keyed hash of the member's id, by which it is known from then on.
        tombstone: [u8; TOMBSTONE_BYTES],
        /// When the collector was asked.
        at: Timestamp,
        /// The member; nothing once its records are blank.
        member: Option<MemberId>,
    },
    /// An event was refused.
    Refused(Box<Refused>),
    /// A refused event has been tried again.
    Replayed(Box<Replayed>),
    /// Where a record of an erased member was. It stands in as many bytes, so that no position changes.
    Blank,
}

/// What the collector has found out about where an event comes from. It stands in the log, so that a replay needs neither the
/// request nor the tables that it was looked up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// A JSON object as text: what triggers with `on` read as `context.*`.
    pub context: Arc<str>,
    /// Whether its browser asks not to sell or share what it sends (<https://www.w3.org/TR/gpc/>).
    pub gpc: bool,
    /// Whether the event is kept in the log alone: its number and id are known from then on, and it changes no profile.
    pub aside: bool,
}

/// Bytes of the hash that stands for an erased member.
pub const TOMBSTONE_BYTES: usize = 16;

/// The candidate of a rollout, with all that a replay needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedCandidate {
    /// Its revision.
    pub revision: u64,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
    /// Divides the units.
    pub seed: Box<str>,
    /// The whole signed envelope.
    pub bytes: Box<[u8]>,
}

/// The binary form's version, its first byte.
const VERSION: u8 = 1;

const ERASE: u8 = 8;
const BLANK: u8 = 0;

const HAS_LANE: u8 = 1;
const HAS_SESSION: u8 = 2;
const HAS_USER: u8 = 4;
const HAS_METADATA: u8 = 8;
const PROVEN: u8 = 16;
const HAS_CONTEXT: u8 = 32;
const ASIDE: u8 = 64;
const GPC: u8 = 128;

/// Appends a record's binary form.
pub fn encode_record(record: &Record, out: &mut Vec<u8>) {
    let mut writer = Writer::from(mem::take(out));
    writer.u8(VERSION);
    match record {
        Record::Event { event, received_at, proven, facts } => {
            writer.u8(1);
            encode_event(event, *received_at, *proven, facts.as_ref(), &mut writer);
        }
        Record::Void { member, lane, from, to } => {
            writer.u8(2);
            encode_lane(member, *lane, &mut writer);
            writer.u64(*from);
            writer.u64(*to);
        }
        Record::Close { member, lane, count, at } => {
            writer.u8(3);
            encode_lane(member, *lane, &mut writer);
            writer.u64(*count);
            writer.i64(at.0);
        }
        Record::WakeUp { profile, at } => {
            writer.u8(4);
            writer.str(&profile.0);
            writer.i64(at.0);
        }
        Record::Bundle { revision, at, bytes } => {
            writer.u8(5);
            writer.u64(*revision);
            writer.i64(at.0);
            writer.bytes(bytes);
        }
        Record::Clocks { member, clocks, at } => {
            writer.u8(6);
            writer.str(&member.0);
            writer.i64(at.0);
            clocks.encode(&mut writer);
        }
        Record::Rollout { at, candidate } => {
            writer.u8(7);
            writer.i64(at.0);
            writer.option(candidate.as_ref(), |writer, candidate| {
                writer.u64(candidate.revision);
                writer.u64(u64::from(candidate.share));
                writer.str(&candidate.seed);
                writer.bytes(&candidate.bytes);
            });
        }
        Record::Erase { tombstone, at, member } => {
            writer.u8(ERASE);
            writer.raw(tombstone);
            writer.i64(at.0);
            // It ends the record, so that it can become zeros.
            member.iter().for_each(|member| writer.raw(member.0.as_bytes()));
        }
        Record::Refused(refused) => {
            writer.u8(9);
            refused.write(&mut writer);
        }
        Record::Replayed(replayed) => {
            writer.u8(10);
            replayed.write(&mut writer);
        }
        Record::Blank => writer.u8(BLANK),
    }
    *out = writer.into_bytes();
}

/// Takes what an erased member's record says out of its binary form, in place.
pub fn blank_record(bytes: &mut [u8]) {
    let kept = match decode_record(bytes) {
        Ok(Record::Erase { tombstone, at, .. }) => {
            let mut kept = Vec::new();
            encode_record(&Record::Erase { tombstone, at, member: None }, &mut kept);
            kept
        }
        _ => Vec::from([VERSION, BLANK]),
    };
    bytes.fill(0);
    bytes.iter_mut().zip(kept).for_each(|(byte, kept)| *byte = kept);
}

/// Reads a record's binary form.
///
/// # Errors
/// Fails on bytes that are no record of this version.
pub fn decode_record(bytes: &[u8]) -> Result<Record, CodecError> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != VERSION {
        return Err(CodecError);
    }
    let record = match reader.u8()? {
        1 => decode_event(&mut reader)?,
        2 => {
            let (member, lane) = decode_lane(&mut reader)?;
            Record::Void { member, lane, from: reader.u64()?, to: reader.u64()? }
        }
        3 => {
            let (member, lane) = decode_lane(&mut reader)?;
            Record::Close { member, lane, count: reader.u64()?, at: Timestamp(reader.i64()?) }
        }
        4 => Record::WakeUp { profile: ProfileId(reader.boxed_str()?), at: Timestamp(reader.i64()?) },
        5 => Record::Bundle {
            revision: reader.u64()?,
            at: Timestamp(reader.i64()?),
            bytes: Box::from(reader.bytes()?),
        },
        6 => return decode_clocks(&mut reader),
        7 => return decode_rollout(&mut reader),
        ERASE => {
            let tombstone = reader.raw(TOMBSTONE_BYTES)?.try_into().map_err(|_| CodecError)?;
            let (at, rest) = (Timestamp(reader.i64()?), reader.rest());
            let text = core::str::from_utf8(rest).map_err(|_| CodecError)?;
            let member = Some(text)
                .filter(|text| text.bytes().any(|byte| byte != 0))
                .map(|text| MemberId(text.into()));
            return Ok(Record::Erase { tombstone, at, member });
        }
        9 => Record::Refused(Box::new(Refused::read(&mut reader)?)),
        10 => Record::Replayed(Box::new(Replayed::read(&mut reader)?)),
        BLANK => {
            let is_blank = reader.rest().iter().all(|byte| *byte == 0);
            return if is_blank { Ok(Record::Blank) } else { Err(CodecError) };
        }
        _ => return Err(CodecError),
    };
    if reader.is_empty() { Ok(record) } else { Err(CodecError) }
}

/// One byte of flags says which optional fields follow; the receive time is kept as its distance to the event's.
fn encode_event(
    event: &Event,
    received_at: Timestamp,
    proven: bool,
    facts: Option<&Facts>,
    writer: &mut Writer,
) {
    let flag = |present: bool, bit: u8| if present { bit } else { 0 };
    writer.u8(flag(event.lane.is_some(), HAS_LANE)
        | flag(event.session.is_some(), HAS_SESSION)
        | flag(event.user_id.is_some(), HAS_USER)
        | flag(event.metadata.is_some(), HAS_METADATA)
        | flag(proven, PROVEN)
        | flag(facts.is_some(), HAS_CONTEXT)
        | flag(facts.is_some_and(|facts| facts.aside), ASIDE)
        | flag(facts.is_some_and(|facts| facts.gpc), GPC));
    writer.raw(event.event_id.0.as_bytes());
    writer.str(&event.member.0);
    writer.str(&event.event_type);
    writer.i64(event.timestamp.0);
    writer.i64(received_at.0.wrapping_sub(event.timestamp.0));
    if let Some(number) = event.lane {
        writer.raw(number.lane.0.as_bytes());
        writer.u64(number.seq);
    }
    if let Some(session) = event.session {
        writer.raw(session.0.as_bytes());
    }
    if let Some(user_id) = &event.user_id {
        writer.str(user_id);
    }
    if let Some(metadata) = &event.metadata {
        writer.str(metadata);
    }
    if let Some(facts) = facts {
        writer.str(&facts.context);
    }
}

fn decode_event(reader: &mut Reader<'_>) -> Result<Record, CodecError> {
    let flags = reader.u8()?;
    // Both say something only of what has been looked at.
    if flags & (ASIDE | GPC) != 0 && flags & HAS_CONTEXT == 0 {
        return Err(CodecError);
    }
    let event_id = EventId(decode_uuid(reader)?);
    let member = MemberId(reader.boxed_str()?);
    let event_type = reader.boxed_str()?;
    let timestamp = Timestamp(reader.i64()?);
    let received_at = Timestamp(timestamp.0.wrapping_add(reader.i64()?));
    let lane = match flags & HAS_LANE {
        0 => None,
        _ => Some(LaneSeq { lane: LaneId(decode_uuid(reader)?), seq: reader.u64()? }),
    };
    let session = match flags & HAS_SESSION {
        0 => None,
        _ => Some(SessionId(decode_uuid(reader)?)),
    };
    let mut text = |bit: u8| if flags & bit == 0 { Ok(None) } else { reader.boxed_str().map(Some) };
    let (user_id, metadata) = (text(HAS_USER)?, text(HAS_METADATA)?);
    let facts = text(HAS_CONTEXT)?.map(|context| Facts {
        context: context.into(),
        gpc: flags & GPC != 0,
        aside: flags & ASIDE != 0,
    });
    let event = Event { event_id, event_type, timestamp, member, lane, session, user_id, metadata };
    Ok(Record::Event { event, received_at, proven: flags & PROVEN != 0, facts })
}

fn decode_clocks(reader: &mut Reader<'_>) -> Result<Record, CodecError> {
    let (member, at) = (MemberId(reader.boxed_str()?), Timestamp(reader.i64()?));
    let mut source = Source::new(reader.rest());
    let clocks = Clocks::decode(&mut source);
    source.finish().map(|()| Record::Clocks { member, clocks, at })
}

fn decode_rollout(reader: &mut Reader<'_>) -> Result<Record, CodecError> {
    let mut source = Source::new(reader.rest());
    let at = Timestamp(source.i64());
    let candidate = source.option(|source| {
        let (revision, share) = (source.u64(), source.u64());
        if share > u64::from(u32::MAX) {
            source.fail();
        }
        let (seed, bytes) = (source.boxed_str(), Box::from(source.bytes()));
        LoggedCandidate { revision, share: share as u32, seed, bytes }
    });
    source.finish().map(|()| Record::Rollout { at, candidate })
}

fn encode_lane(member: &MemberId, lane: LaneId, writer: &mut Writer) {
    writer.str(&member.0);
    writer.raw(lane.0.as_bytes());
}

fn decode_lane(reader: &mut Reader<'_>) -> Result<(MemberId, LaneId), CodecError> {
    Ok((MemberId(reader.boxed_str()?), LaneId(decode_uuid(reader)?)))
}

fn decode_uuid(reader: &mut Reader<'_>) -> Result<Uuid, CodecError> {
    Uuid::from_slice(reader.raw(16)?).map_err(|_| CodecError)
}

#[cfg(test)]
mod tests;
