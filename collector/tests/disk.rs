//! A disk that is full for a while: senders are told, what was acknowledged stays, and it goes on by itself.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Place, Process, batch, eventually, numbered};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const RULES: &str = r#"{"signals":[{"name":"clicks","on":"click","aggregate":"count","window":"lifetime"}]}"#;
/// Room for a segment of the log, its spare, a third one, and a store.
const DISK_BYTES: usize = 240 * 1024 * 1024;
/// Room for what a collector makes, several times.
const DISK_FILES: usize = 1_000;

/// A collector whose data folder is a small disk of its own, which nobody else sees.
struct Small {
    process: Process,
    /// The disk, as it is seen from here.
    disk: PathBuf,
    _folder: tempfile::TempDir,
}

impl Small {
    /// Starts one that is to leave so many MiB of its disk free.
    fn start(reserve_mib: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("clicks.json"), RULES).unwrap();
        let mut command = Command::new("unshare");
        let script = r#"mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@""#;
        let options = format!("size={DISK_BYTES},nr_inodes={DISK_FILES}");
        command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh", &options]);
        command.env("ATTUNE_DISK_RESERVE_MIB", reserve_mib.to_string());
        command.arg(&data).arg(env!("CARGO_BIN_EXE_attune")).args(Process::arguments(&data, &rules));
        let process = Process::start_by(command);
        let seen = format!("/proc/{}/root{}", process.child.id(), data.display());
        Self { process, disk: seen.into(), _folder: folder }
    }

    fn place(&self) -> &Place {
        &self.process.place
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        let mut file = File::create(self.disk.join("filler")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![7; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.disk.join("filler")).unwrap();
    }

    /// Sends one event.
    fn send(&self, seq: u64, metadata: &Value) -> Answer {
        let mut event = numbered(&format!("click-{seq}"), seq);
        event["metadata"] = metadata.clone();
        let body = batch("ada", &[event]).to_string();
        self.place().send("POST", "/v1/events?k=demo", &[("Content-Type", "text/plain")], body.as_bytes())
    }
}

fn metric(place: &Place, name: &str) -> u64 {
    let text = String::from_utf8(place.send("GET", "/metrics", &[], b"").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn clicks(place: &Place) -> Value {
    place.summary()["signals"]["clicks"].clone()
}

fn click(seq: u64) -> String {
    batch("ada", &[numbered(&format!("click-{seq}"), seq)]).to_string()
}

/// Lets the collector write no file beyond so many bytes.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(Pid::from_child(&process.child)), Resource::Fsize, limit).unwrap();
}

#[test]
fn a_store_that_has_failed_is_opened_again_and_what_was_acknowledged_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("clicks.json"), RULES).unwrap();
    let mut command = Command::new("sh");
    // So that a write beyond the limit fails and is not the end.
    command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh", env!("CARGO_BIN_EXE_attune")]);
    command.args(Process::arguments(&data, &rules));
    let process = Process::start_by(command);
    let place = &process.place;
    let (mut sent, mut failed) = (0, 0);
    // The commit of what was acknowledged last is to find the limit in its way.
    while failed < 2 {
        sent += 1;
        assert!(sent < 200, "no commit has failed");
        place.receipt(&serde_json::from_str(&click(sent)).unwrap());
        limit_files(&process, Some(16));
        std::thread::sleep(Duration::from_millis(300));
        failed = metric(place, "attune_worker_errors_total");
        if failed == 0 {
            limit_files(&process, None);
        } else {
            eventually("it is tried again", || metric(place, "attune_worker_errors_total") > failed);
            failed += 1;
            let answer = place.send(
                "POST",
                "/v1/events?k=demo",
                &[("Content-Type", "text/plain")],
                click(900).as_bytes(),
            );
            assert_eq!(answer.status, 503, "nor does the log take anything");
        }
    }
    limit_files(&process, None);
    let lifted = Instant::now();
    eventually("everything is counted", || {
        metric(place, "attune_worker_behind_bytes{stage=\"absorbed\"}") == 0 && clicks(place) == sent
    });
    let took = lifted.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?}");
    place.receipt(&serde_json::from_str(&click(sent + 1)).unwrap());
    assert_eq!(clicks(place), sent + 1);
}

#[test]
#[ignore = "it mounts a disk of its own, which not every machine allows; cargo xtask test runs it where it may"]
fn a_log_that_finds_no_room_refuses_with_503_and_goes_on_once_there_is_some() {
    let small = Small::start(0);
    // Until the first segment is nearly full.
    let metadata = serde_json::json!({"text": "x".repeat(30_000)});
    let send = |seq: u64| small.send(seq, &metadata);
    let mut acknowledged = 0;
    while acknowledged < 2_000 {
        assert_eq!(send(acknowledged + 1).status, 200);
        acknowledged += 1;
    }
    small.fill();
    let refused = loop {
        let answer = send(acknowledged + 1);
        if answer.status != 200 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 6_000, "it was never refused");
    };
    refuses_for(&refused, &["log_disk_error", "disk_full"]);
    let bundle = small.place().send("GET", "/v1/bundle?k=demo", &[], b"");
    assert_eq!(bundle.status, 200, "bundles are still served");
    small.empty();
    eventually("it takes events again", || send(acknowledged + 1).status == 200);
    acknowledged += 1;
    eventually("everything is counted once", || clicks(small.place()) == acknowledged);
}

#[test]
#[ignore = "it mounts a disk of its own, which not every machine allows; cargo xtask test runs it where it may"]
fn events_are_refused_before_the_disk_is_full_of_bytes_or_of_files() {
    let small = Small::start(8);
    let metadata = serde_json::json!({});
    let mut acknowledged = 0;
    let mut send = || {
        let answer = small.send(acknowledged + 1, &metadata);
        acknowledged += u64::from(answer.status == 200);
        answer
    };
    for round in ["bytes", "files"] {
        assert_eq!(send().status, 200, "{round}");
        let many = small.disk.join("many");
        if round == "bytes" {
            small.fill();
        } else {
            fs::create_dir(&many).unwrap();
            (0..).take_while(|number| File::create(many.join(number.to_string())).is_ok()).for_each(drop);
        }
        let mut refused = None;
        eventually("it refuses", || {
            let answer = send();
            let is_refused = answer.status != 200;
            refused = is_refused.then_some(answer);
            is_refused
        });
        refuses_for(&refused.unwrap(), &["disk_full"]);
        let bundle = small.place().send("GET", "/v1/bundle?k=demo", &[], b"");
        assert_eq!(bundle.status, 200, "bundles are still served");
        if round == "bytes" {
            small.empty();
        } else {
            fs::remove_dir_all(&many).unwrap();
        }
        let emptied = Instant::now();
        eventually("it takes events again", || send().status == 200);
        let took = emptied.elapsed();
        assert!(took < Duration::from_secs(4), "it took {took:?}");
    }
    eventually("everything is counted once", || clicks(small.place()) == acknowledged);
}

/// The answer says why, and when to come again.
fn refuses_for(answer: &Answer, codes: &[&str]) {
    assert_eq!(answer.status, 503);
    let body = answer.json();
    assert!(codes.contains(&&*answer.code()), "{body}");
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()));
}
