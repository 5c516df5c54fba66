//! Where a visitor's days, weeks and months begin.

use crate::time::{self, Timestamp, civil_from_days};
use core::fmt;

const DAY_MS: i64 = 24 * 3_600_000;

/// A piece of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday, as ISO 8601 counts.
    Week,
    /// From the first to the last of a month.
    Month,
}

impl CalendarUnit {
    /// The most days it has.
    pub const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
        }
    }
}

/// The clocks of a place.
pub trait Zone {
    /// By how many milliseconds they are ahead of UTC at an instant.
    fn ahead_ms(&self, at: Timestamp) -> i64;
}

// Without a `Debug` of every zone, which would bring the formatting of numbers into the page.
impl fmt::Debug for dyn Zone + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zone")
    }
}

/// The zone of those of whom none is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utc;

impl Zone for Utc {
    fn ahead_ms(&self, _at: Timestamp) -> i64 {
        0
    }
}

/// The clocks that a page tells of.
impl Zone for time::Clocks {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        Self::ahead_ms(self, at)
    }
}

/// The clocks that a bundle tells of.
impl Zone for time::Zone<'_> {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        let mut clocks = *self;
        clocks.pass_to(at);
        clocks.local(at).wrapping_sub(at.0)
    }
}

/// One day, week or month of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant of the next one.
    pub until: Timestamp,
}

impl Period {
    /// The period that an instant lies in.
    #[inline(never)]
    pub fn of(unit: CalendarUnit, now: Timestamp, zone: &dyn Zone) -> Self {
        let day = now.plus(zone.ahead_ms(now)).0.div_euclid(DAY_MS);
        let (first, next) = match unit {
            CalendarUnit::Day => (day, day + 1),
            CalendarUnit::Week => {
                // The first day of 1970 is a Thursday.
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            CalendarUnit::Month => {
                let first = day - civil_from_days(day).2 + 1;
                // No month has more than 31 days, so this one lies in the next.
                let behind = first + 31;
                (first, behind - civil_from_days(behind).2 + 1)
            }
        };
        let starts = |day: i64| {
            // Exact for 285,000 years; a saturating product of integers is a call in the page.
            let local = Timestamp((day as f64 * DAY_MS as f64) as i64);
            let back = |at: Timestamp| Timestamp(local.0.saturating_sub(zone.ahead_ms(at)));
            // The clocks may have been set between midnight and now, which the second look corrects. Where they leap over
            // midnight the looks alternate around the leap, with which the day begins.
            let second = back(back(now));
            second.max(back(second))
        };
        Self { from: starts(first), until: starts(next).max(now.plus(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Clocks that are set at given instants: those before the first, then from each instant on, in minutes.
    #[derive(Debug)]
    struct Set(i64, &'static [(&'static str, i64)]);

    impl Zone for Set {
        fn ahead_ms(&self, at: Timestamp) -> i64 {
            let since = |(from, _): &&(&str, i64)| Timestamp::parse(from).unwrap() <= at;
            self.1.iter().take_while(since).last().map_or(self.0, |(_, minutes)| *minutes) * 60_000
        }
    }

    const VIENNA: Set = Set(
        60,
        &[("2026-03-29T01:00:00Z", 120), ("2026-10-25T01:00:00Z", 60), ("2027-03-28T01:00:00Z", 120)],
    );
    /// Clocks that leap over midnight, as in São Paulo in 2018, and go back to the evening before.
    const SAO_PAULO: Set = Set(-180, &[("2018-11-04T03:00:00Z", -120), ("2019-02-17T02:00:00Z", -180)]);
    const KATHMANDU: Set = Set(345, &[]);

    fn period(unit: CalendarUnit, now: &str, zone: &dyn Zone) -> [std::string::String; 2] {
        let Period { from, until } = Period::of(unit, Timestamp::parse(now).unwrap(), zone);
        [from, until].map(|at| std::format!("{at}").replace(":00.000Z", ""))
    }

    #[test]
    fn periods_begin_at_the_midnight_of_the_place() {
        let cases = [
            (
                CalendarUnit::Day,
                "2026-11-25T18:00:00Z",
                &Utc as &dyn Zone,
                "2026-11-25T00:00",
                "2026-11-26T00:00",
            ),
            (CalendarUnit::Week, "2026-11-25T18:00:00Z", &Utc, "2026-11-23T00:00", "2026-11-30T00:00"),
            (CalendarUnit::Week, "2026-11-22T23:59:59Z", &Utc, "2026-11-16T00:00", "2026-11-23T00:00"),
            (CalendarUnit::Month, "2024-02-29T12:00:00Z", &Utc, "2024-02-01T00:00", "2024-03-01T00:00"),
            (CalendarUnit::Month, "2026-12-31T23:59:59Z", &Utc, "2026-12-01T00:00", "2027-01-01T00:00"),
            (CalendarUnit::Day, "1969-12-31T23:00:00Z", &Utc, "1969-12-31T00:00", "1970-01-01T00:00"),
            (CalendarUnit::Day, "2026-11-25T18:00:00Z", &KATHMANDU, "2026-11-24T18:15", "2026-11-25T18:15"),
            (CalendarUnit::Day, "2026-11-25T18:15:00Z", &KATHMANDU, "2026-11-25T18:15", "2026-11-26T18:15"),
        ];
        for (unit, now, zone, from, until) in cases {
            assert_eq!(period(unit, now, zone), [from, until], "{unit:?} {now}");
        }
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        let cases = [
            // 23 hours, before and behind the leap.
            (CalendarUnit::Day, "2026-03-29T00:30:00Z", &VIENNA, "2026-03-28T23:00", "2026-03-29T22:00"),
            (CalendarUnit::Day, "2026-03-29T21:59:00Z", &VIENNA, "2026-03-28T23:00", "2026-03-29T22:00"),
            // 25 hours.
            (CalendarUnit::Day, "2026-10-24T22:00:00Z", &VIENNA, "2026-10-24T22:00", "2026-10-25T23:00"),
            (CalendarUnit::Day, "2026-10-25T22:59:00Z", &VIENNA, "2026-10-24T22:00", "2026-10-25T23:00"),
            (CalendarUnit::Week, "2026-10-26T12:00:00Z", &VIENNA, "2026-10-25T23:00", "2026-11-01T23:00"),
            (CalendarUnit::Month, "2026-10-31T12:00:00Z", &VIENNA, "2026-09-30T22:00", "2026-10-31T23:00"),
            (CalendarUnit::Month, "2026-03-01T12:00:00Z", &VIENNA, "2026-02-28T23:00", "2026-03-31T22:00"),
            // A day without midnight begins with the leap, and a midnight that comes twice counts at its second time.
            (CalendarUnit::Day, "2018-11-04T12:00:00Z", &SAO_PAULO, "2018-11-04T03:00", "2018-11-05T02:00"),
            (CalendarUnit::Day, "2018-11-04T02:00:00Z", &SAO_PAULO, "2018-11-03T03:00", "2018-11-04T03:00"),
            (CalendarUnit::Day, "2019-02-17T02:30:00Z", &SAO_PAULO, "2019-02-16T02:00", "2019-02-17T03:00"),
            (CalendarUnit::Day, "2019-02-17T03:00:00Z", &SAO_PAULO, "2019-02-17T03:00", "2019-02-18T03:00"),
        ];
        for (unit, now, zone, from, until) in cases {
            assert_eq!(period(unit, now, zone), [from, until], "{unit:?} {now}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_period_and_periods_follow_each_other(
            at in 1_500_000_000_000_i64..1_900_000_000_000, unit in 0_usize..3, zone in 0_usize..4,
        ) {
            let unit = [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month][unit];
            let zone = [&Utc as &dyn Zone, &VIENNA, &SAO_PAULO, &KATHMANDU][zone];
            let Period { from, until } = Period::of(unit, Timestamp(at), zone);
            prop_assert!(from.0 <= at && at < until.0);
            for inside in [from, until.plus(-1)] {
                prop_assert_eq!(Period::of(unit, inside, zone), Period { from, until });
            }
            prop_assert_eq!(Period::of(unit, until, zone).from, until);
        }

        #[test]
        fn no_instant_is_too_far_away(at: i64, ahead: i64) {
            #[derive(Debug)]
            struct Odd(i64);
            impl Zone for Odd {
                fn ahead_ms(&self, _: Timestamp) -> i64 { self.0 / 2 }
            }
            for unit in [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month] {
                let now = Timestamp(at);
                prop_assert!(at == i64::MAX || Period::of(unit, now, &Odd(ahead)).until > now);
            }
        }
    }
}
