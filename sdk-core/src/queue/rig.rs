//! A queue with its host, for tests: a clock to turn, events to push, bodies to look into.

use super::{DropReason, Item, Outcome, Poll, Queue, QueueOptions, Request, Settled, Ticket};
use crate::id::EventId;
use crate::limits::{PAGE_BATCH_BYTES, PAGE_BATCH_EVENTS, PAGE_QUEUE_BYTES};
use crate::time::{Monotonic, Now};
use crate::value::Value;
use crate::wire::{Event, Priority, ResultKind, sample, write_batch, written_bytes};
use std::boxed::Box;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

pub(super) struct Rig {
    pub queue: Queue,
    events: BTreeMap<EventId, Event>,
    context: Option<Box<str>>,
    pub now: Now,
    pub random: u64,
}

/// What has left, as the network sees it.
pub(super) struct Sent {
    pub id: u64,
    pub body: String,
}

pub(super) const PAGE: QueueOptions = QueueOptions {
    max_batch_events: PAGE_BATCH_EVENTS,
    max_batch_bytes: PAGE_BATCH_BYTES,
    max_queue_bytes: PAGE_QUEUE_BYTES,
};

/// Settings of a page whose queue holds this many events of [`sample::event`].
pub(super) fn room_for(events: usize) -> QueueOptions {
    QueueOptions { max_queue_bytes: events * written_bytes(&sample::event(1)), ..PAGE }
}

impl Rig {
    /// A queue of the member `someone` and lane 9, whose events [`sample::event`] makes.
    pub fn new(options: QueueOptions) -> Self {
        let now = Now { wall: sample::event(1).timestamp, monotonic: Monotonic(0) };
        let queue = Queue::new(sample::member("someone"), sample::lane(9), options);
        Self { queue, events: BTreeMap::new(), context: None, now, random: u64::MAX }
    }

    pub fn pass(&mut self, ms: u64) {
        self.now.monotonic = self.now.monotonic.plus(ms);
        self.now.wall = self.now.wall.plus(ms as i64);
    }

    pub fn set_context(&mut self, context: String) {
        self.queue.set_context_bytes(context.len());
        self.context = Some(context.into());
    }

    pub fn push(&mut self, number: u64, priority: Priority) -> Vec<(Ticket, DropReason)> {
        self.push_event(Event { timestamp: self.now.wall, ..sample::event(number) }, priority)
    }

    pub fn push_event(&mut self, event: Event, priority: Priority) -> Vec<(Ticket, DropReason)> {
        let item = Item::of(&event);
        self.events.insert(event.event_id, event);
        self.queue.push(item, priority, self.now)
    }

    pub fn push_all(&mut self, numbers: core::ops::RangeInclusive<u64>) {
        numbers.for_each(|number| assert_eq!(self.push(number, Priority::Normal), []));
    }

    pub fn poll(&mut self) -> Poll {
        self.queue.poll(self.now)
    }

    pub fn sent(&mut self) -> Sent {
        self.try_send().unwrap_or_else(|poll| panic!("nothing was sent but {poll:?}"))
    }

    /// What is sent next, or what the queue says instead.
    pub fn try_send(&mut self) -> Result<Sent, Poll> {
        match self.poll() {
            Poll::Send => Ok(self.in_flight()),
            other => Err(other),
        }
    }

    /// What is on its way.
    pub fn in_flight(&self) -> Sent {
        let request = self.queue.in_flight().expect("a request is on its way");
        Sent { id: request.id, body: self.body(request) }
    }

    pub fn body(&self, request: &Request) -> String {
        let batch = request.batch(self.now.wall, self.context.as_deref(), |id| self.events.get(&id));
        write_batch(&batch)
    }

    pub fn settle(&mut self, request: u64, outcome: Outcome) -> Settled {
        self.queue.settle(request, outcome, self.now, self.random)
    }

    /// Sends one batch and answers with a status.
    pub fn answer(&mut self, status: u16) -> (Sent, Settled) {
        let request = self.sent();
        let settled = self.settle(request.id, refusal(status, &[]));
        (request, settled)
    }

    /// Sends one batch and answers with a plain receipt.
    pub fn deliver(&mut self) -> (Sent, Settled) {
        let request = self.sent();
        let settled = self.settle(request.id, receipt(&[]));
        (request, settled)
    }
}

pub(super) fn refusal(status: u16, offending: &[usize]) -> Outcome {
    Outcome::Status { status, retry_after_ms: None, offending: offending.to_vec() }
}

pub(super) fn receipt(rows: &[(u64, ResultKind)]) -> Outcome {
    let row = |(number, result): &(u64, ResultKind)| (sample::event(*number).event_id, *result);
    Outcome::Receipt(rows.iter().map(row).collect())
}

pub(super) fn id(number: u64) -> Ticket {
    Item::of(&sample::event(number)).ticket
}

/// The numbers of the events in a body.
pub(super) fn events(body: &str) -> Vec<u64> {
    let numbers = list(body, "events");
    let number =
        |event: &Value| u128::from_str_radix(&text(event, "event_id").replace('-', ""), 16).unwrap() as u64;
    numbers.iter().map(number).collect()
}

/// Lane, first and last number of every range declared void in a body.
pub(super) fn void(body: &str) -> Vec<(String, u64, u64)> {
    list(body, "void")
        .iter()
        .map(|range| (text(range, "lane"), count(range, "from"), count(range, "to")))
        .collect()
}

/// Lane and count of every lane declared closed in a body.
pub(super) fn closed(body: &str) -> Vec<(String, u64)> {
    list(body, "closed").iter().map(|closed| (text(closed, "lane"), count(closed, "count"))).collect()
}

/// The total of drops for one reason in a body.
pub(super) fn dropped(body: &str, reason: &str) -> u64 {
    parsed(body).at("dropped").map_or(0, |totals| totals.field(reason).map_or(0, |_| count(totals, reason)))
}

fn parsed(body: &str) -> Value {
    Value::parse(body).unwrap()
}

fn list(body: &str, name: &str) -> Vec<Value> {
    match parsed(body).field(name) {
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    }
}

fn text(value: &Value, name: &str) -> String {
    value.field(name).and_then(Value::as_str).unwrap().into()
}

fn count(value: &Value, name: &str) -> u64 {
    value.field(name).and_then(Value::as_number).unwrap() as u64
}
