//! What the log holds, in binary form.

use super::Event;
use crate::codec::CodecError;
use crate::id::{LaneId, MemberId, ProfileId};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One entry of the log; a replay of the same records repeats every state and firing.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An accepted event.
    Event {
        /// The event.
        event: Event,
        /// When the collector received it.
        received_at: Timestamp,
        /// Whether `event.user_id` was proven (or the key accepts unproven ones), so that the member is linked.
        proven: bool,
    },
    /// Numbers of a lane that will never come; both bounds are inclusive.
    Void {
        /// The lane's member.
        member: MemberId,
        /// The lane.
        lane: LaneId,
        /// First number given up.
        from: u64,
        /// Last number given up.
        to: u64,
    },
    /// A lane that will grow no further.
    Close {
        /// The lane's member.
        member: MemberId,
        /// The lane.
        lane: LaneId,
        /// How many numbers it gave out.
        count: u64,
        /// When the collector heard of it.
        at: Timestamp,
    },
    /// Time alone has come to matter for a profile.
    WakeUp {
        /// The profile.
        profile: ProfileId,
        /// The due instant.
        at: Timestamp,
    },
    /// A bundle takes effect.
    Bundle {
        /// Its revision.
        revision: u64,
        /// When.
        at: Timestamp,
        /// The whole signed envelope, so that a replay needs nothing else.
        bytes: Box<[u8]>,
    },
}

/// Appends a record's binary form.
pub fn encode_record(record: &Record, out: &mut Vec<u8>) {
    let _ = (record, out);
    todo!()
}

/// Reads a record's binary form.
///
/// # Errors
/// Fails on bytes that are no record of this version.
pub fn decode_record(bytes: &[u8]) -> Result<Record, CodecError> {
    let _ = bytes;
    todo!()
}
