//! Delivery as a pull protocol: push events in, poll for a batch, settle by event id.

mod breaker;
mod buffer;
mod retry;

use crate::id::{EventId, LaneId, MemberId};
use crate::time::{Monotonic, Now};
use crate::wire::{Closed, Event, Priority, Receipt, VoidRange};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Settings of a queue.
#[derive(Clone, Debug)]
pub struct QueueOptions {
    /// Most events in one batch.
    pub max_batch_events: usize,
    /// Most bytes in one batch.
    pub max_batch_bytes: usize,
    /// Most bytes held, in flight included.
    pub max_queue_bytes: usize,
}

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// Evicted because the queue was full.
    QueueFull,
    /// Older than the age limit.
    Expired,
    /// Refused by the collector.
    Rejected,
}

/// What the host is to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// Send this body, then call [`Queue::settle`] with the same request id.
    Send(Request),
    /// Nothing before this instant; poll again then, or after any input.
    WaitUntil(Monotonic),
    /// Nothing until the next input.
    Idle,
}

/// One batch on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Names the request in [`Queue::settle`].
    pub id: u64,
    /// The batch as JSON.
    pub body: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// 200 with a receipt.
    Receipt(Box<Receipt>),
    /// Any other status; `retry_after_ms` from the header, `offending` from a 413 body.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in milliseconds, if sent.
        retry_after_ms: Option<u64>,
        /// Indexes a 413 names.
        offending: Vec<usize>,
    },
    /// No response: offline, blocked, aborted, or a 200 whose body is no receipt.
    Network,
}

/// What settling changed: the host forgets these in its store, the client in its overlay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// Durable at the collector, duplicates included.
    pub delivered: Vec<EventId>,
    /// Given up, each with its reason; their numbers have become void.
    pub dropped: Vec<(EventId, DropReason)>,
}

/// How delivery stands, for a developer panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// Events waiting or in flight.
    pub events: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Events in flight.
    pub in_flight: usize,
    /// Failures in a row.
    pub failures: u32,
    /// Whether the breaker is open.
    pub breaker_open: bool,
}

/// The queue of one page load. One request is in flight at most; whatever arrives meanwhile leaves together next.
#[derive(Debug)]
pub struct Queue {
    _private: (),
}

impl Queue {
    /// An empty queue of one page load.
    pub fn new(member: MemberId, lane: LaneId, options: QueueOptions) -> Self {
        let _ = (member, lane, options);
        todo!()
    }

    /// Begins a new lane or member for what is sent from now on; what is queued keeps its own.
    pub fn set_sender(&mut self, member: MemberId, lane: LaneId) {
        let _ = (member, lane);
        todo!()
    }

    /// Takes an event in; returns what had to be evicted for it (never what is in flight).
    pub fn push(&mut self, event: Event, priority: Priority, now: Now) -> Vec<(EventId, DropReason)> {
        let _ = (event, priority, now);
        todo!()
    }

    /// Declares numbers void that will never come; they leave with the next batch.
    pub fn declare_void(&mut self, range: VoidRange) {
        let _ = range;
        todo!()
    }

    /// Declares a lane closed; it leaves with the next batch.
    pub fn declare_closed(&mut self, closed: Closed) {
        let _ = closed;
        todo!()
    }

    /// Sets the context object that goes with every batch, as JSON text.
    pub fn set_context(&mut self, context: Option<Box<str>>) {
        let _ = context;
        todo!()
    }

    /// Says what to do now. Poll after every input and when a returned instant has come.
    /// `random` feeds the jitter of the next delay.
    pub fn poll(&mut self, now: Now, random: u64) -> Poll {
        let _ = (now, random);
        todo!()
    }

    /// Cuts everything unsent into bodies for a page that is leaving; nothing is marked delivered.
    pub fn farewell(&mut self, now: Now) -> Vec<String> {
        let _ = now;
        todo!()
    }

    /// Takes the outcome of a request in; an id that is not in flight changes nothing.
    pub fn settle(&mut self, request: u64, outcome: Outcome, now: Now, random: u64) -> Settled {
        let _ = (request, outcome, now, random);
        todo!()
    }

    /// Ends waiting (the browser came online): the next poll may send at once.
    pub fn nudge(&mut self) {
        todo!()
    }

    /// How delivery stands.
    pub fn status(&self) -> QueueStatus {
        todo!()
    }

    /// The queued events, oldest first, for a host that stores them.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        core::iter::empty()
    }
}
