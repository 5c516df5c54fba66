//! What becomes of own events: delivered, given up, covered; and what the store then keeps of them.

use super::{Client, Entry, StoreOp};
use crate::profile::EventDocument;
use crate::queue::{DropReason, Ticket};
use crate::rules::Touched;
use alloc::vec::Vec;

impl Client {
    /// Counts an own event; what folds into the base is no longer needed one by one.
    pub(super) fn overlay_push(&mut self, event: EventDocument) {
        self.touch_event(&event.event().event_type);
        let folded = self.overlay.push(event, &self.bundle.signals);
        if !folded.is_empty() {
            let base = self.overlay.base().encode();
            self.put(Entry::Base, base);
            self.release(&folded);
        }
    }

    /// Forgets stored events that are counted in the base; those still to be delivered stay.
    pub(super) fn release(&mut self, covered: &[Ticket]) {
        for ticket in covered {
            if !self.queue.holds(ticket.event_id) {
                self.forget(*ticket);
            }
        }
    }

    /// The collector has these: they stay stored for counting until the base covers them.
    pub(super) fn mark_delivered(&mut self, delivered: &[Ticket]) {
        for ticket in delivered {
            match ticket.lane {
                Some(number) if self.overlay.holds(ticket.event_id) => {
                    self.writes.push(StoreOp::Settle(number));
                }
                _ => self.forget(*ticket),
            }
        }
    }

    /// These will never arrive: they leave counts and store.
    pub(super) fn give_up(&mut self, dropped: &[(Ticket, DropReason)]) {
        if !dropped.is_empty() {
            self.take_away(dropped.iter().map(|(ticket, _)| *ticket).collect());
        }
    }

    #[inline(never)]
    fn take_away(&mut self, tickets: Vec<Ticket>) {
        self.overlay.remove(&tickets, &self.bundle.signals);
        self.touch(Touched::All);
        tickets.into_iter().for_each(|ticket| self.forget(ticket));
    }

    pub(super) fn forget(&mut self, ticket: Ticket) {
        self.writes.extend(ticket.lane.map(StoreOp::Forget));
    }
}
