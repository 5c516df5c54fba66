//! The binary form of a member's state: opaque to hosts, versioned by its first byte.

use super::event_ids::EventIds;
use super::member::Link;
use super::{Lanes, MemberState, Tiles, Traits};
use crate::codec::{CodecError, Reader, Writer};
use crate::id::{EventId, MemberId, ProfileId, Uuid};
use crate::time::Timestamp;
use alloc::vec::Vec;

const FORMAT: u8 = 1;

impl MemberState {
    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(FORMAT);
        out.str(&self.member.0);
        out.str(&self.profile.0);
        out.u64(self.version);
        out.i64(self.time.0);
        out.i64(self.received_at.0);
        self.lanes.encode(&mut out);
        self.event_ids.encode(&mut out);
        self.tiles.encode(self.time, &mut out);
        self.traits.encode(&mut out);
        out.option(self.link.as_ref(), |out, link| {
            out.str(&link.user_id);
            out.i64(link.at.0);
            out.raw(link.event_id.0.as_bytes());
        });
        out.into_bytes()
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that are no state of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(CodecError);
        }
        let state = Self {
            member: MemberId(reader.boxed_str()?),
            profile: ProfileId(reader.boxed_str()?),
            version: reader.u64()?,
            time: Timestamp(reader.i64()?),
            received_at: Timestamp(reader.i64()?),
            lanes: Lanes::decode(&mut reader)?,
            event_ids: EventIds::decode(&mut reader)?,
            tiles: Tiles::decode(&mut reader)?,
            traits: Traits::decode(&mut reader)?,
            link: reader.option(|reader| {
                Ok(Link {
                    user_id: reader.boxed_str()?,
                    at: Timestamp(reader.i64()?),
                    event_id: EventId(Uuid::from_slice(reader.raw(16)?).map_err(|_| CodecError)?),
                })
            })?,
        };
        if reader.is_empty() { Ok(state) } else { Err(CodecError) }
    }
}
