//! Definitions of signals and the identity that follows from them.

use crate::condition::{Condition, Path};
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A named windowed aggregate over events.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Hash of the canonical definition (everything below but the name); tiles are kept under it.
    pub id: SignalId,
    /// The name that conditions use.
    pub name: Box<str>,
    /// The event type it looks at; `*` for all.
    pub on: Box<str>,
    /// Which of those events count.
    pub filter: Option<Condition>,
    /// Where the key is found, for one value per key.
    pub by: Option<Path>,
    /// Where the value is found, for `sum`.
    pub of: Option<Path>,
    /// How events are folded.
    pub aggregate: Aggregate,
    /// Over which time.
    pub window: Window,
}

/// How events are folded into one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Number of events.
    Count,
    /// Sum of `of`, in micro-units.
    Sum,
    /// Time of the latest event.
    LastAt,
}

/// The time a signal looks back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The buckets (⌊now/g⌋ − W/g, ⌊now/g⌋] of event time.
    Sliding {
        /// W, in milliseconds; a multiple of `bucket_ms`.
        window_ms: i64,
        /// g, in milliseconds.
        bucket_ms: i64,
    },
    /// The current session.
    Session,
    /// All time.
    Lifetime,
}

/// The signals of a bundle, found by id, by name and by the event type they look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalTable {
    signals: Vec<Signal>,
}
