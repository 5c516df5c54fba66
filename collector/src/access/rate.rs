//! What a write key, and whoever is at an address, may send.

use crate::limits::BURST_SECONDS;
use attune_core::limits::MAX_BATCH_EVENTS;
use std::num::NonZeroU32;

/// So many a second, and so many at once after a while of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many a second.
    pub per_second: NonZeroU32,
    /// How many at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// That of requests: at once as many as in 10 seconds.
    pub const fn of_requests(per_second: NonZeroU32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(BURST_SECONDS) }
    }

    /// That of events: at once as many as in 10 seconds, and as a batch may hold.
    pub fn of_events(per_second: NonZeroU32) -> Self {
        let largest = NonZeroU32::MIN.saturating_add(MAX_BATCH_EVENTS as u32 - 1);
        Self { per_second, burst: per_second.saturating_mul(BURST_SECONDS).max(largest) }
    }
}

/// What a write key may send; without an end where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Events.
    pub events: Option<Rate>,
    /// Events that are accepted in one day of UTC.
    pub events_per_day: Option<u64>,
}

/// What one address may send; without an end where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressLimits {
    /// Requests.
    pub requests: Option<Rate>,
    /// Events, of all write keys.
    pub events: Option<Rate>,
}
