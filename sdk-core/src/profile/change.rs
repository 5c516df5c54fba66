//! What absorbing a record has changed: all that the member's profile needs, as absolute values.

use super::{EventDocument, LaneState, TileChange, Tiles, Traits};
use crate::codec::{CodecError, Source, Writer};
use crate::id::{LaneId, MemberId, ProfileId, Uuid};
use crate::time::{Clocks, Timestamp};
use crate::wire::{Facts, Record, decode_record, encode_record};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A change of a member, for [`crate::processor::Processor::combine`]. Repeating it changes nothing more.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The member.
    pub member: MemberId,
    /// The profile it belongs to now.
    pub profile: ProfileId,
    /// The profile it has left with this change.
    pub moved_from: Option<ProfileId>,
    /// Number of this change of the member; a profile takes larger ones only.
    pub version: u64,
    /// Whether this is the member's first change.
    pub created: bool,
    /// The member's latest event time, no later than its receipt.
    pub time: Timestamp,
    /// The event, where it was one.
    pub event: Option<EventDocument>,
    /// What the collector has found out about where the event comes from: a JSON object as text.
    pub context: Option<Arc<str>>,
    /// When the collector received the event.
    pub received_at: Option<Timestamp>,
    /// Tiles.
    pub tiles: TileChanges,
    /// Traits written; all of them after a move.
    pub traits: Traits,
    /// Lanes touched; all of them after a move.
    pub lanes: Vec<(LaneId, LaneState)>,
    /// The member's clocks, where any are known.
    pub clocks: Option<Clocks>,
}

/// The tiles of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum TileChanges {
    /// Those the event has changed.
    Touched(Vec<TileChange>),
    /// All the member has, because it has moved to another profile.
    Whole(Tiles),
}

/// First byte of the binary form.
const FORMAT: u8 = 3;
/// The oldest form that is read; it has no clocks.
const WITHOUT_CLOCKS: u8 = 2;

impl Change {
    /// Whether it puts other tiles in place of the member's and says nothing else.
    pub(crate) fn is_backfill(&self) -> bool {
        self.event.is_none() && self.moved_from.is_none() && matches!(self.tiles, TileChanges::Whole(_))
    }

    /// The binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(FORMAT);
        out.str(&self.member.0);
        out.str(&self.profile.0);
        out.option(self.moved_from.as_ref(), |out, from| out.str(&from.0));
        out.u64(self.version);
        out.bool(self.created);
        out.i64(self.time.0);
        out.option(self.event.as_ref(), |out, document| {
            let received_at = self.received_at.unwrap_or_default();
            let facts = self.context.clone().map(|context| Facts { context, gpc: false, aside: false });
            let event = document.event().clone();
            let record = Record::Event { event, received_at, proven: false, facts };
            let mut bytes = Vec::new();
            encode_record(&record, &mut bytes);
            out.bytes(&bytes);
        });
        match &self.tiles {
            TileChanges::Touched(changes) => {
                out.u8(0);
                out.len(changes.len());
                changes.iter().for_each(|change| change.encode(&mut out));
            }
            TileChanges::Whole(tiles) => {
                out.u8(1);
                tiles.encode(self.time, &mut out);
            }
        }
        self.traits.encode(&mut out);
        out.len(self.lanes.len());
        for (lane, state) in &self.lanes {
            out.raw(lane.0.as_bytes());
            state.encode(&mut out);
        }
        out.option(self.clocks, |out, clocks| clocks.encode(out));
        out.into_bytes()
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that are no change of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut source = Source::new(bytes);
        let format = source.u8();
        if !(WITHOUT_CLOCKS..=FORMAT).contains(&format) {
            source.fail();
        }
        let mut change = Self {
            member: MemberId(source.boxed_str()),
            profile: ProfileId(source.boxed_str()),
            moved_from: source.option(|source| ProfileId(source.boxed_str())),
            version: source.u64(),
            created: source.bool(),
            time: Timestamp(source.i64()),
            event: None,
            context: None,
            received_at: None,
            tiles: TileChanges::Touched(Vec::new()),
            traits: Traits::default(),
            lanes: Vec::new(),
            clocks: None,
        };
        if source.bool() {
            let Record::Event { event, received_at, facts, .. } = decode_record(source.bytes())? else {
                return Err(CodecError);
            };
            change.event = Some(EventDocument::new(event));
            change.context = facts.map(|facts| facts.context);
            change.received_at = Some(received_at);
        }
        change.tiles = match source.u8() {
            0 => TileChanges::Touched(source.list(TileChange::decode)),
            1 => TileChanges::Whole(Tiles::decode(&mut source)),
            _ => return Err(CodecError),
        };
        change.traits = Traits::decode(&mut source);
        change.lanes =
            source.list(|source| (LaneId(Uuid::from_bytes(source.array())), LaneState::decode(source)));
        if format != WITHOUT_CLOCKS {
            change.clocks = source.option(Clocks::decode);
        }
        source.finish().map(|()| change)
    }
}
