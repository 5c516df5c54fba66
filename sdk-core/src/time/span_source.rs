//! Texts of local time: times of day, days of the week, dates with a time, for compilers.

use super::{Span, Timestamp};
use alloc::string::String;

const DAY_MINUTES: u16 = 24 * 60;
/// The days of the week in the order of their bits in [`Span::days`].
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Span {
    /// The hours between two times of day, such as `18:00` and `23:00`; over midnight where the second is not later.
    /// Nothing where one of them is no time of day or both are the same.
    pub fn of_hours(from: &str, until: &str) -> Option<Self> {
        let (from, until) = (parse_time_of_day(from)?, parse_time_of_day(until)?);
        let minutes = if until > from { until - from } else { until + DAY_MINUTES - from };
        let span = Self { from_minute: from, minutes, ..Self::default() };
        (span.is_sound() && from != until).then_some(span)
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
fn parse_time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| match text.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
        _ => None,
    };
    let minute = two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?;
    (minute <= DAY_MINUTES).then_some(minute)
}

/// Reads a day of the week, `mon` to `sun`, as its bit in [`Span::days`].
pub fn parse_day(text: &str) -> Option<u8> {
    DAYS.iter().position(|name| *name == text).map(|place| 1 << place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_go_over_midnight_and_not_round_the_day() {
        let minutes = |from: &str, until: &str| {
            Span::of_hours(from, until).map(|span| (span.from_minute, span.minutes))
        };
        assert_eq!(minutes("18:00", "23:30"), Some((1_080, 330)));
        assert_eq!(minutes("22:00", "02:00"), Some((1_320, 240)));
        assert_eq!(minutes("22:00", "24:00"), minutes("22:00", "00:00"));
        assert_eq!(minutes("00:00", "24:00"), Some((0, 1_440)));
        for (from, until) in [
            ("24:00", "02:00"),
            ("09:00", "09:00"),
            ("00:00", "00:00"),
            ("9:00", "10:00"),
            ("09:60", "10:00"),
            ("09:00", "24:01"),
            ("", "09"),
        ] {
            assert_eq!(minutes(from, until), None, "{from} {until}");
        }
    }

    #[test]
    fn local_times_have_no_offset() {
        assert_eq!(parse_local("1970-01-02T00:00"), Some(86_400_000));
        assert_eq!(parse_local("1970-01-01T00:00:30"), Some(30_000));
        for text in ["1970-01-02", "1970-01-02T00:00Z", "1970-01-02T00:00:00+01:00", "1970-01-32T00:00", ""] {
            assert_eq!(parse_local(text), None, "{text}");
        }
        assert_eq!((parse_day("mon"), parse_day("sun"), parse_day("day")), (Some(1), Some(64), None));
    }
}
