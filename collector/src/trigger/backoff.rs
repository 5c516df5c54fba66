//! When a call is repeated, and when it is given up.

use crate::limits::{DELIVERY_AGE_MS, FIRST_RETRY, MAX_RETRY, MAX_RETRY_AFTER, MIN_CALLS};
use attune_core::time::Timestamp;
use std::time::Duration;

/// The pause behind so many calls: doubled each time up to a cap, of which a random part between half and all is kept, so
/// that deliveries that failed together are not repeated together.
pub fn pause(calls: u32, random: u16) -> Duration {
    let doublings = calls.saturating_sub(1).min(31);
    let whole = FIRST_RETRY.saturating_mul(1 << doublings).min(MAX_RETRY);
    whole / 2 + whole / 2 * u32::from(random) / u32::from(u16::MAX)
}

/// The pause where the receiver has asked for one: no shorter than that, as far as that may go.
pub fn pause_asked_for(own: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(own, |asked| own.max(asked.min(MAX_RETRY_AFTER)))
}

/// Whether a delivery that has waited since an instant is given up rather than called again after a pause.
pub fn gives_up(since: Timestamp, now: Timestamp, calls: u32, pause: Duration) -> bool {
    let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    let age_then = now.0.saturating_sub(since.0).saturating_add(pause_ms);
    calls >= MIN_CALLS && age_then > DELIVERY_AGE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_the_first_to_the_cap() {
        let longest = |calls| pause(calls, u16::MAX).as_secs();
        let pauses: Vec<u64> = (1..=13).map(longest).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]);
        assert_eq!(longest(u32::MAX), 3_600);
        assert_eq!(pause(2, 0), Duration::from_secs(5), "half of it is not random");
        let middle = pause(2, u16::MAX / 2);
        assert!(middle > Duration::from_secs(7) && middle < Duration::from_secs(8), "{middle:?}");
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_of_a_day_at_most() {
        let (own, hour) = (Duration::from_secs(5), Duration::from_secs(3_600));
        assert_eq!(pause_asked_for(own, None), own);
        assert_eq!(pause_asked_for(own, Some(Duration::ZERO)), own);
        assert_eq!(pause_asked_for(own, Some(hour)), hour);
        assert_eq!(pause_asked_for(own, Some(hour * 1_000)), MAX_RETRY_AFTER);
    }

    #[test]
    fn a_delivery_is_given_up_for_its_age_once_it_was_tried_often_enough() {
        let (since, day) = (Timestamp(1_000), 86_400_000);
        let after = |ms: i64, calls| gives_up(since, Timestamp(1_000 + ms), calls, MAX_RETRY);
        assert!(!after(3 * day - 3_600_000, 80));
        assert!(after(3 * day - 3_599_999, 80));
        assert!(!after(3 * day, MIN_CALLS - 1), "a clock that jumped");
        assert!(!after(-400 * day, 80), "or one that was put back");
    }
}
