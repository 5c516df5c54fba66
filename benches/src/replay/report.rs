//! The one line that a replay prints.

use super::order::Disturbance;
use super::rule::{PRICE_SIGNAL, third_click};
use super::sender::send;
use super::visit::Visit;
use crate::collector::Collector;
use crate::failure::Failure;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// The line to print.
    pub line: Value,
    /// The ids of all firings.
    pub firing_ids: BTreeSet<String>,
}

/// Replays against a collector of its own; every figure but `seconds` is the collector's answer.
///
/// # Errors
/// The collector does not start, does not answer, or did not take every event.
pub fn native(visits: Vec<Visit>, disturbance: Disturbance) -> Result<Replayed, Failure> {
    let collector = Collector::start(&third_click())?;
    let visits = disturbance.arrange(visits);
    let started = Instant::now();
    let sent = send(&visits, disturbance, &collector.events_url())?;
    let mut figures = collector.settled_summary()?;
    let seconds = seconds_since(started);
    if sent.dropped > 0 {
        return Err(Failure::new(format!("{} events were given up", sent.dropped)));
    }
    figures["price_cents"] = figures["signals"][PRICE_SIGNAL].take();
    let firings = collector.ask_list("/admin/firings?limit=10000")?;
    let firings: Result<Vec<Value>, _> = firings.lines().map(serde_json::from_str).collect();
    report(&figures, &firings.map_err(|error| Failure::of("firings", error))?, seconds)
}

/// Puts the figures of either engine into the one form.
///
/// # Errors
/// A firing without id or key.
pub fn report(figures: &Value, firings: &[Value], seconds: f64) -> Result<Replayed, Failure> {
    let mut by_category: BTreeMap<&str, u64> = BTreeMap::new();
    let mut firing_ids = BTreeSet::new();
    for firing in firings {
        let (Some(id), Some(key)) = (firing["id"].as_str(), firing["key"].as_str()) else {
            return Err(Failure::new(format!("firing without id or key: {firing}")));
        };
        *by_category.entry(key).or_default() += 1;
        firing_ids.insert(id.to_owned());
    }
    let line = json!({
        "events": figures["events"],
        "accepted": figures["accepted"],
        "duplicates": figures["duplicates"],
        "profiles": figures["profiles"],
        "firings": figures["firings"],
        "firings_by_category": by_category,
        "price_cents": figures["price_cents"],
        "seconds": seconds,
    });
    Ok(Replayed { line, firing_ids })
}

/// Seconds since an instant, to a tenth.
pub fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firings_are_counted_by_key_and_known_by_id() {
        let firings = [("a", "1"), ("b", "2"), ("c", "1")].map(|(id, key)| json!({ "id": id, "key": key }));
        let replayed = report(&json!({}), &firings, 0.0).unwrap();
        assert_eq!(replayed.line["firings_by_category"], json!({ "1": 2, "2": 1 }));
        assert_eq!(replayed.firing_ids.len(), 3);
        assert!(report(&json!({}), &[json!({ "id": "a" })], 0.0).is_err());
    }
}
