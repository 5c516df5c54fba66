//! The 50 rules that the collector and its worker are measured under.

use serde_json::{Value, json};

/// Signals of the rules.
pub const SIGNALS: usize = 10;
/// How many rules there are.
pub const RULES: usize = 50;
/// Values of `metadata.category`, `category-0`, `category-1`, …, that the rules know.
pub const CATEGORIES: usize = 4;
/// Of the rules: those that only the state makes true; the others are asked at each event of their type.
const LEVELS: usize = 10;

/// No rule and no signal, or [`rules`].
pub fn rules_of(count: usize, types: &[&str]) -> Value {
    if count == 0 { json!({}) } else { rules(types) }
}

/// One signal, which counts events of a type, and no rule.
pub fn one_signal(event_type: &str) -> Value {
    json!({ "signals": [{ "name": "events", "on": event_type, "aggregate": "count", "window": "lifetime" }] })
}

/// Signals and rules over the metadata `category` and `price` of events of these types, which take turns.
pub fn rules(types: &[&str]) -> Value {
    let on = |index: usize| types[index % types.len()];
    // Windows whose current bucket outlasts the bench, so that a signal has one tile per category.
    let windows = ["400d", "360d", "300d", "lifetime"];
    let signal = |index: usize| {
        let mut signal = json!({
            "name": format!("signal_{index}"),
            "on": on(index),
            "by": "metadata.category",
            "window": windows[index / 3],
        });
        match index % 3 {
            0 => signal["aggregate"] = json!("count"),
            1 => {
                signal["aggregate"] = json!("sum");
                signal["of"] = json!("metadata.price");
            }
            _ => signal["aggregate"] = json!("last_at"),
        }
        signal
    };
    // Thresholds lie within and beyond what the bench reaches.
    let counted = |index: usize| format!("signal_{}", 3 * (index % 4));
    let event = |index: usize| {
        json!({
            "id": format!("event-{index}"),
            "on": on(index),
            "when": {
                "event.metadata.price": { "$gt": 2 * (index % 40) },
                "$signal": {
                    "name": counted(index),
                    "key": { "$path": "event.metadata.category" },
                    "is": { "$gte": 5 + 3 * index },
                },
            },
            "cap": { "per": "session", "key": "event.metadata.category", "count": 1 },
            "actions": [],
        })
    };
    let level = |index: usize| {
        let path = format!("signals.{}.category-{}", counted(index), index % CATEGORIES);
        json!({
            "id": format!("level-{index}"),
            "when": { path: { "$gte": 8 + 4 * index }, "traits.plan": { "$exists": false } },
            "actions": [],
        })
    };
    let triggers: Vec<Value> = (LEVELS..RULES).map(event).chain((0..LEVELS).map(level)).collect();
    json!({ "signals": (0..SIGNALS).map(signal).collect::<Vec<_>>(), "triggers": triggers })
}
