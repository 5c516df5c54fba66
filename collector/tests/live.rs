//! Following what is taken in, and what is told of write keys.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_collector::limits::MAX_FOLLOWERS;
use rig::{Collector, Stream, batch, event, eventually};
use serde_json::{Value, json};
use std::fs;

/// The next event that is told.
fn next(stream: &mut Stream) -> Value {
    serde_json::from_str(&stream.next_of("event").data).unwrap()
}

#[test]
fn who_follows_is_told_of_each_accepted_event_that_is_asked_for() {
    let collector = Collector::start_with(&[], &["--write-key", "demo", "--write-key", "other"]);
    let place = &collector.place;
    let mut all = place.follow("").unwrap();
    let mut carts = place.follow("?type=cart_*").unwrap();
    let mut of_m2 = place.follow("?member=m2").unwrap();
    let mut others = place.follow("?key=other").unwrap();
    let bad = json!({"event_id": "bad", "event_type": "cart_add", "timestamp": "never"});
    let first = [event("a", "view", json!({"note": "x\ny"})), bad, event("b", "cart_add", json!({}))];
    place.receipt(&batch("m1", &first));
    place.receipt(&batch("m1", &first));
    place.receipt(&batch("m2", &[event("c", "view", json!({}))]));
    let body = batch("m3", &[event("d", "cart_drop", json!({}))]).to_string();
    let typed = [("Content-Type", "text/plain")];
    assert_eq!(place.send("POST", "/v1/events?k=other", &typed, body.as_bytes()).status, 200);
    let typed = [("Content-Type", "application/json")];
    let patched = place.privileged("PATCH", "/v1/profiles/user:ada/traits", &typed, br#"{"plan":"pro"}"#);
    assert_eq!(patched.status, 200);

    let told: Vec<Value> = (0..5).map(|_| next(&mut all)).collect();
    let types: Vec<&str> = told.iter().map(|told| told["event"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["view", "cart_add", "view", "cart_drop", "attune.identify"]);
    assert_eq!(told[0]["event"]["metadata"]["note"], "x\ny");
    assert_eq!((&told[0]["event"]["anonymous_id"], &told[0]["project"]), (&json!("m1"), &json!("default")));
    assert!(told[0]["received_at"].as_str().unwrap().ends_with('Z'));
    let positions: Vec<u64> = told.iter().map(|told| told["position"].as_u64().unwrap()).collect();
    assert!(positions[0] == positions[1] && positions.is_sorted(), "{positions:?}");
    assert_eq!(told[4]["key_id"], Value::Null, "nobody's key wrote it");
    assert_ne!(told[2]["key_id"], told[3]["key_id"]);
    let types = [next(&mut carts), next(&mut carts)].map(|told| told["event"]["event_type"].clone());
    assert_eq!(types, ["cart_add", "cart_drop"]);
    assert_eq!(next(&mut of_m2)["event"]["anonymous_id"], "m2");
    assert_eq!(next(&mut others), told[3]);
    let id = told[3]["key_id"].as_str().unwrap();
    let mut by_id = place.follow(&format!("?key={id}")).unwrap();
    place.receipt(&batch("m1", &[event("e", "view", json!({}))]));
    let body = batch("m3", &[event("f", "last", json!({}))]).to_string();
    assert_eq!(place.send("POST", "/v1/events?k=other", &[], body.as_bytes()).status, 200);
    assert_eq!(next(&mut by_id)["event"]["event_type"], "last");
}

#[test]
fn only_so_many_follow_and_all_of_them_end_in_order() {
    let mut collector = Collector::start(&[]);
    let place = collector.place.clone();
    let mut following: Vec<Stream> = (0..MAX_FOLLOWERS).map(|_| place.follow("").unwrap()).collect();
    assert_eq!(place.follow("").err(), Some(429));
    following.pop();
    // That one has left is seen when something is to be written to it.
    let mut number = 0;
    eventually("there is room again", || {
        number += 1;
        place.receipt(&batch("m1", &[event(&format!("e{number}"), "view", json!({}))]));
        place.follow("").is_ok()
    });
    collector.stop();
    for mut stream in following {
        assert!(stream.next_of("end").data.contains("draining"));
        assert_eq!(stream.next(), None);
    }
}

#[test]
fn keys_are_listed_with_what_has_come_under_them_and_never_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let keys = json!({"keys": [
        {"key": "shop-web-7f3a91c2", "origins": ["https://shop.example"], "identity_secret": "planted-identity-secret",
         "events_per_second": 100, "events_per_day": 100_000},
        {"key": "demo", "identity": "open", "event_types": ["view"]},
    ]});
    fs::write(&file, keys.to_string()).unwrap();
    let collector = Collector::start_with(&[], &["--write-keys", file.to_str().unwrap()]);
    let place = &collector.place;
    let events = [event("a", "view", json!({})), event("b", "other", json!({}))];
    place.receipt(&batch("m1", &events));
    place.receipt(&batch("m1", &events[..1]));
    let answer = place.privileged("GET", "/v1/keys", &[], &[]);
    let text = answer.text();
    assert!(!text.contains("7f3a91c2") && !text.contains("\"demo\"") && !text.contains("planted"), "{text}");
    let listed = answer.json()["keys"].as_array().unwrap().clone();
    let of = |name: &str| listed.iter().find(|key| key["name"] == name).unwrap();
    let used = json!({"batches": 2, "accepted": 1, "duplicates": 1, "rejected": 1});
    let demo = of("de…");
    for (name, expected) in used.as_object().unwrap() {
        assert_eq!(&demo["used"][name], expected, "{name}");
    }
    assert!(demo["used"]["last_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!((&demo["identity"], &demo["event_types"]), (&json!("open"), &json!(["view"])));
    let shop = of("shop-web…");
    assert_eq!((&shop["origins"], &shop["identity"]), (&json!(["https://shop.example"]), &json!("proven")));
    let limits = json!({"events_per_second": 100, "events_burst": 2_500, "events_per_day": 100_000});
    assert_eq!((&shop["limits"], &shop["used"]["last_at"]), (&limits, &Value::Null));
    assert_eq!(place.send("GET", "/v1/keys", &[], &[]).status, 404, "nothing of it is public");
}
