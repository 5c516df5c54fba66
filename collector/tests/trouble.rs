//! What senders are told while the log is behind, its disk refuses, or the collector is shutting down: 503, and when to
//! come back.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use flate2::Compression;
use flate2::read::GzEncoder;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use rig::{Answer, DEADLINE, Process, batch, event, eventually, fresh_id};
use rustix::process::{Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;

/// The real binary, of which a write beyond a limit is not the end, with an empty folder.
fn process() -> (Process, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh", env!("CARGO_BIN_EXE_attune")]);
    command.args(Process::arguments(&data, &rules));
    (Process::start_by(command), folder)
}

fn view() -> Vec<u8> {
    batch("anybody", &[event(&fresh_id(), "view", json!({}))]).to_string().into_bytes()
}

fn send(process: &Process, body: &[u8]) -> Answer {
    process.place.send("POST", "/v1/events?k=demo", &[("Content-Type", "text/plain")], body)
}

/// The seconds of the answer's `Retry-After`, which has to be from 2 to 4.
fn is_told_to_come_back(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.code()), (503, code.to_owned()), "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=4).contains(&seconds), "{seconds}");
}

/// A batch of nearly 2 MiB, packed.
fn large() -> Vec<u8> {
    let metadata = json!({"text": "x".repeat(30_000)});
    let events: Vec<_> = (0..65).map(|_| event(&fresh_id(), "view", metadata.clone())).collect();
    let text = batch("anybody", &events).to_string();
    let mut out = Vec::new();
    GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

/// The thread of a process that has this name.
fn thread_of(process: &Process, name: &str) -> Pid {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.child.id())).unwrap();
    let found = tasks
        .map(|task| task.unwrap().path())
        .find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    let found = found.unwrap_or_else(|| panic!("the collector has no thread {name}"));
    Pid::from_raw(found.file_name().unwrap().to_str().unwrap().parse().unwrap())
}

#[test]
fn a_log_that_does_not_get_on_takes_no_more_and_loses_nothing() {
    let (process, _folder) = process();
    assert_eq!(send(&process, &view()).status, 200);
    let log = thread_of(&process, "log");
    let held = ptrace::seize(log, ptrace::Options::empty());
    held.unwrap_or_else(|error| {
        panic!("this test holds a thread up by ptrace, which is not allowed here: {error}")
    });
    ptrace::interrupt(log).unwrap();
    waitpid(log, Some(WaitPidFlag::__WALL)).unwrap();
    // What waits for the log may be 64 MiB; every one of these is nearly 2.
    let place = &process.place;
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let (place, body) = (place.clone(), large());
            thread::spawn(move || {
                place.send("POST", "/v1/events?k=demo", &[("Content-Type", "text/plain")], &body)
            })
        })
        .collect();
    eventually("some are refused", || waiting.iter().any(|sender| sender.is_finished()));
    let bundle = place.get("/v1/bundle/keys?k=demo");
    assert_eq!(bundle.status, 200, "what is not for the log is answered");
    eventually("most wait", || place.get("/metrics").text().contains("code=\"log_busy\""));
    ptrace::detach(log, None).unwrap();
    let answers: Vec<Answer> = waiting.into_iter().map(|sender| sender.join().unwrap()).collect();
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(taken.len() >= 30 && !refused.is_empty(), "{} taken, {} refused", taken.len(), refused.len());
    refused.iter().for_each(|answer| is_told_to_come_back(answer, "log_busy"));
    assert_eq!(place.summary()["events"], 1 + 65 * taken.len());
    assert_eq!(send(&process, &view()).status, 200);
}

#[test]
fn a_disk_that_refuses_is_told_and_forgotten_once_it_takes_again() {
    let (process, _folder) = process();
    assert_eq!(send(&process, &view()).status, 200);
    let limit = |bytes: Option<u64>| {
        let id = rustix::process::Pid::from_child(&process.child);
        prlimit(Some(id), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    };
    limit(Some(16));
    let body = view();
    is_told_to_come_back(&send(&process, &body), "log_disk_error");
    assert_eq!(process.place.get("/v1/bundle/keys?k=demo").status, 200);
    limit(None);
    eventually("it is taken", || send(&process, &body).status == 200);
    assert_eq!(process.place.summary()["events"], 2);
}

#[test]
fn who_asks_while_it_shuts_down_is_sent_elsewhere() {
    let (process, _folder) = process();
    let mut late = TcpStream::connect(&process.place.public).unwrap();
    late.set_read_timeout(Some(DEADLINE)).unwrap();
    late.write_all(b"POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\n").unwrap();
    assert_eq!(process.place.get("/health/ready").status, 200);
    kill_process(rustix::process::Pid::from_child(&process.child), Signal::TERM).unwrap();
    eventually("it shuts down", || process.place.get("/health/ready").status == 503);
    let body = view();
    late.write_all(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
    late.write_all(&body).unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""code":"draining""#), "{answer}");
    let seconds = answer.lines().find_map(|line| line.strip_prefix("retry-after: "));
    assert!((2..=4).contains(&seconds.unwrap().parse::<u64>().unwrap()), "{answer}");
}
