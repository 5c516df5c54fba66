//! The power is taken from a simulated disk at any call, also while a log starts on what the cut before has left.
//!
//! `ATTUNE_CUTS_SEED` plays one seed alone.

use super::simulated::{Lie, Random};
use super::world::{Step, World, Wrong, any_step};

/// Seeds, each of which has several cuts.
const SEEDS: u64 = 2_000;
const CUTS_PER_SEED: u64 = 3;
/// Calls between two cuts at most.
const CALLS: u64 = 160;

/// One seed: cuts and kills, and between them whatever comes.
fn live(lie: Lie, seed: u64) -> Result<(), Wrong> {
    let mut random = Random(seed);
    let mut world = World::new(lie, seed);
    for _ in 0..CUTS_PER_SEED {
        let from = world.disk.calls();
        world.disk.end_at(Some(from + random.below(CALLS)));
        if world.start()? {
            world.disk.take_failed();
            while !world.disk.has_ended() {
                world.take(any_step(&mut random))?;
            }
        }
        world.end();
        world.disk.end_at(None);
        // Some only kill the process.
        if random.below(4) > 0 {
            world.disk.cut();
        }
        // The next one has seen nothing yet that anybody could miss, unless it comes as far as that.
        if random.below(2) == 0 {
            world.start()?;
            world.check(true)?;
            world.end();
        }
    }
    world.start()?;
    world.check(true)?;
    world.take(Step::Append(2))?;
    world.take(Step::Restart)?;
    world.check(true)
}

/// The seeds that are to be played.
fn seeds() -> impl Iterator<Item = u64> {
    let one = std::env::var("ATTUNE_CUTS_SEED").ok().map(|seed| seed.parse().unwrap());
    one.map_or(1..=SEEDS, |seed| seed..=seed)
}

#[test]
fn whenever_the_power_is_cut_nothing_acknowledged_is_lost() {
    for seed in seeds() {
        live(Lie::Honest, seed).unwrap_or_else(|wrong| panic!("ATTUNE_CUTS_SEED={seed}: {wrong:?}"));
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    for lie in [Lie::None, Lie::Late, Lie::Folders] {
        let caught = (1..=100).filter(|seed| live(lie, *seed).is_err_and(|wrong| !wrong.lost.is_empty()));
        assert!(caught.count() > 0, "{lie:?}");
    }
}
