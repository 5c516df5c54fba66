//! What the log keeps of an event that was refused, so that it can be looked at and taken in again.

use super::{Event, LetterId, write_whole_event};
use crate::codec::{CodecError, Reader, Writer};
use crate::id::MemberId;
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::string::ToString;

/// An event that was refused, or several alike of which nothing is kept but why.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Who has refused it.
    pub by: RefusedBy,
    /// When the collector received it.
    pub at: Timestamp,
    /// Stable name of the reason.
    pub code: Box<str>,
    /// The same for people.
    pub message: Box<str>,
    /// How many were refused alike; more than one only where nothing of them is kept.
    pub count: u64,
    /// What happened, where that can be read.
    pub event_type: Option<Box<str>>,
    /// The event itself; absent where it may not be kept.
    pub content: Option<RefusedContent>,
}

/// Who has refused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// Whoever read it: it is no event that could be kept.
    Reading,
    /// The table of event ids and lane numbers in front of the log.
    Door,
    /// The state of its member, behind the log.
    Worker,
}

/// What was sent, and what has to be known to take it in later.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedContent {
    /// Whose event it is, by itself or by its batch.
    pub member: Option<MemberId>,
    /// Its `event_id` as it was sent.
    pub event_id: Option<Box<str>>,
    /// The write key that it came under; absent where it had been read already, and `proven` says what followed from the key.
    pub key: Option<Box<str>>,
    /// Whether its user id was proven.
    pub proven: bool,
    /// By how much its batch was shifted, in milliseconds, where its timestamp is still the sender's.
    pub clock_shift_ms: i64,
    /// Its text, or the beginning of one that is too long.
    pub raw: Box<str>,
    /// Bytes of the whole text.
    pub raw_bytes: u64,
}

/// That a refused event has been taken in again, or refused again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Which one.
    pub letter: LetterId,
    /// When.
    pub at: Timestamp,
    /// Code and message of the new refusal; absent where the event is in effect.
    pub refused: Option<(Box<str>, Box<str>)>,
}

impl RefusedContent {
    /// That of an event which had been read, and its timestamp corrected, when it was refused.
    pub fn of_event(event: &Event, proven: bool) -> Self {
        let raw: Box<str> = write_whole_event(event).into();
        Self {
            member: Some(event.member.clone()),
            event_id: Some(event.event_id.0.to_string().into()),
            key: None,
            proven,
            clock_shift_ms: 0,
            raw_bytes: raw.len() as u64,
            raw,
        }
    }

    /// Whether `raw` is the whole text.
    pub const fn is_whole(&self) -> bool {
        self.raw.len() as u64 == self.raw_bytes
    }
}

impl RefusedBy {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Door => "door",
            Self::Worker => "worker",
        }
    }
}

impl Refused {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u8(self.by as u8);
        writer.i64(self.at.0);
        writer.str(&self.code);
        writer.str(&self.message);
        writer.u64(self.count);
        write_text(self.event_type.as_deref(), writer);
        writer.option(self.content.as_ref(), |writer, content| {
            write_text(content.member.as_ref().map(|member| &*member.0), writer);
            write_text(content.event_id.as_deref(), writer);
            write_text(content.key.as_deref(), writer);
            writer.bool(content.proven);
            writer.i64(content.clock_shift_ms);
            writer.str(&content.raw);
            writer.u64(content.raw_bytes);
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            by: match reader.u8()? {
                0 => RefusedBy::Reading,
                1 => RefusedBy::Door,
                2 => RefusedBy::Worker,
                _ => return Err(CodecError),
            },
            at: Timestamp(reader.i64()?),
            code: reader.boxed_str()?,
            message: reader.boxed_str()?,
            count: reader.u64()?,
            event_type: reader.option(Reader::boxed_str)?,
            content: reader.option(|reader| {
                Ok(RefusedContent {
                    member: reader.option(Reader::boxed_str)?.map(MemberId),
                    event_id: reader.option(Reader::boxed_str)?,
                    key: reader.option(Reader::boxed_str)?,
                    proven: reader.bool()?,
                    clock_shift_ms: reader.i64()?,
                    raw: reader.boxed_str()?,
                    raw_bytes: reader.u64()?,
                })
            })?,
        })
    }
}

impl Replayed {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u64(self.letter.position);
        writer.u64(u64::from(self.letter.index));
        writer.i64(self.at.0);
        writer.option(self.refused.as_ref(), |writer, (code, message)| {
            writer.str(code);
            writer.str(message);
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let position = reader.u64()?;
        let index = u32::try_from(reader.u64()?).map_err(|_| CodecError)?;
        Ok(Self {
            letter: LetterId { position, index },
            at: Timestamp(reader.i64()?),
            refused: reader.option(|reader| Ok((reader.boxed_str()?, reader.boxed_str()?)))?,
        })
    }
}

fn write_text(text: Option<&str>, writer: &mut Writer) {
    writer.option(text, |writer, text| writer.str(text));
}
