//! Google Analytics 4's Measurement Protocol: what is sent by it, and what becomes of that.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Answer, Collector};
use serde_json::{Value, json};
use std::process::Command;

const PATH: &str = "/mp/collect?measurement_id=G-1&api_secret=demo";
/// 2026-11-20T10:00:01.250Z
const MICROS: u64 = 1_795_168_801_250_000;

fn post(collector: &Collector, path: &str, body: &str) -> Answer {
    collector.place.send("POST", path, &[("Content-Type", "application/json")], body.as_bytes())
}

fn taken(collector: &Collector, body: &Value) {
    let answer = post(collector, PATH, &body.to_string());
    assert_eq!((answer.status, &*answer.text()), (204, ""), "{body}");
}

/// The events in the log.
fn logged(collector: &Collector) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    let output = command.args(["log", "dump", "--data-dir"]).arg(&collector.data).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn events_and_what_is_known_of_the_user_arrive_once() {
    let rules =
        json!({"signals": [{"name": "views", "on": "page_view", "aggregate": "count", "window": "session"}]});
    let collector = Collector::start(&[("rules.json", &rules.to_string())]);
    let body = json!({
        "client_id": "123.456", "user_id": "u1", "timestamp_micros": MICROS, "ip_override": "203.0.113.7",
        "user_properties": {"plan": {"value": "gold"}, "age": {"value": 42}, "empty": {}},
        "events": [
            {"name": "page_view", "params": {"page_location": "https://shop.example/shoes?a=1", "page_title": "Shoes",
             "page_referrer": "", "session_id": 1790000000, "more": 1}},
            {"name": "purchase", "timestamp_micros": (MICROS + 1_000_000).to_string(),
             "params": {"value": 9.50, "items": [{"item_id": "a"}]}},
            {"name": "purchase"},
        ],
    });
    taken(&collector, &body);
    taken(&collector, &body);
    let events = logged(&collector);
    let types: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["attune.identify", "page_view", "purchase", "purchase"]);
    for event in &events {
        assert_eq!((&event["anonymous_id"], &event["user_id"]), (&json!("123.456"), &json!("u1")));
    }
    assert_eq!(events[0]["metadata"], json!({"traits": {"plan": "gold", "age": 42}}));
    let view = json!({"path": "/shoes", "url": "https://shop.example/shoes?a=1", "title": "Shoes", "referrer": "",
                      "session_id": 1790000000, "more": 1});
    assert_eq!(events[1]["metadata"], view);
    assert!(events[1]["session_id"].is_string());
    assert_eq!(events[2]["metadata"], json!({"value": 9.5, "items": [{"item_id": "a"}]}));
    let times: Vec<_> = events.iter().map(|event| event["timestamp"].as_str().unwrap()).collect();
    let (at, later) = ("2026-11-20T10:00:01.250Z", "2026-11-20T10:00:02.250Z");
    assert_eq!(times, [at, at, later, at]);
    let summary = collector.place.summary();
    assert_eq!((&summary["events"], &summary["duplicates"]), (&json!(4), &json!(4)));
    let user = collector.place.admin("/admin/profiles/user:u1").json();
    assert_eq!((&user["members"], &user["traits"]["plan"]), (&json!(["123.456"]), &json!("gold")));
    assert_eq!(user["signals"]["views"], 1);
}

#[test]
fn an_app_is_known_by_its_instance_and_what_has_no_time_is_new_each_time() {
    let collector = Collector::start(&[]);
    let body = json!({"app_instance_id": "app-1", "events": [{"name": "login"}, {"name": "login"}]});
    taken(&collector, &body);
    taken(&collector, &body);
    let events = logged(&collector);
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["anonymous_id"] == "app-1"));
}

#[test]
fn a_bad_event_spoils_no_neighbour() {
    let collector = Collector::start(&[]);
    let good = json!({"name": "login"});
    let bad = [
        ("event_not_an_object", "7".to_owned()),
        ("event_unreadable", r#"{"name":"a","name":"b"}"#.to_owned()),
        ("event_type_missing", r#"{"params":{}}"#.to_owned()),
        ("event_type_reserved", r#"{"name":"attune.shown"}"#.to_owned()),
        ("metadata_not_an_object", r#"{"name":"page_view","params":[1]}"#.to_owned()),
        ("json_bad_escape", r#"{"name":"a","params":{"b":"\ud800"}}"#.to_owned()),
        ("timestamp_invalid", r#"{"name":"a","timestamp_micros":"soon"}"#.to_owned()),
        ("event_too_large", format!(r#"{{"name":"a","params":{{"b":"{}"}}}}"#, "x".repeat(32 * 1024))),
    ];
    let mut events = Vec::new();
    for (_, event) in &bad {
        events.extend([event.clone(), good.to_string()]);
    }
    let body = format!(r#"{{"client_id":"c","user_properties":[1],"events":[{}]}}"#, events.join(","));
    assert_eq!(post(&collector, PATH, &body).status, 204);
    assert_eq!(logged(&collector).len(), bad.len());
    let metrics = collector.place.get("/metrics").text();
    for code in bad.iter().map(|(code, _)| *code).chain(["traits_invalid"]) {
        let line = format!("attune_events_rejected_total{{code=\"{code}\"}} 1\n");
        assert!(metrics.contains(&line), "{code}");
    }
}

#[test]
fn a_request_of_which_nothing_can_be_taken_says_why() {
    let collector = Collector::start(&[]);
    for (path, body, status, code) in [
        ("/mp/collect?measurement_id=G-1", r#"{"events":[]}"#, 401, "write_key_missing"),
        ("/mp/collect?api_secret=other", r#"{"events":[]}"#, 401, "write_key_unknown"),
        (PATH, "[]", 400, "batch_unreadable"),
        (PATH, "{", 400, "batch_unreadable"),
        (PATH, r#"{"client_id":"c"}"#, 400, "batch_missing"),
        (
            PATH,
            &format!(r#"{{"client_id":"{}","events":[]}}"#, "c".repeat(2_048)),
            400,
            "batch_field_too_large",
        ),
    ] {
        let answer = post(&collector, path, body);
        assert_eq!((answer.status, &*answer.code()), (status, code), "{path} {body}");
    }
}
