//! What is to be said about lanes beside their events: numbers given up, and lanes that have ended.

use crate::id::{LaneId, MemberId};
use alloc::vec::Vec;

/// Bytes of one declaration on the wire at most, without a member's name.
const DECLARATION_BYTES: usize = 128;

/// Something to be said about numbers of a lane; both bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What is said.
    pub kind: DeclarationKind,
    /// The lane's member.
    pub member: MemberId,
    /// The lane.
    pub lane: LaneId,
    /// First number.
    pub from: u64,
    /// Last number.
    pub to: u64,
}

/// What is said about numbers of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclarationKind {
    /// They were given up and will never come.
    Void,
    /// They are all that the lane gave out, from 1 on: it has ended.
    Closed,
}

/// Declarations that no receipt has confirmed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declarations(pub Vec<Declaration>);

impl Declarations {
    /// Whether there is nothing to say.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a declaration, joined with what of its kind it overlaps or touches.
    pub fn add(&mut self, mut added: Declaration) {
        self.0.retain(|known| {
            let touches = known.kind == added.kind
                && known.lane == added.lane
                && known.member == added.member
                && known.from <= added.to.saturating_add(1)
                && added.from <= known.to.saturating_add(1);
            if touches {
                added.from = added.from.min(known.from);
                added.to = added.to.max(known.to);
            }
            !touches
        });
        self.0.push(added);
    }

    /// Takes declarations back that have not arrived.
    pub fn restore(&mut self, travelled: Self) {
        travelled.0.into_iter().for_each(|declaration| self.add(declaration));
    }

    /// Takes out at most `max_count` declarations within `max_bytes`, the first whatever it takes; returns them and
    /// their bytes.
    pub fn take(&mut self, max_count: usize, max_bytes: usize) -> (Self, usize) {
        let (mut bytes, mut count) = (0, 0);
        for declaration in self.0.iter().take(max_count) {
            let more = DECLARATION_BYTES + declaration.member.0.len();
            if count > 0 && bytes + more > max_bytes {
                break;
            }
            bytes += more;
            count += 1;
        }
        let later = self.0.split_off(count);
        (Self(core::mem::replace(&mut self.0, later)), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sample;

    fn range(lane: u128, from: u64, to: u64) -> Declaration {
        let (member, lane) = (sample::member("m"), sample::lane(lane));
        Declaration { kind: DeclarationKind::Void, member, lane, from, to }
    }

    fn closed(lane: u128, count: u64) -> Declaration {
        Declaration { kind: DeclarationKind::Closed, ..range(lane, 1, count) }
    }

    #[test]
    fn neighbouring_numbers_share_a_range() {
        let mut declarations = Declarations::default();
        for (lane, number) in [(1, 3), (1, 5), (2, 4), (1, 4), (1, 9), (1, 4)] {
            declarations.add(range(lane, number, number));
        }
        assert_eq!(declarations.0, [range(2, 4, 4), range(1, 9, 9), range(1, 3, 5)]);
        declarations.add(range(1, 0, u64::MAX));
        assert_eq!(declarations.0, [range(2, 4, 4), range(1, 0, u64::MAX)]);
    }

    #[test]
    fn a_lane_is_closed_once() {
        let mut declarations = Declarations::default();
        for count in [3, 7, 5] {
            declarations.add(closed(1, count));
        }
        declarations.add(range(1, 2, 2));
        assert_eq!(declarations.0, [closed(1, 7), range(1, 2, 2)]);
    }

    #[test]
    fn many_declarations_leave_in_parts_and_none_is_lost() {
        let mut declarations = Declarations::default();
        (0..50).for_each(|lane| declarations.add(range(lane, 1, 1)));
        (0..50).for_each(|lane| declarations.add(closed(lane, 1)));
        let mut parts = Vec::new();
        while !declarations.is_empty() {
            let (part, bytes) = declarations.take(usize::MAX, 1_000);
            assert!(bytes <= 1_000);
            parts.push(part.len());
        }
        assert_eq!((parts.len(), parts.iter().sum::<usize>()), (15, 100));
        declarations.add(range(1, 1, 1));
        assert_eq!(declarations.take(usize::MAX, 0).0.len(), 1);
    }
}
