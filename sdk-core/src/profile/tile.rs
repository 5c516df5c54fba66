//! One tile: what a signal's events under one key and in one bucket add up to, in whatever order they come.

use super::Aggregate;
use crate::codec::{CodecError, Reader, Writer};
use crate::limits::MAX_SUM_INPUT;
use crate::time::Timestamp;
use crate::value::ValueRef;

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
                let number = of.as_number().filter(|number| libm::fabs(*number) <= MAX_SUM_INPUT)?;
                Self::Sum(libm::round(number * MICRO) as i128)
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
    pub const fn value(self) -> ValueRef<'static> {
        match self {
            Self::Count(count) => ValueRef::Number(count as f64),
            Self::Sum(micros) => ValueRef::Number(micros as f64 / MICRO),
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

    /// Reads the binary form.
    ///
    /// # Errors
    /// Fails on bytes that end early and on unknown kinds.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match reader.u8()? {
            0 => Self::Count(reader.u64()?),
            1 => Self::Sum(reader.i128()?),
            2 => Self::LastAt(Timestamp(reader.i64()?)),
            _ => return Err(CodecError),
        })
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
