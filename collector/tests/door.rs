//! That an event counts once whatever becomes of the files of event ids, in the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, Process, batch, eventually, numbered};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const EVENTS: u64 = 600;

fn events() -> Vec<serde_json::Value> {
    (1..=EVENTS).map(|seq| numbered(&format!("event-{seq}"), seq)).collect()
}

fn metric(place: &Place, name: &str) -> u64 {
    let text = String::from_utf8(place.send("GET", "/metrics", &[], b"").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn entries_file(data: &Path) -> PathBuf {
    let mut paths = fs::read_dir(data.join("door")).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "ids")).unwrap()
}

#[test]
fn a_killed_collector_knows_every_event_with_damaged_files_and_without_any() {
    let root = tempfile::tempdir().unwrap();
    let (data, rules) = (root.path().join("data"), root.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    let mut process = Process::start(&data, &rules);
    assert_eq!(process.place.receipt(&batch("ada", &events()))["accepted"], EVENTS);
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("as it is", |_| {}),
        ("a bit is another", |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.write_all_at(b"?", 4_096 + 500).unwrap();
        }),
        ("it is cut", |path| OpenOptions::new().write(true).open(path).unwrap().set_len(9_000).unwrap()),
        ("it is gone", |path| fs::remove_file(path).unwrap()),
    ];
    for (what, damage) in damages {
        process.kill();
        damage(&entries_file(&data));
        process = Process::start(&data, &rules);
        let receipt = process.place.receipt(&batch("ada", &events()));
        assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(0), &json!(EVENTS)), "{what}");
        assert_eq!(metric(&process.place, "attune_door_ids"), EVENTS, "{what}");
        assert_eq!(process.place.summary()["events"], EVENTS, "{what}");
    }
    assert!(metric(&process.place, "attune_door_oldest_timestamp_seconds") > 1_700_000_000);
    assert!(metric(&process.place, "attune_door_memory_bytes") > 0);
}

#[test]
fn what_turns_out_damaged_while_it_is_asked_is_read_from_the_log_again() {
    let collector = Collector::start(&[]);
    collector.place.receipt(&batch("ada", &events()));
    let file = OpenOptions::new().write(true).open(entries_file(&collector.data)).unwrap();
    file.write_all_at(b"?", 4_096 + 500).unwrap();
    let receipt = collector.place.receipt(&batch("ada", &events()));
    assert_eq!(receipt["duplicates"], EVENTS);
    assert_eq!(metric(&collector.place, "attune_door_repairs_total"), 1);
}

#[test]
fn repeats_of_an_erased_member_are_refused_with_the_files_and_without() {
    let collector = Collector::start(&[]);
    let receipt = collector.place.receipt(&batch("ada", &events()));
    let body = json!({"anonymous_id": "ada", "member_token": receipt["member_token"]}).to_string();
    let headers = [("Content-Type", "text/plain")];
    assert_eq!(collector.place.send("POST", "/v1/forget?k=demo", &headers, body.as_bytes()).status, 202);
    eventually("nothing is left to erase", || {
        metric(&collector.place, "attune_erasures_total") == 1
            && metric(&collector.place, "attune_erasures_pending") == 0
    });
    let refused = |place: &Place| {
        let receipt = place.receipt(&batch("ada", &events()));
        let rows = receipt["results"].as_array().unwrap();
        assert_eq!((&receipt["accepted"], rows.len() as u64), (&json!(0), EVENTS));
        assert!(rows.iter().all(|row| row["code"] == "member_erased"));
    };
    refused(&collector.place);
    let mut collector = collector.restart();
    refused(&collector.place);
    let rules = collector.rules.clone();
    collector.stop();
    fs::remove_dir_all(collector.data.join("door")).unwrap();
    let process = Process::start(&collector.data, &rules);
    refused(&process.place);
    assert_eq!(metric(&process.place, "attune_door_ids"), 0, "blanked records have no ids");
}
