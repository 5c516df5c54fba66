//! The bundles that are active: the one in effect, and beside it one that a share of all units gets.

use super::active::Active;
use super::{Processor, ProfileState};
use crate::bundle::{Bundle, is_in_share};
use crate::id::{MemberId, SignalId};
use crate::profile::{Change, Signal, SignalRef, SignalTable};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// A bundle that a share of all units gets instead of the one in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// The candidate.
    pub bundle: Bundle,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
    /// Divides the units; a share that grows under one seed keeps the units it had.
    pub seed: Box<str>,
}

/// A rollout under way.
#[derive(Debug)]
pub(super) struct Staged {
    active: Active,
    share: u32,
    seed: Box<str>,
    /// The signals of both bundles, each once.
    counted: SignalTable,
}

impl Processor {
    /// Lets a share of all members get another bundle from an instant on, or, with none, no longer. Which of them do is a
    /// hash of seed and member, as in their pages.
    ///
    /// What a member's event sets off is judged by the bundle of that member, what a profile stands at and what time alone
    /// fires by that of its member with the latest event: a profile with members in both is in one of them at a time, and
    /// whoever goes over arms the triggers that only the other has as if they were published, but each is published to a
    /// profile once. The signals of both are counted for everybody, so that no value depends on who is in the share.
    pub fn set_rollout(&mut self, rollout: Option<Rollout>, at: Timestamp) {
        let (known, is_first) = (self.known_signals(), self.current.bundle.revision == 0);
        self.rollout = rollout.map(|Rollout { bundle, share, seed }| Staged {
            active: Active::new(bundle, at),
            share,
            seed,
            counted: SignalTable::default(),
        });
        self.count_for_both(&known, at, is_first);
    }

    /// Revision, share and seed of the candidate, during a rollout.
    pub fn rollout_terms(&self) -> Option<(u64, u32, &str)> {
        self.rollout.as_ref().map(|staged| (staged.active.bundle.revision, staged.share, &*staged.seed))
    }

    /// The bundle by which a profile stands.
    pub fn bundle_of(&self, state: &ProfileState) -> &Bundle {
        &self.active_of(state).bundle
    }

    /// The signals that are counted: those of the bundle in effect and, during a rollout, of the candidate.
    pub fn counted(&self) -> &SignalTable {
        self.rollout.as_ref().map_or(&self.current.bundle.signals, |staged| &staged.counted)
    }

    pub(super) fn known_signals(&self) -> BTreeSet<SignalId> {
        self.counted().iter().map(|signal| signal.id).collect()
    }

    /// Brings what is counted to the active bundles, and notes which signals came with them at an instant: none where they
    /// are the first.
    pub(super) fn count_for_both(&mut self, known: &BTreeSet<SignalId>, at: Timestamp, is_first: bool) {
        if let Some(staged) = &mut self.rollout {
            staged.counted = signals_of_both(&self.current.bundle.signals, &staged.active.bundle.signals);
        }
        let mut published = core::mem::take(&mut self.published);
        published.retain(|(_, id, _)| self.counted().by_id(*id).is_some());
        if !is_first {
            let fresh = self.counted().iter().filter(|signal| !known.contains(&signal.id));
            published.extend(fresh.map(|signal| (at, signal.id, signal.window)));
            published.sort_by_key(|(at, _, _)| *at);
        }
        self.published = published;
    }

    /// The active bundle of a member; of nobody, the one in effect.
    pub(super) fn active_for(&self, member: Option<&MemberId>) -> &Active {
        match (&self.rollout, member) {
            (Some(staged), Some(member)) if is_in_share(&staged.seed, &member.0, staged.share) => {
                &staged.active
            }
            _ => &self.current,
        }
    }

    /// The active bundle by which a profile stands, of its member with the latest event; a vacant one stays where it is.
    pub(super) fn active_of(&self, state: &ProfileState) -> &Active {
        let Some(staged) = &self.rollout else { return &self.current };
        match state.latest_member() {
            None if state.armed_revision == Some(staged.active.bundle.revision) => &staged.active,
            member => self.active_for(member),
        }
    }

    /// The same once a change is in.
    pub(super) fn active_after(&self, state: &ProfileState, change: &Change) -> &Active {
        match &self.rollout {
            Some(_) => self.active_for(Some(state.latest_member_after(change))),
            None => &self.current,
        }
    }

    /// The other bundle of a rollout.
    pub(super) fn active_beside(&self, active: &Active) -> Option<&Active> {
        let both = [Some(&self.current), self.rollout.as_ref().map(|staged| &staged.active)];
        both.into_iter().flatten().find(|other| other.bundle.revision != active.bundle.revision)
    }
}

/// Each definition once; it asks for the past where either bundle does.
fn signals_of_both(current: &SignalTable, candidate: &SignalTable) -> SignalTable {
    let mut signals: BTreeMap<SignalId, Signal> = BTreeMap::new();
    for signal in current.iter().chain(candidate.iter()) {
        let asks = signal.backfill;
        let known = signals.entry(signal.id).or_insert_with(|| SignalRef::to_signal(signal));
        known.backfill |= asks;
    }
    SignalTable::new(&signals.into_values().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RECEIVED, SEED, World, candidate, cart, halved, login, shop, view};
    use super::*;
    use crate::profile::Warming;
    use crate::wire::Event;
    use proptest::prelude::*;

    const MINUTE_MS: i64 = 60_000;
    const MEMBERS: [&str; 4] = ["a", "b", "c", "d"];

    fn member(name: &str) -> MemberId {
        MemberId(Box::from(name))
    }

    fn world(bundle: Bundle, rollout: Option<Rollout>) -> World {
        let mut world = World::default();
        world.processor.set_bundle(bundle, Timestamp(0));
        world.processor.set_rollout(rollout, Timestamp(0));
        world
    }

    /// What fired and what is latched for a member that is a profile of its own.
    fn fate(world: &World, name: &str) -> (Vec<super::super::Firing>, Vec<crate::profile::Latch>) {
        let fired = world.firings.iter().filter(|firing| firing.member == member(name)).cloned().collect();
        let profile = crate::id::ProfileId(alloc::format!("member:{name}").into());
        (fired, world.profiles.get(&profile).map(|it| it.latches().to_vec()).unwrap_or_default())
    }

    proptest! {
        #[test]
        fn everybody_fares_as_if_the_bundle_they_get_were_that_of_all(
            drawn in proptest::collection::vec((0..4_usize, 0..4_u8, 0..200_i64, 0..3_u128), 1..60),
            share in 0..=10_000_u32,
        ) {
            let events = (1..).zip(&drawn).map(|(seq, (who, kind, at, session))| match kind {
                0 => cart(MEMBERS[*who], seq, *at),
                _ => view(MEMBERS[*who], seq, *at, *session, "shoes"),
            });
            let events: Vec<Event> = events.collect();
            let rollout = Rollout { share, ..halved(candidate(2)) };
            let mut both = world(shop(1), Some(rollout));
            let (mut one, mut other) = (world(shop(1), None), world(candidate(2), None));
            for world in [&mut both, &mut one, &mut other] {
                events.iter().for_each(|event| { world.track(event.clone()); });
            }
            for name in MEMBERS {
                let is_in = is_in_share(SEED, name, share);
                prop_assert_eq!(both.processor.active_for(Some(&member(name))).bundle.revision, if is_in { 2 } else { 1 });
                prop_assert_eq!(fate(&both, name), fate(if is_in { &other } else { &one }, name));
            }
        }
    }

    #[test]
    fn a_profile_in_both_fires_nothing_twice_however_often_it_goes_over() {
        let mut world = world(shop(1), None);
        world.track(login("a", 1, 0, "ada"));
        world.track(login("b", 1, 1, "ada"));
        world.track(cart("a", 2, 10));
        world.processor.set_rollout(Some(halved(candidate(2))), Timestamp(12 * MINUTE_MS));
        // a is by the bundle in effect, b by the candidate, which is published to the profile once.
        world.track(view("a", 3, 13, 1, "shoes"));
        assert_eq!(world.fired(), []);
        world.track(view("b", 2, 14, 2, "hats"));
        assert_eq!(world.fired(), [("ready", "", 14 * MINUTE_MS)]);
        for seq in 0..20 {
            let (who, at) = (["a", "b"][usize::from(seq % 2 == 1)], 15 + seq as i64);
            world.track(view(who, 10 + seq, at, 10 + u128::from(seq), "caps"));
        }
        // By b's bundle the cart waits since 20 minutes; a's would say so after 40, and by then it is known.
        assert_eq!(world.fired(), [("ready", "", 14 * MINUTE_MS), ("rescue", "", 20 * MINUTE_MS + 1)]);
    }

    #[test]
    fn what_has_fired_by_the_candidate_stays_fired_after_a_login() {
        // b comes after a, before it, and after it with an event that happened before a's.
        for logins in [[("a", 12), ("b", 13)], [("b", 12), ("a", 13)], [("a", 14), ("b", 12)]] {
            let mut world = world(shop(1), Some(halved(candidate(2))));
            world.track(cart("b", 1, 10));
            world.track(view("b", 2, 11, 1, "shoes"));
            assert_eq!(world.fired(), [("ready", "", 10 * MINUTE_MS + 1)], "{logins:?}");
            for (who, at) in logins {
                world.track(login(who, 3, at, "ada"));
            }
            world.track(view("b", 4, 15, 1, "hats"));
            assert_eq!(world.fired().len(), 1, "{logins:?}");
        }
    }

    #[test]
    fn the_signals_of_both_are_counted_for_everybody_and_warm_up_once() {
        let mut world = world(shop(1), None);
        world.track(view("a", 1, 1, 1, "shoes"));
        let started = RECEIVED.plus(1);
        world.processor.set_rollout(Some(halved(candidate(2))), started);
        assert_eq!(world.processor.counted().len(), 3);
        world.track(view("a", 2, 2, 1, "shoes"));
        let variety = candidate(2).signals;
        let warming = |world: &World| world.profile("member:a").warming(&variety);
        let since = Warming { since: started, until: None };
        assert_eq!(warming(&world), [("variety", since)]);
        // It stays so when the candidate is promoted.
        world.processor.set_bundle(candidate(3), RECEIVED);
        world.processor.set_rollout(None, RECEIVED);
        world.track(view("a", 3, 3, 1, "shoes"));
        assert_eq!(warming(&world), [("variety", since)]);
        assert_eq!(world.processor.rollout_terms(), None);
    }
}
