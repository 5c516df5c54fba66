//! Taking back what an earlier page load of the same browser stored.

use super::store::{Entry, StoredEvent};
use super::{Client, store};
use crate::id::LaneId;
use crate::profile::ProfileView;
use crate::profile::order::places_in_order;
use crate::time::{Now, Timestamp};
use crate::wire::{Closed, LaneSeq};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

impl Client {
    /// Takes back what an earlier page load of the same browser stored: the base, the latches, and the lanes whose
    /// page is gone (the host leaves out lanes that another open page still holds).
    ///
    /// Events that no receipt has named are queued again under their own lane and number; all of this member's go
    /// into the overlay. Entries that cannot be read are returned by key and skipped.
    pub fn handle_stored(&mut self, entries: &[(String, Vec<u8>)], now: Now) -> Vec<String> {
        let mut unreadable = Vec::new();
        let mut events = Vec::new();
        for (key, value) in entries {
            let taken = match store::read_entry(key, value) {
                Ok(Entry::Event(stored)) => {
                    events.push(stored);
                    true
                }
                Ok(Entry::Lane(lane)) => {
                    self.adopt_lane(Closed { member: lane.member, lane: lane.lane, count: lane.count });
                    true
                }
                Ok(Entry::Base) => self.restore_base(value),
                Ok(Entry::Latches) => self.restore_latches(value),
                Ok(Entry::User) => self.restore_user(value),
                Err(_) => false,
            };
            if !taken {
                unreadable.push(key.clone());
            }
        }
        let order = |a: usize, b: usize| at_lane(&events[a]).cmp(&at_lane(&events[b]));
        let places = places_in_order(events.len(), &order);
        let mut events: Vec<Option<StoredEvent>> = events.into_iter().map(Some).collect();
        for place in places {
            let Some(stored) = events.get_mut(place).and_then(Option::take) else { continue };
            let id = stored.event.event_id;
            if let Some(number) = stored.event.lane {
                self.kept.insert(id, number);
            }
            if !stored.settled {
                let evicted = self.queue.push(stored.event.clone(), stored.priority, now);
                self.give_up(&evicted);
            }
            if stored.event.member == self.member {
                self.overlay_push(stored.event);
            }
            if stored.settled && self.overlay.find(id).is_none() {
                self.forget(id);
            }
        }
        self.decide(now);
        unreadable
    }

    fn adopt_lane(&mut self, closed: Closed) {
        let own: LaneId = self.lane;
        if closed.lane != own {
            self.writes.push_back(super::StoreOp::Delete { key: store::lane_key(closed.lane) });
            self.queue.declare_closed(closed);
        }
    }

    fn restore_base(&mut self, value: &[u8]) -> bool {
        let view = ProfileView::decode(value);
        let readable = view.is_ok();
        if let Ok(view) = view {
            self.decisions.join_latches(view.latches.clone());
            self.overlay.restore_base(view, &self.bundle.signals);
        }
        readable
    }

    fn restore_latches(&mut self, value: &[u8]) -> bool {
        let view = ProfileView::decode(value);
        let readable = view.is_ok();
        if let Ok(view) = view {
            self.decisions.join_latches(view.latches);
        }
        readable
    }

    fn restore_user(&mut self, value: &[u8]) -> bool {
        let text = core::str::from_utf8(value);
        if let Ok(text) = text {
            self.user_id = Some(Box::from(text));
        }
        text.is_ok()
    }
}

/// When an event was and where it stands in its lane.
fn at_lane(stored: &StoredEvent) -> (Timestamp, Option<LaneSeq>) {
    (stored.event.timestamp, stored.event.lane)
}
