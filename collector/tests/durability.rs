//! What a 200 promises: a restart, a crash or an orderly end loses nothing and counts nothing twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, Process, batch, eventually, numbered};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn event_of(member: usize, seq: u64) -> Value {
    let mut event = numbered(&format!("event-{member}-{seq}"), seq);
    event["lane"] = json!(format!("01930000-0000-7000-8000-{member:012}"));
    event
}

/// Sends batches of ten from several members until the collector is gone; `count` counts the receipts.
/// Returns how far each member was acknowledged.
fn send_until_refused(place: &Place, from: &[u64], count: &AtomicUsize) -> Vec<u64> {
    let send = |member: usize, mut last: u64| loop {
        let events: Vec<_> = (last + 1..=last + 10).map(|seq| event_of(member, seq)).collect();
        let body = batch(&format!("m{member}"), &events).to_string();
        match place.try_send("POST", "/v1/events?k=demo", &[], body.as_bytes()) {
            Ok(answer) if answer.status == 200 => last += 10,
            _ => return last,
        }
        count.fetch_add(1, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        let senders = from.iter().enumerate().map(|(member, last)| scope.spawn(move || send(member, *last)));
        senders.collect::<Vec<_>>().into_iter().map(|sender| sender.join().unwrap()).collect()
    })
}

/// Sends to a collector until `receipts` have come, ends it, and returns how far each member was acknowledged.
fn send_and_end(
    process: &mut Process,
    from: &[u64],
    receipts: usize,
    end: impl FnOnce(&mut Process),
) -> Vec<u64> {
    let (place, count) = (process.place.clone(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let sender = scope.spawn(|| send_until_refused(&place, from, &count));
        eventually("receipts come", || count.load(Ordering::Relaxed) >= receipts);
        end(process);
        sender.join().unwrap()
    })
}

#[test]
fn a_restart_keeps_profiles_and_knows_every_event_again() {
    let collector = Collector::start(&[]);
    collector.place.receipt(&batch("m1", &[numbered("a", 1), numbered("b", 2)]));
    let before = collector.place.summary();
    let collector = collector.restart();
    let after = collector.place.summary();
    assert_eq!((&after["profiles"], &after["events"]), (&before["profiles"], &before["events"]));
    let again =
        collector.place.receipt(&batch("m1", &[numbered("a", 1), numbered("c", 3), numbered("x", 2)]));
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(again["results"][0]["code"], "lane_conflict", "numbers are known again as well");
    assert_eq!(collector.place.summary()["events"], 3);
}

#[test]
fn a_crash_after_the_receipt_loses_nothing_and_repeats_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(
        rules.join("clicks.json"),
        r#"{"signals":[{"name":"clicks","on":"click","aggregate":"count","window":"lifetime"}]}"#,
    )
    .unwrap();
    let mut acknowledged = vec![0; 4];
    for round in 0..4 {
        let mut process = Process::start(&data, &rules);
        acknowledged = send_and_end(&mut process, &acknowledged, 40 + 17 * round, Process::kill);
    }
    let total: u64 = acknowledged.iter().sum();
    let process = Process::start(&data, &rules);
    // Everything acknowledged is sent again, with what may have been lost on the way: it must count once.
    for (member, last) in acknowledged.iter().enumerate() {
        for start in (1..=last + 10).step_by(500) {
            let events: Vec<_> =
                (start..(start + 500).min(last + 11)).map(|seq| event_of(member, seq)).collect();
            let receipt = process.place.receipt(&batch(&format!("m{member}"), &events));
            assert_eq!(receipt["results"], json!([]));
        }
    }
    let expected = total + 10 * acknowledged.len() as u64;
    let summary = process.place.summary();
    assert_eq!((&summary["events"], &summary["signals"]["clicks"]), (&json!(expected), &json!(expected)));
    let accepted = summary["accepted"].as_u64().unwrap();
    assert!(accepted <= 10 * acknowledged.len() as u64, "{accepted} acknowledged events were not there");
}

#[test]
fn an_orderly_end_finishes_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    let mut process = Process::start(&data, &rules);
    let acknowledged =
        send_and_end(&mut process, &[0; 3], 60, |process| assert!(process.terminate().success()));
    let process = Process::start(&data, &rules);
    let summary = process.place.summary();
    let events = summary["events"].as_u64().unwrap();
    let sum: u64 = acknowledged.iter().sum();
    // A batch may have become durable whose receipt the closing connection did not carry any more.
    assert!((sum..=sum + 30).contains(&events), "{events} of {sum}");
}

#[test]
fn a_second_collector_on_the_same_data_or_port_is_told_so_in_one_line() {
    let collector = Collector::start(&[]);
    let port = collector.place.public.rsplit(':').next().unwrap().to_owned();
    let data = collector.data.display().to_string();
    // What the first one is making, to put it in the place of its store.
    let half_made = collector.data.join("state.new");
    std::fs::create_dir(&half_made).unwrap();
    for (arguments, expected) in [
        (["--port", &port, "--data-dir", "/nonexistent/attune"], format!("--port: 127.0.0.1:{port}: ")),
        (
            ["--port", "0", "--data-dir", &data],
            format!("--data-dir: {data}/lock: another collector uses this folder"),
        ),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_attune"))
            .args(["serve", "--admin-port", "0", "--log", "off"])
            .args(arguments)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(&expected), "{told}");
        assert_eq!(told.trim().lines().count(), 1, "{told}");
    }
    assert!(half_made.exists(), "nothing of it was touched");
}
