//! Fresh ids, the clocks' answer, and the delivery settings of a page.

use crate::browser::clock::{monotonic_ms, wall_ms};
use crate::browser::random::random_bytes;
use attune_core::id::{LaneId, MemberId, Uuid, uuid_v7, write_uuid};
use attune_core::limits::{PAGE_BATCH_BYTES, PAGE_BATCH_EVENTS, PAGE_QUEUE_BYTES};
use attune_core::queue::QueueOptions;
use attune_core::time::{Monotonic, Now, Timestamp};

/// What the page's clocks say.
pub fn now() -> Now {
    Now { wall: Timestamp(wall_ms()), monotonic: Monotonic(monotonic_ms()) }
}

/// A fresh lane.
pub fn fresh_lane(now: Now) -> LaneId {
    LaneId(fresh_uuid(now))
}

/// A fresh member.
pub fn fresh_member(now: Now) -> MemberId {
    MemberId(text_of(fresh_uuid(now)).into())
}

/// An id in its text form.
pub fn text_of(uuid: Uuid) -> String {
    let mut text = String::new();
    write_uuid(uuid, &mut text);
    text
}

/// The delivery settings of a page.
pub const fn queue_options() -> QueueOptions {
    QueueOptions {
        max_batch_events: PAGE_BATCH_EVENTS,
        max_batch_bytes: PAGE_BATCH_BYTES,
        max_queue_bytes: PAGE_QUEUE_BYTES,
    }
}

fn fresh_uuid(now: Now) -> Uuid {
    uuid_v7(now.wall, &random_bytes())
}
