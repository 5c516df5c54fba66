//! Counters, gauges and histograms of this process.

mod histogram;
mod lag;
mod text;

use crate::limits::{LOG_QUEUE_BYTES, MAX_STREAMS};
use histogram::{Count, Histogram, Seconds};
use lag::Lag;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use text::{Out, counter, gauge, gauges, histogram, labelled, seconds, series};

pub use lag::{Reached, Stage};
pub use text::Form;

/// A number that is added to or set.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    fn of(value: usize) -> Self {
        Self(AtomicU64::new(value as u64))
    }

    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes from it.
    pub fn subtract(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Replaces it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Replaces it by a larger one.
    pub fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    /// Reads it.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter per value of one label.
#[derive(Debug, Default)]
pub struct Labelled(Mutex<BTreeMap<String, u64>>);

impl Labelled {
    /// Replaces all counters.
    pub fn set_all(&self, counts: impl IntoIterator<Item = (String, u64)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counts.into_iter().collect();
    }

    /// Adds to the counter of a label value; values are codes of ours, never text of a sender.
    pub fn add(&self, label: &str, amount: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(label) {
            Some(count) => *count += amount,
            None => {
                counts.insert(label.to_owned(), amount);
            }
        }
    }
}

/// Numbers by several labels.
#[derive(Debug, Default)]
pub struct Series(Mutex<BTreeMap<Labels, u64>>);

type Labels = Vec<(String, String)>;

impl Series {
    /// Adds to the number of some labels; their values are names and codes of ours and of the operator.
    pub fn add(&self, labels: &[(&str, &str)], amount: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(owned(labels)).or_default() += amount;
    }

    /// Replaces the number of some labels.
    pub fn set(&self, labels: &[(&str, &str)], value: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(owned(labels), value);
    }
}

fn owned(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections open, of both listeners.
    pub connections: Number,
    /// Connections that the public listener may have open.
    pub connections_limit: Number,
    /// Connections refused because their address had as many as it may have.
    pub refused_connections: Number,
    /// Connections ended because a head came, or an answer was read, too slowly.
    pub slow_connections: Number,
    /// Events durable and new.
    pub accepted: Number,
    /// Events that were durable before.
    pub duplicates: Number,
    /// Those of them that said something else than the event of their id.
    pub payload_conflicts: Number,
    /// Event ids that the door knows and finds in memory.
    pub door_ids: Number,
    /// Memory that it takes for them, in bytes.
    pub door_bytes: Number,
    /// Event ids that it finds on the disk.
    pub door_filed_ids: Number,
    /// Memory that it takes for those, in bytes.
    pub door_filed_bytes: Number,
    /// Generations of event ids.
    pub door_generations: Number,
    /// Since when the door knows every event id, in seconds since 1970; 0 where it knows none.
    pub door_oldest: Number,
    /// Files of event ids that were damaged and have been made anew.
    pub door_repairs: Number,
    /// The longest that a batch has taken at the door, in microseconds.
    pub door_longest_micros: Number,
    /// Events refused, by code.
    pub rejected: Labelled,
    /// Dead letters that are kept, by code.
    pub letters: Labelled,
    /// Bytes of them.
    pub letter_bytes: Number,
    /// Dead letters given up because there were too many.
    pub letters_evicted: Number,
    /// Refused events that never became dead letters because their batch had too many.
    pub letters_left_out: Number,
    /// Dead letters tried again, by what became of them.
    pub letters_replayed: Labelled,
    /// Events that senders have given up, by reason.
    pub dropped: Labelled,
    /// Requests answered with an error, by code.
    pub errors: Labelled,
    /// Requests refused by a limit, by its name.
    pub limited: Labelled,
    /// Events of senders that name themselves programs.
    pub bots: Number,
    /// Addresses that were looked up in the database of places, by what came of it.
    pub geo_lookups: Labelled,
    /// Batches received.
    pub batches: Number,
    /// Body bytes received, as they arrived.
    pub received_bytes: Number,
    /// Memory that bodies take, in bytes.
    pub body_bytes: Number,
    /// Memory that they may take, in bytes.
    pub body_limit_bytes: Number,
    /// Time from when a batch has been read until it is durable and its receipt is made.
    pub acknowledgement: Histogram<Seconds>,
    /// Batches whose timestamps were shifted.
    pub clock_shifts: Number,
    /// Group commits of the log.
    pub log_groups: Number,
    /// Batches in them.
    pub log_batches: Number,
    /// Bytes in them.
    pub log_bytes: Number,
    /// Time spent writing and syncing each.
    pub log_commit: Histogram<Seconds>,
    /// Time that each sync of the log's file took.
    pub log_sync: Histogram<Seconds>,
    /// Batches in each.
    pub log_group_batches: Histogram<Count>,
    /// Bytes that wait for the log's writer; it takes [`LOG_QUEUE_BYTES`](crate::limits::LOG_QUEUE_BYTES) at most.
    pub log_queue_bytes: Number,
    /// Group commits that failed.
    pub log_errors: Number,
    /// Bytes of the log that the worker has passed over because they are damaged or not there any more.
    pub log_damaged_bytes: Number,
    /// Median of the syncs that were measured at the start, in microseconds.
    pub storage_sync_micros: Number,
    /// Bytes free on the disk of the log.
    pub disk_free_bytes: Number,
    /// Bytes free on it below which senders get 503.
    pub disk_reserve_bytes: Number,
    /// Times the worker could not go on and began again at its last commit.
    pub worker_errors: Number,
    /// Records the worker has absorbed.
    pub records: Number,
    /// Records that the member's state refused.
    pub refused_records: Number,
    /// How far the worker is behind the log.
    pub lag: Lag,
    /// Commits of the worker's state.
    pub commits: Number,
    /// Member and profile states held decoded.
    pub hot_states: Number,
    /// Firings, repeats left out.
    pub firings: Number,
    /// Calls of destinations and what they came to, by destination and outcome.
    pub deliveries: Series,
    /// Deliveries that wait, by destination.
    pub deliveries_pending: Series,
    /// Since when the oldest of them waits, in seconds since 1970, by destination; 0 where none does.
    pub deliveries_oldest: Series,
    /// Streams open.
    pub streams: Number,
    /// Profile views handed to streams.
    pub pushes: Number,
    /// Those of them that a newer one has replaced before they were sent.
    pub coalesced: Number,
    /// Time that what is sent on a stream has waited for it.
    pub push_wait: Histogram<Seconds>,
    /// Revision of the bundle in effect.
    pub bundle_revision: Number,
    /// Revision of the candidate; 0 where there is none.
    pub candidate_revision: Number,
    /// Its share of all members, in hundredths of a percent.
    pub candidate_share: Number,
    /// Members erased, of whom nothing is left on the disk.
    pub erasures: Number,
    /// Members whose erasure has been accepted and is not finished.
    pub erasures_pending: Number,
    /// Visitor's cookies set.
    pub visitor_cookies: Number,
    /// Rule files or folders refused.
    pub bundle_errors: Number,
    /// Times that keys, limits and destinations were read again.
    pub reloads: Number,
    /// Times that a part of them was refused, by part.
    pub reload_failed: Labelled,
}

impl Metrics {
    /// Counts a group commit of so many batches and bytes.
    pub fn log_group(&self, batches: usize, bytes: usize, elapsed: Duration) {
        self.log_groups.add(1);
        self.log_batches.add(batches as u64);
        self.log_bytes.add(bytes as u64);
        self.log_commit.observe_time(elapsed);
        self.log_group_batches.observe(batches as u64);
    }

    fn write(&self, out: &mut Out<'_>) {
        gauge(out, "attune_connections", "Connections open.", &self.connections);
        let help = "Connections that the public listener may have open.";
        gauge(out, "attune_connections_limit", help, &self.connections_limit);
        let help = "Connections of addresses that had as many as they may have.";
        counter(out, "attune_connections_refused_total", help, &self.refused_connections);
        let help = "Connections whose head came, or whose answer was read, too slowly.";
        counter(out, "attune_connections_slow_total", help, &self.slow_connections);
        counter(out, "attune_events_accepted_total", "Events durable and new.", &self.accepted);
        counter(out, "attune_events_duplicate_total", "Events that were durable before.", &self.duplicates);
        let help = "Repeats of an event id with another payload.";
        counter(out, "attune_events_payload_conflict_total", help, &self.payload_conflicts);
        gauge(out, "attune_door_ids", "Event ids that are found in memory.", &self.door_ids);
        gauge(out, "attune_door_memory_bytes", "Memory for those.", &self.door_bytes);
        gauge(out, "attune_door_filed_ids", "Event ids that are found on disk.", &self.door_filed_ids);
        gauge(out, "attune_door_filed_memory_bytes", "Memory for those.", &self.door_filed_bytes);
        gauge(out, "attune_door_generations", "Generations of event ids.", &self.door_generations);
        let help = "Since when every event id is known, in seconds since 1970; 0 where none is.";
        gauge(out, "attune_door_oldest_timestamp_seconds", help, &self.door_oldest);
        let help = "Damaged files of event ids that were made anew.";
        counter(out, "attune_door_repairs_total", help, &self.door_repairs);
        let help = "The longest that a batch has taken at the door.";
        seconds(out, "attune_door_longest_seconds", help, &self.door_longest_micros);
        let help = "Events that senders say they gave up, by reason, each counted once.";
        labelled(out, "attune_events_dropped_total", help, "counter", &self.dropped);
        labelled(out, "attune_events_rejected_total", "Events refused, by code.", "counter", &self.rejected);
        labelled(out, "attune_dead_letters", "Dead letters kept, by code.", "gauge", &self.letters);
        gauge(out, "attune_dead_letter_bytes", "Bytes of the dead letters kept.", &self.letter_bytes);
        let help = "Dead letters given up because there were too many.";
        counter(out, "attune_dead_letters_evicted_total", help, &self.letters_evicted);
        let help = "Refused events that are only counted because their batch had too many.";
        counter(out, "attune_dead_letters_left_out_total", help, &self.letters_left_out);
        let help = "Dead letters tried again, by what became of them.";
        labelled(out, "attune_dead_letters_replayed_total", help, "counter", &self.letters_replayed);
        let help = "Requests answered with an error, by code.";
        labelled(out, "attune_request_errors_total", help, "counter", &self.errors);
        let help = "Requests refused because an address or a write key has sent as much as it may, by limit.";
        labelled(out, "attune_limited_total", help, "counter", &self.limited);
        let help = "Events of senders that name themselves programs.";
        counter(out, "attune_bot_events_total", help, &self.bots);
        let help = "Addresses looked up in the database of places, by what came of it.";
        labelled(out, "attune_geo_lookups_total", help, "counter", &self.geo_lookups);
        counter(out, "attune_batches_total", "Batches received.", &self.batches);
        counter(out, "attune_received_bytes_total", "Body bytes received.", &self.received_bytes);
        gauge(out, "attune_body_bytes", "Memory that bodies take.", &self.body_bytes);
        let help = "Memory that bodies may take together.";
        gauge(out, "attune_body_limit_bytes", help, &self.body_limit_bytes);
        let help = "Time from when a batch has been read until it is durable and its receipt is made.";
        histogram(out, "attune_acknowledgement_seconds", help, &self.acknowledgement);
        counter(
            out,
            "attune_clock_shifts_total",
            "Batches whose timestamps were shifted.",
            &self.clock_shifts,
        );
        counter(out, "attune_log_groups_total", "Group commits of the log.", &self.log_groups);
        counter(out, "attune_log_batches_total", "Batches in group commits.", &self.log_batches);
        counter(out, "attune_log_bytes_total", "Bytes in group commits.", &self.log_bytes);
        histogram(out, "attune_log_commit_seconds", "Time writing and syncing a group.", &self.log_commit);
        histogram(out, "attune_log_sync_seconds", "Time of a sync of the log's file.", &self.log_sync);
        histogram(out, "attune_log_group_batches", "Batches in a group commit.", &self.log_group_batches);
        let help = "Bytes that wait for the log's writer.";
        gauge(out, "attune_log_queue_bytes", help, &self.log_queue_bytes);
        let help = "Bytes that may wait for it; beyond it senders get 503.";
        gauge(out, "attune_log_queue_limit_bytes", help, &Number::of(LOG_QUEUE_BYTES));
        counter(out, "attune_log_errors_total", "Group commits that failed.", &self.log_errors);
        gauge(out, "attune_disk_free_bytes", "Free on the log's disk.", &self.disk_free_bytes);
        let help = "Median time of the syncs that were measured at the start.";
        seconds(out, "attune_storage_sync_seconds", help, &self.storage_sync_micros);
        let help = "Free on it below which senders get 503.";
        gauge(out, "attune_disk_reserve_bytes", help, &self.disk_reserve_bytes);
        let help = "Times the worker could not go on and began again at its last commit.";
        counter(out, "attune_worker_errors_total", help, &self.worker_errors);
        let help = "Bytes of the log that were passed over because they are damaged or missing.";
        counter(out, "attune_log_damaged_bytes_total", help, &self.log_damaged_bytes);
        counter(out, "attune_worker_records_total", "Records absorbed.", &self.records);
        counter(out, "attune_worker_refused_total", "Records a state refused.", &self.refused_records);
        self.write_lag(out);
        counter(out, "attune_worker_commits_total", "Commits of the state.", &self.commits);
        gauge(out, "attune_worker_hot_states", "States held decoded.", &self.hot_states);
        counter(out, "attune_firings_total", "Firings, repeats left out.", &self.firings);
        let help = "Calls of destinations, by what they came to.";
        series(out, "attune_deliveries_total", help, "counter", &self.deliveries);
        let help = "Deliveries that wait.";
        series(out, "attune_deliveries_pending", help, "gauge", &self.deliveries_pending);
        let help = "Since when the oldest delivery waits, in seconds since 1970; 0 where none does.";
        series(out, "attune_deliveries_oldest_timestamp_seconds", help, "gauge", &self.deliveries_oldest);
        gauge(out, "attune_streams", "Streams open.", &self.streams);
        gauge(out, "attune_streams_limit", "Streams that may be open.", &Number::of(MAX_STREAMS));
        counter(out, "attune_pushes_total", "Profile views handed to streams.", &self.pushes);
        let help = "Profile views that a newer one has replaced before they were sent.";
        counter(out, "attune_pushes_coalesced_total", help, &self.coalesced);
        let help = "Time that what is sent on a stream has waited for it.";
        histogram(out, "attune_push_wait_seconds", help, &self.push_wait);
        gauge(out, "attune_bundle_revision", "Revision of the bundle in effect.", &self.bundle_revision);
        let help = "Revision of the bundle that a share of all members gets; 0 where there is none.";
        gauge(out, "attune_candidate_revision", help, &self.candidate_revision);
        let help = "That share, in hundredths of a percent.";
        gauge(out, "attune_candidate_share", help, &self.candidate_share);
        counter(out, "attune_erasures_total", "Members erased, to the last file.", &self.erasures);
        let help = "Members whose erasure is not finished.";
        gauge(out, "attune_erasures_pending", help, &self.erasures_pending);
        let help = "Visitor's cookies set.";
        counter(out, "attune_visitor_cookies_total", help, &self.visitor_cookies);
        counter(out, "attune_bundle_errors_total", "Rule sources refused.", &self.bundle_errors);
        let help = "Times that write keys, limits and destinations were read again.";
        counter(out, "attune_reloads_total", help, &self.reloads);
        let help = "Times that a part of them was broken, so that the old stays in effect.";
        labelled(out, "attune_reload_failed_total", help, "counter", &self.reload_failed);
    }

    fn write_lag(&self, out: &mut Out<'_>) {
        let behind = self.lag.read(Instant::now());
        let of = |stage: Stage| (stage.name(), &behind[stage as usize]);
        let bytes = Stage::ALL.map(of).map(|(stage, behind)| (stage, behind.bytes));
        let help = "Log that a stage of the worker has not reached.";
        gauges(out, "attune_worker_behind_bytes", help, "stage", &bytes);
        let records = Stage::ALL.map(of).map(|(stage, behind)| (stage, behind.records));
        let help = "Records of it that were written since this process started.";
        gauges(out, "attune_worker_behind_records", help, "stage", &records);
        let waiting = Stage::ALL.map(of).map(|(stage, behind)| (stage, behind.waiting.as_secs_f64()));
        let help = "For how long the oldest of it has been waiting, since this process started at most.";
        gauges(out, "attune_worker_lag_seconds", help, "stage", &waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn every_series_is_written_with_its_type_in_either_form() {
        let metrics = Arc::new(Metrics::default());
        metrics.accepted.add(3);
        metrics.rejected.add("metadata_too_large", 2);
        metrics.deliveries.add(&[("destination", "a \"b\""), ("outcome", "delivered")], 1);
        metrics.log_sync.observe_time(Duration::from_millis(3));
        let (plain, open) = (Form::Prometheus.write(&metrics), Form::OpenMetrics.write(&metrics));
        assert!(
            plain.contains("# TYPE attune_events_accepted_total counter\nattune_events_accepted_total 3\n")
        );
        assert!(open.contains("# TYPE attune_events_accepted counter\nattune_events_accepted_total 3\n"));
        assert!(open.ends_with("# EOF\n") && !plain.contains("# EOF"));
        for text in [&plain, &open] {
            assert!(text.contains("attune_events_rejected_total{code=\"metadata_too_large\"} 2\n"));
            assert!(text.contains(r#"attune_deliveries_total{destination="a \"b\"",outcome="delivered"} 1"#));
            assert!(text.contains("attune_log_sync_seconds_bucket{le=\"0.0025\"} 0\n"));
            assert!(text.contains("attune_log_sync_seconds_bucket{le=\"0.005\"} 1\n"));
            assert!(text.contains("attune_log_sync_seconds_bucket{le=\"+Inf\"} 1\n"));
        }
        metrics.letters.add("gone", 1);
        metrics.letters.set_all([("metadata_too_large".to_owned(), 4)]);
        let text = Form::Prometheus.write(&metrics);
        assert!(text.contains(
            "# TYPE attune_dead_letters gauge\nattune_dead_letters{code=\"metadata_too_large\"} 4\n"
        ));
        assert!(!text.contains("gone"));
    }
}
