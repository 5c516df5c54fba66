//! Spans of local time by the plainest means: what the clocks show, minute by minute.

use attune_core::codec::{Reader, Writer};
use attune_core::condition::Calendar;
use attune_core::time::{EVERY_DAY, Span, Timestamp, ZoneTable};
use proptest::prelude::*;

pub const MINUTE_MS: i64 = 60_000;
/// Minutes in which time alone changes what a span says, if it ever does: eight days and the changes of clocks.
const HORIZON_MINUTES: i64 = 9 * 1_440;

/// A zone as offsets in minutes: the first, and each later one with the minute from which on it holds.
pub type Offsets = (i64, Vec<(i64, i64)>);

/// Zones of a few changes in the first hours of 1970.
fn zone() -> impl Strategy<Value = ZoneTable> {
    (-800_i64..800, proptest::collection::vec((0_i64..200, -100_i64..100), 0..4)).prop_map(
        |(first, changes)| {
            let mut out = Writer::new();
            out.str("Test/Zone");
            out.i64(first);
            for (wait, added) in changes {
                out.u64(wait as u64);
                out.i64(added);
            }
            ZoneTable::new(out.into_bytes())
        },
    )
}

/// What a packed zone says, read by the description of its form.
pub fn offsets(table: &ZoneTable) -> Offsets {
    let mut reader = Reader::new(table.as_bytes());
    reader.str().unwrap();
    let first = reader.i64().unwrap();
    let (mut minute, mut offset, mut later) = (0, first, Vec::new());
    while let Ok(wait) = reader.u64() {
        minute += wait as i64;
        offset += reader.i64().unwrap();
        later.push((minute, offset));
    }
    (first, later)
}

/// Spans around the beginning of 1970, by such a zone or by the visitor.
pub fn calendar() -> impl Strategy<Value = Calendar> {
    let days = prop_oneof![Just(EVERY_DAY), 1..=EVERY_DAY];
    let minutes = prop_oneof![Just(1_440_u16), 1_u16..=1_440];
    let edge = || proptest::option::of((-1_500_i64..1_500).prop_map(|minute| Timestamp(minute * MINUTE_MS)));
    let span = (days, 0_u16..1_440, minutes, edge(), edge(), any::<bool>()).prop_map(
        |(days, from_minute, minutes, starts, ends, is_local)| Span {
            days,
            from_minute,
            minutes,
            starts: starts.unwrap_or(Span::NO_START),
            ends: ends.unwrap_or(Span::NO_END),
            is_local,
        },
    );
    (span, proptest::option::of(zone())).prop_map(|(span, zone)| Calendar { span, zone })
}

/// Whether an instant lies in a span, and the first later minute that differs, found by looking at each.
pub fn spans(span: &Span, offsets: &Offsets, now: Timestamp) -> (bool, Option<Timestamp>) {
    let now = now.0.div_euclid(MINUTE_MS);
    let holds = is_inside(span, offsets, now);
    let next = (now + 1..now + HORIZON_MINUTES).find(|minute| is_inside(span, offsets, *minute) != holds);
    (holds, next.map(|minute| Timestamp(minute * MINUTE_MS)))
}

/// Whether a minute lies in a span, by what the clocks show then.
fn is_inside(span: &Span, (first, later): &Offsets, minute: i64) -> bool {
    let mut offset = *first;
    for (from, then) in later {
        if *from > minute {
            break;
        }
        offset = *then;
    }
    let (day, in_day) = ((minute + offset).div_euclid(1_440), (minute + offset).rem_euclid(1_440));
    let until = i64::from(span.from_minute) + i64::from(span.minutes);
    // Day 4 of 1970 was the first Monday.
    let begins_on = |day: i64| (span.days >> (day - 4).rem_euclid(7)) & 1 == 1;
    let in_hours = (i64::from(span.from_minute) <= in_day && in_day < until && begins_on(day))
        || (in_day + 1_440 < until && begins_on(day - 1));
    let clock = Timestamp((minute + if span.is_local { offset } else { 0 }) * MINUTE_MS);
    in_hours && span.starts <= clock && clock < span.ends
}
