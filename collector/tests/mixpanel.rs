//! Mixpanel's ingestion: what its libraries send, and what becomes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_core::time::Timestamp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rig::{Answer, Collector, now};
use serde_json::{Value, json};
use std::process::Command;

/// 2026-11-20T10:00:01.250Z
const SECONDS: f64 = 1_795_168_801.25;

/// Posts a form as a library does.
fn post(collector: &Collector, path: &str, data: &Value, more: &str) -> Answer {
    let data = BASE64_STANDARD.encode(data.to_string()).replace('+', "%2B").replace('=', "%3D");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    collector.place.send("POST", path, &headers, format!("data={data}{more}").as_bytes())
}

fn taken(collector: &Collector, path: &str, data: &Value) {
    let answer = post(collector, path, data, "");
    assert_eq!((answer.status, &*answer.text()), (200, "1"), "{data}");
}

fn event(id: &str, who: Value) -> Value {
    let mut properties = json!({"token": "demo", "$insert_id": id, "time": SECONDS, "mp_lib": "web",
                                "$browser": "Firefox", "ip": "203.0.113.7", "total": 9.5});
    properties.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    json!({"event": "Order Completed", "properties": properties})
}

/// The events in the log.
fn logged(collector: &Collector) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    let output = command.args(["log", "dump", "--data-dir"]).arg(&collector.data).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_event_keeps_what_its_sender_has_said_and_counts_once() {
    let collector = Collector::start(&[]);
    for path in ["/track", "/track/"] {
        taken(&collector, path, &event("a", json!({"distinct_id": "u1"})));
    }
    taken(&collector, "/track", &json!([event("b", json!({"distinct_id": "u1", "time": SECONDS * 1e3}))]));
    let events = logged(&collector);
    for event in &events {
        assert_eq!(event["event_type"], "Order Completed");
        assert_eq!(event["timestamp"], "2026-11-20T10:00:01.250Z");
        assert_eq!((&event["anonymous_id"], &event["user_id"]), (&json!("user:u1"), &json!("u1")));
        assert_eq!(event["metadata"], json!({"total": 9.5}));
    }
    assert_eq!((events.len(), &collector.place.summary()["duplicates"]), (2, &json!(1)));
}

#[test]
fn a_visitor_is_known_by_the_device_and_after_a_login_by_the_user() {
    let collector = Collector::start(&[]);
    let mut login = event("c", json!({"distinct_id": "u1", "$user_id": "u1", "$device_id": "d1"}));
    login["event"] = json!("$identify");
    taken(
        &collector,
        "/track/",
        &json!([
            event("a", json!({"distinct_id": "$device:d1", "$device_id": "d1"})),
            event("b", json!({"distinct_id": "$device:d1"})),
            login,
            event("d", json!({"distinct_id": 42})),
            event("e", json!({"distinct_id": ""})),
        ]),
    );
    let who: Vec<_> = logged(&collector)
        .iter()
        .map(|event| (event["event_type"].clone(), event["anonymous_id"].clone(), event["user_id"].clone()))
        .collect();
    let order = json!("Order Completed");
    let expected = [
        (order.clone(), json!("d1"), Value::Null),
        (order.clone(), json!("d1"), Value::Null),
        (json!("attune.identify"), json!("d1"), json!("u1")),
        (order, json!("user:42"), json!("42")),
    ];
    assert_eq!(who, expected);
    let user = collector.place.admin("/admin/profiles/user:u1?settled=1").json();
    assert_eq!((&user["members"], &user["events"]), (&json!(["d1"]), &json!(3)));
}

#[test]
fn a_page_view_is_ours() {
    let collector = Collector::start(&[]);
    let mut view = event(
        "a",
        json!({"distinct_id": "$device:d1", "current_url_path": "/shoes", "utm_source": "news",
        "current_page_title": "Shoes", "$current_url": "https://shop.example/shoes", "current_domain": "shop.example"}),
    );
    view["event"] = json!("$mp_web_page_view");
    taken(&collector, "/track/", &view);
    let event = &logged(&collector)[0];
    assert_eq!(event["event_type"], "page_view");
    let expected = json!({"path": "/shoes", "title": "Shoes", "url": "https://shop.example/shoes", "total": 9.5,
                          "current_domain": "shop.example", "utm_source": "news"});
    assert_eq!(event["metadata"], expected);
}

#[test]
fn a_profile_takes_values_and_gives_them_back() {
    let collector = Collector::start(&[]);
    let change = |fields: Value| {
        let mut change = json!({"$token": "demo", "$distinct_id": "u1"});
        change.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        change
    };
    let set = change(
        json!({"$time": 1_795_168_801, "$set": {"$email": "a@example.com", "plan": "gold", "$os": "x", "old": 1}}),
    );
    taken(&collector, "/engage", &json!([set, set]));
    taken(&collector, "/engage/", &change(json!({"$unset": ["old"]})));
    taken(&collector, "/engage/", &change(json!({"$add": {"visits": 1}})));
    let user = collector.place.admin("/admin/profiles/user:u1?settled=1").json();
    assert_eq!(user["traits"], json!({"email": "a@example.com", "plan": "gold"}));
    assert_eq!(user["events"], 2, "the same change of the same time is one");
    let metrics = collector.place.get("/metrics").text();
    assert!(metrics.contains("attune_events_rejected_total{code=\"operation_unsupported\"} 1\n"));
}

#[test]
fn a_bad_record_spoils_no_neighbour() {
    let collector = Collector::start(&[]);
    let with = |fields: Value| {
        let mut record = event("x", json!({"distinct_id": "u1"}));
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let other = event("o", json!({"distinct_id": "u1", "token": "other"}));
    let bad = [
        ("event_not_an_object", json!(7)),
        ("write_key_mixed", other),
        ("write_key_mixed", json!({"event": "e"})),
        ("event_type_missing", with(json!({"event": null}))),
        ("event_type_reserved", with(json!({"event": "attune.shown"}))),
        ("timestamp_invalid", event("t", json!({"distinct_id": "u1", "time": "yesterday"}))),
        ("event_too_large", event("l", json!({"distinct_id": "u1", "note": "x".repeat(32 * 1024)}))),
    ];
    let mut records = vec![event("good-0", json!({"distinct_id": "u1"}))];
    for (index, (_, record)) in bad.iter().enumerate() {
        records.extend([record.clone(), event(&format!("good-{}", index + 1), json!({"distinct_id": "u1"}))]);
    }
    taken(&collector, "/track", &json!(records));
    assert_eq!(logged(&collector).len(), bad.len() + 1);
    let metrics = collector.place.get("/metrics").text();
    for (code, _) in &bad {
        let count = bad.iter().filter(|(other, _)| other == code).count();
        let line = format!("attune_events_rejected_total{{code=\"{code}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}");
    }
}

#[test]
fn answers_are_in_the_words_that_libraries_read() {
    let collector = Collector::start(&[]);
    let one = event("a", json!({"distinct_id": "u1"}));
    for answer in
        [post(&collector, "/track", &one, "&verbose=1"), post(&collector, "/track?verbose=1", &one, "")]
    {
        assert_eq!((answer.status, answer.json()), (200, json!({"status": 1, "error": null})));
    }
    let mut keyless = json!([one, 7]);
    keyless[0]["properties"]["token"] = json!(null);
    let basic = format!("Basic {}", BASE64_STANDARD.encode("demo:"));
    let import = |headers: &[(&str, &str)]| {
        collector.place.send("POST", "/import?strict=1", headers, keyless.to_string().as_bytes())
    };
    let imported = import(&[("Authorization", &basic), ("Content-Type", "application/json")]);
    assert_eq!(imported.json(), json!({"code": 200, "num_records_imported": 1, "status": "OK"}));
    let refused = import(&[]);
    assert_eq!((refused.status, refused.code()), (401, "write_key_missing".to_owned()));
    assert_eq!(
        (&refused.json()["status"], &refused.json()["error"]),
        (&json!(0), &refused.json()["message"])
    );
    for body in ["", "data=%7B", "data=!", "data="] {
        let answer = collector.place.send("POST", "/track", &[], body.as_bytes());
        assert_eq!((answer.status, answer.code()), (400, "batch_unreadable".to_owned()), "{body}");
    }
    let page = [("Origin", "https://shop.example")];
    let answer = collector.place.send("POST", "/track/", &page, one.to_string().as_bytes());
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
}

#[test]
fn what_has_no_time_happened_when_it_arrived() {
    let collector = Collector::start(&[]);
    let before = Timestamp::parse(&now(0)).unwrap();
    let timeless = event("a", json!({"distinct_id": "u1", "time": null}));
    taken(&collector, "/track", &timeless);
    let at = Timestamp::parse(logged(&collector)[0]["timestamp"].as_str().unwrap()).unwrap();
    assert!(before <= at && at <= Timestamp::parse(&now(0)).unwrap());
}
