//! The clocks, the only place that reads the one on the wall.

#[cfg(not(test))]
use attune_core::time::Timestamp;
use std::time::{Duration, Instant};
#[cfg(not(test))]
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock now.
#[cfg(not(test))]
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// The clock that only goes ahead.
#[cfg(not(test))]
pub fn instant() -> Instant {
    Instant::now()
}

/// How long an instant of [`instant`] is over.
pub fn elapsed(since: Instant) -> Duration {
    instant().saturating_duration_since(since)
}

#[cfg(test)]
pub use turned::{instant, now};

/// Clocks that a test turns by hand, for its own thread; where it does not, they are the real ones.
#[cfg(test)]
pub mod turned {
    use super::{Duration, Instant};
    use attune_core::time::Timestamp;
    use std::cell::Cell;
    use std::time::{SystemTime, UNIX_EPOCH};

    thread_local! {
        static CLOCKS: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    }

    /// See [`super::now`].
    pub fn now() -> Timestamp {
        CLOCKS.get().map_or_else(real, |(wall, _)| wall)
    }

    /// See [`super::instant`].
    pub fn instant() -> Instant {
        CLOCKS.get().map_or_else(Instant::now, |(_, instant)| instant)
    }

    /// Lets time pass on this thread, from the instant of the first call on, and sets its wall clock.
    pub fn turn(wall: Timestamp, passed: Duration) {
        let instant = CLOCKS.get().map_or_else(Instant::now, |(_, instant)| instant);
        CLOCKS.set(Some((wall, instant + passed)));
    }

    fn real() -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }
}
