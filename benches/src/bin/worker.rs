//! `worker`: what one event costs the worker, absorb, combine and 50 rules, and what a member's state weighs.

use attune_benches::failure::Failure;
use attune_benches::feed::{Feed, Stream};
use attune_benches::rules::{CATEGORIES, RULES, SIGNALS, rules};
use attune_core::profile::TileChanges;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;

const TILES: usize = SIGNALS * CATEGORIES;
const LANES: usize = 5;
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
    let mut feed = Feed::new(&rules(&["type_0"]), stream)?;
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
