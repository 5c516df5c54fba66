//! The step that takes a record of a member in: once in effect, tiles, traits, link.

use super::member::Link;
use super::{Change, EventDocument, LaneState, Marked, MemberState, SignalTable, TileChanges, Traits};
use crate::id::{LaneId, ProfileId};
use crate::time::Timestamp;
use crate::wire::{Event, Facts, Record};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Absorbed {
    /// It is in effect now; this is what it changed.
    Change(Box<Change>),
    /// It was in effect already.
    Duplicate,
    /// Its number belongs to another event: a case for the dead letters, never a duplicate.
    Conflict,
    /// Its lane has more gaps than a page load can have: a case for the dead letters.
    LaneFull,
    /// It says nothing of this member, or what is told with the member's next change, as clocks are, or it is kept in the
    /// log alone.
    Ignored,
}

/// Time is looked at for pruning whenever another of these has begun, in milliseconds.
const PRUNE_EVERY_MS: i64 = 3_600_000;

/// Takes an event, void, close or clocks record of the member in.
pub fn absorb(state: &mut MemberState, record: &Record, table: &SignalTable) -> Absorbed {
    match record {
        Record::Event { event, received_at, proven, facts } if event.member == state.member => {
            let (at, facts) = (*received_at, facts.as_ref());
            mark(state, event, at, facts)
                .unwrap_or_else(|| count(state, event.clone(), (at, *proven, facts), table))
        }
        Record::Void { member, lane, from, to } if *member == state.member => {
            let at = state.received_at;
            let news = state.lanes.void(*lane, *from, *to, at);
            lane_change(state, news, *lane)
        }
        Record::Close { member, lane, count, at } if *member == state.member => {
            let news = state.lanes.close(*lane, *count, *at);
            lane_change(state, news, *lane)
        }
        Record::Clocks { member, clocks, .. } if *member == state.member => {
            state.clocks = Some(*clocks);
            Absorbed::Ignored
        }
        _ => Absorbed::Ignored,
    }
}

/// The same with a record that nobody needs any more once it is in effect: its event goes into the change as it is. What is
/// not in effect is given back.
pub fn absorb_owned(
    state: &mut MemberState,
    record: Record,
    table: &SignalTable,
) -> (Absorbed, Option<Record>) {
    match record {
        Record::Event { event, received_at, proven, facts } if event.member == state.member => {
            match mark(state, &event, received_at, facts.as_ref()) {
                None => (count(state, event, (received_at, proven, facts.as_ref()), table), None),
                Some(old) => (old, Some(Record::Event { event, received_at, proven, facts })),
            }
        }
        record => {
            let absorbed = absorb(state, &record, table);
            let is_kept = !matches!(absorbed, Absorbed::Change(_));
            (absorbed, is_kept.then_some(record))
        }
    }
}

/// Marks an event as absorbed; says what becomes of it where it does not come into effect now.
fn mark(
    state: &mut MemberState,
    event: &Event,
    received_at: Timestamp,
    facts: Option<&Facts>,
) -> Option<Absorbed> {
    let marked = match event.lane {
        Some(number) => state.lanes.mark(number.lane, number.seq, event.event_id, received_at),
        None if state.event_ids.insert(event.event_id) => Marked::New,
        None => Marked::Duplicate,
    };
    match marked {
        Marked::New => facts.is_some_and(|facts| facts.aside).then_some(Absorbed::Ignored),
        Marked::Duplicate => Some(Absorbed::Duplicate),
        Marked::Conflict => Some(Absorbed::Conflict),
        Marked::Full => Some(Absorbed::LaneFull),
    }
}

/// Counts an event that has been marked.
fn count(
    state: &mut MemberState,
    event: Event,
    (received_at, proven, facts): (Timestamp, bool, Option<&Facts>),
    table: &SignalTable,
) -> Absorbed {
    advance(state, event.timestamp.min(received_at), received_at, table);
    let moved_from = if proven { link(state, &event) } else { None };
    let lane = event.lane.and_then(|number| lane_summary(state, number.lane));
    let document = EventDocument::new(event);
    let touched = state.tiles.apply_noting(table, &document, state.time);
    let mut traits = state.traits.apply(&document);
    if facts.is_some_and(|facts| facts.gpc) {
        traits.merge(&state.traits.apply_gpc(&document));
    }
    let mut change = state.next_change();
    change.event = Some(document);
    change.context = facts.map(|facts| facts.context.clone());
    change.received_at = Some(received_at);
    change.moved_from = moved_from.filter(|_| !change.created);
    if change.moved_from.is_some() {
        change.tiles = TileChanges::Whole(state.tiles.clone());
        change.traits = state.traits.clone();
        change.lanes = state.lanes.iter().map(|(lane, lane_state)| (*lane, lane_state.summary())).collect();
    } else {
        change.tiles = TileChanges::Touched(touched);
        change.traits = traits;
        change.lanes = lane.into_iter().collect();
    }
    Absorbed::Change(Box::new(change))
}

fn lane_change(state: &mut MemberState, news: bool, lane: LaneId) -> Absorbed {
    if !news {
        return Absorbed::Duplicate;
    }
    let mut change = state.next_change();
    change.lanes = lane_summary(state, lane).into_iter().collect();
    Absorbed::Change(Box::new(change))
}

fn lane_summary(state: &MemberState, lane: LaneId) -> Option<(LaneId, LaneState)> {
    state.lanes.get(lane).map(|lane_state| (lane, lane_state.summary()))
}

fn advance(state: &mut MemberState, time: Timestamp, received_at: Timestamp, table: &SignalTable) {
    let period = |at: Timestamp| at.0.div_euclid(PRUNE_EVERY_MS);
    let before = (period(state.time), period(state.received_at));
    state.time = state.time.max(time);
    state.received_at = state.received_at.max(received_at);
    if (period(state.time), period(state.received_at)) != before {
        state.tiles.prune(table, state.time);
        state.lanes.prune(state.received_at);
    }
}

/// Links the member to the proven user of an event; returns the profile it leaves, if it does.
fn link(state: &mut MemberState, event: &Event) -> Option<ProfileId> {
    let user_id = event.user_id.as_deref()?;
    if let Some(link) = &mut state.link {
        if (link.at, link.event_id) >= (event.timestamp, event.event_id) {
            return None;
        }
        (link.at, link.event_id) = (event.timestamp, event.event_id);
        if &*link.user_id == user_id {
            return None;
        }
    }
    state.link = Some(Link { user_id: user_id.into(), at: event.timestamp, event_id: event.event_id });
    Some(core::mem::replace(&mut state.profile, ProfileId::of_user(user_id)))
}

impl MemberState {
    /// A change that carries everything the member's profile has of it, as when it has moved.
    pub(crate) fn whole_change(&mut self) -> Change {
        let tiles = TileChanges::Whole(self.tiles.clone());
        Change { tiles, ..self.next_change() }
    }

    fn next_change(&mut self) -> Change {
        // A damaged state may have counted to the end; what it says from there on is taken for repeated.
        self.version = self.version.saturating_add(1);
        Change {
            member: self.member.clone(),
            profile: self.profile.clone(),
            moved_from: None,
            version: self.version,
            created: self.version == 1,
            time: self.time,
            event: None,
            context: None,
            received_at: None,
            tiles: TileChanges::Touched(Vec::new()),
            traits: Traits::default(),
            lanes: Vec::new(),
            clocks: self.clocks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Writer;
    use crate::id::{EventId, MemberId, SessionId, Uuid};
    use crate::profile::fixture::{event, signal, table};
    use crate::profile::snapshot::{SnapshotKind, seal};
    use crate::profile::{Aggregate, CalendarUnit, Tiles, Window};
    use crate::time::Clocks;
    use crate::wire::{IDENTIFY, LaneSeq};
    use alloc::format;
    use proptest::prelude::*;

    const RECEIVED: Timestamp = Timestamp(20 * 86_400_000);

    fn member() -> MemberState {
        MemberState::new(MemberId(Box::from("m")))
    }

    #[test]
    fn a_damaged_state_that_has_counted_to_the_end_goes_on_and_is_read_again() {
        let damaged = MemberState { version: u64::MAX, ..member() };
        let mut state = MemberState::decode(&damaged.encode()).unwrap();
        assert_eq!(state.whole_change().version, u64::MAX);
        assert!(MemberState::decode(&state.encode()).is_ok());
    }

    /// Every aggregate over every kind of window, with and without keys.
    fn signals() -> SignalTable {
        let windows = [
            Window::Sliding { window_ms: 3_600_000, bucket_ms: 120_000 },
            Window::Session,
            Window::Lifetime,
            Window::Calendar(CalendarUnit::Day),
            Window::Calendar(CalendarUnit::Month),
        ];
        let mut signals = Vec::new();
        for (place, window) in windows.into_iter().enumerate() {
            for (tag, aggregate) in Aggregate::ALL.into_iter().enumerate() {
                let by = ((tag + place) % 3 == 0).then_some("metadata.key");
                signals.push(signal(&format!("{place}.{tag}"), aggregate, window, by));
            }
        }
        table(signals)
    }

    fn record(event: Event) -> Record {
        Record::Event { event, received_at: RECEIVED, proven: true, facts: None }
    }

    /// Hours of the session's start, minutes into it, key: an event within the bounds that a session has.
    fn page_view(number: usize, (start, into, key): (i64, i64, u32)) -> Event {
        let at = start * 3_600_000 + into * 60_000;
        let metadata = format!(r#"{{"key":"k{key}","value":{key}.5}}"#);
        let mut event = event(at, "page_view", &metadata).into_event();
        event.event_id = EventId(Uuid::from_u128(number as u128));
        event.session = Some(SessionId(Uuid::from_u128(start as u128)));
        event
    }

    fn numbered(mut event: Event, lane: u128, seq: u64) -> Event {
        event.lane = Some(LaneSeq { lane: LaneId(Uuid::from_u128(lane)), seq });
        event
    }

    fn tiles_after(events: impl Iterator<Item = Event>) -> (Vec<u8>, u64) {
        let (mut state, table) = (member(), signals());
        let mut taken = 0;
        for event in events {
            taken += u64::from(matches!(absorb(&mut state, &record(event), &table), Absorbed::Change(_)));
        }
        let mut out = Writer::new();
        state.tiles.encode(state.time, &mut out);
        (out.into_bytes(), taken)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_order_repetition_and_split_over_lanes_gives_the_same_tiles(
            drawn in proptest::collection::vec((0_i64..300, 0_i64..1_440, 0_u32..2_000), 1..300),
            order in proptest::collection::vec((any::<u64>(), 0_u128..4, any::<bool>()), 400),
        ) {
            let events: Vec<Event> = drawn.iter().enumerate().map(|(at, drawn)| page_view(at, *drawn)).collect();
            let one_lane = (1..).zip(&events).map(|(seq, event)| numbered(event.clone(), 9, seq));
            let expected = tiles_after(one_lane);
            let mut counts = [0; 4];
            let mut shuffled: Vec<(u64, Event)> = Vec::new();
            for (event, (place, lane, twice)) in events.iter().zip(&order) {
                // Lane 0 stands for a sender without lanes.
                let event = if *lane == 0 { event.clone() } else {
                    counts[*lane as usize] += 1;
                    numbered(event.clone(), *lane, counts[*lane as usize])
                };
                if *twice {
                    shuffled.push((place.rotate_left(32), event.clone()));
                }
                shuffled.push((*place, event));
            }
            shuffled.sort_by_key(|(place, _)| *place);
            prop_assert_eq!(tiles_after(shuffled.into_iter().map(|(_, event)| event)), expected);
        }

        #[test]
        fn a_split_over_members_adds_up_to_the_tiles_of_one(
            drawn in proptest::collection::vec((0_i64..300, 0_i64..1_440, 0_u32..400, 0_usize..3, any::<u64>()), 1..200),
        ) {
            let table = signals();
            let (mut one, mut members) = (member(), [member(), member(), member()]);
            let mut events: Vec<(u64, usize, Event)> = Vec::new();
            for (at, (start, into, key, owner, place)) in drawn.iter().enumerate() {
                let event = page_view(at, (*start, *into, *key));
                absorb(&mut one, &record(event.clone()), &table);
                events.push((*place, *owner, event));
            }
            events.sort_by_key(|(place, _, _)| *place);
            for (_, owner, event) in events {
                absorb(&mut members[owner], &record(event), &table);
            }
            let mut merged = Tiles::default();
            for at in [2, 0, 1] {
                merged.merge(&members[at].tiles);
            }
            let bytes = |tiles: &Tiles| {
                let mut out = Writer::new();
                tiles.encode(one.time, &mut out);
                out.into_bytes()
            };
            prop_assert_eq!(bytes(&merged), bytes(&one.tiles));
        }

        #[test]
        fn a_state_goes_on_from_its_binary_form_as_if_it_had_never_left(
            drawn in proptest::collection::vec((0_i64..100, 0_i64..1_440, 0_u32..9), 1..40),
        ) {
            let (mut hot, mut cold, table) = (member(), member(), signals());
            for (seq, event) in (1..).zip(drawn.iter().enumerate().map(|(at, drawn)| page_view(at, *drawn))) {
                let record = record(numbered(event, 1, seq));
                let changes = (absorb(&mut hot, &record, &table), absorb(&mut cold, &record, &table));
                prop_assert_eq!(&changes.0, &changes.1);
                let Absorbed::Change(change) = changes.0 else { return Err(TestCaseError::fail("no change")) };
                prop_assert_eq!(Change::decode(&change.encode()), Ok(*change));
                let snapshot = cold.encode();
                cold = MemberState::decode(&snapshot).unwrap();
                prop_assert_eq!(cold.encode(), snapshot);
            }
            prop_assert_eq!(hot.encode(), cold.encode());
        }

        #[test]
        fn random_bytes_are_no_state(bytes: Vec<u8>) {
            prop_assert!(MemberState::decode(&seal(SnapshotKind::Member, &bytes)).is_err());
            let formatted: Vec<u8> = core::iter::once(2).chain(bytes).collect();
            prop_assert!(Change::decode(&formatted).is_err());
        }
    }

    #[test]
    fn a_number_is_taken_once_and_never_for_two_events() {
        let (mut state, table) = (member(), signals());
        let first = record(numbered(page_view(1, (0, 0, 1)), 1, 1));
        let other = record(numbered(page_view(2, (0, 0, 1)), 1, 1));
        assert!(matches!(absorb(&mut state, &first, &table), Absorbed::Change(change) if change.created));
        assert_eq!(absorb(&mut state, &first, &table), Absorbed::Duplicate);
        assert_eq!(absorb(&mut state, &other, &table), Absorbed::Conflict);
        let mut foreign = page_view(3, (0, 0, 1));
        foreign.member = MemberId(Box::from("other"));
        assert_eq!(absorb(&mut state, &record(foreign), &table), Absorbed::Ignored);
        assert_eq!(state.version(), 1);
    }

    #[test]
    fn what_is_handed_over_does_what_is_lent_and_comes_back_where_nothing_changes() {
        let (mut lent, mut handed, table) = (member(), member(), signals());
        let (lane, name) = (LaneId(Uuid::from_u128(1)), MemberId(Box::from("m")));
        let mut identify = event(9, IDENTIFY, r#"{"traits":{"plan":"pro"}}"#).into_event();
        identify.user_id = Some(Box::from("ada"));
        for record in [
            record(numbered(page_view(1, (0, 0, 1)), 1, 1)),
            record(numbered(page_view(1, (0, 0, 1)), 1, 1)),
            record(numbered(page_view(2, (0, 0, 1)), 1, 1)),
            record(numbered(identify, 1, 2)),
            record(page_view(3, (0, 0, 1))),
            Record::Void { member: name.clone(), lane, from: 1, to: 3 },
            Record::Clocks { member: name, clocks: Clocks::UTC, at: RECEIVED },
        ] {
            let expected = absorb(&mut lent, &record, &table);
            let (absorbed, back) = absorb_owned(&mut handed, record.clone(), &table);
            assert_eq!((&absorbed, &handed), (&expected, &lent));
            assert_eq!(back, (!matches!(absorbed, Absorbed::Change(_))).then_some(record));
        }
    }

    #[test]
    fn a_proven_user_links_the_member_and_takes_everything_along() {
        let (mut state, table) = (member(), signals());
        absorb(&mut state, &record(numbered(page_view(1, (0, 0, 1)), 1, 1)), &table);
        let mut identify = event(9, IDENTIFY, r#"{"traits":{"plan":"pro"}}"#).into_event();
        identify.user_id = Some(Box::from("ada"));
        let unproven = Record::Event {
            event: numbered(identify.clone(), 1, 2),
            received_at: RECEIVED,
            proven: false,
            facts: None,
        };
        let Absorbed::Change(change) = absorb(&mut state, &unproven, &table) else { panic!("no change") };
        assert_eq!((change.moved_from.as_ref(), &*change.profile.0), (None, "member:m"));
        identify.event_id = EventId(Uuid::from_u128(77));
        let Absorbed::Change(change) = absorb(&mut state, &record(numbered(identify, 1, 3)), &table) else {
            panic!("no change")
        };
        assert_eq!(change.moved_from, Some(ProfileId(Box::from("member:m"))));
        assert_eq!(change.profile, ProfileId::of_user("ada"));
        assert_eq!(change.tiles, TileChanges::Whole(state.tiles.clone()));
        assert_eq!(change.lanes.len(), 1);
        assert_eq!(state.traits.get("plan"), Some(crate::value::ValueRef::Text("pro")));
    }

    #[test]
    fn voids_and_closes_are_changes_once() {
        let (mut state, table) = (member(), signals());
        let lane = LaneId(Uuid::from_u128(1));
        let member = MemberId(Box::from("m"));
        let void = Record::Void { member: member.clone(), lane, from: 1, to: 2 };
        let close = Record::Close { member, lane, count: 2, at: RECEIVED };
        for record in [&void, &close] {
            assert!(matches!(absorb(&mut state, record, &table), Absorbed::Change(_)));
            assert_eq!(absorb(&mut state, record, &table), Absorbed::Duplicate);
        }
        assert!(state.lanes.get(lane).unwrap().is_complete());
        assert_eq!(
            absorb(&mut state, &Record::Bundle { revision: 1, at: RECEIVED, bytes: Box::default() }, &table),
            Absorbed::Ignored
        );
    }
}
