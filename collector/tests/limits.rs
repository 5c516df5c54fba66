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

/// A collector with a file of these keys.
fn with_keys(keys: &Value, arguments: &[&str]) -> (Collector, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({"keys": keys}).to_string()).unwrap();
    let file = file.display().to_string();
    let arguments: Vec<&str> = ["--write-keys", &file].iter().chain(arguments).copied().collect();
    (Collector::start_with(&[], &arguments), folder)
}

fn send(place: &Place, key: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers: Vec<_> = headers.iter().copied().chain([PLAIN]).collect();
    place.send("POST", &format!("/v1/events?k={key}"), &headers, body.to_string().as_bytes())
}

/// A batch as large as may be.
fn full_batch() -> Value {
    let events: Vec<Value> = (0..2_500).map(|_| event(&fresh_id(), "view", json!({}))).collect();
    batch("anybody", &events)
}

fn limited(place: &Place, name: &str) -> u64 {
    let text = place.get("/metrics").text();
    let series = format!("attune_limited_total{{code=\"{name}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_key_has_its_rate_and_the_others_theirs() {
    let keys = json!([{"key": "slow", "origins": ["*"], "identity": "open", "events_per_second": 1},
                      {"key": "free", "identity": "open"}]);
    let (collector, _folder) = with_keys(&keys, &[]);
    let place = &collector.place;
    assert_eq!(send(place, "slow", &[], &full_batch()).json()["accepted"], 2_500);
    let page = [("Origin", "https://shop.example")];
    let two = batch("anybody", &[event("a", "view", json!({})), event("b", "view", json!({}))]);
    let refused = send(place, "slow", &page, &two);
    assert_eq!((refused.status, refused.code()), (429, "rate_limited".into()), "{}", refused.text());
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("write key") && words.contains("1 a second, 2500 at once"), "{words}");
    assert!((1..=4).contains(&retry_after(&refused)), "{refused:?}");
    assert!(refused.header("access-control-expose-headers").unwrap().contains("retry-after"), "{refused:?}");
    assert_eq!(limited(place, "key_events"), 1);
    assert_eq!(place.summary()["events"], 2_500, "nothing of it is stored");
    assert_eq!(send(place, "free", &[], &full_batch()).status, 200);
    eventually("it may send again", || send(place, "slow", &[], &two).status == 200);
    assert_eq!(place.summary()["events"], 5_002);
}

#[test]
fn a_key_has_so_many_events_a_day() {
    let keys = json!([{"key": "small", "identity": "open", "events_per_day": 2_501}]);
    let (collector, _folder) = with_keys(&keys, &[]);
    let place = &collector.place;
    assert_eq!(send(place, "small", &[], &full_batch()).status, 200);
    assert_eq!(send(place, "small", &[], &view()).json()["accepted"], 1);
    let refused = send(place, "small", &[], &view());
    assert_eq!((refused.status, refused.code()), (429, "quota_exceeded".into()), "{}", refused.text());
    assert!((1..=86_400 + 600).contains(&retry_after(&refused)));
    assert_eq!((limited(place, "key_day"), &place.summary()["events"]), (1, &json!(2_501)));
}

#[test]
fn repeats_do_not_use_up_a_day() {
    let keys = json!([{"key": "small", "identity": "open", "events_per_day": 2_600}]);
    let (collector, _folder) = with_keys(&keys, &[]);
    let one = view();
    let mut repeats = batch("anybody", &[]);
    repeats["events"] = json!(vec![one["events"][0].clone(); 1_000]);
    for _ in 0..5 {
        let answer = send(&collector.place, "small", &[], &repeats);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(collector.place.summary()["events"], 1);
    assert_eq!(send(&collector.place, "small", &[], &full_batch()).status, 200);
}

#[test]
fn behind_a_trusted_proxy_each_client_has_its_own_rate() {
    let arguments = ["--trusted-proxies", "127.0.0.0/8,10.0.0.0/8", "--events-per-address", "1"];
    let collector = Collector::start_with(&[], &arguments);
    let place = &collector.place;
    let from = |forwarded: &str, body: &Value| send(place, "demo", &[("X-Forwarded-For", forwarded)], body);
    assert_eq!(from("198.51.100.1", &full_batch()).status, 200);
    let (two, other) = (full_batch(), full_batch());
    // What the client itself has written stands further left.
    for forwarded in ["198.51.100.1", "203.0.113.5, 198.51.100.1", "203.0.113.6, 198.51.100.1, 10.1.2.3"] {
        let answer = from(forwarded, &two);
        assert_eq!((answer.status, answer.code()), (429, "rate_limited".into()), "{forwarded}");
        assert!(answer.json()["message"].as_str().unwrap().contains("events of one address"));
        assert!(retry_after(&answer) > 2_000, "{answer:?}");
    }
    assert_eq!(from("198.51.100.2", &other).status, 200);
    assert_eq!(from("2001:db8:0:1::1", &full_batch()).status, 200);
    assert_eq!(from("2001:db8:0:1:ffff::2", &two).status, 429, "of the same network");
    assert_eq!(limited(place, "address_events"), 4);
    assert_eq!(place.summary()["events"], 3 * 2_500);
}

#[test]
fn an_address_has_so_many_requests_whatever_its_header_says() {
    let collector = Collector::start_with(&[], &["--requests-per-address", "1"]);
    let place = &collector.place;
    let refused = (0..100).find_map(|number| {
        let forwarded = format!("198.51.100.{number}");
        let headers = [("X-Forwarded-For", &*forwarded), ("Forwarded", "for=198.51.100.7")];
        let answer = place.send("GET", "/v1/bundle?k=demo", &headers, &[]);
        (answer.status == 429).then_some(answer)
    });
    let refused = refused.unwrap();
    assert_eq!(refused.code(), "rate_limited");
    assert!((1..=4).contains(&retry_after(&refused)));
    assert_eq!(limited(place, "address_requests"), 1);
    for _ in 0..30 {
        assert_eq!(place.get("/health/live").status, 200, "health is not counted");
    }
    eventually("it may ask again", || place.get("/v1/bundle?k=demo").status != 429);
}

#[test]
fn a_key_that_lists_types_refuses_others_one_by_one() {
    let keys = json!([{"key": "till", "identity": "open", "event_types": ["purchase", "cart_*"]}]);
    let (collector, _folder) = with_keys(&keys, &[]);
    let kinds = ["purchase", "view", "cart_add", "attune.identify"];
    let events: Vec<Value> = kinds.iter().map(|kind| event(kind, kind, json!({}))).collect();
    let receipt = send(&collector.place, "till", &[], &batch("anybody", &events)).json();
    assert_eq!(receipt["accepted"], 2, "{receipt}");
    let rows = receipt["results"].as_array().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row["index"], &row["result"], &row["code"])).collect();
    let (rejected, code) = (json!("rejected"), json!("type_not_allowed"));
    assert_eq!(told, [(&json!(1), &rejected, &code), (&json!(3), &rejected, &code)]);
    assert_eq!(rows[0]["message"], "'view' is not among the event_types of this write key");
    assert_eq!(collector.place.summary()["events"], 2);
}
