//! From parcels to requests.

use super::batcher::{Frame, Limits, Parcel, pack};
use super::flight::Flight;
use super::{Queue, Request};
use crate::limits::{FAREWELL_BODY_BYTES, MAX_BATCH_EVENTS};
use crate::time::Now;
use alloc::vec::Vec;

impl Queue {
    /// Cuts everything that waits into requests of at most [`FAREWELL_BODY_BYTES`] for a page that is leaving; nothing
    /// is marked delivered, and what is in flight stays out.
    pub fn farewell(&mut self, now: Now) -> Vec<Request> {
        let limits = Limits { events: MAX_BATCH_EVENTS, bytes: FAREWELL_BODY_BYTES };
        let mut held = self.declarations.clone();
        let mut unsent = self.buffer.unsent(now.wall);
        let mut requests = Vec::new();
        loop {
            let parcel = pack(&self.buffer, &mut unsent, &mut held, self.frame(), limits);
            if parcel.is_empty() {
                return requests;
            }
            requests.push(self.request(0, parcel));
        }
    }

    pub(super) fn launch(&mut self, parcel: Parcel) {
        self.buffer.launch(&parcel.events);
        self.last_request += 1;
        let bytes = parcel.bytes;
        let request = self.request(self.last_request, parcel);
        self.flight = Some(Flight { request, bytes });
    }

    fn request(&self, id: u64, parcel: Parcel) -> Request {
        let entries = parcel.events.iter().filter_map(|position| self.buffer.entries().get(*position));
        Request {
            id,
            member: self.member.clone(),
            lane: self.lane,
            with_context: parcel.with_context,
            events: entries.map(|entry| entry.item.ticket).collect(),
            declarations: parcel.declarations,
            dropped: self.drops.totals(),
        }
    }

    pub(super) fn frame(&self) -> Frame {
        Frame {
            member_bytes: self.member.0.len(),
            context_bytes: self.context_bytes,
            declarations: self.declarations_company,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{PAGE, Rig, events};
    use super::*;
    use crate::wire::sample;

    #[test]
    fn a_later_lane_is_the_default_of_its_batches() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        rig.queue.set_sender(sample::member("next"), sample::lane(5));
        let body = rig.sent().body;
        assert!(body.contains(r#""anonymous_id":"next","lane":"00000000-0000-0000-0000-000000000005""#));
        assert!(
            body.contains(
                r#""anonymous_id":"someone","lane":"00000000-0000-0000-0000-000000000009","seq":1"#
            )
        );
    }

    #[test]
    fn a_context_never_crowds_out_events() {
        let mut rig = Rig::new(PAGE);
        rig.set_context(["{\"a\":\"", &"x".repeat(20_000), "\"}"].concat());
        rig.push_all(1..=3);
        let body = rig.deliver().0.body;
        assert!(body.contains(r#""context":{"clock_skew_ms":null},"#));
        rig.set_context(r#"{"a":1}"#.into());
        rig.push_all(4..=4);
        assert!(rig.sent().body.contains(r#""context":{"clock_skew_ms":null,"a":1},"#));
    }

    #[test]
    fn a_leaving_page_sends_everything_that_waits_in_bodies_that_fit() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        rig.sent();
        rig.push_all(2..=500);
        let bodies: Vec<_> = rig.queue.farewell(rig.now).iter().map(|request| rig.body(request)).collect();
        assert!(bodies.iter().all(|body| body.len() <= FAREWELL_BODY_BYTES));
        let sent: Vec<u64> = bodies.iter().flat_map(|body| events(body)).collect();
        assert_eq!(sent, (2..=500).collect::<Vec<_>>());
    }
}
