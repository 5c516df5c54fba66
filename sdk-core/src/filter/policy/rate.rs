//! How many events a minute may leave: token buckets that are full at first and refill evenly.

use super::reason::RateScope;
use crate::time::Monotonic;
use alloc::vec::Vec;

/// What one event costs; a bucket gains its events a minute every millisecond, so nothing is rounded.
const COST: u64 = 60_000;

/// How much is left in the buckets of a policy; of another policy they are clamped, never overfull.
#[derive(Clone, Debug, Default)]
pub struct RateState {
    total: Bucket,
    types: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u64,
    at: Monotonic,
}

/// A bucket that nobody has asked yet is as full as it may be.
impl Default for Bucket {
    fn default() -> Self {
        Self { left: u64::MAX, at: Monotonic::default() }
    }
}

impl RateState {
    /// Takes one event out of the bucket of its type and of that of all, or of neither.
    pub(super) fn take(
        &mut self,
        of_type: Option<(usize, u32)>,
        total: Option<u32>,
        now: Monotonic,
    ) -> Result<(), RateScope> {
        let mut own = None;
        if let Some((place, per_minute)) = of_type {
            self.types.resize(self.types.len().max(place + 1), Bucket::default());
            own = self.types.get_mut(place).map(|bucket| (bucket, per_minute));
        }
        let all = total.map(|per_minute| (&mut self.total, per_minute));
        let mut buckets = [(RateScope::Type, own), (RateScope::Total, all)];
        for (scope, bucket) in &mut buckets {
            if let Some((bucket, per_minute)) = bucket {
                bucket.refill(u64::from(*per_minute), now);
                if bucket.left < COST {
                    return Err(*scope);
                }
            }
        }
        for (bucket, _) in buckets.into_iter().filter_map(|(_, bucket)| bucket) {
            bucket.left -= COST;
        }
        Ok(())
    }
}

impl Bucket {
    fn refill(&mut self, per_minute: u64, now: Monotonic) {
        let gained = now.since(self.at).saturating_mul(per_minute);
        self.left = self.left.saturating_add(gained).min(per_minute * COST);
        self.at = now.max(self.at);
    }
}
