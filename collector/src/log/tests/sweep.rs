//! Every call that the log makes to its disk fails once, in every way; nothing acknowledged is lost, and it goes on.

use super::simulated::{Fault, Lie, Simulated, Trouble};
use super::world::{Step, World, Wrong};

/// Steps for which what lasts lasts.
const STEPS_OF_TROUBLE: usize = 3;

/// A life with everything in it: rotation with and without a spare, segments that are given back and used again, an erasure,
/// restarts.
const LIFE: [Step; 36] = {
    use Step::{Append, Blank, Release, Restart, Work};
    [
        Append(2),
        Append(1),
        Restart,
        Append(3),
        Work,
        Append(2),
        Append(3),
        Append(2),
        Append(3),
        Append(2),
        Append(3),
        Work,
        Append(2),
        Release,
        Append(3),
        Blank,
        Append(2),
        Append(3),
        Release,
        Work,
        Append(3),
        Append(3),
        Append(2),
        Restart,
        Append(1),
        Blank,
        Release,
        Append(2),
        Work,
        Append(3),
        Append(3),
        Append(3),
        Blank,
        Release,
        Append(1),
        Restart,
    ]
};

/// Lives it with a fault; returns the disk as it was at the end, with its calls.
fn live(fault: Option<Fault>) -> Result<Simulated, Wrong> {
    let mut world = World::new(Lie::Honest, fault.map_or(1, |fault| fault.at + 1));
    world.disk.fail(fault);
    let mut since = None;
    world.start()?;
    for (number, step) in LIFE.into_iter().enumerate() {
        // Where it did not start somebody starts it again.
        if !world.runs() && step != Step::Restart {
            world.start()?;
        }
        world.take(step)?;
        if world.disk.take_failed() {
            since.get_or_insert(number);
            world.take(Step::Small)?;
        }
        if since.is_some_and(|since| number >= since + STEPS_OF_TROUBLE) {
            world.disk.fail(None);
        }
        world.check(step == Step::Restart)?;
    }
    world.disk.fail(None);
    if !world.runs() {
        world.start()?;
        world.check(true)?;
    }
    world.take(Step::Append(2))?;
    world.check(false)?;
    world.take(Step::Restart)?;
    world.check(true)?;
    // What it has gone on with is durable.
    world.end();
    world.disk.cut();
    world.start()?;
    world.check(true)?;
    Ok(world.disk)
}

#[test]
fn whichever_call_fails_nothing_acknowledged_is_lost_and_the_log_goes_on() {
    let whole = live(None).unwrap();
    assert!(whole.calls() > 200, "{} calls are no whole life", whole.calls());
    for trouble in [Trouble::Error, Trouble::NoRoom, Trouble::ReadOnly, Trouble::Short] {
        for lasts in [false, true] {
            for at in whole.concerned(trouble) {
                let fault = Fault { at, trouble, lasts };
                live(Some(fault)).unwrap_or_else(|wrong| panic!("{fault:?}: {wrong:?}"));
            }
        }
    }
}
