//! What a visitor's page tells of its clocks: how far they are from UTC, and the next change of that.

use super::{Timestamp, Zone};
use crate::codec::{Source, Writer};
use crate::limits::MAX_UTC_OFFSET_MINUTES;

const MINUTE_MS: i64 = 60_000;

/// A visitor's clocks. Behind the one change that is known the offset holds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    offset_ms: i64,
    change: Option<(Timestamp, i64)>,
}

impl Clocks {
    /// The clocks of those of whom none are known.
    pub const UTC: Self = Self { offset_ms: 0, change: None };

    /// Clocks of an offset from UTC and of another one from an instant on, in minutes; what is beyond
    /// [`MAX_UTC_OFFSET_MINUTES`] counts as that.
    pub fn new(offset_minutes: i64, change: Option<(Timestamp, i64)>) -> Self {
        Self {
            offset_ms: bounded_ms(offset_minutes),
            change: change.map(|(at, next)| (at, bounded_ms(next))),
        }
    }

    /// The zone, standing in its first period.
    pub fn zone(&self) -> Zone<'static> {
        Zone::of_offset(self.offset_ms, self.change)
    }

    /// By how many milliseconds they are ahead of UTC at an instant.
    pub const fn ahead_ms(&self, at: Timestamp) -> i64 {
        match self.change {
            Some((from, next_ms)) if from.0 <= at.0 => next_ms,
            _ => self.offset_ms,
        }
    }

    /// Appends the binary form.
    pub(crate) fn encode(&self, out: &mut Writer) {
        out.i64(self.offset_ms / MINUTE_MS);
        out.option(self.change, |out, (at, next_ms)| {
            out.i64(at.0);
            out.i64(next_ms / MINUTE_MS);
        });
    }

    /// Reads the binary form.
    pub(crate) fn decode(source: &mut Source<'_>) -> Self {
        let offset = source.i64();
        Self::new(offset, source.option(|source| (Timestamp(source.i64()), source.i64())))
    }
}

fn bounded_ms(minutes: i64) -> i64 {
    minutes.clamp(-MAX_UTC_OFFSET_MINUTES, MAX_UTC_OFFSET_MINUTES) * MINUTE_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn clocks_say_what_their_zone_says_and_survive_their_binary_form(
            offset: i64, change: Option<(i64, i64)>, at: i64,
        ) {
            let clocks = Clocks::new(offset, change.map(|(at, next)| (Timestamp(at), next)));
            let mut zone = clocks.zone();
            zone.pass_to(Timestamp(at));
            // The end of time is where a zone knows of no change.
            prop_assume!(change.is_none_or(|(at, _)| at != i64::MAX));
            prop_assert_eq!(zone.offset_ms, clocks.ahead_ms(Timestamp(at)));
            let mut out = Writer::new();
            clocks.encode(&mut out);
            let bytes = out.into_bytes();
            let mut source = Source::new(&bytes);
            prop_assert_eq!(Clocks::decode(&mut source), clocks);
            prop_assert!(source.finish().is_ok());
        }
    }

    #[test]
    fn no_clock_is_further_from_utc_than_clocks_are() {
        let far = Clocks::new(i64::MAX, Some((Timestamp(10), i64::MIN)));
        assert_eq!((far.ahead_ms(Timestamp(9)), far.ahead_ms(Timestamp(10))), (93_600_000, -93_600_000));
    }
}
