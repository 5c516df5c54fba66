//! Signals and events that the tests of this room share.

use super::{Aggregate, EventDocument, Signal, SignalTable, Window, signal_id};
use crate::condition::{Path, Root};
use crate::id::{EventId, MemberId, SessionId, SignalId, Uuid};
use crate::time::Timestamp;
use crate::wire::Event;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A signal over `page_view`; its values are at `metadata.value`.
pub(crate) fn signal(name: &str, aggregate: Aggregate, window: Window, by: Option<&str>) -> Signal {
    let bare = |path: &str| Path { root: Root::Bare, rest: Box::from(path) };
    let mut signal = Signal {
        id: SignalId(0),
        name: Box::from(name),
        on: Box::from("page_view"),
        filter: None,
        by: by.map(bare),
        of: aggregate.takes_values().then(|| bare("metadata.value")),
        aggregate,
        window,
        backfill: false,
    };
    signal.id = signal_id(&signal);
    signal
}

/// The index over some signals.
pub(crate) fn table(signals: Vec<Signal>) -> SignalTable {
    SignalTable::new(&signals)
}

/// An event of member `m` in session 1, without lane.
pub(crate) fn event(at: i64, event_type: &str, metadata: &str) -> EventDocument {
    EventDocument::new(Event {
        event_id: EventId(Uuid::from_u128(at as u128)),
        event_type: Box::from(event_type),
        timestamp: Timestamp(at),
        member: MemberId(Box::from("m")),
        lane: None,
        session: Some(SessionId(Uuid::from_u128(1))),
        user_id: None,
        metadata: Some(Box::from(metadata)),
    })
}
