//! The rule that the replay is judged by: the third click in one main category within a session.

use serde_json::{Value, json};

/// Name of the signal that sums prices.
pub const PRICE_SIGNAL: &str = "price_cents";

/// The rule file: two signals and one trigger that fires once per session and category.
pub fn third_click() -> Value {
    json!({
        "signals": [
            {
                "name": "clicks_in_category",
                "on": "click",
                "by": "metadata.category",
                "aggregate": "count",
                "window": "session"
            },
            {
                "name": PRICE_SIGNAL,
                "on": "click",
                "of": "metadata.price_cents",
                "aggregate": "sum",
                "window": "lifetime"
            }
        ],
        "triggers": [
            {
                "id": "third-click",
                "on": "click",
                "when": {
                    "$signal": {
                        "name": "clicks_in_category",
                        "key": { "$path": "event.metadata.category" },
                        "is": { "$gte": 3 }
                    }
                },
                "cap": { "per": "session", "key": "event.metadata.category", "count": 1 },
                "actions": []
            }
        ]
    })
}
