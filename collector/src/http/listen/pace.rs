//! How slowly somebody may send or read: so many seconds of silence, and no fewer bytes a second in the long run.

use crate::limits::{MIN_BYTES_PER_SECOND, STALL_TIMEOUT};
use std::time::Duration;
use tokio::time::Instant;

/// Time that is left to wait: bytes that come earn some, waiting spends it, and there is never more than at first.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    left: Duration,
    waiting_since: Option<Instant>,
}

impl Pace {
    /// All of the time.
    pub const fn new() -> Self {
        Self { left: STALL_TIMEOUT, waiting_since: None }
    }

    /// Nothing comes; says until when something has to.
    pub fn wait(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.left
    }

    /// So many bytes have come.
    pub fn gain(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(now - since);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / MIN_BYTES_PER_SECOND;
        self.left = STALL_TIMEOUT.min(self.left.saturating_add(earned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how long somebody goes on who moves so many bytes every so many milliseconds; nothing if for a day.
    fn lasts(bytes: usize, every_ms: u64) -> Option<Duration> {
        let start = Instant::now();
        let day = start + Duration::from_secs(86_400);
        let (mut pace, mut now) = (Pace::new(), start);
        while now < day {
            let end = pace.wait(now);
            let next = now + Duration::from_millis(every_ms);
            if next >= end {
                return Some(end - start);
            }
            now = next;
            pace.gain(bytes, now);
        }
        None
    }

    #[test]
    fn who_moves_enough_goes_on_and_who_does_not_ends_in_seconds() {
        let rate = MIN_BYTES_PER_SECOND as usize;
        assert_eq!(lasts(0, 60_000), Some(STALL_TIMEOUT), "silence");
        assert_eq!(lasts(rate, 1_000), None, "the least");
        assert_eq!(lasts(4 * rate, 4_000), None, "the least, in gulps");
        let drop = lasts(1, 1_000).unwrap();
        assert!((STALL_TIMEOUT..STALL_TIMEOUT + Duration::from_secs(1)).contains(&drop), "{drop:?}");
        let half = lasts(rate / 2, 1_000).unwrap();
        assert!(half <= 2 * STALL_TIMEOUT, "{half:?}");
        assert!(lasts(1_000 * rate, 6_000).is_some(), "nothing is saved up");
    }
}
