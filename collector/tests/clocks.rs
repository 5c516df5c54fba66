//! Triggers by the visitor's clocks, which come with the context of a batch and stay with the member.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Collector, fresh_id, now};
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

/// An instant of two days ago or later, by the clocks of UTC.
fn at(days: i64, time: &str) -> String {
    format!("{}T{time}:00Z", &now((days - 2) * DAY_MS)[..10])
}

fn view(collector: &Collector, member: &str, at: &str, context: &Value) {
    let event = json!({"event_id": fresh_id(), "event_type": "page_view", "timestamp": at});
    let batch =
        json!({"v": 1, "anonymous_id": member, "context": context, "events": [event, "no event", event]});
    let receipt = collector.place.receipt(&batch);
    let code = &receipt["results"][0]["code"];
    assert_eq!(
        (&receipt["accepted"], &receipt["duplicates"], code),
        (&json!(1), &json!(1), &json!("event_not_an_object"))
    );
}

#[test]
fn a_trigger_over_today_counts_in_the_visitors_zone_over_a_restart() {
    let rules = json!({
        "signals": [{"name": "views", "on": "page_view", "aggregate": "count", "window": "today"}],
        "triggers": [{"id": "twice", "on": "page_view", "when": {"signals.views": {"$gte": 2}}},
                     {"id": "night", "on": "page_view", "when": {"$tod": {"between": ["00:00", "02:00"]}}}],
    });
    let collector = Collector::start(&[("rules.json", &rules.to_string())]);
    let cases = [
        ("nowhere", json!({})),
        ("berlin", json!({"clock_skew_ms": 0, "time": {"utc_offset_minutes": 60}})),
        ("tokyo", json!({"clock_skew_ms": 0, "time_zone": "Asia/Tokyo"})),
    ];
    for (member, context) in &cases {
        view(&collector, member, &at(0, "23:30"), context);
    }
    let collector = collector.restart();
    for (member, _) in &cases {
        view(&collector, member, &at(1, "00:30"), &json!({}));
    }
    collector.place.summary();
    let firings = collector.place.admin("/admin/firings").text();
    let firings = firings.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut fired: Vec<String> = firings
        .map(|firing| {
            let [member, rule, at] =
                ["member", "rule", "at"].map(|field| firing[field].as_str().unwrap().to_owned());
            format!("{member} {rule} {}", &at[11..16])
        })
        .collect();
    fired.sort();
    // 23:30 and 00:30 of UTC are half an hour past midnight and past one of one day in Berlin.
    assert_eq!(
        fired,
        [
            "berlin night 00:30",
            "berlin night 23:30",
            "berlin twice 00:30",
            "nowhere night 00:30",
            "tokyo twice 00:30"
        ]
    );
}
