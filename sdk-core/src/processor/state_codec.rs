//! The binary form of a profile's state: opaque to hosts, in the envelope of a kept state.

use super::agenda::Agenda;
use super::caps::Caps;
use super::edge::Edge;
use super::state::{Part, ProfileState};
use crate::codec::{CodecError, Source, Writer};
use crate::id::{MemberId, ProfileId, SessionId, Uuid};
use crate::profile::snapshot::{SnapshotKind, WITH_CLOCKS, WITH_ROLLOUTS, open, seal};
use crate::profile::sorted::SortedMap;
use crate::profile::{Lanes, Latch, SnapshotError, Tiles, Traits};
use crate::time::{Clocks, Timestamp};
use alloc::vec::Vec;

impl ProfileState {
    /// The binary form: opaque to hosts, versioned and with a checksum. Equal states have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
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
        out.len(self.laid_down.len());
        self.laid_down.iter().for_each(|identity| out.raw(&identity.to_le_bytes()));
        seal(SnapshotKind::Profile, &out.into_bytes())
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Which of the ways in which bytes are no state of a profile that this version reads.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (version, content) = open(SnapshotKind::Profile, bytes)?;
        let mut source = Source::new(content);
        let mut state = Self {
            profile: ProfileId(source.boxed_str()),
            version: source.u64(),
            time: Timestamp(source.i64()),
            session: source.option(|source| {
                let at = Timestamp(source.i64());
                (at, SessionId(Uuid::from_bytes(source.array())))
            }),
            parts: members(&mut source, |source| Part::decode(source, version)),
            departed: members(&mut source, Source::u64),
            traits: Traits::default(),
            clocks: Clocks::UTC,
            latches: source.list(Latch::decode),
            edges: source
                .list(|source| Edge { rule: source.boxed_str(), key: source.option(Source::boxed_str) }),
            caps: Caps::decode(&mut source),
            armed_revision: source.option(Source::u64),
            armed: source.list(identity),
            wake: source.option(|source| Timestamp(source.i64())),
            firings: source.u64(),
            laid_down: if version < WITH_ROLLOUTS { Vec::new() } else { source.list(identity) },
            agenda: Agenda::default(),
        };
        source.finish().map_err(|CodecError| SnapshotError::BadContent)?;
        state.traits = state.merged_traits();
        state.clocks = state.latest_clocks();
        Ok(state)
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
        out.option(self.clocks, |out, clocks| clocks.encode(out));
    }

    fn decode(source: &mut Source<'_>, version: u8) -> Self {
        Self {
            version: source.u64(),
            time: Timestamp(source.i64()),
            events: source.u64(),
            lanes: Lanes::decode(source),
            tiles: Tiles::decode(source),
            traits: Traits::decode(source),
            clocks: if version < WITH_CLOCKS { None } else { source.option(Clocks::decode) },
        }
    }
}

fn identity(source: &mut Source<'_>) -> u64 {
    u64::from_le_bytes(source.array())
}

fn members<'a, T>(
    source: &mut Source<'a>,
    mut read: impl FnMut(&mut Source<'a>) -> T,
) -> SortedMap<MemberId, T> {
    SortedMap::decode(source, |source| (MemberId(source.boxed_str()), read(source)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::snapshot::SNAPSHOT_VERSION;

    #[test]
    fn a_part_of_the_version_before_clocks_has_none() {
        let part = Part { version: 7, clocks: Some(Clocks::new(60, None)), ..Part::default() };
        let mut out = Writer::new();
        part.encode(&mut out);
        let bytes = out.into_bytes();
        let mut whole = Source::new(&bytes);
        assert_eq!((Part::decode(&mut whole, SNAPSHOT_VERSION), whole.finish()), (part.clone(), Ok(())));
        // An offset of 60 minutes is one byte, between the flags that there are clocks and that they do not change.
        let mut before = Source::new(&bytes[..bytes.len() - 3]);
        assert_eq!(Part::decode(&mut before, WITH_CLOCKS - 1), Part { clocks: None, ..part });
        assert!(before.finish().is_ok());
    }
}
