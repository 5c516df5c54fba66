//! `signals`: one event through 1,000 windowed signals in the core, two JSON lines.

use attune_benches::failure::Failure;
use attune_benches::feed::{Feed, Stream};
use attune_benches::instructions::more_in_second;
use serde_json::{Value, json};
use std::process::ExitCode;

const SIGNALS: usize = 1_000;
const GOAL_US: f64 = 5.0;
const WARM_UP_EVENTS: usize = 4_000;
const BATCHES: usize = 60;
const EVENTS_PER_BATCH: usize = 100;
/// Events among which instructions are counted, and readings of signals before that, under a valgrind that is fifty times
/// slower.
const COUNTED_EVENTS: usize = 200;
const COUNTED_WARM_UP_READINGS: usize = 400_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let found = match arguments.as_slice() {
        [] => [1, 100].into_iter().try_for_each(run),
        [types, taken] => counted(types, taken),
        _ => Err(Failure::new("no arguments are expected")),
    };
    if let Err(failure) = &found {
        eprintln!("signals: {failure}");
    }
    if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the bench runs under valgrind: some event types, and how many of the events are taken in.
fn counted(types: &str, taken: &str) -> Result<(), Failure> {
    let number = |text: &str| text.parse().map_err(|error| Failure::of(text, error));
    let types = number(types)?;
    let mut feed = feed(types)?;
    // Members have tiles in all buckets of most windows then, where few signals look at each event.
    feed.warm_up(WARM_UP_EVENTS.min(COUNTED_WARM_UP_READINGS * types / SIGNALS), &mut |_| {})?;
    feed.take_some(COUNTED_EVENTS, number(taken)?)
}

/// Signals look at as many event types as given, each at one; every event has one of them.
fn feed(types: usize) -> Result<Feed, Failure> {
    let stream = Stream { members: 4, lanes: 1, types, categories: 8, products: 24, step_ms: 10_000 };
    Feed::new(&rules(types), stream)
}

fn run(types: usize) -> Result<(), Failure> {
    let mut feed = feed(types)?;
    feed.warm_up(WARM_UP_EVENTS, &mut |_| {})?;
    let before = feed.tiles;
    let figures = feed.time(BATCHES, EVENTS_PER_BATCH)?;
    let events = BATCHES * EVENTS_PER_BATCH;
    let taking = |events: usize| [types.to_string(), events.to_string()];
    let instructions = more_in_second(&taking(0), &taking(COUNTED_EVENTS))?;
    println!(
        "{}",
        json!({
            "bench": "signals",
            "signals": SIGNALS,
            "event_types": types,
            "signals_that_look_at_the_event": SIGNALS / types,
            "tiles_changed_per_event": (feed.tiles - before) / events,
            "events": events,
            "p50_us": figures.p50_us(),
            "mean_us": figures.mean_us(),
            "least_us": figures.least_us(),
            "instructions_per_event": instructions.map(|all| all / COUNTED_EVENTS as u64),
            "goal_us": GOAL_US,
            "met": figures.p50_us() <= GOAL_US,
        })
    );
    Ok(())
}

/// Sliding windows of 5 minutes to 16 hours, a third of them without key.
fn rules(types: usize) -> Value {
    let signal = |index: usize| {
        let mut signal = json!({
            "name": format!("signal_{index}"),
            "on": format!("type_{}", index % types),
            "window": format!("{}m", 5 + index),
        });
        // The kinds are dealt out within a type.
        let number = index / types;
        match number % 3 {
            0 => signal["aggregate"] = json!("count"),
            1 => {
                signal["aggregate"] = json!("sum");
                signal["of"] = json!("metadata.price");
            }
            _ => signal["aggregate"] = json!("last_at"),
        }
        match number / 3 % 3 {
            0 => signal["by"] = json!("metadata.category"),
            1 => signal["by"] = json!("metadata.product"),
            _ => {}
        }
        signal
    };
    json!({ "signals": (0..SIGNALS).map(signal).collect::<Vec<_>>() })
}
