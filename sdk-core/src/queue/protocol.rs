//! What host and queue say to each other.

use crate::id::EventId;
use crate::time::Monotonic;
use crate::wire::Receipt;
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
    /// Send this body, then call [`super::Queue::settle`] with the same request id.
    Send(Request),
    /// Nothing before this instant; poll again then, or after any input.
    WaitUntil(Monotonic),
    /// Nothing until the next input.
    Idle,
}

/// One batch on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Names the request in [`super::Queue::settle`].
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
