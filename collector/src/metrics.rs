//! Counters and gauges of this process, in the Prometheus text form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A number that is added to or set.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
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
pub struct Series(Mutex<BTreeMap<String, u64>>);

impl Series {
    /// Adds to the number of some labels; their values are names and codes of ours and of the operator.
    pub fn add(&self, labels: &[(&str, &str)], amount: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(written(labels)).or_default() += amount;
    }

    /// Replaces the number of some labels.
    pub fn set(&self, labels: &[(&str, &str)], value: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(written(labels), value);
    }

    fn render(&self, out: &mut String, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "{name}{{{labels}}} {value}");
        }
    }
}

fn written(labels: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    pairs.join(",")
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections open, of both listeners.
    pub connections: Number,
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
    /// Batches received.
    pub batches: Number,
    /// Body bytes received, as they arrived.
    pub received_bytes: Number,
    /// Memory that bodies take, in bytes.
    pub body_bytes: Number,
    /// Batches whose timestamps were shifted.
    pub clock_shifts: Number,
    /// Group commits of the log.
    pub log_groups: Number,
    /// Batches in them.
    pub log_batches: Number,
    /// Bytes in them.
    pub log_bytes: Number,
    /// Time spent writing and syncing them, in microseconds.
    pub log_micros: Number,
    /// Group commits that failed.
    pub log_errors: Number,
    /// Bytes of the log that the worker has passed over because they are damaged or not there any more.
    pub log_damaged_bytes: Number,
    /// Bytes free on the disk of the log.
    pub disk_free_bytes: Number,
    /// Times the worker could not go on and began again at its last commit.
    pub worker_errors: Number,
    /// Records the worker has absorbed.
    pub records: Number,
    /// Records that the member's state refused.
    pub refused_records: Number,
    /// Bytes of log between the worker and the log's end.
    pub worker_behind_bytes: Number,
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
}

impl Metrics {
    /// Counts a group commit.
    pub fn log_group(&self, batches: usize, bytes: usize, elapsed: Duration) {
        self.log_groups.add(1);
        self.log_batches.add(batches as u64);
        self.log_bytes.add(bytes as u64);
        self.log_micros.add(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
    }

    /// All of it as Prometheus text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        gauge(&mut out, "attune_connections", "Connections open.", &self.connections);
        let help = "Connections of addresses that had as many as they may have.";
        counter(&mut out, "attune_connections_refused_total", help, &self.refused_connections);
        let help = "Connections whose head came, or whose answer was read, too slowly.";
        counter(&mut out, "attune_connections_slow_total", help, &self.slow_connections);
        counter(&mut out, "attune_events_accepted_total", "Events durable and new.", &self.accepted);
        counter(
            &mut out,
            "attune_events_duplicate_total",
            "Events that were durable before.",
            &self.duplicates,
        );
        let help = "Repeats of an event id with another payload.";
        counter(&mut out, "attune_events_payload_conflict_total", help, &self.payload_conflicts);
        gauge(&mut out, "attune_door_ids", "Event ids that are found in memory.", &self.door_ids);
        gauge(&mut out, "attune_door_memory_bytes", "Memory for those.", &self.door_bytes);
        gauge(&mut out, "attune_door_filed_ids", "Event ids that are found on disk.", &self.door_filed_ids);
        gauge(&mut out, "attune_door_filed_memory_bytes", "Memory for those.", &self.door_filed_bytes);
        gauge(&mut out, "attune_door_generations", "Generations of event ids.", &self.door_generations);
        let help = "Since when every event id is known, in seconds since 1970; 0 where none is.";
        gauge(&mut out, "attune_door_oldest_timestamp_seconds", help, &self.door_oldest);
        let help = "Damaged files of event ids that were made anew.";
        counter(&mut out, "attune_door_repairs_total", help, &self.door_repairs);
        let help = "The longest that a batch has taken at the door.";
        gauge(&mut out, "attune_door_longest_microseconds", help, &self.door_longest_micros);
        let help = "Events that senders say they gave up, by reason, each counted once.";
        labelled(&mut out, "attune_events_dropped_total", help, "counter", &self.dropped);
        labelled(
            &mut out,
            "attune_events_rejected_total",
            "Events refused, by code.",
            "counter",
            &self.rejected,
        );
        labelled(&mut out, "attune_dead_letters", "Dead letters kept, by code.", "gauge", &self.letters);
        gauge(&mut out, "attune_dead_letter_bytes", "Bytes of the dead letters kept.", &self.letter_bytes);
        let help = "Dead letters given up because there were too many.";
        counter(&mut out, "attune_dead_letters_evicted_total", help, &self.letters_evicted);
        let help = "Refused events that are only counted because their batch had too many.";
        counter(&mut out, "attune_dead_letters_left_out_total", help, &self.letters_left_out);
        let help = "Dead letters tried again, by what became of them.";
        labelled(&mut out, "attune_dead_letters_replayed_total", help, "counter", &self.letters_replayed);
        let help = "Requests answered with an error, by code.";
        labelled(&mut out, "attune_request_errors_total", help, "counter", &self.errors);
        let help = "Requests refused because an address or a write key has sent as much as it may, by limit.";
        labelled(&mut out, "attune_limited_total", help, "counter", &self.limited);
        counter(&mut out, "attune_batches_total", "Batches received.", &self.batches);
        counter(&mut out, "attune_received_bytes_total", "Body bytes received.", &self.received_bytes);
        gauge(&mut out, "attune_body_bytes", "Memory that bodies take.", &self.body_bytes);
        counter(
            &mut out,
            "attune_clock_shifts_total",
            "Batches whose timestamps were shifted.",
            &self.clock_shifts,
        );
        counter(&mut out, "attune_log_groups_total", "Group commits of the log.", &self.log_groups);
        counter(&mut out, "attune_log_batches_total", "Batches in group commits.", &self.log_batches);
        counter(&mut out, "attune_log_bytes_total", "Bytes in group commits.", &self.log_bytes);
        counter(
            &mut out,
            "attune_log_commit_microseconds_total",
            "Time writing and syncing.",
            &self.log_micros,
        );
        counter(&mut out, "attune_log_errors_total", "Group commits that failed.", &self.log_errors);
        gauge(&mut out, "attune_disk_free_bytes", "Free on the log's disk.", &self.disk_free_bytes);
        let help = "Times the worker could not go on and began again at its last commit.";
        counter(&mut out, "attune_worker_errors_total", help, &self.worker_errors);
        let help = "Bytes of the log that were passed over because they are damaged or missing.";
        counter(&mut out, "attune_log_damaged_bytes_total", help, &self.log_damaged_bytes);
        counter(&mut out, "attune_worker_records_total", "Records absorbed.", &self.records);
        counter(&mut out, "attune_worker_refused_total", "Records a state refused.", &self.refused_records);
        gauge(&mut out, "attune_worker_behind_bytes", "Log not absorbed yet.", &self.worker_behind_bytes);
        counter(&mut out, "attune_worker_commits_total", "Commits of the state.", &self.commits);
        gauge(&mut out, "attune_worker_hot_states", "States held decoded.", &self.hot_states);
        counter(&mut out, "attune_firings_total", "Firings, repeats left out.", &self.firings);
        let help = "Calls of destinations, by what they came to.";
        self.deliveries.render(&mut out, "attune_deliveries_total", help, "counter");
        let help = "Deliveries that wait.";
        self.deliveries_pending.render(&mut out, "attune_deliveries_pending", help, "gauge");
        let help = "Since when the oldest delivery waits, in seconds since 1970; 0 where none does.";
        self.deliveries_oldest.render(&mut out, "attune_deliveries_oldest_timestamp_seconds", help, "gauge");
        gauge(&mut out, "attune_streams", "Streams open.", &self.streams);
        counter(&mut out, "attune_pushes_total", "Profile views handed to streams.", &self.pushes);
        gauge(&mut out, "attune_bundle_revision", "Revision of the bundle in effect.", &self.bundle_revision);
        let help = "Revision of the bundle that a share of all members gets; 0 where there is none.";
        gauge(&mut out, "attune_candidate_revision", help, &self.candidate_revision);
        let help = "That share, in hundredths of a percent.";
        gauge(&mut out, "attune_candidate_share", help, &self.candidate_share);
        counter(&mut out, "attune_erasures_total", "Members erased, to the last file.", &self.erasures);
        let help = "Members whose erasure is not finished.";
        gauge(&mut out, "attune_erasures_pending", help, &self.erasures_pending);
        let help = "Visitor's cookies set.";
        counter(&mut out, "attune_visitor_cookies_total", help, &self.visitor_cookies);
        counter(&mut out, "attune_bundle_errors_total", "Rule sources refused.", &self.bundle_errors);
        out
    }
}

fn counter(out: &mut String, name: &str, help: &str, number: &Number) {
    plain(out, name, help, "counter", number.get());
}

fn gauge(out: &mut String, name: &str, help: &str, number: &Number) {
    plain(out, name, help, "gauge", number.get());
}

fn plain(out: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
}

fn labelled(out: &mut String, name: &str, help: &str, kind: &str, counts: &Labelled) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for (code, count) in counts.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = writeln!(out, "{name}{{code=\"{code}\"}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_rendered_with_its_type() {
        let metrics = Metrics::default();
        metrics.accepted.add(3);
        metrics.rejected.add("metadata_too_large", 2);
        let text = metrics.render();
        assert!(
            text.contains("# TYPE attune_events_accepted_total counter\nattune_events_accepted_total 3\n")
        );
        assert!(text.contains("attune_events_rejected_total{code=\"metadata_too_large\"} 2\n"));
        metrics.letters.add("gone", 1);
        metrics.letters.set_all([("metadata_too_large".to_owned(), 4)]);
        let text = metrics.render();
        assert!(text.contains(
            "# TYPE attune_dead_letters gauge\nattune_dead_letters{code=\"metadata_too_large\"} 4\n"
        ));
        assert!(!text.contains("gone"));
    }
}
