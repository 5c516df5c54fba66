//! From the names of the IANA time zone database to packed tables, for compilers.

use super::{Timestamp, ZoneTable, days_from_civil};
use crate::codec::Writer;
use crate::limits::{ZONE_FIRST_YEAR, ZONE_LAST_YEAR};
use alloc::string::String;
use core::ops::RangeInclusive;
use jiff::tz::{TimeZone, TimeZoneDatabase};

const MINUTE_S: i64 = 60;

impl ZoneTable {
    /// Looks a zone up in the database that is compiled in, whatever the machine has, and packs its transitions from
    /// [`ZONE_FIRST_YEAR`] to the end of [`ZONE_LAST_YEAR`]. Nothing for a name that the database does not have.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::of_years(name, ZONE_FIRST_YEAR..=ZONE_LAST_YEAR)
    }

    /// The same for other years.
    pub fn of_years(name: &str, years: RangeInclusive<i64>) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        let (from, to) = (year_s(*years.start()), year_s(years.end() + 1));
        let mut out = Writer::new();
        out.str(zone.iana_name().unwrap_or(name));
        let mut offset = offset_minutes(&zone, from)?;
        out.i64(offset);
        let mut last = 0;
        for transition in zone.following(jiff::Timestamp::from_second(from).ok()?) {
            let minute = transition.timestamp().as_second().div_euclid(MINUTE_S);
            if minute * MINUTE_S >= to {
                break;
            }
            // Some transitions change a name only.
            let changed = i64::from(transition.offset().seconds()) / MINUTE_S;
            if changed != offset {
                out.u64((minute - last) as u64);
                out.i64(changed - offset);
                (last, offset) = (minute, changed);
            }
        }
        Some(Self::new(out.into_bytes()))
    }

    /// The instant from which on a table no longer knows of changes.
    pub fn ends_at() -> Timestamp {
        Timestamp(year_s(ZONE_LAST_YEAR + 1) * 1_000)
    }
}

/// Reads a local time such as `2026-12-24T18:00` or `2026-12-24T18:00:30`, in milliseconds since 1970-01-01T00:00:00 of
/// local time.
pub fn parse_local(text: &str) -> Option<i64> {
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    let mut whole = String::from(text);
    whole.push_str(seconds);
    Timestamp::parse(&whole).map(|at| at.0)
}

/// Reads a time of day from `00:00` to `24:00`, in minutes.
pub fn parse_time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| match text.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
        _ => None,
    };
    let minute = two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?;
    (minute <= 24 * 60).then_some(minute)
}

/// Reads a day of the week, `mon` to `sun`, as its bit in [`super::Span::days`].
pub fn parse_day(text: &str) -> Option<u8> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    names.iter().position(|name| *name == text).map(|place| 1 << place)
}

fn year_s(year: i64) -> i64 {
    days_from_civil(year, 1, 1) * 86_400
}

fn offset_minutes(zone: &TimeZone, at_s: i64) -> Option<i64> {
    let at = jiff::Timestamp::from_second(at_s).ok()?;
    Some(i64::from(zone.to_offset(at).seconds()) / MINUTE_S)
}
