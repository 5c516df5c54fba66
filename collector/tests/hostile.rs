//! Who sends or reads slowly, takes more connections than others, or leaves in doubt where a request ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, DEADLINE, Place, batch, event, eventually, fresh_id};
use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

/// An address of the loopback network that is not the one of honest traffic.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const PER_ADDRESS: usize = 20;

fn collector() -> Collector {
    let most = PER_ADDRESS.to_string();
    Collector::start_with(&[], &["--max-connections", "100", "--max-connections-per-address", &most])
}

/// A connection from an address of its own.
fn connect_from(address: Ipv4Addr, place: &Place) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
    bind(&socket, &SocketAddr::from((address, 0))).unwrap();
    connect(&socket, &place.public.parse::<SocketAddr>().unwrap()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn say(place: &Place, text: &str) -> TcpStream {
    let mut stream = connect_from(Ipv4Addr::LOCALHOST, place);
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Everything until the collector ends the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    // A reset ends it too.
    let _ = stream.read_to_string(&mut text);
    text
}

fn metric(place: &Place, name: &str) -> u64 {
    let text = place.get("/metrics").text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{name}: {line}"))
}

fn view() -> Value {
    batch("anybody", &[event(&fresh_id(), "view", json!({}))])
}

#[test]
fn one_address_has_its_share_and_the_others_are_served() {
    let collector = collector();
    let place = &collector.place;
    // More than all connections together, each with half a head.
    let held: Vec<TcpStream> = (0..150)
        .map(|_| {
            let mut stream = connect_from(ATTACKER, place);
            let _ = stream.write_all(b"POST /v1/events?k=demo HTTP/1.1\r\nHost:");
            stream
        })
        .collect();
    assert_eq!(place.receipt(&view())["accepted"], 1);
    eventually("the rest are refused", || metric(place, "attune_connections_refused_total") == 130);
    assert!(metric(place, "attune_connections") <= PER_ADDRESS as u64 + 2);
    // Those that were let in end as well, without an answer to half a question.
    for stream in held {
        assert_eq!(rest(stream), "");
    }
    eventually("they are counted", || metric(place, "attune_connections_slow_total") == PER_ADDRESS as u64);
    // And their places are free again.
    let mut again = connect_from(ATTACKER, place);
    again.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(again).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_body_that_trickles_is_told_so_and_ended() {
    let collector = collector();
    let head = "POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{";
    let mut stream = say(&collector.place, head);
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut answer = Vec::new();
    eventually("it is answered", || {
        let _ = stream.write_all(b" ");
        let _ = stream.read_to_end(&mut answer);
        !answer.is_empty()
    });
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_stalled") && answer.contains("512 bytes a second"), "{answer}");
}

#[test]
fn a_body_that_takes_long_at_a_fair_pace_is_taken() {
    let collector = collector();
    let text = format!("{}{}", view(), " ".repeat(7_000));
    let length = text.len();
    let mut stream = say(
        &collector.place,
        &format!(
            "POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        ),
    );
    // Longer than the collector waits for a word.
    for piece in text.as_bytes().chunks(1_000) {
        stream.write_all(piece).unwrap();
        sleep(Duration::from_millis(900));
    }
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":1"), "{answer}");
}

#[test]
fn who_does_not_read_the_answers_is_let_go() {
    let collector = collector();
    let place = &collector.place;
    let mut stream = connect_from(ATTACKER, place);
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let one = "GET /sdk/attune.js HTTP/1.1\r\nHost: a\r\n\r\n";
    // More answers than the system takes for somebody who reads none.
    let _ = stream.write_all(one.repeat(2_000).as_bytes());
    eventually("it is ended", || metric(place, "attune_connections_slow_total") == 1);
    assert_eq!(place.receipt(&view())["accepted"], 1);
}

#[test]
fn a_request_names_one_host() {
    let collector = collector();
    for hosts in ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nhost: a\r\n"] {
        let answer = rest(say(&collector.place, &format!("GET /health/live HTTP/1.1\r\n{hosts}\r\n")));
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("host_not_one"), "{hosts:?}: {answer}");
    }
}

#[test]
fn a_length_beside_chunks_is_refused_and_nothing_behind_it_is_read() {
    let collector = collector();
    let (length, chunks) = ("Content-Length: 6\r\n", "Transfer-Encoding: chunked\r\n");
    let smuggled = "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n";
    for both in [format!("{length}{chunks}"), format!("{chunks}{length}")] {
        let text = format!("POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\n{both}\r\n0\r\n\r\n{smuggled}");
        let answer = rest(say(&collector.place, &text));
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("framing_ambiguous"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
}

#[test]
fn chunks_alone_are_taken_also_behind_another_request() {
    let collector = collector();
    let mut stream = say(&collector.place, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let text = view().to_string();
    let (one, other) = text.split_at(20);
    let head = "POST /v1/events?k=demo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n", one.len(), other.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let answer = rest(stream);
    assert!(answer.contains("\"accepted\":1"), "{answer}");
}
