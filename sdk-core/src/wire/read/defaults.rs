//! What the events of a batch take from its envelope.

use crate::id::{LaneId, MemberId};

/// What an envelope says for all its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventDefaults<'a> {
    /// The member of events that name none.
    pub member: Option<&'a MemberId>,
    /// The lane of events that carry a number and name no lane.
    pub lane: Option<LaneId>,
}
