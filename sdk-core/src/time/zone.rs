//! Time zones: the offset of local time at an instant and when it changes, read from packed transitions.

use super::Timestamp;
use crate::codec::Source;
use crate::limits::MAX_UTC_OFFSET_MS;
use alloc::boxed::Box;

const MINUTE_MS: i64 = 60_000;

/// A named zone as a bundle holds it: its IANA name, its offset from UTC in minutes before the first transition, then
/// each transition as the minutes since the one before (the first since 1970) and the minutes that it adds to the
/// offset. Behind the last transition its offset holds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneTable(Box<[u8]>);

/// The clocks of a zone, standing in one period of constant offset and able to go on to later ones.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// What local time is ahead of UTC in this period, in milliseconds.
    pub offset_ms: i64,
    /// When the period ends, and the offset after it.
    change: Option<(Timestamp, i64)>,
    later: Source<'a>,
}

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
    /// A zone of which the offset is known and at most one change of it, in milliseconds. Offsets beyond
    /// [`MAX_UTC_OFFSET_MS`] are cut down to it.
    pub fn of_offset(offset_ms: i64, change: Option<(Timestamp, i64)>) -> Self {
        let bounded = |ms: i64| ms.clamp(-MAX_UTC_OFFSET_MS, MAX_UTC_OFFSET_MS);
        let change = change.map(|(at, then)| (at, bounded(then)));
        Self { offset_ms: bounded(offset_ms), change, later: Source::new(&[]) }
    }

    /// The zone of a packed [`ZoneTable`], standing in its first period.
    pub fn of_table(bytes: &'a [u8]) -> Self {
        let mut later = Source::new(bytes);
        later.bytes();
        let offset_ms = later.i64().saturating_mul(MINUTE_MS);
        let mut zone = Self { offset_ms, change: None, later };
        zone.read_change(Timestamp(0));
        zone
    }

    /// Whether packed bytes are a table to their end.
    pub fn is_table(bytes: &'a [u8]) -> bool {
        let mut name = Source::new(bytes);
        name.str();
        let mut zone = Self::of_table(bytes);
        while zone.step() {}
        name.is_sound() && zone.later.is_sound()
    }

    /// Goes on to the period in which an instant lies; periods before it are left for good.
    pub fn pass_to(&mut self, at: Timestamp) {
        while self.until().is_some_and(|until| until <= at) && self.step() {}
    }

    /// When this period ends; absent where no later change is known.
    pub fn until(&self) -> Option<Timestamp> {
        self.change.map(|(at, _)| at)
    }

    /// The local time at an instant of this period, in milliseconds since 1970-01-01T00:00:00 of local time.
    pub const fn local(&self, at: Timestamp) -> i64 {
        at.0.saturating_add(self.offset_ms)
    }

    /// The first instant from this period on at which local clocks show a local time or a later one: of a time that
    /// exists twice the first, of one that does not exist the instant at which clocks go past it.
    pub fn first_at(mut self, local: i64) -> Timestamp {
        let mut since = Timestamp(i64::MIN);
        loop {
            let at = since.max(Timestamp(local).plus(-self.offset_ms));
            match self.until() {
                Some(until) if until <= at => since = until,
                _ => return at,
            }
            self.step();
        }
    }

    /// Goes on to the next period, if there is one.
    fn step(&mut self) -> bool {
        let Some((at, offset_ms)) = self.change.take() else { return false };
        self.offset_ms = offset_ms;
        self.read_change(at);
        true
    }

    fn read_change(&mut self, since: Timestamp) {
        if !self.later.is_empty() {
            let at = since.plus((self.later.u64() as i64).saturating_mul(MINUTE_MS));
            let offset_ms = self.later.i64().saturating_mul(MINUTE_MS).saturating_add(self.offset_ms);
            self.change = Some((at, offset_ms));
        }
    }
}
