//! Time zones: the offset of local time at an instant and when it changes, read from packed transitions.

use super::Timestamp;
use crate::codec::Source;
use alloc::boxed::Box;

const MINUTE_MS: i64 = 60_000;

/// A named zone as a bundle holds it: its IANA name, its offset from UTC in minutes before the first transition, then
/// each transition as the minutes since the one before (the first since 1970) and the minutes that it adds to the
/// offset. Behind the last transition its offset holds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneTable(Box<[u8]>);

/// The clocks of a zone, standing in one period of constant offset and able to go on to later ones.
///
/// Sums wrap: instants further off than clocks go, as only hostile bytes have them, give some offset of the zone.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// What local time is ahead of UTC in this period, in milliseconds.
    pub offset_ms: i64,
    /// When the period ends, in milliseconds since 1970; [`NEVER`] where no later change is known.
    until: i64,
    /// The offset after it.
    next_offset_ms: i64,
    later: Source<'a>,
}

const NEVER: i64 = i64::MAX;

impl ZoneTable {
    /// Takes packed bytes in as they are; what of them is unsound reads as no transitions.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        Source::new(&self.0).str()
    }

    /// The zone, standing in its first period.
    pub fn zone(&self) -> Zone<'_> {
        Zone::of_table(&self.0)
    }
}

impl<'a> Zone<'a> {
    /// A zone of which the offset is known and at most one change of it, in milliseconds.
    pub fn of_offset(offset_ms: i64, change: Option<(Timestamp, i64)>) -> Self {
        let (Timestamp(until), next_offset_ms) = change.unwrap_or((Timestamp(NEVER), 0));
        Self { offset_ms, until, next_offset_ms, later: Source::new(&[]) }
    }

    /// The zone of a packed [`ZoneTable`], standing in its first period.
    pub fn of_table(bytes: &'a [u8]) -> Self {
        let mut later = Source::new(bytes);
        later.bytes();
        let next_offset_ms = later.i64().wrapping_mul(MINUTE_MS);
        let mut zone = Self { offset_ms: 0, until: 0, next_offset_ms, later };
        zone.step();
        zone
    }

    /// Whether packed bytes are a table to their end.
    pub fn is_table(bytes: &'a [u8]) -> bool {
        let mut name = Source::new(bytes);
        name.str();
        let mut zone = Self::of_table(bytes);
        while !zone.later.is_empty() {
            zone.step();
        }
        name.is_sound() && zone.later.is_sound()
    }

    /// Goes on to the period in which an instant lies; periods before it are left for good.
    pub fn pass_to(&mut self, at: Timestamp) {
        while self.until <= at.0 && self.until != NEVER {
            self.step();
        }
    }

    /// When this period ends; absent where no later change is known.
    pub fn until(&self) -> Option<Timestamp> {
        (self.until != NEVER).then_some(Timestamp(self.until))
    }

    /// The local time at an instant of this period, in milliseconds since 1970-01-01T00:00:00 of local time.
    pub const fn local(&self, at: Timestamp) -> i64 {
        at.0.wrapping_add(self.offset_ms)
    }

    /// The first instant from this period on at which local clocks show a local time or a later one: of a time that
    /// exists twice the first, of one that does not exist the instant at which clocks go past it.
    pub fn first_at(mut self, local: i64) -> Timestamp {
        let mut since = i64::MIN;
        loop {
            let at = since.max(local.wrapping_sub(self.offset_ms));
            if at < self.until || self.until == NEVER {
                return Timestamp(at);
            }
            since = self.until;
            self.step();
        }
    }

    /// Goes on to the next period.
    fn step(&mut self) {
        self.offset_ms = self.next_offset_ms;
        if self.later.is_empty() {
            self.until = NEVER;
        } else {
            self.until = self.until.wrapping_add((self.later.u64() as i64).wrapping_mul(MINUTE_MS));
            self.next_offset_ms = self.offset_ms.wrapping_add(self.later.i64().wrapping_mul(MINUTE_MS));
        }
    }
}
