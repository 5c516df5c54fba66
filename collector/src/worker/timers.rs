//! Timers: due instants in the store, logged as wake-ups once the wall clock has reached them.

use super::{Worker, WorkerError};
use crate::limits::WAKE_UPS_AT_ONCE;
use crate::log::{Batch, LogError};
use crate::profile::Table;
use attune_core::id::ProfileId;
use attune_core::time::Timestamp;
use attune_core::wire::{Record, encode_record};

/// The key of a timer: keys sort by instant, so that what is due comes first.
pub fn timer_key(at: Timestamp, profile: &str) -> Vec<u8> {
    // Flipping the sign bit makes the bytes sort as the signed instants do.
    let mut key = (at.0 as u64 ^ (1 << 63)).to_be_bytes().to_vec();
    key.extend_from_slice(profile.as_bytes());
    key
}

fn parse_timer_key(key: &[u8]) -> Option<(Timestamp, ProfileId)> {
    let (at, profile) = key.split_first_chunk::<8>()?;
    let at = Timestamp((u64::from_be_bytes(*at) ^ (1 << 63)) as i64);
    Some((at, ProfileId(std::str::from_utf8(profile).ok()?.into())))
}

impl Worker<'_> {
    /// Logs the wake-ups that are due, so that a replay repeats them; says whether there were any.
    ///
    /// Called only when everything is absorbed and committed: the timers of the store are then the ones in effect.
    pub(super) fn log_due_wake_ups(&mut self, now: Timestamp) -> Result<bool, WorkerError> {
        let mut batch = Batch::default();
        let mut count = 0;
        self.parts.store.scan(Table::Timers, &mut |key, _| {
            let Some((at, profile)) = parse_timer_key(key).filter(|(at, _)| *at <= now) else { return false };
            if !self.stuck.contains(&profile.0) {
                batch.push(None, |out| encode_record(&Record::WakeUp { profile, at }, out));
                count += 1;
            }
            count < WAKE_UPS_AT_ONCE
        })?;
        if batch.is_empty() {
            return Ok(false);
        }
        match self.parts.log.append_blocking(batch) {
            Ok(_) => Ok(true),
            // They stay due and are tried again.
            Err(LogError::Busy | LogError::Closed | LogError::Disk | LogError::Full | LogError::TooLarge) => {
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_sort_by_instant() {
        let mut keys = [5, -3, 0, i64::MAX, i64::MIN].map(|at| timer_key(Timestamp(at), "member:m"));
        keys.sort();
        let sorted = keys.map(|key| parse_timer_key(&key).unwrap());
        assert_eq!(sorted.each_ref().map(|(at, _)| at.0), [i64::MIN, -3, 0, 5, i64::MAX]);
        assert_eq!(&*sorted[0].1.0, "member:m");
    }
}
