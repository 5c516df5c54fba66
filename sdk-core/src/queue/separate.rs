//! Finding the culprit in a batch that was refused as a whole.

use super::buffer::{Company, Fate};
use super::declarations::Declarations;
use super::flight::Flight;
use super::{DropReason, Queue, Settled};
use crate::id::EventId;
use crate::time::Monotonic;
use alloc::vec::Vec;

impl Queue {
    /// Too large: what the collector names is dropped, a lone event as well; otherwise the next batch is half as big.
    pub(super) fn shrink(&mut self, flight: Flight, offending: &[usize]) -> Settled {
        let mut named: Vec<EventId> = Vec::new();
        for index in offending {
            named.extend(flight.request.events.get(*index).map(|ticket| ticket.event_id));
        }
        if !named.is_empty() {
            self.breaker.close();
            return self.drop_from(flight, &|id| named.contains(&id));
        }
        match (flight.request.events.len(), flight.request.declarations.len()) {
            (1, 0) | (0, 1) | (1, _) => self.separate(flight),
            (events, _) => {
                self.breaker.close();
                self.size.halve(events, flight.bytes);
                self.take_back(flight)
            }
        }
    }

    /// Unreadable: whatever travelled together travels alone from now on, and what travelled alone is the culprit.
    pub(super) fn separate(&mut self, mut flight: Flight) -> Settled {
        self.breaker.close();
        match (flight.request.events.len(), flight.request.declarations.len()) {
            (0, 1) => flight.request.declarations = Declarations::default(),
            (1, 0) => return self.drop_from(flight, &|_| true),
            (_, declarations) => {
                if declarations > 0 {
                    self.declarations_company = Company::Alone;
                }
                self.buffer.land(&mut |entry| {
                    entry.company = Company::Alone;
                    Fate::Kept(Monotonic(0))
                });
            }
        }
        self.take_back(flight)
    }

    fn drop_from(&mut self, flight: Flight, is_culprit: &dyn Fn(EventId) -> bool) -> Settled {
        let gone = self.buffer.land(&mut |entry| match is_culprit(entry.item.ticket.event_id) {
            true => Fate::Gone,
            false => Fate::Kept(Monotonic(0)),
        });
        let dropped = gone.iter().map(|item| self.give_up(item, DropReason::Rejected)).collect();
        Settled { dropped, ..self.take_back(flight) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{PAGE, Rig, closed, events, id, receipt, refusal};
    use super::*;
    use crate::wire::{Closed, sample};

    #[test]
    fn a_batch_that_is_too_large_loses_what_is_named_or_is_halved() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=8);
        let request = rig.sent();
        let settled = rig.settle(request.id, refusal(413, &[2, 99]));
        assert_eq!(settled.dropped, [(id(3), DropReason::Rejected)]);
        let (request, settled) = rig.answer(413);
        assert_eq!((events(&request.body).len(), settled), (7, Settled::default()));
        let mut delivered = 0;
        while let Ok(request) = rig.try_send() {
            assert!(events(&request.body).len() <= 3);
            delivered += rig.settle(request.id, receipt(&[])).delivered.len();
        }
        assert_eq!(delivered, 7);
    }

    #[test]
    fn only_the_culprit_of_an_unreadable_batch_is_dropped() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=5);
        rig.queue.declare_closed(Closed {
            member: sample::member("someone"),
            lane: sample::lane(3),
            count: 1,
        });
        let (mut delivered, mut dropped, mut told) = (Vec::new(), Vec::new(), 0);
        while let Ok(request) = rig.try_send() {
            let (inside, bad) = (events(&request.body), events(&request.body).contains(&3));
            told += if bad { 0 } else { closed(&request.body).len() };
            assert!(inside.len() <= 1 || bad);
            let settled = rig.settle(request.id, if bad { refusal(400, &[]) } else { receipt(&[]) });
            delivered.extend(settled.delivered);
            dropped.extend(settled.dropped);
        }
        assert_eq!(
            (delivered, dropped),
            (alloc::vec![id(1), id(2), id(4), id(5)], alloc::vec![(id(3), DropReason::Rejected)])
        );
        assert_eq!((told, rig.queue.status().events), (1, 0));
    }

    #[test]
    fn an_unreadable_declaration_takes_no_event_with_it() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=2);
        for lane in [3, 4] {
            rig.queue.declare_closed(Closed {
                member: sample::member("someone"),
                lane: sample::lane(lane),
                count: 1,
            });
        }
        let mut delivered = Vec::new();
        while let Ok(request) = rig.try_send() {
            let bad = request.body.contains("000000000003\",\"count");
            delivered
                .extend(rig.settle(request.id, if bad { refusal(400, &[]) } else { receipt(&[]) }).delivered);
        }
        assert_eq!(delivered, [id(1), id(2)]);
    }
}
