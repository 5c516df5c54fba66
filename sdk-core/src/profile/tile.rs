//! One tile: what a signal's events under one key and in one bucket add up to, in whatever order they come.

use super::{Aggregate, Distinct, key_text};
use crate::codec::{Source, Writer};
use crate::hash::key_hash;
use crate::id::{EventId, Uuid};
use crate::limits::{MAX_PICKED_BYTES, MAX_SUM_INPUT};
use crate::time::Timestamp;
use crate::value::{Packed, ValueRef, round, wide_to_f64};
use crate::wire::Event;
use alloc::boxed::Box;

/// Micro-units in one unit of a sum.
const MICRO: f64 = 1e6;

/// A mergeable, order-independent partial aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum Tile {
    /// Number of events.
    Count(u64),
    /// Sum in micro-units.
    Sum(i128),
    /// Time of the latest event.
    LastAt(Timestamp),
    /// Time of the earliest event.
    FirstAt(Timestamp),
    /// The smallest number.
    Min(f64),
    /// The largest number.
    Max(f64),
    /// A sum in micro-units and how many numbers it has.
    Mean(i128, u64),
    /// The value of the earliest event.
    First(Box<Picked>),
    /// The value of the latest event.
    Last(Box<Picked>),
    /// The different values.
    Distinct(Box<Distinct>),
}

/// A value with the event it comes from; of equal times the event ids decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Picked {
    /// Time of the event.
    pub at: Timestamp,
    /// Its id.
    pub event_id: EventId,
    /// The value: a text, a number, true or false.
    pub value: Packed,
}

impl Tile {
    /// The tile of a single event; `of` is the value at the signal's `of` path.
    ///
    /// An event whose value the aggregate cannot take does not count. Sums and means take numbers of at most
    /// [`MAX_SUM_INPUT`], `min` and `max` finite numbers; `first`, `last` and `distinct` take finite numbers, true,
    /// false and texts, of which `first` and `last` refuse those above [`MAX_PICKED_BYTES`]. Values that are equal as
    /// keys are equal to `distinct`.
    pub fn of_event(aggregate: Aggregate, event: &Event, of: ValueRef<'_>) -> Option<Self> {
        let at = event.timestamp;
        Some(match aggregate {
            Aggregate::Count => Self::Count(1),
            Aggregate::LastAt => Self::LastAt(at),
            Aggregate::FirstAt => Self::FirstAt(at),
            Aggregate::Sum => Self::Sum(micros(of)?),
            Aggregate::Mean => Self::Mean(micros(of)?, 1),
            // Adding zero makes the negative zero the other one.
            Aggregate::Min => Self::Min(finite(of)? + 0.0),
            Aggregate::Max => Self::Max(finite(of)? + 0.0),
            Aggregate::Distinct => {
                let mut room = [0; 40];
                let text = key_text(scalar(of)?, &mut room)?;
                Self::Distinct(Box::new(Distinct::of(key_hash(text.as_bytes()))))
            }
            Aggregate::First | Aggregate::Last => {
                let value = scalar(of).filter(|value| value.as_str().is_none_or(fits))?;
                let picked = Box::new(Picked { at, event_id: event.event_id, value: Packed::of(value) });
                if aggregate == Aggregate::First { Self::First(picked) } else { Self::Last(picked) }
            }
        })
    }

    /// Adds another tile of the same signal; one of another kind changes nothing.
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Count(mine), Self::Count(theirs)) => *mine = mine.saturating_add(*theirs),
            (Self::Sum(mine), Self::Sum(theirs)) => *mine = mine.saturating_add(*theirs),
            (Self::Mean(mine, count), Self::Mean(theirs, more)) => {
                *mine = mine.saturating_add(*theirs);
                *count = count.saturating_add(*more);
            }
            (Self::Distinct(mine), Self::Distinct(theirs)) => mine.merge(theirs),
            (mine, theirs) => {
                if theirs.beats(mine) {
                    mine.clone_from(theirs);
                }
            }
        }
    }

    /// Whether one of several tiles is the whole value, and not all of them together.
    pub(super) const fn is_choice(&self) -> bool {
        !matches!(self, Self::Count(_) | Self::Sum(_) | Self::Mean(..) | Self::Distinct(_))
    }

    /// Whether this one of two tiles is chosen.
    pub(super) fn beats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::LastAt(mine), Self::LastAt(theirs)) => mine > theirs,
            (Self::FirstAt(mine), Self::FirstAt(theirs)) => mine < theirs,
            (Self::Min(mine), Self::Min(theirs)) => mine < theirs,
            (Self::Max(mine), Self::Max(theirs)) => mine > theirs,
            (Self::First(mine), Self::First(theirs)) => mine.is_before(theirs),
            (Self::Last(mine), Self::Last(theirs)) => theirs.is_before(mine),
            _ => false,
        }
    }

    /// The value as the visitor document shows it: a number, an instant, or what an event had.
    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Self::LastAt(at) | Self::FirstAt(at) => ValueRef::Instant(*at),
            Self::First(picked) | Self::Last(picked) => picked.value.get(),
            number => ValueRef::Number(number.number()),
        }
    }

    /// The value of a tile that is a number; of others zero.
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Count(count) => *count as f64,
            Self::Sum(micros) => wide_to_f64(*micros) / MICRO,
            Self::Mean(micros, count) => wide_to_f64(*micros) / (MICRO * *count as f64),
            Self::Min(number) | Self::Max(number) => *number,
            Self::Distinct(distinct) => distinct.count() as f64,
            _ => 0.0,
        }
    }

    /// Appends the binary form, whose tags are those of the aggregates.
    pub fn encode(&self, out: &mut Writer) {
        out.u8(match self {
            Self::Count(_) => 0,
            Self::Sum(_) => 1,
            Self::LastAt(_) => 2,
            Self::FirstAt(_) => 3,
            Self::Min(_) => 4,
            Self::Max(_) => 5,
            Self::Mean(..) => 6,
            Self::First(_) => 7,
            Self::Last(_) => 8,
            Self::Distinct(_) => 9,
        });
        match self {
            Self::Count(count) => out.u64(*count),
            Self::Sum(micros) => out.i128(*micros),
            Self::LastAt(at) | Self::FirstAt(at) => out.i64(at.0),
            Self::Min(number) | Self::Max(number) => out.f64(*number),
            Self::Mean(micros, count) => {
                out.i128(*micros);
                out.u64(*count);
            }
            Self::First(picked) | Self::Last(picked) => picked.encode(out),
            Self::Distinct(distinct) => distinct.encode(out),
        }
    }

    /// Reads the binary form; an unknown kind fails the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        match source.u8() {
            0 => Self::Count(source.u64()),
            1 => Self::Sum(source.i128()),
            2 => Self::LastAt(Timestamp(source.i64())),
            3 => Self::FirstAt(Timestamp(source.i64())),
            tag @ (4 | 5) => {
                let number = source.f64();
                if !number.is_finite() {
                    source.fail();
                }
                if tag == 4 { Self::Min(number) } else { Self::Max(number) }
            }
            6 => Self::Mean(source.i128(), source.u64()),
            7 => Self::First(Picked::decode(source)),
            8 => Self::Last(Picked::decode(source)),
            9 => Self::Distinct(Box::new(Distinct::decode(source))),
            _ => {
                source.fail();
                Self::Count(0)
            }
        }
    }
}

impl Picked {
    /// One event has one value; should an id come twice with two values, their bytes decide.
    fn is_before(&self, other: &Self) -> bool {
        (self.at, self.event_id, self.value.bytes()) < (other.at, other.event_id, other.value.bytes())
    }

    fn encode(&self, out: &mut Writer) {
        out.i64(self.at.0);
        out.raw(self.event_id.0.as_bytes());
        self.value.encode(out);
    }

    fn decode(source: &mut Source<'_>) -> Box<Self> {
        Box::new(Self {
            at: Timestamp(source.i64()),
            event_id: EventId(Uuid::from_bytes(source.array())),
            value: Packed::read(source),
        })
    }
}

fn fits(text: &str) -> bool {
    text.len() <= MAX_PICKED_BYTES
}

fn finite(of: ValueRef<'_>) -> Option<f64> {
    of.as_number().filter(|number| number.is_finite())
}

/// A value that is neither a list nor an object, nor a number that JSON does not have.
fn scalar(of: ValueRef<'_>) -> Option<ValueRef<'_>> {
    match of {
        ValueRef::Number(_) => finite(of).map(ValueRef::Number),
        ValueRef::Null | ValueRef::List(_) | ValueRef::Object(_) => None,
        _ => Some(of),
    }
}

fn micros(of: ValueRef<'_>) -> Option<i128> {
    let number = of.as_number().filter(|number| number.abs() <= MAX_SUM_INPUT)?;
    let micros = i128::from(round(number.abs() * MICRO));
    Some(if number < 0.0 { -micros } else { micros })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture::event;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn tile(aggregate: Aggregate, at: i64, of: ValueRef<'_>) -> Option<Tile> {
        Tile::of_event(aggregate, event(at, "page_view", "{}").event(), of)
    }

    fn sum(number: f64) -> Option<Tile> {
        tile(Aggregate::Sum, 0, ValueRef::Number(number))
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
        assert_eq!(tile(Aggregate::Sum, 0, ValueRef::Text("7")), None);
        assert_eq!(tile(Aggregate::Sum, 0, ValueRef::Null), None);
    }

    #[test]
    fn values_that_an_aggregate_cannot_take_do_not_count() {
        let long: String = "x".repeat(MAX_PICKED_BYTES + 1);
        let counts = |aggregate: Aggregate, of: ValueRef<'_>| tile(aggregate, 1, of).is_some();
        for aggregate in [Aggregate::Min, Aggregate::Max, Aggregate::Mean] {
            assert!(counts(aggregate, ValueRef::Number(-1.5)));
            for of in [ValueRef::Number(f64::NAN), ValueRef::Number(f64::INFINITY), ValueRef::Text("7")] {
                assert!(!counts(aggregate, of), "{aggregate:?} {of:?}");
            }
        }
        for aggregate in [Aggregate::First, Aggregate::Last, Aggregate::Distinct] {
            for of in [ValueRef::Bool(false), ValueRef::Text(""), ValueRef::Number(0.0)] {
                assert!(counts(aggregate, of), "{aggregate:?} {of:?}");
            }
            let list = ValueRef::List(&[1, 2]);
            for of in [ValueRef::Null, list, ValueRef::Number(f64::NAN), ValueRef::Number(f64::INFINITY)] {
                assert!(!counts(aggregate, of), "{aggregate:?} {of:?}");
            }
            assert_eq!(counts(aggregate, ValueRef::Text(&long)), aggregate == Aggregate::Distinct);
            assert!(counts(aggregate, ValueRef::Text(&long[1..])));
        }
    }

    #[test]
    fn the_chosen_one_of_two_wins_from_either_side() {
        let text = |aggregate, at, text| tile(aggregate, at, ValueRef::Text(text)).unwrap();
        let pairs = [
            (Tile::LastAt(Timestamp(9)), Tile::LastAt(Timestamp(5))),
            (Tile::FirstAt(Timestamp(5)), Tile::FirstAt(Timestamp(9))),
            (Tile::Min(-1.0), Tile::Min(3.0)),
            (Tile::Max(3.0), Tile::Max(-1.0)),
            (text(Aggregate::Last, 9, "a"), text(Aggregate::Last, 5, "z")),
            (text(Aggregate::First, 5, "z"), text(Aggregate::First, 9, "a")),
            // The fixture's event id is its time, so here the value's bytes decide.
            (text(Aggregate::First, 5, "a"), text(Aggregate::First, 5, "b")),
        ];
        for (winner, loser) in pairs {
            for (mine, theirs) in [(&winner, &loser), (&loser, &winner)] {
                let mut merged = mine.clone();
                merged.merge(theirs);
                assert_eq!(merged, winner);
            }
        }
    }

    #[test]
    fn a_mean_is_its_decimal_sum_over_its_count() {
        let mut mean = tile(Aggregate::Mean, 0, ValueRef::Number(0.1)).unwrap();
        for number in [0.2, 0.3] {
            mean.merge(&tile(Aggregate::Mean, 0, ValueRef::Number(number)).unwrap());
        }
        assert_eq!((mean.clone(), mean.value()), (Tile::Mean(600_000, 3), ValueRef::Number(0.2)));
    }

    #[test]
    fn every_kind_survives_its_binary_form_and_nothing_else_is_read() {
        let mut tiles: Vec<Tile> = Aggregate::ALL
            .iter()
            .filter_map(|aggregate| tile(*aggregate, 77, ValueRef::Number(2.5)))
            .collect();
        assert_eq!(tiles.len(), Aggregate::ALL.len());
        tiles.extend(tile(Aggregate::First, -1, ValueRef::Text("ü")));
        for tile in tiles {
            let mut out = Writer::new();
            tile.encode(&mut out);
            let bytes = out.into_bytes();
            let mut source = Source::new(&bytes);
            assert_eq!((Tile::decode(&mut source), source.finish()), (tile, Ok(())));
            for end in 0..bytes.len() {
                let mut source = Source::new(&bytes[..end]);
                Tile::decode(&mut source);
                assert!(!source.is_sound());
            }
        }
        for bytes in [&[10_u8][..], &[4, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f]] {
            let mut source = Source::new(bytes);
            Tile::decode(&mut source);
            assert!(!source.is_sound());
        }
    }
}
