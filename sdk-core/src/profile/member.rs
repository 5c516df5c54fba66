//! One member's state.

use super::event_ids::EventIds;
use super::snapshot::{SnapshotError, SnapshotKind, WITH_CLOCKS, open, seal};
use super::{Lanes, Tiles, Traits};
use crate::codec::{CodecError, Source, Writer};
use crate::id::{EventId, MemberId, ProfileId, Uuid};
use crate::time::{Clocks, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Everything absorbed of one member. Tiles and traits are equal in whatever order the records came.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberState {
    pub(super) member: MemberId,
    pub(super) profile: ProfileId,
    pub(super) version: u64,
    /// Latest event time, no later than its receipt.
    pub(super) time: Timestamp,
    /// Latest receipt.
    pub(super) received_at: Timestamp,
    /// The receipt of its first event, or the publication of the latest signals that it has met since.
    pub(super) met: Timestamp,
    pub(super) lanes: Lanes,
    /// Events of senders without lanes.
    pub(super) event_ids: EventIds,
    pub(super) tiles: Tiles,
    pub(super) traits: Traits,
    pub(super) link: Option<Link>,
    /// The clocks that its batches have told of last.
    pub(super) clocks: Option<Clocks>,
}

/// The event that linked a member to a user; of several the latest counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Link {
    pub user_id: Box<str>,
    pub at: Timestamp,
    pub event_id: EventId,
}

impl MemberState {
    /// A member of whom nothing is known.
    pub fn new(member: MemberId) -> Self {
        Self {
            profile: ProfileId::of_member(&member),
            member,
            version: 0,
            time: Timestamp(0),
            received_at: Timestamp(0),
            met: Timestamp(0),
            lanes: Lanes::default(),
            event_ids: EventIds::default(),
            tiles: Tiles::default(),
            traits: Traits::default(),
            link: None,
            clocks: None,
        }
    }

    /// The member.
    pub const fn member(&self) -> &MemberId {
        &self.member
    }

    /// The profile it belongs to.
    pub const fn profile(&self) -> &ProfileId {
        &self.profile
    }

    /// Number of changes so far.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Its lanes.
    pub const fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Its tiles.
    pub const fn tiles(&self) -> &Tiles {
        &self.tiles
    }

    /// Its traits.
    pub const fn traits(&self) -> &Traits {
        &self.traits
    }

    /// The clocks that its batches have told of last, in the order of the log.
    pub const fn clocks(&self) -> Option<Clocks> {
        self.clocks
    }

    /// The binary form: opaque to hosts, versioned and with a checksum. Equal states have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.str(&self.member.0);
        out.str(&self.profile.0);
        out.u64(self.version);
        out.i64(self.time.0);
        out.i64(self.received_at.0);
        out.i64(self.met.0);
        self.lanes.encode(&mut out);
        self.event_ids.encode(&mut out);
        self.tiles.encode(self.time, &mut out);
        self.traits.encode(&mut out);
        out.option(self.link.as_ref(), |out, link| {
            out.str(&link.user_id);
            out.i64(link.at.0);
            out.raw(link.event_id.0.as_bytes());
        });
        out.option(self.clocks, |out, clocks| clocks.encode(out));
        seal(SnapshotKind::Member, &out.into_bytes())
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Which of the ways in which bytes are no state of a member that this version reads.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (version, content) = open(SnapshotKind::Member, bytes)?;
        let mut source = Source::new(content);
        let state = Self {
            member: MemberId(source.boxed_str()),
            profile: ProfileId(source.boxed_str()),
            version: source.u64(),
            time: Timestamp(source.i64()),
            received_at: Timestamp(source.i64()),
            met: Timestamp(source.i64()),
            lanes: Lanes::decode(&mut source),
            event_ids: EventIds::decode(&mut source),
            tiles: Tiles::decode(&mut source),
            traits: Traits::decode(&mut source),
            link: source.option(|source| Link {
                user_id: source.boxed_str(),
                at: Timestamp(source.i64()),
                event_id: EventId(Uuid::from_bytes(source.array())),
            }),
            clocks: if version < WITH_CLOCKS { None } else { source.option(Clocks::decode) },
        };
        source.finish().map(|()| state).map_err(|CodecError| SnapshotError::BadContent)
    }
}
