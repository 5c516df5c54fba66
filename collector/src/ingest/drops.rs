//! Events that senders have given up, as their batches tell: totals of a lane since its start, so that a repeat adds nothing.

use crate::limits::{MAX_DROPPED_OF_LANE, REMEMBERED_DROP_LANES};
use crate::metrics::Metrics;
use attune_core::id::LaneId;
use attune_core::wire::Envelope;
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The reasons that are counted apart, by the names that senders give them; the last is any other.
const REASONS: [&str; 9] = [
    "queue_full",
    "expired",
    "rejected",
    "bot",
    "denied_type",
    "sampled_out",
    "schema_mismatch",
    "rate_limited",
    "other",
];

/// The largest totals that each of the latest lanes has told of.
#[derive(Debug)]
pub struct Drops {
    lanes: Cache<LaneId, Arc<[AtomicU64; REASONS.len()]>>,
}

impl Default for Drops {
    fn default() -> Self {
        Self { lanes: Cache::new(REMEMBERED_DROP_LANES) }
    }
}

impl Drops {
    /// Counts what a batch tells beyond what its lane has told before. Without a lane nobody can tell a repeat, so that
    /// nothing is counted.
    pub fn note(&self, envelope: &Envelope<'_>, metrics: &Metrics) {
        let Some(lane) = envelope.lane.filter(|_| !envelope.dropped.is_empty()) else { return };
        let mut totals = [0_u64; REASONS.len()];
        for (reason, total) in &envelope.dropped {
            let known = REASONS.iter().position(|known| *known == &**reason);
            let sum = &mut totals[known.unwrap_or(REASONS.len() - 1)];
            *sum = sum.saturating_add(*total).min(MAX_DROPPED_OF_LANE);
        }
        let new = || Ok::<_, Infallible>(Arc::default());
        let Ok(told) = self.lanes.get_or_insert_with(&lane, new);
        for ((total, told), reason) in totals.into_iter().zip(told.iter()).zip(REASONS) {
            let more = total.saturating_sub(told.fetch_max(total, Ordering::Relaxed));
            if more > 0 {
                metrics.dropped.add(reason, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Form;

    fn note(drops: &Drops, metrics: &Metrics, lane: u64, dropped: &str) {
        let lane = format!("01930000-0000-7000-8000-{lane:012x}");
        let text = format!(r#"{{"lane":"{lane}","events":[],"dropped":{dropped}}}"#);
        drops.note(&Envelope::parse(&text).unwrap(), metrics);
    }

    #[test]
    fn a_lane_adds_what_is_more_than_it_has_told() {
        let (drops, metrics) = (Drops::default(), Arc::new(Metrics::default()));
        for (lane, dropped) in [
            (1, r#"{"queue_full":3}"#),
            (1, r#"{"queue_full":3}"#),
            (1, r#"{"queue_full":5,"expired":1}"#),
            // One that was under way for longer.
            (1, r#"{"queue_full":4}"#),
            (2, r#"{"queue_full":2,"mine":1,"yours":2}"#),
            (2, r#"{"mine":3,"yours":1}"#),
            (3, r#"{"expired":18446744073709551615,"other":0}"#),
        ] {
            note(&drops, &metrics, lane, dropped);
        }
        let no_lane = Envelope::parse(r#"{"events":[],"dropped":{"queue_full":9}}"#).unwrap();
        drops.note(&no_lane, &metrics);
        let told = Form::Prometheus.write(&metrics);
        for (reason, count) in [("queue_full", 7), ("expired", 1 + MAX_DROPPED_OF_LANE), ("other", 4)] {
            let line = format!("attune_events_dropped_total{{code=\"{reason}\"}} {count}\n");
            assert!(told.contains(&line), "{line}{told}");
        }
        assert!(!told.contains("mine"), "labels are ours");
    }

    #[test]
    fn any_number_of_lanes_is_remembered_in_bounded_memory() {
        let (drops, metrics) = (Drops::default(), Metrics::default());
        for lane in 0..REMEMBERED_DROP_LANES as u64 + 1_000 {
            note(&drops, &metrics, lane, r#"{"expired":1}"#);
        }
        assert!(drops.lanes.len() <= REMEMBERED_DROP_LANES);
    }
}
