//! How many events a lane has given up, by reason.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The queue was over its byte limit and this event was the least important, oldest one.
    QueueFull,
    /// It could not be delivered within [`crate::limits::MAX_EVENT_AGE_MS`].
    Expired,
    /// The collector refused it for good.
    Rejected,
}

/// Totals by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropTotals {
    /// Evicted from a full queue.
    pub queue_full: u64,
    /// Over the age limit.
    pub expired: u64,
    /// Refused by the collector.
    pub rejected: u64,
}

impl DropReason {
    /// Stable name for batches, metrics and error codes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }
}

/// The totals of the sending lane, and which of them the collector knows.
#[derive(Debug, Default)]
pub(super) struct DropLedger {
    totals: DropTotals,
    confirmed: DropTotals,
}

impl DropLedger {
    /// Counts one more.
    pub const fn count(&mut self, reason: DropReason) {
        let total = match reason {
            DropReason::QueueFull => &mut self.totals.queue_full,
            DropReason::Expired => &mut self.totals.expired,
            DropReason::Rejected => &mut self.totals.rejected,
        };
        *total += 1;
    }

    /// The totals for the next batch.
    pub const fn totals(&self) -> DropTotals {
        self.totals
    }

    /// The collector has taken these totals of the lane in effect.
    pub const fn confirm(&mut self, reported: DropTotals) {
        self.confirmed = reported;
    }

    /// Begins a new lane, whose totals take over what the collector does not know; returns what it did know, so
    /// that totals in flight can be told apart.
    pub const fn begin_lane(&mut self) -> DropTotals {
        self.totals = self.totals.beyond(self.confirmed);
        mem::replace(&mut self.confirmed, DropTotals::NONE)
    }

    /// Takes out what the collector turned out to know from the lane before.
    pub const fn settle_earlier_lane(&mut self, reported: DropTotals) {
        self.totals = self.totals.beyond(reported);
    }
}

impl DropTotals {
    const NONE: Self = Self { queue_full: 0, expired: 0, rejected: 0 };

    /// What these totals have beyond earlier ones.
    pub const fn beyond(self, earlier: Self) -> Self {
        Self {
            queue_full: self.queue_full.saturating_sub(earlier.queue_full),
            expired: self.expired.saturating_sub(earlier.expired),
            rejected: self.rejected.saturating_sub(earlier.rejected),
        }
    }

    /// The totals that are not zero, as a batch carries them.
    pub fn to_list(self) -> Vec<(Box<str>, u64)> {
        [
            (DropReason::QueueFull, self.queue_full),
            (DropReason::Expired, self.expired),
            (DropReason::Rejected, self.rejected),
        ]
        .into_iter()
        .filter(|(_, total)| *total > 0)
        .map(|(reason, total)| (Box::from(reason.code()), total))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_lane_takes_over_only_what_is_unknown_to_the_collector() {
        let mut ledger = DropLedger::default();
        ledger.count(DropReason::Expired);
        ledger.confirm(ledger.totals());
        ledger.count(DropReason::Expired);
        ledger.count(DropReason::Rejected);
        let in_flight = ledger.totals();
        let known = ledger.begin_lane();
        assert_eq!(ledger.totals().to_list(), [("expired".into(), 1), ("rejected".into(), 1)]);
        ledger.count(DropReason::QueueFull);
        ledger.settle_earlier_lane(in_flight.beyond(known));
        assert_eq!(ledger.totals().to_list(), [("queue_full".into(), 1)]);
    }
}
