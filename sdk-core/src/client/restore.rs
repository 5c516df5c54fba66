//! Taking back what earlier page loads stored.

use super::store::{Stored, StoredEvent};
use super::{Client, Entry, StoreOp};
use crate::profile::{EventDocument, ProfileView};
use crate::queue::{Item, Ticket};
use crate::rules::Touched;
use crate::time::Now;
use crate::wire::Closed;
use alloc::vec::Vec;

impl Client {
    /// Takes back what is stored of this page's member and of lanes that have ended; returns what could not be read.
    /// The stored events follow, oldest first, and then a wake.
    pub fn handle_stored(&mut self, stored: Stored<'_>) -> Vec<Entry> {
        let mut unreadable = Vec::new();
        // The latches come first: of equal ones the first stays, and only these know which have ended.
        for (entry, bytes) in [(Entry::Latches, stored.latches), (Entry::Base, stored.base)] {
            if let Some(bytes) = bytes
                && !self.restore_view(entry, bytes)
            {
                unreadable.push(entry);
            }
        }
        if stored.user.is_some() {
            self.user_id = stored.user;
        }
        stored.lanes.into_iter().for_each(|lane| self.adopt_lane(lane));
        unreadable
    }

    /// Takes back an event that was stored.
    #[inline(never)]
    pub fn handle_stored_event(&mut self, stored: StoredEvent, now: Now) {
        let StoredEvent { event, metadata, bytes, priority, settled } = stored;
        let ticket = Ticket { event_id: event.event_id, lane: event.lane };
        if !settled {
            let (member, timestamp) = (event.member.clone(), event.timestamp);
            let evicted = self.queue.push(Item { ticket, member, timestamp, bytes }, priority, now);
            self.give_up(&evicted);
        }
        if event.member == self.member {
            self.overlay_push(EventDocument::packed(event, metadata.unwrap_or_default()));
        }
        if settled && !self.overlay.holds(ticket.event_id) {
            self.forget(ticket);
        }
    }

    #[inline(never)]
    fn adopt_lane(&mut self, closed: Closed) {
        if closed.lane != self.lane {
            self.writes.push(StoreOp::ForgetLane(closed.lane));
            self.queue.declare_closed(closed);
        }
    }

    #[inline(never)]
    fn restore_view(&mut self, entry: Entry, bytes: &[u8]) -> bool {
        let Ok(mut view) = ProfileView::decode(bytes) else { return false };
        self.decisions.join_latches(core::mem::take(&mut view.latches));
        if entry == Entry::Base {
            self.overlay.restore_base(view, &self.bundle.signals);
        }
        self.touch(Touched::All);
        true
    }
}
