//! What is to be said about lanes beside their events: numbers given up, and lanes that have ended.

use crate::id::MemberId;
use crate::wire::{Closed, VoidRange};
use alloc::vec::Vec;
use core::mem;

/// Bytes of one declaration on the wire at most, without a member's name.
const DECLARATION_BYTES: usize = 128;

/// Declarations that no receipt has confirmed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declarations {
    /// Numbers given up; neighbouring ones share a range.
    pub void: Vec<VoidRange>,
    /// Lanes that have ended.
    pub closed: Vec<Closed>,
}

impl Declarations {
    /// Whether there is nothing to say.
    pub const fn is_empty(&self) -> bool {
        self.void.is_empty() && self.closed.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.void.len() + self.closed.len()
    }

    /// Adds numbers given up, joined with what they overlap or touch.
    pub fn add_void(&mut self, mut range: VoidRange) {
        self.void.retain(|known| {
            let touches = known.lane == range.lane
                && known.member == range.member
                && known.from <= range.to.saturating_add(1)
                && range.from <= known.to.saturating_add(1);
            if touches {
                range.from = range.from.min(known.from);
                range.to = range.to.max(known.to);
            }
            !touches
        });
        self.void.push(range);
    }

    /// Adds a lane that has ended; the higher count of one lane stands.
    pub fn add_closed(&mut self, closed: Closed) {
        match self.closed.iter_mut().find(|known| known.lane == closed.lane && known.member == closed.member)
        {
            Some(known) => known.count = known.count.max(closed.count),
            None => self.closed.push(closed),
        }
    }

    /// Takes back what has travelled in vain.
    pub fn restore(&mut self, travelled: Self) {
        travelled.void.into_iter().for_each(|range| self.add_void(range));
        travelled.closed.into_iter().for_each(|closed| self.add_closed(closed));
    }

    /// Takes out at most `max_count` declarations within `max_bytes`, the first whatever it takes; returns them and
    /// their bytes.
    pub fn take(&mut self, max_count: usize, max_bytes: usize) -> (Self, usize) {
        let mut bytes = 0;
        let mut count = 0;
        let mut fits = |member: &MemberId| {
            let more = DECLARATION_BYTES + member.0.len();
            let taken = count < max_count && (count == 0 || bytes + more <= max_bytes);
            if taken {
                bytes += more;
                count += 1;
            }
            taken
        };
        let void = self.void.iter().take_while(|range| fits(&range.member)).count();
        let closed = if void < self.void.len() {
            0
        } else {
            self.closed.iter().take_while(|closed| fits(&closed.member)).count()
        };
        let (later_void, later_closed) = (self.void.split_off(void), self.closed.split_off(closed));
        let now = mem::replace(self, Self { void: later_void, closed: later_closed });
        (now, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sample;

    fn range(lane: u128, from: u64, to: u64) -> VoidRange {
        VoidRange { member: sample::member("m"), lane: sample::lane(lane), from, to }
    }

    #[test]
    fn neighbouring_numbers_share_a_range() {
        let mut declarations = Declarations::default();
        for (lane, number) in [(1, 3), (1, 5), (2, 4), (1, 4), (1, 9), (1, 4)] {
            declarations.add_void(range(lane, number, number));
        }
        assert_eq!(declarations.void, [range(2, 4, 4), range(1, 9, 9), range(1, 3, 5)]);
        declarations.add_void(range(1, 0, u64::MAX));
        assert_eq!(declarations.void, [range(2, 4, 4), range(1, 0, u64::MAX)]);
    }

    #[test]
    fn a_lane_is_closed_once() {
        let mut declarations = Declarations::default();
        for count in [3, 7, 5] {
            declarations.add_closed(Closed { member: sample::member("m"), lane: sample::lane(1), count });
        }
        assert_eq!(declarations.closed.iter().map(|closed| closed.count).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn many_declarations_leave_in_parts_and_none_is_lost() {
        let mut declarations = Declarations::default();
        (0..50).for_each(|lane| declarations.add_void(range(lane, 1, 1)));
        (0..50).for_each(|lane| {
            declarations.add_closed(Closed {
                member: sample::member("m"),
                lane: sample::lane(lane),
                count: 1,
            });
        });
        let mut parts = Vec::new();
        while !declarations.is_empty() {
            let (part, bytes) = declarations.take(usize::MAX, 1_000);
            assert!(bytes <= 1_000);
            parts.push(part.len());
        }
        assert_eq!((parts.len(), parts.iter().sum::<usize>()), (15, 100));
        declarations.add_void(range(1, 1, 1));
        assert_eq!(declarations.take(usize::MAX, 0).0.len(), 1);
    }
}
