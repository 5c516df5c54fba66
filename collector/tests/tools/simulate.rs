//! `attune simulate`.

use super::rig::{Collector, batch, event, eventually, numbered};
use super::{Place, SHOP};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn line(member: &str, number: u32, second: u32) -> String {
    json!({
        "event_id": format!("{member}-{number}"),
        "event_type": "page_view",
        "timestamp": format!("2026-03-01T10:00:{second:02}.000Z"),
        "anonymous_id": member,
        "session_id": format!("session of {member}"),
    })
    .to_string()
}

#[test]
fn simulate_says_for_how_many_visitors_a_draft_would_have_differed() {
    let mut lines = Vec::new();
    for (member, views) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        lines.extend((1..=views).map(|number| line(member, number, 10 * number)));
    }
    lines.push("not an event".to_owned());
    let place = Place::new(&[("rules/shop.json", SHOP), ("events.jsonl", &lines.join("\n"))]);
    place.write("draft/shop.json", &SHOP.replace("\"$gte\": 3", "\"$gte\": 2"));
    let words = ["simulate", "--log", "events.jsonl", "--against", "rules", "--format", "json"];
    let simulate = |draft: &str, more: &[&str]| place.run(&[&words[..], &["--rules", draft], more].concat());
    let same = simulate("rules", &[]).json();
    assert_eq!((&same["events"], &same["visitors"]), (&json!(10), &json!(4)));
    assert_eq!(same["visitors_decided_differently"], 0);
    place.write("reworded/shop.json", &SHOP.replace("\"value\": \"keen\"", "\"value\": \"eager\""));
    assert_eq!(
        simulate("reworded", &[]).json()["visitors_decided_differently"],
        2,
        "c and d see another text"
    );
    let run = simulate("draft", &[]);
    assert!(run.is_clean && run.err.is_empty(), "no progress without a terminal: {}", run.err);
    let report = run.json();
    assert_eq!(report["visitors_decided_differently"], 3, "b, c and d: {report:#}");
    let rule = &report["rules"][0];
    assert_eq!(
        (&rule["visitors_in_effect"], &rule["visitors_in_draft"], &rule["visitors_gained"]),
        (&json!(2), &json!(3), &json!(1))
    );
    let trigger = &report["triggers"][0];
    assert_eq!((&trigger["firings_in_effect"], &trigger["firings_in_draft"]), (&json!(2), &json!(3)));
    // A firing's id follows from its event: c and d fire at another one.
    assert_eq!((&trigger["firings_gained"], &trigger["firings_lost"]), (&json!(3), &json!(2)));
    let passed_over = report["passed_over"][0].as_str().unwrap();
    assert_eq!(
        passed_over,
        "events.jsonl:11: event is not readable: expected ident at column 2 (event_unreadable)"
    );
    assert_eq!(simulate("draft", &[]).out, run.out, "equal input gives equal output");
    assert!(simulate("draft", &["--progress"]).err.contains("100 % read, 10 events"));
}

#[test]
fn simulate_counts_the_visitors_that_counting_by_hand_counts() {
    // Views of 60 visitors, some seconds to some minutes apart, out of a congruential generator.
    let mut state = 7_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut views: Vec<(u32, String)> = Vec::new();
    for visitor in 0..60 {
        let mut at = draw(600);
        for _ in 0..=draw(6) {
            at += 5 + draw(240);
            views.push((at, format!("v{visitor}")));
        }
    }
    views.sort();
    let lines: Vec<String> = views
        .iter()
        .enumerate()
        .map(|(number, (at, visitor))| {
            let time = format!("2026-03-01T10:{:02}:{:02}Z", at / 60, at % 60);
            json!({"event_id": format!("e{number}"), "event_type": "page_view", "timestamp": time,
                "anonymous_id": visitor, "session_id": visitor})
            .to_string()
        })
        .collect();
    // Five minutes in steps of ten seconds: the newest step and the 29 before it.
    let kept = |least: usize| -> BTreeSet<&str> {
        let held = views.iter().filter(|(at, visitor)| {
            let is_counted =
                |(other, by): &&(u32, String)| by == visitor && other <= at && other / 10 + 30 > at / 10;
            views.iter().filter(is_counted).count() >= least
        });
        held.map(|(_, visitor)| visitor.as_str()).collect()
    };
    let (three, two) = (kept(3), kept(2));
    assert!(three.len() > 5 && two.len() > three.len() + 5 && two.len() < 60);
    let place = Place::new(&[("rules/shop.json", SHOP), ("events.jsonl", &lines.join("\n"))]);
    place.write("draft/shop.json", &SHOP.replace("\"$gte\": 3", "\"$gte\": 2"));
    let words =
        ["simulate", "--log", "events.jsonl", "--rules", "draft", "--against", "rules", "--format", "json"];
    let report = place.run(&words).json();
    let rule = &report["rules"][0];
    assert_eq!((&report["events"], &report["visitors"]), (&json!(views.len()), &json!(60)));
    assert_eq!(rule["visitors_in_effect"], three.len());
    assert_eq!(rule["visitors_in_draft"], two.len());
    assert_eq!(rule["visitors_gained"], two.difference(&three).count());
    assert_eq!(rule["visitors_lost"], 0);
}

#[test]
fn simulate_counts_a_visitor_who_logs_in_on_two_browsers_once_and_shows_what_is_capped_itself() {
    let capped = SHOP.replace("\"priority\": 5", "\"priority\": 5, \"cap\": {\"per\": \"lifetime\"}");
    let draft = capped.replace("\"per\": \"lifetime\"}, ", "\"per\": \"lifetime\", \"count\": 2}, ");
    assert_ne!(capped, draft);
    let mut lines = Vec::new();
    for (member, hour) in [("a", 10), ("b", 12)] {
        for number in 1..=4 {
            let mut event: Value = serde_json::from_str(&line(member, number, 10 * number)).unwrap();
            event["timestamp"] = json!(format!("2026-03-01T{hour}:00:{:02}.000Z", 10 * number));
            if number == 2 {
                event["event_type"] = json!("attune.identify");
            }
            if number >= 2 {
                event["user_id"] = json!("ada");
            }
            lines.push(event.to_string());
        }
    }
    let mut shown: Value = serde_json::from_str(&line("a", 9, 45)).unwrap();
    shown["event_type"] = json!("attune.shown");
    shown["metadata"] = json!({"rule": "keen", "key": ""});
    // Were it taken in, the draft's second showing would be kept away as well.
    lines.insert(4, shown.to_string());
    let place = Place::new(&[("rules/shop.json", &capped), ("events.jsonl", &lines.join("\n"))]);
    place.write("draft/shop.json", &draft);
    let words = ["simulate", "--log", "events.jsonl", "--against", "rules", "--format", "json", "--rules"];
    let report = place.run(&[&words[..], &["draft"]].concat()).json();
    assert_eq!((&report["visitors"], &report["events"]), (&json!(1), &json!(9)), "{report:#}");
    assert_eq!(report["visitors_decided_differently"], 1, "the second showing is the draft's alone");
    assert_eq!(report["rules"][0]["visitors_in_effect"], 1);
    let same = place.run(&[&words[..], &["rules"]].concat()).json();
    assert_eq!(same["visitors_decided_differently"], 0);
}

#[test]
fn simulate_reads_a_collectors_log_and_takes_the_bundle_in_effect_from_it() {
    let mut collector = Collector::start(&[("shop.json", SHOP)]);
    let events: Vec<Value> =
        (1..=3).map(|number| event(&format!("e{number}"), "page_view", json!({}))).collect();
    collector.place.receipt(&batch("m1", &events));
    collector.place.receipt(&batch("m2", &[numbered("x", 1)]));
    eventually("the third view fires", || collector.place.admin("/admin/firings").text().contains("third"));
    collector.stop();
    let place = Place::new(&[("rules/shop.json", SHOP)]);
    place.write("draft/shop.json", &SHOP.replace("\"$gte\": 3", "\"$gte\": 4"));
    let data = collector.data.display().to_string();
    let simulate =
        |draft: &str| place.run(&["simulate", "--log", &data, "--rules", draft, "--format", "json"]).json();
    let (same, draft) = (simulate("rules"), simulate("draft"));
    assert_eq!((&same["visitors_decided_differently"], &same["events"]), (&json!(0), &json!(4)));
    assert_eq!(same["triggers"][0]["firings_in_effect"], 1);
    assert_eq!(draft["triggers"][0]["firings_lost"], 1);
    assert_eq!(draft["visitors_decided_differently"], 1);
}
