//! The queue itself: push, poll, settle.

use super::batcher::{BatchSize, pack};
use super::breaker::{Breaker, Pass};
use super::buffer::{Buffer, Company, is_expired};
use super::declarations::Declarations;
use super::drops::DropLedger;
use super::flight::Flight;
use super::weather::Weather;
use super::{
    Declaration, DeclarationKind, DropReason, Item, News, Outcome, Poll, QueueOptions, QueueStatus,
    Reachability, Request, Settled, Ticket,
};
use crate::id::{EventId, LaneId, MemberId};
use crate::time::Now;
use crate::wire::{Closed, Priority};
use alloc::vec::Vec;
use core::mem;

/// The queue of one page load. One request is in flight at most; whatever arrives meanwhile leaves together next.
///
/// Nothing leaves it unnamed: every event pushed ends in [`Settled::delivered`] or is given up with a reason, in the
/// answer of [`Queue::push`], in [`Settled::dropped`] or in [`Queue::take_dropped`].
#[derive(Debug)]
pub struct Queue {
    pub(super) member: MemberId,
    pub(super) lane: LaneId,
    max_queue_bytes: usize,
    pub(super) context_bytes: usize,
    pub(super) buffer: Buffer,
    pub(super) declarations: Declarations,
    pub(super) declarations_company: Company,
    pub(super) drops: DropLedger,
    pub(super) given_up: Vec<(Ticket, DropReason)>,
    pub(super) size: BatchSize,
    pub(super) breaker: Breaker,
    pub(super) weather: Weather,
    pub(super) flight: Option<Flight>,
    pub(super) last_request: u64,
}

impl Queue {
    /// An empty queue of one page load.
    pub fn new(member: MemberId, lane: LaneId, options: QueueOptions) -> Self {
        Self {
            member,
            lane,
            max_queue_bytes: options.max_queue_bytes,
            context_bytes: 0,
            buffer: Buffer::default(),
            declarations: Declarations::default(),
            declarations_company: Company::Any,
            drops: DropLedger::default(),
            given_up: Vec::new(),
            size: BatchSize::new(options.max_batch_events, options.max_batch_bytes),
            breaker: Breaker::new(),
            weather: Weather::new(),
            flight: None,
            last_request: 0,
        }
    }

    /// Begins a new lane or member for what is sent from now on; what is queued keeps its own.
    pub fn set_sender(&mut self, member: MemberId, lane: LaneId) {
        if lane != self.lane {
            let known = self.drops.begin_lane();
            if let Some(flight) = self.flight.as_mut().filter(|flight| flight.request.lane == self.lane) {
                flight.request.dropped = flight.request.dropped.beyond(known);
            }
        }
        self.member = member;
        self.lane = lane;
    }

    /// Forgets everything that waits or is on its way, and what was to be said of it: nobody is to hear of it any more.
    pub fn forget(&mut self) {
        self.buffer = Buffer::default();
        self.declarations = Declarations::default();
        self.drops = DropLedger::default();
        self.given_up.clear();
        self.flight = None;
    }

    /// Says how many bytes the context takes that goes with every batch. One that takes more than a quarter of a
    /// batch's bytes is left out of it.
    pub const fn set_context_bytes(&mut self, bytes: usize) {
        self.context_bytes = bytes;
    }

    /// Takes an event in; returns what had to be evicted for it (never what is in flight), or the event itself if it
    /// is over the age limit or everything else matters more.
    pub fn push(&mut self, item: Item, priority: Priority, now: Now) -> Vec<(Ticket, DropReason)> {
        if is_expired(&item, now.wall) {
            return alloc::vec![self.give_up(&item, DropReason::Expired)];
        }
        self.buffer.push(item, priority);
        let mut evicted = Vec::new();
        while self.buffer.bytes() > self.max_queue_bytes {
            let Some(victim) = self.buffer.evict() else { break };
            evicted.push(self.give_up(&victim, DropReason::QueueFull));
        }
        evicted
    }

    /// Declares a lane closed; it leaves with the next batch.
    pub fn declare_closed(&mut self, closed: Closed) {
        let Closed { member, lane, count } = closed;
        self.declarations.add(Declaration {
            kind: DeclarationKind::Closed,
            member,
            lane,
            from: 1,
            to: count,
        });
    }

    /// Says what to do now. Poll after every input and when a returned instant has come.
    pub fn poll(&mut self, now: Now) -> Poll {
        if self.flight.is_some() {
            return Poll::Idle;
        }
        if let Some(poll) = self.weather.poll(now.monotonic) {
            return poll;
        }
        if self.buffer.len() == 0 && self.declarations.is_empty() {
            return Poll::Idle;
        }
        let limits = match self.breaker.pass(now.monotonic) {
            Pass::Wait(until) => return Poll::WaitUntil(until),
            Pass::Batch => self.size.limits(),
            Pass::Probe => self.size.probe(),
        };
        for item in self.buffer.expire(now.wall) {
            let dropped = self.give_up(&item, DropReason::Expired);
            self.given_up.push(dropped);
        }
        let mut held = mem::take(&mut self.declarations);
        let mut due = self.buffer.due(now.monotonic);
        let parcel = pack(&self.buffer, &mut due, &mut held, self.frame(), limits);
        self.declarations = held;
        if parcel.is_empty() {
            return self.buffer.next_due().map_or(Poll::Idle, Poll::WaitUntil);
        }
        self.launch(parcel);
        Poll::Send
    }

    /// Takes the outcome of a request in; an id that is not in flight changes nothing.
    pub fn settle(&mut self, request: u64, outcome: Outcome, now: Now, random: u64) -> Settled {
        match self.flight.take_if(|flight| flight.request.id == request) {
            Some(flight) => self.settle_flight(flight, outcome, now, random),
            None => Settled::default(),
        }
    }

    /// What a poll has given up because of its age. Take it after every poll, or find it in the next [`Settled`].
    pub fn take_dropped(&mut self) -> Vec<(Ticket, DropReason)> {
        mem::take(&mut self.given_up)
    }

    /// Ends waiting (the browser came online): the next poll may send at once, unless the collector has asked for
    /// time by `Retry-After`; where requests are blocked it asks once.
    pub const fn nudge(&mut self) {
        self.breaker.nudge();
        self.weather.nudge();
    }

    /// Somebody sees the page again: where requests are blocked the next poll asks once, unless that has been so lately.
    pub fn see(&mut self, now: Now) {
        self.weather.see(now.monotonic);
    }

    /// Takes in what another page of this browser has heard: all of them pause together, and one of them probes.
    pub fn handle_news(&mut self, news: News, now: Now, random: u64) {
        match news {
            News::Receipt => self.hear_receipt(),
            News::Status { status, retry_after_ms } => self.hear(status, retry_after_ms, now, random),
            News::Silence => self.hear_nothing(now, random),
            News::Answer if self.weather.reachability() != Reachability::Open => self.hear_receipt(),
            News::Answer => self.weather.answered(),
            News::NoAnswer => {
                self.weather.silent(now.monotonic);
            }
            News::Blocked => self.weather.warn(),
        }
    }

    /// Whether requests get through to the collector, as far as that is known.
    pub const fn reachability(&self) -> Reachability {
        self.weather.reachability()
    }

    /// How delivery stands.
    pub fn status(&self) -> QueueStatus {
        QueueStatus {
            events: self.buffer.len(),
            bytes: self.buffer.bytes(),
            in_flight: self.flight.as_ref().map_or(0, |flight| flight.request.events.len()),
            failures: self.breaker.failures(),
            breaker_open: self.breaker.is_open(),
        }
    }

    /// The request that is to be sent, or is on its way.
    pub fn in_flight(&self) -> Option<&Request> {
        self.flight.as_ref().map(|flight| &flight.request)
    }

    /// Whether an event is waiting or in flight.
    pub fn holds(&self, id: EventId) -> bool {
        self.buffer.entries().iter().any(|entry| entry.item.ticket.event_id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{PAGE, Rig, closed, dropped, events, id, receipt, room_for};
    use super::*;
    use crate::limits::{BREAKER_FAILURES, MAX_EVENT_AGE_MS};
    use crate::time::Monotonic;
    use crate::wire::sample;

    #[test]
    fn an_empty_queue_has_nothing_to_do() {
        assert_eq!(Rig::new(PAGE).poll(), Poll::Idle);
    }

    #[test]
    fn what_arrives_during_a_flight_leaves_together_next() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        let first = rig.sent();
        rig.push_all(2..=4);
        assert_eq!(rig.poll(), Poll::Idle);
        assert_eq!(rig.settle(first.id, receipt(&[])).delivered, [id(1)]);
        assert_eq!(events(&rig.sent().body), [2, 3, 4]);
        assert_eq!(rig.settle(first.id, receipt(&[])), Settled::default());
    }

    #[test]
    fn critical_events_leave_first_and_low_ones_are_evicted_first() {
        let mut rig = Rig::new(room_for(3));
        rig.push(1, Priority::Low);
        rig.push(2, Priority::Normal);
        rig.push(3, Priority::Low);
        assert_eq!(rig.push(4, Priority::Critical), [(id(1), DropReason::QueueFull)]);
        assert_eq!(events(&rig.sent().body), [4, 2, 3]);
        assert_eq!(rig.push(5, Priority::Low), [(id(5), DropReason::QueueFull)]);
    }

    #[test]
    fn keeps_in_flight_events_when_the_buffer_is_full() {
        let mut rig = Rig::new(room_for(2));
        rig.push(1, Priority::Low);
        let request = rig.sent();
        rig.push(2, Priority::Critical);
        assert_eq!(rig.push(3, Priority::Critical), [(id(2), DropReason::QueueFull)]);
        assert_eq!(rig.settle(request.id, receipt(&[])).delivered, [id(1)]);
    }

    #[test]
    fn an_event_over_the_age_limit_is_given_up_and_reported() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        let old = sample::event(2);
        rig.pass(MAX_EVENT_AGE_MS as u64 + 1);
        assert_eq!(rig.push_event(old, Priority::Normal), [(id(2), DropReason::Expired)]);
        let body = rig.sent().body;
        assert_eq!((events(&body), dropped(&body, "expired")), (Vec::new(), 2));
        assert_eq!(rig.queue.take_dropped(), [(id(1), DropReason::Expired)]);
    }

    #[test]
    fn what_is_forgotten_is_neither_sent_nor_spoken_of() {
        let mut rig = Rig::new(room_for(2));
        rig.push_all(1..=1);
        let request = rig.sent();
        rig.push_all(2..=2);
        assert_eq!(rig.push(3, Priority::Normal), [(id(2), DropReason::QueueFull)]);
        rig.queue.forget();
        assert_eq!(rig.settle(request.id, receipt(&[])), Settled::default());
        assert_eq!((rig.poll(), rig.queue.status().events), (Poll::Idle, 0));
        rig.push_all(4..=4);
        let body = rig.sent().body;
        assert_eq!((events(&body), dropped(&body, "queue_full")), (alloc::vec![4], 0));
    }

    #[test]
    fn declarations_alone_are_worth_a_batch() {
        let mut rig = Rig::new(PAGE);
        rig.queue.declare_closed(Closed {
            member: sample::member("someone"),
            lane: sample::lane(3),
            count: 4,
        });
        assert_eq!(closed(&rig.deliver().0.body), [("00000000-0000-0000-0000-000000000003".into(), 4)]);
        assert_eq!(rig.poll(), Poll::Idle);
    }

    #[test]
    fn the_breaker_lets_one_small_batch_probe() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=50);
        for _ in 0..BREAKER_FAILURES {
            rig.answer(503);
            rig.pass(60_000);
        }
        assert!(rig.queue.status().breaker_open);
        assert_eq!(events(&rig.deliver().0.body).len(), 10);
        assert!(!rig.queue.status().breaker_open);
        assert_eq!(events(&rig.deliver().0.body).len(), 40);
    }

    #[test]
    fn news_of_the_network_ends_waiting() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        rig.random = 500;
        rig.answer(503);
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(500)));
        rig.queue.nudge();
        assert_eq!(events(&rig.sent().body), [1]);
    }
}
