//! What becomes of own events: delivered, given up, covered; and what the store then keeps of them.

use super::{Client, StoreOp, store};
use crate::id::EventId;
use crate::queue::DropReason;
use crate::wire::{Event, Priority};
use alloc::vec::Vec;

impl Client {
    /// Makes an event durable: the host is to store it, and it is known by id from now on.
    pub(super) fn keep(&mut self, event: &Event, priority: Priority) {
        if let Some(number) = event.lane {
            self.kept.insert(event.event_id, number);
            self.writes.extend(store::put_event(event, priority, false));
        }
    }

    /// Puts an own event into the overlay; what folds into the base for it is kept there from now on.
    pub(super) fn overlay_push(&mut self, event: Event) {
        let folded = self.overlay.push(event, &self.bundle.signals);
        if !folded.is_empty() {
            let base = self.overlay.base().encode();
            self.put(store::BASE, base);
            self.release(&folded);
        }
    }

    /// Lets go of events that the base covers, but for those still to be delivered.
    pub(super) fn release(&mut self, covered: &[EventId]) {
        let waiting: Vec<EventId> = self.queue.events().map(|event| event.event_id).collect();
        for id in covered.iter().filter(|id| !waiting.contains(id)) {
            self.forget(*id);
        }
    }

    /// Takes note of events a receipt has named: the store keeps them for the overlay only, or no longer at all.
    pub(super) fn mark_delivered(&mut self, delivered: &[EventId]) {
        for id in delivered {
            match self.overlay.find(*id) {
                Some(event) => self.writes.extend(store::put_event(event, Priority::Normal, true)),
                None => self.forget(*id),
            }
        }
    }

    /// Takes events out of everything the page counts and keeps, because they were given up.
    pub(super) fn give_up(&mut self, dropped: &[(EventId, DropReason)]) {
        if dropped.is_empty() {
            return;
        }
        let ids: Vec<EventId> = dropped.iter().map(|(id, _)| *id).collect();
        self.overlay.remove(&ids, &self.bundle.signals);
        ids.into_iter().for_each(|id| self.forget(id));
    }

    /// Lets the store forget an event.
    pub(super) fn forget(&mut self, id: EventId) {
        if let Some(number) = self.kept.remove(&id) {
            self.writes.push_back(StoreOp::Delete { key: store::event_key(number) });
        }
    }
}
