//! Signals that are published when their visitors are known already: filled from the log, or warming up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, Place, Process, eventually, fresh_id, now};
use serde_json::{Value, json};
use std::fs;

/// Before: nothing but the type. After: the views of old and new visitors, with and without the past.
fn rules(with_views: bool) -> String {
    let signal = |name: &str, window: &str, on_publish: &str| json!({"name": name, "on": "page_view", "aggregate": "count", "window": window, "on_publish": on_publish});
    let clicks = json!({"name": "clicks", "on": "click", "aggregate": "count", "window": "lifetime"});
    if !with_views {
        return json!({"signals": [clicks]}).to_string();
    }
    json!({
        "signals": [clicks, signal("filled", "lifetime", "backfill"), signal("warm", "1h", "warm_up")],
        "triggers": [
            {"id": "fourth", "on": "page_view", "when": {"signals.filled": {"$gte": 4}}},
            {"id": "fan", "when": {"signals.filled": {"$gte": 3}}},
            {"id": "fresh", "on": "page_view", "when": {"signals.warm": {"$gte": 2}}},
        ],
    })
    .to_string()
}

fn views(place: &Place, member: &str, count: usize) {
    let event = || json!({"event_id": fresh_id(), "event_type": "page_view", "timestamp": now(0)});
    let events: Vec<Value> = (0..count).map(|_| event()).collect();
    place.receipt(&json!({"v": 1, "anonymous_id": member, "events": events}));
}

fn profile(place: &Place, member: &str) -> Value {
    place.admin(&format!("/admin/profiles/member:{member}?settled=1")).json()
}

fn fired(place: &Place) -> Vec<String> {
    place.summary();
    let text = place.admin("/admin/firings").text();
    let firings = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut fired: Vec<String> = firings
        .map(|firing| format!("{} {}", firing["member"].as_str().unwrap(), firing["rule"].as_str().unwrap()))
        .collect();
    fired.sort();
    fired
}

#[test]
fn a_signal_that_asks_for_the_past_has_it_and_another_one_says_since_when_it_counts() {
    let collector = Collector::start(&[("rules.json", &rules(false))]);
    let place = collector.place.clone();
    views(&place, "old", 3);
    views(&place, "older", 1);
    place.summary();
    fs::write(collector.rules.join("rules.json"), rules(true)).unwrap();
    eventually("the past is there", || place.summary()["signals"]["filled"] == 4);
    let old = profile(&place, "old");
    assert_eq!((&old["signals"]["filled"], &old["signals"]["warm"]), (&json!(3), &Value::Null), "{old}");
    let warming: Vec<&String> = old["warming"].as_object().unwrap().keys().collect();
    assert_eq!(warming, ["warm"], "{old}");
    assert!(fired(&place).is_empty(), "what holds already arms in silence");
    // A restart forgets neither what is filled nor since when the other one counts, for whom it has not met either.
    let collector = collector.restart();
    let place = collector.place.clone();
    for member in ["old", "older"] {
        views(&place, member, 1);
        let known = profile(&place, member);
        let since = &known["warming"]["warm"]["since"];
        assert_eq!(
            (since, &known["signals"]["warm"]),
            (&old["warming"]["warm"]["since"], &json!(1)),
            "{known}"
        );
        assert_eq!(known["warming"].get("filled"), None, "{known}");
        let said = known["warming"]["warm"]["rules"]["fresh"].as_str().unwrap();
        let until = known["warming"]["warm"]["until"].as_str().unwrap();
        assert!(said.ends_with(&format!("only, and is complete from {until}")), "{said}");
        assert_eq!(known["warming"]["warm"]["rules"].as_object().unwrap().len(), 1, "{known}");
    }
    views(&place, "new", 1);
    assert_eq!(profile(&place, "new")["warming"], json!({}));
    assert_eq!(fired(&place), ["old fourth"]);
    views(&place, "older", 1);
    assert_eq!(fired(&place), ["old fourth", "older fan", "older fresh"]);
}

#[test]
fn a_crash_while_signals_are_filled_counts_nothing_twice_and_a_replay_fills_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (data, written) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir(&written).unwrap();
    fs::write(written.join("rules.json"), rules(false)).unwrap();
    let mut process = Process::start(&data, &written);
    for number in 0..200 {
        views(&process.place, &format!("m{number}"), 5);
    }
    process.place.summary();
    fs::write(written.join("rules.json"), rules(true)).unwrap();
    let revision = |place: &Place| place.get("/metrics").text().contains("attune_bundle_revision 2");
    eventually("the bundle is handed out", || revision(&process.place));
    process.kill();
    let process = Process::start(&data, &written);
    eventually("the past is there", || process.place.summary()["signals"]["filled"] == 1_000);
    views(&process.place, "m7", 1);
    assert_eq!(profile(&process.place, "m7")["signals"]["filled"], 6);
    assert_eq!(fired(&process.place), ["m7 fourth"]);
    assert_eq!(process.place.summary()["signals"]["filled"], 1_001);
    // Whoever loses the state replays the log, which fills and fires alike.
    let fired = |process: &Process| process.place.admin("/admin/firings").text();
    let before = fired(&process);
    let mut process = process;
    process.terminate();
    fs::remove_dir_all(data.join("state")).unwrap();
    let process = Process::start(&data, &written);
    assert_eq!(process.place.summary()["signals"]["filled"], 1_001);
    assert_eq!(fired(&process), before);
}
