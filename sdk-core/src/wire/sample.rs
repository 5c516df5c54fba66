//! Events for tests.

use super::{Event, LaneSeq};
use crate::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use crate::time::Timestamp;

pub(crate) fn member(name: &str) -> MemberId {
    MemberId(name.into())
}

pub(crate) fn lane(number: u128) -> LaneId {
    LaneId(Uuid::from_u128(number))
}

/// An event of member `someone` and lane 9 whose id and number are `number`.
pub(crate) fn event(number: u64) -> Event {
    Event {
        event_id: EventId(Uuid::from_u128(u128::from(number))),
        event_type: "page_view".into(),
        timestamp: Timestamp(1_763_632_801_003),
        member: member("someone"),
        lane: Some(LaneSeq { lane: lane(9), seq: number }),
        session: None,
        user_id: None,
        metadata: None,
    }
}

/// An event with every field set.
pub(crate) fn full_event(number: u64) -> Event {
    Event {
        session: Some(SessionId(Uuid::from_u128(77))),
        user_id: Some("user \"7\"\n".into()),
        metadata: Some(r#"{"category":"shoes","price":12.5}"#.into()),
        ..event(number)
    }
}
