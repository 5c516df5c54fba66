//! What the door says of events, and what it has logged of them.

use super::key::payload_of;
use super::rig::Rig;
use super::*;
use crate::log::records;
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use attune_core::profile::{MemberState, SignalTable, absorb};
use attune_core::wire::{Event, LaneSeq, write_whole_event};

fn key(event_id: u128, lane: u128, seq: u64) -> EventKey {
    EventKey { event_id, lane: Some((lane, seq)), payload: 0, origin: Origin::Sender }
}

fn event(id: u128, metadata: &str) -> Event {
    Event {
        event_id: EventId(Uuid::from_u128(id)),
        event_type: "click".into(),
        timestamp: Timestamp(7),
        member: MemberId("m".into()),
        lane: Some(LaneSeq { lane: LaneId(Uuid::from_u128(9)), seq: 1 }),
        session: None,
        user_id: None,
        metadata: Some(metadata.into()),
    }
}

/// The verdict on an event, and what enters the log.
fn admit_event(door: &mut Door, event: &Event, origin: Origin) -> (Verdict, Vec<Record>) {
    let (mut record, mut out) = (Vec::new(), Vec::new());
    let logged = Record::Event { event: event.clone(), received_at: Timestamp(8), proven: true, facts: None };
    encode_record(&logged, &mut record);
    let verdict = door.admit(&key_of(event, origin), &record, &mut out);
    (verdict, records(&out).map(|record| decode_record(record).unwrap()).collect())
}

fn admit(door: &mut Door, key: EventKey) -> Verdict {
    door.admit(&key, b"record", &mut Vec::new())
}

#[test]
fn an_event_id_is_new_once() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    let verdicts =
        [admit(&mut door, key(1, 9, 1)), admit(&mut door, key(1, 9, 1)), admit(&mut door, key(2, 9, 2))];
    assert_eq!(verdicts, [Verdict::New, Verdict::Duplicate, Verdict::New]);
}

#[test]
fn another_event_under_a_known_number_is_a_conflict() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    let verdicts =
        [admit(&mut door, key(1, 9, 1)), admit(&mut door, key(2, 9, 1)), admit(&mut door, key(2, 8, 1))];
    assert_eq!(verdicts, [Verdict::New, Verdict::LaneConflict, Verdict::New]);
}

#[test]
fn what_conflicts_is_kept_as_it_was_to_be_logged_unless_it_is_a_dead_letter_already() {
    let first = event(1, r#"{"a":1}"#);
    let other_payload = event(1, r#"{"a":2}"#);
    let other_event = event(2, r#"{"a":1}"#);
    for origin in [Origin::Sender, Origin::DeadLetters] {
        for (event, expected) in
            [(&other_payload, Verdict::PayloadConflict), (&other_event, Verdict::LaneConflict)]
        {
            let rig = Rig::new();
            let mut door = rig.lone_door();
            assert_eq!(admit_event(&mut door, &first, Origin::Sender).0, Verdict::New);
            let (verdict, logged) = admit_event(&mut door, event, origin);
            assert_eq!(verdict, expected);
            if origin == Origin::DeadLetters {
                assert_eq!(logged, []);
                continue;
            }
            let [Record::Refused(refused)] = &*logged else { panic!("{logged:?}") };
            let content = refused.content.as_ref().unwrap();
            assert_eq!((&*refused.code == "payload_conflict"), verdict == Verdict::PayloadConflict);
            assert_eq!((refused.by, refused.at, content.proven), (RefusedBy::Door, Timestamp(8), true));
            assert_eq!(*content.raw, write_whole_event(event));
        }
    }
}

#[test]
fn a_repeat_may_come_at_another_time_lane_and_session() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    let first = event(1, r#"{"a":1}"#);
    admit_event(&mut door, &first, Origin::Sender);
    let lane = Some(LaneSeq { lane: LaneId(Uuid::from_u128(9)), seq: 2 });
    let session = Some(SessionId(Uuid::from_u128(3)));
    let again = Event { timestamp: Timestamp(99), lane, session, ..first };
    let (verdict, logged) = admit_event(&mut door, &again, Origin::Sender);
    assert_eq!(verdict, Verdict::Duplicate);
    assert!(matches!(&*logged, [Record::Void { from: 2, to: 2, .. }]), "{logged:?}");
}

#[test]
fn texts_do_not_pass_for_each_others_ends() {
    let payload = |member: &str, event_type: &str| {
        payload_of(&Event {
            member: MemberId(member.into()),
            event_type: event_type.into(),
            ..event(1, "{}")
        })
    };
    assert_ne!(payload("ab", "c"), payload("a", "bc"));
}

#[test]
fn what_did_not_become_durable_is_new_again() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    admit(&mut door, key(1, 9, 1));
    door.rollback();
    assert_eq!(admit(&mut door, key(1, 9, 1)), Verdict::New);
    door.commit(9);
    door.rollback();
    assert_eq!(admit(&mut door, key(1, 9, 1)), Verdict::Duplicate);
}
#[test]
fn a_repeat_under_another_number_leaves_no_hole_in_what_its_member_has_absorbed() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    let numbered = |id, lane, seq| Event {
        lane: Some(LaneSeq { lane: LaneId(Uuid::from_u128(lane)), seq }),
        ..event(id, r#"{"a":1}"#)
    };
    let mut state = MemberState::new(MemberId("m".into()));
    let sent = [
        (1, 9, 1, Verdict::New),
        (2, 9, 2, Verdict::New),
        // Sent again, as it was and under further numbers of its lane and of another.
        (1, 9, 1, Verdict::Duplicate),
        (1, 9, 3, Verdict::Duplicate),
        (2, 8, 1, Verdict::Duplicate),
        (2, 8, 1, Verdict::Duplicate),
        (3, 8, 2, Verdict::New),
        (3, 9, 4, Verdict::Duplicate),
        (4, 9, 5, Verdict::New),
    ];
    let table = SignalTable::new(&[]);
    for (place, (id, lane, seq, expected)) in sent.into_iter().enumerate() {
        let (verdict, logged) = admit_event(&mut door, &numbered(id, lane, seq), Origin::Sender);
        assert_eq!(verdict, expected, "{place}");
        door.commit(place as u64);
        logged.iter().for_each(|record| drop(absorb(&mut state, record, &table)));
    }
    let settled = |lane: u128, last: u64| {
        let state = state.lanes().get(LaneId(Uuid::from_u128(lane))).unwrap();
        let mut settled: Vec<(u64, u64)> = state.absorbed().iter().chain(state.void().iter()).collect();
        settled.sort_unstable();
        let numbers: Vec<u64> = settled.into_iter().flat_map(|(from, to)| from..=to).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "lane {lane}");
    };
    settled(9, 5);
    settled(8, 2);
}
