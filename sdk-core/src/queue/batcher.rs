//! Which events and declarations leave together.

use super::buffer::{Buffer, Company, Positions};
use super::declarations::Declarations;
use crate::limits::{BATCH_RECOVERY_RECEIPTS, CONTEXT_SHARE, PROBE_BATCH_EVENTS};
use alloc::vec::Vec;

/// Bytes of an envelope at most, without its member, context, declarations and events.
const ENVELOPE_BYTES: usize = 384;

/// The bounds of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Most events.
    pub events: usize,
    /// Most bytes.
    pub bytes: usize,
}

/// The batch size in effect: halved when a batch was too large, and doubled again after a row of receipts.
#[derive(Debug)]
pub(super) struct BatchSize {
    configured: Limits,
    current: Limits,
    receipts: u32,
}

/// What leaves together.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    /// Positions in the buffer.
    pub events: Vec<usize>,
    /// Declarations, taken out of those held.
    pub declarations: Declarations,
    /// Its bytes at most.
    pub bytes: usize,
    /// Whether the context leaves with it.
    pub with_context: bool,
}

/// What surrounds the events of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Bytes of the sending member's name.
    pub member_bytes: usize,
    /// Bytes of the context.
    pub context_bytes: usize,
    /// With whom declarations travel.
    pub declarations: Company,
}

impl Parcel {
    /// Whether nothing leaves.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty() && self.declarations.is_empty()
    }
}

impl BatchSize {
    /// The configured size.
    pub fn new(events: usize, bytes: usize) -> Self {
        let configured = Limits { events: events.max(1), bytes };
        Self { configured, current: configured, receipts: 0 }
    }

    /// The bounds of the next batch.
    pub const fn limits(&self) -> Limits {
        self.current
    }

    /// The bounds of a probe.
    pub fn probe(&self) -> Limits {
        Limits { events: self.current.events.min(PROBE_BATCH_EVENTS), bytes: self.current.bytes }
    }

    /// A batch of this size was too large.
    pub fn halve(&mut self, events: usize, bytes: usize) {
        self.receipts = 0;
        if events > 1 {
            self.current.events = self.current.events.min(events / 2);
        }
        self.current.bytes = self.current.bytes.min(bytes / 2);
    }

    /// A batch was taken.
    pub fn confirm(&mut self) {
        if self.current == self.configured {
            return;
        }
        self.receipts += 1;
        if self.receipts >= BATCH_RECOVERY_RECEIPTS {
            self.receipts = 0;
            self.current = Limits {
                events: self.configured.events.min(self.current.events * 2),
                bytes: self.configured.bytes.min(self.current.bytes.saturating_mul(2).max(ENVELOPE_BYTES)),
            };
        }
    }
}

/// Packs the next parcel from events at the given positions and the declarations held, both in order.
///
/// It is empty only if there is nothing to pack. A first event or declaration travels even when it is over the bytes
/// by itself: only the collector can say that it is too large.
pub(super) fn pack(
    buffer: &Buffer,
    positions: &mut Positions,
    held: &mut Declarations,
    frame: Frame,
    limits: Limits,
) -> Parcel {
    let mut parcel = Parcel {
        with_context: frame.context_bytes <= limits.bytes / CONTEXT_SHARE,
        bytes: ENVELOPE_BYTES + frame.member_bytes,
        ..Parcel::default()
    };
    if parcel.with_context {
        parcel.bytes += frame.context_bytes;
    }
    let first = positions.peek().and_then(|position| buffer.entries().get(*position));
    if first.is_none_or(|entry| entry.company != Company::Alone) {
        let alone = frame.declarations == Company::Alone;
        let most = if alone { 1 } else { usize::MAX };
        let bytes;
        (parcel.declarations, bytes) = held.take(most, limits.bytes.saturating_sub(parcel.bytes) / 2);
        parcel.bytes += bytes;
        if alone && !parcel.declarations.is_empty() {
            return parcel;
        }
    }
    while let Some(entry) = positions.peek().and_then(|position| buffer.entries().get(*position)) {
        let is_alone = entry.company == Company::Alone;
        let is_full = parcel.events.len() >= limits.events
            || parcel.bytes + entry.item.bytes > limits.bytes
            || is_alone;
        if is_full && !parcel.is_empty() {
            break;
        }
        parcel.bytes += entry.item.bytes;
        parcel.events.extend(positions.next());
        if is_alone {
            break;
        }
    }
    parcel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halved_batch_grows_again_after_a_row_of_receipts() {
        let mut size = BatchSize::new(100, 40_000);
        size.halve(100, 30_000);
        size.halve(50, 14_000);
        assert_eq!(size.limits(), Limits { events: 25, bytes: 7_000 });
        size.halve(0, 6_000);
        assert_eq!(size.limits(), Limits { events: 25, bytes: 3_000 });
        (0..BATCH_RECOVERY_RECEIPTS).for_each(|_| size.confirm());
        assert_eq!(size.limits(), Limits { events: 50, bytes: 6_000 });
        (0..BATCH_RECOVERY_RECEIPTS * 3).for_each(|_| size.confirm());
        assert_eq!(size.limits(), Limits { events: 100, bytes: 40_000 });
    }
}
