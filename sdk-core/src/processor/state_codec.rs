//! The binary form of a profile's state: opaque to hosts, versioned by its first byte.

use super::caps::Caps;
use super::edge::Edge;
use super::state::{Part, ProfileState};
use crate::codec::{CodecError, Reader, Writer};
use crate::id::{MemberId, ProfileId, SessionId, Uuid};
use crate::profile::sorted::SortedMap;
use crate::profile::{Lanes, Latch, Tiles, Traits};
use crate::time::Timestamp;
use alloc::vec::Vec;

const FORMAT: u8 = 1;

impl ProfileState {
    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(FORMAT);
        out.str(&self.profile.0);
        out.u64(self.version);
        out.i64(self.time.0);
        out.option(self.session, |out, (at, session)| {
            out.i64(at.0);
            out.raw(session.0.as_bytes());
        });
        out.len(self.parts.len());
        for (member, part) in self.parts.iter() {
            out.str(&member.0);
            part.encode(&mut out);
        }
        out.len(self.departed.len());
        for (member, version) in self.departed.iter() {
            out.str(&member.0);
            out.u64(*version);
        }
        out.len(self.latches.len());
        self.latches.iter().for_each(|latch| latch.encode(&mut out));
        out.len(self.edges.len());
        for edge in &self.edges {
            out.str(&edge.rule);
            out.option(edge.key.as_deref(), Writer::str);
        }
        self.caps.encode(&mut out);
        out.option(self.armed_revision, Writer::u64);
        out.len(self.armed.len());
        self.armed.iter().for_each(|identity| out.raw(&identity.to_le_bytes()));
        out.option(self.wake, |out, wake| out.i64(wake.0));
        out.u64(self.firings);
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
        let mut state = Self {
            profile: ProfileId(reader.boxed_str()?),
            version: reader.u64()?,
            time: Timestamp(reader.i64()?),
            session: reader.option(|reader| {
                let at = Timestamp(reader.i64()?);
                Ok((at, SessionId(Uuid::from_slice(reader.raw(16)?).map_err(|_| CodecError)?)))
            })?,
            parts: members(&mut reader, Part::decode)?,
            departed: members(&mut reader, |reader| reader.u64())?,
            traits: Traits::default(),
            latches: list(&mut reader, Latch::decode)?,
            edges: list(&mut reader, |reader| {
                Ok(Edge { rule: reader.boxed_str()?, key: reader.option(Reader::boxed_str)? })
            })?,
            caps: Caps::decode(&mut reader)?,
            armed_revision: reader.option(Reader::u64)?,
            armed: list(&mut reader, |reader| {
                let bytes: [u8; 8] = reader.raw(8)?.try_into().map_err(|_| CodecError)?;
                Ok(u64::from_le_bytes(bytes))
            })?,
            wake: reader.option(|reader| reader.i64().map(Timestamp))?,
            firings: reader.u64()?,
        };
        state.traits = state.merged_traits();
        if reader.is_empty() { Ok(state) } else { Err(CodecError) }
    }
}

impl Part {
    fn encode(&self, out: &mut Writer) {
        out.u64(self.version);
        out.i64(self.time.0);
        out.u64(self.events);
        self.lanes.encode(out);
        self.tiles.encode(self.time, out);
        self.traits.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            version: reader.u64()?,
            time: Timestamp(reader.i64()?),
            events: reader.u64()?,
            lanes: Lanes::decode(reader)?,
            tiles: Tiles::decode(reader)?,
            traits: Traits::decode(reader)?,
        })
    }
}

fn members<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, CodecError>,
) -> Result<SortedMap<MemberId, T>, CodecError> {
    let mut members = SortedMap::default();
    for _ in 0..reader.len()? {
        let member = MemberId(reader.boxed_str()?);
        let value = read(reader)?;
        if !members.push(member, value) {
            return Err(CodecError);
        }
    }
    Ok(members)
}

fn list<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let count = reader.len()?;
    (0..count).map(|_| read(reader)).collect()
}
