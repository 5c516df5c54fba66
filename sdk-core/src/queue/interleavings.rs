//! Any order of inputs and outcomes: no event is lost silently, none is sent again once settled, counts agree.

use super::rig::{Rig, Sent, closed, events, id, receipt, refusal, void};
use super::{DropReason, News, Outcome, Poll, QueueOptions, Reachability, Settled, Ticket};
use crate::wire::{Closed, Event, LaneSeq, Priority, ResultKind, sample};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::string::{String, ToString};
use std::vec::Vec;

#[derive(Clone, Debug)]
enum Step {
    Push { priority: Priority, lane: u8, metadata_bytes: usize },
    PushForeign,
    Poll { pass_ms: u64 },
    Settle(Answer),
    Stale,
    Nudge,
    Close(u8),
    Sender(u8),
    Farewell,
    Age,
}

#[derive(Clone, Debug)]
enum Answer {
    /// A receipt whose rows reject or put off every n-th event.
    Receipt {
        reject_every: usize,
        retry_every: usize,
    },
    Status(u16),
    TooLarge {
        offending: Vec<usize>,
    },
    Network,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => (2_usize..9, 2_usize..9)
            .prop_map(|(reject_every, retry_every)| Answer::Receipt { reject_every, retry_every }),
        2 => prop::sample::select(std::vec![408_u16, 425, 429, 500, 503, 501, 505, 401, 403, 404, 400, 413, 302, 204])
            .prop_map(Answer::Status),
        1 => prop::collection::vec(0_usize..6, 0..3).prop_map(|offending| Answer::TooLarge { offending }),
        1 => Just(Answer::Network),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop::sample::select(std::vec![Priority::Low, Priority::Normal, Priority::Critical]);
    prop_oneof![
        8 => (priority, 0_u8..4, 0_usize..400)
            .prop_map(|(priority, lane, metadata_bytes)| Step::Push { priority, lane, metadata_bytes }),
        1 => Just(Step::PushForeign),
        6 => prop::sample::select(std::vec![0_u64, 1, 500, 5_000, 60_000, 400_000]).prop_map(|pass_ms| Step::Poll { pass_ms }),
        6 => answer().prop_map(Step::Settle),
        1 => Just(Step::Stale),
        1 => Just(Step::Nudge),
        1 => (0_u8..6).prop_map(Step::Close),
        1 => (0_u8..4).prop_map(Step::Sender),
        1 => Just(Step::Farewell),
        1 => Just(Step::Age),
    ]
}

/// The queue, and what its host has seen of it.
struct World {
    rig: Rig,
    max_batch_bytes: usize,
    max_batch_events: usize,
    in_flight: Option<Sent>,
    /// Whether a probe is on its way.
    is_probing: bool,
    pushed: BTreeMap<u64, Option<LaneSeq>>,
    delivered: BTreeSet<u64>,
    dropped: BTreeMap<u64, DropReason>,
    next_seq: BTreeMap<u8, u64>,
    closed: BTreeSet<String>,
    confirmed_closed: BTreeSet<String>,
    confirmed_void: Vec<(String, u64, u64)>,
}

fn number(ticket: Ticket) -> u64 {
    ticket.event_id.0.as_u128() as u64
}

impl World {
    fn new(max_batch_events: usize, max_batch_bytes: usize, max_queue_bytes: usize) -> Self {
        Self {
            rig: Rig::new(QueueOptions { max_batch_events, max_batch_bytes, max_queue_bytes }),
            max_batch_bytes,
            max_batch_events,
            in_flight: None,
            is_probing: false,
            pushed: BTreeMap::new(),
            delivered: BTreeSet::new(),
            dropped: BTreeMap::new(),
            next_seq: BTreeMap::new(),
            closed: BTreeSet::new(),
            confirmed_closed: BTreeSet::new(),
            confirmed_void: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push { priority, lane, metadata_bytes } => {
                let seq = self.next_seq.entry(lane).or_insert(0);
                *seq += 1;
                let lane = LaneSeq { lane: sample::lane(u128::from(lane)), seq: *seq };
                self.push(Some(lane), priority, metadata_bytes);
            }
            Step::PushForeign => self.push(None, Priority::Normal, 10),
            Step::Poll { pass_ms } => {
                self.rig.pass(pass_ms);
                self.poll();
            }
            Step::Settle(answer) => self.settle(&answer),
            Step::Stale => assert_eq!(self.rig.settle(u64::MAX, receipt(&[])), Settled::default()),
            Step::Nudge => self.rig.queue.nudge(),
            Step::Close(lane) => {
                let lane = sample::lane(100 + u128::from(lane));
                self.closed.insert(lane.0.to_string());
                self.rig.queue.declare_closed(Closed { member: sample::member("someone"), lane, count: 1 });
            }
            Step::Sender(lane) => {
                self.rig.queue.set_sender(sample::member("other"), sample::lane(u128::from(lane)))
            }
            Step::Farewell => self.farewell(),
            Step::Age => self.rig.pass(4 * 24 * 3_600_000),
        }
        let held = self.rig.queue.status();
        assert_eq!(
            self.pushed.len(),
            self.delivered.len() + self.dropped.len() + held.events,
            "events are conserved"
        );
        let is_held = |number: &&u64| self.rig.queue.holds(id(**number).event_id);
        assert_eq!(held.events, self.pushed.keys().filter(is_held).count());
        assert_eq!(held.in_flight, self.in_flight.as_ref().map_or(0, |request| events(&request.body).len()));
    }

    fn push(&mut self, lane: Option<LaneSeq>, priority: Priority, metadata_bytes: usize) {
        let next = self.pushed.len() as u64 + 1;
        self.pushed.insert(next, lane);
        let metadata = ["{\"a\":\"", &"x".repeat(metadata_bytes), "\"}"].concat();
        let event = Event {
            lane,
            timestamp: self.rig.now.wall,
            metadata: Some(metadata.into()),
            ..sample::event(next)
        };
        let evicted = self.rig.push_event(event, priority);
        let flying = self.in_flight.as_ref().map_or(Vec::new(), |request| events(&request.body));
        assert!(evicted.iter().all(|(id, _)| !flying.contains(&number(*id))), "nothing in flight is evicted");
        self.note_dropped(evicted);
    }

    fn poll(&mut self) -> Poll {
        let poll = self.rig.poll();
        let expired = self.rig.queue.take_dropped();
        self.note_dropped(expired);
        self.is_probing |= poll == Poll::Probe;
        if poll == Poll::Send {
            assert!(self.in_flight.is_none(), "one request at a time");
            let sent = self.rig.in_flight();
            self.check_body(&sent.body, self.max_batch_bytes);
            assert!(events(&sent.body).len() <= self.max_batch_events);
            self.in_flight = Some(sent);
        }
        poll
    }

    fn settle(&mut self, answer: &Answer) {
        if core::mem::take(&mut self.is_probing) {
            let is_silent = matches!(answer, Answer::Network);
            let news = if is_silent { News::NoAnswer } else { News::Answer };
            self.rig.queue.handle_news(news, self.rig.now, 0);
        }
        let Some(request) = self.in_flight.take() else { return };
        let sent = events(&request.body);
        let mut durable: BTreeSet<u64> = BTreeSet::new();
        let outcome = match answer {
            Answer::Receipt { reject_every, retry_every } => {
                let rows = sent.iter().enumerate().filter_map(|(index, number)| match index + 1 {
                    place if place % reject_every == 0 => Some((*number, ResultKind::Rejected)),
                    place if place % retry_every == 0 => Some((*number, ResultKind::Retry)),
                    _ => None,
                });
                let rows: Vec<_> = rows.collect();
                durable.extend(sent.iter().filter(|number| rows.iter().all(|(listed, _)| listed != *number)));
                self.confirmed_void.extend(void(&request.body));
                self.confirmed_closed.extend(closed(&request.body).into_iter().map(|(lane, _)| lane));
                receipt(&rows)
            }
            Answer::Status(status) => refusal(*status, &[]),
            Answer::TooLarge { offending } => refusal(413, offending),
            Answer::Network => Outcome::Network,
        };
        let settled = self.rig.settle(request.id, outcome);
        for id in &settled.delivered {
            assert!(durable.remove(&number(*id)), "only what the collector has is delivered");
            assert!(self.delivered.insert(number(*id)), "delivered once");
        }
        assert!(durable.is_empty(), "all that the collector has is delivered");
        self.note_dropped(settled.dropped);
    }

    fn farewell(&mut self) {
        let before = self.rig.queue.status();
        let mut seen = BTreeSet::new();
        for request in self.rig.queue.farewell(self.rig.now) {
            let body = self.rig.body(&request);
            self.check_body(&body, 60 * 1024);
            assert!(body.len() <= 60 * 1024);
            assert!(events(&body).into_iter().all(|number| seen.insert(number)), "each event leaves once");
        }
        assert_eq!(self.rig.queue.status(), before);
    }

    fn check_body(&self, body: &str, max_bytes: usize) {
        let (sent, void, closed) = (events(body), void(body), closed(body));
        for number in &sent {
            assert!(
                !self.delivered.contains(number) && !self.dropped.contains_key(number),
                "a settled event stays home"
            );
        }
        let things = sent.len() + void.len() + closed.len();
        assert!(things > 0, "no empty batch");
        assert!(things == 1 || body.len() <= max_bytes, "{things} things in {} bytes", body.len());
        for (lane, from, to) in &void {
            for (number, at) in &self.pushed {
                let hit =
                    at.is_some_and(|at| at.lane.0.to_string() == *lane && (*from..=*to).contains(&at.seq));
                assert!(!hit || self.dropped.contains_key(number), "only what was given up is void");
            }
        }
    }

    fn note_dropped(&mut self, dropped: Vec<(Ticket, DropReason)>) {
        for (id, reason) in dropped {
            assert!(!self.delivered.contains(&number(id)), "nothing delivered is dropped");
            assert!(self.dropped.insert(number(id), reason).is_none(), "dropped once");
        }
    }

    /// Polls and answers with receipts until nothing is left.
    fn drain(&mut self) {
        let good = Answer::Receipt { reject_every: usize::MAX, retry_every: usize::MAX };
        let mut heard = false;
        for _ in 0..10_000 {
            self.settle(&good);
            match self.poll() {
                Poll::Send => heard = true,
                Poll::Probe => {}
                Poll::WaitUntil(until) => {
                    assert!(until > self.rig.now.monotonic, "an instant to wait for lies ahead");
                    self.rig.pass(until.since(self.rig.now.monotonic));
                }
                // Where requests are blocked, somebody has to want it.
                Poll::Idle if self.rig.queue.reachability() != Reachability::Open => self.rig.queue.nudge(),
                Poll::Idle => break,
            }
        }
        let status = self.rig.queue.status();
        assert_eq!((status.events, status.bytes, status.in_flight), (0, 0, 0), "the queue drains");
        // With nothing left to send after a failure, nothing tells the queue that the collector is well again.
        assert!(!heard || status == super::QueueStatus::default(), "a receipt ends all waiting: {status:?}");
        assert_eq!(self.delivered.len() + self.dropped.len(), self.pushed.len());
    }

    /// Every number given up was confirmed as void, unless the collector could not even read that it was.
    fn check_declarations(&self) {
        for at in self.dropped.keys().filter_map(|number| self.pushed.get(number).copied().flatten()) {
            let lane = at.lane.0.to_string();
            let told = self
                .confirmed_void
                .iter()
                .any(|(in_lane, from, to)| *in_lane == lane && (*from..=*to).contains(&at.seq));
            assert!(told, "number {} of lane {lane} is void", at.seq);
        }
        assert_eq!(self.closed, self.confirmed_closed);
    }
}

fn loses_declarations(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Settle(Answer::Status(400 | 413) | Answer::TooLarge { .. })))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_pushed_event_ends_delivered_or_dropped_with_a_reason(
        steps in prop::collection::vec(step(), 1..120),
        max_batch_events in 1_usize..12,
        max_batch_bytes in prop::sample::select(std::vec![1_usize, 1_200, 3_000, 48_000]),
        max_queue_bytes in prop::sample::select(std::vec![100_usize, 2_000, 6_000, 1_000_000]),
        random: u64,
    ) {
        let mut world = World::new(max_batch_events, max_batch_bytes, max_queue_bytes);
        world.rig.random = random;
        let complete = !loses_declarations(&steps);
        steps.into_iter().for_each(|step| world.step(step));
        world.drain();
        if complete {
            world.check_declarations();
        }
    }
}

#[test]
fn a_queue_that_forgot_an_event_would_be_noticed() {
    let mut world = World::new(10, 48_000, 1_000_000);
    world.step(Step::Push { priority: Priority::Normal, lane: 1, metadata_bytes: 1 });
    world.pushed.insert(99, None);
    let caught = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| world.drain()));
    assert!(caught.is_err());
    assert_eq!(id(7).event_id.0, crate::id::Uuid::from_u128(7));
}
