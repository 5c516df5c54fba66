//! What is refused for a while, with when to come back: memory, rates and quotas, a full log, a shutdown.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use flate2::Compression;
use flate2::read::GzEncoder;
use rig::{Answer, Collector, DEADLINE, Place, batch, event, eventually, fresh_id};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PLAIN: (&str, &str) = ("Content-Type", "text/plain");

fn view() -> Value {
    batch("anybody", &[event(&fresh_id(), "view", json!({}))])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

/// The seconds after which to come back, of an answer that has to name them.
fn retry_after(answer: &Answer) -> u64 {
    let seconds = answer.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {}", answer.text()));
    seconds.parse().unwrap_or_else(|_| panic!("Retry-After: {seconds}"))
}

/// A connection that has sent so many bytes of a longer body.
fn half_a_body(place: &Place, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&place.public).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    let head = "POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b' '; bytes]).unwrap();
    stream
}

#[test]
fn bodies_that_take_all_memory_and_come_slowly_give_way_to_others() {
    let collector = Collector::start_with(&[], &["--body-memory-mib", "8"]);
    let place = &collector.place;
    // Most of the memory, at a pace that is fair in itself.
    let mut greedy: Vec<TcpStream> = (0..20).map(|_| half_a_body(place, 400_000)).collect();
    let send = || place.send("POST", "/v1/events?k=demo", &[PLAIN], &gzip(view().to_string().as_bytes()));
    let trickle = |greedy: &mut Vec<TcpStream>| {
        for stream in greedy {
            let _ = stream.write_all(&[b' '; 2_000]);
        }
    };
    let mut refused = None;
    eventually("there is no memory", || {
        trickle(&mut greedy);
        refused = Some(send()).filter(|answer| answer.status != 200);
        refused.is_some()
    });
    let refused = refused.unwrap();
    assert_eq!((refused.status, refused.code()), (503, "memory_busy".into()), "{}", refused.text());
    assert!((2..=4).contains(&retry_after(&refused)));
    eventually("there is some again", || {
        trickle(&mut greedy);
        send().status == 200
    });
    // The others go on: only as many have ended as others needed room.
    let mut ended = 0;
    for stream in &mut greedy {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        if answer.contains("memory_busy") {
            assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
            ended += 1;
        }
    }
    assert!((1..20).contains(&ended), "{ended} have ended");
}
