//! The power is taken from a simulated disk at any call, also while a log starts on what the cut before has left.
//!
//! `ATTUNE_CUTS_SEED` plays one seed alone. `cargo xtask bench power` plays them where it may not mount a disk.

use super::content::Random;
use super::simulated::Lie;
use super::world::{Step, World, Wrong, any_step};
use serde_json::json;
use std::env;
use std::time::Instant;

/// Seeds, each of which has several cuts.
const SEEDS: u64 = 2_000;
const CUTS_PER_SEED: u64 = 3;
/// Calls between two cuts at most.
const CALLS: u64 = 160;

/// What has come of a seed, as far as it was played.
#[derive(Default)]
struct Played {
    cuts: u64,
    cuts_before_ready: u64,
    comparisons: u64,
    acknowledged: u64,
    counted: u64,
    segments: u64,
}

/// One seed: cuts and kills, and between them whatever comes.
fn live(lie: Lie, seed: u64, played: &mut Played) -> Result<(), Wrong> {
    let mut random = Random(seed);
    let mut world = World::new(lie, seed);
    let lived = survive(&mut world, &mut random, played);
    played.acknowledged += world.acknowledged.len() as u64;
    played.counted += world.counted();
    played.segments += world.segments();
    lived
}

fn survive(world: &mut World, random: &mut Random, played: &mut Played) -> Result<(), Wrong> {
    let mut cuts = 0;
    while cuts < CUTS_PER_SEED {
        let from = world.disk.calls();
        world.disk.end_at(Some(from + random.below(CALLS)));
        let is_ready = world.start()?;
        while is_ready && !world.disk.has_ended() {
            world.take(any_step(random))?;
        }
        world.end();
        world.disk.end_at(None);
        // Some only kill the process.
        if random.below(4) > 0 {
            world.disk.cut();
            cuts += 1;
            played.cuts += 1;
            played.cuts_before_ready += u64::from(!is_ready);
        }
        // The next one may end before it is ready as well, so that nobody compares.
        if random.below(2) == 0 {
            compare(world, played)?;
            world.end();
        }
    }
    compare(world, played)?;
    world.take(Step::Append(2))?;
    world.end();
    compare(world, played)
}

fn compare(world: &mut World, played: &mut Played) -> Result<(), Wrong> {
    world.start()?;
    played.comparisons += 1;
    world.check(true)
}

#[test]
fn whenever_the_power_is_cut_nothing_acknowledged_is_lost() {
    let one = env::var("ATTUNE_CUTS_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in one.map_or(1..=SEEDS, |seed| seed..=seed) {
        let lived = live(Lie::Honest, seed, &mut Played::default());
        lived.unwrap_or_else(|wrong| panic!("ATTUNE_CUTS_SEED={seed}: {wrong:?}"));
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    for lie in [Lie::None, Lie::Late, Lie::Folders] {
        let is_lost =
            |seed: &u64| live(lie, *seed, &mut Played::default()).is_err_and(|wrong| !wrong.lost.is_empty());
        assert!((1..=100).any(|seed| is_lost(&seed)), "{lie:?}");
    }
}

/// Prints what `cargo xtask bench power` has asked for, or plays a few cuts.
#[test]
fn so_many_cuts_as_are_asked_for_go_as_they_should() {
    let asked = |name: &str| env::var(format!("ATTUNE_SIMULATED_{name}")).ok();
    let number = |name, otherwise| asked(name).map_or(otherwise, |text| text.parse().unwrap());
    let (ends, first) = (number("CUTS", 30), number("SEED", 1));
    let sync = asked("SYNC").unwrap_or_else(|| "honest".to_owned());
    let lie = match &*sync {
        "honest" => Lie::Honest,
        "none" => Lie::None,
        "late" => Lie::Late,
        "folders" => Lie::Folders,
        _ => panic!("{sync} is none of honest, none, late, folders"),
    };
    let (started, mut played, mut wrong) = (Instant::now(), Played::default(), Wrong::default());
    let mut wrong_comparisons = 0;
    for seed in first.. {
        if played.cuts >= ends {
            break;
        }
        if let Err(found) = live(lie, seed, &mut played) {
            if wrong_comparisons == 0 {
                eprintln!("seed {seed}: {found:?}");
            }
            wrong_comparisons += 1;
            wrong.lost.extend(found.lost.into_iter().map(|id| (seed << 32) + id));
            wrong.twice.extend(found.twice.into_iter().map(|id| (seed << 32) + id));
            wrong.invented.extend(found.invented.into_iter().map(|id| (seed << 32) + id));
        }
    }
    let is_sound = wrong_comparisons == 0;
    let met = if lie == Lie::Honest { is_sound } else { !wrong.lost.is_empty() };
    let goal = if lie == Lie::Honest { "0 lost, 0 twice, 0 invented" } else { "something lost" };
    let line = json!({
        "bench": "power",
        "simulated": true,
        "sync": sync,
        "goal": goal,
        "met": met,
        "ends": played.cuts,
        "ends_before_ready": played.cuts_before_ready,
        "clients": 1,
        "acknowledged": played.acknowledged,
        "lost": wrong.lost.len(),
        "twice": wrong.twice.len(),
        "invented": wrong.invented.len(),
        "counted": played.counted,
        "comparisons": played.comparisons,
        "wrong_comparisons": wrong_comparisons,
        "keep_mib": 0,
        "segments": played.segments,
        "slowest_start_ms": null,
        "seconds": started.elapsed().as_secs(),
    });
    println!("\n{line}");
    assert!(met, "{goal}");
}
