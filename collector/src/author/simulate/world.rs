//! One world of a simulation: a bundle, and every visitor as that bundle sees them.

use super::marks::Marks;
use crate::limits::{MAX_SIMULATED_VISITORS, MAX_SIMULATED_WAKES};
use attune_core::bundle::Bundle;
use attune_core::condition::Engine;
use attune_core::id::{EventId, MemberId, ProfileId, SessionId, derived_uuid};
use attune_core::limits::SESSION_IDLE_MS;
use attune_core::processor::{Firing, Processor, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState};
use attune_core::rules::Decision;
use attune_core::time::Timestamp;
use attune_core::value::ValueRef;
use attune_core::wire::{Event, Record, SHOWN};
use std::collections::BTreeMap;

/// A bundle and its visitors.
pub struct World {
    processor: Processor,
    members: BTreeMap<MemberId, MemberState>,
    seats: BTreeMap<ProfileId, Seat>,
}

/// One visitor.
#[derive(Default)]
struct Seat {
    state: ProfileState,
    /// What the page shows.
    current: Vec<Decision>,
    /// When time alone may change what it shows.
    wake_at: Option<Timestamp>,
    /// Until when the page counts as open.
    open_until: Timestamp,
    session: Option<SessionId>,
    marks: Marks,
}

impl World {
    /// A world without visitors, in which the bundle has always been in effect.
    pub fn new(mut bundle: Bundle) -> Self {
        bundle.revision = bundle.revision.max(1);
        let mut processor = Processor::asking(Box::new(Engine::default()));
        processor.set_bundle(bundle, Timestamp(0));
        Self { processor, members: BTreeMap::new(), seats: BTreeMap::new() }
    }

    /// The bundle.
    pub const fn bundle(&self) -> &Bundle {
        self.processor.bundle()
    }

    /// Takes a record of the log in and says what fires; wake-ups and bundles are this world's own affair.
    ///
    /// # Errors
    /// There are more visitors than a simulation keeps.
    pub fn take(&mut self, record: &Record) -> Result<Vec<Firing>, String> {
        let member = match record {
            Record::Event { event, .. } => &event.member,
            Record::Void { member, .. } | Record::Close { member, .. } | Record::Clocks { member, .. } => {
                member
            }
            Record::WakeUp { .. }
            | Record::Bundle { .. }
            | Record::Rollout { .. }
            | Record::Erase { .. }
            | Record::Refused(_)
            | Record::Replayed(_)
            | Record::Blank => return Ok(Vec::new()),
        };
        if self.members.len() >= MAX_SIMULATED_VISITORS && !self.members.contains_key(member) {
            return Err(format!(
                "the log has more than {MAX_SIMULATED_VISITORS} visitors, which is the limit"
            ));
        }
        let mut firings = Vec::new();
        self.absorb(member, record, &mut firings);
        Ok(firings)
    }

    fn absorb(&mut self, member: &MemberId, record: &Record, firings: &mut Vec<Firing>) {
        let state = self.members.entry(member.clone()).or_insert_with(|| MemberState::new(member.clone()));
        let Absorbed::Change(change) = self.processor.absorb(state, record) else { return };
        let mut left = change.moved_from.as_ref().and_then(|from| self.seats.remove(from));
        let mut seat = self.seats.remove(&change.profile).unwrap_or_default();
        if change.event.is_some() {
            self.pass_time(&mut seat, change.time, firings);
        }
        let left_state = left.as_mut().map(|left| &mut left.state);
        firings.extend(self.processor.combine(&mut seat.state, &change, left_state).firings);
        if let (Some(mut left), Some(from)) = (left, &change.moved_from) {
            if left.state.is_vacant() {
                // The visitor that has become another one is counted as that one.
                seat.marks.join(std::mem::take(&mut left.marks));
            }
            self.seats.insert(from.clone(), left);
        }
        if change.event.is_some() {
            self.open(&mut seat, &change);
            self.decide(&mut seat, firings);
        }
        self.seats.insert(change.profile.clone(), seat);
    }

    /// The page is open from its event on; a new session, or an event after the page was closed, is a new page load.
    fn open(&self, seat: &mut Seat, change: &Change) {
        let session = change.event.as_ref().and_then(|document| document.event().session);
        let is_new = session.is_some() && session != seat.session || change.time > seat.open_until;
        if is_new {
            seat.current.clear();
        }
        seat.session = session.or(seat.session);
        seat.open_until = seat.open_until.max(change.time.plus(SESSION_IDLE_MS));
    }

    /// Lets time pass where the page is open, so that what time alone changes is seen.
    fn pass_time(&mut self, seat: &mut Seat, to: Timestamp, firings: &mut Vec<Firing>) {
        let until = to.min(seat.open_until);
        for _ in 0..MAX_SIMULATED_WAKES {
            let Some(at) = seat.wake_at.filter(|at| *at <= until) else { return };
            firings.extend(self.processor.wake(&mut seat.state, at).firings);
            self.decide(seat, firings);
            if seat.wake_at.is_some_and(|next| next <= at) {
                seat.wake_at = None;
            }
        }
    }

    /// Decides every slot, and shows what is newly shown under a cap, which may change what comes next.
    fn decide(&mut self, seat: &mut Seat, firings: &mut Vec<Firing>) {
        for _ in 0..MAX_SIMULATED_WAKES {
            let decided = self.processor.decide(&mut seat.state, ValueRef::Null, &seat.current);
            seat.wake_at = decided.wake_at;
            let (now, mut shown) = (seat.state.time(), Vec::new());
            for change in decided.changes {
                let held = seat.current.iter().position(|held| held.slot == change.slot);
                let before = held.map(|place| seat.current.remove(place));
                let same = |before: &Decision, after: &Decision| {
                    (&before.rule, &before.key, &before.actions) == (&after.rule, &after.key, &after.actions)
                };
                let is_same = before.as_ref().zip(change.decision.as_ref()).is_some_and(|(a, b)| same(a, b));
                if !is_same {
                    seat.marks.note_change(&change.slot, change.decision.as_ref(), now);
                }
                if let (true, Some(decision)) = (change.is_shown, &change.decision) {
                    shown.push((decision.rule.clone(), decision.key.clone()));
                }
                seat.current.extend(change.decision);
            }
            if shown.is_empty() {
                return;
            }
            for (rule, key) in shown {
                self.show(seat, &rule, key.as_deref().unwrap_or_default(), firings);
            }
        }
    }

    /// Tracks a showing as the page would.
    fn show(&mut self, seat: &mut Seat, rule: &str, key: &str, firings: &mut Vec<Firing>) {
        let Some(member) = seat.state.members().next().cloned() else { return };
        let at = seat.state.time();
        let name = format!("shown {} {} {} {key} {at}", seat.state.profile().0, seat.state.version(), rule);
        let event = Event {
            event_id: EventId(derived_uuid(&name)),
            event_type: Box::from(SHOWN),
            timestamp: at,
            member: member.clone(),
            lane: None,
            session: seat.session,
            user_id: None,
            metadata: Some(serde_json::json!({"rule": rule, "key": key}).to_string().into_boxed_str()),
        };
        let record = Record::Event { event, received_at: at, proven: false, facts: None };
        let Some(state) = self.members.get_mut(&member) else { return };
        if let Absorbed::Change(change) = self.processor.absorb(state, &record) {
            firings.extend(self.processor.combine(&mut seat.state, &change, None).firings);
        }
    }

    /// Every visitor, in order.
    pub fn profiles(&self) -> Vec<ProfileId> {
        self.seats.keys().cloned().collect()
    }

    /// Lets time pass to the end of the log for one visitor and says what fires.
    pub fn finish(&mut self, profile: &ProfileId, end: Timestamp) -> Vec<Firing> {
        let mut firings = Vec::new();
        if let Some(mut seat) = self.seats.remove(profile) {
            self.pass_time(&mut seat, end, &mut firings);
            if !seat.state.is_vacant() {
                firings.extend(self.processor.wake(&mut seat.state, end).firings);
            }
            self.seats.insert(profile.clone(), seat);
        }
        firings
    }

    /// Notes what has fired, and what of it has not fired in the other world.
    pub fn note_firings(&mut self, fired: &[Firing], other: &[Firing]) {
        for firing in fired {
            let Some(seat) = self.seats.get_mut(&firing.profile) else { continue };
            *seat.marks.fired.entry(firing.rule.clone()).or_default() += 1;
            if !other.iter().any(|other| other.id == firing.id) {
                *seat.marks.fired_alone.entry(firing.rule.clone()).or_default() += 1;
            }
        }
    }

    /// What is known of every visitor that has not become another one, in order.
    pub fn visitors(&self) -> impl Iterator<Item = (&ProfileId, &Marks)> {
        let seats = self.seats.iter().filter(|(_, seat)| !seat.state.is_vacant());
        seats.map(|(profile, seat)| (profile, &seat.marks))
    }
}
