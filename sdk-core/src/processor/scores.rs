//! Level triggers over scores: time alone moves a score on, and a retrained model fires nothing.

use super::fixture::{World, cart, view};
use crate::bundle::Bundle;
use crate::bundle::author::{SourceFile, compile};
use crate::time::Timestamp;
use alloc::borrow::ToOwned;
use alloc::format;

const MINUTE_MS: i64 = 60_000;

/// `warm`: the score is 6 or more; `cooled`: it is below 3 and not yet below 1. It halves every ten minutes.
fn scored(revision: u64, points: u32) -> Bundle {
    let text = format!(
        r#"{{"signals":[{{"name":"views","on":"page_view","aggregate":"count","window":"1h","bucket":"10m"}}],
            "models":[{{"name":"m","kind":"plan",
                        "items":[{{"signal":"views","points":{points},"half_life":"10m"}}]}}],
            "triggers":[{{"id":"warm","when":{{"$score":{{"name":"m","is":{{"$gte":6}}}}}}}},
                        {{"id":"cooled","when":{{"$score":{{"name":"m","is":{{"$gte":1,"$lt":3}}}}}}}}]}}"#
    );
    let compiled = compile(&[SourceFile { name: "a.json".to_owned(), text }]);
    assert_eq!(compiled.diagnostics, []);
    Bundle { revision, ..compiled.bundle }
}

fn world(points: u32) -> World {
    let mut world = World::new();
    world.processor.set_bundle(scored(1, points), Timestamp(0));
    world
}

#[test]
fn a_score_that_decays_fires_at_the_bucket_at_which_it_crosses() {
    let mut world = world(2);
    for seq in 1..=3 {
        world.track(view("a", seq, seq as i64, 1, "shoes"));
    }
    let wake_at = world.profile("member:a").wake_at();
    assert_eq!(wake_at, Some(Timestamp(10 * MINUTE_MS)));
    assert!(world.wake("member:a", 10 * MINUTE_MS).firings.is_empty(), "3 is not below 3");
    // The wake-up at 20 minutes is not logged: an event later on lets the time pass.
    world.track(cart("a", 4, 75));
    let fired = [("cooled", "", MINUTE_MS), ("cooled", "", 20 * MINUTE_MS), ("warm", "", 3 * MINUTE_MS)];
    assert_eq!(world.fired(), fired);
    assert_eq!(world.profile("member:a").wake_at(), None, "nothing is left that decays");
}

#[test]
fn a_model_with_another_definition_fires_nothing_for_those_it_lifts() {
    let fired_with = |points: u32| {
        let mut world = world(2);
        world.track(view("a", 1, 1, 1, "shoes"));
        world.processor.set_bundle(scored(2, points), Timestamp(2 * MINUTE_MS));
        for seq in 2..=4 {
            world.track(view("a", seq, seq as i64 + 1, 1, "shoes"));
        }
        world.fired().iter().filter(|(rule, ..)| *rule == "warm").count()
    };
    assert_eq!((fired_with(2), fired_with(20)), (1, 0));
}
