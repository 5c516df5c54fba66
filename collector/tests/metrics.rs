//! What `/metrics` says: in both forms, of what has happened, and readable by a parser that is not ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, batch, event, eventually, fresh_id, promtool};
use serde_json::json;
use std::io::Write as _;

const OPEN: &str = "application/openmetrics-text; version=1.0.0";

fn value(place: &Place, series: &str) -> f64 {
    let text = place.get("/metrics").text();
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no {series} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn send(place: &Place, id: &str) -> serde_json::Value {
    place.receipt(&batch("m1", &[event(id, "view", json!({}))]))
}

#[test]
fn whoever_asks_for_openmetrics_gets_it_whole() {
    let collector = Collector::start(&[]);
    let open = collector.place.send("GET", "/metrics", &[("Accept", OPEN)], &[]);
    assert!(open.header("content-type").unwrap().starts_with(OPEN), "{:?}", open.headers);
    assert!(open.text().ends_with("\n# EOF\n"));
    assert!(open.text().contains("# TYPE attune_events_accepted counter\n"));
    let plain = collector.place.get("/metrics");
    assert!(plain.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(!plain.text().contains("# EOF"));
    assert_eq!((open.header("vary"), plain.header("vary")), (Some("accept"), Some("accept")));
    // The privileged listener says the same.
    let admin = Place { public: collector.place.admin.clone(), ..collector.place.clone() };
    assert!(admin.get("/metrics").text().contains("attune_acknowledgement_seconds_count 0\n"));
}

#[test]
fn acknowledgements_syncs_and_the_workers_stages_are_measured() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    // Starting has written the bundle in effect.
    let before = value(place, "attune_log_sync_seconds_count");
    let id = fresh_id();
    let receipt = send(place, &id);
    let mut stream = place.stream(&receipt, None);
    stream.next_of("profile");
    send(place, &id);
    send(place, &fresh_id());
    stream.next_of("profile");
    assert_eq!(value(place, "attune_acknowledgement_seconds_count"), 3.0);
    let slow = value(place, "attune_acknowledgement_seconds_bucket{le=\"+Inf\"}");
    let fast = value(place, "attune_acknowledgement_seconds_bucket{le=\"0.0001\"}");
    assert!(fast <= slow && slow == 3.0, "{fast} of {slow}");
    assert!(value(place, "attune_acknowledgement_seconds_sum") > 0.0);
    assert!(value(place, "attune_log_sync_seconds_count") >= before + 2.0);
    let groups = value(place, "attune_log_groups_total");
    assert_eq!(value(place, "attune_log_group_batches_count"), groups);
    assert_eq!(value(place, "attune_log_commit_seconds_count"), groups);
    assert!(value(place, "attune_push_wait_seconds_count") >= 2.0);
    assert_eq!(
        (value(place, "attune_events_duplicate_total"), value(place, "attune_log_queue_bytes")),
        (1.0, 0.0)
    );
    for stage in ["absorbed", "committed", "synced"] {
        eventually(&format!("what is written is {stage}"), || {
            ["attune_worker_behind_bytes", "attune_worker_behind_records", "attune_worker_lag_seconds"]
                .iter()
                .all(|name| value(place, &format!("{name}{{stage=\"{stage}\"}}")) == 0.0)
        });
    }
}

/// Every name, type and label in both forms, after traffic of every kind that has labels.
#[test]
fn promtool_reads_what_is_answered_and_has_nothing_against_it() {
    let collector = Collector::start(&[]);
    let place = &collector.place;
    send(place, &fresh_id());
    place.receipt(&batch("m1", &[json!({"event_id": fresh_id(), "event_type": ""})]));
    place.send("POST", "/v1/events?k=nobody", &[("Content-Type", "text/plain")], b"{}");
    let text = place.get("/metrics").text();
    assert!(
        text.contains("attune_events_rejected_total{code=")
            && text.contains("attune_request_errors_total{code=")
    );
    let told = promtool(&["check", "metrics"], |input| input.write_all(text.as_bytes()).unwrap());
    assert_eq!(told, Ok(String::new()));
    // A check that finds nothing wrong with anything would pass as well.
    let broken = text.replacen("attune_events_accepted_total 1", "attune_events_accepted_total one", 1);
    assert_ne!(broken, text);
    assert!(promtool(&["check", "metrics"], |input| input.write_all(broken.as_bytes()).unwrap()).is_err());
}
