//! Sends visits through the core's queue over HTTP, several at a time.

use super::clock::draw;
use super::order::Disturbance;
use super::visit::Visit;
use crate::failure::Failure;
use attune_core::limits::{PAGE_BATCH_BYTES, PAGE_BATCH_EVENTS, PAGE_QUEUE_BYTES};
use attune_core::queue::{Item, News, Outcome, Poll, Queue, QueueOptions, Request};
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::wire::{Batch, Closed, Event, Priority, parse_offending, parse_receipt, write_batch};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use ureq::Agent;

/// Connections at a time: enough that the collector can sync several batches at once.
const SENDERS: usize = 8;
/// Visits that one connection keeps open at a time while batches are shuffled.
const OPEN_VISITS: usize = 16;
/// Events per batch while batches are shuffled: small, so that a visit has several.
const SHUFFLED_BATCH_EVENTS: usize = 3;
/// Longest answer to a batch that is read, in bytes.
const MAX_RECEIPT_BYTES: u64 = 4 << 20;

/// What the collector's receipts add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Events that were new.
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Events that the queue gave up.
    pub dropped: u64,
}

/// Sends every visit to `url`; returns once every event has a receipt.
///
/// # Errors
/// A sender thread ended early.
pub fn send(visits: &[Visit], disturbance: Disturbance, url: &str) -> Result<Sent, Failure> {
    let next = Mutex::new(visits.iter());
    let totals: Vec<thread::Result<Sent>> = thread::scope(|scope| {
        let start = || scope.spawn(|| Sender::new(url, disturbance).run(&next));
        let senders: Vec<_> = (0..SENDERS).map(|_| start()).collect();
        senders.into_iter().map(|sender| sender.join()).collect()
    });
    let mut sum = Sent::default();
    for total in totals {
        let total = total.map_err(|_| Failure::new("a sender ended early"))?;
        sum.accepted += total.accepted;
        sum.duplicates += total.duplicates;
        sum.dropped += total.dropped;
    }
    Ok(sum)
}

struct Sender<'a> {
    agent: Agent,
    url: &'a str,
    disturbance: Disturbance,
    started: Instant,
    sent: Sent,
    draws: u32,
}

/// A visit on its way: its queue, and what is to be sent again after all is acknowledged.
struct Open<'v> {
    queue: Queue,
    visit: &'v Visit,
    again: Vec<Event>,
    end: Timestamp,
}

impl<'a> Sender<'a> {
    fn new(url: &'a str, disturbance: Disturbance) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
        Self {
            agent: config.build().into(),
            url,
            disturbance,
            started: Instant::now(),
            sent: Sent::default(),
            draws: 0,
        }
    }

    fn run<'v>(mut self, next: &Mutex<impl Iterator<Item = &'v Visit>>) -> Sent {
        let limit = if self.disturbance.shuffle { OPEN_VISITS } else { 1 };
        let mut open: Vec<Open<'v>> = Vec::new();
        loop {
            while open.len() < limit {
                let Some(visit) = next.lock().ok().and_then(|mut visits| visits.next()) else { break };
                open.push(self.open(visit));
            }
            if open.is_empty() {
                return self.sent;
            }
            self.draws += 1;
            let chosen = draw("batch", self.draws, 0) as usize % open.len();
            if !self.step(&mut open[chosen]) {
                open.swap_remove(chosen);
            }
        }
    }

    fn open<'v>(&self, visit: &'v Visit) -> Open<'v> {
        let options = QueueOptions {
            max_batch_events: if self.disturbance.shuffle {
                SHUFFLED_BATCH_EVENTS
            } else {
                PAGE_BATCH_EVENTS
            },
            max_batch_bytes: PAGE_BATCH_BYTES,
            max_queue_bytes: PAGE_QUEUE_BYTES,
        };
        let mut queue = Queue::new(visit.member.clone(), visit.lane, options);
        let end = visit.events.iter().map(|event| event.timestamp).max().unwrap_or_default();
        for event in &visit.events {
            queue.push(Item::of(event), Priority::Normal, self.now(end));
        }
        let count = visit.events.len() as u64;
        queue.declare_closed(Closed { member: visit.member.clone(), lane: visit.lane, count });
        Open { queue, visit, again: self.disturbance.repeated(visit).cloned().collect(), end }
    }

    /// Does what the queue wants next; returns whether the visit has anything left.
    fn step(&mut self, open: &mut Open<'_>) -> bool {
        self.draws += 1;
        let random = draw("jitter", self.draws, 0);
        match open.queue.poll(self.now(open.end)) {
            Poll::Send => {
                let Some(request) = open.queue.in_flight().cloned() else { return true };
                let outcome = self.post(&open.body(&request));
                let settled = open.queue.settle(request.id, outcome, self.now(open.end), random);
                self.sent.dropped += settled.dropped.len() as u64;
                true
            }
            Poll::Probe => {
                // Any answer will do, also that there is nothing to get here.
                let news =
                    if self.agent.get(self.url).call().is_ok() { News::Answer } else { News::NoAnswer };
                open.queue.handle_news(news, self.now(open.end), random);
                true
            }
            Poll::WaitUntil(instant) => {
                thread::sleep(Duration::from_millis(instant.since(self.now(open.end).monotonic).max(1)));
                true
            }
            Poll::Idle if open.again.is_empty() => false,
            Poll::Idle => {
                for event in std::mem::take(&mut open.again) {
                    open.queue.push(Item::of(&event), Priority::Normal, self.now(open.end));
                }
                true
            }
        }
    }

    fn post(&mut self, body: &str) -> Outcome {
        let request = self.agent.post(self.url).header("Content-Type", "text/plain");
        let Ok(mut response) = request.send(body) else { return Outcome::Network };
        let status = response.status().as_u16();
        if status != 200 {
            let seconds =
                response.headers().get("Retry-After").and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after_ms = seconds.map(|seconds: u64| seconds * 1_000);
            let body = response.body_mut().read_to_string().unwrap_or_default();
            return Outcome::Status { status, retry_after_ms, offending: parse_offending(&body) };
        }
        let text =
            response.body_mut().with_config().limit(MAX_RECEIPT_BYTES).read_to_string().unwrap_or_default();
        let Ok(receipt) = parse_receipt(&text) else { return Outcome::Network };
        self.sent.accepted += receipt.accepted;
        self.sent.duplicates += receipt.duplicates;
        Outcome::of_receipt(&receipt)
    }

    /// The visitor's wall clock at the end of the visit, and a real monotonic clock for retries.
    fn now(&self, wall: Timestamp) -> Now {
        Now { wall, monotonic: Monotonic(self.started.elapsed().as_millis() as u64) }
    }
}

impl Open<'_> {
    fn body(&self, request: &Request) -> String {
        let find = |id| self.visit.events.iter().find(|event| event.event_id == id);
        // The recording's clock is taken as right: a collector must not shift clicks of past years to today.
        write_batch(&Batch { clock_skew_ms: Some(0), ..request.batch(self.end, None, find) })
    }
}
