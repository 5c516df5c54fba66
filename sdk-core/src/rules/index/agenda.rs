//! One heap of the instants at which time alone can change something.

use crate::time::Timestamp;
use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// For each of many numbered things the next instant at which it must be looked at, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    due: Vec<i64>,
    /// Every instant in `due`, and some that are no longer.
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

const NEVER: i64 = i64::MAX;

impl Agenda {
    /// Nothing due for this many things.
    pub fn of(length: usize) -> Self {
        Self { due: vec![NEVER; length], heap: BinaryHeap::new() }
    }

    /// Replaces the instant of one thing.
    pub fn set(&mut self, number: usize, at: Option<Timestamp>) {
        let Some(due) = self.due.get_mut(number) else { return };
        let at = at.map_or(NEVER, |at| at.0);
        if *due == at {
            return;
        }
        *due = at;
        if at == NEVER {
            return;
        }
        self.heap.push(Reverse((at, number as u32)));
        // What is out of date must not outgrow what counts.
        if self.heap.len() > 2 * self.due.len() {
            self.heap.clear();
            let live = self.due.iter().enumerate().filter(|(_, at)| **at != NEVER);
            live.for_each(|(number, at)| self.heap.push(Reverse((*at, number as u32))));
        }
    }

    /// The next instant of all.
    pub fn next_at(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, number))) = self.heap.peek() {
            if self.due.get(*number as usize) == Some(at) {
                return Some(Timestamp(*at));
            }
            self.heap.pop();
        }
        None
    }

    /// Takes out one thing whose instant has come.
    pub fn take_due(&mut self, now: Timestamp) -> Option<usize> {
        let at = self.next_at().filter(|at| *at <= now)?;
        let Reverse((_, number)) = self.heap.pop()?;
        debug_assert!(self.due.get(number as usize) == Some(&at.0));
        if let Some(due) = self.due.get_mut(number as usize) {
            *due = NEVER;
        }
        Some(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_fall_due_in_order_and_only_by_their_latest_instant() {
        let mut agenda = Agenda::of(3);
        for (number, at) in [(0, 30), (1, 10), (2, 20), (1, 40), (2, 20)] {
            agenda.set(number, Some(Timestamp(at)));
        }
        agenda.set(0, None);
        assert_eq!(agenda.next_at(), Some(Timestamp(20)));
        assert_eq!(agenda.take_due(Timestamp(19)), None);
        assert_eq!(agenda.take_due(Timestamp(50)), Some(2));
        assert_eq!((agenda.take_due(Timestamp(50)), agenda.take_due(Timestamp(50))), (Some(1), None));
        assert_eq!(agenda.next_at(), None);
    }

    #[test]
    fn instants_that_are_replaced_do_not_pile_up() {
        let mut agenda = Agenda::of(2);
        (0..10_000).for_each(|at| agenda.set(0, Some(Timestamp(at))));
        assert!(agenda.heap.len() <= 4);
        assert_eq!(agenda.next_at(), Some(Timestamp(9_999)));
    }
}
