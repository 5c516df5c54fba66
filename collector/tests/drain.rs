//! A shutdown while connections are open: whoever asks is told, streams say when to come back, and what was begun finishes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{DEADLINE, Place, Process, batch, event, eventually, fresh_id};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

fn connect(place: &Place) -> TcpStream {
    let stream = TcpStream::connect(&place.public).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// A batch whose body lacks its last byte.
fn begun(place: &Place) -> TcpStream {
    let body = batch("m2", &[event(&fresh_id(), "view", json!({}))]).to_string();
    let mut stream = connect(place);
    let head =
        "POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    // The collector has begun to read once it says so.
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert!(told.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&told));
    stream.write_all(&body.as_bytes()[..body.len() - 1]).unwrap();
    stream
}

#[test]
fn while_connections_drain_both_listeners_say_so_and_what_was_begun_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    let mut process = Process::start(&data, &rules);
    let place = process.place.clone();
    let admin = Place { public: place.admin.clone(), ..place.clone() };
    let receipt = place.receipt(&batch("m1", &[event(&fresh_id(), "view", json!({}))]));
    let mut stream = BufReader::new(connect(&place));
    let token = receipt["stream"]["token"].as_str().unwrap();
    write!(stream.get_mut(), "GET /v1/stream?token={token} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut text = String::new();
    while !text.contains("event: profile") {
        assert!(stream.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let mut open = begun(&place);

    let terminated = Instant::now();
    let id = rustix::process::Pid::from_child(&process.child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    for listener in [&place, &admin] {
        eventually("it is not ready", || {
            let answer = listener.get("/health/ready");
            answer.status == 503 && answer.code() == "draining"
        });
        assert_eq!(listener.get("/health/live").status, 200);
    }
    let late = place.post(&batch("m1", &[event(&fresh_id(), "view", json!({}))]));
    assert_eq!((late.status, late.code()), (503, "draining".to_owned()));
    assert!(late.header("retry-after").is_some());
    // The stream ends with when to come back.
    text.clear();
    stream.read_to_string(&mut text).unwrap();
    let retry =
        text.lines().find_map(|line| line.strip_prefix("retry: ")).unwrap_or_else(|| panic!("{text}"));
    assert!((1_000..10_000).contains(&retry.parse::<u64>().unwrap()), "{retry}");
    // What was begun is taken.
    open.write_all(b"}").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":1"), "{answer}");
    assert!(process.child.wait().unwrap().success());
    assert!(terminated.elapsed() < DEADLINE);
    assert!(TcpStream::connect(&place.public).is_err());
}
