//! Days, weeks and months of local time as spans between two instants.

use super::{Timestamp, Zone, civil_from_days, days_from_civil};

const DAY_MS: i64 = 86_400_000;

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to that of the next.
    Month,
}

impl CalendarUnit {
    /// The instants at which the local day, week or month that contains `now` begins and ends.
    ///
    /// A day begins when local clocks first show its midnight or a later time, and once begun it is not left again where
    /// clocks are put back over midnight. So every instant lies in exactly one unit, and days are 23, 24 or 25 hours
    /// long where clocks change by one.
    pub fn around(self, mut zone: Zone<'_>, now: Timestamp) -> (Timestamp, Timestamp) {
        let first = zone;
        zone.pass_to(now);
        let begins = |day: i64| first.first_at(day.wrapping_mul(DAY_MS));
        let mut day = zone.local(now).div_euclid(DAY_MS);
        if begins(day + 1) <= now {
            day += 1;
        }
        let (from, to) = match self {
            Self::Day => (day, day + 1),
            Self::Week => {
                // 1970-01-01 was a Thursday.
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            Self::Month => {
                let (year, month, _) = civil_from_days(day);
                (days_from_civil(year, month, 1), days_from_civil(year + month / 12, month % 12 + 1, 1))
            }
        };
        (begins(from), begins(to))
    }
}
