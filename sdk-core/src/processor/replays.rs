//! What a replay of the log promises, over random lives of three members: the same firings, to the id.

use super::fixture::{World, candidate, cart, changed_shop, halved, login, shop, view};
use super::{Firing, ProfileState};
use crate::bundle::Bundle;
use crate::condition::{Condition, Literal, Path, Root, Test};
use crate::id::{ProfileId, SignalId};
use crate::profile::fixture::{signal, table};
use crate::profile::{Aggregate, MemberState, Signal, Window, signal_id};
use crate::rules::{Cap, CapPeriod, Hold, Mode, Rule, RuleTable, Terms};
use crate::time::Timestamp;
use crate::value::Value;
use crate::wire::Event;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;
const MEMBERS: [&str; 3] = ["a", "b", "c"];
const CATEGORIES: [&str; 4] = ["x", "y", "z", "w"];

/// One entry of the log.
#[derive(Clone, Debug)]
enum Entry {
    Event(Box<Event>),
    /// A wake-up of a profile, at a minute.
    Wake(&'static str, i64),
    /// Another revision, without or with its level trigger.
    Bundle(u64, bool),
    /// A candidate of this revision for half of the members, or the end of its rollout.
    Rollout(u64, bool),
}

/// Which member, kind, minute, session and category: a log in the order in which it was written.
fn log(drawn: &[(usize, u8, i64, u128, usize)]) -> Vec<Entry> {
    let entry = |(seq, (member, kind, at, session, category)): (u64, &(usize, u8, i64, u128, usize))| {
        let name = MEMBERS[*member];
        Entry::Event(Box::new(match kind {
            0..8 => view(name, seq, *at, *session, CATEGORIES[*category]),
            8 | 9 => cart(name, seq, *at),
            10 => login(name, seq, *at, "ada"),
            11 => return Entry::Wake(["member:a", "member:b", "user:ada"][*member], *at),
            12 => return Entry::Bundle(2 * seq, at % 2 == 0),
            _ => return Entry::Rollout(2 * seq + 1, at % 4 != 0),
        }))
    };
    (1..).zip(drawn).map(entry).collect()
}

fn take(world: &mut World, entry: &Entry) {
    match entry {
        Entry::Event(event) => {
            world.track((**event).clone());
        }
        Entry::Wake(profile, at) => {
            if world.profiles.contains_key(&ProfileId(Box::from(*profile))) {
                world.wake(profile, at * MINUTE_MS);
            }
        }
        Entry::Bundle(revision, whole) => {
            let bundle =
                changed_shop(*revision, |rules| rules.retain(|rule| *whole || &*rule.id != "rescue"));
            world.processor.set_bundle(bundle, Timestamp(0));
        }
        Entry::Rollout(revision, is_on) => {
            let rollout = is_on.then(|| halved(candidate(*revision)));
            world.processor.set_rollout(rollout, Timestamp(0));
        }
    }
}

/// Keeps nothing but the snapshots of every state.
fn restore(world: &mut World) {
    for state in world.members.values_mut() {
        *state = MemberState::decode(&state.encode()).unwrap();
    }
    for state in world.profiles.values_mut() {
        *state = ProfileState::decode(&state.encode()).unwrap();
    }
}

fn states(world: &World) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let members = world.members.values().map(MemberState::encode).collect();
    (members, world.profiles.values().map(ProfileState::encode).collect())
}

/// Views of at least three categories, a sum of at least 10 and a maximum of 5, each once per lifetime.
fn growing() -> Bundle {
    let named = |name: &str, aggregate, of: Option<&str>| {
        let plain = signal(name, aggregate, Window::Lifetime, None);
        let of = of.map(|rest| Path { root: Root::Bare, rest: Box::from(rest) });
        let mut signal = Signal { of, ..plain };
        signal.id = signal_id(&signal);
        signal
    };
    let signals = vec![
        named("variety", Aggregate::Distinct, Some("metadata.category")),
        named("many", Aggregate::Count, None),
        named("latest", Aggregate::Max, Some("metadata.number")),
    ];
    let rule = |id: &str, signal: SignalId, least: f64| {
        let when =
            Condition::Signal { signal, key: None, test: Test::Gte(Literal::Value(Value::Number(least))) };
        let cap = Cap { per: CapPeriod::Lifetime, count: 1, min_gap_ms: None, shown: None, shown_at: None };
        Rule {
            id: Box::from(id),
            slot: None,
            priority: 0,
            specificity: 1,
            when,
            mode: Mode::Event { on: Box::from("page_view"), hold: Hold::Session },
            key: None,
            cap: Some(cap),
            actions: Vec::new(),
            fire_on_publish: false,
            terms: Terms::default(),
            inactive: None,
        }
    };
    let rules = [
        rule("latest", signals[2].id, 5.0),
        rule("many", signals[1].id, 10.0),
        rule("variety", signals[0].id, 3.0),
    ];
    let rules = RuleTable::open(&RuleTable::pack(&rules)).unwrap();
    Bundle { signals: table(signals), rules, ..shop(1) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_replay_repeats_every_firing_id_with_and_without_snapshots(
        drawn in proptest::collection::vec((0..3_usize, 0..14_u8, 0..200_i64, 0..3_u128, 0..4_usize), 1..60),
        again in any::<prop::sample::Index>(),
    ) {
        let log = log(&drawn);
        let (mut live, mut kept) = (World::new(), World::new());
        for entry in &log {
            take(&mut live, entry);
            take(&mut kept, entry);
            restore(&mut kept);
        }
        prop_assert_eq!(&live.firings, &kept.firings);
        prop_assert_eq!(states(&live), states(&kept));
        // What the transport delivers a second time fires nothing a second time.
        let fired = live.firings.len();
        for entry in &log[again.index(log.len())..] {
            if let Entry::Event(event) = entry {
                live.track((**event).clone());
            }
        }
        prop_assert_eq!(live.firings.len(), fired);
    }

    #[test]
    fn growing_values_fire_alike_in_any_order_and_count_as_they_should(
        drawn in proptest::collection::vec((0..2_usize, 0..300_i64, 0..4_usize, 0..7_u32, any::<u64>()), 1..40),
    ) {
        let mut events: Vec<(u64, usize, Event)> = Vec::new();
        for (seq, (member, at, category, number, place)) in (1..).zip(&drawn) {
            let mut event = view(MEMBERS[*member], seq, *at, 1, CATEGORIES[*category]);
            let metadata = alloc::format!(r#"{{"category":"{}","number":{number}}}"#, CATEGORIES[*category]);
            event.metadata = Some(metadata.into());
            events.push((*place, *member, event));
        }
        let run = |events: &[(u64, usize, Event)]| {
            let mut world = World::default();
            world.processor.set_bundle(growing(), Timestamp(0));
            events.iter().for_each(|(_, _, event)| { world.track(event.clone()); });
            let named = |firing: &Firing| (firing.profile.0.clone(), firing.rule.clone());
            let mut fired: Vec<_> = world.firings.iter().map(named).collect();
            fired.sort();
            fired
        };
        let one = run(&events);
        events.sort_by_key(|(place, _, _)| *place);
        prop_assert_eq!(run(&events), one.clone());
        let mut expected = Vec::new();
        for (member, name) in MEMBERS.iter().enumerate().take(2) {
            let mine: Vec<_> = drawn.iter().filter(|(owner, ..)| *owner == member).collect();
            let categories: BTreeMap<usize, ()> = mine.iter().map(|(_, _, category, ..)| (*category, ())).collect();
            for (rule, holds) in [
                ("latest", mine.iter().any(|(_, _, _, number, _)| *number >= 5)),
                ("many", mine.len() >= 10),
                ("variety", categories.len() >= 3),
            ] {
                if holds {
                    expected.push((alloc::format!("member:{name}").into_boxed_str(), Box::from(rule)));
                }
            }
        }
        prop_assert_eq!(one, expected);
    }
}
