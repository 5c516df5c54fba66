//! One heap of the instants at which time alone can change something.

use crate::time::Timestamp;
use alloc::collections::{BTreeMap, BinaryHeap};
use core::cmp::Reverse;

/// For each of many numbered things the next instant at which it must be looked at, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    due: BTreeMap<u32, i64>,
    /// Every instant in `due`, and some that are no longer.
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

/// Entries of the heap that are never worth clearing away.
const FEW: usize = 64;

impl Agenda {
    /// Replaces the instant of one thing.
    #[inline]
    pub fn set(&mut self, number: usize, at: Option<Timestamp>) {
        if at.is_some() || !self.due.is_empty() {
            self.replace(number as u32, at);
        }
    }

    fn replace(&mut self, number: u32, at: Option<Timestamp>) {
        let Some(Timestamp(at)) = at else {
            self.due.remove(&number);
            return;
        };
        if self.due.insert(number, at) == Some(at) {
            return;
        }
        self.heap.push(Reverse((at, number)));
        // What is out of date must not outgrow what counts.
        if self.heap.len() > 2 * self.due.len() + FEW {
            self.heap.clear();
            self.heap.extend(self.due.iter().map(|(number, at)| Reverse((*at, *number))));
        }
    }

    /// The next instant of all.
    pub fn next_at(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, number))) = self.heap.peek() {
            if self.due.get(number) == Some(at) {
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
        debug_assert!(self.due.get(&number) == Some(&at.0));
        self.due.remove(&number);
        Some(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_fall_due_in_order_and_only_by_their_latest_instant() {
        let mut agenda = Agenda::default();
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
        let mut agenda = Agenda::default();
        (0..10_000).for_each(|at| agenda.set(0, Some(Timestamp(at))));
        assert!(agenda.heap.len() <= FEW + 2);
        assert_eq!(agenda.next_at(), Some(Timestamp(9_999)));
    }
}
