//! Spans of local time: hours of the day, days of the week, a first and a last instant.

use super::{Timestamp, Zone};
use crate::limits::MAX_SPAN_STEPS;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// All seven bits of [`Span::days`].
pub const EVERY_DAY: u8 = 0x7f;
/// A wait that is longer has no end, in milliseconds.
const NEVER_MS: i64 = i64::MAX / 2;
/// Minutes of a whole day.
const DAY_MINUTES: u16 = 24 * 60;

/// When something is on by the clocks of a zone: on certain days from a time of day on, within a first and a last
/// instant. Only what the clocks show counts: an hour that does not exist is left out, one that comes twice counts
/// twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The days on which it begins, Monday in the lowest of seven bits; what goes on over midnight belongs to the day
    /// on which it has begun.
    pub days: u8,
    /// When it begins, in minutes since midnight.
    pub from_minute: u16,
    /// How long it goes on, in minutes, up to a whole day.
    pub minutes: u16,
    /// The first instant; absent where there is no beginning.
    pub starts: Option<Timestamp>,
    /// The first instant that is too late; absent where there is no end.
    pub ends: Option<Timestamp>,
    /// Whether the two instants are local times, in milliseconds since 1970-01-01T00:00:00 of local time.
    pub is_local: bool,
}

impl Default for Span {
    /// All of the time.
    fn default() -> Self {
        let (starts, ends) = (None, None);
        Self { days: EVERY_DAY, from_minute: 0, minutes: DAY_MINUTES, starts, ends, is_local: false }
    }
}

impl Span {
    /// Whether all fields are within their bounds.
    pub fn is_sound(&self) -> bool {
        (1..=EVERY_DAY).contains(&self.days)
            && self.from_minute < DAY_MINUTES
            && (1..=DAY_MINUTES).contains(&self.minutes)
    }

    /// Whether an instant lies in the span, and the first later instant at which that changes.
    ///
    /// After [`MAX_SPAN_STEPS`] steps without a change, which only a hostile table takes, the instant that has been
    /// reached stands for it.
    pub fn at(&self, mut zone: Zone<'_>, now: Timestamp) -> (bool, Option<Timestamp>) {
        let length = i64::from(self.minutes) * MINUTE_MS;
        let starts = self.starts.map_or(i64::MIN, |at| at.0);
        let ends = self.ends.map_or(i64::MAX, |at| at.0);
        let is_always = self.days == EVERY_DAY && length == DAY_MS;
        let (mut at, mut first) = (now, None);
        for _ in 0..MAX_SPAN_STEPS {
            zone.pass_to(at);
            let local = zone.local(at);
            // Counted from where the span begins, a night is part of the day before.
            let shifted = local.saturating_sub(i64::from(self.from_minute) * MINUTE_MS);
            let (day, in_day) = (shifted.div_euclid(DAY_MS), shifted.rem_euclid(DAY_MS));
            let clock = if self.is_local { local } else { at.0 };
            let holds = starts <= clock
                && clock < ends
                && in_day < length
                // 1970-01-01 was a Thursday.
                && (self.days >> (day + 3).rem_euclid(7)) & 1 == 1;
            let answer = *first.get_or_insert(holds);
            if holds != answer {
                return (answer, Some(at));
            }
            let next_edge = match in_day < length {
                _ if is_always => i64::MAX,
                true => length - in_day,
                false => DAY_MS - in_day,
            };
            let wait = if clock < starts {
                starts.saturating_sub(clock)
            } else if clock < ends {
                next_edge.min(ends.saturating_sub(clock))
            } else {
                i64::MAX
            };
            let next = at.plus(wait);
            // Clocks that are put back or forward may show something else at once.
            at = match zone.until() {
                Some(until) if until < next => until,
                _ if wait > NEVER_MS => return (answer, None),
                _ => next,
            };
        }
        (first == Some(true), Some(at))
    }
}
