//! What the page's host stores, and what it brings back.

use crate::id::LaneId;
use crate::value::Packed;
use crate::wire::{Closed, Event, LaneSeq, Priority};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A write to the host's store, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOp {
    /// The collector has the stored event; it stays for counting only.
    Settle(LaneSeq),
    /// The stored event is no longer needed.
    Forget(LaneSeq),
    /// The stored count of a lane is no longer needed.
    ForgetLane(LaneId),
    /// Stores bytes under a name.
    Put(Entry, Vec<u8>),
    /// Deletes what is stored under a name.
    Delete(Entry),
}

/// What is stored beside events and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// The base: the profile as last pushed, with own events folded into it.
    Base,
    /// The latches of event rules.
    Latches,
    /// The user that the member is bound to.
    User,
}

/// Everything stored that is this page's to take back, but for events.
#[derive(Debug, Default)]
pub struct Stored<'a> {
    /// Lanes that have ended, with their counts.
    pub lanes: Vec<Closed>,
    /// Bytes under [`Entry::Base`].
    pub base: Option<&'a [u8]>,
    /// Bytes under [`Entry::Latches`].
    pub latches: Option<&'a [u8]>,
    /// Text under [`Entry::User`].
    pub user: Option<Box<str>>,
}

/// An event as it was stored.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The event, without its metadata.
    pub event: Event,
    /// Its metadata, an object; absent means none.
    pub metadata: Option<Packed>,
    /// What it adds to a batch at most.
    pub bytes: usize,
    /// How soon it leaves.
    pub priority: Priority,
    /// Whether the collector has it.
    pub settled: bool,
}
