//! A disk that is full for a while: senders are told, what was acknowledged stays, and it goes on by itself.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Place, Process, batch, eventually, numbered};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const RULES: &str = r#"{"signals":[{"name":"clicks","on":"click","aggregate":"count","window":"lifetime"}]}"#;
/// Room for a segment of the log, a second one, and a store.
const DISK_BYTES: usize = 160 * 1024 * 1024;

/// A collector whose data folder is a small disk of its own, which nobody else sees.
struct Small {
    process: Process,
    /// The disk, as it is seen from here.
    disk: PathBuf,
    _folder: tempfile::TempDir,
}

impl Small {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("clicks.json"), RULES).unwrap();
        let mut command = Command::new("unshare");
        let script = r#"mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@""#;
        command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh", &DISK_BYTES.to_string()]);
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
        metric(place, "attune_worker_behind_bytes") == 0 && clicks(place) == sent
    });
    let took = lifted.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?}");
    place.receipt(&serde_json::from_str(&click(sent + 1)).unwrap());
    assert_eq!(clicks(place), sent + 1);
}

#[test]
#[ignore = "it mounts a disk of its own, which not every machine allows; cargo xtask test runs it where it may"]
fn a_log_that_finds_no_room_refuses_with_503_and_goes_on_once_there_is_some() {
    let small = Small::start();
    // Until the first segment is nearly full.
    let metadata = serde_json::json!({"text": "x".repeat(30_000)});
    let send = |seq: u64| {
        let mut event = numbered(&format!("click-{seq}"), seq);
        event["metadata"] = metadata.clone();
        let body = batch("ada", &[event]).to_string();
        small.place().send("POST", "/v1/events?k=demo", &[("Content-Type", "text/plain")], body.as_bytes())
    };
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
        assert!(acknowledged < 4_000, "it was never refused");
    };
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()));
    let bundle = small.place().send("GET", "/v1/bundle?k=demo", &[], b"");
    assert_eq!(bundle.status, 200, "bundles are still served");
    small.empty();
    eventually("it takes events again", || send(acknowledged + 1).status == 200);
    acknowledged += 1;
    eventually("everything is counted once", || clicks(small.place()) == acknowledged);
}
