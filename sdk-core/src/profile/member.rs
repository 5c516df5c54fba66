//! One member's state, and the step that takes a record in: once in effect, tiles, traits, link.

use super::event_ids::EventIds;
use super::{Change, EventDocument, Lanes, Marked, SignalTable, TileChanges, Tiles, Traits};
use crate::id::{EventId, LaneId, MemberId, ProfileId};
use crate::time::Timestamp;
use crate::wire::{Event, Record};
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
    pub(super) lanes: Lanes,
    /// Events of senders without lanes.
    pub(super) event_ids: EventIds,
    pub(super) tiles: Tiles,
    pub(super) traits: Traits,
    pub(super) link: Option<Link>,
}

/// The event that linked a member to a user; of several the latest counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Link {
    pub user_id: Box<str>,
    pub at: Timestamp,
    pub event_id: EventId,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Absorbed {
    /// It is in effect now; this is what it changed.
    Change(Box<Change>),
    /// It was in effect already.
    Duplicate,
    /// Its number belongs to another event: a case for the dead letters, never a duplicate.
    Conflict,
    /// Its lane has more gaps than a page load can have: a case for the dead letters.
    LaneFull,
    /// It is not about this member's events or lanes.
    Ignored,
}

/// Time is looked at for pruning whenever another of these has begun, in milliseconds.
const PRUNE_EVERY_MS: i64 = 3_600_000;

impl MemberState {
    /// A member of whom nothing is known.
    pub fn new(member: MemberId) -> Self {
        Self {
            profile: ProfileId::of_member(&member),
            member,
            version: 0,
            time: Timestamp(0),
            received_at: Timestamp(0),
            lanes: Lanes::default(),
            event_ids: EventIds::default(),
            tiles: Tiles::default(),
            traits: Traits::default(),
            link: None,
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
}

/// Takes an event, void or close record of the member in.
pub fn absorb(state: &mut MemberState, record: &Record, table: &SignalTable) -> Absorbed {
    match record {
        Record::Event { event, received_at, proven } if event.member == state.member => {
            absorb_event(state, event, *received_at, *proven, table)
        }
        Record::Void { member, lane, from, to } if *member == state.member => {
            let at = state.received_at;
            let news = state.lanes.void(*lane, *from, *to, at);
            lane_change(state, news, *lane)
        }
        Record::Close { member, lane, count, at } if *member == state.member => {
            let news = state.lanes.close(*lane, *count, *at);
            lane_change(state, news, *lane)
        }
        _ => Absorbed::Ignored,
    }
}

fn absorb_event(
    state: &mut MemberState,
    event: &Event,
    received_at: Timestamp,
    proven: bool,
    table: &SignalTable,
) -> Absorbed {
    let marked = match event.lane {
        Some(number) => state.lanes.mark(number.lane, number.seq, event.event_id, received_at),
        None if state.event_ids.insert(event.event_id) => Marked::New,
        None => Marked::Duplicate,
    };
    match marked {
        Marked::New => {}
        Marked::Duplicate => return Absorbed::Duplicate,
        Marked::Conflict => return Absorbed::Conflict,
        Marked::Full => return Absorbed::LaneFull,
    }
    advance(state, event.timestamp.min(received_at), received_at, table);
    let document = EventDocument::new(event.clone());
    let mut touched = Vec::new();
    state.tiles.apply_noting(table, &document, state.time, &mut |change| touched.push(change));
    let traits = state.traits.apply(&document);
    let moved_from = if proven { link(state, event) } else { None };
    let mut change = state.next_change();
    change.event = Some(document);
    change.received_at = Some(received_at);
    change.moved_from = moved_from.filter(|_| !change.created);
    if change.moved_from.is_some() {
        change.tiles = TileChanges::Whole(state.tiles.clone());
        change.traits = state.traits.clone();
        change.lanes = state.lanes.iter().map(|(lane, lane_state)| (*lane, lane_state.summary())).collect();
    } else {
        change.tiles = TileChanges::Touched(touched);
        change.traits = traits;
        change.lanes = event.lane.iter().filter_map(|number| lane_summary(state, number.lane)).collect();
    }
    Absorbed::Change(Box::new(change))
}

fn lane_change(state: &mut MemberState, news: bool, lane: LaneId) -> Absorbed {
    if !news {
        return Absorbed::Duplicate;
    }
    let mut change = state.next_change();
    change.lanes = lane_summary(state, lane).into_iter().collect();
    Absorbed::Change(Box::new(change))
}

fn lane_summary(state: &MemberState, lane: LaneId) -> Option<(LaneId, super::LaneState)> {
    state.lanes.get(lane).map(|lane_state| (lane, lane_state.summary()))
}

fn advance(state: &mut MemberState, time: Timestamp, received_at: Timestamp, table: &SignalTable) {
    let period = |at: Timestamp| at.0.div_euclid(PRUNE_EVERY_MS);
    let before = (period(state.time), period(state.received_at));
    state.time = state.time.max(time);
    state.received_at = state.received_at.max(received_at);
    if (period(state.time), period(state.received_at)) != before {
        state.tiles.prune(table, state.time);
        state.lanes.prune(state.received_at);
    }
}

/// Links the member to the proven user of an event; returns the profile it leaves, if it does.
fn link(state: &mut MemberState, event: &Event) -> Option<ProfileId> {
    let user_id = event.user_id.as_deref()?;
    if let Some(link) = &mut state.link {
        if (link.at, link.event_id) >= (event.timestamp, event.event_id) {
            return None;
        }
        (link.at, link.event_id) = (event.timestamp, event.event_id);
        if &*link.user_id == user_id {
            return None;
        }
    }
    state.link = Some(Link { user_id: user_id.into(), at: event.timestamp, event_id: event.event_id });
    Some(core::mem::replace(&mut state.profile, ProfileId::of_user(user_id)))
}

impl MemberState {
    fn next_change(&mut self) -> Change {
        self.version += 1;
        Change {
            member: self.member.clone(),
            profile: self.profile.clone(),
            moved_from: None,
            version: self.version,
            created: self.version == 1,
            time: self.time,
            event: None,
            received_at: None,
            tiles: TileChanges::Touched(Vec::new()),
            traits: Traits::default(),
            lanes: Vec::new(),
        }
    }
}
