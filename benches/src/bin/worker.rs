//! `worker`: what one event costs the worker, absorb, combine and 50 rules, and what a member's state weighs.

use attune_benches::failure::Failure;
use attune_benches::feed::{Feed, Stream};
use attune_core::profile::TileChanges;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

const SIGNALS: usize = 10;
const TILES: usize = 40;
const LANES: usize = 5;
const RULES: usize = 50;
/// Of the rules: those that only the state makes true; the others are asked at each event.
const LEVELS: usize = 10;
const CATEGORIES: usize = TILES / SIGNALS;
/// More than the processor's caches hold.
const MEMBERS: usize = 1_000;
const WARM_UP_TURNS: usize = 40;
const BATCHES: usize = 60;
const EVENTS_PER_BATCH: usize = 1_000;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("worker: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Value, Failure> {
    let stream = Stream {
        members: MEMBERS,
        lanes: LANES,
        types: 1,
        categories: CATEGORIES,
        products: CATEGORIES,
        step_ms: 1_000,
    };
    let mut feed = Feed::new(&rules(), stream)?;
    let (mut kept, mut change_bytes) = (BTreeSet::new(), 0);
    feed.warm_up(MEMBERS * WARM_UP_TURNS, &mut |change| {
        if change.member.0.as_ref() != "member-0" {
            return;
        }
        change_bytes = change.encode().len();
        if let TileChanges::Touched(tiles) = &change.tiles {
            let tiles = tiles.iter().map(|tile| (tile.signal, tile.bucket, String::from(&*tile.key)));
            kept.extend(tiles);
        }
    })?;
    if kept.len() != TILES {
        return Err(Failure::new(format!("a member has {} tiles, not {TILES}", kept.len())));
    }
    let fired_before = feed.firings;
    let figures = feed.time(BATCHES, EVENTS_PER_BATCH)?;
    let (member, profile) = feed.states(0);
    let events = BATCHES * EVENTS_PER_BATCH;
    Ok(json!({
        "bench": "worker",
        "signals": SIGNALS,
        "tiles": kept.len(),
        "lanes": member.lanes().len(),
        "rules": RULES,
        "members": MEMBERS,
        "events": events,
        "firings": feed.firings - fired_before,
        "p50_us": figures.p50_us(),
        "mean_us": figures.mean_us(),
        "least_us": figures.least_us(),
        "member_state_bytes": member.encode().len(),
        "profile_state_bytes": profile.encode().len(),
        "change_bytes": change_bytes,
    }))
}

fn rules() -> Value {
    // Windows whose current bucket outlasts the bench, so that a signal has one tile per category.
    let windows = ["400d", "360d", "300d", "lifetime"];
    let signal = |index: usize| {
        let mut signal = json!({
            "name": format!("signal_{index}"),
            "on": "type_0",
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
            "on": "type_0",
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
