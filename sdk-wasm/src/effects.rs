//! Writing the output of an operation: effects that the host carries out in order.

use alloc::vec::Vec;
use attune_core::client::{Client, Entry, Forecast, StoreOp};
use attune_core::codec::Writer;
use attune_core::experiment::Exposed;
use attune_core::filter::Rejection;
use attune_core::id::{LaneId, MemberId};
use attune_core::queue::{DeclarationKind, Reachability, Request};
use attune_core::rules::{Decision, Reason, SlotChange};
use attune_core::time::Timestamp;
use attune_core::value::ValueRef;
use attune_core::wire::LaneSeq;

/// An output being written.
#[derive(Default)]
pub struct Effects {
    out: Writer,
}

impl Effects {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    pub fn kept(&mut self, number: LaneSeq) {
        self.out.u8(1);
        self.out.u64(number.seq);
    }

    #[inline(never)]
    pub fn write(&mut self, write: &StoreOp) {
        match write {
            StoreOp::Settle(number) => self.number(2, *number),
            StoreOp::Forget(number) => self.number(3, *number),
            StoreOp::Put(entry, bytes) => {
                self.entry(4, *entry);
                self.out.bytes(bytes);
            }
            StoreOp::Delete(entry) => self.entry(5, *entry),
            StoreOp::ForgetLane(lane) => {
                self.out.u8(6);
                self.lane(*lane);
            }
        }
    }

    pub fn decision(&mut self, change: &SlotChange) {
        self.out.u8(7);
        self.out.str(&change.slot);
        self.filling(change.decision.as_ref());
        if let Some(decision) = change.decision.as_ref().filter(|_| change.is_shown) {
            self.out.u8(8);
            self.out.str(&decision.rule);
            self.out.str(decision.key.as_deref().unwrap_or_default());
        }
    }

    #[inline(never)]
    pub fn forecast(&mut self, forecast: &Forecast<'_>) {
        self.out.u8(22);
        self.out.str(forecast.slot);
        self.filling(forecast.decision);
        self.out.str(forecast.reads);
        self.time(forecast.until.unwrap_or_default());
    }

    fn filling(&mut self, decision: Option<&Decision>) {
        self.out.bool(decision.is_some());
        let Some(decision) = decision else { return };
        self.out.str(&decision.rule);
        self.optional(decision.key.as_deref());
        self.out.u8(match decision.reason {
            Reason::Level => 0,
            Reason::Latched { .. } => 1,
        });
        self.time(decision.since);
        decision.actions.encode(&mut self.out);
    }

    pub fn sender(&mut self, member: &MemberId, lane: LaneId) {
        self.out.u8(9);
        self.out.str(&member.0);
        self.lane(lane);
    }

    #[inline(never)]
    pub fn refused(&mut self, rejection: Rejection) {
        let (actual, limit) = rejection.measure();
        self.out.u8(10);
        self.out.str(rejection.code());
        self.out.len(actual);
        self.out.len(limit);
    }

    #[inline(never)]
    pub fn request(&mut self, request: &Request) {
        self.out.u8(11);
        self.out.u64(request.id);
        self.out.str(&request.member.0);
        self.lane(request.lane);
        self.out.bool(request.with_context);
        self.out.len(request.events.len());
        for ticket in &request.events {
            // Every event of a page has a number.
            if let Some(number) = ticket.lane {
                self.lane(number.lane);
                self.out.u64(number.seq);
            }
        }
        self.out.len(request.declarations.len());
        for declared in &request.declarations.0 {
            self.out.bool(declared.kind == DeclarationKind::Closed);
            self.out.str(&declared.member.0);
            self.lane(declared.lane);
            self.out.u64(declared.from);
            self.out.u64(declared.to);
        }
        let dropped = request.dropped;
        for total in [dropped.queue_full, dropped.expired, dropped.rejected] {
            self.out.u64(total);
        }
    }

    pub fn wait(&mut self, at_ms: u64) {
        self.out.u8(12);
        self.out.f64(at_ms as f64);
    }

    pub fn wake(&mut self, at: Option<Timestamp>) {
        self.out.u8(13);
        self.time(at.unwrap_or_default());
    }

    pub fn answer(&mut self, value: ValueRef<'_>) {
        self.out.u8(14);
        value.encode(&mut self.out);
    }

    pub fn failed(&mut self, code: &str) {
        self.out.u8(15);
        self.out.str(code);
    }

    pub fn unreadable(&mut self, entry: Entry) {
        self.entry(16, entry);
    }

    #[inline(never)]
    pub fn exposed(&mut self, exposed: &Exposed) {
        self.out.u8(18);
        self.out.raw(exposed.event_id.0.as_bytes());
        self.out.str(&exposed.experiment);
        self.out.str(&exposed.variation);
        self.out.u64(exposed.bucket_version.into());
    }

    pub fn expired(&mut self) {
        self.out.u8(20);
    }

    pub fn policy(&mut self, policy: &[u8]) {
        self.out.u8(23);
        self.out.bytes(policy);
    }

    pub fn revision(&mut self, revision: u64) {
        self.out.u8(24);
        self.out.u64(revision);
    }

    pub fn blocked(&mut self, reachability: Reachability) {
        self.out.u8(21);
        self.out.u8(reachability as u8);
    }

    pub fn probe(&mut self) {
        self.out.u8(25);
    }

    pub fn turn(&mut self) {
        self.out.u8(26);
    }

    /// A text that the host is to match with a pattern.
    pub fn question(&mut self, question: &str) {
        self.out.u8(19);
        self.out.str(question);
    }

    #[inline(never)]
    pub fn inspection(&mut self, client: &Client) {
        self.out.u8(17);
        let (mut signals, mut count) = (Writer::new(), 0);
        for signal in client.signals() {
            let (mut keys, mut key_count) = (Writer::new(), 0);
            client.each_key(&signal, &mut |key| {
                keys.str(key);
                key_count += 1;
            });
            signals.str(signal.name());
            signals.bool(signal.by.is_some());
            signals.len(key_count);
            signals.raw(&keys.into_bytes());
            count += 1;
        }
        self.out.len(count);
        self.out.raw(&signals.into_bytes());
        let status = client.status();
        for count in [status.events, status.bytes, status.in_flight, status.failures as usize] {
            self.out.len(count);
        }
        self.out.bool(status.breaker_open);
        self.out.u64(client.bundle_revision());
    }

    fn number(&mut self, effect: u8, number: LaneSeq) {
        self.out.u8(effect);
        self.lane(number.lane);
        self.out.u64(number.seq);
    }

    fn entry(&mut self, effect: u8, entry: Entry) {
        self.out.u8(effect);
        self.out.u8(entry as u8);
    }

    fn lane(&mut self, lane: LaneId) {
        self.out.raw(lane.0.as_bytes());
    }

    fn time(&mut self, at: Timestamp) {
        self.out.f64(at.0 as f64);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.out.bool(text.is_some());
        if let Some(text) = text {
            self.out.str(text);
        }
    }
}
