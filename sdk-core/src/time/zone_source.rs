//! From the names of the IANA time zone database to packed tables, for compilers.

use super::{Timestamp, ZoneTable, days_from_civil};
use crate::codec::Writer;
use crate::limits::{ZONE_FIRST_YEAR, ZONE_LAST_YEAR};
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

fn year_s(year: i64) -> i64 {
    days_from_civil(year, 1, 1) * 86_400
}

fn offset_minutes(zone: &TimeZone, at_s: i64) -> Option<i64> {
    let at = jiff::Timestamp::from_second(at_s).ok()?;
    Some(i64::from(zone.to_offset(at).seconds()) / MINUTE_S)
}
