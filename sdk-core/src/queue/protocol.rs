//! What goes into the queue and comes out of it.

use super::declarations::{DeclarationKind, Declarations};
use super::drops::{DropReason, DropTotals};
use crate::id::{EventId, LaneId, MemberId};
use crate::time::{Monotonic, Timestamp};
use crate::wire::{Batch, Closed, Event, LaneSeq, Receipt, ResultKind, VoidRange, written_bytes};
use alloc::vec::Vec;

/// Bounds of one queue; the defaults are in [`crate::limits`].
#[derive(Clone, Debug)]
pub struct QueueOptions {
    /// Most events in a batch.
    pub max_batch_events: usize,
    /// Most bytes in a batch, before compression.
    pub max_batch_bytes: usize,
    /// Most bytes held before events are evicted.
    pub max_queue_bytes: usize,
}

/// An event as the queue knows it; its text stays with the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its names.
    pub ticket: Ticket,
    /// Whose event it is.
    pub member: MemberId,
    /// When it happened; too old events are given up.
    pub timestamp: Timestamp,
    /// What it adds to a batch at most.
    pub bytes: usize,
}

/// The names of an event: its identity, and its number where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its identity for retry and acknowledgement.
    pub event_id: EventId,
    /// Its number within a page load.
    pub lane: Option<LaneSeq>,
}

/// What the host has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Send the request that `in_flight` gives, then hand its outcome to `settle`.
    Send,
    /// Ask the collector something else than to take events, and hand to `handle_news` whether it has answered.
    Probe,
    /// Poll again at this instant, or after the next input.
    WaitUntil(Monotonic),
    /// Poll again after the next input.
    Idle,
}

/// A batch on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Names the request when it is settled; 0 for what is never settled.
    pub id: u64,
    /// The member whose page sends.
    pub member: MemberId,
    /// The lane of the sending page load.
    pub lane: LaneId,
    /// Whether there is room for the context.
    pub with_context: bool,
    /// The events, in the order in which they leave.
    pub events: Vec<Ticket>,
    /// Numbers given up and lanes ended.
    pub declarations: Declarations,
    /// Totals of this lane's drops since its start.
    pub dropped: DropTotals,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The collector answered 200: what it says of each event that was not plainly accepted.
    Receipt(Vec<(EventId, ResultKind)>),
    /// Another answer.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in milliseconds.
        retry_after_ms: Option<u64>,
        /// Positions of events that a 413 names.
        offending: Vec<usize>,
    },
    /// No answer: the collector is down, or something keeps requests from it.
    Network,
    /// No answer, and the browser knows that it is offline.
    Offline,
}

/// What another page of this browser has heard of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// A receipt.
    Receipt,
    /// Another answer.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// Nothing.
    Silence,
    /// An answer to something else than events: the collector can be reached.
    Answer,
    /// No answer to something else than events, though the browser was online.
    NoAnswer,
    /// Nothing, so often that requests seem to be blocked; this may have been an earlier page.
    Blocked,
}

/// What a settled request means for the host's store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// Delivered events.
    pub delivered: Vec<Ticket>,
    /// Events given up.
    pub dropped: Vec<(Ticket, DropReason)>,
}

/// Whether requests get through to the collector, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachability {
    /// Nothing speaks against it.
    #[default]
    Open,
    /// They did not on an earlier page: one question is asked before anything else leaves.
    Doubtful,
    /// They seem to be blocked on this side.
    Blocked,
}

/// How the queue stands.
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

impl Item {
    /// An event as a host that keeps events whole hands it in.
    pub fn of(event: &Event) -> Self {
        Self {
            ticket: Ticket { event_id: event.event_id, lane: event.lane },
            member: event.member.clone(),
            timestamp: event.timestamp,
            bytes: written_bytes(event),
        }
    }
}

impl Request {
    /// The request as a host that keeps events whole writes it; `find` gives the events back.
    pub fn batch<'a>(
        &'a self,
        sent_at: Timestamp,
        context: Option<&'a str>,
        find: impl Fn(EventId) -> Option<&'a Event>,
    ) -> Batch<'a> {
        let of_kind = |kind| self.declarations.0.iter().filter(move |declared| declared.kind == kind);
        Batch {
            sent_at,
            member: &self.member,
            lane: self.lane,
            clock_skew_ms: None,
            context: context.filter(|_| self.with_context),
            events: self.events.iter().filter_map(|ticket| find(ticket.event_id)).collect(),
            void: of_kind(DeclarationKind::Void)
                .map(|range| VoidRange {
                    member: range.member.clone(),
                    lane: range.lane,
                    from: range.from,
                    to: range.to,
                })
                .collect(),
            closed: of_kind(DeclarationKind::Closed)
                .map(|range| Closed { member: range.member.clone(), lane: range.lane, count: range.to })
                .collect(),
            dropped: self.dropped.to_list(),
        }
    }
}

impl Outcome {
    /// A receipt as the queue needs it.
    pub fn of_receipt(receipt: &Receipt) -> Self {
        let rows = receipt.results.iter();
        Self::Receipt(
            rows.filter_map(|row| Some((EventId(crate::id::uuid_from_text(&row.event_id)?), row.result)))
                .collect(),
        )
    }
}
