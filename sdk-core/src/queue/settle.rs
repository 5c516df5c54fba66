//! What an outcome does to the events of its request.

use super::breaker::{Pause, PauseReason};
use super::buffer::{Company, Entry, Fate};
use super::flight::Flight;
use super::retry::{self, Verdict};
use super::{Declaration, DeclarationKind, DropReason, Item, Outcome, Queue, Settled, Ticket};
use crate::id::EventId;
use crate::limits::{MAX_EVENT_ATTEMPTS, PROBE_MS};
use crate::time::{Monotonic, Now};
use crate::wire::ResultKind;

impl Queue {
    pub(super) fn settle_flight(
        &mut self,
        flight: Flight,
        outcome: Outcome,
        now: Now,
        random: u64,
    ) -> Settled {
        let mut settled = match outcome {
            Outcome::Receipt(rows) => self.take_receipt(flight, &rows, now, random),
            Outcome::Network => {
                self.hear_nothing(now, random);
                self.take_back(flight)
            }
            Outcome::Offline => {
                self.back_off(None, now, random);
                self.take_back(flight)
            }
            Outcome::Status { status, retry_after_ms, offending } => {
                self.hear(status, retry_after_ms, now, random);
                match retry::judge(status) {
                    Verdict::Later => self.try_again(flight),
                    Verdict::Refused => self.take_back(flight),
                    Verdict::TooLarge => self.shrink(flight, &offending),
                    Verdict::Unreadable => self.separate(flight),
                }
            }
        };
        settled.dropped.append(&mut self.given_up);
        settled
    }

    /// Notes that an event is given up; its number becomes void.
    pub(super) fn give_up(&mut self, item: &Item, reason: DropReason) -> (Ticket, DropReason) {
        self.drops.count(reason);
        if let Some(number) = item.ticket.lane {
            self.declarations.add(Declaration {
                kind: DeclarationKind::Void,
                member: item.member.clone(),
                lane: number.lane,
                from: number.seq,
                to: number.seq,
            });
        }
        (item.ticket, reason)
    }

    #[inline(never)]
    fn take_receipt(
        &mut self,
        flight: Flight,
        rows: &[(EventId, ResultKind)],
        now: Now,
        random: u64,
    ) -> Settled {
        self.hear_receipt();
        self.size.confirm();
        if flight.request.lane == self.lane {
            self.drops.confirm(flight.request.dropped);
        } else {
            self.drops.settle_earlier_lane(flight.request.dropped);
        }
        if self.declarations.is_empty() {
            self.declarations_company = Company::Any;
        }
        let kind_of = |id: EventId| rows.iter().find(|(named, _)| *named == id).map(|(_, kind)| *kind);
        let gone = self.buffer.land(&mut |entry| match kind_of(entry.item.ticket.event_id) {
            Some(ResultKind::Retry) => put_off(entry, now.monotonic, random),
            _ => Fate::Gone,
        });
        let mut settled = Settled::default();
        for item in gone {
            match kind_of(item.ticket.event_id) {
                Some(ResultKind::Rejected) => settled.dropped.push(self.give_up(&item, DropReason::Rejected)),
                _ => settled.delivered.push(item.ticket),
            }
        }
        settled
    }

    pub(super) const fn hear_receipt(&mut self) {
        self.weather.answered();
        self.breaker.close();
    }

    pub(super) fn hear(&mut self, status: u16, retry_after_ms: Option<u64>, now: Now, random: u64) {
        self.weather.answered();
        match retry::judge(status) {
            Verdict::Later => self.back_off(retry_after_ms, now, random),
            Verdict::Refused => self.breaker.open(pause(now.monotonic, PROBE_MS, retry_after_ms)),
            Verdict::TooLarge | Verdict::Unreadable => {}
        }
    }

    pub(super) fn hear_nothing(&mut self, now: Now, random: u64) {
        // A page whose requests are blocked waits for an answer, however long a pause is.
        if !self.weather.silent(now.monotonic) {
            self.back_off(None, now, random);
        }
    }

    fn back_off(&mut self, retry_after_ms: Option<u64>, now: Now, random: u64) {
        let own_ms = retry::delay_ms(self.breaker.failures() + 1, random);
        self.breaker.fail(pause(now.monotonic, own_ms, retry_after_ms));
    }

    /// Puts a request back whose answer was that another one may do better; an event for which that has been said too
    /// often is given up.
    fn try_again(&mut self, flight: Flight) -> Settled {
        self.declarations.restore(flight.request.declarations);
        let gone = self.buffer.land(&mut |entry| {
            entry.attempts = entry.attempts.saturating_add(1);
            if entry.attempts < MAX_EVENT_ATTEMPTS { Fate::Kept(Monotonic(0)) } else { Fate::Gone }
        });
        let dropped = gone.iter().map(|item| self.give_up(item, DropReason::Expired)).collect();
        Settled { dropped, ..Settled::default() }
    }

    /// Puts everything of a request back where it was.
    pub(super) fn take_back(&mut self, flight: Flight) -> Settled {
        self.buffer.land(&mut |_| Fate::Kept(Monotonic(0)));
        self.declarations.restore(flight.request.declarations);
        Settled::default()
    }
}

fn put_off(entry: &mut Entry, now: Monotonic, random: u64) -> Fate {
    entry.attempts = entry.attempts.saturating_add(1);
    Fate::Kept(now.plus(retry::delay_ms(entry.attempts, random)))
}

/// The longer of both times, and whose it is.
fn pause(now: Monotonic, own_ms: u64, retry_after_ms: Option<u64>) -> Pause {
    match retry_after_ms.map(retry::asked_ms) {
        Some(asked_ms) => Pause { until: now.plus(asked_ms.max(own_ms)), reason: PauseReason::Asked },
        None => Pause { until: now.plus(own_ms), reason: PauseReason::Backoff },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Poll;
    use super::super::rig::{PAGE, Rig, dropped, events, id, receipt, room_for, void};
    use super::*;
    use crate::wire::Priority;
    use alloc::vec::Vec;

    #[test]
    fn what_a_receipt_does_not_list_is_delivered() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=4);
        let request = rig.sent();
        let rows = [(2, ResultKind::Rejected), (3, ResultKind::Retry), (4, ResultKind::Warning)];
        let settled = rig.settle(request.id, receipt(&rows));
        assert_eq!(settled.delivered, [id(1), id(4)]);
        assert_eq!(settled.dropped, [(id(2), DropReason::Rejected)]);
        let told = rig.sent().body;
        assert_eq!((void(&told).len(), events(&told), dropped(&told, "rejected")), (1, [].into(), 1));
    }

    #[test]
    fn an_event_put_off_waits_while_others_pass_it() {
        let mut rig = Rig::new(PAGE);
        rig.random = 700;
        rig.push_all(1..=1);
        let request = rig.sent();
        rig.settle(request.id, receipt(&[(1, ResultKind::Retry)]));
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(700)));
        rig.push_all(2..=2);
        assert_eq!(events(&rig.deliver().0.body), [2]);
        rig.pass(700);
        assert_eq!(events(&rig.deliver().0.body), [1]);
    }

    #[test]
    fn a_failure_waits_and_sends_the_same_again() {
        for status in [408, 425, 429, 500, 503] {
            let mut rig = Rig::new(PAGE);
            rig.random = 1_000;
            rig.push_all(1..=2);
            assert_eq!(rig.answer(status).1, Settled::default());
            assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(1_000)));
            rig.pass(1_000);
            assert_eq!(events(&rig.sent().body), [1, 2]);
        }
    }

    #[test]
    fn the_time_a_collector_asks_for_is_kept_even_when_the_network_returns() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        let request = rig.sent();
        let outcome = Outcome::Status { status: 503, retry_after_ms: Some(30_000), offending: Vec::new() };
        rig.settle(request.id, outcome);
        rig.queue.nudge();
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(30_000)));
    }

    #[test]
    fn a_refused_sender_keeps_its_events_and_probes_with_a_small_batch() {
        for status in [401, 403, 404] {
            let mut rig = Rig::new(PAGE);
            rig.push_all(1..=50);
            rig.answer(status);
            assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(PROBE_MS)));
            rig.pass(PROBE_MS);
            assert_eq!(events(&rig.deliver().0.body).len(), 10);
            assert_eq!(events(&rig.deliver().0.body).len(), 40);
        }
    }

    #[test]
    fn declarations_travel_until_a_receipt_confirms_them() {
        let mut rig = Rig::new(room_for(1));
        rig.push(1, Priority::Normal);
        assert_eq!(rig.push(2, Priority::Normal), [(id(1), DropReason::QueueFull)]);
        rig.random = 0;
        let first = rig.answer(500).0.body;
        let (second, _) = rig.deliver();
        assert_eq!((void(&first), dropped(&first, "queue_full")), (void(&second.body), 1));
        assert_eq!(void(&second.body).len(), 1);
        assert_eq!(rig.poll(), Poll::Idle);
    }
}
