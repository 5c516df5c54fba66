//! The deliveries of one destination that wait, and how many of its calls are open.

use super::delivery::CallId;
use attune_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// One destination's queue.
#[derive(Debug, Default)]
pub struct Lane {
    /// Everything that is not done or dead, open calls among it, with when it began.
    held: BTreeMap<CallId, Timestamp>,
    /// What waits, by when it is due. A clock that only goes forward, so that one that jumps neither stalls nor floods.
    due: BTreeSet<(Instant, CallId)>,
    open: usize,
    /// The receiver has asked to be left alone until then.
    paused_until: Option<Instant>,
}

impl Lane {
    /// Takes a delivery in that is due at an instant.
    pub fn hold(&mut self, id: CallId, since: Timestamp, due: Instant) {
        if self.held.insert(id, since).is_none() {
            self.due.insert((due, id));
        }
    }

    /// The next delivery to be called, whose call is open then.
    pub fn begin(&mut self, now: Instant) -> Option<CallId> {
        let (due, id) = *self.due.first()?;
        if due > now || self.is_paused(now) {
            return None;
        }
        self.due.pop_first();
        self.open += 1;
        Some(id)
    }

    /// A call has ended, and its delivery with it.
    pub fn end(&mut self, id: CallId) {
        self.open = self.open.saturating_sub(1);
        self.held.remove(&id);
    }

    /// A call has ended; its delivery is called again at an instant.
    pub fn postpone(&mut self, id: CallId, until: Instant) {
        self.open = self.open.saturating_sub(1);
        if self.held.contains_key(&id) {
            self.due.insert((until, id));
        }
    }

    /// Begins no call before an instant.
    pub fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |paused| paused.max(until)));
    }

    /// When a call could be begun next; nothing where nothing waits.
    pub fn next_due(&self) -> Option<Instant> {
        let (due, _) = self.due.first()?;
        Some(self.paused_until.map_or(*due, |paused| paused.max(*due)))
    }

    /// Calls that are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Deliveries that are not done or dead.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Since when the delivery of the oldest firing waits.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.held.first_key_value().map(|(_, since)| *since)
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn id(firing: u64) -> CallId {
        CallId { firing, action: 0 }
    }

    #[test]
    fn calls_begin_in_order_when_they_are_due() {
        let (mut lane, now) = (Lane::default(), Instant::now());
        let later = now + Duration::from_secs(5);
        lane.hold(id(2), Timestamp(20), now);
        lane.hold(id(1), Timestamp(10), now);
        lane.hold(id(0), Timestamp(0), later);
        lane.hold(id(1), Timestamp(99), now);
        assert_eq!((lane.len(), lane.oldest(), lane.next_due()), (3, Some(Timestamp(0)), Some(now)));
        assert_eq!((lane.begin(now), lane.begin(now), lane.begin(now)), (Some(id(1)), Some(id(2)), None));
        assert_eq!((lane.open(), lane.next_due()), (2, Some(later)));
        lane.end(id(1));
        lane.postpone(id(2), later);
        assert_eq!((lane.open(), lane.len()), (0, 2));
        assert_eq!((lane.begin(later), lane.begin(later)), (Some(id(0)), Some(id(2))));
    }

    #[test]
    fn a_pause_holds_everything_up_that_is_due() {
        let (mut lane, now) = (Lane::default(), Instant::now());
        let (soon, later) = (now + Duration::from_secs(1), now + Duration::from_secs(9));
        lane.hold(id(0), Timestamp(0), now);
        lane.pause(later);
        lane.pause(soon);
        assert_eq!((lane.begin(soon), lane.next_due()), (None, Some(later)));
        assert_eq!(lane.begin(later), Some(id(0)));
    }
}
