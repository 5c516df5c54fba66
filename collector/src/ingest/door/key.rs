//! What the door goes by of an event, and what it keeps of it beside its id.

use crate::log::{EventKey, Origin};
use attune_core::wire::Event;

/// What is known of an event beside its id. Both are fingerprints of 32 bits: whatever they fail to tell apart is taken for a
/// plain repeat, as nearly all repeats are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of the lane and number under which it came; 0 for none.
    pub place: u32,
    /// Of what it says.
    pub payload: u32,
}

/// What the door goes by of an event as it is logged.
pub fn key_of(event: &Event, origin: Origin) -> EventKey {
    let lane = event.lane.map(|place| (place.lane.0.as_u128(), place.seq));
    EventKey { event_id: event.event_id.0.as_u128(), lane, payload: payload_of(event), origin }
}

/// A fingerprint of what a repeat says again. Its time is left out, since a batch may be shifted, and so are lane, number and
/// session, which belong to how it was sent.
pub fn payload_of(event: &Event) -> u32 {
    let texts =
        [Some(&event.member.0), Some(&event.event_type), event.user_id.as_ref(), event.metadata.as_ref()];
    texts.into_iter().fold(0, |sum, text| {
        let bytes = text.map_or(&b""[..], |text| text.as_bytes());
        // With its length, so that no text passes for the end of another.
        crc32c::crc32c_append(crc32c::crc32c_append(sum, &(bytes.len() as u32).to_le_bytes()), bytes)
    })
}

/// 64 bits of an event id, never 0.
pub const fn fingerprint(event_id: u128) -> u64 {
    let mixed = (event_id >> 64) as u64 ^ (event_id as u64).rotate_left(29);
    if mixed == 0 { 1 } else { mixed }
}

/// What is kept of an event.
pub const fn seen(key: &EventKey) -> Seen {
    let place = match key.lane {
        None => 0,
        Some((lane, seq)) => {
            let mixed = fingerprint(lane ^ ((seq as u128) << 32));
            // Numbers end up in both halves.
            match (mixed ^ (mixed >> 32)) as u32 {
                0 => 1,
                place => place,
            }
        }
    };
    Seen { place, payload: key.payload }
}
