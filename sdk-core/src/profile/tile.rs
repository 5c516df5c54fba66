//! One tile: what a signal's events under one key and in one bucket add up to, in whatever order they come.

use super::Aggregate;
use crate::codec::{Source, Writer};
use crate::limits::MAX_SUM_INPUT;
use crate::time::Timestamp;
use crate::value::{ValueRef, round, wide_to_f64};

/// Micro-units in one unit of a sum.
const MICRO: f64 = 1e6;

/// A mergeable, order-independent partial aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Number of events.
    Count(u64),
    /// Sum in micro-units.
    Sum(i128),
    /// Time of the latest event.
    LastAt(Timestamp),
}

impl Tile {
    /// The tile of a single event; `of` is the value at the signal's `of` path.
    ///
    /// A sum takes numbers of at most [`MAX_SUM_INPUT`]; any other value makes the event not count.
    pub fn of_event(aggregate: Aggregate, at: Timestamp, of: ValueRef<'_>) -> Option<Self> {
        Some(match aggregate {
            Aggregate::Count => Self::Count(1),
            Aggregate::LastAt => Self::LastAt(at),
            Aggregate::Sum => {
                let number = of.as_number().filter(|number| number.abs() <= MAX_SUM_INPUT)?;
                let micros = i128::from(round(number.abs() * MICRO));
                Self::Sum(if number < 0.0 { -micros } else { micros })
            }
        })
    }

    /// Adds another tile of the same signal; one of another kind changes nothing.
    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(mine), Self::Count(theirs)) => *mine = mine.saturating_add(theirs),
            (Self::Sum(mine), Self::Sum(theirs)) => *mine = mine.saturating_add(theirs),
            (Self::LastAt(mine), Self::LastAt(theirs)) => *mine = theirs.max(*mine),
            _ => {}
        }
    }

    /// The value as the visitor document shows it: a number, or an instant.
    pub fn value(self) -> ValueRef<'static> {
        match self {
            Self::Count(count) => ValueRef::Number(count as f64),
            Self::Sum(micros) => ValueRef::Number(wide_to_f64(micros) / MICRO),
            Self::LastAt(at) => ValueRef::Instant(at),
        }
    }

    /// Appends the binary form.
    pub fn encode(self, out: &mut Writer) {
        match self {
            Self::Count(count) => {
                out.u8(0);
                out.u64(count);
            }
            Self::Sum(micros) => {
                out.u8(1);
                out.i128(micros);
            }
            Self::LastAt(at) => {
                out.u8(2);
                out.i64(at.0);
            }
        }
    }

    /// Reads the binary form; an unknown kind fails the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        match source.u8() {
            0 => Self::Count(source.u64()),
            1 => Self::Sum(source.i128()),
            2 => Self::LastAt(Timestamp(source.i64())),
            _ => {
                source.fail();
                Self::Count(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(number: f64) -> Option<Tile> {
        Tile::of_event(Aggregate::Sum, Timestamp(0), ValueRef::Number(number))
    }

    #[test]
    fn sums_round_to_micro_units_half_away_from_zero() {
        assert_eq!(sum(0.000_000_5), Some(Tile::Sum(1)));
        assert_eq!(sum(-0.000_000_5), Some(Tile::Sum(-1)));
        assert_eq!(sum(19.99), Some(Tile::Sum(19_990_000)));
    }

    #[test]
    fn sums_take_bounded_numbers_only() {
        assert_eq!((sum(1e9).is_some(), sum(1.1e9), sum(f64::NAN)), (true, None, None));
        assert_eq!(Tile::of_event(Aggregate::Sum, Timestamp(0), ValueRef::Text("7")), None);
        assert_eq!(Tile::of_event(Aggregate::Sum, Timestamp(0), ValueRef::Null), None);
    }

    #[test]
    fn the_latest_time_wins_from_either_side() {
        let (early, late) = (Tile::LastAt(Timestamp(5)), Tile::LastAt(Timestamp(9)));
        for (mut mine, theirs) in [(early, late), (late, early)] {
            mine.merge(theirs);
            assert_eq!(mine, late);
        }
    }
}
