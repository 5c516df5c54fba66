//! Triggers by the visitor's clocks: days, local time and schedules follow what the batches have told, in log order.

use super::ProfileState;
use super::fixture::{RECEIVED, World, login, view};
use crate::bundle::Bundle;
use crate::bundle::author::{SourceFile, compile};
use crate::id::{MemberId, ProfileId};
use crate::profile::snapshot::{SNAPSHOT_VERSION, SnapshotKind, WITH_CLOCKS, open, seal_as};
use crate::profile::{Absorbed, Change, MemberState};
use crate::time::{Clocks, Timestamp};
use crate::value::parse;
use crate::wire::{Record, decode_record, encode_record};
use alloc::boxed::Box;
use alloc::vec::Vec;
use proptest::prelude::*;

const HOUR: i64 = 60;

/// `twice`: two views of a day; `evening`: from 18:00 on; `late`: a view within a schedule that begins at 22:00.
fn dated() -> Bundle {
    let text = r#"{"signals":[{"name":"views","on":"page_view","aggregate":"count","window":"today"}],
        "triggers":[{"id":"twice","on":"page_view","when":{"signals.views":{"$gte":2}}},
                    {"id":"late","on":"page_view","schedule":{"hours":"22:00-24:00"}},
                    {"id":"evening","when":{"signals.views":{"$gte":1},"$tod":{"between":["18:00","24:00"]}}}]}"#;
    let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
    assert_eq!(compiled.diagnostics, []);
    Bundle { revision: 1, ..compiled.bundle }
}

fn world() -> World {
    let mut world = World::default();
    world.processor.set_bundle(dated(), Timestamp(0));
    world
}

/// Takes in what a batch tells of a member's clocks, as it stands in the log.
fn tell(world: &mut World, member: &str, clocks: Clocks) {
    let member = MemberId(Box::from(member));
    let mut bytes = Vec::new();
    let record = Record::Clocks { member: member.clone(), clocks, at: RECEIVED };
    encode_record(&record, &mut bytes);
    assert_eq!(decode_record(&bytes).as_ref(), Ok(&record));
    let state = world.members.entry(member.clone()).or_insert_with(|| MemberState::new(member));
    assert_eq!(world.processor.absorb(state, &record), Absorbed::Ignored);
}

fn fired(world: &World) -> Vec<(&str, i64)> {
    world.fired().into_iter().map(|(rule, _, at)| (rule, at / 60_000)).collect()
}

#[test]
fn a_day_is_that_of_the_visitors_clocks_and_without_them_that_of_utc() {
    // 23:30 and 00:30 of UTC are one day in Berlin, and 21:00 and 22:30 are two.
    let views = [47 * HOUR + 30, 48 * HOUR + 30, 69 * HOUR, 70 * HOUR + 30];
    let run = |clocks: Option<Clocks>| {
        let mut world = world();
        clocks.into_iter().for_each(|clocks| tell(&mut world, "a", clocks));
        (1..).zip(views).for_each(|(seq, at)| {
            world.track(view("a", seq, at, 1, "x"));
        });
        let twice = fired(&world).into_iter().filter(|(rule, _)| *rule == "twice");
        twice.map(|(_, at)| at).collect::<Vec<_>>()
    };
    assert_eq!(run(None), [69 * HOUR, 70 * HOUR + 30]);
    assert_eq!(run(Some(Clocks::new(120, None))), [48 * HOUR + 30, 69 * HOUR]);
}

#[test]
fn local_time_and_schedules_follow_the_clocks_and_their_change() {
    let mut world = world();
    let summer = Clocks::new(120, Some((Timestamp(48 * HOUR * 60_000), 60)));
    tell(&mut world, "a", summer);
    assert_eq!(world.track(view("a", 1, 10 * HOUR, 1, "x")).wake_at, Some(Timestamp(16 * HOUR * 60_000)));
    world.track(view("a", 2, 20 * HOUR + 30, 1, "x"));
    assert_eq!(fired(&world), [("evening", 16 * HOUR), ("late", 20 * HOUR + 30), ("twice", 20 * HOUR + 30)]);
    // From the third day on it is winter there.
    let wake_at = world.track(view("a", 3, 58 * HOUR, 1, "x")).wake_at;
    assert_eq!(wake_at, Some(Timestamp(65 * HOUR * 60_000)));
    world.track(view("a", 4, 68 * HOUR + 30, 1, "x"));
    assert!(!fired(&world).contains(&("late", 68 * HOUR + 30)), "it is 21:30 there");
}

#[test]
fn an_event_is_judged_by_the_clocks_of_its_own_member_and_time_by_those_of_the_latest() {
    let mut world = world();
    tell(&mut world, "a", Clocks::new(0, None));
    tell(&mut world, "b", Clocks::new(600, None));
    world.track(login("a", 1, 0, "ada"));
    world.track(login("b", 1, 1, "ada"));
    // It is 12:30 for a and 22:30 for b.
    world.track(view("a", 2, 12 * HOUR + 30, 1, "x"));
    assert!(fired(&world).iter().all(|(rule, _)| *rule != "late"));
    world.track(view("b", 2, 12 * HOUR + 31, 1, "x"));
    assert!(fired(&world).contains(&("late", 12 * HOUR + 31)));
    let ada = world.profile("user:ada");
    assert_eq!(ada.viewpoint().zone.ahead_ms(Timestamp(0)), 600 * 60_000);
    assert_eq!(ProfileState::decode(&ada.encode()).as_ref(), Ok(ada));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_records_fire_alike_over_snapshots_and_repeated_events_fire_nothing(
        drawn in proptest::collection::vec((0..2_usize, 0..4_u8, 0..6_000_i64, -720..720_i64), 1..40),
    ) {
        let run = |keeps: bool| {
            let mut world = world();
            for (seq, (member, kind, at, offset)) in (1..).zip(&drawn) {
                let name = ["a", "b"][*member];
                match kind {
                    0 => tell(&mut world, name, Clocks::new(*offset, Some((Timestamp(at * 30_000), 0)))),
                    1 => { world.track(login(name, seq, *at, "ada")); }
                    _ => { world.track(view(name, seq, *at, 1, "x")); }
                }
                if keeps {
                    for state in world.members.values_mut() {
                        *state = MemberState::decode(&state.encode()).unwrap();
                    }
                    for state in world.profiles.values_mut() {
                        *state = ProfileState::decode(&state.encode()).unwrap();
                    }
                }
            }
            world
        };
        let (mut live, kept) = (run(false), run(true));
        prop_assert_eq!(&live.firings, &kept.firings);
        let count = live.firings.len();
        for (seq, (member, kind, at, _)) in (1..).zip(&drawn) {
            if *kind > 1 {
                live.track(view(["a", "b"][*member], seq, *at, 1, "x"));
            }
        }
        prop_assert_eq!(live.firings.len(), count);
        prop_assert!(live.profiles.keys().all(|ProfileId(id)| !id.is_empty()));
    }
}

#[test]
fn whoever_decides_in_a_context_of_its_own_decides_by_the_clocks_of_that() {
    let text = r#"{"rules":[{"id":"evening","slot":"s","when":{"$tod":{"between":["18:00","24:00"]}},"actions":[]}]}"#;
    let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
    let mut world = World::default();
    world.processor.set_bundle(Bundle { revision: 1, ..compiled.bundle }, Timestamp(0));
    tell(&mut world, "a", Clocks::new(60, None));
    world.track(view("a", 1, 17 * HOUR + 30, 1, "x"));
    let mut state = world.profile("member:a").clone();
    let mut is_evening = |context: &str| {
        let context = parse(context).unwrap();
        !world.processor.decide(&mut state, context.get(), &[]).changes.is_empty()
    };
    assert!(is_evening("{}") && is_evening(r#"{"time":{"changes_at":"2026-11-20T10:00:00Z"}}"#));
    assert!(!is_evening(r#"{"time":{"utc_offset_minutes":0}}"#));
}

#[test]
fn a_member_of_the_version_before_clocks_is_read_as_one_without_them() {
    let mut world = world();
    world.track(view("a", 1, 10, 1, "x"));
    let member = world.members.values().next().unwrap();
    let bytes = member.encode();
    let (version, content) = open(SnapshotKind::Member, &bytes).unwrap();
    assert_eq!((version, content.last()), (SNAPSHOT_VERSION, Some(&0)));
    let before = seal_as(SnapshotKind::Member, WITH_CLOCKS - 1, &content[..content.len() - 1]);
    assert_eq!(MemberState::decode(&before).as_ref(), Ok(member));
}

#[test]
fn a_change_tells_the_clocks_and_one_of_the_form_before_has_none() {
    let mut world = world();
    tell(&mut world, "a", Clocks::new(60, None));
    let mut state = world.members.values().next().unwrap().clone();
    let record =
        Record::Event { event: view("a", 1, 10, 1, "x"), received_at: RECEIVED, proven: true, facts: None };
    let Absorbed::Change(change) = world.processor.absorb(&mut state, &record) else { panic!("no change") };
    let mut bytes = change.encode();
    assert_eq!(Change::decode(&bytes).map(|change| change.clocks), Ok(Some(Clocks::new(60, None))));
    bytes.truncate(bytes.len() - 3);
    bytes[0] -= 1;
    assert_eq!(Change::decode(&bytes).map(|change| change.clocks), Ok(None));
}
