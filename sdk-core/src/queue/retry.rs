//! What a failed request means, and how long to wait after it.

use crate::limits::{RETRY_AFTER_MAX_MS, RETRY_BASE_MS, RETRY_MAX_MS};

/// What a status other than a receipt says about the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The collector cannot take it now.
    Later,
    /// The collector will not take anything from this sender until somebody repairs something.
    Refused,
    /// The batch or an event in it is over a limit.
    TooLarge,
    /// The batch cannot be read.
    Unreadable,
}

/// Judges a status; everything unknown keeps the events.
pub(super) const fn judge(status: u16) -> Verdict {
    match status {
        400 => Verdict::Unreadable,
        413 => Verdict::TooLarge,
        501 | 505 => Verdict::Refused,
        // A success without a receipt comes from something in between, such as a captive portal.
        200..=299 | 408 | 425 | 429 | 500..=599 => Verdict::Later,
        _ => Verdict::Refused,
    }
}

/// The delay after so many failures in a row, in milliseconds: exponential with full jitter.
///
/// Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
pub(super) fn delay_ms(failures: u32, random: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    let ceiling = RETRY_MAX_MS.min(RETRY_BASE_MS << doublings);
    random % (ceiling + 1)
}

/// The time a collector asks for, within reason.
pub(super) fn asked_ms(retry_after_ms: u64) -> u64 {
    retry_after_ms.min(RETRY_AFTER_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_judged_as_the_protocol_says() {
        for status in [408, 425, 429, 500, 502, 503, 504, 511, 202, 204] {
            assert_eq!(judge(status), Verdict::Later, "{status}");
        }
        for status in [401, 403, 404, 501, 505, 301, 405, 415, 0] {
            assert_eq!(judge(status), Verdict::Refused, "{status}");
        }
        assert_eq!((judge(413), judge(400)), (Verdict::TooLarge, Verdict::Unreadable));
    }

    #[test]
    fn the_ceiling_doubles_up_to_its_bound() {
        let ceiling =
            |failures| (0..200_000).step_by(499).map(|random| delay_ms(failures, random)).max().unwrap();
        assert!(ceiling(1) <= 1_000 && ceiling(1) > 900);
        assert!(ceiling(3) <= 4_000 && ceiling(3) > 3_500);
        assert!(ceiling(u32::MAX) <= 60_000 && ceiling(u32::MAX) > 55_000);
        assert_eq!(delay_ms(0, u64::MAX) / 1_001, 0);
    }
}
