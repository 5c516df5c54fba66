//! The one line that a replay prints.

use super::order::Disturbance;
use super::rule::{PRICE_SIGNAL, third_click};
use super::sender::send;
use super::visit::Visit;
use crate::collector::Collector;
use crate::failure::Failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Replays against a collector of its own; every figure but `seconds` is the collector's answer.
///
/// # Errors
/// The collector does not start, does not answer, or did not take every event.
pub fn native(visits: Vec<Visit>, disturbance: Disturbance) -> Result<Value, Failure> {
    let collector = Collector::start(&third_click())?;
    let visits = disturbance.arrange(visits);
    let started = Instant::now();
    let sent = send(&visits, disturbance, &collector.events_url())?;
    let summary = collector.settled_summary()?;
    let seconds = seconds_since(started);
    if sent.dropped > 0 {
        return Err(Failure::new(format!("{} events were given up", sent.dropped)));
    }
    let firings = collector.ask("/admin/firings")?;
    let by_category = count_keys(&firings)?;
    Ok(json!({
        "events": summary["events"],
        "accepted": summary["accepted"],
        "duplicates": summary["duplicates"],
        "profiles": summary["profiles"],
        "firings": summary["firings"],
        "firings_by_category": by_category,
        "price_cents": summary["signals"][PRICE_SIGNAL],
        "seconds": seconds,
    }))
}

/// Seconds since an instant, to a tenth.
pub fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 10.0).round() / 10.0
}

/// Counts firings by their key, from one JSON object a line.
fn count_keys(lines: &str) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counts = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let firing: Value = serde_json::from_str(line).map_err(|error| Failure::of("firing", error))?;
        let key =
            firing["key"].as_str().ok_or_else(|| Failure::new(format!("firing without key: {line}")))?;
        *counts.entry(key.to_owned()).or_default() += 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firings_are_counted_by_key() {
        let counts = count_keys("{\"key\":\"1\"}\n{\"key\":\"2\"}\n{\"key\":\"1\"}\n").unwrap();
        assert_eq!(counts, BTreeMap::from([("1".to_owned(), 2), ("2".to_owned(), 1)]));
        assert!(count_keys("{}\n").is_err());
    }
}
