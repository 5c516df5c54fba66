//! What the collector answers to batches, good and bad.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use flate2::Compression;
use flate2::read::GzEncoder;
use rig::{Collector, LANE, batch, event, fresh_id, now, numbered};
use serde_json::{Value, json};
use std::io::{Read, Write};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut out).unwrap();
    out
}

fn rows(receipt: &Value) -> Vec<(u64, String, String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = receipt["results"].as_array().unwrap().iter();
    rows.map(|row| {
        (row["index"].as_u64().unwrap(), text(row, "event_id"), text(row, "result"), text(row, "code"))
    })
    .collect()
}

#[test]
fn an_event_counts_once_however_often_it_is_sent() {
    let collector = Collector::start(&[]);
    let events = [numbered("a", 1), numbered("b", 2), event("c", "click", json!({}))];
    let first = collector.place.receipt(&batch("m1", &events));
    assert_eq!((&first["accepted"], &first["duplicates"]), (&json!(3), &json!(0)));
    let again =
        collector.place.receipt(&batch("m1", &[events[2].clone(), events[0].clone(), numbered("d", 3)]));
    assert_eq!(
        (&again["accepted"], &again["duplicates"], &again["results"]),
        (&json!(1), &json!(2), &json!([]))
    );
    assert_eq!(collector.place.summary()["events"], 4);
}

#[test]
fn two_of_the_same_event_in_one_batch_are_one_event() {
    let collector = Collector::start(&[]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1), numbered("a", 1)]));
    assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(1), &json!(1)));
}

#[test]
fn another_event_under_a_taken_number_is_a_conflict_and_no_duplicate() {
    let collector = Collector::start(&[]);
    collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let receipt = collector.place.receipt(&batch("m1", &[numbered("b", 1), numbered("c", 2)]));
    assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(1), &json!(0)));
    assert_eq!(rows(&receipt), [(0, "b".into(), "rejected".into(), "lane_conflict".into())]);
}

#[test]
fn a_poison_event_spoils_no_neighbour() {
    let collector = Collector::start(&[]);
    let good = |id: &str| event(id, "click", json!({"ok": true})).to_string();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let at = now(0);
    let poison = [
        format!(r#"{{"event_id":"p1","event_type":"click","timestamp":"{at}","metadata":{{"x":"\ud800"}}}}"#),
        format!(r#"{{"event_id":"p2","event_type":"click","timestamp":"{at}","metadata":{{"x":1e400}}}}"#),
        format!(r#"{{"event_id":"p3","event_type":"click","timestamp":"{at}","metadata":{{"x":{deep}}}}}"#),
        r#"{"event_id":"p4","event_type":"click","timestamp":"yesterday"}"#.to_owned(),
        event("p5", "click", json!({"x": "y".repeat(32 * 1024)})).to_string(),
    ];
    let codes = [
        "json_bad_escape",
        "json_number_out_of_range",
        "json_too_deep",
        "timestamp_invalid",
        "event_too_large",
    ];
    let events = [good("a")].into_iter().chain(poison.clone()).chain([good("b")]).collect::<Vec<_>>();
    let body = format!(r#"{{"v":1,"anonymous_id":"m1","events":[{}]}}"#, events.join(","));
    let lines = events.iter().map(|raw| raw.replacen('{', r#"{"anonymous_id":"m2","#, 1)).collect::<Vec<_>>();
    let send = |content_type: &str, body: &str| {
        let headers = [("Content-Type", content_type)];
        collector.place.send("POST", "/v1/events?k=demo", &headers, body.as_bytes()).json()
    };
    let as_batch = send("application/json", &body);
    let as_lines =
        send("application/x-ndjson", &lines.join("\n").replace("\"a\"", "\"c\"").replace("\"b\"", "\"d\""));
    for receipt in [as_batch, as_lines] {
        assert_eq!(receipt["accepted"], 2, "{receipt}");
        let found = rows(&receipt);
        assert_eq!(found.iter().map(|row| &*row.3).collect::<Vec<_>>(), codes);
        assert_eq!(found.iter().map(|row| &*row.1).collect::<Vec<_>>(), ["p1", "p2", "p3", "p4", "p5"]);
        assert!(found.iter().all(|row| row.2 == "rejected"));
        let words = receipt["results"][4]["message"].as_str().unwrap();
        assert!(words.contains("32768"), "names the limit: {words}");
    }
}

#[test]
fn gzip_is_known_by_its_first_bytes() {
    let collector = Collector::start(&[]);
    let body = gzip(batch("m1", &[numbered("a", 1)]).to_string().as_bytes());
    let plain = [("Content-Type", "text/plain")];
    let answer = collector.place.send("POST", "/v1/events?k=demo", &plain, &body);
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{}", answer.text());
}

#[test]
fn what_cannot_be_taken_says_why_with_a_typed_error() {
    let collector = Collector::start(&[]);
    let good = batch("m1", &[numbered("a", 1)]).to_string().into_bytes();
    let many = batch("m1", &(0..2_501).map(|_| json!({})).collect::<Vec<_>>()).to_string().into_bytes();
    let big = event("big", "click", json!({"x": "y".repeat(40_000)}));
    let small = event("small", "click", json!({"x": "y".repeat(30_000)}));
    let mixed: Vec<Value> =
        (0..80).map(|index| if index % 40 == 7 { big.clone() } else { small.clone() }).collect();
    let mixed = gzip(batch("m1", &mixed).to_string().as_bytes());
    let bomb = gzip(&vec![b' '; 9 * 1024 * 1024]);
    let raw_limit = vec![b' '; 512 * 1024 + 1];
    for (path, headers, body, status, code) in [
        ("/v1/events", &[][..], &good[..], 401, "write_key_missing"),
        ("/v1/events?k=other", &[], &good, 401, "write_key_unknown"),
        ("/v1/events?k=demo", &[], b"{", 400, "batch_unreadable"),
        ("/v1/events?k=demo", &[], b"[]", 400, "batch_unreadable"),
        ("/v1/events?k=demo", &[], b"{}", 400, "events_missing"),
        ("/v1/events?k=demo", &[], &[0x1f, 0x8b, 1, 2], 400, "body_not_decodable"),
        ("/v1/events?k=demo", &[], &[0xff, 0xfe], 400, "body_not_text"),
        ("/v1/events?k=demo", &[("Content-Encoding", "br")], &good, 400, "body_not_decodable"),
        ("/v1/events?k=demo", &[("Content-Encoding", "compress")], &good, 415, "encoding_not_supported"),
        ("/v1/events?k=demo", &[("Content-Type", "image/png")], &good, 415, "type_not_supported"),
        ("/v1/events?k=demo", &[], &many, 413, "batch_too_large"),
        ("/v1/events?k=demo", &[], &mixed, 413, "batch_too_large"),
        ("/v1/events?k=demo", &[], &bomb, 413, "batch_too_large"),
        ("/v1/events?k=demo", &[], &raw_limit, 413, "batch_too_large"),
        ("/v2/events", &[], &good, 404, "not_found"),
    ] {
        let answer = collector.place.send("POST", path, headers, body);
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{path} {headers:?}");
        assert!(!answer.json()["message"].as_str().unwrap().is_empty());
        assert!(answer.header("x-request-id").is_some() && answer.header("date").is_some());
        if status == 413 {
            let expected = if body == mixed { json!([7, 47]) } else { json!([]) };
            assert_eq!(answer.json()["offending"], expected);
            assert_eq!(answer.json()["max_events"], 2_500);
        }
    }
    assert_eq!(collector.place.get("/v1/events?k=demo").status, 405);
    assert_eq!(collector.place.summary()["events"], 0, "nothing of a refused batch was taken");
}

#[test]
fn a_receipt_carries_tokens_time_and_the_bundle_revision() {
    let collector = Collector::start(&[("a.json", r#"{"signals":[],"rules":[]}"#)]);
    let receipt = collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    assert_eq!(receipt["bundle_revision"], 1);
    assert_eq!(receipt["clock_shift_ms"], 0);
    assert!(receipt["server_time"].as_str().unwrap() >= &*now(-60_000));
    let fresh = json!({"anonymous_id": "m1", "member_token": receipt["member_token"]}).to_string();
    let ask = |body: &str| collector.place.send("POST", "/v1/stream/token?k=demo", &[], body.as_bytes());
    let answer = ask(&fresh);
    assert_eq!(answer.status, 200);
    assert!(answer.json()["token"].as_str().unwrap().len() > 40);
    assert_eq!(ask(&fresh.replace("m1", "m2")).code(), "member_token_invalid");
    assert_eq!(ask("{}").code(), "token_request_unreadable");
}

#[test]
fn whoever_names_a_servers_user_gets_nothing_to_read_it_by() {
    let collector = Collector::start(&[]);
    let user = json!({"event_id": "a", "event_type": "paid", "timestamp": now(0), "user_id": "alice"});
    let of_server = json!({"v": 1, "sent_at": now(0), "events": [user]});
    for sent in [of_server, batch("user:alice", &[numbered("b", 1)]), batch("user:alice", &[])] {
        let receipt = collector.place.receipt(&sent);
        assert_eq!((&receipt["member_token"], &receipt["stream"]), (&Value::Null, &Value::Null), "{receipt}");
    }
    assert_eq!(collector.place.summary()["events"], 2);
}

#[test]
fn a_clock_that_is_far_off_is_corrected_once_and_told() {
    let collector = Collector::start(&[]);
    let hour = 3_600_000;
    let mut late = batch("m1", &[]);
    late["sent_at"] = json!(now(-hour));
    late["events"] = json!([{"event_id": fresh_id(), "event_type": "click", "timestamp": now(-hour)}]);
    let shift = collector.place.receipt(&late)["clock_shift_ms"].as_i64().unwrap();
    assert!((shift - hour).abs() < 5_000, "{shift}");
    late["context"] = json!({"clock_skew_ms": 12});
    assert_eq!(collector.place.receipt(&late)["clock_shift_ms"], 0);
}

#[test]
fn a_number_given_up_and_a_repeat_under_another_number_leave_no_hole() {
    let collector = Collector::start(&[]);
    collector.place.receipt(&batch("m1", &[numbered("a", 1)]));
    let mut second = batch("m1", &[numbered("a", 2), numbered("b", 4)]);
    second["void"] = json!([{"lane": LANE, "from": 3, "to": 3}]);
    second["closed"] = json!([{"lane": LANE, "count": 4}]);
    let receipt = collector.place.receipt(&second);
    assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(collector.place.summary()["events"], 2);
}

#[test]
fn a_batch_may_have_its_key_inside_unless_it_is_compressed() {
    let collector = Collector::start(&[]);
    let mut sent = batch("m1", &[numbered("a", 1)]);
    let post = |path: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = collector.place.send("POST", path, headers, body);
        (answer.status, answer.code())
    };
    let refused = |code: &str| (401, code.to_owned());
    let plain = [("Content-Type", "text/plain")];
    sent["write_key"] = json!("other");
    assert_eq!(post("/v1/events", &plain, sent.to_string().as_bytes()), refused("write_key_unknown"));
    sent["write_key"] = json!("demo");
    let text = sent.to_string();
    let packed = gzip(text.as_bytes());
    assert_eq!(post("/v1/events", &plain, &packed), refused("write_key_missing"));
    let named = [("Content-Encoding", "gzip")];
    assert_eq!(post("/v1/events", &named, &packed), refused("write_key_missing"));
    let lines = [("Content-Type", "application/x-ndjson")];
    assert_eq!(post("/v1/events", &lines, text.as_bytes()), refused("write_key_missing"));
    // The key outside is the one that counts.
    assert_eq!(post("/v1/events?k=other", &plain, text.as_bytes()), refused("write_key_unknown"));
    assert_eq!(collector.place.summary()["events"], 0);
    assert_eq!(post("/v1/events", &plain, text.as_bytes()).0, 200);
    assert_eq!(post("/v1/events?k=demo", &plain, &packed).0, 200);
    assert_eq!(collector.place.summary()["events"], 1);
}

#[test]
fn what_a_page_has_given_up_is_counted_once_however_often_it_is_told() {
    let collector = Collector::start(&[]);
    let mut sent = batch("m1", &[numbered("a", 1)]);
    for queue_full in [2, 2, 3, 3] {
        sent["dropped"] = json!({"queue_full": queue_full});
        collector.place.receipt(&sent);
    }
    let metrics = collector.place.get("/metrics").text();
    assert!(metrics.contains("attune_events_dropped_total{code=\"queue_full\"} 3\n"), "{metrics}");
}

/// The files of JSONTestSuite of a kind, as event ids and texts; nothing, and a line that says so, where they are not here.
fn suite(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/suites/JSONTestSuite/test_parsing");
    let Ok(entries) = std::fs::read_dir(folder) else {
        // Past the capture of the test runner, or nobody would see it.
        let _ = writeln!(std::io::stderr(), "skipped: {folder} is not on this machine");
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(kind)).collect();
    names.sort();
    assert!(names.len() > 90, "{kind}: {}", names.len());
    let read = |name: &String| std::fs::read(format!("{folder}/{name}")).unwrap();
    // File names are longer than an id may be.
    names.iter().enumerate().map(|(number, name)| (format!("{kind}{number}"), read(name))).collect()
}

fn with_metadata(id: &str, value: &str) -> String {
    let at = now(0);
    format!(
        r#"{{"event_id":"{id}","event_type":"click","timestamp":"{at}","anonymous_id":"m1","metadata":{{"v":{value}}}}}"#
    )
}

#[test]
fn whatever_is_json_is_taken_as_metadata() {
    let events: Vec<_> = suite("y_")
        .iter()
        .map(|(id, value)| with_metadata(id, std::str::from_utf8(value).unwrap()))
        .collect();
    let collector = Collector::start(&[]);
    let body = format!(r#"{{"v":1,"events":[{}]}}"#, events.join(","));
    let receipt = collector.place.send("POST", "/v1/events?k=demo", &[], body.as_bytes()).json();
    assert_eq!((&receipt["accepted"], &receipt["results"]), (&json!(events.len()), &json!([])));
}

#[test]
fn whatever_is_no_json_is_one_row_and_its_neighbours_are_taken() {
    let collector = Collector::start(&[]);
    let send = |content_type: &str, body: &[u8]| {
        collector.place.send("POST", "/v1/events?k=demo", &[("Content-Type", content_type)], body)
    };
    let (mut lines, mut ids) = (Vec::new(), Vec::new());
    for (id, value) in suite("n_") {
        match String::from_utf8(value) {
            // What is no text, or more than one line, spoils a whole body, which says so.
            Err(error) => {
                let body = [br#"{"v":1,"events":["#, error.as_bytes(), b"]}"].concat();
                assert_eq!(send("application/json", &body).code(), "body_not_text", "{id}");
            }
            Ok(value) if value.lines().count() > 1 => {
                let body = format!(r#"{{"v":1,"events":[{}]}}"#, with_metadata(&id, &value));
                assert_eq!(send("application/json", body.as_bytes()).code(), "batch_unreadable", "{id}");
            }
            Ok(value) => {
                lines.extend([
                    with_metadata(&format!("before-{id}"), "1"),
                    with_metadata(&id, value.trim_end()),
                ]);
                ids.push(id);
            }
        }
    }
    lines.push(with_metadata("last", "1"));
    let receipt = send("application/x-ndjson", lines.join("\n").as_bytes()).json();
    assert_eq!(receipt["accepted"], lines.len() - ids.len());
    let found = rows(&receipt);
    let odd: Vec<_> = (0..ids.len() as u64).map(|number| 2 * number + 1).collect();
    assert_eq!(found.iter().map(|row| row.0).collect::<Vec<_>>(), odd);
    let codes = ["event_unreadable", "event_too_large"];
    assert!(found.iter().all(|row| row.2 == "rejected" && codes.contains(&&*row.3)), "{found:?}");
}
