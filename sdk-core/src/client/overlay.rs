//! Base and overlay: what the collector has confirmed, and this browser's own events outside of it.
//!
//! A value is read as base + others + overlay. An event is in exactly one of them: it leaves the overlay when the
//! base's ranges cover its number, when it folds into the base, or when it is given up.

use crate::id::EventId;
use crate::limits::OVERLAY_EVENTS;
use crate::profile::{ProfileView, SignalTable, Tiles, Traits};
use crate::time::Timestamp;
use crate::wire::Event;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The visitor's own recent past beside the pushed base.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    base: ProfileView,
    events: VecDeque<Event>,
    tiles: Tiles,
    traits: Traits,
}

impl Overlay {
    /// The base as pushed, plus what has folded into it.
    pub fn base(&self) -> &ProfileView {
        &self.base
    }

    /// The tiles that add up to the live values.
    pub fn parts(&self) -> [&Tiles; 3] {
        [&self.base.own, &self.base.others, &self.tiles]
    }

    /// Traits with this browser's own unconfirmed ones applied.
    pub const fn traits(&self) -> &Traits {
        &self.traits
    }

    /// Whether an event is already counted in the base.
    pub fn covers(&self, event: &Event) -> bool {
        event.lane.is_some_and(|number| self.base.lanes.covers(number.lane, number.seq))
    }

    /// Adds an own event unless the base covers it; returns the events that folded into the base to make room.
    pub fn push(&mut self, event: Event, signals: &SignalTable) -> Vec<Event> {
        if self.covers(&event) || self.events.iter().rev().any(|known| known.event_id == event.event_id) {
            return Vec::new();
        }
        self.tiles.apply(signals, &event);
        self.traits.apply(&event);
        self.events.push_back(event);
        let mut folded = Vec::new();
        while self.events.len() > OVERLAY_EVENTS {
            if let Some(oldest) = self.events.pop_front() {
                self.fold(&oldest, signals);
                folded.push(oldest);
            }
        }
        if !folded.is_empty() {
            self.rebuild(signals);
        }
        folded
    }

    /// Takes events out that were given up; the base stays.
    pub fn remove(&mut self, given_up: &[EventId], signals: &SignalTable) {
        let before = self.events.len();
        self.events.retain(|event| !given_up.contains(&event.event_id));
        if self.events.len() != before {
            self.rebuild(signals);
        }
    }

    /// Takes a pushed view as the new base if it is no older and its ranges contain the base's; returns the events
    /// it covers, which leave the overlay, or nothing when the base stays.
    pub fn replace_base(&mut self, view: ProfileView, signals: &SignalTable, now: Timestamp) -> Option<Vec<Event>> {
        let same_profile = view.user_id == self.base.user_id;
        if (same_profile && view.version < self.base.version) || !view.lanes.contains(&self.base.lanes, now) {
            return None;
        }
        self.base = view;
        let (covered, open) = core::mem::take(&mut self.events).into_iter().partition(|event| self.covers(event));
        self.events = open;
        self.rebuild(signals);
        Some(Vec::from(covered))
    }

    /// Moves the timestamps of the events outside the base, after the collector has told how far this clock is off.
    pub fn shift(&mut self, ids: &[EventId], shift_ms: i64, signals: &SignalTable) {
        for event in self.events.iter_mut().filter(|event| ids.contains(&event.event_id)) {
            event.timestamp = event.timestamp.plus(shift_ms);
        }
        self.rebuild(signals);
    }

    /// Computes the overlay's tiles and traits afresh, as after a change of the signals.
    pub fn rebuild(&mut self, signals: &SignalTable) {
        self.tiles = Tiles::default();
        self.traits = self.base.traits.clone();
        for event in &self.events {
            self.tiles.apply(signals, event);
            self.traits.apply(event);
        }
    }

    /// Begins with another member: nothing of the one before stays.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Restores the base that an earlier page load stored.
    pub fn restore_base(&mut self, base: ProfileView, signals: &SignalTable) {
        self.base = base;
        self.rebuild(signals);
    }

    /// The event of this id, if it is outside the base.
    pub fn find(&self, id: EventId) -> Option<&Event> {
        self.events.iter().rev().find(|event| event.event_id == id)
    }

    fn fold(&mut self, event: &Event, signals: &SignalTable) {
        if let Some(number) = event.lane {
            self.base.lanes.mark(number.lane, number.seq, event.event_id);
        }
        self.base.own.apply(signals, event);
        self.base.traits.apply(event);
    }
}
