//! Base and overlay: what the collector has confirmed, and this browser's own events outside of it.
//!
//! A value is read as base + others + overlay. An event is in exactly one of them: it leaves the overlay when the
//! base's ranges cover its number, when it folds into the base, or when it is given up.

use crate::id::EventId;
use crate::limits::OVERLAY_EVENTS;
use crate::profile::{EventDocument, Lanes, ProfileView, SignalTable, Tiles, Traits};
use crate::queue::Ticket;
use crate::time::Timestamp;
use crate::wire::Event;
use alloc::vec::Vec;

/// The visitor's own recent past beside the pushed base.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    base: ProfileView,
    /// Numbers that have folded into the base before the collector confirmed them.
    folded: Lanes,
    /// Whether the next view is the base whatever its version, because the stream begins anew.
    follows_gap: bool,
    events: Vec<EventDocument>,
    tiles: Tiles,
    traits: Traits,
    latest: Timestamp,
    skew_ms: i64,
}

impl Overlay {
    /// The base as pushed, plus what has folded into it.
    pub const fn base(&self) -> &ProfileView {
        &self.base
    }

    /// The tiles that add up to the live values.
    pub const fn parts(&self) -> [&Tiles; 3] {
        [&self.base.own, &self.base.others, &self.tiles]
    }

    /// Traits with this browser's own unconfirmed ones applied.
    pub const fn traits(&self) -> &Traits {
        &self.traits
    }

    /// Whether this event is here.
    pub fn holds(&self, id: EventId) -> bool {
        self.events.iter().any(|document| document.event().event_id == id)
    }

    /// The event counted last.
    pub fn newest(&self) -> Option<&EventDocument> {
        self.events.last()
    }

    /// Adds an own event unless it is counted already; returns the events that folded into the base to make room.
    pub fn push(&mut self, mut document: EventDocument, signals: &SignalTable) -> Vec<Ticket> {
        if self.covers(document.event()) || self.holds(document.event().event_id) {
            return Vec::new();
        }
        document.shift(self.skew_ms);
        self.count(&document, signals);
        self.events.push(document);
        let mut folded = Vec::new();
        if self.events.len() <= OVERLAY_EVENTS {
            return folded;
        }
        // What is left is counted anew after folding, so a quarter goes at once.
        let newest = self.events.split_off(self.events.len() - (OVERLAY_EVENTS - OVERLAY_EVENTS / 4));
        for oldest in core::mem::replace(&mut self.events, newest) {
            self.fold(&oldest, signals);
            folded.push(ticket(&oldest));
        }
        self.rebuild(signals);
        folded
    }

    /// Takes events out that were given up; the base stays. Returns whether there was one.
    #[inline(never)]
    pub fn remove(&mut self, given_up: &[Ticket], signals: &SignalTable) -> bool {
        let before = self.events.len();
        self.events.retain(|document| !given_up.contains(&ticket(document)));
        let removed = self.events.len() != before;
        if removed {
            self.rebuild(signals);
        }
        removed
    }

    /// Counts own events in the collector's time: by how much it has shifted those that it received.
    pub fn set_skew(&mut self, skew_ms: i64, signals: &SignalTable) {
        let change = skew_ms - self.skew_ms;
        self.skew_ms = skew_ms;
        self.events.iter_mut().for_each(|document| document.shift(change));
        self.rebuild(signals);
    }

    /// By how much this clock is behind the collector's, as far as that is known.
    pub const fn skew_ms(&self) -> i64 {
        self.skew_ms
    }

    /// Says that the stream begins anew: the next view is the newest there is.
    pub const fn expect_any_base(&mut self) {
        self.follows_gap = true;
    }

    /// Takes a pushed or stored view as the new base if it is no older and covers what has folded; returns the events
    /// that leave the overlay for it, or nothing when the base stays.
    #[inline(never)]
    pub fn replace_base(
        &mut self,
        view: ProfileView,
        signals: &SignalTable,
        now: Timestamp,
    ) -> Option<Vec<Ticket>> {
        // Versions are those of one profile. A member's own comes before that of the user to whom the member is linked.
        let is_older = if view.user_id == self.base.user_id {
            view.version < self.base.version
        } else {
            view.user_id.is_none()
        };
        if (is_older && !self.follows_gap) || !view.lanes.contains(&self.folded, now) {
            return None;
        }
        self.base = view;
        self.folded = Lanes::default();
        self.follows_gap = false;
        let mut covered = Vec::new();
        let mut events = core::mem::take(&mut self.events);
        events.retain(|document| {
            let stays = !self.covers(document.event());
            if !stays {
                covered.push(ticket(document));
            }
            stays
        });
        self.events = events;
        self.rebuild(signals);
        Some(covered)
    }

    /// Computes the overlay's tiles and traits afresh, as after a change of the signals.
    #[inline(never)]
    pub fn rebuild(&mut self, signals: &SignalTable) {
        self.latest = Timestamp::default();
        self.tiles = Tiles::default();
        self.traits = self.base.traits.clone();
        let events = core::mem::take(&mut self.events);
        events.iter().for_each(|document| self.count(document, signals));
        self.events = events;
    }

    /// Begins with another member: nothing of the one before stays.
    pub fn clear(&mut self) {
        *self = Self { skew_ms: self.skew_ms, ..Self::default() };
    }

    /// Restores the base that an earlier page load stored.
    pub fn restore_base(&mut self, base: ProfileView, signals: &SignalTable) {
        self.base = base;
        self.rebuild(signals);
    }

    fn covers(&self, event: &Event) -> bool {
        event.lane.is_some_and(|number| self.base.lanes.covers(number.lane, number.seq))
    }

    fn count(&mut self, document: &EventDocument, signals: &SignalTable) {
        self.latest = self.latest.max(document.event().timestamp);
        self.tiles.apply(signals, document, self.latest);
        self.traits.apply(document);
    }

    #[inline(never)]
    fn fold(&mut self, document: &EventDocument, signals: &SignalTable) {
        let event = document.event();
        if let Some(number) = event.lane {
            self.base.lanes.note(number.lane, number.seq, event.timestamp);
            self.folded.note(number.lane, number.seq, event.timestamp);
        }
        self.base.own.apply(signals, document, self.latest);
        self.base.traits.apply(document);
    }
}

/// The names by which queue and store know an event.
fn ticket(document: &EventDocument) -> Ticket {
    Ticket { event_id: document.event().event_id, lane: document.event().lane }
}
