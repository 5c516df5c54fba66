//! What the collector has found out about where an event comes from: event rules read it, an event that is kept aside changes
//! nothing, and an opt-out goes with every firing from then on.

use super::fixture::{RECEIVED, World, cart, login, view};
use crate::bundle::Bundle;
use crate::bundle::author::{SourceFile, compile};
use crate::profile::{Absorbed, Change, MemberState};
use crate::wire::{Event, Facts, Record};
use alloc::vec::Vec;

const NOTHING: &str = "{}";

fn world() -> World {
    let text = r#"{"signals":[{"name":"views","on":"page_view","aggregate":"count","window":"lifetime"},
            {"name":"cart_at","on":"add_to_cart","aggregate":"last_at","window":"lifetime"}],
        "triggers":[{"id":"german","on":"page_view","when":{"context.geo.country":"DE"}},
                    {"id":"keyed","on":"page_view","when":{"event.metadata.category":"x"},
                     "cap":{"per":"lifetime","key":"context.campaign.source","count":1}},
                    {"id":"second","when":{"signals.views":{"$gte":2}}},
                    {"id":"left","when":{"signals.cart_at":{"$before":"-30m"}}}]}"#;
    let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
    assert_eq!(compiled.diagnostics, []);
    let mut world = World::default();
    world.processor.set_bundle(Bundle { revision: 1, ..compiled.bundle }, crate::time::Timestamp(0));
    world
}

fn facts(context: &str) -> Facts {
    Facts { context: context.into(), gpc: false, aside: false }
}

fn rules(world: &World) -> Vec<(&str, &str)> {
    world.fired().into_iter().map(|(rule, key, _)| (rule, key)).collect()
}

#[test]
fn an_event_rule_reads_the_context_of_its_own_event_and_of_no_other() {
    let mut world = world();
    world.track_with(view("a", 1, 1, 1, "y"), Some(facts(r#"{"geo":{"country":"DE"}}"#)));
    world.track_with(view("b", 1, 2, 1, "y"), Some(facts(r#"{"geo":{"country":"FR"}}"#)));
    world.track(view("c", 1, 3, 1, "y"));
    world.track_with(view("d", 1, 4, 1, "y"), Some(facts("no JSON")));
    assert_eq!(rules(&world), [("german", "")]);
}

#[test]
fn a_rule_whose_test_is_of_the_event_alone_may_have_its_key_from_the_context() {
    let mut world = world();
    for (seq, source) in [(1, "news"), (2, "news"), (3, "mail")] {
        let told = facts(&alloc::format!(r#"{{"campaign":{{"source":"{source}"}}}}"#));
        world.track_with(view("a", seq, 1, 1, "x"), Some(told));
    }
    let keyed: Vec<_> = rules(&world).into_iter().filter(|(rule, _)| *rule == "keyed").collect();
    assert_eq!(keyed, [("keyed", "mail"), ("keyed", "news")]);
}

fn record(event: Event, aside: bool) -> Record {
    let facts = Some(Facts { aside, ..facts(NOTHING) });
    Record::Event { event, received_at: RECEIVED, proven: true, facts }
}

#[test]
fn an_event_that_is_kept_aside_leaves_its_number_and_nothing_else() {
    let world = world();
    let event = view("a", 1, 1, 1, "x");
    let mut state = MemberState::new(event.member.clone());
    let mut absorb = |event: Event, aside: bool| world.processor.absorb(&mut state, &record(event, aside));
    assert_eq!(absorb(event.clone(), true), Absorbed::Ignored);
    assert_eq!(absorb(event, false), Absorbed::Duplicate);
    let other = Event { event_id: view("b", 1, 1, 1, "x").event_id, ..view("a", 1, 1, 1, "x") };
    assert_eq!(absorb(other, false), Absorbed::Conflict);
    assert_eq!(absorb(login("a", 2, 2, "ada"), true), Absorbed::Ignored);
    let Absorbed::Change(change) = absorb(view("a", 3, 3, 1, "x"), false) else { panic!("a change") };
    assert!(change.created && change.traits.is_empty() && change.moved_from.is_none(), "{change:?}");
    assert_eq!(&*change.profile.0, "member:a");
    // The page hears of all three numbers, and keeps none of them back.
    assert_eq!(change.lanes.len(), 1);
}

#[test]
fn a_change_carries_the_context_through_its_bytes() {
    let world = world();
    let event = view("a", 1, 1, 1, "x");
    let mut state = MemberState::new(event.member.clone());
    let facts = Some(Facts { gpc: true, ..facts(r#"{"bot":true}"#) });
    let record = Record::Event { event, received_at: RECEIVED, proven: false, facts };
    let Absorbed::Change(change) = world.processor.absorb(&mut state, &record) else { panic!("a change") };
    assert_eq!(change.context.as_deref(), Some(r#"{"bot":true}"#));
    assert_eq!(Change::decode(&change.encode()).unwrap(), *change);
}

#[test]
fn an_opt_out_goes_with_every_firing_of_the_user_from_then_on() {
    let opted_out = || Some(Facts { gpc: true, ..facts(NOTHING) });
    let mut world = world();
    world.track(view("a", 1, 1, 1, "x"));
    assert!(world.firings.iter().all(|firing| !firing.opted_out));
    world.track(login("a", 2, 2, "ada"));
    world.track(cart("a", 3, 3));
    let before = world.firings.len();
    world.track_with(login("b", 1, 4, "ada"), opted_out());
    world.track_with(view("b", 2, 5, 1, "x"), Some(facts(NOTHING)));
    world.track(view("a", 4, 6, 1, "x"));
    world.wake("user:ada", 60 * 60_000);
    let after = &world.firings[before..];
    let fired: Vec<_> = after.iter().map(|firing| (&*firing.rule, firing.opted_out)).collect();
    // One by an event that says nothing of it, one by time alone.
    assert_eq!(fired, [("second", true), ("left", true)]);
}
