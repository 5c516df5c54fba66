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
use core::cmp::Ordering;

/// Micro-units in one unit of a sum.
const MICRO: f64 = 1e6;

/// A mergeable, order-independent partial aggregate. Few forms for many aggregates keep the page small.
#[derive(Clone, Debug, PartialEq)]
pub enum Tile {
    /// `count`, `sum`, `mean`: a sum in micro-units, which a count leaves at zero, and a number of events, which a sum
    /// leaves at zero.
    Total(Aggregate, Micros, u64),
    /// `first_at`, `last_at`, `min`, `max`: a time in milliseconds, or a number in [its place](place_of).
    Extreme(Aggregate, i64),
    /// `first`, `last`: the value of the earliest or latest event.
    Picked(Aggregate, Box<Picked>),
    /// `distinct`: the different values.
    Distinct(Box<Distinct>),
}

/// A sum in micro-units. It asks for the alignment of a word and no more: a tile would be half as large again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(Rust, packed(8))]
pub struct Micros(pub i128);

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
            Aggregate::Count | Aggregate::Sum | Aggregate::Mean => {
                let micros = if aggregate == Aggregate::Count { 0 } else { micros(of)? };
                Self::Total(aggregate, Micros(micros), u64::from(aggregate != Aggregate::Sum))
            }
            Aggregate::LastAt | Aggregate::FirstAt => Self::Extreme(aggregate, at.0),
            // Adding zero makes the negative zero the other one.
            Aggregate::Min | Aggregate::Max => Self::Extreme(aggregate, place_of(finite(of)? + 0.0)),
            Aggregate::Distinct => {
                let mut room = [0; 40];
                let text = key_text(scalar(of)?, &mut room)?;
                Self::Distinct(Box::new(Distinct::of(key_hash(text.as_bytes()))))
            }
            Aggregate::First | Aggregate::Last => {
                let value = scalar(of).filter(|value| value.as_str().is_none_or(fits))?;
                let picked = Picked { at, event_id: event.event_id, value: Packed::of(value) };
                Self::Picked(aggregate, Box::new(picked))
            }
        })
    }

    /// The aggregate it is a part of.
    const fn aggregate(&self) -> Aggregate {
        match self {
            Self::Total(aggregate, ..) | Self::Extreme(aggregate, _) | Self::Picked(aggregate, _) => {
                *aggregate
            }
            Self::Distinct(_) => Aggregate::Distinct,
        }
    }

    /// Adds another tile of the same signal.
    #[inline(never)]
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Total(_, mine, count), Self::Total(_, theirs, more)) => {
                *mine = Micros({ mine.0 }.saturating_add(theirs.0));
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
        matches!(self, Self::Extreme(..) | Self::Picked(..))
    }

    /// Whether this one of two tiles is chosen.
    pub(super) fn beats(&self, other: &Self) -> bool {
        let order = match (self, other) {
            (Self::Extreme(_, mine), Self::Extreme(_, theirs)) => mine.cmp(theirs),
            (Self::Picked(_, mine), Self::Picked(_, theirs)) => mine.order(theirs),
            _ => Ordering::Equal,
        };
        let is_least = matches!(self.aggregate(), Aggregate::FirstAt | Aggregate::Min | Aggregate::First);
        order == if is_least { Ordering::Less } else { Ordering::Greater }
    }

    /// The value as the visitor document shows it: a number, an instant, or what an event had.
    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Extreme(Aggregate::LastAt | Aggregate::FirstAt, at) => ValueRef::Instant(Timestamp(*at)),
            Self::Picked(_, picked) => picked.value.get(),
            number => ValueRef::Number(number.number()),
        }
    }

    /// The value of a tile that is a number; of others zero.
    #[inline(never)]
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Total(Aggregate::Count, _, count) => *count as f64,
            Self::Total(aggregate, micros, count) => {
                let parts = if *aggregate == Aggregate::Mean { *count as f64 } else { 1.0 };
                wide_to_f64(micros.0) / (MICRO * parts)
            }
            Self::Extreme(_, place) => number_at(*place),
            Self::Distinct(distinct) => distinct.count() as f64,
            Self::Picked(..) => 0.0,
        }
    }

    /// Appends the binary form: the aggregate's tag and what there is of its form.
    pub fn encode(&self, out: &mut Writer) {
        let aggregate = self.aggregate();
        out.u8(aggregate as u8);
        match self {
            Self::Total(_, micros, count) => {
                if aggregate != Aggregate::Count {
                    out.i128(micros.0);
                }
                if aggregate != Aggregate::Sum {
                    out.u64(*count);
                }
            }
            Self::Extreme(_, place) if aggregate.takes_values() => out.f64(number_at(*place)),
            Self::Extreme(_, at) => out.i64(*at),
            Self::Picked(_, picked) => picked.encode(out),
            Self::Distinct(distinct) => distinct.encode(out),
        }
    }

    /// Reads the binary form; an unknown kind fails the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let aggregate = Aggregate::ALL.get(usize::from(source.u8())).copied().unwrap_or_else(|| {
            source.fail();
            Aggregate::Count
        });
        match aggregate {
            Aggregate::Count | Aggregate::Sum | Aggregate::Mean => {
                let micros = if aggregate == Aggregate::Count { 0 } else { source.i128() };
                let count = if aggregate == Aggregate::Sum { 0 } else { source.u64() };
                Self::Total(aggregate, Micros(micros), count)
            }
            Aggregate::FirstAt | Aggregate::LastAt => Self::Extreme(aggregate, source.i64()),
            Aggregate::Min | Aggregate::Max => {
                let number = source.f64();
                if !number.is_finite() {
                    source.fail();
                }
                Self::Extreme(aggregate, place_of(number))
            }
            Aggregate::First | Aggregate::Last => Self::Picked(aggregate, Picked::decode(source)),
            Aggregate::Distinct => Self::Distinct(Box::new(Distinct::decode(source))),
        }
    }
}

impl Picked {
    /// One event has one value; should an id come twice with two values, their bytes decide.
    fn order(&self, other: &Self) -> Ordering {
        (self.at, self.event_id)
            .cmp(&(other.at, other.event_id))
            .then_with(|| self.value.bytes().cmp(other.value.bytes()))
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

/// A number as an integer that orders as numbers do: the bits of negative ones are turned round.
const fn place_of(number: f64) -> i64 {
    turned(number.to_bits() as i64)
}

const fn number_at(place: i64) -> f64 {
    f64::from_bits(turned(place) as u64)
}

const fn turned(bits: i64) -> i64 {
    bits ^ (bits >> 63 & i64::MAX)
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

#[inline(never)]
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

    const fn total(micros: i128) -> Option<Tile> {
        Some(Tile::Total(Aggregate::Sum, Micros(micros), 0))
    }

    fn sum(number: f64) -> Option<Tile> {
        tile(Aggregate::Sum, 0, ValueRef::Number(number))
    }

    #[test]
    fn sums_round_to_micro_units_half_away_from_zero() {
        assert_eq!(sum(0.000_000_5), total(1));
        assert_eq!(sum(-0.000_000_5), total(-1));
        assert_eq!(sum(19.99), total(19_990_000));
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
        let number = |aggregate, number| tile(aggregate, 0, ValueRef::Number(number)).unwrap();
        let pairs = [
            (text(Aggregate::LastAt, 9, ""), text(Aggregate::LastAt, 5, "")),
            (text(Aggregate::FirstAt, 5, ""), text(Aggregate::FirstAt, 9, "")),
            (number(Aggregate::Min, -1.0), number(Aggregate::Min, 3.0)),
            (number(Aggregate::Min, -3.0), number(Aggregate::Min, -1.0)),
            (number(Aggregate::Max, 3.0), number(Aggregate::Max, -1.0)),
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
        assert_eq!(
            (mean.clone(), mean.value()),
            (Tile::Total(Aggregate::Mean, Micros(600_000), 3), ValueRef::Number(0.2))
        );
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
