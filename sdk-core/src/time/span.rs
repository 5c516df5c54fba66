//! Spans of local time: hours of the day, days of the week, a first and a last instant.

use super::{Timestamp, Zone};
use crate::limits::MAX_SPAN_STEPS;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// All seven bits of [`Span::days`].
pub const EVERY_DAY: u8 = 0x7f;
/// A wait that is longer has no end, in milliseconds.
const NEVER_MS: u64 = u64::MAX / 4;
/// Whole weeks, so many that no clock is as far before 1970, in milliseconds.
const ERA_MS: i64 = 7 * DAY_MS * 1_000_000;
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
    /// The first instant; [`Span::NO_START`] where there is no beginning.
    pub starts: Timestamp,
    /// The first instant that is too late; [`Span::NO_END`] where there is no end.
    pub ends: Timestamp,
    /// Whether the two instants are local times, in milliseconds since 1970-01-01T00:00:00 of local time.
    pub is_local: bool,
}

impl Default for Span {
    /// All of the time.
    fn default() -> Self {
        let (starts, ends) = (Self::NO_START, Self::NO_END);
        Self { days: EVERY_DAY, from_minute: 0, minutes: DAY_MINUTES, starts, ends, is_local: false }
    }
}

impl Span {
    /// Before all instants.
    pub const NO_START: Timestamp = Timestamp(i64::MIN);
    /// After all instants.
    pub const NO_END: Timestamp = Timestamp(i64::MAX);

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
        let (starts, ends) = (self.starts.0, self.ends.0);
        let (mut at, mut answer) = (now, None);
        for _ in 0..MAX_SPAN_STEPS {
            zone.pass_to(at);
            let local = zone.local(at);
            let clock = if self.is_local { local } else { at.0 };
            // Counted from where the span begins, a night is part of the day before.
            let shifted =
                local.wrapping_sub(i64::from(self.from_minute) * MINUTE_MS).wrapping_add(ERA_MS) as u64;
            let (day, in_day) = (shifted / DAY_MS as u64, (shifted % DAY_MS as u64) as i64);
            let (has_started, has_ended, is_in_day) = (starts <= clock, ends <= clock, in_day < length);
            // 1970-01-01 was a Thursday.
            let is_day = (self.days >> ((day + 3) % 7)) & 1 == 1;
            let holds = has_started && !has_ended && is_in_day && is_day;
            if holds != *answer.get_or_insert(holds) {
                return (!holds, Some(at));
            }
            let next_edge = if is_in_day { length } else { DAY_MS } - in_day;
            let is_always = self.days == EVERY_DAY && length == DAY_MS;
            let wait = if !has_started {
                between(clock, starts)
            } else if has_ended {
                u64::MAX
            } else {
                let wait = if is_always { u64::MAX } else { next_edge as u64 };
                wait.min(between(clock, ends))
            };
            // Clocks that are put back or forward may show something else at once.
            let wait = wait.min(between(at.0, zone.until().map_or(i64::MAX, |until| until.0)));
            if wait > NEVER_MS {
                return (holds, None);
            }
            at.0 = at.0.wrapping_add(wait as i64);
        }
        (answer == Some(true), Some(at))
    }
}

/// Milliseconds from an instant to a later one.
const fn between(from: i64, to: i64) -> u64 {
    to.wrapping_sub(from) as u64
}
