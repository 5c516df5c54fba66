//! Wall and monotonic time as two types, and the text forms of instants and durations.

mod calendar;
mod clocks;
mod span;
#[cfg(feature = "author")]
mod span_source;
mod zone;
#[cfg(feature = "author")]
mod zone_source;

use alloc::string::String;
use core::fmt;

pub use calendar::CalendarUnit;
pub use clocks::Clocks;
pub use span::{EVERY_DAY, Span};
#[cfg(feature = "author")]
pub use span_source::{DAYS, parse_day, parse_local};
pub use zone::{Zone, ZoneTable};

/// An instant of wall time in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A host's monotonic clock in milliseconds; only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub u64);

/// What the host's clocks say at the moment of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub wall: Timestamp,
    /// Monotonic clock.
    pub monotonic: Monotonic,
}

/// Where year, month, day, hour, minute and second of an RFC 3339 text end, and what stands behind each.
const PARTS: [(usize, u8); 6] = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, 0)];
/// Length of an instant's text, in bytes.
pub const INSTANT_BYTES: usize = 24;

impl Timestamp {
    /// Moves the instant by `ms` milliseconds, saturating at the ends of the range.
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `self` comes first.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads an RFC 3339 instant such as `2026-11-20T10:00:02.120Z`; fractions beyond milliseconds are cut.
    ///
    /// Days-from-civil after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    #[inline(never)]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // Each part with where it ends and what stands behind it.
        let mut parts = [0_i64; 6];
        let mut from = 0;
        for (part, (end, mark)) in parts.iter_mut().zip(PARTS) {
            *part = digits(bytes, from, end - from)?;
            let behind = if mark == 0 { 0 } else { *bytes.get(end)? };
            if behind != mark && !(mark == b'T' && matches!(behind, b't' | b' ')) {
                return None;
            }
            from = end + 1;
        }
        let [year, month, day, hour, minute, second] = parts;
        let days = days_from_civil(year, month, day);
        // A day that does not exist becomes another one.
        if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let mut at = 19;
        let mut millis = 0;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            let from = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                if at - from < 3 {
                    millis = millis * 10 + i64::from(*bytes.get(at)? - b'0');
                }
                at += 1;
            }
            match at - from {
                0 => return None,
                1 => millis *= 100,
                2 => millis *= 10,
                _ => {}
            }
        }
        let offset_minutes = match bytes.get(at)? {
            b'Z' | b'z' if bytes.len() == at + 1 => 0,
            sign @ (b'+' | b'-') if bytes.len() == at + 6 && bytes.get(at + 3) == Some(&b':') => {
                let (hours, minutes) = (digits(bytes, at + 1, 2)?, digits(bytes, at + 4, 2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let total = hours * 60 + minutes;
                if *sign == b'-' { -total } else { total }
            }
            _ => return None,
        };
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Self((seconds - offset_minutes * 60) * 1_000 + millis))
    }

    /// The instant that its text names: years outside 0..=9999 are clamped.
    pub fn in_text(self) -> Self {
        Self(self.0.clamp(-62_167_219_200_000, 253_402_300_799_999))
    }

    /// Appends the instant as RFC 3339 with milliseconds in UTC; years outside 0..=9999 are clamped.
    pub fn write(self, out: &mut String) {
        out.push_str(self.text(&mut [0; INSTANT_BYTES]));
    }

    /// The same, written into room of the caller's.
    pub fn text(self, room: &mut [u8; INSTANT_BYTES]) -> &str {
        let clamped = self.in_text().0;
        let (days, in_day) = (clamped.div_euclid(86_400_000), clamped.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        *room = *b"0000-00-00T00:00:00.000Z";
        for (end, number) in [
            (4, year),
            (7, month),
            (10, day),
            (13, in_day / 3_600_000),
            (16, in_day / 60_000 % 60),
            (19, in_day / 1_000 % 60),
            (23, in_day % 1_000),
        ] {
            let (mut left, mut at) = (number, end);
            while left > 0 {
                at -= 1;
                if let Some(digit) = room.get_mut(at) {
                    *digit = b'0' + (left % 10) as u8;
                }
                left /= 10;
            }
        }
        core::str::from_utf8(room).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl Monotonic {
    /// Moves the instant by `ms` milliseconds.
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`, zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Reads a duration such as `500ms`, `30s`, `5m`, `1h`, `7d` into milliseconds; a leading `-` negates it.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let split = body.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = body.split_at(split);
    if number.is_empty() || number.len() > 12 {
        return None;
    }
    let amount: i64 = number.bytes().fold(0, |total, digit| total * 10 + i64::from(digit - b'0'));
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let ms = amount.checked_mul(unit_ms)?;
    Some(if negative { -ms } else { ms })
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    bytes
        .get(from..from + count)?
        .iter()
        .try_fold(0_i64, |total, byte| byte.is_ascii_digit().then(|| total * 10 + i64::from(byte - b'0')))
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn an_instant_survives_its_text_form() {
        for text in ["1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-20T10:00:02.120Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn offsets_and_fractions_are_understood() {
        let utc = Timestamp::parse("2026-11-20T10:00:02.120Z").unwrap();
        assert_eq!(Timestamp::parse("2026-11-20T11:30:02.120456+01:30"), Some(utc));
        assert_eq!(Timestamp::parse("2026-11-20T10:00:02.12Z"), Some(utc));
    }

    #[test]
    fn broken_instants_are_refused() {
        for text in [
            "",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-11-20",
            "2026-11-20T10:00:02",
            "x",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!(parse_duration_ms("5m"), Some(300_000));
        assert_eq!(parse_duration_ms("-30m"), Some(-1_800_000));
        for text in ["", "5", "m", "5 m", "5w", "1.5h"] {
            assert_eq!(parse_duration_ms(text), None, "{text}");
        }
    }
}
