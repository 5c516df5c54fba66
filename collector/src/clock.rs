//! The wall clock, the only place that reads it.

use attune_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock now.
pub fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
