//! One thing a visitor did.

use crate::id::{EventId, LaneId, MemberId, SessionId};
use crate::time::Timestamp;
use alloc::boxed::Box;

/// Event type under which [`crate::client`] reports a login; its metadata is `{"traits":{…},"proof":"…"}`.
pub const IDENTIFY: &str = "attune.identify";
/// Event type of a capped rule shown to the visitor; its metadata is `{"rule":"…","key":"…"}`.
pub const SHOWN: &str = "attune.shown";
/// Type of the event that says which variation a unit has seen: `experiment`, `variation`, `bucket_version`.
pub const EXPOSURE: &str = "attune.exposure";

/// One thing a visitor did, with every id fixed at capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Identity for retry, dedup and acknowledgement.
    pub event_id: EventId,
    /// What happened, such as `add_to_cart`; names starting with `attune.` are the SDK's own.
    pub event_type: Box<str>,
    /// When it happened, corrected for clock skew.
    pub timestamp: Timestamp,
    /// The `anonymous_id` it belongs to.
    pub member: MemberId,
    /// Its number within a page load; absent from senders without lanes.
    pub lane: Option<LaneSeq>,
    /// The session it belongs to; absent from senders without sessions.
    pub session: Option<SessionId>,
    /// The user the sender says this is.
    pub user_id: Option<Box<str>>,
    /// A JSON object as text, already validated; absent means `{}`.
    pub metadata: Option<Box<str>>,
}

impl Event {
    /// Bytes of the metadata's text.
    pub fn metadata_bytes(&self) -> usize {
        self.metadata.as_ref().map_or(0, |metadata| metadata.len())
    }
}

/// An event's number within its lane; the first event of a lane has number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneSeq {
    /// The lane.
    pub lane: LaneId,
    /// The number, from 1.
    pub seq: u64,
}

/// How soon an event leaves and how late it is evicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// First to be evicted.
    Low,
    /// The default.
    #[default]
    Normal,
    /// First to leave, last to be evicted.
    Critical,
}
