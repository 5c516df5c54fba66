//! What is left out because nothing it reads has moved: over random bundles and lives the same comes out as where
//! everything is asked at every record.

use super::ProfileState;
use super::fixture::{RECEIVED, World, cart, login, view};
use crate::bundle::Bundle;
use crate::bundle::author::{SourceFile, compile};
use crate::condition::Outlook;
use crate::profile::EventDocument;
use crate::rules::judge;
use crate::time::{Clocks, Timestamp};
use crate::value::ValueRef;
use crate::wire::{Event, Record};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;

/// The first minute of a life, or one so near to its receipt that what comes later lies ahead.
const BEGINS: [i64; 2] = [0, RECEIVED.0 / 60_000 - 60];

const MEMBERS: [&str; 3] = ["a", "b", "c"];

/// Signals of every kind of window, with and without keys.
const SIGNALS: &str = r#"
    {"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"lifetime"},
    {"name":"hour","on":"page_view","by":"metadata.category","aggregate":"count","window":"1h","bucket":"10m"},
    {"name":"visit","on":"page_view","aggregate":"count","window":"session"},
    {"name":"today","on":"page_view","aggregate":"count","window":"today"},
    {"name":"spent","on":"page_view","of":"metadata.price","aggregate":"sum","window":"2h","bucket":"10m"},
    {"name":"cart_at","on":"add_to_cart","aggregate":"last_at","window":"lifetime"},
    {"name":"recent","on":"add_to_cart","aggregate":"last_at","window":"30m","bucket":"10m"},
    {"name":"last","on":"page_view","of":"metadata.category","aggregate":"last","window":"lifetime"}"#;

/// What a level trigger can wait for.
const LEVELS: [&str; 22] = [
    r#"{"signals.views.x":{"$gte":2}}"#,
    r#"{"signals.views.x":{"$gte":2},"signals.views.y":{"$lt":2}}"#,
    r#"{"signals.hour.y":{"$gte":2}}"#,
    r#"{"signals.hour.z":{"$exists":false},"signals.visit":{"$gte":1}}"#,
    r#"{"signals.visit":{"$gte":3}}"#,
    r#"{"signals.today":{"$gte":3}}"#,
    r#"{"signals.spent":{"$gt":10}}"#,
    r#"{"$not":{"signals.spent":{"$gt":10}}}"#,
    r#"{"signals.cart_at":{"$before":"-30m"}}"#,
    r#"{"signals.cart_at":{"$after":"-10m"},"traits.plan":"pro"}"#,
    r#"{"traits.plan":{"$exists":false},"signals.views.w":{"$gte":1}}"#,
    r#"{"traits.plan":"pro"}"#,
    r#"{"signals.recent":{"$exists":true}}"#,
    r#"{"signals.recent":{"$exists":false},"signals.visit":{"$gte":1}}"#,
    r#"{"signals.last":"y"}"#,
    r#"{"$or":[{"signals.last":"x"},{"signals.hour.x":{"$gte":2}}]}"#,
    r#"{"$signal":{"name":"hour","key":{"any":true},"is":{"$gte":3}}}"#,
    r#"{"$signal":{"name":"views","key":"w","is":{"$gte":2}}}"#,
    r#"{"$tod":{"between":["01:00","02:00"]},"signals.visit":{"$gte":1}}"#,
    r#"{"$score":{"name":"m","is":{"$gte":4}}}"#,
    r#"{"experiments.e":"on","signals.visit":{"$gte":2}}"#,
    r#"{"signals.views.x":{"$gte":{"$path":"signals.views.y"}}}"#,
];

/// What an event rule can ask of an event and its visitor.
const EVENTS: [&str; 20] = [
    r#"{"event.metadata.price":{"$gt":5}}"#,
    r#"{"event.metadata.price":{"$gte":5,"$lt":7.5}}"#,
    r#"{"event.metadata.price":{"$lte":5},"event.metadata.category":"x"}"#,
    r#"{"event.metadata.price":5}"#,
    r#"{"event.metadata.price":{"$eq":5}}"#,
    r#"{"event.metadata.price":"5"}"#,
    r#"{"event.metadata.price":{"$not":{"$gt":5}}}"#,
    r#"{"event.metadata.price":{"$gte":0},"traits.plan":"pro"}"#,
    r#"{"event.metadata.category":{"$eq":"y"},"signals.views.y":{"$gte":2}}"#,
    r#"{"event.metadata.category":{"$in":["x","w"]},"signals.visit":{"$gte":2}}"#,
    r#"{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}}"#,
    r#"{"event.metadata.price":{"$gt":4},"$signal":{"name":"hour","key":{"$path":"event.metadata.category"},"is":{"$gte":2,"$lt":4}}}"#,
    r#"{"$signal":{"name":"views","key":{"$path":"event.metadata.price"},"is":{"$lt":3}}}"#,
    r#"{"$signal":{"name":"visit","is":{"$lt":4}}}"#,
    r#"{"signals.last":"y","signals.spent":{"$gte":10}}"#,
    r#"{"signals.cart_at":{"$exists":true}}"#,
    r#"{"$or":[{"event.metadata.price":{"$gt":5}},{"signals.visit":{"$gte":3}}]}"#,
    r#"{"event.timestamp":{"$gt":10}}"#,
    r#"{"event.metadata.price":{"$gt":-1},"signals.hour.v":{"$lt":1}}"#,
    "{}",
];

/// An entry of a log.
#[derive(Clone, Debug)]
enum Entry {
    Event(Box<Event>),
    Wake(&'static str, i64),
    Clocks(&'static str, i64),
    /// A revision with the level triggers whose bits are set.
    Bundle(u64, u64),
}

fn bundle(revision: u64, chosen: u64, has_experiment: bool) -> Bundle {
    let is_chosen = |place: usize| chosen >> place & 1 == 1;
    let needs = |when: &str| has_experiment || !when.contains("experiments.");
    let levels = LEVELS.iter().enumerate().filter(|(place, when)| is_chosen(*place) && needs(when));
    let triggers: Vec<String> =
        levels.map(|(place, when)| format!(r#"{{"id":"l{place}","when":{when}}}"#)).collect();
    let events = EVENTS.iter().enumerate().filter(|(place, _)| is_chosen(place + LEVELS.len()));
    let events = events.map(|(place, when)| {
        let on = ["page_view", "page_view", "add_to_cart", "*"][place % 4];
        // Some under a key, some of a slot.
        let with = match place % 3 {
            0 => r#""cap":{"per":"session","count":1,"key":"event.metadata.category"}"#,
            1 => r#""slot":"s","cap":{"per":"day","count":1}"#,
            _ => r#""cap":{"per":"lifetime","count":2}"#,
        };
        format!(r#"{{"id":"e{place}","on":"{on}","when":{when},{with},"actions":[]}}"#)
    });
    let (rules, more): (Vec<String>, Vec<String>) = events.partition(|rule| rule.contains("slot"));
    let experiments =
        r#"{"id":"e","when":{"signals.hour.x":{"$gte":1}},"variations":[{"key":"off"},{"key":"on"}]}"#;
    let text = format!(
        r#"{{"signals":[{SIGNALS}],"experiments":[{}],
            "models":[{{"name":"m","kind":"plan","items":[{{"signal":"visit","points":1}},{{"signal":"spent","points":1,"half_life":"30m"}}]}}],
            "rules":[{}],"triggers":[{}]}}"#,
        if has_experiment { experiments } else { "" },
        rules.join(","),
        [triggers, more].concat().join(",")
    );
    let compiled = compile(&[SourceFile { name: "a.json".into(), text }]);
    assert_eq!(compiled.diagnostics, []);
    Bundle { revision, ..compiled.bundle }
}

fn bytes(world: &World) -> Vec<Vec<u8>> {
    world.profiles.values().map(ProfileState::encode).collect()
}

type Drawn = (usize, u8, i64, u128, usize, u64);

/// The records that are drawn from a minute on.
fn log(drawn: &[Drawn], begin: i64) -> Vec<Entry> {
    let (mut minute, mut seq) = (begin, 0);
    let entry = |(member, kind, step, session, category, bits): &Drawn| {
        seq += 1;
        // Mostly forwards, at times late.
        minute += step;
        let name = MEMBERS[*member];
        let at = if *kind == 9 { minute - 45 } else { minute }.max(0);
        Entry::Event(Box::new(match kind {
            0 | 1 => cart(name, seq, at),
            2 | 10 => {
                // Whoever is known already stays where it is, and only its traits change.
                let mut event = login(name, seq, at, "ada");
                let plan = ["pro", "free"][usize::from(bits % 2 == 0)];
                event.metadata = Some(format!(r#"{{"traits":{{"plan":"{plan}"}}}}"#).into());
                event
            }
            3 => return Entry::Wake(["member:a", "member:b", "user:ada"][*member], at),
            4 => return Entry::Bundle(seq + 1, *bits),
            5 => return Entry::Clocks(name, bits.rem_euclid(1_440) as i64 - 720),
            _ => {
                let mut event = view(name, seq, at, *session, "x");
                let category = ["x", "y", "z", "w", "v"][*category];
                let price = ["5", "\"5\"", "null", "7.5", "[1]"][bits.rem_euclid(5) as usize];
                event.metadata =
                    Some(format!(r#"{{"price":1,"category":"{category}","price":{price}}}"#).into());
                event
            }
        }))
    };
    drawn.iter().map(entry).collect()
}

fn take(world: &mut World, entry: &Entry, has_experiment: bool) {
    match entry {
        Entry::Event(event) => {
            world.track((**event).clone());
        }
        Entry::Wake(profile, at) => {
            if world.profiles.contains_key(&crate::id::ProfileId(Box::from(*profile))) {
                world.wake(profile, at * 60_000);
            }
        }
        Entry::Clocks(member, offset) => {
            let member = crate::id::MemberId(Box::from(*member));
            let record = Record::Clocks {
                member: member.clone(),
                clocks: Clocks::new(*offset, None),
                at: Timestamp(0),
            };
            if let Some(state) = world.members.get_mut(&member) {
                world.processor.absorb(state, &record);
            }
        }
        Entry::Bundle(revision, chosen) => {
            world.processor.set_bundle(bundle(*revision, *chosen, has_experiment), Timestamp(0));
        }
    }
}

#[test]
fn what_lies_ahead_and_is_missing_until_then_is_not_forgotten() {
    let recent = LEVELS.iter().position(|when| *when == r#"{"signals.recent":{"$exists":true}}"#).unwrap();
    let mut world = World::default();
    world.processor.set_bundle(bundle(1, 1 << recent, false), Timestamp(0));
    let now = RECEIVED.0 / 60_000;
    world.track(view("a", 1, now - 5, 1, "x"));
    world.track(cart("a", 2, now + 12));
    world.wake("member:a", (now + 15) * 60_000);
    assert_eq!(world.fired(), [], "its wake-up had nothing to say");
    world.track(view("a", 3, now, 1, "x"));
    assert_eq!(world.fired().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn level_triggers_that_nothing_touches_stand_as_if_they_were_judged_at_every_record(
        drawn in proptest::collection::vec((0..3_usize, 0..24_u8, 0..25_i64, 0..3_u128, 0..5_usize, any::<u64>()), 1..60),
        chosen in any::<u64>(), has_experiment in any::<bool>(), begin in 0..2_usize,
    ) {
        let (mut fast, mut plain) = (World::default(), World::default());
        for world in [&mut fast, &mut plain] {
            world.processor.set_bundle(bundle(1, chosen, has_experiment), Timestamp(0));
        }
        for entry in &log(&drawn, BEGINS[begin]) {
            take(&mut fast, entry, has_experiment);
            // Whoever has just been read knows no answer any more.
            for state in plain.profiles.values_mut() {
                *state = ProfileState::decode(&state.encode()).unwrap();
            }
            take(&mut plain, entry, has_experiment);
            let judged = |world: &World| {
                let judged = world.profiles.values().map(|state| (state.wake, state.edges.clone(), state.armed.clone()));
                judged.collect::<Vec<_>>()
            };
            prop_assert_eq!(judged(&fast), judged(&plain), "after {:?}", entry);
            prop_assert_eq!(bytes(&fast), bytes(&plain), "after {:?}", entry);
        }
        prop_assert_eq!(&fast.firings, &plain.firings);
    }

    #[test]
    fn event_rules_behind_bars_match_as_if_every_condition_was_evaluated(
        drawn in proptest::collection::vec((0..3_usize, 0..24_u8, 0..25_i64, 0..3_u128, 0..5_usize, any::<u64>()), 1..60),
        chosen in any::<u64>(), has_experiment in any::<bool>(), begin in 0..2_usize,
    ) {
        let mut world = World::default();
        world.processor.set_bundle(bundle(1, chosen, has_experiment), Timestamp(0));
        for entry in &log(&drawn, BEGINS[begin]) {
            take(&mut world, entry, has_experiment);
            let Entry::Event(event) = entry else { continue };
            let document = EventDocument::new((**event).clone());
            let (active, rules) = (&world.processor.current, &world.processor.current.bundle.rules);
            for state in world.profiles.values() {
                let scene = world.processor.scene(active, (state.time(), Some(&document)), ValueRef::Null);
                let (found, plain) = state.read(scene, &mut Outlook::default(), |visitor, _| {
                    (active.gates.judge(rules, visitor, &event.event_type), judge(rules, visitor, event))
                });
                prop_assert_eq!(found, plain, "at {:?}", event);
            }
        }
    }
}
