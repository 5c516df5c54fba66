//! The step that takes a member's change into its profile, and the one that lets time pass.

use super::firing::{Firing, Moment};
use super::state::ProfileState;
use super::{Outcome, Processor};
use crate::condition::{Consent, Outlook};
use crate::profile::{Change, EventDocument};
use crate::rules::latch;
use crate::time::Timestamp;
use crate::value::{Packed, parse};
use alloc::vec::Vec;

/// Takes a change in, of a member who has agreed to some purposes; one that is no newer than what the state has of the member changes nothing.
pub(super) fn combine(
    processor: &Processor,
    state: &mut ProfileState,
    change: &Change,
    (granted, left): (Consent, Option<&mut ProfileState>),
) -> Outcome {
    if state.version_of(&change.member) >= change.version {
        return Outcome { wake_at: state.wake, ..Outcome::default() };
    }
    if state.version == 0 {
        state.profile = change.profile.clone();
    }
    if change.is_backfill() {
        // Nothing is judged by it: a trigger that comes with the signal is armed at the profile's next record, once all
        // its members are filled.
        state.agenda.forget();
        state.apply(change, processor.counted());
        state.version = state.version.saturating_add(1);
        return Outcome { wake_at: state.wake, changed: true, ..Outcome::default() };
    }
    let mut firings = Vec::new();
    let active = processor.active_after(state, change);
    if state.is_vacant() {
        processor.arm(state, active, &mut firings);
    }
    processor.let_pass(state, change.time, &mut firings);
    // What has fired for the one who comes stays fired, so nothing may be armed once that is known here.
    processor.arm(state, active, &mut firings);
    let mut brought = 0;
    if let Some(left) = left.filter(|left| left.version_of(&change.member) < change.version) {
        processor.let_pass(left, change.time, &mut firings);
        state.join(left);
        brought = left.release(&change.member, change.version);
    }
    state.apply(change, processor.counted());
    if let Some(part) = state.parts.get_mut(&change.member) {
        part.events = part.events.saturating_add(brought);
        state.agenda.touch(active, change, &part.tiles);
    }
    if let Some(document) = &change.event {
        let from = firings.len();
        processor.judge_event(state, (document, change.context.as_deref()), granted, &mut firings);
        let moment = Moment::of_event(document.event(), state.time, active.bundle.revision);
        processor.judge_levels(state, active, moment, &mut firings);
        firings.get_mut(from..).unwrap_or_default().sort_by(|a, b| a.rule.cmp(&b.rule));
    }
    state.version = state.version.saturating_add(1);
    Outcome { firings, wake_at: state.wake, changed: true }
}

/// Lets time pass up to a logged wake-up.
pub(super) fn wake(processor: &Processor, state: &mut ProfileState, at: Timestamp) -> Outcome {
    let mut firings = Vec::new();
    processor.let_pass(state, at, &mut firings);
    Outcome { firings, wake_at: state.wake, changed: false }
}

impl Processor {
    /// Judges the event rules of its member's bundle at an event that is counted already: latches for slots, of granted
    /// purposes, and firings for triggers.
    fn judge_event(
        &self,
        state: &mut ProfileState,
        (document, context): (&EventDocument, Option<&str>),
        granted: Consent,
        firings: &mut Vec<Firing>,
    ) {
        let event = document.event();
        let active = self.active_for(Some(&event.member));
        if active.gates.is_open(&event.event_type) {
            return;
        }
        let rules = &active.bundle.rules;
        // What is no JSON says nothing; the collector writes none such.
        let read = || context.and_then(|text| parse(text).ok()).unwrap_or_default();
        let context = if active.gates.look_beyond(&event.event_type) { read() } else { Packed::default() };
        let scene = self.scene(active, (state.time, Some(document)), context.get());
        let matches = state.read(scene, &mut Outlook::default(), |visitor, _| {
            active.gates.judge(rules, visitor, &event.event_type)
        });
        for matched in matches {
            let Some(rule) = rules.get(matched.rule) else { continue };
            if rule.has_slot() {
                let set = latch(&rule, matched.key, event).filter(|_| granted.grants(rule.purpose()));
                set.into_iter().for_each(|latch| state.latch(latch));
            } else {
                let moment = Moment::of_event(event, state.time, active.bundle.revision);
                firings.extend(state.fire(&rule, matched.key, moment));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{World, cart, changed_shop, login, view};
    use super::*;
    use crate::condition::{Calendar, Condition};
    use crate::id::MemberId;
    use crate::time::Span;
    use crate::value::ValueRef;
    use crate::wire::Event;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    const MINUTE_MS: i64 = 60_000;

    fn world(events: impl IntoIterator<Item = Event>) -> World {
        let mut world = World::new();
        events.into_iter().for_each(|event| {
            world.track(event);
        });
        world
    }

    proptest! {
        #[test]
        fn growing_conditions_fire_alike_in_any_order(
            drawn in proptest::collection::vec((0_u8..3, 0_i64..600, 0_u128..3, 0_u8..4), 1..80),
            order in proptest::collection::vec(any::<u64>(), 80),
        ) {
            let mut seq = 0;
            let events: Vec<Event> = drawn.iter().map(|(member, at, session, category)| {
                seq += 1;
                view(["a", "b", "c"][usize::from(*member)], seq, *at, *session, ["x", "y", "z", "w"][usize::from(*category)])
            }).collect();
            let mut shuffled: Vec<(u64, Event)> = order.into_iter().zip(events.iter().cloned()).collect();
            shuffled.sort_by_key(|(place, _)| *place);
            let (one, other) = (world(events.clone()), world(shuffled.into_iter().map(|(_, event)| event)));
            let fired = |world: &World| {
                let named = world.firings.iter().map(|firing| (firing.rule.clone(), firing.profile.clone(), firing.key.clone()));
                let mut named: Vec<_> = named.collect();
                named.sort();
                named
            };
            prop_assert_eq!(fired(&one), fired(&other));
            let mut views: BTreeMap<(MemberId, u128, String), u32> = BTreeMap::new();
            for ((_, _, session, category), event) in drawn.iter().zip(&events) {
                *views.entry((event.member.clone(), *session, String::from(["x", "y", "z", "w"][usize::from(*category)]))).or_default() += 1;
            }
            prop_assert_eq!(one.firings.len(), views.values().filter(|count| **count >= 3).count());
            // The same order of records gives the same firings, to the id.
            prop_assert_eq!(world(events).firings, one.firings);
        }
    }

    #[test]
    fn the_third_view_of_a_category_fires_once_a_session_and_sets_a_latch() {
        let world = world((1..=5).map(|seq| view("a", seq, seq as i64, 1, "shoes")));
        assert_eq!(world.fired(), [("third-view", "shoes", 3 * MINUTE_MS)]);
        let [latch] = world.profile("member:a").latches() else { panic!("no latch") };
        assert_eq!(
            (&*latch.rule, latch.key.as_deref(), latch.at.0),
            ("banner", Some("shoes"), 5 * MINUTE_MS)
        );
    }

    #[test]
    fn time_alone_fires_a_level_trigger_at_its_wake_up_and_only_once() {
        let mut world = World::new();
        let due = 40 * MINUTE_MS + 1;
        assert_eq!(world.track(cart("a", 1, 10)).wake_at, Some(Timestamp(due)));
        assert_eq!(world.wake("member:a", due).firings.len(), 1);
        assert_eq!(world.wake("member:a", due).firings.len(), 0);
        world.track(view("a", 2, 50, 1, "shoes"));
        assert_eq!(world.fired(), [("rescue", "", due)]);
        world.track(cart("a", 3, 60));
        world.track(view("a", 4, 95, 1, "shoes"));
        assert_eq!(world.fired().len(), 2, "the condition was false in between");
    }

    #[test]
    fn a_scheduled_trigger_fires_when_it_comes_on_and_wakes_nobody_for_whom_all_else_does_not_hold() {
        let mut world = World::new();
        let hours = Span { from_minute: 60, minutes: 60, ..Span::default() };
        let scheduled = changed_shop(1, |rules| {
            let schedule = Condition::Calendar(Calendar { span: hours, zone: None });
            rules[1].when = Condition::All(vec![rules[1].when.clone(), schedule]);
            rules[1].terms.is_scheduled = true;
        });
        world.processor.set_bundle(scheduled, Timestamp(0));
        assert_eq!(world.track(view("a", 1, 1, 1, "shoes")).wake_at, None);
        world.track(cart("a", 2, 10));
        let due = world.wake("member:a", 40 * MINUTE_MS + 1);
        assert_eq!((due.firings.len(), due.wake_at), (0, Some(Timestamp(60 * MINUTE_MS))));
        world.wake("member:a", 60 * MINUTE_MS);
        assert_eq!(world.fired(), [("rescue", "", 60 * MINUTE_MS)]);
    }

    #[test]
    fn an_event_after_a_due_instant_fires_what_the_wake_up_would_have_fired() {
        let (mut woken, late) =
            (world([cart("a", 1, 10)]), world([cart("a", 1, 10), view("a", 2, 90, 1, "shoes")]));
        woken.wake("member:a", 40 * MINUTE_MS + 1);
        assert_eq!(woken.firings, late.firings);
        assert_eq!(late.firings.len(), 1);
    }

    #[test]
    fn a_new_trigger_is_silent_for_those_it_already_holds_for() {
        let published = |at_minutes: i64, on_publish: bool| {
            let mut world = World::new();
            let bundle = changed_shop(1, |rules| rules.retain(|rule| &*rule.id != "rescue"));
            world.processor.set_bundle(bundle, Timestamp(0));
            world.track(cart("a", 1, 10));
            let bundle = changed_shop(2, |rules| {
                rules.iter_mut().for_each(|rule| rule.fire_on_publish = on_publish);
            });
            world.processor.set_bundle(bundle, Timestamp(at_minutes * MINUTE_MS));
            world.track(view("a", 2, 90, 1, "shoes"));
            world.track(view("a", 3, 91, 1, "shoes"));
            world.firings.iter().map(|firing| firing.at.0).collect::<Vec<_>>()
        };
        assert!(published(60, false).is_empty());
        assert_eq!(published(60, true), [60 * MINUTE_MS]);
        assert_eq!(published(20, false), [40 * MINUTE_MS + 1], "it was not due when it was published");
    }

    #[test]
    fn a_login_joins_two_browsers_and_what_fired_stays_fired() {
        let mut world = World::new();
        for seq in 1..=3 {
            world.track(view("a", seq, seq as i64, 1, "shoes"));
        }
        world.track(view("b", 1, 4, 2, "hats"));
        world.track(cart("a", 4, 5));
        world.wake("member:a", 35 * MINUTE_MS + 1);
        world.track(login("a", 5, 40, "ada"));
        let versions = world.profile("user:ada").version();
        world.track(login("b", 2, 41, "ada"));
        world.track(view("a", 6, 42, 1, "shoes"));
        assert_eq!(
            world.fired(),
            [("rescue", "", 35 * MINUTE_MS + 1), ("third-view", "shoes", 3 * MINUTE_MS)]
        );
        let ada = world.profile("user:ada");
        assert!(ada.version() > versions && world.profile("member:a").is_vacant());
        assert_eq!((ada.members().count(), ada.events(), ada.latches().len()), (2, 8, 1));
        let seen = world.processor.view(ada, &MemberId(Box::from("b")));
        assert_eq!(seen.user_id.as_deref(), Some("ada"));
        assert!(!seen.others.is_empty() && seen.lanes.len() == 1);
        assert_eq!(seen.traits.get("plan"), Some(ValueRef::Text("pro")));
    }

    #[test]
    fn a_session_seen_from_two_browsers_of_one_user_adds_up() {
        let mut world = World::new();
        world.track(login("a", 1, 0, "ada"));
        world.track(login("b", 1, 0, "ada"));
        world.track(view("a", 2, 1, 7, "shoes"));
        world.track(view("b", 2, 2, 7, "shoes"));
        world.track(view("b", 3, 3, 7, "shoes"));
        assert_eq!(world.fired(), [("third-view", "shoes", 3 * MINUTE_MS)]);
    }
}
