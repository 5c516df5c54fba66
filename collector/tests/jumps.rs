//! A wall clock that jumps by ten years, ahead and back, while the collector runs and while it is away: nothing is lost,
//! counted twice or fired twice.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Place, Process, batch, event, fresh_id, now};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RULES: &str = r#"{
    "signals": [{"name": "clicks", "on": "click", "aggregate": "count", "window": "lifetime"}],
    "triggers": [{"id": "every", "on": "click"},
                 {"id": "many", "when": {"signals.clicks": {"$gte": 150}}}]
}"#;
/// Events a batch.
const EVENTS: u64 = 50;

/// Where Debian has the library that fakes the clock of a program with threads.
fn faketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut paths = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    paths
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no libfaketime; run: sudo apt-get install -y faketime"))
}

/// Sets the clock of every process that was started with this file.
fn set_clock(file: &Path, offset: &str) {
    // Never read half written.
    let next = file.with_extension("next");
    fs::write(&next, offset).unwrap();
    fs::rename(next, file).unwrap();
}

fn start(data: &Path, rules: &Path, clock: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.env("LD_PRELOAD", faketime()).env("FAKETIME_TIMESTAMP_FILE", clock).env("FAKETIME_NO_CACHE", "1");
    // A clock that is set moves neither the clock that only goes ahead nor the times of files.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    command.args(Process::arguments(data, rules));
    Process::start_by(command)
}

fn year(time: &str) -> i64 {
    time[..4].parse().unwrap()
}

fn click() -> Value {
    event(&fresh_id(), "click", json!({}))
}

/// What was sent, by member.
struct Sent(Vec<(String, Vec<Value>)>);

impl Sent {
    /// Sends new events, twice, and everything that was ever sent once more.
    fn send(&mut self, place: &Place, years: i64, when: &str) {
        let member = format!("m{}", self.0.len() % 2);
        let events: Vec<Value> = (0..EVENTS).map(|_| click()).collect();
        let receipt = place.receipt(&batch(&member, &events));
        assert_eq!(receipt["accepted"], EVENTS, "{when}: new ones");
        let ahead = year(receipt["server_time"].as_str().unwrap()) - year(&now(0));
        assert!((ahead - years).abs() <= 1, "{when}: the clock is {ahead} years ahead");
        self.0.push((member, events));
        for (at, (member, events)) in self.0.iter().enumerate() {
            let receipt = place.receipt(&batch(member, events));
            let counts = (&receipt["accepted"], &receipt["duplicates"]);
            assert_eq!(counts, (&json!(0), &json!(EVENTS)), "{when}: batch {at} again");
        }
        self.is_whole(place, when);
    }

    fn is_whole(&self, place: &Place, when: &str) {
        let total = self.0.len() as u64 * EVENTS;
        let summary = place.summary();
        assert_eq!(summary["events"], total, "{when}");
        assert_eq!(summary["signals"]["clicks"], total, "{when}");
        let firings = place.admin("/admin/firings").text();
        let of =
            |rule: &str| firings.lines().filter(|line| line.contains(&format!("\"{rule}\""))).count() as u64;
        assert_eq!(of("every"), total, "{when}: firings by event");
        let many = [0, 1].map(|of| self.0.iter().skip(of).step_by(2).count() as u64 * EVENTS);
        assert_eq!(of("many"), many.iter().filter(|clicks| **clicks >= 150).count() as u64, "{when}: level");
    }
}

#[test]
#[ignore = "it needs libfaketime; cargo xtask test installs that"]
fn a_clock_that_jumps_by_ten_years_loses_nothing_and_doubles_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (data, rules, clock) =
        (root.path().join("data"), root.path().join("rules"), root.path().join("clock"));
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("rules.json"), RULES).unwrap();
    set_clock(&clock, "+0");
    let mut process = start(&data, &rules, &clock);
    let mut sent = Sent(Vec::new());
    sent.send(&process.place, 0, "at first");
    for (offset, years) in [("+10y", 10), ("+0", 0), ("-10y", -10), ("+10y", 10), ("-10y", -10), ("+0", 0)] {
        set_clock(&clock, offset);
        sent.send(&process.place, years, &format!("running, {offset}"));
        process.kill();
        process = start(&data, &rules, &clock);
        sent.send(&process.place, years, &format!("after a crash, {offset}"));
        process.terminate();
        process = start(&data, &rules, &clock);
        sent.is_whole(&process.place, &format!("after an end, {offset}"));
    }
    // The clock jumps while nobody is there.
    for (offset, years) in [("+10y", 10), ("-10y", -10), ("+0", 0)] {
        process.kill();
        set_clock(&clock, offset);
        process = start(&data, &rules, &clock);
        sent.send(&process.place, years, &format!("started, {offset}"));
    }
}
