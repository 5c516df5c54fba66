//! The events held, in the order in which they came.

use super::Item;
use crate::limits::MAX_EVENT_AGE_MS;
use crate::time::{Monotonic, Timestamp};
use crate::wire::Priority;
use alloc::vec::{self, Vec};
use core::iter::Peekable;

/// Events waiting or in flight.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    entries: Vec<Entry>,
    bytes: usize,
}

/// Positions in a buffer, in the order in which their events leave.
pub(super) type Positions = Peekable<vec::IntoIter<usize>>;

/// One event held.
#[derive(Debug)]
pub(super) struct Entry {
    /// The event.
    pub item: Item,
    /// How soon it leaves and how late it is evicted.
    pub priority: Priority,
    /// Where it is.
    pub place: Place,
    /// With whom it travels.
    pub company: Company,
    /// How often the collector has said that it has to be sent again.
    pub attempts: u32,
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Here, to leave at this instant or later.
    Waiting(Monotonic),
    /// In the batch on its way.
    InFlight,
}

/// With whom an event travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    /// With any others.
    Any,
    /// With nothing else, because a batch it was in could not be read.
    Alone,
}

/// What becomes of an event that was in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It leaves the queue.
    Gone,
    /// It waits until this instant.
    Kept(Monotonic),
}

impl Buffer {
    /// Events held.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Their bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The events, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes an event in.
    pub fn push(&mut self, item: Item, priority: Priority) {
        self.bytes += item.bytes;
        let place = Place::Waiting(Monotonic(0));
        self.entries.push(Entry { item, priority, place, company: Company::Any, attempts: 0 });
    }

    /// Takes the event out that is given up first: of the lowest priority the oldest, never one in flight.
    #[inline(never)]
    pub fn evict(&mut self) -> Option<Item> {
        let victim =
            [Priority::Low, Priority::Normal, Priority::Critical].into_iter().find_map(|priority| {
                self.entries
                    .iter()
                    .position(|entry| entry.priority == priority && entry.place != Place::InFlight)
            })?;
        let entry = self.entries.remove(victim);
        self.bytes -= entry.item.bytes;
        Some(entry.item)
    }

    /// Takes the events out that are too old, but for those in flight.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Item> {
        self.take(&mut |entry| entry.place != Place::InFlight && is_expired(&entry.item, now))
    }

    /// Positions of the events that may leave now: critical ones, then all others, each oldest first.
    pub fn due(&self, now: Monotonic) -> Positions {
        self.in_order(&|entry| matches!(entry.place, Place::Waiting(from) if from <= now))
    }

    /// Positions of the events that wait, due or not, in the same order; what is too old stays out.
    pub fn unsent(&self, now: Timestamp) -> Positions {
        self.in_order(&|entry| entry.place != Place::InFlight && !is_expired(&entry.item, now))
    }

    /// The first instant at which a waiting event becomes due.
    #[inline(never)]
    pub fn next_due(&self) -> Option<Monotonic> {
        let instants = self.entries.iter().filter_map(|entry| match entry.place {
            Place::Waiting(from) => Some(from),
            Place::InFlight => None,
        });
        instants.min()
    }

    /// Marks events as in flight.
    pub fn launch(&mut self, positions: &[usize]) {
        for position in positions {
            if let Some(entry) = self.entries.get_mut(*position) {
                entry.place = Place::InFlight;
            }
        }
    }

    /// Decides about every event in flight; returns those that are gone.
    pub fn land(&mut self, decide: &mut dyn FnMut(&mut Entry) -> Fate) -> Vec<Item> {
        self.take(&mut |entry| {
            if entry.place != Place::InFlight {
                return false;
            }
            match decide(entry) {
                Fate::Gone => true,
                Fate::Kept(until) => {
                    entry.place = Place::Waiting(until);
                    false
                }
            }
        })
    }

    fn in_order(&self, fits: &dyn Fn(&Entry) -> bool) -> Positions {
        let mut positions = Vec::new();
        for critical in [true, false] {
            for (position, entry) in self.entries.iter().enumerate() {
                if (entry.priority == Priority::Critical) == critical && fits(entry) {
                    positions.push(position);
                }
            }
        }
        positions.into_iter().peekable()
    }

    fn take(&mut self, goes: &mut dyn FnMut(&mut Entry) -> bool) -> Vec<Item> {
        let mut taken = Vec::new();
        for entry in self.entries.extract_if(.., |entry| goes(entry)) {
            self.bytes -= entry.item.bytes;
            taken.push(entry.item);
        }
        taken
    }
}

/// Whether an event is over the age limit.
pub(super) const fn is_expired(item: &Item, now: Timestamp) -> bool {
    now.since(item.timestamp) > MAX_EVENT_AGE_MS
}
